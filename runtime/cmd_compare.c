/* SPDX-License-Identifier: MIT */
/* `accel compare`: where a model of integers leaves its float model. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/cmd.h"
#include "runtime/eval/compare.h"

#define DEFAULT_LIMIT	100	/* samples; errors of a tensor settle long before */
#define NAME_WIDTH	40

enum { OPT_HTML = 0x200, OPT_JSON };

struct compare_args {
	const char *models[2];
	unsigned int model_count;
	struct cmd_samples samples;
	const char *html;
	struct graph_shapes shapes;
	bool json;
};

static const char doc[] =
	"Run a float model and its model of integers on the same samples and show how far each tensor is "
	"off, worst first.\v"
	"Tensors are matched by name, which `accel quantise' keeps. SQNR: signal to quantisation noise "
	"ratio. At the ends: share of elements that are the lowest or highest integer, which many are if "
	"a range was chosen too narrow. Samples are those of `accel eval', and 100 of them unless --limit "
	"says otherwise.\n\n"
	"Examples:\n"
	"  accel compare model.onnx int8.tflite --samples fashion-mnist\n"
	"  accel compare model.onnx int8.tflite --samples photos --html layers.html\n";

static const struct argp_option options[] = {
	{ "html", OPT_HTML, "FILE", 0, "write a page with a plot", 0 },
	{ "json", OPT_JSON, NULL, 0, "print JSON", 1 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct compare_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->samples;
		state->child_inputs[1] = &args->shapes;
		return 0;
	case OPT_HTML:
		args->html = arg;
		return 0;
	case OPT_JSON:
		args->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (args->model_count == 2)
			argp_error(state, "two models: the float one, then that of integers");
		args->models[args->model_count++] = arg;
		return 0;
	case ARGP_KEY_END:
		if (args->model_count != 2)
			argp_error(state, "which models? The float one, then that of integers");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void progress(size_t done, size_t count)
{
	fprintf(stderr, "\r%zu of %zu%s", done, count, done == count ? "\n" : "");
	fflush(stderr);
}

static void print_text(const struct comparison *c)
{
	printf("%-*s  %-20s %8s %8s %9s %9s %7s\n", NAME_WIDTH, "tensor", "made by", "SQNR dB",
	       "cosine", "MSE", "range", "at ends");
	for (uint32_t i = 0; i < c->count; i++) {
		const struct compare_tensor *t = &c->tensors[i];

		printf("%-*s  %-20s %8.1f %8.5f %9.3g %9.4g %6.2f%%\n", NAME_WIDTH,
		       t->tensor.info.name, t->op, likeness_snr(&t->likeness),
		       likeness_cosine(&t->likeness), likeness_mse(&t->likeness), t->high - t->low,
		       100.0 * (double)t->ends / (double)t->likeness.numbers);
	}
	printf("\n%u tensors on %zu samples", c->count, c->samples);
	if (c->unmatched)
		printf("; %u are in the integer model only", c->unmatched);
	putchar('\n');
}

static json_t *number(double v)
{
	return isfinite(v) ? json_real(v) : json_null();
}

static int print_json(const struct comparison *c, const struct compare_args *args)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < c->count; i++) {
		const struct compare_tensor *t = &c->tensors[i];
		json_t *o = json_pack("{s:s, s:s, s:i, s:o, s:o, s:o, s:o, s:f, s:f, s:f, s:i, s:I}",
				      "name", t->tensor.info.name, "op", t->op, "order", (int)t->order,
				      "sqnr", number(likeness_snr(&t->likeness)), "cosine",
				      number(likeness_cosine(&t->likeness)), "mse",
				      number(likeness_mse(&t->likeness)), "worst",
				      number(t->likeness.worst), "low", (double)t->low, "high",
				      (double)t->high, "scale", (double)t->tensor.scale, "zero_point",
				      (int)t->tensor.zero_point, "at_ends", (json_int_t)t->ends);

		if (json_array_append_new(list, o)) {
			json_decref(list);
			return cmd_print_json(NULL);
		}
	}
	return cmd_print_json(json_pack("{s:s, s:s, s:I, s:i, s:o}", "float", args->models[0], "model",
					args->models[1], "samples", (json_int_t)c->samples,
					"unmatched", (int)c->unmatched, "tensors", list));
}

static int compare(const struct compare_args *args, struct ir_graph *const *g, struct error *err)
{
	char *found[2] = { samples_find_preprocess(args->models[0]),
			   samples_find_preprocess(args->models[1]) };
	const char *preprocess = args->samples.preprocess ? args->samples.preprocess :
				 found[0] ? found[0] : found[1];
	struct samples *s[2] = { NULL, NULL };
	struct comparison c = { 0 };
	int rc = 0;

	for (int i = 0; i < 2 && !rc; i++)
		rc = samples_open_graph(args->samples.source, preprocess, g[i], args->samples.limit, &s[i],
					err);
	if (!rc)
		rc = compare_graphs(g[0], g[1], s[0], s[1],
				    isatty(STDERR_FILENO) && !args->json ? progress : NULL, &c, err);
	if (!rc && args->html)
		rc = compare_write_html(&c, args->models[0], args->models[1], args->html, err);
	if (!rc && args->json)
		rc = print_json(&c, args);
	else if (!rc)
		print_text(&c);
	comparison_free(&c);
	samples_close(s[0]);
	samples_close(s[1]);
	free(found[0]);
	free(found[1]);
	return rc;
}

int cmd_compare(int argc, char **argv)
{
	static const struct argp_child children[] = { { &cmd_samples_argp, 0, NULL, 0 },
						      { &cmd_shape_argp, 0, NULL, 0 },
						      { 0 } };
	const struct argp argp = { options, parse, "FLOAT INTEGERS", doc, children, NULL, NULL };
	struct compare_args args = { .samples.limit = DEFAULT_LIMIT };
	struct ir_graph *g[2] = { NULL, NULL };
	struct error err;
	int rc = 0;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	for (int i = 0; i < 2 && !rc; i++)
		rc = graph_file_open(args.models[i], i ? NULL : &args.shapes, &g[i], &err);
	if (!rc)
		rc = compare(&args, g, &err);
	ir_free(g[0]);
	ir_free(g[1]);
	return rc < 0 ? cmd_fail(&err) : rc;
}
