/* SPDX-License-Identifier: MIT */
/* Transpositions that layout left, done on constants or nearer to the input. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/compile/passes.h"
#include "runtime/onnx/pattern.h"

static struct ir_op *writer(struct ir_graph *g, const struct use *uses, uint32_t tensor)
{
	return tensor == IR_NONE || uses[tensor].writer == IR_NONE ? NULL : &g->ops[uses[tensor].writer];
}

/* The order of a TRANSPOSE that stands alone before its reader. */
static bool order_of(const struct ir_graph *g, const struct use *uses, const struct ir_op *op, int32_t *perm)
{
	const struct ir_tensor *p;

	if (!op || op->kind != IR_TRANSPOSE || uses[op->outputs[0]].readers != 1)
		return false;
	p = &g->tensors[op->inputs[1]];
	if (!p->data || p->type != ELEM_INT32 || ir_tensor_elements(p) != g->tensors[op->inputs[0]].ndim)
		return false;
	memcpy(perm, p->data, p->size);
	for (uint32_t i = 0; i < g->tensors[op->inputs[0]].ndim; i++)
		if (perm[i] < 0 || perm[i] >= (int32_t)g->tensors[op->inputs[0]].ndim)
			return false;
	return true;
}

static uint32_t constant_like(struct ir_graph *g, uint32_t tensor, const void *data)
{
	const struct ir_tensor *t = &g->tensors[tensor];
	size_t size = t->size;
	char name[400];
	uint32_t new;

	snprintf(name, sizeof(name), "%.300s/ordered%u", t->name, g->tensor_count);
	new = ir_tensor_new(g, name, t->type, t->ndim, t->shape);
	if (new == IR_NONE)
		return IR_NONE;
	g->tensors[new].data = data;
	g->tensors[new].size = size;
	g->tensors[new].quant = g->tensors[tensor].quant;
	return new;
}

/* TRANSPOSE, RESHAPE to rows, FULLY_CONNECTED: the columns of the weights are put in order instead. */
static int order_columns(struct ir_graph *g, struct use *uses, struct ir_op *op)
{
	struct ir_op *reshape = writer(g, uses, op->inputs[0]), *transpose;
	const struct ir_tensor *w = &g->tensors[op->inputs[1]], *from, *rows;
	int32_t perm[IR_MAX_DIMS], at[IR_MAX_DIMS] = { 0 };
	size_t stride[IR_MAX_DIMS], step = 1, esize = elem_size(w->type), columns;
	uint32_t new;
	char *data;

	if (!reshape || reshape->kind != IR_RESHAPE || uses[op->inputs[0]].readers != 1 ||
	    !w->data || w->ndim != 2)
		return 0;
	transpose = writer(g, uses, reshape->inputs[0]);
	if (!order_of(g, uses, transpose, perm) || perm[0])
		return 0;
	from = &g->tensors[transpose->inputs[0]];
	rows = &g->tensors[reshape->outputs[0]];
	columns = ir_tensor_elements(from) / (size_t)from->shape[0];
	if (rows->ndim != 2 || rows->shape[0] != from->shape[0] || (size_t)w->shape[1] != columns ||
	    w->quant.axis || from->quant.count > 1)
		return 0;
	data = ir_alloc(g, w->size);
	if (!data)
		return -ENOMEM;
	/* Where an axis of the source lies in the transposed row. */
	for (uint32_t i = from->ndim; i-- > 1; step *= (size_t)from->shape[perm[i]])
		stride[perm[i]] = step;
	for (size_t c = 0; c < columns; c++) {
		size_t place = 0;

		for (uint32_t d = 1; d < from->ndim; d++)
			place += (size_t)at[d] * stride[d];
		for (int32_t o = 0; o < w->shape[0]; o++)
			memcpy(data + ((size_t)o * columns + c) * esize,
			       (const char *)w->data + ((size_t)o * columns + place) * esize, esize);
		for (uint32_t d = from->ndim; d-- > 1 && ++at[d] == from->shape[d];)
			at[d] = 0;
	}
	new = constant_like(g, op->inputs[1], data);
	if (new == IR_NONE)
		return -ENOMEM;
	op->inputs[1] = new;
	reshape->inputs[0] = transpose->inputs[0];
	return 0;
}

/* PAD, TRANSPOSE become TRANSPOSE, PAD. @pad stands before @transpose. */
static int swap_pad(struct ir_graph *g, const struct use *uses, struct ir_op *transpose)
{
	struct ir_op *pad = writer(g, uses, transpose->inputs[0]), moved, first;
	int32_t perm[IR_MAX_DIMS], list[2 * IR_MAX_DIMS], *ordered, shape[IR_MAX_DIMS];
	const struct ir_tensor *p, *x;
	char name[400];
	uint32_t between, pads, ndim;

	if (!pad || (pad->kind != IR_PAD && pad->kind != IR_PADV2) || uses[pad->outputs[0]].readers != 1 ||
	    !order_of(g, uses, transpose, perm))
		return 0;
	p = &g->tensors[pad->inputs[1]];
	x = &g->tensors[pad->inputs[0]];
	ndim = x->ndim;
	if (!p->data || p->type != ELEM_INT32 || ir_tensor_elements(p) != 2 * ndim || x->quant.count > 1)
		return 0;
	memcpy(list, p->data, p->size);
	ordered = ir_alloc(g, p->size);
	first.inputs = ir_alloc(g, 4 * sizeof(*first.inputs));
	first.outputs = ir_alloc(g, sizeof(*first.outputs));
	moved.outputs = ir_alloc(g, sizeof(*moved.outputs));
	if (!ordered || !first.inputs || !first.outputs || !moved.outputs)
		return -ENOMEM;
	for (uint32_t i = 0; i < ndim; i++) {
		shape[i] = x->shape[perm[i]];
		ordered[2 * i] = list[2 * perm[i]];
		ordered[2 * i + 1] = list[2 * perm[i] + 1];
	}
	snprintf(name, sizeof(name), "%.300s/nhwc%u", x->name, g->tensor_count);
	between = ir_tensor_new(g, name, x->type, ndim, shape);
	pads = between == IR_NONE ? IR_NONE : constant_like(g, pad->inputs[1], ordered);
	if (pads == IR_NONE)
		return -ENOMEM;
	g->tensors[between].quant = g->tensors[pad->inputs[0]].quant;
	first.inputs[0] = pad->inputs[0];
	first.inputs[1] = transpose->inputs[1];
	first.outputs[0] = between;
	moved.outputs[0] = transpose->outputs[0];
	pad->inputs[0] = between;
	pad->inputs[1] = pads;
	/* In its place the TRANSPOSE, and the other way about. */
	{
		const struct ir_op old = *pad;

		*pad = *transpose;
		pad->inputs = first.inputs;
		pad->outputs = first.outputs;
		*transpose = old;
		transpose->outputs = moved.outputs;
	}
	return 0;
}

int pass_transposed(struct ir_graph *g, struct error *err)
{
	struct use *uses = passes_uses(g);
	uint32_t known = g->tensor_count;
	int rc = uses ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < g->op_count && !rc; i++)
		if (g->ops[i].kind == IR_FULLY_CONNECTED && g->ops[i].inputs[0] < known)
			rc = order_columns(g, uses, &g->ops[i]);
	free(uses);
	uses = rc ? NULL : passes_uses(g);
	known = g->tensor_count;
	for (uint32_t i = 0; uses && i < g->op_count && !rc; i++)
		if (g->ops[i].kind == IR_TRANSPOSE && g->ops[i].inputs[0] < known)
			rc = swap_pad(g, uses, &g->ops[i]);
	if (!rc && !uses)
		rc = -ENOMEM;
	free(uses);
	return rc ? error_set(err, rc, "out of memory") : pass_sweep(g, err);
}
