/* SPDX-License-Identifier: MIT */
/* Where a graph's tensors lie in one block of memory. */
#ifndef ACCEL_RUNTIME_CPU_ARENA_H
#define ACCEL_RUNTIME_CPU_ARENA_H

#include "runtime/ir/ir.h"

#define ARENA_APART SIZE_MAX	/* a tensor that is not in the block */

/**
 * arena_plan - share memory between tensors that are never needed at the same time
 * @keep: no sharing
 * @offsets: of each tensor in the block; ARENA_APART: a constant, or not used at all
 * @size: of the block, bytes
 *
 * Inputs, outputs, variables and tensors that no operation makes are always needed.
 *
 * Return: 0, -ENOMEM (also: more than memory can ever hold).
 */
int arena_plan(const struct ir_graph *g, bool keep, size_t *offsets, size_t *size,
	       struct error *err);

#endif
