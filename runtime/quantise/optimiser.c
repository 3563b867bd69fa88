/* SPDX-License-Identifier: MIT */
/* Gradient descent. */
#include "runtime/quantise/optimiser.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SQUARE_DECAY	0.999	/* Adam's, as its paper has it */
#define EPSILON		1e-8

int optimiser_init(struct optimiser *o, const struct optimiser_options *options, size_t count)
{
	*o = (struct optimiser){ .options = *options, .count = count };
	o->mean = calloc(count + 1, sizeof(*o->mean));
	o->square = options->kind == OPTIMISER_ADAM ? calloc(count + 1, sizeof(*o->square)) : NULL;
	if (o->mean && (o->square || options->kind == OPTIMISER_SGD))
		return 0;
	optimiser_free(o);
	return -ENOMEM;
}

void optimiser_free(struct optimiser *o)
{
	free(o->mean);
	free(o->square);
	memset(o, 0, sizeof(*o));
}

/* v = m v + g; p -= rate v */
static void step_sgd(struct optimiser *o, float *p, const float *g)
{
	float rate = (float)o->options.rate, momentum = (float)o->options.momentum;

	for (size_t i = 0; i < o->count; i++) {
		o->mean[i] = momentum * o->mean[i] + g[i];
		p[i] -= rate * o->mean[i];
	}
}

/* Means of gradient and square, both without the bias of having begun at 0. */
static void step_adam(struct optimiser *o, float *p, const float *g)
{
	double decay = o->options.momentum, t = (double)o->steps;
	float b1 = (float)decay, b2 = (float)SQUARE_DECAY;
	float root = (float)sqrt(1 - pow(SQUARE_DECAY, t));
	float rate = (float)(o->options.rate / (1 - pow(decay, t))) * root;
	float epsilon = (float)EPSILON * root;

	for (size_t i = 0; i < o->count; i++) {
		o->mean[i] = b1 * o->mean[i] + (1 - b1) * g[i];
		o->square[i] = b2 * o->square[i] + (1 - b2) * g[i] * g[i];
		p[i] -= rate * o->mean[i] / (sqrtf(o->square[i]) + epsilon);
	}
}

void optimiser_step(struct optimiser *o, float *parameters, const float *gradient)
{
	o->steps++;
	if (o->options.kind == OPTIMISER_SGD)
		step_sgd(o, parameters, gradient);
	else
		step_adam(o, parameters, gradient);
}

uint32_t optimiser_random(uint64_t *state, uint32_t below)
{
	/* xorshift64* */
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)(((*state * 0x2545f4914f6cdd1dull) >> 32) * below >> 32);
}
