/* SPDX-License-Identifier: MIT */
/* Copying boxes of elements from place to place. */
#include <string.h>

#include "runtime/cpu/walk.h"

void walk_dense(uint32_t ndim, const size_t *shape, ptrdiff_t *step)
{
	ptrdiff_t n = 1;

	for (uint32_t i = ndim; i-- > 0;) {
		step[i] = n;
		n *= (ptrdiff_t)shape[i];
	}
}

static void copy_row(uint8_t *to, ptrdiff_t to_step, const uint8_t *from, ptrdiff_t from_step,
		     size_t count, size_t size)
{
	if (to_step == 1 && from_step == 1) {
		memcpy(to, from, count * size);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		memcpy(to, from, size);
		to += to_step * (ptrdiff_t)size;
		from += from_step * (ptrdiff_t)size;
	}
}

void walk_copy(const struct walk *w, const struct cpu_tensor *from, const struct cpu_tensor *to)
{
	ptrdiff_t size = (ptrdiff_t)elem_size(to->type), from_at = w->from_base, to_at = w->to_base;
	size_t index[WALK_MAX_DIMS] = { 0 };
	uint32_t last = w->ndim - 1, k;

	for (uint32_t i = 0; i < w->ndim; i++)
		if (!w->shape[i])
			return;
	for (;;) {
		copy_row((uint8_t *)to->data + to_at * size, w->to[last],
			 (const uint8_t *)from->data + from_at * size, w->from[last],
			 w->shape[last], (size_t)size);
		for (k = last; k-- > 0;) {
			from_at += w->from[k];
			to_at += w->to[k];
			if (++index[k] < w->shape[k])
				break;
			from_at -= w->from[k] * (ptrdiff_t)index[k];
			to_at -= w->to[k] * (ptrdiff_t)index[k];
			index[k] = 0;
		}
		if (k > last)
			return;
	}
}

void walk_axis(const struct cpu_tensor *whole, const struct cpu_tensor *part, uint32_t axis,
	       size_t at, size_t count, bool out)
{
	size_t size = elem_size(whole->type), outer = cpu_extent(whole, 0, axis);
	size_t inner = cpu_extent(whole, axis + 1, whole->ndim) * size;
	size_t row = (size_t)whole->shape[axis] * inner;
	uint8_t *a = (uint8_t *)whole->data + at * inner, *b = part->data;

	for (size_t o = 0; o < outer; o++, a += row, b += count * inner)
		memcpy(out ? b : a, out ? a : b, count * inner);
}
