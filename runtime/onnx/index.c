/* SPDX-License-Identifier: MIT */
/* Elements by their numbers. TFLite counts from the front only, ONNX from the end as well. */
#include <errno.h>
#include <string.h>

#include "runtime/onnx/build.h"

/* Indices into an axis of @extent, none below 0: constants as int32, others as they come. */
static struct onnx_value *from_front(struct onnx_import *c, struct onnx_value *v, int32_t extent)
{
	struct onnx_value *fixed, *negative;

	if (!v)
		return NULL;
	if (v->type != ELEM_INT32 && v->type != ELEM_INT64)
		return onnx_fail(c, -EINVAL, "indices of type %s", elem_name(v->type));
	if (!v->data) {
		negative = b_compare(c, IR_LESS, v, onnx_scalar(c, v->type, 0));
		return b_select(c, negative, b_with(c, IR_ADD, v, extent), v);
	}
	fixed = onnx_constant(c, ELEM_INT32, v->ndim, v->shape, NULL);
	for (size_t i = 0; fixed && i < onnx_count(v); i++) {
		int64_t at = onnx_element_int(v, i);

		if (at < -(int64_t)extent || at >= extent)
			return onnx_fail(c, -EINVAL, "index %d of %d", (int)at, extent);
		((int32_t *)onnx_constant_data(fixed))[i] = (int32_t)(at < 0 ? at + extent : at);
	}
	return fixed;
}

static int gather(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0), *indices;
	uint32_t axis = onnx_axis(c, onnx_int(n, "axis", 0), x->ndim);

	if (c->rc)
		return c->rc;
	indices = from_front(c, onnx_in(n, 1), x->shape[axis]);
	/* One element: a part of the tensor. */
	if (indices && indices->data && !indices->ndim && !x->data) {
		int32_t shape[IR_MAX_DIMS];
		uint32_t ndim = 0;

		for (uint32_t i = 0; i < x->ndim; i++)
			if (i != axis)
				shape[ndim++] = x->shape[i];
		return onnx_out(
			c, n, 0,
			b_reshape(c, b_slice(c, x, axis, (int32_t)onnx_element_int(indices, 0), 1),
				  ndim, shape));
	}
	return onnx_out(c, n, 0, b_gather(c, x, indices, axis));
}

static int gather_elements(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0), *indices = onnx_in(n, 1);
	struct ir_options o = { .axis = (int32_t)onnx_axis(c, onnx_int(n, "axis", 0), x->ndim) };

	if (!c->rc && indices->ndim != x->ndim)
		onnx_fail(c, -EINVAL, "indices of %u axes", indices->ndim);
	if (c->rc)
		return c->rc;
	indices = from_front(c, indices, x->shape[o.axis]);
	return onnx_out(c, n, 0,
			indices ? onnx_op(c, IR_GATHER_ELEMENTS, &o, 2,
					  (struct onnx_value *[]){ x, indices }, x->type,
					  indices->ndim, indices->shape)
				: NULL);
}

/* Indices of several axes: a constant a place, which negative ones are added to. */
static struct onnx_value *all_from_front(struct onnx_import *c, struct onnx_value *v, const int32_t *extents)
{
	uint32_t last = (uint32_t)v->shape[v->ndim - 1];
	struct onnx_value *more = onnx_constant(c, v->type, 1, (int32_t[]){ (int32_t)last }, NULL), *negative;

	for (uint32_t i = 0; more && i < last; i++) {
		if (v->type == ELEM_INT64)
			((int64_t *)onnx_constant_data(more))[i] = extents[i];
		else
			((int32_t *)onnx_constant_data(more))[i] = extents[i];
	}
	negative = b_compare(c, IR_LESS, v, onnx_scalar(c, v->type, 0));
	return b_select(c, negative, b_add(c, v, more), v);
}

/* With batch axes, those become one more index each: their own number. */
static struct onnx_value *with_batch(struct onnx_import *c, struct onnx_value *v, uint32_t batch)
{
	for (uint32_t d = batch; d-- > 0 && v;) {
		int32_t shape[IR_MAX_DIMS];
		struct onnx_value *numbers, *list[2];
		size_t inner = 1;

		memcpy(shape, v->shape, sizeof(shape));
		shape[v->ndim - 1] = 1;
		numbers = onnx_constant(c, v->type, v->ndim, shape, NULL);
		for (uint32_t i = d + 1; i < v->ndim - 1; i++)
			inner *= (size_t)shape[i];
		for (size_t i = 0; numbers && i < onnx_count(numbers); i++) {
			int64_t at = (int64_t)(i / inner % (size_t)shape[d]);

			memcpy((char *)onnx_constant_data(numbers) + i * elem_size(v->type), &at,
			       elem_size(v->type));
		}
		list[0] = numbers;
		list[1] = v;
		v = b_concat(c, v->ndim - 1, 2, list);
	}
	return v;
}

static bool fit_nd(struct onnx_import *c, const struct onnx_value *x, const struct onnx_value *indices,
		   uint32_t batch)
{
	if (!indices->ndim || indices->shape[indices->ndim - 1] < 1 ||
	    (uint32_t)indices->shape[indices->ndim - 1] + batch > x->ndim || batch >= indices->ndim ||
	    (indices->type != ELEM_INT32 && indices->type != ELEM_INT64)) {
		onnx_fail(c, -EINVAL, "indices that do not fit %u axes", x->ndim);
		return false;
	}
	for (uint32_t i = 0; i < batch; i++)
		if (indices->shape[i] != x->shape[i]) {
			onnx_fail(c, -EINVAL, "batch axes that do not fit");
			return false;
		}
	return true;
}

static int gather_nd(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0), *indices = onnx_in(n, 1);
	uint32_t batch = onnx_int(n, "batch_dims", 0) > 0 ? (uint32_t)onnx_int(n, "batch_dims", 0) : 0, ndim;
	int32_t shape[2 * IR_MAX_DIMS];

	if (batch > IR_MAX_DIMS || !fit_nd(c, x, indices, batch))
		return onnx_fail(c, -EINVAL, "batch axes that do not fit"), c->rc;
	indices = with_batch(c, all_from_front(c, indices, x->shape + batch), batch);
	if (!indices)
		return c->rc;
	for (ndim = 0; ndim < indices->ndim - 1; ndim++)
		shape[ndim] = indices->shape[ndim];
	for (uint32_t i = (uint32_t)indices->shape[indices->ndim - 1]; i < x->ndim; i++)
		shape[ndim++] = x->shape[i];
	return onnx_out(c, n, 0, onnx_op(c, IR_GATHER_ND, NULL, 2, (struct onnx_value *[]){ x, indices },
					 x->type, ndim, shape));
}

static int scatter_mode(struct onnx_import *c, const struct onnx_node *n)
{
	static const char *const names[] = { [IR_SCATTER_NONE] = "none", [IR_SCATTER_ADD] = "add",
					     [IR_SCATTER_MUL] = "mul", [IR_SCATTER_MAX] = "max",
					     [IR_SCATTER_MIN] = "min" };
	const char *name = onnx_string(c, n, "reduction", "none");

	for (int i = 0; i < 5; i++)
		if (!strcmp(name, names[i]))
			return i;
	onnx_fail(c, -ENOTSUP, "reduction %s", name);
	return 0;
}

static int scatter_elements(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0), *indices = onnx_in(n, 1), *updates = onnx_in(n, 2);
	struct ir_options o = { .axis = (int32_t)onnx_axis(c, onnx_int(n, "axis", 0), x->ndim),
				.mode = scatter_mode(c, n) };

	if (!c->rc && (indices->ndim != x->ndim || updates->ndim != x->ndim || updates->type != x->type))
		onnx_fail(c, -EINVAL, "indices or updates that do not fit");
	if (c->rc)
		return c->rc;
	indices = from_front(c, indices, x->shape[o.axis]);
	return onnx_out(c, n, 0, onnx_op(c, IR_SCATTER_ELEMENTS, &o, 3,
					 (struct onnx_value *[]){ x, indices, updates }, x->type, x->ndim,
					 x->shape));
}

static int scatter_nd(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0), *indices = onnx_in(n, 1), *updates = onnx_in(n, 2);
	struct ir_options o = { .mode = scatter_mode(c, n) };

	if (c->rc || !fit_nd(c, x, indices, 0))
		return c->rc;
	if (updates->type != x->type)
		onnx_fail(c, -EINVAL, "updates of another type");
	indices = all_from_front(c, indices, x->shape);
	return onnx_out(c, n, 0, onnx_op(c, IR_SCATTER_ND_UPDATE, &o, 3,
					 (struct onnx_value *[]){ x, indices, updates }, x->type, x->ndim,
					 x->shape));
}

/* 0, 1, ... @count - 1 along an axis of @ndim. */
static struct onnx_value *numbers(struct onnx_import *c, uint32_t ndim, uint32_t axis, int32_t count)
{
	int32_t shape[IR_MAX_DIMS];
	struct onnx_value *v;

	for (uint32_t i = 0; i < ndim; i++)
		shape[i] = i == axis ? count : 1;
	v = onnx_constant(c, ELEM_INT64, ndim, shape, NULL);
	for (int32_t i = 0; v && i < count; i++)
		((int64_t *)onnx_constant_data(v))[i] = i;
	return v;
}

static int one_hot(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = b_cast(c, onnx_in(n, 0), ELEM_INT64), *values = onnx_in(n, 2), *hit;
	int32_t depth = onnx_known_int(c, onnx_in(n, 1), "depth"), shape[IR_MAX_DIMS];
	uint32_t axis, ndim = x ? x->ndim + 1 : 1;

	if (!c->rc && (ndim > IR_MAX_DIMS || depth < 1 || depth > 1 << 24 || values->ndim != 1 ||
		       values->shape[0] != 2))
		onnx_fail(c, -EINVAL, "a depth of %d, or no two values", depth);
	axis = onnx_axis(c, onnx_int(n, "axis", -1), ndim);
	if (c->rc)
		return c->rc;
	for (uint32_t i = 0; i < ndim; i++)
		shape[i] = i == axis ? 1 : x->shape[i - (i > axis)];
	x = b_reshape(c, x, ndim, shape);
	x = b_select(c, b_compare(c, IR_LESS, x, onnx_scalar(c, ELEM_INT64, 0)),
		     b_with(c, IR_ADD, x, depth), x);
	hit = b_compare(c, IR_EQUAL, x, numbers(c, ndim, axis, depth));
	return onnx_out(c, n, 0, b_select(c, hit, b_reshape(c, b_slice(c, values, 0, 1, 1), 0, NULL),
					  b_reshape(c, b_slice(c, values, 0, 0, 1), 0, NULL)));
}

/* Which of its input stays has to be known. */
static int compress(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0), *keep = onnx_in(n, 1), *list;
	bool flat = !onnx_has(n, "axis");
	uint32_t axis = flat ? 0 : onnx_axis(c, onnx_int(n, "axis", 0), x->ndim), count = 0;
	int32_t *p = ir_alloc(c->g, (onnx_count(keep) + 1) * sizeof(*p));

	if (!p)
		onnx_fail(c, -ENOMEM, "out of memory");
	else if (!keep->data)
		onnx_known(c, keep, "the condition", p, 0);
	if (c->rc)
		return c->rc;
	if (flat)
		x = b_reshape(c, x, 1, (int32_t[]){ (int32_t)onnx_count(x) });
	for (size_t i = 0; x && i < onnx_count(keep) && i < (size_t)x->shape[axis]; i++)
		if (onnx_element_int(keep, i))
			p[count++] = (int32_t)i;
	list = onnx_i32(c, count, p);
	return onnx_out(c, n, 0, b_gather(c, x, list, axis));
}

static int non_zero(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0), *v;
	int32_t shape[2] = { (int32_t)(x->ndim ? x->ndim : 1), 0 };
	uint32_t at = 0;

	if (!x->data)
		onnx_known(c, x, "the input", shape, 0);
	if (c->rc)
		return c->rc;
	for (size_t i = 0; i < onnx_count(x); i++)
		shape[1] += onnx_element(x, i) != 0;
	v = onnx_constant(c, ELEM_INT64, 2, shape, NULL);
	for (size_t i = 0; v && i < onnx_count(x); i++) {
		size_t rest = i;

		if (onnx_element(x, i) == 0)
			continue;
		for (uint32_t d = x->ndim; d-- > 0; rest /= (size_t)x->shape[d])
			((int64_t *)onnx_constant_data(v))[d * (uint32_t)shape[1] + at] =
				(int64_t)(rest % (size_t)x->shape[d]);
		at++;
	}
	return onnx_out(c, n, 0, v);
}

#define NEWEST 27

const struct onnx_operator onnx_index[] = {
	{ "Compress", "", 9, NEWEST, 2, compress, 0, "a constant condition" },
	{ "Gather", "", 1, NEWEST, 2, gather, 0, NULL },
	{ "GatherElements", "", 11, NEWEST, 2, gather_elements, 0, NULL },
	{ "GatherND", "", 11, NEWEST, 2, gather_nd, 0, NULL },
	{ "NonZero", "", 9, NEWEST, 1, non_zero, 0, "constants" },
	{ "OneHot", "", 9, NEWEST, 3, one_hot, 0, "a constant depth" },
	{ "Scatter", "", 9, 10, 3, scatter_elements, 0, NULL },
	{ "ScatterElements", "", 11, NEWEST, 3, scatter_elements, 0, NULL },
	{ "ScatterND", "", 11, NEWEST, 3, scatter_nd, 0, NULL },
	{ 0 },
};
