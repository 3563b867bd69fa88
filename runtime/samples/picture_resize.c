/* SPDX-License-Identifier: MIT */
/*
 * Resizing: rows, then columns, each a weighted sum in fixed point with bytes in between, which is what
 * Pillow computes.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "runtime/samples/picture.h"

#define WEIGHT_BITS	22	/* 32 less 8 of a pixel, less 2 for overshoot */

static double triangle(double x)
{
	x = fabs(x);
	return x < 1 ? 1 - x : 0;
}

/* Keys' cubic with a = -0.5. */
static double cubic(double x)
{
	const double a = -0.5;

	x = fabs(x);
	if (x < 1)
		return ((a + 2) * x - (a + 3)) * x * x + 1;
	if (x < 2)
		return (((x - 5) * x + 8) * x - 4) * a;
	return 0;
}

static double box(double x)
{
	return x > -0.5 && x <= 0.5 ? 1 : 0;
}

static const struct {
	double (*weight)(double x);
	double support;	/* nothing beyond */
} filters[] = {
	[PICTURE_BILINEAR] = { triangle, 1 },
	[PICTURE_BICUBIC] = { cubic, 2 },
	[PICTURE_AREA] = { box, 0.5 },
};

/**
 * struct taps - what each pixel of one axis is made of
 * @room: weights a pixel has room for
 */
struct taps {
	uint32_t room;
	uint32_t *first, *count;
	int32_t *weights;
};

static void taps_free(struct taps *t)
{
	free(t->first);
	free(t->count);
	free(t->weights);
}

static int taps_make(struct taps *t, uint32_t in, uint32_t out, enum picture_filter filter,
		     bool antialias, struct error *err)
{
	double step = (double)in / out, wide = antialias && step > 1 ? step : 1;
	double support = filters[filter].support * wide;
	double *w;

	*t = (struct taps){ .room = (uint32_t)ceil(support) * 2 + 1 };
	t->first = calloc(out, sizeof(*t->first));
	t->count = calloc(out, sizeof(*t->count));
	t->weights = calloc((size_t)out * t->room, sizeof(*t->weights));
	w = calloc(t->room, sizeof(*w));
	if (!t->first || !t->count || !t->weights || !w) {
		free(w);
		taps_free(t);
		return error_set(err, -ENOMEM, "out of memory");
	}
	for (uint32_t i = 0; i < out; i++) {
		double centre = (i + 0.5) * step, sum = 0;
		double low = fmax(trunc(centre - support + 0.5), 0);
		double high = fmin(trunc(centre + support + 0.5), in);

		t->first[i] = (uint32_t)low;
		t->count[i] = (uint32_t)(high - low);
		for (uint32_t k = 0; k < t->count[i]; k++) {
			w[k] = filters[filter].weight((k + low - centre + 0.5) / wide);
			sum += w[k];
		}
		for (uint32_t k = 0; k < t->count[i]; k++) {
			double v = sum != 0 ? w[k] / sum : w[k];

			t->weights[(size_t)i * t->room + k] =
				(int32_t)(v * (1 << WEIGHT_BITS) + (v < 0 ? -0.5 : 0.5));
		}
	}
	free(w);
	return 0;
}

static uint8_t to_byte(int32_t sum)
{
	sum >>= WEIGHT_BITS;
	return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

/* One pixel of one channel; @stride bytes from tap to tap. */
static uint8_t weigh(const struct taps *t, uint32_t i, const uint8_t *in, size_t stride)
{
	const int32_t *w = t->weights + (size_t)i * t->room;
	int32_t sum = 1 << (WEIGHT_BITS - 1);

	in += t->first[i] * stride;
	for (uint32_t k = 0; k < t->count[i]; k++)
		sum += in[k * stride] * w[k];
	return to_byte(sum);
}

/* The rows of @p become @width long. */
static int resize_rows(struct picture *p, uint32_t width, enum picture_filter filter,
		       bool antialias, struct error *err)
{
	size_t c = p->channels;
	struct picture out;
	struct taps t;
	int rc = picture_new(&out, p->height, width, p->channels, "resizing", err);

	if (rc)
		return rc;
	rc = taps_make(&t, p->width, width, filter, antialias, err);
	if (rc) {
		picture_free(&out);
		return rc;
	}
	for (uint32_t y = 0; y < p->height; y++) {
		const uint8_t *in = p->data + (size_t)y * p->width * c;
		uint8_t *to = out.data + (size_t)y * width * c;

		for (uint32_t x = 0; x < width; x++)
			for (size_t i = 0; i < c; i++)
				*to++ = weigh(&t, x, in + i, c);
	}
	taps_free(&t);
	picture_free(p);
	*p = out;
	return 0;
}

static int resize_columns(struct picture *p, uint32_t height, enum picture_filter filter,
			  bool antialias, struct error *err)
{
	size_t row = (size_t)p->width * p->channels;
	struct picture out;
	struct taps t;
	int rc = picture_new(&out, height, p->width, p->channels, "resizing", err);

	if (rc)
		return rc;
	rc = taps_make(&t, p->height, height, filter, antialias, err);
	if (rc) {
		picture_free(&out);
		return rc;
	}
	for (uint32_t y = 0; y < height; y++)
		for (size_t i = 0; i < row; i++)
			out.data[y * row + i] = weigh(&t, y, p->data + i, row);
	taps_free(&t);
	picture_free(p);
	*p = out;
	return 0;
}

static int resize_nearest(struct picture *p, uint32_t height, uint32_t width, struct error *err)
{
	double step_y = (double)p->height / height, step_x = (double)p->width / width;
	size_t c = p->channels;
	struct picture out;
	int rc = picture_new(&out, height, width, p->channels, "resizing", err);

	if (rc)
		return rc;
	for (uint32_t y = 0; y < height; y++) {
		uint32_t from_y = (uint32_t)fmin((y + 0.5) * step_y, p->height - 1);

		for (uint32_t x = 0; x < width; x++) {
			uint32_t from_x = (uint32_t)fmin((x + 0.5) * step_x, p->width - 1);

			for (size_t i = 0; i < c; i++)
				out.data[((size_t)y * width + x) * c + i] =
					p->data[((size_t)from_y * p->width + from_x) * c + i];
		}
	}
	picture_free(p);
	*p = out;
	return 0;
}

int picture_resize(struct picture *p, uint32_t height, uint32_t width, enum picture_filter filter,
		   bool antialias, struct error *err)
{
	int rc = 0;

	if (filter == PICTURE_NEAREST && (height != p->height || width != p->width))
		return resize_nearest(p, height, width, err);
	if (width != p->width)
		rc = resize_rows(p, width, filter, antialias, err);
	if (!rc && height != p->height)
		rc = resize_columns(p, height, filter, antialias, err);
	return rc;
}
