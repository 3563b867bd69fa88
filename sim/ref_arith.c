/* SPDX-License-Identifier: MIT */
/* Reference engine: scaling, rounding, table lookup and the way of a result to memory. */
#include "sim/ref_arith.h"

/* 128 bits hold every product: 64-bit values, 32-bit factors, shifts to the left of at most 31. */
typedef __int128 wide;

#define LIMIT (INT64_C(1) << 62)

static int64_t narrow(wide v)
{
	if (v > LIMIT)
		return LIMIT;
	if (v < -LIMIT)
		return -LIMIT;
	return (int64_t)v;
}

int64_t ref_value(struct ref_job *job, const struct npu_fm *fm, uint32_t y, uint32_t x, uint32_t c)
{
	return ref_sub(ref_fm_load(job, fm, y, x, c), fm->zero_point);
}

static wide floor_shift(wide v, unsigned int shift)
{
	return v >> shift;
}

/* To nearest, halves toward plus infinity. */
static wide half_up(wide v, unsigned int shift)
{
	if (!shift)
		return v;
	return (v + ((wide)1 << (shift - 1))) >> shift;
}

/* To nearest, halves away from zero. */
static wide half_away(wide v, unsigned int shift)
{
	return v < 0 ? -half_up(-v, shift) : half_up(v, shift);
}

static wide to_zero(wide v, unsigned int shift)
{
	return v < 0 ? -(-v >> shift) : v >> shift;
}

/*
 * Two steps: by @first with halves up, then by the rest with @rest_round. A total shift of less than
 * @first is made up for by shifting to the left beforehand, as TFLite does.
 */
static wide two_steps(wide product, unsigned int shift, unsigned int first,
		      wide (*rest_round)(wide v, unsigned int shift))
{
	if (shift < first)
		return half_up(product * ((wide)1 << (first - shift)), first);
	return rest_round(half_up(product, first), shift - first);
}

/*
 * The first step of TFL rounding is the high half of a doubled 32x32-bit product, a shift by 31. The
 * asymmetric kind is known from the constant folding of Vela's Scale() only: it adds both halves
 * whatever the sign.
 */
#define TFL_FIRST 31

int64_t ref_scale(int64_t value, uint32_t scale, unsigned int shift, unsigned int round)
{
	wide product = (wide)value * scale;

	switch (round) {
	case NPU_ROUND_TFL:
		return narrow(two_steps(product, shift, TFL_FIRST, half_away));
	case NPU_ROUND_DOUBLE_ASYMMETRIC:
		return narrow(two_steps(product, shift, TFL_FIRST, half_up));
	case NPU_ROUND_SYMMETRIC:
		return narrow(half_away(product, shift));
	case NPU_ROUND_TO_ZERO:
		return narrow(to_zero(product, shift));
	case NPU_ROUND_TO_LOWER:
		return narrow(floor_shift(product, shift));
	default:
		return narrow(half_up(product, shift));
	}
}

int64_t ref_apply(const struct npu_scale *scale, int64_t value)
{
	if (scale->scale == 1 && !scale->shift)
		return value;
	/*
	 * Input scaling leaves K more bits than the operand had: its first step is shorter by K. Natural
	 * rounding has one step whatever K is.
	 */
	if (scale->dbl && scale->dbl < TFL_FIRST && scale->round == NPU_ROUND_TFL)
		return narrow(two_steps((wide)value * scale->scale, scale->shift, TFL_FIRST - scale->dbl,
					half_away));
	return ref_scale(value, scale->scale, scale->shift, scale->round);
}

int64_t ref_divide(int64_t sum, int64_t count)
{
	wide magnitude = sum < 0 ? -(wide)sum : sum;
	wide quotient;

	/* A window entirely in padding: no count to divide by. 0 is a guess, hardware is not known. */
	if (!count)
		return 0;
	quotient = (2 * magnitude + count) / (2 * (wide)count);
	return (int64_t)(sum < 0 ? -quotient : quotient);
}

#define TABLE_HALF 256
#define SIGMOID_ZERO 32768	/* sigmoid(0) as a 16-bit fraction */

static uint32_t table_entry(struct ref_job *job, const struct npu_op *op, uint32_t index,
			    unsigned int bytes)
{
	int64_t addr = (int64_t)op->lut_offset + (int64_t)index * bytes;
	const uint8_t *p = ref_bytes(job, NPU_SPACE_INTERNAL, addr, bytes);
	uint32_t raw = 0;

	if (!p)
		return 0;
	for (unsigned int i = 0; i < bytes; i++)
		raw |= (uint32_t)p[i] << (8 * i);
	return raw;
}

static int64_t clip(int64_t v, int64_t lo, int64_t hi)
{
	if (v < lo)
		return lo;
	return v > hi ? hi : v;
}

static int64_t interpolate(uint32_t entry, int64_t fraction, int64_t *base)
{
	*base = (int16_t)entry;
	return (int16_t)(entry >> 16) * fraction;
}

/*
 * TANH and SIGMOID take values in units of 1/12288, 256 (512) to a table step, and first limit them
 * to the reach of the table, symmetrically.
 */
static int64_t tanh_sigmoid(struct ref_job *job, const struct npu_op *op, int64_t v)
{
	bool sigmoid = op->lut == NPU_LUT_SIGMOID || op->lut == NPU_LUT_SIGMOID_BUILTIN;
	bool builtin = op->lut == NPU_LUT_TANH_BUILTIN || op->lut == NPU_LUT_SIGMOID_BUILTIN;
	unsigned int bits = sigmoid ? 9 : 8;
	int64_t reach = ((int64_t)TABLE_HALF << bits) - 1;
	int64_t fraction, base, rise, r;
	uint32_t index, entry;

	v = clip(v, -reach, reach);
	index = (uint32_t)((v >> bits) + TABLE_HALF);
	fraction = v & ((1 << bits) - 1);
	entry = builtin ? ref_builtin_table(sigmoid, index) : table_entry(job, op, index, 4);
	rise = interpolate(entry, fraction, &base);
	if (sigmoid)
		r = ((base + SIGMOID_ZERO) * 512 + rise + 512 - (v < 0)) >> 10;
	else
		r = (base * 256 + rise + 128 - (v < 0)) >> 8;
	return clip(r, INT16_MIN, INT16_MAX);
}

/* Values that no clamp keeps inside a table use its nearest end. */
static int64_t lookup(struct ref_job *job, const struct npu_op *op, int64_t v)
{
	uint32_t entry;
	int64_t base, rise;

	switch (op->lut) {
	case NPU_LUT_U8_U8:
		entry = table_entry(job, op, (uint32_t)clip(v, 0, UINT8_MAX), 1);
		/* Bytes of a table have the OFM's type. */
		return op->ofm.is_signed ? (int8_t)entry : (int64_t)entry;
	case NPU_LUT_S8_S8:
		entry = table_entry(job, op, (uint32_t)(clip(v, INT8_MIN, INT8_MAX) - INT8_MIN), 1);
		return op->ofm.is_signed ? (int8_t)entry : (int64_t)entry;
	case NPU_LUT_S8_S16:
		return (int16_t)table_entry(job, op,
					    (uint32_t)(clip(v, INT8_MIN, INT8_MAX) - INT8_MIN), 2);
	case NPU_LUT_S8_S32:
		return (int32_t)table_entry(job, op,
					    (uint32_t)(clip(v, INT8_MIN, INT8_MAX) - INT8_MIN), 4);
	case NPU_LUT_S16_S32:
		v = clip(v, INT16_MIN, INT16_MAX);
		return (int32_t)table_entry(job, op, (uint32_t)((v >> 7) + TABLE_HALF), 4);
	case NPU_LUT_S16_S16:
		v = clip(v, INT16_MIN, INT16_MAX);
		entry = table_entry(job, op, (uint32_t)((v >> 7) + TABLE_HALF), 4);
		rise = interpolate(entry, v & 127, &base);
		return base + ((rise + 64) >> 7);
	default:
		return v;
	}
}

/* Which of the operation's axes (0 H, 1 W, 2 C) each stored axis is, by enum npu_transpose. */
static const uint8_t stored_axes[8][3] = {
	[NPU_TRANSPOSE_HWC] = { 0, 1, 2 }, [NPU_TRANSPOSE_WHC] = { 1, 0, 2 },
	[NPU_TRANSPOSE_HCW] = { 0, 2, 1 }, [NPU_TRANSPOSE_WCH] = { 1, 2, 0 },
	[4] = { 0, 1, 2 },		   [5] = { 0, 1, 2 },
	[NPU_TRANSPOSE_CHW] = { 2, 0, 1 }, [NPU_TRANSPOSE_CWH] = { 2, 1, 0 },
};

/* Reversed and transposed: store where (y, x, c) of the operation goes. */
static void store(struct ref_job *job, const struct npu_op *op, uint32_t y, uint32_t x, uint32_t c,
		  int64_t value)
{
	const uint8_t *axes = stored_axes[op->transpose & 7];
	uint32_t at[3] = { y, x, c };

	if (op->reverse == NPU_REVERSE_H)
		at[0] = op->oh - 1 - y;
	else if (op->reverse == NPU_REVERSE_W)
		at[1] = op->ow - 1 - x;
	else if (op->reverse == NPU_REVERSE_C)
		at[2] = op->oc - 1 - c;
	ref_fm_store(job, &op->ofm, at[axes[0]], at[axes[1]], at[axes[2]], value);
}

void ref_output(struct ref_job *job, const struct npu_op *op, uint32_t y, uint32_t x, uint32_t c,
		int64_t value)
{
	bool wide_input = op->lut >= NPU_LUT_TANH;

	value = ref_add(value, op->ofm.zero_point);
	/* TANH and SIGMOID see values of more than 16 bits; the clamp is for their results. */
	if (wide_input)
		value = tanh_sigmoid(job, op, value);
	if (op->clamp)
		value = clip(value, op->act_min, op->act_max);
	if (!wide_input && op->lut != NPU_LUT_NONE)
		value = lookup(job, op, value);
	store(job, op, y, x, c, value);
}

void ref_output_scaled(struct ref_job *job, const struct npu_op *op, uint32_t y, uint32_t x, uint32_t c,
		       int64_t value)
{
	if (!op->per_channel)
		value = ref_apply(&op->ofm_scale, value);
	ref_output(job, op, y, x, c, value);
}
