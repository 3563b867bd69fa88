/* SPDX-License-Identifier: MIT */
/*
 * Passes on graph operations before lowering, and on NPU operations after it. Each keeps what the
 * graph computes, to the bit.
 */
#ifndef ACCEL_RUNTIME_COMPILE_PASSES_H
#define ACCEL_RUNTIME_COMPILE_PASSES_H

#include "runtime/ir/ir_ops.h"

/**
 * struct uses - who writes and who reads each tensor
 * @writer: the operation, IR_NONE: none, or more than one
 * @writers, @readers: how many
 * @reader: the last of them
 *
 * An output of the graph counts as a reader.
 */
struct use {
	uint32_t writer, writers, reader, readers;
};

/* passes_uses - one entry a tensor, malloc'ed; NULL: no memory. */
struct use *passes_uses(const struct ir_graph *g);

/* Remove operations whose kind is IR_KIND_COUNT. */
void passes_compact(struct ir_graph *g);

/* fold: operations on constants become constants, what changes nothing goes. */
int pass_fold(struct ir_graph *g, struct error *err);

/* fuse: padding into convolutions. */
int pass_fuse(struct ir_graph *g, struct error *err);

/* share: the same operation on the same tensors once. */
int pass_share(struct ir_graph *g, struct error *err);

/* sweep: operations whose results nobody reads go. */
int pass_sweep(struct ir_graph *g, struct error *err);

/* merge: tables, clamps and copies into the NPU operation before them. */
int pass_merge(struct ir_graph *g, struct error *err);

#endif
