/* SPDX-License-Identifier: MIT */
/*
 * FULLY_CONNECTED has one scale for all its weights in TFLite 2.14. Where outputs differ much in how large
 * their weights are it becomes a convolution of 1 x 1, which has a scale for each; the NPU makes no difference.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "runtime/ir/ir_copy.h"
#include "runtime/quantise/prepare.h"
#include "runtime/quantise/rules.h"

#define NAME_ROOM	300
#define UNLIKE		2.0	/* largest weight of all against the mean of each output's largest */

static bool is_unlike(const struct ir_graph *g, const struct ir_op *op, struct layer_shape *s)
{
	const float *w;
	double sum = 0, all = 0;

	if (op->kind != IR_FULLY_CONNECTED || !rule_layer(g, op, s) ||
	    g->tensors[op->inputs[0]].type != ELEM_FLOAT32 || g->tensors[op->inputs[0]].data)
		return false;
	w = g->tensors[op->inputs[1]].data;
	for (uint32_t o = 0; o < s->outputs; o++) {
		double max = 0;

		for (uint32_t k = 0; k < s->taps; k++)
			max = fmax(max, fabs((double)w[(size_t)o * s->taps + k]));
		sum += max;
		all = fmax(all, max);
	}
	return all > UNLIKE * sum / s->outputs;
}

static uint32_t put_reshape(struct ir_graph *g, const struct ir_op *from, uint32_t in, uint32_t out)
{
	const struct ir_tensor *t = &g->tensors[out];
	const int32_t count = (int32_t)t->ndim;
	int32_t shape[IR_MAX_DIMS];
	uint32_t inputs[2] = { in };
	char name[NAME_ROOM];
	struct ir_op *op;

	memcpy(shape, t->shape, sizeof(shape));
	snprintf(name, sizeof(name), "%.250s/shape", t->name);
	inputs[1] = ir_constant(g, name, ELEM_INT32, 1, &count, shape);
	op = inputs[1] == IR_NONE ? NULL : ir_op_new(g, IR_RESHAPE, inputs, 2, &out, 1, NULL);
	if (!op)
		return IR_NONE;
	op->origin = from->origin;
	return out;
}

static int put_conv(struct ir_graph *g, const struct ir_op *op, const struct layer_shape *s)
{
	const struct ir_tensor *w = &g->tensors[op->inputs[1]];
	int32_t rows = (int32_t)(ir_tensor_elements(&g->tensors[op->outputs[0]]) / s->outputs);
	const int32_t in[4] = { 1, rows, 1, (int32_t)s->taps }, out[4] = { 1, rows, 1, (int32_t)s->outputs };
	const int32_t kernel[4] = { (int32_t)s->outputs, 1, 1, (int32_t)s->taps };
	const struct ir_options options = { .padding = IR_PADDING_VALID, .stride_w = 1, .stride_h = 1,
					    .dilation_w = 1, .dilation_h = 1,
					    .activation = op->options->activation };
	uint32_t inputs[3] = { 0, 0, layer_bias(op, s) }, x, y;
	char name[NAME_ROOM];
	struct ir_op *conv;

	snprintf(name, sizeof(name), "%.250s/rows", g->tensors[op->outputs[0]].name);
	x = ir_tensor_new(g, name, ELEM_FLOAT32, 4, in);
	snprintf(name, sizeof(name), "%.250s/conv", g->tensors[op->outputs[0]].name);
	y = ir_tensor_new(g, name, ELEM_FLOAT32, 4, out);
	if (x == IR_NONE || y == IR_NONE)
		return -ENOMEM;
	/* The new tensors may have moved the others. */
	w = &g->tensors[op->inputs[1]];
	snprintf(name, sizeof(name), "%.250s/kernel", w->name);
	inputs[1] = ir_constant(g, name, ELEM_FLOAT32, 4, kernel, w->data);
	inputs[0] = put_reshape(g, op, op->inputs[0], x);
	if (inputs[0] == IR_NONE || inputs[1] == IR_NONE)
		return -ENOMEM;
	conv = ir_op_new(g, IR_CONV_2D, inputs, inputs[2] == IR_NONE ? 2 : 3, &y, 1, &options);
	if (!conv)
		return -ENOMEM;
	conv->origin = op->origin;
	/* As the model was trained, if it says so. */
	g->tensors[y].quant = g->tensors[op->outputs[0]].quant;
	return put_reshape(g, op, y, op->outputs[0]) == IR_NONE ? -ENOMEM : 0;
}

int dense_to_conv(const struct ir_graph *from, struct ir_graph **out, struct error *err)
{
	struct layer_shape s;
	bool change = false;
	int rc = 0;

	*out = NULL;
	for (uint32_t i = 0; i < from->op_count; i++)
		change |= is_unlike(from, &from->ops[i], &s);
	if (!change)
		return 0;
	*out = ir_copy_tensors(from);
	if (!*out)
		rc = -ENOMEM;
	for (uint32_t i = 0; i < from->op_count && !rc; i++) {
		if (is_unlike(from, &from->ops[i], &s))
			rc = put_conv(*out, &from->ops[i], &s);
		else
			rc = ir_copy_op(*out, &from->ops[i]) ? 0 : -ENOMEM;
	}
	if (!rc)
		return 0;
	ir_free(*out);
	*out = NULL;
	return error_set(err, rc, "out of memory");
}
