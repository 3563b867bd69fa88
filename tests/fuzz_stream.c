/* SPDX-License-Identifier: MIT */
/*
 * Any command stream through the whole device: registers, decoder, plans, reference engine, log.
 *
 * Input: a byte that picks the configuration, a byte of flags, a 16-bit count of command words, the
 * words, then what is in region 0 (weights, tables) and then region 1 (feature maps). Regions 0, 1
 * and 2 lie in a window each, allocated by itself so that ASan sees one byte too many; region 3 lies
 * nowhere, 4 to 7 at address 0. With FLAG_FLAT all regions are at 0 and the stream's offsets are
 * addresses, which only the operand-by-operand path can place.
 *
 * Checked besides crashes: the device stops, in a state STATUS allows; memory it may not write does
 * not change; every byte that changes is in the log as written; every logged access that was granted
 * lies in a window that grants it. The mutator speaks the command stream.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/engine.h"
#include "tests/test_bus.h"

/* Not linked, never asked for. */
const struct npu_engine_ops npu_engine_opencl = { .name = "opencl" };

#define FLAG_LOG	0x01
#define FLAG_FLAT	0x02
#define FLAG_TWICE	0x04	/* same stream again: plan cache, state left over */
#define FLAG_RESET	0x08	/* with a reset in between */
#define FLAG_PMU	0x10

#define HEADER		4
#define MAX_WORDS	4096
#define CMD_ADDR	0x00800000u
#define WORK_LIMIT	(1u << 15)	/* a millisecond or so of the reference engine */

static const struct {
	uint32_t addr, size;
	unsigned int access;
} layout[] = {
	{ 0x10000, 0x4000, NPU_ACCESS_READ },
	{ 0x20000, 0x4000, NPU_ACCESS_READ | NPU_ACCESS_WRITE },
	{ 0x30000, 0x0410, NPU_ACCESS_READ | NPU_ACCESS_WRITE },
};

#define MAPPED (sizeof(layout) / sizeof(layout[0]))

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_stream: %s\n", what);
	abort();
}

struct job {
	struct test_bus bus;
	struct npu *npu;
	unsigned int flags;
	uint8_t *before[MAPPED];	/* contents before the run */
	uint8_t *written[MAPPED];	/* bytes the log says were written */
	bool table_changed;		/* a DMA overwrote its own index table: its log is not exact */
};

static void make_bus(struct job *job, const uint32_t *words, size_t count, const uint8_t *data,
		     size_t size)
{
	unsigned int i;
	size_t len;

	for (i = 0; i < MAPPED; i++) {
		struct npu_window *win = test_bus_add(&job->bus, layout[i].addr, layout[i].size,
						      layout[i].access);

		len = size < win->size ? size : win->size;
		memcpy(win->host, data, len);
		data += len;
		size -= len;
		job->before[i] = malloc(win->size);
		job->written[i] = calloc(1, win->size);
	}
	if (count) {
		test_bus_add(&job->bus, CMD_ADDR, count * 4, NPU_ACCESS_READ);
		memcpy(job->bus.window[MAPPED].host, words, count * 4);
	}
}

/* The log against the grants. */
static void check_log(struct job *job)
{
	size_t i;
	unsigned int k;

	for (i = 0; i < job->bus.logged; i++) {
		const struct npu_access_log *e = &job->bus.log[i];
		const struct npu_window *win = NULL;

		check(e->len > 0, "an access of no bytes in the log");
		if (!e->granted)
			continue;
		for (k = 0; k < job->bus.count; k++) {
			const struct npu_window *w = &job->bus.window[k];

			if (e->addr >= w->addr && e->addr - w->addr < w->size &&
			    e->len <= w->size - (e->addr - w->addr))
				win = w;
		}
		check(win, "a granted access outside of all windows");
		check(!(e->access & ~win->access), "a granted access that the window does not grant");
		k = win - job->bus.window;
		if (e->access == NPU_ACCESS_WRITE)
			memset(job->written[k] + (e->addr - win->addr), 1, e->len);
		else if (e->channel == NPU_CH_DMA_INDEX && k < MAPPED)
			job->table_changed |= memcmp((uint8_t *)win->host + (e->addr - win->addr),
						     job->before[k] + (e->addr - win->addr), e->len);
	}
}

static void check_memory(struct job *job)
{
	unsigned int i;
	size_t at;

	for (i = 0; i < MAPPED; i++) {
		const struct npu_window *win = &job->bus.window[i];
		const uint8_t *now = win->host;

		if (!memcmp(now, job->before[i], win->size))
			continue;
		check(win->access & NPU_ACCESS_WRITE, "a read-only window changed");
		if (!(job->flags & FLAG_LOG) || job->table_changed)
			continue;
		for (at = 0; at < win->size; at++)
			check(now[at] == job->before[i][at] || job->written[i][at],
			      "a byte changed that the log does not tell of");
	}
}

static void run_once(struct job *job, size_t count)
{
	uint32_t status, faults;
	unsigned int i;

	for (i = 0; i < MAPPED; i++) {
		memcpy(job->before[i], job->bus.window[i].host, job->bus.window[i].size);
		memset(job->written[i], 0, job->bus.window[i].size);
	}
	job->bus.logged = 0;
	job->table_changed = false;

	npu_write(job->npu, 0x10, CMD_ADDR);
	npu_write(job->npu, 0x20, count * 4);
	for (i = 0; i < 8; i++) {
		uint32_t base = i < MAPPED ? layout[i].addr : i == 3 ? 0xfff00000 : 0;

		npu_write(job->npu, 0x80 + 8 * i, job->flags & FLAG_FLAT ? 0 : base);
	}
	npu_write(job->npu, 0x08, 0xc | 1);
	check(npu_running(job->npu), "does not start");
	npu_run(job->npu);
	check(!npu_running(job->npu), "does not stop");
	status = npu_read(job->npu, 0x04);
	/* One way to end: the STOP, or one of bus, parse and branch fault; the interrupt is up. */
	faults = status & 0x214;
	check(!!(status & 0x20) == !faults, "neither the end nor a fault");
	check(!(faults & (faults - 1)), "two faults");
	check(status & 2 && job->bus.level, "no interrupt");
	check(npu_read(job->npu, 0x18) <= count * 4, "QREAD beyond QSIZE");
	check_log(job);
	check_memory(job);
	npu_write(job->npu, 0x08, 0xffff000e);
	/* Faults stay until a reset. */
	if (job->flags & FLAG_RESET || faults) {
		npu_write(job->npu, 0x0c, 0);
		npu_read(job->npu, 0x04);
		check(npu_read(job->npu, 0x04) == 0, "reset does not clear STATUS");
	}
}

static unsigned int config_count(void)
{
	unsigned int n = 0;

	while (npu_configs[n].name)
		n++;
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct npu_options opt = { .size = sizeof(opt), .engine = "reference",
				   .work_limit = WORK_LIMIT };
	struct job job = { .bus = TEST_BUS_INIT };
	size_t count, i;
	char err[80];

	if (size < HEADER)
		return 0;
	count = (data[2] | data[3] << 8) % (MAX_WORDS + 1);
	if (count > (size - HEADER) / 4)
		count = (size - HEADER) / 4;
	job.flags = data[1];
	make_bus(&job, (const uint32_t *)(const void *)(data + HEADER), count,
		 data + HEADER + count * 4, size - HEADER - count * 4);
	check(!npu_create(&job.npu, &npu_configs[data[0] % config_count()],
			  job.flags & FLAG_LOG ? &test_bus_ops_logged : &test_bus_ops, &job.bus, &opt,
			  err, sizeof(err)), "can not be created");
	npu_read(job.npu, 0x04);
	if (job.flags & FLAG_PMU) {
		uint32_t pmu = data[0] % config_count() >= 6 ? 0x1180 : 0x180;

		npu_write(job.npu, pmu + 4, 0xffffffff);
		npu_write(job.npu, pmu, 1);
	}
	run_once(&job, count);
	if (job.flags & FLAG_TWICE)
		run_once(&job, count);
	npu_destroy(job.npu);
	for (i = 0; i < MAPPED; i++) {
		free(job.before[i]);
		free(job.written[i]);
	}
	test_bus_free(&job.bus);
	return 0;
}

/* ---- the mutator ---- */

static uint32_t next(unsigned int *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 12;
}

static uint32_t some_value(unsigned int *seed)
{
	static const uint32_t values[] = {
		0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 32, 48, 64, 127, 128, 255, 256, 512, 1023, 1024,
		0x3fff, 0x4000, 0x7fff, 0x8000, 0xb800, 0xc000, 0xffff, 0x10000, 0x20000, 0x30000,
		0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff,
	};
	uint32_t value = values[next(seed) % (sizeof(values) / sizeof(values[0]))];

	return next(seed) % 4 ? value : value + next(seed) % 64 - 32;
}

static const uint16_t op_codes[] = {
	0x000, 0x001, 0x002, 0x002, 0x003, 0x005, 0x005, 0x006, 0x006, 0x007, 0x010, 0x010, 0x011,
	0x012, 0x013,
};

/* A command; returns its words. */
static size_t some_command(uint32_t *words, unsigned int *seed)
{
	uint32_t op;

	switch (next(seed) % 4) {
	case 0:
		op = op_codes[next(seed) % (sizeof(op_codes) / sizeof(op_codes[0]))];
		words[0] = op | (next(seed) % 2 ? next(seed) % 48 : some_value(seed)) << 16;
		return 1;
	case 1:
	case 2:
		op = 0x100 + next(seed) % (next(seed) % 4 ? 0x38 : 0x90);
		words[0] = op | some_value(seed) << 16;
		return 1;
	}
	op = next(seed) % 16 ? next(seed) % (next(seed) % 4 ? 0x3a : 0x98) : 0x100;
	words[0] = 0x4000 | op | (next(seed) % 8 ? 0 : some_value(seed) << 16);
	words[1] = some_value(seed);
	return 2;
}

/* The word where command @nth starts, at most @count. */
static size_t command_at(const uint8_t *words, size_t count, size_t nth)
{
	size_t at = 0;
	uint32_t word;

	while (nth-- && at < count) {
		memcpy(&word, words + 4 * at, 4);
		at += word & 0xc000 ? 2 : 1;
	}
	return at < count ? at : count;
}

static void set_count(uint8_t *data, size_t count)
{
	data[2] = count;
	data[3] = count >> 8;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	uint32_t command[2], old;
	size_t count, at, len, gone = 0;

	if (size < HEADER || next(&seed) % 4 == 0)
		return LLVMFuzzerMutate(data, size, max_size);
	count = data[2] | data[3] << 8;
	if (count > (size - HEADER) / 4)
		count = (size - HEADER) / 4;
	at = command_at(data + HEADER, count, next(&seed) % (count + 1));
	if (at < count) {
		memcpy(&old, data + HEADER + 4 * at, 4);
		gone = old & 0xc000 ? 2 : 1;
		gone = gone > count - at ? count - at : gone;
	}
	len = some_command(command, &seed);
	switch (next(&seed) % 8) {
	case 0:		/* drop one */
		len = 0;
		break;
	case 1:		/* new value for the same one */
	case 2:
	case 3:
		if (at == count)
			break;
		if (gone == 2)
			command[1] = some_value(&seed);
		command[0] = gone == 2 ? old : (old & 0xffff) | some_value(&seed) << 16;
		len = gone;
		break;
	case 4:		/* another in its place */
		break;
	default:	/* one more */
		gone = 0;
		break;
	}
	if (size + 4 * len > max_size + 4 * gone || count + len > MAX_WORDS + gone)
		return LLVMFuzzerMutate(data, size, max_size);
	data += HEADER;
	memmove(data + 4 * (at + len), data + 4 * (at + gone), size - HEADER - 4 * (at + gone));
	memcpy(data + 4 * at, command, 4 * len);
	data -= HEADER;
	set_count(data, count + len - gone);
	return size + 4 * len - 4 * gone;
}
