/* SPDX-License-Identifier: MIT */
/*
 * What the device itself costs a job that comes back: registers, start, npu_run() and the
 * acknowledge, on an engine that does nothing. Thirty operations over three regions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/engine.h"
#include "tests/test_bus.h"

#define OPS	30
#define RUNS	200000

struct npu_engine {
	int unused;
};

struct npu_plan {
	int unused;
};

static struct npu_engine engine;
static struct npu_plan plan;

static int null_create(struct npu_engine **out, const struct npu_config *config,
		       const struct npu_options *opt, char *err, size_t err_len)
{
	(void)config;
	(void)opt;
	(void)err;
	(void)err_len;
	*out = &engine;
	return 0;
}

static void null_destroy(struct npu_engine *e)
{
	(void)e;
}

static int null_prepare(struct npu_engine *e, struct npu_plan **out, const struct npu_op *ops,
			size_t count, const struct npu_space_map maps[NPU_SPACES])
{
	(void)e;
	(void)ops;
	(void)count;
	(void)maps;
	*out = &plan;
	return 0;
}

static void null_release(struct npu_engine *e, struct npu_plan *p)
{
	(void)e;
	(void)p;
}

static int null_run(struct npu_engine *e, struct npu_plan *p, size_t first, size_t count,
		    const struct npu_space_map maps[NPU_SPACES], const int *abort_flag,
		    size_t *failed)
{
	(void)e;
	(void)p;
	(void)first;
	(void)count;
	(void)maps;
	(void)abort_flag;
	(void)failed;
	return 0;
}

static void null_describe(struct npu_engine *e, char *text, size_t len)
{
	(void)e;
	snprintf(text, len, "null");
}

#define NULL_ENGINE(name_) { \
	.name = name_, .create = null_create, .destroy = null_destroy, .prepare = null_prepare, \
	.release = null_release, .run = null_run, .describe = null_describe, \
}

const struct npu_engine_ops npu_engine_opencl = NULL_ENGINE("opencl");
const struct npu_engine_ops npu_engine_reference = NULL_ENGINE("reference");

static size_t put_dma(uint32_t *words, unsigned int i)
{
	const uint32_t dma[] = {
		0x00000130, 1u << 16 | 0x131, 0x4030, i * 16, 0x4031, i * 32, 0x4032, 16,
		0x00000010,
	};

	if (i & 1)
		((uint32_t *)memcpy(words, dma, sizeof(dma)))[1] = 2u << 16 | 0x131;
	else
		memcpy(words, dma, sizeof(dma));
	return sizeof(dma) / 4;
}

static double job_ns(struct npu *npu, struct test_bus *bus)
{
	struct timespec from, to;
	unsigned int i, k;

	clock_gettime(CLOCK_MONOTONIC, &from);
	for (i = 0; i < RUNS; i++) {
		npu_write(npu, 0x10, bus->window[0].addr);
		npu_write(npu, 0x20, bus->window[0].size);
		for (k = 0; k < 3; k++)
			npu_write(npu, 0x80 + 8 * k, bus->window[1].addr);
		npu_write(npu, 0x08, 0xc | 1);
		npu_run(npu);
		if ((npu_read(npu, 0x04) & 0xffff) != 0x22)
			abort();
		npu_write(npu, 0x08, 0xc | 2);
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	return ((to.tv_sec - from.tv_sec) * 1e9 + (to.tv_nsec - from.tv_nsec)) / RUNS;
}

int main(void)
{
	struct npu_options opt = { .size = sizeof(opt) };
	struct test_bus bus = TEST_BUS_INIT;
	uint32_t words[OPS * 9 + 1];
	size_t count = 0;
	struct npu *npu;
	unsigned int i;

	for (i = 0; i < OPS; i++)
		count += put_dma(words + count, i);
	words[count++] = 0xffff0000;
	test_bus_add(&bus, 0x10000, count * 4, NPU_ACCESS_READ);
	test_bus_add(&bus, 0x20000, 0x10000, NPU_ACCESS_READ | NPU_ACCESS_WRITE);
	memcpy(bus.window[0].host, words, count * 4);
	if (npu_create(&npu, npu_config_find("u65-256"), &test_bus_ops, &bus, &opt, NULL, 0))
		return 1;
	npu_read(npu, 0x04);
	job_ns(npu, &bus);
	printf("device, %u operations: %.0f ns a job\n", OPS, job_ns(npu, &bus));
	bus.window[0].constant = true;
	printf("device, %u operations, stream in a constant window: %.0f ns a job\n", OPS,
	       job_ns(npu, &bus));
	npu_write(npu, 0x184, 0x8000000f);
	npu_write(npu, 0x180, 1);
	printf("device, %u operations, PMU counting: %.0f ns a job\n", OPS, job_ns(npu, &bus));
	npu_destroy(npu);
	test_bus_free(&bus);
	return 0;
}
