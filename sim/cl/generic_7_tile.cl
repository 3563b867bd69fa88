/* SPDX-License-Identifier: MIT */
/* Portable OpenCL C, part 7: any operation, tile by tile. */

static uint generic_tiles(__global const struct npu_op *op)
{
	ulong chunks, group;

	return op->kind == NPU_KIND_DMA ? gen_dma_split(op, &chunks, &group) : op->oh;
}

/* A pooling of single elements: copies, rescales and tables come as these. */
static uint gen_pool_is_flat(__global const struct npu_op *op)
{
	return op->kernel_h == 1 && op->kernel_w == 1 && op->stride_y == 1 && op->stride_x == 1 &&
	       !op->pad_top && !op->pad_left && !op->pad_bottom && !op->pad_right && !op->upscale &&
	       (op->mode <= NPU_POOL_AVERAGE || op->mode == NPU_POOL_SUM ||
		op->mode == NPU_POOL_NONE || op->mode == NPU_POOL_MIN);
}

/*
 * weights: decoded, [oc][ky][kx][ic], and bias, [oc], of CONV and DEPTHWISE. Tiles are independent
 * of one another. Returns nonzero if the data broke a rule (an index of indexed DMA out of range).
 */
static int generic_tile(const struct npu_mem *mem, __global const struct npu_op *op,
			__global const short *weights, __global const struct cl_bias *bias,
			uint tile)
{
	switch (op->kind) {
	case NPU_KIND_DMA:
		return gen_dma_tile(mem, op, tile);
	case NPU_KIND_RESIZE:
		gen_resize_row(mem, op, tile);
		return 0;
	case NPU_KIND_ELEMENTWISE:
		gen_flat_row(mem, op, tile);
		return 0;
	case NPU_KIND_POOL:
		if (gen_pool_is_flat(op)) {
			gen_flat_row(mem, op, tile);
			return 0;
		}
		break;
	}
	gen_window_row(mem, op, weights, bias, tile);
	return 0;
}
