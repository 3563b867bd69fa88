/* SPDX-License-Identifier: MIT */
/* From a command stream to operations. */
#ifndef ACCEL_SIM_DECODE_H
#define ACCEL_SIM_DECODE_H

#include "sim/npu.h"
#include "sim/op.h"

/* The NPU_SET_* state: what the register window shows at 0x800 (cmd0) and 0xA00 (cmd1). */
struct npu_state {
	uint16_t cmd0[256];	/* param, by opcode & 0xff */
	uint64_t cmd1[256];	/* param << 32 | payload, by opcode & 0xff */
};

enum npu_stop { NPU_STOP_END, NPU_STOP_PARSE_ERROR, NPU_STOP_BRANCH_FAULT };

/* A NPU_OP_IRQ or NPU_OP_PMU_MASK between operations. */
struct npu_event {
	uint32_t offset;
	uint32_t before_op;	/* index of the operation it precedes */
	uint16_t opcode;
	uint16_t param;
};

/* npu_op_aux.dma_wait and .kernel_wait: there is no such command. */
#define NPU_NO_WAIT	0xff

/**
 * struct npu_op_aux - what of an operation counts for time and for legality, not for results
 * @block_h, @block_w, @block_d: OFM block; a DMA has none
 * @ib_end, @ib2_start, @ab_start: SHRAM layout in banks (U55, U65)
 * @acc_format: ACC_FORMAT.acc_format, as the family numbers it
 * @microblock: ACC_FORMAT.microblock (U85)
 * @blockdep: of NPU_SET_BLOCKDEP
 * @dma_wait, @kernel_wait: least parameter of the NPU_OP_DMA_WAIT and NPU_OP_KERNEL_WAIT since the
 *	operation before; NPU_NO_WAIT
 * @parallel: PARALLEL_MODE (U65)
 * @branched: the stream branched since the operation before
 * @chains: bit per chaining buffer that operands are in (U85)
 */
struct npu_op_aux {
	uint16_t block_h, block_w, block_d;
	uint8_t ib_end, ib2_start, ab_start;
	uint8_t acc_format, microblock, blockdep;
	uint8_t dma_wait, kernel_wait;
	bool parallel, branched;
	uint8_t chains;
};

/**
 * struct npu_program - a decoded command stream
 * @ops: operations in the order in which they run, owned
 * @aux: one for each, owned
 * @events: side effects between them, owned
 * @end: why decoding stopped
 * @end_offset: byte offset of the command that stopped it (after the STOP on NPU_STOP_END)
 * @stop_mask: of the STOP
 * @chain_size: bytes of NPU_SPACE_CHAIN needed
 * @state: the NPU_SET_* state at the end
 * @why: NPU_STOP_PARSE_ERROR: one line that names the command and the rule
 */
struct npu_program {
	struct npu_op *ops;
	struct npu_op_aux *aux;
	size_t count;
	struct npu_event *events;
	size_t event_count;
	enum npu_stop end;
	uint32_t end_offset;
	uint16_t stop_mask;
	uint64_t chain_size;
	struct npu_state state;
	char why[160];
};

/**
 * npu_decode - decode a stream
 * @config: the device it runs on
 * @state: NPU_SET_* state at the start (as left by the last stream)
 * @words, @count: the stream
 * @out: filled in any case but -ENOMEM; free with npu_program_free(). Operations before a parse
 *	error are in it: hardware runs them.
 *
 * Return: 0 or -ENOMEM.
 */
int npu_decode(const struct npu_config *config, const struct npu_state *state,
	       const uint32_t *words, size_t count, struct npu_program *out);
void npu_program_free(struct npu_program *program);

/**
 * npu_fm_extent - the byte range a feature map covers in its space
 * @lo, @hi: [lo, hi); both 0 if it is empty or a scalar
 *
 * Return: 0, or -ERANGE if it wraps or leaves the 40-bit (U55: 32-bit) address range.
 */
int npu_fm_extent(const struct npu_config *config, const struct npu_fm *fm, int64_t *lo,
		  int64_t *hi);

/**
 * npu_op_extents - every byte range an operation may touch
 * @fn: called for each (space, [lo, hi), enum npu_channel); a nonzero return ends the walk
 *
 * Ranges are envelopes. Indexed DMA covers every index from 0 to dma_idx_max.
 *
 * Return: 0, what @fn returned, or -ERANGE.
 */
int npu_op_extents(const struct npu_config *config, const struct npu_op *op,
		   int (*fn)(void *ctx, unsigned int space, int64_t lo, int64_t hi,
			     enum npu_channel channel), void *ctx);

#endif
