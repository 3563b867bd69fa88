/* SPDX-License-Identifier: MIT */
/* Graphs made from other graphs: passes that insert operations build a new one. */
#ifndef ACCEL_RUNTIME_IR_COPY_H
#define ACCEL_RUNTIME_IR_COPY_H

#include "runtime/ir/ir_ops.h"

/**
 * ir_copy_tensors - a new graph with the tensors, inputs, outputs and origins of @from
 *
 * Tensors keep their numbers and have contents of their own, so that @from may go. There are no
 * operations yet: ir_copy_op() appends those that stay.
 *
 * Return: the graph, or NULL: no memory.
 */
struct ir_graph *ir_copy_tensors(const struct ir_graph *from);

/* ir_copy_op - append a graph operation of another graph. Return: it, or NULL: no memory. */
struct ir_op *ir_copy_op(struct ir_graph *to, const struct ir_op *op);

/* ir_copy - all of a graph of graph operations; NULL: no memory. */
struct ir_graph *ir_copy(const struct ir_graph *from);

/**
 * ir_set_quant - quantise a tensor
 * @count: of @scale and @zero_point, which are copied; @zero_point NULL: all 0
 *
 * Return: 0 or -ENOMEM.
 */
int ir_set_quant(struct ir_graph *g, uint32_t tensor, uint32_t count, int32_t axis,
		 const float *scale, const int32_t *zero_point);

/* ir_constant - a new tensor with a copy of @data; IR_NONE: no memory, or too large. */
uint32_t ir_constant(struct ir_graph *g, const char *name, int type, uint32_t ndim,
		     const int32_t *shape, const void *data);

#endif
