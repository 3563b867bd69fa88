/* SPDX-License-Identifier: MIT */
/*
 * checkops: weight and scale streams of an U55/U65. Weights go uncompressed: every slice has a
 * palette header without palette, so that a weight is a 9-bit sign-and-magnitude index.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/weights.h"
#include "tests/checkops.h"

#define SLICE_WEIGHTS	(1u << 15)
#define IFM_UBLOCK	8u

struct bits {
	uint8_t *data;
	size_t size, at;	/* in bits */
};

static void put(struct bits *out, uint32_t value, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++, out->at++) {
		if (out->at >= out->size * 8)
			continue;
		if (value >> i & 1)
			out->data[out->at / 8] |= (uint8_t)(1u << out->at % 8);
	}
}

static void put_slices(struct bits *out, const int16_t *w, size_t count)
{
	for (size_t from = 0; from < count; from += SLICE_WEIGHTS) {
		size_t n = count - from < SLICE_WEIGHTS ? count - from : SLICE_WEIGHTS;

		put(out, 6, 3);			/* ZDIV: no zero runs */
		put(out, (uint32_t)n - 1, 15);
		put(out, 7, 3);			/* WDIV: uncompressed */
		put(out, 0, 1);			/* WTRUNC */
		put(out, 1, 1);			/* NEWPAL */
		put(out, 0, 5);			/* DIROFS */
		put(out, 0, 5);			/* PALSIZE: none */
		put(out, 9 - 2, 3);		/* PALBITS */
		for (size_t i = 0; i < n; i++) {
			int v = w[from + i];

			put(out, (uint32_t)(v < 0 ? -v : v) << 1 | (v < 0), 9);
		}
	}
	put(out, 7, 3);				/* end of stream */
	while (out->at % 128)
		put(out, 1, 1);
}

/* The order in which an U55/U65 takes weights [oc][ky][kx][ic]; zeros where there is none. */
struct order {
	const struct npu_op *op;
	const int16_t *w;
	int16_t *out;
	size_t count, size;
	uint32_t ic;
};

static void emit(struct order *o, uint32_t oc, uint32_t ky, uint32_t kx, uint32_t ic, bool inside)
{
	const struct npu_op *op = o->op;
	int16_t v = 0;

	if (inside && oc < op->oc && ic < o->ic)
		v = o->w[(((size_t)oc * op->kernel_h + ky) * op->kernel_w + kx) * o->ic + ic];
	if (o->count < o->size)
		o->out[o->count] = v;
	o->count++;
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static void emit_taps(struct order *o, uint32_t oz, uint32_t cob, uint32_t iz, uint32_t cib,
		      uint32_t ky0, uint32_t kx0, uint32_t hh, uint32_t ww, uint32_t ublock)
{
	const struct npu_op *op = o->op;
	bool dw = op->kind == NPU_KIND_DEPTHWISE, part = op->part_kernel && !dw;
	uint32_t round = dw ? 4 : !part ? 1 : op->a.elem_log2 ? 2 : 4;
	uint32_t taps = (hh * ww + round - 1) / round * round;

	for (uint32_t iuo = 0; iuo < (part ? cib : 1); iuo += IFM_UBLOCK) {
		for (uint32_t ou = 0; ou < cob; ou += ublock) {
			for (uint32_t e = 0; e < taps; e++) {
				uint32_t kx = e % ww, ky = e / ww;

				for (uint32_t iui = 0; iui < (part ? 1 : cib); iui += IFM_UBLOCK) {
					for (uint32_t i = 0; i < ublock * (dw ? 1 : IFM_UBLOCK);
					     i++) {
						uint32_t c = ou + i / (dw ? 1 : IFM_UBLOCK);
						uint32_t ic = iz + iuo + iui +
							      (dw ? 0 : i % IFM_UBLOCK);

						emit(o, oz + c, ky0 + ky, kx0 + kx, ic,
						     c < cob && ky < hh);
					}
				}
			}
		}
	}
}

static void emit_all(struct order *o, uint32_t ublock)
{
	const struct npu_op *op = o->op;
	bool dw = op->kind == NPU_KIND_DEPTHWISE;
	uint32_t block = dw ? IFM_UBLOCK : op->part_kernel || op->a.elem_log2 == 1 ? 16 : 32;
	uint32_t dy = 8u / op->dilation_y, dx = 8u / op->dilation_x;

	for (uint32_t oz = 0; oz < op->oc; oz += op->ofm_block_depth) {
		uint32_t cob = least(op->ofm_block_depth, op->oc - oz);

		for (uint32_t iz = 0; iz < o->ic; iz += block) {
			uint32_t cib = !dw && op->part_kernel ? least(block, o->ic - iz) : block;

			for (uint32_t ky = 0; ky < op->kernel_h; ky += dy) {
				for (uint32_t kx = 0; kx < op->kernel_w; kx += dx)
					emit_taps(o, oz, cob, iz, cib, ky, kx,
						  least(dy, op->kernel_h - ky),
						  least(dx, op->kernel_w - kx), ublock);
			}
		}
	}
}

static int16_t draw_weight(struct rng *rng, unsigned int style)
{
	if (style == 0)		/* int8 */
		return (int16_t)rng_range(rng, -128, 127);
	if (style == 1)		/* uint8 minus its zero point */
		return (int16_t)rng_range(rng, -255, 255);
	if (style == 2)
		return rng_one_in(rng, 2) ? 255 : -255;
	return (int16_t)(rng_one_in(rng, 3) ? rng_range(rng, -3, 3) : 0);
}

/* Zeros at both ends of all kernel rows, as strided kernels have them that take columns for channels. */
static void clear_ends(struct rng *rng, int16_t *w, size_t count, size_t row)
{
	size_t first = (size_t)rng_range(rng, 0, (int64_t)row);
	size_t end = (size_t)rng_range(rng, (int64_t)first, (int64_t)row);

	for (size_t i = 0; i < count; i++)
		if (i % row < first || i % row >= end)
			w[i] = 0;
}

/* A channel's record. Products of accumulator and scale stay below 2^63. */
static void draw_record(struct rng *rng, const struct npu_op *op, uint8_t record[10])
{
	bool wide = op->a.elem_log2 > 0;
	int64_t bias = rng_range(rng, -20000, 20000);
	uint32_t scale = (uint32_t)rng_range(rng, 1u << 30, (1u << 31) - 1);
	unsigned int shift = (unsigned int)rng_range(rng, 34, 46);

	if (wide) {
		scale = (uint32_t)rng_range(rng, 1 << 14, (1 << 15) - 1);
		shift = (unsigned int)rng_range(rng, 16, 32);
		if (rng_one_in(rng, 8))
			bias = rng_range(rng, -(1ll << 39), (1ll << 39) - 1);
	} else if (rng_one_in(rng, 8)) {
		bias = rng_one_in(rng, 2) ? 1 << 30 : -(1 << 30);
	}
	if (rng_one_in(rng, 16))
		shift = (unsigned int)rng_range(rng, 0, 63);
	if (rng_one_in(rng, 16))
		scale = (uint32_t)rng_range(rng, 0, 3);
	for (int i = 0; i < 5; i++)
		record[i] = (uint8_t)((uint64_t)bias >> 8 * i);
	for (int i = 0; i < 4; i++)
		record[5 + i] = (uint8_t)(scale >> 8 * i);
	record[9] = (uint8_t)shift;
}

/* What was encoded must come back, else nothing of a convolution is tested. */
static void decode_back(const struct npu_config *config, const struct npu_op *op,
			const struct npu_stream *stream, const int16_t *w, size_t count)
{
	struct npu_stream streams[NPU_MAX_CORES] = { *stream };
	int16_t *back = calloc(count, sizeof(*back));

	if (!back || npu_weights_decode(config, op, streams, back, count) ||
	    memcmp(back, w, count * sizeof(*w))) {
		fprintf(stderr, "checkops: the weight stream does not decode to what it encodes\n");
		check_print_op(op);
		exit(1);
	}
	free(back);
}

bool check_streams(struct check_mem *mem, struct rng *rng, const struct npu_config *config,
		   struct npu_op *op)
{
	struct arena *arena = &mem->space[NPU_SPACE_STREAMS];
	size_t count = npu_weights_count(op), padded, scales = (size_t)op->oc * 10, len;
	struct order order = { .op = op };
	struct bits bits = { 0 };
	unsigned int style = (unsigned int)rng_range(rng, 0, 3);
	int16_t *w = malloc(count * sizeof(*w));
	bool ok = false;

	if (!w || count > CHECK_WEIGHTS)
		goto out;
	for (size_t i = 0; i < count; i++)
		w[i] = draw_weight(rng, style);
	order.w = w;
	order.ic = op->kind == NPU_KIND_DEPTHWISE ? 1 : op->a.depth;
	if (rng_one_in(rng, 4))
		clear_ends(rng, w, count, (size_t)op->kernel_w * order.ic);
	emit_all(&order, config->ublock_depth);
	padded = order.count;
	order.out = malloc(padded * sizeof(*order.out));
	if (!order.out)
		goto out;
	order.size = padded;
	order.count = 0;
	emit_all(&order, config->ublock_depth);

	/* 9 bits a weight, 36 a slice, the end and padding. */
	len = (padded * 9 + (padded / SLICE_WEIGHTS + 1) * 36 + 3 + 127) / 128 * 16;
	scales = (scales + 15) / 16 * 16;
	if (mem->streams_used + len + scales > arena->size)
		goto out;
	bits.data = arena->data + mem->streams_used;
	bits.size = len;
	memset(bits.data, 0, len);
	put_slices(&bits, order.out, padded);
	op->weight_space = NPU_SPACE_STREAMS;
	op->weight_base[0] = (uint64_t)arena->lo + mem->streams_used;
	op->weight_len[0] = (uint32_t)(bits.at / 8);
	mem->streams_used += len;
	decode_back(config, op, &(struct npu_stream){ bits.data, bits.at / 8 }, w, count);

	op->scale_space = NPU_SPACE_STREAMS;
	op->scale_base[0] = (uint64_t)arena->lo + mem->streams_used;
	op->scale_len[0] = (uint32_t)scales;
	for (uint32_t c = 0; c < op->oc; c++)
		draw_record(rng, op, arena->data + mem->streams_used + c * 10);
	mem->streams_used += scales;
	ok = true;
out:
	free(order.out);
	free(w);
	return ok;
}
