/* SPDX-License-Identifier: MIT */
/* Losses of classes: how improbable the right ones are held to be. */
#include <errno.h>
#include <string.h>

#include "runtime/onnx/build.h"

#define NEWEST	27

/* True at the class of each element of @target, which gets an axis for the classes; of int64. */
static struct onnx_value *class_mask(struct onnx_import *c, const struct onnx_node *n,
				     struct onnx_value *target, int32_t classes)
{
	struct onnx_value *numbers = onnx_constant(c, ELEM_INT64, 1, &classes, NULL), *mask, *other;
	int64_t *p = numbers ? onnx_constant_data(numbers) : NULL;
	int32_t shape[IR_MAX_DIMS] = { 0 };

	for (int32_t i = 0; p && i < classes; i++)
		p[i] = i;
	if (target->ndim >= IR_MAX_DIMS)
		return onnx_fail(c, -ENOTSUP, "%u axes", target->ndim + 1);
	memcpy(shape, target->shape, sizeof(shape));
	shape[target->ndim] = 1;
	target = b_reshape(c, b_cast(c, target, ELEM_INT64), target->ndim + 1, shape);
	mask = b_compare(c, IR_EQUAL, target, numbers);
	if (!onnx_has(n, "ignore_index"))
		return mask;
	other = onnx_scalar(c, ELEM_INT64, (double)onnx_int(n, "ignore_index", 0));
	return b_binary(c, IR_LOGICAL_AND, b_compare(c, IR_NOT_EQUAL, target, other), mask);
}

/* The loss of logarithms of probabilities [N, C, ...]. */
static struct onnx_value *loss_of(struct onnx_import *c, const struct onnx_node *n, struct onnx_value *x)
{
	const char *reduction = onnx_string(c, n, "reduction", "mean");
	struct onnx_value *target = onnx_in(n, 1), *weight = onnx_in(n, 2), *mask, *sum, *zero;
	uint32_t last = x->ndim - 1, all = (1u << last) - 1;

	mask = class_mask(c, n, target, x->shape[1]);
	zero = onnx_f32(c, 0);
	x = b_channels_last(c, x);
	if (!x || !mask)
		return NULL;
	if (memcmp(mask->shape, x->shape, x->ndim * sizeof(*x->shape)))
		return onnx_fail(c, -EINVAL, "labels that do not fit");
	weight = weight ? b_select(c, mask, weight, zero) : b_cast(c, mask, ELEM_FLOAT32);
	x = b_mul(c, b_unary(c, IR_NEG, b_select(c, mask, x, zero)), weight);
	sum = b_reduce(c, IR_SUM, x, 1u << last, false);
	if (!strcmp(reduction, "none"))
		return sum;
	sum = b_reduce(c, IR_SUM, sum, all, false);
	if (!strcmp(reduction, "sum"))
		return sum;
	return b_div(c, sum, b_reduce(c, IR_SUM, weight, all | 1u << last, false));
}

static bool fits(struct onnx_import *c, const struct onnx_node *n)
{
	const struct onnx_value *x = onnx_in(n, 0), *target = onnx_in(n, 1), *weight = onnx_in(n, 2);

	if (x->ndim < 2 || target->ndim != x->ndim - 1 ||
	    (weight && (weight->ndim != 1 || weight->shape[0] != x->shape[1])))
		onnx_fail(c, -EINVAL, "labels or weights that do not fit");
	return !c->rc;
}

static int likelihood(struct onnx_import *c, const struct onnx_node *n)
{
	return fits(c, n) ? onnx_out(c, n, 0, loss_of(c, n, onnx_in(n, 0))) : c->rc;
}

static int cross_entropy(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x;

	if (!fits(c, n))
		return c->rc;
	x = b_softmax(c, IR_LOG_SOFTMAX, onnx_in(n, 0), 1);
	if (x && onnx_wants(n, 1))
		onnx_out(c, n, 1, x);
	return x ? onnx_out(c, n, 0, loss_of(c, n, x)) : c->rc;
}

const struct onnx_operator onnx_loss[] = {
	{ "NegativeLogLikelihoodLoss", "", 12, NEWEST, 2, likelihood, 0, NULL },
	{ "SoftmaxCrossEntropyLoss", "", 12, NEWEST, 2, cross_entropy, 0, NULL },
	{ 0 },
};
