/* SPDX-License-Identifier: MIT */
/* Operands of different shapes walked together. */
#include <errno.h>
#include <string.h>

#include "runtime/cpu/broadcast.h"

/* Give an input steps over the output's axes, from the last on. */
static int plan_input(const struct cpu_op *op, uint32_t index, struct broadcast *b,
		      struct error *err)
{
	const struct cpu_tensor *t = &op->inputs[index];
	size_t step = 1;

	for (uint32_t i = 0; i < b->ndim; i++) {
		uint32_t axis = b->ndim - 1 - i;
		int32_t extent = i < t->ndim ? t->shape[t->ndim - 1 - i] : 1;

		if (extent != 1 && extent != b->shape[axis])
			return cpu_refuse(op, index, -EINVAL, "does not fit the output's shape", err);
		b->step[index][axis] = extent == 1 ? 0 : step;
		step *= (size_t)extent;
	}
	for (uint32_t i = b->ndim; i < t->ndim; i++)
		if (t->shape[t->ndim - 1 - i] != 1)
			return cpu_refuse(op, index, -EINVAL, "has more axes than the output", err);
	return 0;
}

/* Take an axis out. */
static void drop(struct broadcast *b, uint32_t axis)
{
	for (uint32_t k = axis; k + 1 < b->ndim; k++) {
		b->shape[k] = b->shape[k + 1];
		for (uint32_t i = 0; i < b->count; i++)
			b->step[i][k] = b->step[i][k + 1];
	}
	b->ndim--;
}

/* True if the axis can be walked as part of the one before it. */
static bool joins(const struct broadcast *b, uint32_t axis)
{
	for (uint32_t i = 0; i < b->count; i++)
		if (b->step[i][axis - 1] != b->step[i][axis] * (size_t)b->shape[axis])
			return false;
	return true;
}

static void join(struct broadcast *b)
{
	for (uint32_t axis = b->ndim; axis-- > 0;)
		if (b->shape[axis] == 1 && b->ndim > 1)
			drop(b, axis);
	for (uint32_t axis = b->ndim - 1; axis > 0; axis--) {
		if (!joins(b, axis))
			continue;
		b->shape[axis - 1] *= b->shape[axis];
		for (uint32_t i = 0; i < b->count; i++)
			b->step[i][axis - 1] = b->step[i][axis];
		drop(b, axis);
	}
}

int broadcast_plan(const struct cpu_op *op, uint32_t count, struct broadcast *b, struct error *err)
{
	const struct cpu_tensor *out = &op->outputs[0];
	int ret = 0;

	*b = (struct broadcast){ .count = count, .ndim = out->ndim };
	memcpy(b->shape, out->shape, sizeof(b->shape));
	if (!b->ndim) {
		b->ndim = 1;
		b->shape[0] = 1;
	}
	for (uint32_t i = 0; i < count && !ret; i++)
		ret = plan_input(op, i, b, err);
	/* Of an empty output, axes beside the empty one may be of any length. */
	if (!ret && cpu_elements(out) && cpu_elements(out) <= INT32_MAX)
		join(b);
	return ret;
}

void broadcast_run(const struct cpu_op *op, const struct broadcast *b, broadcast_row *row,
		   const void *ctx)
{
	int64_t buffer[BROADCAST_MAX][BROADCAST_ROW], out[BROADCAST_ROW];
	const int64_t *in[BROADCAST_MAX] = { buffer[0], buffer[1], buffer[2] };
	uint32_t last = b->ndim - 1;
	size_t width = (size_t)b->shape[last], total = cpu_elements(&op->outputs[0]);
	int32_t index[CPU_MAX_DIMS] = { 0 };

	for (size_t done = 0; done < total; done += width) {
		for (size_t x = 0; x < width; x += BROADCAST_ROW) {
			size_t n = width - x < BROADCAST_ROW ? width - x : BROADCAST_ROW;

			for (uint32_t i = 0; i < b->count; i++) {
				size_t at = x * b->step[i][last];

				for (uint32_t k = 0; k < last; k++)
					at += (size_t)index[k] * b->step[i][k];
				cpu_load64(&op->inputs[i], at, b->step[i][last] ? n : 1, buffer[i]);
				for (size_t k = 1; k < n && !b->step[i][last]; k++)
					buffer[i][k] = buffer[i][0];
			}
			row(ctx, in, out, n);
			cpu_store64(&op->outputs[0], done + x, n, out);
		}
		for (uint32_t k = last; k-- > 0;) {
			if (++index[k] < b->shape[k])
				break;
			index[k] = 0;
		}
	}
}
