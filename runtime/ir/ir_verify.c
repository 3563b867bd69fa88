/* SPDX-License-Identifier: MIT */
/* Checks that a graph is well formed: run between passes, and on graphs read from text. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/ir/ir_ops.h"

#define EXTENT_MAX	65536	/* of an axis of a view: the registers have 16 bits, minus one */
#define ZERO_MAX	65536	/* of a zero point either way: more than any type that is quantised holds */

/*
 * @written: elements of each tensor that NPU operations have written so far
 * @defined: it has a value
 */
struct verify {
	const struct ir_graph *g;
	struct error *err;
	uint64_t *written;
	bool *defined;
	uint32_t op;
};

static const char *tensor_name(const struct verify *v, uint32_t t)
{
	return t < v->g->tensor_count ? v->g->tensors[t].name : "?";
}

static int fail(const struct verify *v, uint32_t tensor, const char *what)
{
	const struct ir_op *op = &v->g->ops[v->op];
	const char *origin = op->origin < v->g->origin_count ? v->g->origins[op->origin] : "";

	return error_set(v->err, -EINVAL, "operation %u (%s %s), tensor %u (%s): %s", v->op,
			 ir_kind_info(op->kind)->name, origin, tensor, tensor_name(v, tensor), what);
}

static int check_tensor(const struct verify *v, uint32_t i)
{
	const struct ir_tensor *t = &v->g->tensors[i];
	uint64_t n = 1, hwc = 1;

	for (uint32_t d = 0; d < t->ndim && n <= INT32_MAX; d++)
		n *= t->shape[d] > 0 ? (uint64_t)t->shape[d] : UINT32_MAX;
	for (unsigned int d = 0; d < 3 && hwc <= INT32_MAX; d++)
		hwc *= t->hwc[d] > 0 ? (uint64_t)t->hwc[d] : UINT32_MAX;
	if (n > INT32_MAX || n != hwc)
		return error_set(v->err, -EINVAL,
				 "tensor %u (%s): its extents are too large or do not agree", i,
				 t->name);
	if (!elem_size(t->type))
		return error_set(v->err, -EINVAL, "tensor %u (%s): type %s has no size", i, t->name,
				 elem_name(t->type));
	if (t->data && t->size != ir_tensor_bytes(t))
		return error_set(v->err, -EINVAL, "tensor %u (%s): %zu bytes of data for %zu", i,
				 t->name, t->size, ir_tensor_bytes(t));
	if (t->quant.count > 1 &&
	    (t->quant.axis < 0 || (uint32_t)t->quant.axis >= t->ndim ||
	     t->quant.count != (uint32_t)t->shape[t->quant.axis]))
		return error_set(v->err, -EINVAL, "tensor %u (%s): %u scales do not fit its axis %d",
				 i, t->name, t->quant.count, t->quant.axis);
	for (uint32_t k = 0; k < t->quant.count; k++) {
		/* TFLite files have scales of 0 where nobody uses them; who does asks for more than that. */
		if (!(t->quant.scale[k] >= 0) || !isfinite(t->quant.scale[k]))
			return error_set(v->err, -EINVAL, "tensor %u (%s): scale %u is not a positive number",
					 i, t->name, k);
		if (t->quant.zero_point[k] < -ZERO_MAX || t->quant.zero_point[k] > ZERO_MAX)
			return error_set(v->err, -EINVAL, "tensor %u (%s): zero point %u is %d", i, t->name,
					 k, t->quant.zero_point[k]);
	}
	return 0;
}

static int check_read(const struct verify *v, uint32_t t)
{
	if (t >= v->g->tensor_count)
		return fail(v, t, "there is no such tensor");
	return v->defined[t] ? 0 : fail(v, t, "is read before it is written");
}

static int check_write(struct verify *v, uint32_t t, uint64_t elements)
{
	const struct ir_tensor *tensor;

	if (t >= v->g->tensor_count)
		return fail(v, t, "there is no such tensor");
	tensor = &v->g->tensors[t];
	if (tensor->data || tensor->input >= 0)
		return fail(v, t, "a constant or an input is written");
	v->written[t] += elements;
	/* A variable may be read and written by turns. */
	if (!tensor->variable && v->written[t] > ir_tensor_elements(tensor))
		return fail(v, t, "is written more than once");
	v->defined[t] = true;
	return 0;
}

static bool extent_ok(int32_t n)
{
	return n >= 1 && n <= EXTENT_MAX;
}

/* A view's elements are those of its tensor. */
static int check_view(const struct verify *v, const struct ir_view *view, const char *what)
{
	const struct ir_tensor *t;
	int64_t low, high, dy, dx, limit = INT64_C(1) << 40;

	if (!extent_ok(view->h) || !extent_ok(view->w) || !extent_ok(view->c))
		return fail(v, view->tensor, "a view's extent is out of range");
	if (view->scalar)
		return 0;
	if (view->tensor >= v->g->tensor_count)
		return fail(v, view->tensor, what);
	t = &v->g->tensors[view->tensor];
	if (elem_size(view->type) != elem_size(t->type))
		return fail(v, view->tensor, "a view has elements of another size");
	if (view->base < 0 || view->base > limit || view->sy < -limit || view->sy > limit ||
	    view->sx < -limit || view->sx > limit)
		return fail(v, view->tensor, "a view lies outside its tensor");
	dy = view->sy * (view->h - 1);
	dx = view->sx * (view->w - 1);
	low = view->base + (dy < 0 ? dy : 0) + (dx < 0 ? dx : 0);
	high = view->base + (dy > 0 ? dy : 0) + (dx > 0 ? dx : 0) + view->c;
	if (low < 0 || high > (int64_t)ir_tensor_elements(t))
		return fail(v, view->tensor, "a view lies outside its tensor");
	return 0;
}

static int check_constant(const struct verify *v, uint32_t t, size_t bytes, const char *what)
{
	const struct ir_graph *g = v->g;

	if (t >= g->tensor_count || !g->tensors[t].data || g->tensors[t].size != bytes)
		return fail(v, t, what);
	return 0;
}

/* The OFM as it is stored: its axes after transposing. */
static struct ir_view stored_ofm(const struct ir_npu *n)
{
	static const uint8_t axes[8][3] = {
		[IR_TRANSPOSE_HWC] = { 0, 1, 2 }, [IR_TRANSPOSE_WHC] = { 1, 0, 2 },
		[IR_TRANSPOSE_HCW] = { 0, 2, 1 }, [IR_TRANSPOSE_WCH] = { 1, 2, 0 },
		[IR_TRANSPOSE_CHW] = { 2, 0, 1 }, [IR_TRANSPOSE_CWH] = { 2, 1, 0 },
	};
	const int32_t extent[3] = { n->ofm.h, n->ofm.w, n->ofm.c };
	struct ir_view v = n->ofm;

	v.h = extent[axes[n->transpose & 7][0]];
	v.w = extent[axes[n->transpose & 7][1]];
	v.c = extent[axes[n->transpose & 7][2]];
	return v;
}

/* Weights as large as the kernel, an entry a channel. */
static int check_weights(const struct verify *v, const struct ir_npu *n, uint32_t channels)
{
	size_t want = (size_t)n->kernel_h * (size_t)n->kernel_w * (size_t)n->ofm.c;
	uint32_t t = n->weights;
	int rc;

	if (n->channels != channels || !n->channel_scale)
		return fail(v, n->ofm.tensor, "a convolution without scales for its channels");
	if (n->kind == IR_NPU_CONV)
		want *= (size_t)n->ifm.c;
	else if (n->ifm.c != n->ofm.c)
		return fail(v, n->ifm.tensor, "depthwise: input and output differ in channels");
	rc = check_constant(v, t, want, "weights are not a constant of the kernel's size");
	if (rc)
		return rc;
	if (v->g->tensors[t].type != ELEM_INT8 && v->g->tensors[t].type != ELEM_UINT8)
		return fail(v, t, "weights are neither int8 nor uint8");
	return 0;
}

static int check_lut(const struct verify *v, const struct ir_npu *n)
{
	static const uint16_t bytes[] = { 0, 256, 512, 1024, 2048, 2048, 2048, 2048 };

	if (n->lut > IR_LUT_SIGMOID)
		return fail(v, n->ofm.tensor, "unknown kind of table");
	if (n->lut == IR_LUT_NONE || (n->lut >= IR_LUT_TANH && n->lut_data == IR_NONE))
		return 0;
	return check_constant(v, n->lut_data, bytes[n->lut], "a table is not a constant of its size");
}

/* An operand of an elementwise operation is as large as the OFM, or 1, on each axis. */
static bool broadcasts(const struct ir_view *in, const struct ir_view *out)
{
	return in->scalar || ((in->h == out->h || in->h == 1) && (in->w == out->w || in->w == 1) &&
			      (in->c == out->c || in->c == 1));
}

static bool rows_follow(const struct ir_view *v)
{
	return (v->w == 1 || v->sx == v->c) && (v->h == 1 || v->sy == (int64_t)v->w * v->c);
}

/* A list of int32 and whole rows. */
static bool gathers(const struct ir_npu *n)
{
	const struct ir_view *list = &n->ifm2;

	return list->tensor != IR_NONE && !list->scalar && list->type == ELEM_INT32 && list->h == 1 &&
	       list->w == 1 && list->c == n->ofm.h && n->ifm.w == n->ofm.w && n->ifm.c == n->ofm.c &&
	       n->ifm.type == n->ofm.type && rows_follow(&n->ifm) && rows_follow(&n->ofm);
}

static int check_shapes(const struct verify *v, const struct ir_npu *n)
{
	uint32_t ofm = n->ofm.tensor;

	if (n->kernel_h < 1 || n->kernel_w < 1 || n->kernel_h > 65536 || n->kernel_w > 65536 ||
	    n->stride_y < 1 || n->stride_x < 1 || n->dilation_y < 1 || n->dilation_x < 1)
		return fail(v, ofm, "a kernel, stride or dilation below 1");
	if (n->pad_top < 0 || n->pad_left < 0 || n->pad_bottom < 0 || n->pad_right < 0)
		return fail(v, ofm, "negative padding");
	if (n->act_min > n->act_max)
		return fail(v, ofm, "the clamp's bounds are reversed");
	switch (n->kind) {
	case IR_NPU_CONV:
	case IR_NPU_DEPTHWISE:
		return check_weights(v, n, (uint32_t)n->ofm.c);
	case IR_NPU_ELEMENTWISE:
		if (!broadcasts(&n->ifm, &n->ofm) ||
		    (n->ifm2.tensor != IR_NONE && !broadcasts(&n->ifm2, &n->ofm)))
			return fail(v, ofm, "operands that do not broadcast to the output");
		return 0;
	case IR_NPU_POOL:
		if (n->mode != IR_POOL_REDUCE_SUM && n->ifm.c != n->ofm.c)
			return fail(v, ofm, "pooling: input and output differ in channels");
		return 0;
	case IR_NPU_MATMUL:
		if (n->ifm2.tensor == IR_NONE || n->ifm2.h != 1 || n->ifm2.w != n->ofm.c ||
		    n->ifm2.c != n->ifm.c)
			return fail(v, ofm, "the second matrix does not fit");
		return 0;
	case IR_NPU_GATHER:
		return gathers(n) ? 0 : fail(v, ofm, "no list of rows, or rows that do not fit");
	case IR_NPU_COPY:
	case IR_NPU_RESIZE:
		return 0;
	default:
		return fail(v, ofm, "unknown kind of operation");
	}
}

static int check_npu(struct verify *v, const struct ir_op *op)
{
	const struct ir_npu *n = op->npu;
	struct ir_view ofm;
	int rc;

	if (!n)
		return fail(v, IR_NONE, "an operation of the NPU without its description");
	ofm = stored_ofm(n);
	rc = check_view(v, &n->ifm, "an operation without an input");
	if (!rc && (n->ifm2.scalar || n->ifm2.tensor != IR_NONE))
		rc = check_view(v, &n->ifm2, "no such input");
	if (!rc && n->ofm.scalar)
		rc = fail(v, IR_NONE, "an output that is a number");
	if (!rc)
		rc = check_view(v, &ofm, "an operation without an output");
	if (!rc)
		rc = check_shapes(v, n);
	if (!rc)
		rc = check_lut(v, n);
	for (uint32_t i = 0; i < op->input_count && !rc; i++)
		rc = check_read(v, op->inputs[i]);
	return rc ? rc : check_write(v, n->ofm.tensor, (uint64_t)n->ofm.h * (uint64_t)n->ofm.w *
						       (uint64_t)n->ofm.c);
}

static int check_graph_op(struct verify *v, const struct ir_op *op)
{
	const struct ir_kind_info *info = ir_kind_info(op->kind);
	int rc;

	if (op->input_count < info->input_min || op->input_count > info->input_max)
		return fail(v, IR_NONE, "the operation does not have that number of inputs");
	if (op->output_count < info->output_min || op->output_count > info->output_max)
		return fail(v, IR_NONE, "the operation does not have that number of outputs");
	if (info->option_count && !op->options)
		return fail(v, IR_NONE, "the operation has no options");
	for (uint32_t i = 0; i < op->input_count; i++) {
		if (op->inputs[i] == IR_NONE)
			continue;
		rc = check_read(v, op->inputs[i]);
		if (rc)
			return rc;
	}
	for (uint32_t i = 0; i < op->output_count; i++) {
		uint32_t t = op->outputs[i];

		rc = check_write(v, t, t < v->g->tensor_count ?
				 ir_tensor_elements(&v->g->tensors[t]) : 0);
		if (rc)
			return rc;
	}
	return 0;
}

static int check_ends(const struct verify *v)
{
	const struct ir_graph *g = v->g;

	for (uint32_t i = 0; i < g->input_count; i++)
		if (g->inputs[i] >= g->tensor_count || g->tensors[g->inputs[i]].data)
			return error_set(v->err, -EINVAL, "input %u is no tensor, or a constant", i);
	for (uint32_t i = 0; i < g->output_count; i++)
		if (g->outputs[i] >= g->tensor_count || !v->defined[g->outputs[i]])
			return error_set(v->err, -EINVAL, "output %u (%s) is never written", i,
					 tensor_name(v, g->outputs[i]));
	return 0;
}

int ir_verify(const struct ir_graph *g, struct error *err)
{
	struct verify v = { .g = g, .err = err };
	size_t room = g->tensor_count ? g->tensor_count : 1;
	int rc = 0;

	v.written = calloc(room, sizeof(*v.written));
	v.defined = calloc(room, sizeof(*v.defined));
	if (!v.written || !v.defined) {
		rc = error_set(err, -ENOMEM, "out of memory");
		goto out;
	}
	for (uint32_t i = 0; i < g->tensor_count && !rc; i++) {
		const struct ir_tensor *t = &g->tensors[i];

		rc = check_tensor(&v, i);
		v.defined[i] = t->data || t->input >= 0 || t->variable;
	}
	for (v.op = 0; v.op < g->op_count && !rc; v.op++) {
		const struct ir_op *op = &g->ops[v.op];

		if (op->kind >= IR_KIND_COUNT)
			rc = error_set(err, -EINVAL, "operation %u is of no known kind", v.op);
		else
			rc = op->kind == IR_NPU ? check_npu(&v, op) : check_graph_op(&v, op);
	}
	if (!rc)
		rc = check_ends(&v);
out:
	free(v.written);
	free(v.defined);
	return rc;
}
