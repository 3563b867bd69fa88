/* SPDX-License-Identifier: MIT */
/*
 * What OpenCL adds: from enqueue to complete, against libaccel's own submit of the same job, in turns.
 *
 * usage: bench_opencl MODEL [RUNS]. The device is sim:ethos-u65-256 for both.
 */
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <CL/cl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/file.h"
#include "runtime/model.h"

#define SPEC "sim:ethos-u65-256"

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void die(const char *what)
{
	fprintf(stderr, "bench_opencl: %s\n", what);
	exit(1);
}

struct ours {
	cl_context context;
	cl_command_queue queue;
	cl_kernel kernel;
};

static cl_device_id device(void)
{
	cl_platform_id all[8];
	cl_device_id d;
	cl_uint count;
	char name[64];

	if (clGetPlatformIDs(8, all, &count))
		die("no platform");
	for (cl_uint i = 0; i < count; i++)
		if (!clGetPlatformInfo(all[i], CL_PLATFORM_NAME, sizeof(name), name, NULL) &&
		    !strcmp(name, "accel") && !clGetDeviceIDs(all[i], CL_DEVICE_TYPE_ALL, 1, &d, NULL))
			return d;
	die("no platform called accel with a device: $OCL_ICD_VENDORS, $ACCEL_OPENCL_DEVICES");
	return NULL;
}

static void open_cl(const char *path, struct ours *o)
{
	cl_device_id d = device();
	const unsigned char *bytes;
	cl_program p;
	struct error why;
	cl_uint args;
	cl_int err;
	void *data;
	size_t size;

	if (file_read(path, &data, &size, &why))
		die(why.text);
	bytes = data;
	o->context = clCreateContext(NULL, 1, &d, NULL, NULL, &err);
	if (err)
		die("no context");
	o->queue = clCreateCommandQueue(o->context, d, 0, &err);
	p = clCreateProgramWithBinary(o->context, 1, &d, &size, &bytes, NULL, &err);
	if (err || clBuildProgram(p, 0, NULL, NULL, NULL, NULL))
		die("the model does not build");
	o->kernel = clCreateKernel(p, "run", &err);
	clGetKernelInfo(o->kernel, CL_KERNEL_NUM_ARGS, sizeof(args), &args, NULL);
	for (cl_uint i = 0; i < args; i++) {
		cl_mem m;

		clGetKernelArgInfo(o->kernel, i, 0x4A02, sizeof(size), &size, NULL);
		m = clCreateBuffer(o->context, CL_MEM_READ_WRITE, size, NULL, &err);
		clSetKernelArg(o->kernel, i, sizeof(m), &m);
	}
	free(data);
}

int main(int argc, char **argv)
{
	unsigned int runs = argc > 2 ? (unsigned int)atoi(argv[2]) : 2000;
	double *cl, *direct, t;
	struct accel_device *dev;
	struct accel_error why;
	struct model *model;
	struct error err;
	struct ours o;

	if (argc < 2 || !runs)
		die("usage: bench_opencl MODEL [RUNS]");
	cl = malloc(runs * sizeof(*cl));
	direct = malloc(runs * sizeof(*direct));
	open_cl(argv[1], &o);
	if (accel_device_open(SPEC, &dev, &why))
		die(why.msg);
	if (model_open(argv[1], dev, &model, &err))
		die(err.text);
	for (unsigned int i = 0; i < runs; i++) {
		t = now_us();
		if (clEnqueueTask(o.queue, o.kernel, 0, NULL, NULL) || clFinish(o.queue))
			die("a run failed");
		cl[i] = now_us() - t;
		t = now_us();
		if (model_run(model, &err))
			die(err.text);
		direct[i] = now_us() - t;
	}
	qsort(cl, runs, sizeof(*cl), ascending);
	qsort(direct, runs, sizeof(*direct), ascending);
	printf("%s: OpenCL %.1f us, libaccel %.1f us: %.1f us more (median of %u)\n", argv[1], cl[runs / 2],
	       direct[runs / 2], cl[runs / 2] - direct[runs / 2], runs);
	return 0;
}
