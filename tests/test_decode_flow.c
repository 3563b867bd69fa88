/* SPDX-License-Identifier: MIT */
/* The command stream decoder: DMA, what operations touch, interrupts, branches, and what is refused. */
#include "tests/decode_words.h"

struct extents {
	unsigned int count;
	struct {
		unsigned int space;
		int64_t lo, hi;
		enum npu_channel channel;
	} at[8];
};

static int add_extent(void *ctx, unsigned int space, int64_t lo, int64_t hi,
		      enum npu_channel channel)
{
	struct extents *e = ctx;

	assert_true(e->count < COUNT(e->at));
	e->at[e->count].space = space;
	e->at[e->count].lo = lo;
	e->at[e->count].hi = hi;
	e->at[e->count++].channel = channel;
	return 0;
}

static void is_extent(const struct extents *e, enum npu_channel channel, unsigned int space,
		      int64_t lo, int64_t hi)
{
	for (unsigned int i = 0; i < e->count; i++) {
		if (e->at[i].channel != channel)
			continue;
		assert_int_equal(e->at[i].space, space);
		assert_int_equal(e->at[i].lo, lo);
		assert_int_equal(e->at[i].hi, hi);
		return;
	}
	fail_msg("channel %d touches nothing", channel);
}

static void dma_u65(void **state)
{
	/*
	 * Whole, to SHRAM; rows of 0x30 bytes 0x40 apart; planes of 4 of those, 0x100 between them.
	 */
	static const uint32_t words[] = {
		W1(0x130, 1),	      W1(0x131, 0x100),	  W2(0x030, 2, 0x1000),
		W2(0x031, 0, 0xb800), W2(0x032, 0, 0x30), W1(0x132, 4),
		W1(0x133, 3),	      W2(0x033, 0, 0x10), W2(0x034, 0, 0x100),
		W1(0x010, 0),	      W1(0x131, 0x202),	  W1(0x010, 0),
		W1(0x131, 0x402),     W1(0x010, 0),	  STOP,
	};
	struct npu_program p = decode_good("u65-256", words, COUNT(words), 3);
	struct extents e = { 0 };

	(void)state;
	assert_int_equal(p.ops[0].kind, NPU_KIND_DMA);
	assert_int_equal(p.ops[0].dma_src_space, 1);
	assert_int_equal(p.ops[0].dma_dst_space, NPU_SPACE_INTERNAL);
	assert_true(p.ops[0].dma_src == 0x200001000);
	assert_int_equal(p.ops[0].dma_dst, 0xb800);
	assert_int_equal(p.ops[0].dma_len, 0x30);
	assert_int_equal(p.ops[0].dma_rows, 1);
	assert_int_equal(p.ops[0].dma_planes, 1);
	assert_int_equal(p.ops[1].dma_dst_space, 2);
	assert_int_equal(p.ops[1].dma_rows, 4);
	assert_int_equal(p.ops[1].dma_planes, 1);
	assert_int_equal(p.ops[1].dma_src_step[0], 0x30);
	assert_int_equal(p.ops[1].dma_dst_step[0], 0x40);
	assert_int_equal(p.ops[2].dma_planes, 3);
	assert_int_equal(p.ops[2].dma_src_step[1], 0xc0);
	assert_int_equal(p.ops[2].dma_dst_step[1], 0x200);
	assert_int_equal(npu_op_extents(npu_config_find("u65-256"), &p.ops[2], add_extent, &e), 0);
	assert_int_equal(e.count, 2);
	is_extent(&e, NPU_CH_DMA_READ, 1, 0x200001000ll, 0x200001000ll + 12 * 0x30);
	is_extent(&e, NPU_CH_DMA_WRITE, 2, 0xb800, 0xb800 + 2 * 0x200 + 3 * 0x40 + 0x30);
	npu_program_free(&p);
}

static void dma_u85(void **state)
{
	/* Two dimensions; gather; scatter. */
	static const uint32_t words[] = {
		W1(0x130, 0x201),    W1(0x131, 2),	 W2(0x030, 0, 0x4000),
		W2(0x031, 0, 0x100), W2(0x032, 0, 0x10), W1(0x132, 5),
		W2(0x033, 0, 0x20),  W2(0x035, 0, 0x18), W1(0x010, 0),
		W1(0x130, 0xa01),    W1(0x134, 3),	 W2(0x037, 0, 0x1000),
		W2(0x038, 0, 9),     W1(0x010, 0),	 W1(0x130, 0x201),
		W1(0x131, 0x802),    W1(0x010, 0),	 STOP,
	};
	struct npu_program p = decode_good("u85-256", words, COUNT(words), 3);
	struct extents gather = { 0 }, scatter = { 0 };

	(void)state;
	assert_int_equal(p.ops[0].dma_rows, 5);
	assert_int_equal(p.ops[0].dma_planes, 1);
	assert_int_equal(p.ops[0].dma_src_step[0], 0x20);
	assert_int_equal(p.ops[0].dma_dst_step[0], 0x18);
	assert_int_equal(p.ops[0].dma_src_indexed, 0);
	assert_int_equal(p.ops[1].dma_src_indexed, 1);
	assert_int_equal(p.ops[1].dma_dst_indexed, 0);
	assert_int_equal(p.ops[1].dma_idx_space, 3);
	assert_int_equal(p.ops[1].dma_idx, 0x1000);
	assert_int_equal(p.ops[1].dma_idx_max, 9);
	assert_int_equal(p.ops[2].dma_src_indexed, 0);
	assert_int_equal(p.ops[2].dma_dst_indexed, 1);
	assert_int_equal(npu_op_extents(npu_config_find("u85-256"), &p.ops[1], add_extent, &gather),
			 0);
	is_extent(&gather, NPU_CH_DMA_INDEX, 3, 0x1000, 0x1000 + 5 * 4);
	is_extent(&gather, NPU_CH_DMA_READ, 1, 0x4000, 0x4000 + 9 * 0x20 + 0x10);
	is_extent(&gather, NPU_CH_DMA_WRITE, 2, 0x100, 0x100 + 4 * 0x18 + 0x10);
	assert_int_equal(
		npu_op_extents(npu_config_find("u85-256"), &p.ops[2], add_extent, &scatter), 0);
	is_extent(&scatter, NPU_CH_DMA_READ, 1, 0x4000, 0x4000 + 4 * 0x20 + 0x10);
	is_extent(&scatter, NPU_CH_DMA_WRITE, 2, 0x100, 0x100 + 9 * 0x18 + 0x10);
	npu_program_free(&p);
}

/* Interrupts and the counters' mask are told with the operation they come before; waits are not. */
static void events(void **state)
{
	static const uint32_t words[] = {
		W1(0x013, 1), W1(0x130, 1), W1(0x131, 2),      W2(0x032, 0, 16), W1(0x010, 0),
		W1(0x011, 0), W1(0x012, 0), W1(0x001, 0x1234), W1(0x010, 0),	 STOP,
	};
	struct npu_program p = decode_good("u55-64", words, COUNT(words), 2);

	(void)state;
	assert_int_equal(p.event_count, 2);
	assert_int_equal(p.events[0].opcode, 0x013);
	assert_int_equal(p.events[0].param, 1);
	assert_int_equal(p.events[0].before_op, 0);
	assert_int_equal(p.events[0].offset, 0);
	assert_int_equal(p.events[1].opcode, 0x001);
	assert_int_equal(p.events[1].param, 0x1234);
	assert_int_equal(p.events[1].before_op, 1);
	assert_int_equal(p.events[1].offset, 4 * 8);
	npu_program_free(&p);
}

/* What stands before the fault is decoded; the fault has its place and its reason. */
static void faults(void **state)
{
#define BEGIN W1(0x130, 1), W1(0x131, 2), W2(0x032, 0, 16), W1(0x010, 0)
	static const struct {
		const char *device;
		uint32_t words[8];
		size_t count;
		uint32_t offset;
		enum npu_stop end;
		const char *why;
	} cases[] = {
		{ "u65-256",
		  { BEGIN, 0x0000000c, STOP },
		  7,
		  20,
		  NPU_STOP_PARSE_ERROR,
		  "no command 0x00c" },
		{ "u65-256",
		  { BEGIN, 0x00000007, STOP },
		  7,
		  20,
		  NPU_STOP_PARSE_ERROR,
		  "no command 0x007" },
		{ "u55-128",
		  { BEGIN, 0x00004090, 0, STOP },
		  8,
		  20,
		  NPU_STOP_PARSE_ERROR,
		  "no command 0x090" },
		{ "u65-256", { BEGIN, 0x00000500, STOP }, 7, 20, NPU_STOP_PARSE_ERROR, "reserved" },
		{ "u85-256", { BEGIN, 0x00008100, STOP }, 7, 20, NPU_STOP_PARSE_ERROR, "reserved" },
		{ "u85-256", { BEGIN, 0x00004000 }, 6, 20, NPU_STOP_PARSE_ERROR, "cut short" },
		{ "u65-256", { BEGIN }, 5, 20, NPU_STOP_PARSE_ERROR, "STOP" },
		{ "u65-256",
		  { BEGIN, W1(0x005, 3), STOP },
		  7,
		  20,
		  NPU_STOP_PARSE_ERROR,
		  "pooling mode 3" },
		{ "u65-256",
		  { BEGIN, W1(0x006, 16), STOP },
		  7,
		  20,
		  NPU_STOP_PARSE_ERROR,
		  "mode 16" },
		{ "u85-256",
		  { BEGIN, W2(0x100, 0, 4 * 8), STOP },
		  8,
		  20,
		  NPU_STOP_BRANCH_FAULT,
		  "0x20" },
		{ "u85-256",
		  { BEGIN, W2(0x100, 0, 2), STOP },
		  8,
		  20,
		  NPU_STOP_BRANCH_FAULT,
		  "0x2" },
		{ "u65-256",
		  { BEGIN, W2(0x100, 0, 0), STOP },
		  8,
		  20,
		  NPU_STOP_PARSE_ERROR,
		  "no command 0x100" },
	};

	(void)state;
	for (unsigned int i = 0; i < COUNT(cases); i++) {
		struct npu_program p = decode(cases[i].device, cases[i].words, cases[i].count);

		if (p.end != cases[i].end || p.end_offset != cases[i].offset || p.count != 1 ||
		    !strstr(p.why, cases[i].why))
			fail_msg("case %u: end %d at %u after %zu operations: %s", i, p.end,
				 p.end_offset, p.count, p.why);
		npu_program_free(&p);
	}
}

/* Over one command to the next operation; and back, without end. */
static void branches(void **state)
{
	static const uint32_t over[] = {
		W1(0x130, 1), W1(0x131, 2), W2(0x032, 0, 16), W2(0x100, 0, 28), W1(0x010, 0),
		W1(0x010, 0), STOP,
	};
	static const uint32_t back[] = { W1(0x12f, 0), W2(0x100, 0, 0), STOP };
	struct npu_program p = decode_good("u85-256", over, COUNT(over), 1);

	(void)state;
	assert_int_equal(p.ops[0].offset, 28);
	npu_program_free(&p);
	p = decode("u85-256", back, COUNT(back));
	assert_int_equal(p.end, NPU_STOP_BRANCH_FAULT);
	npu_program_free(&p);
}

/* An address beyond 40 bits does not exist; U55 has 32. A map that leaves them is out of range. */
static void out_of_range(void **state)
{
	static const uint32_t words[] = {
		IFM(2, 2, 16, 0xfffffff0),
		OFM(2, 2, 16, 0),
		W1(0x006, 6),
		STOP,
	};
	struct npu_program p = decode_good("u55-128", words, COUNT(words), 1);
	struct extents e = { 0 };

	(void)state;
	assert_int_not_equal(npu_op_extents(npu_config_find("u55-128"), &p.ops[0], add_extent, &e),
			     0);
	e.count = 0;
	assert_int_equal(npu_op_extents(npu_config_find("u65-256"), &p.ops[0], add_extent, &e), 0);
	is_extent(&e, NPU_CH_IFM, 1, 0xfffffff0ll, 0xfffffff0ll + 64);
	is_extent(&e, NPU_CH_OFM, 2, 0, 64);
	npu_program_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dma_u65),
		cmocka_unit_test(dma_u85),
		cmocka_unit_test(events),
		cmocka_unit_test(faults),
		cmocka_unit_test(branches),
		cmocka_unit_test(out_of_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
