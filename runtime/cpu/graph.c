/* SPDX-License-Identifier: MIT */
/* A whole graph on the CPU: every tensor has memory of its own, operators run in order. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cpu/graph.h"

/**
 * struct cpu_graph - a graph with its memory
 * @data: of each tensor; constants' is the graph's
 * @owned: of each tensor: to be freed
 * @ops: one for each of the graph's
 */
struct cpu_graph {
	const struct ir_graph *g;
	void **data;
	void **owned;
	struct cpu_op **ops;
};

static int allocate(struct cpu_graph *c, struct error *err)
{
	const struct ir_graph *g = c->g;

	c->data = calloc(g->tensor_count + 1, sizeof(*c->data));
	c->owned = calloc(g->tensor_count + 1, sizeof(*c->owned));
	c->ops = calloc(g->op_count + 1, sizeof(*c->ops));
	if (!c->data || !c->owned || !c->ops)
		return error_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < g->tensor_count; i++) {
		const struct ir_tensor *t = &g->tensors[i];

		if (t->data) {
			c->data[i] = (void *)(uintptr_t)t->data;
			continue;
		}
		c->owned[i] = calloc(1, ir_tensor_bytes(t) + 8);
		if (!c->owned[i])
			return error_set(err, -ENOMEM, "tensor %s: out of memory", t->name);
		c->data[i] = c->owned[i];
	}
	return 0;
}

static struct cpu_tensor operand(const struct cpu_graph *c, uint32_t tensor)
{
	const struct ir_tensor *t;
	struct cpu_tensor out = { 0 };

	if (tensor == IR_NONE)
		return out;
	t = &c->g->tensors[tensor];
	out = (struct cpu_tensor){
		.type = t->type, .ndim = t->ndim, .scale_count = t->quant.count,
		.axis = t->quant.axis, .scales = t->quant.scale, .zero_points = t->quant.zero_point,
		.data = c->data[tensor], .constant = t->data != NULL,
	};
	memcpy(out.shape, t->shape, sizeof(out.shape));
	return out;
}

static int make_op(struct cpu_graph *c, uint32_t index, struct error *err)
{
	static const struct ir_options none;
	const struct ir_op *op = &c->g->ops[index];
	uint32_t count = (uint32_t)op->input_count + op->output_count;
	struct cpu_tensor *tensors = calloc(count + 1, sizeof(*tensors));
	int ret;

	if (!tensors)
		return error_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < op->input_count; i++)
		tensors[i] = operand(c, op->inputs[i]);
	for (uint32_t i = 0; i < op->output_count; i++)
		tensors[op->input_count + i] = operand(c, op->outputs[i]);
	ret = cpu_op_create(op->kind, op->options ? op->options : &none, tensors, op->input_count,
			    tensors + op->input_count, op->output_count, &c->ops[index], err);
	free(tensors);
	return ret;
}

int cpu_graph_create(const struct ir_graph *g, struct cpu_graph **out, struct error *err)
{
	struct cpu_graph *c = calloc(1, sizeof(*c));
	int ret;

	if (!c)
		return error_set(err, -ENOMEM, "out of memory");
	c->g = g;
	ret = allocate(c, err);
	for (uint32_t i = 0; i < g->op_count && !ret; i++)
		ret = make_op(c, i, err);
	if (ret) {
		cpu_graph_free(c);
		return ret;
	}
	cpu_graph_reset(c);
	*out = c;
	return 0;
}

void cpu_graph_free(struct cpu_graph *c)
{
	if (!c)
		return;
	for (uint32_t i = 0; c->ops && i < c->g->op_count; i++)
		cpu_op_free(c->ops[i]);
	for (uint32_t i = 0; c->owned && i < c->g->tensor_count; i++)
		free(c->owned[i]);
	free(c->ops);
	free(c->owned);
	free(c->data);
	free(c);
}

void *cpu_graph_tensor(const struct cpu_graph *c, uint32_t tensor)
{
	return c->data[tensor];
}

void cpu_graph_reset(const struct cpu_graph *c)
{
	for (uint32_t i = 0; i < c->g->tensor_count; i++) {
		const struct ir_tensor *t = &c->g->tensors[i];
		bool byte = t->type == ELEM_INT8 || t->type == ELEM_UINT8;

		/* As the reference: bytes are the zero point, everything else is 0. */
		if (t->variable && c->owned[i])
			memset(c->owned[i], byte && t->quant.count ? t->quant.zero_point[0] : 0,
			       ir_tensor_bytes(t));
	}
}

int cpu_graph_run(const struct cpu_graph *c, struct error *err)
{
	int ret = 0;

	for (uint32_t i = 0; i < c->g->op_count && !ret; i++)
		ret = cpu_op_run(c->ops[i], err);
	return ret;
}
