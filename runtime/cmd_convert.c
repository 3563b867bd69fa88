/* SPDX-License-Identifier: MIT */
/* `accel convert`: a model in another form of file. */
#include <stdio.h>
#include <stdlib.h>

#include "runtime/cmd.h"
#include "runtime/graph_file.h"

enum { OPT_JSON = 0x300 };

struct convert_args {
	const char *model, *output;
	struct graph_shapes shapes;
	bool json;
};

static const char doc[] =
	"Write an ONNX or TFLite model as TFLite, or as the text of its graph.\v"
	"The numbers stay what they are: a float model stays float, see `accel quantise'. Operators that "
	"TFLite does not have are an error that names them.\n\n"
	"Examples:\n"
	"  accel convert net.onnx -o net.tflite\n"
	"  accel convert net.onnx -o net.tflite --shape input=1,3,224,224\n"
	"  accel convert net.tflite -o net.ir\n";

static const struct argp_option options[] = {
	{ "output", 'o', "FILE", 0, "TFLite model to write, or .ir for the graph as text", 0 },
	{ "json", OPT_JSON, NULL, 0, "print JSON", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct convert_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->model;
		state->child_inputs[1] = &args->shapes;
		return 0;
	case 'o':
		args->output = arg;
		return 0;
	case OPT_JSON:
		args->json = true;
		return 0;
	case ARGP_KEY_END:
		if (!args->output)
			argp_error(state, "which file to write? --output");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int report(const struct convert_args *args, const struct ir_graph *g)
{
	if (args->json)
		return cmd_print_json(json_pack("{s:s, s:i, s:i, s:i}", "output", args->output, "operators",
						(int)g->op_count, "inputs", (int)g->input_count,
						"outputs", (int)g->output_count));
	printf("%s: %u operators, %u inputs, %u outputs\n", args->output, g->op_count, g->input_count,
	       g->output_count);
	return CMD_OK;
}

int cmd_convert(int argc, char **argv)
{
	static const struct argp_child children[] = { { &cmd_model_argp, 0, NULL, 0 },
						      { &cmd_shape_argp, 0, NULL, 0 },
						      { 0 } };
	const struct argp argp = { .options = options, .parser = parse, .args_doc = "MODEL", .doc = doc,
				   .children = children };
	struct convert_args args = { 0 };
	struct ir_graph *g = NULL;
	struct error err;
	int rc;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	rc = graph_file_open(args.model, &args.shapes, &g, &err);
	if (!rc)
		rc = graph_file_save(g, args.output, &err);
	rc = rc ? cmd_fail(&err) : report(&args, g);
	ir_free(g);
	return rc;
}
