/* SPDX-License-Identifier: MIT */
/* Graphs made from other graphs. */
#include "runtime/ir/ir_copy.h"

#include <errno.h>
#include <string.h>

static void *copy(struct ir_graph *g, const void *data, size_t size)
{
	void *p = ir_alloc(g, size ? size : 1);

	if (p && size)
		memcpy(p, data, size);
	return p;
}

int ir_set_quant(struct ir_graph *g, uint32_t tensor, uint32_t count, int32_t axis,
		 const float *scale, const int32_t *zero_point)
{
	struct ir_quant q = { .count = count, .axis = axis };

	q.scale = copy(g, scale, count * sizeof(*scale));
	q.zero_point = zero_point ? copy(g, zero_point, count * sizeof(*zero_point)) :
				    ir_alloc(g, (count ? count : 1) * sizeof(*zero_point));
	if (!q.scale || !q.zero_point)
		return -ENOMEM;
	g->tensors[tensor].quant = q;
	return 0;
}

uint32_t ir_constant(struct ir_graph *g, const char *name, int type, uint32_t ndim,
		     const int32_t *shape, const void *data)
{
	uint32_t index = ir_tensor_new(g, name, type, ndim, shape);
	struct ir_tensor *t;

	if (index == IR_NONE)
		return IR_NONE;
	t = &g->tensors[index];
	t->size = ir_tensor_bytes(t);
	t->data = copy(g, data, t->size);
	return t->data ? index : IR_NONE;
}

static bool copy_tensor(struct ir_graph *g, const struct ir_tensor *from)
{
	uint32_t index = ir_tensor_new(g, from->name, from->type, from->ndim, from->shape);
	struct ir_tensor *t;

	if (index == IR_NONE)
		return false;
	t = &g->tensors[index];
	memcpy(t->hwc, from->hwc, sizeof(t->hwc));
	t->variable = from->variable;
	t->input = from->input;
	t->output = from->output;
	if (from->quant.count &&
	    ir_set_quant(g, index, from->quant.count, from->quant.axis, from->quant.scale,
			 from->quant.zero_point))
		return false;
	if (from->data) {
		t->data = copy(g, from->data, from->size);
		t->size = from->size;
	}
	return !from->data || t->data;
}

struct ir_graph *ir_copy_tensors(const struct ir_graph *from)
{
	struct ir_graph *g = ir_new(from->name);

	if (!g)
		return NULL;
	for (uint32_t i = 0; i < from->tensor_count; i++)
		if (!copy_tensor(g, &from->tensors[i]))
			goto fail;
	for (uint32_t i = 0; i < from->origin_count; i++)
		if (ir_origin_new(g, from->origins[i]) == IR_NONE)
			goto fail;
	g->inputs = copy(g, from->inputs, from->input_count * sizeof(*from->inputs));
	g->outputs = copy(g, from->outputs, from->output_count * sizeof(*from->outputs));
	if (!g->inputs || !g->outputs)
		goto fail;
	g->input_count = from->input_count;
	g->output_count = from->output_count;
	return g;
fail:
	ir_free(g);
	return NULL;
}

struct ir_op *ir_copy_op(struct ir_graph *to, const struct ir_op *op)
{
	struct ir_op *new = ir_op_new(to, op->kind, op->inputs, op->input_count, op->outputs,
				      op->output_count, op->options);

	if (new)
		new->origin = op->origin;
	return new;
}

struct ir_graph *ir_copy(const struct ir_graph *from)
{
	struct ir_graph *g = ir_copy_tensors(from);

	for (uint32_t i = 0; g && i < from->op_count; i++) {
		if (ir_copy_op(g, &from->ops[i]))
			continue;
		ir_free(g);
		return NULL;
	}
	return g;
}
