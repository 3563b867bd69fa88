/* SPDX-License-Identifier: MIT */
/*
 * Lowering: comparisons, logic, selection and integer division. Truth is 0 or 1 in a byte, which
 * arithmetic with a clamp gives on every family: a > b is a - b, clamped to 0..1.
 */
#include "runtime/compile/lower.h"

#include "runtime/cpu/fixed.h"

static bool is_small(int type)
{
	return type == ELEM_INT8 || type == ELEM_UINT8 || type == ELEM_INT16;
}

static struct ir_npu elementwise(unsigned int mode, int type)
{
	struct ir_npu npu = lower_npu(IR_NPU_ELEMENTWISE, mode, type);

	npu.round = IR_ROUND_NATURAL;
	return npu;
}

/* A bool as the NPU sees it. */
static struct nd truth(const struct lower *l, uint32_t t)
{
	struct nd d = lower_nd(l, t);

	d.type = ELEM_INT8;
	d.zero_point = 0;
	return d;
}

/* Numbers as TFLite compares them: scaled with 8 spare bits if the scales differ. */
static int comparable(struct lower *l, uint32_t t, bool scaled, struct nd *out)
{
	const struct ir_tensor *tensor = lower_tensor(l, t);
	struct ir_npu npu = elementwise(IR_ELT_MUL, ELEM_INT32);
	struct nd in = lower_nd(l, t), factor;
	uint32_t wide, lifted, constant;
	int32_t multiplier;
	int shift, rc;

	*out = in;
	if (!scaled)
		return 0;
	fixed_multiplier(quant_of(tensor), &multiplier, &shift);
	if (31 - shift < 31 || 31 - shift > 63)
		return lower_cpu(l, "a scale is out of range");
	wide = lower_temp(l, ELEM_INT32, in.n, in.shape);
	lifted = lower_temp(l, ELEM_INT32, in.n, in.shape);
	constant = lower_constant(l, ELEM_INT32, 1, (int32_t[]){ 1 }, &multiplier);
	if (wide == IR_NONE || lifted == IR_NONE || constant == IR_NONE)
		return lower_no_memory(l);
	/* 2^8 times, the factor being of the input's type: 64 and a scale of 4. */
	factor = lower_value(64, 0, in.type);
	npu.ofm_scale = (struct ir_scale){ 4, 0 };
	rc = lower_map(l, &npu, lower_nd(l, wide), in, &factor);
	if (rc)
		return rc;
	npu = elementwise(IR_ELT_MUL, ELEM_INT32);
	npu.round = IR_ROUND_TFL;
	npu.ofm_scale.shift = (uint8_t)(31 - shift);
	factor = lower_nd(l, constant);
	rc = lower_map(l, &npu, lower_nd(l, lifted), lower_nd(l, wide), &factor);
	*out = lower_nd(l, lifted);
	return rc;
}

/* (a - b + @plus) clamped to 0..1. */
static int emit_greater(struct lower *l, struct nd ofm, struct nd a, struct nd b, int32_t plus)
{
	struct ir_npu npu = elementwise(IR_ELT_SUB, ELEM_INT8);

	npu.act_min = 0;
	npu.act_max = 1;
	ofm.zero_point = plus;
	return lower_map(l, &npu, ofm, a, &b);
}

/* U85, 32 bits: -1 for true, and 1 added: so the opposite is asked for. */
static int emit_mask(struct lower *l, struct nd ofm, struct nd a, struct nd b, unsigned int opposite)
{
	struct ir_npu npu = elementwise(opposite, ELEM_INT8);

	ofm.zero_point = 1;
	return lower_map(l, &npu, ofm, a, &b);
}

/* a == b or a != b: whether the difference's absolute value is 0. */
static int emit_equal(struct lower *l, struct nd ofm, struct nd a, struct nd b, bool not)
{
	struct ir_npu npu = elementwise(IR_ELT_SUB, ELEM_INT16);
	uint32_t difference = lower_temp(l, ELEM_INT16, ofm.n, ofm.shape);
	uint32_t differ = lower_temp(l, ELEM_INT8, ofm.n, ofm.shape);
	struct nd one = lower_value(1, 0, ELEM_INT8), d;
	int rc;

	if (difference == IR_NONE || differ == IR_NONE)
		return lower_no_memory(l);
	rc = lower_map(l, &npu, lower_nd(l, difference), a, &b);
	if (rc)
		return rc;
	npu = elementwise(IR_ELT_ABS, ELEM_INT8);
	npu.act_min = 0;
	npu.act_max = 1;
	d = lower_nd(l, differ);
	rc = lower_map(l, &npu, not ? ofm : d, lower_nd(l, difference), NULL);
	if (rc || not)
		return rc;
	npu = elementwise(IR_ELT_SUB, ELEM_INT8);
	return lower_map(l, &npu, ofm, one, &d);
}

int lower_compare(struct lower *l, const struct ir_op *op)
{
	const struct ir_tensor *in1 = lower_tensor(l, op->inputs[0]);
	const struct ir_tensor *in2 = lower_tensor(l, op->inputs[1]);
	bool wide = in1->type == ELEM_INT32;
	/* TFLite scales both in any case; with one scale of 1/128 or more the order is the same. */
	bool scaled = !wide && !(quant_same(in1, in2) && quant_of(in1) >= 1.0 / 128);
	struct nd a, b, ofm = truth(l, op->outputs[0]);
	int rc;

	if (in1->type != in2->type || (!is_small(in1->type) && !(wide && l->u85)))
		return lower_cpu(l, "the type is not int8, uint8 or int16");
	if (lower_tensor(l, op->outputs[0])->type != ELEM_BOOL)
		return lower_cpu(l, "the result is not bool");
	if (!wide && in1->type == ELEM_INT16 && scaled)
		return lower_cpu(l, "int16 of different scales");
	if (!wide && (!quant_of(in1) || !quant_of(in2)))
		return lower_cpu(l, "a tensor is not quantised");
	rc = comparable(l, op->inputs[0], scaled, &a);
	if (!rc)
		rc = comparable(l, op->inputs[1], scaled, &b);
	if (rc)
		return rc;
	if (wide)
		a.zero_point = b.zero_point = 0;
	switch (op->kind) {
	case IR_GREATER:
		return wide ? emit_mask(l, ofm, b, a, IR_ELT_CMP_GE) : emit_greater(l, ofm, a, b, 0);
	case IR_GREATER_EQUAL:
		return wide ? emit_mask(l, ofm, b, a, IR_ELT_CMP_GT) : emit_greater(l, ofm, a, b, 1);
	case IR_LESS:
		return wide ? emit_mask(l, ofm, a, b, IR_ELT_CMP_GE) : emit_greater(l, ofm, b, a, 0);
	case IR_LESS_EQUAL:
		return wide ? emit_mask(l, ofm, a, b, IR_ELT_CMP_GT) : emit_greater(l, ofm, b, a, 1);
	case IR_EQUAL:
		return wide ? emit_mask(l, ofm, a, b, IR_ELT_CMP_NE)
			    : emit_equal(l, ofm, a, b, false);
	default:
		return wide ? emit_mask(l, ofm, a, b, IR_ELT_CMP_EQ) : emit_equal(l, ofm, a, b, true);
	}
}

int lower_logical(struct lower *l, const struct ir_op *op)
{
	struct nd a = truth(l, op->inputs[0]), ofm = truth(l, op->outputs[0]), b, one;
	struct ir_npu npu;

	if (lower_tensor(l, op->inputs[0])->type != ELEM_BOOL ||
	    lower_tensor(l, op->outputs[0])->type != ELEM_BOOL)
		return lower_cpu(l, "not bool");
	if (op->kind == IR_LOGICAL_NOT) {
		npu = elementwise(IR_ELT_SUB, ELEM_INT8);
		one = lower_value(1, 0, ELEM_INT8);
		return lower_map(l, &npu, ofm, one, &a);
	}
	npu = elementwise(op->kind == IR_LOGICAL_AND ? IR_ELT_MIN : IR_ELT_MAX, ELEM_INT8);
	b = truth(l, op->inputs[1]);
	return lower_map(l, &npu, ofm, a, &b);
}

/* c * a + (1 - c) * b, of numbers as they are stored. */
int lower_select(struct lower *l, const struct ir_op *op)
{
	struct nd c = truth(l, op->inputs[0]), a = lower_nd(l, op->inputs[1]);
	struct nd b = lower_nd(l, op->inputs[2]), ofm = lower_nd(l, op->outputs[0]), d, one;
	struct ir_npu npu;
	uint32_t not, first, second;
	int rc;

	if (lower_tensor(l, op->inputs[0])->type != ELEM_BOOL || a.type != ofm.type ||
	    b.type != ofm.type || ofm.type != ELEM_INT8)
		return lower_cpu(l, "the type is not int8");
	if (op->kind == IR_SELECT && c.n != ofm.n)
		return lower_cpu(l, "a condition of fewer axes");
	a.zero_point = b.zero_point = ofm.zero_point = 0;
	not = lower_temp(l, ELEM_INT8, c.n, c.shape);
	first = lower_temp(l, ELEM_INT8, ofm.n, ofm.shape);
	second = lower_temp(l, ELEM_INT8, ofm.n, ofm.shape);
	if (not == IR_NONE || first == IR_NONE || second == IR_NONE)
		return lower_no_memory(l);
	npu = elementwise(IR_ELT_SUB, ELEM_INT8);
	one = lower_value(1, 0, ELEM_INT8);
	rc = lower_map(l, &npu, lower_nd(l, not), one, &c);
	npu = elementwise(IR_ELT_MUL, ELEM_INT8);
	if (!rc)
		rc = lower_map(l, &npu, lower_nd(l, first), c, &a);
	d = lower_nd(l, not);
	if (!rc)
		rc = lower_map(l, &npu, lower_nd(l, second), d, &b);
	if (rc)
		return rc;
	npu = elementwise(IR_ELT_ADD, ELEM_INT8);
	d = lower_nd(l, second);
	return lower_map(l, &npu, ofm, lower_nd(l, first), &d);
}

int lower_div(struct lower *l, const struct ir_op *op)
{
	struct ir_npu npu = elementwise(IR_ELT_DIV, ELEM_INT32);
	struct nd b = lower_nd(l, op->inputs[1]);

	if (!l->u85)
		return lower_cpu(l, "U55 and U65 do not divide");
	if (lower_tensor(l, op->inputs[0])->type != ELEM_INT32 || b.type != ELEM_INT32 ||
	    lower_tensor(l, op->outputs[0])->type != ELEM_INT32)
		return lower_cpu(l, "the type is not int32");
	if (op->options->activation)
		return lower_cpu(l, "an activation of int32");
	return lower_map(l, &npu, lower_nd(l, op->outputs[0]), lower_nd(l, op->inputs[0]), &b);
}
