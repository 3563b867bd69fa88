/* SPDX-License-Identifier: MIT */
/* Kernels that slide over the axes behind batch and channels: strides, dilations, padding, extents. */
#include "runtime/onnx/window.h"

#include <errno.h>
#include <string.h>

#include "runtime/onnx/build.h"

#define EXTENT_MAX	(1 << 20)	/* of kernels, strides, dilations and paddings */
#define INPUT_MAX	(1 << 28)	/* of the input: with those added it still is one of 32 bits */

/* A list with an entry an axis, or the default for all. */
static void list_or(struct onnx_import *c, const struct onnx_node *n, const char *name, uint32_t axes,
		    int32_t low, int32_t dflt, int32_t *list)
{
	uint32_t count = onnx_ints(c, n, name, list, axes);

	if (!count)
		for (count = 0; count < axes; count++)
			list[count] = dflt;
	if (count != axes)
		onnx_fail(c, -EINVAL, "%s has %u elements for %u axes", name, count, axes);
	for (uint32_t i = 0; i < axes && !c->rc; i++)
		if (list[i] < low || list[i] > EXTENT_MAX)
			onnx_fail(c, -ENOTSUP, "%s of %d", name, list[i]);
}

bool onnx_window_attributes(struct onnx_import *c, const struct onnx_node *n, const struct onnx_value *x,
			    const int32_t *size, struct onnx_window *w)
{
	int32_t pads[2 * ONNX_MAX_SPATIAL];

	memset(w, 0, sizeof(*w));
	if (x->ndim < 3) {
		onnx_fail(c, -EINVAL, "an input of %u axes", x->ndim);
		return false;
	}
	w->axes = x->ndim - 2;
	list_or(c, n, "kernel_shape", w->axes, 0, 0, w->size);
	if (c->rc)
		return false;
	for (uint32_t i = 0; i < w->axes && size; i++) {
		if (onnx_has(n, "kernel_shape") && w->size[i] != size[i])
			onnx_fail(c, -EINVAL, "kernel_shape is not that of the weights");
		w->size[i] = size[i];
	}
	list_or(c, n, "strides", w->axes, 1, 1, w->stride);
	list_or(c, n, "dilations", w->axes, 1, 1, w->dilation);
	list_or(c, n, "pads", 2 * w->axes, -EXTENT_MAX, 0, pads);
	for (uint32_t i = 0; i < w->axes && !c->rc; i++) {
		int64_t reach = (int64_t)(w->size[i] - 1) * w->dilation[i] + 1;

		if (w->size[i] < 1 || reach > 1 << 24)
			onnx_fail(c, -ENOTSUP, "a kernel of extent %d", w->size[i]);
		if (x->shape[i + 2] > INPUT_MAX)
			onnx_fail(c, -ENOTSUP, "an input of extent %d", x->shape[i + 2]);
		w->reach[i] = (int32_t)reach;
		w->before[i] = pads[i];
		w->after[i] = pads[i + w->axes];
		w->in[i] = x->shape[i + 2];
	}
	return !c->rc;
}

bool onnx_window(struct onnx_import *c, const struct onnx_node *n, const struct onnx_value *x,
		 const int32_t *size, struct onnx_window *w)
{
	const char *auto_pad = onnx_string(c, n, "auto_pad", "NOTSET");
	bool same = !strncmp(auto_pad, "SAME", 4), up = onnx_int(n, "ceil_mode", 0);

	if (!onnx_window_attributes(c, n, x, size, w))
		return false;
	for (uint32_t i = 0; i < w->axes; i++) {
		int64_t in = w->in[i], stride = w->stride[i], out, rest;

		if (same) {
			out = (in + stride - 1) / stride;
			rest = (out - 1) * stride + w->reach[i] - in;
			rest = rest > 0 ? rest : 0;
			w->before[i] = (int32_t)(strcmp(auto_pad, "SAME_LOWER") ? rest / 2 : rest - rest / 2);
			w->after[i] = (int32_t)(rest - w->before[i]);
		} else if (!strcmp(auto_pad, "VALID")) {
			w->before[i] = w->after[i] = 0;
		}
		rest = in + w->before[i] + w->after[i] - w->reach[i];
		if (rest < 0) {
			onnx_fail(c, -EINVAL, "a kernel of %d over %d elements", w->reach[i],
				  (int)(in + w->before[i] + w->after[i]));
			return false;
		}
		out = (rest + (up && !same ? stride - 1 : 0)) / stride + 1;
		/* No window begins behind the input. */
		if (up && !same && (out - 1) * stride >= in + w->before[i])
			out--;
		if (up && !same) {
			rest = (out - 1) * stride + w->reach[i] - in - w->before[i];
			w->after[i] = rest > 0 ? (int32_t)rest : 0;
		}
		w->out[i] = (int32_t)out;
	}
	return true;
}

/* The padding that TFLite calls SAME. */
static bool is_same(const struct onnx_window *w, uint32_t i)
{
	int64_t need = (int64_t)(w->out[i] - 1) * w->stride[i] + w->reach[i] - w->in[i];

	need = need > 0 ? need : 0;
	return w->out[i] == (w->in[i] + w->stride[i] - 1) / w->stride[i] && w->before[i] == need / 2 &&
	       w->after[i] == need - need / 2;
}

void onnx_window_options(const struct onnx_window *w, struct ir_options *o)
{
	uint32_t last = w->axes - 1;
	bool same = is_same(w, last), none = !w->before[last] && !w->after[last];

	o->stride_w = w->stride[last];
	o->dilation_w = w->dilation[last];
	o->stride_h = o->dilation_h = 1;
	if (w->axes == 2) {
		o->stride_h = w->stride[0];
		o->dilation_h = w->dilation[0];
		same = same && is_same(w, 0);
		none = none && !w->before[0] && !w->after[0];
	}
	o->padding = same && !none ? IR_PADDING_SAME : IR_PADDING_VALID;
	if (same || none)
		return;
	o->pad_left = w->before[last];
	o->pad_right = w->after[last];
	o->pad_top = w->axes == 2 ? w->before[0] : 0;
	o->pad_bottom = w->axes == 2 ? w->after[0] : 0;
}

struct onnx_value *onnx_to_nhwc(struct onnx_import *c, struct onnx_value *x)
{
	x = b_channels_last(c, x);
	if (!x || x->ndim == 4)
		return x;
	return b_reshape(c, x, 4, (int32_t[]){ x->shape[0], 1, x->shape[1], x->shape[2] });
}

struct onnx_value *onnx_from_nhwc(struct onnx_import *c, struct onnx_value *x, uint32_t axes)
{
	if (x && axes == 1)
		x = b_reshape(c, x, 3, (int32_t[]){ x->shape[0], x->shape[2], x->shape[3] });
	return x ? b_channels_first(c, x) : NULL;
}
