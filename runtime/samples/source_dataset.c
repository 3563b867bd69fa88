/* SPDX-License-Identifier: MIT */
/* Samples from data sets that have a name. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/dataset.h"
#include "runtime/samples/source.h"

bool source_is_dataset(const char *spec)
{
	return dataset_known(spec);
}

static int get(struct samples *s, size_t index, float *const *inputs, int *label,
	       struct error *err)
{
	const struct dataset *data = s->source;
	size_t pixels = (size_t)data->height * data->width;
	struct picture picture;
	int rc = picture_new(&picture, data->height, data->width, 1, s->spec, err);

	if (rc)
		return rc;
	memcpy(picture.data, data->pixels + index * pixels, pixels);
	rc = image_plan_apply(s, &picture, inputs[0], err);
	picture_free(&picture);
	*label = data->labels[index];
	return rc ? error_prefix(err, rc, s->spec) : 0;
}

static void name(const struct samples *s, size_t index, char *text, size_t len)
{
	snprintf(text, len, "%s, picture %zu", s->spec, index);
}

static void finish(struct samples *s)
{
	if (!s->source)
		return;
	dataset_close(s->source);
	free(s->source);
}

static const struct source_ops dataset_ops = { get, name, finish };

int source_dataset(struct samples *s, struct error *err)
{
	struct dataset *data = calloc(1, sizeof(*data));
	char **names;
	int rc;

	if (!data)
		return error_set(err, -ENOMEM, "out of memory");
	s->source = data;
	s->ops = &dataset_ops;
	rc = image_plan_make(s, err);
	if (!rc)
		rc = dataset_open(s->spec, data, err);
	if (rc)
		return rc;
	s->available = data->count;
	names = calloc(data->classes, sizeof(*names));
	if (!names)
		return error_set(err, -ENOMEM, "out of memory");
	samples_set_classes(s, names, data->classes);
	for (unsigned int i = 0; i < data->classes; i++) {
		names[i] = strdup(data->class_names[i]);
		if (!names[i])
			return error_set(err, -ENOMEM, "out of memory");
	}
	return 0;
}
