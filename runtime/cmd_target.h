/* SPDX-License-Identifier: MIT */
/* What `accel estimate` and `accel profile` share: which target, and the model for it. */
#ifndef ACCEL_RUNTIME_CMD_TARGET_H
#define ACCEL_RUNTIME_CMD_TARGET_H

#include <argp.h>

#include "runtime/graph_file.h"
#include "runtime/cost/estimate.h"

/* Options as given; NULL: not given. */
struct cmd_target {
	const char *npu, *system, *mode;
	struct graph_shapes shapes;
};

/* Parses them into the struct cmd_target that is given as the child's input. */
extern const struct argp cmd_target_argp;

/**
 * struct cmd_source - a model file
 * @shapes: that its inputs are given
 * @image: what is in it if it is compiled; NULL: it has to be, for each target
 * @npu: that it is compiled for
 */
struct cmd_source {
	const char *path;
	const struct graph_shapes *shapes;
	struct image *image;
	const struct ethosu_arch *npu;
};

/*
 * cmd_source_open - look at a file. Return: 0, what reading it gives. cmd_source_close() after 0. @shapes
 * must stay.
 */
int cmd_source_open(const char *path, const struct graph_shapes *shapes, struct cmd_source *source,
		    struct error *err);
void cmd_source_close(struct cmd_source *source);

/**
 * cmd_source_estimate - what the model costs on a target, compiled for it if need be
 * @profile: free with profile_free()
 *
 * Return: 0, what estimate_image() and the compiler give.
 */
int cmd_source_estimate(const struct cmd_source *source, const struct target *target,
			struct profile *profile, struct error *err);

#endif
