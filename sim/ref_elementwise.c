/* SPDX-License-Identifier: MIT */
/* Reference engine: elementwise operations on one or two operands. */
#include "sim/ref_arith.h"
#include "sim/ref_ops.h"

/*
 * Shifts to the left and logical ones act on 32 bits and leave nothing of them from a count of 32 on
 * (inferred; streams keep to 0..31).
 */
static int64_t shift_left(int64_t a, int64_t b)
{
	return b < 0 || b > 31 ? 0 : (int32_t)((uint32_t)a << b);
}

static int64_t logical_shift_right(int64_t a, int64_t b)
{
	return b < 0 || b > 31 ? 0 : (uint32_t)a >> b;
}

static int64_t shift_right(const struct npu_op *op, int64_t a, int64_t b)
{
	unsigned int n = b < 0 ? 0 : b > 63 ? 63 : (unsigned int)b;
	bool natural = op->ofm_scale.round == NPU_ROUND_NATURAL;

	return ref_scale(a, 1, n, natural ? NPU_ROUND_NATURAL : NPU_ROUND_TO_LOWER);
}

static int64_t divide(int64_t a, int64_t b)
{
	/* Hardware's quotient by 0 is not known; 0 is a guess. */
	if (!b)
		return 0;
	return b == -1 ? ref_sub(0, a) : a / b;
}

static int64_t leading_zeros(int64_t a)
{
	uint32_t bits = (uint32_t)a;

	return bits ? __builtin_clz(bits) : 32;
}

/* All ones for true, as masks for the bitwise operations. */
static int64_t mask(bool truth)
{
	return truth ? -1 : 0;
}

static bool is_wide(const struct npu_fm *fm)
{
	return fm->elem_log2 == 2 && !(fm->broadcast & NPU_BROADCAST_SCALAR);
}

/*
 * Multiplication of 32-bit data uses the shift of OFM_SCALE alone; softmax streams leave a factor in
 * the register that must not count.
 */
static int64_t multiply(const struct npu_op *op, int64_t a, int64_t b)
{
	struct npu_scale scale = op->ofm_scale;

	if (is_wide(&op->a) || is_wide(&op->b))
		scale.scale = 1;
	return ref_apply(&scale, ref_mul(a, b));
}

/* The result before the zero point; @a and @b are without theirs. */
static int64_t element(const struct npu_op *op, int64_t a, int64_t b)
{
	switch (op->mode) {
	case NPU_ELT_MUL:
		return multiply(op, a, b);
	case NPU_ELT_ADD:
		return ref_apply(&op->ofm_scale, ref_add(a, b));
	case NPU_ELT_SUB:
		return ref_apply(&op->ofm_scale, ref_sub(a, b));
	case NPU_ELT_LRELU:
		/* @a_scale is for what is positive, @b_scale holds the slope of what is not. */
		a = ref_apply(a >= 0 ? &op->a_scale : &op->b_scale, a);
		return ref_apply(&op->ofm_scale, a);
	case NPU_ELT_ABS:
		return ref_apply(&op->ofm_scale, a < 0 ? ref_sub(0, a) : a);
	/* What follows is not scaled on its way out. */
	case NPU_ELT_MIN:
		return a < b ? a : b;
	case NPU_ELT_MAX:
		return a > b ? a : b;
	case NPU_ELT_CLZ:
		return leading_zeros(a);
	case NPU_ELT_SHL:
		return shift_left(a, b);
	case NPU_ELT_SHR:
		return shift_right(op, a, b);
	case NPU_ELT_LSR:
		return logical_shift_right(a, b);
	case NPU_ELT_DIV:
		return divide(a, b);
	case NPU_ELT_CMP_EQ:
		return mask(a == b);
	case NPU_ELT_CMP_NE:
		return mask(a != b);
	case NPU_ELT_CMP_GE:
		return mask(a >= b);
	case NPU_ELT_CMP_GT:
		return mask(a > b);
	case NPU_ELT_AND:
		return a & b;
	case NPU_ELT_OR:
		return a | b;
	case NPU_ELT_XOR:
		return a ^ b;
	case NPU_ELT_NOT:
		return ~a;
	case NPU_ELT_AND_NOT:
		return a & ~b;
	default:
		return a;
	}
}

/* Modes that scale both operands first. MIN and MAX do so on U85 alone, elsewhere their scales are 1. */
static bool scales_inputs(unsigned int mode)
{
	return (mode >= NPU_ELT_ADD && mode <= NPU_ELT_MAX) ||
	       (mode >= NPU_ELT_CMP_EQ && mode <= NPU_ELT_CMP_GT);
}

static bool is_unary(unsigned int mode)
{
	return mode == NPU_ELT_LRELU || mode == NPU_ELT_ABS || mode == NPU_ELT_CLZ || mode == NPU_ELT_NOT;
}

static int64_t operand(struct ref_job *job, const struct npu_op *op, const struct npu_fm *fm, uint32_t y,
		       uint32_t x, uint32_t c)
{
	if (fm->broadcast & NPU_BROADCAST_SCALAR)
		return (int64_t)op->scalar - fm->zero_point;
	if (fm->broadcast & NPU_BROADCAST_H)
		y = 0;
	if (fm->broadcast & NPU_BROADCAST_W)
		x = 0;
	if (fm->broadcast & NPU_BROADCAST_C)
		c = 0;
	return ref_value(job, fm, y, x, c);
}

void ref_elementwise(struct ref_job *job, const struct npu_op *op)
{
	bool unary = is_unary(op->mode);
	bool scaled = scales_inputs(op->mode);

	for (uint32_t y = 0; y < op->oh; y++) {
		for (uint32_t x = 0; x < op->ow && !ref_stopped(job); x++) {
			for (uint32_t c = 0; c < op->oc && !ref_stopped(job); c++) {
				int64_t a = operand(job, op, &op->a, y, x, c);
				int64_t b = unary ? 0 : operand(job, op, &op->b, y, x, c);

				if (scaled) {
					a = ref_apply(&op->a_scale, a);
					b = ref_apply(&op->b_scale, b);
				}
				ref_output(job, op, y, x, c, element(op, a, b));
			}
		}
	}
}
