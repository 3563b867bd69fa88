/* SPDX-License-Identifier: MIT */
/* Fixed-point multipliers as TFLite's kernels make them, in the NPU's (scale, shift) form. */
#ifndef ACCEL_RUNTIME_COMPILE_QUANT_H
#define ACCEL_RUNTIME_COMPILE_QUANT_H

#include "runtime/ir/ir.h"

/**
 * quant_scale - a real multiplier as 31-bit scale and shift
 * @extra_shift: of the value before it is multiplied (TFLite's left_shift), taken off the shift
 *
 * TFLite's QuantizeMultiplier(): multiplied and rounded twice (IR_ROUND_TFL), the NPU gives what
 * MultiplyByQuantizedMultiplier() does.
 *
 * Return: false if the shift does not fit 0..63.
 */
bool quant_scale(double multiplier, int extra_shift, struct ir_scale *out);

/**
 * quant_scale16 - the 15-bit form that TFLite uses on 64-bit accumulators (int16 activations)
 *
 * With IR_ROUND_NATURAL.
 */
bool quant_scale16(double multiplier, struct ir_scale *out);

/**
 * quant_average - 1 / @n for the NPU's average pooling, with IR_ROUND_NATURAL
 * @bits: of the scale: 32 on U55 and U65, 31 on U85
 *
 * A little too large, so that halves of negative sums are rounded away from zero, as TFLite does.
 */
struct ir_scale quant_average(uint32_t n, unsigned int bits);

/* Smallest and largest value of an integer type. */
int32_t quant_low(int type);
int32_t quant_high(int type);

/* Per-tensor scale and zero point; 0 if there is none. */
double quant_of(const struct ir_tensor *t);
int32_t quant_zero(const struct ir_tensor *t);

/* The same quantisation, per tensor. */
bool quant_same(const struct ir_tensor *a, const struct ir_tensor *b);

#endif
