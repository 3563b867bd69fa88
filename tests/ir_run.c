/* SPDX-License-Identifier: MIT */
/* Tests: operations of lowered graphs on the simulator's reference functions. */
#include "tests/ir_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/ref_arith.h"
#include "sim/ref_ops.h"

#define ALIGN	16

struct ir_run {
	const struct ir_graph *g;
	bool u85;
	uint8_t *memory;
	size_t size;
	int64_t *offset;
};

static void fill_variable(const struct ir_run *r, uint32_t t)
{
	const struct ir_tensor *tensor = &r->g->tensors[t];
	int32_t zero = tensor->quant.count ? tensor->quant.zero_point[0] : 0;
	size_t n = ir_tensor_elements(tensor), es = elem_size(tensor->type);

	for (size_t i = 0; i < n; i++)
		memcpy(r->memory + r->offset[t] + i * es, &zero, es < 4 ? es : 4);
}

void ir_run_reset(struct ir_run *r)
{
	for (uint32_t t = 0; t < r->g->tensor_count; t++)
		if (r->g->tensors[t].variable)
			fill_variable(r, t);
}

struct ir_run *ir_run_new(const struct ir_graph *g, bool u85)
{
	struct ir_run *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->g = g;
	r->u85 = u85;
	r->offset = calloc(g->tensor_count ? g->tensor_count : 1, sizeof(*r->offset));
	for (uint32_t t = 0; r->offset && t < g->tensor_count; t++) {
		r->offset[t] = (int64_t)r->size;
		r->size += (ir_tensor_bytes(&g->tensors[t]) + ALIGN - 1) / ALIGN * ALIGN;
	}
	r->memory = calloc(r->size ? r->size : 1, 1);
	if (!r->offset || !r->memory) {
		ir_run_free(r);
		return NULL;
	}
	for (uint32_t t = 0; t < g->tensor_count; t++)
		if (g->tensors[t].data)
			memcpy(r->memory + r->offset[t], g->tensors[t].data, g->tensors[t].size);
	ir_run_reset(r);
	return r;
}

void ir_run_free(struct ir_run *r)
{
	if (!r)
		return;
	free(r->memory);
	free(r->offset);
	free(r);
}

void *ir_run_data(struct ir_run *r, uint32_t tensor)
{
	return r->memory + r->offset[tensor];
}

static void set_fm(const struct ir_run *r, const struct ir_view *v, struct npu_fm *fm)
{
	size_t es = elem_size(v->type);

	*fm = (struct npu_fm){ 0 };
	fm->elem_log2 = es == 4 ? 2 : es == 2 ? 1 : 0;
	fm->is_signed = v->type != ELEM_UINT8 && v->type != ELEM_UINT16;
	fm->zero_point = v->zero_point;
	fm->space = 1;
	fm->height = (uint32_t)v->h;
	fm->width = (uint32_t)v->w;
	fm->depth = (uint32_t)v->c;
	fm->width0 = fm->width;
	fm->height0 = fm->height1 = fm->height;
	fm->stride_c = (int64_t)es;
	if (v->scalar) {
		fm->broadcast = NPU_BROADCAST_SCALAR;
		return;
	}
	if (v->tensor == IR_NONE)
		return;
	fm->base[0] = r->offset[v->tensor] + v->base * (int64_t)es;
	fm->stride_y = v->sy * (int64_t)es;
	fm->stride_x = v->sx * (int64_t)es;
}

static void set_broadcast(struct npu_fm *fm, const struct ir_view *ofm)
{
	if (fm->broadcast & NPU_BROADCAST_SCALAR)
		return;
	fm->broadcast = (fm->height == 1 && ofm->h > 1 ? NPU_BROADCAST_H : 0) |
			(fm->width == 1 && ofm->w > 1 ? NPU_BROADCAST_W : 0) |
			(fm->depth == 1 && ofm->c > 1 ? NPU_BROADCAST_C : 0);
}

/* Stored axes of a transposed OFM, from those before. */
static void transpose_extent(unsigned int transpose, const struct ir_view *v, struct npu_fm *fm)
{
	uint32_t h = (uint32_t)v->h, w = (uint32_t)v->w, c = (uint32_t)v->c;
	const uint32_t axes[8][3] = {
		[IR_TRANSPOSE_HWC] = { h, w, c }, [IR_TRANSPOSE_WHC] = { w, h, c },
		[IR_TRANSPOSE_HCW] = { h, c, w }, [IR_TRANSPOSE_WCH] = { w, c, h },
		[IR_TRANSPOSE_CHW] = { c, h, w }, [IR_TRANSPOSE_CWH] = { c, w, h },
	};

	fm->height = fm->height0 = fm->height1 = axes[transpose & 7][0];
	fm->width = fm->width0 = axes[transpose & 7][1];
	fm->depth = axes[transpose & 7][2];
}

static unsigned int lut_kind(const struct ir_run *r, const struct ir_npu *n)
{
	static const uint8_t kinds[] = {
		[IR_LUT_NONE] = NPU_LUT_NONE, [IR_LUT_8_8] = NPU_LUT_S8_S8,
		[IR_LUT_8_16] = NPU_LUT_S8_S16, [IR_LUT_8_32] = NPU_LUT_S8_S32,
		[IR_LUT_16_16] = NPU_LUT_S16_S16, [IR_LUT_16_32] = NPU_LUT_S16_S32,
		[IR_LUT_TANH] = NPU_LUT_TANH, [IR_LUT_SIGMOID] = NPU_LUT_SIGMOID,
	};

	(void)r;
	if (n->lut == IR_LUT_8_8 && n->ofm.type == ELEM_UINT8)
		return NPU_LUT_U8_U8;
	if (n->lut_data == IR_NONE && n->lut == IR_LUT_TANH)
		return NPU_LUT_TANH_BUILTIN;
	if (n->lut_data == IR_NONE && n->lut == IR_LUT_SIGMOID)
		return NPU_LUT_SIGMOID_BUILTIN;
	return kinds[n->lut];
}

static struct npu_scale scale_of(struct ir_scale s, unsigned int round, unsigned int dbl)
{
	return (struct npu_scale){ .scale = s.scale, .shift = s.shift, .round = (uint8_t)round,
				   .dbl = (uint8_t)dbl };
}

static void set_op(const struct ir_run *r, const struct ir_npu *n, struct npu_op *op)
{
	static const uint8_t kinds[] = {
		[IR_NPU_CONV] = NPU_KIND_CONV, [IR_NPU_DEPTHWISE] = NPU_KIND_DEPTHWISE,
		[IR_NPU_MATMUL] = NPU_KIND_MATMUL, [IR_NPU_POOL] = NPU_KIND_POOL,
		[IR_NPU_ELEMENTWISE] = NPU_KIND_ELEMENTWISE, [IR_NPU_RESIZE] = NPU_KIND_RESIZE,
		[IR_NPU_COPY] = NPU_KIND_DMA, [IR_NPU_GATHER] = NPU_KIND_DMA,
	};
	unsigned int dbl = !n->ifm_dbl ? 0 : elem_size(n->ifm.type) == 2 ? 15 : 20;

	*op = (struct npu_op){ 0 };
	op->kind = kinds[n->kind];
	op->mode = n->mode;
	set_fm(r, &n->ifm, &op->a);
	set_fm(r, &n->ifm2, &op->b);
	set_fm(r, &n->ofm, &op->ofm);
	op->oh = (uint32_t)n->ofm.h;
	op->ow = (uint32_t)n->ofm.w;
	op->oc = (uint32_t)n->ofm.c;
	if (n->transpose)
		transpose_extent(n->transpose, &n->ofm, &op->ofm);
	if (n->kind == IR_NPU_ELEMENTWISE) {
		set_broadcast(&op->a, &n->ofm);
		set_broadcast(&op->b, &n->ofm);
		op->scalar = n->ifm.scalar ? n->ifm.value : n->ifm2.value;
	}
	op->lut = (uint8_t)lut_kind(r, n);
	op->round = n->round;
	op->hw_divide = n->hw_divide;
	op->clamp = elem_size(n->ofm.type) < 4 || n->lut;
	op->act_min = n->act_min;
	op->act_max = n->act_max;
	op->a_scale = scale_of(n->ifm_scale, IR_ROUND_TFL, dbl);
	op->b_scale = scale_of(n->ifm2_scale, IR_ROUND_TFL, dbl);
	op->ofm_scale = scale_of(n->ofm_scale, n->round, 0);
	/* The registers of 32-bit results leave their zero point out. */
	if (elem_size(n->ofm.type) == 4 && !n->lut)
		op->ofm.zero_point = 0;
	op->kernel_h = (uint16_t)n->kernel_h;
	op->kernel_w = (uint16_t)n->kernel_w;
	op->stride_y = (uint8_t)n->stride_y;
	op->stride_x = (uint8_t)n->stride_x;
	op->dilation_y = (uint8_t)n->dilation_y;
	op->dilation_x = (uint8_t)n->dilation_x;
	op->pad_top = (uint8_t)n->pad_top;
	op->pad_left = (uint8_t)n->pad_left;
	op->pad_bottom = (uint8_t)n->pad_bottom;
	op->pad_right = (uint8_t)n->pad_right;
	op->upscale = n->upscale;
	op->transpose = n->transpose;
	op->reverse = n->reverse;
	op->acc48 = n->acc48;
	op->resize_off_y = n->resize_off_y;
	op->resize_off_x = n->resize_off_x;
	op->resize_n_y = n->resize_n_y;
	op->resize_n_x = n->resize_n_x;
	op->resize_step_y = n->resize_d_y;
	op->resize_step_x = n->resize_d_x;
}

/* The weight of output channel @o at tap @t and input channel @i, without its zero point. */
static int64_t weight_at(const struct ir_run *r, const struct ir_npu *n, size_t o, size_t t, size_t i)
{
	const struct ir_tensor *w = &r->g->tensors[n->weights];
	size_t taps = (size_t)n->kernel_h * (size_t)n->kernel_w, at;
	int64_t v;

	at = n->kind == IR_NPU_DEPTHWISE ? t * (size_t)n->ofm.c + o
					 : (o * taps + t) * (size_t)n->ifm.c + i;
	v = w->type == ELEM_UINT8 ? ((const uint8_t *)w->data)[at] : ((const int8_t *)w->data)[at];
	return v - (n->weight_zero_points ? n->weight_zero_points[o] : 0);
}

/* Inputs under the kernel, zero points subtracted; padding is 0. */
static void load_patch(struct ref_job *job, const struct ref_window *win, uint32_t y, uint32_t x,
		       int64_t *patch)
{
	const struct npu_op *op = win->op;
	uint32_t iy, ix;
	bool zero;

	for (unsigned int ky = 0; ky < op->kernel_h; ky++)
		for (unsigned int kx = 0; kx < op->kernel_w; kx++) {
			bool inside = ref_window_tap(win, y, x, ky, kx, &iy, &ix, &zero);

			for (uint32_t c = 0; c < op->a.depth; c++)
				*patch++ = inside && !zero ? ref_value(job, &op->a, iy, ix, c) : 0;
		}
}

static int run_conv(struct ref_job *job, const struct ir_run *r, const struct ir_npu *n,
		    struct npu_op *op)
{
	size_t taps = (size_t)n->kernel_h * (size_t)n->kernel_w, depth = (size_t)n->ifm.c;
	bool depthwise = n->kind == IR_NPU_DEPTHWISE;
	size_t per = depthwise ? taps : taps * depth;
	int64_t *patch = calloc(taps * depth, sizeof(*patch));
	int16_t *weights = calloc(per * op->oc, sizeof(*weights));
	struct ref_window win;

	if (!patch || !weights) {
		free(patch);
		free(weights);
		return -ENOMEM;
	}
	for (size_t o = 0; o < op->oc; o++)
		for (size_t k = 0; k < per; k++)
			weights[o * per + k] = (int16_t)(depthwise ?
				weight_at(r, n, o, k, 0) : weight_at(r, n, o, k / depth, k % depth));
	op->per_channel = 1;
	ref_window_init(&win, op);
	for (uint32_t y = 0; y < op->oh; y++)
		for (uint32_t x = 0; x < op->ow; x++) {
			load_patch(job, &win, y, x, patch);
			for (uint32_t o = 0; o < op->oc; o++) {
				int64_t acc = n->bias ? n->bias[o] : 0;

				for (size_t k = 0; k < per; k++)
					acc += weights[o * per + k] *
					       (depthwise ? patch[k * depth + o] : patch[k]);
				acc = ref_scale(acc, n->channel_scale[o].scale,
						n->channel_scale[o].shift, n->round);
				ref_output(job, op, y, x, o, acc);
			}
		}
	free(patch);
	free(weights);
	return job->err;
}

/* Rows picked by a list. */
static int run_gather(struct ir_run *r, const struct ir_npu *n, const struct npu_op *op)
{
	size_t row = (size_t)n->ofm.w * (size_t)n->ofm.c * elem_size(n->ofm.type);

	for (int32_t i = 0; i < n->ofm.h; i++) {
		int32_t from;

		memcpy(&from, r->memory + op->b.base[0] + 4 * i, sizeof(from));
		if (from < 0 || from >= n->ifm.h)
			return -EIO;
		memcpy(r->memory + op->ofm.base[0] + (size_t)i * row,
		       r->memory + op->a.base[0] + (size_t)from * row, row);
	}
	return 0;
}

int ir_run_op(struct ir_run *r, const struct ir_npu *n)
{
	struct npu_space_map maps[NPU_SPACES] = { 0 };
	int no = 0;
	struct ref_job job = { .maps = maps, .abort = &no };
	struct npu_op op;

	maps[1] = (struct npu_space_map){ .base = r->memory, .lo = 0, .hi = (int64_t)r->size };
	if (n->lut_data != IR_NONE)
		maps[NPU_SPACE_INTERNAL] = (struct npu_space_map){
			.base = ir_run_data(r, n->lut_data), .lo = 0,
			.hi = (int64_t)r->g->tensors[n->lut_data].size };
	set_op(r, n, &op);
	switch (n->kind) {
	case IR_NPU_CONV:
	case IR_NPU_DEPTHWISE:
		return run_conv(&job, r, n, &op);
	case IR_NPU_MATMUL:
		ref_matmul(&job, &op);
		break;
	case IR_NPU_POOL:
		ref_pool(&job, &op);
		break;
	case IR_NPU_ELEMENTWISE:
		ref_elementwise(&job, &op);
		break;
	case IR_NPU_RESIZE:
		ref_resize(&job, &op);
		break;
	case IR_NPU_GATHER:
		return run_gather(r, n, &op);
	default:
		memmove(r->memory + op.ofm.base[0], r->memory + op.a.base[0],
			(size_t)n->ofm.h * (size_t)n->ofm.w * (size_t)n->ofm.c *
			elem_size(n->ofm.type));
	}
	return job.err;
}
