/* SPDX-License-Identifier: MIT */
/* Model files of any kind to graphs. */
#include "runtime/compile/graph_open.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/compile/import.h"
#include "runtime/file.h"
#include "runtime/image/accel_file.h"

bool graph_is_tflite(const void *file, size_t size)
{
	return size >= 8 && !memcmp((const char *)file + 4, "TFL3", 4);
}

static int refuse_compiled(const char *path, struct error *err)
{
	return error_set(err, -EINVAL, "%s: compiled already, give the model that it was made from", path);
}

static int open_tflite(void *file, size_t size, const char *path, const struct onnx_options *options,
		       struct ir_graph **out, struct error *err)
{
	struct tflite model;
	int rc;

	if (options && (options->shape_count || options->frozen_count)) {
		free(file);
		return error_set(err, -EINVAL, "%s: a TFLite file has its shapes: --shape is for ONNX", path);
	}
	rc = tflite_parse(file, size, &model, err);
	if (rc)
		return error_prefix(err, rc, path);
	if (image_tflite_is_compiled(&model)) {
		tflite_free(&model);
		return refuse_compiled(path, err);
	}
	rc = import_tflite(&model, path, out, err);
	tflite_free(&model);
	return rc ? error_prefix(err, rc, path) : 0;
}

int graph_open_bytes(void *file, size_t size, const char *path, const struct onnx_options *options,
		     struct ir_graph **out, struct error *err)
{
	const char *slash = strrchr(path, '/');
	char *dir;
	int rc;

	if (graph_is_tflite(file, size))
		return open_tflite(file, size, path, options, out, err);
	if (image_is_accel_file(file, size)) {
		free(file);
		return refuse_compiled(path, err);
	}
	dir = slash ? strndup(path, slash > path ? (size_t)(slash - path) : 1) : strdup(".");
	rc = dir ? onnx_import_bytes(file, size, path, dir, options, out, err) :
		   error_set(err, -ENOMEM, "out of memory");
	free(dir);
	free(file);
	return rc;
}

int graph_open(const char *path, const struct onnx_options *options, struct ir_graph **out,
	       struct error *err)
{
	size_t size;
	void *file;
	int rc = file_read(path, &file, &size, err);

	return rc ? rc : graph_open_bytes(file, size, path, options, out, err);
}
