/* SPDX-License-Identifier: MIT */
/* Operands: checks, ranges, and elements as integers. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "runtime/cpu/cpu_kernel.h"

const struct cpu_tensor *cpu_operand(const struct cpu_op *op, uint32_t index)
{
	const struct cpu_tensor *t;

	if (index >= op->input_count + op->output_count)
		return NULL;
	t = index < op->input_count ? &op->inputs[index] : &op->outputs[index - op->input_count];
	return t->data ? t : NULL;
}

int cpu_check(const struct cpu_op *op, uint32_t index, unsigned int types, struct error *err)
{
	const struct cpu_tensor *t = cpu_operand(op, index);

	if (!t)
		return error_set(err, -EINVAL, "%s on the CPU: input %u is left out",
				 ir_kind_info(op->kind)->name, index);
	if (t->type < 0 || t->type > 31 || !(types >> t->type & 1))
		return cpu_refuse(op, index, -ENOTSUP, "no kernel for this type", err);
	return 0;
}

int cpu_check_same(const struct cpu_op *op, uint32_t index, uint32_t as, struct error *err)
{
	const struct cpu_tensor *t = cpu_operand(op, index);

	if (!t || t->type != cpu_operand(op, as)->type)
		return cpu_refuse(op, index, -EINVAL, "is of another type", err);
	return 0;
}

int cpu_check_scales(const struct cpu_op *op, uint32_t index, struct error *err)
{
	const struct cpu_tensor *t = cpu_operand(op, index);

	if (!t || (t->scale_count != 1 && (t->axis < 0 || t->axis >= (int32_t)t->ndim ||
					   t->scale_count != (uint32_t)t->shape[t->axis])))
		return cpu_refuse(op, index, -EINVAL, "is not quantised as a whole or along an axis",
				  err);
	for (uint32_t i = 0; i < t->scale_count; i++) {
		if (!(t->scales[i] > 0) || !isfinite(t->scales[i]))
			return cpu_refuse(op, index, -EINVAL, "has a scale that is not above 0", err);
		if (t->zero_points[i] < -65536 || t->zero_points[i] > 65536)
			return cpu_refuse(op, index, -EINVAL, "has a zero point beyond its type", err);
	}
	return 0;
}

int cpu_check_scale(const struct cpu_op *op, uint32_t index, struct error *err)
{
	const struct cpu_tensor *t = cpu_operand(op, index);

	if (!t || t->scale_count != 1)
		return cpu_refuse(op, index, -EINVAL, "is not quantised as a whole", err);
	return cpu_check_scales(op, index, err);
}

int cpu_check_shape(const struct cpu_op *op, uint32_t index, uint32_t ndim, const int32_t *shape,
		    struct error *err)
{
	const struct cpu_tensor *t = cpu_operand(op, index);
	uint32_t i = 0, k = 0;

	while (t) {
		while (i < t->ndim && t->shape[i] == 1)
			i++;
		while (k < ndim && shape[k] == 1)
			k++;
		if (i == t->ndim || k == ndim || t->shape[i] != shape[k])
			break;
		i++;
		k++;
	}
	if (!t || i != t->ndim || k != ndim)
		return cpu_refuse(op, index, -EINVAL, "has another shape than the operator gives it",
				  err);
	return 0;
}

int cpu_check_scalars(const struct cpu_op *op, uint32_t index, uint32_t max, struct error *err)
{
	int ret = cpu_check(op, index, CPU_S32 | CPU_S64, err);
	const struct cpu_tensor *t = cpu_operand(op, index);

	if (ret)
		return ret;
	if (!t->constant)
		return cpu_refuse(op, index, -ENOTSUP, "is not a constant", err);
	if (cpu_elements(t) < 1 || cpu_elements(t) > max)
		return cpu_refuse(op, index, -EINVAL, "has too few or too many elements", err);
	return 0;
}

void cpu_limits(int type, int32_t *low, int32_t *high)
{
	*low = INT32_MIN;
	*high = INT32_MAX;
	if (type == ELEM_INT8 || type == ELEM_INT16) {
		*high = type == ELEM_INT8 ? INT8_MAX : INT16_MAX;
		*low = -*high - 1;
	} else if (type == ELEM_UINT8 || type == ELEM_BOOL) {
		*low = 0;
		*high = type == ELEM_BOOL ? 1 : UINT8_MAX;
	}
}

static int32_t quantised(const struct cpu_tensor *t, float value)
{
	float q = roundf(value / cpu_scale_of(t));

	return fixed_clamp((int64_t)(q > 1e9f ? 1e9f : q < -1e9f ? -1e9f : q) + cpu_zero_of(t),
			INT32_MIN / 2, INT32_MAX / 2);
}

int cpu_activation(const struct cpu_op *op, const struct cpu_tensor *t, int32_t *low, int32_t *high,
		   struct error *err)
{
	static const struct {
		bool known;
		float low, high;
	} ranges[] = {
		[IR_ACT_NONE] = { true, -INFINITY, INFINITY },
		[IR_ACT_RELU] = { true, 0, INFINITY },
		[IR_ACT_RELU_N1_TO_1] = { true, -1, 1 },
		[IR_ACT_RELU6] = { true, 0, 6 },
	};
	int32_t act = op->options.activation;

	if (act < 0 || (size_t)act >= sizeof(ranges) / sizeof(*ranges) || !ranges[act].known)
		return error_set(err, -ENOTSUP, "%s on the CPU: fused activation %d",
				 ir_kind_info(op->kind)->name, act);
	cpu_limits(t->type, low, high);
	if (t->scale_count && (!(cpu_scale_of(t) > 0) || !isfinite(cpu_scale_of(t))))
		return cpu_refuse(op, op->input_count, -EINVAL, "has a scale that is not above 0", err);
	if (isfinite(ranges[act].low)) {
		int32_t q = t->scale_count ? quantised(t, ranges[act].low) : (int32_t)ranges[act].low;

		*low = q > *low ? q : *low;
	}
	if (isfinite(ranges[act].high)) {
		int32_t q = t->scale_count ? quantised(t, ranges[act].high) :
					     (int32_t)ranges[act].high;

		*high = q < *high ? q : *high;
	}
	return 0;
}

void cpu_load(const struct cpu_tensor *t, size_t at, size_t count, int32_t *out)
{
	const int8_t *s8 = (const int8_t *)t->data + at;
	const uint8_t *u8 = (const uint8_t *)t->data + at;

	switch (t->type) {
	case ELEM_INT8:
		for (size_t i = 0; i < count; i++)
			out[i] = s8[i];
		break;
	case ELEM_UINT8:
	case ELEM_BOOL:
		for (size_t i = 0; i < count; i++)
			out[i] = u8[i];
		break;
	case ELEM_INT16:
		for (size_t i = 0; i < count; i++) {
			int16_t v;

			memcpy(&v, (const uint8_t *)t->data + (at + i) * 2, 2);
			out[i] = v;
		}
		break;
	default:
		memcpy(out, (const uint8_t *)t->data + at * 4, count * 4);
	}
}

void cpu_store(const struct cpu_tensor *t, size_t at, size_t count, const int32_t *values)
{
	uint8_t *bytes = (uint8_t *)t->data + at;

	switch (t->type) {
	case ELEM_INT8:
	case ELEM_UINT8:
	case ELEM_BOOL:
		for (size_t i = 0; i < count; i++)
			bytes[i] = (uint8_t)values[i];
		break;
	case ELEM_INT16:
		for (size_t i = 0; i < count; i++) {
			int16_t v = (int16_t)values[i];

			memcpy((uint8_t *)t->data + (at + i) * 2, &v, 2);
		}
		break;
	default:
		memcpy((uint8_t *)t->data + at * 4, values, count * 4);
	}
}

#define LOAD(type) \
	for (size_t i = 0; i < count; i++) { \
		type v; \
\
		memcpy(&v, (const uint8_t *)t->data + (at + i) * sizeof(v), sizeof(v)); \
		out[i] = (int64_t)v; \
	}

void cpu_load64(const struct cpu_tensor *t, size_t at, size_t count, int64_t *out)
{
	switch (t->type) {
	case ELEM_INT8:
		LOAD(int8_t)
		break;
	case ELEM_UINT8:
	case ELEM_BOOL:
		LOAD(uint8_t)
		break;
	case ELEM_INT16:
		LOAD(int16_t)
		break;
	case ELEM_UINT16:
	case ELEM_FLOAT16:
	case ELEM_BFLOAT16:
		LOAD(uint16_t)
		break;
	case ELEM_INT32:
		LOAD(int32_t)
		break;
	case ELEM_UINT32:
	case ELEM_FLOAT32:
		LOAD(uint32_t)
		break;
	default:
		memcpy(out, (const uint8_t *)t->data + at * sizeof(*out), count * sizeof(*out));
	}
}

#define STORE(type) \
	for (size_t i = 0; i < count; i++) { \
		type v = (type)values[i]; \
\
		memcpy((uint8_t *)t->data + (at + i) * sizeof(v), &v, sizeof(v)); \
	}

void cpu_store64(const struct cpu_tensor *t, size_t at, size_t count, const int64_t *values)
{
	switch (elem_size(t->type)) {
	case 1:
		STORE(uint8_t)
		break;
	case 2:
		STORE(uint16_t)
		break;
	case 4:
		STORE(uint32_t)
		break;
	default:
		memcpy((uint8_t *)t->data + at * sizeof(*values), values, count * sizeof(*values));
	}
}

int64_t cpu_index_at(const struct cpu_tensor *t, size_t at)
{
	int64_t wide;
	int32_t narrow;

	if (t->type == ELEM_INT64) {
		memcpy(&wide, (const uint8_t *)t->data + at * 8, 8);
		return wide;
	}
	memcpy(&narrow, (const uint8_t *)t->data + at * 4, 4);
	return narrow;
}

size_t cpu_extent(const struct cpu_tensor *t, uint32_t from, uint32_t to)
{
	size_t n = 1;

	for (uint32_t i = from; i < to && i < t->ndim; i++)
		n *= (size_t)t->shape[i];
	return n;
}

int32_t cpu_axis(int64_t axis, uint32_t ndim)
{
	if (axis < 0)
		axis += ndim;
	return axis < 0 || axis >= ndim ? -1 : (int32_t)axis;
}

int cpu_check_arg(const struct cpu_op *op, unsigned int types, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0];
	int32_t shape[CPU_MAX_DIMS], axis;
	int ret;

	if ((ret = cpu_check(op, 0, types, err)) || (ret = cpu_check_scalars(op, 1, 1, err)) ||
	    (ret = cpu_check(op, 2, CPU_S32 | CPU_S64, err)))
		return ret;
	axis = cpu_axis(cpu_index_at(&op->inputs[1], 0), in->ndim);
	if (axis < 0 || !in->shape[axis])
		return cpu_refuse(op, 1, -EINVAL, "is no axis of the input", err);
	memcpy(shape, in->shape, sizeof(shape));
	shape[axis] = 1;
	return cpu_check_shape(op, 2, in->ndim, shape, err);
}
