/* SPDX-License-Identifier: MIT */
/* `accel quantise`: from a float model and samples to a model of integers. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/cmd.h"
#include "runtime/graph_file.h"
#include "runtime/quantise/quantise.h"
#include "runtime/samples/samples.h"

#define WORST		5	/* layers in the summary */
#define SAMPLES_DEFAULT	256
#define RATE_ADAM	0.1
#define RATE_SGD	0.01

enum { OPT_PREPROCESS = 0x300, OPT_METHOD, OPT_PERCENTILE, OPT_WEIGHTS, OPT_EQUALISE,
       OPT_BIAS, OPT_ADAROUND, OPT_INT16, OPT_MIXED, OPT_IO, OPT_JSON, OPT_OPTIMISER,
       OPT_FLOAT, OPT_LR, OPT_MOMENTUM, OPT_BATCH, OPT_EPOCHS, OPT_SEED };

struct quantise_args {
	const char *model, *output, *calibration, *preprocess;
	struct graph_shapes shapes;
	struct quantise_options opt;
	size_t samples;
	bool json;
};

static const char doc[] =
	"Turn a float model into one of integers, with samples of what it will see.\v"
	"The result is an ordinary TFLite model of int8: `accel compile' takes it, and so does "
	"TensorFlow Lite. Operators that have no kernel for integers stay float, and are counted. "
	"Samples are a folder, an .npy, .npz or .wav file, or the name of a data set; what happens to "
	"them on their way is in MODEL.preprocess.json next to the model, or in --preprocess.\n\n"
	"When accuracy drops: more samples first, then --method=percentile, --adaround, --mixed; "
	"--int16 shows whether 8 bits are the reason at all.\n\n"
	"Examples:\n"
	"  accel quantise net.onnx -o net.tflite --calibration pictures/\n"
	"  accel quantise net.onnx -o net.tflite --calibration fashion-mnist:train --samples 512\n"
	"  accel quantise net.onnx -o net.tflite -c pictures/ --adaround --optimiser sgd --lr 0.1\n"
	"  accel quantise net.onnx -o net.tflite -c calib.npz --mixed=0.1 --io float32\n";

static const struct argp_option options[] = {
	{ "output", 'o', "FILE", 0, "TFLite model to write, or .ir for the graph as text", 0 },
	{ "calibration", 'c', "SAMPLES", 0, "samples of what the model will see", 0 },
	{ "preprocess", OPT_PREPROCESS, "FILE", 0, "what happens to a sample on its way, as JSON", 0 },
	{ "samples", 'n', "N", 0, "use no more samples than that (256), 0: all", 0 },
	{ "io", OPT_IO, "int8|float32", 0, "type of the model's inputs and outputs (int8)", 0 },
	{ "json", OPT_JSON, NULL, 0, "print JSON", 0 },
	{ NULL, 0, NULL, 0, "How:", 1 },
	{ "method", OPT_METHOD, "minmax|percentile|mse|entropy", 0, "ranges of activations (mse)", 1 },
	{ "percentile", OPT_PERCENTILE, "P", 0, "of the values that --method=percentile keeps (99.99)", 1 },
	{ "weights", OPT_WEIGHTS, "per-channel|per-tensor", 0, "scales of weights (per-channel)", 1 },
	{ "equalise", OPT_EQUALISE, NULL, 0, "cross-layer equalisation of weights first", 1 },
	{ "bias-correction", OPT_BIAS, "on|off", OPTION_ARG_OPTIONAL, "undo the shift of means that rounding makes (on)", 1 },
	{ "int16", OPT_INT16, NULL, 0, "activations of 16 bits, weights of 8", 1 },
	{ "mixed", OPT_MIXED, "SHARE", OPTION_ARG_OPTIONAL, "16 bits for the layers that lose most, at most that share of them (0.25)", 1 },
	{ "float-below", OPT_FLOAT, "DB", 0, "what integers represent worse stays float, but for layers; 0: nothing does (10)", 1 },
	{ "adaround", OPT_ADAROUND, NULL, 0, "learn whether each weight is rounded up or down, layer by layer", 1 },
	{ NULL, 0, NULL, 0, "Learning, for --adaround:", 2 },
	{ "optimiser", OPT_OPTIMISER, "adam|sgd", 0, "Adam, or gradient descent with momentum (adam)", 2 },
	{ "lr", OPT_LR, "RATE", 0, "learning rate (adam: 0.1, sgd: 0.01)", 2 },
	{ "momentum", OPT_MOMENTUM, "M", 0, "share of the step before (0.9)", 2 },
	{ "batch", OPT_BATCH, "N", 0, "positions a step (64)", 2 },
	{ "epochs", OPT_EPOCHS, "N", 0, "times that all positions are gone through (20)", 2 },
	{ "seed", OPT_SEED, "N", 0, "of the order of positions (1)", 2 },
	{ 0 },
};

/* One of two words. */
static bool second(struct argp_state *state, const char *name, const char *arg, const char *a,
		   const char *b)
{
	if (strcmp(arg, a) && strcmp(arg, b))
		argp_error(state, "--%s=%s: %s or %s", name, arg, a, b);
	return !strcmp(arg, b);
}

static int method_arg(struct argp_state *state, const char *arg)
{
	for (int m = 0; m < RANGE_METHODS; m++)
		if (!strcmp(arg, range_method_name(m)))
			return m;
	argp_error(state, "--method=%s: minmax, percentile, mse or entropy", arg);
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct quantise_args *args = state->input;
	struct quantise_options *o = &args->opt;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->model;
		state->child_inputs[1] = &args->shapes;
		return 0;
	case 'o':
		args->output = arg;
		return 0;
	case 'c':
		args->calibration = arg;
		return 0;
	case 'n':
		args->samples = (uint32_t)cmd_count_arg(state, "samples", arg, 0, INT32_MAX);
		return 0;
	case OPT_PREPROCESS:
		args->preprocess = arg;
		return 0;
	case OPT_IO:
		o->io_float = second(state, "io", arg, "int8", "float32");
		return 0;
	case OPT_JSON:
		args->json = true;
		return 0;
	case OPT_METHOD:
		o->method = method_arg(state, arg);
		return 0;
	case OPT_PERCENTILE:
		o->percentile = cmd_real_arg(state, "percentile", arg, 50, 100);
		return 0;
	case OPT_WEIGHTS:
		o->per_tensor = second(state, "weights", arg, "per-channel", "per-tensor");
		return 0;
	case OPT_EQUALISE:
		o->equalise = true;
		return 0;
	case OPT_BIAS:
		o->bias_correction = !arg || !second(state, "bias-correction", arg, "on", "off");
		return 0;
	case OPT_ADAROUND:
		o->adaround = true;
		return 0;
	case OPT_INT16:
		o->int16 = true;
		return 0;
	case OPT_MIXED:
		o->mixed = true;
		if (arg)
			o->mixed_share = cmd_real_arg(state, "mixed", arg, 0, 1);
		return 0;
	case OPT_FLOAT:
		o->float_below = cmd_real_arg(state, "float-below", arg, 0, 100);
		return 0;
	case OPT_OPTIMISER:
		o->optimiser.kind = second(state, "optimiser", arg, "adam", "sgd");
		return 0;
	case OPT_LR:
		o->optimiser.rate = cmd_real_arg(state, "lr", arg, 1e-9, 1e3);
		return 0;
	case OPT_MOMENTUM:
		o->optimiser.momentum = cmd_real_arg(state, "momentum", arg, 0, 0.9999);
		return 0;
	case OPT_BATCH:
		o->optimiser.batch = (uint32_t)cmd_count_arg(state, "batch", arg, 1, INT32_MAX);
		return 0;
	case OPT_EPOCHS:
		o->optimiser.epochs = (uint32_t)cmd_count_arg(state, "epochs", arg, 0, INT32_MAX);
		return 0;
	case OPT_SEED:
		o->optimiser.seed = (uint32_t)cmd_count_arg(state, "seed", arg, 0, INT32_MAX);
		return 0;
	case ARGP_KEY_END:
		if (!args->output || !args->calibration)
			argp_error(state, "%s", args->output ? "with which samples? --calibration" :
				   "which file to write? --output");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int get_sample(void *ctx, size_t index, float *const *inputs, struct error *err)
{
	return samples_get(ctx, index, inputs, NULL, err);
}

/* A line that is written over, on a terminal; otherwise one for every step. */
static void progress(const char *what, size_t done, size_t total)
{
	bool terminal = isatty(STDERR_FILENO);

	if (terminal)
		fprintf(stderr, "\r%s: %zu of %zu%s", what, done, total, done == total ? "\n" : "");
	else if (done == total)
		fprintf(stderr, "%s: %zu\n", what, total);
}

static int by_sqnr(const void *a, const void *b)
{
	const struct quantise_layer *x = a, *y = b;

	return (x->sqnr > y->sqnr) - (x->sqnr < y->sqnr);
}

/* JSON has no infinity: nothing was lost. */
static json_t *decibel(double sqnr)
{
	return isfinite(sqnr) ? json_real(sqnr) : json_null();
}

static int report_json(const struct quantise_args *args, const struct quantise_report *r)
{
	json_t *layers = json_array();

	for (uint32_t i = 0; i < r->layer_count; i++)
		json_array_append_new(layers, json_pack("{s:s, s:s, s:i, s:o}", "tensor", r->layers[i].name,
							"operator", ir_kind_info(r->layers[i].kind)->name,
							"bits", (int)r->layers[i].bits, "sqnr_db",
							decibel(r->layers[i].sqnr)));
	return cmd_print_json(json_pack("{s:s, s:I, s:i, s:i, s:i, s:o, s:o}", "output", args->output,
					"samples", (json_int_t)r->samples, "int8_operators", (int)r->ops8,
					"int16_operators", (int)r->ops16, "float_operators",
					(int)r->ops_float, "output_sqnr_db", decibel(r->outputs),
					"layers", layers));
}

static int report(const struct quantise_args *args, struct quantise_report *r)
{
	/* JSON has them in the graph's order. */
	if (args->json)
		return report_json(args, r);
	qsort(r->layers, r->layer_count, sizeof(*r->layers), by_sqnr);
	printf("%s: %u operators of int8, %u of int16, %u left float; %zu samples\n", args->output, r->ops8,
	       r->ops16, r->ops_float, r->samples);
	printf("output   %.1f dB above the quantisation noise\n", r->outputs);
	if (!isnan(r->learned))
		printf("learned  %.0f %% of the layers' error is left\n", 100 * r->learned);
	for (uint32_t i = 0; i < r->layer_count && i < WORST; i++)
		printf("%s %6.1f dB  int%-2u %s  %s\n", i ? "        " : "worst   ", r->layers[i].sqnr,
		       r->layers[i].bits, ir_kind_info(r->layers[i].kind)->name, r->layers[i].name);
	return CMD_OK;
}

static int run(const struct quantise_args *args, struct error *err)
{
	char *found = args->preprocess ? NULL : samples_find_preprocess(args->model);
	struct quantise_report result = { 0 };
	struct quantise_data data = { .get = get_sample, .progress = progress };
	struct samples *samples = NULL;
	struct ir_graph *g = NULL, *q = NULL;
	int rc = graph_file_open(args->model, &args->shapes, &g, err);

	if (!rc)
		rc = samples_open_graph(args->calibration, args->preprocess ? args->preprocess : found, g,
					args->samples, &samples, err);
	if (!rc) {
		data.count = samples_count(samples);
		data.ctx = samples;
		rc = quantise(g, &data, &args->opt, &q, &result, err);
	}
	if (!rc)
		rc = graph_file_save(q, args->output, err);
	rc = rc ? cmd_fail(err) : report(args, &result);
	quantise_report_free(&result);
	ir_free(q);
	ir_free(g);
	if (samples)
		samples_close(samples);
	free(found);
	return rc;
}

int cmd_quantise(int argc, char **argv)
{
	static const struct argp_child children[] = { { &cmd_model_argp, 0, NULL, 0 },
						      { &cmd_shape_argp, 0, NULL, 0 },
						      { 0 } };
	const struct argp argp = { .options = options, .parser = parse, .args_doc = "MODEL", .doc = doc,
				   .children = children };
	struct quantise_args args = { .samples = SAMPLES_DEFAULT };
	struct error err;

	quantise_defaults(&args.opt);
	args.opt.optimiser.rate = 0;
	argp_parse(&argp, argc, argv, 0, NULL, &args);
	if (args.opt.optimiser.rate == 0)
		args.opt.optimiser.rate = args.opt.optimiser.kind == OPTIMISER_SGD ? RATE_SGD : RATE_ADAM;
	return run(&args, &err);
}
