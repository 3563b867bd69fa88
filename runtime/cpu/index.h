/* SPDX-License-Identifier: MIT */
/* Places in a tensor that indices among the data name; negative ones count from the end. */
#ifndef ACCEL_RUNTIME_CPU_INDEX_H
#define ACCEL_RUNTIME_CPU_INDEX_H

#include "runtime/cpu/cpu_kernel.h"

/* Element @at of @index as an index of an axis, or -1 if it is beyond. */
int64_t index_of(const struct cpu_tensor *index, size_t at, int32_t extent);

/* The element of @t that row @row of @index, one index an axis, names; as an offset, or -1. */
int64_t index_place(const struct cpu_tensor *index, size_t row, const struct cpu_tensor *t);

/* The element of @t at the place of element @at of @index, but for that index on @axis; or -1. */
int64_t index_element(const struct cpu_tensor *index, size_t at, const struct cpu_tensor *t,
		      uint32_t axis);

#endif
