/* SPDX-License-Identifier: MIT */
/*
 * The graph in integers: every operation with operands of its type and scale. Where a value is there
 * in another one, DEQUANTIZE or QUANTIZE stands between.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/ir/ir_copy.h"
#include "runtime/quantise/plan.h"

#define NAME_ROOM	300

/* A value in another type or scale, made already: index in the new graph. */
struct converted {
	uint32_t tensor, made;
	uint8_t precision;
	float scale;
	int32_t zero_point;
};

/**
 * struct rewrite - a graph being built
 * @map: of each tensor of the old graph its home in the new one, IR_NONE: not made yet
 */
struct rewrite {
	const struct plan *p;
	const struct ir_graph *g;
	struct ir_graph *to;
	uint32_t *map;
	struct converted *converted;
	uint32_t converted_count, converted_room;
	uint32_t origin;
};

static int type_of(unsigned int precision)
{
	return precision == PREC_8 ? ELEM_INT8 : precision == PREC_16 ? ELEM_INT16 : ELEM_FLOAT32;
}

static const char *suffix_of(unsigned int precision)
{
	return precision == PREC_8 ? "int8" : precision == PREC_16 ? "int16" : "float";
}

/* A new tensor of that precision, quantised. IR_NONE: no memory. */
static uint32_t new_tensor(struct rewrite *r, const char *name, const struct ir_tensor *like,
			   unsigned int precision, float scale, int32_t zero_point)
{
	uint32_t index = ir_tensor_new(r->to, name, precision == PREC_KEEP ? like->type :
				       type_of(precision), like->ndim, like->shape);

	if (index == IR_NONE)
		return IR_NONE;
	memcpy(r->to->tensors[index].hwc, like->hwc, sizeof(like->hwc));
	r->to->tensors[index].variable = like->variable;
	if (precision == PREC_KEEP && like->quant.count &&
	    ir_set_quant(r->to, index, like->quant.count, like->quant.axis, like->quant.scale,
			 like->quant.zero_point))
		return IR_NONE;
	if (precision >= PREC_8 && ir_set_quant(r->to, index, 1, 0, &scale, &zero_point))
		return IR_NONE;
	return index;
}

/* The tensor as whoever makes it stores it. */
static uint32_t make_home(struct rewrite *r, uint32_t tensor)
{
	const struct ir_tensor *t = &r->g->tensors[tensor];
	float scale = 1;
	int32_t zero = 0;

	if (r->map[tensor] != IR_NONE)
		return r->map[tensor];
	if (r->p->home[tensor] >= PREC_8)
		plan_quant(r->p, tensor, r->p->home[tensor], &scale, &zero);
	r->map[tensor] = new_tensor(r, t->name, t, r->p->home[tensor], scale, zero);
	return r->map[tensor];
}

static uint32_t find_converted(const struct rewrite *r, const struct converted *c)
{
	for (uint32_t i = 0; i < r->converted_count; i++) {
		const struct converted *have = &r->converted[i];

		if (have->tensor == c->tensor && have->precision == c->precision &&
		    (c->precision < PREC_8 ||
		     (have->scale == c->scale && have->zero_point == c->zero_point)))
			return have->made;
	}
	return IR_NONE;
}

static uint32_t remember(struct rewrite *r, struct converted c)
{
	if (r->converted_count == r->converted_room) {
		uint32_t room = r->converted_room ? 2 * r->converted_room : 64;
		struct converted *new = realloc(r->converted, room * sizeof(*new));

		if (!new)
			return IR_NONE;
		r->converted = new;
		r->converted_room = room;
	}
	r->converted[r->converted_count++] = c;
	return c.made;
}

static int32_t to_integer(float v, float scale, int32_t zero, int32_t low, int32_t high)
{
	double q = round((double)v / (double)scale) + zero;

	/* What is not a number becomes the least one. */
	return q > low ? q < high ? (int32_t)q : high : low;
}

/* A float constant in another form. */
static uint32_t convert_constant(struct rewrite *r, const struct ir_tensor *t, const char *name,
				 const struct converted *c)
{
	size_t n = ir_tensor_elements(t);
	const float *from = t->data;
	struct ir_tensor *made;
	uint32_t index = new_tensor(r, name, t, c->precision, c->scale, c->zero_point);
	void *data;

	if (index == IR_NONE)
		return IR_NONE;
	made = &r->to->tensors[index];
	made->size = ir_tensor_bytes(made);
	data = ir_alloc(r->to, made->size);
	if (!data)
		return IR_NONE;
	for (size_t i = 0; i < n; i++) {
		if (c->precision == PREC_8)
			((int8_t *)data)[i] = (int8_t)to_integer(from[i], c->scale, c->zero_point,
								 INT8_MIN, INT8_MAX);
		else if (c->precision == PREC_16)
			((int16_t *)data)[i] = (int16_t)to_integer(from[i], c->scale, 0, -INT16_MAX,
								   INT16_MAX);
		else
			((float *)data)[i] = from[i];
	}
	made->data = data;
	return index;
}

static uint32_t put_conversion(struct rewrite *r, uint32_t from, const char *name,
			       const struct ir_tensor *like, const struct converted *c)
{
	uint32_t index = new_tensor(r, name, like, c->precision, c->scale, c->zero_point);
	struct ir_op *op;

	if (index == IR_NONE)
		return IR_NONE;
	r->to->tensors[index].variable = false;
	op = ir_op_new(r->to, c->precision == PREC_FLOAT ? IR_DEQUANTIZE : IR_QUANTIZE, &from, 1,
		       &index, 1, NULL);
	if (!op)
		return IR_NONE;
	op->origin = r->origin;
	return index;
}

/* What is no float number goes over as it is. */
static uint32_t copy_constant(struct rewrite *r, uint32_t tensor)
{
	const struct ir_tensor *t = &r->g->tensors[tensor];
	uint32_t index;

	if (r->map[tensor] != IR_NONE)
		return r->map[tensor];
	index = ir_constant(r->to, t->name, t->type, t->ndim, t->shape, t->data);
	if (index != IR_NONE && t->quant.count &&
	    ir_set_quant(r->to, index, t->quant.count, t->quant.axis, t->quant.scale,
			 t->quant.zero_point))
		return IR_NONE;
	r->map[tensor] = index;
	return index;
}

/* A tensor as @precision with that scale. IR_NONE: no memory. */
static uint32_t value_as(struct rewrite *r, uint32_t tensor, unsigned int precision, float scale,
			 int32_t zero_point)
{
	const struct ir_tensor *t = &r->g->tensors[tensor];
	struct converted c = { .tensor = tensor, .precision = (uint8_t)precision, .scale = scale,
			       .zero_point = zero_point };
	char name[NAME_ROOM];
	uint32_t home;

	if (t->type != ELEM_FLOAT32)
		return t->data ? copy_constant(r, tensor) : make_home(r, tensor);
	c.made = find_converted(r, &c);
	if (c.made != IR_NONE)
		return c.made;
	snprintf(name, sizeof(name), "%.250s/%s%u", t->name, suffix_of(precision),
		 r->converted_count);
	if (t->data) {
		c.made = convert_constant(r, t, precision == PREC_FLOAT ? t->name : name, &c);
	} else {
		const struct ir_quant *q;

		home = make_home(r, tensor);
		if (home == IR_NONE)
			return IR_NONE;
		q = &r->to->tensors[home].quant;
		if (r->p->home[tensor] == precision &&
		    (precision < PREC_8 || (q->scale[0] == scale && q->zero_point[0] == zero_point)))
			return home;
		/* TFLite 2.14's QUANTIZE does not widen; from float it does. */
		if (r->p->home[tensor] == PREC_8 && precision == PREC_16)
			home = value_as(r, tensor, PREC_FLOAT, 1, 0);
		c.made = home == IR_NONE ? IR_NONE : put_conversion(r, home, name, t, &c);
	}
	return c.made == IR_NONE ? IR_NONE : remember(r, c);
}

static uint32_t put_weights(struct rewrite *r, const struct ir_op *op, const struct layer_quant *q)
{
	const struct ir_tensor *t = &r->g->tensors[op->inputs[q->shape.weights]];
	uint32_t index = ir_constant(r->to, t->name, ELEM_INT8, t->ndim, t->shape, q->weights);

	return index == IR_NONE || ir_set_quant(r->to, index, q->scale_count, q->shape.axis, q->scales,
						NULL) ? IR_NONE : index;
}

static uint32_t put_bias(struct rewrite *r, const struct ir_op *op, const struct layer_quant *q)
{
	uint32_t tensor = layer_bias(op, &q->shape), index;
	int32_t shape = (int32_t)q->shape.outputs;
	char name[NAME_ROOM];

	if (!q->bias)
		return IR_NONE;
	if (tensor == IR_NONE)
		snprintf(name, sizeof(name), "%.250s/bias", r->g->tensors[op->outputs[0]].name);
	else
		snprintf(name, sizeof(name), "%.250s", r->g->tensors[tensor].name);
	index = ir_constant(r->to, name, q->bias_type, 1, &shape, q->bias);
	return index == IR_NONE || ir_set_quant(r->to, index, q->scale_count, 0, q->bias_scales, NULL) ?
	       IR_NONE : index;
}

/* Weights and bias of a layer instead of the float ones, which @inputs still lacks. */
static int layer_inputs(struct rewrite *r, uint32_t index, uint32_t *inputs)
{
	const struct ir_op *op = &r->g->ops[index];
	struct layer_quant q;
	int rc = layer_quantise(r->p, index, &q);

	if (rc)
		return rc;
	inputs[q.shape.weights] = put_weights(r, op, &q);
	inputs[q.shape.bias] = put_bias(r, op, &q);
	if (inputs[q.shape.weights] == IR_NONE || (q.bias && inputs[q.shape.bias] == IR_NONE))
		rc = -ENOMEM;
	layer_quant_free(&q);
	return rc;
}

/* Operand @k of an operation that computes in @precision. */
static uint32_t operand(struct rewrite *r, const struct ir_op *op, uint32_t k,
			unsigned int precision)
{
	uint32_t tensor = op->inputs[k];
	float scale = 1;
	int32_t zero = 0;

	if (precision >= PREC_8)
		plan_quant(r->p, rule_of(op->kind)->rule == RULE_SAME ? op->outputs[0] : tensor,
			   precision, &scale, &zero);
	return value_as(r, tensor, precision, scale, zero);
}

static int put_op(struct rewrite *r, uint32_t index)
{
	const struct ir_op *op = &r->g->ops[index];
	unsigned int precision = r->p->precision[index];
	bool layer = precision >= PREC_8 && rule_of(op->kind)->rule == RULE_LAYER;
	uint32_t count = op->input_count, *list;
	struct layer_shape shape;
	struct ir_op *new = NULL;
	int rc = 0;

	list = calloc((size_t)op->input_count + op->output_count + 8, sizeof(*list));
	if (!list)
		return -ENOMEM;
	r->origin = op->origin;
	if (layer && rule_layer(r->g, op, &shape)) {
		rc = layer_inputs(r, index, list);
		if (count <= shape.bias)
			count = list[shape.bias] == IR_NONE ? shape.bias : shape.bias + 1;
	}
	for (uint32_t k = 0; k < op->input_count && !rc; k++) {
		if (layer && (k == shape.weights || k == shape.bias))
			continue;
		if (op->inputs[k] == IR_NONE) {
			list[k] = IR_NONE;
			continue;
		}
		/* Operations that keep what they find take integers that are constants or homes. */
		list[k] = operand(r, op, k, precision);
		if (list[k] == IR_NONE)
			rc = -ENOMEM;
	}
	for (uint32_t k = 0; k < op->output_count && !rc; k++) {
		list[count + k] = make_home(r, op->outputs[k]);
		if (list[count + k] == IR_NONE)
			rc = -ENOMEM;
	}
	if (!rc)
		new = ir_op_new(r->to, op->kind, list, count, list + count, op->output_count,
				op->options);
	if (new)
		new->origin = op->origin;
	free(list);
	return rc ? rc : new ? 0 : -ENOMEM;
}

/* Of two tensors of the same value it is the graph's output that has the name. */
static void swap_names(struct ir_graph *g, uint32_t a, uint32_t b)
{
	const char *name = g->tensors[a].name;

	g->tensors[a].name = g->tensors[b].name;
	g->tensors[b].name = name;
}

static int put_ends(struct rewrite *r)
{
	const struct ir_graph *g = r->g;
	uint32_t index;

	r->to->outputs = ir_alloc(r->to, (g->output_count + 1) * sizeof(*r->to->outputs));
	if (!r->to->outputs)
		return -ENOMEM;
	r->to->output_count = g->output_count;
	for (uint32_t i = 0; i < g->output_count; i++) {
		uint32_t tensor = g->outputs[i];

		index = r->p->opt->io_float && g->tensors[tensor].type == ELEM_FLOAT32 ?
			value_as(r, tensor, PREC_FLOAT, 1, 0) :
			g->tensors[tensor].data ? value_as(r, tensor, PREC_FLOAT, 1, 0) :
						  make_home(r, tensor);
		if (index == IR_NONE)
			return -ENOMEM;
		if (r->map[tensor] != IR_NONE && r->map[tensor] != index &&
		    r->to->tensors[r->map[tensor]].input < 0)
			swap_names(r->to, r->map[tensor], index);
		r->to->outputs[i] = index;
		r->to->tensors[index].output = (int32_t)i;
	}
	return 0;
}

static int rewrite(struct rewrite *r)
{
	const struct ir_graph *g = r->g;
	int rc = 0;

	for (uint32_t i = 0; i < g->origin_count; i++)
		if (ir_origin_new(r->to, g->origins[i]) == IR_NONE)
			return -ENOMEM;
	r->to->inputs = ir_alloc(r->to, (g->input_count + 1) * sizeof(*r->to->inputs));
	if (!r->to->inputs)
		return -ENOMEM;
	r->to->input_count = g->input_count;
	for (uint32_t i = 0; i < g->input_count; i++) {
		r->to->inputs[i] = make_home(r, g->inputs[i]);
		if (r->to->inputs[i] == IR_NONE)
			return -ENOMEM;
		r->to->tensors[r->to->inputs[i]].input = (int32_t)i;
	}
	for (uint32_t i = 0; i < g->op_count && !rc; i++)
		rc = put_op(r, i);
	return rc ? rc : put_ends(r);
}

int plan_rewrite(const struct plan *p, struct ir_graph **out, uint32_t *map, struct error *err)
{
	struct rewrite r = { .p = p, .g = p->g, .map = map };
	int rc = -ENOMEM;

	for (uint32_t i = 0; i < p->g->tensor_count; i++)
		map[i] = IR_NONE;
	r.to = ir_new(p->g->name);
	if (r.to)
		rc = rewrite(&r);
	free(r.converted);
	if (rc)
		rc = error_set(err, rc, "out of memory");
	else
		rc = ir_verify(r.to, err);
	if (rc)
		ir_free(r.to);
	else
		*out = r.to;
	return rc;
}
