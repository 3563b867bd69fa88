/* SPDX-License-Identifier: MIT */
/* The reference engine: where elements come from and go to, DMA, and operations that make no sense. */
#include <stdlib.h>

#include "sim/ref_fm.h"
#include "tests/ref_run.h"

/* --- Layout. --- */

/* Stored sizes and strides of the operation's h, w, c (2 x 3 x 4) in each transposed OFM. */
static const struct {
	unsigned int code;
	unsigned int sizes[3];
	unsigned int stride_h, stride_w, stride_c;
} transposes[] = {
	{ NPU_TRANSPOSE_HWC, { 2, 3, 4 }, 12, 4, 1 }, { NPU_TRANSPOSE_WHC, { 3, 2, 4 }, 4, 8, 1 },
	{ NPU_TRANSPOSE_HCW, { 2, 4, 3 }, 12, 1, 3 }, { NPU_TRANSPOSE_WCH, { 3, 4, 2 }, 1, 8, 2 },
	{ NPU_TRANSPOSE_CHW, { 4, 2, 3 }, 3, 1, 6 },  { NPU_TRANSPOSE_CWH, { 4, 3, 2 }, 1, 2, 6 },
};

static void test_transpose_reverse(void **state)
{
	(void)state;
	for (uint8_t i = 0; i < 24; i++)
		memory[IN][i] = i;
	for (size_t t = 0; t < sizeof(transposes) / sizeof(*transposes); t++) {
		const unsigned int *s = transposes[t].sizes;
		struct npu_op op = new_op(NPU_KIND_POOL, NPU_POOL_SUM, fm(IN, 2, 3, 4, 0, true),
					  fm(OUT, s[0], s[1], s[2], 0, true));

		op.oh = 2;
		op.ow = 3;
		op.oc = 4;
		op.transpose = (uint8_t)transposes[t].code;
		assert_int_equal(run(&op), 0);
		for (unsigned int i = 0; i < 24; i++)
			assert_int_equal(memory[OUT][i / 12 * transposes[t].stride_h +
						     i / 4 % 3 * transposes[t].stride_w +
						     i % 4 * transposes[t].stride_c], i);
	}
	for (unsigned int axis = NPU_REVERSE_H; axis <= NPU_REVERSE_C; axis++) {
		struct npu_op op = new_op(NPU_KIND_POOL, NPU_POOL_SUM, fm(IN, 2, 3, 4, 0, true),
					  fm(OUT, 2, 3, 4, 0, true));
		unsigned int first[] = { 0, 12, 8, 3 };

		op.reverse = (uint8_t)axis;
		assert_int_equal(run(&op), 0);
		assert_int_equal(memory[OUT][0], first[axis]);
		assert_int_equal(memory[OUT][23], 23 - first[axis]);
	}
}

static void test_bricks_and_tiles(void **state)
{
	/* 3 x 3 x 17, 16 bit: bricks of 32 bytes a column, tiles split after row 1 (left), 2 (right). */
	struct npu_fm brick = {
		.base = { 0, 1000, 2000, 3000 }, .stride_y = 200, .stride_c = 100, .width0 = 2,
		.height0 = 1, .height1 = 2, .height = 3, .width = 3, .depth = 17, .space = IN,
		.elem_log2 = 1, .is_signed = 1, .brick = 1,
	};

	(void)state;
	assert_int_equal(ref_fm_address(&brick, 0, 0, 0), 0);
	assert_int_equal(ref_fm_address(&brick, 0, 1, 15), 32 + 30);
	assert_int_equal(ref_fm_address(&brick, 0, 1, 16), 100 + 32);
	assert_int_equal(ref_fm_address(&brick, 1, 1, 16), 2000 + 100 + 32);
	assert_int_equal(ref_fm_address(&brick, 2, 0, 1), 2000 + 200 + 2);
	assert_int_equal(ref_fm_address(&brick, 1, 2, 3), 1000 + 200 + 6);
	assert_int_equal(ref_fm_address(&brick, 2, 2, 3), 3000 + 6);
	brick.brick = 0;
	brick.stride_x = -40;	/* mirrored */
	assert_int_equal(ref_fm_address(&brick, 0, 1, 16), -40 + 32);
}

static void test_out_of_map(void **state)
{
	struct npu_op op = new_op(NPU_KIND_POOL, NPU_POOL_SUM, fm(IN, 1, 1, 8, 0, true),
				  fm(OUT, 1, 1, 8, 0, true));

	(void)state;
	assert_int_equal(run_limited(&op, 8, 0), 0);
	assert_int_equal(run_limited(&op, 7, 0), -EIO);
	op.ofm.base[0] = -1;
	assert_int_equal(run(&op), -EIO);
	op.ofm.base[0] = INT64_MAX;
	op.ofm.stride_x = INT64_MAX;
	assert_int_equal(run(&op), -EIO);
	/* Told to stop: nothing is written, and that is no error. */
	op = new_op(NPU_KIND_POOL, NPU_POOL_SUM, fm(IN, 1, 1, 8, 0, true), fm(OUT, 1, 1, 8, 0, true));
	assert_int_equal(run_limited(&op, MEM, 1), 0);
	assert_int_equal(memory[OUT][0], 0xee);
}

/* --- RESIZE and DMA. --- */

static void test_resize(void **state)
{
	struct npu_op op = new_op(NPU_KIND_RESIZE, NPU_RESIZE_BILINEAR, fm(IN, 1, 2, 1, 0, true),
				  fm(OUT, 1, 4, 1, 0, true));

	(void)state;
	PUT8(IN, -10, 31);
	/* x2, half-pixel centres: n = 4, step 2, offset -1: positions -1/4, 1/4, 3/4, 5/4. */
	op.resize_n_x = 4;
	op.resize_step_x = 2;
	op.resize_off_x = -1;
	op.ofm_scale = (struct npu_scale){ .scale = 1, .shift = 16 + 2, .round = NPU_ROUND_SYMMETRIC };
	RUN8(op, -10, 0, 21, 31);	/* 0.25, 20.75 */
	op.mode = NPU_RESIZE_NEAREST;
	op.ofm_scale.shift = 16;
	RUN8(op, -10, -10, 31, 31);
	/* Ties go up: positions 0, 1/2. */
	op = new_op(NPU_KIND_RESIZE, NPU_RESIZE_NEAREST, fm(IN, 1, 2, 1, 0, true), fm(OUT, 1, 3, 1, 0, true));
	op.resize_n_x = 2;
	op.resize_step_x = 1;
	op.ofm_scale = (struct npu_scale){ .scale = 1, .shift = 16, .round = NPU_ROUND_SYMMETRIC };
	RUN8(op, -10, 31, 31);
	op.mode = NPU_RESIZE_REPLICATE;
	RUN8(op, -10, -10, 31);
}

static void test_dma(void **state)
{
	struct npu_op op = new_op(NPU_KIND_DMA, 0, fm(IN, 1, 1, 1, 0, true), fm(OUT, 1, 1, 1, 0, true));
	int32_t rows[] = { 2, 0 };

	(void)state;
	PUT8(IN, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
	op.dma_src_space = IN;
	op.dma_dst_space = OUT;
	op.dma_len = 5;
	RUN8(op, 1, 2, 3, 4, 5);

	/* Two planes of two rows of two bytes, spread out at the destination. */
	memset(memory[OUT], 0, MEM);
	op.dma_len = 2;
	op.dma_rows = op.dma_planes = 2;
	op.dma_src_step[0] = 2;
	op.dma_src_step[1] = 6;
	op.dma_dst_step[0] = 3;
	op.dma_dst_step[1] = 7;
	memory[OUT][12] = 0xee;
	RUN8(op, 1, 2, 0, 3, 4, 0, 0, 7, 8, 0, 9, 10);

	/* Gather, then scatter. */
	put32(IN2, rows, 2);
	op.dma_planes = 1;
	op.dma_idx_space = IN2;
	op.dma_idx_max = 2;
	op.dma_src_indexed = 1;
	op.dma_dst_step[0] = 2;
	memset(memory[OUT], 0xee, MEM);
	RUN8(op, 5, 6, 1, 2);
	op.dma_src_indexed = 0;
	op.dma_dst_indexed = 1;
	memset(memory[OUT], 0, 6);
	RUN8(op, 3, 4, 0, 0, 1, 2);
	op.dma_idx_max = 1;
	assert_int_equal(run(&op), -EIO);
	op.dma_idx_max = 2;
	rows[0] = -1;
	put32(IN2, rows, 2);
	assert_int_equal(run(&op), -EIO);

	/* Overlap: as if read before written. Then too long. */
	op = new_op(NPU_KIND_DMA, 0, op.a, op.ofm);
	PUT8(OUT, 1, 2, 3, 4);
	op.dma_src_space = op.dma_dst_space = OUT;
	op.dma_dst = 1;
	op.dma_len = 4;
	RUN8(op, 1, 1, 2, 3, 4);
	op.dma_len = UINT64_MAX;
	assert_int_equal(run(&op), -EIO);
}

/* --- Whatever a decoder may hand on ends, in memory. --- */

static void random_fm(struct npu_fm *f)
{
	bool near = random64() % 4;

	*f = fm(random64() % NPU_SPACES, (uint32_t)(random64() % 5), (uint32_t)(random64() % 5),
		(uint32_t)(random64() % 20), random64() % 4, random64() & 1);
	for (int i = 0; i < 4; i++)
		f->base[i] = (int64_t)(random64() >> (near ? 53 : 24));
	if (!near)
		f->stride_y = (int64_t)(random64() & 0xffffffffff) - (INT64_C(1) << 39);
	f->brick = random64() & 1;
	f->broadcast = random64() & 15;
	f->zero_point = (int16_t)random64();
}

static void random_op(struct npu_op *op)
{
	struct npu_fm a, ofm;
	struct npu_scale *scales[] = { &op->a_scale, &op->b_scale, &op->ofm_scale };

	random_fm(&a);
	random_fm(&ofm);
	*op = new_op(random64() % NPU_KIND_COUNT, random64() % 43, a, ofm);
	random_fm(&op->b);
	for (int i = 0; i < 3; i++)
		*scales[i] = (struct npu_scale){ .scale = (uint32_t)random64(), .shift = random64() & 63,
						 .round = random64() % 6, .dbl = random64() & 31 };
	op->lut = random64() % 11;
	op->lut_offset = random64() % 8192;
	op->round = random64() % 6;
	op->per_channel = random64() & 1;
	op->hw_divide = random64() & 1;
	op->clamp = random64() & 1;
	op->act_min = (int16_t)random64();
	op->act_max = (int16_t)random64();
	op->scalar = (int32_t)random64();
	op->kernel_h = 1 + random64() % 4;
	op->kernel_w = 1 + random64() % 4;
	op->stride_y = 1 + random64() % 3;
	op->dilation_x = 1 + random64() % 2;
	op->pad_top = random64() & 127;
	op->pad_bottom = random64() & 255;
	op->upscale = random64() % 3;
	op->transpose = random64() & 7;
	op->reverse = random64() & 3;
	op->weight_len[0] = (uint32_t)(random64() >> (32 + random64() % 32));
	op->resize_n_y = 1 + random64() % 2048;
	op->resize_step_x = (uint32_t)(random64() & 0xffff);
	op->resize_off_x = (int32_t)(random64() % 4096) - 2048;
	op->dma_len = random64() >> (random64() % 64);
	op->dma_src = random64() >> (24 + random64() % 40);
	op->dma_rows = random64() % 5;
	op->dma_src_step[0] = (int64_t)random64() >> 24;
	op->dma_src_indexed = random64() & 1;
	op->dma_idx = random64() >> (24 + random64() % 40);
	op->dma_idx_max = (uint32_t)random64() >> 1;
}

static void test_hostile(void **state)
{
	static const struct npu_bias biases[20] = { { INT64_MIN, UINT32_MAX, 63 }, { INT64_MAX, 1, 0 } };
	static int16_t weights[20 * 16 * 20];
	struct npu_op op;
	unsigned int ran = 0;

	(void)state;
	mock_weights = weights;
	mock_biases = biases;
	for (size_t i = 0; i < sizeof(weights) / sizeof(*weights); i++)
		weights[i] = (int16_t)random64();
	for (int i = 0; i < 30000; i++) {
		int err;

		random_op(&op);
		for (int k = 0; k < NPU_SPACES; k++)
			memory[k][random64() % MEM] = (uint8_t)random64();
		err = run(&op);
		assert_true(!err || err == -EIO || err == -ENOMEM);
		ran += !err;
	}
	assert_true(ran > 3000);	/* not all of them refused */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_transpose_reverse),
		cmocka_unit_test(test_bricks_and_tiles),
		cmocka_unit_test(test_out_of_map),
		cmocka_unit_test(test_resize),
		cmocka_unit_test(test_dma),
		cmocka_unit_test(test_hostile),
	};

	config = npu_config_find("u85-256");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
