/* SPDX-License-Identifier: MIT */
/*
 * When several work-groups share a job: which tasks must wait for those before them, and which are so
 * small that one group had better do a row of them.
 */
#include "sim/cl_plan.h"
#include "sim/decode.h"

/* Ranges touched since the last wait that are kept to compare with; with more, the next task waits. */
#define RANGES_MAX	64
/* Multiply-accumulates, or bytes copied, below which sharing costs more than it brings. */
#define SMALL_WORK	16384

struct range {
	uintptr_t lo, hi;
	bool write;
};

struct schedule {
	const struct npu_space_map *maps;
	struct range ranges[RANGES_MAX];
	size_t count;
	size_t kept;	/* of which from before the task at hand */
	bool conflict;
};

static int note_range(void *ctx, unsigned int space, int64_t lo, int64_t hi, enum npu_channel channel)
{
	struct schedule *s = ctx;
	const struct npu_space_map *map = &s->maps[space];
	struct range r = {
		.lo = (uintptr_t)map->base + (uintptr_t)(lo - map->lo),
		.hi = (uintptr_t)map->base + (uintptr_t)(hi - map->lo),
		.write = channel == NPU_CH_OFM || channel == NPU_CH_DMA_WRITE,
	};

	for (size_t i = 0; i < s->kept; i++) {
		const struct range *k = &s->ranges[i];

		if ((r.write || k->write) && r.lo < k->hi && k->lo < r.hi)
			s->conflict = true;
	}
	if (s->count == RANGES_MAX)
		s->conflict = true;
	else
		s->ranges[s->count++] = r;
	return 0;
}

/* Tables in LUT memory are read by operations that do not list them among their extents. */
static void note_table(struct schedule *s, const struct npu_op *op)
{
	const struct npu_space_map *map = &s->maps[NPU_SPACE_INTERNAL];

	if (op->lut != NPU_LUT_NONE && map->base)
		note_range(s, NPU_SPACE_INTERNAL, map->lo, map->hi, NPU_CH_IFM);
}

static bool small_task(const struct npu_op *op)
{
	uint64_t work = (uint64_t)op->oh * op->ow * op->oc;

	if (op->kind == NPU_KIND_DMA)
		return op->dma_len * op->dma_rows * op->dma_planes <= SMALL_WORK / 16;
	if (op->kind != NPU_KIND_ELEMENTWISE && op->kernel_h && op->kernel_w)
		work *= (uint64_t)op->kernel_h * op->kernel_w;
	if (op->kind == NPU_KIND_CONV || op->kind == NPU_KIND_MATMUL)
		work *= op->a.depth;
	return work <= SMALL_WORK;
}

void npu_schedule(const struct npu_config *config, const struct npu_op *ops, size_t count,
		  const struct npu_space_map maps[NPU_SPACES], struct npu_task *tasks)
{
	struct schedule s = { .maps = maps };

	for (size_t i = 0; i < count; i += tasks[i].chain) {
		size_t n = 1;

		if (small_task(&ops[i]))
			while (i + n < count && small_task(&ops[i + n]))
				n++;
		tasks[i].chain = (uint32_t)n;
		s.kept = s.count;
		s.conflict = false;
		for (size_t k = i; k < i + n; k++) {
			note_table(&s, &ops[k]);
			if (npu_op_extents(config, &ops[k], note_range, &s))
				s.conflict = true;
		}
		tasks[i].wait = s.conflict;
		if (!s.conflict)
			continue;
		/* What came before is done: only the task's own ranges matter from here on. */
		s.count = 0;
		s.kept = 0;
		for (size_t k = i; k < i + n; k++) {
			note_table(&s, &ops[k]);
			npu_op_extents(config, &ops[k], note_range, &s);
		}
	}
}
