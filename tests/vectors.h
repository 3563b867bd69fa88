/* SPDX-License-Identifier: MIT */
/*
 * The models of ACCEL_MODELS with their inputs and the outputs that TFLite's reference kernels give:
 * found, fed to whatever runs a model, compared.
 */
#ifndef ACCEL_TESTS_VECTORS_H
#define ACCEL_TESTS_VECTORS_H

#include <limits.h>
#include <stdbool.h>

#include <jansson.h>

#include "runtime/npy.h"

#define VECTORS_PATH	(PATH_MAX + 32)
#define VECTORS_SKIP	77	/* exit status: no models */

/**
 * struct vectors_runner - a model, ready to run
 * @input, @output: memory of one of them and its bytes
 * @reset: variables as before the first run
 * @run: one inference
 */
struct vectors_runner {
	void *model;
	unsigned int input_count, output_count;
	void *(*input)(void *model, unsigned int index, size_t *size);
	const void *(*output)(void *model, unsigned int index, size_t *size);
	void (*reset)(void *model);
	int (*run)(void *model, struct error *err);
};

/**
 * struct vectors_bound - how far from TFLite's a result may be
 * @why: NULL: equal, as nearly all are
 * @within: of an 8-bit number, at most
 * @saturates: elements of 16 bits are equal but where the range ends
 */
struct vectors_bound {
	const char *why;
	int within;
	bool saturates;
};

/* What is allowed to the model of that path. */
struct vectors_bound vectors_bound(const char *path);

/**
 * struct vectors_case - a model with its vectors
 * @npz: NULL: input_K.npy beside the model
 * @count: stacked in each array of @npz, 0: as many as fit
 * @entry: of the manifest, for single operators; else NULL
 */
struct vectors_case {
	const char *model, *npz;
	unsigned int count;
	json_t *entry;
};

/* vectors_each - call @check with each model below @folder whose path has @only in it (NULL: all). */
void vectors_each(const char *folder, const char *only,
		  void (*check)(void *ctx, const struct vectors_case *c), void *ctx);

/**
 * vectors_check - run the first @most vectors and compare
 *
 * Return: 0, -EILSEQ (a byte differs: @err says which), what reading them gives.
 */
int vectors_check(const struct vectors_case *c, const struct vectors_runner *r, unsigned int most,
		  const struct vectors_bound *bound, struct error *err);

#endif
