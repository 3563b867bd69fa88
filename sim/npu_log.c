/* SPDX-License-Identifier: MIT */
/*
 * Every byte an operation touches on the bus, derived from its geometry alone and not from what an
 * engine does: so the two can be held against each other.
 *
 * Feature maps are walked element by element in memory order, so padding columns, channels of a
 * brick beyond the depth, and gaps between rows do not count as touched.
 */
#include <string.h>

#include "sim/npu_internal.h"

unsigned int npu_channel_access(unsigned int channel)
{
	return channel == NPU_CH_OFM || channel == NPU_CH_DMA_WRITE ? NPU_ACCESS_WRITE :
								      NPU_ACCESS_READ;
}

/* Collects neighbours before it tells @fn. */
struct runs {
	const uint64_t *base;
	int (*fn)(void *ctx, uint64_t addr, uint64_t len, enum npu_channel channel);
	void *ctx;
	uint64_t addr, len;
	enum npu_channel channel;
};

static int flush(struct runs *runs)
{
	uint64_t len = runs->len;

	runs->len = 0;
	return len ? runs->fn(runs->ctx, runs->addr, len, runs->channel) : 0;
}

static int emit(struct runs *runs, unsigned int space, int64_t offset, uint64_t len,
		enum npu_channel channel)
{
	uint64_t addr;
	int ret;

	if (space >= NPU_REGIONS || !len)
		return 0;
	addr = runs->base[space] + (uint64_t)offset;
	if (runs->len && runs->channel == channel && runs->addr + runs->len == addr) {
		runs->len += len;
		return 0;
	}
	ret = flush(runs);
	runs->addr = addr;
	runs->len = len;
	runs->channel = channel;
	return ret;
}

/* @count columns of one row of one tile, the first at @at. */
static int emit_columns(struct runs *runs, const struct npu_fm *fm, int64_t at, uint32_t count,
			enum npu_channel channel)
{
	uint32_t es = 1u << fm->elem_log2;
	uint32_t group = fm->brick ? 16 : fm->depth;
	int64_t step = fm->brick ? (int64_t)16 * es : fm->stride_x;
	uint32_t c, x, depth;
	int ret = 0;

	for (c = 0; c < fm->depth && !ret; c += group) {
		depth = fm->depth - c < group ? fm->depth - c : group;
		for (x = 0; x < count && !ret; x++)
			ret = emit(runs, fm->space, at + x * step, (uint64_t)depth * es, channel);
		at += fm->stride_c;
	}
	return ret;
}

static int emit_fm(struct runs *runs, const struct npu_fm *fm, enum npu_channel channel)
{
	uint32_t left = fm->width < fm->width0 ? fm->width : fm->width0;
	uint32_t y, rows, tile;
	int ret = 0;

	if (fm->space >= NPU_REGIONS || fm->broadcast & NPU_BROADCAST_SCALAR)
		return 0;
	for (y = 0; y < fm->height && !ret; y++) {
		tile = y < fm->height0 ? 0 : 2;
		rows = tile ? fm->height0 : 0;
		ret = emit_columns(runs, fm, fm->base[tile] + (y - rows) * fm->stride_y, left,
				   channel);
		if (ret || left == fm->width)
			continue;
		tile = y < fm->height1 ? 1 : 3;
		rows = tile == 3 ? fm->height1 : 0;
		ret = emit_columns(runs, fm, fm->base[tile] + (y - rows) * fm->stride_y,
				   fm->width - left, channel);
	}
	return ret;
}

static int emit_streams(struct runs *runs, const struct npu_op *op)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < op->cores && i < NPU_MAX_CORES && !ret; i++)
		ret = emit(runs, op->weight_space, op->weight_base[i], op->weight_len[i],
			   NPU_CH_WEIGHT);
	for (i = 0; op->per_channel && i < op->cores && i < NPU_MAX_CORES && !ret; i++)
		ret = emit(runs, op->scale_space, op->scale_base[i], op->scale_len[i],
			   NPU_CH_SCALE);
	return ret;
}

/* Offset of entry @row of plane @plane in the space of the index table. */
static int64_t index_at(const struct npu_op *op, uint32_t plane, uint32_t row)
{
	return (int64_t)op->dma_idx + plane * op->dma_idx_step + (int64_t)row * 4;
}

/*
 * The row that the table picks for @row, @row itself without a table, -1 where the walk ends: the
 * engine stops at an index that is out of range.
 */
static int64_t picked_row(const struct npu_op *op, const struct npu_space_map *idx, uint32_t plane,
			  uint32_t row)
{
	int32_t index;

	if (!op->dma_src_indexed && !op->dma_dst_indexed)
		return row;
	if (!idx->base)
		return -1;
	memcpy(&index, idx->base + (index_at(op, plane, row) - idx->lo), sizeof(index));
	return index < 0 || (uint32_t)index > op->dma_idx_max ? -1 : index;
}

static int emit_dma_side(struct runs *runs, const struct npu_op *op,
			 const struct npu_space_map *idx, bool source)
{
	enum npu_channel channel = source ? NPU_CH_DMA_READ : NPU_CH_DMA_WRITE;
	const int64_t *step = source ? op->dma_src_step : op->dma_dst_step;
	unsigned int space = source ? op->dma_src_space : op->dma_dst_space;
	bool indexed = source ? op->dma_src_indexed : op->dma_dst_indexed;
	int64_t base = source ? op->dma_src : op->dma_dst;
	uint32_t plane, row;
	int64_t picked;
	int ret = 0;

	for (plane = 0; plane < op->dma_planes && !ret; plane++) {
		for (row = 0; row < op->dma_rows && !ret; row++) {
			picked = picked_row(op, idx, plane, row);
			if (picked < 0)
				return 0;
			ret = emit(runs, space, base + plane * step[1] +
				   (indexed ? picked : row) * step[0], op->dma_len, channel);
		}
	}
	return ret;
}

static int emit_dma(struct runs *runs, const struct npu_op *op, const struct npu_space_map *idx)
{
	uint32_t plane;
	int ret = 0;

	if (op->dma_src_indexed || op->dma_dst_indexed) {
		for (plane = 0; plane < op->dma_planes && !ret; plane++)
			ret = emit(runs, op->dma_idx_space, index_at(op, plane, 0),
				   (uint64_t)op->dma_rows * 4, NPU_CH_DMA_INDEX);
	}
	if (!ret)
		ret = emit_dma_side(runs, op, idx, true);
	return ret ? ret : emit_dma_side(runs, op, idx, false);
}

int npu_log_runs(const struct npu_op *op, const uint64_t base[NPU_REGIONS],
		 const struct npu_space_map *idx,
		 int (*fn)(void *ctx, uint64_t addr, uint64_t len, enum npu_channel channel),
		 void *ctx)
{
	struct runs runs = { .base = base, .fn = fn, .ctx = ctx };
	int ret;

	if (op->kind == NPU_KIND_DMA) {
		ret = emit_dma(&runs, op, idx);
		return ret ? ret : flush(&runs);
	}
	ret = emit_fm(&runs, &op->a, NPU_CH_IFM);
	if (!ret && (op->kind == NPU_KIND_ELEMENTWISE || op->kind == NPU_KIND_MATMUL))
		ret = emit_fm(&runs, &op->b, NPU_CH_IFM2);
	if (!ret && (op->kind == NPU_KIND_CONV || op->kind == NPU_KIND_DEPTHWISE))
		ret = emit_streams(&runs, op);
	if (!ret)
		ret = emit_fm(&runs, &op->ofm, NPU_CH_OFM);
	return ret ? ret : flush(&runs);
}
