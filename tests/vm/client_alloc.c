/* SPDX-License-Identifier: MIT */
/*
 * Tests in the guest: whatever a client may ask for, asked again and again with the first, the second, ... of its
 * allocations failing, until none is left to fail. Each time it works or says why not, and leaves nothing behind.
 * Needs a kernel with fault injection; what leaks, its kmemleak tells.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/vm/client.h"
#include "tests/vm/drm.h"
#include "uapi/ethosu_accel.h"

/* No request makes as many. */
#define MOST	1000u

/**
 * struct subject - what requests are made of
 * @c: with a queue
 * @node: its path
 * @jobs: that were taken by the queue so far
 * @binary, @timeline: syncobjs
 * @number: what the request made: a handle, id or file
 * @map: what it mapped
 */
struct subject {
	struct client c;
	const char *node;
	uint64_t jobs;
	uint32_t binary, timeline, perfmon;
	uint64_t point;
	int dmabuf;
	uint32_t number;
	void *map;
};

static int do_open(struct subject *s)
{
	s->number = (uint32_t)open(s->node, O_RDWR | O_CLOEXEC);
	return (int)s->number < 0 ? -errno : 0;
}

static void undo_open(struct subject *s)
{
	close((int)s->number);
}

static int do_bo(struct subject *s)
{
	struct drm_ethosu_bo_create create = { .size = 3 * 4096 };
	int ret = node_ioctl(s->c.fd, DRM_IOCTL_ETHOSU_BO_CREATE, &create);

	s->number = create.handle;
	return ret;
}

/* More than the page allocator gives in one piece. */
static int do_big_bo(struct subject *s)
{
	struct drm_ethosu_bo_create create = { .size = 5 << 20 };
	int ret = node_ioctl(s->c.fd, DRM_IOCTL_ETHOSU_BO_CREATE, &create);

	s->number = create.handle;
	return ret;
}

static void undo_handle(struct subject *s)
{
	struct drm_gem_close close = { .handle = s->number };

	node_ioctl(s->c.fd, DRM_IOCTL_GEM_CLOSE, &close);
}

static int do_stream(struct subject *s)
{
	return client_stream(s->c.fd, COPY_LEN, 1, &s->number);
}

static int do_mmap(struct subject *s)
{
	struct drm_ethosu_bo_mmap_offset offset = { .handle = s->c.slot[0].to_bo };
	int ret = node_ioctl(s->c.fd, DRM_IOCTL_ETHOSU_BO_MMAP_OFFSET, &offset);

	if (ret)
		return ret;
	s->map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, s->c.fd, (off_t)offset.offset);
	return s->map == MAP_FAILED ? -errno : 0;
}

static void undo_mmap(struct subject *s)
{
	munmap(s->map, 4096);
}

static int do_bo_wait(struct subject *s)
{
	return client_wait(&s->c, &s->c.slot[0]);
}

static int do_bo_info(struct subject *s)
{
	struct drm_ethosux_bo_info info = { .handle = s->c.cmd_bo };

	return node_ioctl(s->c.fd, DRM_IOCTL_ETHOSUX_BO_INFO, &info);
}

static int do_query(struct subject *s)
{
	struct drm_ethosux_caps caps;
	struct drm_ethosu_dev_query query = {
		.type = DRM_ETHOSUX_DEV_QUERY_CAPS, .size = sizeof(caps), .pointer = (uintptr_t)&caps,
	};

	return node_ioctl(s->c.fd, DRM_IOCTL_ETHOSU_DEV_QUERY, &query);
}

static int do_submit(struct subject *s)
{
	return client_submit(&s->c, &s->c.slot[0]);
}

static void undo_submit(struct subject *s)
{
	client_wait(&s->c, &s->c.slot[0]);
}

/* Two jobs, with everything that goes with them. */
static int do_queue_submit(struct subject *s)
{
	struct slot *slot = &s->c.slot[0];
	struct drm_ethosux_job job[2] = {
		{ .job = { .cmd_bo = s->c.cmd_bo, .region_bo_handles = { slot->from_bo, slot->to_bo } } },
		{ .job = { .cmd_bo = s->c.cmd_bo, .region_bo_handles = { slot->to_bo, slot->from_bo } } },
	};
	struct drm_ethosux_sync in[2] = {
		{ .handle = s->binary },
		{ .handle = s->timeline, .flags = DRM_ETHOSUX_SYNC_TIMELINE, .point = s->point, .job = 1 },
	}, out[2] = {
		{ .handle = s->binary, .job = 1 },
		{ .handle = s->timeline, .flags = DRM_ETHOSUX_SYNC_TIMELINE, .point = s->point + 1 },
	};
	struct drm_ethosux_queue_submit submit = {
		.queue_id = s->c.queue, .jobs = (uintptr_t)job, .job_count = 2, .job_stride = sizeof(job[0]),
		.in_syncs = (uintptr_t)in, .out_syncs = (uintptr_t)out, .in_count = s->point ? 2 : 0,
		.out_count = 2, .sync_stride = sizeof(in[0]), .perfmon_id = s->perfmon,
	};
	struct drm_ethosux_queue_get_state state = { .id = s->c.queue };
	int ret = node_ioctl(s->c.fd, DRM_IOCTL_ETHOSUX_QUEUE_SUBMIT, &submit), again;
	bool taken;

	again = node_ioctl(s->c.fd, DRM_IOCTL_ETHOSUX_QUEUE_GET_STATE, &state);
	/* If it was asking that failed, there is nothing else to go by. */
	taken = again ? !ret : state.submitted != s->jobs;
	if (!again && taken && state.submitted != s->jobs + 2)
		fail("QUEUE_SUBMIT took one job of two", -EIO);
	/* That the seqno did not get back to user space comes too late to take nothing. */
	if (taken ? ret && ret != -EFAULT : !ret)
		fail("QUEUE_SUBMIT did not do what it said", ret);
	if (taken) {
		s->jobs += 2;
		s->point++;
	}
	return ret;
}

static int do_queue_create(struct subject *s)
{
	struct drm_ethosux_queue_create create = { .priority = DRM_ETHOSUX_PRIORITY_LOW, .name = "alloc" };
	int ret = node_ioctl(s->c.fd, DRM_IOCTL_ETHOSUX_QUEUE_CREATE, &create);

	s->number = create.id;
	return ret;
}

static void undo_queue(struct subject *s)
{
	struct drm_ethosux_queue_destroy destroy = { .id = s->number };

	node_ioctl(s->c.fd, DRM_IOCTL_ETHOSUX_QUEUE_DESTROY, &destroy);
}

static int do_queue_destroy(struct subject *s)
{
	struct drm_ethosux_queue_destroy destroy = { .id = s->c.queue };
	int ret = node_ioctl(s->c.fd, DRM_IOCTL_ETHOSUX_QUEUE_DESTROY, &destroy);

	if (!ret)
		s->c.queue = 0;
	return ret;
}

static int do_job_info(struct subject *s)
{
	struct drm_ethosux_job_info info = { .queue_id = s->c.queue, .seqno = s->jobs };

	return node_ioctl(s->c.fd, DRM_IOCTL_ETHOSUX_JOB_INFO, &info);
}

static int do_perfmon(struct subject *s)
{
	struct drm_ethosu_perfmon_create create = { .ncounters = 2, .counters = { 0x11, 0x20 } };
	int ret = node_ioctl(s->c.fd, DRM_IOCTL_ETHOSU_PERFMON_CREATE, &create);

	s->number = create.id;
	return ret;
}

static void undo_perfmon(struct subject *s)
{
	struct drm_ethosu_perfmon_destroy destroy = { .id = s->number };

	node_ioctl(s->c.fd, DRM_IOCTL_ETHOSU_PERFMON_DESTROY, &destroy);
}

static int do_values(struct subject *s)
{
	uint64_t values[DRM_ETHOSU_MAX_PERF_COUNTERS];
	struct drm_ethosu_perfmon_get_values get = { .id = s->perfmon, .values_ptr = (uintptr_t)values };

	return node_ioctl(s->c.fd, DRM_IOCTL_ETHOSU_PERFMON_GET_VALUES, &get);
}

static void undo_global(struct subject *s)
{
	struct drm_ethosu_perfmon_set_global global = { .flags = DRM_ETHOSU_PERFMON_CLEAR_GLOBAL, .id = s->perfmon };

	node_ioctl(s->c.fd, DRM_IOCTL_ETHOSU_PERFMON_SET_GLOBAL, &global);
}

/* An answer that does not get back comes too late not to do it. */
static int do_global(struct subject *s)
{
	struct drm_ethosu_perfmon_set_global global = { .id = s->perfmon };
	int ret = node_ioctl(s->c.fd, DRM_IOCTL_ETHOSU_PERFMON_SET_GLOBAL, &global);

	if (ret == -EFAULT)
		undo_global(s);
	return ret;
}

static int export_slot(struct subject *s, unsigned int slot)
{
	struct drm_prime_handle prime = { .handle = s->c.slot[slot].to_bo, .flags = O_CLOEXEC };
	int ret = node_ioctl(s->c.fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime);

	s->number = (uint32_t)prime.fd;
	return ret;
}

static int do_export(struct subject *s)
{
	return export_slot(s, 3);
}

static int do_import(struct subject *s)
{
	struct drm_prime_handle prime = { .fd = s->dmabuf };
	int ret = node_ioctl(s->c.fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime);

	s->number = prime.handle;
	return ret;
}

static void undo_nothing(struct subject *s)
{
	(void)s;
}

/* In this order: QUEUE_DESTROY takes the queue, JOB_INFO wants a job. */
static const struct {
	const char *name;
	int (*run)(struct subject *s);
	void (*undo)(struct subject *s);
	int other;		/* errno, beside ENOMEM and EFAULT, that a failed allocation may end in */
} requests[] = {
	{ "open", do_open, undo_open, 0 },
	{ "BO_CREATE", do_bo, undo_handle, 0 },
	{ "BO_CREATE, large", do_big_bo, undo_handle, 0 },
	{ "CMDSTREAM_BO_CREATE", do_stream, undo_handle, 0 },
	{ "BO_MMAP_OFFSET, mmap", do_mmap, undo_mmap, 0 },
	{ "BO_WAIT", do_bo_wait, undo_nothing, 0 },
	{ "BO_INFO", do_bo_info, undo_nothing, 0 },
	{ "DEV_QUERY", do_query, undo_nothing, 0 },
	{ "SUBMIT", do_submit, undo_submit, 0 },
	{ "QUEUE_SUBMIT", do_queue_submit, undo_submit, 0 },
	{ "QUEUE_CREATE", do_queue_create, undo_queue, 0 },
	{ "JOB_INFO", do_job_info, undo_nothing, 0 },
	{ "QUEUE_DESTROY", do_queue_destroy, undo_nothing, ENOENT },
	{ "PERFMON_CREATE", do_perfmon, undo_perfmon, 0 },
	{ "PERFMON_GET_VALUES", do_values, undo_nothing, 0 },
	{ "PERFMON_SET_GLOBAL", do_global, undo_global, 0 },
	{ "PRIME_HANDLE_TO_FD", do_export, undo_open, 0 },
	{ "PRIME_FD_TO_HANDLE", do_import, undo_handle, 0 },
};

/* The @nth thing that can fail from now on fails. 0: none. */
static void arm(int file, unsigned int nth)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%u", nth);

	/* Also this copies from user space, which may be what fails; then nothing else will. */
	if (pwrite(file, text, (size_t)n, 0) != n && errno != EFAULT)
		fail("/proc/thread-self/fail-nth", -errno);
}

/* Return: has it failed since? */
static bool sprung(int file)
{
	char text[16] = "";

	if (pread(file, text, sizeof(text) - 1, 0) > 0)
		return !atoi(text);
	/* It was this that failed. */
	if (errno == EFAULT)
		return false;
	fail("/proc/thread-self/fail-nth", -errno);
}

/* A job whose result is looked at. */
static void still_works(struct subject *s)
{
	struct slot *slot = &s->c.slot[2];
	int ret;

	slot_fill(slot, slot->number + 1);
	ret = client_submit(&s->c, slot);
	if (!ret)
		ret = client_wait(&s->c, slot);
	if (ret)
		fail("a job afterwards", ret);
	if (!slot_copied(slot))
		fail("the result of a job afterwards", -EIO);
}

static void make_syncobj(struct subject *s, uint32_t *handle)
{
	struct drm_syncobj_create create = { .flags = DRM_SYNCOBJ_CREATE_SIGNALED };
	int ret = node_ioctl(s->c.fd, DRM_IOCTL_SYNCOBJ_CREATE, &create);

	if (ret)
		fail("SYNCOBJ_CREATE", ret);
	*handle = create.handle;
}

/* alloc: see above. A line for each request: how many of its allocations failed, and how often it did. */
int cmd_alloc(const char *node, int argc, char **argv)
{
	int file = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC), ret;
	struct subject s = { .node = node };
	unsigned int nth, failures;
	size_t i;

	(void)argv;
	if (argc != 1)
		return 2;
	if (file < 0)
		fail("/proc/thread-self/fail-nth", -errno);
	client_open(&s.c, node, 5000);
	make_syncobj(&s, &s.binary);
	make_syncobj(&s, &s.timeline);
	if (do_perfmon(&s))
		fail("PERFMON_CREATE", -EIO);
	s.perfmon = s.number;
	if (export_slot(&s, 1))
		fail("PRIME_HANDLE_TO_FD", -EIO);
	s.dmabuf = (int)s.number;
	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		/* What is only allocated once is there. */
		ret = requests[i].run(&s);
		if (ret)
			fail(requests[i].name, ret);
		requests[i].undo(&s);
		for (nth = 1, failures = 0; nth < MOST; nth++) {
			arm(file, nth);
			ret = requests[i].run(&s);
			if (!sprung(file)) {
				arm(file, 0);
				if (!ret)
					requests[i].undo(&s);
				break;
			}
			if (!ret)
				requests[i].undo(&s);
			else if (ret != -ENOMEM && ret != -EFAULT && ret != -requests[i].other)
				fail(requests[i].name, ret);
			failures += !!ret;
			still_works(&s);
		}
		if (ret && ret != -requests[i].other)
			fail(requests[i].name, ret);
		printf("%-22s %3u allocations and copies, %3u of them needed\n", requests[i].name, nth - 1, failures);
	}
	client_close(&s.c);
	close(s.dmabuf);
	close(file);
	return 0;
}
