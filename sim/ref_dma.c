/* SPDX-License-Identifier: MIT */
/* Reference engine: DMA. */
#include <errno.h>
#include <string.h>

#include "sim/ref_ops.h"

#define INDEX_BYTES 4

static int64_t step(uint64_t base, uint64_t count, int64_t stride)
{
	return (int64_t)(base + count * (uint64_t)stride);
}

/* The row that the table picks for @row of @plane. */
static uint32_t table_row(struct ref_job *job, const struct npu_op *op, uint32_t plane, uint32_t row)
{
	int64_t at = step((uint64_t)step(op->dma_idx, plane, op->dma_idx_step), row, INDEX_BYTES);
	const uint8_t *p = ref_bytes(job, op->dma_idx_space, at, INDEX_BYTES);
	uint32_t index;

	if (!p)
		return 0;
	index = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
	/* Negative ones are too large as well: the largest legal index has 31 bits. */
	if (index > op->dma_idx_max || index > INT32_MAX)
		job->err = -EIO;
	return index;
}

/*
 * A row that overlaps itself is copied as if it were read before it is written. Hardware moves bursts
 * whose order is not documented; no stream of Vela's relies on it.
 */
static void copy_row(struct ref_job *job, const struct npu_op *op, int64_t src, int64_t dst)
{
	const uint8_t *from = ref_bytes(job, op->dma_src_space, src, op->dma_len);
	uint8_t *to = ref_bytes(job, op->dma_dst_space, dst, op->dma_len);

	if (from && to)
		memmove(to, from, op->dma_len);
}

void ref_dma(struct ref_job *job, const struct npu_op *op)
{
	for (uint32_t plane = 0; plane < op->dma_planes; plane++) {
		int64_t src = step(op->dma_src, plane, op->dma_src_step[1]);
		int64_t dst = step(op->dma_dst, plane, op->dma_dst_step[1]);

		for (uint32_t row = 0; row < op->dma_rows && !ref_stopped(job); row++) {
			bool indexed = op->dma_src_indexed || op->dma_dst_indexed;
			uint32_t picked = indexed ? table_row(job, op, plane, row) : row;
			uint32_t from = op->dma_src_indexed ? picked : row;
			uint32_t to = op->dma_dst_indexed ? picked : row;

			copy_row(job, op, step((uint64_t)src, from, op->dma_src_step[0]),
				 step((uint64_t)dst, to, op->dma_dst_step[0]));
		}
	}
}
