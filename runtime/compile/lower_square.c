/* SPDX-License-Identifier: MIT */
/*
 * Lowering: SQUARED_DIFFERENCE, with TFLite's 7 spare bits: both operands brought to the larger scale
 * as int32, their difference, its square, and that scaled to the output.
 */
#include "runtime/compile/lower.h"

#include "runtime/cpu/fixed.h"

#define SPARE_BITS 7

static uint32_t constant32(struct lower *l, int32_t value)
{
	return lower_constant(l, ELEM_INT32, 1, (int32_t[]){ 1 }, &value);
}

/* a * b as int32, with a shift (TFL), into a new tensor. */
static int product(struct lower *l, struct nd a, struct nd b, uint8_t shift, uint32_t *out)
{
	struct ir_npu npu = lower_npu(IR_NPU_ELEMENTWISE, IR_ELT_MUL, ELEM_INT32);

	*out = lower_temp(l, ELEM_INT32, a.n, a.shape);
	if (*out == IR_NONE)
		return lower_no_memory(l);
	npu.round = IR_ROUND_TFL;
	npu.ofm_scale.shift = shift;
	return lower_map(l, &npu, lower_nd(l, *out), a, &b);
}

/* An operand in units of the larger scale / 64, rounded as TFLite does. */
static int lift(struct lower *l, uint32_t t, double share, uint32_t *out)
{
	struct nd in = lower_nd(l, t);
	int32_t multiplier;
	uint32_t wide, factor;
	int shift, rc;

	/* The larger scale's own: a factor of 1/2 is exact. */
	if (share == 0.5)
		return product(l, in, lower_value(1 << (SPARE_BITS - 1), 0, in.type), 0, out);
	fixed_multiplier(share, &multiplier, &shift);
	factor = constant32(l, multiplier);
	if (factor == IR_NONE)
		return lower_no_memory(l);
	if (in.type == ELEM_INT8) {
		/* 128 is no int8. */
		rc = product(l, in, lower_value(64, 0, in.type), 0, &wide);
		if (!rc)
			rc = product(l, lower_nd(l, wide), lower_value(2, 0, ELEM_INT32), 0, &wide);
	} else {
		rc = product(l, in, lower_value(1 << SPARE_BITS, 0, in.type), 0, &wide);
	}
	if (rc)
		return rc;
	if (31 - shift > 63)
		return lower_cpu(l, "a scale is out of range");
	return product(l, lower_nd(l, wide), lower_nd(l, factor), (uint8_t)(31 - shift), out);
}

int lower_squared_difference(struct lower *l, const struct ir_op *op)
{
	const struct ir_tensor *a = lower_tensor(l, op->inputs[0]);
	const struct ir_tensor *b = lower_tensor(l, op->inputs[1]);
	const struct ir_tensor *out = lower_tensor(l, op->outputs[0]);
	struct ir_npu npu = lower_npu(IR_NPU_ELEMENTWISE, IR_ELT_SUB, ELEM_INT32);
	double s1 = quant_of(a), s2 = quant_of(b), twice = 2 * (s1 > s2 ? s1 : s2);
	uint32_t first, second, difference, square, factor;
	struct nd d, e;
	int32_t multiplier;
	int shift, rc;

	if (a->type != out->type || b->type != out->type ||
	    (out->type != ELEM_INT8 && out->type != ELEM_UINT8))
		return lower_cpu(l, "the type is not int8 or uint8");
	if (!s1 || !s2 || !quant_of(out))
		return lower_cpu(l, "a tensor is not quantised");
	fixed_multiplier(twice * twice / ((double)(1 << (2 * SPARE_BITS)) * quant_of(out)),
			 &multiplier, &shift);
	if (31 - shift < 0 || 31 - shift > 63)
		return lower_cpu(l, "the scale is out of range");
	d = lower_nd(l, op->outputs[0]);
	difference = lower_temp(l, ELEM_INT32, d.n, d.shape);
	factor = constant32(l, multiplier);
	if (difference == IR_NONE || factor == IR_NONE)
		return lower_no_memory(l);
	if (s1 == s2) {
		/* The same scale: the difference itself, times 64. */
		e = lower_nd(l, op->inputs[1]);
		npu.ofm_scale = (struct ir_scale){ 1 << (SPARE_BITS - 1), 0 };
		npu.round = IR_ROUND_NATURAL;
		rc = lower_map(l, &npu, lower_nd(l, difference), lower_nd(l, op->inputs[0]), &e);
	} else {
		rc = lift(l, op->inputs[0], s1 / twice, &first);
		if (!rc)
			rc = lift(l, op->inputs[1], s2 / twice, &second);
		if (rc)
			return rc;
		npu.round = IR_ROUND_NATURAL;
		e = lower_nd(l, second);
		rc = lower_map(l, &npu, lower_nd(l, difference), lower_nd(l, first), &e);
	}
	if (!rc)
		rc = product(l, lower_nd(l, difference), lower_nd(l, difference), 0, &square);
	if (rc)
		return rc;
	npu = lower_npu(IR_NPU_ELEMENTWISE, IR_ELT_MUL, d.type);
	npu.round = IR_ROUND_TFL;
	npu.ofm_scale.shift = (uint8_t)(31 - shift);
	e = lower_nd(l, factor);
	return lower_map(l, &npu, d, lower_nd(l, square), &e);
}
