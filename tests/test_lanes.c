/* SPDX-License-Identifier: MIT */
/* The crew of threads of the OpenCL engine: every job once on lane 0, at most once on the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <glob.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "sim/cl_lanes.h"

#define LANES	4
#define JOBS	20000

struct count {
	unsigned int calls[LANES];	/* not atomic: lanes must not share one, nor jobs overlap */
	unsigned int job;
	unsigned int at[LANES];		/* job that the lane was last called for */
	atomic_uint tiles;
};

static void work(void *ctx, unsigned int lane)
{
	struct count *c = ctx;

	c->calls[lane]++;
	c->at[lane] = c->job;
	atomic_fetch_add(&c->tiles, 1);
}

static void each_job_once(void **state)
{
	struct count c = { 0 };
	struct npu_lanes *lanes;

	(void)state;
	assert_int_equal(npu_lanes_start(&lanes, LANES, work, &c), 0);
	for (unsigned int job = 1; job <= JOBS; job++) {
		unsigned int before[LANES];

		for (unsigned int l = 0; l < LANES; l++)
			before[l] = c.calls[l];
		c.job = job;
		npu_lanes_run(lanes);
		assert_int_equal(c.calls[0], job);
		for (unsigned int l = 1; l < LANES; l++) {
			assert_in_range(c.calls[l] - before[l], 0, 1);
			if (c.calls[l] != before[l])
				assert_int_equal(c.at[l], job);
		}
	}
	assert_int_equal(c.calls[0] + c.calls[1] + c.calls[2] + c.calls[3], c.tiles);
	npu_lanes_stop(lanes);
	npu_lanes_stop(NULL);
}

/* Lane 0 does not go on before lane 1 has come. */
static void together(void *ctx, unsigned int lane)
{
	struct timespec limit;
	sem_t *came = ctx;

	if (lane) {
		sem_post(came);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += 60;
	assert_int_equal(sem_timedwait(came, &limit), 0);
}

/* Wait until every thread but this one sleeps: the kernel says so in /proc. */
static void wait_for_sleep(void)
{
	char pattern[] = "/proc/self/task/*/stat", line[256], state;
	unsigned int awake = 2;

	while (awake > 1) {
		glob_t tasks;

		awake = 0;
		assert_int_equal(glob(pattern, 0, NULL, &tasks), 0);
		for (size_t i = 0; i < tasks.gl_pathc; i++) {
			FILE *f = fopen(tasks.gl_pathv[i], "r");

			assert_non_null(f);
			assert_non_null(fgets(line, sizeof(line), f));
			assert_int_equal(sscanf(strrchr(line, ')'), ") %c", &state), 1);
			awake += state != 'S';
			fclose(f);
		}
		globfree(&tasks);
		sched_yield();
	}
}

/* A lane that went to sleep between jobs is woken by the next. */
static void sleepers_wake(void **state)
{
	struct npu_lanes *lanes;
	sem_t came;

	(void)state;
	sem_init(&came, 0, 0);
	assert_int_equal(npu_lanes_start(&lanes, 2, together, &came), 0);
	for (int i = 0; i < 5; i++) {
		wait_for_sleep();
		npu_lanes_run(lanes);
	}
	npu_lanes_stop(lanes);
	sem_destroy(&came);
}

/* Lane 0 pauses until lane 1 is through, which sleeps, as one does that is off its processor. */
struct away {
	struct npu_lanes *lanes;
	atomic_bool came, back;
};

#define AWAY_NS 20000000

static void wait_for_sleeper(void *ctx, unsigned int lane)
{
	static const struct timespec sleep = { .tv_nsec = AWAY_NS };
	struct away *a = ctx;

	if (lane) {
		a->came = true;
		nanosleep(&sleep, NULL);
		a->back = true;
		return;
	}
	while (!a->came)
		sched_yield();
	while (!a->back)
		npu_lanes_pause(a->lanes, 0);
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

/* After that, lanes are left alone for several times as long, but not for ever. */
static void time_lost_is_noted(void **state)
{
	struct away a = { 0 };
	int64_t start, lost;

	(void)state;
	assert_int_equal(npu_lanes_start(&a.lanes, 2, wait_for_sleeper, &a), 0);
	assert_true(npu_lanes_worth(a.lanes));
	start = now_ns();
	npu_lanes_run(a.lanes);
	lost = now_ns();
	while (!npu_lanes_worth(a.lanes))
		sched_yield();
	assert_true(now_ns() - lost > 4 * AWAY_NS);
	assert_true(lost - start >= AWAY_NS);
	npu_lanes_stop(a.lanes);
}

/* Whichever way is quicker is taken after a trial, and which that is may change. */
static void quicker_way_is_taken(void **state)
{
	static const struct timespec slow = { .tv_nsec = 2000000 };
	struct npu_lanes_trial trial = { 0 };
	struct count c = { 0 };
	struct npu_lanes *lanes;
	unsigned int job = 0;

	(void)state;
	assert_int_equal(npu_lanes_start(&lanes, 2, work, &c), 0);
	for (int better = 0; better < 2; better++) {
		unsigned int taken = 0;

		for (; job < 256u * (unsigned int)(better + 1); job++) {
			bool together = npu_lanes_trial_begin(&trial, lanes);

			if (job % 256 < 16)
				assert_int_equal(together, !(job & 1));
			else
				taken += together == better;
			if (together != better)
				nanosleep(&slow, NULL);
			npu_lanes_trial_end(&trial);
		}
		assert_int_equal(taken, 256 - 16);
	}
	npu_lanes_stop(lanes);
}

static void one_lane_is_the_caller(void **state)
{
	struct count c = { 0 };
	struct npu_lanes *lanes;

	(void)state;
	assert_int_equal(npu_lanes_start(&lanes, 1, work, &c), 0);
	assert_false(npu_lanes_worth(lanes));
	npu_lanes_run(lanes);
	assert_int_equal(c.calls[0], 1);
	npu_lanes_stop(lanes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_job_once),
		cmocka_unit_test(sleepers_wake),
		cmocka_unit_test(time_lost_is_noted),
		cmocka_unit_test(quicker_way_is_taken),
		cmocka_unit_test(one_lane_is_the_caller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
