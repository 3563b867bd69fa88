/* SPDX-License-Identifier: MIT */
/* Operators that take axes away: MEAN, SUM, REDUCE_*, ARG_MAX and ARG_MIN; and SHAPE, which counts. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cpu/reduce.h"

int reduce_axes(const struct cpu_op *op, struct reduce_axes *r, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *axes = &op->inputs[1];
	bool reduced[CPU_MAX_DIMS] = { false };
	int32_t shape[CPU_MAX_DIMS];
	size_t step = 1;

	for (size_t i = 0; i < cpu_elements(axes); i++) {
		int32_t axis = cpu_axis(cpu_index_at(axes, i), in->ndim);

		if (axis < 0)
			return cpu_refuse(op, 1, -EINVAL, "is no axis of the input", err);
		reduced[axis] = true;
	}
	r->count = 1;
	for (uint32_t i = in->ndim; i-- > 0;) {
		shape[i] = reduced[i] ? 1 : in->shape[i];
		r->step[i] = reduced[i] ? 0 : step;
		if (reduced[i])
			r->count *= (size_t)in->shape[i];
		else
			step *= (size_t)in->shape[i];
	}
	return cpu_check_shape(op, 2, in->ndim, shape, err);
}

int reduce_prepare(struct cpu_op *op, unsigned int types, struct error *err)
{
	struct reduce *r;
	size_t count;
	int ret;

	if ((ret = cpu_check(op, 0, types, err)) ||
	    (ret = cpu_check_scalars(op, 1, CPU_MAX_DIMS, err)) ||
	    (ret = cpu_check_same(op, 2, 0, err)))
		return ret;
	count = cpu_elements(&op->outputs[0]);
	if (count > SIZE_MAX / 2 / sizeof(*r->acc))
		return cpu_refuse(op, 2, -EINVAL, "is too large", err);
	r = calloc(1, sizeof(*r) + count * sizeof(*r->acc));
	if (!r)
		return error_set(err, -ENOMEM, "out of memory");
	op->plan = r;
	r->acc = (int64_t *)(r + 1);
	r->out_count = count;
	return reduce_axes(op, &r->axes, err);
}

enum fold { FOLD_SUM, FOLD_MAX, FOLD_MIN };

static void fold_in(int64_t *acc, int32_t value, enum fold fold)
{
	if (fold == FOLD_SUM)
		*acc += value;
	else if (fold == FOLD_MAX)
		*acc = value > *acc ? value : *acc;
	else
		*acc = value < *acc ? value : *acc;
}

/* All elements of the input into their accumulators. */
static void fold_all(const struct cpu_op *op, const struct reduce *r, int64_t start, enum fold fold)
{
	const struct cpu_tensor *in = &op->inputs[0];
	size_t total = cpu_elements(in), to = 0;
	int32_t index[CPU_MAX_DIMS] = { 0 };

	for (size_t i = 0; i < r->out_count; i++)
		r->acc[i] = start;
	for (size_t at = 0; at < total; at++) {
		int32_t value;

		cpu_load(in, at, 1, &value);
		fold_in(&r->acc[to], value, fold);
		for (uint32_t k = in->ndim; k-- > 0;) {
			to += r->axes.step[k];
			if (++index[k] < in->shape[k])
				break;
			to -= r->axes.step[k] * (size_t)index[k];
			index[k] = 0;
		}
	}
}

/* --- MEAN and SUM --- */

static int prepare_mean(struct cpu_op *op, struct error *err)
{
	struct reduce *r;
	int shift, ret = reduce_prepare(op, CPU_QUANTISED, err);

	if (ret || (ret = cpu_check_scale(op, 0, err)) || (ret = cpu_check_scale(op, 2, err)))
		return ret;
	r = op->plan;
	if (!r->axes.count)
		return cpu_refuse(op, 0, -EINVAL, "is empty", err);
	r->factor = fixed_factor((double)cpu_scale_of(&op->inputs[0]) /
				(double)cpu_scale_of(&op->outputs[0]));
	/* Divided by the count as far as the multiplier's bits allow. */
	shift = 63 - __builtin_clzll(r->axes.count);
	shift = shift < 32 ? shift : 32;
	shift = shift < 31 + r->factor.shift ? shift : 31 + r->factor.shift;
	r->factor.multiplier = (int32_t)(((int64_t)r->factor.multiplier << shift) / (int64_t)r->axes.count);
	r->factor.shift -= shift;
	return r->factor.shift > 30 ? cpu_refuse(op, 0, -ENOTSUP, "scale too large", err) : 0;
}

static int run_mean(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *out = &op->outputs[0];
	const struct reduce *r = op->plan;
	float scale = cpu_scale_of(in) / cpu_scale_of(out);
	float bias = (float)-cpu_zero_of(in) * scale * (float)r->axes.count, real;
	int32_t low, high;

	(void)err;
	cpu_limits(out->type, &low, &high);
	fold_all(op, r, 0, FOLD_SUM);
	for (size_t i = 0; i < r->out_count; i++) {
		int64_t sum = r->acc[i], value;
		int32_t stored;

		if (op->kind == IR_SUM) {
			real = (float)sum * scale + bias;
			/* With scales far apart a sum of many elements is beyond all types. */
			value = (int64_t)fmaxf(fminf(roundf(real), 0x1p62f), -0x1p62f) + cpu_zero_of(out);
			/* The reference lets 16 bits wrap round. */
			stored = out->type == ELEM_INT16 ? (int16_t)value : fixed_clamp(value, low, high);
		} else {
			sum -= (int64_t)cpu_zero_of(in) * (int64_t)r->axes.count;
			value = fixed_scale(fixed_wrap(sum), r->factor);
			stored = fixed_clamp(value + cpu_zero_of(out), low, high);
		}
		cpu_store(out, i, 1, &stored);
	}
	return 0;
}

const struct cpu_kernel cpu_mean = { prepare_mean, run_mean };

/* --- REDUCE_MAX and REDUCE_MIN: input and output have the same quantisation --- */

static int prepare_reduce(struct cpu_op *op, struct error *err)
{
	bool folds = op->kind == IR_REDUCE_MAX || op->kind == IR_REDUCE_MIN;

	return reduce_prepare(op, folds ? CPU_QUANTISED : 0, err);
}

static int run_reduce(const struct cpu_op *op, struct error *err)
{
	const struct reduce *r = op->plan;
	int32_t low, high;

	(void)err;
	cpu_limits(op->outputs[0].type, &low, &high);
	if (op->kind == IR_REDUCE_MAX)
		fold_all(op, r, low, FOLD_MAX);
	else
		fold_all(op, r, high, FOLD_MIN);
	for (size_t i = 0; i < r->out_count; i++) {
		int32_t value = (int32_t)r->acc[i];

		cpu_store(&op->outputs[0], i, 1, &value);
	}
	return 0;
}

const struct cpu_kernel cpu_reduce = { prepare_reduce, run_reduce };

/* --- ARG_MAX and ARG_MIN: the first of equals --- */

static int prepare_arg(struct cpu_op *op, struct error *err)
{
	return cpu_check_arg(op, CPU_QUANTISED, err);
}

static int run_arg(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *out = &op->outputs[0];
	uint32_t axis = (uint32_t)cpu_axis(cpu_index_at(&op->inputs[1], 0), in->ndim);
	size_t outer = cpu_extent(in, 0, axis), inner = cpu_extent(in, axis + 1, in->ndim);
	size_t n = (size_t)in->shape[axis];

	(void)err;
	for (size_t o = 0; o < outer; o++)
		for (size_t i = 0; i < inner; i++) {
			int32_t best = 0, value, number = 0;
			int64_t wide;

			for (size_t k = 0; k < n; k++) {
				cpu_load(in, (o * n + k) * inner + i, 1, &value);
				if (k && (op->kind == IR_ARG_MAX ? value <= best : value >= best))
					continue;
				best = value;
				number = (int32_t)k;
			}
			wide = number;
			if (out->type == ELEM_INT64)
				memcpy((uint8_t *)out->data + (o * inner + i) * 8, &wide, 8);
			else
				cpu_store(out, o * inner + i, 1, &number);
		}
	return 0;
}

const struct cpu_kernel cpu_arg = { prepare_arg, run_arg };

/* --- SHAPE --- */

static int prepare_shape(struct cpu_op *op, struct error *err)
{
	int32_t ndim = (int32_t)op->inputs[0].ndim;
	int ret;

	if ((ret = cpu_check(op, 0, CPU_ANY, err)) ||
	    (ret = cpu_check(op, 1, CPU_S32 | CPU_S64, err)))
		return ret;
	return cpu_check_shape(op, 1, 1, &ndim, err);
}

static int run_shape(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *out = &op->outputs[0];

	(void)err;
	for (uint32_t i = 0; i < in->ndim; i++) {
		int64_t wide = in->shape[i];

		if (out->type == ELEM_INT64)
			memcpy((uint8_t *)out->data + i * sizeof(wide), &wide, sizeof(wide));
		else
			cpu_store(out, i, 1, &in->shape[i]);
	}
	return 0;
}

const struct cpu_kernel cpu_shape = { prepare_shape, run_shape };
