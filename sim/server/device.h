/* SPDX-License-Identifier: MIT */
/*
 * The simulated NPU as a PCI function: registers in BAR 0, SRAM in BAR 2, one interrupt, jobs on a
 * thread of their own, and faults where they were ordered.
 */
#ifndef ACCEL_SERVER_DEVICE_H
#define ACCEL_SERVER_DEVICE_H

#include <pthread.h>
#include <stdio.h>

#include "sim/npu.h"
#include "sim/server/dma.h"
#include "sim/server/fault.h"
#include "sim/server/pci.h"

#define DEVICE_REG_BAR	0
#define DEVICE_SRAM_BAR	2

/**
 * struct device_options - how to make one
 * @config: of the NPU
 * @npu: how to simulate it
 * @faults: which to commit
 * @sram_size: a power of two from 4096 on, or 0
 * @vendor, @device: PCI ids
 * @log: every access goes there; NULL: nowhere. Stays the caller's.
 */
struct device_options {
	const struct npu_config *config;
	struct npu_options npu;
	struct faults faults;
	uint32_t sram_size;
	uint16_t vendor, device;
	FILE *log;
};

/**
 * struct device - the function
 * @lock: what follows it, up to @worker
 * @work: signalled when a job starts or registers were written that may end one
 * @jobs: that began, which is also the number of the last one
 * @breaks: resets of whatever kind; one ends the job that is at work
 * @hangs: the job does, by order
 * @shown_qread: what QREAD was last read as, while a job is under way
 * @irq_fd: eventfd of the MSI, -1: none
 * @irq_level: the NPU's interrupt line
 * @irq_lost: the next edge is
 * @resolves: of the job, up to FAULT_BUS_ERROR's access
 * @refuse_at: 0: never
 * @damaged: what the NPU gets to see in place of its command stream
 */
struct device {
	struct device_options opt;
	struct npu_bus_ops bus;
	struct npu *npu;
	struct dma dma;
	int sram_fd;
	void *sram;
	uint64_t begin_ns;

	pthread_mutex_t lock;
	pthread_cond_t work;
	struct pci pci;
	uint64_t jobs;
	uint64_t breaks;
	uint64_t resets;
	bool reset_stuck;
	bool vanished;
	uint64_t slow_begin_ns, slow_end_ns;
	uint32_t slow_qsize;
	bool hangs;
	uint32_t shown_qread;
	int irq_fd;
	bool irq_level;
	bool irq_lost;
	bool stop;

	pthread_t worker;
	bool worker_runs;

	/* The thread that runs jobs has these for itself. */
	uint64_t resolves;
	uint64_t refuse_at;
	bool damage;
	void *damaged;
	uint64_t next_private_id;
};

/**
 * device_create - a function that no client uses yet
 * @err: receives one line on failure
 *
 * Jobs run only once device_start() was called, or in device_run_job().
 *
 * Return: 0, -errno.
 */
int device_create(struct device **out, const struct device_options *opt, char *err, size_t err_len);
int device_start(struct device *dev);
void device_destroy(struct device *dev);

/* Run the job that was started, if one was, to its end. What the thread does. */
void device_run_job(struct device *dev);

/* Bytes of a region (VFIO_PCI_*_REGION_INDEX), 0: there is none. */
uint64_t device_region_size(const struct device *dev, uint32_t region);

/* [offset, offset + len) lies within the region. */
void device_read(struct device *dev, uint32_t region, uint64_t offset, void *to, size_t len);
void device_write(struct device *dev, uint32_t region, uint64_t offset, const void *from, size_t len);

/* The eventfd that is the MSI, or -1. It is the device's from now on. */
void device_set_irq(struct device *dev, int fd);
void device_trigger_irq(struct device *dev);

/* See dma_map() and dma_take(). Memory is gone on return, whatever job may use it. */
int device_dma_map(struct device *dev, uint64_t addr, uint64_t size, unsigned int access, int fd,
		   uint64_t offset);
int device_dma_unmap(struct device *dev, uint64_t addr, uint64_t size);

void device_reset(struct device *dev);

/* The client has left: its memory and eventfd go, what runs is stopped, a vanished device is back. */
void device_disconnect(struct device *dev);

#endif
