/* SPDX-License-Identifier: MIT */
/* Symmetric matrices in double precision: factors and inverses for least squares. */
#ifndef ACCEL_RUNTIME_COMPRESS_MATRIX_H
#define ACCEL_RUNTIME_COMPRESS_MATRIX_H

#include <stdbool.h>
#include <stddef.h>

double matrix_dot(const double *a, const double *b, size_t n);

/* matrix_axpy - y += s * x */
void matrix_axpy(double s, const double *x, double *y, size_t n);

/**
 * matrix_factor - R, upper triangular, with inverse(h) = R^T R
 * @h: [n][n], symmetric, positive definite; becomes R, zeros below
 *
 * R is unique: rows of it tell how an error in one unknown is best made good by those after it.
 *
 * Return: false: not positive definite.
 */
bool matrix_factor(double *h, size_t n);

/* matrix_solve - x with h x = b, by the factor of h. @b becomes x; @work: n numbers */
void matrix_solve(const double *r, size_t n, double *b, double *work);

#endif
