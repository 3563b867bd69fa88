/* SPDX-License-Identifier: MIT */
/*
 * The seam between the public calls and what carries them out: objects as the library sees them and
 * the operations of a transport.
 *
 * The calls of the public header check what does not depend on the transport, count references and
 * then ask the transport, which embeds these structs at the start of its own.
 */
#ifndef LIBACCEL_TRANSPORT_H
#define LIBACCEL_TRANSPORT_H

#include <stdbool.h>

#include "accel/accel.h"

struct accel_transport;

struct accel_device {
	const struct accel_transport *ops;
	unsigned int refs;
	struct accel_device_info info;
};

struct accel_buffer {
	struct accel_device *device;
	unsigned int refs;
	uint64_t size;
	uint32_t flags;
};

struct accel_program {
	struct accel_device *device;
	unsigned int refs;
	struct accel_buffer *constants;	/* NULL: none */
	uint32_t constants_region;
	struct accel_range *written;	/* NULL: everything */
	uint32_t written_count;
};

struct accel_queue {
	struct accel_device *device;
	unsigned int refs;
	uint32_t priority;
};

struct accel_fence {
	struct accel_device *device;
	unsigned int refs;
	uint32_t count;			/* jobs */
};

/**
 * struct accel_transport - a way to reach devices
 * @name: accel_device_info.transport
 * @prefix: how a spec for this transport begins
 * @list: call @add for each device; a nonzero return ends the walk
 * @open: @spec is the whole spec. The device comes with one reference and its info filled.
 * @close: the last reference went
 * @buffer_create, @buffer_import: @size is in whole pages. The transport fills the buffer's
 *	size, the caller the rest of the generic part.
 * @buffer_destroy: the last reference went. Must itself keep the memory while the device may use
 *	it.
 * @buffer_sealed: whether accel_buffer_seal() was done
 * @program_create: the caller fills the generic part of @out; so with @queue_create
 * @submit: everything was checked that the public header promises and does not depend on the state
 *	of the device. @fences: as many as jobs with ACCEL_SUBMIT_FENCE_PER_JOB, else one. Takes
 *	its own references to what the jobs use.
 * @fence_wait: @deadline: CLOCK_MONOTONIC; 0: look; INT64_MAX: for ever
 * @fence_result: @result is of full size
 *
 * Fences keep a reference to their device by the transport's doing (it has to, before @submit
 * returns); the other objects' is the public calls' business.
 */
struct accel_transport {
	const char *name;
	const char *prefix;
	int (*list)(int (*add)(void *ctx, const struct accel_device_info *info), void *ctx,
		    struct accel_error *err);
	int (*open)(const char *spec, struct accel_device **out, struct accel_error *err);
	void (*close)(struct accel_device *device);

	int (*buffer_create)(struct accel_device *device, uint64_t size, uint32_t flags,
			     struct accel_buffer **out, struct accel_error *err);
	int (*buffer_import)(struct accel_device *device, int fd, uint32_t flags,
			     struct accel_buffer **out, struct accel_error *err);
	int (*buffer_export)(struct accel_buffer *buffer, int *fd, struct accel_error *err);
	int (*buffer_map)(struct accel_buffer *buffer, void **ptr, struct accel_error *err);
	int (*buffer_unmap)(struct accel_buffer *buffer);
	int (*buffer_seal)(struct accel_buffer *buffer, struct accel_error *err);
	bool (*buffer_sealed)(struct accel_buffer *buffer);
	void (*buffer_destroy)(struct accel_buffer *buffer);

	int (*program_create)(struct accel_device *device, const uint32_t *stream, size_t size,
			      struct accel_program **out, struct accel_error *err);
	void (*program_destroy)(struct accel_program *program);

	int (*queue_create)(struct accel_device *device, uint32_t priority,
			    struct accel_queue **out, struct accel_error *err);
	void (*queue_destroy)(struct accel_queue *queue);

	int (*submit)(struct accel_queue *queue, const struct accel_job *jobs, size_t count,
		      const struct accel_submit_options *opt, struct accel_fence **fences,
		      struct accel_error *err);

	int (*fence_wait)(struct accel_fence *fence, int64_t deadline);
	int (*fence_fd)(struct accel_fence *fence, int *fd, struct accel_error *err);
	void (*fence_result)(struct accel_fence *fence, size_t index,
			     struct accel_job_result *result);
	void (*fence_destroy)(struct accel_fence *fence);
};

extern const struct accel_transport accel_sim;
extern const struct accel_transport accel_drm;

/* Job @i of a caller's array, whose elements may be longer than ours. */
static inline const struct accel_job *accel_job_at(const struct accel_job *jobs, size_t i)
{
	return (const struct accel_job *)((const char *)jobs + i * jobs->size);
}

/* Fill @err, if there is one, and return @code. */
int accel_fail(struct accel_error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Flag of buffer_create() that callers of the library cannot give: never exported, so no need for
 * an fd of its own.
 */
#define ACCEL_BUFFER_PRIVATE (1u << 31)

/* A buffer with a copy of @data, sealed where the transport can: programs and their constants. */
int accel_buffer_copy(struct accel_device *device, const void *data, uint64_t size,
		      struct accel_buffer **out, struct accel_error *err);

/* As accel_device_unref(); true if that closed the device. */
bool accel_device_put(struct accel_device *device);

/* Nanoseconds of CLOCK_MONOTONIC. */
int64_t accel_now(void);

static inline void accel_get(unsigned int *refs)
{
	__atomic_fetch_add(refs, 1, __ATOMIC_RELAXED);
}

/* True if that was the last reference; then all that others did with the object is visible. */
static inline bool accel_put(unsigned int *refs)
{
	return __atomic_sub_fetch(refs, 1, __ATOMIC_ACQ_REL) == 0;
}

/*
 * Bring a caller's struct, which may be older (shorter) or newer (longer) than ours, to our size.
 * False: shorter than its size member, or it asks for something this library does not know (bytes
 * beyond ours that are not zero).
 */
bool accel_struct_in(void *ours, size_t our_size, const void *theirs);

/* The way back: fill what the caller's struct has; false: shorter than its size member. */
bool accel_struct_out(void *theirs, const void *ours, size_t our_size);

#endif
