/* SPDX-License-Identifier: MIT */
/* Between numbers and the integers that stand for them. */
#ifndef ACCEL_RUNTIME_ONNX_QUANT_H
#define ACCEL_RUNTIME_ONNX_QUANT_H

#include "runtime/onnx/import.h"

/**
 * struct onnx_quant - a quantisation: number = scale * (integer - zero)
 * @scale: one number, or one for each index of @axis, or for each @block of them
 * @zero: of the same shape, NULL: 0
 */
struct onnx_quant {
	struct onnx_value *scale, *zero;
	uint32_t axis;
	int32_t block;
};

/*
 * onnx_dequantise - numbers of the integers @x
 *
 * An operation DEQUANTIZE where TFLite can say it, that is with constant scales above 0; arithmetic
 * otherwise.
 */
struct onnx_value *onnx_dequantise(struct onnx_import *c, struct onnx_value *x,
				   const struct onnx_quant *q);

/* onnx_quantise - integers of @type for the numbers @x; likewise */
struct onnx_value *onnx_quantise(struct onnx_import *c, struct onnx_value *x,
				 const struct onnx_quant *q, int type);

#endif
