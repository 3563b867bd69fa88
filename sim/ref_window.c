/* SPDX-License-Identifier: MIT */
/* Reference engine: which IFM element lies under a kernel's tap. */
#include "sim/ref_ops.h"

static int64_t dilated(unsigned int taps, unsigned int dilation)
{
	return (int64_t)(taps - 1) * dilation + 1;
}

/*
 * The upscaled IFM can be one row or column smaller than twice what is stored; its extent follows from
 * the output, the kernel and the padding.
 */
static int64_t extent(const struct npu_op *op, uint32_t stored, uint32_t outputs, unsigned int stride,
		      int64_t kernel, unsigned int pads)
{
	int64_t covered = ((int64_t)outputs - 1) * stride + kernel - pads;

	if (op->upscale == NPU_UPSCALE_NONE)
		return stored;
	return covered < 2 * (int64_t)stored ? covered : 2 * (int64_t)stored;
}

void ref_window_init(struct ref_window *win, const struct npu_op *op)
{
	win->op = op;
	win->height = extent(op, op->a.height, op->oh, op->stride_y,
			     dilated(op->kernel_h, op->dilation_y), op->pad_top + op->pad_bottom);
	win->width = extent(op, op->a.width, op->ow, op->stride_x,
			    dilated(op->kernel_w, op->dilation_x), op->pad_left + op->pad_right);
}

bool ref_window_tap(const struct ref_window *win, uint32_t oy, uint32_t ox, unsigned int ky,
		    unsigned int kx, uint32_t *iy, uint32_t *ix, bool *zero)
{
	const struct npu_op *op = win->op;
	int64_t y = (int64_t)oy * op->stride_y + (int64_t)ky * op->dilation_y - op->pad_top;
	int64_t x = (int64_t)ox * op->stride_x + (int64_t)kx * op->dilation_x - op->pad_left;

	if (y < 0 || y >= win->height || x < 0 || x >= win->width)
		return false;
	*zero = op->upscale == NPU_UPSCALE_ZEROS && ((y | x) & 1);
	if (op->upscale != NPU_UPSCALE_NONE) {
		y /= 2;
		x /= 2;
	}
	*iy = (uint32_t)y;
	*ix = (uint32_t)x;
	return true;
}
