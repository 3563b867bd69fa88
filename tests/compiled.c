/* SPDX-License-Identifier: MIT */
/*
 * Tests: models through the whole of our compiler and the simulated NPU in strict mode: every byte as
 * TFLite's reference kernels give it.
 *
 * usage: compiled [-t CONFIG]... [-m part-of-name] [-n vectors] FOLDER
 * FOLDER is laid out as ACCEL_MODELS. Exit 77: no models.
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

#include "runtime/compile/compile_model.h"
#include "runtime/model.h"
#include "runtime/npy.h"

#define PATH_ROOM	(PATH_MAX + 32)
#define MAX_TENSORS	16
#define MAX_TARGETS	16
#define EXIT_SKIP	77

struct suite {
	const char *folder, *only;
	const char *targets[MAX_TARGETS];
	unsigned int target_count, vectors;
	unsigned int passed, failed, refused;
	struct accel_device *device;
	int bound;
};

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

static int compare(struct model *m, unsigned int i, const struct npy *array, unsigned int vector,
		   unsigned int vectors, int bound, struct error *err)
{
	const unsigned char *got = model_output_data(m, i), *want;
	size_t size = image_tensor_size(model_output(m, i)), wrong = 0, first = 0;

	if (array->size != size * vectors)
		return error_set(err, -EINVAL, "the vectors do not fit output %u", i);
	want = (const unsigned char *)array->data + vector * size;
	for (size_t k = 0; k < size; k++)
		if (abs((int8_t)got[k] - (int8_t)want[k]) > bound && !wrong++)
			first = k;
	return wrong ? error_set(err, -EILSEQ,
				 "vector %u, output %u: %zu of %zu bytes differ, first at %zu: got 0x%02x, not 0x%02x",
				 vector, i, wrong, size, first, got[first], want[first]) : 0;
}

/* Vector @vector of @vectors stacked in each array. */
static int infer(struct model *m, const struct npy *in, const struct npy *out, unsigned int vector,
		 unsigned int vectors, int bound, struct error *err)
{
	int rc;

	model_reset(m);
	for (unsigned int i = 0; i < model_input_count(m); i++) {
		size_t size = image_tensor_size(model_input(m, i));

		if (in[i].size != size * vectors)
			return error_set(err, -EINVAL, "the vectors do not fit input %u", i);
		memcpy(model_input_data(m, i), (const char *)in[i].data + vector * size, size);
	}
	rc = model_run(m, err);
	for (unsigned int i = 0; i < model_output_count(m) && !rc; i++)
		rc = compare(m, i, &out[i], vector, vectors, bound, err);
	return rc;
}

static int check_npz(struct suite *s, struct model *m, const char *path, unsigned int vectors,
		     struct error *err)
{
	struct npy in[MAX_TENSORS] = { 0 }, out[MAX_TENSORS] = { 0 };
	struct npz *npz;
	char name[32];
	int rc = npz_open(path, &npz, err);

	if (rc)
		return rc;
	for (unsigned int i = 0; i < model_input_count(m) && i < MAX_TENSORS && !rc; i++) {
		snprintf(name, sizeof(name), "input_%u", i);
		rc = npz_get(npz, name, &in[i], err);
	}
	for (unsigned int i = 0; i < model_output_count(m) && i < MAX_TENSORS && !rc; i++) {
		snprintf(name, sizeof(name), "output_%u", i);
		rc = npz_get(npz, name, &out[i], err);
	}
	npz_close(npz);
	if (!rc && !vectors)
		vectors = (unsigned int)(in[0].size / image_tensor_size(model_input(m, 0)));
	for (unsigned int v = 0; v < vectors && v < s->vectors && !rc; v++)
		rc = infer(m, in, out, v, vectors, s->bound, err);
	for (unsigned int i = 0; i < MAX_TENSORS; i++) {
		npy_free(&in[i]);
		npy_free(&out[i]);
	}
	return rc;
}

static int check_files(struct suite *s, struct model *m, const char *folder, struct error *err)
{
	int rc = 0;

	for (unsigned int k = 0; k < s->vectors && !rc; k++) {
		struct npy in = { 0 }, out = { 0 };
		char path[PATH_ROOM];

		snprintf(path, sizeof(path), "%s/input_%u.npy", folder, k);
		if (access(path, R_OK))
			break;
		rc = npy_read(path, &in, err);
		snprintf(path, sizeof(path), "%s/output_%u.npy", folder, k);
		if (!rc)
			rc = npy_read(path, &out, err);
		if (!rc)
			rc = infer(m, &in, &out, 0, 1, s->bound, err);
		npy_free(&out);
		/* What Vela's lowering of the same gives, with the same tables: that to the bit. */
		snprintf(path, sizeof(path), "%s/vela_output_%u.npy", folder, k);
		if (!rc && !access(path, R_OK)) {
			rc = npy_read(path, &out, err);
			if (!rc)
				rc = compare(m, 0, &out, 0, 1, 0, err);
			npy_free(&out);
		}
		npy_free(&in);
	}
	return rc;
}

static void check(struct suite *s, const char *target, const char *path, const char *npz,
		  unsigned int vectors)
{
	struct error err = { "" };
	struct model *m = NULL;
	char folder[PATH_ROOM];
	struct image *image;
	const char *why = exception(path, &s->bound);
	int rc = compile_for_device(path, target, &image, &err);

	if (!rc)
		rc = model_create(image, s->device, &m, &err);
	if (rc == -ENOTSUP) {
		s->refused++;
		printf("cpu  %s %s: %s\n", target, path, err.text);
		return;
	}
	snprintf(folder, sizeof(folder), "%s", path);
	if (!rc)
		rc = npz ? check_npz(s, m, npz, vectors, &err)
			 : check_files(s, m, dirname(folder), &err);
	if (!rc && why) {
		printf("known %s %s: within %d: %s\n", target, path, s->bound, why);
	} else if (rc) {
		s->failed++;
		printf("FAIL %s %s: %s\n", target, path, err.text);
	} else {
		s->passed++;
		printf("ok   %s %s\n", target, path);
	}
	if (m)
		model_close(m);
}

static void check_ops(struct suite *s, const char *target)
{
	char path[PATH_ROOM], npz[PATH_ROOM];
	json_t *manifest, *entry;
	size_t i;

	snprintf(path, sizeof(path), "%s/ops/manifest.json", s->folder);
	manifest = json_load_file(path, 0, NULL);
	json_array_foreach(json_object_get(manifest, "models"), i, entry) {
		const char *name = json_string_value(json_object_get(entry, "name"));

		if (s->only && !strstr(name, s->only))
			continue;
		snprintf(path, sizeof(path), "%s/ops/%s/model.tflite", s->folder, name);
		snprintf(npz, sizeof(npz), "%s/ops/%s/io.npz", s->folder, name);
		check(s, target, path, npz, 3);
	}
	json_decref(manifest);
}

static void check_glob(struct suite *s, const char *target, const char *pattern, bool single)
{
	char path[PATH_ROOM], npz[PATH_ROOM];
	glob_t found;

	snprintf(path, sizeof(path), "%s/%s", s->folder, pattern);
	if (glob(path, 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *model = found.gl_pathv[i];

		if (s->only && !strstr(model + strlen(s->folder), s->only))
			continue;
		snprintf(npz, sizeof(npz), "%.*s.npz", (int)(strlen(model) - 7), model);
		if (single && access(npz, R_OK))
			continue;
		check(s, target, model, single ? npz : NULL, 0);
	}
	globfree(&found);
}

static void check_target(struct suite *s, const char *target)
{
	struct accel_error why;
	char spec[64];

	snprintf(spec, sizeof(spec), "sim:ethos-%s,strict", target);
	if (accel_device_open(spec, &s->device, &why)) {
		fprintf(stderr, "compiled: %s: %s\n", spec, why.msg);
		exit(1);
	}
	check_ops(s, target);
	check_glob(s, target, "*/model.tflite", false);
	check_glob(s, target, "seanet/*.tflite", true);
	accel_device_unref(s->device);
}

int main(int argc, char **argv)
{
	static const char *const usual[] = { "u55-128", "u65-256", "u65-512", "u85-256", "u85-1024" };
	struct suite s = { .vectors = 3 };
	int opt;

	while ((opt = getopt(argc, argv, "t:m:n:")) != -1) {
		if (opt == 'm')
			s.only = optarg;
		else if (opt == 'n')
			s.vectors = (unsigned int)atoi(optarg);
		else if (opt == 't' && s.target_count < MAX_TARGETS)
			s.targets[s.target_count++] = optarg;
	}
	s.folder = argv[optind];
	if (!s.folder || access(s.folder, R_OK)) {
		printf("SKIP compiled: no models, set ACCEL_MODELS\n");
		return EXIT_SKIP;
	}
	for (unsigned int i = 0; !s.target_count && i < sizeof(usual) / sizeof(usual[0]); i++)
		check_target(&s, usual[i]);
	for (unsigned int i = 0; i < s.target_count; i++)
		check_target(&s, s.targets[i]);
	printf("compiled: %u passed, %u failed, %u refused for an operator that nothing can run\n",
	       s.passed, s.failed, s.refused);
	return s.failed != 0;
}
