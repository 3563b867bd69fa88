/* SPDX-License-Identifier: MIT */
/* Tests in the guest: an NPU's node by its ioctls alone, without libaccel. */
#include "tests/vm/client.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "uapi/ethosu_accel.h"

#define MOST_COPIES	64u

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

int node_ioctl(int fd, unsigned long request, void *arg)
{
	int ret;

	do
		ret = ioctl(fd, request, arg);
	while (ret && errno == EINTR);
	return ret ? -errno : 0;
}

void fail(const char *what, int ret)
{
	fprintf(stderr, "FAIL %s: %s\n", what, strerrordesc_np(-ret));
	exit(ret == -ENODEV ? EXIT_GONE : 1);
}

uint32_t client_buffer(int fd, uint32_t size, uint8_t **map)
{
	struct drm_ethosu_bo_create create = { .size = size };
	struct drm_ethosu_bo_mmap_offset offset = { 0 };
	int ret;

	ret = node_ioctl(fd, DRM_IOCTL_ETHOSU_BO_CREATE, &create);
	if (ret)
		fail("BO_CREATE", ret);
	offset.handle = create.handle;
	ret = node_ioctl(fd, DRM_IOCTL_ETHOSU_BO_MMAP_OFFSET, &offset);
	if (ret)
		fail("BO_MMAP_OFFSET", ret);
	*map = mmap(NULL, create.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)offset.offset);
	if (*map == MAP_FAILED)
		fail("mmap", -errno);
	return create.handle;
}

static void make_queue(struct client *c, uint32_t timeout_ms, uint32_t core_mask)
{
	struct drm_ethosux_queue_create create = {
		.priority = DRM_ETHOSUX_PRIORITY_NORMAL, .timeout_ms = timeout_ms, .name = "test",
		.core_mask = core_mask,
	};
	int ret;

	ret = node_ioctl(c->fd, DRM_IOCTL_ETHOSUX_QUEUE_CREATE, &create);
	if (ret)
		fail("QUEUE_CREATE", ret);
	c->queue = create.id;
}

int client_stream(int fd, uint32_t bytes, uint32_t copies, uint32_t *handle)
{
	return client_stream_between(fd, 0, 1, bytes, copies, handle);
}

/* DMA0 from a region to another, again and again, STOP: the numbers are the ISA's, written out. */
int client_stream_between(int fd, uint32_t from, uint32_t to, uint32_t bytes, uint32_t copies, uint32_t *handle)
{
	uint32_t words[9 + MOST_COPIES] = {
		0x130 | from << 16, 0x131 | to << 16, 0x4030, 0, 0x4031, 0, 0x4032, bytes,
	}, n = 8;
	struct drm_ethosu_cmdstream_bo_create cmd = { .data = (uintptr_t)words };
	int ret;

	for (; copies && n < 8 + MOST_COPIES; copies--)
		words[n++] = 0x010;
	words[n++] = 0xffffu << 16;
	cmd.size = n * 4;
	ret = node_ioctl(fd, DRM_IOCTL_ETHOSU_CMDSTREAM_BO_CREATE, &cmd);
	*handle = cmd.handle;
	return ret;
}

unsigned int client_cores(int fd)
{
	struct drm_ethosux_caps caps = { 0 };
	struct drm_ethosu_dev_query query = {
		.type = DRM_ETHOSUX_DEV_QUERY_CAPS, .size = sizeof(caps), .pointer = (uintptr_t)&caps,
	};
	int ret = node_ioctl(fd, DRM_IOCTL_ETHOSU_DEV_QUERY, &query);

	if (ret)
		fail("DEV_QUERY", ret);
	return caps.cores;
}

void client_open(struct client *c, const char *node, uint32_t timeout_ms)
{
	client_open_on(c, node, timeout_ms, 0);
}

void client_open_on(struct client *c, const char *node, uint32_t timeout_ms, uint32_t core_mask)
{
	unsigned int i;
	int ret;

	memset(c, 0, sizeof(*c));
	c->fd = open(node, O_RDWR | O_CLOEXEC);
	if (c->fd < 0)
		fail(node, -errno);
	ret = client_stream(c->fd, COPY_LEN, 1, &c->cmd_bo);
	if (ret)
		fail("CMDSTREAM_BO_CREATE", ret);
	for (i = 0; i < SLOTS; i++) {
		c->slot[i].from_bo = client_buffer(c->fd, COPY_LEN, &c->slot[i].from);
		c->slot[i].to_bo = client_buffer(c->fd, COPY_LEN, &c->slot[i].to);
	}
	if (timeout_ms)
		make_queue(c, timeout_ms, core_mask);
}

void client_close(struct client *c)
{
	unsigned int i;

	for (i = 0; i < SLOTS; i++) {
		munmap(c->slot[i].from, COPY_LEN);
		munmap(c->slot[i].to, COPY_LEN);
	}
	close(c->fd);
}

void slot_fill(struct slot *s, uint32_t number)
{
	uint32_t i, word;

	s->number = number;
	for (i = 0; i < COPY_LEN / 4; i++) {
		word = number * 2654435761u + i;
		memcpy(s->from + 4 * i, &word, sizeof(word));
	}
	memset(s->to, 0, COPY_LEN);
}

bool slot_copied(const struct slot *s)
{
	uint32_t i, word, want;

	for (i = 0; i < COPY_LEN / 4; i++) {
		memcpy(&word, s->to + 4 * i, sizeof(word));
		want = s->number * 2654435761u + i;
		if (word != want)
			return false;
	}
	return true;
}

int client_submit(struct client *c, struct slot *s)
{
	struct drm_ethosu_job job = {
		.cmd_bo = c->cmd_bo, .region_bo_handles = { s->from_bo, s->to_bo },
	};
	struct drm_ethosu_submit submit = { .jobs = (uintptr_t)&job, .job_count = 1 };

	return node_ioctl(c->fd, DRM_IOCTL_ETHOSU_SUBMIT, &submit);
}

int client_submit_queue(struct client *c, struct slot *s)
{
	struct drm_ethosux_job job = {
		.job = { .cmd_bo = c->cmd_bo, .region_bo_handles = { s->from_bo, s->to_bo } },
	};
	struct drm_ethosux_queue_submit submit = {
		.queue_id = c->queue, .jobs = (uintptr_t)&job, .job_count = 1,
		.job_stride = sizeof(job),
	};
	int ret;

	ret = node_ioctl(c->fd, DRM_IOCTL_ETHOSUX_QUEUE_SUBMIT, &submit);
	s->seqno = submit.seqno;
	return ret;
}

int client_wait(struct client *c, const struct slot *s)
{
	struct drm_ethosu_bo_wait wait = { .handle = s->to_bo, .timeout_ns = INT64_MAX };

	return node_ioctl(c->fd, DRM_IOCTL_ETHOSU_BO_WAIT, &wait);
}

static const struct {
	const char *name;
	int (*run)(const char *node, int argc, char **argv);
	const char *usage;
} commands[] = {
	{ "faults", cmd_faults, "QUEUES JOBS TIMEOUT-MS WANT-TIMED-OUT WANT-FAULTED [CORE-MASK]" },
	{ "storm", cmd_storm, "ROUNDS CLIENTS" },
	{ "prime", cmd_prime, "" },
	{ "alloc", cmd_alloc, "" },
	{ "fuzz", cmd_fuzz, "SECONDS SEED" },
	{ "share", cmd_share, "CLIENTS MILLISECONDS equal|unlike|alike" },
	{ "realtime", cmd_realtime, "CLIENTS JOBS" },
	{ "scale", cmd_scale, "JOBS" },
	{ "sram", cmd_sram, "" },
	{ "latency", cmd_latency, "JOBS" },
	{ "rate", cmd_rate, "CLIENTS MILLISECONDS" },
};

/* What is mapped goes with the device. */
static void on_sigbus(int sig)
{
	(void)sig;
	_exit(EXIT_GONE);
}

int main(int argc, char **argv)
{
	size_t i;

	signal(SIGBUS, on_sigbus);
	for (i = 0; argc > 2 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[2], commands[i].name))
			return commands[i].run(argv[1], argc - 2, argv + 2);
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(stderr, "usage: vmclient NODE %s %s\n", commands[i].name, commands[i].usage);
	return 2;
}
