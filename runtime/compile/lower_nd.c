/* SPDX-License-Identifier: MIT */
/* Lowering: tensors with axes, parts of them, and the views that come of them. */
#include "runtime/compile/lower.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int lower_cpu(struct lower *l, const char *why)
{
	l->why = why;
	return LOWER_CPU;
}

int lower_no_memory(struct lower *l)
{
	return error_set(l->err, -ENOMEM, "out of memory");
}

struct nd lower_nd(const struct lower *l, uint32_t t)
{
	const struct ir_tensor *tensor = lower_tensor(l, t);
	struct nd d = { .tensor = t, .n = tensor->ndim, .type = tensor->type,
			.zero_point = quant_zero(tensor) };
	int64_t step = 1;

	for (uint32_t i = d.n; i-- > 0;) {
		d.shape[i] = tensor->shape[i];
		d.step[i] = step;
		step *= d.shape[i];
	}
	if (t < l->place_count) {
		d.tensor = l->place[t].root;
		d.base = l->place[t].base;
		memcpy(d.step, l->place[t].step, sizeof(d.step));
	}
	return d;
}

struct nd lower_value(int32_t value, int32_t zero_point, int type)
{
	return (struct nd){ .tensor = IR_NONE, .scalar = true, .value = value, .type = type,
			    .zero_point = zero_point };
}

uint32_t lower_temp(struct lower *l, int type, uint32_t ndim, const int32_t *shape)
{
	char name[32];

	snprintf(name, sizeof(name), "t%u", l->g->tensor_count);
	return ir_tensor_new(l->g, name, type, ndim, shape);
}

uint32_t lower_temp_like(struct lower *l, int type, uint32_t like)
{
	struct ir_tensor t = *lower_tensor(l, like);

	return lower_temp(l, type, t.ndim, t.shape);
}

uint32_t lower_constant(struct lower *l, int type, uint32_t ndim, const int32_t *shape,
			const void *data)
{
	uint32_t t = lower_temp(l, type, ndim, shape);
	struct ir_tensor *tensor;
	size_t size;
	void *copy;

	if (t == IR_NONE)
		return IR_NONE;
	tensor = lower_tensor(l, t);
	size = ir_tensor_bytes(tensor);
	copy = ir_alloc(l->g, size);
	if (!copy)
		return IR_NONE;
	memcpy(copy, data, size);
	tensor->data = copy;
	tensor->size = size;
	return t;
}

void nd_rank(struct nd *d, uint32_t n)
{
	while (d->n < n && d->n < IR_MAX_DIMS) {
		for (uint32_t i = d->n; i > 0; i--) {
			d->shape[i] = d->shape[i - 1];
			d->step[i] = d->step[i - 1];
		}
		/* As a whole tensor would have it: what a view of a box is recognised by. */
		d->shape[0] = 1;
		d->step[0] = d->n ? d->step[1] * d->shape[1] : 1;
		d->n++;
	}
}

void nd_slice(struct nd *d, uint32_t axis, int32_t begin, int32_t count, int32_t step)
{
	d->base += begin * d->step[axis];
	d->shape[axis] = count;
	d->step[axis] *= step;
}

void nd_drop(struct nd *d, uint32_t axis)
{
	d->n--;
	for (uint32_t i = axis; i < d->n; i++) {
		d->shape[i] = d->shape[i + 1];
		d->step[i] = d->step[i + 1];
	}
}

void nd_permute(struct nd *d, const uint32_t *axes)
{
	struct nd from = *d;

	for (uint32_t i = 0; i < d->n; i++) {
		d->shape[i] = from.shape[axes[i]];
		d->step[i] = from.step[axes[i]];
	}
}

bool nd_broadcast(struct nd *d, const struct nd *like)
{
	if (d->scalar)
		return true;
	if (d->n > like->n)
		return false;
	nd_rank(d, like->n);
	for (uint32_t i = 0; i < d->n; i++) {
		if (d->shape[i] == like->shape[i])
			continue;
		if (d->shape[i] != 1)
			return false;
		d->shape[i] = like->shape[i];
		d->step[i] = 0;
	}
	return true;
}

/*
 * Old and new axes are matched in groups of equal products; within a group the old axes must follow
 * each other without gaps.
 */
bool nd_reshape(struct nd *d, uint32_t n, const int32_t *shape)
{
	struct nd to = *d;
	uint32_t i = 0, j = 0;

	to.n = n;
	while (i < d->n || j < n) {
		int64_t have = 1, want = 1, step = 1;
		uint32_t i0 = i, j0 = j;

		do {
			if (want >= have && i < d->n)
				have *= d->shape[i++];
			else if (j < n)
				want *= shape[j++];
			else
				return false;
		} while (have != want || (i < d->n && d->shape[i] == 1) || (j < n && shape[j] == 1));
		/* Axes of extent 1 have no step that matters. */
		for (uint32_t k = i, last = IR_NONE; k-- > i0;) {
			if (d->shape[k] == 1)
				continue;
			if (last == IR_NONE)
				step = d->step[k];
			else if (d->step[k] != d->step[last] * d->shape[last])
				return false;
			last = k;
		}
		for (uint32_t k = j; k-- > j0;) {
			to.shape[k] = shape[k];
			to.step[k] = step;
			step *= shape[k];
		}
	}
	*d = to;
	return true;
}

bool nd_view(const struct nd *d, struct ir_view *view)
{
	struct nd t = *d;

	*view = (struct ir_view){ .tensor = d->tensor, .base = d->base, .h = 1, .w = 1, .c = 1,
				  .zero_point = d->zero_point, .type = d->type };
	if (d->scalar) {
		view->tensor = IR_NONE;
		view->scalar = true;
		view->value = d->value;
		return true;
	}
	nd_rank(&t, 3);
	while (t.n > 3) {
		if (t.shape[0] != 1)
			return false;
		nd_drop(&t, 0);
	}
	for (uint32_t i = 0; i < 3; i++)
		if (t.shape[i] > LOWER_AXIS_MAX)
			return false;
	if (t.shape[2] != 1 && t.step[2] != 1 && t.step[2] != 0)
		return false;
	view->sy = t.step[0];
	view->sx = t.step[1];
	/* Axes that broadcast have extent 1. */
	view->h = t.step[0] ? t.shape[0] : 1;
	view->w = t.step[1] ? t.shape[1] : 1;
	view->c = t.step[2] ? t.shape[2] : 1;
	return true;
}

bool nd_same(const struct nd *a, const struct nd *b)
{
	if (a->tensor != b->tensor || a->base != b->base || a->n != b->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (a->shape[i] != b->shape[i] || (a->shape[i] != 1 && a->step[i] != b->step[i]))
			return false;
	return true;
}

bool nd_axis(int32_t axis, uint32_t ndim, uint32_t *out)
{
	int64_t a = axis < 0 ? (int64_t)axis + ndim : axis;

	if (a < 0 || a >= ndim)
		return false;
	*out = (uint32_t)a;
	return true;
}

bool lower_integers(const struct lower *l, uint32_t t, int32_t *out, uint32_t max, uint32_t *count)
{
	const struct ir_tensor *tensor = t == IR_NONE ? NULL : lower_tensor(l, t);
	size_t n;

	if (!tensor || !tensor->data)
		return false;
	n = ir_tensor_elements(tensor);
	if (n > max || (tensor->type != ELEM_INT32 && tensor->type != ELEM_INT64))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (tensor->type == ELEM_INT32) {
			memcpy(&out[i], (const char *)tensor->data + 4 * i, 4);
		} else {
			int64_t v;

			memcpy(&v, (const char *)tensor->data + 8 * i, 8);
			out[i] = v < INT32_MIN ? INT32_MIN : v > INT32_MAX ? INT32_MAX : (int32_t)v;
		}
	}
	*count = (uint32_t)n;
	return true;
}
