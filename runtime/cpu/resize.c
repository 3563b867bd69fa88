/* SPDX-License-Identifier: MIT */
/* RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "runtime/cpu/cpu_kernel.h"

#define FRACTION	10	/* bits of a position */
#define ONE		(1 << FRACTION)

/**
 * struct place - where an output index lies in the input
 * @low, @high: neighbours
 * @weight: of @high, with FRACTION bits
 * @real: the same as a real number, for uint8
 */
struct place {
	int32_t low, high;
	int64_t weight;
	float real;
};

static int prepare(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *size = &op->inputs[1], *out = &op->outputs[0];
	int ret;

	if ((ret = cpu_check(op, 0, CPU_QUANTISED, err)) ||
	    (ret = cpu_check_scalars(op, 1, 2, err)) || (ret = cpu_check_same(op, 2, 0, err)))
		return ret;
	if (in->ndim != 4 || out->ndim != 4 || in->shape[0] != out->shape[0] ||
	    in->shape[3] != out->shape[3] || !in->shape[1] || !in->shape[2] ||
	    cpu_elements(size) != 2 || cpu_index_at(size, 0) != out->shape[1] ||
	    cpu_index_at(size, 1) != out->shape[2] || in->shape[1] > 1 << 20 ||
	    in->shape[2] > 1 << 20 || out->shape[1] > 1 << 20 || out->shape[2] > 1 << 20)
		return cpu_refuse(op, 2, -EINVAL, "has another shape than the operator gives it",
				  err);
	return 0;
}

static struct place bilinear(const struct ir_options *o, int32_t at, int32_t in, int32_t out)
{
	int64_t scale = ((int64_t)ONE * in + out / 2) / out, position;
	struct place p;

	if (o->align_corners && out > 1)
		scale = ((int64_t)ONE * (in - 1) + (out - 1) / 2) / (out - 1);
	position = at * scale + (o->half_pixel ? scale / 2 - ONE / 2 : 0);
	/* The step is rounded: after many of them a place may lie behind the last element. */
	position = position < (int64_t)ONE * (in - 1) ? position : (int64_t)ONE * (in - 1);
	p.low = (int32_t)(position / ONE > 0 ? position / ONE : 0);
	p.high = (int32_t)((position + ONE - 1) / ONE < in - 1 ? (position + ONE - 1) / ONE : in - 1);
	p.weight = position - (int64_t)ONE * p.low;
	p.real = 0;
	return p;
}

/* uint8 is interpolated in floating point. */
static struct place bilinear_real(const struct ir_options *o, int32_t at, int32_t in, int32_t out)
{
	float scale = (float)in / (float)out, position;
	struct place p = { 0 };

	if (o->align_corners && out > 1)
		scale = (float)(in - 1) / (float)(out - 1);
	position = o->half_pixel ? ((float)at + 0.5f) * scale - 0.5f : (float)at * scale;
	p.low = (int32_t)(floorf(position) > 0 ? floorf(position) : 0);
	p.high = (int32_t)ceilf(position) < in - 1 ? (int32_t)ceilf(position) : in - 1;
	p.real = position - (float)p.low;
	return p;
}

static struct place nearest(const struct ir_options *o, int32_t at, int32_t in, int32_t out)
{
	float scale = (float)in / (float)out, offset = o->half_pixel ? 0.5f : 0, position;
	struct place p = { 0 };

	if (o->align_corners && out > 1)
		scale = (float)(in - 1) / (float)(out - 1);
	position = ((float)at + offset) * scale;
	p.low = (int32_t)(o->align_corners ? roundf(position) : floorf(position));
	p.low = p.low < in - 1 ? p.low : in - 1;
	p.low = o->half_pixel && p.low < 0 ? 0 : p.low;
	p.high = p.low;
	return p;
}

static struct place place_of(const struct cpu_op *op, int32_t at, int32_t in, int32_t out)
{
	if (op->kind == IR_RESIZE_NEAREST_NEIGHBOR)
		return nearest(&op->options, at, in, out);
	if (op->inputs[0].type == ELEM_UINT8)
		return bilinear_real(&op->options, at, in, out);
	return bilinear(&op->options, at, in, out);
}

static int32_t mix(const struct place *y, const struct place *x, const int32_t v[4])
{
	int64_t sum = v[0] * (ONE - y->weight) * (ONE - x->weight) +
		v[1] * (ONE - y->weight) * x->weight + v[2] * y->weight * (ONE - x->weight) +
		v[3] * y->weight * x->weight;
	int64_t half = sum > 0 ? 1 << (2 * FRACTION - 1) : -(1 << (2 * FRACTION - 1));

	return (int32_t)((sum + half) / (1 << 2 * FRACTION));
}

static int32_t mix_real(const struct place *y, const struct place *x, const int32_t v[4])
{
	float sum = (float)v[0] * (1 - y->real) * (1 - x->real) +
		(float)v[2] * y->real * (1 - x->real) + (float)v[1] * (1 - y->real) * x->real +
		(float)v[3] * y->real * x->real;

	return (int32_t)(uint8_t)(sum + 0.5f);
}

static int run(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *out = &op->outputs[0];
	bool near = op->kind == IR_RESIZE_NEAREST_NEIGHBOR, real = in->type == ELEM_UINT8;
	size_t depth = (size_t)in->shape[3], at = 0;

	(void)err;
	for (int32_t b = 0; b < out->shape[0]; b++)
		for (int32_t i = 0; i < out->shape[1]; i++)
			for (int32_t k = 0; k < out->shape[2]; k++) {
				struct place y = place_of(op, i, in->shape[1], out->shape[1]);
				struct place x = place_of(op, k, in->shape[2], out->shape[2]);
				size_t top = (size_t)b * (size_t)in->shape[1] + (size_t)y.low;
				size_t bottom = (size_t)b * (size_t)in->shape[1] + (size_t)y.high;
				size_t from[4] = {
					(top * (size_t)in->shape[2] + (size_t)x.low) * depth,
					(top * (size_t)in->shape[2] + (size_t)x.high) * depth,
					(bottom * (size_t)in->shape[2] + (size_t)x.low) * depth,
					(bottom * (size_t)in->shape[2] + (size_t)x.high) * depth,
				};

				for (size_t c = 0; c < depth; c++, at++) {
					int32_t v[4];

					for (int n = 0; n < (near ? 1 : 4); n++)
						cpu_load(in, from[n] + c, 1, &v[n]);
					if (!near)
						v[0] = real ? mix_real(&y, &x, v) : mix(&y, &x, v);
					cpu_store(out, at, 1, &v[0]);
				}
			}
	return 0;
}

const struct cpu_kernel cpu_resize = { prepare, run };
