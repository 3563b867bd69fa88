/* SPDX-License-Identifier: MIT */
/*
 * ONNX's images are NCHW, the graph's operations want NHWC, and the importer puts a TRANSPOSE before and
 * after each of them. Here transpositions are not done where they stand, but noted as views, which
 * are composed, handed on by operations that do not mind, and written only where one does. What is
 * left of a network of convolutions is one at its input and one at its output.
 */
#include "runtime/onnx/layout.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/onnx/passes.h"

/* Room for what is known of each tensor. */
static bool grow(struct layout *l)
{
	uint32_t want = l->g->tensor_count * 2 + 16;
	struct layout_view *views;
	bool *made, *window;

	if (l->g->tensor_count < l->room)
		return true;
	views = realloc(l->views, want * sizeof(*views));
	if (views)
		l->views = views;
	made = realloc(l->made, want * sizeof(*made));
	if (made)
		l->made = made;
	window = realloc(l->window, want * sizeof(*window));
	if (window)
		l->window = window;
	if (!views || !made || !window)
		return false;
	for (uint32_t i = l->room; i < want; i++) {
		l->views[i] = (struct layout_view){ .source = IR_NONE };
		l->made[i] = l->window[i] = false;
	}
	l->room = want;
	return true;
}

/* A tensor of that shape, with the type and quantisation of another, and its name where that is free. */
static uint32_t like(struct layout *l, uint32_t tensor, uint32_t ndim, const int32_t *shape)
{
	struct ir_graph *g = l->g;
	bool output = g->tensors[tensor].output >= 0;
	const char *name = g->tensors[tensor].name, *other;
	char text[400];
	uint32_t t;

	snprintf(text, sizeof(text), "%.300s/%s%u", name, output ? "nhwc" : "nchw", g->tensor_count);
	other = ir_strdup(g, text, strlen(text));
	t = other ? ir_tensor_new(g, output ? other : name, g->tensors[tensor].type, ndim, shape) : IR_NONE;
	if (t == IR_NONE || !grow(l))
		return IR_NONE;
	if (!output)
		g->tensors[tensor].name = other;
	g->tensors[t].quant = g->tensors[tensor].quant;
	return t;
}

static int append(struct layout *l, unsigned int kind, const uint32_t *inputs, uint32_t count, uint32_t out)
{
	struct ir_op *op = ir_op_new(l->g, kind, inputs, count, &out, 1, NULL);

	if (!op)
		return -ENOMEM;
	op->origin = l->origin;
	return 0;
}

uint32_t layout_integers(struct layout *l, uint32_t rows, uint32_t columns, const int32_t *list)
{
	int32_t shape[2] = { (int32_t)rows, (int32_t)columns };
	size_t bytes = (size_t)rows * (columns ? columns : 1) * sizeof(*list);
	int32_t *copy;
	char name[32];
	uint32_t t;

	/* One made not long ago may be the same: then operations can be told to be. */
	for (uint32_t i = 0; i < INTEGERS_KEPT; i++) {
		const struct ir_tensor *k = &l->g->tensors[l->integers[i]];

		if (l->integers[i] && k->size == bytes && k->ndim == (columns ? 2 : 1) &&
		    k->shape[0] == shape[0] && !memcmp(k->data, list, bytes))
			return l->integers[i];
	}
	copy = ir_alloc(l->g, bytes);
	snprintf(name, sizeof(name), "layout/%u", l->g->tensor_count);
	t = copy ? ir_tensor_new(l->g, name, ELEM_INT32, columns ? 2 : 1, shape) : IR_NONE;
	if (t == IR_NONE || !grow(l))
		return IR_NONE;
	memcpy(copy, list, bytes);
	l->g->tensors[t].data = copy;
	l->g->tensors[t].size = bytes;
	l->integers[l->next++ % INTEGERS_KEPT] = t;
	return t;
}

uint32_t layout_list(const struct layout *l, uint32_t tensor, int32_t *list, uint32_t max)
{
	const struct ir_tensor *t = tensor == IR_NONE ? NULL : &l->g->tensors[tensor];
	size_t count = t ? ir_tensor_elements(t) : 0;

	if (!t || !t->data || t->type != ELEM_INT32 || count > max)
		return 0;
	memcpy(list, t->data, count * sizeof(*list));
	return (uint32_t)count;
}

/* @from to @to, which is @v of it: a RESHAPE where that is enough. */
static int write_view(struct layout *l, const struct layout_view *v, uint32_t from, uint32_t to)
{
	struct ir_graph *g = l->g;
	const struct ir_tensor *s = &g->tensors[from], *t = &g->tensors[to];
	int32_t perm[IR_MAX_DIMS], shape[IR_MAX_DIMS], wanted[IR_MAX_DIMS];
	uint32_t n = 0, inputs[2] = { from }, target = to, ndim = s->ndim, to_ndim = t->ndim;

	memcpy(wanted, t->shape, sizeof(wanted));
	if (!view_in_order(v, t)) {
		/* The source's axes in the order that they have here, those that are nowhere last. */
		for (uint32_t i = 0; i < t->ndim; i++)
			if (v->from[i] >= 0)
				perm[n++] = v->from[i];
		for (uint32_t i = 0; i < s->ndim; i++)
			if (view_axis(v, t->ndim, i) < 0)
				perm[n++] = (int32_t)i;
		for (uint32_t i = 0; i < n; i++)
			shape[i] = s->shape[perm[i]];
		if (ndim != to_ndim || memcmp(shape, wanted, ndim * sizeof(*shape))) {
			target = like(l, to, ndim, shape);
			if (target == IR_NONE)
				return -ENOMEM;
		}
		inputs[1] = layout_integers(l, ndim, 0, perm);
		if (inputs[1] == IR_NONE || append(l, IR_TRANSPOSE, inputs, 2, target))
			return -ENOMEM;
		inputs[0] = target;
		if (target == to)
			return 0;
	}
	/* A reshape to a single number has nothing to say. */
	if (to_ndim) {
		inputs[1] = layout_integers(l, to_ndim, 0, wanted);
		if (inputs[1] == IR_NONE)
			return -ENOMEM;
	}
	return append(l, IR_RESHAPE, inputs, to_ndim ? 2 : 1, to);
}

uint32_t layout_tensor(struct layout *l, uint32_t tensor)
{
	struct layout_view v = l->views[tensor];

	if (v.source == IR_NONE || l->made[tensor])
		return tensor;
	if (l->g->tensors[tensor].output < 0 &&
	    view_same(&v, &l->g->tensors[tensor], &l->g->tensors[v.source]))
		return v.source;
	l->made[tensor] = true;
	return write_view(l, &v, v.source, tensor) ? IR_NONE : tensor;
}

/* A constant's elements moved; axes of @t beyond its own are those of extent 1 before them. */
static uint32_t constant_as(struct layout *l, uint32_t tensor, const struct layout_view *v,
			    uint32_t view_ndim, uint32_t ndim)
{
	struct ir_graph *g = l->g;
	const struct ir_tensor *t = &g->tensors[tensor];
	int32_t shape[IR_MAX_DIMS], at[IR_MAX_DIMS] = { 0 };
	size_t stride[IR_MAX_DIMS], step = 1, count = ir_tensor_elements(t), esize = elem_size(t->type);
	uint32_t missing = view_ndim - t->ndim, new;
	const char *from = t->data;
	char *to = ir_alloc(g, count * esize);

	for (uint32_t i = 0; i < ndim; i++) {
		shape[i] = 1;
		stride[i] = 0;
	}
	for (uint32_t i = t->ndim; i-- > 0; step *= (size_t)t->shape[i]) {
		int axis = v->from[i + missing];

		if (axis < 0)
			continue;
		shape[axis] = t->shape[i];
		stride[axis] = step;
	}
	new = to ? like(l, tensor, ndim, shape) : IR_NONE;
	if (new == IR_NONE)
		return IR_NONE;
	for (size_t i = 0; i < count; i++) {
		size_t place = 0;

		for (uint32_t d = 0; d < ndim; d++)
			place += (size_t)at[d] * stride[d];
		memcpy(to + i * esize, from + place * esize, esize);
		for (uint32_t d = ndim; d-- > 0 && ++at[d] == shape[d];)
			at[d] = 0;
	}
	g->tensors[new].data = to;
	g->tensors[new].size = count * esize;
	return new;
}

uint32_t layout_as(struct layout *l, uint32_t tensor, const struct layout_view *v, uint32_t ndim)
{
	struct ir_graph *g = l->g;
	const struct layout_view *own = &l->views[tensor];
	uint32_t rank = g->tensors[tensor].ndim,
		 source = own->source == IR_NONE ? tensor : own->source, view_ndim = 0;
	struct layout_view inverse = { .source = source };
	int32_t shape[IR_MAX_DIMS];
	uint32_t new;

	/* Any number broadcasts as it is. */
	if (ir_tensor_elements(&g->tensors[tensor]) == 1 && rank <= ndim && !l->made[tensor] &&
	    own->source == IR_NONE)
		return tensor;
	/* The rank that @v speaks of: operands of fewer axes have none of the first ones. */
	for (uint32_t i = 0; i < IR_MAX_DIMS; i++)
		view_ndim = v->from[i] >= -1 && v->from[i] != INT8_MIN ? i + 1 : view_ndim;
	if (g->tensors[tensor].data)
		return constant_as(l, tensor, v, view_ndim, ndim);
	if (own->source != IR_NONE && own->source == v->source && rank == view_ndim &&
	    !memcmp(own->from, v->from, rank))
		return source;
	for (uint32_t i = 0; i < ndim; i++) {
		int axis = view_axis(v, view_ndim, i);
		int here = axis < 0 ? -1 : axis - (int)(view_ndim - rank);

		shape[i] = here < 0 ? 1 : g->tensors[tensor].shape[here];
		inverse.from[i] = (int8_t)(here < 0 ? -1 : own->source == IR_NONE ? here : own->from[here]);
	}
	/* Not by its name: the tensor itself may still be wanted under it. */
	new = ir_tensor_new(g, "", g->tensors[tensor].type, ndim, shape);
	if (new == IR_NONE || !grow(l))
		return IR_NONE;
	{
		char text[400];

		snprintf(text, sizeof(text), "%.300s/as%u", g->tensors[tensor].name, new);
		g->tensors[new].name = ir_strdup(g, text, strlen(text));
	}
	if (!g->tensors[new].name)
		return IR_NONE;
	g->tensors[new].quant = g->tensors[tensor].quant;
	if (view_same(&inverse, &g->tensors[new], &g->tensors[source]))
		return source;
	return write_view(l, &inverse, source, new) ? IR_NONE : new;
}

int layout_write(struct layout *l, const struct ir_op *op, uint32_t ndim, const int32_t *shape,
		 const uint32_t *inputs, const struct ir_options *options, const struct layout_view *v)
{
	uint32_t out = op->outputs[0], new;
	struct ir_op *made;

	new = like(l, out, ndim, shape);
	if (new == IR_NONE)
		return -ENOMEM;
	made = ir_op_new(l->g, op->kind, inputs, op->input_count, &new, 1, options);
	if (!made)
		return -ENOMEM;
	made->origin = op->origin;
	l->views[out] = *v;
	l->views[out].source = new;
	return 1;
}

/* Composition: @out is TRANSPOSE of what is already a view, or of a tensor. */
static int note_transpose(struct layout *l, const struct ir_op *op)
{
	uint32_t in = op->inputs[0], out = op->outputs[0];
	const struct layout_view *own = &l->views[in];
	struct layout_view v = { .source = own->source == IR_NONE ? in : own->source };
	int32_t perm[IR_MAX_DIMS];
	uint32_t n = layout_list(l, op->inputs[1], perm, IR_MAX_DIMS);

	if (n != l->g->tensors[in].ndim || l->g->tensors[in].quant.count > 1 || l->g->tensors[in].variable)
		return 0;
	memset(v.from, INT8_MIN, sizeof(v.from));
	for (uint32_t i = 0; i < n; i++) {
		if (perm[i] < 0 || perm[i] >= (int32_t)n)
			return 0;
		v.from[i] = (int8_t)(own->source == IR_NONE ? perm[i] : own->from[perm[i]]);
	}
	l->views[out] = v;
	return 1;
}

/* The same integers stand for other numbers: an operation that has to stay. */
static bool requantises(const struct layout *l, const struct ir_op *op)
{
	const struct ir_quant *a = &l->g->tensors[op->inputs[0]].quant;
	const struct ir_quant *b = &l->g->tensors[op->outputs[0]].quant;

	return a->count != b->count ||
	       (a->count && (memcmp(a->scale, b->scale, a->count * sizeof(*a->scale)) ||
			     memcmp(a->zero_point, b->zero_point, a->count * sizeof(*a->zero_point))));
}

/*
 * A tensor whose axes will be joined, transposed so that those lie together and the others stay in the
 * source's order. @source: changes to the transposed one, which @v is in terms of.
 */
static bool together(struct layout *l, uint32_t in, uint32_t out, uint32_t *source, struct layout_view *v)
{
	struct ir_graph *g = l->g;
	const struct ir_tensor *s = &g->tensors[*source];
	int32_t perm[IR_MAX_DIMS], shape[IR_MAX_DIMS];
	uint32_t inputs[2] = { *source }, ndim = s->ndim, new;

	if (!view_together(&l->views[in], &g->tensors[in], s, g->tensors[out].ndim,
			   g->tensors[out].shape, perm, v))
		return false;
	for (uint32_t i = 0; i < ndim; i++)
		shape[i] = s->shape[perm[i]];
	new = like(l, in, ndim, shape);
	inputs[1] = new == IR_NONE ? IR_NONE : layout_integers(l, ndim, 0, perm);
	if (inputs[1] == IR_NONE || append(l, IR_TRANSPOSE, inputs, 2, new)) {
		l->failed = true;
		return false;
	}
	*source = new;
	return true;
}

/*
 * A line of one row: what a convolution over one axis gives. Operations that do not mind stay on the row, so
 * that they still follow the convolution.
 */
static int note_line(struct layout *l, uint32_t in, uint32_t out)
{
	struct layout_view v = { .source = in };

	if (!l->window[in] || !view_units(&l->g->tensors[out], &l->g->tensors[in], &v))
		return 0;
	for (uint32_t i = l->g->tensors[out].ndim; i < IR_MAX_DIMS; i++)
		v.from[i] = INT8_MIN;
	l->views[out] = v;
	return 1;
}

static bool is_window(unsigned int kind)
{
	return kind == IR_CONV_2D || kind == IR_DEPTHWISE_CONV_2D || kind == IR_TRANSPOSE_CONV ||
	       kind == IR_AVERAGE_POOL_2D || kind == IR_MAX_POOL_2D;
}

static int note_reshape(struct layout *l, const struct ir_op *op)
{
	uint32_t in = op->inputs[0], out = op->outputs[0], source = l->views[in].source, ndim, target;
	struct layout_view v;
	int32_t shape[IR_MAX_DIMS];
	const struct ir_tensor *s;

	if (l->g->tensors[in].quant.count > 1 || requantises(l, op))
		return 0;
	if (source == IR_NONE)
		return note_line(l, in, out);
	if (view_units(&l->g->tensors[out], &l->g->tensors[in], &v)) {
		for (uint32_t i = 0; i < IR_MAX_DIMS; i++)
			v.from[i] = (int8_t)(i >= l->g->tensors[out].ndim ? INT8_MIN :
					     v.from[i] < 0 ? -1 : l->views[in].from[v.from[i]]);
		v.source = source;
		l->views[out] = v;
		return 1;
	}
	memset(v.from, INT8_MIN, sizeof(v.from));
	if (!view_reshape(&l->views[in], &l->g->tensors[in], &l->g->tensors[source], l->g->tensors[out].ndim,
			  l->g->tensors[out].shape, &ndim, shape, &v)) {
		if (l->made[in] || !together(l, in, out, &source, &v) ||
		    !view_reshape(&v, &l->g->tensors[in], &l->g->tensors[source], l->g->tensors[out].ndim,
				  l->g->tensors[out].shape, &ndim, shape, &v))
			return l->failed ? -ENOMEM : 0;
	}
	s = &l->g->tensors[source];
	for (uint32_t i = l->g->tensors[out].ndim; i < IR_MAX_DIMS; i++)
		v.from[i] = INT8_MIN;
	target = source;
	if (ndim != s->ndim || memcmp(shape, s->shape, ndim * sizeof(*shape))) {
		uint32_t inputs[2] = { source };

		target = like(l, out, ndim, shape);
		inputs[1] = target == IR_NONE || !ndim ? IR_NONE : layout_integers(l, ndim, 0, shape);
		if (target == IR_NONE || (ndim && inputs[1] == IR_NONE) ||
		    append(l, IR_RESHAPE, inputs, ndim ? 2 : 1, target))
			return -ENOMEM;
	}
	v.source = target;
	l->views[out] = v;
	return 1;
}

/* An operation that does mind gets its inputs in order. */
static int keep(struct layout *l, const struct ir_op *op)
{
	uint32_t *inputs = ir_alloc(l->g, ((size_t)op->input_count + 1) * sizeof(*inputs));
	struct ir_op *made;

	if (!inputs)
		return -ENOMEM;
	for (uint32_t i = 0; i < op->input_count; i++) {
		inputs[i] = op->inputs[i] == IR_NONE ? IR_NONE : layout_tensor(l, op->inputs[i]);
		if (inputs[i] == IR_NONE && op->inputs[i] != IR_NONE)
			return -ENOMEM;
	}
	made = ir_op_new(l->g, op->kind, inputs, op->input_count, op->outputs, op->output_count, op->options);
	if (!made)
		return -ENOMEM;
	made->origin = op->origin;
	if (is_window(op->kind))
		l->window[op->outputs[0]] = true;
	return 0;
}

static int one(struct layout *l, const struct ir_op *op)
{
	int rc = 0;

	l->origin = op->origin;
	if (op->kind == IR_TRANSPOSE)
		rc = note_transpose(l, op);
	else if (op->kind == IR_RESHAPE)
		rc = note_reshape(l, op);
	else if (op->output_count == 1)
		rc = layout_move(l, op);
	return rc ? (rc > 0 ? 0 : rc) : keep(l, op);
}

/* Outputs of the graph that are views are written at its end. */
static int write_outputs(struct layout *l)
{
	for (uint32_t i = 0; i < l->g->output_count; i++)
		if (layout_tensor(l, l->g->outputs[i]) == IR_NONE)
			return -ENOMEM;
	return 0;
}

int pass_layout(struct ir_graph *g, struct error *err)
{
	struct layout l = { .g = g, .old = g->ops, .old_count = g->op_count };
	int rc = grow(&l) ? 0 : -ENOMEM;

	g->ops = NULL;
	g->op_count = g->op_room = 0;
	for (uint32_t i = 0; i < l.old_count && !rc; i++)
		rc = one(&l, &l.old[i]);
	if (!rc)
		rc = write_outputs(&l);
	free(l.old);
	free(l.views);
	free(l.made);
	free(l.window);
	return rc ? error_set(err, rc, "out of memory") : 0;
}
