/* SPDX-License-Identifier: MIT */
/* Lowering: arithmetic on two tensors. */
#include "runtime/compile/lower.h"

#include <string.h>

/* The only element of a constant. */
static int32_t first_element(const struct ir_tensor *t)
{
	int32_t wide;
	int16_t half;

	switch (t->type) {
	case ELEM_INT8:
		return *(const int8_t *)t->data;
	case ELEM_INT16:
		memcpy(&half, t->data, sizeof(half));
		return half;
	case ELEM_INT32:
		memcpy(&wide, t->data, sizeof(wide));
		return wide;
	default:
		return *(const uint8_t *)t->data;
	}
}

/* An operand: a constant of one element is a number, if it fits the register of 16 bits. */
static struct nd operand(const struct lower *l, uint32_t t)
{
	const struct ir_tensor *tensor = lower_tensor(l, t);
	int32_t v;

	if (tensor->data && ir_tensor_elements(tensor) == 1) {
		v = first_element(tensor);
		if (v >= INT16_MIN && v <= INT16_MAX)
			return lower_value(v, quant_zero(tensor), tensor->type);
	}
	return lower_nd(l, t);
}

static bool is_small(int type)
{
	return type == ELEM_INT8 || type == ELEM_UINT8 || type == ELEM_INT16;
}

/* Types, and what the operation's options say. NULL: fine. */
static const char *check(const struct lower *l, const struct ir_op *op, bool allow32)
{
	if (op->inputs[0] == IR_NONE || op->inputs[1] == IR_NONE)
		return "an input is left out";
	if (lower_tensor(l, op->inputs[0])->type != lower_tensor(l, op->outputs[0])->type ||
	    lower_tensor(l, op->inputs[1])->type != lower_tensor(l, op->outputs[0])->type)
		return "types differ";
	if (!is_small(lower_tensor(l, op->outputs[0])->type) &&
	    !(allow32 && lower_tensor(l, op->outputs[0])->type == ELEM_INT32))
		return "the type is not int8, uint8 or int16";
	if (lower_tensor(l, op->inputs[0])->data && lower_tensor(l, op->inputs[1])->data)
		return "both operands are constant";
	return NULL;
}

/* Both operands are ranked; a number must not be all there is. */
static int emit(struct lower *l, const struct ir_op *op, const struct ir_npu *npu, bool raw)
{
	struct nd a = operand(l, op->inputs[0]), b = operand(l, op->inputs[1]);
	struct nd ofm = lower_nd(l, op->outputs[0]);

	if (raw)
		a.zero_point = b.zero_point = ofm.zero_point = 0;
	return lower_map(l, npu, ofm, a, &b);
}

/* Scales of ADD and SUB: TFLite lifts both to the larger scale, with 20 or 15 bits to spare. */
static const char *add_scales(const struct ir_tensor *a, const struct ir_tensor *b,
			      const struct ir_tensor *out, struct ir_npu *npu)
{
	int left = out->type == ELEM_INT16 ? 15 : 20;
	double twice, s1 = quant_of(a), s2 = quant_of(b);

	if (!s1 || !s2 || !quant_of(out))
		return "a tensor is not quantised";
	twice = 2 * (s1 > s2 ? s1 : s2);
	npu->ifm_dbl = true;
	npu->round = IR_ROUND_TFL;
	if (!quant_scale(s1 / twice, left, &npu->ifm_scale) ||
	    !quant_scale(s2 / twice, left, &npu->ifm2_scale) ||
	    !quant_scale(twice / ((double)(1 << left) * quant_of(out)), 0, &npu->ofm_scale))
		return "a scale is out of range";
	return NULL;
}

/* int32 that stands for itself. */
static int emit_plain(struct lower *l, const struct ir_op *op, struct ir_npu *npu)
{
	if (op->options->activation)
		return lower_cpu(l, "an activation of int32");
	npu->round = IR_ROUND_NATURAL;
	return emit(l, op, npu, true);
}

int lower_add(struct lower *l, const struct ir_op *op)
{
	const struct ir_tensor *out = lower_tensor(l, op->outputs[0]);
	struct ir_npu npu = lower_npu(IR_NPU_ELEMENTWISE,
				      op->kind == IR_ADD ? IR_ELT_ADD : IR_ELT_SUB, out->type);
	const char *why = check(l, op, true);

	if (why)
		return lower_cpu(l, why);
	if (out->type == ELEM_INT32 && !out->quant.count)
		return emit_plain(l, op, &npu);
	if (!is_small(out->type))
		return lower_cpu(l, "quantised int32");
	why = add_scales(lower_tensor(l, op->inputs[0]), lower_tensor(l, op->inputs[1]), out, &npu);
	if (why)
		return lower_cpu(l, why);
	if (!lower_activation(out, op->options->activation, &npu.act_min, &npu.act_max))
		return lower_cpu(l, "unknown fused activation");
	return emit(l, op, &npu, false);
}

int lower_mul(struct lower *l, const struct ir_op *op)
{
	const struct ir_tensor *a, *b, *out = lower_tensor(l, op->outputs[0]);
	struct ir_npu npu = lower_npu(IR_NPU_ELEMENTWISE, IR_ELT_MUL, out->type);
	const char *why = check(l, op, true);

	if (why)
		return lower_cpu(l, why);
	if (out->type == ELEM_INT32 && !out->quant.count)
		return emit_plain(l, op, &npu);
	a = lower_tensor(l, op->inputs[0]);
	b = lower_tensor(l, op->inputs[1]);
	if (!is_small(out->type) || !quant_of(a) || !quant_of(b) || !quant_of(out))
		return lower_cpu(l, "a tensor is not quantised");
	npu.round = IR_ROUND_TFL;
	/* TFLite multiplies and divides as float. */
	if (!quant_scale((double)(a->quant.scale[0] * b->quant.scale[0] / out->quant.scale[0]), 0,
			 &npu.ofm_scale))
		return lower_cpu(l, "the scale is out of range");
	if (!lower_activation(out, op->options->activation, &npu.act_min, &npu.act_max))
		return lower_cpu(l, "unknown fused activation");
	return emit(l, op, &npu, false);
}

int lower_minmax(struct lower *l, const struct ir_op *op)
{
	const struct ir_tensor *out = lower_tensor(l, op->outputs[0]);
	struct ir_npu npu = lower_npu(IR_NPU_ELEMENTWISE,
				      op->kind == IR_MAXIMUM ? IR_ELT_MAX : IR_ELT_MIN, out->type);
	const char *why = check(l, op, true);

	/* TFLite compares elements as they are stored. */
	return why ? lower_cpu(l, why) : emit(l, op, &npu, true);
}
