/* SPDX-License-Identifier: MIT */
/*
 * The float output stage against TFLite's arithmetic, written here from its definition: saturating rounding
 * doubling high multiply, then a rounding division by a power of two, half away from zero.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <math.h>

#include "sim/cl_requant.h"
#include "sim/op.h"

#define CHANNELS	400
#define BAND		0x1p-14f

static uint64_t state_of_random = 88172645463325252u;

static uint32_t random_bits(void)
{
	state_of_random ^= state_of_random << 13;
	state_of_random ^= state_of_random >> 7;
	state_of_random ^= state_of_random << 17;
	return (uint32_t)(state_of_random >> 16);
}

/* gemmlowp's two steps, for a right shift of 31 and more in all. */
static int32_t tflite(int32_t acc, int32_t multiplier, unsigned int shift)
{
	int64_t product = (int64_t)acc * multiplier;
	int32_t high = (int32_t)((product + (product >= 0 ? 1 << 30 : 1 - (1 << 30))) / (1ll << 31));
	unsigned int exponent = shift - 31;
	int32_t mask = (int32_t)((1ll << exponent) - 1), rest = high & mask;
	int32_t threshold = (mask >> 1) + (high < 0 ? 1 : 0);

	return (high >> exponent) + (rest > threshold ? 1 : 0);
}

static int32_t expected(const struct npu_requant *r, int32_t acc)
{
	int32_t v = tflite(acc, (int32_t)r->scale, r->shift) + r->zero_point;

	return v < r->lo ? r->lo : v > r->hi ? r->hi : v;
}

static struct npu_requant draw(unsigned int exponent, int relu)
{
	struct npu_requant r = {
		.scale = (1u << 30) + (random_bits() & ((1u << 30) - 1)),
		.shift = 31 + exponent,
		.round = NPU_ROUND_TFL,
		.zero_point = relu ? -128 : (int32_t)(random_bits() % 200) - 100,
		.lo = -128,
		.hi = 127,
		.acc_min = -(1 << 22),
		.acc_max = 1 << 22,
	};

	if (relu)
		r.center = 128;
	return r;
}

static int32_t by_float(const struct npu_requant *r, const struct npu_fit *f, int32_t acc)
{
	int32_t moved = acc + (acc == f->odd ? f->by : 0);
	float v = fmaf((float)(moved - f->base), f->m, !r->center && moved < 0 ? -f->c : f->c);
	int32_t out;

	/* What the kernels do about values that are too near to a tie. */
	if (fabsf(v - rintf(v)) > f->limit)
		return expected(r, acc);
	out = (int32_t)fminf(fmaxf(rintf(v), -32768), 32767) + r->center + r->zero_point;
	return out < r->lo ? r->lo : out > r->hi ? r->hi : out;
}

static void integers_are_tflites(void **state)
{
	(void)state;
	for (int i = 0; i < 200000; i++) {
		struct npu_requant r = draw(random_bits() % 14, 0);
		int32_t acc = (int32_t)(random_bits() % (1 << 23)) - (1 << 22);

		assert_int_equal(npu_requant_exact(&r, acc), expected(&r, acc));
	}
}

/* Every accumulator around every step, and many in between. */
static void floats_are_right(unsigned int exponent, int relu)
{
	for (int i = 0; i < CHANNELS; i++) {
		struct npu_requant r = draw(exponent, relu);
		struct npu_fit f = npu_requant_fit(&r, BAND);

		assert_true(f.limit > 0);
		for (int32_t t = -256; t <= 256; t++) {
			int32_t near = (int32_t)lrint((t + 0.5) * ldexp(1.0, (int)r.shift) / r.scale);

			for (int32_t acc = near - 3; acc <= near + 3; acc++)
				if (acc >= r.acc_min && acc <= r.acc_max)
					assert_int_equal(by_float(&r, &f, acc), expected(&r, acc));
		}
		for (int k = 0; k < 2000; k++) {
			int32_t acc = (int32_t)(random_bits() % (1 << 23)) - (1 << 22);

			assert_int_equal(by_float(&r, &f, acc), expected(&r, acc));
		}
	}
}

static void all_factors(void **state)
{
	(void)state;
	for (unsigned int exponent = 1; exponent < 14; exponent++) {
		floats_are_right(exponent, 0);
		floats_are_right(exponent, 1);
	}
}

/* A channel that training has killed: a factor of nearly nothing and a huge bias. */
static void dead_channels(void **state)
{
	struct npu_requant r = draw(30, 1);
	struct npu_fit f;

	(void)state;
	r.acc_min = (1 << 30) - 10000;
	r.acc_max = (1 << 30) + 10000;
	f = npu_requant_fit(&r, BAND);
	assert_true(f.limit > 0);
	for (int32_t acc = (1 << 30) - 10000; acc <= (1 << 30) + 10000; acc += 17)
		assert_int_equal(by_float(&r, &f, acc), expected(&r, acc));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_are_tflites),
		cmocka_unit_test(all_factors),
		cmocka_unit_test(dead_channels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
