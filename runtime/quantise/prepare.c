/* SPDX-License-Identifier: MIT */
/* What makes a float graph easier to quantise, and changes nothing that it computes but rounding. */
#include "runtime/quantise/prepare.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/compile/passes.h"
#include "runtime/ir/ir_copy.h"
#include "runtime/quantise/rules.h"

#define NAME_ROOM	300

static const float *constant(const struct ir_graph *g, uint32_t tensor)
{
	const struct ir_tensor *t = tensor == IR_NONE ? NULL : &g->tensors[tensor];

	return t && t->type == ELEM_FLOAT32 ? t->data : NULL;
}

/* A constant of one element, or of the same one throughout. */
static bool number(const struct ir_graph *g, uint32_t tensor, float *out)
{
	const float *v = constant(g, tensor);

	if (!v)
		return false;
	for (size_t i = 1; i < ir_tensor_elements(&g->tensors[tensor]); i++)
		if (v[i] != v[0])
			return false;
	*out = v[0];
	return true;
}

static int check_constants(const struct ir_graph *g, struct error *err)
{
	for (uint32_t i = 0; i < g->op_count; i++) {
		const struct ir_op *op = &g->ops[i];

		for (uint32_t k = 0; k < op->input_count; k++) {
			const float *v = constant(g, op->inputs[k]);
			const struct ir_tensor *t = v ? &g->tensors[op->inputs[k]] : NULL;
			float bad = 0;

			for (size_t e = 0; v && e < ir_tensor_elements(t); e++)
				bad += v[e] * 0.0f;
			/* Bounds may be infinite, weights may not. */
			if (bad == 0 || op->kind == IR_MINIMUM || op->kind == IR_MAXIMUM)
				continue;
			return error_set(err, -EINVAL, "%s: constant %s has a value that is not finite",
					 op->origin < g->origin_count ? g->origins[op->origin] :
					 ir_kind_info(op->kind)->name, t->name);
		}
	}
	return 0;
}

static void replace(struct ir_graph *g, uint32_t from, uint32_t to)
{
	for (uint32_t i = 0; i < g->op_count; i++)
		for (uint32_t k = 0; k < g->ops[i].input_count; k++)
			if (g->ops[i].inputs[k] == from)
				g->ops[i].inputs[k] = to;
}

/*
 * QUANTIZE and DEQUANTIZE, as training for integers leaves them behind: they go, and the float tensor says
 * by a quantisation of its own how it is to be quantised.
 */
static int take_given(struct ir_graph *g, struct error *err)
{
	struct use *uses = passes_uses(g);
	int rc = uses ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < g->op_count && !rc; i++) {
		struct ir_op *back = &g->ops[i], *there;
		const struct ir_tensor *t;
		uint32_t x, y;
		int32_t zero;
		float scale;

		if (back->kind != IR_DEQUANTIZE || uses[back->inputs[0]].writer == IR_NONE)
			continue;
		there = &g->ops[uses[back->inputs[0]].writer];
		t = &g->tensors[back->inputs[0]];
		x = there->inputs[0];
		y = back->outputs[0];
		if (there->kind != IR_QUANTIZE || g->tensors[x].type != ELEM_FLOAT32 || t->output >= 0 ||
		    g->tensors[y].type != ELEM_FLOAT32 || t->quant.count != 1 ||
		    (t->type != ELEM_INT8 && t->type != ELEM_UINT8))
			continue;
		scale = t->quant.scale[0];
		zero = t->quant.zero_point[0] - (t->type == ELEM_UINT8 ? 128 : 0);
		if (g->tensors[y].output >= 0) {
			/* The graph's output keeps its name: whoever makes x makes it. */
			if (uses[x].writer == IR_NONE || g->tensors[x].output >= 0)
				continue;
			for (uint32_t k = 0; k < g->ops[uses[x].writer].output_count; k++)
				if (g->ops[uses[x].writer].outputs[k] == x)
					g->ops[uses[x].writer].outputs[k] = y;
			there->kind = back->kind = IR_KIND_COUNT;
			replace(g, x, y);
			rc = ir_set_quant(g, y, 1, 0, &scale, &zero);
			uses[y].writer = uses[x].writer;
		} else {
			replace(g, y, x);
			rc = ir_set_quant(g, x, 1, 0, &scale, &zero);
		}
	}
	free(uses);
	passes_compact(g);
	return rc ? error_set(err, rc, "out of memory") : pass_sweep(g, err);
}

/* The operation becomes one of one input. */
static void become(struct ir_op *op, unsigned int kind, uint32_t input)
{
	op->kind = (uint16_t)kind;
	op->inputs[0] = input;
	op->input_count = 1;
}

/* MAXIMUM(x, 0): RELU. MINIMUM(RELU(x), 6): RELU6. */
static void find_clamps(struct ir_graph *g, const struct use *uses)
{
	static const struct {
		float low, high;
		unsigned int kind;
	} clamps[] = {
		{ 0, 6, IR_RELU6 }, { -1, 1, IR_RELU_N1_TO_1 }, { 0, 1, IR_RELU_0_TO_1 },
	};

	for (uint32_t i = 0; i < g->op_count; i++) {
		struct ir_op *op = &g->ops[i], *before;
		float bound, other;
		uint32_t x;

		if (op->kind != IR_MAXIMUM && op->kind != IR_MINIMUM)
			continue;
		x = op->inputs[number(g, op->inputs[0], &bound)];
		if (constant(g, x) || !number(g, op->inputs[x == op->inputs[0]], &bound) ||
		    g->tensors[x].ndim != g->tensors[op->outputs[0]].ndim)
			continue;
		before = uses[x].writer == IR_NONE ? NULL : &g->ops[uses[x].writer];
		if (bound == 0 && op->kind == IR_MAXIMUM) {
			become(op, IR_RELU, x);
			continue;
		}
		if (!before || uses[x].readers != 1)
			continue;
		if (before->kind == IR_RELU && op->kind == IR_MINIMUM)
			other = 0;
		else if (before->kind != IR_MAXIMUM + IR_MINIMUM - op->kind ||
			 !number(g, before->inputs[1], &other))
			continue;
		for (size_t c = 0; c < sizeof(clamps) / sizeof(clamps[0]); c++) {
			bool upper = op->kind == IR_MINIMUM;

			if (clamps[c].low != (upper ? other : bound) ||
			    clamps[c].high != (upper ? bound : other))
				continue;
			become(op, clamps[c].kind, before->inputs[0]);
			before->kind = IR_KIND_COUNT;
			break;
		}
	}
	passes_compact(g);
}

static bool takes_activation(unsigned int kind)
{
	switch (kind) {
	case IR_ADD:
	case IR_SUB:
	case IR_MUL:
	case IR_CONV_2D:
	case IR_DEPTHWISE_CONV_2D:
	case IR_FULLY_CONNECTED:
	case IR_AVERAGE_POOL_2D:
	case IR_MAX_POOL_2D:
		return true;
	default:
		return false;
	}
}

/* A clamp goes into the only operation that it follows. */
static int fuse_clamps(struct ir_graph *g, struct error *err)
{
	static const int activations[IR_KIND_COUNT] = {
		[IR_RELU] = IR_ACT_RELU, [IR_RELU6] = IR_ACT_RELU6,
		[IR_RELU_N1_TO_1] = IR_ACT_RELU_N1_TO_1,
	};
	struct use *uses = passes_uses(g);

	if (!uses)
		return error_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < g->op_count; i++) {
		struct ir_op *op = &g->ops[i], *before;
		uint32_t x;

		if (!activations[op->kind])
			continue;
		x = op->inputs[0];
		before = uses[x].writer == IR_NONE ? NULL : &g->ops[uses[x].writer];
		if (!before || uses[x].readers != 1 || !takes_activation(before->kind) ||
		    before->options->activation || g->tensors[x].type != ELEM_FLOAT32)
			continue;
		before->options->activation = activations[op->kind];
		before->outputs[0] = op->outputs[0];
		uses[op->outputs[0]].writer = uses[x].writer;
		op->kind = IR_KIND_COUNT;
	}
	free(uses);
	passes_compact(g);
	return 0;
}

/* Per output of a layer: a constant of one element, or of the output's last axis. */
static bool per_output(const struct ir_graph *g, uint32_t tensor, uint32_t outputs, float *values)
{
	const float *v = constant(g, tensor);
	const struct ir_tensor *t = v ? &g->tensors[tensor] : NULL;
	size_t n = v ? ir_tensor_elements(t) : 0;

	if (n != 1 && (n != outputs || !t->ndim || (uint32_t)t->shape[t->ndim - 1] != outputs))
		return false;
	for (uint32_t o = 0; o < outputs; o++)
		values[o] = v[n == 1 ? 0 : o];
	return true;
}

/* New weights and bias of a layer: each output times @factor, plus @shift. */
static int scale_layer(struct ir_graph *g, uint32_t index, const struct layer_shape *s,
		       const float *factor, const float *shift)
{
	struct ir_op *op = &g->ops[index];
	const struct ir_tensor *t = &g->tensors[op->inputs[s->weights]];
	uint32_t old = layer_bias(op, s), *inputs, made;
	const float *bias = constant(g, old), *from = t->data;
	int32_t shape = (int32_t)s->outputs;
	float *w = ir_alloc(g, t->size), *b = ir_alloc(g, s->outputs * sizeof(*b));
	char name[NAME_ROOM];

	if (!w || !b)
		return -ENOMEM;
	for (uint32_t o = 0; o < s->outputs; o++) {
		b[o] = (bias ? bias[o] : 0) * factor[o] + shift[o];
		for (uint32_t k = 0; k < s->taps; k++) {
			size_t at = o * s->outer + k * s->stride;

			w[at] = from[at] * factor[o];
		}
	}
	snprintf(name, sizeof(name), "%.250s/folded", t->name);
	made = ir_tensor_new(g, name, ELEM_FLOAT32, t->ndim, t->shape);
	if (made == IR_NONE)
		return -ENOMEM;
	g->tensors[made].data = w;
	g->tensors[made].size = g->tensors[op->inputs[s->weights]].size;
	op->inputs[s->weights] = made;
	snprintf(name, sizeof(name), "%.250s/bias", g->tensors[op->outputs[0]].name);
	made = ir_constant(g, name, ELEM_FLOAT32, 1, &shape, b);
	if (made == IR_NONE)
		return -ENOMEM;
	if (op->input_count <= s->bias) {
		inputs = ir_alloc(g, (s->bias + 1) * sizeof(*inputs));
		if (!inputs)
			return -ENOMEM;
		memcpy(inputs, op->inputs, op->input_count * sizeof(*inputs));
		op->inputs = inputs;
		op->input_count = (uint16_t)(s->bias + 1);
	}
	op->inputs[s->bias] = made;
	return 0;
}

/* MUL, ADD and SUB with constants go into the layer before them. */
static int fold_scales(struct ir_graph *g, struct error *err)
{
	struct use *uses = passes_uses(g);
	int rc = uses ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < g->op_count && !rc; i++) {
		struct ir_op *op = &g->ops[i];
		struct layer_shape s;
		float *values;
		uint32_t x, c;

		if (op->kind != IR_MUL && op->kind != IR_ADD && op->kind != IR_SUB)
			continue;
		c = op->kind != IR_SUB && constant(g, op->inputs[0]) ? 0 : 1;
		x = op->inputs[1 - c];
		/* Tensors that this makes have no entry; they are constants. */
		if (constant(g, x) || uses[x].readers != 1 || uses[x].writer == IR_NONE ||
		    !rule_layer(g, &g->ops[uses[x].writer], &s) ||
		    g->ops[uses[x].writer].options->activation ||
		    g->tensors[x].ndim != g->tensors[op->outputs[0]].ndim)
			continue;
		values = calloc(2 * (size_t)s.outputs, sizeof(*values));
		if (!values) {
			rc = -ENOMEM;
			break;
		}
		if (per_output(g, op->inputs[c], s.outputs, values)) {
			float *other = values + s.outputs;
			bool mul = op->kind == IR_MUL;

			for (uint32_t o = 0; o < s.outputs; o++) {
				other[o] = mul ? 0 : 1;
				if (op->kind == IR_SUB)
					values[o] = -values[o];
			}
			rc = scale_layer(g, uses[x].writer, &s, mul ? values : other,
					 mul ? other : values);
			g->ops[uses[x].writer].outputs[0] = op->outputs[0];
			g->ops[uses[x].writer].options->activation = op->options->activation;
			uses[op->outputs[0]].writer = uses[x].writer;
			op->kind = IR_KIND_COUNT;
		}
		free(values);
	}
	free(uses);
	passes_compact(g);
	return rc ? error_set(err, rc, "out of memory") : 0;
}

/* x * x for SQUARE, x * -1 for NEG: kernels of integers have products only. */
static int find_products(struct ir_graph *g, struct error *err)
{
	static const struct ir_options none;
	const float minus = -1;

	for (uint32_t i = 0; i < g->op_count; i++) {
		struct ir_op *op = &g->ops[i];
		uint32_t *inputs;

		if ((op->kind != IR_SQUARE && op->kind != IR_NEG) ||
		    g->tensors[op->inputs[0]].type != ELEM_FLOAT32)
			continue;
		inputs = ir_alloc(g, 2 * sizeof(*inputs));
		op->options = ir_alloc(g, sizeof(*op->options));
		if (!inputs || !op->options)
			return error_set(err, -ENOMEM, "out of memory");
		*op->options = none;
		inputs[0] = op->inputs[0];
		inputs[1] = op->kind == IR_SQUARE ? op->inputs[0] :
			    ir_constant(g, "minus one", ELEM_FLOAT32, 0, NULL, &minus);
		if (inputs[1] == IR_NONE)
			return error_set(err, -ENOMEM, "out of memory");
		op->kind = IR_MUL;
		op->inputs = inputs;
		op->input_count = 2;
	}
	return 0;
}

/* BATCH_MATMUL with a constant matrix: FULLY_CONNECTED, whose weights are its transpose. */
static int find_layers(struct ir_graph *g, struct error *err)
{
	for (uint32_t i = 0; i < g->op_count; i++) {
		struct ir_op *op = &g->ops[i];
		const struct ir_tensor *t;
		const float *v;
		int32_t k, n, shape[2];
		uint32_t made;
		float *w;
		char name[NAME_ROOM];

		if (op->kind != IR_BATCH_MATMUL || op->options->adj_x)
			continue;
		v = constant(g, op->inputs[1]);
		t = &g->tensors[op->inputs[1]];
		if (!v || t->ndim < 2 || constant(g, op->inputs[0]) ||
		    ir_tensor_elements(t) != (size_t)t->shape[t->ndim - 1] * (size_t)t->shape[t->ndim - 2] ||
		    t->ndim > g->tensors[op->inputs[0]].ndim)
			continue;
		k = t->shape[t->ndim - 2 + (op->options->adj_y != 0)];
		n = t->shape[t->ndim - 1 - (op->options->adj_y != 0)];
		w = ir_alloc(g, t->size);
		if (!w)
			return error_set(err, -ENOMEM, "out of memory");
		for (int32_t o = 0; o < n; o++)
			for (int32_t c = 0; c < k; c++)
				w[(size_t)o * (size_t)k + (size_t)c] =
					op->options->adj_y ? v[(size_t)o * (size_t)k + (size_t)c] :
							     v[(size_t)c * (size_t)n + (size_t)o];
		shape[0] = n;
		shape[1] = k;
		snprintf(name, sizeof(name), "%.250s/weights", t->name);
		made = ir_constant(g, name, ELEM_FLOAT32, 2, shape, w);
		if (made == IR_NONE)
			return error_set(err, -ENOMEM, "out of memory");
		op->kind = IR_FULLY_CONNECTED;
		op->inputs[1] = made;
		memset(op->options, 0, sizeof(*op->options));
		op->options->keep_dims = 1;
	}
	return 0;
}

int prepare(const struct ir_graph *from, struct ir_graph **out, struct error *err)
{
	struct ir_graph *g;
	struct use *uses = NULL;
	int rc;

	for (uint32_t i = 0; i < from->op_count; i++)
		if (from->ops[i].kind == IR_NPU || from->ops[i].kind == IR_OTHER)
			return error_set(err, -ENOTSUP, "%s: not an operation that can be quantised",
					 from->ops[i].origin < from->origin_count ?
					 from->origins[from->ops[i].origin] : from->name);
	rc = check_constants(from, err);
	if (rc)
		return rc;
	g = ir_copy(from);
	if (!g)
		return error_set(err, -ENOMEM, "out of memory");
	rc = pass_fold(g, err);
	if (!rc)
		rc = take_given(g, err);
	if (!rc) {
		uses = passes_uses(g);
		if (!uses)
			rc = error_set(err, -ENOMEM, "out of memory");
		else
			find_clamps(g, uses);
		free(uses);
	}
	if (!rc)
		rc = find_products(g, err);
	if (!rc)
		rc = find_layers(g, err);
	if (!rc)
		rc = fold_scales(g, err);
	if (!rc)
		rc = fuse_clamps(g, err);
	if (!rc)
		rc = pass_sweep(g, err);
	if (!rc)
		rc = check_constants(g, err);
	if (!rc)
		rc = ir_verify(g, err);
	if (rc)
		ir_free(g);
	else
		*out = g;
	return rc;
}
