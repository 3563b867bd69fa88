/* SPDX-License-Identifier: MIT */
/* What the compiler made, as an image. */
#ifndef ACCEL_RUNTIME_IMAGE_PROGRAM_H
#define ACCEL_RUNTIME_IMAGE_PROGRAM_H

#include "runtime/compile/compile.h"
#include "runtime/image/image.h"

/**
 * image_from_program - what the back end made of a graph
 * @g, @program: copied from; neither is needed afterwards
 * @config, @id: registers of the NPU that it was compiled for
 * @name: for messages
 *
 * Return: 0, -ENOMEM, -EINVAL (the graph's outside has no place: a defect of the compiler).
 */
int image_from_program(const struct ir_graph *g, const struct program *program, uint32_t config,
		       uint32_t id, const char *name, struct image **out, struct error *err);

#endif
