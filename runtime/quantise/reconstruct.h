/* SPDX-License-Identifier: MIT */
/*
 * Layer-wise reconstruction: weights that are bound in some way (rounded, masked, clustered) are
 * learned so that their layer gives what it gave before.
 */
#ifndef ACCEL_RUNTIME_QUANTISE_RECONSTRUCT_H
#define ACCEL_RUNTIME_QUANTISE_RECONSTRUCT_H

#include <stdbool.h>

#include "runtime/quantise/data.h"
#include "runtime/quantise/optimiser.h"
#include "runtime/quantise/rules.h"

/**
 * struct layer_data - what a layer sees, and what it gives
 * @shape: of its weights
 * @groups: 1, or channels of a depthwise convolution, each with inputs of its own
 * @rows: positions of the output that were taken
 * @x: [@groups][@rows][taps] inputs; @shape.outputs / @groups outputs see each group
 * @y: [@rows][outputs] outputs, bias included, before the activation
 * @low, @high: of the fused activation
 */
struct layer_data {
	struct layer_shape shape;
	uint32_t groups;
	size_t rows;
	float *x, *y;
	float low, high;
};

/**
 * layer_gather - inputs and outputs of a float graph's layers at random positions
 * @wanted: of each operation, whether it matters; NULL: all CONV_2D, DEPTHWISE_CONV_2D and
 *	FULLY_CONNECTED with constant weights
 * @rows: wanted for each layer; fewer where inputs are many
 * @layers: one for each operation, to be freed with layer_data_free(); @rows 0: not gathered
 *
 * One pass over the samples. The same graph and samples give the same positions.
 */
int layer_gather(const struct ir_graph *g, const struct quantise_data *data, const bool *wanted,
		 size_t rows, struct layer_data *layers, struct error *err);
void layer_data_free(struct layer_data *d);

/* layer_round_inputs - inputs as they will be, quantised, so that rounding can make up for that */
void layer_round_inputs(struct layer_data *d, float scale, int32_t zero_point, unsigned int bits);

/* layer_load - a layer's weights as [outputs][taps], taps as in @x; layer_store - and back */
void layer_load(const struct layer_shape *s, const float *tensor, float *w);
void layer_store(const struct layer_shape *s, const float *w, float *tensor);

enum reconstruct_kind {
	RECONSTRUCT_MASK,	/* weights are free where the mask is not 0, and 0 elsewhere */
	RECONSTRUCT_CLUSTER,	/* weights of one cluster are equal, whatever their value */
	RECONSTRUCT_ROUND,	/* multiples of a scale, next to what they were: AdaRound */
};

/**
 * struct reconstruct - what to learn
 * @kind: enum reconstruct_kind
 * @w: [outputs][taps] weights: those to begin with, then the result
 * @bias: [outputs], learned with the weights; NULL: 0, not learned
 * @mask: RECONSTRUCT_MASK, [outputs][taps]
 * @cluster, @clusters: RECONSTRUCT_CLUSTER, [outputs][taps] number of the cluster, below @clusters
 * @scale: RECONSTRUCT_ROUND, [outputs]; @bias is not changed
 * @rounded: RECONSTRUCT_ROUND: the result as integers in [-127, 127]
 * @held_out: so many rows, the last ones, are not learned from: what does best on them is kept. With
 *	RECONSTRUCT_ROUND and where there are groups it must be 0
 * @before, @after: mean square of the outputs' error behind the activation, on the rows held out, on all
 *	if there are none
 */
struct reconstruct {
	int kind;
	float *w, *bias;
	const uint8_t *mask;
	const uint16_t *cluster;
	uint32_t clusters;
	const float *scale;
	int8_t *rounded;
	size_t held_out;
	double before, after;
};

/**
 * reconstruct - learn
 *
 * What is worse than the beginning is not taken: @after is at most @before.
 *
 * Return: 0, -ENOMEM, -ENOTSUP (no OpenBLAS).
 */
int reconstruct(const struct layer_data *data, struct reconstruct *r,
		const struct optimiser_options *options, struct error *err);

#endif
