/* SPDX-License-Identifier: MIT */
/* `accel bench`: how long an inference takes, from submission to fence. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/cmd.h"

#define DEFAULT_RUNS	200
#define MAX_RUNS	10000000

struct bench_args {
	struct cmd_common common;
	const char *model;
	long runs;
};

static const char doc[] =
	"Measure how long a model takes, from submission to fence, one inference after another.\v"
	"Inputs are random, the same each time. The first run, which prepares the command stream, "
	"is shown apart. "
	"Threads are part of the device: sim:ethos-u65-256,threads=2.\n\n"
	"Examples:\n"
	"  accel bench model_vela.tflite -d sim:ethos-u65-256\n"
	"  accel bench model_vela.tflite -d sim:ethos-u65-256,threads=2 -n 1000 --json\n";

static const struct argp_option options[] = {
	{ "runs", 'n', "N", 0, "inferences (200)", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct bench_args *args = state->input;
	char *end;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->common;
		state->child_inputs[1] = &args->model;
		return 0;
	case 'n':
		args->runs = strtol(arg, &end, 10);
		if (*end || args->runs < 1 || args->runs > MAX_RUNS)
			argp_error(state, "--runs=%s: not a number from 1 to %d", arg, MAX_RUNS);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* A fixed sequence, so that runs can be compared. */
static void fill_inputs(const struct model *model)
{
	uint32_t v = 1;

	for (unsigned int i = 0; i < model_input_count(model); i++) {
		uint8_t *data = model_input_data(model, i);

		for (size_t n = image_tensor_size(model_input(model, i)); n--; data++) {
			v = v * 1664525u + 1013904223u;
			*data = (uint8_t)(v >> 24);
		}
	}
}

static int report(const struct bench_args *args, const struct accel_device_info *info,
		  const struct model *model, double first, const double *us)
{
	double median = us[args->runs / 2], p90 = us[args->runs * 9 / 10],
	       p99 = us[args->runs * 99 / 100];
	json_t *o;

	if (!args->common.json) {
		printf("%s on %s, %s\n", args->model, info->spec, info->description);
		printf("latency  %.1f us median, %.1f least, %.1f at 90 %%, %.1f at 99 %%  (%ld "
		       "runs)\n",
		       median, us[0], p90, p99, args->runs);
		printf("first    %.1f ms\n", first / 1000);
		printf("rate     %.1f a second\n", 1e6 / median);
		printf("cycles   %llu on the NPU, estimated\n",
		       (unsigned long long)model_cycles(model));
		return CMD_OK;
	}
	o = json_pack("{s:s, s:s, s:s, s:I, s:f, s:{s:f, s:f, s:f, s:f}, s:f, s:I}", "model",
		      args->model, "device", info->spec, "description", info->description, "runs",
		      (json_int_t)args->runs, "first_us", first, "latency_us", "min", us[0],
		      "median", median, "p90", p90, "p99", p99, "per_second", 1e6 / median,
		      "npu_cycles", (json_int_t)model_cycles(model));
	return cmd_print_json(o);
}

/* Returns an exit status. */
static int measure(const struct bench_args *args, const struct accel_device_info *info,
		   struct model *model)
{
	struct error err;
	double *us = calloc((size_t)args->runs, sizeof(*us));
	double first;
	int rc;

	if (!us) {
		error_set(&err, -ENOMEM, "out of memory");
		return cmd_fail(&err);
	}
	fill_inputs(model);
	first = cmd_now_us();
	rc = model_run(model, &err);
	first = cmd_now_us() - first;
	for (long i = 0; i < args->runs && !rc; i++) {
		double start = cmd_now_us();

		rc = model_run(model, &err);
		us[i] = cmd_now_us() - start;
	}
	if (rc) {
		error_prefix(&err, rc, args->model);
		rc = cmd_fail(&err);
	} else {
		qsort(us, (size_t)args->runs, sizeof(*us), ascending);
		rc = report(args, info, model, first, us);
	}
	free(us);
	return rc;
}

int cmd_bench(int argc, char **argv)
{
	static const struct argp_child children[] = { { &cmd_common_argp, 0, NULL, 0 },
						      { &cmd_model_argp, 0, NULL, 0 },
						      { 0 } };
	const struct argp argp = { options, parse, "MODEL", doc, children, NULL, NULL };
	struct accel_device_info info = { .size = sizeof(info) };
	struct bench_args args = { .runs = DEFAULT_RUNS };
	struct accel_device *device;
	struct model *model;
	int rc;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	rc = cmd_load(&args.common, args.model, &device, &model);
	if (rc)
		return rc;
	accel_device_get_info(device, &info);
	rc = measure(&args, &info, model);
	model_close(model);
	accel_device_unref(device);
	return rc;
}
