/* SPDX-License-Identifier: MIT */
/*
 * The cheapest sequence of states through a window, by dynamic programming (Viterbi).
 *
 * States are columns of vectors of 16 bits. What it costs to be in a state is kept relative to the
 * cheapest one: any state can be entered from that for the price of its header, so no difference that
 * matters exceeds a few hundred. The states of a palette stand side by side in a power of two of
 * columns, the large ones first: the cheapest of a palette is found by exchanging neighbours. Which
 * state one came from is not noted on the way, only the costs are; they say it again on the way back.
 */
#include <string.h>

#include "runtime/encode/swd_path.h"

#define UNFILLED	6u	/* bits of a chunk that a slice leaves unfilled, on average */
#define TOO_DEAR	600	/* to enter: more than any header */

#if defined(__x86_64__) || defined(__i386__)
#define HAVE_AVX2	1
#else
#define HAVE_AVX2	0
#endif

int swd_index_cost(const struct swd_palette *p, unsigned int mode, uint16_t index)
{
	unsigned int div = mode % SWD_TRUNCATED, q = (unsigned int)index >> div;

	if (index == SWD_NO_INDEX)
		return SWD_IMPOSSIBLE_COST;
	if (mode == SWD_FIXED) {
		unsigned int width = swd_width(p);

		if (p->size ? index >= p->size : index >> width)
			return SWD_IMPOSSIBLE_COST;
		return (int)width;
	}
	if (mode >= SWD_TRUNCATED)
		return q > 2 ? SWD_IMPOSSIBLE_COST : (int)(div + 1 + (q > 0));
	return q > SWD_QUOTIENT_MAX ? SWD_IMPOSSIBLE_COST : (int)(div + 1 + q);
}

/* swd_index_cost() of many, and @more. Of no index the quotient is too large by itself. */
static void index_costs(const struct swd_palette *p, unsigned int mode, const uint16_t *index,
			uint32_t count, int more, int16_t *out)
{
	unsigned int div = mode % SWD_TRUNCATED, width = swd_width(p);
	unsigned int limit = p->size ? p->size : 1u << width;
	int16_t bits = (int16_t)((int)div + 1 + more);

	if (mode == SWD_FIXED) {
		for (uint32_t i = 0; i < count; i++)
			out[i] = (int16_t)(index[i] < limit ? (int)width + more : SWD_IMPOSSIBLE_COST);
	} else if (mode >= SWD_TRUNCATED) {
		for (uint32_t i = 0; i < count; i++) {
			uint16_t q = (uint16_t)(index[i] >> div);

			out[i] = (int16_t)(q > 2 ? SWD_IMPOSSIBLE_COST : bits + (q > 0));
		}
	} else {
		for (uint32_t i = 0; i < count; i++) {
			uint16_t q = (uint16_t)(index[i] >> div);

			out[i] = (int16_t)(q > SWD_QUOTIENT_MAX ? SWD_IMPOSSIBLE_COST : bits + q);
		}
	}
}

static void fill_column(struct swd_path *path, const struct swd_state *state, uint32_t column,
			const struct swd_palette *p, const uint16_t *index, const uint16_t *present,
			uint32_t count)
{
	int16_t cost[SWD_CLASSES];

	index_costs(p, state->mode, index, count, p->zero_runs ? 1 + state->run_mode : 0, cost);
	/* Zeros are the first and the last. */
	for (uint32_t i = count; p->zero_runs && i-- > 0 && swd_is_zero(present[i]);)
		cost[i] = swd_run_place(present[i]) >= state->run_mode;
	if (p->zero_runs && !present[0])
		cost[0] = !state->run_mode;
	for (uint32_t i = 0; i < count; i++)
		((int16_t *)path->cost[present[i]])[column] = cost[i];
}

static uint32_t key(const struct swd_state *s)
{
	return (uint32_t)s->palette << 16 | (uint32_t)s->mode << 8 | s->run_mode;
}

static void sort_states(struct swd_path *path)
{
	for (uint32_t i = 1; i < path->state_count; i++) {
		struct swd_state state = path->states[i];
		uint32_t at = i;

		for (; at && key(&path->states[at - 1]) > key(&state); at--)
			path->states[at] = path->states[at - 1];
		path->states[at] = state;
	}
}

/* Groups lie in the order of their rooms, so that the first of a vector is the largest in it. */
static void set_spans(struct swd_path *path)
{
	uint8_t room[SWD_COLUMNS] = { 0 };

	for (uint32_t g = 0; g < path->group_count; g++)
		memset(&room[path->groups[g].column], path->groups[g].room, path->groups[g].room);
	for (uint32_t column = 0; column < path->vectors * SWD_LANES; column++)
		for (unsigned int k = 0; k < 4; k++)
			path->apart[column / SWD_LANES][k][column % SWD_LANES] =
				room[column] > 1u << k ? 0 : INT16_MAX;
	path->span_count = 0;
	for (uint32_t v = 0; v < path->vectors;) {
		uint8_t most = room[v * SWD_LANES];
		struct swd_span *span = &path->spans[path->span_count++];

		span->vectors = most > SWD_LANES ? most / SWD_LANES : 1;
		span->neighbours = most > SWD_LANES ? SWD_LANES : most;
		v += span->vectors;
	}
}

static void set_groups(struct swd_path *path)
{
	uint32_t column = 0;

	path->group_count = 0;
	for (uint32_t i = 0; i < path->state_count; i++) {
		if (!i || path->states[i - 1].palette != path->states[i].palette)
			path->groups[path->group_count++] = (struct swd_group){
				.first = (uint8_t)i, .room = 1,
			};
		path->groups[path->group_count - 1].count++;
		path->group_of[i] = (uint8_t)(path->group_count - 1);
	}
	for (uint32_t g = 0; g < path->group_count; g++)
		while (path->groups[g].room < path->groups[g].count)
			path->groups[g].room *= 2;
	for (uint32_t room = 128; room; room /= 2)
		for (uint32_t g = 0; g < path->group_count; g++)
			if (path->groups[g].room == room) {
				path->groups[g].column = (uint8_t)column;
				column += room;
			}
	path->vectors = (column + SWD_LANES - 1) / SWD_LANES;
	set_spans(path);
}

/* A column without a state is never entered. */
static void fill_empty(struct swd_path *path, const uint16_t *present, uint32_t count)
{
	bool used[SWD_COLUMNS] = { false };

	for (uint32_t i = 0; i < path->state_count; i++)
		used[swd_path_column(path, i)] = true;
	for (uint32_t column = 0; column < path->vectors * SWD_LANES; column++) {
		if (used[column])
			continue;
		((int16_t *)path->open)[column] = TOO_DEAR;
		((int16_t *)path->again)[column] = TOO_DEAR;
		for (uint32_t i = 0; i < count; i++)
			((int16_t *)path->cost[present[i]])[column] = SWD_IMPOSSIBLE_COST;
	}
}

void swd_path_prepare(struct swd_path *path, const struct swd_palette *palettes,
		      const uint16_t *present, uint32_t present_count)
{
	uint16_t index[SWD_VALUES], of_present[SWD_CLASSES];

	sort_states(path);
	set_groups(path);
	for (uint32_t i = 0; i < path->state_count; i++) {
		const struct swd_state *state = &path->states[i];
		const struct swd_palette *p = &palettes[state->palette];
		uint32_t unfilled = UNFILLED * ((state->mode != SWD_FIXED) + p->zero_runs);
		uint32_t column = swd_path_column(path, i);

		((int16_t *)path->open)[column] = (int16_t)(swd_header_bits(p, true) + unfilled);
		((int16_t *)path->again)[column] = (int16_t)(swd_header_bits(p, false) + unfilled);
		if (!i || path->states[i - 1].palette != state->palette) {
			swd_index(p, index);
			for (uint32_t k = 0; k < present_count; k++)
				of_present[k] = index[present[k] < SWD_VALUES ? present[k] : 0];
		}
		fill_column(path, state, column, p, of_present, present, present_count);
	}
	fill_empty(path, present, present_count);
}

/* --- On the way --- */

/* *a = the lower of each. Compilers know the loop as one instruction. */
static inline __attribute__((always_inline)) void lower(swd_lanes *a, const swd_lanes *b)
{
	swd_lanes x = *a, y = *b;

	for (unsigned int i = 0; i < SWD_LANES; i++)
		x[i] = x[i] < y[i] ? x[i] : y[i];
	*a = x;
}

#define NEIGHBOUR_1	1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14
#define NEIGHBOUR_2	2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13
#define NEIGHBOUR_4	4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11
#define NEIGHBOUR_8	8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7

/* The lowest of all @neighbours that are not apart, in each of them. None is negative. */
static inline __attribute__((always_inline)) void lowest(swd_lanes *a, unsigned int neighbours,
							 const swd_lanes *apart)
{
	swd_lanes b;

	if (neighbours > 1) {
		b = __builtin_shufflevector(*a, *a, NEIGHBOUR_1) | apart[0];
		lower(a, &b);
	}
	if (neighbours > 2) {
		b = __builtin_shufflevector(*a, *a, NEIGHBOUR_2) | apart[1];
		lower(a, &b);
	}
	if (neighbours > 4) {
		b = __builtin_shufflevector(*a, *a, NEIGHBOUR_4) | apart[2];
		lower(a, &b);
	}
	if (neighbours > 8) {
		b = __builtin_shufflevector(*a, *a, NEIGHBOUR_8) | apart[3];
		lower(a, &b);
	}
}

/* at[] += what @count classes cost. Four vectors share the work of finding a class's costs. */
static inline __attribute__((always_inline)) void
add_costs(const struct swd_path *path, const uint16_t *classes, uint32_t count, swd_lanes *at)
{
	uint32_t v = 0;

	for (; v + 4 <= path->vectors; v += 4) {
		swd_lanes a = at[v], b = at[v + 1], c = at[v + 2], d = at[v + 3];

		for (uint32_t i = 0; i < count; i++) {
			const swd_lanes *cost = &path->cost[classes[i]][v];

			a += cost[0];
			b += cost[1];
			c += cost[2];
			d += cost[3];
		}
		at[v] = a;
		at[v + 1] = b;
		at[v + 2] = c;
		at[v + 3] = d;
	}
	for (; v < path->vectors; v++) {
		swd_lanes a = at[v];

		for (uint32_t i = 0; i < count; i++)
			a += path->cost[classes[i]][v];
		at[v] = a;
	}
}

static inline __attribute__((always_inline)) void
find_costs(struct swd_path *path, const uint16_t *classes, uint32_t count, uint32_t step)
{
	uint32_t vectors = path->vectors;
	static const swd_lanes together[4];
	swd_lanes at[SWD_VECTORS], *after = path->after;

	memcpy(at, path->open, sizeof(at));
	for (uint32_t first = 0; first < count; first += step, after += vectors) {
		swd_lanes least;

		if (count - first >= SWD_STEP_MAX && step == SWD_STEP_MAX)
			add_costs(path, classes + first, SWD_STEP_MAX, at);
		else
			add_costs(path, classes + first, count - first < step ? count - first : step, at);
		least = at[0];
		for (uint32_t v = 1; v < vectors; v++)
			lower(&least, &at[v]);
		lowest(&least, SWD_LANES, together);
		for (uint32_t s = 0, v = 0; s < path->span_count; s++) {
			uint32_t last = v + path->spans[s].vectors;
			swd_lanes inside = at[v];

			for (uint32_t k = v + 1; k < last; k++)
				lower(&inside, &at[k]);
			inside -= least;
			lowest(&inside, path->spans[s].neighbours, path->apart[v]);
			for (; v < last; v++) {
				swd_lanes enter = inside + path->again[v], now = at[v] - least;

				after[v] = now;
				lower(&enter, &path->open[v]);
				lower(&now, &enter);
				at[v] = now;
			}
		}
	}
}

#if HAVE_AVX2
__attribute__((target("avx2"))) static void
find_costs_avx2(struct swd_path *path, const uint16_t *classes, uint32_t count, uint32_t step)
{
	find_costs(path, classes, count, step);
}
#endif

static void find_costs_any(struct swd_path *path, const uint16_t *classes, uint32_t count,
			   uint32_t step)
{
	find_costs(path, classes, count, step);
}

/* --- And back --- */

static uint32_t cheapest(const struct swd_path *path, const int16_t *at, uint32_t first, uint32_t end)
{
	uint32_t low = first;

	for (uint32_t i = first + 1; i < end; i++)
		if (at[swd_path_column(path, i)] < at[swd_path_column(path, low)])
			low = i;
	return low;
}

/* The state from which @state was entered, where the block after that ended in each for @at. */
static uint32_t entered_from(const struct swd_path *path, const int16_t *at, uint32_t state)
{
	const struct swd_group *g = &path->groups[path->group_of[state]];
	uint32_t column = swd_path_column(path, state), low;
	const int16_t *open = (const int16_t *)path->open, *again = (const int16_t *)path->again;
	int enter;

	/* The cheapest of all is 0. */
	if (at[column] <= again[column] && at[column] <= open[column])
		return state;
	low = cheapest(path, at, g->first, g->first + g->count);
	enter = at[swd_path_column(path, low)] + again[column];
	if (at[column] <= enter && at[column] <= open[column])
		return state;
	return enter <= open[column] ? low : cheapest(path, at, 0, path->state_count);
}

void swd_path_find(struct swd_path *path, const uint16_t *classes, uint32_t count, uint32_t step)
{
	uint32_t blocks = (count + step - 1) / step, vectors = path->vectors, state;

#if HAVE_AVX2
	if (__builtin_cpu_supports("avx2"))
		find_costs_avx2(path, classes, count, step);
	else
#endif
		find_costs_any(path, classes, count, step);
	state = cheapest(path, (const int16_t *)&path->after[(blocks - 1) * vectors], 0,
			 path->state_count);
	for (uint32_t block = blocks; block-- > 0;) {
		path->path[block] = (uint8_t)state;
		if (block)
			state = entered_from(path, (const int16_t *)&path->after[(block - 1) * vectors],
					     state);
	}
}
