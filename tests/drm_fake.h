/* SPDX-License-Identifier: MIT */
/*
 * A kernel for the tests of the DRM transport: takes the place of libaccel/drm_sys.c, answers the ioctls of
 * uapi/ethosu_accel.h and of DRM, and runs jobs on an NPU behind sim/npu.h, the tests' or the simulated one.
 * Each open node is a machine of its own.
 *
 * The number in /dev/accel/accelN says what is there: the tens which driver (enum drm_fake_driver), the
 * ones which NPU.
 */
#ifndef TESTS_DRM_FAKE_H
#define TESTS_DRM_FAKE_H

#include <pthread.h>
#include <sys/queue.h>

#include "libaccel/drm.h"
#include "sim/npu.h"

enum drm_fake_driver {
	DRM_FAKE_EXTENDED,	/* this project's */
	DRM_FAKE_LINUX_7_3,
	DRM_FAKE_LINUX_6_19,	/* no perfmon, 12 bytes of npu_info */
	DRM_FAKE_OTHER,		/* another accelerator's */
	DRM_FAKE_NO_ACCESS,
};

/* /dev/accel/accelN, N & 7 in this order. */
#define DRM_FAKE_NPUS { "ethos-u65-256", "ethos-u85-256", "ethos-u65-512", "ethos-u85-1024" }

/* The next ioctl of this number, the @after-th from now, fails with @err without effect. */
void drm_fake_fail(unsigned long request, unsigned int after, int err);
/* All nodes that are open are unplugged. */
void drm_fake_unplug(void);
/* Handles, queues, drm_syncobj and perfmons that files have at this moment. */
unsigned int drm_fake_objects(void);
/* Whether realtime priority is to be had. */
void drm_fake_allow_realtime(bool allowed);

/* ---- within the fake ---- */

#define FAKE_HISTORY 1024
#define FAKE_SUBMIT_JOBS 100

struct fake_kernel;

/* A fence: its error counts once it has signalled. */
struct fake_done {
	unsigned int refs;
	bool signalled;
	int error;
};

struct fake_object {
	LIST_ENTRY(fake_object) link;
	enum { FAKE_BO, FAKE_QUEUE, FAKE_SYNC, FAKE_PERFMON } kind;
	uint32_t id;
	unsigned int refs;	/* the file's, and jobs' */
};

struct fake_bo {
	struct fake_object obj;
	int fd;			/* of the memory; -1: a command stream */
	void *host;
	uint64_t size;
	uint64_t addr;
	uint32_t flags;
	uint32_t stream_size;
	struct drm_usage usage;
	unsigned int readers, writers;
};

/* In a timeline a point has come when all before it have. */
struct fake_point {
	uint64_t point;
	struct fake_done *done;
};

struct fake_sync {
	struct fake_object obj;
	struct fake_point *points;
	size_t count;
	struct fake_sync *from;		/* a binary one: whose point it holds */
	size_t from_index;
};

struct fake_perfmon {
	struct fake_object obj;
	uint32_t count;
	uint16_t events[8];
	uint64_t values[9];
};

struct fake_job {
	TAILQ_ENTRY(fake_job) link;
	struct fake_queue *queue;
	struct fake_bo *stream;
	struct fake_bo *bo[8];
	uint64_t offset[8];
	uint64_t length[8];
	uint32_t sram_size;
	struct fake_perfmon *perfmon;
	uint64_t seqno;
	bool cancelled;		/* because of one before it in its submission */
	struct fake_job *next;	/* in its submission */
	struct fake_done *done;
	size_t wait_count;
	struct fake_wait {
		struct fake_sync *sync;
		size_t index;
		bool needs;
	} *waits;
};

struct fake_queue {
	struct fake_object obj;
	uint32_t priority;
	bool cancelled;
	bool running;
	TAILQ_HEAD(fake_job_list, fake_job) jobs;
	struct drm_ethosux_job_info *infos;	/* by seqno - 1 */
	uint64_t submitted, ended, failed, last_failed, busy_ns;
	uint64_t turn;
};

/* A sync_file: an eventfd here. */
struct fake_event {
	LIST_ENTRY(fake_event) link;
	struct fake_sync *sync;
	size_t index;
	int fd;
};

struct fake_kernel {
	LIST_ENTRY(fake_kernel) link;
	int fd;			/* what the program has */
	enum drm_fake_driver driver;
	const struct npu_config *config;
	struct npu *npu;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t worker;
	bool closed;
	bool unplugged;
	bool no_realtime;
	LIST_HEAD(, fake_object) objects;
	LIST_HEAD(, fake_event) events;
	uint32_t next_id;
	uint64_t next_addr;
	uint64_t next_window;
	uint64_t turn;
	struct fake_queue *file_queue;
	unsigned char *sram;
	/* Of the running job. */
	struct npu_window window[10];
	unsigned int windows;
	bool irq;
};

/* drm_fake_run.c */
void *drm_fake_worker(void *kernel);
extern const struct npu_bus_ops drm_fake_bus;
int drm_fake_queue_new(struct fake_kernel *k, uint32_t priority, struct fake_queue **out);
void drm_fake_object_put(struct fake_kernel *k, struct fake_object *obj);
struct fake_object *drm_fake_find(struct fake_kernel *k, int kind, uint32_t id);
int drm_fake_submit(struct fake_kernel *k, struct drm_ethosu_submit *arg);
int drm_fake_queue_submit(struct fake_kernel *k, struct drm_ethosux_queue_submit *arg);
int drm_fake_queue_destroy(struct fake_kernel *k, struct drm_ethosux_queue_destroy *arg);
int drm_fake_job_info(struct fake_kernel *k, struct drm_ethosux_job_info *arg);
bool drm_fake_come(const struct fake_sync *sync, size_t index);
int drm_fake_sync_find(struct fake_sync *sync, uint64_t point, size_t *index);
void drm_fake_done_put(struct fake_done *done);
/* Wait until *@what is as wanted. Return: 0, -ETIME, -ENODEV. With the lock. */
int drm_fake_wait(struct fake_kernel *k, bool (*over)(void *ctx), void *ctx, int64_t deadline);
void drm_fake_usage(const uint32_t *stream, size_t words, struct drm_usage *usage);

#endif
