/* SPDX-License-Identifier: MIT */
/*
 * Cascades: neighbouring operations that take turns, a stripe of rows each, so that of what they hand
 * on only the rows in use are kept. For feature maps that do not fit in quick memory as a whole.
 *
 * In each round the last operation makes a stripe; every one before it makes the rows that are missing
 * for that. Row y of a map that is kept in part lies in place y modulo the number of rows kept.
 */
#include "runtime/compile/be.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_OPS	16	/* of a cascade */

/* Who makes and who reads each tensor. */
struct use {
	uint32_t maker, reader;		/* index into be.ops */
	uint32_t makers, readers;	/* views */
};

static void note(const struct be *be, struct use *uses, uint32_t op)
{
	const struct ir_npu *npu = be->ops[op].npu;
	const struct ir_view *in[] = { &npu->ifm, &npu->ifm2 };

	for (unsigned int i = 0; i < 2; i++)
		if (be_tensor_of(in[i]) != IR_NONE) {
			uses[in[i]->tensor].reader = op;
			uses[in[i]->tensor].readers++;
		}
	uses[npu->ofm.tensor].maker = op;
	uses[npu->ofm.tensor].makers++;
}

static bool whole_view(const struct be *be, const struct ir_view *view)
{
	const int32_t *hwc = be->g->tensors[view->tensor].hwc;

	return !view->base && view->h == hwc[0] && view->w == hwc[1] && view->c == hwc[2] &&
	       (view->h == 1 || view->sy == (int64_t)hwc[1] * hwc[2]) &&
	       (view->w == 1 || view->sx == hwc[2]);
}

static bool runs_in_stripes(const struct ir_npu *npu)
{
	if (npu->transpose || npu->reverse || npu->upscale)
		return false;
	if (npu->kind == IR_NPU_POOL)
		return npu->mode != IR_POOL_NONE && npu->mode != IR_POOL_ARGMAX_X &&
		       npu->mode != IR_POOL_ARGMAX_Y;
	return npu->kind == IR_NPU_CONV || npu->kind == IR_NPU_DEPTHWISE ||
	       npu->kind == IR_NPU_ELEMENTWISE;
}

/* Does a window that moves by @stride pass over every element? What is never read confuses strict mode. */
static bool misses_none(int32_t stride, int32_t taps, int32_t dilation)
{
	return stride == 1 || (dilation == 1 && taps >= stride);
}

static bool reads_everything(const struct ir_npu *npu)
{
	if (npu->kind == IR_NPU_ELEMENTWISE)
		return true;
	return misses_none(npu->stride_y, npu->kernel_h, npu->dilation_y) &&
	       misses_none(npu->stride_x, npu->kernel_w, npu->dilation_x) &&
	       (npu->ofm.w - 1) * npu->stride_x + (npu->kernel_w - 1) * npu->dilation_x + 1 -
			       npu->pad_left >= npu->ifm.w;
}

/* Is what @op makes read by the next operation alone, and does that go row by row? */
static bool hands_on(const struct be *be, const struct use *uses, uint32_t op)
{
	const struct ir_npu *npu = be->ops[op].npu, *next;
	uint32_t tensor = npu->ofm.tensor;

	if (op + 1 >= be->op_count || be->ops[op + 1].index != be->ops[op].index + 1)
		return false;
	next = be->ops[op + 1].npu;
	if (be->tensors[tensor].fixed || uses[tensor].makers != 1 || uses[tensor].readers != 1 ||
	    uses[tensor].reader != op + 1 || !runs_in_stripes(npu) || !runs_in_stripes(next))
		return false;
	if (!reads_everything(next))
		return false;
	if (next->kind == IR_NPU_ELEMENTWISE && be->g->tensors[tensor].hwc[0] != next->ofm.h)
		return false;
	return whole_view(be, &npu->ofm) &&
	       whole_view(be, be_tensor_of(&next->ifm) == tensor ? &next->ifm : &next->ifm2);
}

/**
 * struct trial - a cascade being thought about
 * @n: operations from @first on
 * @ends: [round][operation]
 * @kept: rows to keep of what each but the last hands on
 * @bytes: of those rows, and of constants
 */
struct trial {
	uint32_t first, n;
	uint32_t stripes, rows;
	uint32_t *ends;
	uint32_t kept[MOST_OPS];
	uint64_t bytes;
	double price;
};

/* Rounds in which the last operation makes @rows each. */
static int walk(const struct be *be, struct trial *t)
{
	uint32_t height = (uint32_t)be->ops[t->first + t->n - 1].npu->ofm.h;
	uint32_t before[MOST_OPS] = { 0 };

	t->stripes = be_div_up(height, t->rows);
	t->ends = calloc((size_t)t->stripes * t->n, sizeof(*t->ends));
	if (!t->ends)
		return error_set(be->err, -ENOMEM, "out of memory");
	memset(t->kept, 0, sizeof(t->kept));
	for (uint32_t r = 0; r < t->stripes; r++) {
		uint32_t *end = &t->ends[r * t->n];

		end[t->n - 1] = (r + 1) * t->rows < height ? (r + 1) * t->rows : height;
		for (uint32_t i = t->n - 1; i; i--) {
			uint32_t from, to;

			/* Nothing to make in this round: nothing is missing. Rows nobody reads are not made. */
			end[i - 1] = before[i - 1];
			if (end[i] == before[i])
				continue;
			be_input_rows(be->ops[t->first + i].npu, before[i], end[i], &from, &to);
			if (to > end[i - 1])
				end[i - 1] = to;
			if (end[i - 1] - from > t->kept[i - 1])
				t->kept[i - 1] = end[i - 1] - from;
		}
		memcpy(before, end, t->n * sizeof(*end));
	}
	return 0;
}

static uint64_t row_bytes(const struct be *be, uint32_t tensor)
{
	const struct ir_tensor *t = &be->g->tensors[tensor];
	uint64_t c = (uint64_t)t->hwc[2];

	if (be->tensors[tensor].brick)
		c = be_align(c, ETHOSU_BRICK);
	return (uint64_t)t->hwc[1] * c * be->tensors[tensor].esize;
}

static uint64_t constant_bytes(const struct ir_npu *npu)
{
	if (!be_has_streams(npu))
		return 0;
	return (uint64_t)npu->ofm.c * ((uint64_t)(npu->kernel_h * npu->kernel_w) *
				       (npu->kind == IR_NPU_CONV ? (uint64_t)npu->ifm.c : 1) +
				       ETHOSU_SCALE_RECORD);
}

/* What one operation costs, in stripes or whole, its maps being in the memories they are in now. */
static int price_op(struct be *be, uint32_t index, uint32_t rows, bool in_quick, bool out_quick,
		    double *price)
{
	const struct cost_target *target = &be->target->cost;
	struct be_op op = be->ops[index];
	uint32_t height = (uint32_t)op.npu->ofm.h;
	uint8_t quick = target->region[PROGRAM_STAGING];
	struct cost_result cost;
	int rc;

	be_describe(be, op.npu, &op.desc);
	if (rows < height)
		be_describe_middle(op.npu, rows, &op.desc);
	op.desc.weight_memory = op.desc.scale_memory = quick;
	op.desc.sparse = op.two_four;
	if (in_quick)
		op.desc.ifm[0].memory = quick;
	if (out_quick)
		op.desc.ofm.memory = quick;
	rc = be_choose_block(be, &op);
	if (rc)
		return rc;
	cost_op(target, &op.desc, &cost);
	*price += be_price(be, &cost) * (rows < height ? (double)height / rows : 1.0);
	return 0;
}

/* Rows of an operation that it usually makes in a round. */
static uint32_t usual_rows(const struct trial *t, uint32_t i)
{
	uint32_t middle = t->stripes / 2;

	if (t->stripes < 2)
		return t->ends[i];
	return t->ends[middle * t->n + i] - t->ends[(middle - 1) * t->n + i];
}

static int judge(struct be *be, struct trial *t, uint64_t room)
{
	int rc = walk(be, t);

	t->bytes = 0;
	t->price = HUGE_VAL;
	if (rc)
		return rc;
	for (uint32_t i = 0; i < t->n; i++) {
		const struct ir_npu *npu = be->ops[t->first + i].npu;

		t->bytes += constant_bytes(npu);
		if (i + 1 < t->n)
			t->bytes += t->kept[i] * row_bytes(be, npu->ofm.tensor);
	}
	if (t->bytes > room)
		return 0;
	t->price = 0;
	for (uint32_t i = 0; i < t->n && !rc; i++) {
		uint32_t rows = usual_rows(t, i);

		if (!rows)
			rows = 1;
		rc = price_op(be, t->first + i, rows, i > 0, i + 1 < t->n, &t->price);
	}
	return rc;
}

/* Bytes free during operations @first to @first + n - 1, what they hand on not counted. */
static uint64_t room_for(const struct be *be, uint32_t first, uint32_t n)
{
	uint64_t used = 0, ends = 0;
	uint32_t in = be_tensor_of(&be->ops[first].npu->ifm);
	uint32_t out = be->ops[first + n - 1].npu->ofm.tensor;

	for (uint32_t i = 0; i < n; i++) {
		uint64_t now = be->maps[be->ops[first + i].index];
		const struct ir_npu *npu = be->ops[first + i].npu;
		const uint32_t own[] = { be_tensor_of(&npu->ifm), npu->ofm.tensor };

		/* What is handed on is counted apart, and so are the first input and the last output. */
		for (unsigned int j = 0; j < 2; j++)
			if (own[j] != IR_NONE && be->tensors[own[j]].region == PROGRAM_STAGING)
				now -= be_align(be_tensor_size(be, own[j]), BE_ALIGN);
		if (now > used)
			used = now;
	}
	if (in != IR_NONE && be->tensors[in].region == PROGRAM_STAGING)
		ends += be_tensor_size(be, in);
	if (be->tensors[out].region == PROGRAM_STAGING)
		ends += be_tensor_size(be, out);
	return used + ends < be->limit ? be->limit - used - ends : 0;
}

/* What the operations cost one after the other. */
static int price_apart(struct be *be, uint32_t first, uint32_t n, double *price)
{
	int rc = 0;

	*price = 0;
	for (uint32_t i = 0; i < n && !rc; i++)
		rc = price_op(be, first + i, UINT32_MAX, false, false, price);
	return rc;
}

static int keep(struct be *be, const struct trial *t)
{
	struct be_cascade *grown =
		be_grow(be->cascades, be->cascade_count, &be->cascade_room, sizeof(*grown));

	if (!grown)
		return error_set(be->err, -ENOMEM, "out of memory");
	be->cascades = grown;
	grown[be->cascade_count] = (struct be_cascade){ .first = t->first, .last = t->first + t->n - 1,
							.stripes = t->stripes, .ends = t->ends };
	for (uint32_t i = 0; i < t->n; i++) {
		struct be_op *op = &be->ops[t->first + i];
		uint32_t rows = usual_rows(t, i);

		op->cascade = be->cascade_count;
		op->rows = rows ? rows : 1;
		if (i + 1 < t->n)
			be->tensors[op->npu->ofm.tensor].rows = t->kept[i];
	}
	be->cascade_count++;
	return 0;
}

/* Find the best stripe for a run of operations and keep it, if it is better than none. */
static int try_cascade(struct be *be, uint32_t first, uint32_t n)
{
	struct trial best = { .price = HUGE_VAL };
	uint32_t height = (uint32_t)be->ops[first + n - 1].npu->ofm.h, last = 0;
	uint64_t room = room_for(be, first, n);
	double apart;
	int rc = price_apart(be, first, n, &apart);

	for (uint32_t count = 2; count <= height && !rc; count += count / 4 + 1) {
		struct trial t = { .first = first, .n = n, .rows = be_div_up(height, count) };

		if (t.rows == last)
			continue;
		last = t.rows;
		rc = judge(be, &t, room);
		if (!rc && t.price < best.price) {
			free(best.ends);
			best = t;
		} else {
			free(t.ends);
		}
	}
	if (!rc && best.price < apart)
		return keep(be, &best);
	free(best.ends);
	return rc;
}

/* Runs of operations that hand on what quick memory has no room for. */
static int cascade_all(struct be *be, const struct use *uses)
{
	int rc = 0;

	for (uint32_t i = 0; i < be->op_count && !rc; i++) {
		uint32_t n = 1;

		while (n < MOST_OPS && i + n < be->op_count && hands_on(be, uses, i + n - 1) &&
		       be->tensors[be->ops[i + n - 1].npu->ofm.tensor].region == PROGRAM_ARENA)
			n++;
		if (n < 2)
			continue;
		rc = try_cascade(be, i, n);
		i += n - 1;
	}
	return rc;
}

int be_cascade(struct be *be)
{
	struct use *uses;
	int rc;

	if (!be->staging)
		return 0;
	uses = calloc(be->g->tensor_count + 1, sizeof(*uses));
	if (!uses)
		return error_set(be->err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < be->op_count; i++)
		note(be, uses, i);
	rc = cascade_all(be, uses);
	free(uses);
	if (rc || !be->cascade_count)
		return rc;
	return be_regions(be);
}
