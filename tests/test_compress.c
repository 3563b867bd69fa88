/* SPDX-License-Identifier: MIT */
/* Tests: least squares with zeros and few values, against what the sums say straight. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/compress/matrix.h"
#include "runtime/compress/reconstruct.h"

#define TAPS	16
#define OUTPUTS	6
#define ROWS	400
#define FEW	10	/* rows */

static uint32_t state = 1;

static double draw(void)
{
	double sum = 0;

	for (unsigned int i = 0; i < 4; i++) {
		state = state * 1664525u + 1013904223u;
		sum += (state >> 8) / 16777216.0 - 0.5;
	}
	return sum;
}

/* Rows of inputs that go together, as those of networks do; and a layer's weights. */
struct problem {
	struct layer layer;
	double x[ROWS][TAPS + 1];
	float w[OUTPUTS * TAPS], bias[OUTPUTS];
	struct moments m;
};

static void make(struct problem *p)
{
	double mix[TAPS][TAPS];

	memset(p, 0, sizeof(*p));
	p->layer = (struct layer){ .outputs = OUTPUTS, .taps = TAPS, .ic = TAPS };
	for (unsigned int i = 0; i < TAPS; i++)
		for (unsigned int k = 0; k < TAPS; k++)
			mix[i][k] = draw() + (i == k);
	for (unsigned int r = 0; r < ROWS; r++) {
		double source[TAPS];

		for (unsigned int i = 0; i < TAPS; i++)
			source[i] = draw() + 0.3;
		for (unsigned int i = 0; i < TAPS; i++)
			p->x[r][i] = matrix_dot(mix[i], source, TAPS);
		p->x[r][TAPS] = 1;
	}
	for (unsigned int i = 0; i < OUTPUTS * TAPS; i++)
		p->w[i] = (float)draw();
	for (unsigned int i = 0; i < OUTPUTS; i++)
		p->bias[i] = (float)draw();
	p->m = (struct moments){ .n = TAPS + 1, .full = TAPS + 1, .rows = ROWS };
	p->m.own = calloc((TAPS + 1) * (TAPS + 1), sizeof(double));
	p->m.cross = calloc((TAPS + 1) * (TAPS + 1), sizeof(double));
	assert_true(p->m.own && p->m.cross);
	for (unsigned int r = 0; r < ROWS; r++)
		for (unsigned int i = 0; i <= TAPS; i++)
			matrix_axpy(p->x[r][i] / ROWS, p->x[r], p->m.own + i * (TAPS + 1), TAPS + 1);
	memcpy(p->m.cross, p->m.own, (TAPS + 1) * (TAPS + 1) * sizeof(double));
}

/* Mean square of the outputs' differences, row by row; and of the outputs without their means. */
static double measure(const struct problem *p, const float *w, const float *bias, double *signal)
{
	double sum = 0;

	*signal = 0;
	for (unsigned int o = 0; o < OUTPUTS; o++) {
		double mean = 0, square = 0;

		for (unsigned int r = 0; r < ROWS; r++) {
			double was = p->bias[o], is = bias[o];

			for (unsigned int i = 0; i < TAPS; i++) {
				was += p->w[o * TAPS + i] * p->x[r][i];
				is += w[o * TAPS + i] * p->x[r][i];
			}
			sum += (was - is) * (was - is) / ROWS;
			mean += (was - p->bias[o]) / ROWS;
			square += (was - p->bias[o]) * (was - p->bias[o]) / ROWS;
		}
		*signal += square - mean * mean;
	}
	return sum;
}

static void test_factor(void **unused)
{
	enum { N = 9 };
	double h[N * N], r[N * N], b[N], x[N], work[N];

	(void)unused;
	for (unsigned int i = 0; i < N; i++)
		for (unsigned int k = 0; k <= i; k++)
			h[i * N + k] = h[k * N + i] = i == k ? 4 + i : draw();
	memcpy(r, h, sizeof(r));
	assert_true(matrix_factor(r, N));
	for (unsigned int i = 0; i < N; i++) {
		for (unsigned int k = 0; k < i; k++)
			assert_true(r[i * N + k] == 0);
		b[i] = x[i] = draw();
	}
	/* h (inverse(h) b) is b. */
	matrix_solve(r, N, x, work);
	for (unsigned int i = 0; i < N; i++)
		assert_true(fabs(matrix_dot(h + i * N, x, N) - b[i]) < 1e-9);
	h[0] = -1;
	assert_false(matrix_factor(h, N));
}

static void check_error(const struct problem *p, const struct fit *f, double *lost)
{
	float w[OUTPUTS * TAPS], bias[OUTPUTS];
	double signal, error;

	fit_store(f, w, bias);
	error = measure(p, w, bias, &signal);
	assert_true(fabs(error / signal - fit_error(f)) < 1e-3 * (error / signal) + 1e-6);
	*lost = error;
}

/* Zeros where the weights are smallest, the others as they were. */
static double by_magnitude(const struct problem *p)
{
	float w[OUTPUTS * TAPS];
	double signal;

	memcpy(w, p->w, sizeof(w));
	for (unsigned int g = 0; g < OUTPUTS * TAPS; g += 4)
		for (unsigned int n = 0; n < 2; n++) {
			unsigned int least = g;

			for (unsigned int i = g; i < g + 4; i++)
				if (w[i] != 0 && (w[least] == 0 || fabsf(w[i]) < fabsf(w[least])))
					least = i;
			w[least] = 0;
		}
	return measure(p, w, p->bias, &signal);
}

static void test_two_four(void **unused)
{
	const struct sparsity s = { .two_four = true };
	double lost = 0, all = 0, naive = 0;

	(void)unused;
	for (unsigned int trial = 0; trial < 20; trial++) {
		struct problem p;
		struct fit f;

		make(&p);
		assert_int_equal(fit_init(&p.layer, &p.m, p.w, p.bias, NULL, p.w, 1e-6, &f), 0);
		check_error(&p, &f, &lost);
		assert_true(lost < 1e-6);
		assert_int_equal(fit_prune(&f, &s), 0);
		for (unsigned int o = 0; o < OUTPUTS; o++)
			for (unsigned int g = 0; g < TAPS; g += 4) {
				const double *w = f.w + o * f.n + g;

				assert_int_equal((w[0] != 0) + (w[1] != 0) + (w[2] != 0) +
						 (w[3] != 0), 2);
			}
		check_error(&p, &f, &lost);
		all += lost;
		naive += by_magnitude(&p);
		fit_free(&f);
		moments_free(&p.m);
	}
	assert_true(all < 0.7 * naive);
}

/* Mean square of the outputs' differences on all rows, pruned by what the first few of them say. */
static double lost_from_few(struct problem *p, bool shrunk)
{
	const struct sparsity s = { .two_four = true };
	float w[OUTPUTS * TAPS], bias[OUTPUTS];
	size_t n = TAPS + 1;
	double signal;
	struct fit f;

	memset(p->m.own, 0, n * n * sizeof(double));
	for (unsigned int r = 0; r < FEW; r++)
		for (unsigned int i = 0; i < n; i++)
			matrix_axpy(p->x[r][i] / FEW, p->x[r], p->m.own + i * n, n);
	memcpy(p->m.cross, p->m.own, n * n * sizeof(double));
	p->m.rows = FEW;
	if (shrunk)
		moments_shrink(&p->m);
	assert_int_equal(fit_init(&p->layer, &p->m, p->w, p->bias, NULL, p->w, 0.01, &f), 0);
	assert_int_equal(fit_prune(&f, &s), 0);
	fit_store(&f, w, bias);
	fit_free(&f);
	return measure(p, w, bias, &signal);
}

/* Fewer rows than inputs: what they seem to say about which inputs go together costs other rows dear. */
static void test_shrink(void **unused)
{
	double plain = 0, shrunk = 0;

	(void)unused;
	for (unsigned int trial = 0; trial < 20; trial++) {
		struct problem p;
		double mean[TAPS + 1], square[TAPS + 1];

		/* Inputs that have nothing to do with each other. */
		make(&p);
		for (unsigned int r = 0; r < ROWS; r++)
			for (unsigned int i = 0; i < TAPS; i++)
				p.x[r][i] = draw() + 0.3;
		plain += lost_from_few(&p, false);
		for (unsigned int i = 0; i <= TAPS; i++) {
			mean[i] = p.m.own[TAPS * (TAPS + 1) + i];
			square[i] = p.m.own[i * (TAPS + 1) + i];
		}
		shrunk += lost_from_few(&p, true);
		/* Means and squares are still what they were. */
		for (unsigned int i = 0; i <= TAPS; i++) {
			assert_true(p.m.own[TAPS * (TAPS + 1) + i] == mean[i]);
			assert_true(p.m.own[i * (TAPS + 1) + i] == square[i]);
		}
		moments_free(&p.m);
	}
	print_message("from %u rows: %g lost, shrunk %g\n", FEW, plain, shrunk);
	assert_true(shrunk < 0.9 * plain);
}

static void test_share(void **unused)
{
	const struct sparsity s = { .share = 0.75 };
	unsigned int zeros = 0;
	struct problem p;
	struct fit f;
	double lost;

	(void)unused;
	make(&p);
	assert_int_equal(fit_init(&p.layer, &p.m, p.w, p.bias, NULL, p.w, 1e-6, &f), 0);
	assert_int_equal(fit_prune(&f, &s), 0);
	for (unsigned int i = 0; i < OUTPUTS * f.n; i++)
		zeros += f.w[i] == 0;
	assert_int_equal(zeros, OUTPUTS * TAPS * 3 / 4);
	check_error(&p, &f, &lost);
	fit_free(&f);
	moments_free(&p.m);
}

/* Every output's largest is 127 times its scale, and all are whole multiples, of few kinds. */
static void test_cluster(void **unused)
{
	struct problem p;
	struct fit f;
	double lost;
	bool seen[255];

	(void)unused;
	for (unsigned int clusters = CLUSTERS_LEAST; clusters <= 32; clusters += 7) {
		unsigned int count = 0;

		make(&p);
		memset(seen, 0, sizeof(seen));
		assert_int_equal(fit_init(&p.layer, &p.m, p.w, p.bias, NULL, p.w, 1e-6, &f), 0);
		assert_int_equal(fit_cluster(&f, clusters, false), 0);
		for (unsigned int o = 0; o < OUTPUTS; o++) {
			const double *w = f.w + o * f.n;
			double most = 0;

			for (unsigned int i = 0; i < TAPS; i++)
				most = fmax(most, fabs(w[i]));
			for (unsigned int i = 0; i < TAPS; i++) {
				double level = w[i] / most * 127;

				assert_true(fabs(level - round(level)) < 1e-6);
				seen[(int)round(level) + 127] = true;
			}
		}
		for (unsigned int i = 0; i < 255; i++)
			count += seen[i];
		assert_in_range(count, 2, clusters);
		check_error(&p, &f, &lost);
		fit_free(&f);
		moments_free(&p.m);
	}
}

/* What a layer sees at a position: padding, stride and dilation. */
static void test_rows(void **unused)
{
	const struct layer l = { .taps = 2 * 3 * 2, .ic = 2, .rows = 2 * 2 * 2, .in_h = 4, .in_w = 5,
				 .in_c = 2, .out_h = 2, .out_w = 2, .h = 2, .w = 3, .stride_y = 2,
				 .stride_x = 3, .dilation_y = 2, .dilation_x = 1, .pad_y = 1, .pad_x = 1 };
	float data[2 * 4 * 5 * 2], row[12];

	(void)unused;
	for (unsigned int i = 0; i < 80; i++)
		data[i] = (float)i + 1;
	/* Batch 1, row 1, column 0: rows 1 and 3, columns -1 to 1. */
	layer_row(&l, data, 4 + 2, row);
	for (unsigned int i = 0; i < 12; i++) {
		unsigned int y = i / 6 ? 3 : 1, x = i / 2 % 3;
		float want = x ? data[40 + (y * 5 + x - 1) * 2 + i % 2] : 0;

		assert_true(row[i] == want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_factor), cmocka_unit_test(test_two_four),
		cmocka_unit_test(test_share), cmocka_unit_test(test_cluster),
		cmocka_unit_test(test_rows), cmocka_unit_test(test_shrink),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
