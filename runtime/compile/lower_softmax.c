/* SPDX-License-Identifier: MIT */
/*
 * Lowering: SOFTMAX over the last axis, in the steps of TFLite's integer kernels: the row's maximum
 * off, exponentials from a table, their sum, its reciprocal by Newton's method (8 bits) or from a
 * table (16 bits), products.
 *
 * What holds one number a row is a tensor of [1][rows][1].
 */
#include "runtime/compile/lower.h"

#include <math.h>
#include <string.h>

#include "runtime/cpu/fixed.h"
#include "runtime/cpu/unary.h"

#define INTEGER_BITS	5	/* of the exponential's argument */
#define SUM_BITS	12	/* integer bits of the sum */
#define FIXED_ONE	(1 << 29)	/* 1.0 with 2 integer bits */

/* struct rows - the operand as [1][rows][depth] */
struct rows {
	struct nd ifm, ofm;
	int32_t rows, depth;
};

/* Elementwise operation on 32-bit temporaries of one shape. */
struct step {
	unsigned int mode;
	struct nd a, b;
	uint8_t shift;		/* of the result, with IR_ROUND_TFL */
};

/* Rows with @depth elements each, or one number each. */
static uint32_t temp_rows(struct lower *l, const struct rows *r, int type, int32_t depth)
{
	return lower_temp(l, type, 3, (int32_t[]){ 1, r->rows, depth });
}

/* A number that 16 bits do not hold: a constant of one element. */
static struct nd number(struct lower *l, int32_t value)
{
	uint32_t t;

	if (value >= INT16_MIN && value <= INT16_MAX)
		return lower_value(value, 0, ELEM_INT32);
	t = lower_constant(l, ELEM_INT32, 3, (int32_t[]){ 1, 1, 1 }, &value);
	return lower_nd(l, t);
}

static struct nd raw(const struct lower *l, uint32_t t)
{
	struct nd d = lower_nd(l, t);

	d.zero_point = 0;
	return d;
}

/* Emit @step into a new tensor of one number a row, its index in @out. */
static int row_step(struct lower *l, const struct rows *r, struct step step, uint32_t *out)
{
	struct ir_npu npu = lower_npu(IR_NPU_ELEMENTWISE, step.mode, ELEM_INT32);

	npu.round = IR_ROUND_TFL;
	npu.ofm_scale.shift = step.shift;
	*out = temp_rows(l, r, ELEM_INT32, 1);
	if (*out == IR_NONE)
		return lower_no_memory(l);
	return lower_map(l, &npu, raw(l, *out), step.a, step.mode == IR_ELT_CLZ ? NULL : &step.b);
}

/* The row's maximum: a pool along columns. */
static int emit_max(struct lower *l, const struct rows *r, uint32_t *out)
{
	struct ir_npu npu = lower_npu(IR_NPU_POOL, IR_POOL_MAX, r->ifm.type);
	struct nd in = r->ifm, max;

	*out = temp_rows(l, r, r->ifm.type, 1);
	if (*out == IR_NONE)
		return lower_no_memory(l);
	/* Rows become rows, elements columns, of one channel. */
	max = raw(l, *out);
	in.zero_point = 0;
	nd_drop(&in, 0);
	in.n = 3;
	in.shape[2] = 1;
	in.step[2] = 1;
	nd_permute(&max, (uint32_t[]){ 1, 0, 2 });
	npu.kernel_w = r->depth;
	if (!nd_view(&in, &npu.ifm) || !nd_view(&max, &npu.ofm))
		return lower_cpu(l, "a row is too long");
	return lower_emit(l, &npu);
}

static int emit_sum(struct lower *l, const struct rows *r, uint32_t exps, uint32_t *out)
{
	struct ir_npu npu = lower_npu(IR_NPU_POOL, IR_POOL_REDUCE_SUM, ELEM_INT32);
	struct nd in = raw(l, exps), sum;

	*out = temp_rows(l, r, ELEM_INT32, 1);
	if (*out == IR_NONE)
		return lower_no_memory(l);
	sum = raw(l, *out);
	npu.round = IR_ROUND_NATURAL;
	if (!nd_view(&in, &npu.ifm) || !nd_view(&sum, &npu.ofm))
		return lower_cpu(l, "a row is too long");
	return lower_emit(l, &npu);
}

/* exp(beta * scale * d) for d = -255..0, 31 fractional bits. */
static uint32_t exp_table(struct lower *l, double beta_scale)
{
	double real = beta_scale * (1 << (31 - INTEGER_BITS));
	int32_t words[256], multiplier, shape = 256;
	double limit;
	int shift;

	fixed_multiplier(real < 2147483647.0 ? real : 2147483647.0, &multiplier, &shift);
	shift = shift < 0 ? 0 : shift;
	limit = floor((double)((1 << INTEGER_BITS) - 1) * (double)(1 << (31 - INTEGER_BITS)) /
		      (double)(INT64_C(1) << shift));
	for (int i = 0; i < 256; i++) {
		int32_t d = i - 255;

		words[i] = (double)d < -limit ? 0 :
			fixed_exp_q5(fixed_high_product((int32_t)((int64_t)d * (INT64_C(1) << shift)),
							multiplier));
	}
	return lower_constant(l, ELEM_INT32, 1, &shape, words);
}

/*
 * 1 / (1 + x) for the sum's fraction x, 2 integer bits: Newton's method from 48/17 - 32/17 * half the
 * denominator.
 */
static int emit_reciprocal(struct lower *l, const struct rows *r, uint32_t denominator, uint32_t *out)
{
	struct nd half = raw(l, denominator);
	uint32_t t, x;
	int rc;

	rc = row_step(l, r, (struct step){ IR_ELT_MUL, half, number(l, -1010580540), 31 }, &t);
	if (!rc)
		rc = row_step(l, r, (struct step){ IR_ELT_ADD, raw(l, t), number(l, 1515870810), 0 },
			      &x);
	for (int i = 0; i < 3 && !rc; i++) {
		rc = row_step(l, r, (struct step){ IR_ELT_MUL, raw(l, x), half, 31 }, &t);
		if (!rc)
			rc = row_step(l, r, (struct step){ IR_ELT_SUB, number(l, FIXED_ONE),
							   raw(l, t), 0 }, &t);
		if (!rc)
			rc = row_step(l, r, (struct step){ IR_ELT_MUL, raw(l, x), raw(l, t), 31 },
				      &t);
		if (!rc)
			rc = row_step(l, r, (struct step){ IR_ELT_MUL, raw(l, t), number(l, 4), 0 },
				      &t);
		if (!rc)
			rc = row_step(l, r, (struct step){ IR_ELT_ADD, raw(l, x), raw(l, t), 0 }, &x);
	}
	*out = x;
	return rc;
}

static int softmax8(struct lower *l, const struct ir_op *op, struct rows *r)
{
	const struct ir_tensor *in = lower_tensor(l, op->inputs[0]);
	double beta_scale = (double)op->options->beta * (double)in->quant.scale[0];
	bool is_unsigned = in->type == ELEM_UINT8;
	struct ir_npu npu = lower_npu(IR_NPU_ELEMENTWISE, IR_ELT_SUB, ELEM_INT8);
	uint32_t max, exps, scaled, sum, headroom, shift, left, half, reciprocal, product;
	struct nd b, d;
	int rc = emit_max(l, r, &max);

	if (rc)
		return rc;
	/* exp(x - max), the difference shifted into the table's range. */
	exps = temp_rows(l, r, ELEM_INT32, r->depth);
	scaled = temp_rows(l, r, ELEM_INT32, r->depth);
	product = temp_rows(l, r, ELEM_INT32, r->depth);
	npu.lut = IR_LUT_8_32;
	npu.lut_data = exp_table(l, beta_scale);
	if (exps == IR_NONE || scaled == IR_NONE || product == IR_NONE || npu.lut_data == IR_NONE)
		return lower_no_memory(l);
	npu.round = IR_ROUND_NATURAL;
	d = raw(l, exps);
	d.zero_point = 127;
	b = raw(l, max);
	r->ifm.zero_point = 0;
	rc = lower_map(l, &npu, d, r->ifm, &b);
	if (rc)
		return rc;
	/* The sum with 12 integer bits. */
	npu = lower_npu(IR_NPU_ELEMENTWISE, IR_ELT_SHR, ELEM_INT32);
	npu.round = IR_ROUND_NATURAL;
	b = lower_value(SUM_BITS, 0, ELEM_INT32);
	rc = lower_map(l, &npu, raw(l, scaled), raw(l, exps), &b);
	if (!rc)
		rc = emit_sum(l, r, scaled, &sum);
	if (!rc)
		rc = row_step(l, r, (struct step){ IR_ELT_CLZ, raw(l, sum), raw(l, sum), 0 },
			      &headroom);
	if (!rc)
		rc = row_step(l, r, (struct step){ IR_ELT_SUB, number(l, SUM_BITS + 31 - 8),
						   raw(l, headroom), 0 }, &shift);
	if (!rc)
		rc = row_step(l, r, (struct step){ IR_ELT_SUB, raw(l, headroom), number(l, 1), 0 },
			      &left);
	if (!rc)
		rc = row_step(l, r, (struct step){ IR_ELT_SHL, raw(l, sum), raw(l, left), 0 }, &half);
	if (!rc)
		rc = emit_reciprocal(l, r, half, &reciprocal);
	if (rc)
		return rc;
	/* The reciprocal has 1 integer bit too many: a shift less. */
	npu = lower_npu(IR_NPU_ELEMENTWISE, IR_ELT_MUL, ELEM_INT32);
	npu.round = IR_ROUND_TFL;
	npu.ofm_scale.shift = 30;
	b = raw(l, reciprocal);
	rc = lower_map(l, &npu, raw(l, product), raw(l, exps), &b);
	if (rc)
		return rc;
	npu = lower_npu(IR_NPU_ELEMENTWISE, IR_ELT_SHR, r->ofm.type);
	npu.round = IR_ROUND_NATURAL;
	r->ofm.zero_point = is_unsigned ? 0 : -128;
	b = raw(l, shift);
	return lower_map(l, &npu, r->ofm, raw(l, product), &b);
}

static double exp_of(double x)
{
	return exp(x);
}

static double reciprocal_of(double x)
{
	return 1.0 / (1.0 + x);
}

/* A tensor of one number a row through a table of 16 bits: ADD with @offset, then the table. */
static int softmax16(struct lower *l, const struct ir_op *op, struct rows *r)
{
	const struct ir_tensor *in = lower_tensor(l, op->inputs[0]);
	double rescale = (double)(in->quant.scale[0] * op->options->beta) / (10.0 / 65535.0);
	struct ir_npu npu = lower_npu(IR_NPU_ELEMENTWISE, IR_ELT_SUB, ELEM_INT32);
	uint32_t max, difference, exps, sum, headroom, left, shifted, fraction, shift, scale, product;
	int32_t multiplier, one_over;
	int16_t points[513];
	struct nd b, d;
	int exponent, rc = emit_max(l, r, &max);

	if (rc)
		return rc;
	difference = temp_rows(l, r, ELEM_INT32, r->depth);
	exps = temp_rows(l, r, ELEM_INT16, r->depth);
	product = temp_rows(l, r, ELEM_INT32, r->depth);
	scale = temp_rows(l, r, ELEM_INT16, 1);
	if (difference == IR_NONE || exps == IR_NONE || product == IR_NONE || scale == IR_NONE)
		return lower_no_memory(l);
	/* The difference in units of 10/65535, which is TFLite's multiplication of an int32. */
	npu.round = IR_ROUND_TFL;
	fixed_multiplier(rescale, &multiplier, &exponent);
	if (31 - exponent < 0 || 31 - exponent > 63)
		return lower_cpu(l, "the input's scale is out of range");
	npu.ofm_scale = (struct ir_scale){ (uint32_t)multiplier, (uint8_t)(31 - exponent) };
	b = raw(l, max);
	r->ifm.zero_point = 0;
	rc = lower_map(l, &npu, raw(l, difference), r->ifm, &b);
	if (rc)
		return rc;
	npu = lower_npu(IR_NPU_ELEMENTWISE, IR_ELT_ADD, ELEM_INT16);
	npu.round = IR_ROUND_NATURAL;
	npu.lut = IR_LUT_16_16;
	unary_points16(exp_of, -10.0, 0.0, -1.0, 1.0, points);
	npu.lut_data = lower_points(l, points);
	b = number(l, 32767);
	rc = lower_map(l, &npu, raw(l, exps), raw(l, difference), &b);
	if (!rc)
		rc = emit_sum(l, r, exps, &sum);
	if (!rc)
		rc = row_step(l, r, (struct step){ IR_ELT_CLZ, raw(l, sum), raw(l, sum), 0 },
			      &headroom);
	if (!rc)
		rc = row_step(l, r, (struct step){ IR_ELT_SUB, raw(l, headroom), number(l, 1), 0 },
			      &left);
	if (!rc)
		rc = row_step(l, r, (struct step){ IR_ELT_SHL, raw(l, sum), raw(l, left), 0 },
			      &shifted);
	if (rc)
		return rc;
	/* (sum << left + 2^13) >> 14, less 2^15 + 2^16, through the table of 1 / (1 + x). */
	fraction = temp_rows(l, r, ELEM_INT32, 1);
	if (fraction == IR_NONE)
		return lower_no_memory(l);
	npu = lower_npu(IR_NPU_ELEMENTWISE, IR_ELT_SHR, ELEM_INT32);
	npu.round = IR_ROUND_NATURAL;
	b = lower_value(14, 0, ELEM_INT32);
	rc = lower_map(l, &npu, raw(l, fraction), raw(l, shifted), &b);
	if (rc)
		return rc;
	npu = lower_npu(IR_NPU_ELEMENTWISE, IR_ELT_SUB, ELEM_INT16);
	npu.round = IR_ROUND_NATURAL;
	npu.lut = IR_LUT_16_16;
	unary_points16(reciprocal_of, 0.0, 1.0, -1.0, 1.0, points);
	npu.lut_data = lower_points(l, points);
	one_over = (1 << 15) + (1 << 16);
	b = number(l, one_over);
	rc = lower_map(l, &npu, raw(l, scale), raw(l, fraction), &b);
	/* Products of 16 bits, 32 wide, shifted by what the headroom says. */
	npu = lower_npu(IR_NPU_ELEMENTWISE, IR_ELT_MUL, ELEM_INT32);
	npu.round = IR_ROUND_NATURAL;
	b = raw(l, scale);
	if (!rc)
		rc = lower_map(l, &npu, raw(l, product), raw(l, exps), &b);
	if (!rc)
		rc = row_step(l, r, (struct step){ IR_ELT_SUB, number(l, 31), raw(l, headroom), 0 },
			      &shift);
	if (rc)
		return rc;
	npu = lower_npu(IR_NPU_ELEMENTWISE, IR_ELT_SHR, ELEM_INT16);
	npu.round = IR_ROUND_NATURAL;
	npu.act_min = 0;
	b = raw(l, shift);
	d = r->ofm;
	d.zero_point = 0;
	return lower_map(l, &npu, d, raw(l, product), &b);
}

int lower_softmax(struct lower *l, const struct ir_op *op)
{
	const struct ir_tensor *in = lower_tensor(l, op->inputs[0]);
	const struct ir_tensor *out = lower_tensor(l, op->outputs[0]);
	int32_t depth = in->ndim ? in->shape[in->ndim - 1] : 1;
	struct rows r = { .depth = depth };

	if (in->type != out->type ||
	    (in->type != ELEM_INT8 && in->type != ELEM_UINT8 && in->type != ELEM_INT16))
		return lower_cpu(l, "the type is not int8, uint8 or int16");
	if (!quant_of(in) || !quant_of(out) || !(op->options->beta > 0))
		return lower_cpu(l, "a tensor is not quantised, or beta not positive");
	if (quant_of(out) != (in->type == ELEM_INT16 ? 1.0 / 32768 : 1.0 / 256) ||
	    quant_zero(out) != (in->type == ELEM_INT8 ? -128 : 0))
		return lower_cpu(l, "the output's quantisation is not that of a softmax");
	if (ir_tensor_elements(in) / (size_t)depth > LOWER_AXIS_MAX || depth > LOWER_AXIS_MAX - 1)
		return lower_cpu(l, "too many rows, or a row is too long");
	r.rows = (int32_t)(ir_tensor_elements(in) / (size_t)depth);
	r.ifm = lower_nd(l, op->inputs[0]);
	r.ofm = lower_nd(l, op->outputs[0]);
	if (!nd_reshape(&r.ifm, 3, (int32_t[]){ 1, r.rows, depth }) ||
	    !nd_reshape(&r.ofm, 3, (int32_t[]){ 1, r.rows, depth }))
		return lower_cpu(l, "rows do not follow each other in memory");
	return in->type == ELEM_INT16 ? softmax16(l, op, &r) : softmax8(l, op, &r);
}
