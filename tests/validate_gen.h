/* SPDX-License-Identifier: MIT */
/* Tests: command streams by the million, made from real ones and from nothing. */
#ifndef ACCEL_TESTS_VALIDATE_GEN_H
#define ACCEL_TESTS_VALIDATE_GEN_H

#include "driver/ethosu_validate.h"
#include "sim/npu.h"

#define GEN_WORDS	2048
#define GEN_CONFIGS	7

/* A sequence of random numbers; the same start gives the same sequence everywhere. */
struct rng {
	uint64_t state;
};

uint32_t rng_next(struct rng *r);
/* 0 to n - 1. */
uint32_t rng_below(struct rng *r, uint32_t n);

/* Registers that a stream sets, by the low byte of the opcode. */
struct gen_regs {
	uint16_t cmd0[0x90];
	uint64_t cmd1[0x98];
};

/* An operation of a real stream with the registers it ran with. */
struct gen_op {
	struct gen_regs regs;
	uint32_t word;
};

/* A real stream, for mutation as a whole. */
struct gen_stream {
	uint32_t *words;
	size_t count;
	unsigned int config;
};

/**
 * struct gen - where streams come from
 * @hw, @configs: the NPUs that streams are made for, U65 first
 * @ops, @op_count: by architecture, U65 then U85
 * @streams: real streams
 */
struct gen {
	struct ethosu_hw hw[GEN_CONFIGS];
	const struct npu_config *configs[GEN_CONFIGS];
	struct gen_op *ops[2];
	size_t op_count[2];
	struct gen_stream *streams;
	size_t stream_count;
};

/* gen_init - find the seeds: the Vela models in @folders, ended by NULL. Return: streams found. */
size_t gen_init(struct gen *g, char *const *folders);
void gen_free(struct gen *g);

/**
 * gen_make - make a stream
 * @words: room for GEN_WORDS
 * @config: receives the index in @g->configs of the NPU that it is for
 *
 * Return: words.
 */
size_t gen_make(const struct gen *g, struct rng *r, uint32_t *words, unsigned int *config);

/* Change a stream of commands in place, knowing where they start. Return: words, at most @max. */
size_t gen_mutate(const struct ethosu_hw *hw, struct rng *r, uint32_t *words, size_t count,
		  size_t max);

#endif
