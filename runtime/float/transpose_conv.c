/* SPDX-License-Identifier: MIT */
/*
 * TRANSPOSE_CONV: each position of the input times all weights, whose results are added to the places
 * of the output that they reach.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cpu/window.h"
#include "runtime/float/float.h"
#include "runtime/float/blas.h"

#define SUMS_ELEMENTS	(1u << 18)	/* of results at a time */
#define WEIGHTS_MAX	(1u << 28)

/**
 * struct transpose_conv - a transposed convolution
 * @window: of the input over the output
 * @reach: results of an input position, [kh][kw][out]
 * @tile: input positions at a time
 * @weights: [kh][kw][out][in], follows this in memory
 * @sums: results of a tile, follows the weights
 */
struct transpose_conv {
	struct window window;
	struct float_range range;
	const float *bias;
	size_t reach, tile;
	float *weights, *sums;
};

/* [out][kh * kw][in] to [kh * kw][out][in]. */
static void turn_weights(const struct transpose_conv *p, const float *from)
{
	size_t taps = (size_t)p->window.h * (size_t)p->window.w, in_c = (size_t)p->window.in_c;
	size_t out_c = (size_t)p->window.out_c;

	for (size_t o = 0; o < out_c; o++)
		for (size_t t = 0; t < taps; t++, from += in_c)
			memcpy(p->weights + (t * out_c + o) * in_c, from, in_c * sizeof(*from));
}

static int check(const struct cpu_op *op, struct window *v, struct error *err)
{
	const struct cpu_tensor *w = &op->inputs[1];
	int64_t total;
	int ret;

	if ((ret = cpu_check(op, 1, CPU_F32, err)) || (ret = cpu_check(op, 2, CPU_F32, err)) ||
	    (ret = cpu_check(op, op->input_count, CPU_F32, err)))
		return ret;
	if (w->ndim != 4)
		return cpu_refuse(op, 1, -EINVAL, "has not 4 axes", err);
	ret = window_init(op, 2, op->input_count, w->shape[1], w->shape[2], v, err);
	if (ret)
		return ret;
	if (w->shape[0] != v->out_c || w->shape[3] != v->in_c || v->in_c < 1 || v->out_c < 1 ||
	    cpu_elements(w) > WEIGHTS_MAX)
		return cpu_refuse(op, 1, -EINVAL, "has other channels than input and output", err);
	if (op->options.padding != IR_PADDING_SAME)
		return 0;
	/* The padding of a convolution from the output to the input. */
	if ((v->out_h + (int64_t)v->stride_y - 1) / v->stride_y != v->in_h ||
	    (v->out_w + (int64_t)v->stride_x - 1) / v->stride_x != v->in_w)
		return cpu_refuse(op, op->input_count, -EINVAL,
				  "has another shape than the operator gives it", err);
	total = (int64_t)(v->in_h - 1) * v->stride_y + v->h - v->out_h;
	v->pad_y = total > 0 ? (int32_t)(total / 2) : 0;
	total = (int64_t)(v->in_w - 1) * v->stride_x + v->w - v->out_w;
	v->pad_x = total > 0 ? (int32_t)(total / 2) : 0;
	return 0;
}

static int prepare(struct cpu_op *op, struct error *err)
{
	struct transpose_conv *p;
	struct float_range range;
	size_t weights, reach, tile;
	const float *bias;
	struct window v;
	int ret = check(op, &v, err);

	if (ret || (ret = blas_load(err)) || (ret = float_bias(op, 3, (size_t)v.out_c, &bias, err)) ||
	    (ret = float_activation(op, &range, err)))
		return ret;
	weights = cpu_elements(&op->inputs[1]);
	reach = weights / (size_t)v.in_c;
	tile = SUMS_ELEMENTS / reach ? SUMS_ELEMENTS / reach : 1;
	p = calloc(1, sizeof(*p) + (weights + tile * reach) * sizeof(*p->weights));
	if (!p)
		return error_set(err, -ENOMEM, "out of memory");
	op->plan = p;
	*p = (struct transpose_conv){
		.window = v, .range = range, .bias = bias, .reach = reach, .tile = tile,
		.weights = (float *)(p + 1),
	};
	p->sums = p->weights + weights;
	if (op->inputs[1].constant)
		turn_weights(p, op->inputs[1].data);
	return 0;
}

/* Add the results of input position (y, x) to the places of @out that they reach. */
static void scatter(const struct window *v, const float *sums, size_t y, size_t x, float *out)
{
	size_t out_c = (size_t)v->out_c;

	for (int32_t ky = 0; ky < v->h; ky++) {
		int64_t out_y = (int64_t)y * v->stride_y - v->pad_y + ky;

		if (out_y < 0 || out_y >= v->out_h)
			continue;
		for (int32_t kx = 0; kx < v->w; kx++) {
			int64_t out_x = (int64_t)x * v->stride_x - v->pad_x + kx;
			const float *from = sums + ((size_t)ky * (size_t)v->w + (size_t)kx) * out_c;
			float *to;

			if (out_x < 0 || out_x >= v->out_w)
				continue;
			to = out + (size_t)(out_y * v->out_w + out_x) * out_c;
			for (size_t o = 0; o < out_c; o++)
				to[o] += from[o];
		}
	}
}

static int run(const struct cpu_op *op, struct error *err)
{
	const struct transpose_conv *p = op->plan;
	const struct window *v = &p->window;
	size_t image = (size_t)v->in_h * (size_t)v->in_w, out_c = (size_t)v->out_c;
	size_t pixels = (size_t)v->out_h * (size_t)v->out_w, in_c = (size_t)v->in_c;
	const float *in = op->inputs[2].data;
	float *out = op->outputs[0].data;

	(void)err;
	if (!op->inputs[1].constant)
		turn_weights(p, op->inputs[1].data);
	memset(out, 0, cpu_bytes(&op->outputs[0]));
	for (int32_t b = 0; b < v->batches; b++, in += image * in_c, out += pixels * out_c) {
		for (size_t at = 0; at < image; at += p->tile) {
			size_t count = image - at < p->tile ? image - at : p->tile;
			struct gemm g = {
				.m = count, .n = p->reach, .k = in_c, .b_turned = true,
				.lda = in_c, .ldb = in_c, .ldc = p->reach,
			};

			gemm(&g, in + at * in_c, p->weights, p->sums);
			for (size_t i = 0; i < count; i++)
				scatter(v, p->sums + i * p->reach, (at + i) / (size_t)v->in_w,
					(at + i) % (size_t)v->in_w, out);
		}
		float_finish(out, pixels, out_c, out_c, p->bias, p->range);
	}
	return 0;
}

const struct cpu_kernel float_transpose_conv = { prepare, run };
