/* SPDX-License-Identifier: MIT */
/*
 * Strict mode: a good stream for each family, and the same with one register or wait changed, which
 * must break one rule and no other. Layouts of blocks are worked out on paper, in comments.
 */
#include "tests/decode_stream.h"

#include <stdbool.h>

#include "sim/strict.h"

/* What is put before operation @op of a stream: registers, or another wait. */
struct change {
	unsigned int op;
	uint32_t word[6];
	unsigned int words;
	unsigned int without;	/* WITHOUT_* */
};

#define WITHOUT_DMA_WAIT	1u
#define WITHOUT_KERNEL_WAIT	2u
#define WITHOUT_TABLE		4u
#define WITHOUT_LOW_BUFFERS	8u	/* U85: chain through buffer 6 */

struct builder {
	struct stream s;
	const struct change *change;
	unsigned int ops;
};

static const struct change none = { .op = ~0u };

static bool without(const struct builder *b, unsigned int what)
{
	return b->change->op == b->ops && b->change->without & what;
}

/* Operation @word, with the change before it if it is its turn. */
static void operation(struct builder *b, uint32_t word)
{
	if (b->change->op == b->ops)
		for (unsigned int i = 0; i < b->change->words; i++)
			stream_word(&b->s, b->change->word[i]);
	stream_word(&b->s, word);
	b->ops++;
}

static void wait(struct builder *b, bool dma, unsigned int left)
{
	if (without(b, dma ? WITHOUT_DMA_WAIT : WITHOUT_KERNEL_WAIT))
		return;
	stream_word(&b->s, dma ? ETHOSU_CMD0(OP_DMA_WAIT, left) : ETHOSU_CMD0(OP_KERNEL_WAIT, left));
}

static void copy(struct builder *b, unsigned int from, uint64_t src, unsigned int to, uint64_t dst,
		 uint32_t len)
{
	SET(&b->s, SET_DMA0_SRC_REGION, from);
	SET(&b->s, SET_DMA0_DST_REGION, to);
	SET_ADDRESS(&b->s, SET_DMA0_SRC, src);
	SET_ADDRESS(&b->s, SET_DMA0_DST, dst);
	SET_ADDRESS(&b->s, SET_DMA0_LEN, len);
	operation(b, ETHOSU_CMD0(OP_DMA_START, 0));
}

static void block(struct builder *b, unsigned int h, unsigned int w, unsigned int d)
{
	SET(&b->s, SET_OFM_BLK_HEIGHT_M1, h - 1);
	SET(&b->s, SET_OFM_BLK_WIDTH_M1, w - 1);
	SET(&b->s, SET_OFM_BLK_DEPTH_M1, d - 1);
}

/* Where maps are in the arena. The input is there when the job starts. */
#define INPUT		0x0000
#define MIDDLE		0x1000
#define OUTPUT		0x2000
#define TABLE_OUT	0x3000
#define MAP_BYTES	(16 * 16 * 16)

/* Weights come by DMA to region 2. */
#define STAGED		0x0400
#define WEIGHT_BYTES	256
#define SCALE_BYTES	160	/* 16 channels of 10 bytes */

static void weights(struct builder *b)
{
	SET(&b->s, SET_WEIGHT_REGION, 2);
	SET(&b->s, SET_SCALE_REGION, 2);
	SET_ADDRESS(&b->s, SET_SCALE_BASE, STAGED);
	SET2(&b->s, SET_SCALE_LENGTH, 0, SCALE_BYTES);
	SET_ADDRESS(&b->s, SET_WEIGHT_BASE, STAGED + SCALE_BYTES);
	SET2(&b->s, SET_WEIGHT_LENGTH, 0, WEIGHT_BYTES);
}

/*
 * U65-256, maps of 16 x 16 x 16 bytes:
 *	0 copy of weights	1 convolution 1x1	2 addition		3 copy of a table
 *	4 table pass		5 copy of another table over it
 *
 * Convolution, block 8 x 16 x 16: IFM 8 x 16 x 16 = 2 KiB, twice 4 banks, granule 8: IB_END 10.
 * Accumulators 8 KiB, twice 16 banks: AB_START at most 46 - 16 = 30. Addition: 8 banks for each
 * operand: the second from 10 on.
 */
static void build_u65(struct builder *b)
{
	const unsigned int slot = 0xb800;

	copy(b, 0, 0, 2, STAGED, SCALE_BYTES + WEIGHT_BYTES);

	stream_ifm(&b->s, 16, 16, 16, INPUT);
	stream_ofm(&b->s, 16, 16, 16, MIDDLE);
	SET(&b->s, SET_OFM_PRECISION, 0x001);	/* scales per channel */
	weights(b);
	block(b, 8, 16, 16);
	SET(&b->s, SET_IFM_IB_END, 10);
	SET(&b->s, SET_AB_START, 30);
	wait(b, true, 0);
	operation(b, ETHOSU_CMD0(OP_CONV, 0));

	stream_ifm(&b->s, 16, 16, 16, MIDDLE);
	stream_ifm2(&b->s, 16, 16, 16, INPUT);
	stream_ofm(&b->s, 16, 16, 16, OUTPUT);
	SET(&b->s, SET_IFM2_IB_START, 10);
	SET(&b->s, SET_IFM_IB_END, 46);
	SET(&b->s, SET_AB_START, 46);
	/* Two blocks each: the first of this one reads the last but one of that one. */
	SET(&b->s, SET_BLOCKDEP, 1);
	operation(b, ETHOSU_CMD0(OP_ELEMENTWISE, NPU_ELT_ADD));

	if (!(b->change->without & WITHOUT_TABLE))
		copy(b, 0, 0x1000, 1 << 8, slot, 256);
	else
		b->ops++;
	stream_ifm(&b->s, 16, 16, 16, OUTPUT);
	stream_ofm(&b->s, 16, 16, 16, TABLE_OUT);
	SET(&b->s, SET_IFM_IB_END, 10);
	SET(&b->s, SET_AB_START, 30);
	SET(&b->s, SET_BLOCKDEP, 1);
	SET(&b->s, SET_ACTIVATION, 16);
	wait(b, true, 0);
	operation(b, ETHOSU_CMD0(OP_POOL, NPU_POOL_AVERAGE));

	wait(b, false, 0);
	copy(b, 0, 0x1100, 1 << 8, slot, 256);
}

/* Everything that is 0x4000 from the start of the arena lies beyond what a job may use. */
static bool defined(void *ctx, uint64_t addr, uint64_t len, uint64_t *bad)
{
	const uint64_t *base = ctx;
	uint64_t end = base[1] + MAP_BYTES;

	/* Constants, then the input. */
	if (addr < base[1] || (addr >= base[1] && addr + len <= end))
		return true;
	*bad = addr < end && addr >= base[1] ? end : addr;
	return false;
}

static void check(const char *device, void (*build)(struct builder *b), const struct change *change,
		  const char *expected, unsigned int op)
{
	const struct npu_config *config = npu_config_find(device);
	struct npu_strict_memory memory = {
		.base = { 0x10000000, 0x20000000, 0x30000000 },
		.defined = defined,
	};
	struct builder b = { .change = change };
	struct npu_strict_fault fault = { .op = 0 };
	struct npu_program program;
	int rc;

	memory.ctx = memory.base;
	build(&b);
	stream_finish(&b.s, device, &program);
	rc = npu_strict_stream(config, &program, &fault);
	if (!rc)
		rc = npu_strict_memory_check(config, &program, program.count, &memory, &fault);
	if (!expected && rc)
		fail_msg("%s: operation %zu: %s", device, fault.op, fault.text);
	if (expected && !rc)
		fail_msg("%s: accepted, expected: %s", device, expected);
	if (expected && (!strstr(fault.text, expected) || strncmp(fault.text, "strict: ", 8) ||
			 fault.op != op))
		fail_msg("%s: operation %zu: %s; expected %u: %s", device, fault.op, fault.text, op,
			 expected);
	npu_program_free(&program);
}

#define ONE(name, param)	.word = { ETHOSU_CMD0(name, param) }, .words = 1
#define ADDR(name, value)	.word = { ETHOSU_CMD1(name, 0), (uint32_t)(value) }, .words = 2

struct broken {
	struct change change;
	const char *expected;
	unsigned int op;
};

static const struct broken broken_u65[] = {
	{ { 1, ONE(SET_IFM_IB_END, 9) }, "shram: IFM block 8 x 16 x 16 takes 8 banks", 1 },
	{ { 1, ONE(SET_AB_START, 31) }, "shram: accumulators in banks 31 to 46", 1 },
	{ { 1, ONE(SET_AB_START, 9) }, "shram: AB_START 9 below IB_END 10", 1 },
	{ { 2, ONE(SET_IFM2_IB_START, 9) }, "shram: IFM2 from bank 9", 2 },
	{ { 2, ONE(SET_IFM2_IB_START, 39) }, "shram: IFM2 in banks 39 to 46", 2 },
	{ { 1, ONE(SET_OFM_BLK_WIDTH_M1, 14) }, "block: 8 x 15 x 16", 1 },
	{ { 1, ONE(SET_OFM_BLK_HEIGHT_M1, 8) }, "block: 9 x 16 x 16", 1 },
	{ { 1, ONE(SET_OFM_BLK_DEPTH_M1, 7) }, "block: depth 8 of 16", 1 },
	{ { 1, ONE(SET_OFM_BLK_DEPTH_M1, 11) }, "block: depth 12 of 16", 1 },
	/* Twice as wide: 4 KiB twice for the IFM. */
	{ { 1, ONE(SET_OFM_BLK_WIDTH_M1, 63) }, "shram: IFM block 8 x 64 x 16 takes 16 banks", 1 },
	{ { 1, ONE(SET_ACC_FORMAT, 1) }, "shram: accumulators in banks 30 to 49", 1 },
	{ { 2, ONE(SET_BLOCKDEP, 2) }, "blockdep: 2, but the output at 0x1000 allows 1", 2 },
	{ { 1, .without = WITHOUT_DMA_WAIT }, "missing DMA_WAIT", 1 },
	{ { 1, ONE(SET_WEIGHT_REGION, 0), .without = WITHOUT_DMA_WAIT }, "missing DMA_WAIT", 1 },
	{ { 4, .without = WITHOUT_DMA_WAIT }, "missing DMA_WAIT", 4 },
	{ { 5, .without = WITHOUT_KERNEL_WAIT }, "missing KERNEL_WAIT", 5 },
	/* Weights may come while the table pass is at work, over the weights that are not used. */
	{ { 5, .word = { ETHOSU_CMD0(SET_DMA0_DST_REGION, 1), ETHOSU_CMD1(SET_DMA0_DST, 0), 0x3ff0 },
	    .words = 3, .without = WITHOUT_KERNEL_WAIT }, "missing KERNEL_WAIT", 5 },
	{ { .op = 3, .without = WITHOUT_TABLE }, "table: at 0xb800 of 256 bytes: not loaded", 3 },
	{ { 3, ADDR(SET_DMA0_DST, 0xb700) }, "table: copied to [0xb700", 3 },
	{ { 3, ADDR(SET_DMA0_LEN, 250) }, "alignment: table of 250 bytes", 3 },
	{ { 4, ONE(SET_ACTIVATION, 17) }, "table: at 0xb900 of 256 bytes: not loaded", 4 },
	{ { 1, ADDR(SET_WEIGHT_BASE, STAGED + SCALE_BYTES + 8) }, "alignment: weights at 0x4a8", 1 },
	{ { 1, ADDR(SET_WEIGHT_LENGTH, 250) }, "alignment: weights at 0x4a0 of 250", 1 },
	{ { 1, ADDR(SET_SCALE_LENGTH, 144) }, "scales: 144 bytes, 16 channels need 160", 1 },
	{ { 1, ADDR(SET_SCALE_BASE, STAGED + 4) }, "alignment: scales at 0x404", 1 },
	/* Bricks begin at multiples of 16. */
	{ { 1, .word = { ETHOSU_CMD0(SET_OFM_PRECISION, 0x041), ETHOSU_CMD1(SET_OFM_BASE0, 0),
			 MIDDLE + 8 }, .words = 3 }, "alignment: OFM tile 0 at 0x1008", 1 },
	{ { 1, .word = { ETHOSU_CMD0(SET_KERNEL_STRIDE, 3 | 1 << 6 | 1 << 9) }, .words = 1 },
	  "kernel: stride 4 x 4", 1 },
	{ { 1, .word = { ETHOSU_CMD0(SET_KERNEL_STRIDE, 1 << 5) }, .words = 1 },
	  "kernel: sub-kernels of 4 x 4", 1 },
	{ { 1, ONE(SET_KERNEL_HEIGHT_M1, 64) }, "kernel: 65 x 1", 1 },
	{ { 2, ONE(SET_IFM2_PRECISION, 1 | 1 << 2) }, "precision: operands of 8 and 16 bits", 2 },
	/* Where the addition reads there is nothing. */
	{ { 2, ADDR(SET_IFM2_BASE0, 0x5000) }, "never written: IFM2 at 0x5000 of region 1", 2 },
	{ { 1, ADDR(SET_IFM_BASE0, 0x10) }, "never written: IFM at 0x1000 of region 1", 1 },
	/* Weights that were not all copied. */
	{ { 0, ADDR(SET_DMA0_LEN, 400) }, "never written: weights at 0x590 of region 2", 1 },
};

static void test_u65(void **state)
{
	(void)state;
	check("ethos-u65-256", build_u65, &none, NULL, 0);
	for (size_t i = 0; i < sizeof(broken_u65) / sizeof(broken_u65[0]); i++)
		check("ethos-u65-256", build_u65, &broken_u65[i].change, broken_u65[i].expected,
		      broken_u65[i].op);
}

/* Changes that are as good: the rules are not narrower than they have to be. */
static void test_u65_good(void **state)
{
	static const struct change good[] = {
		{ 1, ONE(SET_IFM_IB_END, 12) },
		{ 1, ONE(SET_AB_START, 29) },
		{ 2, ONE(SET_IFM2_IB_START, 38) },
		{ 2, ONE(SET_BLOCKDEP, 0) },
		/* No input is the output before: as far as it goes. */
		{ 2, .word = { ETHOSU_CMD0(SET_BLOCKDEP, 3), ETHOSU_CMD1(SET_IFM_BASE0, 0), INPUT },
		  .words = 3 },
		/* Over the second half of the input, which nobody needs any more. */
		{ 4, ADDR(SET_OFM_BASE0, INPUT) },
		/* In place. */
		{ 2, ADDR(SET_OFM_BASE0, MIDDLE) },
	};

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(good) / sizeof(good[0]); i++)
		check("ethos-u65-256", build_u65, &good[i], NULL, 0);
	/* Then the table pass reads what nobody wrote. */
	check("ethos-u65-256", build_u65, &good[sizeof(good) / sizeof(good[0]) - 1],
	      "never written: IFM at 0x2000", 4);
}

/*
 * Two convolutions of the input, the second to where the first one's output still is needed, by
 * half: an addition then reads both.
 */
static void build_overlap(struct builder *b)
{
	build_u65(b);
	SET(&b->s, SET_ACTIVATION, 0);
	SET(&b->s, SET_BLOCKDEP, 0);
	stream_ifm(&b->s, 16, 16, 16, INPUT);
	stream_ofm(&b->s, 16, 16, 16, 0x5000);
	operation(b, ETHOSU_CMD0(OP_POOL, NPU_POOL_MAX));
	stream_ofm(&b->s, 16, 16, 16, 0x6000);
	operation(b, ETHOSU_CMD0(OP_POOL, NPU_POOL_MAX));
	stream_ifm(&b->s, 16, 16, 16, 0x5000);
	stream_ifm2(&b->s, 16, 16, 16, 0x6000);
	stream_ofm(&b->s, 16, 16, 16, 0x7000);
	SET(&b->s, SET_IFM2_IB_START, 10);
	operation(b, ETHOSU_CMD0(OP_ELEMENTWISE, NPU_ELT_ADD));
}

static void test_overlap(void **state)
{
	static const struct change half = { 7, ADDR(SET_OFM_BASE0, 0x5800) };

	(void)state;
	check("ethos-u65-256", build_overlap, &none, NULL, 0);
	check("ethos-u65-256", build_overlap, &half, "live data: IFM is of the operation at", 8);
}

/*
 * U55-32: 16 banks, no bank of which is for tables alone: 0 copy of a table, 1 table pass, 2 pass
 * without one, 3 table pass again.
 *
 * Block 1 x 1 x 8: IFM 8 bytes: 2 banks; accumulators 32 bytes: 2 banks, granule 4.
 */
static void build_u55(struct builder *b)
{
	copy(b, 0, 0, 1 << 8, 0x3800, 256);
	stream_ifm(&b->s, 4, 4, 8, INPUT);
	stream_ofm(&b->s, 4, 4, 8, MIDDLE);
	block(b, 1, 1, 8);
	SET(&b->s, SET_IFM_IB_END, 4);
	SET(&b->s, SET_AB_START, 10);
	SET(&b->s, SET_ACTIVATION, 16);
	wait(b, true, 0);
	operation(b, ETHOSU_CMD0(OP_POOL, NPU_POOL_MAX));
	SET(&b->s, SET_ACTIVATION, 0);
	SET(&b->s, SET_BLOCKDEP, 0);
	SET(&b->s, SET_AB_START, 12);
	stream_ofm(&b->s, 4, 4, 8, OUTPUT);
	operation(b, ETHOSU_CMD0(OP_POOL, NPU_POOL_MAX));
	if (!(b->change->without & WITHOUT_TABLE)) {
		wait(b, false, 0);
		copy(b, 0, 0, 1 << 8, 0x3800, 256);
	} else {
		b->ops++;
	}
	SET(&b->s, SET_ACTIVATION, 16);
	SET(&b->s, SET_AB_START, 10);
	wait(b, true, 0);
	operation(b, ETHOSU_CMD0(OP_POOL, NPU_POOL_MAX));
}

static void test_u55(void **state)
{
	static const struct broken broken[] = {
		{ { 1, ONE(SET_AB_START, 11) }, "shram: accumulators in banks 11 to 14, the last is 13", 1 },
		{ { 2, ONE(SET_AB_START, 13) }, "shram: accumulators in banks 13 to 16, the last is 15", 2 },
		{ { 2, ONE(SET_BLOCKDEP, 1) }, "may still read its table", 2 },
		{ { 3, .without = WITHOUT_KERNEL_WAIT }, "missing KERNEL_WAIT", 3 },
		{ { .op = 3, .without = WITHOUT_TABLE }, "not loaded since an operation without one", 3 },
		{ { 1, ONE(SET_OFM_BLK_DEPTH_M1, 5) }, "block: depth 6 of 8", 1 },
	};

	(void)state;
	check("ethos-u55-32", build_u55, &none, NULL, 0);
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		check("ethos-u55-32", build_u55, &broken[i].change, broken[i].expected,
		      broken[i].op);
}

/*
 * U85-256: 0 copy of weights, 1 convolution 3x3 of 14 x 14 outputs with microblock 2x2x8 (3), 2
 * pooling with 1x2x16 (1), 3 addition chained to 4 another one.
 *
 * Convolution, block 8 x 16 x 16: accumulators 8 KiB of 16. IFM 10 x 18 x 64, of which 16 channels
 * there are: 10 x 18 x 16 = 2880 bytes of 16 KiB.
 */
static void build_u85(struct builder *b)
{
	unsigned int buffer = b->change->without & WITHOUT_LOW_BUFFERS ? 6 : 0;
	struct stream *s = &b->s;

	SET2(s, SET_OFM_SCALE, 0, 1);
	copy(b, 0, 0, 2, STAGED, SCALE_BYTES + WEIGHT_BYTES);
	stream_ifm(s, 16, 16, 16, INPUT);
	stream_ofm(s, 14, 14, 16, MIDDLE);
	SET(s, SET_OFM_PRECISION, 0x001);
	SET(s, SET_KERNEL_HEIGHT_M1, 2);
	SET(s, SET_KERNEL_WIDTH_M1, 2);
	weights(b);
	block(b, 8, 16, 16);
	SET(s, SET_ACC_FORMAT, 3 << 8);
	wait(b, true, 0);
	operation(b, ETHOSU_CMD0(OP_CONV, 0));

	stream_ifm(s, 14, 14, 16, MIDDLE);
	stream_ofm(s, 14, 14, 16, OUTPUT);
	SET(s, SET_KERNEL_HEIGHT_M1, 0);
	SET(s, SET_KERNEL_WIDTH_M1, 0);
	SET(s, SET_ACC_FORMAT, 1 << 8);
	operation(b, ETHOSU_CMD0(OP_POOL, NPU_POOL_MAX));

	stream_ifm(s, 14, 14, 16, OUTPUT);
	stream_ifm2(s, 14, 14, 16, MIDDLE);
	stream_ofm(s, 14, 14, 16, 0);
	SET(s, SET_OFM_PRECISION, 0x101 | 2 << 14);	/* chained */
	SET(s, SET_OFM_REGION, buffer);
	operation(b, ETHOSU_CMD0(OP_ELEMENTWISE, NPU_ELT_ADD));
	SET(s, SET_IFM_PRECISION, 0x1 | 2 << 14);
	SET(s, SET_IFM_REGION, buffer);
	stream_ofm(s, 14, 14, 16, TABLE_OUT);
	operation(b, ETHOSU_CMD0(OP_ELEMENTWISE, NPU_ELT_ADD));
}

static void test_u85(void **state)
{
	static const struct broken broken[] = {
		{ { 1, ONE(SET_ACC_FORMAT, 0) }, "microblock: 0 is none", 1 },
		/* 1x2x16 convolves no bytes. */
		{ { 1, ONE(SET_ACC_FORMAT, 1 << 8) }, "microblock: 1 x 2 x 16 does not", 1 },
		{ { 2, ONE(SET_ACC_FORMAT, 3 << 8) }, "microblock: 2 x 2 x 8 does not", 2 },
		{ { 1, ONE(SET_OFM_BLK_HEIGHT_M1, 6) }, "block: 7 x 16 x 16", 1 },
		{ { 1, ONE(SET_OFM_BLK_DEPTH_M1, 7) }, "block: depth 8 of 16", 1 },
		{ { 1, ONE(SET_OFM_BLK_WIDTH_M1, 63) },
		  "accumulators: block 8 x 64 x 16 takes 32768 bytes of 16384", 1 },
		/* 48 bits take 8 bytes: 8 x 34 x 16 is just too much. */
		{ { 1, .word = { ETHOSU_CMD0(SET_ACC_FORMAT, 3 << 8 | 1),
				 ETHOSU_CMD0(SET_OFM_BLK_WIDTH_M1, 17) }, .words = 2 },
		  "accumulators: block 8 x 18 x 16 takes 18432", 1 },
		{ { 3, ONE(SET_OFM_BLK_WIDTH_M1, 15) }, NULL, 0 },
		{ { 1, .without = WITHOUT_DMA_WAIT }, "missing DMA_WAIT", 1 },
		{ { 4, ADDR(SET_IFM2_BASE0, 0x5000) }, "never written: IFM2 at 0x5000", 4 },
		{ { .op = 3, .without = WITHOUT_LOW_BUFFERS }, "chain: chaining buffers 0x40", 3 },
		/* Turned around, the last block of the pooling is not where it was. */
		{ { 2, ONE(SET_OFM_PRECISION, 0x101 | 1 << 11) }, NULL, 0 },
		{ { 3, ONE(SET_BLOCKDEP, 7) }, "blockdep: 7, but the output at 0x2000 allows 1", 3 },
	};

	(void)state;
	check("ethos-u85-256", build_u85, &none, NULL, 0);
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		check("ethos-u85-256", build_u85, &broken[i].change, broken[i].expected,
		      broken[i].op);
}

/* ---- U85-256, one operation at a time ---- */

/* Stream rules only: what is in memory does not matter here. */
static void check_stream(struct stream *s, const char *device, const char *expected)
{
	struct npu_strict_fault fault = { .op = 0 };
	struct npu_program program;
	int rc;

	stream_finish(s, device, &program);
	rc = npu_strict_stream(npu_config_find(device), &program, &fault);
	if (!expected && rc)
		fail_msg("%s: operation %zu: %s", device, fault.op, fault.text);
	if (expected && (!rc || !strstr(fault.text, expected)))
		fail_msg("%s: \"%s\", expected \"%s\"", device, rc ? fault.text : "accepted", expected);
	npu_program_free(&program);
}

static void begin_u85(struct stream *s, unsigned int microblock, unsigned int h, unsigned int w,
		      unsigned int d)
{
	s->count = 0;
	SET2(s, SET_OFM_SCALE, 0, 1);
	SET(s, SET_ACC_FORMAT, microblock << 8);
	SET(s, SET_OFM_BLK_HEIGHT_M1, h - 1);
	SET(s, SET_OFM_BLK_WIDTH_M1, w - 1);
	SET(s, SET_OFM_BLK_DEPTH_M1, d - 1);
}

/* 8 x 8 taps of 64 channels for a block of 8 x 16: 15 x 23 x 64 = 22080 bytes, 16384 there are. */
static void test_u85_ifm(void **state)
{
	struct stream s;

	(void)state;
	for (unsigned int w = 8; w <= 16; w += 8) {
		begin_u85(&s, 3, 8, w, 16);
		stream_ifm(&s, 40, 40, 64, 0);
		stream_ofm(&s, 33, 33, 16, 0x20000);
		SET(&s, SET_KERNEL_HEIGHT_M1, 7);
		SET(&s, SET_KERNEL_WIDTH_M1, 7);
		SET2(&s, SET_WEIGHT_LENGTH, 0, 16);
		SET(&s, OP_CONV, 0);
		/* 15 x 15 x 64 = 14400. */
		check_stream(&s, "ethos-u85-256",
			     w == 8 ? NULL : "ifm: block 15 x 23 x 64 takes 22080 bytes of 16384");
	}
	/* A map that fits as a whole does not need more. */
	begin_u85(&s, 3, 8, 16, 16);
	stream_ifm(&s, 15, 16, 64, 0);
	stream_ofm(&s, 8, 9, 16, 0x20000);
	SET(&s, SET_KERNEL_HEIGHT_M1, 7);
	SET(&s, SET_KERNEL_WIDTH_M1, 7);
	SET2(&s, SET_WEIGHT_LENGTH, 0, 16);
	SET(&s, OP_CONV, 0);
	check_stream(&s, "ethos-u85-256", NULL);
}

static void addition(struct stream *s, unsigned int w, unsigned int d, unsigned int broadcast)
{
	begin_u85(s, 3, 2, w, d);
	stream_ifm(s, 16, 80, 32, 0);
	stream_ifm2(s, 16, 80, 32, 0x10000);
	stream_ofm(s, 16, 80, 32, 0x20000);
	SET(s, SET_IFM2_BROADCAST, broadcast);
	SET(s, OP_ELEMENTWISE, NPU_ELT_ADD);
}

static void test_u85_elementwise(void **state)
{
	struct stream s;

	(void)state;
	/* A row of 64 x 32 bytes is what there is room for. */
	addition(&s, 64, 32, 0);
	check_stream(&s, "ethos-u85-256", NULL);
	addition(&s, 66, 32, 0);
	check_stream(&s, "ethos-u85-256", "output: a row of the block 2 x 66 x 32 takes 2112 bytes of 2048");
	/* A sixth of 1536 bytes holds 16 bricks: two rows of 8. */
	addition(&s, 8, 32, NPU_BROADCAST_C);
	check_stream(&s, "ethos-u85-256", NULL);
	addition(&s, 10, 32, NPU_BROADCAST_C);
	check_stream(&s, "ethos-u85-256", "broadcast: depth: 20 bricks of 16");
	/* In height two rows of 4 columns, two bricks deep. */
	addition(&s, 4, 32, NPU_BROADCAST_H);
	check_stream(&s, "ethos-u85-256", NULL);
	addition(&s, 6, 32, NPU_BROADCAST_H);
	check_stream(&s, "ethos-u85-256", "broadcast: height: 24 bricks of 16");
	addition(&s, 6, 32, NPU_BROADCAST_W);
	check_stream(&s, "ethos-u85-256", NULL);
}

/* Twice as large: ((16 - 2) * 2 + 1) / 1 = 29 columns a block. */
static void test_u85_resize(void **state)
{
	static const struct {
		unsigned int h, w, d;
		const char *expected;
	} blocks[] = {
		{ 1, 29, 16, NULL },
		{ 1, 30, 16, "resize: block 1 x 30 x 16, at most 1 x 29 x 16" },
		{ 2, 16, 16, "resize: block 2 x 16 x 16" },
		{ 1, 16, 32, "resize: block 1 x 16 x 32" },
	};
	struct stream s;

	(void)state;
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		begin_u85(&s, 3, blocks[i].h, blocks[i].w, blocks[i].d);
		stream_ifm(&s, 20, 20, 32, 0);
		stream_ofm(&s, 40, 40, 32, 0x10000);
		SET(&s, SET_KERNEL_HEIGHT_M1, 19);
		SET(&s, SET_KERNEL_WIDTH_M1, 19);
		SET(&s, SET_RESIZE_X_SCALE_N_M1, 1);
		SET(&s, SET_RESIZE_Y_SCALE_N_M1, 1);
		SET2(&s, SET_RESIZE_X, 0, 1);
		SET2(&s, SET_RESIZE_Y, 0, 1);
		SET(&s, OP_RESIZE, NPU_RESIZE_NEAREST);
		check_stream(&s, "ethos-u85-256", blocks[i].expected);
	}
}

/* @precision: OFM format, transpose and reverse. */
static void pooling(struct stream *s, unsigned int w, unsigned int d, unsigned int precision)
{
	begin_u85(s, 1, 2, w, d);
	stream_ifm(s, 16, 16, 256, 0);
	stream_ofm(s, 16, 16, 256, 0x20000);
	SET(s, SET_OFM_PRECISION, 0x101 | precision);
	SET_ADDRESS(s, SET_OFM_STRIDE_C, 16 * 256);
	SET(s, OP_POOL, NPU_POOL_MAX);
}

static void test_u85_turned(void **state)
{
	const unsigned int brick = 1 << 6, hcw = 2 << 11, reverse_c = 3 << 9;
	struct stream s;

	(void)state;
	/* Columns become channels of bricks: whole ones. */
	pooling(&s, 16, 64, brick | hcw);
	check_stream(&s, "ethos-u85-256", NULL);
	pooling(&s, 8, 64, brick | hcw);
	check_stream(&s, "ethos-u85-256", "transpose: block 2 x 8 x 64 ends within a brick");
	pooling(&s, 8, 64, hcw);
	check_stream(&s, "ethos-u85-256", NULL);
	pooling(&s, 8, 144, hcw);
	check_stream(&s, "ethos-u85-256", "transpose: block depth 144 becomes height or width");
	pooling(&s, 8, 16, reverse_c);
	check_stream(&s, "ethos-u85-256", NULL);
	pooling(&s, 8, 32, reverse_c);
	check_stream(&s, "ethos-u85-256", "reverse: channels in blocks of 32");
	pooling(&s, 8, 16, brick | reverse_c);
	check_stream(&s, "ethos-u85-256", "reverse: channels in blocks of 16, bricks");

	/* Another that reads it: where the last block of a turned output is, nobody says. */
	pooling(&s, 8, 64, hcw);
	stream_ifm(&s, 16, 16, 256, 0x20000);
	stream_ofm(&s, 16, 16, 256, 0x40000);
	SET(&s, SET_BLOCKDEP, 1);
	SET(&s, OP_POOL, NPU_POOL_MAX);
	check_stream(&s, "ethos-u85-256", "blockdep: 1 after an output that was turned around");
}

/* @length operations handed on through buffers, each with a second operand of its own. */
static void chain(struct stream *s, unsigned int length, unsigned int outside, bool ended)
{
	const unsigned int chained = 2 << 14;

	begin_u85(s, 3, 2, 16, 16);
	stream_ifm(s, 16, 16, 16, 0);
	stream_ifm2(s, 16, 16, 16, 0x1000);
	stream_ofm(s, 16, 16, 16, 0x2000);
	for (unsigned int i = 0; i < length; i++) {
		bool last = i == length - 1 && ended;

		SET(s, SET_OFM_PRECISION, 0x101 | (last ? 0 : chained));
		SET(s, SET_OFM_REGION, last ? 1 : i);
		SET(s, SET_IFM2_BROADCAST, i < outside ? 0 : NPU_BROADCAST_SCALAR);
		SET(s, OP_ELEMENTWISE, NPU_ELT_ADD);
		SET(s, SET_IFM_PRECISION, 0x1 | chained);
		SET(s, SET_IFM_REGION, i);
	}
}

static void test_u85_chain(void **state)
{
	struct stream s;

	(void)state;
	/* The first has its own operand from memory, too. */
	chain(&s, 4, 2, true);
	check_stream(&s, "ethos-u85-256", NULL);
	chain(&s, 5, 0, true);
	check_stream(&s, "ethos-u85-256", "chain: 5 operations, at most 4");
	chain(&s, 4, 3, true);
	check_stream(&s, "ethos-u85-256", "chain: 4 operands from memory, at most 3");
	chain(&s, 2, 1, false);
	check_stream(&s, "ethos-u85-256", "chain: the output in a chaining buffer is never read");
}

static void test_u85_branch(void **state)
{
	struct stream s;

	(void)state;
	for (unsigned int branch = 0; branch < 2; branch++) {
		uint32_t next;

		pooling(&s, 16, 16, 0);
		next = (uint32_t)(4 * (s.count + 2));
		if (branch)
			SET2(&s, OP_BRANCH, 0, next);
		/* It reads what it read before: BLOCKDEP may be anything. */
		SET(&s, SET_BLOCKDEP, 7);
		SET_ADDRESS(&s, SET_OFM_BASE0, 0x40000);
		SET(&s, OP_POOL, NPU_POOL_MAX);
		check_stream(&s, "ethos-u85-256", branch ? "blockdep: 7 after a branch" : NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_u65), cmocka_unit_test(test_u65_good),
		cmocka_unit_test(test_overlap), cmocka_unit_test(test_u55), cmocka_unit_test(test_u85),
		cmocka_unit_test(test_u85_ifm), cmocka_unit_test(test_u85_elementwise),
		cmocka_unit_test(test_u85_resize), cmocka_unit_test(test_u85_turned),
		cmocka_unit_test(test_u85_chain), cmocka_unit_test(test_u85_branch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
