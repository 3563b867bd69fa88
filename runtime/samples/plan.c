/* SPDX-License-Identifier: MIT */
/* Pictures and other values to the elements of an input: size, order of the axes, scale. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/samples/source.h"

int samples_channel_axis(const struct samples *s, uint32_t input)
{
	const struct samples_input *in = &s->inputs[input];
	int last = (int)in->ndim - 1, first = last - 2;
	int32_t a, b;

	if (first < 0)
		return -1;
	if (s->prep.layout != PREP_LAYOUT_AUTO)
		return s->prep.layout == PREP_NHWC ? last : first;
	a = in->shape[first];
	b = in->shape[last];
	if ((b == 1 || b == 3) && !(a == 1 || a == 3))
		return last;
	if ((a == 1 || a == 3) && !(b == 1 || b == 3))
		return first;
	return -1;
}

static double scale_of(const struct samples *s, double by_default)
{
	return isnan(s->prep.scale) ? by_default : s->prep.scale;
}

/* What follows for channel @c of the model. */
static double normalise(const struct preprocess *p, double scaled, size_t c)
{
	double mean = p->mean_count > 1 ? p->mean[c] : p->mean[0];
	double std = p->std_count > 1 ? p->std[c] : p->std[0];

	return (scaled - mean) / std;
}

static int check_counts(const struct samples *s, uint32_t channels, struct error *err)
{
	const struct preprocess *p = &s->prep;

	if (p->mean_count > 1 && p->mean_count != channels)
		return error_set(err, -EINVAL, "%s: \"mean\" has %u numbers for %u channels", s->spec,
				 p->mean_count, channels);
	if (p->std_count > 1 && p->std_count != channels)
		return error_set(err, -EINVAL, "%s: \"std\" has %u numbers for %u channels", s->spec,
				 p->std_count, channels);
	return 0;
}

int samples_check_counts(const struct samples *s, uint32_t input, struct error *err)
{
	int axis = samples_channel_axis(s, input);

	return check_counts(s, axis < 0 ? 1 : (uint32_t)s->inputs[input].shape[axis], err);
}

/* "channels" against what the input has. */
static int check_channels(const struct samples *s, uint32_t channels, struct error *err)
{
	bool grey = s->prep.channels == PREP_GREY;

	if (channels != 1 && channels != 3)
		return error_set(err, -EINVAL, "%s: the input has %u channels, pictures 1 or 3",
				 s->spec, channels);
	if (s->prep.channels != PREP_CHANNELS_AUTO && grey != (channels == 1))
		return error_set(err, -EINVAL, "%s: \"channels\" is for %d, the input has %u",
				 s->spec, grey ? 1 : 3, channels);
	return check_counts(s, channels, err);
}

int image_plan_make(struct samples *s, struct error *err)
{
	struct image_plan *plan = &s->plan;
	const struct samples_input *in = s->inputs;
	const struct preprocess *p = &s->prep;
	int axis, rc = samples_one_input(s, err);
	uint32_t first;
	double scale = scale_of(s, NAN);

	if (rc)
		return rc;
	axis = samples_channel_axis(s, 0);
	/* A picture of one channel may come without its axis, as [1, height, width]. */
	if (axis < 0 && in->ndim < 4 && in->ndim >= 2 && p->layout == PREP_LAYOUT_AUTO) {
		plan->channels = 1;
		first = in->ndim - 2;
		plan->height = (uint32_t)in->shape[first];
		plan->width = (uint32_t)in->shape[first + 1];
		plan->pixel = plan->plane = 1;
	} else if (axis < 0) {
		return error_set(err, -EINVAL,
				 "%s: which axis of input %s are the channels? Say \"layout\": \"nhwc\" "
				 "or \"nchw\" in the description",
				 s->spec, in->name);
	} else {
		bool last = axis == (int)in->ndim - 1;

		first = in->ndim - 3;
		plan->channels = (uint32_t)in->shape[axis];
		plan->height = (uint32_t)in->shape[last ? axis - 2 : axis + 1];
		plan->width = (uint32_t)in->shape[last ? axis - 1 : axis + 2];
		plan->pixel = last ? plan->channels : 1;
		plan->plane = last ? 1 : (size_t)plan->height * plan->width;
	}
	for (uint32_t d = 0; d < first; d++)
		if (in->shape[d] != 1)
			return error_set(err, -EINVAL,
					 "%s: input %s takes %d pictures at a time; give it one (--shape)",
					 s->spec, in->name, in->shape[d]);
	rc = check_channels(s, plan->channels, err);
	if (rc)
		return rc;
	if (p->size[0] && (p->size[0] != plan->height || p->size[1] != plan->width))
		return error_set(err, -EINVAL, "%s: \"size\" is %u x %u, the input %u x %u", s->spec,
				 p->size[0], p->size[1], plan->height, plan->width);
	for (uint32_t c = 0; c < plan->channels; c++)
		for (int v = 0; v < 256; v++)
			plan->table[c][v] = (float)normalise(p, isnan(scale) ? v / 255.0 : v * scale, c);
	return 0;
}

/* The short side to what it should be, the other in proportion, then the middle. */
static int fit_crop(const struct samples *s, struct picture *picture, enum picture_filter filter,
		    struct error *err)
{
	const struct image_plan *plan = &s->plan;
	uint32_t h = picture->height, w = picture->width, side = s->prep.short_side;
	int rc;

	if (side) {
		bool tall = h > w;

		picture->height = h;
		h = tall ? (uint32_t)((uint64_t)side * h / w) : side;
		w = tall ? side : (uint32_t)((uint64_t)side * w / picture->height);
	} else if ((uint64_t)h * plan->width < (uint64_t)w * plan->height) {
		w = (uint32_t)((uint64_t)w * plan->height / h);
		h = plan->height;
	} else {
		h = (uint32_t)((uint64_t)h * plan->width / w);
		w = plan->width;
	}
	if (h < plan->height || w < plan->width)
		return error_set(err, -EINVAL,
				 "%u x %u after \"short_side\" is less than the input's %u x %u", w, h,
				 plan->width, plan->height);
	rc = picture_resize(picture, h, w, filter, s->prep.antialias, err);
	if (!rc)
		picture_crop(picture, plan->height, plan->width);
	return rc;
}

/* The input's proportions, nothing of the picture lost. */
static int fit_pad(const struct samples *s, struct picture *picture, struct error *err)
{
	const struct image_plan *plan = &s->plan;
	uint64_t h = picture->height, w = picture->width;
	uint64_t tall = (w * plan->height + plan->width - 1) / plan->width;
	uint64_t wide = (h * plan->width + plan->height - 1) / plan->height;

	h = tall > h ? tall : h;
	w = wide > w ? wide : w;
	/* More than a picture may have is refused as that. */
	h = h < UINT32_MAX ? h : UINT32_MAX;
	w = w < UINT32_MAX ? w : UINT32_MAX;
	if (h == picture->height && w == picture->width)
		return 0;
	return picture_pad(picture, (uint32_t)h, (uint32_t)w, s->prep.background, err);
}

int image_plan_apply(const struct samples *s, struct picture *picture, float *out,
		     struct error *err)
{
	static const enum picture_filter filters[] = {
		[PREP_BILINEAR] = PICTURE_BILINEAR, [PREP_NEAREST] = PICTURE_NEAREST,
		[PREP_BICUBIC] = PICTURE_BICUBIC, [PREP_AREA] = PICTURE_AREA,
	};
	const struct image_plan *plan = &s->plan;
	size_t pixels = (size_t)plan->height * plan->width;
	bool bgr = s->prep.channels == PREP_BGR;
	int rc = picture_flatten(picture, s->prep.background, plan->channels, err);

	if (!rc && s->prep.fit == PREP_PAD)
		rc = fit_pad(s, picture, err);
	if (rc)
		return rc;
	if (s->prep.fit == PREP_CROP)
		rc = fit_crop(s, picture, filters[s->prep.resize], err);
	else
		rc = picture_resize(picture, plan->height, plan->width, filters[s->prep.resize],
				    s->prep.antialias, err);
	if (rc)
		return rc;
	for (uint32_t c = 0; c < plan->channels; c++) {
		const uint8_t *x = picture->data + (bgr ? plan->channels - 1 - c : c);
		float *y = out + c * plan->plane;

		for (size_t i = 0; i < pixels; i++)
			y[i * plan->pixel] = plan->table[c][x[i * plan->channels]];
	}
	return 0;
}

bool samples_normalises(const struct samples *s)
{
	return !isnan(s->prep.scale) || s->prep.mean_count || s->prep.std_count;
}

void samples_normalise(const struct samples *s, uint32_t input, float *data)
{
	const struct samples_input *in = &s->inputs[input];
	double scale = scale_of(s, 1);
	int axis = samples_channel_axis(s, input);
	size_t inner = 1, channels = axis < 0 ? 1 : (size_t)in->shape[axis];

	for (uint32_t d = (uint32_t)axis + 1; axis >= 0 && d < in->ndim; d++)
		inner *= (size_t)in->shape[d];
	for (size_t i = 0; i < s->elements[input]; i++) {
		size_t c = i / inner % channels;

		data[i] = (float)normalise(&s->prep, data[i] * scale,
					   c < PREPROCESS_CHANNELS ? c : 0);
	}
}
