/* SPDX-License-Identifier: MIT */
/* The order in which the MAC array takes weights, see order.c. */
#ifndef ACCEL_RUNTIME_ENCODE_ORDER_H
#define ACCEL_RUNTIME_ENCODE_ORDER_H

#include "runtime/encode/weights.h"

#define ORDER_MAX_LANES	64	/* OFM channels of a microblock */
#define ORDER_NO_TAP	UINT32_MAX

/**
 * struct order_kernel - a sub-kernel: at most 8x8 taps that the array walks together
 * @first, @count: its taps in wenc_order.taps
 */
struct order_kernel {
	uint32_t first, count;
};

/**
 * struct wenc_order - the streams of one operation
 * @streams: weight streams
 * @oc, @taps_all, @ic: of the operation
 * @spread: channel c of stream s is channel c * @spread + s of the operation; 1 where streams take
 *	their share inside a microblock
 * @block: OFM channels of an OFM block of one stream, [0] the first stream, [1] the others
 * @ublock, @lanes: OFM channels of a microblock, and how many of them one stream has
 * @ifm_block, @ifm_walk, @ifm_step: IFM channels before the next sub-kernel, for each tap, and side
 *	by side for one OFM channel
 * @turn: IFM blocks are walked back and forth
 * @taps: indices of taps (ky * kw + kx), ORDER_NO_TAP for padding
 * @kernels, @kernel_count: in the order of the stream
 * @fast_block: weights of a stream before it is the next one's turn in the fast format
 */
struct wenc_order {
	uint32_t streams;
	uint32_t oc, taps_all, ic;
	uint32_t spread;
	uint32_t block[2];
	uint32_t ublock, lanes;
	uint32_t ifm_block, ifm_walk, ifm_step;
	bool turn;
	uint32_t *taps;
	struct order_kernel *kernels;
	uint32_t kernel_count;
	size_t fast_block;
};

/**
 * wenc_order_init - work out the order for @channels OFM channels of a layer
 * @sparse: U85: the order of 2:4 sparsity
 *
 * Return: 0, -EINVAL (@err says why), -ENOMEM. Free with wenc_order_free() if 0.
 */
int wenc_order_init(struct wenc_order *o, const struct wenc_layer *layer,
		    const struct wenc_config *config, uint32_t channels, bool sparse,
		    struct error *err);
void wenc_order_free(struct wenc_order *o);

/* Weights in stream @stream, padding included. */
uint64_t wenc_order_symbols(const struct wenc_order *o, uint32_t stream);

/**
 * wenc_order_emit - put weights in the order of a stream
 * @w: [oc][taps][ic]
 * @out: wenc_order_symbols()
 */
void wenc_order_emit(const struct wenc_order *o, const uint16_t *w, uint32_t stream, uint16_t *out);

#endif
