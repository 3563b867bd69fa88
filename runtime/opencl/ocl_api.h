/* SPDX-License-Identifier: MIT */
/*
 * The entry points: clX is ocl_clX here, so that nothing of the loader's can be taken for it. Types are
 * those of the application's header.
 */
#ifndef ACCEL_RUNTIME_OCL_API_H
#define ACCEL_RUNTIME_OCL_API_H

#include "runtime/opencl/ocl.h"

#define OCL_ENTRIES(X) \
	X(clGetDeviceIDs) X(clGetDeviceInfo) X(clCreateContext) X(clCreateContextFromType) \
	X(clRetainContext) X(clReleaseContext) X(clGetContextInfo) X(clCreateCommandQueue) \
	X(clRetainCommandQueue) X(clReleaseCommandQueue) X(clGetCommandQueueInfo) \
	X(clSetCommandQueueProperty) X(clCreateBuffer) X(clCreateImage2D) X(clCreateImage3D) \
	X(clRetainMemObject) X(clReleaseMemObject) X(clGetSupportedImageFormats) \
	X(clGetMemObjectInfo) X(clGetImageInfo) X(clCreateSampler) X(clRetainSampler) \
	X(clReleaseSampler) X(clGetSamplerInfo) X(clCreateProgramWithSource) \
	X(clCreateProgramWithBinary) X(clRetainProgram) X(clReleaseProgram) X(clBuildProgram) \
	X(clGetProgramInfo) X(clGetProgramBuildInfo) X(clCreateKernel) \
	X(clCreateKernelsInProgram) X(clRetainKernel) X(clReleaseKernel) X(clSetKernelArg) \
	X(clGetKernelInfo) X(clGetKernelWorkGroupInfo) X(clWaitForEvents) X(clGetEventInfo) \
	X(clRetainEvent) X(clReleaseEvent) X(clGetEventProfilingInfo) X(clFlush) X(clFinish) \
	X(clEnqueueReadBuffer) X(clEnqueueWriteBuffer) X(clEnqueueCopyBuffer) \
	X(clEnqueueReadImage) X(clEnqueueWriteImage) X(clEnqueueCopyImage) \
	X(clEnqueueCopyImageToBuffer) X(clEnqueueCopyBufferToImage) X(clEnqueueMapBuffer) \
	X(clEnqueueMapImage) X(clEnqueueUnmapMemObject) X(clEnqueueNDRangeKernel) X(clEnqueueTask) \
	X(clEnqueueNativeKernel) X(clEnqueueMarker) X(clEnqueueWaitForEvents) X(clEnqueueBarrier) \
	X(clSetEventCallback) X(clCreateSubBuffer) X(clSetMemObjectDestructorCallback) \
	X(clCreateUserEvent) X(clSetUserEventStatus) X(clEnqueueReadBufferRect) \
	X(clEnqueueWriteBufferRect) X(clEnqueueCopyBufferRect) X(clCreateSubDevices) \
	X(clRetainDevice) X(clReleaseDevice) X(clCreateImage) X(clCreateProgramWithBuiltInKernels) \
	X(clCompileProgram) X(clLinkProgram) X(clUnloadPlatformCompiler) X(clGetKernelArgInfo) \
	X(clEnqueueFillBuffer) X(clEnqueueFillImage) X(clEnqueueMigrateMemObjects) \
	X(clEnqueueMarkerWithWaitList) X(clEnqueueBarrierWithWaitList) \
	X(clCreateCommandQueueWithProperties) X(clCreatePipe) X(clGetPipeInfo) X(clSVMAlloc) \
	X(clSVMFree) X(clEnqueueSVMFree) X(clEnqueueSVMMemcpy) X(clEnqueueSVMMemFill) \
	X(clEnqueueSVMMap) X(clEnqueueSVMUnmap) X(clCreateSamplerWithProperties) \
	X(clSetKernelArgSVMPointer) X(clSetKernelExecInfo) X(clCloneKernel) \
	X(clCreateProgramWithIL) X(clEnqueueSVMMigrateMem) X(clGetDeviceAndHostTimer) \
	X(clGetHostTimer) X(clGetKernelSubGroupInfo) X(clSetDefaultDeviceCommandQueue) \
	X(clSetProgramReleaseCallback) X(clSetProgramSpecializationConstant) \
	X(clCreateBufferWithProperties) X(clCreateImageWithProperties) \
	X(clSetContextDestructorCallback)

#define DECLARE(name) extern __typeof__(name) ocl_##name;
OCL_ENTRIES(DECLARE)
extern __typeof__(clUnloadCompiler) ocl_clUnloadCompiler;
#undef DECLARE

/* Of extensions; nothing but their names leads to them. */
cl_int CL_API_CALL ocl_acquire_external(cl_command_queue q, cl_uint n, const cl_mem *list, cl_uint count,
					const cl_event *waits, cl_event *out);
cl_int CL_API_CALL ocl_release_external(cl_command_queue q, cl_uint n, const cl_mem *list, cl_uint count,
					const cl_event *waits, cl_event *out);

/* ocl_record.c: cl_khr_command_buffer. @list, @n: points that a command comes after. */
ocl_command_buffer CL_API_CALL ocl_create_command_buffer(cl_uint n, const cl_command_queue *queues,
							 const ocl_properties *properties, cl_int *err);
cl_int CL_API_CALL ocl_finalize_command_buffer(ocl_command_buffer b);
cl_int CL_API_CALL ocl_retain_command_buffer(ocl_command_buffer b);
cl_int CL_API_CALL ocl_release_command_buffer(ocl_command_buffer b);
cl_int CL_API_CALL ocl_enqueue_command_buffer(cl_uint n, cl_command_queue *queues, ocl_command_buffer b,
					      cl_uint count, const cl_event *waits, cl_event *out);
cl_int CL_API_CALL ocl_record_barrier(ocl_command_buffer b, cl_command_queue q,
				      const ocl_properties *properties, cl_uint n,
				      const ocl_sync_point *list, ocl_sync_point *point, void *handle);
cl_int CL_API_CALL ocl_record_copy(ocl_command_buffer b, cl_command_queue q,
				   const ocl_properties *properties, cl_mem src, cl_mem dst, size_t from,
				   size_t to, size_t size, cl_uint n, const ocl_sync_point *list,
				   ocl_sync_point *point, void *handle);
cl_int CL_API_CALL ocl_record_copy_rect(ocl_command_buffer b, cl_command_queue q,
					const ocl_properties *properties, cl_mem src, cl_mem dst,
					const size_t *src_origin, const size_t *dst_origin,
					const size_t *region, size_t src_row, size_t src_plane,
					size_t dst_row, size_t dst_plane, cl_uint n,
					const ocl_sync_point *list, ocl_sync_point *point, void *handle);
cl_int CL_API_CALL ocl_record_fill(ocl_command_buffer b, cl_command_queue q,
				   const ocl_properties *properties, cl_mem m, const void *pattern,
				   size_t pattern_size, size_t offset, size_t size, cl_uint n,
				   const ocl_sync_point *list, ocl_sync_point *point, void *handle);
cl_int CL_API_CALL ocl_record_kernel(ocl_command_buffer b, cl_command_queue q,
				     const ocl_properties *properties, cl_kernel k, cl_uint dims,
				     const size_t *offset, const size_t *global, const size_t *local,
				     cl_uint n, const ocl_sync_point *list, ocl_sync_point *point,
				     void *handle);
cl_int CL_API_CALL ocl_command_buffer_info(ocl_command_buffer b, cl_uint what, size_t room, void *value,
					   size_t *size);

/* ocl_refused.c: recording what a device without images and shared virtual memory cannot do. */
cl_int CL_API_CALL ocl_record_nothing(ocl_command_buffer b);

#endif
