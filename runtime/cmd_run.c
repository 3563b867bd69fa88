/* SPDX-License-Identifier: MIT */
/* `accel run`: arrays in, arrays out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/cmd.h"
#include "runtime/npy.h"

#define MAX_INPUTS 64

struct run_args {
	struct cmd_common common;
	const char *model;
	const char *inputs[MAX_INPUTS];
	unsigned int input_count;
	const char *output;
};

static const char doc[] =
	"Run a model once on arrays from .npy files and write what comes out.\v"
	"--input is given once for each input of the model, in their order (see `accel info'). "
	"--output is a .npy "
	"file, or a directory for output_0.npy and so on. Files are written complete or not at "
	"all.\n\n"
	"Examples:\n"
	"  accel run model_vela.tflite -d sim:ethos-u65-256 -i x.npy -o y.npy\n"
	"  accel run model_vela.tflite --input a.npy --input b.npy --output results/\n";

static const struct argp_option options[] = {
	{ "input", 'i', "X.npy", 0, "array for the next input", 0 },
	{ "output", 'o', "Y.npy|DIR/", 0, "where to write the outputs", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct run_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->common;
		state->child_inputs[1] = &args->model;
		return 0;
	case 'i':
		if (args->input_count == MAX_INPUTS)
			argp_error(state, "more than %d inputs", MAX_INPUTS);
		args->inputs[args->input_count++] = arg;
		return 0;
	case 'o':
		args->output = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void shape_of(const struct image_tensor *t, struct npy *array)
{
	array->type = t->type;
	array->ndim = t->ndim;
	for (unsigned int i = 0; i < t->ndim; i++)
		array->shape[i] = t->shape[i];
	array->size = image_tensor_size(t);
}

static int load_input(struct model *model, unsigned int index, const char *path, struct error *err)
{
	struct npy array, want = { 0 };
	char expected[128], got[128];
	int rc = npy_read(path, &array, err);

	if (rc)
		return rc;
	shape_of(model_input(model, index), &want);
	if (array.type != want.type || array.ndim != want.ndim ||
	    memcmp(array.shape, want.shape, want.ndim * sizeof(want.shape[0]))) {
		rc = error_set(err, -EINVAL, "%s: %s of %s, the model's input %u is %s of %s", path,
			       npy_shape_text(array.shape, array.ndim, got, sizeof(got)),
			       elem_name(array.type), index,
			       npy_shape_text(want.shape, want.ndim, expected, sizeof(expected)),
			       elem_name(want.type));
	} else {
		memcpy(model_input_data(model, index), array.data, array.size);
	}
	npy_free(&array);
	return rc;
}

static bool is_directory(const char *path)
{
	struct stat st;
	size_t len = strlen(path);

	return (len && path[len - 1] == '/') || (!stat(path, &st) && S_ISDIR(st.st_mode));
}

static int write_outputs(const struct model *model, const char *to, struct error *err)
{
	unsigned int count = model_output_count(model);
	bool directory = is_directory(to);
	char path[4096];
	int rc = 0;

	if (!directory && count != 1)
		return error_set(err, -EINVAL, "%s: the model has %u outputs, name a directory", to,
				 count);
	if (directory && mkdir(to, 0777) && errno != EEXIST)
		return error_set(err, -errno, "%s: %s", to, strerror(errno));
	for (unsigned int i = 0; i < count && !rc; i++) {
		struct npy array = { 0 };

		shape_of(model_output(model, i), &array);
		array.data = (void *)(uintptr_t)model_output_data(model, i);
		if ((size_t)snprintf(path, sizeof(path), directory ? "%s/output_%u.npy" : "%s", to,
				     i) >= sizeof(path))
			return error_set(err, -ENAMETOOLONG, "%s: name too long", to);
		rc = npy_write(path, &array, err);
	}
	return rc;
}

static int check_args(const struct run_args *args, const struct model *model, struct error *err)
{
	if (args->input_count != model_input_count(model))
		return error_set(err, -EINVAL,
				 "%s: the model has %u inputs, --input was given %u times",
				 args->model, model_input_count(model), args->input_count);
	return 0;
}

static int run(const struct run_args *args, struct model *model, struct error *err)
{
	double start;
	int rc = check_args(args, model, err);

	for (unsigned int i = 0; i < args->input_count && !rc; i++)
		rc = load_input(model, i, args->inputs[i], err);
	if (rc)
		return rc;
	start = cmd_now_us();
	rc = model_run(model, err);
	if (rc)
		return error_prefix(err, rc, args->model);
	start = cmd_now_us() - start;
	if (args->output)
		rc = write_outputs(model, args->output, err);
	if (!rc && args->common.json) {
		json_t *o = json_pack("{s:f, s:I, s:i}", "latency_us", start, "npu_cycles",
				      (json_int_t)model_cycles(model), "outputs",
				      (int)model_output_count(model));

		cmd_print_json(o);
	}
	return rc;
}

int cmd_run(int argc, char **argv)
{
	static const struct argp_child children[] = { { &cmd_common_argp, 0, NULL, 0 },
						      { &cmd_model_argp, 0, NULL, 0 },
						      { 0 } };
	const struct argp argp = { options, parse, "MODEL", doc, children, NULL, NULL };
	struct run_args args = { 0 };
	struct accel_device *device;
	struct model *model;
	struct error err;
	int rc;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	rc = cmd_load(&args.common, args.model, &device, &model);
	if (rc)
		return rc;
	if (run(&args, model, &err))
		rc = cmd_fail(&err);
	model_close(model);
	accel_device_unref(device);
	return rc;
}
