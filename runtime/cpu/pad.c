/* SPDX-License-Identifier: MIT */
/* PAD, PADV2, MIRROR_PAD, SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cpu/walk.h"

#define PAD_MAX (1 << 24)

/* Padding before and after axis @i of the input. */
static void padding(const struct cpu_op *op, uint32_t i, int64_t *before, int64_t *after)
{
	*before = cpu_index_at(&op->inputs[1], 2 * i);
	*after = cpu_index_at(&op->inputs[1], 2 * i + 1);
}

static int check_padding(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0];
	int32_t shape[CPU_MAX_DIMS];
	int ret;

	if ((ret = cpu_check(op, 0, CPU_ANY, err)) ||
	    (ret = cpu_check_scalars(op, 1, 2 * CPU_MAX_DIMS, err)) ||
	    (ret = cpu_check_same(op, op->input_count, 0, err)))
		return ret;
	if (cpu_elements(&op->inputs[1]) != 2 * in->ndim)
		return cpu_refuse(op, 1, -EINVAL, "has not two entries for each axis", err);
	for (uint32_t i = 0; i < in->ndim; i++) {
		int64_t before, after, most = PAD_MAX;

		padding(op, i, &before, &after);
		if (op->kind == IR_MIRROR_PAD)
			most = in->shape[i] - (op->options.mode == IR_MIRROR_REFLECT);
		if (before < 0 || after < 0 || before > most || after > most)
			return cpu_refuse(op, 1, -EINVAL, "is negative or too large", err);
		shape[i] = (int32_t)(before + in->shape[i] + after);
	}
	if (op->outputs[0].ndim != in->ndim)
		return cpu_refuse(op, op->input_count, -EINVAL, "has other axes than the input", err);
	return cpu_check_shape(op, op->input_count, in->ndim, shape, err);
}

static int prepare_pad(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *out = &op->outputs[0];
	int ret = check_padding(op, err);
	struct walk *w;

	if (ret)
		return ret;
	if (op->kind == IR_PADV2) {
		if ((ret = cpu_check_same(op, 2, 0, err)))
			return ret;
		if (cpu_elements(&op->inputs[2]) != 1)
			return cpu_refuse(op, 2, -EINVAL, "is not one element", err);
	}
	w = calloc(1, sizeof(*w));
	if (!w)
		return error_set(err, -ENOMEM, "out of memory");
	op->plan = w;
	w->ndim = in->ndim ? in->ndim : 1;
	w->shape[0] = 1;
	{
		size_t shape[CPU_MAX_DIMS];

		for (uint32_t i = 0; i < out->ndim; i++)
			shape[i] = (size_t)out->shape[i];
		walk_dense(out->ndim, shape, w->to);
	}
	for (uint32_t i = 0; i < in->ndim; i++) {
		int64_t before, after;

		w->shape[i] = (size_t)in->shape[i];
		padding(op, i, &before, &after);
		w->to_base += w->to[i] * (ptrdiff_t)before;
	}
	walk_dense(w->ndim, w->shape, w->from);
	return 0;
}

/* What is filled is copied behind itself, so that the copies grow. */
static void fill(const struct cpu_tensor *out, const void *element)
{
	size_t done = elem_size(out->type), total = cpu_bytes(out);
	uint8_t *to = out->data;

	if (!total)
		return;
	memcpy(to, element, done);
	while (done < total) {
		size_t more = done < total - done ? done : total - done;

		memcpy(to + done, to, more);
		done += more;
	}
}

/* The element that stands for 0. */
static void zero_of(const struct cpu_tensor *out, uint8_t element[8])
{
	struct cpu_tensor one = *out;
	int32_t zero = cpu_zero_of(out);

	memset(element, 0, 8);
	one.data = element;
	if (elem_size(out->type) <= 4)
		cpu_store(&one, 0, 1, &zero);
}

static int run_pad(const struct cpu_op *op, struct error *err)
{
	uint8_t element[8];

	(void)err;
	zero_of(&op->outputs[0], element);
	fill(&op->outputs[0], op->kind == IR_PADV2 ? op->inputs[2].data : element);
	walk_copy(op->plan, &op->inputs[0], &op->outputs[0]);
	return 0;
}

const struct cpu_kernel cpu_pad = { prepare_pad, run_pad };

/* --- MIRROR_PAD --- */

static int prepare_mirror_pad(struct cpu_op *op, struct error *err)
{
	if (op->options.mode != IR_MIRROR_REFLECT && op->options.mode != IR_MIRROR_SYMMETRIC)
		return error_set(err, -EINVAL, "MIRROR_PAD on the CPU: mode %d", op->options.mode);
	return check_padding(op, err);
}

static int run_mirror_pad(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *out = &op->outputs[0];
	size_t size = elem_size(out->type), total = cpu_elements(out);
	int64_t edge = op->options.mode == IR_MIRROR_SYMMETRIC;

	(void)err;
	for (size_t at = 0; at < total; at++) {
		size_t rest = at, from = 0, step = 1;

		for (uint32_t i = in->ndim; i-- > 0;) {
			int64_t before, after, k = (int64_t)(rest % (size_t)out->shape[i]);

			rest /= (size_t)out->shape[i];
			padding(op, i, &before, &after);
			k -= before;
			if (k < 0)
				k = -k - edge;
			if (k >= in->shape[i])
				k = 2 * (int64_t)in->shape[i] - 2 + edge - k;
			from += (size_t)k * step;
			step *= (size_t)in->shape[i];
		}
		memcpy((uint8_t *)out->data + at * size, (const uint8_t *)in->data + from * size, size);
	}
	return 0;
}

const struct cpu_kernel cpu_mirror_pad = { prepare_mirror_pad, run_mirror_pad };

/* --- SPACE_TO_BATCH_ND, BATCH_TO_SPACE_ND: blocks of rows and columns are batches --- */

/* Block and first padding (or cropping) of rows and columns. */
struct blocks {
	int64_t block[2], before[2];
};

static int prepare_space_batch(struct cpu_op *op, struct error *err)
{
	bool to_batch = op->kind == IR_SPACE_TO_BATCH_ND;
	const struct cpu_tensor *space = to_batch ? &op->inputs[0] : &op->outputs[0];
	const struct cpu_tensor *batch = to_batch ? &op->outputs[0] : &op->inputs[0];
	struct blocks *b = calloc(1, sizeof(*b));
	uint32_t axes = space->ndim - 2;
	int64_t blocks = 1;
	int ret;

	if (!b)
		return error_set(err, -ENOMEM, "out of memory");
	op->plan = b;
	if ((ret = cpu_check(op, 0, CPU_ANY, err)) || (ret = cpu_check_scalars(op, 1, 2, err)) ||
	    (ret = cpu_check_scalars(op, 2, 4, err)) || (ret = cpu_check_same(op, 3, 0, err)))
		return ret;
	if ((space->ndim != 3 && space->ndim != 4) || batch->ndim != space->ndim ||
	    cpu_elements(&op->inputs[1]) != axes || cpu_elements(&op->inputs[2]) != 2 * axes)
		return cpu_refuse(op, 0, -ENOTSUP, "has not 3 or 4 axes, with a block for each", err);
	b->block[1] = 1;
	for (uint32_t i = 0; i < axes; i++) {
		int64_t after = cpu_index_at(&op->inputs[2], 2 * i + 1);

		b->block[i] = cpu_index_at(&op->inputs[1], i);
		b->before[i] = cpu_index_at(&op->inputs[2], 2 * i);
		if (b->block[i] < 1 || b->block[i] > PAD_MAX || b->before[i] < 0 || after < 0 ||
		    b->before[i] > PAD_MAX || after > PAD_MAX ||
		    space->shape[1 + i] + b->before[i] + after !=
		    batch->shape[1 + i] * b->block[i])
			return cpu_refuse(op, 2, -EINVAL, "does not fit blocks and shapes", err);
		blocks *= b->block[i];
	}
	if (batch->shape[0] != space->shape[0] * blocks ||
	    batch->shape[space->ndim - 1] != space->shape[space->ndim - 1])
		return cpu_refuse(op, 3, -EINVAL, "has another shape than the operator gives it",
				  err);
	return 0;
}

static int run_space_batch(const struct cpu_op *op, struct error *err)
{
	bool to_batch = op->kind == IR_SPACE_TO_BATCH_ND;
	const struct cpu_tensor *space = to_batch ? &op->inputs[0] : &op->outputs[0];
	const struct cpu_tensor *batch = to_batch ? &op->outputs[0] : &op->inputs[0];
	const struct blocks *b = op->plan;
	bool flat = space->ndim == 3;
	int64_t h = batch->shape[1], w = flat ? 1 : batch->shape[2];
	int64_t space_h = space->shape[1], space_w = flat ? 1 : space->shape[2];
	size_t row = (size_t)space->shape[space->ndim - 1] * elem_size(space->type);
	uint8_t element[8], *at = batch->data;

	(void)err;
	zero_of(&op->outputs[0], element);
	if (to_batch)
		fill(batch, element);
	for (int64_t n = 0; n < batch->shape[0]; n++) {
		int64_t shift = n / space->shape[0], from = n % space->shape[0];

		for (int64_t y = 0; y < h; y++)
			for (int64_t x = 0; x < w; x++, at += row) {
				int64_t sy = y * b->block[0] + shift / b->block[1] - b->before[0];
				int64_t sx = x * b->block[1] + shift % b->block[1] - b->before[1];
				uint8_t *place;

				if (sy < 0 || sy >= space_h || sx < 0 || sx >= space_w)
					continue;
				place = (uint8_t *)space->data +
					(size_t)((from * space_h + sy) * space_w + sx) * row;
				memcpy(to_batch ? at : place, to_batch ? place : at, row);
			}
	}
	return 0;
}

const struct cpu_kernel cpu_space_batch = { prepare_space_batch, run_space_batch };
