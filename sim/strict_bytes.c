/* SPDX-License-Identifier: MIT */
/* The bytes of a part of a feature map: tiles, rows, bricks. */
#include "sim/strict_bytes.h"

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Columns [x0, x1) of one row in one tile, the tile's column 0 at @row. */
static int columns(const struct npu_fm *fm, int64_t row, uint32_t x0, uint32_t x1,
		   const struct strict_box *box, int (*fn)(void *ctx, int64_t lo, int64_t hi),
		   void *ctx)
{
	int64_t es = (int64_t)1 << fm->elem_log2, step = fm->brick ? 16 * es : fm->stride_x;
	uint32_t c0 = box->c[0], c1 = least(box->c[1], fm->depth), c, next;
	int rc = 0;

	for (c = c0; c < c1 && !rc; c = next) {
		int64_t at = row;

		next = fm->brick ? least((c / 16 + 1) * 16, c1) : c1;
		at += fm->brick ? (int64_t)(c / 16) * fm->stride_c + (c % 16) * es : c * es;
		/* Columns that lie side by side are one run. */
		if (step == (next - c) * es) {
			rc = fn(ctx, at + x0 * step, at + x1 * step);
			continue;
		}
		for (uint32_t x = x0; x < x1 && !rc; x++)
			rc = fn(ctx, at + x * step, at + x * step + (next - c) * es);
	}
	return rc;
}

int strict_box_bytes(const struct npu_fm *fm, const struct strict_box *box,
		     int (*fn)(void *ctx, int64_t lo, int64_t hi), void *ctx)
{
	uint32_t y1 = least(box->y[1], fm->height), x1 = least(box->x[1], fm->width);
	uint32_t split = fm->width0;
	int rc = 0;

	for (uint32_t y = box->y[0]; y < y1 && !rc; y++) {
		unsigned int tile = y < fm->height0 ? 0 : 2;
		int64_t row = fm->base[tile] + (int64_t)(tile ? y - fm->height0 : y) * fm->stride_y;

		if (box->x[0] < least(split, x1))
			rc = columns(fm, row, box->x[0], least(split, x1), box, fn, ctx);
		if (rc || x1 <= split)
			continue;
		tile = y < fm->height1 ? 1 : 3;
		row = fm->base[tile] + (int64_t)(tile == 3 ? y - fm->height1 : y) * fm->stride_y;
		rc = columns(fm, row, (box->x[0] > split ? box->x[0] : split) - split, x1 - split,
			     box, fn, ctx);
	}
	return rc;
}
