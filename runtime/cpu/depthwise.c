/* SPDX-License-Identifier: MIT */
/* DEPTHWISE_CONV_2D and TRANSPOSE_CONV: sums are kept for all output channels of a place, or of all. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cpu/window.h"

#define ELEMENTS_MAX (1u << 28)

/**
 * struct sums - sums that are built up
 * @sum: @count of them, follow this in memory
 * @weights: less their zero points, in the file's order
 */
struct sums {
	struct window window;
	bool wide;
	int32_t zero, out_zero, low, high;
	const struct cpu_tensor *bias;
	struct fixed_factor *factors;
	int64_t *sum;
	size_t count, weight_count;
	int32_t *weights;
};

/* Channel of a weight, for its zero point; depthwise weights have it last, the others first. */
static void load_weights(const struct cpu_op *op, uint32_t index, const struct sums *s)
{
	const struct cpu_tensor *w = cpu_operand(op, index);
	size_t channels = (size_t)s->window.out_c, per = s->weight_count / channels;

	cpu_load(w, 0, s->weight_count, s->weights);
	for (size_t i = 0; i < s->weight_count; i++) {
		size_t c = op->kind == IR_DEPTHWISE_CONV_2D ? i % channels : i / per;

		s->weights[i] -= w->zero_points[w->scale_count > 1 ? c : 0];
	}
}

static int make_sums(struct cpu_op *op, uint32_t in, uint32_t weights, uint32_t bias,
		     const struct window *window, size_t count, struct error *err)
{
	const struct cpu_tensor *i = cpu_operand(op, in), *w = cpu_operand(op, weights);
	const struct cpu_tensor *b = bias < op->input_count ? cpu_operand(op, bias) : NULL;
	size_t channels = (size_t)window->out_c, weight_count = cpu_elements(w);
	struct sums *s;
	int ret;

	if (!weight_count || weight_count > ELEMENTS_MAX || !count || count > ELEMENTS_MAX)
		return cpu_refuse(op, weights, -EINVAL, "is empty or too large", err);
	if (b && (ret = cpu_check(op, bias, i->type == ELEM_INT16 ? CPU_S32 | CPU_S64 : CPU_S32, err)))
		return ret;
	if (b && cpu_elements(b) != channels)
		return cpu_refuse(op, bias, -EINVAL, "has not one element for each output channel",
				  err);
	s = calloc(1, sizeof(*s) + channels * sizeof(*s->factors) + count * sizeof(*s->sum) +
		   weight_count * sizeof(*s->weights));
	if (!s)
		return error_set(err, -ENOMEM, "out of memory");
	op->plan = s;
	s->factors = (struct fixed_factor *)(s + 1);
	s->sum = (int64_t *)(s->factors + channels);
	s->weights = (int32_t *)(s->sum + count);
	s->window = *window;
	s->count = count;
	s->weight_count = weight_count;
	s->bias = b;
	s->zero = cpu_zero_of(i);
	s->out_zero = cpu_zero_of(&op->outputs[0]);
	s->wide = i->type == ELEM_INT16 && (!b || b->type == ELEM_INT64);
	ret = window_factors(op, in, weights, op->input_count, (uint32_t)channels,
			     i->type != ELEM_UINT8, s->factors, err);
	if (ret)
		return ret;
	for (size_t c = 0; c < channels; c++)
		if (s->factors[c].shift > (s->wide ? 14 : 30))
			return cpu_refuse(op, weights, -ENOTSUP,
					  "scale too large against the output's", err);
	if (w->constant)
		load_weights(op, weights, s);
	return cpu_activation(op, &op->outputs[0], &s->low, &s->high, err);
}

static int check_types(const struct cpu_op *op, uint32_t in, uint32_t weights, struct error *err)
{
	int ret = cpu_check(op, in, CPU_QUANTISED, err);

	if (ret)
		return ret;
	ret = cpu_check(op, weights,
			cpu_operand(op, in)->type == ELEM_UINT8 ? CPU_U8 : CPU_S8, err);
	if (!ret && !cpu_operand(op, weights)->scale_count)
		ret = cpu_refuse(op, weights, -EINVAL, "is not quantised", err);
	if (!ret && cpu_operand(op, weights)->ndim != 4)
		ret = cpu_refuse(op, weights, -EINVAL, "has not 4 axes", err);
	return ret ? ret : cpu_check_same(op, op->input_count, in, err);
}

/* Sums of one place in the output to its elements from @at on. */
static void finish(const struct cpu_op *op, const struct sums *s, const int64_t *sum, size_t at)
{
	for (int32_t c = 0; c < s->window.out_c; c++) {
		int64_t total = fixed_sum(sum[c], s->bias ? cpu_index_at(s->bias, (size_t)c) : 0);
		int32_t value = s->wide ? fixed_scale_wide(total, s->factors[c]) :
					  fixed_scale(fixed_wrap(total), s->factors[c]);

		value = fixed_clamp((int64_t)value + s->out_zero, s->low, s->high);
		cpu_store(&op->outputs[0], at + (size_t)c, 1, &value);
	}
}

/* --- DEPTHWISE_CONV_2D --- */

static int prepare_depthwise(struct cpu_op *op, struct error *err)
{
	int ret = check_types(op, 0, 1, err);
	const struct cpu_tensor *w = &op->inputs[1];
	struct window window;

	if (ret)
		return ret;
	ret = window_init(op, 0, op->input_count, w->shape[1], w->shape[2], &window, err);
	if (ret)
		return ret;
	if (w->shape[0] != 1 || w->shape[3] != window.out_c || !window.in_c ||
	    window.out_c % window.in_c)
		return cpu_refuse(op, 1, -EINVAL, "has other channels than the output", err);
	return make_sums(op, 0, 1, 2, &window, (size_t)window.out_c, err);
}

#define CHANNELS 256	/* of an input that are loaded at a time */

static void add_tap(const struct cpu_op *op, const struct sums *s, size_t in_at,
		    const int32_t *weights)
{
	const struct window *v = &s->window;
	int32_t values[CHANNELS], each = v->out_c / v->in_c;
	int64_t *sum = s->sum;

	for (int32_t c = 0; c < v->in_c; c += CHANNELS) {
		int32_t n = v->in_c - c < CHANNELS ? v->in_c - c : CHANNELS;

		cpu_load(&op->inputs[0], in_at + (size_t)c, (size_t)n, values);
		if (each == 1) {
			for (int32_t i = 0; i < n; i++)
				sum[i] += (values[i] - s->zero) * weights[i];
			sum += n;
			weights += n;
			continue;
		}
		for (int32_t i = 0; i < n; i++)
			for (int32_t k = 0; k < each; k++)
				*sum++ += (int64_t)(values[i] - s->zero) * *weights++;
	}
}

static int run_depthwise(const struct cpu_op *op, struct error *err)
{
	const struct sums *s = op->plan;
	const struct window *v = &s->window;
	size_t at = 0;

	(void)err;
	if (!op->inputs[1].constant)
		load_weights(op, 1, s);
	for (int32_t b = 0; b < v->batches; b++)
		for (int32_t y = 0; y < v->out_h; y++)
			for (int32_t x = 0; x < v->out_w; x++, at += (size_t)v->out_c) {
				int32_t y_from, y_to, x_from, x_to;

				window_taps(y, v->stride_y, v->dilation_y, v->pad_y, v->h, v->in_h,
					    &y_from, &y_to);
				window_taps(x, v->stride_x, v->dilation_x, v->pad_x, v->w, v->in_w,
					    &x_from, &x_to);
				memset(s->sum, 0, s->count * sizeof(*s->sum));
				for (int32_t ky = y_from; ky < y_to; ky++)
					for (int32_t kx = x_from; kx < x_to; kx++) {
						int32_t in_y = y * v->stride_y - v->pad_y + ky * v->dilation_y;
						int32_t in_x = x * v->stride_x - v->pad_x + kx * v->dilation_x;
						size_t row = (size_t)b * (size_t)v->in_h + (size_t)in_y;

						add_tap(op, s, (row * (size_t)v->in_w + (size_t)in_x) *
							(size_t)v->in_c,
							s->weights + ((size_t)ky * (size_t)v->w +
								      (size_t)kx) * (size_t)v->out_c);
					}
				finish(op, s, s->sum, at);
			}
	return 0;
}

const struct cpu_kernel cpu_depthwise = { prepare_depthwise, run_depthwise };

/* --- TRANSPOSE_CONV: shape of the output, weights [out][h][w][in], input, bias --- */

static int prepare_transpose_conv(struct cpu_op *op, struct error *err)
{
	int ret = check_types(op, 2, 1, err);
	const struct cpu_tensor *w = &op->inputs[1], *out = &op->outputs[0];
	struct window v;
	int64_t total;

	if (ret || (ret = window_init(op, 2, op->input_count, w->shape[1], w->shape[2], &v, err)))
		return ret;
	if (w->shape[0] != v.out_c || w->shape[3] != v.in_c)
		return cpu_refuse(op, 1, -EINVAL, "has other channels than input and output", err);
	if (op->options.padding == IR_PADDING_SAME) {
		/* That of a convolution from the output to the input. */
		if ((v.out_h + (int64_t)v.stride_y - 1) / v.stride_y != v.in_h ||
		    (v.out_w + (int64_t)v.stride_x - 1) / v.stride_x != v.in_w)
			return cpu_refuse(op, op->input_count, -EINVAL,
					  "has another shape than the operator gives it", err);
		total = (int64_t)(v.in_h - 1) * v.stride_y + v.h - v.out_h;
		v.pad_y = total > 0 ? (int32_t)(total / 2) : 0;
		total = (int64_t)(v.in_w - 1) * v.stride_x + v.w - v.out_w;
		v.pad_x = total > 0 ? (int32_t)(total / 2) : 0;
	}
	return make_sums(op, 2, 1, 3, &v, cpu_extent(out, 1, 4), err);
}

/* Add what one element of input gives to all places that it reaches. */
static void scatter(const struct sums *s, int32_t y, int32_t x, int32_t c, int32_t value)
{
	const struct window *v = &s->window;

	for (int32_t ky = 0; ky < v->h; ky++) {
		int64_t out_y = (int64_t)y * v->stride_y - v->pad_y + ky;

		if (out_y < 0 || out_y >= v->out_h)
			continue;
		for (int32_t kx = 0; kx < v->w; kx++) {
			int64_t out_x = (int64_t)x * v->stride_x - v->pad_x + kx;
			int64_t *sum;

			if (out_x < 0 || out_x >= v->out_w)
				continue;
			sum = s->sum + (out_y * v->out_w + out_x) * v->out_c;
			for (int32_t o = 0; o < v->out_c; o++) {
				size_t tap = ((size_t)o * (size_t)v->h + (size_t)ky) * (size_t)v->w +
					(size_t)kx;

				sum[o] += (int64_t)value *
					s->weights[tap * (size_t)v->in_c + (size_t)c];
			}
		}
	}
}

static int run_transpose_conv(const struct cpu_op *op, struct error *err)
{
	const struct sums *s = op->plan;
	const struct window *v = &s->window;
	size_t in_at = 0, out_at = 0;

	(void)err;
	if (!op->inputs[1].constant)
		load_weights(op, 1, s);
	for (int32_t b = 0; b < v->batches; b++) {
		memset(s->sum, 0, s->count * sizeof(*s->sum));
		for (int32_t y = 0; y < v->in_h; y++)
			for (int32_t x = 0; x < v->in_w; x++)
				for (int32_t c = 0; c < v->in_c; c++, in_at++) {
					int32_t value;

					cpu_load(&op->inputs[2], in_at, 1, &value);
					scatter(s, y, x, c, value - s->zero);
				}
		for (size_t at = 0; at < s->count; at += (size_t)v->out_c, out_at += (size_t)v->out_c)
			finish(op, s, s->sum + at, out_at);
	}
	return 0;
}

const struct cpu_kernel cpu_transpose_conv = { prepare_transpose_conv, run_transpose_conv };
