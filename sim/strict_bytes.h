/* SPDX-License-Identifier: MIT */
/* The bytes of a part of a feature map, run by run. */
#ifndef ACCEL_SIM_STRICT_BYTES_H
#define ACCEL_SIM_STRICT_BYTES_H

#include "sim/op.h"

/* Part of a feature map: rows, columns and channels [lo, hi). */
struct strict_box {
	uint32_t y[2], x[2], c[2];
};

/**
 * strict_box_bytes - walk the bytes of a box
 * @box: clipped to the map
 * @fn: told [lo, hi) of the map's space; nonzero ends the walk
 *
 * Return: what @fn returned, or 0.
 */
int strict_box_bytes(const struct npu_fm *fm, const struct strict_box *box,
		     int (*fn)(void *ctx, int64_t lo, int64_t hi), void *ctx);

#endif
