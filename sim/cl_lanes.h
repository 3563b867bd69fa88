/* SPDX-License-Identifier: MIT */
/* A crew of host threads that run one function together, again and again, with little delay. */
#ifndef ACCEL_SIM_CL_LANES_H
#define ACCEL_SIM_CL_LANES_H

#include <stdbool.h>

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
void npu_lanes_stop(struct npu_lanes *lanes);

#endif
