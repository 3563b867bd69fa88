/* SPDX-License-Identifier: MIT */
/* Reference engine: elementwise operations on one or two operands. */
#include "sim/ref_arith.h"
#include "sim/ref_ops.h"

/* Shifts act on 32-bit values; counts outside 0..31 are taken as the nearest of these (inferred). */
static unsigned int shift_count(int64_t b)
{
	if (b < 0)
		return 0;
	return b > 31 ? 31 : (unsigned int)b;
}

static int64_t shift_right(const struct npu_op *op, int64_t a, int64_t b)
{
	unsigned int n = shift_count(b);

	if (n && op->ofm_scale.round == NPU_ROUND_NATURAL)
		a = ref_add(a, INT64_C(1) << (n - 1));
	return a >> n;
}

static int64_t divide(int64_t a, int64_t b)
{
	/* Hardware's quotient by 0 is not known; 0 is a guess. */
	if (!b)
		return 0;
	return a / b;
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

/*
 * Multiplication of 32-bit data uses the shift of OFM_SCALE alone; softmax streams leave a factor in
 * the register that must not count.
 */
static void multiply(struct ref_job *job, const struct npu_op *op, uint32_t y, uint32_t x, uint32_t c,
		     int64_t a, int64_t b)
{
	int64_t product = ref_mul(a, b);

	if (op->a.elem_log2 == 2 && !op->per_channel)
		ref_output(job, op, y, x, c,
			   ref_scale(product, 1, op->ofm_scale.shift, op->ofm_scale.round));
	else
		ref_output_scaled(job, op, y, x, c, product);
}

/* @a and @b are without their zero points. */
static void element(struct ref_job *job, const struct npu_op *op, uint32_t y, uint32_t x, uint32_t c,
		    int64_t a, int64_t b)
{
	int64_t r;

	switch (op->mode) {
	/* Scaled on their way out. */
	case NPU_ELT_MUL:
		multiply(job, op, y, x, c, a, b);
		return;
	case NPU_ELT_ADD:
		r = ref_add(ref_apply(&op->a_scale, a), ref_apply(&op->b_scale, b));
		ref_output_scaled(job, op, y, x, c, r);
		return;
	case NPU_ELT_SUB:
		r = ref_sub(ref_apply(&op->a_scale, a), ref_apply(&op->b_scale, b));
		ref_output_scaled(job, op, y, x, c, r);
		return;
	case NPU_ELT_LRELU:
		/* @a_scale is for what is positive, @b_scale holds the slope of what is not. */
		r = ref_apply(a >= 0 ? &op->a_scale : &op->b_scale, a);
		ref_output_scaled(job, op, y, x, c, r);
		return;
	case NPU_ELT_ABS:
		ref_output_scaled(job, op, y, x, c, a < 0 ? -a : a);
		return;
	/* Not scaled. */
	case NPU_ELT_MIN:
		r = a < b ? a : b;
		break;
	case NPU_ELT_MAX:
		r = a > b ? a : b;
		break;
	case NPU_ELT_CLZ:
		r = leading_zeros(a);
		break;
	case NPU_ELT_SHL:
		r = ref_mul(a, INT64_C(1) << shift_count(b));
		break;
	case NPU_ELT_SHR:
		r = shift_right(op, a, b);
		break;
	case NPU_ELT_LSR:
		r = (uint32_t)a >> shift_count(b);
		break;
	case NPU_ELT_DIV:
		r = divide(a, b);
		break;
	case NPU_ELT_CMP_EQ:
		r = mask(ref_apply(&op->a_scale, a) == ref_apply(&op->b_scale, b));
		break;
	case NPU_ELT_CMP_NE:
		r = mask(ref_apply(&op->a_scale, a) != ref_apply(&op->b_scale, b));
		break;
	case NPU_ELT_CMP_GE:
		r = mask(ref_apply(&op->a_scale, a) >= ref_apply(&op->b_scale, b));
		break;
	case NPU_ELT_CMP_GT:
		r = mask(ref_apply(&op->a_scale, a) > ref_apply(&op->b_scale, b));
		break;
	case NPU_ELT_AND:
		r = a & b;
		break;
	case NPU_ELT_OR:
		r = a | b;
		break;
	case NPU_ELT_XOR:
		r = a ^ b;
		break;
	case NPU_ELT_NOT:
		r = ~a;
		break;
	case NPU_ELT_AND_NOT:
		r = a & ~b;
		break;
	default:
		r = a;
	}
	ref_output(job, op, y, x, c, r);
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
	return ref_fm_load(job, fm, y, x, c) - fm->zero_point;
}

void ref_elementwise(struct ref_job *job, const struct npu_op *op)
{
	for (uint32_t y = 0; y < op->oh; y++) {
		for (uint32_t x = 0; x < op->ow && !ref_stopped(job); x++) {
			for (uint32_t c = 0; c < op->oc && !ref_stopped(job); c++) {
				int64_t a = operand(job, op, &op->a, y, x, c);
				int64_t b = is_unary(op->mode) ? 0 : operand(job, op, &op->b, y, x, c);

				element(job, op, y, x, c, a, b);
			}
		}
	}
}
