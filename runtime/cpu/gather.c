/* SPDX-License-Identifier: MIT */
/* Operators that go by indices among the data: GATHER, GATHER_ND, SCATTER_ND. */
#include <errno.h>
#include <string.h>

#include "runtime/cpu/cpu_kernel.h"

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
				int64_t k = cpu_index_at(index, b * count + i);

				if (k < 0 || k >= in->shape[axis])
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

/* The element that row @row of an index tensor names in @t, as an offset; -1: it leaves @t. */
static int64_t place_of(const struct cpu_tensor *index, size_t row, const struct cpu_tensor *t)
{
	size_t depth = (size_t)index->shape[index->ndim - 1];
	int64_t at = 0;

	for (size_t d = 0; d < depth; d++) {
		int64_t k = cpu_index_at(index, row * depth + d);

		if (k < 0 || k >= t->shape[d])
			return -1;
		at = at * t->shape[d] + k;
	}
	return at * (int64_t)cpu_extent(t, (uint32_t)depth, t->ndim);
}

static int run_gather_nd(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *index = &op->inputs[1];
	size_t depth = (size_t)index->shape[index->ndim - 1], rows = cpu_elements(index) / depth;
	size_t size = elem_size(in->type), row = cpu_extent(in, (uint32_t)depth, in->ndim) * size;
	uint8_t *to = op->outputs[0].data;

	for (size_t r = 0; r < rows; r++, to += row) {
		int64_t at = place_of(index, r, in);

		if (at < 0)
			return cpu_refuse(op, 1, -EINVAL, "leaves the input", err);
		memcpy(to, (const uint8_t *)in->data + (size_t)at * size, row);
	}
	return 0;
}

const struct cpu_kernel cpu_gather_nd = { prepare_gather_nd, run_gather_nd };

/* --- SCATTER_ND: updates are added up --- */

static int prepare_scatter_nd(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *index = &op->inputs[0], *out = &op->outputs[0];
	size_t rows, depth;
	int ret;

	if ((ret = cpu_check(op, 0, CPU_S32, err)) ||
	    (ret = cpu_check(op, 1, CPU_S8 | CPU_U8 | CPU_S32, err)) ||
	    (ret = cpu_check_same(op, 3, 1, err)))
		return ret;
	if (!index->ndim || index->shape[index->ndim - 1] < 1 ||
	    index->shape[index->ndim - 1] > (int32_t)out->ndim)
		return cpu_refuse(op, 0, -EINVAL, "has not an index for some axes of the output", err);
	depth = (size_t)index->shape[index->ndim - 1];
	rows = cpu_elements(index) / depth;
	if (cpu_elements(&op->inputs[1]) != rows * cpu_extent(out, (uint32_t)depth, out->ndim))
		return cpu_refuse(op, 1, -EINVAL, "has not an update for each index", err);
	return 0;
}

static int run_scatter_nd(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *index = &op->inputs[0], *in = &op->inputs[1], *out = &op->outputs[0];
	size_t depth = (size_t)index->shape[index->ndim - 1], rows = cpu_elements(index) / depth;
	size_t inner = cpu_extent(out, (uint32_t)depth, out->ndim);

	memset(out->data, 0, cpu_bytes(out));
	for (size_t r = 0; r < rows; r++) {
		int64_t at = place_of(index, r, out);

		if (at < 0)
			return cpu_refuse(op, 0, -EINVAL, "leaves the output", err);
		for (size_t i = 0; i < inner; i++) {
			int32_t old, more;

			cpu_load(out, (size_t)at + i, 1, &old);
			cpu_load(in, r * inner + i, 1, &more);
			old = (int32_t)((uint32_t)old + (uint32_t)more);
			cpu_store(out, (size_t)at + i, 1, &old);
		}
	}
	return 0;
}

const struct cpu_kernel cpu_scatter_nd = { prepare_scatter_nd, run_scatter_nd };
