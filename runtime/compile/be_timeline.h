/* SPDX-License-Identifier: MIT */
/*
 * Time passing while kernels and transfers run beside each other: what cost_stream() does to a
 * finished stream, for one that is still being thought about.
 */
#ifndef ACCEL_RUNTIME_BE_TIMELINE_H
#define ACCEL_RUNTIME_BE_TIMELINE_H

#include "sim/cost.h"

#define BE_RECENT	8	/* transfers that a kernel may meet; a power of two */

struct be_copy {
	uint64_t start, end;
	uint64_t bytes[COST_MEMORIES];
};

/**
 * struct be_timeline - now
 * @issue: when the next command is taken
 * @frontier: when all so far have ended
 * @kernel: ends of the last two kernels, the newest first
 * @copies: how many there were; the last BE_RECENT are in @copy
 */
struct be_timeline {
	uint64_t issue, frontier;
	uint64_t kernel[ETHOSU_KERNELS_IN_FLIGHT];
	uint32_t copies;
	struct be_copy copy[BE_RECENT];
};

/* Start a transfer of @bytes as soon as the queue takes it. */
void be_timeline_copy(struct be_timeline *t, const struct cost_target *target, unsigned int src,
		      unsigned int dst, uint64_t bytes);

/* Run a kernel that must not begin before @ready. */
void be_timeline_kernel(struct be_timeline *t, const struct cost_target *target,
			const struct cost_result *cost, uint64_t ready);

/* End of transfer @number, counted from the first; 0: long ago. */
uint64_t be_timeline_copied(const struct be_timeline *t, uint32_t number);

#endif
