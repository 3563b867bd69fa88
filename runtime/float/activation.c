/* SPDX-License-Identifier: MIT */
/* What ends a product: bias and fused activation. */
#include <errno.h>
#include <math.h>

#include "runtime/float/float.h"

int float_activation(const struct cpu_op *op, struct float_range *range, struct error *err)
{
	static const struct {
		bool known;
		struct float_range range;
	} ranges[] = {
		[IR_ACT_NONE] = { true, { -INFINITY, INFINITY } },
		[IR_ACT_RELU] = { true, { 0, INFINITY } },
		[IR_ACT_RELU_N1_TO_1] = { true, { -1, 1 } },
		[IR_ACT_RELU6] = { true, { 0, 6 } },
		[IR_ACT_RELU_0_TO_1] = { true, { 0, 1 } },
	};
	int32_t act = op->options.activation;

	if (act < 0 || (size_t)act >= sizeof(ranges) / sizeof(*ranges) || !ranges[act].known)
		return error_set(err, -ENOTSUP, "%s on the CPU: fused activation %d",
				 ir_kind_info(op->kind)->name, act);
	*range = ranges[act].range;
	return 0;
}

static inline float clamped(float x, struct float_range range)
{
	x = x < range.low ? range.low : x;
	return x > range.high ? range.high : x;
}

void float_clamp(float *values, size_t count, struct float_range range)
{
	for (size_t i = 0; i < count; i++)
		values[i] = clamped(values[i], range);
}

void float_finish(float *values, size_t rows, size_t width, size_t step, const float *bias,
		  struct float_range range)
{
	for (size_t r = 0; r < rows; r++, values += step) {
		if (!bias)
			float_clamp(values, width, range);
		for (size_t i = 0; bias && i < width; i++)
			values[i] = clamped(values[i] + bias[i], range);
	}
}

int float_bias(const struct cpu_op *op, uint32_t index, size_t count, const float **bias,
	       struct error *err)
{
	const struct cpu_tensor *t = index < op->input_count ? &op->inputs[index] : NULL;
	int ret;

	*bias = NULL;
	if (!t || !t->data)
		return 0;
	ret = cpu_check(op, index, CPU_F32, err);
	if (ret)
		return ret;
	if (cpu_elements(t) != count)
		return cpu_refuse(op, index, -EINVAL, "has not one element for each output channel",
				  err);
	*bias = t->data;
	return 0;
}
