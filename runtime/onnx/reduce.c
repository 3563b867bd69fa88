/* SPDX-License-Identifier: MIT */
/* Reductions, and where extremes are. */
#include <errno.h>
#include <math.h>

#include "runtime/onnx/build.h"

/* Axes by attribute or operand; @ok false: none are named, and that means none. */
static uint32_t axes_of(struct onnx_import *c, const struct onnx_node *n, const struct onnx_value *x)
{
	int32_t list[IR_MAX_DIMS];
	uint32_t count = onnx_list(c, n, "axes", 1, list, IR_MAX_DIMS), axes = 0;

	for (uint32_t i = 0; i < count && !c->rc; i++)
		axes |= 1u << onnx_axis(c, list[i], x->ndim);
	if (!count && !onnx_int(n, "noop_with_empty_axes", 0))
		axes = (1u << x->ndim) - 1;
	return axes;
}

/* What goes before and after the sum, product or extreme. */
enum { PLAIN, ABS, SQUARED, ROOT, LOG, LOG_EXP };

static struct onnx_value *before(struct onnx_import *c, struct onnx_value *x, int how)
{
	switch (how) {
	case ABS:
		return b_unary(c, IR_ABS, x);
	case SQUARED:
	case ROOT:
		return b_mul(c, x, x);
	default:
		return x;
	}
}

/* log(sum(exp(x))) with the greatest taken out, lest it overflow. */
static struct onnx_value *log_sum_exp(struct onnx_import *c, struct onnx_value *x, uint32_t axes, bool keep)
{
	struct onnx_value *top = b_reduce(c, IR_REDUCE_MAX, x, axes, true), *sum;

	sum = b_reduce(c, IR_SUM, b_unary(c, IR_EXP, b_sub(c, x, top)), axes, true);
	sum = b_add(c, b_unary(c, IR_LOG, sum), top);
	return sum && !keep ? b_reduce(c, IR_REDUCE_MAX, sum, axes, false) : sum;
}

static int reduce(struct onnx_import *c, const struct onnx_node *n, unsigned int kind, int how)
{
	struct onnx_value *x = onnx_in(n, 0);
	bool keep = onnx_int(n, "keepdims", 1);
	uint32_t axes = axes_of(c, n, x);

	if (c->rc)
		return c->rc;
	if (how == LOG_EXP && axes)
		return onnx_out(c, n, 0, log_sum_exp(c, x, axes, keep));
	if (x->type == ELEM_BOOL)
		kind = kind == IR_REDUCE_MAX ? IR_REDUCE_ANY : kind == IR_REDUCE_MIN ? IR_REDUCE_ALL : kind;
	x = b_reduce(c, kind, before(c, x, how), axes, keep);
	if (how == ROOT)
		x = b_unary(c, IR_SQRT, x);
	if (how == LOG)
		x = b_unary(c, IR_LOG, x);
	return onnx_out(c, n, 0, x);
}

static int plain(struct onnx_import *c, const struct onnx_node *n)
{
	return reduce(c, n, n->op->arg, PLAIN);
}

static int sum_of(struct onnx_import *c, const struct onnx_node *n)
{
	return reduce(c, n, IR_SUM, (int)n->op->arg);
}

/* The last of equal extremes: the first when counted from the end. */
static struct onnx_value *backwards(struct onnx_import *c, struct onnx_value *x, uint32_t axis)
{
	return onnx_op(c, IR_REVERSE_V2, NULL, 2,
		       (struct onnx_value *[]){ x, onnx_i32(c, 1, (int32_t[]){ (int32_t)axis }) }, x->type,
		       x->ndim, x->shape);
}

static struct onnx_value *arg_of(struct onnx_import *c, unsigned int kind, struct onnx_value *x,
				 uint32_t axis, bool last, bool keep)
{
	int32_t shape[IR_MAX_DIMS], extent = x->shape[axis], ndim = 0;
	struct onnx_value *v;

	for (uint32_t i = 0; i < x->ndim; i++)
		if (i != axis)
			shape[ndim++] = x->shape[i];
	if (last)
		x = backwards(c, x, axis);
	v = x ? onnx_op(c, kind, NULL, 2,
			(struct onnx_value *[]){ x, onnx_i32(c, 1, (int32_t[]){ (int32_t)axis }) }, ELEM_INT32,
			(uint32_t)ndim, shape) : NULL;
	if (last)
		v = b_binary(c, IR_SUB, onnx_scalar(c, ELEM_INT32, extent - 1), v);
	v = b_cast(c, v, ELEM_INT64);
	if (!v || !keep)
		return v;
	ndim = 0;
	for (uint32_t i = 0; i < x->ndim; i++)
		shape[i] = i == axis ? 1 : x->shape[i];
	return b_reshape(c, v, x->ndim, shape);
}

static int arg(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0);
	uint32_t axis = onnx_axis(c, onnx_int(n, "axis", 0), x->ndim);

	if (c->rc)
		return c->rc;
	return onnx_out(c, n, 0, arg_of(c, n->op->arg, x, axis, onnx_int(n, "select_last_index", 0),
					onnx_int(n, "keepdims", 1)));
}

/* 1 where the first greatest element is, 0 elsewhere. Until version 12 the axes after it count as one. */
static int hardmax(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0), *v, *numbers;
	uint32_t axis = onnx_axis(c, onnx_int(n, "axis", c->opset < 13 ? 1 : -1), x->ndim);
	int32_t shape[IR_MAX_DIMS], *p;

	if (!c->rc && c->opset < 13 && axis + 1 != x->ndim)
		onnx_fail(c, -ENOTSUP, "an axis that is not the last before version 13");
	if (c->rc)
		return c->rc;
	v = arg_of(c, IR_ARG_MAX, x, axis, false, true);
	for (uint32_t i = 0; i < x->ndim; i++)
		shape[i] = i == axis ? x->shape[i] : 1;
	numbers = onnx_constant(c, ELEM_INT64, x->ndim, shape, NULL);
	p = numbers ? onnx_constant_data(numbers) : NULL;
	for (int32_t i = 0; p && i < x->shape[axis]; i++)
		((int64_t *)(void *)p)[i] = i;
	return onnx_out(c, n, 0, b_cast(c, b_compare(c, IR_EQUAL, v, numbers), x->type));
}

/* Values and places of the greatest or smallest. */
static int top_k(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0), *out[2], *in[2];
	uint32_t axis = onnx_axis(c, onnx_int(n, "axis", -1), x->ndim);
	bool largest = onnx_int(n, "largest", 1);
	int64_t k = c->opset < 10 ? onnx_int(n, "k", 0) : onnx_known_int(c, onnx_in(n, 1), "k");
	int32_t shape[IR_MAX_DIMS];

	if (!c->rc && (k < 1 || k > x->shape[axis]))
		onnx_fail(c, k ? -EINVAL : -ENOTSUP, "the %d greatest of %d", (int)k, x->shape[axis]);
	x = c->rc ? NULL : b_move_axis(c, x, axis, x->ndim - 1);
	if (!largest)
		x = b_unary(c, IR_NEG, x);
	if (!x)
		return c->rc;
	for (uint32_t i = 0; i < x->ndim; i++)
		shape[i] = x->shape[i];
	shape[x->ndim - 1] = (int32_t)k;
	in[0] = x;
	in[1] = onnx_scalar(c, ELEM_INT32, (double)k);
	out[0] = onnx_value_new(c, x->type, x->ndim, shape);
	out[1] = onnx_value_new(c, ELEM_INT32, x->ndim, shape);
	if (onnx_op_many(c, IR_TOPK_V2, NULL, 2, in, 2, out))
		return c->rc;
	if (!largest)
		out[0] = b_unary(c, IR_NEG, out[0]);
	onnx_out(c, n, 0, b_move_axis(c, out[0], x->ndim - 1, axis));
	if (onnx_wants(n, 1))
		onnx_out(c, n, 1, b_cast(c, b_move_axis(c, out[1], x->ndim - 1, axis), ELEM_INT64));
	return c->rc;
}

static int cumulative(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0);
	struct ir_options o = { .exclusive = onnx_int(n, "exclusive", 0) != 0,
				.reverse = onnx_int(n, "reverse", 0) != 0 };
	uint32_t axis = onnx_axis(c, onnx_known_int(c, onnx_in(n, 1), "axis"), x->ndim);

	if (c->rc)
		return c->rc;
	return onnx_out(c, n, 0, onnx_op(c, IR_CUMSUM, &o, 2,
					 (struct onnx_value *[]){ x, onnx_scalar(c, ELEM_INT32, axis) },
					 x->type, x->ndim, x->shape));
}

static int global(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0);

	if (x->ndim < 2) {
		onnx_fail(c, -EINVAL, "%u axes", x->ndim);
		return c->rc;
	}
	return onnx_out(c, n, 0, b_reduce(c, n->op->arg, x, ((1u << x->ndim) - 1) & ~3u, true));
}

#define NEWEST 27

const struct onnx_operator onnx_reduce[] = {
	{ "ArgMax", "", 1, NEWEST, 1, arg, IR_ARG_MAX, NULL },
	{ "ArgMin", "", 1, NEWEST, 1, arg, IR_ARG_MIN, NULL },
	{ "CumSum", "", 11, NEWEST, 2, cumulative, 0, "a constant axis" },
	{ "GlobalAveragePool", "", 1, NEWEST, 1, global, IR_MEAN, NULL },
	{ "GlobalMaxPool", "", 1, NEWEST, 1, global, IR_REDUCE_MAX, NULL },
	{ "Hardmax", "", 1, NEWEST, 1, hardmax, 0, NULL },
	{ "ReduceL1", "", 1, NEWEST, 1, sum_of, ABS, "constant axes" },
	{ "ReduceL2", "", 1, NEWEST, 1, sum_of, ROOT, "constant axes" },
	{ "ReduceLogSum", "", 1, NEWEST, 1, sum_of, LOG, "constant axes" },
	{ "ReduceLogSumExp", "", 1, NEWEST, 1, sum_of, LOG_EXP, "constant axes" },
	{ "ReduceMax", "", 1, NEWEST, 1, plain, IR_REDUCE_MAX, "constant axes" },
	{ "ReduceMean", "", 1, NEWEST, 1, plain, IR_MEAN, "constant axes" },
	{ "ReduceMin", "", 1, NEWEST, 1, plain, IR_REDUCE_MIN, "constant axes" },
	{ "ReduceProd", "", 1, NEWEST, 1, plain, IR_REDUCE_PROD, "constant axes" },
	{ "ReduceSum", "", 1, NEWEST, 1, plain, IR_SUM, "constant axes" },
	{ "ReduceSumSquare", "", 1, NEWEST, 1, sum_of, SQUARED, "constant axes" },
	{ "TopK", "", 1, NEWEST, 1, top_k, 0, "a constant k" },
	{ 0 },
};
