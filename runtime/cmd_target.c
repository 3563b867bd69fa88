/* SPDX-License-Identifier: MIT */
/* Targets on the command line, and models for them. */
#include "runtime/cmd_target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cmd.h"
#include "runtime/compile/compile_model.h"
#include "runtime/compile/graph_open.h"
#include "runtime/container.h"
#include "runtime/file.h"
#include "runtime/image/accel_file.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct cmd_target *target = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &target->shapes;
		return 0;
	case 't':
		target->npu = arg;
		return 0;
	case 'S':
		target->system = arg;
		return 0;
	case 'm':
		target->mode = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "target", 't', "NPU", 0, "ethos-u65-256 and so on", 0 },
	{ "system", 'S', "SYSTEM", 0, "memories around it, Ethos_U65_High_End and so on", 0 },
	{ "memory-mode", 'm', "MODE", 0, "what lies where, Sram_Only and so on", 0 },
	{ 0 },
};

static const struct argp_child children[] = { { &cmd_shape_argp, 0, NULL, 0 }, { 0 } };

const struct argp cmd_target_argp = { .options = options, .parser = parse, .children = children };

int cmd_source_open(const char *path, const struct graph_shapes *shapes, struct cmd_source *source,
		    struct error *err)
{
	struct tflite file;
	char npu[32];
	void *data;
	size_t size;
	int rc;

	*source = (struct cmd_source){ .path = path, .shapes = shapes };
	rc = file_read(path, &data, &size, err);
	if (rc)
		return rc;
	if (image_is_accel_file(data, size)) {
		rc = image_parse(data, size, path, &source->image, err);
	} else if (graph_is_tflite(data, size)) {
		rc = tflite_parse(data, size, &file, err);
		if (rc)
			return error_prefix(err, rc, path);
		if (image_tflite_is_compiled(&file))
			rc = image_from_tflite(&file, path, &source->image, err);
		else
			tflite_free(&file);
	} else {
		free(data);
	}
	if (rc || !source->image)
		return rc;
	source->npu = target_arch(container_npu(source->image->config, npu, sizeof(npu)));
	if (source->npu)
		return 0;
	cmd_source_close(source);
	return error_set(err, -ENOEXEC, "%s: compiled for %s, which is not known", path, npu);
}

void cmd_source_close(struct cmd_source *source)
{
	image_free(source->image);
	source->image = NULL;
}

int cmd_source_estimate(const struct cmd_source *source, const struct target *target,
			struct profile *profile, struct error *err)
{
	const struct compile_options opt = { .target = target };
	struct image *image;
	struct ir_graph *g;
	int rc;

	if (source->image)
		return estimate_image(source->image, target, profile, err);
	/* Compiling changes the graph, so that each target has one of its own. */
	rc = graph_file_open(source->path, source->shapes, &g, err);
	if (rc)
		return rc;
	rc = compile_graph(g, source->path, &opt, &image, NULL, err);
	ir_free(g);
	if (rc)
		return rc;
	rc = estimate_image(image, target, profile, err);
	image_free(image);
	return rc;
}
