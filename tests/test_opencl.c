/* SPDX-License-Identifier: MIT */
/*
 * The NPU as an OpenCL device, through the ordinary loader: as an application sees it. argv[1]: folder of
 * a small model with its vectors (tests/data/ops/NAME). argv[2]: where the second device, a simulated one,
 * logs what it does in memory (log=). The devices are what $ACCEL_OPENCL_DEVICES says, the
 * vendors file what $OCL_ICD_VENDORS says.
 */
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <CL/cl.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "runtime/opencl/accel_ext.h"
#include "tests/opencl_world.h"

static const char *access_log;

/* Every vector, from write to read, against what TensorFlow Lite gave. */
static void run_model(const struct world *w, const char *file)
{
	struct npy in = { 0 }, want = { 0 };
	struct loaded l;
	cl_mem x, y;
	uint8_t *got;
	cl_event done;
	cl_int err;
	size_t one = 1, in_size, out_size;

	vectors("input", 0, &in);
	vectors("output", 0, &want);
	in_size = in.size / VECTORS;
	out_size = want.size / VECTORS;
	got = malloc(out_size);
	load(w, file, &l);
	assert_int_equal(l.args, 2);
	x = clCreateBuffer(w->context, CL_MEM_READ_ONLY, in_size, NULL, &err);
	assert_int_equal(err, CL_SUCCESS);
	y = clCreateBuffer(w->context, CL_MEM_WRITE_ONLY, out_size, NULL, &err);
	assert_int_equal(err, CL_SUCCESS);
	assert_int_equal(clSetKernelArg(l.kernel, 0, sizeof(x), &x), CL_SUCCESS);
	assert_int_equal(clSetKernelArg(l.kernel, 1, sizeof(y), &y), CL_SUCCESS);
	for (unsigned int v = 0; v < VECTORS; v++) {
		const uint8_t *from = (const uint8_t *)in.data + v * in_size;
		cl_ulong t[4];

		assert_int_equal(clEnqueueWriteBuffer(w->queue, x, CL_FALSE, 0, in_size, from, 0, NULL, NULL),
				 CL_SUCCESS);
		assert_int_equal(clEnqueueNDRangeKernel(w->queue, l.kernel, 1, NULL, &one, NULL, 0, NULL, &done),
				 CL_SUCCESS);
		assert_int_equal(clEnqueueReadBuffer(w->queue, y, CL_TRUE, 0, out_size, got, 1, &done, NULL),
				 CL_SUCCESS);
		assert_memory_equal(got, (const uint8_t *)want.data + v * out_size, out_size);
		for (cl_profiling_info i = 0; i < 4; i++)
			assert_int_equal(clGetEventProfilingInfo(done, CL_PROFILING_COMMAND_QUEUED + i,
								 sizeof(t[i]), &t[i], NULL), CL_SUCCESS);
		assert_true(t[0] <= t[1] && t[1] <= t[2] && t[2] <= t[3] && t[0]);
		assert_int_equal(clReleaseEvent(done), CL_SUCCESS);
	}
	clReleaseMemObject(x);
	clReleaseMemObject(y);
	unload(&l);
	free(got);
	npy_free(&in);
	npy_free(&want);
}

static void vela_binary(void **state)
{
	run_model(*state, "vela-u65-256.tflite");
}

static void model_compiled_at_build(void **state)
{
	run_model(*state, "model.tflite");
}

/* Map, write in place, run, map the result: and the pointers stay the same, as nothing is copied. */
static void mapped(void **state)
{
	struct world *w = *state;
	struct npy in = { 0 }, want = { 0 };
	struct loaded l;
	uint8_t *x, *again, *y;
	cl_mem bx, by;
	cl_int err;
	size_t n, m;

	vectors("input", 0, &in);
	vectors("output", 0, &want);
	n = in.size / VECTORS;
	m = want.size / VECTORS;
	load(w, "vela-u65-256.tflite", &l);
	bx = clCreateBuffer(w->context, CL_MEM_ALLOC_HOST_PTR, n, NULL, &err);
	by = clCreateBuffer(w->context, CL_MEM_ALLOC_HOST_PTR, m, NULL, &err);
	clSetKernelArg(l.kernel, 0, sizeof(bx), &bx);
	clSetKernelArg(l.kernel, 1, sizeof(by), &by);
	x = clEnqueueMapBuffer(w->queue, bx, CL_TRUE, CL_MAP_WRITE_INVALIDATE_REGION, 0, n, 0, NULL, NULL,
			       &err);
	assert_int_equal(err, CL_SUCCESS);
	memcpy(x, in.data, n);
	assert_int_equal(clEnqueueUnmapMemObject(w->queue, bx, x, 0, NULL, NULL), CL_SUCCESS);
	assert_int_equal(clEnqueueTask(w->queue, l.kernel, 0, NULL, NULL), CL_SUCCESS);
	y = clEnqueueMapBuffer(w->queue, by, CL_TRUE, CL_MAP_READ, 0, m, 0, NULL, NULL, &err);
	assert_int_equal(err, CL_SUCCESS);
	assert_memory_equal(y, want.data, m);
	assert_int_equal(clEnqueueUnmapMemObject(w->queue, by, y, 0, NULL, NULL), CL_SUCCESS);
	again = clEnqueueMapBuffer(w->queue, bx, CL_TRUE, CL_MAP_READ, 0, n, 0, NULL, NULL, &err);
	assert_ptr_equal(again, x);
	assert_memory_equal(again, in.data, n);
	assert_int_equal(clEnqueueUnmapMemObject(w->queue, bx, again, 0, NULL, NULL), CL_SUCCESS);
	assert_int_equal(clEnqueueUnmapMemObject(w->queue, bx, again, 0, NULL, NULL), CL_INVALID_VALUE);
	assert_int_equal(clFinish(w->queue), CL_SUCCESS);
	clReleaseMemObject(bx);
	clReleaseMemObject(by);
	unload(&l);
	npy_free(&in);
	npy_free(&want);
}

/* ---- no copies ---- */

static cl_ulong copied(const struct loaded *l)
{
	cl_ulong bytes;

	assert_int_equal(clGetKernelInfo(l->kernel, CL_KERNEL_COPIED_ACCEL, sizeof(bytes), &bytes, NULL),
			 CL_SUCCESS);
	return bytes;
}

/* How many of the @size bytes at @at the device has read or written since byte @from of its log. */
static size_t touched(const char *what, long from, const uint8_t *at, size_t size)
{
	uint8_t *seen = calloc(1, size);
	FILE *log = fopen(access_log, "r");
	unsigned long long bytes;
	size_t count = 0;
	uint8_t *where;
	char kind[8];

	assert_non_null(log);
	fseek(log, from, SEEK_SET);
	while (fscanf(log, "%7s %p %llu", kind, (void **)&where, &bytes) == 3)
		for (size_t i = 0; i < bytes && !strcmp(kind, what); i++)
			if (where + i >= at && where + i < at + size)
				seen[where + i - at] = 1;
	fclose(log);
	for (size_t i = 0; i < size; i++)
		count += seen[i];
	free(seen);
	return count;
}

/* Between map, run and unmap the NPU itself reads and writes what was mapped. */
static void nothing_is_copied(void **state)
{
	struct world w = *(struct world *)*state;
	struct npy in = { 0 }, want = { 0 };
	uint8_t *x, *y;
	struct loaded l;
	cl_mem bx, by;
	long from;
	size_t n, m;
	cl_int err;
	FILE *log;

	w.device = w.logging;
	w.context = clCreateContext(NULL, 1, &w.device, NULL, NULL, &err);
	w.queue = clCreateCommandQueue(w.context, w.device, 0, &err);
	assert_int_equal(err, CL_SUCCESS);
	vectors("input", 0, &in);
	vectors("output", 0, &want);
	n = in.size / VECTORS;
	m = want.size / VECTORS;
	load(&w, "model.tflite", &l);
	bx = clCreateBuffer(w.context, CL_MEM_ALLOC_HOST_PTR, n, NULL, &err);
	by = clCreateBuffer(w.context, CL_MEM_ALLOC_HOST_PTR, m, NULL, &err);
	clSetKernelArg(l.kernel, 0, sizeof(bx), &bx);
	clSetKernelArg(l.kernel, 1, sizeof(by), &by);
	log = fopen(access_log, "r");
	assert_non_null(log);
	fseek(log, 0, SEEK_END);
	from = ftell(log);
	fclose(log);
	x = clEnqueueMapBuffer(w.queue, bx, CL_TRUE, CL_MAP_WRITE, 0, n, 0, NULL, NULL, &err);
	memcpy(x, in.data, n);
	clEnqueueUnmapMemObject(w.queue, bx, x, 0, NULL, NULL);
	assert_int_equal(clEnqueueTask(w.queue, l.kernel, 0, NULL, NULL), CL_SUCCESS);
	y = clEnqueueMapBuffer(w.queue, by, CL_TRUE, CL_MAP_READ, 0, m, 0, NULL, NULL, &err);
	assert_int_equal(err, CL_SUCCESS);
	assert_memory_equal(y, want.data, m);
	assert_int_equal(copied(&l), 0);
	assert_true(touched("read", from, x, n) > 0);
	assert_int_equal(touched("write", from, x, n), 0);
	assert_int_equal(touched("write", from, y, m), m);
	clEnqueueUnmapMemObject(w.queue, by, y, 0, NULL, NULL);
	clFinish(w.queue);
	clReleaseMemObject(bx);
	clReleaseMemObject(by);
	unload(&l);
	npy_free(&in);
	npy_free(&want);
	clReleaseCommandQueue(w.queue);
	clReleaseContext(w.context);
}

/* One run of argument @x to argument @y: the result, and how much was copied for it. */
static void run_on(const struct world *w, const struct loaded *l, cl_mem x, cl_mem y, const struct npy *in,
		   const struct npy *want, unsigned int vector, cl_ulong copies)
{
	size_t n = in->size / VECTORS, m = want->size / VECTORS;
	uint8_t *got = malloc(m);

	clSetKernelArg(l->kernel, 0, sizeof(x), &x);
	clSetKernelArg(l->kernel, 1, sizeof(y), &y);
	clEnqueueWriteBuffer(w->queue, x, CL_FALSE, 0, n, (uint8_t *)in->data + vector * n, 0, NULL, NULL);
	assert_int_equal(clEnqueueTask(w->queue, l->kernel, 0, NULL, NULL), CL_SUCCESS);
	assert_int_equal(clEnqueueReadBuffer(w->queue, y, CL_TRUE, 0, m, got, 0, NULL, NULL), CL_SUCCESS);
	assert_memory_equal(got, (uint8_t *)want->data + vector * m, m);
	assert_int_equal(copied(l), copies);
	free(got);
}

/* Parts of a buffer are reached where they are; what is read and written in one place is not. */
static void copied_where_it_must_be(void **state)
{
	struct world *w = *state;
	struct npy in = { 0 }, want = { 0 };
	cl_buffer_region region;
	cl_mem whole, x, y, near;
	struct loaded l;
	size_t n, m;
	cl_int err;

	vectors("input", 0, &in);
	vectors("output", 0, &want);
	n = in.size / VECTORS;
	m = want.size / VECTORS;
	whole = clCreateBuffer(w->context, CL_MEM_READ_WRITE, n + m + 1024, NULL, &err);
	region = (cl_buffer_region){ 128, n };
	x = clCreateSubBuffer(whole, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, &err);
	assert_int_equal(err, CL_SUCCESS);
	region = (cl_buffer_region){ (128 + n + 127) / 128 * 128, m };
	y = clCreateSubBuffer(whole, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, &err);
	assert_int_equal(err, CL_SUCCESS);
	region = (cl_buffer_region){ 0, m };
	near = clCreateSubBuffer(whole, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, &err);
	assert_int_equal(err, CL_SUCCESS);
	load(w, "model.tflite", &l);
	run_on(w, &l, x, y, &in, &want, 0, 0);
	run_on(w, &l, x, near, &in, &want, 1, n);
	run_on(w, &l, whole, whole, &in, &want, 2, n);
	run_on(w, &l, x, y, &in, &want, 1, 0);
	unload(&l);
	/* Vela keeps both in the arena. */
	load(w, "vela-u65-256.tflite", &l);
	run_on(w, &l, x, y, &in, &want, 0, n + m);
	unload(&l);
	clReleaseMemObject(x);
	clReleaseMemObject(y);
	clReleaseMemObject(near);
	clReleaseMemObject(whole);
	npy_free(&in);
	npy_free(&want);
}

static void arguments_tell(void **state)
{
	struct world *w = *state;
	char text[64];
	struct loaded l;
	int32_t shape[8];
	size_t size, bytes;
	struct npy in = { 0 };

	vectors("input", 0, &in);
	load(w, "vela-u65-256.tflite", &l);
	assert_int_equal(clGetKernelArgInfo(l.kernel, 0, CL_KERNEL_ARG_TYPE_NAME, sizeof(text), text, NULL),
			 CL_SUCCESS);
	assert_string_equal(text, "char*");
	assert_int_equal(clGetKernelArgInfo(l.kernel, 0, 0x4A00, sizeof(shape), shape, &size), CL_SUCCESS);
	bytes = 1;
	for (size_t i = 0; i < size / sizeof(shape[0]); i++)
		bytes *= (size_t)shape[i];
	assert_int_equal(bytes * elem_size(in.type), in.size / VECTORS);
	assert_int_equal(clGetKernelArgInfo(l.kernel, l.args, CL_KERNEL_ARG_NAME, sizeof(text), text, NULL),
			 CL_INVALID_ARG_INDEX);
	unload(&l);
	npy_free(&in);
}

/* ---- what is refused ---- */

static void no_compiler(void **state)
{
	struct world *w = *state;
	const char *source = "__kernel void f(void) {}";
	cl_program p;
	cl_bool yes;
	cl_int err;

	clGetDeviceInfo(w->device, CL_DEVICE_COMPILER_AVAILABLE, sizeof(yes), &yes, NULL);
	assert_int_equal(yes, CL_FALSE);
	p = clCreateProgramWithSource(w->context, 1, &source, NULL, &err);
	assert_int_equal(err, CL_SUCCESS);
	assert_int_equal(clBuildProgram(p, 0, NULL, NULL, NULL, NULL), CL_COMPILER_NOT_AVAILABLE);
	assert_int_equal(clCompileProgram(p, 0, NULL, NULL, 0, NULL, NULL, NULL, NULL),
			 CL_COMPILER_NOT_AVAILABLE);
	clLinkProgram(w->context, 0, NULL, NULL, 1, &p, NULL, NULL, &err);
	assert_int_equal(err, CL_LINKER_NOT_AVAILABLE);
	clReleaseProgram(p);
}

static void bad_binary(void **state)
{
	static const unsigned char junk[64] = "no model at all";
	struct world *w = *state;
	const unsigned char *bytes = junk;
	size_t size = sizeof(junk), len;
	char log[512];
	cl_program p;
	cl_int err;

	p = clCreateProgramWithBinary(w->context, 1, &w->device, &size, &bytes, NULL, &err);
	assert_int_equal(err, CL_SUCCESS);
	clCreateKernel(p, "run", &err);
	assert_int_equal(err, CL_INVALID_PROGRAM_EXECUTABLE);
	assert_int_equal(clBuildProgram(p, 0, NULL, NULL, NULL, NULL), CL_INVALID_BINARY);
	assert_int_equal(clGetProgramBuildInfo(p, w->device, CL_PROGRAM_BUILD_LOG, sizeof(log), log, &len),
			 CL_SUCCESS);
	assert_true(len > 10 && strstr(log, "neither TFLite"));
	clReleaseProgram(p);
}

static void wrong_arguments(void **state)
{
	struct world *w = *state;
	size_t one = 1, two = 2;
	struct loaded l;
	cl_mem small;
	cl_int err;

	load(w, "vela-u65-256.tflite", &l);
	clCreateKernel(l.program, "walk", &err);
	assert_int_equal(err, CL_INVALID_KERNEL_NAME);
	assert_int_equal(clEnqueueNDRangeKernel(w->queue, l.kernel, 1, NULL, &one, NULL, 0, NULL, NULL),
			 CL_INVALID_KERNEL_ARGS);
	small = clCreateBuffer(w->context, CL_MEM_READ_WRITE, 1, NULL, &err);
	assert_int_equal(clSetKernelArg(l.kernel, 0, sizeof(small), &small), CL_INVALID_ARG_SIZE);
	assert_int_equal(clSetKernelArg(l.kernel, 7, sizeof(small), &small), CL_INVALID_ARG_INDEX);
	assert_int_equal(clSetKernelArg(l.kernel, 0, 4, &small), CL_INVALID_ARG_SIZE);
	assert_int_equal(clSetKernelArg(l.kernel, 0, sizeof(small), NULL), CL_INVALID_ARG_VALUE);
	assert_int_equal(clEnqueueNDRangeKernel(w->queue, l.kernel, 1, NULL, &two, NULL, 0, NULL, NULL),
			 CL_INVALID_GLOBAL_WORK_SIZE);
	assert_int_equal(clEnqueueNDRangeKernel(w->queue, l.kernel, 4, NULL, &one, NULL, 0, NULL, NULL),
			 CL_INVALID_WORK_DIMENSION);
	clReleaseMemObject(small);
	unload(&l);
}

/* A handle that was given back, as long as its memory has not become another's. */
static void released_handles(void **state)
{
	struct world *w = *state;
	cl_int err;
	cl_mem m = clCreateBuffer(w->context, CL_MEM_READ_WRITE, 64, NULL, &err);
	cl_event e = clCreateUserEvent(w->context, &err);
	char byte;

	assert_int_equal(clReleaseMemObject(m), CL_SUCCESS);
	assert_int_equal(clReleaseMemObject(m), CL_INVALID_MEM_OBJECT);
	assert_int_equal(clEnqueueReadBuffer(w->queue, m, CL_TRUE, 0, 1, &byte, 0, NULL, NULL),
			 CL_INVALID_MEM_OBJECT);
	assert_int_equal(clSetUserEventStatus(e, CL_COMPLETE), CL_SUCCESS);
	assert_int_equal(clSetUserEventStatus(e, CL_COMPLETE), CL_INVALID_OPERATION);
	assert_int_equal(clReleaseEvent(e), CL_SUCCESS);
	assert_int_equal(clWaitForEvents(1, &e), CL_INVALID_EVENT);
	/* One kind is not another. */
	assert_int_equal(clRetainMemObject((cl_mem)w->queue), CL_INVALID_MEM_OBJECT);
}

static void no_images(void **state)
{
	struct world *w = *state;
	const cl_image_format format = { CL_R, CL_UNSIGNED_INT8 };
	const cl_image_desc desc = { .image_type = CL_MEM_OBJECT_IMAGE2D, .image_width = 4,
				     .image_height = 4 };
	cl_uint count = 7;
	cl_int err;

	assert_null(clCreateImage(w->context, CL_MEM_READ_ONLY, &format, &desc, NULL, &err));
	assert_int_equal(err, CL_INVALID_OPERATION);
	assert_int_equal(clGetSupportedImageFormats(w->context, CL_MEM_READ_ONLY, CL_MEM_OBJECT_IMAGE2D, 0,
						    NULL, &count), CL_SUCCESS);
	assert_int_equal(count, 0);
	assert_null(clSVMAlloc(w->context, CL_MEM_READ_WRITE, 64, 0));
}

/* ---- buffers ---- */

static void fill_copy_box(void **state)
{
	struct world *w = *state;
	const size_t from[3] = { 2, 1, 0 }, to[3] = { 0, 0, 0 }, box[3] = { 3, 2, 1 };
	uint8_t all[64], part[6], mark = 0xa5;
	cl_mem a, b;
	cl_int err;

	for (unsigned int i = 0; i < sizeof(all); i++)
		all[i] = (uint8_t)i;
	a = clCreateBuffer(w->context, CL_MEM_COPY_HOST_PTR, sizeof(all), all, &err);
	b = clCreateBuffer(w->context, CL_MEM_READ_WRITE, sizeof(all), NULL, &err);
	/* Rows of 8 bytes: a box of 3 x 2 from (2, 1). */
	assert_int_equal(clEnqueueReadBufferRect(w->queue, a, CL_TRUE, from, to, box, 8, 0, 0, 0, part, 0,
						 NULL, NULL), CL_SUCCESS);
	assert_memory_equal(part, ((uint8_t[]){ 10, 11, 12, 18, 19, 20 }), 6);
	assert_int_equal(clEnqueueFillBuffer(w->queue, b, &mark, 1, 0, sizeof(all), 0, NULL, NULL),
			 CL_SUCCESS);
	assert_int_equal(clEnqueueCopyBuffer(w->queue, a, b, 8, 16, 4, 0, NULL, NULL), CL_SUCCESS);
	assert_int_equal(clEnqueueReadBuffer(w->queue, b, CL_TRUE, 15, 6, part, 0, NULL, NULL),
			 CL_SUCCESS);
	assert_memory_equal(part, ((uint8_t[]){ 0xa5, 8, 9, 10, 11, 0xa5 }), 6);
	assert_int_equal(clEnqueueCopyBuffer(w->queue, a, a, 0, 2, 4, 0, NULL, NULL), CL_MEM_COPY_OVERLAP);
	assert_int_equal(clEnqueueReadBuffer(w->queue, a, CL_TRUE, 60, 5, part, 0, NULL, NULL),
			 CL_INVALID_VALUE);
	assert_int_equal(clEnqueueFillBuffer(w->queue, b, &mark, 3, 0, 6, 0, NULL, NULL),
			 CL_INVALID_VALUE);
	clReleaseMemObject(a);
	clReleaseMemObject(b);
}

static void parts(void **state)
{
	struct world *w = *state;
	cl_buffer_region region = { 128, 128 };
	uint8_t byte = 0x42, got = 0;
	cl_mem whole, part;
	cl_int err;

	whole = clCreateBuffer(w->context, CL_MEM_READ_WRITE, 512, NULL, &err);
	part = clCreateSubBuffer(whole, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, &err);
	assert_int_equal(err, CL_SUCCESS);
	assert_int_equal(clEnqueueWriteBuffer(w->queue, part, CL_TRUE, 5, 1, &byte, 0, NULL, NULL),
			 CL_SUCCESS);
	assert_int_equal(clEnqueueReadBuffer(w->queue, whole, CL_TRUE, 133, 1, &got, 0, NULL, NULL),
			 CL_SUCCESS);
	assert_int_equal(got, byte);
	region.origin = 64;
	clCreateSubBuffer(whole, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, &err);
	assert_int_equal(err, CL_MISALIGNED_SUB_BUFFER_OFFSET);
	region.origin = 512;
	clCreateSubBuffer(whole, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, &err);
	assert_int_equal(err, CL_INVALID_VALUE);
	clCreateSubBuffer(part, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, &err);
	assert_int_equal(err, CL_INVALID_MEM_OBJECT);
	/* The part keeps the whole. */
	assert_int_equal(clReleaseMemObject(whole), CL_SUCCESS);
	assert_int_equal(clEnqueueReadBuffer(w->queue, part, CL_TRUE, 5, 1, &got, 0, NULL, NULL),
			 CL_SUCCESS);
	clReleaseMemObject(part);
}

/* ---- events ---- */

static void CL_CALLBACK tell(cl_event e, cl_int status, void *data)
{
	(void)e;
	assert_int_equal(status, CL_COMPLETE);
	sem_post(data);
}

/* A command waits for the application's event; a callback comes without anybody waiting in OpenCL. */
static void user_event_and_callback(void **state)
{
	struct world *w = *state;
	uint8_t byte = 1, got = 0;
	cl_event gate, done;
	cl_int err, status;
	sem_t called;
	cl_mem m;

	sem_init(&called, 0, 0);
	m = clCreateBuffer(w->context, CL_MEM_READ_WRITE, 16, NULL, &err);
	gate = clCreateUserEvent(w->context, &err);
	assert_int_equal(clEnqueueWriteBuffer(w->queue, m, CL_FALSE, 0, 1, &byte, 1, &gate, &done),
			 CL_SUCCESS);
	assert_int_equal(clSetEventCallback(done, CL_COMPLETE, tell, &called), CL_SUCCESS);
	clGetEventInfo(done, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof(status), &status, NULL);
	assert_true(status == CL_QUEUED || status == CL_SUBMITTED);
	assert_int_equal(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
	sem_wait(&called);
	assert_int_equal(clEnqueueReadBuffer(w->queue, m, CL_TRUE, 0, 1, &got, 0, NULL, NULL), CL_SUCCESS);
	assert_int_equal(got, 1);
	clReleaseEvent(gate);
	clReleaseEvent(done);
	clReleaseMemObject(m);
	sem_destroy(&called);
}

static void errors_go_on(void **state)
{
	struct world *w = *state;
	uint8_t byte = 1;
	cl_event gate, done, after;
	cl_int err, status;
	cl_mem m;

	m = clCreateBuffer(w->context, CL_MEM_READ_WRITE, 16, NULL, &err);
	gate = clCreateUserEvent(w->context, &err);
	clEnqueueWriteBuffer(w->queue, m, CL_FALSE, 0, 1, &byte, 1, &gate, &done);
	clEnqueueMarkerWithWaitList(w->queue, 1, &done, &after);
	assert_int_equal(clSetUserEventStatus(gate, -42), CL_SUCCESS);
	assert_int_equal(clWaitForEvents(1, &after), CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
	clGetEventInfo(done, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof(status), &status, NULL);
	assert_true(status < 0);
	clReleaseEvent(gate);
	clReleaseEvent(done);
	clReleaseEvent(after);
	clReleaseMemObject(m);
	assert_int_equal(clFinish(w->queue), CL_SUCCESS);
}

/* Out of order, what is behind a command that waits need not wait. */
static void out_of_order(void **state)
{
	struct world *w = *state;
	uint8_t a = 1, b = 2, got = 0;
	cl_command_queue q;
	cl_event gate, second;
	cl_int err;
	cl_mem m;

	q = clCreateCommandQueue(w->context, w->device, CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, &err);
	assert_int_equal(err, CL_SUCCESS);
	m = clCreateBuffer(w->context, CL_MEM_READ_WRITE, 16, NULL, &err);
	gate = clCreateUserEvent(w->context, &err);
	clEnqueueWriteBuffer(q, m, CL_FALSE, 0, 1, &a, 1, &gate, NULL);
	clEnqueueWriteBuffer(q, m, CL_FALSE, 1, 1, &b, 0, NULL, &second);
	assert_int_equal(clWaitForEvents(1, &second), CL_SUCCESS);
	/* Behind a barrier it has to. */
	clEnqueueBarrierWithWaitList(q, 0, NULL, NULL);
	assert_int_equal(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
	assert_int_equal(clEnqueueReadBuffer(q, m, CL_TRUE, 0, 1, &got, 0, NULL, NULL), CL_SUCCESS);
	assert_int_equal(got, 1);
	clReleaseEvent(gate);
	clReleaseEvent(second);
	clReleaseMemObject(m);
	clReleaseCommandQueue(q);
}

/* One queue waits for another that nobody has flushed. */
static void two_queues(void **state)
{
	struct world *w = *state;
	uint8_t a = 7, got = 0;
	cl_command_queue other;
	cl_event written;
	cl_int err;
	cl_mem m;

	other = clCreateCommandQueue(w->context, w->device, 0, &err);
	m = clCreateBuffer(w->context, CL_MEM_READ_WRITE, 16, NULL, &err);
	clEnqueueWriteBuffer(other, m, CL_FALSE, 0, 1, &a, 0, NULL, &written);
	assert_int_equal(clEnqueueReadBuffer(w->queue, m, CL_TRUE, 0, 1, &got, 1, &written, NULL),
			 CL_SUCCESS);
	assert_int_equal(got, a);
	clReleaseEvent(written);
	clReleaseMemObject(m);
	clReleaseCommandQueue(other);
}

/* Several threads, one context and one program, each with a queue. */
struct worker {
	const struct world *w;
	const struct loaded *l;
	const struct npy *in, *want;
	unsigned int vector;
	unsigned int wrong;
};

static void *work(void *arg)
{
	struct worker *me = arg;
	size_t n = me->in->size / VECTORS, m = me->want->size / VECTORS;
	uint8_t *got = malloc(m);
	cl_command_queue q;
	cl_kernel k;
	cl_mem x, y;
	cl_int err;

	q = clCreateCommandQueue(me->w->context, me->w->device, 0, &err);
	k = clCloneKernel(me->l->kernel, &err);
	x = clCreateBuffer(me->w->context, CL_MEM_COPY_HOST_PTR, n,
			   (uint8_t *)me->in->data + me->vector * n, &err);
	y = clCreateBuffer(me->w->context, CL_MEM_READ_WRITE, m, NULL, &err);
	clSetKernelArg(k, 0, sizeof(x), &x);
	clSetKernelArg(k, 1, sizeof(y), &y);
	for (unsigned int i = 0; i < 20; i++) {
		me->wrong += clEnqueueTask(q, k, 0, NULL, NULL) != CL_SUCCESS;
		if (i % 3 == 0)
			clFlush(q);
		me->wrong += clEnqueueReadBuffer(q, y, CL_TRUE, 0, m, got, 0, NULL, NULL) != CL_SUCCESS;
		me->wrong += memcmp(got, (uint8_t *)me->want->data + me->vector * m, m) != 0;
	}
	clReleaseMemObject(x);
	clReleaseMemObject(y);
	clReleaseKernel(k);
	clReleaseCommandQueue(q);
	free(got);
	return NULL;
}

static void threads(void **state)
{
	struct npy in = { 0 }, want = { 0 };
	struct worker workers[VECTORS];
	pthread_t ids[VECTORS];
	struct loaded l;

	vectors("input", 0, &in);
	vectors("output", 0, &want);
	load(*state, "vela-u65-256.tflite", &l);
	for (unsigned int i = 0; i < VECTORS; i++) {
		workers[i] = (struct worker){ *state, &l, &in, &want, i, 0 };
		assert_int_equal(pthread_create(&ids[i], NULL, work, &workers[i]), 0);
	}
	for (unsigned int i = 0; i < VECTORS; i++) {
		pthread_join(ids[i], NULL);
		assert_int_equal(workers[i].wrong, 0);
	}
	unload(&l);
	npy_free(&in);
	npy_free(&want);
}

int main(int argc, char **argv)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(vela_binary), TEST(model_compiled_at_build), TEST(mapped), TEST(nothing_is_copied),
		TEST(copied_where_it_must_be), TEST(arguments_tell),
		TEST(no_compiler), TEST(bad_binary), TEST(wrong_arguments), TEST(released_handles),
		TEST(no_images), TEST(fill_copy_box), TEST(parts), TEST(user_event_and_callback),
		TEST(errors_go_on), TEST(out_of_order), TEST(two_queues), TEST(threads),
	};

	if (argc != 3) {
		fprintf(stderr, "usage: test_opencl FOLDER LOG\n");
		return 2;
	}
	folder = argv[1];
	access_log = argv[2];
	return cmocka_run_group_tests_name("opencl", tests, NULL, NULL);
}
