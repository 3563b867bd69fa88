/* SPDX-License-Identifier: MIT */
/* checkops: drawing operations with a kernel, and copies. */
#include "tests/checkops_draw.h"

static void type8(const struct drawing *d, struct npu_fm *fm)
{
	check_fm_type(d->rng, fm, 0, draw_one_in(d, 4) ? 0 : 1);
}

/* The OFM of an operation whose input type is set; oh, ow, oc are set. */
static bool draw_ofm(const struct drawing *d, bool wide)
{
	struct npu_op *op = d->op;
	struct npu_fm *fm = &op->ofm;

	if (wide && draw_one_in(d, 5))
		check_fm_type(d->rng, fm, 2, true);
	else
		draw_type(d, fm);
	if (draw_one_in(d, 6))
		draw_lut(d);
	else
		draw_clamp(d);
	fm->height = op->oh;
	fm->width = op->ow;
	fm->depth = op->oc;
	return check_fm_draw(d->mem, d->rng, fm);
}

/* Kernel, strides, padding and the extent of the IFM, from that of the OFM. */
static bool draw_window(const struct drawing *d, uint32_t most_kernel)
{
	struct npu_op *op = d->op;
	uint32_t up, h, w;

	op->kernel_h = (uint16_t)draw_extent(d, most_kernel);
	op->kernel_w = (uint16_t)draw_extent(d, most_kernel);
	if (draw_one_in(d, 4))
		op->kernel_h = op->kernel_w = 1;
	op->stride_y = (uint8_t)(draw_one_in(d, 2) ? 1 : draw_range(d, 1, 4));
	op->stride_x = (uint8_t)(draw_one_in(d, 2) ? 1 : draw_range(d, 1, 4));
	op->dilation_y = (uint8_t)(draw_one_in(d, 4) ? 2 : 1);
	op->dilation_x = (uint8_t)(draw_one_in(d, 4) ? 2 : 1);
	up = draw_one_in(d, 6) ? (uint32_t)draw_range(d, 1, 2) : 0;
	op->upscale = (uint8_t)up;

	h = (uint32_t)(op->kernel_h - 1) * op->dilation_y + 1;
	w = (uint32_t)(op->kernel_w - 1) * op->dilation_x + 1;
	if (draw_one_in(d, 2)) {
		op->pad_top = (uint8_t)draw_range(d, 0, h - 1 > 100 ? 100 : h - 1);
		op->pad_bottom = (uint8_t)draw_range(d, 0, h - 1 > 100 ? 100 : h - 1);
		op->pad_left = (uint8_t)draw_range(d, 0, w - 1 > 100 ? 100 : w - 1);
		op->pad_right = (uint8_t)draw_range(d, 0, w - 1 > 100 ? 100 : w - 1);
	}
	h += (op->oh - 1) * op->stride_y;
	w += (op->ow - 1) * op->stride_x;
	if (h <= (uint32_t)op->pad_top + op->pad_bottom ||
	    w <= (uint32_t)op->pad_left + op->pad_right)
		return false;
	h -= op->pad_top + op->pad_bottom;
	w -= op->pad_left + op->pad_right;
	op->a.height = up ? (h + 1) / 2 : h;
	op->a.width = up ? (w + 1) / 2 : w;
	return true;
}

void draw_out_extent(const struct drawing *d, uint32_t most, uint32_t most_depth)
{
	d->op->oh = draw_extent(d, most);
	d->op->ow = draw_extent(d, most);
	d->op->oc = draw_depth(d, most_depth);
}

static bool draw_weighted(const struct drawing *d)
{
	struct npu_op *op = d->op;
	int taps = op->kernel_h * op->kernel_w * (op->kind == NPU_KIND_CONV ? (int)op->a.depth : 1);
	int acc_bits = (int)(8u << op->a.elem_log2) + 8 + (op->a.elem_log2 ? 12 :
		       (32 - __builtin_clz((unsigned int)taps)) / 2);

	op->per_channel = !draw_one_in(d, 6);
	op->round = draw_round(d);
	op->cores = 1;
	op->part_kernel = draw_one_in(d, 2);
	op->ofm_block_depth = (uint32_t)draw_range(d, 1, 8) * 8;
	op->acc48 = op->a.elem_log2 > 0;
	if (!check_fm_draw(d->mem, d->rng, &op->a) || !draw_ofm(d, true))
		return false;
	draw_scale(d, &op->ofm_scale, acc_bits, draw_out_bits(op));
	return check_streams(d->mem, d->rng, d->config, op);
}

bool draw_conv(const struct drawing *d)
{
	struct npu_op *op = d->op;

	op->kind = NPU_KIND_CONV;
	draw_out_extent(d, 12, 80);
	type8(d, &op->a);
	op->a.depth = draw_depth(d, 80);
	return draw_window(d, draw_one_in(d, 10) ? 12 : 4) && draw_weighted(d);
}

/* Shapes of networks: signed 8 bit, whole bricks or close to it, square kernels. */
bool draw_conv_common(const struct drawing *d)
{
	struct npu_op *op = d->op;

	op->kind = NPU_KIND_CONV;
	op->oh = (uint32_t)draw_range(d, 1, 12);
	op->ow = draw_one_in(d, 3) ? (uint32_t)draw_range(d, 1, 3) * 8 : (uint32_t)draw_range(d, 1, 24);
	op->oc = (uint32_t)draw_range(d, 1, 8) * 8;
	check_fm_type(d->rng, &op->a, 0, true);
	op->a.depth = draw_one_in(d, 4) ? (uint32_t)draw_range(d, 1, 3)
					: (uint32_t)draw_range(d, 1, 8) * 8;
	op->kernel_h = op->kernel_w = draw_one_in(d, 2) ? 1 : 3;
	op->stride_y = op->stride_x = (uint8_t)draw_range(d, 1, 2);
	op->dilation_y = op->dilation_x = 1;
	op->pad_top = op->pad_left = op->pad_bottom = op->pad_right =
		(uint8_t)(op->kernel_h == 3 && draw_one_in(d, 2) ? 1 : 0);
	op->a.height = (op->oh - 1) * op->stride_y + op->kernel_h - 2u * op->pad_top;
	op->a.width = (op->ow - 1) * op->stride_x + op->kernel_w - 2u * op->pad_left;
	return op->a.height && op->a.height < 100 && op->a.width && op->a.width < 100 &&
	       draw_weighted(d);
}

bool draw_conv16(const struct drawing *d)
{
	struct npu_op *op = d->op;

	op->kind = NPU_KIND_CONV;
	draw_out_extent(d, 8, 40);
	check_fm_type(d->rng, &op->a, 1, true);
	op->a.depth = draw_depth(d, 80);
	return draw_window(d, 4) && draw_weighted(d);
}

/* A fully connected layer: more inputs than a conv of this suite has. */
bool draw_dense(const struct drawing *d)
{
	struct npu_op *op = d->op;

	op->kind = NPU_KIND_CONV;
	op->oh = 1;
	op->ow = draw_one_in(d, 4) ? (uint32_t)draw_range(d, 1, 4) : 1;
	op->oc = draw_extent(d, 48);
	draw_type(d, &op->a);
	op->a.height = 1;
	op->a.width = op->ow;
	op->a.depth = draw_extent(d, draw_one_in(d, 3) ? 4000 : 300);
	op->kernel_h = op->kernel_w = 1;
	op->stride_y = op->stride_x = op->dilation_y = op->dilation_x = 1;
	return draw_weighted(d);
}

bool draw_depthwise(const struct drawing *d)
{
	struct npu_op *op = d->op;

	op->kind = NPU_KIND_DEPTHWISE;
	draw_out_extent(d, 12, 100);
	draw_type(d, &op->a);
	op->a.depth = op->oc;
	return draw_window(d, draw_one_in(d, 8) ? 11 : 4) && draw_weighted(d);
}

bool draw_matmul(const struct drawing *d)
{
	struct npu_op *op = d->op;

	op->kind = NPU_KIND_MATMUL;
	draw_out_extent(d, 12, 60);
	draw_type(d, &op->a);
	op->kernel_h = op->kernel_w = 1;
	op->stride_y = op->stride_x = op->dilation_y = op->dilation_x = 1;
	op->a.height = op->oh;
	op->a.width = op->ow;
	op->a.depth = draw_extent(d, 300);
	op->b = op->a;
	check_fm_type(d->rng, &op->b, op->a.elem_log2, op->a.is_signed);
	op->b.height = 1;
	op->b.width = op->oc;
	if (!check_fm_draw(d->mem, d->rng, &op->a) || !check_fm_draw(d->mem, d->rng, &op->b) ||
	    !draw_ofm(d, true))
		return false;
	draw_scale(d, &op->ofm_scale, op->a.elem_log2 ? 41 : 20, draw_out_bits(op));
	return true;
}

static bool draw_window_pool(const struct drawing *d, int acc_bits)
{
	struct npu_op *op = d->op;

	if (!check_fm_draw(d->mem, d->rng, &op->a) || !draw_ofm(d, true))
		return false;
	draw_scale(d, &op->ofm_scale, acc_bits, draw_out_bits(op));
	return true;
}

/* Pools have no dilation. */
static bool draw_pool_window(const struct drawing *d, uint32_t most_kernel)
{
	struct npu_op *op = d->op;

	for (int attempt = 0; attempt < 50; attempt++) {
		if (draw_window(d, most_kernel) && op->dilation_y == 1 && op->dilation_x == 1)
			return true;
	}
	return false;
}

bool draw_pool_max(const struct drawing *d)
{
	struct npu_op *op = d->op;

	op->kind = NPU_KIND_POOL;
	op->mode = draw_one_in(d, 2) ? NPU_POOL_MAX : NPU_POOL_MIN;
	draw_out_extent(d, 12, 100);
	if (draw_one_in(d, 8))
		check_fm_type(d->rng, &op->a, 2, true);
	else
		draw_type(d, &op->a);
	op->a.depth = op->oc;
	op->per_channel = draw_one_in(d, 6);
	return draw_pool_window(d, draw_one_in(d, 4) ? 12 : 4) &&
	       draw_window_pool(d, (int)(8u << op->a.elem_log2) - 1);
}

bool draw_pool_average(const struct drawing *d)
{
	struct npu_op *op = d->op;

	op->kind = NPU_KIND_POOL;
	op->mode = draw_one_in(d, 4) ? NPU_POOL_SUM : NPU_POOL_AVERAGE;
	draw_out_extent(d, 12, 100);
	draw_type(d, &op->a);
	op->a.depth = op->oc;
	op->hw_divide = op->mode == NPU_POOL_AVERAGE && draw_one_in(d, 2);
	return draw_pool_window(d, draw_one_in(d, 4) ? 12 : 4) &&
	       draw_window_pool(d, (int)(8u << op->a.elem_log2) + 3);
}

bool draw_pool_copy(const struct drawing *d)
{
	static const uint8_t modes[] = {NPU_POOL_AVERAGE, NPU_POOL_SUM, NPU_POOL_MAX,
					NPU_POOL_NONE};
	struct npu_op *op = d->op;

	op->kind = NPU_KIND_POOL;
	op->mode = modes[draw_range(d, 0, 3)];
	draw_out_extent(d, draw_one_in(d, 3) ? 40 : 12, 100);
	if (op->mode == NPU_POOL_NONE)
		check_fm_type(d->rng, &op->a, draw_one_in(d, 2) ? 3 : 2, true);
	else
		draw_type(d, &op->a);
	op->a.height = op->oh;
	op->a.width = op->ow;
	op->a.depth = op->oc;
	op->kernel_h = op->kernel_w = 1;
	op->stride_y = op->stride_x = op->dilation_y = op->dilation_x = 1;
	return draw_window_pool(d, (int)(8u << op->a.elem_log2) - 1);
}

/* Transposed or reversed on the way out. */
bool draw_transpose(const struct drawing *d)
{
	static const uint8_t codes[] = { NPU_TRANSPOSE_WHC, NPU_TRANSPOSE_HCW, NPU_TRANSPOSE_WCH,
					 NPU_TRANSPOSE_CHW, NPU_TRANSPOSE_CWH };
	struct npu_op *op = d->op;
	uint32_t h, w, c;

	op->kind = NPU_KIND_POOL;
	op->mode = NPU_POOL_SUM;
	draw_out_extent(d, 14, 40);
	h = op->oh;
	w = op->ow;
	c = op->oc;
	draw_type(d, &op->a);
	op->a.depth = c;
	if (!draw_pool_window(d, 3))
		return false;
	draw_type(d, &op->ofm);
	draw_clamp(d);
	if (draw_one_in(d, 3))
		op->reverse = (uint8_t)draw_range(d, NPU_REVERSE_H, NPU_REVERSE_C);
	else
		op->transpose = codes[draw_range(d, 0, 4)];
	switch (op->transpose) {
	case NPU_TRANSPOSE_WHC:
		op->ofm.height = w, op->ofm.width = h, op->ofm.depth = c;
		break;
	case NPU_TRANSPOSE_HCW:
		op->ofm.height = h, op->ofm.width = c, op->ofm.depth = w;
		break;
	case NPU_TRANSPOSE_WCH:
		op->ofm.height = w, op->ofm.width = c, op->ofm.depth = h;
		break;
	case NPU_TRANSPOSE_CHW:
		op->ofm.height = c, op->ofm.width = h, op->ofm.depth = w;
		break;
	case NPU_TRANSPOSE_CWH:
		op->ofm.height = c, op->ofm.width = w, op->ofm.depth = h;
		break;
	default:
		op->ofm.height = h, op->ofm.width = w, op->ofm.depth = c;
	}
	draw_scale(d, &op->ofm_scale, 9, draw_out_bits(op));
	return check_fm_draw(d->mem, d->rng, &op->a) && check_fm_draw(d->mem, d->rng, &op->ofm);
}

bool draw_reduce(const struct drawing *d)
{
	struct npu_op *op = d->op;

	op->kind = NPU_KIND_POOL;
	op->mode = NPU_POOL_REDUCE_SUM;
	draw_out_extent(d, 20, 1);
	op->oc = 1;
	if (draw_one_in(d, 3))
		check_fm_type(d->rng, &op->a, 2, true);
	else
		draw_type(d, &op->a);
	op->a.height = op->oh;
	op->a.width = op->ow;
	op->a.depth = draw_extent(d, 400);
	op->kernel_h = op->kernel_w = 1;
	op->stride_y = op->stride_x = op->dilation_y = op->dilation_x = 1;
	return draw_window_pool(d, op->a.elem_log2 == 2 ? 41 : (int)(8u << op->a.elem_log2) + 3);
}

bool draw_argmax(const struct drawing *d)
{
	struct npu_op *op = d->op;
	bool along_y = draw_one_in(d, 2);
	uint16_t n = (uint16_t)draw_extent(d, 64);

	op->kind = NPU_KIND_POOL;
	op->mode = along_y ? NPU_POOL_ARGMAX_Y : NPU_POOL_ARGMAX_X;
	draw_out_extent(d, 8, 20);
	draw_type(d, &op->a);
	op->kernel_h = along_y ? n : 1;
	op->kernel_w = along_y ? 1 : n;
	op->stride_y = op->stride_x = op->dilation_y = op->dilation_x = 1;
	op->a.height = op->oh + op->kernel_h - 1;
	op->a.width = op->ow + op->kernel_w - 1;
	op->a.depth = op->oc;
	check_fm_type(d->rng, &op->ofm, 2, true);
	op->ofm.height = op->oh;
	op->ofm.width = op->ow;
	op->ofm.depth = op->oc;
	op->ofm_scale = (struct npu_scale){ .scale = 1, .shift = 16, .round = NPU_ROUND_TO_LOWER };
	return check_fm_draw(d->mem, d->rng, &op->a) && check_fm_draw(d->mem, d->rng, &op->ofm);
}
