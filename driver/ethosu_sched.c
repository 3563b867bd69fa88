// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The scheduler: which job runs next, and where.
 *
 * DRM's own hands each job to a worker, and its end to another. Here the interrupt that ends a job
 * starts the next one, and a submission to an idle NPU starts the job itself. Between clients of one
 * priority the one that had the NPU for the least time goes first, and then keeps it until it is a slice
 * ahead: another client means SRAM to clear and another process to wake. A higher priority goes before a
 * lower one. Within a queue jobs run in order, one at a time, so a job never waits for a fence of its queue.
 *
 * The life of a job: it is pushed when it can not fail any more to get in; it is ready when it is the
 * first of its queue and all it waits for has been signalled; it starts on a core; it ends, for good or
 * ill (ethosu_sched_end), and what was collected of ended jobs is told to the world without the lock
 * (ethosu_jobs_retire). Later someone who may sleep frees it (ethosu_jobs_reap).
 */
#include <linux/interrupt.h>
#include <linux/ktime.h>

#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include "ethosu_device.h"

#define CREATE_TRACE_POINTS
#include "ethosu_trace.h"

/* A client that had nothing to run is owed no more than this when it comes back. */
#define LAG_NS			(5 * NSEC_PER_MSEC)
/* A client goes on for as long as it has not had so much more than the one that had least. */
#define SLICE_NS		(2 * NSEC_PER_MSEC)
#define WATCHDOG_MS		25
/* Memory of ended jobs is kept this long, unless a submission comes by and frees it. */
#define REAP_MS			20

static bool share_before(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct ethosu_share, node)->vtime <
	       rb_entry(b, struct ethosu_share, node)->vtime;
}

static struct ethosu_share *queue_share(struct ethosu_queue *queue)
{
	return &queue->client->share[queue->priority];
}

static void share_insert(struct ethosu_level *level, struct ethosu_share *share)
{
	if (share->vtime + LAG_NS < level->vtime)
		share->vtime = level->vtime - LAG_NS;
	rb_add_cached(&share->node, &level->shares, share_before);
}

/* Its place in the tree, if it has other jobs to run, is another then. */
static void share_charge(struct ethosu_level *level, struct ethosu_share *share, u64 ns)
{
	bool waits = !RB_EMPTY_NODE(&share->node);

	if (waits)
		rb_erase_cached(&share->node, &level->shares);
	share->vtime += ns;
	if (waits)
		rb_add_cached(&share->node, &level->shares, share_before);
}

static void queue_unready(struct ethosu_queue *queue)
{
	struct ethosu_level *level = &queue->client->edev->sched.level[queue->priority];
	struct ethosu_share *share = queue_share(queue);

	if (list_empty(&queue->ready))
		return;
	list_del_init(&queue->ready);
	if (list_empty(&share->queues)) {
		rb_erase_cached(&share->node, &level->shares);
		RB_CLEAR_NODE(&share->node);
	}
}

/* Put the queue where it is found, if its first job can run. */
static void queue_check(struct ethosu_queue *queue)
{
	struct ethosu_level *level = &queue->client->edev->sched.level[queue->priority];
	struct ethosu_share *share = queue_share(queue);
	struct ethosu_job *first;

	if (queue->running || queue->closing || !list_empty(&queue->ready))
		return;
	first = list_first_entry_or_null(&queue->jobs, struct ethosu_job, node);
	if (!first || first->waiting)
		return;
	list_add_tail(&queue->ready, &share->queues);
	if (RB_EMPTY_NODE(&share->node))
		share_insert(level, share);
}

static struct ethosu_job *share_job(struct ethosu_share *share, struct ethosu_core *core)
{
	struct ethosu_queue *queue;

	list_for_each_entry(queue, &share->queues, ready)
		if (queue->core_mask & BIT(core->index))
			return list_first_entry(&queue->jobs, struct ethosu_job, node);
	return NULL;
}

/* Return: the job that goes next on @core, or NULL. */
static struct ethosu_job *pick(struct ethosu_sched *sched, struct ethosu_core *core)
{
	struct ethosu_share *share, *turn;
	struct ethosu_job *job = NULL;
	struct rb_node *node;
	int i;

	for (i = ETHOSU_PRIORITIES - 1; i >= 0 && !job; i--) {
		node = rb_first_cached(&sched->level[i].shares);
		turn = core->turn[i];
		if (node && turn && !RB_EMPTY_NODE(&turn->node) &&
		    turn->vtime < rb_entry(node, struct ethosu_share, node)->vtime + SLICE_NS)
			job = share_job(turn, core);
		for (; node && !job; node = rb_next(node)) {
			share = rb_entry(node, struct ethosu_share, node);
			job = share_job(share, core);
		}
	}
	return job;
}

static void watch(struct ethosu_sched *sched)
{
	if (sched->watching)
		return;
	sched->watching = true;
	queue_delayed_work(sched->wq, &sched->watchdog, msecs_to_jiffies(WATCHDOG_MS));
}

/**
 * ethosu_sched_start - make the NPU run it
 * @core: has nothing to do
 * @job: is not in any list
 *
 * Under sched->lock.
 */
void ethosu_sched_start(struct ethosu_core *core, struct ethosu_job *job)
{
	struct ethosu_perfmon *perfmon = core->edev->global_perfmon ?: job->perfmon;

	job->info.state = DRM_ETHOSUX_JOB_RUNNING;
	job->info.started_ns = ktime_get_ns();
	job->info.event_count = perfmon ? perfmon->events : 0;
	core->moved_ns = job->info.started_ns;
	core->qread = 0;
	trace_ethosu_job_start(job);
	if (perfmon)
		kref_get(&perfmon->ref);
	core->perfmon = perfmon;
	if (perfmon || core->counting)
		ethosu_hw_count(core, perfmon);
	ethosu_hw_start(core, job);
}

static void dispatch(struct ethosu_core *core, struct ethosu_job *job)
{
	struct ethosu_queue *queue = job->queue;
	struct ethosu_sched *sched = &core->edev->sched;

	sched->level[queue->priority].vtime = queue_share(queue)->vtime;
	core->turn[queue->priority] = queue_share(queue);
	queue_unready(queue);
	list_del_init(&job->node);
	queue->queued--;
	queue->running = job;
	core->job = job;
	job->info.core = core->index;
	watch(sched);
	if (ethosu_hw_sram_unclean(core, job)) {
		/* Takes too long for here; the job starts after it. */
		core->blocked = true;
		queue_work(sched->wq, &core->clear_sram);
		return;
	}
	ethosu_sched_start(core, job);
}

/* Write down how it ended. Under sched->lock. Return: ns that it ran. */
static u64 record(struct ethosu_job *job, u32 state, int error)
{
	struct ethosu_queue *queue = job->queue;
	struct ethosu_client *client = queue->client;
	u64 ran;

	job->info.state = state;
	job->info.error = error;
	job->info.ended_ns = ktime_get_ns();
	ran = job->info.started_ns ? job->info.ended_ns - job->info.started_ns : 0;
	queue->busy_ns += ran;
	client->busy_ns += ran;
	client->jobs++;
	queue->ended = job->info.seqno;
	if (error) {
		queue->failed++;
		queue->last_failed = job->info.seqno;
	}
	if (state == DRM_ETHOSUX_JOB_TIMED_OUT)
		queue->state |= DRM_ETHOSUX_QUEUE_TIMED_OUT;
	else if (state == DRM_ETHOSUX_JOB_FAULTED)
		queue->state |= DRM_ETHOSUX_QUEUE_FAULTED;
	else if (state == DRM_ETHOSUX_JOB_INNOCENT)
		queue->state |= DRM_ETHOSUX_QUEUE_INNOCENT;
	queue->history[job->info.seqno % ETHOSU_HISTORY] = job->info;
	trace_ethosu_job_end(job);
	return ran;
}

/* A job whose turn has come ends without having run. Under sched->lock. */
static void skip(struct ethosu_job *job, struct list_head *ended)
{
	struct ethosu_queue *queue = job->queue;
	struct ethosu_job *next;

	queue_unready(queue);
	list_move_tail(&job->node, ended);
	queue->queued--;
	record(job, DRM_ETHOSUX_JOB_CANCELLED, -ECANCELED);
	list_for_each_entry(next, &queue->jobs, node) {
		if (next->info.seqno > job->last)
			break;
		next->cancel = true;
	}
	queue_check(queue);
}

/**
 * ethosu_sched_kick - start what can be started
 * @edev: the device
 * @ended: receives jobs whose turn came but that were cancelled
 *
 * Under sched->lock.
 */
void ethosu_sched_kick(struct ethosu_device *edev, struct list_head *ended)
{
	struct ethosu_core *core;
	struct ethosu_job *job;

	lockdep_assert_held(&edev->sched.lock);
	if (edev->sched.paused)
		return;
	for (core = edev->core; core < edev->core + edev->cores; core++) {
		if (core->job || core->blocked || core->dead)
			continue;
		while ((job = pick(&edev->sched, core)) && job->cancel)
			skip(job, ended);
		if (job)
			dispatch(core, job);
	}
}

/* All jobs of the queue that have not started end now, with @error. Under sched->lock, none running. */
void ethosu_sched_flush(struct ethosu_queue *queue, int error, struct list_head *ended)
{
	struct ethosu_job *job;

	queue_unready(queue);
	list_for_each_entry(job, &queue->jobs, node)
		record(job, DRM_ETHOSUX_JOB_CANCELLED, error);
	list_splice_tail_init(&queue->jobs, ended);
	queue->queued = 0;
}

static void collect_counts(struct ethosu_core *core, struct ethosu_job *job)
{
	struct ethosu_perfmon *perfmon = core->perfmon;
	u64 values[DRM_ETHOSU_MAX_PERF_COUNTERS];
	u32 events = perfmon->events;
	unsigned int i;

	ethosu_hw_read_counts(core, events, values);
	memcpy(job->info.events, values, events * sizeof(values[0]));
	job->info.cycles = values[events];
	for (i = 0; i <= events; i++)
		perfmon->values[i] += values[i];
}

/**
 * ethosu_sched_end - the job of a core has ended
 * @core: has one; has none afterwards, and is not started again
 * @state: enum drm_ethosux_job_state
 * @error: 0, or the negative errno that its fence gets
 * @status: STATUS
 * @ended: receives it, for ethosu_jobs_retire()
 *
 * Under sched->lock.
 */
void ethosu_sched_end(struct ethosu_core *core, u32 state, int error, u32 status,
		      struct list_head *ended)
{
	struct ethosu_job *job = core->job;
	struct ethosu_queue *queue = job->queue;
	u64 ran;

	job->info.status = status;
	if (!error)
		job->info.offset = job->cmd->stream->size;
	if (core->perfmon) {
		if (!error)
			collect_counts(core, job);
		ethosu_perfmon_put(core->perfmon);
		core->perfmon = NULL;
	}
	ran = record(job, state, error);
	share_charge(&core->edev->sched.level[queue->priority], queue_share(queue), ran);
	core->busy_ns += ran;
	core->job = NULL;
	queue->running = NULL;
	list_add_tail(&job->node, ended);
	if (queue->closing)
		ethosu_sched_flush(queue, queue->closing, ended);
	else
		queue_check(queue);
}

static void drop_deps(struct ethosu_job *job)
{
	struct ethosu_dep *dep;

	list_for_each_entry(dep, &job->deps, node) {
		if (dep->armed)
			dma_fence_remove_callback(dep->fence, &dep->cb);
		dep->armed = false;
	}
}

/**
 * ethosu_jobs_retire - tell the world
 * @ended: jobs in the order they ended; is empty afterwards
 *
 * Without sched->lock, in any context.
 */
void ethosu_jobs_retire(struct list_head *ended)
{
	struct ethosu_device *edev;
	struct ethosu_job *job, *next;

	list_for_each_entry_safe(job, next, ended, node) {
		edev = job->edev;
		list_del_init(&job->node);
		if (job->info.state == DRM_ETHOSUX_JOB_CANCELLED)
			drop_deps(job);
		if (job->info.error)
			dma_fence_set_error(&job->fence, job->info.error);
		dma_fence_signal(&job->fence);
		if (job->powered)
			ethosu_pm_off(edev);
		if (edev->sched.paused)
			wake_up(&edev->sched.idle);
		/* From here on the job may be freed by somebody else. */
		if (llist_add(&job->ended, &edev->sched.ended))
			queue_delayed_work(edev->sched.wq, &edev->sched.reap,
					   msecs_to_jiffies(REAP_MS));
	}
}

/* Free jobs that ended. May sleep. */
void ethosu_jobs_reap(struct ethosu_device *edev)
{
	struct llist_node *list = llist_del_all(&edev->sched.ended);
	struct ethosu_job *job, *next;

	llist_for_each_entry_safe(job, next, list, ended)
		ethosu_job_free(job);
}

static void reap_work(struct work_struct *work)
{
	ethosu_jobs_reap(container_of(to_delayed_work(work), struct ethosu_device, sched.reap));
}

/* Clear what another client left, then start the job that waits for it. */
static void clear_sram_work(struct work_struct *work)
{
	struct ethosu_core *core = container_of(work, struct ethosu_core, clear_sram);
	struct ethosu_sched *sched = &core->edev->sched;

	trace_ethosu_sram_clear(core->index, core->sram_dirty);
	ethosu_hw_clear_sram(core);
	spin_lock_irq(&sched->lock);
	core->blocked = false;
	if (core->job)
		ethosu_sched_start(core, core->job);
	spin_unlock_irq(&sched->lock);
}

/**
 * ethosu_irq - an NPU wants something
 * @irq: of it
 * @data: its core
 *
 * Ends the job and starts the next one. Return: IRQ_NONE: it was not this NPU.
 */
irqreturn_t ethosu_irq(int irq, void *data)
{
	struct ethosu_core *core = data;
	struct ethosu_device *edev = core->edev;
	irqreturn_t ret = IRQ_NONE;
	LIST_HEAD(ended);
	unsigned long flags;
	u32 status;

	spin_lock_irqsave(&edev->sched.lock, flags);
	/* Under the lock: the watchdog may see the same end, and then this must not be the next job's. */
	status = ethosu_hw_status(core);
	if (!(status & ETHOSU_REG_BIT(STATUS_IRQ_RAISED)))
		goto out;
	ret = IRQ_HANDLED;
	ethosu_hw_clear_irq(core);
	if (!core->job || core->blocked) {
		/* Late, or out of the blue: what is due here is done elsewhere, or nothing is. */
	} else if (status == ETHOSU_STATUS_GONE || status & ETHOSU_STATUS_ERRORS) {
		ethosu_recover_later(core, -EIO, status);
	} else if (status & ETHOSU_REG_BIT(STATUS_CMD_END_REACHED) &&
		   !(status & ETHOSU_REG_BIT(STATUS_STATE))) {
		ethosu_sched_end(core, DRM_ETHOSUX_JOB_DONE, 0, status, &ended);
		ethosu_sched_kick(edev, &ended);
	}
out:
	spin_unlock_irqrestore(&edev->sched.lock, flags);
	ethosu_jobs_retire(&ended);
	return ret;
}

/**
 * ethosu_sched_push - put jobs at the end of their queue, all at once
 * @jobs: of one queue, in order, each with its fence, and with one more in what it waits for that stands for
 *	this call. They may have ended when this returns: the caller holds their fences.
 * @count: how many, not 0
 *
 * Under queue->submit_lock.
 */
void ethosu_sched_push(struct ethosu_job **jobs, u32 count)
{
	struct ethosu_queue *queue = jobs[0]->queue;
	struct ethosu_device *edev = jobs[0]->edev;
	struct ethosu_sched *sched = &edev->sched;
	LIST_HEAD(ended);
	unsigned long flags;
	u64 now;
	u32 i;

	spin_lock_irqsave(&sched->lock, flags);
	now = ktime_get_ns();
	for (i = 0; i < count; i++) {
		jobs[i]->info.queued_ns = now;
		jobs[i]->waiting--;
		list_add_tail(&jobs[i]->node, &queue->jobs);
		trace_ethosu_job_queue(jobs[i]);
	}
	queue->submitted = jobs[count - 1]->info.seqno;
	queue->queued += count;
	/* The last core may have died since the submission looked. */
	if (!queue->running && (queue->closing || ethosu_all_dead(edev, queue->core_mask)))
		ethosu_sched_flush(queue, queue->closing ?: -EIO, &ended);
	queue_check(queue);
	ethosu_sched_kick(edev, &ended);
	spin_unlock_irqrestore(&sched->lock, flags);
	ethosu_jobs_retire(&ended);
}

/**
 * ethosu_sched_ready - one thing less that a job waits for
 * @job: the caller keeps it and its queue alive
 * @cancel: it is not to run when its turn comes
 *
 * In any context, also in a callback of a fence, where no other may be signalled: jobs that turn out to
 * be cancelled are left to a worker. They did nothing, so it does no harm if later ones overtake it.
 */
void ethosu_sched_ready(struct ethosu_job *job, bool cancel)
{
	struct ethosu_device *edev = job->edev;
	LIST_HEAD(ended);
	unsigned long flags;

	spin_lock_irqsave(&edev->sched.lock, flags);
	job->cancel |= cancel;
	if (!--job->waiting) {
		queue_check(job->queue);
		ethosu_sched_kick(edev, &ended);
	}
	if (!list_empty(&ended)) {
		list_splice_tail(&ended, &edev->sched.late);
		queue_work(edev->sched.wq, &edev->sched.retire);
	}
	spin_unlock_irqrestore(&edev->sched.lock, flags);
}

static void retire_work(struct work_struct *work)
{
	struct ethosu_sched *sched = container_of(work, struct ethosu_sched, retire);
	LIST_HEAD(ended);

	spin_lock_irq(&sched->lock);
	list_splice_init(&sched->late, &ended);
	spin_unlock_irq(&sched->lock);
	ethosu_jobs_retire(&ended);
}

/* The client has no jobs any more and is about to be freed. */
void ethosu_sched_forget(struct ethosu_client *client)
{
	struct ethosu_device *edev = client->edev;
	struct ethosu_core *core;
	unsigned int i;

	spin_lock_irq(&edev->sched.lock);
	for (core = edev->core; core < edev->core + edev->cores; core++)
		for (i = 0; i < ETHOSU_PRIORITIES; i++)
			if (core->turn[i] == &client->share[i])
				core->turn[i] = NULL;
	spin_unlock_irq(&edev->sched.lock);
}

/**
 * ethosu_sched_close - a queue takes no more jobs
 * @queue: of which those that have not started end, after the one that runs, so that its fences are
 *	signalled in order
 * @error: with this
 */
void ethosu_sched_close(struct ethosu_queue *queue, int error)
{
	struct ethosu_sched *sched = &queue->client->edev->sched;
	LIST_HEAD(ended);
	unsigned long flags;

	spin_lock_irqsave(&sched->lock, flags);
	if (!queue->closing)
		queue->closing = error;
	queue_unready(queue);
	if (!queue->running)
		ethosu_sched_flush(queue, queue->closing, &ended);
	spin_unlock_irqrestore(&sched->lock, flags);
	ethosu_jobs_retire(&ended);
}

int ethosu_sched_init(struct ethosu_device *edev)
{
	struct ethosu_sched *sched = &edev->sched;
	unsigned int i;

	spin_lock_init(&sched->lock);
	for (i = 0; i < ETHOSU_PRIORITIES; i++)
		sched->level[i].shares = RB_ROOT_CACHED;
	INIT_LIST_HEAD(&sched->queues);
	INIT_LIST_HEAD(&sched->late);
	INIT_WORK(&sched->retire, retire_work);
	init_llist_head(&sched->ended);
	init_waitqueue_head(&sched->idle);
	INIT_DELAYED_WORK(&sched->watchdog, ethosu_watchdog);
	INIT_DELAYED_WORK(&sched->reap, reap_work);
	for (i = 0; i < edev->cores; i++) {
		INIT_WORK(&edev->core[i].recover, ethosu_recover);
		INIT_WORK(&edev->core[i].clear_sram, clear_sram_work);
	}
	sched->wq = alloc_workqueue("ethosu", WQ_MEM_RECLAIM | WQ_HIGHPRI | WQ_UNBOUND, 0);
	return sched->wq ? 0 : -ENOMEM;
}

/* Nothing runs, nobody submits, interrupts are off: the jobs that are left have ended. */
void ethosu_sched_fini(struct ethosu_device *edev)
{
	cancel_delayed_work_sync(&edev->sched.watchdog);
	flush_work(&edev->sched.retire);
	cancel_delayed_work_sync(&edev->sched.reap);
	ethosu_jobs_reap(edev);
	destroy_workqueue(edev->sched.wq);
}
