/* SPDX-License-Identifier: MIT */
/* Samples: which source, how many of it, and what all sources share. */
#include "runtime/samples/samples.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/samples/folder.h"
#include "runtime/samples/source.h"

#define PREPROCESS_SUFFIX	".preprocess.json"
#define ELEMENTS_MAX		(1u << 28)	/* of an input */

static int copy_inputs(struct samples *s, const struct samples_input *inputs, uint32_t count,
		       struct error *err)
{
	s->inputs = calloc(count + 1, sizeof(*s->inputs));
	s->elements = calloc(count + 1, sizeof(*s->elements));
	if (!s->inputs || !s->elements)
		return error_set(err, -ENOMEM, "out of memory");
	s->input_count = count;
	for (uint32_t i = 0; i < count; i++) {
		s->inputs[i] = inputs[i];
		s->inputs[i].name = strdup(inputs[i].name ? inputs[i].name : "");
		if (!s->inputs[i].name)
			return error_set(err, -ENOMEM, "out of memory");
		s->elements[i] = 1;
		for (uint32_t d = 0; d < inputs[i].ndim; d++) {
			if (inputs[i].shape[d] < 1 ||
			    s->elements[i] > ELEMENTS_MAX / (size_t)inputs[i].shape[d])
				return error_set(err, -EINVAL, "input %s: extent %u is %d",
						 s->inputs[i].name, d, inputs[i].shape[d]);
			s->elements[i] *= (size_t)inputs[i].shape[d];
		}
	}
	return 0;
}

static bool ends_with(const char *name, const char *suffix)
{
	size_t a = strlen(name), b = strlen(suffix);

	return a > b && !strcasecmp(name + a - b, suffix);
}

static int open_source(struct samples *s, struct error *err)
{
	struct stat st;

	if (source_is_dataset(s->spec))
		return source_dataset(s, err);
	if (stat(s->spec, &st))
		return error_set(err, -errno,
				 "%s: %s; samples are a file, a folder, or fashion-mnist", s->spec,
				 strerror(errno));
	if (S_ISDIR(st.st_mode))
		return source_folder(s, err);
	if (ends_with(s->spec, ".npy"))
		return source_array(s, err);
	if (ends_with(s->spec, ".npz"))
		return source_archive(s, err);
	return source_folder(s, err);
}

/* Names of classes from the file that the description names; the source may bring its own. */
static int read_classes(struct samples *s, struct error *err)
{
	unsigned int count;
	char **names;
	int rc;

	if (!*s->prep.labels)
		return 0;
	rc = folder_read_lines(s->prep.labels, &names, &count, err);
	if (!rc)
		samples_set_classes(s, names, count);
	return rc;
}

int samples_open(const char *spec, const char *preprocess, const struct samples_input *inputs,
		 uint32_t input_count, size_t limit, struct samples **out, struct error *err)
{
	struct samples *s = calloc(1, sizeof(*s));
	int rc = 0;

	if (!s)
		return error_set(err, -ENOMEM, "out of memory");
	s->spec = strdup(spec);
	if (!s->spec)
		rc = error_set(err, -ENOMEM, "out of memory");
	preprocess_default(&s->prep);
	if (!rc && preprocess)
		rc = preprocess_read(preprocess, &s->prep, err);
	if (!rc && !input_count)
		rc = error_set(err, -EINVAL, "%s: the model has no inputs", spec);
	if (!rc)
		rc = copy_inputs(s, inputs, input_count, err);
	if (!rc)
		rc = read_classes(s, err);
	if (!rc)
		rc = open_source(s, err);
	if (!rc && !s->available)
		rc = error_set(err, -EINVAL, "%s: no samples in it", spec);
	if (rc) {
		samples_close(s);
		return rc;
	}
	s->count = limit && limit < s->available ? limit : s->available;
	*out = s;
	return 0;
}

int samples_open_graph(const char *spec, const char *preprocess, const struct ir_graph *g,
		       size_t limit, struct samples **out, struct error *err)
{
	struct samples_input *inputs = calloc(g->input_count + 1, sizeof(*inputs));
	int rc;

	if (!inputs)
		return error_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < g->input_count; i++) {
		const struct ir_tensor *t = &g->tensors[g->inputs[i]];

		inputs[i] = (struct samples_input){ .name = t->name, .type = t->type,
						    .ndim = t->ndim };
		memcpy(inputs[i].shape, t->shape, sizeof(inputs[i].shape));
	}
	rc = samples_open(spec, preprocess, inputs, g->input_count, limit, out, err);
	free(inputs);
	return rc;
}

void samples_close(struct samples *s)
{
	if (!s)
		return;
	if (s->ops)
		s->ops->close(s);
	for (uint32_t i = 0; i < s->input_count; i++)
		free((char *)(uintptr_t)s->inputs[i].name);
	samples_set_classes(s, NULL, 0);
	free(s->inputs);
	free(s->elements);
	free(s->spec);
	free(s);
}

size_t samples_count(const struct samples *s)
{
	return s->count;
}

/* Which of the source's samples is the one of that index. */
static size_t pick(const struct samples *s, size_t index)
{
	return s->spread ? (size_t)((__uint128_t)index * s->available / s->count) : index;
}

int samples_get(struct samples *s, size_t index, float *const *inputs, int *label,
		struct error *err)
{
	int own;

	if (index >= s->count)
		return error_set(err, -EINVAL, "%s: no sample %zu", s->spec, index);
	return s->ops->get(s, pick(s, index), inputs, label ? label : &own, err);
}

const char *samples_name(struct samples *s, size_t index)
{
	s->ops->name(s, pick(s, index), s->name, sizeof(s->name));
	return s->name;
}

unsigned int samples_classes(const struct samples *s)
{
	return s->class_count;
}

const char *samples_class_name(const struct samples *s, unsigned int class_index)
{
	return s->class_names && class_index < s->class_count ? s->class_names[class_index] : NULL;
}

void samples_set_classes(struct samples *s, char **names, unsigned int count)
{
	for (unsigned int i = 0; s->class_names && i < s->class_count; i++)
		free(s->class_names[i]);
	free(s->class_names);
	s->class_names = names;
	s->class_count = count;
}

int samples_one_input(const struct samples *s, struct error *err)
{
	if (s->input_count == 1)
		return 0;
	return error_set(err, -EINVAL,
			 "%s: samples for one input, and the model has %u; a folder of .npz files "
			 "can have an array for each",
			 s->spec, s->input_count);
}

char *samples_find_preprocess(const char *model)
{
	const char *slash = strrchr(model, '/');
	size_t base = slash ? (size_t)(slash + 1 - model) : 0;

	for (size_t len = strlen(model); len > base; len--) {
		char *path;

		if (model[len] != '.')
			continue;
		if (asprintf(&path, "%.*s" PREPROCESS_SUFFIX, (int)len, model) < 0)
			return NULL;
		if (!access(path, R_OK))
			return path;
		free(path);
	}
	return NULL;
}
