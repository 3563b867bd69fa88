/* SPDX-License-Identifier: MIT */
/*
 * The device as a driver sees it, on a fake engine that copies memory for DMA, does nothing for
 * other operations, and can be held in the middle or told to fail. Register values and streams are
 * written out from the ISA facts, not taken from the code under test.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sim/decode.h"
#include "sim/engine.h"
#include "sim/npu_internal.h"
#include "tests/test_bus.h"

/*
 * The fake engine. Each device has its own controls; they travel in npu_options.cache_dir, which
 * this engine has no other use for.
 */
struct controls {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool hold;		/* stop before operation @hold_at until @hold falls */
	size_t hold_at;
	bool held;
	int fail;		/* what operation @fail_at ends with */
	size_t fail_at;
	int fail_prepare;	/* what the next prepare of more than one operation returns */
	unsigned int prepared, released, runs, gone;
	size_t last_first, last_count;
	size_t ops;
};

struct npu_engine {
	struct controls *controls;
};

struct npu_plan {
	const struct npu_op *ops;
	size_t count;
};

static int fake_create(struct npu_engine **out, const struct npu_config *config,
		       const struct npu_options *opt, char *err, size_t err_len)
{
	struct npu_engine *engine = malloc(sizeof(*engine));

	(void)config;
	(void)err;
	(void)err_len;
	engine->controls = (struct controls *)(uintptr_t)opt->cache_dir;
	*out = engine;
	return 0;
}

static void fake_destroy(struct npu_engine *engine)
{
	free(engine);
}

static int fake_prepare(struct npu_engine *engine, struct npu_plan **out, const struct npu_op *ops,
			size_t count, const struct npu_space_map maps[NPU_SPACES])
{
	struct npu_plan *plan;

	(void)maps;
	if (count > 1 && engine->controls->fail_prepare)
		return engine->controls->fail_prepare;
	plan = malloc(sizeof(*plan));
	plan->ops = ops;
	plan->count = count;
	engine->controls->prepared++;
	*out = plan;
	return 0;
}

static void fake_release(struct npu_engine *engine, struct npu_plan *plan)
{
	engine->controls->released++;
	free(plan);
}

/* The bytes [at, at + len) of a space; they must be in its map. */
static uint8_t *fake_bytes(const struct npu_space_map *map, int64_t at, int64_t len)
{
	assert_non_null(map->base);
	assert_true(at >= map->lo && at + len <= map->hi);
	return map->base + (at - map->lo);
}

static void fake_dma(const struct npu_op *op, const struct npu_space_map *maps)
{
	uint32_t plane, row;

	for (plane = 0; plane < op->dma_planes; plane++) {
		for (row = 0; row < op->dma_rows; row++) {
			int64_t src = op->dma_src + plane * op->dma_src_step[1] +
				      row * op->dma_src_step[0];
			int64_t dst = op->dma_dst + plane * op->dma_dst_step[1] +
				      row * op->dma_dst_step[0];

			memmove(fake_bytes(&maps[op->dma_dst_space], dst, op->dma_len),
				fake_bytes(&maps[op->dma_src_space], src, op->dma_len),
				op->dma_len);
		}
	}
}

static int fake_run(struct npu_engine *engine, struct npu_plan *plan, size_t first, size_t count,
		    const struct npu_space_map maps[NPU_SPACES], const int *abort_flag,
		    size_t *failed)
{
	struct controls *controls = engine->controls;
	size_t i;

	assert_true(first + count <= plan->count);
	controls->runs++;
	controls->last_first = first;
	controls->last_count = count;
	for (i = first; i < first + count; i++) {
		pthread_mutex_lock(&controls->lock);
		if (controls->hold && controls->hold_at == i) {
			controls->held = true;
			pthread_cond_broadcast(&controls->changed);
			while (controls->hold)
				pthread_cond_wait(&controls->changed, &controls->lock);
		}
		pthread_mutex_unlock(&controls->lock);
		if (__atomic_load_n(abort_flag, __ATOMIC_RELAXED))
			return 0;
		if (controls->fail && controls->fail_at == i) {
			*failed = i;
			return controls->fail;
		}
		if (plan->ops[i].kind == NPU_KIND_DMA)
			fake_dma(&plan->ops[i], maps);
		controls->ops++;
	}
	return 0;
}

static void fake_window_gone(struct npu_engine *engine, uint64_t id)
{
	engine->controls->gone = id;
}

static void fake_describe(struct npu_engine *engine, char *text, size_t len)
{
	(void)engine;
	snprintf(text, len, "fake");
}

const struct npu_engine_ops npu_engine_reference = {
	.name = "reference", .create = fake_create, .destroy = fake_destroy,
	.prepare = fake_prepare, .release = fake_release, .run = fake_run,
	.window_gone = fake_window_gone, .describe = fake_describe,
};

const struct npu_engine_ops npu_engine_opencl = {
	.name = "opencl", .create = fake_create, .destroy = fake_destroy,
	.prepare = fake_prepare, .release = fake_release, .run = fake_run,
	.window_gone = fake_window_gone, .describe = fake_describe,
};

/* Hold the engine before an operation; wait until it is there; let it go. */
static void hold(struct controls *controls, size_t at)
{
	pthread_mutex_lock(&controls->lock);
	controls->hold = true;
	controls->hold_at = at;
	controls->held = false;
	pthread_mutex_unlock(&controls->lock);
}

static void wait_held(struct controls *controls)
{
	pthread_mutex_lock(&controls->lock);
	while (!controls->held)
		pthread_cond_wait(&controls->changed, &controls->lock);
	pthread_mutex_unlock(&controls->lock);
}

static void let_go(struct controls *controls)
{
	pthread_mutex_lock(&controls->lock);
	controls->hold = false;
	pthread_cond_broadcast(&controls->changed);
	pthread_mutex_unlock(&controls->lock);
}

/* Registers, from the appendix A tables. */
#define ID		0x00
#define STATUS		0x04
#define CMD		0x08
#define RESET		0x0c
#define QBASE		0x10
#define QREAD		0x18
#define QCONFIG		0x1c
#define QSIZE		0x20
#define PROT		0x24
#define CONFIG		0x28
#define REGIONCFG	0x3c
#define BASEP(i)	(0x80 + 8 * (i))

#define RUNNING		0x1
#define IRQ_RAISED	0x2
#define BUS_ERROR	0x4
#define IN_RESET	0x8
#define PARSE_ERROR	0x10
#define END_REACHED	0x20
#define PMU_RAISED	0x40

/* Commands of U55 and U65. */
#define SET0(op, param)		((uint32_t)(param) << 16 | (op))
#define SET1(op, value)		(0x4000u | (op)), (uint32_t)(value)
#define STOP(mask)		SET0(0x000, mask)
#define IRQ(mask)		SET0(0x001, mask)
#define DMA_START		SET0(0x010, 0)
#define PMU_MASK(on)		SET0(0x013, on)
#define DMA_SRC_REGION(r)	SET0(0x130, r)
#define DMA_DST_REGION(r)	SET0(0x131, r)
#define DMA_SRC(at)		SET1(0x030, at)
#define DMA_DST(at)		SET1(0x031, at)
#define DMA_LEN(len)		SET1(0x032, len)

#define DMA(src_region, src, dst_region, dst, len) \
	DMA_SRC_REGION(src_region), DMA_DST_REGION(dst_region), DMA_SRC(src), DMA_DST(dst), \
	DMA_LEN(len), DMA_START
#define DMA_WORDS	9

#define CMD_ADDR	0x100000ull
#define CONST_ADDR	0x200000ull
#define ARENA_ADDR	0x300000ull
#define WINDOW_SIZE	0x1000

/* A device on a bus with a command, a read-only and a read-write window; regions 0 and 1 placed. */
struct fixture {
	struct controls controls;
	struct test_bus bus;
	struct npu_window *cmd, *constants, *arena;
	struct npu *npu;
};

static void open_device(struct fixture *f, const char *config, const struct npu_bus_ops *ops)
{
	struct npu_options opt = {
		.size = sizeof(opt),
		.cache_dir = (const char *)(uintptr_t)&f->controls,
	};
	char err[128] = "";
	unsigned int i;

	memset(f, 0, sizeof(*f));
	pthread_mutex_init(&f->controls.lock, NULL);
	pthread_cond_init(&f->controls.changed, NULL);
	f->bus = (struct test_bus)TEST_BUS_INIT;
	f->cmd = test_bus_add(&f->bus, CMD_ADDR, WINDOW_SIZE, NPU_ACCESS_READ);
	f->constants = test_bus_add(&f->bus, CONST_ADDR, WINDOW_SIZE, NPU_ACCESS_READ);
	f->arena = test_bus_add(&f->bus, ARENA_ADDR, WINDOW_SIZE,
				NPU_ACCESS_READ | NPU_ACCESS_WRITE);
	for (i = 0; i < WINDOW_SIZE; i++)
		((uint8_t *)f->constants->host)[i] = i * 7 + 1;
	assert_int_equal(npu_create(&f->npu, npu_config_find(config), ops, &f->bus, &opt, err,
				    sizeof(err)), 0);
	/* Power-on reset is over when it was seen. */
	assert_int_equal(npu_read(f->npu, STATUS), IN_RESET);
	assert_int_equal(npu_read(f->npu, STATUS), 0);
	npu_write(f->npu, BASEP(0), CONST_ADDR);
	npu_write(f->npu, BASEP(1), ARENA_ADDR);
}

static void close_device(struct fixture *f)
{
	npu_destroy(f->npu);
	assert_int_equal(f->controls.prepared, f->controls.released);
	test_bus_free(&f->bus);
	pthread_mutex_destroy(&f->controls.lock);
	pthread_cond_destroy(&f->controls.changed);
}

static void load(struct fixture *f, const uint32_t *words, size_t count)
{
	memcpy(f->cmd->host, words, count * sizeof(*words));
	npu_write(f->npu, QBASE, CMD_ADDR);
	npu_write(f->npu, QSIZE, count * sizeof(*words));
}

static void start(struct fixture *f)
{
	npu_write(f->npu, CMD, 0xc | 1);
	assert_true(npu_running(f->npu));
}

static uint32_t run(struct fixture *f)
{
	start(f);
	npu_run(f->npu);
	assert_false(npu_running(f->npu));
	return npu_read(f->npu, STATUS);
}

#define RUN(f, ...) ({ \
	const uint32_t words_[] = { __VA_ARGS__ }; \
	load(f, words_, sizeof(words_) / sizeof(words_[0])); \
	run(f); \
})

static void *run_thread(void *npu)
{
	npu_run(npu);
	return NULL;
}

/* ---- registers ---- */

struct reset_value {
	uint16_t offset, count, step;
	uint32_t value;
};

/* Offsets not listed here hold nothing: they must read 0. */
static const struct reset_value reset_common[] = {
	{ 0x008, 1, 4, 0xc }, { 0xfd0, 1, 4, 0x4 }, { 0xfe4, 1, 4, 0xb5 }, { 0xfe8, 1, 4, 0xb },
	{ 0xff0, 1, 4, 0xd }, { 0xff4, 1, 4, 0xf0 }, { 0xff8, 1, 4, 0x5 }, { 0xffc, 1, 4, 0xb1 },
	{ 0 },
};

static const struct reset_value reset_u5x[] = { { 0x180, 1, 4, 0x2000 }, { 0xfe0, 1, 4, 0x81 }, { 0 } };
static const struct reset_value reset_u85[] = { { 0x1180, 1, 4, 0x4000 }, { 0xfe0, 1, 4, 0x82 }, { 0 } };

static uint32_t expect_reset(const struct npu_config *config, uint32_t offset)
{
	const struct reset_value *lists[] = {
		reset_common, config->arch == 85 ? reset_u85 : reset_u5x,
	};
	unsigned int i;

	if (offset == ID)
		return config->arch == 55 ? 0x10104201 : config->arch == 65 ? 0x10066001 : 0x20007001;
	if (offset == CONFIG)
		return config->config;
	for (i = 0; i < 2; i++) {
		const struct reset_value *v;

		for (v = lists[i]; v->count; v++) {
			if (v->offset == offset)
				return v->value;
		}
	}
	return 0;
}

static void test_reset_values(void **state)
{
	const struct npu_config *config;
	struct fixture f;
	uint32_t offset;

	(void)state;
	for (config = npu_configs; config->name; config++) {
		open_device(&f, config->name, &test_bus_ops);
		assert_int_equal(npu_reg_size(f.npu), config->arch == 85 ? 0x2000 : 0x1000);
		/* Spoil everything that can be written, then reset. */
		for (offset = 0x10; offset < npu_reg_size(f.npu); offset += 4)
			npu_write(f.npu, offset, 0xffffffff);
		npu_write(f.npu, RESET, 0);
		assert_int_equal(npu_read(f.npu, STATUS), IN_RESET);
		for (offset = 0; offset < npu_reg_size(f.npu); offset += 4) {
			if (npu_read(f.npu, offset) != expect_reset(config, offset))
				fail_msg("%s 0x%x: 0x%x, not 0x%x", config->name, offset,
					 npu_read(f.npu, offset), expect_reset(config, offset));
		}
		close_device(&f);
	}
}

/* CONFIG words that Vela writes for its targets, and the fields of the others. */
static void test_config_words(void **state)
{
	static const struct {
		const char *name;
		uint32_t config;
	} known[] = {
		{ "u55-128", 0x00001807 }, { "u65-256", 0x10003008 }, { "u65-512", 0x10006009 },
		{ "u85-256", 0x20000118 },
	};
	const struct npu_config *config;
	unsigned int i, log2 = 0;

	(void)state;
	for (i = 0; i < 4; i++)
		assert_int_equal(npu_config_find(known[i].name)->config, known[i].config);
	for (config = npu_configs; config->name; config++) {
		for (log2 = 0; 1u << log2 < config->macs; log2++)
			;
		assert_int_equal(config->config & 0xf, log2);
		assert_int_equal(config->config >> 28, config->arch == 55 ? 0 : config->arch == 65 ? 1 : 2);
		if (config->arch == 85)
			assert_int_equal(1u << (config->config >> 12 & 3), config->cores);
	}
	assert_null(npu_config_find("ethos-u65-384"));
	assert_null(npu_config_find(""));
}

/* A write of all ones leaves the bits that exist. */
static void test_write_masks(void **state)
{
	static const struct {
		const char *config;
		uint16_t offset;
		uint32_t value;
	} masks[] = {
		{ "u55-128", 0x10, 0xffffffff }, { "u55-128", 0x14, 0 }, { "u55-128", 0x40, 0x0f1f00f3 },
		{ "u55-128", 0x84, 0 }, { "u55-128", 0x14c, 0 },
		{ "u65-256", 0x14, 0xff }, { "u65-256", 0x1c, 0x3 }, { "u65-256", 0x20, 0xffffffff },
		{ "u65-256", 0x3c, 0xffff }, { "u65-256", 0x4c, 0x1f3f00f3 },
		{ "u65-256", 0xbc, 0xff }, { "u65-256", 0x38, 0 }, { "u65-256", 0x2c, 0xffffffff },
		{ "u65-256", 0x180, 0x2009 }, { "u65-256", 0x184, 0x8000000f },
		{ "u65-256", 0x1a4, 0xffff }, { "u65-256", 0x38c, 0x3ff }, { "u65-256", 0x390, 0 },
		{ "u85-256", 0x38, 0x3f }, { "u85-256", 0x40, 0xf7 }, { "u85-256", 0x50, 0x31f3f },
		{ "u85-256", 0x60, 0 }, { "u85-256", 0x2c, 0 }, { "u85-256", 0x30, 0 },
		{ "u85-256", 0x154, 0x3 }, { "u85-256", 0x180, 0 }, { "u85-256", 0x1180, 0x4009 },
		{ "u85-256", 0x1194, 0x800000ff }, { "u85-256", 0x131c, 0xffffffff },
		{ "u85-256", 0x139c, 0xf3ff }, { "u85-256", 0x11b0, 0xffff0001 },
		{ "u85-256", ID, 0x20007001 }, { "u85-256", QREAD, 0 }, { "u85-256", PROT, 0 },
		{ "u85-256", 0xfe0, 0x82 },
	};
	struct fixture f;
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		open_device(&f, masks[i].config, &test_bus_ops);
		npu_write(f.npu, masks[i].offset, 0xffffffff);
		if (npu_read(f.npu, masks[i].offset) != masks[i].value)
			fail_msg("%s 0x%x: 0x%x, not 0x%x", masks[i].config, masks[i].offset,
				 npu_read(f.npu, masks[i].offset), masks[i].value);
		close_device(&f);
	}
	open_device(&f, "u65-256", &test_bus_ops);
	npu_write(f.npu, 0x11, 0xffffffff);
	npu_write(f.npu, 0x1000, 0xffffffff);
	npu_write(f.npu, 0xfffffffc, 0xffffffff);
	assert_int_equal(npu_read(f.npu, QBASE), 0);
	assert_int_equal(npu_read(f.npu, 0x11), 0);
	assert_int_equal(npu_read(f.npu, 0x1000), 0);
	assert_int_equal(npu_read(f.npu, 0xfffffffc), 0);
	close_device(&f);
}

/* What Linux' ethosu driver does when it probes. */
static void test_driver_probe(void **state)
{
	struct fixture f;
	unsigned int polls = 0;

	(void)state;
	open_device(&f, "u65-256", &test_bus_ops);
	npu_write(f.npu, RESET, 2);	/* user, non-secure */
	while (npu_read(f.npu, STATUS) & IN_RESET)
		assert_true(++polls < 10);
	assert_int_equal(polls, 1);
	assert_int_equal(npu_read(f.npu, PROT), 2);
	npu_write(f.npu, REGIONCFG, 0xaa8a);
	assert_int_equal(npu_read(f.npu, REGIONCFG), 0xaa8a);
	npu_write(f.npu, CMD, 0);
	assert_int_equal(npu_read(f.npu, CMD), 0);
	assert_int_equal(npu_read(f.npu, ID) >> 28, 1);
	assert_int_equal(npu_read(f.npu, CONFIG), 0x10003008);
	assert_int_equal(npu_read(f.npu, 0x180) >> 11 & 0x1f, 4);
	npu_write(f.npu, RESET, 1);
	assert_int_equal(npu_read(f.npu, STATUS), IN_RESET);
	assert_int_equal(npu_read(f.npu, PROT), 1);
	assert_int_equal(npu_read(f.npu, REGIONCFG), 0);
	close_device(&f);
}

/* The window at 0x800 shows what the stream set. */
static void test_state_window(void **state)
{
	struct fixture f;

	(void)state;
	open_device(&f, "u65-256", &test_bus_ops);
	assert_int_equal(RUN(&f, SET0(0x120, 7), SET0(0x189, 0x80), SET0(0x123, 1),
			     0x00034000, 0x89abcdef, SET1(0x033, 0x40), SET1(0x090, 0x50),
			     STOP(0)), END_REACHED | IRQ_RAISED);
	assert_int_equal(npu_read(f.npu, 0x880), 7);		/* KERNEL_WIDTH_M1 */
	assert_int_equal(npu_read(f.npu, 0x924), 0x80);		/* IFM2_ZERO_POINT */
	assert_int_equal(npu_read(f.npu, 0x88c), 1);		/* PARALLEL_MODE */
	assert_int_equal(npu_read(f.npu, 0xa00), 0x89abcdef);	/* IFM_BASE0 */
	assert_int_equal(npu_read(f.npu, 0xa04), 3);
	assert_int_equal(npu_read(f.npu, 0xad8), 0x40);		/* DMA0_SKIP0 */
	assert_int_equal(npu_read(f.npu, 0xb40), 0x50);		/* WEIGHT1_BASE */
	npu_write(f.npu, RESET, 0);
	assert_int_equal(npu_read(f.npu, 0x880), 0);
	assert_int_equal(npu_read(f.npu, 0xb40), 0);
	close_device(&f);

	open_device(&f, "u85-256", &test_bus_ops);
	RUN(&f, SET1(0x038, 0x77), SET1(0x039, 0x66), SET1(0x097, 0x55), STOP(0));
	assert_int_equal(npu_read(f.npu, 0xbc0), 0x77);		/* DMA0_IDX_MAX */
	assert_int_equal(npu_read(f.npu, 0xbc8), 0x66);		/* DMA0_IDX_SKIP1 */
	assert_int_equal(npu_read(f.npu, 0xb78), 0x55);		/* RESIZE_Y_STEP */
	close_device(&f);
}

/* ---- jobs ---- */

static void test_run_and_irq(void **state)
{
	struct npu_stats stats;
	struct fixture f;

	(void)state;
	open_device(&f, "u65-256", &test_bus_ops);
	npu_run(f.npu);		/* not started: returns */
	assert_int_equal(f.bus.resolves, 0);
	assert_int_equal(RUN(&f, DMA(0, 16, 1, 32, 64), DMA(1, 32, 1, 512, 64), STOP(0x1234)),
			 END_REACHED | IRQ_RAISED | 0x12340000);
	assert_int_equal(npu_read(f.npu, QREAD), (2 * DMA_WORDS + 1) * 4);
	assert_int_equal(npu_read(f.npu, 0x27c), (2 * DMA_WORDS + 1) * 4);
	assert_memory_equal((uint8_t *)f.arena->host + 512, (uint8_t *)f.constants->host + 16, 64);
	assert_int_equal(f.controls.runs, 1);
	assert_int_equal(f.bus.resolves, 3);	/* stream, region 0, region 1 */
	assert_true(f.bus.level);
	assert_int_equal(f.bus.irqs, 1);
	npu_write(f.npu, CMD, 0x1000000c);
	assert_int_equal(npu_read(f.npu, STATUS), END_REACHED | IRQ_RAISED | 0x02340000);
	npu_write(f.npu, CMD, 0xc | 2);
	assert_int_equal(npu_read(f.npu, STATUS), END_REACHED | 0x02340000);
	assert_false(f.bus.level);
	assert_int_equal(f.bus.irqs, 2);
	npu_get_stats(f.npu, &stats);
	assert_int_equal(stats.jobs, 1);
	assert_int_equal(stats.ops, 2);
	assert_string_equal(stats.device, "fake");
	close_device(&f);
}

/* A handler that acknowledges at once, inside the callback. */
static void acknowledge(struct test_bus *bus, bool level)
{
	struct npu *npu = bus->on_irq_ctx;

	if (level && npu_read(npu, STATUS) & IRQ_RAISED)
		npu_write(npu, CMD, 0xc | 2);
}

static void test_irq_acknowledged_in_callback(void **state)
{
	struct fixture f;

	(void)state;
	open_device(&f, "u65-256", &test_bus_ops);
	f.bus.on_irq_ctx = f.npu;
	f.bus.on_irq = acknowledge;
	assert_int_equal(RUN(&f, IRQ(1), DMA(0, 0, 1, 0, 16), STOP(2)), END_REACHED | 0x30000);
	assert_int_equal(f.bus.irqs, 4);
	assert_false(f.bus.level);
	close_device(&f);
}

/* A handler that runs the next job. */
static void run_next(struct test_bus *bus, bool level)
{
	struct fixture *f = bus->on_irq_ctx;

	if (!level || bus->irqs > 6)
		return;
	npu_write(f->npu, CMD, 0xc | 2 | 1);
	npu_run(f->npu);
}

static void test_handler_runs_next(void **state)
{
	struct npu_stats stats;
	struct fixture f;

	(void)state;
	open_device(&f, "u65-256", &test_bus_ops);
	f.bus.on_irq_ctx = &f;
	f.bus.on_irq = run_next;
	RUN(&f, DMA(0, 0, 1, 0, 16), STOP(2));
	npu_get_stats(f.npu, &stats);
	assert_true(stats.jobs > 1);
	assert_true(f.bus.level);
	close_device(&f);
}

/* NPU_OP_IRQ: the interrupt is up, the operations before it are done, those after it are not. */
static void test_irq_in_stream(void **state)
{
	static const uint32_t words[] = {
		DMA(0, 0, 1, 0, 16), IRQ(0x40), DMA(0, 64, 1, 64, 16), STOP(1),
	};
	struct fixture f;
	pthread_t thread;

	(void)state;
	open_device(&f, "u65-256", &test_bus_ops);
	load(&f, words, sizeof(words) / 4);
	hold(&f.controls, 1);
	start(&f);
	pthread_create(&thread, NULL, run_thread, f.npu);
	wait_held(&f.controls);
	assert_int_equal(npu_read(f.npu, STATUS), RUNNING | IRQ_RAISED | 0x400000);
	assert_true(f.bus.level);
	assert_int_equal(npu_read(f.npu, QREAD), (2 * DMA_WORDS) * 4);	/* the second DMA_START */
	assert_memory_equal(f.arena->host, f.constants->host, 16);
	let_go(&f.controls);
	pthread_join(thread, NULL);
	assert_int_equal(npu_read(f.npu, STATUS), END_REACHED | IRQ_RAISED | 0x410000);
	assert_int_equal(f.bus.irqs, 1);
	close_device(&f);
}

static void expect_fault(struct fixture *f, uint32_t status, uint32_t fault, uint32_t qread)
{
	assert_int_equal(status, fault | IRQ_RAISED);
	assert_int_equal(npu_read(f->npu, QREAD), qread);
	assert_true(f->bus.level);
	assert_string_not_equal(f->bus.trace, "");
	npu_write(f->npu, RESET, 0);
	assert_int_equal(npu_read(f->npu, STATUS), IN_RESET);
	assert_int_equal(npu_read(f->npu, STATUS), 0);
	assert_false(f->bus.level);
	f->bus.trace[0] = '\0';
}

static void test_fetch_faults(void **state)
{
	struct fixture f;

	(void)state;
	open_device(&f, "u65-256", &test_bus_ops);
	npu_write(f.npu, QBASE, CMD_ADDR + WINDOW_SIZE - 4);
	npu_write(f.npu, QSIZE, 8);
	expect_fault(&f, run(&f), BUS_ERROR, 0);

	/* The other port: memory attribute 2 is on AXI1. */
	npu_write(f.npu, QBASE + 4, 0x80);
	npu_write(f.npu, QSIZE, 8);
	npu_write(f.npu, QCONFIG, 2);
	expect_fault(&f, run(&f), BUS_ERROR | 1 << 11, 0);

	npu_write(f.npu, QBASE, 0xfffffff0);
	npu_write(f.npu, QBASE + 4, 0xff);
	npu_write(f.npu, QSIZE, 0x20);
	expect_fault(&f, run(&f), BUS_ERROR, 0);

	npu_write(f.npu, QBASE, CMD_ADDR);
	npu_write(f.npu, QSIZE, (16 << 20) + 4);
	expect_fault(&f, run(&f), PARSE_ERROR, 0);

	npu_write(f.npu, QBASE, CMD_ADDR);
	npu_write(f.npu, QSIZE, 0);
	expect_fault(&f, run(&f), PARSE_ERROR, 0);
	assert_int_equal(f.controls.ops, 0);
	close_device(&f);
}

static void test_operand_faults(void **state)
{
	const uint32_t at = 2 * DMA_WORDS * 4 - 4;	/* of the second DMA_START */
	struct fixture f;
	uint8_t *arena;

	(void)state;
	open_device(&f, "u65-256", &test_bus_ops);
	arena = f.arena->host;
	npu_write(f.npu, REGIONCFG, 2 << 2);	/* region 1 on AXI1 */

	/* Write to what may only be read: channel 9, and the first copy was made. */
	expect_fault(&f, RUN(&f, DMA(0, 0, 1, 0, 16), DMA(1, 0, 0, 0, 16), STOP(0)),
		     BUS_ERROR | 9 << 12, at);
	assert_memory_equal(arena, f.constants->host, 16);
	assert_int_equal(f.controls.ops, 1);

	/* Read one byte too far, from region 1: channel 4 on AXI1. */
	npu_write(f.npu, BASEP(0), CONST_ADDR);
	npu_write(f.npu, BASEP(1), ARENA_ADDR);
	npu_write(f.npu, REGIONCFG, 2 << 2);
	memset(arena, 0, 64);
	expect_fault(&f, RUN(&f, DMA(0, 64, 1, 0, 16), DMA(1, WINDOW_SIZE - 16, 1, 16, 17), STOP(0)),
		     BUS_ERROR | 1 << 11 | 4 << 12, at);
	assert_memory_equal(arena, (uint8_t *)f.constants->host + 64, 16);
	assert_int_equal(arena[16], 0);

	/* BASEP + offset leaves 40 bits, whatever there may be. */
	test_bus_add(&f.bus, 1ull << 40, 64, NPU_ACCESS_READ | NPU_ACCESS_WRITE);
	npu_write(f.npu, BASEP(0), CONST_ADDR);
	npu_write(f.npu, BASEP(1), 0xffffff00);
	npu_write(f.npu, BASEP(1) + 4, 0xff);
	expect_fault(&f, RUN(&f, DMA(0, 64, 1, 0x100, 16), STOP(0)), BUS_ERROR | 9 << 12,
		     DMA_WORDS * 4 - 4);

	/* Internal memory ends at 48 KiB. */
	npu_write(f.npu, BASEP(0), CONST_ADDR);
	expect_fault(&f, RUN(&f, DMA(0, 0, 0x100, 48 * 1024 - 15, 16), STOP(0)),
		     BUS_ERROR | 9 << 12, DMA_WORDS * 4 - 4);
	close_device(&f);

	/* 32 bits on the U55. */
	open_device(&f, "u55-128", &test_bus_ops);
	test_bus_add(&f.bus, 1ull << 32, 0x400000, NPU_ACCESS_READ | NPU_ACCESS_WRITE);
	npu_write(f.npu, BASEP(1), 0xfffffff0);
	expect_fault(&f, RUN(&f, DMA(0, 64, 1, 0x300020, 16), STOP(0)), BUS_ERROR | 9 << 12,
		     DMA_WORDS * 4 - 4);
	close_device(&f);
}

static void test_parse_errors(void **state)
{
	struct fixture f;

	(void)state;
	open_device(&f, "u65-256", &test_bus_ops);
	/* Opcode 0x0ff does not exist; the copy before it is made. */
	expect_fault(&f, RUN(&f, DMA(0, 32, 1, 0, 16), SET0(0x0ff, 0), STOP(0)), PARSE_ERROR,
		     DMA_WORDS * 4);
	assert_memory_equal(f.arena->host, (uint8_t *)f.constants->host + 32, 16);
	/* RESIZE is not a command of the U65. */
	expect_fault(&f, RUN(&f, SET0(0x007, 0), STOP(0)), PARSE_ERROR, 0);
	/* No STOP, then half of a command. */
	expect_fault(&f, RUN(&f, SET0(0x104, 3)), PARSE_ERROR, 4);
	expect_fault(&f, RUN(&f, SET0(0x104, 3), 0x4000), PARSE_ERROR, 4);
	close_device(&f);
}

/* The engine finds bad data at run time, or can not prepare the job. */
static void test_engine_faults(void **state)
{
	struct fixture f;

	(void)state;
	open_device(&f, "u65-256", &test_bus_ops);
	f.controls.fail = -EIO;
	f.controls.fail_at = 1;
	expect_fault(&f, RUN(&f, DMA(0, 0, 1, 0, 16), DMA(0, 0, 1, 16, 16), STOP(0)),
		     BUS_ERROR | 6 << 12, 2 * DMA_WORDS * 4 - 4);
	f.controls.fail = 0;
	npu_write(f.npu, BASEP(0), CONST_ADDR);
	npu_write(f.npu, BASEP(1), ARENA_ADDR);
	/* Not as a whole, but one by one. */
	f.controls.fail_prepare = -EINVAL;
	f.controls.ops = 0;
	assert_int_equal(RUN(&f, DMA(0, 0, 1, 0, 16), DMA(0, 0, 1, 32, 16), STOP(0)),
			 END_REACHED | IRQ_RAISED);
	assert_int_equal(f.controls.ops, 2);
	close_device(&f);
}

/* Regions that lie in several windows: operations are placed one by one. */
static void test_scattered_regions(void **state)
{
	struct fixture f;

	(void)state;
	open_device(&f, "u65-256", &test_bus_ops);
	npu_write(f.npu, BASEP(0), 0);
	npu_write(f.npu, BASEP(1), 0);
	/* All through region 0, which reaches both windows. */
	assert_int_equal(RUN(&f, DMA(0, CONST_ADDR + 16, 0, ARENA_ADDR, 16),
			     DMA(0, ARENA_ADDR, 1, ARENA_ADDR + 16, 16),
			     DMA(0, ARENA_ADDR + 16, 0x100, 0, 16),
			     DMA(0x100, 0, 1, ARENA_ADDR + 32, 16), STOP(0)),
			 END_REACHED | IRQ_RAISED);
	assert_memory_equal((uint8_t *)f.arena->host + 32, (uint8_t *)f.constants->host + 16, 16);
	assert_int_equal(f.controls.ops, 4);
	/* A second operation outside of both: the first has run. */
	memset(f.arena->host, 0, 64);
	assert_int_equal(RUN(&f, DMA(0, CONST_ADDR + 32, 0, ARENA_ADDR, 16),
			     DMA(0, 0x400000, 0, ARENA_ADDR + 16, 16), DMA_SRC(0x500000), STOP(0)),
			 BUS_ERROR | 4 << 12 | IRQ_RAISED);
	assert_memory_equal(f.arena->host, (uint8_t *)f.constants->host + 32, 16);
	assert_int_equal(npu_read(f.npu, QREAD), 2 * DMA_WORDS * 4 - 4);
	/* The state is the one at the fault. */
	assert_int_equal(npu_read(f.npu, 0xac0), 0x400000);
	close_device(&f);
}

static void test_writes_ignored_while_running(void **state)
{
	static const uint32_t words[] = { DMA(0, 0, 1, 0, 16), STOP(1) };
	struct fixture f;
	pthread_t thread;

	(void)state;
	open_device(&f, "u65-256", &test_bus_ops);
	load(&f, words, sizeof(words) / 4);
	hold(&f.controls, 0);
	start(&f);
	pthread_create(&thread, NULL, run_thread, f.npu);
	wait_held(&f.controls);
	npu_write(f.npu, BASEP(1), 0);
	npu_write(f.npu, QBASE, 0);
	npu_write(f.npu, QSIZE, 0);
	npu_write(f.npu, REGIONCFG, 0xffff);
	npu_write(f.npu, CMD, 0xc | 1);		/* it runs already */
	npu_write(f.npu, 0x184, 0x80000000);	/* the PMU takes it */
	assert_int_equal(npu_read(f.npu, BASEP(1)), ARENA_ADDR);
	assert_int_equal(npu_read(f.npu, QBASE), CMD_ADDR);
	assert_int_equal(npu_read(f.npu, QSIZE), sizeof(words));
	assert_int_equal(npu_read(f.npu, REGIONCFG), 0);
	assert_int_equal(npu_read(f.npu, 0x184), 0x80000000);
	assert_true(npu_running(f.npu));
	let_go(&f.controls);
	pthread_join(thread, NULL);
	assert_int_equal(npu_read(f.npu, STATUS), END_REACHED | IRQ_RAISED | 0x10000);
	npu_write(f.npu, BASEP(1), 0);
	assert_int_equal(npu_read(f.npu, BASEP(1)), 0);
	close_device(&f);
}

static void test_reset_aborts(void **state)
{
	static const uint32_t words[] = { DMA(0, 0, 1, 0, 16), DMA(0, 16, 1, 16, 16), STOP(1) };
	struct fixture f;
	pthread_t thread;

	(void)state;
	open_device(&f, "u65-256", &test_bus_ops);
	load(&f, words, sizeof(words) / 4);
	hold(&f.controls, 1);
	start(&f);
	pthread_create(&thread, NULL, run_thread, f.npu);
	wait_held(&f.controls);
	npu_write(f.npu, RESET, 3);
	assert_int_equal(npu_read(f.npu, STATUS) & IN_RESET, IN_RESET);
	assert_int_equal(npu_read(f.npu, STATUS) & IN_RESET, IN_RESET);
	let_go(&f.controls);
	pthread_join(thread, NULL);
	assert_int_equal(npu_read(f.npu, STATUS), IN_RESET);
	assert_int_equal(npu_read(f.npu, STATUS), 0);
	assert_int_equal(npu_read(f.npu, PROT), 3);
	assert_int_equal(npu_read(f.npu, QBASE), 0);
	assert_int_equal(f.controls.ops, 1);
	assert_int_equal(f.bus.irqs, 0);

	/* And it works again. */
	npu_write(f.npu, BASEP(0), CONST_ADDR);
	npu_write(f.npu, BASEP(1), ARENA_ADDR);
	load(&f, words, sizeof(words) / 4);
	assert_int_equal(run(&f), END_REACHED | IRQ_RAISED | 0x10000);
	close_device(&f);
}

static void *power_thread(void *npu)
{
	npu_power_on_reset(npu);
	return NULL;
}

/* Power-on reset waits for the run, and clears the internal memory, which RESET leaves. */
static void test_power_on(void **state)
{
	static const uint32_t words[] = { DMA(0, 4, 0x100, 0, 16), DMA(0, 4, 0x100, 32, 16), STOP(1) };
	struct fixture f;
	pthread_t runner, power;
	uint32_t word;

	(void)state;
	open_device(&f, "u65-256", &test_bus_ops);
	memcpy(&word, (uint8_t *)f.constants->host + 4, 4);
	load(&f, words, sizeof(words) / 4);
	run(&f);
	assert_int_equal(npu_read(f.npu, 0x400), word);
	npu_write(f.npu, 0x144, 32);
	assert_int_equal(npu_read(f.npu, 0x400), word);
	npu_write(f.npu, 0x144, 0xfffffffc);
	assert_int_equal(npu_read(f.npu, 0x7fc), 0);
	npu_write(f.npu, RESET, 0);
	assert_int_equal(npu_read(f.npu, 0x400), word);

	npu_write(f.npu, BASEP(0), CONST_ADDR);
	load(&f, words, sizeof(words) / 4);
	hold(&f.controls, 1);
	start(&f);
	pthread_create(&runner, NULL, run_thread, f.npu);
	wait_held(&f.controls);
	pthread_create(&power, NULL, power_thread, f.npu);
	let_go(&f.controls);
	pthread_join(power, NULL);
	pthread_join(runner, NULL);
	assert_int_equal(npu_read(f.npu, STATUS), IN_RESET);
	assert_int_equal(npu_read(f.npu, 0x400), 0);
	close_device(&f);
}

/* stop_request stops between operations; a start goes on there. */
static void test_stop_and_go_on(void **state)
{
	static const uint32_t words[] = {
		DMA(0, 0, 1, 0, 16), IRQ(2), DMA(0, 16, 1, 16, 16), STOP(1),
	};
	struct fixture f;
	pthread_t thread;

	(void)state;
	open_device(&f, "u65-256", &test_bus_ops);
	load(&f, words, sizeof(words) / 4);
	hold(&f.controls, 0);
	start(&f);
	pthread_create(&thread, NULL, run_thread, f.npu);
	wait_held(&f.controls);
	npu_write(f.npu, CMD, 0xc | 0x10);
	let_go(&f.controls);
	pthread_join(thread, NULL);
	assert_int_equal(npu_read(f.npu, STATUS), 0);
	assert_int_equal(npu_read(f.npu, QREAD), 2 * DMA_WORDS * 4);
	assert_int_equal(f.controls.ops, 1);
	memset(f.arena->host, 0, 64);
	assert_int_equal(run(&f), END_REACHED | IRQ_RAISED | 0x30000);
	assert_int_equal(f.controls.ops, 2);
	assert_int_equal(*(uint8_t *)f.arena->host, 0);		/* the first did not run again */
	assert_memory_equal((uint8_t *)f.arena->host + 16, (uint8_t *)f.constants->host + 16, 16);
	/* Next job starts at the beginning. */
	run(&f);
	assert_memory_equal(f.arena->host, f.constants->host, 16);

	/* Stopped before npu_run() came. */
	start(&f);
	npu_write(f.npu, CMD, 0xc | 0x10);
	assert_false(npu_running(f.npu));
	close_device(&f);
}

/* ---- PMU ---- */

static void test_pmu(void **state)
{
	static const uint32_t words[] = { DMA(0, 0, 1, 0, 1024), STOP(1) };
	const uint32_t fetch = (sizeof(words) + 15) / 16;
	struct fixture f;

	(void)state;
	open_device(&f, "u65-256", &test_bus_ops);
	npu_write(f.npu, REGIONCFG, 2 << 2);	/* region 1 on AXI1, the rest and the stream on AXI0 */
	npu_write(f.npu, 0x380, 130);		/* AXI0 read beats */
	npu_write(f.npu, 0x384, 391);		/* AXI1 write beats */
	npu_write(f.npu, 0x388, 35);		/* NPU_ACTIVE */
	npu_write(f.npu, 0x38c, 32);		/* NPU_IDLE */
	npu_write(f.npu, 0x184, 0x8000000f);
	load(&f, words, sizeof(words) / 4);
	run(&f);				/* PMCR.cnt_en is off */
	assert_int_equal(npu_read(f.npu, 0x1a0), 0);
	npu_write(f.npu, 0x180, 1);
	run(&f);
	/*
	 * 1024 bytes of 16 a beat each way. Out of SRAM they take 64 cycles and 32 until they come; into
	 * DRAM, 12 a cycle, 85 and 250. The stream's beats on top.
	 */
	assert_int_equal(npu_read(f.npu, 0x1a0), 335 + fetch);
	assert_int_equal(npu_read(f.npu, 0x300), 64 + fetch);
	assert_int_equal(npu_read(f.npu, 0x304), 64);
	assert_int_equal(npu_read(f.npu, 0x308), 335 + fetch);
	assert_int_equal(npu_read(f.npu, 0x30c), 0);
	npu_write(f.npu, 0x188, 1);		/* counter 0 off */
	run(&f);
	assert_int_equal(npu_read(f.npu, 0x300), 64 + fetch);
	assert_int_equal(npu_read(f.npu, 0x304), 128);
	npu_write(f.npu, 0x180, 1 | 2);		/* event counters to 0 */
	assert_int_equal(npu_read(f.npu, 0x304), 0);
	assert_int_equal(npu_read(f.npu, 0x1a0), 2 * (335 + fetch));
	npu_write(f.npu, 0x180, 1 | 4);
	assert_int_equal(npu_read(f.npu, 0x1a0), 0);
	/* Region 1 moves to AXI0. */
	npu_write(f.npu, REGIONCFG, 0);
	npu_write(f.npu, 0x380, 135);
	npu_write(f.npu, 0x184, 1);
	run(&f);
	assert_int_equal(npu_read(f.npu, 0x300), 64);
	assert_int_equal(npu_read(f.npu, 0x304), 0);
	close_device(&f);
}

static void test_pmu_overflow(void **state)
{
	static const uint32_t words[] = { DMA(0, 0, 1, 0, 1024), STOP(1) };
	struct fixture f;

	(void)state;
	open_device(&f, "u85-256", &test_bus_ops);
	npu_write(f.npu, 0x1394, 135);		/* SRAM write beats, counter 5 */
	npu_write(f.npu, 0x1314, 0xffffffff - 63);
	npu_write(f.npu, 0x11a0, 0xffffffff);
	npu_write(f.npu, 0x11a4, 0xffff);
	npu_write(f.npu, 0x1184, 0x80000020);
	npu_write(f.npu, 0x1194, 0x20);
	npu_write(f.npu, 0x1180, 1);
	load(&f, words, sizeof(words) / 4);
	npu_write(f.npu, CMD, 0xc | 1);
	npu_run(f.npu);
	assert_int_equal(npu_read(f.npu, 0x1314), 0);
	assert_int_equal(npu_read(f.npu, 0x11a4), 0);
	assert_int_equal(npu_read(f.npu, 0x118c), 0x80000020);
	assert_int_equal(npu_read(f.npu, STATUS), END_REACHED | IRQ_RAISED | PMU_RAISED | 0x10000);
	npu_write(f.npu, CMD, 0xc | 2);
	assert_true(f.bus.level);		/* the PMU still wants it */
	npu_write(f.npu, 0x1190, 0x20);
	assert_int_equal(npu_read(f.npu, 0x1190), 0x80000000);
	assert_false(f.bus.level);
	npu_write(f.npu, 0x1198, 0x20);
	npu_write(f.npu, 0x118c, 0x20);		/* set by software, interrupt off */
	assert_false(f.bus.level);
	npu_write(f.npu, 0x1194, 0x20);
	assert_true(f.bus.level);
	close_device(&f);
}

/* NPU_OP_PMU_MASK counts only if PMCR.mask_en. */
static void test_pmu_mask(void **state)
{
	static const uint32_t words[] = {
		PMU_MASK(1), DMA(0, 0, 1, 0, 160), PMU_MASK(0), DMA(0, 0, 1, 0, 1024), STOP(1),
	};
	struct fixture f;

	(void)state;
	open_device(&f, "u65-256", &test_bus_ops);
	npu_write(f.npu, 0x380, 135);
	npu_write(f.npu, 0x184, 1);
	npu_write(f.npu, 0x180, 8);
	load(&f, words, sizeof(words) / 4);
	run(&f);
	assert_int_equal(npu_read(f.npu, 0x300), 10);
	npu_write(f.npu, 0x180, 1 | 2);
	run(&f);
	assert_int_equal(npu_read(f.npu, 0x300), 74);
	close_device(&f);
}

/* Multiplications, outputs and bytes: 2 x 3 outputs of 4 channels, 5 deep, 3 x 3. */
static void test_work(void **state)
{
	struct npu_op op = {
		.kind = NPU_KIND_CONV, .oh = 2, .ow = 3, .oc = 4, .kernel_h = 3, .kernel_w = 3,
		.a = { .height = 4, .width = 5, .depth = 5, .space = 1 },
		.ofm = { .height = 2, .width = 3, .depth = 4, .space = 2, .elem_log2 = 1 },
		.cores = 2, .weight_space = 0, .weight_len = { 96, 80 }, .per_channel = 1,
		.scale_space = 0, .scale_len = { 32, 16 },
	};

	(void)state;
	assert_int_equal(npu_op_work(&op), 24 * 45 + 24 + 100 + 100 + 48 + 96 + 80 + 32 + 16);
	op.kind = NPU_KIND_DEPTHWISE;
	assert_int_equal(npu_op_work(&op), 24 * 9 + 24 + 100 + 100 + 48 + 96 + 80 + 32 + 16);
	/* No sum wraps. */
	op.kind = NPU_KIND_CONV;
	op.oh = op.ow = op.oc = op.a.depth = 65536;
	op.kernel_h = op.kernel_w = 65535;
	assert_true(npu_op_work(&op) == UINT64_MAX);
}

/* ---- plans ---- */

static void test_plan_cache(void **state)
{
	struct npu_stats stats;
	struct fixture f;
	unsigned int i, round;

	(void)state;
	open_device(&f, "u65-256", &test_bus_ops);
	for (round = 0; round < 3; round++)
		RUN(&f, DMA(0, 0, 1, 0, 16), STOP(0));
	npu_get_stats(f.npu, &stats);
	/* The second starts from the state that the first left: another plan. */
	assert_int_equal(stats.plan_misses, 2);
	assert_int_equal(stats.plan_hits, 1);
	assert_int_equal(f.controls.prepared, 2);

	/* Two streams in turn hit; the bytes decide, not the place. */
	for (round = 0; round < 4; round++) {
		RUN(&f, DMA(0, 0, 1, 0, 32), STOP(0));
		RUN(&f, DMA(0, 0, 1, 0, 48), STOP(0));
	}
	npu_get_stats(f.npu, &stats);
	assert_int_equal(stats.plan_misses, 5);
	assert_int_equal(stats.plan_hits, 6);

	/* No more than 16 are kept; the one that was not used for longest goes. */
	for (i = 0; i < 40; i++)
		RUN(&f, DMA(0, 0, 1, 0, 64 + i), STOP(0));
	assert_int_equal(f.controls.prepared - f.controls.released, 16);
	i = f.controls.prepared;
	RUN(&f, DMA(0, 0, 1, 0, 64 + 39), STOP(0));	/* after itself: new */
	RUN(&f, DMA(0, 0, 1, 0, 64 + 39), STOP(0));
	assert_int_equal(f.controls.prepared, i + 1);
	npu_get_stats(f.npu, &stats);
	npu_write(f.npu, RESET, 0);
	for (i = 0; i < 40; i++) {
		npu_read(f.npu, STATUS);
		npu_write(f.npu, BASEP(0), CONST_ADDR);
		npu_write(f.npu, BASEP(1), ARENA_ADDR);
		RUN(&f, DMA(0, 0, 1, 0, i & 1 ? 8 : 200 + i), STOP(0));
		npu_write(f.npu, RESET, 0);	/* always from the same state */
	}
	round = stats.plan_misses;
	npu_get_stats(f.npu, &stats);
	assert_int_equal(stats.plan_misses, round + 20 + 1);
	close_device(&f);
}

/* Words in a window that is vouched for are not looked at again, in others they are. */
static void test_constant_window(void **state)
{
	static const uint32_t first[] = { DMA(0, 0, 1, 0, 16), STOP(1) };
	static const uint32_t second[] = { DMA(0, 0, 1, 0, 16), STOP(2) };
	struct fixture f;

	(void)state;
	open_device(&f, "u65-256", &test_bus_ops);
	load(&f, first, sizeof(first) / 4);
	run(&f);
	run(&f);
	memcpy(f.cmd->host, second, sizeof(second));
	assert_int_equal(run(&f), END_REACHED | IRQ_RAISED | 0x30000);

	npu_write(f.npu, CMD, 0xffff000c);
	f.cmd->constant = true;
	f.cmd->id = 100;
	memcpy(f.cmd->host, first, sizeof(first));
	run(&f);
	npu_write(f.npu, CMD, 0xffff000c);
	memcpy(f.cmd->host, second, sizeof(second));	/* a broken promise: shows what is not read */
	assert_int_equal(run(&f), END_REACHED | IRQ_RAISED | 0x10000);
	npu_window_gone(f.npu, 100);
	assert_int_equal(f.controls.gone, 100);
	f.cmd->id = 101;
	npu_write(f.npu, CMD, 0xffff000c);
	assert_int_equal(run(&f), END_REACHED | IRQ_RAISED | 0x20000);
	close_device(&f);
}

static void test_work_limit(void **state)
{
	struct npu_options opt = { .size = sizeof(opt), .work_limit = 1 << 12 };
	struct fixture f;

	(void)state;
	open_device(&f, "u65-256", &test_bus_ops);
	npu_destroy(f.npu);
	opt.cache_dir = (const char *)(uintptr_t)&f.controls;
	opt.engine = "reference";
	assert_int_equal(npu_create(&f.npu, npu_config_find("u65-256"), &test_bus_ops, &f.bus, &opt,
				    NULL, 0), 0);
	npu_write(f.npu, BASEP(0), CONST_ADDR);
	npu_write(f.npu, BASEP(1), ARENA_ADDR);
	npu_read(f.npu, STATUS);
	expect_fault(&f, RUN(&f, DMA(0, 0, 1, 0, 1024), DMA(0, 0, 1, 0, 1024), STOP(0)),
		     BUS_ERROR | 8 << 12, 2 * DMA_WORDS * 4 - 4);
	assert_int_equal(f.controls.ops, 1);
	close_device(&f);
}

static void test_options(void **state)
{
	struct controls controls = { .hold = false };
	struct npu_options opt = {
		.size = sizeof(opt), .engine = "verilog",
		.cache_dir = (const char *)(uintptr_t)&controls,
	};
	struct {
		struct npu_options opt;
		uint64_t later;
	} grown = { .opt = opt };
	struct test_bus bus = TEST_BUS_INIT;
	const struct npu_config *config = npu_config_find("u65-256");
	struct npu *npu;
	char err[100] = "";

	(void)state;
	assert_int_equal(npu_create(&npu, config, &test_bus_ops, &bus, &opt, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "verilog"));
	assert_int_equal(npu_create(&npu, config, &test_bus_ops, &bus, &opt, NULL, 0), -EINVAL);
	opt.engine = NULL;
	opt.size = 4;
	assert_int_equal(npu_create(&npu, config, &test_bus_ops, &bus, &opt, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "size"));
	grown.opt.engine = "reference";
	grown.opt.size = sizeof(grown);
	assert_int_equal(npu_create(&npu, config, &test_bus_ops, &bus, &grown.opt, err, sizeof(err)), 0);
	npu_destroy(npu);
	grown.later = 1;
	assert_int_equal(npu_create(&npu, config, &test_bus_ops, &bus, &grown.opt, err, sizeof(err)),
			 -EINVAL);
	npu_destroy(NULL);
}

/* ---- access log ---- */

static void test_log(void **state)
{
	/* 2D on the U65: rows of 16, destination rows 48 apart (SKIP0 32). */
	static const uint32_t words[] = {
		DMA_SRC_REGION(0), DMA_DST_REGION(0x201), SET0(0x132, 3), DMA_SRC(16), DMA_DST(0),
		DMA_LEN(16), SET1(0x033, 32), DMA_START, STOP(0),
	};
	static const struct {
		uint64_t addr, len;
		uint8_t channel, access;
	} expect[] = {
		{ CMD_ADDR, sizeof(words), NPU_CH_CMD, NPU_ACCESS_READ },
		{ CONST_ADDR + 16, 48, NPU_CH_DMA_READ, NPU_ACCESS_READ },
		{ ARENA_ADDR, 16, NPU_CH_DMA_WRITE, NPU_ACCESS_WRITE },
		{ ARENA_ADDR + 48, 16, NPU_CH_DMA_WRITE, NPU_ACCESS_WRITE },
		{ ARENA_ADDR + 96, 16, NPU_CH_DMA_WRITE, NPU_ACCESS_WRITE },
	};
	struct fixture f;
	unsigned int i;

	(void)state;
	open_device(&f, "u65-256", &test_bus_ops_logged);
	load(&f, words, sizeof(words) / 4);
	assert_int_equal(run(&f), END_REACHED | IRQ_RAISED);
	assert_int_equal(f.bus.logged, 5);
	for (i = 0; i < 5; i++) {
		assert_int_equal(f.bus.log[i].addr, expect[i].addr);
		assert_int_equal(f.bus.log[i].len, expect[i].len);
		assert_int_equal(f.bus.log[i].channel, expect[i].channel);
		assert_int_equal(f.bus.log[i].access, expect[i].access);
		assert_true(f.bus.log[i].granted);
		assert_int_equal(f.bus.log[i].offset, i ? sizeof(words) - 8 : 0);
	}
	/* The refused access is told, with what came before it. */
	f.bus.logged = 0;
	assert_int_equal(RUN(&f, DMA_DST_REGION(1), DMA_START, DMA_LEN(WINDOW_SIZE), DMA_START,
			     STOP(0)) & BUS_ERROR, BUS_ERROR);
	assert_int_equal(f.bus.logged, 4);
	assert_int_equal(f.bus.log[3].addr, CONST_ADDR + 16);
	assert_int_equal(f.bus.log[3].len, WINDOW_SIZE);
	assert_false(f.bus.log[3].granted);
	close_device(&f);
}

#define MAP_SIZE 65536

struct marks {
	uint8_t touched[MAP_SIZE];
	unsigned int runs;
	enum npu_channel channel;
};

static int mark(void *ctx, uint64_t addr, uint64_t len, enum npu_channel channel)
{
	struct marks *marks = ctx;

	if (channel != marks->channel)
		return 0;
	assert_true(len && addr + len <= MAP_SIZE);
	memset(marks->touched + addr, 1, len);
	marks->runs++;
	return 0;
}

/* Every element's bytes by the formula of op.h against the runs, on random feature maps. */
static void test_log_feature_maps(void **state)
{
	static struct marks got, want;
	const uint64_t base[NPU_REGIONS] = { 0, 0, 4096 };
	const struct npu_space_map none = { 0 };
	unsigned int round, seed = 1;
	uint32_t y, x, c;

	(void)state;
	for (round = 0; round < 300; round++) {
		struct npu_op op = { .kind = NPU_KIND_POOL };
		struct npu_fm *fm = round & 1 ? &op.ofm : &op.a;
		uint32_t es;

		op.a.space = op.ofm.space = NPU_SPACE_INTERNAL;
		fm->space = 2;
		fm->height = 1 + rand_r(&seed) % 9;
		fm->width = 1 + rand_r(&seed) % 9;
		fm->depth = 1 + rand_r(&seed) % 40;
		fm->elem_log2 = rand_r(&seed) % 3;
		fm->brick = rand_r(&seed) & 1;
		es = 1u << fm->elem_log2;
		fm->width0 = 1 + rand_r(&seed) % 10;
		fm->height0 = 1 + rand_r(&seed) % 10;
		fm->height1 = 1 + rand_r(&seed) % 10;
		for (x = 0; x < 4; x++)
			fm->base[x] = 8192 * (x + 1);
		fm->stride_x = fm->brick ? 16 * es : (fm->depth + rand_r(&seed) % 2) * es;
		fm->stride_c = fm->brick ? fm->width * 16 * es : es;
		fm->stride_y = fm->brick ? (fm->depth + 15) / 16 * fm->stride_c :
			       fm->width * fm->stride_x + rand_r(&seed) % 2 * es;
		if (rand_r(&seed) % 4 == 0)
			fm->stride_y = -fm->stride_y;

		memset(&got, 0, sizeof(got));
		memset(&want, 0, sizeof(want));
		got.channel = round & 1 ? NPU_CH_OFM : NPU_CH_IFM;
		for (y = 0; y < fm->height; y++) {
			for (x = 0; x < fm->width; x++) {
				int right = x >= fm->width0;
				int lower = y >= (right ? fm->height1 : fm->height0);
				int64_t yy = lower ? y - (right ? fm->height1 : fm->height0) : y;
				int64_t xx = right ? x - fm->width0 : x;

				for (c = 0; c < fm->depth; c++) {
					int64_t at = 4096 + fm->base[lower * 2 + right] +
						     yy * fm->stride_y;

					at += fm->brick ? xx * 16 * es + c / 16 * fm->stride_c +
						c % 16 * es : xx * fm->stride_x + c * es;
					memset(want.touched + at, 1, es);
				}
			}
		}
		assert_int_equal(npu_log_runs(&op, base, &none, mark, &got), 0);
		assert_memory_equal(got.touched, want.touched, MAP_SIZE);
	}
}

/* Rows that a table picks; the walk ends at an index that is too large. */
static void test_log_indexed_dma(void **state)
{
	static const int32_t table[] = { 3, 0, 5, 9 };
	static struct marks got;
	const uint64_t base[NPU_REGIONS] = { 0x1000, 0x2000, 0x3000 };
	struct npu_space_map idx = { .base = (uint8_t *)(uintptr_t)table, .lo = 64, .hi = 80 };
	struct npu_op op = {
		.kind = NPU_KIND_DMA, .dma_src_space = 0, .dma_dst_space = 1, .dma_idx_space = 2,
		.dma_src_indexed = 1, .dma_len = 8, .dma_rows = 4, .dma_planes = 1,
		.dma_src_step = { 100 }, .dma_dst_step = { 8 }, .dma_idx = 64, .dma_idx_max = 5,
	};

	(void)state;
	got.channel = NPU_CH_DMA_READ;
	npu_log_runs(&op, base, &idx, mark, &got);
	assert_int_equal(got.runs, 3);
	assert_int_equal(got.touched[0x1000 + 300], 1);
	assert_int_equal(got.touched[0x1000 + 507], 1);
	assert_int_equal(got.touched[0x1000 + 508], 0);
	memset(&got, 0, sizeof(got));
	got.channel = NPU_CH_DMA_INDEX;
	npu_log_runs(&op, base, &idx, mark, &got);
	assert_int_equal(got.runs, 1);
	assert_int_equal(got.touched[0x3000 + 79], 1);
	memset(&got, 0, sizeof(got));
	got.channel = NPU_CH_DMA_WRITE;
	npu_log_runs(&op, base, &idx, mark, &got);
	assert_int_equal(got.runs, 1);
	assert_int_equal(got.touched[0x2000 + 23], 1);
	assert_int_equal(got.touched[0x2000 + 24], 0);
}

/* ---- threads ---- */

#define THREADS 4
#define JOBS 200

struct worker {
	struct fixture f;
	pthread_t thread, poker;
	bool stop;
};

/* Reads and writes whatever it can while jobs run. */
static void *poke(void *arg)
{
	struct worker *worker = arg;
	struct npu_stats stats;
	uint32_t offset = 0;

	while (!__atomic_load_n(&worker->stop, __ATOMIC_RELAXED)) {
		npu_read(worker->f.npu, offset);
		npu_write(worker->f.npu, 0x184, 0x80000000);
		npu_write(worker->f.npu, CMD, 0xc);
		npu_get_stats(worker->f.npu, &stats);
		offset = (offset + 4) % 0x1000;
	}
	return NULL;
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	unsigned int i;

	for (i = 0; i < JOBS; i++) {
		uint32_t status = RUN(&worker->f, DMA(0, i % 8 * 16, 1, 0, 16), IRQ(1), DMA(1, 0, 1, 32, 16),
				      STOP(2));

		assert_int_equal(status & ~IN_RESET, END_REACHED | IRQ_RAISED | 0x30000);
		assert_memory_equal((uint8_t *)worker->f.arena->host + 32,
				    (uint8_t *)worker->f.constants->host + i % 8 * 16, 16);
		npu_write(worker->f.npu, CMD, 0xffff000c | 2);
	}
	return NULL;
}

static void test_devices_on_threads(void **state)
{
	static struct worker workers[THREADS];
	struct npu_stats stats;
	unsigned int i;

	(void)state;
	for (i = 0; i < THREADS; i++) {
		open_device(&workers[i].f, i & 1 ? "u85-512" : "u65-256", &test_bus_ops);
		pthread_create(&workers[i].thread, NULL, work, &workers[i]);
		pthread_create(&workers[i].poker, NULL, poke, &workers[i]);
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		__atomic_store_n(&workers[i].stop, true, __ATOMIC_RELAXED);
		pthread_join(workers[i].poker, NULL);
		npu_get_stats(workers[i].f.npu, &stats);
		assert_int_equal(stats.jobs, JOBS);
		close_device(&workers[i].f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reset_values),
		cmocka_unit_test(test_config_words),
		cmocka_unit_test(test_write_masks),
		cmocka_unit_test(test_driver_probe),
		cmocka_unit_test(test_state_window),
		cmocka_unit_test(test_run_and_irq),
		cmocka_unit_test(test_irq_acknowledged_in_callback),
		cmocka_unit_test(test_handler_runs_next),
		cmocka_unit_test(test_irq_in_stream),
		cmocka_unit_test(test_fetch_faults),
		cmocka_unit_test(test_operand_faults),
		cmocka_unit_test(test_parse_errors),
		cmocka_unit_test(test_engine_faults),
		cmocka_unit_test(test_scattered_regions),
		cmocka_unit_test(test_writes_ignored_while_running),
		cmocka_unit_test(test_reset_aborts),
		cmocka_unit_test(test_power_on),
		cmocka_unit_test(test_stop_and_go_on),
		cmocka_unit_test(test_pmu),
		cmocka_unit_test(test_pmu_overflow),
		cmocka_unit_test(test_pmu_mask),
		cmocka_unit_test(test_work),
		cmocka_unit_test(test_plan_cache),
		cmocka_unit_test(test_constant_window),
		cmocka_unit_test(test_work_limit),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_log_feature_maps),
		cmocka_unit_test(test_log_indexed_dma),
		cmocka_unit_test(test_devices_on_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
