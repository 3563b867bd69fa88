/* SPDX-License-Identifier: MIT */
/* Host threads that wait awake for a little while after each job, then sleep; see cl_lanes.h. */
#include "sim/cl_lanes.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

/* Looks at the job number before going to sleep: some 100 us, the pause between two small jobs. */
#define SPINS 4000

struct npu_lane_thread {
	struct npu_lanes *lanes;
	pthread_t thread;
	unsigned int index;
	bool started;
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
	}
	*out = lanes;
	return 0;
}

void npu_lanes_run(struct npu_lanes *lanes)
{
	unsigned int joined;

	if (lanes->count == 1) {
		lanes->fn(lanes->ctx, 0);
		return;
	}
	give_out(lanes);
	lanes->fn(lanes->ctx, 0);
	joined = GATE_JOINED(atomic_fetch_or(&lanes->gate, GATE_CLOSED));
	while (atomic_load_explicit(&lanes->finished, memory_order_acquire) < joined)
		relax();
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
