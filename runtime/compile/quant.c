/* SPDX-License-Identifier: MIT */
/* Fixed-point multipliers: TFLite's arithmetic in the form of the NPU's registers. */
#include "runtime/compile/quant.h"

#include <math.h>

void quant_multiplier(double real, int32_t *multiplier, int *shift)
{
	int64_t q;

	*multiplier = 0;
	*shift = 0;
	if (!(real > 0) || isinf(real))
		return;
	q = (int64_t)round(frexp(real, shift) * (double)(INT64_C(1) << 31));
	if (q == INT64_C(1) << 31) {
		q /= 2;
		++*shift;
	}
	/* Too small to matter: TFLite gives 0. */
	if (*shift < -31) {
		*shift = 0;
		q = 0;
	}
	*multiplier = (int32_t)q;
}

bool quant_scale(double multiplier, int extra_shift, struct ir_scale *out)
{
	int32_t q;
	int shift;

	quant_multiplier(multiplier, &q, &shift);
	shift = 31 - extra_shift - shift;
	if (shift < 0 || shift > 63)
		return false;
	*out = (struct ir_scale){ (uint32_t)q, (uint8_t)shift };
	return true;
}

bool quant_scale16(double multiplier, struct ir_scale *out)
{
	int32_t q;
	int shift;

	quant_multiplier(multiplier, &q, &shift);
	q = q < 0x7FFF0000 ? (q + (1 << 15)) >> 16 : 0x7FFF;
	shift = 15 - shift;
	if (shift < 0 || shift > 63)
		return false;
	*out = (struct ir_scale){ (uint32_t)q, (uint8_t)shift };
	return true;
}

struct ir_scale quant_average(uint32_t n, unsigned int bits)
{
	unsigned int k = 0;

	/* Bits of n - 1: the exponent that frexp() gives. */
	while ((n - 1) >> k)
		k++;
	return (struct ir_scale){
		(uint32_t)(((UINT64_C(1) << (bits - 1 + k)) + (UINT64_C(1) << k)) / n),
		(uint8_t)(bits - 1 + k),
	};
}

static int32_t high_product(int32_t a, int32_t b)
{
	int64_t ab = (int64_t)a * b;
	int64_t nudge = ab >= 0 ? 1 << 30 : 1 - (1 << 30);

	if (a == b && a == INT32_MIN)
		return INT32_MAX;
	return (int32_t)((ab + nudge) / (INT64_C(1) << 31));
}

static int32_t divide_pot(int32_t x, int exponent)
{
	int32_t mask = (int32_t)((INT64_C(1) << exponent) - 1);
	int32_t rest = x & mask, threshold = (mask >> 1) + (x < 0);

	return (x >> exponent) + (rest > threshold);
}

int32_t quant_multiply(int32_t value, int32_t multiplier, int shift)
{
	int left = shift > 0 ? shift : 0;

	return divide_pot(high_product((int32_t)((uint32_t)value << left), multiplier),
			  shift > 0 ? 0 : -shift);
}

int32_t quant_low(int type)
{
	switch (type) {
	case ELEM_INT8:
		return INT8_MIN;
	case ELEM_INT16:
		return INT16_MIN;
	case ELEM_INT32:
		return INT32_MIN;
	default:
		return 0;
	}
}

int32_t quant_high(int type)
{
	switch (type) {
	case ELEM_INT8:
		return INT8_MAX;
	case ELEM_UINT8:
		return UINT8_MAX;
	case ELEM_INT16:
		return INT16_MAX;
	case ELEM_UINT16:
		return UINT16_MAX;
	case ELEM_BOOL:
		return 1;
	default:
		return INT32_MAX;
	}
}

double quant_of(const struct ir_tensor *t)
{
	return t->quant.count ? (double)t->quant.scale[0] : 0;
}

int32_t quant_zero(const struct ir_tensor *t)
{
	return t->quant.count ? t->quant.zero_point[0] : 0;
}

bool quant_same(const struct ir_tensor *a, const struct ir_tensor *b)
{
	return quant_of(a) == quant_of(b) && quant_zero(a) == quant_zero(b);
}
