/* SPDX-License-Identifier: MIT */
/*
 * The OpenCL engine: a job is one kernel over a table of operations.
 *
 * On a device of several compute units the work-groups of one launch share the job. On a device of
 * one unit that runs a launch on the calling thread (PoCL's basic device, which has by far the
 * shortest way from enqueue to done) further lanes are host threads, each with a queue of its own.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/cl_device.h"
#include "sim/cl_lanes.h"
#include "sim/cl_plan.h"
#include "sim/engine.h"

/* Windows that buffers are kept for. */
#define MAX_BUFFERS	32
#define COUNTER_BYTES	(NPU_COUNTER_STRIDE * sizeof(uint32_t))

_Static_assert(NPU_MAX_GROUPS <= NPU_LANES_MAX, "a lane for each group");

enum job_arg {
	ARG_OPS,
	ARG_TASKS,
	ARG_BLOB,
	ARG_ARGS,
	ARG_COUNTERS,
	ARG_SCRATCH,
	ARG_LANE,
	ARG_ABORT,
	ARG_SPACE0,
	ARG_COUNT = ARG_SPACE0 + NPU_SPACES,
};

/* A host range as an OpenCL buffer. */
struct host_buffer {
	void *host;
	size_t size;
	uint64_t window;
	uint64_t used;
	cl_mem mem;
};

/* A kernel with the arguments it was last given; one for each host thread that launches it. */
struct npu_lane {
	cl_command_queue queue;
	cl_kernel kernel;
	cl_mem set[ARG_COUNT];
	size_t groups;
	int error;
};

/* A plan's buffers and what its sources were checked against. */
struct plan_device {
	cl_mem ops, tasks, blob;
	int64_t base[NPU_SPACES];	/* host address of offset 0 of each space when traced */
	struct npu_found *found;
	struct npu_lanes_trial trial;
};

struct npu_engine {
	const struct npu_config *config;
	struct npu_cl cl;
	unsigned int threads;
	struct npu_lane *lanes;
	unsigned int lane_count;
	struct npu_lanes *crew;
	struct npu_run_args *args;
	cl_mem args_mem;
	uint32_t *counters;
	size_t counter_tasks;
	cl_mem counters_mem;
	cl_mem scratch;
	cl_mem nothing;		/* stands for spaces that a job does not touch */
	struct host_buffer buffers[MAX_BUFFERS];
	uint64_t tick;
};

static cl_mem host_mem(struct npu_engine *e, void *host, size_t size)
{
	cl_int rc;
	cl_mem mem = e->cl.call.CreateBuffer(e->cl.context, CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR, size, host, &rc);

	return rc == CL_SUCCESS ? mem : NULL;
}

static void release_mem(const struct npu_engine *e, cl_mem *mem)
{
	if (*mem)
		e->cl.call.ReleaseMemObject(*mem);
	*mem = NULL;
}

static void lane_forget(struct npu_engine *e, cl_mem mem)
{
	for (unsigned int l = 0; l < e->lane_count; l++)
		for (unsigned int i = 0; i < ARG_COUNT; i++)
			if (e->lanes[l].set[i] == mem)
				e->lanes[l].set[i] = NULL;
}

static void drop_buffer(struct npu_engine *e, struct host_buffer *b)
{
	lane_forget(e, b->mem);
	release_mem(e, &b->mem);
	memset(b, 0, sizeof(*b));
}

/* The buffer over a window (or over memory of the device's own, which has no window id). */
static struct host_buffer *get_buffer(struct npu_engine *e, void *host, size_t size, uint64_t window)
{
	struct host_buffer *oldest = &e->buffers[0];

	for (unsigned int i = 0; i < MAX_BUFFERS; i++) {
		struct host_buffer *b = &e->buffers[i];

		if (b->mem && b->host == host && b->size == size && b->window == window) {
			b->used = ++e->tick;
			return b;
		}
		if (b->used < oldest->used)
			oldest = b;
	}
	if (oldest->mem)
		drop_buffer(e, oldest);
	oldest->mem = host_mem(e, host, size);
	if (!oldest->mem)
		return NULL;
	oldest->host = host;
	oldest->size = size;
	oldest->window = window;
	oldest->used = ++e->tick;
	return oldest;
}

static int lane_open(struct npu_engine *e, struct npu_lane *lane)
{
	cl_int rc;

	lane->queue = e->cl.call.CreateCommandQueue(e->cl.context, e->cl.device, 0, &rc);
	if (rc != CL_SUCCESS)
		return -EIO;
	lane->kernel = e->cl.call.CreateKernel(e->cl.program, "npu_job", &rc);
	return rc == CL_SUCCESS ? 0 : -EIO;
}

static void lane_close(const struct npu_engine *e, struct npu_lane *lane)
{
	if (lane->kernel)
		e->cl.call.ReleaseKernel(lane->kernel);
	if (lane->queue)
		e->cl.call.ReleaseCommandQueue(lane->queue);
}

static int lane_set(const struct npu_engine *e, struct npu_lane *lane, unsigned int arg, cl_mem mem)
{
	if (lane->set[arg] == mem)
		return 0;
	if (e->cl.call.SetKernelArg(lane->kernel, arg, sizeof(mem), &mem) != CL_SUCCESS)
		return -EIO;
	lane->set[arg] = mem;
	return 0;
}

/* Launch the lane's share of the job and see it through. */
static void lane_run(void *ctx, unsigned int index)
{
	struct npu_engine *e = ctx;
	struct npu_lane *lane = &e->lanes[index];
	const struct cl_calls *cl = &e->cl.call;
	size_t one = 1;

	for (;;) {
		lane->error = cl->EnqueueNDRangeKernel(lane->queue, lane->kernel, 1, NULL, &lane->groups, &one, 0,
						       NULL, NULL) != CL_SUCCESS ||
			      cl->Finish(lane->queue) != CL_SUCCESS;
		if (lane->error || !e->args->leave || !e->args->left[index])
			return;
		npu_lanes_pause(e->crew, index);
	}
}

static void engine_destroy(struct npu_engine *e)
{
	if (!e)
		return;
	npu_lanes_stop(e->crew);
	for (unsigned int i = 0; i < MAX_BUFFERS; i++)
		release_mem(e, &e->buffers[i].mem);
	for (unsigned int i = 0; i < e->lane_count; i++)
		lane_close(e, &e->lanes[i]);
	release_mem(e, &e->args_mem);
	release_mem(e, &e->counters_mem);
	release_mem(e, &e->scratch);
	release_mem(e, &e->nothing);
	npu_cl_close(&e->cl);
	free(e->lanes);
	free(e->args);
	free(e->counters);
	free(e);
}

static int make_lanes(struct npu_engine *e)
{
	bool host_threads = e->cl.units == 1;
	int rc;

	e->lane_count = host_threads ? e->threads : 1;
	e->lanes = calloc(e->lane_count, sizeof(*e->lanes));
	if (!e->lanes) {
		e->lane_count = 0;
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < e->lane_count; i++) {
		rc = lane_open(e, &e->lanes[i]);
		if (rc)
			return rc;
		e->lanes[i].groups = host_threads ? 1 : e->threads;
	}
	return npu_lanes_start(&e->crew, e->lane_count, lane_run, e);
}

static int make_buffers(struct npu_engine *e)
{
	cl_int rc;
	cl_uint lane;

	e->args = aligned_alloc(64, (sizeof(*e->args) + 63) & ~(size_t)63);
	if (!e->args)
		return -ENOMEM;
	memset(e->args, 0, sizeof(*e->args));
	e->args_mem = host_mem(e, e->args, sizeof(*e->args));
	e->scratch = e->cl.call.CreateBuffer(e->cl.context, CL_MEM_READ_WRITE,
					     (size_t)e->threads * NPU_SCRATCH, NULL, &rc);
	e->nothing = e->cl.call.CreateBuffer(e->cl.context, CL_MEM_READ_WRITE, 64, NULL, &rc);
	if (!e->args_mem || !e->scratch || !e->nothing)
		return -ENOMEM;
	for (lane = 0; lane < e->lane_count; lane++) {
		struct npu_lane *l = &e->lanes[lane];

		if (e->cl.call.SetKernelArg(l->kernel, ARG_LANE, sizeof(lane), &lane) != CL_SUCCESS ||
		    lane_set(e, l, ARG_ARGS, e->args_mem) || lane_set(e, l, ARG_SCRATCH, e->scratch))
			return -EIO;
	}
	return 0;
}

static int engine_create(struct npu_engine **out, const struct npu_config *config,
			 const struct npu_options *opt, char *err, size_t err_len)
{
	struct npu_engine *e = calloc(1, sizeof(*e));
	int rc;

	if (!e)
		return -ENOMEM;
	e->config = config;
	e->threads = opt && opt->threads ? opt->threads : 1;
	if (e->threads > NPU_MAX_GROUPS) {
		snprintf(err, err_len, "%u threads: at most %u", e->threads, NPU_MAX_GROUPS);
		rc = -EINVAL;
		goto fail;
	}
	rc = npu_cl_open(&e->cl, opt, err, err_len);
	if (!rc)
		rc = make_lanes(e);
	if (!rc)
		rc = make_buffers(e);
	if (!rc) {
		*out = e;
		return 0;
	}
	if (e->cl.context)
		snprintf(err, err_len, "cannot set up %s: %s", e->cl.name, strerror(-rc));
fail:
	engine_destroy(e);
	return rc;
}

static int64_t zero_of(const struct npu_space_map *map)
{
	return map->base ? (int64_t)(uintptr_t)map->base - map->lo : 0;
}

static bool maps_overlap(const struct npu_space_map *maps)
{
	for (unsigned int i = 0; i < NPU_SPACES; i++)
		for (unsigned int j = 0; j < i; j++)
			if (maps[i].base && maps[j].base &&
			    maps[i].base < maps[j].base + (maps[j].hi - maps[j].lo) &&
			    maps[j].base < maps[i].base + (maps[i].hi - maps[i].lo))
				return true;
	return false;
}

/* Remember what a panel was made from. */
static int add_source(struct npu_plan *plan, const struct npu_source *source, const struct npu_space_map *maps)
{
	const struct npu_space_map *map = &maps[source->space];
	const uint8_t *data = npu_map_at(map, source->offset, source->len);
	struct npu_source *s;

	if (!source->len)
		return 0;
	if (!data)
		return -EINVAL;
	if (!(plan->source_count & (plan->source_count - 1))) {
		size_t n = plan->source_count ? 2 * plan->source_count : 1;

		s = realloc(plan->sources, n * sizeof(*s));
		if (!s)
			return -ENOMEM;
		plan->sources = s;
	}
	s = &plan->sources[plan->source_count++];
	*s = *source;
	s->window = map->window.constant ? map->window.id : 0;
	s->hash = XXH3_128bits(data, source->len);
	return 0;
}

static void drop_device(struct npu_engine *e, struct plan_device *dev)
{
	if (!dev)
		return;
	lane_forget(e, dev->ops);
	lane_forget(e, dev->tasks);
	lane_forget(e, dev->blob);
	release_mem(e, &dev->ops);
	release_mem(e, &dev->tasks);
	release_mem(e, &dev->blob);
	free(dev->found);
	free(dev);
}

static void plan_clear(struct npu_engine *e, struct npu_plan *plan)
{
	drop_device(e, plan->device);
	plan->device = NULL;
	free(plan->tasks);
	free(plan->late);
	free(plan->sources);
	free(plan->blob.data);
	plan->tasks = NULL;
	plan->late = NULL;
	plan->sources = NULL;
	plan->source_count = 0;
	plan->any_late = false;
	memset(&plan->blob, 0, sizeof(plan->blob));
}

static void engine_release(struct npu_engine *e, struct npu_plan *plan)
{
	if (!plan)
		return;
	plan_clear(e, plan);
	free(plan);
}

static int plan_tasks(struct npu_engine *e, struct npu_plan *plan, const struct npu_space_map *maps)
{
	struct plan_device *dev = plan->device;
	int rc;

	for (size_t i = 0; i < plan->count; i++) {
		const struct npu_op *op = &plan->ops[i];
		const struct npu_found *found = &dev->found[i];

		plan->tasks[i].op = (uint32_t)i;
		if (plan->late[i])
			continue;
		rc = npu_plan_task(e->config, op, found, maps, e->threads, &plan->blob, &plan->tasks[i]);
		if (rc == -EINVAL) {
			/* Bad streams fault when the operation is reached, not before. */
			plan->late[i] = true;
			plan->any_late = true;
			continue;
		}
		if (rc)
			return rc;
		if (op->kind != NPU_KIND_CONV && op->kind != NPU_KIND_DEPTHWISE)
			continue;
		for (unsigned int core = 0; core < op->cores; core++) {
			rc = add_source(plan, &found->weights[core], maps);
			if (!rc && op->per_channel)
				rc = add_source(plan, &found->scales[core], maps);
			if (rc)
				return rc;
		}
	}
	return 0;
}

static int plan_build(struct npu_engine *e, struct npu_plan *plan, const struct npu_space_map *maps)
{
	size_t n = plan->count ? plan->count : 1;
	struct plan_device *dev;
	int rc;

	dev = calloc(1, sizeof(*dev));
	plan->device = dev;
	plan->tasks = calloc(n, sizeof(*plan->tasks));
	plan->late = calloc(n, sizeof(*plan->late));
	if (dev)
		dev->found = calloc(n, sizeof(*dev->found));
	if (!dev || !dev->found || !plan->tasks || !plan->late)
		return -ENOMEM;
	for (unsigned int s = 0; s < NPU_SPACES; s++)
		dev->base[s] = zero_of(&maps[s]);
	rc = npu_trace_streams(e->config, plan->ops, plan->count, maps, dev->found, plan->late);
	for (size_t i = 0; i < plan->count && !rc; i++)
		plan->any_late |= plan->late[i];
	if (!rc)
		rc = plan_tasks(e, plan, maps);
	if (rc)
		return rc;
	npu_schedule(e->config, plan->ops, plan->count, maps, plan->tasks);
	if (!plan->blob.size && npu_blob_add(&plan->blob, 64) == SIZE_MAX)
		return -ENOMEM;
	dev->ops = host_mem(e, (void *)(uintptr_t)plan->ops, n * sizeof(*plan->ops));
	dev->tasks = host_mem(e, plan->tasks, n * sizeof(*plan->tasks));
	dev->blob = host_mem(e, plan->blob.data, plan->blob.size);
	return dev->ops && dev->tasks && dev->blob ? 0 : -ENOMEM;
}

static int engine_prepare(struct npu_engine *e, struct npu_plan **out, const struct npu_op *ops, size_t count,
			  const struct npu_space_map maps[NPU_SPACES])
{
	struct npu_plan *plan = calloc(1, sizeof(*plan));
	int rc;

	if (!plan)
		return -ENOMEM;
	plan->ops = ops;
	plan->count = count;
	rc = plan_build(e, plan, maps);
	if (rc) {
		engine_release(e, plan);
		return rc;
	}
	*out = plan;
	return 0;
}

/* Are the panels still those of what lies in memory now? */
static bool plan_fresh(const struct npu_plan *plan, const struct npu_space_map *maps)
{
	const struct plan_device *dev = plan->device;
	bool moved = false;

	for (unsigned int s = 0; s < NPU_SPACES; s++)
		moved |= dev->base[s] != zero_of(&maps[s]);
	if (moved && maps_overlap(maps))
		return false;
	for (size_t i = 0; i < plan->source_count; i++) {
		const struct npu_source *s = &plan->sources[i];
		const struct npu_space_map *map = &maps[s->space];
		const uint8_t *data;

		if (s->window && s->window == map->window.id && map->window.constant)
			continue;
		data = npu_map_at(map, s->offset, s->len);
		if (!data || !XXH128_isEqual(s->hash, XXH3_128bits(data, s->len)))
			return false;
	}
	return true;
}

static int room_for_counters(struct npu_engine *e, size_t tasks)
{
	if (e->counter_tasks >= tasks)
		return 0;
	lane_forget(e, e->counters_mem);
	release_mem(e, &e->counters_mem);
	free(e->counters);
	e->counter_tasks = 0;
	e->counters = aligned_alloc(64, tasks * COUNTER_BYTES);
	if (!e->counters)
		return -ENOMEM;
	e->counters_mem = host_mem(e, e->counters, tasks * COUNTER_BYTES);
	if (!e->counters_mem)
		return -ENOMEM;
	e->counter_tasks = tasks;
	return 0;
}

static int set_spaces(struct npu_engine *e, const struct npu_space_map *maps, cl_mem mem[NPU_SPACES])
{
	for (unsigned int s = 0; s < NPU_SPACES; s++) {
		const struct npu_space_map *map = &maps[s];
		struct host_buffer *b;
		bool window = map->window.id != 0;

		mem[s] = e->nothing;
		e->args->offset[s] = 0;
		if (!map->base || map->hi == map->lo)
			continue;
		b = window ? get_buffer(e, map->window.host, map->window.size, map->window.id) :
			     get_buffer(e, map->base, (size_t)(map->hi - map->lo), 0);
		if (!b)
			return -ENOMEM;
		mem[s] = b->mem;
		e->args->offset[s] = map->base - (uint8_t *)b->host - map->lo;
	}
	return 0;
}

/* Other devices see host memory only while a buffer is not mapped. */
static int hand_over(struct npu_engine *e, const cl_mem mem[NPU_SPACES], bool to_device)
{
	cl_command_queue queue = e->lanes[0].queue;
	const struct cl_calls *cl = &e->cl.call;
	cl_int rc = CL_SUCCESS;

	if (e->cl.unified)
		return 0;
	for (unsigned int i = 0; i < MAX_BUFFERS && rc == CL_SUCCESS; i++) {
		struct host_buffer *b = &e->buffers[i];
		bool used = false;

		for (unsigned int s = 0; s < NPU_SPACES; s++)
			used |= b->mem && mem[s] == b->mem;
		if (!used)
			continue;
		if (to_device)
			rc = cl->EnqueueWriteBuffer(queue, b->mem, CL_TRUE, 0, b->size, b->host, 0, NULL, NULL);
		else
			rc = cl->EnqueueReadBuffer(queue, b->mem, CL_TRUE, 0, b->size, b->host, 0, NULL, NULL);
	}
	if (rc == CL_SUCCESS && to_device)
		rc = cl->EnqueueWriteBuffer(queue, e->args_mem, CL_TRUE, 0, sizeof(*e->args), e->args, 0, NULL,
					      NULL) ||
		     cl->EnqueueWriteBuffer(queue, e->counters_mem, CL_TRUE, 0,
					      e->counter_tasks * COUNTER_BYTES, e->counters, 0, NULL,
					      NULL);
	else if (rc == CL_SUCCESS)
		rc = cl->EnqueueReadBuffer(queue, e->args_mem, CL_TRUE, 0, sizeof(*e->args), e->args, 0, NULL,
					     NULL);
	return rc == CL_SUCCESS ? 0 : -EIO;
}

/* Run tasks [first, first + count) whose panels are all in place. */
static int launch(struct npu_engine *e, struct npu_plan *plan, size_t first, size_t count,
		  const struct npu_space_map *maps, const int *abort, size_t *failed)
{
	struct plan_device *dev = plan->device;
	struct host_buffer *stop = get_buffer(e, (void *)(uintptr_t)abort, sizeof(*abort), 0);
	cl_mem mem[NPU_SPACES];
	int rc = room_for_counters(e, plan->count);

	if (!rc)
		rc = set_spaces(e, maps, mem);
	if (!rc && !stop)
		rc = -ENOMEM;
	if (rc || !count)
		return rc;
	e->args->first = (uint32_t)first;
	e->args->count = (uint32_t)count;
	e->args->leave = count == plan->count ? npu_lanes_trial_begin(&dev->trial, e->crew) : npu_lanes_worth(e->crew);
	e->args->groups = e->lane_count > 1 && !e->args->leave ? 1 : e->threads;
	e->args->failed = UINT32_MAX;
	if (e->args->groups > 1)
		memset(e->counters, 0, count * COUNTER_BYTES);
	for (unsigned int l = 0; l < e->lane_count && !rc; l++) {
		struct npu_lane *lane = &e->lanes[l];

		lane->error = 0;
		rc = lane_set(e, lane, ARG_OPS, dev->ops) ? : lane_set(e, lane, ARG_TASKS, dev->tasks) ? :
		     lane_set(e, lane, ARG_BLOB, dev->blob) ? : lane_set(e, lane, ARG_COUNTERS, e->counters_mem) ? :
		     lane_set(e, lane, ARG_ABORT, stop->mem);
		for (unsigned int s = 0; s < NPU_SPACES && !rc; s++)
			rc = lane_set(e, lane, ARG_SPACE0 + s, mem[s]);
	}
	if (!rc)
		rc = hand_over(e, mem, true);
	if (rc)
		return rc;
	if (e->args->leave)
		npu_lanes_run(e->crew);
	else
		lane_run(e, 0);
	if (count == plan->count)
		npu_lanes_trial_end(&dev->trial);
	for (unsigned int l = 0; l < e->lane_count; l++)
		rc |= e->lanes[l].error;
	if (!rc)
		rc = hand_over(e, mem, false);
	if (rc || e->args->failed != UINT32_MAX) {
		*failed = rc ? first : e->args->failed;
		return -EIO;
	}
	return 0;
}

/* Make the panel of a late operation from what its streams hold now. */
static int make_late(struct npu_engine *e, struct npu_plan *plan, size_t index,
		     const struct npu_space_map *maps)
{
	struct plan_device *dev = plan->device;
	int rc = npu_plan_task(e->config, &plan->ops[index], &dev->found[index], maps, e->threads, &plan->blob,
			       &plan->tasks[index]);

	if (rc)
		return rc;
	lane_forget(e, dev->blob);
	release_mem(e, &dev->blob);
	dev->blob = host_mem(e, plan->blob.data, plan->blob.size);
	return dev->blob ? 0 : -ENOMEM;
}

static int run_late(struct npu_engine *e, struct npu_plan *plan, size_t first, size_t count,
		    const struct npu_space_map *maps, const int *abort, size_t *failed)
{
	size_t start = first, end = first + count, kept = plan->blob.size;
	int rc = 0;

	for (size_t i = first; i <= end && !rc; i++) {
		if (i < end && !plan->late[i])
			continue;
		rc = launch(e, plan, start, i - start, maps, abort, failed);
		start = i;
		if (rc || i == end || __atomic_load_n(abort, __ATOMIC_RELAXED))
			break;
		plan->blob.size = kept;
		rc = make_late(e, plan, i, maps);
		if (rc)
			*failed = i;
		else
			rc = launch(e, plan, i, 1, maps, abort, failed);
		start = i + 1;
	}
	plan->blob.size = kept;
	return rc == -EINVAL ? -EIO : rc;
}

static int engine_run(struct npu_engine *e, struct npu_plan *plan, size_t first, size_t count,
		      const struct npu_space_map maps[NPU_SPACES], const int *abort, size_t *failed)
{
	int rc;

	*failed = first;
	if (!plan_fresh(plan, maps)) {
		plan_clear(e, plan);
		rc = plan_build(e, plan, maps);
		if (rc)
			return rc;
	}
	if (plan->any_late)
		return run_late(e, plan, first, count, maps, abort, failed);
	return launch(e, plan, first, count, maps, abort, failed);
}

static void engine_window_gone(struct npu_engine *e, uint64_t id)
{
	for (unsigned int i = 0; i < MAX_BUFFERS; i++)
		if (e->buffers[i].mem && e->buffers[i].window == id)
			drop_buffer(e, &e->buffers[i]);
}

static void engine_describe(struct npu_engine *e, char *text, size_t len)
{
	snprintf(text, len, "%s (%s, %u thread%s)", e->cl.name, e->cl.path, e->threads,
		 e->threads == 1 ? "" : "s");
}

const struct npu_engine_ops npu_engine_opencl = {
	.name = "opencl",
	.create = engine_create,
	.destroy = engine_destroy,
	.prepare = engine_prepare,
	.release = engine_release,
	.run = engine_run,
	.window_gone = engine_window_gone,
	.describe = engine_describe,
};
