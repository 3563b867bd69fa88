/* SPDX-License-Identifier: MIT */
/* Normalisations: sums and products of what TFLite has. Softmax is one of them. */
#include <errno.h>
#include <string.h>

#include "runtime/onnx/build.h"
#include "runtime/onnx/norm.h"

/* One number a channel, to be broadcast over [N, C, ...]. */
static struct onnx_value *per_channel(struct onnx_import *c, struct onnx_value *v, const struct onnx_value *x)
{
	int32_t shape[IR_MAX_DIMS];

	if (!v || !x)
		return NULL;
	if (onnx_count(v) != (size_t)x->shape[1])
		return onnx_fail(c, -EINVAL, "%zu numbers for %d channels", onnx_count(v), x->shape[1]);
	shape[0] = x->shape[1];
	for (uint32_t i = 2; i < x->ndim; i++)
		shape[i - 1] = 1;
	return b_reshape(c, v, x->ndim - 1, shape);
}

struct onnx_value *onnx_standardise(struct onnx_import *c, struct onnx_value *x, uint32_t axes, float epsilon,
				    struct onnx_value **mean, struct onnx_value **inverse)
{
	struct onnx_value *m = b_reduce(c, IR_MEAN, x, axes, true), *d = b_sub(c, x, m), *v;

	v = b_reduce(c, IR_MEAN, b_mul(c, d, d), axes, true);
	v = b_unary(c, IR_RSQRT, b_with(c, IR_ADD, v, (double)epsilon));
	if (mean)
		*mean = m;
	if (inverse)
		*inverse = v;
	return b_mul(c, d, v);
}

static int batch_norm(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0), *scale, *shift;

	if (onnx_int(n, "training_mode", 0))
		onnx_fail(c, -ENOTSUP, "training");
	if (!c->rc && (x->ndim < 2 || !onnx_int(n, "spatial", 1)))
		onnx_fail(c, -ENOTSUP, "statistics that are not one a channel");
	if (c->rc)
		return c->rc;
	/* Constants fold to one factor and one summand a channel. */
	scale = b_with(c, IR_ADD, onnx_in(n, 4), (double)onnx_float(n, "epsilon", 1e-5f));
	scale = b_mul(c, onnx_in(n, 1), b_unary(c, IR_RSQRT, scale));
	shift = b_sub(c, onnx_in(n, 2), b_mul(c, onnx_in(n, 3), scale));
	x = b_mul(c, x, per_channel(c, scale, x));
	return onnx_out(c, n, 0, b_add(c, x, per_channel(c, shift, x)));
}

static int instance_norm(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0), *y;

	if (x->ndim < 3) {
		onnx_fail(c, -EINVAL, "an input of %u axes", x->ndim);
		return c->rc;
	}
	y = onnx_standardise(c, x, ((1u << x->ndim) - 1) & ~3u, onnx_float(n, "epsilon", 1e-5f), NULL, NULL);
	y = b_mul(c, y, per_channel(c, onnx_in(n, 1), x));
	return onnx_out(c, n, 0, b_add(c, y, per_channel(c, onnx_in(n, 2), x)));
}

/* One number a group to one a channel, as version 18 has them. */
static struct onnx_value *spread(struct onnx_import *c, struct onnx_value *v, int32_t groups,
				 int32_t channels)
{
	if (!v || v->ndim != 1 || v->shape[0] != groups || groups == channels)
		return v;
	v = b_reshape(c, v, 2, (int32_t[]){ groups, 1 });
	v = b_broadcast(c, v, 2, (int32_t[]){ groups, channels / groups });
	return b_reshape(c, v, 1, &channels);
}

static int group_norm(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0), *y;
	int64_t groups = onnx_int(n, "num_groups", 0);
	int32_t shape[3], size;

	if (x->ndim < 3 || groups < 1 || x->shape[1] % groups || !onnx_count(x)) {
		onnx_fail(c, -EINVAL, "%d groups do not fit the input", (int)groups);
		return c->rc;
	}
	size = (int32_t)(onnx_count(x) / (size_t)x->shape[0] / (size_t)groups);
	shape[0] = x->shape[0];
	shape[1] = (int32_t)groups;
	shape[2] = size;
	y = onnx_standardise(c, b_reshape(c, x, 3, shape), 4, onnx_float(n, "epsilon", 1e-5f), NULL, NULL);
	y = b_reshape(c, y, x->ndim, x->shape);
	y = b_mul(c, y, per_channel(c, spread(c, onnx_in(n, 1), shape[1], x->shape[1]), x));
	return onnx_out(
		c, n, 0,
		b_add(c, y, per_channel(c, spread(c, onnx_in(n, 2), shape[1], x->shape[1]), x)));
}

/* Bits of the axes from one on. */
static uint32_t axes_from(uint32_t axis, uint32_t ndim)
{
	return ((1u << ndim) - 1) & ~((1u << axis) - 1);
}

static int layer_norm(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0), *mean = NULL, *inverse = NULL, *y;
	uint32_t axis = onnx_axis(c, onnx_int(n, "axis", -1), x->ndim);

	if (c->rc)
		return c->rc;
	y = onnx_standardise(c, x, axes_from(axis, x->ndim), onnx_float(n, "epsilon", 1e-5f), &mean,
			     &inverse);
	y = b_mul(c, y, onnx_in(n, 1));
	if (onnx_in(n, 2))
		y = b_add(c, y, onnx_in(n, 2));
	onnx_out(c, n, 0, y);
	onnx_out(c, n, 1, mean);
	return onnx_out(c, n, 2, inverse);
}

static int rms_norm(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0), *v;
	uint32_t axis = onnx_axis(c, onnx_int(n, "axis", -1), x->ndim);

	if (c->rc)
		return c->rc;
	v = b_reduce(c, IR_MEAN, b_mul(c, x, x), axes_from(axis, x->ndim), true);
	v = b_unary(c, IR_RSQRT, b_with(c, IR_ADD, v, (double)onnx_float(n, "epsilon", 1e-5f)));
	return onnx_out(c, n, 0, b_mul(c, b_mul(c, x, v), onnx_in(n, 1)));
}

static int mean_variance(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0);
	int32_t list[IR_MAX_DIMS] = { 0, 2, 3 };
	uint32_t count = onnx_ints(c, n, "axes", list, IR_MAX_DIMS), axes = 0;

	for (uint32_t i = 0; i < (count ? count : 3) && !c->rc; i++)
		axes |= 1u << onnx_axis(c, list[i], x->ndim);
	return onnx_out(c, n, 0, c->rc ? NULL : onnx_standardise(c, x, axes, 1e-9f, NULL, NULL));
}

static int lp_norm(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0), *v, *zero;
	uint32_t axis = onnx_axis(c, onnx_int(n, "axis", -1), x->ndim);
	int64_t p = onnx_int(n, "p", 2);

	if (!c->rc && p != 1 && p != 2)
		onnx_fail(c, -EINVAL, "p is %d", (int)p);
	if (c->rc)
		return c->rc;
	v = b_reduce(c, IR_SUM, p == 1 ? b_unary(c, IR_ABS, x) : b_mul(c, x, x), 1u << axis, true);
	v = p == 2 ? b_unary(c, IR_SQRT, v) : v;
	/* Zeros stay zeros. */
	zero = v ? b_compare(c, IR_EQUAL, v, onnx_f32(c, 0)) : NULL;
	return onnx_out(c, n, 0, b_div(c, x, b_select(c, zero, onnx_f32(c, 1), v)));
}

/* A sum over neighbouring channels: a matrix with a band of ones. */
static int lrn(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0), *band, *v;
	int64_t size = onnx_int(n, "size", 1);
	int32_t channels, before;
	float *p;

	if (x->ndim < 3 || size < 1 || size > 1 << 16) {
		onnx_fail(c, -EINVAL, "%d channels of an input of %u axes", (int)size, x->ndim);
		return c->rc;
	}
	channels = x->shape[1];
	before = (int32_t)((size - 1) / 2);
	band = onnx_constant(c, ELEM_FLOAT32, 2, (int32_t[]){ channels, channels }, NULL);
	p = band ? onnx_constant_data(band) : NULL;
	for (int32_t i = 0; p && i < channels; i++)
		for (int32_t k = 0; k < channels; k++)
			*p++ = k >= i - before && k < i - before + size;
	v = b_linear(c, b_channels_last(c, b_mul(c, x, x)), band, NULL);
	v = b_with(c, IR_MUL, v, (double)onnx_float(n, "alpha", 0.0001f) / (double)size);
	v = b_with(c, IR_POW, b_with(c, IR_ADD, v, (double)onnx_float(n, "bias", 1)),
		   (double)onnx_float(n, "beta", 0.75f));
	return onnx_out(c, n, 0, b_div(c, x, v ? b_channels_first(c, v) : NULL));
}

/* Until version 12 the axes from @axis on count as one. */
static int softmax(struct onnx_import *c, const struct onnx_node *n)
{
	struct onnx_value *x = onnx_in(n, 0), *v;
	uint32_t axis = onnx_axis(c, onnx_int(n, "axis", c->opset < 13 ? 1 : -1), x->ndim);

	if (c->rc)
		return c->rc;
	if (c->opset >= 13 || axis + 1 == x->ndim)
		return onnx_out(c, n, 0, b_softmax(c, n->op->arg, x, axis));
	v = b_softmax(c, n->op->arg, b_matrix(c, x, axis), 1);
	return onnx_out(c, n, 0, b_reshape(c, v, x->ndim, x->shape));
}

#define NEWEST 27

const struct onnx_operator onnx_norm[] = {
	{ "BatchNormalization", "", 7, NEWEST, 5, batch_norm, 0, "inference" },
	{ "GroupNormalization", "", 18, NEWEST, 3, group_norm, 0, NULL },
	{ "InstanceNormalization", "", 6, NEWEST, 3, instance_norm, 0, NULL },
	{ "LRN", "", 1, NEWEST, 1, lrn, 0, NULL },
	{ "LayerNormalization", "", 17, NEWEST, 2, layer_norm, 0, NULL },
	{ "LogSoftmax", "", 1, NEWEST, 1, softmax, IR_LOG_SOFTMAX, NULL },
	{ "LpNormalization", "", 1, NEWEST, 1, lp_norm, 0, NULL },
	{ "MeanVarianceNormalization", "", 9, NEWEST, 1, mean_variance, 0, NULL },
	{ "RMSNormalization", "", 23, NEWEST, 2, rms_norm, 0, NULL },
	{ "Softmax", "", 1, NEWEST, 1, softmax, IR_SOFTMAX, NULL },
	{ 0 },
};
