/* SPDX-License-Identifier: MIT */
/* `accel info`: what a model file consists of. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cmd.h"
#include "runtime/graph_file.h"
#include "runtime/compile/graph_open.h"
#include "runtime/container.h"
#include "runtime/file.h"
#include "runtime/image/accel_file.h"
#include "runtime/ir/ir_ops.h"
#include "runtime/npy.h"

enum { OPT_ONNX_OPERATORS = 0x300 };

struct info_args {
	struct cmd_common common;
	const char *model;
	struct graph_shapes shapes;
};

static const char doc[] =
	"Show the inputs, outputs and operators of a TFLite or ONNX file, or what a program file holds, and "
	"which NPU it was compiled for.\v"
	"Of an ONNX model the operators are shown that it becomes, each with the node that it comes from.\n\n"
	"Examples:\n"
	"  accel info model_vela.tflite\n"
	"  accel info model.accel\n"
	"  accel info --json model.tflite\n";

static const struct argp_option options[] = {
	{ "onnx-operators", OPT_ONNX_OPERATORS, NULL, 0, "print which ONNX operators can be imported, and nothing else", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct info_args *args = state->input;

	(void)arg;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->common;
		state->child_inputs[1] = &args->model;
		state->child_inputs[2] = &args->shapes;
		return 0;
	case OPT_ONNX_OPERATORS:
		/* Like --help: no model is wanted. */
		onnx_print_operators(stdout);
		exit(CMD_OK);
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

static json_t *image_tensor_json(const struct image_tensor *t)
{
	json_t *shape = json_array();

	for (unsigned int i = 0; i < t->ndim; i++)
		json_array_append_new(shape, json_integer(t->shape[i]));
	return json_pack("{s:s, s:s, s:o, s:f, s:i}", "name", t->name, "type", elem_name(t->type),
			 "shape", shape, "scale", (double)image_scale(t, 0), "zero_point",
			 (int)image_zero_point(t, 0));
}

static json_t *image_list_json(const struct image *image, const uint32_t *list, uint32_t count)
{
	json_t *all = json_array();

	for (uint32_t i = 0; i < count; i++)
		json_array_append_new(all, image_tensor_json(&image->tensors[list[i]]));
	return all;
}

static int print_image_json(const struct image *image)
{
	json_t *runs = json_array();
	char npu[32];

	for (uint32_t i = 0; i < image->run_count; i++)
		json_array_append_new(runs, json_pack("{s:I, s:I}", "command_words",
						      (json_int_t)image->runs[i].words, "constants",
						      (json_int_t)image->runs[i].constants_size));
	return cmd_print_json(json_pack(
		"{s:s, s:I, s:I, s:I, s:o, s:o, s:o}", "npu",
		container_npu(image->config, npu, sizeof(npu)), "arena",
		(json_int_t)image->arena_size, "fast", (json_int_t)image->fast_size, "own_io",
		(json_int_t)image_own_size(image), "inputs",
		image_list_json(image, image->inputs, image->input_count), "outputs",
		image_list_json(image, image->outputs, image->output_count), "runs", runs));
}

static void print_image_list(const struct image *image, const char *what, const uint32_t *list,
			     uint32_t count)
{
	char text[128];

	for (uint32_t i = 0; i < count; i++) {
		const struct image_tensor *t = &image->tensors[list[i]];
		int64_t shape[IMAGE_MAX_DIMS];

		for (unsigned int d = 0; d < t->ndim; d++)
			shape[d] = t->shape[d];
		printf("%-8s %-7s %-16s scale %g, zero point %d  %s\n", what, elem_name(t->type),
		       npy_shape_text(shape, t->ndim, text, sizeof(text)),
		       (double)image_scale(t, 0), image_zero_point(t, 0), t->name);
	}
}

static void print_image(const struct image *image)
{
	char npu[32];

	printf("program for %s\n", container_npu(image->config, npu, sizeof(npu)));
	printf("memory   %llu bytes of arena, %llu bytes of fast memory\n",
	       (unsigned long long)image->arena_size, (unsigned long long)image->fast_size);
	if (image_own_size(image))
		printf("         %llu bytes of inputs and outputs in regions of their own\n",
		       (unsigned long long)image_own_size(image));
	print_image_list(image, "input", image->inputs, image->input_count);
	print_image_list(image, "output", image->outputs, image->output_count);
	for (uint32_t i = 0; i < image->run_count; i++)
		printf("run      %zu command words, %zu bytes of constants\n",
		       image->runs[i].words, image->runs[i].constants_size);
}

static int info_image(const struct info_args *args, void *file, size_t size)
{
	struct image *image;
	struct error err;
	int rc = CMD_OK;

	if (image_parse(file, size, args->model, &image, &err))
		return cmd_fail(&err);
	if (args->common.json)
		rc = print_image_json(image);
	else
		print_image(image);
	image_free(image);
	return rc;
}

static int info_tflite(const struct info_args *args, void *data, size_t size)
{
	struct tflite file;
	struct error err;
	int rc = tflite_parse(data, size, &file, &err);

	if (rc) {
		error_prefix(&err, rc, args->model);
		return cmd_fail(&err);
	}
	rc = CMD_OK;
	if (args->common.json)
		rc = print_json(&file);
	else
		print_text(&file);
	tflite_free(&file);
	return rc;
}

static struct tflite_span span_of(const char *text)
{
	return (struct tflite_span){ .data = (const uint8_t *)text, .len = strlen(text) };
}

static json_t *graph_tensor_json(const struct ir_tensor *t)
{
	json_t *shape = json_array();
	char name[256];

	for (uint32_t i = 0; i < t->ndim; i++)
		json_array_append_new(shape, json_integer(t->shape[i]));
	return json_pack("{s:s, s:s, s:o}", "name", clean(span_of(t->name), name, sizeof(name)), "type",
			 elem_name(t->type), "shape", shape);
}

static const char *origin_of(const struct ir_graph *g, const struct ir_op *op, char *text, size_t len)
{
	return clean(span_of(op->origin < g->origin_count ? g->origins[op->origin] : ""), text, len);
}

static int print_graph_json(const struct ir_graph *g)
{
	json_t *inputs = json_array(), *outputs = json_array(), *operators = json_array();
	char text[256];

	for (uint32_t i = 0; i < g->input_count; i++)
		json_array_append_new(inputs, graph_tensor_json(&g->tensors[g->inputs[i]]));
	for (uint32_t i = 0; i < g->output_count; i++)
		json_array_append_new(outputs, graph_tensor_json(&g->tensors[g->outputs[i]]));
	for (uint32_t i = 0; i < g->op_count; i++)
		json_array_append_new(operators,
				      json_pack("{s:s, s:s}", "operator", ir_kind_info(g->ops[i].kind)->name, "node",
						origin_of(g, &g->ops[i], text, sizeof(text))));
	return cmd_print_json(json_pack("{s:o, s:o, s:o}", "inputs", inputs, "outputs", outputs, "operators",
					operators));
}

static void print_graph_tensor(const char *what, const struct ir_tensor *t)
{
	int64_t shape[IR_MAX_DIMS];
	char text[128], name[256];

	for (uint32_t i = 0; i < t->ndim; i++)
		shape[i] = t->shape[i];
	printf("%-8s %-7s %-16s %s\n", what, elem_name(t->type), npy_shape_text(shape, t->ndim, text, sizeof(text)),
	       clean(span_of(t->name), name, sizeof(name)));
}

static int info_onnx(const struct info_args *args)
{
	struct ir_graph *g;
	struct error err;
	char text[256];
	int rc = CMD_OK;

	if (graph_file_open(args->model, &args->shapes, &g, &err))
		return cmd_fail(&err);
	if (args->common.json)
		rc = print_graph_json(g);
	for (uint32_t i = 0; i < g->input_count && !args->common.json; i++)
		print_graph_tensor("input", &g->tensors[g->inputs[i]]);
	for (uint32_t i = 0; i < g->output_count && !args->common.json; i++)
		print_graph_tensor("output", &g->tensors[g->outputs[i]]);
	for (uint32_t i = 0; i < g->op_count && !args->common.json; i++)
		printf("operator %-24s %s\n", ir_kind_info(g->ops[i].kind)->name,
		       origin_of(g, &g->ops[i], text, sizeof(text)));
	ir_free(g);
	return rc;
}

int cmd_info(int argc, char **argv)
{
	static const struct argp_child children[] = { { &cmd_common_argp, 0, NULL, 0 },
						      { &cmd_model_argp, 0, NULL, 0 },
						      { &cmd_shape_argp, 0, NULL, 0 },
						      { 0 } };
	const struct argp argp = {
		.options = options, .parser = parse, .args_doc = "MODEL", .doc = doc, .children = children
	};
	struct info_args args = { 0 };
	struct error err;
	size_t size;
	void *file;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	if (file_read(args.model, &file, &size, &err))
		return cmd_fail(&err);
	if (!image_is_accel_file(file, size) && !graph_is_tflite(file, size)) {
		free(file);
		return info_onnx(&args);
	}
	return image_is_accel_file(file, size) ? info_image(&args, file, size) :
						 info_tflite(&args, file, size);
}
