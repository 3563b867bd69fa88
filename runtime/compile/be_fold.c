/* SPDX-License-Identifier: MIT */
/*
 * Convolutions of few channels that step over columns: the MAC array takes 8 or 16 channels at a time
 * and idles for those that are not there. In rows, s columns of c channels lie like one column of s * c
 * channels; with a stride of s the kernel then has fewer taps, and the same weights otherwise.
 *
 * Tap k of the kernel is at column ox * s - pad + k = s * (ox + q) + r. It becomes channel r * c + i of
 * tap q + pad', pad' being the padding in folded columns.
 */
#include "runtime/compile/be.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MOST_CHANNELS	8	/* after which little idles */

static int32_t floor_div(int32_t a, int32_t b)
{
	return a >= 0 ? a / b : -((-a + b - 1) / b);
}

static bool can_fold(const struct be *be, const struct ir_npu *n)
{
	int32_t s = n->stride_x, folded;

	if (n->kind != IR_NPU_CONV || s < 2)
		return false;
	folded = n->ifm.w / s * s;
	if (n->dilation_x != 1 || n->upscale || n->kernel_w < 2 ||
	    n->ifm.c * s > MOST_CHANNELS || n->ifm.sx != n->ifm.c || folded < s ||
	    be->tensors[n->ifm.tensor].brick)
		return false;
	/* A column left over must not be read. */
	return folded == n->ifm.w ||
	       (n->ofm.w - 1) * s - n->pad_left + n->kernel_w <= folded;
}

/* Where a weight goes; what is new weighs nothing: it is its channel's zero point. */
static uint8_t *fold_weights(const struct be *be, const struct ir_npu *n, const struct ir_npu *to)
{
	const struct ir_tensor *t = &be->g->tensors[n->weights];
	size_t row = (size_t)to->kernel_w * (size_t)to->ifm.c;
	size_t rows = (size_t)n->ofm.c * (size_t)n->kernel_h;
	const uint8_t *in = t->data;
	uint8_t *out;

	if (!in || elem_size(t->type) != 1 ||
	    t->size < rows * (size_t)n->kernel_w * (size_t)n->ifm.c)
		return NULL;
	out = malloc(rows * row);
	for (size_t r = 0; out && r < rows; r++) {
		int32_t zero = n->weight_zero_points ?
				       n->weight_zero_points[r / (size_t)n->kernel_h] : 0;

		memset(out + r * row, zero, row);
		for (int32_t k = 0; k < n->kernel_w; k++) {
			int32_t q = floor_div(k - n->pad_left, n->stride_x);
			int32_t rest = k - n->pad_left - q * n->stride_x;

			memcpy(out + r * row + (size_t)((q + to->pad_left) * to->ifm.c +
							rest * n->ifm.c),
			       in + (r * (size_t)n->kernel_w + (size_t)k) * (size_t)n->ifm.c,
			       (size_t)n->ifm.c);
		}
	}
	return out;
}

static void fold(const struct ir_npu *n, struct ir_npu *out)
{
	int32_t s = n->stride_x;

	*out = *n;
	out->stride_x = 1;
	out->pad_left = -floor_div(-n->pad_left, s);
	out->kernel_w = floor_div(n->kernel_w - 1 - n->pad_left, s) + out->pad_left + 1;
	out->ifm.w = n->ifm.w / s;
	out->ifm.c = n->ifm.c * s;
	out->ifm.sx = n->ifm.sx * s;
}

static int price(struct be *be, struct be_op *op, double *out)
{
	struct cost_result cost;
	int rc;

	be_describe(be, op->npu, &op->desc);
	op->desc.scale_memory = op->desc.weight_memory = be->target->cost.region[be->copy_region];
	rc = be_choose_block(be, op);
	if (rc)
		return rc;
	cost_op(&be->target->cost, &op->desc, &cost);
	/* By the arithmetic: the input may yet be copied to where it is read sooner. */
	*out = (double)cost.npu_cycles;
	return 0;
}

int be_fold(struct be *be)
{
	int rc = 0;

	for (uint32_t i = 0; i < be->op_count && !rc; i++) {
		struct be_op plain = be->ops[i], folded = be->ops[i];
		double before, after;
		struct ir_npu *npu;
		uint8_t *weights;

		if (!can_fold(be, plain.npu))
			continue;
		npu = malloc(sizeof(*npu));
		if (!npu)
			return error_set(be->err, -ENOMEM, "out of memory");
		fold(plain.npu, npu);
		folded.npu = npu;
		rc = price(be, &plain, &before);
		if (!rc)
			rc = price(be, &folded, &after);
		weights = !rc && after < before ? fold_weights(be, plain.npu, npu) : NULL;
		if (!weights) {
			free(npu);
			continue;
		}
		be->ops[i].npu = be->ops[i].own = npu;
		be->ops[i].weights = weights;
	}
	return rc;
}
