/* SPDX-License-Identifier: MIT */
/* Operators that move elements: by axes, by parts, by padding. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "runtime/onnx/build.h"

static int transpose(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0);
	int32_t perm[IR_MAX_DIMS];
	uint32_t count = onnx_ints(c, n, "perm", perm, IR_MAX_DIMS), seen = 0;

	if (!onnx_has(n, "perm"))
		for (count = 0; count < x->ndim; count++)
			perm[count] = (int32_t)(x->ndim - 1 - count);
	for (uint32_t i = 0; i < count; i++)
		if (perm[i] >= 0 && perm[i] < (int32_t)x->ndim)
			seen |= 1u << perm[i];
	if (count != x->ndim || (uint32_t)__builtin_popcount(seen) != count) {
		onnx_fail(c, -EINVAL, "perm is no permutation of its input's axes");
		return c->rc;
	}
	return onnx_out(c, n, 0, b_transpose(c, x, perm));
}

static int concat(struct onnx_import *c, const struct onnx_node *n)
{
	uint32_t axis = onnx_axis(c, onnx_int(n, "axis", 1), onnx_in(n, 0)->ndim);

	return onnx_out(c, n, 0, b_concat(c, axis, n->input_count, n->inputs));
}

/* Parts by attribute or operand, or as many as there are outputs, the last one smaller. */
static int split(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0);
	uint32_t axis = onnx_axis(c, onnx_int(n, "axis", 0), x->ndim), count;
	int32_t extent, *parts = ir_alloc(c->g, (n->output_count + 1) * sizeof(*parts));
	int64_t at = 0;

	if (!parts)
		onnx_fail(c, -ENOMEM, "out of memory");
	if (c->rc)
		return c->rc;
	extent = x->shape[axis];
	count = onnx_list(c, n, "split", 1, parts, n->output_count);
	if (c->rc)
		return c->rc;
	if (!count) {
		int32_t each = (int32_t)((extent + (int64_t)n->output_count - 1) / n->output_count);

		for (count = 0; count < n->output_count; count++) {
			int64_t left = extent - (int64_t)count * each;

			parts[count] = left > each ? each : left > 0 ? (int32_t)left : 0;
		}
	}
	for (uint32_t i = 0; i < count; i++) {
		if (parts[i] < 0 || at + parts[i] > extent)
			break;
		at += parts[i];
	}
	if (count != n->output_count || at != extent) {
		onnx_fail(c, -EINVAL, "%u parts are not the %d elements of its axis", count, extent);
		return c->rc;
	}
	at = 0;
	for (uint32_t i = 0; i < count && !c->rc; i++) {
		onnx_out(c, n, i, b_slice(c, x, axis, (int32_t)at, parts[i]));
		at += parts[i];
	}
	return c->rc;
}

/* One axis of Slice: to indices that are inside. */
static void slice_axis(int32_t extent, int64_t from, int64_t to, int32_t step, int32_t *begin, int32_t *end)
{
	int64_t low = step > 0 ? 0 : -1, high = step > 0 ? extent : extent - 1;

	from += from < 0 ? extent : 0;
	to += to < 0 ? extent : 0;
	*begin = (int32_t)(from < (step > 0 ? 0 : -1) ? low : from > high ? high : from);
	*end = (int32_t)(to < low ? low : to > (step > 0 ? extent : extent - 1) ? high : to);
	if (step < 0 && from < 0)
		*begin = -1;
}

static int slice(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0);
	int32_t starts[IR_MAX_DIMS], ends[IR_MAX_DIMS], axes[IR_MAX_DIMS], steps[IR_MAX_DIMS];
	int32_t begin[IR_MAX_DIMS], end[IR_MAX_DIMS], step[IR_MAX_DIMS];
	uint32_t count = onnx_list(c, n, "starts", 1, starts, IR_MAX_DIMS);
	bool has_axes = onnx_has(n, "axes") || onnx_in(n, 3), has_steps = onnx_in(n, 4);

	if (onnx_list(c, n, "ends", 2, ends, IR_MAX_DIMS) != count ||
	    (has_axes && onnx_list(c, n, "axes", 3, axes, IR_MAX_DIMS) != count) ||
	    (has_steps && onnx_known(c, onnx_in(n, 4), "steps", steps, IR_MAX_DIMS) != count))
		onnx_fail(c, -EINVAL, "starts, ends, axes and steps of different lengths");
	for (uint32_t i = 0; i < x->ndim; i++) {
		begin[i] = 0;
		end[i] = x->shape[i];
		step[i] = 1;
	}
	for (uint32_t i = 0; i < count && !c->rc; i++) {
		uint32_t axis = onnx_axis(c, has_axes ? axes[i] : (int32_t)i, x->ndim);
		int32_t by = has_steps ? steps[i] : 1;

		if (c->rc)
			break;
		/* Steps beyond the axis take one element, whatever they are. */
		by = by > x->shape[axis] + 1	? x->shape[axis] + 1
		     : by < -x->shape[axis] - 1 ? -x->shape[axis] - 1
						: by;
		if (!by) {
			onnx_fail(c, -EINVAL, "a step of 0");
			break;
		}
		step[axis] = by;
		slice_axis(x->shape[axis], starts[i], ends[i], by, &begin[axis], &end[axis]);
	}
	return onnx_out(c, n, 0, c->rc ? NULL : b_strided(c, x, begin, end, step));
}

/* Rows by their numbers, for padding that repeats the edge or goes round. */
static struct onnx_value *pad_by_index(struct onnx_import *c, struct onnx_value *x, uint32_t axis,
				       int32_t before, int32_t after, bool wrap)
{
	int32_t extent = x->shape[axis], count = before + extent + after, *p;
	struct onnx_value *list;

	if (!before && !after)
		return x;
	if (count < 1 || !extent)
		return onnx_fail(c, -ENOTSUP, "padding that cuts everything away");
	list = onnx_constant(c, ELEM_INT32, 1, &count, NULL);
	if (!list)
		return NULL;
	p = onnx_constant_data(list);
	for (int32_t i = 0; i < count; i++) {
		int32_t at = i - before;

		*p++ = wrap ? ((at % extent) + extent) % extent : at < 0 ? 0 : at >= extent ? extent - 1 : at;
	}
	return b_gather(c, x, list, axis);
}

static struct onnx_value *reflect(struct onnx_import *c, struct onnx_value *x, const int32_t *pads)
{
	struct ir_options o = { .mode = IR_MIRROR_REFLECT };
	int32_t list[2 * IR_MAX_DIMS], shape[IR_MAX_DIMS];
	struct onnx_value *p;

	for (uint32_t i = 0; i < x->ndim; i++) {
		list[2 * i] = pads[i];
		list[2 * i + 1] = pads[i + x->ndim];
		if (pads[i] < 0 || pads[i + x->ndim] < 0 || pads[i] >= x->shape[i] ||
		    pads[i + x->ndim] >= x->shape[i])
			return onnx_fail(c, -ENOTSUP, "reflection of more than there is");
		shape[i] = x->shape[i] + pads[i] + pads[i + x->ndim];
	}
	p = onnx_constant(c, ELEM_INT32, 2, (int32_t[]){ (int32_t)x->ndim, 2 }, NULL);
	if (!p)
		return NULL;
	memcpy(onnx_constant_data(p), list, 2 * x->ndim * sizeof(*list));
	return onnx_op(c, IR_MIRROR_PAD, &o, 2, (struct onnx_value *[]){ x, p }, x->type, x->ndim, shape);
}

static int pad(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0), *value = onnx_in(n, 2);
	int32_t list[2 * IR_MAX_DIMS], pads[2 * IR_MAX_DIMS] = { 0 }, axes[IR_MAX_DIMS];
	uint32_t count = onnx_list(c, n, "pads", 1, list, 2 * IR_MAX_DIMS) / 2;
	const char *mode = onnx_string(c, n, "mode", "constant");
	bool some = onnx_in(n, 3);

	if (some && onnx_known(c, onnx_in(n, 3), "axes", axes, IR_MAX_DIMS) != count)
		onnx_fail(c, -EINVAL, "pads and axes of different lengths");
	if (!c->rc && !some && count != x->ndim)
		onnx_fail(c, -EINVAL, "%u pads for %u axes", count, x->ndim);
	for (uint32_t i = 0; i < count && !c->rc; i++) {
		uint32_t axis = some ? onnx_axis(c, axes[i], x->ndim) : i;

		if (list[i] > 1 << 24 || list[i + count] > 1 << 24 || list[i] < -(1 << 30) ||
		    list[i + count] < -(1 << 30))
			onnx_fail(c, -ENOTSUP, "a padding of %d and %d", list[i], list[i + count]);
		pads[axis] = list[i];
		pads[axis + x->ndim] = list[i + count];
	}
	if (c->rc)
		return c->rc;
	if (!strcmp(mode, "reflect"))
		return onnx_out(c, n, 0, reflect(c, x, pads));
	if (!strcmp(mode, "edge") || !strcmp(mode, "wrap")) {
		uint32_t ndim = x->ndim;

		for (uint32_t i = 0; i < ndim && x; i++)
			x = pad_by_index(c, x, i, pads[i], pads[i + ndim], *mode == 'w');
		return onnx_out(c, n, 0, x);
	}
	if (strcmp(mode, "constant"))
		onnx_fail(c, -ENOTSUP, "mode %s", mode);
	if (c->opset < 11 && onnx_float(n, "value", 0) != 0)
		value = onnx_scalar(c, x->type, (double)onnx_float(n, "value", 0));
	if (value)
		value = b_reshape(c, value, 0, NULL);
	if (value && value->data && onnx_element(value, 0) == 0)
		value = NULL;
	return onnx_out(c, n, 0, b_pad(c, x, pads, value));
}

static int center_crop_pad(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0);
	int32_t want[IR_MAX_DIMS], axes[IR_MAX_DIMS], pads[2 * IR_MAX_DIMS] = { 0 };
	uint32_t count = onnx_known(c, onnx_in(n, 1), "the shape", want, IR_MAX_DIMS);
	bool some = onnx_has(n, "axes");

	if (some && onnx_ints(c, n, "axes", axes, IR_MAX_DIMS) != count)
		onnx_fail(c, -EINVAL, "shape and axes of different lengths");
	for (uint32_t i = 0; i < count && !c->rc; i++) {
		uint32_t axis = onnx_axis(c, some ? axes[i] : (int32_t)i, x->ndim);
		int32_t more;

		if (want[i] < 1 || want[i] > 1 << 24) {
			onnx_fail(c, -ENOTSUP, "an extent of %d", want[i]);
			break;
		}
		more = want[i] - x->shape[axis];
		/* The odd one goes after when padding, and is cut after when cropping. */
		pads[axis] = more >= 0 ? more / 2 : -(-more / 2);
		pads[axis + x->ndim] = more - pads[axis];
	}
	return onnx_out(c, n, 0, c->rc ? NULL : b_pad(c, x, pads, NULL));
}

/* Blocks of a channel axis to rows and columns: reshape, move, reshape. */
static int depth_to_space(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0);
	bool dcr = strcmp(onnx_string(c, n, "mode", "DCR"), "CRD");
	int64_t block = onnx_int(n, "blocksize", 0);
	int32_t b = (int32_t)block, d, h, w;

	if (x->ndim != 4 || block < 1 || block > 1 << 14 || x->shape[1] % (b * b) ||
	    (int64_t)x->shape[2] * b > INT32_MAX || (int64_t)x->shape[3] * b > INT32_MAX) {
		onnx_fail(c, -EINVAL, "blocks of %d do not fit the input", (int)block);
		return c->rc;
	}
	d = x->shape[1] / (b * b);
	h = x->shape[2];
	w = x->shape[3];
	if (dcr) {
		struct ir_options o = { .block_size = b };

		x = b_channels_last(c, x);
		x = onnx_op(c, IR_DEPTH_TO_SPACE, &o, 1, &x, x ? x->type : 0, 4,
			    (int32_t[]){ onnx_in(n, 0)->shape[0], h * b, w * b, d });
		return onnx_out(c, n, 0, x ? b_channels_first(c, x) : NULL);
	}
	x = b_reshape(c, x, 6, (int32_t[]){ x->shape[0], d, b, b, h, w });
	x = b_transpose(c, x, (int32_t[]){ 0, 1, 4, 2, 5, 3 });
	return onnx_out(c, n, 0, x ? b_reshape(c, x, 4, (int32_t[]){ x->shape[0], d, h * b, w * b }) : NULL);
}

static int space_to_depth(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0);
	int64_t block = onnx_int(n, "blocksize", 0);
	struct ir_options o = { .block_size = (int32_t)block };
	int32_t b = (int32_t)block;
	int32_t shape[4];

	if (x->ndim != 4 || block < 1 || block > 1 << 14 || x->shape[2] % b || x->shape[3] % b ||
	    (int64_t)x->shape[1] * b * b > INT32_MAX) {
		onnx_fail(c, -EINVAL, "blocks of %d do not fit the input", (int)block);
		return c->rc;
	}
	shape[0] = x->shape[0];
	shape[1] = x->shape[2] / b;
	shape[2] = x->shape[3] / b;
	shape[3] = x->shape[1] * b * b;
	x = b_channels_last(c, x);
	x = x ? onnx_op(c, IR_SPACE_TO_DEPTH, &o, 1, &x, x->type, 4, shape) : NULL;
	return onnx_out(c, n, 0, x ? b_channels_first(c, x) : NULL);
}

static int reverse_sequence(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0), *lengths = b_cast(c, onnx_in(n, 1), ELEM_INT32);
	struct ir_options o = { 0 };

	o.axis = (int32_t)onnx_axis(c, onnx_int(n, "time_axis", 0), x->ndim);
	o.batch_dims = (int32_t)onnx_axis(c, onnx_int(n, "batch_axis", 1), x->ndim);
	return onnx_out(c, n, 0, onnx_op(c, IR_REVERSE_SEQUENCE, &o, 2, (struct onnx_value *[]){ x, lengths },
					 x->type, x->ndim, x->shape));
}

#define NEWEST 27

const struct onnx_operator onnx_move[] = {
	{ "CenterCropPad", "", 18, NEWEST, 2, center_crop_pad, 0, "a constant shape" },
	{ "Concat", "", 4, NEWEST, 1, concat, 0, NULL },
	{ "DepthToSpace", "", 1, NEWEST, 1, depth_to_space, 0, NULL },
	{ "Pad", "", 2, NEWEST, 1, pad, 0, "constant pads; reflect: less than the extent" },
	{ "ReverseSequence", "", 10, NEWEST, 2, reverse_sequence, 0, NULL },
	{ "Slice", "", 1, NEWEST, 1, slice, 0, "constant bounds" },
	{ "SpaceToDepth", "", 1, NEWEST, 1, space_to_depth, 0, NULL },
	{ "Split", "", 2, NEWEST, 1, split, 0, "constant parts" },
	{ "Transpose", "", 1, NEWEST, 1, transpose, 0, NULL },
	{ 0 },
};
