/* SPDX-License-Identifier: MIT */
/* ONNX models to graphs. */
#ifndef ACCEL_RUNTIME_ONNX_H
#define ACCEL_RUNTIME_ONNX_H

#include <stdio.h>

#include "runtime/ir/ir.h"

/**
 * struct onnx_shape - the extents of an input whose file leaves some open
 * @name: of the input; NULL: the model's only one
 */
struct onnx_shape {
	const char *name;
	uint32_t ndim;
	int32_t shape[IR_MAX_DIMS];
};

/**
 * struct onnx_frozen - an input that becomes a constant
 * @name: of the input
 * @type: enum elem
 * @data: dense, little-endian; copied
 */
struct onnx_frozen {
	const char *name;
	int type;
	uint32_t ndim;
	int32_t shape[IR_MAX_DIMS];
	const void *data;
};

/**
 * struct onnx_options - how to import
 * @shapes, @frozen: @shape_count and @frozen_count of them
 * @as_written: leave out the passes that move layouts and fuse: one ONNX node after the other
 * @wanted: if not NULL, set when the import fails for want of an input's value: the name of that
 *	input, which freezing would help; free()
 */
struct onnx_options {
	const struct onnx_shape *shapes;
	uint32_t shape_count;
	const struct onnx_frozen *frozen;
	uint32_t frozen_count;
	bool as_written;
	char **wanted;
};

/**
 * onnx_import - the graph of an ONNX model
 * @path: the file; external data is looked for beside it
 * @opt: NULL: no options
 * @out: free with ir_free()
 *
 * Operators become the graph's own (TFLite's, on NHWC tensors), what depends on constants and extents
 * only is computed.
 *
 * Return: 0; -ENOTSUP: an operator, a type or an extent that this does not do; -EINVAL: a broken
 * model; -ENOENT: external data is missing; -ENOMEM. @err names node, tensor or input.
 */
int onnx_import(const char *path, const struct onnx_options *opt, struct ir_graph **out,
		struct error *err);

/**
 * onnx_import_bytes - the same of a file in memory
 * @file, @size: not kept
 * @name: of the graph, and for messages
 * @dir: where external data is looked for; NULL: nowhere
 */
int onnx_import_bytes(const void *file, size_t size, const char *name, const char *dir,
		      const struct onnx_options *opt, struct ir_graph **out, struct error *err);

/* onnx_print_operators - the table of operators, in Markdown */
void onnx_print_operators(FILE *f);

#endif
