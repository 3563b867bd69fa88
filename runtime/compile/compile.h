/* SPDX-License-Identifier: MIT */
/* From a graph to a program: the passes, in the order that compile() runs them. */
#ifndef ACCEL_RUNTIME_COMPILE_H
#define ACCEL_RUNTIME_COMPILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/error.h"
#include "runtime/ir/ir.h"

struct target;		/* runtime/target: NPU, memories, mode */

/**
 * struct compile_options
 * @optimise_size: fewest bytes of SRAM, then of flash, instead of fewest cycles
 * @no_cpu: an operation that must run on the CPU is an error
 * @own_io: inputs and outputs that only the NPU touches lie in regions of their own, the first
 *	PROGRAM_OWN_MAX of them, so that each can be bound to whatever memory holds it
 * @jobs: threads; the result does not depend on it. 0: 1
 * @dump: name of a pass after which the graph is printed to @dump_file, NULL: none
 */
struct compile_options {
	const struct target *target;
	bool optimise_size;
	bool no_cpu;
	bool own_io;
	unsigned int jobs;
	const char *dump;
	void *dump_file;
};

/* Where a tensor lies for those outside the NPU. */
enum program_region { PROGRAM_CONSTANTS = 0, PROGRAM_ARENA = 1, PROGRAM_STAGING = 2, PROGRAM_OWN = 3 };

/* Regions from PROGRAM_OWN on: all that the NPU has left. */
#define PROGRAM_OWN_MAX		5

/**
 * struct program_step - a run of the NPU, or one operation on the CPU
 * @npu: true: @stream, @words; false: @op of the graph
 */
struct program_step {
	bool npu;
	uint32_t op;
	uint32_t *stream;
	size_t words;
};

/**
 * struct program - what the back end made of a graph
 * @steps: in order
 * @constants, @constants_size: region 0: weights, scales, tables and constants that the NPU reads
 * @arena_size: region 1: everything that inputs, outputs, CPU operations and the NPU share
 * @staging_size: region 2; 0 if the memory mode has none of its own
 * @offset: of each tensor of the graph in its region, or -1: it has no place there. CPU-visible
 *	tensors, inputs, outputs and variables are NHWC and do have one. Constants of CPU operations
 *	stay in the graph.
 * @region: of each that has an offset: PROGRAM_ARENA, or from PROGRAM_OWN on one that it has to itself
 * @op_offset: where each operation's first command is in its stream, bytes, or -1
 */
struct program {
	struct program_step *steps;
	uint32_t step_count;
	uint8_t *constants;
	size_t constants_size;
	uint64_t arena_size;
	uint64_t staging_size;
	int64_t *offset;
	uint8_t *region;
	int64_t *op_offset;
};

/* Front end: graph operations become NPU operations where the target can do them exactly. */
int compile_lower(struct ir_graph *g, const struct compile_options *opt, struct error *err);

/* Of which types and within which limits the NPU does a kind of operation; NULL: not at all. */
const char *lower_what(unsigned int kind);

/* Back end: layouts, blocks, schedule, addresses, weights, command streams. */
int compile_emit(const struct ir_graph *g, const struct compile_options *opt, struct program *out,
		 struct error *err);
void program_free(struct program *p);

#endif
