/* SPDX-License-Identifier: MIT */
/* Between samples.c and the sources, one a file. */
#ifndef ACCEL_RUNTIME_SAMPLES_SOURCE_H
#define ACCEL_RUNTIME_SAMPLES_SOURCE_H

#include <stdbool.h>

#include "runtime/samples/picture.h"
#include "runtime/samples/preprocess.h"
#include "runtime/samples/samples.h"

/**
 * struct source_ops - what a source can do
 * @get: sample @index of all that there are; @label is never NULL
 * @name: writes where it is from
 * @close: frees samples.source
 */
struct source_ops {
	int (*get)(struct samples *s, size_t index, float *const *inputs, int *label,
		   struct error *err);
	void (*name)(const struct samples *s, size_t index, char *text, size_t len);
	void (*close)(struct samples *s);
};

/**
 * struct image_plan - how a picture becomes an input
 * @height, @width, @channels: of the input
 * @plane, @pixel: elements from channel to channel and from pixel to pixel of it
 * @table: of each channel of the input: what each of its 256 levels is
 */
struct image_plan {
	uint32_t height, width, channels;
	size_t plane, pixel;
	float table[PREPROCESS_CHANNELS][256];
};

/**
 * struct samples - an open source
 * @spec: as the user named it
 * @elements: of each input
 * @plan: of sources of pictures
 * @ops, @source: the source and its own data
 * @available: samples that it has, @count: that are taken
 * @spread: take them from all over it
 * @class_names: @class_count, all of them owned; NULL: classes have numbers only
 */
struct samples {
	char *spec;
	struct preprocess prep;
	struct samples_input *inputs;
	size_t *elements;
	uint32_t input_count;
	struct image_plan plan;
	const struct source_ops *ops;
	void *source;
	size_t available, count;
	bool spread;
	char **class_names;
	unsigned int class_count;
	char name[300];
};

/* Each fills in ops, source, available, spread and classes; on failure samples_close() cleans up. */
int source_dataset(struct samples *s, struct error *err);
int source_array(struct samples *s, struct error *err);
int source_archive(struct samples *s, struct error *err);
int source_folder(struct samples *s, struct error *err);

/* Is it the name of a data set? */
bool source_is_dataset(const char *spec);

/* samples_set_classes - take over @names (@count malloc'ed strings in a malloc'ed array) */
void samples_set_classes(struct samples *s, char **names, unsigned int count);

/* Refuse a model with more inputs than one: what the source gives is for one. */
int samples_one_input(const struct samples *s, struct error *err);

/* image_plan_make - decide how pictures become input 0. Return: 0, -EINVAL. */
int image_plan_make(struct samples *s, struct error *err);

/**
 * image_plan_apply - a picture as elements of input 0
 * @picture: of 1, 3 or 4 channels; may be changed
 */
int image_plan_apply(const struct samples *s, struct picture *picture, float *out,
		     struct error *err);

/* samples_normalise - scale, mean and std for elements that are in place, channels by the layout */
void samples_normalise(const struct samples *s, uint32_t input, float *data);

/* samples_check_counts - have "mean" and "std" one number, or one for each channel of the input? */
int samples_check_counts(const struct samples *s, uint32_t input, struct error *err);

/* True if samples_normalise() would change anything. */
bool samples_normalises(const struct samples *s);

/**
 * samples_channel_axis - which axis of an input counts the channels
 *
 * By "layout"; else an axis of 1 or 3 at either end. Return: axis, or -1: cannot be told.
 */
int samples_channel_axis(const struct samples *s, uint32_t input);

#endif
