/* SPDX-License-Identifier: MIT */
/*
 * The kernel module on a simulated NPU, from the guest's user space: what it promises about queues, fences, time and
 * memory, and that it lives through clients that are killed, unbinding and the machine's sleep. Run by root in
 * a virtual machine that nothing else happens in. Arguments: names of tests; none: all.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/vm/drm.h"
#include "uapi/ethosu_accel.h"
#include "uapi/ethosu_isa.h"

#define NODE		"/dev/accel/accel0"
#define BO_SIZE		(512u << 10)
/* Copies of BO_SIZE: 4 GiB take a simulated NPU far longer than the watchdog's tick. */
#define LONG_OPS	8000
#define MS		1000000ull

static const char *test_name;

static void fail(int line, const char *what)
{
	printf("FAIL %s: line %d: %s (%s)\n", test_name, line, what, strerror(errno));
	exit(1);
}

#define CHECK(condition) do { if (!(condition)) fail(__LINE__, #condition); } while (0)
/* @call must fail with @code. */
#define REFUSED(code, call) do { errno = 0; if ((call) != -1 || errno != (code)) fail(__LINE__, #call " is not " #code); } while (0)

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

struct buffer {
	uint32_t handle;
	uint8_t *map;
};

static int open_node(void)
{
	int fd = open(NODE, O_RDWR | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

static struct buffer new_buffer(int fd, uint64_t size)
{
	struct drm_ethosu_bo_create create = { .size = size };
	struct drm_ethosu_bo_mmap_offset offset = { 0 };
	struct buffer buffer;

	CHECK(!ioctl(fd, DRM_IOCTL_ETHOSU_BO_CREATE, &create));
	offset.handle = buffer.handle = create.handle;
	CHECK(!ioctl(fd, DRM_IOCTL_ETHOSU_BO_MMAP_OFFSET, &offset));
	buffer.map = mmap(NULL, create.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset.offset);
	CHECK(buffer.map != MAP_FAILED);
	return buffer;
}

static uint32_t cmd0(uint32_t opcode, uint32_t param)
{
	return opcode | param << ETHOSU_PARAM_SHIFT;
}

/* A stream that copies @bytes from the start of region @from to that of region @to, @ops times. */
static uint32_t new_stream(int fd, uint32_t from, uint32_t to, uint32_t bytes, int ops)
{
	const uint32_t two_words = 1u << ETHOSU_CONTROL_SHIFT;
	uint32_t words[2 * LONG_OPS + 16], n = 0;
	struct drm_ethosu_cmdstream_bo_create create = { .data = (uintptr_t)words };

	words[n++] = cmd0(ETHOSU_SET_DMA0_SRC_REGION, from);
	words[n++] = cmd0(ETHOSU_SET_DMA0_DST_REGION, to);
	words[n++] = two_words | ETHOSU_SET_DMA0_SRC;
	words[n++] = 0;
	words[n++] = two_words | ETHOSU_SET_DMA0_DST;
	words[n++] = 0;
	words[n++] = two_words | ETHOSU_SET_DMA0_LEN;
	words[n++] = bytes;
	for (; ops; ops--) {
		words[n++] = cmd0(ETHOSU_OP_DMA_START, 0);
		words[n++] = cmd0(ETHOSU_OP_DMA_WAIT, 0);
	}
	words[n++] = cmd0(ETHOSU_OP_STOP, 0xffff);
	create.size = n * sizeof(words[0]);
	CHECK(!ioctl(fd, DRM_IOCTL_ETHOSU_CMDSTREAM_BO_CREATE, &create));
	return create.handle;
}

static int submit_mainline(int fd, const struct drm_ethosu_job *jobs, uint32_t count)
{
	struct drm_ethosu_submit submit = { .jobs = (uintptr_t)jobs, .job_count = count };

	return ioctl(fd, DRM_IOCTL_ETHOSU_SUBMIT, &submit);
}

static int wait_until(int fd, uint32_t handle, int64_t when)
{
	struct drm_ethosu_bo_wait wait = { .handle = handle, .timeout_ns = when };
	int ret;

	do {
		ret = ioctl(fd, DRM_IOCTL_ETHOSU_BO_WAIT, &wait);
	} while (ret && errno == EINTR);
	return ret;
}

/**
 * struct client - an open file with two buffers and streams between them
 * @quick, @slow: streams from region 0 to region 1
 */
struct client {
	int fd;
	struct buffer in, out;
	uint32_t quick, slow;
	struct drm_ethosux_job job;
};

static struct client new_client(void)
{
	struct client c = { .fd = open_node() };

	c.in = new_buffer(c.fd, BO_SIZE);
	c.out = new_buffer(c.fd, BO_SIZE);
	c.quick = new_stream(c.fd, 0, 1, 4096, 1);
	c.slow = new_stream(c.fd, 0, 1, BO_SIZE, LONG_OPS);
	c.job.job.cmd_bo = c.quick;
	c.job.job.region_bo_handles[0] = c.in.handle;
	c.job.job.region_bo_handles[1] = c.out.handle;
	return c;
}

static uint32_t new_queue(int fd, uint32_t priority)
{
	struct drm_ethosux_queue_create create = { .priority = priority, .name = "test" };

	CHECK(!ioctl(fd, DRM_IOCTL_ETHOSUX_QUEUE_CREATE, &create));
	return create.id;
}

static uint32_t new_syncobj(int fd)
{
	struct drm_syncobj_create create = { 0 };

	CHECK(!ioctl(fd, DRM_IOCTL_SYNCOBJ_CREATE, &create));
	return create.handle;
}

/**
 * struct track - how far a queue got: point N of @timeline is signalled by its job N
 * @point: of the last that was submitted
 */
static struct track {
	int fd;
	uint32_t queue, timeline;
	uint64_t point;
} tracks[64];

/* That of a queue which was not used before is new. */
static struct track *track_of(int fd, uint32_t queue)
{
	struct track *t;

	for (t = tracks; t->timeline && (t->fd != fd || t->queue != queue); t++)
		CHECK(t < tracks + 63);
	if (!t->timeline)
		*t = (struct track) { fd, queue, new_syncobj(fd), 0 };
	return t;
}

/* With at most one syncobj in and out. Return: 0 or -1; @seqno receives the first one's. */
static int submit(int fd, uint32_t queue, const struct drm_ethosux_job *jobs, uint32_t count,
		  const struct drm_ethosux_sync *in, const struct drm_ethosux_sync *out, uint64_t *seqno)
{
	struct track *track = track_of(fd, queue);
	struct drm_ethosux_sync outs[2] = {
		{ track->timeline, DRM_ETHOSUX_SYNC_TIMELINE, track->point + count, count - 1, 0 },
		out ? *out : (struct drm_ethosux_sync) { 0 },
	};
	struct drm_ethosux_queue_submit submit = {
		.queue_id = queue, .flags = DRM_ETHOSUX_SUBMIT_NO_IMPLICIT,
		.jobs = (uintptr_t)jobs, .job_count = count, .job_stride = sizeof(*jobs),
		.in_syncs = (uintptr_t)in, .in_count = !!in, .out_syncs = (uintptr_t)outs, .out_count = out ? 2 : 1,
		.sync_stride = sizeof(*in),
	};
	int ret = ioctl(fd, DRM_IOCTL_ETHOSUX_QUEUE_SUBMIT, &submit);

	if (!ret)
		track->point += count;

	if (seqno)
		*seqno = submit.seqno;
	return ret;
}

static struct drm_ethosux_job_info job_info(int fd, uint32_t queue, uint64_t seqno)
{
	struct drm_ethosux_job_info info = { .queue_id = queue, .seqno = seqno };

	CHECK(!ioctl(fd, DRM_IOCTL_ETHOSUX_JOB_INFO, &info));
	return info;
}

static struct drm_ethosux_queue_get_state queue_state(int fd, uint32_t queue)
{
	struct drm_ethosux_queue_get_state state = { .id = queue };

	CHECK(!ioctl(fd, DRM_IOCTL_ETHOSUX_QUEUE_GET_STATE, &state));
	return state;
}

static struct drm_ethosux_job_info wait_for(int fd, uint32_t queue, uint64_t seqno)
{
	struct track *track = track_of(fd, queue);
	struct drm_syncobj_timeline_wait wait = {
		.handles = (uintptr_t)&track->timeline, .points = (uintptr_t)&seqno, .count_handles = 1,
		.timeout_nsec = (int64_t)(now() + 20000 * MS),
	};

	CHECK(!ioctl(fd, DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT, &wait));
	return job_info(fd, queue, seqno);
}

/* ---- tests ---- */

static void test_copy(void)
{
	struct client c = new_client();
	unsigned int i;

	for (i = 0; i < 4096; i++)
		c.in.map[i] = i * 7 + i / 256;
	CHECK(!submit_mainline(c.fd, &c.job.job, 1));
	CHECK(!wait_until(c.fd, c.out.handle, INT64_MAX));
	CHECK(!memcmp(c.in.map, c.out.map, 4096));
	CHECK(!c.out.map[4096]);
}

static void test_refusals(void)
{
	struct client c = new_client();
	struct drm_ethosu_job job = c.job.job, jobs[3] = { job, job, job };
	struct drm_ethosux_queue_create queue = { .priority = 4 };
	struct drm_ethosu_bo_create create = { .size = 0 };
	uint32_t small = new_buffer(c.fd, 4096).handle;
	uint32_t wide = new_stream(c.fd, 0, 1, 4097, 1);
	uint64_t before = queue_state(c.fd, 0).submitted;
	struct drm_ethosux_job ext = c.job;

	REFUSED(EINVAL, ioctl(c.fd, DRM_IOCTL_ETHOSU_BO_CREATE, &create));
	create = (struct drm_ethosu_bo_create) { .size = 4096, .flags = 2 };
	REFUSED(EINVAL, ioctl(c.fd, DRM_IOCTL_ETHOSU_BO_CREATE, &create));
	create = (struct drm_ethosu_bo_create) { .size = UINT64_MAX };
	REFUSED(ENOMEM, ioctl(c.fd, DRM_IOCTL_ETHOSU_BO_CREATE, &create));
	job.cmd_bo = 12345;
	REFUSED(ENOENT, submit_mainline(c.fd, &job, 1));
	job.cmd_bo = c.in.handle;
	REFUSED(EINVAL, submit_mainline(c.fd, &job, 1));
	job = c.job.job;
	job.region_bo_handles[1] = 0;
	REFUSED(ENOENT, submit_mainline(c.fd, &job, 1));
	job.region_bo_handles[1] = c.quick;
	REFUSED(EINVAL, submit_mainline(c.fd, &job, 1));
	job.region_bo_handles[1] = c.in.handle;
	REFUSED(EALREADY, submit_mainline(c.fd, &job, 1));
	job = c.job.job;
	job.region_bo_handles[5] = small;
	REFUSED(EINVAL, submit_mainline(c.fd, &job, 1));
	job = c.job.job;
	job.sram_size = UINT32_MAX;
	REFUSED(EINVAL, submit_mainline(c.fd, &job, 1));
	REFUSED(EFAULT, submit_mainline(c.fd, (void *)8, 1));
	REFUSED(ENOMEM, submit_mainline(c.fd, jobs, UINT32_MAX));
	CHECK(!submit_mainline(c.fd, NULL, 0));
	REFUSED(EINVAL, wait_until(c.fd, 12345, 0));
	/* All or none, whichever way in. */
	jobs[1].cmd_bo = wide;
	jobs[1].region_bo_handles[1] = small;
	REFUSED(EOVERFLOW, submit_mainline(c.fd, jobs, 3));
	ext.timeout_ms = UINT32_MAX;
	REFUSED(EINVAL, submit(c.fd, 0, &ext, 1, NULL, NULL, NULL));
	ext = c.job;
	ext.region_offset[0] = BO_SIZE - 4096 + 16;
	REFUSED(EOVERFLOW, submit(c.fd, 0, &ext, 1, NULL, NULL, NULL));
	ext.region_offset[0] = 8;
	REFUSED(EINVAL, submit(c.fd, 0, &ext, 1, NULL, NULL, NULL));
	REFUSED(ENOENT, submit(c.fd, 77, &c.job, 1, NULL, NULL, NULL));
	CHECK(queue_state(c.fd, 0).submitted == before);
	REFUSED(EINVAL, ioctl(c.fd, DRM_IOCTL_ETHOSUX_QUEUE_CREATE, &queue));
	/* DRM's core would follow a null pointer. */
	REFUSED(EACCES, ioctl(c.fd, DRM_IOCTL_GET_MAGIC, &(struct drm_auth) { 0 }));
}

static void test_priority_needs_capability(void)
{
	struct drm_ethosux_queue_create queue = { .priority = DRM_ETHOSUX_PRIORITY_REALTIME };
	int fd = open_node();

	CHECK(!setuid(65534));
	REFUSED(EACCES, ioctl(fd, DRM_IOCTL_ETHOSUX_QUEUE_CREATE, &queue));
	queue.priority = DRM_ETHOSUX_PRIORITY_HIGH;
	REFUSED(EACCES, ioctl(fd, DRM_IOCTL_ETHOSUX_QUEUE_CREATE, &queue));
	queue.priority = DRM_ETHOSUX_PRIORITY_LOW;
	CHECK(!ioctl(fd, DRM_IOCTL_ETHOSUX_QUEUE_CREATE, &queue));
}

/* An input is busy while a job reads it, and jobs of a queue end in order. */
static void test_fences(void)
{
	struct client c = new_client();
	struct drm_ethosu_job jobs[2] = { c.job.job, c.job.job };

	jobs[0].cmd_bo = c.slow;
	CHECK(!submit_mainline(c.fd, jobs, 2));
	REFUSED(ETIME, wait_until(c.fd, c.in.handle, 0));
	REFUSED(ETIME, wait_until(c.fd, c.out.handle, 0));
	CHECK(!wait_until(c.fd, c.in.handle, INT64_MAX));
	CHECK(queue_state(c.fd, 0).ended == 2);
	CHECK(job_info(c.fd, 0, 1).ended_ns <= job_info(c.fd, 0, 2).started_ns);
}

static void test_syncobj(void)
{
	struct client c = new_client();
	uint32_t a = new_queue(c.fd, 1), b = new_queue(c.fd, 1);
	struct drm_ethosux_sync point = { new_syncobj(c.fd), DRM_ETHOSUX_SYNC_TIMELINE, 1ull << 40, 0, 0 };
	struct drm_ethosux_sync binary = { .handle = new_syncobj(c.fd) };
	struct drm_syncobj_wait wait = {
		.handles = (uintptr_t)&binary.handle, .count_handles = 1, .timeout_nsec = INT64_MAX,
	};
	struct drm_ethosux_job slow = c.job;

	slow.job.cmd_bo = c.slow;
	REFUSED(EINVAL, submit(c.fd, b, &c.job, 1, &point, NULL, NULL));
	CHECK(!submit(c.fd, a, &slow, 1, NULL, &point, NULL));
	CHECK(!submit(c.fd, b, &c.job, 1, &point, &binary, NULL));
	CHECK(job_info(c.fd, b, 1).state == DRM_ETHOSUX_JOB_QUEUED);
	CHECK(!ioctl(c.fd, DRM_IOCTL_SYNCOBJ_WAIT, &wait));
	CHECK(job_info(c.fd, b, 1).state == DRM_ETHOSUX_JOB_DONE);
	CHECK(job_info(c.fd, a, 1).ended_ns <= job_info(c.fd, b, 1).started_ns);
}

/* A job whose time is up; what needs its success does not run, what only waits for it does. */
static void test_timeout(void)
{
	struct client c = new_client();
	uint32_t a = new_queue(c.fd, 1), b = new_queue(c.fd, 1), d = new_queue(c.fd, 1);
	struct drm_ethosux_sync done = { .handle = new_syncobj(c.fd) }, needed = done;
	struct drm_ethosux_job slow = c.job, two[2] = { c.job, c.job };
	struct drm_ethosux_job_info info;

	slow.job.cmd_bo = c.slow;
	slow.timeout_ms = 1;
	slow.user_data = 0x123456789abcdefull;
	needed.flags = DRM_ETHOSUX_SYNC_NEEDS_SUCCESS;
	CHECK(!submit(c.fd, a, &slow, 1, NULL, &done, NULL));
	CHECK(!submit(c.fd, a, &c.job, 1, NULL, NULL, NULL));
	CHECK(!submit(c.fd, b, two, 2, &needed, NULL, NULL));
	CHECK(!submit(c.fd, b, &c.job, 1, NULL, NULL, NULL));
	CHECK(!submit(c.fd, d, &c.job, 1, &done, NULL, NULL));
	info = wait_for(c.fd, a, 1);
	CHECK(info.state == DRM_ETHOSUX_JOB_TIMED_OUT && info.error == -ETIME);
	CHECK(info.user_data == slow.user_data && info.offset < 4 * (2 * LONG_OPS + 9));
	CHECK(queue_state(c.fd, a).state & DRM_ETHOSUX_QUEUE_TIMED_OUT);
	CHECK(wait_for(c.fd, a, 2).state == DRM_ETHOSUX_JOB_DONE);
	CHECK(wait_for(c.fd, b, 1).state == DRM_ETHOSUX_JOB_CANCELLED);
	CHECK(wait_for(c.fd, b, 2).state == DRM_ETHOSUX_JOB_CANCELLED);
	CHECK(wait_for(c.fd, b, 3).state == DRM_ETHOSUX_JOB_DONE);
	CHECK(wait_for(c.fd, d, 1).state == DRM_ETHOSUX_JOB_DONE);
	CHECK(queue_state(c.fd, b).failed == 2 && queue_state(c.fd, b).last_failed == 2);
}

static void test_cancel(void)
{
	struct client c = new_client();
	uint32_t a = new_queue(c.fd, 1);
	struct drm_ethosux_queue_destroy destroy = { .id = a, .flags = DRM_ETHOSUX_QUEUE_CANCEL_ONLY };
	struct drm_ethosux_job jobs[3] = { c.job, c.job, c.job };

	jobs[0].job.cmd_bo = c.slow;
	CHECK(!submit(c.fd, a, jobs, 3, NULL, NULL, NULL));
	CHECK(job_info(c.fd, a, 1).state == DRM_ETHOSUX_JOB_RUNNING);
	CHECK(!ioctl(c.fd, DRM_IOCTL_ETHOSUX_QUEUE_DESTROY, &destroy));
	REFUSED(ECANCELED, submit(c.fd, a, jobs, 1, NULL, NULL, NULL));
	CHECK(wait_for(c.fd, a, 3).state == DRM_ETHOSUX_JOB_CANCELLED);
	CHECK(job_info(c.fd, a, 1).state == DRM_ETHOSUX_JOB_DONE);
	CHECK(job_info(c.fd, a, 2).error == -ECANCELED);
	destroy.flags = 0;
	CHECK(!ioctl(c.fd, DRM_IOCTL_ETHOSUX_QUEUE_DESTROY, &destroy));
	REFUSED(ENOENT, ioctl(c.fd, DRM_IOCTL_ETHOSUX_QUEUE_DESTROY, &destroy));
}

/* However much waits, realtime waits for the one job that runs. */
static void test_realtime(void)
{
	struct client c = new_client(), other = new_client();
	uint32_t rt = new_queue(c.fd, DRM_ETHOSUX_PRIORITY_REALTIME);
	struct drm_ethosux_job slow[6];
	struct drm_ethosux_job_info info, of;
	unsigned int i, waited = 0;

	for (i = 0; i < 6; i++) {
		slow[i] = other.job;
		slow[i].job.cmd_bo = other.slow;
	}
	CHECK(!submit(other.fd, 0, slow, 6, NULL, NULL, NULL));
	CHECK(!submit(c.fd, rt, &c.job, 1, NULL, NULL, NULL));
	info = wait_for(c.fd, rt, 1);
	wait_for(other.fd, 0, 6);
	for (i = 1; i <= 6; i++) {
		of = job_info(other.fd, 0, i);
		waited += of.ended_ns > info.queued_ns && of.started_ns < info.started_ns;
	}
	CHECK(waited <= 1);
	CHECK(job_info(other.fd, 0, 6).started_ns > info.ended_ns);
}

/* What one client leaves in the SRAM another does not find. */
static void test_sram(void)
{
	struct client a = new_client(), b = new_client();
	struct drm_ethosu_job job = { .sram_size = BO_SIZE };
	struct drm_ethosu_npu_info npu;
	struct drm_ethosu_dev_query query = { .size = sizeof(npu), .pointer = (uintptr_t)&npu };
	unsigned int i;

	CHECK(!ioctl(a.fd, DRM_IOCTL_ETHOSU_DEV_QUERY, &query));
	CHECK(npu.sram_size >= BO_SIZE);
	memset(a.in.map, 0x5a, BO_SIZE);
	memset(b.out.map, 0xff, BO_SIZE);
	job.cmd_bo = new_stream(a.fd, 0, 2, BO_SIZE, 1);
	job.region_bo_handles[0] = a.in.handle;
	CHECK(!submit_mainline(a.fd, &job, 1));
	/* It is there for the client itself. */
	job = (struct drm_ethosu_job) { new_stream(a.fd, 2, 1, BO_SIZE, 1), BO_SIZE, { 0, a.out.handle } };
	CHECK(!submit_mainline(a.fd, &job, 1) && !wait_until(a.fd, a.out.handle, INT64_MAX));
	CHECK(!memcmp(a.in.map, a.out.map, BO_SIZE));
	job = (struct drm_ethosu_job) { new_stream(b.fd, 2, 1, BO_SIZE, 1), BO_SIZE, { 0, b.out.handle } };
	CHECK(!submit_mainline(b.fd, &job, 1) && !wait_until(b.fd, b.out.handle, INT64_MAX));
	for (i = 0; i < BO_SIZE; i++)
		CHECK(!b.out.map[i]);
}

static void test_share(void)
{
	struct client a = new_client(), b = new_client();
	struct drm_prime_handle prime = { .handle = a.in.handle, .flags = O_RDWR | O_CLOEXEC };

	memset(a.in.map, 0x77, 4096);
	CHECK(!ioctl(a.fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime));
	CHECK(!ioctl(b.fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime));
	b.job.job.region_bo_handles[0] = prime.handle;
	CHECK(!submit_mainline(b.fd, &b.job.job, 1) && !wait_until(b.fd, b.out.handle, INT64_MAX));
	CHECK(!memcmp(a.in.map, b.out.map, 4096));
	prime.handle = a.quick;
	REFUSED(EPERM, ioctl(a.fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime));
	/* More than the page allocator has in one piece. */
	new_buffer(a.fd, 9u << 20);
}

/* Submit until told otherwise or refused, a byte to @tell for each round that went well. Return: errno of the refusal. */
static int keep_busy(struct client *c, uint64_t end, int tell, unsigned int *rounds)
{
	unsigned int k;

	memset(c->in.map, (int)*rounds + 1, 4096);
	while (now() < end) {
		for (k = 0; k < 8; k++)
			if (submit_mainline(c->fd, &c->job.job, 1))
				return errno;
		if (wait_until(c->fd, c->out.handle, INT64_MAX))
			return errno;
		if (memcmp(c->in.map, c->out.map, 4096))
			return EBADMSG;
		++*rounds;
		/* It may be that nobody listens any more. */
		if (write(tell, "", 1) != 1 && errno != EAGAIN)
			return EPIPE;
	}
	return 0;
}

static void test_killed_clients(void)
{
	uint64_t end = now() + 5000 * MS;
	unsigned int i, round = 0, n;
	int tell[2];
	pid_t pid[4];
	char byte;

	for (; now() < end; round++) {
		CHECK(!pipe(tell));
		for (i = 0; i < 4; i++) {
			pid[i] = fork();
			if (!pid[i]) {
				struct client c = new_client();

				_exit(keep_busy(&c, UINT64_MAX, tell[1], &(unsigned int) { 0 }));
			}
		}
		/* Each time at another moment. */
		for (n = 0; n < 4 + round % 7; n++)
			CHECK(read(tell[0], &byte, 1) == 1);
		for (i = 0; i < 4; i++)
			kill(pid[i], SIGKILL);
		for (n = 0; n < 4; n++)
			wait(NULL);
		close(tell[0]);
		close(tell[1]);
	}
	test_copy();
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/* What is mapped goes with the device. */
static void device_went(int number)
{
	(void)number;
	_exit(0);
}

/*
 * Three clients at work while @disturb happens; all must have got on before, and end with @expected, or, where that is
 * ENODEV, by touching memory that is not there any more.
 */
static void under_load(void (*disturb)(void), int expected)
{
	unsigned int i, bad = 0;
	int status, tell[3][2];
	char byte;

	for (i = 0; i < 3; i++) {
		CHECK(!pipe(tell[i]) && !fcntl(tell[i][1], F_SETFL, O_NONBLOCK));
		if (!fork()) {
			struct client c = new_client();
			unsigned int rounds = 0;
			int got;

			if (expected == ENODEV)
				signal(SIGBUS, device_went);
			got = keep_busy(&c, now() + 6000 * MS, tell[i][1], &rounds);
			if (got == expected && rounds)
				_exit(0);
			printf("  client: %u rounds, then %s\n", rounds, strerror(got));
			_exit(1);
		}
	}
	for (i = 0; i < 3; i++)
		CHECK(read(tell[i][0], &byte, 1) == 1);
	disturb();
	for (i = 0; i < 3; i++) {
		CHECK(wait(&status) > 0);
		if (!WIFEXITED(status) || WEXITSTATUS(status))
			bad++;
	}
	CHECK(!bad);
}

static char bound[64];

static void unbind(void)
{
	glob_t found;

	CHECK(!glob("/sys/bus/platform/drivers/ethosu/ethosu.*", 0, NULL, &found) && found.gl_pathc == 1);
	snprintf(bound, sizeof(bound), "%s", strrchr(found.gl_pathv[0], '/') + 1);
	globfree(&found);
	write_file("/sys/bus/platform/drivers/ethosu/unbind", bound);
	CHECK(access(NODE, F_OK));
}

/* Bound again when the last client is gone: until then its number is taken. */
static void test_unbind(void)
{
	under_load(unbind, ENODEV);
	write_file("/sys/bus/platform/drivers/ethosu/bind", bound);
	test_copy();
}

static void sleep_a_while(void)
{
	write_file("/sys/power/pm_test", "devices");
	write_file("/sys/power/state", "freeze");
}

static void test_suspend(void)
{
	under_load(sleep_a_while, 0);
	test_copy();
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "copy", test_copy },
	{ "refusals", test_refusals },
	{ "priority-needs-capability", test_priority_needs_capability },
	{ "fences", test_fences },
	{ "syncobj", test_syncobj },
	{ "timeout", test_timeout },
	{ "cancel", test_cancel },
	{ "realtime", test_realtime },
	{ "sram", test_sram },
	{ "share", test_share },
	{ "killed-clients", test_killed_clients },
	{ "unbind", test_unbind },
	{ "suspend", test_suspend },
};

#define TESTS (sizeof(tests) / sizeof(tests[0]))

static bool wanted(const char *name, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return argc == 1;
}

int main(int argc, char **argv)
{
	int status, failed = 0;
	size_t i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < TESTS; i++) {
		if (!wanted(tests[i].name, argc, argv))
			continue;
		test_name = tests[i].name;
		if (!fork()) {
			tests[i].run();
			exit(0);
		}
		if (wait(&status) < 0 || !WIFEXITED(status) || WEXITSTATUS(status)) {
			printf("not ok %s\n", test_name);
			failed = 1;
		} else {
			printf("ok %s\n", test_name);
		}
	}
	return failed;
}
