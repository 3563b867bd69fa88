/* SPDX-License-Identifier: MIT */
/*
 * Extensions of the OpenCL ICD, through the ordinary loader: memory from and for others, recorded commands,
 * built-in kernels. argv[1]: as for test_opencl. $ACCEL_OPENCL_KERNELS: "run-it" is the folder's model.tflite,
 * "vela" what Vela made of it, "broken" no model.
 */
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <CL/cl.h>
#include <CL/cl_ext.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "runtime/opencl/accel_ext.h"
#include "runtime/opencl/ocl_khr.h"
#include "tests/opencl_world.h"

/* What the loader does not know by name. */
struct extras {
	cl_int (*acquire)(cl_command_queue, cl_uint, const cl_mem *, cl_uint, const cl_event *, cl_event *);
	cl_int (*give_back)(cl_command_queue, cl_uint, const cl_mem *, cl_uint, const cl_event *, cl_event *);
	ocl_command_buffer (*create)(cl_uint, const cl_command_queue *, const ocl_properties *, cl_int *);
	cl_int (*finalize)(ocl_command_buffer);
	cl_int (*retain)(ocl_command_buffer);
	cl_int (*release)(ocl_command_buffer);
	cl_int (*enqueue)(cl_uint, cl_command_queue *, ocl_command_buffer, cl_uint, const cl_event *, cl_event *);
	cl_int (*barrier)(ocl_command_buffer, cl_command_queue, const ocl_properties *, cl_uint,
			  const ocl_sync_point *, ocl_sync_point *, void *);
	cl_int (*copy)(ocl_command_buffer, cl_command_queue, const ocl_properties *, cl_mem, cl_mem, size_t,
		       size_t, size_t, cl_uint, const ocl_sync_point *, ocl_sync_point *, void *);
	cl_int (*copy_rect)(ocl_command_buffer, cl_command_queue, const ocl_properties *, cl_mem, cl_mem,
			    const size_t *, const size_t *, const size_t *, size_t, size_t, size_t, size_t,
			    cl_uint, const ocl_sync_point *, ocl_sync_point *, void *);
	cl_int (*fill)(ocl_command_buffer, cl_command_queue, const ocl_properties *, cl_mem, const void *,
		       size_t, size_t, size_t, cl_uint, const ocl_sync_point *, ocl_sync_point *, void *);
	cl_int (*kernel)(ocl_command_buffer, cl_command_queue, const ocl_properties *, cl_kernel, cl_uint,
			 const size_t *, const size_t *, const size_t *, cl_uint, const ocl_sync_point *,
			 ocl_sync_point *, void *);
	cl_int (*info)(ocl_command_buffer, cl_uint, size_t, void *, size_t *);
	cl_int (*copy_image)(ocl_command_buffer);
};

static void find_extras(const struct world *w, struct extras *x)
{
	const struct { const char *name; void **to; } all[] = {
		{ "clEnqueueAcquireExternalMemObjectsKHR", (void **)&x->acquire },
		{ "clEnqueueReleaseExternalMemObjectsKHR", (void **)&x->give_back },
		{ "clCreateCommandBufferKHR", (void **)&x->create },
		{ "clFinalizeCommandBufferKHR", (void **)&x->finalize },
		{ "clRetainCommandBufferKHR", (void **)&x->retain },
		{ "clReleaseCommandBufferKHR", (void **)&x->release },
		{ "clEnqueueCommandBufferKHR", (void **)&x->enqueue },
		{ "clCommandBarrierWithWaitListKHR", (void **)&x->barrier },
		{ "clCommandCopyBufferKHR", (void **)&x->copy },
		{ "clCommandCopyBufferRectKHR", (void **)&x->copy_rect },
		{ "clCommandFillBufferKHR", (void **)&x->fill },
		{ "clCommandNDRangeKernelKHR", (void **)&x->kernel },
		{ "clGetCommandBufferInfoKHR", (void **)&x->info },
		{ "clCommandCopyImageKHR", (void **)&x->copy_image },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		*all[i].to = clGetExtensionFunctionAddressForPlatform(w->platform, all[i].name);
		assert_non_null(*all[i].to);
	}
}

/* The model's arguments in two buffers. */
struct io {
	struct npy in, want;
	size_t n, m;
};

static void get_io(struct io *io)
{
	memset(io, 0, sizeof(*io));
	vectors("input", 0, &io->in);
	vectors("output", 0, &io->want);
	io->n = io->in.size / VECTORS;
	io->m = io->want.size / VECTORS;
}

static void put_io(struct io *io)
{
	npy_free(&io->in);
	npy_free(&io->want);
}

static const uint8_t *input(const struct io *io, unsigned int v)
{
	return (const uint8_t *)io->in.data + v * io->n;
}

static const uint8_t *result(const struct io *io, unsigned int v)
{
	return (const uint8_t *)io->want.data + v * io->m;
}

static void set_args(const struct loaded *l, cl_mem x, cl_mem y)
{
	assert_int_equal(clSetKernelArg(l->kernel, 0, sizeof(x), &x), CL_SUCCESS);
	assert_int_equal(clSetKernelArg(l->kernel, 1, sizeof(y), &y), CL_SUCCESS);
}

/* ---- memory of others ---- */

static int some_memory(size_t size, uint8_t **at)
{
	int fd = memfd_create("frame", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	*at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(*at, MAP_FAILED);
	return fd;
}

static cl_mem import(const struct world *w, int fd, size_t size, cl_int *err)
{
	const cl_mem_properties list[] = { CL_EXTERNAL_MEMORY_HANDLE_DMA_BUF_KHR, (cl_mem_properties)fd, 0 };

	return clCreateBufferWithProperties(w->context, list, CL_MEM_READ_WRITE, size, NULL, err);
}

/* A frame from elsewhere goes through the NPU, and the result to elsewhere, without OpenCL touching either. */
static void imported(void **state)
{
	struct world *w = *state;
	cl_external_memory_handle_type_khr type = 0;
	cl_mem_properties back[8];
	uint8_t *frame, *classes;
	cl_ulong copied = 1;
	struct loaded l;
	struct extras x;
	cl_mem buffers[2];
	cl_event done;
	struct io io;
	int in, out;
	size_t len;
	cl_int err;

	find_extras(w, &x);
	get_io(&io);
	assert_int_equal(clGetDeviceInfo(w->device, CL_DEVICE_EXTERNAL_MEMORY_IMPORT_HANDLE_TYPES_KHR,
					 sizeof(type), &type, NULL), CL_SUCCESS);
	assert_int_equal(type, CL_EXTERNAL_MEMORY_HANDLE_DMA_BUF_KHR);
	in = some_memory(io.n, &frame);
	out = some_memory(io.m, &classes);
	buffers[0] = import(w, in, io.n, &err);
	assert_int_equal(err, CL_SUCCESS);
	buffers[1] = import(w, out, io.m, &err);
	assert_int_equal(err, CL_SUCCESS);
	assert_int_equal(clGetMemObjectInfo(buffers[0], CL_MEM_PROPERTIES, sizeof(back), back, &len), CL_SUCCESS);
	assert_int_equal(len, 3 * sizeof(back[0]));
	assert_int_equal(back[0], CL_EXTERNAL_MEMORY_HANDLE_DMA_BUF_KHR);
	/* The fds are the application's, and not needed any more. */
	close(in);
	close(out);
	load(w, "model.tflite", &l);
	set_args(&l, buffers[0], buffers[1]);
	for (unsigned int v = 0; v < VECTORS; v++) {
		memcpy(frame, input(&io, v), io.n);
		assert_int_equal(x.acquire(w->queue, 2, buffers, 0, NULL, NULL), CL_SUCCESS);
		assert_int_equal(clEnqueueTask(w->queue, l.kernel, 0, NULL, NULL), CL_SUCCESS);
		assert_int_equal(x.give_back(w->queue, 2, buffers, 0, NULL, &done), CL_SUCCESS);
		assert_int_equal(clWaitForEvents(1, &done), CL_SUCCESS);
		assert_memory_equal(classes, result(&io, v), io.m);
		clReleaseEvent(done);
	}
	clGetKernelInfo(l.kernel, CL_KERNEL_COPIED_ACCEL, sizeof(copied), &copied, NULL);
	assert_int_equal(copied, 0);
	unload(&l);
	clReleaseMemObject(buffers[0]);
	clReleaseMemObject(buffers[1]);
	munmap(frame, io.n);
	munmap(classes, io.m);
	put_io(&io);
}

static void exported(void **state)
{
	struct world *w = *state;
	uint8_t mark = 0x5a, *at;
	size_t len = 0;
	cl_mem m, again;
	cl_int err;
	int fd = -1;

	m = clCreateBuffer(w->context, CL_MEM_READ_WRITE, 4096, NULL, &err);
	assert_int_equal(clGetMemObjectInfo(m, CL_MEM_DMA_BUF_ACCEL, 0, NULL, &len), CL_SUCCESS);
	assert_int_equal(len, sizeof(fd));
	assert_int_equal(clGetMemObjectInfo(m, CL_MEM_DMA_BUF_ACCEL, sizeof(fd), &fd, NULL), CL_SUCCESS);
	assert_int_equal(clEnqueueFillBuffer(w->queue, m, &mark, 1, 0, 4096, 0, NULL, NULL), CL_SUCCESS);
	assert_int_equal(clFinish(w->queue), CL_SUCCESS);
	at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(at, MAP_FAILED);
	assert_int_equal(at[0], mark);
	assert_int_equal(at[4095], mark);
	/* And in again: one memory. */
	again = import(w, fd, 4096, &err);
	assert_int_equal(err, CL_SUCCESS);
	close(fd);
	at[7] = 0x11;
	assert_int_equal(clEnqueueReadBuffer(w->queue, again, CL_TRUE, 7, 1, &mark, 0, NULL, NULL), CL_SUCCESS);
	assert_int_equal(mark, 0x11);
	clReleaseMemObject(m);
	assert_int_equal(clEnqueueReadBuffer(w->queue, again, CL_TRUE, 8, 1, &mark, 0, NULL, NULL), CL_SUCCESS);
	assert_int_equal(mark, 0x5a);
	clReleaseMemObject(again);
	munmap(at, 4096);
}

/* What another device's memory holds goes through this one's model: the bytes are where they were. */
static void from_another_device(void **state)
{
	struct world *w = *state;
	struct world other = { .device = w->logging };
	cl_mem theirs, x, y;
	cl_ulong copied = 1;
	struct loaded l;
	struct extras e;
	uint8_t *got;
	struct io io;
	cl_int err;
	int fd;

	find_extras(w, &e);
	get_io(&io);
	other.context = clCreateContext(NULL, 1, &other.device, NULL, NULL, &err);
	assert_int_equal(err, CL_SUCCESS);
	other.queue = clCreateCommandQueue(other.context, other.device, 0, &err);
	theirs = clCreateBuffer(other.context, CL_MEM_READ_WRITE, io.n, NULL, &err);
	assert_int_equal(err, CL_SUCCESS);
	assert_int_equal(clGetMemObjectInfo(theirs, CL_MEM_DMA_BUF_ACCEL, sizeof(fd), &fd, NULL), CL_SUCCESS);
	x = import(w, fd, io.n, &err);
	assert_int_equal(err, CL_SUCCESS);
	close(fd);
	y = clCreateBuffer(w->context, CL_MEM_READ_WRITE, io.m, NULL, &err);
	load(w, "model.tflite", &l);
	set_args(&l, x, y);
	got = malloc(io.m);
	for (unsigned int v = 0; v < VECTORS; v++) {
		assert_int_equal(clEnqueueWriteBuffer(other.queue, theirs, CL_TRUE, 0, io.n, input(&io, v), 0, NULL,
						      NULL), CL_SUCCESS);
		assert_int_equal(e.acquire(w->queue, 1, &x, 0, NULL, NULL), CL_SUCCESS);
		assert_int_equal(clEnqueueTask(w->queue, l.kernel, 0, NULL, NULL), CL_SUCCESS);
		assert_int_equal(e.give_back(w->queue, 1, &x, 0, NULL, NULL), CL_SUCCESS);
		assert_int_equal(clEnqueueReadBuffer(w->queue, y, CL_TRUE, 0, io.m, got, 0, NULL, NULL), CL_SUCCESS);
		assert_memory_equal(got, result(&io, v), io.m);
	}
	clGetKernelInfo(l.kernel, CL_KERNEL_COPIED_ACCEL, sizeof(copied), &copied, NULL);
	assert_int_equal(copied, 0);
	free(got);
	unload(&l);
	clReleaseMemObject(x);
	clReleaseMemObject(y);
	clReleaseMemObject(theirs);
	clReleaseCommandQueue(other.queue);
	clReleaseContext(other.context);
	put_io(&io);
}

static void no_import(void **state)
{
	struct world *w = *state;
	cl_mem_properties twice[] = { CL_EXTERNAL_MEMORY_HANDLE_DMA_BUF_KHR, 0,
				      CL_EXTERNAL_MEMORY_HANDLE_DMA_BUF_KHR, 0, 0 };
	cl_mem_properties opaque[] = { CL_EXTERNAL_MEMORY_HANDLE_OPAQUE_FD_KHR, 0, 0 };
	cl_mem_properties devices[] = { CL_EXTERNAL_MEMORY_HANDLE_DMA_BUF_KHR, 0, OCL_MEM_DEVICE_HANDLE_LIST,
					(cl_mem_properties)(uintptr_t)w->device, 0, 0 };
	uint8_t *at, byte = 0;
	struct extras x;
	cl_mem m;
	cl_int err;
	int fd, ends[2];

	find_extras(w, &x);
	fd = some_memory(4096, &at);
	assert_null(import(w, fd, 4097, &err));
	assert_int_equal(err, CL_INVALID_BUFFER_SIZE);
	assert_null(import(w, -1, 16, &err));
	assert_int_equal(err, CL_INVALID_VALUE);
	assert_int_equal(pipe(ends), 0);
	assert_null(import(w, ends[0], 16, &err));
	assert_int_equal(err, CL_INVALID_VALUE);
	close(ends[0]);
	close(ends[1]);
	twice[1] = twice[3] = devices[1] = opaque[1] = (cl_mem_properties)fd;
	assert_null(clCreateBufferWithProperties(w->context, twice, 0, 16, NULL, &err));
	assert_int_equal(err, CL_INVALID_PROPERTY);
	assert_null(clCreateBufferWithProperties(w->context, opaque, 0, 16, NULL, &err));
	assert_int_equal(err, CL_INVALID_PROPERTY);
	assert_null(clCreateBufferWithProperties(w->context, devices, CL_MEM_COPY_HOST_PTR, 1, &byte, &err));
	assert_int_equal(err, CL_INVALID_HOST_PTR);
	m = clCreateBufferWithProperties(w->context, devices, 0, 16, NULL, &err);
	assert_int_equal(err, CL_SUCCESS);
	clReleaseMemObject(m);
	devices[3] = (cl_mem_properties)(uintptr_t)w->logging;
	assert_null(clCreateBufferWithProperties(w->context, devices, 0, 16, NULL, &err));
	assert_int_equal(err, CL_INVALID_DEVICE);
	/* Only what came from elsewhere is acquired. */
	m = clCreateBuffer(w->context, 0, 16, NULL, &err);
	assert_int_equal(x.acquire(w->queue, 1, &m, 0, NULL, NULL), CL_INVALID_MEM_OBJECT);
	assert_int_equal(x.acquire(w->queue, 0, &m, 0, NULL, NULL), CL_INVALID_VALUE);
	assert_int_equal(x.acquire(NULL, 1, &m, 0, NULL, NULL), CL_INVALID_COMMAND_QUEUE);
	clReleaseMemObject(m);
	munmap(at, 4096);
	close(fd);
}

/* ---- recorded commands ---- */

/* A frame is copied in, run, and half of the result kept: the same commands for each frame. */
static void replays_on(const struct world *w, cl_command_queue q, const struct extras *x)
{
	const size_t one = 1, zero[3] = { 0 }, box[3] = { 4, 4, 1 };
	cl_mem frame, in, out, kept, part;
	ocl_sync_point points[4];
	uint8_t mark = 0xee, got[16];
	ocl_command_buffer b;
	cl_ulong t[4];
	cl_event done;
	cl_command_type type;
	struct loaded l;
	struct io io;
	cl_int err;

	get_io(&io);
	frame = clCreateBuffer(w->context, CL_MEM_READ_WRITE, io.n, NULL, &err);
	in = clCreateBuffer(w->context, CL_MEM_READ_WRITE, io.n, NULL, &err);
	out = clCreateBuffer(w->context, CL_MEM_READ_WRITE, io.m, NULL, &err);
	kept = clCreateBuffer(w->context, CL_MEM_READ_WRITE, io.m, NULL, &err);
	part = clCreateBuffer(w->context, CL_MEM_READ_WRITE, 16, NULL, &err);
	load(w, "model.tflite", &l);
	set_args(&l, in, out);
	b = x->create(1, &q, NULL, &err);
	assert_int_equal(err, CL_SUCCESS);
	assert_int_equal(x->copy(b, NULL, NULL, frame, in, 0, 0, io.n, 0, NULL, &points[0], NULL), CL_SUCCESS);
	assert_int_equal(x->fill(b, NULL, NULL, kept, &mark, 1, 0, io.m, 0, NULL, &points[1], NULL), CL_SUCCESS);
	assert_int_equal(x->kernel(b, NULL, NULL, l.kernel, 1, NULL, &one, NULL, 1, points, &points[2], NULL),
			 CL_SUCCESS);
	assert_int_equal(x->barrier(b, NULL, NULL, 3, points, &points[3], NULL), CL_SUCCESS);
	assert_int_equal(x->copy(b, NULL, NULL, out, kept, 0, 0, io.m / 2, 1, &points[3], NULL, NULL), CL_SUCCESS);
	/* Four rows of four bytes, eight apart. */
	assert_int_equal(x->copy_rect(b, NULL, NULL, out, part, zero, zero, box, 8, 0, 4, 0, 1, &points[2], NULL,
				      NULL), CL_SUCCESS);
	assert_int_equal(x->enqueue(0, NULL, b, 0, NULL, NULL), CL_INVALID_OPERATION);
	assert_int_equal(x->finalize(b), CL_SUCCESS);
	assert_int_equal(x->finalize(b), CL_INVALID_OPERATION);
	/* The recording holds what it needs: the arguments of then, too. */
	set_args(&l, frame, kept);
	for (unsigned int v = 0; v < VECTORS; v++) {
		uint8_t *all = malloc(io.m);

		clEnqueueWriteBuffer(q, frame, CL_TRUE, 0, io.n, input(&io, v), 0, NULL, NULL);
		assert_int_equal(x->enqueue(0, NULL, b, 0, NULL, &done), CL_SUCCESS);
		assert_int_equal(clWaitForEvents(1, &done), CL_SUCCESS);
		clGetEventInfo(done, CL_EVENT_COMMAND_TYPE, sizeof(type), &type, NULL);
		assert_int_equal(type, OCL_COMMAND_COMMAND_BUFFER);
		for (cl_uint i = 0; i < 4; i++)
			assert_int_equal(clGetEventProfilingInfo(done, CL_PROFILING_COMMAND_QUEUED + i,
								 sizeof(t[i]), &t[i], NULL), CL_SUCCESS);
		assert_true(t[0] && t[0] <= t[1] && t[1] <= t[2] && t[2] <= t[3]);
		clReleaseEvent(done);
		clEnqueueReadBuffer(q, kept, CL_TRUE, 0, io.m, all, 0, NULL, NULL);
		assert_memory_equal(all, result(&io, v), io.m / 2);
		assert_int_equal(all[io.m - 1], mark);
		clEnqueueReadBuffer(q, part, CL_TRUE, 0, 16, got, 0, NULL, NULL);
		for (unsigned int i = 0; i < 16; i++)
			assert_int_equal(got[i], result(&io, v)[i / 4 * 8 + i % 4]);
		free(all);
	}
	/* Twice without waiting between. */
	assert_int_equal(x->enqueue(0, NULL, b, 0, NULL, NULL), CL_SUCCESS);
	assert_int_equal(x->enqueue(0, NULL, b, 0, NULL, NULL), CL_SUCCESS);
	unload(&l);
	clReleaseMemObject(in);
	clReleaseMemObject(out);
	assert_int_equal(x->release(b), CL_SUCCESS);
	assert_int_equal(clFinish(q), CL_SUCCESS);
	assert_int_equal(x->release(b), OCL_INVALID_COMMAND_BUFFER);
	clReleaseMemObject(frame);
	clReleaseMemObject(kept);
	clReleaseMemObject(part);
	put_io(&io);
}

static void recorded(void **state)
{
	struct world *w = *state;
	cl_command_queue_properties supported, required = 1;
	cl_command_queue free_order;
	struct extras x;
	cl_int err;

	find_extras(w, &x);
	clGetDeviceInfo(w->device, OCL_DEVICE_COMMAND_BUFFER_SUPPORTED, sizeof(supported), &supported, NULL);
	assert_true(supported & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE);
	clGetDeviceInfo(w->device, OCL_DEVICE_COMMAND_BUFFER_REQUIRED, sizeof(required), &required, NULL);
	assert_int_equal(required, 0);
	replays_on(w, w->queue, &x);
	free_order = clCreateCommandQueue(w->context, w->device, CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE |
					  CL_QUEUE_PROFILING_ENABLE, &err);
	replays_on(w, free_order, &x);
	clReleaseCommandQueue(free_order);
}

static void wrong_recordings(void **state)
{
	struct world *w = *state;
	const ocl_properties mutable[] = { OCL_COMMAND_BUFFER_FLAGS, OCL_COMMAND_BUFFER_MUTABLE, 0 };
	const ocl_properties nonsense[] = { OCL_COMMAND_BUFFER_FLAGS, 1 << 20, 0 }, other[] = { 1, 1, 0 };
	const ocl_properties simultaneous[] = { OCL_COMMAND_BUFFER_FLAGS, OCL_COMMAND_BUFFER_SIMULTANEOUS_USE, 0 };
	cl_command_queue two[2] = { w->queue, w->queue }, plain;
	ocl_sync_point point = 1, future = 9;
	ocl_command_buffer b;
	ocl_properties list[8];
	uint8_t pattern[4] = { 0 };
	struct extras x;
	cl_uint number;
	cl_mem m;
	cl_int err;
	void *handle;
	size_t len;

	find_extras(w, &x);
	assert_null(x.create(0, &w->queue, NULL, &err));
	assert_int_equal(err, CL_INVALID_VALUE);
	assert_null(x.create(2, two, NULL, &err));
	assert_int_equal(err, CL_INVALID_VALUE);
	assert_null(x.create(1, (cl_command_queue *)&w->context, NULL, &err));
	assert_int_equal(err, CL_INVALID_COMMAND_QUEUE);
	assert_null(x.create(1, &w->queue, mutable, &err));
	assert_int_equal(err, CL_INVALID_PROPERTY);
	assert_null(x.create(1, &w->queue, nonsense, &err));
	assert_int_equal(err, CL_INVALID_VALUE);
	assert_null(x.create(1, &w->queue, other, &err));
	assert_int_equal(err, CL_INVALID_VALUE);
	b = x.create(1, &w->queue, simultaneous, &err);
	assert_int_equal(err, CL_SUCCESS);
	assert_int_equal(x.info(b, OCL_COMMAND_BUFFER_PROPERTIES_ARRAY, sizeof(list), list, &len), CL_SUCCESS);
	assert_int_equal(len, sizeof(simultaneous));
	assert_int_equal(x.info(b, OCL_COMMAND_BUFFER_NUM_QUEUES, sizeof(number), &number, NULL), CL_SUCCESS);
	assert_int_equal(number, 1);
	assert_int_equal(x.info(b, OCL_COMMAND_BUFFER_STATE, 1, &number, NULL), CL_INVALID_VALUE);
	m = clCreateBuffer(w->context, CL_MEM_READ_WRITE, 64, NULL, &err);
	assert_int_equal(x.fill(b, w->queue, NULL, m, pattern, 1, 0, 64, 0, NULL, NULL, NULL),
			 CL_INVALID_COMMAND_QUEUE);
	assert_int_equal(x.fill(b, NULL, NULL, m, pattern, 3, 0, 64, 0, NULL, NULL, NULL), CL_INVALID_VALUE);
	assert_int_equal(x.fill(b, NULL, NULL, m, pattern, 1, 0, 64, 0, NULL, NULL, &handle), CL_INVALID_VALUE);
	assert_int_equal(x.fill(b, NULL, NULL, m, pattern, 1, 0, 64, 1, &future, NULL, NULL),
			 OCL_INVALID_SYNC_POINT_WAIT_LIST);
	assert_int_equal(x.barrier(b, NULL, NULL, 1, &point, NULL, NULL), OCL_INVALID_SYNC_POINT_WAIT_LIST);
	assert_int_equal(x.barrier(b, NULL, NULL, 1, NULL, NULL, NULL), OCL_INVALID_SYNC_POINT_WAIT_LIST);
	assert_int_equal(x.copy(b, NULL, NULL, m, m, 0, 8, 16, 0, NULL, NULL, NULL), CL_MEM_COPY_OVERLAP);
	assert_int_equal(x.copy(b, NULL, NULL, m, NULL, 0, 8, 16, 0, NULL, NULL, NULL), CL_INVALID_MEM_OBJECT);
	assert_int_equal(x.copy_image(b), CL_INVALID_OPERATION);
	assert_int_equal(x.finalize(b), CL_SUCCESS);
	assert_int_equal(x.barrier(b, NULL, NULL, 0, NULL, NULL, NULL), CL_INVALID_OPERATION);
	assert_int_equal(x.enqueue(1, NULL, b, 0, NULL, NULL), CL_INVALID_VALUE);
	assert_int_equal(x.enqueue(0, two, b, 0, NULL, NULL), CL_INVALID_VALUE);
	assert_int_equal(x.enqueue(2, two, b, 0, NULL, NULL), CL_INVALID_VALUE);
	plain = clCreateCommandQueue(w->context, w->device, 0, &err);
	assert_int_equal(x.enqueue(1, &plain, b, 0, NULL, NULL), OCL_INCOMPATIBLE_COMMAND_QUEUE);
	assert_int_equal(x.enqueue(1, two, b, 1, NULL, NULL), CL_INVALID_EVENT_WAIT_LIST);
	assert_int_equal(x.enqueue(1, two, b, 0, NULL, NULL), CL_SUCCESS);
	assert_int_equal(x.enqueue(0, NULL, (ocl_command_buffer)w->queue, 0, NULL, NULL), OCL_INVALID_COMMAND_BUFFER);
	clFinish(w->queue);
	assert_int_equal(x.retain(b), CL_SUCCESS);
	assert_int_equal(x.release(b), CL_SUCCESS);
	assert_int_equal(x.release(b), CL_SUCCESS);
	clReleaseCommandQueue(plain);
	clReleaseMemObject(m);
}

/* ---- built-in kernels ---- */

static void built_in_kernels(void **state)
{
	struct world *w = *state;
	cl_name_version versions[8];
	cl_kernel kernels[2];
	char names[256];
	struct loaded l;
	size_t count;
	cl_program p;
	cl_uint n;
	struct io io;
	uint8_t *got;
	cl_mem x, y;
	cl_int err;

	assert_int_equal(clGetDeviceInfo(w->device, CL_DEVICE_BUILT_IN_KERNELS, sizeof(names), names, NULL),
			 CL_SUCCESS);
	assert_string_equal(names, "run-it;vela;broken");
	assert_int_equal(clGetDeviceInfo(w->device, CL_DEVICE_BUILT_IN_KERNELS_WITH_VERSION, sizeof(versions),
					 versions, &count), CL_SUCCESS);
	assert_int_equal(count, 3 * sizeof(versions[0]));
	assert_string_equal(versions[1].name, "vela");
	p = clCreateProgramWithBuiltInKernels(w->context, 1, &w->device, "vela;run-it", &err);
	assert_int_equal(err, CL_SUCCESS);
	assert_int_equal(clGetProgramInfo(p, CL_PROGRAM_KERNEL_NAMES, sizeof(names), names, NULL), CL_SUCCESS);
	assert_string_equal(names, "vela;run-it");
	assert_int_equal(clGetProgramInfo(p, CL_PROGRAM_NUM_KERNELS, sizeof(count), &count, NULL), CL_SUCCESS);
	assert_int_equal(count, 2);
	assert_int_equal(clCreateKernelsInProgram(p, 1, kernels, &n), CL_INVALID_VALUE);
	assert_int_equal(clCreateKernelsInProgram(p, 2, kernels, &n), CL_SUCCESS);
	assert_int_equal(n, 2);
	get_io(&io);
	got = malloc(io.m);
	x = clCreateBuffer(w->context, CL_MEM_READ_WRITE, io.n, NULL, &err);
	y = clCreateBuffer(w->context, CL_MEM_READ_WRITE, io.m, NULL, &err);
	for (unsigned int k = 0; k < 2; k++) {
		l = (struct loaded){ .kernel = kernels[k] };
		set_args(&l, x, y);
		clEnqueueWriteBuffer(w->queue, x, CL_FALSE, 0, io.n, input(&io, k), 0, NULL, NULL);
		assert_int_equal(clEnqueueTask(w->queue, kernels[k], 0, NULL, NULL), CL_SUCCESS);
		assert_int_equal(clEnqueueReadBuffer(w->queue, y, CL_TRUE, 0, io.m, got, 0, NULL, NULL), CL_SUCCESS);
		assert_memory_equal(got, result(&io, k), io.m);
		clReleaseKernel(kernels[k]);
	}
	free(got);
	put_io(&io);
	clReleaseMemObject(x);
	clReleaseMemObject(y);
	clReleaseProgram(p);
}

static void CL_CALLBACK hear(const char *text, const void *info, size_t size, void *data)
{
	(void)info;
	(void)size;
	snprintf(data, 256, "%s", text);
}

static void no_such_kernels(void **state)
{
	struct world *w = *state;
	static const char *const wrong[] = { "", ";", "run", "run-it;", "run-it;nothing", "run-it;;vela" };
	char said[256] = "";
	cl_context c;
	cl_int err;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_null(clCreateProgramWithBuiltInKernels(w->context, 1, &w->device, wrong[i], &err));
		assert_int_equal(err, CL_INVALID_VALUE);
	}
	assert_null(clCreateProgramWithBuiltInKernels(w->context, 1, &w->device, NULL, &err));
	assert_int_equal(err, CL_INVALID_VALUE);
	assert_null(clCreateProgramWithBuiltInKernels(w->context, 1, &w->logging, "vela", &err));
	assert_int_equal(err, CL_INVALID_DEVICE);
	c = clCreateContext(NULL, 1, &w->device, hear, said, &err);
	assert_null(clCreateProgramWithBuiltInKernels(c, 1, &w->device, "vela;broken", &err));
	assert_int_equal(err, CL_OUT_OF_RESOURCES);
	assert_non_null(strstr(said, "broken"));
	clReleaseContext(c);
}

/* ---- released too early, too often, by all at once ---- */

/* What a command needs is there until it is done; the application has given back all that it had. */
static void released_in_use(void **state)
{
	struct world *w = *state;
	uint8_t byte = 9;
	cl_event gate, done;
	cl_command_queue q;
	cl_int err;
	cl_mem m;

	q = clCreateCommandQueue(w->context, w->device, 0, &err);
	m = clCreateBuffer(w->context, CL_MEM_READ_WRITE, 64, NULL, &err);
	gate = clCreateUserEvent(w->context, &err);
	assert_int_equal(clEnqueueFillBuffer(q, m, &byte, 1, 0, 64, 1, &gate, &done), CL_SUCCESS);
	assert_int_equal(clReleaseMemObject(m), CL_SUCCESS);
	assert_int_equal(clReleaseMemObject(m), CL_INVALID_MEM_OBJECT);
	assert_int_equal(clReleaseCommandQueue(q), CL_SUCCESS);
	assert_int_equal(clReleaseCommandQueue(q), CL_INVALID_COMMAND_QUEUE);
	assert_int_equal(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
	assert_int_equal(clReleaseEvent(gate), CL_SUCCESS);
	assert_int_equal(clReleaseEvent(gate), CL_INVALID_EVENT);
	assert_int_equal(clWaitForEvents(1, &done), CL_SUCCESS);
	assert_int_equal(clReleaseEvent(done), CL_SUCCESS);
}

static void *let_go(void *m)
{
	return (void *)(intptr_t)(clReleaseMemObject(m) == CL_SUCCESS);
}

static void released_at_once(void **state)
{
	struct world *w = *state;
	pthread_t ids[4];
	cl_int err;

	for (unsigned int round = 0; round < 50; round++) {
		cl_mem m = clCreateBuffer(w->context, CL_MEM_READ_WRITE, 64, NULL, &err);
		intptr_t sum = 0;
		void *one;

		for (unsigned int i = 0; i < 4; i++)
			assert_int_equal(pthread_create(&ids[i], NULL, let_go, m), 0);
		for (unsigned int i = 0; i < 4; i++) {
			pthread_join(ids[i], &one);
			sum += (intptr_t)one;
		}
		assert_int_equal(sum, 1);
	}
}

/* ---- other processes, other platforms ---- */

/* The child of a fork has none of the parent's objects, and can begin anew. */
static void forked(void **state)
{
	struct world *w = *state;
	cl_int err, status = 1;
	cl_mem m = clCreateBuffer(w->context, CL_MEM_READ_WRITE, 64, NULL, &err);
	uint8_t byte = 3;
	pid_t child;

	/* So that the queue has a thread. */
	clEnqueueWriteBuffer(w->queue, m, CL_FALSE, 0, 1, &byte, 0, NULL, NULL);
	clFlush(w->queue);
	child = fork();
	if (!child) {
		cl_context fresh = NULL;

		alarm(60);
		status = clEnqueueReadBuffer(w->queue, m, CL_TRUE, 0, 1, &byte, 0, NULL, NULL) !=
			 CL_INVALID_COMMAND_QUEUE;
		status |= clReleaseMemObject(m) != CL_INVALID_MEM_OBJECT;
		status |= clFinish(w->queue) != CL_INVALID_COMMAND_QUEUE;
		status |= clReleaseContext(w->context) != CL_INVALID_CONTEXT;
#ifndef __SANITIZE_THREAD__	/* which cannot have threads begin after a fork */
		fresh = clCreateContext(NULL, 1, &w->logging, NULL, NULL, &err);
		status |= !fresh || clReleaseContext(fresh);
#endif
		(void)fresh;
		_exit(status);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(clEnqueueReadBuffer(w->queue, m, CL_TRUE, 0, 1, &byte, 0, NULL, NULL), CL_SUCCESS);
	assert_int_equal(clReleaseMemObject(m), CL_SUCCESS);
}

/* Another ICD's objects are none of ours, whatever they look like inside. */
static void objects_of_others(void **state)
{
	struct world *w = *state;
	cl_platform_id all[8];
	cl_context theirs = NULL;
	cl_device_id device;
	cl_uint count, others = 0;
	uint8_t byte = 0;
	cl_int err;
	cl_mem m;

	clGetPlatformIDs(8, all, &count);
	for (cl_uint i = 0; i < count && i < 8; i++) {
		if (all[i] == w->platform || clGetDeviceIDs(all[i], CL_DEVICE_TYPE_ALL, 1, &device, NULL))
			continue;
		others++;
		theirs = clCreateContext(NULL, 1, &device, NULL, NULL, &err);
		assert_int_equal(err, CL_SUCCESS);
		m = clCreateBuffer(theirs, CL_MEM_READ_WRITE, 64, NULL, &err);
		assert_int_equal(err, CL_SUCCESS);
		assert_int_equal(clEnqueueReadBuffer(w->queue, m, CL_TRUE, 0, 1, &byte, 0, NULL, NULL),
				 CL_INVALID_MEM_OBJECT);
		assert_null(clCreateCommandQueue(w->context, device, 0, &err));
		assert_int_equal(err, CL_INVALID_DEVICE);
		assert_null(clCreateContext(NULL, 2, (cl_device_id[]){ w->device, device }, NULL, NULL, &err));
		assert_int_equal(err, CL_INVALID_DEVICE);
		clReleaseMemObject(m);
		clReleaseContext(theirs);
	}
	/* PoCL, and a second copy of ours. */
	assert_true(others >= 2);
}

int main(int argc, char **argv)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(imported), TEST(exported), TEST(from_another_device), TEST(no_import), TEST(recorded), TEST(wrong_recordings),
		TEST(built_in_kernels), TEST(no_such_kernels), TEST(released_in_use),
		TEST(released_at_once), TEST(forked), TEST(objects_of_others),
	};

	if (argc != 2 && argc != 3) {
		fprintf(stderr, "usage: test_opencl_ext FOLDER [TEST]\n");
		return 2;
	}
	folder = argv[1];
	if (argc == 3)
		cmocka_set_test_filter(argv[2]);
	return cmocka_run_group_tests_name("opencl extensions", tests, NULL, NULL);
}
