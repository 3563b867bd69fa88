/* SPDX-License-Identifier: MIT */
/*
 * A stream on a line of time.
 *
 * Commands are taken one after the other. A kernel starts when the one before has ended, a transfer
 * likewise; a wait, or a queue that is full, holds up the commands behind it. A kernel that moves
 * bytes of a memory while a transfer does shares it: it lasts at least as long as the memory needs
 * for both.
 */
#include <string.h>

#include "sim/cost_stream.h"

/* Ends of what was issued last; a power of two, more than any queue holds. */
#define RECENT		16

struct queue {
	uint64_t end[RECENT];
	size_t issued;
};

/* A transfer that a kernel may meet. */
struct transfer {
	uint64_t start, end;
	uint64_t bytes[COST_MEMORIES];
};

struct timeline {
	const struct cost_target *target;
	uint64_t issue;		/* when the next command is taken */
	uint64_t frontier;	/* when all so far have ended */
	struct queue kernels, copies;
	struct transfer transfer[RECENT];
};

/* End of the entry @back from the newest, 0 if there was none. */
static uint64_t recent(const struct queue *q, unsigned int back)
{
	if (back >= RECENT || q->issued <= back)
		return 0;
	return q->end[(q->issued - 1 - back) % RECENT];
}

static void wait_until(struct timeline *t, uint64_t when)
{
	if (when > t->issue)
		t->issue = when;
}

/* Take a command: after its waits, once its queue has room, behind the one before. */
static uint64_t begin(struct timeline *t, const struct queue *q, unsigned int depth,
		      const struct npu_op_aux *aux)
{
	uint64_t before;

	if (aux->dma_wait != NPU_NO_WAIT)
		wait_until(t, recent(&t->copies, aux->dma_wait));
	if (aux->kernel_wait != NPU_NO_WAIT)
		wait_until(t, recent(&t->kernels, aux->kernel_wait));
	wait_until(t, recent(q, depth - 1));
	before = recent(q, 0);
	return before > t->issue ? before : t->issue;
}

static void finish(struct timeline *t, struct queue *q, struct cost_step *step)
{
	q->end[q->issued++ % RECENT] = step->end;
	step->advance = step->end > t->frontier ? step->end - t->frontier : 0;
	t->frontier += step->advance;
}

/* Cycles of @memory that transfers take away between @start and @end. */
static uint64_t contended(const struct timeline *t, unsigned int memory, uint64_t start,
			  uint64_t end)
{
	double taken = 0;

	for (unsigned int i = 0; i < RECENT; i++) {
		const struct transfer *x = &t->transfer[i];
		uint64_t from = x->start > start ? x->start : start;
		uint64_t to = x->end < end ? x->end : end;

		if (from < to)
			taken += (double)(to - from) / (double)(x->end - x->start) *
				 (double)x->bytes[memory] / t->target->memory[memory].bandwidth;
	}
	return (uint64_t)taken;
}

static void run_kernel(struct timeline *t, const struct npu_op_aux *aux, struct cost_step *step)
{
	struct cost_result *r = &step->result;
	uint64_t busy;

	step->start = begin(t, &t->kernels, ETHOSU_KERNELS_IN_FLIGHT, aux);
	for (unsigned int m = 0; m < COST_MEMORIES; m++) {
		if (!r->memory_cycles[m])
			continue;
		busy = r->memory_cycles[m] +
		       contended(t, m, step->start, step->start + r->cycles);
		if (busy <= r->cycles)
			continue;
		r->cycles = busy;
		r->bound = (uint8_t)(COST_BOUND_SRAM + m);
	}
	step->end = step->start + r->cycles;
	finish(t, &t->kernels, step);
}

static unsigned int memory_of(const struct cost_target *target, unsigned int space)
{
	return space < NPU_REGIONS ? target->region[space] : COST_MEMORIES;
}

static uint64_t copy_bytes(const struct npu_op *op)
{
	uint64_t bytes;

	if (__builtin_mul_overflow((uint64_t)op->dma_rows * op->dma_planes, op->dma_len, &bytes))
		return UINT64_MAX >> 8;
	/* More than there are addresses: it will fault, and times stay sums that fit. */
	return bytes < 1ull << 48 ? bytes : 1ull << 48;
}

static void run_copy(struct timeline *t, const struct npu_op *op, const struct npu_op_aux *aux,
		     struct cost_step *step)
{
	unsigned int src = memory_of(t->target, op->dma_src_space);
	unsigned int dst = memory_of(t->target, op->dma_dst_space);
	struct transfer *x = &t->transfer[t->copies.issued % RECENT];
	uint64_t bytes = copy_bytes(op);
	struct cost_result *r = &step->result;

	memset(x, 0, sizeof(*x));
	if (src < COST_MEMORIES) {
		r->read[src][COST_FEATURE_MAPS] = bytes;
		x->bytes[src] += bytes;
	}
	if (dst < COST_MEMORIES) {
		r->write[dst] = bytes;
		x->bytes[dst] += bytes;
	}
	if (op->dma_src_indexed || op->dma_dst_indexed)
		r->read[memory_of(t->target, op->dma_idx_space) % COST_MEMORIES]
		       [COST_FEATURE_MAPS] += 4ull * op->dma_rows * op->dma_planes;
	r->cycles = cost_copy_cycles(t->target, src, dst, bytes);
	r->bound = (uint8_t)(COST_BOUND_SRAM + (src == COST_EXT || dst == COST_EXT));
	step->start = begin(t, &t->copies, t->target->arch->dma_in_flight, aux);
	step->end = step->start + r->cycles;
	x->start = step->start;
	x->end = step->end;
	finish(t, &t->copies, step);
}

static void count_bytes(const struct cost_result *r, struct cost_total *total)
{
	for (unsigned int m = 0; m < COST_MEMORIES; m++) {
		for (unsigned int i = 0; i < COST_TRAFFIC; i++)
			total->read[m][i] += r->read[m][i];
		total->write[m] += r->write[m];
	}
}

static void count_kernel(const struct cost_step *step, size_t chained, struct cost_total *total)
{
	const struct cost_result *r = &step->result;

	count_bytes(r, total);
	total->kernels++;
	total->chained += (uint32_t)chained;
	total->macs += r->macs;
	total->mac_cycles += r->mac_cycles;
	total->npu_cycles += r->cycles;
	total->bound[r->bound] += r->cycles < step->advance ? r->cycles : step->advance;
	/* The rest of what it adds: it had to wait. */
	if (step->advance > r->cycles)
		total->bound[COST_BOUND_DMA] += step->advance - r->cycles;
}

static void count_copy(const struct npu_op *op, const struct cost_step *step,
		       struct cost_total *total)
{
	count_bytes(&step->result, total);
	total->copies++;
	total->copied += copy_bytes(op);
	total->bound[COST_BOUND_DMA] += step->advance;
}

/* Slices of one layer follow each other without a gap. */
static void set_slices(const struct npu_program *program, size_t i, size_t count, size_t *before,
		       struct cost_op_desc *desc)
{
	size_t next = i + 1;

	while (next < count && program->ops[next].kind == NPU_KIND_DMA)
		next++;
	desc->continues = *before < i && cost_same_layer(&program->ops[*before], &program->ops[i]);
	desc->continued = next < count && cost_same_layer(&program->ops[i], &program->ops[next]);
	*before = i;
}

void cost_stream(const struct cost_target *target, const struct npu_program *program, size_t count,
		 struct cost_step *steps, struct cost_total *total)
{
	struct timeline t = { .target = target };
	struct cost_op_desc desc;
	size_t before = SIZE_MAX, n;

	memset(total, 0, sizeof(*total));
	for (size_t i = 0; i < count; i += n) {
		const struct npu_op *op = &program->ops[i];
		struct cost_step step = { .first = (uint32_t)i };

		n = 1;
		if (op->kind == NPU_KIND_DMA) {
			run_copy(&t, op, &program->aux[i], &step);
			count_copy(op, &step, total);
		} else {
			n = cost_describe(target, program, i, count, &desc);
			set_slices(program, i, count, &before, &desc);
			cost_op(target, &desc, &step.result);
			run_kernel(&t, &program->aux[i], &step);
			count_kernel(&step, n - 1, total);
		}
		for (size_t k = 0; steps && k < n; k++)
			steps[i + k] = k ? (struct cost_step){ .start = step.start,
							       .end = step.end,
							       .first = (uint32_t)i }
					 : step;
	}
	total->cycles = t.frontier;
}
