/* SPDX-License-Identifier: MIT */
/* Lowering: operations appended, and those that go element by element over any number of axes. */
#include "runtime/compile/lower.h"

#include <errno.h>
#include <string.h>

int lower_emit(struct lower *l, const struct ir_npu *npu)
{
	struct ir_npu *copy = ir_alloc(l->g, sizeof(*copy));
	struct ir_op *op;

	if (!copy)
		return lower_no_memory(l);
	if (l->g->op_count >= l->limit)
		return lower_cpu(l, "it would take too many operations of the NPU");
	*copy = *npu;
	copy->origin = l->origin;
	op = ir_npu_new(l->g, copy);
	if (!op)
		return lower_no_memory(l);
	op->origin = l->origin;
	return 0;
}

struct ir_npu lower_npu(unsigned int kind, unsigned int mode, int ofm_type)
{
	struct ir_npu npu;

	ir_npu_init(&npu);
	npu.kind = (uint8_t)kind;
	npu.mode = (uint8_t)mode;
	npu.act_min = quant_low(ofm_type);
	npu.act_max = quant_high(ofm_type);
	return npu;
}

/* True if axes @axis and the next can be one for this tensor. */
static bool mergeable(const struct nd *d, uint32_t axis)
{
	return d->scalar || d->shape[axis] == 1 ||
	       d->step[axis] == d->step[axis + 1] * d->shape[axis + 1];
}

static void merge(struct nd *d, uint32_t axis)
{
	if (d->scalar)
		return;
	d->shape[axis + 1] *= d->shape[axis];
	nd_drop(d, axis);
}

/* An axis too long for a register, or in the way: in pieces along it. */
static int map_pieces(struct lower *l, const struct ir_npu *npu, struct nd *d[3], uint32_t axis,
		      int32_t piece, bool drop)
{
	int32_t extent = d[0]->shape[axis];
	int rc = 0;

	for (int32_t at = 0; at < extent && !rc; at += piece) {
		struct nd part[3];

		for (int i = 0; i < 3; i++) {
			if (!d[i])
				continue;
			part[i] = *d[i];
			if (part[i].scalar)
				continue;
			nd_slice(&part[i], axis, at, extent - at < piece ? extent - at : piece, 1);
			if (drop)
				nd_drop(&part[i], axis);
		}
		rc = lower_map(l, npu, part[0], part[1], d[2] ? &part[2] : NULL);
	}
	return rc;
}

/*
 * Operands that broadcast: on U55 and U65 only one may, and on U85 a number is none. Find an axis to
 * take apart so that fewer do; false: it is fine as it is.
 */
static bool broadcast_axis(const struct lower *l, struct nd *const d[3], uint32_t *axis)
{
	bool a = false, b = false;

	if (l->u85 || !d[2])
		return false;
	for (uint32_t i = 0; i < 3; i++) {
		a |= !d[1]->scalar && d[0]->shape[i] > 1 && !d[1]->step[i];
		b |= !d[2]->scalar && d[0]->shape[i] > 1 && !d[2]->step[i];
	}
	if ((!a && !d[1]->scalar) || (!b && !d[2]->scalar))
		return false;
	/* The shortest axis on which either does. */
	*axis = IR_NONE;
	for (uint32_t i = 0; i < 3; i++) {
		bool here = (!d[1]->scalar && !d[1]->step[i]) || (!d[2]->scalar && !d[2]->step[i]);

		if (d[0]->shape[i] > 1 && here &&
		    (*axis == IR_NONE || d[0]->shape[i] < d[0]->shape[*axis]))
			*axis = i;
	}
	return *axis != IR_NONE;
}

static int map_views(struct lower *l, const struct ir_npu *proto, struct nd *d[3])
{
	struct ir_npu npu = *proto;

	if (!nd_view(d[0], &npu.ofm) || !nd_view(d[1], &npu.ifm) ||
	    (d[2] && !nd_view(d[2], &npu.ifm2)))
		return lower_cpu(l, "elements do not follow each other in memory");
	/* A pool does not broadcast; steps of 0 do as well. */
	if (npu.kind == IR_NPU_POOL) {
		npu.ifm.h = npu.ofm.h;
		npu.ifm.w = npu.ofm.w;
		if (npu.ifm.c != npu.ofm.c)
			return lower_cpu(l, "channels are repeated");
	}
	return lower_emit(l, &npu);
}

static bool channels_follow(const struct nd *d)
{
	return d->scalar || d->shape[d->n - 1] == 1 || d->step[d->n - 1] == 1 ||
	       d->step[d->n - 1] == 0;
}

int lower_map(struct lower *l, const struct ir_npu *npu, struct nd ofm, struct nd a,
	      const struct nd *b)
{
	struct nd copy, *d[3] = { &ofm, &a, NULL };
	uint32_t axis, longest = 0;

	if (b) {
		copy = *b;
		d[2] = &copy;
	}
	nd_rank(&ofm, 3);
	for (int i = 1; i < 3; i++)
		if (d[i] && !nd_broadcast(d[i], &ofm))
			return lower_cpu(l, "operands do not broadcast to the output");
	/* Inputs are read forward: an axis that runs backward in one is turned round in all. */
	for (uint32_t i = 0; i < ofm.n; i++)
		if (a.step[i] < 0 && !a.scalar)
			for (int k = 0; k < 3; k++)
				if (d[k] && !d[k]->scalar)
					nd_slice(d[k], i, d[k]->shape[i] - 1, d[k]->shape[i], -1);
	/* If channels do not follow each other somewhere, every element is a column of its own. */
	for (int i = 0; i < 3; i++) {
		if (!d[i] || channels_follow(d[i]) || ofm.shape[ofm.n - 1] == 1)
			continue;
		if (ofm.n == IR_MAX_DIMS)
			return lower_cpu(l, "too many axes");
		for (int k = 0; k < 3; k++) {
			if (!d[k] || d[k]->scalar)
				continue;
			d[k]->shape[d[k]->n] = 1;
			d[k]->step[d[k]->n] = 1;
			d[k]->n++;
		}
		break;
	}
	while (ofm.n > 3) {
		/* Leading axes become rows where that is possible, else operations of their own. */
		bool can = true;

		for (int i = 0; i < 3; i++)
			can &= !d[i] || mergeable(d[i], 0);
		if (!can || (int64_t)ofm.shape[0] * ofm.shape[1] > LOWER_AXIS_MAX)
			return map_pieces(l, npu, d, 0, 1, true);
		for (int i = 0; i < 3; i++)
			if (d[i])
				merge(d[i], 0);
	}
	for (uint32_t i = 0; i < 3; i++)
		if (ofm.shape[i] > ofm.shape[longest])
			longest = i;
	if (ofm.shape[longest] > LOWER_AXIS_MAX)
		return map_pieces(l, npu, d, longest, LOWER_AXIS_MAX / 2, false);
	if (npu->kind == IR_NPU_ELEMENTWISE && broadcast_axis(l, d, &axis))
		return map_pieces(l, npu, d, axis, 1, false);
	return map_views(l, npu, d);
}

struct ir_npu lower_copy_npu(const struct lower *l, int ofm_type)
{
	return lower_npu(IR_NPU_POOL, l->u85 ? IR_POOL_SUM : IR_POOL_AVERAGE, ofm_type);
}

int lower_copy(struct lower *l, struct nd ofm, struct nd ifm)
{
	struct ir_npu npu;
	struct nd zero;

	if (nd_same(&ofm, &ifm))
		return 0;
	ofm.zero_point = 0;
	ifm.zero_point = 0;
	if (ofm.type == ELEM_INT32) {
		/* Pools are of 8 and 16 bits. */
		npu = lower_npu(IR_NPU_ELEMENTWISE, IR_ELT_ADD, ELEM_INT32);
		npu.round = IR_ROUND_NATURAL;
		zero = lower_value(0, 0, ELEM_INT32);
		return lower_map(l, &npu, ofm, ifm, &zero);
	}
	if (elem_size(ofm.type) > 2)
		return lower_cpu(l, "a copy of elements wider than 16 bits");
	if (ofm.type == ELEM_BOOL)
		ofm.type = ifm.type = ELEM_INT8;
	npu = lower_copy_npu(l, ofm.type);
	npu.round = IR_ROUND_NATURAL;
	return lower_map(l, &npu, ofm, ifm, NULL);
}

bool lower_activation(const struct ir_tensor *ofm, int activation, int32_t *min, int32_t *max)
{
	static const struct { bool low, high; double from, to; } clamps[] = {
		[IR_ACT_NONE] = { false, false, 0, 0 },
		[IR_ACT_RELU] = { true, false, 0, 0 },
		[IR_ACT_RELU_N1_TO_1] = { true, true, -1, 1 },
		[IR_ACT_RELU6] = { true, true, 0, 6 },
		[IR_ACT_RELU_0_TO_1] = { true, true, 0, 1 },
	};
	float scale = ofm->quant.count ? ofm->quant.scale[0] : 1;
	int32_t zero = quant_zero(ofm), q;

	*min = quant_low(ofm->type);
	*max = quant_high(ofm->type);
	if (activation < 0 || activation > IR_ACT_RELU_0_TO_1 || activation == IR_ACT_TANH ||
	    activation == IR_ACT_SIGN_BIT || !(scale > 0))
		return false;
	/* As TFLite's CalculateActivationRangeQuantized() rounds, in float. */
	if (clamps[activation].low) {
		float limit = __builtin_roundf((float)clamps[activation].from / scale);

		q = limit < -1e9f ? INT32_MIN : zero + (int32_t)limit;
		*min = q > *min ? q : *min;
	}
	if (clamps[activation].high) {
		float limit = __builtin_roundf((float)clamps[activation].to / scale);

		q = limit > 1e9f ? INT32_MAX : zero + (int32_t)limit;
		*max = q < *max ? q : *max;
	}
	return *min <= *max;
}
