/* SPDX-License-Identifier: MIT */
/* Which operations have a fast kernel, and what it needs. Each returns false to leave it to generic code. */
#ifndef ACCEL_SIM_CL_PLAN_FAST_H
#define ACCEL_SIM_CL_PLAN_FAST_H

#include "sim/cl_plan.h"

/* Weights and records of one operation, decoded. */
struct npu_decoded {
	int16_t *weights;
	size_t count;
	struct npu_bias *bias;
};

bool npu_plan_conv(const struct npu_op *op, const struct npu_decoded *d, unsigned int threads,
		   struct npu_blob *blob, struct npu_task *t);
bool npu_plan_add(const struct npu_op *op, unsigned int threads, struct npu_blob *blob, struct npu_task *t);
bool npu_plan_map(const struct npu_op *op, unsigned int threads, struct npu_blob *blob, struct npu_task *t);
bool npu_plan_word(const struct npu_op *op, struct npu_task *t);
bool npu_plan_pool(const struct npu_op *op, unsigned int threads, struct npu_task *t);

/* 0x80 if the map's bytes are unsigned: what turns them into signed ones and back. */
uint32_t npu_flip(const struct npu_fm *fm);
/* Can the kernels address this map of bytes? */
bool npu_fast_map(const struct npu_fm *fm);
/* Can they write this OFM? */
bool npu_fast_ofm(const struct npu_op *op);
/* Clamp and zero point in the signed byte domain. */
bool npu_fast_output(const struct npu_op *op, struct npu_task *t);

#endif
