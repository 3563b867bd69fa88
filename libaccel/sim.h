/* SPDX-License-Identifier: MIT */
/*
 * The simulated transport: an NPU of its own in this process, driven through its registers.
 *
 * One lock guards all of a device. One thread at a time executes: the device's worker, or a thread
 * that waits for a fence and finds the device free. That thread does not hold the lock while the
 * NPU runs, it owns @executing. What dies meanwhile is buried (@grave_*) and reaped when it is
 * done, because the NPU may still be looking at it.
 */
#ifndef LIBACCEL_SIM_H
#define LIBACCEL_SIM_H

#include <pthread.h>
#include <stdio.h>
#include <sys/queue.h>

#include "sim/npu.h"
#include "transport.h"

#define SIM_REGIONS 8
/* The regions, the command stream, constants and SRAM. */
#define SIM_WINDOWS (SIM_REGIONS + 3)
#define SIM_PRIORITIES (ACCEL_PRIORITY_REALTIME + 1)

/**
 * struct sim_view - a stretch of a buffer as the NPU knows it
 * @next: in the buffer's list, most recently used first, or in the device's grave
 * @win: @win.id is never used again for anything else
 * @users: jobs that are not done and use it
 */
struct sim_view {
	struct sim_view *next;
	struct npu_window win;
	unsigned int users;
};

struct sim_buffer {
	struct accel_buffer base;
	LIST_ENTRY(sim_buffer) link;	/* of the device's buffers, by address; or its grave */
	void *host;
	uint64_t addr;
	int fd;				/* -1: constants and the like, anonymous memory */
	bool sealed;
	unsigned int maps;
	struct sim_view *views;
	unsigned int view_count;
};

struct sim_program {
	struct accel_program base;
	struct accel_buffer *stream;	/* sealed */
	uint32_t stream_size;
};

/* Fences a submission waits for, shared by its jobs. */
struct sim_waits {
	unsigned int refs;
	uint32_t count;
	struct accel_fence *fences[];
};

/**
 * struct sim_job - a job and what became of it
 * @view: by region
 * @buffer: by region: referenced while the job is not done, NULL where @view is none of the
 *	binding's (constants, SRAM)
 */
struct sim_job {
	STAILQ_ENTRY(sim_job) link;
	struct sim_fence *fence;
	struct accel_program *program;
	struct sim_waits *waits;
	struct sim_view *stream;
	struct sim_view *view[SIM_REGIONS];
	struct accel_buffer *buffer[SIM_REGIONS];
	uint16_t events[ACCEL_MAX_EVENTS];
	struct accel_job_result result;
};

struct sim_fence {
	struct accel_fence base;
	struct sim_fence *next_free;
	unsigned int done;		/* atomic; then @status is final */
	int status;
	uint32_t pending;		/* jobs not done */
	int event_fd;			/* -1: no one asked */
	uint32_t capacity;		/* of @jobs */
	struct sim_job jobs[];
};

struct sim_queue {
	struct accel_queue base;
	TAILQ_ENTRY(sim_queue) link;	/* among the queues of its priority that have jobs */
	STAILQ_HEAD(, sim_job) jobs;
};

TAILQ_HEAD(sim_queue_list, sim_queue);
LIST_HEAD(sim_buffer_list, sim_buffer);

/* How the device was asked for; the strings point into @text. */
struct sim_spec {
	const struct npu_config *config;
	struct npu_options options;
	uint32_t sram_size;
	const char *log;
	char *text;
};

/**
 * struct sim_device - the NPU and its driver
 * @executing: a thread is running a job
 * @want: the worker is to run whatever is queued
 * @waiters: threads that wait for @done
 * @dead: the last reference went under the executing thread, which must close the device
 * @window, @windows: what the running job may reach
 * @job: the running one
 * @outcome: of the running job
 * @irq: level of the interrupt line
 * @trace: what the NPU last said about the running job
 * @log: where accesses to memory are told, or NULL
 * @basep, @eventsel: registers as last written, to write only what changes
 */
struct sim_device {
	struct accel_device base;
	struct sim_spec spec;
	struct npu *npu;
	uint32_t pmu;			/* offset of the PMU registers */

	pthread_mutex_t lock;
	pthread_cond_t work;
	pthread_cond_t done;
	pthread_t worker;
	bool executing;
	bool want;
	bool worker_idle;
	bool stop;
	bool dead;
	unsigned int waiters;
	struct sim_queue_list queues[SIM_PRIORITIES];
	struct sim_fence *free_fences;
	unsigned int free_count;

	struct sim_buffer_list buffers;
	struct sim_buffer_list grave;
	struct sim_view *grave_views;
	struct sim_buffer *sram;
	uint64_t addr_end;
	uint64_t next_id;

	const struct sim_job *job;
	struct npu_window window[SIM_WINDOWS];
	unsigned int windows;
	struct accel_job_result outcome;
	bool irq;
	char trace[ACCEL_ERROR_MAX];
	FILE *log;
	uint64_t basep[SIM_REGIONS];
	uint16_t eventsel[ACCEL_MAX_EVENTS];
};

/* sim_spec.c */
int sim_spec_parse(const char *text, struct sim_spec *spec, struct accel_error *err);
void sim_spec_free(struct sim_spec *spec);
int sim_list(int (*add)(void *ctx, const struct accel_device_info *info), void *ctx,
	     struct accel_error *err);
void sim_info(const struct npu_config *config, struct accel_device_info *info);

/*
 * sim_device.c: the driver. Called by the executing thread, without the lock. What becomes of the
 * job is left in sim->outcome: others may read job->result.
 */
void sim_device_run(struct sim_device *sim, const struct sim_job *job);

/* sim_memory.c */
int sim_memory_new(struct sim_device *sim, uint64_t size, int fd, bool sealed,
		   struct sim_buffer **out, struct accel_error *err);
void sim_memory_free(struct sim_buffer *buffer);
int sim_buffer_create(struct accel_device *device, uint64_t size, uint32_t flags,
		      struct accel_buffer **out, struct accel_error *err);
int sim_buffer_import(struct accel_device *device, int fd, uint32_t flags,
		      struct accel_buffer **out, struct accel_error *err);
int sim_buffer_export(struct accel_buffer *buffer, int *fd, struct accel_error *err);
int sim_buffer_map(struct accel_buffer *buffer, void **ptr, struct accel_error *err);
int sim_buffer_unmap(struct accel_buffer *buffer);
int sim_buffer_seal(struct accel_buffer *buffer, struct accel_error *err);
bool sim_buffer_sealed(struct accel_buffer *buffer);
void sim_buffer_destroy(struct accel_buffer *buffer);
int sim_program_create(struct accel_device *device, const uint32_t *stream, size_t size,
		       struct accel_program **out, struct accel_error *err);
void sim_program_destroy(struct accel_program *program);

/* With the lock held: a view of [offset, offset + length), one more user, or NULL: no memory. */
struct sim_view *sim_view_get(struct sim_device *sim, struct sim_buffer *buffer, uint64_t offset,
			      uint64_t length);
/* With the lock held and no one executing: free what was buried. */
void sim_reap(struct sim_device *sim);

/* sim_queue.c */
int sim_queue_start(struct sim_device *sim);
void sim_queue_stop(struct sim_device *sim);
int sim_queue_create(struct accel_device *device, uint32_t priority, struct accel_queue **out,
		     struct accel_error *err);
void sim_queue_destroy(struct accel_queue *queue);
int sim_submit(struct accel_queue *queue, const struct accel_job *jobs, size_t count,
	       const struct accel_submit_options *opt, struct accel_fence **fences,
	       struct accel_error *err);
int sim_fence_wait(struct accel_fence *fence, int64_t deadline);
int sim_fence_fd(struct accel_fence *fence, int *fd, struct accel_error *err);
void sim_fence_result(struct accel_fence *fence, size_t index, struct accel_job_result *result);
void sim_fence_destroy(struct accel_fence *fence);

#endif
