/* SPDX-License-Identifier: MIT */
/* checkops: an operation in words, for a mismatch. */
#include <stdio.h>

#include "tests/checkops.h"

static void print_fm(const char *name, const struct npu_fm *fm)
{
	printf("    %-4s %ux%ux%u %c%u zp %d %s%s", name, fm->height, fm->width, fm->depth,
	       fm->is_signed ? 's' : 'u', 8u << fm->elem_log2, fm->zero_point,
	       fm->brick ? "NHCWB16" : "NHWC", fm->stride_y < 0 ? " upside down" : "");
	if (fm->broadcast)
		printf(" broadcast %u", fm->broadcast);
	printf(" space %u base 0x%llx strides %lld %lld %lld", fm->space,
	       (unsigned long long)fm->base[0], (long long)fm->stride_y, (long long)fm->stride_x,
	       (long long)fm->stride_c);
	if (fm->width0 < fm->width || fm->height0 < fm->height || fm->height1 < fm->height)
		printf(" tiles %u, %u, %u", fm->width0, fm->height0, fm->height1);
	printf("\n");
}

static void print_scale(const char *name, const struct npu_scale *s)
{
	printf(" %s %u >> %u round %u dbl %u", name, s->scale, s->shift, s->round, s->dbl);
}

static void print_dma(const struct npu_op *op)
{
	printf("  dma: space %u 0x%llx -> space %u 0x%llx, %u planes of %u rows of %llu bytes, "
	       "steps "
	       "%lld %lld -> %lld %lld%s%s\n",
	       op->dma_src_space, (unsigned long long)op->dma_src, op->dma_dst_space,
	       (unsigned long long)op->dma_dst, op->dma_planes, op->dma_rows,
	       (unsigned long long)op->dma_len, (long long)op->dma_src_step[0],
	       (long long)op->dma_src_step[1], (long long)op->dma_dst_step[0],
	       (long long)op->dma_dst_step[1], op->dma_src_indexed ? ", gather" : "",
	       op->dma_dst_indexed ? ", scatter" : "");
}

void check_print_op(const struct npu_op *op)
{
	static const char *const kinds[] = {
		[NPU_KIND_CONV] = "conv",	[NPU_KIND_DEPTHWISE] = "depthwise",
		[NPU_KIND_MATMUL] = "matmul",	[NPU_KIND_POOL] = "pool",
		[NPU_KIND_ELEMENTWISE] = "elementwise", [NPU_KIND_RESIZE] = "resize",
	};

	if (op->kind == NPU_KIND_DMA) {
		print_dma(op);
		return;
	}
	printf("  %s mode %u: out %ux%ux%u kernel %ux%u stride %u,%u dilation %u,%u pad "
	       "%u,%u,%u,%u "
	       "upscale %u transpose %u reverse %u\n",
	       kinds[op->kind], op->mode, op->oh, op->ow, op->oc, op->kernel_h, op->kernel_w,
	       op->stride_y, op->stride_x, op->dilation_y, op->dilation_x, op->pad_top,
	       op->pad_left, op->pad_bottom, op->pad_right, op->upscale, op->transpose,
	       op->reverse);
	printf("    per_channel %u round %u hw_divide %u clamp %u [%d, %d] lut %u at %u scalar "
	       "%d\n   ",
	       op->per_channel, op->round, op->hw_divide, op->clamp, op->act_min, op->act_max,
	       op->lut, op->lut_offset, op->scalar);
	print_scale("a", &op->a_scale);
	print_scale("b", &op->b_scale);
	print_scale("ofm", &op->ofm_scale);
	printf("\n");
	if (op->kind == NPU_KIND_RESIZE)
		printf("    y %u/%u%+d x %u/%u%+d\n", op->resize_step_y, op->resize_n_y,
		       op->resize_off_y, op->resize_step_x, op->resize_n_x, op->resize_off_x);
	print_fm("a", &op->a);
	if (op->kind == NPU_KIND_ELEMENTWISE || op->kind == NPU_KIND_MATMUL)
		print_fm("b", &op->b);
	print_fm("ofm", &op->ofm);
}
