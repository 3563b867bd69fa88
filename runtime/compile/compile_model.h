/* SPDX-License-Identifier: MIT */
/* The whole way from a model file to an image. */
#ifndef ACCEL_RUNTIME_COMPILE_MODEL_H
#define ACCEL_RUNTIME_COMPILE_MODEL_H

#include "runtime/compile/compile.h"
#include "runtime/image/image.h"
#include "runtime/target/target.h"
#include "runtime/tflite.h"

/**
 * struct compile_left - operators of one kind that stay on the CPU
 * @kind: name
 * @why: reason of the first of them
 * @count: how many
 */
struct compile_left {
	const char *kind;
	const char *why;
	uint32_t count;
};

#define COMPILE_LEFT_MAX 32

/**
 * struct compile_summary - what came of a model
 * @npu_ops: operations of the NPU
 * @cpu_ops: operators on the CPU
 * @left, @left_count: their kinds; texts are static or belong to the image
 * @stream_bytes, @constant_bytes: command streams; weights, scales and tables
 */
struct compile_summary {
	uint32_t npu_ops, cpu_ops;
	struct compile_left left[COMPILE_LEFT_MAX];
	uint32_t left_count;
	uint64_t stream_bytes, constant_bytes;
};

/**
 * compile_graph - compile a graph
 * @g: of graph operations; stays the caller's, but is not the same afterwards
 * @name: of the image
 * @summary: may be NULL
 *
 * Return: 0; -ENOTSUP: an operator that nothing can run, or with no_cpu one that must run on the
 * CPU, or a model of floats; -EINVAL: a broken graph; -ENOSPC: more memory than the target has;
 * -ENOMEM. @err names operator and tensor.
 */
int compile_graph(struct ir_graph *g, const char *name, const struct compile_options *opt,
		  struct image **out, struct compile_summary *summary, struct error *err);

/**
 * compile_model - compile a TFLite model
 * @file: belongs to this from here on, on failure too
 * @name: for messages
 * @summary: may be NULL
 *
 * Return: as compile_graph(); -EINVAL: a broken file.
 */
int compile_model(struct tflite *file, const char *name, const struct compile_options *opt,
		  struct image **out, struct compile_summary *summary, struct error *err);

/**
 * model_file_open - what is in a model file
 * @file, @size: malloc'ed; belongs to this from here on, on failure too
 * @name: path, for messages and to find what else belongs to the model
 * @image: a program, if it is compiled; @graph: the model, if it is not; the other is NULL
 *
 * Return: 0; what reading it gives.
 */
int model_file_open(void *file, size_t size, const char *name, struct image **image,
		    struct ir_graph **graph, struct error *err);

/**
 * compile_for_device - read a model file and, if it is not compiled yet, compile it
 * @npu: the device's name, "ethos-u65-256"
 *
 * With the family's default system and memory mode.
 */
int compile_for_device(const char *path, const char *npu, struct image **out, struct error *err);

/**
 * compile_bytes_for_device - the same of a file in memory
 * @file, @size: malloc'ed; belongs to this from here on, on failure too
 * @name: for messages
 * @own_io: as in struct compile_options
 */
int compile_bytes_for_device(void *file, size_t size, const char *name, const char *npu, bool own_io,
			     struct image **out, struct error *err);

#endif
