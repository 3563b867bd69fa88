/* SPDX-License-Identifier: MIT */
/* A bus for tests: a list of windows, and a record of what the device told. */
#ifndef ACCEL_TESTS_TEST_BUS_H
#define ACCEL_TESTS_TEST_BUS_H

#include <pthread.h>

#include "sim/npu.h"

#define TEST_WINDOWS 8

/**
 * struct test_bus - windows and records; start from TEST_BUS_INIT
 * @lock: of the records, which callbacks on any thread write
 * @resolves: calls of resolve
 * @level, @irqs: of the interrupt line, and how often it changed
 * @on_irq: what a driver's handler does, called within the callback, no lock held
 * @log, @logged: accesses told
 * @trace: last text
 */
struct test_bus {
	struct npu_window window[TEST_WINDOWS];
	unsigned int count;
	pthread_mutex_t lock;
	unsigned int resolves;
	bool level;
	unsigned int irqs;
	void (*on_irq)(struct test_bus *bus, bool level);
	void *on_irq_ctx;
	struct npu_access_log *log;
	size_t logged, log_room;
	char trace[256];
};

#define TEST_BUS_INIT { .lock = PTHREAD_MUTEX_INITIALIZER }

extern const struct npu_bus_ops test_bus_ops;
extern const struct npu_bus_ops test_bus_ops_logged;

/* Add a window; host memory of @size bytes is allocated by itself, so that ASan guards its ends. */
struct npu_window *test_bus_add(struct test_bus *bus, uint64_t addr, uint64_t size,
				unsigned int access);
void test_bus_free(struct test_bus *bus);

#endif
