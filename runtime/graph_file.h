/* SPDX-License-Identifier: MIT */
/* Model files as graphs, for the sub-commands that change them. */
#ifndef ACCEL_RUNTIME_GRAPH_FILE_H
#define ACCEL_RUNTIME_GRAPH_FILE_H

#include "runtime/ir/ir.h"

#define GRAPH_SHAPES_MAX 32

/**
 * struct graph_shapes - shapes that the command line gives to inputs
 * @text: "NAME=1,3,224,224", or without a name for the only input
 */
struct graph_shapes {
	const char *text[GRAPH_SHAPES_MAX];
	uint32_t count;
};

/* graph_shapes_add - one more; @text must stay. Return: 0, -EINVAL. */
int graph_shapes_add(struct graph_shapes *shapes, const char *text, struct error *err);

/* graph_file_open - the graph of a .tflite, .onnx or .ir file; @err names it; @shapes NULL: none given */
int graph_file_open(const char *path, const struct graph_shapes *shapes, struct ir_graph **out,
		   struct error *err);

/* graph_file_save - as the name ends: .ir as text, anything else as TFLite */
int graph_file_save(const struct ir_graph *g, const char *path, struct error *err);

#endif
