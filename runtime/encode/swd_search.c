/* SPDX-License-Identifier: MIT */
/*
 * Where to cut a weight stream into slices, and with which palette to code each.
 *
 * A state is a palette, a code for weights and one for zero runs. What every class costs in every
 * state is in a table, what it costs to change states is the header of a slice, with or without a
 * palette; so the cheapest sequence of states is found by dynamic programming (Viterbi), exactly but
 * for unary chunks that slices leave unfilled, in steps of a few weights. The states to choose from
 * come first from the histograms of the whole window and its parts, then, round by round, from
 * those of the sections found. In the end the exact sizes decide.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/encode/swd_path.h"

#define STATES		SWD_STATES
#define PALETTES	256u
#define ROUNDS		4
#define WORTH		500	/* another round follows one that saved this part */
#define SHORT		4096u	/* windows up to here are cut in steps of 8, longer ones of 16 */
#define MOVES		24u	/* classes that a cut is moved to fill chunks */
#define PART_MIN	256u	/* a window in n parts has n * n times as many weights */
#define PARTS		8u
#define ZEROS_PART	8u	/* zero runs are looked at if this part is zeros */
#define SUMS		64u	/* histograms of a window */
#define SUM_MIN		512u
#define SLICES_MAX	(SWD_BLOCKS_MAX + SWD_WINDOW / SWD_SLICE_MAX + 2)

/**
 * struct solution - a way to cut the window
 * @bits: exact, with headers
 */
struct solution {
	uint64_t bits;
	uint32_t count;
	struct swd_slice slices[SLICES_MAX];
};

/**
 * struct swd_search - working memory
 * @step: classes of a block; states change between blocks only
 * @present, @present_count: classes that the window has
 * @high_value: the greatest value
 * @palettes: only added to while a window is searched, so that slices can point to them
 * @sums: classes of the first 0, 1, 2... times @sum_step
 * @path: the states to choose from, and those chosen
 */
struct swd_search {
	const uint16_t *classes;
	uint32_t count, step, blocks;
	uint16_t present[SWD_CLASSES];
	uint32_t present_count, high_value;
	struct swd_palette palettes[PALETTES];
	uint32_t palette_count;
	struct solution solutions[2];
	uint32_t sum_step;
	struct swd_hist sums[SUMS + 1];
	struct swd_path path;
};

/* All of a slice of zeros is one weight and one run. */
static const struct swd_palette zeros_only = { .bits = 2, .zero_runs = true };

/* --- States --- */

static bool same_palette(const struct swd_palette *a, const struct swd_palette *b)
{
	/* Most differ in what stands first. */
	return a->size == b->size && a->offset == b->offset && a->entry[0] == b->entry[0] &&
		!memcmp(a, b, sizeof(*a));
}

static void add_state(struct swd_search *s, const struct swd_palette *palette, uint8_t mode,
		      uint8_t run_mode)
{
	struct swd_state new = { 0, mode, run_mode };
	uint32_t p = 0;

	while (p < s->palette_count && !same_palette(&s->palettes[p], palette))
		p++;
	if (p == PALETTES || s->path.state_count == STATES)
		return;
	new.palette = (uint8_t)p;
	for (uint32_t i = 0; i < s->path.state_count; i++)
		if (s->path.states[i].palette == p && s->path.states[i].mode == mode &&
		    s->path.states[i].run_mode == run_mode)
			return;
	if (p == s->palette_count)
		s->palettes[s->palette_count++] = *palette;
	s->path.states[s->path.state_count++] = new;
}

static void add_choice(struct swd_search *s, const struct swd_choice *choice)
{
	if (choice->bits != SWD_IMPOSSIBLE)
		add_state(s, &choice->palette, choice->mode, choice->run_mode);
}

/*
 * States that suit some classes: the best with and without zero runs. For a whole window or section
 * also its palette with every other code, for parts that it does not suit, and the best of each mode.
 */
static void add_for(struct swd_search *s, const struct swd_hist *hist, bool whole)
{
	struct swd_choice best[SWD_MODES];
	uint32_t total = 0;

	for (unsigned int v = 0; v < SWD_CLASSES; v++)
		total += hist->count[v];
	for (int zero_runs = 0; zero_runs < 2; zero_runs++) {
		struct swd_choice *cheapest = &best[0];

		/* A run takes a bit for every weight: few zeros do not pay that. */
		if (zero_runs && swd_zeros(hist) < total / ZEROS_PART)
			break;
		if (whole)
			cheapest = &best[swd_choose(hist, zero_runs, best)];
		else
			swd_choose_one(hist, zero_runs, cheapest);
		add_choice(s, cheapest);
		for (uint8_t run_mode = 0; zero_runs && run_mode < SWD_RUN_MODES; run_mode++)
			add_state(s, &cheapest->palette, cheapest->mode, run_mode);
		for (uint8_t mode = 0; whole && mode < SWD_MODES; mode++)
			add_state(s, &cheapest->palette, mode, cheapest->run_mode);
		for (unsigned int mode = 0; whole && mode < SWD_MODES; mode++)
			if (best[mode].bits <= cheapest->bits + cheapest->bits / SWD_WORTH)
				add_choice(s, &best[mode]);
	}
}

/* Sums of classes, and which there are. */
static void sum_up(struct swd_search *s)
{
	uint32_t n = 0;

	s->sum_step = s->count / SUMS + 1 < SUM_MIN ? SUM_MIN : s->count / SUMS + 1;
	memset(&s->sums[0], 0, sizeof(s->sums[0]));
	for (uint32_t at = 0; s->count - at >= s->sum_step; at += s->sum_step, n++) {
		swd_count(s->classes + at, s->sum_step, &s->sums[n + 1]);
		for (unsigned int v = 0; v < SWD_CLASSES; v++)
			s->sums[n + 1].count[v] += s->sums[n].count[v];
	}
}

/* Histogram of the classes from @from up to @to. */
static void count_range(const struct swd_search *s, uint32_t from, uint32_t to, struct swd_hist *hist)
{
	uint32_t first = (from + s->sum_step - 1) / s->sum_step, last = to / s->sum_step;

	if (last <= first + 1) {
		swd_count(s->classes + from, to - from, hist);
		return;
	}
	for (unsigned int v = 0; v < SWD_CLASSES; v++)
		hist->count[v] = s->sums[last].count[v] - s->sums[first].count[v];
	for (uint32_t i = from; i < first * s->sum_step; i++)
		hist->count[s->classes[i]]++;
	for (uint32_t i = last * s->sum_step; i < to; i++)
		hist->count[s->classes[i]]++;
}

static void first_states(struct swd_search *s)
{
	struct swd_hist hist;

	s->path.state_count = 0;
	s->palette_count = 0;
	sum_up(s);
	count_range(s, 0, s->count, &hist);
	s->present_count = s->high_value = 0;
	for (unsigned int v = 0; v < SWD_CLASSES; v++) {
		if (!hist.count[v])
			continue;
		s->present[s->present_count++] = (uint16_t)v;
		if (v < SWD_VALUES)
			s->high_value = v;
	}
	add_for(s, &hist, true);
	for (uint32_t parts = 2; parts <= PARTS && s->count >= parts * parts * PART_MIN; parts *= 2)
		for (uint32_t i = 0; i < parts; i++) {
			uint32_t from = s->count / parts * i;

			count_range(s, from, from + s->count / parts, &hist);
			add_for(s, &hist, false);
		}
}

/* The states of a solution, what suits its sections better, then what there was before. */
static void better_states(struct swd_search *s, const struct solution *known)
{
	struct swd_state old[STATES];
	uint32_t old_count = s->path.state_count, from = 0;

	memcpy(old, s->path.states, sizeof(old));
	s->path.state_count = 0;
	for (uint32_t i = 0; i < known->count; i++) {
		const struct swd_slice *slice = &known->slices[i];

		add_state(s, slice->palette, slice->mode, slice->run_mode);
	}
	for (uint32_t i = 1; i <= known->count; i++) {
		struct swd_hist hist;
		uint32_t palettes;

		if (i < known->count && !known->slices[i].new_palette)
			continue;
		count_range(s, known->slices[from].start, known->slices[i - 1].end, &hist);
		palettes = s->palette_count;
		add_for(s, &hist, s->path.state_count < STATES / 2);
		/* Slices of the section keep their modes with the new palettes. */
		for (uint32_t p = palettes; p < s->palette_count; p++)
			for (uint32_t k = from; k < i; k++)
				add_state(s, &s->palettes[p], known->slices[k].mode,
					  known->slices[k].run_mode);
		from = i;
	}
	for (uint32_t i = 0; i < old_count && s->path.state_count < STATES / 2; i++)
		add_state(s, &s->palettes[old[i].palette], old[i].mode, old[i].run_mode);
}

/* --- Slices --- */

/*
 * Where a change of states at @at can be: before a run of zeros if runs begin to be coded there, if
 * they just go on before the weight that the run belongs to.
 */
static uint32_t legal_cut(const struct swd_search *s, uint32_t at, const struct swd_palette *before,
			  const struct swd_palette *after)
{
	if (!after->zero_runs)
		return at;
	while (at && at < s->count && swd_is_zero(s->classes[before == after ? at : at - 1]))
		at--;
	return at;
}

static void add_slice(const struct swd_search *s, struct solution *out, uint32_t start,
		      uint32_t end, const struct swd_palette *palette)
{
	const struct swd_palette *last = out->count ? out->slices[out->count - 1].palette : NULL;

	out->slices[out->count++] = (struct swd_slice){
		.start = start, .end = end, .palette = palette,
		.new_palette = last != palette ||
			(palette->zero_runs && swd_is_zero(s->classes[start])),
	};
}

/* Append a slice, or several if it has too many weights. */
static void add_slices(const struct swd_search *s, struct solution *out, uint32_t start,
		       uint32_t end, const struct swd_palette *palette)
{
	uint32_t weights = 0, i = start;

	/* One weight is enough to know that a short one is a slice. */
	if (end - start <= SWD_SLICE_MAX) {
		while (palette->zero_runs && i < end && swd_is_zero(s->classes[i]))
			i++;
		add_slice(s, out, start, end, i < end ? palette : &zeros_only);
		return;
	}
	for (; i < end; i++) {
		if (palette->zero_runs && swd_is_zero(s->classes[i]))
			continue;
		if (weights++ < SWD_SLICE_MAX)
			continue;
		add_slice(s, out, start, i, palette);
		start = i;
		weights = 1;
	}
	add_slice(s, out, start, end, weights ? palette : &zeros_only);
}

static int cost_of(const struct swd_search *s, uint32_t i, uint32_t state)
{
	uint32_t column = swd_path_column(&s->path, state);

	return s->path.cost[s->classes[i]][column / SWD_LANES][column % SWD_LANES];
}

/* The best place near @at for the change from @before to @after, which was found block by block. */
static uint32_t exact_cut(const struct swd_search *s, uint32_t at, uint32_t before, uint32_t after)
{
	int32_t best = 0, sum = 0;
	uint32_t place = at;

	for (uint32_t i = at; i < s->count && i < at + s->step; i++) {
		sum += cost_of(s, i, before) - cost_of(s, i, after);
		if (sum < best) {
			best = sum;
			place = i + 1;
		}
	}
	sum = 0;
	for (uint32_t i = at; i-- > at - s->step;) {
		sum += cost_of(s, i, after) - cost_of(s, i, before);
		if (sum < best) {
			best = sum;
			place = i;
		}
	}
	return place;
}

static void cut(const struct swd_search *s, struct solution *out)
{
	uint32_t start = 0, block = 0;

	out->count = 0;
	while (block < s->blocks) {
		const struct swd_palette *p = &s->palettes[s->path.states[s->path.path[block]].palette];
		uint32_t state = s->path.path[block], end;

		while (block < s->blocks && s->path.path[block] == state)
			block++;
		end = s->count;
		if (block < s->blocks)
			end = legal_cut(s, exact_cut(s, block * s->step, state, s->path.path[block]), p,
					&s->palettes[s->path.states[s->path.path[block]].palette]);
		if (end <= start)
			continue;
		add_slices(s, out, start, end, p);
		start = end;
	}
}

static bool fits(const struct swd_slice *slice, const struct swd_hist *hist)
{
	uint32_t weights = slice->end - slice->start;

	if (slice->palette->zero_runs)
		weights -= swd_zeros(hist);
	return weights <= SWD_SLICE_MAX;
}

/* Count exactly, set modes, and join neighbours of a section where that is no larger. */
static void polish(const struct swd_search *s, struct solution *x)
{
	struct swd_hist hist[3];
	struct swd_hist *last = &hist[0], *this = &hist[1], *both = &hist[2], *swap;
	uint16_t index[SWD_VALUES];
	uint32_t kept = 0, last_bits = 0;

	x->bits = 0;
	for (uint32_t i = 0; i < x->count; i++) {
		struct swd_slice slice = x->slices[i], joined;
		uint32_t bits, joined_bits;

		if (slice.new_palette || !i)
			swd_index(slice.palette, index);
		count_range(s, slice.start, slice.end, this);
		bits = swd_slice_bits(&slice, index, this, s->high_value);
		if (!slice.new_palette && i) {
			joined = x->slices[kept - 1];
			joined.end = slice.end;
			for (unsigned int v = 0; v < SWD_CLASSES; v++)
				both->count[v] = last->count[v] + this->count[v];
			joined_bits = swd_slice_bits(&joined, index, both, s->high_value);
			if (joined_bits <= last_bits + bits && fits(&joined, both)) {
				x->bits += joined_bits - last_bits;
				x->slices[kept - 1] = joined;
				last_bits = joined_bits;
				swap = last;
				last = both;
				both = swap;
				continue;
			}
		}
		x->slices[kept++] = slice;
		x->bits += bits;
		last_bits = bits;
		swap = last;
		last = this;
		this = swap;
	}
	x->count = kept;
}

/* --- Cuts to the bit --- */

/* What a slice has: bits of its two sorts of unary chunks, and others. */
struct load {
	uint32_t first, runs, rest;
};

/* Count @n of a class. Returns false if it cannot be coded. */
static bool load_class(struct load *load, const struct swd_slice *slice,
		       const uint16_t index[SWD_VALUES], uint16_t class, uint32_t n)
{
	const struct swd_palette *p = slice->palette;
	unsigned int div = slice->mode % SWD_TRUNCATED, q;

	if (p->zero_runs && swd_is_zero(class)) {
		load->runs += swd_run_place(class) >= slice->run_mode ? n : 0;
		return true;
	}
	if (p->zero_runs) {
		load->runs += n;
		load->rest += slice->run_mode * n;
	}
	class = class < SWD_VALUES ? class : 0;
	if (slice->mode == SWD_FIXED) {
		load->rest += swd_width(p) * n;
	} else {
		q = (unsigned int)index[class] >> div;
		load->first += (slice->mode >= SWD_TRUNCATED ? 1 : 1 + q / 2) * n;
		load->rest += (div + (slice->mode >= SWD_TRUNCATED ? q > 0 : (q + 1) / 2)) * n;
	}
	return swd_index_cost(p, slice->mode, index[class]) != SWD_IMPOSSIBLE_COST;
}

static void load_slice(const struct swd_search *s, struct load *load,
		       const struct swd_slice *slice, const uint16_t index[SWD_VALUES])
{
	struct swd_hist hist;

	*load = (struct load){ 0 };
	if (slice->palette->zero_runs && slice->new_palette)
		*load = (struct load){ .runs = 1, .rest = slice->run_mode };
	count_range(s, slice->start, slice->end, &hist);
	for (uint32_t i = 0; i < s->present_count; i++)
		if (hist.count[s->present[i]])
			load_class(load, slice, index, s->present[i], hist.count[s->present[i]]);
}

static uint32_t load_bits(const struct load *load, const struct swd_slice *slice)
{
	return swd_filled(load->first, SWD_CHUNK) + load->rest +
		swd_filled(load->runs, swd_run_chunk(slice->run_mode));
}

/*
 * Move the cut between @a and @b class by class into one of them as long as that might help. What they
 * have is kept in @load_a and @load_b.
 */
static void move_cut(const struct swd_search *s, struct swd_slice *a, struct swd_slice *b,
		     struct load *load_a, struct load *load_b, const uint16_t index[SWD_VALUES],
		     bool into_b)
{
	const struct swd_slice *gains = into_b ? a : b, *loses = into_b ? b : a;
	struct load new_a = *load_a, new_b = *load_b;
	struct load *gain = into_b ? &new_a : &new_b, *loss = into_b ? &new_b : &new_a;
	uint32_t best = load_bits(load_a, a) + load_bits(load_b, b), at = b->start, place = at;
	uint32_t end = into_b ? b->end - 1 : a->start + 1;
	bool possible;

	for (uint32_t moved = 0; moved < MOVES && at != end; moved++) {
		struct load gone = { 0 };
		uint32_t i = into_b ? at++ : --at, bits;

		possible = load_class(gain, gains, index, s->classes[i], 1);
		load_class(&gone, loses, index, s->classes[i], 1);
		loss->first -= gone.first;
		loss->runs -= gone.runs;
		loss->rest -= gone.rest;
		if (!possible)
			break;
		if (a->palette->zero_runs && swd_is_zero(s->classes[at]))
			continue;
		bits = load_bits(&new_a, a) + load_bits(&new_b, b);
		if (bits < best) {
			best = bits;
			place = at;
			*load_a = new_a;
			*load_b = new_b;
		}
	}
	a->end = b->start = place;
}

/* Can the cut before slice @i be moved? */
static bool movable(const struct solution *x, uint32_t i)
{
	return i && i < x->count && !x->slices[i].new_palette;
}

/* Move cuts to where chunks are better filled. */
static void settle(const struct swd_search *s, struct solution *x)
{
	struct load load_a = { 0 }, load_b;
	uint16_t index[SWD_VALUES];

	for (uint32_t i = 0; i < x->count; i++, load_a = load_b) {
		struct swd_slice *a = &x->slices[i ? i - 1 : 0], *b = &x->slices[i];

		if (!movable(x, i) && !movable(x, i + 1))
			continue;
		if (b->new_palette || !movable(x, i))
			swd_index(b->palette, index);
		load_slice(s, &load_b, b, index);
		if (!movable(x, i) || a->end - a->start > SWD_SLICE_MAX - MOVES ||
		    b->end - b->start > SWD_SLICE_MAX - MOVES)
			continue;
		move_cut(s, a, b, &load_a, &load_b, index, false);
		move_cut(s, a, b, &load_a, &load_b, index, true);
	}
}

/* All in one slice, if that is smaller than what @x has. */
static void try_single(const struct swd_search *s, struct solution *x)
{
	uint16_t index[SWD_VALUES];
	struct swd_hist hist;

	count_range(s, 0, s->count, &hist);
	for (uint32_t i = 0; i < s->palette_count; i++) {
		struct swd_slice slice = {
			.end = s->count, .palette = &s->palettes[i], .new_palette = true,
		};
		uint32_t bits;

		if (!fits(&slice, &hist))
			continue;
		swd_index(slice.palette, index);
		bits = swd_slice_bits(&slice, index, &hist, s->high_value);
		if (bits >= x->bits)
			continue;
		x->bits = bits;
		x->slices[0] = slice;
		x->count = 1;
	}
}

static uint32_t sections_of(const struct solution *x)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < x->count; i++)
		count += x->slices[i].new_palette;
	return count;
}

struct swd_search *swd_search_new(void)
{
	void *memory;

	if (posix_memalign(&memory, sizeof(swd_lanes), sizeof(struct swd_search)))
		return NULL;
	return memory;
}

void swd_search_free(struct swd_search *search)
{
	free(search);
}

uint32_t swd_search_window(struct swd_search *s, const uint16_t *classes, uint32_t count,
			   const struct swd_slice **slices)
{
	struct solution *best = &s->solutions[0], *next = &s->solutions[1], *swap;

	s->classes = classes;
	s->count = count;
	s->step = count <= SHORT ? 8 : 16;
	s->blocks = (count + s->step - 1) / s->step;
	first_states(s);
	for (int round = 0; round < ROUNDS; round++) {
		uint64_t before = best->bits;

		swd_path_prepare(&s->path, s->palettes, s->present, s->present_count);
		swd_path_find(&s->path, classes, count, s->step);
		cut(s, next);
		polish(s, next);
		if (!round || next->bits < before) {
			swap = best;
			best = next;
			next = swap;
		}
		if (sections_of(best) == 1 || (round && best->bits >= before - before / WORTH))
			break;
		better_states(s, best);
	}
	if (best->count > 1) {
		next->count = best->count;
		memcpy(next->slices, best->slices, best->count * sizeof(*best->slices));
		settle(s, next);
		polish(s, next);
		if (next->bits < best->bits)
			best = next;
	}
	try_single(s, best);
	*slices = best->slices;
	return best->count;
}
