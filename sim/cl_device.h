/* SPDX-License-Identifier: MIT */
/* One OpenCL device with the NPU's kernels built for it. */
#ifndef ACCEL_SIM_CL_DEVICE_H
#define ACCEL_SIM_CL_DEVICE_H

#include <stdbool.h>

#include "sim/cl_calls.h"
#include "sim/npu.h"

/**
 * struct npu_cl - an OpenCL context on one device and the program for it
 * @call: OpenCL's functions
 * @units: compute units: work-groups that can run at a time
 * @unified: the device works on host memory in place, so that buffers need no mapping
 * @path: "vnni" or "portable"
 * @name: of platform and device
 */
struct npu_cl {
	struct cl_calls call;
	cl_platform_id platform;
	cl_device_id device;
	cl_context context;
	cl_program program;
	unsigned int units;
	bool unified;
	const char *path;
	char name[96];
};

/**
 * npu_cl_open - find a device and build the kernels, from the cache if they are there
 *
 * Return: 0, -ENODEV, -EIO, -ENOMEM or -EINVAL, with one line in @err.
 */
int npu_cl_open(struct npu_cl *cl, const struct npu_options *opt, char *err, size_t err_len);
void npu_cl_close(struct npu_cl *cl);

#endif
