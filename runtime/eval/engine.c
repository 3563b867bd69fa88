/* SPDX-License-Identifier: MIT */
/* A model that can be run on real numbers, whatever computes it. */
#include "runtime/eval/engine.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/compile/graph_open.h"
#include "runtime/cpu/graph.h"
#include "runtime/file.h"
#include "runtime/image/accel_file.h"

const char *const engine_kind_names[ENGINE_KINDS] = { "float", "reference", "npu" };

/**
 * struct engine - one of the two
 * @g, @lanes, @lane_count: on the CPU
 * @model: on an NPU
 */
struct engine {
	enum engine_kind kind;
	char *path;
	struct ir_graph *g;
	struct cpu_graph **lanes;
	unsigned int lane_count;
	struct model *model;
	struct engine_tensor *inputs, *outputs;
	uint32_t input_count, output_count;
};

/* ---- elements ---- */

static const struct {
	int type;
	double low, high;
} ranges[] = {
	{ ELEM_INT8, -128, 127 },
	{ ELEM_UINT8, 0, 255 },
	{ ELEM_INT16, -32768, 32767 },
	{ ELEM_INT32, -2147483648.0, 2147483647.0 },
	{ ELEM_INT64, -9007199254740992.0, 9007199254740992.0 },
	{ ELEM_BOOL, 0, 1 },
	{ ELEM_FLOAT32, -INFINITY, INFINITY },
};

static void store(int type, void *out, size_t i, double v)
{
	switch (type) {
	case ELEM_INT8:
		((int8_t *)out)[i] = (int8_t)v;
		break;
	case ELEM_INT16:
		((int16_t *)out)[i] = (int16_t)v;
		break;
	case ELEM_INT32:
		((int32_t *)out)[i] = (int32_t)v;
		break;
	case ELEM_INT64:
		((int64_t *)out)[i] = (int64_t)v;
		break;
	default:
		((uint8_t *)out)[i] = (uint8_t)v;
	}
}

static double load(int type, const void *in, size_t i)
{
	switch (type) {
	case ELEM_INT8:
		return ((const int8_t *)in)[i];
	case ELEM_INT16:
		return ((const int16_t *)in)[i];
	case ELEM_INT32:
		return ((const int32_t *)in)[i];
	case ELEM_INT64:
		return (double)((const int64_t *)in)[i];
	case ELEM_FLOAT32:
		return ((const float *)in)[i];
	default:
		return ((const uint8_t *)in)[i];
	}
}

/* What nearly all inputs are. Adding and taking away 1.5 * 2^52 rounds to the nearest, ties to even. */
static void quantise_int8(const struct engine_tensor *t, const float *in, int8_t *out)
{
	const double round = 6755399441055744.0, scale = t->scale, zero_point = t->zero_point;

	for (size_t i = 0; i < t->elements; i++) {
		double v = in[i] / scale;

		v = v > -100000 ? v : -100000;
		v = v < 100000 ? v : 100000;
		v = v + round - round + zero_point;
		v = v > -128 ? v : -128;
		out[i] = (int8_t)(v < 127 ? v : 127);
	}
}

void engine_quantise(const struct engine_tensor *t, const float *in, void *out)
{
	double scale = t->scale > 0 ? t->scale : 1, low = 0, high = 0;
	int type = t->info.type;

	if (type == ELEM_FLOAT32) {
		memcpy(out, in, t->elements * sizeof(*in));
		return;
	}
	if (type == ELEM_INT8 && t->scale > 0) {
		quantise_int8(t, in, out);
		return;
	}
	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
		if (ranges[i].type == type) {
			low = ranges[i].low;
			high = ranges[i].high;
		}
	for (size_t i = 0; i < t->elements; i++) {
		double v = nearbyint(in[i] / scale) + t->zero_point;

		v = v > low ? v : low;	/* NaN as well */
		store(type, out, i, v < high ? v : high);
	}
}

void engine_dequantise(const struct engine_tensor *t, const void *in, float *out)
{
	if (t->info.type == ELEM_FLOAT32) {
		memcpy(out, in, t->elements * sizeof(*out));
		return;
	}
	for (size_t i = 0; i < t->elements; i++) {
		double q = load(t->info.type, in, i);

		out[i] = (float)(t->scale > 0 ? (q - t->zero_point) * t->scale : q);
	}
}

static bool type_known(int type)
{
	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
		if (ranges[i].type == type)
			return true;
	return false;
}

void engine_tensor_of(const struct ir_tensor *from, struct engine_tensor *out)
{
	*out = (struct engine_tensor){
		.info = { .name = from->name, .type = from->type, .ndim = from->ndim },
		.elements = ir_tensor_elements(from), .size = ir_tensor_bytes(from),
		.scale = from->quant.count ? from->quant.scale[0] : 0,
		.zero_point = from->quant.count && from->quant.zero_point ?
				      from->quant.zero_point[0] : 0,
	};
	memcpy(out->info.shape, from->shape, sizeof(out->info.shape));
}

static void tensor_of_image(const struct image_tensor *from, struct engine_tensor *out)
{
	*out = (struct engine_tensor){
		.info = { .name = from->name, .type = from->type, .ndim = from->ndim },
		.elements = 1, .size = image_tensor_size(from), .scale = image_scale(from, 0),
		.zero_point = image_zero_point(from, 0),
	};
	for (uint32_t d = 0; d < from->ndim; d++) {
		out->info.shape[d] = from->shape[d];
		out->elements *= (size_t)from->shape[d];
	}
}

/* ---- opening ---- */

static struct engine *engine_new(const char *path, struct error *err)
{
	struct engine *e = calloc(1, sizeof(*e));

	if (e)
		e->path = strdup(path);
	if (e && e->path)
		return e;
	free(e);
	error_set(err, -ENOMEM, "out of memory");
	return NULL;
}

static int make_tensors(struct engine *e, uint32_t inputs, uint32_t outputs, struct error *err)
{
	e->inputs = calloc(inputs + 1, sizeof(*e->inputs));
	e->outputs = calloc(outputs + 1, sizeof(*e->outputs));
	if (!e->inputs || !e->outputs)
		return error_set(err, -ENOMEM, "out of memory");
	e->input_count = inputs;
	e->output_count = outputs;
	return 0;
}

static int check_tensors(const struct engine *e, struct error *err)
{
	for (uint32_t i = 0; i < e->input_count + e->output_count; i++) {
		const struct engine_tensor *t = i < e->input_count ? &e->inputs[i] :
								      &e->outputs[i - e->input_count];
		if (!type_known(t->info.type))
			return error_set(err, -ENOTSUP, "%s: %s %s is of type %s", e->path,
					 i < e->input_count ? "input" : "output", t->info.name,
					 elem_name(t->info.type));
	}
	return 0;
}

/* Of integers, if any of its tensors is quantised. */
static enum engine_kind kind_of_graph(const struct ir_graph *g)
{
	for (uint32_t i = 0; i < g->tensor_count; i++) {
		int type = g->tensors[i].type;

		if (g->tensors[i].quant.count &&
		    (type == ELEM_INT8 || type == ELEM_UINT8 || type == ELEM_INT16))
			return ENGINE_REFERENCE;
	}
	return ENGINE_FLOAT;
}

int engine_file_kind(const char *path, const struct graph_shapes *shapes, struct error *err)
{
	bool compiled = false;
	struct tflite file;
	struct ir_graph *g;
	size_t size;
	void *data;
	int rc = file_read(path, &data, &size, err);

	if (rc)
		return rc;
	if (image_is_accel_file(data, size)) {
		compiled = true;
		free(data);
	} else if (graph_is_tflite(data, size)) {
		rc = tflite_parse(data, size, &file, err);
		if (rc)
			return error_prefix(err, rc, path);
		compiled = image_tflite_is_compiled(&file);
		tflite_free(&file);
	} else {
		free(data);
	}
	if (compiled)
		return ENGINE_NPU;
	rc = graph_file_open(path, shapes, &g, err);
	if (rc)
		return rc;
	rc = (int)kind_of_graph(g);
	ir_free(g);
	return rc;
}

int engine_open_graph(const char *path, const struct graph_shapes *shapes, unsigned int lanes,
		      struct engine **out, struct error *err)
{
	struct engine *e = engine_new(path, err);
	int rc;

	if (!e)
		return -ENOMEM;
	rc = graph_file_open(path, shapes, &e->g, err);
	if (rc)
		goto fail;
	e->kind = kind_of_graph(e->g);
	rc = make_tensors(e, e->g->input_count, e->g->output_count, err);
	if (rc)
		goto fail;
	for (uint32_t i = 0; i < e->input_count; i++)
		engine_tensor_of(&e->g->tensors[e->g->inputs[i]], &e->inputs[i]);
	for (uint32_t i = 0; i < e->output_count; i++)
		engine_tensor_of(&e->g->tensors[e->g->outputs[i]], &e->outputs[i]);
	rc = check_tensors(e, err);
	e->lanes = calloc(lanes, sizeof(struct cpu_graph *));
	if (!rc && !e->lanes)
		rc = error_set(err, -ENOMEM, "out of memory");
	for (; !rc && e->lane_count < lanes; e->lane_count++) {
		rc = cpu_graph_create(e->g, &e->lanes[e->lane_count], err);
		if (rc) {
			error_prefix(err, rc, path);
			break;
		}
	}
	if (rc)
		goto fail;
	*out = e;
	return 0;
fail:
	engine_close(e);
	return rc;
}

int engine_open_npu(const char *path, struct accel_device *device, struct engine **out,
		    struct error *err)
{
	struct engine *e = engine_new(path, err);
	int rc;

	if (!e)
		return -ENOMEM;
	e->kind = ENGINE_NPU;
	e->lane_count = 1;
	rc = model_open(path, device, &e->model, err);
	if (!rc)
		rc = make_tensors(e, model_input_count(e->model), model_output_count(e->model), err);
	if (rc) {
		engine_close(e);
		return rc;
	}
	for (uint32_t i = 0; i < e->input_count; i++)
		tensor_of_image(model_input(e->model, i), &e->inputs[i]);
	for (uint32_t i = 0; i < e->output_count; i++)
		tensor_of_image(model_output(e->model, i), &e->outputs[i]);
	rc = check_tensors(e, err);
	if (rc) {
		engine_close(e);
		return rc;
	}
	*out = e;
	return 0;
}

void engine_close(struct engine *e)
{
	if (!e)
		return;
	for (unsigned int i = 0; e->lanes && i < e->lane_count; i++)
		cpu_graph_free(e->lanes[i]);
	free(e->lanes);
	ir_free(e->g);
	if (e->model)
		model_close(e->model);
	free(e->inputs);
	free(e->outputs);
	free(e->path);
	free(e);
}

enum engine_kind engine_kind(const struct engine *e)
{
	return e->kind;
}

const char *engine_path(const struct engine *e)
{
	return e->path;
}

unsigned int engine_lanes(const struct engine *e)
{
	return e->lane_count;
}

const struct engine_tensor *engine_inputs(const struct engine *e, uint32_t *count)
{
	*count = e->input_count;
	return e->inputs;
}

const struct engine_tensor *engine_outputs(const struct engine *e, uint32_t *count)
{
	*count = e->output_count;
	return e->outputs;
}

const struct ir_graph *engine_graph(const struct engine *e)
{
	return e->g;
}

/* ---- running ---- */

static int run_graph(struct engine *e, unsigned int lane, const float *const *inputs,
		     void *const *outputs, struct error *err)
{
	struct cpu_graph *c = e->lanes[lane];
	int rc;

	cpu_graph_reset(c);
	for (uint32_t i = 0; i < e->input_count; i++)
		engine_quantise(&e->inputs[i], inputs[i], cpu_graph_tensor(c, e->g->inputs[i]));
	rc = cpu_graph_run(c, err);
	for (uint32_t i = 0; i < e->output_count && !rc; i++)
		memcpy(outputs[i], cpu_graph_tensor(c, e->g->outputs[i]), e->outputs[i].size);
	return rc;
}

static int run_npu(struct engine *e, const float *const *inputs, void *const *outputs,
		   struct error *err)
{
	int rc;

	model_reset(e->model);
	for (uint32_t i = 0; i < e->input_count; i++)
		engine_quantise(&e->inputs[i], inputs[i], model_input_data(e->model, i));
	rc = model_run(e->model, err);
	for (uint32_t i = 0; i < e->output_count && !rc; i++)
		memcpy(outputs[i], model_output_data(e->model, i), e->outputs[i].size);
	return rc;
}

int engine_run(struct engine *e, unsigned int lane, const float *const *inputs,
	       void *const *outputs, struct error *err)
{
	int rc = e->model ? run_npu(e, inputs, outputs, err) :
			    run_graph(e, lane, inputs, outputs, err);

	return rc ? error_prefix(err, rc, e->path) : 0;
}
