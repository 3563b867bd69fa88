/* SPDX-License-Identifier: MIT */
/* A command stream being written: words, and the registers' state so that nothing is set twice. */
#ifndef ACCEL_RUNTIME_BE_STREAM_H
#define ACCEL_RUNTIME_BE_STREAM_H

#include "runtime/compile/be.h"
#include "uapi/ethosu_isa.h"

/**
 * struct be_stream - a stream
 * @arch: address width, and what registers there are
 * @cmd0, @cmd1: what the registers hold, by opcode & 0xff; @known0, @known1: that they do
 * @failed: no memory: nothing is written any more
 */
struct be_stream {
	const struct ethosu_arch *arch;
	uint32_t *words;
	size_t count, room;
	uint16_t cmd0[256];
	uint64_t cmd1[256];
	bool known0[256], known1[256];
	bool failed;
};

/* An operation, ETHOSU_OP_*. */
void be_put(struct be_stream *s, unsigned int opcode, unsigned int param);

/* A register of 16 bits; one of two words; an address or stride. */
void be_set(struct be_stream *s, unsigned int opcode, unsigned int param);
void be_set2(struct be_stream *s, unsigned int opcode, unsigned int param, uint32_t payload);
void be_set_address(struct be_stream *s, unsigned int opcode, int64_t address);

/* All registers an operation needs, but for BLOCKDEP, and what it is started with. */
void be_kernel_registers(struct be_stream *s, const struct be_kernel *k);
void be_kernel_start(struct be_stream *s, const struct be_kernel *k);

/* Copy @op->dma_len bytes. */
void be_dma_registers(struct be_stream *s, const struct npu_op *op);

/* ---- what has to be waited for ---- */

#define BE_MAX_ACCESSES	16

struct be_access {
	uint8_t space;
	bool write;
	int64_t lo, hi;
};

/* What a command reads and writes. */
struct be_footprint {
	struct be_access access[BE_MAX_ACCESSES];
	unsigned int count;
};

/**
 * struct be_deps - what may still be running
 * @kernels, @dmas: newest first
 * @last: the kernel operation before, for BLOCKDEP
 */
struct be_deps {
	const struct ethosu_arch *arch;
	struct be_footprint kernels[ETHOSU_KERNELS_IN_FLIGHT];
	struct be_footprint dmas[4];
	unsigned int kernel_count, dma_count;
	struct be_kernel last;
	bool any;
};

/**
 * struct be_waits - what to write before a command
 * @dma, @kernel: transfers and kernel operations that may be left running, -1: no wait
 * @blockdep: kernel operations: NPU_SET_BLOCKDEP
 */
struct be_waits {
	int dma, kernel;
	unsigned int blockdep;
};

void be_deps_init(struct be_deps *d, const struct ethosu_arch *arch);
void be_deps_kernel(struct be_deps *d, const struct be_kernel *k, struct be_waits *out);
void be_deps_dma(struct be_deps *d, const struct npu_op *op, struct be_waits *out);

/* How many blocks of the operation before may be unfinished when @k begins. */
unsigned int be_blockdep(const struct ethosu_arch *arch, const struct be_kernel *before,
			 const struct be_kernel *k);

#endif
