/* SPDX-License-Identifier: MIT */
/*
 * A 1x1 pool that only looks its input up in a table, clamps it or hands it on is done by the
 * operation that made the input, if that is all there is to read it.
 */
#include "runtime/compile/passes.h"

#include <errno.h>
#include <stdlib.h>

static bool same_view(const struct ir_view *a, const struct ir_view *b)
{
	return a->tensor == b->tensor && a->base == b->base && a->h == b->h && a->w == b->w &&
	       a->c == b->c && a->type == b->type && (a->h == 1 || a->sy == b->sy) &&
	       (a->w == 1 || a->sx == b->sx);
}

/* Nothing but a table, a clamp or another place. */
static bool hands_on(const struct ir_npu *n)
{
	return n->kind == IR_NPU_POOL && (n->mode == IR_POOL_SUM || n->mode == IR_POOL_AVERAGE) &&
	       n->kernel_h == 1 && n->kernel_w == 1 && n->stride_y == 1 && n->stride_x == 1 &&
	       !n->upscale && !n->transpose && !n->reverse && n->ofm_scale.scale == 1 &&
	       !n->ofm_scale.shift && n->ifm.zero_point == n->ofm.zero_point &&
	       n->lut <= IR_LUT_16_16 && n->ifm.h == n->ofm.h && n->ifm.w == n->ofm.w;
}

/* The table's kind fits what the operation before it gives. */
static bool table_fits(const struct ir_npu *before, const struct ir_npu *after)
{
	if (before->transpose || before->reverse)
		return false;
	if (after->lut == IR_LUT_NONE)
		return elem_size(before->ofm.type) == elem_size(after->ofm.type) &&
		       before->ofm.type == after->ofm.type;
	return before->lut == IR_LUT_NONE && before->ofm.type == after->ifm.type;
}

static void take_over(struct ir_npu *before, const struct ir_npu *after)
{
	int32_t zero_point = before->ofm.zero_point;

	if (after->act_min > before->act_min)
		before->act_min = after->act_min;
	if (after->act_max < before->act_max)
		before->act_max = after->act_max;
	/* Bounds that exclude each other leave one value. */
	if (before->act_min > before->act_max) {
		if (after->act_max < before->act_min)
			before->act_min = before->act_max;
		else
			before->act_max = before->act_min;
	}
	before->ofm = after->ofm;
	before->ofm.zero_point = zero_point;
	if (after->lut != IR_LUT_NONE) {
		before->lut = after->lut;
		before->lut_data = after->lut_data;
	}
}

/* The operation anew, with what it reads and writes now. */
static int renew(struct ir_graph *g, struct ir_op *op)
{
	uint32_t candidates[] = { op->npu->ifm.tensor, op->npu->ifm2.tensor, op->npu->weights,
				  op->npu->lut_data };
	uint32_t *inputs = ir_alloc(g, sizeof(candidates));
	uint32_t *outputs = ir_alloc(g, sizeof(*outputs));
	uint16_t n = 0;

	if (!inputs || !outputs)
		return -ENOMEM;
	for (unsigned int i = 0; i < 4; i++)
		if (candidates[i] != IR_NONE)
			inputs[n++] = candidates[i];
	outputs[0] = op->npu->ofm.tensor;
	op->inputs = inputs;
	op->outputs = outputs;
	op->input_count = n;
	return 0;
}

/* True if something between the two writes what the second writes, or reads it: order matters. */
static bool moves_freely(const struct ir_graph *g, uint32_t from, uint32_t to)
{
	uint32_t target = g->ops[to].npu->ofm.tensor;

	if (g->tensors[target].variable)
		return false;
	for (uint32_t i = from + 1; i < to; i++)
		for (uint32_t k = 0; k < g->ops[i].input_count; k++)
			if (g->ops[i].inputs[k] == target)
				return false;
	return true;
}

int pass_merge(struct ir_graph *g, struct error *err)
{
	struct use *uses = passes_uses(g);
	int rc = 0;

	if (!uses)
		return error_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < g->op_count && !rc; i++) {
		struct ir_op *op = &g->ops[i], *before;
		const struct use *u;

		if (op->kind != IR_NPU || !hands_on(op->npu))
			continue;
		u = &uses[op->npu->ifm.tensor];
		if (u->writer == IR_NONE || u->readers != 1 ||
		    g->tensors[op->npu->ifm.tensor].variable)
			continue;
		before = &g->ops[u->writer];
		if (before->kind != IR_NPU || before->npu->kind >= IR_NPU_COPY ||
		    !same_view(&before->npu->ofm, &op->npu->ifm) ||
		    !table_fits(before->npu, op->npu) || before->npu->lut > IR_LUT_16_16 ||
		    !moves_freely(g, u->writer, i))
			continue;
		/* A table is applied behind the clamp: one after it must not change what is looked up. */
		if (before->npu->lut != IR_LUT_NONE &&
		    (op->npu->act_min > before->npu->act_min || op->npu->act_max < before->npu->act_max))
			continue;
		take_over(before->npu, op->npu);
		rc = renew(g, before);
		/* The place in the order of what follows: it is written earlier now. */
		uses[op->npu->ofm.tensor].writer =
			uses[op->npu->ofm.tensor].writers == 1 ? u->writer : IR_NONE;
		op->kind = IR_KIND_COUNT;
	}
	free(uses);
	if (rc)
		return error_set(err, rc, "out of memory");
	passes_compact(g);
	return 0;
}
