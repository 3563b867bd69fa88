/* SPDX-License-Identifier: MIT */
/* Fixed-point arithmetic as TFLite's reference kernels do it. */
#include "runtime/cpu/fixed.h"

#include <math.h>

void fixed_multiplier(double real, int32_t *multiplier, int *shift)
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

int32_t fixed_high_product(int32_t a, int32_t b)
{
	int64_t ab = (int64_t)a * b;
	int64_t nudge = ab >= 0 ? 1 << 30 : 1 - (1 << 30);

	if (a == b && a == INT32_MIN)
		return INT32_MAX;
	return (int32_t)((ab + nudge) / (INT64_C(1) << 31));
}

int32_t fixed_divide_pot(int32_t x, int exponent)
{
	int32_t mask;
	int32_t rest, threshold;

	if (exponent > 31)
		return 0;
	mask = (int32_t)((INT64_C(1) << exponent) - 1);
	rest = x & mask;
	threshold = (mask >> 1) + (x < 0);
	return (x >> exponent) + (rest > threshold);
}

int32_t fixed_multiply_pot(int32_t x, int exponent)
{
	int64_t v;

	if (exponent <= 0)
		return fixed_divide_pot(x, -exponent);
	v = (int64_t)x * (INT64_C(1) << exponent);
	return v > INT32_MAX ? INT32_MAX : v < INT32_MIN ? INT32_MIN : (int32_t)v;
}

int32_t fixed_multiply(int32_t value, int32_t multiplier, int shift)
{
	int left = shift > 0 ? shift : 0;

	return fixed_divide_pot(fixed_high_product((int32_t)((uint32_t)value << (left & 31)),
						   multiplier),
				shift > 0 ? 0 : -shift);
}
