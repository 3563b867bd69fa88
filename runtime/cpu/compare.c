/* SPDX-License-Identifier: MIT */
/* Comparisons of quantised operands, operations on truth values, and choice between two tensors. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cpu/broadcast.h"

#define SHIFT 8	/* headroom of quantised operands that are compared */

/**
 * struct compare - a comparison
 * @equal, @less, @greater: its result in each case
 * @scaled: operands of different quantisation: their real values are compared
 */
struct compare {
	struct broadcast broadcast;
	bool equal, less, greater, scaled;
	int32_t zero[2];
	struct fixed_factor factor[2];
};

static const struct {
	bool equal, less, greater;
} results[IR_KIND_COUNT] = {
	[IR_EQUAL] = { true, false, false },
	[IR_NOT_EQUAL] = { false, true, true },
	[IR_LESS] = { false, true, false },
	[IR_LESS_EQUAL] = { true, true, false },
	[IR_GREATER] = { false, false, true },
	[IR_GREATER_EQUAL] = { true, false, true },
};

static int32_t compared(const struct compare *p, const int64_t *const in[BROADCAST_MAX], size_t i,
			int k)
{
	uint32_t x = (uint32_t)((int32_t)in[k][i] - p->zero[k]);

	return p->scaled ? fixed_scale((int32_t)(x << SHIFT), p->factor[k]) : (int32_t)in[k][i];
}

static void compare_row(const void *ctx, const int64_t *const in[BROADCAST_MAX], int64_t *out,
			size_t count)
{
	const struct compare *p = ctx;

	for (size_t i = 0; i < count; i++) {
		int32_t a = compared(p, in, i, 0), b = compared(p, in, i, 1);

		out[i] = a == b ? p->equal : a < b ? p->less : p->greater;
	}
}

static int prepare_compare(struct cpu_op *op, struct error *err)
{
	struct compare *p = calloc(1, sizeof(*p));
	int ret;

	if (!p)
		return error_set(err, -ENOMEM, "out of memory");
	op->plan = p;
	p->equal = results[op->kind].equal;
	p->less = results[op->kind].less;
	p->greater = results[op->kind].greater;
	if ((ret = cpu_check(op, 0, CPU_QUANTISED, err)) ||
	    (ret = cpu_check_same(op, 1, 0, err)) || (ret = cpu_check(op, 2, CPU_BOOL, err)) ||
	    (ret = broadcast_plan(op, 2, &p->broadcast, err)))
		return ret;
	p->scaled = op->inputs[0].type != ELEM_INT16;
	for (uint32_t i = 0; i < 2 && p->scaled; i++) {
		ret = cpu_check_scale(op, i, err);
		if (ret)
			return ret;
		p->zero[i] = cpu_zero_of(&op->inputs[i]);
		p->factor[i] = fixed_factor(cpu_scale_of(&op->inputs[i]));
	}
	return 0;
}

static int run_compare(const struct cpu_op *op, struct error *err)
{
	const struct compare *p = op->plan;

	(void)err;
	broadcast_run(op, &p->broadcast, compare_row, p);
	return 0;
}

const struct cpu_kernel cpu_compare = { prepare_compare, run_compare };

static void and_row(const void *ctx, const int64_t *const in[BROADCAST_MAX], int64_t *out,
		    size_t count)
{
	(void)ctx;
	for (size_t i = 0; i < count; i++)
		out[i] = in[0][i] && in[1][i];
}

static void or_row(const void *ctx, const int64_t *const in[BROADCAST_MAX], int64_t *out,
		   size_t count)
{
	(void)ctx;
	for (size_t i = 0; i < count; i++)
		out[i] = in[0][i] || in[1][i];
}

static void not_row(const void *ctx, const int64_t *const in[BROADCAST_MAX], int64_t *out,
		    size_t count)
{
	(void)ctx;
	for (size_t i = 0; i < count; i++)
		out[i] = !in[0][i];
}

static void select_row(const void *ctx, const int64_t *const in[BROADCAST_MAX], int64_t *out,
		       size_t count)
{
	(void)ctx;
	for (size_t i = 0; i < count; i++)
		out[i] = in[0][i] ? in[1][i] : in[2][i];
}

static int prepare_logical(struct cpu_op *op, struct error *err)
{
	int ret = 0;

	op->plan = calloc(1, sizeof(struct broadcast));
	if (!op->plan)
		return error_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i <= op->input_count && !ret; i++)
		ret = cpu_check(op, i, CPU_BOOL, err);
	return ret ? ret : broadcast_plan(op, op->input_count, op->plan, err);
}

static int run_logical(const struct cpu_op *op, struct error *err)
{
	(void)err;
	broadcast_run(op, op->plan, op->kind == IR_LOGICAL_NOT ? not_row :
		      op->kind == IR_LOGICAL_AND ? and_row : or_row, NULL);
	return 0;
}

const struct cpu_kernel cpu_logical = { prepare_logical, run_logical };

/* SELECT's condition may have one entry for each index of the first axis. */
static void widen_condition(const struct cpu_op *op, struct broadcast *b)
{
	const struct cpu_tensor *out = &op->outputs[0];

	b->ndim = 2;
	b->shape[0] = out->shape[0];
	b->shape[1] = (int32_t)cpu_extent(out, 1, out->ndim);
	for (uint32_t i = 0; i < 3; i++) {
		b->step[i][0] = i ? (size_t)b->shape[1] : 1;
		b->step[i][1] = i > 0;
	}
}

static int prepare_select(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *c = &op->inputs[0], *out = &op->outputs[0];
	struct broadcast *b = calloc(1, sizeof(*b));
	int ret;

	if (!b)
		return error_set(err, -ENOMEM, "out of memory");
	op->plan = b;
	if ((ret = cpu_check(op, 0, CPU_BOOL, err)) ||
	    (ret = cpu_check(op, 1, CPU_ANY, err)) ||
	    (ret = cpu_check_same(op, 2, 1, err)) || (ret = cpu_check_same(op, 3, 1, err)))
		return ret;
	if (op->kind == IR_SELECT && c->ndim == 1 && out->ndim > 1 &&
	    c->shape[0] == out->shape[0] && cpu_elements(out) <= INT32_MAX) {
		if ((ret = cpu_check_shape(op, 1, out->ndim, out->shape, err)) ||
		    (ret = cpu_check_shape(op, 2, out->ndim, out->shape, err)))
			return ret;
		b->count = 3;
		widen_condition(op, b);
		return 0;
	}
	return broadcast_plan(op, 3, b, err);
}

static int run_select(const struct cpu_op *op, struct error *err)
{
	(void)err;
	broadcast_run(op, op->plan, select_row, NULL);
	return 0;
}

const struct cpu_kernel cpu_select = { prepare_select, run_select };
