/* SPDX-License-Identifier: MIT */
/* `accel info`: what a model file consists of. */
#include <stdio.h>
#include <string.h>

#include "runtime/cmd.h"
#include "runtime/container.h"
#include "runtime/npy.h"

struct info_args {
	struct cmd_common common;
	const char *model;
};

static const char doc[] =
	"Show the inputs, outputs and operators of a TFLite file, and which NPU it was compiled "
	"for.\v"
	"Examples:\n"
	"  accel info model_vela.tflite\n"
	"  accel info --json model.tflite\n";

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct info_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->common;
		return 0;
	case ARGP_KEY_ARG:
		if (args->model)
			argp_error(state, "one model at a time");
		args->model = arg;
		return 0;
	case ARGP_KEY_END:
		if (!args->model)
			argp_error(state, "which model?");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* A name from a file, which may hold anything, for a terminal or JSON. */
static const char *clean(struct tflite_span name, char *text, size_t len)
{
	size_t n = name.len < len ? name.len : len - 1;

	for (size_t i = 0; i < n; i++)
		text[i] = (char)(name.data[i] >= ' ' && name.data[i] < 0x7f ? name.data[i] : '?');
	text[n] = '\0';
	return text;
}

static json_t *tensor_json(const struct tflite_tensor *t)
{
	json_t *shape = json_array();
	char name[256];

	for (unsigned int i = 0; i < t->ndim; i++)
		json_array_append_new(shape, json_integer(t->shape[i]));
	return json_pack("{s:s, s:s, s:o, s:f, s:I}", "name", clean(t->name, name, sizeof(name)),
			 "type", elem_name(t->type), "shape", shape, "scale",
			 (double)tflite_scale(t, 0), "zero_point",
			 (json_int_t)tflite_zero_point(t, 0));
}

static const char *operator_text(const struct tflite *file, const struct tflite_operator *op,
				 char *text, size_t len)
{
	const char *name = tflite_builtin_name(op->builtin);
	const struct tflite_tensor *payload;
	struct container container;
	char npu[32];

	if (op->builtin != TFLITE_BUILTIN_CUSTOM) {
		snprintf(text, len, "%s", name ? name : "unknown operator");
		return text;
	}
	clean(op->custom, text, len);
	if (strcmp(text, "ethos-u") || !op->input_count || op->inputs[0] < 0)
		return text;
	payload = &file->tensors[op->inputs[0]];
	if (!container_parse(payload->data.data, payload->data.len, &container, NULL))
		snprintf(text, len, "%s, %zu command words",
			 container_npu(container.config, npu, sizeof(npu)), container.words);
	return text;
}

static void print_tensor(const char *what, const struct tflite_tensor *t)
{
	int64_t shape[TFLITE_MAX_DIMS];
	char text[128], name[256];

	for (unsigned int i = 0; i < t->ndim; i++)
		shape[i] = t->shape[i];
	printf("%-8s %-7s %-16s scale %g, zero point %lld  %s\n", what, elem_name(t->type),
	       npy_shape_text(shape, t->ndim, text, sizeof(text)), (double)tflite_scale(t, 0),
	       (long long)tflite_zero_point(t, 0), clean(t->name, name, sizeof(name)));
}

static void print_text(const struct tflite *file)
{
	char text[128];

	for (uint32_t i = 0; i < file->input_count; i++)
		print_tensor("input", &file->tensors[file->inputs[i]]);
	for (uint32_t i = 0; i < file->output_count; i++)
		print_tensor("output", &file->tensors[file->outputs[i]]);
	for (uint32_t i = 0; i < file->operator_count; i++)
		printf("operator %s\n",
		       operator_text(file, &file->operators[i], text, sizeof(text)));
}

static int print_json(const struct tflite *file)
{
	json_t *inputs = json_array(), *outputs = json_array(), *operators = json_array(), *all;
	char text[128];

	for (uint32_t i = 0; i < file->input_count; i++)
		json_array_append_new(inputs, tensor_json(&file->tensors[file->inputs[i]]));
	for (uint32_t i = 0; i < file->output_count; i++)
		json_array_append_new(outputs, tensor_json(&file->tensors[file->outputs[i]]));
	for (uint32_t i = 0; i < file->operator_count; i++)
		json_array_append_new(
			operators,
			json_string(operator_text(file, &file->operators[i], text, sizeof(text))));
	all = json_pack("{s:o, s:o, s:o}", "inputs", inputs, "outputs", outputs, "operators",
			operators);
	return cmd_print_json(all);
}

int cmd_info(int argc, char **argv)
{
	static const struct argp_child children[] = { { &cmd_common_argp, 0, NULL, 0 }, { 0 } };
	const struct argp argp = {
		.parser = parse, .args_doc = "MODEL", .doc = doc, .children = children
	};
	struct info_args args = { 0 };
	struct tflite file;
	struct error err;
	int rc = CMD_OK;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	if (tflite_read(args.model, &file, &err))
		return cmd_fail(&err);
	if (args.common.json)
		rc = print_json(&file);
	else
		print_text(&file);
	tflite_free(&file);
	return rc;
}
