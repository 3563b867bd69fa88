/* SPDX-License-Identifier: MIT */
/*
 * Gradients of convolutions and matrices: with the rows X that the weights W multiply, Y = X W^T, those
 * of the weights are dY^T X, those of the rows dY W. Windows of one element need no rows.
 */
#include <string.h>

#include "runtime/float/blas.h"
#include "runtime/train/backward.h"

#define ROWS_ELEMENTS	(1u << 18)	/* of the rows at a time: they stay in the cache */

static bool plain(const struct layer *l)
{
	return l->h == 1 && l->w == 1 && l->stride_y == 1 && l->stride_x == 1 && !l->pad_y && !l->pad_x &&
	       l->in_h == l->out_h && l->in_w == l->out_w;
}

static size_t tile_of(const struct layer *l)
{
	size_t tile = ROWS_ELEMENTS / l->taps ? ROWS_ELEMENTS / l->taps : 1;

	return plain(l) || tile > l->rows ? (size_t)l->rows : tile;
}

size_t backward_work(const struct layer *l)
{
	return l->depthwise || plain(l) ? 0 : tile_of(l) * l->taps;
}

/* What layer_row() does, the other way round. */
static void add_row(const struct layer *l, const float *row, uint64_t position, float *to)
{
	uint64_t area = (uint64_t)l->out_h * (uint64_t)l->out_w;
	int32_t y0 = (int32_t)(position % area / (uint64_t)l->out_w) * l->stride_y - l->pad_y;
	int32_t x0 = (int32_t)(position % (uint64_t)l->out_w) * l->stride_x - l->pad_x;

	to += position / area * (uint64_t)l->in_h * (uint64_t)l->in_w * (uint64_t)l->in_c;
	for (int32_t ky = 0; ky < l->h; ky++)
		for (int32_t kx = 0; kx < l->w; kx++, row += l->ic) {
			int32_t y = y0 + ky * l->dilation_y, x = x0 + kx * l->dilation_x;
			float *at;

			if (y < 0 || y >= l->in_h || x < 0 || x >= l->in_w)
				continue;
			at = to + ((size_t)y * (size_t)l->in_w + (size_t)x) * l->ic;
			for (uint32_t c = 0; c < l->ic; c++)
				at[c] += row[c];
		}
}

static void add_bias(const struct backward *b, size_t rows)
{
	size_t outputs = b->layer->outputs;

	for (size_t r = 0; r < rows; r++)
		for (size_t o = 0; o < outputs; o++)
			b->gb[o] += b->gout[r * outputs + o];
}

void backward_layer(const struct backward *b)
{
	const struct layer *l = b->layer;
	const float *w = layer_weight_values(b->g, l);
	size_t tile = tile_of(l), taps = l->taps, outputs = l->outputs;
	bool is_plain = plain(l);

	if (b->gb)
		add_bias(b, (size_t)l->rows);
	for (size_t at = 0; at < l->rows; at += tile) {
		size_t rows = l->rows - at < tile ? (size_t)l->rows - at : tile;
		const struct gemm to_weights = { .m = outputs, .n = taps, .k = rows, .a_turned = true,
						 .add = true, .lda = outputs, .ldb = taps, .ldc = taps };
		const struct gemm to_rows = { .m = rows, .n = taps, .k = outputs, .add = is_plain,
					      .lda = outputs, .ldb = taps, .ldc = taps };
		const float *gout = b->gout + at * outputs;

		for (size_t r = 0; r < rows && !is_plain; r++)
			layer_row(l, b->in[0], at + r, b->work + r * taps);
		gemm(&to_weights, gout, is_plain ? b->in[0] : b->work, b->gw);
		if (!b->gin[0])
			continue;
		gemm(&to_rows, gout, w, is_plain ? b->gin[0] : b->work);
		for (size_t r = 0; r < rows && !is_plain; r++)
			add_row(l, b->work + r * taps, at + r, b->gin[0]);
	}
}
