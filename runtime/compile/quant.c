/* SPDX-License-Identifier: MIT */
/* Fixed-point multipliers: TFLite's arithmetic in the form of the NPU's registers. */
#include "runtime/compile/quant.h"

#include "runtime/cpu/fixed.h"

bool quant_scale(double multiplier, int extra_shift, struct ir_scale *out)
{
	int32_t q;
	int shift;

	fixed_multiplier(multiplier, &q, &shift);
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

	fixed_multiplier(multiplier, &q, &shift);
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
