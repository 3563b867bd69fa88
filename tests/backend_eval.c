/* SPDX-License-Identifier: MIT */
/*
 * What NPU operations of the graph compute, straight from their description: no layouts, no blocks,
 * no registers, no encoded weights. Scaling alone is the reference engine's.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/ref_arith.h"
#include "tests/backend.h"

void backend_store(void *data, int type, size_t index, int64_t value)
{
	size_t size = elem_size(type);

	for (size_t i = 0; i < size; i++)
		((uint8_t *)data)[index * size + i] = (uint8_t)(value >> (8 * i));
}

int64_t backend_load(const void *data, int type, size_t index)
{
	switch (type) {
	case ELEM_INT8:
		return ((const int8_t *)data)[index];
	case ELEM_UINT8:
		return ((const uint8_t *)data)[index];
	case ELEM_INT16:
		return ((const int16_t *)data)[index];
	default:
		return ((const int32_t *)data)[index];
	}
}

/* An operation being computed. */
struct eval {
	struct backend_graph *b;
	const struct ir_npu *npu;
};

static int64_t *element(const struct eval *e, const struct ir_view *v, int32_t y, int32_t x, int32_t c)
{
	if (v->h == 1)
		y = 0;
	if (v->w == 1)
		x = 0;
	if (v->c == 1)
		c = 0;
	return &e->b->values[v->tensor][v->base + y * v->sy + x * v->sx + c];
}

static int64_t operand(const struct eval *e, const struct ir_view *v, int32_t y, int32_t x, int32_t c)
{
	int64_t value = v->scalar ? v->value : *element(e, v, y, x, c);

	return value - v->zero_point;
}

/* The IFM under a tap; false: padding. */
static bool tap(const struct eval *e, int32_t oy, int32_t ox, int32_t ky, int32_t kx, int32_t c,
		int64_t *value)
{
	const struct ir_npu *n = e->npu;
	int32_t y = oy * n->stride_y - n->pad_top + ky * n->dilation_y;
	int32_t x = ox * n->stride_x - n->pad_left + kx * n->dilation_x;
	int32_t up = n->upscale ? 2 : 1;

	if (y < 0 || x < 0 || y >= up * n->ifm.h || x >= up * n->ifm.w)
		return false;
	if (n->upscale == IR_UPSCALE_ZEROS && (y % 2 || x % 2)) {
		*value = 0;
		return true;
	}
	*value = operand(e, &n->ifm, y / up, x / up, c);
	return true;
}

static int64_t weight(const struct eval *e, size_t index, int32_t channel)
{
	const struct ir_tensor *t = &e->b->g.tensors[e->npu->weights];
	int64_t w = backend_load(t->data, t->type, index);

	return e->npu->weight_zero_points ? w - e->npu->weight_zero_points[channel] : w;
}

static int64_t convolve(const struct eval *e, int32_t y, int32_t x, int32_t o)
{
	const struct ir_npu *n = e->npu;
	bool depthwise = n->kind == IR_NPU_DEPTHWISE;
	int64_t sum = n->bias ? n->bias[o] : 0, v;

	for (int32_t ky = 0; ky < n->kernel_h; ky++)
		for (int32_t kx = 0; kx < n->kernel_w; kx++)
			for (int32_t i = 0; i < (depthwise ? 1 : n->ifm.c); i++) {
				size_t at = depthwise ? (size_t)((ky * n->kernel_w + kx) * n->ofm.c + o) :
					(size_t)(((o * n->kernel_h + ky) * n->kernel_w + kx) *
							 n->ifm.c + i);

				if (tap(e, y, x, ky, kx, depthwise ? o : i, &v))
					sum += v * weight(e, at, o);
			}
	return ref_scale(sum, n->channel_scale[o].scale, n->channel_scale[o].shift, n->round);
}

static int64_t pool(const struct eval *e, int32_t y, int32_t x, int32_t c)
{
	const struct ir_npu *n = e->npu;
	int64_t sum = 0, best = n->mode == IR_POOL_MIN ? INT64_MAX : INT64_MIN, count = 0, v;

	if (n->mode == IR_POOL_REDUCE_SUM) {
		for (int32_t i = 0; i < n->ifm.c; i++)
			sum += operand(e, &n->ifm, y, x, i);
		return ref_scale(sum, n->ofm_scale.scale, n->ofm_scale.shift, n->round);
	}
	for (int32_t ky = 0; ky < n->kernel_h; ky++)
		for (int32_t kx = 0; kx < n->kernel_w; kx++) {
			if (!tap(e, y, x, ky, kx, c, &v))
				continue;
			count++;
			sum += v;
			if (n->mode == IR_POOL_MIN ? v < best : v > best)
				best = v;
		}
	if (n->mode == IR_POOL_MAX || n->mode == IR_POOL_MIN)
		sum = best;
	else if (n->hw_divide)
		return ref_divide(sum, count);
	return ref_scale(sum, n->ofm_scale.scale, n->ofm_scale.shift, n->round);
}

static int64_t scaled(const struct ir_npu *n, const struct ir_scale *s, int64_t value)
{
	struct npu_scale scale = { .scale = s->scale, .shift = s->shift,
				   .round = n->ifm_dbl ? NPU_ROUND_TFL : NPU_ROUND_NATURAL,
				   .dbl = !n->ifm_dbl ? 0 : elem_size(n->ifm.type) == 1 ? 20 : 15 };

	return ref_apply(&scale, value);
}

static int64_t elementwise(const struct eval *e, int32_t y, int32_t x, int32_t c)
{
	const struct ir_npu *n = e->npu;
	int64_t a = operand(e, &n->ifm, y, x, c);
	int64_t b = n->ifm2.tensor == IR_NONE && !n->ifm2.scalar ? 0 : operand(e, &n->ifm2, y, x, c);
	int64_t v;

	switch (n->mode) {
	case IR_ELT_ADD:
		v = scaled(n, &n->ifm_scale, a) + scaled(n, &n->ifm2_scale, b);
		break;
	case IR_ELT_SUB:
		v = scaled(n, &n->ifm_scale, a) - scaled(n, &n->ifm2_scale, b);
		break;
	case IR_ELT_MUL:
		v = a * b;
		break;
	case IR_ELT_MIN:
		v = a < b ? a : b;
		break;
	case IR_ELT_MAX:
		v = a > b ? a : b;
		break;
	default:
		v = a < 0 ? -a : a;
		break;
	}
	return ref_scale(v, n->ofm_scale.scale, n->ofm_scale.shift, n->round);
}

static int64_t finish(const struct eval *e, int64_t v)
{
	const struct ir_npu *n = e->npu;

	if (elem_size(n->ofm.type) == 4)
		return v > INT32_MAX ? INT32_MAX : v < INT32_MIN ? INT32_MIN : v;
	v += n->ofm.zero_point;
	if (v < n->act_min)
		v = n->act_min;
	if (v > n->act_max)
		v = n->act_max;
	if (n->lut) {
		const struct ir_tensor *t = &e->b->g.tensors[n->lut_data];

		v = backend_load(t->data, n->ofm.type,
				 (size_t)(v + (n->ofm.type == ELEM_UINT8 ? 0 : 128)));
	}
	return v;
}

static void eval_op(struct backend_graph *b, const struct ir_npu *npu)
{
	struct eval e = { .b = b, .npu = npu };
	size_t count = (size_t)npu->ofm.h * (size_t)npu->ofm.w * (size_t)npu->ofm.c, i = 0;
	int64_t *out = calloc(count, sizeof(*out));

	for (int32_t y = 0; y < npu->ofm.h; y++)
		for (int32_t x = 0; x < npu->ofm.w; x++)
			for (int32_t c = 0; c < npu->ofm.c; c++) {
				int64_t v;

				if (npu->kind == IR_NPU_POOL)
					v = pool(&e, y, x, c);
				else if (npu->kind == IR_NPU_ELEMENTWISE)
					v = elementwise(&e, y, x, c);
				else if (npu->kind == IR_NPU_GATHER)
					v = operand(&e, &npu->ifm,
						    (int32_t)operand(&e, &npu->ifm2, 0, 0, y), x, c);
				else
					v = convolve(&e, y, x, c);
				out[i++] = finish(&e, v);
			}
	i = 0;
	for (int32_t y = 0; y < npu->ofm.h; y++)
		for (int32_t x = 0; x < npu->ofm.w; x++)
			for (int32_t c = 0; c < npu->ofm.c; c++)
				*element(&e, &npu->ofm, y, x, c) = out[i++];
	free(out);
}

void backend_eval(struct backend_graph *b)
{
	for (uint32_t i = 0; i < b->g.op_count; i++)
		eval_op(b, &b->npus[i]);
}
