/* SPDX-License-Identifier: MIT */
/* A model that can be run on real numbers, whatever computes it: the CPU or an NPU. */
#ifndef ACCEL_RUNTIME_EVAL_ENGINE_H
#define ACCEL_RUNTIME_EVAL_ENGINE_H

#include <stdbool.h>

#include "runtime/graph_file.h"
#include "runtime/model.h"
#include "runtime/samples/samples.h"

struct engine;

/**
 * enum engine_kind - who computes
 * @ENGINE_FLOAT: the CPU, a graph of real numbers
 * @ENGINE_REFERENCE: the CPU, a graph of integers as TFLite's reference kernels define it
 * @ENGINE_NPU: an NPU, simulated or not
 */
enum engine_kind { ENGINE_FLOAT, ENGINE_REFERENCE, ENGINE_NPU, ENGINE_KINDS };

/* "float", "reference", "npu" */
extern const char *const engine_kind_names[ENGINE_KINDS];

/**
 * struct engine_tensor - an input or output
 * @info: name, type, shape
 * @elements, @size: how many, and bytes of them
 * @scale, @zero_point: real = scale * (q - zero_point); scale 0: not quantised
 */
struct engine_tensor {
	struct samples_input info;
	size_t elements, size;
	float scale;
	int32_t zero_point;
};

/**
 * engine_open_graph - a model on the CPU
 * @path: .tflite, .onnx or .ir
 * @shapes: of inputs, that the command line gives; may be NULL
 * @lanes: runs that may go on at the same time, at least 1
 * @out: free with engine_close(); ENGINE_REFERENCE if any tensor of it is quantised, else
 *	ENGINE_FLOAT
 */
int engine_open_graph(const char *path, const struct graph_shapes *shapes, unsigned int lanes,
		      struct engine **out, struct error *err);

/* engine_open_npu - a model on a device, of which a reference is taken; one lane */
int engine_open_npu(const char *path, struct accel_device *device, struct engine **out,
		    struct error *err);
void engine_close(struct engine *e);

/**
 * engine_file_kind - what a model file is for
 *
 * Return: ENGINE_NPU: compiled for one; ENGINE_FLOAT, ENGINE_REFERENCE: a graph; or what reading it
 * gives.
 */
int engine_file_kind(const char *path, const struct graph_shapes *shapes, struct error *err);

enum engine_kind engine_kind(const struct engine *e);
const char *engine_path(const struct engine *e);
unsigned int engine_lanes(const struct engine *e);
const struct engine_tensor *engine_inputs(const struct engine *e, uint32_t *count);
const struct engine_tensor *engine_outputs(const struct engine *e, uint32_t *count);

/* The graph; NULL: an NPU's. */
const struct ir_graph *engine_graph(const struct engine *e);

/**
 * engine_run - one inference, from its variables' first state
 * @lane: below engine_lanes(); different lanes may run at the same time
 * @inputs: real numbers
 * @outputs: room for engine_tensor.size bytes each: what the model gives, not dequantised
 */
int engine_run(struct engine *e, unsigned int lane, const float *const *inputs,
	       void *const *outputs, struct error *err);

/* engine_quantise - real numbers as elements of a tensor: nearest, ties to even, clamped */
void engine_quantise(const struct engine_tensor *t, const float *in, void *out);

/* engine_dequantise - the real numbers that a tensor's elements stand for */
void engine_dequantise(const struct engine_tensor *t, const void *in, float *out);

/* engine_tensor_of - description of a graph's tensor */
void engine_tensor_of(const struct ir_tensor *from, struct engine_tensor *out);

#endif
