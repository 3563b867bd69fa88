/* SPDX-License-Identifier: MIT */
/* The platform and the list of its devices. No device is opened here: loaders ask at start. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/opencl/ocl_api.h"

#define OCL_VERSION		"OpenCL 3.0 accel " ACCEL_VERSION

/* Specs of devices, separated by semicolons, instead of the NPUs of the machine. */
#define OCL_DEVICES_VARIABLE	"ACCEL_OPENCL_DEVICES"
/* "custom": devices are of the type CUSTOM, which applications that ask for all do not see. */
#define OCL_TYPE_VARIABLE	"ACCEL_OPENCL_DEVICE_TYPE"

/* Built-in kernels, "NAME=FILE", separated by semicolons: each runs a model file. */
#define OCL_KERNELS_VARIABLE	"ACCEL_OPENCL_KERNELS"
#define OCL_MAX_KERNELS		64

struct built_in {
	char name[CL_NAME_VERSION_MAX_NAME_SIZE];
	char *path;
};

static struct {
	pthread_once_t once;
	struct _cl_platform_id platform;
	struct _cl_device_id devices[OCL_MAX_DEVICES];
	unsigned int count;
	struct built_in kernels[OCL_MAX_KERNELS];
	unsigned int kernel_count;
} all = {
	.once = PTHREAD_ONCE_INIT,
	.platform = { { .dispatch = &ocl_dispatch, .kind = OCL_PLATFORM, .references = 1 } },
};

static void add_device(const struct accel_device_info *info)
{
	const char *type = getenv(OCL_TYPE_VARIABLE);

	if (all.count == OCL_MAX_DEVICES)
		return;
	all.devices[all.count++] = (struct _cl_device_id){
		.object = { .dispatch = &ocl_dispatch, .kind = OCL_DEVICE, .references = 1 },
		.info = *info,
		.type = type && !strcmp(type, "custom") ? CL_DEVICE_TYPE_CUSTOM :
							  CL_DEVICE_TYPE_ACCELERATOR,
	};
}

/* "sim:ethos-u65-256,threads=2" is called "ethos-u65-256". */
static void add_spec(const char *spec, size_t len)
{
	struct accel_device_info info = { .size = sizeof(info) };
	const char *name = memchr(spec, ':', len);
	size_t n;

	if (!len || len >= sizeof(info.spec))
		return;
	memcpy(info.spec, spec, len);
	name = name ? name + 1 : spec;
	n = strcspn(name, ",;");
	snprintf(info.name, sizeof(info.name), "%.*s", (int)n, name);
	add_device(&info);
}

/* What is no NAME=FILE is passed over. */
static void find_kernels(void)
{
	const char *at = getenv(OCL_KERNELS_VARIABLE);

	for (; at && *at; at += strspn(at, ";")) {
		struct built_in *k = &all.kernels[all.kernel_count];
		size_t len = strcspn(at, ";"), name = strcspn(at, "=;");

		if (name && name + 1 < len && name < sizeof(k->name) && all.kernel_count < OCL_MAX_KERNELS) {
			memcpy(k->name, at, name);
			k->path = strndup(at + name + 1, len - name - 1);
			all.kernel_count += !!k->path;
		}
		at += len;
	}
}

static void find_devices(void)
{
	const char *specs = getenv(OCL_DEVICES_VARIABLE);
	struct accel_device_info info = { .size = sizeof(info) };
	struct accel_device_list *list;

	find_kernels();
	if (specs) {
		for (; *specs; specs += strspn(specs, ";")) {
			size_t len = strcspn(specs, ";");

			add_spec(specs, len);
			specs += len;
		}
		return;
	}
	if (accel_device_list_create(&list, NULL))
		return;
	for (size_t i = 0; i < accel_device_list_count(list); i++)
		if (!accel_device_list_get(list, i, &info) &&
		    !(info.features & ACCEL_FEATURE_SIMULATED))
			add_device(&info);
	accel_device_list_free(list);
}

cl_platform_id ocl_platform(void)
{
	return &all.platform;
}

cl_device_id ocl_device_at(unsigned int index)
{
	pthread_once(&all.once, find_devices);
	return index < all.count ? &all.devices[index] : NULL;
}

const char *ocl_built_in(unsigned int index, const char **path)
{
	pthread_once(&all.once, find_devices);
	if (index >= all.kernel_count)
		return NULL;
	if (path)
		*path = all.kernels[index].path;
	return all.kernels[index].name;
}

cl_int ocl_get_platforms(cl_uint room, cl_platform_id *out, cl_uint *count)
{
	if ((!room && out) || (!out && !count))
		return CL_INVALID_VALUE;
	if (out)
		*out = &all.platform;
	if (count)
		*count = 1;
	return CL_SUCCESS;
}

/*
 * @device: not the platform's. The specification demands some names of every device, for a language that
 * nothing here compiles.
 */
static const struct {
	cl_name_version name;
	bool device;
} extensions[] = {
	{ { CL_MAKE_VERSION(1, 0, 0), "cl_khr_icd" }, false },
	{ { CL_MAKE_VERSION(1, 0, 0), "cl_khr_extended_versioning" }, false },
	{ { CL_MAKE_VERSION(0, 9, 8), "cl_khr_command_buffer" }, false },
	{ { CL_MAKE_VERSION(1, 0, 0), "cl_khr_external_memory" }, false },
	{ { CL_MAKE_VERSION(1, 0, 0), "cl_khr_external_memory_dma_buf" }, false },
	{ { CL_MAKE_VERSION(1, 0, 0), "cl_khr_byte_addressable_store" }, true },
	{ { CL_MAKE_VERSION(1, 0, 0), "cl_khr_global_int32_base_atomics" }, true },
	{ { CL_MAKE_VERSION(1, 0, 0), "cl_khr_global_int32_extended_atomics" }, true },
	{ { CL_MAKE_VERSION(1, 0, 0), "cl_khr_local_int32_base_atomics" }, true },
	{ { CL_MAKE_VERSION(1, 0, 0), "cl_khr_local_int32_extended_atomics" }, true },
};

#define EXTENSIONS (sizeof(extensions) / sizeof(extensions[0]))

cl_int ocl_extensions(cl_device_id d, size_t room, void *value, size_t *size)
{
	char text[EXTENSIONS * CL_NAME_VERSION_MAX_NAME_SIZE] = "";

	for (size_t i = 0; i < EXTENSIONS; i++)
		if (d || !extensions[i].device)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
				 text[0] ? " " : "", extensions[i].name.name);
	return ocl_give_text(room, value, size, text);
}

cl_int ocl_extension_versions(cl_device_id d, size_t room, void *value, size_t *size)
{
	cl_name_version list[EXTENSIONS];
	size_t n = 0;

	for (size_t i = 0; i < EXTENSIONS; i++)
		if (d || !extensions[i].device)
			list[n++] = extensions[i].name;
	return ocl_give(room, value, size, list, n * sizeof(list[0]));
}

cl_int ocl_platform_info(cl_platform_id p, cl_platform_info what, size_t room, void *value,
			 size_t *size)
{
	const cl_version version = CL_MAKE_VERSION(3, 0, 0);
	const cl_uint dma_buf = CL_EXTERNAL_MEMORY_HANDLE_DMA_BUF_KHR;
	const cl_ulong resolution = 1;	/* ns, of CLOCK_MONOTONIC */

	if (p && !ocl_is(p, OCL_PLATFORM))
		return CL_INVALID_PLATFORM;
	switch (what) {
	case CL_PLATFORM_PROFILE:
		return ocl_give_text(room, value, size, "EMBEDDED_PROFILE");
	case CL_PLATFORM_VERSION:
		return ocl_give_text(room, value, size, OCL_VERSION);
	case CL_PLATFORM_NUMERIC_VERSION:
		return ocl_give(room, value, size, &version, sizeof(version));
	case CL_PLATFORM_NAME:
		return ocl_give_text(room, value, size, "accel");
	case CL_PLATFORM_VENDOR:
		return ocl_give_text(room, value, size, "accel project");
	case CL_PLATFORM_EXTENSIONS:
		return ocl_extensions(NULL, room, value, size);
	case CL_PLATFORM_EXTENSIONS_WITH_VERSION:
		return ocl_extension_versions(NULL, room, value, size);
	case CL_PLATFORM_ICD_SUFFIX_KHR:
		return ocl_give_text(room, value, size, "ACCEL");
	case CL_PLATFORM_HOST_TIMER_RESOLUTION:
		return ocl_give(room, value, size, &resolution, sizeof(resolution));
	case CL_PLATFORM_EXTERNAL_MEMORY_IMPORT_HANDLE_TYPES_KHR:
		return ocl_give(room, value, size, &dma_buf, sizeof(dma_buf));
	default:
		return CL_INVALID_VALUE;
	}
}

/* A CUSTOM device is among ALL as well, as PoCL has it, but never the default beside another. */
static bool matches(cl_device_id d, unsigned int index, cl_device_type type)
{
	if (type == CL_DEVICE_TYPE_ALL)
		return true;
	return type & d->type || (type & CL_DEVICE_TYPE_DEFAULT && !index);
}

cl_int CL_API_CALL ocl_clGetDeviceIDs(cl_platform_id p, cl_device_type type, cl_uint room,
				      cl_device_id *out, cl_uint *count)
{
	const cl_device_type known = CL_DEVICE_TYPE_DEFAULT | CL_DEVICE_TYPE_CPU |
				     CL_DEVICE_TYPE_GPU | CL_DEVICE_TYPE_ACCELERATOR |
				     CL_DEVICE_TYPE_CUSTOM;
	cl_device_id d;
	cl_uint n = 0;

	if (p && !ocl_is(p, OCL_PLATFORM))
		return CL_INVALID_PLATFORM;
	if (type != CL_DEVICE_TYPE_ALL && (!(type & known) || type & ~known))
		return CL_INVALID_DEVICE_TYPE;
	if ((!room && out) || (!out && !count))
		return CL_INVALID_VALUE;
	for (unsigned int i = 0; (d = ocl_device_at(i)); i++) {
		if (!matches(d, i, type))
			continue;
		if (out && n < room)
			out[n] = d;
		n++;
	}
	if (count)
		*count = n;
	return n ? CL_SUCCESS : CL_DEVICE_NOT_FOUND;
}
