/* SPDX-License-Identifier: MIT */
/* Which tensors lie inside others, so that taking apart and putting together costs nothing. */
#ifndef ACCEL_RUNTIME_COMPILE_PLACE_H
#define ACCEL_RUNTIME_COMPILE_PLACE_H

#include "runtime/compile/lower.h"

/**
 * struct part - a tensor as part of another: of the same shape, or reshaped first
 * @n, @begin, @count, @step: of each axis of the whole
 */
struct part {
	uint32_t n;
	int32_t begin[IR_MAX_DIMS], count[IR_MAX_DIMS], step[IR_MAX_DIMS];
};

/**
 * place_tensors - place tensors that only the NPU sees
 * @ops, @count: graph operations; @on_cpu tells which stay there
 * @place: one a tensor; all lie in themselves before
 */
int place_tensors(const struct ir_graph *g, const struct ir_op *ops, uint32_t count,
		  const bool *on_cpu, struct place *place, struct error *err);

/*
 * part_of_output - which part of its input the output @index of SLICE, STRIDED_SLICE, SPLIT, SPLIT_V
 * or UNPACK is. NULL, or why it cannot be said.
 */
const char *part_of_input(const struct ir_graph *g, const struct ir_op *op, uint32_t index,
			  struct part *out);

/* part_of_output - which part of the output input @index of CONCATENATION or PACK is. */
const char *part_of_output(const struct ir_graph *g, const struct ir_op *op, uint32_t index,
			   struct part *out);

/* The part of @whole, with the axes of a tensor of @like's shape. False: no steps give that. */
bool part_apply(struct nd *whole, const struct part *part, const struct ir_tensor *like);

#endif
