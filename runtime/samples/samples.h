/* SPDX-License-Identifier: MIT */
/*
 * Samples: what a model is calibrated, compared and judged with, as the real numbers that its inputs
 * want, whatever they come from (docs/samples.md).
 */
#ifndef ACCEL_RUNTIME_SAMPLES_H
#define ACCEL_RUNTIME_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

#include "runtime/error.h"
#include "runtime/ir/ir.h"

struct samples;

/**
 * struct samples_input - an input of the model
 * @name: what its array is called in an .npz file
 * @type: enum elem; samples are float32 all the same
 * @ndim, @shape: extents
 */
struct samples_input {
	const char *name;
	int type;
	uint32_t ndim;
	int32_t shape[IR_MAX_DIMS];
};

/**
 * samples_open - find the samples
 * @spec: "fashion-mnist[:DIR][:train|test]", a .npy, .npz or sound file, or a folder of pictures,
 *	.npz files, sound files, or of anything as bytes
 * @preprocess: description of what happens to a sample on its way (JSON), NULL: none
 * @inputs, @input_count: of the model; not needed afterwards
 * @limit: take no more than so many, 0: all. Those of a folder are taken evenly from all of it,
 *	others from the start.
 * @out: free with samples_close()
 *
 * Return: 0; -ENOENT; -EINVAL: not what the model takes, a wrong description, no samples; -ENOTSUP;
 * -ENOMEM. @err names the file, and the key.
 */
int samples_open(const char *spec, const char *preprocess, const struct samples_input *inputs,
		 uint32_t input_count, size_t limit, struct samples **out, struct error *err);

/* samples_open_graph - the same for the inputs of a graph */
int samples_open_graph(const char *spec, const char *preprocess, const struct ir_graph *g,
		       size_t limit, struct samples **out, struct error *err);
void samples_close(struct samples *s);

/* At least 1. */
size_t samples_count(const struct samples *s);

/**
 * samples_get - one sample
 * @index: below samples_count(); any order
 * @inputs: for each input of the model, room for its elements: real numbers, not quantised
 * @label: number of the class, -1: unknown; NULL: not wanted
 *
 * Not for several threads at a time.
 *
 * Return: 0; -EINVAL: a damaged file; -errno.
 */
int samples_get(struct samples *s, size_t index, float *const *inputs, int *label,
		struct error *err);

/* Where a sample is from, for messages and tables; valid until the next call. */
const char *samples_name(struct samples *s, size_t index);

/* Number of classes, 0: samples have no labels. */
unsigned int samples_classes(const struct samples *s);

/* NULL: it has no name. */
const char *samples_class_name(const struct samples *s, unsigned int class_index);

/**
 * samples_find_preprocess - the description next to a model
 * @model: "dir/net.int8.tflite" has "dir/net.int8.preprocess.json" or "dir/net.preprocess.json"
 *
 * Return: its path, for free(), or NULL: there is none.
 */
char *samples_find_preprocess(const char *model);

#endif
