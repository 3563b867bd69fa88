/* SPDX-License-Identifier: MIT */
/* checkops: what the files that draw operations share. */
#ifndef ACCEL_TESTS_CHECKOPS_DRAW_H
#define ACCEL_TESTS_CHECKOPS_DRAW_H

#include "tests/checkops.h"

struct drawing {
	struct check_mem *mem;
	struct rng *rng;
	const struct npu_config *config;
	struct npu_op *op;
};

int64_t draw_range(const struct drawing *d, int64_t lo, int64_t hi);
bool draw_one_in(const struct drawing *d, unsigned int n);
/* A length that is often small, sometimes a power of two, sometimes neither. */
uint32_t draw_extent(const struct drawing *d, uint32_t most);
/* The same for channels: often whole bricks. */
uint32_t draw_depth(const struct drawing *d, uint32_t most);
/* 8 bits, often signed, or s16. */
void draw_type(const struct drawing *d, struct npu_fm *fm);
uint8_t draw_round(const struct drawing *d);
/* Brings acc_bits down to out_bits, more or less. The product stays below 2^63. */
void draw_scale(const struct drawing *d, struct npu_scale *s, int acc_bits, int out_bits);
int draw_out_bits(const struct npu_op *op);
void draw_clamp(const struct drawing *d);
/* A table, and the output type that goes with it. */
void draw_lut(const struct drawing *d);
/* oh, ow and oc. */
void draw_out_extent(const struct drawing *d, uint32_t most, uint32_t most_depth);

bool draw_conv(const struct drawing *d);
bool draw_conv_common(const struct drawing *d);
bool draw_conv16(const struct drawing *d);
bool draw_dense(const struct drawing *d);
bool draw_depthwise(const struct drawing *d);
bool draw_matmul(const struct drawing *d);
bool draw_pool_max(const struct drawing *d);
bool draw_pool_average(const struct drawing *d);
bool draw_pool_copy(const struct drawing *d);
bool draw_transpose(const struct drawing *d);
bool draw_reduce(const struct drawing *d);
bool draw_argmax(const struct drawing *d);
bool draw_add(const struct drawing *d);
bool draw_mul(const struct drawing *d);
bool draw_minmax(const struct drawing *d);
bool draw_turned_copy(const struct drawing *d);
bool draw_unary(const struct drawing *d);
bool draw_int32(const struct drawing *d);
bool draw_compare(const struct drawing *d);
bool draw_bitwise(const struct drawing *d);
bool draw_resize(const struct drawing *d);
bool draw_dma(const struct drawing *d);
bool draw_dma_indexed(const struct drawing *d);
bool draw_dma_bad_index(const struct drawing *d);

#endif
