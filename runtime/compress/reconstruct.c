/* SPDX-License-Identifier: MIT */
/* Least squares by second moments, with and without zeros. */
#include "runtime/compress/reconstruct.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/compress/matrix.h"

#define BLOCK	128	/* inputs among which zeros are chosen together */
#define GROUP	4	/* 2:4 */
#define DOUBT	10	/* damping grows by that if there are as many weights of an output as samples */

/* Mean of the squares of outputs, their means left out: w (own - mean mean^T) w. */
static double signal_of(const struct moments *m, const double *w, uint32_t outputs, double *work)
{
	size_t n = m->n;
	const double *mean = m->own + (n - 1) * n;
	double sum = 0;

	for (uint32_t o = 0; o < outputs; o++, w += n) {
		double level = matrix_dot(w, mean, n - 1);

		for (size_t i = 0; i + 1 < n; i++)
			work[i] = matrix_dot(m->own + i * n, w, n - 1);
		sum += matrix_dot(work, w, n - 1) - level * level;
	}
	return sum;
}

/* An output's w cross, [n]. */
static void wanted_row(const struct moments *m, const float *w, const float *bias, uint32_t o, double *b)
{
	size_t taps = m->full - 1;

	memset(b, 0, m->n * sizeof(*b));
	for (size_t i = 0; i < taps; i++)
		if (w[o * taps + i] != 0)
			matrix_axpy(w[o * taps + i], m->cross + i * m->n, b, m->n);
	if (bias)
		matrix_axpy(bias[o], m->cross + taps * m->n, b, m->n);
	else
		b[m->n - 1] = 0;
}

/* The best weights: w = (wanted + start damping) inverse(own + damping); what is wanted is in f->best. */
static void solve(const double *damping, struct fit *f, double *work)
{
	size_t n = f->n;

	for (uint32_t o = 0; o < f->outputs; o++) {
		double *w = f->w + o * n;

		for (size_t i = 0; i < n; i++)
			w[i] = f->best[o * n + i] + w[i] * damping[i];
		matrix_solve(f->factor, n, w, work);
	}
	memcpy(f->best, f->w, f->outputs * n * sizeof(*f->best));
}

int fit_init(const struct layer *l, const struct moments *m, const float *w, const float *bias,
	     const uint32_t *rows, const float *start, double damping, struct fit *f)
{
	size_t n = m->n;
	double *work = calloc(2 * n, sizeof(*work)), *damp = work + n, mean = 0;
	int rc = -ENOMEM;

	*f = (struct fit){ .outputs = l->outputs, .taps = l->taps, .ic = l->ic, .n = n,
			   .own = m->own };
	f->w = calloc(l->outputs * n, sizeof(*f->w));
	f->best = calloc(l->outputs * n, sizeof(*f->best));
	f->factor = malloc(n * n * sizeof(*f->factor));
	if (!work || !f->w || !f->best || !f->factor)
		goto out;
	for (uint32_t o = 0; o < f->outputs; o++) {
		uint32_t from = rows ? rows[o] : o;

		wanted_row(m, w, bias, from, f->best + o * n);
		for (uint32_t i = 0; i < l->taps; i++)
			f->w[o * n + i] = start[(size_t)o * l->taps + i];
		f->w[o * n + l->taps] = bias ? bias[from] : 0;
	}
	f->signal = signal_of(m, f->w, l->outputs, work);
	memcpy(f->factor, m->own, n * n * sizeof(*f->factor));
	for (size_t i = 0; i + 1 < n; i++)
		mean += m->own[i * n + i] / (double)(n - 1);
	/* What is never other than zero, too, must have a place in the factor. */
	if (!(mean > 0))
		mean = 1;
	/* The fewer samples for a weight, the less they are believed. */
	damping *= 1 + DOUBT * (double)n / (double)(m->rows ? m->rows : 1);
	for (size_t i = 0; i < n; i++) {
		damp[i] = damping * (i + 1 < n ? mean : 1e-6);
		f->factor[i * n + i] += damp[i];
	}
	/* A bias that is not there must not become one. */
	for (size_t i = 0; i + 1 < n && !bias; i++)
		f->factor[i * n + n - 1] = f->factor[(n - 1) * n + i] = 0;
	rc = matrix_factor(f->factor, n) ? 0 : -EDOM;
	if (!rc)
		solve(damp, f, work);
out:
	free(work);
	return rc;
}

void fit_free(struct fit *f)
{
	free(f->w);
	free(f->best);
	free(f->factor);
	memset(f, 0, sizeof(*f));
}

void fit_store(const struct fit *f, float *w, float *bias)
{
	for (uint32_t o = 0; o < f->outputs; o++) {
		for (uint32_t i = 0; i < f->taps; i++)
			w[(size_t)o * f->taps + i] = (float)f->w[o * f->n + i];
		if (bias)
			bias[o] = (float)f->w[o * f->n + f->taps];
	}
}

/* ---- one input after the other ---- */

void fit_settle(const struct fit *f, double *w, size_t i, double value)
{
	const double *r = f->factor + i * f->n;
	double error = (w[i] - value) / r[i];

	if (error != 0)
		matrix_axpy(-error, r + i + 1, w + i + 1, f->n - i - 1);
	w[i] = value;
}

/* What setting a weight to zero costs, with those after it making it good. */
static double saliency(const struct fit *f, const double *w, size_t i)
{
	double r = w[i] / f->factor[i * f->n + i];

	return r * r;
}

static void prune_group(const struct fit *f, double *w, size_t from, size_t to, bool *zero)
{
	size_t count = to - from;

	for (; count > GROUP / 2; count--) {
		size_t least = to;

		for (size_t i = from; i < to; i++)
			if (!zero[i] && (least == to || saliency(f, w, i) < saliency(f, w, least)))
				least = i;
		zero[least] = true;
	}
}

static int prune_two_four(struct fit *f)
{
	bool *zero = calloc(f->n, sizeof(*zero));

	if (!zero)
		return -ENOMEM;
	for (uint32_t o = 0; o < f->outputs; o++) {
		double *w = f->w + o * f->n;

		memset(zero, 0, f->n * sizeof(*zero));
		for (size_t i = 0; i < f->taps; i++) {
			if (i % f->ic % GROUP == 0) {
				size_t left = f->ic - i % f->ic;

				prune_group(f, w, i, i + (left < GROUP ? left : GROUP), zero);
			}
			fit_settle(f, w, i, zero[i] ? 0 : w[i]);
		}
	}
	free(zero);
	return 0;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The saliency below which @share of the weights of inputs [@from, @to) are. */
static double threshold(const struct fit *f, size_t from, size_t to, double share, double *work)
{
	size_t count = 0, at;

	for (uint32_t o = 0; o < f->outputs; o++)
		for (size_t i = from; i < to; i++)
			work[count++] = saliency(f, f->w + o * f->n, i);
	at = (size_t)(share * (double)count + 0.5);
	if (!at)
		return -1;
	qsort(work, count, sizeof(*work), by_value);
	return work[at - 1];
}

static int prune_share(struct fit *f, double share)
{
	double *work = malloc((size_t)f->outputs * BLOCK * sizeof(*work));
	bool *zero = malloc((size_t)f->outputs * BLOCK);

	if (!work || !zero) {
		free(work);
		free(zero);
		return -ENOMEM;
	}
	for (size_t from = 0; from < f->taps; from += BLOCK) {
		size_t to = from + BLOCK < f->taps ? from + BLOCK : f->taps;
		double limit = threshold(f, from, to, share, work);

		for (uint32_t o = 0; o < f->outputs; o++) {
			double *w = f->w + o * f->n;

			for (size_t i = from; i < to; i++)
				zero[i - from] = saliency(f, w, i) <= limit;
			for (size_t i = from; i < to; i++)
				fit_settle(f, w, i, zero[i - from] ? 0 : w[i]);
		}
	}
	free(work);
	free(zero);
	return 0;
}

int fit_prune(struct fit *f, const struct sparsity *s)
{
	return s->two_four ? prune_two_four(f) : prune_share(f, s->share);
}

/* ---- how much is lost ---- */

/* (w - best) own (w - best)^T: beyond what the best weights lose. */
double fit_error(const struct fit *f)
{
	size_t n = f->n;
	double *d = malloc(n * sizeof(*d)), sum = 0;

	if (!d || !(f->signal > 0)) {
		free(d);
		return 0;
	}
	for (uint32_t o = 0; o < f->outputs; o++) {
		for (size_t i = 0; i < n; i++)
			d[i] = f->w[o * n + i] - f->best[o * n + i];
		for (size_t i = 0; i < n; i++)
			if (d[i] != 0)
				sum += d[i] * matrix_dot(f->own + i * n, d, n);
	}
	free(d);
	return sum / f->signal;
}
