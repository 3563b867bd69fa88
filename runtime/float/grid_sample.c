/* SPDX-License-Identifier: MIT */
/* GRID_SAMPLE: an image at the places that a grid of coordinates from -1 to 1 names, as in ONNX. */
#include <errno.h>
#include <math.h>

#include "runtime/float/float.h"

#define TAPS_MAX	4
#define CUBIC		-0.75	/* the parameter of cubic convolution */
#define EXTENT_MAX	(1 << 24)

/* What one coordinate takes: indices, -1 where there is nothing, and their weights. */
struct taps {
	int count;
	ptrdiff_t index[TAPS_MAX];
	double weight[TAPS_MAX];
};

static int prepare(struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *grid = &op->inputs[1], *out = &op->outputs[0];
	const struct ir_options *o = &op->options;
	int ret;

	if ((ret = cpu_check(op, 0, CPU_F32, err)) || (ret = cpu_check(op, 1, CPU_F32, err)) ||
	    (ret = cpu_check(op, 2, CPU_F32, err)))
		return ret;
	if (o->mode < IR_GRID_LINEAR || o->mode > IR_GRID_CUBIC || o->padding < IR_GRID_ZEROS ||
	    o->padding > IR_GRID_REFLECTION)
		return error_set(err, -EINVAL, "GRID_SAMPLE on the CPU: mode %d, padding %d", o->mode,
				 o->padding);
	if (in->ndim != 4 || in->shape[2] < 1 || in->shape[3] < 1 || in->shape[2] > EXTENT_MAX ||
	    in->shape[3] > EXTENT_MAX)
		return cpu_refuse(op, 0, -ENOTSUP, "is no image of 4 axes", err);
	if (grid->ndim != 4 || grid->shape[0] != in->shape[0] || grid->shape[3] != 2)
		return cpu_refuse(op, 1, -EINVAL, "is no grid of pairs", err);
	if (out->ndim != 4 || out->shape[0] != in->shape[0] || out->shape[1] != in->shape[1] ||
	    out->shape[2] != grid->shape[1] || out->shape[3] != grid->shape[2])
		return cpu_refuse(op, 2, -EINVAL, "has another shape than the operator gives it", err);
	return 0;
}

static double clamped(double x, double low, double high)
{
	return x < low ? low : x > high ? high : x;
}

/* Back and forth between two ends. */
static double reflected(double x, double low, double high)
{
	double range = high - low, beyond, turns;

	if (range <= 0)
		return low;
	if (x >= low && x <= high)
		return x;
	beyond = x < low ? low - x : x - high;
	turns = floor(beyond / range);
	beyond -= turns * range;
	if (fmod(turns, 2) == 0)
		return x < low ? low + beyond : high - beyond;
	return x < low ? high - beyond : low + beyond;
}

/* A place inside the image, as far as the padding has one for it. */
static double inside(const struct ir_options *o, double x, int32_t extent)
{
	double low = o->align_corners ? 0 : -0.5, high = o->align_corners ? extent - 1 : extent - 0.5;

	if (o->padding == IR_GRID_BORDER)
		return clamped(x, 0, extent - 1);
	if (o->padding == IR_GRID_REFLECTION)
		return reflected(x, low, high);
	return x;
}

static ptrdiff_t index_of(const struct ir_options *o, double x, int32_t extent)
{
	if (o->padding != IR_GRID_ZEROS)
		return (ptrdiff_t)clamped(rint(inside(o, x, extent)), 0, extent - 1);
	return x >= 0 && x <= extent - 1 ? (ptrdiff_t)x : -1;
}

/* Weight of a tap at that distance. */
static double cubic(double x)
{
	x = fabs(x);
	if (x <= 1)
		return ((CUBIC + 2) * x - (CUBIC + 3)) * x * x + 1;
	return x < 2 ? ((CUBIC * x - 5 * CUBIC) * x + 8 * CUBIC) * x - 4 * CUBIC : 0;
}

static struct taps find_taps(const struct ir_options *o, float coordinate, int32_t extent)
{
	double x = (double)coordinate, first;
	struct taps t = { .count = 1, .index = { -1 } };

	if (!isfinite(x))
		return t;
	x = o->align_corners ? (x + 1) / 2 * (extent - 1) : ((x + 1) * extent - 1) / 2;
	if (o->mode == IR_GRID_NEAREST) {
		t.index[0] = index_of(o, rint(inside(o, rint(x), extent)), extent);
		t.weight[0] = 1;
		return t;
	}
	x = inside(o, x, extent);
	t.count = o->mode == IR_GRID_CUBIC ? 4 : 2;
	first = floor(x) - (t.count - 2) / 2;
	for (int i = 0; i < t.count; i++) {
		t.index[i] = index_of(o, first + i, extent);
		t.weight[i] = t.count == 4 ? cubic(x - first - i) : 1 - fabs(x - first - i);
	}
	return t;
}

static float sample(const float *in, int32_t width, const struct taps *y, const struct taps *x)
{
	double sum = 0;

	for (int i = 0; i < y->count; i++)
		for (int k = 0; k < x->count; k++)
			if (y->index[i] >= 0 && x->index[k] >= 0)
				sum += y->weight[i] * x->weight[k] *
					(double)in[y->index[i] * width + x->index[k]];
	return (float)sum;
}

static int run(const struct cpu_op *op, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[0], *out = &op->outputs[0];
	size_t image = (size_t)in->shape[2] * (size_t)in->shape[3], channels = (size_t)in->shape[1];
	size_t places = (size_t)out->shape[2] * (size_t)out->shape[3];
	const float *from = in->data, *grid = op->inputs[1].data;
	float *to = out->data;

	(void)err;
	for (int32_t n = 0; n < in->shape[0]; n++) {
		for (size_t p = 0; p < places; p++, grid += 2) {
			struct taps x = find_taps(&op->options, grid[0], in->shape[3]);
			struct taps y = find_taps(&op->options, grid[1], in->shape[2]);

			for (size_t c = 0; c < channels; c++)
				to[c * places + p] = sample(from + c * image, in->shape[3], &y, &x);
		}
		from += channels * image;
		to += channels * places;
	}
	return 0;
}

const struct cpu_kernel float_grid_sample = { prepare, run };
