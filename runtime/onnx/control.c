/* SPDX-License-Identifier: MIT */
/* Constants as nodes, and branches that are known. */
#include <errno.h>
#include <string.h>

#include "runtime/onnx/build.h"

#define OUTPUT_MAX	64

static struct onnx_value *ints(struct onnx_import *c, const struct onnx_node *n)
{
	uint32_t count = onnx_ints(c, n, "value_ints", NULL, 0);
	int32_t *list = ir_alloc(c->g, (count + 1) * sizeof(*list));
	struct onnx_value *v = onnx_constant(c, ELEM_INT64, 1, (int32_t[]){ (int32_t)count }, NULL);

	if (!list || !v)
		return onnx_fail(c, -ENOMEM, "out of memory");
	onnx_ints(c, n, "value_ints", list, count);
	for (uint32_t i = 0; i < count; i++)
		((int64_t *)onnx_constant_data(v))[i] = list[i];
	return v;
}

static struct onnx_value *floats(struct onnx_import *c, const struct onnx_node *n)
{
	uint32_t count = onnx_floats(c, n, "value_floats", NULL, 0);
	struct onnx_value *v = onnx_constant(c, ELEM_FLOAT32, 1, (int32_t[]){ (int32_t)count }, NULL);

	if (v)
		onnx_floats(c, n, "value_floats", onnx_constant_data(v), count);
	return v;
}

static int constant(struct onnx_import *c, const struct onnx_node *n)
{
	const Onnx__TensorProto *t = onnx_tensor_attribute(n, "value");
	struct onnx_value *v = NULL;

	if (t)
		v = onnx_tensor(c, t, false);
	else if (onnx_has(n, "value_int"))
		v = onnx_scalar(c, ELEM_INT64, (double)onnx_int(n, "value_int", 0));
	else if (onnx_has(n, "value_float"))
		v = onnx_f32(c, onnx_float(n, "value_float", 0));
	else if (onnx_has(n, "value_ints"))
		v = ints(c, n);
	else if (onnx_has(n, "value_floats"))
		v = floats(c, n);
	else
		onnx_fail(c, -ENOTSUP, "a value that is neither a tensor nor a number");
	return onnx_out(c, n, 0, v);
}

/* The branch that is taken becomes part of the graph. */
static int branch(struct onnx_import *c, const struct onnx_node *n)
{
	bool taken = onnx_known_int(c, onnx_in(n, 0), "the condition");
	const Onnx__GraphProto *graph = onnx_graph_attribute(n, taken ? "then_branch" : "else_branch");
	struct onnx_value *out[OUTPUT_MAX];

	if (!c->rc && (!graph || n->output_count > OUTPUT_MAX))
		onnx_fail(c, -EINVAL, "no such branch, or %u outputs", n->output_count);
	if (c->rc || onnx_subgraph(c, graph, out, n->output_count))
		return c->rc;
	for (uint32_t i = 0; i < n->output_count; i++)
		onnx_out(c, n, i, out[i]);
	return c->rc;
}

#define NEWEST 27

const struct onnx_operator onnx_control[] = {
	{ "Constant", "", 1, NEWEST, 0, constant, 0, "dense tensors and numbers" },
	{ "If", "", 1, NEWEST, 1, branch, 0, "a constant condition" },
	{ 0 },
};
