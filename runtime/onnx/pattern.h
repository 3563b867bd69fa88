/* SPDX-License-Identifier: MIT */
/* Arithmetic that exporters write for functions that have an operation of their own. */
#ifndef ACCEL_RUNTIME_ONNX_PATTERN_H
#define ACCEL_RUNTIME_ONNX_PATTERN_H

#include "runtime/ir/ir.h"

/**
 * pass_pattern - GELU, HARD_SWISH and RSQRT where they are written out
 *
 * Worth more than the operations saved: an NPU looks such a function up in one table, and a quantiser
 * rounds once.
 */
int pass_pattern(struct ir_graph *g, struct error *err);

/**
 * pass_transposed - transpositions that layout left, done on constants or nearer to the input
 *
 * Before a matrix of weights its columns are put in the other order; PAD goes behind a TRANSPOSE, next
 * to the convolution.
 */
int pass_transposed(struct ir_graph *g, struct error *err);

#endif
