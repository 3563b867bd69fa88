/* SPDX-License-Identifier: MIT */
/*
 * Arithmetic and comparisons of two operands that are integers and nothing else, of any width.
 * Results wrap round as in C.
 */
#include <errno.h>
#include <stdlib.h>

#include "runtime/cpu/broadcast.h"

/* Rows of numbers that are signed, or uint64. */
#define ROW(name, type, expression) \
	static void name(const void *ctx, const int64_t *const in[BROADCAST_MAX], int64_t *out, \
			 size_t count) \
	{ \
		(void)ctx; \
		for (size_t i = 0; i < count; i++) { \
			const type x = (type)in[0][i], y = (type)in[1][i]; \
\
			out[i] = (int64_t)(expression); \
		} \
	}
#define ROW_U64(name, expression) ROW(name, uint64_t, expression)
#define ROWS(name, expression) \
	ROW(name, int64_t, expression) \
	ROW_U64(name##_u64, expression)

/* What overflows is computed as unsigned. */
static int64_t divide(int64_t x, int64_t y)
{
	if (y == -1)
		return (int64_t)(0 - (uint64_t)x);
	return y ? x / y : 0;
}

static int64_t remainder_of(int64_t x, int64_t y)
{
	return !y || y == -1 ? 0 : x % y;
}

static int64_t floor_divide(int64_t x, int64_t y)
{
	return divide(x, y) - (remainder_of(x, y) && (x < 0) != (y < 0));
}

static int64_t floor_modulo(int64_t x, int64_t y)
{
	int64_t rest = remainder_of(x, y);

	return rest && (rest < 0) != (y < 0) ? rest + y : rest;
}

static uint64_t power(uint64_t x, uint64_t y)
{
	uint64_t result = 1;

	for (; y; y >>= 1, x *= x)
		if (y & 1)
			result *= x;
	return result;
}

/* 1 / x^n is a whole number only for 1 and -1. */
static int64_t signed_power(int64_t x, int64_t y)
{
	if (y >= 0)
		return (int64_t)power((uint64_t)x, (uint64_t)y);
	return x == 1 || (x == -1 && !(y & 1)) ? 1 : x == -1 ? -1 : 0;
}

ROW_U64(add, x + y)
ROW_U64(sub, x - y)
ROW_U64(mul, x * y)
ROW_U64(square_difference, (x - y) * (x - y))
ROW_U64(bit_and, x & y)
ROW_U64(bit_or, x | y)
ROW_U64(bit_xor, x ^ y)
ROW_U64(shift_left, y < 64 ? x << y : 0)
ROW_U64(shift_right_u64, y < 64 ? x >> y : 0)
ROW(shift_right, int64_t, y >= 0 && y < 64 ? x >> y : x < 0 ? -1 : 0)
ROW(div_s64, int64_t, divide(x, y))
ROW(rest_s64, int64_t, remainder_of(x, y))
ROW(floor_div_s64, int64_t, floor_divide(x, y))
ROW(floor_mod_s64, int64_t, floor_modulo(x, y))
ROW(power_s64, int64_t, signed_power(x, y))
ROW_U64(div_u64, y ? x / y : 0)
ROW_U64(rest_u64, y ? x % y : 0)
ROW_U64(power_u64, power(x, y))
ROWS(maximum, x > y ? x : y)
ROWS(minimum, x < y ? x : y)
ROWS(equal, x == y)
ROWS(not_equal, x != y)
ROWS(less, x < y)
ROWS(less_equal, x <= y)
ROWS(greater, x > y)
ROWS(greater_equal, x >= y)

static const struct {
	broadcast_row *narrow, *u64;	/* @narrow: of what int64 holds */
} rows[IR_KIND_COUNT] = {
	[IR_ADD] = { add, add },
	[IR_BITWISE_AND] = { bit_and, bit_and },
	[IR_BITWISE_OR] = { bit_or, bit_or },
	[IR_BITWISE_XOR] = { bit_xor, bit_xor },
	[IR_DIV] = { div_s64, div_u64 },
	[IR_EQUAL] = { equal, equal_u64 },
	[IR_FLOOR_DIV] = { floor_div_s64, div_u64 },
	[IR_FLOOR_MOD] = { floor_mod_s64, rest_u64 },
	[IR_FMOD] = { rest_s64, rest_u64 },
	[IR_GREATER] = { greater, greater_u64 },
	[IR_GREATER_EQUAL] = { greater_equal, greater_equal_u64 },
	[IR_LEFT_SHIFT] = { shift_left, shift_left },
	[IR_LESS] = { less, less_u64 },
	[IR_LESS_EQUAL] = { less_equal, less_equal_u64 },
	[IR_MAXIMUM] = { maximum, maximum_u64 },
	[IR_MINIMUM] = { minimum, minimum_u64 },
	[IR_MUL] = { mul, mul },
	[IR_NOT_EQUAL] = { not_equal, not_equal_u64 },
	[IR_POW] = { power_s64, power_u64 },
	[IR_RIGHT_SHIFT] = { shift_right, shift_right_u64 },
	[IR_SQUARED_DIFFERENCE] = { square_difference, square_difference },
	[IR_SUB] = { sub, sub },
};

/**
 * struct integer - an operation
 * @row: of its type
 * @low, @high: what a fused activation leaves
 */
struct integer {
	struct broadcast broadcast;
	broadcast_row *row;
	int32_t low, high;
};

/* Operations that make truth values of truth values. */
static bool keeps_truth(unsigned int kind)
{
	return kind == IR_MAXIMUM || kind == IR_MINIMUM || kind == IR_BITWISE_AND ||
		kind == IR_BITWISE_OR || kind == IR_BITWISE_XOR;
}

static int prepare_operands(struct cpu_op *op, bool compares, struct error *err)
{
	unsigned int types = CPU_INTEGER | (compares || keeps_truth(op->kind) ? CPU_BOOL : 0);
	struct integer *p = calloc(1, sizeof(*p));
	int ret;

	if (!p)
		return error_set(err, -ENOMEM, "out of memory");
	op->plan = p;
	if ((ret = cpu_check(op, 0, types, err)) || (ret = cpu_check_same(op, 1, 0, err)) ||
	    (ret = compares ? cpu_check(op, 2, CPU_BOOL, err) : cpu_check_same(op, 2, 0, err)))
		return ret;
	p->row = op->inputs[0].type == ELEM_UINT64 ? rows[op->kind].u64 : rows[op->kind].narrow;
	if (op->options.activation && !compares) {
		if ((ret = cpu_check(op, 0, CPU_S32, err)) ||
		    (ret = cpu_activation(op, &op->outputs[0], &p->low, &p->high, err)))
			return ret;
	}
	return broadcast_plan(op, 2, &p->broadcast, err);
}

static int prepare(struct cpu_op *op, struct error *err)
{
	return prepare_operands(op, false, err);
}

static int prepare_compare(struct cpu_op *op, struct error *err)
{
	return prepare_operands(op, true, err);
}

static int check_divisors(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *t = &op->inputs[1];
	size_t total = cpu_elements(t);

	for (size_t i = 0; i < total; i++) {
		int64_t value;

		cpu_load64(t, i, 1, &value);
		if (!value)
			return cpu_refuse(op, 1, -EINVAL, "division by zero", err);
	}
	return 0;
}

static void activate(const struct cpu_op *op, const struct integer *p)
{
	const struct cpu_tensor *out = &op->outputs[0];
	size_t total = cpu_elements(out);

	for (size_t i = 0; i < total; i++) {
		int32_t value;

		cpu_load(out, i, 1, &value);
		value = fixed_clamp(value, p->low, p->high);
		cpu_store(out, i, 1, &value);
	}
}

static int run(const struct cpu_op *op, struct error *err)
{
	const struct integer *p = op->plan;
	int ret = 0;

	if (op->kind == IR_DIV || op->kind == IR_FLOOR_DIV || op->kind == IR_FLOOR_MOD ||
	    op->kind == IR_FMOD)
		ret = check_divisors(op, err);
	if (ret)
		return ret;
	broadcast_run(op, &p->broadcast, p->row, p);
	if (op->options.activation && op->outputs[0].type == ELEM_INT32)
		activate(op, p);
	return 0;
}

const struct cpu_kernel cpu_integer_binary = { prepare, run };
const struct cpu_kernel cpu_integer_compare = { prepare_compare, run };

/* --- Of one operand --- */

static int64_t unary(unsigned int kind, int64_t x)
{
	switch (kind) {
	case IR_ABS:
		return x < 0 ? (int64_t)(0 - (uint64_t)x) : x;
	case IR_NEG:
		return (int64_t)(0 - (uint64_t)x);
	case IR_SQUARE:
		return (int64_t)((uint64_t)x * (uint64_t)x);
	case IR_BITWISE_NOT:
		return ~x;
	case IR_SIGN:
		return (x > 0) - (x < 0);
	default:
		return x;	/* CEIL, FLOOR, ROUND */
	}
}

static int prepare_unary(struct cpu_op *op, struct error *err)
{
	int ret;

	if ((ret = cpu_check(op, 0, CPU_INTEGER & ~CPU_U64, err)) ||
	    (ret = cpu_check_same(op, 1, 0, err)))
		return ret;
	return cpu_check_shape(op, 1, op->inputs[0].ndim, op->inputs[0].shape, err);
}

static int run_unary(const struct cpu_op *op, struct error *err)
{
	size_t total = cpu_elements(&op->inputs[0]);
	int64_t values[BROADCAST_ROW];

	(void)err;
	for (size_t at = 0; at < total; at += BROADCAST_ROW) {
		size_t n = total - at < BROADCAST_ROW ? total - at : BROADCAST_ROW;

		cpu_load64(&op->inputs[0], at, n, values);
		for (size_t i = 0; i < n; i++)
			values[i] = unary(op->kind, values[i]);
		cpu_store64(&op->outputs[0], at, n, values);
	}
	return 0;
}

const struct cpu_kernel cpu_integer_unary = { prepare_unary, run_unary };
