/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The command stream validator: which bytes may a stream make the NPU touch?
 *
 * There is no MMU behind an Ethos-U: what a stream addresses, the NPU reads and writes. So a
 * client's stream is copied, validated once when its buffer object is made, and what comes out,
 * how much each region must have, is compared with the buffers of each job.
 *
 * The copy that is validated must be the one that runs, out of the client's reach, and better lie
 * in cached memory: it is read once, word by word.
 *
 * Rules a stream must keep, besides being made of commands that its NPU has:
 *
 * - Bits that no field holds are 0, and fields hold values that have a meaning.
 * - The last word, and no other, is NPU_OP_STOP.
 * - No NPU_OP_BRANCH, no NPU_OP_IRQ: nothing is known to emit them.
 * - Registers hold 0 when a stream starts: the driver puts ethosu_prologue() in front of every
 *   stream. What a stream does not set counts as 0, and nothing is inherited.
 * - Nothing is read from inside the NPU that the stream did not put there: tables, chaining
 *   buffers, accumulators.
 *
 * Compiled into the driver, and from the same files into a library for tests and tools: no
 * allocation, no floating point, no state but the caller's.
 */
#ifndef ETHOSU_VALIDATE_H
#define ETHOSU_VALIDATE_H

#include "ethosu_port.h"

#define ETHOSU_VALIDATE_REGIONS	8
/* Chaining buffers of the U85. */
#define ETHOSU_VALIDATE_CHAINS	8
/* Bytes of a stream with its prologue, the limit of QSIZE. */
#define ETHOSU_STREAM_MAX	(16u << 20)
/* At most this many words come from ethosu_prologue(). */
#define ETHOSU_PROLOGUE_MAX	256

/**
 * struct ethosu_hw - what the validator knows of an NPU
 * @arch: 65 or 85
 * @streams: weight decoders that share a convolution's channels, each with a stream of its own: 1
 *	to 4
 * @internal_size: bytes that DMA reaches inside the NPU: SHRAM of one core (U65), the table RAM
 *	(U85)
 * @cmd0: one-word commands by opcode: bit 31 set if the NPU has it, the bits its parameter may use
 * @cmd1: two-word commands by opcode: bit 63 set if the NPU has it, the bits its parameter (47:32)
 *	and its second word (31:0) may use
 * @entry0, @entry1: where a command is in the validator's list
 */
struct ethosu_hw {
	u8 arch;
	u8 streams;
	u32 internal_size;
	u32 cmd0[0x200];
	u64 cmd1[0x101];
	u16 entry0[0x200];
	u16 entry1[0x101];
};

/**
 * struct ethosu_region_use - what a stream may touch in a region
 * @read_end: bytes the buffer must have for what is read; 0: nothing is read
 * @write_end: the same for what is written
 *
 * A region of a job needs a buffer of at least the larger of the two, and none if both are 0. Reads
 * ask for a read fence on it, writes for a write fence.
 */
struct ethosu_region_use {
	u64 read_end;
	u64 write_end;
};

/**
 * struct ethosu_stream_use - what an accepted stream does
 * @region: by region
 * @size: bytes, STOP included
 * @kernel_ops: convolutions, poolings, elementwise operations and resizes
 * @dma_ops: copies
 * @chain_ops: operations that hand on or take a feature map inside the NPU
 */
struct ethosu_stream_use {
	struct ethosu_region_use region[ETHOSU_VALIDATE_REGIONS];
	u32 size;
	u32 kernel_ops;
	u32 dma_ops;
	u32 chain_ops;
};

/**
 * struct ethosu_reject - why a stream is refused
 * @offset: of the command that does it, in bytes from the start of the stream
 * @command: its first word; 0 at the end of the stream
 * @name: of that command, NULL if it has none; a constant text as the following are
 * @field: its field that is to blame, or NULL
 * @value: what @why speaks of
 * @why: the rule; NULL if the stream was accepted
 */
struct ethosu_reject {
	u32 offset;
	u32 command;
	const char *name;
	const char *field;
	u64 value;
	const char *why;
};

/**
 * struct ethosu_check - one validation: what came out, and the registers on the way
 * @use: of a stream that was accepted
 * @reject: of one that was refused
 * @cmd0, @cmd1: registers, by the low byte of the opcode: parameter; parameter << 32 | second word
 * @chain: bytes that lie in each chaining buffer
 * @tables: a bit per 256 bytes of the table memory that the stream has filled
 * @hw: the NPU
 *
 * About 3 KiB: too large for a kernel stack. Needs no initialisation, can be used again.
 */
struct ethosu_check {
	struct ethosu_stream_use use;
	struct ethosu_reject reject;
	/* The validator's own. */
	const struct ethosu_hw *hw;
	u16 cmd0[0x100];
	u64 cmd1[0x98];
	u64 chain[ETHOSU_VALIDATE_CHAINS];
	u32 tables;
};

/**
 * ethosu_hw_init - make the tables for an NPU
 * @hw: is filled in; does not change afterwards, may be shared
 * @id: its ID register
 * @config: its CONFIG register
 *
 * Return: 0, or -ENODEV: not a U65 or U85, or CONFIG makes no sense.
 */
int ethosu_hw_init(struct ethosu_hw *hw, u32 id, u32 config);

/**
 * ethosu_validate - validate a command stream
 * @hw: the NPU that will run it
 * @words: the stream as it lies in memory
 * @count: words
 * @check: receives what it uses, or why it is refused
 *
 * Return: 0; -EINVAL: not a stream for this NPU, or it addresses what can not be; -EOPNOTSUPP: it
 * may be a good one, but what it would touch is not known; -E2BIG: more than %ETHOSU_STREAM_MAX
 * with the prologue; -EINTR: the caller is being killed. On failure @check->use is all zero.
 */
int ethosu_validate(const struct ethosu_hw *hw, const __le32 *words, size_t count,
		    struct ethosu_check *check);

/**
 * ethosu_prologue - commands that set every register to 0
 * @words: receives them, room for %ETHOSU_PROLOGUE_MAX; no STOP follows
 *
 * They go in front of a client's stream, in the memory that the NPU fetches it from: QREAD, and the
 * offsets the NPU reports, are larger by their size.
 *
 * Return: words.
 */
size_t ethosu_prologue(const struct ethosu_hw *hw, __le32 *words);

#endif
