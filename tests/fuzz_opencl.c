/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer: calls of the OpenCL ICD in any order, with any handle in any place: of the wrong kind, released,
 * released once too often, null. The input is the calls, a byte for which and then bytes for what.
 *
 * The ICD's own table is called, not a loader's. Checked besides crashes, races of its threads with the
 * caller, and leaks: every answer is a code of OpenCL's; once everything that the application has is given
 * back, everything is gone. User events are left open, except before what would wait for them for ever.
 */
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "runtime/file.h"
#include "runtime/opencl/accel_ext.h"
#include "runtime/opencl/ocl_api.h"

#define SLOTS		24
#define CREATED		512
#define HOST_BYTES	(1u << 16)
#define PATIENCE	15	/* s, until what a thread still holds is taken as held for ever */
#define MODEL		"tests/data/ops/conv_3x3_i3_o16_s22_d11_same_relu6_17x15_int8/"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct {
	cl_device_id device;
	void *models[2];
	size_t sizes[2];
} fixed;

/* A handle and what it was born as. */
struct born {
	void *handle;
	enum ocl_kind kind;
};

/**
 * struct world - what the calls of one input share
 * @slots: handles of all kinds
 * @created, @count: all that were ever given out
 * @maps: pointers that were given out
 * @gone: one for each of @contexts that is no more
 */
struct world {
	const uint8_t *at, *end;
	void *slots[SLOTS];
	struct born created[CREATED];
	unsigned int count;
	void *maps[4];
	uint8_t host[HOST_BYTES];
	unsigned int contexts;
	sem_t gone;
};

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_opencl: %s\n", what);
	abort();
}

static void check_code(cl_int rc)
{
	check(rc == 0 || (rc <= -1 && rc >= -72) || (rc <= -1000 && rc >= -1150), "not a code of OpenCL's");
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const files[] = { MODEL "model.tflite", MODEL "vela-u65-256.tflite" };
	struct error err;

	(void)argc;
	(void)argv;
	setenv("ACCEL_OPENCL_DEVICES", "sim:ethos-u65-256,engine=reference", 1);
	setenv("ACCEL_OPENCL_KERNELS", "a=" MODEL "model.tflite;b=" MODEL "vela-u65-256.tflite", 1);
	fixed.device = ocl_device_at(0);
	for (unsigned int i = 0; i < 2; i++)
		check(!file_read(files[i], &fixed.models[i], &fixed.sizes[i], &err), "no model");
	return 0;
}

static uint8_t byte(struct world *w)
{
	return w->at < w->end ? *w->at++ : 0;
}

static void *slot(struct world *w)
{
	unsigned int i = byte(w) % (SLOTS + 2);

	/* Null, and what is no object at all but can be read. */
	return i == SLOTS ? NULL : i > SLOTS ? (void *)w->host : w->slots[i];
}

/* Sizes that matter. */
static size_t some_size(struct world *w)
{
	static const size_t sizes[] = { 0, 1, 16, 127, 128, 765, 1152, 4096, 5000, HOST_BYTES, 1u << 30, SIZE_MAX };

	return sizes[byte(w) % (sizeof(sizes) / sizeof(sizes[0]))];
}

static void keep(struct world *w, void *handle, enum ocl_kind kind)
{
	if (!handle)
		return;
	check(w->count < CREATED, "more objects than calls");
	w->created[w->count++] = (struct born){ handle, kind };
	w->slots[byte(w) % SLOTS] = handle;
}

/* Up to three events of sorts. */
static cl_uint some_waits(struct world *w, cl_event *list)
{
	cl_uint n = byte(w) % 6;

	for (cl_uint i = 0; i < n && i < 3; i++)
		list[i] = slot(w);
	return n > 3 ? 0 : n;
}

/* Nothing waits for the application any more. */
static void open_gates(struct world *w)
{
	for (unsigned int i = 0; i < w->count; i++)
		if (w->created[i].kind == OCL_EVENT)
			ocl_dispatch.clSetUserEventStatus(w->created[i].handle, CL_COMPLETE);
}

static void CL_CALLBACK context_gone(cl_context c, void *data)
{
	(void)c;
	sem_post(data);
}

static void new_context(struct world *w)
{
	const cl_context_properties list[] = { CL_CONTEXT_PLATFORM, byte(w) & 1 ? (cl_context_properties)ocl_platform() :
										  (cl_context_properties)w->host,
					       0 };
	cl_int err;
	cl_context c;

	if (w->contexts == 3)
		return;
	c = ocl_dispatch.clCreateContext(byte(w) & 1 ? list : NULL, byte(w) % 3, &fixed.device, NULL, NULL, &err);
	check_code(err);
	if (c) {
		w->contexts++;
		check(!ocl_dispatch.clSetContextDestructorCallback(c, context_gone, &w->gone),
		      "no destructor");
	}
	keep(w, c, OCL_CONTEXT);
}

static void new_buffer(struct world *w)
{
	cl_mem_flags flags = byte(w);
	size_t size = some_size(w);
	cl_context c = slot(w);
	cl_buffer_region region;
	cl_int err;
	cl_mem m;
	int fd;

	/* Memory of the machine is not what is tried here. */
	if (size == 1u << 30)
		size++;
	switch (byte(w) % 4) {
	case 0:
		m = ocl_dispatch.clCreateBuffer(c, flags, size, size <= HOST_BYTES && flags & 0x28 ? w->host : NULL, &err);
		break;
	case 1:
		fd = byte(w) & 1 ? memfd_create("fuzz", MFD_ALLOW_SEALING) : 0;
		if (fd && ftruncate(fd, 4096))
			abort();
		m = ocl_dispatch.clCreateBufferWithProperties(c, (cl_mem_properties[]){
			CL_EXTERNAL_MEMORY_HANDLE_DMA_BUF_KHR, fd ? (cl_mem_properties)fd : 999,
			byte(w) & 1 ? OCL_MEM_DEVICE_HANDLE_LIST : 0, (cl_mem_properties)(uintptr_t)slot(w), 0, 0 },
			flags, size, NULL, &err);
		if (fd)
			close(fd);
		break;
	default:
		region = (cl_buffer_region){ some_size(w), size };
		m = ocl_dispatch.clCreateSubBuffer(slot(w), flags, CL_BUFFER_CREATE_TYPE_REGION,
						   byte(w) % 8 ? &region : NULL, &err);
		break;
	}
	check_code(err);
	check(!m == !!err, "a buffer and an error");
	keep(w, m, OCL_MEM);
}

static void new_queue(struct world *w)
{
	cl_int err;
	cl_command_queue q = ocl_dispatch.clCreateCommandQueue(slot(w), fixed.device, byte(w) % 5, &err);

	check_code(err);
	keep(w, q, OCL_QUEUE);
}

static void new_program(struct world *w)
{
	static const char *const names[] = { "a", "b;a", "c", "" };
	const unsigned char *bytes = fixed.models[byte(w) & 1];
	size_t size = fixed.sizes[0] < fixed.sizes[1] ? fixed.sizes[0] : fixed.sizes[1];
	const char *source = "no";
	cl_program p;
	cl_int err;

	switch (byte(w) % 4) {
	case 0:
		p = ocl_dispatch.clCreateProgramWithSource(slot(w), 1, &source, NULL, &err);
		break;
	case 1:
		p = ocl_dispatch.clCreateProgramWithBuiltInKernels(slot(w), 1, &fixed.device, names[byte(w) % 4],
								   &err);
		break;
	default:
		size = byte(w) % 4 ? fixed.sizes[bytes == fixed.models[1]] : size / 2;
		p = ocl_dispatch.clCreateProgramWithBinary(slot(w), 1, &fixed.device, &size, &bytes, NULL, &err);
		break;
	}
	check_code(err);
	keep(w, p, OCL_PROGRAM);
}

static void build(struct world *w)
{
	check_code(ocl_dispatch.clBuildProgram(slot(w), 0, NULL, byte(w) & 1 ? "" : NULL, NULL, NULL));
}

static void new_kernel(struct world *w)
{
	static const char *const names[] = { "run", "a", "b", "walk" };
	cl_kernel k = NULL, two[2] = { NULL };
	cl_uint n = 0;
	cl_int err = 0;

	switch (byte(w) % 3) {
	case 0:
		k = ocl_dispatch.clCloneKernel(slot(w), &err);
		break;
	case 1:
		err = ocl_dispatch.clCreateKernelsInProgram(slot(w), 2, two, &n);
		keep(w, two[0], OCL_KERNEL);
		keep(w, two[1], OCL_KERNEL);
		break;
	default:
		k = ocl_dispatch.clCreateKernel(slot(w), names[byte(w) % 4], &err);
		break;
	}
	check_code(err);
	keep(w, k, OCL_KERNEL);
}

static void set_arg(struct world *w)
{
	cl_kernel k = slot(w);
	void *m = slot(w);

	check_code(ocl_dispatch.clSetKernelArg(k, byte(w) % 4, byte(w) % 16 ? sizeof(m) : byte(w),
					       byte(w) % 16 ? &m : NULL));
}

static void new_user_event(struct world *w)
{
	cl_int err;
	cl_event e = ocl_dispatch.clCreateUserEvent(slot(w), &err);

	check_code(err);
	keep(w, e, OCL_EVENT);
}

static void set_event(struct world *w)
{
	cl_event e = slot(w);

	check_code(ocl_dispatch.clSetUserEventStatus(e, (int8_t)byte(w)));
}

/* A command, and the event that came of it. */
static void enqueue(struct world *w)
{
	cl_uint which = byte(w) % 12;
	cl_command_queue q = slot(w);
	cl_event waits[3], out = NULL, *event = byte(w) & 1 ? &out : NULL;
	cl_uint n = some_waits(w, waits);
	const cl_event *list = n ? waits : NULL;
	size_t at = some_size(w), size = some_size(w), one = byte(w) % 8 ? 1 : 2;
	size_t origin[3] = { byte(w), byte(w), byte(w) }, box[3] = { byte(w), byte(w), byte(w) };
	void *host = size <= HOST_BYTES ? w->host : NULL, *a = slot(w), *b = slot(w);
	bool blocking = byte(w) & 1;
	cl_int rc = 0;

	if (blocking)
		open_gates(w);
	switch (which) {
	case 0:
		rc = ocl_dispatch.clEnqueueReadBuffer(q, a, blocking, at, size, host, n, list, event);
		break;
	case 1:
		rc = ocl_dispatch.clEnqueueWriteBuffer(q, a, blocking, at, size, host, n, list, event);
		break;
	case 2:
		rc = ocl_dispatch.clEnqueueCopyBuffer(q, a, b, at, some_size(w), size, n, list, event);
		break;
	case 3:
		rc = ocl_dispatch.clEnqueueFillBuffer(q, a, w->host, byte(w), at, size, n, list, event);
		break;
	case 4:
		rc = ocl_dispatch.clEnqueueCopyBufferRect(q, a, b, origin, origin, box, some_size(w), some_size(w),
							  some_size(w), some_size(w), n, list, event);
		break;
	case 5:
		w->maps[byte(w) % 4] = ocl_dispatch.clEnqueueMapBuffer(q, a, blocking, byte(w) % 8, at, size, n, list,
								       event, &rc);
		break;
	case 6:
		rc = ocl_dispatch.clEnqueueUnmapMemObject(q, a, w->maps[byte(w) % 4], n, list, event);
		break;
	case 7:
		rc = ocl_dispatch.clEnqueueNDRangeKernel(q, a, byte(w) % 5, NULL, &one, NULL, n, list, event);
		break;
	case 8:
		rc = ocl_dispatch.clEnqueueTask(q, a, n, list, event);
		break;
	case 9:
		rc = ocl_dispatch.clEnqueueMarkerWithWaitList(q, n, list, event);
		break;
	case 10:
		rc = ocl_dispatch.clEnqueueBarrierWithWaitList(q, n, list, event);
		break;
	default:
		rc = ocl_acquire_external(q, 1, (cl_mem[]){ a }, n, list, event);
		break;
	}
	check_code(rc);
	keep(w, out, OCL_EVENT);
}

static void record(struct world *w)
{
	cl_uint which = byte(w) % 8;
	void *b = slot(w), *x = slot(w), *y = slot(w);
	ocl_sync_point list[2] = { byte(w), byte(w) }, point;
	const ocl_properties flags[] = { OCL_COMMAND_BUFFER_FLAGS, byte(w), 0 };
	size_t one = 1, zero[3] = { 0 }, box[3] = { byte(w), byte(w), 1 };
	cl_uint n = byte(w) % 3;
	ocl_command_buffer fresh;
	cl_event out = NULL;
	cl_int rc;

	switch (which) {
	case 0:
		fresh = ocl_create_command_buffer(byte(w) % 8 ? 1 : byte(w), (cl_command_queue *)&x, byte(w) & 1 ? flags : NULL,
						  &rc);
		keep(w, fresh, OCL_COMMAND_BUFFER);
		break;
	case 1:
		rc = ocl_record_kernel(b, NULL, NULL, x, 1, NULL, &one, NULL, n, n ? list : NULL, &point, NULL);
		break;
	case 2:
		rc = ocl_record_copy(b, NULL, NULL, x, y, some_size(w), some_size(w), some_size(w), n, n ? list : NULL,
				     &point, NULL);
		break;
	case 3:
		rc = ocl_record_fill(b, NULL, NULL, x, w->host, byte(w), some_size(w), some_size(w), n, n ? list : NULL,
				     NULL, NULL);
		break;
	case 4:
		rc = ocl_record_copy_rect(b, NULL, NULL, x, y, zero, zero, box, 0, 0, 0, 0, n, n ? list : NULL, NULL, NULL);
		break;
	case 5:
		rc = ocl_record_barrier(b, byte(w) % 8 ? NULL : x, NULL, n, n ? list : NULL, &point, NULL);
		break;
	case 6:
		rc = ocl_finalize_command_buffer(b);
		break;
	default:
		rc = ocl_enqueue_command_buffer(n, n ? (cl_command_queue *)&x : NULL, b, 0, NULL, &out);
		keep(w, out, OCL_EVENT);
		break;
	}
	check_code(rc);
}

static cl_int release(void *handle, enum ocl_kind kind)
{
	switch (kind) {
	case OCL_CONTEXT:
		return ocl_dispatch.clReleaseContext(handle);
	case OCL_QUEUE:
		return ocl_dispatch.clReleaseCommandQueue(handle);
	case OCL_MEM:
		return ocl_dispatch.clReleaseMemObject(handle);
	case OCL_PROGRAM:
		return ocl_dispatch.clReleaseProgram(handle);
	case OCL_KERNEL:
		return ocl_dispatch.clReleaseKernel(handle);
	case OCL_EVENT:
		return ocl_dispatch.clReleaseEvent(handle);
	default:
		return ocl_release_command_buffer(handle);
	}
}

static void give_back(struct world *w)
{
	static const enum ocl_kind kinds[] = { OCL_CONTEXT, OCL_QUEUE, OCL_MEM, OCL_PROGRAM, OCL_KERNEL, OCL_EVENT,
					       OCL_COMMAND_BUFFER };
	enum ocl_kind kind = kinds[byte(w) % 7];

	check_code(release(slot(w), kind));
}

static void hold(struct world *w)
{
	void *x = slot(w);

	switch (byte(w) % 7) {
	case 0:
		check_code(ocl_dispatch.clRetainContext(x));
		break;
	case 1:
		check_code(ocl_dispatch.clRetainCommandQueue(x));
		break;
	case 2:
		check_code(ocl_dispatch.clRetainMemObject(x));
		break;
	case 3:
		check_code(ocl_dispatch.clRetainProgram(x));
		break;
	case 4:
		check_code(ocl_dispatch.clRetainKernel(x));
		break;
	case 5:
		check_code(ocl_dispatch.clRetainEvent(x));
		break;
	default:
		check_code(ocl_retain_command_buffer(x));
		break;
	}
}

static void wait_for(struct world *w)
{
	cl_event list[3] = { slot(w), slot(w), slot(w) };
	void *x = slot(w);

	switch (byte(w) % 3) {
	case 0:
		check_code(ocl_dispatch.clFlush(x));
		break;
	case 1:
		open_gates(w);
		check_code(ocl_dispatch.clFinish(x));
		break;
	default:
		open_gates(w);
		check_code(ocl_dispatch.clWaitForEvents(byte(w) % 4, list));
		break;
	}
}

static void ask(struct world *w)
{
	static const cl_uint bases[] = { CL_CONTEXT_REFERENCE_COUNT, CL_QUEUE_CONTEXT, CL_MEM_TYPE, CL_PROGRAM_REFERENCE_COUNT,
					 CL_KERNEL_FUNCTION_NAME, CL_KERNEL_ARG_ADDRESS_QUALIFIER, CL_EVENT_COMMAND_QUEUE,
					 CL_PROFILING_COMMAND_QUEUED, OCL_COMMAND_BUFFER_QUEUES };
	uint64_t value[64] = { 0 };
	size_t room = byte(w) % 9 * 64, size = 0;
	cl_uint kind = byte(w) % 9, what = bases[kind] + byte(w) % 10;
	void *x = slot(w), *to = byte(w) % 4 ? value : NULL;
	cl_int rc;

	if (room > sizeof(value))
		room = sizeof(value);
	if (kind == 0)
		rc = ocl_dispatch.clGetContextInfo(x, what, room, to, &size);
	else if (kind == 1)
		rc = ocl_dispatch.clGetCommandQueueInfo(x, what, room, to, &size);
	else if (kind == 2)
		rc = ocl_dispatch.clGetMemObjectInfo(x, what, room, to, &size);
	else if (kind == 3)
		rc = ocl_dispatch.clGetProgramInfo(x, what, room, what == CL_PROGRAM_BINARIES ? NULL : to, &size);
	else if (kind == 4)
		rc = ocl_dispatch.clGetKernelInfo(x, byte(w) & 1 ? what : CL_KERNEL_COPIED_ACCEL, room, to, &size);
	else if (kind == 5)
		rc = ocl_dispatch.clGetKernelArgInfo(x, byte(w) % 4, byte(w) & 1 ? what : CL_KERNEL_ARG_TENSOR_SHAPE_ACCEL, room,
						     to, &size);
	else if (kind == 6)
		rc = ocl_dispatch.clGetEventInfo(x, what, room, to, &size);
	else if (kind == 7)
		rc = ocl_dispatch.clGetEventProfilingInfo(x, what, room, to, &size);
	else
		rc = ocl_command_buffer_info(x, what, room, to, &size);
	check_code(rc);
	check(rc || !to || size <= room, "an answer that is larger than its room");
}

static void CL_CALLBACK called(cl_event e, cl_int status, void *data)
{
	(void)data;
	check(status <= CL_SUBMITTED, "called for a state that nobody can ask for");
	/* Re-entry: it is complete, or about to be. */
	ocl_dispatch.clRetainEvent(e);
	ocl_dispatch.clReleaseEvent(e);
}

static void call_back(struct world *w)
{
	cl_event e = slot(w);

	check_code(ocl_dispatch.clSetEventCallback(e, byte(w) % 4, byte(w) % 8 ? called : NULL, NULL));
}

/* All that the application has: until there is nothing more of it. */
static void end(struct world *w)
{
	struct timespec late;

	open_gates(w);
	for (unsigned int i = 0; i < w->count; i++)
		if (w->created[i].kind == OCL_QUEUE)
			ocl_dispatch.clFinish(w->created[i].handle);
	for (unsigned int i = 0; i < w->count; i++)
		while (!release(w->created[i].handle, w->created[i].kind))
			;
	/* A queue's thread may be the last to let go. */
	clock_gettime(CLOCK_REALTIME, &late);
	late.tv_sec += PATIENCE;
	for (unsigned int i = 0; i < w->contexts; i++) {
		int rc;

		/* libFuzzer has an alarm. */
		do
			rc = sem_timedwait(&w->gone, &late);
		while (rc && errno == EINTR);
		check(!rc, "a context is still held");
	}
	check(sem_trywait(&w->gone), "a context is gone twice");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const calls[])(struct world *w) = {
		new_context, new_buffer, new_queue, new_program, build, new_kernel, set_arg, new_user_event,
		set_event, enqueue, enqueue, enqueue, record, record, give_back, hold, wait_for, ask, call_back,
	};
	struct world *w = calloc(1, sizeof(*w));

	check(w, "no memory");
	sem_init(&w->gone, 0, 0);
	w->at = data;
	w->end = data + size;
	new_context(w);
	while (w->at < w->end && w->count + 4 < CREATED)
		calls[byte(w) % (sizeof(calls) / sizeof(calls[0]))](w);
	end(w);
	sem_destroy(&w->gone);
	free(w);
	return 0;
}
