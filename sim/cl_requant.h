/* SPDX-License-Identifier: MIT */
/*
 * Requantisation in single precision that is exact, because it was proven for the very channel.
 *
 * round(acc * scale >> shift), clamped, is a staircase: it never falls, and it has at most 255 steps.
 * A float expression that never falls either and is on the right side of every step is therefore
 * equal to it everywhere. The expression is rint(acc * m + c) with the sign of c flipped for a
 * negative acc, which is what TFLite's double rounding amounts to. Coefficients are looked for, each
 * step is then checked; a channel for which none pass is computed in 64-bit integers.
 */
#ifndef ACCEL_SIM_CL_REQUANT_H
#define ACCEL_SIM_CL_REQUANT_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct npu_requant - one channel's output stage, as integers
 * @scale, @shift: factor and right shift
 * @round: enum npu_round
 * @zero_point: added after rounding
 * @lo, @hi: clamp, at most 255 apart
 * @acc_min, @acc_max: what the accumulator can reach, bias included
 */
struct npu_requant {
	uint32_t scale;
	unsigned int shift;
	unsigned int round;
	int32_t zero_point;
	int32_t lo, hi;
	int64_t acc_min, acc_max;
};

/* The exact result, in integers. */
int32_t npu_requant_exact(const struct npu_requant *r, int64_t acc);

/**
 * npu_requant_fit - find float coefficients equal to npu_requant_exact() on [acc_min, acc_max]
 * @band: distance from a tie within which the float expression may be wrong
 * @m, @c: v = fma((float)acc, m, acc < 0 ? -c : c), out = clamp(rint(v) + zero_point)
 *
 * Return: the largest |v - rint(v)| for which the expression was proven right: 1 if it always is,
 * 0.5 - @band if that has to be looked at for each value, -1 if no coefficients were found at all.
 */
float npu_requant_fit(const struct npu_requant *r, float band, float *m, float *c);

#endif
