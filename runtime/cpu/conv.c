/* SPDX-License-Identifier: MIT */
/*
 * CONV_2D, FULLY_CONNECTED and BATCH_MATMUL: rows of inputs times rows of weights. Both are widened to
 * 16 bits, less their zero points, weights once if they are constants.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cpu/window.h"

#define BLOCK	256u	/* products whose sum fits in 32 bits: 2^15 * 2^8 * 2^8 */
#define DEPTH_MAX (1u << 28)

/**
 * struct product - rows times rows
 * @depth: of a row
 * @outputs: rows of weights
 * @wide: 64-bit accumulators, rescaled by 16-bit multipliers
 * @wide_weights: of 16 bits
 * @bias: of each row, or none
 * @factors, @weights, @row: follow this in memory; @weights are [outputs][depth], @row is one input
 */
struct product {
	struct window window;
	size_t depth;
	uint32_t outputs;
	bool wide, wide_weights, ready;
	int32_t zero, out_zero, low, high;
	const struct cpu_tensor *bias;
	struct fixed_factor *factors;
	int16_t *weights, *row;
};

static int64_t dot(const struct product *p, const int16_t *a, const int16_t *b)
{
	size_t count = p->depth;
	int64_t sum = 0;

	for (size_t i = 0; p->wide_weights && i < count; i++)
		sum += (int64_t)a[i] * b[i];
	if (p->wide_weights)
		return sum;

	for (size_t at = 0; at < count; at += BLOCK) {
		size_t n = count - at < BLOCK ? count - at : BLOCK;
		int32_t part = 0;

		for (size_t i = at; i < at + n; i++)
			part += a[i] * b[i];
		sum += part;
	}
	return sum;
}

/* Elements less a zero point, as 16 bits. */
static void widen(const struct cpu_tensor *t, size_t at, size_t count, int32_t zero, int16_t *out)
{
	const int8_t *s8 = (const int8_t *)t->data + at;
	const uint8_t *u8 = (const uint8_t *)t->data + at;

	if (t->type == ELEM_INT16)
		memcpy(out, (const uint8_t *)t->data + at * 2, count * 2);
	else if (t->type == ELEM_INT8)
		for (size_t i = 0; i < count; i++)
			out[i] = (int16_t)(s8[i] - zero);
	else
		for (size_t i = 0; i < count; i++)
			out[i] = (int16_t)(u8[i] - zero);
}

static int32_t zero_of_row(const struct cpu_tensor *w, uint32_t row)
{
	return w->scale_count > 1 ? w->zero_points[row] : cpu_zero_of(w);
}

static void widen_weights(const struct product *p, const struct cpu_tensor *w)
{
	for (uint32_t o = 0; o < p->outputs; o++)
		widen(w, o * p->depth, p->depth, zero_of_row(w, o), p->weights + o * p->depth);
}

static int64_t bias_of(const struct product *p, uint32_t o)
{
	return p->bias ? cpu_index_at(p->bias, o) : 0;
}

/* One row of input to one of outputs. */
static void multiply(const struct product *p, const int16_t *row, const struct cpu_tensor *out,
		     size_t at)
{
	for (uint32_t o = 0; o < p->outputs; o++) {
		int64_t sum = dot(p, row, p->weights + o * p->depth);
		int32_t value;

		sum = fixed_sum(sum, bias_of(p, o));
		value = p->wide ? fixed_scale_wide(sum, p->factors[o]) :
				  fixed_scale(fixed_wrap(sum), p->factors[o]);
		value = fixed_clamp((int64_t)value + p->out_zero, p->low, p->high);
		cpu_store(out, at + o, 1, &value);
	}
}

/* Types, bias and factors; the plan with room for everything. */
static int prepare_product(struct cpu_op *op, size_t depth, uint32_t outputs, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *w = &op->inputs[1];
	bool has_bias = op->input_count > 2 && op->inputs[2].data;
	struct product *p;
	size_t weights;
	int ret;

	if (!depth || depth > DEPTH_MAX || !outputs || outputs > DEPTH_MAX / depth)
		return cpu_refuse(op, 1, -EINVAL, "is empty or too large", err);
	weights = depth * outputs;
	p = calloc(1, sizeof(*p) + outputs * sizeof(*p->factors) +
		   (weights + depth) * sizeof(*p->weights));
	if (!p)
		return error_set(err, -ENOMEM, "out of memory");
	op->plan = p;
	p->factors = (struct fixed_factor *)(p + 1);
	p->weights = (int16_t *)(p->factors + outputs);
	p->row = p->weights + weights;
	p->depth = depth;
	p->outputs = outputs;
	p->zero = cpu_zero_of(in);
	p->out_zero = cpu_zero_of(&op->outputs[0]);
	p->bias = has_bias ? &op->inputs[2] : NULL;
	p->wide_weights = w->type == ELEM_INT16;
	/* 16-bit products of FULLY_CONNECTED stay narrow without a 64-bit bias. */
	p->wide = in->type == ELEM_INT16 &&
		(has_bias ? op->inputs[2].type == ELEM_INT64 : op->kind != IR_FULLY_CONNECTED);
	if (has_bias && cpu_elements(p->bias) != outputs)
		return cpu_refuse(op, 2, -EINVAL, "has not one element for each output channel", err);
	ret = window_factors(op, 0, 1, op->input_count, outputs,
			     op->kind == IR_CONV_2D && in->type != ELEM_UINT8, p->factors, err);
	if (ret)
		return ret;
	for (uint32_t i = 0; i < outputs; i++)
		if (p->factors[i].shift > (p->wide ? 14 : 30))
			return cpu_refuse(op, 1, -ENOTSUP, "scale too large against the output's", err);
	p->ready = w->constant;
	if (p->ready && op->kind != IR_BATCH_MATMUL)
		widen_weights(p, w);
	return 0;
}

static int check_types(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *w = cpu_operand(op, 1);
	int ret = cpu_check(op, 0, CPU_QUANTISED, err);

	if (ret || (ret = cpu_check(op, 1, in->type == ELEM_UINT8 ? CPU_U8 : CPU_S8, err)) ||
	    (ret = cpu_check_same(op, op->input_count, 0, err)))
		return ret;
	if (op->input_count > 2 && op->inputs[2].data &&
	    (ret = cpu_check(op, 2, in->type == ELEM_INT16 ? CPU_S32 | CPU_S64 : CPU_S32, err)))
		return ret;
	for (uint32_t i = 0; i < w->scale_count; i++)
		if (w->zero_points[i] < -256 || w->zero_points[i] > 256)
			return cpu_refuse(op, 1, -EINVAL, "has a zero point beyond its type", err);
	if (cpu_zero_of(in) < -256 || cpu_zero_of(in) > 256)
		return cpu_refuse(op, 0, -EINVAL, "has a zero point beyond its type", err);
	return 0;
}

/* --- CONV_2D --- */

static int prepare_conv(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *w;
	struct window window;
	struct product *p;
	int ret = check_types(op, err);

	if (ret)
		return ret;
	w = &op->inputs[1];
	if (w->ndim != 4)
		return cpu_refuse(op, 1, -EINVAL, "has not 4 axes", err);
	ret = window_init(op, 0, op->input_count, w->shape[1], w->shape[2], &window, err);
	if (ret)
		return ret;
	if (w->shape[3] != window.in_c)
		return cpu_refuse(op, 1, -ENOTSUP, "has other channels than the input (groups)", err);
	if (w->shape[0] != window.out_c)
		return cpu_refuse(op, 1, -EINVAL, "has other channels than the output", err);
	ret = prepare_product(op, cpu_extent(w, 1, 4), (uint32_t)window.out_c, err);
	if (ret)
		return ret;
	p = op->plan;
	p->window = window;
	return cpu_activation(op, &op->outputs[0], &p->low, &p->high, err);
}

/* What the window sees at an output position, padding as zeros. */
static void gather(const struct cpu_op *op, const struct product *p, int32_t b, int32_t y, int32_t x,
		   int16_t *row)
{
	const struct window *v = &p->window;
	size_t across = (size_t)v->w * (size_t)v->in_c;
	int32_t y_from, y_to, x_from, x_to;

	window_taps(y, v->stride_y, v->dilation_y, v->pad_y, v->h, v->in_h, &y_from, &y_to);
	window_taps(x, v->stride_x, v->dilation_x, v->pad_x, v->w, v->in_w, &x_from, &x_to);
	if (y_from > 0 || y_to < v->h || x_from > 0 || x_to < v->w)
		memset(row, 0, p->depth * sizeof(*row));
	for (int32_t ky = y_from; ky < y_to; ky++) {
		int32_t in_y = y * v->stride_y - v->pad_y + ky * v->dilation_y;
		int32_t in_x = x * v->stride_x - v->pad_x + x_from * v->dilation_x;
		size_t at = (((size_t)b * (size_t)v->in_h + (size_t)in_y) * (size_t)v->in_w +
			     (size_t)in_x) * (size_t)v->in_c;
		int16_t *to = row + (size_t)ky * across + (size_t)x_from * (size_t)v->in_c;
		int32_t runs = v->dilation_x == 1 ? 1 : x_to - x_from;
		size_t run = (size_t)(v->dilation_x == 1 ? x_to - x_from : 1) * (size_t)v->in_c;

		for (int32_t i = 0; i < runs && x_from < x_to; i++) {
			widen(&op->inputs[0], at, run, p->zero, to);
			at += (size_t)v->dilation_x * (size_t)v->in_c;
			to += run;
		}
	}
}

static int run_conv(const struct cpu_op *op, struct error *err)
{
	const struct product *p = op->plan;
	const struct window *v = &p->window;
	size_t at = 0;

	(void)err;
	if (!p->ready)
		widen_weights(p, &op->inputs[1]);
	for (int32_t b = 0; b < v->batches; b++)
		for (int32_t y = 0; y < v->out_h; y++)
			for (int32_t x = 0; x < v->out_w; x++, at += p->outputs) {
				gather(op, p, b, y, x, p->row);
				multiply(p, p->row, &op->outputs[0], at);
			}
	return 0;
}

const struct cpu_kernel cpu_conv = { prepare_conv, run_conv };

/* --- FULLY_CONNECTED --- */

static int prepare_fully_connected(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *w;
	struct product *p;
	size_t depth, elements;
	int ret = check_types(op, err);

	if (ret)
		return ret;
	w = &op->inputs[1];
	if (w->ndim != 2 || op->options.weights_format)
		return cpu_refuse(op, 1, -ENOTSUP, "has not 2 axes, or is shuffled", err);
	depth = (size_t)w->shape[1];
	elements = cpu_elements(&op->inputs[0]);
	if (!depth || elements % depth)
		return cpu_refuse(op, 0, -EINVAL, "is no whole number of rows of weights", err);
	if (cpu_elements(&op->outputs[0]) != elements / depth * (size_t)w->shape[0])
		return cpu_refuse(op, op->input_count, -EINVAL,
				  "has another shape than the operator gives it", err);
	ret = prepare_product(op, depth, (uint32_t)w->shape[0], err);
	if (ret)
		return ret;
	p = op->plan;
	return cpu_activation(op, &op->outputs[0], &p->low, &p->high, err);
}

static int run_fully_connected(const struct cpu_op *op, struct error *err)
{
	const struct product *p = op->plan;
	size_t rows = cpu_elements(&op->inputs[0]) / p->depth;

	(void)err;
	if (!p->ready)
		widen_weights(p, &op->inputs[1]);
	for (size_t r = 0; r < rows; r++) {
		widen(&op->inputs[0], r * p->depth, p->depth, p->zero, p->row);
		multiply(p, p->row, &op->outputs[0], r * p->outputs);
	}
	return 0;
}

const struct cpu_kernel cpu_fully_connected = { prepare_fully_connected, run_fully_connected };

/* --- BATCH_MATMUL --- */

/* Rows and depth of a matrix operand; columns are the other axis. */
static bool matrix(const struct cpu_tensor *t, bool turned, int32_t *rows, int32_t *columns)
{
	if (t->ndim < 2)
		return false;
	*rows = t->shape[t->ndim - (turned ? 1 : 2)];
	*columns = t->shape[t->ndim - (turned ? 2 : 1)];
	return true;
}

static int prepare_matmul(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *a = &op->inputs[0], *b = &op->inputs[1], *out = &op->outputs[0];
	int32_t rows, depth, b_depth, columns;
	struct product *p;
	int ret;

	if ((ret = cpu_check(op, 0, CPU_S8 | CPU_S16, err)) ||
	    (ret = cpu_check_same(op, 1, 0, err)) || (ret = cpu_check_same(op, 2, 0, err)))
		return ret;
	if (!matrix(a, op->options.adj_x, &rows, &depth) ||
	    !matrix(b, op->options.adj_y, &b_depth, &columns) || depth != b_depth)
		return cpu_refuse(op, 1, -EINVAL, "does not fit the first matrix", err);
	if (out->ndim < 2 || out->shape[out->ndim - 2] != rows ||
	    out->shape[out->ndim - 1] != columns)
		return cpu_refuse(op, 2, -EINVAL, "has another shape than the operator gives it",
				  err);
	for (uint32_t i = 2; i < CPU_MAX_DIMS; i++) {
		int32_t n = i < out->ndim ? out->shape[out->ndim - 1 - i] : 1;
		int32_t n_a = i < a->ndim ? a->shape[a->ndim - 1 - i] : 1;
		int32_t n_b = i < b->ndim ? b->shape[b->ndim - 1 - i] : 1;

		if ((n_a != 1 && n_a != n) || (n_b != 1 && n_b != n) ||
		    (n_a == 1 && n_b == 1 && n != 1))
			return cpu_refuse(op, 2, -EINVAL,
					  "has another shape than the operator gives it", err);
	}
	if (cpu_zero_of(a) < -256 || cpu_zero_of(a) > 256 || cpu_zero_of(b) < -256 ||
	    cpu_zero_of(b) > 256)
		return cpu_refuse(op, 0, -EINVAL, "has a zero point beyond its type", err);
	if (b->scale_count != 1)
		return cpu_refuse(op, 1, -EINVAL, "is not quantised as a whole", err);
	ret = prepare_product(op, (size_t)depth, (uint32_t)columns, err);
	if (ret)
		return ret;
	p = op->plan;
	cpu_limits(out->type, &p->low, &p->high);
	return 0;
}

/* Matrix number @batch of the output's, as the operand has it: axes of extent 1 are repeated. */
static size_t matrix_at(const struct cpu_tensor *t, const struct cpu_tensor *out, size_t batch)
{
	size_t at = 0, step = cpu_extent(t, t->ndim - 2, t->ndim);

	for (uint32_t i = 2; i < out->ndim; i++) {
		size_t n = (size_t)out->shape[out->ndim - 1 - i];

		if (i < t->ndim && t->shape[t->ndim - 1 - i] != 1) {
			at += batch % n * step;
			step *= n;
		}
		batch /= n;
	}
	return at;
}

static int run_matmul(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *a = &op->inputs[0], *b = &op->inputs[1], *out = &op->outputs[0];
	const struct product *p = op->plan;
	size_t batches = cpu_extent(out, 0, out->ndim - 2), at = 0;
	size_t rows = (size_t)out->shape[out->ndim - 2];

	(void)err;
	for (size_t batch = 0; batch < batches; batch++) {
		size_t a_at = matrix_at(a, out, batch), b_at = matrix_at(b, out, batch);

		for (size_t o = 0; o < p->outputs; o++)
			for (size_t k = 0; k < p->depth; k++)
				widen(b, b_at + (op->options.adj_y ? o * p->depth + k :
						 k * p->outputs + o), 1, cpu_zero_of(b),
				      p->weights + o * p->depth + k);
		for (size_t r = 0; r < rows; r++, at += p->outputs) {
			for (size_t k = 0; k < p->depth; k++)
				widen(a, a_at + (op->options.adj_x ? k * rows + r :
						 r * p->depth + k), 1, p->zero, p->row + k);
			multiply(p, p->row, out, at);
		}
	}
	return 0;
}

const struct cpu_kernel cpu_matmul = { prepare_matmul, run_matmul };
