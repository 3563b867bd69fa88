/* SPDX-License-Identifier: MIT */
/*
 * Reference engine: executes operations in plain C, one element at a time. It is the yardstick for
 * the fast engine and stands in where there is no OpenCL. Nothing is prepared or kept.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/ref_ops.h"

struct npu_engine {
	const struct npu_config *config;
};

struct npu_plan {
	const struct npu_op *ops;
	size_t count;
};

static void (*const run_kind[NPU_KIND_COUNT])(struct ref_job *job, const struct npu_op *op) = {
	[NPU_KIND_CONV] = ref_conv,
	[NPU_KIND_DEPTHWISE] = ref_depthwise,
	[NPU_KIND_MATMUL] = ref_matmul,
	[NPU_KIND_POOL] = ref_pool,
	[NPU_KIND_ELEMENTWISE] = ref_elementwise,
	[NPU_KIND_RESIZE] = ref_resize,
	[NPU_KIND_DMA] = ref_dma,
};

static int reference_create(struct npu_engine **out, const struct npu_config *config,
			    const struct npu_options *opt, char *err, size_t err_len)
{
	struct npu_engine *engine = calloc(1, sizeof(*engine));

	(void)opt;
	if (!engine) {
		if (err_len)
			snprintf(err, err_len, "reference engine: out of memory");
		return -ENOMEM;
	}
	engine->config = config;
	*out = engine;
	return 0;
}

static void reference_destroy(struct npu_engine *engine)
{
	free(engine);
}

static int reference_prepare(struct npu_engine *engine, struct npu_plan **out, const struct npu_op *ops,
			     size_t count, const struct npu_space_map maps[NPU_SPACES])
{
	struct npu_plan *plan = calloc(1, sizeof(*plan));

	(void)engine;
	(void)maps;
	if (!plan)
		return -ENOMEM;
	plan->ops = ops;
	plan->count = count;
	*out = plan;
	return 0;
}

static void reference_release(struct npu_engine *engine, struct npu_plan *plan)
{
	(void)engine;
	free(plan);
}

static int reference_run(struct npu_engine *engine, struct npu_plan *plan, size_t first, size_t count,
			 const struct npu_space_map maps[NPU_SPACES], const int *abort, size_t *failed)
{
	struct ref_job job = { .config = engine->config, .maps = maps, .abort = abort };

	for (size_t i = first; i < plan->count && i - first < count; i++) {
		if (ref_stopped(&job))
			return 0;
		run_kind[plan->ops[i].kind](&job, &plan->ops[i]);
		if (job.err) {
			*failed = i;
			return job.err;
		}
	}
	return 0;
}

static void reference_window_gone(struct npu_engine *engine, uint64_t id)
{
	(void)engine;
	(void)id;
}

static void reference_describe(struct npu_engine *engine, char *text, size_t len)
{
	(void)engine;
	snprintf(text, len, "reference (plain C)");
}

const struct npu_engine_ops npu_engine_reference = {
	.name = "reference",
	.create = reference_create,
	.destroy = reference_destroy,
	.prepare = reference_prepare,
	.release = reference_release,
	.run = reference_run,
	.window_gone = reference_window_gone,
	.describe = reference_describe,
};
