/* SPDX-License-Identifier: MIT */
/* Model files as graphs. */
#include "runtime/graph_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/compile/graph_open.h"
#include "runtime/file.h"
#include "runtime/image/tflite_write.h"

int graph_shapes_add(struct graph_shapes *shapes, const char *text, struct error *err)
{
	if (shapes->count == GRAPH_SHAPES_MAX)
		return error_set(err, -EINVAL, "--shape: more than %d", GRAPH_SHAPES_MAX);
	shapes->text[shapes->count++] = text;
	return 0;
}

static bool ends(const char *path, const char *suffix)
{
	size_t n = strlen(path), m = strlen(suffix);

	return n >= m && !strcmp(path + n - m, suffix);
}

static int open_ir(const char *path, struct ir_graph **out, struct error *err)
{
	void *text;
	size_t len;
	int rc = file_read(path, &text, &len, err);

	if (rc)
		return rc;
	rc = ir_parse(text, len, path, out, err);
	free(text);
	if (rc)
		return rc;
	rc = ir_verify(*out, err);
	if (rc)
		ir_free(*out);
	return rc;
}

/* "1,3,224,224", after "NAME=" if there is a name; @name is for free(). */
static int parse_shape(const char *text, struct onnx_shape *out, char **name, struct error *err)
{
	const char *equals = strrchr(text, '='), *p = equals ? equals + 1 : text;

	*out = (struct onnx_shape){ 0 };
	*name = equals ? strndup(text, (size_t)(equals - text)) : NULL;
	if (equals && !*name)
		return error_set(err, -ENOMEM, "out of memory");
	out->name = *name;
	do {
		char *end;
		long v = strtol(p, &end, 10);

		if (end == p || (*end && *end != ',') || v < 1 || v > INT32_MAX ||
		    out->ndim == IR_MAX_DIMS)
			return error_set(err, -EINVAL, "--shape=%s: not NAME=N,N,... with N above 0", text);
		out->shape[out->ndim++] = (int32_t)v;
		p = *end ? end + 1 : end;
	} while (*p);
	return 0;
}

int graph_file_open(const char *path, const struct graph_shapes *shapes, struct ir_graph **out,
		   struct error *err)
{
	struct onnx_shape list[GRAPH_SHAPES_MAX];
	char *names[GRAPH_SHAPES_MAX] = { NULL };
	struct onnx_options opt = { .shapes = list };
	int rc = 0;

	if (ends(path, ".ir"))
		return open_ir(path, out, err);
	for (uint32_t i = 0; shapes && i < shapes->count && !rc; i++) {
		rc = parse_shape(shapes->text[i], &list[i], &names[i], err);
		opt.shape_count = i + 1;
	}
	if (!rc)
		rc = graph_open(path, opt.shape_count ? &opt : NULL, out, err);
	for (uint32_t i = 0; i < GRAPH_SHAPES_MAX; i++)
		free(names[i]);
	return rc;
}

int graph_file_save(const struct ir_graph *g, const char *path, struct error *err)
{
	struct file_out out;
	int rc;

	if (!ends(path, ".ir"))
		return tflite_write(g, path, err);
	rc = file_create(path, &out, err);
	if (rc)
		return rc;
	rc = ir_print(g, out.stream);
	if (!rc)
		return file_commit(&out, err);
	file_abandon(&out);
	return error_set(err, rc, "%s: cannot be written", path);
}
