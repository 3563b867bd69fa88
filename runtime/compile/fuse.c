/* SPDX-License-Identifier: MIT */
/* PAD before a convolution without padding of its own: the NPU pads as it reads. */
#include "runtime/compile/passes.h"

#include <errno.h>
#include <stdlib.h>

#include "runtime/compile/lower.h"

#define PAD_MAX	127	/* of the registers for the padding above and to the left */

/* What @op puts round rows and columns. False: it is no such padding, or not of zero points. */
static bool zero_padding(const struct ir_graph *g, const struct ir_op *op, int32_t pads[8])
{
	struct lower l = { .g = (struct ir_graph *)g };
	const struct ir_tensor *in = &g->tensors[op->inputs[0]];
	const struct ir_tensor *out = &g->tensors[op->outputs[0]];
	uint32_t n;

	/* PADV2 names its value; converters use it for other values. */
	if (op->kind != IR_PAD || in->ndim != 4 || out->output >= 0 || !quant_same(in, out) ||
	    !lower_integers(&l, op->inputs[1], pads, 8, &n) || n != 8)
		return false;
	if (pads[0] || pads[1] || pads[6] || pads[7])
		return false;
	for (int i = 2; i < 6; i++)
		if (pads[i] < 0 || pads[i] > PAD_MAX)
			return false;
	return true;
}

/* A convolution that reads the padded tensor could pad for itself. */
static bool can_pad(const struct ir_graph *g, const struct ir_op *op, const int32_t pads[8])
{
	const struct ir_tensor *w;

	if (op->kind != IR_CONV_2D && op->kind != IR_DEPTHWISE_CONV_2D)
		return false;
	w = op->inputs[1] == IR_NONE ? NULL : &g->tensors[op->inputs[1]];
	if (!w || w->ndim != 4 || op->options->padding != IR_PADDING_VALID)
		return false;
	/* No window may lie in the padding altogether. */
	return pads[2] < (w->shape[1] - 1) * op->options->dilation_h + 1 &&
	       pads[3] < (w->shape[1] - 1) * op->options->dilation_h + 1 &&
	       pads[4] < (w->shape[2] - 1) * op->options->dilation_w + 1 &&
	       pads[5] < (w->shape[2] - 1) * op->options->dilation_w + 1 &&
	       !op->options->pad_top && !op->options->pad_left && !op->options->pad_bottom &&
	       !op->options->pad_right;
}

int pass_fuse(struct ir_graph *g, struct error *err)
{
	struct use *uses = passes_uses(g);
	int32_t pads[8];

	if (!uses)
		return error_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < g->op_count; i++) {
		struct ir_op *op = &g->ops[i];
		const struct ir_op *pad;

		if (op->kind == IR_NPU || !op->input_count || op->inputs[0] == IR_NONE ||
		    uses[op->inputs[0]].writer == IR_NONE)
			continue;
		pad = &g->ops[uses[op->inputs[0]].writer];
		if (!zero_padding(g, pad, pads) || !can_pad(g, op, pads))
			continue;
		op->inputs[0] = pad->inputs[0];
		op->options->pad_top = pads[2];
		op->options->pad_bottom = pads[3];
		op->options->pad_left = pads[4];
		op->options->pad_right = pads[5];
	}
	free(uses);
	return pass_sweep(g, err);
}
