/* SPDX-License-Identifier: MIT */
/* Factors of symmetric matrices. Rows lie together, so all loops run along rows. */
#include "runtime/compress/matrix.h"

#include <math.h>
#include <string.h>

#define LANES 8	/* sums side by side, so that the compiler may use vectors */

double matrix_dot(const double *a, const double *b, size_t n)
{
	double sum[LANES] = { 0 }, all = 0;
	size_t i = 0;

	for (; i + LANES <= n; i += LANES)
		for (size_t k = 0; k < LANES; k++)
			sum[k] += a[i + k] * b[i + k];
	for (; i < n; i++)
		all += a[i] * b[i];
	for (size_t k = 0; k < LANES; k++)
		all += sum[k];
	return all;
}

void matrix_axpy(double s, const double *x, double *y, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] += s * x[i];
}

/* h = U U^T, U upper triangular, in place; what is below is spoilt. */
static bool factor_backwards(double *h, size_t n)
{
	for (size_t j = n; j-- > 0;) {
		const double *uj = h + j * n;
		double d = uj[j] - matrix_dot(uj + j + 1, uj + j + 1, n - j - 1);

		if (!(d > 0) || !isfinite(d))
			return false;
		d = sqrt(d);
		h[j * n + j] = d;
		for (size_t i = 0; i < j; i++) {
			double *ui = h + i * n;

			ui[j] = (ui[j] - matrix_dot(ui + j + 1, uj + j + 1, n - j - 1)) / d;
		}
	}
	return true;
}

/* U becomes its inverse, from the last row up: row i needs those below it only. */
static void invert_upper(double *u, size_t n)
{
	for (size_t i = n; i-- > 0;) {
		double *row = u + i * n, d = 1 / row[i];

		/* What row i was is needed entry by entry while it is written from the left: go right. */
		for (size_t k = 0; k < i; k++)
			row[k] = 0;
		row[i] = d;
		for (size_t k = i + 1; k < n; k++)
			row[k] *= -d;
		for (size_t k = n; k-- > i + 1;) {
			double s = row[k];

			row[k] = 0;
			matrix_axpy(s, u + k * n + k, row + k, n - k);
		}
	}
}

bool matrix_factor(double *h, size_t n)
{
	if (!factor_backwards(h, n))
		return false;
	invert_upper(h, n);
	return true;
}

void matrix_solve(const double *r, size_t n, double *b, double *work)
{
	for (size_t i = 0; i < n; i++)
		work[i] = matrix_dot(r + i * n + i, b + i, n - i);
	memset(b, 0, n * sizeof(*b));
	for (size_t i = 0; i < n; i++)
		matrix_axpy(work[i], r + i * n + i, b + i, n - i);
}
