/* SPDX-License-Identifier: MIT */
/* What a decoded command stream costs: operation by operation, on a line of time. */
#ifndef ACCEL_SIM_COST_STREAM_H
#define ACCEL_SIM_COST_STREAM_H

#include "sim/cost.h"
#include "sim/decode.h"

/**
 * struct cost_step - one operation of a stream
 * @start, @end: cycles from the start of the stream
 * @advance: cycles by which the stream ends later for it: the sum over all steps is the whole time
 * @result: what it costs by itself. A DMA has cycles, read and write only.
 * @first: U85: index of the operation that this one is chained to, with which it runs as one; else
 *	its own index. Chained operations have no cost of their own.
 */
struct cost_step {
	uint64_t start, end;
	uint64_t advance;
	struct cost_result result;
	uint32_t first;
};

/**
 * struct cost_total - a stream
 * @cycles: from start to end
 * @npu_cycles: kernels are running
 * @macs, @mac_cycles: as in struct cost_result
 * @read, @write: bytes by memory, transfers included
 * @copied: bytes moved by DMA
 * @kernels, @chained, @copies: operations. A chained one is not counted in @kernels.
 * @bound: cycles by enum cost_bound; the last entry: waiting for DMA
 */
struct cost_total {
	uint64_t cycles, npu_cycles;
	uint64_t macs, mac_cycles;
	uint64_t read[COST_MEMORIES][COST_TRAFFIC];
	uint64_t write[COST_MEMORIES];
	uint64_t copied;
	uint32_t kernels, chained, copies;
	uint64_t bound[COST_BOUND_EXT + 2];
};

#define COST_BOUND_DMA	(COST_BOUND_EXT + 1)

/**
 * cost_stream - estimate a stream
 * @program: decoded for the same NPU as @target's
 * @count: how many of its operations
 * @steps: @count entries, or NULL
 * @total: sums
 *
 * Kernels run one after the other, transfers beside them, in the order and with the waits that the
 * stream asks for.
 */
void cost_stream(const struct cost_target *target, const struct npu_program *program, size_t count,
		 struct cost_step *steps, struct cost_total *total);

/**
 * cost_stream_vela - the same in the way Vela adds up what it prints
 * @layers: receives each layer's cycles, room for program->count; NULL: not wanted
 * @layer_count: how many there are
 * @cycles: all together
 *
 * Layer by layer, depth slices together, with its simplifications: scales that were copied to SRAM
 * are charged to where they came from, tables that operations use in passing cost nothing to load,
 * a transfer hides behind the one operation before. To compare with Vela; the number is worse.
 *
 * Return: 0 or -ENOMEM.
 */
int cost_stream_vela(const struct cost_target *target, const struct npu_program *program,
		     uint64_t *layers, size_t *layer_count, uint64_t *cycles);

/**
 * cost_describe - an operation of a stream as cost_op() wants it
 * @first: of @program: a kernel that is not chained to another
 *
 * Return: how many operations it stands for: 1, or more for a chain.
 */
size_t cost_describe(const struct cost_target *target, const struct npu_program *program,
		     size_t first, size_t count, struct cost_op_desc *desc);

/* Is @next the slice in depth of the same operation that comes after @op? Neither is chained. */
bool cost_same_layer(const struct npu_op *op, const struct npu_op *next);

#endif
