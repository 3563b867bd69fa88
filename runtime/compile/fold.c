/* SPDX-License-Identifier: MIT */
/*
 * Operations on constants are computed here, by the CPU's operators. Those that hand on what they get
 * (QUANTIZE to the same quantisation, a TRANSPOSE that changes nothing) become a RESHAPE, which
 * costs nothing.
 */
#include "runtime/compile/passes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/compile/lower.h"
#include "runtime/cpu/cpu.h"

#define FOLD_MAX	(64u << 20)	/* bytes of all results: what is beyond is left to run time */

static struct cpu_tensor cpu_tensor_of(const struct ir_tensor *t, void *data)
{
	struct cpu_tensor c = { .type = t->type, .ndim = t->ndim, .scale_count = t->quant.count,
				.axis = t->quant.axis, .scales = t->quant.scale,
				.zero_points = t->quant.zero_point, .data = data,
				.constant = t->data };

	memcpy(c.shape, t->shape, sizeof(c.shape));
	return c;
}

static bool all_constant(const struct ir_graph *g, const struct ir_op *op)
{
	for (uint32_t i = 0; i < op->input_count; i++)
		if (op->inputs[i] != IR_NONE && !g->tensors[op->inputs[i]].data)
			return false;
	return op->input_count;
}

/* 0: computed; -ENOTSUP: it stays, the CPU does not have it. */
static int compute(struct ir_graph *g, const struct ir_op *op)
{
	struct cpu_tensor *inputs = calloc((size_t)op->input_count + 1, sizeof(*inputs)), output;
	struct ir_tensor *out = &g->tensors[op->outputs[0]];
	struct ir_options none = { 0 };
	struct cpu_op *cpu = NULL;
	void *data = ir_alloc(g, ir_tensor_bytes(out));
	int rc = inputs && data ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < op->input_count && !rc; i++)
		if (op->inputs[i] != IR_NONE)
			inputs[i] = cpu_tensor_of(&g->tensors[op->inputs[i]],
						  (void *)g->tensors[op->inputs[i]].data);
	if (!rc) {
		output = cpu_tensor_of(out, data);
		rc = cpu_op_create(op->kind, op->options ? op->options : &none, inputs,
				   op->input_count, &output, 1, &cpu, NULL);
	}
	if (!rc)
		rc = cpu_op_run(cpu, NULL);
	cpu_op_free(cpu);
	free(inputs);
	if (!rc) {
		out->data = data;
		out->size = ir_tensor_bytes(out);
	}
	return rc == -ENOMEM ? rc : rc ? -ENOTSUP : 0;
}

static bool foldable(const struct ir_graph *g, const struct ir_op *op, size_t room)
{
	const struct ir_tensor *out;

	if (op->kind == IR_NPU || op->output_count != 1 || !cpu_has(op->kind) ||
	    !all_constant(g, op))
		return false;
	out = &g->tensors[op->outputs[0]];
	return out->output < 0 && !out->variable && ir_tensor_bytes(out) <= room;
}

/* Hands on its first input, element by element. */
static bool is_identity(const struct ir_graph *g, const struct ir_op *op)
{
	const struct ir_tensor *in, *out;
	int32_t axes[IR_MAX_DIMS], last = -1;
	struct lower l = { .g = (struct ir_graph *)g };
	uint32_t n;

	if (!op->input_count || op->inputs[0] == IR_NONE || op->output_count != 1)
		return false;
	in = &g->tensors[op->inputs[0]];
	out = &g->tensors[op->outputs[0]];
	if (in->type != out->type || ir_tensor_elements(in) != ir_tensor_elements(out) ||
	    in->quant.count > 1 || !quant_same(in, out))
		return false;
	switch (op->kind) {
	case IR_QUANTIZE:
	case IR_SLICE:
	case IR_TILE:
	case IR_BROADCAST_TO:
	case IR_PAD:
		return true;
	case IR_CONCATENATION:
		return op->input_count == 1 && !op->options->activation;
	case IR_TRANSPOSE:
		if (!lower_integers(&l, op->inputs[1], axes, IR_MAX_DIMS, &n) || n != in->ndim)
			return false;
		/* Axes of extent 1 may move as they like. */
		for (uint32_t i = 0; i < n; i++) {
			if (axes[i] < 0 || axes[i] >= (int32_t)n)
				return false;
			if (in->shape[axes[i]] == 1)
				continue;
			if (axes[i] < last)
				return false;
			last = axes[i];
		}
		return true;
	default:
		return false;
	}
}

int pass_fold(struct ir_graph *g, struct error *err)
{
	size_t room = FOLD_MAX;

	for (uint32_t i = 0; i < g->op_count; i++) {
		struct ir_op *op = &g->ops[i];
		int rc;

		if (foldable(g, op, room)) {
			room -= ir_tensor_bytes(&g->tensors[op->outputs[0]]);
			rc = compute(g, op);
			if (rc == -ENOMEM)
				return error_set(err, rc, "out of memory");
			if (!rc)
				op->kind = IR_KIND_COUNT;
		} else if (is_identity(g, op)) {
			op->kind = IR_RESHAPE;
			op->input_count = 1;
			op->options = NULL;
		}
	}
	passes_compact(g);
	return 0;
}
