/* SPDX-License-Identifier: MIT */
/*
 * CONV_2D: what the window sees at some output positions, as rows of a matrix, times the weights.
 * Windows of one element need no such rows, the input is the matrix.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cpu/window.h"
#include "runtime/float/float.h"
#include "runtime/float/blas.h"

#define ROWS_ELEMENTS	(1u << 18)	/* of the rows at a time: they stay in the cache */
#define DEPTH_MAX	(1u << 28)

/**
 * struct conv - a convolution
 * @groups: the input's channels and the weights are so many parts
 * @depth: elements of a row, of one group
 * @group_in, @group_out: channels of a group
 * @plain: the input is the matrix
 * @tile: rows at a time
 * @rows: follows this in memory
 */
struct conv {
	struct window window;
	struct float_range range;
	const float *bias;
	size_t groups, depth, group_in, group_out, tile;
	bool plain;
	float *rows;
};

static int check(const struct cpu_op *op, struct window *v, struct error *err)
{
	const struct cpu_tensor *w = &op->inputs[1];
	int ret;

	if ((ret = cpu_check(op, 0, CPU_F32, err)) || (ret = cpu_check(op, 1, CPU_F32, err)) ||
	    (ret = cpu_check(op, op->input_count, CPU_F32, err)))
		return ret;
	if (w->ndim != 4)
		return cpu_refuse(op, 1, -EINVAL, "has not 4 axes", err);
	ret = window_init(op, 0, op->input_count, w->shape[1], w->shape[2], v, err);
	if (ret)
		return ret;
	if (w->shape[3] < 1 || v->in_c < 1 || v->in_c % w->shape[3])
		return cpu_refuse(op, 1, -EINVAL, "has channels that are no part of the input's", err);
	if (w->shape[0] != v->out_c || v->out_c < 1 || v->out_c % (v->in_c / w->shape[3]))
		return cpu_refuse(op, 1, -EINVAL, "has other channels than the output", err);
	return 0;
}

static int prepare(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *w = &op->inputs[1];
	size_t depth, positions, tile;
	struct float_range range;
	struct window v;
	struct conv *p;
	const float *bias;
	bool plain;
	int ret = check(op, &v, err);

	if (ret || (ret = blas_load(err)) || (ret = float_bias(op, 2, (size_t)v.out_c, &bias, err)) ||
	    (ret = float_activation(op, &range, err)))
		return ret;
	depth = cpu_extent(w, 1, 4);
	if (depth > DEPTH_MAX || (size_t)v.out_c > DEPTH_MAX / depth)
		return cpu_refuse(op, 1, -EINVAL, "is too large", err);
	plain = v.h == 1 && v.w == 1 && v.stride_y == 1 && v.stride_x == 1 && !v.pad_y && !v.pad_x &&
		v.out_h == v.in_h && v.out_w == v.in_w;
	positions = (size_t)v.batches * (size_t)v.out_h * (size_t)v.out_w;
	tile = ROWS_ELEMENTS / depth ? ROWS_ELEMENTS / depth : 1;
	if (plain)
		tile = INT32_MAX;
	tile = tile < positions ? tile : positions;
	p = calloc(1, sizeof(*p) + (plain ? 0 : tile * depth * sizeof(*p->rows)));
	if (!p)
		return error_set(err, -ENOMEM, "out of memory");
	op->plan = p;
	*p = (struct conv){
		.window = v, .range = range, .bias = bias,
		.groups = (size_t)(v.in_c / w->shape[3]), .depth = depth,
		.group_in = (size_t)w->shape[3], .tile = tile, .plain = plain,
		.rows = (float *)(p + 1),
	};
	p->group_out = (size_t)v.out_c / p->groups;
	return 0;
}

/* One row of the kernel at an output position: @taps elements of @width apart by @step. */
static void gather_row(float *to, const float *from, size_t taps, size_t width, size_t step)
{
	if (step == width) {
		memcpy(to, from, taps * width * sizeof(*to));
		return;
	}
	for (size_t i = 0; i < taps; i++, to += width, from += step)
		memcpy(to, from, width * sizeof(*to));
}

/* What the window sees of channels from @from on at an output position, padding as zeros. */
static void gather(const struct conv *p, const float *from, int32_t y, int32_t x, float *row)
{
	const struct window *v = &p->window;
	size_t across = (size_t)v->w * p->group_in;
	int32_t y_from, y_to, x_from, x_to;

	window_taps(y, v->stride_y, v->dilation_y, v->pad_y, v->h, v->in_h, &y_from, &y_to);
	window_taps(x, v->stride_x, v->dilation_x, v->pad_x, v->w, v->in_w, &x_from, &x_to);
	if (y_from > 0 || y_to < v->h || x_from > 0 || x_to < v->w)
		memset(row, 0, p->depth * sizeof(*row));
	for (int32_t ky = y_from; ky < y_to && x_from < x_to; ky++) {
		size_t in_y = (size_t)(y * v->stride_y - v->pad_y + ky * v->dilation_y);
		size_t in_x = (size_t)(x * v->stride_x - v->pad_x + x_from * v->dilation_x);

		gather_row(row + (size_t)ky * across + (size_t)x_from * p->group_in,
			   from + (in_y * (size_t)v->in_w + in_x) * (size_t)v->in_c,
			   (size_t)(x_to - x_from), p->group_in,
			   (size_t)v->dilation_x * (size_t)v->in_c);
	}
}

/* Rows of output positions [@at, @at + @count). */
static void gather_tile(const struct conv *p, const float *in, size_t at, size_t count)
{
	const struct window *v = &p->window;
	size_t image = (size_t)v->in_h * (size_t)v->in_w * (size_t)v->in_c;

	for (size_t i = 0; i < count; i++) {
		size_t x = (at + i) % (size_t)v->out_w, y = (at + i) / (size_t)v->out_w;

		gather(p, in + y / (size_t)v->out_h * image, (int32_t)(y % (size_t)v->out_h),
		       (int32_t)x, p->rows + i * p->depth);
	}
}

static int run(const struct cpu_op *op, struct error *err)
{
	const struct conv *p = op->plan;
	const struct window *v = &p->window;
	size_t total = (size_t)v->batches * (size_t)v->out_h * (size_t)v->out_w;
	const float *in = op->inputs[0].data, *weights = op->inputs[1].data;
	size_t in_c = (size_t)v->in_c, out_c = (size_t)v->out_c;

	(void)err;
	for (size_t at = 0; at < total; at += p->tile) {
		size_t count = total - at < p->tile ? total - at : p->tile;
		struct gemm g = {
			.m = count, .n = p->group_out, .k = p->depth, .b_turned = true,
			.lda = p->plain ? in_c : p->depth, .ldb = p->depth, .ldc = out_c,
		};
		float *out = (float *)op->outputs[0].data + at * out_c;

		for (size_t i = 0; i < p->groups; i++) {
			if (!p->plain)
				gather_tile(p, in + i * p->group_in, at, count);
			gemm(&g, p->plain ? in + at * in_c + i * p->group_in : p->rows,
			     weights + i * p->group_out * p->depth, out + i * p->group_out);
		}
		float_finish(out, count, out_c, out_c, p->bias, p->range);
	}
	return 0;
}

const struct cpu_kernel float_conv = { prepare, run };
