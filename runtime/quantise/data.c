/* SPDX-License-Identifier: MIT */
/* Graphs run on samples. */
#include "runtime/quantise/data.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int data_open(const struct ir_graph *g, bool keep, struct data_run *out, struct error *err)
{
	int rc;

	*out = (struct data_run){ .g = g };
	out->values = calloc((size_t)g->input_count + 1, sizeof(*out->values));
	if (!out->values)
		return error_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < g->input_count; i++) {
		out->values[i] = calloc(ir_tensor_elements(&g->tensors[g->inputs[i]]), sizeof(float));
		if (!out->values[i])
			return error_set(err, -ENOMEM, "out of memory");
	}
	rc = keep ? cpu_graph_create_kept(g, &out->c, err) : cpu_graph_create(g, &out->c, err);
	if (rc)
		out->c = NULL;
	return rc;
}

void data_close(struct data_run *run)
{
	for (uint32_t i = 0; run->values && i < run->g->input_count; i++)
		free(run->values[i]);
	free(run->values);
	cpu_graph_free(run->c);
	memset(run, 0, sizeof(*run));
}

static double low_of(int type)
{
	return type == ELEM_INT8 ? INT8_MIN : type == ELEM_INT16 ? INT16_MIN :
	       type == ELEM_UINT8 || type == ELEM_BOOL ? 0 : INT32_MIN;
}

static double high_of(int type)
{
	return type == ELEM_INT8 ? INT8_MAX : type == ELEM_INT16 ? INT16_MAX :
	       type == ELEM_UINT8 ? UINT8_MAX : type == ELEM_BOOL ? 1 : INT32_MAX;
}

static void store(const struct ir_tensor *t, const float *from, void *to)
{
	size_t n = ir_tensor_elements(t);
	double low = low_of(t->type), high = high_of(t->type);

	if (t->type == ELEM_FLOAT32) {
		memcpy(to, from, n * sizeof(*from));
		return;
	}
	for (size_t i = 0; i < n; i++) {
		double v = from[i];

		if (t->quant.count)
			v = v / (double)t->quant.scale[0] + t->quant.zero_point[0];
		v = round(v);
		v = v > low ? v < high ? v : high : low;
		if (t->type == ELEM_INT64)
			((int64_t *)to)[i] = (int64_t)v;
		else if (t->type == ELEM_INT32)
			((int32_t *)to)[i] = (int32_t)v;
		else if (t->type == ELEM_INT16)
			((int16_t *)to)[i] = (int16_t)v;
		else
			((uint8_t *)to)[i] = (uint8_t)(int)v;
	}
}

int data_load(struct data_run *run, const struct quantise_data *data, size_t index,
	      struct error *err)
{
	const struct ir_graph *g = run->g;
	int rc = data->get(data->ctx, index, run->values, err);

	for (uint32_t i = 0; i < g->input_count && !rc; i++)
		store(&g->tensors[g->inputs[i]], run->values[i],
		      cpu_graph_tensor(run->c, g->inputs[i]));
	return rc;
}

int data_sample(struct data_run *run, const struct quantise_data *data, size_t index,
		struct error *err)
{
	int rc;

	cpu_graph_reset(run->c);
	rc = data_load(run, data, index, err);
	return rc ? rc : cpu_graph_run(run->c, err);
}

void data_real(const struct ir_tensor *t, const void *data, size_t first, size_t count, float *out)
{
	float scale = t->quant.count ? t->quant.scale[0] : 1;
	int32_t zero = t->quant.count ? t->quant.zero_point[0] : 0;

	if (t->type == ELEM_FLOAT32) {
		memcpy(out, (const float *)data + first, count * sizeof(*out));
		return;
	}
	for (size_t i = 0; i < count; i++) {
		size_t at = first + i;
		int64_t v = t->type == ELEM_INT8 ? ((const int8_t *)data)[at] :
			    t->type == ELEM_INT16 ? ((const int16_t *)data)[at] :
			    t->type == ELEM_INT32 ? ((const int32_t *)data)[at] :
			    t->type == ELEM_INT64 ? ((const int64_t *)data)[at] :
						    ((const uint8_t *)data)[at];

		out[i] = scale * (float)(v - zero);
	}
}
