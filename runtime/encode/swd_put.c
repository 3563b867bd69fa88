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
#include "runtime/encode/swd_path.h"
#include "sim/cpu.h"

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

/* --- Without zero runs --- */

/**
 * struct code - the bits of a weight
 * @first, @first_bits: unary bits of the first sort: there is more than nothing
 * @second, @second_bits: of the second, one for each of the first that is set
 * @rest: the remainder
 */
struct code {
	uint16_t first, second, rest;
	uint8_t first_bits, second_bits;
};

static inline uint32_t ones_of(unsigned int count)
{
	return (1u << count) - 1;
}

/* Of a quotient q there are q / 2 + 1 and (q + 1) / 2 unary bits; truncated, one and one at most. */
static struct code code_of(uint16_t index, unsigned int div, bool truncated)
{
	unsigned int q = (unsigned int)index >> div;
	struct code code = { .rest = (uint16_t)(index & ones_of(div)) };

	if (truncated) {
		code.first = q > 0;
		code.second = q > 1;
		code.first_bits = 1;
		code.second_bits = q > 0;
	} else if (q <= SWD_QUOTIENT_MAX) {
		code.first = (uint16_t)ones_of((q + 1) / 2);
		code.second = (uint16_t)ones_of(q / 2);
		code.first_bits = (uint8_t)(q / 2 + 1);
		code.second_bits = (uint8_t)((q + 1) / 2);
	}
	return code;
}

/*
 * A stream of bits in registers: whole bytes are written at once, eight at a time, and as many count as
 * are full. Room for eight more than that is there: swd_grow().
 */
struct pen {
	uint8_t *at;
	uint64_t word;
	unsigned int fill;	/* bits in @word, fewer than 8 */
};

static inline struct pen pen_up(const struct swd_bits *out)
{
	struct pen pen = { .at = out->data + out->len, .word = out->word, .fill = out->fill };
	uint32_t low = htole32((uint32_t)pen.word);

	/* What put() keeps are up to 31. */
	memcpy(pen.at, &low, sizeof(low));
	pen.at += pen.fill / 8;
	pen.word >>= pen.fill & ~7u;
	pen.fill &= 7;
	return pen;
}

/* put() counts in words of 32 bits: what of the last one is written already is taken back. */
static inline void pen_down(const struct pen *pen, struct swd_bits *out)
{
	size_t len = (size_t)(pen->at - out->data);

	out->len = len & ~(size_t)3;
	out->word = pen->word << 8 * (len & 3);
	out->fill = pen->fill + 8 * (len & 3);
	for (unsigned int i = 0; i < (len & 3); i++)
		out->word |= (uint64_t)out->data[out->len + i] << 8 * i;
}

/* At most 56 bits. */
static inline void pen_put(struct pen *pen, uint64_t value, unsigned int count)
{
	uint64_t word;

	pen->word |= value << pen->fill;
	pen->fill += count;
	word = htole64(pen->word);
	memcpy(pen->at, &word, sizeof(word));
	pen->at += pen->fill / 8;
	pen->word >>= pen->fill & ~7u;
	pen->fill &= 7;
}

/* At most 60. */
static inline void pen_put_long(struct pen *pen, uint64_t value, unsigned int count)
{
	if (count > 48) {
		pen_put(pen, value & ((1ull << 48) - 1), 48);
		value >>= 48;
		count -= 48;
	}
	pen_put(pen, value, count);
}

/* Chunk by chunk; a weight's remainder follows in the chunk after the one in which its quotient ends. */
static inline __attribute__((always_inline)) void
write_golomb(struct swd_bits *to, const uint16_t *classes, uint32_t count, const struct code *codes,
	     unsigned int div)
{
	struct pen pen = pen_up(to);
	struct code code = codes[classes[0]];
	unsigned int rest_bits = 0;
	uint64_t rest = 0;

	for (uint32_t i = 0; i < count;) {
		unsigned int bit = 0, ones = SWD_CHUNK, more_bits = 0;
		uint64_t more = 0, unary = 0;

		/* Bits of the second sort stand behind those of the first. */
		while (bit + code.first_bits <= SWD_CHUNK) {
			unary |= (uint64_t)code.first << bit | (uint64_t)code.second << ones;
			more |= (uint64_t)code.rest << more_bits;
			bit += code.first_bits;
			ones += code.second_bits;
			more_bits += div;
			if (++i == count)
				break;
			code = codes[classes[i]];
		}
		if (i < count) {
			/* As far as it goes: bits up to here are set, in both. */
			unsigned int part = SWD_CHUNK - bit;

			unary |= (uint64_t)ones_of(part) << bit | (uint64_t)ones_of(part) << ones;
			ones += part;
			code.first >>= part;
			code.second >>= part;
			code.first_bits = (uint8_t)(code.first_bits - part);
			code.second_bits = (uint8_t)(code.second_bits - part);
		}
		pen_put(&pen, unary, ones);
		pen_put_long(&pen, rest, rest_bits);
		rest = more;
		rest_bits = more_bits;
	}
	pen_put_long(&pen, rest, rest_bits);
	pen_down(&pen, to);
}

#if defined(__x86_64__)
/* Shifts that leave registers and flags alone. */
__attribute__((target("bmi2"))) static void
put_golomb_bmi2(struct swd_bits *to, const uint16_t *classes, uint32_t count, const struct code *codes,
		unsigned int div)
{
	write_golomb(to, classes, count, codes, div);
}
#endif

static void put_golomb(struct swd_bits *to, const uint16_t *classes, uint32_t count,
		       const struct code *codes, unsigned int div)
{
#if defined(__x86_64__)
	if (CPU_HAS_BMI2()) {
		put_golomb_bmi2(to, classes, count, codes, div);
		return;
	}
#endif
	write_golomb(to, classes, count, codes, div);
}

/* Indices of fixed width are chunks of nothing but remainders. */
static void put_fixed(struct swd_bits *to, const uint16_t *classes, uint32_t count,
		      const struct code *codes, unsigned int width)
{
	struct pen pen = pen_up(to);
	uint32_t i = 0;

	for (; i + 4 <= count; i += 4)
		pen_put(&pen, (uint64_t)codes[classes[i]].rest |
				      (uint64_t)codes[classes[i + 1]].rest << width |
				      (uint64_t)codes[classes[i + 2]].rest << 2 * width |
				      (uint64_t)codes[classes[i + 3]].rest << 3 * width, 4 * width);
	for (; i < count; i++)
		pen_put(&pen, codes[classes[i]].rest, width);
	pen_down(&pen, to);
}

static void put_plain(struct swd_bits *out, const uint16_t *classes, const struct swd_slice *slice)
{
	unsigned int fixed = slice->mode == SWD_FIXED;
	unsigned int div = fixed ? swd_width(slice->palette) : slice->mode % SWD_TRUNCATED;
	uint32_t count = slice->end - slice->start;
	struct code codes[SWD_CLASSES];
	uint16_t index[SWD_VALUES];

	swd_index(slice->palette, index);
	/* Short slices have few of the classes. */
	for (unsigned int i = 0; i < (count < SWD_CLASSES ? count : SWD_CLASSES); i++) {
		unsigned int v = count < SWD_CLASSES ? classes[slice->start + i] : i;

		codes[v] = code_of(index[v < SWD_VALUES ? v : 0], div, slice->mode >= SWD_TRUNCATED);
	}
	if (fixed)
		put_fixed(out, classes + slice->start, count, codes, div);
	else
		put_golomb(out, classes + slice->start, count, codes, div);
}

/* --- With zero runs --- */

/**
 * struct codes - numbers of one kind that are being written
 * @value, @count: all of a slice
 * @div: divisor; of a fixed width the width
 * @next: whose quotient is being written
 * @left: of it
 * @from: the first whose remainder is to be written
 */
struct codes {
	const uint32_t *value;
	uint32_t count;
	unsigned int div;
	uint32_t next, left, from;
};

static inline void begin(struct codes *c)
{
	c->left = c->next < c->count ? c->value[c->next] >> c->div : 0;
}

/*
 * A chunk of quotients of weights: a bit says more than nothing, in @second another more than one. Of a
 * quotient q those are q / 2 + 1 and (q + 1) / 2 bits.
 */
static inline uint32_t weight_chunk(struct codes *c, uint32_t *second, unsigned int *ones)
{
	uint32_t first = 0, next = c->next, q = c->left;
	unsigned int bit = 0, n = 0;

	*second = 0;
	while (next < c->count) {
		if (bit + q / 2 + 1 > SWD_CHUNK) {
			/* As far as it goes: all of these bits are set. */
			unsigned int part = SWD_CHUNK - bit;

			first |= ones_of(part) << bit;
			*second |= ones_of(part) << n;
			n += part;
			q -= 2 * part;
			break;
		}
		first |= ones_of((q + 1) / 2) << bit;
		*second |= ones_of(q / 2) << n;
		bit += q / 2 + 1;
		n += (q + 1) / 2;
		next++;
		q = next < c->count ? c->value[next] >> c->div : 0;
		if (bit == SWD_CHUNK)
			break;
	}
	c->next = next;
	c->left = q;
	*ones = n;
	return first;
}

/* Truncated: a quotient is 0, 1 or 2. */
static inline uint32_t truncated_chunk(struct codes *c, uint32_t *second, unsigned int *ones)
{
	uint32_t end = c->count - c->next < SWD_CHUNK ? c->count : c->next + SWD_CHUNK, first = 0;
	unsigned int n = 0;

	*second = 0;
	for (unsigned int bit = 0; c->next < end; c->next++, bit++) {
		uint32_t q = c->value[c->next] >> c->div;

		first |= (q > 0 ? 1u : 0u) << bit;
		*second |= (q > 1 ? 1u : 0u) << n;
		n += q > 0;
	}
	*ones = n;
	return first;
}

static inline uint32_t run_chunk(struct codes *c, unsigned int bits)
{
	uint32_t unary = 0;
	unsigned int bit = 0;

	while (bit < bits && c->next < c->count) {
		if (c->left >= bits - bit) {
			unary |= ones_of(bits - bit) << bit;
			c->left -= bits - bit;
			break;
		}
		unary |= ones_of(c->left) << bit;
		bit += c->left + 1;
		c->next++;
		begin(c);
	}
	return unary;
}

static inline void put_remainders(struct swd_bits *out, struct codes *c, uint32_t end)
{
	uint32_t mask = ones_of(c->div), from = c->from;

	if (c->div)
		for (; from < end; from++)
			put(out, c->value[from] & mask, c->div);
	c->from = end;
}

static void put_body(struct swd_bits *to, struct codes *w, struct codes *z, uint8_t mode)
{
	/* In registers: nothing else points to it. */
	struct swd_bits out = *to;
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
		else if (weights && truncated)
			put(&out, truncated_chunk(w, &second, &ones), SWD_CHUNK);
		else if (weights)
			put(&out, weight_chunk(w, &second, &ones), SWD_CHUNK);
		if (runs)
			put(&out, run_chunk(z, run_bits), run_bits);
		put(&out, second, ones);
		put_remainders(&out, w, w_end);
		put_remainders(&out, z, z_end);
	} while (more);
	*to = out;
}

/* The numbers of a slice: indices of weights, and lengths of runs. */
static void list_codes(const uint16_t *classes, const struct swd_slice *slice, uint32_t *values,
		       struct codes *w, struct codes *z)
{
	uint32_t *runs = values + (slice->end - slice->start) + 1, run = 0, weights = 0, n = 0;
	const struct swd_palette *p = slice->palette;
	uint16_t index[SWD_CLASSES];
	bool initial = slice->new_palette;

	swd_index(p, index);
	for (unsigned int v = SWD_VALUES; v < SWD_CLASSES; v++)
		index[v] = index[0];
	for (uint32_t i = slice->start; i < slice->end; i++) {
		bool zero = swd_is_zero(classes[i]);

		/* Written anyhow, counted if it is a weight: no branch that nothing foretells. */
		values[weights] = index[classes[i]];
		runs[n] = run;
		weights += !zero;
		n += !zero;
		run = zero ? run + 1 : 0;
	}
	if (!weights) {
		/* Zeros only. If they begin a section the first is a weight. */
		values[weights++] = index[0];
		run--;
		runs[0] = 0;
		n = initial;
	} else if (!initial) {
		/* No run comes before the first weight, which is where the slice begins. */
		runs++;
		n--;
	}
	runs[n++] = run;
	*w = (struct codes){ .value = values, .count = weights };
	*z = (struct codes){ .value = runs, .count = n };
}

static int put_with_runs(struct swd_bits *out, const uint16_t *classes, const struct swd_slice *slice)
{
	uint32_t count = slice->end - slice->start;
	uint32_t *values = malloc(((size_t)count * 2 + 4) * sizeof(*values));
	struct codes w, z;

	if (!values)
		return -ENOMEM;
	list_codes(classes, slice, values, &w, &z);
	w.div = slice->mode == SWD_FIXED ? swd_width(slice->palette) : slice->mode % SWD_TRUNCATED;
	z.div = slice->run_mode;
	put_header(out, slice, w.count);
	put_body(out, &w, &z, slice->mode);
	free(values);
	return 0;
}

int swd_put_slice(struct swd_bits *out, const uint16_t *classes, const struct swd_slice *slice)
{
	/* Quotients are at most 31 and remainders 9 bits; of runs a bit for each zero, and 8 each. */
	uint64_t bits = 2048 + 58 * (uint64_t)(slice->end - slice->start);
	int ret = swd_grow(out, bits / 8);

	if (ret)
		return ret;
	if (slice->palette->zero_runs)
		return put_with_runs(out, classes, slice);
	put_header(out, slice, slice->end - slice->start);
	put_plain(out, classes, slice);
	return 0;
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
