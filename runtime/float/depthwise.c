/* SPDX-License-Identifier: MIT */
/* DEPTHWISE_CONV_2D: sums of a few channels at a time stay in registers over all taps. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cpu/window.h"
#include "runtime/float/float.h"

#define LANES 16u	/* channels at a time */

typedef float lanes __attribute__((vector_size(LANES * sizeof(float)), aligned(4)));

/**
 * struct depthwise - a convolution of each channel by itself
 * @multiplier: output channels of one input channel
 */
struct depthwise {
	struct window window;
	struct float_range range;
	const float *bias;
	size_t multiplier;
};

/* Taps of one output position: what is inside the input. */
struct taps {
	const float *in, *weights;	/* of the first tap */
	int32_t rows, columns;
	size_t in_row, in_column, weights_row, weights_column;	/* elements from tap to tap */
};

static int prepare(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *w = &op->inputs[1];
	struct depthwise *p = calloc(1, sizeof(*p));
	int ret;

	if (!p)
		return error_set(err, -ENOMEM, "out of memory");
	op->plan = p;
	if ((ret = cpu_check(op, 0, CPU_F32, err)) || (ret = cpu_check(op, 1, CPU_F32, err)) ||
	    (ret = cpu_check(op, op->input_count, CPU_F32, err)))
		return ret;
	if (w->ndim != 4 || w->shape[0] != 1)
		return cpu_refuse(op, 1, -EINVAL, "has not 4 axes, the first of extent 1", err);
	ret = window_init(op, 0, op->input_count, w->shape[1], w->shape[2], &p->window, err);
	if (ret)
		return ret;
	if (w->shape[3] != p->window.out_c || p->window.in_c < 1 || p->window.out_c < 1 ||
	    p->window.out_c % p->window.in_c)
		return cpu_refuse(op, 1, -EINVAL, "has other channels than input and output", err);
	p->multiplier = (size_t)(p->window.out_c / p->window.in_c);
	if ((ret = float_bias(op, 2, (size_t)p->window.out_c, &p->bias, err)))
		return ret;
	return float_activation(op, &p->range, err);
}

/* LANES channels from @c on; one output channel for each of the input. */
static void sum_lanes(const struct taps *t, size_t c, float *out)
{
	lanes sum = { 0 };

	for (int32_t y = 0; y < t->rows; y++) {
		const float *in = t->in + (size_t)y * t->in_row + c;
		const float *weights = t->weights + (size_t)y * t->weights_row + c;

		for (int32_t x = 0; x < t->columns; x++) {
			sum += *(const lanes *)in * *(const lanes *)weights;
			in += t->in_column;
			weights += t->weights_column;
		}
	}
	*(lanes *)(out + c) = sum;
}

/* Channel @c of the output, channel @from of the input. */
static float sum_one(const struct taps *t, size_t c, size_t from)
{
	float sum = 0;

	for (int32_t y = 0; y < t->rows; y++)
		for (int32_t x = 0; x < t->columns; x++)
			sum += t->in[(size_t)y * t->in_row + (size_t)x * t->in_column + from] *
				t->weights[(size_t)y * t->weights_row +
					   (size_t)x * t->weights_column + c];
	return sum;
}

/* One output position. */
static void sum_all(const struct depthwise *p, const struct taps *t, float *out)
{
	size_t count = (size_t)p->window.out_c, c = 0;

	for (; p->multiplier == 1 && c + LANES <= count; c += LANES)
		sum_lanes(t, c, out);
	for (; c < count; c++)
		out[c] = sum_one(t, c, c / p->multiplier);
}

static void run_row(const struct depthwise *p, const float *in, const float *weights, int32_t y,
		    float *out)
{
	const struct window *v = &p->window;
	size_t in_c = (size_t)v->in_c, out_c = (size_t)v->out_c;
	int32_t y_from, y_to, x_from, x_to;
	struct taps t = {
		.in_row = (size_t)v->dilation_y * (size_t)v->in_w * in_c,
		.in_column = (size_t)v->dilation_x * in_c, .weights_row = (size_t)v->w * out_c,
		.weights_column = out_c,
	};

	window_taps(y, v->stride_y, v->dilation_y, v->pad_y, v->h, v->in_h, &y_from, &y_to);
	for (int32_t x = 0; x < v->out_w; x++, out += out_c) {
		ptrdiff_t in_y = (ptrdiff_t)y * v->stride_y - v->pad_y + y_from * v->dilation_y, in_x;

		window_taps(x, v->stride_x, v->dilation_x, v->pad_x, v->w, v->in_w, &x_from, &x_to);
		in_x = (ptrdiff_t)x * v->stride_x - v->pad_x + x_from * v->dilation_x;
		t.rows = x_from < x_to ? y_to - y_from : 0;
		t.columns = x_to - x_from;
		t.in = t.rows ? in + (in_y * v->in_w + in_x) * v->in_c : in;
		t.weights = weights + ((size_t)y_from * (size_t)v->w + (size_t)x_from) * out_c;
		sum_all(p, &t, out);
	}
}

static int run(const struct cpu_op *op, struct error *err)
{
	const struct depthwise *p = op->plan;
	const struct window *v = &p->window;
	size_t image = (size_t)v->in_h * (size_t)v->in_w * (size_t)v->in_c;
	size_t row = (size_t)v->out_w * (size_t)v->out_c;
	const float *in = op->inputs[0].data;
	float *out = op->outputs[0].data;

	(void)err;
	for (int32_t b = 0; b < v->batches; b++, in += image)
		for (int32_t y = 0; y < v->out_h; y++, out += row) {
			run_row(p, in, op->inputs[1].data, y, out);
			float_finish(out, (size_t)v->out_w, (size_t)v->out_c, (size_t)v->out_c,
				     p->bias, p->range);
		}
	return 0;
}

const struct cpu_kernel float_depthwise = { prepare, run };
