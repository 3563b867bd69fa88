/* SPDX-License-Identifier: MIT */
/* Portable OpenCL C, part 6: DMA. A tile is a chunk of a long row or a group of short ones. */
#define GEN_DMA_CHUNK 65536ul

/* A row that overlaps itself is copied as if it were read before it is written. */
static void gen_copy(__global uchar *dst, __global const uchar *src, ulong len)
{
	ulong blocks = len / 16 * 16;

	if (dst > src && dst < src + len) {
		for (ulong i = len; i > blocks; i--)
			dst[i - 1] = src[i - 1];
		for (ulong i = blocks; i; i -= 16)
			*(__global gen_u128 *)(dst + i - 16) =
				*(__global const gen_u128 *)(src + i - 16);
		return;
	}
	for (ulong i = 0; i < blocks; i += 16)
		*(__global gen_u128 *)(dst + i) = *(__global const gen_u128 *)(src + i);
	for (ulong i = blocks; i < len; i++)
		dst[i] = src[i];
}

/* Rows may land on one another, or on a source still to be read: then their order shows. */
static uint gen_dma_ordered(__global const struct npu_op *op)
{
	long step = op->dma_dst_step[0], plane = op->dma_dst_step[1];

	if (op->dma_dst_indexed || op->dma_src_space == op->dma_dst_space)
		return 1;
	if (op->dma_rows > 1 && (ulong)abs(step) < op->dma_len)
		return 1;
	return op->dma_planes > 1 &&
	       (ulong)abs(plane) < (ulong)abs(step) * (op->dma_rows - 1) + op->dma_len;
}

/* Chunks of a row and rows of a tile; one of them is 1. */
static uint gen_dma_split(__global const struct npu_op *op, ulong *chunks, ulong *group)
{
	ulong len = max(op->dma_len, 1ul);
	ulong rows = (ulong)op->dma_rows * op->dma_planes, tiles;

	*chunks = (len + GEN_DMA_CHUNK - 1) / GEN_DMA_CHUNK;
	*group = max(GEN_DMA_CHUNK / len, 1ul);
	tiles = (rows + *group - 1) / *group * *chunks;
	if (tiles <= INT_MAX && !gen_dma_ordered(op))
		return (uint)tiles;
	*chunks = 1;
	*group = rows;
	return rows ? 1 : 0;
}

/* -1: an index is out of range. */
static int gen_dma_row(const struct npu_mem *mem, __global const struct npu_op *op, ulong number,
		       ulong from, ulong len)
{
	long plane = (long)(number / op->dma_rows), row = (long)(number % op->dma_rows);
	long src_row = row, dst_row = row;

	if (op->dma_src_indexed || op->dma_dst_indexed) {
		long at = (long)op->dma_idx + plane * op->dma_idx_step + 4 * row;
		long index = *(__global const gen_s32 *)gen_space(mem, op->dma_idx_space, at);

		if (index < 0 || index > op->dma_idx_max)
			return -1;
		if (op->dma_src_indexed)
			src_row = index;
		if (op->dma_dst_indexed)
			dst_row = index;
	}
	gen_copy(gen_space(mem, op->dma_dst_space,
			   (long)(op->dma_dst + from) + dst_row * op->dma_dst_step[0] +
				   plane * op->dma_dst_step[1]),
		 gen_space(mem, op->dma_src_space,
			   (long)(op->dma_src + from) + src_row * op->dma_src_step[0] +
				   plane * op->dma_src_step[1]),
		 len);
	return 0;
}

GEN_CALL int gen_dma_tile(const struct npu_mem *mem, __global const struct npu_op *op, uint tile)
{
	ulong rows = (ulong)op->dma_rows * op->dma_planes, len = op->dma_len;
	ulong chunks, group, first, from;

	gen_dma_split(op, &chunks, &group);
	if (chunks > 1) {
		from = tile % chunks * GEN_DMA_CHUNK;
		return gen_dma_row(mem, op, tile / chunks, from, min(GEN_DMA_CHUNK, len - from));
	}
	first = tile * group;
	for (ulong r = first; r < min(first + group, rows); r++) {
		if (gen_dma_row(mem, op, r, 0, len))
			return -1;
	}
	return 0;
}
