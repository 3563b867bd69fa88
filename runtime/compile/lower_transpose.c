/* SPDX-License-Identifier: MIT */
/* Lowering: axes in another order, turned round, repeated. */
#include "runtime/compile/lower.h"

#include <string.h>

/*
 * The permutation on as few axes as it takes: axes of extent 1 dropped, those that stay together made
 * one. @ofm has the output's axes, @axes says which input axis each is.
 */
static void simplify(struct nd *ifm, struct nd *ofm, uint32_t axes[IR_MAX_DIMS])
{
	for (uint32_t i = 0; i < ofm->n && ofm->n > 1;) {
		uint32_t a = axes[i];
		bool together = i + 1 < ofm->n && axes[i + 1] == a + 1 &&
				ifm->step[a] == ifm->step[a + 1] * ifm->shape[a + 1] &&
				ofm->step[i] == ofm->step[i + 1] * ofm->shape[i + 1] &&
				(int64_t)ofm->shape[i] * ofm->shape[i + 1] <= LOWER_AXIS_MAX;

		if (ofm->shape[i] != 1 && !together) {
			i++;
			continue;
		}
		if (together) {
			ifm->shape[a + 1] *= ifm->shape[a];
			ofm->shape[i + 1] *= ofm->shape[i];
		}
		nd_drop(ifm, a);
		nd_drop(ofm, i);
		for (uint32_t k = i; k < ofm->n; k++)
			axes[k] = axes[k + 1];
		for (uint32_t k = 0; k < ofm->n; k++)
			axes[k] -= axes[k] > a;
		i = 0;
	}
}

/* U85: the OFM's axes in another order than the IFM's, three or fewer. */
static int emit_u85(struct lower *l, struct nd ifm, struct nd ofm, const uint32_t *axes)
{
	static const uint8_t codes[3][3] = {
		/* By the input axes that become rows and columns. */
		{ 0, IR_TRANSPOSE_HWC, IR_TRANSPOSE_HCW },
		{ IR_TRANSPOSE_WHC, 0, IR_TRANSPOSE_WCH },
		{ IR_TRANSPOSE_CHW, IR_TRANSPOSE_CWH, 0 },
	};
	struct ir_npu npu = lower_copy_npu(l, ofm.type);
	uint32_t offset = 3 - ofm.n, full[3] = { 0, 1, 2 };
	struct ir_view stored;

	for (uint32_t i = 0; i < ofm.n; i++)
		full[offset + i] = axes[i] + offset;
	nd_rank(&ifm, 3);
	nd_rank(&ofm, 3);
	npu.round = IR_ROUND_NATURAL;
	npu.transpose = codes[full[0]][full[1]];
	if (!nd_view(&ifm, &npu.ifm) || !nd_view(&ofm, &stored))
		return lower_cpu(l, "channels do not follow each other in memory");
	/* Extents are those before, steps those of what is stored. */
	npu.ofm = stored;
	npu.ofm.h = npu.ifm.h;
	npu.ofm.w = npu.ifm.w;
	npu.ofm.c = npu.ifm.c;
	return lower_emit(l, &npu);
}

int lower_transpose(struct lower *l, const struct ir_op *op)
{
	const struct ir_tensor *in = lower_tensor(l, op->inputs[0]);
	struct nd ifm = lower_nd(l, op->inputs[0]), ofm = lower_nd(l, op->outputs[0]);
	int32_t list[IR_MAX_DIMS];
	uint32_t axes[IR_MAX_DIMS], count, seen = 0;

	if (in->type != ofm.type || elem_size(in->type) > 4)
		return lower_cpu(l, "the type is wider than 32 bits");
	if (!lower_integers(l, op->inputs[1], list, IR_MAX_DIMS, &count) || count != in->ndim ||
	    ofm.n != count)
		return lower_cpu(l, "the order of the axes is not constant");
	for (uint32_t i = 0; i < count; i++) {
		if (!nd_axis(list[i], count, &axes[i]) || ifm.shape[axes[i]] != ofm.shape[i])
			return lower_cpu(l, "the output's extents are not those of the axes");
		seen |= 1u << axes[i];
	}
	if (seen != (1u << count) - 1)
		return lower_cpu(l, "an axis comes twice");
	ifm.zero_point = ofm.zero_point = 0;
	if (ofm.type == ELEM_BOOL)
		ifm.type = ofm.type = ELEM_INT8;
	simplify(&ifm, &ofm, axes);
	if (l->u85 && elem_size(ofm.type) < 4 && ofm.n <= 3 && ofm.n > 1 && axes[ofm.n - 1] != ofm.n - 1 &&
	    ofm.shape[ofm.n - 1] <= LOWER_AXIS_MAX)
		return emit_u85(l, ifm, ofm, axes);
	nd_permute(&ifm, axes);
	return lower_copy(l, ofm, ifm);
}

int lower_reverse(struct lower *l, const struct ir_op *op)
{
	struct nd ifm = lower_nd(l, op->inputs[0]), ofm = lower_nd(l, op->outputs[0]);
	int32_t list[IR_MAX_DIMS];
	uint32_t count, axis;

	if (ifm.type != ofm.type || ifm.n != ofm.n)
		return lower_cpu(l, "input and output differ");
	if (!lower_integers(l, op->inputs[1], list, IR_MAX_DIMS, &count))
		return lower_cpu(l, "the axes are not constant");
	for (uint32_t i = 0; i < count; i++) {
		if (!nd_axis(list[i], ifm.n, &axis))
			return lower_cpu(l, "there is no such axis");
		nd_slice(&ifm, axis, ifm.shape[axis] - 1, ifm.shape[axis], -1);
	}
	return lower_copy(l, ofm, ifm);
}

/* Copies of the input, one behind the other along each axis from @axis on. */
static int tile_axis(struct lower *l, struct nd ofm, const struct nd *ifm, uint32_t axis)
{
	int rc = 0;

	while (axis < ofm.n && ofm.shape[axis] == ifm->shape[axis])
		axis++;
	if (axis == ofm.n)
		return lower_copy(l, ofm, *ifm);
	for (int32_t at = 0; at < ofm.shape[axis] && !rc; at += ifm->shape[axis]) {
		struct nd part = ofm;

		nd_slice(&part, axis, at, ifm->shape[axis], 1);
		rc = tile_axis(l, part, ifm, axis + 1);
	}
	return rc;
}

#define TILES_MAX	256	/* more copies than that are not worth it */

int lower_tile(struct lower *l, const struct ir_op *op)
{
	const struct ir_tensor *in = lower_tensor(l, op->inputs[0]);
	const struct ir_tensor *out = lower_tensor(l, op->outputs[0]);
	struct nd ifm = lower_nd(l, op->inputs[0]), ofm = lower_nd(l, op->outputs[0]);

	if (in->type != out->type || ifm.n > ofm.n)
		return lower_cpu(l, "input and output differ");
	nd_rank(&ifm, ofm.n);
	if (ir_tensor_elements(out) / ir_tensor_elements(in) > TILES_MAX)
		return lower_cpu(l, "too many copies");
	for (uint32_t i = 0; i < ofm.n; i++)
		if (ofm.shape[i] % ifm.shape[i])
			return lower_cpu(l, "the output is no multiple of the input");
	return tile_axis(l, ofm, &ifm, 0);
}

/*
 * DEPTH_TO_SPACE and SPACE_TO_DEPTH: for each place in a block, the channels of that place and every
 * block-th row and column.
 */
int lower_space_depth(struct lower *l, const struct ir_op *op)
{
	bool to_space = op->kind == IR_DEPTH_TO_SPACE;
	struct nd wide = lower_nd(l, to_space ? op->outputs[0] : op->inputs[0]), in, out;
	struct nd deep = lower_nd(l, to_space ? op->inputs[0] : op->outputs[0]);
	int32_t block = op->options->block_size, c;
	int rc = 0;

	if (wide.type != deep.type || wide.n != 4 || deep.n != 4 || block < 1 || block > 16)
		return lower_cpu(l, "not four axes, or blocks larger than 16");
	c = wide.shape[3];
	if (wide.shape[0] != deep.shape[0] || wide.shape[1] != (int64_t)deep.shape[1] * block ||
	    wide.shape[2] != (int64_t)deep.shape[2] * block ||
	    deep.shape[3] != (int64_t)c * block * block)
		return lower_cpu(l, "the extents are not those of the blocks");
	for (int32_t y = 0; y < block && !rc; y++)
		for (int32_t x = 0; x < block && !rc; x++) {
			in = deep;
			out = wide;
			nd_slice(&in, 3, (y * block + x) * c, c, 1);
			nd_slice(&out, 1, y, deep.shape[1], block);
			nd_slice(&out, 2, x, deep.shape[2], block);
			rc = to_space ? lower_copy(l, out, in) : lower_copy(l, in, out);
		}
	return rc;
}

/* The input with its edges mirrored, axis by axis: before, inside, behind. */
static int mirror_axis(struct lower *l, struct nd ofm, struct nd ifm, const int32_t *pads,
		       int32_t edge, uint32_t axis)
{
	int32_t extent, before, after;
	int rc = 0;

	if (axis == ofm.n)
		return lower_copy(l, ofm, ifm);
	extent = ifm.shape[axis];
	before = pads[2 * axis];
	after = pads[2 * axis + 1];
	for (int part = 0; part < 3 && !rc; part++) {
		struct nd in = ifm, out = ofm;

		if (!(part == 0 ? before : part == 1 ? extent : after))
			continue;
		if (part == 0) {
			nd_slice(&out, axis, 0, before, 1);
			nd_slice(&in, axis, before - 1 + edge, before, -1);
		} else if (part == 1) {
			nd_slice(&out, axis, before, extent, 1);
		} else {
			nd_slice(&out, axis, before + extent, after, 1);
			nd_slice(&in, axis, extent - 1 - edge, after, -1);
		}
		rc = mirror_axis(l, out, in, pads, edge, axis + 1);
	}
	return rc;
}

int lower_mirror_pad(struct lower *l, const struct ir_op *op)
{
	struct nd ifm = lower_nd(l, op->inputs[0]), ofm = lower_nd(l, op->outputs[0]);
	int32_t pads[2 * IR_MAX_DIMS], edge = op->options->mode == IR_MIRROR_REFLECT ? 1 : 0;
	uint32_t count;

	if (ifm.type != ofm.type || ifm.n != ofm.n)
		return lower_cpu(l, "input and output differ");
	if (!lower_integers(l, op->inputs[1], pads, 2 * IR_MAX_DIMS, &count) || count != 2 * ifm.n)
		return lower_cpu(l, "the padding is not constant");
	for (uint32_t i = 0; i < ifm.n; i++)
		if (pads[2 * i] < 0 || pads[2 * i + 1] < 0 ||
		    pads[2 * i] > ifm.shape[i] - edge || pads[2 * i + 1] > ifm.shape[i] - edge ||
		    (int64_t)pads[2 * i] + ifm.shape[i] + pads[2 * i + 1] != ofm.shape[i])
			return lower_cpu(l, "the padding does not fit input and output");
	return mirror_axis(l, ofm, ifm, pads, edge, 0);
}
