/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR MIT */
/*
 * The kernel's interface to an Arm Ethos-U behind /dev/accel/accelN.
 *
 * Two parts. The first is Linux 7.3's include/uapi/drm/ethosu_accel.h: the same names, numbers and layouts
 * in other words, so that a program built against either runs on either driver. The second, everything
 * called ETHOSUX, is what this project's driver adds: numbers of its own from 0x60, there if DEV_QUERY knows
 * DRM_ETHOSUX_DEV_QUERY_CAPS, needed by nobody.
 *
 * What holds for all of it: every ioctl is type 'd' and _IOWR, whether it writes back or not. Layouts are
 * the same for 32 and 64 bits; structs are multiples of 8 bytes; pointers travel as __u64. Members called
 * pad or reserved, and flags without a name here, must be zero, else EINVAL. Times are CLOCK_MONOTONIC
 * nanoseconds. A bad pointer is EFAULT, a device that went away ENODEV.
 *
 * Needs nothing but <linux/types.h> and <linux/ioctl.h>. May be included together with the kernel's header,
 * before or after it. docs/abi.md tells what either driver does where it is not obvious.
 */
#ifndef ETHOSU_ACCEL_H
#define ETHOSU_ACCEL_H

#include <linux/ioctl.h>
#include <linux/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* DRM_COMMAND_BASE: where a DRM driver's own numbers begin. */
#define ETHOSU_IOWR(nr, type) _IOWR('d', 0x40 + (nr), struct type)

/* ---- part 1: as in Linux 7.3 ---- */

/* The kernel's header goes by this guard. */
#ifndef _ETHOSU_DRM_H_
#define _ETHOSU_DRM_H_

/* Numbers of the ioctls, relative to DRM_COMMAND_BASE. In Linux since 6.19, the last four since 7.3. */
enum drm_ethosu_ioctl_id {
	DRM_ETHOSU_DEV_QUERY = 0,
	DRM_ETHOSU_BO_CREATE = 1,
	DRM_ETHOSU_BO_WAIT = 2,
	DRM_ETHOSU_BO_MMAP_OFFSET = 3,
	DRM_ETHOSU_CMDSTREAM_BO_CREATE = 4,
	DRM_ETHOSU_SUBMIT = 5,
	DRM_ETHOSU_PERFMON_CREATE = 6,
	DRM_ETHOSU_PERFMON_DESTROY = 7,
	DRM_ETHOSU_PERFMON_GET_VALUES = 8,
	DRM_ETHOSU_PERFMON_SET_GLOBAL = 9,
};

enum drm_ethosu_dev_query_type {
	DRM_ETHOSU_DEV_QUERY_NPU_INFO = 0,
};

/* Fields of drm_ethosu_npu_info.id, the ID register. An arch major of 1 is a U65, of 2 a U85. */
#define DRM_ETHOSU_ARCH_MAJOR(id)	((id) >> 28)
#define DRM_ETHOSU_ARCH_MINOR(id)	((id) >> 20 & 0xff)
#define DRM_ETHOSU_ARCH_PATCH(id)	((id) >> 16 & 0xf)
#define DRM_ETHOSU_PRODUCT_MAJOR(id)	((id) >> 12 & 0xf)
#define DRM_ETHOSU_VERSION_MAJOR(id)	((id) >> 8 & 0xf)
#define DRM_ETHOSU_VERSION_MINOR(id)	((id) >> 4 & 0xf) /* the kernel's macro takes 4 bits too many */
#define DRM_ETHOSU_VERSION_STATUS(id)	((id) & 0xf)

/**
 * struct drm_ethosu_npu_info - DRM_ETHOSU_DEV_QUERY_NPU_INFO
 * @id: the ID register
 * @config: the CONFIG register
 * @sram_size: bytes of on-chip memory that a job may ask for
 * @pmu_counters: events that can be counted at a time; since Linux 7.3
 */
struct drm_ethosu_npu_info {
	__u32 id;
	__u32 config;
	__u32 sram_size;
	__u32 pmu_counters;
};

/**
 * struct drm_ethosu_dev_query - DRM_IOCTL_ETHOSU_DEV_QUERY: ask about the device
 * @type: enum drm_ethosu_dev_query_type, or enum drm_ethosux_dev_query_type
 * @size: bytes at @pointer. The answer is cut to it, or followed by zeros. Not changed, unless @pointer is
 *	0: then set to the size of the whole answer.
 * @pointer: where the answer goes; 0: only its size is asked for
 *
 * EINVAL: a type that is not known (this is how the extension is found missing), or a @size too small for
 * what the first version of the answer had (12 for NPU_INFO).
 */
struct drm_ethosu_dev_query {
	__u32 type;
	__u32 size;
	__u64 pointer;
};

enum drm_ethosu_bo_flags {
	/* No mmap() of the buffer will be asked for; it is refused. */
	DRM_ETHOSU_BO_NO_MMAP = 1 << 0,
};

/**
 * struct drm_ethosu_bo_create - DRM_IOCTL_ETHOSU_BO_CREATE: memory the NPU reaches
 * @size: bytes; comes back rounded up to whole pages
 * @flags: enum drm_ethosu_bo_flags, with the extension also enum drm_ethosux_bo_flags
 * @handle: out; not 0; for GEM_CLOSE
 *
 * All zeros. EINVAL: @size 0, unknown flag; ENOMEM.
 */
struct drm_ethosu_bo_create {
	__u64 size;
	__u32 flags;
	__u32 handle;
};

/**
 * struct drm_ethosu_bo_mmap_offset - DRM_IOCTL_ETHOSU_BO_MMAP_OFFSET: how to map a buffer
 * @handle: of the buffer
 * @pad: 0
 * @offset: out: for mmap() of the device's fd, MAP_SHARED
 *
 * ENOENT: no such handle.
 */
struct drm_ethosu_bo_mmap_offset {
	__u32 handle;
	__u32 pad;
	__u64 offset;
};

/**
 * struct drm_ethosu_bo_wait - DRM_IOCTL_ETHOSU_BO_WAIT: wait until no job uses a buffer
 * @handle: of the buffer
 * @pad: 0
 * @timeout_ns: when to give up, an absolute time; in the past: look, do not wait
 *
 * EINVAL: no such handle; ETIME; EINTR: ask again with the same struct. 0 says that the jobs ended, not
 * that they did well. Linux 7.3 waits for jobs that write the buffer only; this project's driver also for
 * those that read it.
 */
struct drm_ethosu_bo_wait {
	__u32 handle;
	__u32 pad;
	__s64 timeout_ns;
};

/**
 * struct drm_ethosu_cmdstream_bo_create - DRM_IOCTL_ETHOSU_CMDSTREAM_BO_CREATE: load a command stream
 * @size: bytes at @data
 * @flags: 0. Linux writes 1 here on success: clear it before the struct is used again.
 * @data: user pointer to 32-bit little-endian words; copied
 * @handle: out; cannot be mapped; for GEM_CLOSE
 * @pad: 0
 *
 * EINVAL: the stream may do what the driver cannot prove to be safe, or is of a wrong size; ENOMEM.
 */
struct drm_ethosu_cmdstream_bo_create {
	__u32 size;
	__u32 flags;
	__u64 data;
	__u32 handle;
	__u32 pad;
};

#define ETHOSU_MAX_REGIONS 8

/**
 * struct drm_ethosu_job - one run of a command stream
 * @cmd_bo: handle of a command stream
 * @sram_size: bytes of on-chip memory that region 2 is then about; 0: none, or region 2 is a buffer
 * @region_bo_handles: buffers by region; 0 for those that the stream does not use
 */
struct drm_ethosu_job {
	__u32 cmd_bo;
	__u32 sram_size;
	__u32 region_bo_handles[ETHOSU_MAX_REGIONS];
};

/**
 * struct drm_ethosu_submit - DRM_IOCTL_ETHOSU_SUBMIT: run jobs, in order
 * @jobs: user pointer to an array of struct drm_ethosu_job
 * @job_count: how many
 * @perfmon_id: counts them; 0: nothing does. Was a member that must be zero before Linux 7.3.
 *
 * ENOENT: no such command stream, or a region that the stream uses has no buffer; EINVAL: @sram_size above
 * the device's or too small, region 2 both buffer and SRAM, a buffer for a region that the stream does not
 * use, a buffer where a command stream should be or the reverse; EOVERFLOW: the stream uses more of a
 * region than its buffer has; EALREADY: one buffer for two regions. Linux 7.3 keeps jobs queued that came
 * before the one that was refused; this project's driver takes all or none.
 */
struct drm_ethosu_submit {
	__u64 jobs;
	__u32 job_count;
	__u32 perfmon_id;
};

#define DRM_ETHOSU_MAX_PERF_EVENT_COUNTERS 8
/* The cycle counter comes after the events. */
#define DRM_ETHOSU_MAX_PERF_COUNTERS (DRM_ETHOSU_MAX_PERF_EVENT_COUNTERS + 1)

/**
 * struct drm_ethosu_perfmon_create - DRM_IOCTL_ETHOSU_PERFMON_CREATE: choose events to count
 * @id: out; not 0
 * @ncounters: how many events, up to drm_ethosu_npu_info.pmu_counters; comes back one higher, for cycles
 * @counters: event numbers, ethosu_pmu.h
 *
 * EINVAL: too many, or no such event; ENOMEM.
 */
struct drm_ethosu_perfmon_create {
	__u32 id;
	__u32 ncounters;
	__u16 counters[DRM_ETHOSU_MAX_PERF_EVENT_COUNTERS];
};

/**
 * struct drm_ethosu_perfmon_destroy - DRM_IOCTL_ETHOSU_PERFMON_DESTROY
 * @id: of the perfmon; EINVAL: no such
 * @pad: 0
 */
struct drm_ethosu_perfmon_destroy {
	__u32 id;
	__u32 pad;
};

/**
 * struct drm_ethosu_perfmon_get_values - DRM_IOCTL_ETHOSU_PERFMON_GET_VALUES: sums over all its jobs so far
 * @id: of the perfmon; EINVAL: no such
 * @pad: 0
 * @values_ptr: user pointer to the __u64 that go there: one for each event, then cycles
 *
 * Does not wait for jobs.
 */
struct drm_ethosu_perfmon_get_values {
	__u32 id;
	__u32 pad;
	__u64 values_ptr;
};

/* drm_ethosu_perfmon_set_global.flags: no global perfmon from now on. */
#define DRM_ETHOSU_PERFMON_CLEAR_GLOBAL 0x0001

/**
 * struct drm_ethosu_perfmon_set_global - DRM_IOCTL_ETHOSU_PERFMON_SET_GLOBAL: count the jobs of everybody
 * @flags: 0 or DRM_ETHOSU_PERFMON_CLEAR_GLOBAL
 * @id: of the perfmon, to clear as well
 *
 * Jobs' own perfmons count nothing meanwhile. EINVAL: no such perfmon, or nothing to clear; EBUSY: there is
 * one, or one is counting.
 */
struct drm_ethosu_perfmon_set_global {
	__u32 flags;
	__u32 id;
};

#define DRM_IOCTL_ETHOSU_DEV_QUERY \
	ETHOSU_IOWR(DRM_ETHOSU_DEV_QUERY, drm_ethosu_dev_query)
#define DRM_IOCTL_ETHOSU_BO_CREATE \
	ETHOSU_IOWR(DRM_ETHOSU_BO_CREATE, drm_ethosu_bo_create)
#define DRM_IOCTL_ETHOSU_BO_WAIT \
	ETHOSU_IOWR(DRM_ETHOSU_BO_WAIT, drm_ethosu_bo_wait)
#define DRM_IOCTL_ETHOSU_BO_MMAP_OFFSET \
	ETHOSU_IOWR(DRM_ETHOSU_BO_MMAP_OFFSET, drm_ethosu_bo_mmap_offset)
#define DRM_IOCTL_ETHOSU_CMDSTREAM_BO_CREATE \
	ETHOSU_IOWR(DRM_ETHOSU_CMDSTREAM_BO_CREATE, drm_ethosu_cmdstream_bo_create)
#define DRM_IOCTL_ETHOSU_SUBMIT \
	ETHOSU_IOWR(DRM_ETHOSU_SUBMIT, drm_ethosu_submit)
#define DRM_IOCTL_ETHOSU_PERFMON_CREATE \
	ETHOSU_IOWR(DRM_ETHOSU_PERFMON_CREATE, drm_ethosu_perfmon_create)
#define DRM_IOCTL_ETHOSU_PERFMON_DESTROY \
	ETHOSU_IOWR(DRM_ETHOSU_PERFMON_DESTROY, drm_ethosu_perfmon_destroy)
#define DRM_IOCTL_ETHOSU_PERFMON_GET_VALUES \
	ETHOSU_IOWR(DRM_ETHOSU_PERFMON_GET_VALUES, drm_ethosu_perfmon_get_values)
#define DRM_IOCTL_ETHOSU_PERFMON_SET_GLOBAL \
	ETHOSU_IOWR(DRM_ETHOSU_PERFMON_SET_GLOBAL, drm_ethosu_perfmon_set_global)

#endif /* _ETHOSU_DRM_H_ */

/* ---- part 2: the extension ---- */

/* Numbers of the ioctls, relative to DRM_COMMAND_BASE: 0x60 and up. */
enum drm_ethosux_ioctl_id {
	DRM_ETHOSUX_QUEUE_CREATE = 0x20,
	DRM_ETHOSUX_QUEUE_DESTROY = 0x21,
	DRM_ETHOSUX_QUEUE_SUBMIT = 0x22,
	DRM_ETHOSUX_QUEUE_GET_STATE = 0x23,
	DRM_ETHOSUX_JOB_INFO = 0x24,
	DRM_ETHOSUX_BO_INFO = 0x26,
};

/* More values of drm_ethosu_dev_query.type. */
enum drm_ethosux_dev_query_type {
	DRM_ETHOSUX_DEV_QUERY_CAPS = 0x1000,
};

/* What drm_ethosux_caps.version is now. It goes up with what old programs could not cope with: never. */
#define DRM_ETHOSUX_VERSION 1

/*
 * drm_ethosux_caps.features. All ioctls of part 2 are there whatever the bits say; these are about what
 * they and DRM take: drm_syncobj in and out; part of a buffer for a region; buffers that the CPU caches;
 * PRIME import of contiguous memory; of memory in pieces (there is an IOMMU).
 */
#define DRM_ETHOSUX_FEATURE_SYNCOBJ		(1u << 0)
#define DRM_ETHOSUX_FEATURE_SUBRANGE		(1u << 1)
#define DRM_ETHOSUX_FEATURE_CACHED		(1u << 2)
#define DRM_ETHOSUX_FEATURE_IMPORT		(1u << 3)
#define DRM_ETHOSUX_FEATURE_IMPORT_SCATTERED	(1u << 4)

/**
 * struct drm_ethosux_caps - DRM_ETHOSUX_DEV_QUERY_CAPS
 * @version: DRM_ETHOSUX_VERSION
 * @features: DRM_ETHOSUX_FEATURE_*
 * @cores: NPUs behind the node
 * @max_priority: the highest enum drm_ethosux_priority that the caller may ask for
 * @default_timeout_ms, @max_timeout_ms: how long a job may run unless it or its queue says otherwise, and
 *	the most they may say
 * @max_queues: of an open file, its queue 0 not counted
 * @max_jobs, @max_syncs: of a submission; the latter in and out each
 * @job_history: of how many ended jobs of a queue JOB_INFO knows, not fewer than @max_jobs; those not ended
 *	come on top
 * @max_event: highest event number
 * @reserved: 0
 * @bo_limit: bytes of buffers that an open file may have; 0: no limit but memory
 *
 * At least the first 8 bytes must be asked for.
 */
struct drm_ethosux_caps {
	__u32 version;
	__u32 features;
	__u32 cores;
	__u32 max_priority;
	__u32 default_timeout_ms;
	__u32 max_timeout_ms;
	__u32 max_queues;
	__u32 max_jobs;
	__u32 max_syncs;
	__u32 job_history;
	__u32 max_event;
	__u32 reserved;
	__u64 bo_limit;
};

/* More flags for drm_ethosu_bo_create.flags. Linux has bits from 0 upwards. */
enum drm_ethosux_bo_flags {
	/*
	 * The CPU's mapping is cached; the driver does what that takes before a job that uses the buffer
	 * starts and after it ended. With DRM_ETHOSUX_FEATURE_CACHED.
	 */
	DRM_ETHOSUX_BO_CACHED = 1 << 16,
};

/*
 * Jobs of a higher priority start before those of a lower one; a running job is not interrupted. Queues of
 * one priority share the NPU evenly. Above normal takes CAP_SYS_NICE for realtime; see
 * drm_ethosux_caps.max_priority.
 */
enum drm_ethosux_priority {
	DRM_ETHOSUX_PRIORITY_LOW = 0,
	DRM_ETHOSUX_PRIORITY_NORMAL = 1,
	DRM_ETHOSUX_PRIORITY_HIGH = 2,
	DRM_ETHOSUX_PRIORITY_REALTIME = 3,
};

/**
 * struct drm_ethosux_queue_create - DRM_IOCTL_ETHOSUX_QUEUE_CREATE: a queue, whose jobs run and end in order
 * @flags: 0
 * @priority: enum drm_ethosux_priority
 * @core_mask: cores that its jobs may run on, bit by bit; 0: any
 * @timeout_ms: how long a job may run; 0: drm_ethosux_caps.default_timeout_ms
 * @id: out; not 0, which is the queue that every open file has, that of DRM_IOCTL_ETHOSU_SUBMIT
 * @pad: 0
 * @name: for fdinfo and tracing, ended by a zero byte; empty: none
 *
 * EINVAL: no such priority, no such core, @timeout_ms above the most, @name without an end; EACCES: the
 * caller may not have that priority; ENOSPC: too many queues; ENOMEM.
 */
struct drm_ethosux_queue_create {
	__u32 flags;
	__u32 priority;
	__u32 core_mask;
	__u32 timeout_ms;
	__u32 id;
	__u32 pad;
	char name[16];
};

/*
 * drm_ethosux_queue_destroy.flags: the queue takes no more jobs (ECANCELED), but can still be asked about
 * those it had; destroy it once more without the flag.
 */
#define DRM_ETHOSUX_QUEUE_CANCEL_ONLY (1u << 0)

/**
 * struct drm_ethosux_queue_destroy - DRM_IOCTL_ETHOSUX_QUEUE_DESTROY: cancel the jobs that have not started
 * @id: of the queue; ENOENT: no such, or 0
 * @flags: 0 or DRM_ETHOSUX_QUEUE_CANCEL_ONLY
 *
 * The job that runs is left to end; the others' fences signal after its. Does not wait for that.
 */
struct drm_ethosux_queue_destroy {
	__u32 id;
	__u32 flags;
};

/*
 * drm_ethosux_sync.flags: @point means something, else the drm_syncobj is a binary one; the job, and those
 * after it in the submission, are cancelled if what is waited for carries an error (in_syncs only).
 */
#define DRM_ETHOSUX_SYNC_TIMELINE	(1u << 0)
#define DRM_ETHOSUX_SYNC_NEEDS_SUCCESS	(1u << 1)

/**
 * struct drm_ethosux_sync - a drm_syncobj that a submission waits for or signals
 * @handle: of the drm_syncobj
 * @flags: DRM_ETHOSUX_SYNC_*
 * @point: on its timeline; 0 without DRM_ETHOSUX_SYNC_TIMELINE
 * @job: index of the job in the submission that waits for it before it starts (those after it wait with
 *	it), or that signals it when it ended, however it ended
 * @pad: 0
 */
struct drm_ethosux_sync {
	__u32 handle;
	__u32 flags;
	__u64 point;
	__u32 job;
	__u32 pad;
};

/**
 * struct drm_ethosux_job - one run of a command stream
 * @job: as for DRM_IOCTL_ETHOSU_SUBMIT. Buffers may be given for regions that the stream does not use, and
 *	one for several regions.
 * @flags: 0
 * @timeout_ms: how long it may run; 0: the queue's
 * @user_data: comes back with JOB_INFO
 * @region_offset: where in its buffer each region begins, a multiple of 16 (DRM_ETHOSUX_FEATURE_SUBRANGE)
 * @region_length: bytes of it; 0: to the buffer's end (DRM_ETHOSUX_FEATURE_SUBRANGE)
 */
struct drm_ethosux_job {
	struct drm_ethosu_job job;
	__u32 flags;
	__u32 timeout_ms;
	__u64 user_data;
	__u64 region_offset[ETHOSU_MAX_REGIONS];
	__u64 region_length[ETHOSU_MAX_REGIONS];
};

/*
 * drm_ethosux_queue_submit.flags: neither wait for jobs and devices that used the buffers before, nor let
 * those after wait for these jobs, the kernel's own keeping of memory excepted: the caller knows the order.
 */
#define DRM_ETHOSUX_SUBMIT_NO_IMPLICIT (1u << 0)

/**
 * struct drm_ethosux_queue_submit - DRM_IOCTL_ETHOSUX_QUEUE_SUBMIT: run jobs, all of them or none
 * @queue_id: of the queue; may be 0
 * @flags: DRM_ETHOSUX_SUBMIT_*
 * @jobs: user pointer to an array of struct drm_ethosux_job
 * @job_count: how many, not 0, up to drm_ethosux_caps.max_jobs
 * @job_stride: bytes from one to the next, a multiple of 8: sizeof(struct drm_ethosux_job) as the caller
 *	knows it. What is missing is taken as zero, what is beyond must be zero (E2BIG).
 * @in_syncs, @out_syncs: user pointers to arrays of struct drm_ethosux_sync
 * @in_count, @out_count: how many of each, up to drm_ethosux_caps.max_syncs
 * @sync_stride: as @job_stride; 0 if there are none
 * @perfmon_id: counts the jobs; 0: nothing does. JOB_INFO tells each job's part.
 * @seqno: out: of the first job, the others follow one by one. A queue begins with 1.
 * @reserved: 0
 *
 * Errors as DRM_IOCTL_ETHOSU_SUBMIT, and: ENOENT: no such queue, drm_syncobj or perfmon; EINVAL: a
 * drm_syncobj to wait for has no fence yet (at that point), strides, counts, offsets or timeouts out of
 * range; ECANCELED: the queue is banned; ENOMEM.
 */
struct drm_ethosux_queue_submit {
	__u32 queue_id;
	__u32 flags;
	__u64 jobs;
	__u32 job_count;
	__u32 job_stride;
	__u64 in_syncs;
	__u64 out_syncs;
	__u32 in_count;
	__u32 out_count;
	__u32 sync_stride;
	__u32 perfmon_id;
	__u64 seqno;
	__u64 reserved;
};

/*
 * drm_ethosux_queue_get_state.state: what happened to jobs of the queue so far: one ran too long, one made
 * the NPU stop on an error, one was lost to another's reset. A banned queue takes no more jobs.
 */
#define DRM_ETHOSUX_QUEUE_BANNED	(1u << 0)
#define DRM_ETHOSUX_QUEUE_TIMED_OUT	(1u << 1)
#define DRM_ETHOSUX_QUEUE_FAULTED	(1u << 2)
#define DRM_ETHOSUX_QUEUE_INNOCENT	(1u << 3)

/**
 * struct drm_ethosux_queue_get_state - DRM_IOCTL_ETHOSUX_QUEUE_GET_STATE
 * @id: of the queue; may be 0; ENOENT: no such
 * @flags: 0
 * @state: out: DRM_ETHOSUX_QUEUE_*
 * @pad: 0
 * @submitted: out: seqno of the last job that was taken; 0: none
 * @ended: out: every job up to this seqno has ended
 * @failed: out: how many of them did not do well
 * @last_failed: out: seqno of the last of those; 0: none
 * @busy_ns: out: how long the NPU ran jobs of the queue
 */
struct drm_ethosux_queue_get_state {
	__u32 id;
	__u32 flags;
	__u32 state;
	__u32 pad;
	__u64 submitted;
	__u64 ended;
	__u64 failed;
	__u64 last_failed;
	__u64 busy_ns;
};

/* What became of a job. INNOCENT: another's fault or timeout reset the NPU under it; it can be run again. */
enum drm_ethosux_job_state {
	DRM_ETHOSUX_JOB_QUEUED = 0,
	DRM_ETHOSUX_JOB_RUNNING = 1,
	DRM_ETHOSUX_JOB_DONE = 2,
	DRM_ETHOSUX_JOB_FAULTED = 3,
	DRM_ETHOSUX_JOB_TIMED_OUT = 4,
	DRM_ETHOSUX_JOB_CANCELLED = 5,
	DRM_ETHOSUX_JOB_INNOCENT = 6,
};

/**
 * struct drm_ethosux_job_info - DRM_IOCTL_ETHOSUX_JOB_INFO: what became of a job
 * @queue_id: of the queue; may be 0
 * @flags: 0
 * @seqno: of the job
 * @state: out: enum drm_ethosux_job_state
 * @error: out: 0, or the negative errno that its fence carries: -EIO (faulted), -ETIME (timed out),
 *	-ECANCELED (cancelled, innocent), -ENODEV
 * @status: out: the STATUS register when it ended; 0: it never ran
 * @offset: out: how far in the caller's command stream the NPU was when it ended, in bytes
 * @core: out: which NPU it ran on
 * @event_count: out: how many of @events mean something: those of the submission's perfmon
 * @queued_ns, @started_ns, @ended_ns: out: when; 0: not yet, or never
 * @cycles: out: that the NPU ran; 0: not counted
 * @events: out: counts, in the perfmon's order
 * @user_data: out: the job's
 *
 * Does not wait. Final once a fence of the job has signalled. ENOENT: no such queue, a seqno not given out,
 * or of a job that ended so long ago that it is forgotten (drm_ethosux_caps.job_history).
 */
struct drm_ethosux_job_info {
	__u32 queue_id;
	__u32 flags;
	__u64 seqno;
	__u32 state;
	__s32 error;
	__u32 status;
	__u32 offset;
	__u32 core;
	__u32 event_count;
	__u64 queued_ns;
	__u64 started_ns;
	__u64 ended_ns;
	__u64 cycles;
	__u64 events[DRM_ETHOSU_MAX_PERF_EVENT_COUNTERS];
	__u64 user_data;
};

/* drm_ethosux_bo_info.flags, beside enum drm_ethosu_bo_flags and drm_ethosux_bo_flags. */
#define DRM_ETHOSUX_BO_INFO_CMDSTREAM	(1u << 24)
#define DRM_ETHOSUX_BO_INFO_IMPORTED	(1u << 25)

/**
 * struct drm_ethosux_bo_info - DRM_IOCTL_ETHOSUX_BO_INFO: what a handle stands for
 * @handle: of a buffer or command stream; ENOENT: no such
 * @flags: out; 0 when asked
 * @size: out: bytes
 * @regions_read, @regions_written: out: a command stream's regions, bit by bit
 * @region_size: out: bytes that the stream uses of each
 */
struct drm_ethosux_bo_info {
	__u32 handle;
	__u32 flags;
	__u64 size;
	__u32 regions_read;
	__u32 regions_written;
	__u64 region_size[ETHOSU_MAX_REGIONS];
};

#define DRM_IOCTL_ETHOSUX_QUEUE_CREATE \
	ETHOSU_IOWR(DRM_ETHOSUX_QUEUE_CREATE, drm_ethosux_queue_create)
#define DRM_IOCTL_ETHOSUX_QUEUE_DESTROY \
	ETHOSU_IOWR(DRM_ETHOSUX_QUEUE_DESTROY, drm_ethosux_queue_destroy)
#define DRM_IOCTL_ETHOSUX_QUEUE_SUBMIT \
	ETHOSU_IOWR(DRM_ETHOSUX_QUEUE_SUBMIT, drm_ethosux_queue_submit)
#define DRM_IOCTL_ETHOSUX_QUEUE_GET_STATE \
	ETHOSU_IOWR(DRM_ETHOSUX_QUEUE_GET_STATE, drm_ethosux_queue_get_state)
#define DRM_IOCTL_ETHOSUX_JOB_INFO \
	ETHOSU_IOWR(DRM_ETHOSUX_JOB_INFO, drm_ethosux_job_info)
#define DRM_IOCTL_ETHOSUX_BO_INFO \
	ETHOSU_IOWR(DRM_ETHOSUX_BO_INFO, drm_ethosux_bo_info)

#ifdef __cplusplus
}
#endif

#endif
