// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Clients and their queues: making them, closing them, asking what became of their jobs.
 */
#include <linux/capability.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_print.h>

#include "ethosu_device.h"

static void client_release(struct kref *ref)
{
	struct ethosu_client *client = container_of(ref, struct ethosu_client, ref);

	ethosu_sched_forget(client);
	xa_destroy(&client->queues);
	xa_destroy(&client->perfmons);
	kfree(client);
}

void ethosu_client_put(struct ethosu_client *client)
{
	kref_put(&client->ref, client_release);
}

static void queue_release(struct kref *ref)
{
	struct ethosu_queue *queue = container_of(ref, struct ethosu_queue, ref);
	struct ethosu_sched *sched = &queue->client->edev->sched;

	spin_lock_irq(&sched->lock);
	list_del(&queue->node);
	spin_unlock_irq(&sched->lock);
	mutex_destroy(&queue->submit_lock);
	ethosu_client_put(queue->client);
	kvfree(queue->history);
	kfree(queue);
}

/* May sleep: never the last thing an interrupt handler lets go of, jobs are put in ethosu_jobs_reap(). */
void ethosu_queue_put(struct ethosu_queue *queue)
{
	kref_put(&queue->ref, queue_release);
}

static struct ethosu_queue *queue_create(struct ethosu_client *client, u32 priority)
{
	struct ethosu_queue *queue = kzalloc(sizeof(*queue), GFP_KERNEL_ACCOUNT);
	struct ethosu_sched *sched = &client->edev->sched;

	if (!queue)
		return NULL;
	queue->history = kvcalloc(ETHOSU_HISTORY, sizeof(*queue->history), GFP_KERNEL_ACCOUNT);
	if (!queue->history) {
		kfree(queue);
		return NULL;
	}
	kref_init(&queue->ref);
	kref_get(&client->ref);
	queue->client = client;
	queue->priority = priority;
	queue->core_mask = BIT(client->edev->cores) - 1;
	mutex_init(&queue->submit_lock);
	queue->context = dma_fence_context_alloc(1);
	INIT_LIST_HEAD(&queue->ready);
	INIT_LIST_HEAD(&queue->jobs);
	spin_lock_irq(&sched->lock);
	list_add_tail(&queue->node, &sched->queues);
	if (sched->gone)
		queue->closing = -ENODEV;
	spin_unlock_irq(&sched->lock);
	return queue;
}

/**
 * ethosu_client_create - a client with its queue 0
 * @edev: the device
 *
 * Return: the client, or NULL.
 */
struct ethosu_client *ethosu_client_create(struct ethosu_device *edev)
{
	struct ethosu_client *client = kzalloc(sizeof(*client), GFP_KERNEL_ACCOUNT);
	struct ethosu_queue *queue;
	unsigned int i;

	if (!client)
		return NULL;
	kref_init(&client->ref);
	client->edev = edev;
	client->id = atomic64_inc_return(&edev->next_client);
	xa_init_flags(&client->queues, XA_FLAGS_ALLOC);
	xa_init_flags(&client->perfmons, XA_FLAGS_ALLOC1);
	for (i = 0; i < ETHOSU_PRIORITIES; i++) {
		RB_CLEAR_NODE(&client->share[i].node);
		INIT_LIST_HEAD(&client->share[i].queues);
	}
	queue = queue_create(client, DRM_ETHOSUX_PRIORITY_NORMAL);
	if (!queue)
		goto err;
	if (xa_err(xa_store(&client->queues, 0, queue, GFP_KERNEL_ACCOUNT))) {
		ethosu_queue_put(queue);
		goto err;
	}
	return client;

err:
	ethosu_client_put(client);
	return NULL;
}

/**
 * ethosu_client_close - its file is closed
 * @client: nobody has it any more but its jobs. Those that have not started are cancelled, the one that runs
 *	keeps what it needs.
 */
void ethosu_client_close(struct ethosu_client *client)
{
	struct ethosu_queue *queue;
	unsigned long id;

	xa_for_each(&client->queues, id, queue) {
		xa_erase(&client->queues, id);
		ethosu_sched_close(queue, -ECANCELED);
		ethosu_queue_put(queue);
	}
	ethosu_perfmons_close(client);
	ethosu_client_put(client);
}

/* Return: the queue with a reference, or NULL. */
struct ethosu_queue *ethosu_queue_get(struct ethosu_client *client, u32 id)
{
	struct ethosu_queue *queue;

	xa_lock(&client->queues);
	queue = xa_load(&client->queues, id);
	if (queue)
		kref_get(&queue->ref);
	xa_unlock(&client->queues);
	return queue;
}

/* High and realtime go before everybody else's jobs, always: not for everybody. */
u32 ethosu_max_priority(void)
{
	return capable(CAP_SYS_NICE) ? DRM_ETHOSUX_PRIORITY_REALTIME : DRM_ETHOSUX_PRIORITY_NORMAL;
}

int ethosu_ioctl_queue_create(struct drm_device *dev, void *data, struct drm_file *file)
{
	struct ethosu_client *client = file->driver_priv;
	struct ethosu_device *edev = to_ethosu(dev);
	struct drm_ethosux_queue_create *args = data;
	struct ethosu_queue *queue;
	int ret;

	if (args->flags || args->pad || args->priority >= ETHOSU_PRIORITIES ||
	    args->core_mask >> edev->cores || args->timeout_ms > ethosu_max_timeout_ms ||
	    !memchr(args->name, 0, sizeof(args->name))) {
		drm_dbg(dev, "QUEUE_CREATE: priority %u, core mask 0x%x, timeout %u ms\n",
			args->priority, args->core_mask, args->timeout_ms);
		return -EINVAL;
	}
	if (args->priority > ethosu_max_priority())
		return -EACCES;
	queue = queue_create(client, args->priority);
	if (!queue)
		return -ENOMEM;
	if (args->core_mask)
		queue->core_mask = args->core_mask;
	queue->timeout_ms = args->timeout_ms;
	strscpy(queue->name, args->name, sizeof(queue->name));
	/* The id first: from the moment that the queue can be found it must know its own. */
	ret = xa_alloc(&client->queues, &args->id, NULL, XA_LIMIT(1, ETHOSU_QUEUES),
		       GFP_KERNEL_ACCOUNT);
	if (ret) {
		ethosu_queue_put(queue);
		return ret == -EBUSY ? -ENOSPC : ret;
	}
	queue->id = args->id;
	xa_store(&client->queues, args->id, queue, GFP_KERNEL_ACCOUNT);
	return 0;
}

int ethosu_ioctl_queue_destroy(struct drm_device *dev, void *data, struct drm_file *file)
{
	struct ethosu_client *client = file->driver_priv;
	struct drm_ethosux_queue_destroy *args = data;
	struct ethosu_queue *queue = NULL;

	if (args->flags & ~DRM_ETHOSUX_QUEUE_CANCEL_ONLY)
		return -EINVAL;
	if (args->id)
		queue = args->flags ? ethosu_queue_get(client, args->id) :
			xa_erase(&client->queues, args->id);
	if (!queue)
		return -ENOENT;
	ethosu_sched_close(queue, -ECANCELED);
	ethosu_queue_put(queue);
	return 0;
}

int ethosu_ioctl_queue_get_state(struct drm_device *dev, void *data, struct drm_file *file)
{
	struct ethosu_sched *sched = &to_ethosu(dev)->sched;
	struct drm_ethosux_queue_get_state *args = data;
	struct ethosu_queue *queue;

	if (args->flags)
		return -EINVAL;
	queue = ethosu_queue_get(file->driver_priv, args->id);
	if (!queue)
		return -ENOENT;
	spin_lock_irq(&sched->lock);
	*args = (struct drm_ethosux_queue_get_state) {
		.id = args->id,
		.state = queue->state,
		.submitted = queue->submitted,
		.ended = queue->ended,
		.failed = queue->failed,
		.last_failed = queue->last_failed,
		.busy_ns = queue->busy_ns,
	};
	spin_unlock_irq(&sched->lock);
	ethosu_queue_put(queue);
	return 0;
}

/* Under sched->lock. Return: what is known of job @seqno, or NULL. */
static const struct drm_ethosux_job_info *find_info(struct ethosu_queue *queue, u64 seqno)
{
	const struct drm_ethosux_job_info *info = &queue->history[seqno % ETHOSU_HISTORY];
	struct ethosu_job *job;

	if (!seqno || seqno > queue->submitted)
		return NULL;
	if (info->seqno == seqno)
		return info;
	if (queue->running && queue->running->info.seqno == seqno)
		return &queue->running->info;
	/* Newest first: who asks about a job that waits asks about one just submitted. */
	list_for_each_entry_reverse(job, &queue->jobs, node)
		if (job->info.seqno == seqno)
			return &job->info;
	return NULL;
}

int ethosu_ioctl_job_info(struct drm_device *dev, void *data, struct drm_file *file)
{
	struct ethosu_sched *sched = &to_ethosu(dev)->sched;
	const struct drm_ethosux_job_info *info;
	struct drm_ethosux_job_info *args = data;
	struct ethosu_queue *queue;
	u32 queue_id = args->queue_id;

	if (args->flags)
		return -EINVAL;
	queue = ethosu_queue_get(file->driver_priv, queue_id);
	if (!queue)
		return -ENOENT;
	spin_lock_irq(&sched->lock);
	info = find_info(queue, args->seqno);
	if (info) {
		*args = *info;
		args->queue_id = queue_id;
	}
	spin_unlock_irq(&sched->lock);
	ethosu_queue_put(queue);
	return info ? 0 : -ENOENT;
}
