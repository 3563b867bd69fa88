/* SPDX-License-Identifier: MIT */
/* Inputs of the changed graph, outputs of the original, and the quantiser's reconstruction on them. */
#include "runtime/compress/learn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/quantise/reconstruct.h"

#define ROWS		4096	/* positions to learn from, fewer where a layer sees much at each */
#define HELD_OUT	5	/* a part of them, of the last samples, says when to stop */

/**
 * struct gathered - of both graphs, by operation
 * @wanted: operations that matter
 */
struct gathered {
	const struct moments_source *source;
	bool *wanted;
	struct layer_data *original, *changed;
	uint32_t count;
};

static int get_sample(void *ctx, size_t index, float *const *inputs, struct error *err)
{
	const struct moments_source *s = ctx;

	return samples_get(s->samples, moments_sample(s, index), inputs, NULL, err);
}

static int gather(struct gathered *g, const struct moments_source *s, const struct layer *layers,
		  uint32_t count, struct error *err)
{
	struct moments_source source = *s;
	const struct quantise_data data = { .count = moments_samples(s), .get = get_sample,
					    .ctx = &source };
	int rc;

	*g = (struct gathered){ .source = s, .count = s->original->op_count };
	g->wanted = calloc((size_t)g->count + 1, sizeof(*g->wanted));
	g->original = calloc((size_t)g->count + 1, sizeof(*g->original));
	g->changed = calloc((size_t)g->count + 1, sizeof(*g->changed));
	if (!g->wanted || !g->original || !g->changed)
		return error_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < count; i++)
		g->wanted[layers[i].op] = true;
	rc = layer_gather(s->original, &data, g->wanted, ROWS, g->original, err);
	return rc ? rc : layer_gather(s->changed, &data, g->wanted, ROWS, g->changed, err);
}

static void gathered_free(struct gathered *g)
{
	for (uint32_t i = 0; i < g->count; i++) {
		if (g->original)
			layer_data_free(&g->original[i]);
		if (g->changed)
			layer_data_free(&g->changed[i]);
	}
	free(g->wanted);
	free(g->original);
	free(g->changed);
}

static int learn(struct gathered *g, const struct layer *l, const struct optimiser_options *options,
		 struct error *err)
{
	const struct layer_data *from = &g->original[l->op];
	struct layer_data *data = &g->changed[l->op];
	struct reconstruct r = { .kind = RECONSTRUCT_MASK, .w = layer_weight_values(g->source->changed, l),
				 .bias = layer_bias_values(g->source->changed, l) };
	size_t n = (size_t)l->outputs * l->taps;
	uint8_t *mask;
	int rc;

	/* Positions are the same only if as many of them were taken. */
	if (!data->rows || data->rows != from->rows || data->shape.taps != from->shape.taps)
		return 0;
	memcpy(data->y, from->y, data->rows * data->shape.outputs * sizeof(*data->y));
	mask = malloc(n + 1);
	if (!mask)
		return error_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++)
		mask[i] = r.w[i] != 0;
	r.mask = mask;
	r.held_out = data->rows / HELD_OUT;
	rc = reconstruct(data, &r, options, err);
	free(mask);
	return rc;
}

int learn_layers(const struct moments_source *source, const struct layer *layers, uint32_t count,
		 const struct optimiser_options *options, struct error *err)
{
	struct gathered g;
	int rc = gather(&g, source, layers, count, err);

	for (uint32_t i = 0; i < count && !rc; i++)
		rc = learn(&g, &layers[i], options, err);
	gathered_free(&g);
	return rc;
}
