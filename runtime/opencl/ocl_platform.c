/* SPDX-License-Identifier: MIT */
/* The platform and the list of its devices. No device is opened here: loaders ask at start. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/opencl/ocl_api.h"

#define OCL_VERSION		"OpenCL 3.0 accel " ACCEL_VERSION
#define OCL_EXTENSIONS		"cl_khr_icd cl_khr_extended_versioning"

/* Specs of devices, separated by semicolons, instead of the NPUs of the machine. */
#define OCL_DEVICES_VARIABLE	"ACCEL_OPENCL_DEVICES"
/* "custom": devices are of the type CUSTOM, which applications that ask for all do not see. */
#define OCL_TYPE_VARIABLE	"ACCEL_OPENCL_DEVICE_TYPE"

static struct {
	pthread_once_t once;
	struct _cl_platform_id platform;
	struct _cl_device_id devices[OCL_MAX_DEVICES];
	unsigned int count;
} all = {
	.once = PTHREAD_ONCE_INIT,
	.platform = { { &ocl_dispatch, OCL_PLATFORM, 1, NULL } },
};

static void add_device(const struct accel_device_info *info)
{
	const char *type = getenv(OCL_TYPE_VARIABLE);

	if (all.count == OCL_MAX_DEVICES)
		return;
	all.devices[all.count++] = (struct _cl_device_id){
		.object = { &ocl_dispatch, OCL_DEVICE, 1, NULL },
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
	snprintf(info.transport, sizeof(info.transport), "%s", name == spec ? "drm" : "sim");
	add_device(&info);
}

static void find_devices(void)
{
	const char *specs = getenv(OCL_DEVICES_VARIABLE);
	struct accel_device_info info = { .size = sizeof(info) };
	struct accel_device_list *list;

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

static const cl_name_version extensions[] = {
	{ CL_MAKE_VERSION(1, 0, 0), "cl_khr_icd" },
	{ CL_MAKE_VERSION(1, 0, 0), "cl_khr_extended_versioning" },
};

cl_int ocl_platform_info(cl_platform_id p, cl_platform_info what, size_t room, void *value,
			 size_t *size)
{
	const cl_version version = CL_MAKE_VERSION(3, 0, 0);
	const cl_ulong resolution = 0;

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
		return ocl_give_text(room, value, size, OCL_EXTENSIONS);
	case CL_PLATFORM_EXTENSIONS_WITH_VERSION:
		return ocl_give(room, value, size, extensions, sizeof(extensions));
	case CL_PLATFORM_ICD_SUFFIX_KHR:
		return ocl_give_text(room, value, size, "ACCEL");
	case CL_PLATFORM_HOST_TIMER_RESOLUTION:
		return ocl_give(room, value, size, &resolution, sizeof(resolution));
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
