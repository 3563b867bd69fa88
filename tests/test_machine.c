/* SPDX-License-Identifier: MIT */
/* The device: registers, jobs, faults, interrupts, resets. */
#include "tests/machine.h"

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
		machine_open(&f, config->name, &test_bus_ops);
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
		machine_close(&f);
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
		machine_open(&f, masks[i].config, &test_bus_ops);
		npu_write(f.npu, masks[i].offset, 0xffffffff);
		if (npu_read(f.npu, masks[i].offset) != masks[i].value)
			fail_msg("%s 0x%x: 0x%x, not 0x%x", masks[i].config, masks[i].offset,
				 npu_read(f.npu, masks[i].offset), masks[i].value);
		machine_close(&f);
	}
	machine_open(&f, "u65-256", &test_bus_ops);
	npu_write(f.npu, 0x11, 0xffffffff);
	npu_write(f.npu, 0x1000, 0xffffffff);
	npu_write(f.npu, 0xfffffffc, 0xffffffff);
	assert_int_equal(npu_read(f.npu, QBASE), 0);
	assert_int_equal(npu_read(f.npu, 0x11), 0);
	assert_int_equal(npu_read(f.npu, 0x1000), 0);
	assert_int_equal(npu_read(f.npu, 0xfffffffc), 0);
	machine_close(&f);
}

/* What Linux' ethosu driver does when it probes. */
static void test_driver_probe(void **state)
{
	struct fixture f;
	unsigned int polls = 0;

	(void)state;
	machine_open(&f, "u65-256", &test_bus_ops);
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
	machine_close(&f);
}

/* The window at 0x800 shows what the stream set. */
static void test_state_window(void **state)
{
	struct fixture f;

	(void)state;
	machine_open(&f, "u65-256", &test_bus_ops);
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
	machine_close(&f);

	machine_open(&f, "u85-256", &test_bus_ops);
	RUN(&f, SET1(0x038, 0x77), SET1(0x039, 0x66), SET1(0x097, 0x55), STOP(0));
	assert_int_equal(npu_read(f.npu, 0xbc0), 0x77);		/* DMA0_IDX_MAX */
	assert_int_equal(npu_read(f.npu, 0xbc8), 0x66);		/* DMA0_IDX_SKIP1 */
	assert_int_equal(npu_read(f.npu, 0xb78), 0x55);		/* RESIZE_Y_STEP */
	machine_close(&f);
}

/* ---- jobs ---- */

static void test_run_and_irq(void **state)
{
	struct npu_stats stats;
	struct fixture f;

	(void)state;
	machine_open(&f, "u65-256", &test_bus_ops);
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
	machine_close(&f);
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
	machine_open(&f, "u65-256", &test_bus_ops);
	f.bus.on_irq_ctx = f.npu;
	f.bus.on_irq = acknowledge;
	assert_int_equal(RUN(&f, IRQ(1), DMA(0, 0, 1, 0, 16), STOP(2)), END_REACHED | 0x30000);
	assert_int_equal(f.bus.irqs, 4);
	assert_false(f.bus.level);
	machine_close(&f);
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
	machine_open(&f, "u65-256", &test_bus_ops);
	f.bus.on_irq_ctx = &f;
	f.bus.on_irq = run_next;
	RUN(&f, DMA(0, 0, 1, 0, 16), STOP(2));
	npu_get_stats(f.npu, &stats);
	assert_true(stats.jobs > 1);
	assert_true(f.bus.level);
	machine_close(&f);
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
	machine_open(&f, "u65-256", &test_bus_ops);
	machine_load(&f, words, sizeof(words) / 4);
	machine_hold(&f.controls, 1);
	machine_start(&f);
	pthread_create(&thread, NULL, machine_run_thread, f.npu);
	machine_wait_held(&f.controls);
	assert_int_equal(npu_read(f.npu, STATUS), RUNNING | IRQ_RAISED | 0x400000);
	assert_true(f.bus.level);
	assert_int_equal(npu_read(f.npu, QREAD), (2 * DMA_WORDS) * 4);	/* the second DMA_START */
	assert_memory_equal(f.arena->host, f.constants->host, 16);
	machine_let_go(&f.controls);
	pthread_join(thread, NULL);
	assert_int_equal(npu_read(f.npu, STATUS), END_REACHED | IRQ_RAISED | 0x410000);
	assert_int_equal(f.bus.irqs, 1);
	machine_close(&f);
}

static void test_fetch_faults(void **state)
{
	struct fixture f;

	(void)state;
	machine_open(&f, "u65-256", &test_bus_ops);
	npu_write(f.npu, QBASE, CMD_ADDR + WINDOW_SIZE - 4);
	npu_write(f.npu, QSIZE, 8);
	machine_expect_fault(&f, machine_run(&f), BUS_ERROR, 0);

	/* The other port: memory attribute 2 is on AXI1. */
	npu_write(f.npu, QBASE + 4, 0x80);
	npu_write(f.npu, QSIZE, 8);
	npu_write(f.npu, QCONFIG, 2);
	machine_expect_fault(&f, machine_run(&f), BUS_ERROR | 1 << 11, 0);

	npu_write(f.npu, QBASE, 0xfffffff0);
	npu_write(f.npu, QBASE + 4, 0xff);
	npu_write(f.npu, QSIZE, 0x20);
	machine_expect_fault(&f, machine_run(&f), BUS_ERROR, 0);

	npu_write(f.npu, QBASE, CMD_ADDR);
	npu_write(f.npu, QSIZE, (16 << 20) + 4);
	machine_expect_fault(&f, machine_run(&f), PARSE_ERROR, 0);

	npu_write(f.npu, QBASE, CMD_ADDR);
	npu_write(f.npu, QSIZE, 0);
	machine_expect_fault(&f, machine_run(&f), PARSE_ERROR, 0);
	assert_int_equal(f.controls.ops, 0);
	machine_close(&f);
}

static void test_operand_faults(void **state)
{
	const uint32_t at = 2 * DMA_WORDS * 4 - 4;	/* of the second DMA_START */
	struct fixture f;
	uint8_t *arena;

	(void)state;
	machine_open(&f, "u65-256", &test_bus_ops);
	arena = f.arena->host;
	npu_write(f.npu, REGIONCFG, 2 << 2);	/* region 1 on AXI1 */

	/* Write to what may only be read: channel 9, and the first copy was made. */
	machine_expect_fault(&f, RUN(&f, DMA(0, 0, 1, 0, 16), DMA(1, 0, 0, 0, 16), STOP(0)),
		     BUS_ERROR | 9 << 12, at);
	assert_memory_equal(arena, f.constants->host, 16);
	assert_int_equal(f.controls.ops, 1);

	/* Read one byte too far, from region 1: channel 4 on AXI1. */
	npu_write(f.npu, BASEP(0), CONST_ADDR);
	npu_write(f.npu, BASEP(1), ARENA_ADDR);
	npu_write(f.npu, REGIONCFG, 2 << 2);
	memset(arena, 0, 64);
	machine_expect_fault(&f, RUN(&f, DMA(0, 64, 1, 0, 16), DMA(1, WINDOW_SIZE - 16, 1, 16, 17), STOP(0)),
		     BUS_ERROR | 1 << 11 | 4 << 12, at);
	assert_memory_equal(arena, (uint8_t *)f.constants->host + 64, 16);
	assert_int_equal(arena[16], 0);

	/* BASEP + offset leaves 40 bits, whatever there may be. */
	test_bus_add(&f.bus, 1ull << 40, 64, NPU_ACCESS_READ | NPU_ACCESS_WRITE);
	npu_write(f.npu, BASEP(0), CONST_ADDR);
	npu_write(f.npu, BASEP(1), 0xffffff00);
	npu_write(f.npu, BASEP(1) + 4, 0xff);
	machine_expect_fault(&f, RUN(&f, DMA(0, 64, 1, 0x100, 16), STOP(0)), BUS_ERROR | 9 << 12,
		     DMA_WORDS * 4 - 4);

	/* Internal memory ends at 48 KiB. */
	npu_write(f.npu, BASEP(0), CONST_ADDR);
	machine_expect_fault(&f, RUN(&f, DMA(0, 0, 0x100, 48 * 1024 - 15, 16), STOP(0)),
		     BUS_ERROR | 9 << 12, DMA_WORDS * 4 - 4);
	machine_close(&f);

	/* 32 bits on the U55. */
	machine_open(&f, "u55-128", &test_bus_ops);
	test_bus_add(&f.bus, 1ull << 32, 0x400000, NPU_ACCESS_READ | NPU_ACCESS_WRITE);
	npu_write(f.npu, BASEP(1), 0xfffffff0);
	machine_expect_fault(&f, RUN(&f, DMA(0, 64, 1, 0x300020, 16), STOP(0)), BUS_ERROR | 9 << 12,
		     DMA_WORDS * 4 - 4);
	machine_close(&f);
}

static void test_parse_errors(void **state)
{
	struct fixture f;

	(void)state;
	machine_open(&f, "u65-256", &test_bus_ops);
	/* Opcode 0x0ff does not exist; the copy before it is made. */
	machine_expect_fault(&f, RUN(&f, DMA(0, 32, 1, 0, 16), SET0(0x0ff, 0), STOP(0)), PARSE_ERROR,
		     DMA_WORDS * 4);
	assert_memory_equal(f.arena->host, (uint8_t *)f.constants->host + 32, 16);
	/* RESIZE is not a command of the U65. */
	machine_expect_fault(&f, RUN(&f, SET0(0x007, 0), STOP(0)), PARSE_ERROR, 0);
	/* No STOP, then half of a command. */
	machine_expect_fault(&f, RUN(&f, SET0(0x104, 3)), PARSE_ERROR, 4);
	machine_expect_fault(&f, RUN(&f, SET0(0x104, 3), 0x4000), PARSE_ERROR, 4);
	machine_close(&f);
}

/* The engine finds bad data at run time, or can not prepare the job. */
static void test_engine_faults(void **state)
{
	struct fixture f;

	(void)state;
	machine_open(&f, "u65-256", &test_bus_ops);
	f.controls.fail = -EIO;
	f.controls.fail_at = 1;
	machine_expect_fault(&f, RUN(&f, DMA(0, 0, 1, 0, 16), DMA(0, 0, 1, 16, 16), STOP(0)),
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
	machine_close(&f);
}

/* Regions that lie in several windows: operations are placed one by one. */
static void test_scattered_regions(void **state)
{
	struct fixture f;

	(void)state;
	machine_open(&f, "u65-256", &test_bus_ops);
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
	machine_close(&f);
}

static void test_writes_ignored_while_running(void **state)
{
	static const uint32_t words[] = { DMA(0, 0, 1, 0, 16), STOP(1) };
	struct fixture f;
	pthread_t thread;

	(void)state;
	machine_open(&f, "u65-256", &test_bus_ops);
	machine_load(&f, words, sizeof(words) / 4);
	machine_hold(&f.controls, 0);
	machine_start(&f);
	pthread_create(&thread, NULL, machine_run_thread, f.npu);
	machine_wait_held(&f.controls);
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
	machine_let_go(&f.controls);
	pthread_join(thread, NULL);
	assert_int_equal(npu_read(f.npu, STATUS), END_REACHED | IRQ_RAISED | 0x10000);
	npu_write(f.npu, BASEP(1), 0);
	assert_int_equal(npu_read(f.npu, BASEP(1)), 0);
	machine_close(&f);
}

static void test_reset_aborts(void **state)
{
	static const uint32_t words[] = { DMA(0, 0, 1, 0, 16), DMA(0, 16, 1, 16, 16), STOP(1) };
	struct fixture f;
	pthread_t thread;

	(void)state;
	machine_open(&f, "u65-256", &test_bus_ops);
	machine_load(&f, words, sizeof(words) / 4);
	machine_hold(&f.controls, 1);
	machine_start(&f);
	pthread_create(&thread, NULL, machine_run_thread, f.npu);
	machine_wait_held(&f.controls);
	npu_write(f.npu, RESET, 3);
	assert_int_equal(npu_read(f.npu, STATUS) & IN_RESET, IN_RESET);
	assert_int_equal(npu_read(f.npu, STATUS) & IN_RESET, IN_RESET);
	machine_let_go(&f.controls);
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
	machine_load(&f, words, sizeof(words) / 4);
	assert_int_equal(machine_run(&f), END_REACHED | IRQ_RAISED | 0x10000);
	machine_close(&f);
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
	machine_open(&f, "u65-256", &test_bus_ops);
	memcpy(&word, (uint8_t *)f.constants->host + 4, 4);
	machine_load(&f, words, sizeof(words) / 4);
	machine_run(&f);
	assert_int_equal(npu_read(f.npu, 0x400), word);
	npu_write(f.npu, 0x144, 32);
	assert_int_equal(npu_read(f.npu, 0x400), word);
	npu_write(f.npu, 0x144, 0xfffffffc);
	assert_int_equal(npu_read(f.npu, 0x7fc), 0);
	npu_write(f.npu, RESET, 0);
	assert_int_equal(npu_read(f.npu, 0x400), word);

	npu_write(f.npu, BASEP(0), CONST_ADDR);
	machine_load(&f, words, sizeof(words) / 4);
	machine_hold(&f.controls, 1);
	machine_start(&f);
	pthread_create(&runner, NULL, machine_run_thread, f.npu);
	machine_wait_held(&f.controls);
	pthread_create(&power, NULL, power_thread, f.npu);
	machine_let_go(&f.controls);
	pthread_join(power, NULL);
	pthread_join(runner, NULL);
	assert_int_equal(npu_read(f.npu, STATUS), IN_RESET);
	assert_int_equal(npu_read(f.npu, 0x400), 0);
	machine_close(&f);
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
	machine_open(&f, "u65-256", &test_bus_ops);
	machine_load(&f, words, sizeof(words) / 4);
	machine_hold(&f.controls, 0);
	machine_start(&f);
	pthread_create(&thread, NULL, machine_run_thread, f.npu);
	machine_wait_held(&f.controls);
	npu_write(f.npu, CMD, 0xc | 0x10);
	machine_let_go(&f.controls);
	pthread_join(thread, NULL);
	assert_int_equal(npu_read(f.npu, STATUS), 0);
	assert_int_equal(npu_read(f.npu, QREAD), 2 * DMA_WORDS * 4);
	assert_int_equal(f.controls.ops, 1);
	memset(f.arena->host, 0, 64);
	assert_int_equal(machine_run(&f), END_REACHED | IRQ_RAISED | 0x30000);
	assert_int_equal(f.controls.ops, 2);
	assert_int_equal(*(uint8_t *)f.arena->host, 0);		/* the first did not run again */
	assert_memory_equal((uint8_t *)f.arena->host + 16, (uint8_t *)f.constants->host + 16, 16);
	/* Next job starts at the beginning. */
	machine_run(&f);
	assert_memory_equal(f.arena->host, f.constants->host, 16);

	/* Stopped before npu_run() came. */
	machine_start(&f);
	npu_write(f.npu, CMD, 0xc | 0x10);
	assert_false(npu_running(f.npu));
	machine_close(&f);
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
	};

	return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
