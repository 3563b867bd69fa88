/* SPDX-License-Identifier: MIT */
/*
 * The validator on streams as a whole: what one operation leaves to the next, what nothing leaves to the
 * next stream, and streams as Mesa writes them.
 */
#include "tests/validate_stream.h"

#include <stdlib.h>

/* The words of a list of commands. */
#define LIST(...) ((const struct cmd[]){ __VA_ARGS__ })
#define COUNT(...) (sizeof(LIST(__VA_ARGS__)) / sizeof(struct cmd))

#define WORDS 512

static int run(unsigned int npu, const struct cmd *cmds, size_t count, struct ethosu_check *check)
{
	uint32_t *words = malloc(4 * WORDS);
	size_t n = put_all(words, 0, cmds, count);
	/* As long as the stream: one word further is not its own. */
	uint32_t *exact = malloc(4 * n);
	int rc;

	memcpy(exact, words, 4 * n);
	rc = validate(npu, exact, n, check);
	free(exact);
	free(words);
	return rc;
}

#define RUN(npu, check, ...) run(npu, LIST(__VA_ARGS__), COUNT(__VA_ARGS__), check)

static void assert_refused(const struct ethosu_check *check, unsigned int offset, const char *why)
{
	static const struct ethosu_stream_use none;

	assert_non_null(check->reject.why);
	if (!strstr(check->reject.why, why))
		fail_msg("%s, not %s", check->reject.why, why);
	assert_int_equal(check->reject.offset, offset);
	assert_memory_equal(&check->use, &none, sizeof(none));
}

static void test_too_long(void **state)
{
	const struct ethosu_hw hw = hw_of(U65_256);
	size_t most = ETHOSU_STREAM_MAX / 4 - ETHOSU_PROLOGUE_MAX;
	uint32_t *words = malloc(4 * (most + 1));
	struct ethosu_check check;

	(void)state;
	for (size_t i = 0; i < most; i++)
		words[i] = ETHOSU_CMD0(OP_KERNEL_WAIT, 0);
	words[most - 1] = ETHOSU_CMD0(OP_STOP, 0);
	assert_int_equal(ethosu_validate(&hw, words, most, &check), 0);
	assert_int_equal(check.use.size, 4 * most);
	words[most - 1] = words[0];
	words[most] = ETHOSU_CMD0(OP_STOP, 0);
	assert_int_equal(ethosu_validate(&hw, words, most + 1, &check), -E2BIG);
	free(words);
	assert_int_equal(ethosu_validate(&hw, NULL, 0, &check), -EINVAL);
}

/* ---- from one operation to the next ---- */

static size_t with_base(uint32_t *words)
{
	return put_all(words, 0, base, ARRAY_SIZE(base));
}

static int run_after_base(unsigned int npu, const struct cmd *cmds, size_t count,
			  struct ethosu_check *check)
{
	uint32_t words[WORDS];

	return validate(npu, words, put_all(words, with_base(words), cmds, count), check);
}

#define AFTER_BASE(npu, check, ...)                                                                \
	run_after_base(npu, LIST(__VA_ARGS__), COUNT(__VA_ARGS__), check)

static void test_registers_stay(void **state)
{
	struct ethosu_check check;

	(void)state;
	/* Two copies, of which the second only moves the destination. */
	assert_int_equal(AFTER_BASE(U65_256, &check, OP(DMA_START, 0), A(DMA0_DST, 0x9000),
				    OP(DMA_START, 0), A(DMA0_DST, 0), OP(DMA_START, 0), STOP), 0);
	assert_int_equal(check.use.region[DST].write_end, 0x9040);
	assert_int_equal(check.use.region[SRC].read_end, 0x140);
	assert_int_equal(check.use.dma_ops, 3);
	assert_int_equal(check.use.kernel_ops, 0);
	/* Source and destination in one region: both are noted. */
	assert_int_equal(AFTER_BASE(U65_256, &check, S(DMA0_SRC_REGION, DST), A(DMA0_SRC, 0x210),
				    OP(DMA_START, 0), STOP), 0);
	assert_int_equal(check.use.region[DST].read_end, 0x250);
	assert_int_equal(check.use.region[DST].write_end, 0x240);
	assert_int_equal(check.use.region[SRC].read_end, 0);
}

static void test_nothing_inherited(void **state)
{
	struct ethosu_check check;

	(void)state;
	assert_int_equal(AFTER_BASE(U65_256, &check, OP(CONV, 0), OP(DMA_START, 0), STOP), 0);
	/* The same check again: registers are 0, as the prologue makes them. */
	assert_int_equal(RUN(U65_256, &check, OP(DMA_START, 0), STOP), -EINVAL);
	assert_refused(&check, 0, "no bytes");
	assert_int_equal(RUN(U65_256, &check, OP(CONV, 0), STOP), -EINVAL);
	assert_refused(&check, 0, "without weights");
	assert_int_equal(RUN(U65_256, &check, A(DMA0_LEN, 32), OP(DMA_START, 0), STOP), 0);
	/* No region is set: that is region 0, not the inside of the NPU. */
	assert_int_equal(check.use.region[0].read_end, 32);
	assert_int_equal(check.use.region[0].write_end, 32);
	/* One element of one byte. */
	assert_int_equal(RUN(U85_256, &check, S(OFM_PRECISION, GLOBAL), OP(POOL, 0), STOP), 0);
	assert_int_equal(check.use.region[0].read_end, 1);
	assert_int_equal(check.use.region[0].write_end, 1);
	assert_null(check.reject.why);
}

static void test_chains(void **state)
{
	static const struct cmd producer[] = {
		S(OFM_PRECISION, GLOBAL | CHAINED), S(OFM_REGION, 3), S(IFM_DEPTH_M1, 23),
		OP(ELEMENTWISE, 1),
	};
	struct ethosu_check check;

	(void)state;
	/* Nothing has been put there. */
	assert_int_equal(AFTER_BASE(U85_256, &check, S(IFM_PRECISION, CHAINED), OP(CONV, 0), STOP),
			 -EINVAL);
	assert_non_null(strstr(check.reject.why, "chaining buffer"));
	/* An OFM that is handed on is no output, an IFM that is taken no input. */
	assert_int_equal(AFTER_BASE(U85_256, &check, producer[0], producer[1], producer[3],
				    S(IFM_PRECISION, CHAINED), S(IFM_REGION, 3),
				    S(OFM_PRECISION, GLOBAL), S(OFM_REGION, OFM), OP(ELEMENTWISE, 6),
				    STOP), 0);
	assert_int_equal(check.use.region[OFM].write_end, 0x2000 + 480);
	assert_int_equal(check.use.region[IFM].read_end, 0x1000 + 328);
	assert_int_equal(check.use.region[3].write_end, 0);
	assert_int_equal(check.use.chain_ops, 2);
	/* Twice as much as was put there: 16 bits, not 8. */
	assert_int_equal(AFTER_BASE(U85_256, &check, producer[0], producer[1], producer[3],
				    S(IFM_PRECISION, CHAINED | ELEM(1)), S(IFM_REGION, 3),
				    S(OFM_PRECISION, GLOBAL), S(OFM_REGION, OFM), OP(ELEMENTWISE, 6),
				    STOP), -EINVAL);
	/* Another buffer. */
	assert_int_equal(AFTER_BASE(U85_256, &check, producer[0], producer[1], producer[3],
				    S(IFM_PRECISION, CHAINED), S(IFM_REGION, 2), OP(ELEMENTWISE, 6),
				    STOP), -EINVAL);
	/* A U65 has none: these bits are its rounding mode, on which nothing depends. */
	assert_int_equal(AFTER_BASE(U65_256, &check, S(OFM_PRECISION, GLOBAL | 2 << 14),
				    OP(ELEMENTWISE, 6), STOP), 0);
	assert_int_equal(check.use.region[OFM].write_end, 0x2000 + 480);
}

/* ---- tables ---- */

#define LOAD(dst, len) S(DMA0_DST_REGION, 1 << 8), A(DMA0_DST, dst), A(DMA0_LEN, len), OP(DMA_START, 0)
#define U65_TABLES (48 * 1024 - 2048)
#define FUNCTION_U85(function, table) S(ACTIVATION, (function) | (table) << 5)
#define TABLE_U65(n) S(ACTIVATION, 16 + (n))
#define INT8_CLIP (3 << 12)

static void test_tables(void **state)
{
	struct ethosu_check check;

	(void)state;
	/* What lies there is another's. */
	assert_int_equal(AFTER_BASE(U85_256, &check, FUNCTION_U85(4, 0), OP(ELEMENTWISE, 6), STOP),
			 -EINVAL);
	assert_non_null(strstr(check.reject.why, "has not loaded"));
	assert_int_equal(AFTER_BASE(U85_256, &check, LOAD(0, 256), FUNCTION_U85(4, 0),
				    OP(ELEMENTWISE, 6), STOP), 0);
	assert_int_equal(AFTER_BASE(U85_256, &check, LOAD(0, 255), FUNCTION_U85(4, 0),
				    OP(ELEMENTWISE, 6), STOP), -EINVAL);
	assert_int_equal(AFTER_BASE(U85_256, &check, LOAD(256, 256), FUNCTION_U85(4, 0),
				    OP(ELEMENTWISE, 6), STOP), -EINVAL);
	assert_int_equal(AFTER_BASE(U85_256, &check, LOAD(1792, 256), FUNCTION_U85(4, 7),
				    OP(ELEMENTWISE, 6), STOP), 0);
	/* Tables are numbered in units of their size: 1 KiB has 0 and 1, 2 KiB 0. */
	assert_int_equal(AFTER_BASE(U85_256, &check, LOAD(0, 1024), LOAD(1024, 1024),
				    FUNCTION_U85(7, 1), OP(ELEMENTWISE, 6), STOP), 0);
	assert_int_equal(AFTER_BASE(U85_256, &check, LOAD(0, 2048), FUNCTION_U85(7, 2),
				    OP(ELEMENTWISE, 6), STOP), -EINVAL);
	assert_non_null(strstr(check.reject.why, "after the table memory"));
	assert_int_equal(AFTER_BASE(U85_256, &check, LOAD(0, 2048), FUNCTION_U85(10, 0),
				    OP(POOL, 0), STOP), 0);
	assert_int_equal(AFTER_BASE(U85_256, &check, LOAD(0, 1024), FUNCTION_U85(10, 0),
				    OP(POOL, 0), STOP), -EINVAL);
	assert_int_equal(AFTER_BASE(U85_256, &check, LOAD(0, 2048), FUNCTION_U85(10, 7),
				    OP(POOL, 0), STOP), -EINVAL);
	assert_int_equal(AFTER_BASE(U85_256, &check, FUNCTION_U85(2, 0), STOP), -EINVAL);
}

static void test_tables_u65(void **state)
{
	struct ethosu_check check;

	(void)state;
	/* The last 2 KiB of SHRAM. */
	assert_int_equal(AFTER_BASE(U65_256, &check, TABLE_U65(0), OP(POOL, 0), STOP), -EINVAL);
	assert_int_equal(AFTER_BASE(U65_256, &check, LOAD(U65_TABLES, 256), TABLE_U65(0),
				    OP(POOL, 0), STOP), 0);
	assert_int_equal(AFTER_BASE(U65_512, &check, LOAD(U65_TABLES + 256, 256), TABLE_U65(1),
				    OP(POOL, 0), STOP), 0);
	assert_int_equal(AFTER_BASE(U65_256, &check, LOAD(U65_TABLES - 256, 256), TABLE_U65(0),
				    OP(POOL, 0), STOP), -EINVAL);
	/* 256 entries of 32 bits for values of 8, 2 KiB for those of 16. */
	assert_int_equal(AFTER_BASE(U65_256, &check, LOAD(U65_TABLES, 1024),
				    S(OFM_PRECISION, GLOBAL | OFM_ELEM(2)),
				    S(ACTIVATION, 16 | INT8_CLIP), OP(POOL, 0), STOP), 0);
	assert_int_equal(AFTER_BASE(U65_256, &check, LOAD(U65_TABLES, 512),
				    S(OFM_PRECISION, GLOBAL | OFM_ELEM(2)),
				    S(ACTIVATION, 16 | INT8_CLIP), OP(POOL, 0), STOP), -EINVAL);
	assert_int_equal(AFTER_BASE(U65_256, &check, LOAD(U65_TABLES, 2048),
				    S(OFM_PRECISION, GLOBAL | OFM_ELEM(1)), TABLE_U65(0), OP(POOL, 0),
				    STOP), 0);
	assert_int_equal(AFTER_BASE(U65_256, &check, LOAD(U65_TABLES, 2048),
				    S(OFM_PRECISION, GLOBAL | OFM_ELEM(1)), TABLE_U65(1), OP(POOL, 0),
				    STOP), -EINVAL);
	/* TANH and SIGMOID are built in. */
	assert_int_equal(AFTER_BASE(U65_256, &check, S(ACTIVATION, 3), OP(POOL, 0), STOP), 0);
	assert_int_equal(AFTER_BASE(U65_256, &check, S(ACTIVATION, 1), OP(POOL, 0), STOP), -EINVAL);
}

/* ---- NPUs ---- */

static void test_npus(void **state)
{
	static const struct {
		uint32_t id, config;
		unsigned int arch, streams, internal;
	} cases[] = {
		{ 0x10066001, 0x10003008, 65, 1, 48 * 1024 },
		{ 0x10066001, 0x10006009, 65, 2, 48 * 1024 },
		{ 0x20007001, 0x20000117, 85, 1, 2048 },
		{ 0x20007001, 0x20000118, 85, 1, 2048 },
		{ 0x20007001, 0x20001119, 85, 2, 2048 },
		{ 0x20007001, 0x2000251a, 85, 4, 2048 },
		{ 0x20007001, 0x2000261b, 85, 4, 2048 },
		{ 0x10104201, 0x00001807, 0, 0, 0 },	/* a U55 */
		{ 0x10066001, 0x20000118, 0, 0, 0 },	/* half a U85 */
		{ 0x30008001, 0x30000118, 0, 0, 0 },	/* the next one */
		{ 0x10066001, 0x10000108, 0, 0, 0 },	/* no room for tables */
		{ 0x10066001, 0x1000300a, 0, 0, 0 },	/* four cores */
		{ 0x20007001, 0x20003118, 0, 0, 0 },	/* eight decoders */
		{ 0, 0, 0, 0, 0 },
		{ 0xffffffff, 0xffffffff, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ethosu_hw hw;
		int rc = ethosu_hw_init(&hw, cases[i].id, cases[i].config);

		assert_int_equal(rc, cases[i].arch ? 0 : -ENODEV);
		if (rc)
			continue;
		assert_int_equal(hw.arch, cases[i].arch);
		assert_int_equal(hw.streams, cases[i].streams);
		assert_int_equal(hw.internal_size, cases[i].internal);
	}
}

/* Every register of the family is set once, to 0, and the stream that is made so is a good one. */
static void test_prologue(void **state)
{
	(void)state;
	for (unsigned int npu = 0; npu < HW_COUNT; npu++) {
		const struct ethosu_hw hw = hw_of(npu);
		uint32_t words[ETHOSU_PROLOGUE_MAX + 1];
		bool set0[256] = { false }, set1[256] = { false };
		size_t n = ethosu_prologue(&hw, words);
		struct ethosu_check check;

		assert_in_range(n, 1, ETHOSU_PROLOGUE_MAX);
		for (size_t i = 0; i < n - 1; i++) {
			bool two = words[i] >> ETHOSU_CONTROL_SHIFT & 1;
			bool *set = two ? set1 : set0;

			assert_int_equal(words[i] >> ETHOSU_PARAM_SHIFT, 0);
			assert_false(set[words[i] & 0xff]);
			set[words[i] & 0xff] = true;
			if (two)
				assert_int_equal(words[++i], 0);
		}
		assert_int_equal(words[n - 1], ETHOSU_OP_PMU_MASK);
		words[n] = ETHOSU_CMD0(OP_STOP, 0xffff);
		assert_int_equal(ethosu_validate(&hw, words, n + 1, &check), 0);
#define COMMAND(name, opcode, two_words, archs)                                                    \
	if (((two_words) ? (opcode) < 0x100 : (opcode) >= 0x100) &&                                \
	    ETHOSU_ARCH_##archs & (hw.arch == 65 ? ETHOSU_ARCH_U65 : ETHOSU_ARCH_U85))             \
		assert_true((two_words) ? set1[(opcode) & 0xff] : set0[(opcode) & 0xff]);
		ETHOSU_COMMANDS(COMMAND, ETHOSU_SKIP_F)
#undef COMMAND
	}
}

/* ---- Mesa ---- */

/*
 * A convolution as Mesa's driver emits it: regions 0 weights, 1 tensors, 2 SRAM, into which the weights
 * are copied first; all tiles set, bases 1 to 3 zero; 8 x 8 x 3 to 4 x 4 x 8, 3 x 3 with stride 2.
 */
#define MESA_FM(name, h, w, at)                                                                    \
	S(name##_REGION, 1), A(name##_BASE0, at), A(name##_BASE1, 0), A(name##_BASE2, 0),          \
		A(name##_BASE3, 0), S(name##_HEIGHT0_M1, (h) - 1), S(name##_HEIGHT1_M1, (h) - 1),  \
		S(name##_WIDTH0_M1, (w) - 1)
#define MESA_STRIDES(name, w, c)                                                                   \
	A(name##_STRIDE_C, 1), A(name##_STRIDE_Y, (w) * (c)), A(name##_STRIDE_X, c)

static void test_mesa_conv(void **state)
{
	struct ethosu_check check;

	(void)state;
	assert_int_equal(RUN(U65_256, &check, S(PARALLEL_MODE, 0), S(DMA0_SRC_REGION, 0),
			     A(DMA0_SRC, 0), S(DMA0_DST_REGION, 2), A(DMA0_DST, 0),
			     A(DMA0_LEN, 80 + 240), OP(DMA_START, 0), MESA_FM(IFM, 8, 8, 0),
			     S(IFM_DEPTH_M1, 2), MESA_STRIDES(IFM, 8, 3), S(IFM_ZERO_POINT, 0x80),
			     S(IFM_PRECISION, 1), S(IFM_UPSCALE, 0), S(IFM_PAD_TOP, 0),
			     S(IFM_PAD_LEFT, 0), S(IFM_PAD_BOTTOM, 1), S(IFM_PAD_RIGHT, 1),
			     MESA_FM(OFM, 4, 4, 192), S(OFM_HEIGHT_M1, 3), S(OFM_WIDTH_M1, 3),
			     S(OFM_DEPTH_M1, 7), MESA_STRIDES(OFM, 4, 8), S(OFM_ZERO_POINT, 0),
			     S(OFM_PRECISION, 1), S(KERNEL_HEIGHT_M1, 2), S(KERNEL_WIDTH_M1, 2),
			     S(KERNEL_STRIDE, 7), S(WEIGHT_REGION, 2), A(WEIGHT_BASE, 80),
			     A(WEIGHT_LENGTH, 240), S(SCALE_REGION, 2), A(SCALE_BASE, 0),
			     A(SCALE_LENGTH, 80), S(ACTIVATION, 0), S(ACTIVATION_MIN, 0xff80),
			     S(ACTIVATION_MAX, 0x7f), S(OFM_BLK_HEIGHT_M1, 3),
			     S(OFM_BLK_WIDTH_M1, 3), S(OFM_BLK_DEPTH_M1, 7), S(IFM_IB_END, 8),
			     S(AB_START, 40), S(ACC_FORMAT, 0), S(BLOCKDEP, 0), OP(DMA_WAIT, 0),
			     OP(CONV, 0), STOP), 0);
	assert_int_equal(check.use.region[0].read_end, 320);
	assert_int_equal(check.use.region[1].read_end, 192);
	assert_int_equal(check.use.region[1].write_end, 192 + 128);
	assert_int_equal(check.use.region[2].read_end, 320);
	assert_int_equal(check.use.region[2].write_end, 320);
	assert_int_equal(check.use.kernel_ops, 1);
}

/* On a U85 it sets neither IFM_BROADCAST nor pads nor a kernel, but the U65's scale mode. */
static void test_mesa_add(void **state)
{
	struct ethosu_check check;

	(void)state;
	assert_int_equal(RUN(U85_256, &check, A(IFM_SCALE, 0x5b2c3d4e), A(IFM2_SCALE, 0),
			     TWO(ETHOSU_CMD1(SET_OFM_SCALE, 49), 0x6e6f7071),
			     MESA_FM(IFM, 4, 4, 0), S(IFM_DEPTH_M1, 7), MESA_STRIDES(IFM, 4, 8),
			     S(IFM_ZERO_POINT, 0), S(IFM_PRECISION, 1 | 1 << 8), S(IFM_UPSCALE, 0),
			     MESA_FM(OFM, 4, 4, 256), S(OFM_HEIGHT_M1, 3), S(OFM_WIDTH_M1, 3),
			     S(OFM_DEPTH_M1, 7), MESA_STRIDES(OFM, 4, 8), S(OFM_PRECISION, GLOBAL | 1),
			     S(ACTIVATION, 0), S(ACC_FORMAT, 0x300), MESA_FM(IFM2, 4, 4, 128),
			     MESA_STRIDES(IFM2, 4, 8), S(IFM2_ZERO_POINT, 0), S(IFM2_PRECISION, 1),
			     S(IFM2_BROADCAST, 0), S(BLOCKDEP, 3), OP(ELEMENTWISE, 1), STOP), 0);
	assert_int_equal(check.use.region[1].read_end, 256);
	assert_int_equal(check.use.region[1].write_end, 384);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_registers_stay),
		cmocka_unit_test(test_nothing_inherited),
		cmocka_unit_test(test_chains),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_tables_u65),
		cmocka_unit_test(test_npus),
		cmocka_unit_test(test_prologue),
		cmocka_unit_test(test_mesa_conv),
		cmocka_unit_test(test_mesa_add),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
