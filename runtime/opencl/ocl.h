/* SPDX-License-Identifier: MIT */
/*
 * The NPUs as OpenCL devices, inside: objects, and what the files with the entry points share.
 *
 * One lock, the platform's, guards all objects and the states of all commands; work is done without it.
 * Memory of a released object stays an object of its kind (ocl_new()), so that a handle used too late is
 * told from a live one instead of being followed into the unknown.
 */
#ifndef ACCEL_RUNTIME_OCL_H
#define ACCEL_RUNTIME_OCL_H

#define CL_USE_DEPRECATED_OPENCL_1_0_APIS
#define CL_USE_DEPRECATED_OPENCL_1_1_APIS
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#define CL_USE_DEPRECATED_OPENCL_2_0_APIS
#define CL_USE_DEPRECATED_OPENCL_2_1_APIS
#define CL_USE_DEPRECATED_OPENCL_2_2_APIS
#include <CL/cl_icd.h>

#include <accel/accel.h>
#include <pthread.h>
#include <stdbool.h>

#include "runtime/model.h"
#include "runtime/opencl/ocl_khr.h"

#define OCL_MAX_DEVICES		64
#define OCL_MEM_ALIGN		128	/* bytes; least of the embedded profile is 1024 bits */
#define OCL_MEM_PROPERTIES	16	/* of a list, its end included */
#define OCL_KERNEL_NAME		"run"	/* the one entry point that a compiled model has */

enum ocl_kind {
	OCL_DEAD, OCL_PLATFORM, OCL_DEVICE, OCL_CONTEXT, OCL_QUEUE, OCL_MEM, OCL_PROGRAM,
	OCL_KERNEL, OCL_EVENT, OCL_COMMAND_BUFFER,
	OCL_KINDS,
};

/**
 * struct ocl_object - what every handle points to
 * @dispatch: first, the loader calls through it
 * @kind: enum ocl_kind; OCL_DEAD once released
 * @process: in which it was made, by ocl_process(): a forked child has none of its parent's threads
 * @references: an application's and our own
 * @owned: the application's; it can give back no others
 * @next: while dead: the object of this kind that died after it
 */
struct ocl_object {
	const cl_icd_dispatch *dispatch;
	unsigned int kind;
	unsigned int process;
	unsigned int references, owned;
	struct ocl_object *next;
};

struct _cl_device_id {
	struct ocl_object object;
	struct accel_device_info info;
	cl_device_type type;
};

struct _cl_platform_id {
	struct ocl_object object;
};

/* Functions that an application wants called, last registered first. */
struct ocl_callback {
	struct ocl_callback *next;
	void *function;
	void *data;
	cl_int when;		/* events: the status */
};

struct _cl_context {
	struct ocl_object object;
	cl_device_id device;
	struct accel_device *npu;
	cl_context_properties properties[8];
	size_t property_count;
	void(CL_CALLBACK *notify)(const char *, const void *, size_t, void *);
	void *notify_data;
	struct ocl_callback *destructors;
};

/**
 * struct _cl_command_queue - commands in the order they were enqueued
 * @properties: bits of CL_QUEUE_*
 * @property_list: what it was created with
 * @first, @last: commands that are not done
 * @busy: somebody executes one; one at a time
 * @flushed: the worker shall execute what there is
 * @worker: runs once the queue was flushed for the first time
 */
struct _cl_command_queue {
	struct ocl_object object;
	cl_context context;
	cl_command_queue_properties properties;
	cl_queue_properties property_list[8];
	size_t property_count;
	cl_event first, last;
	bool busy, flushed, has_worker, stop;
	pthread_t worker;
};

/* A mapping that was not undone yet. */
struct ocl_map {
	struct ocl_map *next;
	void *pointer;
	size_t offset, size;
	cl_map_flags flags;
};

/**
 * struct _cl_mem - a buffer, or a part of one
 * @parent, @origin: of a part
 * @buffer, @data: memory of the NPU and where it is mapped, all of it; a part has its parent's
 * @maps: mappings
 * @external: the memory was given as an fd
 */
struct _cl_mem {
	struct ocl_object object;
	cl_context context;
	cl_mem parent;
	size_t origin, size;
	cl_mem_flags flags;
	void *host;
	cl_mem_properties properties[OCL_MEM_PROPERTIES];
	size_t property_count;
	bool external;
	struct accel_buffer *buffer;
	uint8_t *data;
	struct ocl_map *maps;
	cl_uint map_count;
	struct ocl_callback *destructors;
};

/**
 * struct ocl_entry - a model that a kernel runs
 * @name: of the kernel
 * @running: held while the model runs: its arena is one
 */
struct ocl_entry {
	char name[CL_NAME_VERSION_MAX_NAME_SIZE];
	struct model *model;
	pthread_mutex_t running;
};

/**
 * struct _cl_program - compiled models
 * @binary, @binary_size: as it was given; NULL: made of source, which nothing can build, or of built-in
 *	kernels
 * @entries, @entry_count: once built; of a binary there is one
 */
struct _cl_program {
	struct ocl_object object;
	cl_context context;
	uint8_t *binary;
	size_t binary_size;
	char *source;
	cl_build_status status;
	char log[sizeof(((struct error *)0)->text)];
	struct ocl_entry *entries;
	unsigned int entry_count;
	unsigned int kernels;
	struct ocl_callback *destructors;
};

/* Arguments: the model's inputs, then its outputs. @copied: bytes, by the last launch; atomic. */
struct _cl_kernel {
	struct ocl_object object;
	cl_program program;
	struct ocl_entry *entry;
	unsigned int arg_count;
	cl_mem *args;
	cl_ulong copied;
};

/* What the commands that move bytes have to know. */
struct ocl_transfer {
	cl_mem src, dst;
	void *host;
	size_t src_origin[3], dst_origin[3], region[3];
	size_t src_pitch[2], dst_pitch[2];
	size_t pattern_size;
	uint8_t pattern[128];
	struct ocl_map *map;
};

/* @bound: while it runs: which arguments the NPU has where they are */
struct ocl_launch {
	cl_kernel kernel;
	cl_mem *args;
	bool *bound;
};

/**
 * struct _cl_command_buffer_khr - commands to be enqueued together, as often as wanted
 * @queue: the one that it was made for
 * @commands, @count, @room: in the order in which they were recorded; sync point n is command n - 1
 * @executable: nothing more is recorded
 * @running: held while they are executed: each has its own memory for that
 */
struct _cl_command_buffer_khr {
	struct ocl_object object;
	cl_command_queue queue;
	ocl_properties properties[4];
	size_t property_count;
	cl_event *commands;
	cl_uint count, room;
	bool executable;
	pthread_mutex_t running;
};

/**
 * struct _cl_event - a command, or a user's event
 * @queue: NULL: a user's
 * @status: CL_QUEUED to CL_COMPLETE, or an error
 * @times: queued, submitted, started, ended, complete; CLOCK_MONOTONIC ns
 * @run: does it, without the lock; gives CL_SUCCESS or an error
 * @release: gives back what it holds, with the lock
 * @waits, @wait_count: events that must be complete first
 * @fence: nothing behind it starts before it is done, nor it before all that is in front
 */
struct _cl_event {
	struct ocl_object object;
	cl_context context;
	cl_command_queue queue;
	cl_command_type type;
	cl_int status;
	cl_ulong times[5];
	cl_int (*run)(cl_event event);
	void (*release)(cl_event event);
	cl_event *waits;
	cl_uint wait_count;
	bool fence;
	cl_event next;
	struct ocl_callback *callbacks;
	union {
		struct ocl_transfer transfer;
		struct ocl_launch launch;
		struct _cl_command_buffer_khr *recorded;
	};
};

/* ocl_object.c */
void ocl_lock(void);
void ocl_unlock(void);
/* Any event's status has changed. */
void ocl_signal(void);
void ocl_wait_signal(void);
void *ocl_new(enum ocl_kind kind, size_t size);		/* zeroed, one reference; NULL: no memory */
void ocl_dead(void *object);				/* with the lock */
/* An object of ours of that kind? Another ICD's is none, nor is one of the process that forked this one. */
bool ocl_is(const void *handle, enum ocl_kind kind);
/* The application takes a reference, and gives one back that it has (with the lock). False: not such an object. */
bool ocl_own(void *handle, enum ocl_kind kind);
bool ocl_disown(void *handle, enum ocl_kind kind);
/* True if that was the last reference. With the lock. */
bool ocl_unref(void *object);
void ocl_ref(void *object);
cl_int ocl_give(size_t room, void *value, size_t *size, const void *from, size_t n);
cl_int ocl_give_text(size_t room, void *value, size_t *size, const char *text);
cl_int ocl_add_callback(struct ocl_callback **list, void *function, void *data, cl_int when);

/* ocl_platform.c */
cl_platform_id ocl_platform(void);
cl_int ocl_get_platforms(cl_uint room, cl_platform_id *out, cl_uint *count);
cl_int ocl_platform_info(cl_platform_id p, cl_platform_info what, size_t room, void *value,
			 size_t *size);
cl_device_id ocl_device_at(unsigned int index);		/* NULL: no more */
/* Name of a built-in kernel, and the model file that it runs; NULL: no more. */
const char *ocl_built_in(unsigned int index, const char **path);
/* Extensions, of a device, or NULL: of the platform. */
cl_int ocl_extensions(cl_device_id d, size_t room, void *value, size_t *size);
cl_int ocl_extension_versions(cl_device_id d, size_t room, void *value, size_t *size);

/* Give back a reference; with the lock. */
void ocl_release_context(cl_context c);
void ocl_release_mem(cl_mem m);
void ocl_release_program(cl_program p);
void ocl_release_kernel(cl_kernel k);
void ocl_release_event(cl_event e);
void ocl_release_queue(cl_command_queue q);

/* ocl_memory.c: first byte of a buffer or of a part, and where that is in the NPU's memory. */
uint8_t *ocl_mem_data(cl_mem m);
uint64_t ocl_mem_offset(cl_mem m);

/**
 * ocl_command - begin a command
 * @waits, @wait_count: as the application gave them; checked
 *
 * Return: the command, to be filled and given to ocl_enqueue(), or NULL and *@err.
 */
cl_event ocl_command(cl_command_queue q, cl_command_type type, const cl_event *waits,
		     cl_uint wait_count, cl_int *err);

/**
 * ocl_enqueue - put it into its queue
 * @blocking: and wait until it is done
 * @out: NULL, or receives the event
 *
 * Return: CL_SUCCESS, or what a blocking command failed with.
 */
cl_int ocl_enqueue(cl_event command, bool blocking, cl_event *out);

/*
 * Commands made but not enqueued, or NULL and *@err: ocl_transfer.c and ocl_kernel.c. @rows, @planes: pitches
 * of the source and of the destination.
 */
cl_event ocl_copy(cl_command_queue q, cl_mem src, cl_mem dst, size_t from, size_t to, size_t size,
		  cl_uint count, const cl_event *waits, cl_int *err);
cl_event ocl_fill(cl_command_queue q, cl_mem m, const void *pattern, size_t pattern_size, size_t offset,
		  size_t size, cl_uint count, const cl_event *waits, cl_int *err);
cl_event ocl_copy_box(cl_command_queue q, cl_mem src, cl_mem dst, const size_t *src_origin,
		      const size_t *dst_origin, const size_t *region, const size_t *rows,
		      const size_t *planes, cl_uint count, const cl_event *waits, cl_int *err);
cl_event ocl_launch(cl_command_queue q, cl_command_type type, cl_kernel k, cl_uint dims,
		    const size_t *offset, const size_t *global, const size_t *local, cl_uint count,
		    const cl_event *waits, cl_int *err);

/* ocl_queue.c: execute or wait until @event is done (NULL: all of @q). With the lock. */
void ocl_finish(cl_command_queue q, cl_event event);
void ocl_flush(cl_command_queue q);
/* A new status; callbacks are called. With the lock, which is given up for the callbacks. */
void ocl_set_status(cl_event event, cl_int status);

extern const cl_icd_dispatch ocl_dispatch;

#endif
