/* SPDX-License-Identifier: MIT */
/* `accel compile`: from a trained model to a program file. */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/cmd.h"
#include "runtime/cmd_target.h"
#include "runtime/compile/compile_model.h"
#include "runtime/compile/support.h"
#include "runtime/image/accel_file.h"
#include "runtime/image/vela_write.h"

#define DEFAULT_TARGET	"ethos-u65-256"
#define MAX_JOBS	256

#define HUGE_PAGE	((size_t)2 << 20)
#define HEAP_PER_MODEL	4	/* bytes of heap for each of the model file, about */
#define MODEL_LARGE	(64 << 20)

enum { OPT_OPTIMISE = 0x200, OPT_DUMP, OPT_NO_CPU, OPT_OPERATORS,
       OPT_JSON, OPT_EMIT, OPT_OWN_IO };

struct compile_args {
	const char *model;
	struct cmd_target target;
	const char *output;
	struct compile_options options;
	bool json, operators, vela;
};

static const char doc[] =
	"Compile a model of integers, TFLite or ONNX, for an NPU.\v"
	"Of a model of floats `accel quantise' makes one of integers. "
	"What the NPU cannot do exactly is left to the CPU, and said. The same model and options "
	"give the same file, whatever --jobs. Without --target it is for the " DEFAULT_TARGET "; "
	"--system=help and --memory-mode=help list what there is.\n\n"
	"Examples:\n"
	"  accel compile model.tflite -t ethos-u65-256\n"
	"  accel compile model.tflite -t u85-256 --memory-mode Sram_Only -o model.accel\n"
	"  accel compile model.tflite --dump=lower\n";

static const struct argp_option options[] = {
	{ "output", 'o', "FILE", 0, "program file to write (the model's name, ending in .accel)", 0 },
	{ "optimise", OPT_OPTIMISE, "performance|size", 0, "fewest cycles, or least memory", 0 },
	{ "jobs", 'j', "N", 0, "threads (1)", 0 },
	{ "emit", OPT_EMIT, "accel|vela-tflite", 0, "form of the file: a program file, or TFLite as Vela makes it", 0 },
	{ "own-io", OPT_OWN_IO, NULL, 0, "inputs and outputs in regions of their own, which OpenCL binds to buffers", 0 },
	{ "dump", OPT_DUMP, "PASS", 0, "print the graph after a pass: import, fold, share, fuse, sweep, lower, merge", 0 },
	{ "no-cpu-fallback", OPT_NO_CPU, NULL, 0, "fail if an operator is left to the CPU", 0 },
	{ "operators", OPT_OPERATORS, NULL, 0, "print which operators run where, and nothing else", 0 },
	{ "json", OPT_JSON, NULL, 0, "print JSON", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct compile_args *args = state->input;
	char *end;
	long n;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->target;
		return 0;
	case 'o':
		args->output = arg;
		return 0;
	case 'j':
		n = strtol(arg, &end, 10);
		if (*end || n < 1 || n > MAX_JOBS)
			argp_error(state, "--jobs=%s: not a number from 1 to %d", arg, MAX_JOBS);
		args->options.jobs = (unsigned int)n;
		return 0;
	case OPT_OPTIMISE:
		if (strcmp(arg, "size") && strcmp(arg, "performance"))
			argp_error(state, "--optimise=%s: performance or size", arg);
		args->options.optimise_size = !strcmp(arg, "size");
		return 0;
	case OPT_EMIT:
		if (strcmp(arg, "accel") && strcmp(arg, "vela-tflite"))
			argp_error(state, "--emit=%s: accel or vela-tflite", arg);
		args->vela = !strcmp(arg, "vela-tflite");
		return 0;
	case OPT_OWN_IO:
		args->options.own_io = true;
		return 0;
	case OPT_DUMP:
		args->options.dump = arg;
		args->options.dump_file = stdout;
		return 0;
	case OPT_NO_CPU:
		args->options.no_cpu = true;
		return 0;
	case OPT_OPERATORS:
		args->operators = true;
		return 0;
	case OPT_JSON:
		args->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (args->model)
			argp_error(state, "one model at a time");
		args->model = arg;
		return 0;
	case ARGP_KEY_END:
		if (args->vela && args->options.own_io)
			argp_error(state, "--own-io: TFLite as Vela makes it has no such regions");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int list_names(const struct compile_args *args, const struct target_set *set)
{
	if (args->target.system && !strcmp(args->target.system, "help"))
		for (size_t i = 0; i < set->system_count; i++)
			printf("%s\n", set->systems[i].name);
	if (args->target.mode && !strcmp(args->target.mode, "help"))
		for (size_t i = 0; i < set->mode_count; i++)
			printf("%s\n", set->modes[i].name);
	return CMD_OK;
}

static bool wants_names(const struct compile_args *args)
{
	return (args->target.system && !strcmp(args->target.system, "help")) ||
	       (args->target.mode && !strcmp(args->target.mode, "help"));
}

/* "dir/model.tflite" becomes "model.accel". */
static char *default_output(const char *model, bool vela)
{
	const char *slash = strrchr(model, '/'), *name = slash ? slash + 1 : model;
	const char *dot = strrchr(name, '.');
	char *out;

	return asprintf(&out, "%.*s%s", (int)(dot ? dot - name : (long)strlen(name)), name,
			vela ? "_vela.tflite" : ".accel") < 0 ? NULL : out;
}

static int report_json(const struct compile_args *args, const char *output,
		       const struct compile_summary *s, const struct image *image)
{
	json_t *left = json_array();

	for (uint32_t i = 0; i < s->left_count; i++)
		json_array_append_new(left, json_pack("{s:s, s:i, s:s}", "operator", s->left[i].kind,
						      "count", (int)s->left[i].count, "why",
						      s->left[i].why ? s->left[i].why : ""));
	return cmd_print_json(json_pack(
		"{s:s, s:s, s:s, s:s, s:i, s:i, s:o, s:I, s:I, s:I, s:I, s:I}", "output", output, "npu",
		args->options.target->cost.arch->name, "system", args->options.target->system.name,
		"memory_mode", args->options.target->mode.name, "npu_operations", (int)s->npu_ops,
		"cpu_operators", (int)s->cpu_ops, "left_on_cpu", left, "command_stream_bytes",
		(json_int_t)s->stream_bytes, "constant_bytes", (json_int_t)s->constant_bytes,
		"arena_bytes", (json_int_t)image->arena_size, "fast_bytes",
		(json_int_t)image->fast_size, "own_io_bytes", (json_int_t)image_own_size(image)));
}

static int report(const struct compile_args *args, const char *output,
		  const struct compile_summary *s, const struct image *image)
{
	const struct target *t = args->options.target;

	if (args->json)
		return report_json(args, output, s, image);
	printf("%s: for %s, %s, %s\n", output, t->cost.arch->name, t->system.name, t->mode.name);
	printf("NPU      %u operations, %llu bytes of commands, %llu of constants\n", s->npu_ops,
	       (unsigned long long)s->stream_bytes, (unsigned long long)s->constant_bytes);
	printf("memory   %llu bytes of arena, %llu bytes of fast memory\n",
	       (unsigned long long)image->arena_size, (unsigned long long)image->fast_size);
	if (image_own_size(image))
		printf("         %llu bytes of inputs and outputs in regions of their own\n",
		       (unsigned long long)image_own_size(image));
	for (uint32_t i = 0; i < s->left_count; i++)
		printf("CPU      %s (%u): %s\n", s->left[i].kind, s->left[i].count,
		       s->left[i].why ? s->left[i].why : "not supported");
	return CMD_OK;
}

/*
 * Blocks of megabytes come and go, one for each layer. Given back to the kernel every time they would be
 * new pages every time. And a page costs more than what is done to it, so the heap begins with huge ones, as
 * many as models of that size take.
 */
static void keep_memory(const char *model)
{
	uintptr_t from = (uintptr_t)sbrk(0), start = (from + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
	size_t size = 0;
	/* Volatile: the compiler would leave the pair out. */
	void *volatile block;
	struct stat st;

	mallopt(M_MMAP_THRESHOLD, 64 << 20);
	mallopt(M_TRIM_THRESHOLD, 256 << 20);
	mallopt(M_TOP_PAD, 1 << 20);
	if (!stat(model, &st) && st.st_size > 0 && st.st_size < MODEL_LARGE)
		size = (size_t)st.st_size * HEAP_PER_MODEL / HUGE_PAGE * HUGE_PAGE;
	if (!size)
		return;
	/* The allocator takes what follows as soon as it needs more. That there is none does no harm. */
	if (sbrk((intptr_t)(start - from)) == (void *)-1)
		return;
	mallopt(M_TOP_PAD, (int)size);
	block = malloc(HUGE_PAGE / 4);
	free(block);
	mallopt(M_TOP_PAD, 1 << 20);
	madvise((void *)start, (uintptr_t)sbrk(0) - start, MADV_HUGEPAGE);
}

static int compile_file(const struct compile_args *args)
{
	struct compile_summary summary;
	char *name = NULL;
	const char *output = args->output;
	struct image *image;
	struct ir_graph *g;
	struct error err;
	int rc;

	if (graph_file_open(args->model, &args->target.shapes, &g, &err))
		return cmd_fail(&err);
	rc = compile_graph(g, args->model, &args->options, &image, &summary, &err);
	ir_free(g);
	if (rc)
		return cmd_fail(&err);
	if (!output)
		output = name = default_output(args->model, args->vela);
	if (!output)
		rc = error_set(&err, -ENOMEM, "out of memory");
	else
		rc = args->vela ? image_write_vela(image, output, &err) : image_write(image, output, &err);
	rc = rc ? cmd_fail(&err) : args->options.dump ? CMD_OK : report(args, output, &summary, image);
	image_free(image);
	free(name);
	return rc;
}

int cmd_compile(int argc, char **argv)
{
	static const struct argp_child children[] = { { &cmd_target_argp, 0, NULL, 0 }, { 0 } };
	const struct argp argp = { options, parse, "MODEL", doc, children, NULL, NULL };
	struct compile_args args = { .target = { .npu = DEFAULT_TARGET }, .options = { .jobs = 1 } };
	struct target_set set;
	struct target target;
	struct error err;
	int rc;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	if (args.operators) {
		support_print(stdout);
		return CMD_OK;
	}
	if (target_set_load(&set, &err))
		return cmd_fail(&err);
	if (wants_names(&args)) {
		rc = list_names(&args, &set);
	} else if (!args.model) {
		fputs("accel compile: which model? Try `accel compile --help'.\n", stderr);
		rc = CMD_USAGE;
	} else if (target_find(&set, args.target.npu, args.target.system, args.target.mode, &target,
			       &err)) {
		rc = cmd_fail(&err);
	} else {
		args.options.target = &target;
		keep_memory(args.model);
		rc = compile_file(&args);
	}
	target_set_free(&set);
	return rc;
}
