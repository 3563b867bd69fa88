/* SPDX-License-Identifier: MIT */
/*
 * Resize: what is TFLite's becomes RESIZE_NEAREST_NEIGHBOR or RESIZE_BILINEAR. The other two hundred
 * combinations of mode, coordinates and rounding are, axis by axis, a product with a constant matrix:
 * so much of each element of the input in each of the output. Where each row holds a single 1, rows are
 * chosen by GATHER.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "runtime/onnx/build.h"

#define EXTENT_MAX	(1 << 16)	/* of the output */
#define MATRIX_MAX	(1 << 26)	/* elements of a constant matrix */

/**
 * struct resize - how
 * @scale: output over input, as the coordinates count
 * @roi: begin and end of each axis, of tf_crop_and_resize
 */
struct resize {
	const char *mode, *coordinates, *rounding;
	double a, outside;
	bool exclude_outside, antialias;
	uint32_t ndim;
	int32_t in[IR_MAX_DIMS], out[IR_MAX_DIMS];
	double scale[IR_MAX_DIMS];
	double roi[2 * IR_MAX_DIMS];
};

/* Where in the input an element of the output lies. */
static double place(const struct resize *r, uint32_t axis, int32_t o)
{
	double in = r->in[axis], out = r->out[axis], s = r->scale[axis];

	/* By the extent that the scale gives, which need not be whole. */
	if (!strcmp(r->coordinates, "align_corners"))
		return out > 1 ? o * (in - 1) / (in * s - 1) : 0;
	if (!strcmp(r->coordinates, "asymmetric"))
		return o / s;
	if (!strcmp(r->coordinates, "pytorch_half_pixel"))
		return out > 1 ? (o + 0.5) / s - 0.5 : 0;
	if (!strcmp(r->coordinates, "tf_half_pixel_for_nn"))
		return (o + 0.5) / s;
	if (!strcmp(r->coordinates, "half_pixel_symmetric")) {
		double adjusted = out / (in * s);

		return in / 2 * (1 - adjusted) + (o + 0.5) / s - 0.5;
	}
	if (!strcmp(r->coordinates, "tf_crop_and_resize")) {
		double from = r->roi[axis], to = r->roi[axis + r->ndim];

		return out > 1 ? from * (in - 1) + o * (to - from) * (in - 1) / (out - 1) :
				 0.5 * (from + to) * (in - 1);
	}
	return (o + 0.5) / s - 0.5;
}

static double round_place(const struct resize *r, double x)
{
	if (!strcmp(r->rounding, "floor"))
		return floor(x);
	if (!strcmp(r->rounding, "ceil"))
		return ceil(x);
	return strcmp(r->rounding, "round_prefer_ceil") ? ceil(x - 0.5) : floor(x + 0.5);
}

/* Of the kernel of Keys, with its parameter @a. */
static double cubic(double x, double a)
{
	x = fabs(x);
	if (x <= 1)
		return ((a + 2) * x - (a + 3)) * x * x + 1;
	return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

static int32_t inside(double x, int32_t extent)
{
	return !(x > 0) ? 0 : x > extent - 1 ? extent - 1 : (int32_t)x;
}

/* One row: what the elements of the input count in output @o. */
static void fill_row(const struct resize *r, uint32_t axis, int32_t o, float *row)
{
	bool linear = !strcmp(r->mode, "linear");
	double x = place(r, axis, o), sum = 0, wide = 1, reach, first;
	int32_t extent = r->in[axis];
	double weights[512];
	int count;

	if (!strcmp(r->mode, "nearest")) {
		row[inside(round_place(r, x), extent)] = 1;
		return;
	}
	/* Going down, the kernel grows so that it sees all of the input. */
	if (r->antialias && r->scale[axis] < 1)
		wide = 1 / r->scale[axis];
	reach = (linear ? 1 : 2) * wide;
	first = floor(x - reach) + 1;
	count = (int)fmax(1, fmin(512, ceil(x + reach) - first));
	for (int k = 0; k < count; k++) {
		double away = (first + k - x) / wide, at = first + k;

		weights[k] = linear ? fmax(0, 1 - fabs(away)) : cubic(away, r->a);
		if (r->exclude_outside && (at < 0 || at > extent - 1))
			weights[k] = 0;
		sum += weights[k];
	}
	for (int k = 0; k < count; k++)
		row[inside(first + k, extent)] += (float)(weights[k] / (sum != 0 ? sum : 1));
}

/* If every row of a matrix has a single 1, the numbers of its columns. */
static struct onnx_value *as_choice(struct onnx_import *c, const struct onnx_value *m)
{
	struct onnx_value *list = onnx_constant(c, ELEM_INT32, 1, m->shape, NULL);
	const float *p = m->data;

	for (int32_t o = 0; list && o < m->shape[0]; o++, p += m->shape[1]) {
		int32_t at = 0;

		for (int32_t i = 0; i < m->shape[1]; i++)
			at = p[i] != 0 ? i : at;
		if (p[at] != 1)
			return NULL;
		for (int32_t i = 0; i < m->shape[1]; i++)
			if (i != at && p[i] != 0)
				return NULL;
		((int32_t *)onnx_constant_data(list))[o] = at;
	}
	return list;
}

static struct onnx_value *along(struct onnx_import *c, const struct resize *r, struct onnx_value *x,
				uint32_t axis)
{
	struct onnx_value *m, *list;
	float *p;

	if (!x)
		return NULL;
	if ((int64_t)r->out[axis] * r->in[axis] > MATRIX_MAX)
		return onnx_fail(c, -ENOTSUP, "from %d to %d elements in mode %s", r->in[axis],
				 r->out[axis], r->mode);
	m = onnx_constant(c, ELEM_FLOAT32, 2, (int32_t[]){ r->out[axis], r->in[axis] }, NULL);
	p = m ? onnx_constant_data(m) : NULL;
	for (int32_t o = 0; p && o < r->out[axis]; o++, p += r->in[axis])
		fill_row(r, axis, o, p);
	if (!m)
		return NULL;
	list = as_choice(c, m);
	if (list)
		return b_gather(c, x, list, axis);
	if (x->type != ELEM_FLOAT32)
		return onnx_fail(c, -ENOTSUP, "mode %s of type %s", r->mode, elem_name(x->type));
	x = b_linear(c, b_move_axis(c, x, axis, x->ndim - 1), m, NULL);
	return x ? b_move_axis(c, x, x->ndim - 1, axis) : NULL;
}

/* Beyond the input tf_crop_and_resize gives a number: a mask of where that is, axis by axis. */
static struct onnx_value *crop_outside(struct onnx_import *c, const struct resize *r, struct onnx_value *x)
{
	for (uint32_t i = 0; i < r->ndim && x; i++) {
		int32_t shape[IR_MAX_DIMS];
		struct onnx_value *mask;
		bool any = false;

		for (uint32_t k = 0; k < r->ndim; k++)
			shape[k] = k == i ? r->out[i] : 1;
		mask = onnx_constant(c, ELEM_BOOL, r->ndim, shape, NULL);
		for (int32_t o = 0; mask && o < r->out[i]; o++) {
			double at = place(r, i, o);
			bool beyond = at < 0 || at > r->in[i] - 1;

			((uint8_t *)onnx_constant_data(mask))[o] = beyond;
			any = any || beyond;
		}
		if (any)
			x = b_select(c, mask, onnx_scalar(c, x->type, r->outside), x);
	}
	return x;
}

/* TFLite's own operator, over the last two axes of four. NULL: it has none for this. */
static struct onnx_value *as_tflite(struct onnx_import *c, const struct resize *r, struct onnx_value *x)
{
	bool half = !strcmp(r->coordinates, "half_pixel") || !strcmp(r->coordinates, "pytorch_half_pixel");
	bool align = !strcmp(r->coordinates, "align_corners"), plain = !strcmp(r->coordinates, "asymmetric");
	struct ir_options o = { .align_corners = align, .half_pixel = half };
	unsigned int kind = IR_RESIZE_BILINEAR;

	if (r->ndim != 4 || r->in[0] != r->out[0] || r->in[1] != r->out[1] || r->antialias ||
	    r->exclude_outside)
		return NULL;
	for (uint32_t i = 2; i < 4; i++)
		if (r->scale[i] != (double)r->out[i] / r->in[i] || r->out[i] < 2)
			return NULL;
	if (!strcmp(r->mode, "nearest")) {
		/* TFLite takes the floor; whole factors with half pixels are the same again. */
		bool whole = r->out[2] % r->in[2] == 0 && r->out[3] % r->in[3] == 0;
		bool floors = !strcmp(r->rounding, "floor");

		kind = IR_RESIZE_NEAREST_NEIGHBOR;
		if (!(whole && ((plain && floors) || (half && !strncmp(r->rounding, "round", 5)))))
			return NULL;
		o = (struct ir_options){ 0 };
	} else if (strcmp(r->mode, "linear") || !(half || align || plain)) {
		return NULL;
	}
	x = b_channels_last(c, x);
	x = onnx_op(c, kind, &o, 2, (struct onnx_value *[]){ x, onnx_i32(c, 2, r->out + 2) }, ELEM_FLOAT32, 4,
		    (int32_t[]){ r->out[0], r->out[2], r->out[3], r->out[1] });
	return x ? b_channels_first(c, x) : NULL;
}

/* Axes by attribute, or all. */
static uint32_t axes_of(struct onnx_import *c, const struct onnx_node *n, uint32_t ndim, uint32_t *axes)
{
	int32_t list[IR_MAX_DIMS];
	uint32_t count = onnx_ints(c, n, "axes", list, IR_MAX_DIMS);

	for (uint32_t i = 0; i < count; i++)
		axes[i] = onnx_axis(c, list[i], ndim);
	if (!count)
		for (count = 0; count < ndim; count++)
			axes[count] = count;
	return count;
}

static void by_sizes(struct onnx_import *c, const struct onnx_node *n, struct resize *r, const uint32_t *axes,
		     uint32_t count, const int32_t *sizes)
{
	const char *policy = onnx_string(c, n, "keep_aspect_ratio_policy", "stretch");
	bool larger = !strcmp(policy, "not_smaller"), keep = strcmp(policy, "stretch");
	double factor = larger ? 0 : INFINITY;

	for (uint32_t i = 0; i < count; i++) {
		double f = (double)sizes[i] / r->in[axes[i]];

		factor = larger ? fmax(factor, f) : fmin(factor, f);
	}
	for (uint32_t i = 0; i < count; i++) {
		uint32_t a = axes[i];
		double out = keep ? floor(factor * r->in[a] + 0.5) : sizes[i];

		if (!(out >= 1 && out <= EXTENT_MAX)) {
			onnx_fail(c, -ENOTSUP, "an extent of %g", out);
			return;
		}
		r->out[a] = (int32_t)out;
		r->scale[a] = keep ? factor : out / r->in[a];
	}
}

static void by_scales(struct onnx_import *c, struct resize *r, const uint32_t *axes, uint32_t count,
		      const float *scales)
{
	for (uint32_t i = 0; i < count; i++) {
		double out = floor((double)scales[i] * r->in[axes[i]]);

		if (!(scales[i] > 0 && out >= 1 && out <= EXTENT_MAX)) {
			onnx_fail(c, -ENOTSUP, "a scale of %g", (double)scales[i]);
			return;
		}
		r->scale[axes[i]] = (double)scales[i];
		r->out[axes[i]] = (int32_t)out;
	}
}

static bool known_mode(struct onnx_import *c, const struct resize *r)
{
	static const char *const names[] = {
		"half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel", "tf_half_pixel_for_nn",
		"half_pixel_symmetric", "tf_crop_and_resize",
	};

	if (strcmp(r->mode, "nearest") && strcmp(r->mode, "linear") && strcmp(r->mode, "cubic"))
		onnx_fail(c, -ENOTSUP, "mode %s", r->mode);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(r->coordinates, names[i]))
			return !c->rc;
	onnx_fail(c, -ENOTSUP, "coordinates %s", r->coordinates);
	return false;
}

static int build(struct onnx_import *c, const struct onnx_node *n, const struct resize *r)
{
	struct onnx_value *x = onnx_in(n, 0), *v;

	if (c->rc || !known_mode(c, r))
		return c->rc;
	v = as_tflite(c, r, x);
	if (v || c->rc)
		return onnx_out(c, n, 0, v);
	for (uint32_t i = 0; i < r->ndim; i++)
		if (r->out[i] != r->in[i] || r->scale[i] != 1 ||
		    (!strcmp(r->coordinates, "tf_crop_and_resize") &&
		     (r->roi[i] != 0 || r->roi[i + r->ndim] != 1)))
			x = along(c, r, x, i);
	if (!strcmp(r->coordinates, "tf_crop_and_resize"))
		x = crop_outside(c, r, x);
	return onnx_out(c, n, 0, x);
}

static void start(struct resize *r, const struct onnx_value *x)
{
	memset(r, 0, sizeof(*r));
	r->ndim = x->ndim;
	for (uint32_t i = 0; i < x->ndim; i++) {
		r->in[i] = r->out[i] = x->shape[i];
		r->scale[i] = 1;
		r->roi[i + x->ndim] = 1;
	}
}

static int resize(struct onnx_import *c, const struct onnx_node *n)
{
	const struct onnx_value *x = onnx_in(n, 0), *roi = onnx_in(n, 1), *sizes = onnx_in(n, 3);
	uint32_t axes[IR_MAX_DIMS] = { 0 }, count;
	float scales[IR_MAX_DIMS], box[2 * IR_MAX_DIMS];
	int32_t extents[IR_MAX_DIMS];
	struct resize r;

	if (!onnx_count(x)) {
		onnx_fail(c, -ENOTSUP, "a tensor without elements");
		return c->rc;
	}
	start(&r, x);
	r.mode = onnx_string(c, n, "mode", "nearest");
	r.coordinates = c->opset < 11 ? "asymmetric" :
			onnx_string(c, n, "coordinate_transformation_mode", "half_pixel");
	r.rounding = c->opset < 11 ? "floor" : onnx_string(c, n, "nearest_mode", "round_prefer_floor");
	r.a = (double)onnx_float(n, "cubic_coeff_a", -0.75f);
	r.outside = (double)onnx_float(n, "extrapolation_value", 0);
	r.exclude_outside = onnx_int(n, "exclude_outside", 0);
	r.antialias = onnx_int(n, "antialias", 0);
	count = axes_of(c, n, x->ndim, axes);
	if (c->opset < 11)
		sizes = NULL;
	if (sizes && onnx_count(sizes)) {
		if (onnx_known(c, sizes, "sizes", extents, IR_MAX_DIMS) != count)
			onnx_fail(c, -EINVAL, "sizes that are not one for each axis");
		if (!c->rc)
			by_sizes(c, n, &r, axes, count, extents);
	} else {
		if (onnx_known_floats(c, onnx_in(n, c->opset < 11 ? 1 : 2), "scales", scales,
				      IR_MAX_DIMS) != count)
			onnx_fail(c, -EINVAL, "scales that are not one for each axis");
		if (!c->rc)
			by_scales(c, &r, axes, count, scales);
	}
	if (!c->rc && c->opset >= 11 && !strcmp(r.coordinates, "tf_crop_and_resize")) {
		if (onnx_known_floats(c, roi, "roi", box, 2 * IR_MAX_DIMS) != 2 * count)
			onnx_fail(c, -EINVAL, "a region that is not two numbers for each axis");
		for (uint32_t i = 0; i < 2 * count && !c->rc; i++)
			if (!isfinite(box[i]))
				onnx_fail(c, -EINVAL, "a region from or to %g", (double)box[i]);
		for (uint32_t i = 0; i < count && !c->rc; i++) {
			r.roi[axes[i]] = (double)box[i];
			r.roi[axes[i] + x->ndim] = (double)box[i + count];
		}
	}
	return build(c, n, &r);
}

/* Of versions 7 to 9: scales as attribute or operand. */
static int upsample(struct onnx_import *c, const struct onnx_node *n)
{
	const struct onnx_value *x = onnx_in(n, 0);
	uint32_t axes[IR_MAX_DIMS], count;
	float scales[IR_MAX_DIMS];
	struct resize r;

	start(&r, x);
	r.mode = onnx_string(c, n, "mode", "nearest");
	r.coordinates = "asymmetric";
	r.rounding = "floor";
	for (uint32_t i = 0; i < x->ndim; i++)
		axes[i] = i;
	count = c->opset < 9 ? onnx_floats(c, n, "scales", scales, IR_MAX_DIMS) :
			       onnx_known_floats(c, onnx_in(n, 1), "scales", scales, IR_MAX_DIMS);
	if (!c->rc && (count != x->ndim || !onnx_count(x)))
		onnx_fail(c, -EINVAL, "scales that are not one for each axis");
	if (!c->rc)
		by_scales(c, &r, axes, count, scales);
	return build(c, n, &r);
}

#define NEWEST 27

const struct onnx_operator onnx_resize[] = {
	{ "Resize", "", 10, NEWEST, 1, resize, 0, "constant scales, sizes and region" },
	{ "Upsample", "", 7, 9, 1, upsample, 0, "constant scales" },
	{ 0 },
};
