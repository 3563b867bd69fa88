/* SPDX-License-Identifier: MIT */
/* Ranges by four methods. */
#include "runtime/quantise/ranges.h"

#include <math.h>
#include <string.h>

#define MSE_STEPS	64	/* ends that are tried: 1/64th, 2/64th, ... of what was seen */
#define MSE_SMALLEST	8	/* of them */
#define KL_LEVELS	128
#define SCALE_SMALLEST	1e-12f

const char *range_method_name(int method)
{
	static const char *const names[RANGE_METHODS] = { "minmax", "percentile", "mse", "entropy" };

	return method >= 0 && method < RANGE_METHODS ? names[method] : NULL;
}

static void find_percentile(const struct histogram *h, double percentile, float *low, float *high)
{
	double tail = (double)h->count * (1 - percentile / 100) / 2, seen = 0;
	int below = 0, above = HISTOGRAM_BINS - 1;

	/* 0 is inside, whatever happens, so that it does not matter where its values are counted. */
	for (; below < HISTOGRAM_BINS && seen + (double)h->bins[below] <= tail; below++)
		seen += (double)h->bins[below];
	for (seen = 0; above > below && seen + (double)h->bins[above] <= tail; above--)
		seen += (double)h->bins[above];
	*low = fmaxf(*low, (float)((double)(h->first + below) * h->width));
	*high = fminf(*high, (float)((double)(h->first + above + 1) * h->width));
}

/* Squares of what is lost by [low, high] in so many levels. */
static double lost(const struct histogram *h, double low, double high, unsigned int levels)
{
	double step = (high - low) / (levels - 1), inside = step * step / 12, sum = 0;

	for (int i = 0; i < HISTOGRAM_BINS; i++) {
		double v, over;

		if (!h->bins[i])
			continue;
		v = histogram_value(h, i);
		over = v > high ? v - high : v < low ? low - v : 0;
		sum += (double)h->bins[i] * (over > 0 ? over * over : inside);
	}
	return sum;
}

static void find_mse(const struct histogram *h, unsigned int levels, bool symmetric, float *low,
		     float *high)
{
	double full_low = *low, full_high = *high, best = INFINITY;
	int best_low = MSE_STEPS, best_high = MSE_STEPS;

	if (symmetric) {
		full_high = fmax(-full_low, full_high);
		full_low = -full_high;
	}
	/* Both ends together, then each on its own from there. */
	for (int pass = 0; pass < (symmetric ? 1 : 3); pass++) {
		for (int k = MSE_SMALLEST; k <= MSE_STEPS; k++) {
			int l = pass == 2 ? best_low : k, u = pass == 1 ? best_high : k;
			double sum = lost(h, full_low * l / MSE_STEPS, full_high * u / MSE_STEPS, levels);

			if (sum < best) {
				best = sum;
				best_low = l;
				best_high = u;
			}
		}
	}
	*low = fmaxf(*low, (float)(full_low * best_low / MSE_STEPS));
	*high = fminf(*high, (float)(full_high * best_high / MSE_STEPS));
}

/*
 * Divergence of the first @n bins of @p, what is beyond added to the last one, from the same bins after
 * KL_LEVELS levels share what they hold equally among their bins that are not empty.
 */
static double divergence(const double *p, int n, double beyond, double total)
{
	double sum = 0;

	for (int l = 0; l < KL_LEVELS; l++) {
		int from = (int)((int64_t)l * n / KL_LEVELS), to = (int)((int64_t)(l + 1) * n / KL_LEVELS);
		double mass = 0, share;
		int used = 0;

		for (int i = from; i < to; i++) {
			mass += p[i];
			used += p[i] > 0;
		}
		share = used ? mass / used : 0;
		for (int i = from; i < to; i++) {
			double clamped = p[i] + (i == n - 1 ? beyond : 0);

			if (clamped > 0)
				sum += clamped / total * log(clamped * (total - beyond) /
							     (fmax(share, 1e-9) * total));
		}
	}
	return sum;
}

static void find_entropy(const struct histogram *h, float *low, float *high)
{
	double p[HISTOGRAM_BINS] = { 0 }, total = 0, inside = 0, best = INFINITY;
	double top = fmax(-(double)*low, *high), width = top / HISTOGRAM_BINS, at = top;

	if (!(width > 0))
		return;
	for (int i = 0; i < HISTOGRAM_BINS; i++) {
		int bin = (int)(fabs(histogram_value(h, i)) / width);

		p[bin < HISTOGRAM_BINS ? bin : HISTOGRAM_BINS - 1] += (double)h->bins[i];
		total += (double)h->bins[i];
	}
	for (int n = 1; n <= HISTOGRAM_BINS; n++) {
		double d;

		inside += p[n - 1];
		if (n < KL_LEVELS || n % 8 || !(inside > 0))
			continue;
		d = divergence(p, n, total - inside, total);
		if (d < best) {
			best = d;
			at = n * width;
		}
	}
	*low = fmaxf(*low, (float)-at);
	*high = fminf(*high, (float)at);
}

void range_find(const struct histogram *h, int method, unsigned int levels, bool symmetric,
		double percentile, float *low, float *high)
{
	*low = fminf(h->count ? h->min : 0, 0);
	*high = fmaxf(h->count ? h->max : 0, 0);
	if (h->count == h->zeros)
		return;
	if (method == RANGE_PERCENTILE)
		find_percentile(h, percentile, low, high);
	else if (method == RANGE_MSE)
		find_mse(h, levels, symmetric, low, high);
	else if (method == RANGE_ENTROPY)
		find_entropy(h, low, high);
	*low = fminf(*low, 0);
	*high = fmaxf(*high, 0);
}

void range_quant(float low, float high, unsigned int bits, float *scale, int32_t *zero_point)
{
	double step, zero;

	if (bits == 16) {
		*scale = fmaxf(fmaxf(-low, high) / INT16_MAX, SCALE_SMALLEST);
		*zero_point = 0;
		return;
	}
	step = fmax(((double)high - low) / 255, (double)SCALE_SMALLEST);
	/* That of the two ends whose own rounding is smaller, as converters of TensorFlow do. */
	zero = round(-128 - low / step);
	*zero_point = zero < -128 ? -128 : zero > 127 ? 127 : (int32_t)zero;
	*scale = (float)step;
}
