// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Performance monitors: which events to count while which jobs run.
 *
 * Counters are started and read with each job, so the sums are those of the jobs and of nothing else. A
 * global one counts everybody's jobs, and only it does.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_print.h>

#include "ethosu_device.h"

static void perfmon_release(struct kref *ref)
{
	kfree(container_of(ref, struct ethosu_perfmon, ref));
}

/* In any context. */
void ethosu_perfmon_put(struct ethosu_perfmon *perfmon)
{
	kref_put(&perfmon->ref, perfmon_release);
}

/* Return: the client's perfmon @id with a reference, or NULL. */
struct ethosu_perfmon *ethosu_perfmon_get(struct ethosu_client *client, u32 id)
{
	struct ethosu_perfmon *perfmon;

	xa_lock(&client->perfmons);
	perfmon = xa_load(&client->perfmons, id);
	if (perfmon)
		kref_get(&perfmon->ref);
	xa_unlock(&client->perfmons);
	return perfmon;
}

/* It is no more; if it was the global one, there is none. Takes over the reference. */
static void perfmon_drop(struct ethosu_device *edev, struct ethosu_perfmon *perfmon)
{
	bool global;

	spin_lock_irq(&edev->sched.lock);
	global = edev->global_perfmon == perfmon;
	if (global)
		edev->global_perfmon = NULL;
	spin_unlock_irq(&edev->sched.lock);
	if (global)
		ethosu_perfmon_put(perfmon);
	ethosu_perfmon_put(perfmon);
}

void ethosu_perfmons_close(struct ethosu_client *client)
{
	struct ethosu_perfmon *perfmon;
	unsigned long id;

	xa_for_each(&client->perfmons, id, perfmon) {
		xa_erase(&client->perfmons, id);
		perfmon_drop(client->edev, perfmon);
	}
}

u32 ethosu_max_event(const struct ethosu_device *edev)
{
	return DRM_ETHOSU_ARCH_MAJOR(edev->info.id) == 1 ? ETHOSU_U65_PMU_ECC_SB1 :
		ETHOSU_U85_PMU_EXT1_WR_STALL_LIMIT;
}

int ethosu_ioctl_perfmon_create(struct drm_device *dev, void *data, struct drm_file *file)
{
	struct ethosu_client *client = file->driver_priv;
	struct ethosu_device *edev = to_ethosu(dev);
	struct drm_ethosu_perfmon_create *args = data;
	struct ethosu_perfmon *perfmon;
	unsigned int i;
	int ret;

	if (args->ncounters > edev->info.pmu_counters)
		return -EINVAL;
	for (i = 0; i < args->ncounters; i++)
		if (args->counters[i] > ethosu_max_event(edev))
			return -EINVAL;
	perfmon = kzalloc(sizeof(*perfmon), GFP_KERNEL_ACCOUNT);
	if (!perfmon)
		return -ENOMEM;
	kref_init(&perfmon->ref);
	perfmon->events = args->ncounters;
	memcpy(perfmon->event, args->counters, args->ncounters * sizeof(perfmon->event[0]));
	ret = xa_alloc(&client->perfmons, &args->id, perfmon, xa_limit_31b, GFP_KERNEL_ACCOUNT);
	if (ret) {
		kfree(perfmon);
		return ret;
	}
	args->ncounters++;
	return 0;
}

int ethosu_ioctl_perfmon_destroy(struct drm_device *dev, void *data, struct drm_file *file)
{
	struct ethosu_client *client = file->driver_priv;
	const struct drm_ethosu_perfmon_destroy *args = data;
	struct ethosu_perfmon *perfmon = xa_erase(&client->perfmons, args->id);

	if (!perfmon)
		return -EINVAL;
	perfmon_drop(to_ethosu(dev), perfmon);
	return 0;
}

int ethosu_ioctl_perfmon_get_values(struct drm_device *dev, void *data, struct drm_file *file)
{
	const struct drm_ethosu_perfmon_get_values *args = data;
	struct ethosu_device *edev = to_ethosu(dev);
	u64 values[DRM_ETHOSU_MAX_PERF_COUNTERS];
	struct ethosu_perfmon *perfmon;
	size_t size;

	if (args->pad)
		return -EINVAL;
	perfmon = ethosu_perfmon_get(file->driver_priv, args->id);
	if (!perfmon)
		return -EINVAL;
	size = (perfmon->events + 1) * sizeof(values[0]);
	spin_lock_irq(&edev->sched.lock);
	memcpy(values, perfmon->values, size);
	spin_unlock_irq(&edev->sched.lock);
	ethosu_perfmon_put(perfmon);
	return copy_to_user(u64_to_user_ptr(args->values_ptr), values, size) ? -EFAULT : 0;
}

/* Is @perfmon being counted, by any core? Under sched->lock. */
static bool counting(const struct ethosu_device *edev)
{
	unsigned int i;

	for (i = 0; i < edev->cores; i++)
		if (edev->core[i].perfmon)
			return true;
	return false;
}

int ethosu_ioctl_perfmon_set_global(struct drm_device *dev, void *data, struct drm_file *file)
{
	const struct drm_ethosu_perfmon_set_global *args = data;
	bool clear = args->flags & DRM_ETHOSU_PERFMON_CLEAR_GLOBAL;
	struct ethosu_device *edev = to_ethosu(dev);
	struct ethosu_perfmon *perfmon, *put;
	int ret = 0;

	if (args->flags & ~DRM_ETHOSU_PERFMON_CLEAR_GLOBAL)
		return -EINVAL;
	perfmon = ethosu_perfmon_get(file->driver_priv, args->id);
	if (!perfmon)
		return -EINVAL;
	spin_lock_irq(&edev->sched.lock);
	put = clear ? edev->global_perfmon : NULL;
	if (clear && !edev->global_perfmon)
		ret = -EINVAL;
	else if (clear)
		edev->global_perfmon = NULL;
	else if (edev->global_perfmon || counting(edev))
		ret = -EBUSY;
	else
		edev->global_perfmon = perfmon;
	spin_unlock_irq(&edev->sched.lock);
	if (put)
		ethosu_perfmon_put(put);
	if (clear || ret)
		ethosu_perfmon_put(perfmon);
	return ret;
}
