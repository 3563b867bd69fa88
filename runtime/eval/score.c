/* SPDX-License-Identifier: MIT */
/* How good answers are. */
#include "runtime/eval/score.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DECISION 0.5	/* a probability above it means yes */

int score_init(struct score *s, size_t outputs, double threshold, unsigned int top,
	       struct error *err)
{
	size_t classes = outputs == 1 || !isnan(threshold) ? 2 : outputs;

	*s = (struct score){ .classes = (unsigned int)classes, .threshold = threshold, .top = top };
	if (!outputs || classes > SCORE_CLASSES_MAX)
		return error_set(err, -EINVAL, "%zu classes; 1 to %d are possible", classes,
				 SCORE_CLASSES_MAX);
	if (outputs == 1 && isnan(threshold))
		s->threshold = DECISION;
	s->confusion = calloc(classes * classes, sizeof(*s->confusion));
	return s->confusion ? 0 : error_set(err, -ENOMEM, "out of memory");
}

void score_free(struct score *s)
{
	free(s->confusion);
	s->confusion = NULL;
}

unsigned int score_answer(const struct score *s, const float *outputs, size_t n)
{
	unsigned int best = 0;

	for (size_t i = 0; i < n && !isnan(s->threshold); i++)
		if (outputs[i] > s->threshold)
			return 1;
	if (!isnan(s->threshold))
		return 0;
	for (size_t i = 1; i < n; i++)
		if (outputs[i] > outputs[best])
			best = (unsigned int)i;
	return best;
}

/* Is the class among the @top largest? Of equal ones the first comes first. */
static bool in_top(const float *outputs, size_t n, unsigned int label, unsigned int top)
{
	size_t before = 0;

	for (size_t i = 0; i < n; i++)
		before += outputs[i] > outputs[label] || (outputs[i] == outputs[label] && i < label);
	return before < top;
}

unsigned int score_add(struct score *s, const float *outputs, size_t n, unsigned int label)
{
	unsigned int answer = score_answer(s, outputs, n);

	s->count++;
	s->confusion[(size_t)label * s->classes + answer]++;
	if (s->top > 1)
		s->in_top += !isnan(s->threshold) || in_top(outputs, n, label, s->top);
	return answer;
}

size_t score_correct(const struct score *s)
{
	size_t n = 0;

	for (size_t c = 0; c < s->classes; c++)
		n += s->confusion[c * s->classes + c];
	return n;
}

struct class_score score_class(const struct score *s, unsigned int c)
{
	size_t right = s->confusion[(size_t)c * s->classes + c];
	struct class_score r = { 0 };

	for (size_t i = 0; i < s->classes; i++) {
		r.labelled += s->confusion[(size_t)c * s->classes + i];
		r.answered += s->confusion[i * s->classes + c];
	}
	if (r.answered)
		r.precision = (double)right / (double)r.answered;
	if (r.labelled)
		r.recall = (double)right / (double)r.labelled;
	if (r.precision + r.recall > 0)
		r.f1 = 2 * r.precision * r.recall / (r.precision + r.recall);
	return r;
}

struct class_score score_macro(const struct score *s)
{
	struct class_score sum = { 0 };
	unsigned int n = 0;

	for (unsigned int c = 0; c < s->classes; c++) {
		struct class_score one = score_class(s, c);

		if (!one.labelled && !one.answered)
			continue;
		n++;
		sum.precision += one.precision;
		sum.recall += one.recall;
		sum.f1 += one.f1;
	}
	if (n) {
		sum.precision /= n;
		sum.recall /= n;
		sum.f1 /= n;
	}
	return sum;
}

void likeness_add(struct likeness *l, const float *wanted, const float *got, size_t n)
{
	double signal = 0, noise = 0, other = 0, dot = 0;

	for (size_t i = 0; i < n; i++) {
		double w = wanted[i], g = got[i], d = w - g;

		signal += w * w;
		other += g * g;
		dot += w * g;
		noise += d * d;
		l->worst = fmax(l->worst, fabs(d));
	}
	l->count++;
	l->numbers += n;
	l->signal += signal;
	l->noise += noise;
	if (signal > 0 && other > 0)
		l->cosine += dot / sqrt(signal * other);
	else
		l->cosine += signal == other;
}

double likeness_mse(const struct likeness *l)
{
	return l->numbers ? l->noise / (double)l->numbers : 0;
}

double likeness_snr(const struct likeness *l)
{
	if (!(l->noise > 0))
		return l->noise == 0 ? INFINITY : NAN;
	return l->signal > 0 ? 10 * log10(l->signal / l->noise) : -INFINITY;
}

double likeness_cosine(const struct likeness *l)
{
	return l->count ? l->cosine / (double)l->count : 0;
}
