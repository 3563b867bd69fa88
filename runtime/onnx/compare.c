/* SPDX-License-Identifier: MIT */
/* Comparisons, logic, and choices by them. */
#include <math.h>

#include "runtime/onnx/build.h"

static int compare(struct onnx_import *c, const struct onnx_node *n)
{
	return onnx_out(c, n, 0, b_compare(c, n->op->arg, onnx_in(n, 0), onnx_in(n, 1)));
}

static int logical_not(struct onnx_import *c, const struct onnx_node *n)
{
	return onnx_out(c, n, 0, b_unary(c, IR_LOGICAL_NOT, onnx_in(n, 0)));
}

static int where(struct onnx_import *c, const struct onnx_node *n)
{
	return onnx_out(c, n, 0, b_select(c, onnx_in(n, 0), onnx_in(n, 1), onnx_in(n, 2)));
}

static int is_nan(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0);

	return onnx_out(c, n, 0, onnx_op(c, IR_IS_NAN, NULL, 1, &x, ELEM_BOOL, x->ndim, x->shape));
}

static int is_inf(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0), *v;
	bool positive = onnx_int(n, "detect_positive", 1), negative = onnx_int(n, "detect_negative", 1);

	v = onnx_op(c, IR_IS_INF, NULL, 1, &x, ELEM_BOOL, x->ndim, x->shape);
	if (!positive)
		v = b_compare(c, IR_LOGICAL_AND, v, b_compare(c, IR_LESS, x, onnx_f32(c, 0)));
	if (!negative)
		v = b_compare(c, IR_LOGICAL_AND, v, b_compare(c, IR_GREATER, x, onnx_f32(c, 0)));
	return onnx_out(c, n, 0, v);
}

#define NEWEST 27

const struct onnx_operator onnx_compare[] = {
	{ "And", "", 7, NEWEST, 2, compare, IR_LOGICAL_AND, NULL },
	{ "Equal", "", 7, NEWEST, 2, compare, IR_EQUAL, NULL },
	{ "Greater", "", 7, NEWEST, 2, compare, IR_GREATER, NULL },
	{ "GreaterOrEqual", "", 12, NEWEST, 2, compare, IR_GREATER_EQUAL, NULL },
	{ "IsInf", "", 10, NEWEST, 1, is_inf, 0, NULL },
	{ "IsNaN", "", 9, NEWEST, 1, is_nan, 0, NULL },
	{ "Less", "", 7, NEWEST, 2, compare, IR_LESS, NULL },
	{ "LessOrEqual", "", 12, NEWEST, 2, compare, IR_LESS_EQUAL, NULL },
	{ "Not", "", 1, NEWEST, 1, logical_not, 0, NULL },
	{ "Or", "", 7, NEWEST, 2, compare, IR_LOGICAL_OR, NULL },
	{ "Where", "", 9, NEWEST, 3, where, 0, NULL },
	{ "Xor", "", 7, NEWEST, 2, compare, IR_NOT_EQUAL, NULL },
	{ 0 },
};
