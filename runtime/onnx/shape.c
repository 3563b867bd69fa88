/* SPDX-License-Identifier: MIT */
/* Operators on extents: those that give them, and those that only give a tensor other ones. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "runtime/onnx/build.h"

/* Extents as the model asks for them: int64. */
static struct onnx_value *int64s(struct onnx_import *c, uint32_t count, const int32_t *list)
{
	struct onnx_value *v = onnx_constant(c, ELEM_INT64, 1, (int32_t[]){ (int32_t)count }, NULL);

	for (uint32_t i = 0; v && i < count; i++)
		((int64_t *)onnx_constant_data(v))[i] = list[i];
	return v;
}

static int64_t clamp(int64_t v, int64_t low, int64_t high)
{
	return v < low ? low : v > high ? high : v;
}

static int shape(struct onnx_import *c, const struct onnx_node *n)
{
	const struct onnx_value *x = onnx_in(n, 0);
	int64_t start = onnx_int(n, "start", 0), end = onnx_int(n, "end", x->ndim);

	start = clamp(start < 0 ? start + x->ndim : start, 0, x->ndim);
	end = clamp(end < 0 ? end + x->ndim : end, start, x->ndim);
	return onnx_out(c, n, 0, int64s(c, (uint32_t)(end - start), x->shape + start));
}

static int size(struct onnx_import *c, const struct onnx_node *n)
{
	return onnx_out(c, n, 0, onnx_scalar(c, ELEM_INT64, (double)onnx_count(onnx_in(n, 0))));
}

static int reshape(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0);
	int32_t want[IR_MAX_DIMS];
	uint32_t count = onnx_list(c, n, "shape", 1, want, IR_MAX_DIMS), open = IR_MAX_DIMS;
	int64_t known = 1;

	for (uint32_t i = 0; i < count && !c->rc; i++) {
		if (want[i] == 0 && !onnx_int(n, "allowzero", 0))
			want[i] = i < x->ndim ? x->shape[i] : 0;
		if (want[i] == -1 && open == IR_MAX_DIMS)
			open = i;
		else if (want[i] < 0)
			onnx_fail(c, -EINVAL, "extent %u of the shape is %d", i, want[i]);
		else
			known = known * want[i] > INT32_MAX ? INT32_MAX : known * want[i];
	}
	if (open < IR_MAX_DIMS)
		want[open] = known ? (int32_t)((int64_t)onnx_count(x) / known) : 0;
	return onnx_out(c, n, 0, b_reshape(c, x, count, want));
}

static int flatten(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0);
	int64_t axis = onnx_int(n, "axis", 1);

	axis += axis < 0 ? x->ndim : 0;
	if (axis < 0 || axis > x->ndim) {
		onnx_fail(c, -EINVAL, "axis %d of %u", (int)axis, x->ndim);
		return c->rc;
	}
	return onnx_out(c, n, 0, b_matrix(c, x, (uint32_t)axis));
}

static int squeeze(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0);
	bool all = !onnx_has(n, "axes") && !onnx_in(n, 1);
	int32_t axes[IR_MAX_DIMS], to[IR_MAX_DIMS];
	uint32_t count = all ? 0 : onnx_list(c, n, "axes", 1, axes, IR_MAX_DIMS), ndim = 0, gone = 0;

	for (uint32_t i = 0; i < count; i++)
		gone |= 1u << onnx_axis(c, axes[i], x->ndim);
	for (uint32_t i = 0; i < x->ndim && !c->rc; i++) {
		if (all ? x->shape[i] == 1 : gone >> i & 1) {
			if (x->shape[i] != 1)
				onnx_fail(c, -EINVAL, "axis %u has extent %d", i, x->shape[i]);
			continue;
		}
		to[ndim++] = x->shape[i];
	}
	return onnx_out(c, n, 0, b_reshape(c, x, ndim, to));
}

static int unsqueeze(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0);
	int32_t axes[IR_MAX_DIMS], to[IR_MAX_DIMS];
	uint32_t count = onnx_list(c, n, "axes", 1, axes, IR_MAX_DIMS), from = 0, new = 0;

	if (!c->rc && x->ndim + count > IR_MAX_DIMS)
		onnx_fail(c, -ENOTSUP, "%u axes", x->ndim + count);
	for (uint32_t i = 0; i < count && !c->rc; i++)
		new |= 1u << onnx_axis(c, axes[i], x->ndim + count);
	if (!c->rc && (uint32_t)__builtin_popcount(new) != count)
		onnx_fail(c, -EINVAL, "an axis twice");
	for (uint32_t i = 0; i < x->ndim + count && !c->rc; i++)
		to[i] = new >> i & 1 ? 1 : x->shape[from++];
	return onnx_out(c, n, 0, b_reshape(c, x, x->ndim + count, to));
}

static int expand(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0), want = { .type = x->type };
	int32_t to[IR_MAX_DIMS];
	uint32_t ndim = 0;

	want.ndim = onnx_known(c, onnx_in(n, 1), "the shape", want.shape, IR_MAX_DIMS);
	if (c->rc || !b_broadcast_shape(c, x, &want, &ndim, to))
		return c->rc;
	return onnx_out(c, n, 0, b_broadcast(c, x, ndim, to));
}

static int tile(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0);
	int32_t times[IR_MAX_DIMS], to[IR_MAX_DIMS];
	uint32_t count = onnx_known(c, onnx_in(n, 1), "repeats", times, IR_MAX_DIMS);

	if (!c->rc && count != x->ndim)
		onnx_fail(c, -EINVAL, "%u repeats for %u axes", count, x->ndim);
	for (uint32_t i = 0; i < x->ndim && !c->rc; i++) {
		if (times[i] < 0 || (int64_t)times[i] * x->shape[i] > INT32_MAX)
			onnx_fail(c, -ENOTSUP, "axis %u is repeated %d times", i, times[i]);
		else
			to[i] = times[i] * x->shape[i];
	}
	if (c->rc)
		return c->rc;
	return onnx_out(c, n, 0, onnx_op(c, IR_TILE, NULL, 2,
					 (struct onnx_value *[]){ x, onnx_i32(c, count, times) }, x->type,
					 x->ndim, to));
}

/* A constant of one number everywhere, as a broadcast of it. */
static int constant_of_shape(struct onnx_import *c, const struct onnx_node *n)
{
	const Onnx__TensorProto *t = onnx_tensor_attribute(n, "value");
	struct onnx_value *value = t ? onnx_tensor(c, t, false) : onnx_f32(c, 0), *v;
	int32_t to[IR_MAX_DIMS];
	uint32_t ndim = onnx_known(c, onnx_in(n, 0), "the shape", to, IR_MAX_DIMS);
	size_t esize;

	if (!c->rc && onnx_count(value) != 1)
		onnx_fail(c, -EINVAL, "value is not one number");
	if (c->rc)
		return c->rc;
	v = onnx_constant(c, value->type, ndim, to, NULL);
	esize = elem_size(value->type);
	for (size_t i = 0; v && i < onnx_count(v); i++)
		memcpy((char *)onnx_constant_data(v) + i * esize, value->data, esize);
	return onnx_out(c, n, 0, v);
}

static int range(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *start = onnx_in(n, 0), *v;
	double from, to, step, count;
	int32_t extent;
	float f;

	if (!start->data || !onnx_in(n, 1)->data || !onnx_in(n, 2)->data) {
		for (uint32_t i = 0; i < 3; i++)
			onnx_known_float(c, onnx_in(n, i), "a bound");
		return c->rc;
	}
	if (onnx_count(start) != 1 || onnx_count(onnx_in(n, 1)) != 1 || onnx_count(onnx_in(n, 2)) != 1) {
		onnx_fail(c, -EINVAL, "a bound is not one number");
		return c->rc;
	}
	from = onnx_element(start, 0);
	to = onnx_element(onnx_in(n, 1), 0);
	step = onnx_element(onnx_in(n, 2), 0);
	count = step != 0 ? ceil((to - from) / step) : 0;
	/* Beyond 2^62 neither the ends nor what lies between fits the type. */
	if (!(step != 0) || !(count < (double)INT32_MAX) || !(fabs(from) < 0x1p62) || !(fabs(to) < 0x1p62)) {
		onnx_fail(c, -EINVAL, "a step of %g from %g to %g", step, from, to);
		return c->rc;
	}
	extent = count > 0 ? (int32_t)count : 0;
	v = onnx_constant(c, start->type, 1, &extent, NULL);
	for (int32_t i = 0; v && i < extent; i++) {
		int64_t whole = (int64_t)(from + i * step);

		f = (float)(from + i * step);
		memcpy((char *)onnx_constant_data(v) + (size_t)i * elem_size(v->type),
		       v->type == ELEM_FLOAT32 ? (const void *)&f : &whole, elem_size(v->type));
	}
	return onnx_out(c, n, 0, v);
}

/* The rows that are kept, as a constant to choose by: the upper or lower triangle, or the diagonal. */
static struct onnx_value *triangle(struct onnx_import *c, int32_t rows, int32_t columns, int64_t k,
				   bool upper, int type)
{
	struct onnx_value *v = onnx_constant(c, ELEM_BOOL, 2, (int32_t[]){ rows, columns }, NULL);
	uint8_t *p;

	if (!v)
		return NULL;
	p = onnx_constant_data(v);
	for (int64_t y = 0; y < rows; y++)
		for (int64_t x = 0; x < columns; x++)
			*p++ = type >= 0 ? x - y == k : upper ? x - y >= k : x - y <= k;
	return type >= 0 ? b_cast(c, v, type) : v;
}

static int trilu(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0);
	bool upper = onnx_int(n, "upper", 1);
	int32_t k = onnx_in(n, 1) ? onnx_known_int(c, onnx_in(n, 1), "k") : 0;

	if (!c->rc && x->ndim < 2)
		onnx_fail(c, -EINVAL, "no matrix");
	if (c->rc)
		return c->rc;
	return onnx_out(c, n, 0, b_select(c, triangle(c, x->shape[x->ndim - 2], x->shape[x->ndim - 1], k,
						      upper, -1), x, onnx_scalar(c, x->type, 0)));
}

static int eye_like(struct onnx_import *c, const struct onnx_node *n)
{
	const struct onnx_value *x = onnx_in(n, 0);
	int type = onnx_has(n, "dtype") ? onnx_type(c, (int)onnx_int(n, "dtype", 0)) : x->type;

	if (!c->rc && x->ndim != 2)
		onnx_fail(c, -EINVAL, "no matrix");
	if (c->rc)
		return c->rc;
	return onnx_out(c, n, 0, triangle(c, x->shape[0], x->shape[1], onnx_int(n, "k", 0), false, type));
}

#define NEWEST 27

const struct onnx_operator onnx_shape[] = {
	{ "ConstantOfShape", "", 9, NEWEST, 1, constant_of_shape, 0, NULL },
	{ "Expand", "", 8, NEWEST, 2, expand, 0, NULL },
	{ "EyeLike", "", 9, NEWEST, 1, eye_like, 0, NULL },
	{ "Flatten", "", 1, NEWEST, 1, flatten, 0, NULL },
	{ "Range", "", 11, NEWEST, 3, range, 0, "constant bounds" },
	{ "Reshape", "", 5, NEWEST, 1, reshape, 0, "a constant shape" },
	{ "Shape", "", 1, NEWEST, 1, shape, 0, NULL },
	{ "Size", "", 1, NEWEST, 1, size, 0, NULL },
	{ "Squeeze", "", 1, NEWEST, 1, squeeze, 0, "constant axes" },
	{ "Tile", "", 6, NEWEST, 2, tile, 0, "constant repeats" },
	{ "Trilu", "", 14, NEWEST, 1, trilu, 0, "a constant k" },
	{ "Unsqueeze", "", 1, NEWEST, 1, unsqueeze, 0, "constant axes" },
	{ 0 },
};
