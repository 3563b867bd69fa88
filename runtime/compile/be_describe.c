/* SPDX-License-Identifier: MIT */
/* An operation as the cost model wants it told. */
#include "runtime/compile/be.h"

#include <string.h>

static void describe_fm(const struct be *be, const struct ir_view *view, struct cost_fm *fm)
{
	if (view->tensor == IR_NONE && !view->scalar)
		return;
	fm->bits = (uint8_t)(8 * elem_size(view->type));
	fm->scalar = view->scalar;
	if (view->scalar)
		return;
	fm->h = (uint32_t)view->h;
	fm->w = (uint32_t)view->w;
	fm->d = (uint32_t)view->c;
	fm->brick = be->tensors[view->tensor].brick;
	fm->memory = be->target->cost.region[be->tensors[view->tensor].copy ?
						     PROGRAM_STAGING :
						     be->tensors[view->tensor].region];
}

static bool clamps(const struct ir_npu *npu)
{
	switch (npu->ofm.type) {
	case ELEM_INT8:
		return npu->act_min > INT8_MIN || npu->act_max < INT8_MAX;
	case ELEM_UINT8:
		return npu->act_min > 0 || npu->act_max < UINT8_MAX;
	case ELEM_INT16:
		return npu->act_min > INT16_MIN || npu->act_max < INT16_MAX;
	default:
		return false;
	}
}

/* Cycles that a byte of the outer memory is worth, beside the time that it takes: a part of that. */
#define SHARE_OF_TRAFFIC	0.25

double be_price(const struct be *be, const struct cost_result *cost)
{
	uint64_t bytes = cost->write[COST_EXT];

	for (unsigned int i = 0; i < COST_TRAFFIC; i++)
		bytes += cost->read[COST_EXT][i];
	return (double)cost->cycles +
	       SHARE_OF_TRAFFIC * (double)bytes / be->target->cost.memory[COST_EXT].bandwidth;
}

void be_describe(const struct be *be, const struct ir_npu *npu, struct cost_op_desc *desc)
{
	/* All of it: descriptions are compared byte by byte. */
	memset(desc, 0, sizeof(*desc));
	desc->kind = npu->kind;
	desc->mode = npu->mode;
	describe_fm(be, &npu->ifm, &desc->ifm[0]);
	describe_fm(be, &npu->ifm2, &desc->ifm[1]);
	describe_fm(be, &npu->ofm, &desc->ofm);
	desc->kernel_h = desc->kernel_w = 1;
	desc->stride_y = desc->stride_x = desc->dilation_y = desc->dilation_x = 1;
	if (npu->kind != IR_NPU_ELEMENTWISE && npu->kind != IR_NPU_RESIZE) {
		desc->kernel_h = (uint16_t)npu->kernel_h;
		desc->kernel_w = (uint16_t)npu->kernel_w;
		desc->stride_y = (uint8_t)npu->stride_y;
		desc->stride_x = (uint8_t)npu->stride_x;
		desc->dilation_y = (uint8_t)npu->dilation_y;
		desc->dilation_x = (uint8_t)npu->dilation_x;
		desc->upscale = npu->upscale;
	}
	desc->acc_bits = !npu->acc48 ? 32 : be->arch->family == 85 ? 48 : 40;
	desc->activation = npu->lut	 ? COST_ACT_LUT
			   : clamps(npu) ? COST_ACT_RELU
					 : COST_ACT_NONE;
	desc->transpose = npu->transpose;
	desc->reverse = npu->reverse;
	if (npu->kind != IR_NPU_CONV && npu->kind != IR_NPU_DEPTHWISE)
		return;
	desc->weight_memory = desc->scale_memory = be->target->cost.region[PROGRAM_CONSTANTS];
	desc->scale_bytes = (uint32_t)be_align(ETHOSU_SCALE_RECORD * desc->ofm.d, BE_ALIGN);
	/* Until they are encoded: about a byte a weight. */
	desc->weight_bytes = (uint32_t)desc->ofm.d * desc->kernel_h * desc->kernel_w;
	if (npu->kind == IR_NPU_CONV)
		desc->weight_bytes *= desc->ifm[0].d;
}

void be_input_rows(const struct ir_npu *npu, uint32_t y0, uint32_t y1, uint32_t *from, uint32_t *to)
{
	int64_t a = y0, b = y1, height = npu->ofm.h;

	/* Elementwise: of the operand that is not broadcast. */
	if (npu->kind != IR_NPU_ELEMENTWISE && npu->kind != IR_NPU_RESIZE) {
		height = npu->ifm.h;
		a = a * npu->stride_y - npu->pad_top;
		b = (b - 1) * npu->stride_y - npu->pad_top +
		    (int64_t)(npu->kernel_h - 1) * npu->dilation_y + 1;
	}
	*from = a < 0 ? 0 : (uint32_t)a;
	*to = b > height ? (uint32_t)height : (uint32_t)b;
	/* A window can lie in the padding below: no rows, of those there are. */
	if (*from >= *to)
		*from = *to ? *to - 1 : 0;
}

void be_describe_rows(const struct ir_npu *npu, uint32_t y0, uint32_t y1, struct cost_op_desc *desc)
{
	uint32_t from, to;

	if (y0 == 0 && y1 == (uint32_t)npu->ofm.h)
		return;
	desc->ofm.h = y1 - y0;
	if (npu->kind == IR_NPU_ELEMENTWISE) {
		for (unsigned int i = 0; i < 2; i++)
			if (desc->ifm[i].bits && !desc->ifm[i].scalar && desc->ifm[i].h > 1)
				desc->ifm[i].h = y1 - y0;
		return;
	}
	be_input_rows(npu, y0, y1, &from, &to);
	desc->ifm[0].h = to - from;
}

void be_describe_middle(const struct ir_npu *npu, uint32_t rows, struct cost_op_desc *desc)
{
	uint32_t height = (uint32_t)npu->ofm.h, y0 = rows;

	if (rows >= height)
		return;
	if (y0 + rows > height)
		y0 = height - rows;
	be_describe_rows(npu, y0, y0 + rows, desc);
}
