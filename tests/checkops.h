/* SPDX-License-Identifier: MIT */
/* checkops: random legal operations in memory with guard bytes. */
#ifndef ACCEL_TESTS_CHECKOPS_H
#define ACCEL_TESTS_CHECKOPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/npu.h"
#include "sim/op.h"

#define CHECK_ARENA	(256u << 10)
#define CHECK_LUT	2048u
#define CHECK_RANGES	32
#define CHECK_UNDEFINED	2	/* written in part by an operation that fails */
#define CHECK_WEIGHTS	(64u << 10)	/* weights of one operation at most */

struct rng {
	uint64_t state;
};

/* A space's image: bytes [lo, lo + size) of it. */
struct arena {
	uint8_t *data;
	uint8_t *writable;	/* for each byte: 1: an operation writes it, or CHECK_UNDEFINED */
	size_t size;
	int64_t lo;
};

struct range {
	unsigned int space;
	size_t from, to;
};

/*
 * The memory of a case, and what the operation being drawn has taken of it. Weights, scales and DMA
 * indices are in NPU_SPACE_STREAMS, which is never written. What earlier operations took is hot:
 * later ones like to use it again, so that they depend on one another.
 */
struct check_mem {
	struct arena space[NPU_SPACES];
	struct range taken[CHECK_RANGES];
	unsigned int taken_count;
	struct range hot[CHECK_RANGES];
	unsigned int hot_count;
	size_t streams_used;
};

#define NPU_SPACE_STREAMS	0

uint64_t rng_next(struct rng *rng);
/* Uniform in [lo, hi]. */
int64_t rng_range(struct rng *rng, int64_t lo, int64_t hi);
/* True once in n. */
bool rng_one_in(struct rng *rng, unsigned int n);
void rng_fill(struct rng *rng, void *data, size_t len);

/* Room for len bytes that nothing else of this operation uses; -1 if there is none. */
int64_t check_take(struct check_mem *mem, struct rng *rng, unsigned int space, size_t len,
		   unsigned int align);
/* A data space, chosen at random. */
unsigned int check_any_space(struct rng *rng);
int64_t check_fm_address(const struct npu_fm *fm, uint32_t y, uint32_t x, uint32_t c);

/**
 * check_fm_draw - lay out a feature map
 * @fm: type and extent are set; the rest is drawn
 *
 * Return: false if it does not fit.
 */
bool check_fm_draw(struct check_mem *mem, struct rng *rng, struct npu_fm *fm);
/* An element type, and extent; zero point by type. */
void check_fm_type(struct rng *rng, struct npu_fm *fm, unsigned int elem_log2, bool is_signed);
/* Mark what may be written. */
void check_fm_writable(struct check_mem *mem, const struct npu_fm *fm);

/* A case begins: nothing is taken. */
void check_mem_reset(struct check_mem *mem);
/* The next operation begins. */
void check_mem_next(struct check_mem *mem);

/* Append weight and scale streams for @op (an U65-256) and note them in it. */
bool check_streams(struct check_mem *mem, struct rng *rng, const struct npu_config *config,
		   struct npu_op *op);

/* Name of the class an operation was drawn from, by number; NULL behind the last. */
const char *check_class_name(unsigned int number);
/* Is an operation of the class to fail for the data it finds? */
bool check_class_fails(unsigned int number);
/* Draw an operation of that class, once. false: did not fit, try again. */
bool check_draw(struct check_mem *mem, struct rng *rng, const struct npu_config *config,
		unsigned int number, struct npu_op *op);
void check_print_op(const struct npu_op *op);

#endif
