/* SPDX-License-Identifier: MIT */
/*
 * What an operation costs: cycles and bytes, after the public performance model of Arm's compiler
 * (ethos-u-vela 5.2.0). An estimate, not a measurement; see docs/cost.md for what it leaves out.
 *
 * One model for all who ask: the simulator's performance counters, `accel estimate` and `accel
 * profile`, the compiler when it chooses blocks. cost_op() is one operation by itself, pure and
 * quick; cost_stream() (cost_stream.h) is a decoded command stream with its transfers overlapped.
 *
 * The simulator's public header for this: runtime/ may include it and links the objects sim/cost*.c.
 */
#ifndef ACCEL_SIM_COST_H
#define ACCEL_SIM_COST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/op.h"
#include "uapi/ethosu_arch.h"

/* The memories a system has: on chip, and DRAM or flash. */
enum cost_memory_index { COST_SRAM, COST_EXT, COST_MEMORIES };

/**
 * struct cost_memory - a memory as the NPU sees it
 * @bandwidth: bytes per NPU cycle, of all ports in use together
 * @ports: AXI ports in use
 * @read_latency, @write_latency: NPU cycles
 * @burst: longest burst in bytes
 * @reads, @writes: transactions that can be outstanding
 *
 * @write_latency and @writes are 0 where nothing can be written (flash).
 */
struct cost_memory {
	double bandwidth;
	uint32_t ports;
	uint32_t read_latency, write_latency;
	uint32_t burst;
	uint32_t reads, writes;
};

/**
 * struct cost_target - what a stream runs on
 * @arch: the NPU
 * @memory: by enum cost_memory_index
 * @region: enum cost_memory_index of each region
 */
struct cost_target {
	const struct ethosu_arch *arch;
	struct cost_memory memory[COST_MEMORIES];
	uint8_t region[NPU_REGIONS];
};

/**
 * cost_usual_memories - those of the system that a family is usually estimated with
 * @family: 55, 65 or 85
 *
 * Vela's Ethos_U55_High_End_Embedded, Ethos_U65_Client_Server and Ethos_U85_SYS_DRAM_Mid.
 */
void cost_usual_memories(unsigned int family, struct cost_memory memory[COST_MEMORIES]);

/* What the output stage does to elements beside scaling them. */
enum cost_activation { COST_ACT_NONE, COST_ACT_RELU, COST_ACT_LUT };

/**
 * struct cost_fm - a feature map
 * @h, @w, @d: extent. An input as stored: a broadcast axis is 1. An output before its transpose.
 * @bits: of an element: 8, 16, 32, 64. 0: there is no such operand.
 * @memory: enum cost_memory_index
 * @brick: NHCWB16
 * @scalar: in a register: nothing is read
 * @chained: U85: in a chaining buffer: nothing is read or written
 */
struct cost_fm {
	uint32_t h, w, d;
	uint8_t bits;
	uint8_t memory;
	bool brick, scalar, chained;
};

/**
 * struct cost_op_desc - an operation, as far as its cost goes
 * @kind: enum npu_op_kind, but not DMA
 * @mode: enum npu_pool_mode or enum npu_elt_mode
 * @ifm: inputs; MATMUL: [1] is what stands for the weights
 * @ofm: output
 * @kernel_h, @kernel_w: undilated; 1 where there is no kernel
 * @upscale: enum npu_upscale
 * @part_kernel: weight order
 * @sparse, @fast: U85 weight formats
 * @acc_bits: of the accumulators: 32, 40 (U55, U65), 48 (U85)
 * @activation: enum cost_activation
 * @transpose, @reverse: U85: of the output
 * @microblock: U85: ACC_FORMAT.microblock
 * @block: OFM block
 * @weight_bytes, @scale_bytes: of all streams; scales 0: there are none
 * @weight_memory, @scale_memory: enum cost_memory_index
 * @continues, @continued: a slice in depth of an operation whose other slices run just before, after
 * @chain_rate: U85: what the operations chained to this one take per element, the sum of their
 *	cost_output_rate(); @ofm is then the last one's
 * @chain_ifm: further inputs that chained operations read from memory; bits 0 ends the list
 */
struct cost_op_desc {
	uint8_t kind, mode;
	struct cost_fm ifm[2], ofm;
	uint16_t kernel_h, kernel_w;
	uint8_t stride_y, stride_x, dilation_y, dilation_x;
	uint8_t upscale;
	bool part_kernel, sparse, fast;
	uint8_t acc_bits;
	uint8_t activation;
	uint8_t transpose, reverse;
	uint8_t microblock;
	struct ethosu_block block;
	uint32_t weight_bytes, scale_bytes;
	uint8_t weight_memory, scale_memory;
	bool continues, continued;
	double chain_rate;
	struct cost_fm chain_ifm[ETHOSU_CHAIN_INPUTS + 1];
};

/* Most cycles or bytes of one operation: 65536 of them still add up. */
#define COST_MOST	(1ull << 46)

/* What bytes are. */
enum cost_traffic { COST_FEATURE_MAPS, COST_WEIGHTS, COST_SCALES, COST_TRAFFIC };

/* What an operation waits for. */
enum cost_bound { COST_BOUND_MAC, COST_BOUND_OUTPUT, COST_BOUND_ISSUE, COST_BOUND_SRAM,
		  COST_BOUND_EXT };

/**
 * struct cost_result - cycles and bytes of an operation
 * @macs: multiply-accumulates that its arithmetic needs
 * @mac_cycles: the MAC array is at work, all blocks
 * @out_cycles: the output stage likewise
 * @npu_cycles: both, pipelined block by block, with the first read and the last write
 * @memory_cycles: each memory needs for the bytes, by enum cost_memory_index
 * @cycles: the most of @npu_cycles and @memory_cycles
 * @bound: enum cost_bound: which one that is
 * @read, @write: bytes, bursts that are not filled counted whole
 * @blocks: OFM blocks
 */
struct cost_result {
	uint64_t macs;
	uint64_t mac_cycles, out_cycles;
	uint64_t npu_cycles;
	uint64_t memory_cycles[COST_MEMORIES];
	uint64_t cycles;
	uint8_t bound;
	uint64_t read[COST_MEMORIES][COST_TRAFFIC];
	uint64_t write[COST_MEMORIES];
	uint64_t blocks;
};

/**
 * cost_op - what one operation costs
 * @desc: a block that is not legal gives a number all the same; a block of 0 gives 0
 */
void cost_op(const struct cost_target *target, const struct cost_op_desc *desc,
	     struct cost_result *out);

/* Cycles per output element of @desc's output stage, with its activation. */
double cost_output_rate(const struct ethosu_arch *arch, const struct cost_op_desc *desc);

/**
 * cost_ifm_block - the IFM block that an OFM block needs
 *
 * H and W in elements as stored, rounded to what is allocated for; D in elements. Neither is clipped
 * to the feature map.
 */
struct ethosu_block cost_ifm_block(const struct ethosu_arch *arch, const struct cost_op_desc *desc);

/**
 * cost_copy_cycles - a DMA from one memory to another
 * @src, @dst: enum cost_memory_index; COST_MEMORIES: inside the NPU
 * @bytes: of them
 */
uint64_t cost_copy_cycles(const struct cost_target *target, unsigned int src, unsigned int dst,
			  uint64_t bytes);

#endif
