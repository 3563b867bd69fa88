/* SPDX-License-Identifier: MIT */
/* Samples that are a file each: pictures, arrays, any file as bytes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/file.h"
#include "runtime/samples/array.h"
#include "runtime/samples/folder.h"

static void name(const struct samples *s, size_t index, char *text, size_t len)
{
	const struct folder *f = s->source;

	snprintf(text, len, "%s", f->files[index].path);
}

static void finish(struct samples *s)
{
	if (!s->source)
		return;
	folder_close(s->source);
	free(s->source);
}

static int begin(struct samples *s, struct folder *f, const struct source_ops *ops,
		 struct error *err)
{
	struct folder *own = malloc(sizeof(*own));

	if (!own) {
		folder_close(f);
		return error_set(err, -ENOMEM, "out of memory");
	}
	*own = *f;
	s->source = own;
	s->ops = ops;
	s->available = own->count;
	s->spread = true;
	return 0;
}

static const struct folder_file *file_of(const struct samples *s, size_t index)
{
	return &((const struct folder *)s->source)->files[index];
}

/* ---- pictures ---- */

static int get_picture(struct samples *s, size_t index, float *const *inputs, int *label,
		       struct error *err)
{
	const struct folder_file *file = file_of(s, index);
	struct picture picture;
	void *data;
	size_t size;
	int rc = file_read(file->path, &data, &size, err);

	if (rc)
		return rc;
	rc = picture_parse(data, size, file->path, &picture, err);
	free(data);
	if (rc)
		return rc;
	rc = image_plan_apply(s, &picture, inputs[0], err);
	picture_free(&picture);
	*label = file->label;
	return rc ? error_prefix(err, rc, file->path) : 0;
}

static const struct source_ops picture_ops = { get_picture, name, finish };

int source_pictures(struct samples *s, struct folder *f, struct error *err)
{
	int rc = begin(s, f, &picture_ops, err);

	return rc ? rc : image_plan_make(s, err);
}

/* ---- arrays: an .npz file with an array for each input, or an .npy file ---- */

static int get_npy(struct samples *s, const struct folder_file *file, float *out, struct error *err)
{
	struct array_order order;
	struct npy array;
	int rc = npy_read(file->path, &array, err);

	if (rc)
		return rc;
	rc = array_check(s, 0, &array, 0, &order, file->path, err);
	if (!rc)
		array_sample(s, 0, &array, &order, 0, out);
	npy_free(&array);
	return rc;
}

static int get_npz(struct samples *s, const struct folder_file *file, float *const *inputs,
		   struct error *err)
{
	struct npz *npz;
	int rc = npz_open(file->path, &npz, err);

	if (rc)
		return rc;
	for (uint32_t i = 0; i < s->input_count && !rc; i++) {
		struct array_order order;
		struct npy array;

		rc = array_from_archive(s, i, npz, file->path, &array, err);
		if (rc)
			break;
		rc = array_check(s, i, &array, 0, &order, file->path, err);
		if (!rc)
			array_sample(s, i, &array, &order, 0, inputs[i]);
		npy_free(&array);
	}
	npz_close(npz);
	return rc;
}

static int get_arrays(struct samples *s, size_t index, float *const *inputs, int *label,
		      struct error *err)
{
	const struct folder_file *file = file_of(s, index);
	size_t len = strlen(file->path);

	*label = file->label;
	if (strcasecmp(file->path + len - 4, ".npy"))
		return get_npz(s, file, inputs, err);
	if (s->input_count != 1)
		return samples_one_input(s, err);
	return get_npy(s, file, inputs[0], err);
}

static const struct source_ops array_ops = { get_arrays, name, finish };

int source_archives(struct samples *s, struct folder *f, struct error *err)
{
	return begin(s, f, &array_ops, err);
}

/* ---- bytes ---- */

static bool is_space(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static int get_bytes(struct samples *s, size_t index, float *const *inputs, int *label,
		     struct error *err)
{
	const struct folder_file *file = file_of(s, index);
	const struct preprocess *p = &s->prep;
	float *out = inputs[0];
	size_t size, block, from, n, pad;
	uint8_t *data;
	void *read;
	int rc = file_read(file->path, &read, &size, err);

	if (rc)
		return rc;
	data = read;
	block = p->block && p->block < size ? p->block : size;
	/* The beginning, left-aligned. */
	for (from = 0; p->strip && from < block && is_space(data[from]); from++)
		;
	n = block - from < p->begin ? block - from : p->begin;
	for (size_t i = 0; i < p->begin; i++)
		*out++ = i < n ? data[from + i] : (float)p->pad;
	/* The middle, with as much on each side. */
	n = size < p->middle ? size : p->middle;
	from = (size - n) / 2;
	pad = (p->middle - n) / 2;
	for (size_t i = 0; i < p->middle; i++)
		*out++ = i >= pad && i < pad + n ? data[from + i - pad] : (float)p->pad;
	/* The end, right-aligned. */
	for (from = size; p->strip && from > size - block && is_space(data[from - 1]); from--)
		;
	n = from - (size - block);
	n = n < p->end ? n : p->end;
	for (size_t i = 0; i < p->end; i++)
		*out++ = i + n >= p->end ? data[from - (p->end - i)] : (float)p->pad;
	free(read);
	if (samples_normalises(s))
		samples_normalise(s, 0, inputs[0]);
	*label = file->label;
	return 0;
}

static const struct source_ops bytes_ops = { get_bytes, name, finish };

int source_bytes(struct samples *s, struct folder *f, struct error *err)
{
	const struct preprocess *p = &s->prep;
	int rc = begin(s, f, &bytes_ops, err);

	if (!rc)
		rc = samples_one_input(s, err);
	if (!rc)
		rc = samples_check_counts(s, 0, err);
	if (!rc && (size_t)p->begin + p->middle + p->end != s->elements[0])
		rc = error_set(err, -EINVAL,
			       "%s: \"begin\", \"middle\" and \"end\" are %u bytes, input %s takes %zu",
			       s->spec, p->begin + p->middle + p->end, s->inputs[0].name,
			       s->elements[0]);
	return rc;
}
