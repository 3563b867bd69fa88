/* SPDX-License-Identifier: MIT */
/* Operators that take axes away: MEAN, SUM, REDUCE_PROD, _MAX, _MIN, ARG_MAX and ARG_MIN. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cpu/reduce.h"
#include "runtime/float/float.h"

/* Fold @count elements into one, or each into one of @acc. */
typedef void fold(double *acc, const float *in, size_t count);

#define FOLD(name, expression) \
	static void name##_one(double *acc, const float *in, size_t count) \
	{ \
		double a = *acc; \
\
		for (size_t i = 0; i < count; i++) { \
			const double x = in[i]; \
\
			a = (expression); \
		} \
		*acc = a; \
	} \
	static void name##_each(double *acc, const float *in, size_t count) \
	{ \
		for (size_t i = 0; i < count; i++) { \
			const double x = in[i], a = acc[i]; \
\
			acc[i] = (expression); \
		} \
	}

FOLD(sum, a + x)
FOLD(product, a * x)
/* What is not a number stays. */
FOLD(maximum, x > a || x != x ? x : a)
FOLD(minimum, x < a || x != x ? x : a)

static const struct {
	fold *one, *each;
	double start;
} folds[IR_KIND_COUNT] = {
	[IR_MEAN] = { sum_one, sum_each, 0 },
	[IR_SUM] = { sum_one, sum_each, 0 },
	[IR_REDUCE_PROD] = { product_one, product_each, 1 },
	[IR_REDUCE_MAX] = { maximum_one, maximum_each, -INFINITY },
	[IR_REDUCE_MIN] = { minimum_one, minimum_each, INFINITY },
};

/**
 * struct float_reduce - a reduction
 * @ndim, @shape, @step: axes of the input, joined where possible, and elements of the output from
 *	index to index of each, 0: reduced
 * @acc: of each element of the output, follows this in memory
 */
struct float_reduce {
	struct reduce_axes axes;
	uint32_t ndim;
	size_t shape[CPU_MAX_DIMS], step[CPU_MAX_DIMS];
	double *acc;
};

/* Axes beside each other that are both reduced, or both kept, are one. */
static void join_axes(struct float_reduce *r, const struct cpu_tensor *in)
{
	for (uint32_t i = 0; i < in->ndim; i++) {
		size_t extent = (size_t)in->shape[i], step = r->axes.step[i];

		if (extent == 1)
			continue;
		if (r->ndim && !r->step[r->ndim - 1] == !step) {
			r->shape[r->ndim - 1] *= extent;
			r->step[r->ndim - 1] = step;
			continue;
		}
		r->shape[r->ndim] = extent;
		r->step[r->ndim++] = step;
	}
	if (!r->ndim)
		r->shape[r->ndim++] = 1;
}

static int prepare(struct cpu_op *op, struct error *err)
{
	size_t count = cpu_elements(&op->outputs[0]);
	struct float_reduce *r;
	int ret;

	if ((ret = cpu_check(op, 0, CPU_F32, err)) ||
	    (ret = cpu_check_scalars(op, 1, CPU_MAX_DIMS, err)) ||
	    (ret = cpu_check(op, 2, CPU_F32, err)))
		return ret;
	if (count > SIZE_MAX / 2 / sizeof(*r->acc))
		return cpu_refuse(op, 2, -EINVAL, "is too large", err);
	r = calloc(1, sizeof(*r) + count * sizeof(*r->acc));
	if (!r)
		return error_set(err, -ENOMEM, "out of memory");
	op->plan = r;
	r->acc = (double *)(r + 1);
	ret = reduce_axes(op, &r->axes, err);
	if (!ret)
		join_axes(r, &op->inputs[0]);
	return ret;
}

static void fold_all(const struct cpu_op *op, const struct float_reduce *r)
{
	uint32_t last = r->ndim - 1;
	fold *f = r->step[last] ? folds[op->kind].each : folds[op->kind].one;
	size_t total = cpu_elements(&op->inputs[0]), to = 0, index[CPU_MAX_DIMS] = { 0 };
	const float *in = op->inputs[0].data;

	for (size_t at = 0; at < total; at += r->shape[last]) {
		f(r->acc + to, in + at, r->shape[last]);
		for (uint32_t k = last; k-- > 0;) {
			to += r->step[k];
			if (++index[k] < r->shape[k])
				break;
			to -= r->step[k] * index[k];
			index[k] = 0;
		}
	}
}

static int run(const struct cpu_op *op, struct error *err)
{
	const struct float_reduce *r = op->plan;
	size_t count = cpu_elements(&op->outputs[0]);
	float *out = op->outputs[0].data;

	(void)err;
	for (size_t i = 0; i < count; i++)
		r->acc[i] = folds[op->kind].start;
	fold_all(op, r);
	for (size_t i = 0; i < count; i++)
		out[i] = (float)(op->kind == IR_MEAN ? r->acc[i] / (double)r->axes.count : r->acc[i]);
	return 0;
}

const struct cpu_kernel float_reduce = { prepare, run };

/* --- ARG_MAX and ARG_MIN: the first of equals, or the first that is not a number --- */

static int prepare_arg(struct cpu_op *op, struct error *err)
{
	return cpu_check_arg(op, CPU_F32, err);
}

/* Of @count elements, @step apart. */
static size_t best_of(const float *in, size_t count, size_t step, bool max)
{
	size_t best = 0;

	for (size_t k = 1; k < count; k++) {
		float value = in[k * step], record = in[best * step];

		if (record != record)
			return best;
		if ((max ? value > record : value < record) || value != value)
			best = k;
	}
	return best;
}

static int run_arg(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *out = &op->outputs[0];
	uint32_t axis = (uint32_t)cpu_axis(cpu_index_at(&op->inputs[1], 0), in->ndim);
	size_t inner = cpu_extent(in, axis + 1, in->ndim), n = (size_t)in->shape[axis];
	size_t total = cpu_elements(out);

	(void)err;
	for (size_t i = 0; i < total; i++) {
		const float *from = (const float *)in->data + i / inner * n * inner + i % inner;
		size_t best = best_of(from, n, inner, op->kind == IR_ARG_MAX);

		if (out->type == ELEM_INT64)
			((int64_t *)out->data)[i] = (int64_t)best;
		else
			((int32_t *)out->data)[i] = (int32_t)best;
	}
	return 0;
}

const struct cpu_kernel float_arg = { prepare_arg, run_arg };
