/* SPDX-License-Identifier: MIT */
/* Second moments of what layers see, gathered over samples. */
#ifndef ACCEL_RUNTIME_COMPRESS_MOMENTS_H
#define ACCEL_RUNTIME_COMPRESS_MOMENTS_H

#include "runtime/compress/layer.h"
#include "runtime/cpu/graph.h"
#include "runtime/samples/samples.h"

/**
 * struct moments - of one layer
 * @n: taps + 1: the last is always 1 and stands for the bias
 * @full: the same in the original graph, whose layer may have more taps
 * @own: [n][n], mean of x' x'^T, x' being what the layer sees in the graph that is changed
 * @cross: [full][n], mean of x x'^T, x being what it sees in the original
 * @rows: that were seen
 */
struct moments {
	size_t n, full;
	double *own, *cross;
	uint64_t rows;
};

void moments_free(struct moments *m);

/**
 * moments_shrink - believe inputs to go together only as far as there are rows that say so
 *
 * Covariances of different inputs become smaller by what of them is chance. Of more inputs than rows any
 * weights could stand for any others, on these samples and on no others. Nothing is done where the
 * original has more inputs.
 */
void moments_shrink(struct moments *m);

/**
 * struct moments_source - samples, and two graphs with the same layers
 * @original, @changed: may be the same; inputs of float32
 * @count: samples to use, taken evenly, 0: all
 * @held_out: of those every so manieth, from the first on, is left out, 0: none
 * @progress: called after each sample with @ctx; NULL: nobody wants to know
 */
struct moments_source {
	const struct ir_graph *original, *changed;
	struct samples *samples;
	size_t count, held_out;
	void (*progress)(void *ctx, size_t done, size_t total);
	void *ctx;
};

/* How many samples that are, and which of all the one of number @index is. */
size_t moments_samples(const struct moments_source *source);
size_t moments_sample(const struct moments_source *source, size_t index);

/**
 * moments_gather - of @count layers, none of them depthwise
 * @originals, @layers: in the order of the graphs; the same positions in both
 * @out: @count of them; each moments_free() in any case
 *
 * Of large maps positions are drawn, the same for both graphs and on every call.
 *
 * Return: 0; -EINVAL: values that are not finite; what samples and graphs give.
 */
int moments_gather(const struct moments_source *source, const struct layer *originals,
		   const struct layer *layers, uint32_t count, struct moments *out, struct error *err);

#endif
