// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the driver tells: DEV_QUERY, fdinfo, sysfs. */
#include <linux/dma-map-ops.h>
#include <linux/math64.h>
#include <linux/sysfs.h>
#include <linux/uaccess.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_print.h>

#include "ethosu_device.h"

/* Copies what fits, and zeros behind it. */
static int answer(const struct drm_ethosu_dev_query *args, const void *from, size_t size)
{
	void __user *to = u64_to_user_ptr(args->pointer);

	if (copy_to_user(to, from, min_t(size_t, size, args->size)))
		return -EFAULT;
	if (args->size > size && clear_user(to + size, args->size - size))
		return -EFAULT;
	return 0;
}

static void get_caps(struct ethosu_device *edev, struct drm_ethosux_caps *caps)
{
	*caps = (struct drm_ethosux_caps) {
		.version = DRM_ETHOSUX_VERSION,
		.features = DRM_ETHOSUX_FEATURE_SYNCOBJ | DRM_ETHOSUX_FEATURE_SUBRANGE |
			    DRM_ETHOSUX_FEATURE_IMPORT,
		.cores = edev->cores,
		.max_priority = ethosu_max_priority(),
		.default_timeout_ms = READ_ONCE(ethosu_default_timeout_ms),
		.max_timeout_ms = READ_ONCE(ethosu_max_timeout_ms),
		.max_queues = ETHOSU_QUEUES,
		.max_jobs = ETHOSU_SUBMIT_JOBS,
		.max_syncs = ETHOSU_SUBMIT_SYNCS,
		.job_history = ETHOSU_HISTORY,
		.max_event = ethosu_max_event(edev),
	};
	if (device_iommu_mapped(edev->base.dev))
		caps->features |= DRM_ETHOSUX_FEATURE_IMPORT_SCATTERED;
}

int ethosu_ioctl_dev_query(struct drm_device *dev, void *data, struct drm_file *file)
{
	struct ethosu_device *edev = to_ethosu(dev);
	struct drm_ethosu_dev_query *args = data;
	struct drm_ethosux_caps caps;
	const void *from;
	size_t size, least;

	switch (args->type) {
	case DRM_ETHOSU_DEV_QUERY_NPU_INFO:
		from = &edev->info;
		size = sizeof(edev->info);
		least = offsetofend(struct drm_ethosu_npu_info, sram_size);
		break;
	case DRM_ETHOSUX_DEV_QUERY_CAPS:
		get_caps(edev, &caps);
		from = &caps;
		size = sizeof(caps);
		least = offsetofend(struct drm_ethosux_caps, features);
		break;
	default:
		return -EINVAL;
	}
	if (!args->pointer) {
		args->size = size;
		return 0;
	}
	return args->size < least ? -EINVAL : answer(args, from, size);
}

/* drm_driver.show_fdinfo, see Documentation/gpu/drm-usage-stats.rst */
void ethosu_show_fdinfo(struct drm_printer *p, struct drm_file *file)
{
	struct ethosu_client *client = file->driver_priv;
	struct ethosu_device *edev = client->edev;
	u64 busy_ns, jobs;

	spin_lock_irq(&edev->sched.lock);
	busy_ns = client->busy_ns;
	jobs = client->jobs;
	spin_unlock_irq(&edev->sched.lock);
	drm_printf(p, "drm-engine-npu:\t%llu ns\n", busy_ns);
	if (edev->cores > 1)
		drm_printf(p, "drm-engine-capacity-npu:\t%u\n", edev->cores);
	drm_printf(p, "ethosu-jobs:\t%llu\n", jobs);
	drm_show_memory_stats(p, file);
}

static ssize_t npu_busy_ns_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct ethosu_device *edev = dev_get_drvdata(dev);
	unsigned int i;
	u64 sum = 0;

	spin_lock_irq(&edev->sched.lock);
	for (i = 0; i < edev->cores; i++)
		sum += edev->core[i].busy_ns;
	spin_unlock_irq(&edev->sched.lock);
	return sysfs_emit(buf, "%llu\n", sum);
}
static DEVICE_ATTR_RO(npu_busy_ns);

static ssize_t npu_resets_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct ethosu_device *edev = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%d\n", atomic_read(&edev->resets));
}
static DEVICE_ATTR_RO(npu_resets);

static struct attribute *ethosu_attrs[] = {
	&dev_attr_npu_busy_ns.attr,
	&dev_attr_npu_resets.attr,
	NULL
};

static const struct attribute_group ethosu_attr_group = {
	.attrs = ethosu_attrs,
};

const struct attribute_group *ethosu_attr_groups[] = {
	&ethosu_attr_group,
	NULL
};
