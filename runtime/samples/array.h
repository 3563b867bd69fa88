/* SPDX-License-Identifier: MIT */
/* Arrays of .npy and .npz files as elements of an input. */
#ifndef ACCEL_RUNTIME_SAMPLES_ARRAY_H
#define ACCEL_RUNTIME_SAMPLES_ARRAY_H

#include "runtime/npy.h"
#include "runtime/samples/source.h"

/**
 * struct array_order - how the elements of a sample lie
 * @planes, @channels: 0, or: elements of a channel and channels, and channels come last while the
 *	model's come first (@to_planes), or the other way round
 */
struct array_order {
	size_t planes, channels;
	bool to_planes;
};

/* npy_element - as a number; exact but for int64 beyond 2^53 */
double npy_element(const struct npy *a, size_t index);

/**
 * array_check - does an array have the shape of an input?
 * @lead: axes in front that count samples, 1 or 0
 * @order: how to read it. Extents of 1 do not matter; channels may be first or last.
 *
 * Return: 0, -EINVAL.
 */
int array_check(const struct samples *s, uint32_t input, const struct npy *a, unsigned int lead,
		struct array_order *order, const char *name, struct error *err);

/* array_sample - elements of one sample of a checked array, normalised */
void array_sample(const struct samples *s, uint32_t input, const struct npy *a,
		  const struct array_order *order, size_t index, float *out);

/* array_from_archive - the array of that input: of its name, or the only one but "labels" */
int array_from_archive(const struct samples *s, uint32_t input, struct npz *npz, const char *name,
		       struct npy *out, struct error *err);

/* Sources of folders, for source_folder.c: each takes over the folder. */
struct folder;
int source_pictures(struct samples *s, struct folder *f, struct error *err);
int source_archives(struct samples *s, struct folder *f, struct error *err);
int source_sounds(struct samples *s, struct folder *f, struct error *err);
int source_bytes(struct samples *s, struct folder *f, struct error *err);

#endif
