/* SPDX-License-Identifier: MIT */
/* Samples that a network learns from: kept in memory, and changed at random each time they are taken. */
#ifndef ACCEL_RUNTIME_TRAIN_EXAMPLES_H
#define ACCEL_RUNTIME_TRAIN_EXAMPLES_H

#include <stdbool.h>

#include "runtime/ir/ir.h"
#include "runtime/samples/samples.h"

/* How samples may be changed. */
enum augment {
	AUGMENT_FLIP = 1,	/* left becomes right, every other time; pictures only */
	AUGMENT_SHIFT = 2,	/* moved and scaled, edges drawn out; pictures only */
	AUGMENT_COLOUR = 4,	/* contrast and level of each channel; pictures only */
	AUGMENT_MIX = 8,	/* with another sample, every other time */
};

/**
 * struct picture - how an input is laid out, if it is a picture: four axes, of which the last or the
 *	second has 1, 3 or 4 channels
 * @channels: 0: it is none
 * @step, @row, @column: elements from channel to channel, row to row, column to column
 */
struct picture {
	int32_t channels, height, width;
	size_t step, row, column;
};

/**
 * struct examples - samples of a graph's inputs
 * @kept: [@count] of them, each all inputs in a row; NULL: too many to keep
 * @sizes: elements of each input
 * @low, @high: of each input, over the samples kept
 */
struct examples {
	struct samples *samples;
	size_t count, size;
	uint32_t inputs;
	size_t *sizes;
	struct picture *pictures;
	float **kept, *other, **at;
	float *low, *high;
	unsigned int augment;
	uint64_t random;
};

/**
 * examples_init - take samples evenly
 * @g: inputs of float32
 * @count: how many, 0: all
 * @augment: of enum augment
 * @random: where random numbers begin, not 0
 *
 * Return: 0; -EINVAL: inputs of another type; -ENOMEM; what the samples give. examples_free() in any case.
 */
int examples_init(struct examples *e, const struct ir_graph *g, struct samples *samples, size_t count,
		  unsigned int augment, uint64_t random, struct error *err);
void examples_free(struct examples *e);

/* examples_get - one as it is, all inputs in a row */
int examples_get(struct examples *e, size_t index, float *out, struct error *err);

/* examples_draw - the same, changed at random; @with: the sample that it may be mixed with */
int examples_draw(struct examples *e, size_t index, size_t with, float *out, struct error *err);

#endif
