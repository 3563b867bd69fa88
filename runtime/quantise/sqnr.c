/* SPDX-License-Identifier: MIT */
/* Signal to quantisation noise: both graphs on the same samples, tensor by tensor. */
#include "runtime/quantise/sqnr.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define CHUNK	512

struct comparison {
	const struct ir_graph *g, *q;
	const uint32_t *map;
	const struct data_run *quantised;
	double *signal, *noise;
};

/* The quantised graph ran already and kept everything. */
static int see(void *ctx, uint32_t tensor, const void *data)
{
	struct comparison *c = ctx;
	const struct ir_tensor *t = &c->g->tensors[tensor];
	size_t count = ir_tensor_elements(t);
	const float *want = data;
	float got[CHUNK];

	if (t->type != ELEM_FLOAT32 || c->map[tensor] == IR_NONE)
		return 0;
	for (size_t at = 0; at < count; at += CHUNK) {
		size_t n = count - at < CHUNK ? count - at : CHUNK;

		data_real(&c->q->tensors[c->map[tensor]],
			  cpu_graph_tensor(c->quantised->c, c->map[tensor]), at, n, got);
		for (size_t i = 0; i < n; i++) {
			double w = want[at + i], d = (double)got[i] - w;

			c->signal[tensor] += w * w;
			c->noise[tensor] += d * d;
		}
	}
	return 0;
}

int sqnr_measure(const struct ir_graph *g, const struct ir_graph *q, const uint32_t *map,
		 const struct quantise_data *data, size_t samples, double *out, struct error *err)
{
	struct comparison c = { .g = g, .q = q, .map = map };
	struct data_run real = { 0 }, quantised = { 0 };
	int rc;

	if (samples > data->count)
		samples = data->count;
	c.signal = calloc(g->tensor_count + 1, sizeof(*c.signal));
	c.noise = calloc(g->tensor_count + 1, sizeof(*c.noise));
	rc = c.signal && c.noise ? 0 : error_set(err, -ENOMEM, "out of memory");
	if (!rc)
		rc = data_open(g, false, &real, err);
	if (!rc)
		rc = data_open(q, true, &quantised, err);
	if (!rc) {
		c.quantised = &quantised;
		cpu_graph_observe(real.c, see, &c);
	}
	for (size_t i = 0; i < samples && !rc; i++) {
		size_t index = i * data->count / samples;

		rc = data_sample(&quantised, data, index, err);
		if (!rc)
			rc = data_sample(&real, data, index, err);
		if (data->progress && !rc)
			data->progress("comparing", i + 1, samples);
	}
	for (uint32_t i = 0; i < g->tensor_count && !rc; i++) {
		if (map[i] == IR_NONE || g->tensors[i].data || c.signal[i] + c.noise[i] == 0)
			out[i] = NAN;
		else
			out[i] = c.noise[i] > 0 ? 10 * log10(c.signal[i] / c.noise[i]) : INFINITY;
	}
	if (real.g)
		data_close(&real);
	if (quantised.g)
		data_close(&quantised);
	free(c.signal);
	free(c.noise);
	return rc;
}
