/* SPDX-License-Identifier: MIT */
/* Which elements of an input become one of the output. */
#ifndef ACCEL_RUNTIME_CPU_REDUCE_H
#define ACCEL_RUNTIME_CPU_REDUCE_H

#include "runtime/cpu/cpu_kernel.h"
#include "runtime/cpu/fixed.h"

/**
 * struct reduce_axes - what is reduced
 * @step: elements of the output from index to index of each axis of the input; 0: reduced
 * @count: elements that become one
 */
struct reduce_axes {
	size_t step[CPU_MAX_DIMS];
	size_t count;
};

/* reduce_axes - axes from input 1, checked against input 0 and the output. Return: 0 or -EINVAL. */
int reduce_axes(const struct cpu_op *op, struct reduce_axes *axes, struct error *err);

/**
 * struct reduce - a reduction of integers
 * @factor: of the sum, where there is one
 * @acc: of each of @out_count elements of the output, follows this in memory
 */
struct reduce {
	struct reduce_axes axes;
	size_t out_count;
	struct fixed_factor factor;
	int64_t *acc;
};

/* reduce_prepare - check the operands, of @types, and make a struct reduce the plan. Return: 0, -EINVAL, -ENOMEM. */
int reduce_prepare(struct cpu_op *op, unsigned int types, struct error *err);

#endif
