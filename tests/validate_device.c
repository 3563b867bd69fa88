/* SPDX-License-Identifier: MIT */
/*
 * Tests: accepted streams on the whole simulated NPU, its access log read. A region's buffer ends where
 * the memory that is mapped does, and the bus grants reads and writes just as far as was said.
 */
#include "tests/validate_device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/validate_gen.h"
#include "uapi/ethosu_regs.h"

/* Bytes of a region up to which streams are run, and the work one may make. */
#define REGION_MAX	(256u << 10)
#define WORK_MAX	(1u << 20)
#define PAGE		4096

/* On the bus: far enough apart that a short way too far is nowhere. */
#define REGION_STEP	(1ull << 36)
#define REGION_BASE	(1ull << 32)
#define CMD_ADDR	(9 * REGION_STEP)

/**
 * struct device - a simulated NPU and its memory
 * @use: of the stream that runs
 * @end: of each region's memory: the first byte that is not mapped
 * @cmd: the stream
 * @bad: an access that was not granted, or that the log has and should not
 * @text: what the device last said
 */
struct device {
	struct npu *npu;
	const struct ethosu_stream_use *use;
	uint8_t *map[ETHOSU_VALIDATE_REGIONS];
	uint8_t *end[ETHOSU_VALIDATE_REGIONS];
	uint32_t cmd[GEN_WORDS];
	size_t cmd_size;
	uint64_t window;
	char bad[200];
	char text[256];
};

static uint64_t size_of(const struct ethosu_region_use *r)
{
	return r->read_end > r->write_end ? r->read_end : r->write_end;
}

/* How far an access of a region may go. */
static uint64_t limit(const struct ethosu_region_use *r, unsigned int access)
{
	uint64_t end = size_of(r);

	if (access & NPU_ACCESS_READ && r->read_end < end)
		end = r->read_end;
	if (access & NPU_ACCESS_WRITE && r->write_end < end)
		end = r->write_end;
	return end;
}

static bool may(const struct device *d, uint64_t addr, uint64_t len, unsigned int access)
{
	unsigned int region = (unsigned int)(addr / REGION_STEP);
	uint64_t at = addr % REGION_STEP;

	if (addr >= CMD_ADDR)
		return addr - CMD_ADDR <= d->cmd_size && len <= d->cmd_size - (addr - CMD_ADDR) &&
		       access == NPU_ACCESS_READ;
	if (region >= ETHOSU_VALIDATE_REGIONS || at < REGION_BASE)
		return false;
	at -= REGION_BASE;
	return len <= REGION_MAX && at + len <= limit(&d->use->region[region], access);
}

static int bus_resolve(void *ctx, uint64_t addr, uint64_t len, unsigned int access,
		       struct npu_window *win)
{
	struct device *d = ctx;
	unsigned int region = (unsigned int)(addr / REGION_STEP);
	uint64_t size;

	if (!may(d, addr, len, access))
		return -EFAULT;
	win->access = access;
	win->constant = false;
	win->id = d->window;
	if (addr >= CMD_ADDR) {
		win->host = d->cmd;
		win->addr = CMD_ADDR;
		win->size = d->cmd_size;
		return 0;
	}
	size = size_of(&d->use->region[region]);
	win->host = d->end[region] - size;
	win->addr = region * REGION_STEP + REGION_BASE;
	win->size = limit(&d->use->region[region], access);
	return 0;
}

static void bus_irq(void *ctx, bool level)
{
	(void)ctx;
	(void)level;
}

static void bus_log(void *ctx, const struct npu_access_log *e)
{
	struct device *d = ctx;

	if (e->granted && may(d, e->addr, e->len, e->access))
		return;
	snprintf(d->bad, sizeof(d->bad), "command at 0x%x: channel %u, access %u of %llu bytes at "
		 "0x%llx%s", e->offset, e->channel, e->access, (unsigned long long)e->len,
		 (unsigned long long)e->addr, e->granted ? ", granted" : "");
}

static void bus_trace(void *ctx, const char *text)
{
	struct device *d = ctx;

	snprintf(d->text, sizeof(d->text), "%s", text);
}

static const struct npu_bus_ops bus_ops = {
	.resolve = bus_resolve,
	.irq = bus_irq,
	.log = bus_log,
	.trace = bus_trace,
};

struct device *device_new(const struct npu_config *config)
{
	struct npu_options opt = { .size = sizeof(opt), .engine = "reference",
				   .work_limit = WORK_MAX };
	struct device *d = calloc(1, sizeof(*d));
	char err[128];

	if (!d || npu_create(&d->npu, config, &bus_ops, d, &opt, err, sizeof(err)))
		abort();
	for (unsigned int i = 0; i < ETHOSU_VALIDATE_REGIONS; i++) {
		d->map[i] = mmap(NULL, REGION_MAX + PAGE, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (d->map[i] == MAP_FAILED || mprotect(d->map[i] + REGION_MAX, PAGE, PROT_NONE))
			abort();
		d->end[i] = d->map[i] + REGION_MAX;
	}
	return d;
}

void device_free(struct device *d)
{
	for (unsigned int i = 0; i < ETHOSU_VALIDATE_REGIONS; i++)
		munmap(d->map[i], REGION_MAX + PAGE);
	npu_destroy(d->npu);
	free(d);
}

static void fill_regions(struct device *d, uint64_t fill)
{
	struct rng r = { .state = fill };

	for (unsigned int i = 0; i < ETHOSU_VALIDATE_REGIONS; i++) {
		uint64_t size = size_of(&d->use->region[i]);
		uint8_t *p = d->end[i] - size;

		/* Small numbers now and then: they are indices as well. */
		for (uint64_t k = 0; k < size; k += 64)
			p[k] = (uint8_t)(k % 256 ? rng_next(&r) : rng_below(&r, 4));
	}
}

static void start(struct device *d)
{
	npu_power_on_reset(d->npu);
	npu_read(d->npu, ETHOSU_REG_STATUS);
	npu_write(d->npu, ETHOSU_REG_QBASE, (uint32_t)CMD_ADDR);
	npu_write(d->npu, ETHOSU_REG_QBASE + 4, (uint32_t)(CMD_ADDR >> 32));
	npu_write(d->npu, ETHOSU_REG_QSIZE, (uint32_t)d->cmd_size);
	for (unsigned int i = 0; i < ETHOSU_VALIDATE_REGIONS; i++) {
		uint64_t base = i * REGION_STEP + REGION_BASE;

		npu_write(d->npu, ETHOSU_REG_BASEP + 8 * i, (uint32_t)base);
		npu_write(d->npu, ETHOSU_REG_BASEP + 8 * i + 4, (uint32_t)(base >> 32));
	}
	npu_write(d->npu, ETHOSU_REG_CMD, ETHOSU_REG_BIT(CMD_TRANSITION_TO_RUNNING_STATE));
}

/* How a stream that did not come to its end came to an end. */
static enum device_verdict judge_fault(struct device *d)
{
	static const struct {
		const char *text;
		enum device_verdict verdict;
	} known[] = {
		{ "index out of range", DEVICE_DATA },
		{ "ends early or is malformed", DEVICE_DATA },
		{ "more work than", DEVICE_DATA },
		{ "chained feature maps too large", DEVICE_DATA },
		{ "not modelled", DEVICE_UNMODELLED },
		{ "depthwise from", DEVICE_UNMODELLED },
		{ "pooling from", DEVICE_UNMODELLED },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strstr(d->text, known[i].text))
			return known[i].verdict;
	return DEVICE_BAD;
}

enum device_verdict device_run(struct device *d, const uint32_t *words, size_t count,
			       const struct ethosu_stream_use *use, uint64_t fill, char *why,
			       size_t why_len)
{
	enum device_verdict verdict = DEVICE_DONE;

	for (unsigned int i = 0; i < ETHOSU_VALIDATE_REGIONS; i++)
		if (size_of(&use->region[i]) > REGION_MAX)
			return DEVICE_LARGE;
	d->use = use;
	d->window++;
	memcpy(d->cmd, words, 4 * count);
	d->cmd_size = 4 * count;
	d->bad[0] = '\0';
	d->text[0] = '\0';
	fill_regions(d, fill);
	start(d);
	npu_run(d->npu);
	if (!(npu_read(d->npu, ETHOSU_REG_STATUS) & ETHOSU_REG_BIT(STATUS_CMD_END_REACHED)))
		verdict = judge_fault(d);
	if (d->bad[0])
		verdict = DEVICE_BAD;
	if (verdict == DEVICE_BAD)
		snprintf(why, why_len, "%s %s", d->bad, d->text);
	return verdict;
}
