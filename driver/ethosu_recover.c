// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What is done about jobs that do not end, end badly, or whose end nobody was told of.
 *
 * A watchdog looks at the cores now and then while they run. A job that runs too long, or does not get
 * on, or whose NPU reports an error, is taken down by a worker: the NPU is reset, the job fails, the
 * next one starts. One job is on a core at a time, so nobody else loses anything. If the reset fails as
 * well, all jobs fail; the next submission tries the reset again.
 */
#include <linux/interrupt.h>
#include <linux/ktime.h>
#include <linux/module.h>

#include <drm/drm_drv.h>
#include <drm/drm_print.h>

#include "ethosu_device.h"
#include "ethosu_trace.h"

#define TICK_MS		25
#define RESET_TRIES	3

static unsigned int hang_ms = 2000;
module_param(hang_ms, uint, 0644);
MODULE_PARM_DESC(hang_ms,
		 "A job without a timeout of its own may stand still for so long; 0: until its time is up [2000]");

unsigned int ethosu_default_timeout_ms = 60000;
module_param_named(default_timeout_ms, ethosu_default_timeout_ms, uint, 0644);
MODULE_PARM_DESC(default_timeout_ms, "How long a job may run that says nothing about it [60000]");

unsigned int ethosu_max_timeout_ms = 600000;
module_param_named(max_timeout_ms, ethosu_max_timeout_ms, uint, 0644);
MODULE_PARM_DESC(max_timeout_ms, "The longest timeout that a job may ask for [600000]");

/**
 * ethosu_recover_later - the job of a core is to be taken down
 * @core: has a job; is blocked from now on
 * @why: -EIO or -ETIME
 * @status: STATUS
 *
 * Under sched->lock.
 */
void ethosu_recover_later(struct ethosu_core *core, int why, u32 status)
{
	core->blocked = true;
	core->why = why;
	core->status = status;
	queue_work(core->edev->sched.wq, &core->recover);
}

static bool ended_well(u32 status)
{
	return status != ETHOSU_STATUS_GONE && !(status & ETHOSU_STATUS_ERRORS) &&
	       status & ETHOSU_REG_BIT(STATUS_CMD_END_REACHED) &&
	       !(status & ETHOSU_REG_BIT(STATUS_STATE));
}

/* Has the job of @core been at it for too long? Under sched->lock. */
static void look_at(struct ethosu_core *core, u64 now, struct list_head *ended)
{
	struct ethosu_job *job = core->job;
	u32 own = job->timeout_ms ?: job->queue->timeout_ms;
	u32 limit = own ?: READ_ONCE(ethosu_default_timeout_ms);
	u32 hang = own ? 0 : READ_ONCE(hang_ms);
	u32 status, qread;

	/* Reading registers costs: not for jobs that just started. */
	if (now - job->info.started_ns < TICK_MS * NSEC_PER_MSEC)
		return;
	status = ethosu_hw_status(core);
	if (ended_well(status)) {
		/* Its interrupt may be on its way, or lost. Nothing is left to do for it in any case. */
		ethosu_hw_clear_irq(core);
		ethosu_sched_end(core, DRM_ETHOSUX_JOB_DONE, 0, status, ended);
		return;
	}
	if (status == ETHOSU_STATUS_GONE || status & ETHOSU_STATUS_ERRORS ||
	    !(status & ETHOSU_REG_BIT(STATUS_STATE))) {
		ethosu_recover_later(core, -EIO, status);
		return;
	}
	qread = ethosu_hw_qread(core);
	if (qread != core->qread) {
		core->qread = qread;
		core->moved_ns = now;
	}
	if (now - job->info.started_ns > limit * NSEC_PER_MSEC ||
	    (hang && now - core->moved_ns > hang * NSEC_PER_MSEC))
		ethosu_recover_later(core, -ETIME, status);
}

void ethosu_watchdog(struct work_struct *work)
{
	struct ethosu_device *edev = container_of(to_delayed_work(work), struct ethosu_device,
						  sched.watchdog);
	struct ethosu_sched *sched = &edev->sched;
	struct ethosu_core *core;
	LIST_HEAD(ended);

	spin_lock_irq(&sched->lock);
	sched->watching = false;
	for (core = edev->core; core < edev->core + edev->cores; core++) {
		if (core->job && !core->blocked && !sched->gone)
			look_at(core, ktime_get_ns(), &ended);
		if (core->job)
			sched->watching = true;
	}
	ethosu_sched_kick(edev, &ended);
	if (sched->watching)
		queue_delayed_work(sched->wq, &sched->watchdog, msecs_to_jiffies(TICK_MS));
	spin_unlock_irq(&sched->lock);
	ethosu_jobs_retire(&ended);
}

/* How far the NPU was in the client's stream; QREAD counts the prologue as well, and may be anything. */
static u32 stream_offset(const struct ethosu_core *core, const struct ethosu_job *job)
{
	u32 prologue = core->edev->prologue_words * sizeof(__le32);
	u32 qread = core->qread;

	return qread <= prologue ? 0 : min(qread - prologue, job->cmd->stream->size);
}

/* Is there no core left of those? Under sched->lock, else the answer may be old. */
bool ethosu_all_dead(const struct ethosu_device *edev, u32 core_mask)
{
	unsigned int i;

	for (i = 0; i < edev->cores; i++)
		if (core_mask & BIT(i) && !edev->core[i].dead)
			return false;
	return true;
}

/*
 * All jobs of queues that are closed or have no core left end, after those that run. Under sched->lock.
 */
static void fail_waiting(struct ethosu_device *edev, int error, struct list_head *ended)
{
	struct ethosu_queue *queue;

	list_for_each_entry(queue, &edev->sched.queues, node) {
		if (queue->running || (!queue->closing && !ethosu_all_dead(edev, queue->core_mask)))
			continue;
		ethosu_sched_flush(queue, queue->closing ?: error, ended);
	}
}

static int reset_core(struct ethosu_core *core, u32 status)
{
	struct device *dev = core->edev->base.dev;
	unsigned int tries;
	int ret = -EIO;

	for (tries = 0; ret && ret != -ENODEV && tries < RESET_TRIES; tries++) {
		ret = ethosu_hw_reset(core);
		trace_ethosu_reset(core->index, status, ret);
		atomic_inc(&core->edev->resets);
	}
	if (ret)
		dev_err_ratelimited(dev, "core %u does not come out of reset: %d\n",
				    core->index, ret);
	return ret;
}

/**
 * ethosu_recover - take down the job of a core and make the core work again
 * @work: of the core, which is blocked
 */
void ethosu_recover(struct work_struct *work)
{
	struct ethosu_core *core = container_of(work, struct ethosu_core, recover);
	struct ethosu_device *edev = core->edev;
	struct ethosu_sched *sched = &edev->sched;
	struct device *dev = edev->base.dev;
	struct ethosu_dump *dump = NULL;
	struct ethosu_job *job;
	LIST_HEAD(ended);
	u32 status;
	int ret;

	disable_irq(core->irq);
	mutex_lock(&edev->reset_lock);
	/* Blocked: nobody else ends the job. */
	job = core->job;
	if (sched->gone || !job)
		goto out;
	status = ethosu_hw_status(core);
	core->qread = ethosu_hw_qread(core);
	if (core->why != -ETIME || !ended_well(status)) {
		job->info.offset = stream_offset(core, job);
		if (core->why != -ETIME)
			status = core->status;
		dev_err_ratelimited(dev, "core %u: job %llu of queue %u of client %llu %s: STATUS 0x%08x, at 0x%x of its stream\n",
				    core->index, job->info.seqno, job->queue->id,
				    job->queue->client->id,
				    core->why == -ETIME ? "takes too long" : "failed", status,
				    job->info.offset);
		dump = ethosu_dump_take(core, job);
		ret = reset_core(core, status);
	} else {
		/* It made it after all. */
		core->why = 0;
		ethosu_hw_clear_irq(core);
		ret = 0;
	}
	spin_lock_irq(&sched->lock);
	core->blocked = false;
	core->dead = ret;
	ethosu_sched_end(core, !core->why ? DRM_ETHOSUX_JOB_DONE : core->why == -ETIME ?
			 DRM_ETHOSUX_JOB_TIMED_OUT : DRM_ETHOSUX_JOB_FAULTED, core->why, status,
			 &ended);
	if (core->dead)
		fail_waiting(edev, -EIO, &ended);
	ethosu_sched_kick(edev, &ended);
	spin_unlock_irq(&sched->lock);
	ethosu_jobs_retire(&ended);
out:
	mutex_unlock(&edev->reset_lock);
	enable_irq(core->irq);
	ethosu_dump_give(dump, dev);
}

/**
 * ethosu_revive - try again with cores whose reset failed
 * @edev: is powered
 * @core_mask: of which at least one must work
 *
 * Return: 0, or why none does.
 */
int ethosu_revive(struct ethosu_device *edev, u32 core_mask)
{
	struct ethosu_core *core;
	int ret = 0;

	if (!ethosu_all_dead(edev, core_mask))
		return 0;
	mutex_lock(&edev->reset_lock);
	for (core = edev->core; core < edev->core + edev->cores && ethosu_all_dead(edev, core_mask); core++) {
		if (!(core_mask & BIT(core->index)))
			continue;
		ret = reset_core(core, 0);
		if (ret)
			continue;
		spin_lock_irq(&edev->sched.lock);
		core->dead = false;
		spin_unlock_irq(&edev->sched.lock);
	}
	mutex_unlock(&edev->reset_lock);
	return ethosu_all_dead(edev, core_mask) ? ret : 0;
}

/**
 * ethosu_lose - no job runs on this device any more
 * @edev: is going away; interrupts are off, workers done, nobody can submit
 * @error: what all jobs end with
 */
void ethosu_lose(struct ethosu_device *edev, int error)
{
	struct ethosu_sched *sched = &edev->sched;
	struct ethosu_queue *queue;
	struct ethosu_core *core;
	LIST_HEAD(ended);

	spin_lock_irq(&sched->lock);
	list_for_each_entry(queue, &sched->queues, node)
		if (!queue->closing)
			queue->closing = error;
	for (core = edev->core; core < edev->core + edev->cores; core++)
		if (core->job)
			ethosu_sched_end(core, DRM_ETHOSUX_JOB_CANCELLED, error, 0, &ended);
	fail_waiting(edev, error, &ended);
	spin_unlock_irq(&sched->lock);
	ethosu_jobs_retire(&ended);
}
