/* SPDX-License-Identifier: MIT */
/* The cheapest sequence of states through a window of the standard weight stream, see swd_path.c. */
#ifndef ACCEL_RUNTIME_ENCODE_SWD_PATH_H
#define ACCEL_RUNTIME_ENCODE_SWD_PATH_H

#include "runtime/encode/swd.h"

#define SWD_STATES	96u
#define SWD_LANES	16u	/* states of one vector */
/* States of a palette take a power of two of columns, so there are fewer than twice as many. */
#define SWD_COLUMNS	(2 * SWD_STATES)
#define SWD_VECTORS	(SWD_COLUMNS / SWD_LANES)
#define SWD_IMPOSSIBLE_COST	1500	/* of a class; more than those of any possible step together */
#define SWD_STEP_MAX	16u
#define SWD_BLOCKS_MAX	(SWD_WINDOW / SWD_STEP_MAX + 1)

typedef int16_t swd_lanes __attribute__((vector_size(2 * SWD_LANES)));

/* A palette, a code for weights and one for zero runs. */
struct swd_state {
	uint8_t palette, mode, run_mode;
};

/**
 * struct swd_group - the states of a palette
 * @first, @count: which
 * @column: of the first; the others follow
 * @room: columns, a power of two
 */
struct swd_group {
	uint8_t first, count, column, room;
};

/**
 * struct swd_span - vectors that hold the states of one palette, or one vector with those of several
 * @neighbours: most columns of a palette in a vector
 */
struct swd_span {
	uint8_t vectors, neighbours;
};

/**
 * struct swd_path - states, what each class costs in them, and the way through them
 * @states, @state_count: to be set; sorted by swd_path_prepare()
 * @groups, @group_of: the states' palettes
 * @columns, @vectors: that are used
 * @spans, @span_count: how palettes lie in them
 * @apart: by vector and log2(1, 2, 4, 8): INT16_MAX where a column's neighbour at that distance has
 *	another palette
 * @alone: by vector: INT16_MAX unless it goes on with the palette of the vector before
 * @open, @again: bits that entering a state costs, with and without its palette
 * @cost: by class and column
 * @after: of each block, what it costs to come to its end, in each column
 * @path: of each block, its state
 */
struct swd_path {
	struct swd_state states[SWD_STATES];
	uint32_t state_count;
	struct swd_group groups[SWD_STATES];
	uint32_t group_count;
	uint8_t group_of[SWD_STATES];
	uint32_t columns, vectors;
	struct swd_span spans[SWD_VECTORS];
	uint32_t span_count;
	swd_lanes apart[SWD_VECTORS][4], alone[SWD_VECTORS];
	swd_lanes open[SWD_VECTORS], again[SWD_VECTORS];
	swd_lanes cost[SWD_CLASSES][SWD_VECTORS];
	swd_lanes after[SWD_BLOCKS_MAX * SWD_VECTORS];
	uint8_t path[SWD_BLOCKS_MAX];
};

/* Bits that the @index of a class costs in @mode, without zero runs, or SWD_IMPOSSIBLE_COST. */
int swd_index_cost(const struct swd_palette *p, unsigned int mode, uint16_t index);

/**
 * swd_path_prepare - sort the states, work out what classes cost in them
 * @palettes: that the states name
 * @present, @present_count: classes that matter, in order
 */
void swd_path_prepare(struct swd_path *path, const struct swd_palette *palettes,
		      const uint16_t *present, uint32_t present_count);

/* Find path->path for @count classes, the states changing every @step of them at most. */
void swd_path_find(struct swd_path *path, const uint16_t *classes, uint32_t count, uint32_t step);

/* The column of a state. */
static inline uint32_t swd_path_column(const struct swd_path *path, uint32_t state)
{
	const struct swd_group *g = &path->groups[path->group_of[state]];

	return g->column + state - g->first;
}

static inline bool swd_is_zero(uint16_t class)
{
	return class == 0 || class >= SWD_VALUES;
}

/* How many of the divisors 2, 4, 8 the place of a zero in its run has. */
static inline unsigned int swd_run_place(uint16_t class)
{
	return class ? class - SWD_VALUES + 1 : 0;
}

#endif
