/* SPDX-License-Identifier: MIT */
/* What the files of the device (device*.c) share. Nobody else includes it. */
#ifndef ACCEL_SERVER_DEVICE_INTERNAL_H
#define ACCEL_SERVER_DEVICE_INTERNAL_H

#include "sim/server/device.h"

uint64_t device_now(void);

/* A line of the log, with the time since the device was made. */
void device_log(struct device *dev, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Write to the client's eventfd, if there is one. Lock held. */
void device_signal_irq(struct device *dev);

/* struct npu_bus_ops.irq */
void device_irq(void *ctx, bool level);

/* device_job.c: the bus, and the thread that runs jobs. */
void device_job_init(struct device *dev);
void device_job_end(struct device *dev);

#endif
