/* SPDX-License-Identifier: MIT */
/*
 * The DRM transport: a device of the kernel's accel subsystem, driven by the ethosu driver.
 *
 * Two drivers speak the interface of uapi/ethosu_accel.h: Linux's own, and this project's, which
 * adds the part called ETHOSUX. drm_device.extended tells which it is. Linux's has one queue per open
 * file, in which all queues of the library then run their jobs, in the order of submission; it tells
 * when a buffer is no longer used, not when a job is done, nor how it went.
 *
 * The kernel keeps what a job uses until the job ended, so the library need not.
 */
#ifndef LIBACCEL_DRM_H
#define LIBACCEL_DRM_H

#include <pthread.h>
#include <sys/queue.h>

#include "transport.h"
#include "uapi/ethosu_accel.h"

#define DRM_REGIONS ETHOSU_MAX_REGIONS
/* What a job's sram_size is about, in either driver. */
#define DRM_SRAM_REGION 2

/**
 * struct drm_sys - what the transport asks of the system: tests put a kernel of their own here
 * @open: Return: an fd, close-on-exec, or a negative errno
 * @close: an fd of @open
 * @ioctl: taken up again when a signal interrupts it. Return: 0 or a negative errno
 * @mmap: a buffer, shared. @offset: from BO_MMAP_OFFSET. Return: 0 or a negative errno
 */
struct drm_sys {
	int (*open)(const char *path);
	void (*close)(int fd);
	int (*ioctl)(int fd, unsigned long request, void *arg);
	int (*mmap)(int fd, uint64_t offset, uint64_t size, int prot, void **ptr);
};

extern const struct drm_sys drm_sys;

/**
 * struct drm_bo - memory behind a handle
 * @refs: under the device's lock: an import can give a handle that is known already
 * @ptr: NULL: not mapped yet. Once mapped it stays so.
 * @shared: exported or imported: others may write it
 */
struct drm_bo {
	LIST_ENTRY(drm_bo) link;
	unsigned int refs;
	uint32_t handle;
	uint64_t size;
	void *ptr;
	bool sealed;
	bool shared;
};

struct drm_buffer {
	struct accel_buffer base;
	struct drm_bo *bo;
	unsigned int maps;
};

/**
 * struct drm_usage - what a command stream does to the regions
 * @read, @written: bit by bit
 * @size: bytes that it needs of each; 0: the kernel does not tell
 */
struct drm_usage {
	uint32_t read;
	uint32_t written;
	uint64_t size[DRM_REGIONS];
};

/**
 * struct drm_stream - a command stream in the kernel
 * @next: another form of the same program
 * @map: the region that each region of the program has become
 */
struct drm_stream {
	struct drm_stream *next;
	uint8_t map[DRM_REGIONS];
	uint32_t handle;
	struct drm_usage usage;
};

/**
 * struct drm_program - a program, whose first form is as the caller gave it
 * @words, @count: Linux's driver: a copy to make other forms of; else NULL
 */
struct drm_program {
	struct accel_program base;
	struct drm_stream stream;
	uint32_t *words;
	size_t count;
};

/**
 * struct drm_kqueue - a queue of the kernel's, there as long as a fence may ask about its jobs
 * @syncobj: its jobs' timeline
 * @lock: of submitting: points rise in the order of the jobs
 * @point: the last
 */
struct drm_kqueue {
	struct drm_device *device;
	unsigned int refs;
	uint32_t id;
	uint32_t syncobj;
	pthread_mutex_t lock;
	uint64_t point;
};

struct drm_queue {
	struct accel_queue base;
	struct drm_kqueue *k;		/* NULL: the one that the open file has */
};

/* What became of a job, without the words. */
struct drm_result {
	uint32_t kstate;		/* enum drm_ethosux_job_state */
	int32_t error;
	uint32_t status;
	uint32_t offset;
	uint64_t cycles;
	uint64_t queued_ns;
	uint64_t started_ns;
	uint64_t ended_ns;
	uint32_t event_count;
	uint64_t events[ACCEL_MAX_EVENTS];
};

/**
 * struct drm_fence - when jobs are done
 * @lock: of @results and @status until @done
 * @done: atomic; then the rest is final
 * @lost: the device went away before the jobs were seen to end
 * @k, @point, @seqno: extended: what to wait for, the first job's number
 * @written: else: a buffer that the last job writes, or a marker after it
 * @perfmons: else: by job, 0: none; NULL: nothing is counted
 */
struct drm_fence {
	struct accel_fence base;
	pthread_mutex_t lock;
	unsigned int done;
	int status;
	bool lost;
	struct drm_kqueue *k;
	uint64_t point;
	uint64_t seqno;
	struct accel_buffer *written;
	uint32_t *perfmons;
	struct drm_result results[];
};

/* Events that are counted together; extended: JOB_INFO tells each job's part. */
struct drm_perfmon {
	LIST_ENTRY(drm_perfmon) link;
	uint32_t id;
	uint32_t count;
	uint16_t events[ACCEL_MAX_EVENTS];
};

/**
 * struct drm_device - an open node
 * @lock: of everything below
 * @bos: by no order
 * @marker: a program that writes region 0, made when first needed
 */
struct drm_device {
	struct accel_device base;
	int fd;
	bool extended;
	struct drm_ethosux_caps caps;
	pthread_mutex_t lock;
	LIST_HEAD(, drm_bo) bos;
	LIST_HEAD(, drm_perfmon) perfmons;
	struct drm_program *marker;
};

static inline struct drm_device *to_drm(struct accel_device *device)
{
	return (struct drm_device *)device;
}

static inline int drm_ask(struct drm_device *drm, unsigned long request, void *arg)
{
	return drm_sys.ioctl(drm->fd, request, arg);
}

static inline uint64_t drm_ptr(const void *ptr)
{
	return (uintptr_t)ptr;
}

/* drm_memory.c */
int drm_bo_create(struct accel_device *device, uint64_t size, uint32_t flags,
		  struct accel_buffer **out, struct accel_error *err);
int drm_bo_import(struct accel_device *device, int fd, uint32_t flags, struct accel_buffer **out,
		  struct accel_error *err);
int drm_bo_export(struct accel_buffer *buffer, int *fd, struct accel_error *err);
int drm_bo_map(struct accel_buffer *buffer, void **ptr, struct accel_error *err);
int drm_bo_unmap(struct accel_buffer *buffer);
int drm_bo_seal(struct accel_buffer *buffer, struct accel_error *err);
bool drm_bo_sealed(struct accel_buffer *buffer);
void drm_bo_destroy(struct accel_buffer *buffer);
void drm_handle_close(struct drm_device *drm, uint32_t handle);

/* drm_program.c */
int drm_program_create(struct accel_device *device, const uint32_t *stream, size_t size,
		       struct accel_program **out, struct accel_error *err);
void drm_program_destroy(struct accel_program *program);
/*
 * Linux's driver takes a buffer for one region of a job only. The program's form in which regions that
 * are bound to the same buffer are one, made when first needed.
 */
int drm_program_merged(struct drm_device *drm, const struct accel_job *job,
		       const struct drm_stream **out);

/* drm_scan.c: the regions that a stream uses, as Linux's driver counts them. Sizes stay 0. */
void drm_scan(const uint32_t *stream, size_t words, bool u85, struct drm_usage *usage);
/* Put another region for each. */
void drm_scan_rename(uint32_t *stream, size_t words, const uint8_t *map);

/* drm_queue.c */
int drm_queue_create(struct accel_device *device, uint32_t priority, struct accel_queue **out,
		     struct accel_error *err);
void drm_queue_destroy(struct accel_queue *queue);
void drm_kqueue_put(struct drm_kqueue *k);
int drm_submit(struct accel_queue *queue, const struct accel_job *jobs, size_t count,
	       const struct accel_submit_options *opt, struct accel_fence **fences,
	       struct accel_error *err);
/* Fill handles, and offsets and lengths if not NULL, of a job; its flaws are told. */
int drm_job_fill(struct drm_device *drm, const struct accel_job *job, size_t index,
		 struct drm_ethosu_job *out, __u64 *offsets, __u64 *lengths,
		 struct accel_error *err);
int drm_submit_error(struct drm_device *drm, int ret, struct accel_error *err);
int drm_perfmon_create(struct drm_device *drm, const struct accel_submit_options *opt,
		       uint32_t *id);

/* drm_mainline.c */
int drm_mainline_submit(struct drm_device *drm, const struct accel_job *jobs, size_t count,
			const struct accel_submit_options *opt, struct accel_fence **fences,
			struct accel_error *err);
int drm_mainline_wait(struct drm_fence *fence, int64_t deadline);
void drm_mainline_results(struct drm_fence *fence);

/* drm_fence.c */
struct drm_fence *drm_fence_new(struct drm_device *drm, uint32_t count);
void drm_fence_free(struct drm_fence *fence);
int drm_fence_wait(struct accel_fence *fence, int64_t deadline);
int drm_fence_fd(struct accel_fence *fence, int *fd, struct accel_error *err);
void drm_fence_result(struct accel_fence *fence, size_t index, struct accel_job_result *result);
void drm_fence_destroy(struct accel_fence *fence);

#endif
