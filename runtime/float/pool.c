/* SPDX-License-Identifier: MIT */
/* AVERAGE_POOL_2D and MAX_POOL_2D: padding plays no part in either. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "runtime/cpu/window.h"
#include "runtime/float/float.h"

struct pool {
	struct window window;
	struct float_range range;
};

static int prepare(struct cpu_op *op, struct error *err)
{
	struct pool *p = calloc(1, sizeof(*p));
	int ret;

	if (!p)
		return error_set(err, -ENOMEM, "out of memory");
	op->plan = p;
	if ((ret = cpu_check(op, 0, CPU_F32, err)) || (ret = cpu_check_same(op, 1, 0, err)) ||
	    (ret = window_init(op, 0, 1, op->options.filter_h, op->options.filter_w, &p->window,
			       err)))
		return ret;
	if (p->window.in_c != p->window.out_c)
		return cpu_refuse(op, 1, -EINVAL, "has other channels than the input", err);
	return float_activation(op, &p->range, err);
}

/* One position of input into the output's; what is not a number stays. */
static void take(float *out, const float *in, size_t count, bool max)
{
	for (size_t i = 0; max && i < count; i++)
		out[i] = in[i] > out[i] || in[i] != in[i] ? in[i] : out[i];
	for (size_t i = 0; !max && i < count; i++)
		out[i] += in[i];
}

/* One output position. */
static void pool(const struct window *v, const float *in, int32_t y, int32_t x, bool max, float *out)
{
	size_t depth = (size_t)v->in_c;
	int32_t y_from, y_to, x_from, x_to, count;

	window_taps(y, v->stride_y, v->dilation_y, v->pad_y, v->h, v->in_h, &y_from, &y_to);
	window_taps(x, v->stride_x, v->dilation_x, v->pad_x, v->w, v->in_w, &x_from, &x_to);
	for (size_t i = 0; i < depth; i++)
		out[i] = max ? -INFINITY : 0;
	for (int32_t ky = y_from; ky < y_to; ky++)
		for (int32_t kx = x_from; kx < x_to; kx++) {
			size_t row = (size_t)(y * v->stride_y - v->pad_y + ky * v->dilation_y);
			size_t column = (size_t)(x * v->stride_x - v->pad_x + kx * v->dilation_x);

			take(out, in + (row * (size_t)v->in_w + column) * depth, depth, max);
		}
	count = (y_to - y_from) * (x_to - x_from);
	for (size_t i = 0; !max && count && i < depth; i++)
		out[i] /= (float)count;
}

static int run(const struct cpu_op *op, struct error *err)
{
	const struct pool *p = op->plan;
	const struct window *v = &p->window;
	size_t depth = (size_t)v->in_c, image = (size_t)v->in_h * (size_t)v->in_w * depth;
	const float *in = op->inputs[0].data;
	float *out = op->outputs[0].data;

	(void)err;
	for (int32_t b = 0; b < v->batches; b++, in += image)
		for (int32_t y = 0; y < v->out_h; y++)
			for (int32_t x = 0; x < v->out_w; x++, out += depth)
				pool(v, in, y, x, op->kind == IR_MAX_POOL_2D, out);
	float_clamp(op->outputs[0].data, cpu_elements(&op->outputs[0]), p->range);
	return 0;
}

const struct cpu_kernel float_pool = { prepare, run };
