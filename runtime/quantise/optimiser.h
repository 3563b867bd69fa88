/* SPDX-License-Identifier: MIT */
/* Gradient descent: SGD with momentum, and Adam. */
#ifndef ACCEL_RUNTIME_QUANTISE_OPTIMISER_H
#define ACCEL_RUNTIME_QUANTISE_OPTIMISER_H

#include <stddef.h>
#include <stdint.h>

enum optimiser_kind { OPTIMISER_ADAM, OPTIMISER_SGD };

/**
 * struct optimiser_options - how to learn
 * @kind: enum optimiser_kind
 * @rate: learning rate, > 0
 * @momentum: of SGD, and Adam's decay of the gradient's mean (its square: 0.999), in [0, 1)
 * @batch: rows a step
 * @epochs: times that all rows are gone through
 * @seed: of the order of rows; the same seed, the same result
 */
struct optimiser_options {
	int kind;
	double rate;
	double momentum;
	uint32_t batch;
	uint32_t epochs;
	uint64_t seed;
};

/**
 * struct optimiser - state for @count parameters
 * @mean, @square: of the gradients; SGD's velocity is @mean
 */
struct optimiser {
	struct optimiser_options options;
	size_t count;
	uint64_t steps;
	float *mean, *square;
};

/* Return: 0, -ENOMEM. */
int optimiser_init(struct optimiser *o, const struct optimiser_options *options, size_t count);
void optimiser_free(struct optimiser *o);

/* optimiser_step - move the parameters against the gradient */
void optimiser_step(struct optimiser *o, float *parameters, const float *gradient);

/* A random number below @below, from a state that is not 0. */
uint32_t optimiser_random(uint64_t *state, uint32_t below);

#endif
