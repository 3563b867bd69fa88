/* SPDX-License-Identifier: MIT */
/*
 * Decoder: strides, upscaling, weight streams of several cores, what is scaled by what is left of
 * others.
 */
#include <stdbool.h>

#include "tests/decode_stream.h"

static void assert_extent(const struct npu_fm *fm, unsigned int height, unsigned int width,
			  unsigned int depth)
{
	assert_int_equal(fm->height, height);
	assert_int_equal(fm->width, width);
	assert_int_equal(fm->depth, depth);
}

static void assert_scale(const struct npu_scale *s, uint32_t scale, unsigned int shift,
			 unsigned int dbl)
{
	assert_int_equal(s->scale, scale);
	assert_int_equal(s->shift, shift);
	assert_int_equal(s->dbl, dbl);
}

/* 3 x 5 taps (5: 3 of them, every second), stride 2 down and 1 across, padded; OFM 8 x 9 x 20. */
static void conv_stream(struct stream *s)
{
	stream_ifm(s, 16, 9, 12, 0x100);
	stream_ofm(s, 8, 9, 20, 0x4000);
	SET(s, SET_IFM_ZERO_POINT, (uint16_t)-3);
	SET(s, SET_OFM_ZERO_POINT, 5);
	SET(s, SET_KERNEL_HEIGHT_M1, 2);
	SET(s, SET_KERNEL_WIDTH_M1, 4);
	SET(s, SET_KERNEL_STRIDE, 1 << 1 | 1 << 2 | 1 << 3);
	SET(s, SET_IFM_PAD_TOP, 1);
	SET(s, SET_IFM_PAD_LEFT, 2);
	SET(s, SET_IFM_PAD_RIGHT, 2);
	SET(s, SET_WEIGHT_REGION, 0);
	SET(s, SET_SCALE_REGION, 2);
	SET_ADDRESS(s, SET_WEIGHT_BASE, 0x1200000040);
	SET2(s, SET_WEIGHT_LENGTH, 0, 0x160);
	SET_ADDRESS(s, SET_SCALE_BASE, 0x80);
	SET2(s, SET_SCALE_LENGTH, 0, 208);
}

/* The second core's streams have registers of their own, and count only in parallel mode. */
static void conv_two_cores(void **state)
{
	(void)state;
	for (unsigned int parallel = 0; parallel < 2; parallel++) {
		struct stream s = { .count = 0 };
		struct npu_program p;

		SET(&s, SET_PARALLEL_MODE, parallel);
		conv_stream(&s);
		SET_ADDRESS(&s, SET_WEIGHT1_BASE, 0x2000);
		SET2(&s, SET_WEIGHT1_LENGTH, 0, 0x30);
		SET_ADDRESS(&s, SET_SCALE1_BASE, 0x3000);
		SET2(&s, SET_SCALE1_LENGTH, 0, 112);
		SET(&s, OP_CONV, 0);
		stream_finish(&s, "u65-512", &p);
		assert_int_equal(p.ops[0].cores, 1 + parallel);
		assert_int_equal(p.ops[0].weight_len[1], parallel ? 0x30 : 0);
		assert_int_equal(p.ops[0].scale_base[1], parallel ? 0x3000 : 0);
		assert_int_equal(p.ops[0].scale_len[1], parallel ? 112 : 0);
		npu_program_free(&p);
	}
}

/*
 * U85: rounding stands in OFM_SCALE, as many streams as cores in the standard format, one in the
 * fast one.
 */
static void conv_u85(void **state)
{
	(void)state;
	for (unsigned int fast = 0; fast < 2; fast++) {
		struct stream s = { .count = 0 };
		struct npu_program p;
		const struct npu_op *op;

		conv_stream(&s);
		SET(&s, SET_ACC_FORMAT, 4 << 8 | 1); /* microblock 2x4, 48 bits */
		SET(&s, SET_WEIGHT_FORMAT, fast | 1 << 4);
		SET2(&s, SET_OFM_SCALE, 1 << 13, 0);	 /* natural */
		SET(&s, SET_OFM_PRECISION, 1 | 3 << 11); /* WCH */
		SET(&s, SET_OFM_BLK_DEPTH_M1, 1023);
		SET_ADDRESS(&s, SET_WEIGHT3_BASE, 0x9000);
		SET2(&s, SET_WEIGHT3_LENGTH, 0, 0x50);
		SET(&s, OP_CONV, 0);
		stream_finish(&s, "u85-1024", &p);
		op = &p.ops[0];
		assert_int_equal(op->kind, NPU_KIND_CONV);
		assert_int_equal(op->cores, fast ? 1 : 4);
		assert_int_equal(op->weight_fwd, fast);
		assert_int_equal(op->weight_len[3], fast ? 0 : 0x50);
		assert_true(op->weight_sparse && op->acc48);
		assert_int_equal(op->microblock, 4);
		assert_int_equal(op->round, NPU_ROUND_NATURAL);
		assert_int_equal(op->ofm_block_depth, 1024);
		assert_int_equal(op->transpose, NPU_TRANSPOSE_WCH);
		assert_int_equal(op->oh, 8);
		assert_extent(&op->ofm, 9, 20, 8);
		npu_program_free(&p);
	}
}

/* Strides 1 to 4: the low bit and the high bit lie apart. */
static void strides(void **state)
{
	(void)state;
	for (unsigned int y = 1; y <= 4; y++)
		for (unsigned int x = 1; x <= 4; x++) {
			struct stream s = { .count = 0 };
			struct npu_program p;

			stream_ifm(&s, 1, 1, 4, 0);
			stream_ofm(&s, 5, 6, 4, 0x1000);
			SET(&s, SET_KERNEL_STRIDE,
			    ((x - 1) & 1) | ((y - 1) & 1) << 1 | ((x - 1) >> 1) << 6 |
				    ((y - 1) >> 1) << 9);
			SET(&s, OP_DEPTHWISE, 0);
			stream_finish(&s, "u55-64", &p);
			assert_int_equal(p.ops[0].kind, NPU_KIND_DEPTHWISE);
			assert_int_equal(p.ops[0].stride_y, y);
			assert_int_equal(p.ops[0].stride_x, x);
			assert_extent(&p.ops[0].a, 4 * y + 1, 5 * x + 1, 4);
			npu_program_free(&p);
		}
}

/* 2 x 2 over an IFM that is blown up twice: 7 rows and columns of it are 4 of the IFM. */
static void upscaling(void **state)
{
	struct stream s = { .count = 0 };
	struct npu_program p;

	(void)state;
	stream_ifm(&s, 4, 4, 8, 0);
	stream_ofm(&s, 6, 6, 8, 0x1000);
	SET(&s, SET_KERNEL_HEIGHT_M1, 1);
	SET(&s, SET_KERNEL_WIDTH_M1, 1);
	SET(&s, SET_IFM_UPSCALE, 1);
	SET(&s, OP_POOL, NPU_POOL_AVERAGE);
	stream_finish(&s, "u65-256", &p);
	assert_int_equal(p.ops[0].upscale, NPU_UPSCALE_NEAREST);
	assert_extent(&p.ops[0].a, 4, 4, 8);
	npu_program_free(&p);
}

/* The accumulators are loaded from IFM2: the one place where 64 bits can come in. */
static void pool_none(void **state)
{
	struct stream s = { .count = 0 };
	struct npu_program p;

	(void)state;
	stream_ifm(&s, 1, 1, 1, 0);
	stream_ifm2(&s, 4, 5, 6, 0x800);
	SET(&s, SET_IFM2_PRECISION, 1 | 3 << 2);
	stream_ofm(&s, 4, 5, 6, 0x1000);
	SET(&s, SET_ACC_FORMAT, 2 << 4);
	SET(&s, OP_POOL, NPU_POOL_NONE);
	stream_finish(&s, "u85-256", &p);
	assert_int_equal(p.ops[0].mode, NPU_POOL_NONE);
	assert_int_equal(p.ops[0].a.base[0], 0x800);
	assert_int_equal(p.ops[0].a.elem_log2, 3);
	assert_extent(&p.ops[0].a, 4, 5, 6);
	npu_program_free(&p);
}

static void add_stream(struct stream *s, unsigned int scale_mode, unsigned int precision)
{
	stream_ifm(s, 4, 5, 6, 0x100);
	SET(s, SET_IFM_PRECISION, 1 | precision << 2 | scale_mode << 8 | 2 << 14);
	SET(s, SET_IFM_ZERO_POINT, 1);
	stream_ifm2(s, 4, 5, 6, 0x200);
	SET(s, SET_IFM2_PRECISION, 1 | precision << 2);
	SET(s, SET_IFM2_ZERO_POINT, 2);
	stream_ofm(s, 4, 5, 6, 0x300);
	SET2(s, SET_OPA_SCALE, 13, 1623821475);
	SET2(s, SET_OPB_SCALE, 0, 9);
}

/*
 * OPA_SCALE stays from an ADD; a MUL after it does not care, an LRELU has its slope in OFM_SCALE.
 */
static void unscaled_u65(void **state)
{
	struct stream s = { .count = 0 };
	struct npu_program p;

	(void)state;
	add_stream(&s, 1, 0);
	SET2(&s, SET_OFM_SCALE, 30, 77);
	SET(&s, OP_ELEMENTWISE, NPU_ELT_MUL);
	SET(&s, OP_ELEMENTWISE, NPU_ELT_LRELU);
	stream_finish(&s, "u55-256", &p);
	assert_scale(&p.ops[0].a_scale, 1, 0, 0);
	assert_scale(&p.ops[0].b_scale, 1, 0, 0);
	assert_scale(&p.ops[0].ofm_scale, 77, 30, 0);
	assert_scale(&p.ops[1].a_scale, 1, 0, 0);
	assert_scale(&p.ops[1].b_scale, 77, 30, 0);
	assert_scale(&p.ops[1].ofm_scale, 1, 0, 0);
	npu_program_free(&p);
}

static void broadcast_u65(void **state)
{
	struct stream s = { .count = 0 };
	struct npu_program p;

	(void)state;
	add_stream(&s, 0, 0);
	SET(&s, SET_IFM2_BROADCAST, 1 | 4); /* H and C */
	SET(&s, OP_ELEMENTWISE, NPU_ELT_ADD);
	SET(&s, SET_IFM2_BROADCAST, 1 << 7);
	SET(&s, SET_IFM2_SCALAR, (uint16_t)-7);
	SET(&s, OP_ELEMENTWISE, NPU_ELT_ADD);
	SET(&s, SET_IFM2_PRECISION, 0);
	SET(&s, SET_IFM2_BROADCAST, 1 << 7 | 1 << 6);
	SET(&s, OP_ELEMENTWISE, NPU_ELT_ADD);
	stream_finish(&s, "u65-256", &p);
	assert_int_equal(p.ops[0].b.broadcast, NPU_BROADCAST_H | NPU_BROADCAST_C);
	assert_extent(&p.ops[0].b, 1, 5, 1);
	assert_int_equal(p.ops[1].b.broadcast, NPU_BROADCAST_SCALAR);
	assert_int_equal(p.ops[1].scalar, -7);
	assert_int_equal(p.ops[2].a.broadcast, NPU_BROADCAST_SCALAR);
	assert_int_equal(p.ops[2].scalar, 0xfff9);
	assert_int_equal(p.ops[2].b.broadcast, 0);
	npu_program_free(&p);
}

/* Negative strides, and the tiles of a map that rolls over. */
static void tiles(void **state)
{
	struct stream s = { .count = 0 };
	struct npu_program p;
	const struct npu_fm *fm;

	(void)state;
	stream_ifm(&s, 4, 5, 6, 0x100);
	stream_ofm(&s, 4, 5, 6, 0x300);
	SET(&s, SET_IFM_HEIGHT0_M1, 2);
	SET(&s, SET_IFM_HEIGHT1_M1, 1);
	SET(&s, SET_IFM_WIDTH0_M1, 3);
	SET_ADDRESS(&s, SET_IFM_BASE1, 0x1100);
	SET_ADDRESS(&s, SET_IFM_BASE2, 0x1200);
	SET_ADDRESS(&s, SET_IFM_BASE3, 0x1300);
	SET_ADDRESS(&s, SET_OFM_STRIDE_Y, -30ll);
	SET(&s, OP_POOL, NPU_POOL_MAX);
	stream_finish(&s, "u65-256", &p);
	fm = &p.ops[0].a;
	assert_int_equal(fm->height0, 3);
	assert_int_equal(fm->height1, 2);
	assert_int_equal(fm->width0, 4);
	assert_int_equal(fm->base[1], 0x1100);
	assert_int_equal(fm->base[2], 0x1200);
	assert_int_equal(fm->base[3], 0x1300);
	assert_int_equal(p.ops[0].ofm.stride_y, -30);
	npu_program_free(&p);
}

/*
 * Boundaries are -1000 and 1000 here; a clip range that is forced narrows them, whatever the OFM.
 */
static void clip_ranges(void **state)
{
	static const struct {
		const char *device;
		unsigned int activation, ofm_precision;
		int act_min, act_max;
		bool clamp;
	} cases[] = {
		{ "u65-256", 0x0000, 3, -1000, 1000, true },
		{ "u65-256", 0x0000, 5, -1000, 1000, false },
		{ "u65-256", 0x2000, 5, 0, 255, true },
		{ "u65-256", 0x3000, 5, -128, 127, true },
		{ "u65-256", 0x5000, 5, -1000, 1000, true },
		{ "u65-256", 0x0000, 2, 64536, 1000, true },
		{ "u85-256", 0x0000, 5, -1000, 1000, true },
		{ "u85-256", 0x1000, 5, -1000, 1000, false },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stream s = { .count = 0 };
		struct npu_program p;

		stream_ifm(&s, 4, 5, 6, 0x100);
		stream_ofm(&s, 4, 5, 6, 0x300);
		SET(&s, SET_OFM_PRECISION, 0x100 | cases[i].ofm_precision);
		SET(&s, SET_ACTIVATION, cases[i].activation);
		SET(&s, SET_ACTIVATION_MIN, (uint16_t)-1000);
		SET(&s, SET_ACTIVATION_MAX, 1000);
		SET(&s, OP_POOL, NPU_POOL_AVERAGE);
		stream_finish(&s, cases[i].device, &p);
		assert_int_equal(p.ops[0].lut, NPU_LUT_NONE);
		assert_int_equal(p.ops[0].clamp, cases[i].clamp);
		assert_int_equal(p.ops[0].act_min, cases[i].act_min);
		assert_int_equal(p.ops[0].act_max, cases[i].act_max);
		npu_program_free(&p);
	}
}

/* What is written to a chaining buffer later lies where the first lay, if it fits. */
static void chain_reuse(void **state)
{
	struct stream s = { .count = 0 };
	struct npu_program p;

	(void)state;
	stream_ifm(&s, 4, 5, 6, 0x100);
	stream_ofm(&s, 4, 5, 6, 0x300);
	SET(&s, SET_OFM_PRECISION, 0x8101);
	SET(&s, SET_OFM_REGION, 3);
	SET(&s, OP_ELEMENTWISE, NPU_ELT_ABS);
	SET(&s, SET_OFM_HEIGHT_M1, 2);
	SET(&s, OP_ELEMENTWISE, NPU_ELT_ABS);
	stream_finish(&s, "u85-256", &p);
	assert_true(p.ops[0].ofm.base[0] == p.ops[1].ofm.base[0]);
	assert_true(p.chain_size >= 120 && p.chain_size < 240);
	npu_program_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conv_two_cores), cmocka_unit_test(conv_u85),
		cmocka_unit_test(strides),	  cmocka_unit_test(upscaling),
		cmocka_unit_test(pool_none),	  cmocka_unit_test(unscaled_u65),
		cmocka_unit_test(broadcast_u65),  cmocka_unit_test(tiles),
		cmocka_unit_test(clip_ranges),	  cmocka_unit_test(chain_reuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
