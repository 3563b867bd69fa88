/* SPDX-License-Identifier: MIT */
/* The description of preprocessing: a JSON object, every key of it known and of the right kind. */
#include "runtime/samples/preprocess.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/file.h"

#define FILE_MAX	(1u << 20)
#define COUNT_MAX	(1u << 24)	/* samples or bytes of one input */

/* The file being read. */
struct reader {
	const char *file;
	struct error *err;
};

/**
 * struct key - a key of the object
 * @read: puts the value at @offset of struct preprocess
 * @choices: names for values 0, 1, 2 ... of a choice; NULL entries cannot be chosen
 * @min, @max: of numbers
 * @count_offset: of a list of numbers: where their number goes
 */
struct key {
	const char *name;
	int (*read)(const struct reader *r, const struct key *key, const json_t *value, void *out);
	size_t offset;
	const char *const *choices;
	double min, max;
	size_t count_offset;
};

static int __attribute__((format(printf, 3, 4)))
wrong(const struct reader *r, const struct key *key, const char *fmt, ...)
{
	char text[200];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return error_set(r->err, -EINVAL, "%s: \"%s\" %s", r->file, key->name, text);
}

static int read_choice(const struct reader *r, const struct key *key, const json_t *value,
		       void *out)
{
	const char *text = json_string_value(value);
	char list[100];
	size_t at = 0;

	for (int i = 0; text && key->choices[i]; i++)
		if (!strcmp(text, key->choices[i])) {
			*(int *)((char *)out + key->offset) = i;
			return 0;
		}
	for (int i = 0; key->choices[i]; i++)
		at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s", i ? ", " : "",
				       key->choices[i]);
	return wrong(r, key, "is none of: %s", list);
}

static int read_bool(const struct reader *r, const struct key *key, const json_t *value, void *out)
{
	if (!json_is_boolean(value))
		return wrong(r, key, "is neither true nor false");
	*(bool *)((char *)out + key->offset) = json_is_true(value);
	return 0;
}

/* A number in the key's range, or NAN. */
static double number(const struct key *key, const json_t *value)
{
	double v = json_number_value(value);

	return json_is_number(value) && v >= key->min && v <= key->max ? v : NAN;
}

static int read_number(const struct reader *r, const struct key *key, const json_t *value,
		       void *out)
{
	double v = number(key, value);

	if (isnan(v))
		return wrong(r, key, "is no number from %g to %g", key->min, key->max);
	*(double *)((char *)out + key->offset) = v;
	return 0;
}

static int read_count(const struct reader *r, const struct key *key, const json_t *value, void *out)
{
	double v = json_is_integer(value) ? number(key, value) : NAN;

	if (isnan(v))
		return wrong(r, key, "is no whole number from %g to %g", key->min, key->max);
	*(uint32_t *)((char *)out + key->offset) = (uint32_t)v;
	return 0;
}

/* One number, or a list with one for each channel. */
static int read_numbers(const struct reader *r, const struct key *key, const json_t *value,
			void *out)
{
	size_t count = json_is_array(value) ? json_array_size(value) : 1;

	if (!count || count > PREPROCESS_CHANNELS)
		return wrong(r, key, "has %zu numbers, not 1 to %d", count, PREPROCESS_CHANNELS);
	for (size_t i = 0; i < count; i++) {
		double v = number(key, json_is_array(value) ? json_array_get(value, i) : value);

		if (isnan(v))
			return wrong(r, key, "[%zu] is no number from %g to %g", i, key->min,
				     key->max);
		((double *)((char *)out + key->offset))[i] = v;
	}
	*(uint32_t *)((char *)out + key->count_offset) = (uint32_t)count;
	return 0;
}

/* A side, or [height, width]. */
static int read_size(const struct reader *r, const struct key *key, const json_t *value, void *out)
{
	size_t count = json_is_array(value) ? json_array_size(value) : 1;

	if (count != 1 && count != 2)
		return wrong(r, key, "is neither a side nor [height, width]");
	for (size_t i = 0; i < 2; i++) {
		const json_t *side = json_is_array(value) ? json_array_get(value, i % count) : value;
		double v = json_is_integer(side) ? number(key, side) : NAN;

		if (isnan(v))
			return wrong(r, key, "is no whole number from %g to %g", key->min,
				     key->max);
		((uint32_t *)((char *)out + key->offset))[i] = (uint32_t)v;
	}
	return 0;
}

/* A grey level, or [red, green, blue]. */
static int read_colour(const struct reader *r, const struct key *key, const json_t *value,
		       void *out)
{
	size_t count = json_is_array(value) ? json_array_size(value) : 1;

	if (count != 1 && count != 3)
		return wrong(r, key, "is neither a grey level nor [red, green, blue]");
	for (size_t i = 0; i < 3; i++) {
		const json_t *level = json_is_array(value) ? json_array_get(value, i % count) : value;
		double v = json_is_integer(level) ? number(key, level) : NAN;

		if (isnan(v))
			return wrong(r, key, "is no whole number from %g to %g", key->min,
				     key->max);
		((uint8_t *)out + key->offset)[i] = (uint8_t)v;
	}
	return 0;
}

/* A path: from the folder of the file on. */
static int read_path(const struct reader *r, const struct key *key, const json_t *value, void *out)
{
	const char *text = json_string_value(value), *slash = strrchr(r->file, '/');
	int dir = text && *text != '/' && slash ? (int)(slash - r->file) + 1 : 0;

	if (!text || !*text || json_string_length(value) != strlen(text))
		return wrong(r, key, "is no file name");
	if (snprintf((char *)out + key->offset, PREPROCESS_PATH_MAX, "%.*s%s", dir, r->file, text) >=
	    PREPROCESS_PATH_MAX)
		return wrong(r, key, "is too long");
	return 0;
}

static int read_object(const struct reader *r, const struct key *keys, const char *inside,
		       const json_t *object, void *out);
static int read_bytes(const struct reader *r, const struct key *key, const json_t *value, void *out);

static const char *const resize_names[] = { "bilinear", "nearest", "bicubic", "area", NULL };
static const char *const fit_names[] = { "stretch", "crop", "pad", NULL };
static const char *const layout_names[] = { "auto", "nhwc", "nchw", NULL };
static const char *const channel_names[] = { "auto", "rgb", "bgr", "grey", NULL };

#define AT(field) .offset = offsetof(struct preprocess, field)
#define COUNT_AT(field) .count_offset = offsetof(struct preprocess, field)

static const struct key keys_all[] = {
	{ "size", read_size, AT(size), .min = 1, .max = PREPROCESS_SIDE_MAX },
	{ "resize", read_choice, AT(resize), .choices = resize_names },
	{ "antialias", read_bool, AT(antialias) },
	{ "fit", read_choice, AT(fit), .choices = fit_names },
	{ "short_side", read_count, AT(short_side), .min = 1, .max = PREPROCESS_SIDE_MAX },
	{ "layout", read_choice, AT(layout), .choices = layout_names },
	{ "channels", read_choice, AT(channels), .choices = channel_names },
	{ "background", read_colour, AT(background), .min = 0, .max = 255 },
	{ "scale", read_number, AT(scale), .min = -1e30, .max = 1e30 },
	{ "mean", read_numbers, AT(mean), .min = -1e30, .max = 1e30, COUNT_AT(mean_count) },
	{ "std", read_numbers, AT(std), .min = 1e-30, .max = 1e30, COUNT_AT(std_count) },
	{ "rate", read_count, AT(rate), .min = 1, .max = 1000000 },
	{ "window", read_count, AT(window), .min = 1, .max = COUNT_MAX },
	{ "hop", read_count, AT(hop), .min = 1, .max = COUNT_MAX },
	{ "bytes", read_bytes, AT(bytes) },
	{ "labels", read_path, AT(labels) },
	{ 0 },
};

static const struct key keys_bytes[] = {
	{ "begin", read_count, AT(begin), .min = 0, .max = COUNT_MAX },
	{ "middle", read_count, AT(middle), .min = 0, .max = COUNT_MAX },
	{ "end", read_count, AT(end), .min = 0, .max = COUNT_MAX },
	{ "block", read_count, AT(block), .min = 1, .max = COUNT_MAX },
	{ "pad", read_count, AT(pad), .min = 0, .max = 65535 },
	{ "strip", read_bool, AT(strip) },
	{ 0 },
};

static int read_bytes(const struct reader *r, const struct key *key, const json_t *value, void *out)
{
	struct preprocess *p = out;

	if (!json_is_object(value))
		return wrong(r, key, "is no object");
	p->bytes = true;
	return read_object(r, keys_bytes, "bytes: ", value, out);
}

static int read_object(const struct reader *r, const struct key *keys, const char *inside,
		       const json_t *object, void *out)
{
	const char *name;
	const json_t *value;

	/* What jansson iterates over is not changed. */
	json_object_foreach((json_t *)(uintptr_t)object, name, value) {
		const struct key *key = keys;
		int rc;

		while (key->name && strcmp(key->name, name))
			key++;
		if (!key->name)
			return error_set(r->err, -EINVAL,
					 "%s: %sno key \"%.60s\" is known (docs/samples.md)", r->file,
					 inside, name);
		rc = key->read(r, key, value, out);
		if (rc)
			return rc;
	}
	return 0;
}

void preprocess_default(struct preprocess *p)
{
	*p = (struct preprocess){ .antialias = true, .scale = NAN, .background = { 255, 255, 255 } };
	for (int i = 0; i < PREPROCESS_CHANNELS; i++)
		p->std[i] = 1;
}

int preprocess_parse(const char *text, size_t len, const char *name, struct preprocess *out,
		     struct error *err)
{
	const struct reader r = { name, err };
	json_error_t why;
	json_t *root;
	int rc;

	preprocess_default(out);
	if (len > FILE_MAX)
		return error_set(err, -EFBIG, "%s: larger than %u bytes", name, FILE_MAX);
	root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	if (!root)
		return error_set(err, -EINVAL, "%s: line %d: %s", name, why.line, why.text);
	if (json_is_object(root))
		rc = read_object(&r, keys_all, "", root, out);
	else
		rc = error_set(err, -EINVAL, "%s: no JSON object", name);
	if (!rc && out->short_side && out->fit != PREP_CROP)
		rc = error_set(err, -EINVAL, "%s: \"short_side\" wants \"fit\": \"crop\"", name);
	json_decref(root);
	return rc;
}

int preprocess_read(const char *path, struct preprocess *out, struct error *err)
{
	void *data;
	size_t size;
	int rc = file_read(path, &data, &size, err);

	if (rc)
		return rc;
	rc = preprocess_parse(data, size, path, out, err);
	free(data);
	return rc;
}
