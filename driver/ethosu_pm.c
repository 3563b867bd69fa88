// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Power: clocks on while there are jobs and a little longer, and the machine's sleep.
 *
 * Each job holds the power from before it is queued until it ended. What the NPU's registers and SRAM hold is
 * lost without it.
 */
#include <linux/clk.h>
#include <linux/pm_runtime.h>

#include <drm/drm_print.h>

#include "ethosu_device.h"

/* A running job is waited for so long before the machine sleeps. */
#define SUSPEND_WAIT_MS	2000

/* Takes a reference to the power. May sleep. Return: 0 or a negative errno. */
int ethosu_pm_on(struct ethosu_device *edev)
{
	return pm_runtime_resume_and_get(edev->base.dev);
}

/* In any context. */
void ethosu_pm_off(struct ethosu_device *edev)
{
	pm_runtime_mark_last_busy(edev->base.dev);
	pm_runtime_put_autosuspend(edev->base.dev);
}

static int runtime_suspend(struct device *dev)
{
	struct ethosu_device *edev = dev_get_drvdata(dev);

	clk_bulk_disable_unprepare(edev->num_clks, edev->clks);
	return 0;
}

static int runtime_resume(struct device *dev)
{
	struct ethosu_device *edev = dev_get_drvdata(dev);
	struct ethosu_core *core;
	int ret;

	ret = clk_bulk_prepare_enable(edev->num_clks, edev->clks);
	if (ret)
		return ret;
	mutex_lock(&edev->reset_lock);
	for (core = edev->core; core < edev->core + edev->cores; core++) {
		/* ethosu_revive() has another try, and tells the client. */
		core->dead = ethosu_hw_reset(core);
		core->sram_dirty = core->sram ? edev->info.sram_size : 0;
		ethosu_hw_clear_sram(core);
	}
	mutex_unlock(&edev->reset_lock);
	return 0;
}

static bool idle(struct ethosu_device *edev)
{
	bool busy = false;
	unsigned int i;

	spin_lock_irq(&edev->sched.lock);
	for (i = 0; i < edev->cores; i++)
		busy |= !!edev->core[i].job;
	spin_unlock_irq(&edev->sched.lock);
	return !busy;
}

/* Taken down here, the job of a core fails as if it had taken too long. */
static void hurry(struct ethosu_device *edev)
{
	unsigned int i;

	spin_lock_irq(&edev->sched.lock);
	for (i = 0; i < edev->cores; i++)
		if (edev->core[i].job && !edev->core[i].blocked)
			ethosu_recover_later(&edev->core[i], -ETIME, 0);
	spin_unlock_irq(&edev->sched.lock);
}

static int system_suspend(struct device *dev)
{
	struct ethosu_device *edev = dev_get_drvdata(dev);
	struct ethosu_sched *sched = &edev->sched;

	spin_lock_irq(&sched->lock);
	sched->paused = true;
	spin_unlock_irq(&sched->lock);
	if (!wait_event_timeout(sched->idle, idle(edev), msecs_to_jiffies(SUSPEND_WAIT_MS))) {
		dev_warn(dev, "a job does not end, taking it down to suspend\n");
		hurry(edev);
		wait_event(sched->idle, idle(edev));
	}
	flush_workqueue(sched->wq);
	return pm_runtime_force_suspend(dev);
}

static int system_resume(struct device *dev)
{
	struct ethosu_device *edev = dev_get_drvdata(dev);
	struct ethosu_sched *sched = &edev->sched;
	LIST_HEAD(ended);
	int ret;

	ret = pm_runtime_force_resume(dev);
	spin_lock_irq(&sched->lock);
	sched->paused = false;
	ethosu_sched_kick(edev, &ended);
	spin_unlock_irq(&sched->lock);
	ethosu_jobs_retire(&ended);
	return ret;
}

const struct dev_pm_ops ethosu_pm_ops = {
	SYSTEM_SLEEP_PM_OPS(system_suspend, system_resume)
	RUNTIME_PM_OPS(runtime_suspend, runtime_resume, NULL)
};
