/* SPDX-License-Identifier: MIT */
/*
 * Tests: models through the front end, then executed operation by operation (ir_run.h): every byte
 * as TFLite's reference kernels give it, for U55/U65 and for U85. What is left to the CPU is told, and
 * whether Vela places it on the NPU (MISS).
 *
 * usage: ir_exec [-m part-of-name] [-d] FOLDER
 * FOLDER is laid out as ACCEL_MODELS. -d prints the lowered graph. Exit 77: no models.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/compile/compile.h"
#include "runtime/compile/import.h"
#include "runtime/ir/ir_ops.h"
#include "runtime/target/target.h"
#include "tests/ir_run.h"
#include "tests/vectors.h"

struct suite {
	bool dump;
	unsigned int passed, failed, cpu, missing;
};

/* One model lowered for one family. */
struct subject {
	struct ir_graph *g;
	struct ir_run *run;
};

static const char *const families[2] = { "u65", "u85" };

static int open_subject(const char *path, bool u85, struct subject *s, struct error *err)
{
	const struct target target = { .system.family = u85 ? 85 : 65 };
	const struct compile_options options = { .target = &target };
	struct tflite model;
	int rc = tflite_read(path, &model, err);

	*s = (struct subject){ 0 };
	if (rc)
		return rc;
	rc = import_tflite(&model, path, &s->g, err);
	tflite_free(&model);
	if (!rc)
		rc = compile_lower(s->g, &options, err);
	if (!rc) {
		s->run = ir_run_new(s->g, u85);
		rc = s->run ? 0 : error_set(err, -ENOMEM, "out of memory");
	}
	return rc;
}

static void close_subject(struct subject *s)
{
	ir_run_free(s->run);
	ir_free(s->g);
}

/* The first operation that is left to the CPU, or NULL. */
static const struct ir_op *on_cpu(const struct subject *s)
{
	for (uint32_t i = 0; i < s->g->op_count; i++)
		if (s->g->ops[i].kind != IR_NPU)
			return &s->g->ops[i];
	return NULL;
}

static void *input(void *subject, unsigned int i, size_t *size)
{
	const struct subject *s = subject;

	*size = ir_tensor_bytes(&s->g->tensors[s->g->inputs[i]]);
	return ir_run_data(s->run, s->g->inputs[i]);
}

static const void *output(void *subject, unsigned int i, size_t *size)
{
	const struct subject *s = subject;

	*size = ir_tensor_bytes(&s->g->tensors[s->g->outputs[i]]);
	return ir_run_data(s->run, s->g->outputs[i]);
}

static void reset(void *subject)
{
	ir_run_reset(((struct subject *)subject)->run);
}

static int run(void *subject, struct error *err)
{
	const struct subject *s = subject;

	for (uint32_t i = 0; i < s->g->op_count; i++) {
		int rc = ir_run_op(s->run, s->g->ops[i].npu);

		if (rc)
			return error_set(err, rc, "operation %u reads or writes outside", i);
	}
	return 0;
}

static bool lists(json_t *entry, const char *key, const char *config)
{
	json_t *v;
	size_t i;

	json_array_foreach(json_object_get(entry, key), i, v)
		if (!strcmp(json_string_value(v), config))
			return true;
	return false;
}

/* What is large is run on few vectors. */
static unsigned int how_many(const struct vectors_case *c)
{
	if (c->npz)
		return UINT_MAX;
	return strstr(c->model, "mobilenet") ? 1 : 2;
}

static void check_family(struct suite *suite, const struct vectors_case *c, bool u85)
{
	const struct vectors_bound bound = vectors_bound(c->model);
	/* What Vela places on the NPU has to be there. */
	const bool must = c->entry && lists(c->entry, "full", u85 ? "u85-256" : "u65-256");
	struct error err = { "" };
	const struct ir_op *cpu;
	struct subject s;
	int rc = open_subject(c->model, u85, &s, &err);

	if (!rc && suite->dump)
		ir_print(s.g, stdout);
	cpu = rc ? NULL : on_cpu(&s);
	if (cpu) {
		suite->cpu++;
		suite->missing += must;
		printf("%s %s %s: %s: %s\n", must ? "MISS" : "cpu ", families[u85], c->model,
		       ir_kind_info(cpu->kind)->name, cpu->why_cpu);
		close_subject(&s);
		return;
	}
	if (!rc)
		rc = vectors_check(c, &(struct vectors_runner){ &s, s.g->input_count, s.g->output_count,
								input, output, reset, run },
				   how_many(c), &bound, &err);
	if (rc) {
		suite->failed++;
		printf("FAIL %s %s: %s\n", families[u85], c->model, err.text);
	} else {
		suite->passed++;
		printf("ok   %s %s: %u operations%s%s\n", families[u85], c->model, s.g->op_count,
		       bound.why ? ": " : "", bound.why ? bound.why : "");
	}
	close_subject(&s);
}

static void check(void *suite, const struct vectors_case *c)
{
	check_family(suite, c, false);
	check_family(suite, c, true);
}

int main(int argc, char **argv)
{
	struct suite suite = { 0 };
	const char *only = NULL;
	int opt;

	while ((opt = getopt(argc, argv, "dm:")) != -1) {
		if (opt == 'm')
			only = optarg;
		else
			suite.dump = true;
	}
	if (!argv[optind] || access(argv[optind], R_OK)) {
		printf("SKIP ir_exec: no models, set ACCEL_MODELS\n");
		return VECTORS_SKIP;
	}
	vectors_each(argv[optind], only, check, &suite);
	printf("ir_exec: %u passed, %u failed, %u with operators left to the CPU, %u of them that Vela "
	       "places on the NPU\n", suite.passed, suite.failed, suite.cpu, suite.missing);
	return suite.failed != 0;
}
