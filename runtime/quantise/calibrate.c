/* SPDX-License-Identifier: MIT */
/* Statistics of activations: samples stream through the graph, an observer counts. */
#include "runtime/quantise/calibrate.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

struct calibration {
	const struct ir_graph *g;
	struct stats *stats;
	size_t sample;
	struct error err;	/* of the observer: that of the run knows less */
};

static int make_tensor(struct tensor_stats *t, uint32_t channels)
{
	t->histogram = calloc(1, sizeof(*t->histogram));
	t->channel_min = calloc(channels, sizeof(*t->channel_min));
	t->channel_max = calloc(channels, sizeof(*t->channel_max));
	t->channel_sum = calloc(channels, sizeof(*t->channel_sum));
	if (!t->histogram || !t->channel_min || !t->channel_max || !t->channel_sum)
		return -ENOMEM;
	t->channels = channels;
	for (uint32_t c = 0; c < channels; c++) {
		t->channel_min[c] = INFINITY;
		t->channel_max[c] = -INFINITY;
	}
	return 0;
}

static void add_channels(struct tensor_stats *t, const float *values, size_t count)
{
	uint32_t channels = t->channels;

	for (size_t row = 0; row < count / channels; row++, values += channels) {
		for (uint32_t c = 0; c < channels; c++) {
			float v = values[c];

			t->channel_min[c] = v < t->channel_min[c] ? v : t->channel_min[c];
			t->channel_max[c] = v > t->channel_max[c] ? v : t->channel_max[c];
			t->channel_sum[c] += (double)v;
		}
	}
	t->rows += count / channels;
}

static int see(void *ctx, uint32_t tensor, const void *data)
{
	struct calibration *c = ctx;
	const struct ir_tensor *t = &c->g->tensors[tensor];
	struct tensor_stats *s = &c->stats->tensors[tensor];
	size_t count = ir_tensor_elements(t);

	if (t->type != ELEM_FLOAT32)
		return 0;
	if (!s->channels && make_tensor(s, (uint32_t)(t->ndim ? t->shape[t->ndim - 1] : 1)))
		return error_set(&c->err, -ENOMEM, "out of memory");
	if (!histogram_add(s->histogram, data, count))
		return error_set(&c->err, -EINVAL, "tensor %s: not a finite number on sample %zu",
				 t->name, c->sample);
	add_channels(s, data, count);
	return 0;
}

void stats_free(struct stats *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; s->tensors && i < s->count; i++) {
		free(s->tensors[i].histogram);
		free(s->tensors[i].channel_min);
		free(s->tensors[i].channel_max);
		free(s->tensors[i].channel_sum);
	}
	free(s->tensors);
	free(s);
}

int calibrate(const struct ir_graph *g, const struct quantise_data *data, size_t limit,
	      struct stats **out, struct error *err)
{
	struct calibration c = { .g = g };
	size_t count = limit && limit < data->count ? limit : data->count;
	struct data_run run;
	int rc;

	if (!count)
		return error_set(err, -EINVAL, "no samples to calibrate with");
	c.stats = calloc(1, sizeof(*c.stats));
	if (c.stats)
		c.stats->tensors = calloc((size_t)g->tensor_count + 1, sizeof(*c.stats->tensors));
	if (!c.stats || !c.stats->tensors) {
		stats_free(c.stats);
		return error_set(err, -ENOMEM, "out of memory");
	}
	c.stats->count = g->tensor_count;
	rc = data_open(g, false, &run, err);
	if (!rc)
		cpu_graph_observe(run.c, see, &c);
	for (size_t i = 0; i < count && !rc; i++) {
		c.sample = i * data->count / count;
		rc = data_sample(&run, data, c.sample, err);
		if (data->progress && !rc)
			data->progress("calibrating", i + 1, count);
	}
	data_close(&run);
	if (rc && c.err.text[0])
		*err = c.err;
	if (rc)
		stats_free(c.stats);
	else
		*out = c.stats;
	return rc;
}
