/* SPDX-License-Identifier: MIT */
/* Queues and fences of a simulated device: who runs which job when, and who is told. */
#include "sim.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/* Fences kept for the next submission. */
#define FREE_FENCES_MAX 64

static struct sim_device *to_sim(struct accel_device *device)
{
	return (struct sim_device *)device;
}

static struct sim_fence *to_fence(struct accel_fence *fence)
{
	return (struct sim_fence *)fence;
}

/* ---- fences ---- */

/* With the lock held. */
static struct sim_fence *fence_new(struct sim_device *sim, uint32_t count)
{
	struct sim_fence **link, *fence;

	for (link = &sim->free_fences; (fence = *link); link = &fence->next_free) {
		if (fence->capacity < count)
			continue;
		*link = fence->next_free;
		sim->free_count--;
		goto found;
	}
	fence = malloc(sizeof(*fence) + count * sizeof(fence->jobs[0]));
	if (!fence)
		return NULL;
	fence->capacity = count;
found:
	fence->base.device = &sim->base;
	fence->base.refs = 1;
	fence->base.count = count;
	fence->next_free = NULL;
	fence->done = 0;
	fence->status = 0;
	fence->pending = count;
	fence->event_fd = -1;
	return fence;
}

/* With the lock held: no one has a reference. */
static void fence_free(struct sim_device *sim, struct sim_fence *fence)
{
	if (fence->event_fd >= 0)
		close(fence->event_fd);
	if (sim->free_count == FREE_FENCES_MAX) {
		free(fence);
		return;
	}
	fence->next_free = sim->free_fences;
	sim->free_fences = fence;
	sim->free_count++;
}

void sim_fence_destroy(struct accel_fence *fence)
{
	struct sim_device *sim = to_sim(fence->device);

	pthread_mutex_lock(&sim->lock);
	fence_free(sim, to_fence(fence));
	pthread_mutex_unlock(&sim->lock);
}

static void fence_signal(struct sim_device *sim, struct sim_fence *fence)
{
	static const uint64_t one = 1;
	uint32_t i;

	for (i = 0; i < fence->base.count; i++)
		if (fence->status != -EIO && fence->jobs[i].result.error)
			fence->status = fence->jobs[i].result.error;
	__atomic_store_n(&fence->done, 1, __ATOMIC_RELEASE);
	/* An eventfd takes this whatever its state but 2^64 - 2 writes from now. */
	if (fence->event_fd >= 0 && write(fence->event_fd, &one, sizeof(one)) < 0)
		snprintf(sim->trace, sizeof(sim->trace), "eventfd: %s", strerrordesc_np(errno));
	if (sim->waiters)
		pthread_cond_broadcast(&sim->done);
	if (!accel_put(&fence->base.refs))
		return;
	fence_free(sim, fence);
	sim->dead |= accel_put(&sim->base.refs);
}

/* ---- jobs ---- */

/* Without the lock: what the job held, its fence excepted. */
static void job_unref(struct sim_job *job)
{
	unsigned int i;

	for (i = 0; i < SIM_REGIONS; i++)
		accel_buffer_unref(job->buffer[i]);
	accel_program_unref(job->program);
	if (!job->waits || !accel_put(&job->waits->refs))
		return;
	for (i = 0; i < job->waits->count; i++)
		accel_fence_unref(job->waits->fences[i]);
	free(job->waits);
}

/* With the lock held. */
static void job_drop_views(struct sim_job *job)
{
	unsigned int i;

	if (job->stream)
		job->stream->users--;
	for (i = 0; i < SIM_REGIONS; i++)
		if (job->view[i])
			job->view[i]->users--;
}

/* With the lock held: its result is final. The job may be gone afterwards. */
static void job_done(struct sim_device *sim, struct sim_job *job)
{
	if (!--job->fence->pending)
		fence_signal(sim, job->fence);
}

static void job_cancel(struct sim_job *job, const char *why)
{
	job->result.state = ACCEL_JOB_CANCELLED;
	job->result.error = -ECANCELED;
	snprintf(job->result.cause, sizeof(job->result.cause), "%s", why);
}

/*
 * Fill @job; with the lock held. On failure the views it got so far stay in it for
 * job_drop_views(). References to what it uses are taken in job_ref(), when nothing can fail any
 * more.
 */
static int job_init(struct sim_device *sim, struct sim_job *job, struct sim_fence *fence,
		    const struct accel_job *desc, const struct accel_submit_options *opt)
{
	struct sim_program *program = (struct sim_program *)desc->program;
	const struct accel_binding *b;
	struct sim_view **view;
	uint32_t i;

	memset(job, 0, offsetof(struct sim_job, result.cause) + 1);
	job->fence = fence;
	job->program = desc->program;
	memcpy(job->events, opt->events, sizeof(job->events));
	job->result.size = sizeof(job->result);
	job->result.event_count = opt->event_count;

	job->stream = sim_view_get(sim, (struct sim_buffer *)program->stream, 0,
				   program->stream->size);
	if (!job->stream)
		return -ENOMEM;
	if (desc->program->constants) {
		view = &job->view[desc->program->constants_region];
		*view = sim_view_get(sim, (struct sim_buffer *)desc->program->constants, 0,
				     desc->program->constants->size);
		if (!*view)
			return -ENOMEM;
	}
	if (desc->sram_size) {
		view = &job->view[sim->base.info.sram_region];
		*view = sim_view_get(sim, sim->sram, 0, desc->sram_size);
		if (!*view)
			return -ENOMEM;
	}
	for (i = 0; i < desc->binding_count; i++) {
		b = &desc->bindings[i];
		view = &job->view[b->region];
		*view = sim_view_get(sim, (struct sim_buffer *)b->buffer, b->offset,
				     b->length ? b->length : b->buffer->size - b->offset);
		if (!*view)
			return -ENOMEM;
		job->buffer[b->region] = b->buffer;
	}
	return 0;
}

static void job_ref(struct sim_job *job, struct sim_waits *waits, uint64_t now)
{
	unsigned int i;

	accel_program_ref(job->program);
	for (i = 0; i < SIM_REGIONS; i++)
		if (job->buffer[i])
			accel_buffer_ref(job->buffer[i]);
	if (waits)
		accel_get(&waits->refs);
	job->waits = waits;
	job->result.queued_ns = now;
}

/* ---- running ---- */

/* Whether the job's turn has come. */
static bool job_ready(const struct sim_job *job)
{
	uint32_t i;

	for (i = 0; job->waits && i < job->waits->count; i++)
		if (!__atomic_load_n(&to_fence(job->waits->fences[i])->done, __ATOMIC_ACQUIRE))
			return false;
	return true;
}

static bool job_in_vain(const struct sim_job *job)
{
	uint32_t i;

	for (i = 0; job->waits && i < job->waits->count; i++)
		if (to_fence(job->waits->fences[i])->status)
			return true;
	return false;
}

/* With the lock held: the job to run next, no longer queued, or NULL. */
static struct sim_job *pick(struct sim_device *sim)
{
	struct sim_queue *queue;
	struct sim_job *job;
	unsigned int level;

	for (level = SIM_PRIORITIES; level-- > 0;) {
		TAILQ_FOREACH(queue, &sim->queues[level], link) {
			job = STAILQ_FIRST(&queue->jobs);
			if (!job_ready(job))
				continue;
			STAILQ_REMOVE_HEAD(&queue->jobs, link);
			TAILQ_REMOVE(&sim->queues[level], queue, link);
			if (!STAILQ_EMPTY(&queue->jobs))
				TAILQ_INSERT_TAIL(&sim->queues[level], queue, link);
			return job;
		}
	}
	return NULL;
}

static bool idle(const struct sim_device *sim)
{
	unsigned int level;

	for (level = 0; level < SIM_PRIORITIES; level++)
		if (!TAILQ_EMPTY(&sim->queues[level]))
			return false;
	return true;
}

/*
 * Run one job if there is one and no one else does; the lock is held but while the NPU runs. True
 * if there was one.
 */
static bool run_one(struct sim_device *sim)
{
	struct sim_job *job;
	bool in_vain;

	if (sim->executing)
		return false;
	job = pick(sim);
	if (!job)
		return false;
	sim->executing = true;
	job->result.state = ACCEL_JOB_RUNNING;
	pthread_mutex_unlock(&sim->lock);

	in_vain = job_in_vain(job);
	if (!in_vain)
		sim_device_run(sim, job);
	/* What dies here is buried, and reaped below: its views are still in use. */
	job_unref(job);

	pthread_mutex_lock(&sim->lock);
	job_drop_views(job);
	if (in_vain)
		job_cancel(job, "a fence it waited for is not done well");
	else
		memcpy(&job->result, &sim->outcome, offsetof(struct accel_job_result, cause) +
		       strlen(sim->outcome.cause) + 1);
	job_done(sim, job);
	sim->executing = false;
	sim_reap(sim);
	if (idle(sim))
		sim->want = false;
	else if (sim->want && sim->worker_idle)
		pthread_cond_signal(&sim->work);
	return true;
}

static void *worker(void *arg)
{
	struct sim_device *sim = arg;
	bool dead;

	pthread_mutex_lock(&sim->lock);
	while (!sim->stop && !sim->dead) {
		if (sim->want && run_one(sim))
			continue;
		sim->worker_idle = true;
		pthread_cond_wait(&sim->work, &sim->lock);
		sim->worker_idle = false;
	}
	dead = sim->dead;
	pthread_mutex_unlock(&sim->lock);
	/* The user gave everything back while the last job ran. */
	if (dead)
		accel_sim.close(&sim->base);
	return NULL;
}

/* With the lock held: have the worker run what is queued. */
static void kick(struct sim_device *sim)
{
	sim->want = true;
	if (sim->worker_idle && !sim->executing)
		pthread_cond_signal(&sim->work);
}

int sim_queue_start(struct sim_device *sim)
{
	sigset_t all, old;
	int ret;

	/* The program's signals are for its own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = pthread_create(&sim->worker, NULL, worker, sim);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -ret;
}

void sim_queue_stop(struct sim_device *sim)
{
	struct sim_fence *fence;

	if (pthread_equal(pthread_self(), sim->worker)) {
		pthread_detach(sim->worker);
	} else {
		pthread_mutex_lock(&sim->lock);
		sim->stop = true;
		pthread_cond_signal(&sim->work);
		pthread_mutex_unlock(&sim->lock);
		pthread_join(sim->worker, NULL);
	}
	while ((fence = sim->free_fences)) {
		sim->free_fences = fence->next_free;
		free(fence);
	}
}

/* ---- what the public calls ask for ---- */

int sim_queue_create(struct accel_device *device, uint32_t priority, struct accel_queue **out,
		     struct accel_error *err)
{
	struct sim_queue *queue;

	(void)device;
	(void)priority;	/* comes with the generic part */
	queue = calloc(1, sizeof(*queue));
	if (!queue)
		return accel_fail(err, -ENOMEM, "queue: out of memory");
	STAILQ_INIT(&queue->jobs);
	*out = &queue->base;
	return 0;
}

void sim_queue_destroy(struct accel_queue *base)
{
	struct sim_device *sim = to_sim(base->device);
	struct sim_queue *queue = (struct sim_queue *)base;
	struct sim_job *job;

	pthread_mutex_lock(&sim->lock);
	if (!STAILQ_EMPTY(&queue->jobs))
		TAILQ_REMOVE(&sim->queues[queue->base.priority], queue, link);
	STAILQ_FOREACH(job, &queue->jobs, link)
		job_drop_views(job);
	pthread_mutex_unlock(&sim->lock);

	STAILQ_FOREACH(job, &queue->jobs, link)
		job_unref(job);

	pthread_mutex_lock(&sim->lock);
	while ((job = STAILQ_FIRST(&queue->jobs))) {
		STAILQ_REMOVE_HEAD(&queue->jobs, link);
		job_cancel(job, "its queue was given back before it started");
		job_done(sim, job);
	}
	/* Jobs of other queues may have waited for these. */
	if (sim->want && sim->worker_idle)
		pthread_cond_signal(&sim->work);
	pthread_mutex_unlock(&sim->lock);
	free(queue);
}

static int waits_new(const struct accel_submit_options *opt, struct sim_waits **out)
{
	struct sim_waits *waits;
	uint32_t i;

	*out = NULL;
	if (!opt->wait_count)
		return 0;
	waits = malloc(sizeof(*waits) + opt->wait_count * sizeof(waits->fences[0]));
	if (!waits)
		return -ENOMEM;
	waits->refs = 0;
	waits->count = opt->wait_count;
	for (i = 0; i < opt->wait_count; i++)
		waits->fences[i] = accel_fence_ref(opt->wait[i]);
	*out = waits;
	return 0;
}

static void waits_free(struct sim_waits *waits)
{
	uint32_t i;

	for (i = 0; waits && i < waits->count; i++)
		accel_fence_unref(waits->fences[i]);
	free(waits);
}

/* With the lock held: fences in a chain, their jobs filled, or NULL and nothing changed. */
static struct sim_fence *prepare(struct sim_device *sim, const struct accel_job *jobs, size_t count,
				 const struct accel_submit_options *opt)
{
	size_t each = opt->flags & ACCEL_SUBMIT_FENCE_PER_JOB ? 1 : count;
	struct sim_fence *first = NULL, **link = &first, *fence;
	size_t i = 0, filled = 0;
	int ret = 0;

	while (!ret && i < count) {
		fence = fence_new(sim, (uint32_t)each);
		if (!fence)
			break;
		*link = fence;
		link = &fence->next_free;
		for (filled = 0; !ret && filled < each; filled++, i++)
			ret = job_init(sim, &fence->jobs[filled], fence, accel_job_at(jobs, i),
				       opt);
	}
	if (!ret && i == count)
		return first;
	/* All fences are full but the last, whose first @filled jobs have views. */
	while ((fence = first)) {
		size_t n = fence->next_free ? each : filled;

		first = fence->next_free;
		while (n--)
			job_drop_views(&fence->jobs[n]);
		fence_free(sim, fence);
	}
	return NULL;
}

int sim_submit(struct accel_queue *base, const struct accel_job *jobs, size_t count,
	       const struct accel_submit_options *opt, struct accel_fence **fences,
	       struct accel_error *err)
{
	struct sim_device *sim = to_sim(base->device);
	struct sim_queue *queue = (struct sim_queue *)base;
	struct sim_fence *fence, *next;
	struct sim_waits *waits;
	uint64_t now = (uint64_t)accel_now();
	uint32_t i;

	if (waits_new(opt, &waits))
		return accel_fail(err, -ENOMEM, "submit: out of memory");
	pthread_mutex_lock(&sim->lock);
	fence = prepare(sim, jobs, count, opt);
	if (!fence) {
		pthread_mutex_unlock(&sim->lock);
		waits_free(waits);
		return accel_fail(err, -ENOMEM, "submit: out of memory");
	}
	if (STAILQ_EMPTY(&queue->jobs))
		TAILQ_INSERT_TAIL(&sim->queues[queue->base.priority], queue, link);
	for (; fence; fence = next) {
		next = fence->next_free;
		fence->next_free = NULL;
		accel_device_ref(&sim->base);
		for (i = 0; i < fence->base.count; i++) {
			job_ref(&fence->jobs[i], waits, now);
			STAILQ_INSERT_TAIL(&queue->jobs, &fence->jobs[i], link);
		}
		if (fences) {
			accel_get(&fence->base.refs);
			*fences++ = &fence->base;
		}
	}
	if (!(opt->flags & ACCEL_SUBMIT_LAZY))
		kick(sim);
	pthread_mutex_unlock(&sim->lock);
	return 0;
}

/* With the lock held: run jobs in this thread until the fence is done. */
static void help(struct sim_device *sim, struct sim_fence *fence)
{
	while (!fence->done) {
		if (run_one(sim))
			continue;
		sim->waiters++;
		pthread_cond_wait(&sim->done, &sim->lock);
		sim->waiters--;
	}
}

static void wait_until(struct sim_device *sim, struct sim_fence *fence, int64_t deadline)
{
	struct timespec ts = { deadline / 1000000000, deadline % 1000000000 };
	int ret = 0;

	kick(sim);
	while (!fence->done && !ret && deadline) {
		sim->waiters++;
		ret = pthread_cond_timedwait(&sim->done, &sim->lock, &ts);
		sim->waiters--;
	}
}

int sim_fence_wait(struct accel_fence *base, int64_t deadline)
{
	struct sim_device *sim = to_sim(base->device);
	struct sim_fence *fence = to_fence(base);
	int ret;

	if (__atomic_load_n(&fence->done, __ATOMIC_ACQUIRE))
		return fence->status;
	pthread_mutex_lock(&sim->lock);
	if (deadline == INT64_MAX)
		help(sim, fence);
	else if (!fence->done)
		wait_until(sim, fence, deadline);
	ret = fence->done ? fence->status : -ETIME;
	pthread_mutex_unlock(&sim->lock);
	return ret;
}

int sim_fence_fd(struct accel_fence *base, int *fd, struct accel_error *err)
{
	struct sim_device *sim = to_sim(base->device);
	struct sim_fence *fence = to_fence(base);
	int ret = 0;

	pthread_mutex_lock(&sim->lock);
	if (fence->event_fd < 0)
		fence->event_fd = eventfd(fence->done, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fence->event_fd < 0 || (*fd = fcntl(fence->event_fd, F_DUPFD_CLOEXEC, 0)) < 0)
		ret = -errno;
	if (!ret && !fence->done)
		kick(sim);
	pthread_mutex_unlock(&sim->lock);
	if (ret)
		accel_fail(err, ret, "fence: no fd: %s", strerrordesc_np(-ret));
	return ret;
}

void sim_fence_result(struct accel_fence *base, size_t index, struct accel_job_result *result)
{
	struct sim_device *sim = to_sim(base->device);
	const struct sim_job *job = &to_fence(base)->jobs[index];

	pthread_mutex_lock(&sim->lock);
	memcpy(result, &job->result, offsetof(struct accel_job_result, cause));
	strcpy(result->cause, job->result.cause);
	pthread_mutex_unlock(&sim->lock);
}
