/* SPDX-License-Identifier: MIT */
/*
 * How much there is to do for the simulator in an operation: so that a stream of a few bytes can not
 * keep it busy for hours.
 */
#include "sim/npu_internal.h"

static uint64_t mul(uint64_t a, uint64_t b)
{
	uint64_t product;

	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static uint64_t add(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static uint64_t elements(const struct npu_fm *fm)
{
	if (fm->broadcast & NPU_BROADCAST_SCALAR)
		return 0;
	return mul(mul(fm->height, fm->width), fm->depth);
}

static uint64_t bytes(const struct npu_fm *fm)
{
	return mul(elements(fm), 1u << fm->elem_log2);
}

/* Rows are read and written, and found. */
static uint64_t copy_work(const struct npu_op *op)
{
	uint64_t rows = mul(op->dma_rows, op->dma_planes);
	uint64_t work = add(mul(mul(rows, op->dma_len), 2), rows);

	if (op->dma_src_indexed || op->dma_dst_indexed)
		work = add(work, mul(rows, sizeof(int32_t)));
	return work;
}

/* Multiply-accumulates, or what stands for them, of each output element. */
static uint64_t taps(const struct npu_op *op)
{
	uint64_t kernel = mul(op->kernel_h, op->kernel_w);

	switch (op->kind) {
	case NPU_KIND_CONV:
	case NPU_KIND_MATMUL:
		return mul(kernel, op->a.depth);
	case NPU_KIND_POOL:
		return op->mode == NPU_POOL_REDUCE_SUM ? mul(kernel, op->a.depth) : kernel;
	case NPU_KIND_RESIZE:
		return 4;	/* neighbours */
	case NPU_KIND_DEPTHWISE:
		return kernel;
	}
	return 0;
}

uint64_t npu_op_work(const struct npu_op *op)
{
	uint64_t outputs, work;

	if (op->kind == NPU_KIND_DMA)
		return copy_work(op);
	outputs = mul(mul(op->oh, op->ow), op->oc);
	work = add(add(mul(outputs, taps(op)), outputs), add(elements(&op->a), elements(&op->b)));
	work = add(work, add(bytes(&op->a), bytes(&op->ofm)));
	if (op->kind == NPU_KIND_ELEMENTWISE || op->kind == NPU_KIND_MATMUL)
		work = add(work, bytes(&op->b));
	if (op->kind != NPU_KIND_CONV && op->kind != NPU_KIND_DEPTHWISE)
		return work;
	for (unsigned int i = 0; i < op->cores && i < NPU_MAX_CORES; i++)
		work = add(work, op->weight_len[i] +
				 (op->per_channel ? (uint64_t)op->scale_len[i] : 0));
	return work;
}
