/* SPDX-License-Identifier: MIT */
/* What normalisations share. */
#ifndef ACCEL_RUNTIME_ONNX_NORM_H
#define ACCEL_RUNTIME_ONNX_NORM_H

#include "runtime/onnx/import.h"

/**
 * onnx_standardise - to mean 0 and deviation 1
 * @axes: bits of those that mean and variance are taken over
 * @mean, @inverse: the mean and one over the deviation, axes kept; may be NULL
 */
struct onnx_value *onnx_standardise(struct onnx_import *c, struct onnx_value *x, uint32_t axes, float epsilon,
				    struct onnx_value **mean, struct onnx_value **inverse);

#endif
