/* SPDX-License-Identifier: MIT */
/* Kernels and transfers on a line of time. */
#include "runtime/compile/be_timeline.h"

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* End of the transfer @back from the newest. */
static uint64_t copied(const struct be_timeline *t, unsigned int back)
{
	if (back >= BE_RECENT || t->copies <= back)
		return 0;
	return t->copy[(t->copies - 1 - back) % BE_RECENT].end;
}

uint64_t be_timeline_copied(const struct be_timeline *t, uint32_t number)
{
	return number < t->copies ? copied(t, t->copies - 1 - number) : 0;
}

void be_timeline_copy(struct be_timeline *t, const struct cost_target *target, unsigned int src,
		      unsigned int dst, uint64_t bytes)
{
	struct be_copy *c;
	uint64_t start;

	/* A full queue holds up what stands behind. */
	t->issue = most(t->issue, copied(t, target->arch->dma_in_flight - 1u));
	start = most(t->issue, copied(t, 0));
	c = &t->copy[t->copies++ % BE_RECENT];
	*c = (struct be_copy){ .start = start,
			       .end = start + cost_copy_cycles(target, src, dst, bytes) };
	c->bytes[src] += bytes;
	c->bytes[dst] += bytes;
	t->frontier = most(t->frontier, c->end);
}

/* Cycles of @memory that transfers take away between @start and @end. */
static uint64_t contended(const struct be_timeline *t, const struct cost_memory *m,
			  unsigned int memory, uint64_t start, uint64_t end)
{
	double taken = 0;

	/* One ends after the other. */
	if (copied(t, 0) <= start)
		return 0;
	for (unsigned int i = 0; i < BE_RECENT; i++) {
		const struct be_copy *c = &t->copy[i];
		uint64_t from = most(c->start, start), to = c->end < end ? c->end : end;

		if (from < to)
			taken += (double)(to - from) / (double)(c->end - c->start) *
				 (double)c->bytes[memory] / m->bandwidth;
	}
	return (uint64_t)taken;
}

void be_timeline_kernel(struct be_timeline *t, const struct cost_target *target,
			const struct cost_result *cost, uint64_t ready)
{
	uint64_t start, cycles = cost->cycles;

	t->issue = most(t->issue, most(ready, t->kernel[ETHOSU_KERNELS_IN_FLIGHT - 1]));
	start = most(t->issue, t->kernel[0]);
	for (unsigned int m = 0; m < COST_MEMORIES; m++)
		if (cost->memory_cycles[m])
			cycles = most(cycles, cost->memory_cycles[m] +
						      contended(t, &target->memory[m], m, start,
								start + cycles));
	for (unsigned int i = ETHOSU_KERNELS_IN_FLIGHT - 1; i; i--)
		t->kernel[i] = t->kernel[i - 1];
	t->kernel[0] = start + cycles;
	t->frontier = most(t->frontier, t->kernel[0]);
}
