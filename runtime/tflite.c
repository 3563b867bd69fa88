/* SPDX-License-Identifier: MIT */
/* Reads TFLite's FlatBuffers: everything is checked once, on the way to plain structs. */
#include "runtime/tflite.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/file.h"

/* More of anything than a real model has: bounds the memory that a hostile file can ask for. */
#define COUNT_MAX	(1u << 20)
#define IDENTIFIER	"TFL3"
#define PLAN_NAME	"OfflineMemoryAllocation"
#define PLAN_HEADER	3	/* version, subgraphs, tensors */

/* Field numbers of the tables that are read, from TensorFlow's schema.fbs. */
enum {
	MODEL_OPERATOR_CODES = 1, MODEL_SUBGRAPHS = 2, MODEL_BUFFERS = 4, MODEL_METADATA = 6,
	CODE_OLD_BUILTIN = 0, CODE_CUSTOM = 1, CODE_BUILTIN = 3,
	GRAPH_TENSORS = 0, GRAPH_INPUTS = 1, GRAPH_OUTPUTS = 2, GRAPH_OPERATORS = 3,
	TENSOR_SHAPE = 0, TENSOR_TYPE = 1, TENSOR_BUFFER = 2, TENSOR_NAME = 3,
	TENSOR_QUANTIZATION = 4, TENSOR_VARIABLE = 5,
	QUANTIZATION_SCALE = 2, QUANTIZATION_ZERO_POINT = 3, QUANTIZATION_AXIS = 6,
	OPERATOR_CODE = 0, OPERATOR_INPUTS = 1, OPERATOR_OUTPUTS = 2, OPERATOR_OPTIONS = 4,
	OPERATOR_INTERMEDIATES = 8,
	BUFFER_DATA = 0, BUFFER_OFFSET = 1, BUFFER_SIZE = 2,
	METADATA_NAME = 0, METADATA_BUFFER = 1,
};

/*
 * The file; the first access outside it sets @bad, and what comes after reads zeros. @indices
 * counts tensor indices copied so far: tables that all refer to one long vector could ask for any
 * amount of memory.
 */
struct flat {
	const uint8_t *data;
	size_t size;
	size_t indices;
	bool bad;
};

/* A vector of @count elements at @data. */
struct vector {
	const uint8_t *data;
	size_t at;
	uint32_t count;
};

static const uint8_t *flat_at(struct flat *f, size_t at, size_t len)
{
	static const uint8_t zeros[8];

	if (f->bad || at > f->size || len > f->size - at) {
		f->bad = true;
		return zeros;
	}
	return f->data + at;
}

static uint64_t flat_get(struct flat *f, size_t at, unsigned int bytes)
{
	const uint8_t *p = flat_at(f, at, bytes);
	uint64_t v = 0;

	for (unsigned int i = 0; i < bytes; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

/* Where a table's field is, 0 if the table leaves it out. */
static size_t flat_field(struct flat *f, size_t table, unsigned int field)
{
	int64_t vtable = (int64_t)table - (int32_t)flat_get(f, table, 4);
	size_t offset;

	if (f->bad || vtable < 0) {
		f->bad = true;
		return 0;
	}
	if (flat_get(f, (size_t)vtable, 2) < 4 + 2 * (field + 1))
		return 0;
	offset = (size_t)flat_get(f, (size_t)vtable + 4 + 2 * field, 2);
	return offset ? table + offset : 0;
}

static size_t flat_follow(struct flat *f, size_t at)
{
	return at + (size_t)flat_get(f, at, 4);
}

static uint64_t flat_scalar(struct flat *f, size_t table, unsigned int field, unsigned int bytes)
{
	size_t at = flat_field(f, table, field);

	return at ? flat_get(f, at, bytes) : 0;
}

static struct vector flat_vector(struct flat *f, size_t table, unsigned int field, size_t element)
{
	size_t at = flat_field(f, table, field);
	struct vector v = { 0 };

	if (!at)
		return v;
	at = flat_follow(f, at);
	v.count = (uint32_t)flat_get(f, at, 4);
	v.at = at + 4;
	if (v.count > SIZE_MAX / element)
		f->bad = true;
	v.data = flat_at(f, v.at, v.count * element);
	if (f->bad)
		v.count = 0;
	return v;
}

static struct tflite_span flat_span(struct flat *f, size_t table, unsigned int field)
{
	struct vector v = flat_vector(f, table, field, 1);

	return (struct tflite_span){ v.data, v.count };
}

/* A vector of tables: where table @index is. */
static size_t flat_table(struct flat *f, const struct vector *v, uint32_t index)
{
	return flat_follow(f, v->at + 4 * (size_t)index);
}

static int32_t *flat_indices(struct flat *f, size_t table, unsigned int field, uint32_t *count)
{
	struct vector v = flat_vector(f, table, field, 4);
	int32_t *out;

	if (v.count > COUNT_MAX - f->indices) {
		f->bad = true;
		v.count = 0;
	}
	f->indices += v.count;
	out = calloc(v.count ? v.count : 1, sizeof(*out));
	*count = v.count;
	for (uint32_t i = 0; out && i < v.count; i++)
		out[i] = (int32_t)flat_get(f, v.at + 4 * (size_t)i, 4);
	return out;
}

static int broken(struct error *err, const char *what, uint32_t index)
{
	return error_set(err, -EINVAL, "%s %u lies outside the file: it is cut short or damaged",
			 what, index);
}

/* Contents of buffer @index; large ones lie behind the FlatBuffer. */
static int read_buffer(struct flat *f, const struct vector *buffers, uint32_t index,
		       struct tflite_span *out, struct error *err)
{
	uint64_t offset, size;
	size_t table;

	if (index >= buffers->count)
		return error_set(err, -EINVAL, "buffer %u: there are %u", index, buffers->count);
	table = flat_table(f, buffers, index);
	*out = flat_span(f, table, BUFFER_DATA);
	offset = flat_scalar(f, table, BUFFER_OFFSET, 8);
	size = flat_scalar(f, table, BUFFER_SIZE, 8);
	/* 0 and 1 say that the contents are not behind. */
	if (offset > 1) {
		if (offset > f->size || size > f->size - offset)
			f->bad = true;
		else
			*out = (struct tflite_span){ f->data + offset, (size_t)size };
	}
	return f->bad ? broken(err, "buffer", index) : 0;
}

static int read_tensor(struct flat *f, const struct vector *buffers, size_t table, uint32_t index,
		       struct tflite_tensor *t, struct error *err)
{
	struct vector shape = flat_vector(f, table, TENSOR_SHAPE, 4), v;
	size_t quantization = flat_field(f, table, TENSOR_QUANTIZATION);
	uint64_t elements = 1;
	char place[32];
	int rc;

	t->name = flat_span(f, table, TENSOR_NAME);
	t->type = (int)flat_scalar(f, table, TENSOR_TYPE, 1);
	t->variable = flat_scalar(f, table, TENSOR_VARIABLE, 1);
	if (f->bad)
		return broken(err, "tensor", index);
	if (shape.count > TFLITE_MAX_DIMS)
		return error_set(err, -ENOTSUP, "tensor %u has %u dimensions, more than %d", index,
				 shape.count, TFLITE_MAX_DIMS);
	t->ndim = shape.count;
	for (unsigned int i = 0; i < t->ndim; i++) {
		t->shape[i] = (int32_t)flat_get(f, shape.at + 4 * i, 4);
		if (t->shape[i] < 0)
			return error_set(err, -ENOTSUP,
					 "tensor %u: dimension %u is %d; fix dynamic shapes", index,
					 i, t->shape[i]);
		elements *= (uint64_t)t->shape[i];
		if (elements > UINT32_MAX)
			return error_set(err, -EINVAL, "tensor %u is larger than 4 G elements",
					 index);
	}
	if (quantization) {
		quantization = flat_follow(f, quantization);
		v = flat_vector(f, quantization, QUANTIZATION_SCALE, 4);
		t->scales = v.data;
		t->scale_count = v.count;
		v = flat_vector(f, quantization, QUANTIZATION_ZERO_POINT, 8);
		t->zero_points = v.data;
		t->zero_point_count = v.count;
		t->axis = (int32_t)flat_scalar(f, quantization, QUANTIZATION_AXIS, 4);
	}
	rc = read_buffer(f, buffers, (uint32_t)flat_scalar(f, table, TENSOR_BUFFER, 4), &t->data,
			 err);
	if (rc) {
		snprintf(place, sizeof(place), "tensor %u", index);
		return error_prefix(err, rc, place);
	}
	return f->bad ? broken(err, "tensor", index) : 0;
}

static int check_indices(const struct tflite *m, const int32_t *list, uint32_t count,
			 const char *what, uint32_t index, bool optional, struct error *err)
{
	for (uint32_t i = 0; i < count; i++)
		if ((list[i] < 0 && !(optional && list[i] == -1)) ||
		    list[i] >= (int32_t)m->tensor_count)
			return error_set(err, -EINVAL, "%s %u refers to tensor %d of %u", what,
					 index, list[i], m->tensor_count);
	return 0;
}

static int read_operator(struct flat *f, const struct vector *codes, size_t table, uint32_t index,
			 struct tflite *m, struct error *err)
{
	struct tflite_operator *op = &m->operators[index];
	uint32_t code = (uint32_t)flat_scalar(f, table, OPERATOR_CODE, 4);
	int old, new, rc;
	size_t at;

	op->inputs = flat_indices(f, table, OPERATOR_INPUTS, &op->input_count);
	op->outputs = flat_indices(f, table, OPERATOR_OUTPUTS, &op->output_count);
	op->intermediates = flat_indices(f, table, OPERATOR_INTERMEDIATES, &op->intermediate_count);
	if (!op->inputs || !op->outputs || !op->intermediates)
		return error_set(err, -ENOMEM, "out of memory");
	at = flat_field(f, table, OPERATOR_OPTIONS);
	op->options = at ? flat_follow(f, at) : 0;
	if (code >= codes->count)
		return error_set(err, -EINVAL, "operator %u has code %u of %u", index, code,
				 codes->count);
	at = flat_table(f, codes, code);
	/* Codes beyond 127 did not fit the first field, which then says 127. */
	old = (int8_t)flat_scalar(f, at, CODE_OLD_BUILTIN, 1);
	new = (int32_t)flat_scalar(f, at, CODE_BUILTIN, 4);
	op->builtin = old > new ? old : new;
	op->custom = flat_span(f, at, CODE_CUSTOM);
	if (f->bad)
		return broken(err, "operator", index);
	rc = check_indices(m, op->inputs, op->input_count, "operator", index, true, err);
	if (!rc)
		rc = check_indices(m, op->outputs, op->output_count, "operator", index, false, err);
	return rc ? rc : check_indices(m, op->intermediates, op->intermediate_count, "operator",
				       index, true, err);
}

static int read_plan(struct flat *f, const struct vector *buffers, const struct vector *metadata,
		     struct tflite *m, struct error *err)
{
	for (uint32_t i = 0; i < metadata->count; i++) {
		size_t table = flat_table(f, metadata, i);
		struct tflite_span name = flat_span(f, table, METADATA_NAME), words;
		int rc;

		if (f->bad)
			return broken(err, "metadata", i);
		if (name.len != strlen(PLAN_NAME) || memcmp(name.data, PLAN_NAME, name.len))
			continue;
		rc = read_buffer(f, buffers, (uint32_t)flat_scalar(f, table, METADATA_BUFFER, 4),
				 &words, err);
		if (rc)
			return error_prefix(err, rc, PLAN_NAME);
		if (words.len % 4 || words.len / 4 < PLAN_HEADER + (size_t)m->tensor_count)
			return error_set(err, -EINVAL, PLAN_NAME " has %zu bytes for %u tensors",
					 words.len, m->tensor_count);
		m->plan = calloc(m->tensor_count ? m->tensor_count : 1, sizeof(*m->plan));
		if (!m->plan)
			return error_set(err, -ENOMEM, "out of memory");
		m->plan_count = m->tensor_count;
		for (uint32_t t = 0; t < m->plan_count; t++) {
			const uint8_t *p = words.data + 4 * (PLAN_HEADER + (size_t)t);

			m->plan[t] = (int32_t)(p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
					       (uint32_t)p[3] << 24);
		}
		return 0;
	}
	return 0;
}

static int read_graph(struct flat *f, size_t model, size_t graph, struct tflite *m,
		      struct error *err)
{
	struct vector buffers = flat_vector(f, model, MODEL_BUFFERS, 4);
	struct vector codes = flat_vector(f, model, MODEL_OPERATOR_CODES, 4);
	struct vector metadata = flat_vector(f, model, MODEL_METADATA, 4);
	struct vector tensors = flat_vector(f, graph, GRAPH_TENSORS, 4);
	struct vector operators = flat_vector(f, graph, GRAPH_OPERATORS, 4);
	int rc = 0;

	if (f->bad)
		return error_set(err, -EINVAL, "the tables of the graph lie outside the file");
	if (tensors.count > COUNT_MAX || operators.count > COUNT_MAX)
		return error_set(err, -EINVAL,
				 "%u tensors and %u operators are more than any model has",
				 tensors.count, operators.count);
	m->tensors = calloc(tensors.count ? tensors.count : 1, sizeof(*m->tensors));
	m->operators = calloc(operators.count ? operators.count : 1, sizeof(*m->operators));
	m->inputs = flat_indices(f, graph, GRAPH_INPUTS, &m->input_count);
	m->outputs = flat_indices(f, graph, GRAPH_OUTPUTS, &m->output_count);
	if (!m->tensors || !m->operators || !m->inputs || !m->outputs)
		return error_set(err, -ENOMEM, "out of memory");
	m->tensor_count = tensors.count;
	m->operator_count = operators.count;
	for (uint32_t i = 0; i < tensors.count && !rc; i++)
		rc = read_tensor(f, &buffers, flat_table(f, &tensors, i), i, &m->tensors[i], err);
	for (uint32_t i = 0; i < operators.count && !rc; i++)
		rc = read_operator(f, &codes, flat_table(f, &operators, i), i, m, err);
	if (!rc)
		rc = check_indices(m, m->inputs, m->input_count, "input list", 0, false, err);
	if (!rc)
		rc = check_indices(m, m->outputs, m->output_count, "output list", 0, false, err);
	return rc ? rc : read_plan(f, &buffers, &metadata, m, err);
}

int tflite_parse(void *file, size_t size, struct tflite *out, struct error *err)
{
	struct flat f = { .data = file, .size = size };
	struct vector graphs;
	size_t model;
	int rc;

	memset(out, 0, sizeof(*out));
	out->file = file;
	out->size = size;
	if (size < 8 || memcmp(f.data + 4, IDENTIFIER, 4)) {
		rc = error_set(err, -EINVAL,
			       "not a TFLite model: bytes 4 to 7 are not " IDENTIFIER);
		goto fail;
	}
	model = (size_t)flat_get(&f, 0, 4);
	graphs = flat_vector(&f, model, MODEL_SUBGRAPHS, 4);
	if (f.bad || !graphs.count) {
		rc = error_set(err, -EINVAL, "the model has no graph: it is cut short or damaged");
		goto fail;
	}
	rc = read_graph(&f, model, flat_table(&f, &graphs, 0), out, err);
	if (!rc && f.bad)
		rc = error_set(err, -EINVAL,
			       "the graph lies outside the file: it is cut short or damaged");
	if (!rc)
		return 0;
fail:
	tflite_free(out);
	return rc;
}

int tflite_read(const char *path, struct tflite *out, struct error *err)
{
	void *data;
	size_t size;
	int rc = file_read(path, &data, &size, err);

	if (rc)
		return rc;
	rc = tflite_parse(data, size, out, err);
	return rc ? error_prefix(err, rc, path) : 0;
}

void tflite_free(struct tflite *m)
{
	for (uint32_t i = 0; m->operators && i < m->operator_count; i++) {
		free(m->operators[i].inputs);
		free(m->operators[i].outputs);
		free(m->operators[i].intermediates);
	}
	free(m->operators);
	free(m->tensors);
	free(m->inputs);
	free(m->outputs);
	free(m->plan);
	free(m->file);
	memset(m, 0, sizeof(*m));
}

float tflite_scale(const struct tflite_tensor *tensor, uint32_t index)
{
	float v = 0;

	if (index < tensor->scale_count)
		memcpy(&v, tensor->scales + 4 * (size_t)index, sizeof(v));
	return v;
}

int64_t tflite_zero_point(const struct tflite_tensor *tensor, uint32_t index)
{
	int64_t v = 0;

	if (index < tensor->zero_point_count)
		memcpy(&v, tensor->zero_points + 8 * (size_t)index, sizeof(v));
	return v;
}

int tflite_option(const struct tflite *model, const struct tflite_operator *op, unsigned int field,
		  unsigned int bytes, int32_t dflt, int32_t *out)
{
	struct flat f = { .data = model->file, .size = model->size };
	size_t at = op->options ? flat_field(&f, op->options, field) : 0;

	*out = at ? (int32_t)flat_get(&f, at, bytes) : dflt;
	return f.bad ? -EINVAL : 0;
}

size_t tflite_tensor_size(const struct tflite_tensor *tensor)
{
	size_t n = elem_size(tensor->type);

	for (unsigned int i = 0; i < tensor->ndim; i++)
		n *= (size_t)tensor->shape[i];
	return n;
}
