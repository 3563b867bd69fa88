/* SPDX-License-Identifier: MIT */
/*
 * The functions of OpenCL that are used. The loader and the drivers that it brings along are loaded with the
 * first device: programs that only link the library start in half the time, and do without on machines that
 * have a real NPU.
 */
#ifndef ACCEL_SIM_CL_CALLS_H
#define ACCEL_SIM_CL_CALLS_H

#include <CL/cl.h>
#include <stddef.h>

#define CL_CALLS(call) \
	call(BuildProgram) call(CreateBuffer) call(CreateCommandQueue) call(CreateContext) \
	call(CreateKernel) call(CreateProgramWithBinary) call(CreateProgramWithSource) \
	call(EnqueueNDRangeKernel) call(EnqueueReadBuffer) call(EnqueueWriteBuffer) call(Finish) \
	call(GetDeviceIDs) call(GetDeviceInfo) call(GetPlatformIDs) call(GetPlatformInfo) \
	call(GetProgramBuildInfo) call(GetProgramInfo) call(ReleaseCommandQueue) call(ReleaseContext) \
	call(ReleaseKernel) call(ReleaseMemObject) call(ReleaseProgram) call(SetKernelArg)

#define CL_MEMBER(name) __typeof__(&cl##name) name;
struct cl_calls {
	CL_CALLS(CL_MEMBER)
};
#undef CL_MEMBER

/**
 * cl_calls_load - load OpenCL, if it is not there yet, and look up its functions
 * @calls: they stay valid, the library is never unloaded
 *
 * Return: 0, -ENODEV: there is no OpenCL, with one line in @err.
 */
int cl_calls_load(struct cl_calls *calls, char *err, size_t err_len);

#endif
