/* SPDX-License-Identifier: MIT */
/* Tests of the OpenCL ICD: the device, a small model on it and its vectors. See opencl_world.h. */
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "runtime/file.h"
#include "tests/opencl_world.h"

const char *folder;

static void find(struct world *w)
{
	cl_device_id devices[2];
	cl_platform_id all[8];
	cl_uint count;
	char name[64];

	assert_int_equal(clGetPlatformIDs(8, all, &count), CL_SUCCESS);
	w->platform = NULL;
	for (cl_uint i = 0; i < count; i++) {
		assert_int_equal(clGetPlatformInfo(all[i], CL_PLATFORM_NAME, sizeof(name), name, NULL),
				 CL_SUCCESS);
		if (!strcmp(name, "accel"))
			w->platform = all[i];
	}
	assert_non_null(w->platform);
	assert_int_equal(clGetDeviceIDs(w->platform, CL_DEVICE_TYPE_ACCELERATOR, 2, devices, &count),
			 CL_SUCCESS);
	assert_true(count >= 2);
	w->device = devices[0];
	w->logging = devices[1];
}

int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	cl_int err;

	find(w);
	w->context = clCreateContext(NULL, 1, &w->device, NULL, NULL, &err);
	assert_int_equal(err, CL_SUCCESS);
	w->queue = clCreateCommandQueue(w->context, w->device, CL_QUEUE_PROFILING_ENABLE, &err);
	assert_int_equal(err, CL_SUCCESS);
	*state = w;
	return 0;
}

int tear_down(void **state)
{
	struct world *w = *state;

	assert_int_equal(clReleaseCommandQueue(w->queue), CL_SUCCESS);
	assert_int_equal(clReleaseContext(w->context), CL_SUCCESS);
	free(w);
	return 0;
}

/* ---- models ---- */

void load(const struct world *w, const char *file, struct loaded *l)
{
	char path[512], log[512];
	const unsigned char *bytes;
	struct error why;
	cl_int err, status;
	void *data;
	size_t size;

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	assert_int_equal(file_read(path, &data, &size, &why), 0);
	bytes = data;
	l->program = clCreateProgramWithBinary(w->context, 1, &w->device, &size, &bytes, &status, &err);
	assert_int_equal(err, CL_SUCCESS);
	assert_int_equal(status, CL_SUCCESS);
	free(data);
	err = clBuildProgram(l->program, 1, &w->device, NULL, NULL, NULL);
	clGetProgramBuildInfo(l->program, w->device, CL_PROGRAM_BUILD_LOG, sizeof(log), log, NULL);
	if (err)
		print_error("%s\n", log);
	assert_int_equal(err, CL_SUCCESS);
	l->kernel = clCreateKernel(l->program, "run", &err);
	assert_int_equal(err, CL_SUCCESS);
	assert_int_equal(clGetKernelInfo(l->kernel, CL_KERNEL_NUM_ARGS, sizeof(l->args), &l->args, NULL),
			 CL_SUCCESS);
}

void unload(struct loaded *l)
{
	assert_int_equal(clReleaseKernel(l->kernel), CL_SUCCESS);
	assert_int_equal(clReleaseProgram(l->program), CL_SUCCESS);
}

void vectors(const char *prefix, unsigned int index, struct npy *out)
{
	char path[512], name[32];
	struct error why;
	struct npz *npz;

	snprintf(path, sizeof(path), "%s/io.npz", folder);
	snprintf(name, sizeof(name), "%s_%u", prefix, index);
	assert_int_equal(npz_open(path, &npz, &why), 0);
	assert_int_equal(npz_get(npz, name, out, &why), 0);
	npz_close(npz);
}
