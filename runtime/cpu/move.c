/* SPDX-License-Identifier: MIT */
/* Operators that only move elements: parts of tensors, their order, several into one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cpu/walk.h"

static int new_walk(struct cpu_op *op, struct walk **out, struct error *err)
{
	*out = calloc(1, sizeof(**out));
	op->plan = *out;
	return *out ? 0 : error_set(err, -ENOMEM, "out of memory");
}

/* Operand 0 of any type, output of the same. */
static int check_pair(const struct cpu_op *op, struct error *err)
{
	int ret = cpu_check(op, 0, CPU_ANY, err);

	return ret ? ret : cpu_check_same(op, op->input_count, 0, err);
}

static int run_walk(const struct cpu_op *op, struct error *err)
{
	(void)err;
	walk_copy(op->plan, &op->inputs[0], &op->outputs[0]);
	return 0;
}

static void dense(const struct cpu_tensor *t, ptrdiff_t *step)
{
	size_t shape[CPU_MAX_DIMS];

	for (uint32_t i = 0; i < t->ndim; i++)
		shape[i] = (size_t)t->shape[i];
	walk_dense(t->ndim, shape, step);
}

/* Finish a walk whose shape is set: the output is dense. At least one axis. */
static int finish_walk(const struct cpu_op *op, struct walk *w, struct error *err)
{
	int32_t shape[WALK_MAX_DIMS];

	if (!w->ndim) {
		w->ndim = 1;
		w->shape[0] = 1;
	}
	walk_dense(w->ndim, w->shape, w->to);
	for (uint32_t i = 0; i < w->ndim; i++)
		shape[i] = (int32_t)w->shape[i];
	return cpu_check_shape(op, op->input_count, w->ndim, shape, err);
}

/* --- TRANSPOSE --- */

static int prepare_transpose(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *order = &op->inputs[1];
	bool seen[CPU_MAX_DIMS] = { false };
	ptrdiff_t step[CPU_MAX_DIMS];
	struct walk *w;
	int ret;

	if ((ret = check_pair(op, err)) || (ret = cpu_check_scalars(op, 1, CPU_MAX_DIMS, err)) ||
	    (ret = new_walk(op, &w, err)))
		return ret;
	if (cpu_elements(order) != in->ndim || op->outputs[0].ndim != in->ndim)
		return cpu_refuse(op, 1, -EINVAL, "has not one entry for each axis", err);
	dense(in, step);
	w->ndim = in->ndim;
	for (uint32_t i = 0; i < in->ndim; i++) {
		int32_t axis = cpu_axis(cpu_index_at(order, i), in->ndim);

		if (axis < 0 || seen[axis])
			return cpu_refuse(op, 1, -EINVAL, "is no order of axes", err);
		seen[axis] = true;
		w->shape[i] = (size_t)in->shape[axis];
		w->from[i] = step[axis];
	}
	return finish_walk(op, w, err);
}

const struct cpu_kernel cpu_transpose = { prepare_transpose, run_walk };

/* --- REVERSE_V2 --- */

static int prepare_reverse(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *axes = &op->inputs[1];
	bool seen[CPU_MAX_DIMS] = { false };
	struct walk *w;
	int ret;

	if ((ret = check_pair(op, err)) || (ret = cpu_check_scalars(op, 1, CPU_MAX_DIMS, err)) ||
	    (ret = new_walk(op, &w, err)))
		return ret;
	w->ndim = in->ndim;
	dense(in, w->from);
	for (uint32_t i = 0; i < in->ndim; i++)
		w->shape[i] = (size_t)in->shape[i];
	for (size_t i = 0; i < cpu_elements(axes); i++) {
		int32_t axis = cpu_axis(cpu_index_at(axes, i), in->ndim);

		if (axis < 0 || seen[axis])
			return cpu_refuse(op, 1, -EINVAL, "is no axis of the input", err);
		seen[axis] = true;
		w->from_base += w->from[axis] * ((ptrdiff_t)w->shape[axis] - 1);
		w->from[axis] = -w->from[axis];
	}
	return finish_walk(op, w, err);
}

const struct cpu_kernel cpu_reverse = { prepare_reverse, run_walk };

/* --- SLICE and STRIDED_SLICE --- */

static int prepare_slice(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *begin = &op->inputs[1], *size = &op->inputs[2];
	struct walk *w;
	int ret;

	if ((ret = check_pair(op, err)) || (ret = cpu_check_scalars(op, 1, CPU_MAX_DIMS, err)) ||
	    (ret = cpu_check_scalars(op, 2, CPU_MAX_DIMS, err)) || (ret = new_walk(op, &w, err)))
		return ret;
	if (cpu_elements(begin) != in->ndim || cpu_elements(size) != in->ndim)
		return cpu_refuse(op, 1, -EINVAL, "has not one entry for each axis", err);
	w->ndim = in->ndim;
	dense(in, w->from);
	for (uint32_t i = 0; i < in->ndim; i++) {
		int64_t first = cpu_index_at(begin, i), count = cpu_index_at(size, i);

		if (first < 0 || first > in->shape[i] || count < -1 ||
		    count > in->shape[i] - first)
			return cpu_refuse(op, 2, -EINVAL, "leaves the input", err);
		w->shape[i] = (size_t)(count < 0 ? in->shape[i] - first : count);
		w->from_base += w->from[i] * (ptrdiff_t)first;
	}
	return finish_walk(op, w, err);
}

const struct cpu_kernel cpu_slice = { prepare_slice, run_walk };

/* One axis of a strided slice: begin, and how many. */
static void slice_axis(const struct ir_options *o, uint32_t entry, int64_t extent, int64_t begin,
		       int64_t end, int64_t step, int64_t *first, int64_t *count)
{
	int64_t low = step > 0 ? 0 : -1, high = step > 0 ? extent : extent - 1;

	if (o->shrink_mask >> entry & 1) {
		*first = begin < 0 ? begin + extent : begin;
		*count = 1;
		return;
	}
	begin += begin < 0 ? extent : 0;
	end += end < 0 ? extent : 0;
	begin = begin < low ? low : begin > high ? high : begin;
	end = end < low ? low : end > high ? high : end;
	if (o->begin_mask >> entry & 1)
		begin = step > 0 ? 0 : extent - 1;
	if (o->end_mask >> entry & 1)
		end = step > 0 ? extent : -1;
	*first = begin;
	*count = (end - begin + step + (step > 0 ? -1 : 1)) / step;
	*count = *count > 0 ? *count : 0;
}

static int prepare_strided_slice(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0];
	const struct ir_options *o = &op->options;
	uint32_t entries, axis = 0, added = 0;
	ptrdiff_t step[CPU_MAX_DIMS];
	struct walk *w;
	int ret;

	if ((ret = check_pair(op, err)) || (ret = new_walk(op, &w, err)))
		return ret;
	for (uint32_t i = 1; i < 4 && !ret; i++)
		ret = cpu_check_scalars(op, i, CPU_MAX_DIMS, err);
	if (ret)
		return ret;
	entries = (uint32_t)cpu_elements(&op->inputs[1]);
	if (cpu_elements(&op->inputs[2]) != entries || cpu_elements(&op->inputs[3]) != entries)
		return cpu_refuse(op, 2, -EINVAL, "has not one entry for each of begin", err);
	dense(in, step);
	for (uint32_t e = 0; e < entries; e++)
		added += o->new_axis_mask >> e & 1;
	for (uint32_t e = 0; e < entries; e++) {
		int64_t by = cpu_index_at(&op->inputs[3], e), first, count;

		/* The entries that the ellipsis stands for. */
		if (o->ellipsis_mask >> e & 1) {
			uint32_t others = entries - 1 - added;
			uint32_t stop = axis + (in->ndim > others ? in->ndim - others : 0);

			for (; axis < stop && axis < in->ndim; axis++) {
				w->shape[w->ndim] = (size_t)in->shape[axis];
				w->from[w->ndim++] = step[axis];
			}
			continue;
		}
		if (o->new_axis_mask >> e & 1)
			continue;
		if (axis == in->ndim || !by)
			return cpu_refuse(op, 3, -EINVAL, "is 0, or has no axis", err);
		slice_axis(o, e, in->shape[axis], cpu_index_at(&op->inputs[1], e),
			   cpu_index_at(&op->inputs[2], e), by, &first, &count);
		if (count && (first < 0 || first >= in->shape[axis]))
			return cpu_refuse(op, 1, -EINVAL, "leaves the input", err);
		w->from_base += step[axis] * (ptrdiff_t)first;
		w->shape[w->ndim] = (size_t)count;
		w->from[w->ndim++] = step[axis] * (ptrdiff_t)by;
		axis++;
	}
	for (; axis < in->ndim; axis++) {
		w->shape[w->ndim] = (size_t)in->shape[axis];
		w->from[w->ndim++] = step[axis];
	}
	return finish_walk(op, w, err);
}

const struct cpu_kernel cpu_strided_slice = { prepare_strided_slice, run_walk };

/* --- TILE and BROADCAST_TO: every axis twice, repeats and indices --- */

static int prepare_tile(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *times = &op->inputs[1], *out = &op->outputs[0];
	ptrdiff_t step[CPU_MAX_DIMS];
	struct walk *w;
	int ret;

	if ((ret = check_pair(op, err)) || (ret = cpu_check_scalars(op, 1, CPU_MAX_DIMS, err)) ||
	    (ret = new_walk(op, &w, err)))
		return ret;
	if (cpu_elements(times) != out->ndim || in->ndim > out->ndim ||
	    (op->kind == IR_TILE && in->ndim != out->ndim))
		return cpu_refuse(op, 1, -EINVAL, "has not one entry for each axis", err);
	dense(in, step);
	for (uint32_t i = 0; i < out->ndim; i++) {
		bool there = i + in->ndim >= out->ndim;
		uint32_t axis = i + in->ndim - out->ndim;
		int64_t extent = there ? in->shape[axis] : 1, n = cpu_index_at(times, i);

		if (op->kind == IR_TILE ? n < 0 || n * extent != out->shape[i] :
		    n != out->shape[i] || (extent != 1 && extent != n))
			return cpu_refuse(op, 1, -EINVAL, "does not give the output's shape", err);
		w->shape[w->ndim] = (size_t)(op->kind == IR_TILE || extent == 1 ? n : 1);
		w->from[w->ndim++] = 0;
		w->shape[w->ndim] = (size_t)extent;
		w->from[w->ndim++] = there ? step[axis] : 0;
	}
	if (!w->ndim) {
		w->ndim = 1;
		w->shape[0] = 1;
	}
	walk_dense(w->ndim, w->shape, w->to);
	return 0;
}

const struct cpu_kernel cpu_tile = { prepare_tile, run_walk };

/* --- SPACE_TO_DEPTH and DEPTH_TO_SPACE: blocks as axes of their own --- */

static int prepare_space_depth(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *out = &op->outputs[0];
	bool to_depth = op->kind == IR_SPACE_TO_DEPTH;
	const struct cpu_tensor *space = to_depth ? in : out, *depth = to_depth ? out : in;
	int32_t block = op->options.block_size;
	size_t shape[6];
	struct walk *w;
	int ret = check_pair(op, err);

	if (ret || (ret = new_walk(op, &w, err)))
		return ret;
	if (in->ndim != 4 || out->ndim != 4 || block < 1 || block > 1 << 12 ||
	    in->shape[0] != out->shape[0] ||
	    space->shape[1] != (int64_t)depth->shape[1] * block ||
	    space->shape[2] != (int64_t)depth->shape[2] * block ||
	    depth->shape[3] != (int64_t)space->shape[3] * block * block)
		return cpu_refuse(op, 1, -EINVAL, "has another shape than the operator gives it",
				  err);
	/* Space: [n][h][block][w][block][c], depth: [n][h][w][block][block][c]. */
	w->ndim = 6;
	w->shape[0] = (size_t)in->shape[0];
	w->shape[1] = (size_t)depth->shape[1];
	w->shape[2] = w->shape[4] = (size_t)block;
	w->shape[3] = (size_t)depth->shape[2];
	w->shape[5] = (size_t)space->shape[3];
	walk_dense(6, w->shape, w->from);
	memcpy(shape, w->shape, sizeof(shape));
	shape[2] = w->shape[3];
	shape[3] = w->shape[2];
	walk_dense(6, shape, w->to);
	{
		ptrdiff_t swap = w->to[2], from[WALK_MAX_DIMS];

		w->to[2] = w->to[3];
		w->to[3] = swap;
		memcpy(from, w->from, sizeof(from));
		if (!to_depth) {
			memcpy(w->from, w->to, sizeof(from));
			memcpy(w->to, from, sizeof(from));
		}
	}
	return 0;
}

const struct cpu_kernel cpu_space_depth = { prepare_space_depth, run_walk };

/* --- CONCATENATION, PACK, SPLIT, SPLIT_V, UNPACK --- */

/* Operands [first, first + count) lie one after the other on an axis of @whole. */
static int check_parts(const struct cpu_op *op, uint32_t whole, uint32_t first, uint32_t count,
		       int32_t axis, struct error *err)
{
	const struct cpu_tensor *w = cpu_operand(op, whole);
	int64_t sum = 0;
	int ret;

	for (uint32_t i = first; i < first + count; i++) {
		const struct cpu_tensor *t = cpu_operand(op, i);

		ret = cpu_check_same(op, i, whole, err);
		if (ret)
			return ret;
		if (t->ndim != w->ndim)
			return cpu_refuse(op, i, -EINVAL, "has other axes", err);
		for (uint32_t k = 0; k < w->ndim; k++)
			if (k != (uint32_t)axis && t->shape[k] != w->shape[k])
				return cpu_refuse(op, i, -EINVAL, "has another shape", err);
		sum += t->shape[axis];
	}
	if (sum != w->shape[axis])
		return cpu_refuse(op, whole, -EINVAL, "is not as long as its parts together", err);
	return 0;
}

static int prepare_concat(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *out = &op->outputs[0];
	int32_t axis = cpu_axis(op->options.axis, out->ndim);
	int ret = check_pair(op, err);

	if (ret)
		return ret;
	if (axis < 0 || op->options.activation != IR_ACT_NONE)
		return error_set(err, -EINVAL, "CONCATENATION on the CPU: axis %d or activation %d",
				 op->options.axis, op->options.activation);
	ret = check_parts(op, op->input_count, 0, op->input_count, axis, err);
	/* Only uint8 is brought to one quantisation; what has another is not defined. */
	for (uint32_t i = 0; i < op->input_count && !ret; i++)
		if (out->scale_count == 1 && op->inputs[i].scale_count == 1 &&
		    (op->inputs[i].scales[0] != out->scales[0] ||
		     op->inputs[i].zero_points[0] != out->zero_points[0]))
			ret = cpu_refuse(op, i, -ENOTSUP, "has another quantisation than the output",
					 err);
	return ret;
}

static int run_concat(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *out = &op->outputs[0];
	int32_t axis = cpu_axis(op->options.axis, out->ndim);
	size_t at = 0;

	(void)err;
	for (uint32_t i = 0; i < op->input_count; i++) {
		size_t n = (size_t)op->inputs[i].shape[axis];

		walk_axis(out, &op->inputs[i], (uint32_t)axis, at, n, false);
		at += n;
	}
	return 0;
}

const struct cpu_kernel cpu_concat = { prepare_concat, run_concat };

static int32_t split_axis(const struct cpu_op *op)
{
	const struct cpu_tensor *axis = &op->inputs[op->kind == IR_SPLIT ? 0 : 2];

	return cpu_axis(cpu_index_at(axis, 0), op->inputs[op->kind == IR_SPLIT ? 1 : 0].ndim);
}

static int prepare_split(struct cpu_op *op, struct error *err)
{
	uint32_t whole = op->kind == IR_SPLIT ? 1 : 0;
	int ret;

	if ((ret = cpu_check(op, whole, CPU_ANY, err)) ||
	    (ret = cpu_check_scalars(op, op->kind == IR_SPLIT ? 0 : 2, 1, err)))
		return ret;
	if (split_axis(op) < 0)
		return cpu_refuse(op, op->kind == IR_SPLIT ? 0 : 2, -EINVAL,
				  "is no axis of the input", err);
	return check_parts(op, whole, op->input_count, op->output_count, split_axis(op), err);
}

static int run_split(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[op->kind == IR_SPLIT ? 1 : 0];
	int32_t axis = split_axis(op);
	size_t at = 0;

	(void)err;
	for (uint32_t i = 0; i < op->output_count; i++) {
		size_t n = (size_t)op->outputs[i].shape[axis];

		walk_axis(in, &op->outputs[i], (uint32_t)axis, at, n, true);
		at += n;
	}
	return 0;
}

const struct cpu_kernel cpu_split = { prepare_split, run_split };

/* PACK and UNPACK: @whole has an axis more than each of the parts [first, first + count). */
static int prepare_pack(struct cpu_op *op, struct error *err)
{
	bool pack = op->kind == IR_PACK;
	uint32_t whole = pack ? op->input_count : 0, first = pack ? 0 : 1;
	uint32_t count = pack ? op->input_count : op->output_count;
	const struct cpu_tensor *w = cpu_operand(op, whole);
	int32_t shape[CPU_MAX_DIMS], axis;
	int ret = cpu_check(op, whole, CPU_ANY, err);

	if (ret)
		return ret;
	axis = cpu_axis(op->options.axis, w->ndim);
	if (axis < 0 || w->shape[axis] != (int64_t)count)
		return cpu_refuse(op, whole, -EINVAL, "has not one index for each part", err);
	memcpy(shape, w->shape, sizeof(shape));
	shape[axis] = 1;
	for (uint32_t i = first; i < first + count && !ret; i++) {
		ret = cpu_check_same(op, i, whole, err);
		if (!ret)
			ret = cpu_check_shape(op, i, w->ndim, shape, err);
	}
	return ret;
}

static int run_pack(const struct cpu_op *op, struct error *err)
{
	bool pack = op->kind == IR_PACK;
	const struct cpu_tensor *whole = pack ? &op->outputs[0] : &op->inputs[0];
	uint32_t axis = (uint32_t)cpu_axis(op->options.axis, whole->ndim);

	(void)err;
	for (uint32_t i = 0; i < (pack ? op->input_count : op->output_count); i++)
		walk_axis(whole, pack ? &op->inputs[i] : &op->outputs[i], axis, i, 1, !pack);
	return 0;
}

const struct cpu_kernel cpu_pack = { prepare_pack, run_pack };
const struct cpu_kernel cpu_unpack = { prepare_pack, run_pack };
