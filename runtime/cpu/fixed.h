/* SPDX-License-Identifier: MIT */
/* Fixed-point arithmetic as TFLite's reference kernels (and gemmlowp) do it. */
#ifndef ACCEL_RUNTIME_CPU_FIXED_H
#define ACCEL_RUNTIME_CPU_FIXED_H

#include <stdint.h>

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

/* exp_on_negative_values() of a number of 5 integer and 26 fractional bits; result: 31 fractional. */
int32_t fixed_exp_q5(int32_t a);

#endif
