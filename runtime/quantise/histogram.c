/* SPDX-License-Identifier: MIT */
/* Histograms that grow. */
#include "runtime/quantise/histogram.h"

#include <math.h>
#include <string.h>

#define SMALLEST	1e-30	/* width of a bin; values below are as good as 0 */

static int64_t floor_div2(int64_t x)
{
	return x >= 0 ? x / 2 : -((1 - x) / 2);
}

/* Bins twice as wide, on the same grid. */
static void widen(struct histogram *h)
{
	int64_t first = floor_div2(h->first);
	uint64_t bins[HISTOGRAM_BINS] = { 0 };

	for (int i = 0; i < HISTOGRAM_BINS; i++)
		bins[floor_div2(h->first + i) - first] += h->bins[i];
	memcpy(h->bins, bins, sizeof(bins));
	h->width *= 2;
	h->first = first;
}

static bool fits(const struct histogram *h)
{
	return floor(h->max / h->width) - floor(h->min / h->width) < HISTOGRAM_BINS;
}

/* Move the bins so that the first is that of the minimum; there is room. */
static void slide(struct histogram *h)
{
	int64_t low = (int64_t)floor(h->min / h->width), high = (int64_t)floor(h->max / h->width);
	int64_t to = low < h->first ? low : high - HISTOGRAM_BINS + 1 > h->first ?
		     high - HISTOGRAM_BINS + 1 : h->first;
	uint64_t bins[HISTOGRAM_BINS] = { 0 };

	if (to == h->first)
		return;
	for (int i = 0; i < HISTOGRAM_BINS; i++) {
		int64_t at = h->first + i - to;

		if (h->bins[i])
			bins[at] = h->bins[i];
	}
	memcpy(h->bins, bins, sizeof(bins));
	h->first = to;
}

bool histogram_add(struct histogram *h, const float *values, size_t count)
{
	float min = INFINITY, max = -INFINITY, bad = 0;
	float scale;
	size_t i;

	for (i = 0; i < count; i++) {
		/* 0 for what is finite, NaN for what is not. */
		bad += values[i] * 0.0f;
		min = values[i] < min ? values[i] : min;
		max = values[i] > max ? values[i] : max;
	}
	if (bad != 0)
		return false;
	if (!count)
		return true;
	h->min = h->count && h->min < min ? h->min : min;
	h->max = h->count && h->max > max ? h->max : max;
	if (h->width == 0) {
		double span = fmax((double)h->max - h->min, fmax(fabs(h->max), fabs(h->min)) * 1e-3);

		h->width = exp2(floor(log2(fmax(span, SMALLEST) / (HISTOGRAM_BINS / 2))));
		while (!fits(h))
			h->width *= 2;
		h->first = (int64_t)floor(h->min / h->width);
	}
	while (!fits(h))
		widen(h);
	slide(h);
	h->count += count;
	scale = (float)(1 / h->width);
	for (i = 0; i < count; i++) {
		int64_t bin = (int64_t)floorf(values[i] * scale) - h->first;

		/* 0 is told apart: every quantisation has it exactly. */
		if (values[i] == 0)
			h->zeros++;
		else
			h->bins[bin]++;
	}
	return true;
}
