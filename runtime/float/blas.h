/* SPDX-License-Identifier: MIT */
/*
 * Products of matrices, by OpenBLAS. It is loaded when first wanted: its threads start as it is
 * loaded, which takes longer than many a command that has no products.
 */
#ifndef ACCEL_RUNTIME_FLOAT_BLAS_H
#define ACCEL_RUNTIME_FLOAT_BLAS_H

#include <stdbool.h>
#include <stddef.h>

#include "runtime/error.h"

/**
 * struct gemm - c[m][n] = a[m][k] * b[k][n]
 * @a_turned, @b_turned: stored as a[k][m], b[n][k]
 * @add: added to what @c holds; otherwise that plays no part
 * @lda, @ldb, @ldc: elements from row to row, as stored
 */
struct gemm {
	size_t m, n, k;
	bool a_turned, b_turned, add;
	size_t lda, ldb, ldc;
};

/**
 * blas_load - load the library unless it is there already
 *
 * Needed before all below. From any thread.
 *
 * Return: 0; -ENOTSUP: there is none, @err names the package.
 */
int blas_load(struct error *err);

/* blas_threads - how many threads large products take from now on, in the whole process; 0: all CPUs */
void blas_threads(unsigned int count);

/* True if all numbers fit BLAS's. */
bool gemm_fits(const struct gemm *g);

/* gemm - the product; that of empty matrices is 0 */
void gemm(const struct gemm *g, const float *a, const float *b, float *c);

#endif
