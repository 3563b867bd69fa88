/* SPDX-License-Identifier: MIT */
/* A crew of host threads that run one function together, again and again, with little delay. */
#ifndef ACCEL_SIM_CL_LANES_H
#define ACCEL_SIM_CL_LANES_H

#include <stdbool.h>
#include <stdint.h>

/* No more lanes than this. */
#define NPU_LANES_MAX 64

struct npu_lanes;

/* @count lanes in all: lane 0 is whoever calls npu_lanes_run(), the others are threads. */
int npu_lanes_start(struct npu_lanes **out, unsigned int count, void (*fn)(void *ctx, unsigned int lane),
		    void *ctx);
/*
 * Call fn(ctx, 0), and fn(ctx, lane) on every other lane that comes in time: one that is still asleep when
 * lane 0 is done is left out. Returns when all calls have. So fn(ctx, 0) must be able to do it all.
 */
void npu_lanes_run(struct npu_lanes *lanes);
/*
 * Give the processor away for a moment. For lane @lane inside of fn, when what it waits for on another lane
 * takes long: the other may well be off its processor, and so be wanting one.
 */
void npu_lanes_pause(struct npu_lanes *lanes, unsigned int lane);
/*
 * Is npu_lanes_run() any good just now? Not after jobs in which lanes paused for one another while that
 * other did not run: other programs want the processors too. Then it is false for a multiple of the time
 * lost. So what such tries cost is a small part of all.
 */
bool npu_lanes_worth(struct npu_lanes *lanes);

/**
 * struct npu_lanes_trial - whether a job that comes again and again is done sooner by the crew than by lane 0
 * @pair: ns of a job together, until the next one, alone, is compared with it
 * @won: such pairs of the latest trial in which together was quicker
 * @start: of the job at hand, 0 if it is not timed
 * @jobs: so far
 * @together: how the job at hand is run
 *
 * All zero to begin with. Small jobs may take longer together, above all where two processors are one core.
 */
struct npu_lanes_trial {
	uint64_t pair;
	unsigned int won;
	uint64_t start;
	unsigned int jobs;
	bool together;
};

/* Around a job. The first says how to run it: by npu_lanes_run(), or false: on lane 0 only. */
bool npu_lanes_trial_begin(struct npu_lanes_trial *trial, struct npu_lanes *lanes);
void npu_lanes_trial_end(struct npu_lanes_trial *trial);
void npu_lanes_stop(struct npu_lanes *lanes);

#endif
