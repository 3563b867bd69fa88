/* SPDX-License-Identifier: MIT */
/*
 * Operations with the same constants: the steps of an LSTM, say. They are encoded once, lie in memory
 * once, and what was copied for one is used by the next if it is still there.
 */
#include "runtime/compile/be.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool same_array(const void *a, const void *b, size_t size)
{
	return a == b || (a && b && !memcmp(a, b, size));
}

static bool same_scale(const struct ir_npu *a, const struct ir_npu *b)
{
	return a->channel_scale || (a->ofm_scale.scale == b->ofm_scale.scale &&
				    a->ofm_scale.shift == b->ofm_scale.shift);
}

/* Field by field: there may be gaps between them. */
static bool same_scales(const struct ir_npu *a, const struct ir_npu *b)
{
	if (!a->channel_scale != !b->channel_scale)
		return false;
	for (uint32_t i = 0; a->channel_scale && i < a->channels; i++)
		if (a->channel_scale[i].scale != b->channel_scale[i].scale ||
		    a->channel_scale[i].shift != b->channel_scale[i].shift)
			return false;
	return same_scale(a, b);
}

static bool twins(const struct be_op *a, const struct be_op *b)
{
	const struct ir_npu *x = a->npu, *y = b->npu;
	size_t n = x->channels;

	return x->kind == y->kind && x->weights == y->weights && x->channels == y->channels &&
	       x->ofm.c == y->ofm.c && x->ifm.c == y->ifm.c && x->kernel_h == y->kernel_h &&
	       x->kernel_w == y->kernel_w && x->stride_y == y->stride_y &&
	       x->stride_x == y->stride_x && x->dilation_y == y->dilation_y &&
	       x->dilation_x == y->dilation_x && x->acc48 == y->acc48 &&
	       a->desc.block.d == b->desc.block.d && a->desc.part_kernel == b->desc.part_kernel &&
	       a->desc.microblock == b->desc.microblock &&
	       a->desc.ifm[0].bits == b->desc.ifm[0].bits && a->cascade == BE_NONE &&
	       b->cascade == BE_NONE && !x->transpose && !y->transpose && !x->reverse && !y->reverse &&
	       same_array(x->bias, y->bias, n * sizeof(*x->bias)) &&
	       same_array(x->weight_zero_points, y->weight_zero_points,
			  n * sizeof(*x->weight_zero_points)) && same_scales(x, y);
}

int be_twins(struct be *be)
{
	uint32_t *last, *before;	/* by weights: the operation that had them last; chained */

	last = malloc((be->g->tensor_count + 1) * sizeof(*last));
	before = malloc((be->op_count + 1) * sizeof(*before));
	if (!last || !before) {
		free(last);
		free(before);
		return error_set(be->err, -ENOMEM, "out of memory");
	}
	memset(last, 0xff, (be->g->tensor_count + 1) * sizeof(*last));
	for (uint32_t i = 0; i < be->op_count; i++) {
		struct be_op *op = &be->ops[i];
		uint32_t other;

		op->same = BE_NONE;
		if (!be_has_streams(op->npu))
			continue;
		for (other = last[op->npu->weights]; other != BE_NONE; other = before[other])
			if (twins(&be->ops[other], op))
				break;
		op->same = other;
		/* One of each sort is enough to compare with. */
		if (other != BE_NONE)
			continue;
		before[i] = last[op->npu->weights];
		last[op->npu->weights] = i;
	}
	free(last);
	free(before);
	return 0;
}
