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
	int32_t mask = (int32_t)((INT64_C(1) << exponent) - 1);
	int32_t rest = x & mask, threshold = (mask >> 1) + (x < 0);

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

/* e^x for -1/4 <= x < 0, 31 fractional bits: a series about -1/8. */
static int32_t exp_quarter(int32_t a)
{
	const int32_t exp_eighth = 1895147668;	/* e^(-1/8) */
	const int32_t third = 715827883;
	int32_t x = a + (1 << 28);
	int32_t x2 = fixed_high_product(x, x), x3 = fixed_high_product(x2, x);
	int32_t x4 = fixed_high_product(x2, x2);
	int32_t tail = fixed_divide_pot(fixed_high_product(fixed_divide_pot(x4, 2) + x3, third) + x2,
					1);

	return exp_eighth + fixed_high_product(exp_eighth, x + tail);
}

int32_t fixed_exp_q5(int32_t a)
{
	/* e^-(2^k), k = -2..4. */
	static const int32_t powers[] = { 1672461947, 1302514674, 790015084, 290630308, 39332535,
					  720401, 242 };
	const int32_t quarter = 1 << 24;
	int32_t part = (a & (quarter - 1)) - quarter;
	int32_t rest = part - a;
	int32_t result = exp_quarter(fixed_multiply_pot(part, 5));

	if (!a)
		return INT32_MAX;
	for (int k = 0; k < 7; k++)
		if (rest & 1 << (24 + k))
			result = fixed_high_product(result, powers[k]);
	return result;
}
