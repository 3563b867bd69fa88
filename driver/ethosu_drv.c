// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Arm Ethos-U65 and U85 as a Linux accel device: the ABI of Linux 7.3's driver of this name, and more.
 * Binding, unbinding, opening, closing.
 */
#include <linux/clk.h>
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/of_reserved_mem.h>
#include <linux/platform_device.h>
#include <linux/pm_runtime.h>

#include <drm/drm_accel.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_managed.h>
#include <drm/drm_prime.h>
#include <drm/drm_print.h>

#include "ethosu_compat.h"
#include "ethosu_device.h"

#define ADDRESS_BITS		40
#define AUTOSUSPEND_MS		50
#define SEGMENT_BYTES		UINT_MAX

static int ethosu_open(struct drm_device *dev, struct drm_file *file)
{
	file->driver_priv = ethosu_client_create(to_ethosu(dev));
	return file->driver_priv ? 0 : -ENOMEM;
}

static void ethosu_postclose(struct drm_device *dev, struct drm_file *file)
{
	ethosu_client_close(file->driver_priv);
	ethosu_jobs_reap(to_ethosu(dev));
}

static const struct drm_ioctl_desc ethosu_ioctls[] = {
#define IOCTL(name, function) DRM_IOCTL_DEF_DRV(name, ethosu_ioctl_##function, 0)
	IOCTL(ETHOSU_DEV_QUERY, dev_query),
	IOCTL(ETHOSU_BO_CREATE, bo_create),
	IOCTL(ETHOSU_BO_WAIT, bo_wait),
	IOCTL(ETHOSU_BO_MMAP_OFFSET, bo_mmap_offset),
	IOCTL(ETHOSU_CMDSTREAM_BO_CREATE, cmdstream_bo_create),
	IOCTL(ETHOSU_SUBMIT, submit),
	IOCTL(ETHOSU_PERFMON_CREATE, perfmon_create),
	IOCTL(ETHOSU_PERFMON_DESTROY, perfmon_destroy),
	IOCTL(ETHOSU_PERFMON_GET_VALUES, perfmon_get_values),
	IOCTL(ETHOSU_PERFMON_SET_GLOBAL, perfmon_set_global),
	IOCTL(ETHOSUX_QUEUE_CREATE, queue_create),
	IOCTL(ETHOSUX_QUEUE_DESTROY, queue_destroy),
	IOCTL(ETHOSUX_QUEUE_SUBMIT, queue_submit),
	IOCTL(ETHOSUX_QUEUE_GET_STATE, queue_get_state),
	IOCTL(ETHOSUX_JOB_INFO, job_info),
	IOCTL(ETHOSUX_BO_INFO, bo_info),
#undef IOCTL
};

/*
 * DRM's core (6.12 to 7.3 at least) answers two old ioctls out of the file's master, which files of accel
 * nodes do not have, and follows the null pointer. Render nodes refuse them in this way.
 */
static bool wants_master(unsigned int nr)
{
	return nr == DRM_IOCTL_NR(DRM_IOCTL_GET_UNIQUE) || nr == DRM_IOCTL_NR(DRM_IOCTL_GET_MAGIC);
}

static long ethosu_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return wants_master(DRM_IOCTL_NR(cmd)) ? -EACCES : drm_ioctl(file, cmd, arg);
}

#ifdef CONFIG_COMPAT
static long ethosu_compat_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return wants_master(DRM_IOCTL_NR(cmd)) ? -EACCES : drm_compat_ioctl(file, cmd, arg);
}
#else
#define ethosu_compat_ioctl NULL
#endif

/* DRM_ACCEL_FOPS with our own in front. */
static const struct file_operations ethosu_fops = {
	.owner = THIS_MODULE,
	.open = accel_open,
	.release = drm_release,
	.unlocked_ioctl = ethosu_ioctl,
	.compat_ioctl = ethosu_compat_ioctl,
	.poll = drm_poll,
	.read = drm_read,
	.llseek = noop_llseek,
	.mmap = drm_gem_mmap,
	.show_fdinfo = drm_show_fdinfo,
	.fop_flags = FOP_UNSIGNED_OFFSET,
};

static const struct drm_driver ethosu_drm_driver = {
	.driver_features = DRIVER_COMPUTE_ACCEL | DRIVER_GEM | DRIVER_SYNCOBJ |
			   DRIVER_SYNCOBJ_TIMELINE,
	.open = ethosu_open,
	.postclose = ethosu_postclose,
	.ioctls = ethosu_ioctls,
	.num_ioctls = ARRAY_SIZE(ethosu_ioctls),
	.fops = &ethosu_fops,
	.show_fdinfo = ethosu_show_fdinfo,
	.gem_prime_import_sg_table = ethosu_gem_import,
	.name = "ethosu",
	.desc = "Arm Ethos-U accelerator",
	ETHOSU_DRIVER_DATE
	.major = 1,
	.minor = 0,
};

/* Wakes the cores and finds out what they are: all the same. */
static int identify(struct ethosu_device *edev)
{
	struct device *dev = edev->base.dev;
	u32 id, config, pmcr;
	unsigned int i;
	int ret;

	for (i = 0; i < edev->cores; i++) {
		ret = ethosu_hw_identify(&edev->core[i], &id, &config);
		if (ret)
			return ret;
		if (!i) {
			edev->info.id = id;
			edev->info.config = config;
		} else if (id != edev->info.id || config != edev->info.config) {
			dev_err(dev, "core %u is another NPU than core 0\n", i);
			return -EINVAL;
		}
		if (DRM_ETHOSU_ARCH_MAJOR(id) == 2)
			edev->core[i].pmu = edev->core[i].regs + ETHOSU_PMU_OFFSET_U85;
	}
	ret = ethosu_hw_init(&edev->hw, edev->info.id, edev->info.config);
	if (ret) {
		dev_err(dev, "ID 0x%08x, CONFIG 0x%08x: no Ethos-U65 or U85\n", edev->info.id,
			edev->info.config);
		return ret;
	}
	edev->prologue_words = ethosu_prologue(&edev->hw, edev->prologue);
	pmcr = readl_relaxed(edev->core[0].pmu + ETHOSU_REG_PMCR);
	edev->info.pmu_counters = min_t(u32, pmcr >> ETHOSU_PMCR_NUM_EVENT_CNT_LOW & 0x1f,
					DRM_ETHOSU_MAX_PERF_EVENT_COUNTERS);
	return 0;
}

static void free_nothing(struct drm_device *dev, void *data)
{
	struct ethosu_bo *bo = data;

	drm_gem_object_put(&bo->base);
}

static void free_reserved_mem(void *data)
{
	of_reserved_mem_device_release(data);
}

static void free_sched(void *data)
{
	struct ethosu_device *edev = data;

	ethosu_sched_fini(edev);
}

static void clocks_off(void *data)
{
	struct ethosu_device *edev = data;

	clk_bulk_disable_unprepare(edev->num_clks, edev->clks);
}

/* With clocks on: what must be known and set up before the first client. */
static int set_up(struct ethosu_device *edev)
{
	struct device *dev = edev->base.dev;
	unsigned int i;
	int ret;

	ret = identify(edev);
	if (ret)
		return ret;
	edev->nothing = ethosu_mem_create(edev, PAGE_SIZE);
	if (IS_ERR(edev->nothing))
		return PTR_ERR(edev->nothing);
	ret = drmm_add_action_or_reset(&edev->base, free_nothing, edev->nothing);
	if (ret)
		return ret;
	for (i = 0; i < edev->cores; i++) {
		ret = ethosu_hw_reset(&edev->core[i]);
		if (ret) {
			dev_err(dev, "core %u: reset failed: %d\n", i, ret);
			return ret;
		}
		ethosu_hw_clear_sram(&edev->core[i]);
		ret = devm_request_irq(dev, edev->core[i].irq, ethosu_irq, 0, dev_name(dev),
				       &edev->core[i]);
		if (ret)
			return ret;
	}
	return 0;
}

static int ethosu_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct ethosu_device *edev;
	int ret;

	edev = devm_drm_dev_alloc(dev, &ethosu_drm_driver, struct ethosu_device, base);
	if (IS_ERR(edev))
		return PTR_ERR(edev);
	platform_set_drvdata(pdev, edev);
	ret = drmm_mutex_init(&edev->base, &edev->reset_lock);
	if (ret)
		return ret;
	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(ADDRESS_BITS));
	if (ret)
		return ret;
	dma_set_max_seg_size(dev, SEGMENT_BYTES);
	if (dev->of_node) {
		ret = of_reserved_mem_device_init(dev);
		if (!ret)
			ret = devm_add_action_or_reset(dev, free_reserved_mem, dev);
		if (ret && ret != -ENODEV)
			return ret;
	}
	ret = ethosu_hw_probe(edev, pdev);
	if (ret)
		return ret;
	ret = ethosu_sched_init(edev);
	if (ret)
		return ret;
	ret = devm_add_action_or_reset(dev, free_sched, edev);
	if (ret)
		return ret;
	edev->num_clks = devm_clk_bulk_get_all(dev, &edev->clks);
	if (edev->num_clks < 0)
		return edev->num_clks;
	ret = clk_bulk_prepare_enable(edev->num_clks, edev->clks);
	if (ret)
		return ret;
	ret = set_up(edev);
	if (ret) {
		clocks_off(edev);
		return ret;
	}
	pm_runtime_set_active(dev);
	pm_runtime_set_autosuspend_delay(dev, AUTOSUSPEND_MS);
	pm_runtime_use_autosuspend(dev);
	pm_runtime_get_noresume(dev);
	pm_runtime_enable(dev);
	ret = drm_dev_register(&edev->base, 0);
	if (ret)
		goto err_pm;
	dev_info(dev, "Ethos-U%u, %u MACs, %u core%s, %u KiB of SRAM, %u event counters\n",
		 edev->hw.arch, 1u << (edev->info.config & 0xf), edev->cores,
		 edev->cores == 1 ? "" : "s", edev->info.sram_size / 1024,
		 edev->info.pmu_counters);
	ethosu_pm_off(edev);
	return 0;

err_pm:
	pm_runtime_disable(dev);
	pm_runtime_dont_use_autosuspend(dev);
	pm_runtime_put_noidle(dev);
	pm_runtime_set_suspended(dev);
	clocks_off(edev);
	return ret;
}

static void ethosu_remove(struct platform_device *pdev)
{
	struct ethosu_device *edev = platform_get_drvdata(pdev);
	struct device *dev = &pdev->dev;
	bool powered;
	unsigned int i;

	/* Waits for ioctls that are under way, and unmaps what is mapped. */
	drm_dev_unplug(&edev->base);
	powered = !pm_runtime_resume_and_get(dev);
	spin_lock_irq(&edev->sched.lock);
	edev->sched.paused = true;
	edev->sched.gone = true;
	spin_unlock_irq(&edev->sched.lock);
	for (i = 0; i < edev->cores; i++)
		disable_irq(edev->core[i].irq);
	cancel_delayed_work_sync(&edev->sched.watchdog);
	for (i = 0; i < edev->cores; i++) {
		cancel_work_sync(&edev->core[i].recover);
		cancel_work_sync(&edev->core[i].clear_sram);
		/* Stops what runs: its buffers are about to be given away. */
		if (powered)
			ethosu_hw_reset(&edev->core[i]);
	}
	ethosu_lose(edev, -ENODEV);
	pm_runtime_disable(dev);
	pm_runtime_dont_use_autosuspend(dev);
	pm_runtime_put_noidle(dev);
	if (!pm_runtime_status_suspended(dev)) {
		pm_runtime_set_suspended(dev);
		clocks_off(edev);
	}
}

static const struct of_device_id ethosu_of_match[] = {
	{ .compatible = "arm,ethos-u65" },
	{ .compatible = "arm,ethos-u85" },
	{}
};
MODULE_DEVICE_TABLE(of, ethosu_of_match);

static const struct platform_device_id ethosu_ids[] = {
	{ .name = "ethosu" },
	{}
};
MODULE_DEVICE_TABLE(platform, ethosu_ids);

static struct platform_driver ethosu_driver = {
	.probe = ethosu_probe,
	.remove = ethosu_remove,
	.id_table = ethosu_ids,
	.driver = {
		.name = "ethosu",
		.pm = pm_ptr(&ethosu_pm_ops),
		.of_match_table = ethosu_of_match,
		.dev_groups = ethosu_attr_groups,
	},
};
module_platform_driver(ethosu_driver);

MODULE_AUTHOR("The accel authors");
MODULE_DESCRIPTION("Arm Ethos-U65 and Ethos-U85 accelerator");
MODULE_LICENSE("Dual MIT/GPL");
