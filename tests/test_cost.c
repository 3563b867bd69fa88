/* SPDX-License-Identifier: MIT */
/* The cost of single operations, against arithmetic on paper. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/cost.h"

/* A memory that is never what an operation waits for, at either place. */
static const struct cost_memory quick = {
	.bandwidth = 1e6, .ports = 1, .burst = 32, .reads = 64, .writes = 64,
	.read_latency = 1, .write_latency = 1,
};

/* The numbers of Vela's Ethos_U65_Client_Server. */
static const struct cost_memory sram65 = {
	.bandwidth = 16, .ports = 1, .read_latency = 32, .write_latency = 32, .burst = 32,
	.reads = 16, .writes = 16,
};
static const struct cost_memory dram65 = {
	.bandwidth = 12, .ports = 1, .read_latency = 500, .write_latency = 250, .burst = 128,
	.reads = 24, .writes = 12,
};
/* And of Ethos_U85_SYS_DRAM_Mid. */
static const struct cost_memory sram85 = {
	.bandwidth = 32, .ports = 2, .read_latency = 32, .write_latency = 32, .burst = 64,
	.reads = 8, .writes = 8,
};
static const struct cost_memory dram85 = {
	.bandwidth = 12, .ports = 1, .read_latency = 500, .write_latency = 250, .burst = 128,
	.reads = 64, .writes = 32,
};

static struct cost_op_desc conv(uint32_t h, uint32_t w, uint32_t in, uint32_t out, unsigned int k)
{
	return (struct cost_op_desc){
		.kind = NPU_KIND_CONV,
		.ifm = { { .h = h + k - 1, .w = w + k - 1, .d = in, .bits = 8, .brick = true } },
		.ofm = { .h = h, .w = w, .d = out, .bits = 8, .brick = true },
		.kernel_h = (uint16_t)k,
		.kernel_w = (uint16_t)k,
		.stride_y = 1,
		.stride_x = 1,
		.dilation_y = 1,
		.dilation_x = 1,
		.acc_bits = 32,
	};
}

/* Four cycles do 2 x 2 x 8 outputs times 32 channels: 256 multiplications a cycle. */
static void test_array_is_full(void **state)
{
	struct cost_target t = { .arch = ethosu_arch_find(65, 256), .memory = { quick, quick } };
	struct cost_op_desc d = conv(64, 64, 64, 64, 3);
	struct cost_result r;

	(void)state;
	d.block = (struct ethosu_block){ 8, 16, 16 };
	cost_op(&t, &d, &r);
	assert_int_equal(r.macs, 64ull * 64 * 64 * 64 * 9);
	assert_int_equal(r.mac_cycles, r.macs / 256);
	assert_int_equal(r.bound, COST_BOUND_MAC);
	assert_true(r.cycles >= r.mac_cycles && r.cycles < r.mac_cycles * 101 / 100);
	assert_int_equal(r.blocks, 8 * 4 * 4);
	t.arch = ethosu_arch_find(65, 512);
	cost_op(&t, &d, &r);
	assert_int_equal(r.mac_cycles, r.macs / 512);
	t.arch = ethosu_arch_find(85, 256);
	d.microblock = 3;
	cost_op(&t, &d, &r);
	assert_int_equal(r.mac_cycles, r.macs / 256);
	d.sparse = true;
	cost_op(&t, &d, &r);
	assert_int_equal(r.mac_cycles, r.macs / 512);
}

/* Three channels fill 3 of 32 lanes depth first, and 3 of 8 with 9 of 12 taps part kernel first. */
static void test_three_channels(void **state)
{
	const struct cost_target t = { .arch = ethosu_arch_find(65, 256),
				       .memory = { quick, quick } };
	struct cost_op_desc d = conv(32, 32, 3, 16, 3);
	struct cost_result r;

	(void)state;
	d.block = (struct ethosu_block){ 8, 8, 16 };
	cost_op(&t, &d, &r);
	/* Blocks of 16 microblocks in area, 2 in depth: 4 cycles each for 9 taps. */
	assert_int_equal(r.mac_cycles, 16 * (4 * 16) * 9 * 2);
	d.part_kernel = true;
	cost_op(&t, &d, &r);
	assert_int_equal(r.mac_cycles, 16 * (4 * 16) * 3 * 2);
}

/* An image of 3 channels is read 3 bytes at a time: a burst of 32 for each. */
static void test_bursts(void **state)
{
	const struct cost_target t = { .arch = ethosu_arch_find(65, 256),
				       .memory = { sram65, dram65 } };
	struct cost_op_desc d = conv(8, 8, 16, 16, 1);
	struct cost_result r;

	(void)state;
	d.block = (struct ethosu_block){ 8, 8, 16 };
	cost_op(&t, &d, &r);
	/* Bricks of 8 columns are 128 bytes together. */
	assert_int_equal(r.read[COST_SRAM][COST_FEATURE_MAPS], 1024);
	assert_int_equal(r.write[COST_SRAM], 1024);
	d.ifm[0].brick = false;
	d.ifm[0].d = 3;
	cost_op(&t, &d, &r);
	/* IFM blocks are 8 deep: runs of 8 bytes, 4 times the traffic. */
	assert_int_equal(r.read[COST_SRAM][COST_FEATURE_MAPS], 64 * 3 * 32 / 8);
	d.ifm[0].memory = COST_EXT;
	cost_op(&t, &d, &r);
	assert_int_equal(r.read[COST_SRAM][COST_FEATURE_MAPS], 0);
	assert_int_equal(r.read[COST_EXT][COST_FEATURE_MAPS], 64 * 3 * 128 / 8);
}

/* Weights come again for every block in height and width. */
static void test_weights_refetched(void **state)
{
	const struct cost_target t = { .arch = ethosu_arch_find(65, 256),
				       .memory = { sram65, dram65 } };
	struct cost_op_desc d = conv(16, 16, 512, 512, 1);
	struct cost_result r;

	(void)state;
	d.block = (struct ethosu_block){ 8, 8, 32 };
	d.weight_memory = d.scale_memory = COST_EXT;
	d.weight_bytes = 200000;
	d.scale_bytes = 5120;
	cost_op(&t, &d, &r);
	assert_int_equal(r.read[COST_EXT][COST_WEIGHTS], 4 * 200000);
	assert_int_equal(r.read[COST_EXT][COST_SCALES], 4 * 5120);
	assert_int_equal(r.memory_cycles[COST_EXT], (4 * 205120) / 12);
	assert_int_equal(r.mac_cycles, 16 * 16 * 512 * 512 / 256);
	assert_int_equal(r.bound, COST_BOUND_MAC);
	d.weight_bytes *= 4;
	cost_op(&t, &d, &r);
	assert_int_equal(r.bound, COST_BOUND_EXT);
	assert_int_equal(r.cycles, (4 * 805120) / 12);
}

/* 16 bursts of 128 in flight over 500 cycles, 80 %: 3.28 bytes a cycle; scales have an eighth. */
static void test_channels(void **state)
{
	const struct cost_target t = { .arch = ethosu_arch_find(85, 256),
				       .memory = { sram85, dram85 } };
	struct cost_op_desc d = conv(1, 1, 1024, 16, 1);
	struct cost_result r;

	(void)state;
	d.block = (struct ethosu_block){ 2, 2, 16 };
	d.microblock = 3;
	d.weight_memory = d.scale_memory = COST_EXT;
	d.weight_bytes = 16384;
	cost_op(&t, &d, &r);
	assert_int_equal(r.memory_cycles[COST_EXT], (int)(16384 / 3.2768));
	d.weight_bytes = 0;
	d.scale_bytes = 4096;
	cost_op(&t, &d, &r);
	assert_int_equal(r.memory_cycles[COST_EXT], 4096 / 0.4096);
	/* Copies from DRAM have 104 credits: 13 bursts; to SRAM nothing is in the way. */
	assert_int_equal(cost_copy_cycles(&t, COST_EXT, COST_SRAM, 100000),
			 (int)(100000 / (128 * 13 / 500.0 * 0.8)) + 500);
	assert_int_equal(cost_copy_cycles(&t, COST_EXT, COST_SRAM, 0), 0);
}

static void test_elementwise(void **state)
{
	struct cost_target t = { .arch = ethosu_arch_find(65, 256), .memory = { quick, quick } };
	struct cost_op_desc d = conv(16, 16, 32, 32, 1);
	struct cost_result r;

	(void)state;
	d.kind = NPU_KIND_ELEMENTWISE;
	d.mode = NPU_ELT_ADD;
	d.ifm[1] = d.ifm[0];
	d.block = (struct ethosu_block){ 16, 16, 32 };
	cost_op(&t, &d, &r);
	assert_int_equal(r.cycles, 16 * 16 * 32 * 3 / 4);
	assert_int_equal(r.macs, 0);
	d.mode = NPU_ELT_MUL;
	cost_op(&t, &d, &r);
	assert_int_equal(r.cycles, 16 * 16 * 32 * 3 / 8);
	/* A table in the output stage does one element a cycle. */
	d.activation = COST_ACT_LUT;
	cost_op(&t, &d, &r);
	assert_int_equal(r.cycles, 16 * 16 * 32);
	d.activation = COST_ACT_NONE;
	t.arch = ethosu_arch_find(85, 256);
	d.microblock = 3;
	d.mode = NPU_ELT_DIV;
	cost_op(&t, &d, &r);
	assert_int_equal(r.cycles, 16 * 16 * 32 * 33);
	/* Two operations chained to it: a quarter of a cycle each. */
	d.mode = NPU_ELT_ADD;
	d.chain_rate = 0.5;
	cost_op(&t, &d, &r);
	assert_int_equal(r.cycles, 16 * 16 * 32 * 3 / 4);
}

static void test_ifm_blocks(void **state)
{
	const struct ethosu_arch *u65 = ethosu_arch_find(65, 256), *u85 = ethosu_arch_find(85, 1024);
	struct cost_op_desc d = conv(32, 32, 100, 64, 3);
	struct ethosu_block b;

	(void)state;
	d.block = (struct ethosu_block){ 8, 16, 32 };
	d.stride_y = 2;
	b = cost_ifm_block(u65, &d);
	/* 7 steps of 2 and 3 rows: 17, to the microblock 18; 15 and 3 columns. */
	assert_int_equal(b.h, 18);
	assert_int_equal(b.w, 18);
	assert_int_equal(b.d, 32);
	d.ifm[0].bits = 16;
	assert_int_equal(cost_ifm_block(u65, &d).d, 16);
	d.ifm[0].bits = 8;
	d.upscale = NPU_UPSCALE_NEAREST;
	d.stride_y = 1;
	/* 7 + 3 + 1 rows, two of which are one. */
	assert_int_equal(cost_ifm_block(u65, &d).h, 6);
	d.upscale = NPU_UPSCALE_NONE;
	d.microblock = 4;
	b = cost_ifm_block(u85, &d);
	/* 64 deep is 512 bits: units of 1 x 2. */
	assert_int_equal(b.h, 10);
	assert_int_equal(b.w, 18);
	assert_int_equal(b.d, 64);
	d.part_kernel = true;
	b = cost_ifm_block(u85, &d);
	assert_int_equal(b.w, 20);
	assert_int_equal(b.d, 16);
	/* Taps beyond 8 x 8 are for the next sub-kernel. */
	d.kernel_h = 20;
	assert_int_equal(cost_ifm_block(u65, &d).h, 16);
	d.kind = NPU_KIND_DEPTHWISE;
	assert_int_equal(cost_ifm_block(u65, &d).d, 32);
}

/* Garbage in: a number or nothing, no crash. */
static void test_nothing(void **state)
{
	const struct cost_target t = { .arch = ethosu_arch_find(85, 128),
				       .memory = { quick, quick } };
	struct cost_op_desc d = conv(16, 16, 32, 32, 1);
	struct cost_result r;

	(void)state;
	cost_op(&t, &d, &r);
	assert_int_equal(r.cycles, 0);
	d.block = (struct ethosu_block){ 1, 1, 1 };
	d.microblock = 200;
	cost_op(&t, &d, &r);
	assert_true(r.cycles > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_array_is_full),	   cmocka_unit_test(test_three_channels),
		cmocka_unit_test(test_bursts),		   cmocka_unit_test(test_weights_refetched),
		cmocka_unit_test(test_channels),	   cmocka_unit_test(test_elementwise),
		cmocka_unit_test(test_ifm_blocks),	   cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
