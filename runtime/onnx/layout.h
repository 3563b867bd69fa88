/* SPDX-License-Identifier: MIT */
/* Transpositions moved through what does not mind the order of axes, until they cancel. */
#ifndef ACCEL_RUNTIME_ONNX_LAYOUT_H
#define ACCEL_RUNTIME_ONNX_LAYOUT_H

#include "runtime/ir/ir_ops.h"
#include "runtime/onnx/view.h"

#define INTEGERS_KEPT	64

/**
 * struct layout - the pass at work
 * @views: of each tensor, @room of them
 * @made: the transposition of a view has been written
 * @window: written by a convolution or a pool
 * @integers: constants made last, 0: none; @next: number of the next one
 * @failed: no memory, found out where that cannot be returned
 * @old, @old_count: the operations as they were; the graph's are written anew
 */
struct layout {
	struct ir_graph *g;
	struct layout_view *views;
	bool *made, *window;
	uint32_t room;
	struct ir_op *old;
	uint32_t old_count;
	uint32_t origin;
	uint32_t integers[INTEGERS_KEPT], next;
	bool failed;
};

/* layout_tensor - a tensor with its contents in order: itself, or what it is the same as. IR_NONE: no memory. */
uint32_t layout_tensor(struct layout *l, uint32_t tensor);

/* layout_as - tensor in the order of @v's source; @ndim axes. IR_NONE: no memory. */
uint32_t layout_as(struct layout *l, uint32_t tensor, const struct layout_view *v, uint32_t ndim);

/* A new constant of integers. */
uint32_t layout_integers(struct layout *l, uint32_t rows, uint32_t columns, const int32_t *list);

/* The elements of a constant of at most @max integers. Return: how many, 0: it is none. */
uint32_t layout_list(const struct layout *l, uint32_t tensor, int32_t *list, uint32_t max);

/**
 * layout_move - an operation that does not mind: done on the sources of its inputs
 * @op: with its inputs as they were
 *
 * Return: 1: done, its output is a view; 0: not such an operation; -ENOMEM.
 */
int layout_move(struct layout *l, const struct ir_op *op);

/* layout_write - a tensor in the order of @v's source for the output of @op, and the operation */
int layout_write(struct layout *l, const struct ir_op *op, uint32_t ndim, const int32_t *shape,
		 const uint32_t *inputs, const struct ir_options *options, const struct layout_view *v);

int pass_layout(struct ir_graph *g, struct error *err);

#endif
