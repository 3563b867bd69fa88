/* SPDX-License-Identifier: MIT */
/* Operations on numbers that integers stand for become operations on those integers. */
#ifndef ACCEL_RUNTIME_ONNX_QDQ_H
#define ACCEL_RUNTIME_ONNX_QDQ_H

#include "runtime/ir/ir_ops.h"

/* qdq_constant_int8 - a constant of uint8 as one of int8 that stands for the same; IR_NONE: no memory */
uint32_t qdq_constant_int8(struct ir_graph *g, uint32_t tensor);

/* qdq_fold - constants that are only dequantised become their numbers. Return: 0, -ENOMEM. */
int qdq_fold(struct ir_graph *g);

int pass_qdq(struct ir_graph *g, struct error *err);

#endif
