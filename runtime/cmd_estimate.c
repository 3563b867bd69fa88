/* SPDX-License-Identifier: MIT */
/* `accel estimate`: what a model costs on each NPU, system and memory mode. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/cmd.h"
#include "runtime/cmd_target.h"

struct estimate_args {
	struct cmd_common common;
	struct cmd_target target;
	const char *model;
	bool all;
};

enum { OPT_ALL = 0x200 };

static const char doc[] =
	"Show what a model costs on NPUs, before there is one: latency, memory, traffic.\v"
	"The figures are those of Arm's public performance model, not measurements; operators on the "
	"CPU are not counted. A model is compiled for each NPU and memory mode, or for those that "
	"are named. A file that is compiled is estimated on its NPU only, with every memory around "
	"it that it can run with.\n\n"
	"Systems and memory modes are data: JSON files in ~/.config/accel/systems or the folders of "
	"$ACCEL_SYSTEMS add to those that are built in.\n\n"
	"Examples:\n"
	"  accel estimate model.tflite\n"
	"  accel estimate model.tflite -t ethos-u65-256 --all\n"
	"  accel estimate model_vela.tflite -S Ethos_U65_High_End -m Sram_Only\n"
	"  accel estimate model_vela.tflite --json\n";

static const struct argp_option options[] = {
	{ "all", OPT_ALL, NULL, 0, "every system, not only the usual one of each NPU", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct estimate_args *args = state->input;

	(void)arg;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->target;
		state->child_inputs[1] = &args->common;
		state->child_inputs[2] = &args->model;
		return 0;
	case OPT_ALL:
		args->all = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* A line of the table. */
struct row {
	struct target target;
	struct estimate estimate;
};

struct table {
	const struct estimate_args *args;
	const struct target_set *set;
	const struct cmd_source *source;
	struct row *rows;
	size_t count;
	struct error why;	/* of the last target that was left out */
};

/* A figure of bytes that fits in a column. */
static const char *bytes_text(uint64_t bytes, char *text, size_t len)
{
	if (bytes < 1024)
		snprintf(text, len, "%llu B", (unsigned long long)bytes);
	else if (bytes < 1024 * 1024)
		snprintf(text, len, "%.1f KiB", (double)bytes / 1024);
	else
		snprintf(text, len, "%.1f MiB", (double)bytes / (1024 * 1024));
	return text;
}

static double per_second(const struct estimate *e)
{
	return e->seconds > 0 ? 1 / e->seconds : 0;
}

static void print_rows(const struct table *t)
{
	char sram[16], ram[16], moved[16], flash[16];

	printf("%-14s %-28s %-20s %10s %9s %6s %10s %10s %10s %10s  %s\n", "NPU", "system",
	       "memory mode", "latency", "a second", "used", "SRAM", "DRAM", "moved", "flash",
	       "most time");
	for (size_t i = 0; i < t->count; i++) {
		const struct row *row = &t->rows[i];
		const struct estimate *e = &row->estimate;

		printf("%-14s %-28s %-20s %7.3f ms %9.1f %4.1f %% %10s %10s %10s %10s  %s\n",
		       row->target.cost.arch->name, row->target.system.name,
		       row->target.mode.name, e->seconds * 1e3, per_second(e),
		       100 * e->utilisation, bytes_text(e->sram, sram, sizeof(sram)),
		       bytes_text(e->ram, ram, sizeof(ram)),
		       bytes_text(e->traffic[COST_EXT], moved, sizeof(moved)),
		       bytes_text(e->flash, flash, sizeof(flash)),
		       estimate_bound_name(&row->target, e->bound));
	}
	if (t->count && t->rows[0].estimate.cpu_ops)
		printf("%u operators on the CPU are not counted\n", t->rows[0].estimate.cpu_ops);
}

static json_t *row_json(const struct row *row)
{
	const struct estimate *e = &row->estimate;

	return json_pack("{s:s, s:s, s:s, s:I, s:f, s:f, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:I, "
			 "s:I, s:I}",
			 "npu", row->target.cost.arch->name, "system", row->target.system.name,
			 "memory_mode", row->target.mode.name, "cycles",
			 (json_int_t)e->total.cycles, "latency_ms", e->seconds * 1e3, "per_second",
			 per_second(e), "utilisation", e->utilisation, "macs",
			 (json_int_t)e->total.macs, "sram_bytes", (json_int_t)e->sram, "ram_bytes",
			 (json_int_t)e->ram, "flash_bytes", (json_int_t)e->flash,
			 "sram_traffic_bytes", (json_int_t)e->traffic[COST_SRAM],
			 "external_traffic_bytes", (json_int_t)e->traffic[COST_EXT], "bound",
			 estimate_bound_name(&row->target, e->bound), "npu_operations",
			 (json_int_t)e->npu_ops, "copies", (json_int_t)e->total.copies,
			 "cpu_operators", (json_int_t)e->cpu_ops);
}

static int print_json(const struct table *t)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < t->count; i++)
		json_array_append_new(rows, row_json(&t->rows[i]));
	return cmd_print_json(json_pack("{s:s, s:o}", "model", t->args->model, "estimates", rows));
}

/* Compiling takes a while: say what for, to people who look on. @target NULL: no more. */
static void show_progress(const struct table *t, const struct target *target)
{
	if (t->source->image || !isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r\033[K");
	if (target)
		fprintf(stderr, "%zu: %s, %s", t->count + 1, target->cost.arch->name,
			target->mode.name);
	fflush(stderr);
}

/* One target. One that the model does not fit is left out. */
static int add_target(struct table *t, const struct target *target, struct error *err)
{
	struct profile profile;
	struct row *rows;
	int rc;

	show_progress(t, target);
	rc = cmd_source_estimate(t->source, target, &profile, err);
	show_progress(t, NULL);
	if (rc == -ENOTSUP || rc == -ENOSPC) {
		t->why = *err;
		return 0;
	}
	if (rc)
		return rc;
	rows = realloc(t->rows, (t->count + 1) * sizeof(*rows));
	if (rows) {
		t->rows = rows;
		rows[t->count++] = (struct row){ *target, profile.estimate };
	}
	profile_free(&profile);
	return rows ? 0 : error_set(err, -ENOMEM, "out of memory");
}

/* What is compiled does not get smaller where there is less staging memory. */
static bool is_repeated(const struct table *t, const struct target_mode *mode)
{
	if (!t->source->image || t->args->target.mode || !mode->staging_size)
		return false;
	for (size_t i = 0; i < t->set->mode_count; i++) {
		const struct target_mode *m = &t->set->modes[i];

		if (!m->staging_size && m->constants == mode->constants &&
		    m->arena == mode->arena && m->staging == mode->staging)
			return true;
	}
	return false;
}

static int add_modes(struct table *t, const struct ethosu_arch *npu, const char *system,
		     struct error *err)
{
	const char *mode = t->args->target.mode;
	struct target target;
	int rc = 0;

	if (mode) {
		rc = target_find(t->set, npu->name, system, mode, &target, err);
		return rc ? rc : add_target(t, &target, err);
	}
	for (size_t i = 0; i < t->set->mode_count && !rc; i++) {
		const struct target_mode *m = &t->set->modes[i];

		if (is_repeated(t, m))
			continue;
		rc = target_find(t->set, npu->name, system, m->name, &target, err);
		/* Some do not go together: flash cannot be written. */
		rc = rc == -EINVAL ? 0 : rc ? rc : add_target(t, &target, err);
	}
	return rc;
}

static int add_systems(struct table *t, const struct ethosu_arch *npu, struct error *err)
{
	int rc = 0;

	if (t->args->target.system || !(t->args->all || t->source->image))
		return add_modes(t, npu, t->args->target.system, err);
	for (size_t i = 0; i < t->set->system_count && !rc; i++)
		if (t->set->systems[i].family == npu->family)
			rc = add_modes(t, npu, t->set->systems[i].name, err);
	return rc;
}

static int fill(struct table *t, struct error *err)
{
	const char *name = t->args->target.npu;
	const struct ethosu_arch *npu = name ? target_arch(name) : t->source->npu;
	struct target unused;
	int rc = 0;

	if (name && !npu)
		return target_find(t->set, name, NULL, NULL, &unused, err);
	if (npu)
		rc = add_systems(t, npu, err);
	for (size_t i = 0; !npu && i < ETHOSU_ARCHS && !rc; i++)
		rc = add_systems(t, &ethosu_archs[i], err);
	if (!rc && !t->count) {
		*err = t->why;
		return -ENOTSUP;
	}
	return rc;
}

int cmd_estimate(int argc, char **argv)
{
	static const struct argp_child children[] = { { &cmd_target_argp, 0, NULL, 0 },
						      { &cmd_common_argp, 0, NULL, 0 },
						      { &cmd_model_argp, 0, NULL, 0 },
						      { 0 } };
	const struct argp argp = { options, parse, "MODEL", doc, children, NULL, NULL };
	struct estimate_args args = { 0 };
	struct target_set set = { 0 };
	struct cmd_source source;
	struct table table = { .args = &args, .set = &set, .source = &source };
	struct error err;
	int rc;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	if (cmd_source_open(args.model, &args.target.shapes, &source, &err))
		return cmd_fail(&err);
	rc = target_set_load(&set, &err);
	if (!rc)
		rc = fill(&table, &err);
	if (rc)
		rc = cmd_fail(&err);
	else if (args.common.json)
		rc = print_json(&table);
	else
		print_rows(&table);
	free(table.rows);
	target_set_free(&set);
	cmd_source_close(&source);
	return rc;
}
