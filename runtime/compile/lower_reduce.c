/* SPDX-License-Identifier: MIT */
/* Lowering: reductions: sums, means, extremes and their places, each a pool over the whole axis. */
#include "runtime/compile/lower.h"

#include <string.h>

#include "runtime/cpu/fixed.h"

#define KERNEL_MAX	4096	/* elements that are summed in one operation */

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
 * struct reduce - a reduction as one window: [kept][reduced][kept], or [rows][columns][kept] with rows
 * and columns reduced
 */
struct reduce {
	struct nd ifm, ofm;
	int32_t kernel_h, kernel_w;
};

/* Rows and columns of the whole tensor: it can stay in bricks. */
static bool whole_plane(const struct lower *l, const struct ir_op *op, uint32_t set,
			struct reduce *r)
{
	const struct ir_tensor *t = lower_tensor(l, op->inputs[0]);
	uint32_t n = t->ndim;

	if (n < 3 || set != (3u << (n - 3)) || t->shape[n - 3] > 64)
		return false;
	for (uint32_t i = 0; i + 3 < n; i++)
		if (t->shape[i] != 1)
			return false;
	r->ifm = lower_nd(l, op->inputs[0]);
	r->ofm = lower_nd(l, op->outputs[0]);
	while (r->ifm.n > 3)
		nd_drop(&r->ifm, 0);
	r->kernel_h = t->shape[n - 3];
	r->kernel_w = t->shape[n - 2];
	return nd_reshape(&r->ofm, 3, (int32_t[]){ 1, 1, t->shape[n - 1] });
}

/* NULL, or why it cannot be had. */
static const char *bring_together(const struct lower *l, const struct ir_op *op, struct reduce *r)
{
	const struct ir_tensor *t = lower_tensor(l, op->inputs[0]);
	const struct ir_tensor *out = lower_tensor(l, op->outputs[0]);
	int64_t part[3] = { 1, 1, 1 };
	uint32_t set, phase = 0;

	if (!reduced_axes(l, op, &set))
		return "the reduced axes are not constant";
	if (whole_plane(l, op, set, r))
		return NULL;
	for (uint32_t i = 0; i < t->ndim; i++) {
		if (t->shape[i] == 1)
			continue;
		if ((set >> i & 1) != (phase == 1))
			phase++;
		if (phase > 2)
			return "the reduced axes are not neighbours";
		part[phase] *= t->shape[i];
	}
	if (part[0] * part[2] != (int64_t)ir_tensor_elements(out))
		return "output and input do not agree";
	for (int i = 0; i < 3; i++)
		if (part[i] > LOWER_AXIS_MAX)
			return "too many elements";
	r->ifm = lower_nd(l, op->inputs[0]);
	r->ofm = lower_nd(l, op->outputs[0]);
	r->kernel_h = 1;
	r->kernel_w = (int32_t)part[1];
	if (!nd_reshape(&r->ifm, 3, (int32_t[]){ (int32_t)part[0], (int32_t)part[1],
						 (int32_t)part[2] }) ||
	    !nd_reshape(&r->ofm, 3, (int32_t[]){ (int32_t)part[0], 1, (int32_t)part[2] }))
		return "elements do not follow each other in memory";
	return NULL;
}

/* One operation: @npu knows mode, scale and clamp. */
static int emit_window(struct lower *l, struct ir_npu *npu, const struct reduce *r)
{
	npu->kernel_h = r->kernel_h;
	npu->kernel_w = r->kernel_w;
	if (!nd_view(&r->ifm, &npu->ifm) || !nd_view(&r->ofm, &npu->ofm))
		return lower_cpu(l, "channels do not follow each other in memory");
	return lower_emit(l, npu);
}

/* A sum with a scale of its own: over channels, or over a window. */
static int emit_sum(struct lower *l, struct ir_npu *npu, struct reduce *r)
{
	int64_t n = (int64_t)r->kernel_h * r->kernel_w;

	if (r->ifm.shape[2] == 1 && r->kernel_h == 1) {
		/* Over the last axis: channels are summed. */
		npu->mode = IR_POOL_REDUCE_SUM;
		nd_permute(&r->ifm, (uint32_t[]){ 2, 0, 1 });
		nd_permute(&r->ofm, (uint32_t[]){ 2, 0, 1 });
		r->kernel_w = 1;
		return emit_window(l, npu, r);
	}
	/* A long window of one row: as square as it gets. */
	while (r->ifm.shape[0] == 1 && r->kernel_h == 1 && n > KERNEL_MAX / 64) {
		int32_t h = 2;

		while (h <= 64 && (n % h || n / h > 64))
			h++;
		if (h > 64 || !nd_reshape(&r->ifm, 3, (int32_t[]){ h, (int32_t)(n / h),
								   r->ifm.shape[2] }))
			break;
		r->kernel_h = h;
		r->kernel_w = (int32_t)(n / h);
	}
	if (n > KERNEL_MAX)
		return lower_cpu(l, "a sum of too many elements");
	/* The NPU's average with a scale of our own is a sum. */
	npu->mode = l->u85 ? IR_POOL_SUM : IR_POOL_AVERAGE;
	return emit_window(l, npu, r);
}

static const char *check_sum(const struct ir_tensor *in, const struct ir_tensor *out, int64_t n)
{
	if (in->type != out->type ||
	    (in->type != ELEM_INT8 && in->type != ELEM_UINT8 && in->type != ELEM_INT16))
		return "the type is not int8, uint8 or int16";
	if (!quant_of(in) || !quant_of(out))
		return "a tensor is not quantised";
	/* What accumulators of 32 bits hold. */
	return n > (in->type == ELEM_INT16 ? 1 << 15 : 1 << 22) ? "a sum of too many elements" : NULL;
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
	if (log < 0)
		return false;
	multiplier = (int32_t)(((int64_t)multiplier << log) / n);
	shift = 31 - (shift - log);
	if (multiplier < 0 || shift < 0 || shift > 63)
		return false;
	*out = (struct ir_scale){ (uint32_t)multiplier, (uint8_t)shift };
	return true;
}

int lower_mean(struct lower *l, const struct ir_op *op)
{
	const struct ir_tensor *in = lower_tensor(l, op->inputs[0]);
	const struct ir_tensor *out = lower_tensor(l, op->outputs[0]);
	struct ir_npu npu = lower_npu(IR_NPU_POOL, IR_POOL_AVERAGE, out->type);
	struct reduce r;
	const char *why = bring_together(l, op, &r);
	int64_t n;

	if (why)
		return lower_cpu(l, why);
	n = (int64_t)r.kernel_h * r.kernel_w;
	why = check_sum(in, out, n);
	if (why)
		return lower_cpu(l, why);
	if (!mean_scale(in, out, n, &npu.ofm_scale))
		return lower_cpu(l, "the scale is out of range");
	npu.round = IR_ROUND_TFL;
	return emit_sum(l, &npu, &r);
}

int lower_sum(struct lower *l, const struct ir_op *op)
{
	const struct ir_tensor *in = lower_tensor(l, op->inputs[0]);
	const struct ir_tensor *out = lower_tensor(l, op->outputs[0]);
	struct ir_npu npu = lower_npu(IR_NPU_POOL, IR_POOL_AVERAGE, out->type);
	struct reduce r;
	const char *why = bring_together(l, op, &r);

	if (!why)
		why = check_sum(in, out, (int64_t)r.kernel_h * r.kernel_w);
	if (why)
		return lower_cpu(l, why);
	/* TFLite: a float product rounded to the nearest. */
	if (!quant_scale((double)(in->quant.scale[0] / out->quant.scale[0]), 0, &npu.ofm_scale))
		return lower_cpu(l, "the scale is out of range");
	npu.round = IR_ROUND_NATURAL;
	return emit_sum(l, &npu, &r);
}

/* ~x, or what turns the order of the type's values round. */
static int emit_opposite(struct lower *l, struct nd ofm, struct nd ifm)
{
	struct ir_npu npu = lower_npu(IR_NPU_ELEMENTWISE, IR_ELT_SUB, ofm.type);
	struct nd top = lower_value(quant_low(ofm.type) + quant_high(ofm.type), 0, ofm.type);

	npu.round = IR_ROUND_NATURAL;
	return lower_map(l, &npu, ofm, top, &ifm);
}

/* U55 and U65 have no minimum over a window: the maximum with the order turned round. */
static int emit_min_by_max(struct lower *l, uint32_t input, struct ir_npu *npu, struct reduce *r)
{
	uint32_t in = lower_temp_like(l, r->ifm.type, input);
	uint32_t out = lower_temp(l, r->ifm.type, 3, r->ofm.shape);
	struct reduce inner = *r;
	struct nd whole;
	int rc;

	if (in == IR_NONE || out == IR_NONE)
		return lower_no_memory(l);
	inner.ifm = lower_nd(l, in);
	inner.ofm = lower_nd(l, out);
	whole = lower_nd(l, input);
	whole.zero_point = 0;
	whole.type = r->ifm.type;
	/* In the tensor's own axes, its channels being more than the one of the window's view. */
	rc = emit_opposite(l, inner.ifm, whole);
	if (!nd_reshape(&inner.ifm, 3, r->ifm.shape))
		return lower_cpu(l, "elements do not follow each other in memory");
	if (!rc)
		rc = emit_window(l, npu, &inner);
	return rc ? rc : emit_opposite(l, r->ofm, inner.ofm);
}

int lower_reduce_minmax(struct lower *l, const struct ir_op *op)
{
	const struct ir_tensor *in = lower_tensor(l, op->inputs[0]);
	const struct ir_tensor *out = lower_tensor(l, op->outputs[0]);
	bool least = op->kind == IR_REDUCE_MIN || op->kind == IR_REDUCE_ALL;
	bool logic = op->kind == IR_REDUCE_ANY || op->kind == IR_REDUCE_ALL;
	struct ir_npu npu;
	struct reduce r;
	const char *why = bring_together(l, op, &r);

	if (why)
		return lower_cpu(l, why);
	if (in->type != out->type || elem_size(in->type) > 2 || (in->type == ELEM_BOOL) != logic)
		return lower_cpu(l, "the type is not int8, uint8 or int16");
	/* Values as they are stored; bools are 0 and 1. */
	r.ifm.zero_point = r.ofm.zero_point = 0;
	if (logic)
		r.ifm.type = r.ofm.type = ELEM_INT8;
	npu = lower_npu(IR_NPU_POOL, least && l->u85 ? IR_POOL_MIN : IR_POOL_MAX, r.ofm.type);
	if (r.kernel_h > 256 || (int64_t)r.kernel_h * r.kernel_w > 65536 / 2)
		return lower_cpu(l, "too many elements");
	return least && !l->u85 ? emit_min_by_max(l, op->inputs[0], &npu, &r) : emit_window(l, &npu, &r);
}

/* U85: the pool that gives the index along columns. */
static int argmax_u85(struct lower *l, const struct reduce *r)
{
	struct ir_npu npu = lower_npu(IR_NPU_POOL, IR_POOL_ARGMAX_X, ELEM_INT32);

	npu.ofm_scale = (struct ir_scale){ 1, 16 };
	npu.round = IR_ROUND_TO_LOWER;
	return emit_window(l, &npu, r);
}

/*
 * U55 and U65: 128 * value + (n - 1 - index) as int16, the maximum of that, and a table that takes the
 * index out of it again. At most 127 elements.
 */
static int argmax_packed(struct lower *l, struct reduce *r)
{
	int32_t n = r->kernel_w, rows = r->ifm.shape[0], one[4] = { 1, 1, 1, n }, words = 512;
	struct ir_npu npu = lower_npu(IR_NPU_DEPTHWISE, 0, ELEM_INT16);
	struct ir_scale *scale = ir_alloc(l->g, (size_t)n * sizeof(*scale));
	int64_t *bias = ir_alloc(l->g, (size_t)n * sizeof(*bias));
	uint32_t packed, most, index;
	uint8_t weights[128];
	int32_t table[512];
	struct nd value;
	int rc;

	packed = lower_temp(l, ELEM_INT16, 3, (int32_t[]){ 1, rows, n });
	most = lower_temp(l, ELEM_INT16, 3, (int32_t[]){ 1, rows, 1 });
	index = lower_temp(l, ELEM_INT16, 3, (int32_t[]){ 1, rows, 1 });
	memset(weights, 128, sizeof(weights));
	npu.weights = lower_constant(l, ELEM_UINT8, 4, one, weights);
	if (!scale || !bias || packed == IR_NONE || most == IR_NONE || index == IR_NONE ||
	    npu.weights == IR_NONE)
		return lower_no_memory(l);
	for (int32_t i = 0; i < n; i++) {
		scale[i] = (struct ir_scale){ 1, 0 };
		bias[i] = n - 1 - i;
	}
	npu.channels = (uint32_t)n;
	npu.channel_scale = scale;
	npu.bias = bias;
	npu.round = IR_ROUND_NATURAL;
	nd_permute(&r->ifm, (uint32_t[]){ 2, 0, 1 });
	value = lower_nd(l, packed);
	if (!nd_view(&r->ifm, &npu.ifm) || !nd_view(&value, &npu.ofm))
		return lower_cpu(l, "channels do not follow each other in memory");
	rc = lower_emit(l, &npu);
	if (rc)
		return rc;
	/* [rows][n][1] to [rows][1][1]; the table follows the maximum. */
	npu = lower_npu(IR_NPU_POOL, IR_POOL_MAX, ELEM_INT16);
	npu.kernel_w = n;
	value = lower_nd(l, packed);
	nd_permute(&value, (uint32_t[]){ 1, 2, 0 });
	if (!nd_view(&value, &npu.ifm))
		return lower_cpu(l, "channels do not follow each other in memory");
	value = lower_nd(l, most);
	nd_permute(&value, (uint32_t[]){ 1, 2, 0 });
	nd_view(&value, &npu.ofm);
	rc = lower_emit(l, &npu);
	if (rc)
		return rc;
	for (int i = 0; i < 512; i++)
		table[i] = (int32_t)((uint32_t)-128 << 16 | (uint16_t)(n - 1));
	npu = lower_copy_npu(l, ELEM_INT16);
	npu.round = IR_ROUND_NATURAL;
	npu.lut = IR_LUT_16_16;
	npu.lut_data = lower_constant(l, ELEM_INT32, 1, &words, table);
	if (npu.lut_data == IR_NONE)
		return lower_no_memory(l);
	rc = lower_map(l, &npu, lower_nd(l, index), lower_nd(l, most), NULL);
	if (rc)
		return rc;
	npu = lower_npu(IR_NPU_ELEMENTWISE, IR_ELT_MUL, ELEM_INT32);
	npu.round = IR_ROUND_NATURAL;
	value = lower_value(1, 0, ELEM_INT16);
	nd_permute(&r->ofm, (uint32_t[]){ 2, 0, 1 });
	return lower_map(l, &npu, r->ofm, lower_nd(l, index), &value);
}

int lower_arg_max(struct lower *l, const struct ir_op *op)
{
	const struct ir_tensor *in = lower_tensor(l, op->inputs[0]);
	const struct ir_tensor *out = lower_tensor(l, op->outputs[0]);
	struct reduce r;
	const char *why = bring_together(l, op, &r);

	if (why)
		return lower_cpu(l, why);
	if (out->type != ELEM_INT32)
		return lower_cpu(l, "the index is not int32");
	if (in->type != ELEM_INT8 && in->type != ELEM_UINT8 && !(l->u85 && in->type == ELEM_INT16))
		return lower_cpu(l, "the type is not int8 or uint8");
	r.ifm.zero_point = r.ofm.zero_point = 0;
	if (r.kernel_h != 1 || r.kernel_w > 32768)
		return lower_cpu(l, "too many elements");
	if (l->u85)
		return argmax_u85(l, &r);
	if (r.ifm.shape[2] != 1 || r.kernel_w > 127)
		return lower_cpu(l, "not over the last axis, or more than 127 elements");
	return argmax_packed(l, &r);
}
