/* SPDX-License-Identifier: MIT */
/*
 * Submissions to Linux's own driver. Its jobs have no fences to hold: what a buffer tells is
 * whether jobs that write it are done. All jobs of an open file run in order, so a buffer that the
 * last job of a fence writes stands for all of them; where there is none, one more job, the marker,
 * writes one.
 */
#include "drm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "uapi/ethosu_isa.h"

/* Copies region 0's first 16 bytes over its second. */
#define MARKER_BYTES 16

/* With the lock held. */
static int marker_load(struct drm_device *drm)
{
	static const uint32_t stream[] = {
		ETHOSU_CMD0(SET_DMA0_SRC_REGION, 0),
		ETHOSU_CMD0(SET_DMA0_DST_REGION, 0),
		ETHOSU_CMD1(SET_DMA0_SRC, 0), 0,
		ETHOSU_CMD1(SET_DMA0_DST, 0), MARKER_BYTES,
		ETHOSU_CMD1(SET_DMA0_LEN, 0), MARKER_BYTES,
		ETHOSU_CMD0(OP_DMA_START, 0),
		ETHOSU_CMD0(OP_DMA_WAIT, 0),
		ETHOSU_CMD0(OP_STOP, 0xffff),
	};
	struct accel_program *program;
	int ret;

	if (drm->marker)
		return 0;
	ret = drm_program_create(&drm->base, stream, sizeof(stream), &program, NULL);
	if (!ret)
		drm->marker = (struct drm_program *)program;
	return ret;
}

/* A job after which @fence is done. */
static int marker_fill(struct drm_device *drm, struct drm_fence *fence, struct drm_ethosu_job *out)
{
	int ret;

	pthread_mutex_lock(&drm->lock);
	ret = marker_load(drm);
	pthread_mutex_unlock(&drm->lock);
	if (!ret)
		ret = accel_buffer_create(&drm->base, 2 * MARKER_BYTES, 0, &fence->written, NULL);
	if (ret)
		return ret;
	out->cmd_bo = drm->marker->stream.handle;
	out->region_bo_handles[0] = ((struct drm_buffer *)fence->written)->bo->handle;
	return 0;
}

/* A buffer that the job writes, or NULL. */
static struct accel_buffer *written_by(const struct accel_job *job)
{
	const struct drm_program *program = (const struct drm_program *)job->program;
	uint32_t i;

	for (i = 0; i < job->binding_count; i++)
		if (program->stream.usage.written >> job->bindings[i].region & 1)
			return job->bindings[i].buffer;
	return NULL;
}

/**
 * struct batch - jobs for one SUBMIT after the other
 * @jobs, @count: the caller's and the markers
 * @perfmon: by job; if any is set, each is submitted by itself: a perfmon adds up
 */
struct batch {
	struct drm_fence **fences;
	size_t fence_count;
	struct drm_ethosu_job *jobs;
	uint32_t *perfmon;
	size_t count;
};

static int batch_alloc(struct batch *b, struct drm_device *drm, size_t count,
		       const struct accel_submit_options *opt)
{
	uint32_t each = opt->flags & ACCEL_SUBMIT_FENCE_PER_JOB ? 1 : (uint32_t)count;
	size_t i;

	b->fence_count = count / each;
	b->fences = calloc(b->fence_count, sizeof(*b->fences));
	b->jobs = calloc(count + b->fence_count, sizeof(*b->jobs));
	b->perfmon = calloc(count + b->fence_count, sizeof(*b->perfmon));
	if (!b->fences || !b->jobs || !b->perfmon)
		return -ENOMEM;
	for (i = 0; i < b->fence_count; i++) {
		b->fences[i] = drm_fence_new(drm, each);
		if (!b->fences[i])
			return -ENOMEM;
		if (!opt->event_count)
			continue;
		b->fences[i]->perfmons = calloc(each, sizeof(uint32_t));
		if (!b->fences[i]->perfmons)
			return -ENOMEM;
	}
	return 0;
}

static int batch_job(struct batch *b, struct drm_device *drm, const struct accel_job *job,
		     size_t index, struct drm_fence *fence, uint32_t slot,
		     const struct accel_submit_options *opt, struct accel_error *err)
{
	struct accel_buffer *written;
	int ret;

	ret = drm_job_fill(drm, job, index, &b->jobs[b->count], NULL, NULL, err);
	if (ret)
		return ret;
	fence->results[slot].queued_ns = (uint64_t)accel_now();
	fence->results[slot].event_count = opt->event_count;
	if (fence->perfmons) {
		ret = drm_perfmon_create(drm, opt, &fence->perfmons[slot]);
		if (ret)
			return drm_submit_error(drm, ret, err);
		b->perfmon[b->count] = fence->perfmons[slot];
	}
	b->count++;
	if (slot + 1 < fence->base.count)
		return 0;
	written = written_by(job);
	if (written) {
		fence->written = accel_buffer_ref(written);
		return 0;
	}
	ret = marker_fill(drm, fence, &b->jobs[b->count]);
	if (ret)
		return drm_submit_error(drm, ret, err);
	b->count++;
	return 0;
}

static int batch_send(struct batch *b, struct drm_device *drm, bool one_by_one)
{
	struct drm_ethosu_submit submit = { 0 };
	size_t i, step = one_by_one ? 1 : b->count;
	int ret;

	for (i = 0; i < b->count; i += step) {
		submit.jobs = drm_ptr(&b->jobs[i]);
		submit.job_count = (uint32_t)step;
		submit.perfmon_id = b->perfmon[i];
		ret = drm_ask(drm, DRM_IOCTL_ETHOSU_SUBMIT, &submit);
		if (ret)
			return ret;
	}
	return 0;
}

int drm_mainline_submit(struct drm_device *drm, const struct accel_job *jobs, size_t count,
			const struct accel_submit_options *opt, struct accel_fence **fences,
			struct accel_error *err)
{
	struct batch b = { 0 };
	size_t i, each;
	int ret;

	ret = batch_alloc(&b, drm, count, opt);
	if (ret) {
		accel_fail(err, ret, "submit: out of memory");
		goto fail;
	}
	each = count / b.fence_count;
	for (i = 0; i < count; i++) {
		ret = batch_job(&b, drm, accel_job_at(jobs, i), i, b.fences[i / each],
				(uint32_t)(i % each), opt, err);
		if (ret)
			goto fail;
	}
	ret = batch_send(&b, drm, opt->event_count > 0);
	if (ret) {
		ret = drm_submit_error(drm, ret, err);
		goto fail;
	}
	for (i = 0; i < b.fence_count; i++) {
		accel_device_ref(&drm->base);
		if (fences)
			fences[i] = &b.fences[i]->base;
		else
			accel_fence_unref(&b.fences[i]->base);
	}
	goto out;
fail:
	for (i = 0; b.fences && i < b.fence_count && b.fences[i]; i++)
		drm_fence_free(b.fences[i]);
out:
	free(b.fences);
	free(b.jobs);
	free(b.perfmon);
	return ret;
}

int drm_mainline_wait(struct drm_fence *fence, int64_t deadline)
{
	struct drm_ethosu_bo_wait wait = {
		.handle = ((struct drm_buffer *)fence->written)->bo->handle,
		.timeout_ns = deadline,
	};

	return drm_ask(to_drm(fence->base.device), DRM_IOCTL_ETHOSU_BO_WAIT, &wait);
}

/* With the fence's lock, its jobs done: the counts. */
void drm_mainline_results(struct drm_fence *fence)
{
	struct drm_device *drm = to_drm(fence->base.device);
	uint64_t values[DRM_ETHOSU_MAX_PERF_COUNTERS];
	struct drm_ethosu_perfmon_get_values get = { .values_ptr = drm_ptr(values) };
	struct drm_result *r;
	uint32_t i;

	for (i = 0; fence->perfmons && i < fence->base.count; i++) {
		r = &fence->results[i];
		get.id = fence->perfmons[i];
		memset(values, 0, sizeof(values));
		if (drm_ask(drm, DRM_IOCTL_ETHOSU_PERFMON_GET_VALUES, &get))
			continue;
		memcpy(r->events, values, r->event_count * sizeof(r->events[0]));
		r->cycles = values[r->event_count];
	}
}
