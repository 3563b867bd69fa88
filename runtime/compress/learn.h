/* SPDX-License-Identifier: MIT */
/* Pruned layers learned further by gradient descent. */
#ifndef ACCEL_RUNTIME_COMPRESS_LEARN_H
#define ACCEL_RUNTIME_COMPRESS_LEARN_H

#include "runtime/compress/moments.h"
#include "runtime/quantise/optimiser.h"

/**
 * learn_layers - weights that are not zero, and biases, towards the original's outputs
 * @layers: @count of the changed graph, whose weights are where the original's are and of the same
 *	shape
 *
 * Beyond what the second moments say, this knows of activations: what they cut off does not matter.
 * A layer that does not get better by it on the samples is left as it is.
 *
 * Return: 0; what samples and graphs give.
 */
int learn_layers(const struct moments_source *source, const struct layer *layers, uint32_t count,
		 const struct optimiser_options *options, struct error *err);

#endif
