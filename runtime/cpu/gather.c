/* SPDX-License-Identifier: MIT */
/* Operators that get elements by indices among the data: GATHER, GATHER_ND, GATHER_ELEMENTS. */
#include <errno.h>
#include <string.h>

#include "runtime/cpu/index.h"

/* Axis and batch axes, brought to 0 and up. */
static bool axes_of(const struct cpu_op *op, int32_t *axis, int32_t *batch)
{
	const struct cpu_tensor *in = &op->inputs[0], *index = &op->inputs[1];

	*axis = cpu_axis(op->options.axis, in->ndim);
	*batch = op->options.batch_dims;
	if (*batch < 0)
		*batch += (int32_t)index->ndim;
	return *axis >= 0 && *batch >= 0 && *batch <= *axis && *batch <= (int32_t)index->ndim;
}

static int prepare_gather(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *index = &op->inputs[1];
	int32_t axis, batch, shape[2 * CPU_MAX_DIMS];
	uint32_t n = 0;
	int ret;

	if ((ret = cpu_check(op, 0, CPU_ANY, err)) ||
	    (ret = cpu_check(op, 1, CPU_S32 | CPU_S64, err)) ||
	    (ret = cpu_check_same(op, 2, 0, err)))
		return ret;
	if (!axes_of(op, &axis, &batch))
		return error_set(err, -EINVAL, "GATHER on the CPU: axis %d, batch axes %d",
				 op->options.axis, op->options.batch_dims);
	for (int32_t i = 0; i < batch; i++)
		if (in->shape[i] != index->shape[i])
			return cpu_refuse(op, 1, -EINVAL, "has other batches than the input", err);
	for (int32_t i = 0; i < axis; i++)
		shape[n++] = in->shape[i];
	for (uint32_t i = (uint32_t)batch; i < index->ndim; i++)
		shape[n++] = index->shape[i];
	for (uint32_t i = (uint32_t)axis + 1; i < in->ndim; i++)
		shape[n++] = in->shape[i];
	return cpu_check_shape(op, 2, n, shape, err);
}

static int run_gather(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *index = &op->inputs[1];
	uint8_t *to = op->outputs[0].data;
	size_t batches, outer, count, inner, extent;
	int32_t axis, batch;

	axes_of(op, &axis, &batch);
	batches = cpu_extent(in, 0, (uint32_t)batch);
	outer = cpu_extent(in, (uint32_t)batch, (uint32_t)axis);
	inner = cpu_extent(in, (uint32_t)axis + 1, in->ndim) * elem_size(in->type);
	count = cpu_extent(index, (uint32_t)batch, index->ndim);
	extent = (size_t)in->shape[axis];
	for (size_t b = 0; b < batches; b++)
		for (size_t o = 0; o < outer; o++)
			for (size_t i = 0; i < count; i++, to += inner) {
				int64_t k = index_of(index, b * count + i, in->shape[axis]);

				if (k < 0)
					return cpu_refuse(op, 1, -EINVAL, "leaves the input", err);
				memcpy(to, (const uint8_t *)in->data +
				       (((b * outer + o) * extent) + (size_t)k) * inner, inner);
			}
	return 0;
}

const struct cpu_kernel cpu_gather = { prepare_gather, run_gather };

/* --- GATHER_ND: rows of the first axes --- */

static int prepare_gather_nd(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *index = &op->inputs[1];
	int32_t shape[2 * CPU_MAX_DIMS], depth;
	uint32_t n = 0;
	int ret;

	if ((ret = cpu_check(op, 0, CPU_ANY, err)) ||
	    (ret = cpu_check(op, 1, CPU_S32 | CPU_S64, err)) ||
	    (ret = cpu_check_same(op, 2, 0, err)))
		return ret;
	depth = index->ndim ? index->shape[index->ndim - 1] : 0;
	if (depth < 1 || depth > (int32_t)in->ndim)
		return cpu_refuse(op, 1, -EINVAL, "has not an index for some axes of the input", err);
	for (uint32_t i = 0; i + 1 < index->ndim; i++)
		shape[n++] = index->shape[i];
	for (uint32_t i = (uint32_t)depth; i < in->ndim; i++)
		shape[n++] = in->shape[i];
	return cpu_check_shape(op, 2, n, shape, err);
}

int64_t index_of(const struct cpu_tensor *index, size_t at, int32_t extent)
{
	int64_t k = cpu_index_at(index, at);

	k += k < 0 ? extent : 0;
	return k < 0 || k >= extent ? -1 : k;
}

int64_t index_place(const struct cpu_tensor *index, size_t row, const struct cpu_tensor *t)
{
	size_t depth = (size_t)index->shape[index->ndim - 1];
	int64_t at = 0;

	for (size_t d = 0; d < depth; d++) {
		int64_t k = index_of(index, row * depth + d, t->shape[d]);

		if (k < 0)
			return -1;
		at = at * t->shape[d] + k;
	}
	return at * (int64_t)cpu_extent(t, (uint32_t)depth, t->ndim);
}

int64_t index_element(const struct cpu_tensor *index, size_t at, const struct cpu_tensor *t,
		      uint32_t axis)
{
	size_t rest = at, to = 0, step = 1;

	for (uint32_t i = t->ndim; i-- > 0;) {
		size_t k = rest % (size_t)index->shape[i];

		rest /= (size_t)index->shape[i];
		if (i == axis) {
			int64_t other = index_of(index, at, t->shape[i]);

			if (other < 0)
				return -1;
			k = (size_t)other;
		}
		to += k * step;
		step *= (size_t)t->shape[i];
	}
	return (int64_t)to;
}

static int run_gather_nd(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *index = &op->inputs[1];
	size_t depth = (size_t)index->shape[index->ndim - 1], rows = cpu_elements(index) / depth;
	size_t size = elem_size(in->type), row = cpu_extent(in, (uint32_t)depth, in->ndim) * size;
	uint8_t *to = op->outputs[0].data;

	for (size_t r = 0; r < rows; r++, to += row) {
		int64_t at = index_place(index, r, in);

		if (at < 0)
			return cpu_refuse(op, 1, -EINVAL, "leaves the input", err);
		memcpy(to, (const uint8_t *)in->data + (size_t)at * size, row);
	}
	return 0;
}

const struct cpu_kernel cpu_gather_nd = { prepare_gather_nd, run_gather_nd };

/* --- GATHER_ELEMENTS: an index for each element of the output --- */

static int prepare_gather_elements(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *index = &op->inputs[1];
	int32_t axis = cpu_axis(op->options.axis, in->ndim);
	int ret;

	if ((ret = cpu_check(op, 0, CPU_ANY, err)) ||
	    (ret = cpu_check(op, 1, CPU_S32 | CPU_S64, err)) ||
	    (ret = cpu_check_same(op, 2, 0, err)))
		return ret;
	if (axis < 0 || index->ndim != in->ndim || op->outputs[0].ndim != in->ndim)
		return cpu_refuse(op, 1, -EINVAL, "has other axes than the input", err);
	for (uint32_t i = 0; i < in->ndim; i++)
		if (op->outputs[0].shape[i] != index->shape[i] ||
		    (i != (uint32_t)axis && index->shape[i] > in->shape[i]))
			return cpu_refuse(op, 1, -EINVAL, "has another shape than the output", err);
	return 0;
}

static int run_gather_elements(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *index = &op->inputs[1];
	uint32_t axis = (uint32_t)cpu_axis(op->options.axis, in->ndim);
	size_t total = cpu_elements(index), size = elem_size(in->type);
	uint8_t *to = op->outputs[0].data;

	for (size_t at = 0; at < total; at++, to += size) {
		int64_t from = index_element(index, at, in, axis);

		if (from < 0)
			return cpu_refuse(op, 1, -EINVAL, "leaves the input", err);
		memcpy(to, (const uint8_t *)in->data + (size_t)from * size, size);
	}
	return 0;
}

const struct cpu_kernel cpu_gather_elements = { prepare_gather_elements, run_gather_elements };
