/* SPDX-License-Identifier: MIT */
/*
 * libaccel: neural processing units from C. Devices, buffers, programs, queues, fences.
 *
 * What holds for every call here:
 *
 * - A function that can fail returns 0 or a negative errno and never touches errno. One that takes
 *   a struct accel_error also says in words what went wrong; pass NULL if the number will do.
 *   An output pointer is written on success only.
 * - Objects are opaque and reference counted. What a create, open, import or submit call gives is
 *   one reference, the caller's; *_ref() takes another and *_unref() gives one back. Objects hold
 *   references to what they need, so they may be given back in any order. *_unref(NULL) is allowed.
 * - Every function may be called from any thread at any time, on the same object too, as long as
 *   the caller holds a reference for the length of the call. Nothing survives fork() in the child.
 * - Structs that callers fill begin with their own size, which is how they can grow: zero the
 *   struct, set .size = sizeof(it), fill what matters. All-zero means the defaults. Struct and
 *   array members are read during the call only.
 * - Sizes and offsets are bytes, times are nanoseconds of CLOCK_MONOTONIC.
 */
#ifndef ACCEL_ACCEL_H
#define ACCEL_ACCEL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ACCEL_API __attribute__((visibility("default")))

struct accel_device;
struct accel_device_list;
struct accel_buffer;
struct accel_program;
struct accel_queue;
struct accel_fence;

#define ACCEL_ERROR_MAX 256

/**
 * struct accel_error - why a call failed, for people
 * @code: the negative errno that the call returned
 * @msg: one line without a newline: what, where and, if known, the remedy
 *
 * Belongs to the caller; written on failure only.
 */
struct accel_error {
	int code;
	char msg[ACCEL_ERROR_MAX];
};

/**
 * accel_version - the library's version, "0.1.0"
 */
ACCEL_API const char *accel_version(void);

/* ---- devices ---- */

/*
 * What a device can do beyond the least that all do. ACCEL_FEATURE_SUBRANGE: bind part of a buffer.
 * ACCEL_FEATURE_DMA_BUF: export and import buffers.
 * ACCEL_FEATURE_JOB_STATUS: a job that faulted is told from one that did not.
 * ACCEL_FEATURE_PRIORITY: queue priorities other than the default. ACCEL_FEATURE_COUNTERS: cycles
 * and events per job. ACCEL_FEATURE_WAIT: submissions that wait for fences.
 * ACCEL_FEATURE_SIMULATED: no NPU is there.
 */
#define ACCEL_FEATURE_SUBRANGE		(1u << 0)
#define ACCEL_FEATURE_DMA_BUF		(1u << 1)
#define ACCEL_FEATURE_JOB_STATUS	(1u << 2)
#define ACCEL_FEATURE_PRIORITY		(1u << 3)
#define ACCEL_FEATURE_COUNTERS		(1u << 4)
#define ACCEL_FEATURE_WAIT		(1u << 5)
#define ACCEL_FEATURE_SIMULATED		(1u << 6)

/**
 * struct accel_device_info - what a device is
 * @size: sizeof(struct accel_device_info)
 * @spec: opens this device again, "sim:ethos-u65-256" or "/dev/accel/accel0"
 * @transport: "sim" or "drm"
 * @name: the NPU, "ethos-u65-256"; empty if it cannot be told without opening the device
 * @family: "ethos-u"; empty as above
 * @description: what executes, in words
 * @arch: member of the family: 55, 65 or 85
 * @macs: multiply-accumulates per cycle
 * @id, @config: the ID and CONFIG registers
 * @features: ACCEL_FEATURE_*
 * @regions: how many memory regions a program can address
 * @sram_region: the region that a job's sram_size is about
 * @sram_size: on-chip memory that a job may ask for
 * @event_counters: events that can be counted at a time
 * @max_event: highest event number
 */
struct accel_device_info {
	size_t size;
	char spec[256];
	char transport[16];
	char name[32];
	char family[16];
	char description[128];
	uint32_t arch;
	uint32_t macs;
	uint32_t id;
	uint32_t config;
	uint32_t features;
	uint32_t regions;
	uint32_t sram_region;
	uint32_t sram_size;
	uint32_t event_counters;
	uint32_t max_event;
};

/**
 * accel_device_list_create - find the devices of this machine
 * @list: the devices, real ones first; free with accel_device_list_free()
 * @err: may be NULL
 *
 * Lists every /dev/accel/accelN and every NPU that can be simulated. Opens none of them.
 *
 * Return: 0, -ENOMEM, or what reading /dev/accel gave (its absence is no error).
 */
ACCEL_API int accel_device_list_create(struct accel_device_list **list, struct accel_error *err);
ACCEL_API void accel_device_list_free(struct accel_device_list *list);
ACCEL_API size_t accel_device_list_count(const struct accel_device_list *list);

/**
 * accel_device_list_get - one device of a list
 * @list: from accel_device_list_create()
 * @index: below accel_device_list_count()
 * @info: @info->size set by the caller; the rest is filled
 *
 * Return: 0, -ERANGE (no such index), -EINVAL (size).
 */
ACCEL_API int accel_device_list_get(const struct accel_device_list *list, size_t index,
				    struct accel_device_info *info);

/**
 * accel_device_open - open a device
 * @spec: which one:
 *	- "sim:NAME[,KEY=VALUE]...", up to 255 characters: a simulated NPU of its own in this
 *	  process, such as "sim:ethos-u65-256"; the "ethos-" may be left out; "sim" alone is an
 *	  ethos-u65-256. Keys: engine=opencl|reference, threads=N for one job, cl=auto|portable|...
 *	  (path of the OpenCL engine), platform=TEXT (part of an OpenCL platform's name), cache=DIR
 *	  for compiled kernels, sram=BYTES (K and M suffixes), strict (no value): jobs fault that real
 *	  hardware would not run right, log=FILE: "read ADDRESS BYTES" and "write ADDRESS BYTES" are
 *	  added to it for every access to memory, by its address in this process
 *	- "/dev/accel/accelN": a device of the kernel's accel subsystem, also by a link such as
 *	  "/dev/accel/by-path/..."
 *	- NULL, "" or "default": $ACCEL_DEVICE if set, else the first /dev/accel/accelN that can be
 *	  opened, else sim:ethos-u65-256
 * @device: one reference
 * @err: may be NULL
 *
 * Return: 0, -EINVAL (a spec that cannot be read), -ENODEV (no such NPU, no OpenCL platform),
 * -ENOENT, -EACCES (the node), -EOPNOTSUPP (a transport this build lacks), -EIO (the engine's
 * kernels do not build), -ENOMEM, -EAGAIN (no thread).
 */
ACCEL_API int accel_device_open(const char *spec, struct accel_device **device,
				struct accel_error *err);
ACCEL_API struct accel_device *accel_device_ref(struct accel_device *device);
ACCEL_API void accel_device_unref(struct accel_device *device);

/**
 * accel_device_get_info - what a device is
 * @device: the device
 * @info: @info->size set by the caller; the rest is filled
 *
 * Return: 0 or -EINVAL (size).
 */
ACCEL_API int accel_device_get_info(struct accel_device *device, struct accel_device_info *info);

/* ---- buffers ---- */

/* accel_buffer_create(): the CPU never looks in; accel_buffer_map() will be refused. */
#define ACCEL_BUFFER_NO_MAP	(1u << 0)
/* accel_buffer_create(): the CPU will read much of it: cached if the device has the choice. */
#define ACCEL_BUFFER_CPU_READ	(1u << 1)

/**
 * accel_buffer_create - memory that the device reaches
 * @device: the device
 * @size: bytes, not 0; rounded up to whole pages
 * @flags: ACCEL_BUFFER_*
 * @buffer: one reference; all zeros
 * @err: may be NULL
 *
 * What was written through a mapping before accel_queue_submit() is what the jobs see, and once
 * their fence is done a mapping shows what they wrote.
 *
 * Return: 0, -EINVAL (size, flag), -ENOMEM, -ENOSPC (the device's address range is full).
 */
ACCEL_API int accel_buffer_create(struct accel_device *device, uint64_t size, uint32_t flags,
				  struct accel_buffer **buffer, struct accel_error *err);

/**
 * accel_buffer_import - let the device reach memory that an fd stands for
 * @device: the device
 * @fd: a dma-buf or, on a simulated device, a memfd that can be or is sealed against shrinking
 *	(the call seals it). Stays the caller's and may be closed afterwards.
 * @flags: ACCEL_BUFFER_*
 * @buffer: one reference; as large as the fd's memory
 * @err: may be NULL
 *
 * Return: 0, -EINVAL (flag, not such an fd, empty), -EBADF, -EACCES (not readable and writable),
 * -EOPNOTSUPP (no ACCEL_FEATURE_DMA_BUF), -ENOMEM, -ENOSPC.
 */
ACCEL_API int accel_buffer_import(struct accel_device *device, int fd, uint32_t flags,
				  struct accel_buffer **buffer, struct accel_error *err);

/**
 * accel_buffer_export - an fd for a buffer's memory
 * @buffer: the buffer
 * @fd: a new close-on-exec fd, the caller's: a dma-buf, or a memfd from a simulated device. Keeps
 *	the memory, not the buffer.
 * @err: may be NULL
 *
 * Return: 0, -EMFILE, -ENFILE, -EOPNOTSUPP (no ACCEL_FEATURE_DMA_BUF).
 */
ACCEL_API int accel_buffer_export(struct accel_buffer *buffer, int *fd, struct accel_error *err);

/**
 * accel_buffer_map - the buffer in this process's memory
 * @buffer: the buffer
 * @ptr: its first byte. Every call gives the same address for as long as the buffer is mapped.
 * @err: may be NULL
 *
 * Mappings are counted: one accel_buffer_unmap() for each success. The address is valid until the
 * last of them or the buffer's last reference goes. Does not wait for jobs that use the buffer. A
 * sealed buffer is mapped for reading only.
 *
 * Return: 0, -EPERM (ACCEL_BUFFER_NO_MAP), -ENOMEM.
 */
ACCEL_API int accel_buffer_map(struct accel_buffer *buffer, void **ptr, struct accel_error *err);

/**
 * accel_buffer_unmap - undo one accel_buffer_map()
 *
 * Return: 0 or -EINVAL (not mapped).
 */
ACCEL_API int accel_buffer_unmap(struct accel_buffer *buffer);

/**
 * accel_buffer_seal - promise that the contents never change again
 * @buffer: the buffer; no job that may write it is pending
 * @err: may be NULL
 *
 * Mappings stay where they are and become read-only, and jobs that write the buffer fault. The
 * device may then keep what it derived from the contents (decoded weights) from job to job. Cannot
 * be undone; sealing twice is no error.
 *
 * Return: 0, -EBUSY (jobs use it, or an exported or imported fd is mapped for writing elsewhere),
 * -ENOMEM, -EOPNOTSUPP.
 */
ACCEL_API int accel_buffer_seal(struct accel_buffer *buffer, struct accel_error *err);

/**
 * accel_buffer_size - bytes, whole pages
 */
ACCEL_API uint64_t accel_buffer_size(const struct accel_buffer *buffer);
ACCEL_API struct accel_buffer *accel_buffer_ref(struct accel_buffer *buffer);
ACCEL_API void accel_buffer_unref(struct accel_buffer *buffer);

/* ---- programs ---- */

/**
 * struct accel_range - part of a region
 * @offset, @length: bytes from the region's address 0
 * @region: index, below accel_device_info.regions
 * @reserved: 0
 */
struct accel_range {
	uint64_t offset;
	uint64_t length;
	uint32_t region;
	uint32_t reserved;
};

/**
 * struct accel_program_options - what comes with a command stream
 * @size: sizeof(struct accel_program_options)
 * @constants: weights and the like, copied; NULL: none
 * @constants_size: bytes of @constants
 * @constants_buffer: instead of @constants: a sealed buffer, shared by programs that have the same
 * @constants_region: the region through which the stream reads them. Jobs do not bind it.
 * @written: what of the memory that jobs bind holds data when one starts, copied; NULL: all of it.
 *	For a simulated device that was opened with "strict": there a job that reads anything else,
 *	which it has not written itself, faults.
 * @written_count: of @written
 */
struct accel_program_options {
	size_t size;
	const void *constants;
	uint64_t constants_size;
	struct accel_buffer *constants_buffer;
	uint32_t constants_region;
	const struct accel_range *written;
	uint32_t written_count;
};

/**
 * accel_program_create - a command stream, ready to run as often as wanted
 * @device: the device that it was compiled for
 * @stream: 32-bit little-endian command words, copied; aligned on 4 bytes
 * @stream_size: bytes; a multiple of 4, not 0, at most 16 MiB
 * @opt: NULL: no constants
 * @program: one reference; immutable
 * @err: may be NULL
 *
 * A kernel driver refuses here a stream that it cannot prove to be safe; a simulated device takes
 * any and faults while running, as the NPU does.
 *
 * Return: 0, -EINVAL (size, region, constants not sealed, stream refused), -EXDEV (constants of
 * another device), -ENOMEM, -ENOSPC.
 */
ACCEL_API int accel_program_create(struct accel_device *device, const uint32_t *stream,
				   size_t stream_size, const struct accel_program_options *opt,
				   struct accel_program **program, struct accel_error *err);
ACCEL_API struct accel_program *accel_program_ref(struct accel_program *program);
ACCEL_API void accel_program_unref(struct accel_program *program);

/* ---- queues ---- */

/*
 * A device with work in several queues takes it from the highest priority first, and queues of one
 * priority in turn. A running job is not interrupted. Kernel drivers may ask for CAP_SYS_NICE above
 * normal.
 */
#define ACCEL_PRIORITY_DEFAULT	0u	/* normal */
#define ACCEL_PRIORITY_LOW	1u
#define ACCEL_PRIORITY_NORMAL	2u
#define ACCEL_PRIORITY_HIGH	3u
#define ACCEL_PRIORITY_REALTIME	4u

/**
 * struct accel_queue_options - how a queue is served
 * @size: sizeof(struct accel_queue_options)
 * @priority: ACCEL_PRIORITY_*
 */
struct accel_queue_options {
	size_t size;
	uint32_t priority;
};

/**
 * accel_queue_create - a queue: jobs that run one after another, in the order of submission
 * @device: the device
 * @opt: NULL for the defaults
 * @queue: one reference. When the last is given back, jobs that have not started are cancelled.
 * @err: may be NULL
 *
 * Return: 0, -EINVAL (priority), -EACCES (priority not allowed), -EOPNOTSUPP (no
 * ACCEL_FEATURE_PRIORITY), -ENOMEM.
 */
ACCEL_API int accel_queue_create(struct accel_device *device, const struct accel_queue_options *opt,
				 struct accel_queue **queue, struct accel_error *err);
ACCEL_API struct accel_queue *accel_queue_ref(struct accel_queue *queue);
ACCEL_API void accel_queue_unref(struct accel_queue *queue);

/**
 * struct accel_binding - memory for one region of a job
 * @buffer: held until the job is done
 * @offset: of the region's address 0 in the buffer; a multiple of 16
 * @length: bytes that the job may reach from there; 0: to the buffer's end
 * @region: index, below accel_device_info.regions; each at most once a job
 * @reserved: 0
 *
 * Other than a whole buffer needs ACCEL_FEATURE_SUBRANGE.
 */
struct accel_binding {
	struct accel_buffer *buffer;
	uint64_t offset;
	uint64_t length;
	uint32_t region;
	uint32_t reserved;
};

/**
 * struct accel_job - one run of a program
 * @size: sizeof(struct accel_job); in an array of jobs the first's is the distance between them
 * @program: held until the job is done
 * @bindings: memory of the regions that the program uses, constants excepted
 * @binding_count: how many
 * @sram_size: bytes of on-chip memory for accel_device_info.sram_region, which must then not be
 *	bound; contents are undefined when the job starts and lost when it ends. 0: none.
 */
struct accel_job {
	size_t size;
	struct accel_program *program;
	const struct accel_binding *bindings;
	uint32_t binding_count;
	uint32_t sram_size;
};

#define ACCEL_MAX_EVENTS 8

/*
 * accel_submit_options.flags. ACCEL_SUBMIT_LAZY: no hurry: the jobs may be left until their fence
 * is waited for, polled or asked for an fd, or until the device is woken for another job. On a
 * simulated device a thread that then waits without timeout runs them itself: the fastest way to
 * run one job after another. ACCEL_SUBMIT_FENCE_PER_JOB: accel_queue_submit() gives as many fences
 * as jobs.
 */
#define ACCEL_SUBMIT_LAZY		(1u << 0)
#define ACCEL_SUBMIT_FENCE_PER_JOB	(1u << 1)

/**
 * struct accel_submit_options - how jobs are run
 * @size: sizeof(struct accel_submit_options)
 * @flags: ACCEL_SUBMIT_*
 * @event_count: how many events to count, up to accel_device_info.event_counters
 * @events: event numbers of the NPU (Ethos-U: PMU events)
 * @wait_count: how many fences in @wait
 * @wait: fences of the same device that must be done before the first job starts. If one of them
 *	faulted or was cancelled, so are the jobs.
 */
struct accel_submit_options {
	size_t size;
	uint32_t flags;
	uint32_t event_count;
	uint16_t events[ACCEL_MAX_EVENTS];
	uint32_t wait_count;
	struct accel_fence *const *wait;
};

/**
 * accel_queue_submit - hand jobs over, all of them or none
 * @queue: the queue
 * @jobs: array, each element @jobs[0].size bytes from the last
 * @count: 1 to 1024
 * @opt: NULL for the defaults
 * @fence: one reference to the fence of all the jobs, or with ACCEL_SUBMIT_FENCE_PER_JOB an array
 *	for @count of them; NULL: not wanted
 * @err: may be NULL
 *
 * Never waits for the device. Jobs of a submission do not depend on each other's success: after one
 * that faulted the next runs.
 *
 * Return: 0, -EINVAL (a job that makes no sense), -ENOSPC (sram_size above the device's), -EXDEV
 * (program, buffer or fence of another device), -EOPNOTSUPP (a feature the device lacks), -ECANCELED
 * (the kernel takes no more jobs into the queue), -ENODEV (the device is gone), -ENOMEM.
 */
ACCEL_API int accel_queue_submit(struct accel_queue *queue, const struct accel_job *jobs,
				 size_t count, const struct accel_submit_options *opt,
				 struct accel_fence **fence, struct accel_error *err);

/* ---- fences ---- */

/**
 * accel_fence_wait - wait until the jobs of a fence are done
 * @fence: the fence
 * @timeout_ns: how long; 0: look, do not wait; negative: for ever
 *
 * Return: 0 (done, all jobs well), -EIO (done, one faulted), -ECANCELED (done, one was cancelled
 * and none faulted), -ETIME (not done yet).
 */
ACCEL_API int accel_fence_wait(struct accel_fence *fence, int64_t timeout_ns);

/**
 * accel_fence_wait_until - wait until the jobs of a fence are done
 * @fence: the fence
 * @deadline_ns: CLOCK_MONOTONIC; in the past: look, do not wait; INT64_MAX: for ever
 *
 * Return: as accel_fence_wait().
 */
ACCEL_API int accel_fence_wait_until(struct accel_fence *fence, int64_t deadline_ns);

/**
 * accel_fence_get_fd - an fd that becomes readable when the fence is done
 * @fence: the fence
 * @fd: a new close-on-exec fd for poll() and the like; do not read it. The caller's.
 * @err: may be NULL
 *
 * Return: 0, -EMFILE, -ENFILE, -ENOMEM.
 */
ACCEL_API int accel_fence_get_fd(struct accel_fence *fence, int *fd, struct accel_error *err);

/* accel_job_result.state */
#define ACCEL_JOB_QUEUED	0u
#define ACCEL_JOB_RUNNING	1u
#define ACCEL_JOB_DONE		2u
#define ACCEL_JOB_FAULTED	3u	/* the NPU stopped on an error */
#define ACCEL_JOB_CANCELLED	4u	/* it never ran */

/**
 * struct accel_job_result - what became of a job
 * @size: sizeof(struct accel_job_result)
 * @state: ACCEL_JOB_*
 * @error: 0, -EIO (faulted) or -ECANCELED
 * @status: the NPU's STATUS register when the job ended
 * @offset: faulted: of the command that did it, in bytes from the start of the stream
 * @cycles: that the NPU ran
 * @queued_ns, @started_ns, @ended_ns: when; 0: not yet, never, or the device does not tell
 * @event_count, @events: counts of the events chosen at submission
 * @cause: faulted: one line that says why; cancelled: why
 *
 * Members after @queued_ns mean something once @state is DONE or FAULTED.
 */
struct accel_job_result {
	size_t size;
	uint32_t state;
	int32_t error;
	uint32_t status;
	uint32_t offset;
	uint64_t cycles;
	uint64_t queued_ns;
	uint64_t started_ns;
	uint64_t ended_ns;
	uint32_t event_count;
	uint32_t reserved;
	uint64_t events[ACCEL_MAX_EVENTS];
	char cause[ACCEL_ERROR_MAX];
};

/**
 * accel_fence_get_result - what became of one job of a fence
 * @fence: the fence
 * @index: of the job in its submission; 0 for a fence of its own
 * @result: @result->size set by the caller; the rest is filled
 *
 * Does not wait and does not start lazy jobs.
 *
 * Return: 0 (also for jobs that are not done: see @result->state), -ERANGE (no such job), -EINVAL
 * (size).
 */
ACCEL_API int accel_fence_get_result(struct accel_fence *fence, size_t index,
				     struct accel_job_result *result);

/**
 * accel_fence_job_count - how many jobs a fence stands for
 */
ACCEL_API size_t accel_fence_job_count(const struct accel_fence *fence);
ACCEL_API struct accel_fence *accel_fence_ref(struct accel_fence *fence);
ACCEL_API void accel_fence_unref(struct accel_fence *fence);

#ifdef __cplusplus
}
#endif

#endif
