/* SPDX-License-Identifier: MIT */
/* Fences of a DRM device: waiting, fds, what became of the jobs and how to say it. */
#include "drm.h"

#include <drm.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "uapi/ethosu_regs.h"

static struct drm_fence *to_fence(struct accel_fence *fence)
{
	return (struct drm_fence *)fence;
}

struct drm_fence *drm_fence_new(struct drm_device *drm, uint32_t count)
{
	struct drm_fence *fence = calloc(1, sizeof(*fence) + count * sizeof(fence->results[0]));

	if (!fence)
		return NULL;
	fence->base.device = &drm->base;
	fence->base.refs = 1;
	fence->base.count = count;
	pthread_mutex_init(&fence->lock, NULL);
	return fence;
}

void drm_fence_free(struct drm_fence *fence)
{
	struct drm_device *drm = to_drm(fence->base.device);
	struct drm_ethosu_perfmon_destroy destroy = { 0 };
	uint32_t i;

	for (i = 0; fence->perfmons && i < fence->base.count; i++) {
		destroy.id = fence->perfmons[i];
		if (destroy.id)
			drm_ask(drm, DRM_IOCTL_ETHOSU_PERFMON_DESTROY, &destroy);
	}
	free(fence->perfmons);
	accel_buffer_unref(fence->written);
	if (fence->k)
		drm_kqueue_put(fence->k);
	pthread_mutex_destroy(&fence->lock);
	free(fence);
}

void drm_fence_destroy(struct accel_fence *fence)
{
	drm_fence_free(to_fence(fence));
}

/* ---- results ---- */

static void take_info(const struct drm_ethosux_job_info *info, struct drm_result *r)
{
	r->kstate = info->state;
	r->error = info->error;
	r->status = info->status;
	r->offset = info->offset;
	r->cycles = info->cycles;
	r->queued_ns = info->queued_ns;
	r->started_ns = info->started_ns;
	r->ended_ns = info->ended_ns;
	r->event_count = info->event_count;
	if (r->event_count > ACCEL_MAX_EVENTS)
		r->event_count = ACCEL_MAX_EVENTS;
	memcpy(r->events, info->events, sizeof(r->events));
}

/*
 * The kernel has forgotten the job, as it does when very many came after it. If none of the queue
 * ever failed that late, this one did not.
 */
static void guess(struct drm_fence *fence, uint64_t seqno, struct drm_result *r)
{
	struct drm_ethosux_queue_get_state state = { .id = fence->k->id };
	struct drm_device *drm = fence->k->device;

	r->kstate = DRM_ETHOSUX_JOB_DONE;
	if (!drm_ask(drm, DRM_IOCTL_ETHOSUX_QUEUE_GET_STATE, &state) && state.last_failed < seqno)
		return;
	r->kstate = DRM_ETHOSUX_JOB_FAULTED;
	r->error = -EIO;
	fence->lost = true;
}

/* With the fence's lock. */
static void ask_job(struct drm_fence *fence, uint32_t i)
{
	struct drm_ethosux_job_info info = { .queue_id = fence->k->id, .seqno = fence->seqno + i };
	int ret = drm_ask(fence->k->device, DRM_IOCTL_ETHOSUX_JOB_INFO, &info);

	if (!ret)
		take_info(&info, &fence->results[i]);
	else if (ret == -ENOENT)
		guess(fence, info.seqno, &fence->results[i]);
}

static int status_of(uint32_t kstate)
{
	switch (kstate) {
	case DRM_ETHOSUX_JOB_FAULTED:
	case DRM_ETHOSUX_JOB_TIMED_OUT:
		return -EIO;
	case DRM_ETHOSUX_JOB_CANCELLED:
	case DRM_ETHOSUX_JOB_INNOCENT:
		return -ECANCELED;
	default:
		return 0;
	}
}

/* The jobs ended, or the device went: note what became of them, once. Return: how it is done. */
static int collect(struct drm_fence *fence, bool gone)
{
	uint32_t i;
	int ret;

	pthread_mutex_lock(&fence->lock);
	if (fence->done)
		goto out;
	fence->lost = gone;
	for (i = 0; i < fence->base.count; i++) {
		if (gone) {
			fence->results[i].kstate = DRM_ETHOSUX_JOB_FAULTED;
			fence->results[i].error = -EIO;
		} else if (fence->k) {
			ask_job(fence, i);
		} else {
			fence->results[i].kstate = DRM_ETHOSUX_JOB_DONE;
		}
		ret = status_of(fence->results[i].kstate);
		if (fence->status != -EIO && ret)
			fence->status = ret;
	}
	if (!fence->k && !gone)
		drm_mainline_results(fence);
	__atomic_store_n(&fence->done, 1, __ATOMIC_RELEASE);
out:
	pthread_mutex_unlock(&fence->lock);
	return fence->status;
}

static const struct {
	uint32_t bit;
	const char *text;
} status_texts[] = {
	{ ETHOSU_REG_BIT(STATUS_BUS_STATUS), "an access was refused on the bus" },
	{ ETHOSU_REG_BIT(STATUS_CMD_PARSE_ERROR), "a command makes no sense to it" },
	{ ETHOSU_REG_BIT(STATUS_WD_FAULT), "the weights do not decode" },
	{ ETHOSU_REG_BIT(STATUS_ECC_FAULT), "its memory lost a bit" },
	{ ETHOSU_REG_BIT(STATUS_BRANCH_FAULT), "a branch went wrong" },
};

static void say_cause(const struct drm_fence *fence, const struct drm_result *r, char *text,
		      size_t len)
{
	const char *what = "it does not say why";
	size_t i;

	if (fence->lost) {
		snprintf(text, len, "the device is gone, or the kernel has forgotten the job");
		return;
	}
	switch (r->kstate) {
	case DRM_ETHOSUX_JOB_FAULTED:
		for (i = sizeof(status_texts) / sizeof(*status_texts); i-- > 0;)
			if (r->status & status_texts[i].bit)
				what = status_texts[i].text;
		snprintf(text, len, "the NPU stopped at byte %u of the command stream: %s (STATUS "
			 "0x%x)", r->offset, what, r->status);
		return;
	case DRM_ETHOSUX_JOB_TIMED_OUT:
		snprintf(text, len, "it ran longer than the kernel allows and was stopped at byte %u "
			 "of the command stream", r->offset);
		return;
	case DRM_ETHOSUX_JOB_CANCELLED:
		snprintf(text, len, "its queue was given back before it started, or a fence it waited "
			 "for is not done well");
		return;
	case DRM_ETHOSUX_JOB_INNOCENT:
		snprintf(text, len, "another job made the kernel reset the NPU: submit it again");
		return;
	}
}

static void fill_result(const struct drm_fence *fence, const struct drm_result *r,
			struct accel_job_result *out)
{
	static const uint32_t states[] = {
		[DRM_ETHOSUX_JOB_QUEUED] = ACCEL_JOB_QUEUED,
		[DRM_ETHOSUX_JOB_RUNNING] = ACCEL_JOB_RUNNING,
		[DRM_ETHOSUX_JOB_DONE] = ACCEL_JOB_DONE,
		[DRM_ETHOSUX_JOB_FAULTED] = ACCEL_JOB_FAULTED,
		[DRM_ETHOSUX_JOB_TIMED_OUT] = ACCEL_JOB_FAULTED,
		[DRM_ETHOSUX_JOB_CANCELLED] = ACCEL_JOB_CANCELLED,
		[DRM_ETHOSUX_JOB_INNOCENT] = ACCEL_JOB_CANCELLED,
	};

	if (r->kstate < sizeof(states) / sizeof(*states))
		out->state = states[r->kstate];
	out->error = status_of(r->kstate);
	out->queued_ns = r->queued_ns;
	out->event_count = r->event_count;
	if (r->kstate == DRM_ETHOSUX_JOB_QUEUED || r->kstate == DRM_ETHOSUX_JOB_RUNNING)
		return;
	out->status = r->status;
	out->offset = out->state == ACCEL_JOB_FAULTED ? r->offset : 0;
	out->cycles = r->cycles;
	out->started_ns = r->started_ns;
	out->ended_ns = r->ended_ns;
	memcpy(out->events, r->events, sizeof(out->events));
	say_cause(fence, r, out->cause, sizeof(out->cause));
}

void drm_fence_result(struct accel_fence *base, size_t index, struct accel_job_result *result)
{
	struct drm_fence *fence = to_fence(base);

	if (!fence->k && !__atomic_load_n(&fence->done, __ATOMIC_ACQUIRE))
		drm_fence_wait(base, 0);
	pthread_mutex_lock(&fence->lock);
	if (fence->k && !fence->done)
		ask_job(fence, (uint32_t)index);
	fill_result(fence, &fence->results[index], result);
	pthread_mutex_unlock(&fence->lock);
}

/* ---- waiting ---- */

static int extended_wait(struct drm_fence *fence, int64_t deadline)
{
	struct drm_syncobj_timeline_wait wait = {
		.handles = drm_ptr(&fence->k->syncobj),
		.points = drm_ptr(&fence->point),
		.timeout_nsec = deadline,
		.count_handles = 1,
	};

	return drm_ask(fence->k->device, DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT, &wait);
}

int drm_fence_wait(struct accel_fence *base, int64_t deadline)
{
	struct drm_fence *fence = to_fence(base);
	int ret;

	if (__atomic_load_n(&fence->done, __ATOMIC_ACQUIRE))
		return fence->status;
	if (fence->k)
		ret = extended_wait(fence, deadline);
	else
		ret = drm_mainline_wait(fence, deadline);
	if (ret == -ETIME)
		return ret;
	return collect(fence, ret != 0);
}

/* ---- an fd ---- */

struct watch {
	struct accel_fence *fence;
	int fd;
};

/* Linux's driver has no fence to poll: a thread that waits. It ends with the jobs. */
static void *watch(void *arg)
{
	static const uint64_t one = 1;
	struct watch *w = arg;
	ssize_t n;

	drm_fence_wait(w->fence, INT64_MAX);
	n = write(w->fd, &one, sizeof(one));
	(void)n;	/* an eventfd takes it */
	close(w->fd);
	accel_fence_unref(w->fence);
	free(w);
	return NULL;
}

static int start_watch(struct accel_fence *fence, int fd)
{
	struct watch *w = malloc(sizeof(*w));
	sigset_t all, old;
	pthread_t id;
	int ret = ENOMEM;

	if (!w)
		return -ENOMEM;
	w->fd = dup(fd);
	if (w->fd < 0) {
		ret = errno;
		free(w);
		return -ret;
	}
	w->fence = accel_fence_ref(fence);
	/* The program's signals are for its own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = pthread_create(&id, NULL, watch, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!ret) {
		pthread_detach(id);
		return 0;
	}
	close(w->fd);
	accel_fence_unref(fence);
	free(w);
	return -ret;
}

static int watched_fd(struct drm_fence *fence, bool done, int *fd)
{
	int event, ret;

	event = eventfd(done, EFD_CLOEXEC | EFD_NONBLOCK);
	if (event < 0)
		return -errno;
	ret = done ? 0 : start_watch(&fence->base, event);
	if (ret) {
		close(event);
		return ret;
	}
	*fd = event;
	return 0;
}

/* A sync_file: outlives all objects of the library, and other drivers know what it is. */
static int sync_file(struct drm_fence *fence, int *fd)
{
	struct drm_device *drm = fence->k->device;
	struct drm_syncobj_create create = { 0 };
	struct drm_syncobj_transfer transfer = { .src_handle = fence->k->syncobj,
						 .src_point = fence->point };
	struct drm_syncobj_handle export = { .flags = DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_EXPORT_SYNC_FILE,
					     .fd = -1 };
	struct drm_syncobj_destroy destroy;
	int ret;

	ret = drm_ask(drm, DRM_IOCTL_SYNCOBJ_CREATE, &create);
	if (ret)
		return ret;
	transfer.dst_handle = export.handle = create.handle;
	ret = drm_ask(drm, DRM_IOCTL_SYNCOBJ_TRANSFER, &transfer);
	if (!ret)
		ret = drm_ask(drm, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &export);
	destroy = (struct drm_syncobj_destroy){ .handle = create.handle };
	drm_ask(drm, DRM_IOCTL_SYNCOBJ_DESTROY, &destroy);
	if (!ret)
		*fd = export.fd;
	return ret;
}

int drm_fence_fd(struct accel_fence *base, int *fd, struct accel_error *err)
{
	struct drm_fence *fence = to_fence(base);
	bool done = drm_fence_wait(base, 0) != -ETIME;
	int ret;

	if (fence->k && !done)
		ret = sync_file(fence, fd);
	else
		ret = watched_fd(fence, done, fd);
	if (ret)
		return accel_fail(err, ret, "fence: no fd: %s", strerrordesc_np(-ret));
	return 0;
}
