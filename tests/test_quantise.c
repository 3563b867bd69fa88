/* SPDX-License-Identifier: MIT */
/* Tests of what the quantiser is made of: histograms, ranges, optimisers, reconstruction of layers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/quantise/histogram.h"
#include "runtime/quantise/optimiser.h"
#include "runtime/quantise/ranges.h"
#include "runtime/quantise/reconstruct.h"
#include "tests/quantise_numbers.h"

static uint64_t random_state = 88172645463325252ull;

static float uniform(void)
{
	return (float)optimiser_random(&random_state, 1u << 24) / (float)(1u << 24);
}

/* --- Histograms and ranges --- */

static uint64_t counted(const struct histogram *h)
{
	uint64_t sum = h->zeros;

	for (int i = 0; i < HISTOGRAM_BINS; i++)
		sum += h->bins[i];
	return sum;
}

/* Values that come one by one, each far outside what was there: none is lost, each is in its bin. */
static void test_histogram_grows(void **state)
{
	static const float values[] = { 0.001f, -0.002f, 1, -7, 300, 0, 299.9f, -65000, 3e6f, 1e-6f };
	struct histogram h = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		assert_true(histogram_add(&h, &values[i], 1));
		assert_int_equal(counted(&h), i + 1);
	}
	assert_int_equal(h.zeros, 1);
	assert_true(h.min == -65000 && h.max == 3e6f);
	/* The bin that holds 3e6 is where 3e6 is. */
	assert_int_equal(h.bins[(int64_t)floor(3e6 / h.width) - h.first], 1);
	assert_int_equal(h.bins[(int64_t)floor(-65000 / h.width) - h.first], 1);
	/* No wider than it must be: half the width would not do. */
	assert_true((3e6 + 65000) / (h.width / 2) > HISTOGRAM_BINS - 2);
}

static void test_histogram_refuses(void **state)
{
	const float nan[2] = { 1, NAN }, infinite[2] = { INFINITY, 1 };
	struct histogram h = { 0 };

	(void)state;
	assert_false(histogram_add(&h, nan, 2));
	assert_false(histogram_add(&h, infinite, 2));
	assert_int_equal(h.count, 0);
	assert_true(histogram_add(&h, nan, 1));
	assert_int_equal(h.count, 1);
}

static void test_quant_closed_forms(void **state)
{
	float scale;
	int32_t zero;

	(void)state;
	range_quant(0, 6, 8, &scale, &zero);
	assert_float_equal(scale, 6.0f / 255, 1e-9f);
	assert_int_equal(zero, -128);
	range_quant(-1, 1, 8, &scale, &zero);
	assert_float_equal(scale, 2.0f / 255, 1e-9f);
	/* -128 + 127.5, halves away from 0. */
	assert_true(zero == 0 || zero == -1);
	range_quant(-3, 0, 8, &scale, &zero);
	assert_int_equal(zero, 127);
	range_quant(-2, 1, 16, &scale, &zero);
	assert_float_equal(scale, 2.0f / 32767, 1e-9f);
	assert_int_equal(zero, 0);
	range_quant(0, 0, 8, &scale, &zero);
	assert_true(scale > 0 && isnormal(scale));
}

static struct histogram histogram_of(const float *v, size_t n)
{
	struct histogram h = { 0 };

	assert_true(histogram_add(&h, v, n));
	return h;
}

/* 10,000 values evenly in [0, 1) and one at 100. */
static struct histogram outlier(void)
{
	static float v[10001];

	for (int i = 0; i < 10000; i++)
		v[i] = uniform();
	v[10000] = 100;
	return histogram_of(v, 10001);
}

static void test_ranges_outlier(void **state)
{
	struct histogram h = outlier();
	float low, high;

	(void)state;
	range_find(&h, RANGE_MINMAX, 256, false, 0, &low, &high);
	assert_true(low == 0 && high == 100);
	/* 0.05 % at each end is five values: the outlier goes. */
	range_find(&h, RANGE_PERCENTILE, 256, false, 99.9, &low, &high);
	assert_true(low == 0 && high < 1.2f && high > 0.9f);
	/* Its square is 10^4; all others lose 10^4 / 12 (100 / 255)^2 = 128 at most: it stays. */
	range_find(&h, RANGE_MSE, 256, false, 0, &low, &high);
	assert_true(high > 90);
}

/*
 * A Laplace distribution in 16 levels: what is lost at a clamp of c is 2 b^2 e^(-c/b) + (2 c / 15)^2 / 12,
 * least where (4 / 15^2 / 6) c = 2 b e^(-c/b).
 */
static void test_mse_laplace(void **state)
{
	enum { COUNT = 400000 };
	float *v = malloc(COUNT * sizeof(*v)), low, high;
	struct histogram h;
	double c = 1;

	(void)state;
	assert_non_null(v);
	for (int i = 0; i < COUNT; i++) {
		double u = ((double)i + 0.5) / COUNT - 0.5;

		v[i] = (float)((u < 0 ? 1 : -1) * log(1 - 2 * fabs(u)));
	}
	h = histogram_of(v, COUNT);
	free(v);
	for (int i = 0; i < 200; i++)
		c = log(2 * 6 * 225 / (4 * c));
	/* Few values are large; 128 levels are better spent below. */
	range_find(&h, RANGE_ENTROPY, 256, true, 0, &low, &high);
	assert_true(high > 4 && high < 0.9f * h.max);
	range_find(&h, RANGE_MSE, 16, true, 0, &low, &high);
	assert_float_equal(high, c, 0.25f);
	assert_float_equal(-low, high, 1e-4f);
}

/* --- Optimisers: against NumPy --- */

static void run_optimiser(int kind, const float *want)
{
	static const float curve[4] = { 1, 0.1f, 4, 0.01f };
	const struct optimiser_options options = { .kind = kind, .rate = 0.05, .momentum = 0.9 };
	float p[4] = { 1, -2, 0.5f, 3 }, g[4];
	struct optimiser o;

	assert_int_equal(optimiser_init(&o, &options, 4), 0);
	for (int step = 0; step < 25; step++) {
		for (int i = 0; i < 4; i++)
			g[i] = curve[i] * p[i];
		optimiser_step(&o, p, g);
	}
	for (int i = 0; i < 4; i++)
		assert_float_equal(p[i], want[i], 1e-5f);
	optimiser_free(&o);
}

static void test_optimisers(void **state)
{
	(void)state;
	run_optimiser(OPTIMISER_SGD, sgd_result);
	run_optimiser(OPTIMISER_ADAM, adam_result);
}

/* --- Reconstruction --- */

static struct layer_data masked_layer(void)
{
	return (struct layer_data){
		.shape = { .outputs = 2, .taps = 6 }, .groups = 1, .rows = 64,
		.x = (float *)(uintptr_t)masked_x, .y = (float *)(uintptr_t)masked_y,
		.low = -INFINITY, .high = INFINITY,
	};
}

/* Gradient descent ends where least squares has its minimum. */
static void test_mask(void **state)
{
	const struct optimiser_options ways[] = {
		{ .kind = OPTIMISER_ADAM, .rate = 0.02, .momentum = 0.9, .batch = 64, .epochs = 4000, .seed = 1 },
		{ .kind = OPTIMISER_SGD, .rate = 0.02, .momentum = 0.9, .batch = 64, .epochs = 4000, .seed = 1 },
	};
	struct layer_data d = masked_layer();

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		float w[12];
		struct reconstruct r = { .kind = RECONSTRUCT_MASK, .w = w, .mask = masked_mask };
		struct error err;

		memcpy(w, masked_w, sizeof(w));
		assert_int_equal(reconstruct(&d, &r, &ways[k], &err), 0);
		assert_true(r.after < r.before);
		for (int i = 0; i < 12; i++)
			assert_float_equal(w[i], masked_best[i], 0.02f);
	}
}

/* Members of a cluster stay equal, whatever is learned. */
static void test_cluster(void **state)
{
	static const uint16_t cluster[12] = { 0, 1, 2, 0, 1, 2, 3, 3, 1, 0, 2, 3 };
	const struct optimiser_options options = { .kind = OPTIMISER_ADAM, .rate = 0.01, .momentum = 0.9,
						   .batch = 32, .epochs = 500, .seed = 7 };
	struct layer_data d = masked_layer();
	float w[12], again[12];
	struct reconstruct r = { .kind = RECONSTRUCT_CLUSTER, .w = w, .cluster = cluster, .clusters = 4 };
	struct error err;

	(void)state;
	memcpy(w, masked_w, sizeof(w));
	assert_int_equal(reconstruct(&d, &r, &options, &err), 0);
	assert_true(r.after < r.before);
	for (int i = 0; i < 12; i++)
		for (int k = 0; k < 12; k++)
			assert_true(cluster[i] != cluster[k] || w[i] == w[k]);
	/* The same seed, the same weights. */
	memcpy(again, w, sizeof(w));
	memcpy(w, masked_w, sizeof(w));
	assert_int_equal(reconstruct(&d, &r, &options, &err), 0);
	assert_memory_equal(w, again, sizeof(w));
}

#define ROUND_OUTPUTS	16u
#define ROUND_TAPS	96u
#define ROUND_ROWS	1024u
#define ROUND_FACTORS	24u	/* inputs are mixtures of so many, so that errors can undo each other */

/* Mean square of what integers give against the wanted outputs, behind a RELU. */
static double rounding_error(const struct layer_data *d, const int8_t *q, const float *scale)
{
	double sum = 0;

	for (size_t row = 0; row < d->rows; row++) {
		for (size_t o = 0; o < ROUND_OUTPUTS; o++) {
			double y = 0;

			for (size_t k = 0; k < ROUND_TAPS; k++)
				y += (double)d->x[row * ROUND_TAPS + k] * q[o * ROUND_TAPS + k];
			y = fmax(y * (double)scale[o], 0) - fmax((double)d->y[row * ROUND_OUTPUTS + o], 0);
			sum += y * y;
		}
	}
	return sum / (double)(d->rows * ROUND_OUTPUTS);
}

static void draw_layer(float *x, float *y, float *w)
{
	static float mix[ROUND_FACTORS][ROUND_TAPS];
	float z[ROUND_FACTORS];

	for (size_t i = 0; i < ROUND_FACTORS * ROUND_TAPS; i++)
		mix[i / ROUND_TAPS][i % ROUND_TAPS] = uniform() - 0.5f;
	for (size_t i = 0; i < ROUND_OUTPUTS * ROUND_TAPS; i++)
		w[i] = (uniform() - 0.5f) * 0.4f;
	for (size_t row = 0; row < ROUND_ROWS; row++) {
		for (size_t l = 0; l < ROUND_FACTORS; l++)
			z[l] = (uniform() - 0.5f) * 4;
		for (size_t k = 0; k < ROUND_TAPS; k++) {
			float v = (uniform() - 0.5f) * 0.3f;

			for (size_t l = 0; l < ROUND_FACTORS; l++)
				v += z[l] * mix[l][k];
			x[row * ROUND_TAPS + k] = fmaxf(v, 0);
		}
		for (size_t o = 0; o < ROUND_OUTPUTS; o++) {
			y[row * ROUND_OUTPUTS + o] = 0;
			for (size_t k = 0; k < ROUND_TAPS; k++)
				y[row * ROUND_OUTPUTS + o] += x[row * ROUND_TAPS + k] * w[o * ROUND_TAPS + k];
		}
	}
}

/* Learned rounding: half of the error at most, and each weight is next to what it was. */
static void test_round(void **state)
{
	static float x[ROUND_ROWS * ROUND_TAPS], y[ROUND_ROWS * ROUND_OUTPUTS];
	static float w[ROUND_OUTPUTS * ROUND_TAPS], first[ROUND_OUTPUTS * ROUND_TAPS];
	static int8_t q[ROUND_OUTPUTS * ROUND_TAPS];
	const struct optimiser_options ways[] = {
		{ .kind = OPTIMISER_ADAM, .rate = 0.1, .momentum = 0.9, .batch = 64, .epochs = 20, .seed = 1 },
		{ .kind = OPTIMISER_SGD, .rate = 0.01, .momentum = 0.9, .batch = 64, .epochs = 20, .seed = 1 },
	};
	struct layer_data d = { .shape = { .outputs = ROUND_OUTPUTS, .taps = ROUND_TAPS }, .groups = 1,
				.rows = ROUND_ROWS, .x = x, .y = y, .low = 0, .high = INFINITY };
	float scale[ROUND_OUTPUTS], bias[ROUND_OUTPUTS] = { 0 };
	struct error err;

	(void)state;
	draw_layer(x, y, first);
	for (size_t o = 0; o < ROUND_OUTPUTS; o++)
		scale[o] = 0.2f / 15;
	for (size_t k = 0; k < sizeof(ways) / sizeof(ways[0]); k++) {
		struct reconstruct r = { .kind = RECONSTRUCT_ROUND, .w = w, .bias = bias, .scale = scale,
					 .rounded = q };
		double nearest;

		memcpy(w, first, sizeof(w));
		for (size_t i = 0; i < sizeof(q); i++)
			q[i] = (int8_t)roundf(first[i] / scale[i / ROUND_TAPS]);
		nearest = rounding_error(&d, q, scale);
		assert_int_equal(reconstruct(&d, &r, &ways[k], &err), 0);
		assert_true(fabs(r.before - nearest) < 1e-3 * nearest);
		assert_true(fabs(r.after - rounding_error(&d, q, scale)) < 1e-3 * nearest);
		assert_true(r.after < nearest / 2);
		for (size_t i = 0; i < sizeof(q); i++)
			assert_true(w[i] == (float)q[i] * scale[i / ROUND_TAPS] &&
				    fabsf(w[i] - first[i]) <= scale[i / ROUND_TAPS]);
	}
}

/* A depthwise layer: every group for itself; what the activation hides does not count. */
static void test_groups(void **state)
{
	const struct optimiser_options options = { .kind = OPTIMISER_SGD, .rate = 0.05, .momentum = 0.9,
						   .batch = 16, .epochs = 200, .seed = 1 };
	const uint8_t mask[6] = { 1, 0, 1, 1, 1, 0 };
	float x[3 * 64 * 2], y[64 * 3], w[6] = { 1, 2, -1, 3, 0.5f, 0.25f }, bias[3] = { 0.1f, -0.2f, 0.3f };
	struct layer_data d = { .shape = { .outputs = 3, .taps = 2 }, .groups = 3, .rows = 64, .x = x,
				.y = y, .low = 0, .high = 6 };
	struct reconstruct r = { .kind = RECONSTRUCT_MASK, .w = w, .bias = bias, .mask = mask };
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(x) / sizeof(x[0]); i += 2) {
		x[i] = uniform() * 4 - 2;
		x[i + 1] = x[i];	/* so that one weight can do for both */
	}
	for (size_t row = 0; row < 64; row++)
		for (size_t o = 0; o < 3; o++)
			y[row * 3 + o] = bias[o] + w[2 * o] * x[(o * 64 + row) * 2] +
					 w[2 * o + 1] * x[(o * 64 + row) * 2 + 1];
	assert_int_equal(reconstruct(&d, &r, &options, &err), 0);
	assert_true(r.after < 1e-4 && r.before > 0.01);
	assert_float_equal(w[0], 3, 0.05f);
	assert_float_equal(w[2] + w[3], 2, 0.05f);
	assert_float_equal(w[4], 0.75f, 0.05f);
	assert_true(w[1] == 0 && w[5] == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_histogram_grows),
		cmocka_unit_test(test_histogram_refuses),
		cmocka_unit_test(test_quant_closed_forms),
		cmocka_unit_test(test_ranges_outlier),
		cmocka_unit_test(test_mse_laplace),
		cmocka_unit_test(test_optimisers),
		cmocka_unit_test(test_mask),
		cmocka_unit_test(test_cluster),
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
