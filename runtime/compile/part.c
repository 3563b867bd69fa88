/* SPDX-License-Identifier: MIT */
/* Slices, splits and concatenations: which part of the whole a tensor is. */
#include <string.h>

#include "runtime/compile/place.h"

#define PARTS_MAX	4096	/* of one tensor */

static void whole(const struct ir_tensor *t, struct part *p)
{
	p->n = t->ndim;
	for (uint32_t i = 0; i < t->ndim; i++) {
		p->begin[i] = 0;
		p->count[i] = t->shape[i];
		p->step[i] = 1;
	}
}

/* Everything inside, and as many elements as the part has. */
static const char *check(const struct ir_tensor *t, const struct ir_tensor *part, const struct part *p)
{
	size_t n = 1;

	for (uint32_t i = 0; i < p->n; i++) {
		int64_t last = (int64_t)p->begin[i] + (int64_t)(p->count[i] - 1) * p->step[i];

		if (p->count[i] < 1 || p->begin[i] < 0 || p->begin[i] >= t->shape[i] || last < 0 ||
		    last >= t->shape[i])
			return "a part lies outside its tensor";
		n *= (size_t)p->count[i];
	}
	return n == ir_tensor_elements(part) ? NULL : "a part has another size than it should";
}

/* @out has room for IR_MAX_DIMS, whatever is wanted. */
static const char *integers(const struct ir_graph *g, uint32_t t, int32_t *out, uint32_t want)
{
	struct lower l = { .g = (struct ir_graph *)g };
	uint32_t n;

	if (!lower_integers(&l, t, out, IR_MAX_DIMS, &n))
		return "a parameter is not a short constant";
	return want && n != want ? "a parameter has another length than the tensor has axes" : NULL;
}

static const char *slice(const struct ir_graph *g, const struct ir_op *op, struct part *p)
{
	const struct ir_tensor *t = &g->tensors[op->inputs[0]];
	int32_t begin[IR_MAX_DIMS], size[IR_MAX_DIMS];
	const char *why = integers(g, op->inputs[1], begin, t->ndim);

	if (!why)
		why = integers(g, op->inputs[2], size, t->ndim);
	for (uint32_t i = 0; i < t->ndim && !why; i++) {
		p->begin[i] = begin[i];
		p->count[i] = size[i] == -1 ? t->shape[i] - begin[i] : size[i];
	}
	return why;
}

static int32_t clamp(int64_t v, int32_t low, int32_t high)
{
	return (int32_t)(v < low ? low : v > high ? high : v);
}

static const char *strided(const struct ir_graph *g, const struct ir_op *op, struct part *p)
{
	const struct ir_tensor *t = &g->tensors[op->inputs[0]];
	const struct ir_options *o = op->options;
	int32_t begin[IR_MAX_DIMS], end[IR_MAX_DIMS], step[IR_MAX_DIMS];
	struct lower l = { .g = (struct ir_graph *)g };
	uint32_t n;
	const char *why;

	if (o->ellipsis_mask || o->new_axis_mask)
		return "an ellipsis or a new axis";
	if (!lower_integers(&l, op->inputs[1], begin, IR_MAX_DIMS, &n) || n > t->ndim)
		return "a parameter is not a short constant";
	why = integers(g, op->inputs[2], end, n);
	if (!why)
		why = integers(g, op->inputs[3], step, n);
	for (uint32_t i = 0; i < n && !why; i++) {
		int32_t d = t->shape[i];
		int64_t from = begin[i] < 0 ? (int64_t)begin[i] + d : begin[i];
		int64_t to = end[i] < 0 ? (int64_t)end[i] + d : end[i];

		if (!step[i])
			return "a step of 0";
		if (o->shrink_mask & 1 << i) {
			p->begin[i] = clamp(from, 0, d - 1);
			p->count[i] = 1;
			continue;
		}
		p->step[i] = step[i];
		if (step[i] > 0) {
			p->begin[i] = o->begin_mask & 1 << i ? 0 : clamp(from, 0, d);
			to = o->end_mask & 1 << i ? d : clamp(to, 0, d);
			p->count[i] = (int32_t)((to - p->begin[i] + step[i] - 1) / step[i]);
		} else {
			p->begin[i] = o->begin_mask & 1 << i ? d - 1 : clamp(from, -1, d - 1);
			to = o->end_mask & 1 << i ? -1 : clamp(to, -1, d - 1);
			p->count[i] = (int32_t)((to - p->begin[i] + (int64_t)step[i] + 1) / step[i]);
		}
	}
	return why;
}

/* Output @index of SPLIT, SPLIT_V, UNPACK. */
static const char *split(const struct ir_graph *g, const struct ir_op *op, uint32_t index,
			 uint32_t input, struct part *p)
{
	const struct ir_tensor *t = &g->tensors[op->inputs[input]];
	uint32_t axis_input = op->kind == IR_SPLIT ? 0 : 2, axis;
	int32_t at = 0, which[IR_MAX_DIMS];
	const char *why;

	if (op->kind == IR_UNPACK) {
		which[0] = op->options->axis;
	} else {
		why = integers(g, op->inputs[axis_input], which, 1);
		if (why)
			return why;
	}
	if (!nd_axis(which[0], t->ndim, &axis))
		return "there is no such axis";
	if (op->kind == IR_UNPACK) {
		p->begin[axis] = (int32_t)index;
		p->count[axis] = 1;
		return NULL;
	}
	/* Extents of the outputs before it. */
	for (uint32_t i = 0; i < index; i++) {
		const struct ir_tensor *o = &g->tensors[op->outputs[i]];

		if (o->ndim != t->ndim)
			return "an output has other axes than the input";
		at += o->shape[axis] < t->shape[axis] - at ? o->shape[axis] : t->shape[axis] - at;
	}
	if (g->tensors[op->outputs[index]].ndim != t->ndim)
		return "an output has other axes than the input";
	p->begin[axis] = at;
	p->count[axis] = g->tensors[op->outputs[index]].shape[axis];
	return NULL;
}

const char *part_of_input(const struct ir_graph *g, const struct ir_op *op, uint32_t index,
			  struct part *out)
{
	uint32_t input = op->kind == IR_SPLIT ? 1 : 0;
	const struct ir_tensor *t;
	const char *why = NULL;

	if (op->inputs[input] == IR_NONE)
		return "an input is left out";
	if (op->output_count > PARTS_MAX)
		return "too many parts";
	t = &g->tensors[op->inputs[input]];
	whole(t, out);
	if (op->kind == IR_SLICE)
		why = slice(g, op, out);
	else if (op->kind == IR_STRIDED_SLICE)
		why = strided(g, op, out);
	else
		why = split(g, op, index, input, out);
	return why ? why : check(t, &g->tensors[op->outputs[index]], out);
}

const char *part_of_output(const struct ir_graph *g, const struct ir_op *op, uint32_t index,
			   struct part *out)
{
	const struct ir_tensor *t = &g->tensors[op->outputs[0]];
	int32_t at = 0;
	uint32_t axis;

	if (op->inputs[index] == IR_NONE)
		return "an input is left out";
	if (op->input_count > PARTS_MAX)
		return "too many parts";
	if (!nd_axis(op->options->axis, t->ndim, &axis))
		return "there is no such axis";
	whole(t, out);
	if (op->kind == IR_PACK) {
		out->begin[axis] = (int32_t)index;
		out->count[axis] = 1;
	} else {
		for (uint32_t i = 0; i <= index; i++) {
			const struct ir_tensor *in;

			if (op->inputs[i] == IR_NONE)
				return "an input is left out";
			in = &g->tensors[op->inputs[i]];
			if (in->ndim != t->ndim || in->shape[axis] > t->shape[axis] - at)
				return "the inputs do not make up the output";
			out->begin[axis] = at;
			out->count[axis] = in->shape[axis];
			at += in->shape[axis];
		}
	}
	return check(t, &g->tensors[op->inputs[index]], out);
}

bool part_apply(struct nd *d, const struct part *part, const struct ir_tensor *like)
{
	if (d->n != part->n)
		return false;
	for (uint32_t i = 0; i < part->n; i++)
		nd_slice(d, i, part->begin[i], part->count[i], part->step[i]);
	return nd_reshape(d, like->ndim, like->shape);
}
