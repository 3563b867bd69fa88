/* SPDX-License-Identifier: MIT */
/* The fake kernel's queues: submissions taken whole or refused, jobs run one at a time, fences. */
#include "tests/drm_fake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/libaccel_fake_npu.h"
#include "uapi/ethosu_regs.h"

#define FAULTS \
	(ETHOSU_REG_BIT(STATUS_BUS_STATUS) | ETHOSU_REG_BIT(STATUS_CMD_PARSE_ERROR) | \
	 ETHOSU_REG_BIT(STATUS_WD_FAULT))

/* ---- fences ---- */

void drm_fake_done_put(struct fake_done *done)
{
	if (done && !--done->refs)
		free(done);
}

bool drm_fake_come(const struct fake_sync *sync, size_t index)
{
	size_t i;

	for (i = 0; i <= index; i++)
		if (!sync->points[i].done->signalled)
			return false;
	return true;
}

static void signal_done(struct fake_kernel *k, struct fake_done *done, int error)
{
	static const uint64_t one = 1;
	struct fake_event *e, *next;

	done->signalled = true;
	done->error = error;
	for (e = LIST_FIRST(&k->events); e; e = next) {
		next = LIST_NEXT(e, link);
		if (!drm_fake_come(e->sync, e->index))
			continue;
		if (write(e->fd, &one, sizeof(one)) < 0)
			abort();
		close(e->fd);
		LIST_REMOVE(e, link);
		drm_fake_object_put(k, &e->sync->obj);
		free(e);
	}
	pthread_cond_broadcast(&k->changed);
}

int drm_fake_sync_find(struct fake_sync *sync, uint64_t point, size_t *index)
{
	size_t i;

	for (i = 0; i < sync->count; i++) {
		if (sync->points[i].point < point)
			continue;
		*index = i;
		return 0;
	}
	return -EINVAL;
}

int drm_fake_wait(struct fake_kernel *k, bool (*over)(void *ctx), void *ctx, int64_t deadline)
{
	struct timespec ts = { deadline / 1000000000, deadline % 1000000000 };
	int ret = 0;

	while (!over(ctx)) {
		if (k->unplugged)
			return -ENODEV;
		if (ret || deadline <= 0)
			return -ETIME;
		if (deadline == INT64_MAX)
			pthread_cond_wait(&k->changed, &k->lock);
		else
			ret = pthread_cond_timedwait(&k->changed, &k->lock, &ts);
	}
	return 0;
}

/* ---- queues ---- */

int drm_fake_queue_new(struct fake_kernel *k, uint32_t priority, struct fake_queue **out)
{
	struct fake_queue *q = calloc(1, sizeof(*q));

	if (!q)
		return -ENOMEM;
	q->obj.kind = FAKE_QUEUE;
	q->obj.refs = 1;
	q->obj.id = ++k->next_id;
	q->priority = priority;
	TAILQ_INIT(&q->jobs);
	LIST_INSERT_HEAD(&k->objects, &q->obj, link);
	*out = q;
	return 0;
}

static struct drm_ethosux_job_info *info_of(const struct fake_job *job)
{
	return &job->queue->infos[job->seqno - 1];
}

static void job_free(struct fake_kernel *k, struct fake_job *job)
{
	size_t i;

	if (job->stream)
		drm_fake_object_put(k, &job->stream->obj);
	for (i = 0; i < 8; i++)
		if (job->bo[i])
			drm_fake_object_put(k, &job->bo[i]->obj);
	if (job->perfmon)
		drm_fake_object_put(k, &job->perfmon->obj);
	for (i = 0; i < job->wait_count; i++)
		drm_fake_object_put(k, &job->waits[i].sync->obj);
	free(job->waits);
	drm_fake_done_put(job->done);
	if (job->queue)
		drm_fake_object_put(k, &job->queue->obj);
	free(job);
}

static void count_users(struct fake_job *job, int change)
{
	size_t i;

	for (i = 0; i < 8; i++) {
		if (!job->bo[i])
			continue;
		if (job->stream->usage.written >> i & 1)
			job->bo[i]->writers += (unsigned int)change;
		else
			job->bo[i]->readers += (unsigned int)change;
	}
}

/* What becomes of it is in its info. */
static void job_end(struct fake_kernel *k, struct fake_job *job)
{
	struct drm_ethosux_job_info *info = info_of(job);
	struct fake_queue *q = job->queue;

	q->ended++;
	if (info->error) {
		q->failed++;
		q->last_failed = job->seqno;
	}
	count_users(job, -1);
	signal_done(k, job->done, info->error);
	job_free(k, job);
}

static void job_cancel(struct fake_kernel *k, struct fake_job *job)
{
	info_of(job)->state = DRM_ETHOSUX_JOB_CANCELLED;
	info_of(job)->error = -ECANCELED;
	job_end(k, job);
}

/* Fences of a queue signal in order: while one of its jobs runs, the rest have to wait. */
static void cancel_all(struct fake_kernel *k, struct fake_queue *q)
{
	struct fake_job *job;

	q->cancelled = true;
	if (q->running)
		return;
	while ((job = TAILQ_FIRST(&q->jobs))) {
		TAILQ_REMOVE(&q->jobs, job, link);
		job_cancel(k, job);
	}
}

int drm_fake_queue_destroy(struct fake_kernel *k, struct drm_ethosux_queue_destroy *arg)
{
	struct fake_queue *q = (struct fake_queue *)drm_fake_find(k, FAKE_QUEUE, arg->id);

	if (arg->flags & ~DRM_ETHOSUX_QUEUE_CANCEL_ONLY)
		return -EINVAL;
	if (!q || q == k->file_queue)
		return -ENOENT;
	q->obj.refs++;
	cancel_all(k, q);
	if (!(arg->flags & DRM_ETHOSUX_QUEUE_CANCEL_ONLY)) {
		LIST_REMOVE(&q->obj, link);
		drm_fake_object_put(k, &q->obj);
	}
	drm_fake_object_put(k, &q->obj);
	return 0;
}

int drm_fake_job_info(struct fake_kernel *k, struct drm_ethosux_job_info *arg)
{
	struct fake_queue *q = arg->queue_id ?
		(struct fake_queue *)drm_fake_find(k, FAKE_QUEUE, arg->queue_id) : k->file_queue;
	struct drm_ethosux_job_info info;

	if (arg->flags)
		return -EINVAL;
	if (!q || !arg->seqno || arg->seqno > q->submitted || arg->seqno + FAKE_HISTORY <= q->ended)
		return -ENOENT;
	info = q->infos[arg->seqno - 1];
	info.queue_id = arg->queue_id;
	info.seqno = arg->seqno;
	*arg = info;
	return 0;
}

/* ---- submitting ---- */

static int take_bo(struct fake_kernel *k, uint32_t handle, bool stream, struct fake_bo **out)
{
	struct fake_bo *bo = (struct fake_bo *)drm_fake_find(k, FAKE_BO, handle);

	if (!bo)
		return -ENOENT;
	if ((bo->fd < 0) != stream)
		return -EINVAL;
	bo->obj.refs++;
	*out = bo;
	return 0;
}

static int fill_region(struct fake_kernel *k, struct fake_job *job, const struct drm_ethosu_job *arg,
		       const struct drm_ethosux_job *ext, unsigned int i)
{
	uint64_t need = job->stream->usage.size[i];
	int ret;

	if (!arg->region_bo_handles[i]) {
		if (!need)
			return 0;
		if (i != DRM_SRAM_REGION)
			return -ENOENT;
		return need > arg->sram_size ? -EINVAL : 0;
	}
	if (!need && !ext)
		return -EINVAL;
	ret = take_bo(k, arg->region_bo_handles[i], false, &job->bo[i]);
	if (ret)
		return ret;
	job->length[i] = job->bo[i]->size;
	if (ext) {
		job->offset[i] = ext->region_offset[i];
		if (job->offset[i] % 16 || job->offset[i] >= job->bo[i]->size)
			return -EINVAL;
		job->length[i] -= job->offset[i];
		if (ext->region_length[i] > job->length[i])
			return -EINVAL;
		if (ext->region_length[i])
			job->length[i] = ext->region_length[i];
	}
	return need > job->length[i] ? -EOVERFLOW : 0;
}

static int job_fill(struct fake_kernel *k, struct fake_job *job, const struct drm_ethosu_job *arg,
		    const struct drm_ethosux_job *ext)
{
	unsigned int i, j;
	int ret;

	if (arg->sram_size && arg->region_bo_handles[DRM_SRAM_REGION])
		return -EINVAL;
	if (arg->sram_size > (k->config->arch == 85 ? 1u << 20 : 384u << 10))
		return -EINVAL;
	ret = take_bo(k, arg->cmd_bo, true, &job->stream);
	for (i = 0; !ret && i < 8; i++)
		ret = fill_region(k, job, arg, ext, i);
	for (i = 0; !ret && !ext && i < 8; i++)
		for (j = 0; j < i; j++)
			if (job->bo[i] && job->bo[i] == job->bo[j])
				ret = -EALREADY;
	job->sram_size = arg->sram_size;
	return ret;
}

static struct fake_job *job_new(struct fake_queue *q, struct fake_perfmon *perfmon)
{
	struct fake_job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->done = calloc(1, sizeof(*job->done));
	if (!job->done) {
		free(job);
		return NULL;
	}
	job->done->refs = 1;
	job->queue = q;
	q->obj.refs++;
	job->perfmon = perfmon;
	if (perfmon)
		perfmon->obj.refs++;
	return job;
}

static void queue_jobs(struct fake_kernel *k, struct fake_queue *q, struct fake_job *first)
{
	struct fake_job *job, *next;
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	if (TAILQ_EMPTY(&q->jobs))
		q->turn = ++k->turn;
	for (job = first; job; job = next) {
		next = job->next;
		job->seqno = ++q->submitted;
		memset(info_of(job), 0, sizeof(*info_of(job)));
		info_of(job)->queued_ns = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
		info_of(job)->event_count = job->perfmon ? job->perfmon->count : 0;
		count_users(job, 1);
		TAILQ_INSERT_TAIL(&q->jobs, job, link);
	}
	pthread_cond_broadcast(&k->changed);
}

static int room_for(struct fake_queue *q, size_t count)
{
	void *infos = realloc(q->infos, (q->submitted + count) * sizeof(*q->infos));

	if (!infos)
		return -ENOMEM;
	q->infos = infos;
	return 0;
}

static void chain_free(struct fake_kernel *k, struct fake_job *first)
{
	struct fake_job *next;

	for (; first; first = next) {
		next = first->next;
		job_free(k, first);
	}
}

int drm_fake_submit(struct fake_kernel *k, struct drm_ethosu_submit *arg)
{
	const struct drm_ethosu_job *jobs = (const void *)(uintptr_t)arg->jobs;
	struct fake_perfmon *perfmon = NULL;
	struct fake_job *job;
	uint32_t i;
	int ret;

	if (arg->perfmon_id && k->driver == DRM_FAKE_LINUX_6_19)
		return -EINVAL;
	if (arg->perfmon_id)
		perfmon = (struct fake_perfmon *)drm_fake_find(k, FAKE_PERFMON, arg->perfmon_id);
	ret = room_for(k->file_queue, arg->job_count);
	/* One by one, as Linux has it. */
	for (i = 0; !ret && i < arg->job_count; i++) {
		job = job_new(k->file_queue, perfmon);
		if (!job)
			return -ENOMEM;
		ret = job_fill(k, job, &jobs[i], NULL);
		if (ret)
			job_free(k, job);
		else
			queue_jobs(k, k->file_queue, job);
	}
	return ret;
}

static int take_waits(struct fake_kernel *k, struct fake_job *job, uint32_t index,
		      const struct drm_ethosux_queue_submit *arg)
{
	const struct drm_ethosux_sync *in = (const void *)(uintptr_t)arg->in_syncs;
	struct fake_sync *sync;
	size_t at;
	uint32_t i;

	job->waits = calloc(arg->in_count + 1, sizeof(*job->waits));
	if (!job->waits)
		return -ENOMEM;
	for (i = 0; i < arg->in_count; i++) {
		if (in[i].job != index)
			continue;
		sync = (struct fake_sync *)drm_fake_find(k, FAKE_SYNC, in[i].handle);
		if (!sync)
			return -ENOENT;
		if (!(in[i].flags & DRM_ETHOSUX_SYNC_TIMELINE) ||
		    drm_fake_sync_find(sync, in[i].point, &at))
			return -EINVAL;
		sync->obj.refs++;
		job->waits[job->wait_count++] = (struct fake_wait){
			sync, at, in[i].flags & DRM_ETHOSUX_SYNC_NEEDS_SUCCESS };
	}
	return 0;
}

/* Room for the points first: then nothing can fail. */
static int give_points(struct fake_kernel *k, struct fake_job *first,
		       const struct drm_ethosux_queue_submit *arg, bool really)
{
	const struct drm_ethosux_sync *out = (const void *)(uintptr_t)arg->out_syncs;
	struct fake_point *points;
	struct fake_sync *sync;
	struct fake_job *job;
	uint32_t i, n;

	for (i = 0; i < arg->out_count; i++) {
		sync = (struct fake_sync *)drm_fake_find(k, FAKE_SYNC, out[i].handle);
		if (!sync)
			return -ENOENT;
		if (out[i].flags != DRM_ETHOSUX_SYNC_TIMELINE || out[i].job >= arg->job_count)
			return -EINVAL;
		if (!really) {
			points = realloc(sync->points,
					 (sync->count + arg->out_count) * sizeof(*points));
			if (!points)
				return -ENOMEM;
			sync->points = points;
			continue;
		}
		for (job = first, n = out[i].job; n; n--)
			job = job->next;
		if (sync->count && sync->points[sync->count - 1].point >= out[i].point)
			abort();	/* a timeline does not go back */
		sync->points[sync->count++] = (struct fake_point){ out[i].point, job->done };
		job->done->refs++;
	}
	return 0;
}

int drm_fake_queue_submit(struct fake_kernel *k, struct drm_ethosux_queue_submit *arg)
{
	const struct drm_ethosux_job *jobs = (const void *)(uintptr_t)arg->jobs;
	struct fake_queue *q = arg->queue_id ?
		(struct fake_queue *)drm_fake_find(k, FAKE_QUEUE, arg->queue_id) : k->file_queue;
	struct fake_perfmon *perfmon = NULL;
	struct fake_job *first = NULL, **link = &first;
	uint32_t i;
	int ret;

	if (arg->perfmon_id)
		perfmon = (struct fake_perfmon *)drm_fake_find(k, FAKE_PERFMON, arg->perfmon_id);
	if (!q || (arg->perfmon_id && !perfmon))
		return -ENOENT;
	if (q->cancelled)
		return -ECANCELED;
	if (arg->flags || arg->reserved || !arg->job_count ||
	    arg->job_count > FAKE_SUBMIT_JOBS || arg->job_stride != sizeof(*jobs))
		return -EINVAL;
	ret = room_for(q, arg->job_count);
	for (i = 0; !ret && i < arg->job_count; i++) {
		*link = job_new(q, perfmon);
		if (!*link) {
			ret = -ENOMEM;
			break;
		}
		if (jobs[i].flags || jobs[i].timeout_ms)
			ret = -EINVAL;
		else
			ret = job_fill(k, *link, &jobs[i].job, &jobs[i]);
		if (!ret)
			ret = take_waits(k, *link, i, arg);
		link = &(*link)->next;
	}
	if (!ret)
		ret = give_points(k, first, arg, false);
	if (ret) {
		chain_free(k, first);
		return ret;
	}
	give_points(k, first, arg, true);
	arg->seqno = q->submitted + 1;
	queue_jobs(k, q, first);
	return 0;
}

/* ---- running ---- */

static int bus_resolve(void *ctx, uint64_t addr, uint64_t len, unsigned int access,
		       struct npu_window *win)
{
	const struct fake_kernel *k = ctx;
	unsigned int i;

	for (i = 0; i < k->windows; i++) {
		*win = k->window[i];
		if (addr >= win->addr && addr - win->addr <= win->size &&
		    len <= win->size - (addr - win->addr) && (win->access & access) == access)
			return 0;
	}
	return -EFAULT;
}

static void bus_irq(void *ctx, bool level)
{
	((struct fake_kernel *)ctx)->irq = level;
}

static void bus_trace(void *ctx, const char *text)
{
	(void)ctx;
	(void)text;
}

const struct npu_bus_ops drm_fake_bus = {
	.resolve = bus_resolve,
	.irq = bus_irq,
	.trace = bus_trace,
};

static void write_addr(struct fake_kernel *k, uint32_t reg, uint64_t addr)
{
	npu_write(k->npu, reg, (uint32_t)addr);
	npu_write(k->npu, reg + 4, (uint32_t)(addr >> 32));
}

static void add_window(struct fake_kernel *k, void *host, uint64_t addr, uint64_t size,
		       bool constant)
{
	k->window[k->windows++] = (struct npu_window){
		.host = host, .addr = addr, .size = size, .id = ++k->next_window,
		.access = NPU_ACCESS_READ | (constant ? 0 : NPU_ACCESS_WRITE),
		.constant = constant,
	};
}

/*
 * No kernel vouches for what lies in a region; the window of region 0 is constant nevertheless, unless
 * the stream writes it, because the tests' NPU wants it so. It is another window for each job.
 */
static void program(struct fake_kernel *k, const struct fake_job *job)
{
	uint64_t addr;
	unsigned int i;

	k->windows = 0;
	add_window(k, job->stream->host, job->stream->addr, job->stream->size, true);
	for (i = 0; i < 8; i++) {
		addr = 0;
		if (job->bo[i]) {
			addr = job->bo[i]->addr + job->offset[i];
			add_window(k, (char *)job->bo[i]->host + job->offset[i], addr,
				   job->length[i],
				   i == FAKE_CONSTANTS && !(job->stream->usage.written >> i & 1));
		} else if (i == DRM_SRAM_REGION && job->sram_size) {
			addr = 1 << 20;
			add_window(k, k->sram, addr, job->sram_size, false);
		}
		write_addr(k, ETHOSU_REG_BASEP + 8 * i, addr);
	}
	write_addr(k, ETHOSU_REG_QBASE, job->stream->addr);
	npu_write(k->npu, ETHOSU_REG_QSIZE, job->stream->stream_size);
}

static void reset(struct fake_kernel *k)
{
	uint32_t pmu = k->config->arch == 85 ? ETHOSU_PMU_OFFSET_U85 : 0;

	npu_write(k->npu, ETHOSU_REG_RESET, ETHOSU_REG_BIT(RESET_PENDING_CSL));
	while (npu_read(k->npu, ETHOSU_REG_STATUS) & ETHOSU_REG_BIT(STATUS_RESET_STATUS))
		;
	npu_write(k->npu, ETHOSU_REG_REGIONCFG, 0xaa8a);
	npu_write(k->npu, pmu + ETHOSU_REG_PMCNTENSET, 0x800000ff);
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void count(struct fake_kernel *k, struct fake_job *job, struct drm_ethosux_job_info *info)
{
	uint32_t pmu = k->config->arch == 85 ? ETHOSU_PMU_OFFSET_U85 : 0;
	uint32_t i;

	info->cycles = npu_read(k->npu, pmu + ETHOSU_REG_PMCCNTR);
	for (i = 0; job->perfmon && i < job->perfmon->count; i++) {
		info->events[i] = npu_read(k->npu, pmu + ETHOSU_REG_PMEVCNTR + 4 * i);
		job->perfmon->values[i] += info->events[i];
	}
	if (job->perfmon)
		job->perfmon->values[i] += info->cycles;
}

/* With the lock, which is given up while the NPU runs. */
static void run(struct fake_kernel *k, struct fake_job *job)
{
	uint32_t pmu = k->config->arch == 85 ? ETHOSU_PMU_OFFSET_U85 : 0;
	struct drm_ethosux_job_info info = *info_of(job);
	uint32_t i;

	info_of(job)->state = DRM_ETHOSUX_JOB_RUNNING;
	program(k, job);
	for (i = 0; job->perfmon && i < job->perfmon->count; i++)
		npu_write(k->npu, pmu + ETHOSU_REG_PMEVTYPER + 4 * i, job->perfmon->events[i]);
	npu_write(k->npu, pmu + ETHOSU_REG_PMCR, ETHOSU_REG_BIT(PMCR_CNT_EN) |
		  ETHOSU_REG_BIT(PMCR_EVENT_CNT_RST) | ETHOSU_REG_BIT(PMCR_CYCLE_CNT_RST));
	info.started_ns = now();
	npu_write(k->npu, ETHOSU_REG_CMD, ETHOSU_REG_BIT(CMD_TRANSITION_TO_RUNNING_STATE));
	pthread_mutex_unlock(&k->lock);
	npu_run(k->npu);
	pthread_mutex_lock(&k->lock);
	info.ended_ns = now();
	info.status = npu_read(k->npu, ETHOSU_REG_STATUS);
	count(k, job, &info);
	info.state = DRM_ETHOSUX_JOB_DONE;
	if (info.status & FAULTS || !k->irq) {
		info.state = DRM_ETHOSUX_JOB_FAULTED;
		info.error = -EIO;
		info.offset = npu_read(k->npu, ETHOSU_REG_QREAD);
		reset(k);
	} else {
		npu_write(k->npu, ETHOSU_REG_CMD, ETHOSU_REG_BIT(CMD_CLEAR_IRQ));
	}
	for (i = 0; i < k->windows; i++)
		npu_window_gone(k->npu, k->window[i].id);
	*info_of(job) = info;
	job->queue->busy_ns += info.ended_ns - info.started_ns;
}

/* 1: ready, 0: not yet, -1: what it waits for went wrong. */
static int ready(const struct fake_job *job)
{
	size_t i;

	if (job->cancelled)
		return -1;
	for (i = 0; i < job->wait_count; i++)
		if (!drm_fake_come(job->waits[i].sync, job->waits[i].index))
			return 0;
	for (i = 0; i < job->wait_count; i++)
		if (job->waits[i].sync->points[job->waits[i].index].done->error &&
		    job->waits[i].needs)
			return -1;
	return 1;
}

static struct fake_queue *pick(struct fake_kernel *k)
{
	struct fake_queue *best = NULL, *q;
	struct fake_object *obj;

	LIST_FOREACH(obj, &k->objects, link) {
		q = (struct fake_queue *)obj;
		if (obj->kind != FAKE_QUEUE || TAILQ_EMPTY(&q->jobs) || !ready(TAILQ_FIRST(&q->jobs)))
			continue;
		if (!best || q->priority > best->priority ||
		    (q->priority == best->priority && q->turn < best->turn))
			best = q;
	}
	return best;
}

static void work(struct fake_kernel *k)
{
	struct fake_queue *q = pick(k);
	struct fake_job *job;

	if (!q || k->unplugged) {
		pthread_cond_wait(&k->changed, &k->lock);
		return;
	}
	q->turn = ++k->turn;
	job = TAILQ_FIRST(&q->jobs);
	TAILQ_REMOVE(&q->jobs, job, link);
	if (ready(job) < 0) {
		if (job->next)
			job->next->cancelled = true;
		job_cancel(k, job);
		return;
	}
	q->running = true;
	run(k, job);
	q->running = false;
	q->obj.refs++;
	job_end(k, job);
	if (q->cancelled)
		cancel_all(k, q);
	drm_fake_object_put(k, &q->obj);
}

static void tear_down(struct fake_kernel *k)
{
	struct fake_object *obj;
	struct fake_event *e;

	LIST_FOREACH(obj, &k->objects, link)
		if (obj->kind == FAKE_QUEUE)
			cancel_all(k, (struct fake_queue *)obj);
	while ((e = LIST_FIRST(&k->events))) {
		LIST_REMOVE(e, link);
		close(e->fd);
		drm_fake_object_put(k, &e->sync->obj);
		free(e);
	}
	while ((obj = LIST_FIRST(&k->objects))) {
		LIST_REMOVE(obj, link);
		drm_fake_object_put(k, obj);
	}
}

void *drm_fake_worker(void *arg)
{
	struct fake_kernel *k = arg;

	pthread_mutex_lock(&k->lock);
	reset(k);
	while (!k->closed)
		work(k);
	tear_down(k);
	pthread_mutex_unlock(&k->lock);
	pthread_cond_destroy(&k->changed);
	pthread_mutex_destroy(&k->lock);
	free(k->sram);
	/* Last: tests take its end for that of the whole. */
	npu_destroy(k->npu);
	free(k);
	return NULL;
}
