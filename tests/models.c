/* SPDX-License-Identifier: MIT */
/*
 * Tests: compiled models from file to result, the way `accel run` goes: TFLite reader, container,
 * memory plan, libaccel, simulated NPU. Every output byte is compared with what TFLite (or, where
 * Vela's lowering differs, the stream itself) gives.
 *
 * usage: models [-w] [-m part-of-model-name] [-d DEVICE] FOLDER...
 * -w: whole models only.
 * -d: on this device, and no models but those for its configuration; else each on a simulated NPU.
 * A folder holds ops/manifest.json with small models, or folders with vela-CONFIG.tflite,
 * input_K.npy and output_K.npy, or both. Exit status: 0 all passed, 1 not, 77 no models.
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

#include "runtime/model.h"
#include "runtime/npy.h"

#define EXIT_SKIP	77
#define MAX_TENSORS	16
#define MAX_DEVICES	16
#define PATH_ROOM	(PATH_MAX + 32)

struct suite {
	const char *folder;
	const char *only;
	bool one_device, whole_only;
	struct accel_device *devices[MAX_DEVICES];
	char names[MAX_DEVICES][32];
	unsigned int device_count;
	unsigned int passed, failed, skipped;
};

static void failure(struct suite *s, const char *path, const char *why)
{
	s->failed++;
	printf("FAIL %s: %s\n", path, why);
}

static void skip(struct suite *s, const char *path, const char *why)
{
	s->skipped++;
	printf("SKIP %s: %s\n", path, why);
}

static bool wanted(const struct suite *s, const char *name)
{
	return !s->only || strstr(name, s->only);
}

/* Is there a device for @config ("u65-256")? */
static bool runs_here(const struct suite *s, const char *config)
{
	return !s->one_device || !strcmp(s->names[0], config);
}

static void open_one(struct suite *s, const char *spec)
{
	struct accel_device_info info = { .size = sizeof(info) };
	struct accel_error why;

	if (accel_device_open(spec, &s->devices[0], &why)) {
		fprintf(stderr, "models: %s\n", why.msg);
		exit(1);
	}
	accel_device_get_info(s->devices[0], &info);
	snprintf(s->names[0], sizeof(s->names[0]), "%.31s", info.name + strlen("ethos-"));
	s->device_count = 1;
	s->one_device = true;
}

/* The simulated NPU that @config ("u65-256") stands for; opened once. */
static struct accel_device *device(struct suite *s, const char *config)
{
	struct accel_error why;
	char spec[64];

	for (unsigned int i = 0; i < s->device_count; i++)
		if (!strcmp(s->names[i], config))
			return s->devices[i];
	snprintf(spec, sizeof(spec), "sim:ethos-%s", config);
	if (s->device_count == MAX_DEVICES ||
	    accel_device_open(spec, &s->devices[s->device_count], &why)) {
		fprintf(stderr, "models: %s: %s\n", spec,
			s->device_count == MAX_DEVICES ? "too many" : why.msg);
		exit(1);
	}
	snprintf(s->names[s->device_count], sizeof(s->names[0]), "%s", config);
	return s->devices[s->device_count++];
}

/* Vector @vector of @vectors stacked ones in @array; NULL if it does not fit the tensor. */
static const uint8_t *slice(const struct npy *array, unsigned int vector, unsigned int vectors,
			    const struct image_tensor *t)
{
	size_t size = image_tensor_size(t);

	return array->size == size * vectors ? (const uint8_t *)array->data + vector * size : NULL;
}

static int compare(const struct model *m, unsigned int index, const uint8_t *want,
		   struct error *err)
{
	const uint8_t *got = model_output_data(m, index);
	size_t size = image_tensor_size(model_output(m, index)), wrong = 0, first = 0;

	for (size_t i = 0; i < size; i++)
		if (got[i] != want[i] && !wrong++)
			first = i;
	return wrong ? error_set(err, -EILSEQ,
				 "output %u: %zu of %zu bytes differ, first at %zu: got 0x%02x, "
				 "not 0x%02x",
				 index, wrong, size, first, got[first], want[first])
		     : 0;
}

/* One inference from a fresh state. */
static int infer(struct model *m, const struct npy *inputs, const struct npy *outputs,
		 unsigned int vector, unsigned int vectors, struct error *err)
{
	int rc;

	model_reset(m);
	for (unsigned int i = 0; i < model_input_count(m); i++) {
		const uint8_t *x = slice(&inputs[i], vector, vectors, model_input(m, i));

		if (!x)
			return error_set(err, -EINVAL, "the vectors do not fit input %u", i);
		memcpy(model_input_data(m, i), x, image_tensor_size(model_input(m, i)));
	}
	rc = model_run(m, err);
	for (unsigned int i = 0; i < model_output_count(m) && !rc; i++) {
		const uint8_t *y = slice(&outputs[i], vector, vectors, model_output(m, i));

		rc = y ? compare(m, i, y, err)
		       : error_set(err, -EINVAL, "the vectors do not fit output %u", i);
	}
	return rc;
}

static void free_arrays(struct npy *arrays)
{
	for (unsigned int i = 0; i < MAX_TENSORS; i++)
		npy_free(&arrays[i]);
}

static int load_arrays(const char *path, const char *prefix, struct npy *arrays, unsigned int count,
		       struct error *err)
{
	char name[32];
	struct npz *npz;
	int rc = npz_open(path, &npz, err);

	if (rc)
		return rc;
	if (count > MAX_TENSORS)
		rc = error_set(err, -EINVAL, "%u tensors", count);
	for (unsigned int i = 0; i < count && !rc; i++) {
		snprintf(name, sizeof(name), "%s_%u", prefix, i);
		rc = npz_get(npz, name, &arrays[i], err);
	}
	npz_close(npz);
	return rc;
}

/* A small model: three vectors stacked in io.npz, other outputs in expect-CONFIG.npz if @specific.
 */
static int run_small(struct suite *s, const char *path, const char *name, const char *config,
		     bool specific, unsigned int vectors, struct error *err)
{
	struct npy inputs[MAX_TENSORS] = { 0 }, outputs[MAX_TENSORS] = { 0 };
	char data[PATH_ROOM];
	struct model *m;
	int rc = model_open(path, device(s, config), &m, err);

	if (rc)
		return rc;
	snprintf(data, sizeof(data), "%s/ops/%s/io.npz", s->folder, name);
	rc = load_arrays(data, "input", inputs, model_input_count(m), err);
	if (specific)
		snprintf(data, sizeof(data), "%s/ops/%s/expect-%s.npz", s->folder, name, config);
	if (!rc)
		rc = load_arrays(data, "output", outputs, model_output_count(m), err);
	for (unsigned int v = 0; v < vectors && !rc; v++)
		rc = infer(m, inputs, outputs, v, vectors, err);
	free_arrays(inputs);
	free_arrays(outputs);
	model_close(m);
	return rc;
}

static void check_small(struct suite *s, const char *name, const char *config, const char *kind,
			unsigned int vectors)
{
	struct error err = { "" };
	char path[PATH_ROOM];

	snprintf(path, sizeof(path), "%s/ops/%s/vela-%s.tflite", s->folder, name, config);
	if (!strcmp(kind, "vela-undefined")) {
		skip(s, path, "the stream's result is not defined");
		return;
	}
	if (run_small(s, path, name, config, !strcmp(kind, "vela-specific"), vectors, &err)) {
		failure(s, path, err.text);
		return;
	}
	s->passed++;
	printf("ok   %s\n", path);
}

/* A model that Vela left in part to the CPU is refused by name. */
static void check_refusal(struct suite *s, const char *name, const char *config)
{
	struct error err = { "" };
	char path[PATH_ROOM];
	struct model *m;
	int rc;

	snprintf(path, sizeof(path), "%s/ops/%s/vela-%s.tflite", s->folder, name, config);
	rc = model_open(path, device(s, config), &m, &err);
	if (!rc)
		model_close(m);
	if (rc != -ENOTSUP || !strstr(err.text, path) || !strstr(err.text, " (1)")) {
		failure(s, path, rc ? err.text : "opened, although operators are left on the CPU");
		return;
	}
	s->passed++;
	printf("ok   %s\n", err.text);
}

static void check_manifest(struct suite *s)
{
	json_t *manifest, *entry, *kind, *config;
	char path[PATH_ROOM];
	unsigned int vectors;
	const char *key;
	size_t i, j;

	snprintf(path, sizeof(path), "%s/ops/manifest.json", s->folder);
	manifest = json_load_file(path, 0, NULL);
	if (!manifest) {
		skip(s, path, "no such file");
		return;
	}
	vectors = (unsigned int)json_integer_value(json_object_get(manifest, "vectors_per_model"));
	json_array_foreach(json_object_get(manifest, "models"), i, entry) {
		const char *name = json_string_value(json_object_get(entry, "name"));

		if (!wanted(s, name))
			continue;
		json_object_foreach(json_object_get(entry, "exact"), key, kind)
			if (runs_here(s, key))
				check_small(s, name, key, json_string_value(kind), vectors);
		json_array_foreach(json_object_get(entry, "part"), j, config)
			if (runs_here(s, json_string_value(config)))
				check_refusal(s, name, json_string_value(config));
	}
	json_decref(manifest);
}

/* One of the vectors of a whole model; -ENOENT: there is none of that number. */
static int infer_file(struct model *m, const char *folder, unsigned int k, struct error *err)
{
	struct npy input = { 0 }, output = { 0 };
	char path[PATH_ROOM];
	int rc;

	snprintf(path, sizeof(path), "%s/input_%u.npy", folder, k);
	if (access(path, R_OK))
		return -ENOENT;
	rc = npy_read(path, &input, err);
	/* Where Vela lowers an LSTM in its own way, that is what the NPU has to give. */
	snprintf(path, sizeof(path), "%s/vela_output_%u.npy", folder, k);
	if (access(path, R_OK))
		snprintf(path, sizeof(path), "%s/output_%u.npy", folder, k);
	if (!rc)
		rc = npy_read(path, &output, err);
	if (rc == -ENOENT)
		rc = -EINVAL;
	if (!rc && (model_input_count(m) != 1 || model_output_count(m) != 1))
		rc = error_set(err, -EINVAL, "not one input and one output");
	if (!rc)
		rc = infer(m, &input, &output, 0, 1, err);
	npy_free(&input);
	npy_free(&output);
	return rc;
}

static void check_whole(struct suite *s, const char *path)
{
	struct error err = { "" };
	char folder[PATH_MAX], config[32];
	unsigned int k = 0;
	struct model *m;
	int rc;

	snprintf(folder, sizeof(folder), "%s", path);
	dirname(folder);
	if (sscanf(strrchr(path, '/'), "/vela-ethos-%31[^.].tflite", config) != 1) {
		failure(s, path, "its name does not say for which NPU it is");
		return;
	}
	if (!runs_here(s, config))
		return;
	rc = model_open(path, device(s, config), &m, &err);
	if (!rc) {
		while (!(rc = infer_file(m, folder, k, &err)))
			k++;
		model_close(m);
	}
	if (rc != -ENOENT || !k) {
		failure(s, path, k || err.text[0] ? err.text : "no vectors");
		return;
	}
	s->passed++;
	printf("ok   %s, %u vectors\n", path, k);
}

static void check_wholes(struct suite *s)
{
	char pattern[PATH_MAX];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/*/vela-ethos-*.tflite", s->folder);
	if (glob(pattern, 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		if (wanted(s, found.gl_pathv[i]))
			check_whole(s, found.gl_pathv[i]);
	globfree(&found);
}

int main(int argc, char **argv)
{
	struct suite s = { 0 };
	int opt;

	while ((opt = getopt(argc, argv, "wm:d:")) != -1) {
		if (opt == 'm') {
			s.only = optarg;
		} else if (opt == 'w') {
			s.whole_only = true;
		} else if (opt == 'd' && !s.device_count) {
			open_one(&s, optarg);
		} else {
			fprintf(stderr, "usage: models [-w] [-m part-of-model-name] [-d DEVICE] "
				"FOLDER...\n");
			return 2;
		}
	}
	for (int i = optind; i < argc; i++) {
		s.folder = argv[i];
		if (!s.whole_only)
			check_manifest(&s);
		check_wholes(&s);
	}
	for (unsigned int i = 0; i < s.device_count; i++)
		accel_device_unref(s.devices[i]);
	printf("models: %u passed, %u failed, %u skipped\n", s.passed, s.failed, s.skipped);
	return s.failed ? 1 : s.passed ? 0 : EXIT_SKIP;
}
