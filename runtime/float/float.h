/* SPDX-License-Identifier: MIT */
/*
 * Operators on float32: what TensorFlow Lite's float kernels compute, to within rounding; those that
 * only ONNX has, what ONNX says. Large products go through CBLAS.
 *
 * Kernels as those in runtime/cpu, whose table picks these for operands of float32.
 */
#ifndef ACCEL_RUNTIME_FLOAT_FLOAT_H
#define ACCEL_RUNTIME_FLOAT_FLOAT_H

#include "runtime/cpu/cpu_kernel.h"

#define FLOAT_KERNELS(X) \
	X(arg) X(binary) X(compare) X(conv) X(depthwise) X(fully_connected) X(grid_sample) \
	X(lstm) X(matmul) X(normalize) X(pool) X(reduce) X(resize) X(softmax) X(transpose_conv) X(unary)
#define X(name) extern const struct cpu_kernel float_##name;
FLOAT_KERNELS(X)
#undef X

/* What a fused activation leaves of a value. */
struct float_range {
	float low, high;
};

/* float_activation - range of the operator's fused activation. Return: 0, -ENOTSUP. */
int float_activation(const struct cpu_op *op, struct float_range *range, struct error *err);

/* float_clamp - not a number stays what it is */
void float_clamp(float *values, size_t count, struct float_range range);

/* float_finish - add the bias, if any, to each of @rows rows and clamp; @step: from row to row */
void float_finish(float *values, size_t rows, size_t width, size_t step, const float *bias,
		  struct float_range range);

/* float_bias - the elements of optional operand @index, @count of them, or NULL. Return: 0, -EINVAL. */
int float_bias(const struct cpu_op *op, uint32_t index, size_t count, const float **bias,
	       struct error *err);

#endif
