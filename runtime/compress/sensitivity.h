/* SPDX-License-Identifier: MIT */
/* Which layers bear how much pruning. */
#ifndef ACCEL_RUNTIME_COMPRESS_SENSITIVITY_H
#define ACCEL_RUNTIME_COMPRESS_SENSITIVITY_H

#include "runtime/compress/compress.h"

/**
 * struct plan_layer - what is to happen to a layer
 * @skip: nothing
 * @share: of its weights become zero, if not 2:4
 */
struct plan_layer {
	bool skip;
	double share;
};

/**
 * sensitivity_plan - decide by what each weight does to its layer's output
 * @source: whose original graph says what layers see
 * @layers: @count
 * @weights: of all layers, those that are not among @layers, too: what shares are of
 * @plan: @count
 */
int sensitivity_plan(const struct moments_source *source, const struct layer *layers, uint32_t count,
		     uint64_t weights, const struct compress_options *opt, struct plan_layer *plan, struct error *err);

/**
 * sensitivity_taps - what each input of layers does to their outputs
 * @taps: of each layer, [layer.taps]: part of its output's power that is lost without that tap of all
 *	outputs; malloc'ed, the caller frees each, on failure too
 */
int sensitivity_taps(const struct moments_source *source, const struct layer *layers, uint32_t count,
		     double **taps, struct error *err);

#endif
