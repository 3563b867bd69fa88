/* SPDX-License-Identifier: MIT */
/* What wins accuracy back: before, between and after the choice of scales. */
#ifndef ACCEL_RUNTIME_QUANTISE_IMPROVE_H
#define ACCEL_RUNTIME_QUANTISE_IMPROVE_H

#include "runtime/quantise/plan.h"

/**
 * equalise - scale channels between two layers so that their weights have like ranges
 * @g: a prepared graph, changed
 * @stats: of its activations, which hold no longer when channels were scaled
 * @pairs: how many pairs of layers were equalised
 *
 * Nagel et al., "Data-Free Quantization through Weight Equalization and Bias Correction" (2019),
 * section 4.1. Only where what stands between the layers scales with its input: nothing, RELU, and
 * RELU6 for channels that stay below 6 both before and after.
 *
 * Return: 0, -ENOMEM.
 */
int equalise(struct ir_graph *g, const struct stats *stats, uint32_t *pairs, struct error *err);

/**
 * correct_biases - undo what rounded weights add to each output on average
 * @p: assigned; its bias_shift is set
 *
 * The same paper, section 4.2, with the means of inputs as they were measured.
 */
int correct_biases(struct plan *p, struct error *err);

/**
 * learn_rounding - AdaRound for every layer of integers
 * @p: assigned; its rounded is set
 * @ratio: mean over layers of the error that is left, against that of rounding to the nearest
 *
 * Nagel et al., "Up or Down? Adaptive Rounding for Post-Training Quantization" (2020).
 */
int learn_rounding(struct plan *p, const struct quantise_data *data, double *ratio,
		   struct error *err);

/**
 * leave_float - what integers do not represent stays float
 * @p: assigned; its real is set, and it is assigned anew
 * @below: decibel of an operation's output, with inputs that are better; layers are never left
 * @left: how many operations
 *
 * The statistics of a normalisation, whose squares and roots span many orders of magnitude.
 */
int leave_float(struct plan *p, const struct quantise_data *data, double below, uint32_t *left,
		struct error *err);

/**
 * widen_worst - activations of 16 bits for the layers that lose most
 * @p: assigned; its wide is set, and it is assigned anew
 * @share: of the layers that compute, at most that many
 *
 * Those come first that add most noise to what their inputs have, with whoever reads their output; as
 * long as the graph's outputs win by it.
 */
int widen_worst(struct plan *p, const struct quantise_data *data, double share, struct error *err);

#endif
