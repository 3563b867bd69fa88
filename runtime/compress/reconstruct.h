/* SPDX-License-Identifier: MIT */
/*
 * Layer-wise reconstruction: weights that may take certain values only, chosen one input after the
 * other, and what that loses made good by the inputs that are still free: the least sum of squares of
 * W x - W' x' over the samples.
 */
#ifndef ACCEL_RUNTIME_COMPRESS_RECONSTRUCT_H
#define ACCEL_RUNTIME_COMPRESS_RECONSTRUCT_H

#include "runtime/compress/moments.h"

/**
 * struct fit - a layer's weights on their way
 * @outputs, @taps, @ic: as in struct layer
 * @n: taps + 1: the last is the bias
 * @w: [outputs][n], what they are now
 * @factor: [n][n], see matrix_factor(), of the moments of x'
 * @own: the moments themselves; @best: [outputs][n], weights without any constraint; @signal: mean square
 *	of the outputs: for fit_error()
 */
struct fit {
	uint32_t outputs, taps, ic;
	size_t n;
	double *w, *factor;
	const double *own;
	double *best;
	double signal;
};

/**
 * fit_init - the weights that, without any constraint, give the original's outputs best
 * @l: the layer as it is changed
 * @w, @bias: of the original layer; bias NULL: none, and none is made
 * @rows: outputs of the original that the layer has, NULL: all
 * @start: of the layer, where samples do not say anything else
 * @damping: share of the mean of the squares of x' that is added to each: keeps weights where samples
 *	do not say what they should be
 * @out: free with fit_free(), on failure too
 *
 * Return: 0, -ENOMEM, -EDOM: the moments are no such thing.
 */
int fit_init(const struct layer *l, const struct moments *m, const float *w, const float *bias,
	     const uint32_t *rows, const float *start, double damping, struct fit *out);
void fit_free(struct fit *f);

/* fit_store - the weights as the layer has them; @bias may be NULL */
void fit_store(const struct fit *f, float *w, float *bias);

/**
 * fit_error - part of the output's power that is lost by the constraints: 0 nothing, 1 all
 *
 * What even the best weights lose, because layers before lost something, is not in it.
 */
double fit_error(const struct fit *f);

/* fit_settle - weight @i of an output becomes @value; those after it make good what they can */
void fit_settle(const struct fit *f, double *w, size_t i, double value);

/* What pruning leaves. */
struct sparsity {
	bool two_four;		/* of any four neighbouring input channels two; else: */
	double share;		/* of the weights is zero */
};

/* fit_prune - set weights to zero, those that cost least; @share of them in all blocks alike */
int fit_prune(struct fit *f, const struct sparsity *sparsity);

/**
 * fit_cluster - few values for all weights of the layer
 * @clusters: CLUSTERS_LEAST to CLUSTERS_MOST; zero counts as one if there are weights that are zero,
 *	and they stay
 * @per_tensor: the layer's weights will be quantised with one scale, not one for each output
 *
 * Values are multiples of what will be the scales of int8: every output keeps its largest weight at
 * 127, so that the quantiser finds the same scale again.
 *
 * Return: 0, -ENOMEM.
 */
int fit_cluster(struct fit *f, unsigned int clusters, bool per_tensor);

#define CLUSTERS_LEAST	4
#define CLUSTERS_MOST	255

#endif
