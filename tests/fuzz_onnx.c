// SPDX-License-Identifier: MIT
/*
 * libFuzzer: any bytes into the ONNX importer. The graph that comes of it must be one that ir_verify() and the
 * CPU take, or refuse with a reason.
 *
 * Bytes changed at random are hardly ever a model still. So the mutator mostly changes messages: operators,
 * operands, attributes, constants, extents.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cpu/graph.h"
#include "runtime/onnx/import.h"

#define ELEMENTS_MAX	(1u << 22)	/* of a graph's tensors together, for a CPU graph */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

static uint64_t random_state;

static uint32_t draw(uint32_t below)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return below ? (uint32_t)(random_state >> 33) % below : 0;
}

static int64_t draw_number(int64_t old)
{
	static const int64_t numbers[] = { 0,	  1,	     2,		3,	   4,	     7,
					   8,	  16,	     -1,	-2,	   -3,	     127,
					   65536, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN };

	switch (draw(3)) {
	case 0:
		return (int64_t)((uint64_t)old + 1);
	case 1:
		return (int64_t)((uint64_t)old - 1);
	default:
		return numbers[draw(sizeof(numbers) / sizeof(numbers[0]))];
	}
}

static void set(char **text, const char *to)
{
	char *copy = to ? strdup(to) : NULL;

	if (!copy)
		return;
	/* protobuf-c's own empty string is no memory. */
	if (*text && *text != protobuf_c_empty_string)
		free(*text);
	*text = copy;
}

/* A value that there is, or one that there is not. */
static const char *draw_name(const Onnx__GraphProto *g)
{
	const Onnx__NodeProto *n;

	switch (draw(4)) {
	case 0:
		return g->n_input ? g->input[draw((uint32_t)g->n_input)]->name : "";
	case 1:
		return g->n_initializer ? g->initializer[draw((uint32_t)g->n_initializer)]->name : "";
	case 2:
		n = g->n_node ? g->node[draw((uint32_t)g->n_node)] : NULL;
		return n && n->n_output ? n->output[draw((uint32_t)n->n_output)] : "";
	default:
		return "";
	}
}

static const char *draw_operator(void)
{
	static const struct onnx_operator *const groups[] = {
#define X(name) onnx_##name,
		ONNX_GROUPS(X)
#undef X
	};
	const struct onnx_operator *group = groups[draw(sizeof(groups) / sizeof(groups[0]))];
	uint32_t count = 0;

	while (group[count].name)
		count++;
	return group[draw(count)].name;
}

static const char *draw_attribute(void)
{
	static const char *const names[] = {
		"axis",
		"axes",
		"perm",
		"pads",
		"strides",
		"dilations",
		"kernel_shape",
		"group",
		"keepdims",
		"mode",
		"auto_pad",
		"output_shape",
		"output_padding",
		"ceil_mode",
		"count_include_pad",
		"alpha",
		"beta",
		"to",
		"transA",
		"transB",
		"direction",
		"hidden_size",
		"layout",
		"blocksize",
		"largest",
		"epsilon",
		"num_groups",
		"size",
		"p",
		"k",
		"upper",
		"split",
		"num_outputs",
		"starts",
		"ends",
		"value",
		"value_ints",
		"allowzero",
		"batch_dims",
		"reduction",
		"coordinate_transformation_mode",
		"nearest_mode",
		"antialias",
		"block_size",
		"q_num_heads",
		"kv_num_heads",
		"is_causal",
		"scale",
		"noop_with_empty_axes",
		"select_last_index",
		"equation",
	};

	return names[draw(sizeof(names) / sizeof(names[0]))];
}

static void change_attribute(Onnx__AttributeProto *a)
{
	switch (draw(5)) {
	case 0:
		set(&a->name, draw_attribute());
		break;
	case 1:
		a->has_i = 1;
		a->i = draw_number(a->i);
		break;
	case 2:
		a->has_f = 1;
		a->f = (float)draw_number((int64_t)draw(10));
		break;
	default:
		if (a->n_ints)
			a->ints[draw((uint32_t)a->n_ints)] = draw_number(1);
	}
}

static void change_node(Onnx__NodeProto *n, const Onnx__GraphProto *g)
{
	switch (draw(3)) {
	case 0:
		set(&n->op_type, draw_operator());
		break;
	case 1:
		if (n->n_input)
			set(&n->input[draw((uint32_t)n->n_input)], draw_name(g));
		break;
	default:
		if (n->n_attribute)
			change_attribute(n->attribute[draw((uint32_t)n->n_attribute)]);
	}
}

static void change_tensor(Onnx__TensorProto *t)
{
	int64_t number;

	switch (draw(4)) {
	case 0:
		if (t->n_dims)
			t->dims[draw((uint32_t)t->n_dims)] = draw_number(1);
		break;
	case 1:
		t->data_type = (int32_t)draw(30);
		break;
	default:
		if (!t->has_raw_data || t->raw_data.len < 8)
			break;
		memcpy(&number, t->raw_data.data, 8);
		number = draw_number(number);
		memcpy(t->raw_data.data + draw((uint32_t)t->raw_data.len / 8) * 8, &number, 8);
	}
}

static void change_input(Onnx__ValueInfoProto *v)
{
	Onnx__TypeProto__Tensor *t;

	if (!v->type || v->type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
		return;
	t = v->type->tensor_type;
	if (!draw(4))
		t->elem_type = (int32_t)draw(30);
	else if (t->shape && t->shape->n_dim) {
		Onnx__TensorShapeProto__Dimension *d = t->shape->dim[draw((uint32_t)t->shape->n_dim)];

		if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE)
			d->dim_value = draw(3) ? (int64_t)draw(9) : draw_number(d->dim_value);
	}
}

static void change(Onnx__ModelProto *m)
{
	Onnx__GraphProto *g = m->graph;

	switch (draw(8)) {
	case 0:
		if (m->n_opset_import)
			m->opset_import[0]->version = 1 + draw(28);
		break;
	case 1:
		if (g->n_initializer)
			change_tensor(g->initializer[draw((uint32_t)g->n_initializer)]);
		break;
	case 2:
		if (g->n_input)
			change_input(g->input[draw((uint32_t)g->n_input)]);
		break;
	default:
		if (g->n_node)
			change_node(g->node[draw((uint32_t)g->n_node)], g);
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	Onnx__ModelProto *m = NULL;
	size_t packed = 0;

	random_state = seed;
	if (size > 1 && draw(8))
		m = onnx__model_proto__unpack(NULL, size - 1, data + 1);
	if (!m || !m->graph) {
		if (m)
			onnx__model_proto__free_unpacked(m, NULL);
		return LLVMFuzzerMutate(data, size, max);
	}
	for (uint32_t i = 1 + draw(3); i > 0; i--)
		change(m);
	if (!draw(8))
		data[0] ^= 1;
	packed = onnx__model_proto__get_packed_size(m);
	if (packed < max)
		onnx__model_proto__pack(m, data + 1);
	else
		packed = size - 1;
	onnx__model_proto__free_unpacked(m, NULL);
	return packed + 1;
}

/* The first byte says whether passes run, the others are the file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *wanted = NULL;
	struct onnx_options opt = { .wanted = &wanted };
	struct error err = { "" };
	struct cpu_graph *c;
	struct ir_graph *g;
	uint64_t elements = 0;

	if (!size)
		return 0;
	opt.as_written = data[0] & 1;
	if (onnx_import_bytes(data + 1, size - 1, "fuzz", NULL, &opt, &g, &err)) {
		assert(err.text[0]);
		free(wanted);
		return 0;
	}
	free(wanted);
	for (uint32_t i = 0; i < g->tensor_count; i++)
		elements += ir_tensor_elements(&g->tensors[i]);
	if (elements < ELEMENTS_MAX && !cpu_graph_create(g, &c, &err))
		cpu_graph_free(c);
	ir_free(g);
	return 0;
}
