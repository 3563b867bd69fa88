/* SPDX-License-Identifier: MIT */
/* RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/float/float.h"

#define EXTENT_MAX (1 << 20)

/* Where an output index lies in the input: between two neighbours, @weight of the way. */
struct place {
	size_t low, high;
	float weight;
};

/* Of each row, then of each column of the output. */
struct resize {
	size_t rows;
	struct place places[];
};

static struct place bilinear(const struct ir_options *o, int32_t at, int32_t in, int32_t out)
{
	float scale = (float)in / (float)out, position;
	int32_t low, high;

	if (o->align_corners && out > 1)
		scale = (float)(in - 1) / (float)(out - 1);
	position = o->half_pixel ? ((float)at + 0.5f) * scale - 0.5f : (float)at * scale;
	low = (int32_t)(floorf(position) > 0 ? floorf(position) : 0);
	high = (int32_t)ceilf(position) < in - 1 ? (int32_t)ceilf(position) : in - 1;
	low = low < in - 1 ? low : in - 1;
	return (struct place){ (size_t)low, (size_t)high, position - (float)low };
}

static struct place nearest(const struct ir_options *o, int32_t at, int32_t in, int32_t out)
{
	float scale = (float)in / (float)out, position;
	int32_t index;

	if (o->align_corners && out > 1)
		scale = (float)(in - 1) / (float)(out - 1);
	position = ((float)at + (o->half_pixel ? 0.5f : 0)) * scale;
	index = (int32_t)(o->align_corners ? roundf(position) : floorf(position));
	index = index < in - 1 ? index : in - 1;
	return (struct place){ (size_t)index, (size_t)index, 0 };
}

static void find_places(const struct cpu_op *op, int32_t in, int32_t out, struct place *places)
{
	for (int32_t i = 0; i < out; i++)
		places[i] = op->kind == IR_RESIZE_BILINEAR ? bilinear(&op->options, i, in, out) :
							     nearest(&op->options, i, in, out);
}

static int prepare(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *size = &op->inputs[1], *out = &op->outputs[0];
	struct resize *r;
	int ret;

	if ((ret = cpu_check(op, 0, CPU_F32, err)) || (ret = cpu_check_scalars(op, 1, 2, err)) ||
	    (ret = cpu_check(op, 2, CPU_F32, err)))
		return ret;
	if (in->ndim != 4 || out->ndim != 4 || in->shape[0] != out->shape[0] ||
	    in->shape[3] != out->shape[3] || !in->shape[1] || !in->shape[2] ||
	    cpu_elements(size) != 2 || cpu_index_at(size, 0) != out->shape[1] ||
	    cpu_index_at(size, 1) != out->shape[2] || in->shape[1] > EXTENT_MAX ||
	    in->shape[2] > EXTENT_MAX || out->shape[1] > EXTENT_MAX || out->shape[2] > EXTENT_MAX)
		return cpu_refuse(op, 2, -EINVAL, "has another shape than the operator gives it",
				  err);
	r = calloc(1, sizeof(*r) +
		   ((size_t)out->shape[1] + (size_t)out->shape[2]) * sizeof(*r->places));
	if (!r)
		return error_set(err, -ENOMEM, "out of memory");
	op->plan = r;
	r->rows = (size_t)out->shape[1];
	find_places(op, in->shape[1], out->shape[1], r->places);
	find_places(op, in->shape[2], out->shape[2], r->places + r->rows);
	return 0;
}

/* All channels of one output position. */
static void mix(const float *top, const float *bottom, const struct place *y, const struct place *x,
		size_t depth, float *restrict out)
{
	const float *a = top + x->low * depth, *b = top + x->high * depth;
	const float *c = bottom + x->low * depth, *d = bottom + x->high * depth;
	float wa = (1 - y->weight) * (1 - x->weight), wb = (1 - y->weight) * x->weight;
	float wc = y->weight * (1 - x->weight), wd = y->weight * x->weight;

	for (size_t i = 0; i < depth; i++)
		out[i] = a[i] * wa + c[i] * wc + b[i] * wb + d[i] * wd;
}

static int run(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *out = &op->outputs[0];
	const struct resize *r = op->plan;
	size_t depth = (size_t)in->shape[3], row = (size_t)in->shape[2] * depth;
	const float *from = in->data;
	float *to = out->data;

	(void)err;
	for (int32_t b = 0; b < out->shape[0]; b++, from += (size_t)in->shape[1] * row)
		for (size_t i = 0; i < r->rows; i++)
			for (int32_t k = 0; k < out->shape[2]; k++, to += depth) {
				const struct place *y = &r->places[i], *x = &r->places[r->rows + (size_t)k];

				if (op->kind == IR_RESIZE_NEAREST_NEIGHBOR)
					memcpy(to, from + y->low * row + x->low * depth,
					       depth * sizeof(*to));
				else
					mix(from + y->low * row, from + y->high * row, y, x, depth, to);
			}
	return 0;
}

const struct cpu_kernel float_resize = { prepare, run };
