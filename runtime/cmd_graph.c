/* SPDX-License-Identifier: MIT */
/* Model files as graphs. */
#include "runtime/cmd_graph.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/compile/import.h"
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

static int open_tflite(const char *path, struct ir_graph **out, struct error *err)
{
	struct tflite model;
	int rc = tflite_read(path, &model, err);

	if (rc)
		return rc;
	rc = import_tflite(&model, path, out, err);
	tflite_free(&model);
	return rc ? error_prefix(err, rc, path) : 0;
}

int cmd_graph_open(const char *path, const struct graph_shapes *shapes, struct ir_graph **out,
		   struct error *err)
{
	(void)shapes;
	if (ends(path, ".ir"))
		return open_ir(path, out, err);
	return open_tflite(path, out, err);
}

int cmd_graph_save(const struct ir_graph *g, const char *path, struct error *err)
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
