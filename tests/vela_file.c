/* SPDX-License-Identifier: MIT */
/* Tests: the NPU job inside a .tflite that Vela wrote. A small FlatBuffer walk, for test data only. */
#include "tests/vela_file.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Field numbers of the TFLite schema. */
enum { MODEL_OPCODES = 1, MODEL_SUBGRAPHS = 2, MODEL_BUFFERS = 4, MODEL_METADATA = 6 };
enum { GRAPH_TENSORS = 0, GRAPH_INPUTS = 1, GRAPH_OUTPUTS = 2, GRAPH_OPERATORS = 3 };
enum { TENSOR_SHAPE = 0, TENSOR_TYPE = 1, TENSOR_BUFFER = 2, TENSOR_NAME = 3, TENSOR_QUANT = 4,
       TENSOR_VARIABLE = 5 };
enum { QUANT_ZERO_POINT = 3 };
enum { OPERATOR_OPCODE = 0, OPERATOR_INPUTS = 1 };
enum { OPCODE_CUSTOM = 1 };
enum { METADATA_NAME = 0, METADATA_BUFFER = 1 };

/* Bytes of an element by TFLite's TensorType; 0: not for an NPU. */
static const size_t type_size[] = { 4, 2, 4, 1, 8, 0, 1, 2, 8, 1 };

#define COP1 0x31504F43u	/* payload magic */
#define COP2 0x32504F43u
#define COP2_ENTRY_LEN 20	/* of what follows the word */
#define COP2_METADATA_LEN 24
#define ACTION_CONFIG 1		/* followed by two words */
#define ACTION_STREAM 2
#define ACTION_NOP 5

struct walk {
	const uint8_t *p;
	size_t size;
	bool bad;	/* something pointed outside the file */
};

static uint64_t get(struct walk *w, size_t at, unsigned int bytes)
{
	uint64_t v = 0;

	if (at > w->size || bytes > w->size - at) {
		w->bad = true;
		return 0;
	}
	for (unsigned int i = 0; i < bytes; i++)
		v |= (uint64_t)w->p[at + i] << (8 * i);
	return v;
}

static size_t follow(struct walk *w, size_t at)
{
	return at + (size_t)get(w, at, 4);
}

/* Where a table's field is, 0 if it is absent. */
static size_t field(struct walk *w, size_t table, unsigned int number)
{
	size_t vtable = table - (size_t)(int64_t)(int32_t)get(w, table, 4);
	size_t entry = 4 + 2 * (size_t)number;
	uint64_t off;

	if (!table || entry + 2 > get(w, vtable, 2))
		return 0;
	off = get(w, vtable + entry, 2);
	return off ? table + off : 0;
}

static uint64_t scalar(struct walk *w, size_t table, unsigned int number, unsigned int bytes)
{
	size_t at = field(w, table, number);

	return at ? get(w, at, bytes) : 0;
}

/* A vector, string or table that a field points to, 0 if absent. */
static size_t pointed(struct walk *w, size_t table, unsigned int number)
{
	size_t at = field(w, table, number);

	return at ? follow(w, at) : 0;
}

static uint32_t length(struct walk *w, size_t vector)
{
	return vector ? (uint32_t)get(w, vector, 4) : 0;
}

static size_t element(struct walk *w, size_t vector, uint32_t i)
{
	return follow(w, vector + 4 + 4 * (size_t)i);
}

static int32_t int_at(struct walk *w, size_t vector, uint32_t i)
{
	return (int32_t)get(w, vector + 4 + 4 * (size_t)i, 4);
}

static const uint8_t *buffer(struct walk *w, size_t model, uint32_t i, size_t *len)
{
	size_t buffers = pointed(w, model, MODEL_BUFFERS);
	size_t data;

	*len = 0;
	if (i >= length(w, buffers))
		return NULL;
	data = pointed(w, element(w, buffers, i), 0);
	*len = length(w, data);
	if (!data || data + 4 > w->size || *len > w->size - data - 4)
		return NULL;
	return w->p + data + 4;
}

static bool text_is(struct walk *w, size_t string, const char *text)
{
	size_t len = length(w, string);

	return len == strlen(text) && string + 4 + len <= w->size && !memcmp(w->p + string + 4, text, len);
}

static void read_tensor(struct walk *w, size_t tensor, int64_t offset, struct vela_tensor *out)
{
	size_t shape = pointed(w, tensor, TENSOR_SHAPE);
	size_t name = pointed(w, tensor, TENSOR_NAME);
	size_t zero = pointed(w, pointed(w, tensor, TENSOR_QUANT), QUANT_ZERO_POINT);
	uint64_t type = scalar(w, tensor, TENSOR_TYPE, 1);
	size_t len = length(w, name);

	memset(out, 0, sizeof(*out));
	if (len >= sizeof(out->name))
		len = sizeof(out->name) - 1;
	if (name && name + 4 + len <= w->size)
		memcpy(out->name, w->p + name + 4, len);
	out->offset = offset;
	out->elem_size = type < sizeof(type_size) / sizeof(*type_size) ? type_size[type] : 0;
	out->size = out->elem_size;
	for (uint32_t i = 0; i < length(w, shape); i++)
		out->size *= (size_t)int_at(w, shape, i);
	if (length(w, zero))
		out->zero_point = (int64_t)get(w, zero + 4, 8);
}

static int fail(char *why, size_t why_len, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, why_len, format, args);
	va_end(args);
	return -1;
}

static int read_stream(struct walk *w, size_t at, size_t count, struct vela_file *out)
{
	if (at > w->size || count > (w->size - at) / 4)
		return -1;
	out->count = count;
	out->words = calloc(count + 1, 4);
	for (size_t i = 0; out->words && i < count; i++)
		out->words[i] = (uint32_t)get(w, at + 4 * i, 4);
	return out->words && !w->bad ? 0 : -1;
}

/* One entry: metadata, then the stream to the entry's end. */
static int read_cop2(struct walk *w, struct vela_file *out)
{
	size_t end = COP2_ENTRY_LEN + 4 + (size_t)get(w, COP2_ENTRY_LEN, 4);
	size_t at = COP2_METADATA_LEN + 4 + (size_t)get(w, COP2_METADATA_LEN, 4);

	return end < at ? -1 : read_stream(w, at, (end - at) / 4, out);
}

static int read_payload(const uint8_t *p, size_t len, struct vela_file *out)
{
	struct walk w = { .p = p, .size = len };
	size_t at = 4;

	if (p && get(&w, 0, 4) == COP2)
		return read_cop2(&w, out);
	if (!p || get(&w, 0, 4) != COP1)
		return -1;
	while (at < len && !w.bad) {
		uint32_t word = (uint32_t)get(&w, at, 4);

		at += 4;
		switch (word & 0xff) {
		case ACTION_NOP:
			break;
		case ACTION_CONFIG:
			at += 8;
			break;
		case ACTION_STREAM:
			return read_stream(&w, at, (size_t)(word >> 16) | (size_t)(word & 0xff00) << 8,
					   out);
		default:
			return -1;
		}
	}
	return -1;
}

/* The offsets of all tensors: OfflineMemoryAllocation is int32 [0, 1, n, offsets...]. */
static const uint8_t *find_offsets(struct walk *w, size_t model, size_t *len)
{
	size_t metadata = pointed(w, model, MODEL_METADATA);

	for (uint32_t i = 0; i < length(w, metadata); i++) {
		size_t entry = element(w, metadata, i);

		if (text_is(w, pointed(w, entry, METADATA_NAME), "OfflineMemoryAllocation"))
			return buffer(w, model, (uint32_t)scalar(w, entry, METADATA_BUFFER, 4), len);
	}
	return NULL;
}

static int32_t arena_offset(const uint8_t *offsets, size_t len, int32_t tensor)
{
	struct walk w = { .p = offsets, .size = len };

	return (int32_t)get(&w, 12 + 4 * (size_t)tensor, 4);
}

static size_t tensor_at(struct walk *w, size_t graph, int32_t i)
{
	size_t tensors = pointed(w, graph, GRAPH_TENSORS);

	if (i < 0 || (uint32_t)i >= length(w, tensors)) {
		w->bad = true;
		return 0;
	}
	return element(w, tensors, (uint32_t)i);
}

static size_t read_list(struct walk *w, size_t graph, size_t list, uint32_t first, const uint8_t *offsets,
			size_t len, bool only_variables, struct vela_tensor *out)
{
	size_t count = 0;

	for (uint32_t i = first; i < length(w, list) && count < VELA_MAX_TENSORS; i++) {
		int32_t index = int_at(w, list, i);
		size_t tensor = tensor_at(w, graph, index);

		if (only_variables && !scalar(w, tensor, TENSOR_VARIABLE, 1))
			continue;
		read_tensor(w, tensor, arena_offset(offsets, len, index), &out[count++]);
	}
	return count;
}

static int read_model(struct walk *w, struct vela_file *out, char *why, size_t why_len)
{
	size_t model = follow(w, 0);
	size_t graph = element(w, pointed(w, model, MODEL_SUBGRAPHS), 0);
	size_t operators = pointed(w, graph, GRAPH_OPERATORS);
	struct vela_tensor arena, fast;
	const uint8_t *payload, *offsets;
	size_t op, code, inputs, len;

	if (length(w, operators) != 1)
		return fail(why, why_len, "%u operators, not one", length(w, operators));
	op = element(w, operators, 0);
	code = element(w, pointed(w, model, MODEL_OPCODES), (uint32_t)scalar(w, op, OPERATOR_OPCODE, 4));
	if (!text_is(w, pointed(w, code, OPCODE_CUSTOM), "ethos-u"))
		return fail(why, why_len, "the operator is not ethos-u");
	inputs = pointed(w, op, OPERATOR_INPUTS);
	if (length(w, inputs) < 4)
		return fail(why, why_len, "the operator has fewer than 4 inputs");

	payload = buffer(w, model, (uint32_t)scalar(w, tensor_at(w, graph, int_at(w, inputs, 0)),
						    TENSOR_BUFFER, 4), &len);
	if (read_payload(payload, len, out))
		return fail(why, why_len, "no COP1 or COP2 command stream");
	out->constants = buffer(w, model, (uint32_t)scalar(w, tensor_at(w, graph, int_at(w, inputs, 1)),
							   TENSOR_BUFFER, 4), &out->constants_size);
	read_tensor(w, tensor_at(w, graph, int_at(w, inputs, 2)), 0, &arena);
	read_tensor(w, tensor_at(w, graph, int_at(w, inputs, 3)), 0, &fast);
	out->arena_size = arena.size;
	out->fast_size = fast.size;
	out->fast_is_arena = int_at(w, inputs, 2) == int_at(w, inputs, 3);

	offsets = find_offsets(w, model, &len);
	if (!offsets)
		return fail(why, why_len, "no OfflineMemoryAllocation");
	out->variable_count = read_list(w, graph, inputs, 4, offsets, len, true, out->variables);
	out->input_count = read_list(w, graph, pointed(w, graph, GRAPH_INPUTS), 0, offsets, len, false,
				     out->inputs);
	out->output_count = read_list(w, graph, pointed(w, graph, GRAPH_OUTPUTS), 0, offsets, len, false,
				      out->outputs);
	return w->bad ? fail(why, why_len, "truncated or damaged") : 0;
}

static uint8_t *read_bytes(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	uint8_t *bytes = NULL;
	long size;

	if (!f)
		return NULL;
	if (!fseek(f, 0, SEEK_END) && (size = ftell(f)) > 0 && !fseek(f, 0, SEEK_SET)) {
		bytes = malloc((size_t)size);
		*len = (size_t)size;
		if (bytes && fread(bytes, 1, *len, f) != *len) {
			free(bytes);
			bytes = NULL;
		}
	}
	fclose(f);
	return bytes;
}

int vela_file_read(const char *path, struct vela_file *out, char *why, size_t why_len)
{
	struct walk w = { 0 };

	memset(out, 0, sizeof(*out));
	out->bytes = read_bytes(path, &out->size);
	if (!out->bytes)
		return fail(why, why_len, "cannot be read");
	w.p = out->bytes;
	w.size = out->size;
	return read_model(&w, out, why, why_len);
}

void vela_file_free(struct vela_file *file)
{
	free(file->words);
	free(file->bytes);
}
