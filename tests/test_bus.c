/* SPDX-License-Identifier: MIT */
/* The bus that the device's tests and fuzzers use. */
#include "tests/test_bus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct npu_window *test_bus_add(struct test_bus *bus, uint64_t addr, uint64_t size,
				unsigned int access)
{
	struct npu_window *win;

	if (bus->count == TEST_WINDOWS)
		abort();
	win = &bus->window[bus->count++];
	*win = (struct npu_window){
		.host = calloc(1, size), .addr = addr, .size = size, .id = bus->count,
		.access = access,
	};
	if (!win->host)
		abort();
	return win;
}

void test_bus_free(struct test_bus *bus)
{
	unsigned int i;

	for (i = 0; i < bus->count; i++)
		free(bus->window[i].host);
	free(bus->log);
	bus->count = 0;
	bus->log = NULL;
	bus->logged = bus->log_room = 0;
}

static int test_resolve(void *ctx, uint64_t addr, uint64_t len, unsigned int access,
			struct npu_window *out)
{
	struct test_bus *bus = ctx;
	unsigned int i;

	bus->resolves++;
	for (i = 0; i < bus->count; i++) {
		const struct npu_window *win = &bus->window[i];

		if (addr < win->addr || addr - win->addr > win->size ||
		    len > win->size - (addr - win->addr) || access & ~win->access)
			continue;
		*out = *win;
		return 0;
	}
	return -EFAULT;
}

static void test_irq(void *ctx, bool level)
{
	struct test_bus *bus = ctx;

	pthread_mutex_lock(&bus->lock);
	bus->level = level;
	bus->irqs++;
	pthread_mutex_unlock(&bus->lock);
	if (bus->on_irq)
		bus->on_irq(bus, level);
}

static void test_log(void *ctx, const struct npu_access_log *entry)
{
	struct test_bus *bus = ctx;

	if (bus->logged == bus->log_room) {
		bus->log_room = bus->log_room ? 2 * bus->log_room : 64;
		bus->log = realloc(bus->log, bus->log_room * sizeof(*bus->log));
		if (!bus->log)
			abort();
	}
	bus->log[bus->logged++] = *entry;
}

static void test_trace(void *ctx, const char *text)
{
	struct test_bus *bus = ctx;

	pthread_mutex_lock(&bus->lock);
	snprintf(bus->trace, sizeof(bus->trace), "%s", text);
	pthread_mutex_unlock(&bus->lock);
}

const struct npu_bus_ops test_bus_ops = {
	.resolve = test_resolve,
	.irq = test_irq,
	.trace = test_trace,
};

const struct npu_bus_ops test_bus_ops_logged = {
	.resolve = test_resolve,
	.irq = test_irq,
	.log = test_log,
	.trace = test_trace,
};
