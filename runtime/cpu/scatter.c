/* SPDX-License-Identifier: MIT */
/* Operators that put elements by indices among the data: SCATTER_ND, _ND_UPDATE, _ELEMENTS. */
#include <errno.h>
#include <string.h>

#include "runtime/cpu/index.h"

#define COMBINE(type) \
	static type combine_##type(int32_t mode, type old, type x) \
	{ \
		switch (mode) { \
		case IR_SCATTER_ADD: \
			return old + x; \
		case IR_SCATTER_MUL: \
			return old * x; \
		case IR_SCATTER_MAX: \
			return x > old || x != x ? x : old; \
		case IR_SCATTER_MIN: \
			return x < old || x != x ? x : old; \
		default: \
			return x; \
		} \
	}
COMBINE(float)
COMBINE(uint64_t)
COMBINE(int64_t)

/* Put one element of @from to @to, as the mode says. */
static void put(int32_t mode, const struct cpu_tensor *to, size_t to_at,
		const struct cpu_tensor *from, size_t from_at)
{
	bool unsigned_sum = mode == IR_SCATTER_ADD || mode == IR_SCATTER_MUL;
	int64_t old, more;
	float sum, x;

	if (to->type == ELEM_FLOAT32) {
		memcpy(&sum, (float *)to->data + to_at, sizeof(sum));
		memcpy(&x, (const float *)from->data + from_at, sizeof(x));
		sum = combine_float(mode, sum, x);
		memcpy((float *)to->data + to_at, &sum, sizeof(sum));
		return;
	}
	cpu_load64(to, to_at, 1, &old);
	cpu_load64(from, from_at, 1, &more);
	/* Sums and products wrap round. */
	old = unsigned_sum ? (int64_t)combine_uint64_t(mode, (uint64_t)old, (uint64_t)more) :
			     combine_int64_t(mode, old, more);
	cpu_store64(to, to_at, 1, &old);
}

/* Types that can be combined; any if they only replace. */
static unsigned int types_of(int32_t mode)
{
	return mode == IR_SCATTER_NONE ? CPU_ANY : (CPU_INTEGER & ~CPU_U64) | CPU_F32;
}

/* Rows of updates to the places that rows of indices name. */
static int put_rows(const struct cpu_op *op, uint32_t index_operand, uint32_t from_operand,
		    int32_t mode, struct error *err)
{
	const struct cpu_tensor *index = &op->inputs[index_operand], *out = &op->outputs[0];
	const struct cpu_tensor *from = &op->inputs[from_operand];
	size_t depth = (size_t)index->shape[index->ndim - 1], rows = cpu_elements(index) / depth;
	size_t inner = cpu_extent(out, (uint32_t)depth, out->ndim);

	for (size_t r = 0; r < rows; r++) {
		int64_t at = index_place(index, r, out);

		if (at < 0)
			return cpu_refuse(op, index_operand, -EINVAL, "leaves the output", err);
		for (size_t i = 0; i < inner; i++)
			put(mode, out, (size_t)at + i, from, r * inner + i);
	}
	return 0;
}

static int check_rows(const struct cpu_op *op, uint32_t index_operand, uint32_t from,
		      struct error *err)
{
	const struct cpu_tensor *index = &op->inputs[index_operand], *out = &op->outputs[0];
	size_t rows, depth;

	if (!index->ndim || index->shape[index->ndim - 1] < 1 ||
	    index->shape[index->ndim - 1] > (int32_t)out->ndim)
		return cpu_refuse(op, index_operand, -EINVAL,
				  "has not an index for some axes of the output", err);
	depth = (size_t)index->shape[index->ndim - 1];
	rows = cpu_elements(index) / depth;
	if (cpu_elements(&op->inputs[from]) != rows * cpu_extent(out, (uint32_t)depth, out->ndim))
		return cpu_refuse(op, from, -EINVAL, "has not an update for each index", err);
	return 0;
}

/* --- SCATTER_ND: updates are added up --- */

static int prepare_scatter_nd(struct cpu_op *op, struct error *err)
{
	int ret;

	if ((ret = cpu_check(op, 0, CPU_S32 | CPU_S64, err)) ||
	    (ret = cpu_check(op, 1, types_of(IR_SCATTER_ADD), err)) ||
	    (ret = cpu_check_same(op, 3, 1, err)))
		return ret;
	return check_rows(op, 0, 1, err);
}

static int run_scatter_nd(const struct cpu_op *op, struct error *err)
{
	memset(op->outputs[0].data, 0, cpu_bytes(&op->outputs[0]));
	return put_rows(op, 0, 1, IR_SCATTER_ADD, err);
}

const struct cpu_kernel cpu_scatter_nd = { prepare_scatter_nd, run_scatter_nd };

/* --- SCATTER_ND_UPDATE and SCATTER_ELEMENTS: a copy of the input with updates --- */

static int prepare_update(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *index = &op->inputs[1];
	int32_t mode = op->options.mode;
	int ret;

	if (mode < IR_SCATTER_NONE || mode > IR_SCATTER_MIN)
		return error_set(err, -EINVAL, "%s on the CPU: mode %d", ir_kind_info(op->kind)->name,
				 mode);
	if ((ret = cpu_check(op, 0, types_of(mode), err)) ||
	    (ret = cpu_check(op, 1, CPU_S32 | CPU_S64, err)) ||
	    (ret = cpu_check_same(op, 2, 0, err)) || (ret = cpu_check_same(op, 3, 0, err)))
		return ret;
	if (op->outputs[0].ndim != in->ndim)
		return cpu_refuse(op, 3, -EINVAL, "has other axes than the input", err);
	ret = cpu_check_shape(op, 3, in->ndim, in->shape, err);
	if (ret || op->kind == IR_SCATTER_ND_UPDATE)
		return ret ? ret : check_rows(op, 1, 2, err);
	if (cpu_axis(op->options.axis, in->ndim) < 0 || index->ndim != in->ndim ||
	    op->inputs[2].ndim != in->ndim)
		return cpu_refuse(op, 1, -EINVAL, "has other axes than the input", err);
	for (uint32_t i = 0; i < in->ndim; i++)
		if (op->inputs[2].shape[i] != index->shape[i] ||
		    ((int32_t)i != cpu_axis(op->options.axis, in->ndim) &&
		     index->shape[i] > in->shape[i]))
			return cpu_refuse(op, 1, -EINVAL, "has another shape than the updates", err);
	return 0;
}

static int run_update(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *index = &op->inputs[1], *out = &op->outputs[0];
	uint32_t axis = (uint32_t)cpu_axis(op->options.axis, out->ndim);
	size_t total = cpu_elements(index);

	memcpy(out->data, op->inputs[0].data, cpu_bytes(out));
	if (op->kind == IR_SCATTER_ND_UPDATE)
		return put_rows(op, 1, 2, op->options.mode, err);
	for (size_t at = 0; at < total; at++) {
		int64_t to = index_element(index, at, &op->inputs[0], axis);

		if (to < 0)
			return cpu_refuse(op, 1, -EINVAL, "leaves the output", err);
		put(op->options.mode, out, (size_t)to, &op->inputs[2], at);
	}
	return 0;
}

const struct cpu_kernel cpu_scatter_update = { prepare_update, run_update };
