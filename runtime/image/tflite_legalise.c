/* SPDX-License-Identifier: MIT */
/* What TFLite says with two operators and the graph with one. */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "runtime/image/tflite_write.h"
#include "runtime/ir/ir_copy.h"

#define NAME_ROOM	300

static bool is_conv(const struct ir_op *op)
{
	return op->kind == IR_CONV_2D || op->kind == IR_DEPTHWISE_CONV_2D;
}

static bool has_pads(const struct ir_op *op)
{
	const struct ir_options *o = op->options;

	return (is_conv(op) || op->kind == IR_MAX_POOL_2D || op->kind == IR_AVERAGE_POOL_2D) &&
	       (o->pad_top || o->pad_left || o->pad_bottom || o->pad_right);
}

/* Does TFLite's SAME put the same padding on an axis? */
static bool axis_is_same(int32_t in, int32_t out, int32_t reach, int32_t stride, int32_t before,
			 int32_t after)
{
	int32_t need = (out - 1) * stride + reach - in;

	if (stride < 1 || out != (in + stride - 1) / stride)
		return false;
	need = need > 0 ? need : 0;
	/* Behind, padding that no window reaches does not matter. */
	return before == need / 2 && after >= need - need / 2;
}

static bool is_same(const struct ir_graph *g, const struct ir_op *op)
{
	const struct ir_tensor *in = &g->tensors[op->inputs[0]], *out = &g->tensors[op->outputs[0]];
	const struct ir_options *o = op->options;
	int32_t reach_h = o->filter_h, reach_w = o->filter_w;

	if (is_conv(op)) {
		const struct ir_tensor *w = &g->tensors[op->inputs[1]];

		reach_h = (w->shape[1] - 1) * o->dilation_h + 1;
		reach_w = (w->shape[2] - 1) * o->dilation_w + 1;
	}
	return axis_is_same(in->shape[1], out->shape[1], reach_h, o->stride_h, o->pad_top,
			    o->pad_bottom) &&
	       axis_is_same(in->shape[2], out->shape[2], reach_w, o->stride_w, o->pad_left,
			    o->pad_right);
}

/* What counts for nothing in a maximum, of the input's type and quantisation. IR_NONE: no memory. */
static uint32_t put_lowest(struct ir_graph *g, const struct ir_op *op)
{
	const struct ir_tensor *in = &g->tensors[op->inputs[0]];
	struct ir_quant quant = in->quant;
	const float low32 = -INFINITY;
	const int16_t low16 = INT16_MIN;
	const int8_t low8 = INT8_MIN;
	const uint8_t low0 = 0;
	const void *low = in->type == ELEM_FLOAT32 ? (const void *)&low32 : in->type == ELEM_INT16 ?
			  (const void *)&low16 : in->type == ELEM_INT8 ? (const void *)&low8 : &low0;
	const int32_t one = 1;
	char name[NAME_ROOM];
	uint32_t index;

	snprintf(name, sizeof(name), "%.250s/lowest", g->tensors[op->outputs[0]].name);
	index = ir_constant(g, name, in->type, 1, &one, low);
	if (index != IR_NONE)
		g->tensors[index].quant = quant;
	return index;
}

/* The padded input of a convolution or a maximum. */
static uint32_t put_pad(struct ir_graph *g, const struct ir_op *op)
{
	const struct ir_options *o = op->options;
	const struct ir_tensor *in = &g->tensors[op->inputs[0]];
	const int32_t pads[8] = { 0, 0, o->pad_top, o->pad_bottom, o->pad_left, o->pad_right, 0, 0 };
	const int32_t pads_shape[2] = { 4, 2 };
	const int32_t shape[4] = { in->shape[0], in->shape[1] + o->pad_top + o->pad_bottom,
				   in->shape[2] + o->pad_left + o->pad_right, in->shape[3] };
	uint32_t inputs[3] = { op->inputs[0] }, out;
	bool pool = !is_conv(op);
	char name[NAME_ROOM];
	struct ir_op *pad;

	snprintf(name, sizeof(name), "%.250s/paddings", g->tensors[op->outputs[0]].name);
	inputs[1] = ir_constant(g, name, ELEM_INT32, 2, pads_shape, pads);
	snprintf(name, sizeof(name), "%.250s/padded", g->tensors[op->outputs[0]].name);
	out = ir_tensor_new(g, name, g->tensors[op->inputs[0]].type, 4, shape);
	inputs[2] = pool ? put_lowest(g, op) : IR_NONE;
	if (inputs[1] == IR_NONE || out == IR_NONE || (pool && inputs[2] == IR_NONE))
		return IR_NONE;
	g->tensors[out].quant = g->tensors[op->inputs[0]].quant;
	pad = ir_op_new(g, pool ? IR_PADV2 : IR_PAD, inputs, pool ? 3 : 2, &out, 1, NULL);
	if (!pad)
		return IR_NONE;
	pad->origin = op->origin;
	return out;
}

static int put_op(struct ir_graph *g, const struct ir_op *op)
{
	bool pads = has_pads(op), same = pads && is_same(g, op);
	uint32_t padded = op->inputs && op->input_count ? op->inputs[0] : IR_NONE;
	struct ir_op *new;

	/* An average that leaves the padding out cannot be said otherwise. */
	if (pads && !same && op->kind == IR_AVERAGE_POOL_2D)
		return -ENOTSUP;
	if (pads && !same) {
		padded = put_pad(g, op);
		if (padded == IR_NONE)
			return -ENOMEM;
	}
	new = ir_copy_op(g, op);
	if (!new)
		return -ENOMEM;
	if (!pads)
		return 0;
	new->inputs[0] = padded;
	new->options->padding = same ? IR_PADDING_SAME : IR_PADDING_VALID;
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
	for (uint32_t i = 0; i < g->op_count && !rc; i++) {
		rc = put_op(*out, &g->ops[i]);
		if (rc == -ENOTSUP)
			error_set(err, rc, "%s: TFLite has no average with padding on these sides",
				  g->ops[i].origin < g->origin_count ? g->origins[g->ops[i].origin] :
				  g->tensors[g->ops[i].outputs[0]].name);
	}
	if (!rc)
		return 0;
	ir_free(*out);
	*out = NULL;
	return rc == -ENOTSUP ? rc : error_set(err, rc, "out of memory");
}
