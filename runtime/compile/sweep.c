/* SPDX-License-Identifier: MIT */
/* Operations that come twice are kept once, and those whose results nobody reads not at all. */
#include "runtime/compile/passes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int pass_sweep(struct ir_graph *g, struct error *err)
{
	bool *wanted = calloc(g->tensor_count ? g->tensor_count : 1, sizeof(*wanted));

	if (!wanted)
		return error_set(err, -ENOMEM, "out of memory");
	/* State is read by the next run. */
	for (uint32_t t = 0; t < g->tensor_count; t++)
		wanted[t] = g->tensors[t].output >= 0 || g->tensors[t].variable;
	for (uint32_t i = g->op_count; i-- > 0;) {
		struct ir_op *op = &g->ops[i];
		bool used = !op->output_count;

		for (uint32_t k = 0; k < op->output_count; k++)
			used |= wanted[op->outputs[k]];
		/* What has no output, or writes to variables through its inputs, is kept. */
		for (uint32_t k = 0; k < op->input_count; k++)
			used |= op->inputs[k] != IR_NONE && g->tensors[op->inputs[k]].variable;
		if (!used) {
			op->kind = IR_KIND_COUNT;
			continue;
		}
		for (uint32_t k = 0; k < op->input_count; k++)
			if (op->inputs[k] != IR_NONE)
				wanted[op->inputs[k]] = true;
	}
	free(wanted);
	passes_compact(g);
	return 0;
}

static uint64_t hash_op(const struct ir_op *op)
{
	uint64_t h = op->kind * UINT64_C(0x9E3779B97F4A7C15);

	for (uint32_t i = 0; i < op->input_count; i++)
		h = (h ^ op->inputs[i]) * UINT64_C(0x9E3779B97F4A7C15);
	return h ^ h >> 29;
}

static bool same_quant(const struct ir_quant *a, const struct ir_quant *b)
{
	return a->count == b->count &&
	       !memcmp(a->scale, b->scale, a->count * sizeof(*a->scale)) &&
	       !memcmp(a->zero_point, b->zero_point, a->count * sizeof(*a->zero_point));
}

static bool same_op(const struct ir_graph *g, const struct ir_op *a, const struct ir_op *b)
{
	const struct ir_tensor *x, *y;

	if (a->kind != b->kind || a->input_count != b->input_count ||
	    memcmp(a->inputs, b->inputs, a->input_count * sizeof(*a->inputs)) ||
	    !a->options != !b->options ||
	    (a->options && memcmp(a->options, b->options, sizeof(*a->options))))
		return false;
	x = &g->tensors[a->outputs[0]];
	y = &g->tensors[b->outputs[0]];
	return x->type == y->type && x->ndim == y->ndim &&
	       !memcmp(x->shape, y->shape, x->ndim * sizeof(x->shape[0])) &&
	       (!x->quant.count == !y->quant.count) &&
	       (!x->quant.count || same_quant(&x->quant, &y->quant));
}

/* A function of its inputs alone, with one output that nobody outside sees. */
static bool shareable(const struct ir_graph *g, const struct ir_op *op)
{
	if (op->kind == IR_NPU || op->kind == IR_OTHER || op->output_count != 1 ||
	    g->tensors[op->outputs[0]].output >= 0 || g->tensors[op->outputs[0]].variable)
		return false;
	for (uint32_t i = 0; i < op->input_count; i++)
		if (op->inputs[i] != IR_NONE && g->tensors[op->inputs[i]].variable)
			return false;
	return true;
}

int pass_share(struct ir_graph *g, struct error *err)
{
	uint32_t room = 64, *table, *same;

	while (room < 2 * (uint64_t)g->op_count && room < 1u << 30)
		room *= 2;
	table = malloc(room * sizeof(*table));
	same = malloc((g->tensor_count ? g->tensor_count : 1) * sizeof(*same));
	if (!table || !same) {
		free(table);
		free(same);
		return error_set(err, -ENOMEM, "out of memory");
	}
	for (uint32_t i = 0; i < room; i++)
		table[i] = IR_NONE;
	for (uint32_t t = 0; t < g->tensor_count; t++)
		same[t] = t;
	for (uint32_t i = 0; i < g->op_count; i++) {
		struct ir_op *op = &g->ops[i];
		uint32_t at;

		for (uint32_t k = 0; k < op->input_count; k++)
			if (op->inputs[k] != IR_NONE)
				op->inputs[k] = same[op->inputs[k]];
		if (!shareable(g, op))
			continue;
		at = (uint32_t)hash_op(op) & (room - 1);
		while (table[at] != IR_NONE && !same_op(g, &g->ops[table[at]], op))
			at = (at + 1) & (room - 1);
		if (table[at] == IR_NONE) {
			table[at] = i;
		} else {
			same[op->outputs[0]] = g->ops[table[at]].outputs[0];
			op->kind = IR_KIND_COUNT;
		}
	}
	free(table);
	free(same);
	passes_compact(g);
	return 0;
}
