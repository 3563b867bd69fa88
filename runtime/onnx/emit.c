/* SPDX-License-Identifier: MIT */
/* Values to operations of the graph, or at once to constants. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cpu/cpu.h"
#include "runtime/onnx/import.h"

static struct onnx_value *no_memory(struct onnx_import *c)
{
	return onnx_fail(c, -ENOMEM, "out of memory");
}

/* The tensor of numbers that integers stand for, from those. */
static void dequantise(struct onnx_import *c, struct onnx_value *v)
{
	uint32_t from = onnx_tensor_of(c, v->integers);
	struct ir_op *op;

	if (from == IR_NONE)
		return;
	c->g->tensors[from].quant = v->quant;
	op = ir_op_new(c->g, IR_DEQUANTIZE, &from, 1, &v->tensor, 1, NULL);
	if (op)
		op->origin = c->origin;
	else
		no_memory(c);
}

uint32_t onnx_tensor_of(struct onnx_import *c, struct onnx_value *v)
{
	char made_up[32];

	if (!v || c->rc)
		return IR_NONE;
	if (v->tensor != IR_NONE)
		return v->tensor;
	if (!onnx_count(v)) {
		onnx_fail(c, -ENOTSUP, "a tensor without elements (%s)",
			  v->name ? v->name : "made on the way");
		return IR_NONE;
	}
	snprintf(made_up, sizeof(made_up), "onnx/%u", c->g->tensor_count);
	v->tensor = ir_tensor_new(c->g, v->name ? v->name : made_up, v->type, v->ndim, v->shape);
	if (v->tensor == IR_NONE) {
		no_memory(c);
	} else if (v->integers) {
		dequantise(c, v);
	} else if (v->data) {
		c->g->tensors[v->tensor].data = v->data;
		c->g->tensors[v->tensor].size = onnx_count(v) * elem_size(v->type);
	}
	return v->tensor;
}

static struct cpu_tensor operand(const struct onnx_value *v)
{
	struct cpu_tensor t = { .type = v->type, .ndim = v->ndim, .constant = true,
				.data = (void *)(uintptr_t)v->data };

	memcpy(t.shape, v->shape, sizeof(t.shape));
	return t;
}

#define MULTIPLY	16	/* as many elements are moved in the time, about */

/* Multiplications of an output's element: those of a matrix or a kernel, none for all else. */
static uint64_t depth(unsigned int kind, struct onnx_value *const *inputs)
{
	const struct onnx_value *x = inputs[kind == IR_TRANSPOSE_CONV ? 2 : 0];

	switch (kind) {
	case IR_BATCH_MATMUL:
	case IR_FULLY_CONNECTED:
		return x->ndim ? (uint64_t)x->shape[x->ndim - 1] : 0;
	case IR_CONV_2D:
	case IR_DEPTHWISE_CONV_2D:
	case IR_TRANSPOSE_CONV:
		return onnx_count(inputs[1]);
	case IR_GRID_SAMPLE:
	case IR_AVERAGE_POOL_2D:
	case IR_MAX_POOL_2D:
	case IR_TOPK_V2:
		return onnx_count(x);
	default:
		return 0;
	}
}

/* True if the outputs are constants now. */
static bool fold(struct onnx_import *c, unsigned int kind, const struct ir_options *options,
		 uint32_t count, struct onnx_value *const *inputs, uint32_t out_count,
		 struct onnx_value **outputs)
{
	static const struct ir_options none;
	struct cpu_tensor *tensors = calloc((size_t)count + out_count + 1, sizeof(*tensors));
	struct cpu_op *op = NULL;
	uint64_t bytes = 0, elements = 0, work = 0, each;
	bool done = false;

	if (!tensors)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		tensors[i] = operand(inputs[i]);
		work += onnx_count(inputs[i]);
	}
	for (uint32_t i = 0; i < out_count; i++) {
		elements += onnx_count(outputs[i]);
		bytes += onnx_count(outputs[i]) * elem_size(outputs[i]->type);
	}
	each = 1 + depth(kind, inputs) * MULTIPLY;
	/* A hostile model may ask for more than can be waited for: then the operation stays. */
	if (bytes > c->room || work > c->work || elements > (c->work - work) / each)
		goto out;
	for (uint32_t i = 0; i < out_count; i++) {
		tensors[count + i] = operand(outputs[i]);
		tensors[count + i].constant = false;
		tensors[count + i].data =
			ir_alloc(c->g, onnx_count(outputs[i]) * elem_size(outputs[i]->type) + 8);
		if (!tensors[count + i].data)
			goto out;
	}
	c->room -= bytes;
	c->work -= work + elements * each;
	if (cpu_op_create(kind, options ? options : &none, tensors, count, tensors + count, out_count, &op,
			  NULL) || cpu_op_run(op, NULL))
		goto out;
	for (uint32_t i = 0; i < out_count; i++)
		outputs[i]->data = tensors[count + i].data;
	done = true;
out:
	cpu_op_free(op);
	free(tensors);
	return done;
}

static int append(struct onnx_import *c, unsigned int kind, const struct ir_options *options,
		  uint32_t count, struct onnx_value *const *inputs, uint32_t out_count,
		  struct onnx_value **outputs)
{
	static const struct ir_options none;
	uint32_t *indices = calloc((size_t)count + out_count + 1, sizeof(*indices));
	struct ir_op *op = NULL;

	if (!indices) {
		no_memory(c);
		return c->rc;
	}
	for (uint32_t i = 0; i < count; i++)
		indices[i] = onnx_tensor_of(c, inputs[i]);
	for (uint32_t i = 0; i < out_count; i++)
		indices[count + i] = onnx_tensor_of(c, outputs[i]);
	if (!c->rc) {
		op = ir_op_new(c->g, kind, indices, count, indices + count, out_count,
			       ir_kind_info(kind)->option_count ? options ? options : &none : NULL);
		if (!op)
			no_memory(c);
		else
			op->origin = c->origin;
	}
	free(indices);
	return c->rc;
}

int onnx_op_many(struct onnx_import *c, unsigned int kind, const struct ir_options *options,
		 uint32_t count, struct onnx_value *const *inputs, uint32_t out_count,
		 struct onnx_value **outputs)
{
	bool constant = true, empty = true;

	for (uint32_t i = 0; i < count && !c->rc; i++) {
		if (!inputs[i])
			onnx_fail(c, -EINVAL, "an operand is missing");
		else
			constant = constant && inputs[i]->data;
	}
	for (uint32_t i = 0; i < out_count && !c->rc; i++) {
		if (!outputs[i])
			onnx_fail(c, -EINVAL, "an output is missing");
		else
			empty = empty && !onnx_count(outputs[i]);
	}
	if (c->rc)
		return c->rc;
	for (uint32_t i = 0; i < count; i++)
		for (uint32_t k = 0; k < out_count && !outputs[k]->root; k++)
			outputs[k]->root = inputs[i]->root;
	/* Nothing to compute: a constant without elements. */
	for (uint32_t i = 0; i < out_count && empty; i++)
		outputs[i]->data = "";
	if (empty || (constant && fold(c, kind, options, count, inputs, out_count, outputs)))
		return 0;
	return append(c, kind, options, count, inputs, out_count, outputs);
}

int onnx_op_apart(struct onnx_import *c, unsigned int kind, struct onnx_value *in,
		  struct onnx_value *out)
{
	if (c->rc || !in || !out)
		return c->rc ? c->rc : -EINVAL;
	out->root = in->root;
	return append(c, kind, NULL, 1, &in, 1, &out);
}

struct onnx_value *onnx_op(struct onnx_import *c, unsigned int kind, const struct ir_options *options,
			   uint32_t count, struct onnx_value *const *inputs, int type, uint32_t ndim,
			   const int32_t *shape)
{
	struct onnx_value *out = onnx_value_new(c, type, ndim, shape);

	return onnx_op_many(c, kind, options, count, inputs, 1, &out) ? NULL : out;
}
