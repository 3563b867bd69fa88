/* SPDX-License-Identifier: MIT */
/*
 * Tests: models through the front end, then executed operation by operation (ir_run.h): every byte
 * as TFLite's reference kernels give it, for U55/U65 and for U85. What is left to the CPU is told, and
 * whether Vela places it on the NPU (MISS).
 *
 * usage: ir_exec [-v] [-m part-of-name] [-d] FOLDER
 * FOLDER is laid out as ACCEL_MODELS. -d prints the lowered graph. Exit 77: no models.
 */
#include <errno.h>
#include <glob.h>
#include <jansson.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/compile/compile.h"
#include "runtime/compile/import.h"
#include "runtime/ir/ir_ops.h"
#include "runtime/npy.h"
#include "runtime/target/target.h"
#include "tests/ir_run.h"

#define PATH_ROOM	(PATH_MAX + 32)
#define MAX_TENSORS	16
#define EXIT_SKIP	77

struct suite {
	const char *folder, *only;
	bool verbose, dump;
	unsigned int passed, failed, cpu, missing;
};

/* One model lowered for one family. */
struct subject {
	struct ir_graph *g;
	struct ir_run *run;
	int bound;
};

static const char *const families[2] = { "u65", "u85" };

/* Results that differ from TFLite's, why, and by how much of an 8-bit number at most. */
static const struct { const char *model, *why; int bound; } exceptions[] = {
	{ "sum_a3_1x5x4x16_keep_int16", "TFLite's sums of int16 wrap, the NPU's keep to the range",
	  INT_MAX },
	{ "lstm_u16_t4_f20_int8", "TFLite's sigmoid and tanh of int16 are other approximations", 1 },
	{ "micro_speech_lstm", "TFLite's sigmoid and tanh of int16 are other approximations", 16 },
	{ "dtln_noise_suppression", "TFLite's sigmoid and tanh of int16 are other approximations", 3 },
};

static const char *exception(const char *model, int *bound)
{
	*bound = 0;
	for (size_t i = 0; i < sizeof(exceptions) / sizeof(exceptions[0]); i++) {
		if (!strstr(model, exceptions[i].model))
			continue;
		*bound = exceptions[i].bound;
		return exceptions[i].why;
	}
	return NULL;
}

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

static int run(struct subject *s, struct error *err)
{
	for (uint32_t i = 0; i < s->g->op_count; i++) {
		int rc = ir_run_op(s->run, s->g->ops[i].npu);

		if (rc)
			return error_set(err, rc, "operation %u reads or writes outside", i);
	}
	return 0;
}

static int set_input(struct subject *s, unsigned int i, const struct npy *array, unsigned int vector,
		     unsigned int vectors, struct error *err)
{
	size_t size = ir_tensor_bytes(&s->g->tensors[s->g->inputs[i]]);

	if (array->size != size * vectors)
		return error_set(err, -EINVAL, "the vectors do not fit input %u", i);
	memcpy(ir_run_data(s->run, s->g->inputs[i]), (const char *)array->data + vector * size, size);
	return 0;
}

static int compare(struct subject *s, unsigned int i, const struct npy *array, unsigned int vector,
		   unsigned int vectors, struct error *err)
{
	const struct ir_tensor *t = &s->g->tensors[s->g->outputs[i]];
	size_t size = ir_tensor_bytes(t), wrong = 0, first = 0;
	const unsigned char *got = ir_run_data(s->run, s->g->outputs[i]), *want;

	if (array->size != size * vectors)
		return error_set(err, -EINVAL, "the vectors do not fit output %u", i);
	want = (const unsigned char *)array->data + vector * size;
	for (size_t k = 0; k < size; k++)
		if (abs((int8_t)got[k] - (int8_t)want[k]) > s->bound && !wrong++)
			first = k;
	return wrong ? error_set(err, -EILSEQ,
				 "vector %u, output %u: %zu of %zu bytes differ, first at %zu: got 0x%02x, not 0x%02x",
				 vector, i, wrong, size, first, got[first], want[first]) : 0;
}

static int check_npz(struct subject *s, const char *path, unsigned int vectors, struct error *err)
{
	struct npy in[MAX_TENSORS] = { 0 }, out[MAX_TENSORS] = { 0 };
	struct npz *npz;
	char name[32];
	int rc = npz_open(path, &npz, err);

	if (rc)
		return rc;
	for (unsigned int i = 0; i < s->g->input_count && i < MAX_TENSORS && !rc; i++) {
		snprintf(name, sizeof(name), "input_%u", i);
		rc = npz_get(npz, name, &in[i], err);
	}
	for (unsigned int i = 0; i < s->g->output_count && i < MAX_TENSORS && !rc; i++) {
		snprintf(name, sizeof(name), "output_%u", i);
		rc = npz_get(npz, name, &out[i], err);
	}
	npz_close(npz);
	/* An archive that does not say holds as many as fit its first input. */
	if (!rc && !vectors)
		vectors = (unsigned int)(in[0].size /
					 ir_tensor_bytes(&s->g->tensors[s->g->inputs[0]]));
	for (unsigned int v = 0; v < vectors && !rc; v++) {
		ir_run_reset(s->run);
		for (unsigned int i = 0; i < s->g->input_count && !rc; i++)
			rc = set_input(s, i, &in[i], v, vectors, err);
		if (!rc)
			rc = run(s, err);
		for (unsigned int i = 0; i < s->g->output_count && !rc; i++)
			rc = compare(s, i, &out[i], v, vectors, err);
	}
	for (unsigned int i = 0; i < MAX_TENSORS; i++) {
		npy_free(&in[i]);
		npy_free(&out[i]);
	}
	return rc;
}

static int check_files(struct subject *s, const char *folder, unsigned int most, struct error *err)
{
	int rc = 0;

	for (unsigned int k = 0; k < most && !rc; k++) {
		struct npy in = { 0 }, out = { 0 };
		char path[PATH_ROOM];

		snprintf(path, sizeof(path), "%s/input_%u.npy", folder, k);
		if (access(path, R_OK))
			break;
		rc = npy_read(path, &in, err);
		snprintf(path, sizeof(path), "%s/output_%u.npy", folder, k);
		if (!rc)
			rc = npy_read(path, &out, err);
		ir_run_reset(s->run);
		if (!rc)
			rc = set_input(s, 0, &in, 0, 1, err);
		if (!rc)
			rc = run(s, err);
		if (!rc)
			rc = compare(s, 0, &out, 0, 1, err);
		npy_free(&out);
		/* What Vela's lowering of the same gives, with the same tables: that to the bit. */
		snprintf(path, sizeof(path), "%s/vela_output_%u.npy", folder, k);
		if (!rc && !access(path, R_OK)) {
			int bound = s->bound;

			s->bound = 0;
			rc = npy_read(path, &out, err);
			if (!rc)
				rc = compare(s, 0, &out, 0, 1, err);
			s->bound = bound;
			npy_free(&out);
		}
		npy_free(&in);
	}
	return rc;
}

/* @must: every operation has to be on the NPU. @npz: NULL: input_K.npy beside the model. */
static void check(struct suite *suite, const char *model, const char *npz, unsigned int vectors,
		  bool u85, bool must)
{
	struct error err = { "" };
	const struct ir_op *cpu;
	struct subject s;
	char folder[PATH_ROOM];
	int rc = open_subject(model, u85, &s, &err);
	const char *why = exception(model, &s.bound);

	if (!rc && suite->dump)
		ir_print(s.g, stdout);
	cpu = rc ? NULL : on_cpu(&s);
	if (cpu) {
		suite->cpu++;
		suite->missing += must;
		printf("%s %s %s: %s: %s\n", must ? "MISS" : "cpu ", families[u85], model,
		       ir_kind_info(cpu->kind)->name, cpu->why_cpu);
		close_subject(&s);
		return;
	}
	snprintf(folder, sizeof(folder), "%s", model);
	if (!rc)
		rc = npz ? check_npz(&s, npz, vectors, &err)
			 : check_files(&s, dirname(folder), vectors, &err);
	if (!rc && why) {
		printf("known %s %s: within %d: %s\n", families[u85], model, s.bound, why);
	} else if (rc) {
		suite->failed++;
		printf("FAIL %s %s: %s\n", families[u85], model, err.text);
	} else {
		suite->passed++;
		printf("ok   %s %s: %u operations\n", families[u85], model, s.g->op_count);
	}
	close_subject(&s);
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

static void check_ops(struct suite *suite)
{
	char path[PATH_ROOM], npz[PATH_ROOM];
	json_t *manifest, *entry;
	size_t i;

	snprintf(path, sizeof(path), "%s/ops/manifest.json", suite->folder);
	manifest = json_load_file(path, 0, NULL);
	json_array_foreach(json_object_get(manifest, "models"), i, entry) {
		const char *name = json_string_value(json_object_get(entry, "name"));

		if (suite->only && !strstr(name, suite->only))
			continue;
		snprintf(path, sizeof(path), "%s/ops/%s/model.tflite", suite->folder, name);
		snprintf(npz, sizeof(npz), "%s/ops/%s/io.npz", suite->folder, name);
		check(suite, path, npz, 3, false, lists(entry, "full", "u65-256"));
		check(suite, path, npz, 3, true, lists(entry, "full", "u85-256"));
	}
	json_decref(manifest);
}

static void check_glob(struct suite *suite, const char *pattern, bool single)
{
	char path[PATH_ROOM], npz[PATH_ROOM];
	glob_t found;

	snprintf(path, sizeof(path), "%s/%s", suite->folder, pattern);
	if (glob(path, 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *model = found.gl_pathv[i];

		if (suite->only && !strstr(model + strlen(suite->folder), suite->only))
			continue;
		snprintf(npz, sizeof(npz), "%.*s.npz", (int)(strlen(model) - 7), model);
		if (single && access(npz, R_OK))
			continue;
		/* What is large is run on one vector. */
		for (int u85 = 0; u85 < 2; u85++)
			check(suite, model, single ? npz : NULL,
			      single ? 0 : strstr(model, "mobilenet") ? 1 : 2, u85, false);
	}
	globfree(&found);
}

int main(int argc, char **argv)
{
	struct suite suite = { 0 };
	int opt;

	while ((opt = getopt(argc, argv, "vdm:")) != -1) {
		if (opt == 'm')
			suite.only = optarg;
		else if (opt == 'd')
			suite.dump = true;
		else
			suite.verbose = true;
	}
	suite.folder = argv[optind];
	if (!suite.folder || access(suite.folder, R_OK)) {
		printf("SKIP ir_exec: no models, set ACCEL_MODELS\n");
		return EXIT_SKIP;
	}
	check_ops(&suite);
	check_glob(&suite, "*/model.tflite", false);
	check_glob(&suite, "seanet/*.tflite", true);
	printf("ir_exec: %u passed, %u failed, %u with operators left to the CPU, %u of them that Vela "
	       "places on the NPU\n", suite.passed, suite.failed, suite.cpu, suite.missing);
	return suite.failed != 0;
}
