/* SPDX-License-Identifier: MIT */
/* Random graphs of NPU operations: convolutions, pools, elementwise, slices and joins of tensors. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/backend.h"

struct draw {
	struct backend_graph *b;
	struct rng *rng;
	unsigned int family;
	bool chain;	/* each operation reads the whole of what the one before made */
};

static int32_t range(const struct draw *d, int32_t lo, int32_t hi)
{
	return (int32_t)rng_range(d->rng, lo, hi);
}

static bool one_in(const struct draw *d, unsigned int n)
{
	return rng_one_in(d->rng, n);
}

static void *block(const struct draw *d, size_t size)
{
	void *p = calloc(1, size ? size : 1);

	d->b->blocks[d->b->block_count++] = p;
	return p;
}

static uint32_t add_tensor(const struct draw *d, int type, int32_t h, int32_t w, int32_t c)
{
	struct backend_graph *b = d->b;
	uint32_t i = b->g.tensor_count++;
	struct ir_tensor *t = &b->tensors[i];

	snprintf(b->names[i], sizeof(b->names[i]), "t%u", i % 1000);
	*t = (struct ir_tensor){ .name = b->names[i], .type = type, .ndim = 4,
				 .shape = { 1, h, w, c }, .hwc = { h, w, c }, .input = -1,
				 .output = -1 };
	b->values[i] = calloc((size_t)h * (size_t)w * (size_t)c, sizeof(int64_t));
	return i;
}

static size_t elements(const struct ir_tensor *t)
{
	return (size_t)t->hwc[0] * (size_t)t->hwc[1] * (size_t)t->hwc[2];
}

static void type_range(int type, int32_t *lo, int32_t *hi)
{
	*lo = type == ELEM_INT8 ? -128 : type == ELEM_UINT8 ? 0 : -32768;
	*hi = type == ELEM_INT8 ? 127 : type == ELEM_UINT8 ? 255 : 32767;
}

static void fill(const struct draw *d, uint32_t tensor)
{
	const struct ir_tensor *t = &d->b->tensors[tensor];
	int32_t lo, hi;

	type_range(t->type, &lo, &hi);
	for (size_t i = 0; i < elements(t); i++)
		d->b->values[tensor][i] = range(d, lo, hi);
}

/* A constant with random contents; weights are often 0. */
static uint32_t add_constant(const struct draw *d, int type, int32_t h, int32_t w, int32_t c,
			     unsigned int zeros)
{
	uint32_t i = add_tensor(d, type, h, w, c);
	struct ir_tensor *t = &d->b->tensors[i];
	size_t n = elements(t);
	void *data = block(d, n * elem_size(type));

	fill(d, i);
	for (size_t j = 0; j < n; j++) {
		if (zeros && (unsigned int)range(d, 0, 99) < zeros)
			d->b->values[i][j] = 0;
		backend_store(data, type, j, d->b->values[i][j]);
	}
	t->data = data;
	t->size = n * elem_size(type);
	return i;
}

/*
 * Weights as pruning and clustering leave them: at most two in four neighbouring input channels other
 * than @zero, or few values.
 */
static void compress(const struct draw *d, uint32_t weights, int32_t ic, int32_t zero)
{
	const struct ir_tensor *t = &d->b->tensors[weights];
	int64_t *w = d->b->values[weights];
	bool two_four = one_in(d, 2), few = !two_four || one_in(d, 4);
	int32_t step = few ? range(d, 10, 80) : 1;
	unsigned int keep = 0;

	for (size_t i = 0; i < elements(t); i++) {
		size_t at = i % (size_t)ic % 4;

		if (at == 0)
			keep = (unsigned int)range(d, 0, 15);
		if (two_four && ((keep >> at & 1) == 0 ||
				 __builtin_popcount(keep & ((2u << at) - 1)) > 2))
			w[i] = zero;
		else
			w[i] = zero + (w[i] - zero) / step * step;
		backend_store((void *)(uintptr_t)t->data, t->type, i, w[i]);
	}
}

static struct ir_view whole_view(const struct draw *d, uint32_t tensor)
{
	const struct ir_tensor *t = &d->b->tensors[tensor];
	int32_t lo, hi;

	type_range(t->type, &lo, &hi);
	return (struct ir_view){ .tensor = tensor, .sy = (int64_t)t->hwc[1] * t->hwc[2],
				 .sx = t->hwc[2], .h = t->hwc[0], .w = t->hwc[1], .c = t->hwc[2],
				 .zero_point = elem_size(t->type) == 1 ? range(d, lo, hi) : 0,
				 .type = t->type };
}

/* A part of a tensor: rows, columns or channels left out, every other row. */
static struct ir_view part_view(const struct draw *d, uint32_t tensor)
{
	struct ir_view v = whole_view(d, tensor);

	if (d->chain || !one_in(d, 3))
		return v;
	if (one_in(d, 2) && v.h > 1) {
		int32_t y = range(d, 0, v.h - 1);

		v.base += y * v.sy;
		v.h = range(d, 1, v.h - y);
	}
	if (one_in(d, 2) && v.w > 1) {
		int32_t x = range(d, 0, v.w - 1);

		v.base += x * v.sx;
		v.w = range(d, 1, v.w - x);
	}
	if (one_in(d, 2) && v.c > 1) {
		int32_t c = range(d, 0, v.c - 1);

		if (one_in(d, 2))
			c &= ~15;
		v.base += c;
		v.c = range(d, 1, v.c - c);
	}
	if (one_in(d, 3) && v.h > 2) {
		v.h = (v.h + 1) / 2;
		v.sy *= 2;
	}
	if (one_in(d, 6) && v.w > 2) {
		v.w = (v.w + 1) / 2;
		v.sx *= 2;
	}
	return v;
}

/* One that can be read, rather a young one. */
static uint32_t any_tensor(const struct draw *d)
{
	struct backend_graph *b = d->b;
	uint32_t i;

	do {
		i = d->chain || one_in(d, 2) ? b->g.tensor_count - 1 :
				   (uint32_t)range(d, 0, (int32_t)b->g.tensor_count - 1);
		for (; i && (b->tensors[i].data || elem_size(b->tensors[i].type) == 4); i--)
			;
	} while (b->tensors[i].data || elem_size(b->tensors[i].type) == 4);
	b->read[i] = true;
	return i;
}

static void scale_for(const struct draw *d, struct ir_scale *s, double bits_in, unsigned int bits_out)
{
	int shift = 31 + (int)bits_in - (int)bits_out + range(d, -2, 1);

	*s = (struct ir_scale){ .scale = (uint32_t)range(d, 1 << 30, INT32_MAX),
				.shift = (uint8_t)(shift < 0 ? 0 : shift > 63 ? 63 : shift) };
}

static void draw_clamp(const struct draw *d, struct ir_npu *n)
{
	int32_t lo, hi;

	type_range(n->ofm.type, &lo, &hi);
	n->act_min = lo;
	n->act_max = hi;
	if (one_in(d, 3)) {
		n->act_min = range(d, lo, hi);
		n->act_max = range(d, n->act_min, hi);
	}
}

/* Into a new tensor, or a part of a larger one that another operation completes. */
static void draw_ofm(const struct draw *d, struct ir_npu *n, int type, int32_t h, int32_t w, int32_t c)
{
	n->ofm = whole_view(d, add_tensor(d, type, h, w, c));
	draw_clamp(d, n);
}

static int log2_up(int64_t n)
{
	int bits = 0;

	while (1ll << bits < n)
		bits++;
	return bits;
}

static bool draw_window(const struct draw *d, struct ir_npu *n, int32_t most_taps, int32_t *oh,
			int32_t *ow)
{
	bool big = one_in(d, 12);

	n->kernel_h = range(d, 1, big ? 2 * most_taps : most_taps);
	n->kernel_w = range(d, 1, big ? 2 * most_taps : most_taps);
	n->stride_y = range(d, 1, d->chain ? 2 : 3);
	n->stride_x = range(d, 1, d->chain ? 2 : 3);
	if (d->chain && one_in(d, 2))
		n->stride_y = n->stride_x = 1;
	n->dilation_y = n->kind == IR_NPU_POOL ? 1 : range(d, 1, 2);
	n->dilation_x = n->kind == IR_NPU_POOL ? 1 : range(d, 1, 2);
	n->pad_top = one_in(d, 2) ? range(d, 0, (n->kernel_h - 1) * n->dilation_y) : 0;
	n->pad_left = one_in(d, 2) ? range(d, 0, (n->kernel_w - 1) * n->dilation_x) : 0;
	n->pad_bottom = one_in(d, 2) ? range(d, 0, (n->kernel_h - 1) * n->dilation_y) : 0;
	n->pad_right = one_in(d, 2) ? range(d, 0, (n->kernel_w - 1) * n->dilation_x) : 0;
	*oh = (n->upscale ? 2 : 1) * n->ifm.h + n->pad_top + n->pad_bottom -
	      ((n->kernel_h - 1) * n->dilation_y + 1);
	*ow = (n->upscale ? 2 : 1) * n->ifm.w + n->pad_left + n->pad_right -
	      ((n->kernel_w - 1) * n->dilation_x + 1);
	if (*oh < 0 || *ow < 0)
		return false;
	*oh = *oh / n->stride_y + 1;
	*ow = *ow / n->stride_x + 1;
	return true;
}

static bool draw_conv(const struct draw *d, struct ir_npu *n, bool depthwise)
{
	bool wide;
	int32_t oh, ow, oc, ic;
	struct ir_scale *scales;
	int64_t *bias;

	n->kind = depthwise ? IR_NPU_DEPTHWISE : IR_NPU_CONV;
	n->ifm = part_view(d, any_tensor(d));
	if (elem_size(n->ifm.type) == 4)
		return false;
	wide = n->ifm.type == ELEM_INT16;
	if (one_in(d, 10))
		n->upscale = (uint8_t)range(d, IR_UPSCALE_NEAREST, IR_UPSCALE_ZEROS);
	if (!draw_window(d, n, 5, &oh, &ow))
		return false;
	ic = n->ifm.c;
	oc = depthwise ? ic : range(d, 1, one_in(d, 4) ? 150 : 40);
	if ((int64_t)oh * ow * oc * ic * n->kernel_h * n->kernel_w > 20000000)
		return false;
	n->weights = add_constant(d, wide || one_in(d, 2) ? ELEM_INT8 : ELEM_UINT8, 1,
				  n->kernel_h * n->kernel_w, depthwise ? ic : oc * ic,
				  one_in(d, 2) ? 70 : 5);
	if (d->b->tensors[n->weights].type == ELEM_UINT8) {
		int32_t *zero = block(d, (size_t)oc * sizeof(*zero)), value = range(d, 0, 255);

		for (int32_t i = 0; i < oc; i++)
			zero[i] = value;
		n->weight_zero_points = zero;
	}
	if (one_in(d, 3))
		compress(d, n->weights, depthwise ? 1 : ic,
			 n->weight_zero_points ? n->weight_zero_points[0] : 0);
	scales = block(d, (size_t)oc * sizeof(*scales));
	bias = block(d, (size_t)oc * sizeof(*bias));
	for (int32_t i = 0; i < oc; i++) {
		scale_for(d, &scales[i], 14 + log2_up(n->kernel_h * n->kernel_w * (depthwise ? 1 : ic)) / 2.0,
			  8);
		bias[i] = range(d, -20000, 20000);
		if (wide) {
			scales[i].scale >>= 16;
			scales[i].shift = (uint8_t)(scales[i].shift - 16);
		}
	}
	n->channels = (uint32_t)oc;
	n->channel_scale = scales;
	n->bias = one_in(d, 5) ? NULL : bias;
	n->acc48 = wide;
	n->round = wide ? IR_ROUND_NATURAL : one_in(d, 4) ? IR_ROUND_NATURAL : IR_ROUND_TFL;
	draw_ofm(d, n, n->ifm.type, oh, ow, oc);
	return true;
}

/* What moves elements and does nothing else. */
static bool draw_copy(const struct draw *d, struct ir_npu *n)
{
	n->kind = IR_NPU_POOL;
	n->mode = IR_POOL_SUM;
	n->ifm = part_view(d, any_tensor(d));
	n->kernel_h = n->kernel_w = n->stride_y = n->stride_x = 1;
	n->dilation_y = n->dilation_x = 1;
	n->ofm_scale = (struct ir_scale){ .scale = 1 };
	n->round = IR_ROUND_NATURAL;
	draw_ofm(d, n, n->ifm.type, n->ifm.h, n->ifm.w, n->ifm.c);
	return true;
}

static bool draw_pool(const struct draw *d, struct ir_npu *n)
{
	int32_t oh, ow;

	n->kind = IR_NPU_POOL;
	n->mode = one_in(d, 4) ? IR_POOL_REDUCE_SUM : one_in(d, 2) ? IR_POOL_MAX : IR_POOL_SUM;
	n->ifm = part_view(d, any_tensor(d));
	if (elem_size(n->ifm.type) == 4)
		return false;
	n->ofm_scale = (struct ir_scale){ .scale = 1 };
	n->round = IR_ROUND_NATURAL;
	if (n->mode == IR_POOL_REDUCE_SUM) {
		n->kernel_h = n->kernel_w = n->stride_y = n->stride_x = 1;
		n->dilation_y = n->dilation_x = 1;
		draw_ofm(d, n, one_in(d, 2) ? ELEM_INT32 : n->ifm.type, n->ifm.h, n->ifm.w, 1);
		if (n->ofm.type != ELEM_INT32)
			scale_for(d, &n->ofm_scale, 8 + log2_up(n->ifm.c) / 2.0, 8);
		return true;
	}
	if (!draw_window(d, n, 6, &oh, &ow))
		return false;
	if (n->mode == IR_POOL_SUM) {
		/* Padding: the hardware divides. None: the factor does. */
		bool pads = n->pad_top || n->pad_left ||
			    (oh - 1) * n->stride_y + n->kernel_h - n->pad_top > n->ifm.h ||
			    (ow - 1) * n->stride_x + n->kernel_w - n->pad_left > n->ifm.w;

		if (pads && (n->kernel_h > 8 || n->kernel_w > 8))
			return false;
		if (pads)
			n->mode = IR_POOL_AVERAGE;
		n->hw_divide = pads;
		if (!pads)
			scale_for(d, &n->ofm_scale, 8 + log2_up(n->kernel_h * n->kernel_w), 8);
	}
	draw_ofm(d, n, n->ifm.type, oh, ow, n->ifm.c);
	if (n->mode == IR_POOL_SUM && elem_size(n->ofm.type) == 1 && one_in(d, 2)) {
		n->lut = IR_LUT_8_8;
		n->lut_data = add_constant(d, n->ofm.type, 1, 1, 256, 0);
	}
	return true;
}

/* A second operand: the like of the first, broadcast, a constant, or one number. */
static void draw_second(const struct draw *d, struct ir_npu *n)
{
	const struct ir_view *a = &n->ifm;
	struct backend_graph *b = d->b;
	int32_t h = a->h, w = a->w, c = a->c;

	if (one_in(d, 5)) {
		n->ifm2 = *a;
		n->ifm2.tensor = IR_NONE;
		n->ifm2.scalar = true;
		n->ifm2.value = range(d, a->type == ELEM_UINT8 ? 0 : -100, 100);
		return;
	}
	for (uint32_t i = b->g.tensor_count; i--;) {
		const struct ir_tensor *t = &b->tensors[i];

		if (!d->chain && t->type == a->type && t->hwc[0] == h && t->hwc[1] == w && t->hwc[2] == c &&
		    !t->data && one_in(d, 2)) {
			n->ifm2 = whole_view(d, i);
			b->read[i] = true;
			return;
		}
	}
	if (one_in(d, 3))
		h = 1;
	if (one_in(d, 3))
		w = 1;
	if (one_in(d, 3))
		c = 1;
	n->ifm2 = whole_view(d, add_constant(d, a->type, h, w, c, 0));
}

static bool draw_elementwise(const struct draw *d, struct ir_npu *n)
{
	static const uint8_t modes[] = { IR_ELT_ADD, IR_ELT_SUB, IR_ELT_MUL, IR_ELT_MIN, IR_ELT_MAX,
					 IR_ELT_ABS };
	bool narrow;

	n->kind = IR_NPU_ELEMENTWISE;
	n->mode = modes[range(d, 0, sizeof(modes) - 1)];
	n->ifm = part_view(d, any_tensor(d));
	if (elem_size(n->ifm.type) == 4)
		return false;
	n->ifm_scale = n->ifm2_scale = n->ofm_scale = (struct ir_scale){ .scale = 1 };
	n->round = IR_ROUND_NATURAL;
	if (n->mode != IR_ELT_ABS)
		draw_second(d, n);
	if (n->mode != IR_ELT_ABS && one_in(d, 3)) {
		struct ir_view first = n->ifm;

		n->ifm = n->ifm2;
		n->ifm2 = first;
	}
	narrow = elem_size(n->ifm.type) == 1;
	if ((n->mode == IR_ELT_ADD || n->mode == IR_ELT_SUB) && one_in(d, 2)) {
		struct ir_scale moved = { .scale = 1u << 30, .shift = narrow ? 11 : 16 };
		struct ir_scale other = { .scale = (uint32_t)range(d, 1 << 30, INT32_MAX),
					  .shift = (uint8_t)((narrow ? 11 : 16) + range(d, 0, 5)) };

		n->ifm_dbl = true;
		n->round = IR_ROUND_TFL;
		n->ifm_scale = one_in(d, 2) ? moved : other;
		n->ifm2_scale = n->ifm_scale.scale == moved.scale ? other : moved;
		scale_for(d, &n->ofm_scale, narrow ? 28 : 31, narrow ? 8 : 16);
	} else if (n->mode == IR_ELT_MUL) {
		n->round = IR_ROUND_TFL;
		scale_for(d, &n->ofm_scale, narrow ? 14 : 28, narrow ? 8 : 16);
	}
	draw_ofm(d, n, n->ifm.type, n->ifm.scalar ? n->ifm2.h : n->ifm.h > n->ifm2.h ? n->ifm.h : n->ifm2.h,
		 n->ifm.scalar ? n->ifm2.w : n->ifm.w > n->ifm2.w ? n->ifm.w : n->ifm2.w,
		 n->ifm.scalar ? n->ifm2.c : n->ifm.c > n->ifm2.c ? n->ifm.c : n->ifm2.c);
	return true;
}

/* The convolution before once more, with the same weights. */
static bool draw_again(const struct draw *d, struct ir_npu *n)
{
	const struct ir_npu *last = n - 1;

	if (!d->b->g.op_count || (last->kind != IR_NPU_CONV && last->kind != IR_NPU_DEPTHWISE))
		return false;
	*n = *last;
	draw_ofm(d, n, last->ofm.type, last->ofm.h, last->ofm.w, last->ofm.c);
	return true;
}

/* U85: rows picked by a list. */
static bool draw_gather(const struct draw *d, struct ir_npu *n)
{
	int32_t count = range(d, 1, one_in(d, 3) ? 40 : 5);
	uint32_t list = add_constant(d, ELEM_INT32, 1, 1, count, 0);
	const struct ir_tensor *t = &d->b->tensors[list];

	n->kind = IR_NPU_GATHER;
	n->ifm = whole_view(d, any_tensor(d));
	n->ifm2 = whole_view(d, list);
	n->ifm.zero_point = n->ifm2.zero_point = 0;
	for (int32_t i = 0; i < count; i++) {
		d->b->values[list][i] = range(d, 0, n->ifm.h - 1);
		backend_store((void *)(uintptr_t)t->data, t->type, (size_t)i, d->b->values[list][i]);
	}
	n->kernel_h = n->kernel_w = n->stride_y = n->stride_x = 1;
	n->dilation_y = n->dilation_x = 1;
	draw_ofm(d, n, n->ifm.type, count, n->ifm.w, n->ifm.c);
	n->ofm.zero_point = 0;
	type_range(n->ofm.type, &n->act_min, &n->act_max);
	return true;
}

static bool draw_op(const struct draw *d, struct ir_npu *n)
{
	if (one_in(d, 4) && draw_again(d, n))
		return true;
	*n = (struct ir_npu){ .lut_data = IR_NONE, .weights = IR_NONE };
	n->ifm.tensor = n->ifm2.tensor = n->ofm.tensor = IR_NONE;
	if (d->family == 85 && one_in(d, 8))
		return draw_gather(d, n);
	switch (range(d, 0, 6)) {
	case 0:
	case 1:
		return draw_conv(d, n, false);
	case 2:
		return draw_conv(d, n, true);
	case 3:
		return draw_pool(d, n);
	case 4:
		return draw_copy(d, n);
	default:
		return draw_elementwise(d, n);
	}
}

/* Put two tensors of one height and width side by side in channels: their operations write parts. */
static void join(const struct draw *d)
{
	struct backend_graph *b = d->b;

	for (uint32_t i = 1; i < b->g.op_count; i++) {
		struct ir_view *x = &b->npus[i - 1].ofm, *y = &b->npus[i].ofm;
		uint32_t both;

		if (b->npus[i - 1].kind == IR_NPU_GATHER || b->npus[i].kind == IR_NPU_GATHER)
			continue;
		if (x->type != y->type || x->h != y->h || x->w != y->w || b->read[x->tensor] ||
		    b->read[y->tensor] || x->tensor == y->tensor || x->c != x->sx || y->c != y->sx)
			continue;
		both = add_tensor(d, x->type, x->h, x->w, x->c + y->c);
		b->read[x->tensor] = b->read[y->tensor] = true;
		x->tensor = y->tensor = both;
		y->base = x->c;
		x->sx = y->sx = x->c + y->c;
		x->sy = y->sy = x->sx * x->w;
		return;
	}
}

static void finish(const struct draw *d)
{
	struct backend_graph *b = d->b;
	struct ir_graph *g = &b->g;

	for (uint32_t i = 0; i < g->op_count; i++) {
		uint32_t out = b->npus[i].ofm.tensor;

		b->ops[i] = (struct ir_op){ .npu = &b->npus[i], .output_count = 1 };
		b->ops[i].outputs = b->io[i];
		b->io[i][0] = out;
		if (b->read[out] || b->tensors[out].output >= 0)
			continue;
		b->tensors[out].output = (int32_t)g->output_count;
		b->outputs[g->output_count++] = out;
	}
	g->outputs = b->outputs;
	b->inputs[0] = 0;
	g->inputs = b->inputs;
	g->input_count = 1;
	b->tensors[0].input = 0;
}

void backend_draw(struct backend_graph *b, struct rng *rng, unsigned int family)
{
	static const uint8_t types[] = { ELEM_INT8, ELEM_INT8, ELEM_UINT8, ELEM_INT16 };
	struct draw d = { .b = b, .rng = rng, .family = family };
	int32_t want, side = one_in(&d, 4) ? 40 : 12;

	memset(b, 0, sizeof(*b));
	b->g.tensors = b->tensors;
	b->g.ops = b->ops;
	b->g.name = "drawn";
	d.chain = one_in(&d, 3);
	if (d.chain)
		side = 40;
	add_tensor(&d, types[range(&d, 0, 3)], range(&d, d.chain ? 10 : 1, side), range(&d, 1, side),
		   range(&d, 1, one_in(&d, 3) ? 4 : 50));
	fill(&d, 0);
	want = range(&d, d.chain ? 3 : 1, 7);
	while (b->g.op_count < (uint32_t)want) {
		uint32_t before = b->g.tensor_count;

		/* Room for what one operation may add. */
		if (before + 6 > BACKEND_TENSORS || b->block_count + 6 > 4 * BACKEND_OPS)
			break;
		if (draw_op(&d, &b->npus[b->g.op_count]))
			b->g.op_count++;
	}
	if (one_in(&d, 2))
		join(&d);
	finish(&d);
}

void backend_free(struct backend_graph *b)
{
	for (unsigned int i = 0; i < b->block_count; i++)
		free(b->blocks[i]);
	for (unsigned int i = 0; i < BACKEND_TENSORS; i++)
		free(b->values[i]);
}
