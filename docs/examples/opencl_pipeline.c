/* SPDX-License-Identifier: MIT */
/*
 * Three OpenCL devices' work in a row, in plain OpenCL: the CPU (any platform with a compiler, such as PoCL)
 * shrinks and quantises a picture, the NPU classifies it, the CPU finds the best class.
 *
 * The two platforms share memory without a copy: buffers are the NPU's, mapped, and the CPU's platform is
 * given the same bytes with CL_MEM_USE_HOST_PTR.
 *
 *	cc opencl_pipeline.c -lOpenCL -o opencl_pipeline
 *	ACCEL_OPENCL_DEVICES=sim:ethos-u65-256 ./opencl_pipeline model.accel pictures.idx3 [N]
 *
 * The model takes one grey picture of int8, the file is of the MNIST kind (Debian's dataset-fashion-mnist,
 * unpacked). Prints the class of each of the first N pictures.
 */
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

static void check(cl_int err, const char *what)
{
	if (!err)
		return;
	fprintf(stderr, "opencl_pipeline: %s: OpenCL error %d\n", what, err);
	exit(1);
}

static unsigned char *read_file(const char *path, size_t *size)
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
		fprintf(stderr, "opencl_pipeline: cannot read %s\n", path);
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
static void open_place(struct place *p, int npu)
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
	fprintf(stderr, "opencl_pipeline: no %s\n",
		npu ? "NPU: set ACCEL_OPENCL_DEVICES=sim:ethos-u65-256" : "CPU device: install pocl-opencl-icd");
	exit(1);
}

/* A buffer of the NPU that the CPU's platform sees as well. */
struct shared {
	cl_mem npu, cpu;
	unsigned char *bytes;
	size_t size;
};

static void share(const struct place *npu, const struct place *cpu, size_t size, struct shared *s)
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

int main(int argc, char **argv)
{
	size_t model_size, file_size, in_size, out_size, side, one = 1, size;
	unsigned char *model, *file, *camera;
	struct place npu, cpu;
	struct shared in, out;
	cl_program p, q;
	cl_kernel run, shrink, best;
	cl_mem pixels, answer;
	const char *text = source;
	cl_uint side32, classes, result;
	cl_float scale;
	cl_int err, zero;
	long n;

	if (argc < 3) {
		fprintf(stderr, "usage: opencl_pipeline MODEL PICTURES [N]\n");
		return 2;
	}
	n = argc > 3 ? atol(argv[3]) : 10;
	model = read_file(argv[1], &model_size);
	file = read_file(argv[2], &file_size);
	open_place(&npu, 1);
	open_place(&cpu, 0);

	p = clCreateProgramWithBinary(npu.context, 1, &npu.device, &model_size,
				      (const unsigned char **)&model, NULL, &err);
	check(err, argv[1]);
	check(clBuildProgram(p, 1, &npu.device, NULL, NULL, NULL), "the model");
	run = clCreateKernel(p, "run", &err);
	check(err, "kernel");
	check(clGetKernelArgInfo(run, 0, CL_KERNEL_ARG_TENSOR_SIZE_ACCEL, sizeof(size), &in_size, NULL), "input");
	check(clGetKernelArgInfo(run, 0, CL_KERNEL_ARG_TENSOR_SCALE_ACCEL, sizeof(scale), &scale, NULL), "input");
	check(clGetKernelArgInfo(run, 0, CL_KERNEL_ARG_TENSOR_ZERO_POINT_ACCEL, sizeof(zero), &zero, NULL),
	      "input");
	check(clGetKernelArgInfo(run, 1, CL_KERNEL_ARG_TENSOR_SIZE_ACCEL, sizeof(size), &out_size, NULL),
	      "output");
	for (side = 1; side * side < in_size; side++)
		;
	if (side * side != in_size || file_size < HEADER + in_size) {
		fprintf(stderr, "opencl_pipeline: the model takes no square picture, or %s is short\n", argv[2]);
		return 1;
	}

	q = clCreateProgramWithSource(cpu.context, 1, &text, NULL, &err);
	check(err, "source");
	check(clBuildProgram(q, 1, &cpu.device, NULL, NULL, NULL), "the CPU's kernels");
	shrink = clCreateKernel(q, "shrink", &err);
	check(err, "shrink");
	best = clCreateKernel(q, "best", &err);
	check(err, "best");

	share(&npu, &cpu, in_size, &in);
	share(&npu, &cpu, out_size, &out);
	camera = malloc(ZOOM * ZOOM * in_size);
	pixels = clCreateBuffer(cpu.context, CL_MEM_READ_ONLY | CL_MEM_USE_HOST_PTR, ZOOM * ZOOM * in_size,
				camera, &err);
	check(err, "camera");
	answer = clCreateBuffer(cpu.context, CL_MEM_WRITE_ONLY, sizeof(result), NULL, &err);
	check(err, "answer");
	side32 = (cl_uint)side;
	classes = (cl_uint)out_size;
	clSetKernelArg(shrink, 0, sizeof(pixels), &pixels);
	clSetKernelArg(shrink, 1, sizeof(side32), &side32);
	clSetKernelArg(shrink, 2, sizeof(scale), &scale);
	clSetKernelArg(shrink, 3, sizeof(zero), &zero);
	clSetKernelArg(shrink, 4, sizeof(in.cpu), &in.cpu);
	clSetKernelArg(run, 0, sizeof(in.npu), &in.npu);
	clSetKernelArg(run, 1, sizeof(out.npu), &out.npu);
	clSetKernelArg(best, 0, sizeof(out.cpu), &out.cpu);
	clSetKernelArg(best, 1, sizeof(classes), &classes);
	clSetKernelArg(best, 2, sizeof(answer), &answer);

	for (long i = 0; i < n && HEADER + (size_t)(i + 1) * in_size <= file_size; i++) {
		const unsigned char *picture = file + HEADER + (size_t)i * in_size;
		size_t grid[2] = { side, side };

		for (size_t y = 0; y < ZOOM * side; y++)
			for (size_t x = 0; x < ZOOM * side; x++)
				camera[y * ZOOM * side + x] = picture[y / ZOOM * side + x / ZOOM];
		check(clEnqueueWriteBuffer(cpu.queue, pixels, CL_FALSE, 0, ZOOM * ZOOM * in_size, camera, 0, NULL,
					   NULL), "camera");
		check(clEnqueueNDRangeKernel(cpu.queue, shrink, 2, NULL, grid, NULL, 0, NULL, NULL), "shrink");
		check(clFinish(cpu.queue), "shrink");
		check(clEnqueueNDRangeKernel(npu.queue, run, 1, NULL, &one, NULL, 0, NULL, NULL), "run");
		check(clFinish(npu.queue), "run");
		check(clEnqueueNDRangeKernel(cpu.queue, best, 1, NULL, &one, NULL, 0, NULL, NULL), "best");
		check(clEnqueueReadBuffer(cpu.queue, answer, CL_TRUE, 0, sizeof(result), &result, 0, NULL, NULL),
		      "answer");
		printf("%u\n", result);
	}
	free(camera);
	free(model);
	free(file);
	return 0;
}
