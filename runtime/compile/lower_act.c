/* SPDX-License-Identifier: MIT */
/* Lowering: clamps and changes of quantisation: a 1x1 pool with a scale. */
#include "runtime/compile/lower.h"

static bool is_small(int type)
{
	return type == ELEM_INT8 || type == ELEM_UINT8 || type == ELEM_INT16;
}

/* A tensor scaled to another quantisation and clamped. */
static int rescale(struct lower *l, uint32_t from, uint32_t to, int activation, double multiplier)
{
	const struct ir_tensor *in = lower_tensor(l, from), *out = lower_tensor(l, to);
	struct ir_npu npu = lower_copy_npu(l, out->type);

	if (!is_small(in->type) || !is_small(out->type))
		return lower_cpu(l, "the type is not int8, uint8 or int16");
	if (elem_size(in->type) != elem_size(out->type) && !l->u85)
		return lower_cpu(l, "input and output are of different width");
	if (!quant_of(in) || !quant_of(out))
		return lower_cpu(l, "a tensor is not quantised");
	if (!lower_activation(out, activation, &npu.act_min, &npu.act_max))
		return lower_cpu(l, "unknown activation");
	npu.round = IR_ROUND_TFL;
	if (!quant_scale(multiplier, 0, &npu.ofm_scale))
		return lower_cpu(l, "the scale is out of range");
	return lower_map(l, &npu, lower_nd(l, to), lower_nd(l, from), NULL);
}

int lower_relu(struct lower *l, const struct ir_op *op)
{
	int activation = op->kind == IR_RELU ? IR_ACT_RELU :
			 op->kind == IR_RELU6 ? IR_ACT_RELU6 :
			 op->kind == IR_RELU_0_TO_1 ? IR_ACT_RELU_0_TO_1 : IR_ACT_RELU_N1_TO_1;

	const struct ir_tensor *in = lower_tensor(l, op->inputs[0]);
	const struct ir_tensor *out = lower_tensor(l, op->outputs[0]);

	if (!quant_of(in) || !quant_of(out))
		return lower_cpu(l, "a tensor is not quantised");
	/* Divided as float, as TFLite does here. */
	return rescale(l, op->inputs[0], op->outputs[0], activation,
		       (double)(in->quant.scale[0] / out->quant.scale[0]));
}

int lower_quantize(struct lower *l, const struct ir_op *op)
{
	double in = quant_of(lower_tensor(l, op->inputs[0]));
	double out = quant_of(lower_tensor(l, op->outputs[0]));

	return rescale(l, op->inputs[0], op->outputs[0], IR_ACT_NONE, out ? in / out : 0);
}
