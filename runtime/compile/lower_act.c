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

int lower_abs(struct lower *l, const struct ir_op *op)
{
	const struct ir_tensor *in = lower_tensor(l, op->inputs[0]);
	const struct ir_tensor *out = lower_tensor(l, op->outputs[0]);
	struct ir_npu npu = lower_npu(IR_NPU_ELEMENTWISE, IR_ELT_ABS, out->type);

	if (in->type != out->type || !is_small(in->type))
		return lower_cpu(l, "the type is not int8, uint8 or int16");
	if (!quant_of(in) || !quant_of(out))
		return lower_cpu(l, "a tensor is not quantised");
	npu.round = IR_ROUND_TFL;
	if (in->quant.scale[0] != out->quant.scale[0] &&
	    !quant_scale((double)(in->quant.scale[0] / out->quant.scale[0]), 0, &npu.ofm_scale))
		return lower_cpu(l, "the scale is out of range");
	return lower_map(l, &npu, lower_nd(l, op->outputs[0]), lower_nd(l, op->inputs[0]), NULL);
}

/* x times a scale as int16, clamped. @b: times that, too; a number 1 for nothing. */
static int scaled(struct lower *l, struct nd a, struct nd b, double multiplier, int32_t low,
		  int32_t high, uint32_t *out)
{
	struct ir_npu npu = lower_npu(IR_NPU_ELEMENTWISE, IR_ELT_MUL, ELEM_INT16);

	*out = lower_temp(l, ELEM_INT16, a.n, a.shape);
	if (*out == IR_NONE)
		return lower_no_memory(l);
	npu.round = IR_ROUND_TFL;
	npu.act_min = low;
	npu.act_max = high;
	if (!quant_scale(multiplier, 0, &npu.ofm_scale))
		return lower_cpu(l, "the scale is out of range");
	return lower_map(l, &npu, lower_nd(l, *out), a, &b);
}

/* Two int16 tensors into the output: their sum, or the larger. */
static int combine(struct lower *l, unsigned int mode, uint32_t output, uint32_t a, uint32_t b)
{
	struct ir_npu npu = lower_npu(IR_NPU_ELEMENTWISE, mode, lower_tensor(l, output)->type);
	struct nd second = lower_nd(l, b);

	npu.round = IR_ROUND_NATURAL;
	return lower_map(l, &npu, lower_nd(l, output), lower_nd(l, a), &second);
}

int lower_leaky_relu(struct lower *l, const struct ir_op *op)
{
	const struct ir_tensor *in = lower_tensor(l, op->inputs[0]);
	const struct ir_tensor *out = lower_tensor(l, op->outputs[0]);
	struct ir_npu npu = lower_npu(IR_NPU_ELEMENTWISE, IR_ELT_LRELU, ELEM_INT16);
	struct nd one = lower_value(1, 0, ELEM_INT16);
	double slope, keep;
	uint32_t a, b;
	int rc;

	if (in->type != ELEM_INT16)
		return lower_table(l, op);
	if (out->type != ELEM_INT16 || !quant_of(in) || !quant_of(out) || quant_zero(in) ||
	    quant_zero(out))
		return lower_cpu(l, "a tensor is not quantised, or not about 0");
	keep = (double)(in->quant.scale[0] / out->quant.scale[0]);
	slope = (double)(in->quant.scale[0] * op->options->alpha / out->quant.scale[0]);
	if (!(slope >= 0))
		return lower_cpu(l, "a negative slope");
	npu.round = IR_ROUND_TFL;
	if (l->u85 || keep == 1.0) {
		/* U55 and U65 keep what is positive as it is. */
		if (!quant_scale(slope, 0, &npu.ifm2_scale) ||
		    (l->u85 && !quant_scale(keep, 0, &npu.ifm_scale)))
			return lower_cpu(l, "a scale is out of range");
		return lower_map(l, &npu, lower_nd(l, op->outputs[0]), lower_nd(l, op->inputs[0]),
				 NULL);
	}
	/* Both halves by themselves, the other 0. */
	rc = scaled(l, lower_nd(l, op->inputs[0]), one, keep, 0, INT16_MAX, &a);
	if (!rc)
		rc = scaled(l, lower_nd(l, op->inputs[0]), one, slope, INT16_MIN, 0, &b);
	return rc ? rc : combine(l, IR_ELT_ADD, op->outputs[0], a, b);
}

int lower_prelu(struct lower *l, const struct ir_op *op)
{
	const struct ir_tensor *in = lower_tensor(l, op->inputs[0]);
	const struct ir_tensor *slope = lower_tensor(l, op->inputs[1]);
	const struct ir_tensor *out = lower_tensor(l, op->outputs[0]);
	struct ir_npu npu = lower_npu(IR_NPU_ELEMENTWISE, IR_ELT_MIN, in->type);
	struct nd ifm = lower_nd(l, op->inputs[0]), stored = ifm, below, zero;
	struct nd one = lower_value(1, 0, in->type);
	double product, keep;
	uint32_t t, a, b;
	int rc;

	if (in->type != out->type || in->type != slope->type ||
	    (in->type != ELEM_INT8 && in->type != ELEM_UINT8))
		return lower_cpu(l, "the type is not int8 or uint8");
	if (!quant_of(in) || !quant_of(out) || !quant_of(slope))
		return lower_cpu(l, "a tensor is not quantised");
	keep = (double)(in->quant.scale[0] / out->quant.scale[0]);
	product = (double)(in->quant.scale[0] * slope->quant.scale[0] / out->quant.scale[0]);
	/* What is not positive, times the slope; what is, times 1; one of them is 0. */
	t = lower_temp(l, in->type, ifm.n, ifm.shape);
	if (t == IR_NONE)
		return lower_no_memory(l);
	zero = lower_value(ifm.zero_point, 0, ifm.type);
	stored.zero_point = 0;
	npu.round = IR_ROUND_NATURAL;
	below = lower_nd(l, t);
	rc = lower_map(l, &npu, below, stored, &zero);
	if (rc)
		return rc;
	below.zero_point = ifm.zero_point;
	rc = scaled(l, below, lower_nd(l, op->inputs[1]), product, INT16_MIN, INT16_MAX, &a);
	if (!rc)
		rc = scaled(l, ifm, one, keep, 0, INT16_MAX, &b);
	return rc ? rc : combine(l, IR_ELT_ADD, op->outputs[0], a, b);
}
