/* SPDX-License-Identifier: MIT */
/* What TFLite says with two operators and the graph with one. */
#include <errno.h>
#include <stdio.h>

#include "runtime/image/tflite_write.h"
#include "runtime/ir/ir_copy.h"

#define NAME_ROOM	300

static bool has_pads(const struct ir_op *op)
{
	const struct ir_options *o = op->options;

	return (op->kind == IR_CONV_2D || op->kind == IR_DEPTHWISE_CONV_2D) &&
	       (o->pad_top || o->pad_left || o->pad_bottom || o->pad_right);
}

/* The padded input of a convolution. */
static uint32_t put_pad(struct ir_graph *g, const struct ir_op *op)
{
	const struct ir_options *o = op->options;
	const struct ir_tensor *in = &g->tensors[op->inputs[0]];
	const int32_t pads[8] = { 0, 0, o->pad_top, o->pad_bottom, o->pad_left, o->pad_right, 0, 0 };
	const int32_t pads_shape[2] = { 4, 2 };
	const int32_t shape[4] = { in->shape[0], in->shape[1] + o->pad_top + o->pad_bottom,
				   in->shape[2] + o->pad_left + o->pad_right, in->shape[3] };
	uint32_t inputs[2] = { op->inputs[0] }, out;
	char name[NAME_ROOM];
	struct ir_op *pad;

	snprintf(name, sizeof(name), "%.250s/paddings", g->tensors[op->outputs[0]].name);
	inputs[1] = ir_constant(g, name, ELEM_INT32, 2, pads_shape, pads);
	snprintf(name, sizeof(name), "%.250s/padded", g->tensors[op->outputs[0]].name);
	out = ir_tensor_new(g, name, g->tensors[op->inputs[0]].type, 4, shape);
	if (inputs[1] == IR_NONE || out == IR_NONE)
		return IR_NONE;
	g->tensors[out].quant = g->tensors[op->inputs[0]].quant;
	pad = ir_op_new(g, IR_PAD, inputs, 2, &out, 1, NULL);
	if (!pad)
		return IR_NONE;
	pad->origin = op->origin;
	return out;
}

static int put_op(struct ir_graph *g, const struct ir_op *op)
{
	uint32_t padded = IR_NONE;
	struct ir_op *new;

	if (has_pads(op)) {
		padded = put_pad(g, op);
		if (padded == IR_NONE)
			return -ENOMEM;
	}
	new = ir_copy_op(g, op);
	if (!new)
		return -ENOMEM;
	if (padded == IR_NONE)
		return 0;
	new->inputs[0] = padded;
	new->options->pad_top = new->options->pad_left = 0;
	new->options->pad_bottom = new->options->pad_right = 0;
	return 0;
}

int tflite_legalise(const struct ir_graph *g, struct ir_graph **out, struct error *err)
{
	bool change = false;
	int rc = 0;

	*out = NULL;
	for (uint32_t i = 0; i < g->op_count; i++)
		change |= has_pads(&g->ops[i]);
	if (!change)
		return 0;
	*out = ir_copy_tensors(g);
	if (!*out)
		rc = -ENOMEM;
	for (uint32_t i = 0; i < g->op_count && !rc; i++)
		rc = put_op(*out, &g->ops[i]);
	if (!rc)
		return 0;
	ir_free(*out);
	*out = NULL;
	return error_set(err, rc, "out of memory");
}
