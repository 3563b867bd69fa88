/* SPDX-License-Identifier: MIT */
/* CAST between all number formats, and DEQUANTIZE of float16, which is the same. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "runtime/cpu/cpu_kernel.h"

#define ROW		512u
#define LONG_END	9223372036854775808.0	/* 2^63 */

static double half_value(uint16_t bits)
{
	int exponent = bits >> 10 & 31;
	double fraction = bits & 1023, value;

	if (exponent == 31)
		value = fraction > 0 ? NAN : INFINITY;
	else
		value = exponent ? ldexp(fraction + 1024, exponent - 25) : ldexp(fraction, -24);
	return bits >> 15 ? -value : value;
}

/* The nearest, halves to even; what is too large is infinite. */
static uint16_t half_bits(double value)
{
	uint16_t sign = signbit(value) ? 0x8000 : 0;
	int exponent;
	double steps;

	value = fabs(value);
	if (isnan(value))
		return sign | 0x7e00;
	if (value >= 65520)
		return sign | 0x7c00;
	/* Steps of 2^-24 below the least normal number, else of 2^-10 of the leading bit. */
	frexp(value, &exponent);
	exponent = exponent - 1 < -14 ? -14 : exponent - 1;
	steps = rint(ldexp(value, 10 - exponent));
	return sign | (uint16_t)((exponent + 14) * 1024 + (int)steps);
}

static double bfloat_value(uint16_t bits)
{
	uint32_t wide = (uint32_t)bits << 16;
	float value;

	memcpy(&value, &wide, sizeof(value));
	return (double)value;
}

static uint16_t bfloat_bits(double real)
{
	float value = (float)real;
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	if (isnan(value))
		return (uint16_t)(bits >> 16 | 0x40);
	return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/* What @bits of a type of real numbers say. */
static double real_value(int type, int64_t bits)
{
	uint32_t narrow = (uint32_t)bits;
	double value;
	float single;

	switch (type) {
	case ELEM_FLOAT16:
		return half_value((uint16_t)bits);
	case ELEM_BFLOAT16:
		return bfloat_value((uint16_t)bits);
	case ELEM_FLOAT32:
		memcpy(&single, &narrow, sizeof(single));
		return (double)single;
	default:
		memcpy(&value, &bits, sizeof(value));
		return value;
	}
}

static int64_t real_bits(int type, double value)
{
	float single = (float)value;
	uint32_t narrow;
	int64_t bits;

	switch (type) {
	case ELEM_FLOAT16:
		return half_bits(value);
	case ELEM_BFLOAT16:
		return bfloat_bits(value);
	case ELEM_FLOAT32:
		memcpy(&narrow, &single, sizeof(narrow));
		return narrow;
	default:
		memcpy(&bits, &value, sizeof(bits));
		return bits;
	}
}

static bool is_real(int type)
{
	return CPU_REAL >> type & 1;
}

/* Beyond what a conversion can give it gives the least number, as on x86. */
static int64_t whole(int type, double value)
{
	if (type == ELEM_UINT64 && value >= LONG_END && value < 2 * LONG_END)
		return (int64_t)(uint64_t)value;
	if (type == ELEM_INT64 || type == ELEM_UINT64 || type == ELEM_UINT32)
		return value >= -LONG_END && value < LONG_END ? (int64_t)value : INT64_MIN;
	return value > -2147483649.0 && value < 2147483648.0 ? (int64_t)value : INT32_MIN;
}

static int prepare(struct cpu_op *op, struct error *err)
{
	unsigned int from = op->kind == IR_CAST ? CPU_ANY : 1u << ELEM_FLOAT16;
	int ret;

	if ((ret = cpu_check(op, 0, from, err)) ||
	    (ret = cpu_check(op, 1, op->kind == IR_CAST ? CPU_ANY : CPU_F32, err)))
		return ret;
	return cpu_check_shape(op, 1, op->inputs[0].ndim, op->inputs[0].shape, err);
}

static int64_t cast(int from, int to, int64_t value)
{
	double real;

	if (is_real(from)) {
		real = real_value(from, value);
		if (to == ELEM_BOOL)
			return real != 0;
		return is_real(to) ? real_bits(to, real) : whole(to, real);
	}
	if (to == ELEM_BOOL)
		return value != 0;
	/* To float32 in one step: by way of double it would be rounded twice. */
	if (to == ELEM_FLOAT32)
		return real_bits(to, (double)(from == ELEM_UINT64 ? (float)(uint64_t)value :
								    (float)value));
	if (is_real(to))
		return real_bits(to, from == ELEM_UINT64 ? (double)(uint64_t)value : (double)value);
	return value;
}

static int run(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *out = &op->outputs[0];
	size_t total = cpu_elements(in);
	int64_t values[ROW];

	(void)err;
	for (size_t at = 0; at < total; at += ROW) {
		size_t n = total - at < ROW ? total - at : ROW;

		cpu_load64(in, at, n, values);
		for (size_t i = 0; i < n; i++)
			values[i] = cast(in->type, out->type, values[i]);
		cpu_store64(out, at, n, values);
	}
	return 0;
}

const struct cpu_kernel cpu_cast = { prepare, run };
