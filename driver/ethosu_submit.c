// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Submission: from what user space hands in to jobs in a queue, all of them or none.
 *
 * First everything that can fail: jobs made and checked against what their streams use, fences to wait for
 * looked up, memory for those to come reserved, the NPU powered. Then, with the queue's submit_lock and the
 * buffers' reservations held, what can not: fences get their numbers and are shown to the world.
 */
#include <linux/dma-fence-chain.h>
#include <linux/dma-resv.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/uaccess.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_print.h>
#include <drm/drm_syncobj.h>

#include "ethosu_device.h"

#define ADDR_ALIGN	16

/* A buffer (or several that share a reservation) of a submission. */
struct use {
	struct drm_gem_object *obj;
	bool write;
};

struct out_sync {
	struct drm_syncobj *syncobj;
	struct dma_fence_chain *chain;
	u64 point;
	u32 job;
};

/**
 * struct submission - all of one ioctl
 * @edev: the device
 * @file: who wants it
 * @queue: where the jobs go
 * @jobs: the jobs
 * @count: how many are made
 * @use: buffers of all jobs, without repetition by reservation
 * @objs: the same, as DRM wants them
 * @uses: how many
 * @out: what is signalled
 * @outs: how many
 * @explicit_only: DRM_ETHOSUX_SUBMIT_NO_IMPLICIT
 * @powered: @count references to the power are held
 */
struct submission {
	struct ethosu_device *edev;
	struct drm_file *file;
	struct ethosu_queue *queue;
	struct ethosu_job **jobs;
	u32 count;
	struct use *use;
	struct drm_gem_object **objs;
	u32 uses;
	struct out_sync *out;
	u32 outs;
	bool explicit_only;
	bool powered;
};

static const char *fence_driver_name(struct dma_fence *fence)
{
	return "ethosu";
}

static const char *fence_timeline_name(struct dma_fence *fence)
{
	return "ethosu-queue";
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_driver_name,
	.get_timeline_name = fence_timeline_name,
};

/* Let go of all that a job holds. Sleeps. The memory itself goes with the last reference to its fence. */
void ethosu_job_free(struct ethosu_job *job)
{
	struct ethosu_dep *dep, *next;
	unsigned int i;

	list_for_each_entry_safe(dep, next, &job->deps, node) {
		dma_fence_put(dep->fence);
		kfree(dep);
	}
	if (job->perfmon)
		ethosu_perfmon_put(job->perfmon);
	for (i = 0; i < ETHOSU_MAX_REGIONS; i++)
		if (job->regions[i])
			drm_gem_object_put(&job->regions[i]->base);
	if (job->cmd)
		drm_gem_object_put(&job->cmd->base);
	ethosu_queue_put(job->queue);
	if (job->info.seqno)
		dma_fence_put(&job->fence);
	else
		kfree(job);
}

static int look_up(struct drm_file *file, u32 handle, struct ethosu_bo **bo)
{
	struct drm_gem_object *obj = drm_gem_object_lookup(file, handle);

	if (!obj)
		return -ENOENT;
	*bo = to_ethosu_bo(obj);
	return 0;
}

/* Find the memory of region @i. @args: the job. @ext: it came by QUEUE_SUBMIT, which allows more. */
static int take_region(struct submission *s, struct ethosu_job *job,
		       const struct drm_ethosux_job *args, unsigned int i, bool ext)
{
	const struct ethosu_region_use *use = &job->cmd->stream->region[i];
	u64 needed = max(use->read_end, use->write_end);
	u64 offset = args->region_offset[i], room;
	u32 handle = args->job.region_bo_handles[i];
	struct ethosu_bo *bo;
	int ret;

	job->base[i] = s->edev->nothing->dma;
	if (!handle && !needed)
		return offset || args->region_length[i] ? -EINVAL : 0;
	if (!handle && i == ETHOSU_SRAM_REGION) {
		if (needed <= job->sram_size)
			return 0;
		drm_dbg(&s->edev->base, "region %u: the stream uses %llu bytes, SRAM is %u\n", i,
			needed, job->sram_size);
		return -EINVAL;
	}
	if (handle && !needed && !ext) {
		drm_dbg(&s->edev->base, "region %u: not used by the stream, has buffer %u\n", i,
			handle);
		return -EINVAL;
	}
	ret = look_up(s->file, handle, &bo);
	if (ret) {
		drm_dbg(&s->edev->base, "region %u: no buffer %u\n", i, handle);
		return ret;
	}
	job->regions[i] = bo;
	if (bo->stream) {
		drm_dbg(&s->edev->base, "region %u: %u is a command stream\n", i, handle);
		return -EINVAL;
	}
	if (offset % ADDR_ALIGN || offset > bo->base.size ||
	    args->region_length[i] > bo->base.size - offset) {
		drm_dbg(&s->edev->base, "region %u: [%llu, +%llu) of buffer %u of %zu bytes\n", i,
			offset, args->region_length[i], handle, bo->base.size);
		return -EINVAL;
	}
	room = args->region_length[i] ?: bo->base.size - offset;
	if (needed > room) {
		drm_dbg(&s->edev->base, "region %u: the stream uses %llu bytes, there are %llu\n", i,
			needed, room);
		return -EOVERFLOW;
	}
	job->base[i] = bo->dma + offset;
	return 0;
}

static int check_job(struct submission *s, struct ethosu_job *job,
		     const struct drm_ethosux_job *args, bool ext)
{
	unsigned int i, k;
	int ret;

	if (args->flags || args->timeout_ms > ethosu_max_timeout_ms ||
	    (args->job.sram_size && args->job.region_bo_handles[ETHOSU_SRAM_REGION]) ||
	    args->job.sram_size > s->edev->info.sram_size) {
		drm_dbg(&s->edev->base, "job: SRAM %u of %u, flags 0x%x, timeout %u ms\n",
			args->job.sram_size, s->edev->info.sram_size, args->flags,
			args->timeout_ms);
		return -EINVAL;
	}
	job->sram_size = args->job.sram_size;
	job->timeout_ms = args->timeout_ms;
	job->info.user_data = args->user_data;
	ret = look_up(s->file, args->job.cmd_bo, &job->cmd);
	if (ret)
		return ret;
	if (!job->cmd->stream) {
		drm_dbg(&s->edev->base, "job: buffer %u is no command stream\n", args->job.cmd_bo);
		return -EINVAL;
	}
	for (i = 0; i < ETHOSU_MAX_REGIONS; i++) {
		ret = take_region(s, job, args, i, ext);
		if (ret)
			return ret;
		for (k = 0; !ext && job->regions[i] && k < i; k++)
			if (job->regions[k] == job->regions[i])
				return -EALREADY;
	}
	return 0;
}

static int add_job(struct submission *s, const struct drm_ethosux_job *args, bool ext,
		   struct ethosu_perfmon *perfmon)
{
	struct ethosu_job *job = kzalloc(sizeof(*job), GFP_KERNEL_ACCOUNT);

	if (!job)
		return -ENOMEM;
	job->edev = s->edev;
	job->queue = s->queue;
	kref_get(&s->queue->ref);
	INIT_LIST_HEAD(&job->node);
	INIT_LIST_HEAD(&job->deps);
	spin_lock_init(&job->fence_lock);
	job->info.queue_id = s->queue->id;
	if (perfmon) {
		kref_get(&perfmon->ref);
		job->perfmon = perfmon;
	}
	s->jobs[s->count++] = job;
	return check_job(s, job, args, ext);
}

static int compare_use(const void *a, const void *b)
{
	const struct use *x = a, *y = b;

	return x->obj->resv < y->obj->resv ? -1 : x->obj->resv > y->obj->resv;
}

/* Make the list of all buffers, each reservation once. */
static int collect_uses(struct submission *s)
{
	u32 i, n = 0, out = 0;
	unsigned int k;

	s->use = kvmalloc_array(s->count, (ETHOSU_MAX_REGIONS + 1) * sizeof(*s->use), GFP_KERNEL);
	s->objs = kvmalloc_array(s->count, (ETHOSU_MAX_REGIONS + 1) * sizeof(*s->objs), GFP_KERNEL);
	if (!s->use || !s->objs)
		return -ENOMEM;
	for (i = 0; i < s->count; i++) {
		struct ethosu_job *job = s->jobs[i];

		s->use[n++] = (struct use) { &job->cmd->base, false };
		for (k = 0; k < ETHOSU_MAX_REGIONS; k++)
			if (job->regions[k])
				s->use[n++] = (struct use) {
					&job->regions[k]->base,
					job->cmd->stream->region[k].write_end,
				};
	}
	sort(s->use, n, sizeof(*s->use), compare_use, NULL);
	for (i = 1; i < n; i++) {
		if (s->use[i].obj->resv == s->use[out].obj->resv)
			s->use[out].write |= s->use[i].write;
		else
			s->use[++out] = s->use[i];
	}
	s->uses = out + 1;
	for (i = 0; i < s->uses; i++)
		s->objs[i] = s->use[i].obj;
	return 0;
}

/*
 * Does @fence, which has signalled, carry an error? A point of a timeline has none of its own. No lock: a
 * callback is called with that of its fence held.
 */
static bool failed(struct dma_fence *fence)
{
	return READ_ONCE(dma_fence_chain_contained(fence)->error) < 0;
}

/*
 * Have @job wait for @fence, whose reference is taken over. @needs_success: and not run if it carries an
 * error.
 */
static int add_dep(struct ethosu_job *job, struct dma_fence *fence, bool needs_success)
{
	struct ethosu_dep *dep;
	bool done = dma_fence_is_signaled(fence);

	/* Its own queue's jobs run before it anyway. */
	if (done || (fence->context == job->queue->context && !needs_success)) {
		job->cancel |= needs_success && failed(fence);
		dma_fence_put(fence);
		return 0;
	}
	list_for_each_entry(dep, &job->deps, node) {
		if (dep->fence == fence) {
			dep->needs_success |= needs_success;
			dma_fence_put(fence);
			return 0;
		}
	}
	dep = kzalloc(sizeof(*dep), GFP_KERNEL_ACCOUNT);
	if (!dep) {
		dma_fence_put(fence);
		return -ENOMEM;
	}
	dep->fence = fence;
	dep->job = job;
	dep->needs_success = needs_success;
	list_add_tail(&dep->node, &job->deps);
	return 0;
}

/* What the buffers are busy with, the first job waits for, and with it all. */
static int collect_fences(struct submission *s)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	u32 i;
	int ret;

	for (i = 0; i < s->uses; i++) {
		struct dma_resv *resv = s->use[i].obj->resv;

		ret = dma_resv_reserve_fences(resv, 1);
		if (ret)
			return ret;
		dma_resv_for_each_fence(&cursor, resv, s->explicit_only ? DMA_RESV_USAGE_KERNEL :
					dma_resv_usage_rw(s->use[i].write), fence) {
			ret = add_dep(s->jobs[0], dma_fence_get(fence), false);
			if (ret)
				return ret;
		}
	}
	return 0;
}

static void dep_signalled(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct ethosu_dep *dep = container_of(cb, struct ethosu_dep, cb);

	ethosu_sched_ready(dep->job, dep->needs_success && failed(fence));
}

static void arm_deps(struct ethosu_job *job)
{
	struct ethosu_dep *dep;

	job->waiting = 1;
	list_for_each_entry(dep, &job->deps, node)
		job->waiting++;
	list_for_each_entry(dep, &job->deps, node) {
		dep->armed = true;
		if (dma_fence_add_callback(dep->fence, &dep->cb, dep_signalled)) {
			dep->armed = false;
			ethosu_sched_ready(job, dep->needs_success && failed(dep->fence));
		}
	}
}

/* From here on nothing fails. */
static void commit(struct submission *s)
{
	enum dma_resv_usage usage;
	struct dma_fence *last;
	u32 i;

	for (i = 0; i < s->count; i++) {
		struct ethosu_job *job = s->jobs[i];

		job->info.seqno = s->queue->submitted + 1 + i;
		job->last = s->queue->submitted + s->count;
		job->powered = true;
		dma_fence_init(&job->fence, &fence_ops, &job->fence_lock, s->queue->context,
			       job->info.seqno);
		/* One for the scheduler, one for here. */
		dma_fence_get(&job->fence);
		arm_deps(job);
	}
	/* The last job's fence stands for all: they end in order. */
	last = &s->jobs[s->count - 1]->fence;
	for (i = 0; i < s->uses; i++) {
		usage = s->explicit_only ? DMA_RESV_USAGE_BOOKKEEP :
			s->use[i].write ? DMA_RESV_USAGE_WRITE : DMA_RESV_USAGE_READ;
		dma_resv_add_fence(s->use[i].obj->resv, last, usage);
	}
	for (i = 0; i < s->outs; i++) {
		struct out_sync *out = &s->out[i];
		struct dma_fence *fence = &s->jobs[out->job]->fence;

		if (out->chain)
			drm_syncobj_add_point(out->syncobj, out->chain, fence, out->point);
		else
			drm_syncobj_replace_fence(out->syncobj, fence);
		out->chain = NULL;
	}
}

static void push(struct submission *s)
{
	u32 i;

	ethosu_sched_push(s->jobs, s->count);
	for (i = 0; i < s->count; i++) {
		dma_fence_put(&s->jobs[i]->fence);
		s->jobs[i] = NULL;
	}
	s->powered = false;
}

static int power(struct submission *s)
{
	int ret;
	u32 i;

	/* The first may have to wake it, for the others it is awake. */
	for (i = 0; i < s->count; i++) {
		ret = ethosu_pm_on(s->edev);
		if (!ret)
			continue;
		while (i--)
			ethosu_pm_off(s->edev);
		return ret;
	}
	s->powered = true;
	return ethosu_revive(s->edev, s->queue->core_mask);
}

/* Jobs are made, syncobjs found. @seqno: of the first job, if all goes well. */
static int run(struct submission *s, u64 *seqno)
{
	struct ethosu_queue *queue = s->queue;
	struct ww_acquire_ctx ctx;
	int ret;

	ret = collect_uses(s);
	if (ret)
		return ret;
	ret = power(s);
	if (ret)
		return ret;
	ethosu_jobs_reap(s->edev);
	ret = mutex_lock_interruptible(&queue->submit_lock);
	if (ret)
		return ret;
	ret = READ_ONCE(queue->closing);
	if (ret)
		goto out;
	ret = -EBUSY;
	if (READ_ONCE(queue->queued) + s->count > ETHOSU_QUEUED_JOBS)
		goto out;
	ret = drm_gem_lock_reservations(s->objs, s->uses, &ctx);
	if (ret)
		goto out;
	ret = collect_fences(s);
	if (!ret) {
		*seqno = queue->submitted + 1;
		commit(s);
	}
	drm_gem_unlock_reservations(s->objs, s->uses, &ctx);
	if (!ret)
		push(s);
out:
	mutex_unlock(&queue->submit_lock);
	return ret;
}

static void submission_fini(struct submission *s)
{
	u32 i;

	for (i = 0; s->powered && i < s->count; i++)
		ethosu_pm_off(s->edev);
	for (i = 0; i < s->count; i++)
		if (s->jobs[i])
			ethosu_job_free(s->jobs[i]);
	for (i = 0; i < s->outs; i++) {
		dma_fence_chain_free(s->out[i].chain);
		drm_syncobj_put(s->out[i].syncobj);
	}
	kvfree(s->out);
	kvfree(s->use);
	kvfree(s->objs);
	kvfree(s->jobs);
	ethosu_queue_put(s->queue);
}

/* Return: 0 or -ENOENT, -ENOMEM. On success submission_fini() is due. */
static int submission_init(struct submission *s, struct drm_device *dev, struct drm_file *file,
			   u32 queue_id, u32 count)
{
	memset(s, 0, sizeof(*s));
	s->edev = to_ethosu(dev);
	s->file = file;
	s->queue = ethosu_queue_get(file->driver_priv, queue_id);
	if (!s->queue)
		return -ENOENT;
	s->jobs = kvcalloc(count, sizeof(*s->jobs), GFP_KERNEL);
	if (s->jobs)
		return 0;
	ethosu_queue_put(s->queue);
	return -ENOMEM;
}

static int submit(struct drm_device *dev, struct drm_file *file,
		  const struct drm_ethosu_submit *args)
{
	const struct drm_ethosu_job __user *from = u64_to_user_ptr(args->jobs);
	struct ethosu_perfmon *perfmon = NULL;
	struct drm_ethosux_job job = {};
	struct submission s;
	u64 seqno;
	int ret;
	u32 i;

	if (args->job_count > ETHOSU_QUEUED_JOBS) {
		drm_dbg(dev, "SUBMIT: %u jobs\n", args->job_count);
		return -ENOMEM;
	}
	ret = submission_init(&s, dev, file, 0, args->job_count);
	if (ret)
		return ret;
	/* An unknown one counts nothing, as with mainline. */
	if (args->perfmon_id)
		perfmon = ethosu_perfmon_get(file->driver_priv, args->perfmon_id);
	for (i = 0; i < args->job_count && !ret; i++)
		ret = copy_from_user(&job.job, &from[i], sizeof(job.job)) ? -EFAULT :
			add_job(&s, &job, false, perfmon);
	if (!ret)
		ret = run(&s, &seqno);
	if (perfmon)
		ethosu_perfmon_put(perfmon);
	submission_fini(&s);
	return ret;
}

int ethosu_ioctl_submit(struct drm_device *dev, void *data, struct drm_file *file)
{
	const struct drm_ethosu_submit *args = data;
	int cookie, ret;

	if (!args->job_count)
		return 0;
	if (!drm_dev_enter(dev, &cookie))
		return -ENODEV;
	ret = submit(dev, file, args);
	drm_dev_exit(cookie);
	return ret;
}

/* Read drm_ethosux_sync @i of an array. @flags: those that it may have. */
static int read_sync(const struct drm_ethosux_queue_submit *args, u64 array, u32 i, u32 flags,
		     struct drm_ethosux_sync *sync)
{
	int ret = copy_struct_from_user(sync, sizeof(*sync),
					u64_to_user_ptr(array + (u64)i * args->sync_stride),
					args->sync_stride);

	if (ret)
		return ret;
	if (sync->flags & ~flags || sync->pad ||
	    sync->job >= args->job_count ||
	    !(sync->flags & DRM_ETHOSUX_SYNC_TIMELINE) != !sync->point)
		return -EINVAL;
	return 0;
}

static int add_in_syncs(struct submission *s, const struct drm_ethosux_queue_submit *args)
{
	struct drm_ethosux_sync sync;
	struct dma_fence *fence;
	int ret;
	u32 i;

	for (i = 0; i < args->in_count; i++) {
		ret = read_sync(args, args->in_syncs, i, DRM_ETHOSUX_SYNC_TIMELINE |
				DRM_ETHOSUX_SYNC_NEEDS_SUCCESS, &sync);
		if (!ret)
			ret = drm_syncobj_find_fence(s->file, sync.handle, sync.point, 0, &fence);
		if (!ret)
			ret = add_dep(s->jobs[sync.job], fence,
				      sync.flags & DRM_ETHOSUX_SYNC_NEEDS_SUCCESS);
		if (ret) {
			drm_dbg(&s->edev->base, "QUEUE_SUBMIT: in_syncs[%u]: %d\n", i, ret);
			return ret;
		}
	}
	return 0;
}

static int add_out_syncs(struct submission *s, const struct drm_ethosux_queue_submit *args)
{
	struct drm_ethosux_sync sync;
	struct out_sync *out;
	int ret;

	if (!args->out_count)
		return 0;
	s->out = kvcalloc(args->out_count, sizeof(*s->out), GFP_KERNEL);
	if (!s->out)
		return -ENOMEM;
	while (s->outs < args->out_count) {
		ret = read_sync(args, args->out_syncs, s->outs, DRM_ETHOSUX_SYNC_TIMELINE, &sync);
		if (ret)
			goto err;
		out = &s->out[s->outs];
		out->point = sync.point;
		out->job = sync.job;
		ret = -ENOENT;
		out->syncobj = drm_syncobj_find(s->file, sync.handle);
		if (!out->syncobj)
			goto err;
		s->outs++;
		if (!(sync.flags & DRM_ETHOSUX_SYNC_TIMELINE))
			continue;
		ret = -ENOMEM;
		out->chain = dma_fence_chain_alloc();
		if (!out->chain)
			return ret;
	}
	return 0;

err:
	drm_dbg(&s->edev->base, "QUEUE_SUBMIT: out_syncs[%u]: %d\n", s->outs, ret);
	return ret;
}

static int check_queue_submit(const struct drm_ethosux_queue_submit *args)
{
	bool syncs = args->in_count || args->out_count;

	if (args->flags & ~DRM_ETHOSUX_SUBMIT_NO_IMPLICIT || args->reserved ||
	    !args->job_count || args->job_count > ETHOSU_SUBMIT_JOBS ||
	    args->in_count > ETHOSU_SUBMIT_SYNCS || args->out_count > ETHOSU_SUBMIT_SYNCS)
		return -EINVAL;
	if (!args->job_stride || args->job_stride % 8 || args->job_stride > PAGE_SIZE)
		return -EINVAL;
	if (syncs && (!args->sync_stride || args->sync_stride % 8 || args->sync_stride > PAGE_SIZE))
		return -EINVAL;
	return 0;
}

static int queue_submit(struct drm_device *dev, struct drm_file *file,
			struct drm_ethosux_queue_submit *args)
{
	struct ethosu_perfmon *perfmon = NULL;
	struct drm_ethosux_job job;
	struct submission s;
	u64 seqno = 0;
	int ret;
	u32 i;

	ret = submission_init(&s, dev, file, args->queue_id, args->job_count);
	if (ret)
		return ret;
	s.explicit_only = args->flags & DRM_ETHOSUX_SUBMIT_NO_IMPLICIT;
	if (args->perfmon_id) {
		perfmon = ethosu_perfmon_get(file->driver_priv, args->perfmon_id);
		ret = perfmon ? 0 : -ENOENT;
	}
	for (i = 0; i < args->job_count && !ret; i++) {
		ret = copy_struct_from_user(&job, sizeof(job), u64_to_user_ptr(args->jobs +
					    (u64)i * args->job_stride), args->job_stride);
		if (!ret)
			ret = add_job(&s, &job, true, perfmon);
	}
	if (!ret)
		ret = add_in_syncs(&s, args);
	if (!ret)
		ret = add_out_syncs(&s, args);
	if (!ret)
		ret = run(&s, &seqno);
	if (!ret)
		args->seqno = seqno;
	if (perfmon)
		ethosu_perfmon_put(perfmon);
	submission_fini(&s);
	return ret;
}

int ethosu_ioctl_queue_submit(struct drm_device *dev, void *data, struct drm_file *file)
{
	struct drm_ethosux_queue_submit *args = data;
	int cookie, ret;

	ret = check_queue_submit(args);
	if (ret) {
		drm_dbg(dev, "QUEUE_SUBMIT: flags 0x%x, %u jobs of %u bytes, %u + %u syncs of %u\n",
			args->flags, args->job_count, args->job_stride, args->in_count,
			args->out_count, args->sync_stride);
		return ret;
	}
	if (!drm_dev_enter(dev, &cookie))
		return -ENODEV;
	ret = queue_submit(dev, file, args);
	drm_dev_exit(cookie);
	return ret;
}
