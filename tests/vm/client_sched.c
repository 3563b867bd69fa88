/* SPDX-License-Identifier: MIT */
/* Tests in the guest: who gets how much of the NPU, and when. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/vm/client.h"
#include "uapi/ethosu_accel.h"

#define MAX_CLIENTS	16
#define BYTES		(32u << 10)	/* that a job copies, so few that it does not matter where they are, ... */
#define COPIES		64u	/* ... so often; */
#define FEW_COPIES	16u	/* one that is four times shorter */
#define DEPTH		64u		/* jobs of a client that are under way: far more than a slice holds */
#define HISTORY		(256u - DEPTH)	/* jobs that JOB_INFO knows while those end */

/**
 * struct feeder - a client that always has something to run, by queue 0
 * @pid: the process that does it; the file is this one's as well
 */
struct feeder {
	int fd;
	pid_t pid;
	uint32_t cmd, in, out[DEPTH];
};

static void open_feeder(struct feeder *f, const char *node, uint32_t copies)
{
	uint8_t *map;
	uint32_t i;
	int ret;

	f->fd = open(node, O_RDWR | O_CLOEXEC);
	if (f->fd < 0)
		fail(node, -errno);
	ret = client_stream(f->fd, BYTES, copies, &f->cmd);
	if (ret)
		fail("CMDSTREAM_BO_CREATE", ret);
	f->in = client_buffer(f->fd, BYTES, &map);
	for (i = 0; i < DEPTH; i++)
		f->out[i] = client_buffer(f->fd, BYTES, &map);
}

/* For ever. A byte to @ready when the first jobs are done. */
static void feed(const struct feeder *f, int ready)
{
	struct drm_ethosu_job job = { .cmd_bo = f->cmd, .region_bo_handles = { f->in } };
	struct drm_ethosu_submit submit = { .jobs = (uintptr_t)&job, .job_count = 1 };
	struct drm_ethosu_bo_wait wait = { .timeout_ns = INT64_MAX };
	uint32_t i;
	int ret = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; !ret; i++) {
		wait.handle = job.region_bo_handles[1] = f->out[i % DEPTH];
		if (i >= DEPTH)
			ret = node_ioctl(f->fd, DRM_IOCTL_ETHOSU_BO_WAIT, &wait);
		if (i == DEPTH && write(ready, "", 1) != 1)
			exit(1);
		if (!ret)
			ret = node_ioctl(f->fd, DRM_IOCTL_ETHOSU_SUBMIT, &submit);
	}
	fail("a job", ret);
}

/* Every second one's jobs have @copies, the others' COPIES. Returns when all are well under way. */
static void start_feeders(struct feeder *f, unsigned int count, const char *node, uint32_t copies)
{
	int ready[2];
	unsigned int i;
	char byte;

	if (pipe(ready))
		fail("pipe", -errno);
	for (i = 0; i < count; i++)
		open_feeder(&f[i], node, i % 2 ? copies : COPIES);
	for (i = 0; i < count; i++) {
		f[i].pid = fork();
		if (!f[i].pid)
			feed(&f[i], ready[1]);
	}
	close(ready[1]);
	for (i = 0; i < count; i++)
		if (read(ready[0], &byte, 1) != 1)
			fail("a client that does nothing", -EIO);
	close(ready[0]);
}

/* They submit no more. Their files are closed by close_feeders(). */
static void stop_feeders(const struct feeder *f, unsigned int count)
{
	unsigned int i;
	int status;

	for (i = 0; i < count; i++)
		kill(f[i].pid, SIGKILL);
	for (i = 0; i < count; i++)
		if (waitpid(f[i].pid, &status, 0) < 0 || !WIFSIGNALED(status))
			fail("a client's end", -EIO);
}

static void close_feeders(const struct feeder *f, unsigned int count)
{
	while (count)
		close(f[--count].fd);
}

static struct drm_ethosux_queue_get_state state_of(int fd, uint32_t queue)
{
	struct drm_ethosux_queue_get_state state = { .id = queue };
	int ret = node_ioctl(fd, DRM_IOCTL_ETHOSUX_QUEUE_GET_STATE, &state);

	if (ret)
		fail("QUEUE_GET_STATE", ret);
	return state;
}

static struct drm_ethosux_job_info info_of(int fd, uint32_t queue, uint64_t seqno)
{
	struct drm_ethosux_job_info info = { .queue_id = queue, .seqno = seqno };
	int ret = node_ioctl(fd, DRM_IOCTL_ETHOSUX_JOB_INFO, &info);

	if (ret)
		fail("JOB_INFO", ret);
	return info;
}

/* Percent that @share is off @mean, or @most if that is more. */
static double further(double share, double mean, double most)
{
	double off = 100 * (share > mean ? share - mean : mean - share) / mean;

	return off > most ? off : most;
}

/* ns that the longest of the last jobs took of a client that submits no more, as many as are remembered. */
static double longest_job(int fd)
{
	uint64_t i, longest = 0, last = state_of(fd, 0).ended;
	struct drm_ethosux_job_info info;

	for (i = 0; i < HISTORY && i < last; i++) {
		info = info_of(fd, 0, last - i);
		if (info.ended_ns - info.started_ns > longest)
			longest = info.ended_ns - info.started_ns;
	}
	return (double)longest;
}

/**
 * struct share - what a client had of the NPU
 * @at_ns: when it was asked
 */
struct share {
	uint64_t at_ns;
	struct drm_ethosux_queue_get_state state;
};

static struct share share_of(const struct feeder *f)
{
	return (struct share) { .at_ns = now_ns(), .state = state_of(f->fd, 0) };
}

/*
 * share CLIENTS MILLISECONDS equal|unlike|alike: clients that always have jobs to run, of one length or of two. Over so
 * long each must have within 5 % of its share of the NPU's time, which is what the driver shares out, or as near as one
 * job comes: none is interrupted. Jobs are counted as well; where a simulated NPU takes unlike time for like jobs that is
 * off by as much. "alike" is for one that does not: the jobs must be as near then.
 */
int cmd_share(const char *node, int argc, char **argv)
{
	unsigned int count = argc == 4 ? (unsigned int)atoi(argv[1]) : 0, i;
	double jobs[MAX_CLIENTS], ns[MAX_CLIENTS], all_jobs = 0, all_ns = 0, most_jobs = 0, most_ns = 0;
	double window = 0, longest = 0, length, most;
	struct share before[MAX_CLIENTS], after[MAX_CLIENTS];
	static struct feeder f[MAX_CLIENTS];

	if (!count || count > MAX_CLIENTS)
		return 2;
	start_feeders(f, count, node, strcmp(argv[3], "unlike") ? COPIES : FEW_COPIES);
	for (i = 0; i < count; i++)
		before[i] = share_of(&f[i]);
	/* The time in which is counted. */
	poll(NULL, 0, atoi(argv[2]));
	for (i = 0; i < count; i++)
		after[i] = share_of(&f[i]);
	stop_feeders(f, count);
	for (i = 0; i < count; i++) {
		length = longest_job(f[i].fd);
		longest = length > longest ? length : longest;
	}
	close_feeders(f, count);
	/* A second of each: on a busy machine it may be a while until the last one is asked. */
	for (i = 0; i < count; i++) {
		length = (double)(after[i].at_ns - before[i].at_ns) / 1e9;
		jobs[i] = (double)(after[i].state.ended - before[i].state.ended) / length;
		ns[i] = (double)(after[i].state.busy_ns - before[i].state.busy_ns) / length;
		all_jobs += jobs[i] / count;
		all_ns += ns[i] / count;
		window += length / count;
	}
	for (i = 0; i < count; i++) {
		printf("client %u: %.0f jobs/s, %.1f ms/s\n", i, jobs[i], ns[i] / 1e6);
		most_jobs = further(jobs[i], all_jobs, most_jobs);
		most_ns = further(ns[i], all_ns, most_ns);
	}
	printf("%u clients with %s jobs: at most %.1f %% off their share of time, %.1f %% off the mean number of jobs; the longest job took %.1f ms\n",
	       count, argv[3], most_ns, most_jobs, longest / 1e6);
	most = strcmp(argv[3], "alike") || most_jobs < most_ns ? most_ns : most_jobs;
	return most > 5 + 100 * longest / window / all_ns;
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Give a client DEPTH jobs to run, the last of which writes the last buffer. */
static void submit_many(const struct feeder *f)
{
	struct drm_ethosu_job jobs[DEPTH];
	struct drm_ethosu_submit submit = { .jobs = (uintptr_t)jobs, .job_count = DEPTH };
	uint32_t i;
	int ret;

	for (i = 0; i < DEPTH; i++)
		jobs[i] = (struct drm_ethosu_job) { .cmd_bo = f->cmd, .region_bo_handles = { f->in, f->out[i] } };
	ret = node_ioctl(f->fd, DRM_IOCTL_ETHOSU_SUBMIT, &submit);
	if (ret)
		fail("SUBMIT", ret);
}

/* Wait for them. Return: how many ran between @from and @to. @length: of the last. */
static int in_the_way(const struct feeder *f, uint64_t from, uint64_t to, uint64_t *length)
{
	struct drm_ethosu_bo_wait wait = { .handle = f->out[DEPTH - 1], .timeout_ns = INT64_MAX };
	int ret = node_ioctl(f->fd, DRM_IOCTL_ETHOSU_BO_WAIT, &wait), found = 0;
	struct drm_ethosux_job_info info;
	uint64_t last;
	uint32_t i;

	if (ret)
		fail("BO_WAIT", ret);
	last = state_of(f->fd, 0).ended;
	for (i = 0; i < DEPTH; i++) {
		info = info_of(f->fd, 0, last - i);
		*length = info.ended_ns - info.started_ns;
		found += info.ended_ns > from && info.started_ns < to;
	}
	return found;
}

/*
 * realtime CLIENTS JOBS: while so many others have plenty to run, jobs of a realtime queue must each find at most one job
 * a core in their way, the one that ran. Prints what they waited, against how long such a job takes.
 */
int cmd_realtime(const char *node, int argc, char **argv)
{
	unsigned int count = argc == 3 ? (unsigned int)atoi(argv[1]) : 0, rounds, i, k, cores;
	struct drm_ethosux_queue_create create = { .priority = DRM_ETHOSUX_PRIORITY_REALTIME, .name = "realtime" };
	int ret, most = 0, found, met = 0;
	static struct feeder f[MAX_CLIENTS];
	struct drm_ethosux_job_info info;
	uint64_t *waited, *length;
	struct client c;

	if (!count || count > MAX_CLIENTS)
		return 2;
	rounds = (unsigned int)atoi(argv[2]);
	waited = calloc(rounds + 1, sizeof(*waited));
	length = calloc(rounds + 1, sizeof(*length));
	if (!waited || !length)
		return 1;
	client_open(&c, node, 0);
	ret = node_ioctl(c.fd, DRM_IOCTL_ETHOSUX_QUEUE_CREATE, &create);
	if (ret)
		fail("QUEUE_CREATE", ret);
	c.queue = create.id;
	cores = client_cores(c.fd);
	for (k = 0; k < count; k++)
		open_feeder(&f[k], node, COPIES);
	for (i = 0; i < rounds; i++) {
		for (k = 0; k < count; k++)
			submit_many(&f[k]);
		slot_fill(&c.slot[0], i);
		ret = client_submit_queue(&c, &c.slot[0]);
		if (!ret)
			ret = client_wait(&c, &c.slot[0]);
		if (ret)
			fail("a realtime job", ret);
		if (!slot_copied(&c.slot[0]))
			fail("the result of a realtime job", -EIO);
		info = info_of(c.fd, c.queue, c.slot[0].seqno);
		waited[i] = info.started_ns - info.queued_ns;
		for (k = 0, found = 0; k < count; k++)
			found += in_the_way(&f[k], info.queued_ns, info.started_ns, &length[i]);
		met += !!found;
		most = found > most ? found : most;
	}
	client_close(&c);
	qsort(waited, rounds, sizeof(*waited), by_size);
	qsort(length, rounds, sizeof(*length), by_size);
	printf("realtime among %u on %u cores: at most %d jobs in the way, %d of %u times any; waited p50 %.0f us, p99 %.0f us; theirs take p50 %.0f us, p99 %.0f us\n",
	       count, cores, most, met, rounds, (double)waited[rounds / 2] / 1e3, (double)waited[rounds - 1 - rounds / 100] / 1e3,
	       (double)length[rounds / 2] / 1e3, (double)length[rounds - 1 - rounds / 100] / 1e3);
	free(waited);
	free(length);
	return most > (int)cores || met < (int)rounds / 2;
}
