/* SPDX-License-Identifier: MIT */
/* Operators on one element at a time, or one of each operand. */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "runtime/onnx/build.h"

static int unary(struct onnx_import *c, const struct onnx_node *n)
{
	return onnx_out(c, n, 0, b_unary(c, n->op->arg, onnx_in(n, 0)));
}

static int binary(struct onnx_import *c, const struct onnx_node *n)
{
	return onnx_out(c, n, 0, b_binary(c, n->op->arg, onnx_in(n, 0), onnx_in(n, 1)));
}

/* Any number of operands. */
static int variadic(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *v = onnx_in(n, 0);

	for (uint32_t i = 1; i < n->input_count; i++)
		v = b_binary(c, n->op->arg, v, onnx_in(n, i));
	if (!strcmp(n->op->name, "Mean"))
		v = b_with(c, IR_MUL, v, 1.0 / n->input_count);
	return onnx_out(c, n, 0, v);
}

/* Kinds with the options alpha and beta, by the names of ONNX's attributes. */
static int with_alpha(struct onnx_import *c, const struct onnx_node *n)
{
	static const struct { unsigned int kind; const char *second; float alpha, beta; } dflt[] = {
		{ IR_LEAKY_RELU, NULL, 0.01f, 0 }, { IR_HARD_SIGMOID, "beta", 0.2f, 0.5f },
		{ IR_SELU, "gamma", 1.67326319217681884765625f, 1.05070102214813232421875f },
		{ IR_CELU, NULL, 1, 0 }, { IR_THRESHOLDED_RELU, NULL, 1, 0 },
	};
	struct ir_options o = { 0 };

	for (size_t i = 0; i < sizeof(dflt) / sizeof(dflt[0]); i++) {
		if (dflt[i].kind != n->op->arg)
			continue;
		o.alpha = onnx_float(n, "alpha", dflt[i].alpha);
		o.beta = dflt[i].second ? onnx_float(n, dflt[i].second, dflt[i].beta) : 0;
	}
	return onnx_out(c, n, 0, b_unary_with(c, n->op->arg, &o, onnx_in(n, 0)));
}

/* TFLite's ELU has alpha 1: alpha * (exp(min(x, 0)) - 1) + max(x, 0) otherwise. */
static int elu(struct onnx_import *c, const struct onnx_node *n)
{
	float alpha = onnx_float(n, "alpha", 1);
	struct onnx_value *x = onnx_in(n, 0), *low;

	if (alpha == 1)
		return onnx_out(c, n, 0, b_unary(c, IR_ELU, x));
	low = b_unary(c, IR_ELU, b_with(c, IR_MINIMUM, x, 0));
	return onnx_out(c, n, 0, b_add(c, b_with(c, IR_MUL, low, (double)alpha), b_unary(c, IR_RELU, x)));
}

/* The bound of Clip: an attribute until version 10, an operand since. False: none. */
static bool bound(struct onnx_import *c, const struct onnx_node *n, const char *name, uint32_t i,
		  struct onnx_value **v)
{
	const struct onnx_value *x = onnx_in(n, 0);
	float none = i == 1 ? -FLT_MAX : FLT_MAX, f;

	*v = onnx_in(n, i);
	if (c->opset < 11) {
		f = onnx_float(n, name, none);
		*v = f == none ? NULL : onnx_scalar(c, x->type, (double)f);
	}
	if (*v && onnx_count(*v) != 1)
		onnx_fail(c, -EINVAL, "%s is not one number", name);
	return *v;
}

static bool is(const struct onnx_value *v, double value)
{
	return v && v->data && onnx_count(v) == 1 && onnx_element(v, 0) == value;
}

static int clip(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0), *low, *high;
	unsigned int kind = IR_OTHER;

	bound(c, n, "min", 1, &low);
	bound(c, n, "max", 2, &high);
	if (c->rc)
		return c->rc;
	if (x->type == ELEM_FLOAT32 && is(low, 0))
		kind = !high ? IR_RELU : is(high, 6) ? IR_RELU6 : is(high, 1) ? IR_RELU_0_TO_1 : IR_OTHER;
	else if (x->type == ELEM_FLOAT32 && is(low, -1) && is(high, 1))
		kind = IR_RELU_N1_TO_1;
	if (kind != IR_OTHER)
		return onnx_out(c, n, 0, b_unary(c, kind, x));
	if (low)
		x = b_binary(c, IR_MAXIMUM, x, b_reshape(c, low, 0, NULL));
	if (high)
		x = b_binary(c, IR_MINIMUM, x, b_reshape(c, high, 0, NULL));
	if (!low && !high)
		x = b_reshape(c, x, x->ndim, x->shape);
	return onnx_out(c, n, 0, x);
}

static int relu(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0);

	return onnx_out(c, n, 0, x->type == ELEM_FLOAT32 ? b_unary(c, IR_RELU, x) :
							   b_with(c, IR_MAXIMUM, x, 0));
}

/* TFLite's slopes lie along the last axes of its NHWC; as an operand of arithmetic they may lie anywhere. */
static int prelu(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0), *slope = onnx_in(n, 1);
	int32_t shape[IR_MAX_DIMS];
	uint32_t ndim;

	if (!b_broadcast_shape(c, x, slope, &ndim, shape) || ndim != x->ndim ||
	    memcmp(shape, x->shape, ndim * sizeof(*shape))) {
		onnx_fail(c, -EINVAL, "slopes that do not fit");
		return c->rc;
	}
	if (x->type != ELEM_FLOAT32)
		return onnx_out(c, n, 0, b_select(c, b_compare(c, IR_LESS, x, onnx_scalar(c, x->type, 0)),
						  b_mul(c, x, slope), x));
	return onnx_out(c, n, 0, onnx_op(c, IR_PRELU, NULL, 2, (struct onnx_value *[]){ x, slope },
					 x->type, x->ndim, x->shape));
}

static int gelu(struct onnx_import *c, const struct onnx_node *n)
{
	struct ir_options o = { .approximate = !strcmp(onnx_string(c, n, "approximate", "none"), "tanh") };

	return onnx_out(c, n, 0, b_unary_with(c, IR_GELU, &o, onnx_in(n, 0)));
}

static int swish(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0);
	float alpha = onnx_float(n, "alpha", 1);
	struct onnx_value *y = alpha == 1 ? x : b_with(c, IR_MUL, x, (double)alpha);

	return onnx_out(c, n, 0, b_mul(c, x, b_unary(c, IR_LOGISTIC, y)));
}

static int shrink(struct onnx_import *c, const struct onnx_node *n)
{
	double bias = (double)onnx_float(n, "bias", 0), lambd = (double)onnx_float(n, "lambd", 0.5f);
	struct onnx_value *x = onnx_in(n, 0), *zero = onnx_scalar(c, x->type, 0), *v;

	v = b_select(c, b_compare(c, IR_LESS, x, onnx_scalar(c, x->type, -lambd)), b_with(c, IR_ADD, x, bias),
		     zero);
	return onnx_out(c, n, 0, b_select(c, b_compare(c, IR_GREATER, x, onnx_scalar(c, x->type, lambd)),
					  b_with(c, IR_SUB, x, bias), v));
}

/* The exponent may have a type of its own. */
static int power(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0), *y = onnx_in(n, 1);

	if (is(y, 2) && onnx_count(y) == 1 && x->type == ELEM_FLOAT32 && y->ndim <= x->ndim)
		return onnx_out(c, n, 0, b_unary(c, IR_SQUARE, x));
	if (y->type == ELEM_FLOAT32 && x->type != ELEM_FLOAT32)
		return onnx_out(
			c, n, 0,
			b_cast(c, b_binary(c, IR_POW, b_cast(c, x, ELEM_FLOAT32), y), x->type));
	return onnx_out(c, n, 0, b_binary(c, IR_POW, x, b_cast(c, y, x->type)));
}

static int mod(struct onnx_import *c, const struct onnx_node *n)
{
	return onnx_out(c, n, 0, b_binary(c, onnx_int(n, "fmod", 0) ? IR_FMOD : IR_FLOOR_MOD, onnx_in(n, 0),
					  onnx_in(n, 1)));
}

static int bit_shift(struct onnx_import *c, const struct onnx_node *n)
{
	bool left = !strcmp(onnx_string(c, n, "direction", NULL), "LEFT");

	return onnx_out(c, n, 0, b_binary(c, left ? IR_LEFT_SHIFT : IR_RIGHT_SHIFT, onnx_in(n, 0),
					  onnx_in(n, 1)));
}

/* Nothing is computed: the value goes by a second name. */
static int identity(struct onnx_import *c, const struct onnx_node *n)
{
	return onnx_out(c, n, 0, onnx_in(n, 0));
}

static int dropout(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0), *mask;

	if (onnx_in(n, 2) && onnx_known_int(c, onnx_in(n, 2), "training_mode") &&
	    (!onnx_in(n, 1) || onnx_known_float(c, onnx_in(n, 1), "ratio") != 0))
		onnx_fail(c, -ENOTSUP, "training: what is dropped is random");
	if (onnx_wants(n, 1)) {
		mask = onnx_constant(c, c->opset < 10 ? x->type : ELEM_BOOL, x->ndim, x->shape, NULL);
		if (mask && mask->type == ELEM_BOOL)
			memset(onnx_constant_data(mask), 1, onnx_count(mask));
		else if (mask)
			onnx_fail(c, -ENOTSUP, "a mask of version %d", c->opset);
		onnx_out(c, n, 1, mask);
	}
	return onnx_out(c, n, 0, x);
}

static int cast(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *like = n->op->arg ? onnx_in(n, 1) : NULL;

	return onnx_out(c, n, 0, b_cast(c, onnx_in(n, 0),
					like ? like->type : onnx_type(c, (int)onnx_int(n, "to", 0))));
}

#define NEWEST 27

const struct onnx_operator onnx_elementwise[] = {
	{ "Abs", "", 6, NEWEST, 1, unary, IR_ABS, NULL },
	{ "Acos", "", 7, NEWEST, 1, unary, IR_ACOS, NULL },
	{ "Acosh", "", 9, NEWEST, 1, unary, IR_ACOSH, NULL },
	{ "Add", "", 7, NEWEST, 2, binary, IR_ADD, NULL },
	{ "Asin", "", 7, NEWEST, 1, unary, IR_ASIN, NULL },
	{ "Asinh", "", 9, NEWEST, 1, unary, IR_ASINH, NULL },
	{ "Atan", "", 7, NEWEST, 1, unary, IR_ATAN, NULL },
	{ "Atanh", "", 9, NEWEST, 1, unary, IR_ATANH, NULL },
	{ "BitShift", "", 11, NEWEST, 2, bit_shift, 0, NULL },
	{ "BitwiseAnd", "", 18, NEWEST, 2, binary, IR_BITWISE_AND, NULL },
	{ "BitwiseNot", "", 18, NEWEST, 1, unary, IR_BITWISE_NOT, NULL },
	{ "BitwiseOr", "", 18, NEWEST, 2, binary, IR_BITWISE_OR, NULL },
	{ "BitwiseXor", "", 18, NEWEST, 2, binary, IR_BITWISE_XOR, NULL },
	{ "Cast", "", 6, NEWEST, 1, cast, 0, "between the types above" },
	{ "CastLike", "", 15, NEWEST, 2, cast, 1, "between the types above" },
	{ "Ceil", "", 6, NEWEST, 1, unary, IR_CEIL, NULL },
	{ "Celu", "", 12, NEWEST, 1, with_alpha, IR_CELU, NULL },
	{ "Clip", "", 6, NEWEST, 1, clip, 0, NULL },
	{ "Cos", "", 7, NEWEST, 1, unary, IR_COS, NULL },
	{ "Cosh", "", 9, NEWEST, 1, unary, IR_COSH, NULL },
	{ "Div", "", 7, NEWEST, 2, binary, IR_DIV, NULL },
	{ "Dropout", "", 7, NEWEST, 1, dropout, 0, "inference" },
	{ "Elu", "", 6, NEWEST, 1, elu, 0, NULL },
	{ "Erf", "", 9, NEWEST, 1, unary, IR_ERF, NULL },
	{ "Exp", "", 6, NEWEST, 1, unary, IR_EXP, NULL },
	{ "Floor", "", 6, NEWEST, 1, unary, IR_FLOOR, NULL },
	{ "Gelu", "", 20, NEWEST, 1, gelu, 0, NULL },
	{ "HardSigmoid", "", 6, NEWEST, 1, with_alpha, IR_HARD_SIGMOID, NULL },
	{ "HardSwish", "", 14, NEWEST, 1, unary, IR_HARD_SWISH, NULL },
	{ "Identity", "", 1, NEWEST, 1, identity, 0, "tensors" },
	{ "LeakyRelu", "", 6, NEWEST, 1, with_alpha, IR_LEAKY_RELU, NULL },
	{ "Log", "", 6, NEWEST, 1, unary, IR_LOG, NULL },
	{ "Max", "", 8, NEWEST, 1, variadic, IR_MAXIMUM, NULL },
	{ "Mean", "", 8, NEWEST, 1, variadic, IR_ADD, NULL },
	{ "Min", "", 8, NEWEST, 1, variadic, IR_MINIMUM, NULL },
	{ "Mish", "", 18, NEWEST, 1, unary, IR_MISH, NULL },
	{ "Mod", "", 10, NEWEST, 2, mod, 0, NULL },
	{ "Mul", "", 7, NEWEST, 2, binary, IR_MUL, NULL },
	{ "Neg", "", 6, NEWEST, 1, unary, IR_NEG, NULL },
	{ "PRelu", "", 7, NEWEST, 2, prelu, 0, NULL },
	{ "Pow", "", 7, NEWEST, 2, power, 0, NULL },
	{ "Reciprocal", "", 6, NEWEST, 1, unary, IR_RECIPROCAL, NULL },
	{ "Relu", "", 6, NEWEST, 1, relu, 0, NULL },
	{ "Round", "", 11, NEWEST, 1, unary, IR_ROUND, NULL },
	{ "Selu", "", 6, NEWEST, 1, with_alpha, IR_SELU, NULL },
	{ "Shrink", "", 9, NEWEST, 1, shrink, 0, NULL },
	{ "Sigmoid", "", 6, NEWEST, 1, unary, IR_LOGISTIC, NULL },
	{ "Sign", "", 9, NEWEST, 1, unary, IR_SIGN, NULL },
	{ "Sin", "", 7, NEWEST, 1, unary, IR_SIN, NULL },
	{ "Sinh", "", 9, NEWEST, 1, unary, IR_SINH, NULL },
	{ "Softplus", "", 1, NEWEST, 1, unary, IR_SOFTPLUS, NULL },
	{ "Softsign", "", 1, NEWEST, 1, unary, IR_SOFTSIGN, NULL },
	{ "Sqrt", "", 6, NEWEST, 1, unary, IR_SQRT, NULL },
	{ "Sub", "", 7, NEWEST, 2, binary, IR_SUB, NULL },
	{ "Sum", "", 8, NEWEST, 1, variadic, IR_ADD, NULL },
	{ "Swish", "", 24, NEWEST, 1, swish, 0, NULL },
	{ "Tan", "", 7, NEWEST, 1, unary, IR_TAN, NULL },
	{ "Tanh", "", 6, NEWEST, 1, unary, IR_TANH, NULL },
	{ "ThresholdedRelu", "", 10, NEWEST, 1, with_alpha, IR_THRESHOLDED_RELU, NULL },
	{ 0 },
};
