/* SPDX-License-Identifier: MIT */
/* Arithmetic of two operands. */
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
static inline void common_scale(const struct binary *p, const int32_t *const in[BROADCAST_MAX],
				size_t i, int32_t v[2])
{
	for (int k = 0; k < 2; k++) {
		int32_t x = in[k][i] - p->zero[k];

		v[k] = fixed_scale((int32_t)((uint32_t)x << p->shift), p->factor[k]);
	}
}

#define ROW(name, ...) \
	static void name(const void *ctx, const int32_t *const in[BROADCAST_MAX], int32_t *out, \
			 size_t count) \
	{ \
		const struct binary *p = ctx; \
\
		(void)p; \
		for (size_t i = 0; i < count; i++) { \
			const int32_t a = in[0][i], b = in[1][i]; \
			int64_t value; \
\
			(void)a; \
			(void)b; \
			__VA_ARGS__ \
			out[i] = fixed_clamp(value, p->low, p->high); \
		} \
	}

ROW(add_quantised,
    int32_t v[2];
    common_scale(p, in, i, v);
    value = (int64_t)fixed_scale(v[0] + v[1], p->out_factor) + p->out_zero;)
ROW(sub_quantised,
    int32_t v[2];
    common_scale(p, in, i, v);
    value = (int64_t)fixed_scale(v[0] - v[1], p->out_factor) + p->out_zero;)
ROW(square_difference_quantised,
    int32_t v[2];
    common_scale(p, in, i, v);
    v[0] -= v[1];
    value = (int64_t)fixed_scale(fixed_wrap((int64_t)v[0] * v[0]), p->out_factor) + p->out_zero;)
ROW(mul_quantised,
    int32_t product = fixed_wrap((int64_t)(a - p->zero[0]) * (b - p->zero[1]));
    value = (int64_t)fixed_scale(product, p->out_factor) + p->out_zero;)
ROW(add_s32, value = fixed_wrap((int64_t)a + b);)
ROW(sub_s32, value = fixed_wrap((int64_t)a - b);)
ROW(mul_s32, value = fixed_wrap((int64_t)a * b);)
ROW(square_difference_s32, value = fixed_wrap(((int64_t)a - b) * ((int64_t)a - b));)
ROW(div_s32, value = b ? (int64_t)a / b : 0;)
ROW(floor_div_s32, value = b ? (int64_t)a / b - ((a % b != 0) && (a < 0) != (b < 0)) : 0;)
ROW(floor_mod_s32,
    value = b ? (int64_t)a % b : 0;
    value += value && (value < 0) != (b < 0) ? b : 0;)
/* PRELU: b is the slope of negative values. */
ROW(prelu_quantised,
    int32_t x = a - p->zero[0], slope = b - p->zero[1];
    value = x >= 0 ? fixed_scale(x, p->factor[0]) : fixed_scale(x * slope, p->out_factor);
    value += p->out_zero;)
ROW(maximum, value = a > b ? a : b;)
ROW(minimum, value = a < b ? a : b;)

/* What there is. Quantised MAXIMUM and MINIMUM compare as they are: operands share a scale. */
static const struct {
	broadcast_row *quantised, *s32;
} rows[IR_KIND_COUNT] = {
	[IR_ADD] = { add_quantised, add_s32 },
	[IR_SUB] = { sub_quantised, sub_s32 },
	[IR_MUL] = { mul_quantised, mul_s32 },
	[IR_DIV] = { NULL, div_s32 },
	[IR_FLOOR_DIV] = { NULL, floor_div_s32 },
	[IR_FLOOR_MOD] = { NULL, floor_mod_s32 },
	[IR_SQUARED_DIFFERENCE] = { square_difference_quantised, square_difference_s32 },
	[IR_MAXIMUM] = { maximum, maximum },
	[IR_MINIMUM] = { minimum, minimum },
	[IR_PRELU] = { prelu_quantised, NULL },
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

static int prepare_quantised(const struct cpu_op *op, struct binary *p, struct error *err)
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
	unsigned int types = (rows[op->kind].quantised ? CPU_QUANTISED : 0) |
		(rows[op->kind].s32 ? CPU_S32 : 0);
	struct binary *p = calloc(1, sizeof(*p));
	int type, ret;

	if (!p)
		return error_set(err, -ENOMEM, "out of memory");
	op->plan = p;
	if ((ret = cpu_check(op, 0, types, err)) || (ret = cpu_check_same(op, 1, 0, err)) ||
	    (ret = cpu_check_same(op, 2, 0, err)) ||
	    (ret = broadcast_plan(op, 2, &p->broadcast, err)))
		return ret;
	type = op->inputs[0].type;
	cpu_limits(type, &p->low, &p->high);
	p->row = type == ELEM_INT32 ? rows[op->kind].s32 : rows[op->kind].quantised;
	ret = cpu_activation(op, &op->outputs[0], &p->low, &p->high, err);
	return ret || type == ELEM_INT32 ? ret : prepare_quantised(op, p, err);
}

static int run(const struct cpu_op *op, struct error *err)
{
	const struct binary *p = op->plan;
	bool divides = op->kind == IR_DIV || op->kind == IR_FLOOR_DIV || op->kind == IR_FLOOR_MOD;

	for (size_t i = 0; divides && op->inputs[1].type == ELEM_INT32 &&
	     i < cpu_elements(&op->inputs[1]); i++)
		if (!cpu_index_at(&op->inputs[1], i))
			return cpu_refuse(op, 1, -EINVAL, "division by zero", err);
	broadcast_run(op, &p->broadcast, p->row, p);
	return 0;
}

const struct cpu_kernel cpu_binary = { prepare, run };
const struct cpu_kernel cpu_prelu = { prepare, run };
