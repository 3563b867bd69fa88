/* SPDX-License-Identifier: MIT */
/* What the kernel of a unit costs, with its constants where be_stage tries them. */
#include "runtime/compile/be_stage.h"

#include <stdlib.h>
#include <string.h>

#define LEAST_TO_CUT	4096	/* bytes of weights */

/* Kinds of units whose costs are remembered: parts 1, 2, 4, 8, in the first, another, the last slice. */
#define MEMO_STATES	6	/* nothing, scales or all staged; the IFM where it is, or copied */
#define MEMO_WHOLE	MEMO_STATES
#define MEMO_ALL	(4 * 3 * MEMO_STATES)

/**
 * struct memo - what the units of an operation cost
 * @known: whether @cost is
 * @cost: MEMO_WHOLE of them, or MEMO_ALL of an operation that may be cut
 */
struct memo {
	bool known[MEMO_ALL];
	struct cost_result cost[];
};

bool be_stage_may_cut(const struct planner *p, const struct be_op *op)
{
	return p->be->copies && op->npu->kind == IR_NPU_CONV && !op->npu->transpose &&
	       !op->npu->reverse && op->npu->ofm.c >= 2 * BE_STAGE_DEPTH &&
	       op->desc.weight_bytes >= LEAST_TO_CUT;
}

/* Most of a memo is never used: it is not cleared, which would be new pages. */
static struct memo *new_memo(size_t costs)
{
	struct memo *memo = malloc(sizeof(*memo) + costs * sizeof(memo->cost[0]));

	if (memo)
		memset(memo->known, 0, sizeof(memo->known));
	return memo;
}

/* Where the cost of @x is remembered. NULL: nowhere. */
static struct memo *memo_of(const struct planner *p, const struct planned *x, uint32_t *at)
{
	const struct be_op *op = &p->be->ops[x->unit.op];
	struct memo **memo = &p->memos[x->unit.op];
	uint32_t slice = x->unit.slice, kind;
	bool cut = be_stage_may_cut(p, op);

	if (!p->parts || (p->parts > 1 && !cut))
		return NULL;
	if (!*memo)
		*memo = new_memo(cut ? MEMO_ALL : MEMO_WHOLE);
	kind = !slice ? 0 : slice + 1 < op->slice_count ? 1 : 2;
	*at = (uint32_t)__builtin_ctz(p->parts) * 3 + kind;
	*at = *at * 3 + (!x->staged ? 0 : x->staged == BE_STAGE_SCALES ? 1 : 2);
	*at = *at * 2 + (x->map != BE_NONE);
	return *memo;
}

static void work_out(const struct planner *p, uint32_t u)
{
	struct planned *x = &p->units[u];
	const struct be_op *op = &p->be->ops[x->unit.op];
	const struct cost_target *t = &p->be->target->cost;
	struct cost_op_desc d = op->desc;
	uint8_t quick = t->region[p->be->copy_region];

	be_describe_rows(op->npu, x->unit.y0, x->unit.y1, &d);
	d.weight_memory = d.scale_memory = t->region[PROGRAM_CONSTANTS];
	if (be_tensor_of(&op->npu->ifm) != IR_NONE)
		d.ifm[0].memory = x->map != BE_NONE ? quick :
				  t->region[p->be->tensors[op->npu->ifm.tensor].region];
	if (be_has_streams(op->npu)) {
		d.ofm.d = be_slice_channels(op, x->unit.slice);
		if (op->npu->kind == IR_NPU_DEPTHWISE)
			d.ifm[0].d = d.ofm.d;
		d.continues = x->unit.slice > 0;
		d.continued = x->unit.slice + 1 < op->slice_count;
		d.weight_bytes = x->weights;
		d.scale_bytes = x->scales;
		if (x->staged & BE_STAGE_WEIGHTS)
			d.weight_memory = quick;
		if (x->staged & BE_STAGE_SCALES)
			d.scale_memory = quick;
	}
	cost_op(t, &d, &x->cost);
}

void be_stage_price(const struct planner *p, uint32_t u)
{
	struct planned *x = &p->units[u];
	uint32_t at = 0;
	struct memo *memo = memo_of(p, x, &at);

	if (memo && memo->known[at]) {
		x->cost = memo->cost[at];
		return;
	}
	work_out(p, u);
	if (!memo)
		return;
	memo->known[at] = true;
	memo->cost[at] = x->cost;
}

uint64_t be_stage_bytes(const struct planned *x)
{
	return (x->staged & BE_STAGE_WEIGHTS ? x->weights : 0u) +
	       (x->staged & BE_STAGE_SCALES ? x->scales : 0u);
}
