/* SPDX-License-Identifier: MIT */
/* Arrays of .npy and .npz files as elements of an input. */
#include "runtime/samples/array.h"

#include <errno.h>
#include <string.h>

double npy_element(const struct npy *a, size_t index)
{
	const char *p = a->data;

	switch (a->type) {
	case ELEM_FLOAT32: {
		float v;

		memcpy(&v, p + index * sizeof(v), sizeof(v));
		return v;
	}
	case ELEM_INT64: {
		int64_t v;

		memcpy(&v, p + index * sizeof(v), sizeof(v));
		return (double)v;
	}
	case ELEM_INT32: {
		int32_t v;

		memcpy(&v, p + index * sizeof(v), sizeof(v));
		return v;
	}
	case ELEM_INT16: {
		int16_t v;

		memcpy(&v, p + index * sizeof(v), sizeof(v));
		return v;
	}
	case ELEM_INT8:
		return ((const int8_t *)p)[index];
	default:
		return ((const uint8_t *)p)[index];
	}
}

/* Extents but for those of 1. */
static unsigned int squeeze64(const int64_t *shape, unsigned int ndim, int64_t *out)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < ndim; i++)
		if (shape[i] != 1)
			out[n++] = shape[i];
	return n;
}

int array_check(const struct samples *s, uint32_t input, const struct npy *a, unsigned int lead,
		struct array_order *order, const char *name, struct error *err)
{
	const struct samples_input *in = &s->inputs[input];
	int64_t want[IR_MAX_DIMS], has[NPY_MAX_DIMS], model[IR_MAX_DIMS];
	unsigned int wants, n;
	char text[2][128];
	int axis;

	*order = (struct array_order){ 0 };
	for (uint32_t i = 0; i < in->ndim; i++)
		model[i] = in->shape[i];
	if (a->ndim < lead)
		return error_set(err, -EINVAL, "%s: %s is one number; its first axis counts samples",
				 name, in->name);
	wants = squeeze64(model, in->ndim, want);
	n = squeeze64(a->shape + lead, a->ndim - lead, has);
	if (n == wants && !memcmp(want, has, n * sizeof(*has)))
		return samples_check_counts(s, input, err);
	/* Channels last in the file and first in the model, or the other way round. */
	axis = samples_channel_axis(s, input);
	if (n == 3 && wants == 3 && axis >= 0) {
		bool last = axis == (int)in->ndim - 1;
		int64_t turned[2][3] = { { want[1], want[2], want[0] },
					 { want[2], want[0], want[1] } };

		if (!memcmp(turned[last], has, sizeof(has[0]) * 3)) {
			order->channels = (size_t)(last ? want[2] : want[0]);
			order->planes = s->elements[input] / order->channels;
			order->to_planes = !last;
			return samples_check_counts(s, input, err);
		}
	}
	return error_set(err, -EINVAL, "%s: samples of %s for input %s of %s", name,
			 npy_shape_text(a->shape + lead, a->ndim - lead, text[0], sizeof(text[0])),
			 in->name, npy_shape_text(model, in->ndim, text[1], sizeof(text[1])));
}

void array_sample(const struct samples *s, uint32_t input, const struct npy *a,
		  const struct array_order *order, size_t index, float *out)
{
	size_t n = s->elements[input], first = index * n;

	if (!order->channels && a->type == ELEM_FLOAT32) {
		memcpy(out, (const float *)a->data + first, n * sizeof(*out));
	} else if (!order->channels) {
		for (size_t i = 0; i < n; i++)
			out[i] = (float)npy_element(a, first + i);
	} else {
		for (size_t c = 0; c < order->channels; c++)
			for (size_t i = 0; i < order->planes; i++) {
				size_t plane = c * order->planes + i, pixel = i * order->channels + c;

				out[order->to_planes ? plane : pixel] = (float)npy_element(
					a, first + (order->to_planes ? pixel : plane));
			}
	}
	if (samples_normalises(s))
		samples_normalise(s, input, out);
}

int array_from_archive(const struct samples *s, uint32_t input, struct npz *npz, const char *name,
		       struct npy *out, struct error *err)
{
	const char *array = s->inputs[input].name, *only = NULL;
	size_t others = 0;

	for (size_t i = 0; i < npz_count(npz); i++) {
		if (!strcmp(npz_name(npz, i), array))
			return npz_get(npz, array, out, err);
		if (!strcmp(npz_name(npz, i), "labels"))
			continue;
		only = npz_name(npz, i);
		others++;
	}
	if (s->input_count == 1 && others == 1)
		return npz_get(npz, only, out, err);
	return error_set(err, -EINVAL, "%s: no array \"%s\", which is an input of the model", name,
			 array);
}
