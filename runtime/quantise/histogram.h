/* SPDX-License-Identifier: MIT */
/* Histograms of real numbers whose range is not known beforehand. */
#ifndef ACCEL_RUNTIME_QUANTISE_HISTOGRAM_H
#define ACCEL_RUNTIME_QUANTISE_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_BINS	2048

/**
 * struct histogram - how often values were seen
 * @width: of a bin, a power of two; 0: nothing was seen yet
 * @first: bin 0 holds values from @first * @width on
 * @count: of values, those that are 0 apart: @zeros
 * @min, @max: exact
 */
struct histogram {
	double width;
	int64_t first;
	uint64_t count, zeros;
	float min, max;
	uint64_t bins[HISTOGRAM_BINS];
};

/**
 * histogram_add - count values
 *
 * Where they lie outside, bins are joined two by two, so that no value is ever counted twice or lost.
 *
 * Return: false if a value is not finite; nothing of this call is counted then.
 */
bool histogram_add(struct histogram *h, const float *values, size_t count);

/* Middle of a bin. */
static inline double histogram_value(const struct histogram *h, int bin)
{
	return ((double)(h->first + bin) + 0.5) * h->width;
}

#endif
