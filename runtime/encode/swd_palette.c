/* SPDX-License-Identifier: MIT */
/* What the codes of the standard weight stream cost, and the palette that makes them cheap. */
#include <string.h>

#include "runtime/encode/swd.h"

#define HEADER_BITS		23u	/* ZDIV 3, SLICELEN 15, WDIV 3, WTRUNC 1, NEWPAL 1 */
#define PALETTE_HEADER_BITS	13u	/* DIROFS 5, PALSIZE 5, PALBITS 3 */
#define OFFSET_MAX		31u	/* DIROFS has 5 bits */
#define CLASSIFY		32u	/* symbols that are looked at together */
#define COUNT_TWICE		1024u	/* classes from which on a second table pays */

/* Classes of zeros, the first of which comes after @run zeros. Returns how many there are at the end. */
static uint32_t classify_runs(uint16_t *symbols, size_t count, uint32_t run)
{
	/* By place in the run, modulo 8. */
	static const uint16_t of_place[8] = {
		SWD_VALUES + 2, 0, SWD_VALUES, 0, SWD_VALUES + 1, 0, SWD_VALUES, 0,
	};

	/* Without branches: nothing foretells zeros. */
	for (size_t i = 0; i < count; i++) {
		uint16_t symbol = symbols[i], class;

		run = symbol ? 0 : run + 1;
		class = of_place[run & 7];
		symbols[i] = symbol ? symbol : class;
	}
	return run;
}

/* Are there two zeros side by side among CLASSIFY symbols? */
static bool has_runs(const uint16_t *symbols)
{
	uint16_t any = 0;

	for (unsigned int i = 0; i < CLASSIFY - 1; i++)
		any |= !(symbols[i] | symbols[i + 1]);
	return any;
}

void swd_classify(uint16_t *symbols, size_t count)
{
	uint32_t run = 0;
	size_t at = 0;

	/* A zero by itself is class 0, as it is. */
	for (; at + CLASSIFY <= count; at += CLASSIFY) {
		if ((run && !symbols[at]) || has_runs(symbols + at))
			run = classify_runs(symbols + at, CLASSIFY, run);
		else
			run = !symbols[at + CLASSIFY - 1];
	}
	classify_runs(symbols + at, count - at, run);
}

void swd_count(const uint16_t *classes, size_t count, struct swd_hist *hist)
{
	uint32_t odd[SWD_CLASSES];
	size_t i = 0;

	memset(hist, 0, sizeof(*hist));
	if (count >= COUNT_TWICE) {
		/* Two tables: the same counter twice in a row would wait for itself. */
		memset(odd, 0, sizeof(odd));
		for (; i + 2 <= count; i += 2) {
			hist->count[classes[i]]++;
			odd[classes[i + 1]]++;
		}
		for (unsigned int v = 0; v < SWD_CLASSES; v++)
			hist->count[v] += odd[v];
	}
	for (; i < count; i++)
		hist->count[classes[i]]++;
}

static unsigned int bits_of(unsigned int value)
{
	return value ? 32 - (unsigned int)__builtin_clz(value) : 0;
}

void swd_index(const struct swd_palette *palette, uint16_t index[SWD_VALUES])
{
	unsigned int low = palette->offset, end = SWD_VALUES;
	int shift = palette->size - palette->offset;

	if (shift > 0)
		end -= (unsigned int)shift;
	for (unsigned int v = 0; v < low; v++)
		index[v] = SWD_NO_INDEX;
	for (unsigned int v = low; v < end; v++)
		index[v] = (uint16_t)((int)v + shift);
	for (unsigned int v = end; v < SWD_VALUES; v++)
		index[v] = SWD_NO_INDEX;
	for (unsigned int i = palette->size; i-- > 0;)
		index[palette->entry[i]] = (uint16_t)i;
}

unsigned int swd_width(const struct swd_palette *palette)
{
	return palette->size ? bits_of(palette->size - 1u) : palette->bits;
}

uint32_t swd_header_bits(const struct swd_palette *palette, bool new_palette)
{
	return HEADER_BITS +
		(new_palette ? PALETTE_HEADER_BITS + palette->size * palette->bits : 0u);
}

/* Zeros whose place in their run is a multiple of 1 << @div. */
static uint32_t run_quotients(const struct swd_hist *hist, unsigned int div)
{
	uint32_t sum = div ? 0 : hist->count[0];

	for (unsigned int i = div ? div : 1; i < SWD_RUN_MODES; i++)
		sum += hist->count[SWD_VALUES - 1 + i];
	return sum;
}

/* The cheapest divisor for @runs zero runs and what they take, chunks not filled up. */
static uint32_t best_runs(const struct swd_hist *hist, uint32_t runs, uint8_t *mode)
{
	uint32_t best = UINT32_MAX;

	for (unsigned int div = 0; div < SWD_RUN_MODES; div++) {
		uint32_t bits = runs * (1 + div) + run_quotients(hist, div);

		if (bits < best) {
			best = bits;
			*mode = (uint8_t)div;
		}
	}
	return best;
}

/* --- The search for a palette --- */

/**
 * struct ranking - values of a histogram and a palette that grows
 * @weights: values that are coded
 * @used: how many are different
 * @low, @high: extremes of those that are not in the palette
 * @top: the most frequent first, @top_count of them
 * @of_top: how many of the first 0, 1, 2... of them there are
 * @count: of a value, 0 for what zero runs take
 * @above: of all values from this one on that are not in the palette
 */
struct ranking {
	uint32_t weights, used, low, high;
	uint16_t top[SWD_PALETTE_MAX];
	uint32_t top_count;
	uint32_t of_top[SWD_PALETTE_MAX + 1];
	uint32_t count[SWD_VALUES];
	uint32_t above[SWD_VALUES + 1];
};

/* Take note of a value that @n weights have. */
static void rank_value(struct ranking *r, unsigned int v, uint32_t n)
{
	uint32_t at = r->top_count;

	r->weights += n;
	r->used++;
	r->high = v;
	if (r->low == SWD_VALUES)
		r->low = v;
	if (at == SWD_PALETTE_MAX && n <= r->of_top[at])
		return;
	if (at == SWD_PALETTE_MAX)
		at--;
	else
		r->top_count++;
	/* For now of_top[i + 1] is the count of top[i]. */
	for (; at && r->of_top[at] < n; at--) {
		r->top[at] = r->top[at - 1];
		r->of_top[at + 1] = r->of_top[at];
	}
	r->top[at] = (uint16_t)v;
	r->of_top[at + 1] = n;
}

static void rank(struct ranking *r, const struct swd_hist *hist, bool zero_runs)
{
	uint32_t above = 0;

	memcpy(r->count, hist->count, sizeof(r->count));
	r->count[0] = zero_runs ? 0 : swd_zeros(hist);
	r->weights = r->used = r->high = r->top_count = 0;
	r->low = SWD_VALUES;
	for (unsigned int v = 0; v < SWD_VALUES; v += 8) {
		uint32_t any = 0;

		/* Most of the large values do not exist. */
		for (unsigned int i = v; i < v + 8; i++)
			any |= r->count[i];
		for (unsigned int i = v; any && i < v + 8; i++)
			if (r->count[i])
				rank_value(r, i, r->count[i]);
	}
	r->of_top[0] = 0;
	for (uint32_t i = 0; i < r->top_count; i++)
		r->of_top[i + 1] += r->of_top[i];
	memset(&r->above[r->high], 0, (SWD_VALUES + 1 - r->high) * sizeof(r->above[0]));
	for (unsigned int v = r->high + 1; v-- > 0;) {
		above += r->count[v];
		r->above[v] = above;
	}
}

/**
 * struct indices - how many weights have which index, for one size of the palette
 * @high: greatest index
 * @shift: index less value, outside the palette
 */
struct indices {
	uint32_t size, high;
	int shift;
};

/* Weights whose index is @index or more. */
static inline uint32_t from_index(const struct ranking *r, const struct indices *x, uint32_t index)
{
	uint32_t tops = x->size < r->top_count ? x->size : r->top_count;

	if (index < tops)
		return r->of_top[tops] - r->of_top[index] + r->above[0];
	if (index < x->size)
		return r->above[0];
	if (index > x->high)
		return 0;
	return r->above[(int)index - x->shift];
}

/* Quotients of all weights, or any sum above @most: from_index() of every @step-th index but 0. */
static inline uint32_t quotients(const struct ranking *r, const struct indices *x, uint32_t step,
				 uint32_t most)
{
	uint32_t tops = x->size < r->top_count ? x->size : r->top_count;
	uint32_t all = r->of_top[tops] + r->above[0], sum = 0, index = step;

	for (; index < tops; index += step)
		sum += all - r->of_top[index];
	for (; index < x->size; index += step)
		sum += r->above[0];
	for (; index <= x->high && sum <= most; index += step)
		sum += r->above[(int)index - x->shift];
	return sum;
}

/**
 * struct find - the best palette so far for a mode
 * @bits: with headers and zero runs
 * @mode: of a search in all modes at once
 */
struct find {
	uint32_t bits, size, high;
	int shift;
	unsigned int mode;
};

/*
 * What no palette makes of the weights less: indices in the order of how frequent values are, whatever the
 * palette costs.
 */
static uint32_t least_bits(const struct ranking *r)
{
	uint32_t others = r->weights - r->of_top[r->top_count], best = r->weights;
	unsigned int width = r->used > 1 ? bits_of(r->used - 1) : 1;

	best *= width < 2 ? 1 : width;
	for (unsigned int div = 0; div < SWD_TRUNCATED; div++) {
		uint32_t bits = r->weights * (1 + div) + others * (r->top_count >> div > 0), more = 0;

		/* A quotient takes its bits, truncated one at most: the least of both. */
		for (uint32_t i = 1u << div; i < r->top_count; i++)
			more += r->count[r->top[i]];
		if (bits + more < best)
			best = bits + more;
	}
	return best;
}

/**
 * struct finds - the best of each mode, or of all
 * @each: of each; those that are much worse than the best of all need not be right
 * @fixed: bits that zero runs take
 * @bound: that weights take at least
 * @least: bits of the best of all
 */
struct finds {
	bool each;
	uint32_t fixed, bound, least;
	struct find best[SWD_MODES];
};

static unsigned int entry_bits(unsigned int most)
{
	return most < 4 ? 2 : bits_of(most);
}

static void fill_palette(struct swd_palette *p, const struct ranking *r, const struct find *x,
			 bool zero_runs)
{
	unsigned int most = 0;

	memset(p, 0, sizeof(*p));
	p->zero_runs = zero_runs;
	p->size = (uint8_t)x->size;
	p->offset = (uint8_t)((int)x->size - x->shift);
	for (uint32_t i = 0; i < x->size; i++) {
		/* A single value is there twice: palettes of one entry cannot be written. */
		p->entry[i] = r->top[i < r->top_count ? i : 0];
		if (p->entry[i] > most)
			most = p->entry[i];
	}
	p->bits = (uint8_t)entry_bits(x->size ? most : x->high);
}

static uint32_t worth(const struct finds *finds, const struct find *find)
{
	uint32_t close = finds->least + finds->least / SWD_WORTH;

	return finds->least == SWD_IMPOSSIBLE || close > find->bits ? find->bits : close;
}

static void note(struct finds *finds, unsigned int mode, const struct indices *x, uint32_t bits)
{
	struct find *find = &finds->best[finds->each ? mode : 0];

	/* Of equal ones the first, and of all modes' the one of the lowest mode. */
	if (bits > find->bits || (bits == find->bits && (finds->each || mode >= find->mode)))
		return;
	*find = (struct find){ .bits = bits, .size = x->size, .high = x->high, .shift = x->shift,
			       .mode = mode };
	if (bits < finds->least)
		finds->least = bits;
}

/*
 * Golomb-Rice codes, @most being the largest quotient, or truncated ones. Those with small divisors may be
 * impossible, those with large ones take too many bits by their remainders alone.
 */
static void try_golomb(struct finds *finds, const struct ranking *r, const struct indices *x,
		       uint32_t fixed, bool truncated)
{
	unsigned int most = truncated ? 2 : SWD_QUOTIENT_MAX, div = 0;

	if (x->high > most)
		div = bits_of(x->high) - bits_of(most);
	div += x->high >> div > most;
	for (; div < SWD_TRUNCATED; div++) {
		unsigned int mode = truncated ? SWD_TRUNCATED + div : div;
		uint32_t limit = worth(finds, &finds->best[finds->each ? mode : 0]);
		uint32_t bits = fixed + r->weights * (1 + div);

		if (bits > limit) {
			if (!finds->each)
				break;
			continue;
		}
		bits += truncated ? from_index(r, x, 1u << div) :
				    quotients(r, x, 1u << div, limit - bits);
		if (bits <= limit)
			note(finds, mode, x, bits);
	}
}

/* Can a palette not be what is looked for, with @header bits of header? */
static bool is_hopeless(const struct finds *finds, uint32_t header)
{
	uint32_t limit = finds->each ? finds->least + finds->least / SWD_WORTH : finds->least;

	return finds->least != SWD_IMPOSSIBLE && finds->fixed + header + finds->bound > limit;
}

/* All modes with a palette of the @size most frequent values, @most the greatest of them. */
static void try_size(struct finds *finds, struct ranking *r, uint32_t size, unsigned int most)
{
	struct indices x = { .size = size };
	uint32_t offset = 0, fixed, width;
	struct swd_palette header = { .size = (uint8_t)size };

	if (r->above[0]) {
		/* Extremes of what is left. */
		while (r->low < SWD_VALUES - 1 && r->above[r->low + 1] == r->above[0])
			r->low++;
		while (r->high > r->low && r->above[r->high] == 0)
			r->high--;
		offset = r->low < OFFSET_MAX ? r->low : OFFSET_MAX;
		x.high = size + r->high - offset;
		if (x.high >= SWD_VALUES)
			return;
	} else {
		x.high = size ? size - 1 : 0;
	}
	x.shift = (int)size - (int)offset;
	header.bits = (uint8_t)entry_bits(size ? most : x.high);
	fixed = finds->fixed + swd_header_bits(&header, true);
	try_golomb(finds, r, &x, fixed, false);
	try_golomb(finds, r, &x, fixed, true);
	width = swd_width(&header);
	if (size ? x.high < size : !(x.high >> width))
		note(finds, SWD_FIXED, &x, fixed + r->weights * width);
}

static void try_sizes(struct finds *finds, struct ranking *r)
{
	struct swd_palette header = { .size = 0 };
	unsigned int most = 0;

	try_size(finds, r, 0, 0);
	for (uint32_t size = 1; size <= r->top_count || size == 2; size++) {
		if (size <= r->top_count) {
			uint32_t top = r->top[size - 1], n = r->count[top];

			if (top > most)
				most = top;
			/* Headers only grow. */
			header.size = (uint8_t)size;
			header.bits = (uint8_t)entry_bits(most);
			if (is_hopeless(finds, swd_header_bits(&header, true)))
				break;
			for (unsigned int v = 0; v <= top; v++)
				r->above[v] -= n;
		}
		if (size > 1 && r->top_count)
			try_size(finds, r, size, most);
	}
}

/* Search for a palette, @r being filled in. Returns the mode of zero runs. */
static uint8_t search(struct finds *finds, struct ranking *r, const struct swd_hist *hist,
		      bool zero_runs)
{
	uint8_t run_mode = 0;

	rank(r, hist, zero_runs);
	finds->fixed = zero_runs ? best_runs(hist, r->weights + 1, &run_mode) : 0;
	finds->bound = least_bits(r);
	finds->least = SWD_IMPOSSIBLE;
	for (unsigned int mode = 0; mode < SWD_MODES; mode++)
		finds->best[mode].bits = SWD_IMPOSSIBLE;
	try_sizes(finds, r);
	return run_mode;
}

unsigned int swd_choose(const struct swd_hist *hist, bool zero_runs,
			struct swd_choice best[SWD_MODES])
{
	struct finds finds = { .each = true };
	unsigned int cheapest = 0;
	struct ranking r;
	uint8_t run_mode = search(&finds, &r, hist, zero_runs);

	for (unsigned int mode = 0; mode < SWD_MODES; mode++) {
		const struct find *find = &finds.best[mode];

		best[mode] = (struct swd_choice){
			.mode = (uint8_t)mode, .run_mode = run_mode, .bits = find->bits,
		};
		if (find->bits != SWD_IMPOSSIBLE)
			fill_palette(&best[mode].palette, &r, find, zero_runs);
		if (find->bits < finds.best[cheapest].bits)
			cheapest = mode;
	}
	return cheapest;
}

void swd_choose_one(const struct swd_hist *hist, bool zero_runs, struct swd_choice *best)
{
	struct finds finds = { .each = false };
	struct ranking r;

	best->run_mode = search(&finds, &r, hist, zero_runs);
	best->mode = (uint8_t)finds.best[0].mode;
	best->bits = finds.best[0].bits;
	fill_palette(&best->palette, &r, &finds.best[0], zero_runs);
}

/* --- The exact size of a slice --- */

/*
 * Bits of weights in a mode, SWD_IMPOSSIBLE or anything not below @limit. @from: how many have that index
 * or more.
 */
static uint32_t exact_weights(const uint32_t from[SWD_VALUES + 1], uint32_t high, unsigned int mode,
			      const struct swd_palette *palette, uint32_t limit)
{
	unsigned int div = mode % SWD_TRUNCATED;
	uint32_t weights = from[0], first = weights, second = 0;

	if (mode == SWD_FIXED) {
		unsigned int width = swd_width(palette);

		if (palette->size ? high >= palette->size : high >> width)
			return SWD_IMPOSSIBLE;
		return weights * width;
	}
	if (high >> div > (mode >= SWD_TRUNCATED ? 2 : SWD_QUOTIENT_MAX) || weights * (1 + div) >= limit)
		return SWD_IMPOSSIBLE;
	if (mode >= SWD_TRUNCATED) {
		second = 1u << div <= high ? from[1u << div] : 0;
	} else {
		/* A quotient q takes q / 2 + 1 bits of the first sort and (q + 1) / 2 of the second. */
		for (uint32_t q = 1; q << div <= high; q++) {
			if (q & 1)
				second += from[q << div];
			else
				first += from[q << div];
		}
	}
	return swd_filled(first, SWD_CHUNK) + second + weights * div;
}

/*
 * How many weights have an index or a greater one. Values outside the palette have theirs in the order of the
 * values. Returns the greatest index that there is, or 0; @from[0] are those that have any.
 */
static uint32_t count_from(uint32_t from[SWD_VALUES + 1], const struct swd_palette *p,
			   const uint16_t index[SWD_VALUES], const struct swd_hist *hist,
			   uint32_t high_value, uint32_t zeros)
{
	uint32_t end = p->size, sum = 0, high;

	if (high_value >= p->offset) {
		uint32_t n = high_value - p->offset + 1;

		if (n > SWD_VALUES - end)
			n = SWD_VALUES - end;
		memcpy(&from[end], &hist->count[p->offset], n * sizeof(*from));
		if (!p->offset)
			from[end] = zeros;
		for (uint32_t i = 0; i < p->size; i++)
			if (p->entry[i] >= p->offset && p->entry[i] < p->offset + n)
				from[end + p->entry[i] - p->offset] = 0;
		end += n;
	}
	for (uint32_t i = 0; i < p->size; i++) {
		uint32_t v = p->entry[i];

		/* A value that is there twice has the first index. */
		from[i] = index[v] != i ? 0 : v ? hist->count[v] : zeros;
	}
	while (end && !from[end - 1])
		end--;
	high = end ? end - 1 : 0;
	while (end--) {
		sum += from[end];
		from[end] = sum;
	}
	from[0] = sum;
	return high;
}

uint32_t swd_slice_bits(struct swd_slice *slice, const uint16_t index[SWD_VALUES],
			const struct swd_hist *hist, uint32_t high_value)
{
	const struct swd_palette *p = slice->palette;
	uint32_t from[SWD_VALUES + 1], zeros = swd_zeros(hist), weights = slice->end - slice->start;
	uint32_t best = SWD_IMPOSSIBLE, run_best = 0, high;
	bool lone_zero;

	if (p->zero_runs)
		weights -= zeros;
	lone_zero = !weights;
	if (lone_zero) {
		/* Zeros only: the first of them is a weight. */
		if (index[0] == SWD_NO_INDEX)
			return SWD_IMPOSSIBLE;
		high = index[0];
		weights = 1;
		for (uint32_t i = 0; i <= high; i++)
			from[i] = 1;
	} else {
		high = count_from(from, p, index, hist, high_value, p->zero_runs ? 0 : zeros);
		if (from[0] != weights)
			return SWD_IMPOSSIBLE;
	}
	for (unsigned int mode = 0; mode < SWD_MODES; mode++) {
		uint32_t bits = exact_weights(from, high, mode, p, best);

		if (bits < best) {
			best = bits;
			slice->mode = (uint8_t)mode;
		}
	}
	if (best == SWD_IMPOSSIBLE)
		return best;
	slice->run_mode = 0;
	for (unsigned int div = 0; p->zero_runs && div < SWD_RUN_MODES; div++) {
		uint32_t runs = weights + slice->new_palette, unary = runs, bits;

		unary += lone_zero ? (zeros - 1) >> div : run_quotients(hist, div);
		bits = swd_filled(unary, swd_run_chunk(div)) + runs * div;
		if (!div || bits < run_best) {
			run_best = bits;
			slice->run_mode = (uint8_t)div;
		}
	}
	return best + run_best + swd_header_bits(p, slice->new_palette);
}
