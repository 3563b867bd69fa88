/* SPDX-License-Identifier: MIT */
/* A graph forward and backward: what depends on a layer, memory for its gradients, one operation after the other. */
#include "runtime/train/backprop.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cpu/graph.h"
#include "runtime/float/blas.h"
#include "runtime/train/backward.h"

/**
 * struct backprop - a graph with its gradients
 * @layers: those that learn; @layer_of: of each operation, -1: none
 * @parameters: weights, then bias of each layer; @parameter_of: of each tensor, -1: none
 * @gradients: of tensors that depend on a layer, NULL of others
 * @room: of all gradients of tensors
 * @first: operation before which no layer is
 */
struct backprop {
	const struct ir_graph *g;
	struct cpu_graph *c;
	struct layer *layers;
	uint32_t layer_count;
	int32_t *layer_of, *parameter_of;
	struct parameter *parameters;
	size_t parameter_count;
	float **gradients;
	float *work;
	uint32_t first;
};

static const struct backward_kernel kernels[IR_KIND_COUNT] = {
	[IR_CONV_2D] = { NULL, backward_layer },
	[IR_FULLY_CONNECTED] = { NULL, backward_layer },
	[IR_DEPTHWISE_CONV_2D] = { NULL, backward_depthwise },
	[IR_AVERAGE_POOL_2D] = { NULL, backward_average_pool },
	[IR_MAX_POOL_2D] = { NULL, backward_max_pool },
	[IR_ADD] = { NULL, backward_add },
	[IR_SUB] = { NULL, backward_sub },
	[IR_MUL] = { NULL, backward_mul },
	[IR_RELU] = { NULL, backward_unary },
	[IR_RELU6] = { NULL, backward_unary },
	[IR_RELU_N1_TO_1] = { NULL, backward_unary },
	[IR_RELU_0_TO_1] = { NULL, backward_unary },
	[IR_HARD_SWISH] = { NULL, backward_unary },
	[IR_LOGISTIC] = { NULL, backward_unary },
	[IR_TANH] = { NULL, backward_unary },
	[IR_SOFTMAX] = { NULL, backward_softmax },
	[IR_RESHAPE] = { NULL, backward_copy },
	[IR_SQUEEZE] = { NULL, backward_copy },
	[IR_EXPAND_DIMS] = { NULL, backward_copy },
	[IR_MEAN] = { backward_mean_fits, backward_mean },
	[IR_PAD] = { backward_pad_fits, backward_pad },
	[IR_TRANSPOSE] = { backward_transpose_fits, backward_transpose },
};

/* ---- making ---- */

static const struct layer *layer_at(const struct backprop *b, uint32_t op)
{
	return b->layer_of[op] < 0 ? NULL : &b->layers[b->layer_of[op]];
}

static float *parameter_gradient(const struct backprop *b, uint32_t tensor)
{
	if (tensor == IR_NONE || b->parameter_of[tensor] < 0)
		return NULL;
	return b->parameters[b->parameter_of[tensor]].gradient;
}

static void describe(const struct backprop *b, uint32_t index, struct backward *w)
{
	const struct ir_graph *g = b->g;
	const struct ir_op *op = &g->ops[index];

	*w = (struct backward){ .g = g, .op = op, .layer = layer_at(b, index), .work = b->work };
	for (uint32_t i = 0; i < op->input_count && i < BACKWARD_INPUTS; i++) {
		uint32_t t = op->inputs[i];

		if (t == IR_NONE)
			continue;
		w->type_in[i] = &g->tensors[t];
		w->in[i] = cpu_graph_tensor(b->c, t);
		w->gin[i] = w->layer && i ? NULL : b->gradients[t];
	}
	w->type_out = &g->tensors[op->outputs[0]];
	w->out = cpu_graph_tensor(b->c, op->outputs[0]);
	w->gout = b->gradients[op->outputs[0]];
	if (!w->layer)
		return;
	w->gw = parameter_gradient(b, w->layer->weights);
	w->gb = parameter_gradient(b, w->layer->bias);
}

/* Another operand than the one that is a layer's weights depends on a layer. */
static bool depends(const struct backprop *b, uint32_t index)
{
	const struct ir_op *op = &b->g->ops[index];

	for (uint32_t i = 0; i < op->input_count; i++)
		if (op->inputs[i] != IR_NONE && b->gradients[op->inputs[i]])
			return true;
	return layer_at(b, index) != NULL;
}

static const char *name_of(const struct ir_graph *g, const struct ir_op *op)
{
	return op->output_count ? g->tensors[op->outputs[0]].name : "";
}

/* Return: 0: there is a gradient. */
static int check_op(const struct backprop *b, uint32_t index, struct error *err)
{
	const struct ir_op *op = &b->g->ops[index];
	const struct backward_kernel *k = &kernels[op->kind];
	struct backward w;

	if (op->output_count != 1 || !k->run)
		return error_set(err, -ENOTSUP, "%s: there is no gradient of %s", name_of(b->g, op),
				 ir_kind_info(op->kind)->name);
	describe(b, index, &w);
	/* Their weights would have to be constants, and theirs alone. */
	if ((k->run == backward_layer || k->run == backward_depthwise) && !w.layer)
		return error_set(err, -ENOTSUP, "%s: there is no gradient of this form of %s",
				 name_of(b->g, op), ir_kind_info(op->kind)->name);
	if (!w.type_in[0] || w.type_in[0]->type != ELEM_FLOAT32 || w.type_out->type != ELEM_FLOAT32 ||
	    (k->fits && !k->fits(&w)))
		return error_set(err, -ENOTSUP, "%s: there is no gradient of %s of these operands",
				 name_of(b->g, op), ir_kind_info(op->kind)->name);
	return 0;
}

static float *gradient_for(const struct ir_tensor *t)
{
	return calloc(ir_tensor_elements(t) + 1, sizeof(float));
}

static int make_gradients(struct backprop *b, struct error *err)
{
	const struct ir_graph *g = b->g;

	b->first = g->op_count;
	for (uint32_t i = 0; i < g->op_count; i++) {
		int rc;

		if (!depends(b, i))
			continue;
		rc = check_op(b, i, err);
		if (rc)
			return rc;
		if (b->first == g->op_count)
			b->first = i;
		b->gradients[g->ops[i].outputs[0]] = gradient_for(&g->tensors[g->ops[i].outputs[0]]);
		if (!b->gradients[g->ops[i].outputs[0]])
			return error_set(err, -ENOMEM, "out of memory");
	}
	return 0;
}

static int add_parameter(struct backprop *b, uint32_t tensor, struct error *err)
{
	struct parameter *p = &b->parameters[b->parameter_count];
	const struct ir_tensor *t = &b->g->tensors[tensor];

	*p = (struct parameter){ .tensor = tensor, .values = (float *)(uintptr_t)t->data,
				 .gradient = gradient_for(t), .count = ir_tensor_elements(t) };
	b->parameter_of[tensor] = (int32_t)b->parameter_count++;
	return p->gradient ? 0 : error_set(err, -ENOMEM, "out of memory");
}

static int make_parameters(struct backprop *b, struct error *err)
{
	size_t work = 0;
	int rc = 0;

	for (uint32_t i = 0; i < b->layer_count && !rc; i++) {
		const struct layer *l = &b->layers[i];

		b->layer_of[l->op] = (int32_t)i;
		work = backward_work(l) > work ? backward_work(l) : work;
		rc = add_parameter(b, l->weights, err);
		if (!rc && l->bias != IR_NONE)
			rc = add_parameter(b, l->bias, err);
	}
	b->work = malloc((work + 1) * sizeof(*b->work));
	if (!rc && !b->work)
		rc = error_set(err, -ENOMEM, "out of memory");
	return rc;
}

static int make(struct backprop *b, struct error *err)
{
	const struct ir_graph *g = b->g;
	int rc = blas_load(err);

	if (rc)
		return rc;
	if (layers_find(g, &b->layers, &b->layer_count))
		return error_set(err, -ENOMEM, "out of memory");
	if (!b->layer_count)
		return error_set(err, -EINVAL, "%s: no layers with weights of float32 that can be learned",
				 g->name);
	b->layer_of = malloc((g->op_count + 1) * sizeof(*b->layer_of));
	b->parameter_of = malloc((g->tensor_count + 1) * sizeof(*b->parameter_of));
	b->parameters = calloc(2 * (size_t)b->layer_count, sizeof(*b->parameters));
	b->gradients = calloc((size_t)g->tensor_count + 1, sizeof(*b->gradients));
	if (!b->layer_of || !b->parameter_of || !b->parameters || !b->gradients)
		return error_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < g->op_count; i++)
		b->layer_of[i] = -1;
	for (uint32_t i = 0; i < g->tensor_count; i++)
		b->parameter_of[i] = -1;
	rc = make_parameters(b, err);
	if (!rc)
		rc = cpu_graph_create_kept(g, &b->c, err);
	if (rc)
		b->c = NULL;
	return rc ? rc : make_gradients(b, err);
}

int backprop_create(const struct ir_graph *g, struct backprop **out, struct error *err)
{
	struct backprop *b = calloc(1, sizeof(*b));
	int rc;

	if (!b)
		return error_set(err, -ENOMEM, "out of memory");
	b->g = g;
	rc = make(b, err);
	if (rc)
		backprop_free(b);
	else
		*out = b;
	return rc;
}

void backprop_free(struct backprop *b)
{
	if (!b)
		return;
	for (uint32_t i = 0; b->gradients && i < b->g->tensor_count; i++)
		free(b->gradients[i]);
	for (size_t i = 0; i < b->parameter_count; i++)
		free(b->parameters[i].gradient);
	cpu_graph_free(b->c);
	free(b->gradients);
	free(b->parameters);
	free(b->parameter_of);
	free(b->layer_of);
	free(b->layers);
	free(b->work);
	free(b);
}

/* ---- running ---- */

const struct parameter *backprop_parameters(const struct backprop *b, size_t *count)
{
	*count = b->parameter_count;
	return b->parameters;
}

int backprop_forward(struct backprop *b, struct error *err)
{
	for (uint32_t i = 0; i < b->g->tensor_count; i++)
		if (b->gradients[i])
			memset(b->gradients[i], 0, ir_tensor_bytes(&b->g->tensors[i]));
	cpu_graph_reset(b->c);
	return cpu_graph_run(b->c, err);
}

float *backprop_values(const struct backprop *b, uint32_t tensor)
{
	return cpu_graph_tensor(b->c, tensor);
}

float *backprop_gradient(const struct backprop *b, uint32_t tensor)
{
	return b->gradients[tensor];
}

/* What a fused activation has cut off has no part in it. */
static void pass_activation(const struct backward *w)
{
	static const float ranges[][2] = {
		[IR_ACT_RELU] = { 0, INFINITY },
		[IR_ACT_RELU_N1_TO_1] = { -1, 1 },
		[IR_ACT_RELU6] = { 0, 6 },
		[IR_ACT_RELU_0_TO_1] = { 0, 1 },
	};
	int32_t act = w->op->options ? w->op->options->activation : IR_ACT_NONE;
	size_t n = ir_tensor_elements(w->type_out);
	float low, high;

	if (act <= IR_ACT_NONE || (size_t)act >= sizeof(ranges) / sizeof(*ranges))
		return;
	low = ranges[act][0];
	high = ranges[act][1];
	for (size_t i = 0; i < n; i++)
		w->gout[i] = w->out[i] > low && w->out[i] < high ? w->gout[i] : 0;
}

void backprop_run(struct backprop *b)
{
	for (uint32_t i = b->g->op_count; i-- > b->first;) {
		struct backward w;

		if (!b->gradients[b->g->ops[i].outputs[0]])
			continue;
		describe(b, i, &w);
		pass_activation(&w);
		kernels[b->g->ops[i].kind].run(&w);
	}
}

void backprop_clear(struct backprop *b)
{
	for (size_t i = 0; i < b->parameter_count; i++)
		memset(b->parameters[i].gradient, 0, b->parameters[i].count * sizeof(float));
}
