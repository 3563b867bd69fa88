/* SPDX-License-Identifier: MIT */
/* checkops: the classes of operations, each one way in which streams use the hardware. */
#include <string.h>

#include "tests/checkops_draw.h"

int64_t draw_range(const struct drawing *d, int64_t lo, int64_t hi)
{
	return rng_range(d->rng, lo, hi);
}

bool draw_one_in(const struct drawing *d, unsigned int n)
{
	return rng_one_in(d->rng, n);
}

/* A length that is often small, sometimes a power of two, sometimes neither. */
uint32_t draw_extent(const struct drawing *d, uint32_t most)
{
	switch (draw_range(d, 0, 3)) {
	case 0:
		return (uint32_t)draw_range(d, 1, most < 4 ? most : 4);
	case 1:
		return 1u << draw_range(d, 0, 31 - __builtin_clz(most));
	default:
		return (uint32_t)draw_range(d, 1, most);
	}
}

uint32_t draw_depth(const struct drawing *d, uint32_t most)
{
	return draw_one_in(d, 3) ? (uint32_t)draw_range(d, 1, (most + 15) / 16) * 16
				 : draw_extent(d, most);
}

static void type8(const struct drawing *d, struct npu_fm *fm)
{
	check_fm_type(d->rng, fm, 0, draw_one_in(d, 4) ? 0 : 1);
}

void draw_type(const struct drawing *d, struct npu_fm *fm)
{
	if (draw_one_in(d, 3))
		check_fm_type(d->rng, fm, 1, true);
	else
		type8(d, fm);
}

uint8_t draw_round(const struct drawing *d)
{
	static const uint8_t often[] = { NPU_ROUND_TFL, NPU_ROUND_NATURAL };

	return draw_one_in(d, 3) ? (uint8_t)draw_range(d, 0, NPU_ROUND_TO_LOWER)
				 : often[draw_range(d, 0, 1)];
}

/* Brings acc_bits down to out_bits, more or less. The product stays below 2^63. */
void draw_scale(const struct drawing *d, struct npu_scale *s, int acc_bits, int out_bits)
{
	int factor_bits = acc_bits > 31 ? 62 - acc_bits : 31;
	int down = acc_bits > out_bits ? acc_bits - out_bits : 0;

	s->round = draw_round(d);
	s->dbl = 0;
	if (factor_bits > 31)
		factor_bits = 31;
	if (draw_one_in(d, 5)) {
		s->scale = 1;
		s->shift = draw_one_in(d, 2) ? 0 : (uint8_t)draw_range(d, 0, 63);
		return;
	}
	s->scale = (uint32_t)draw_range(d, 1ll << (factor_bits - 1), (1ll << factor_bits) - 1);
	s->shift = (uint8_t)draw_range(d, factor_bits + down - 3, factor_bits + down + 1);
	if (draw_one_in(d, 16))
		s->shift = (uint8_t)draw_range(d, 0, 63);
}

int draw_out_bits(const struct npu_op *op)
{
	return (int)(8u << op->ofm.elem_log2) - 1;
}

void draw_clamp(const struct drawing *d)
{
	struct npu_op *op = d->op;
	int64_t bits = 8 << op->ofm.elem_log2;
	int64_t lo = op->ofm.is_signed ? -(1ll << (bits - 1)) : 0;
	int64_t hi = lo + (1ll << bits) - 1;

	op->clamp = bits < 32;
	op->act_min = (int32_t)lo;
	op->act_max = bits < 32 ? (int32_t)hi : INT32_MAX;
	if (op->clamp && draw_one_in(d, 3)) {
		op->act_min = (int32_t)draw_range(d, lo, hi);
		op->act_max = (int32_t)draw_range(d, op->act_min, hi);
	}
}

/* A table, and the output type that goes with it. */
void draw_lut(const struct drawing *d)
{
	static const struct {
		uint8_t lut, elem_log2, is_signed, in_bits;
		uint16_t bytes;
	} kinds[] = {
		{ NPU_LUT_U8_U8, 0, 0, 8, 256 },
		{ NPU_LUT_S8_S8, 0, 1, 8, 256 },
		{ NPU_LUT_S8_S16, 1, 1, 8, 512 },
		{ NPU_LUT_S8_S32, 2, 1, 8, 1024 },
		{ NPU_LUT_S16_S16, 1, 1, 16, 2048 },
		{ NPU_LUT_S16_S32, 2, 1, 16, 2048 },
		{ NPU_LUT_TANH, 1, 1, 0, 2048 },
		{ NPU_LUT_SIGMOID, 1, 1, 0, 2048 },
		{ NPU_LUT_TANH_BUILTIN, 1, 1, 0, 0 },
		{ NPU_LUT_SIGMOID_BUILTIN, 1, 1, 0, 0 },
	};
	struct npu_op *op = d->op;
	size_t k = (size_t)draw_range(d, 0, sizeof(kinds) / sizeof(kinds[0]) - 1);
	int32_t half = (1 << kinds[k].in_bits) / 2;

	check_fm_type(d->rng, &op->ofm, kinds[k].elem_log2, kinds[k].is_signed);
	op->ofm.zero_point = kinds[k].in_bits == 8 ? (int32_t)draw_range(d, -100, 27) : 0;
	op->lut = kinds[k].lut;
	if (kinds[k].bytes)
		op->lut_offset = (uint32_t)draw_range(d, 0, CHECK_LUT / kinds[k].bytes - 1) *
				 kinds[k].bytes;
	op->clamp = kinds[k].in_bits != 0;
	if (op->clamp) {
		op->act_min = kinds[k].is_signed ? -half : 0;
		op->act_max = op->act_min + 2 * half - 1;
	}
}

static const struct {
	const char *name;
	bool (*draw)(const struct drawing *d);
} classes[] = {
	{ "conv", draw_conv },
	{ "conv-common", draw_conv_common },
	{ "conv16", draw_conv16 },
	{ "dense", draw_dense },
	{ "depthwise", draw_depthwise },
	{ "matmul", draw_matmul },
	{ "pool-max", draw_pool_max },
	{ "pool-average", draw_pool_average },
	{ "pool-copy", draw_pool_copy },
	{ "transpose", draw_transpose },
	{ "reduce-sum", draw_reduce },
	{ "argmax", draw_argmax },
	{ "add", draw_add },
	{ "mul", draw_mul },
	{ "min-max", draw_minmax },
	{ "turned-copy", draw_turned_copy },
	{ "unary", draw_unary },
	{ "int32", draw_int32 },
	{ "compare", draw_compare },
	{ "bitwise", draw_bitwise },
	{ "resize", draw_resize },
	{ "dma", draw_dma },
	{ "dma-indexed", draw_dma_indexed },
	{ "dma-bad-index", draw_dma_bad_index },
};

const char *check_class_name(unsigned int number)
{
	return number < sizeof(classes) / sizeof(classes[0]) ? classes[number].name : NULL;
}

bool check_class_fails(unsigned int number)
{
	return classes[number].draw == draw_dma_bad_index;
}

bool check_draw(struct check_mem *mem, struct rng *rng, const struct npu_config *config,
		unsigned int number, struct npu_op *op)
{
	struct drawing d = { mem, rng, config, op };

	memset(op, 0, sizeof(*op));
	mem->taken_count = 0;
	if (!classes[number].draw(&d))
		return false;
	if (op->kind != NPU_KIND_DMA)
		check_fm_writable(mem, &op->ofm);
	check_mem_next(mem);
	return true;
}
