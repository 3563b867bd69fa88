/* SPDX-License-Identifier: MIT */
/* Tests: weight streams made the slow way, to hold sim/weights.c against. */
#ifndef ACCEL_TESTS_WEIGHTS_ORDER_H
#define ACCEL_TESTS_WEIGHTS_ORDER_H

#include "sim/npu.h"
#include "sim/op.h"

/* Bits, least significant first. */
struct bit_writer {
	uint8_t *data;
	size_t size, at;	/* size in bytes, at in bits */
};

void put_bits(struct bit_writer *out, uint64_t value, unsigned int count);

/* Fill up with ones to a multiple of @unit bits. */
void align_bits(struct bit_writer *out, unsigned int unit);

/* Weights in stream order. */
struct weight_list {
	int16_t *w;
	size_t count, size;
};

void list_add(struct weight_list *list, int16_t w);

/**
 * order_weights - list the weights of one core in the order of its stream, padding included
 * @w: [oc][ky][kx][ic], depthwise [oc][ky][kx]
 */
void order_weights(const struct npu_config *config, const struct npu_op *op, unsigned int core,
		   const int16_t *w, struct weight_list *out);

/* Weights of one core that come before it is the turn of the next in a merged (FWD) stream. */
size_t fwd_block(const struct npu_config *config, const struct npu_op *op);

#endif
