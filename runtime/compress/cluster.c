/* SPDX-License-Identifier: MIT */
/*
 * Weights of few values. What the weight decoder has a palette of are the integers that weights become,
 * so values are found among those: k-means over their frequencies.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/compress/reconstruct.h"

#define MOST	127
#define LEVELS	(2 * MOST + 1)
#define ROUNDS	64

/**
 * struct palette - the values
 * @values, @count: ascending
 * @fixed: of each: it stays where it is
 * @nearest: to each integer from -MOST on
 */
struct palette {
	double values[LEVELS];
	bool fixed[LEVELS];
	unsigned int count;
	int nearest[LEVELS];
};

static void find_nearest(struct palette *p)
{
	unsigned int k = 0;

	for (int v = 0; v < LEVELS; v++) {
		while (k + 1 < p->count && fabs(p->values[k + 1] - (v - MOST)) <=
						   fabs(p->values[k] - (v - MOST)))
			k++;
		p->nearest[v] = (int)k;
	}
}

/* Values at the middles of equal shares of what is there, between those that are fixed. */
static void place(struct palette *p, const uint64_t *count, unsigned int clusters, bool both,
		  bool zero, int end)
{
	uint64_t all = 0, seen = 0;
	unsigned int free_ones = clusters - (both ? 2 : 1) - zero, next = 0;

	for (int v = 0; v < LEVELS; v++)
		all += count[v];
	for (int v = 0; v < LEVELS; v++) {
		bool fixed = v - MOST == end || (both && abs(v - MOST) == MOST) ||
			     (zero && v == MOST);

		seen += count[v];
		if (!fixed && (next == free_ones ||
			       (double)seen < ((double)next + 0.5) * (double)all / free_ones))
			continue;
		p->values[p->count] = v - MOST;
		p->fixed[p->count++] = fixed;
		/* A level that is very frequent may stand for several shares: it is one value all the same. */
		while (!fixed && next < free_ones &&
		       (double)seen >= ((double)next + 0.5) * (double)all / free_ones)
			next++;
	}
}

/* Each value moves to the mean of what it is nearest to. Return: true if one moved. */
static bool move(struct palette *p, const uint64_t *count)
{
	double sum[LEVELS] = { 0 }, n[LEVELS] = { 0 };
	bool moved = false;

	for (int v = 0; v < LEVELS; v++) {
		sum[p->nearest[v]] += (double)count[v] * (v - MOST);
		n[p->nearest[v]] += (double)count[v];
	}
	for (unsigned int k = 0; k < p->count; k++) {
		double to = n[k] > 0 && !p->fixed[k] ? sum[k] / n[k] : p->values[k];

		moved |= fabs(to - p->values[k]) > 1e-6;
		p->values[k] = to;
	}
	return moved;
}

static int level_of(double w, double scale)
{
	double v = round(w / scale);

	return (int)fmax(fmin(v, MOST), -MOST) + MOST;
}

static void make_palette(const struct fit *f, const double *scale, unsigned int clusters,
			 bool per_tensor, int end, struct palette *p)
{
	uint64_t count[LEVELS] = { 0 };
	bool zero = false;

	for (uint32_t o = 0; o < f->outputs; o++)
		for (uint32_t i = 0; i < f->taps; i++) {
			double w = f->w[o * f->n + i];

			zero |= w == 0;
			if (w != 0)
				count[level_of(w, scale[o])]++;
		}
	*p = (struct palette){ 0 };
	place(p, count, clusters, !per_tensor, zero, end);
	find_nearest(p);
	for (unsigned int i = 0; i < ROUNDS && move(p, count); i++)
		find_nearest(p);
	for (unsigned int k = 0; k < p->count; k++)
		p->values[k] = round(p->values[k]);
	find_nearest(p);
}

static uint32_t largest(const double *w, uint32_t taps)
{
	uint32_t at = 0;

	for (uint32_t i = 1; i < taps; i++)
		if (fabs(w[i]) > fabs(w[at]))
			at = i;
	return at;
}

/*
 * @keep: weight that the scale is found by, and stays; f->taps: none. @zero: [taps], of weights that
 * stay zero, whatever others ask of them.
 */
static void settle_output(const struct fit *f, double *w, double scale, uint32_t keep, bool *zero,
			  const struct palette *p)
{
	double end = keep < f->taps && w[keep] < 0 ? -MOST * scale : MOST * scale;

	for (uint32_t i = 0; i < f->taps; i++)
		zero[i] = w[i] == 0;
	for (uint32_t i = 0; i < f->taps; i++) {
		if (i == keep)
			fit_settle(f, w, i, end);
		else if (zero[i])
			fit_settle(f, w, i, 0);
		else
			fit_settle(f, w, i, p->values[p->nearest[level_of(w[i], scale)]] * scale);
	}
}

int fit_cluster(struct fit *f, unsigned int clusters, bool per_tensor)
{
	double *scale = calloc(f->outputs, sizeof(*scale)), most = 0;
	uint32_t *keep = calloc(f->outputs, sizeof(*keep)), owner = 0;
	bool *zero = calloc(f->taps, sizeof(*zero));
	struct palette p;

	if (!scale || !keep || !zero) {
		free(scale);
		free(keep);
		free(zero);
		return -ENOMEM;
	}
	for (uint32_t o = 0; o < f->outputs; o++) {
		const double *w = f->w + o * f->n;

		keep[o] = largest(w, f->taps);
		scale[o] = fabs(w[keep[o]]) / MOST;
		if (scale[o] > most) {
			most = scale[o];
			owner = o;
		}
	}
	for (uint32_t o = 0; o < f->outputs && per_tensor; o++) {
		scale[o] = most;
		keep[o] = o == owner ? keep[o] : f->taps;
	}
	make_palette(f, scale, clusters, per_tensor,
		     f->w[owner * f->n + largest(f->w + owner * f->n, f->taps)] < 0 ? -MOST : MOST, &p);
	for (uint32_t o = 0; o < f->outputs; o++)
		if (scale[o] > 0)
			settle_output(f, f->w + o * f->n, scale[o], keep[o], zero, &p);
	free(scale);
	free(keep);
	free(zero);
	return 0;
}
