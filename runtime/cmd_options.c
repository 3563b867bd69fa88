/* SPDX-License-Identifier: MIT */
/* Options that several sub-commands of `accel` have, and the values of options. */
#include <stdint.h>
#include <stdlib.h>

#include "runtime/cmd.h"

enum { OPT_JSON = 0x100, OPT_SHAPE, OPT_PREPROCESS, OPT_LIMIT };

static error_t parse_common(int key, char *arg, struct argp_state *state)
{
	struct cmd_common *common = state->input;

	switch (key) {
	case 'd':
		common->device = arg;
		return 0;
	case OPT_JSON:
		common->json = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option common_options[] = {
	{ "device", 'd', "DEVICE", 0,
	  "sim:NAME[,KEY=VALUE...] or /dev/accel/accelN; default: $ACCEL_DEVICE, else the "
	  "first NPU there is, else sim:ethos-u65-256",
	  1 },
	{ "json", OPT_JSON, NULL, 0, "print JSON", 1 },
	{ 0 },
};

const struct argp cmd_common_argp = { .options = common_options, .parser = parse_common };

static error_t parse_model(int key, char *arg, struct argp_state *state)
{
	const char **model = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (*model)
			argp_error(state, "one model at a time");
		*model = arg;
		return 0;
	case ARGP_KEY_END:
		if (!*model)
			argp_error(state, "which model?");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp cmd_model_argp = { .parser = parse_model };

static error_t parse_shape(int key, char *arg, struct argp_state *state)
{
	struct error err;

	if (key != OPT_SHAPE)
		return ARGP_ERR_UNKNOWN;
	if (graph_shapes_add(state->input, arg, &err))
		argp_error(state, "%s", err.text);
	return 0;
}

static const struct argp_option shape_options[] = {
	{ "shape", OPT_SHAPE, "[NAME=]N,N...", 0, "shape of an input that an ONNX model leaves open", 0 },
	{ 0 },
};

const struct argp cmd_shape_argp = { .options = shape_options, .parser = parse_shape };

static error_t parse_samples(int key, char *arg, struct argp_state *state)
{
	struct cmd_samples *samples = state->input;

	switch (key) {
	case 's':
		samples->source = arg;
		return 0;
	case OPT_PREPROCESS:
		samples->preprocess = arg;
		return 0;
	case OPT_LIMIT:
		samples->limit = cmd_count_arg(state, "limit", arg, 1, INT32_MAX);
		return 0;
	case ARGP_KEY_END:
		if (!samples->source)
			argp_error(state, "which samples? Try --samples fashion-mnist");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option samples_options[] = {
	{ "dataset", 's', "SOURCE", 0, "samples: a data set, a file or a folder", 0 },
	{ "samples", 0, NULL, OPTION_ALIAS, NULL, 0 },
	{ "preprocess", OPT_PREPROCESS, "FILE", 0,
	  "what happens to them (default: MODEL.preprocess.json, if there is one)", 0 },
	{ "limit", OPT_LIMIT, "N", 0, "only N samples", 0 },
	{ 0 },
};

const struct argp cmd_samples_argp = { .options = samples_options, .parser = parse_samples };

double cmd_real_arg(struct argp_state *state, const char *name, const char *arg, double low,
		    double high)
{
	char *end;
	double v = strtod(arg, &end);

	if (!*arg || *end || !(v >= low && v <= high))
		argp_error(state, "--%s=%s: not a number from %g to %g", name, arg, low, high);
	return v;
}

unsigned long cmd_count_arg(struct argp_state *state, const char *name, const char *arg,
			    unsigned long low, unsigned long high)
{
	char *end;
	unsigned long v = strtoul(arg, &end, 10);

	if (*arg < '0' || *arg > '9' || *end || v < low || v > high)
		argp_error(state, "--%s=%s: not a whole number from %lu to %lu", name, arg, low, high);
	return v;
}
