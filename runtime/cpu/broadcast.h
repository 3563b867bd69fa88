/* SPDX-License-Identifier: MIT */
/* Operands of different shapes walked together. */
#ifndef ACCEL_RUNTIME_CPU_BROADCAST_H
#define ACCEL_RUNTIME_CPU_BROADCAST_H

#include "runtime/cpu/cpu_kernel.h"

#define BROADCAST_MAX	3
#define BROADCAST_ROW	512u	/* elements handed on at a time */

/**
 * struct broadcast - how inputs go over the output
 * @ndim, @shape: of the output, axes joined where all inputs allow it
 * @step: of each input, elements from index to index; 0: repeated
 */
struct broadcast {
	uint32_t count, ndim;
	int32_t shape[CPU_MAX_DIMS];
	size_t step[BROADCAST_MAX][CPU_MAX_DIMS];
};

/* broadcast_plan - inputs 0..@count of an operator over its output. Return: 0 or -EINVAL. */
int broadcast_plan(const struct cpu_op *op, uint32_t count, struct broadcast *b, struct error *err);

/**
 * typedef broadcast_row - compute some elements
 * @in: of each input, @count, as integers; of what is no integer, bits
 */
typedef void broadcast_row(const void *ctx, const int64_t *const in[BROADCAST_MAX], int64_t *out,
			   size_t count);

/* broadcast_run - all of the output, row by row */
void broadcast_run(const struct cpu_op *op, const struct broadcast *b, broadcast_row *row,
		   const void *ctx);

#endif
