/* SPDX-License-Identifier: MIT */
/* From one quantisation to another, or to and from real numbers: QUANTIZE, DEQUANTIZE. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cpu/cpu_kernel.h"

#define ROW 512u

/* How many elements of @total there are from @at on, a row at most. */
static size_t row_at(size_t total, size_t at)
{
	return total - at < ROW ? total - at : ROW;
}

/**
 * struct quantize - what it takes
 * @factor: from scale to scale
 * @channels, @inner: quantised along an axis: its extent, elements from index to index
 */
struct quantize {
	struct fixed_factor factor;
	int32_t low, high;
	size_t channels, inner;
};

/* @per_axis: one of float32, the other quantised along an axis */
static int check_operands(const struct cpu_op *op, bool *per_axis, struct error *err)
{
	bool back = op->kind == IR_DEQUANTIZE;
	unsigned int from = back ? CPU_QUANTISED | CPU_S32 : CPU_QUANTISED | CPU_S32 | CPU_F32;
	int ret;

	if ((ret = cpu_check(op, 0, from, err)) ||
	    (ret = cpu_check(op, 1, back ? CPU_F32 : CPU_QUANTISED | CPU_S32, err)) ||
	    (ret = cpu_check_shape(op, 1, op->inputs[0].ndim, op->inputs[0].shape, err)))
		return ret;
	if (back || op->inputs[0].type == ELEM_FLOAT32) {
		*per_axis = cpu_operand(op, !back)->scale_count > 1;
		return cpu_check_scales(op, !back, err);
	}
	ret = cpu_check_scale(op, 0, err);
	return ret ? ret : cpu_check_scale(op, 1, err);
}

static int prepare(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *t = &op->inputs[0], *out = &op->outputs[0];
	struct quantize *q = calloc(1, sizeof(*q));
	bool per_axis = false;
	int ret;

	if (!q)
		return error_set(err, -ENOMEM, "out of memory");
	op->plan = q;
	ret = check_operands(op, &per_axis, err);
	if (ret)
		return ret;
	if (per_axis) {
		t = op->kind == IR_DEQUANTIZE ? t : out;
		q->channels = (size_t)t->shape[t->axis];
		q->inner = cpu_extent(t, (uint32_t)t->axis + 1, t->ndim);
	}
	cpu_limits(out->type, &q->low, &q->high);
	if (op->inputs[0].type != ELEM_FLOAT32 && out->type != ELEM_FLOAT32)
		q->factor = fixed_factor((double)cpu_scale_of(&op->inputs[0]) /
					 (double)cpu_scale_of(out));
	return 0;
}

static int32_t quantised(float value, float scale, int32_t zero, const struct quantize *q)
{
	float steps = roundf(value / scale);

	if (isnan(steps))
		return q->low;
	steps = steps > 1e9f ? 1e9f : steps < -1e9f ? -1e9f : steps;
	return fixed_clamp((int64_t)steps + zero, q->low, q->high);
}

static size_t channel_of(const struct quantize *q, size_t at)
{
	return q->channels ? at / q->inner % q->channels : 0;
}

static void from_real(const struct cpu_tensor *out, const struct quantize *q, size_t at, size_t count,
		      int32_t *values)
{
	for (size_t i = 0; i < count; i++) {
		size_t c = channel_of(q, at + i);
		float real;

		memcpy(&real, &values[i], sizeof(real));
		values[i] = quantised(real, out->scales[c], out->zero_points[c], q);
	}
}

static void to_real(const struct cpu_tensor *in, const struct quantize *q, size_t at, size_t count,
		    int32_t *values)
{
	for (size_t i = 0; i < count; i++) {
		size_t c = channel_of(q, at + i);
		float real = (float)((double)in->scales[c] *
				     (double)((int64_t)values[i] - in->zero_points[c]));

		memcpy(&values[i], &real, sizeof(real));
	}
}

static void rescale(const struct cpu_tensor *in, const struct cpu_tensor *out,
		    const struct quantize *q, size_t count, int32_t *values)
{
	for (size_t i = 0; i < count; i++) {
		int64_t v = fixed_scale(fixed_wrap((int64_t)values[i] - cpu_zero_of(in)), q->factor);

		values[i] = fixed_clamp(v + cpu_zero_of(out), q->low, q->high);
	}
}

static int run(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *out = &op->outputs[0];
	const struct quantize *q = op->plan;
	size_t total = cpu_elements(in);
	int32_t values[ROW];

	(void)err;
	for (size_t at = 0; at < total; at += ROW) {
		size_t n = row_at(total, at);

		cpu_load(in, at, n, values);
		if (in->type == ELEM_FLOAT32)
			from_real(out, q, at, n, values);
		else if (out->type == ELEM_FLOAT32)
			to_real(in, q, at, n, values);
		else
			rescale(in, out, q, n, values);
		cpu_store(out, at, n, values);
	}
	return 0;
}

const struct cpu_kernel cpu_quantize = { prepare, run };
