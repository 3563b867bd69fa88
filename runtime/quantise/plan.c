/* SPDX-License-Identifier: MIT */
/* Types and scales: each operation as wide as wanted, scales joined where kernels want one. */
#include "runtime/quantise/plan.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define JOIN_RATIO	2.0f	/* of ranges that several inputs share; beyond, they are requantised */

int plan_init(struct plan *p, const struct ir_graph *g, const struct stats *stats,
	      const struct quantise_options *opt, struct error *err)
{
	*p = (struct plan){ .g = g, .stats = stats, .opt = opt };
	p->precision = calloc((size_t)g->op_count + 1, sizeof(*p->precision));
	p->wide = calloc((size_t)g->op_count + 1, sizeof(*p->wide));
	p->real = calloc((size_t)g->op_count + 1, sizeof(*p->real));
	p->bias_shift = calloc((size_t)g->op_count + 1, sizeof(*p->bias_shift));
	p->rounded = calloc((size_t)g->op_count + 1, sizeof(*p->rounded));
	p->home = calloc((size_t)g->tensor_count + 1, sizeof(*p->home));
	p->nodes = calloc(2 * (size_t)g->tensor_count + 1, sizeof(*p->nodes));
	if (p->precision && p->wide && p->real && p->bias_shift && p->rounded && p->home && p->nodes)
		return 0;
	plan_free(p);
	return error_set(err, -ENOMEM, "out of memory");
}

void plan_free(struct plan *p)
{
	for (uint32_t i = 0; p->g && i < p->g->op_count; i++) {
		if (p->bias_shift)
			free(p->bias_shift[i]);
		if (p->rounded)
			free(p->rounded[i]);
	}
	free(p->precision);
	free(p->wide);
	free(p->real);
	free(p->bias_shift);
	free(p->rounded);
	free(p->home);
	free(p->nodes);
	memset(p, 0, sizeof(*p));
}

static bool is_float(const struct ir_graph *g, uint32_t tensor)
{
	return tensor != IR_NONE && g->tensors[tensor].type == ELEM_FLOAT32;
}

static bool is_value(const struct ir_graph *g, uint32_t tensor)
{
	return is_float(g, tensor) && !g->tensors[tensor].data;
}

static bool touches_float(const struct ir_graph *g, const struct ir_op *op)
{
	for (uint32_t i = 0; i < op->input_count; i++)
		if (is_float(g, op->inputs[i]))
			return true;
	for (uint32_t i = 0; i < op->output_count; i++)
		if (is_float(g, op->outputs[i]))
			return true;
	return false;
}

/* An operand of any other type than float32 that a quantised kernel could not take for what it is. */
static bool has_integer_form(const struct ir_graph *g, const struct ir_op *op)
{
	struct layer_shape shape;

	switch (rule_of(op->kind)->rule) {
	case RULE_FLOAT:
		return false;
	case RULE_LAYER:
		return is_value(g, op->inputs[op->kind == IR_TRANSPOSE_CONV ? 2 : 0]) &&
		       rule_layer(g, op, &shape);
	case RULE_READ:
		return is_float(g, op->inputs[0]);
	default:
		return is_float(g, op->outputs[0]);
	}
}

static unsigned int choose(const struct plan *p, const struct ir_op *op, bool wide,
			   const uint8_t *follow)
{
	const struct rule_info *rule = rule_of(op->kind);

	if (!touches_float(p->g, op))
		return PREC_KEEP;
	if (!has_integer_form(p->g, op))
		return PREC_FLOAT;
	if (rule->rule == RULE_SAME) {
		/* Moves stay in the type that they find. */
		for (uint32_t i = 0; i < op->input_count; i++) {
			if (!is_value(p->g, op->inputs[i]))
				continue;
			if (follow[op->inputs[i]] == PREC_FLOAT)
				return PREC_FLOAT;
			wide = follow[op->inputs[i]] == PREC_16;
			break;
		}
	}
	return wide && rule->bits16 ? PREC_16 : rule->bits8 ? PREC_8 : PREC_FLOAT;
}

/* A graph's input is quantised unless only float operations read it. */
static bool is_read_quantised(const struct ir_graph *g, uint32_t tensor)
{
	for (uint32_t i = 0; i < g->op_count; i++)
		for (uint32_t k = 0; k < g->ops[i].input_count; k++)
			if (g->ops[i].inputs[k] == tensor && has_integer_form(g, &g->ops[i]))
				return true;
	return false;
}

static void choose_precisions(struct plan *p)
{
	const struct ir_graph *g = p->g;
	unsigned int wanted = p->opt->int16 ? PREC_16 : PREC_8;
	uint8_t *follow = p->home;

	for (uint32_t i = 0; i < g->tensor_count; i++)
		follow[i] = is_float(g, i) ? PREC_FLOAT : PREC_KEEP;
	for (uint32_t i = 0; i < g->input_count; i++)
		if (is_float(g, g->inputs[i]) && is_read_quantised(g, g->inputs[i]))
			follow[g->inputs[i]] = (uint8_t)wanted;
	for (uint32_t i = 0; i < g->op_count; i++) {
		const struct ir_op *op = &g->ops[i];

		p->precision[i] = (uint8_t)choose(p, op, p->opt->int16 || p->wide[i], follow);
		if (p->real[i] && p->precision[i] >= PREC_8)
			p->precision[i] = PREC_FLOAT;
		for (uint32_t k = 0; k < op->output_count; k++)
			if (is_float(g, op->outputs[k]))
				follow[op->outputs[k]] = p->precision[i];
	}
	/* What was followed is where tensors live, but for inputs that stay float. */
	for (uint32_t i = 0; i < g->input_count && p->opt->io_float; i++)
		if (is_float(g, g->inputs[i]))
			p->home[g->inputs[i]] = PREC_FLOAT;
}

static uint32_t node_index(uint32_t tensor, unsigned int precision)
{
	return 2 * tensor + (precision == PREC_16);
}

static uint32_t root_of(const struct plan *p, uint32_t node)
{
	while (p->nodes[node].parent != node)
		node = p->nodes[node].parent;
	return node;
}

static void make_nodes(struct plan *p)
{
	const struct ir_graph *g = p->g;

	for (uint32_t i = 0; i < g->tensor_count; i++) {
		const struct histogram *h = i < p->stats->count ? p->stats->tensors[i].histogram : NULL;

		for (unsigned int wide = 0; wide < 2; wide++) {
			struct plan_node *n = &p->nodes[2 * i + wide];

			*n = (struct plan_node){ .parent = 2 * i + wide };
			if (h && is_value(g, i))
				range_find(h, p->opt->method, wide ? 65536 : 256, wide,
					   p->opt->percentile, &n->low, &n->high);
			/* As the model was trained, see prepare(). */
			if (!wide && is_value(g, i) && g->tensors[i].quant.count == 1) {
				n->fixed = true;
				n->scale = g->tensors[i].quant.scale[0];
				n->zero_point = g->tensors[i].quant.zero_point[0];
			}
		}
	}
}

static void constant_range(const struct ir_tensor *t, float *low, float *high)
{
	const float *v = t->data;

	*low = *high = 0;
	for (size_t i = 0; i < ir_tensor_elements(t); i++) {
		*low = fminf(*low, v[i]);
		*high = fmaxf(*high, v[i]);
	}
}

static float span(const struct plan_node *n)
{
	return fmaxf(-n->low, n->high);
}

/* Let two nodes have one scale. @any: however different they are. */
static void join(struct plan *p, uint32_t a, uint32_t b, bool any)
{
	struct plan_node *x, *y;

	a = root_of(p, a);
	b = root_of(p, b);
	if (a == b)
		return;
	x = &p->nodes[a];
	y = &p->nodes[b];
	if (x->fixed && y->fixed && (x->scale != y->scale || x->zero_point != y->zero_point))
		return;
	if (!any && (x->fixed != y->fixed || span(x) > JOIN_RATIO * span(y) ||
		     span(y) > JOIN_RATIO * span(x)))
		return;
	if (y->fixed) {
		x->parent = b;
		return;
	}
	y->parent = a;
	x->low = fminf(x->low, y->low);
	x->high = fmaxf(x->high, y->high);
}

/* Constants clamp (MINIMUM, MAXIMUM) and need not be represented beyond the range. */
static void include_constant(struct plan *p, const struct ir_op *op, uint32_t node, uint32_t tensor)
{
	struct plan_node *n = &p->nodes[root_of(p, node)];
	float low, high;

	if (op->kind == IR_MINIMUM || op->kind == IR_MAXIMUM)
		return;
	constant_range(&p->g->tensors[tensor], &low, &high);
	n->low = fminf(n->low, low);
	n->high = fmaxf(n->high, high);
}

static void join_same(struct plan *p, uint32_t index)
{
	const struct ir_op *op = &p->g->ops[index];
	unsigned int precision = p->precision[index];
	uint32_t out = node_index(op->outputs[0], precision), values = 0;

	for (uint32_t i = 0; i < op->input_count; i++)
		values += is_value(p->g, op->inputs[i]);
	for (uint32_t i = 1; i < op->output_count; i++)
		join(p, out, node_index(op->outputs[i], precision), true);
	for (uint32_t i = 0; i < op->input_count; i++) {
		if (is_value(p->g, op->inputs[i]))
			join(p, out, node_index(op->inputs[i], precision), values == 1);
		else if (is_float(p->g, op->inputs[i]))
			include_constant(p, op, out, op->inputs[i]);
	}
}

void plan_assign(struct plan *p)
{
	const struct ir_graph *g = p->g;

	choose_precisions(p);
	make_nodes(p);
	for (uint32_t i = 0; i < g->op_count; i++) {
		const struct rule_info *rule = rule_of(g->ops[i].kind);
		struct plan_node *n;

		if (p->precision[i] < PREC_8 || rule->rule != RULE_FIXED)
			continue;
		n = &p->nodes[node_index(g->ops[i].outputs[0], p->precision[i])];
		n->fixed = true;
		n->scale = p->precision[i] == PREC_16 ? rule->scale16 : rule->scale8;
		n->zero_point = p->precision[i] == PREC_16 ? 0 : rule->zero8;
	}
	for (uint32_t i = 0; i < g->op_count; i++)
		if (p->precision[i] >= PREC_8 && rule_of(g->ops[i].kind)->rule == RULE_SAME)
			join_same(p, i);
	for (uint32_t i = 0; i < 2 * g->tensor_count; i++) {
		struct plan_node *n = &p->nodes[i];

		if (n->parent == i && !n->fixed)
			range_quant(n->low, n->high, i % 2 ? 16 : 8, &n->scale, &n->zero_point);
	}
}

void plan_quant(const struct plan *p, uint32_t tensor, unsigned int precision, float *scale,
		int32_t *zero_point)
{
	const struct ir_tensor *t = &p->g->tensors[tensor];
	const struct plan_node *n;
	float low, high;

	if (t->data) {
		constant_range(t, &low, &high);
		/* A single number is exact, whatever the other end. */
		range_quant(low, high, precision == PREC_16 ? 16 : 8, scale, zero_point);
		return;
	}
	n = &p->nodes[root_of(p, node_index(tensor, precision))];
	*scale = n->scale;
	*zero_point = n->zero_point;
}
