/* SPDX-License-Identifier: MIT */
/* Panels and channel records of the convolutions that the fast kernels run. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "sim/cl_plan_fast.h"
#include "sim/cl_requant.h"

/* What a tile's staged IFM rows should not exceed, so that they stay in the first level cache. */
#define STAGE_BYTES	24576
/* How far single precision may be off, seen from a tie: a few units in the last place at 255. */
#define TIE_BAND	0x1p-14f

static bool small_weights(const struct npu_decoded *d)
{
	for (size_t i = 0; i < d->count; i++)
		if (d->weights[i] < -128 || d->weights[i] > 127)
			return false;
	return true;
}

/*
 * Do offsets from the first pixel of a tile of @rows rows fit the kernels' 32-bit tables, wherever the
 * tile lies? A map that rolls over (tiles 0 and 2) may have its parts far apart.
 */
static bool fits_tables(const struct npu_fm *fm, uint64_t rows)
{
	double reach = (double)llabs(fm->stride_y) * (double)rows +
		       (double)llabs(fm->brick ? 16 : fm->stride_x) * fm->width;

	if (fm->height0 < fm->height)
		reach += fabs((double)fm->base[2] - (double)fm->base[0]) +
			 (double)llabs(fm->stride_y) * fm->height0;
	return reach < INT_MAX / 2;
}

/*
 * Channel records: bias with the zero points folded in, and the output stage as floats that were
 * proven equal to the integers, or as integers.
 */
static bool fill_channels(const struct npu_op *op, const struct npu_decoded *d, const struct npu_task *t,
			  struct npu_channels *ch)
{
	size_t per = d->count / op->oc;
	int32_t zero = op->a.zero_point + (op->a.is_signed ? 128 : 0);

	for (uint32_t c = 0; c < op->oc; c++) {
		const int16_t *w = d->weights + c * per;
		struct npu_channels *rec = &ch[c / NPU_LANES];
		unsigned int lane = c % NPU_LANES;
		int64_t sum = 0, up = 0, down = 0, init;
		struct npu_requant r = {
			.scale = d->bias[c].scale,
			.shift = d->bias[c].shift,
			.round = t->rounding,
			.zero_point = t->zero_point,
			.lo = t->lo,
			.hi = t->hi,
			.center = t->center,
		};
		struct npu_fit fit;

		for (size_t i = 0; i < per; i++) {
			sum += w[i];
			if (w[i] > 0)
				up += 255 * w[i];
			else
				down += 255 * w[i];
		}
		init = d->bias[c].bias - zero * sum;
		r.acc_min = init + down;
		r.acc_max = init + up;
		if (r.acc_min < INT32_MIN || r.acc_max > INT32_MAX)
			return false;
		rec->scale[lane] = r.scale;
		rec->shift[lane] = r.shift;
		fit = npu_requant_fit(&r, TIE_BAND);
		rec->init[lane] = (int32_t)(init - fit.base);
		rec->base[lane] = fit.base;
		rec->odd[lane] = fit.odd - fit.base;
		rec->by[lane] = fit.by;
		rec->moved |= fit.by != 0;
		rec->m[lane] = fit.m;
		rec->c[lane] = fit.c;
		rec->flip = t->center ? 0 : 0x80000000u;
		rec->limit[lane] = fit.limit;
		rec->checked |= rec->limit[lane] < 1;
	}
	for (uint32_t c = op->oc; c % NPU_LANES; c++)
		ch[c / NPU_LANES].limit[c % NPU_LANES] = 1;
	return true;
}

/*
 * The bytes of a kernel row from the first to the last that a weight is not 0 for. Strided kernels that take
 * columns for channels have zeros at both ends.
 */
static void used_bytes(const struct npu_op *op, const struct npu_decoded *d, uint32_t *first, uint32_t *end)
{
	uint32_t row = op->kernel_w * op->a.depth, lo = row, hi = 0;

	for (size_t i = 0; i < d->count; i += row) {
		for (uint32_t k = 0; k < lo; k++)
			if (d->weights[i + k])
				lo = k;
		for (uint32_t k = row; k > hi; k--)
			if (d->weights[i + k - 1])
				hi = k;
	}
	*first = hi ? lo : 0;
	*end = hi ? hi : 1;
}

/* Panel of a pair of vectors: [ky][4 bytes of the row][vector][channel][byte]. */
static void fill_conv_panel(const struct npu_op *op, const struct npu_decoded *d, const struct npu_task *t,
			    int8_t *panel)
{
	uint32_t row = op->kernel_w * op->a.depth, steps = op->kernel_h * t->k4;

	for (uint32_t c = 0; c < op->oc; c++) {
		uint32_t vector = c / NPU_LANES, pair = vector & ~1u;
		uint32_t wide = pair + 1 < t->vectors ? 2 : 1;
		int8_t *to = panel + (size_t)pair * steps * 64 + (vector & 1) * 64 + c % NPU_LANES * 4;
		const int16_t *from = d->weights + (size_t)c * op->kernel_h * row + t->skip;

		for (uint32_t ky = 0; ky < op->kernel_h; ky++, from += row)
			for (uint32_t k = 0; k < t->k4; k++, to += 64 * wide)
				for (uint32_t j = 0; j < 4 && t->skip + 4 * k + j < row; j++)
					to[j] = (int8_t)from[4 * k + j];
	}
}

/* What each kernel row comes to where it lies outside the IFM: [ky][channel]. */
static void fill_row_sums(const struct npu_op *op, const struct npu_decoded *d, const struct npu_task *t,
			  int32_t *sums)
{
	uint32_t row = op->kernel_w * op->a.depth;
	const int16_t *w = d->weights;

	for (uint32_t c = 0; c < op->oc; c++)
		for (uint32_t ky = 0; ky < op->kernel_h; ky++, w += row) {
			int32_t sum = 0;

			for (uint32_t k = 0; k < row; k++)
				sum += w[k];
			sums[ky * t->vectors * NPU_LANES + c] = t->pad_value * sum;
		}
}

/*
 * Are there kernel rows outside the IFM to leave out? Pixels are done 8 at a time, so all rows have to be of
 * whole eights, and within it rows are not counted where they are dilated.
 */
static bool skips_rows(const struct npu_op *op, const struct npu_task *t)
{
	uint64_t bottom = (op->oh - 1ull) * op->stride_y + op->kernel_h;

	return op->kind == NPU_KIND_CONV && !t->direct && op->dilation_y == 1 && op->ow % NPU_PIXELS == 0 &&
	       (op->pad_top || bottom > op->pad_top + (uint64_t)op->a.height);
}

/* Panel of a vector: [ky][4 taps of the row][channel][tap]. */
static void fill_depthwise_panel(const struct npu_op *op, const struct npu_decoded *d, const struct npu_task *t,
				 int8_t *panel)
{
	uint32_t taps = op->kernel_h * t->k4;

	for (uint32_t c = 0; c < op->oc; c++) {
		int8_t *to = panel + (size_t)(c / NPU_LANES) * taps * 64 + c % NPU_LANES * 4;
		const int16_t *from = d->weights + (size_t)c * op->kernel_h * op->kernel_w;

		for (uint32_t ky = 0; ky < op->kernel_h; ky++)
			for (uint32_t kx = 0; kx < op->kernel_w; kx++)
				to[(size_t)(ky * t->k4 + kx / 4) * 64 + kx % 4] = (int8_t)*from++;
	}
}

/* Rows of a tile: as many as stay in cache, but enough tiles for all threads. 0: not even one fits. */
static uint32_t tile_rows(const struct npu_op *op, uint64_t row_bytes, unsigned int threads)
{
	uint64_t dilated = (op->kernel_h - 1u) * op->dilation_y + 1u;
	uint64_t fit = (STAGE_BYTES / (row_bytes ? row_bytes : 1) - dilated) / op->stride_y + 1;
	uint32_t share = threads > 1 ? (op->oh + threads - 1) / threads : op->oh;
	uint32_t rows;

	if (dilated * row_bytes > NPU_SCRATCH_TABLE - 256)
		return 0;
	if (STAGE_BYTES / (row_bytes ? row_bytes : 1) < dilated)
		fit = 1;
	rows = fit < op->oh ? (uint32_t)fit : op->oh;
	if (rows > share)
		rows = share;
	if (rows > NPU_TILE_PIXELS / op->ow)
		rows = NPU_TILE_PIXELS / op->ow;
	return rows;
}

/*
 * Can a 1x1 convolution do without staging? The last 4 bytes read of a pixel must be its own. The kernel
 * for a single vector only takes staged pixels.
 */
static bool reads_in_place(const struct npu_op *op, uint32_t rows)
{
	const struct npu_fm *a = &op->a;

	return op->kind == NPU_KIND_CONV && op->kernel_h == 1 && op->kernel_w == 1 && !op->pad_top &&
	       !op->pad_left && (op->oh - 1ull) * op->stride_y < a->height &&
	       (op->ow - 1ull) * op->stride_x < a->width && a->width0 >= a->width &&
	       a->depth % (a->brick ? 16 : 4) == 0 && fits_tables(a, (uint64_t)rows * op->stride_y);
}

/* Sums over the whole map, kept in 32 bits: the depthwise convolution that a mean begins with. */
static bool raw_sums(const struct npu_op *op, const struct npu_decoded *d)
{
	const struct npu_fm *ofm = &op->ofm;

	if (op->kind != NPU_KIND_DEPTHWISE || op->oh != 1 || op->ow != 1 || ofm->elem_log2 != 2 || op->clamp ||
	    op->lut != NPU_LUT_NONE || ofm->zero_point || op->transpose != NPU_TRANSPOSE_HWC ||
	    op->reverse != NPU_REVERSE_NONE)
		return false;
	for (uint32_t c = 0; c < op->oc; c++)
		if (d->bias[c].scale != 1 || d->bias[c].shift)
			return false;
	return true;
}

bool npu_plan_conv(const struct npu_op *op, const struct npu_decoded *d, unsigned int threads,
		      struct npu_blob *blob, struct npu_task *t)
{
	bool depthwise = op->kind == NPU_KIND_DEPTHWISE;
	uint64_t width = (op->ow - 1ull) * op->stride_x + (op->kernel_w - 1ull) * op->dilation_x + 1;
	size_t panel, channels;
	uint64_t panel_bytes;

	t->raw = raw_sums(op, d);
	if (!small_weights(d) || op->dilation_x != 1 || op->upscale != NPU_UPSCALE_NONE || !npu_fast_map(&op->a) ||
	    (!t->raw && !npu_fast_ofm(op)) || op->ow > NPU_TILE_PIXELS)
		return false;
	if (depthwise && (op->a.width0 < op->a.width || op->ofm.depth != op->a.depth))
		return false;
	t->width = (uint32_t)width;
	t->rows = tile_rows(op, width * (depthwise ? NPU_LANES : op->a.depth), threads);
	if (!t->rows || !fits_tables(&op->ofm, t->rows))
		return false;
	t->impl = depthwise ? NPU_IMPL_DEPTHWISE : NPU_IMPL_CONV;
	t->vectors = (op->oc + NPU_LANES - 1) / NPU_LANES;
	t->direct = t->vectors % 2 == 0 && reads_in_place(op, t->rows);
	t->k4 = (op->kernel_w * (depthwise ? 1 : op->a.depth) + 3) / 4;
	if (!depthwise && !t->direct) {
		uint32_t end;

		used_bytes(op, d, &t->skip, &end);
		t->k4 = (end - t->skip + 3) / 4;
	}
	t->tiles = (op->oh + t->rows - 1) / t->rows;
	t->tiles_oc = 1;
	if (!depthwise && t->tiles < threads) {
		uint32_t pairs = (t->vectors + 1) / 2, want = (threads + t->tiles - 1) / t->tiles;

		t->tiles_oc = want < pairs ? want : pairs;
		t->tiles *= t->tiles_oc;
	}
	t->flip_in = 0x80 ^ npu_flip(&op->a);
	t->pad_value = op->a.zero_point + (op->a.is_signed ? 128 : 0);
	t->rounding = op->per_channel ? op->round : op->ofm_scale.round;
	if ((!t->raw && !npu_fast_output(op, t)) || t->pad_value < 0 || t->pad_value > 255 ||
	    t->rounding == NPU_ROUND_DOUBLE_ASYMMETRIC || t->rounding == NPU_ROUND_TO_ZERO)
		return false;
	if (!t->raw && t->lo >= t->zero_point) {
		t->center = (t->lo + t->hi) / 2 - t->zero_point;
		t->zero2 = 0x00010001u * (uint16_t)(t->zero_point + t->center);
	}
	panel_bytes = 64ull * t->vectors * op->kernel_h * t->k4;
	channels = npu_blob_add(blob, t->vectors * sizeof(struct npu_channels));
	if (channels == SIZE_MAX || !fill_channels(op, d, t, (struct npu_channels *)(blob->data + channels)))
		return false;
	panel = npu_blob_add(blob, panel_bytes);
	if (panel == SIZE_MAX)
		return false;
	if (skips_rows(op, t)) {
		size_t sums = npu_blob_add(blob, 64ull * t->vectors * op->kernel_h);

		if (sums == SIZE_MAX)
			return false;
		fill_row_sums(op, d, t, (int32_t *)(blob->data + sums));
		t->row_sums = sums;
	}
	if (depthwise)
		fill_depthwise_panel(op, d, t, (int8_t *)blob->data + panel);
	else
		fill_conv_panel(op, d, t, (int8_t *)blob->data + panel);
	t->panel = panel;
	t->channels = channels;
	return true;
}
