/* SPDX-License-Identifier: MIT */
/*
 * What the loader finds: the table, and the two functions that lead to it. Nothing else is exported, and
 * the table names functions of ours only: a symbol called clGetPlatformInfo would be the loader's.
 */
#include <string.h>

#include "runtime/opencl/ocl_api.h"

static void *CL_API_CALL find_for_platform(cl_platform_id p, const char *name);

static void *CL_API_CALL find_for_platform(cl_platform_id p, const char *name);

/*
 * Slots for sharing with graphics stay empty; loaders know that. It goes by cl_khr_icd 1: the tables that
 * ocl-icd 2.3.3 makes for platforms of version 2 are in an array that it enlarges and sorts once it has told
 * where they are. With a second vendor every call goes astray.
 */
const cl_icd_dispatch ocl_dispatch = {
	.clGetPlatformIDs = ocl_get_platforms,
	.clUnloadCompiler = ocl_clUnloadCompiler,
	.clGetPlatformInfo = ocl_platform_info,
	.clGetExtensionFunctionAddress = clGetExtensionFunctionAddress,
	.clGetExtensionFunctionAddressForPlatform = find_for_platform,
#define SLOT(name) .name = ocl_##name,
	OCL_ENTRIES(SLOT)
#undef SLOT
};

struct named {
	const char *name;
	void *function;
};

/* What has no slot. */
static const struct named by_name[] = {
	{ "clIcdGetPlatformIDsKHR", (void *)ocl_get_platforms },
	{ "clGetPlatformInfo", (void *)ocl_platform_info },
	{ "clEnqueueAcquireExternalMemObjectsKHR", (void *)ocl_acquire_external },
	{ "clEnqueueReleaseExternalMemObjectsKHR", (void *)ocl_release_external },
	{ "clCreateCommandBufferKHR", (void *)ocl_create_command_buffer },
	{ "clFinalizeCommandBufferKHR", (void *)ocl_finalize_command_buffer },
	{ "clRetainCommandBufferKHR", (void *)ocl_retain_command_buffer },
	{ "clReleaseCommandBufferKHR", (void *)ocl_release_command_buffer },
	{ "clEnqueueCommandBufferKHR", (void *)ocl_enqueue_command_buffer },
	{ "clCommandBarrierWithWaitListKHR", (void *)ocl_record_barrier },
	{ "clCommandCopyBufferKHR", (void *)ocl_record_copy },
	{ "clCommandCopyBufferRectKHR", (void *)ocl_record_copy_rect },
	{ "clCommandFillBufferKHR", (void *)ocl_record_fill },
	{ "clCommandNDRangeKernelKHR", (void *)ocl_record_kernel },
	{ "clGetCommandBufferInfoKHR", (void *)ocl_command_buffer_info },
	{ "clCommandCopyBufferToImageKHR", (void *)ocl_record_nothing },
	{ "clCommandCopyImageKHR", (void *)ocl_record_nothing },
	{ "clCommandCopyImageToBufferKHR", (void *)ocl_record_nothing },
	{ "clCommandFillImageKHR", (void *)ocl_record_nothing },
	{ "clCommandSVMMemcpyKHR", (void *)ocl_record_nothing },
	{ "clCommandSVMMemFillKHR", (void *)ocl_record_nothing },
};

__attribute__((visibility("default"))) void *CL_API_CALL clGetExtensionFunctionAddress(const char *name)
{
	for (size_t i = 0; name && i < sizeof(by_name) / sizeof(by_name[0]); i++)
		if (!strcmp(by_name[i].name, name))
			return by_name[i].function;
	return NULL;
}

static void *CL_API_CALL find_for_platform(cl_platform_id p, const char *name)
{
	return ocl_is(p, OCL_PLATFORM) ? clGetExtensionFunctionAddress(name) : NULL;
}
