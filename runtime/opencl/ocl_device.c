/* SPDX-License-Identifier: MIT */
/* What a device answers to queries: nearly all of it is that an NPU has no such thing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/opencl/ocl_api.h"

/* Bytes of a device's memory as far as an application can know: what the NPU's addresses reach. */
#define GLOBAL_MEM	(4ull << 30)
#define MAX_ALLOC	(1ull << 30)

enum { IS_UINT, IS_ULONG, IS_SIZE, IS_TEXT };

/* Answers that are the same for all. Empty lists are a text of no bytes: see empty[]. */
static const struct {
	cl_device_info what;
	unsigned int type;
	cl_ulong value;
	const char *text;
} answers[] = {
	{ CL_DEVICE_VENDOR_ID, IS_UINT, 0x13b5, NULL },		/* Arm's PCI vendor number */
	{ CL_DEVICE_MAX_COMPUTE_UNITS, IS_UINT, 1, NULL },
	{ CL_DEVICE_MAX_WORK_ITEM_DIMENSIONS, IS_UINT, 3, NULL },
	{ CL_DEVICE_MAX_WORK_GROUP_SIZE, IS_SIZE, 1, NULL },
	{ CL_DEVICE_PREFERRED_WORK_GROUP_SIZE_MULTIPLE, IS_SIZE, 1, NULL },
	{ CL_DEVICE_PREFERRED_VECTOR_WIDTH_CHAR, IS_UINT, 1, NULL },
	{ CL_DEVICE_PREFERRED_VECTOR_WIDTH_SHORT, IS_UINT, 1, NULL },
	{ CL_DEVICE_PREFERRED_VECTOR_WIDTH_INT, IS_UINT, 1, NULL },
	{ CL_DEVICE_PREFERRED_VECTOR_WIDTH_LONG, IS_UINT, 1, NULL },
	{ CL_DEVICE_PREFERRED_VECTOR_WIDTH_FLOAT, IS_UINT, 1, NULL },
	{ CL_DEVICE_PREFERRED_VECTOR_WIDTH_DOUBLE, IS_UINT, 0, NULL },
	{ CL_DEVICE_PREFERRED_VECTOR_WIDTH_HALF, IS_UINT, 0, NULL },
	{ CL_DEVICE_NATIVE_VECTOR_WIDTH_CHAR, IS_UINT, 1, NULL },
	{ CL_DEVICE_NATIVE_VECTOR_WIDTH_SHORT, IS_UINT, 1, NULL },
	{ CL_DEVICE_NATIVE_VECTOR_WIDTH_INT, IS_UINT, 1, NULL },
	{ CL_DEVICE_NATIVE_VECTOR_WIDTH_LONG, IS_UINT, 1, NULL },
	{ CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, IS_UINT, 1, NULL },
	{ CL_DEVICE_NATIVE_VECTOR_WIDTH_DOUBLE, IS_UINT, 0, NULL },
	{ CL_DEVICE_NATIVE_VECTOR_WIDTH_HALF, IS_UINT, 0, NULL },
	{ CL_DEVICE_MAX_CLOCK_FREQUENCY, IS_UINT, 1000, NULL },	/* MHz, of the public systems */
	{ CL_DEVICE_ADDRESS_BITS, IS_UINT, 64, NULL },
	{ CL_DEVICE_MAX_MEM_ALLOC_SIZE, IS_ULONG, MAX_ALLOC, NULL },
	{ CL_DEVICE_IMAGE_SUPPORT, IS_UINT, CL_FALSE, NULL },
	{ CL_DEVICE_MAX_READ_IMAGE_ARGS, IS_UINT, 0, NULL },
	{ CL_DEVICE_MAX_WRITE_IMAGE_ARGS, IS_UINT, 0, NULL },
	{ CL_DEVICE_MAX_READ_WRITE_IMAGE_ARGS, IS_UINT, 0, NULL },
	{ CL_DEVICE_IMAGE2D_MAX_WIDTH, IS_SIZE, 0, NULL },
	{ CL_DEVICE_IMAGE2D_MAX_HEIGHT, IS_SIZE, 0, NULL },
	{ CL_DEVICE_IMAGE3D_MAX_WIDTH, IS_SIZE, 0, NULL },
	{ CL_DEVICE_IMAGE3D_MAX_HEIGHT, IS_SIZE, 0, NULL },
	{ CL_DEVICE_IMAGE3D_MAX_DEPTH, IS_SIZE, 0, NULL },
	{ CL_DEVICE_IMAGE_MAX_BUFFER_SIZE, IS_SIZE, 0, NULL },
	{ CL_DEVICE_IMAGE_MAX_ARRAY_SIZE, IS_SIZE, 0, NULL },
	{ CL_DEVICE_IMAGE_PITCH_ALIGNMENT, IS_UINT, 0, NULL },
	{ CL_DEVICE_IMAGE_BASE_ADDRESS_ALIGNMENT, IS_UINT, 0, NULL },
	{ CL_DEVICE_MAX_SAMPLERS, IS_UINT, 0, NULL },
	{ CL_DEVICE_MAX_PIPE_ARGS, IS_UINT, 0, NULL },
	{ CL_DEVICE_PIPE_MAX_ACTIVE_RESERVATIONS, IS_UINT, 0, NULL },
	{ CL_DEVICE_PIPE_MAX_PACKET_SIZE, IS_UINT, 0, NULL },
	{ CL_DEVICE_MAX_PARAMETER_SIZE, IS_SIZE, 1024, NULL },
	{ CL_DEVICE_MEM_BASE_ADDR_ALIGN, IS_UINT, 8 * OCL_MEM_ALIGN, NULL },	/* bits */
	{ CL_DEVICE_MIN_DATA_TYPE_ALIGN_SIZE, IS_UINT, OCL_MEM_ALIGN, NULL },
	{ CL_DEVICE_SINGLE_FP_CONFIG, IS_ULONG, CL_FP_ROUND_TO_ZERO, NULL },	/* least of the profile */
	{ CL_DEVICE_DOUBLE_FP_CONFIG, IS_ULONG, 0, NULL },
	{ CL_DEVICE_GLOBAL_MEM_CACHE_TYPE, IS_UINT, CL_NONE, NULL },
	{ CL_DEVICE_GLOBAL_MEM_CACHELINE_SIZE, IS_UINT, 0, NULL },
	{ CL_DEVICE_GLOBAL_MEM_CACHE_SIZE, IS_ULONG, 0, NULL },
	{ CL_DEVICE_GLOBAL_MEM_SIZE, IS_ULONG, GLOBAL_MEM, NULL },
	{ CL_DEVICE_MAX_CONSTANT_BUFFER_SIZE, IS_ULONG, 1024, NULL },
	{ CL_DEVICE_MAX_CONSTANT_ARGS, IS_UINT, 4, NULL },
	{ CL_DEVICE_MAX_GLOBAL_VARIABLE_SIZE, IS_SIZE, 0, NULL },
	{ CL_DEVICE_GLOBAL_VARIABLE_PREFERRED_TOTAL_SIZE, IS_SIZE, 0, NULL },
	{ CL_DEVICE_LOCAL_MEM_TYPE, IS_UINT, CL_GLOBAL, NULL },
	{ CL_DEVICE_LOCAL_MEM_SIZE, IS_ULONG, 1024, NULL },
	{ CL_DEVICE_ERROR_CORRECTION_SUPPORT, IS_UINT, CL_FALSE, NULL },
	{ CL_DEVICE_PROFILING_TIMER_RESOLUTION, IS_SIZE, 1, NULL },
	{ CL_DEVICE_ENDIAN_LITTLE, IS_UINT, CL_TRUE, NULL },
	{ CL_DEVICE_AVAILABLE, IS_UINT, CL_TRUE, NULL },
	{ CL_DEVICE_COMPILER_AVAILABLE, IS_UINT, CL_FALSE, NULL },
	{ CL_DEVICE_LINKER_AVAILABLE, IS_UINT, CL_FALSE, NULL },
	{ CL_DEVICE_EXECUTION_CAPABILITIES, IS_ULONG, CL_EXEC_KERNEL, NULL },
	{ CL_DEVICE_QUEUE_ON_HOST_PROPERTIES, IS_ULONG,
	  CL_QUEUE_PROFILING_ENABLE | CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, NULL },
	{ CL_DEVICE_QUEUE_ON_DEVICE_PROPERTIES, IS_ULONG, 0, NULL },
	{ CL_DEVICE_QUEUE_ON_DEVICE_PREFERRED_SIZE, IS_UINT, 0, NULL },
	{ CL_DEVICE_QUEUE_ON_DEVICE_MAX_SIZE, IS_UINT, 0, NULL },
	{ CL_DEVICE_MAX_ON_DEVICE_QUEUES, IS_UINT, 0, NULL },
	{ CL_DEVICE_MAX_ON_DEVICE_EVENTS, IS_UINT, 0, NULL },
	{ CL_DEVICE_DEVICE_ENQUEUE_CAPABILITIES, IS_ULONG, 0, NULL },
	{ CL_DEVICE_PIPE_SUPPORT, IS_UINT, CL_FALSE, NULL },
	{ CL_DEVICE_PROFILE, IS_TEXT, 0, "EMBEDDED_PROFILE" },
	{ CL_DEVICE_VENDOR, IS_TEXT, 0, "Arm" },
	{ CL_DEVICE_VERSION, IS_TEXT, 0, "OpenCL 3.0 accel " ACCEL_VERSION },
	{ CL_DRIVER_VERSION, IS_TEXT, 0, ACCEL_VERSION },
	{ CL_DEVICE_NUMERIC_VERSION, IS_UINT, CL_MAKE_VERSION(3, 0, 0), NULL },
	{ CL_DEVICE_OPENCL_C_VERSION, IS_TEXT, 0, "OpenCL C 1.2 " },
	{ CL_DEVICE_OPENCL_C_NUMERIC_VERSION_KHR, IS_UINT, CL_MAKE_VERSION(1, 2, 0), NULL },
	{ CL_DEVICE_IL_VERSION, IS_TEXT, 0, "" },
	/* The form that is demanded, for: none. */
	{ CL_DEVICE_LATEST_CONFORMANCE_VERSION_PASSED, IS_TEXT, 0, "v0000-01-01-00" },
	{ CL_DEVICE_PRINTF_BUFFER_SIZE, IS_SIZE, 1 << 10, NULL },
	{ CL_DEVICE_PREFERRED_INTEROP_USER_SYNC, IS_UINT, CL_TRUE, NULL },
	{ CL_DEVICE_PARTITION_MAX_SUB_DEVICES, IS_UINT, 0, NULL },
	{ CL_DEVICE_PARTITION_AFFINITY_DOMAIN, IS_ULONG, 0, NULL },
	{ CL_DEVICE_REFERENCE_COUNT, IS_UINT, 1, NULL },
	{ CL_DEVICE_SVM_CAPABILITIES, IS_ULONG, 0, NULL },
	{ CL_DEVICE_PREFERRED_PLATFORM_ATOMIC_ALIGNMENT, IS_UINT, 0, NULL },
	{ CL_DEVICE_PREFERRED_GLOBAL_ATOMIC_ALIGNMENT, IS_UINT, 0, NULL },
	{ CL_DEVICE_PREFERRED_LOCAL_ATOMIC_ALIGNMENT, IS_UINT, 0, NULL },
	{ CL_DEVICE_MAX_NUM_SUB_GROUPS, IS_UINT, 0, NULL },
	{ CL_DEVICE_SUB_GROUP_INDEPENDENT_FORWARD_PROGRESS, IS_UINT, CL_FALSE, NULL },
	{ CL_DEVICE_ATOMIC_MEMORY_CAPABILITIES, IS_ULONG,
	  CL_DEVICE_ATOMIC_ORDER_RELAXED | CL_DEVICE_ATOMIC_SCOPE_WORK_GROUP, NULL },
	{ CL_DEVICE_ATOMIC_FENCE_CAPABILITIES, IS_ULONG,
	  CL_DEVICE_ATOMIC_ORDER_RELAXED | CL_DEVICE_ATOMIC_ORDER_ACQ_REL |
		  CL_DEVICE_ATOMIC_SCOPE_WORK_GROUP, NULL },
	{ CL_DEVICE_NON_UNIFORM_WORK_GROUP_SUPPORT, IS_UINT, CL_FALSE, NULL },
	{ CL_DEVICE_WORK_GROUP_COLLECTIVE_FUNCTIONS_SUPPORT, IS_UINT, CL_FALSE, NULL },
	{ CL_DEVICE_GENERIC_ADDRESS_SPACE_SUPPORT, IS_UINT, CL_FALSE, NULL },
	{ CL_DEVICE_HOST_UNIFIED_MEMORY, IS_UINT, CL_TRUE, NULL },
	{ OCL_DEVICE_COMMAND_BUFFER_CAPABILITIES, IS_ULONG, OCL_CAPABILITY_SIMULTANEOUS_USE, NULL },
	{ OCL_DEVICE_COMMAND_BUFFER_SUPPORTED, IS_ULONG,
	  CL_QUEUE_PROFILING_ENABLE | CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, NULL },
	{ OCL_DEVICE_COMMAND_BUFFER_REQUIRED, IS_ULONG, 0, NULL },
};

/* Lists that are empty. */
static const cl_device_info empty[] = {
	CL_DEVICE_ILS_WITH_VERSION, CL_DEVICE_OPENCL_C_FEATURES,
	CL_DEVICE_OPENCL_C_ALL_VERSIONS,
};

static cl_int answer(unsigned int i, size_t room, void *value, size_t *size)
{
	cl_uint small = (cl_uint)answers[i].value;
	size_t bytes = answers[i].value;

	switch (answers[i].type) {
	case IS_UINT:
		return ocl_give(room, value, size, &small, sizeof(small));
	case IS_SIZE:
		return ocl_give(room, value, size, &bytes, sizeof(bytes));
	case IS_TEXT:
		return ocl_give_text(room, value, size, answers[i].text);
	default:
		return ocl_give(room, value, size, &answers[i].value, sizeof(cl_ulong));
	}
}

static cl_int built_in_names(size_t room, void *value, size_t *size)
{
	char *text = NULL;
	size_t len = 0;
	cl_int rc = CL_OUT_OF_HOST_MEMORY;
	FILE *f = open_memstream(&text, &len);

	for (unsigned int i = 0; f && ocl_built_in(i, NULL); i++)
		fprintf(f, "%s%s", i ? ";" : "", ocl_built_in(i, NULL));
	if (f && !fclose(f))
		rc = ocl_give_text(room, value, size, text);
	free(text);
	return rc;
}

static cl_int built_in_versions(size_t room, void *value, size_t *size)
{
	cl_name_version *list;
	unsigned int n = 0;
	cl_int rc;

	while (ocl_built_in(n, NULL))
		n++;
	list = calloc(n + 1, sizeof(*list));
	if (!list)
		return CL_OUT_OF_HOST_MEMORY;
	for (unsigned int i = 0; i < n; i++) {
		list[i].version = CL_MAKE_VERSION(1, 0, 0);
		snprintf(list[i].name, sizeof(list[i].name), "%s", ocl_built_in(i, NULL));
	}
	rc = ocl_give(room, value, size, list, n * sizeof(*list));
	free(list);
	return rc;
}

cl_int CL_API_CALL ocl_clGetDeviceInfo(cl_device_id d, cl_device_info what, size_t room, void *value,
				       size_t *size)
{
	static const size_t one[3] = { 1, 1, 1 };
	static const cl_device_partition_property none;
	const cl_uint dma_buf = CL_EXTERNAL_MEMORY_HANDLE_DMA_BUF_KHR;
	cl_platform_id platform = ocl_platform();
	cl_device_id parent = NULL;

	if (!ocl_is(d, OCL_DEVICE))
		return CL_INVALID_DEVICE;
	switch (what) {
	case CL_DEVICE_TYPE:
		return ocl_give(room, value, size, &d->type, sizeof(d->type));
	case CL_DEVICE_NAME:
		return ocl_give_text(room, value, size,
				     d->info.name[0] ? d->info.name : d->info.spec);
	case CL_DEVICE_BUILT_IN_KERNELS:
		return built_in_names(room, value, size);
	case CL_DEVICE_BUILT_IN_KERNELS_WITH_VERSION:
		return built_in_versions(room, value, size);
	case CL_DEVICE_EXTENSIONS:
		return ocl_extensions(d, room, value, size);
	case CL_DEVICE_EXTENSIONS_WITH_VERSION:
		return ocl_extension_versions(d, room, value, size);
	case CL_DEVICE_EXTERNAL_MEMORY_IMPORT_HANDLE_TYPES_KHR:
		return ocl_give(room, value, size, &dma_buf, sizeof(dma_buf));
	case CL_DEVICE_PLATFORM:
		return ocl_give(room, value, size, &platform, sizeof(platform));
	case CL_DEVICE_PARENT_DEVICE:
		return ocl_give(room, value, size, &parent, sizeof(parent));
	case CL_DEVICE_MAX_WORK_ITEM_SIZES:
		return ocl_give(room, value, size, one, sizeof(one));
	case CL_DEVICE_PARTITION_PROPERTIES:
	case CL_DEVICE_PARTITION_TYPE:
		return ocl_give(room, value, size, &none, sizeof(none));
	default:
		break;
	}
	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++)
		if (empty[i] == what)
			return ocl_give(room, value, size, NULL, 0);
	for (unsigned int i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (answers[i].what == what)
			return answer(i, room, value, size);
	return CL_INVALID_VALUE;
}

cl_int CL_API_CALL ocl_clRetainDevice(cl_device_id d)
{
	return ocl_is(d, OCL_DEVICE) ? CL_SUCCESS : CL_INVALID_DEVICE;
}

cl_int CL_API_CALL ocl_clReleaseDevice(cl_device_id d)
{
	return ocl_clRetainDevice(d);
}

cl_int CL_API_CALL ocl_clCreateSubDevices(cl_device_id d, const cl_device_partition_property *how,
					  cl_uint room, cl_device_id *out, cl_uint *count)
{
	(void)how;
	(void)room;
	(void)out;
	(void)count;
	return ocl_is(d, OCL_DEVICE) ? CL_INVALID_VALUE : CL_INVALID_DEVICE;
}

static cl_ulong now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (cl_ulong)t.tv_sec * 1000000000u + (cl_ulong)t.tv_nsec;
}

/* The devices' times are CLOCK_MONOTONIC, as the driver and the simulator give them. */
cl_int CL_API_CALL ocl_clGetHostTimer(cl_device_id d, cl_ulong *host)
{
	if (!ocl_is(d, OCL_DEVICE))
		return CL_INVALID_DEVICE;
	if (!host)
		return CL_INVALID_VALUE;
	*host = now();
	return CL_SUCCESS;
}

cl_int CL_API_CALL ocl_clGetDeviceAndHostTimer(cl_device_id d, cl_ulong *device, cl_ulong *host)
{
	if (!ocl_is(d, OCL_DEVICE))
		return CL_INVALID_DEVICE;
	if (!device || !host)
		return CL_INVALID_VALUE;
	*device = *host = now();
	return CL_SUCCESS;
}
