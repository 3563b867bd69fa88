/* SPDX-License-Identifier: MIT */
/*
 * Strict mode: is a stream one that hardware runs right, or one that only a simulator does, which
 * takes its operations one after the other and has no SHRAM to fill?
 *
 * No manual is public. The rules are the envelope that Vela's current core keeps, which is the one
 * known to run on silicon (docs/strict.md lists them).
 */
#ifndef ACCEL_SIM_STRICT_H
#define ACCEL_SIM_STRICT_H

#include "sim/decode.h"

/**
 * struct npu_strict_fault - the first rule that is broken
 * @op: operation that breaks it
 * @text: one line: rule, and the values that break it
 */
struct npu_strict_fault {
	size_t op;
	char text[160];
};

/**
 * npu_strict_stream - all that can be said of a stream by itself
 *
 * Blocks and SHRAM, alignment, limits, waits, BLOCKDEP, tables.
 *
 * Return: 0, -EINVAL with @fault filled, -ENOMEM.
 */
int npu_strict_stream(const struct npu_config *config, const struct npu_program *program,
		      struct npu_strict_fault *fault);

/**
 * struct npu_strict_memory - the memory that a stream meets
 * @base: address of each region
 * @defined: do all bytes of [addr, addr + len) hold data when the job starts? If not, *@bad is the
 *	first that does not. NULL: they all do.
 */
struct npu_strict_memory {
	uint64_t base[NPU_REGIONS];
	bool (*defined)(void *ctx, uint64_t addr, uint64_t len, uint64_t *bad);
	void *ctx;
};

/**
 * npu_strict_memory_check - what of a stream depends on where its regions are and what is in them
 * @count: operations, of @program, that are checked
 *
 * Reads of what was never written, and of feature maps that another operation wrote into before they
 * were read. Which rows an indexed copy picks is not looked at.
 *
 * Return: 0, -EINVAL with @fault filled, -ENOMEM.
 */
int npu_strict_memory_check(const struct npu_config *config, const struct npu_program *program,
			    size_t count, const struct npu_strict_memory *memory,
			    struct npu_strict_fault *fault);

#endif
