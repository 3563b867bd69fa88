/* SPDX-License-Identifier: MIT */
/*
 * What a device needs in order to run a model: command streams, constants, where tensors lie.
 *
 * The same whether it comes out of a TFLite file of Vela's (vela.c), out of a program file of ours
 * (accel_file.c) or straight from the compiler.
 */
#ifndef ACCEL_RUNTIME_IMAGE_H
#define ACCEL_RUNTIME_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/elem.h"
#include "runtime/error.h"
#include "runtime/ir/ir_ops.h"
#include "runtime/tflite.h"

#define IMAGE_MAX_DIMS		8
#define IMAGE_ARENA_MAX		(1ull << 32)

/**
 * enum image_place - the memory a tensor lies in
 * @IMAGE_NOWHERE: no place of its own; only the NPU ever sees it
 * @IMAGE_ARENA: shared by all steps
 * @IMAGE_INPUTS, @IMAGE_OUTPUTS: blocks of nothing but inputs or outputs
 * @IMAGE_CONSTANT: image_tensor.data
 * @IMAGE_OWN: a region that it has to itself, image_tensor.region
 */
enum image_place { IMAGE_NOWHERE, IMAGE_ARENA, IMAGE_INPUTS, IMAGE_OUTPUTS, IMAGE_CONSTANT, IMAGE_OWN };

/* Regions that tensors may have to themselves. */
#define IMAGE_OWN_FIRST		3
#define IMAGE_REGIONS		8

/**
 * struct image_tensor - a tensor that others than the NPU see
 * @name: printable, terminated
 * @type: enum elem
 * @ndim, @shape: extents, none negative
 * @scale_count, @scales, @zero_points: quantisation; per tensor if there is one, else per index of
 *	@axis, none if 0
 * @variable: keeps its contents from run to run
 * @place, @offset: where it is, in bytes; an IMAGE_OWN is at 0
 * @region: of an IMAGE_OWN, from IMAGE_OWN_FIRST on; else 0
 * @data: contents of an IMAGE_CONSTANT
 */
struct image_tensor {
	const char *name;
	int type;
	uint32_t ndim;
	int32_t shape[IMAGE_MAX_DIMS];
	uint32_t scale_count;
	int32_t axis;
	const float *scales;
	const int32_t *zero_points;
	bool variable;
	enum image_place place;
	uint32_t region;
	uint64_t offset;
	const uint8_t *data;
};

/**
 * struct image_npu - a run of the NPU
 * @stream, @words: its command stream
 * @constants, @constants_size: region 0
 * @arena_offset: where in the arena region 1 begins
 * @fast_is_arena: region 2 is region 1; otherwise it is the fast block
 */
struct image_npu {
	const uint32_t *stream;
	size_t words;
	const uint8_t *constants;
	size_t constants_size;
	uint64_t arena_offset;
	bool fast_is_arena;
};

/**
 * struct image_op - an operator on the CPU
 * @kind: enum ir_kind
 * @inputs, @outputs: tensors, IR_NONE: left out
 */
struct image_op {
	unsigned int kind;
	uint32_t input_count, output_count;
	uint32_t *inputs, *outputs;
	struct ir_options options;
};

/* One of the runs, or one of the CPU's operators. */
struct image_step {
	bool npu;
	uint32_t index;
};

struct image_block;

/**
 * struct image - a program for one configuration
 * @name: of the file, for messages
 * @config, @id: CONFIG and ID registers of the NPU that it is for
 * @tensors: all indices below are into it
 * @runs, @ops: what the NPU and the CPU do
 * @steps: in which order; each run and each operator once
 * @arena_size, @fast_size: bytes of the arena and of region 2's own memory, 0: none
 * @inputs_size, @outputs_size: of those blocks, 0: none
 * @blocks: memory that all of it lies in
 */
struct image {
	const char *name;
	uint32_t config;
	uint32_t id;
	struct image_tensor *tensors;
	uint32_t tensor_count;
	uint32_t *inputs;
	uint32_t input_count;
	uint32_t *outputs;
	uint32_t output_count;
	struct image_npu *runs;
	uint32_t run_count;
	struct image_op *ops;
	uint32_t op_count;
	struct image_step *steps;
	uint32_t step_count;
	uint64_t arena_size, fast_size, inputs_size, outputs_size;
	struct image_block *blocks;
};

/* image_new - empty; NULL: no memory. */
struct image *image_new(const char *name);
void image_free(struct image *image);

/* image_alloc - zeroed memory that lives as long as the image; NULL: none left. */
void *image_alloc(struct image *image, size_t count, size_t size);

/* image_list - a copy of @count tensor numbers; NULL: no memory. */
uint32_t *image_list(struct image *image, const uint32_t *list, uint32_t count);

/* image_own - have image_free() call @release(@memory), also if this fails. Return: 0, -ENOMEM. */
int image_own(struct image *image, void *memory, void (*release)(void *memory));

/* Bytes of a tensor; 0 if its elements have no size. */
size_t image_tensor_size(const struct image_tensor *tensor);

/* Bytes of all tensors that have a region to themselves. */
uint64_t image_own_size(const struct image *image);

/* Quantisation of index @index, of any index if it is per tensor; 0 if there is none. */
float image_scale(const struct image_tensor *tensor, uint32_t index);
int32_t image_zero_point(const struct image_tensor *tensor, uint32_t index);

/**
 * image_from_tflite - what Vela compiled
 * @file: its contents belong to the image from here on, on failure too, and are cleared
 *
 * Return: 0; -ENOTSUP: operators are left on the CPU, @err names them; -EINVAL: broken file;
 * -ENOMEM.
 */
int image_from_tflite(struct tflite *file, const char *name, struct image **out, struct error *err);

/* True if an operator of the file is for an NPU. */
bool image_tflite_is_compiled(const struct tflite *file);

#endif
