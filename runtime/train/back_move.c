/* SPDX-License-Identifier: MIT */
/* Gradients of what moves elements about, and of means. */
#include <string.h>

#include "runtime/train/backward.h"

void backward_copy(const struct backward *b)
{
	size_t n = ir_tensor_elements(b->type_out);

	for (size_t i = 0; i < n && b->gin[0]; i++)
		b->gin[0][i] += b->gout[i];
}

/* The second operand: int32 and known. */
static const int32_t *numbers(const struct backward *b, size_t *count)
{
	const struct ir_tensor *t = b->type_in[1];

	if (!t || !t->data || t->type != ELEM_INT32)
		return NULL;
	*count = ir_tensor_elements(t);
	return t->data;
}

/* Elements from one index of an axis to the next. */
static ptrdiff_t step_of(const struct ir_tensor *t, uint32_t axis)
{
	ptrdiff_t step = 1;

	for (uint32_t i = axis + 1; i < t->ndim; i++)
		step *= t->shape[i];
	return step;
}

bool backward_mean_fits(const struct backward *b)
{
	size_t count;

	return numbers(b, &count);
}

void backward_mean(const struct backward *b)
{
	const struct ir_tensor *in = b->type_in[0];
	size_t count = 0, n = ir_tensor_elements(in);
	const int32_t *axes = numbers(b, &count);
	struct walk w = { .ndim = in->ndim, .shape = in->shape };
	float share = (float)ir_tensor_elements(b->type_out) / (float)n;
	bool gone[IR_MAX_DIMS] = { false };
	ptrdiff_t step = 1;

	for (size_t i = 0; i < count; i++)
		gone[axes[i] < 0 ? axes[i] + (int32_t)in->ndim : axes[i]] = true;
	for (uint32_t i = in->ndim; i-- > 0;) {
		w.step[i] = gone[i] ? 0 : step;
		step *= gone[i] ? 1 : in->shape[i];
	}
	for (size_t i = 0; i < n && b->gin[0]; i++, walk_next(&w))
		b->gin[0][i] += share * b->gout[w.at];
}

bool backward_pad_fits(const struct backward *b)
{
	size_t count = 0;

	return numbers(b, &count) && count == 2 * (size_t)b->type_in[0]->ndim;
}

void backward_pad(const struct backward *b)
{
	const struct ir_tensor *in = b->type_in[0];
	size_t count = 0, n = ir_tensor_elements(in);
	const int32_t *pads = numbers(b, &count);
	struct walk w = { .ndim = in->ndim, .shape = in->shape };

	for (uint32_t i = 0; i < in->ndim; i++) {
		w.step[i] = step_of(b->type_out, i);
		w.at += w.step[i] * pads[2 * i];
	}
	for (size_t i = 0; i < n && b->gin[0]; i++, walk_next(&w))
		b->gin[0][i] += b->gout[w.at];
}

bool backward_transpose_fits(const struct backward *b)
{
	size_t count = 0;

	return numbers(b, &count) && count == b->type_in[0]->ndim;
}

void backward_transpose(const struct backward *b)
{
	const struct ir_tensor *out = b->type_out;
	size_t count = 0, n = ir_tensor_elements(out);
	const int32_t *order = numbers(b, &count);
	struct walk w = { .ndim = out->ndim, .shape = out->shape };

	for (uint32_t i = 0; i < out->ndim; i++)
		w.step[i] = step_of(b->type_in[0], (uint32_t)order[i]);
	for (size_t i = 0; i < n && b->gin[0]; i++, walk_next(&w))
		b->gin[0][w.at] += b->gout[i];
}
