/* SPDX-License-Identifier: MIT */
/* SOFTMAX and LOG_SOFTMAX over the last axis. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cpu/cpu_kernel.h"
#include "runtime/cpu/unary.h"

#define INTEGER_BITS	5	/* of a difference: exp(-32) is nothing */
#define SUM_BITS	12	/* before the point of a sum: up to 4096 elements of 1 */
#define LOG_OUT_BITS	4
#define STEPS		512
#define DEPTH_MAX_8	((1u << SUM_BITS) - 1)
#define DEPTH_MAX_16	65535u

/**
 * struct softmax - scales
 * @factor: from differences of inputs to Q5.26
 * @reverse: and back
 * @least: smaller differences count as nothing
 * @exp, @reciprocal: 16 bits: points of tables
 * @row: follows this in memory, the last axis
 */
struct softmax {
	struct fixed_factor factor, reverse;
	int32_t least;
	int16_t exp[STEPS + 1], reciprocal[STEPS + 1];
	size_t depth;
	int32_t *row;
};

static double reciprocal_1p(double x)
{
	return 1.0 / (1.0 + x);
}

static int32_t interpolate(const int16_t table[STEPS + 1], int32_t x)
{
	int32_t i = 256 + (x >> 7), slope = table[i + 1] - table[i];

	return (int16_t)(table[i] + ((slope * (x & 127) + 64) >> 7));
}

/* A real factor of 1 or more for numbers of 5 bits before the point. */
static int scale_differences(const struct cpu_op *op, struct softmax *s, double beta,
			     struct error *err)
{
	double real = beta * cpu_scale_of(&op->inputs[0]) * (1 << (31 - INTEGER_BITS));
	double most = 2147483647.0;

	s->factor = fixed_factor(real < most ? real : most);
	if (!s->factor.multiplier || s->factor.shift < 0)
		return cpu_refuse(op, 0, -ENOTSUP, "scale too small", err);
	s->least = (int32_t)-floor(1.0 * ((1 << INTEGER_BITS) - 1) *
				   (double)(1 << (31 - INTEGER_BITS)) /
				   (double)(INT64_C(1) << s->factor.shift));
	return 0;
}

static int prepare_rows(struct cpu_op *op, unsigned int types, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0];
	struct softmax *s;
	size_t depth;
	int ret;

	if ((ret = cpu_check(op, 0, types, err)) || (ret = cpu_check(op, 1, types, err)) ||
	    (ret = cpu_check_shape(op, 1, in->ndim, in->shape, err)) ||
	    (ret = cpu_check_scale(op, 0, err)) || (ret = cpu_check_scale(op, 1, err)))
		return ret;
	if (!in->ndim || !in->shape[in->ndim - 1])
		return cpu_refuse(op, 0, -EINVAL, "is empty", err);
	depth = (size_t)in->shape[in->ndim - 1];
	if (depth > (in->type == ELEM_INT16 ? DEPTH_MAX_16 : DEPTH_MAX_8))
		return cpu_refuse(op, 0, -ENOTSUP, "has a last axis whose sum may overflow", err);
	s = calloc(1, sizeof(*s) + depth * sizeof(*s->row));
	if (!s)
		return error_set(err, -ENOMEM, "out of memory");
	op->plan = s;
	s->row = (int32_t *)(s + 1);
	s->depth = depth;
	return 0;
}

static int prepare_softmax(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0];
	int ret = prepare_rows(op, CPU_QUANTISED, err);
	struct softmax *s = op->plan;

	if (ret)
		return ret;
	if (!(op->options.beta > 0) || op->options.beta > 1e6f)
		return error_set(err, -EINVAL, "SOFTMAX on the CPU: beta is not above 0");
	if (in->type != ELEM_INT16) {
		if (op->outputs[0].type == ELEM_INT16)
			return cpu_refuse(op, 1, -ENOTSUP, "no kernel for this type", err);
		return scale_differences(op, s, op->options.beta, err);
	}
	if ((ret = cpu_check_same(op, 1, 0, err)))
		return ret;
	s->factor = fixed_factor((double)cpu_scale_of(in) * op->options.beta / (10.0 / 65535.0));
	if (s->factor.shift > 30)
		return cpu_refuse(op, 0, -ENOTSUP, "scale too large", err);
	/* exp over -10..0 and 1 / (1 + x) over 0..1, in units of 2^-15. */
	unary_points16(exp, 10.0 / 65535.0 * (INT16_MIN - 32767), 0, -1, 1, s->exp);
	unary_points16(reciprocal_1p, 0, 1.0 / 65535.0 * (INT16_MAX + 32768), -1, 1, s->reciprocal);
	return 0;
}

static int32_t highest(const struct softmax *s)
{
	int32_t high = INT32_MIN;

	for (size_t i = 0; i < s->depth; i++)
		high = s->row[i] > high ? s->row[i] : high;
	return high;
}

static void softmax_8(const struct softmax *s, int type)
{
	int32_t high = highest(s), sum = 0, inverse, low, top;
	int bits;

	cpu_limits(type, &low, &top);
	for (size_t i = 0; i < s->depth; i++)
		if (s->row[i] - high >= s->least)
			sum += fixed_divide_pot(fixed_exp_q5(fixed_scale(s->row[i] - high, s->factor)), SUM_BITS);
	inverse = fixed_reciprocal(sum, SUM_BITS, &bits);
	for (size_t i = 0; i < s->depth; i++) {
		int32_t difference = s->row[i] - high, value = 0;

		if (difference >= s->least)
			value = fixed_divide_pot(fixed_high_product(inverse, fixed_exp_q5(fixed_scale(difference, s->factor))),
					  bits + 31 - 8);
		s->row[i] = fixed_clamp((int64_t)value + low, low, top);
	}
}

static void softmax_16(const struct softmax *s)
{
	int32_t high = highest(s), reciprocal;
	int64_t sum = 0;
	int zeros;

	for (size_t i = 0; i < s->depth; i++) {
		int32_t x = fixed_scale(s->row[i] - high, s->factor);

		s->row[i] = interpolate(s->exp, fixed_clamp((int64_t)x + 32767, INT16_MIN, INT16_MAX));
		sum += s->row[i];
	}
	/* The largest is always 32767, so the sum is not 0; more than 65536 elements do not fit. */
	zeros = __builtin_clz((unsigned int)sum);
	reciprocal = interpolate(s->reciprocal, fixed_clamp((((sum << (zeros - 1)) + (1 << 13)) >> 14) -
							 ((1 << 15) + (1 << 16)), INT16_MIN, INT16_MAX));
	for (size_t i = 0; i < s->depth; i++) {
		int64_t product = (int64_t)s->row[i] * reciprocal;

		s->row[i] = fixed_clamp((product + (INT64_C(1) << (30 - zeros))) >> (31 - zeros), 0,
				     INT16_MAX);
	}
}

static int run_softmax(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *out = &op->outputs[0];
	const struct softmax *s = op->plan;
	size_t total = cpu_elements(in);

	(void)err;
	for (size_t at = 0; at < total; at += s->depth) {
		cpu_load(in, at, s->depth, s->row);
		if (in->type == ELEM_INT16)
			softmax_16(s);
		else
			softmax_8(s, out->type);
		cpu_store(out, at, s->depth, s->row);
	}
	return 0;
}

const struct cpu_kernel cpu_softmax = { prepare_softmax, run_softmax };

static int prepare_log_softmax(struct cpu_op *op, struct error *err)
{
	int ret = prepare_rows(op, CPU_S8, err);
	struct softmax *s = op->plan;

	if (ret || (ret = scale_differences(op, s, 1.0, err)))
		return ret;
	/* The inverse of what the factor does. */
	s->reverse = fixed_factor((double)(INT64_C(1) << (31 - s->factor.shift)) /
				 (double)s->factor.multiplier);
	return 0;
}

static int run_log_softmax(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0];
	const struct softmax *s = op->plan;
	size_t total = cpu_elements(in);

	(void)err;
	for (size_t at = 0; at < total; at += s->depth) {
		int32_t high, sum = 0, log_sum, least;

		cpu_load(in, at, s->depth, s->row);
		high = highest(s);
		for (size_t i = 0; i < s->depth; i++)
			if (s->row[i] - high >= s->least)
				sum += fixed_divide_pot(fixed_exp_q5(fixed_scale(s->row[i] - high, s->factor)),
						 SUM_BITS);
		log_sum = fixed_log(sum);
		least = fixed_scale(fixed_wrap((int64_t)log_sum + INT32_MIN), s->reverse);
		least = least > s->least - 1 ? least : s->least - 1;
		for (size_t i = 0; i < s->depth; i++) {
			int32_t difference = s->row[i] - high, value;

			value = fixed_wrap((int64_t)fixed_scale(difference, s->factor) - log_sum);
			value = fixed_divide_pot(value, 31 - INTEGER_BITS - LOG_OUT_BITS) + INT8_MAX;
			s->row[i] = difference > least ? fixed_clamp(value, INT8_MIN, INT8_MAX) : INT8_MIN;
		}
		cpu_store(&op->outputs[0], at, s->depth, s->row);
	}
	return 0;
}

const struct cpu_kernel cpu_log_softmax = { prepare_log_softmax, run_log_softmax };
