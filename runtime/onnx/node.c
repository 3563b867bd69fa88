/* SPDX-License-Identifier: MIT */
/* A node's operands and attributes. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/onnx/import.h"

struct onnx_value *onnx_in(const struct onnx_node *n, uint32_t i)
{
	return i < n->input_count ? n->inputs[i] : NULL;
}

bool onnx_wants(const struct onnx_node *n, uint32_t output)
{
	return output < n->pb->n_output && *n->pb->output[output];
}

int onnx_out(struct onnx_import *c, const struct onnx_node *n, uint32_t i, struct onnx_value *v)
{
	if (!v && !c->rc)
		onnx_fail(c, -EINVAL, "an input is missing");
	if (c->rc || !onnx_wants(n, i))
		return c->rc;
	if (!v->name) {
		v->name = n->pb->output[i];
		if (v->tensor != IR_NONE)
			c->g->tensors[v->tensor].name = v->name;
	}
	onnx_bind(c, n->pb->output[i], v);
	return c->rc;
}

static const Onnx__AttributeProto *find(const struct onnx_node *n, const char *name)
{
	for (size_t i = 0; i < n->pb->n_attribute; i++)
		if (n->pb->attribute[i]->name && !strcmp(n->pb->attribute[i]->name, name))
			return n->pb->attribute[i];
	return NULL;
}

bool onnx_has(const struct onnx_node *n, const char *attribute)
{
	return find(n, attribute);
}

int64_t onnx_int(const struct onnx_node *n, const char *attribute, int64_t dflt)
{
	const Onnx__AttributeProto *a = find(n, attribute);

	return a && a->has_i ? a->i : dflt;
}

float onnx_float(const struct onnx_node *n, const char *attribute, float dflt)
{
	const Onnx__AttributeProto *a = find(n, attribute);

	return a && a->has_f ? a->f : dflt;
}

const char *onnx_string(struct onnx_import *c, const struct onnx_node *n, const char *attribute,
			const char *dflt)
{
	const Onnx__AttributeProto *a = find(n, attribute);
	const char *s;

	if (!a || !a->has_s)
		return dflt ? dflt : "";
	s = ir_strdup(c->g, (const char *)a->s.data, a->s.len);
	if (!s)
		onnx_fail(c, -ENOMEM, "out of memory");
	return s && strlen(s) == a->s.len ? s : "";
}

static int32_t clamp(int64_t v)
{
	return (int32_t)(v > INT32_MAX ? INT32_MAX : v < INT32_MIN ? INT32_MIN : v);
}

uint32_t onnx_ints(struct onnx_import *c, const struct onnx_node *n, const char *attribute,
		   int32_t *list, uint32_t max)
{
	const Onnx__AttributeProto *a = find(n, attribute);

	if (!a)
		return 0;
	if (!list)
		return (uint32_t)a->n_ints;
	if (a->n_ints > max) {
		onnx_fail(c, -ENOTSUP, "%s has %zu elements", attribute, a->n_ints);
		return 0;
	}
	for (size_t i = 0; i < a->n_ints; i++)
		list[i] = clamp(a->ints[i]);
	return (uint32_t)a->n_ints;
}

uint32_t onnx_floats(struct onnx_import *c, const struct onnx_node *n, const char *attribute,
		     float *list, uint32_t max)
{
	const Onnx__AttributeProto *a = find(n, attribute);

	if (!a)
		return 0;
	if (!list)
		return (uint32_t)a->n_floats;
	if (a->n_floats > max) {
		onnx_fail(c, -ENOTSUP, "%s has %zu elements", attribute, a->n_floats);
		return 0;
	}
	if (a->n_floats)
		memcpy(list, a->floats, a->n_floats * sizeof(float));
	return (uint32_t)a->n_floats;
}

const Onnx__TensorProto *onnx_tensor_attribute(const struct onnx_node *n, const char *attribute)
{
	const Onnx__AttributeProto *a = find(n, attribute);

	return a ? a->t : NULL;
}

const Onnx__GraphProto *onnx_graph_attribute(const struct onnx_node *n, const char *attribute)
{
	const Onnx__AttributeProto *a = find(n, attribute);

	return a ? a->g : NULL;
}

/* False: the import has failed. */
static bool is_known(struct onnx_import *c, const struct onnx_value *v, const char *what, uint32_t max)
{
	if (!v || c->rc)
		return false;
	if (!v->data) {
		onnx_fail(
			c, -ENOTSUP,
			"%s depends on input %s, and has to be known at import: freeze that input",
			what, v->root ? v->root : "?");
		if (c->opt->wanted && v->root && !*c->opt->wanted)
			*c->opt->wanted = strdup(v->root);
		return false;
	}
	if (onnx_count(v) > max) {
		onnx_fail(c, -ENOTSUP, "%s has %zu elements", what, onnx_count(v));
		return false;
	}
	return true;
}

uint32_t onnx_known(struct onnx_import *c, const struct onnx_value *v, const char *what,
		    int32_t *list, uint32_t max)
{
	if (!is_known(c, v, what, max))
		return 0;
	for (size_t i = 0; i < onnx_count(v); i++)
		list[i] = clamp(onnx_element_int(v, i));
	return (uint32_t)onnx_count(v);
}

uint32_t onnx_known_floats(struct onnx_import *c, const struct onnx_value *v, const char *what,
			   float *list, uint32_t max)
{
	if (!is_known(c, v, what, max))
		return 0;
	for (size_t i = 0; i < onnx_count(v); i++)
		list[i] = (float)onnx_element(v, i);
	return (uint32_t)onnx_count(v);
}

int32_t onnx_known_int(struct onnx_import *c, const struct onnx_value *v, const char *what)
{
	int32_t value = 0;

	if (onnx_known(c, v, what, &value, 1) != 1)
		onnx_fail(c, -EINVAL, "%s is not one number", what);
	return value;
}

float onnx_known_float(struct onnx_import *c, const struct onnx_value *v, const char *what)
{
	float value = 0;

	if (onnx_known_floats(c, v, what, &value, 1) != 1)
		onnx_fail(c, -EINVAL, "%s is not one number", what);
	return value;
}

uint32_t onnx_list(struct onnx_import *c, const struct onnx_node *n, const char *attribute, uint32_t i,
		   int32_t *list, uint32_t max)
{
	if (onnx_has(n, attribute))
		return onnx_ints(c, n, attribute, list, max);
	return onnx_known(c, onnx_in(n, i), attribute, list, max);
}

uint32_t onnx_axis(struct onnx_import *c, int64_t axis, uint32_t ndim)
{
	if (axis < -(int64_t)ndim || axis >= (int64_t)ndim) {
		onnx_fail(c, -EINVAL, "axis %" PRId64 " of %u", axis, ndim);
		return 0;
	}
	return (uint32_t)(axis < 0 ? axis + ndim : axis);
}
