/* SPDX-License-Identifier: MIT */
/* `accel disasm`: the command stream of a model, or of a file of words, with every field named. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cmd.h"
#include "runtime/container.h"
#include "runtime/disasm.h"
#include "runtime/file.h"
#include "uapi/ethosu_regs.h"

enum { OPT_ARCH = 'a' };

struct disasm_args {
	struct cmd_common common;
	const char *file;
	unsigned int arch;
};

static const char doc[] =
	"Show the command stream of a model that Vela compiled, or of a file of raw command words, "
	"with every field named.\v"
	"Examples:\n"
	"  accel disasm model_vela.tflite\n"
	"  accel disasm -a u85 stream.bin --json\n";

static const struct argp_option options[] = {
	{ "arch", OPT_ARCH, "u55|u65|u85", 0, "the file holds command words for this family", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct disasm_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->common;
		return 0;
	case OPT_ARCH:
		args->arch = !strcmp(arg, "u55")   ? 55
			     : !strcmp(arg, "u65") ? 65
			     : !strcmp(arg, "u85") ? 85
						   : 0;
		if (!args->arch)
			argp_error(state, "--arch=%s: u55, u65 or u85", arg);
		return 0;
	case ARGP_KEY_ARG:
		if (args->file)
			argp_error(state, "one file at a time");
		args->file = arg;
		return 0;
	case ARGP_KEY_END:
		if (!args->file)
			argp_error(state, "which file?");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int disasm_words(const uint8_t *data, size_t words, unsigned int arch, bool json,
			struct error *err)
{
	uint32_t *copy = malloc(4 * words + 1);
	int unknown;

	if (!copy)
		return error_set(err, -ENOMEM, "out of memory");
	memcpy(copy, data, 4 * words);
	unknown = disasm_print(stdout, arch, copy, words, json);
	free(copy);
	if (unknown < 0)
		return error_set(err, unknown, "can not show the stream: %s", strerror(-unknown));
	return unknown ? error_set(err, -EINVAL, "%d command words are unknown", unknown) : 0;
}

/* JSON: an array of streams, one for each operator of the NPU. */
static int disasm_model(const struct disasm_args *args, struct error *err)
{
	static const uint8_t archs[] = { 55, 65, 85 };
	struct container c;
	struct tflite file;
	unsigned int found = 0;
	int rc = tflite_read(args->file, &file, err);

	if (rc)
		return rc;
	for (uint32_t i = 0; i < file.operator_count && !rc; i++) {
		const struct tflite_operator *op = &file.operators[i];
		const struct tflite_tensor *t;
		unsigned int product;

		if (op->builtin != TFLITE_BUILTIN_CUSTOM || !op->input_count || op->inputs[0] < 0)
			continue;
		t = &file.tensors[op->inputs[0]];
		rc = container_parse(t->data.data, t->data.len, &c, err);
		product = c.config >> ETHOSU_CONFIG_PRODUCT_LOW;
		if (!rc && product >= sizeof(archs))
			rc = error_set(err, -ENOTSUP, "operator %u is for an unknown NPU", i);
		if (!rc && args->common.json)
			putchar(found ? ',' : '[');
		if (!rc)
			rc = disasm_words(c.stream, c.words, archs[product], args->common.json,
					  err);
		found++;
	}
	if (!rc && found && args->common.json)
		puts("]");
	if (!rc && !found)
		rc = error_set(err, -ENOTSUP, "not compiled for an NPU: no command stream in it");
	tflite_free(&file);
	return rc ? error_prefix(err, rc, args->file) : 0;
}

static int disasm_raw(const struct disasm_args *args, struct error *err)
{
	void *data;
	size_t size;
	int rc = file_read(args->file, &data, &size, err);

	if (rc)
		return rc;
	if (size % 4)
		rc = error_set(err, -EINVAL, "%zu bytes are not whole command words", size);
	else
		rc = disasm_words(data, size / 4, args->arch, args->common.json, err);
	free(data);
	return rc ? error_prefix(err, rc, args->file) : 0;
}

int cmd_disasm(int argc, char **argv)
{
	static const struct argp_child children[] = { { &cmd_common_argp, 0, NULL, 0 }, { 0 } };
	const struct argp argp = { options, parse, "FILE", doc, children, NULL, NULL };
	struct disasm_args args = { 0 };
	struct error err;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	if (args.arch ? disasm_raw(&args, &err) : disasm_model(&args, &err))
		return cmd_fail(&err);
	return CMD_OK;
}
