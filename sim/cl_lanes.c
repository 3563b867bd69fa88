/* SPDX-License-Identifier: MIT */
/*
 * Host threads that wait awake for a little while after each job, then sleep; see cl_lanes.h.
 *
 * A lane that is taken off its processor in the middle of a piece of work holds up the others until it gets
 * it back, milliseconds later. Those had better not wait awake: they would keep others, perhaps the very
 * lane, from running.
 */
#include "sim/cl_lanes.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

/* Looks at the job number before going to sleep: some 100 us, the pause between two small jobs. */
#define SPINS 4000
/* Length of a pause: that of a few switches from thread to thread. */
#define PAUSE_NS 50000
/* A job of lanes that get in each other's way is tried for one part in this many of the time. */
#define ALONE 16
/* Jobs of a trial, half of them alone, and jobs from one trial to the next. */
#define TRIAL_JOBS 16
#define TRIAL_EVERY 256

struct npu_lane_thread {
	struct npu_lanes *lanes;
	pthread_t thread;
	unsigned int index;
	bool started;
	clockid_t clock;	/* of the time that it runs */
};

/*
 * The gate of the newest job: its number, whether threads may still join, how many have. A thread that
 * wakes up when the work is done already is not waited for.
 */
#define GATE_JOB(gate)		((unsigned int)((gate) >> 32))
#define GATE_CLOSED		(1ull << 31)
#define GATE_JOINED(gate)	((unsigned int)((gate) & (GATE_CLOSED - 1)))

struct npu_lanes {
	void (*fn)(void *ctx, unsigned int lane);
	void *ctx;
	unsigned int count;
	atomic_ullong gate;
	atomic_uint finished;	/* of the threads that have joined */
	atomic_uint asleep;
	atomic_bool stop;	/* set before a job number is given out; one late for the last job may look already */
	atomic_ullong lost;	/* ns of pauses in this job in which no other lane ran */
	uint64_t alone_until;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct npu_lane_thread threads[];
};

static inline void relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#endif
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts = { 0 };

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

void npu_lanes_pause(struct npu_lanes *lanes, unsigned int lane)
{
	static const struct timespec pause = { .tv_nsec = PAUSE_NS };
	uint64_t since[NPU_LANES_MAX], start, wall, most = 0;

	for (unsigned int i = 0; i < lanes->count; i++)
		since[i] = clock_ns(lanes->threads[i].clock);
	start = clock_ns(CLOCK_MONOTONIC);
	nanosleep(&pause, NULL);
	wall = clock_ns(CLOCK_MONOTONIC) - start;
	for (unsigned int i = 0; i < lanes->count; i++) {
		uint64_t ran = clock_ns(lanes->threads[i].clock) - since[i];

		if (i != lane && ran > most)
			most = ran;
	}
	if (wall > most)
		atomic_fetch_add(&lanes->lost, wall - most);
}

bool npu_lanes_worth(struct npu_lanes *lanes)
{
	if (lanes->count == 1)
		return false;
	if (lanes->alone_until && clock_ns(CLOCK_MONOTONIC) < lanes->alone_until)
		return false;
	lanes->alone_until = 0;
	return true;
}

bool npu_lanes_trial_begin(struct npu_lanes_trial *trial, struct npu_lanes *lanes)
{
	unsigned int job = trial->jobs++ % TRIAL_EVERY;

	if (lanes->count == 1)
		return false;
	if (!job)
		trial->won = 0;
	trial->together = job < TRIAL_JOBS ? !(job & 1) : trial->won > TRIAL_JOBS / 4;
	trial->together = trial->together && npu_lanes_worth(lanes);
	trial->start = job < TRIAL_JOBS ? clock_ns(CLOCK_MONOTONIC) : 0;
	return trial->together;
}

void npu_lanes_trial_end(struct npu_lanes_trial *trial)
{
	uint64_t took;

	if (!trial->start)
		return;
	took = clock_ns(CLOCK_MONOTONIC) - trial->start;
	if (trial->together) {
		trial->pair = took;
		return;
	}
	trial->won += trial->pair && trial->pair < took;
	trial->pair = 0;
}

static unsigned int next_job(struct npu_lanes *lanes, unsigned int seen)
{
	unsigned int job;

	for (int i = 0; i < SPINS; i++) {
		job = GATE_JOB(atomic_load_explicit(&lanes->gate, memory_order_acquire));
		if (job != seen)
			return job;
		relax();
	}
	pthread_mutex_lock(&lanes->lock);
	atomic_fetch_add(&lanes->asleep, 1);
	while ((job = GATE_JOB(atomic_load(&lanes->gate))) == seen)
		pthread_cond_wait(&lanes->wake, &lanes->lock);
	atomic_fetch_sub(&lanes->asleep, 1);
	pthread_mutex_unlock(&lanes->lock);
	return job;
}

/* False: too late, the job has been closed. */
static bool join_job(struct npu_lanes *lanes, unsigned int job)
{
	unsigned long long gate = atomic_load(&lanes->gate);

	while (GATE_JOB(gate) == job && !(gate & GATE_CLOSED))
		if (atomic_compare_exchange_weak(&lanes->gate, &gate, gate + 1))
			return true;
	return false;
}

static void *lane_thread(void *arg)
{
	struct npu_lane_thread *thread = arg;
	struct npu_lanes *lanes = thread->lanes;
	unsigned int seen = 0;

	for (;;) {
		seen = next_job(lanes, seen);
		if (lanes->stop)
			return NULL;
		if (!join_job(lanes, seen))
			continue;
		lanes->fn(lanes->ctx, thread->index);
		atomic_fetch_add_explicit(&lanes->finished, 1, memory_order_release);
	}
}

static void give_out(struct npu_lanes *lanes)
{
	unsigned long long job = GATE_JOB(atomic_load(&lanes->gate)) + 1u;

	atomic_store(&lanes->finished, 0);
	atomic_store(&lanes->gate, job << 32);
	if (!atomic_load(&lanes->asleep))
		return;
	/* The lock closes the gap between a thread's last look and its sleep. */
	pthread_mutex_lock(&lanes->lock);
	pthread_cond_broadcast(&lanes->wake);
	pthread_mutex_unlock(&lanes->lock);
}

int npu_lanes_start(struct npu_lanes **out, unsigned int count, void (*fn)(void *ctx, unsigned int lane),
		    void *ctx)
{
	struct npu_lanes *lanes = calloc(1, sizeof(*lanes) + count * sizeof(lanes->threads[0]));

	if (count > NPU_LANES_MAX) {
		free(lanes);
		return -EINVAL;
	}
	if (!lanes)
		return -ENOMEM;
	lanes->fn = fn;
	lanes->ctx = ctx;
	lanes->count = count;
	pthread_mutex_init(&lanes->lock, NULL);
	pthread_cond_init(&lanes->wake, NULL);
	for (unsigned int i = 1; i < count; i++) {
		struct npu_lane_thread *t = &lanes->threads[i];

		t->lanes = lanes;
		t->index = i;
		t->started = !pthread_create(&t->thread, NULL, lane_thread, t);
		if (!t->started) {
			npu_lanes_stop(lanes);
			return -EAGAIN;
		}
		pthread_getcpuclockid(t->thread, &t->clock);
	}
	*out = lanes;
	return 0;
}

/* Until all that have joined are through. */
static void wait_for_others(struct npu_lanes *lanes)
{
	unsigned int joined = GATE_JOINED(atomic_fetch_or(&lanes->gate, GATE_CLOSED));

	for (int i = 0; atomic_load_explicit(&lanes->finished, memory_order_acquire) < joined; i++) {
		if (i < SPINS)
			relax();
		else
			npu_lanes_pause(lanes, 0);
	}
}

void npu_lanes_run(struct npu_lanes *lanes)
{
	uint64_t lost;

	if (lanes->count == 1) {
		lanes->fn(lanes->ctx, 0);
		return;
	}
	pthread_getcpuclockid(pthread_self(), &lanes->threads[0].clock);
	give_out(lanes);
	lanes->fn(lanes->ctx, 0);
	wait_for_others(lanes);
	lost = atomic_exchange(&lanes->lost, 0);
	if (lost)
		lanes->alone_until = clock_ns(CLOCK_MONOTONIC) + ALONE * lost;
}

void npu_lanes_stop(struct npu_lanes *lanes)
{
	if (!lanes)
		return;
	lanes->stop = true;
	give_out(lanes);
	for (unsigned int i = 1; i < lanes->count; i++)
		if (lanes->threads[i].started)
			pthread_join(lanes->threads[i].thread, NULL);
	pthread_mutex_destroy(&lanes->lock);
	pthread_cond_destroy(&lanes->wake);
	free(lanes);
}
