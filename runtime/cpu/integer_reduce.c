/* SPDX-License-Identifier: MIT */
/* Operators that take axes away, of integers that are nothing else and of truth values. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cpu/reduce.h"

static int prepare(struct cpu_op *op, struct error *err)
{
	bool truth = op->kind == IR_REDUCE_ANY || op->kind == IR_REDUCE_ALL;
	bool adds = op->kind == IR_SUM || op->kind == IR_MEAN;
	unsigned int numbers = CPU_INTEGER & ~CPU_U64;

	return reduce_prepare(op, truth ? CPU_BOOL : adds ? numbers : numbers | CPU_BOOL, err);
}

/* Of a type without uint64: what is beyond every element. */
static int64_t start_of(unsigned int kind)
{
	switch (kind) {
	case IR_REDUCE_PROD:
		return 1;
	case IR_REDUCE_MAX:
		return INT64_MIN;
	case IR_REDUCE_MIN:
		return INT64_MAX;
	case IR_REDUCE_ALL:
		return 1;
	default:
		return 0;
	}
}

static int64_t folded(unsigned int kind, int64_t acc, int64_t x)
{
	switch (kind) {
	case IR_REDUCE_PROD:
		return (int64_t)((uint64_t)acc * (uint64_t)x);
	case IR_REDUCE_MAX:
		return x > acc ? x : acc;
	case IR_REDUCE_MIN:
		return x < acc ? x : acc;
	case IR_REDUCE_ANY:
		return acc || x;
	case IR_REDUCE_ALL:
		return acc && x;
	default:
		return (int64_t)((uint64_t)acc + (uint64_t)x);
	}
}

static int run(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0];
	const struct reduce *r = op->plan;
	size_t total = cpu_elements(in), to = 0;
	int32_t index[CPU_MAX_DIMS] = { 0 };

	(void)err;
	for (size_t i = 0; i < r->out_count; i++)
		r->acc[i] = start_of(op->kind);
	for (size_t at = 0; at < total; at++) {
		int64_t value;

		cpu_load64(in, at, 1, &value);
		r->acc[to] = folded(op->kind, r->acc[to], value);
		for (uint32_t k = in->ndim; k-- > 0;) {
			to += r->axes.step[k];
			if (++index[k] < in->shape[k])
				break;
			to -= r->axes.step[k] * (size_t)index[k];
			index[k] = 0;
		}
	}
	for (size_t i = 0; op->kind == IR_MEAN && r->axes.count && i < r->out_count; i++)
		r->acc[i] /= (int64_t)r->axes.count;
	cpu_store64(&op->outputs[0], 0, r->out_count, r->acc);
	return 0;
}

const struct cpu_kernel cpu_integer_reduce = { prepare, run };

/* --- ARG_MAX and ARG_MIN: the first of equals --- */

static int prepare_arg(struct cpu_op *op, struct error *err)
{
	return cpu_check_arg(op, (CPU_INTEGER | CPU_BOOL) & ~CPU_U64, err);
}

static int run_arg(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *out = &op->outputs[0];
	uint32_t axis = (uint32_t)cpu_axis(cpu_index_at(&op->inputs[1], 0), in->ndim);
	size_t inner = cpu_extent(in, axis + 1, in->ndim), n = (size_t)in->shape[axis];
	size_t total = cpu_elements(out);

	(void)err;
	for (size_t i = 0; i < total; i++) {
		int64_t best = 0, value, number = 0;

		for (size_t k = 0; k < n; k++) {
			cpu_load64(in, (i / inner * n + k) * inner + i % inner, 1, &value);
			if (k && (op->kind == IR_ARG_MAX ? value <= best : value >= best))
				continue;
			best = value;
			number = (int64_t)k;
		}
		cpu_store64(out, i, 1, &number);
	}
	return 0;
}

const struct cpu_kernel cpu_integer_arg = { prepare_arg, run_arg };
