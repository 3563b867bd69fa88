/* SPDX-License-Identifier: MIT */
/*
 * Operators on integers that stand for numbers. Those that compute do so on the numbers, between
 * DEQUANTIZE and QUANTIZE; a pass makes operations on integers of them where the NPU has those.
 */
#include <errno.h>
#include <string.h>

#include "runtime/onnx/build.h"
#include "runtime/onnx/conv.h"
#include "runtime/onnx/quant.h"

#define NEWEST		27
#define EXACT_DEPTH	256	/* products of 9 bits by 9 whose sum float32 holds */

/* Scale and zero point are inputs @i and @i + 1. */
static struct onnx_quant quant_at(const struct onnx_node *n, uint32_t i, uint32_t axis)
{
	return (struct onnx_quant){ onnx_in(n, i), onnx_in(n, i + 1), axis, 0 };
}

/* The numbers of the three inputs from @i on. */
static struct onnx_value *number_at(struct onnx_import *c, const struct onnx_node *n, uint32_t i,
				    uint32_t axis)
{
	struct onnx_quant q = quant_at(n, i + 1, axis);

	return onnx_dequantise(c, onnx_in(n, i), &q);
}

/* @v is the output, quantised by inputs @i and @i + 1. */
static int finish(struct onnx_import *c, const struct onnx_node *n, struct onnx_value *v, uint32_t i,
		  uint32_t axis)
{
	struct onnx_quant q = quant_at(n, i, axis);

	return onnx_out(c, n, 0, onnx_quantise(c, v, &q, q.zero ? q.zero->type : ELEM_UINT8));
}

/* Axis and blocks by the node's attributes. */
static bool quant_of(struct onnx_import *c, const struct onnx_node *n, struct onnx_quant *q)
{
	const struct onnx_value *x = onnx_in(n, 0);

	*q = quant_at(n, 1, 0);
	if (q->scale->type != ELEM_FLOAT32)
		onnx_fail(c, -ENOTSUP, "scales of type %s", elem_name(q->scale->type));
	if (!c->rc && onnx_count(q->scale) != 1) {
		q->axis = onnx_axis(c, onnx_int(n, "axis", 1), x->ndim);
		q->block = (int32_t)onnx_int(n, "block_size", 0);
	}
	if (!c->rc && (q->block < 0 || (q->zero && onnx_count(q->zero) != onnx_count(q->scale))))
		onnx_fail(c, -EINVAL, "zero points that do not fit the scales");
	return !c->rc;
}

static int quantize(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_quant q;
	int64_t type = onnx_int(n, "output_dtype", 0);

	if (!quant_of(c, n, &q))
		return c->rc;
	return onnx_out(c, n, 0, onnx_quantise(c, b_cast(c, onnx_in(n, 0), ELEM_FLOAT32), &q,
					       q.zero ? q.zero->type :
					       type ? onnx_type(c, (int)type) : ELEM_UINT8));
}

static int dequantize(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_quant q;

	if (!quant_of(c, n, &q))
		return c->rc;
	return onnx_out(c, n, 0, onnx_dequantise(c, onnx_in(n, 0), &q));
}

/* The range of this input, 0 in it, over 255 steps. */
static int dynamic(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0), *low, *high, *scale, *zero;
	struct onnx_quant q;
	uint32_t axes = (1u << x->ndim) - 1;

	low = b_with(c, IR_MINIMUM, b_reduce(c, IR_REDUCE_MIN, x, axes, false), 0);
	high = b_with(c, IR_MAXIMUM, b_reduce(c, IR_REDUCE_MAX, x, axes, false), 0);
	scale = b_with(c, IR_MUL, b_sub(c, high, low), 1.0 / 255);
	zero = b_unary(c, IR_NEG, b_div(c, low, scale));
	zero = b_unary(c, IR_ROUND, b_with(c, IR_MINIMUM, b_with(c, IR_MAXIMUM, zero, 0), 255));
	zero = b_cast(c, zero, ELEM_UINT8);
	q = (struct onnx_quant){ scale, zero, 0, 0 };
	onnx_out(c, n, 0, onnx_quantise(c, x, &q, ELEM_UINT8));
	onnx_out(c, n, 1, scale);
	return onnx_out(c, n, 2, zero);
}

/* --- Products --- */

/* The scale of sums of products of two quantised operands. */
static struct onnx_value *bias_of(struct onnx_import *c, struct onnx_value *bias, struct onnx_value *a,
				  struct onnx_value *b)
{
	struct onnx_quant q = { .axis = 0 };

	if (!bias)
		return NULL;
	q.scale = b_mul(c, b_reshape(c, a, 0, NULL), b);
	return onnx_dequantise(c, bias, &q);
}

static int qlinear_conv(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = number_at(c, n, 0, 0), *w = number_at(c, n, 3, 0), *bias;

	bias = bias_of(c, onnx_in(n, 8), onnx_in(n, 1), onnx_in(n, 4));
	return finish(c, n, onnx_convolve(c, n, x, w, bias), 6, 0);
}

static int qlinear_matmul(struct onnx_import *c, const struct onnx_node *n)
{
	const struct onnx_value *a = onnx_in(n, 0), *b = onnx_in(n, 3);
	struct onnx_value *v;

	if (a->ndim < 2 || b->ndim < 2) {
		onnx_fail(c, -ENOTSUP, "matrices of %u and %u axes", a->ndim, b->ndim);
		return c->rc;
	}
	v = b_matmul(c, number_at(c, n, 0, a->ndim - 2), number_at(c, n, 3, b->ndim - 1));
	return v ? finish(c, n, v, 6, v->ndim - 2) : c->rc;
}

/* Integers less their zero points, as float32, which holds them. @zero NULL: 0; its elements on @axis. */
static struct onnx_value *less_zero(struct onnx_import *c, struct onnx_value *x, struct onnx_value *zero,
				    uint32_t axis)
{
	int32_t shape[IR_MAX_DIMS];
	struct onnx_value *v = b_cast(c, x, ELEM_FLOAT32);

	if (!zero || !v)
		return v;
	if (onnx_count(zero) == 1)
		return b_sub(c, v, b_cast(c, b_reshape(c, zero, 0, NULL), ELEM_FLOAT32));
	for (uint32_t i = axis; i < x->ndim; i++)
		shape[i - axis] = i == axis ? x->shape[i] : 1;
	return b_sub(c, v, b_cast(c, b_reshape(c, zero, x->ndim - axis, shape), ELEM_FLOAT32));
}

/* A linear function of the second operand. */
typedef struct onnx_value *product(struct onnx_import *c, const struct onnx_node *n, struct onnx_value *a,
				   struct onnx_value *b);

static struct onnx_value *by_matmul(struct onnx_import *c, const struct onnx_node *n, struct onnx_value *a,
				    struct onnx_value *b)
{
	(void)n;
	return b_matmul(c, a, b);
}

static struct onnx_value *by_conv(struct onnx_import *c, const struct onnx_node *n, struct onnx_value *a,
				  struct onnx_value *b)
{
	return onnx_convolve(c, n, a, b, NULL);
}

/* Sums of @depth products as int32. Long ones in two parts, of the second operand's upper and lower bits. */
static struct onnx_value *integer_product(struct onnx_import *c, const struct onnx_node *n, product *f,
					  struct onnx_value *a, struct onnx_value *b, size_t depth)
{
	struct onnx_value *upper, *lower;

	if (depth <= EXACT_DEPTH)
		return b_cast(c, f(c, n, a, b), ELEM_INT32);
	upper = b_unary(c, IR_FLOOR, b_with(c, IR_MUL, b, 1.0 / 16));
	lower = b_sub(c, b, b_with(c, IR_MUL, upper, 16));
	upper = b_with(c, IR_MUL, b_cast(c, f(c, n, a, upper), ELEM_INT32), 16);
	return b_add(c, upper, b_cast(c, f(c, n, a, lower), ELEM_INT32));
}

static int matmul_integer(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *a = onnx_in(n, 0), *b = onnx_in(n, 1);
	size_t depth = a->ndim ? (size_t)a->shape[a->ndim - 1] : 0;

	a = less_zero(c, a, onnx_in(n, 2), a->ndim > 1 ? a->ndim - 2 : 0);
	b = less_zero(c, b, onnx_in(n, 3), b->ndim ? b->ndim - 1 : 0);
	return onnx_out(c, n, 0, integer_product(c, n, by_matmul, a, b, depth));
}

static int conv_integer(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0), *w = onnx_in(n, 1);
	size_t depth = w->ndim && w->shape[0] ? onnx_count(w) / (size_t)w->shape[0] : 0;

	x = less_zero(c, x, onnx_in(n, 2), 0);
	w = less_zero(c, w, onnx_in(n, 3), 0);
	return onnx_out(c, n, 0, integer_product(c, n, by_conv, x, w, depth));
}

/* --- ONNX Runtime's own --- */

static int qlinear_binary(struct onnx_import *c, const struct onnx_node *n)
{
	return finish(c, n, b_binary(c, n->op->arg, number_at(c, n, 0, 0), number_at(c, n, 3, 0)), 6, 0);
}

static int qlinear_unary(struct onnx_import *c, const struct onnx_node *n)
{
	struct ir_options o = { .alpha = onnx_float(n, "alpha", 0.01f) };

	return finish(c, n, b_unary_with(c, n->op->arg, &o, number_at(c, n, 0, 0)), 3, 0);
}

static int qlinear_average(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0);
	uint32_t axes;

	if (x->ndim < 3) {
		onnx_fail(c, -EINVAL, "%u axes", x->ndim);
		return c->rc;
	}
	axes = onnx_int(n, "channels_last", 0) ? ((1u << (x->ndim - 1)) - 1) & ~1u :
						 ((1u << x->ndim) - 1) & ~3u;
	return finish(c, n, b_reduce(c, IR_MEAN, number_at(c, n, 0, 0), axes, true), 3, 0);
}

static int qlinear_concat(struct onnx_import *c, const struct onnx_node *n)
{
	uint32_t count = (n->input_count - 2) / 3, axis;
	struct onnx_value **list = ir_alloc(c->g, (count + 1) * sizeof(struct onnx_value *));

	if (!list || !count) {
		onnx_fail(c, -EINVAL, "no inputs");
		return c->rc;
	}
	for (uint32_t i = 0; i < count; i++)
		list[i] = onnx_in(n, 2 + 3 * i) ? number_at(c, n, 2 + 3 * i, 0) : NULL;
	axis = list[0] ? onnx_axis(c, onnx_int(n, "axis", 0), list[0]->ndim) : 0;
	return finish(c, n, b_concat(c, axis, count, list), 0, 0);
}

/* alpha * A * B + C, whose scale is that of the product. */
static int qgemm(struct onnx_import *c, const struct onnx_node *n)
{
	static const int32_t swap[2] = { 1, 0 };
	bool turned = onnx_int(n, "transB", 0);
	struct onnx_value *a = number_at(c, n, 0, 0), *b = number_at(c, n, 3, turned ? 0 : 1), *bias;
	float alpha = onnx_float(n, "alpha", 1);

	if (a && b && (a->ndim != 2 || b->ndim != 2))
		onnx_fail(c, -EINVAL, "matrices of %u and %u axes", a->ndim, b->ndim);
	if (c->rc)
		return c->rc;
	a = onnx_int(n, "transA", 0) ? b_transpose(c, a, swap) : a;
	b = turned ? b : b_transpose(c, b, swap);
	bias = bias_of(c, onnx_in(n, 6), onnx_in(n, 1), onnx_in(n, 4));
	a = b_linear(c, a, b, bias);
	if (alpha != 1)
		a = b_with(c, IR_MUL, a, (double)alpha);
	if (!onnx_in(n, 7))
		return onnx_out(c, n, 0, a);
	return finish(c, n, a, 7, 0);
}

const struct onnx_operator onnx_quantised[] = {
	{ "ConvInteger", "", 10, NEWEST, 2, conv_integer, 0, "over one or two axes" },
	{ "DequantizeLinear", "", 10, NEWEST, 2, dequantize, 0, "integers of 8, 16 or 32 bits" },
	{ "DynamicQuantizeLinear", "", 11, NEWEST, 1, dynamic, 0, NULL },
	{ "MatMulInteger", "", 10, NEWEST, 2, matmul_integer, 0, "exact up to 4096 products a sum" },
	{ "QGemm", "com.microsoft", 1, 1, 7, qgemm, 0, NULL },
	{ "QLinearAdd", "com.microsoft", 1, 1, 7, qlinear_binary, IR_ADD, NULL },
	{ "QLinearConcat", "com.microsoft", 1, 1, 5, qlinear_concat, 0, NULL },
	{ "QLinearConv", "", 10, NEWEST, 8, qlinear_conv, 0, "over one or two axes" },
	{ "QLinearGlobalAveragePool", "com.microsoft", 1, 1, 4, qlinear_average, 0, NULL },
	{ "QLinearLeakyRelu", "com.microsoft", 1, 1, 4, qlinear_unary, IR_LEAKY_RELU, NULL },
	{ "QLinearMatMul", "", 10, NEWEST, 8, qlinear_matmul, 0, NULL },
	{ "QLinearMul", "com.microsoft", 1, 1, 7, qlinear_binary, IR_MUL, NULL },
	{ "QLinearSigmoid", "com.microsoft", 1, 1, 4, qlinear_unary, IR_LOGISTIC, NULL },
	{ "QuantizeLinear", "", 10, NEWEST, 2, quantize, 0,
	  "to integers of 8 or 16 bits; halves away from 0 where scales are constant" },
	{ 0 },
};
