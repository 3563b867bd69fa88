/* SPDX-License-Identifier: MIT */
/*
 * How each tensor is stored: in rows (NHWC), or in bricks of 16 channels (NHCWB16), which the NPU
 * reads and writes in long bursts. Bricks are for what only the NPU sees, and only if every view of
 * the tensor can be addressed so.
 */
#include "runtime/compile/be.h"

/* What is stored of an operation's OFM extent, axis by axis. */
static void stored_extent(const struct ir_npu *npu, int32_t out[3])
{
	static const uint8_t axes[8][3] = {
		[IR_TRANSPOSE_HWC] = { 0, 1, 2 }, [IR_TRANSPOSE_WHC] = { 1, 0, 2 },
		[IR_TRANSPOSE_HCW] = { 0, 2, 1 }, [IR_TRANSPOSE_WCH] = { 1, 2, 0 },
		[IR_TRANSPOSE_CHW] = { 2, 0, 1 }, [IR_TRANSPOSE_CWH] = { 2, 1, 0 },
	};
	const int32_t extent[3] = { npu->ofm.h, npu->ofm.w, npu->ofm.c };

	for (unsigned int i = 0; i < 3; i++)
		out[i] = extent[axes[npu->transpose & 7][i]];
}

struct ir_view be_stored_ofm(const struct ir_npu *npu)
{
	struct ir_view view = npu->ofm;
	int32_t extent[3];

	stored_extent(npu, extent);
	view.h = extent[0];
	view.w = extent[1];
	view.c = extent[2];
	return view;
}

bool be_view_in_bricks(const struct be *be, const struct ir_view *view)
{
	const struct ir_tensor *t = &be->g->tensors[view->tensor];
	int64_t row = (int64_t)t->hwc[1] * t->hwc[2];
	int64_t x = view->base % row / t->hwc[2], c = view->base % t->hwc[2];

	if (view->h > 1 && (view->sy < 0 || view->sy % row))
		return false;
	if (view->w > 1 && view->sx != t->hwc[2])
		return false;
	if (x + view->w > t->hwc[1] || c + view->c > t->hwc[2] || c % ETHOSU_BRICK)
		return false;
	return view->c % ETHOSU_BRICK == 0 || c + view->c == t->hwc[2];
}

/* Bricks cannot do this operand of this operation, whatever its view. */
static bool wants_rows(const struct ir_npu *npu, const struct ir_view *view)
{
	if (be_is_transfer(npu))
		return true;
	if (npu->kind == IR_NPU_MATMUL && view != &npu->ifm)
		return true;
	if (npu->kind == IR_NPU_POOL && npu->mode == IR_POOL_NONE)
		return true;
	if (npu->kind == IR_NPU_POOL && npu->mode == IR_POOL_REDUCE_SUM && view == &npu->ifm &&
	    elem_size(view->type) == 4)
		return true;
	if (view != &npu->ofm)
		return false;
	/* Of the U85's transposes these two are known to write bricks. */
	return npu->reverse ||
	       (npu->transpose && npu->transpose != IR_TRANSPOSE_WHC &&
		npu->transpose != IR_TRANSPOSE_HCW);
}

static void look_at(struct be *be, const struct ir_npu *npu, const struct ir_view *view)
{
	struct ir_view stored;
	struct be_tensor *t;

	if (view->tensor == IR_NONE || view->scalar)
		return;
	t = &be->tensors[view->tensor];
	stored = view == &npu->ofm ? be_stored_ofm(npu) : *view;
	if (wants_rows(npu, view) || !be_view_in_bricks(be, &stored))
		t->brick = false;
}

static void fix(struct be *be, const uint32_t *tensors, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (tensors[i] != IR_NONE)
			be->tensors[tensors[i]].fixed = true;
}

static uint32_t count_in(const uint32_t *list, uint32_t count, uint32_t tensor)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < count; i++)
		n += list[i] == tensor;
	return n;
}

static bool is_of_cpu(const struct ir_graph *g, uint32_t tensor)
{
	for (uint32_t i = 0; i < g->op_count; i++) {
		const struct ir_op *op = &g->ops[i];

		if (!op->npu && (count_in(op->inputs, op->input_count, tensor) ||
				 count_in(op->outputs, op->output_count, tensor)))
			return true;
	}
	return false;
}

static bool is_of_npu(const struct be *be, uint32_t tensor)
{
	for (uint32_t i = 0; i < be->op_count; i++) {
		const struct ir_npu *npu = be->ops[i].npu;

		if (be_tensor_of(&npu->ifm) == tensor || be_tensor_of(&npu->ifm2) == tensor ||
		    npu->ofm.tensor == tensor)
			return true;
	}
	return false;
}

/* A region each for what of @list only the NPU touches, and which is one input or one output. */
static void own_regions(struct be *be, const uint32_t *list, uint32_t count, uint32_t *next)
{
	const struct ir_graph *g = be->g;

	for (uint32_t i = 0; i < count && *next < PROGRAM_OWN_MAX; i++) {
		uint32_t t = list[i];

		if (t == IR_NONE || g->tensors[t].variable || g->tensors[t].data ||
		    count_in(g->inputs, g->input_count, t) +
				    count_in(g->outputs, g->output_count, t) > 1 ||
		    is_of_cpu(g, t) || !is_of_npu(be, t))
			continue;
		be->tensors[t].region = (uint8_t)(PROGRAM_OWN + (*next)++);
	}
}

int be_layout(struct be *be)
{
	const struct ir_graph *g = be->g;
	uint32_t own = 0;

	fix(be, g->inputs, g->input_count);
	fix(be, g->outputs, g->output_count);
	for (uint32_t i = 0; i < g->op_count; i++)
		if (!g->ops[i].npu) {
			fix(be, g->ops[i].inputs, g->ops[i].input_count);
			fix(be, g->ops[i].outputs, g->ops[i].output_count);
		}
	for (uint32_t i = 0; i < g->tensor_count; i++) {
		struct be_tensor *t = &be->tensors[i];

		t->esize = (uint8_t)elem_size(g->tensors[i].type);
		t->copied = BE_NONE;
		t->region = g->tensors[i].data ? PROGRAM_CONSTANTS : PROGRAM_ARENA;
		if (g->tensors[i].variable || g->tensors[i].data)
			t->fixed = true;
		t->brick = !t->fixed && t->esize <= 4;
	}
	for (uint32_t i = 0; i < be->op_count; i++) {
		const struct ir_npu *npu = be->ops[i].npu;

		be->tensors[npu->ofm.tensor].made = true;
		look_at(be, npu, &npu->ifm);
		look_at(be, npu, &npu->ifm2);
		look_at(be, npu, &npu->ofm);
	}
	if (be->opt->own_io) {
		own_regions(be, g->inputs, g->input_count, &own);
		own_regions(be, g->outputs, g->output_count, &own);
	}
	return 0;
}

uint64_t be_tensor_size(const struct be *be, uint32_t tensor)
{
	const struct ir_tensor *t = &be->g->tensors[tensor];
	uint64_t c = (uint64_t)t->hwc[2];

	if (be->tensors[tensor].brick)
		c = be_align(c, ETHOSU_BRICK);
	return (be->tensors[tensor].rows ? be->tensors[tensor].rows : (uint64_t)t->hwc[0]) *
	       (uint64_t)t->hwc[1] * c * be->tensors[tensor].esize;
}
