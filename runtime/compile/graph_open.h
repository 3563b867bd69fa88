/* SPDX-License-Identifier: MIT */
/* Model files of any kind to graphs. */
#ifndef ACCEL_RUNTIME_COMPILE_GRAPH_OPEN_H
#define ACCEL_RUNTIME_COMPILE_GRAPH_OPEN_H

#include "runtime/ir/ir.h"
#include "runtime/onnx/onnx.h"

/**
 * graph_open - the graph of a TFLite or ONNX file, which of them its contents say
 * @options: for ONNX; NULL: none. Shapes for a TFLite file: refused.
 * @out: free with ir_free()
 *
 * Return: 0, or as import_tflite() and onnx_import(); -ENOENT and the like of the file itself.
 */
int graph_open(const char *path, const struct onnx_options *options, struct ir_graph **out,
	       struct error *err);

/**
 * graph_open_bytes - the same of a file in memory
 * @file, @size: malloc'ed; belongs to this from here on, on failure too
 * @path: for messages, and of the folder with external data
 */
int graph_open_bytes(void *file, size_t size, const char *path, const struct onnx_options *options,
		     struct ir_graph **out, struct error *err);

/* graph_is_tflite - a TFLite file by its contents */
bool graph_is_tflite(const void *file, size_t size);

#endif
