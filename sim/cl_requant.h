/* SPDX-License-Identifier: MIT */
/*
 * Requantisation in single precision that is exact, because it was proven for the very channel.
 *
 * round(acc * scale >> shift), clamped, is a staircase: it never falls, and it has at most 255 steps.
 * A float expression that never falls either and is on the right side of every step is therefore
 * equal to it everywhere. Coefficients are looked for, each step is then checked. There may be one accumulator
 * for which none are right: it is moved to its neighbour. Where there are more, values near a tie are computed
 * in 64-bit integers.
 *
 * The expression is rint(acc * m + c) with the sign of c flipped for a negative acc, which is what
 * TFLite's double rounding amounts to. Where the clamp leaves only values above zero (after a ReLU), the
 * sign does not matter, and the accumulator is moved so that the middle of the output range is at zero:
 * floats are finest there.
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
 * @center: output, zero point not included, that is to be at zero. Not 0 only if @lo is not below
 *	@zero_point: values below it are all the same then
 */
struct npu_requant {
	uint32_t scale;
	unsigned int shift;
	unsigned int round;
	int32_t zero_point;
	int32_t lo, hi;
	int64_t acc_min, acc_max;
	int32_t center;
};

/**
 * struct npu_fit - float coefficients
 * @m, @c: v = fma((float)(acc - base), m, c), c negated for a negative acc if center is 0;
 *	out = clamp(rint(v) + center + zero_point)
 * @base: see @m
 * @odd, @by: if @by is not 0: at acc = @odd the above is that of acc + @by
 * @limit: the largest |v - rint(v)| for which that was proven right: 1: always is; 0.5 less a band: has
 *	to be looked at for each value; -1: no coefficients were found
 */
struct npu_fit {
	float m, c;
	float limit;
	int32_t base;
	int32_t odd, by;
};

/* The exact result, in integers. */
int32_t npu_requant_exact(const struct npu_requant *r, int64_t acc);

/**
 * npu_requant_fit - find coefficients equal to npu_requant_exact() on [acc_min, acc_max]
 * @band: distance from a tie within which the float expression may be wrong
 */
struct npu_fit npu_requant_fit(const struct npu_requant *r, float band);

#endif
