/* SPDX-License-Identifier: MIT */
/* Reference engine: one function for each kind of operation. Errors are left in @job->err. */
#ifndef ACCEL_SIM_REF_OPS_H
#define ACCEL_SIM_REF_OPS_H

#include "sim/ref_fm.h"

void ref_conv(struct ref_job *job, const struct npu_op *op);
void ref_depthwise(struct ref_job *job, const struct npu_op *op);
void ref_matmul(struct ref_job *job, const struct npu_op *op);
void ref_pool(struct ref_job *job, const struct npu_op *op);
void ref_elementwise(struct ref_job *job, const struct npu_op *op);
void ref_resize(struct ref_job *job, const struct npu_op *op);
void ref_dma(struct ref_job *job, const struct npu_op *op);

/**
 * struct ref_window - where a kernel stands in the IFM, after upscaling
 * @height, @width: extent of the upscaled IFM
 *
 * Beyond that extent lies padding.
 */
struct ref_window {
	const struct npu_op *op;
	int64_t height, width;
};

void ref_window_init(struct ref_window *win, const struct npu_op *op);

/**
 * ref_window_tap - find the IFM element under a tap
 * @oy, @ox: output position
 * @ky, @kx: tap
 * @iy, @ix: the element
 * @zero: set if it is one of the zeros that upscaling put in (inside, but without data)
 *
 * Return: false if the tap is on padding.
 */
bool ref_window_tap(const struct ref_window *win, uint32_t oy, uint32_t ox, unsigned int ky,
		    unsigned int kx, uint32_t *iy, uint32_t *ix, bool *zero);

#endif
