/* SPDX-License-Identifier: MIT */
/* The simulated NPU as a PCI function: running jobs, and making them go wrong as ordered. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/server/device_internal.h"
#include "uapi/ethosu_regs.h"

/* Sets opcode bits that no command has. */
#define NO_COMMAND	UINT32_C(0xffff3fff)

static const char *const channel_name[] = {
	[NPU_CH_CMD] = "command stream", [NPU_CH_IFM] = "IFM", [NPU_CH_IFM2] = "IFM2",
	[NPU_CH_WEIGHT] = "weights", [NPU_CH_SCALE] = "scales", [NPU_CH_DMA_READ] = "DMA source",
	[NPU_CH_DMA_INDEX] = "DMA indices", [NPU_CH_OFM] = "OFM",
	[NPU_CH_DMA_WRITE] = "DMA destination",
};

/* ---- the bus ---- */

/* The SRAM is where the guest has put its BAR. */
static bool in_sram(struct device *dev, uint64_t addr, uint64_t len, struct npu_window *win)
{
	uint64_t base, size = dev->opt.sram_size;
	bool there;

	if (!size)
		return false;
	pthread_mutex_lock(&dev->lock);
	there = pci_bar(&dev->pci, DEVICE_SRAM_BAR, &base);
	pthread_mutex_unlock(&dev->lock);
	if (!there || addr < base || addr - base > size || len > size - (addr - base))
		return false;
	*win = (struct npu_window){
		.host = dev->sram, .addr = base, .size = size, .id = dev->next_private_id++,
		.access = NPU_ACCESS_READ | NPU_ACCESS_WRITE,
	};
	return true;
}

/* The stream at @win, with its first word broken. */
static int damage(struct device *dev, uint64_t addr, uint64_t len, struct npu_window *win)
{
	static const uint32_t broken = NO_COMMAND;
	uint8_t *copy;

	copy = malloc(len);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, (uint8_t *)win->host + (addr - win->addr), len);
	memcpy(copy, &broken, len < sizeof(broken) ? len : sizeof(broken));
	free(dev->damaged);
	dev->damaged = copy;
	*win = (struct npu_window){
		.host = copy, .addr = addr, .size = len, .id = dev->next_private_id++,
		.access = NPU_ACCESS_READ,
	};
	return 0;
}

static int bus_resolve(void *ctx, uint64_t addr, uint64_t len, unsigned int access,
		       struct npu_window *win)
{
	struct device *dev = ctx;
	int ret;

	dev->resolves++;
	if (dev->refuse_at && dev->resolves >= dev->refuse_at)
		return -EFAULT;
	if (in_sram(dev, addr, len, win))
		return 0;
	ret = dma_resolve(&dev->dma, addr, len, access, win);
	/* A job begins with the fetch of its stream. */
	if (!ret && dev->damage && dev->resolves == 1)
		ret = damage(dev, addr, len, win);
	return ret;
}

static void bus_log(void *ctx, const struct npu_access_log *entry)
{
	device_log(ctx, "dma %s 0x%" PRIx64 " + 0x%" PRIx64 " %s at 0x%x%s",
		   entry->access == NPU_ACCESS_WRITE ? "write" : "read", entry->addr, entry->len,
		   channel_name[entry->channel], entry->offset, entry->granted ? "" : ": refused");
}

static void bus_trace(void *ctx, const char *text)
{
	device_log(ctx, "npu: %s", text);
}

/* ---- jobs ---- */

/* With the lock held: does job @n have this fault? */
static bool befalls(struct device *dev, enum fault_kind kind, uint64_t n)
{
	if (!fault_hits(&dev->opt.faults.kind[kind], n))
		return false;
	device_log(dev, "fault %s at job %" PRIu64, fault_names[kind], n);
	return true;
}

/* With the lock held: does the guest still want the job that began at @breaks? */
static bool wanted(struct device *dev, uint64_t breaks)
{
	return !dev->stop && dev->breaks == breaks && npu_running(dev->npu);
}

/* With the lock held: until the guest ends the job. */
static void hang(struct device *dev, uint64_t breaks)
{
	dev->hangs = true;
	while (wanted(dev, breaks))
		pthread_cond_wait(&dev->work, &dev->lock);
	dev->hangs = false;
}

/* With the lock held: for a time, or until the guest ends the job. */
static void dawdle(struct device *dev, uint64_t breaks)
{
	struct timespec until;
	int ret = 0;

	dev->slow_begin_ns = device_now();
	dev->slow_end_ns = dev->slow_begin_ns +
			   dev->opt.faults.kind[FAULT_SLOW].ms * 1000000;
	dev->slow_qsize = npu_read(dev->npu, ETHOSU_REG_QSIZE);
	until.tv_sec = (time_t)(dev->slow_end_ns / 1000000000);
	until.tv_nsec = (long)(dev->slow_end_ns % 1000000000);
	while (!ret && wanted(dev, breaks))
		ret = pthread_cond_timedwait(&dev->work, &dev->lock, &until);
}

/* With the lock held: what goes wrong before the NPU gets to work. */
static void commit_faults(struct device *dev, uint64_t n, uint64_t breaks)
{
	dev->resolves = 0;
	dev->refuse_at = befalls(dev, FAULT_BUS_ERROR, n) ?
			 dev->opt.faults.kind[FAULT_BUS_ERROR].access : 0;
	dev->damage = befalls(dev, FAULT_PARSE_ERROR, n);
	dev->irq_lost = befalls(dev, FAULT_LOST_IRQ, n);
	if (befalls(dev, FAULT_SPURIOUS_IRQ, n))
		device_signal_irq(dev);
	if (befalls(dev, FAULT_VANISH, n))
		dev->vanished = true;
	if (befalls(dev, FAULT_SLOW, n))
		dawdle(dev, breaks);
	if (befalls(dev, FAULT_HANG, n) || dev->vanished)
		hang(dev, breaks);
}

void device_run_job(struct device *dev)
{
	uint64_t n, breaks;
	bool runs;

	pthread_mutex_lock(&dev->lock);
	n = ++dev->jobs;
	breaks = dev->breaks;
	device_log(dev, "job %" PRIu64 " begins", n);
	commit_faults(dev, n, breaks);
	runs = wanted(dev, breaks);
	pthread_mutex_unlock(&dev->lock);

	if (runs)
		npu_run(dev->npu);
	pthread_mutex_lock(&dev->lock);
	dev->irq_lost = false;
	dev->slow_end_ns = 0;
	device_log(dev, "job %" PRIu64 " ends", n);
	pthread_mutex_unlock(&dev->lock);
}

static void *worker(void *arg)
{
	struct device *dev = arg;

	pthread_mutex_lock(&dev->lock);
	while (!dev->stop) {
		if (!npu_running(dev->npu)) {
			pthread_cond_wait(&dev->work, &dev->lock);
			continue;
		}
		pthread_mutex_unlock(&dev->lock);
		device_run_job(dev);
		pthread_mutex_lock(&dev->lock);
	}
	pthread_mutex_unlock(&dev->lock);
	return NULL;
}

void device_job_init(struct device *dev)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&dev->work, &attr);
	pthread_condattr_destroy(&attr);
	dev->bus = (struct npu_bus_ops){
		.resolve = bus_resolve,
		.irq = device_irq,
		.log = dev->opt.log ? bus_log : NULL,
		.trace = dev->opt.log ? bus_trace : NULL,
	};
}

int device_start(struct device *dev)
{
	sigset_t all, old;
	int ret;

	/* Signals are for the thread of the connection. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = pthread_create(&dev->worker, NULL, worker, dev);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	dev->worker_runs = !ret;
	return -ret;
}

void device_job_end(struct device *dev)
{
	if (!dev->worker_runs)
		return;
	/* Ends a job that is at work; the worker sees stop before it takes another. */
	npu_write(dev->npu, ETHOSU_REG_RESET, 0);
	pthread_mutex_lock(&dev->lock);
	dev->stop = true;
	pthread_cond_signal(&dev->work);
	pthread_mutex_unlock(&dev->lock);
	pthread_join(dev->worker, NULL);
}
