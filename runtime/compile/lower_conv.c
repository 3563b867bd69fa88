/* SPDX-License-Identifier: MIT */
/* Lowering: convolution, depthwise convolution, matrix times constant, transposed convolution. */
#include "runtime/compile/lower_conv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What the NPU can do in one operation. */
#define STRIDE_MAX	3
#define DILATION_MAX	2
#define KERNEL_H_MAX	64
#define KERNEL_MAX	4096
#define BIAS_BITS	40	/* of U55's and U65's scale records */

/*
 * struct window - a kernel over one axis
 * @in, @out: extents
 * @before, @after: padding
 */
struct window {
	int32_t in, out, taps, stride, dilation, before, after;
};

/* Padding of one axis: as TFLite computes it for SAME, or what was asked for. */
static void window_pad(struct window *w, int padding, int32_t before, int32_t after)
{
	int64_t reach = (int64_t)(w->taps - 1) * w->dilation + 1;
	int64_t need = (int64_t)(w->out - 1) * w->stride + reach - w->in;

	if (padding == IR_PADDING_SAME) {
		need = need < 0 ? 0 : need;
		w->before = (int32_t)(need / 2);
		w->after = (int32_t)(need - need / 2);
		return;
	}
	w->before = before;
	/* Rows that no window reaches are no padding. */
	w->after = need - before > 0 ? (int32_t)(need - before) : 0;
	if (w->after > after)
		w->after = after;
}

/* The output's extent is what kernel and padding give. */
static bool window_ok(const struct window *w, int padding)
{
	int64_t reach = (int64_t)(w->taps - 1) * w->dilation + 1;
	int64_t whole = (int64_t)w->in + w->before + w->after;

	if (padding == IR_PADDING_SAME)
		return w->out == (w->in - 1) / w->stride + 1;
	return whole >= reach && w->out == (whole - reach) / w->stride + 1;
}

/* Why the types and quantisations cannot be done, or NULL. */
const char *lower_conv_types(const struct lower *l, const struct conv *c)
{
	const struct ir_tensor *ifm = lower_tensor(l, c->ifm), *ofm = lower_tensor(l, c->ofm);
	const struct ir_tensor *w = lower_tensor(l, c->weights);

	if (ifm->type != ofm->type ||
	    (ifm->type != ELEM_INT8 && ifm->type != ELEM_UINT8 && ifm->type != ELEM_INT16))
		return "activations are not int8, uint8 or int16";
	if (!w->data)
		return "weights are not constant";
	if (w->type != (ifm->type == ELEM_UINT8 ? ELEM_UINT8 : ELEM_INT8))
		return "weights are not 8 bits wide";
	if (!quant_of(ifm) || !quant_of(ofm) || !quant_of(w))
		return "a tensor is not quantised";
	if (ifm->quant.count != 1 || ofm->quant.count != 1)
		return "activations are quantised per channel";
	return NULL;
}

static int64_t bias_at(const struct ir_tensor *t, uint32_t i)
{
	int64_t wide;
	int32_t v;

	if (t->type == ELEM_INT64) {
		memcpy(&wide, (const char *)t->data + 8 * (size_t)i, sizeof(wide));
		return wide;
	}
	memcpy(&v, (const char *)t->data + 4 * (size_t)i, sizeof(v));
	return v;
}

/* Biases, scales, zero points of weights, rounding and accumulators. */
int lower_conv_channels(struct lower *l, const struct conv *c, uint32_t channels,
			struct ir_npu *npu)
{
	const struct ir_tensor *ifm = lower_tensor(l, c->ifm), *ofm = lower_tensor(l, c->ofm);
	const struct ir_tensor *w = lower_tensor(l, c->weights);
	const struct ir_tensor *b = c->bias == IR_NONE ? NULL : lower_tensor(l, c->bias);
	struct ir_scale *scale = ir_alloc(l->g, channels * sizeof(*scale));
	int64_t *bias = b ? ir_alloc(l->g, channels * sizeof(*bias)) : NULL;
	int32_t *zeros = ir_alloc(l->g, channels * sizeof(*zeros));
	bool wide = ifm->type == ELEM_INT16, zero = true;

	if (!scale || !zeros || (b && !bias))
		return lower_no_memory(l);
	if (b && (!b->data || (b->type != ELEM_INT32 && b->type != ELEM_INT64) ||
		  ir_tensor_elements(b) != channels))
		return lower_cpu(l, "the bias is not constant int32 or int64, one a channel");
	/* TFLite keeps 32-bit accumulators, and scales of 31 bits, where there is no 64-bit bias. */
	if (wide && c->float_product && (!b || b->type == ELEM_INT32))
		wide = false;
	npu->acc48 = wide;
	npu->round = wide ? IR_ROUND_NATURAL : IR_ROUND_TFL;
	for (uint32_t i = 0; i < channels; i++) {
		uint32_t q = w->quant.count == 1 ? 0 : i;
		double m;

		if (q >= w->quant.count)
			return lower_cpu(l, "weights have fewer scales than channels");
		if (ifm->type == ELEM_UINT8 || (c->float_product && w->quant.count == 1))
			m = (double)(ifm->quant.scale[0] * w->quant.scale[q]);
		else
			m = (double)ifm->quant.scale[0] * (double)w->quant.scale[q];
		m /= (double)ofm->quant.scale[0];
		if (wide ? !quant_scale16(m, &scale[i]) : !quant_scale(m, 0, &scale[i]))
			return lower_cpu(l, "the scale of a channel is out of range");
		if (b) {
			bias[i] = bias_at(b, i);
			if (bias[i] >= INT64_C(1) << (BIAS_BITS - 1) ||
			    bias[i] < -(INT64_C(1) << (BIAS_BITS - 1)))
				return lower_cpu(l, "a bias is wider than 40 bits");
		}
		zeros[i] = w->quant.zero_point[q];
		zero &= !zeros[i];
	}
	npu->channels = channels;
	npu->channel_scale = scale;
	npu->bias = bias;
	npu->weight_zero_points = zero ? NULL : zeros;
	return 0;
}

/* Rows, columns and channels of one batch. */
static struct nd batch_of(const struct lower *l, uint32_t t, int32_t batch)
{
	struct nd d = lower_nd(l, t);

	nd_slice(&d, 0, batch, 1, 1);
	nd_drop(&d, 0);
	return d;
}

static void set_windows(struct ir_npu *npu, const struct window *y, const struct window *x)
{
	npu->kernel_h = y->taps;
	npu->kernel_w = x->taps;
	npu->stride_y = y->stride;
	npu->stride_x = x->stride;
	npu->dilation_y = y->dilation;
	npu->dilation_x = x->dilation;
	npu->pad_top = y->before;
	npu->pad_bottom = y->after;
	npu->pad_left = x->before;
	npu->pad_right = x->after;
}

/*
 * Dilation beyond the hardware's: the taps between are written into the weights as zeros (their zero
 * point), as far as the hardware's own dilation does not already leave them out.
 */
static int expand(struct lower *l, struct ir_npu *npu, int32_t dy, int32_t dx, bool depthwise)
{
	const struct ir_tensor *w = lower_tensor(l, npu->weights);
	int32_t hy = dy % 2 ? 1 : 2, hx = dx % 2 ? 1 : 2, fy = dy / hy, fx = dx / hx;
	int32_t kh = npu->kernel_h, kw = npu->kernel_w, h = (kh - 1) * fy + 1, x = (kw - 1) * fx + 1;
	size_t outer = depthwise ? 1 : (size_t)npu->ofm.c;
	size_t inner = depthwise ? (size_t)npu->ofm.c : (size_t)npu->ifm.c;
	int32_t shape[4] = { (int32_t)outer, h, x, (int32_t)inner };
	const unsigned char *from = w->data;
	unsigned char *to;

	if (h > KERNEL_H_MAX || (int64_t)h * x > KERNEL_MAX)
		return lower_cpu(l, "the dilated kernel is too large");
	to = malloc(outer * inner * (size_t)h * (size_t)x);
	if (!to)
		return lower_no_memory(l);
	for (size_t o = 0; o < outer; o++)
		memset(to + o * (size_t)h * (size_t)x * inner,
		       npu->weight_zero_points ? npu->weight_zero_points[depthwise ? 0 : o] : 0,
		       (size_t)h * (size_t)x * inner);
	for (size_t o = 0; o < outer; o++)
		for (int32_t y = 0; y < kh; y++)
			for (int32_t k = 0; k < kw; k++)
				memcpy(to + ((o * (size_t)h + (size_t)(y * fy)) * (size_t)x +
					     (size_t)(k * fx)) * inner,
				       from + ((o * (size_t)kh + (size_t)y) * (size_t)kw +
					       (size_t)k) * inner, inner);
	npu->weights = lower_constant(l, w->type, 4, shape, to);
	free(to);
	if (npu->weights == IR_NONE)
		return lower_no_memory(l);
	npu->kernel_h = h;
	npu->kernel_w = x;
	npu->dilation_y = hy;
	npu->dilation_x = hx;
	return 0;
}

/*
 * Strides beyond the hardware's: one operation an output row or column, each on its part of the
 * input. Without padding only.
 */
static int emit_strided(struct lower *l, const struct ir_npu *npu, const struct nd *ifm,
			const struct nd *ofm, const struct window *y, const struct window *x)
{
	bool by_row = y->stride > STRIDE_MAX, by_column = x->stride > STRIDE_MAX;
	int rc = 0;

	if (y->before || y->after || x->before || x->after)
		return lower_cpu(l, "a stride above 3 with padding");
	for (int32_t oy = 0; oy < (by_row ? ofm->shape[0] : 1) && !rc; oy++) {
		for (int32_t ox = 0; ox < (by_column ? ofm->shape[1] : 1) && !rc; ox++) {
			struct ir_npu part = *npu;
			struct nd in = *ifm, out = *ofm;

			if (by_row) {
				nd_slice(&in, 0, oy * y->stride, (y->taps - 1) * y->dilation + 1, 1);
				nd_slice(&out, 0, oy, 1, 1);
				part.stride_y = 1;
			}
			if (by_column) {
				nd_slice(&in, 1, ox * x->stride, (x->taps - 1) * x->dilation + 1, 1);
				nd_slice(&out, 1, ox, 1, 1);
				part.stride_x = 1;
			}
			nd_view(&in, &part.ifm);
			nd_view(&out, &part.ofm);
			rc = lower_emit(l, &part);
		}
	}
	return rc;
}

/* One batch of a convolution whose views, kernel and channels are known. */
static int emit_conv(struct lower *l, struct ir_npu *npu, const struct nd *ifm, const struct nd *ofm,
		     const struct window *y, const struct window *x)
{
	int rc;

	if (!nd_view(ifm, &npu->ifm) || !nd_view(ofm, &npu->ofm))
		return lower_cpu(l, "channels do not follow each other in memory");
	set_windows(npu, y, x);
	if ((int64_t)(y->taps - 1) * y->dilation >= KERNEL_H_MAX * DILATION_MAX ||
	    y->taps > KERNEL_H_MAX || (int64_t)y->taps * x->taps > KERNEL_MAX)
		return lower_cpu(l, "the kernel is too large");
	if (y->dilation > DILATION_MAX || x->dilation > DILATION_MAX) {
		rc = expand(l, npu, y->dilation, x->dilation, npu->kind == IR_NPU_DEPTHWISE);
		if (rc)
			return rc;
	}
	if (y->stride > STRIDE_MAX || x->stride > STRIDE_MAX)
		return emit_strided(l, npu, ifm, ofm, y, x);
	return lower_emit(l, npu);
}

/* Groups of channels that each have their own filters: as many convolutions. */
static int emit_groups(struct lower *l, const struct ir_npu *npu, const struct nd *ifm,
		       const struct nd *ofm, int32_t groups, const struct window *y,
		       const struct window *x)
{
	const struct ir_tensor *w = lower_tensor(l, npu->weights);
	int32_t ic = ifm->shape[2] / groups, oc = ofm->shape[2] / groups;
	int32_t shape[4] = { oc, y->taps, x->taps, ic };
	size_t bytes = (size_t)oc * (size_t)y->taps * (size_t)x->taps * (size_t)ic;
	int rc = 0;

	for (int32_t i = 0; i < groups && !rc; i++) {
		struct nd in = *ifm, out = *ofm;
		struct ir_npu part = *npu;

		nd_slice(&in, 2, i * ic, ic, 1);
		nd_slice(&out, 2, i * oc, oc, 1);
		w = lower_tensor(l, npu->weights);
		part.weights = lower_constant(l, w->type, 4, shape,
					      (const char *)w->data + (size_t)i * bytes);
		if (part.weights == IR_NONE)
			return lower_no_memory(l);
		part.channels = (uint32_t)oc;
		part.channel_scale += i * oc;
		part.bias = npu->bias ? npu->bias + i * oc : NULL;
		if (npu->weight_zero_points)
			part.weight_zero_points = npu->weight_zero_points + i * oc;
		rc = emit_conv(l, &part, &in, &out, y, x);
	}
	return rc;
}

/* Types, shapes and windows of CONV_2D and DEPTHWISE_CONV_2D. */
static int prepare(struct lower *l, const struct ir_op *op, struct conv *c, struct ir_npu *npu,
		   struct window *y, struct window *x)
{
	const struct ir_options *o = op->options;
	const struct ir_tensor *ifm, *ofm, *w;
	const char *why;

	*c = (struct conv){ op->inputs[0], op->inputs[1],
			    op->input_count > 2 ? op->inputs[2] : IR_NONE, op->outputs[0],
			    o->activation, false };
	if (c->ifm == IR_NONE || c->weights == IR_NONE)
		return lower_cpu(l, "an input is left out");
	why = lower_conv_types(l, c);
	if (why)
		return lower_cpu(l, why);
	ifm = lower_tensor(l, c->ifm);
	ofm = lower_tensor(l, c->ofm);
	w = lower_tensor(l, c->weights);
	if (ifm->ndim != 4 || ofm->ndim != 4 || w->ndim != 4 || ifm->shape[0] != ofm->shape[0])
		return lower_cpu(l, "not four axes");
	if (!lower_activation(ofm, c->activation, &npu->act_min, &npu->act_max))
		return lower_cpu(l, "unknown fused activation");
	*y = (struct window){ ifm->shape[1], ofm->shape[1], w->shape[1], o->stride_h,
			      o->dilation_h, 0, 0 };
	*x = (struct window){ ifm->shape[2], ofm->shape[2], w->shape[2], o->stride_w,
			      o->dilation_w, 0, 0 };
	if (y->stride < 1 || x->stride < 1 || y->dilation < 1 || x->dilation < 1 ||
	    y->stride > LOWER_AXIS_MAX || x->stride > LOWER_AXIS_MAX ||
	    y->dilation > LOWER_AXIS_MAX || x->dilation > LOWER_AXIS_MAX)
		return lower_cpu(l, "a stride or dilation is out of range");
	window_pad(y, o->padding, o->pad_top, o->pad_bottom);
	window_pad(x, o->padding, o->pad_left, o->pad_right);
	if (!window_ok(y, o->padding) || !window_ok(x, o->padding))
		return lower_cpu(l, "the output's extent is not what the kernel gives");
	npu->weights = c->weights;
	return lower_conv_channels(l, c, (uint32_t)ofm->shape[3], npu);
}

int lower_conv2d(struct lower *l, const struct ir_op *op)
{
	struct ir_npu npu = lower_npu(IR_NPU_CONV, 0, ELEM_INT8);
	int32_t batches, ic, oc, groups;
	struct window y, x;
	struct conv c;
	int rc = prepare(l, op, &c, &npu, &y, &x);

	if (rc)
		return rc;
	batches = lower_tensor(l, c.ifm)->shape[0];
	ic = lower_tensor(l, c.ifm)->shape[3];
	oc = lower_tensor(l, c.ofm)->shape[3];
	if (lower_tensor(l, c.weights)->shape[0] != oc || ic % lower_tensor(l, c.weights)->shape[3])
		return lower_cpu(l, "weights do not fit input and output");
	groups = ic / lower_tensor(l, c.weights)->shape[3];
	if (oc % groups)
		return lower_cpu(l, "groups do not divide the output's channels");
	for (int32_t b = 0; b < batches && !rc; b++) {
		struct nd ifm = batch_of(l, c.ifm, b), ofm = batch_of(l, c.ofm, b);
		struct ir_npu part = npu;

		rc = groups > 1 ? emit_groups(l, &npu, &ifm, &ofm, groups, &y, &x)
				: emit_conv(l, &part, &ifm, &ofm, &y, &x);
	}
	return rc;
}

/*
 * More than one output channel an input channel: one operation for each input channel, a
 * convolution over that channel alone. The weights are [kh][kw][c * m + i], those of one channel
 * lie apart.
 */
static int emit_multiplied(struct lower *l, const struct ir_npu *npu, const struct nd *ifm,
			   const struct nd *ofm, int32_t m, const struct window *y,
			   const struct window *x)
{
	int32_t shape[4] = { m, y->taps, x->taps, 1 };
	size_t taps = (size_t)y->taps * (size_t)x->taps;
	unsigned char *own = malloc((size_t)m * taps);
	int rc = own ? 0 : lower_no_memory(l);

	for (int32_t c = 0; c < ifm->shape[2] && !rc; c++) {
		const struct ir_tensor *w = lower_tensor(l, npu->weights);
		const unsigned char *from = w->data;
		struct nd in = *ifm, out = *ofm;
		struct ir_npu part = *npu;

		for (int32_t i = 0; i < m; i++)
			for (size_t t = 0; t < taps; t++)
				own[(size_t)i * taps + t] =
					from[t * (size_t)ofm->shape[2] + (size_t)(c * m + i)];
		part.kind = IR_NPU_CONV;
		part.weights = lower_constant(l, w->type, 4, shape, own);
		if (part.weights == IR_NONE) {
			rc = lower_no_memory(l);
			break;
		}
		nd_slice(&in, 2, c, 1, 1);
		nd_slice(&out, 2, c * m, m, 1);
		part.channels = (uint32_t)m;
		part.channel_scale += c * m;
		part.bias = npu->bias ? npu->bias + c * m : NULL;
		if (npu->weight_zero_points)
			part.weight_zero_points = npu->weight_zero_points + c * m;
		rc = emit_conv(l, &part, &in, &out, y, x);
	}
	free(own);
	return rc;
}

int lower_depthwise(struct lower *l, const struct ir_op *op)
{
	struct ir_npu npu = lower_npu(IR_NPU_DEPTHWISE, 0, ELEM_INT8);
	struct window y, x;
	int32_t batches, m;
	struct conv c;
	int rc = prepare(l, op, &c, &npu, &y, &x);

	if (rc)
		return rc;
	batches = lower_tensor(l, c.ifm)->shape[0];
	if (lower_tensor(l, c.weights)->shape[0] != 1 ||
	    lower_tensor(l, c.weights)->shape[3] != lower_tensor(l, c.ofm)->shape[3] ||
	    lower_tensor(l, c.ofm)->shape[3] % lower_tensor(l, c.ifm)->shape[3])
		return lower_cpu(l, "weights do not fit input and output");
	m = lower_tensor(l, c.ofm)->shape[3] / lower_tensor(l, c.ifm)->shape[3];
	for (int32_t b = 0; b < batches && !rc; b++) {
		struct nd ifm = batch_of(l, c.ifm, b), ofm = batch_of(l, c.ofm, b);
		struct ir_npu part = npu;

		rc = m > 1 ? emit_multiplied(l, &npu, &ifm, &ofm, m, &y, &x)
			   : emit_conv(l, &part, &ifm, &ofm, &y, &x);
	}
	return rc;
}

int lower_fully_connected(struct lower *l, const struct ir_op *op)
{
	struct conv c = { op->inputs[0], op->inputs[1],
			  op->input_count > 2 ? op->inputs[2] : IR_NONE, op->outputs[0],
			  op->options->activation, true };
	struct ir_npu npu = lower_npu(IR_NPU_CONV, 0, ELEM_INT8);
	const struct window one = { 1, 1, 1, 1, 1, 0, 0 };
	int32_t rows, depth, channels;
	const char *why;
	struct nd ifm, ofm;
	int rc;

	if (c.ifm == IR_NONE || c.weights == IR_NONE)
		return lower_cpu(l, "an input is left out");
	why = lower_conv_types(l, &c);
	if (why)
		return lower_cpu(l, why);
	if (op->options->weights_format)
		return lower_cpu(l, "shuffled weights");
	if (lower_tensor(l, c.weights)->ndim != 2)
		return lower_cpu(l, "weights have not two axes");
	channels = lower_tensor(l, c.weights)->shape[0];
	depth = lower_tensor(l, c.weights)->shape[1];
	rows = (int32_t)(ir_tensor_elements(lower_tensor(l, c.ifm)) / (size_t)depth);
	if ((size_t)rows * (size_t)depth != ir_tensor_elements(lower_tensor(l, c.ifm)) ||
	    (size_t)rows * (size_t)channels != ir_tensor_elements(lower_tensor(l, c.ofm)))
		return lower_cpu(l, "weights do not fit input and output");
	if (!lower_activation(lower_tensor(l, c.ofm), c.activation, &npu.act_min, &npu.act_max))
		return lower_cpu(l, "unknown fused activation");
	ifm = lower_nd(l, c.ifm);
	ofm = lower_nd(l, c.ofm);
	if (!nd_reshape(&ifm, 3, (int32_t[]){ 1, rows, depth }) ||
	    !nd_reshape(&ofm, 3, (int32_t[]){ 1, rows, channels }))
		return lower_cpu(l, "rows do not follow each other in memory");
	npu.weights = c.weights;
	rc = lower_conv_channels(l, &c, (uint32_t)channels, &npu);
	return rc ? rc : emit_conv(l, &npu, &ifm, &ofm, &one, &one);
}
