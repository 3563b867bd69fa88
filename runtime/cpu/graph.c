/* SPDX-License-Identifier: MIT */
/* A whole graph on the CPU: memory for its tensors, operators in order, and who looks on. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cpu/arena.h"
#include "runtime/cpu/graph.h"

/**
 * struct cpu_graph - a graph with its memory
 * @data: of each tensor; constants' is the graph's
 * @block, @size: memory of all others
 * @ops: one for each of the graph's
 * @seen, @ctx: the observer, or NULL
 */
struct cpu_graph {
	const struct ir_graph *g;
	void **data;
	uint8_t *block;
	size_t size;
	struct cpu_op **ops;
	cpu_graph_seen *seen;
	void *ctx;
};

static int allocate(struct cpu_graph *c, bool keep, struct error *err)
{
	const struct ir_graph *g = c->g;
	size_t *offsets = calloc(g->tensor_count + 1, sizeof(*offsets));
	int ret;

	c->data = calloc(g->tensor_count + 1, sizeof(*c->data));
	c->ops = calloc(g->op_count + 1, sizeof(*c->ops));
	ret = offsets && c->data && c->ops ? 0 : error_set(err, -ENOMEM, "out of memory");
	if (!ret)
		ret = arena_plan(g, keep, offsets, &c->size, err);
	if (!ret) {
		c->block = calloc(1, c->size + 1);
		if (!c->block)
			ret = error_set(err, -ENOMEM, "tensors of %zu bytes: out of memory", c->size);
	}
	for (uint32_t i = 0; i < g->tensor_count && !ret; i++)
		c->data[i] = g->tensors[i].data ? (void *)(uintptr_t)g->tensors[i].data :
			     offsets[i] == ARENA_APART ? NULL : c->block + offsets[i];
	free(offsets);
	return ret;
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

/* Put the model's name of an operation before what @err says. */
static int name_op(const struct ir_graph *g, const struct ir_op *op, int ret, struct error *err)
{
	const char *name = op->origin < g->origin_count ? g->origins[op->origin] : NULL;

	return name ? error_prefix(err, ret, name) : ret;
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
	return ret ? name_op(c->g, op, ret, err) : 0;
}

static int create(const struct ir_graph *g, bool keep, struct cpu_graph **out, struct error *err)
{
	struct cpu_graph *c = calloc(1, sizeof(*c));
	int ret;

	if (!c)
		return error_set(err, -ENOMEM, "out of memory");
	c->g = g;
	ret = allocate(c, keep, err);
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

int cpu_graph_create(const struct ir_graph *g, struct cpu_graph **out, struct error *err)
{
	return create(g, false, out, err);
}

int cpu_graph_create_kept(const struct ir_graph *g, struct cpu_graph **out, struct error *err)
{
	return create(g, true, out, err);
}

void cpu_graph_free(struct cpu_graph *c)
{
	if (!c)
		return;
	for (uint32_t i = 0; c->ops && i < c->g->op_count; i++)
		cpu_op_free(c->ops[i]);
	free(c->ops);
	free(c->block);
	free(c->data);
	free(c);
}

void *cpu_graph_tensor(const struct cpu_graph *c, uint32_t tensor)
{
	return c->data[tensor];
}

size_t cpu_graph_memory(const struct cpu_graph *c)
{
	return c->size;
}

void cpu_graph_observe(struct cpu_graph *c, cpu_graph_seen *seen, void *ctx)
{
	c->seen = seen;
	c->ctx = ctx;
}

void cpu_graph_reset(const struct cpu_graph *c)
{
	for (uint32_t i = 0; i < c->g->tensor_count; i++) {
		const struct ir_tensor *t = &c->g->tensors[i];
		bool byte = t->type == ELEM_INT8 || t->type == ELEM_UINT8;

		/* As the reference: bytes are the zero point, everything else is 0. */
		if (t->variable && !t->data)
			memset(c->data[i], byte && t->quant.count ? t->quant.zero_point[0] : 0,
			       ir_tensor_bytes(t));
	}
}

/* Show the observer a tensor. */
static int show(const struct cpu_graph *c, uint32_t tensor, struct error *err)
{
	int ret = 0;

	if (c->seen && tensor != IR_NONE)
		ret = c->seen(c->ctx, tensor, c->data[tensor]);
	return ret ? error_set(err, ret, "tensor %s: its observer ends the run",
			       c->g->tensors[tensor].name) : 0;
}

int cpu_graph_run_range(const struct cpu_graph *c, uint32_t from, uint32_t to, struct error *err)
{
	int ret = 0;

	for (uint32_t i = from; i < to && i < c->g->op_count && !ret; i++) {
		const struct ir_op *op = &c->g->ops[i];

		ret = cpu_op_run(c->ops[i], err);
		if (ret)
			return name_op(c->g, op, ret, err);
		for (uint32_t k = 0; k < op->output_count && !ret; k++)
			ret = show(c, op->outputs[k], err);
	}
	return ret;
}

int cpu_graph_run(const struct cpu_graph *c, struct error *err)
{
	int ret = 0;

	for (uint32_t i = 0; i < c->g->input_count && !ret; i++)
		ret = show(c, c->g->inputs[i], err);
	return ret ? ret : cpu_graph_run_range(c, 0, c->g->op_count, err);
}
