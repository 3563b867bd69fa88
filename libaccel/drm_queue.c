/* SPDX-License-Identifier: MIT */
/* Queues of a DRM device, and submissions to a driver that has the extension. */
#include "drm.h"

#include <drm.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- queues ---- */

static const struct {
	uint32_t kernel;
	const char *name;
} priorities[] = {
	[ACCEL_PRIORITY_LOW] = { DRM_ETHOSUX_PRIORITY_LOW, "low" },
	[ACCEL_PRIORITY_NORMAL] = { DRM_ETHOSUX_PRIORITY_NORMAL, "normal" },
	[ACCEL_PRIORITY_HIGH] = { DRM_ETHOSUX_PRIORITY_HIGH, "high" },
	[ACCEL_PRIORITY_REALTIME] = { DRM_ETHOSUX_PRIORITY_REALTIME, "realtime" },
};

static int create_error(struct drm_device *drm, uint32_t priority, int ret, struct accel_error *err)
{
	if (ret == -EACCES || ret == -EPERM)
		return accel_fail(err, -EACCES,
				  "queue: %s priority on %s takes CAP_SYS_NICE: setcap cap_sys_nice+ep "
				  "on the program, or AmbientCapabilities=CAP_SYS_NICE in its unit",
				  priorities[priority].name, drm->base.info.spec);
	if (ret == -ENOSPC)
		return accel_fail(err, -ENOMEM, "queue: the kernel gives a process %u of them",
				  drm->caps.max_queues);
	return accel_fail(err, ret, "queue: %s", strerrordesc_np(-ret));
}

static int kqueue_new(struct drm_device *drm, uint32_t priority, struct drm_kqueue **out,
		      struct accel_error *err)
{
	struct drm_ethosux_queue_create create = { .priority = priorities[priority].kernel };
	struct drm_syncobj_create sync = { 0 };
	struct drm_kqueue *k;
	int ret;

	k = calloc(1, sizeof(*k));
	if (!k)
		return accel_fail(err, -ENOMEM, "queue: out of memory");
	ret = drm_ask(drm, DRM_IOCTL_SYNCOBJ_CREATE, &sync);
	if (ret) {
		free(k);
		return accel_fail(err, ret, "queue: no drm_syncobj: %s", strerrordesc_np(-ret));
	}
	k->device = drm;
	k->refs = 1;
	k->syncobj = sync.handle;
	pthread_mutex_init(&k->lock, NULL);
	ret = drm_ask(drm, DRM_IOCTL_ETHOSUX_QUEUE_CREATE, &create);
	if (ret) {
		create_error(drm, priority, ret, err);
		/* No id: there is nothing to destroy but the rest. */
		drm_kqueue_put(k);
		return ret == -EPERM ? -EACCES : ret == -ENOSPC ? -ENOMEM : ret;
	}
	k->id = create.id;
	*out = k;
	return 0;
}

void drm_kqueue_put(struct drm_kqueue *k)
{
	struct drm_ethosux_queue_destroy destroy = { .id = k->id };
	struct drm_syncobj_destroy sync = { .handle = k->syncobj };

	if (!accel_put(&k->refs))
		return;
	if (k->id)
		drm_ask(k->device, DRM_IOCTL_ETHOSUX_QUEUE_DESTROY, &destroy);
	drm_ask(k->device, DRM_IOCTL_SYNCOBJ_DESTROY, &sync);
	pthread_mutex_destroy(&k->lock);
	free(k);
}

int drm_queue_create(struct accel_device *device, uint32_t priority, struct accel_queue **out,
		     struct accel_error *err)
{
	struct drm_queue *queue;
	int ret = 0;

	queue = calloc(1, sizeof(*queue));
	if (!queue)
		return accel_fail(err, -ENOMEM, "queue: out of memory");
	if (to_drm(device)->extended)
		ret = kqueue_new(to_drm(device), priority, &queue->k, err);
	if (ret) {
		free(queue);
		return ret;
	}
	*out = &queue->base;
	return 0;
}

void drm_queue_destroy(struct accel_queue *base)
{
	struct drm_queue *queue = (struct drm_queue *)base;
	struct drm_ethosux_queue_destroy cancel = { .flags = DRM_ETHOSUX_QUEUE_CANCEL_ONLY };

	if (queue->k) {
		/* Fences may still ask what became of its jobs. */
		cancel.id = queue->k->id;
		drm_ask(queue->k->device, DRM_IOCTL_ETHOSUX_QUEUE_DESTROY, &cancel);
		drm_kqueue_put(queue->k);
	}
	free(queue);
}

/* ---- jobs ---- */

static int bind_region(struct drm_device *drm, const struct drm_usage *usage, uint32_t region,
		       const struct accel_buffer *buffer, uint64_t length, size_t index,
		       struct drm_ethosu_job *out, struct accel_error *err)
{
	const struct drm_bo *bo = ((const struct drm_buffer *)buffer)->bo;
	bool sealed;

	/* Linux's driver wants nothing where the stream uses nothing. */
	if (!((usage->read | usage->written) >> region & 1))
		return 0;
	if (usage->size[region] > length)
		return accel_fail(err, -EINVAL, "job %zu: region %u: the program reaches %" PRIu64
				  " bytes, %" PRIu64 " are bound", index, region,
				  usage->size[region], length);
	pthread_mutex_lock(&drm->lock);
	sealed = bo->sealed;
	pthread_mutex_unlock(&drm->lock);
	if (sealed && usage->written >> region & 1)
		return accel_fail(err, -EINVAL,
				  "job %zu: region %u: the program writes it, the buffer is sealed",
				  index, region);
	out->region_bo_handles[region] = bo->handle;
	return 0;
}

int drm_job_fill(struct drm_device *drm, const struct accel_job *job, size_t index,
		 struct drm_ethosu_job *out, __u64 *offsets, __u64 *lengths,
		 struct accel_error *err)
{
	const struct drm_stream *stream = &((const struct drm_program *)job->program)->stream;
	const struct accel_program *base = job->program;
	const struct drm_usage *usage;
	const struct accel_binding *b;
	uint32_t i, used;
	int ret;

	if (!drm->extended) {
		ret = drm_program_merged(drm, job, &stream);
		if (ret)
			return drm_submit_error(drm, ret, err);
	}
	usage = &stream->usage;
	used = usage->read | usage->written;
	out->cmd_bo = stream->handle;
	out->sram_size = job->sram_size;
	if (base->constants) {
		ret = bind_region(drm, usage, base->constants_region, base->constants,
				  base->constants->size, index, out, err);
		if (ret)
			return ret;
	}
	for (i = 0; i < job->binding_count; i++) {
		b = &job->bindings[i];
		ret = bind_region(drm, usage, b->region, b->buffer,
				  b->length ? b->length : b->buffer->size - b->offset, index, out,
				  err);
		if (ret)
			return ret;
		if (offsets && out->region_bo_handles[b->region]) {
			offsets[b->region] = b->offset;
			lengths[b->region] = b->length;
		}
	}
	for (i = 0; i < DRM_REGIONS; i++) {
		if (!(used >> i & 1) || out->region_bo_handles[i])
			continue;
		if (i != DRM_SRAM_REGION || !job->sram_size)
			return accel_fail(err, -EINVAL,
					  "job %zu: the program uses region %u, nothing is bound to it",
					  index, i);
		if (usage->size[i] > job->sram_size)
			return accel_fail(err, -EINVAL, "job %zu: the program reaches %" PRIu64
					  " bytes of SRAM, the job asks for %u", index,
					  usage->size[i], job->sram_size);
	}
	return 0;
}

int drm_submit_error(struct drm_device *drm, int ret, struct accel_error *err)
{
	switch (ret) {
	case -EOVERFLOW:
		return accel_fail(err, -EINVAL,
				  "submit: a program reaches further than a buffer bound to it");
	case -EALREADY:
		return accel_fail(err, ret, "submit: one buffer for two regions of a job");
	case -ENOENT:
	case -EINVAL:
		return accel_fail(err, -EINVAL, "submit: the kernel refuses a job: %s",
				  strerrordesc_np(-ret));
	case -ECANCELED:
		return accel_fail(err, -ECANCELED, "submit: the kernel takes no more jobs into this "
				  "queue: too many of them faulted or ran too long");
	case -ENODEV:
		return accel_fail(err, ret, "submit: %s is gone", drm->base.info.spec);
	default:
		return accel_fail(err, ret, "submit: %s", strerrordesc_np(-ret));
	}
}

int drm_perfmon_create(struct drm_device *drm, const struct accel_submit_options *opt, uint32_t *id)
{
	struct drm_ethosu_perfmon_create create = { .ncounters = opt->event_count };
	int ret;

	memcpy(create.counters, opt->events, opt->event_count * sizeof(opt->events[0]));
	ret = drm_ask(drm, DRM_IOCTL_ETHOSU_PERFMON_CREATE, &create);
	if (!ret)
		*id = create.id;
	return ret;
}

/* The perfmon of the submission's events: one serves all submissions that count the same. */
static int perfmon_get(struct drm_device *drm, const struct accel_submit_options *opt, uint32_t *id)
{
	struct drm_perfmon *p;
	int ret = 0;

	*id = 0;
	if (!opt->event_count)
		return 0;
	pthread_mutex_lock(&drm->lock);
	LIST_FOREACH(p, &drm->perfmons, link)
		if (p->count == opt->event_count &&
		    !memcmp(p->events, opt->events, p->count * sizeof(p->events[0])))
			goto found;
	p = calloc(1, sizeof(*p));
	ret = p ? drm_perfmon_create(drm, opt, &p->id) : -ENOMEM;
	if (ret) {
		free(p);
		goto out;
	}
	p->count = opt->event_count;
	memcpy(p->events, opt->events, p->count * sizeof(p->events[0]));
	LIST_INSERT_HEAD(&drm->perfmons, p, link);
found:
	*id = p->id;
out:
	pthread_mutex_unlock(&drm->lock);
	return ret;
}

/* ---- a submission ---- */

/* What one submission needs until the kernel has it. */
struct submission {
	size_t fence_count;
	struct drm_fence **fences;
	struct drm_ethosux_job *jobs;
	struct drm_ethosux_sync *in;
	struct drm_ethosux_sync *out;
};

static void submission_free(struct submission *s)
{
	free(s->fences);
	free(s->jobs);
	free(s->in);
	free(s->out);
}

static int submission_alloc(struct submission *s, struct drm_device *drm, size_t count,
			    const struct accel_submit_options *opt)
{
	uint32_t each = opt->flags & ACCEL_SUBMIT_FENCE_PER_JOB ? 1 : (uint32_t)count;
	size_t i;

	s->fence_count = count / each;
	s->fences = calloc(s->fence_count, sizeof(*s->fences));
	s->jobs = calloc(count, sizeof(*s->jobs));
	s->in = calloc(opt->wait_count + 1, sizeof(*s->in));
	s->out = calloc(s->fence_count, sizeof(*s->out));
	if (!s->fences || !s->jobs || !s->in || !s->out)
		return -ENOMEM;
	for (i = 0; i < s->fence_count; i++) {
		s->fences[i] = drm_fence_new(drm, each);
		if (!s->fences[i])
			return -ENOMEM;
	}
	return 0;
}

static void submission_undo(struct submission *s)
{
	size_t i;

	for (i = 0; s->fences && i < s->fence_count && s->fences[i]; i++)
		drm_fence_free(s->fences[i]);
	submission_free(s);
}

static int check_limits(struct drm_device *drm, const struct accel_submit_options *opt,
			struct accel_error *err)
{
	if (!drm->caps.max_jobs || opt->wait_count > drm->caps.max_syncs)
		return accel_fail(err, -EINVAL, "submit: %u fences to wait for, the kernel takes %u",
				  opt->wait_count, drm->caps.max_syncs);
	return 0;
}

/* Jobs [@from, @from + @n) with the fences that end among them; the first ones wait for all. */
static int send_some(struct submission *s, struct drm_device *drm, struct drm_kqueue *k, size_t from,
		     size_t n, size_t each, uint32_t waits, uint32_t perfmon, uint64_t *seqno)
{
	struct drm_ethosux_queue_submit submit = {
		.queue_id = k->id,
		.jobs = drm_ptr(&s->jobs[from]),
		.job_count = (uint32_t)n,
		.job_stride = sizeof(s->jobs[0]),
		.in_syncs = drm_ptr(s->in),
		.out_syncs = drm_ptr(&s->out[from / each]),
		.in_count = from ? 0 : waits,
		.out_count = (uint32_t)((from + n) / each - from / each),
		.sync_stride = sizeof(s->out[0]),
		.perfmon_id = perfmon,
	};
	size_t i;
	int ret;

	for (i = from / each; i < (from + n) / each; i++)
		s->out[i].job = (uint32_t)((i + 1) * each - 1 - from);
	ret = drm_ask(drm, DRM_IOCTL_ETHOSUX_QUEUE_SUBMIT, &submit);
	if (!ret)
		*seqno = submit.seqno;
	return ret;
}

/*
 * With the queue's lock: points and numbers follow the jobs. All that can be wrong with them was looked
 * at, so what does not fit into one ioctl goes with the next; should the kernel run out of memory
 * between the two, the first of them run for nothing.
 */
static int submission_send(struct submission *s, struct drm_device *drm, struct drm_kqueue *k,
			   size_t count, const struct accel_submit_options *opt, uint32_t perfmon)
{
	size_t i, n, from, most = drm->caps.max_jobs, each = count / s->fence_count;
	uint64_t first = 0, seqno;
	int ret;

	if (most > drm->caps.max_syncs && drm->caps.max_syncs)
		most = drm->caps.max_syncs;
	for (i = 0; i < s->fence_count; i++) {
		s->out[i].handle = k->syncobj;
		s->out[i].flags = DRM_ETHOSUX_SYNC_TIMELINE;
		s->out[i].point = ++k->point;
	}
	for (from = 0; from < count; from += n) {
		n = count - from < most ? count - from : most;
		ret = send_some(s, drm, k, from, n, each, opt->wait_count, perfmon, &seqno);
		if (ret)
			return ret;
		if (!from)
			first = seqno;
	}
	for (i = 0; i < s->fence_count; i++) {
		s->fences[i]->k = k;
		s->fences[i]->point = s->out[i].point;
		s->fences[i]->seqno = first + i * each;
		accel_get(&k->refs);
	}
	return 0;
}

static void fill_waits(struct submission *s, const struct accel_submit_options *opt)
{
	const struct drm_fence *fence;
	uint32_t i;

	for (i = 0; i < opt->wait_count; i++) {
		fence = (const struct drm_fence *)opt->wait[i];
		s->in[i].handle = fence->k->syncobj;
		s->in[i].flags = DRM_ETHOSUX_SYNC_TIMELINE | DRM_ETHOSUX_SYNC_NEEDS_SUCCESS;
		s->in[i].point = fence->point;
	}
}

static int extended_submit(struct drm_device *drm, struct drm_kqueue *k,
			   const struct accel_job *jobs, size_t count,
			   const struct accel_submit_options *opt, struct accel_fence **fences,
			   struct accel_error *err)
{
	struct submission s = { 0 };
	uint32_t perfmon;
	size_t i;
	int ret;

	ret = submission_alloc(&s, drm, count, opt);
	if (ret) {
		accel_fail(err, ret, "submit: out of memory");
		goto fail;
	}
	ret = check_limits(drm, opt, err);
	for (i = 0; !ret && i < count; i++)
		ret = drm_job_fill(drm, accel_job_at(jobs, i), i, &s.jobs[i].job,
				   s.jobs[i].region_offset, s.jobs[i].region_length, err);
	if (ret)
		goto fail;
	fill_waits(&s, opt);
	ret = perfmon_get(drm, opt, &perfmon);
	if (!ret) {
		pthread_mutex_lock(&k->lock);
		ret = submission_send(&s, drm, k, count, opt, perfmon);
		pthread_mutex_unlock(&k->lock);
	}
	if (ret) {
		ret = drm_submit_error(drm, ret, err);
		goto fail;
	}
	for (i = 0; i < s.fence_count; i++) {
		accel_device_ref(&drm->base);
		if (fences)
			fences[i] = &s.fences[i]->base;
		else
			accel_fence_unref(&s.fences[i]->base);
	}
	submission_free(&s);
	return 0;
fail:
	submission_undo(&s);
	return ret;
}

int drm_submit(struct accel_queue *base, const struct accel_job *jobs, size_t count,
	       const struct accel_submit_options *opt, struct accel_fence **fences,
	       struct accel_error *err)
{
	struct drm_device *drm = to_drm(base->device);
	struct drm_queue *queue = (struct drm_queue *)base;

	/* Lazy or not, the kernel starts at once. */
	if (queue->k)
		return extended_submit(drm, queue->k, jobs, count, opt, fences, err);
	return drm_mainline_submit(drm, jobs, count, opt, fences, err);
}
