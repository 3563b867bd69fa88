/* SPDX-License-Identifier: MIT */
/*
 * Follows weight and scale streams back through the DMA copies of a job, so that panels can be made
 * before the job runs and kept for the next one.
 *
 * Ranges are compared as host addresses, because two regions may cover the same memory.
 */
#include <errno.h>
#include <stdlib.h>

#include "sim/cl_plan.h"
#include "sim/decode.h"

/* With more writes than this to look through, streams count as untraceable: bounds the search. */
#define TRACE_MAX 4096

/* A range that the job has written so far; a copy knows where its bytes came from. */
struct trace_write {
	uintptr_t lo, hi;
	int64_t from;		/* offset in from_space of the byte that went to @lo */
	uint8_t from_space;
	bool copy;
};

struct trace {
	const struct npu_space_map *maps;
	struct trace_write *writes;
	size_t count, capacity;
};

static uintptr_t trace_address(const struct trace *trace, unsigned int space, int64_t offset)
{
	const struct npu_space_map *map = &trace->maps[space];

	return (uintptr_t)map->base + (uintptr_t)(offset - map->lo);
}

static int trace_add(struct trace *trace, const struct trace_write *write)
{
	if (trace->count == trace->capacity) {
		size_t capacity = trace->capacity ? 2 * trace->capacity : 64;
		struct trace_write *writes = realloc(trace->writes, capacity * sizeof(*writes));

		if (!writes)
			return -ENOMEM;
		trace->writes = writes;
		trace->capacity = capacity;
	}
	trace->writes[trace->count++] = *write;
	return 0;
}

/* Move @source to where its bytes were at the start of the job. False: that cannot be told. */
static bool trace_back(const struct trace *trace, struct npu_source *source)
{
	if (trace->count > TRACE_MAX)
		return false;
	/* From the newest write back: a copy moves the question to its source at that time. */
	for (size_t i = trace->count; i-- > 0;) {
		const struct trace_write *w = &trace->writes[i];
		uintptr_t lo = trace_address(trace, source->space, source->offset);

		if (w->hi <= lo || w->lo >= lo + source->len)
			continue;
		if (!w->copy || lo < w->lo || lo + source->len > w->hi)
			return false;
		source->space = w->from_space;
		source->offset = w->from + (int64_t)(lo - w->lo);
	}
	return true;
}

static int note_write(void *ctx, unsigned int space, int64_t lo, int64_t hi, enum npu_channel channel)
{
	struct trace *trace = ctx;
	struct trace_write write = { .lo = trace_address(trace, space, lo),
				     .hi = trace_address(trace, space, hi) };

	if (channel != NPU_CH_OFM && channel != NPU_CH_DMA_WRITE)
		return 0;
	return trace_add(trace, &write);
}

static int trace_op(const struct npu_config *config, struct trace *trace, const struct npu_op *op)
{
	if (op->kind == NPU_KIND_DMA && op->dma_rows == 1 && op->dma_planes == 1 && !op->dma_src_indexed &&
	    !op->dma_dst_indexed) {
		uintptr_t lo = trace_address(trace, op->dma_dst_space, (int64_t)op->dma_dst);
		struct trace_write copy = {
			.lo = lo,
			.hi = lo + op->dma_len,
			.from = (int64_t)op->dma_src,
			.from_space = op->dma_src_space,
			.copy = true,
		};

		return trace_add(trace, &copy);
	}
	return npu_op_extents(config, op, note_write, trace);
}

static bool trace_streams(const struct trace *trace, const struct npu_op *op, struct npu_found *found)
{
	bool ok = true;

	for (unsigned int core = 0; core < op->cores && ok; core++)
		ok = trace_back(trace, &found->weights[core]) &&
		     (!op->per_channel || trace_back(trace, &found->scales[core]));
	return ok;
}

int npu_trace_streams(const struct npu_config *config, const struct npu_op *ops, size_t count,
		      const struct npu_space_map maps[NPU_SPACES], struct npu_found *found, bool *late)
{
	struct trace trace = { .maps = maps };
	int rc = 0;

	for (size_t i = 0; i < count && !rc; i++) {
		const struct npu_op *op = &ops[i];

		late[i] = false;
		if (op->kind == NPU_KIND_CONV || op->kind == NPU_KIND_DEPTHWISE) {
			struct npu_found direct, traced;

			for (unsigned int core = 0; core < NPU_MAX_CORES; core++) {
				direct.weights[core] =
					(struct npu_source){ .space = op->weight_space,
							     .offset = (int64_t)op->weight_base[core],
							     .len = op->weight_len[core] };
				direct.scales[core] =
					(struct npu_source){ .space = op->scale_space,
							     .offset = (int64_t)op->scale_base[core],
							     .len = op->scale_len[core] };
			}
			traced = direct;
			late[i] = !trace_streams(&trace, op, &traced);
			found[i] = late[i] ? direct : traced;
		}
		rc = trace_op(config, &trace, op);
	}
	free(trace.writes);
	return rc == -ERANGE ? 0 : rc;
}
