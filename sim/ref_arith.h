/* SPDX-License-Identifier: MIT */
/* Reference engine: scaling, rounding, table lookup and the way of a result to memory. */
#ifndef ACCEL_SIM_REF_ARITH_H
#define ACCEL_SIM_REF_ARITH_H

#include "sim/ref_fm.h"

/* Sums and products modulo 2^64. Real accumulators are narrower; what they do at their end is not known. */
static inline int64_t ref_add(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

static inline int64_t ref_sub(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a - (uint64_t)b);
}

static inline int64_t ref_mul(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a * (uint64_t)b);
}

/* An element without its zero point. */
int64_t ref_value(struct ref_job *job, const struct npu_fm *fm, uint32_t y, uint32_t x, uint32_t c);

/**
 * ref_scale - value * scale / 2^shift, rounded
 * @round: enum npu_round
 *
 * Results beyond +-2^62 become that, out of reach of every type that can be stored.
 */
int64_t ref_scale(int64_t value, uint32_t scale, unsigned int shift, unsigned int round);

/* One of an operation's fixed-point multiplications, including the two steps of input scaling. */
int64_t ref_apply(const struct npu_scale *scale, int64_t value);

/* The hardware's division of a sum by a count: nearest, halves away from zero. */
int64_t ref_divide(int64_t sum, int64_t count);

/* Element @index (0..511) of the table behind TANH (@sigmoid false) and SIGMOID: slope << 16 | base. */
uint32_t ref_builtin_table(bool sigmoid, unsigned int index);

/* A scaled result through zero point, clamp and table into the OFM at (y, x, c) of the operation. */
void ref_output(struct ref_job *job, const struct npu_op *op, uint32_t y, uint32_t x, uint32_t c,
		int64_t value);

/* The same for a result still to be scaled with @op->ofm_scale (not if @op->per_channel). */
void ref_output_scaled(struct ref_job *job, const struct npu_op *op, uint32_t y, uint32_t x, uint32_t c,
		       int64_t value);

#endif
