/* SPDX-License-Identifier: MIT */
/* Lowering: pooling and means. */
#include "runtime/compile/lower.h"

#include <string.h>

#include "runtime/cpu/fixed.h"

#define KERNEL_H_MAX	256	/* of a pool without padding */
#define KERNEL_MAX	65536
#define STRIDE_MAX	3
#define DIVIDE_MAX	8	/* kernel that the hardware divides for */

/* One axis: the padding that TFLite gives, as far as windows reach. */
static void pool_pad(int padding, int32_t in, int32_t out, int32_t taps, int32_t stride,
		     int32_t *before, int32_t *after)
{
	int64_t need = (int64_t)(out - 1) * stride + taps - in;

	*before = *after = 0;
	if (padding != IR_PADDING_SAME || need <= 0)
		return;
	*before = (int32_t)(need / 2);
	*after = (int32_t)(need - need / 2);
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
	if (npu.stride_y > STRIDE_MAX || npu.stride_x > STRIDE_MAX) {
		/* Columns of windows side by side can be had by a step of the view below. */
		if (o->padding == IR_PADDING_SAME)
			return lower_cpu(l, "a stride above 3 with padding");
	}
	npu.kernel_h = o->filter_h;
	npu.kernel_w = o->filter_w;
	pool_pad(o->padding, ifm->shape[1], ofm->shape[1], o->filter_h, o->stride_h, &npu.pad_top,
		 &npu.pad_bottom);
	pool_pad(o->padding, ifm->shape[2], ofm->shape[2], o->filter_w, o->stride_w, &npu.pad_left,
		 &npu.pad_right);
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
	for (int32_t b = 0; b < batches; b++) {
		bool rows = npu.stride_y > STRIDE_MAX, columns = npu.stride_x > STRIDE_MAX;

		for (int32_t y = 0; y < (rows ? ofm->shape[1] : 1); y++) {
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

/*
 * struct reduce - a reduction, brought to rows of its own
 * @outer: axes before those that are reduced, as one
 * @reduced: the reduced axes, as one; @inner: those behind, as one
 */
struct reduce {
	struct nd ifm, ofm;
	int64_t n;
};

/* The axes of a reduction as a bit set. */
static bool reduced_axes(const struct lower *l, const struct ir_op *op, uint32_t *set)
{
	const struct ir_tensor *t = lower_tensor(l, op->inputs[0]);
	int32_t list[IR_MAX_DIMS];
	uint32_t count, axis;

	*set = 0;
	if (!lower_integers(l, op->inputs[1], list, IR_MAX_DIMS, &count))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (!nd_axis(list[i], t->ndim, &axis))
			return false;
		*set |= 1u << axis;
	}
	return true;
}

/*
 * Three axes, the reduced ones apart from the others: [kept][reduced][kept], or false. Reduced axes of
 * extent 1 count as kept.
 */
static bool bring_together(struct lower *l, const struct ir_op *op, struct nd *ifm, struct nd *ofm)
{
	const struct ir_tensor *t = lower_tensor(l, op->inputs[0]);
	int64_t part[3] = { 1, 1, 1 };
	uint32_t set, phase = 0;

	if (op->inputs[0] == IR_NONE || !reduced_axes(l, op, &set))
		return false;
	for (uint32_t i = 0; i < t->ndim; i++) {
		bool reduced = set >> i & 1;

		if (t->shape[i] == 1)
			continue;
		if (reduced != (phase == 1))
			phase++;
		if (phase > 2)
			return false;
		part[phase] *= t->shape[i];
	}
	*ifm = lower_nd(l, op->inputs[0]);
	*ofm = lower_nd(l, op->outputs[0]);
	return nd_reshape(ifm, 3, (int32_t[]){ (int32_t)part[0], (int32_t)part[1],
					       (int32_t)part[2] }) &&
	       nd_reshape(ofm, 3, (int32_t[]){ (int32_t)part[0], 1, (int32_t)part[2] });
}

/* TFLite's scale of a mean over @n elements: the division is part of the multiplier. */
static bool mean_scale(const struct ir_tensor *ifm, const struct ir_tensor *ofm, int64_t n,
		       struct ir_scale *out)
{
	int log = 63 - __builtin_clzll((unsigned long long)n);
	int32_t multiplier;
	int shift;

	fixed_multiplier(quant_of(ifm) / quant_of(ofm), &multiplier, &shift);
	log = log < 32 ? log : 32;
	log = log < 31 + shift ? log : 31 + shift;
	multiplier = (int32_t)(((int64_t)multiplier << log) / n);
	shift = 31 - (shift - log);
	if (multiplier < 0 || shift < 0 || shift > 63)
		return false;
	*out = (struct ir_scale){ (uint32_t)multiplier, (uint8_t)shift };
	return true;
}

/* A sum over the window of @h x @w at each channel: the NPU's average with a scale of our own. */
static int emit_mean(struct lower *l, struct ir_npu *npu, const struct nd *ifm, const struct nd *ofm)
{
	npu->mode = l->u85 ? IR_POOL_SUM : IR_POOL_AVERAGE;
	if (!nd_view(ifm, &npu->ifm) || !nd_view(ofm, &npu->ofm))
		return lower_cpu(l, "the tensor's extents");
	npu->kernel_h = npu->ifm.h;
	npu->kernel_w = npu->ifm.w;
	return lower_emit(l, npu);
}

int lower_mean(struct lower *l, const struct ir_op *op)
{
	const struct ir_tensor *in = lower_tensor(l, op->inputs[0]);
	const struct ir_tensor *out = lower_tensor(l, op->outputs[0]);
	struct ir_npu npu = lower_npu(IR_NPU_POOL, IR_POOL_AVERAGE, out->type);
	int64_t n = (int64_t)(ir_tensor_elements(in) / ir_tensor_elements(out));
	struct nd ifm, ofm;
	int rc = 0;

	if (in->type != out->type ||
	    (in->type != ELEM_INT8 && in->type != ELEM_UINT8 && in->type != ELEM_INT16))
		return lower_cpu(l, "the type is not int8, uint8 or int16");
	if (!quant_of(in) || !quant_of(out))
		return lower_cpu(l, "a tensor is not quantised");
	if (!bring_together(l, op, &ifm, &ofm))
		return lower_cpu(l, "the reduced axes are not neighbours, or not constant");
	/* What the NPU's 32-bit accumulators hold, and what a kernel may be. */
	if (n < 1 || n > (in->type == ELEM_INT16 ? 1 << 15 : 1 << 22))
		return lower_cpu(l, "a mean over too many elements");
	if (!mean_scale(in, out, n, &npu.ofm_scale))
		return lower_cpu(l, "the scale is out of range");
	npu.round = IR_ROUND_TFL;
	if (n != ifm.shape[1] && ifm.shape[1] != 1)
		return lower_cpu(l, "output and input do not agree");
	if (ifm.shape[2] == 1 && ifm.shape[0] > 1 && ifm.shape[1] <= LOWER_AXIS_MAX) {
		/* Over the last axis: channels are summed. */
		npu.mode = IR_POOL_REDUCE_SUM;
		nd_permute(&ifm, (uint32_t[]){ 2, 0, 1 });
		nd_permute(&ofm, (uint32_t[]){ 2, 0, 1 });
		if (ifm.shape[1] > LOWER_AXIS_MAX || !nd_view(&ifm, &npu.ifm) ||
		    !nd_view(&ofm, &npu.ofm))
			return lower_cpu(l, "the tensor's extents");
		return lower_emit(l, &npu);
	}
	for (int32_t i = 0; i < ofm.shape[0] && !rc; i++) {
		struct nd a = ifm, b = ofm;
		int32_t h = 1, w = ifm.shape[1];

		nd_slice(&a, 0, i, 1, 1);
		nd_slice(&b, 0, i, 1, 1);
		/* The window as square as its extent allows: kernels are at most 256 high. */
		while (w > KERNEL_H_MAX && h < KERNEL_H_MAX / 2 && w % 2 == 0) {
			w /= 2;
			h *= 2;
		}
		if ((int64_t)h * w > KERNEL_MAX / 16 ||
		    !nd_reshape(&a, 3, (int32_t[]){ h, w, ifm.shape[2] }))
			return lower_cpu(l, "a mean over too many elements");
		rc = emit_mean(l, &npu, &a, &b);
	}
	return rc;
}
