/* SPDX-License-Identifier: MIT */
/* Cross-layer equalisation: channels scaled down in one layer and up again in the next. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/compile/passes.h"
#include "runtime/quantise/improve.h"

#define ROUNDS		10	/* over all pairs: a layer in the middle belongs to two */
#define FACTOR_MAX	64.0f	/* of one channel, one time */
#define RELU6_ROOM	1.05f	/* between what was seen and the clamp */

/**
 * struct pair - two layers and the channels between them
 * @channels: outputs of the first, inputs of the second
 * @seen: largest value of each channel that the clamp at 6 let through, scaled along; NULL: no clamp
 */
struct pair {
	struct ir_graph *g;
	struct ir_op *first, *second;
	struct layer_shape a, b;
	uint32_t channels;
	float *seen;
};

/* Weight @k of channel @c in the second layer, and how many there are. */
static size_t second_at(const struct pair *p, uint32_t c, uint32_t k)
{
	if (p->second->kind == IR_DEPTHWISE_CONV_2D) {
		/* [1][kh][kw][c * multiplier] */
		uint32_t multiplier = p->b.outputs / p->channels;

		return (size_t)(k / multiplier) * p->b.outputs + c * multiplier + k % multiplier;
	}
	/* [outputs][...][channels]: the last axis is that of the channels. */
	return (size_t)k * p->channels + c;
}

static uint32_t second_count(const struct pair *p)
{
	return (uint32_t)(ir_tensor_elements(&p->g->tensors[p->second->inputs[1]]) / p->channels);
}

/* A layer's own copy of weights and bias, to be changed. */
static int own(struct ir_graph *g, uint32_t tensor)
{
	struct ir_tensor *t = &g->tensors[tensor];
	void *copy = ir_alloc(g, t->size);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, t->data, t->size);
	t->data = copy;
	return 0;
}

static float largest(const float *w, size_t first, size_t step, uint32_t count)
{
	float max = 0;

	for (uint32_t k = 0; k < count; k++)
		max = fmaxf(max, fabsf(w[first + k * step]));
	return max;
}

/* By what channel @c of the first layer is divided. */
static float factor_of(const struct pair *p, uint32_t c, const float *wa, const float *wb)
{
	float ra = largest(wa, c * p->a.outer, p->a.stride, p->a.taps), rb = 0, f;

	for (uint32_t k = 0; k < second_count(p); k++)
		rb = fmaxf(rb, fabsf(wb[second_at(p, c, k)]));
	if (!(ra > 0) || !(rb > 0))
		return 1;
	f = sqrtf(ra / rb);
	f = fmaxf(1 / FACTOR_MAX, fminf(FACTOR_MAX, f));
	if (!p->seen)
		return f;
	/* Where the clamp was met, it means something; elsewhere it must not be met afterwards. */
	if (p->seen[c] * RELU6_ROOM >= 6)
		return 1;
	return fmaxf(f, p->seen[c] * RELU6_ROOM / 6);
}

static float scale_pair(struct pair *p)
{
	const struct ir_graph *g = p->g;
	/* These are copies of the graph's own, made by own(). */
	float *wa = (float *)(uintptr_t)g->tensors[p->first->inputs[1]].data;
	float *wb = (float *)(uintptr_t)g->tensors[p->second->inputs[1]].data;
	uint32_t bias = layer_bias(p->first, &p->a);
	float *b = bias == IR_NONE ? NULL : (float *)(uintptr_t)g->tensors[bias].data;
	float most = 0;

	for (uint32_t c = 0; c < p->channels; c++) {
		float f = factor_of(p, c, wa, wb);

		for (uint32_t k = 0; k < p->a.taps; k++)
			wa[c * p->a.outer + k * p->a.stride] /= f;
		for (uint32_t k = 0; k < second_count(p); k++)
			wb[second_at(p, c, k)] *= f;
		if (b)
			b[c] /= f;
		if (p->seen)
			p->seen[c] /= f;
		most = fmaxf(most, fabsf(logf(f)));
	}
	return most;
}

static bool is_layer(const struct ir_graph *g, const struct ir_op *op, struct layer_shape *s)
{
	return (op->kind == IR_CONV_2D || op->kind == IR_DEPTHWISE_CONV_2D ||
		op->kind == IR_FULLY_CONNECTED) && rule_layer(g, op, s);
}

/* The layer that alone reads what @first gives, or NULL. */
static struct ir_op *next_layer(struct ir_graph *g, const struct use *uses, const struct ir_op *first,
				struct layer_shape *s)
{
	const struct use *u = &uses[first->outputs[0]];
	struct ir_op *next = u->readers == 1 && u->reader != IR_NONE ? &g->ops[u->reader] : NULL;

	return next && next->inputs[0] == first->outputs[0] && is_layer(g, next, s) ? next : NULL;
}

static bool find_pair(struct ir_graph *g, const struct use *uses, uint32_t index,
		      const struct stats *stats, struct pair *p, struct error *err, int *rc)
{
	struct ir_op *first = &g->ops[index];
	const struct tensor_stats *s = &stats->tensors[first->outputs[0]];
	int activation;

	*p = (struct pair){ .g = g, .first = first };
	if (!is_layer(g, first, &p->a))
		return false;
	activation = first->options->activation;
	if (activation != IR_ACT_NONE && activation != IR_ACT_RELU && activation != IR_ACT_RELU6)
		return false;
	p->second = next_layer(g, uses, first, &p->b);
	p->channels = p->a.outputs;
	/* Weights that others read too cannot be changed. */
	if (!p->second || s->channels != p->channels || uses[first->inputs[1]].readers != 1 ||
	    uses[p->second->inputs[1]].readers != 1 ||
	    (layer_bias(first, &p->a) != IR_NONE && uses[layer_bias(first, &p->a)].readers != 1))
		return false;
	/* Channels must come last in the second layer's weights: no groups, nothing flattened. */
	if (p->second->kind == IR_DEPTHWISE_CONV_2D ? p->b.outputs % p->channels != 0 :
	    (uint32_t)g->tensors[p->second->inputs[1]].shape[g->tensors[p->second->inputs[1]].ndim - 1] !=
	    p->channels)
		return false;
	if (activation != IR_ACT_RELU6)
		return true;
	p->seen = malloc(p->channels * sizeof(*p->seen));
	if (!p->seen) {
		*rc = error_set(err, -ENOMEM, "out of memory");
		return false;
	}
	memcpy(p->seen, s->channel_max, p->channels * sizeof(*p->seen));
	return true;
}

int equalise(struct ir_graph *g, const struct stats *stats, uint32_t *pairs, struct error *err)
{
	struct use *uses = passes_uses(g);
	struct pair *list = calloc((size_t)g->op_count + 1, sizeof(*list));
	uint32_t count = 0;
	int rc = uses && list ? 0 : error_set(err, -ENOMEM, "out of memory");

	for (uint32_t i = 0; i < g->op_count && !rc; i++) {
		struct pair *p = &list[count];
		uint32_t bias;

		if (!find_pair(g, uses, i, stats, p, err, &rc))
			continue;
		count++;
		bias = layer_bias(p->first, &p->a);
		if (own(g, p->first->inputs[1]) || own(g, p->second->inputs[1]) ||
		    (bias != IR_NONE && own(g, bias)))
			rc = error_set(err, -ENOMEM, "out of memory");
	}
	for (int round = 0; round < ROUNDS && !rc; round++) {
		float most = 0;

		for (uint32_t i = 0; i < count; i++)
			most = fmaxf(most, scale_pair(&list[i]));
		if (most < 0.01f)
			break;
	}
	for (uint32_t i = 0; i < count; i++)
		free(list[i].seen);
	*pairs = count;
	free(list);
	free(uses);
	return rc;
}
