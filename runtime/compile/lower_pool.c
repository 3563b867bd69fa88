/* SPDX-License-Identifier: MIT */
/* Lowering: pooling. */
#include "runtime/compile/lower.h"


#define KERNEL_H_MAX	256	/* of a pool without padding */
#define KERNEL_MAX	65536
#define STRIDE_MAX	3
#define DIVIDE_MAX	8	/* kernel that the hardware divides for */

/*
 * One axis: the padding that TFLite gives, as far as windows reach, or what is there already. False:
 * more than the window's reach.
 */
static bool pool_pad(int padding, int32_t in, int32_t out, int32_t taps, int32_t stride,
		     int32_t *before, int32_t *after)
{
	int64_t need = (int64_t)(out - 1) * stride + taps - in;

	if (padding != IR_PADDING_SAME)
		return *before >= 0 && *after >= 0 && *before < taps && *after < taps;
	*before = need > 0 ? (int32_t)(need / 2) : 0;
	*after = need > 0 ? (int32_t)(need - need / 2) : 0;
	return true;
}

/* How the average comes about: divided by the hardware, or by a scale. */
static const char *set_average(const struct lower *l, struct ir_npu *npu)
{
	bool padded = npu->pad_top || npu->pad_left || npu->pad_bottom || npu->pad_right;
	bool small = npu->kernel_h <= DIVIDE_MAX && npu->kernel_w <= DIVIDE_MAX;

	if (padded && !small)
		return "an average of more than 8 by 8 elements with padding";
	npu->mode = IR_POOL_AVERAGE;
	if (l->u85 ? small : padded) {
		npu->hw_divide = true;
		return NULL;
	}
	if (l->u85)
		npu->mode = IR_POOL_SUM;
	npu->round = IR_ROUND_NATURAL;
	npu->ofm_scale = quant_average((uint32_t)(npu->kernel_h * npu->kernel_w), l->u85 ? 31 : 32);
	return NULL;
}

int lower_pool(struct lower *l, const struct ir_op *op)
{
	const struct ir_options *o = op->options;
	const struct ir_tensor *ifm = lower_tensor(l, op->inputs[0]);
	const struct ir_tensor *ofm = lower_tensor(l, op->outputs[0]);
	struct ir_npu npu = lower_npu(IR_NPU_POOL, IR_POOL_MAX, ofm->type);
	int32_t batches = ifm->ndim ? ifm->shape[0] : 0;
	const char *why;
	int rc = 0;

	if (ifm->type != ofm->type ||
	    (ifm->type != ELEM_INT8 && ifm->type != ELEM_UINT8 && ifm->type != ELEM_INT16))
		return lower_cpu(l, "the type is not int8, uint8 or int16");
	if (!quant_same(ifm, ofm))
		return lower_cpu(l, "input and output are quantised differently");
	if (ifm->ndim != 4 || ofm->ndim != 4 || ifm->shape[3] != ofm->shape[3] ||
	    ofm->shape[0] != batches)
		return lower_cpu(l, "not four axes");
	if (o->filter_h < 1 || o->filter_w < 1 || o->stride_h < 1 || o->stride_w < 1 ||
	    o->filter_h > KERNEL_H_MAX || (int64_t)o->filter_h * o->filter_w > KERNEL_MAX)
		return lower_cpu(l, "the kernel is too large");
	/* A single window needs no stride. */
	npu.stride_y = ofm->shape[1] == 1 ? 1 : o->stride_h;
	npu.stride_x = ofm->shape[2] == 1 ? 1 : o->stride_w;
	if ((npu.stride_y > STRIDE_MAX || npu.stride_x > STRIDE_MAX) &&
	    (o->padding == IR_PADDING_SAME || o->pad_top || o->pad_left || o->pad_bottom || o->pad_right))
		return lower_cpu(l, "a stride above 3 with padding");
	if (o->padding == IR_PADDING_SAME &&
	    (ofm->shape[1] != (ifm->shape[1] - 1) / o->stride_h + 1 ||
	     ofm->shape[2] != (ifm->shape[2] - 1) / o->stride_w + 1))
		return lower_cpu(l, "the output's extent is not what the kernel gives");
	npu.kernel_h = o->filter_h;
	npu.kernel_w = o->filter_w;
	npu.pad_top = o->pad_top;
	npu.pad_left = o->pad_left;
	npu.pad_bottom = o->pad_bottom;
	npu.pad_right = o->pad_right;
	if (!pool_pad(o->padding, ifm->shape[1], ofm->shape[1], o->filter_h, o->stride_h, &npu.pad_top,
		      &npu.pad_bottom) ||
	    !pool_pad(o->padding, ifm->shape[2], ofm->shape[2], o->filter_w, o->stride_w, &npu.pad_left,
		      &npu.pad_right))
		return lower_cpu(l, "padding as wide as the kernel");
	if ((int64_t)(ofm->shape[1] - 1) * o->stride_h + o->filter_h >
		    (int64_t)ifm->shape[1] + npu.pad_top + npu.pad_bottom ||
	    (int64_t)(ofm->shape[2] - 1) * o->stride_w + o->filter_w >
		    (int64_t)ifm->shape[2] + npu.pad_left + npu.pad_right)
		return lower_cpu(l, "the output's extent is not what the kernel gives");
	why = op->kind == IR_AVERAGE_POOL_2D ? set_average(l, &npu) : NULL;
	if (why)
		return lower_cpu(l, why);
	if (!lower_activation(ofm, o->activation, &npu.act_min, &npu.act_max))
		return lower_cpu(l, "unknown fused activation");
	for (int32_t b = 0; b < batches && !rc; b++) {
		bool rows = npu.stride_y > STRIDE_MAX, columns = npu.stride_x > STRIDE_MAX;

		for (int32_t y = 0; y < (rows ? ofm->shape[1] : 1) && !rc; y++) {
			for (int32_t x = 0; x < (columns ? ofm->shape[2] : 1) && !rc; x++) {
				struct nd in = lower_nd(l, op->inputs[0]);
				struct nd out = lower_nd(l, op->outputs[0]);
				struct ir_npu part = npu;

				/* TFLite's sums and maxima are of the elements as stored. */
				in.zero_point = out.zero_point = 0;
				nd_slice(&in, 0, b, 1, 1);
				nd_slice(&out, 0, b, 1, 1);
				if (rows) {
					nd_slice(&in, 1, y * o->stride_h, o->filter_h, 1);
					nd_slice(&out, 1, y, 1, 1);
					part.stride_y = 1;
				}
				if (columns) {
					nd_slice(&in, 2, x * o->stride_w, o->filter_w, 1);
					nd_slice(&out, 2, x, 1, 1);
					part.stride_x = 1;
				}
				if (!nd_view(&in, &part.ifm) || !nd_view(&out, &part.ofm))
					return lower_cpu(l, "the tensor's extents");
				rc = lower_emit(l, &part);
				ifm = lower_tensor(l, op->inputs[0]);
				ofm = lower_tensor(l, op->outputs[0]);
			}
		}
	}
	return rc;
}
