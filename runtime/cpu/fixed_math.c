/* SPDX-License-Identifier: MIT */
/*
 * Transcendental functions in fixed point. A number has @w bits of fraction when it is in -1..1: 31,
 * or 15 for the 16-bit forms, whose constants are the 32-bit ones rounded.
 */
#include "runtime/cpu/fixed.h"

#define SIGMOID_WIDTH 15

/* --- Either width --- */

static int32_t high_mul(int w, int32_t a, int32_t b)
{
	int64_t product = (int64_t)a * b, half = INT64_C(1) << (w - 1);
	int64_t high = (product + (product >= 0 ? half : 1 - half)) / (INT64_C(1) << w);

	return (int32_t)(high >> w > 0 ? (INT64_C(1) << w) - 1 : high);
}

static int32_t saturate(int w, int64_t x)
{
	int64_t limit = INT64_C(1) << w;

	return (int32_t)(x < -limit ? -limit : x > limit - 1 ? limit - 1 : x);
}

static int32_t times_two_to(int w, int32_t x, int exponent)
{
	return exponent < 0 ? fixed_divide_pot(x, -exponent) : saturate(w, x * (INT64_C(1) << exponent));
}

/* A constant of 31 bits of fraction, or of less and some integer bits: the same 32 bits. */
static int32_t constant(int w, int32_t value)
{
	return w == 31 ? value : fixed_divide_pot(value, 16);
}

/* exp(x) for x in -1/4..0: a series around -1/8. */
static int32_t exp_near_zero(int w, int32_t a)
{
	int32_t term = constant(w, 1895147668), third = constant(w, 715827883);
	int32_t x = a + (1 << (w - 3)), x2 = high_mul(w, x, x), x3 = high_mul(w, x2, x);
	int32_t x4 = high_mul(w, x2, x2);
	int32_t rest = high_mul(w, fixed_divide_pot(x4, 2) + x3, third) + x2;
	int64_t sum = (int64_t)term + high_mul(w, term, x + fixed_divide_pot(rest, 1));

	return w == 31 ? fixed_wrap(sum) : saturate(w, sum);
}

/* exp(x) for x <= 0 with @digits bits before the point. */
static int32_t exp_negative(int w, int32_t x, int digits)
{
	/* exp(-2^e) for e from -2 on. */
	static const int32_t powers[] = {
		1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242,
	};
	int fraction = w - digits;
	int32_t quarter = 1 << (fraction - 2), part = (x & (quarter - 1)) - quarter;
	int32_t result = exp_near_zero(w, times_two_to(w, part, digits)), rest = part - x;

	for (int e = -2; e <= 4 && e < digits; e++)
		if (rest & 1 << (fraction + e))
			result = high_mul(w, result, constant(w, powers[e + 2]));
	if (digits > 5 && x < -(constant(w, 1 << (36 - digits))))
		result = 0;
	return x ? result : (int32_t)((INT64_C(1) << w) - 1);
}

static int32_t half_sum(int32_t a, int32_t b)
{
	int64_t sum = (int64_t)a + b;

	return (int32_t)((sum + (sum >= 0 ? 1 : -1)) / 2);
}

/* 1 / ((1 + a) / 2) by Newton's method, two bits before the point. */
static int32_t newton(int w, int32_t a)
{
	int32_t half_denominator = half_sum(a, (int32_t)((INT64_C(1) << w) - 1));
	int32_t x = constant(w, 1515870810) +
		high_mul(w, half_denominator, constant(w, -1010580540));

	for (int i = 0; i < 3; i++) {
		int32_t rest = (1 << (w - 2)) - high_mul(w, half_denominator, x);

		x += times_two_to(w, high_mul(w, x, rest), 2);
	}
	return x;
}

static int32_t reciprocal_1p(int w, int32_t a)
{
	return times_two_to(w, newton(w, a), 1);
}

/* --- 32 bits --- */

int32_t fixed_exp_q5(int32_t x)
{
	return exp_negative(31, x, 5);
}

int32_t fixed_reciprocal_1p(int32_t x)
{
	return reciprocal_1p(31, x);
}

int32_t fixed_reciprocal(int32_t x, int digits, int *shift)
{
	int zeros = x ? __builtin_clz((unsigned int)x) : 31;

	*shift = digits - zeros;
	return reciprocal_1p(31, (int32_t)(((uint32_t)x << zeros) - (UINT32_C(1) << 31)));
}

/* Leading zeros of a positive number. */
static int zeros_of(int32_t x)
{
	return x ? __builtin_clz((unsigned int)x) : 32;
}

int32_t fixed_log(int32_t x)
{
	const int32_t log_2 = 1488522236, root_4_half = 1805811301, root_half = 1518500250;
	const int32_t alpha_n = 117049297, alpha_d = 127690142;
	const int32_t alpha_i = 1057819769, alpha_f = 638450708;
	const int digits = 12, out = 5, accum = out + 1;
	int32_t quarter = fixed_divide_pot(1 << 29, accum);
	int zeros_a = zeros_of(x), zeros_b;
	int32_t r_a, r_b, power_a, power_b, r, power, p, q, square, num, denom, sum;

	/* x as a number near 1 and a power of two; of two ways to do so the better. */
	r_a = times_two_to(31, fixed_high_product(times_two_to(31, x, zeros_a - 1), root_half), 1);
	power_a = saturate(31, (int64_t)fixed_multiply_pot(digits - zeros_a, 31 - accum) + quarter);
	zeros_b = zeros_of(fixed_high_product(x, root_half)) - 1;
	r_b = times_two_to(31, x, zeros_b);
	power_b = saturate(31, (int64_t)fixed_multiply_pot(digits - zeros_b, 31 - accum) - quarter);
	r = r_a < r_b ? r_a : r_b;
	power = power_a > power_b ? power_a : power_b;

	/* A quotient of polynomials round the fourth root of 1/2. */
	p = half_sum(r, root_4_half);
	q = 2 * (r - root_4_half);
	square = fixed_high_product(q, q);
	num = fixed_high_product(q, r) + fixed_high_product(fixed_high_product(q, square), alpha_n);
	denom = fixed_high_product(p, alpha_i + q + fixed_high_product(alpha_d, square)) + fixed_high_product(alpha_f, q);
	sum = fixed_high_product(power, log_2) +
		fixed_high_product(fixed_divide_pot(num, accum), fixed_reciprocal_1p(denom));
	return fixed_multiply_pot(sum, accum - out);
}

struct fixed_factor fixed_inverse_sqrt(int32_t x)
{
	struct fixed_factor f = { INT32_MAX, 0 };
	int32_t value, half, y = 1 << 28;
	int shift = 11, pairs;

	if (x <= 1)
		return f;
	while (x >= 1 << 29) {
		x /= 4;
		shift++;
	}
	pairs = (zeros_of(x) - 1) / 2 - 1;
	shift -= pairs;
	value = (x << 2 * pairs) >> 1;
	half = fixed_divide_pot(value, 1);
	/* y = (3/2 - x/2 y^2) y, with three bits before the point. */
	for (int i = 0; i < 5; i++) {
		int32_t cube = fixed_multiply_pot(fixed_high_product(fixed_high_product(y, y), y), 6);
		int64_t next = (int64_t)fixed_high_product((1 << 28) + (1 << 27), y) - fixed_high_product(half, cube);

		y = fixed_multiply_pot(fixed_wrap(next), 3);
	}
	y = fixed_high_product(y, 1518500250);
	if (shift < 0) {
		y = (int32_t)((uint32_t)y << -shift);
		shift = 0;
	}
	return (struct fixed_factor){ y, -shift };
}

/* --- 16 bits --- */

int16_t fixed_sigmoid16(int16_t x, int digits)
{
	int32_t magnitude = x > 0 ? x : saturate(SIGMOID_WIDTH, -x), positive;

	if (!x)
		return 1 << (SIGMOID_WIDTH - 1);
	positive = reciprocal_1p(SIGMOID_WIDTH, exp_negative(SIGMOID_WIDTH, -magnitude, digits));
	return (int16_t)(x > 0 ? positive : INT16_MAX - positive);
}

int16_t fixed_tanh16(int16_t x, int digits)
{
	int32_t e, t;

	if (!x)
		return 0;
	e = exp_negative(SIGMOID_WIDTH, x < 0 ? x : -x, digits + 1);
	t = times_two_to(SIGMOID_WIDTH, newton(SIGMOID_WIDTH, e) - (1 << (SIGMOID_WIDTH - 2)), 2);
	return (int16_t)(x < 0 ? -t : t);
}
