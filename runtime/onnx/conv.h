/* SPDX-License-Identifier: MIT */
/* The convolution, for those operators that are one and something round it. */
#ifndef ACCEL_RUNTIME_ONNX_CONV_H
#define ACCEL_RUNTIME_ONNX_CONV_H

#include "runtime/onnx/import.h"

/* onnx_convolve - by the node's attributes; @x [N, C, ...], @w [M, C / group, ...], @bias may be NULL */
struct onnx_value *onnx_convolve(struct onnx_import *c, const struct onnx_node *n, struct onnx_value *x,
				 struct onnx_value *w, struct onnx_value *bias);

#endif
