/* SPDX-License-Identifier: MIT */
/* Fixed-point arithmetic as TFLite's reference kernels (and gemmlowp) do it. */
#ifndef ACCEL_RUNTIME_CPU_FIXED_H
#define ACCEL_RUNTIME_CPU_FIXED_H

#include <stdint.h>

/* A real factor: multiplier / 2^31 * 2^shift. */
struct fixed_factor {
	int32_t multiplier;
	int shift;
};

/* QuantizeMultiplier(): 31-bit multiplier and shift, positive to the left. */
void fixed_multiplier(double real, int32_t *multiplier, int *shift);

/* SaturatingRoundingDoublingHighMul(): a * b / 2^31 to the nearest. */
int32_t fixed_high_product(int32_t a, int32_t b);

/* RoundingDivideByPOT(): x / 2^exponent to the nearest, halves away from zero. @exponent 0..31 */
int32_t fixed_divide_pot(int32_t x, int exponent);

/* SaturatingRoundingMultiplyByPOT(), @exponent -31..31. */
int32_t fixed_multiply_pot(int32_t x, int exponent);

/* MultiplyByQuantizedMultiplier(), rounding twice. */
int32_t fixed_multiply(int32_t value, int32_t multiplier, int shift);

static inline struct fixed_factor fixed_factor(double real)
{
	struct fixed_factor f;

	fixed_multiplier(real, &f.multiplier, &f.shift);
	return f;
}

static inline int32_t fixed_scale(int32_t x, struct fixed_factor f)
{
	return fixed_multiply(x, f.multiplier, f.shift);
}

static inline int32_t fixed_wrap(int64_t x)
{
	return (int32_t)(uint32_t)(uint64_t)x;
}

/* Biases of 64 bits can be anything: their sums wrap round, as a processor's do. */
static inline int64_t fixed_sum(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

static inline int32_t fixed_clamp(int64_t x, int32_t low, int32_t high)
{
	return x < low ? low : x > high ? high : (int32_t)x;
}

/* For accumulators of more than 32 bits: a multiplier of 16 bits, rounded once, upward. */
static inline int32_t fixed_scale_wide(int64_t x, struct fixed_factor f)
{
	int32_t multiplier = f.multiplier < 0x7fff0000 ? (f.multiplier + (1 << 15)) >> 16 : 0x7fff;
	int shift = 15 - f.shift;

	uint64_t product = (uint64_t)x * (uint64_t)multiplier + (UINT64_C(1) << (shift - 1));

	return fixed_wrap((int64_t)product >> shift);
}

/* --- fixed_math.c --- */

/* exp_on_negative_values() of a number of 5 integer and 26 fractional bits; result: 31 fractional. */
int32_t fixed_exp_q5(int32_t a);

/* 1 / (1 + x) for x in 0..1, 31 bits of fraction in both. */
int32_t fixed_reciprocal_1p(int32_t x);

/*
 * fixed_reciprocal - 1 / x
 * @digits: bits before the point of @x
 * @shift: the result, of 31 bits of fraction, is to be divided by 2^shift
 */
int32_t fixed_reciprocal(int32_t x, int digits, int *shift);

/* log(x) for x >= 1 with 19 bits of fraction (Q12.19); 26 bits of fraction in the result. */
int32_t fixed_log(int32_t x);

/* Multiplier of 1 / sqrt(x) for x >= 0, as fixed_factor's with its shift turned round. */
struct fixed_factor fixed_inverse_sqrt(int32_t x);

/* sigmoid and tanh of 16 bits: @digits bits before the point in the argument, 15 of fraction out. */
int16_t fixed_sigmoid16(int16_t x, int digits);
int16_t fixed_tanh16(int16_t x, int digits);

#endif
