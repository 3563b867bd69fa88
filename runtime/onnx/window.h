/* SPDX-License-Identifier: MIT */
/* Kernels that slide over the axes behind batch and channels: strides, dilations, padding, extents. */
#ifndef ACCEL_RUNTIME_ONNX_WINDOW_H
#define ACCEL_RUNTIME_ONNX_WINDOW_H

#include "runtime/onnx/import.h"

#define ONNX_MAX_SPATIAL	(IR_MAX_DIMS - 2)

/**
 * struct onnx_window - a kernel over @axes axes
 * @size: of the kernel, without dilation; @reach: with it
 * @before, @after: padding
 * @in, @out: extents
 */
struct onnx_window {
	uint32_t axes;
	int32_t size[ONNX_MAX_SPATIAL], reach[ONNX_MAX_SPATIAL];
	int32_t stride[ONNX_MAX_SPATIAL], dilation[ONNX_MAX_SPATIAL];
	int32_t before[ONNX_MAX_SPATIAL], after[ONNX_MAX_SPATIAL];
	int32_t in[ONNX_MAX_SPATIAL], out[ONNX_MAX_SPATIAL];
};

/**
 * onnx_window - from a node's attributes
 * @x: what it slides over, [N, C, ...]
 * @size: of the kernel, NULL: by the attribute kernel_shape
 *
 * With ceil_mode @after grows as far as the last window reaches.
 *
 * Return: false: the import has failed.
 */
bool onnx_window(struct onnx_import *c, const struct onnx_node *n, const struct onnx_value *x,
		 const int32_t *size, struct onnx_window *w);

/* Strides, dilations, pads and their defaults, no extents of the output yet. */
bool onnx_window_attributes(struct onnx_import *c, const struct onnx_node *n, const struct onnx_value *x,
			    const int32_t *size, struct onnx_window *w);

/* Strides, dilations and padding of two axes at most, as TFLite has them. */
void onnx_window_options(const struct onnx_window *w, struct ir_options *o);

/* [N, C, L] or [N, C, H, W] to NHWC, and back. */
struct onnx_value *onnx_to_nhwc(struct onnx_import *c, struct onnx_value *x);
struct onnx_value *onnx_from_nhwc(struct onnx_import *c, struct onnx_value *x, uint32_t axes);

#endif
