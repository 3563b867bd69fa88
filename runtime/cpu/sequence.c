/* SPDX-License-Identifier: MIT */
/* Operators along one axis: CUMSUM, TOPK_V2, ONE_HOT, REVERSE_SEQUENCE. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cpu/cpu_kernel.h"

/* --- CUMSUM: input, axis --- */

static int prepare_cumsum(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0];
	int ret;

	if ((ret = cpu_check(op, 0, CPU_INTEGER | CPU_F32, err)) ||
	    (ret = cpu_check_scalars(op, 1, 1, err)) || (ret = cpu_check_same(op, 2, 0, err)))
		return ret;
	if (cpu_axis(cpu_index_at(&op->inputs[1], 0), in->ndim) < 0)
		return cpu_refuse(op, 1, -EINVAL, "is no axis of the input", err);
	return cpu_check_shape(op, 2, in->ndim, in->shape, err);
}

/* Sums of @count elements, @step apart; @exclusive: an element's own value is not in its sum. */
static void sum_real(const float *in, float *out, size_t count, ptrdiff_t step, bool exclusive)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++, in += step, out += step) {
		double x = *in;

		*out = (float)(exclusive ? sum : sum + x);
		sum += x;
	}
}

static void sum_whole(const struct cpu_tensor *in, const struct cpu_tensor *out, size_t at,
		      size_t count, ptrdiff_t step, bool exclusive)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++, at += (size_t)step) {
		int64_t x, value;

		cpu_load64(in, at, 1, &x);
		value = (int64_t)(exclusive ? sum : sum + (uint64_t)x);
		cpu_store64(out, at, 1, &value);
		sum += (uint64_t)x;
	}
}

static int run_cumsum(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *out = &op->outputs[0];
	uint32_t axis = (uint32_t)cpu_axis(cpu_index_at(&op->inputs[1], 0), in->ndim);
	size_t outer = cpu_extent(in, 0, axis), inner = cpu_extent(in, axis + 1, in->ndim);
	size_t count = (size_t)in->shape[axis];
	bool reverse = op->options.reverse;
	ptrdiff_t step = reverse ? -(ptrdiff_t)inner : (ptrdiff_t)inner;

	(void)err;
	for (size_t o = 0; count && o < outer; o++)
		for (size_t i = 0; i < inner; i++) {
			size_t at = (o * count + (reverse ? count - 1 : 0)) * inner + i;

			if (in->type == ELEM_FLOAT32)
				sum_real((const float *)in->data + at, (float *)out->data + at, count,
					 step, op->options.exclusive);
			else
				sum_whole(in, out, at, count, step, op->options.exclusive);
		}
	return 0;
}

const struct cpu_kernel cpu_cumsum = { prepare_cumsum, run_cumsum };

/* --- TOPK_V2: input, k; the largest of each row with their indices, largest first --- */

/* An element: its value as a number that sorts like it, and where it is. */
struct ranked {
	int64_t key;
	size_t index;
};

static int prepare_topk(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0];
	int32_t shape[CPU_MAX_DIMS];
	int64_t k;
	int ret;

	if ((ret = cpu_check(op, 0, (CPU_INTEGER & ~CPU_U64) | CPU_F32, err)) ||
	    (ret = cpu_check_scalars(op, 1, 1, err)) || (ret = cpu_check_same(op, 2, 0, err)) ||
	    (ret = cpu_check(op, 3, CPU_S32 | CPU_S64, err)))
		return ret;
	k = cpu_index_at(&op->inputs[1], 0);
	if (!in->ndim || k < 0 || k > in->shape[in->ndim - 1])
		return cpu_refuse(op, 1, -EINVAL, "is no number of elements of the last axis", err);
	memcpy(shape, in->shape, sizeof(shape));
	shape[in->ndim - 1] = (int32_t)k;
	if ((ret = cpu_check_shape(op, 2, in->ndim, shape, err)) ||
	    (ret = cpu_check_shape(op, 3, in->ndim, shape, err)))
		return ret;
	op->plan = calloc((size_t)in->shape[in->ndim - 1] + 1, sizeof(struct ranked));
	return op->plan ? 0 : error_set(err, -ENOMEM, "out of memory");
}

/* float32: the order of its bits; both zeros are one. */
static int64_t key_of(const struct cpu_tensor *t, size_t at)
{
	int32_t bits;
	int64_t key;

	if (t->type != ELEM_FLOAT32) {
		cpu_load64(t, at, 1, &key);
		return key;
	}
	cpu_load(t, at, 1, &bits);
	if (bits < 0)
		return bits == INT32_MIN ? 0 : (int64_t)(bits ^ INT32_MAX);
	return bits;
}

static int by_rank(const void *left, const void *right)
{
	const struct ranked *a = left, *b = right;

	if (a->key != b->key)
		return a->key > b->key ? -1 : 1;
	return a->index < b->index ? -1 : 1;
}

static int run_topk(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0];
	size_t k = (size_t)cpu_index_at(&op->inputs[1], 0), n = (size_t)in->shape[in->ndim - 1];
	size_t total = cpu_elements(in), to = 0;
	struct ranked *row = op->plan;

	(void)err;
	for (size_t at = 0; n && at < total; at += n) {
		for (size_t i = 0; i < n; i++)
			row[i] = (struct ranked){ key_of(in, at + i), i };
		qsort(row, n, sizeof(*row), by_rank);
		for (size_t i = 0; i < k; i++, to++) {
			int64_t value, index = (int64_t)row[i].index;

			cpu_load64(in, at + row[i].index, 1, &value);
			cpu_store64(&op->outputs[0], to, 1, &value);
			cpu_store64(&op->outputs[1], to, 1, &index);
		}
	}
	return 0;
}

const struct cpu_kernel cpu_topk = { prepare_topk, run_topk };

/* --- ONE_HOT: indices, depth, value at the index, value elsewhere --- */

static int prepare_one_hot(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *index = &op->inputs[0];
	int32_t shape[CPU_MAX_DIMS + 1], axis;
	uint32_t n = 0;
	int64_t depth;
	int ret;

	if ((ret = cpu_check(op, 0, CPU_S32 | CPU_S64, err)) ||
	    (ret = cpu_check_scalars(op, 1, 1, err)) || (ret = cpu_check(op, 2, CPU_ANY, err)) ||
	    (ret = cpu_check_same(op, 3, 2, err)) || (ret = cpu_check_same(op, 4, 2, err)))
		return ret;
	if (cpu_elements(&op->inputs[2]) != 1 || cpu_elements(&op->inputs[3]) != 1)
		return cpu_refuse(op, 2, -EINVAL, "is not one element, or the next is not", err);
	depth = cpu_index_at(&op->inputs[1], 0);
	axis = cpu_axis(op->options.axis, index->ndim + 1);
	if (axis < 0 || depth < 0 || depth > INT32_MAX)
		return cpu_refuse(op, 1, -EINVAL, "is no extent of a new axis", err);
	for (uint32_t i = 0; i <= index->ndim; i++)
		shape[i] = i == (uint32_t)axis ? (int32_t)depth : index->shape[n++];
	return cpu_check_shape(op, 4, index->ndim + 1, shape, err);
}

static int run_one_hot(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *index = &op->inputs[0], *out = &op->outputs[0];
	uint32_t axis = (uint32_t)cpu_axis(op->options.axis, index->ndim + 1);
	size_t inner = cpu_extent(index, axis, index->ndim), total = cpu_elements(out);
	size_t depth = (size_t)cpu_index_at(&op->inputs[1], 0);
	int64_t on, off;

	(void)err;
	cpu_load64(&op->inputs[2], 0, 1, &on);
	cpu_load64(&op->inputs[3], 0, 1, &off);
	for (size_t at = 0; at < total; at++) {
		int64_t hot = cpu_index_at(index, at / (depth * inner) * inner + at % inner);
		bool is_hot = hot == (int64_t)(at / inner % depth);

		cpu_store64(out, at, 1, is_hot ? &on : &off);
	}
	return 0;
}

const struct cpu_kernel cpu_one_hot = { prepare_one_hot, run_one_hot };

/* --- REVERSE_SEQUENCE: input, lengths: the first elements of an axis of each batch turned round --- */

static int prepare_reverse_sequence(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0];
	int32_t axis = cpu_axis(op->options.axis, in->ndim);
	int32_t batch = cpu_axis(op->options.batch_dims, in->ndim);
	int ret;

	if ((ret = cpu_check(op, 0, CPU_ANY, err)) ||
	    (ret = cpu_check(op, 1, CPU_S32 | CPU_S64, err)) ||
	    (ret = cpu_check_same(op, 2, 0, err)))
		return ret;
	if (axis < 0 || batch < 0 || axis == batch)
		return error_set(err, -EINVAL, "REVERSE_SEQUENCE on the CPU: axes %d and %d",
				 op->options.axis, op->options.batch_dims);
	if (cpu_elements(&op->inputs[1]) != (size_t)in->shape[batch])
		return cpu_refuse(op, 1, -EINVAL, "has not a length for each batch", err);
	if (op->outputs[0].ndim != in->ndim)
		return cpu_refuse(op, 2, -EINVAL, "has other axes than the input", err);
	return cpu_check_shape(op, 2, in->ndim, in->shape, err);
}

static int run_reverse_sequence(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *lengths = &op->inputs[1];
	uint32_t axis = (uint32_t)cpu_axis(op->options.axis, in->ndim);
	uint32_t batch = (uint32_t)cpu_axis(op->options.batch_dims, in->ndim);
	size_t step = cpu_extent(in, axis + 1, in->ndim);
	size_t batch_step = cpu_extent(in, batch + 1, in->ndim);
	size_t total = cpu_elements(in), size = elem_size(in->type);
	uint8_t *to = op->outputs[0].data;

	for (size_t at = 0; at < total; at++, to += size) {
		int64_t n = cpu_index_at(lengths, at / batch_step % (size_t)in->shape[batch]);
		int64_t k = (int64_t)(at / step % (size_t)in->shape[axis]), other;

		if (n < 0 || n > in->shape[axis])
			return cpu_refuse(op, 1, -EINVAL, "is longer than the axis", err);
		other = k < n ? n - 1 - k : k;
		memcpy(to, (const uint8_t *)in->data +
		       (size_t)((int64_t)at + (other - k) * (int64_t)step) * size, size);
	}
	return 0;
}

const struct cpu_kernel cpu_reverse_sequence = { prepare_reverse_sequence, run_reverse_sequence };
