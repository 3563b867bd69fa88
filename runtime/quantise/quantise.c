/* SPDX-License-Identifier: MIT */
/* The quantiser: prepare, calibrate, decide, rewrite, compare. */
#include "runtime/quantise/quantise.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/quantise/improve.h"
#include "runtime/quantise/plan.h"
#include "runtime/quantise/prepare.h"
#include "runtime/quantise/sqnr.h"

#define EQUALISE_SAMPLES	64	/* largest values are wanted only */

void quantise_defaults(struct quantise_options *opt)
{
	*opt = (struct quantise_options){
		.method = RANGE_MSE,
		.percentile = 99.99,
		.mixed_share = 0.25,
		.float_below = 10,
		.bias_correction = true,
		.optimiser = { .kind = OPTIMISER_ADAM, .rate = 0.1, .momentum = 0.9, .batch = 64,
			       .epochs = 20, .seed = 1 },
	};
}

void quantise_report_free(struct quantise_report *r)
{
	for (uint32_t i = 0; i < r->layer_count; i++)
		free(r->layers[i].name);
	free(r->layers);
	memset(r, 0, sizeof(*r));
}

static unsigned int bits_of(int type)
{
	return type == ELEM_INT8 ? 8 : type == ELEM_INT16 ? 16 : 32;
}

static int fill_report(const struct plan *p, const struct ir_graph *q, const uint32_t *map,
		       const struct quantise_data *data, struct quantise_report *r,
		       struct error *err)
{
	const struct ir_graph *g = p->g;
	double *sqnr = calloc((size_t)g->tensor_count + 1, sizeof(*sqnr));
	uint32_t outputs = 0;
	int rc;

	memset(r, 0, sizeof(*r));
	r->layers = calloc((size_t)g->tensor_count + 1, sizeof(*r->layers));
	if (!sqnr || !r->layers) {
		free(sqnr);
		return error_set(err, -ENOMEM, "out of memory");
	}
	rc = sqnr_measure(g, q, map, data, SQNR_SAMPLES, sqnr, err);
	r->samples = data->count;
	for (uint32_t i = 0; i < g->op_count && !rc; i++) {
		const struct ir_op *op = &g->ops[i];

		r->ops8 += p->precision[i] == PREC_8;
		r->ops16 += p->precision[i] == PREC_16;
		r->ops_float += p->precision[i] == PREC_FLOAT;
		for (uint32_t k = 0; k < op->output_count; k++) {
			uint32_t t = op->outputs[k];
			struct quantise_layer *l = &r->layers[r->layer_count];

			if (isnan(sqnr[t]) || g->tensors[t].type != ELEM_FLOAT32)
				continue;
			l->name = strdup(g->tensors[t].name);
			if (!l->name)
				rc = error_set(err, -ENOMEM, "out of memory");
			else
				r->layer_count++;
			l->kind = op->kind;
			l->bits = bits_of(q->tensors[map[t]].type);
			l->sqnr = sqnr[t];
			if (g->tensors[t].output >= 0) {
				r->outputs += sqnr[t];
				outputs++;
			}
		}
	}
	r->outputs = outputs ? r->outputs / outputs : NAN;
	free(sqnr);
	if (rc)
		quantise_report_free(r);
	return rc;
}

/* Channels are scaled before anything is measured for good. */
static int equalise_first(struct ir_graph *g, const struct quantise_data *data, struct error *err)
{
	struct stats *stats = NULL;
	uint32_t pairs;
	int rc = calibrate(g, data, EQUALISE_SAMPLES, &stats, err);

	if (!rc)
		rc = equalise(g, stats, &pairs, err);
	stats_free(stats);
	return rc;
}

static int improve(struct plan *plan, const struct quantise_data *data,
		   const struct quantise_options *opt, double *learned, struct error *err)
{
	uint32_t left;
	int rc = 0;

	if (opt->float_below > 0)
		rc = leave_float(plan, data, opt->float_below, &left, err);
	if (!rc && opt->mixed && !opt->int16)
		rc = widen_worst(plan, data, opt->mixed_share, err);
	if (!rc && opt->adaround)
		rc = learn_rounding(plan, data, learned, err);
	if (!rc && opt->bias_correction)
		rc = correct_biases(plan, err);
	return rc;
}

int quantise(const struct ir_graph *from, const struct quantise_data *data,
	     const struct quantise_options *opt, struct ir_graph **out,
	     struct quantise_report *report, struct error *err)
{
	struct ir_graph *g = NULL, *q = NULL, *convs = NULL;
	struct stats *stats = NULL;
	struct plan plan = { 0 };
	uint32_t *map = NULL;
	double learned = NAN;
	int rc = prepare(from, &g, err);

	if (!rc && !opt->per_tensor)
		rc = dense_to_conv(g, &convs, err);
	if (!rc && convs) {
		ir_free(g);
		g = convs;
	}
	if (!rc && opt->equalise)
		rc = equalise_first(g, data, err);
	if (!rc)
		rc = calibrate(g, data, 0, &stats, err);
	if (!rc)
		rc = plan_init(&plan, g, stats, opt, err);
	if (!rc) {
		map = calloc((size_t)g->tensor_count + 1, sizeof(*map));
		if (!map)
			rc = error_set(err, -ENOMEM, "out of memory");
	}
	if (!rc) {
		plan_assign(&plan);
		rc = improve(&plan, data, opt, &learned, err);
	}
	if (!rc)
		rc = plan_rewrite(&plan, &q, map, err);
	if (!rc && report) {
		rc = fill_report(&plan, q, map, data, report, err);
		report->learned = learned;
	}
	if (rc)
		ir_free(q);
	else
		*out = q;
	free(map);
	plan_free(&plan);
	stats_free(stats);
	ir_free(g);
	return rc;
}
