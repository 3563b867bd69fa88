/* SPDX-License-Identifier: MIT */
/* `accel eval`: how often a model is right. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/cmd.h"
#include "runtime/dataset.h"

#define MAX_CLASSES	64
#define BAR_WIDTH	40
#define BAR_STEPS	100	/* of the progress bar over the whole run */

enum { OPT_LIMIT = 0x200 };

struct eval_args {
	struct cmd_common common;
	const char *model;
	const char *dataset;
	size_t limit;
};

/* What was taken for what: [label][answer]. */
struct score {
	unsigned int classes;
	size_t count;
	size_t confusion[MAX_CLASSES][MAX_CLASSES];
	double seconds;
};

struct class_score {
	double precision, recall, f1;
};

static const char doc[] =
	"Run a classifier on a labelled data set and say how often it is right.\v"
	"Data sets: fashion-mnist (Debian: dataset-fashion-mnist), fashion-mnist:DIR for its files "
	"elsewhere.\n\n"
	"Examples:\n"
	"  accel eval model_vela.tflite -d sim:ethos-u65-256 --dataset fashion-mnist\n"
	"  accel eval model_vela.tflite --dataset fashion-mnist --limit 1000 --json\n";

static const struct argp_option options[] = {
	{ "dataset", 's', "NAME[:DIR]", 0, "data set", 0 },
	{ "limit", OPT_LIMIT, "N", 0, "only the first N pictures", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct eval_args *args = state->input;
	char *end;
	long n;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->common;
		return 0;
	case 's':
		args->dataset = arg;
		return 0;
	case OPT_LIMIT:
		n = strtol(arg, &end, 10);
		if (*end || n < 1)
			argp_error(state, "--limit=%s: not a number above 0", arg);
		args->limit = (size_t)n;
		return 0;
	case ARGP_KEY_ARG:
		if (args->model)
			argp_error(state, "one model at a time");
		args->model = arg;
		return 0;
	case ARGP_KEY_END:
		if (!args->model)
			argp_error(state, "which model?");
		if (!args->dataset)
			argp_error(state, "which data set? Try --dataset fashion-mnist");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int check_shapes(const struct eval_args *args, const struct model *model,
			const struct dataset *data, struct error *err)
{
	size_t pixels = (size_t)data->height * data->width;
	const struct image_tensor *in, *out;

	if (model_input_count(model) != 1 || model_output_count(model) != 1)
		return error_set(err, -EINVAL, "%s: %u inputs and %u outputs, a classifier has 1 and 1",
				 args->model, model_input_count(model), model_output_count(model));
	in = model_input(model, 0);
	out = model_output(model, 0);
	if ((in->type != ELEM_INT8 && in->type != ELEM_UINT8) || image_tensor_size(in) != pixels)
		return error_set(err, -EINVAL,
				 "%s: input of %zu bytes of %s for pictures of %ux%u bytes",
				 args->model, image_tensor_size(in), elem_name(in->type),
				 data->height, data->width);
	if ((out->type != ELEM_INT8 && out->type != ELEM_UINT8) ||
	    image_tensor_size(out) != data->classes)
		return error_set(err, -EINVAL, "%s: output of %zu bytes of %s for %u classes",
				 args->model, image_tensor_size(out), elem_name(out->type),
				 data->classes);
	if (!(image_scale(in, 0) > 0))
		return error_set(err, -EINVAL, "%s: the input is not quantised", args->model);
	return 0;
}

/* What each grey level, as 0 to 1, is to the model. */
static void quantise_table(const struct image_tensor *t, uint8_t table[256])
{
	int low = t->type == ELEM_INT8 ? -128 : 0;

	for (int i = 0; i < 256; i++) {
		double v = nearbyint((double)((float)i / 255 / image_scale(t, 0))) +
			   (double)image_zero_point(t, 0);

		table[i] = (uint8_t)(int)fmin(fmax(v, low), low + 255);
	}
}

/* The first of the largest outputs. */
static unsigned int answer(const struct model *model, unsigned int classes)
{
	const uint8_t *y = model_output_data(model, 0);
	uint8_t flip = model_output(model, 0)->type == ELEM_INT8 ? 0x80 : 0;
	unsigned int best = 0;

	for (unsigned int i = 1; i < classes; i++)
		if ((y[i] ^ flip) > (y[best] ^ flip))
			best = i;
	return best;
}

static void progress(size_t done, size_t count)
{
	size_t filled = done * BAR_WIDTH / count;

	if (done % (count / BAR_STEPS + 1) && done != count)
		return;
	fprintf(stderr, "\r[%-*.*s] %zu of %zu%s", BAR_WIDTH, (int)filled,
		"########################################", done, count, done == count ? "\n" : "");
	fflush(stderr);
}

static int evaluate(const struct eval_args *args, struct model *model, const struct dataset *data,
		    struct score *score, struct error *err)
{
	size_t pixels = (size_t)data->height * data->width;
	size_t count = args->limit && args->limit < data->count ? args->limit : data->count;
	bool bar = isatty(STDERR_FILENO) && !args->common.json;
	uint8_t table[256];
	double start;
	int rc = check_shapes(args, model, data, err);

	if (rc)
		return rc;
	score->classes = data->classes;
	score->count = count;
	quantise_table(model_input(model, 0), table);
	start = cmd_now_us();
	for (size_t i = 0; i < count; i++) {
		uint8_t *x = model_input_data(model, 0);

		for (size_t p = 0; p < pixels; p++)
			x[p] = table[data->pixels[i * pixels + p]];
		rc = model_run(model, err);
		if (rc)
			return error_prefix(err, rc, args->model);
		score->confusion[data->labels[i]][answer(model, data->classes)]++;
		if (bar)
			progress(i + 1, count);
	}
	score->seconds = (cmd_now_us() - start) * 1e-6;
	return 0;
}

static struct class_score class_score(const struct score *s, unsigned int c)
{
	struct class_score r = { 0 };
	size_t labelled = 0, answered = 0;

	for (unsigned int i = 0; i < s->classes; i++) {
		labelled += s->confusion[c][i];
		answered += s->confusion[i][c];
	}
	if (answered)
		r.precision = (double)s->confusion[c][c] / (double)answered;
	if (labelled)
		r.recall = (double)s->confusion[c][c] / (double)labelled;
	if (r.precision + r.recall > 0)
		r.f1 = 2 * r.precision * r.recall / (r.precision + r.recall);
	return r;
}

static size_t correct(const struct score *s)
{
	size_t n = 0;

	for (unsigned int c = 0; c < s->classes; c++)
		n += s->confusion[c][c];
	return n;
}

static double macro_f1(const struct score *s)
{
	double sum = 0;

	for (unsigned int c = 0; c < s->classes; c++)
		sum += class_score(s, c).f1;
	return sum / s->classes;
}

static void print_text(const struct score *s, const struct dataset *data,
		       const struct accel_device_info *info)
{
	printf("%-12s %9s %7s %6s   taken for\n", "class", "precision", "recall", "F1");
	for (unsigned int c = 0; c < s->classes; c++) {
		struct class_score r = class_score(s, c);

		printf("%-12s %9.3f %7.3f %6.3f  ", data->class_names[c], r.precision, r.recall,
		       r.f1);
		for (unsigned int i = 0; i < s->classes; i++)
			printf(" %4zu", s->confusion[c][i]);
		putchar('\n');
	}
	printf("\ntop-1     %.2f %%  (%zu of %zu)\nmacro-F1  %.4f\n",
	       100.0 * (double)correct(s) / (double)s->count, correct(s), s->count, macro_f1(s));
	printf("speed     %.0f images/s on %s, %s\n", (double)s->count / s->seconds, info->spec,
	       info->description);
}

static int print_json(const struct score *s, const struct dataset *data,
		      const struct accel_device_info *info)
{
	json_t *classes = json_array(), *confusion = json_array(), *o;

	for (unsigned int c = 0; c < s->classes; c++) {
		struct class_score r = class_score(s, c);
		json_t *row = json_array();

		for (unsigned int i = 0; i < s->classes; i++)
			json_array_append_new(row, json_integer((json_int_t)s->confusion[c][i]));
		json_array_append_new(confusion, row);
		json_array_append_new(classes,
				      json_pack("{s:s, s:f, s:f, s:f}", "name",
						data->class_names[c], "precision", r.precision,
						"recall", r.recall, "f1", r.f1));
	}
	o = json_pack("{s:s, s:s, s:I, s:I, s:f, s:f, s:f, s:o, s:o}", "device", info->spec,
		      "description", info->description, "images", (json_int_t)s->count, "correct",
		      (json_int_t)correct(s), "top1", (double)correct(s) / (double)s->count,
		      "macro_f1", macro_f1(s), "images_per_second", (double)s->count / s->seconds,
		      "classes", classes, "confusion", confusion);
	return cmd_print_json(o);
}

int cmd_eval(int argc, char **argv)
{
	static const struct argp_child children[] = { { &cmd_common_argp, 0, NULL, 0 }, { 0 } };
	const struct argp argp = { options, parse, "MODEL", doc, children, NULL, NULL };
	struct accel_device_info info = { .size = sizeof(info) };
	struct eval_args args = { 0 };
	struct score score = { 0 };
	struct accel_device *device;
	struct dataset data;
	struct model *model;
	struct error err;
	int rc;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	if (dataset_open(args.dataset, &data, &err))
		return cmd_fail(&err);
	rc = cmd_load(&args.common, args.model, &device, &model);
	if (rc)
		goto out;
	accel_device_get_info(device, &info);
	if (evaluate(&args, model, &data, &score, &err))
		rc = cmd_fail(&err);
	else if (args.common.json)
		rc = print_json(&score, &data, &info);
	else
		print_text(&score, &data, &info);
	model_close(model);
	accel_device_unref(device);
out:
	dataset_close(&data);
	return rc;
}
