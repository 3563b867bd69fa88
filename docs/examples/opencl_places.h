/* SPDX-License-Identifier: MIT */
/*
 * What both OpenCL examples need: a CPU and an NPU as OpenCL devices of two platforms, memory that both reach,
 * the CPU's kernels, files. No function of the NPU's own library.
 */
#ifndef OPENCL_PLACES_H
#define OPENCL_PLACES_H

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of accel/opencl_ext.h. */
#define CL_KERNEL_ARG_TENSOR_SIZE_ACCEL		0x4A02
#define CL_KERNEL_ARG_TENSOR_SCALE_ACCEL	0x4A03
#define CL_KERNEL_ARG_TENSOR_ZERO_POINT_ACCEL	0x4A04

#define HEADER	16	/* of an idx3 file */
#define ZOOM	2	/* the "camera" has twice the resolution of the model */

static const char *const source =
	"__kernel void shrink(__global const uchar *camera, uint side, float scale, int zero,\n"
	"		      __global char *out)\n"
	"{\n"
	"	uint x = get_global_id(0), y = get_global_id(1), row = 2 * side;\n"
	"	__global const uchar *p = camera + 2 * y * row + 2 * x;\n"
	"	float mean = (p[0] + p[1] + p[row] + p[row + 1]) / 4.0f;\n"
	"	int q = convert_int_rte(mean / 255.0f / scale) + zero;\n"
	"	out[y * side + x] = (char)clamp(q, -128, 127);\n"
	"}\n"
	"__kernel void best(__global const char *scores, uint n, __global uint *out)\n"
	"{\n"
	"	uint b = 0;\n"
	"	for (uint i = 1; i < n; i++)\n"
	"		if (scores[i] > scores[b])\n"
	"			b = i;\n"
	"	*out = b;\n"
	"}\n";

static inline void check(cl_int err, const char *what)
{
	if (!err)
		return;
	fprintf(stderr, "opencl: %s: OpenCL error %d\n", what, err);
	exit(1);
}

static inline unsigned char *read_file(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	unsigned char *data;
	long n;

	if (!f || fseek(f, 0, SEEK_END) || (n = ftell(f)) <= 0 || fseek(f, 0, SEEK_SET)) {
		perror(path);
		exit(1);
	}
	data = malloc((size_t)n);
	if (!data || fread(data, 1, (size_t)n, f) != (size_t)n) {
		fprintf(stderr, "opencl: cannot read %s\n", path);
		exit(1);
	}
	fclose(f);
	*size = (size_t)n;
	return data;
}

/* A device, its context and queue. */
struct place {
	cl_device_id device;
	cl_context context;
	cl_command_queue queue;
};

/* The platform called "accel", or the first other one. */
static inline void open_place(struct place *p, int npu)
{
	cl_platform_id all[16];
	cl_uint count;
	char name[128];
	cl_int err;

	check(clGetPlatformIDs(16, all, &count), "platforms");
	for (cl_uint i = 0; i < count && i < 16; i++) {
		check(clGetPlatformInfo(all[i], CL_PLATFORM_NAME, sizeof(name), name, NULL), "platform");
		if ((strcmp(name, "accel") == 0) != npu ||
		    clGetDeviceIDs(all[i], npu ? CL_DEVICE_TYPE_ALL : CL_DEVICE_TYPE_CPU, 1, &p->device,
				   NULL))
			continue;
		p->context = clCreateContext(NULL, 1, &p->device, NULL, NULL, &err);
		check(err, "context");
		p->queue = clCreateCommandQueue(p->context, p->device, 0, &err);
		check(err, "queue");
		return;
	}
	fprintf(stderr, "opencl: no %s\n",
		npu ? "NPU: set ACCEL_OPENCL_DEVICES=sim:ethos-u65-256" : "CPU device: install pocl-opencl-icd");
	exit(1);
}

/* A buffer of the NPU that the CPU's platform sees as well. */
struct shared {
	cl_mem npu, cpu;
	unsigned char *bytes;
	size_t size;
};

static inline void share(const struct place *npu, const struct place *cpu, size_t size, struct shared *s)
{
	cl_int err;

	s->size = size;
	s->npu = clCreateBuffer(npu->context, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, size, NULL, &err);
	check(err, "buffer");
	s->bytes = clEnqueueMapBuffer(npu->queue, s->npu, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0, size, 0,
				      NULL, NULL, &err);
	check(err, "map");
	s->cpu = clCreateBuffer(cpu->context, CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR, size, s->bytes, &err);
	check(err, "the same bytes for the CPU");
}

/* A model as a program and its one kernel. */
static inline cl_kernel load_model(const struct place *npu, const char *path)
{
	size_t size;
	unsigned char *bytes = read_file(path, &size);
	cl_program p;
	cl_kernel k;
	cl_int err;

	p = clCreateProgramWithBinary(npu->context, 1, &npu->device, &size, (const unsigned char **)&bytes, NULL,
				      &err);
	check(err, path);
	check(clBuildProgram(p, 1, &npu->device, NULL, NULL, NULL), path);
	k = clCreateKernel(p, "run", &err);
	check(err, "kernel");
	/* The kernel keeps it. */
	clReleaseProgram(p);
	free(bytes);
	return k;
}

static inline size_t arg_size(cl_kernel k, cl_uint arg)
{
	size_t size;

	check(clGetKernelArgInfo(k, arg, CL_KERNEL_ARG_TENSOR_SIZE_ACCEL, sizeof(size), &size, NULL), "argument");
	return size;
}

/* The CPU's kernels. */
static inline cl_program build_source(const struct place *cpu)
{
	const char *text = source;
	cl_program p;
	cl_int err;

	p = clCreateProgramWithSource(cpu->context, 1, &text, NULL, &err);
	check(err, "source");
	check(clBuildProgram(p, 1, &cpu->device, NULL, NULL, NULL), "the CPU's kernels");
	return p;
}

/* What the camera sees: a picture, larger. */
static inline void show(unsigned char *camera, const unsigned char *picture, size_t side)
{
	for (size_t y = 0; y < ZOOM * side; y++)
		for (size_t x = 0; x < ZOOM * side; x++)
			camera[y * ZOOM * side + x] = picture[y / ZOOM * side + x / ZOOM];
}

/* Side of the square picture that has @bytes pixels; ends the program if there is none. */
static inline size_t square_side(size_t bytes)
{
	size_t side = 1;

	while (side * side < bytes)
		side++;
	if (side * side == bytes)
		return side;
	fprintf(stderr, "opencl: the model takes no square picture\n");
	exit(1);
}

#endif
