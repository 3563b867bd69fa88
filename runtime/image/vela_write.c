/* SPDX-License-Identifier: MIT */
/*
 * An image as the TFLite file that Vela would make of it: one "ethos-u" operator whose first inputs
 * are the command stream, the constants and the two scratch areas, and a plan of the arena, so that
 * TensorFlow Lite Micro runs it.
 */
#include "runtime/image/vela_write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/file.h"
#include "runtime/image/flat.h"

#define PAYLOAD_WORDS	8	/* before the stream */
#define COP1		0x31504f43u
#define OPTIMISER_CONFIG 0x00100001u	/* release 0, patch 1, as current Vela */
#define ACTION_NOP	5u
#define ACTION_COMMANDS	2u
#define MAX_WORDS	(1u << 22)	/* 16 MiB, of QSIZE */

/* Buffers of the file, and tensors that come before the model's own. */
enum { BUFFER_EMPTY, BUFFER_STREAM, BUFFER_CONSTANTS, BUFFER_PLAN, BUFFERS };
enum { TENSOR_STREAM, TENSOR_CONSTANTS, TENSOR_ARENA, TENSOR_FAST, TENSORS };

struct writer {
	struct flat f;
	const struct image *image;
	const struct image_npu *run;
	uint32_t first;		/* tensor of the file that the image's first one is */
	uint32_t *payload;
	size_t payload_size;
};

static int make_payload(struct writer *w)
{
	size_t words = w->run->words;

	w->payload_size = 4 * (PAYLOAD_WORDS + words);
	w->payload = malloc(w->payload_size);
	if (!w->payload)
		return -ENOMEM;
	w->payload[0] = COP1;
	w->payload[1] = OPTIMISER_CONFIG;
	w->payload[2] = w->image->config;
	w->payload[3] = w->image->id;
	w->payload[4] = w->payload[5] = w->payload[6] = ACTION_NOP;
	w->payload[7] = (uint32_t)(words & 0xffff) << 16 | (uint32_t)(words >> 16 & 0xff) << 8 |
			ACTION_COMMANDS;
	memcpy(w->payload + PAYLOAD_WORDS, w->run->stream, 4 * words);
	return 0;
}

/* What the operator sees of the image: inputs, outputs and state. */
static bool is_seen(const struct image *image, uint32_t index)
{
	for (uint32_t i = 0; i < image->input_count; i++)
		if (image->inputs[i] == index)
			return true;
	for (uint32_t i = 0; i < image->output_count; i++)
		if (image->outputs[i] == index)
			return true;
	return image->tensors[index].variable;
}

static void put_quantisation(struct writer *w, size_t at, const struct image_tensor *t)
{
	/* min, max, scale, zero_point, details type and details, axis */
	static const uint8_t fields[] = { 0, 0, 4, 4, 0, 0, 4 };
	struct flat *f = &w->f;
	struct flat_table q;
	size_t zeros;

	flat_refer(f, at, flat_table(f, fields, sizeof(fields), &q));
	flat_set(f, q.at[6], (uint32_t)t->axis, 4);
	flat_refer(f, q.at[2], flat_vector(f, t->scales, t->scale_count, 4, 4));
	zeros = flat_vector(f, NULL, t->scale_count, 8, 8);
	for (uint32_t i = 0; i < t->scale_count; i++)
		flat_set(f, zeros + 4 + 8 * (size_t)i, (uint64_t)(int64_t)t->zero_points[i], 8);
	flat_refer(f, q.at[3], zeros);
}

static void put_tensor(struct writer *w, size_t at, const struct image_tensor *t, uint32_t buffer)
{
	/* shape, type, buffer, name, quantisation, is_variable */
	const uint8_t fields[] = { 4, 1, 4, 4, t->scale_count ? 4 : 0, 1 };
	struct flat_table table;
	struct flat *f = &w->f;

	flat_refer(f, at, flat_table(f, fields, sizeof(fields), &table));
	flat_set(f, table.at[1], (uint8_t)t->type, 1);
	flat_set(f, table.at[2], buffer, 4);
	flat_set(f, table.at[5], t->variable, 1);
	flat_refer(f, table.at[0], flat_vector(f, t->shape, t->ndim, 4, 4));
	flat_refer(f, table.at[3], flat_string(f, t->name));
	if (t->scale_count)
		put_quantisation(w, table.at[4], t);
}

/* Bytes under a name. */
static void put_bytes(struct writer *w, size_t at, const char *name, uint64_t size, uint32_t buffer)
{
	const struct image_tensor t = { .name = name, .type = ELEM_UINT8, .ndim = 1,
					.shape = { (int32_t)size } };

	put_tensor(w, at, &t, buffer);
}

static void put_tensors(struct writer *w, size_t at)
{
	const struct image *image = w->image;
	size_t list = flat_vector(&w->f, NULL, w->first + image->tensor_count, 4, 4) + 4;

	flat_refer(&w->f, at, list - 4);
	put_bytes(w, list, "ethos_u_command_stream", w->payload_size, BUFFER_STREAM);
	put_bytes(w, list + 4, "read_only", w->run->constants_size, BUFFER_CONSTANTS);
	put_bytes(w, list + 8, "scratch", image->arena_size, BUFFER_EMPTY);
	if (!w->run->fast_is_arena)
		put_bytes(w, list + 12, "scratch_fast", image->fast_size, BUFFER_EMPTY);
	for (uint32_t i = 0; i < image->tensor_count; i++)
		put_tensor(w, list + 4 * (size_t)(w->first + i), &image->tensors[i], BUFFER_EMPTY);
}

/* Numbers of tensors of the file, for those of the image that are listed. */
static void put_list(struct writer *w, size_t at, const uint32_t *list, uint32_t count)
{
	size_t vector = flat_vector(&w->f, NULL, count, 4, 4);

	flat_refer(&w->f, at, vector);
	for (uint32_t i = 0; i < count; i++)
		flat_set(&w->f, vector + 4 + 4 * (size_t)i, w->first + list[i], 4);
}

static void put_operator_tensors(struct writer *w, size_t inputs, size_t outputs)
{
	const struct image *image = w->image;
	uint32_t variables = 0;
	struct flat *f = &w->f;
	size_t in, out;

	for (uint32_t i = 0; i < image->tensor_count; i++)
		variables += image->tensors[i].variable;
	in = flat_vector(f, NULL, TENSORS + variables + image->input_count, 4, 4);
	flat_refer(f, inputs, in);
	for (uint32_t i = 0; i < TENSORS; i++)
		flat_set(f, in + 4 + 4 * (size_t)i,
			 i == TENSOR_FAST && w->run->fast_is_arena ? TENSOR_ARENA : i, 4);
	in += 4 + 4 * TENSORS;
	out = flat_vector(f, NULL, image->output_count + variables, 4, 4);
	flat_refer(f, outputs, out);
	out += 4;
	for (uint32_t i = 0; i < image->output_count; i++, out += 4)
		flat_set(f, out, w->first + image->outputs[i], 4);
	for (uint32_t i = 0; i < image->tensor_count; i++) {
		if (!image->tensors[i].variable)
			continue;
		flat_set(f, in, w->first + i, 4);
		flat_set(f, out, w->first + i, 4);
		in += 4;
		out += 4;
	}
	for (uint32_t i = 0; i < image->input_count; i++, in += 4)
		flat_set(f, in, w->first + image->inputs[i], 4);
}

static void put_operator(struct writer *w, size_t at)
{
	/* opcode, inputs, outputs, two of built-in options, custom options and their format */
	static const uint8_t fields[] = { 4, 4, 4, 0, 0, 4, 1 };
	/* A flexbuffer: the number 1. */
	static const uint8_t kind[] = { 1, 4, 1 };
	struct flat *f = &w->f;
	struct flat_table op;
	size_t list = flat_vector(f, NULL, 1, 4, 4);

	flat_refer(f, at, list);
	flat_refer(f, list + 4, flat_table(f, fields, sizeof(fields), &op));
	put_operator_tensors(w, op.at[1], op.at[2]);
	flat_refer(f, op.at[5], flat_vector(f, kind, sizeof(kind), 1, 4));
}

static void put_subgraph(struct writer *w, size_t at)
{
	/* tensors, inputs, outputs, operators */
	static const uint8_t fields[] = { 4, 4, 4, 4 };
	struct flat *f = &w->f;
	struct flat_table graph;
	size_t list = flat_vector(f, NULL, 1, 4, 4);

	flat_refer(f, at, list);
	flat_refer(f, list + 4, flat_table(f, fields, sizeof(fields), &graph));
	put_tensors(w, graph.at[0]);
	put_list(w, graph.at[1], w->image->inputs, w->image->input_count);
	put_list(w, graph.at[2], w->image->outputs, w->image->output_count);
	put_operator(w, graph.at[3]);
}

static void put_opcode(struct writer *w, size_t at)
{
	/* deprecated built-in code, custom code, version, built-in code */
	static const uint8_t fields[] = { 1, 4, 4, 4 };
	struct flat *f = &w->f;
	struct flat_table code;
	size_t list = flat_vector(f, NULL, 1, 4, 4);

	flat_refer(f, at, list);
	flat_refer(f, list + 4, flat_table(f, fields, sizeof(fields), &code));
	flat_set(f, code.at[0], TFLITE_BUILTIN_CUSTOM, 1);
	flat_set(f, code.at[2], 1, 4);
	flat_set(f, code.at[3], TFLITE_BUILTIN_CUSTOM, 4);
	flat_refer(f, code.at[1], flat_string(f, "ethos-u"));
}

/* Offset of each tensor in the arena, -1: none is given. */
static size_t put_plan(struct writer *w)
{
	uint32_t count = w->first + w->image->tensor_count;
	struct flat *f = &w->f;
	size_t vector = flat_vector(f, NULL, 4 * (3 + (size_t)count), 1, 16), at = vector + 4;

	flat_set(f, at + 4, 1, 4);
	flat_set(f, at + 8, count, 4);
	at += 12;
	for (uint32_t i = 0; i < count; i++, at += 4) {
		const struct image_tensor *t =
			i < w->first ? NULL : &w->image->tensors[i - w->first];
		uint32_t offset = UINT32_MAX;

		if (i == TENSOR_ARENA || (!t && i == TENSOR_FAST))
			offset = 0;
		else if (t && t->place == IMAGE_ARENA && is_seen(w->image, i - w->first))
			offset = (uint32_t)t->offset;
		flat_set(f, at, offset, 4);
	}
	return vector;
}

static void put_buffers(struct writer *w, size_t at)
{
	static const uint8_t empty[] = { 0 }, full[] = { 4 };
	struct flat *f = &w->f;
	size_t list = flat_vector(f, NULL, BUFFERS, 4, 4) + 4;
	struct flat_table b;

	flat_refer(f, at, list - 4);
	for (uint32_t i = 0; i < BUFFERS; i++) {
		size_t table = flat_table(f, i ? full : empty, 1, &b);

		flat_refer(f, list + 4 * (size_t)i, table);
		if (i == BUFFER_STREAM)
			flat_refer(f, b.at[0], flat_vector(f, w->payload, w->payload_size, 1, 16));
		else if (i == BUFFER_CONSTANTS)
			flat_refer(f, b.at[0], flat_vector(f, w->run->constants,
							   w->run->constants_size, 1, 16));
		else if (i == BUFFER_PLAN)
			flat_refer(f, b.at[0], put_plan(w));
	}
}

static void put_metadata(struct writer *w, size_t at)
{
	/* name, buffer */
	static const uint8_t fields[] = { 4, 4 };
	struct flat *f = &w->f;
	struct flat_table m;
	size_t list = flat_vector(f, NULL, 1, 4, 4);

	flat_refer(f, at, list);
	flat_refer(f, list + 4, flat_table(f, fields, sizeof(fields), &m));
	flat_set(f, m.at[1], BUFFER_PLAN, 4);
	flat_refer(f, m.at[0], flat_string(f, "OfflineMemoryAllocation"));
}

static void put_model(struct writer *w)
{
	/* version, operator codes, subgraphs, description, buffers, metadata buffer, metadata */
	static const uint8_t fields[] = { 4, 4, 4, 4, 4, 0, 4 };
	struct flat *f = &w->f;
	/* The root's reference and the file's mark are laid out as a vector's length and elements are. */
	size_t root = flat_vector(f, "TFL3", 4, 1, 4);
	struct flat_table model;

	flat_refer(f, root, flat_table(f, fields, sizeof(fields), &model));
	flat_set(f, model.at[0], 3, 4);
	put_opcode(w, model.at[1]);
	put_subgraph(w, model.at[2]);
	flat_refer(f, model.at[3], flat_string(f, "accel " ACCEL_VERSION));
	put_buffers(w, model.at[4]);
	put_metadata(w, model.at[6]);
}

static int check(const struct image *image, struct error *err)
{
	if (image->op_count || image->run_count != 1)
		return error_set(err, -ENOTSUP,
				 "%s: %u operators run on the CPU, for which this form has no place", image->name,
				 image->op_count);
	if (image->inputs_size || image->outputs_size || image->runs[0].arena_offset)
		return error_set(err, -ENOTSUP, "%s: more than one region of inputs and outputs",
				 image->name);
	if (image->arena_size > INT32_MAX || image->fast_size > INT32_MAX ||
	    image->runs[0].words >= MAX_WORDS)
		return error_set(err, -EFBIG, "%s: larger than this form can say", image->name);
	return 0;
}

int image_write_vela(const struct image *image, const char *path, struct error *err)
{
	struct writer w = { .image = image };
	int rc = check(image, err);

	if (rc)
		return rc;
	w.run = &image->runs[0];
	w.first = w.run->fast_is_arena ? TENSOR_FAST : TENSORS;
	if (!make_payload(&w))
		put_model(&w);
	if (!w.payload || w.f.failed)
		rc = error_set(err, -ENOMEM, "%s: out of memory", path);
	else
		rc = file_write(path, w.f.data, w.f.size, err);
	free(w.payload);
	free(w.f.data);
	return rc;
}
