/* SPDX-License-Identifier: MIT */
/*
 * The decoder of the standard weight (SWD) bit stream.
 *
 * A stream is a chain of slices of at most 32768 weights, fields with their least significant bit
 * first. A weight is an index into a palette of values (beyond the palette the index is the value),
 * an index is a Golomb-Rice code: a quotient in unary and a remainder. Between weights there may be
 * runs of zeros, coded in the same way. A slice interleaves the codes in chunks of 12 unary bits,
 * the remainders one chunk behind their quotients.
 */
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sim/mlw.h"
#include "sim/weights.h"

#define SLICE_MAX	32768u	/* SLICELEN has 15 bits */
#define PALETTE_MAX	32u
#define INDEX_VALUES	512u	/* a weight has a sign and 8 bits of magnitude */
#define CHUNK		12u	/* unary bits, hence weights, of a chunk */
#define CHUNK_WIDE	8u	/* weights of an uncompressed chunk of more than 5 bits each */
#define THROTTLE	8	/* weights pause when they are this far ahead of the zero runs */

enum { ZDIV_MAX = 3, ZDIV_NONE = 6, ZDIV_END = 7 };
enum { WDIV_MAX = 5, WDIV_UNCOMPRESSED = 7 };

struct bits {
	const uint8_t *data;
	size_t len;
	uint64_t at;	/* in bits */
};

/*
 * What four unary bits make of the quotients. A bit of the first unary word that is 0 counts
 * nothing and ends a quotient. A 1 takes a bit of the second word: 0 counts one and ends the
 * quotient, 1 counts two and goes on, unless quotients are truncated.
 */
struct unary {
	uint16_t q[4];
	uint16_t open;	/* counted after the last end */
	uint8_t ends;
	uint8_t used;	/* bits of the second word */
};

struct mlw {
	struct bits bits;
	bool have_palette;
	unsigned int palette_size, direct_offset, palette_bits;
	uint16_t palette[PALETTE_MAX];
	int16_t value[INDEX_VALUES];	/* of an index */
	unsigned int indices;		/* legal ones */

	bool zero_runs, initial_run;
	size_t weights;
	int16_t w[SLICE_MAX + CHUNK];
	uint32_t z[SLICE_MAX + 1 + CHUNK];

	bool unary_ready[2];
	struct unary unary[2][256];	/* by truncation, second << 4 | first */
};

/* The next 57 bits at least, zeros after the end. */
static inline uint64_t peek(const struct bits *b)
{
	size_t byte = b->at >> 3;
	uint64_t word = 0;

	if (b->len >= 8 && byte <= b->len - 8)
		memcpy(&word, b->data + byte, 8);
	else if (byte < b->len)
		memcpy(&word, b->data + byte, b->len - byte);
	return le64toh(word) >> (b->at & 7);
}

static inline uint32_t low_bits(uint64_t word, unsigned int count)
{
	return (uint32_t)(word & ((UINT64_C(1) << count) - 1));
}

static uint32_t take(struct bits *b, unsigned int count)
{
	uint32_t value = low_bits(peek(b), count);

	b->at += count;
	return value;
}

static bool overrun(const struct bits *b)
{
	return b->at > (uint64_t)b->len * 8;
}

static void build_unary(struct unary table[256], bool truncated)
{
	for (unsigned int i = 0; i < 256; i++) {
		struct unary u = { .open = 0 };
		unsigned int second = i >> 4;

		for (unsigned int bit = 0; bit < 4; bit++) {
			unsigned int code = 0;

			if (i >> bit & 1) {
				code = 1 + (second & 1);
				second >>= 1;
				u.used++;
			}
			u.open += (uint16_t)code;
			if (code < 2 || truncated) {
				u.q[u.ends++] = u.open;
				u.open = 0;
			}
		}
		table[i] = u;
	}
}

static void build_values(struct mlw *m)
{
	m->indices = INDEX_VALUES;
	for (unsigned int i = 0; i < INDEX_VALUES; i++) {
		unsigned int v;

		if (i < m->palette_size)
			v = m->palette[i];
		else
			v = i - m->palette_size + m->direct_offset;
		if (v >= INDEX_VALUES) {
			m->indices = i;
			return;
		}
		m->value[i] = (int16_t)(v & 1 ? -(int)(v >> 1) : (int)(v >> 1));
	}
}

static void read_palette(struct mlw *m)
{
	struct bits *b = &m->bits;

	m->direct_offset = take(b, 5);
	m->palette_size = take(b, 5);
	if (m->palette_size)
		m->palette_size++;
	m->palette_bits = take(b, 3) + 2;
	for (unsigned int i = 0; i < m->palette_size; i++)
		m->palette[i] = (uint16_t)take(b, m->palette_bits);
	m->have_palette = true;
	build_values(m);
}

static unsigned int index_width(const struct mlw *m)
{
	unsigned int width = 0;

	if (!m->palette_size)
		return m->palette_bits;
	while (1u << width < m->palette_size)
		width++;
	return width;
}

/* Quotients of a chunk, @open is carried from chunk to chunk. Returns how many ended. */
static unsigned int read_quotients(const struct unary *table, uint32_t first, uint32_t second,
				   uint16_t q[CHUNK + 4], unsigned int *open)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < CHUNK; i += 4, first >>= 4) {
		const struct unary *u = &table[(second & 15) << 4 | (first & 15)];

		memcpy(q + n, u->q, sizeof(u->q));
		q[n] = (uint16_t)(q[n] + *open);
		*open = u->ends ? u->open : *open + u->open;
		n += u->ends;
		second >>= u->used;
	}
	return n;
}

/* The same for zero runs, where each 1 counts one. */
static unsigned int read_runs(uint32_t unary, unsigned int len, uint64_t q[CHUNK], uint64_t *open)
{
	unsigned int n = 0;

	while (len) {
		unsigned int ones = (unsigned int)__builtin_ctz(~unary);

		if (ones >= len) {
			*open += len;
			break;
		}
		q[n++] = *open + ones;
		*open = 0;
		unary >>= ones + 1;
		len -= ones + 1;
	}
	return n;
}

/* Join quotients and remainders, map indices to weights. False: an index without a value. */
static bool read_weights(struct mlw *m, const uint16_t *q, unsigned int n, unsigned int div,
			 int16_t *out)
{
	int last = (int)m->indices - 1, bad = 0;

	/* Remainders have 9 bits at most: six are in a word. */
	for (unsigned int from = 0; from < n; from += 6) {
		unsigned int to = n - from < 6 ? n : from + 6;
		uint64_t word = peek(&m->bits);

		for (unsigned int i = from; i < to; i++) {
			int index = (int)((unsigned int)q[i] << div | low_bits(word, div));

			word >>= div;
			bad |= last - index;
			out[i] = m->value[index & (INDEX_VALUES - 1)];
		}
		m->bits.at += (uint64_t)(to - from) * div;
	}
	return bad >= 0;
}

static void read_run_lengths(struct mlw *m, const uint64_t *q, unsigned int n, unsigned int div,
			     uint32_t *out)
{
	for (unsigned int i = 0; i < n; i++) {
		uint64_t run = q[i] << div | take(&m->bits, div);

		out[i] = run > UINT32_MAX ? UINT32_MAX : (uint32_t)run;
	}
}

static int read_body(struct mlw *m, unsigned int zdiv, unsigned int wdiv, bool truncated,
		     bool uncompressed)
{
	size_t zcount = m->zero_runs ? m->weights + m->initial_run : 0;
	unsigned int run_bits = zdiv == ZDIV_MAX ? 8 : 12;
	unsigned int chunk = uncompressed && wdiv > 5 ? CHUNK_WIDE : CHUNK;
	uint16_t wq[2][CHUNK + 4] = { { 0 } };
	uint64_t zq[2][CHUNK], zopen = 0;
	unsigned int wlast = 0, zlast = 0, wopen = 0, side = 0;
	size_t wpos = 0, zpos = 0;
	bool more;

	if (!m->unary_ready[truncated]) {
		build_unary(m->unary[truncated], truncated);
		m->unary_ready[truncated] = true;
	}
	do {
		long ahead = m->zero_runs ? (long)wpos - (long)zpos : 0;
		bool wenable = ahead < THROTTLE && wpos < m->weights;
		bool zenable = ahead >= 0 && zpos < zcount;
		size_t wfrom = wpos - wlast, zfrom = zpos - zlast;
		unsigned int wnow = 0, znow = 0;
		uint64_t word = peek(&m->bits);
		uint32_t first = 0;

		more = wenable || zenable;
		if (wenable && !uncompressed) {
			first = low_bits(word, CHUNK);
			word >>= CHUNK;
			m->bits.at += CHUNK;
		}
		if (zenable) {
			znow = read_runs(low_bits(word, run_bits), run_bits, zq[side], &zopen);
			if (znow > zcount - zpos)
				znow = (unsigned int)(zcount - zpos);
			word >>= run_bits;
			m->bits.at += run_bits;
		}
		if (wenable) {
			wnow = chunk;
			if (!uncompressed) {
				wnow = read_quotients(m->unary[truncated], first, (uint32_t)word,
						      wq[side], &wopen);
				m->bits.at += (unsigned int)__builtin_popcount(first);
			}
			if (wnow > m->weights - wpos)
				wnow = (unsigned int)(m->weights - wpos);
		}
		side ^= 1;
		if (!read_weights(m, wq[side], wlast, wdiv, m->w + wfrom))
			return -EINVAL;
		if (zlast)
			read_run_lengths(m, zq[side], zlast, zdiv, m->z + zfrom);
		wpos += wnow;
		zpos += znow;
		wlast = wnow;
		zlast = znow;
		if (wopen >= INDEX_VALUES || overrun(&m->bits))
			return -EINVAL;
	} while (more);
	return 0;
}

/* Decode the next slice. Returns 1, 0 at the end of the stream, -EINVAL. */
static int read_slice(struct mlw *m)
{
	struct bits *b = &m->bits;
	unsigned int zdiv, wdiv;
	bool truncated, new_palette, uncompressed;

	do {
		if (b->at + 3 > (uint64_t)b->len * 8)
			return 0;
		zdiv = take(b, 3);
		if (zdiv == ZDIV_END)
			b->at = (b->at + 7) & ~UINT64_C(7);
	} while (zdiv == ZDIV_END);

	m->weights = take(b, 15) + 1;
	wdiv = take(b, 3);
	truncated = take(b, 1);
	new_palette = take(b, 1);
	if (new_palette)
		read_palette(m);
	if ((zdiv > ZDIV_MAX && zdiv != ZDIV_NONE) || !m->have_palette || overrun(b))
		return -EINVAL;
	uncompressed = wdiv == WDIV_UNCOMPRESSED;
	if (uncompressed)
		wdiv = index_width(m);
	else if (wdiv > WDIV_MAX)
		return -EINVAL;
	m->zero_runs = zdiv != ZDIV_NONE;
	m->initial_run = m->zero_runs && new_palette;
	return read_body(m, zdiv, wdiv, truncated, uncompressed) ?: 1;
}

/* Weights of the slice, with its zeros. */
static uint64_t slice_total(const struct mlw *m)
{
	uint64_t total = m->weights;

	if (m->zero_runs)
		for (size_t i = 0; i < m->weights + m->initial_run; i++)
			total += m->z[i];
	return total;
}

/* Put the first @room weights of the slice, or all if there are less. Returns how many. */
static size_t put_slice(const struct mlw *m, int16_t *out, size_t room)
{
	const uint32_t *z = m->z;
	size_t at = 0, run = 0;

	if (!m->zero_runs) {
		at = m->weights < room ? m->weights : room;
		memcpy(out, m->w, at * sizeof(*out));
		return at;
	}
	if (m->initial_run)
		run = *z++;
	for (size_t i = 0;; i++) {
		if (run > room - at)
			run = room - at;
		memset(out + at, 0, run * sizeof(*out));
		at += run;
		if (i == m->weights || at == room)
			return at;
		out[at++] = m->w[i];
		run = z[i];
	}
}

static struct mlw *mlw_new(const uint8_t *data, size_t len)
{
	struct mlw *m = malloc(sizeof(*m));

	if (!m)
		return NULL;
	m->bits = (struct bits){ .data = data, .len = len };
	m->have_palette = false;
	m->unary_ready[0] = false;
	m->unary_ready[1] = false;
	return m;
}

int npu_mlw_decode_exact(const uint8_t *data, size_t len, int16_t *out, size_t count)
{
	struct mlw *m;
	size_t at = 0;
	int ret = 1;

	if (!count)
		return 0;
	if ((count - 1) / NPU_MLW_PER_BYTE >= len)
		return -EINVAL;
	m = mlw_new(data, len);
	if (!m)
		return -ENOMEM;
	while (at < count) {
		ret = read_slice(m);
		if (ret <= 0)
			break;
		at += put_slice(m, out + at, count - at);
	}
	free(m);
	return ret < 0 || at < count ? -EINVAL : 0;
}

long npu_mlw_decode(const uint8_t *data, size_t len, size_t max, int16_t **out)
{
	struct mlw *m = mlw_new(data, len);
	size_t at = 0, size = 0;
	int16_t *all = NULL, *grown;
	long ret;

	if (!m)
		return -ENOMEM;
	while ((ret = read_slice(m)) > 0) {
		uint64_t total = slice_total(m);

		if (total > max - at) {
			ret = -E2BIG;
			break;
		}
		if (total > size - at) {
			size = at + (size_t)total > 2 * size ? at + (size_t)total : 2 * size;
			grown = realloc(all, size * sizeof(*all));
			if (!grown) {
				ret = -ENOMEM;
				break;
			}
			all = grown;
		}
		at += put_slice(m, all + at, size - at);
	}
	free(m);
	if (ret < 0) {
		free(all);
		return ret;
	}
	*out = all;
	return (long)at;
}
