/* SPDX-License-Identifier: MIT */
/* Elementwise and pooling operations on bytes that the fast kernels run. */
#include <limits.h>
#include <math.h>

#include "sim/cl_plan_fast.h"
#include "sim/cl_requant.h"

uint32_t npu_flip(const struct npu_fm *fm)
{
	return fm->is_signed ? 0 : 0x80;
}

bool npu_fast_map(const struct npu_fm *fm)
{
	return !fm->elem_log2 && fm->stride_x >= INT_MIN / 2 && fm->stride_x <= INT_MAX / 2;
}

static bool plain_ofm(const struct npu_op *op)
{
	const struct npu_fm *ofm = &op->ofm;

	return npu_fast_map(ofm) && op->clamp &&
	       op->transpose == NPU_TRANSPOSE_HWC && op->reverse == NPU_REVERSE_NONE &&
	       ofm->width0 >= ofm->width && ofm->height == op->oh && ofm->width == op->ow &&
	       ofm->depth == op->oc;
}

bool npu_fast_ofm(const struct npu_op *op)
{
	return plain_ofm(op) && op->lut == NPU_LUT_NONE;
}

bool npu_fast_output(const struct npu_op *op, struct npu_task *t)
{
	int32_t to_signed = op->ofm.is_signed ? 0 : 128;
	int32_t lo = op->ofm.is_signed ? -128 : 0, hi = op->ofm.is_signed ? 127 : 255;

	t->flip_out = npu_flip(&op->ofm);
	t->lo = (op->act_min > lo ? op->act_min : lo) - to_signed;
	t->hi = (op->act_max < hi ? op->act_max : hi) - to_signed;
	t->zero_point = op->ofm.zero_point - to_signed;
	t->lo4 = 0x01010101u * (uint8_t)t->lo;
	t->hi4 = 0x01010101u * (uint8_t)t->hi;
	t->flip4 = 0x01010101u * t->flip_out;
	t->zero2 = 0x00010001u * (uint16_t)t->zero_point;
	return t->lo <= t->hi && t->zero_point >= -256 && t->zero_point <= 256;
}

/* Rows of a tile that give every thread one. */
static uint32_t share_rows(const struct npu_op *op, unsigned int threads)
{
	return threads > 1 ? (op->oh + threads - 1) / threads : op->oh;
}

/* The real factor of an operand's scaling; false if the kernel does not do that form. */
static bool operand_factor(const struct npu_scale *s, double *factor)
{
	*factor = ldexp(s->scale, -(int)s->shift);
	if (s->scale == 1 && !s->shift)
		return true;
	if (s->dbl)
		return s->round == NPU_ROUND_TFL && s->dbl < 31 && s->shift >= 31 - s->dbl;
	return s->shift == 0;
}

static bool rows_dense(const struct npu_op *op, const struct npu_fm *fm)
{
	return !fm->brick && fm->stride_x == (int64_t)op->oc;
}

static bool operand_fits(const struct npu_op *op, const struct npu_fm *fm)
{
	return npu_fast_map(fm) && fm->height == op->oh && fm->width == op->ow && fm->depth == op->oc &&
	       fm->width0 >= fm->width && fm->zero_point >= -128 && fm->zero_point <= 255;
}

/*
 * The constants for fixed point numbers. Factors, sums and @c are each rounded by a 2^24th at worst: of
 * @reach twice, of it and @c together once. The conversion makes it half a unit more.
 */
static void fixed_point(struct npu_add *k, double c, double reach, double hardware)
{
	uint32_t half = (uint32_t)ceil(((reach + fabs(c) + 1) * 0x1p-22 + hardware) * 65536 + 1);

	k->band = 2 * half;
	k->fixed_c = (float)((c + 0.5) * 65536 + half);
	k->limit = 0.5f - (float)(2 * half + 2) * 0x1p-16f;
}

bool npu_plan_add(const struct npu_op *op, unsigned int threads, struct npu_blob *blob, struct npu_task *t)
{
	const struct npu_scale *s = &op->ofm_scale;
	bool scalar = op->b.broadcast & NPU_BROADCAST_SCALAR;
	int32_t fixed = op->scalar - (op->b.is_signed ? 0 : 128);
	struct npu_add *k;
	double fa, fb, out, reach, band, hardware;
	size_t at;

	if (op->kind != NPU_KIND_ELEMENTWISE || (op->mode != NPU_ELT_ADD && op->mode != NPU_ELT_SUB) ||
	    op->per_channel || !npu_fast_ofm(op) || op->a.broadcast || (op->b.broadcast && !scalar) ||
	    !operand_fits(op, &op->a) || (!scalar && !operand_fits(op, &op->b)))
		return false;
	if (!operand_factor(&op->a_scale, &fa) || !operand_factor(&op->b_scale, &fb) ||
	    (s->round != NPU_ROUND_TFL && s->round != NPU_ROUND_NATURAL) || s->dbl)
		return false;
	if (scalar && (fixed < -32768 || fixed > 32767))
		return false;
	if (!npu_fast_output(op, t))
		return false;
	at = npu_blob_add(blob, sizeof(*k));
	if (at == SIZE_MAX)
		return false;
	k = (struct npu_add *)(blob->data + at);
	out = ldexp(s->scale, -(int)s->shift);
	fa *= out;
	fb *= op->mode == NPU_ELT_SUB ? -out : out;
	k->scalar_b = scalar;
	k->value_b = fixed;
	k->flip_b = scalar ? 0 : npu_flip(&op->b);
	k->zero_a = op->a.zero_point - (op->a.is_signed ? 0 : 128);
	k->zero_b = op->b.zero_point - (op->b.is_signed ? 0 : 128);
	k->ma = (float)fa;
	k->mb = (float)fb;
	k->c = (float)-(fa * k->zero_a + fb * k->zero_b);
	/*
	 * How far the float expression can be off: five roundings of 2^-24 of at most @reach, what the
	 * hardware's own roundings of the operands and of the high product amount to.
	 */
	reach = (fabs(fa) + (scalar ? 0 : fabs(fb))) * 128 + fabs(k->c) + (scalar ? fabs(fb * fixed) : 0);
	hardware = 2 * out + (s->round == NPU_ROUND_TFL ? ldexp(1, 31 - (int)s->shift) : 0);
	band = reach * 0x1p-21 + hardware;
	k->limit = reach < 16384 && band < 0.25 ? 0.5f - (float)band : -1;
	if (k->limit > 0 && reach < 16000 && band < 0.01)
		fixed_point(k, t->zero_point - (fa * k->zero_a + fb * k->zero_b), reach, hardware);
	k->dense = rows_dense(op, &op->a) && rows_dense(op, &op->ofm) && (scalar || rows_dense(op, &op->b));
	k->bricks = op->a.brick && op->ofm.brick && (scalar || op->b.brick);
	t->panel = at;
	t->flip_in = npu_flip(&op->a);
	t->rows = share_rows(op, threads);
	t->tiles = (op->oh + t->rows - 1) / t->rows;
	t->impl = NPU_IMPL_ADD;
	return true;
}

/* A table in LUT memory that takes this OFM's kind of byte. */
static bool byte_table(const struct npu_op *op)
{
	return op->lut == NPU_LUT_NONE || (op->lut == NPU_LUT_S8_S8 && op->ofm.is_signed) ||
	       (op->lut == NPU_LUT_U8_U8 && !op->ofm.is_signed);
}

static bool unit_scale(const struct npu_scale *s)
{
	return s->scale == 1 && !s->shift;
}

/* A pooling of single elements. */
static bool single_pool(const struct npu_op *op)
{
	return op->kind == NPU_KIND_POOL && op->kernel_h == 1 && op->kernel_w == 1 && op->stride_x == 1 &&
	       op->stride_y == 1 && !op->pad_top && !op->pad_left && op->upscale == NPU_UPSCALE_NONE &&
	       (op->mode == NPU_POOL_MAX || op->mode == NPU_POOL_AVERAGE || op->mode == NPU_POOL_SUM);
}

/* MIN or MAX with a constant: the form that copies of few channels come in. */
static bool least_or_most(const struct npu_op *op)
{
	return op->kind == NPU_KIND_ELEMENTWISE && (op->mode == NPU_ELT_MIN || op->mode == NPU_ELT_MAX) &&
	       (op->b.broadcast & NPU_BROADCAST_SCALAR) && !op->a.broadcast &&
	       unit_scale(&op->a_scale) && unit_scale(&op->b_scale);
}

/* What the byte @i comes to before the zero point is added. */
static int32_t map_value(const struct npu_op *op, int i)
{
	int32_t v = (op->a.is_signed ? (int8_t)i : i) - op->a.zero_point, other;

	if (op->kind == NPU_KIND_POOL)
		return v;
	other = op->scalar - op->b.zero_point;
	return (v > other) == (op->mode == NPU_ELT_MAX) ? v : other;
}

bool npu_plan_map(const struct npu_op *op, unsigned int threads, struct npu_blob *blob, struct npu_task *t)
{
	const struct npu_scale *s = &op->ofm_scale;
	bool pool = single_pool(op);
	bool scaled = pool && !op->per_channel && !op->hw_divide && !unit_scale(s);
	struct npu_requant r = { .scale = s->scale, .shift = s->shift, .round = s->round };
	uint8_t *table;
	size_t at;

	if ((!pool && !least_or_most(op)) || !npu_fast_map(&op->a) || !plain_ofm(op) || !byte_table(op) ||
	    op->a.width0 < op->a.width || op->a.height != op->oh || op->a.width != op->ow ||
	    op->a.depth != op->oc)
		return false;
	if (scaled && s->round == NPU_ROUND_DOUBLE_ASYMMETRIC)
		return false;
	if (!npu_fast_output(op, t))
		return false;
	at = npu_blob_add(blob, 256);
	if (at == SIZE_MAX)
		return false;
	table = blob->data + at;
	r.zero_point = t->zero_point;
	r.lo = t->lo;
	r.hi = t->hi;
	for (int i = 0; i < 256; i++) {
		int32_t v = map_value(op, i);

		if (scaled) {
			v = npu_requant_exact(&r, v);
		} else {
			v += t->zero_point;
			v = v < t->lo ? t->lo : v > t->hi ? t->hi : v;
		}
		table[i] = (uint8_t)(v ^ (int32_t)t->flip_out);
	}
	t->panel = at;
	t->rows = share_rows(op, threads);
	t->tiles = (op->oh + t->rows - 1) / t->rows;
	t->impl = NPU_IMPL_MAP;
	return true;
}

bool npu_plan_pool(const struct npu_op *op, unsigned int threads, struct npu_task *t)
{
	const struct npu_scale *s = &op->ofm_scale;
	uint64_t taps = (uint64_t)op->kernel_h * op->kernel_w;

	if (op->kind != NPU_KIND_POOL || !npu_fast_map(&op->a) || !npu_fast_ofm(op) ||
	    op->upscale != NPU_UPSCALE_NONE || op->a.depth != op->oc || op->a.width0 < op->a.width ||
	    op->dilation_x != 1 || op->dilation_y != 1)
		return false;
	if (op->mode != NPU_POOL_MAX && op->mode != NPU_POOL_AVERAGE && op->mode != NPU_POOL_SUM)
		return false;
	/* MAX over nothing and division by nothing are the generic code's business. */
	if ((op->hw_divide || op->mode == NPU_POOL_MAX) &&
	    (op->pad_top >= op->kernel_h || op->pad_left >= op->kernel_w ||
	     (op->oh - 1ull) * op->stride_y >= op->a.height + (uint64_t)op->pad_top ||
	     (op->ow - 1ull) * op->stride_x >= op->a.width + (uint64_t)op->pad_left))
		return false;
	if (!op->hw_divide && !op->per_channel && s->round != NPU_ROUND_TFL && s->round != NPU_ROUND_NATURAL &&
	    s->round != NPU_ROUND_SYMMETRIC)
		return false;
	if (taps > 65536 || !npu_fast_output(op, t))
		return false;
	t->flip_in = npu_flip(&op->a);
	t->rows = share_rows(op, threads);
	t->tiles = (op->oh + t->rows - 1) / t->rows;
	t->impl = NPU_IMPL_POOL;
	return true;
}

/* A 32-bit operand, whole or broadcast, that does not split in columns. */
static bool word_operand(const struct npu_fm *fm)
{
	return fm->elem_log2 == 2 && !fm->zero_point && fm->width0 >= fm->width &&
	       !(fm->broadcast & NPU_BROADCAST_SCALAR) && fm->stride_x >= INT_MIN / 2 &&
	       fm->stride_x <= INT_MAX / 2;
}

bool npu_plan_word(const struct npu_op *op, struct npu_task *t)
{
	const struct npu_fm *ofm = &op->ofm;
	const struct npu_scale *s = &op->ofm_scale;
	bool scalar_b = op->b.broadcast & NPU_BROADCAST_SCALAR;

	if (op->kind != NPU_KIND_ELEMENTWISE || op->lut != NPU_LUT_NONE || op->per_channel ||
	    !word_operand(&op->a) || op->transpose != NPU_TRANSPOSE_HWC || op->reverse != NPU_REVERSE_NONE ||
	    ofm->width0 < ofm->width || ofm->stride_x < INT_MIN / 2 || ofm->stride_x > INT_MAX / 2)
		return false;
	if (ofm->elem_log2 != 2 && !(ofm->elem_log2 == 0 && op->clamp && op->act_min >= -128 &&
				     op->act_max <= 255))
		return false;
	if (op->mode != NPU_ELT_CLZ && !scalar_b && !word_operand(&op->b))
		return false;
	if (scalar_b && op->b.zero_point)
		return false;
	switch (op->mode) {
	case NPU_ELT_MUL:
		if (s->round != NPU_ROUND_TFL && s->round != NPU_ROUND_NATURAL)
			return false;
		break;
	case NPU_ELT_ADD:
	case NPU_ELT_SUB:
		if (!unit_scale(&op->a_scale) || !unit_scale(&op->b_scale) || !unit_scale(s))
			return false;
		break;
	case NPU_ELT_CLZ:
	case NPU_ELT_SHL:
		break;
	case NPU_ELT_SHR:
		/* Without rounding it is the generic code's. */
		if (s->round != NPU_ROUND_NATURAL)
			return false;
		break;
	default:
		return false;
	}
	t->impl = NPU_IMPL_WORD;
	t->tiles = op->oh;
	return true;
}
