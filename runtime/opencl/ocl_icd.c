/* SPDX-License-Identifier: MIT */
/*
 * What the loader finds: the table, and the two functions that lead to it. Nothing else is exported, and
 * the table names functions of ours only: a symbol called clGetPlatformInfo would be the loader's.
 */
#include <string.h>

#include "runtime/opencl/ocl_api.h"

static void *CL_API_CALL find_for_platform(cl_platform_id p, const char *name);

static cl_int CL_API_CALL set_dispatch_data(cl_platform_id p, void *data);
static void *CL_API_CALL find_for_platform(cl_platform_id p, const char *name);
static void *CL_API_CALL find_entry(cl_platform_id p, const char *name);

/*
 * Slots for sharing with graphics stay empty; loaders know that. Two that no object leads to say by which
 * version of cl_khr_icd this goes; older loaders do not look at them.
 */
const cl_icd_dispatch ocl_dispatch = {
	.clGetPlatformIDs = (void *)OCL_ICD2_TAG,
	.clUnloadCompiler = (void *)OCL_ICD2_TAG,
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
	{ "clIcdGetFunctionAddressForPlatformKHR", (void *)find_entry },
	{ "clIcdSetPlatformDispatchDataKHR", (void *)set_dispatch_data },
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

/* What has one, for loaders that keep tables of their own. */
static const struct named entries[] = {
	{ "clGetPlatformIDs", (void *)ocl_get_platforms },
	{ "clUnloadCompiler", (void *)ocl_clUnloadCompiler },
	{ "clGetExtensionFunctionAddress", (void *)clGetExtensionFunctionAddress },
	{ "clGetExtensionFunctionAddressForPlatform", (void *)find_for_platform },
#define ENTRY(name) { #name, (void *)ocl_##name },
	OCL_ENTRIES(ENTRY)
#undef ENTRY
};

static void *find(const struct named *list, size_t count, const char *name)
{
	for (size_t i = 0; name && i < count; i++)
		if (!strcmp(list[i].name, name))
			return list[i].function;
	return NULL;
}

__attribute__((visibility("default"))) void *CL_API_CALL clGetExtensionFunctionAddress(const char *name)
{
	return find(by_name, sizeof(by_name) / sizeof(by_name[0]), name);
}

static void *CL_API_CALL find_for_platform(cl_platform_id p, const char *name)
{
	return ocl_is(p, OCL_PLATFORM) ? clGetExtensionFunctionAddress(name) : NULL;
}

static void *CL_API_CALL find_entry(cl_platform_id p, const char *name)
{
	void *function = ocl_is(p, OCL_PLATFORM) ?
				 find(entries, sizeof(entries) / sizeof(entries[0]), name) : NULL;

	return function ? function : find_for_platform(p, name);
}

static cl_int CL_API_CALL set_dispatch_data(cl_platform_id p, void *data)
{
	if (!ocl_is(p, OCL_PLATFORM))
		return CL_INVALID_PLATFORM;
	ocl_set_loaders(data);
	return CL_SUCCESS;
}
