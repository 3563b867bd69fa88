/* SPDX-License-Identifier: MIT */
/* Between numbers and the integers that stand for them: operations of the graph, or arithmetic. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "runtime/onnx/build.h"
#include "runtime/onnx/quant.h"

/* One of scales or zero points as an operand beside @x. */
static struct onnx_value *beside(struct onnx_import *c, struct onnx_value *v, const struct onnx_value *x,
				 const struct onnx_quant *q)
{
	int32_t shape[IR_MAX_DIMS], *p;
	struct onnx_value *index;

	if (!v || onnx_count(v) == 1)
		return b_reshape(c, v, 0, NULL);
	if (q->axis >= x->ndim)
		return onnx_fail(c, -EINVAL, "scales along axis %u of %u", q->axis, x->ndim);
	if (q->block) {
		if (v->ndim != x->ndim || v->shape[q->axis] !=
		    (x->shape[q->axis] + q->block - 1) / q->block)
			return onnx_fail(c, -EINVAL, "scales that do not fit blocks of %d", q->block);
		index = onnx_constant(c, ELEM_INT32, 1, &x->shape[q->axis], NULL);
		p = index ? onnx_constant_data(index) : NULL;
		for (int32_t i = 0; p && i < x->shape[q->axis]; i++)
			p[i] = i / q->block;
		return b_gather(c, v, index, q->axis);
	}
	if (onnx_count(v) != (size_t)x->shape[q->axis])
		return onnx_fail(c, -EINVAL, "%zu scales or zero points for an axis of %d", onnx_count(v),
				 x->shape[q->axis]);
	for (uint32_t i = q->axis; i < x->ndim; i++)
		shape[i - q->axis] = i == q->axis ? x->shape[i] : 1;
	return b_reshape(c, v, x->ndim - q->axis, shape);
}

/* The quantisation as the graph has it. False: it cannot say it. */
static bool to_graph(struct onnx_import *c, const struct onnx_value *x, const struct onnx_quant *q,
		     struct ir_quant *out)
{
	size_t count = onnx_count(q->scale);
	int32_t *zero;
	float *scale;

	if (!q->scale->data || (q->zero && !q->zero->data) || q->block || !count)
		return false;
	if (count > 1 && (q->axis >= x->ndim || count != (size_t)x->shape[q->axis]))
		return false;
	if (q->zero && onnx_count(q->zero) != count && onnx_count(q->zero) != 1)
		return false;
	scale = ir_alloc(c->g, count * sizeof(*scale));
	zero = ir_alloc(c->g, count * sizeof(*zero));
	if (!scale || !zero)
		return false;
	for (size_t i = 0; i < count; i++) {
		scale[i] = (float)onnx_element(q->scale, i);
		zero[i] = q->zero ? (int32_t)onnx_element_int(q->zero, onnx_count(q->zero) > 1 ? i : 0) : 0;
		if (!(scale[i] > 0) || !isfinite(scale[i]) || zero[i] < -65536 || zero[i] > 65536)
			return false;
	}
	*out = (struct ir_quant){ (uint32_t)count, count > 1 ? (int32_t)q->axis : 0, scale, zero };
	return true;
}

/* TFLite has DEQUANTIZE and QUANTIZE of these; and of int32, biases, we have it. */
static bool has_kernel(int type)
{
	return type == ELEM_INT8 || type == ELEM_UINT8 || type == ELEM_INT16 || type == ELEM_INT32;
}

static bool same_quant(const struct ir_quant *a, const struct ir_quant *b)
{
	return a->count == b->count && (a->count < 2 || a->axis == b->axis) &&
		!memcmp(a->scale, b->scale, a->count * sizeof(*a->scale)) &&
		!memcmp(a->zero_point, b->zero_point, a->count * sizeof(*a->zero_point));
}

/* Operations whose output is of the same quantisation as their input, whatever that is. */
static bool hands_on(unsigned int kind)
{
	return kind == IR_TRANSPOSE || kind == IR_RESHAPE || kind == IR_MAX_POOL_2D || kind == IR_SLICE ||
		kind == IR_STRIDED_SLICE;
}

static const struct ir_op *maker_of(const struct ir_graph *g, uint32_t tensor)
{
	for (uint32_t i = g->op_count; i-- > 0;)
		for (uint32_t k = 0; k < g->ops[i].output_count; k++)
			if (g->ops[i].outputs[k] == tensor)
				return &g->ops[i];
	return NULL;
}

/* What is known of a tensor holds for those that it was made of, as long as they are only moved. */
static bool spread(struct ir_graph *g, uint32_t tensor, const struct ir_quant *q)
{
	bool done = false;

	while (q->count == 1 && !g->tensors[tensor].quant.count && !g->tensors[tensor].data) {
		const struct ir_op *op = maker_of(g, tensor);

		if (!op || !hands_on(op->kind))
			return done;
		g->tensors[tensor].quant = *q;
		done = true;
		tensor = op->inputs[0];
	}
	return done;
}

/*
 * A value of @x's integers whose tensor has that quantisation: @x itself if nothing else is known of
 * it, or a copy; others may take its integers for what they are.
 */
static struct onnx_value *quantised_view(struct onnx_import *c, struct onnx_value *x,
					 const struct ir_quant *q)
{
	const struct ir_tensor *t = x->tensor != IR_NONE ? &c->g->tensors[x->tensor] : NULL;
	struct onnx_value *v;

	if (t && t->quant.count && same_quant(&t->quant, q))
		return x;
	if (t && spread(c->g, x->tensor, q))
		return x;
	v = onnx_value_new(c, x->type, x->ndim, x->shape);
	if (!v)
		return NULL;
	v->root = x->root;
	if (onnx_op_many(c, IR_RESHAPE, NULL, 2,
			      (struct onnx_value *[]){ x, onnx_i32(c, x->ndim, x->shape) }, 1, &v))
		return NULL;
	if (onnx_tensor_of(c, v) == IR_NONE)
		return NULL;
	c->g->tensors[v->tensor].quant = *q;
	return v;
}

/* A constant's numbers, which remember the integers that they come from. */
static struct onnx_value *constant_numbers(struct onnx_import *c, struct onnx_value *x,
					   const struct ir_quant *q)
{
	struct onnx_value *v = onnx_constant(c, ELEM_FLOAT32, x->ndim, x->shape, NULL);
	size_t inner = 1, count = onnx_count(x);
	float *p = v ? onnx_constant_data(v) : NULL;

	for (uint32_t i = (uint32_t)q->axis + 1; i < x->ndim && q->count > 1; i++)
		inner *= (size_t)x->shape[i];
	for (size_t i = 0; p && i < count; i++) {
		size_t at = q->count > 1 ? i / inner % q->count : 0;

		p[i] = (float)((double)q->scale[at] *
			       (double)(onnx_element_int(x, i) - q->zero_point[at]));
	}
	if (v) {
		v->integers = onnx_value_new(c, x->type, x->ndim, x->shape);
		v->quant = *q;
	}
	if (v && v->integers)
		v->integers->data = x->data;
	return v;
}

struct onnx_value *onnx_dequantise(struct onnx_import *c, struct onnx_value *x,
				   const struct onnx_quant *q)
{
	struct ir_quant quant;
	struct onnx_value *v;

	if (!x || !q->scale)
		return NULL;
	if (onnx_count(x) && has_kernel(x->type) && to_graph(c, x, q, &quant)) {
		if (x->data)
			return constant_numbers(c, x, &quant);
		x = quantised_view(c, x, &quant);
		v = x ? onnx_value_new(c, ELEM_FLOAT32, x->ndim, x->shape) : NULL;
		return v && !onnx_op_apart(c, IR_DEQUANTIZE, x, v) ? v : NULL;
	}
	v = b_cast(c, x, ELEM_FLOAT32);
	if (q->zero)
		v = b_sub(c, v, b_cast(c, beside(c, q->zero, x, q), ELEM_FLOAT32));
	return v ? b_mul(c, v, beside(c, q->scale, x, q)) : NULL;
}

static const struct {
	int type;
	double low, high;
} ranges[] = {
	{ ELEM_INT8, -128, 127 }, { ELEM_UINT8, 0, 255 }, { ELEM_INT16, -32768, 32767 },
};

struct onnx_value *onnx_quantise(struct onnx_import *c, struct onnx_value *x,
				 const struct onnx_quant *q, int type)
{
	struct onnx_value *v, *zero;
	struct ir_quant quant;
	size_t i = 0;

	if (!x || !q->scale)
		return NULL;
	while (i < sizeof(ranges) / sizeof(ranges[0]) && ranges[i].type != type)
		i++;
	if (i == sizeof(ranges) / sizeof(ranges[0]))
		return onnx_fail(c, -ENOTSUP, "integers of type %s", elem_name(type));
	/* Of a constant, weights in training, arithmetic is done here. */
	if (!x->data && onnx_count(x) && has_kernel(type) && to_graph(c, x, q, &quant)) {
		v = onnx_value_new(c, type, x->ndim, x->shape);
		if (!v || onnx_tensor_of(c, v) == IR_NONE)
			return NULL;
		c->g->tensors[v->tensor].quant = quant;
		return onnx_op_apart(c, IR_QUANTIZE, x, v) ? NULL : v;
	}
	v = b_unary(c, IR_ROUND, b_div(c, x, beside(c, q->scale, x, q)));
	zero = q->zero ? b_cast(c, beside(c, q->zero, x, q), ELEM_FLOAT32) : NULL;
	v = q->zero ? b_add(c, v, zero) : v;
	v = b_with(c, IR_MINIMUM, b_with(c, IR_MAXIMUM, v, ranges[i].low), ranges[i].high);
	return b_cast(c, v, type);
}
