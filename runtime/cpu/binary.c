/* SPDX-License-Identifier: MIT */
/* Arithmetic of two quantised operands. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cpu/broadcast.h"

#define SHIFT_8		20	/* headroom of ADD and SUB, by the size of their data */
#define SHIFT_16	15
#define SHIFT_SQUARE	7	/* of SQUARED_DIFFERENCE */

/**
 * struct binary - an operation with its numbers
 * @zero, @factor: of both inputs
 * @shift: to the left, before the inputs are scaled
 */
struct binary {
	struct broadcast broadcast;
	broadcast_row *row;
	int32_t zero[2], out_zero;
	struct fixed_factor factor[2], out_factor;
	int shift;
	int32_t low, high;
};

/* Both inputs in one scale, with headroom below the point. */
static inline void common_scale(const struct binary *p, const int64_t *const in[BROADCAST_MAX],
				size_t i, int32_t v[2])
{
	for (int k = 0; k < 2; k++) {
		int32_t x = (int32_t)in[k][i] - p->zero[k];

		v[k] = fixed_scale((int32_t)((uint32_t)x << p->shift), p->factor[k]);
	}
}

#define ROW(name, ...) \
	static void name(const void *ctx, const int64_t *const in[BROADCAST_MAX], int64_t *out, \
			 size_t count) \
	{ \
		const struct binary *p = ctx; \
\
		(void)p; \
		for (size_t i = 0; i < count; i++) { \
			const int32_t a = (int32_t)in[0][i], b = (int32_t)in[1][i]; \
			int64_t value; \
\
			(void)a; \
			(void)b; \
			__VA_ARGS__ \
			out[i] = fixed_clamp(value, p->low, p->high); \
		} \
	}

ROW(add,
    int32_t v[2];
    common_scale(p, in, i, v);
    value = (int64_t)fixed_scale(v[0] + v[1], p->out_factor) + p->out_zero;)
ROW(sub,
    int32_t v[2];
    common_scale(p, in, i, v);
    value = (int64_t)fixed_scale(v[0] - v[1], p->out_factor) + p->out_zero;)
ROW(square_difference,
    int32_t v[2];
    common_scale(p, in, i, v);
    v[0] -= v[1];
    value = (int64_t)fixed_scale(fixed_wrap((int64_t)v[0] * v[0]), p->out_factor) + p->out_zero;)
ROW(mul,
    int32_t product = fixed_wrap((int64_t)(a - p->zero[0]) * (b - p->zero[1]));
    value = (int64_t)fixed_scale(product, p->out_factor) + p->out_zero;)
/* PRELU: b is the slope of negative values. */
ROW(prelu,
    int32_t x = a - p->zero[0], slope = b - p->zero[1];
    value = x >= 0 ? fixed_scale(x, p->factor[0]) : fixed_scale(x * slope, p->out_factor);
    value += p->out_zero;)
ROW(maximum, value = a > b ? a : b;)
ROW(minimum, value = a < b ? a : b;)

/* What there is. MAXIMUM and MINIMUM compare as they are: operands share a scale. */
static broadcast_row *const rows[IR_KIND_COUNT] = {
	[IR_ADD] = add,
	[IR_SUB] = sub,
	[IR_MUL] = mul,
	[IR_SQUARED_DIFFERENCE] = square_difference,
	[IR_MAXIMUM] = maximum,
	[IR_MINIMUM] = minimum,
	[IR_PRELU] = prelu,
};

/* Scales of ADD, SUB and SQUARED_DIFFERENCE: relative to twice the larger input scale. */
static void scale_sum(const struct cpu_op *op, struct binary *p)
{
	double a = cpu_scale_of(&op->inputs[0]), b = cpu_scale_of(&op->inputs[1]);
	double out = cpu_scale_of(&op->outputs[0]), twice = 2 * (a > b ? a : b);

	p->shift = op->outputs[0].type == ELEM_INT16 ? SHIFT_16 : SHIFT_8;
	if (op->kind == IR_SQUARED_DIFFERENCE)
		p->shift = SHIFT_SQUARE;
	p->factor[0] = fixed_factor(a / twice);
	p->factor[1] = fixed_factor(b / twice);
	if (op->kind == IR_SQUARED_DIFFERENCE)
		p->out_factor = fixed_factor(twice * twice / ((1 << 2 * SHIFT_SQUARE) * out));
	else
		p->out_factor = fixed_factor(twice / ((1 << p->shift) * out));
}

static int prepare_scales(const struct cpu_op *op, struct binary *p, struct error *err)
{
	int ret = 0;

	if (op->kind == IR_MAXIMUM || op->kind == IR_MINIMUM)
		return 0;
	for (uint32_t i = 0; i < 3 && !ret; i++)
		ret = cpu_check_scale(op, i, err);
	if (ret)
		return ret;
	p->zero[0] = cpu_zero_of(&op->inputs[0]);
	p->zero[1] = cpu_zero_of(&op->inputs[1]);
	p->out_zero = cpu_zero_of(&op->outputs[0]);
	if (op->kind == IR_MUL || op->kind == IR_PRELU) {
		float scale = cpu_scale_of(&op->inputs[0]) * cpu_scale_of(&op->inputs[1]);

		p->out_factor = fixed_factor(scale / cpu_scale_of(&op->outputs[0]));
		p->factor[0] = fixed_factor(cpu_scale_of(&op->inputs[0]) / cpu_scale_of(&op->outputs[0]));
	} else {
		scale_sum(op, p);
	}
	return 0;
}

static int prepare(struct cpu_op *op, struct error *err)
{
	struct binary *p = calloc(1, sizeof(*p));
	int ret;

	if (!p)
		return error_set(err, -ENOMEM, "out of memory");
	op->plan = p;
	p->row = rows[op->kind];
	if ((ret = cpu_check(op, 0, p->row ? CPU_QUANTISED : 0, err)) ||
	    (ret = cpu_check_same(op, 1, 0, err)) || (ret = cpu_check_same(op, 2, 0, err)) ||
	    (ret = broadcast_plan(op, 2, &p->broadcast, err)))
		return ret;
	cpu_limits(op->inputs[0].type, &p->low, &p->high);
	ret = cpu_activation(op, &op->outputs[0], &p->low, &p->high, err);
	return ret ? ret : prepare_scales(op, p, err);
}

static int run(const struct cpu_op *op, struct error *err)
{
	const struct binary *p = op->plan;

	(void)err;
	broadcast_run(op, &p->broadcast, p->row, p);
	return 0;
}

const struct cpu_kernel cpu_binary = { prepare, run };
const struct cpu_kernel cpu_prelu = { prepare, run };
