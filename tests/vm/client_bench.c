/* SPDX-License-Identifier: MIT */
/* Measurements in the guest, by the plain interface, which both drivers have. One line of numbers each. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/vm/client.h"

#define MAX_CLIENTS	64
#define READY_MS	60000	/* that a client has to get ready */

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Jiffies that all processors were not idle, and of all. */
static void cpu_time(uint64_t *busy, uint64_t *all)
{
	unsigned long long v[8] = { 0 };
	FILE *f = fopen("/proc/stat", "re");
	int i;

	if (!f || fscanf(f, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &v[0], &v[1], &v[2], &v[3],
			 &v[4], &v[5], &v[6], &v[7]) != 8)
		fail("/proc/stat", -EIO);
	fclose(f);
	*all = 0;
	for (i = 0; i < 8; i++)
		*all += v[i];
	*busy = *all - v[3] - v[4];
}

/* latency JOBS: submission to the return of BO_WAIT, one job at a time: "p50 p99" in us. */
int cmd_latency(const char *node, int argc, char **argv)
{
	uint32_t jobs = argc == 2 ? (uint32_t)atoi(argv[1]) : 0, i;
	struct client c;
	uint64_t *took, begin;
	int ret;

	if (!jobs)
		return 2;
	took = calloc(jobs, sizeof(*took));
	if (!took)
		return 1;
	client_open(&c, node, 0);
	for (i = 0; i < jobs; i++) {
		slot_fill(&c.slot[0], i);
		begin = now_ns();
		ret = client_submit(&c, &c.slot[0]);
		if (!ret)
			ret = client_wait(&c, &c.slot[0]);
		took[i] = now_ns() - begin;
		if (ret)
			fail("a job", ret);
		if (!slot_copied(&c.slot[0]))
			fail("a result that is not there", -EIO);
	}
	qsort(took, jobs, sizeof(*took), by_size);
	printf("%.1f %.1f\n", (double)took[jobs / 2] / 1000,
	       (double)took[jobs - 1 - jobs / 100] / 1000);
	free(took);
	client_close(&c);
	return 0;
}

/* @stop: time is up. */
struct shared {
	uint32_t stop;
	uint64_t done[MAX_CLIENTS];
};

/* A byte to @ready, then off when @go is closed on the other side. */
static void work(const char *node, struct shared *shared, int me, int ready, int go)
{
	char byte = 0;
	uint64_t done = 0;
	struct client c;
	uint32_t i;
	int ret;

	client_open(&c, node, 0);
	if (write(ready, &byte, 1) != 1 || read(go, &byte, 1))
		exit(1);
	for (i = 0; !__atomic_load_n(&shared->stop, __ATOMIC_RELAXED); i++) {
		struct slot *s = &c.slot[i % SLOTS];

		if (i >= SLOTS) {
			ret = client_wait(&c, s);
			if (ret)
				fail("BO_WAIT", ret);
			done++;
		}
		ret = client_submit(&c, s);
		if (ret)
			fail("SUBMIT", ret);
	}
	shared->done[me] = done;
	exit(0);
}

/*
 * rate CLIENTS MILLISECONDS: processes with SLOTS jobs each under way: "jobs/s CPU-us/job least most",
 * the latter two the jobs of the client that had fewest and of the one that had most.
 */
int cmd_rate(const char *node, int argc, char **argv)
{
	uint64_t begin, took, total = 0, least = UINT64_MAX, most = 0, busy[2], all[2];
	int clients = argc == 3 ? atoi(argv[1]) : 0, i, status, bad = 0, ready[2], go[2];
	struct shared *shared;
	char byte;
	long ms;

	if (clients < 1 || clients > MAX_CLIENTS)
		return 2;
	ms = atol(argv[2]);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	if (pipe(ready) || pipe(go))
		return 1;
	for (i = 0; i < clients; i++) {
		if (fork())
			continue;
		close(go[1]);
		work(node, shared, i, ready[1], go[0]);
	}
	for (i = 0; i < clients; i++)
		if (poll(&(struct pollfd) { .fd = ready[0], .events = POLLIN }, 1, READY_MS) != 1 ||
		    read(ready[0], &byte, 1) != 1)
			return 1;
	cpu_time(&busy[0], &all[0]);
	begin = now_ns();
	close(go[1]);
	/* This is what is measured, not a wait for something. */
	usleep((useconds_t)ms * 1000);
	__atomic_store_n(&shared->stop, 1, __ATOMIC_RELAXED);
	took = now_ns() - begin;
	cpu_time(&busy[1], &all[1]);
	for (i = 0; i < clients; i++)
		bad |= waitpid(-1, &status, 0) < 0 || status;
	for (i = 0; i < clients; i++) {
		total += shared->done[i];
		least = shared->done[i] < least ? shared->done[i] : least;
		most = shared->done[i] > most ? shared->done[i] : most;
	}
	if (bad || !total)
		return 1;
	printf("%.0f %.1f %llu %llu\n", (double)total * 1e9 / (double)took,
	       (double)(busy[1] - busy[0]) * 1e6 / (double)sysconf(_SC_CLK_TCK) / (double)total,
	       (unsigned long long)least, (unsigned long long)most);
	close(go[0]);
	close(ready[0]);
	close(ready[1]);
	munmap(shared, sizeof(*shared));
	return 0;
}
