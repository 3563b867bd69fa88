/* SPDX-License-Identifier: MIT */
/* Operations as functions of values: what converters are written in. NULL in, NULL out. */
#ifndef ACCEL_RUNTIME_ONNX_BUILD_H
#define ACCEL_RUNTIME_ONNX_BUILD_H

#include "runtime/onnx/import.h"

/* Of the input's type and shape. */
struct onnx_value *b_unary(struct onnx_import *c, unsigned int kind, struct onnx_value *x);
struct onnx_value *b_unary_with(struct onnx_import *c, unsigned int kind,
				const struct ir_options *o, struct onnx_value *x);

/* Broadcast as NumPy does; of the type of @a. */
struct onnx_value *b_binary(struct onnx_import *c, unsigned int kind, struct onnx_value *a,
			    struct onnx_value *b);
struct onnx_value *b_compare(struct onnx_import *c, unsigned int kind, struct onnx_value *a,
			     struct onnx_value *b);

#define b_add(c, a, b)	b_binary(c, IR_ADD, a, b)
#define b_sub(c, a, b)	b_binary(c, IR_SUB, a, b)
#define b_mul(c, a, b)	b_binary(c, IR_MUL, a, b)
#define b_div(c, a, b)	b_binary(c, IR_DIV, a, b)

/* With a number, of the type of @a. */
struct onnx_value *b_with(struct onnx_import *c, unsigned int kind, struct onnx_value *a, double number);

/* Where @cond, broadcast; of the type of @a. */
struct onnx_value *b_select(struct onnx_import *c, struct onnx_value *cond, struct onnx_value *a,
			    struct onnx_value *b);

struct onnx_value *b_cast(struct onnx_import *c, struct onnx_value *x, int type);
struct onnx_value *b_reshape(struct onnx_import *c, struct onnx_value *x, uint32_t ndim,
			     const int32_t *shape);

/* Two axes: those before @axis and those from it on, joined. */
struct onnx_value *b_matrix(struct onnx_import *c, struct onnx_value *x, uint32_t axis);

/* Axis @i of the result is axis @perm[i] of @x. Nothing is made where nothing moves. */
struct onnx_value *b_transpose(struct onnx_import *c, struct onnx_value *x, const int32_t *perm);

/* An axis moved to another place, the others keep their order. */
struct onnx_value *b_move_axis(struct onnx_import *c, struct onnx_value *x, uint32_t from, uint32_t to);

/* From [N, C, ...] to [N, ..., C] and back. */
struct onnx_value *b_channels_last(struct onnx_import *c, struct onnx_value *x);
struct onnx_value *b_channels_first(struct onnx_import *c, struct onnx_value *x);

/* Over axes whose bits are set. */
struct onnx_value *b_reduce(struct onnx_import *c, unsigned int kind, struct onnx_value *x,
			    uint32_t axes, bool keep);
struct onnx_value *b_broadcast(struct onnx_import *c, struct onnx_value *x, uint32_t ndim,
			       const int32_t *shape);

/* @begin, @end, @step of each axis, all inside, @end exclusive; step may be negative, end then -1 at least. */
struct onnx_value *b_strided(struct onnx_import *c, struct onnx_value *x, const int32_t *begin,
			     const int32_t *end, const int32_t *step);

/* Elements [@from, @from + @count) of an axis. */
struct onnx_value *b_slice(struct onnx_import *c, struct onnx_value *x, uint32_t axis, int32_t from,
			   int32_t count);
struct onnx_value *b_concat(struct onnx_import *c, uint32_t axis, uint32_t count,
			    struct onnx_value *const *list);

/* @pads: before and after each axis; negative: cut. @value NULL: zero. */
struct onnx_value *b_pad(struct onnx_import *c, struct onnx_value *x, const int32_t *pads,
			 struct onnx_value *value);

/* Matrices in the last two axes, the others broadcast; a constant second one becomes FULLY_CONNECTED. */
struct onnx_value *b_matmul(struct onnx_import *c, struct onnx_value *a, struct onnx_value *b);

/* @x by the rows of @w, [outputs][inputs], along the last axis; @bias may be NULL. */
struct onnx_value *b_linear(struct onnx_import *c, struct onnx_value *x, struct onnx_value *w,
			    struct onnx_value *bias);
struct onnx_value *b_gather(struct onnx_import *c, struct onnx_value *x, struct onnx_value *indices,
			    uint32_t axis);

/* Over the last axis, or another. */
struct onnx_value *b_softmax(struct onnx_import *c, unsigned int kind, struct onnx_value *x, uint32_t axis);

/* Extents after broadcasting; the import fails if they do not fit. */
bool b_broadcast_shape(struct onnx_import *c, const struct onnx_value *a, const struct onnx_value *b,
		       uint32_t *ndim, int32_t *shape);

#endif
