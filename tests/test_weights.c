/* SPDX-License-Identifier: MIT */
/*
 * Weight and scale streams: bit streams made by hand, every order against the slow one of
 * weights_order.c, vectors of Vela's encoder, streams that are wrong.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/mlw.h"
#include "sim/weights.h"
#include "tests/weights_order.h"

#define ROUNDS		4000
#define SLICE_WEIGHTS	32768u

static const char *vectors_path;

static uint64_t rng_state = 1;

static uint32_t draw(uint32_t below)
{
	rng_state = rng_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((rng_state >> 33) % below);
}

/* --- Bit streams by hand --- */

struct header {
	unsigned int zdiv, weights, wdiv, trunc, newpal;
	unsigned int dirofs, palsize, palbits;	/* as in the stream */
};

static void put_header(struct bit_writer *out, const struct header *h)
{
	put_bits(out, h->zdiv, 3);
	put_bits(out, h->weights - 1, 15);
	put_bits(out, h->wdiv, 3);
	put_bits(out, h->trunc, 1);
	put_bits(out, h->newpal, 1);
	if (!h->newpal)
		return;
	put_bits(out, h->dirofs, 5);
	put_bits(out, h->palsize, 5);
	put_bits(out, h->palbits, 3);
}

static void put_end(struct bit_writer *out)
{
	put_bits(out, 7, 3);
	align_bits(out, 128);
}

static void expect(struct bit_writer *out, const int16_t *want, size_t count)
{
	int16_t *got = NULL, *exact = malloc(count * sizeof(*exact));
	size_t len = out->at / 8;

	assert_int_equal(npu_mlw_decode(out->data, len, count, &got), count);
	assert_memory_equal(got, want, count * sizeof(*want));
	free(got);
	assert_int_equal(npu_mlw_decode_exact(out->data, len, exact, count), 0);
	assert_memory_equal(exact, want, count * sizeof(*want));
	assert_int_equal(npu_mlw_decode_exact(out->data, len, exact, count - 1), 0);
	free(exact);
	got = NULL;
	assert_int_equal(npu_mlw_decode(out->data, len, count - 1, &got), -E2BIG);
	assert_null(got);
	free(out->data);
}

#define EXPECT(out, ...) \
	expect(out, (const int16_t[]){ __VA_ARGS__ }, \
	       sizeof((const int16_t[]){ __VA_ARGS__ }) / sizeof(int16_t))

static void test_uncompressed(void **state)
{
	static const unsigned int index[] = { 0, 1, 2, 3, 31, 30, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
	struct bit_writer out = { 0 };

	(void)state;
	put_header(&out, &(struct header){ .zdiv = 6, .weights = 15, .wdiv = 7, .newpal = 1,
					   .palbits = 3 });
	for (size_t i = 0; i < 15; i++)
		put_bits(&out, index[i], 5);
	put_end(&out);
	EXPECT(&out, 0, 0, 1, -1, -15, 15, 2, -2, 3, -3, 4, -4, 5, -5, 6);
}

static void test_uncompressed_wide(void **state)
{
	struct bit_writer out = { 0 };
	int16_t want[20];

	(void)state;
	put_header(&out, &(struct header){ .zdiv = 6, .weights = 20, .wdiv = 7, .newpal = 1,
					   .palbits = 7 });
	for (unsigned int i = 0; i < 20; i++) {
		put_bits(&out, 511 - i, 9);
		want[i] = (int16_t)(i & 1 ? 255 - (int)(i / 2) : -(255 - (int)(i / 2)));
	}
	put_end(&out);
	expect(&out, want, 20);
}

static void test_palette(void **state)
{
	static const unsigned int palette[] = { 10, 0, 511 }, index[] = { 0, 2, 1, 3, 0, 2 };
	struct bit_writer out = { 0 };

	(void)state;
	put_header(&out, &(struct header){ .zdiv = 6, .weights = 6, .wdiv = 7, .newpal = 1,
					   .dirofs = 4, .palsize = 2, .palbits = 7 });
	for (size_t i = 0; i < 3; i++)
		put_bits(&out, palette[i], 9);
	for (size_t i = 0; i < 6; i++)
		put_bits(&out, index[i], 2);
	/* The palette stays for the next slice; end marks in between do no harm. */
	put_bits(&out, 7, 3);
	align_bits(&out, 8);
	put_bits(&out, 0xff, 8);
	put_header(&out, &(struct header){ .zdiv = 6, .weights = 2, .wdiv = 7 });
	put_bits(&out, 1, 2);
	put_bits(&out, 2, 2);
	put_end(&out);
	EXPECT(&out, 5, -255, 0, 2, 5, -255, 0, -255);
}

/* A quotient of 25 that goes over the end of a chunk, with a remainder a chunk later. */
static void test_long_quotient(void **state)
{
	struct bit_writer out = { 0 };

	(void)state;
	put_header(&out, &(struct header){ .zdiv = 6, .weights = 1, .wdiv = 1, .newpal = 1 });
	put_bits(&out, 0xfff, 12);
	put_bits(&out, 0xfff, 12);
	put_bits(&out, 1, 12);
	put_bits(&out, 0, 1);
	put_bits(&out, 1, 1);	/* 25 << 1 | 1 */
	put_end(&out);
	EXPECT(&out, -25);
}

static void test_truncated_quotients(void **state)
{
	struct bit_writer out = { 0 };

	(void)state;
	put_header(&out, &(struct header){ .zdiv = 6, .weights = 5, .wdiv = 2, .trunc = 1,
					   .newpal = 1 });
	put_bits(&out, 0x17, 12);	/* 1 1 1 0 1 */
	put_bits(&out, 0xd, 4);		/* 1 0 1 1: quotients 2 1 2 0 2 */
	for (unsigned int i = 0; i < 5; i++)
		put_bits(&out, i & 3, 2);
	put_end(&out);
	/* Indices 8, 5, 10, 3, 8. */
	EXPECT(&out, 4, -2, 5, -1, 4);
}

static void test_zero_runs(void **state)
{
	struct bit_writer out = { 0 };

	(void)state;
	put_header(&out, &(struct header){ .zdiv = 1, .weights = 2, .wdiv = 0, .newpal = 1 });
	put_bits(&out, 0xd, 12);	/* 1 0 | 1 1 */
	put_bits(&out, 0x19, 12);	/* 1 0 | 0 | 1 1 0: 1, 0, 2 */
	put_bits(&out, 0x3, 3);		/* 1 | 1 0: indices 2, 3 */
	put_bits(&out, 0x5, 3);		/* 1, 0, 1: runs 3, 0, 5 */
	/* No palette, hence no run before the first weight. */
	put_header(&out, &(struct header){ .zdiv = 3, .weights = 1, .wdiv = 0 });
	put_bits(&out, 0x1, 12);
	put_bits(&out, 0xff, 8);	/* 8, and on */
	put_bits(&out, 0, 1);		/* index 1 */
	put_bits(&out, 0x1, 8);		/* 9: run of 72 + 6 */
	put_bits(&out, 6, 3);
	put_end(&out);
	{
		int16_t want[10 + 1 + 78] = { 0, 0, 0, 1, -1 };

		expect(&out, want, 89);
	}
}

static void refuse(struct bit_writer *out)
{
	int16_t *got = NULL, one;

	align_bits(out, 8);
	assert_int_equal(npu_mlw_decode(out->data, out->at / 8, 1 << 20, &got), -EINVAL);
	assert_null(got);
	assert_int_equal(npu_mlw_decode_exact(out->data, out->at / 8, &one, 1), -EINVAL);
	free(out->data);
}

static void test_malformed(void **state)
{
	static const struct header bad[] = {
		{ .zdiv = 4, .weights = 1, .wdiv = 0, .newpal = 1 },
		{ .zdiv = 5, .weights = 1, .wdiv = 0, .newpal = 1 },
		{ .zdiv = 6, .weights = 1, .wdiv = 6, .newpal = 1 },
		{ .zdiv = 6, .weights = 1, .wdiv = 0 },		/* no palette yet */
		{ .zdiv = 6, .weights = 32768, .wdiv = 7, .newpal = 1 },	/* ends early */
		{ .zdiv = 0, .weights = 32768, .wdiv = 0, .newpal = 1 },
	};
	struct bit_writer out;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		out = (struct bit_writer){ 0 };
		put_header(&out, &bad[i]);
		for (int k = 0; k < 64; k++)
			put_bits(&out, 0, 8);
		refuse(&out);
	}
	/* An index that has no value of 9 bits. */
	out = (struct bit_writer){ 0 };
	put_header(&out, &(struct header){ .zdiv = 6, .weights = 1, .wdiv = 7, .newpal = 1,
					   .dirofs = 31, .palbits = 7 });
	put_bits(&out, 481, 9);
	refuse(&out);
	/* A quotient without end. */
	out = (struct bit_writer){ 0 };
	put_header(&out, &(struct header){ .zdiv = 6, .weights = 1, .wdiv = 5, .newpal = 1 });
	for (int k = 0; k < 256; k++)
		put_bits(&out, 0xff, 8);
	refuse(&out);
	/* A quotient of 65544, which is 8 to who counts in 16 bits. */
	out = (struct bit_writer){ 0 };
	put_header(&out, &(struct header){ .zdiv = 6, .weights = 1, .wdiv = 0, .newpal = 1 });
	for (int k = 0; k < 65544 / 24; k++)
		put_bits(&out, 0xffffff, 24);
	for (int k = 0; k < 16; k++)
		put_bits(&out, 0, 8);
	refuse(&out);
}

static void test_nothing(void **state)
{
	static const uint8_t ends[32] = { 0xff, 0xff, 0xff, 7 };
	int16_t *got, one;

	(void)state;
	assert_int_equal(npu_mlw_decode(ends, 3, 9, &got), 0);
	free(got);
	assert_int_equal(npu_mlw_decode(ends, 0, 9, &got), 0);
	free(got);
	assert_int_equal(npu_mlw_decode_exact(ends, 4, &one, 0), 0);
	assert_int_equal(npu_mlw_decode_exact(ends, 4, &one, 1), -EINVAL);
	assert_int_equal(npu_mlw_decode_exact(ends, 0, &one, 1), -EINVAL);
}

/* --- Slices of any kind, by an encoder that follows the rules for chunks --- */

/* The codes of one kind in a slice: weights, or zero runs. */
struct codes {
	unsigned int value[64];
	unsigned int count, div;
	bool truncated;
	unsigned int at;	/* codes whose quotient was put */
	unsigned int left;	/* of the quotient that is being put */
	bool begun;
	unsigned int prev_from, prev_to;	/* whose quotients were put in the chunk before */
};

/* What is left to count of code @at, a new one or one that goes on. */
static unsigned int rest(struct codes *c)
{
	if (!c->begun) {
		c->left = c->at < c->count ? c->value[c->at] >> c->div : 0;
		c->begun = true;
	}
	return c->left;
}

static void code_done(struct codes *c)
{
	c->at++;
	c->begun = false;
}

/* Positions of a weight chunk: first bits to *@first, second to *@second, returns their number. */
static unsigned int weight_chunk(struct codes *w, uint32_t *first, uint32_t *second)
{
	unsigned int seconds = 0;

	*first = *second = 0;
	for (unsigned int i = 0; i < 12; i++) {
		unsigned int left = rest(w), code = left > 2 ? 2 : left;

		if (code) {
			*first |= 1u << i;
			*second |= (code - 1) << seconds++;
		}
		w->left -= code;
		if (code < 2 || w->truncated)
			code_done(w);
	}
	if (w->at > w->count)
		w->at = w->count;
	return seconds;
}

static uint32_t run_chunk(struct codes *z, unsigned int bits)
{
	uint32_t unary = 0;

	for (unsigned int i = 0; i < bits; i++) {
		if (rest(z)) {
			unary |= 1u << i;
			z->left--;
		} else {
			code_done(z);
		}
	}
	if (z->at > z->count)
		z->at = z->count;
	return unary;
}

static void put_remainders(struct bit_writer *out, struct codes *c)
{
	for (unsigned int i = c->prev_from; i < c->prev_to; i++)
		put_bits(out, c->value[i] & ((1u << c->div) - 1), c->div);
}

static void put_body(struct bit_writer *out, struct codes *w, struct codes *z, bool plain)
{
	unsigned int run_bits = z->div == 3 ? 8 : 12;
	bool weights, runs;

	do {
		int balance = z->count ? (int)w->at - (int)z->at : 0;
		unsigned int wfrom = w->at, zfrom = z->at, seconds = 0;
		uint32_t first = 0, second = 0;

		weights = (balance < 8 || !z->count) && w->at < w->count;
		runs = z->count && balance >= 0 && z->at < z->count;
		if (weights && plain) {
			w->at += w->div > 5 ? 8 : 12;
			w->at = w->at > w->count ? w->count : w->at;
		} else if (weights) {
			seconds = weight_chunk(w, &first, &second);
			put_bits(out, first, 12);
		}
		if (runs)
			put_bits(out, run_chunk(z, run_bits), run_bits);
		put_bits(out, second, seconds);
		put_remainders(out, w);
		put_remainders(out, z);
		w->prev_from = wfrom;
		w->prev_to = w->at;
		z->prev_from = zfrom;
		z->prev_to = z->at;
	} while (weights || runs);
}

/* One slice: random codes; what they stand for goes to @want. */
static void put_slice(struct bit_writer *out, unsigned int zdiv, bool newpal, unsigned int *palbits,
		      struct weight_list *want)
{
	struct codes w = { .count = 1 + draw(63) }, z = { .div = zdiv & 3 };
	unsigned int wdiv = draw(7), range;
	bool plain = wdiv == 6;

	if (newpal)
		*palbits = 2 + draw(8);
	w.truncated = !plain && draw(3) == 0;
	w.div = plain ? *palbits : wdiv;
	put_header(out, &(struct header){ .zdiv = zdiv, .weights = w.count,
					  .wdiv = plain ? 7 : wdiv, .trunc = w.truncated,
					  .newpal = newpal, .palbits = *palbits - 2 });
	range = plain ? 1u << w.div : w.truncated ? 3u << w.div : 512;
	for (unsigned int i = 0; i < w.count; i++)
		w.value[i] = draw(draw(4) ? 1 + range / 8 : range);
	if (zdiv != 6)
		z.count = w.count + newpal;
	for (unsigned int i = 0; i < z.count; i++)
		z.value[i] = draw(draw(9) ? 6 : 200);
	put_body(out, &w, &z, plain);

	for (unsigned int i = 0, run = 0; i <= w.count; i++) {
		if (z.count && (i || newpal))
			for (unsigned int k = z.value[run++]; k; k--)
				list_add(want, 0);
		if (i < w.count) {
			int magnitude = (int)w.value[i] / 2;

			list_add(want, (int16_t)(w.value[i] & 1 ? -magnitude : magnitude));
		}
	}
}

static void test_slices(void **state)
{
	unsigned int slices = 0;

	(void)state;
	for (unsigned int i = 0; i < 20000; i++) {
		struct weight_list want = { 0 };
		struct bit_writer out = { 0 };
		unsigned int n = 1 + draw(3), palbits = 0, zdiv = 0;

		for (unsigned int k = 0; k < n; k++, slices++) {
			bool newpal = !k || draw(2);

			if (newpal)
				zdiv = draw(5) == 4 ? 6 : draw(4);
			put_slice(&out, zdiv, newpal, &palbits, &want);
			if (k + 1 < n && draw(3) == 0) {
				put_bits(&out, 7, 3);
				put_bits(&out, draw(128), (unsigned int)(-out.at % 8));
			}
		}
		put_end(&out);
		expect(&out, want.w, want.count);
		free(want.w);
	}
	printf("%u slices of random kind\n", slices);
}

/* --- Orders --- */

static void put_uncompressed(struct bit_writer *out, const int16_t *w, size_t count)
{
	for (size_t at = 0; at < count; at += SLICE_WEIGHTS) {
		size_t n = count - at < SLICE_WEIGHTS ? count - at : SLICE_WEIGHTS;

		put_header(out, &(struct header){ .zdiv = 6, .weights = (unsigned int)n,
						  .wdiv = 7, .newpal = 1, .palbits = 7 });
		for (size_t i = at; i < at + n; i++)
			put_bits(out, (unsigned int)abs(w[i]) << 1 | (w[i] < 0), 9);
	}
	put_end(out);
}

/* As the fast format: raw bytes around a zero point, or a table of 4 or 16 values. */
static void put_fwd(struct bit_writer *out, const int16_t *w, size_t count, const int16_t *table,
		    unsigned int index_bits, int adjust)
{
	put_bits(out, index_bits == 8, 1);
	put_bits(out, index_bits == 2, 1);
	put_bits(out, 0, 64);
	put_bits(out, 0, 38);
	put_bits(out, (uint8_t)adjust, 8);
	for (unsigned int i = 0; i < 16; i++) {
		int v = index_bits == 8 ? 0 : table[i % (1u << index_bits)];

		put_bits(out, (unsigned int)abs(v) << 1 | (v < 0), 9);
	}
	for (size_t i = 0; i < count; i++) {
		unsigned int index = 0;

		if (index_bits == 8)
			index = (uint8_t)(w[i] + adjust);
		else
			while (table[index] != w[i])
				index++;
		put_bits(out, index, index_bits);
	}
	align_bits(out, 256);
}

static unsigned int microblock_of(const struct npu_config *config)
{
	static const uint8_t some[5][3] = {
		{ 0, 1, 1 }, { 1, 2, 3 }, { 2, 3, 3 }, { 2, 3, 4 }, { 2, 3, 5 },
	};
	unsigned int row = 0;

	while (128u << row < config->macs)
		row++;
	return some[row][draw(3)];
}

static void draw_op(const struct npu_config *config, struct npu_op *op)
{
	static const uint8_t taps[] = { 1, 1, 2, 3, 3, 5, 7, 9, 12, 17 };
	bool u85 = config->arch == 85;

	*op = (struct npu_op){
		.kind = draw(3) ? NPU_KIND_CONV : NPU_KIND_DEPTHWISE,
		.part_kernel = (op_u8)draw(2),
		.kernel_h = taps[draw(10)],
		.kernel_w = taps[draw(10)],
		.dilation_y = (op_u8)(1 + draw(2)),
		.dilation_x = (op_u8)(1 + draw(2)),
		.stride_y = (op_u8)(1 + draw(3)),
		.stride_x = (op_u8)(1 + draw(3)),
		.oc = 1 + draw(draw(3) ? 24 : 150),
		.cores = (op_u8)config->cores,
		.ofm_block_depth = 8 * (1 + draw(8)),
		.a = { .depth = 1 + draw(draw(3) ? 24 : 200), .elem_log2 = (op_u8)draw(2) },
	};
	if (u85) {
		op->microblock = (op_u8)microblock_of(config);
		op->ofm_block_depth = 16 * (1 + draw(9));
		if (op->kind == NPU_KIND_CONV) {
			op->weight_sparse = (op_u8)(draw(4) == 0);
			op->weight_fwd = (op_u8)(draw(3) == 0);
		}
		op->cores = op->weight_fwd ? 1 : (op_u8)config->cores;
	} else if (draw(4) == 0) {
		op->cores = 1;	/* U65-512 with PARALLEL_MODE off */
	} else if (op->cores == 2) {
		op->ofm_block_depth += draw(2);	/* one channel more for core 0 */
	}
	while ((size_t)op->oc * op->kernel_h * op->kernel_w * op->a.depth > 20000) {
		op->kernel_h = (op_u16)((op->kernel_h + 1) / 2);
		op->kernel_w = (op_u16)((op->kernel_w + 1) / 2);
		op->a.depth = (op->a.depth + 2) / 2;
	}
}

static void make_swd(const struct npu_config *config, const struct npu_op *op, const int16_t *w,
		     struct bit_writer out[NPU_MAX_CORES])
{
	for (unsigned int core = 0; core < op->cores; core++) {
		struct weight_list list = { 0 };

		order_weights(config, op, core, w, &list);
		if (list.count)
			put_uncompressed(&out[core], list.w, list.count);
		free(list.w);
	}
}

static void make_fwd(const struct npu_config *config, const struct npu_op *op, const int16_t *w,
		     const int16_t *table, unsigned int index_bits, int adjust,
		     struct bit_writer *out)
{
	struct weight_list list[NPU_MAX_CORES] = { 0 }, merged = { 0 };
	size_t block = fwd_block(config, op);

	for (unsigned int core = 0; core < config->cores; core++)
		order_weights(config, op, core, w, &list[core]);
	for (size_t at = 0; at < list[0].count; at += block)
		for (unsigned int core = 0; core < config->cores; core++)
			for (size_t i = at; i < at + block; i++)
				list_add(&merged, list[core].w[i]);
	put_fwd(out, merged.w, merged.count, table, index_bits, adjust);
	for (unsigned int core = 0; core < config->cores; core++)
		free(list[core].w);
	free(merged.w);
}

/* Weights of @op that its format can code; 0 can always be coded, padding is 0. */
static void draw_weights(const struct npu_op *op, int16_t *w, size_t count, int16_t table[16],
			 unsigned int *index_bits, int *adjust)
{
	*index_bits = op->weight_fwd ? 2u << draw(3) : 0;
	*adjust = *index_bits == 8 ? (int)draw(256) - 128 : 0;
	table[0] = 0;
	for (int i = 1; i < 16; i++)
		table[i] = (int16_t)((int)draw(511) - 255);
	for (size_t i = 0; i < count; i++) {
		if (*index_bits == 8)
			w[i] = (int16_t)((int)draw(256) - 128 - *adjust);
		else if (*index_bits)
			w[i] = table[draw(1u << *index_bits)];
		else
			w[i] = (int16_t)((int)draw(511) - 255);
	}
}

static void round_trip(const struct npu_config *config, struct npu_op *op)
{
	struct bit_writer out[NPU_MAX_CORES] = { 0 };
	struct npu_stream streams[NPU_MAX_CORES] = { 0 };
	size_t count = npu_weights_count(op);
	int16_t *w = malloc(count * sizeof(*w)), *got = malloc(count * sizeof(*got)), table[16];
	unsigned int index_bits, last = 0;
	int adjust;

	draw_weights(op, w, count, table, &index_bits, &adjust);
	if (op->weight_fwd)
		make_fwd(config, op, w, table, index_bits, adjust, &out[0]);
	else
		make_swd(config, op, w, out);
	for (unsigned int core = 0; core < NPU_MAX_CORES; core++) {
		streams[core] = (struct npu_stream){ out[core].data, out[core].at / 8 };
		op->weight_len[core] = (op_u32)streams[core].len;
		if (streams[core].len)
			last = core;
	}
	memset(got, 0x55, count * sizeof(*got));
	assert_int_equal(npu_weights_count(op), count);
	assert_int_equal(npu_weights_decode(config, op, streams, got, count), 0);
	assert_memory_equal(got, w, count * sizeof(*w));

	/* The last block of 32 bytes holds at least one weight of the longest stream. */
	streams[last].len = streams[last].len > 48 ? streams[last].len - 48 : 0;
	assert_int_equal(npu_weights_decode(config, op, streams, got, count), -EINVAL);
	assert_int_equal(npu_weights_decode(config, op, streams, got, count - 1), -EINVAL);
	for (unsigned int core = 0; core < NPU_MAX_CORES; core++)
		free(out[core].data);
	free(w);
	free(got);
}

static void test_orders(void **state)
{
	const struct npu_config *config;
	struct npu_op op;
	unsigned int runs = 0;

	(void)state;
	for (config = npu_configs; config->name; config++)
		for (unsigned int i = 0; i < ROUNDS / 11; i++, runs++) {
			draw_op(config, &op);
			round_trip(config, &op);
		}
	printf("%u operations, weights as in the documented order on all configurations\n", runs);
}

static void test_bad_operations(void **state)
{
	const struct npu_config *u65 = npu_config_find("u65-256");
	const struct npu_config *u85 = npu_config_find("u85-512");
	static const int16_t zeros[4096];
	struct npu_stream streams[NPU_MAX_CORES];
	struct bit_writer bits = { 0 };
	const struct npu_op good = {
		.kind = NPU_KIND_CONV, .kernel_h = 1, .kernel_w = 1, .dilation_y = 1,
		.dilation_x = 1, .stride_y = 1, .stride_x = 1, .oc = 8, .cores = 1,
		.ofm_block_depth = 16, .microblock = 2, .a = { .depth = 8 },
	};
	struct npu_op op;
	int16_t out[64];

	(void)state;
	/* A stream that would do for all of them. */
	put_uncompressed(&bits, zeros, 4096);
	for (unsigned int i = 0; i < NPU_MAX_CORES; i++)
		streams[i] = (struct npu_stream){ bits.data, bits.at / 8 };
	assert_int_equal(npu_weights_decode(u65, &good, streams, out, 64), 0);
	assert_int_equal(npu_weights_decode(u85, &good, streams, out, 64), 0);
#define REFUSE(config, ...) do { \
	op = good; \
	__VA_ARGS__; \
	assert_int_equal(npu_weights_decode(config, &op, streams, out, 64), -EINVAL); \
} while (0)
	REFUSE(u65, op.ofm_block_depth = 0);
	REFUSE(u65, op.dilation_x = 0);
	REFUSE(u65, op.dilation_y = 9);
	REFUSE(u65, op.cores = 2);
	REFUSE(u65, op.cores = 0);
	REFUSE(u65, op.kind = NPU_KIND_POOL);
	REFUSE(npu_config_find("u65-512"), op.cores = 2, op.ofm_block_depth = 1);
	REFUSE(u85, op.microblock = 5);
	REFUSE(u85, op.microblock = 200);
	REFUSE(u85, op.stride_y = 0);
	REFUSE(u85, op.kind = NPU_KIND_DEPTHWISE, op.oc = 64, op.weight_fwd = 1);
	/* What a stream of its length can never hold: not even counted. */
	op = good;
	op.weight_len[0] = 16;
	op.kernel_h = op.kernel_w = 64;
	assert_int_equal(npu_weights_count(&op), 0);
	op.weight_len[0] = 0;
	op.kernel_h = op.kernel_w = 65535;
	op.oc = op.a.depth = UINT32_MAX;
	assert_int_equal(npu_weights_count(&op), 0);
	assert_int_equal(npu_weights_decode(u65, &op, streams, out, 0), -EINVAL);
	free(bits.data);
}

/* --- Vela's encoder --- */

struct vector {
	uint32_t oc, kh, kw, ic, depthwise, part_kernel, bits, block, dil_y, dil_x, ublock, cores;
	uint32_t len[2];
};

static void check_vector(const struct vector *v, const uint8_t *data, const int16_t *want,
			 size_t count)
{
	const char *name = v->cores == 2 ? "u65-512" : v->ublock == 4 ? "u55-32" : "u65-256";
	const struct npu_stream streams[NPU_MAX_CORES] = {
		{ data, v->len[0] }, { data + v->len[0], v->len[1] },
	};
	const struct npu_op op = {
		.kind = v->depthwise ? NPU_KIND_DEPTHWISE : NPU_KIND_CONV,
		.part_kernel = (op_u8)v->part_kernel, .oc = v->oc, .kernel_h = (op_u16)v->kh,
		.kernel_w = (op_u16)v->kw, .dilation_y = (op_u8)v->dil_y,
		.dilation_x = (op_u8)v->dil_x, .stride_y = 1, .stride_x = 1,
		.ofm_block_depth = v->block, .cores = (op_u8)v->cores,
		.weight_len = { v->len[0], v->len[1] },
		.a = { .depth = v->ic, .elem_log2 = v->bits == 16 },
	};
	const struct npu_config *config = npu_config_find(name);
	int16_t *got = NULL;

	if (!v->ublock) {
		assert_int_equal(npu_mlw_decode(data, v->len[0], count, &got), count);
	} else {
		got = malloc(count * sizeof(*got));
		assert_int_equal(npu_weights_decode(config, &op, streams, got, count), 0);
	}
	assert_memory_equal(got, want, count * sizeof(*want));
	free(got);
}

static void test_vela(void **state)
{
	FILE *file = fopen(vectors_path, "rb");
	unsigned int raw = 0, ordered = 0;
	struct vector v;

	(void)state;
	if (!file)
		fail_msg("%s: %s", vectors_path, strerror(errno));
	while (fread(&v, sizeof(v), 1, file) == 1) {
		size_t count = (size_t)v.oc * v.kh * v.kw * v.ic, len = v.len[0] + v.len[1];
		uint8_t *data = malloc(len);
		int16_t *want = malloc(count * sizeof(*want));

		assert_int_equal(fread(data, 1, len, file), len);
		assert_int_equal(fread(want, sizeof(*want), count, file), count);
		check_vector(&v, data, want, count);
		if (v.ublock)
			ordered++;
		else
			raw++;
		free(data);
		free(want);
	}
	fclose(file);
	printf("vectors of Vela's encoder: %u bit streams, %u operations\n", raw, ordered);
	assert_int_equal(raw, 56);
	assert_int_equal(ordered, 90);
}

/* --- Scales --- */

static void test_scales(void **state)
{
	static const uint8_t u55[3 * 10] = {
		0xff, 0xff, 0xff, 0xff, 0x7f, 0x01, 0x02, 0x03, 0xff, 0xff,
		0x00, 0x00, 0x00, 0x00, 0x80, 0xff, 0xff, 0xff, 0xff, 0x2a,
		0xfe, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0x00,
	};
	static const uint8_t u85[2 * 10] = {
		0x00, 0x00, 0x00, 0x80, 0x05, 0x06, 0x07, 0xff, 0x7f, 0xaa,
		0xff, 0xff, 0xff, 0xff, 0x34, 0x92, 0xff, 0xff, 0x01, 0x00,
	};
	struct npu_stream streams[NPU_MAX_CORES] = { { u55, sizeof(u55) } };
	struct npu_op op = { .oc = 3, .cores = 1 };
	struct npu_bias got[5];

	(void)state;
	assert_int_equal(npu_scales_decode(npu_config_find("u55-64"), &op, streams, got), 0);
	assert_true(got[0].bias == 0x7fffffffff && got[0].scale == 0xff030201);
	assert_int_equal(got[0].shift, 63);
	assert_true(got[1].bias == -0x8000000000 && got[1].scale == UINT32_MAX);
	assert_true(got[1].shift == 42 && got[2].bias == -2 && !got[2].scale && !got[2].shift);
	streams[0].len = 29;
	assert_int_equal(npu_scales_decode(npu_config_find("u55-64"), &op, streams, got), -EINVAL);

	/* Two cores: even channels, odd channels. */
	op.oc = 5;
	op.cores = 2;
	streams[0].len = 30;
	streams[1] = (struct npu_stream){ u85, 20 };
	assert_int_equal(npu_scales_decode(npu_config_find("u65-512"), &op, streams, got), 0);
	assert_true(got[0].shift == 63 && got[2].shift == 42 && got[4].bias == -2);
	assert_true(got[1].bias == 0x0580000000 && got[3].bias == 0x34ffffffff);
	streams[1].len = 19;
	assert_int_equal(npu_scales_decode(npu_config_find("u65-512"), &op, streams, got), -EINVAL);
	op.cores = 0;
	assert_int_equal(npu_scales_decode(npu_config_find("u65-512"), &op, streams, got), -EINVAL);

	/* U85: one stream whatever the cores, accumulators of 32 and of 48 bits. */
	op.oc = 2;
	op.cores = 4;
	streams[0] = (struct npu_stream){ u85, 20 };
	assert_int_equal(npu_scales_decode(npu_config_find("u85-2048"), &op, streams, got), 0);
	assert_true(got[0].bias == INT32_MIN && got[0].scale == 0x7f070605 && got[0].shift == 63);
	assert_true(got[1].bias == -1 && got[1].scale == 0x7fff9234 && got[1].shift == 1);
	op.acc48 = 1;
	assert_int_equal(npu_scales_decode(npu_config_find("u85-2048"), &op, streams, got), 0);
	assert_true(got[0].bias == 0x060580000000 && got[0].scale == 0x7f07);
	assert_true(got[1].bias == -0x6dcb00000001 && got[1].scale == 0x7fff);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uncompressed),
		cmocka_unit_test(test_uncompressed_wide),
		cmocka_unit_test(test_palette),
		cmocka_unit_test(test_long_quotient),
		cmocka_unit_test(test_truncated_quotients),
		cmocka_unit_test(test_zero_runs),
		cmocka_unit_test(test_slices),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_orders),
		cmocka_unit_test(test_bad_operations),
		cmocka_unit_test(test_vela),
		cmocka_unit_test(test_scales),
	};

	vectors_path = argc > 1 ? argv[1] : "tests/data/weights/vela.bin";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
