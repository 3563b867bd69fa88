/* SPDX-License-Identifier: MIT */
/* Every byte range that an operation may touch. */
#include <errno.h>

#include "sim/decode_internal.h"

typedef int (*extent_fn)(void *ctx, unsigned int space, int64_t lo, int64_t hi,
			 enum npu_channel channel);

struct extents {
	const struct npu_config *config;
	extent_fn fn;
	void *ctx;
};

static int64_t address_limit(const struct npu_config *config)
{
	return config->arch == 55 ? 1ll << 32 : 1ll << ETHOSU_ADDRESS_BITS;
}

static int report(const struct extents *e, unsigned int space, int64_t lo, int64_t hi,
		  enum npu_channel channel)
{
	if (lo >= hi)
		return 0;
	if (lo < 0 || hi > address_limit(e->config))
		return -ERANGE;
	return e->fn(e->ctx, space, lo, hi, channel);
}

static int report_fm(const struct extents *e, const struct npu_fm *fm, enum npu_channel channel)
{
	int64_t lo, hi;
	int rc = npu_fm_extent(e->config, fm, &lo, &hi);

	return rc ? rc : report(e, fm->space, lo, hi, channel);
}

static int report_streams(const struct extents *e, const struct npu_op *op)
{
	int rc = 0;

	for (unsigned int i = 0; i < op->cores && !rc; i++) {
		rc = report(e, op->weight_space, (int64_t)op->weight_base[i],
			    (int64_t)op->weight_base[i] + op->weight_len[i], NPU_CH_WEIGHT);
		if (!rc && op->per_channel)
			rc = report(e, op->scale_space, (int64_t)op->scale_base[i],
				    (int64_t)op->scale_base[i] + op->scale_len[i], NPU_CH_SCALE);
	}
	return rc;
}

/* Rows of rows: where the first and the last of them can lie. */
static int report_rows(const struct extents *e, unsigned int space, uint64_t start,
		       const int64_t step[2], const uint64_t last[2], uint64_t len,
		       enum npu_channel channel)
{
	__int128 lo = start, hi = start;

	for (unsigned int i = 0; i < 2; i++) {
		__int128 reach = (__int128)step[i] * last[i];

		if (reach < 0)
			lo += reach;
		else
			hi += reach;
	}
	hi += len;
	if (lo < 0 || hi > address_limit(e->config))
		return -ERANGE;
	return report(e, space, (int64_t)lo, (int64_t)hi, channel);
}

static int report_dma(const struct extents *e, const struct npu_op *op)
{
	/* A row picked by index can be any up to the largest that is legal. */
	const uint64_t rows[2] = { op->dma_rows - 1ull, op->dma_planes - 1ull };
	const uint64_t any[2] = { op->dma_idx_max, op->dma_planes - 1ull };
	const int64_t index_step[2] = { 4, op->dma_idx_step };
	int rc = 0;

	if (!op->dma_rows || !op->dma_planes || !op->dma_len)
		return 0;
	if (op->dma_src_indexed || op->dma_dst_indexed)
		rc = report_rows(e, op->dma_idx_space, op->dma_idx, index_step, rows, 4,
				 NPU_CH_DMA_INDEX);
	if (!rc)
		rc = report_rows(e, op->dma_src_space, op->dma_src, op->dma_src_step,
				 op->dma_src_indexed ? any : rows, op->dma_len, NPU_CH_DMA_READ);
	if (!rc)
		rc = report_rows(e, op->dma_dst_space, op->dma_dst, op->dma_dst_step,
				 op->dma_dst_indexed ? any : rows, op->dma_len, NPU_CH_DMA_WRITE);
	return rc;
}

static bool reads_second(const struct npu_op *op)
{
	/* A unary operation leaves its second operand empty, which reports nothing. */
	return op->kind == NPU_KIND_MATMUL || op->kind == NPU_KIND_ELEMENTWISE;
}

int npu_op_extents(const struct npu_config *config, const struct npu_op *op, extent_fn fn,
		   void *ctx)
{
	const struct extents e = { .config = config, .fn = fn, .ctx = ctx };
	int rc;

	if (op->kind == NPU_KIND_DMA)
		return report_dma(&e, op);
	rc = report_fm(&e, &op->a, NPU_CH_IFM);
	if (!rc && reads_second(op))
		rc = report_fm(&e, &op->b, NPU_CH_IFM2);
	if (!rc && (op->kind == NPU_KIND_CONV || op->kind == NPU_KIND_DEPTHWISE))
		rc = report_streams(&e, op);
	return rc ? rc : report_fm(&e, &op->ofm, NPU_CH_OFM);
}
