/* SPDX-License-Identifier: MIT */
/* Tests in the guest: several NPUs behind one node do the work of several, each with its own SRAM. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/vm/client.h"
#include "uapi/ethosu_accel.h"

#define MAX_CORES	4u
#define QUEUES		(2 * MAX_CORES)
#define TIMEOUT_MS	60000
#define ROUNDS		3u

/**
 * struct lane - a queue and where its jobs ended
 * @ended_ns: the last of them
 */
struct lane {
	struct client c;
	uint64_t ended_ns;
};

/* Wait for the slot's job, which must be right, after the one before it, and on one of the cores that it may use. */
static void settle(struct lane *lane, struct slot *s, uint32_t core_mask, unsigned int ran[MAX_CORES])
{
	struct drm_ethosux_job_info info = { .queue_id = lane->c.queue, .seqno = s->seqno };
	int ret = client_wait(&lane->c, s);

	if (!ret)
		ret = node_ioctl(lane->c.fd, DRM_IOCTL_ETHOSUX_JOB_INFO, &info);
	if (ret)
		fail("a job's end", ret);
	if (info.state != DRM_ETHOSUX_JOB_DONE || !slot_copied(s))
		fail("a job", -EIO);
	if (info.started_ns < lane->ended_ns)
		fail("a job that began before its queue's last had ended", -EIO);
	if (info.core >= MAX_CORES || !(core_mask >> info.core & 1))
		fail("a job on a core that is not its queue's", -EIO);
	lane->ended_ns = info.ended_ns;
	ran[info.core]++;
	s->busy = false;
}

/* Return: jobs a second. @ran: where. */
static double rate(const char *node, uint32_t core_mask, unsigned int jobs, unsigned int ran[MAX_CORES])
{
	static struct lane lanes[QUEUES];
	uint64_t begin;
	unsigned int i;
	int ret;

	for (i = 0; i < QUEUES; i++) {
		client_open_on(&lanes[i].c, node, TIMEOUT_MS, core_mask);
		lanes[i].ended_ns = 0;
	}
	begin = now_ns();
	for (i = 0; i < jobs + QUEUES * SLOTS; i++) {
		struct lane *lane = &lanes[i % QUEUES];
		struct slot *s = &lane->c.slot[i / QUEUES % SLOTS];

		if (s->busy)
			settle(lane, s, core_mask, ran);
		if (i >= jobs)
			continue;
		slot_fill(s, i);
		ret = client_submit_queue(&lane->c, s);
		if (ret)
			fail("QUEUE_SUBMIT", ret);
		s->busy = true;
	}
	begin = now_ns() - begin;
	for (i = 0; i < QUEUES; i++)
		client_close(&lanes[i].c);
	return (double)jobs * 1e9 / (double)begin;
}

/*
 * scale JOBS: so many jobs of twice as many queues as there may be cores, on one core, on two, and so on. Each core
 * more must bring 8 tenths of what one does, which takes jobs far longer than what the CPUs have to do for them, and
 * all must have a share. The best of some rounds: a machine that stands still for a while says nothing about cores.
 */
int cmd_scale(const char *node, int argc, char **argv)
{
	unsigned int jobs = argc == 2 ? (unsigned int)atoi(argv[1]) : 0, cores, n, i, round;
	double best[MAX_CORES + 1] = { 0 }, now;
	struct client c;
	int status = 0;

	if (!jobs)
		return 2;
	client_open(&c, node, 0);
	cores = client_cores(c.fd);
	client_close(&c);
	for (round = 0; round < ROUNDS; round++) {
		for (n = 1; n <= cores && n <= MAX_CORES; n++) {
			unsigned int ran[MAX_CORES] = { 0 };

			now = rate(node, (1u << n) - 1, jobs, ran);
			best[n] = now > best[n] ? now : best[n];
			for (i = 0; i < n; i++)
				if (ran[i] * n * 2 < jobs)
					status = 1;
		}
	}
	for (n = 1; n <= cores && n <= MAX_CORES; n++) {
		printf("%s%.2f x on %u", n == 1 ? "" : ", ", best[n] / best[1], n);
		if (best[n] < 0.8 * n * best[1])
			status = 1;
	}
	printf(" cores; %.0f jobs/s on one\n", best[1]);
	return status;
}

/* Copy between the client's slot and the SRAM, one way or the other. */
static void through_sram(struct client *c, bool in)
{
	struct slot *s = &c->slot[0];
	struct drm_ethosux_job job = { .job = { .sram_size = COPY_LEN } };
	struct drm_ethosux_queue_submit submit = {
		.queue_id = c->queue, .jobs = (uintptr_t)&job, .job_count = 1, .job_stride = sizeof(job),
	};
	struct drm_ethosux_job_info info = { .queue_id = c->queue };
	int ret;

	ret = client_stream_between(c->fd, in ? 0 : 2, in ? 2 : 1, COPY_LEN, 1, &job.job.cmd_bo);
	job.job.region_bo_handles[in ? 0 : 1] = in ? s->from_bo : s->to_bo;
	if (!ret)
		ret = node_ioctl(c->fd, DRM_IOCTL_ETHOSUX_QUEUE_SUBMIT, &submit);
	if (!ret)
		ret = client_wait(c, s);
	info.seqno = submit.seqno;
	/* What writes the SRAM only, no buffer tells of. */
	while (!ret && info.state <= DRM_ETHOSUX_JOB_RUNNING)
		ret = node_ioctl(c->fd, DRM_IOCTL_ETHOSUX_JOB_INFO, &info);
	if (ret || info.state != DRM_ETHOSUX_JOB_DONE)
		fail("a job with SRAM", ret ? ret : -EIO);
}

/*
 * sram: what a client puts into a core's SRAM is there for itself, not on another core, not for another client. The
 * NPU's power must stay on.
 */
int cmd_sram(const char *node, int argc, char **argv)
{
	static struct client writer[MAX_CORES], reader;
	static const uint8_t zeros[COPY_LEN];
	unsigned int cores, i;

	(void)argv;
	if (argc != 1)
		return 2;
	client_open(&reader, node, 0);
	cores = client_cores(reader.fd);
	client_close(&reader);
	for (i = 0; i < cores && i < MAX_CORES; i++) {
		client_open_on(&writer[i], node, TIMEOUT_MS, 1u << i);
		slot_fill(&writer[i].slot[0], i + 1);
		through_sram(&writer[i], true);
	}
	for (i = 0; i < cores && i < MAX_CORES; i++) {
		through_sram(&writer[i], false);
		if (!slot_copied(&writer[i].slot[0]))
			fail("what a client left in the SRAM", -EIO);
		client_close(&writer[i]);
		client_open_on(&reader, node, TIMEOUT_MS, 1u << i);
		slot_fill(&reader.slot[0], i);
		memset(reader.slot[0].to, 0xff, COPY_LEN);
		through_sram(&reader, false);
		if (memcmp(reader.slot[0].to, zeros, COPY_LEN))
			fail("another client's SRAM", -EACCES);
		client_close(&reader);
	}
	printf("SRAM of %u cores\n", cores);
	return 0;
}
