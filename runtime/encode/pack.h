/* SPDX-License-Identifier: MIT */
/* Parts of a blob: folded weights, scale records, the fast weight format. */
#ifndef ACCEL_RUNTIME_ENCODE_PACK_H
#define ACCEL_RUNTIME_ENCODE_PACK_H

#include "runtime/encode/order.h"
#include "runtime/encode/swd.h"
#include "runtime/encode/weights.h"

/**
 * wenc_fold - weights less their zero points, each as magnitude << 1 | sign
 * @out: [channels][taps][ic], malloc'ed
 *
 * Return: 0, -EINVAL, -ERANGE: a weight outside -255..255, -ENOMEM.
 */
int wenc_fold(const struct wenc_layer *layer, uint32_t first, uint32_t channels, uint16_t **out,
	      struct error *err);

/* True if of any four neighbouring IFM channels two are 0 and no magnitude is above 127. */
bool wenc_is_sparse(const struct wenc_layer *layer, const uint16_t *folded, uint32_t channels);

/**
 * wenc_put_scales - append the records of every @step-th channel
 * @ublock: U85: the depth of a microblock, records are padded to
 * @err: names the channel
 *
 * Return: 0, -ERANGE, -ENOMEM.
 */
int wenc_put_scales(struct swd_bits *out, const struct wenc_config *config,
		    const struct wenc_scale *scales, uint32_t first, uint32_t end, uint32_t step,
		    uint32_t ublock, struct error *err);

/**
 * struct fast_code - how the fast format codes some weights
 * @distinct: different values
 * @width: bits of a weight: 2, 4: an index of @table, 8: the value plus @adjust; 0: not possible
 */
struct fast_code {
	unsigned int distinct, width;
	uint16_t table[16];
	int adjust;
};

/* Work out the code for folded weights. @raw: no table. */
void fast_choose(const uint16_t *folded, size_t count, bool raw, struct fast_code *code);

/* Bytes of a stream. */
uint64_t fast_bytes(const struct fast_code *code, uint64_t count);

/* Append @count folded weights in stream order. Returns 0 or -ENOMEM. */
int fast_put(struct swd_bits *out, const struct fast_code *code, const uint16_t *symbols,
	     size_t count);

#endif
