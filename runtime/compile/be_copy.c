/* SPDX-License-Identifier: MIT */
/*
 * Copies: what a 1x1 pool does that scales by one. The MAC array works on 8 or 16 channels at a time
 * whether they are there or not, elementwise operations on elements: of few channels the greater of
 * the element and the least number there is comes out sooner, and is the same.
 */
#include "runtime/compile/be.h"

#include <errno.h>
#include <stdlib.h>

#define LEAST_GAIN	256	/* cycles: a change of form takes some registers */

static bool is_copy(const struct ir_npu *n)
{
	return n->kind == IR_NPU_POOL &&
	       (n->mode == IR_POOL_MAX || n->mode == IR_POOL_AVERAGE || n->mode == IR_POOL_SUM) &&
	       n->kernel_h == 1 && n->kernel_w == 1 && n->stride_y == 1 && n->stride_x == 1 &&
	       !n->upscale && !n->transpose && !n->reverse && !n->lut && !n->pad_top &&
	       !n->pad_left && n->ofm_scale.scale == 1 && !n->ofm_scale.shift &&
	       n->ifm.type == n->ofm.type && elem_size(n->ifm.type) <= 2 && n->ifm.h == n->ofm.h &&
	       n->ifm.w == n->ofm.w && n->ifm.c == n->ofm.c;
}

static int32_t least_of(int type)
{
	return type == ELEM_INT8 ? INT8_MIN : type == ELEM_INT16 ? INT16_MIN : 0;
}

static void as_greatest(const struct ir_npu *pool, struct ir_npu *out)
{
	*out = *pool;
	out->kind = IR_NPU_ELEMENTWISE;
	out->mode = IR_ELT_MAX;
	out->hw_divide = out->acc48 = out->ifm_dbl = false;
	out->round = IR_ROUND_NATURAL;
	out->ifm_scale = out->ifm2_scale = out->ofm_scale = (struct ir_scale){ .scale = 1 };
	out->ifm2 = (struct ir_view){ .tensor = IR_NONE, .h = 1, .w = 1, .c = 1, .scalar = true,
				      .zero_point = pool->ifm.zero_point, .type = pool->ifm.type,
				      .value = least_of(pool->ifm.type) };
}

/* Either form with the best block for it, and what that costs. */
static int try_form(struct be *be, struct be_op *op, double *price)
{
	struct cost_result cost;
	int rc;

	be_describe(be, op->npu, &op->desc);
	rc = be_choose_block(be, op);
	if (rc)
		return rc;
	cost_op(&be->target->cost, &op->desc, &cost);
	*price = be_price(be, &cost);
	return 0;
}

int be_copy(struct be *be)
{
	int rc = 0;

	for (uint32_t i = 0; i < be->op_count && !rc; i++) {
		struct be_op pool = be->ops[i], greatest = be->ops[i];
		double price, other;
		struct ir_npu *npu;

		if (!is_copy(pool.npu))
			continue;
		npu = malloc(sizeof(*npu));
		if (!npu)
			return error_set(be->err, -ENOMEM, "out of memory");
		as_greatest(pool.npu, npu);
		greatest.npu = npu;
		rc = try_form(be, &pool, &price);
		if (!rc)
			rc = try_form(be, &greatest, &other);
		if (rc || other + LEAST_GAIN > price) {
			free(npu);
			continue;
		}
		be->ops[i].npu = be->ops[i].own = npu;
	}
	return rc;
}
