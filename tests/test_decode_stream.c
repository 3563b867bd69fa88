/* SPDX-License-Identifier: MIT */
/*
 * Decoder: how a stream is walked and where it ends, what is refused and why, which bytes are
 * touched.
 */
#include <errno.h>

#include "tests/decode_stream.h"

/* A copy of 4 x 5 x 6 bytes that every family accepts. */
static void copy_stream(struct stream *s)
{
	stream_ifm(s, 4, 5, 6, 0x100);
	stream_ofm(s, 4, 5, 6, 0x300);
	SET(s, OP_POOL, NPU_POOL_AVERAGE);
}

static void events(void **state)
{
	struct stream s = { .count = 0 };
	struct npu_program p;

	(void)state;
	SET(&s, OP_PMU_MASK, 1);
	copy_stream(&s);
	SET(&s, OP_IRQ, 0x1234);
	SET(&s, OP_KERNEL_WAIT, 0);
	SET(&s, OP_DMA_WAIT, 0);
	SET(&s, OP_POOL, NPU_POOL_MAX);
	SET(&s, OP_STOP, 0x8001);
	SET(&s, OP_IRQ, 1);
	stream_decode(&s, "u65-256", &p);
	assert_int_equal(p.end, NPU_STOP_END);
	assert_int_equal(p.stop_mask, 0x8001);
	assert_int_equal(p.end_offset, 4 * (s.count - 1));
	assert_int_equal(p.count, 2);
	assert_int_equal(p.event_count, 2);
	assert_int_equal(p.events[0].opcode, ETHOSU_OP_PMU_MASK);
	assert_int_equal(p.events[0].param, 1);
	assert_int_equal(p.events[0].offset, 0);
	assert_int_equal(p.events[0].before_op, 0);
	assert_int_equal(p.events[1].opcode, ETHOSU_OP_IRQ);
	assert_int_equal(p.events[1].param, 0x1234);
	assert_int_equal(p.events[1].before_op, 1);
	npu_program_free(&p);
}

/* What one stream leaves in the registers, the next starts with. */
static void state_stays(void **state)
{
	const struct npu_config *config = npu_config_find("u65-256");
	struct stream first = { .count = 0 }, second = { .count = 0 };
	struct npu_program p, q;

	(void)state;
	copy_stream(&first);
	stream_finish(&first, "u65-256", &p);
	assert_int_equal(p.state.cmd0[ETHOSU_SET_OFM_DEPTH_M1 & 0xff], 5);
	assert_true(p.state.cmd1[ETHOSU_SET_OFM_BASE0] == 0x300);
	SET(&second, OP_POOL, NPU_POOL_AVERAGE);
	SET(&second, OP_STOP, 0);
	assert_int_equal(npu_decode(config, &p.state, second.words, second.count, &q), 0);
	assert_int_equal(q.end, NPU_STOP_END);
	assert_memory_equal(&q.ops[0].ofm, &p.ops[0].ofm, sizeof(q.ops[0].ofm));
	npu_program_free(&p);
	npu_program_free(&q);
}

static void branches(void **state)
{
	struct stream s = { .count = 0 };
	struct npu_program p;

	(void)state;
	SET2(&s, OP_BRANCH, 0, 16);
	SET(&s, OP_STOP, 1);	/* 8: second */
	stream_word(&s, 0x3ff); /* 12: never met */
	SET(&s, OP_IRQ, 2);	/* 16: first */
	SET2(&s, OP_BRANCH, 0, 8);
	stream_decode(&s, "u85-256", &p);
	assert_int_equal(p.end, NPU_STOP_END);
	assert_int_equal(p.end_offset, 12);
	assert_int_equal(p.stop_mask, 1);
	assert_int_equal(p.event_count, 1);
	npu_program_free(&p);
}

struct bad_branch {
	uint32_t param, target;
	enum npu_stop end;
	const char *why;
};

static void bad_branches(void **state)
{
	static const struct bad_branch cases[] = {
		{ 0, 0, NPU_STOP_BRANCH_FAULT, "without end" },
		{ 0, 6, NPU_STOP_BRANCH_FAULT, "branch to 0x6" },
		{ 0, 16, NPU_STOP_BRANCH_FAULT, "branch to 0x10" },
		{ 0, 0xfffffffc, NPU_STOP_BRANCH_FAULT, "branch to 0xfffffffc" },
		{ 1, 12, NPU_STOP_PARSE_ERROR, "conditional" },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stream s = { .count = 0 };
		struct npu_program p;

		SET(&s, OP_IRQ, 1);
		SET2(&s, OP_BRANCH, cases[i].param, cases[i].target);
		SET(&s, OP_STOP, 0);
		stream_decode(&s, "u85-256", &p);
		assert_int_equal(p.end, cases[i].end);
		if (!strstr(p.why, cases[i].why))
			fail_msg("%s", p.why);
		/*
		 * The interrupt before it was raised: at each turn of the loop, until that is known
		 * to be one.
		 */
		assert_true(p.event_count >= 1 && p.event_count <= s.count);
		assert_int_equal(p.end_offset, i ? 4 : 0);
		npu_program_free(&p);
	}
}

/*
 * Streams that end before their end. The words stand between a copy that runs and one that must
 * not;
 * @at is where the fault lies, in words behind the first copy.
 */
struct bad_stream {
	const char *device;
	uint32_t words[4];
	unsigned int count, at;
	const char *why;
};

#define C0   ETHOSU_CMD0
#define C1   ETHOSU_CMD1
#define POOL C0(OP_POOL, NPU_POOL_MAX)

static const struct bad_stream bad_streams[] = {
	{ "u65-256", { 0x00000400 }, 1, 0, "reserved bits" },
	{ "u65-256", { 0x00002000 }, 1, 0, "reserved bits" },
	{ "u65-256", { 0x00008000 }, 1, 0, "reserved bits" },
	{ "u65-256", { 0x0000c005 }, 1, 0, "reserved bits" },
	{ "u65-256", { 0x000003ff }, 1, 0, "no command 0x3ff" },
	{ "u65-256", { C0(OP_RESIZE, 0) }, 1, 0, "no command 0x007" },
	{ "u55-128", { C0(SET_PARALLEL_MODE, 0) }, 1, 0, "no command 0x123" },
	{ "u65-256", { C1(OP_BRANCH, 0), 0 }, 2, 0, "no command 0x100" },
	{ "u85-256", { C0(SET_IFM2_SCALAR, 0) }, 1, 0, "no command 0x181" },
	{ "u65-256", { C0(SET_IFM_REGION, 8) }, 1, 0, "NPU_SET_IFM_REGION: region 8" },
	{ "u85-256", { C0(SET_DMA0_IDX_REGION, 200) }, 1, 0, "region 200" },
	{ "u55-128", { C0(SET_WEIGHT_REGION, 0x8000) }, 1, 0, "custom DMA" },
	{ "u65-256", { C0(OP_POOL, 3) }, 1, 0, "NPU_OP_POOL: pooling mode 3" },
	{ "u65-256", { C0(OP_ELEMENTWISE, 10) }, 1, 0, "elementwise mode 10" },
	{ "u85-256", { C0(OP_ELEMENTWISE, 12) }, 1, 0, "elementwise mode 12" },
	{ "u85-256", { C0(OP_RESIZE, 3) }, 1, 0, "resize mode 3" },
	{ "u65-256", { C0(SET_IFM_PRECISION, 2 << 6), POOL }, 2, 1, "IFM format 2" },
	{ "u65-256", { C0(SET_IFM_PRECISION, 3 << 2), POOL }, 2, 1, "64 bits" },
	{ "u85-256", { C0(SET_OFM_PRECISION, 0x100 | 3 << 1), POOL }, 2, 1, "64 bits" },
	{ "u65-256", { C0(SET_OFM_PRECISION, 3 << 14), POOL }, 2, 1, "OFM round mode 3" },
	{ "u65-256", { C0(SET_IFM_PRECISION, 3 << 8), POOL }, 2, 1, "IFM scale mode 3" },
	{ "u65-256", { C0(SET_ACC_FORMAT, 2), POOL }, 2, 1, "accumulator format 2" },
	{ "u85-256", { C0(SET_ACC_FORMAT, 6 << 8), POOL }, 2, 1, "microblock 6" },
	{ "u85-256", { C0(SET_ACC_FORMAT, 1 << 4), POOL }, 2, 1, "accumulator input 1" },
	{ "u85-256", { C0(SET_ACC_FORMAT, 1 << 4), C0(OP_CONV, 0) }, 2, 1, "accumulators kept" },
	{ "u85-256", { C0(SET_ACC_FORMAT, 1 << 6), POOL }, 2, 1, "not written out" },
	{ "u85-256", { C0(OP_POOL, 4) }, 1, 0, "pooling mode 4" },
	{ "u85-256", { C0(SET_IFM_PRECISION, 1 << 14), POOL }, 2, 1, "IFM storage 1" },
	{ "u85-256", { C0(SET_OFM_PRECISION, 0x100 | 4 << 11), POOL }, 2, 1, "OFM transpose 4" },
	{ "u85-256", { C1(SET_OFM_SCALE, 6 << 13), 1, POOL }, 3, 2, "OFM round mode 6" },
	{ "u85-256", { C0(SET_ACTIVATION, 2), POOL }, 2, 1, "activation function 2" },
	{ "u65-256", { C0(SET_ACTIVATION, 1), POOL }, 2, 1, "activation function 1" },
	{ "u65-256", { C0(SET_ACTIVATION, 1 << 12), POOL }, 2, 1, "activation clip range 1" },
	{ "u65-256", { C0(SET_IFM_UPSCALE, 3), POOL }, 2, 1, "upscale mode 3" },
	{ "u65-256", { C0(SET_IFM_DEPTH_M1, 9), POOL }, 2, 1, "from 10 to 6 channels" },
	{ "u65-256",
	  { C0(SET_IFM_DEPTH_M1, 9), C0(OP_DEPTHWISE, 0) },
	  2,
	  1,
	  "from 10 to 6 channels" },
	{ "u65-256", { C0(SET_IFM_PAD_TOP, 127), POOL }, 2, 1, "padding" },
	{ "u55-128",
	  { C0(SET_DMA0_SRC_REGION, 1 << 9), C0(OP_DMA_START, 0) },
	  2,
	  1,
	  "stride mode 1" },
	{ "u65-256",
	  { C0(SET_DMA0_DST_REGION, 3 << 9), C0(OP_DMA_START, 0) },
	  2,
	  1,
	  "stride mode 3" },
	{ "u85-256",
	  { C0(SET_DMA0_SRC_REGION, 1 << 11), C0(SET_DMA0_DST_REGION, 1 << 11),
	    C0(OP_DMA_START, 0) },
	  3,
	  2,
	  "both indexed" },
	/* Nothing was handed on through buffer 1. */
	{ "u85-256", { C0(SET_IFM_PRECISION, 0x8001), POOL }, 2, 1, "chaining buffer 1" },
	{ "u85-256", { C0(OP_CONV, 1), 0 }, 1, 0, "matrix product" },
	{ "u85-256",
	  { C0(SET_IFM_UPSCALE, 1), C0(OP_CONV, 1) },
	  2,
	  1,
	  "matrix product with a kernel" },
	{ "u85-256",
	  { C0(SET_KERNEL_STRIDE, 1), C0(OP_CONV, 1) },
	  2,
	  1,
	  "matrix product with a kernel" },
	{ "u85-256",
	  { C0(SET_KERNEL_WIDTH_M1, 2), C0(OP_CONV, 1) },
	  2,
	  1,
	  "matrix product with a kernel" },
};

static void bad(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < sizeof(bad_streams) / sizeof(bad_streams[0]); i++) {
		const struct bad_stream *c = &bad_streams[i];
		struct stream s = { .count = 0 };
		struct npu_program p;
		size_t at;

		copy_stream(&s);
		if (!strcmp(c->why, "matrix product"))
			SET(&s, SET_OFM_PRECISION, 1);
		at = s.count + c->at;
		for (unsigned int j = 0; j < c->count; j++)
			stream_word(&s, c->words[j]);
		SET(&s, OP_POOL, NPU_POOL_MAX);
		SET(&s, OP_STOP, 0);
		stream_decode(&s, c->device, &p);
		if (p.end != NPU_STOP_PARSE_ERROR || !strstr(p.why, c->why) ||
		    p.end_offset != 4 * at)
			fail_msg("case %u on %s: \"%s\" at 0x%x instead of \"%s\" at 0x%zx", i,
				 c->device, p.why, p.end_offset, c->why, 4 * at);
		/* What came before it runs, what comes behind it does not. */
		assert_int_equal(p.count, 1);
		npu_program_free(&p);
	}
}

static void cut_short(void **state)
{
	struct stream s = { .count = 0 };
	struct npu_program p;

	(void)state;
	copy_stream(&s);
	stream_decode(&s, "u65-256", &p);
	assert_int_equal(p.end, NPU_STOP_PARSE_ERROR);
	assert_int_equal(p.end_offset, 4 * s.count);
	assert_non_null(strstr(p.why, "no STOP"));
	npu_program_free(&p);
	stream_word(&s, C1(SET_IFM_BASE0, 0));
	stream_decode(&s, "u65-256", &p);
	assert_int_equal(p.end_offset, 4 * (s.count - 1));
	assert_non_null(strstr(p.why, "cut short"));
	npu_program_free(&p);
	s.count = 0;
	stream_decode(&s, "u85-256", &p);
	assert_int_equal(p.end, NPU_STOP_PARSE_ERROR);
	assert_int_equal(p.end_offset, 0);
	npu_program_free(&p);
}

struct extent_case {
	struct npu_fm fm;
	const char *device;
	int rc;
	int64_t lo, hi;
};

/* One tile unless widths and heights say otherwise. */
#define ONE_TILE .width0 = 65536, .height0 = 65536, .height1 = 65536

static const struct extent_case extents[] = {
	/* Last byte: 3 rows, 4 columns and 5 elements on. */
	{ { ONE_TILE, .base = { 100 }, .stride_y = 50, .stride_x = 7, .height = 4, .width = 5,
	    .depth = 6 },
	  "u65-256",
	  0,
	  100,
	  284 },
	{ { ONE_TILE, .base = { 100 }, .stride_y = 50, .stride_x = 14, .height = 4, .width = 5,
	    .depth = 6, .elem_log2 = 1 },
	  "u65-256",
	  0,
	  100,
	  318 },
	/* Bricks: 2 more of them, the last with 3 channels of 16. */
	{ { ONE_TILE, .base = { 64 }, .stride_y = 1000, .stride_c = 300, .height = 2, .width = 5,
	    .depth = 35, .brick = 1 },
	  "u65-256",
	  0,
	  64,
	  64 + 1000 + 64 + 600 + 3 },
	/* Upside down: the base is the last row. */
	{ { ONE_TILE, .base = { 100 }, .stride_y = -30, .stride_x = 6, .height = 4, .width = 5,
	    .depth = 6 },
	  "u65-256",
	  0,
	  10,
	  130 },
	/* Rows from the third on lie in tile 2, columns from the fourth on in tiles 1 and 3. */
	{ { .width0 = 4,
	    .height0 = 3,
	    .height1 = 2,
	    .base = { 0x1000, 0x1100, 0x1200, 0x1300 },
	    .stride_y = 30,
	    .stride_x = 6,
	    .height = 4,
	    .width = 5,
	    .depth = 6 },
	  "u65-256",
	  0,
	  0x1000,
	  0x1300 + 30 + 6 },
	/* Tiles that nothing falls into do not count. */
	{ { .width0 = 5,
	    .height0 = 4,
	    .height1 = 1,
	    .base = { 0x1000, 0x1100, 0x1200, 0x1300 },
	    .stride_y = 30,
	    .stride_x = 6,
	    .height = 4,
	    .width = 5,
	    .depth = 6 },
	  "u65-256",
	  0,
	  0x1000,
	  0x1000 + 120 },
	{ { ONE_TILE, .broadcast = NPU_BROADCAST_SCALAR, .base = { 100 }, .height = 4, .width = 5,
	    .depth = 6 },
	  "u65-256",
	  0,
	  0,
	  0 },
	{ { ONE_TILE, .base = { 29 }, .stride_y = -30, .stride_x = 6, .height = 2, .width = 5,
	    .depth = 6 },
	  "u65-256",
	  -ERANGE,
	  0,
	  0 },
	{ { ONE_TILE, .base = { 0xfffffffff0 }, .stride_x = 1, .height = 1, .width = 16,
	    .depth = 1 },
	  "u65-256",
	  0,
	  0xfffffffff0,
	  0x10000000000 },
	{ { ONE_TILE, .base = { 0xfffffffff0 }, .stride_x = 1, .height = 1, .width = 17,
	    .depth = 1 },
	  "u65-256",
	  -ERANGE,
	  0,
	  0 },
	{ { ONE_TILE, .base = { 0xfffffff0 }, .stride_x = 1, .height = 1, .width = 16, .depth = 1 },
	  "u55-128",
	  0,
	  0xfffffff0,
	  0x100000000 },
	{ { ONE_TILE, .base = { 0xfffffff0 }, .stride_x = 1, .height = 1, .width = 17, .depth = 1 },
	  "u55-128",
	  -ERANGE,
	  0,
	  0 },
};

static void fm_extents(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < sizeof(extents) / sizeof(extents[0]); i++) {
		const struct extent_case *c = &extents[i];
		int64_t lo, hi;
		int rc = npu_fm_extent(npu_config_find(c->device), &c->fm, &lo, &hi);

		if (rc != c->rc || (!rc && (lo != c->lo || hi != c->hi)))
			fail_msg("case %u: %d, 0x%llx to 0x%llx", i, rc, (long long)lo,
				 (long long)hi);
	}
}

struct ranges {
	unsigned int count;
	struct {
		unsigned int space;
		int64_t lo, hi;
		enum npu_channel channel;
	} range[8];
};

static int note(void *ctx, unsigned int space, int64_t lo, int64_t hi, enum npu_channel channel)
{
	struct ranges *r = ctx;

	assert_true(r->count < 8);
	r->range[r->count].space = space;
	r->range[r->count].lo = lo;
	r->range[r->count].hi = hi;
	r->range[r->count++].channel = channel;
	return 0;
}

static void assert_range(const struct ranges *r, enum npu_channel channel, unsigned int space,
			 int64_t lo, int64_t hi)
{
	for (unsigned int i = 0; i < r->count; i++)
		if (r->range[i].channel == channel && r->range[i].space == space &&
		    r->range[i].lo == lo && r->range[i].hi == hi)
			return;
	fail_msg("channel %d does not report 0x%llx to 0x%llx of %u", channel, (long long)lo,
		 (long long)hi, space);
}

static void op_extents(void **state)
{
	const struct npu_config *config = npu_config_find("u85-256");
	struct ranges r = { .count = 0 };
	struct stream s = { .count = 0 };
	struct npu_program p;

	(void)state;
	copy_stream(&s);
	SET(&s, SET_WEIGHT_REGION, 2);
	SET_ADDRESS(&s, SET_WEIGHT_BASE, 0x40);
	SET2(&s, SET_WEIGHT_LENGTH, 0, 0x50);
	SET_ADDRESS(&s, SET_SCALE_BASE, 0x900);
	SET2(&s, SET_SCALE_LENGTH, 0, 0x60);
	SET(&s, SET_OFM_PRECISION, 1);
	SET(&s, OP_CONV, 0);
	SET(&s, SET_OFM_PRECISION, 0x101); /* one scale for all: the scale stream is not read */
	SET(&s, OP_CONV, 0);
	/* Scatter 4 rows of 8 bytes to any of 10 places 32 bytes apart. */
	SET(&s, SET_DMA0_SRC_REGION, 1 << 9);
	SET(&s, SET_DMA0_DST_REGION, 1 | 1 << 11);
	SET(&s, SET_DMA0_SIZE0, 4);
	SET_ADDRESS(&s, SET_DMA0_SRC, 0x2000);
	SET_ADDRESS(&s, SET_DMA0_DST, 0x3000);
	SET_ADDRESS(&s, SET_DMA0_LEN, 8);
	SET_ADDRESS(&s, SET_DMA0_SRC_STRIDE0, 16);
	SET_ADDRESS(&s, SET_DMA0_DST_STRIDE0, 32);
	SET_ADDRESS(&s, SET_DMA0_IDX, 0x4000);
	SET(&s, SET_DMA0_IDX_REGION, 3);
	SET2(&s, SET_DMA0_IDX_MAX, 0, 9);
	SET(&s, OP_DMA_START, 0);
	stream_finish(&s, "u85-256", &p);
	assert_int_equal(npu_op_extents(config, &p.ops[0], note, &r), 0);
	assert_int_equal(r.count, 2);
	assert_range(&r, NPU_CH_IFM, 1, 0x100, 0x178);
	assert_range(&r, NPU_CH_OFM, 1, 0x300, 0x378);
	r.count = 0;
	assert_int_equal(npu_op_extents(config, &p.ops[1], note, &r), 0);
	assert_int_equal(r.count, 4);
	assert_range(&r, NPU_CH_WEIGHT, 2, 0x40, 0x90);
	assert_range(&r, NPU_CH_SCALE, 0, 0x900, 0x960);
	r.count = 0;
	assert_int_equal(npu_op_extents(config, &p.ops[2], note, &r), 0);
	assert_int_equal(r.count, 3);
	assert_range(&r, NPU_CH_WEIGHT, 2, 0x40, 0x90);
	r.count = 0;
	assert_int_equal(npu_op_extents(config, &p.ops[3], note, &r), 0);
	assert_int_equal(r.count, 3);
	assert_range(&r, NPU_CH_DMA_READ, 0, 0x2000, 0x2000 + 3 * 16 + 8);
	assert_range(&r, NPU_CH_DMA_WRITE, 1, 0x3000, 0x3000 + 9 * 32 + 8);
	assert_range(&r, NPU_CH_DMA_INDEX, 3, 0x4000, 0x4010);
	npu_program_free(&p);
}

/* A gather of rows without bytes touches nothing, the table of indices included. */
static void dma_nothing(void **state)
{
	struct ranges r = { .count = 0 };
	struct stream s = { .count = 0 };
	struct npu_program p;

	(void)state;
	SET(&s, SET_DMA0_SRC_REGION, 1 << 9 | 1 << 11);
	SET(&s, SET_DMA0_DST_REGION, 1);
	SET(&s, SET_DMA0_IDX_REGION, 2);
	SET(&s, SET_DMA0_SIZE0, 3);
	SET(&s, OP_DMA_START, 0);
	stream_finish(&s, "u85-256", &p);
	assert_int_equal(p.ops[0].dma_rows, 0);
	assert_int_equal(npu_op_extents(npu_config_find("u85-256"), &p.ops[0], note, &r), 0);
	assert_int_equal(r.count, 0);
	npu_program_free(&p);
}

static void configurations(void **state)
{
	(void)state;
	assert_ptr_equal(npu_config_find("ethos-u65-512"), npu_config_find("u65-512"));
	assert_null(npu_config_find("u65"));
	assert_null(npu_config_find(""));
	assert_null(npu_config_find("ethos-"));
	/* The CONFIG words that Vela's files ask for. */
	assert_int_equal(npu_config_find("u65-256")->config, 0x10003008);
	assert_int_equal(npu_config_find("u65-512")->config, 0x10006009);
	assert_int_equal(npu_config_find("u55-128")->config, 0x00001807);
	assert_int_equal(npu_config_find("u85-256")->config, 0x20000118);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events),
		cmocka_unit_test(state_stays),
		cmocka_unit_test(branches),
		cmocka_unit_test(bad_branches),
		cmocka_unit_test(bad),
		cmocka_unit_test(cut_short),
		cmocka_unit_test(fm_extents),
		cmocka_unit_test(op_extents),
		cmocka_unit_test(dma_nothing),
		cmocka_unit_test(configurations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
