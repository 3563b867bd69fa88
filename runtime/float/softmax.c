/* SPDX-License-Identifier: MIT */
/* SOFTMAX, LOG_SOFTMAX and L2_NORMALIZATION: rows brought to a sum of 1, over the last axis. */
#include <errno.h>
#include <math.h>

#include "runtime/float/float.h"

#define LEAST_NORM 1e-6f	/* of L2_NORMALIZATION, as TFLite has it */

static int prepare(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0];
	int ret;

	if ((ret = cpu_check(op, 0, CPU_F32, err)) || (ret = cpu_check(op, 1, CPU_F32, err)) ||
	    (ret = cpu_check_shape(op, 1, in->ndim, in->shape, err)))
		return ret;
	if (!in->ndim || !in->shape[in->ndim - 1])
		return cpu_refuse(op, 0, -EINVAL, "is empty", err);
	return 0;
}

static float highest(const float *in, size_t count)
{
	float high = in[0];

	for (size_t i = 1; i < count; i++)
		high = in[i] > high ? in[i] : high;
	return high;
}

static void softmax(const float *in, float *out, size_t count, float beta)
{
	float high = highest(in, count), sum = 0;

	for (size_t i = 0; i < count; i++) {
		out[i] = expf((in[i] - high) * beta);
		sum += out[i];
	}
	for (size_t i = 0; i < count; i++)
		out[i] /= sum;
}

static void log_softmax(const float *in, float *out, size_t count)
{
	float high = highest(in, count), sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += expf(in[i] - high);
	sum = logf(sum);
	for (size_t i = 0; i < count; i++)
		out[i] = in[i] - high - sum;
}

static int run_softmax(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0];
	size_t depth = (size_t)in->shape[in->ndim - 1], total = cpu_elements(in);
	const float *from = in->data;
	float *to = op->outputs[0].data;

	(void)err;
	for (size_t at = 0; at < total; at += depth) {
		if (op->kind == IR_SOFTMAX)
			softmax(from + at, to + at, depth, op->options.beta);
		else
			log_softmax(from + at, to + at, depth);
	}
	return 0;
}

const struct cpu_kernel float_softmax = { prepare, run_softmax };

static int prepare_normalize(struct cpu_op *op, struct error *err)
{
	if (op->options.activation)
		return error_set(err, -ENOTSUP, "L2_NORMALIZATION on the CPU: fused activation %d",
				 op->options.activation);
	return prepare(op, err);
}

static int run_normalize(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0];
	size_t depth = (size_t)in->shape[in->ndim - 1], total = cpu_elements(in);
	const float *from = in->data;
	float *to = op->outputs[0].data;

	(void)err;
	for (size_t at = 0; at < total; at += depth) {
		float sum = 0, norm;

		for (size_t i = at; i < at + depth; i++)
			sum += from[i] * from[i];
		norm = sqrtf(sum);
		norm = norm < LEAST_NORM ? LEAST_NORM : norm;
		for (size_t i = at; i < at + depth; i++)
			to[i] = from[i] / norm;
	}
	return 0;
}

const struct cpu_kernel float_normalize = { prepare_normalize, run_normalize };
