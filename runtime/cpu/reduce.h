/* SPDX-License-Identifier: MIT */
/* Which elements of an input become one of the output. */
#ifndef ACCEL_RUNTIME_CPU_REDUCE_H
#define ACCEL_RUNTIME_CPU_REDUCE_H

#include "runtime/cpu/cpu_kernel.h"

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

#endif
