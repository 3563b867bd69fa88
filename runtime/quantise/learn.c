/* SPDX-License-Identifier: MIT */
/* Learned rounding of all layers, and the correction of their biases. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/quantise/improve.h"
#include "runtime/quantise/reconstruct.h"

#define ROWS	2048	/* positions of each layer */

int correct_biases(struct plan *p, struct error *err)
{
	const struct ir_graph *g = p->g;
	int rc = 0;

	for (uint32_t i = 0; i < g->op_count && !rc; i++) {
		const struct ir_op *op = &g->ops[i];
		const struct tensor_stats *s;
		struct layer_quant q;
		const float *w;
		uint32_t channels;

		if (p->precision[i] < PREC_8 || rule_of(op->kind)->rule != RULE_LAYER ||
		    op->kind == IR_TRANSPOSE_CONV)
			continue;
		s = &p->stats->tensors[op->inputs[0]];
		if (!s->rows)
			continue;
		rc = layer_quantise(p, i, &q);
		if (rc)
			break;
		w = g->tensors[op->inputs[q.shape.weights]].data;
		channels = s->channels;
		p->bias_shift[i] = calloc(q.shape.outputs, sizeof(float));
		if (!p->bias_shift[i])
			rc = -ENOMEM;
		for (uint32_t o = 0; o < q.shape.outputs && !rc; o++) {
			double shift = 0;

			for (uint32_t k = 0; k < q.shape.taps; k++) {
				size_t at = o * q.shape.outer + k * q.shape.stride;
				/* A depthwise layer's outputs each belong to a channel, others see all. */
				uint32_t c = op->kind == IR_DEPTHWISE_CONV_2D ?
					     o / (q.shape.outputs / channels) : k % channels;
				double mean = s->channel_sum[c] / (double)s->rows;

				shift += ((double)q.weights[at] * (double)q.scales[o] - (double)w[at]) * mean;
			}
			p->bias_shift[i][o] = (float)-shift;
		}
		layer_quant_free(&q);
	}
	return rc ? error_set(err, rc, "out of memory") : 0;
}

/* One layer: inputs as they will be, then which way each weight goes. */
static int learn_layer(struct plan *p, uint32_t index, struct layer_data *d, double *ratio,
		       struct error *err)
{
	const struct ir_op *op = &p->g->ops[index];
	size_t weights = (size_t)d->shape.outputs * d->shape.taps;
	uint32_t bias = layer_bias(op, &d->shape);
	float *w = malloc(weights * sizeof(*w)), *scales = calloc(d->shape.outputs, sizeof(*scales));
	float *b = calloc(d->shape.outputs, sizeof(*b)), scale;
	int8_t *rounded = malloc(weights);
	struct reconstruct r = { .kind = RECONSTRUCT_ROUND, .w = w, .bias = b, .scale = scales,
				 .rounded = rounded };
	int32_t zero;
	int rc = w && scales && b && rounded ? 0 : error_set(err, -ENOMEM, "out of memory");

	if (!rc) {
		plan_quant(p, op->inputs[0], p->precision[index], &scale, &zero);
		layer_round_inputs(d, scale, zero, p->precision[index] == PREC_16 ? 16 : 8);
		layer_load(&d->shape, p->g->tensors[op->inputs[d->shape.weights]].data, w);
		layer_scales(p, index, &d->shape, scales);
		if (bias != IR_NONE)
			memcpy(b, p->g->tensors[bias].data, d->shape.outputs * sizeof(*b));
		rc = reconstruct(d, &r, &p->opt->optimiser, err);
	}
	if (!rc)
		p->rounded[index] = malloc(weights);
	if (!rc && !p->rounded[index])
		rc = error_set(err, -ENOMEM, "out of memory");
	for (uint32_t o = 0; o < d->shape.outputs && !rc; o++)
		for (uint32_t k = 0; k < d->shape.taps; k++)
			p->rounded[index][o * d->shape.outer + k * d->shape.stride] =
				rounded[(size_t)o * d->shape.taps + k];
	*ratio = r.before > 0 ? r.after / r.before : 1;
	free(w);
	free(scales);
	free(b);
	free(rounded);
	return rc;
}

int learn_rounding(struct plan *p, const struct quantise_data *data, double *ratio,
		   struct error *err)
{
	const struct ir_graph *g = p->g;
	struct layer_data *layers = calloc((size_t)g->op_count + 1, sizeof(*layers));
	bool *wanted = calloc((size_t)g->op_count + 1, sizeof(*wanted));
	uint32_t count = 0, done = 0;
	int rc = layers && wanted ? 0 : error_set(err, -ENOMEM, "out of memory");

	*ratio = 0;
	for (uint32_t i = 0; i < g->op_count && !rc; i++)
		wanted[i] = p->precision[i] >= PREC_8;
	if (!rc)
		rc = layer_gather(g, data, wanted, ROWS, layers, err);
	for (uint32_t i = 0; i < g->op_count && !rc; i++)
		count += layers[i].rows > 0;
	for (uint32_t i = 0; i < g->op_count && !rc; i++) {
		double one;

		if (!layers[i].rows)
			continue;
		rc = learn_layer(p, i, &layers[i], &one, err);
		*ratio += one / count;
		layer_data_free(&layers[i]);
		if (data->progress && !rc)
			data->progress("learning layers", ++done, count);
	}
	for (uint32_t i = 0; layers && i < g->op_count; i++)
		layer_data_free(&layers[i]);
	free(layers);
	free(wanted);
	return rc;
}
