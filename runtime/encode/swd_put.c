/* SPDX-License-Identifier: MIT */
/*
 * The bits of the standard weight stream. A slice is written in chunks: unary bits of as many
 * weights as 12 of them hold, of zero runs likewise, and then the remainders of the weights and runs
 * whose quotients ended in the chunk before. Weights pause when they are 8 ahead of the runs, runs
 * when they are ahead at all: the decoder does so, and both must agree.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/encode/swd.h"

#define CHUNK_WIDE	8u	/* weights of a chunk, fixed width of more than 5 bits */
#define AHEAD		8	/* of the runs, then weights pause */
#define STREAM_ALIGN	128u	/* bits */

enum { ZDIV_NONE = 6, ZDIV_END = 7, WDIV_FIXED = 7 };

int swd_grow(struct swd_bits *out, size_t more)
{
	size_t size = out->len + more + sizeof(out->word);
	uint8_t *data;

	if (size <= out->size)
		return 0;
	size += size / 2;
	data = realloc(out->data, size);
	if (!data)
		return -ENOMEM;
	out->data = data;
	out->size = size;
	return 0;
}

/* At most 32 bits, room was made. */
static inline void put(struct swd_bits *out, uint32_t value, unsigned int count)
{
	out->word |= (uint64_t)value << out->fill;
	out->fill += count;
	if (out->fill >= 32) {
		uint32_t low = htole32((uint32_t)out->word);

		memcpy(out->data + out->len, &low, sizeof(low));
		out->len += sizeof(low);
		out->word >>= 32;
		out->fill -= 32;
	}
}

static void put_header(struct swd_bits *out, const struct swd_slice *slice, uint32_t weights)
{
	const struct swd_palette *p = slice->palette;
	bool truncated = slice->mode >= SWD_TRUNCATED && slice->mode < SWD_FIXED;

	put(out, p->zero_runs ? slice->run_mode : ZDIV_NONE, 3);
	put(out, weights - 1, 15);
	put(out, slice->mode == SWD_FIXED ? WDIV_FIXED : slice->mode % SWD_TRUNCATED, 3);
	put(out, truncated, 1);
	put(out, slice->new_palette, 1);
	if (!slice->new_palette)
		return;
	put(out, p->offset, 5);
	put(out, p->size ? p->size - 1u : 0, 5);
	put(out, p->bits - 2u, 3);
	for (unsigned int i = 0; i < p->size; i++)
		put(out, p->entry[i], p->bits);
}

/**
 * struct codes - numbers of one kind that are being written
 * @value, @count: all of a slice
 * @div: divisor; of a fixed width the width
 * @next: whose quotient is being written
 * @left: what is left of it; UINT32_MAX: not begun
 * @from: the first whose remainder is to be written
 */
struct codes {
	const uint32_t *value;
	uint32_t count;
	unsigned int div;
	uint32_t next, left, from;
};

static void begin(struct codes *c)
{
	c->left = c->next < c->count ? c->value[c->next] >> c->div : 0;
}

/* A chunk of quotients of weights: a bit says more than nothing, in @second another more than one. */
static uint32_t weight_chunk(struct codes *c, bool truncated, uint32_t *second, unsigned int *ones)
{
	uint32_t first = 0;

	*second = 0;
	*ones = 0;
	for (unsigned int bit = 0; bit < SWD_CHUNK && c->next < c->count; bit++) {
		if (c->left) {
			first |= 1u << bit;
			*second |= (c->left > 1 ? 1u : 0u) << (*ones)++;
		}
		if (c->left > 1 && !truncated) {
			c->left -= 2;
			continue;
		}
		c->next++;
		begin(c);
	}
	return first;
}

static uint32_t run_chunk(struct codes *c, unsigned int bits)
{
	uint32_t unary = 0;

	for (unsigned int bit = 0; bit < bits && c->next < c->count; bit++) {
		if (c->left) {
			unary |= 1u << bit;
			c->left--;
			continue;
		}
		c->next++;
		begin(c);
	}
	return unary;
}

static void put_remainders(struct swd_bits *out, struct codes *c, uint32_t end)
{
	for (; c->from < end; c->from++)
		put(out, c->value[c->from] & ((1u << c->div) - 1), c->div);
}

static void put_body(struct swd_bits *out, struct codes *w, struct codes *z, uint8_t mode)
{
	bool fixed = mode == SWD_FIXED, truncated = mode >= SWD_TRUNCATED;
	unsigned int wide = fixed && w->div > 5 ? CHUNK_WIDE : SWD_CHUNK;
	unsigned int run_bits = swd_run_chunk(z->div);
	bool more;

	begin(w);
	begin(z);
	do {
		int32_t ahead = z->count ? (int32_t)w->next - (int32_t)z->next : 0;
		bool weights = ahead < AHEAD && w->next < w->count;
		bool runs = ahead >= 0 && z->next < z->count;
		uint32_t w_end = w->next, z_end = z->next, second = 0;
		unsigned int ones = 0;

		more = weights || runs;
		if (weights && fixed)
			w->next = w->count - w->next < wide ? w->count : w->next + wide;
		else if (weights)
			put(out, weight_chunk(w, truncated, &second, &ones), SWD_CHUNK);
		if (runs)
			put(out, run_chunk(z, run_bits), run_bits);
		put(out, second, ones);
		put_remainders(out, w, w_end);
		put_remainders(out, z, z_end);
	} while (more);
}

/* The numbers of a slice: indices of weights, and lengths of runs. */
static void list_codes(const uint16_t *classes, const struct swd_slice *slice, uint32_t *values,
		       struct codes *w, struct codes *z)
{
	uint32_t *runs = values + (slice->end - slice->start) + 1, run = 0, weights = 0, n = 0;
	const struct swd_palette *p = slice->palette;
	uint16_t index[SWD_VALUES];
	bool initial = slice->new_palette;

	swd_index(p, index);
	for (uint32_t i = slice->start; i < slice->end; i++) {
		uint32_t v = classes[i] < SWD_VALUES ? classes[i] : 0;

		if (!p->zero_runs) {
			values[weights++] = index[v];
			continue;
		}
		if (!v) {
			run++;
			continue;
		}
		if (weights || initial)
			runs[n++] = run;
		values[weights++] = index[v];
		run = 0;
	}
	if (!weights) {
		/* Zeros only, which begin a section: the first is a weight. */
		if (initial)
			runs[n++] = 0;
		values[weights++] = index[0];
		run--;
	}
	if (p->zero_runs)
		runs[n++] = run;
	*w = (struct codes){ .value = values, .count = weights };
	*z = (struct codes){ .value = runs, .count = n };
}

int swd_put_slice(struct swd_bits *out, const uint16_t *classes, const struct swd_slice *slice)
{
	uint32_t count = slice->end - slice->start;
	uint32_t *values = malloc(((size_t)count * 2 + 4) * sizeof(*values));
	uint64_t bits = 1024;
	struct codes w, z;
	int ret;

	if (!values)
		return -ENOMEM;
	list_codes(classes, slice, values, &w, &z);
	w.div = slice->mode == SWD_FIXED ? swd_width(slice->palette) : slice->mode % SWD_TRUNCATED;
	z.div = slice->run_mode;
	/* Quotients are at most 31 and remainders 9 bits; of runs a bit for each zero. */
	bits += 48 * (uint64_t)w.count + 8 * (uint64_t)z.count + 2 * (uint64_t)count;
	ret = swd_grow(out, bits / 8);
	if (!ret) {
		put_header(out, slice, w.count);
		put_body(out, &w, &z, slice->mode);
	}
	free(values);
	return ret;
}

int swd_put_end(struct swd_bits *out)
{
	int ret = swd_grow(out, 2 * STREAM_ALIGN / 8);

	if (ret)
		return ret;
	put(out, ZDIV_END, 3);
	while ((out->len * 8 + out->fill) % STREAM_ALIGN)
		put(out, 1, 1);
	return 0;
}
