/* SPDX-License-Identifier: MIT */
/* Entry points for what an NPU does not have: images, samplers, pipes, shared virtual memory. */
#include <stddef.h>

#include "runtime/opencl/ocl_api.h"

/* Say so in *err and give nothing. */
static void *refuse(cl_context c, cl_int *err)
{
	if (err)
		*err = ocl_is(c, OCL_CONTEXT) ? CL_INVALID_OPERATION : CL_INVALID_CONTEXT;
	return NULL;
}

#define UNUSED __attribute__((unused))

#define REFUSE_CREATE(type, name, ...) \
	type CL_API_CALL ocl_##name(cl_context c, __VA_ARGS__, cl_int *err) \
	{ \
		return refuse(c, err); \
	}

REFUSE_CREATE(cl_mem, clCreateImage2D, cl_mem_flags a UNUSED, const cl_image_format *b UNUSED,
	      size_t d UNUSED, size_t e UNUSED, size_t f UNUSED, void *g UNUSED)
REFUSE_CREATE(cl_mem, clCreateImage3D, cl_mem_flags a UNUSED, const cl_image_format *b UNUSED,
	      size_t d UNUSED, size_t e UNUSED, size_t f UNUSED, size_t g UNUSED, size_t h UNUSED,
	      void *i UNUSED)
REFUSE_CREATE(cl_mem, clCreateImage, cl_mem_flags a UNUSED, const cl_image_format *b UNUSED,
	      const cl_image_desc *d UNUSED, void *e UNUSED)
REFUSE_CREATE(cl_mem, clCreateImageWithProperties, const cl_mem_properties *a UNUSED,
	      cl_mem_flags b UNUSED, const cl_image_format *d UNUSED, const cl_image_desc *e UNUSED,
	      void *f UNUSED)
REFUSE_CREATE(cl_mem, clCreatePipe, cl_mem_flags a UNUSED, cl_uint b UNUSED, cl_uint d UNUSED,
	      const cl_pipe_properties *e UNUSED)
REFUSE_CREATE(cl_sampler, clCreateSampler, cl_bool a UNUSED, cl_addressing_mode b UNUSED,
	      cl_filter_mode d UNUSED)
REFUSE_CREATE(cl_sampler, clCreateSamplerWithProperties, const cl_sampler_properties *a UNUSED)

cl_int CL_API_CALL ocl_clGetSupportedImageFormats(cl_context c, cl_mem_flags flags UNUSED,
						  cl_mem_object_type type UNUSED, cl_uint room UNUSED,
						  cl_image_format *out UNUSED, cl_uint *count)
{
	if (!ocl_is(c, OCL_CONTEXT))
		return CL_INVALID_CONTEXT;
	if (count)
		*count = 0;
	return CL_SUCCESS;
}

/* No handle of such a kind was ever given out. */
#define REFUSE_HANDLE(code, name, ...) \
	cl_int CL_API_CALL ocl_##name(__VA_ARGS__) \
	{ \
		return code; \
	}

REFUSE_HANDLE(CL_INVALID_MEM_OBJECT, clGetImageInfo, cl_mem a UNUSED, cl_image_info b UNUSED,
	      size_t c UNUSED, void *d UNUSED, size_t *e UNUSED)
REFUSE_HANDLE(CL_INVALID_MEM_OBJECT, clGetPipeInfo, cl_mem a UNUSED, cl_pipe_info b UNUSED,
	      size_t c UNUSED, void *d UNUSED, size_t *e UNUSED)
REFUSE_HANDLE(CL_INVALID_SAMPLER, clRetainSampler, cl_sampler a UNUSED)
REFUSE_HANDLE(CL_INVALID_SAMPLER, clReleaseSampler, cl_sampler a UNUSED)
REFUSE_HANDLE(CL_INVALID_SAMPLER, clGetSamplerInfo, cl_sampler a UNUSED, cl_sampler_info b UNUSED,
	      size_t c UNUSED, void *d UNUSED, size_t *e UNUSED)

/* Commands. */
#define REFUSE_COMMAND(code, name, ...) \
	cl_int CL_API_CALL ocl_##name(cl_command_queue q, __VA_ARGS__) \
	{ \
		return ocl_is(q, OCL_QUEUE) ? code : CL_INVALID_COMMAND_QUEUE; \
	}

#define WAITS cl_uint wc UNUSED, const cl_event *wl UNUSED, cl_event *ev UNUSED

REFUSE_COMMAND(CL_INVALID_OPERATION, clEnqueueReadImage, cl_mem a UNUSED, cl_bool b UNUSED,
	       const size_t *c UNUSED, const size_t *d UNUSED, size_t e UNUSED, size_t f UNUSED,
	       void *g UNUSED, WAITS)
REFUSE_COMMAND(CL_INVALID_OPERATION, clEnqueueWriteImage, cl_mem a UNUSED, cl_bool b UNUSED,
	       const size_t *c UNUSED, const size_t *d UNUSED, size_t e UNUSED, size_t f UNUSED,
	       const void *g UNUSED, WAITS)
REFUSE_COMMAND(CL_INVALID_OPERATION, clEnqueueCopyImage, cl_mem a UNUSED, cl_mem b UNUSED,
	       const size_t *c UNUSED, const size_t *d UNUSED, const size_t *e UNUSED, WAITS)
REFUSE_COMMAND(CL_INVALID_OPERATION, clEnqueueCopyImageToBuffer, cl_mem a UNUSED, cl_mem b UNUSED,
	       const size_t *c UNUSED, const size_t *d UNUSED, size_t e UNUSED, WAITS)
REFUSE_COMMAND(CL_INVALID_OPERATION, clEnqueueCopyBufferToImage, cl_mem a UNUSED, cl_mem b UNUSED,
	       size_t c UNUSED, const size_t *d UNUSED, const size_t *e UNUSED, WAITS)
REFUSE_COMMAND(CL_INVALID_OPERATION, clEnqueueFillImage, cl_mem a UNUSED, const void *b UNUSED,
	       const size_t *c UNUSED, const size_t *d UNUSED, WAITS)
REFUSE_COMMAND(CL_INVALID_OPERATION, clEnqueueNativeKernel,
	       void(CL_CALLBACK *a)(void *) UNUSED, void *b UNUSED, size_t c UNUSED, cl_uint d UNUSED,
	       const cl_mem *e UNUSED, const void **f UNUSED, WAITS)
REFUSE_COMMAND(CL_INVALID_OPERATION, clEnqueueSVMFree, cl_uint a UNUSED, void *b[] UNUSED,
	       void(CL_CALLBACK *c)(cl_command_queue, cl_uint, void *[], void *) UNUSED,
	       void *d UNUSED, WAITS)
REFUSE_COMMAND(CL_INVALID_OPERATION, clEnqueueSVMMemcpy, cl_bool a UNUSED, void *b UNUSED,
	       const void *c UNUSED, size_t d UNUSED, WAITS)
REFUSE_COMMAND(CL_INVALID_OPERATION, clEnqueueSVMMemFill, void *a UNUSED, const void *b UNUSED,
	       size_t c UNUSED, size_t d UNUSED, WAITS)
REFUSE_COMMAND(CL_INVALID_OPERATION, clEnqueueSVMMap, cl_bool a UNUSED, cl_map_flags b UNUSED,
	       void *c UNUSED, size_t d UNUSED, WAITS)
REFUSE_COMMAND(CL_INVALID_OPERATION, clEnqueueSVMUnmap, void *a UNUSED, WAITS)
REFUSE_COMMAND(CL_INVALID_OPERATION, clEnqueueSVMMigrateMem, cl_uint a UNUSED, const void **b UNUSED,
	       const size_t *c UNUSED, cl_mem_migration_flags d UNUSED, WAITS)
REFUSE_COMMAND(CL_INVALID_OPERATION, clSetCommandQueueProperty, cl_command_queue_properties a UNUSED,
	       cl_bool b UNUSED, cl_command_queue_properties *c UNUSED)

void *CL_API_CALL ocl_clEnqueueMapImage(cl_command_queue q, cl_mem a UNUSED, cl_bool b UNUSED,
					cl_map_flags c UNUSED, const size_t *d UNUSED,
					const size_t *e UNUSED, size_t *f UNUSED, size_t *g UNUSED, WAITS,
					cl_int *err)
{
	if (err)
		*err = ocl_is(q, OCL_QUEUE) ? CL_INVALID_OPERATION : CL_INVALID_COMMAND_QUEUE;
	return NULL;
}

void *CL_API_CALL ocl_clSVMAlloc(cl_context c UNUSED, cl_svm_mem_flags a UNUSED, size_t b UNUSED,
				 cl_uint d UNUSED)
{
	return NULL;
}

void CL_API_CALL ocl_clSVMFree(cl_context c UNUSED, void *a UNUSED)
{
}

/* Kernels, programs, devices. */
cl_int CL_API_CALL ocl_clSetKernelArgSVMPointer(cl_kernel k, cl_uint a UNUSED, const void *b UNUSED)
{
	return ocl_is(k, OCL_KERNEL) ? CL_INVALID_OPERATION : CL_INVALID_KERNEL;
}

cl_int CL_API_CALL ocl_clSetKernelExecInfo(cl_kernel k, cl_kernel_exec_info a UNUSED, size_t b UNUSED,
					   const void *c UNUSED)
{
	return ocl_is(k, OCL_KERNEL) ? CL_INVALID_OPERATION : CL_INVALID_KERNEL;
}

cl_int CL_API_CALL ocl_clGetKernelSubGroupInfo(cl_kernel k, cl_device_id a UNUSED,
					       cl_kernel_sub_group_info b UNUSED, size_t c UNUSED,
					       const void *d UNUSED, size_t e UNUSED, void *f UNUSED,
					       size_t *g UNUSED)
{
	return ocl_is(k, OCL_KERNEL) ? CL_INVALID_OPERATION : CL_INVALID_KERNEL;
}

cl_int CL_API_CALL ocl_clSetProgramSpecializationConstant(cl_program p, cl_uint a UNUSED,
							  size_t b UNUSED, const void *c UNUSED)
{
	return ocl_is(p, OCL_PROGRAM) ? CL_INVALID_OPERATION : CL_INVALID_PROGRAM;
}

cl_int CL_API_CALL ocl_clSetDefaultDeviceCommandQueue(cl_context c, cl_device_id a UNUSED,
						      cl_command_queue b UNUSED)
{
	return ocl_is(c, OCL_CONTEXT) ? CL_INVALID_OPERATION : CL_INVALID_CONTEXT;
}

cl_int CL_API_CALL ocl_record_nothing(ocl_command_buffer b)
{
	return ocl_is(b, OCL_COMMAND_BUFFER) ? CL_INVALID_OPERATION : OCL_INVALID_COMMAND_BUFFER;
}
