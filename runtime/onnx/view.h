/* SPDX-License-Identifier: MIT */
/* Tensors seen as others with their axes in another order, and axes of extent 1 come or gone. */
#ifndef ACCEL_RUNTIME_ONNX_VIEW_H
#define ACCEL_RUNTIME_ONNX_VIEW_H

#include "runtime/ir/ir.h"

/**
 * struct layout_view - what a tensor is, in terms of another
 * @source: that other tensor; IR_NONE: the tensor is itself
 * @from: the source's axis that each axis is; -1: of extent 1, and none of the source's. Axes of the
 *	source that are nowhere here have extent 1.
 */
struct layout_view {
	uint32_t source;
	int8_t from[IR_MAX_DIMS];
};

/* view_same - no other order, no other extents */
bool view_same(const struct layout_view *v, const struct ir_tensor *t, const struct ir_tensor *source);

/* view_in_order - reshaping the source gives the tensor */
bool view_in_order(const struct layout_view *v, const struct ir_tensor *t);

/* The axis that the source's @axis is, -1: none. */
int view_axis(const struct layout_view *v, uint32_t ndim, uint32_t axis);

/**
 * view_reshape - the view of a tensor that is reshaped
 * @t: tensor, seen as @source by @v
 * @ndim, @shape: its new extents
 * @new_ndim, @new_shape: extents that the source has to get
 * @out: the reshaped tensor, in terms of that; @source is not set
 *
 * Return: false: axes would have to be joined that do not lie beside each other.
 */
bool view_reshape(const struct layout_view *v, const struct ir_tensor *t, const struct ir_tensor *source,
		  uint32_t ndim, const int32_t *shape, uint32_t *new_ndim, int32_t *new_shape,
		  struct layout_view *out);

/* view_units - @t as a view of @source if axes of extent 1 are all that differs. @out: @source is not set. */
bool view_units(const struct ir_tensor *t, const struct ir_tensor *source, struct layout_view *out);

/**
 * view_together - an order of the source's axes in which view_reshape() can join them
 * @perm: axis of the source that each is; the source's other axes stay as near to where they are as can be
 * @out: @t in terms of the source in that order; @source is not set
 *
 * Return: false: there is none.
 */
bool view_together(const struct layout_view *v, const struct ir_tensor *t, const struct ir_tensor *source,
		   uint32_t ndim, const int32_t *shape, int32_t *perm, struct layout_view *out);

#endif
