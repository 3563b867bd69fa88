/* SPDX-License-Identifier: MIT */
/*
 * What the loader finds: the table, and the two functions that lead to it. Nothing else is exported, and
 * the table names functions of ours only: a symbol called clGetPlatformInfo would be the loader's.
 */
#include <string.h>

#include "runtime/opencl/ocl_api.h"

static void *CL_API_CALL find_for_platform(cl_platform_id p, const char *name);

/* Slots for sharing with graphics stay empty; loaders know that. */
const cl_icd_dispatch ocl_dispatch = {
	.clGetPlatformIDs = ocl_get_platforms,
	.clGetPlatformInfo = ocl_platform_info,
	.clGetExtensionFunctionAddress = clGetExtensionFunctionAddress,
	.clGetExtensionFunctionAddressForPlatform = find_for_platform,
#define SLOT(name) .name = ocl_##name,
	OCL_ENTRIES(SLOT)
#undef SLOT
};

static const struct {
	const char *name;
	void *function;
} by_name[] = {
	{ "clIcdGetPlatformIDsKHR", (void *)ocl_get_platforms },
	{ "clGetPlatformInfo", (void *)ocl_platform_info },
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
