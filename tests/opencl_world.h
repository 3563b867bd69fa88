/* SPDX-License-Identifier: MIT */
/*
 * What tests of the OpenCL ICD share: the platform "accel" with two devices ($ACCEL_OPENCL_DEVICES), a
 * context and a queue for each test, and a small model with its vectors.
 */
#ifndef TESTS_OPENCL_WORLD_H
#define TESTS_OPENCL_WORLD_H

#include <CL/cl.h>

#include "runtime/npy.h"

#define VECTORS 3	/* stacked in io.npz */

/* Of the model (tests/data/ops/NAME); main() sets it. */
extern const char *folder;

/* @logging: the second device, a simulated one that logs what it does in memory. */
struct world {
	cl_platform_id platform;
	cl_device_id device, logging;
	cl_context context;
	cl_command_queue queue;
};

struct loaded {
	cl_program program;
	cl_kernel kernel;
	cl_uint args;
};

/* cmocka fixtures: *state is a struct world. */
int set_up(void **state);
int tear_down(void **state);

/* Build @file of the folder, and its kernel. */
void load(const struct world *w, const char *file, struct loaded *l);
void unload(struct loaded *l);

/* Array "input_0" or the like. */
void vectors(const char *prefix, unsigned int index, struct npy *out);

#endif
