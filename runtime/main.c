/* SPDX-License-Identifier: MIT */
/* `accel`: models on NPUs from the command line. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/cmd.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
	{ "devices", cmd_devices, "list the NPUs of this machine and those that can be simulated" },
	{ "info", cmd_info, "show what a model file consists of" },
	{ "convert", cmd_convert, "write a model in another form" },
	{ "quantise", cmd_quantise, "turn a float model into one of integers" },
	{ "optimise", cmd_optimise, "prune and cluster a float model" },
	{ "compile", cmd_compile, "compile a model for an NPU" },
	{ "run", cmd_run, "run a model on arrays from files" },
	{ "bench", cmd_bench, "measure how long a model takes" },
	{ "eval", cmd_eval, "measure how good models are on samples, side by side" },
	{ "compare", cmd_compare, "show where a model of integers leaves its float model" },
	{ "disasm", cmd_disasm, "show the command stream of a model" },
	{ "estimate", cmd_estimate, "show what a model costs on each NPU and memory" },
	{ "profile", cmd_profile, "show where a model's time goes, operation by operation" },
};

int cmd_fail(const struct error *err)
{
	fprintf(stderr, "accel: %s\n", err->text);
	return CMD_FAILED;
}

int cmd_load(const struct cmd_common *common, const char *path, struct accel_device **device,
	     struct model **model)
{
	struct accel_error why;
	struct error err;

	if (accel_device_open(common->device, device, &why)) {
		error_set(&err, why.code, "%s", why.msg);
		return cmd_fail(&err);
	}
	if (model_open(path, *device, model, &err)) {
		accel_device_unref(*device);
		return cmd_fail(&err);
	}
	return CMD_OK;
}

int cmd_print_json(json_t *json)
{
	if (!json) {
		fputs("accel: no JSON can be made: a name is not UTF-8\n", stderr);
		return CMD_FAILED;
	}
	json_dumpf(json, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(json);
	return CMD_OK;
}

double cmd_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

/*
 * PoCL's basic device runs a kernel on the thread that asks for it, which takes 1 us from launch to
 * done instead of 10, and its kernels are compiled once instead of twice. Only a program may decide
 * that for the whole process, not the library.
 */
static void prefer_quick_opencl(void)
{
	setenv("POCL_DEVICES", "basic", 0);
	setenv("POCL_WORK_GROUP_SPECIALIZATION", "0", 0);
}

static void usage(FILE *to)
{
	fputs("Usage: accel COMMAND [OPTION...]\n\n", to);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(to, "  %-8s  %s\n", commands[i].name, commands[i].summary);
	fputs("\nTry `accel COMMAND --help'.\n\nExamples:\n"
	      "  accel devices\n"
	      "  accel compile model.tflite -t ethos-u65-256\n"
	      "  accel bench model.tflite -d sim:ethos-u65-256\n"
	      "  accel eval model_vela.tflite -d sim:ethos-u65-256 --dataset fashion-mnist\n\n"
	      "Exit status: 0 if all went well, 1 if something did not, 2 if the command line is "
	      "wrong.\n",
	      to);
}

/* What was printed may not have arrived: a full disk. */
static int finish(int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	fprintf(stderr, "accel: standard output: %s\n", strerror(errno));
	return CMD_FAILED;
}

int main(int argc, char **argv)
{
	char name[64];

	if (argc < 2) {
		usage(stderr);
		return CMD_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return CMD_OK;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("accel %s\n", accel_version());
		return CMD_OK;
	}
	argp_err_exit_status = CMD_USAGE;
	prefer_quick_opencl();
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		/* Messages and usage then name the whole command. */
		snprintf(name, sizeof(name), "accel %s", argv[1]);
		argv[1] = name;
		return finish(commands[i].run(argc - 1, argv + 1));
	}
	fprintf(stderr, "accel: no command \"%s\"; there are", argv[1]);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(stderr, "%s %s", i ? "," : "", commands[i].name);
	fputc('\n', stderr);
	return CMD_USAGE;
}
