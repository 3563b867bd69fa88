/* SPDX-License-Identifier: MIT */
/* The device: performance counters, the cache of plans, limits. */
#include "tests/machine.h"

/* ---- PMU ---- */

static void test_pmu(void **state)
{
	static const uint32_t words[] = { DMA(0, 0, 1, 0, 1024), STOP(1) };
	const uint32_t fetch = (sizeof(words) + 15) / 16;
	struct fixture f;

	(void)state;
	machine_open(&f, "u65-256", &test_bus_ops);
	npu_write(f.npu, REGIONCFG, 2 << 2);	/* region 1 on AXI1, the rest and the stream on AXI0 */
	npu_write(f.npu, 0x380, 130);		/* AXI0 read beats */
	npu_write(f.npu, 0x384, 391);		/* AXI1 write beats */
	npu_write(f.npu, 0x388, 35);		/* NPU_ACTIVE */
	npu_write(f.npu, 0x38c, 32);		/* NPU_IDLE */
	npu_write(f.npu, 0x184, 0x8000000f);
	machine_load(&f, words, sizeof(words) / 4);
	machine_run(&f);				/* PMCR.cnt_en is off */
	assert_int_equal(npu_read(f.npu, 0x1a0), 0);
	npu_write(f.npu, 0x180, 1);
	machine_run(&f);
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
	machine_run(&f);
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
	machine_run(&f);
	assert_int_equal(npu_read(f.npu, 0x300), 64);
	assert_int_equal(npu_read(f.npu, 0x304), 0);
	machine_close(&f);
}

static void test_pmu_overflow(void **state)
{
	static const uint32_t words[] = { DMA(0, 0, 1, 0, 1024), STOP(1) };
	struct fixture f;

	(void)state;
	machine_open(&f, "u85-256", &test_bus_ops);
	npu_write(f.npu, 0x1394, 135);		/* SRAM write beats, counter 5 */
	npu_write(f.npu, 0x1314, 0xffffffff - 63);
	npu_write(f.npu, 0x11a0, 0xffffffff);
	npu_write(f.npu, 0x11a4, 0xffff);
	npu_write(f.npu, 0x1184, 0x80000020);
	npu_write(f.npu, 0x1194, 0x20);
	npu_write(f.npu, 0x1180, 1);
	machine_load(&f, words, sizeof(words) / 4);
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
	machine_close(&f);
}

/* NPU_OP_PMU_MASK counts only if PMCR.mask_en. */
static void test_pmu_mask(void **state)
{
	static const uint32_t words[] = {
		PMU_MASK(1), DMA(0, 0, 1, 0, 160), PMU_MASK(0), DMA(0, 0, 1, 0, 1024), STOP(1),
	};
	struct fixture f;

	(void)state;
	machine_open(&f, "u65-256", &test_bus_ops);
	npu_write(f.npu, 0x380, 135);
	npu_write(f.npu, 0x184, 1);
	npu_write(f.npu, 0x180, 8);
	machine_load(&f, words, sizeof(words) / 4);
	machine_run(&f);
	assert_int_equal(npu_read(f.npu, 0x300), 10);
	npu_write(f.npu, 0x180, 1 | 2);
	machine_run(&f);
	assert_int_equal(npu_read(f.npu, 0x300), 74);
	machine_close(&f);
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
	machine_open(&f, "u65-256", &test_bus_ops);
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
	machine_close(&f);
}

/* Words in a window that is vouched for are not looked at again, in others they are. */
static void test_constant_window(void **state)
{
	static const uint32_t first[] = { DMA(0, 0, 1, 0, 16), STOP(1) };
	static const uint32_t second[] = { DMA(0, 0, 1, 0, 16), STOP(2) };
	struct fixture f;

	(void)state;
	machine_open(&f, "u65-256", &test_bus_ops);
	machine_load(&f, first, sizeof(first) / 4);
	machine_run(&f);
	machine_run(&f);
	memcpy(f.cmd->host, second, sizeof(second));
	assert_int_equal(machine_run(&f), END_REACHED | IRQ_RAISED | 0x30000);

	npu_write(f.npu, CMD, 0xffff000c);
	f.cmd->constant = true;
	f.cmd->id = 100;
	memcpy(f.cmd->host, first, sizeof(first));
	machine_run(&f);
	npu_write(f.npu, CMD, 0xffff000c);
	memcpy(f.cmd->host, second, sizeof(second));	/* a broken promise: shows what is not read */
	assert_int_equal(machine_run(&f), END_REACHED | IRQ_RAISED | 0x10000);
	npu_window_gone(f.npu, 100);
	assert_int_equal(f.controls.gone, 100);
	f.cmd->id = 101;
	npu_write(f.npu, CMD, 0xffff000c);
	assert_int_equal(machine_run(&f), END_REACHED | IRQ_RAISED | 0x20000);
	machine_close(&f);
}

static void test_work_limit(void **state)
{
	struct npu_options opt = { .size = sizeof(opt), .work_limit = 1 << 12 };
	struct fixture f;

	(void)state;
	machine_open(&f, "u65-256", &test_bus_ops);
	npu_destroy(f.npu);
	opt.cache_dir = (const char *)(uintptr_t)&f.controls;
	opt.engine = "reference";
	assert_int_equal(npu_create(&f.npu, npu_config_find("u65-256"), &test_bus_ops, &f.bus, &opt,
				    NULL, 0), 0);
	npu_write(f.npu, BASEP(0), CONST_ADDR);
	npu_write(f.npu, BASEP(1), ARENA_ADDR);
	npu_read(f.npu, STATUS);
	machine_expect_fault(&f, RUN(&f, DMA(0, 0, 1, 0, 1024), DMA(0, 0, 1, 0, 1024), STOP(0)),
		     BUS_ERROR | 8 << 12, 2 * DMA_WORDS * 4 - 4);
	assert_int_equal(f.controls.ops, 1);
	machine_close(&f);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pmu),
		cmocka_unit_test(test_pmu_overflow),
		cmocka_unit_test(test_pmu_mask),
		cmocka_unit_test(test_work),
		cmocka_unit_test(test_plan_cache),
		cmocka_unit_test(test_constant_window),
		cmocka_unit_test(test_work_limit),
		cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests_name("machine: counters and plans", tests, NULL, NULL);
}
