/* SPDX-License-Identifier: MIT */
/* A compiled model on a device: loaded, its memory laid out, ready to run. */
#ifndef ACCEL_RUNTIME_MODEL_H
#define ACCEL_RUNTIME_MODEL_H

#include <accel/accel.h>

#include "runtime/error.h"
#include "runtime/image/image.h"

struct model;

/**
 * model_create - load an image into a device
 * @image: belongs to the model from here on, on failure too
 * @device: the device to run it on; a reference is taken
 * @out: free with model_close()
 *
 * Return: 0; -ENOEXEC: compiled for another NPU; -EINVAL: broken image; what libaccel gives.
 */
int model_create(struct image *image, struct accel_device *device, struct model **out,
		 struct error *err);

/**
 * model_open - load a compiled model
 * @path: file
 * @device: the device to run it on; a reference is taken
 * @out: free with model_close()
 *
 * Return: 0; -ENOTSUP: operators are left on the CPU, @err names them; -ENOEXEC: compiled for
 * another NPU; -EINVAL: broken file; what file_read() and libaccel give.
 */
int model_open(const char *path, struct accel_device *device, struct model **out,
	       struct error *err);
void model_close(struct model *model);

unsigned int model_input_count(const struct model *model);
unsigned int model_output_count(const struct model *model);

/* Shape, type, quantisation; valid until model_close(). */
const struct image_tensor *model_input(const struct model *model, unsigned int index);
const struct image_tensor *model_output(const struct model *model, unsigned int index);

/*
 * Where the device reads inputs and writes outputs. Memory is shared between tensors that do not
 * live at the same time: a run may overwrite its inputs, and the next run's inputs may overwrite
 * the outputs.
 */
void *model_input_data(const struct model *model, unsigned int index);
const void *model_output_data(const struct model *model, unsigned int index);

/**
 * model_bind - let the device read an input or write an output where it is
 * @tensor: from model_input() or model_output(), with a region to itself (IMAGE_OWN)
 * @buffer: of the model's device, at least as large as the tensor from @offset on; NULL: the model's own
 *	memory, which is what a fresh model has. No reference is taken: it has to live until another is
 *	bound or the model is closed.
 * @offset: bytes, a multiple of 16
 *
 * model_input_data() and model_output_data() stay those of the model's own memory.
 *
 * Return: 0; -EOPNOTSUPP: it has no region to itself, or the device takes whole buffers only; -EINVAL.
 */
int model_bind(struct model *model, const struct image_tensor *tensor, struct accel_buffer *buffer,
	       uint64_t offset);

/* Set variable tensors (the state of an LSTM) to zero. Done by model_open() already. */
void model_reset(struct model *model);

/**
 * model_run - one inference, to its end
 *
 * Return: 0, -EIO (the NPU faulted, @err says where), what libaccel gives.
 */
int model_run(struct model *model, struct error *err);

/* Cycles that the NPU spent on the last run. */
uint64_t model_cycles(const struct model *model);

/* What it was made from. */
const struct image *model_image(const struct model *model);

#endif
