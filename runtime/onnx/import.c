/* SPDX-License-Identifier: MIT */
/* A model: its inputs, constants, nodes in order, outputs. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/compile/passes.h"
#include "runtime/file.h"
#include "runtime/onnx/build.h"
#include "runtime/onnx/passes.h"
#include "runtime/onnx/wire.h"

/*
 * Bytes of constants that are not in the file as they are, and elements that are looked at to find them: some
 * seconds. Under libFuzzer's sanitisers that takes less.
 */
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
#define CONSTANT_MAX	(UINT64_C(1) << 22)
#define FOLD_WORK_MAX	(UINT64_C(1) << 23)
#else
#define CONSTANT_MAX	(UINT64_C(1) << 30)
#define FOLD_WORK_MAX	(UINT64_C(1) << 32)
#endif
#define DEPTH_MAX	4
#define NAME_MAX_LEN	160

struct onnx_value *onnx_fail(struct onnx_import *c, int code, const char *fmt, ...)
{
	char text[320];
	va_list list;

	if (c->rc)
		return NULL;
	va_start(list, fmt);
	vsnprintf(text, sizeof(text), fmt, list);
	va_end(list);
	c->rc = code;
	if (c->node)
		error_set(c->err, code, "node %.*s (%s): %s", NAME_MAX_LEN, c->node->name,
			  c->node->pb->op_type ? c->node->pb->op_type : "?", text);
	else
		error_set(c->err, code, "%s", text);
	return NULL;
}

static const char *domain_of(const char *domain)
{
	return !domain || !strcmp(domain, "ai.onnx") ? "" : domain;
}

/* Version of a domain's operator set; 0: not imported. */
static int opset_of(const Onnx__ModelProto *m, const char *domain)
{
	for (size_t i = 0; i < m->n_opset_import; i++)
		if (!strcmp(domain_of(m->opset_import[i]->domain), domain))
			return m->opset_import[i]->version > INT32_MAX ? INT32_MAX :
									 (int)m->opset_import[i]->version;
	return 0;
}

/* The versions of all domains, for nodes wherever they are. */
struct model {
	struct onnx_import c;
	const Onnx__ModelProto *pb;
};

static const Onnx__ModelProto *model_of(const struct onnx_import *c)
{
	return ((const struct model *)c)->pb;
}

static bool find_operator(struct onnx_import *c, struct onnx_node *n)
{
	const char *type = n->pb->op_type ? n->pb->op_type : "", *domain = domain_of(n->pb->domain);

	c->opset = opset_of(model_of(c), domain);
	n->op = onnx_operator_find(type, domain);
	if (!n->op) {
		onnx_fail(c, -ENOTSUP, "operator %s%s%s is not supported", domain, *domain ? "." : "", type);
		return false;
	}
	if (c->opset < n->op->since || c->opset > n->op->until) {
		onnx_fail(c, -ENOTSUP, "operator set %d, of which %d to %d are supported", c->opset,
			  n->op->since, n->op->until);
		return false;
	}
	return true;
}

static void convert_node(struct onnx_import *c, const Onnx__NodeProto *pb)
{
	const struct onnx_node *outer = c->node;
	const char *first = pb->n_output && *pb->output[0] ? pb->output[0] : "?";
	struct onnx_node n = { .pb = pb, .input_count = (uint32_t)pb->n_input,
			       .output_count = (uint32_t)pb->n_output,
			       .name = pb->name && *pb->name ? pb->name : first };
	char text[NAME_MAX_LEN];

	c->node = &n;
	if (!find_operator(c, &n))
		goto out;
	n.inputs = ir_alloc(c->g, (pb->n_input + 1) * sizeof(struct onnx_value *));
	if (!n.inputs) {
		onnx_fail(c, -ENOMEM, "out of memory");
		goto out;
	}
	for (size_t i = 0; i < pb->n_input; i++) {
		if (!*pb->input[i])
			continue;
		n.inputs[i] = onnx_lookup(c, pb->input[i]);
		if (!n.inputs[i])
			onnx_fail(c, -EINVAL, "input %s is written by no node before it", pb->input[i]);
	}
	for (uint32_t i = 0; i < n.op->inputs && !c->rc; i++)
		if (!onnx_in(&n, i))
			onnx_fail(c, -EINVAL, "input %u is missing", i);
	if (!pb->n_output)
		onnx_fail(c, -EINVAL, "it has no output");
	for (size_t i = 0; i < pb->n_output && !c->rc; i++)
		if (*pb->output[i] && onnx_lookup(c, pb->output[i]))
			onnx_fail(c, -EINVAL, "%s is written a second time", pb->output[i]);
	if (c->rc)
		goto out;
	snprintf(text, sizeof(text), "%s %s", pb->op_type, n.name);
	c->origin = ir_origin_new(c->g, text);
	if (c->origin == IR_NONE)
		onnx_fail(c, -ENOMEM, "out of memory");
	else
		n.op->convert(c, &n);
	for (size_t i = 0; i < pb->n_output && !c->rc; i++)
		if (*pb->output[i] && !onnx_lookup(c, pb->output[i]))
			onnx_fail(c, -ENOTSUP, "its output %zu is not supported", i);
out:
	/* An error speaks of the innermost node. */
	c->node = outer;
}

static void add_constants(struct onnx_import *c, const Onnx__GraphProto *graph)
{
	if (graph->n_sparse_initializer)
		onnx_fail(c, -ENOTSUP, "sparse initialisers");
	for (size_t i = 0; i < graph->n_initializer && !c->rc; i++) {
		const Onnx__TensorProto *t = graph->initializer[i];
		struct onnx_value *v = onnx_tensor(c, t, true);

		if (!v || !t->name)
			continue;
		v->name = t->name;
		onnx_bind(c, t->name, v);
	}
}

int onnx_subgraph(struct onnx_import *c, const Onnx__GraphProto *graph, struct onnx_value **out,
		  uint32_t out_count)
{
	if (c->depth >= DEPTH_MAX)
		onnx_fail(c, -ENOTSUP, "subgraphs nested more than %d deep", DEPTH_MAX);
	if (!c->rc && graph->n_output < out_count)
		onnx_fail(c, -EINVAL, "a subgraph with %zu outputs", graph->n_output);
	if (c->rc)
		return c->rc;
	c->depth++;
	add_constants(c, graph);
	for (size_t i = 0; i < graph->n_node && !c->rc; i++)
		convert_node(c, graph->node[i]);
	for (uint32_t i = 0; i < out_count && !c->rc; i++) {
		out[i] = graph->output[i]->name ? onnx_lookup(c, graph->output[i]->name) : NULL;
		if (!out[i])
			onnx_fail(c, -EINVAL, "a subgraph's output is written by no node");
	}
	c->depth--;
	return c->rc;
}

/* Extents that the user gives to an input. */
static const struct onnx_shape *shape_for(const struct onnx_import *c, const char *name, size_t open)
{
	for (uint32_t i = 0; i < c->opt->shape_count; i++)
		if (c->opt->shapes[i].name ? !strcmp(c->opt->shapes[i].name, name) : open == 1)
			return &c->opt->shapes[i];
	return NULL;
}

static void text_of_dims(const Onnx__TensorShapeProto *s, char *text, size_t len)
{
	size_t used = 0;

	for (size_t i = 0; i < s->n_dim && used < len; i++) {
		const Onnx__TensorShapeProto__Dimension *d = s->dim[i];
		const char *x = i ? "," : "";

		if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE && d->dim_value > 0)
			used += (size_t)snprintf(text + used, len - used, "%s%" PRId64, x, d->dim_value);
		else if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM &&
			 *d->dim_param)
			used += (size_t)snprintf(text + used, len - used, "%s%.40s", x, d->dim_param);
		else
			used += (size_t)snprintf(text + used, len - used, "%s?", x);
	}
}

static bool input_shape(struct onnx_import *c, const char *name, const Onnx__TensorShapeProto *s,
			size_t inputs, uint32_t *ndim, int32_t *shape)
{
	const struct onnx_shape *given = shape_for(c, name, inputs);
	char text[160] = "";

	if (!s && !given) {
		onnx_fail(c, -ENOTSUP,
			  "input %s has no shape in the file: give it one with --shape "
			  "%s=EXTENT,EXTENT...",
			  name, name);
		return false;
	}
	*ndim = given ? given->ndim : (uint32_t)s->n_dim;
	if (s && s->n_dim > IR_MAX_DIMS) {
		onnx_fail(c, -ENOTSUP, "input %s has %zu axes", name, s->n_dim);
		return false;
	}
	if (s)
		text_of_dims(s, text, sizeof(text));
	if (given && s && s->n_dim != given->ndim) {
		onnx_fail(c, -EINVAL, "input %s has %zu axes (%s), --shape gives it %u", name, s->n_dim, text,
			  given->ndim);
		return false;
	}
	for (uint32_t i = 0; i < *ndim; i++) {
		const Onnx__TensorShapeProto__Dimension *d = s ? s->dim[i] : NULL;
		bool fixed = d && d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE &&
			     d->dim_value >= 0;

		if (!given && !fixed) {
			onnx_fail(c, -ENOTSUP,
				  "input %s has open extents (%s): fix them with --shape %s=%s, "
				  "all in numbers",
				  name, text, name, text);
			return false;
		}
		if (given && fixed && d->dim_value != given->shape[i]) {
			onnx_fail(c, -EINVAL,
				  "input %s is %s in the file, --shape gives extent %d for axis %u",
				  name, text, given->shape[i], i);
			return false;
		}
		if ((given ? given->shape[i] : d->dim_value) > INT32_MAX ||
		    (given && given->shape[i] < 1)) {
			onnx_fail(c, -ENOTSUP, "input %s: an extent of axis %u is out of range", name, i);
			return false;
		}
		shape[i] = given ? given->shape[i] : (int32_t)d->dim_value;
	}
	return true;
}

static struct onnx_value *frozen(struct onnx_import *c, const char *name)
{
	for (uint32_t i = 0; i < c->opt->frozen_count; i++) {
		const struct onnx_frozen *f = &c->opt->frozen[i];
		struct onnx_value *v;

		if (strcmp(f->name, name))
			continue;
		v = onnx_constant(c, f->type, f->ndim, f->shape, NULL);
		if (v)
			memcpy(onnx_constant_data(v), f->data, onnx_count(v) * elem_size(f->type));
		return v;
	}
	return NULL;
}

static void add_input(struct onnx_import *c, const Onnx__ValueInfoProto *info, size_t inputs)
{
	const char *name = info->name ? info->name : "";
	const Onnx__TypeProto__Tensor *tensor;
	int32_t shape[IR_MAX_DIMS];
	struct onnx_value *v;
	uint32_t ndim;
	int type;

	if (!info->type || info->type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE) {
		onnx_fail(c, -ENOTSUP, "input %s is no tensor", name);
		return;
	}
	tensor = info->type->tensor_type;
	v = frozen(c, name);
	if (v || c->rc)
		goto bind;
	type = onnx_type(c, tensor->elem_type);
	if (c->rc) {
		error_prefix(c->err, c->rc, name);
		error_prefix(c->err, c->rc, "input");
		return;
	}
	if (!input_shape(c, name, tensor->shape, inputs, &ndim, shape))
		return;
	v = onnx_value_new(c, type, ndim, shape);
	if (!v)
		return;
	/* Nothing can be given to an input without elements. */
	if (!onnx_count(v)) {
		v->data = "";
		goto bind;
	}
	v->name = v->root = name;
	if (onnx_tensor_of(c, v) == IR_NONE)
		return;
	c->g->tensors[v->tensor].input = (int32_t)c->g->input_count;
	c->g->inputs[c->g->input_count++] = v->tensor;
bind:
	if (v) {
		v->name = name;
		onnx_bind(c, name, v);
	}
}

static void add_inputs(struct onnx_import *c, const Onnx__GraphProto *graph)
{
	size_t open = 0;

	c->g->inputs = ir_alloc(c->g, (graph->n_input + 1) * sizeof(*c->g->inputs));
	if (!c->g->inputs) {
		onnx_fail(c, -ENOMEM, "out of memory");
		return;
	}
	for (uint32_t i = 0; i < c->opt->shape_count + c->opt->frozen_count && !c->rc; i++) {
		const char *name = i < c->opt->shape_count ? c->opt->shapes[i].name :
				   c->opt->frozen[i - c->opt->shape_count].name;
		bool found = !name;

		for (size_t k = 0; k < graph->n_input && !found; k++)
			found = graph->input[k]->name && !strcmp(graph->input[k]->name, name);
		if (!found)
			onnx_fail(c, -EINVAL, "the model has no input %s", name);
	}
	/* Up to IR version 3 constants are inputs as well. */
	for (size_t i = 0; i < graph->n_input; i++)
		open += !graph->input[i]->name || !onnx_lookup(c, graph->input[i]->name);
	for (size_t i = 0; i < graph->n_input && !c->rc; i++) {
		const char *name = graph->input[i]->name ? graph->input[i]->name : "";
		const struct onnx_value *known = onnx_lookup(c, name);

		if (known && !known->data)
			onnx_fail(c, -EINVAL, "input %s is there twice", name);
		else if (!known)
			add_input(c, graph->input[i], open);
	}
}

static void add_output(struct onnx_import *c, const Onnx__ValueInfoProto *info)
{
	const char *name = info->name ? info->name : "";
	struct onnx_value *v = onnx_lookup(c, name), *copy;
	struct ir_tensor *t;
	uint32_t tensor;

	if (!v) {
		onnx_fail(c, -EINVAL, "output %s is written by no node", name);
		return;
	}
	tensor = onnx_tensor_of(c, v);
	if (tensor == IR_NONE)
		return;
	t = &c->g->tensors[tensor];
	/* An output is a tensor of its own that an operation writes. */
	if (t->input >= 0 || t->output >= 0 || t->data) {
		copy = onnx_value_new(c, v->type, v->ndim, v->shape);
		if (!copy)
			return;
		copy->name = name;
		tensor = onnx_tensor_of(c, copy);
		if (tensor == IR_NONE ||
		    !ir_op_new(c->g, IR_RESHAPE, &v->tensor, 1, &tensor, 1, NULL)) {
			onnx_fail(c, -ENOMEM, "out of memory");
			return;
		}
		c->g->ops[c->g->op_count - 1].origin = c->origin;
		t = &c->g->tensors[tensor];
	}
	t->name = name;
	t->output = (int32_t)c->g->output_count;
	c->g->outputs[c->g->output_count++] = tensor;
}

static int convert(struct model *m)
{
	struct onnx_import *c = &m->c;
	const Onnx__GraphProto *graph = m->pb->graph;

	if (!graph)
		onnx_fail(c, -EINVAL, "neither TFLite (no TFL3) nor ONNX: it has no graph");
	else if (m->pb->n_functions)
		onnx_fail(c, -ENOTSUP, "functions of the model's own (%s): export it with them inlined",
			  m->pb->functions[0]->name ? m->pb->functions[0]->name : "?");
	if (!c->rc)
		add_constants(c, graph);
	if (!c->rc)
		add_inputs(c, graph);
	for (size_t i = 0; !c->rc && i < graph->n_node; i++)
		convert_node(c, graph->node[i]);
	if (c->rc)
		return c->rc;
	c->g->outputs = ir_alloc(c->g, (graph->n_output + 1) * sizeof(*c->g->outputs));
	if (!c->g->outputs)
		onnx_fail(c, -ENOMEM, "out of memory");
	for (size_t i = 0; i < graph->n_output && !c->rc; i++)
		add_output(c, graph->output[i]);
	if (!c->rc && !graph->n_output)
		onnx_fail(c, -EINVAL, "the model has no output");
	return c->rc;
}

int onnx_import_bytes(const void *file, size_t size, const char *name, const char *dir,
		      const struct onnx_options *opt, struct ir_graph **out, struct error *err)
{
	static const struct onnx_options none;
	struct model m = { .c = { .g = ir_new(name), .err = err, .opt = opt ? opt : &none, .dir = dir,
				  .room = CONSTANT_MAX, .work = FOLD_WORK_MAX } };
	int rc;

	if (!m.c.g)
		return error_set(err, -ENOMEM, "out of memory");
	m.pb = (const Onnx__ModelProto *)wire_unpack(m.c.g, &onnx__model_proto__descriptor, file, size, err);
	rc = m.pb ? convert(&m) : -EINVAL;
	if (!rc)
		rc = onnx_passes(m.c.g, m.c.opt, err);
	if (!rc)
		rc = ir_verify(m.c.g, err);
	if (rc) {
		ir_free(m.c.g);
		return error_prefix(err, rc, name);
	}
	*out = m.c.g;
	return 0;
}

int onnx_import(const char *path, const struct onnx_options *opt, struct ir_graph **out,
		struct error *err)
{
	const char *slash = strrchr(path, '/');
	size_t size;
	char *dir;
	void *file;
	int rc = file_read(path, &file, &size, err);

	if (rc)
		return rc;
	dir = slash ? strndup(path, slash > path ? (size_t)(slash - path) : 1) : strdup(".");
	rc = dir ? onnx_import_bytes(file, size, path, dir, opt, out, err) :
		   error_set(err, -ENOMEM, "out of memory");
	free(dir);
	free(file);
	return rc;
}
