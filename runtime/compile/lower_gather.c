/* SPDX-License-Identifier: MIT */
/*
 * Lowering: rows picked by constant indices, and rows put where constant indices say, which are copies;
 * and on U85, which can copy by a list, rows picked by indices that are made as it runs.
 */
#include "runtime/compile/lower.h"

#include <stdlib.h>
#include <string.h>

#define INDICES_MAX 256	/* copies that are worth it */

/* Constant indices within [0, @extent), malloc'ed. NULL: *@why says why, or no memory. */
static int32_t *indices_of(struct lower *l, uint32_t t, int32_t extent, uint32_t *count,
			   const char **why)
{
	size_t n = ir_tensor_elements(lower_tensor(l, t));
	int32_t *list;

	*why = NULL;
	if (!lower_tensor(l, t)->data || n > INDICES_MAX) {
		*why = "the indices are not constant, or too many";
		return NULL;
	}
	list = malloc(n * sizeof(*list));
	if (!list)
		return NULL;
	if (!lower_integers(l, t, list, INDICES_MAX, count)) {
		*why = "the indices are not int32 or int64";
		free(list);
		return NULL;
	}
	for (uint32_t i = 0; i < *count; i++) {
		if (list[i] >= 0 && list[i] < extent)
			continue;
		*why = "an index is out of range";
		free(list);
		return NULL;
	}
	return list;
}

/* How many indices from @at on go up by one. */
static int32_t run_length(const int32_t *list, uint32_t at, uint32_t count)
{
	uint32_t n = 1;

	while (at + n < count && list[at + n] == list[at + n - 1] + 1)
		n++;
	return (int32_t)n;
}

#define LISTS_MAX	64	/* copies by list that one GATHER may become */
#define LIST_MAX	65535	/* rows of one, a register of 16 bits */
#define ROW_MAX		65536	/* elements of a row, and rows to pick from */

/* Data [outer][rows][inner], indices [1 or outer][count], output [outer][count][inner]. */
static int gather_by_list(struct lower *l, const struct ir_op *op, uint32_t axis)
{
	struct nd ifm = lower_nd(l, op->inputs[0]), list = lower_nd(l, op->inputs[1]);
	struct nd ofm = lower_nd(l, op->outputs[0]);
	uint32_t batch = (uint32_t)op->options->batch_dims;
	int64_t outer = 1, inner = 1, rows = ifm.shape[axis], count = 1;
	bool own = batch > 0;
	int rc = 0;

	for (uint32_t i = 0; i < axis; i++)
		outer *= ifm.shape[i];
	for (uint32_t i = axis + 1; i < ifm.n; i++)
		inner *= ifm.shape[i];
	for (uint32_t i = 0; i < list.n; i++)
		count *= list.shape[i];
	if (own)
		count /= outer;
	if (!l->u85 || list.type != ELEM_INT32 || ifm.type != ofm.type || elem_size(ifm.type) > 4)
		return lower_cpu(l, "indices made as it runs: U85 has int32");
	if ((own && batch != axis) || outer > LISTS_MAX || count < 1 || count > LIST_MAX ||
	    rows > ROW_MAX || inner > ROW_MAX)
		return lower_cpu(l, "batch dimensions, or too large");
	if (!nd_reshape(&ifm, 3, (int32_t[]){ (int32_t)outer, (int32_t)rows, (int32_t)inner }) ||
	    !nd_reshape(&list, 2, (int32_t[]){ own ? (int32_t)outer : 1, (int32_t)count }) ||
	    !nd_reshape(&ofm, 3, (int32_t[]){ (int32_t)outer, (int32_t)count, (int32_t)inner }))
		return lower_cpu(l, "indices or output do not fit");
	for (int32_t i = 0; i < outer && !rc; i++) {
		struct ir_npu npu = lower_npu(IR_NPU_GATHER, 0, ofm.type);
		struct nd from = ifm, by = list, to = ofm;

		nd_slice(&from, 0, i, 1, 1);
		nd_slice(&by, 0, own ? i : 0, 1, 1);
		nd_slice(&to, 0, i, 1, 1);
		/* Rows of one column each. */
		for (struct nd *d = &from; d; d = d == &from ? &to : NULL) {
			d->shape[0] = d->shape[1];
			d->step[0] = d->step[1];
			d->shape[1] = 1;
			d->step[1] = inner;
			d->zero_point = 0;
		}
		nd_rank(&by, 3);
		if (!nd_view(&from, &npu.ifm) || !nd_view(&by, &npu.ifm2) || !nd_view(&to, &npu.ofm))
			return lower_cpu(l, "elements do not follow each other in memory");
		if ((rows > 1 && npu.ifm.sy != inner) || (count > 1 && npu.ofm.sy != inner))
			return lower_cpu(l, "rows do not follow each other in memory");
		rc = lower_emit(l, &npu);
	}
	return rc;
}

int lower_gather(struct lower *l, const struct ir_op *op)
{
	struct nd ifm = lower_nd(l, op->inputs[0]), ofm = lower_nd(l, op->outputs[0]);
	int32_t shape[IR_MAX_DIMS], *list;
	uint32_t axis, count;
	const char *why;
	int rc = 0;

	if (op->options->batch_dims < 0 || !nd_axis(op->options->axis, ifm.n, &axis) ||
	    (uint32_t)op->options->batch_dims > axis || ifm.type != ofm.type)
		return lower_cpu(l, "batch dimensions, or no such axis");
	if (!lower_tensor(l, op->inputs[1])->data)
		return gather_by_list(l, op, axis);
	if (op->options->batch_dims)
		return lower_cpu(l, "batch dimensions");
	list = indices_of(l, op->inputs[1], ifm.shape[axis], &count, &why);
	if (!list)
		return why ? lower_cpu(l, why) : lower_no_memory(l);
	/* The output with one axis in place of all those of the indices. */
	memcpy(shape, ifm.shape, sizeof(shape));
	shape[axis] = (int32_t)count;
	if (!nd_reshape(&ofm, ifm.n, shape))
		rc = lower_cpu(l, "the output is not what the indices give");
	for (uint32_t i = 0; i < count && !rc;) {
		int32_t n = run_length(list, i, count);
		struct nd from = ifm, to = ofm;

		nd_slice(&from, axis, list[i], n, 1);
		nd_slice(&to, axis, (int32_t)i, n, 1);
		rc = lower_copy(l, to, from);
		i += (uint32_t)n;
	}
	free(list);
	return rc;
}

/* Rows [@first, @end) of the output, all 0. */
static int clear_rows(struct lower *l, struct nd ofm, int32_t first, int32_t end)
{
	int64_t n = (int64_t)(end - first) * ofm.shape[1];
	int32_t count = (int32_t)n;
	struct nd zeros;
	uint32_t t;
	void *data;

	if (end <= first)
		return 0;
	if (n > 1 << 20)
		return lower_cpu(l, "too many rows that stay 0");
	data = calloc((size_t)n, elem_size(ofm.type));
	if (!data)
		return lower_no_memory(l);
	t = lower_constant(l, ofm.type, 1, &count, data);
	free(data);
	if (t == IR_NONE)
		return lower_no_memory(l);
	nd_slice(&ofm, 0, first, end - first, 1);
	zeros = lower_nd(l, t);
	nd_reshape(&zeros, 2, ofm.shape);
	return lower_copy(l, ofm, zeros);
}

static int by_row(const void *a, const void *b)
{
	const int32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Rows of the updates in the order of where they go; what lies between stays 0. */
static int scatter_rows(struct lower *l, struct nd ofm, const struct nd *updates, const int32_t *list,
			uint32_t count)
{
	int32_t (*order)[2] = malloc(count * sizeof(*order)), end = 0;
	int rc = order ? 0 : lower_no_memory(l);

	for (uint32_t i = 0; i < count && !rc; i++) {
		order[i][0] = list[i];
		order[i][1] = (int32_t)i;
	}
	if (!rc)
		qsort(order, count, sizeof(*order), by_row);
	for (uint32_t i = 0; i < count && !rc; i++) {
		struct nd from = *updates, to = ofm;

		/* TFLite adds up what goes to the same place. */
		if (i && order[i][0] == order[i - 1][0]) {
			rc = lower_cpu(l, "an index comes twice");
			break;
		}
		rc = clear_rows(l, ofm, end, order[i][0]);
		nd_slice(&from, 0, order[i][1], 1, 1);
		nd_slice(&to, 0, order[i][0], 1, 1);
		if (!rc)
			rc = lower_copy(l, to, from);
		end = order[i][0] + 1;
	}
	free(order);
	return rc ? rc : clear_rows(l, ofm, end, ofm.shape[0]);
}

int lower_scatter(struct lower *l, const struct ir_op *op)
{
	const struct ir_tensor *indices = lower_tensor(l, op->inputs[0]);
	struct nd updates = lower_nd(l, op->inputs[1]), ofm = lower_nd(l, op->outputs[0]);
	int32_t rows, width, *list;
	const char *why;
	uint32_t count;
	int rc;

	if (indices->ndim < 2 || indices->shape[indices->ndim - 1] != 1 || ofm.n < 1 ||
	    updates.type != ofm.type)
		return lower_cpu(l, "indices of more than the first axis");
	rows = ofm.shape[0];
	width = (int32_t)(ir_tensor_elements(lower_tensor(l, op->outputs[0])) / (size_t)rows);
	list = indices_of(l, op->inputs[0], rows, &count, &why);
	if (!list)
		return why ? lower_cpu(l, why) : lower_no_memory(l);
	if (!nd_reshape(&ofm, 2, (int32_t[]){ rows, width }) ||
	    !nd_reshape(&updates, 2, (int32_t[]){ (int32_t)count, width }))
		rc = lower_cpu(l, "the updates do not fit indices and output");
	else
		rc = scatter_rows(l, ofm, &updates, list, count);
	free(list);
	return rc;
}
