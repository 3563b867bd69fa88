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
#include "opencl_places.h"

int main(int argc, char **argv)
{
	size_t file_size, in_size, out_size, side, one = 1;
	unsigned char *file, *camera;
	struct place npu, cpu;
	struct shared in, out;
	cl_program q;
	cl_kernel run, shrink, best;
	cl_mem pixels, answer;
	cl_uint side32, classes, result;
	cl_float scale;
	cl_int err, zero;
	long n;

	if (argc < 3) {
		fprintf(stderr, "usage: opencl_pipeline MODEL PICTURES [N]\n");
		return 2;
	}
	n = argc > 3 ? atol(argv[3]) : 10;
	file = read_file(argv[2], &file_size);
	open_place(&npu, 1);
	open_place(&cpu, 0);

	run = load_model(&npu, argv[1]);
	in_size = arg_size(run, 0);
	out_size = arg_size(run, 1);
	side = square_side(in_size);
	check(clGetKernelArgInfo(run, 0, CL_KERNEL_ARG_TENSOR_SCALE_ACCEL, sizeof(scale), &scale, NULL), "input");
	check(clGetKernelArgInfo(run, 0, CL_KERNEL_ARG_TENSOR_ZERO_POINT_ACCEL, sizeof(zero), &zero, NULL),
	      "input");
	q = build_source(&cpu);
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

		show(camera, picture, side);
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
	free(file);
	return 0;
}
