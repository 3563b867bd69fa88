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
#include "sim/cpu.h"

#define UNFILLED	6u	/* bits of a chunk that a slice leaves unfilled, on average */
#define TOO_DEAR	600	/* to enter: more than any header */
#define FEW	6u	/* vectors that registers hold */
#define ROOM_MAX	128u	/* columns of a palette */

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
		for (uint32_t k = 0; k < span->vectors; k++)
			path->alone[v + k] = (swd_lanes){ 0 } + (int16_t)(k ? 0 : INT16_MAX);
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
	for (uint32_t room = ROOM_MAX; room; room /= 2)
		for (uint32_t g = 0; g < path->group_count; g++)
			if (path->groups[g].room == room) {
				path->groups[g].column = (uint8_t)column;
				column += room;
			}
	path->columns = column;
	path->vectors = (column + SWD_LANES - 1) / SWD_LANES;
	set_spans(path);
}

/* --- What classes cost --- */

/**
 * struct code_lanes - the codes of a vector's states, so that one rule says what indices cost in all of them
 * @scale: 1 << (15 - divisor)
 * @limit: greatest quotient that can be coded
 * @counted: quotients take as many bits as they are, up to this
 * @bits: what any index takes
 */
struct code_lanes {
	swd_lanes scale, limit, counted, bits;
};

/* No index: with any divisor a quotient above all limits. */
#define TWICE_NO_INDEX	0xfffeu

static void set_code(struct code_lanes *codes, uint32_t lane, const struct swd_palette *p,
		     const struct swd_state *state)
{
	unsigned int div = state->mode % SWD_TRUNCATED, width = swd_width(p);
	int more = p->zero_runs ? 1 + state->run_mode : 0;

	if (state->mode == SWD_FIXED) {
		codes->scale[lane] = INT16_MIN;
		codes->limit[lane] = (int16_t)((p->size ? p->size : 1u << width) - 1);
		codes->counted[lane] = 0;
		codes->bits[lane] = (int16_t)((int)width + more);
		return;
	}
	codes->scale[lane] = (int16_t)(1u << (15 - div));
	codes->limit[lane] = state->mode >= SWD_TRUNCATED ? 2 : SWD_QUOTIENT_MAX;
	codes->counted[lane] = state->mode >= SWD_TRUNCATED ? 1 : SWD_QUOTIENT_MAX;
	codes->bits[lane] = (int16_t)((int)div + 1 + more);
}

/* Twice the indices of @present in a group's palette, in each of its columns of the vector. */
static void spread_indices(const uint16_t *index, const uint16_t *present, uint32_t count, uint32_t lane,
			   uint32_t room, swd_lanes *twice)
{
	for (uint32_t k = 0; k < count; k++) {
		uint16_t i = index[present[k] < SWD_VALUES ? present[k] : 0];
		uint64_t x = i == SWD_NO_INDEX ? TWICE_NO_INDEX : 2u * i;
		uint16_t *to = (uint16_t *)&twice[k] + lane;

		x *= 0x0001000100010001;
		if (room >= 4)
			for (uint32_t l = 0; l < room; l += 4)
				memcpy(to + l, &x, sizeof(x));
		else
			memcpy(to, &x, room * sizeof(*to));
	}
}

static inline __attribute__((always_inline)) void
find_class_costs(struct swd_path *path, uint32_t vector, const struct code_lanes *codes, const swd_lanes *twice,
		 const uint16_t *present, uint32_t count)
{
	const swd_lanes impossible = (swd_lanes){ 0 } + SWD_IMPOSSIBLE_COST;

	for (uint32_t k = 0; k < count; k++) {
		swd_lanes q, counted, over;

		for (unsigned int i = 0; i < SWD_LANES; i++)
			q[i] = (int16_t)((uint32_t)(uint16_t)twice[k][i] * (uint16_t)codes->scale[i] >> 16);
		for (unsigned int i = 0; i < SWD_LANES; i++)
			counted[i] = q[i] < codes->counted[i] ? q[i] : codes->counted[i];
		over = q > codes->limit;
		path->cost[present[k]][vector] = (over & impossible) | (~over & (counted + codes->bits));
	}
}

#if HAVE_AVX2
__attribute__((target("avx2"))) static void
find_class_costs_avx2(struct swd_path *path, uint32_t vector, const struct code_lanes *codes,
		      const swd_lanes *twice, const uint16_t *present, uint32_t count)
{
	find_class_costs(path, vector, codes, twice, present, count);
}
#endif

static void fill_vector(struct swd_path *path, uint32_t vector, const struct code_lanes *codes,
			const swd_lanes *twice, const uint16_t *present, uint32_t count)
{
#if HAVE_AVX2
	if (CPU_HAS_AVX2()) {
		find_class_costs_avx2(path, vector, codes, twice, present, count);
		return;
	}
#endif
	find_class_costs(path, vector, codes, twice, present, count);
}

/* Zeros in runs cost what their places do. They are the first and the last classes. */
static void fill_zeros(struct swd_path *path, const struct swd_state *state, uint32_t column,
		       const uint16_t *present, uint32_t count)
{
	for (uint32_t i = count; i-- > 0 && swd_is_zero(present[i]);)
		((int16_t *)path->cost[present[i]])[column] = swd_run_place(present[i]) >= state->run_mode;
	if (!present[0])
		((int16_t *)path->cost[0])[column] = !state->run_mode;
}

/* The states of a group: headers, codes. */
static void open_group(struct swd_path *path, const struct swd_group *g, const struct swd_palette *p,
		       struct code_lanes *codes)
{
	for (uint32_t i = g->first; i < g->first + (uint32_t)g->count; i++) {
		uint32_t unfilled = UNFILLED * ((path->states[i].mode != SWD_FIXED) + p->zero_runs);
		uint32_t column = swd_path_column(path, i);

		((int16_t *)path->open)[column] = (int16_t)(swd_header_bits(p, true) + unfilled);
		((int16_t *)path->again)[column] = (int16_t)(swd_header_bits(p, false) + unfilled);
		set_code(&codes[column / SWD_LANES], column % SWD_LANES, p, &path->states[i]);
	}
}

/* A group's part of the costs. Those of a vector are worked out when all groups in it have been here. */
static void fill_group(struct swd_path *path, const struct swd_group *g, const struct swd_palette *p,
		       struct code_lanes *codes, swd_lanes *twice, const uint16_t *present, uint32_t count)
{
	uint32_t end = g->column + (uint32_t)g->room, in_vector = g->room < SWD_LANES ? g->room : SWD_LANES;
	uint16_t index[SWD_VALUES];

	swd_index(p, index);
	open_group(path, g, p, codes);
	spread_indices(index, present, count, g->column % SWD_LANES, in_vector, twice);
	if (end % SWD_LANES && end < path->columns)
		return;
	for (uint32_t v = g->column / SWD_LANES; v * SWD_LANES < end; v++)
		fill_vector(path, v, &codes[v], twice, present, count);
}

void swd_path_prepare(struct swd_path *path, const struct swd_palette *palettes,
		      const uint16_t *present, uint32_t present_count)
{
	struct code_lanes codes[SWD_VECTORS];
	swd_lanes twice[SWD_CLASSES];

	sort_states(path);
	set_groups(path);
	/* A column without a state is never entered. */
	for (uint32_t v = 0; v < path->vectors; v++) {
		codes[v] = (struct code_lanes){ .limit = (swd_lanes){ 0 } - 1 };
		path->open[v] = path->again[v] = (swd_lanes){ 0 } + TOO_DEAR;
	}
	memset(twice, 0, present_count * sizeof(*twice));
	for (uint32_t room = ROOM_MAX; room; room /= 2)
		for (uint32_t i = 0; i < path->group_count; i++) {
			const struct swd_group *g = &path->groups[i];

			if (g->room == room)
				fill_group(path, g, &palettes[path->states[g->first].palette], codes,
					   twice, present, present_count);
		}
	for (uint32_t i = 0; i < path->state_count; i++)
		if (palettes[path->states[i].palette].zero_runs)
			fill_zeros(path, &path->states[i], swd_path_column(path, i), present,
				   present_count);
}

/* --- On the way --- */

/* *a = the lower of each, without a loop over lanes, which compilers make one instruction or a hundred. */
static inline __attribute__((always_inline)) void lower(swd_lanes *a, const swd_lanes *b)
{
	swd_lanes less = *a < *b;

	*a = (*a & less) | (*b & ~less);
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

/* at[] += what @count classes cost. */
static inline __attribute__((always_inline)) void
add_costs(const struct swd_path *path, const uint16_t *classes, uint32_t count, swd_lanes *at)
{
	for (uint32_t v = 0; v < path->vectors; v++) {
		swd_lanes a = at[v];

		for (uint32_t i = 0; i < count; i++)
			a += path->cost[classes[i]][v];
		at[v] = a;
	}
}

/* With any states. */
static inline __attribute__((always_inline)) void
find_many(struct swd_path *path, const uint16_t *classes, uint32_t count, uint32_t step)
{
	uint32_t vectors = path->vectors;
	static const swd_lanes together[4];
	swd_lanes at[SWD_VECTORS], *after = path->after;

	memcpy(at, path->open, sizeof(at));
	for (uint32_t first = 0; first < count; first += step, after += vectors) {
		swd_lanes least;

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

/* With @n vectors, a constant, so that all is in registers; @wide: a palette may have several of them. */
static inline __attribute__((always_inline)) void
find_few(struct swd_path *path, const uint16_t *classes, uint32_t count, uint32_t step, uint32_t n, bool wide)
{
	static const swd_lanes together[4];
	swd_lanes at[FEW], enter[FEW], *after = path->after;

	for (uint32_t v = 0; v < n; v++)
		at[v] = path->open[v];
	for (uint32_t first = 0; first < count; first += step, after += n) {
		uint32_t end = count - first < step ? count : first + step;
		swd_lanes least;

		for (uint32_t i = first; i < end; i++) {
			const swd_lanes *cost = path->cost[classes[i]];

			for (uint32_t v = 0; v < n; v++)
				at[v] += cost[v];
		}
		least = at[0];
		for (uint32_t v = 1; v < n; v++)
			lower(&least, &at[v]);
		lowest(&least, SWD_LANES, together);
		for (uint32_t v = 0; v < n; v++) {
			after[v] = enter[v] = at[v] = at[v] - least;
			lowest(&enter[v], SWD_LANES, path->apart[v]);
		}
		for (uint32_t v = 1; wide && v < n; v++) {
			swd_lanes other = enter[v - 1] | path->alone[v];

			lower(&enter[v], &other);
		}
		for (uint32_t v = n - 1; wide && v; v--) {
			swd_lanes other = enter[v] | path->alone[v];

			lower(&enter[v - 1], &other);
		}
		for (uint32_t v = 0; v < n; v++) {
			enter[v] += path->again[v];
			lower(&enter[v], &path->open[v]);
			lower(&at[v], &enter[v]);
		}
	}
}

static inline __attribute__((always_inline)) void
find_costs(struct swd_path *path, const uint16_t *classes, uint32_t count, uint32_t step)
{
	/* The first palette is the widest. */
	switch (path->vectors * 2 + (path->spans[0].vectors > 1)) {
	case 2:
		find_few(path, classes, count, step, 1, false);
		break;
	case 4:
		find_few(path, classes, count, step, 2, false);
		break;
	case 5:
		find_few(path, classes, count, step, 2, true);
		break;
	case 6:
		find_few(path, classes, count, step, 3, false);
		break;
	case 7:
		find_few(path, classes, count, step, 3, true);
		break;
	case 8:
		find_few(path, classes, count, step, 4, false);
		break;
	case 9:
		find_few(path, classes, count, step, 4, true);
		break;
	case 10:
		find_few(path, classes, count, step, 5, false);
		break;
	case 11:
		find_few(path, classes, count, step, 5, true);
		break;
	case 12:
		find_few(path, classes, count, step, 6, false);
		break;
	case 13:
		find_few(path, classes, count, step, 6, true);
		break;
	default:
		find_many(path, classes, count, step);
		break;
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
	if (CPU_HAS_AVX2())
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
