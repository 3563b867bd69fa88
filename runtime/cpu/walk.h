/* SPDX-License-Identifier: MIT */
/* Copying boxes of elements from place to place. */
#ifndef ACCEL_RUNTIME_CPU_WALK_H
#define ACCEL_RUNTIME_CPU_WALK_H

#include "runtime/cpu/cpu_kernel.h"

#define WALK_MAX_DIMS (2 * CPU_MAX_DIMS)

/**
 * struct walk - a box
 * @shape: of the box
 * @from, @to: elements from index to index in source and destination, may be 0 or negative
 * @from_base, @to_base: of its first element
 */
struct walk {
	uint32_t ndim;
	size_t shape[WALK_MAX_DIMS];
	ptrdiff_t from[WALK_MAX_DIMS], to[WALK_MAX_DIMS];
	ptrdiff_t from_base, to_base;
};

/* walk_dense - steps of a dense array of that shape */
void walk_dense(uint32_t ndim, const size_t *shape, ptrdiff_t *step);

/* walk_copy - copy the box */
void walk_copy(const struct walk *w, const struct cpu_tensor *from, const struct cpu_tensor *to);

/* walk_axis - put @part in the middle of @whole along an axis, from index @at on, or get it out */
void walk_axis(const struct cpu_tensor *whole, const struct cpu_tensor *part, uint32_t axis,
	       size_t at, size_t count, bool out);

#endif
