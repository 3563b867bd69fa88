/* SPDX-License-Identifier: MIT */
/* From one number format to another: QUANTIZE, DEQUANTIZE, CAST. */
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

/* QUANTIZE and DEQUANTIZE. @factor: from scale to scale. */
struct quantize {
	struct fixed_factor factor;
	int32_t low, high;
};

static int prepare_quantize(struct cpu_op *op, struct error *err)
{
	struct quantize *q = calloc(1, sizeof(*q));
	bool back = op->kind == IR_DEQUANTIZE;
	int ret;

	if (!q)
		return error_set(err, -ENOMEM, "out of memory");
	op->plan = q;
	if ((ret = cpu_check(op, 0, back ? CPU_QUANTISED : CPU_QUANTISED | CPU_S32 | CPU_F32, err)) ||
	    (ret = cpu_check(op, 1, back ? CPU_F32 : CPU_QUANTISED | CPU_S32, err)) ||
	    (ret = cpu_check_shape(op, 1, op->inputs[0].ndim, op->inputs[0].shape, err)))
		return ret;
	if (op->inputs[0].type != ELEM_FLOAT32 && (ret = cpu_check_scale(op, 0, err)))
		return ret;
	if (back)
		return 0;
	ret = cpu_check_scale(op, 1, err);
	if (ret)
		return ret;
	cpu_limits(op->outputs[0].type, &q->low, &q->high);
	if (op->inputs[0].type != ELEM_FLOAT32)
		q->factor = fixed_factor((double)cpu_scale_of(&op->inputs[0]) /
					(double)cpu_scale_of(&op->outputs[0]));
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

static int run_quantize(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *out = &op->outputs[0];
	const struct quantize *q = op->plan;
	size_t total = cpu_elements(in);
	int32_t values[ROW];

	(void)err;
	for (size_t at = 0; at < total; at += ROW) {
		size_t n = row_at(total, at);

		cpu_load(in, at, n, values);
		for (size_t i = 0; i < n; i++) {
			float real;

			if (in->type == ELEM_FLOAT32) {
				memcpy(&real, &values[i], sizeof(real));
				values[i] = quantised(real, cpu_scale_of(out), cpu_zero_of(out), q);
			} else if (out->type == ELEM_FLOAT32) {
				real = (float)((double)cpu_scale_of(in) *
					       (values[i] - cpu_zero_of(in)));
				memcpy(&values[i], &real, sizeof(real));
			} else {
				int64_t v = fixed_scale(values[i] - cpu_zero_of(in), q->factor);

				values[i] = fixed_clamp(v + cpu_zero_of(out), q->low, q->high);
			}
		}
		cpu_store(out, at, n, values);
	}
	return 0;
}

const struct cpu_kernel cpu_quantize = { prepare_quantize, run_quantize };

static int prepare_cast(struct cpu_op *op, struct error *err)
{
	const unsigned int types = CPU_QUANTISED | CPU_S32 | CPU_BOOL | CPU_F32;
	int ret;

	if ((ret = cpu_check(op, 0, types, err)) || (ret = cpu_check(op, 1, types, err)))
		return ret;
	return cpu_check_shape(op, 1, op->inputs[0].ndim, op->inputs[0].shape, err);
}

static int run_cast(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *out = &op->outputs[0];
	bool from = in->type == ELEM_FLOAT32, to = out->type == ELEM_FLOAT32;
	size_t total = cpu_elements(in);
	int32_t values[ROW];

	(void)err;
	for (size_t at = 0; at < total; at += ROW) {
		size_t n = row_at(total, at);

		cpu_load(in, at, n, values);
		for (size_t i = 0; i < n; i++) {
			float real = (float)values[i];
			int64_t whole = values[i];

			if (from) {
				memcpy(&real, &values[i], sizeof(real));
				/* Beyond 32 bits a conversion gives the least number on x86. */
				whole = real >= -2147483648.0f && real < 2147483648.0f ?
					(int64_t)real : INT32_MIN;
			}
			if (out->type == ELEM_BOOL)
				values[i] = from ? real != 0 : whole != 0;
			else if (to)
				memcpy(&values[i], &real, sizeof(real));
			else
				values[i] = (int32_t)whole;
		}
		cpu_store(out, at, n, values);
	}
	return 0;
}

const struct cpu_kernel cpu_cast = { prepare_cast, run_cast };
