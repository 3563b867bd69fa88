/* SPDX-License-Identifier: MIT */
/* Tests in the guest: jobs while things go wrong. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/vm/client.h"
#include "uapi/ethosu_accel.h"

#define MAX_QUEUES	8
#define STATES		(DRM_ETHOSUX_JOB_INNOCENT + 1)

static const char *const state_name[STATES] = {
	[DRM_ETHOSUX_JOB_QUEUED] = "queued", [DRM_ETHOSUX_JOB_RUNNING] = "running",
	[DRM_ETHOSUX_JOB_DONE] = "done", [DRM_ETHOSUX_JOB_FAULTED] = "faulted",
	[DRM_ETHOSUX_JOB_TIMED_OUT] = "timed out", [DRM_ETHOSUX_JOB_CANCELLED] = "cancelled",
	[DRM_ETHOSUX_JOB_INNOCENT] = "innocent",
};

/* The errno that goes with a state; see struct drm_ethosux_job_info. */
static const int state_error[STATES] = {
	[DRM_ETHOSUX_JOB_FAULTED] = -EIO, [DRM_ETHOSUX_JOB_TIMED_OUT] = -ETIME,
	[DRM_ETHOSUX_JOB_CANCELLED] = -ECANCELED, [DRM_ETHOSUX_JOB_INNOCENT] = -ECANCELED,
};

static void wrong(const struct drm_ethosux_job_info *info, const char *what)
{
	fprintf(stderr, "FAIL job %llu of queue %u, %s: %s\n", (unsigned long long)info->seqno,
		info->queue_id, info->state < STATES ? state_name[info->state] : "?", what);
	exit(1);
}

/* Wait for the slot's job and count how it ended. */
static void settle(struct client *c, struct slot *s, unsigned int counts[STATES])
{
	struct drm_ethosux_job_info info = { .queue_id = c->queue, .seqno = s->seqno };
	int ret;

	ret = client_wait(c, s);
	if (!ret)
		ret = node_ioctl(c->fd, DRM_IOCTL_ETHOSUX_JOB_INFO, &info);
	if (ret)
		fail("a job's end", ret);
	s->busy = false;
	if (info.state >= STATES || info.state == DRM_ETHOSUX_JOB_QUEUED ||
	    info.state == DRM_ETHOSUX_JOB_RUNNING)
		wrong(&info, "is said to have ended");
	if (info.error == -ENODEV)
		fail("a job", info.error);
	/* Cancelled may also be for want of a device. */
	if (info.error != state_error[info.state] &&
	    !(info.state == DRM_ETHOSUX_JOB_CANCELLED && info.error == -EIO))
		wrong(&info, "has another error than its state");
	if (info.state == DRM_ETHOSUX_JOB_DONE && !slot_copied(s))
		wrong(&info, "its result is not there");
	counts[info.state]++;
}

/*
 * faults QUEUES JOBS TIMEOUT-MS WANT-TIMED-OUT WANT-FAULTED [CORE-MASK]: jobs on several queues, up to
 * SLOTS of each under way, on all cores or some. So many of them must end badly, and all others well. A line "begun" once each
 * queue has had a job done.
 */
int cmd_faults(const char *node, int argc, char **argv)
{
	static struct client clients[MAX_QUEUES];
	unsigned int counts[STATES] = { 0 };
	unsigned int queues, jobs, i, state;
	int ret;

	queues = argc == 6 || argc == 7 ? (unsigned int)atoi(argv[1]) : 0;
	if (!queues || queues > MAX_QUEUES)
		return 2;
	jobs = (unsigned int)atoi(argv[2]);
	for (i = 0; i < queues; i++)
		client_open_on(&clients[i], node, (uint32_t)atoi(argv[3]),
			       argc == 7 ? (uint32_t)atoi(argv[6]) : 0);
	for (i = 0; i < jobs; i++) {
		struct client *c = &clients[i % queues];
		struct slot *s = &c->slot[i / queues % SLOTS];

		if (s->busy)
			settle(c, s, counts);
		slot_fill(s, i);
		ret = client_submit_queue(c, s);
		if (ret)
			fail("QUEUE_SUBMIT", ret);
		s->busy = true;
		if (i == queues * (SLOTS + 1)) {
			puts("begun");
			fflush(stdout);
		}
	}
	for (i = 0; i < queues * SLOTS; i++)
		if (clients[i % queues].slot[i / queues].busy)
			settle(&clients[i % queues], &clients[i % queues].slot[i / queues], counts);
	for (i = 0; i < queues; i++)
		client_close(&clients[i]);
	for (state = DRM_ETHOSUX_JOB_DONE; state < STATES; state++)
		printf("%s %u%s", state_name[state], counts[state], state + 1 < STATES ? ", " : "\n");
	if (counts[DRM_ETHOSUX_JOB_TIMED_OUT] == (unsigned int)atoi(argv[4]) &&
	    counts[DRM_ETHOSUX_JOB_FAULTED] == (unsigned int)atoi(argv[5]) &&
	    counts[DRM_ETHOSUX_JOB_DONE] + counts[DRM_ETHOSUX_JOB_TIMED_OUT] +
	    counts[DRM_ETHOSUX_JOB_FAULTED] == jobs)
		return 0;
	fprintf(stderr, "FAIL expected: %s timed out, %s faulted, the others done\n", argv[4], argv[5]);
	return 1;
}

/* A job of the plain interface went wrong: say what the extension, if it is there, knows of it. */
static void missing(struct client *c, const struct slot *s)
{
	struct drm_ethosux_job_info info = { .seqno = s->number + 1 };
	uint32_t word;

	memcpy(&word, s->to, sizeof(word));
	if (!node_ioctl(c->fd, DRM_IOCTL_ETHOSUX_JOB_INFO, &info))
		fprintf(stderr, "job %llu: state %u, error %d, STATUS 0x%x, offset 0x%x, ran %llu ns\n",
			(unsigned long long)info.seqno, info.state, info.error, info.status,
			info.offset, (unsigned long long)(info.ended_ns - info.started_ns));
	fprintf(stderr, "number %u, first word 0x%x, not 0x%x; now %s\n", s->number, word,
		s->number * 2654435761u, slot_copied(s) ? "there" : "not there either");
	fail("a result that is not there", -EIO);
}

/* Submit for ever; a byte to @to for each job that was seen done. */
static void run_until_killed(const char *node, int to)
{
	struct client c;
	uint32_t i;
	int ret;

	client_open(&c, node, 0);
	for (i = 0;; i++) {
		struct slot *s = &c.slot[i % SLOTS];

		if (i >= SLOTS) {
			ret = client_wait(&c, s);
			if (ret)
				fail("BO_WAIT", ret);
			if (!slot_copied(s))
				missing(&c, s);
			if (write(to, "", 1) != 1)
				exit(1);
		}
		slot_fill(s, i);
		ret = client_submit(&c, s);
		if (ret)
			fail("SUBMIT", ret);
	}
}

/*
 * storm ROUNDS CLIENTS: clients are killed in the middle of their work, round after round, while one
 * goes on for all of the time and must lose nothing.
 */
int cmd_storm(const char *node, int argc, char **argv)
{
	int rounds, clients, round, i, status, pipes[2];
	pid_t steady, pid[16];
	char bytes[64];

	if (argc != 3)
		return 2;
	rounds = atoi(argv[1]);
	clients = atoi(argv[2]);
	if (clients < 1 || clients > 16 || pipe(pipes))
		return 2;
	steady = fork();
	if (!steady) {
		close(pipes[0]);
		/* Nobody reads how it gets on. */
		run_until_killed(node, fileno(fopen("/dev/null", "we")));
	}
	for (round = 0; round < rounds; round++) {
		for (i = 0; i < clients; i++) {
			pid[i] = fork();
			if (!pid[i])
				run_until_killed(node, pipes[1]);
		}
		/* So many jobs, of whichever, then the end. A few more each round: another moment. */
		for (i = 0; i < clients + round % 7; i++)
			if (read(pipes[0], bytes, 1) != 1)
				return 1;
		for (i = 0; i < clients; i++)
			kill(pid[i], SIGKILL);
		for (i = 0; i < clients; i++) {
			if (waitpid(pid[i], &status, 0) < 0 || !WIFSIGNALED(status)) {
				fprintf(stderr, "FAIL a client ended before it was killed\n");
				return 1;
			}
		}
	}
	/* Still at it: nothing that it did went wrong. */
	if (waitpid(steady, &status, WNOHANG)) {
		fprintf(stderr, "FAIL the client that was left alone\n");
		return 1;
	}
	kill(steady, SIGKILL);
	waitpid(steady, &status, 0);
	printf("%d clients killed\n", rounds * clients);
	return 0;
}
