/* SPDX-License-Identifier: MIT */
/* TFLite model files: a bounds-checked view of one. */
#ifndef ACCEL_RUNTIME_TFLITE_H
#define ACCEL_RUNTIME_TFLITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/elem.h"
#include "runtime/error.h"

#define TFLITE_MAX_DIMS		8
#define TFLITE_BUILTIN_CUSTOM	32

/* Bytes inside the file. */
struct tflite_span {
	const uint8_t *data;
	size_t len;
};

/**
 * struct tflite_tensor - a tensor
 * @name: not terminated
 * @type: enum elem, or a number that this does not know
 * @ndim, @shape: extents, none negative
 * @variable: keeps its contents from run to run
 * @data: constant contents, len 0: none
 * @scale_count, @scales, @zero_points: quantisation; per tensor if there is one
 * @axis: of per-axis quantisation
 */
struct tflite_tensor {
	struct tflite_span name;
	int type;
	unsigned int ndim;
	int32_t shape[TFLITE_MAX_DIMS];
	bool variable;
	struct tflite_span data;
	uint32_t scale_count;
	const uint8_t *scales;		/* float32, unaligned; tflite_scale() */
	uint32_t zero_point_count;
	const uint8_t *zero_points;	/* int64, unaligned; tflite_zero_point() */
	int32_t axis;
};

/**
 * struct tflite_operator - an operator
 * @builtin: code of a built-in operator, TFLITE_BUILTIN_CUSTOM for others
 * @custom: their name
 * @inputs, @outputs: tensor indices, -1: left out
 * @intermediates: tensors of which only the quantisation matters, -1: left out
 * @options: where in the file the table of options is, 0: there is none; tflite_option()
 */
struct tflite_operator {
	int builtin;
	struct tflite_span custom;
	int32_t *inputs;
	uint32_t input_count;
	int32_t *outputs;
	uint32_t output_count;
	int32_t *intermediates;
	uint32_t intermediate_count;
	size_t options;
};

/**
 * struct tflite - the first subgraph of a model
 * @plan: words of the metadata "OfflineMemoryAllocation" after its header: offset of each tensor in
 *	the arena, or -1; NULL if there is none
 */
struct tflite {
	void *file;
	size_t size;
	struct tflite_tensor *tensors;
	uint32_t tensor_count;
	struct tflite_operator *operators;
	uint32_t operator_count;
	int32_t *inputs;
	uint32_t input_count;
	int32_t *outputs;
	uint32_t output_count;
	int32_t *plan;
	uint32_t plan_count;
};

/**
 * tflite_parse - look through a model file in memory
 * @file, @size: malloc'ed; belongs to @out from here on, on failure too
 *
 * Every offset is checked here, so that later accesses need not be.
 *
 * Return: 0, -EINVAL (not a TFLite file, or a broken one: @err says where), -ENOTSUP, -ENOMEM.
 */
int tflite_parse(void *file, size_t size, struct tflite *out, struct error *err);

/* tflite_read - tflite_parse() of a file; @err names it. */
int tflite_read(const char *path, struct tflite *out, struct error *err);
void tflite_free(struct tflite *model);

/* Name of a built-in operator, "CONV_2D"; NULL if this does not know it. */
const char *tflite_builtin_name(int builtin);

float tflite_scale(const struct tflite_tensor *tensor, uint32_t index);
int64_t tflite_zero_point(const struct tflite_tensor *tensor, uint32_t index);

/**
 * tflite_option - a number from an operator's table of options
 * @field: its place in the table's declaration in schema.fbs
 * @bytes: of the field: 1 or 4
 * @dflt: what it is if the file leaves it out
 * @out: the value, floats as their bits
 *
 * Return: 0, or -EINVAL: it lies outside the file.
 */
int tflite_option(const struct tflite *model, const struct tflite_operator *op, unsigned int field,
		  unsigned int bytes, int32_t dflt, int32_t *out);

/* Bytes of a tensor; 0 if its elements have no size. */
size_t tflite_tensor_size(const struct tflite_tensor *tensor);

#endif
