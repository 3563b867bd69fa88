/* SPDX-License-Identifier: MIT */
/*
 * The reference engine on hand-made operations: arithmetic. Expected values are worked by hand or come from a
 * second formula.
 */
#include <math.h>
#include <stdlib.h>

#include "sim/ref_arith.h"
#include "tests/ref_run.h"

/* --- Arithmetic. --- */

/* gemmlowp's two functions in the words of its definition: nudge and truncating division. */
static int32_t doubling_high_mul(int32_t a, int32_t b)
{
	int64_t ab = (int64_t)a * b;
	int64_t nudge = ab >= 0 ? 1 << 30 : 1 - (1 << 30);

	return (int32_t)((ab + nudge) / (INT64_C(1) << 31));
}

static int32_t divide_by_pot(int32_t x, int exponent)
{
	int32_t m = (int32_t)((INT64_C(1) << exponent) - 1);
	int32_t rest = x & m;
	int32_t threshold = (m >> 1) + (x < 0);

	return (x >> exponent) + (rest > threshold);
}

static void test_tfl_rounding(void **state)
{
	(void)state;
	for (int i = 0; i < 200000; i++) {
		int32_t x = (int32_t)random64() >> (random64() % 24);
		int32_t scale = (int32_t)(random64() >> 33) | 1 << 30;
		int shift = (int)(random64() % 31);

		assert_int_equal(ref_scale(x, (uint32_t)scale, 31u + (unsigned int)shift, NPU_ROUND_TFL),
				 divide_by_pot(doubling_high_mul(x, scale), shift));
		/* A shift below 31 multiplies first. */
		x >>= 16;
		shift %= 15;
		assert_int_equal(ref_scale(x, (uint32_t)scale, 31u - (unsigned int)shift, NPU_ROUND_TFL),
				 doubling_high_mul(x * (1 << shift), scale));
	}
}

struct rounding {
	int64_t value;
	unsigned int shift;
	int64_t tfl, natural, symmetric, to_zero, lower;
};

/* In TFL mode a shift below 32 has one step, halves up. */
static const struct rounding roundings[] = {
	{ 5, 1, 3, 3, 3, 2, 2 },     { -5, 1, -2, -2, -3, -2, -3 }, { 6, 2, 2, 2, 2, 1, 1 },
	{ -6, 2, -1, -1, -2, -1, -2 }, { -7, 2, -2, -2, -2, -1, -2 }, { 9, 0, 9, 9, 9, 9, 9 },
	{ -9, 0, -9, -9, -9, -9, -9 }, { 0, 63, 0, 0, 0, 0, 0 },
};

static void test_rounding_modes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(roundings) / sizeof(*roundings); i++) {
		const struct rounding *r = &roundings[i];

		assert_int_equal(ref_scale(r->value, 1, r->shift, NPU_ROUND_TFL), r->tfl);
		assert_int_equal(ref_scale(r->value, 1, r->shift, NPU_ROUND_NATURAL), r->natural);
		assert_int_equal(ref_scale(r->value, 1, r->shift, NPU_ROUND_SYMMETRIC), r->symmetric);
		assert_int_equal(ref_scale(r->value, 1, r->shift, NPU_ROUND_TO_ZERO), r->to_zero);
		assert_int_equal(ref_scale(r->value, 1, r->shift, NPU_ROUND_TO_LOWER), r->lower);
	}
	/* 3 * 2^30 >> 33 is 0.375: one rounding gives 0; two give 1.5 -> 2 -> 0.5 -> 1. */
	assert_int_equal(ref_scale(3, 1u << 30, 33, NPU_ROUND_NATURAL), 0);
	assert_int_equal(ref_scale(3, 1u << 30, 33, NPU_ROUND_TFL), 1);
	assert_int_equal(ref_scale(3, 1u << 30, 33, NPU_ROUND_DOUBLE_ASYMMETRIC), 1);
	/* -4 * 2^30 >> 33 is -0.5: away from zero, and up. */
	assert_int_equal(ref_scale(-4, 1u << 30, 33, NPU_ROUND_TFL), -1);
	assert_int_equal(ref_scale(-4, 1u << 30, 33, NPU_ROUND_DOUBLE_ASYMMETRIC), 0);
	/* Factors are unsigned: the 3x3 average of U55 and U65. */
	assert_int_equal(ref_scale(9 * 41, 3817748709u, 35, NPU_ROUND_NATURAL), 41);
	/* Nothing overflows. */
	assert_true(ref_scale(INT64_MIN, UINT32_MAX, 0, NPU_ROUND_TFL) < -(INT64_C(1) << 61));
}

static void test_input_scaling(void **state)
{
	struct npu_scale s = { .scale = 1623821475, .shift = 13, .round = NPU_ROUND_TFL, .dbl = 20 };

	(void)state;
	/* 100 * 1623821475 = 162382147500; / 2^11 = 79288157.96 -> 79288158; / 4 = 19822039.5 -> ..40 */
	assert_int_equal(ref_apply(&s, 100), 19822040);
	assert_int_equal(ref_apply(&s, -100), -19822040);
	s.round = NPU_ROUND_NATURAL;
	assert_int_equal(ref_apply(&s, 100), 19822039);
	s = (struct npu_scale){ .scale = 1u << 30, .shift = 11, .round = NPU_ROUND_TFL, .dbl = 20 };
	assert_int_equal(ref_apply(&s, -3), -3 * (1 << 19));
	s = (struct npu_scale){ .scale = 1, .shift = 0, .round = NPU_ROUND_TFL, .dbl = 15 };
	assert_int_equal(ref_apply(&s, 12345), 12345);
	s = (struct npu_scale){ .scale = 1u << 19, .shift = 0, .round = NPU_ROUND_TFL, .dbl = 0 };
	assert_int_equal(ref_apply(&s, -7), -7 * (1 << 19));
}

static void test_divide(void **state)
{
	(void)state;
	assert_int_equal(ref_divide(5, 2), 3);
	assert_int_equal(ref_divide(-5, 2), -3);
	assert_int_equal(ref_divide(7, 3), 2);
	assert_int_equal(ref_divide(-7, 3), -2);
	assert_int_equal(ref_divide(-8, 3), -3);
	assert_int_equal(ref_divide(0, 4), 0);
}

static int16_t run_table(unsigned int lut, int32_t value)
{
	struct npu_op op = new_op(NPU_KIND_POOL, NPU_POOL_SUM, fm(IN, 1, 1, 1, 2, true),
				  fm(OUT, 1, 1, 1, 1, true));
	int16_t out;

	op.lut = (uint8_t)lut;
	put32(IN, &value, 1);
	assert_int_equal(run(&op), 0);
	memcpy(&out, memory[OUT], 2);
	return out;
}

static void test_tanh_sigmoid(void **state)
{
	(void)state;
	for (int32_t v = -140000; v <= 140000; v += 37) {
		double x = v / 12288.0;

		assert_true(fabs(run_table(NPU_LUT_TANH_BUILTIN, v) - 32768.0 * tanh(x)) < 3);
		assert_true(fabs(run_table(NPU_LUT_SIGMOID_BUILTIN, v) - 32768.0 / (1 + exp(-x))) < 3);
	}
	/* Far out: tanh reaches both ends, sigmoid never quite 0 (as TFLite's does not). */
	assert_int_equal(run_table(NPU_LUT_TANH_BUILTIN, INT32_MAX), 32767);
	assert_int_equal(run_table(NPU_LUT_TANH_BUILTIN, INT32_MIN), -32767);
	assert_int_equal(run_table(NPU_LUT_SIGMOID_BUILTIN, INT32_MAX), 32767);
	assert_int_equal(run_table(NPU_LUT_SIGMOID_BUILTIN, INT32_MIN), 1);
	/* The same table in LUT memory does the same. */
	for (unsigned int i = 0; i < 512; i++) {
		uint32_t entry = ref_builtin_table(true, i);

		memcpy(memory[NPU_SPACE_INTERNAL] + 4 * i, &entry, 4);
	}
	for (int32_t v = -140000; v <= 140000; v += 1009)
		assert_int_equal(run_table(NPU_LUT_SIGMOID, v), run_table(NPU_LUT_SIGMOID_BUILTIN, v));
}

static void test_tables(void **state)
{
	struct npu_op op = new_op(NPU_KIND_POOL, NPU_POOL_SUM, fm(IN, 1, 1, 4, 0, true),
				  fm(OUT, 1, 1, 4, 0, true));
	uint32_t entry;
	int32_t v;

	(void)state;
	for (int i = 0; i < 256; i++)
		memory[NPU_SPACE_INTERNAL][512 + i] = (uint8_t)(255 - i);
	PUT8(IN, -128, -1, 0, 127);
	op.lut = NPU_LUT_S8_S8;
	op.lut_offset = 512;
	RUN8(op, -1, -128, 127, 0);
	op.a.is_signed = op.ofm.is_signed = 0;
	op.lut = NPU_LUT_U8_U8;
	RUN8(op, 127, 0, -1, -128);
	/* Falling slope -3 from base 1000, half way: 1000 - 1.5 -> -98.5 rounds up. */
	entry = (uint32_t)-3 << 16 | 1000;
	memcpy(memory[NPU_SPACE_INTERNAL] + 4 * (256 + 10), &entry, 4);
	op.lut_offset = 0;
	v = 10 * 128 + 64;
	assert_int_equal(run_table(NPU_LUT_S16_S16, v), 999);
	/* 32-bit entries by value + 128. */
	v = 77777;
	memcpy(memory[NPU_SPACE_INTERNAL] + 4 * 130, &v, 4);
	op = new_op(NPU_KIND_POOL, NPU_POOL_SUM, fm(IN, 1, 1, 1, 0, true), fm(OUT, 1, 1, 1, 2, true));
	op.lut = NPU_LUT_S8_S32;
	PUT8(IN, 2);
	assert_int_equal(run(&op), 0);
	assert_int_equal(out32(0), 77777);
	/* A table beyond the end of the memory. */
	op.lut_offset = MEM - 8;
	assert_int_equal(run(&op), -EIO);
}

/* --- Convolutions. --- */

static void test_conv(void **state)
{
	static const int16_t weights[] = { 1, 2, 3, 4, -1, 0, 0, 1 };
	static const struct npu_bias biases[] = { { 10, 1, 0 }, { -1, 1, 1 } };
	struct npu_fm ifm = fm(IN, 3, 3, 1, 0, true);
	struct npu_op op = new_op(NPU_KIND_CONV, 0, ifm, fm(OUT, 2, 2, 2, 0, true));

	(void)state;
	PUT8(IN, 1, 2, 3, 4, 5, 6, 7, 8, 9);
	mock_weights = weights;
	mock_biases = biases;
	op.kernel_h = op.kernel_w = 2;
	op.per_channel = 1;
	op.round = NPU_ROUND_NATURAL;
	/* 1+4+12+20+10; (5-1-1)/2 = 1.5 -> 2 */
	RUN8(op, 47, 2, 57, 2, 77, 2, 87, 2);

	/* Zero point 1: ten taps' weights less, the second kernel's sum is 0. OFM zero point and clamp. */
	op.a.zero_point = 1;
	op.ofm.zero_point = -5;
	op.clamp = 1;
	op.act_min = 0;
	op.act_max = 60;
	RUN8(op, 32, 0, 42, 0, 60, 0, 60, 0);

	/* Padding counts as the zero point: stride 2, pad 1 all round, no bias but one scale. */
	op.ofm.zero_point = 0;
	op.clamp = 0;
	op.per_channel = 0;
	op.stride_y = op.stride_x = 2;
	op.pad_top = op.pad_left = 1;
	/* Corner (1-1)*4; top (2-1)*3+(3-1)*4; left (4-1)*2+(7-1)*4; rest 4+10+21+32 ; second kernel */
	RUN8(op, 0, 0, 11, 2, 30, 6, 67, 4);

	/* Dilation 2: corners of the 3x3. */
	op = new_op(NPU_KIND_CONV, 0, ifm, fm(OUT, 1, 1, 2, 0, true));
	op.kernel_h = op.kernel_w = 2;
	op.dilation_y = op.dilation_x = 2;
	RUN8(op, 1 + 6 + 21 + 36, 8);

	mock_weights = NULL;	/* a stream that does not decode */
	assert_int_equal(run(&op), -EIO);
	mock_weights = weights;
	op.weight_base[0] = MEM - 8;	/* a stream outside its map */
	assert_int_equal(run(&op), -EIO);
	op.weight_base[0] = 0;
	op.oc = 65536;			/* more weights than 16 bytes can hold */
	assert_int_equal(run(&op), -EIO);
}

static void test_conv_upscale(void **state)
{
	static const int16_t weights[] = { 1, 10, 100, 1000 };
	struct npu_op op = new_op(NPU_KIND_CONV, 0, fm(IN, 1, 2, 1, 0, true), fm(OUT, 1, 3, 1, 2, true));

	(void)state;
	PUT8(IN, 5, 7);
	mock_weights = weights;
	op.kernel_h = op.kernel_w = 2;
	op.upscale = NPU_UPSCALE_NEAREST;	/* 5 5 7 7 twice */
	assert_int_equal(run(&op), 0);
	assert_int_equal(out32(0), 5555);
	assert_int_equal(out32(1), 5 + 70 + 500 + 7000);
	assert_int_equal(out32(2), 7777);
	op.upscale = NPU_UPSCALE_ZEROS;		/* 5 0 7 0 / 0 0 0 0 */
	assert_int_equal(run(&op), 0);
	assert_int_equal(out32(0), 5);
	assert_int_equal(out32(1), 70);
	assert_int_equal(out32(2), 7);
}

static void test_depthwise(void **state)
{
	static const int16_t weights[] = { 1, 2, 10, -20 };
	struct npu_op op = new_op(NPU_KIND_DEPTHWISE, 0, fm(IN, 2, 1, 2, 0, false), fm(OUT, 1, 1, 2, 1, true));

	(void)state;
	PUT8(IN, 3, 4, -1, 6);	/* unsigned: -1 is 255 */
	mock_weights = weights;
	op.kernel_h = 2;
	assert_int_equal(run(&op), 0);
	assert_int_equal((int16_t)(memory[OUT][0] | memory[OUT][1] << 8), 3 + 510);
	assert_int_equal((int16_t)(memory[OUT][2] | memory[OUT][3] << 8), 40 - 120);
}

static void test_matmul(void **state)
{
	struct npu_op op = new_op(NPU_KIND_MATMUL, 0, fm(IN, 1, 2, 3, 0, true), fm(OUT, 1, 2, 2, 0, true));

	(void)state;
	PUT8(IN, 1, 2, 3, 4, 5, 6);
	PUT8(IN2, 2, 3, 4, 0, 1, 2);
	op.b = fm(IN2, 1, 2, 3, 0, true);
	op.b.zero_point = 1;	/* 1 2 3 / -1 0 1 */
	RUN8(op, 14, 2, 32, 2);
}

/* --- Pooling. --- */

static void test_pool(void **state)
{
	struct npu_op op = new_op(NPU_KIND_POOL, NPU_POOL_MAX, fm(IN, 2, 3, 1, 0, true),
				  fm(OUT, 2, 2, 1, 0, true));

	(void)state;
	PUT8(IN, -5, -9, 3, -7, -8, 4);
	op.kernel_h = op.kernel_w = 2;
	op.pad_bottom = 1;	/* not seen by MAX */
	RUN8(op, -5, 4, -7, 4);
	op.mode = NPU_POOL_MIN;
	RUN8(op, -9, -9, -8, -8);
	op.mode = NPU_POOL_AVERAGE;
	op.hw_divide = 1;	/* -29/4, -10/4, -15/2, -4/2 */
	RUN8(op, -7, -3, -8, -2);
	op.hw_divide = 0;	/* a factor of 1/4, halves up, padding counts in the divisor */
	op.ofm_scale = (struct npu_scale){ .scale = 1, .shift = 2, .round = NPU_ROUND_NATURAL };
	RUN8(op, -7, -2, -4, -1);
	op.mode = NPU_POOL_SUM;
	op.per_channel = 1;	/* not scaled at all */
	op.a.zero_point = -10;
	RUN8(op, 11, 30, 5, 16);
	/* Whole windows in padding: the lowest value, then the clamp. */
	op = new_op(NPU_KIND_POOL, NPU_POOL_MAX, fm(IN, 1, 1, 1, 0, true), fm(OUT, 1, 2, 1, 0, true));
	op.clamp = 1;
	op.act_min = -100;
	op.act_max = 100;
	RUN8(op, -5, -100);
}

static void test_reduce(void **state)
{
	static const int32_t words[] = { 2000000000, 2000000000, -3, 4 };
	static const int64_t big = INT64_C(-5000000000);
	struct npu_op op = new_op(NPU_KIND_POOL, NPU_POOL_REDUCE_SUM, fm(IN, 1, 2, 2, 2, true),
				  fm(OUT, 1, 2, 1, 2, true));

	(void)state;
	put32(IN, words, 4);
	assert_int_equal(run(&op), 0);
	assert_int_equal(out32(0), INT32_MAX);	/* stores saturate */
	assert_int_equal(out32(1), 1);

	PUT8(IN, 4, 9, 9, 1, 4, 4);
	op = new_op(NPU_KIND_POOL, NPU_POOL_ARGMAX_X, fm(IN, 2, 3, 1, 0, true), fm(OUT, 2, 1, 1, 2, true));
	op.kernel_w = 3;
	op.ofm_scale = (struct npu_scale){ .scale = 1, .shift = 16, .round = NPU_ROUND_TO_LOWER };
	assert_int_equal(run(&op), 0);
	assert_int_equal(out32(0), 1);	/* the first of two */
	assert_int_equal(out32(1), 1);
	op = new_op(NPU_KIND_POOL, NPU_POOL_ARGMAX_Y, fm(IN, 2, 3, 1, 0, true), fm(OUT, 1, 3, 1, 2, true));
	op.kernel_h = 2;
	op.ofm_scale = (struct npu_scale){ .scale = 1, .shift = 16, .round = NPU_ROUND_TO_LOWER };
	PUT8(IN, 4, 9, 9, 5, 9, 8);
	assert_int_equal(run(&op), 0);
	assert_int_equal(out32(0), 1);
	assert_int_equal(out32(1), 0);
	assert_int_equal(out32(2), 0);

	memcpy(memory[IN], &big, 8);
	op = new_op(NPU_KIND_POOL, NPU_POOL_NONE, fm(IN, 1, 1, 1, 3, true), fm(OUT, 1, 1, 1, 2, true));
	op.ofm_scale = (struct npu_scale){ .scale = 3, .shift = 4, .round = NPU_ROUND_NATURAL };
	assert_int_equal(run(&op), 0);
	assert_int_equal(out32(0), -937500000);
}

/* --- Elementwise. --- */

struct pair {
	unsigned int mode;
	int32_t a, b, want;
};

static const struct pair pairs[] = {
	{ NPU_ELT_MUL, -1000, 3000, -3000000 }, { NPU_ELT_MUL, INT32_MIN, INT32_MIN, INT32_MAX },
	{ NPU_ELT_ADD, INT32_MAX, 1, INT32_MAX }, { NPU_ELT_SUB, 5, 9, -4 },
	{ NPU_ELT_MIN, -2, 3, -2 },		{ NPU_ELT_MAX, -2, 3, 3 },
	{ NPU_ELT_ABS, -17, 0, 17 },		{ NPU_ELT_CLZ, 1, 0, 31 },
	{ NPU_ELT_CLZ, 0, 0, 32 },		{ NPU_ELT_CLZ, -1, 0, 0 },
	{ NPU_ELT_SHL, 3, 4, 48 },		{ NPU_ELT_SHL, 1, 32, 0 },
	{ NPU_ELT_LSR, -1, 32, 0 },		{ NPU_ELT_SHL, 3, 31, INT32_MIN },
	{ NPU_ELT_SHR, -1, 77, 0 },		{ NPU_ELT_SHR, 5, 1, 3 },
	{ NPU_ELT_SHR, -5, 1, -2 },		{ NPU_ELT_SHR, -5, 0, -5 },
	{ NPU_ELT_LSR, -1, 28, 15 },		{ NPU_ELT_DIV, -7, 2, -3 },
	{ NPU_ELT_DIV, 7, -2, -3 },		{ NPU_ELT_DIV, 7, 0, 0 },
	{ NPU_ELT_DIV, INT32_MIN, -1, INT32_MAX }, { NPU_ELT_CMP_EQ, 4, 4, -1 },
	{ NPU_ELT_CMP_EQ, 4, 5, 0 },		{ NPU_ELT_CMP_NE, 4, 5, -1 },
	{ NPU_ELT_CMP_GE, 4, 4, -1 },		{ NPU_ELT_CMP_GE, 3, 4, 0 },
	{ NPU_ELT_CMP_GT, 4, 4, 0 },		{ NPU_ELT_CMP_GT, 5, 4, -1 },
	{ NPU_ELT_AND, 12, 10, 8 },		{ NPU_ELT_OR, 12, 10, 14 },
	{ NPU_ELT_XOR, 12, 10, 6 },		{ NPU_ELT_NOT, 12, 0, -13 },
	{ NPU_ELT_AND_NOT, 12, 10, 4 },		{ NPU_ELT_LRELU, 40, 0, 40 },
};

static void test_elementwise(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		struct npu_op op = new_op(NPU_KIND_ELEMENTWISE, pairs[i].mode, fm(IN, 1, 1, 1, 2, true),
					  fm(OUT, 1, 1, 1, 2, true));

		op.b = fm(IN2, 1, 1, 1, 2, true);
		put32(IN, &pairs[i].a, 1);
		put32(IN2, &pairs[i].b, 1);
		assert_int_equal(run(&op), 0);
		if (out32(0) != pairs[i].want)
			fail_msg("mode %u of %d, %d: %d, not %d", pairs[i].mode, pairs[i].a, pairs[i].b,
				 out32(0), pairs[i].want);
	}
}

static void test_elementwise_scaling(void **state)
{
	struct npu_op op = new_op(NPU_KIND_ELEMENTWISE, NPU_ELT_MUL, fm(IN, 1, 1, 1, 2, true),
				  fm(OUT, 1, 1, 1, 2, true));
	int32_t a = 3;

	(void)state;
	op.b = fm(IN2, 1, 1, 1, 2, true);
	op.b.broadcast = NPU_BROADCAST_SCALAR;
	op.b.space = 7;
	op.scalar = 1 << 30;
	/* 32 bit: the factor does not count. 3 * 2^30 / 2^31 = 1.5 -> 2. */
	op.ofm_scale = (struct npu_scale){ .scale = 1u << 30, .shift = 31, .round = NPU_ROUND_TFL };
	put32(IN, &a, 1);
	assert_int_equal(run(&op), 0);
	assert_int_equal(out32(0), 2);

	/* 8 bit: it does. 6 * 5 * 3 / 8 = 11.25 */
	op = new_op(NPU_KIND_ELEMENTWISE, NPU_ELT_MUL, fm(IN, 1, 1, 1, 0, true), fm(OUT, 1, 1, 1, 0, true));
	op.b.broadcast = NPU_BROADCAST_SCALAR;
	op.a.zero_point = -3;
	op.b.zero_point = 2;
	op.scalar = 7;
	op.ofm_scale = (struct npu_scale){ .scale = 3, .shift = 3, .round = NPU_ROUND_NATURAL };
	op.ofm.zero_point = 100;
	RUN8(op, 111);

	/* MIN scales its operands first: 100 / 4 against 30. */
	op = new_op(NPU_KIND_ELEMENTWISE, NPU_ELT_MIN, fm(IN, 1, 1, 1, 0, true), fm(OUT, 1, 1, 1, 0, true));
	op.b = op.a;
	op.b.space = IN2;
	op.a_scale = (struct npu_scale){ .scale = 1, .shift = 2, .round = NPU_ROUND_NATURAL };
	PUT8(IN, 100);
	PUT8(IN2, 30);
	RUN8(op, 25);

	/* Slope 1/4 for the negative part. */
	op = new_op(NPU_KIND_ELEMENTWISE, NPU_ELT_LRELU, fm(IN, 1, 1, 2, 0, true), fm(OUT, 1, 1, 2, 0, true));
	op.b_scale = (struct npu_scale){ .scale = 1, .shift = 2, .round = NPU_ROUND_NATURAL };
	PUT8(IN, 100, -40);
	RUN8(op, 100, -10);
}

static void test_broadcast(void **state)
{
	struct npu_op op = new_op(NPU_KIND_ELEMENTWISE, NPU_ELT_SUB, fm(IN, 1, 2, 2, 0, true),
				  fm(OUT, 2, 2, 2, 0, true));

	(void)state;
	PUT8(IN, 1, 2, 3, 4);
	PUT8(IN2, 10, 20);
	op.a.broadcast = NPU_BROADCAST_H;
	op.b = fm(IN2, 2, 1, 1, 0, true);
	op.b.broadcast = NPU_BROADCAST_W | NPU_BROADCAST_C;
	RUN8(op, -9, -8, -7, -6, -19, -18, -17, -16);
	/* The scalar as the first operand. */
	op.a.broadcast = NPU_BROADCAST_SCALAR;
	op.scalar = 50;
	RUN8(op, 40, 40, 40, 40, 30, 30, 30, 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tfl_rounding),
		cmocka_unit_test(test_rounding_modes),
		cmocka_unit_test(test_input_scaling),
		cmocka_unit_test(test_divide),
		cmocka_unit_test(test_tanh_sigmoid),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_conv),
		cmocka_unit_test(test_conv_upscale),
		cmocka_unit_test(test_depthwise),
		cmocka_unit_test(test_matmul),
		cmocka_unit_test(test_pool),
		cmocka_unit_test(test_reduce),
		cmocka_unit_test(test_elementwise),
		cmocka_unit_test(test_elementwise_scaling),
		cmocka_unit_test(test_broadcast),
	};

	config = npu_config_find("u85-256");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
