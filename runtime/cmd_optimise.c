/* SPDX-License-Identifier: MIT */
/* `accel optimise`: a float model with fewer weights, or fewer different ones. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/cmd.h"
#include "runtime/graph_file.h"
#include "runtime/cmd_target.h"
#include "runtime/compress/compress.h"
#include "runtime/compress/judge.h"
#include "runtime/ir/ir_ops.h"
#include "runtime/quantise/prepare.h"
#include "runtime/quantise/quantise.h"

#define USUAL_TARGET	"ethos-u85-256"
#define SHOWN_LAYERS	8	/* in the summary, those that lost most */

enum { OPT_PREPROCESS = 0x400, OPT_SPARSITY, OPT_CLUSTERS, OPT_CHANNELS, OPT_SPARE, OPT_EVEN,
       OPT_EVAL, OPT_LIMIT, OPT_QUANTISE, OPT_JSON, OPT_DAMPING, OPT_ROUNDS,
       OPT_OPTIMISER, OPT_LR, OPT_MOMENTUM, OPT_BATCH, OPT_EPOCHS, OPT_SEED, OPT_DISTILL, OPT_AUGMENT,
       OPT_INNER };

struct optimise_args {
	const char *model, *output, *calibration, *preprocess, *eval;
	struct cmd_target target;
	struct compress_options opt;
	size_t limit;
	bool quantise, json;
	const char *distill_only;	/* an option that was given and is for --distill */
};

static const char doc[] =
	"Take weights out of a float model, or make them few different ones, and win back what that "
	"loses with samples of what the model will see.\v"
	"--sparsity=2:4 leaves two of any four neighbouring input channels: an Ethos-U85 skips the "
	"others. --sparsity=P% and --clusters leave weights that take fewer bytes on every NPU. "
	"--channels makes layers narrower, which saves time everywhere. All of them can be combined. "
	"Layers are fitted one after the other to the outputs that the original gives on the samples.\n\n"
	"The result is float, for `accel quantise'; with --quantise it is one of int8. What it costs is "
	"estimated of both models as int8.\n\n"
	"Examples:\n"
	"  accel optimise net.onnx --sparsity 2:4 -c pictures/ -o net-24.tflite\n"
	"  accel optimise net.onnx --sparsity 50% --clusters 32 -c pictures/ -t u65-256 -o small.tflite\n"
	"  accel optimise net.onnx --channels 25% -c fashion-mnist:train --eval fashion-mnist:test "
	"-o narrow.tflite\n"
	"  accel optimise net.onnx --sparsity 2:4 -c pictures/ --quantise -o net-24-int8.tflite\n";

static const struct argp_option options[] = {
	{ "output", 'o', "FILE", 0, "TFLite model to write, or .ir for the graph as text", 0 },
	{ "calibration", 'c', "SAMPLES", 0, "samples of what the model will see", 0 },
	{ "preprocess", OPT_PREPROCESS, "FILE", 0, "what happens to a sample on its way, as JSON", 0 },
	{ "samples", 'n', "N", 0, "use no more samples than that (128), 0: all", 0 },
	{ "quantise", OPT_QUANTISE, NULL, 0, "write a model of int8", 0 },
	{ "json", OPT_JSON, NULL, 0, "print JSON", 0 },
	{ NULL, 0, NULL, 0, "What is left:", 1 },
	{ "sparsity", OPT_SPARSITY, "2:4|P%", 0, "weights that become zero: two of four, or a share of all", 1 },
	{ "clusters", OPT_CLUSTERS, "N", 0, "different weights of a layer, as int8", 1 },
	{ "channels", OPT_CHANNELS, "P%", 0, "channels that are taken out", 1 },
	{ "spare", OPT_SPARE, "P%", 0, "2:4: layers that lose most stay dense, with no more of the weights than that (10%)", 1 },
	{ "even", OPT_EVEN, NULL, 0, "take the same share of every layer, not more where less is lost", 1 },
	{ "rounds", OPT_ROUNDS, "N", 0, "groups that layers are fitted in, one after the other (12)", 1 },
	{ "damping", OPT_DAMPING, "D", 0, "how much weights stay where they are if samples say little (0.01)", 1 },
	{ NULL, 0, NULL, 0, "Learning, after pruning:", 2 },
	{ "epochs", OPT_EPOCHS, "N", 0, "layer by layer: times that all positions are gone through (0)", 2 },
	{ "distill", OPT_DISTILL, "N", 0, "through the whole network, taught by the original: times that all samples are gone through (0)", 2 },
	{ "augment", OPT_AUGMENT, "LIST", 0, "--distill: change samples at random: flip, shift, colour (pictures), mix; none", 2 },
	{ "inner", OPT_INNER, "W", 0, "--distill: weight of what layers give, against 1 of the outputs (1)", 2 },
	{ "optimiser", OPT_OPTIMISER, "adam|sgd", 0, "Adam, or gradient descent with momentum (adam)", 2 },
	{ "lr", OPT_LR, "RATE", 0, "learning rate (0.0003)", 2 },
	{ "momentum", OPT_MOMENTUM, "M", 0, "share of the step before (0.9)", 2 },
	{ "batch", OPT_BATCH, "N", 0, "a step: positions (64), samples of --distill (16)", 2 },
	{ "seed", OPT_SEED, "N", 0, "of the order, and of changes (1)", 2 },
	{ NULL, 0, NULL, 0, "What it comes to:", 3 },
	{ "eval", OPT_EVAL, "SAMPLES", 0, "samples to judge both models on (default: those of --calibration)", 3 },
	{ "limit", OPT_LIMIT, "N", 0, "use no more of them than that", 3 },
	{ 0 },
};

/* "40%" as 0.4. */
static double percent_arg(struct argp_state *state, const char *name, const char *arg, double most)
{
	char *end;
	double v = strtod(arg, &end);

	if (!*arg || strcmp(end, "%") || !(v >= 0 && v <= most))
		argp_error(state, "--%s=%s: not a percentage from 0%% to %g%%", name, arg, most);
	return v / 100;
}

static void check_usage(const struct optimise_args *args, struct argp_state *state)
{
	if (!args->output || !args->calibration)
		argp_error(state, "%s", args->output ? "with which samples? --calibration"
						     : "which file to write? --output");
	if (!args->opt.sparsity.two_four && args->opt.sparsity.share <= 0 && !args->opt.clusters &&
	    args->opt.channels <= 0)
		argp_error(state, "what is to be done? --sparsity, --clusters, --channels");
	if (args->opt.learn.epochs && (args->opt.clusters || args->opt.channels > 0))
		argp_error(state, "--epochs is for --sparsity alone");
	if (args->opt.distill.descent.epochs && args->opt.clusters)
		argp_error(state, "--distill is not for --clusters: their values would no longer be few");
	if (!args->opt.distill.descent.epochs && args->distill_only)
		argp_error(state, "--%s is for --distill", args->distill_only);
}

/* "flip,shift" as a set of enum augment. */
static unsigned int augment_arg(struct argp_state *state, const char *arg)
{
	static const struct {
		const char *name;
		unsigned int set;
	} ways[] = {
		{ "none", 0 }, { "flip", AUGMENT_FLIP }, { "shift", AUGMENT_SHIFT },
		{ "colour", AUGMENT_COLOUR }, { "mix", AUGMENT_MIX },
	};
	const char *at = arg;
	unsigned int set = 0;

	while (*at) {
		size_t len = strcspn(at, ","), i = 0;

		while (i < sizeof(ways) / sizeof(*ways) &&
		       (strlen(ways[i].name) != len || strncmp(ways[i].name, at, len)))
			i++;
		if (i == sizeof(ways) / sizeof(*ways)) {
			argp_error(state, "--augment=%s: flip, shift, colour, mix or none", arg);
			return 0;
		}
		set |= ways[i].set;
		at += len + (at[len] == ',');
	}
	return set;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct optimise_args *args = state->input;
	struct compress_options *o = &args->opt;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->model;
		state->child_inputs[1] = &args->target;
		return 0;
	case 'o':
		args->output = arg;
		return 0;
	case 'c':
		args->calibration = arg;
		return 0;
	case 'n':
		o->samples = cmd_count_arg(state, "samples", arg, 0, INT32_MAX);
		return 0;
	case OPT_PREPROCESS:
		args->preprocess = arg;
		return 0;
	case OPT_QUANTISE:
		args->quantise = true;
		return 0;
	case OPT_JSON:
		args->json = true;
		return 0;
	case OPT_SPARSITY:
		o->sparsity.two_four = !strcmp(arg, "2:4");
		o->sparsity.share = o->sparsity.two_four ? 0 : percent_arg(state, "sparsity", arg, 95);
		return 0;
	case OPT_CLUSTERS:
		o->clusters = (unsigned int)cmd_count_arg(state, "clusters", arg, CLUSTERS_LEAST,
						      CLUSTERS_MOST);
		return 0;
	case OPT_CHANNELS:
		o->channels = percent_arg(state, "channels", arg, 90);
		return 0;
	case OPT_SPARE:
		o->spare = percent_arg(state, "spare", arg, 100);
		return 0;
	case OPT_EVEN:
		o->even = true;
		return 0;
	case OPT_ROUNDS:
		o->rounds = (unsigned int)cmd_count_arg(state, "rounds", arg, 1, 10000);
		return 0;
	case OPT_DAMPING:
		o->damping = cmd_real_arg(state, "damping", arg, 1e-9, 10);
		return 0;
	case OPT_EPOCHS:
		o->learn.epochs = (uint32_t)cmd_count_arg(state, "epochs", arg, 0, 100000);
		return 0;
	case OPT_OPTIMISER:
		if (strcmp(arg, "adam") && strcmp(arg, "sgd"))
			argp_error(state, "--optimiser=%s: adam or sgd", arg);
		o->learn.kind = strcmp(arg, "adam") ? OPTIMISER_SGD : OPTIMISER_ADAM;
		o->distill.descent.kind = o->learn.kind;
		return 0;
	case OPT_LR:
		o->learn.rate = o->distill.descent.rate = cmd_real_arg(state, "lr", arg, 1e-9, 1e3);
		return 0;
	case OPT_MOMENTUM:
		o->learn.momentum = cmd_real_arg(state, "momentum", arg, 0, 0.9999);
		o->distill.descent.momentum = o->learn.momentum;
		return 0;
	case OPT_BATCH:
		o->learn.batch = (uint32_t)cmd_count_arg(state, "batch", arg, 1, INT32_MAX);
		o->distill.descent.batch = o->learn.batch;
		return 0;
	case OPT_SEED:
		o->learn.seed = o->distill.descent.seed = cmd_count_arg(state, "seed", arg, 0, INT32_MAX);
		return 0;
	case OPT_DISTILL:
		o->distill.descent.epochs = (uint32_t)cmd_count_arg(state, "distill", arg, 0, 100000);
		return 0;
	case OPT_AUGMENT:
		o->distill.augment = augment_arg(state, arg);
		args->distill_only = "augment";
		return 0;
	case OPT_INNER:
		o->distill.inner = cmd_real_arg(state, "inner", arg, 0, 1e6);
		args->distill_only = "inner";
		return 0;
	case OPT_EVAL:
		args->eval = arg;
		return 0;
	case OPT_LIMIT:
		args->limit = cmd_count_arg(state, "limit", arg, 1, INT32_MAX);
		return 0;
	case ARGP_KEY_END:
		check_usage(args, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* A line that is written over, on a terminal; otherwise one for every step. */
static void progress(const char *what, size_t done, size_t total)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%s: %zu of %zu%s", what, done, total, done == total ? "\n" : "");
	else if (done == total)
		fprintf(stderr, "%s: %zu\n", what, total);
}

/**
 * struct side - the model before or after
 * @graph, @integers: float, and as int8
 * @real, @quantised: how good they are
 * @price: of the integers
 */
struct side {
	struct ir_graph *graph, *integers;
	struct judgement real, quantised;
	struct price price;
};

/* The work, and what it works on. */
struct session {
	const struct optimise_args *args;
	struct samples *calibration, *eval;
	struct target_set targets;
	bool loaded;
	struct target target;
	struct side before, after;
	struct compress_report report;
};

static int get_sample(void *ctx, size_t index, float *const *inputs, struct error *err)
{
	return samples_get(ctx, index, inputs, NULL, err);
}

static int open_all(struct session *s, struct error *err)
{
	const struct optimise_args *args = s->args;
	char *found = args->preprocess ? NULL : samples_find_preprocess(args->model);
	const char *preprocess = args->preprocess ? args->preprocess : found;
	const char *npu = args->target.npu ? args->target.npu : USUAL_TARGET;
	struct ir_graph *g = NULL;
	int rc = target_set_load(&s->targets, err);

	s->loaded = !rc;
	if (!rc)
		rc = target_find(&s->targets, npu, args->target.system, args->target.mode,
				 &s->target, err);
	if (!rc)
		rc = graph_file_open(args->model, &args->target.shapes, &g, err);
	if (!rc)
		rc = prepare(g, &s->before.graph, err);
	ir_free(g);
	if (!rc)
		rc = samples_open_graph(args->calibration, preprocess, s->before.graph,
					args->opt.samples, &s->calibration, err);
	if (!rc)
		rc = samples_open_graph(args->eval ? args->eval : args->calibration, preprocess,
					s->before.graph, args->limit, &s->eval, err);
	free(found);
	return rc;
}

static void close_all(struct session *s)
{
	if (s->calibration)
		samples_close(s->calibration);
	if (s->eval)
		samples_close(s->eval);
	ir_free(s->before.graph);
	ir_free(s->before.integers);
	ir_free(s->after.graph);
	ir_free(s->after.integers);
	compress_report_free(&s->report);
	if (s->loaded)
		target_set_free(&s->targets);
}

static int judge_side(struct session *s, struct side *side, const char *name, struct error *err)
{
	const struct ir_graph *original = s->before.graph;
	const struct quantise_data data = { .count = samples_count(s->calibration),
					    .get = get_sample, .ctx = s->calibration,
					    .progress = progress };
	struct quantise_options opt;
	char what[64];
	int rc;

	quantise_defaults(&opt);
	snprintf(what, sizeof(what), "%s, float", name);
	rc = judge(side->graph, side->graph == original ? NULL : original, s->eval, what, progress,
		   &side->real, err);
	if (!rc)
		rc = quantise(side->graph, &data, &opt, &side->integers, NULL, err);
	snprintf(what, sizeof(what), "%s, int8", name);
	if (!rc)
		rc = judge(side->integers, original, s->eval, what, progress, &side->quantised, err);
	if (!rc)
		rc = judge_price(side->integers, &s->target, &side->price, err);
	return rc;
}

/* ---- what it came to ---- */

static double top1(const struct judgement *j)
{
	return j->count ? 100.0 * (double)j->correct / (double)j->count : NAN;
}

static json_t *number(double v)
{
	return isfinite(v) ? json_real(v) : json_null();
}

static json_t *side_json(const struct side *side, bool original)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:f}",
			 "float_top1", number(top1(&side->real)),
			 "float_snr_db", original ? json_null() : number(likeness_snr(&side->real.likeness)),
			 "int8_top1", number(top1(&side->quantised)),
			 "int8_snr_db", number(likeness_snr(&side->quantised.likeness)),
			 "constant_bytes", (json_int_t)side->price.constants,
			 "flash_bytes", (json_int_t)side->price.flash,
			 "cycles", (json_int_t)side->price.cycles,
			 "microseconds", side->price.us);
}

static json_t *distilled_json(const struct distill_report *r)
{
	if (!r->held_out)
		return json_null();
	return json_pack("{s:I, s:I, s:f, s:f, s:I, s:I, s:i}", "learned", (json_int_t)r->learned,
			 "held_out", (json_int_t)r->held_out, "loss_before", r->before, "loss", r->after,
			 "agreed_before", (json_int_t)r->agreed_before, "agreed", (json_int_t)r->agreed,
			 "epoch", (int)r->best);
}

static int report_json(const struct session *s)
{
	json_t *layers = json_array();

	for (uint32_t i = 0; i < s->report.count; i++) {
		const struct compress_layer *l = &s->report.layers[i];

		json_array_append_new(layers, json_pack("{s:s, s:s, s:I, s:I, s:b, s:o}", "tensor", l->name,
							"operator", ir_kind_info(l->kind)->name,
							"weights", (json_int_t)l->weights,
							"zeros", (json_int_t)l->zeros, "changed",
							l->touched, "error",
							l->touched ? number(l->error) : json_null()));
	}
	return cmd_print_json(json_pack("{s:s, s:s, s:I, s:i, s:i, s:o, s:o, s:o, s:o}",
					"output", s->args->output,
					"target", s->target.cost.arch->name,
					"samples", (json_int_t)samples_count(s->eval),
					"channels_before", (int)s->report.channels_before,
					"channels", (int)s->report.channels,
					"before", side_json(&s->before, true),
					"after", side_json(&s->after, false),
					"distilled", distilled_json(&s->report.distill),
					"layers", layers));
}

static int by_error(const void *a, const void *b)
{
	const struct compress_layer *x = a, *y = b;

	return (x->error < y->error) - (x->error > y->error);
}

static void print_row(const char *what, double before, double after, const char *format)
{
	printf("%-22s", what);
	printf(format, before);
	printf(format, after);
	if (before > 0)
		printf("%+10.1f %%", 100 * (after - before) / before);
	putchar('\n');
}

static void print_points(const char *what, const struct judgement *before,
			 const struct judgement *after)
{
	if (before->count)
		printf("%-22s%12.2f %%%12.2f %%%+10.2f points\n", what, top1(before), top1(after),
		       top1(after) - top1(before));
}

static void print_layers(struct compress_report *r)
{
	uint32_t shown = 0;

	qsort(r->layers, r->count, sizeof(*r->layers), by_error);
	for (uint32_t i = 0; i < r->count && shown < SHOWN_LAYERS; i++) {
		const struct compress_layer *l = &r->layers[i];

		if (!l->touched)
			continue;
		printf("%s%9.3f %% lost, %5.1f %% zeros of %8llu  %s  %s\n",
		       shown++ ? "         " : "layers   ", 100 * l->error,
		       100.0 * (double)l->zeros / (double)l->weights,
		       (unsigned long long)l->weights, ir_kind_info(l->kind)->name, l->name);
	}
}

static void print_distilled(const struct distill_report *r)
{
	if (!r->held_out)
		return;
	printf("learned from %zu samples; of the other %zu's outputs %.2f %% are lost, %.2f %% before it; "
	       "%zu have the largest one where it was, %zu before it\n", r->learned, r->held_out,
	       100 * r->after, 100 * r->before, r->agreed, r->agreed_before);
}

static int report_text(struct session *s)
{
	const struct side *b = &s->before, *a = &s->after;
	uint64_t weights = 0, zeros = 0;

	for (uint32_t i = 0; i < s->report.count; i++) {
		weights += s->report.layers[i].weights;
		zeros += s->report.layers[i].zeros;
	}
	printf("%s: %.1f %% of %llu weights are zero", s->args->output,
	       weights ? 100.0 * (double)zeros / (double)weights : 0, (unsigned long long)weights);
	if (s->report.channels_before)
		printf("; %u of %u channels left", s->report.channels, s->report.channels_before);
	printf("\n%-22s%14s%14s\n", "", "before", "after");
	print_points("top-1, float", &b->real, &a->real);
	print_points("top-1, int8", &b->quantised, &a->quantised);
	printf("%-22s%14s%11.1f dB\n", "output SNR, float", "", likeness_snr(&a->real.likeness));
	printf("%-22s%11.1f dB%11.1f dB\n", "output SNR, int8", likeness_snr(&b->quantised.likeness),
	       likeness_snr(&a->quantised.likeness));
	print_distilled(&s->report.distill);
	printf("on %s, int8, judged on %zu samples:\n", s->target.cost.arch->name,
	       samples_count(s->eval));
	print_row("constants, bytes", (double)b->price.constants, (double)a->price.constants, "%14.0f");
	print_row("cycles", (double)b->price.cycles, (double)a->price.cycles, "%14.0f");
	print_row("us", b->price.us, a->price.us, "%14.1f");
	print_layers(&s->report);
	return CMD_OK;
}

static int run(struct session *s, struct error *err)
{
	const struct optimise_args *args = s->args;
	int rc = open_all(s, err);

	if (!rc)
		rc = compress(s->before.graph, s->calibration, &args->opt, progress, &s->after.graph,
			      &s->report, err);
	if (!rc)
		rc = judge_side(s, &s->before, "before", err);
	if (!rc)
		rc = judge_side(s, &s->after, "after", err);
	if (!rc)
		rc = graph_file_save(args->quantise ? s->after.integers : s->after.graph, args->output,
				    err);
	if (rc)
		return cmd_fail(err);
	return args->json ? report_json(s) : report_text(s);
}

int cmd_optimise(int argc, char **argv)
{
	static const struct argp_child children[] = {
		{ &cmd_model_argp, 0, NULL, 0 }, { &cmd_target_argp, 0, NULL, 0 }, { 0 }
	};
	const struct argp argp = { .options = options, .parser = parse, .args_doc = "MODEL", .doc = doc,
				   .children = children };
	struct optimise_args args = { 0 };
	struct session s = { .args = &args };
	struct error err;
	int rc;

	compress_defaults(&args.opt);
	argp_parse(&argp, argc, argv, 0, NULL, &args);
	rc = run(&s, &err);
	close_all(&s);
	return rc;
}
