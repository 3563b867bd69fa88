/* SPDX-License-Identifier: MIT */
/* Weights and biases of a layer in integers. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/quantise/plan.h"

#define WEIGHT_MAX	127
#define BIAS_ROOM	1073741824.0	/* of int32: half of it is left to the products */
#define SCALE_SMALLEST	1e-12f

static const float *weights_of(const struct plan *p, const struct ir_op *op,
			       const struct layer_shape *s)
{
	return p->g->tensors[op->inputs[s->weights]].data;
}

static const float *bias_of(const struct plan *p, const struct ir_op *op, const struct layer_shape *s)
{
	uint32_t bias = layer_bias(op, s);

	return bias == IR_NONE ? NULL : p->g->tensors[bias].data;
}

static float input_scale(const struct plan *p, uint32_t op, const struct layer_shape *s)
{
	int32_t zero;
	float scale;

	plan_quant(p, p->g->ops[op].inputs[s->input], p->precision[op], &scale, &zero);
	return scale;
}

static double bias_value(const struct plan *p, uint32_t op, const float *bias, uint32_t output)
{
	return (bias ? (double)bias[output] : 0) +
	       (p->bias_shift[op] ? (double)p->bias_shift[op][output] : 0);
}

void layer_scales(const struct plan *p, uint32_t op, const struct layer_shape *s, float *scales)
{
	const float *w = weights_of(p, &p->g->ops[op], s), *bias = bias_of(p, &p->g->ops[op], s);
	/* TFLite 2.14 has one scale for all weights of these. */
	bool one = p->opt->per_tensor || p->g->ops[op].kind == IR_FULLY_CONNECTED;
	float in = input_scale(p, op, s), all = 0;

	for (uint32_t o = 0; o < s->outputs; o++) {
		float max = 0;

		for (uint32_t k = 0; k < s->taps; k++)
			max = fmaxf(max, fabsf(w[o * s->outer + k * s->stride]));
		/* A bias that is far larger than the products must fit as well. */
		scales[o] = fmaxf(max / WEIGHT_MAX, SCALE_SMALLEST);
		if (p->precision[op] == PREC_8 && bias)
			scales[o] = fmaxf(scales[o], (float)(fabs((double)bias[o]) / BIAS_ROOM / (double)in));
		all = fmaxf(all, scales[o]);
	}
	for (uint32_t o = 0; o < s->outputs && one; o++)
		scales[o] = all;
}

static void round_weights(const struct layer_shape *s, const float *w, const float *scales,
			  int8_t *out)
{
	for (uint32_t o = 0; o < s->outputs; o++) {
		for (uint32_t k = 0; k < s->taps; k++) {
			size_t at = o * s->outer + k * s->stride;
			float v = roundf(w[at] / scales[o]);

			out[at] = (int8_t)fmaxf(-WEIGHT_MAX, fminf(WEIGHT_MAX, v));
		}
	}
}

static int make_bias(const struct plan *p, uint32_t op, const float *bias, struct layer_quant *q)
{
	bool wide = p->precision[op] == PREC_16;
	uint32_t outputs = q->shape.outputs;

	if (!bias && !p->bias_shift[op])
		return 0;
	q->bias_type = wide ? ELEM_INT64 : ELEM_INT32;
	q->bias = calloc(outputs, wide ? sizeof(int64_t) : sizeof(int32_t));
	if (!q->bias)
		return -ENOMEM;
	for (uint32_t o = 0; o < outputs; o++) {
		double scale = (double)q->bias_scales[q->scale_count == 1 ? 0 : o];
		double v = round(bias_value(p, op, bias, o) / scale), most = wide ? 0x1p39 : 0x1p31 - 1;

		v = fmin(fmax(v, -most), most);
		if (wide)
			((int64_t *)q->bias)[o] = (int64_t)v;
		else
			((int32_t *)q->bias)[o] = (int32_t)v;
	}
	return 0;
}

int layer_quantise(const struct plan *p, uint32_t index, struct layer_quant *out)
{
	const struct ir_op *op = &p->g->ops[index];
	struct layer_shape *s = &out->shape;
	float in;
	int rc = -ENOMEM;

	memset(out, 0, sizeof(*out));
	if (!rule_layer(p->g, op, s))
		return -EINVAL;
	out->weights = malloc((size_t)s->outputs * s->taps);
	out->scales = calloc(s->outputs, sizeof(*out->scales));
	out->bias_scales = calloc(s->outputs, sizeof(*out->bias_scales));
	if (!out->weights || !out->scales || !out->bias_scales)
		goto fail;
	layer_scales(p, index, s, out->scales);
	if (p->rounded[index])
		memcpy(out->weights, p->rounded[index], (size_t)s->outputs * s->taps);
	else
		round_weights(s, weights_of(p, op, s), out->scales, out->weights);
	out->scale_count = p->opt->per_tensor || op->kind == IR_FULLY_CONNECTED ? 1 : s->outputs;
	in = input_scale(p, index, s);
	for (uint32_t o = 0; o < s->outputs; o++)
		out->bias_scales[o] = in * out->scales[o];
	rc = make_bias(p, index, bias_of(p, op, s), out);
	if (!rc)
		return 0;
fail:
	layer_quant_free(out);
	return rc;
}

void layer_quant_free(struct layer_quant *q)
{
	free(q->weights);
	free(q->scales);
	free(q->bias_scales);
	free(q->bias);
	memset(q, 0, sizeof(*q));
}
