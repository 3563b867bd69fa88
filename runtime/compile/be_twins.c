/* SPDX-License-Identifier: MIT */
/*
 * Operations with the same constants: the steps of an LSTM, say. They are encoded once, lie in memory
 * once, and what was copied for one is used by the next if it is still there.
 */
#include "runtime/compile/be.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/hash.h"

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

#define LARGEST_COMPARED	65536	/* bytes of weights: what is larger is not there twice */

/* Tensors with the same weights are known by the first of them. */
struct contents {
	uint32_t *slots;	/* tensors by hash, BE_NONE: none */
	uint32_t mask;
	uint32_t *first;	/* of each tensor, BE_NONE: not looked at yet */
};

static uint32_t first_like(const struct ir_graph *g, struct contents *c, uint32_t tensor)
{
	const struct ir_tensor *t = &g->tensors[tensor];
	uint32_t at, other;

	if (c->first[tensor] != BE_NONE)
		return c->first[tensor];
	c->first[tensor] = tensor;
	if (!t->data || t->size > LARGEST_COMPARED)
		return tensor;
	at = (uint32_t)XXH3_64bits(t->data, t->size) & c->mask;
	for (; c->slots[at] != BE_NONE; at = (at + 1) & c->mask) {
		other = c->slots[at];
		if (g->tensors[other].size == t->size && g->tensors[other].type == t->type &&
		    !memcmp(g->tensors[other].data, t->data, t->size)) {
			c->first[tensor] = other;
			return other;
		}
	}
	c->slots[at] = tensor;
	return tensor;
}

static bool twins(const struct be_op *a, const struct be_op *b)
{
	const struct ir_npu *x = a->npu, *y = b->npu;
	size_t n = x->channels;

	return x->kind == y->kind && !a->weights && !b->weights && x->channels == y->channels &&
	       x->ofm.c == y->ofm.c && x->ifm.c == y->ifm.c && x->kernel_h == y->kernel_h &&
	       x->kernel_w == y->kernel_w && x->stride_y == y->stride_y &&
	       x->stride_x == y->stride_x && x->dilation_y == y->dilation_y &&
	       x->dilation_x == y->dilation_x && x->acc48 == y->acc48 &&
	       a->desc.block.d == b->desc.block.d && a->desc.part_kernel == b->desc.part_kernel &&
	       a->desc.microblock == b->desc.microblock && a->desc.sparse == b->desc.sparse &&
	       a->desc.ifm[0].bits == b->desc.ifm[0].bits && a->cascade == BE_NONE &&
	       b->cascade == BE_NONE && !x->transpose && !y->transpose && !x->reverse && !y->reverse &&
	       same_array(x->bias, y->bias, n * sizeof(*x->bias)) &&
	       same_array(x->weight_zero_points, y->weight_zero_points,
			  n * sizeof(*x->weight_zero_points)) && same_scales(x, y);
}

static void find_twins(struct be *be, struct contents *c, uint32_t *last, uint32_t *before)
{
	for (uint32_t i = 0; i < be->op_count; i++) {
		struct be_op *op = &be->ops[i];
		uint32_t weights, other;

		op->same = BE_NONE;
		if (!be_has_streams(op->npu))
			continue;
		weights = first_like(be->g, c, op->npu->weights);
		for (other = last[weights]; other != BE_NONE; other = before[other])
			if (twins(&be->ops[other], op))
				break;
		op->same = other;
		/* One of each sort is enough to compare with. */
		if (other != BE_NONE)
			continue;
		before[i] = last[weights];
		last[weights] = i;
	}
}

static uint32_t *filled(uint32_t count)
{
	uint32_t *list = malloc((count + 1) * sizeof(*list));

	if (list)
		memset(list, 0xff, (count + 1) * sizeof(*list));
	return list;
}

int be_twins(struct be *be)
{
	uint32_t *last = filled(be->g->tensor_count);	/* by weights: the operation that had them last */
	uint32_t *before = filled(be->op_count);	/* by operation: the one before it */
	struct contents c = { .mask = 63 };
	int rc = 0;

	while (c.mask < 2 * be->op_count)
		c.mask = 2 * c.mask + 1;
	c.slots = filled(c.mask);
	c.first = filled(be->g->tensor_count);
	if (last && before && c.slots && c.first)
		find_twins(be, &c, last, before);
	else
		rc = error_set(be->err, -ENOMEM, "out of memory");
	free(last);
	free(before);
	free(c.slots);
	free(c.first);
	return rc;
}
