/* SPDX-License-Identifier: MIT */
/* Operations as functions of values. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "runtime/onnx/build.h"

#define OP(c, kind, o, type, ndim, shape, ...) \
	onnx_op(c, kind, o, sizeof((struct onnx_value *[]){ __VA_ARGS__ }) / sizeof(struct onnx_value *), \
		(struct onnx_value *[]){ __VA_ARGS__ }, type, ndim, shape)

struct onnx_value *b_unary_with(struct onnx_import *c, unsigned int kind,
				const struct ir_options *o, struct onnx_value *x)
{
	return x ? OP(c, kind, o, x->type, x->ndim, x->shape, x) : NULL;
}

struct onnx_value *b_unary(struct onnx_import *c, unsigned int kind, struct onnx_value *x)
{
	return b_unary_with(c, kind, NULL, x);
}

bool b_broadcast_shape(struct onnx_import *c, const struct onnx_value *a, const struct onnx_value *b,
		       uint32_t *ndim, int32_t *shape)
{
	uint32_t n = a->ndim > b->ndim ? a->ndim : b->ndim;

	for (uint32_t i = 0; i < n; i++) {
		int32_t x = i + a->ndim >= n ? a->shape[i + a->ndim - n] : 1;
		int32_t y = i + b->ndim >= n ? b->shape[i + b->ndim - n] : 1;

		if (x != y && x != 1 && y != 1) {
			onnx_fail(c, -EINVAL, "extents of %d and %d do not fit", x, y);
			return false;
		}
		shape[i] = x == 1 ? y : x;
	}
	*ndim = n;
	return true;
}

static struct onnx_value *two(struct onnx_import *c, unsigned int kind, struct onnx_value *a,
			      struct onnx_value *b, bool compare)
{
	int32_t shape[IR_MAX_DIMS] = { 0 };
	uint32_t ndim;

	if (!a || !b || !b_broadcast_shape(c, a, b, &ndim, shape))
		return NULL;
	if (a->type != b->type)
		return onnx_fail(c, -EINVAL, "operands of types %s and %s", elem_name(a->type),
				 elem_name(b->type));
	return OP(c, kind, NULL, compare ? ELEM_BOOL : a->type, ndim, shape, a, b);
}

struct onnx_value *b_binary(struct onnx_import *c, unsigned int kind, struct onnx_value *a,
			    struct onnx_value *b)
{
	return two(c, kind, a, b, false);
}

struct onnx_value *b_compare(struct onnx_import *c, unsigned int kind, struct onnx_value *a,
			     struct onnx_value *b)
{
	return two(c, kind, a, b, true);
}

struct onnx_value *b_with(struct onnx_import *c, unsigned int kind, struct onnx_value *a, double number)
{
	return a ? b_binary(c, kind, a, onnx_scalar(c, a->type, number)) : NULL;
}

struct onnx_value *b_select(struct onnx_import *c, struct onnx_value *cond, struct onnx_value *a,
			    struct onnx_value *b)
{
	int32_t shape[IR_MAX_DIMS] = { 0 };
	struct onnx_value both;
	uint32_t ndim;

	if (!cond || !a || !b)
		return NULL;
	if (a->type != b->type || cond->type != ELEM_BOOL)
		return onnx_fail(c, -EINVAL, "operands of types %s, %s and %s", elem_name(cond->type),
				 elem_name(a->type), elem_name(b->type));
	both = (struct onnx_value){ .type = a->type };
	if (!b_broadcast_shape(c, a, b, &both.ndim, both.shape) ||
	    !b_broadcast_shape(c, cond, &both, &ndim, shape))
		return NULL;
	return OP(c, IR_SELECT_V2, NULL, a->type, ndim, shape, cond, a, b);
}

struct onnx_value *b_cast(struct onnx_import *c, struct onnx_value *x, int type)
{
	if (!x || x->type == type)
		return x;
	return OP(c, IR_CAST, NULL, type, x->ndim, x->shape, x);
}

/* The axis of @v that axis @axis of @x is after a reshape, -1: none. */
static int32_t axis_after(const struct onnx_value *x, int32_t axis, const struct onnx_value *v)
{
	size_t before = 1, at = 1;

	for (int32_t i = 0; i < axis; i++)
		before *= (size_t)x->shape[i];
	for (uint32_t i = 0; i < v->ndim; at *= (size_t)v->shape[i++])
		if (at == before && v->shape[i] == x->shape[axis])
			return (int32_t)i;
	return -1;
}

/* What a constant's numbers stand for is reshaped with them, where its scales allow. */
static void reshape_integers(struct onnx_import *c, const struct onnx_value *x, struct onnx_value *v)
{
	struct ir_quant quant = x->quant;

	if (!x->integers)
		return;
	if (quant.count > 1)
		quant.axis = axis_after(x, quant.axis, v);
	if (quant.axis < 0)
		return;
	v->integers = b_reshape(c, x->integers, v->ndim, v->shape);
	v->quant = quant;
}

struct onnx_value *b_reshape(struct onnx_import *c, struct onnx_value *x, uint32_t ndim,
			     const int32_t *shape)
{
	struct onnx_value *v;

	if (!x)
		return NULL;
	if (ndim == x->ndim && (!ndim || !memcmp(shape, x->shape, ndim * sizeof(*shape))))
		return x;
	v = onnx_value_new(c, x->type, ndim, shape);
	if (!v)
		return NULL;
	if (onnx_count(v) != onnx_count(x))
		return onnx_fail(c, -EINVAL, "%zu elements become %zu", onnx_count(x), onnx_count(v));
	if (x->data) {
		v->data = x->data;
		reshape_integers(c, x, v);
		return v;
	}
	if (!ndim)
		return OP(c, IR_RESHAPE, NULL, x->type, ndim, shape, x);
	return OP(c, IR_RESHAPE, NULL, x->type, ndim, shape, x, onnx_i32(c, ndim, shape));
}

struct onnx_value *b_matrix(struct onnx_import *c, struct onnx_value *x, uint32_t axis)
{
	int64_t joined[2] = { 1, 1 };

	if (!x)
		return NULL;
	for (uint32_t i = 0; i < x->ndim; i++) {
		joined[i >= axis] *= x->shape[i];
		/* Beside an extent of 0 the others may be anything. */
		if (joined[i >= axis] > INT32_MAX)
			return onnx_fail(c, -ENOTSUP, "an extent of %lld", (long long)joined[i >= axis]);
	}
	return b_reshape(c, x, 2, (int32_t[]){ (int32_t)joined[0], (int32_t)joined[1] });
}

struct onnx_value *b_transpose(struct onnx_import *c, struct onnx_value *x, const int32_t *perm)
{
	int32_t shape[IR_MAX_DIMS] = { 0 };
	struct onnx_value *v;
	bool moves = false;

	if (!x)
		return NULL;
	for (uint32_t i = 0; i < x->ndim; i++) {
		shape[i] = x->shape[perm[i]];
		moves = moves || perm[i] != (int32_t)i;
	}
	if (!moves)
		return x;
	v = OP(c, IR_TRANSPOSE, NULL, x->type, x->ndim, shape, x, onnx_i32(c, x->ndim, perm));
	if (!v || !v->data || !x->integers)
		return v;
	v->integers = b_transpose(c, x->integers, perm);
	v->quant = x->quant;
	for (uint32_t i = 0; i < x->ndim && x->quant.count > 1; i++)
		if (perm[i] == x->quant.axis)
			v->quant.axis = (int32_t)i;
	return v;
}

struct onnx_value *b_move_axis(struct onnx_import *c, struct onnx_value *x, uint32_t from, uint32_t to)
{
	int32_t perm[IR_MAX_DIMS];
	uint32_t n = 0;

	if (!x)
		return NULL;
	for (uint32_t i = 0; i < x->ndim; i++) {
		n += n == from;
		perm[i] = i == to ? (int32_t)from : (int32_t)n++;
	}
	return b_transpose(c, x, perm);
}

struct onnx_value *b_channels_last(struct onnx_import *c, struct onnx_value *x)
{
	return x ? b_move_axis(c, x, 1, x->ndim - 1) : NULL;
}

struct onnx_value *b_channels_first(struct onnx_import *c, struct onnx_value *x)
{
	return x ? b_move_axis(c, x, x->ndim - 1, 1) : NULL;
}

/* The sum, product or extreme of no elements, everywhere. */
static struct onnx_value *of_nothing(struct onnx_import *c, unsigned int kind, int type, uint32_t ndim,
				     const int32_t *shape)
{
	static const struct { unsigned int kind; double value;
	} neutral[] = {
		{ IR_SUM, 0 },
		{ IR_REDUCE_PROD, 1 },
		{ IR_REDUCE_MAX, -INFINITY },
		{ IR_REDUCE_MIN, INFINITY },
		{ IR_REDUCE_ANY, 0 },
		{ IR_REDUCE_ALL, 1 },
	};
	struct onnx_value *v = NULL;

	for (size_t i = 0; i < sizeof(neutral) / sizeof(neutral[0]); i++)
		if (neutral[i].kind == kind)
			v = onnx_scalar(c, type, neutral[i].value);
	if (!v)
		return onnx_fail(c, -ENOTSUP, "the mean of no elements");
	if (type != ELEM_FLOAT32 && (kind == IR_REDUCE_MAX || kind == IR_REDUCE_MIN))
		return onnx_fail(c, -ENOTSUP, "the extreme of no whole numbers");
	return b_broadcast(c, v, ndim, shape);
}

struct onnx_value *b_reduce(struct onnx_import *c, unsigned int kind, struct onnx_value *x,
			    uint32_t axes, bool keep)
{
	struct ir_options o = { .keep_dims = keep };
	int32_t shape[IR_MAX_DIMS] = { 0 }, list[IR_MAX_DIMS] = { 0 };
	uint32_t ndim = 0, count = 0;

	if (!x)
		return NULL;
	for (uint32_t i = 0; i < x->ndim; i++) {
		if (axes & (1u << i))
			list[count++] = (int32_t)i;
		if (!(axes & (1u << i)))
			shape[ndim++] = x->shape[i];
		else if (keep)
			shape[ndim++] = 1;
	}
	if (!count)
		return x;
	if (!onnx_count(x))
		return of_nothing(c, kind, x->type, ndim, shape);
	return OP(c, kind, &o, x->type, ndim, shape, x, onnx_i32(c, count, list));
}

struct onnx_value *b_broadcast(struct onnx_import *c, struct onnx_value *x, uint32_t ndim,
			       const int32_t *shape)
{
	if (!x || (ndim == x->ndim && (!ndim || !memcmp(shape, x->shape, ndim * sizeof(*shape)))))
		return x;
	return OP(c, IR_BROADCAST_TO, NULL, x->type, ndim, shape, x, onnx_i32(c, ndim, shape));
}

struct onnx_value *b_strided(struct onnx_import *c, struct onnx_value *x, const int32_t *begin,
			     const int32_t *end, const int32_t *step)
{
	int32_t shape[IR_MAX_DIMS] = { 0 };
	struct ir_options o = { 0 };
	bool same = true, plain = true;

	if (!x)
		return NULL;
	for (uint32_t i = 0; i < x->ndim; i++) {
		int64_t n = step[i] > 0 ? ((int64_t)end[i] - begin[i] + step[i] - 1) / step[i] :
					  ((int64_t)begin[i] - end[i] - step[i] - 1) / -(int64_t)step[i];

		shape[i] = n > 0 ? (int32_t)n : 0;
		same = same && step[i] == 1 && shape[i] == x->shape[i];
		plain = plain && step[i] == 1;
		if (step[i] < 0 && end[i] < 0)
			o.end_mask |= 1 << i;
	}
	if (same)
		return x;
	if (plain)
		return OP(c, IR_SLICE, NULL, x->type, x->ndim, shape, x, onnx_i32(c, x->ndim, begin),
			  onnx_i32(c, x->ndim, shape));
	return OP(c, IR_STRIDED_SLICE, &o, x->type, x->ndim, shape, x, onnx_i32(c, x->ndim, begin),
		  onnx_i32(c, x->ndim, end), onnx_i32(c, x->ndim, step));
}

struct onnx_value *b_slice(struct onnx_import *c, struct onnx_value *x, uint32_t axis, int32_t from,
			   int32_t count)
{
	int32_t begin[IR_MAX_DIMS] = { 0 }, end[IR_MAX_DIMS] = { 0 }, step[IR_MAX_DIMS] = { 0 };

	if (!x)
		return NULL;
	for (uint32_t i = 0; i < x->ndim; i++) {
		end[i] = x->shape[i];
		step[i] = 1;
	}
	begin[axis] = from;
	end[axis] = from + count;
	return b_strided(c, x, begin, end, step);
}

struct onnx_value *b_concat(struct onnx_import *c, uint32_t axis, uint32_t count,
			    struct onnx_value *const *list)
{
	struct ir_options o = { .axis = (int32_t)axis };
	struct onnx_value **used = ir_alloc(c->g, (count + 1) * sizeof(struct onnx_value *));
	int32_t shape[IR_MAX_DIMS] = { 0 };
	int64_t extent = 0;
	uint32_t n = 0;

	if (!used)
		return onnx_fail(c, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < count; i++) {
		if (!list[i])
			return NULL;
		if (list[i]->ndim != list[0]->ndim || list[i]->type != list[0]->type || axis >= list[i]->ndim)
			return onnx_fail(c, -EINVAL,
					 "input %u has another type or other axes than the first",
					 i);
		for (uint32_t d = 0; d < list[i]->ndim; d++)
			if (d != axis && list[i]->shape[d] != list[0]->shape[d])
				return onnx_fail(
					c, -EINVAL,
					"input %u has another extent of axis %u than the first", i,
					d);
		extent += list[i]->shape[axis];
		if (list[i]->shape[axis])
			used[n++] = list[i];
	}
	if (!count || extent > INT32_MAX)
		return onnx_fail(c, -EINVAL, "no inputs, or too many");
	if (n == 1)
		return used[0];
	memcpy(shape, list[0]->shape, sizeof(shape));
	shape[axis] = (int32_t)extent;
	return onnx_op(c, IR_CONCATENATION, &o, n, used, list[0]->type, list[0]->ndim, shape);
}

struct onnx_value *b_pad(struct onnx_import *c, struct onnx_value *x, const int32_t *pads,
			 struct onnx_value *value)
{
	int32_t begin[IR_MAX_DIMS] = { 0 }, end[IR_MAX_DIMS] = { 0 }, step[IR_MAX_DIMS] = { 0 };
	int32_t shape[IR_MAX_DIMS] = { 0 };
	int32_t list[2 * IR_MAX_DIMS];
	struct onnx_value *p;
	bool none = true;

	if (!x)
		return NULL;
	for (uint32_t i = 0; i < x->ndim; i++) {
		int32_t before = pads[i], after = pads[i + x->ndim];

		begin[i] = before < 0 ? -(before + 1) + 1 : 0;
		if (after <= -x->shape[i] || before <= -x->shape[i])
			return onnx_fail(c, -ENOTSUP, "padding that cuts everything away");
		end[i] = after < 0 ? x->shape[i] + after : x->shape[i];
		step[i] = 1;
		list[2 * i] = before > 0 ? before : 0;
		list[2 * i + 1] = after > 0 ? after : 0;
		none = none && !list[2 * i] && !list[2 * i + 1];
		if ((int64_t)end[i] - begin[i] + list[2 * i] + list[2 * i + 1] > INT32_MAX)
			return onnx_fail(c, -ENOTSUP, "more padding than fits");
		shape[i] = end[i] - begin[i] + list[2 * i] + list[2 * i + 1];
		if (end[i] <= begin[i])
			return onnx_fail(c, -ENOTSUP, "padding that cuts everything away");
	}
	x = b_strided(c, x, begin, end, step);
	if (!x || none)
		return x;
	p = onnx_constant(c, ELEM_INT32, 2, (int32_t[]){ (int32_t)x->ndim, 2 }, NULL);
	if (!p)
		return NULL;
	memcpy(onnx_constant_data(p), list, 2 * x->ndim * sizeof(*list));
	if (!value)
		return OP(c, IR_PAD, NULL, x->type, x->ndim, shape, x, p);
	return OP(c, IR_PADV2, NULL, x->type, x->ndim, shape, x, p, value);
}

struct onnx_value *b_linear(struct onnx_import *c, struct onnx_value *x, struct onnx_value *w,
			    struct onnx_value *bias)
{
	struct ir_options o = { .keep_dims = x && x->ndim > 2 };
	int32_t shape[IR_MAX_DIMS] = { 0 };

	if (!x || !w)
		return NULL;
	if (!x->ndim || w->ndim != 2 || x->shape[x->ndim - 1] != w->shape[1])
		return onnx_fail(c, -EINVAL, "matrices that do not fit");
	memcpy(shape, x->shape, sizeof(shape));
	shape[x->ndim - 1] = w->shape[0];
	if (bias)
		return OP(c, IR_FULLY_CONNECTED, &o, x->type, x->ndim, shape, x, w, bias);
	return OP(c, IR_FULLY_CONNECTED, &o, x->type, x->ndim, shape, x, w);
}

static struct onnx_value *with_axis(struct onnx_import *c, struct onnx_value *x, bool last)
{
	int32_t shape[2] = { last ? x->shape[0] : 1, last ? 1 : x->shape[0] };

	return b_reshape(c, x, 2, shape);
}

/* Product of matrices of two axes or more. */
static struct onnx_value *product(struct onnx_import *c, struct onnx_value *a, struct onnx_value *b)
{
	struct onnx_value left, right;
	int32_t shape[IR_MAX_DIMS], perm[2] = { 1, 0 };
	struct ir_options o = { 0 };
	uint32_t ndim;

	if (!a || !b)
		return NULL;
	if (a->shape[a->ndim - 1] != b->shape[b->ndim - 2])
		return onnx_fail(c, -EINVAL, "matrices of %d columns and %d rows", a->shape[a->ndim - 1],
				 b->shape[b->ndim - 2]);
	if (b->data && b->ndim == 2)
		return b_linear(c, a, b_transpose(c, b, perm), NULL);
	left = *a;
	right = *b;
	left.ndim -= 2;
	right.ndim -= 2;
	if (!b_broadcast_shape(c, &left, &right, &ndim, shape))
		return NULL;
	if (ndim + 2 > IR_MAX_DIMS)
		return onnx_fail(c, -ENOTSUP, "%u axes", ndim + 2);
	shape[ndim] = a->shape[a->ndim - 2];
	shape[ndim + 1] = b->shape[b->ndim - 1];
	return OP(c, IR_BATCH_MATMUL, &o, a->type, ndim + 2, shape, a, b);
}

struct onnx_value *b_matmul(struct onnx_import *c, struct onnx_value *a, struct onnx_value *b)
{
	int32_t shape[IR_MAX_DIMS] = { 0 };
	struct onnx_value *v;
	uint32_t ndim;

	if (!a || !b)
		return NULL;
	if (!a->ndim || !b->ndim || a->type != b->type)
		return onnx_fail(c, -EINVAL, "a matrix without axes, or matrices of two types");
	v = a->ndim == 1 ? with_axis(c, a, false) : a;
	v = product(c, v, b->ndim == 1 ? with_axis(c, b, true) : b);
	if (!v)
		return NULL;
	ndim = v->ndim;
	memcpy(shape, v->shape, sizeof(shape));
	if (b->ndim == 1)
		ndim--;
	if (a->ndim == 1) {
		shape[ndim - (b->ndim == 1 ? 1 : 2)] = shape[ndim - 1];
		ndim--;
	}
	return b_reshape(c, v, ndim, shape);
}

struct onnx_value *b_gather(struct onnx_import *c, struct onnx_value *x, struct onnx_value *indices,
			    uint32_t axis)
{
	struct ir_options o = { .axis = (int32_t)axis };
	int32_t shape[2 * IR_MAX_DIMS];
	uint32_t ndim = 0;

	if (!x || !indices)
		return NULL;
	for (uint32_t i = 0; i < axis; i++)
		shape[ndim++] = x->shape[i];
	for (uint32_t i = 0; i < indices->ndim; i++)
		shape[ndim++] = indices->shape[i];
	for (uint32_t i = axis + 1; i < x->ndim; i++)
		shape[ndim++] = x->shape[i];
	return OP(c, IR_GATHER, &o, x->type, ndim, shape, x, indices);
}

struct onnx_value *b_softmax(struct onnx_import *c, unsigned int kind, struct onnx_value *x, uint32_t axis)
{
	struct ir_options o = { .beta = 1 };

	if (!x)
		return NULL;
	x = b_move_axis(c, x, axis, x->ndim - 1);
	x = b_unary_with(c, kind, &o, x);
	return x ? b_move_axis(c, x, x->ndim - 1, axis) : NULL;
}
