/* SPDX-License-Identifier: MIT */
/* Kernels that slide over rows and columns of NHWC tensors. */
#ifndef ACCEL_RUNTIME_CPU_WINDOW_H
#define ACCEL_RUNTIME_CPU_WINDOW_H

#include "runtime/cpu/cpu_kernel.h"

/**
 * struct window - a kernel over an input
 * @h, @w: taps; @pad_y, @pad_x: rows above and columns left of the input that count as padding
 */
struct window {
	int32_t batches, in_h, in_w, in_c, out_h, out_w, out_c;
	int32_t h, w, stride_y, stride_x, dilation_y, dilation_x, pad_y, pad_x;
};

/**
 * window_init - from the operator's options and operands @in and @out
 * @h, @w: taps
 *
 * Return: 0, -EINVAL if the output has not the extent that the window gives it.
 */
int window_init(const struct cpu_op *op, uint32_t in, uint32_t out, int32_t h, int32_t w,
		struct window *x, struct error *err);

/* Taps of output position @out that are inside the input: [*from, *to). */
static inline void window_taps(int32_t out, int32_t stride, int32_t dilation, int32_t pad,
			       int32_t taps, int32_t extent, int32_t *from, int32_t *to)
{
	int32_t first = out * stride - pad;

	*from = first < 0 ? (-first + dilation - 1) / dilation : 0;
	*to = first >= extent ? 0 : (extent - first + dilation - 1) / dilation;
	*to = *to < taps ? *to : taps;
	*from = *from < *to ? *from : *to;
}

/* window_factors - multipliers of an accumulator of @in times @weights, one for each of @count channels */
int window_factors(const struct cpu_op *op, uint32_t in, uint32_t weights, uint32_t out,
		   uint32_t count, bool each_exact, struct fixed_factor *factors, struct error *err);

#endif
