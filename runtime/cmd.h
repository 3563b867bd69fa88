/* SPDX-License-Identifier: MIT */
/* What the sub-commands of `accel` share. */
#ifndef ACCEL_RUNTIME_CMD_H
#define ACCEL_RUNTIME_CMD_H

#include <argp.h>
#include <jansson.h>
#include <stdbool.h>

#include "runtime/graph_file.h"
#include "runtime/model.h"

/* Exit statuses. */
enum { CMD_OK = 0, CMD_FAILED = 1, CMD_USAGE = 2 };

/**
 * struct cmd_common - options that every sub-command takes
 * @device: spec, NULL: the default device
 * @json: for machines
 */
struct cmd_common {
	const char *device;
	bool json;
};

/* Parses them into the struct cmd_common that is given as the child's input. */
extern const struct argp cmd_common_argp;

/* Takes the one model that a sub-command works on; the child's input is a const char **. */
extern const struct argp cmd_model_argp;

/* --shape, for models that leave one open; the child's input is a struct graph_shapes *. */
extern const struct argp cmd_shape_argp;

/**
 * struct cmd_samples - what models are run on
 * @source: a data set, a file or a folder
 * @preprocess: description of what happens to a sample, NULL: the one beside the model
 * @limit: number of samples
 */
struct cmd_samples {
	const char *source, *preprocess;
	size_t limit;
};

/* Parses them into the struct cmd_samples that is given as the child's input; there must be a source. */
extern const struct argp cmd_samples_argp;

/* The value of option @name; a usage error, which ends the program, if it is no number of that range. */
double cmd_real_arg(struct argp_state *state, const char *name, const char *arg, double low,
		    double high);
unsigned long cmd_count_arg(struct argp_state *state, const char *name, const char *arg,
			    unsigned long low, unsigned long high);

/* Print "accel: MESSAGE" and return CMD_FAILED. */
int cmd_fail(const struct error *err);

/* Open the device and load the model; both are the caller's. Returns 0 or what cmd_fail() gives. */
int cmd_load(const struct cmd_common *common, const char *path, struct accel_device **device,
	     struct model **model);

/*
 * Print it and give it back. Returns CMD_OK, or CMD_FAILED if there is none: JSON is UTF-8, a name
 * may not be.
 */
int cmd_print_json(json_t *json);

/* CLOCK_MONOTONIC in microseconds. */
double cmd_now_us(void);

int cmd_compile(int argc, char **argv);
int cmd_convert(int argc, char **argv);
int cmd_quantise(int argc, char **argv);
int cmd_optimise(int argc, char **argv);
int cmd_devices(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_eval(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_disasm(int argc, char **argv);
int cmd_estimate(int argc, char **argv);
int cmd_profile(int argc, char **argv);

#endif
