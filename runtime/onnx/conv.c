/* SPDX-License-Identifier: MIT */
/* Convolutions over one and two axes. */
#include <errno.h>
#include <string.h>

#include "runtime/onnx/build.h"
#include "runtime/onnx/conv.h"
#include "runtime/onnx/window.h"

/* Weights [M, C, L] or [M, C, H, W] to [M, H, W, C]. */
static struct onnx_value *weights_last(struct onnx_import *c, struct onnx_value *w)
{
	return onnx_to_nhwc(c, w);
}

static struct onnx_value *convolve(struct onnx_import *c, unsigned int kind, const struct ir_options *o,
				   struct onnx_value *x, struct onnx_value *w, struct onnx_value *bias,
				   const int32_t *shape)
{
	struct onnx_value *in[3] = { x, w, bias };

	return onnx_op(c, kind, o, bias ? 3 : 2, in, x ? x->type : 0, 4, shape);
}

/* What the padding takes away where it is negative. */
static struct onnx_value *crop(struct onnx_import *c, struct onnx_value *x, struct onnx_window *w)
{
	int32_t pads[2 * IR_MAX_DIMS] = { 0 };

	for (uint32_t i = 0; i < w->axes; i++) {
		pads[2 + i] = w->before[i] < 0 ? w->before[i] : 0;
		pads[4 + w->axes + i] = w->after[i] < 0 ? w->after[i] : 0;
		w->in[i] += pads[2 + i] + pads[4 + w->axes + i];
		w->before[i] -= pads[2 + i];
		w->after[i] -= pads[4 + w->axes + i];
	}
	return b_pad(c, x, pads, NULL);
}

struct onnx_value *onnx_convolve(struct onnx_import *c, const struct onnx_node *n, struct onnx_value *x,
				 struct onnx_value *w, struct onnx_value *bias)
{
	struct ir_options o = { 0 };
	struct onnx_window v;
	int64_t groups = onnx_int(n, "group", 1);
	unsigned int kind = IR_CONV_2D;
	int32_t shape[4];

	if (!x || !w)
		return NULL;
	if (x->ndim != w->ndim || x->ndim < 3)
		return onnx_fail(c, -EINVAL, "an input of %u axes, weights of %u", x->ndim, w->ndim);
	if (x->ndim > 4)
		return onnx_fail(c, -ENOTSUP, "a convolution over %u axes", x->ndim - 2);
	if (groups < 1 || groups > INT32_MAX || groups * w->shape[1] != x->shape[1] || w->shape[0] % groups)
		return onnx_fail(c, -EINVAL, "%d channels in %d groups do not fit weights for %d",
				 x->shape[1], (int)groups, w->shape[1]);
	if (bias && (bias->ndim != 1 || bias->shape[0] != w->shape[0]))
		return onnx_fail(c, -EINVAL, "a bias that is not one of %d channels", w->shape[0]);
	if (!onnx_window(c, n, x, w->shape + 2, &v))
		return NULL;
	shape[0] = x->shape[0];
	shape[1] = v.axes == 2 ? v.out[0] : 1;
	shape[2] = v.out[v.axes - 1];
	shape[3] = w->shape[0];
	x = crop(c, x, &v);
	x = onnx_to_nhwc(c, x);
	onnx_window_options(&v, &o);
	w = weights_last(c, w);
	if (groups > 1 && w && w->shape[3] == 1) {
		kind = IR_DEPTHWISE_CONV_2D;
		o.depth_multiplier = w->shape[0] / (int32_t)groups;
		w = b_reshape(c, b_transpose(c, w, (int32_t[]){ 3, 1, 2, 0 }), 4,
			      (int32_t[]){ 1, w->shape[1], w->shape[2], w->shape[0] });
	}
	return onnx_from_nhwc(c, convolve(c, kind, &o, x, w, bias, shape), v.axes);
}

static int conv(struct onnx_import *c, const struct onnx_node *n)
{
	return onnx_out(c, n, 0, onnx_convolve(c, n, onnx_in(n, 0), onnx_in(n, 1), onnx_in(n, 2)));
}

/* Zeros between the taps of a kernel [C, M, H, W]: an axis behind each is padded to the dilation. */
static struct onnx_value *dilate(struct onnx_import *c, struct onnx_value *w, int32_t y, int32_t x)
{
	int32_t a, b, h, v;

	if (!w || (y == 1 && x == 1))
		return w;
	a = w->shape[0];
	b = w->shape[1];
	h = w->shape[2];
	v = w->shape[3];
	w = b_reshape(c, w, 6, (int32_t[]){ a, b, h, 1, v, 1 });
	w = b_pad(c, w, (int32_t[]){ 0, 0, 0, 0, 0, 0, 0, 0, 0, y - 1, 0, x - 1 }, NULL);
	w = w ? b_reshape(c, w, 4, (int32_t[]){ a, b, h * y, v * x }) : NULL;
	w = b_slice(c, w, 2, 0, (h - 1) * y + 1);
	return b_slice(c, w, 3, 0, (v - 1) * x + 1);
}

/* Padding and extents of a transposed convolution: padding is what is cut off. */
static bool transposed_extents(struct onnx_import *c, const struct onnx_node *n, struct onnx_window *w)
{
	const char *auto_pad = onnx_string(c, n, "auto_pad", "NOTSET");
	int32_t more[ONNX_MAX_SPATIAL] = { 0 }, want[ONNX_MAX_SPATIAL];
	bool same = !strncmp(auto_pad, "SAME", 4), given = onnx_has(n, "output_shape");

	onnx_ints(c, n, "output_padding", more, w->axes);
	if (given && onnx_ints(c, n, "output_shape", want, w->axes) != w->axes)
		onnx_fail(c, -EINVAL, "output_shape has not %u elements", w->axes);
	for (uint32_t i = 0; i < w->axes && !c->rc; i++) {
		int64_t full = (int64_t)w->stride[i] * (w->in[i] - 1) + w->reach[i] + more[i], cut, out;

		if (given || same) {
			out = given ? want[i] : (int64_t)w->in[i] * w->stride[i];
			cut = full - out;
			/* Halves toward minus infinity: what there is too little of is added behind. */
			w->before[i] = (int32_t)(strcmp(auto_pad, "SAME_UPPER") ? cut - (cut >> 1)
										: cut >> 1);
			w->after[i] = (int32_t)(cut - w->before[i]);
		}
		out = full - w->before[i] - w->after[i];
		if (more[i] < 0 || more[i] > 1 << 20 || out < 1 || out > 1 << 24 || full > 1 << 24)
			onnx_fail(c, -ENOTSUP, "an output extent of %d", (int)out);
		w->out[i] = (int32_t)out;
	}
	return !c->rc;
}

/* One group: the whole of what the kernel writes, of which a part is the output. */
static struct onnx_value *transposed(struct onnx_import *c, struct onnx_value *x, struct onnx_value *w,
				     const struct onnx_window *v)
{
	struct ir_options o = { .padding = IR_PADDING_VALID,
				.stride_h = v->stride[0],
				.stride_w = v->stride[1] };
	int32_t shape[4], pads[8] = { 0 };

	if (!x || !w)
		return NULL;
	shape[0] = x->shape[0];
	shape[1] = v->stride[0] * (v->in[0] - 1) + v->reach[0];
	shape[2] = v->stride[1] * (v->in[1] - 1) + v->reach[1];
	shape[3] = w->shape[1];
	x = onnx_to_nhwc(c, x);
	w = b_transpose(c, dilate(c, w, v->dilation[0], v->dilation[1]), (int32_t[]){ 1, 2, 3, 0 });
	x = onnx_op(c, IR_TRANSPOSE_CONV, &o, 3, (struct onnx_value *[]){ onnx_i32(c, 4, shape), w, x },
		    ELEM_FLOAT32, 4, shape);
	pads[1] = -v->before[0];
	pads[2] = -v->before[1];
	pads[5] = v->out[0] - shape[1] + v->before[0];
	pads[6] = v->out[1] - shape[2] + v->before[1];
	return b_pad(c, x, pads, NULL);
}

/* An axis of extent 1 before the last. */
static struct onnx_value *add_row(struct onnx_import *c, struct onnx_value *x)
{
	return b_reshape(c, x, 4, (int32_t[]){ x->shape[0], x->shape[1], 1, x->shape[2] });
}

static int conv_transpose(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0), *w = onnx_in(n, 1), *bias = onnx_in(n, 2), **parts;
	int64_t groups = onnx_int(n, "group", 1);
	struct onnx_window v;
	bool line = x->ndim == 3;

	if (x->ndim != w->ndim || x->ndim < 3 || groups < 1 || groups > INT32_MAX ||
	    x->shape[1] != w->shape[0] || w->shape[0] % groups)
		onnx_fail(c, -EINVAL, "weights do not fit the input");
	else if (x->ndim > 4)
		onnx_fail(c, -ENOTSUP, "a convolution over %u axes", x->ndim - 2);
	if (c->rc || !onnx_window_attributes(c, n, x, w->shape + 2, &v) || !transposed_extents(c, n, &v))
		return c->rc;
	if (line) {
		/* One row. */
		const struct onnx_window flat = v;

		v = (struct onnx_window){ 2,
					  { 1, flat.size[0] },
					  { 1, flat.reach[0] },
					  { 1, flat.stride[0] },
					  { 1, flat.dilation[0] },
					  { 0, flat.before[0] },
					  { 0, flat.after[0] },
					  { 1, flat.in[0] },
					  { 1, flat.out[0] } };
		x = add_row(c, x);
		w = add_row(c, w);
	}
	parts = ir_alloc(c->g, (size_t)groups * sizeof(struct onnx_value *));
	if (!parts || !x || !w)
		return onnx_fail(c, -ENOMEM, "out of memory"), c->rc;
	for (int32_t i = 0; i < (int32_t)groups && !c->rc; i++) {
		int32_t each = x->shape[1] / (int32_t)groups;

		parts[i] = transposed(c, b_slice(c, x, 1, i * each, each),
				      b_slice(c, w, 0, i * each, each), &v);
	}
	x = c->rc ? NULL : b_concat(c, 3, (uint32_t)groups, parts);
	x = bias ? b_add(c, x, bias) : x;
	return onnx_out(c, n, 0, onnx_from_nhwc(c, x, line ? 1 : 2));
}

#define NEWEST 27

const struct onnx_operator onnx_conv[] = {
	{ "Conv", "", 1, NEWEST, 2, conv, 0, "over one or two axes" },
	{ "ConvTranspose", "", 1, NEWEST, 2, conv_transpose, 0, "over one or two axes" },
	{ 0 },
};
