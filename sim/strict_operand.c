/* SPDX-License-Identifier: MIT */
/* Alignment and limits: kernels, feature maps, streams, copies. */
#include "sim/strict_internal.h"

static int check_kernel(struct strict *s, const struct npu_op *op)
{
	bool pool = op->kind == NPU_KIND_POOL && op->mode != NPU_POOL_AVERAGE &&
		    op->mode != NPU_POOL_SUM;
	unsigned int h = pool ? ETHOSU_MAX_POOL_H : ETHOSU_MAX_KERNEL_H;
	unsigned int area = pool ? ETHOSU_MAX_POOL_AREA : ETHOSU_MAX_KERNEL_AREA;
	unsigned int tall = (op->kernel_h - 1u) * op->dilation_y + 1;
	unsigned int wide = (op->kernel_w - 1u) * op->dilation_x + 1;

	if (tall > h || (uint64_t)tall * wide > area)
		return strict_fail(s, "kernel", "%u x %u, at most %u high and %u in all", tall,
				   wide, h, area);
	if (op->stride_y > ETHOSU_MAX_STRIDE || op->stride_x > ETHOSU_MAX_STRIDE)
		return strict_fail(s, "kernel", "stride %u x %u, at most %d", op->stride_y,
				   op->stride_x, ETHOSU_MAX_STRIDE);
	if (op->decompose4x4)
		return strict_fail(s, "kernel", "sub-kernels of 4 x 4: no known stream has them");
	return 0;
}

static int check_fm(struct strict *s, const char *name, const struct npu_fm *fm)
{
	const bool used[4] = {
		true,
		fm->width > fm->width0,
		fm->height > fm->height0,
		fm->width > fm->width0 && fm->height > fm->height1,
	};
	int64_t align = fm->brick ? ETHOSU_BRICK : 1 << fm->elem_log2;

	if (fm->space >= NPU_REGIONS || !fm->height || fm->broadcast & NPU_BROADCAST_SCALAR)
		return 0;
	for (unsigned int i = 0; i < 4; i++)
		if (used[i] && fm->base[i] & (align - 1))
			return strict_fail(s, "alignment",
					   "%s tile %u at 0x%llx, not a multiple of %d", name, i,
					   (unsigned long long)fm->base[i], (int)align);
	if (fm->height > 1 && fm->stride_y & (align - 1))
		return strict_fail(s, "alignment", "%s rows 0x%llx apart, not a multiple of %d",
				   name, (long long)fm->stride_y, (int)align);
	if (fm->brick ? fm->depth > ETHOSU_BRICK && fm->stride_c & (align - 1)
		      : fm->width > 1 && fm->stride_x & (align - 1))
		return strict_fail(s, "alignment",
				   "%s bricks or columns not a multiple of %d apart", name,
				   (int)align);
	return 0;
}

static int check_stream(struct strict *s, const char *name, uint64_t base, uint32_t len)
{
	if (base % ETHOSU_STREAM_ALIGN || len % ETHOSU_STREAM_ALIGN)
		return strict_fail(s, "alignment",
				   "%s at 0x%llx of %u bytes, not multiples of %d", name,
				   (unsigned long long)base, len, ETHOSU_STREAM_ALIGN);
	return 0;
}

static int check_streams(struct strict *s, const struct npu_op *op)
{
	unsigned int split = s->config->arch == 85 ? 1 : op->cores;
	int rc = 0;

	for (unsigned int i = 0; i < op->cores && i < NPU_MAX_CORES && !rc; i++)
		rc = check_stream(s, "weights", op->weight_base[i], op->weight_len[i]);
	for (unsigned int i = 0; op->per_channel && i < split && i < NPU_MAX_CORES && !rc; i++) {
		/* Channels go to the cores in turn. */
		uint32_t bytes = (op->oc + split - 1 - i) / split * ETHOSU_SCALE_RECORD;

		rc = check_stream(s, "scales", op->scale_base[i], op->scale_len[i]);
		bytes = (bytes + ETHOSU_STREAM_ALIGN - 1) & ~(ETHOSU_STREAM_ALIGN - 1u);
		if (!rc && op->scale_len[i] < bytes)
			rc = strict_fail(s, "scales", "%u bytes, %u channels need %u",
					 op->scale_len[i], op->oc, bytes);
	}
	return rc;
}

static int check_copy(struct strict *s, const struct npu_op *op)
{
	if (op->dma_dst_space != NPU_SPACE_INTERNAL)
		return 0;
	if ((op->dma_src | op->dma_dst | op->dma_len) & (ETHOSU_STREAM_ALIGN - 1))
		return strict_fail(s, "alignment",
				   "table of %llu bytes from 0x%llx to 0x%llx, not multiples of %d",
				   (unsigned long long)op->dma_len, (unsigned long long)op->dma_src,
				   (unsigned long long)op->dma_dst, ETHOSU_STREAM_ALIGN);
	if (op->dma_rows > 1 || op->dma_planes > 1)
		return strict_fail(s, "table", "copied in more than one row");
	if (op->dma_dst < s->arch->lut_offset ||
	    op->dma_dst + op->dma_len > s->arch->lut_offset + (uint64_t)ETHOSU_LUT_SIZE)
		return strict_fail(s, "table", "copied to [0x%llx, 0x%llx), tables are at 0x%x",
				   (unsigned long long)op->dma_dst,
				   (unsigned long long)(op->dma_dst + op->dma_len),
				   s->arch->lut_offset);
	return 0;
}

int strict_operand(struct strict *s, const struct npu_op *op, const struct npu_op_aux *aux)
{
	bool second = op->kind == NPU_KIND_ELEMENTWISE && op->b.height;
	int rc;

	if (op->kind == NPU_KIND_DMA)
		return check_copy(s, op);
	rc = check_kernel(s, op);
	if (!rc)
		rc = check_fm(s, "IFM", &op->a);
	if (!rc && (second || op->kind == NPU_KIND_MATMUL))
		rc = check_fm(s, "IFM2", &op->b);
	if (!rc)
		rc = check_fm(s, "OFM", &op->ofm);
	if (!rc && second && op->a.elem_log2 != op->b.elem_log2)
		rc = strict_fail(s, "precision", "operands of %u and %u bits", 8u << op->a.elem_log2,
				 8u << op->b.elem_log2);
	if (!rc && aux->blockdep > s->arch->max_blockdep)
		rc = strict_fail(s, "blockdep", "%u, at most %u", aux->blockdep,
				 s->arch->max_blockdep);
	if (!rc && (op->kind == NPU_KIND_CONV || op->kind == NPU_KIND_DEPTHWISE))
		rc = check_streams(s, op);
	return rc;
}
