// SPDX-License-Identifier: MIT
/* Tests: ONNX models that are wrong, or want something: what is said, and that it names the culprit. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <errno.h>

#include <cmocka.h>

#include "onnx.pb-c.h"
#include "runtime/ir/ir_ops.h"
#include "runtime/onnx/onnx.h"

#define MAX 8

/* A model being put together: all in one, for the packer of protobuf-c. */
struct model {
	Onnx__ModelProto model;
	Onnx__GraphProto graph;
	Onnx__OperatorSetIdProto opset, *opsets[1];
	Onnx__NodeProto nodes[MAX], *node_list[MAX];
	char *node_inputs[MAX][4], *node_outputs[MAX][1];
	Onnx__ValueInfoProto input, output, *inputs[1], *outputs[1];
	Onnx__TypeProto type;
	Onnx__TypeProto__Tensor tensor;
	Onnx__TensorShapeProto shape;
	Onnx__TensorShapeProto__Dimension dims[4], *dim_list[4];
	Onnx__TensorProto weights, *initializers[1];
	int64_t weight_dims[2];
	float values[4];
	Onnx__StringStringEntryProto entries[3], *entry_list[3];
};

/* x of 1x4, nothing else. */
static void start(struct model *m)
{
	memset(m, 0, sizeof(*m));
	onnx__model_proto__init(&m->model);
	onnx__graph_proto__init(&m->graph);
	onnx__operator_set_id_proto__init(&m->opset);
	m->opset.has_version = 1;
	m->opset.version = 17;
	m->opsets[0] = &m->opset;
	m->model.n_opset_import = 1;
	m->model.opset_import = m->opsets;
	m->model.has_ir_version = 1;
	m->model.ir_version = 8;
	m->model.graph = &m->graph;
	onnx__value_info_proto__init(&m->input);
	onnx__value_info_proto__init(&m->output);
	onnx__type_proto__init(&m->type);
	onnx__type_proto__tensor__init(&m->tensor);
	onnx__tensor_shape_proto__init(&m->shape);
	m->tensor.has_elem_type = 1;
	m->tensor.elem_type = 1;
	m->tensor.shape = &m->shape;
	m->type.value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
	m->type.tensor_type = &m->tensor;
	for (int i = 0; i < 4; i++) {
		onnx__tensor_shape_proto__dimension__init(&m->dims[i]);
		m->dims[i].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
		m->dims[i].dim_value = i ? 4 : 1;
		m->dim_list[i] = &m->dims[i];
	}
	m->shape.n_dim = 2;
	m->shape.dim = m->dim_list;
	m->input.name = (char *)"x";
	m->input.type = &m->type;
	m->output.name = (char *)"y";
	m->inputs[0] = &m->input;
	m->outputs[0] = &m->output;
	m->graph.n_input = m->graph.n_output = 1;
	m->graph.input = m->inputs;
	m->graph.output = m->outputs;
	m->graph.node = m->node_list;
}

static Onnx__NodeProto *add_node(struct model *m, const char *type, const char *a, const char *b,
				 const char *out)
{
	size_t i = m->graph.n_node++;
	Onnx__NodeProto *n = &m->nodes[i];

	onnx__node_proto__init(n);
	m->node_list[i] = n;
	m->node_inputs[i][0] = (char *)a;
	m->node_inputs[i][1] = (char *)b;
	m->node_outputs[i][0] = (char *)out;
	n->op_type = (char *)type;
	n->name = (char *)"the_node";
	n->n_input = b ? 2 : 1;
	n->input = m->node_inputs[i];
	n->n_output = 1;
	n->output = m->node_outputs[i];
	return n;
}

/* w of 4 floats. */
static void add_weights(struct model *m)
{
	onnx__tensor_proto__init(&m->weights);
	m->weights.name = (char *)"w";
	m->weights.has_data_type = 1;
	m->weights.data_type = 1;
	m->weight_dims[0] = 4;
	m->weights.n_dims = 1;
	m->weights.dims = m->weight_dims;
	m->weights.n_float_data = 4;
	m->weights.float_data = m->values;
	m->initializers[0] = &m->weights;
	m->graph.n_initializer = 1;
	m->graph.initializer = m->initializers;
}

static void make_external(struct model *m, const char *location, const char *offset, const char *length)
{
	const char *text[3][2] = { { "location", location }, { "offset", offset }, { "length", length } };

	m->weights.n_float_data = 0;
	m->weights.has_data_location = 1;
	m->weights.data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
	for (int i = 0; i < 3; i++) {
		onnx__string_string_entry_proto__init(&m->entries[i]);
		m->entries[i].key = (char *)text[i][0];
		m->entries[i].value = (char *)text[i][1];
		m->entry_list[i] = &m->entries[i];
	}
	m->weights.n_external_data = 3;
	m->weights.external_data = m->entry_list;
}

static int import(struct model *m, const char *dir, const struct onnx_options *opt, struct ir_graph **g,
		  struct error *err)
{
	size_t size = onnx__model_proto__get_packed_size(&m->model);
	uint8_t *file = malloc(size);
	int rc;

	assert_non_null(file);
	onnx__model_proto__pack(&m->model, file);
	err->text[0] = '\0';
	rc = onnx_import_bytes(file, size, "the_model", dir, opt, g, err);
	free(file);
	return rc;
}

static void expect_error(struct model *m, const struct onnx_options *opt, int code,
			 const char *part, const char *part2)
{
	struct ir_graph *g;
	struct error err;

	assert_int_equal(import(m, NULL, opt, &g, &err), code);
	if (!strstr(err.text, "the_model") || !strstr(err.text, part) || !strstr(err.text, part2))
		fail_msg("\"%s\" does not say %s and %s", err.text, part, part2);
}

static void test_good(void **state)
{
	struct ir_graph *g;
	struct error err;
	struct model m;

	(void)state;
	start(&m);
	add_weights(&m);
	add_node(&m, "Mul", "x", "w", "t");
	add_node(&m, "Relu", "t", NULL, "y");
	assert_int_equal(import(&m, NULL, NULL, &g, &err), 0);
	assert_int_equal(g->op_count, 2);
	assert_int_equal(g->ops[0].kind, IR_MUL);
	assert_string_equal(g->tensors[g->outputs[0]].name, "y");
	assert_string_equal(g->origins[g->ops[1].origin], "Relu the_node");
	ir_free(g);
}

static void test_operators(void **state)
{
	struct model m;

	(void)state;
	start(&m);
	add_node(&m, "Frobnicate", "x", NULL, "y");
	expect_error(&m, NULL, -ENOTSUP, "the_node", "Frobnicate");
	start(&m);
	add_node(&m, "Add", "x", NULL, "y");
	expect_error(&m, NULL, -EINVAL, "the_node", "input 1");
	start(&m);
	add_node(&m, "Add", "x", "nowhere", "y");
	expect_error(&m, NULL, -EINVAL, "the_node", "nowhere");
	start(&m);
	add_node(&m, "Relu", "x", NULL, "x");
	expect_error(&m, NULL, -EINVAL, "the_node", "second time");
	start(&m);
	add_node(&m, "Relu", "x", NULL, "t");
	expect_error(&m, NULL, -EINVAL, "output y", "no node");
	start(&m);
	m.opset.version = 99;
	add_node(&m, "Relu", "x", NULL, "y");
	expect_error(&m, NULL, -ENOTSUP, "the_node", "99");
}

static void test_shapes(void **state)
{
	struct onnx_shape shape = { "x", 2, { 3, 4 } };
	struct onnx_options opt = { .shapes = &shape, .shape_count = 1 };
	struct ir_graph *g;
	struct error err;
	struct model m;

	(void)state;
	start(&m);
	m.dims[0].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
	m.dims[0].dim_param = (char *)"batch";
	add_node(&m, "Relu", "x", NULL, "y");
	expect_error(&m, NULL, -ENOTSUP, "input x has open extents (batch,4)", "--shape x=");
	assert_int_equal(import(&m, NULL, &opt, &g, &err), 0);
	assert_int_equal(g->tensors[g->inputs[0]].shape[0], 3);
	assert_int_equal(g->tensors[g->outputs[0]].shape[0], 3);
	ir_free(g);
	shape.shape[1] = 5;
	expect_error(&m, &opt, -EINVAL, "input x", "extent 5");
	shape.ndim = 1;
	expect_error(&m, &opt, -EINVAL, "input x", "2 axes");
	shape.name = "z";
	expect_error(&m, &opt, -EINVAL, "no input z", "");
	start(&m);
	m.tensor.shape = NULL;
	add_node(&m, "Relu", "x", NULL, "y");
	expect_error(&m, NULL, -ENOTSUP, "input x has no shape", "--shape x=");
	start(&m);
	m.tensor.elem_type = 8;
	add_node(&m, "Identity", "x", NULL, "y");
	expect_error(&m, NULL, -ENOTSUP, "x", "string");
}

/* The operand that has to be known is named, and freezing it helps. */
static void test_frozen(void **state)
{
	const int64_t axes[1] = { 0 };
	struct onnx_frozen frozen = { "x", ELEM_INT64, 1, { 1 }, axes };
	char *wanted = NULL;
	struct onnx_options opt = { .frozen = &frozen, .wanted = &wanted };
	struct ir_graph *g;
	struct error err;
	struct model m;

	(void)state;
	start(&m);
	add_weights(&m);
	m.tensor.elem_type = 7;
	m.shape.n_dim = 1;
	add_node(&m, "Unsqueeze", "w", "x", "y");
	expect_error(&m, &opt, -ENOTSUP, "the_node", "input x");
	assert_non_null(wanted);
	assert_string_equal(wanted, "x");
	free(wanted);
	wanted = NULL;
	opt.frozen_count = 1;
	assert_int_equal(import(&m, NULL, &opt, &g, &err), 0);
	assert_int_equal(g->input_count, 0);
	assert_int_equal(g->tensors[g->outputs[0]].ndim, 2);
	ir_free(g);
}

static void test_weights(void **state)
{
	struct model m;

	(void)state;
	start(&m);
	add_weights(&m);
	m.values[2] = NAN;
	add_node(&m, "Mul", "x", "w", "y");
	expect_error(&m, NULL, -EINVAL, "tensor w", "element 2 is not a number");
	m.values[2] = INFINITY;
	m.values[1] = 1;
	expect_error(&m, NULL, -EINVAL, "tensor w", "element 2 is infinite");
	m.values[2] = 0;
	m.weights.n_float_data = 3;
	expect_error(&m, NULL, -EINVAL, "tensor w", "3 numbers");
	m.weight_dims[0] = -4;
	expect_error(&m, NULL, -EINVAL, "tensor w", "-4");
	m.weight_dims[0] = INT64_C(1) << 40;
	expect_error(&m, NULL, -EINVAL, "tensor w", "1099511627776");
	m.weight_dims[0] = 1 << 30;
	expect_error(&m, NULL, -EINVAL, "tensor w", "3 numbers");
}

/* The product of a constant matrix with itself is a constant; but not one that takes 2^30 multiplications. */
static void test_folding(void **state)
{
	static const int64_t sides[] = { 64, 1024 };
	struct ir_graph *g;
	struct error err;
	struct model m;

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		size_t count = (size_t)(sides[i] * sides[i]);
		float *values = calloc(count, sizeof(*values));

		assert_non_null(values);
		start(&m);
		add_weights(&m);
		m.weight_dims[0] = m.weight_dims[1] = sides[i];
		m.weights.n_dims = 2;
		m.weights.n_float_data = count;
		m.weights.float_data = values;
		add_node(&m, "MatMul", "w", "w", "t");
		add_node(&m, "ReduceMax", "t", NULL, "most");
		add_node(&m, "Mul", "x", "most", "y");
		assert_int_equal(import(&m, NULL, NULL, &g, &err), 0);
		assert_int_equal(g->ops[0].kind == IR_MUL, !i);
		assert_int_equal(g->op_count == 1, !i);
		ir_free(g);
		free(values);
	}
}

static void test_external(void **state)
{
	char dir[] = "/tmp/accel-onnx-XXXXXX", path[64];
	float data[6] = { 0, 0, 1, 2, 3, 4 };
	struct ir_graph *g;
	struct error err;
	struct model m;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/w.bin", dir);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(data, sizeof(data), 1, f), 1);
	fclose(f);
	start(&m);
	add_weights(&m);
	add_node(&m, "Mul", "x", "w", "y");
	make_external(&m, "w.bin", "8", "16");
	assert_int_equal(import(&m, dir, NULL, &g, &err), 0);
	assert_memory_equal(g->tensors[g->ops[0].inputs[1]].data, data + 2, 16);
	ir_free(g);
	/* No folder, no file, outside the folder, outside the file, other lengths, no numbers. */
	expect_error(&m, NULL, -ENOENT, "tensor w", "w.bin");
	make_external(&m, "none.bin", "8", "16");
	assert_int_equal(import(&m, dir, NULL, &g, &err), -ENOENT);
	assert_non_null(strstr(err.text, "none.bin"));
	static const char *const wrong[][3] = {
		{ "../w.bin", "8", "16" },	{ "/etc/passwd", "0", "16" },
		{ "a/../../w.bin", "8", "16" }, { "", "8", "16" },
		{ "w.bin", "12", "16" },	{ "w.bin", "18446744073709551615", "16" },
		{ "w.bin", "8", "12" },		{ "w.bin", "-8", "16" },
		{ "w.bin", "8x", "16" },	{ ".", "0", "16" },
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		make_external(&m, wrong[i][0], wrong[i][1], wrong[i][2]);
		assert_int_equal(import(&m, dir, NULL, &g, &err), -EINVAL);
		assert_non_null(strstr(err.text, "external data of tensor w"));
	}
	unlink(path);
	rmdir(dir);
}

static void append(uint8_t **p, uint8_t byte)
{
	*(*p)++ = byte;
}

/* Messages in messages without end, lengths beyond the end, more parts than bytes can pay for. */
static void test_wire(void **state)
{
	enum { DEPTH = 19998 };
	uint8_t *file = malloc(DEPTH * 8), *p;
	struct ir_graph *g;
	struct error err;
	size_t len = 0;

	(void)state;
	assert_non_null(file);
	/* Subgraphs by turns, from the inside out: graph 7 { node 1 { attribute 5 { g 6 { ... } } } } */
	p = file + DEPTH * 8;
	for (int i = 0; i < DEPTH && p - file > 8; i++) {
		static const uint8_t field[3] = { 1 << 3 | 2, 5 << 3 | 2, 6 << 3 | 2 };
		uint8_t head[8], *h = head;
		size_t n = len;

		append(&h, field[2 - i % 3]);
		do {
			append(&h, (uint8_t)((n & 0x7f) | (n > 0x7f ? 0x80 : 0)));
			n >>= 7;
		} while (n);
		p -= h - head;
		memcpy(p, head, (size_t)(h - head));
		len += (size_t)(h - head);
	}
	/* As the graph of a model. */
	{
		uint8_t head[8], *h = head;
		size_t n = len;

		append(&h, 7 << 3 | 2);
		do {
			append(&h, (uint8_t)((n & 0x7f) | (n > 0x7f ? 0x80 : 0)));
			n >>= 7;
		} while (n);
		p -= h - head;
		memcpy(p, head, (size_t)(h - head));
		len += (size_t)(h - head);
	}
	assert_int_equal(onnx_import_bytes(p, len, "deep", NULL, NULL, &g, &err), -EINVAL);
	assert_non_null(strstr(err.text, "nested"));
	/* A graph of empty nodes: 2 bytes each, 150 and more when unpacked. */
	p = file;
	append(&p, 7 << 3 | 2);
	append(&p, 0x80);
	append(&p, 0x80);
	append(&p, 0x08);
	memset(p, 0, 0x20000);
	for (int i = 0; i < 0x20000; i += 2) {
		p[i] = 1 << 3 | 2;
		p[i + 1] = 0;
	}
	assert_int_not_equal(onnx_import_bytes(file, 0x20004, "many", NULL, NULL, &g, &err), 0);
	/* Cut short. */
	assert_int_equal(onnx_import_bytes(file, 1000, "short", NULL, NULL, &g, &err), -EINVAL);
	assert_non_null(strstr(err.text, "short"));
	assert_int_not_equal(onnx_import_bytes("", 0, "empty", NULL, NULL, &g, &err), 0);
	free(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),	cmocka_unit_test(test_operators),
		cmocka_unit_test(test_shapes),	cmocka_unit_test(test_frozen),
		cmocka_unit_test(test_weights), cmocka_unit_test(test_folding),
		cmocka_unit_test(test_external),
		cmocka_unit_test(test_wire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
