/* SPDX-License-Identifier: MIT */
/* Tensors inside tensors. */
#include "runtime/compile/place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * struct link - a tensor lies in another
 * @parent: IR_NONE: in itself
 * @part: which part
 * @done: its place is known
 */
struct link {
	uint32_t parent;
	struct part part;
	bool done;
};

struct placing {
	const struct ir_graph *g;
	struct place *place;
	struct link *link;
	bool *fixed;	/* something but the NPU sees it, or it has contents already */
};

#define DEPTH_MAX 64	/* tensors in tensors */

/* Would @child in @parent close a circle? */
static bool circle(const struct placing *p, uint32_t child, uint32_t parent)
{
	unsigned int depth = 0;

	/* Nested deeper than resolve() follows counts as one, too. */
	for (uint32_t t = parent; t != IR_NONE; t = p->link[t].parent)
		if (t == child || ++depth == DEPTH_MAX)
			return true;
	return false;
}

static bool adopt(struct placing *p, uint32_t child, uint32_t parent, const struct part *part)
{
	if (p->fixed[child] || p->link[child].parent != IR_NONE || circle(p, child, parent) ||
	    p->g->tensors[parent].variable ||
	    elem_size(p->g->tensors[child].type) != elem_size(p->g->tensors[parent].type))
		return false;
	p->link[child].parent = parent;
	p->link[child].part = *part;
	return true;
}

static void all_of(const struct ir_tensor *t, struct part *part)
{
	part->n = t->ndim;
	for (uint32_t i = 0; i < t->ndim; i++) {
		part->begin[i] = 0;
		part->count[i] = t->shape[i];
		part->step[i] = 1;
	}
}

static void link_op(struct placing *p, const struct ir_op *op)
{
	const struct ir_graph *g = p->g;
	struct part part;

	switch (op->kind) {
	case IR_RESHAPE:
	case IR_SQUEEZE:
	case IR_EXPAND_DIMS:
		all_of(&g->tensors[op->inputs[0]], &part);
		if (adopt(p, op->outputs[0], op->inputs[0], &part))
			break;
		all_of(&g->tensors[op->outputs[0]], &part);
		adopt(p, op->inputs[0], op->outputs[0], &part);
		break;
	case IR_SLICE:
	case IR_STRIDED_SLICE:
	case IR_SPLIT:
	case IR_SPLIT_V:
	case IR_UNPACK:
		for (uint32_t i = 0; i < op->output_count; i++)
			if (!part_of_input(g, op, i, &part))
				adopt(p, op->outputs[i], op->inputs[op->kind == IR_SPLIT], &part);
		break;
	case IR_CONCATENATION:
	case IR_PACK:
		for (uint32_t i = 0; i < op->input_count; i++)
			if (!part_of_output(g, op, i, &part) &&
			    quant_same(&g->tensors[op->inputs[i]], &g->tensors[op->outputs[0]]))
				adopt(p, op->inputs[i], op->outputs[0], &part);
		break;
	default:
		break;
	}
}

/* Places from the outermost tensor inward; a part that steps cannot express stays by itself. */
static void resolve(struct placing *p, uint32_t t)
{
	struct lower l = { .g = (struct ir_graph *)p->g, .place = p->place,
			   .place_count = p->g->tensor_count };
	uint32_t chain[DEPTH_MAX], n = 0;

	for (uint32_t at = t; !p->link[at].done; at = p->link[at].parent) {
		/* Deeper nesting is given up: the tensor lies in itself. */
		if (n == DEPTH_MAX)
			p->link[at].parent = IR_NONE;
		if (p->link[at].parent == IR_NONE) {
			p->link[at].done = true;
			break;
		}
		chain[n++] = at;
	}
	while (n-- > 0) {
		uint32_t child = chain[n];
		struct nd d = lower_nd(&l, p->link[child].parent);

		p->link[child].done = true;
		if (!part_apply(&d, &p->link[child].part, &p->g->tensors[child]))
			continue;
		p->place[child].root = d.tensor;
		p->place[child].base = d.base;
		memcpy(p->place[child].step, d.step, sizeof(d.step));
	}
}

int place_tensors(const struct ir_graph *g, const struct ir_op *ops, uint32_t count,
		  const bool *on_cpu, struct place *place, struct error *err)
{
	size_t room = g->tensor_count ? g->tensor_count : 1;
	struct placing p = { .g = g, .place = place };
	int rc = 0;

	p.link = calloc(room, sizeof(*p.link));
	p.fixed = calloc(room, sizeof(*p.fixed));
	if (!p.link || !p.fixed) {
		rc = error_set(err, -ENOMEM, "out of memory");
		goto out;
	}
	for (uint32_t t = 0; t < g->tensor_count; t++) {
		const struct ir_tensor *tensor = &g->tensors[t];

		p.link[t].parent = IR_NONE;
		p.fixed[t] = tensor->input >= 0 || tensor->output >= 0 || tensor->data ||
			     tensor->variable;
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct ir_op *op = &ops[i];

		for (uint32_t k = 0; on_cpu[i] && k < op->input_count; k++)
			if (op->inputs[k] != IR_NONE)
				p.fixed[op->inputs[k]] = true;
		for (uint32_t k = 0; on_cpu[i] && k < op->output_count; k++)
			p.fixed[op->outputs[k]] = true;
	}
	for (uint32_t i = 0; i < count; i++)
		if (!on_cpu[i])
			link_op(&p, &ops[i]);
	for (uint32_t t = 0; t < g->tensor_count; t++)
		resolve(&p, t);
out:
	free(p.link);
	free(p.fixed);
	return rc;
}
