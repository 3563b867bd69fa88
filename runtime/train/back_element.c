/* SPDX-License-Identifier: MIT */
/* Gradients of what is computed element by element, and of SOFTMAX. */
#include <math.h>
#include <string.h>

#include "runtime/train/backward.h"

void walk_broadcast(struct walk *w, const struct ir_tensor *over, const struct ir_tensor *t)
{
	ptrdiff_t step = 1;

	*w = (struct walk){ .ndim = over->ndim, .shape = over->shape };
	/* Axes are matched from the last. */
	for (uint32_t i = 0; i < t->ndim && i < over->ndim; i++) {
		int32_t extent = t->shape[t->ndim - 1 - i];

		w->step[over->ndim - 1 - i] = extent == 1 ? 0 : step;
		step *= extent;
	}
}

void walk_next(struct walk *w)
{
	for (uint32_t i = w->ndim; i-- > 0;) {
		w->at += w->step[i];
		if (++w->index[i] < w->shape[i])
			return;
		w->at -= w->step[i] * w->shape[i];
		w->index[i] = 0;
	}
}

static void add_to(const struct backward *b, unsigned int input, float factor)
{
	size_t n = ir_tensor_elements(b->type_out);
	struct walk w;

	if (!b->gin[input])
		return;
	if (ir_tensor_elements(b->type_in[input]) == n) {
		for (size_t i = 0; i < n; i++)
			b->gin[input][i] += factor * b->gout[i];
		return;
	}
	walk_broadcast(&w, b->type_out, b->type_in[input]);
	for (size_t i = 0; i < n; i++, walk_next(&w))
		b->gin[input][w.at] += factor * b->gout[i];
}

void backward_add(const struct backward *b)
{
	add_to(b, 0, 1);
	add_to(b, 1, 1);
}

void backward_sub(const struct backward *b)
{
	add_to(b, 0, 1);
	add_to(b, 1, -1);
}

void backward_mul(const struct backward *b)
{
	size_t n = ir_tensor_elements(b->type_out);
	struct walk first, second;

	walk_broadcast(&first, b->type_out, b->type_in[0]);
	walk_broadcast(&second, b->type_out, b->type_in[1]);
	for (size_t i = 0; i < n; i++, walk_next(&first), walk_next(&second)) {
		if (b->gin[0])
			b->gin[0][first.at] += b->gout[i] * b->in[1][second.at];
		if (b->gin[1])
			b->gin[1][second.at] += b->gout[i] * b->in[0][first.at];
	}
}

/* ---- one input ---- */

static float within(float x, float low, float high)
{
	return x > low && x < high ? 1 : 0;
}

static float relu_slope(float x, float y)
{
	(void)y;
	return within(x, 0, INFINITY);
}

static float relu6_slope(float x, float y)
{
	(void)y;
	return within(x, 0, 6);
}

static float relu_n1_to_1_slope(float x, float y)
{
	(void)y;
	return within(x, -1, 1);
}

static float relu_0_to_1_slope(float x, float y)
{
	(void)y;
	return within(x, 0, 1);
}

/* x clamp(x + 3, 0, 6) / 6 */
static float hard_swish_slope(float x, float y)
{
	(void)y;
	return x <= -3 ? 0 : x >= 3 ? 1 : (2 * x + 3) / 6;
}

static float logistic_slope(float x, float y)
{
	(void)x;
	return y * (1 - y);
}

static float tanh_slope(float x, float y)
{
	(void)x;
	return 1 - y * y;
}

static float (*const slopes[IR_KIND_COUNT])(float x, float y) = {
	[IR_RELU] = relu_slope,
	[IR_RELU6] = relu6_slope,
	[IR_RELU_N1_TO_1] = relu_n1_to_1_slope,
	[IR_RELU_0_TO_1] = relu_0_to_1_slope,
	[IR_HARD_SWISH] = hard_swish_slope,
	[IR_LOGISTIC] = logistic_slope,
	[IR_TANH] = tanh_slope,
};

bool backward_unary_has(unsigned int kind)
{
	return kind < IR_KIND_COUNT && slopes[kind];
}

void backward_unary(const struct backward *b)
{
	size_t n = ir_tensor_elements(b->type_out);

	for (size_t i = 0; i < n && b->gin[0]; i++)
		b->gin[0][i] += b->gout[i] * slopes[b->op->kind](b->in[0][i], b->out[i]);
}

/* y (dy - sum of dy y) beta, along the last axis */
void backward_softmax(const struct backward *b)
{
	const struct ir_tensor *t = b->type_out;
	size_t width = t->ndim ? (size_t)t->shape[t->ndim - 1] : 1, n = ir_tensor_elements(t);
	float beta = b->op->options->beta;

	for (size_t at = 0; at < n && b->gin[0]; at += width) {
		float sum = 0;

		for (size_t i = at; i < at + width; i++)
			sum += b->gout[i] * b->out[i];
		for (size_t i = at; i < at + width; i++)
			b->gin[0][i] += beta * b->out[i] * (b->gout[i] - sum);
	}
}
