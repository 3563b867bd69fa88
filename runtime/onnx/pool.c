/* SPDX-License-Identifier: MIT */
/*
 * Pooling. Over one or two axes these are TFLite's operators; over more, or with dilation, the extremes
 * or sums of the input's shifted copies, one a tap of the kernel.
 */
#include <errno.h>
#include <float.h>
#include <math.h>

#include "runtime/onnx/build.h"
#include "runtime/onnx/window.h"

#define TAPS_MAX	512

/* Zeros that count, where the file asks for that. */
static struct onnx_value *counted_padding(struct onnx_import *c, struct onnx_value *x,
					  const struct onnx_node *n, struct onnx_window *w)
{
	int32_t pads[2 * IR_MAX_DIMS] = { 0 };
	struct onnx_window plain;

	/* Without the rows that ceil_mode adds. */
	if (!onnx_window_attributes(c, n, x, NULL, &plain))
		return NULL;
	for (uint32_t i = 0; i < w->axes; i++) {
		int32_t after = onnx_int(n, "ceil_mode", 0) ? plain.after[i] : w->after[i];

		pads[2 + i] = w->before[i];
		pads[4 + w->axes + i] = after;
		w->in[i] += w->before[i] + after;
		w->before[i] = 0;
		w->after[i] -= after;
		/* The last window may end before the padding does. */
		w->after[i] = w->after[i] < 0 ? 0 : w->after[i];
	}
	return b_pad(c, x, pads, NULL);
}

static struct onnx_value *pool_2d(struct onnx_import *c, unsigned int kind, struct onnx_value *x,
				  const struct onnx_window *w)
{
	uint32_t last = w->axes - 1;
	struct ir_options o = { .filter_h = w->axes == 2 ? w->size[0] : 1, .filter_w = w->size[last] };
	int32_t shape[4];

	if (!x)
		return NULL;
	onnx_window_options(w, &o);
	o.dilation_h = o.dilation_w = 0;
	shape[0] = x->shape[0];
	shape[1] = w->axes == 2 ? w->out[0] : 1;
	shape[2] = w->out[last];
	shape[3] = x->shape[1];
	x = onnx_to_nhwc(c, x);
	x = onnx_op(c, kind, &o, 1, &x, x ? x->type : 0, 4, shape);
	return onnx_from_nhwc(c, x, w->axes);
}

/* The element that a kernel's @tap sees at each place of the output. */
static struct onnx_value *at_tap(struct onnx_import *c, struct onnx_value *x, const struct onnx_window *w,
				 uint32_t tap)
{
	int32_t begin[IR_MAX_DIMS] = { 0 }, end[IR_MAX_DIMS], step[IR_MAX_DIMS];

	end[0] = x->shape[0];
	end[1] = x->shape[1];
	step[0] = step[1] = 1;
	for (uint32_t i = w->axes; i-- > 0; tap /= (uint32_t)w->size[i]) {
		begin[2 + i] = (int32_t)(tap % (uint32_t)w->size[i]) * w->dilation[i];
		end[2 + i] = begin[2 + i] + (w->out[i] - 1) * w->stride[i] + 1;
		step[2 + i] = w->stride[i];
	}
	return b_strided(c, x, begin, end, step);
}

/* @kind over all taps; padding is @outside. */
static struct onnx_value *taps(struct onnx_import *c, unsigned int kind, struct onnx_value *x,
			       const struct onnx_window *w, double outside)
{
	int32_t pads[2 * IR_MAX_DIMS] = { 0 };
	struct onnx_value *all = NULL;
	uint64_t count = 1;

	for (uint32_t i = 0; i < w->axes; i++) {
		/* Up to where the last window ends. */
		int32_t reach = (w->out[i] - 1) * w->stride[i] + w->reach[i];

		count *= (uint64_t)w->size[i];
		pads[2 + i] = w->before[i];
		pads[4 + w->axes + i] = reach > w->in[i] + w->before[i] ? reach - w->in[i] - w->before[i] : 0;
	}
	if (count > TAPS_MAX)
		return onnx_fail(c, -ENOTSUP, "a kernel of %u elements over %u axes, or with dilation",
				 (unsigned int)(count > UINT32_MAX ? UINT32_MAX : count), w->axes);
	x = b_pad(c, x, pads, outside == 0 ? NULL : onnx_scalar(c, x->type, outside));
	for (uint32_t tap = 0; tap < count && x && !c->rc; tap++)
		all = tap ? b_binary(c, kind, all, at_tap(c, x, w, tap)) : at_tap(c, x, w, 0);
	return all;
}

static double lowest(int type)
{
	return type == ELEM_FLOAT32 ? (double)-FLT_MAX : type == ELEM_INT8 ? -128 : 0;
}

static bool is_flat(const struct onnx_window *w)
{
	return w->axes <= 2 && w->dilation[0] == 1 && w->dilation[w->axes - 1] == 1;
}

static int max_pool(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0);
	struct onnx_window w;

	if (onnx_wants(n, 1))
		onnx_fail(c, -ENOTSUP, "the indices of the greatest elements");
	if (c->rc || !onnx_window(c, n, x, NULL, &w))
		return c->rc;
	return onnx_out(c, n, 0, is_flat(&w) ? pool_2d(c, IR_MAX_POOL_2D, x, &w) :
					       taps(c, IR_MAXIMUM, x, &w, lowest(x->type)));
}

/* A constant of ones of the input's extents. */
static struct onnx_value *ones(struct onnx_import *c, const struct onnx_window *w)
{
	int32_t shape[IR_MAX_DIMS] = { 1, 1 };
	struct onnx_value *v;

	for (uint32_t i = 0; i < w->axes; i++)
		shape[2 + i] = w->in[i];
	v = onnx_constant(c, ELEM_FLOAT32, 2 + w->axes, shape, NULL);
	for (size_t i = 0; v && i < onnx_count(v); i++)
		((float *)onnx_constant_data(v))[i] = 1;
	return v;
}

static int average_pool(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0), *sum, *number;
	struct onnx_window w;

	if (!onnx_window(c, n, x, NULL, &w))
		return c->rc;
	if (onnx_int(n, "count_include_pad", 0))
		x = counted_padding(c, x, n, &w);
	if (c->rc || is_flat(&w))
		return onnx_out(c, n, 0, pool_2d(c, IR_AVERAGE_POOL_2D, x, &w));
	sum = taps(c, IR_ADD, x, &w, 0);
	number = taps(c, IR_ADD, ones(c, &w), &w, 0);
	return onnx_out(c, n, 0, b_div(c, sum, number));
}

/* |x| ^ p */
static struct onnx_value *to_power(struct onnx_import *c, struct onnx_value *x, int64_t p)
{
	return p == 2 ? b_mul(c, x, x) : p == 1 ? b_unary(c, IR_ABS, x) :
						  b_with(c, IR_POW, b_unary(c, IR_ABS, x), (double)p);
}

static struct onnx_value *root_of(struct onnx_import *c, struct onnx_value *x, int64_t p)
{
	return p == 2 ? b_unary(c, IR_SQRT, x) : p == 1 ? x : b_with(c, IR_POW, x, 1.0 / (double)p);
}

static int lp_pool(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0);
	int64_t p = onnx_int(n, "p", 2);
	struct onnx_window w;

	if (p < 1)
		onnx_fail(c, -EINVAL, "p is %d", (int)p);
	if (c->rc || !onnx_window(c, n, x, NULL, &w))
		return c->rc;
	return onnx_out(c, n, 0, root_of(c, taps(c, IR_ADD, to_power(c, x, p), &w, 0), p));
}

static int global_lp_pool(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0);
	int64_t p = onnx_int(n, "p", 2);

	if (p < 1 || x->ndim < 2)
		onnx_fail(c, -EINVAL, "p is %d, %u axes", (int)p, x->ndim);
	if (c->rc)
		return c->rc;
	return onnx_out(c, n, 0, root_of(c, b_reduce(c, IR_SUM, to_power(c, x, p),
						     ((1u << x->ndim) - 1) & ~3u, true), p));
}

#define NEWEST 27

const struct onnx_operator onnx_pool[] = {
	{ "AveragePool", "", 1, NEWEST, 1, average_pool, 0,
	  "over three axes or with dilation: kernels of 512 elements" },
	{ "GlobalLpPool", "", 2, NEWEST, 1, global_lp_pool, 0, NULL },
	{ "LpPool", "", 2, NEWEST, 1, lp_pool, 0, "kernels of 512 elements" },
	{ "MaxPool", "", 1, NEWEST, 1, max_pool, 0,
	  "no indices; over three axes or with dilation: kernels of 512 elements" },
	{ 0 },
};
