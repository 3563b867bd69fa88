/* SPDX-License-Identifier: MIT */
/* checkops: drawing elementwise operations, RESIZE and DMA. */
#include <string.h>

#include "tests/checkops_draw.h"

/* Operands of an elementwise operation over (oh, ow, oc). Types are set. */
static bool draw_operands(const struct drawing *d, bool binary)
{
	struct npu_op *op = d->op;
	int scalar = binary && draw_one_in(d, 5) ? (draw_one_in(d, 3) ? 1 : 2) : 0;

	op->kind = NPU_KIND_ELEMENTWISE;
	for (int i = 0; i <= binary; i++) {
		struct npu_fm *fm = i ? &op->b : &op->a;

		fm->height = op->oh;
		fm->width = op->ow;
		fm->depth = op->oc;
		if (scalar == i + 1) {
			fm->broadcast = NPU_BROADCAST_SCALAR;
			op->scalar = (int32_t)rng_next(d->rng);
			if (fm->elem_log2 < 2)
				op->scalar >>= 32 - (8 << fm->elem_log2);
			if (!fm->is_signed)
				op->scalar &= (1 << (8 << fm->elem_log2)) - 1;
			fm->height = fm->width = fm->depth = 1;
			continue;
		}
		if (draw_one_in(d, 4)) {
			fm->broadcast = (uint8_t)draw_range(d, 1, 7);
			if (fm->broadcast & NPU_BROADCAST_H)
				fm->height = 1;
			if (fm->broadcast & NPU_BROADCAST_W)
				fm->width = 1;
			if (fm->broadcast & NPU_BROADCAST_C)
				fm->depth = 1;
		}
		if (!check_fm_draw(d->mem, d->rng, fm))
			return false;
	}
	/* Networks often write over an operand they need no more. */
	if (draw_one_in(d, 8) && !op->a.broadcast && op->a.elem_log2 == op->ofm.elem_log2) {
		int32_t zero_point = op->ofm.zero_point;
		uint8_t is_signed = op->ofm.is_signed;

		op->ofm = op->a;
		op->ofm.zero_point = zero_point;
		op->ofm.is_signed = is_signed;
		return true;
	}
	op->ofm.height = op->oh;
	op->ofm.width = op->ow;
	op->ofm.depth = op->oc;
	return check_fm_draw(d->mem, d->rng, &op->ofm);
}

static void draw_elt_types(const struct drawing *d)
{
	struct npu_op *op = d->op;

	draw_out_extent(d, draw_one_in(d, 4) ? 40 : 12, 70);
	draw_type(d, &op->a);
	check_fm_type(d->rng, &op->b, op->a.elem_log2, op->a.is_signed);
	check_fm_type(d->rng, &op->ofm, op->a.elem_log2, op->a.is_signed);
	if (draw_one_in(d, 8))
		draw_lut(d);
	else
		draw_clamp(d);
}

/* The scales that a compiler makes: both inputs to a common one with room below the point. */
static void draw_input_scales(const struct drawing *d)
{
	struct npu_op *op = d->op;
	uint8_t k = op->a.elem_log2 ? 15 : 20;
	uint8_t round = draw_one_in(d, 4) ? NPU_ROUND_NATURAL : NPU_ROUND_TFL;
	struct npu_scale one = { .scale = 1u << (k - 1), .round = round };
	struct npu_scale two = {
		.scale = (uint32_t)draw_range(d, 1 << 30, (1ll << 31) - 1),
		.shift = (uint8_t)(31 - k + draw_range(d, 0, 8)), .round = round, .dbl = k,
	};
	bool first = draw_one_in(d, 2);

	if (draw_one_in(d, 3)) {		/* 16-bit factors without shifts */
		op->a_scale = (struct npu_scale){ .scale = (uint32_t)draw_range(d, 1, 0xffff) };
		op->b_scale = (struct npu_scale){ .scale = (uint32_t)draw_range(d, 1, 0xffff) };
		return;
	}
	if (draw_one_in(d, 3))		/* U85: both explicitly */
		one = (struct npu_scale){ .scale = 1u << 30, .shift = (uint8_t)(31 - k),
					  .round = round, .dbl = k };
	op->a_scale = first ? two : one;
	op->b_scale = first ? one : two;
}

bool draw_add(const struct drawing *d)
{
	struct npu_op *op = d->op;

	op->mode = draw_one_in(d, 2) ? NPU_ELT_ADD : NPU_ELT_SUB;
	draw_elt_types(d);
	draw_input_scales(d);
	draw_scale(d, &op->ofm_scale, op->a.elem_log2 ? 36 : 29, draw_out_bits(op));
	return draw_operands(d, true);
}

bool draw_mul(const struct drawing *d)
{
	struct npu_op *op = d->op;

	op->mode = NPU_ELT_MUL;
	draw_elt_types(d);
	draw_scale(d, &op->ofm_scale, 16 << op->a.elem_log2, draw_out_bits(op));
	if (draw_one_in(d, 4)) {
		check_fm_type(d->rng, &op->ofm, 2, true);
		op->lut = NPU_LUT_NONE;
		draw_clamp(d);
	}
	return draw_operands(d, true);
}

bool draw_minmax(const struct drawing *d)
{
	struct npu_op *op = d->op;

	op->mode = draw_one_in(d, 2) ? NPU_ELT_MIN : NPU_ELT_MAX;
	draw_elt_types(d);
	op->a_scale = (struct npu_scale){ .scale = 1 };
	op->b_scale = op->a_scale;
	if (draw_one_in(d, 3))
		draw_input_scales(d);
	return draw_operands(d, true);
}

/* A map of bytes in one tile whose rows may be the columns of what lies in memory. */
static bool draw_turned(const struct drawing *d, struct npu_fm *fm)
{
	bool turned = draw_one_in(d, 2);
	int64_t step;

	fm->depth = d->op->oc;
	for (int tries = 0; tries < 8; tries++) {
		fm->height = turned ? d->op->ow : d->op->oh;
		fm->width = turned ? d->op->oh : d->op->ow;
		if (!check_fm_draw(d->mem, d->rng, fm))
			return false;
		if (!turned || (!fm->brick && fm->width0 == fm->width && fm->height0 == fm->height))
			break;
		turned &= tries < 6;
	}
	if (!turned)
		return true;
	step = fm->stride_x;
	fm->stride_x = fm->stride_y;
	fm->stride_y = step;
	fm->height = fm->height0 = fm->height1 = d->op->oh;
	fm->width = fm->width0 = d->op->ow;
	return true;
}

/* Copies of few channels as compilers make them of transpositions: MAX with the least number there is. */
bool draw_turned_copy(const struct drawing *d)
{
	struct npu_op *op = d->op;
	bool high = draw_one_in(d, 2);

	op->kind = NPU_KIND_ELEMENTWISE;
	op->mode = draw_one_in(d, 4) ? NPU_ELT_MIN : NPU_ELT_MAX;
	op->oh = (uint32_t)draw_range(d, 1, high ? 400 : 5);
	op->ow = (uint32_t)draw_range(d, 1, high ? 5 : 400);
	op->oc = draw_one_in(d, 4) ? (uint32_t)draw_range(d, 2, 5) : 1;
	check_fm_type(d->rng, &op->a, 0, draw_one_in(d, 2));
	check_fm_type(d->rng, &op->b, 0, op->a.is_signed);
	check_fm_type(d->rng, &op->ofm, 0, op->a.is_signed);
	draw_clamp(d);
	op->a_scale = op->b_scale = (struct npu_scale){ .scale = 1 };
	op->b.broadcast = NPU_BROADCAST_SCALAR;
	op->b.height = op->b.width = op->b.depth = 1;
	op->scalar = (int32_t)draw_range(d, 0, 255) - (op->a.is_signed ? 128 : 0);
	if (draw_one_in(d, 2))
		op->scalar = op->a.is_signed ? -128 : 0;
	return draw_turned(d, &op->a) && draw_turned(d, &op->ofm);
}

bool draw_unary(const struct drawing *d)
{
	struct npu_op *op = d->op;

	op->mode = draw_one_in(d, 2) ? NPU_ELT_LRELU : NPU_ELT_ABS;
	draw_elt_types(d);
	op->ofm_scale = (struct npu_scale){ .scale = 1 };
	op->a_scale = op->ofm_scale;
	if (op->mode == NPU_ELT_ABS) {
		draw_scale(d, &op->ofm_scale, (8 << op->a.elem_log2) - 1, draw_out_bits(op));
	} else {
		if (draw_one_in(d, 2))
			draw_scale(d, &op->a_scale, (8 << op->a.elem_log2) - 1, draw_out_bits(op));
		draw_scale(d, &op->b_scale, (8 << op->a.elem_log2) - 1, draw_out_bits(op));
	}
	return draw_operands(d, false);
}

/* The 32-bit steps of a softmax. */
bool draw_int32(const struct drawing *d)
{
	static const uint8_t modes[] = { NPU_ELT_MUL, NPU_ELT_ADD, NPU_ELT_SUB, NPU_ELT_MIN,
					 NPU_ELT_MAX, NPU_ELT_CLZ, NPU_ELT_SHR, NPU_ELT_SHL,
					 NPU_ELT_LSR, NPU_ELT_DIV };
	static const uint8_t shifts[] = { 0, 30, 31, 32, 33, 40 };
	struct npu_op *op = d->op;

	op->mode = modes[draw_range(d, 0, sizeof(modes) - 1)];
	draw_out_extent(d, 20, 40);
	check_fm_type(d->rng, &op->a, 2, true);
	check_fm_type(d->rng, &op->b, 2, true);
	check_fm_type(d->rng, &op->ofm, 2, true);
	if (draw_one_in(d, 4))
		draw_type(d, &op->ofm);
	draw_clamp(d);
	op->a_scale = (struct npu_scale){ .scale = 1 };
	op->b_scale = op->a_scale;
	op->ofm_scale = (struct npu_scale){ .scale = 1, .round = (uint8_t)draw_range(d, 0, 1) };
	if (op->mode == NPU_ELT_MUL) {
		op->ofm_scale.scale = draw_one_in(d, 2) ? 1 : 1 << 30;
		op->ofm_scale.shift = shifts[draw_range(d, 0, sizeof(shifts) - 1)];
	}
	if (!draw_operands(d, op->mode != NPU_ELT_CLZ))
		return false;
	if (op->mode == NPU_ELT_SHR || op->mode == NPU_ELT_SHL || op->mode == NPU_ELT_LSR ||
	    op->mode == NPU_ELT_DIV) {
		struct arena *arena = &d->mem->space[op->b.space];

		/* Shift counts; and a divisor is not 0. Neither is known of hardware. */
		if (op->b.broadcast & NPU_BROADCAST_SCALAR) {
			op->scalar = (int32_t)draw_range(d, 1, 31);
			return true;
		}
		for (uint32_t y = 0; y < op->b.height; y++) {
			for (uint32_t x = 0; x < op->b.width; x++) {
				for (uint32_t c = 0; c < op->b.depth; c++) {
					int32_t v = (int32_t)draw_range(
						d, op->mode != NPU_ELT_DIV ? 0 : 1,
						draw_one_in(d, 2) ? 3 : 31);

					if (op->mode == NPU_ELT_DIV && draw_one_in(d, 2))
						v = -v * 7919 - 1;
					memcpy(arena->data + (check_fm_address(&op->b, y, x, c) -
							      arena->lo), &v, 4);
				}
			}
		}
	}
	return true;
}

bool draw_compare(const struct drawing *d)
{
	struct npu_op *op = d->op;

	op->mode = (uint8_t)draw_range(d, NPU_ELT_CMP_EQ, NPU_ELT_CMP_GT);
	draw_elt_types(d);
	op->a_scale = (struct npu_scale){ .scale = 1 };
	op->b_scale = op->a_scale;
	if (draw_one_in(d, 2))
		draw_input_scales(d);
	return draw_operands(d, true);
}

bool draw_bitwise(const struct drawing *d)
{
	static const uint8_t modes[] = { NPU_ELT_AND, NPU_ELT_OR, NPU_ELT_XOR, NPU_ELT_NOT,
					 NPU_ELT_AND_NOT };
	struct npu_op *op = d->op;

	op->mode = modes[draw_range(d, 0, sizeof(modes) - 1)];
	draw_elt_types(d);
	if (draw_one_in(d, 4)) {
		check_fm_type(d->rng, &op->a, 2, true);
		check_fm_type(d->rng, &op->b, 2, true);
	}
	return draw_operands(d, op->mode != NPU_ELT_NOT);
}

static void draw_resize_axis(const struct drawing *d, uint32_t in, uint32_t out, uint32_t *n,
			     uint32_t *step, int32_t *offset)
{
	switch (draw_range(d, 0, 2)) {
	case 0:		/* half-pixel centres */
		*n = 2 * out;
		*step = 2 * in;
		*offset = (int32_t)in - (int32_t)out;
		break;
	case 1:		/* corners aligned */
		*n = out > 1 ? out - 1 : 1;
		*step = in > 1 ? in - 1 : 0;
		*offset = 0;
		break;
	default:
		*n = (uint32_t)draw_range(d, 1, 300);
		*step = (uint32_t)draw_range(d, 0, 600);
		*offset = (int32_t)draw_range(d, -600, 600);
	}
}

bool draw_resize(const struct drawing *d)
{
	struct npu_op *op = d->op;

	op->kind = NPU_KIND_RESIZE;
	op->mode = draw_one_in(d, 3) ? NPU_RESIZE_NEAREST : NPU_RESIZE_BILINEAR;
	draw_out_extent(d, 20, 40);
	op->a.height = draw_extent(d, 12);
	op->a.width = draw_extent(d, 12);
	op->a.depth = op->oc;
	op->kernel_h = (uint16_t)op->a.height;
	op->kernel_w = (uint16_t)op->a.width;
	op->stride_y = op->stride_x = op->dilation_y = op->dilation_x = 1;
	draw_type(d, &op->a);
	check_fm_type(d->rng, &op->ofm, op->a.elem_log2, op->a.is_signed);
	draw_resize_axis(d, op->a.height, op->oh, &op->resize_n_y, &op->resize_step_y,
			 &op->resize_off_y);
	draw_resize_axis(d, op->a.width, op->ow, &op->resize_n_x, &op->resize_step_x,
			 &op->resize_off_x);
	op->ofm_scale = (struct npu_scale){ .scale = 1, .shift = 16, .round = NPU_ROUND_SYMMETRIC };
	if (op->mode == NPU_RESIZE_BILINEAR) {
		op->ofm_scale.shift = (uint8_t)(16 + 63 - __builtin_clzll(op->resize_n_y *
									   op->resize_n_x));
		if (draw_one_in(d, 4))
			op->ofm_scale.round = draw_round(d);
	}
	draw_clamp(d);
	op->ofm.height = op->oh;
	op->ofm.width = op->ow;
	op->ofm.depth = op->oc;
	return check_fm_draw(d->mem, d->rng, &op->a) && check_fm_draw(d->mem, d->rng, &op->ofm);
}

static void mark_rows(const struct drawing *d, const struct npu_op *op, uint32_t rows, int how)
{
	struct arena *arena = &d->mem->space[op->dma_dst_space];

	for (uint32_t p = 0; p < op->dma_planes; p++) {
		for (uint32_t r = 0; r < rows; r++)
			memset(arena->writable +
				       ((int64_t)op->dma_dst - arena->lo + p * op->dma_dst_step[1] +
					r * op->dma_dst_step[0]),
			       how, op->dma_len);
	}
}

bool draw_dma(const struct drawing *d)
{
	struct npu_op *op = d->op;
	int64_t src, dst;

	op->kind = NPU_KIND_DMA;
	op->dma_len = (uint64_t)draw_range(d, 1, draw_one_in(d, 2) ? 40 : 2000);
	if (draw_one_in(d, 6))
		op->dma_len = (uint64_t)draw_range(d, 60000, 140000);
	op->dma_rows = draw_one_in(d, 3) || op->dma_len > 2000 ? 1 : (uint32_t)draw_range(d, 1, 12);
	op->dma_planes = draw_one_in(d, 3) && op->dma_rows > 1 ? (uint32_t)draw_range(d, 1, 4) : 1;
	op->dma_src_step[0] = (int64_t)op->dma_len + draw_range(d, 0, 40);
	op->dma_dst_step[0] = (int64_t)op->dma_len + draw_range(d, 0, 40);
	op->dma_src_step[1] = op->dma_src_step[0] * op->dma_rows + draw_range(d, 0, 40);
	op->dma_dst_step[1] = op->dma_dst_step[0] * op->dma_rows + draw_range(d, 0, 40);
	op->dma_src_space = (uint8_t)check_any_space(d->rng);
	op->dma_dst_space =
		(uint8_t)(op->dma_len * op->dma_rows * op->dma_planes < 300 && draw_one_in(d, 2)
				  ? NPU_SPACE_INTERNAL
				  : check_any_space(d->rng));
	src = check_take(d->mem, d->rng, op->dma_src_space,
			 (size_t)op->dma_src_step[1] * op->dma_planes, 1);
	dst = check_take(d->mem, d->rng, op->dma_dst_space,
			 (size_t)op->dma_dst_step[1] * op->dma_planes, 1);
	if (src < 0 || dst < 0)
		return false;
	op->dma_src = (uint64_t)src;
	op->dma_dst = (uint64_t)dst;
	mark_rows(d, op, op->dma_rows, 1);
	return true;
}

bool draw_dma_indexed(const struct drawing *d)
{
	struct npu_op *op = d->op;
	struct arena *streams = &d->mem->space[NPU_SPACE_STREAMS];
	uint32_t table = (uint32_t)draw_range(d, 1, 60);
	bool gather = draw_one_in(d, 2);
	size_t room;
	int64_t src, dst;

	op->kind = NPU_KIND_DMA;
	op->dma_len = (uint64_t)draw_range(d, 1, draw_one_in(d, 2) ? 20 : 300);
	op->dma_rows = (uint32_t)draw_range(d, 1, 60);
	op->dma_planes = draw_one_in(d, 3) ? (uint32_t)draw_range(d, 1, 3) : 1;
	op->dma_src_indexed = gather;
	op->dma_dst_indexed = !gather;
	op->dma_idx_max = table - 1;
	op->dma_src_step[0] = (int64_t)op->dma_len + draw_range(d, 0, 9);
	op->dma_dst_step[0] = (int64_t)op->dma_len + draw_range(d, 0, 9);
	op->dma_src_step[1] = op->dma_src_step[0] * (gather ? table : op->dma_rows);
	op->dma_dst_step[1] = op->dma_dst_step[0] * (gather ? op->dma_rows : table);
	op->dma_src_space = (uint8_t)check_any_space(d->rng);
	op->dma_dst_space = (uint8_t)check_any_space(d->rng);
	src = check_take(d->mem, d->rng, op->dma_src_space,
			 (size_t)op->dma_src_step[1] * op->dma_planes, 1);
	dst = check_take(d->mem, d->rng, op->dma_dst_space,
			 (size_t)op->dma_dst_step[1] * op->dma_planes, 1);
	op->dma_idx_space = NPU_SPACE_STREAMS;
	op->dma_idx_step = 4 * op->dma_rows;
	room = (size_t)op->dma_idx_step * op->dma_planes;
	if (src < 0 || dst < 0 || d->mem->streams_used + room > streams->size)
		return false;
	op->dma_src = (uint64_t)src;
	op->dma_dst = (uint64_t)dst;
	op->dma_idx = (uint64_t)(streams->lo + (int64_t)d->mem->streams_used);
	for (size_t i = 0; i < room; i += 4) {
		int32_t index = (int32_t)draw_range(d, 0, table - 1);

		memcpy(streams->data + d->mem->streams_used + i, &index, 4);
	}
	d->mem->streams_used += (room + 15) / 16 * 16;
	mark_rows(d, op, gather ? op->dma_rows : table, 1);
	return true;
}

/* One index lies outside the table. */
bool draw_dma_bad_index(const struct drawing *d)
{
	struct npu_op *op = d->op;
	struct arena *streams = &d->mem->space[NPU_SPACE_STREAMS];
	int32_t bad;
	int64_t at;

	if (!draw_dma_indexed(d))
		return false;
	bad = draw_one_in(d, 2) ? (int32_t)op->dma_idx_max + 1
				: (int32_t)draw_range(d, INT32_MIN, -1);
	at = (int64_t)op->dma_idx - streams->lo +
	     4 * draw_range(d, 0, (int64_t)op->dma_rows * op->dma_planes - 1);
	memcpy(streams->data + at, &bad, sizeof(bad));
	mark_rows(d, op, op->dma_dst_indexed ? op->dma_idx_max + 1 : op->dma_rows, CHECK_UNDEFINED);
	return true;
}
