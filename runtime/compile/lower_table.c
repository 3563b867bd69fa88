/* SPDX-License-Identifier: MIT */
/* Lowering: functions of one variable, looked up in tables. */
#include "runtime/compile/lower.h"

#include <string.h>

#include "runtime/cpu/unary.h"
#include "sim/ref_arith.h"

static struct unary_quant unary_quant_of(const struct ir_tensor *t)
{
	return (struct unary_quant){ t->quant.count ? t->quant.scale[0] : 0, quant_zero(t) };
}

uint32_t lower_points(struct lower *l, const int16_t points[513])
{
	int32_t shape = 512, words[512];

	for (int i = 0; i < 512; i++)
		words[i] = (int32_t)((uint32_t)(points[i + 1] - points[i]) << 16 |
				     (uint16_t)points[i]);
	return lower_constant(l, ELEM_INT32, 1, &shape, words);
}

static int map_table(struct lower *l, const struct ir_op *op, struct ir_npu *npu)
{
	struct nd ifm = lower_nd(l, op->inputs[0]), ofm = lower_nd(l, op->outputs[0]);

	if (npu->lut_data == IR_NONE)
		return lower_no_memory(l);
	/* The table is indexed by what is stored. */
	ifm.zero_point = ofm.zero_point = 0;
	npu->round = IR_ROUND_NATURAL;
	return lower_map(l, npu, ofm, ifm, NULL);
}

static int table16(struct lower *l, const struct ir_op *op)
{
	const struct ir_tensor *in = lower_tensor(l, op->inputs[0]);
	const struct ir_tensor *out = lower_tensor(l, op->outputs[0]);
	struct ir_npu npu = lower_copy_npu(l, ELEM_INT16);
	int16_t points[513];
	const char *why = unary_table16(op->kind, unary_quant_of(in), unary_quant_of(out), points);

	if (why)
		return lower_cpu(l, why);
	npu.lut = IR_LUT_16_16;
	npu.lut_data = lower_points(l, points);
	return map_table(l, op, &npu);
}

int lower_table(struct lower *l, const struct ir_op *op)
{
	const struct ir_tensor *in = lower_tensor(l, op->inputs[0]);
	const struct ir_tensor *out = lower_tensor(l, op->outputs[0]);
	struct ir_npu npu = lower_copy_npu(l, out->type);
	int32_t shape = 256;
	uint8_t table[256];
	const char *why;

	if (in->type != out->type)
		return lower_cpu(l, "input and output differ in type");
	if (in->type == ELEM_INT16)
		return table16(l, op);
	why = unary_table8(op->kind, in->type, op->options, unary_quant_of(in), unary_quant_of(out),
			   table);
	if (why)
		return lower_cpu(l, why);
	npu.lut = IR_LUT_8_8;
	npu.lut_data = lower_constant(l, out->type, 1, &shape, table);
	return map_table(l, op, &npu);
}

uint32_t lower_own_table(struct lower *l, bool sigmoid)
{
	int32_t shape = 512, words[512];

	for (int i = 0; i < 512; i++)
		words[i] = (int32_t)ref_builtin_table(sigmoid, (unsigned int)i);
	return lower_constant(l, ELEM_INT32, 1, &shape, words);
}

/* TFLite's multiplier of the input: as many bits as fit 15, the rest cut off. */
bool lower_tanh_scale(double scale, struct ir_scale *out)
{
	double multiplier = scale * 12288;
	uint8_t shift = 0;

	while (multiplier <= 32767.0 / 2 && shift <= 30) {
		multiplier *= 2;
		shift++;
	}
	if (!(multiplier >= 1 && multiplier < 65536))
		return false;
	*out = (struct ir_scale){ (uint32_t)multiplier, shift };
	return true;
}

int lower_tanh_sigmoid(struct lower *l, const struct ir_op *op)
{
	const struct ir_tensor *in = lower_tensor(l, op->inputs[0]);
	const struct ir_tensor *out = lower_tensor(l, op->outputs[0]);
	struct ir_npu npu = lower_copy_npu(l, ELEM_INT16);
	bool sigmoid = op->kind == IR_LOGISTIC;
	double scale = quant_of(in);

	if (in->type != ELEM_INT16 || out->type != ELEM_INT16)
		return lower_table(l, op);
	if (!scale || quant_zero(in) || quant_zero(out) || quant_of(out) != 1.0 / 32768)
		return lower_cpu(l, "the output's scale is not 1/32768, or a zero point not 0");
	if (!lower_tanh_scale(scale, &npu.ofm_scale))
		return lower_cpu(l, "the input's scale is out of range");
	npu.round = IR_ROUND_NATURAL;
	npu.lut = sigmoid ? IR_LUT_SIGMOID : IR_LUT_TANH;
	if (l->u85) {
		npu.lut_data = lower_own_table(l, sigmoid);
		if (npu.lut_data == IR_NONE)
			return lower_no_memory(l);
	}
	return lower_map(l, &npu, lower_nd(l, op->outputs[0]), lower_nd(l, op->inputs[0]), NULL);
}
