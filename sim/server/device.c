/* SPDX-License-Identifier: MIT */
/* The simulated NPU as a PCI function: what the client may do to it. */
#include "sim/server/device.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/vfio.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "sim/server/device_internal.h"
#include "uapi/ethosu_regs.h"

#define REG_BAR_SIZE	0x2000u	/* the U85's window; the same for all, as one driver maps it */
#define GONE		UINT32_C(0xffffffff)	/* what a bus reads where nothing answers */

uint64_t device_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void device_log(struct device *dev, const char *fmt, ...)
{
	uint64_t us;
	va_list args;

	if (!dev->opt.log)
		return;
	us = (device_now() - dev->begin_ns) / 1000;
	flockfile(dev->opt.log);
	fprintf(dev->opt.log, "%" PRIu64 ".%06" PRIu64 " ", us / 1000000, us % 1000000);
	va_start(args, fmt);
	vfprintf(dev->opt.log, fmt, args);
	va_end(args);
	putc('\n', dev->opt.log);
	funlockfile(dev->opt.log);
}

/* ---- registers ---- */

/*
 * With the lock held. A driver takes an NPU whose QREAD stands still for one that hangs. Ours stands
 * still while an operation is simulated, which takes longer than it would in hardware, the more so
 * when kernels are compiled first or the machine is busy: so it gets on by a word with each reading,
 * but not to the last.
 */
static uint32_t progress(struct device *dev, uint32_t qread)
{
	uint32_t qsize;

	if (dev->hangs || !npu_running(dev->npu))
		return qread;
	qsize = npu_read(dev->npu, ETHOSU_REG_QSIZE);
	if (dev->shown_qread < qread)
		dev->shown_qread = qread;
	else if (dev->shown_qread + 8 <= qsize)
		dev->shown_qread += 4;
	return dev->shown_qread;
}

/* With the lock held: as far as FAULT_SLOW's time is over. The last word is for the NPU itself. */
static uint32_t slow_progress(struct device *dev, uint32_t qread)
{
	uint64_t now = device_now();
	double share = 1;
	uint32_t slow;

	if (now < dev->slow_end_ns)
		share = (double)(now - dev->slow_begin_ns) /
			(double)(dev->slow_end_ns - dev->slow_begin_ns);
	slow = dev->slow_qsize < 4 ? 0 : (uint32_t)(share * (dev->slow_qsize - 4)) & ~3u;
	/* Before and after the slow part, progress() tells; what was shown once is not taken back. */
	if (qread > slow)
		slow = qread;
	if (dev->shown_qread < slow)
		dev->shown_qread = slow;
	return dev->shown_qread;
}

/* With the lock held: STATUS and QREAD as drivers, and the ordered faults, have to see them. */
static uint32_t falsify(struct device *dev, uint32_t offset, uint32_t value)
{
	if (offset == ETHOSU_REG_STATUS && dev->reset_stuck)
		return value | ETHOSU_REG_BIT(STATUS_RESET_STATUS);
	if (offset == ETHOSU_REG_QREAD)
		return dev->slow_end_ns ? slow_progress(dev, value) : progress(dev, value);
	return value;
}

static uint32_t reg_read(struct device *dev, uint32_t offset)
{
	uint32_t value = GONE;

	pthread_mutex_lock(&dev->lock);
	if (!dev->vanished)
		value = falsify(dev, offset, npu_read(dev->npu, offset));
	pthread_mutex_unlock(&dev->lock);
	device_log(dev, "read 0x%04x = 0x%08x", offset, value);
	return value;
}

static void reg_write(struct device *dev, uint32_t offset, uint32_t value)
{
	bool gone;

	device_log(dev, "write 0x%04x = 0x%08x", offset, value);
	pthread_mutex_lock(&dev->lock);
	gone = dev->vanished;
	if (!gone && offset == ETHOSU_REG_RESET) {
		dev->breaks++;
		dev->resets++;
		dev->reset_stuck = fault_hits(&dev->opt.faults.kind[FAULT_RESET_STUCK],
					      dev->resets);
		if (dev->reset_stuck)
			device_log(dev, "fault reset-stuck at reset %" PRIu64, dev->resets);
	}
	pthread_mutex_unlock(&dev->lock);
	if (gone)
		return;
	/* Not under our lock: it may raise or lower the interrupt. */
	npu_write(dev->npu, offset, value);
	if (offset != ETHOSU_REG_CMD && offset != ETHOSU_REG_RESET)
		return;
	pthread_mutex_lock(&dev->lock);
	dev->shown_qread = 0;
	pthread_cond_signal(&dev->work);
	pthread_mutex_unlock(&dev->lock);
}

/* A register is read whole: parts of it are cut from the word. */
static void bar_read(struct device *dev, uint64_t offset, uint8_t *to, size_t len)
{
	uint32_t word;
	size_t at, n;

	for (; len; len -= n, offset += n, to += n) {
		at = offset & 3;
		n = len < 4 - at ? len : 4 - at;
		word = reg_read(dev, (uint32_t)offset & ~3u);
		memcpy(to, (uint8_t *)&word + at, n);
	}
}

static void bar_write(struct device *dev, uint64_t offset, const uint8_t *from, size_t len)
{
	uint32_t word;

	if ((offset | len) & 3) {
		device_log(dev, "write 0x%04" PRIx64 ": %zu bytes, ignored: registers are words",
			   offset, len);
		return;
	}
	for (; len; len -= 4, offset += 4, from += 4) {
		memcpy(&word, from, sizeof(word));
		reg_write(dev, (uint32_t)offset, word);
	}
}

/* ---- regions ---- */

uint64_t device_region_size(const struct device *dev, uint32_t region)
{
	switch (region) {
	case VFIO_PCI_BAR0_REGION_INDEX + DEVICE_REG_BAR:
		return REG_BAR_SIZE;
	case VFIO_PCI_BAR0_REGION_INDEX + DEVICE_SRAM_BAR:
		return dev->opt.sram_size;
	case VFIO_PCI_CONFIG_REGION_INDEX:
		return PCI_CONFIG_SIZE;
	default:
		return 0;
	}
}

void device_read(struct device *dev, uint32_t region, uint64_t offset, void *to, size_t len)
{
	switch (region) {
	case VFIO_PCI_BAR0_REGION_INDEX + DEVICE_REG_BAR:
		bar_read(dev, offset, to, len);
		return;
	case VFIO_PCI_BAR0_REGION_INDEX + DEVICE_SRAM_BAR:
		memcpy(to, (uint8_t *)dev->sram + offset, len);
		return;
	case VFIO_PCI_CONFIG_REGION_INDEX:
		pthread_mutex_lock(&dev->lock);
		if (dev->vanished)
			memset(to, 0xff, len);
		else
			pci_read(&dev->pci, offset, to, len);
		pthread_mutex_unlock(&dev->lock);
		return;
	}
}

void device_write(struct device *dev, uint32_t region, uint64_t offset, const void *from, size_t len)
{
	switch (region) {
	case VFIO_PCI_BAR0_REGION_INDEX + DEVICE_REG_BAR:
		bar_write(dev, offset, from, len);
		return;
	case VFIO_PCI_BAR0_REGION_INDEX + DEVICE_SRAM_BAR:
		memcpy((uint8_t *)dev->sram + offset, from, len);
		return;
	case VFIO_PCI_CONFIG_REGION_INDEX:
		pthread_mutex_lock(&dev->lock);
		if (!dev->vanished)
			pci_write(&dev->pci, offset, from, len);
		pthread_mutex_unlock(&dev->lock);
		return;
	}
}

/* ---- interrupt ---- */

void device_signal_irq(struct device *dev)
{
	static const uint64_t one = 1;
	ssize_t ret;

	if (dev->irq_fd < 0)
		return;
	/* The counter of an eventfd that no one reads is full after 2^64 of these. */
	ret = write(dev->irq_fd, &one, sizeof(one));
	if (ret != sizeof(one))
		device_log(dev, "irq: the client's eventfd: %s", strerrordesc_np(errno));
}

/* struct npu_bus_ops.irq: MSI is an edge. */
void device_irq(void *ctx, bool level)
{
	struct device *dev = ctx;
	bool lost;

	pthread_mutex_lock(&dev->lock);
	dev->irq_level = level;
	lost = level && dev->irq_lost;
	if (lost)
		dev->irq_lost = false;
	if (level && !lost && !dev->vanished)
		device_signal_irq(dev);
	pthread_mutex_unlock(&dev->lock);
	device_log(dev, "irq %s%s", level ? "up" : "down", lost ? " (lost)" : "");
}

void device_set_irq(struct device *dev, int fd)
{
	int old;

	pthread_mutex_lock(&dev->lock);
	old = dev->irq_fd;
	dev->irq_fd = fd;
	/* What came up while no one listened. */
	if (dev->irq_level && !dev->vanished)
		device_signal_irq(dev);
	pthread_mutex_unlock(&dev->lock);
	if (old >= 0)
		close(old);
}

void device_trigger_irq(struct device *dev)
{
	pthread_mutex_lock(&dev->lock);
	device_signal_irq(dev);
	pthread_mutex_unlock(&dev->lock);
}

/* ---- memory ---- */

int device_dma_map(struct device *dev, uint64_t addr, uint64_t size, unsigned int access, int fd,
		   uint64_t offset)
{
	int ret = dma_map(&dev->dma, addr, size, access, fd, offset);

	device_log(dev, "map 0x%" PRIx64 " + 0x%" PRIx64 "%s%s%s: %s", addr, size,
		   access & NPU_ACCESS_READ ? " read" : "",
		   access & NPU_ACCESS_WRITE ? " write" : "", fd < 0 ? ", not shared" : "",
		   ret ? strerrordesc_np(-ret) : "ok");
	return ret;
}

/* It is out of the table; a job that got hold of it before is waited for. */
static void forget(struct device *dev, const struct dma_window *window)
{
	if (window->used)
		npu_window_gone(dev->npu, window->win.id);
	dma_release(window);
}

int device_dma_unmap(struct device *dev, uint64_t addr, uint64_t size)
{
	struct dma_window window;
	int ret = dma_take(&dev->dma, addr, size, &window);

	device_log(dev, "unmap 0x%" PRIx64 " + 0x%" PRIx64 ": %s", addr, size,
		   ret ? strerrordesc_np(-ret) : "ok");
	if (!ret)
		forget(dev, &window);
	return ret;
}

/* ---- the whole ---- */

static void power_on_reset(struct device *dev)
{
	npu_power_on_reset(dev->npu);
	pthread_mutex_lock(&dev->lock);
	dev->breaks++;
	dev->reset_stuck = false;
	pthread_cond_signal(&dev->work);
	pthread_mutex_unlock(&dev->lock);
}

void device_reset(struct device *dev)
{
	device_log(dev, "device reset");
	power_on_reset(dev);
	pthread_mutex_lock(&dev->lock);
	pci_reset(&dev->pci);
	pthread_mutex_unlock(&dev->lock);
}

void device_disconnect(struct device *dev)
{
	struct dma_window window;

	device_set_irq(dev, -1);
	power_on_reset(dev);
	while (dma_take_any(&dev->dma, &window))
		forget(dev, &window);
	pthread_mutex_lock(&dev->lock);
	device_log(dev, "client gone after %" PRIu64 " jobs", dev->jobs);
	dev->vanished = false;
	pthread_mutex_unlock(&dev->lock);
	if (dev->opt.log)
		fflush(dev->opt.log);
}

static int make_sram(struct device *dev)
{
	uint32_t size = dev->opt.sram_size;

	if (!size)
		return 0;
	dev->sram_fd = memfd_create("accel-sim-sram", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (dev->sram_fd < 0 || ftruncate(dev->sram_fd, size))
		return -errno;
	dev->sram = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, dev->sram_fd, 0);
	if (dev->sram == MAP_FAILED) {
		dev->sram = NULL;
		return -errno;
	}
	return 0;
}

int device_create(struct device **out, const struct device_options *opt, char *err, size_t err_len)
{
	const uint32_t bars[PCI_BARS] = {
		[DEVICE_REG_BAR] = REG_BAR_SIZE, [DEVICE_SRAM_BAR] = opt->sram_size,
	};
	struct device *dev;
	int ret;

	dev = calloc(1, sizeof(*dev));
	ret = dev ? dma_init(&dev->dma) : -ENOMEM;
	if (ret) {
		free(dev);
		snprintf(err, err_len, "out of memory");
		return ret;
	}
	dev->opt = *opt;
	dev->sram_fd = -1;
	dev->irq_fd = -1;
	dev->begin_ns = device_now();
	dev->next_private_id = UINT64_C(1) << 63;
	pthread_mutex_init(&dev->lock, NULL);
	device_job_init(dev);
	pci_init(&dev->pci, opt->vendor, opt->device, bars, 1u << DEVICE_SRAM_BAR);
	ret = make_sram(dev);
	if (ret)
		snprintf(err, err_len, "SRAM of %u bytes: %s", opt->sram_size,
			 strerrordesc_np(-ret));
	else
		ret = npu_create(&dev->npu, opt->config, &dev->bus, dev, &opt->npu, err, err_len);
	if (ret) {
		device_destroy(dev);
		return ret;
	}
	*out = dev;
	return 0;
}

void device_destroy(struct device *dev)
{
	device_job_end(dev);
	npu_destroy(dev->npu);
	dma_destroy(&dev->dma);
	if (dev->irq_fd >= 0)
		close(dev->irq_fd);
	if (dev->sram)
		munmap(dev->sram, dev->opt.sram_size);
	if (dev->sram_fd >= 0)
		close(dev->sram_fd);
	free(dev->damaged);
	pthread_cond_destroy(&dev->work);
	pthread_mutex_destroy(&dev->lock);
	free(dev);
}
