/* SPDX-License-Identifier: MIT */
/* `accel eval`: how good models are, side by side. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/cmd.h"
#include "runtime/eval/evaluate.h"
#include "runtime/eval/report.h"

#define MAX_MODELS	16
#define MAX_COLUMNS	(2 * MAX_MODELS + 1)
#define TOP_CLASSES	20	/* with more classes than that, the top 5 are counted */
#define BAR_WIDTH	40
#define BAR_STEPS	100	/* of the progress bar over the whole run */

enum {
	OPT_FLOAT = 0x200, OPT_ENGINE, OPT_TARGETS, OPT_TOP,
	OPT_MIN_TOP1, OPT_MAX_DROP, OPT_CONFUSION,
	OPT_THRESHOLD,
};

struct eval_args {
	struct cmd_common common;
	const char *models[MAX_MODELS];
	unsigned int model_count;
	const char *float_model;
	struct cmd_samples samples;
	const char *targets;
	struct graph_shapes shapes;
	bool engines[ENGINE_KINDS];
	unsigned int top;
	double threshold;		/* NAN: none */
	double min_top1, max_drop;	/* percent and points, negative: no gate */
	bool confusion;
};

static const char doc[] =
	"Run models on samples and say how good they are: classifiers against labels, others against "
	"targets or against a float model.\v"
	"Samples: fashion-mnist[:DIR][:train|test] (Debian: dataset-fashion-mnist), a folder of "
	"pictures, sounds or .npz files, a .npy or .npz file; docs/samples.md has them all, and what "
	"the description of the preprocessing may say.\n\n"
	"A model of integers runs on the device; with --float on the CPU reference as well, and then "
	"all stand in one table. Models of floats run on the CPU. The exit status is 1 if a gate "
	"(--min-top1, --max-drop) is not met.\n\n"
	"Examples:\n"
	"  accel eval model_vela.tflite -d sim:ethos-u65-256 --dataset fashion-mnist\n"
	"  accel eval model_vela.tflite --dataset fashion-mnist --limit 1000 --json\n"
	"  accel eval int8.tflite --float model.onnx --samples photos --max-drop 1\n";

static const struct argp_option options[] = {
	{ "float", OPT_FLOAT, "MODEL", 0, "float model to compare with", 0 },
	{ "engine", OPT_ENGINE, "reference|npu", 0,
	  "what runs models of integers; may be given twice", 0 },
	{ "targets", OPT_TARGETS, "FILE", 0,
	  ".npy or .npz file: what the outputs should be, first axis samples", 0 },
	{ "top", OPT_TOP, "K", 0, "count right answers among the first K, too", 0 },
	{ "threshold", OPT_THRESHOLD, "T", 0,
	  "two classes: the second if any output is above T (0.5 for models of one output)", 0 },
	{ "confusion", OPT_CONFUSION, NULL, 0, "show the classes of each model of several", 0 },
	{ "min-top1", OPT_MIN_TOP1, "PERCENT", 0, "fail if less is right", 2 },
	{ "max-drop", OPT_MAX_DROP, "POINTS", 0, "fail if more is lost against --float", 2 },
	{ 0 },
};

static void check_usage(struct eval_args *args, struct argp_state *state)
{
	if (!args->model_count && !args->float_model)
		argp_error(state, "which model?");
	if (args->max_drop >= 0 && !args->float_model)
		argp_error(state, "--max-drop is against --float MODEL");
	if (args->engines[ENGINE_REFERENCE] || args->engines[ENGINE_NPU])
		return;
	args->engines[ENGINE_NPU] = true;
	args->engines[ENGINE_REFERENCE] = args->float_model != NULL;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct eval_args *args = state->input;
	char *end;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->common;
		state->child_inputs[1] = &args->samples;
		state->child_inputs[2] = &args->shapes;
		return 0;
	case OPT_FLOAT:
		args->float_model = arg;
		return 0;
	case OPT_ENGINE:
		if (strcmp(arg, "reference") && strcmp(arg, "npu"))
			argp_error(state, "--engine=%s: there are reference and npu", arg);
		args->engines[!strcmp(arg, "npu") ? ENGINE_NPU : ENGINE_REFERENCE] = true;
		return 0;
	case OPT_TARGETS:
		args->targets = arg;
		return 0;
	case OPT_TOP:
		args->top = (unsigned int)cmd_count_arg(state, "top", arg, 1, INT32_MAX);
		return 0;
	case OPT_THRESHOLD:
		args->threshold = strtod(arg, &end);
		if (end == arg || *end || isnan(args->threshold))
			argp_error(state, "--threshold=%s: not a number", arg);
		return 0;
	case OPT_CONFUSION:
		args->confusion = true;
		return 0;
	case OPT_MIN_TOP1:
		args->min_top1 = cmd_real_arg(state, "min-top1", arg, 0, 100);
		return 0;
	case OPT_MAX_DROP:
		args->max_drop = cmd_real_arg(state, "max-drop", arg, 0, 100);
		return 0;
	case ARGP_KEY_ARG:
		if (args->model_count == MAX_MODELS)
			argp_error(state, "more than %d models", MAX_MODELS);
		args->models[args->model_count++] = arg;
		return 0;
	case ARGP_KEY_END:
		check_usage(args, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void progress(size_t done, size_t count)
{
	static size_t shown;
	size_t filled = done * BAR_WIDTH / count, step = done * BAR_STEPS / count;

	if (step == shown && done != count)
		return;
	shown = step;
	fprintf(stderr, "\r[%-*.*s] %zu of %zu%s", BAR_WIDTH, (int)filled,
		"########################################", done, count, done == count ? "\n" : "");
	fflush(stderr);
}

/* ---- opening ---- */

/* What is open: columns, and the device once it is wanted. */
struct opened {
	struct evaluation e;
	struct column columns[MAX_COLUMNS];
	struct accel_device *device;
	struct accel_device_info info;
};

static unsigned int lanes(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > 16 ? 16 : (unsigned int)n;
}

static int need_device(struct opened *o, const struct eval_args *args, struct error *err)
{
	struct accel_error why;

	if (o->device)
		return 0;
	if (accel_device_open(args->common.device, &o->device, &why))
		return error_set(err, why.code, "%s", why.msg);
	o->info.size = sizeof(o->info);
	accel_device_get_info(o->device, &o->info);
	return 0;
}

/* @e becomes a column. */
static int add_column(struct opened *o, struct engine *e, struct error *err)
{
	struct column *c = &o->columns[o->e.column_count];
	uint32_t count;

	*c = (struct column){ .engine = e, .twin = -1 };
	o->e.column_count++;
	if (engine_kind(e) == ENGINE_NPU) {
		snprintf(c->device, sizeof(c->device), "%s", o->info.spec);
		snprintf(c->description, sizeof(c->description), "%s", o->info.description);
	}
	engine_outputs(e, &count);
	return count ? 0 : error_set(err, -EINVAL, "%s: no outputs", engine_path(e));
}

static int add_npu(struct opened *o, const struct eval_args *args, const char *path, int twin,
		   struct error *err)
{
	struct engine *e;
	int rc = need_device(o, args, err);

	if (!rc)
		rc = engine_open_npu(path, o->device, &e, err);
	if (!rc)
		rc = add_column(o, e, err);
	if (!rc)
		o->columns[o->e.column_count - 1].twin = twin;
	return rc;
}

/* Shapes are for the float model, if there is one: what was made from it has them. */
static const struct graph_shapes *shapes_for(const struct eval_args *args, const char *path)
{
	return args->float_model && path != args->float_model ? NULL : &args->shapes;
}

static int add_model(struct opened *o, const struct eval_args *args, const char *path,
		     struct error *err)
{
	int kind = engine_file_kind(path, shapes_for(args, path), err), twin = -1, rc;
	struct engine *e;

	if (kind < 0)
		return kind;
	if (kind == ENGINE_FLOAT || (kind == ENGINE_REFERENCE && args->engines[ENGINE_REFERENCE])) {
		rc = engine_open_graph(path, shapes_for(args, path), lanes(), &e, err);
		if (!rc)
			rc = add_column(o, e, err);
		/* A float model has no other engine. */
		if (rc || kind == ENGINE_FLOAT)
			return rc;
		twin = (int)o->e.column_count - 1;
	}
	if (kind == ENGINE_NPU && !args->engines[ENGINE_NPU])
		return error_set(err, -EINVAL, "%s is compiled: only an NPU runs it", path);
	return args->engines[ENGINE_NPU] ? add_npu(o, args, path, twin, err) : 0;
}

static int open_models(struct opened *o, const struct eval_args *args, struct error *err)
{
	struct engine *e;
	int rc = 0;

	if (args->float_model) {
		rc = engine_open_graph(args->float_model, &args->shapes, lanes(), &e, err);
		if (rc)
			return rc;
		rc = add_column(o, e, err);
		if (!rc && engine_kind(e) != ENGINE_FLOAT)
			rc = error_set(err, -EINVAL, "%s is no float model", args->float_model);
		o->e.has_float = true;
	}
	for (unsigned int i = 0; i < args->model_count && !rc; i++)
		rc = add_model(o, args, args->models[i], err);
	return rc;
}

/* ---- samples ---- */

static bool inputs_alike(const struct engine *a, const struct engine *b)
{
	uint32_t n, m;
	const struct engine_tensor *x = engine_inputs(a, &n), *y = engine_inputs(b, &m);

	if (n != m)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (x[i].info.ndim != y[i].info.ndim ||
		    memcmp(x[i].info.shape, y[i].info.shape, sizeof(x[i].info.shape)) ||
		    (n > 1 && strcmp(x[i].info.name, y[i].info.name)))
			return false;
	return true;
}

static int open_column_samples(struct opened *o, const struct eval_args *args, struct column *c,
			       const char *preprocess, struct error *err)
{
	struct samples_input *inputs;
	const struct engine_tensor *in;
	uint32_t count;
	int rc;

	for (struct column *other = o->columns; other < c; other++)
		if (inputs_alike(other->engine, c->engine)) {
			c->samples = other->samples;
			c->shared = true;
			return 0;
		}
	in = engine_inputs(c->engine, &count);
	inputs = calloc(count + 1, sizeof(*inputs));
	if (!inputs)
		return error_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < count; i++)
		inputs[i] = in[i].info;
	rc = samples_open(args->samples.source, preprocess, inputs, count, args->samples.limit, &c->samples,
			  err);
	free(inputs);
	return rc ? error_prefix(err, rc, engine_path(c->engine)) : 0;
}

static char *find_preprocess(const struct eval_args *args)
{
	char *found = args->float_model ? samples_find_preprocess(args->float_model) : NULL;

	for (unsigned int i = 0; i < args->model_count && !found; i++)
		found = samples_find_preprocess(args->models[i]);
	return found;
}

static int open_samples(struct opened *o, const struct eval_args *args, struct error *err)
{
	char *found = args->samples.preprocess ? NULL : find_preprocess(args);
	uint32_t count;
	int rc = 0;

	for (unsigned int c = 0; c < o->e.column_count && !rc; c++)
		rc = open_column_samples(o, args, &o->columns[c],
					 args->samples.preprocess ? args->samples.preprocess : found, err);
	free(found);
	if (rc)
		return rc;
	o->e.count = samples_count(o->columns[0].samples);
	o->e.classes = args->targets ? 0 : samples_classes(o->columns[0].samples);
	if (!o->e.classes && !o->e.has_float && !args->targets)
		return error_set(err, -EINVAL,
				 "%s: no labels; compare with --float MODEL or --targets FILE",
				 args->samples.source);
	if (!o->e.classes && args->min_top1 >= 0)
		return error_set(err, -EINVAL, "%s: no labels for --min-top1",
				 args->samples.source);
	if (!o->e.classes && args->max_drop >= 0)
		return error_set(err, -EINVAL, "%s: no labels for --max-drop",
				 args->samples.source);
	o->e.top = args->top;
	o->e.threshold = args->threshold;
	if (!o->e.top && isnan(args->threshold) &&
	    engine_outputs(o->columns[0].engine, &count)->elements > TOP_CLASSES)
		o->e.top = 5;
	return 0;
}

/* One array for each output: an .npy file, or an .npz file with the outputs' names. */
static int read_targets(struct opened *o, const char *path, struct error *err)
{
	uint32_t count;
	const struct engine_tensor *out = engine_outputs(o->columns[0].engine, &count);
	size_t len = strlen(path);
	struct npz *npz;
	int rc;

	o->e.targets = calloc(count + 1, sizeof(*o->e.targets));
	if (!o->e.targets)
		return error_set(err, -ENOMEM, "out of memory");
	if (len < 4 || strcasecmp(path + len - 4, ".npz")) {
		o->e.target_count = 1;
		return npy_read(path, &o->e.targets[0], err);
	}
	rc = npz_open(path, &npz, err);
	if (rc)
		return rc;
	for (; o->e.target_count < count && !rc; o->e.target_count++)
		rc = npz_get(npz, out[o->e.target_count].info.name,
			     &o->e.targets[o->e.target_count], err);
	npz_close(npz);
	return rc;
}

static void close_all(struct opened *o)
{
	for (unsigned int c = 0; c < o->e.column_count; c++) {
		score_free(&o->columns[c].score);
		free(o->columns[c].likeness);
		if (!o->columns[c].shared)
			samples_close(o->columns[c].samples);
	}
	for (unsigned int c = 0; c < o->e.column_count; c++)
		engine_close(o->columns[c].engine);
	for (uint32_t i = 0; o->e.targets && i < o->e.target_count; i++)
		npy_free(&o->e.targets[i]);
	free(o->e.targets);
	if (o->device)
		accel_device_unref(o->device);
}

/* ---- gates ---- */

static int check_gates(const struct evaluation *e, const struct eval_args *args)
{
	double wanted = e->has_float ? 100 * report_top1(&e->columns[0]) : 0;
	int status = CMD_OK;

	for (unsigned int c = e->has_float && e->column_count > 1; c < e->column_count; c++) {
		const struct column *column = &e->columns[c];
		const char *on = *column->device ? column->device :
						   engine_kind_names[engine_kind(column->engine)];
		double top1 = 100 * report_top1(column);

		if (args->min_top1 >= 0 && top1 < args->min_top1) {
			fprintf(stderr, "accel: %s on %s: top-1 %.2f %% is below --min-top1 %g\n",
				engine_path(column->engine), on, top1, args->min_top1);
			status = CMD_FAILED;
		}
		/* Shares of whole samples: what is equal in decimal is equal. */
		if (args->max_drop >= 0 && e->has_float && wanted - top1 > args->max_drop + 1e-9) {
			fprintf(stderr,
				"accel: %s on %s: %.2f points lost against float, --max-drop is %g\n",
				engine_path(column->engine), on, wanted - top1, args->max_drop);
			status = CMD_FAILED;
		}
	}
	return status;
}

int cmd_eval(int argc, char **argv)
{
	static const struct argp_child children[] = { { &cmd_common_argp, 0, NULL, 0 },
						      { &cmd_samples_argp, 0, NULL, 0 },
						      { &cmd_shape_argp, 0, NULL, 0 },
						      { 0 } };
	const struct argp argp = { options, parse, "MODEL...", doc, children, NULL, NULL };
	struct eval_args args = { .threshold = NAN, .min_top1 = -1, .max_drop = -1 };
	struct opened o = { 0 };
	struct error err;
	int rc;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	o.e.columns = o.columns;
	if (isatty(STDERR_FILENO) && !args.common.json)
		o.e.progress = progress;
	rc = open_models(&o, &args, &err);
	if (!rc)
		rc = open_samples(&o, &args, &err);
	if (!rc && args.targets)
		rc = read_targets(&o, args.targets, &err);
	if (!rc)
		rc = evaluate(&o.e, &err);
	if (rc) {
		rc = cmd_fail(&err);
	} else {
		if (args.common.json)
			rc = cmd_print_json(report_json(&o.e));
		else
			report_text(&o.e, args.confusion);
		if (!rc && o.e.classes)
			rc = check_gates(&o.e, &args);
	}
	close_all(&o);
	return rc;
}
