/* SPDX-License-Identifier: MIT */
/* The command stream decoder: the operations that streams mean, written by hand. */
#include "tests/decode_words.h"

static void is_fm(const struct npu_fm *fm, unsigned int space, uint32_t height, uint32_t width,
		  uint32_t depth)
{
	assert_int_equal(fm->space, space);
	assert_int_equal(fm->height, height);
	assert_int_equal(fm->width, width);
	assert_int_equal(fm->depth, depth);
}

static void is_scale(const struct npu_scale *s, uint32_t scale, unsigned int shift,
		     unsigned int dbl)
{
	assert_int_equal(s->scale, scale);
	assert_int_equal(s->shift, shift);
	assert_int_equal(s->dbl, dbl);
}

/*
 * Kernel 3 x 3, dilated 2 in x (so 5 wide), strides 2 and 4 in y: rows (4-1)*4+3-1-2 = 12, columns
 * (4-1)*2+5-2-1 = 8. Two cores, each with streams of its own.
 */
static void conv(void **state)
{
	static const uint32_t words[] = {
		W1(0x123, 1),
		IFM(12, 8, 16, 0x100),
		OFM(4, 4, 32, 0x200),
		W1(0x105, 0x0041),
		W1(0x109, 0xfffb),
		W1(0x114, 0x8041),
		W1(0x118, 7),
		W2(0x006, 0, 128),
		W2(0x005, 0x00, 0x80),
		W2(0x015, 0xff, 0xffffff00),
		W1(0x120, 4),
		W1(0x121, 2),
		W1(0x122, 0x20f),
		W1(0x100, 1),
		W1(0x101, 2),
		W1(0x102, 1),
		W1(0x103, 2),
		W1(0x117, 15),
		W1(0x124, 1),
		W1(0x128, 3),
		W1(0x129, 4),
		W2(0x020, 1, 0x10),
		W2(0x021, 0, 0x50),
		W2(0x022, 0, 0x60),
		W2(0x023, 0, 0xa0),
		W2(0x090, 0, 0x70),
		W2(0x091, 0, 0x80),
		W2(0x092, 0, 0x90),
		W2(0x093, 0, 0xb0),
		W1(0x126, 0xff80),
		W1(0x127, 0x7f),
		W1(0x002, 0),
		STOP,
	};
	struct npu_program p = decode_good("u65-512", words, COUNT(words), 1);
	const struct npu_op *op = &p.ops[0];

	(void)state;
	assert_int_equal(op->kind, NPU_KIND_CONV);
	assert_int_equal(op->offset, 4 * (COUNT(words) - 2));
	is_fm(&op->a, 1, 12, 8, 16);
	assert_int_equal(op->a.zero_point, -5);
	assert_int_equal(op->a.brick, 1);
	assert_int_equal(op->a.is_signed, 1);
	assert_int_equal(op->a.elem_log2, 0);
	assert_int_equal(op->a.base[0], 0x100);
	assert_int_equal(op->a.stride_y, 0x80);
	assert_int_equal(op->a.stride_c, 128);
	is_fm(&op->ofm, 2, 4, 4, 32);
	assert_int_equal(op->ofm.zero_point, 7);
	assert_int_equal(op->ofm.brick, 1);
	assert_true(op->ofm.stride_y == -256);
	assert_int_equal(op->kernel_h, 3);
	assert_int_equal(op->kernel_w, 3);
	assert_int_equal(op->stride_y, 4);
	assert_int_equal(op->stride_x, 2);
	assert_int_equal(op->dilation_y, 1);
	assert_int_equal(op->dilation_x, 2);
	assert_int_equal(op->part_kernel, 1);
	assert_int_equal(op->decompose4x4, 0);
	assert_int_equal(op->pad_top, 1);
	assert_int_equal(op->pad_left, 2);
	assert_int_equal(op->pad_right, 1);
	assert_int_equal(op->pad_bottom, 2);
	assert_int_equal(op->per_channel, 1);
	assert_int_equal(op->acc48, 1);
	assert_int_equal(op->round, NPU_ROUND_NATURAL);
	assert_int_equal(op->ofm_block_depth, 16);
	assert_int_equal(op->cores, 2);
	assert_int_equal(op->weight_space, 3);
	assert_int_equal(op->scale_space, 4);
	assert_true(op->weight_base[0] == 0x100000010);
	assert_int_equal(op->weight_len[0], 0x50);
	assert_int_equal(op->weight_base[1], 0x70);
	assert_int_equal(op->weight_len[1], 0x80);
	assert_int_equal(op->scale_base[0], 0x60);
	assert_int_equal(op->scale_len[0], 0xa0);
	assert_int_equal(op->scale_base[1], 0x90);
	assert_int_equal(op->scale_len[1], 0xb0);
	assert_int_equal(op->clamp, 1);
	assert_int_equal(op->act_min, -128);
	assert_int_equal(op->act_max, 127);
	npu_program_free(&p);
}

/* An upscaled IFM is half as large, rounded up: (5-1)*1+2-0 = 6 -> 3; with 3 taps, 7 -> 4. */
static void upscaled(void **state)
{
	static const uint32_t words[] = {
		IFM(3, 4, 8, 0), OFM(5, 5, 8, 0), W1(0x107, 2), W1(0x120, 2),
		W1(0x121, 1),	 W1(0x122, 0),	  W1(0x003, 0), STOP,
	};
	struct npu_program p = decode_good("u55-128", words, COUNT(words), 1);

	(void)state;
	assert_int_equal(p.ops[0].kind, NPU_KIND_DEPTHWISE);
	assert_int_equal(p.ops[0].upscale, NPU_UPSCALE_ZEROS);
	is_fm(&p.ops[0].a, 1, 3, 4, 8);
	assert_int_equal(p.ops[0].cores, 1);
	npu_program_free(&p);
}

/* U55, U65: divides in hardware if anything is padded; U85 always. */
static void average(void **state)
{
	static const uint32_t padded[] = {
		IFM(4, 4, 8, 0), OFM(4, 4, 8, 0), W1(0x120, 2), W1(0x121, 2),
		W1(0x122, 0),	 W1(0x100, 1),	  W1(0x101, 1), W1(0x102, 1),
		W1(0x103, 1),	 W2(0x024, 0, 1), W1(0x005, 1), STOP,
	};
	static const uint32_t unpadded[] = {
		IFM(6, 6, 8, 0),
		OFM(4, 4, 8, 0),
		W1(0x114, 0x8101),
		W1(0x120, 2),
		W1(0x121, 2),
		W1(0x122, 0),
		W2(0x024, 35, 3817748709u),
		W1(0x005, 1),
		STOP,
	};
	static const uint32_t u85[] = {
		IFM(6, 6, 8, 0), OFM(4, 4, 8, 0),
		W1(0x120, 2),	 W1(0x121, 2),
		W1(0x122, 0),	 W2(0x024, 30 | 3 << 13, 1u << 30),
		W1(0x005, 1),	 STOP,
	};
	struct npu_program p = decode_good("u65-256", padded, COUNT(padded), 1);

	(void)state;
	assert_int_equal(p.ops[0].kind, NPU_KIND_POOL);
	assert_int_equal(p.ops[0].mode, NPU_POOL_AVERAGE);
	assert_int_equal(p.ops[0].hw_divide, 1);
	assert_int_equal(p.ops[0].per_channel, 0);
	is_fm(&p.ops[0].a, 1, 4, 4, 8);
	npu_program_free(&p);
	p = decode_good("u65-256", unpadded, COUNT(unpadded), 1);
	assert_int_equal(p.ops[0].hw_divide, 0);
	is_scale(&p.ops[0].ofm_scale, 3817748709u, 35, 0);
	assert_int_equal(p.ops[0].ofm_scale.round, NPU_ROUND_NATURAL);
	is_fm(&p.ops[0].a, 1, 6, 6, 8);
	npu_program_free(&p);
	p = decode_good("u85-256", u85, COUNT(u85), 1);
	assert_int_equal(p.ops[0].hw_divide, 1);
	is_scale(&p.ops[0].ofm_scale, 1u << 30, 30, 0);
	assert_int_equal(p.ops[0].ofm_scale.round, NPU_ROUND_SYMMETRIC);
	npu_program_free(&p);
}

/*
 * ADD of U55 and U65: OPA is the first operand, which IFM2 is if bit 6 of its broadcast says so. K
 * is 20 for 8 bits and 15 for 16; what is not scaled is moved up by K - 1: 2^30 >> (31 - K).
 */
static void add_u65(void **state)
{
	/* scale mode 0: 16 bits each, no shift */
	static const uint32_t both[] = {
		IFM(2, 3, 4, 0x10),   IFM2(2, 3, 4, 0x20),
		OFM(2, 3, 4, 0),      W2(0x025, 9, 0x7001),
		W2(0x026, 0, 0x5002), W2(0x024, 23, 0x40000000),
		W1(0x006, 1),	      STOP,
	};
	/* IFM scale mode 1: OPA_32; IFM2 first, one row of it */
	static const uint32_t first[] = {
		IFM(2, 3, 4, 0x10),
		IFM2(1, 3, 4, 0x20),
		OFM(2, 3, 4, 0),
		W1(0x105, 0x0101),
		W1(0x109, 3),
		W1(0x189, 4),
		W1(0x180, 0x41),
		W2(0x025, 13, 1623821475),
		W2(0x024, 19, 0x40000000),
		W1(0x006, 2),
		STOP,
	};
	/* OPB_32 of 16-bit data, natural rounding of the inputs, IFM2 a constant */
	static const uint32_t constant[] = {
		IFM(2, 3, 4, 0x10),
		IFM2(1, 1, 1, 0),
		OFM(2, 3, 4, 0),
		W1(0x105, 0x8205),
		W1(0x185, 0x0005),
		W1(0x189, 2),
		W1(0x180, 0x80),
		W1(0x181, 0xfff0),
		W2(0x025, 17, 12345),
		W2(0x004, 0, 8),
		W2(0x005, 0, 24),
		W1(0x006, 1),
		STOP,
	};
	struct npu_program p = decode_good("u65-256", both, COUNT(both), 1);
	const struct npu_op *op = &p.ops[0];

	(void)state;
	assert_int_equal(op->kind, NPU_KIND_ELEMENTWISE);
	assert_int_equal(op->mode, NPU_ELT_ADD);
	is_fm(&op->a, 1, 2, 3, 4);
	is_fm(&op->b, 1, 2, 3, 4);
	assert_int_equal(op->a.base[0], 0x10);
	assert_int_equal(op->b.base[0], 0x20);
	is_scale(&op->a_scale, 0x7001, 0, 0);
	is_scale(&op->b_scale, 0x5002, 0, 0);
	is_scale(&op->ofm_scale, 0x40000000, 23, 0);
	npu_program_free(&p);

	p = decode_good("u55-128", first, COUNT(first), 1);
	op = &p.ops[0];
	assert_int_equal(op->mode, NPU_ELT_SUB);
	assert_int_equal(op->a.base[0], 0x20);
	assert_int_equal(op->a.zero_point, 4);
	assert_int_equal(op->a.broadcast, NPU_BROADCAST_H);
	is_fm(&op->a, 1, 1, 3, 4);
	assert_int_equal(op->b.base[0], 0x10);
	assert_int_equal(op->b.zero_point, 3);
	assert_int_equal(op->b.broadcast, 0);
	is_fm(&op->b, 1, 2, 3, 4);
	is_scale(&op->a_scale, 1623821475, 13, 20);
	assert_int_equal(op->a_scale.round, NPU_ROUND_TFL);
	is_scale(&op->b_scale, 1u << 30, 11, 20);
	npu_program_free(&p);

	p = decode_good("u65-256", constant, COUNT(constant), 1);
	op = &p.ops[0];
	assert_int_equal(op->b.broadcast, NPU_BROADCAST_SCALAR);
	assert_int_equal(op->scalar, -16);
	assert_int_equal(op->b.zero_point, 2);
	is_scale(&op->a_scale, 1u << 30, 16, 15);
	is_scale(&op->b_scale, 12345, 17, 15);
	assert_int_equal(op->b_scale.round, NPU_ROUND_NATURAL);
	npu_program_free(&p);
}

/* MIN and MAX of U55 and U65 do not scale, whatever a former ADD left in OPA and OPB. */
static void min_max_u65(void **state)
{
	static const uint32_t words[] = {
		IFM(2, 3, 4, 0),   IFM2(2, 3, 4, 0),  OFM(2, 3, 4, 0),
		W1(0x105, 0x0101), W2(0x025, 13, 77), W2(0x026, 0, 78),
		W1(0x006, 3),	   W1(0x006, 4),      STOP,
	};
	struct npu_program p = decode_good("u55-256", words, COUNT(words), 2);

	(void)state;
	assert_int_equal(p.ops[0].mode, NPU_ELT_MIN);
	assert_int_equal(p.ops[1].mode, NPU_ELT_MAX);
	for (unsigned int i = 0; i < 2; i++) {
		is_scale(&p.ops[i].a_scale, 1, 0, 0);
		is_scale(&p.ops[i].b_scale, 1, 0, 0);
	}
	npu_program_free(&p);
}

/* U85: both inputs have a scale, dbl_rnd is K, bit 13 its rounding; the OFM's six roundings. */
static void scales_u85(void **state)
{
	static const uint8_t rounds[] = {
		NPU_ROUND_TFL,	     NPU_ROUND_NATURAL, NPU_ROUND_DOUBLE_ASYMMETRIC,
		NPU_ROUND_SYMMETRIC, NPU_ROUND_TO_ZERO, NPU_ROUND_TO_LOWER,
	};
	static const uint32_t words[] = {
		IFM(2, 3, 4, 0x10),
		IFM2(2, 1, 4, 0x20),
		OFM(2, 3, 4, 0),
		W1(0x180, 2),
		W1(0x108, 8),
		W2(0x027, 0, 0xfffffff6),
		W2(0x025, 13 | 20 << 6, 1623821475),
		W2(0x026, 11 | 20 << 6 | 1 << 13, 1u << 30),
		W2(0x024, 19, 7),
		W1(0x006, 1),
		W2(0x024, 19 | 1 << 13, 7),
		W1(0x006, 1),
		W2(0x024, 19 | 2 << 13, 7),
		W1(0x006, 1),
		W2(0x024, 19 | 3 << 13, 7),
		W1(0x006, 1),
		W2(0x024, 19 | 4 << 13, 7),
		W1(0x006, 1),
		W2(0x024, 19 | 5 << 13, 7),
		W1(0x006, 1),
		STOP,
	};
	struct npu_program p = decode_good("u85-256", words, COUNT(words), 6);
	const struct npu_op *op = &p.ops[0];

	(void)state;
	assert_int_equal(op->a.broadcast, NPU_BROADCAST_SCALAR);
	assert_int_equal(op->scalar, -10);
	assert_int_equal(op->b.broadcast, NPU_BROADCAST_W);
	is_fm(&op->b, 1, 2, 1, 4);
	is_scale(&op->a_scale, 1623821475, 13, 20);
	assert_int_equal(op->a_scale.round, NPU_ROUND_TFL);
	is_scale(&op->b_scale, 1u << 30, 11, 20);
	assert_int_equal(op->b_scale.round, NPU_ROUND_NATURAL);
	for (unsigned int i = 0; i < 6; i++) {
		assert_int_equal(p.ops[i].ofm_scale.round, rounds[i]);
		is_scale(&p.ops[i].ofm_scale, 7, 19, 0);
	}
	npu_program_free(&p);
}

/* IFM and OFM chained (bits 15:14 are 2): their REGION is the number of a buffer. */
static void chaining(void **state)
{
	static const uint32_t words[] = {
		IFM(4, 4, 8, 0x10), IFM2(4, 4, 8, 0x20), OFM(4, 4, 8, 0x30), W1(0x114, 0x8101),
		W1(0x11f, 5),	    W1(0x006, 0),	 W1(0x105, 0x8001),  W1(0x10f, 5),
		W1(0x114, 0x0101),  W1(0x11f, 2),	 W1(0x006, 1),	     STOP,
	};
	static const uint32_t empty[] = {
		IFM(4, 4, 8, 0), OFM(4, 4, 8, 0), W1(0x105, 0x8001),
		W1(0x10f, 5),	 W1(0x006, 6),	  STOP,
	};
	struct npu_program p = decode_good("u85-256", words, COUNT(words), 2);

	(void)state;
	assert_int_equal(p.chain_size, 4 * 4 * 8);
	is_fm(&p.ops[0].a, 1, 4, 4, 8);
	is_fm(&p.ops[0].ofm, NPU_SPACE_CHAIN, 4, 4, 8);
	is_fm(&p.ops[1].a, NPU_SPACE_CHAIN, 4, 4, 8);
	is_fm(&p.ops[1].b, 1, 4, 4, 8);
	is_fm(&p.ops[1].ofm, 2, 4, 4, 8);
	assert_int_equal(p.ops[1].a.base[0], p.ops[0].ofm.base[0]);
	assert_int_equal(p.ops[1].a.stride_y, 32);
	assert_int_equal(p.ops[1].a.stride_x, 8);
	npu_program_free(&p);
	p = decode("u85-256", empty, COUNT(empty));
	assert_int_equal(p.end, NPU_STOP_PARSE_ERROR);
	assert_int_equal(p.end_offset, 4 * (COUNT(empty) - 2));
	npu_program_free(&p);
}

/* The stored axes of 2 x 3 x 4 in each order; registers have the shape before. */
static void transposes(void **state)
{
	static const struct {
		unsigned int code;
		uint32_t height, width, depth;
	} orders[] = {
		{ 0, 2, 3, 4 }, { 1, 3, 2, 4 }, { 2, 2, 4, 3 },
		{ 3, 3, 4, 2 }, { 6, 4, 2, 3 }, { 7, 4, 3, 2 },
	};

	(void)state;
	for (unsigned int i = 0; i < COUNT(orders); i++) {
		const uint32_t words[] = {
			IFM(2, 3, 4, 0),
			OFM(2, 3, 4, 0),
			W1(0x114, 0x0101 | orders[i].code << 11),
			W1(0x006, 6),
			STOP,
		};
		struct npu_program p = decode_good("u85-1024", words, COUNT(words), 1);

		assert_int_equal(p.ops[0].transpose, orders[i].code);
		assert_int_equal(p.ops[0].oh, 2);
		assert_int_equal(p.ops[0].ow, 3);
		assert_int_equal(p.ops[0].oc, 4);
		is_fm(&p.ops[0].ofm, 2, orders[i].height, orders[i].width, orders[i].depth);
		npu_program_free(&p);
	}
	for (unsigned int code = 4; code < 6; code++) {
		const uint32_t words[] = {
			IFM(2, 3, 4, 0),
			OFM(2, 3, 4, 0),
			W1(0x114, 0x0101 | code << 11),
			W1(0x006, 6),
			STOP,
		};
		struct npu_program p = decode("u85-1024", words, COUNT(words));

		assert_int_equal(p.end, NPU_STOP_PARSE_ERROR);
		npu_program_free(&p);
	}
}

static void reverse(void **state)
{
	static const uint32_t words[] = {
		IFM(2, 3, 4, 0),   OFM(2, 3, 4, 0),   W1(0x114, 0x0301),
		W1(0x006, 6),	   W1(0x114, 0x0501), W1(0x006, 6),
		W1(0x114, 0x0701), W1(0x006, 6),      STOP,
	};
	struct npu_program p = decode_good("u85-128", words, COUNT(words), 3);

	(void)state;
	assert_int_equal(p.ops[0].reverse, NPU_REVERSE_H);
	assert_int_equal(p.ops[1].reverse, NPU_REVERSE_W);
	assert_int_equal(p.ops[2].reverse, NPU_REVERSE_C);
	npu_program_free(&p);
}

/* Weights from IFM2: read as [1][OFM depth][IFM depth]. */
static void matmul(void **state)
{
	static const uint32_t words[] = {
		IFM(1, 5, 16, 0), IFM2(1, 7, 16, 0x80), OFM(1, 5, 7, 0), W1(0x120, 0),
		W1(0x121, 0),	  W1(0x122, 0),		W1(0x002, 1),	 STOP,
	};
	struct npu_program p = decode_good("u85-512", words, COUNT(words), 1);

	(void)state;
	assert_int_equal(p.ops[0].kind, NPU_KIND_MATMUL);
	is_fm(&p.ops[0].a, 1, 1, 5, 16);
	is_fm(&p.ops[0].b, 1, 1, 7, 16);
	is_fm(&p.ops[0].ofm, 2, 1, 5, 7);
	npu_program_free(&p);
}

/*
 * 4 x 4 -> 8 x 8, half pixel centres: n = 4, d = 2, offset -1; the offset has 12 bits and a sign.
 */
static void resize(void **state)
{
	static const uint32_t words[] = {
		IFM(4, 4, 8, 0), OFM(8, 8, 8, 0), W1(0x120, 3),	     W1(0x121, 3),
		W1(0x12a, 3),	 W1(0x12b, 5),	  W1(0x12c, 0x0fff), W1(0x12d, 0x07ff),
		W2(0x096, 0, 2), W2(0x097, 1, 3), W1(0x007, 2),	     STOP,
	};
	struct npu_program p = decode_good("u85-256", words, COUNT(words), 1);
	const struct npu_op *op = &p.ops[0];

	(void)state;
	assert_int_equal(op->kind, NPU_KIND_RESIZE);
	assert_int_equal(op->mode, NPU_RESIZE_NEAREST);
	is_fm(&op->a, 1, 4, 4, 8);
	assert_int_equal(op->resize_n_x, 4);
	assert_int_equal(op->resize_n_y, 6);
	assert_int_equal(op->resize_off_x, -1);
	assert_int_equal(op->resize_off_y, 2047);
	assert_int_equal(op->resize_step_x, 2);
	assert_int_equal(op->resize_step_y, 9);
	npu_program_free(&p);
}

/* Tables: U55 and U65 the last 2 KiB of SHRAM, units of 256 bytes; U85 units of a table. */
static void tables(void **state)
{
	static const struct {
		const char *device;
		uint16_t ofm_precision, activation;
		uint8_t lut;
		uint32_t offset;
	} cases[] = {
		{ "u65-256", 0x0101, 17, NPU_LUT_S8_S8, 0xb900 },
		{ "u65-256", 0x0100, 18, NPU_LUT_U8_U8, 0xba00 },
		{ "u55-128", 0x0101, 16, NPU_LUT_S8_S8, 0x5800 },
		/* int32 out, clipped to int8 before the lookup */
		{ "u65-512", 0x0105, 3 << 12 | 20, NPU_LUT_S8_S32, 0xbc00 },
		{ "u55-256", 0x0103, 16, NPU_LUT_S16_S16, 0xb800 },
		{ "u65-256", 0x0103, 3, NPU_LUT_TANH_BUILTIN, 0 },
		{ "u65-256", 0x0103, 4, NPU_LUT_SIGMOID_BUILTIN, 0 },
		{ "u65-256", 0x0101, 0, NPU_LUT_NONE, 0 },
		{ "u85-256", 0x0101, 3 << 5 | 4, NPU_LUT_S8_S8, 3 * 256 },
		{ "u85-256", 0x0100, 7 << 5 | 1, NPU_LUT_U8_U8, 7 * 256 },
		{ "u85-256", 0x0103, 2 << 5 | 5, NPU_LUT_S8_S16, 2 * 512 },
		{ "u85-256", 0x0105, 1 << 5 | 7, NPU_LUT_S8_S32, 1024 },
		{ "u85-256", 0x0103, 8, NPU_LUT_S16_S16, 0 },
		{ "u85-256", 0x0105, 9, NPU_LUT_S16_S32, 0 },
		{ "u85-256", 0x0103, 10, NPU_LUT_TANH, 0 },
		{ "u85-256", 0x0103, 11, NPU_LUT_SIGMOID, 0 },
	};

	(void)state;
	for (unsigned int i = 0; i < COUNT(cases); i++) {
		const uint32_t words[] = {
			IFM(2, 3, 4, 0),
			OFM(2, 3, 4, 0),
			W1(0x114, cases[i].ofm_precision),
			W1(0x125, cases[i].activation),
			W1(0x006, 6),
			STOP,
		};
		struct npu_program p = decode_good(cases[i].device, words, COUNT(words), 1);

		assert_int_equal(p.ops[0].lut, cases[i].lut);
		assert_int_equal(p.ops[0].lut_offset, cases[i].offset);
		npu_program_free(&p);
	}
}

/* A 32-bit OFM has no zero point and no clamp; an unsigned one has unsigned bounds. */
static void activation(void **state)
{
	static const uint32_t words[] = {
		IFM(2, 3, 4, 0),   OFM(2, 3, 4, 0),   W1(0x118, 9), W1(0x126, 0x0080),
		W1(0x127, 0x80ff), W1(0x114, 0x0105), W1(0x006, 6), W1(0x114, 0x0100),
		W1(0x006, 6),	   W1(0x114, 0x0101), W1(0x006, 6), STOP,
	};
	struct npu_program p = decode_good("u65-256", words, COUNT(words), 3);

	(void)state;
	assert_int_equal(p.ops[0].ofm.zero_point, 0);
	assert_int_equal(p.ops[0].ofm.elem_log2, 2);
	assert_int_equal(p.ops[0].clamp, 0);
	assert_int_equal(p.ops[1].ofm.zero_point, 9);
	assert_int_equal(p.ops[1].clamp, 1);
	assert_int_equal(p.ops[1].act_min, 0x80);
	assert_int_equal(p.ops[1].act_max, 0x80ff);
	assert_int_equal(p.ops[2].act_max, (int16_t)0x80ff);
	npu_program_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conv),
		cmocka_unit_test(upscaled),
		cmocka_unit_test(average),
		cmocka_unit_test(add_u65),
		cmocka_unit_test(min_max_u65),
		cmocka_unit_test(scales_u85),
		cmocka_unit_test(chaining),
		cmocka_unit_test(transposes),
		cmocka_unit_test(reverse),
		cmocka_unit_test(matmul),
		cmocka_unit_test(resize),
		cmocka_unit_test(tables),
		cmocka_unit_test(activation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
