/* SPDX-License-Identifier: MIT */
/*
 * Tests: run the streams that Vela made of the models in a folder and compare every output byte with
 * what TFLite (or, where Vela's lowering differs, the stream itself) gives.
 *
 * usage: golden [-a] [-e engine] [-c config] [-m part-of-model-name] models-folder
 * -a: all vectors, also of what takes long in plain C. Exit status: 0 all passed, 1 not, 77 no models.
 */
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/npy.h"
#include "tests/stream_run.h"

#define EXIT_SKIP 77
#define PATH_MAX_LEN 512

struct golden {
	const char *models;
	const struct npu_engine_ops *ops;
	const char *only_config;
	const char *only_model;
	bool all;
	unsigned int passed, failed, skipped;
};

/* The configurations that whole models were compiled for. */
static const char *const whole_configs[] = { "u55-128", "u65-256", "u65-512", "u85-256" };

/*
 * struct whole - a model with input_k.npy and output_k.npy, k = 0..7
 * @prefix: of the expected outputs; "vela_output" where Vela's lowering of an LSTM differs from TFLite
 * @usual: how many vectors to run if not all
 */
struct whole {
	const char *name;
	const char *prefix;
	unsigned int usual;
};

#define WHOLE_VECTORS 8

static const struct whole wholes[] = {
	{ "ad01_int8", "output", WHOLE_VECTORS },
	{ "digits_opmix_int8", "output", WHOLE_VECTORS },
	{ "dtln_noise_suppression", "vela_output", WHOLE_VECTORS },
	{ "hello_world_int8", "output", WHOLE_VECTORS },
	{ "kws_ref_model", "output", WHOLE_VECTORS },
	{ "micro_speech_lstm", "vela_output", WHOLE_VECTORS },
	{ "micro_speech_quantized", "output", WHOLE_VECTORS },
	{ "mobilenet_v2_q_nchw", "output", 1 },
	{ "person_detect_qd0", "output", WHOLE_VECTORS },
	{ "pretrainedResnet_quant", "output", WHOLE_VECTORS },
	{ "str_ww_ref_model", "output", WHOLE_VECTORS },
	{ "vww_96_int8", "output", WHOLE_VECTORS },
};

static bool wanted(const struct golden *g, const char *model, const char *config)
{
	return (!g->only_model || strstr(model, g->only_model)) &&
	       (!g->only_config || !strcmp(config, g->only_config));
}

static void skip(struct golden *g, const char *model, const char *config, const char *why)
{
	g->skipped++;
	printf("SKIP %s %s: %s\n", model, config, why);
}

static void failure(struct golden *g, const char *model, const char *config, const char *why)
{
	g->failed++;
	printf("FAIL %s %s: %s\n", model, config, why);
}

static bool same(const uint8_t *got, const uint8_t *want, const struct vela_tensor *t, char *why,
		 size_t why_len)
{
	size_t first = SIZE_MAX, wrong = 0;

	for (size_t i = 0; i < t->size; i++) {
		if (got[i] == want[i])
			continue;
		if (!wrong++)
			first = i;
	}
	if (!wrong)
		return true;
	snprintf(why, why_len, "output %.80s: %zu of %zu bytes differ, first at %zu: got 0x%02x, not 0x%02x",
		 t->name, wrong, t->size, first, got[first], want[first]);
	return false;
}

/* Slice @vector of @vectors stacked ones. NULL if the array does not fit the tensor. */
static uint8_t *slice(const struct npy *array, unsigned int vector, unsigned int vectors, size_t size)
{
	if (array->size != size * vectors)
		return NULL;
	return (uint8_t *)array->data + vector * size;
}

/*
 * One inference. @inputs and @outputs hold @vectors stacked arrays, in the order of the model's inputs
 * and outputs.
 */
static bool infer(struct stream_run *run, const struct npy *inputs, const struct npy *outputs,
		  unsigned int vector, unsigned int vectors, char *why, size_t why_len)
{
	const struct vela_file *file = &run->file;

	stream_reset(run);
	for (size_t i = 0; i < file->input_count; i++) {
		const uint8_t *from = slice(&inputs[i], vector, vectors, file->inputs[i].size);
		uint8_t *to = stream_tensor(run, &file->inputs[i]);

		if (!from || !to) {
			snprintf(why, why_len, "input %zu does not fit", i);
			return false;
		}
		memcpy(to, from, file->inputs[i].size);
	}
	if (stream_infer(run, why, why_len))
		return false;
	for (size_t i = 0; i < file->output_count; i++) {
		const uint8_t *want = slice(&outputs[i], vector, vectors, file->outputs[i].size);
		const uint8_t *got = stream_tensor(run, &file->outputs[i]);

		if (!want || !got) {
			snprintf(why, why_len, "output %zu does not fit", i);
			return false;
		}
		if (!same(got, want, &file->outputs[i], why, why_len))
			return false;
	}
	return true;
}

/* @run was opened, or not: @opened. Closes it and books the result. */
static void book(struct golden *g, struct stream_run *run, const char *model, const char *config, bool good,
		 const char *why)
{
	stream_close(run);
	if (!good) {
		failure(g, model, config, why);
		return;
	}
	g->passed++;
	printf("ok   %s %s\n", model, config);
}

static void free_arrays(struct npy *arrays, size_t count)
{
	for (size_t i = 0; i < count; i++)
		npy_free(&arrays[i]);
}

static bool load_arrays(const char *path, const char *prefix, struct npy *arrays, size_t count, char *why,
			size_t why_len)
{
	struct error err = { "" };
	struct npz *npz = NULL;
	char name[32];
	bool good = !npz_open(path, &npz, &err);

	for (size_t i = 0; good && i < count; i++) {
		snprintf(name, sizeof(name), "%s_%zu", prefix, i);
		good = !npz_get(npz, name, &arrays[i], &err);
	}
	if (npz)
		npz_close(npz);
	if (!good)
		snprintf(why, why_len, "%s", err.text);
	return good;
}

/* A model of the operator suite: io.npz holds three stacked vectors. */
static void run_op_model(struct golden *g, const char *model, const char *config, bool specific,
			 unsigned int vectors)
{
	struct npy inputs[VELA_MAX_TENSORS] = { 0 }, outputs[VELA_MAX_TENSORS] = { 0 };
	char path[PATH_MAX_LEN], why[640] = "";
	struct stream_run run;
	bool good;

	snprintf(path, sizeof(path), "%s/ops/%s/vela-%s.tflite", g->models, model, config);
	good = !stream_open(&run, path, npu_config_find(config), g->ops, NULL, why, sizeof(why));
	if (good) {
		snprintf(path, sizeof(path), "%s/ops/%s/io.npz", g->models, model);
		good = load_arrays(path, "input", inputs, run.file.input_count, why, sizeof(why));
	}
	if (good && specific)
		snprintf(path, sizeof(path), "%s/ops/%s/expect-%s.npz", g->models, model, config);
	if (good)
		good = load_arrays(path, "output", outputs, run.file.output_count, why, sizeof(why));
	for (unsigned int v = 0; good && v < vectors; v++)
		good = infer(&run, inputs, outputs, v, vectors, why, sizeof(why));
	free_arrays(inputs, VELA_MAX_TENSORS);
	free_arrays(outputs, VELA_MAX_TENSORS);
	book(g, &run, model, config, good, why);
}

static void run_entry(struct golden *g, json_t *entry, unsigned int vectors)
{
	const char *model = json_string_value(json_object_get(entry, "name"));
	json_t *exact = json_object_get(entry, "exact");
	const char *config;
	json_t *value;
	size_t i;

	json_object_foreach(exact, config, value) {
		const char *kind = json_string_value(value);

		if (!wanted(g, model, config))
			continue;
		if (!strcmp(kind, "vela-undefined"))
			skip(g, model, config, "the stream's result is not defined");
		else
			run_op_model(g, model, config, !strcmp(kind, "vela-specific"), vectors);
	}
	json_array_foreach(json_object_get(entry, "part"), i, value)
		if (wanted(g, model, json_string_value(value)))
			skip(g, model, json_string_value(value), "part of it stays on the CPU");
}

static int run_ops(struct golden *g)
{
	char path[PATH_MAX_LEN];
	json_error_t err;
	json_t *manifest, *entry;
	size_t i;
	unsigned int vectors;

	snprintf(path, sizeof(path), "%s/ops/manifest.json", g->models);
	manifest = json_load_file(path, 0, &err);
	if (!manifest) {
		printf("SKIP: %s: %s\n", path, err.text);
		return EXIT_SKIP;
	}
	vectors = (unsigned int)json_integer_value(json_object_get(manifest, "vectors_per_model"));
	json_array_foreach(json_object_get(manifest, "models"), i, entry)
		run_entry(g, entry, vectors);
	json_decref(manifest);
	return 0;
}

static bool infer_file(struct golden *g, struct stream_run *run, const struct whole *whole, unsigned int k,
		       char *why, size_t why_len)
{
	struct npy input = { 0 }, output = { 0 };
	struct error err = { "" };
	char path[PATH_MAX_LEN];
	bool good;

	if (run->file.input_count != 1 || run->file.output_count != 1) {
		snprintf(why, why_len, "not one input and one output");
		return false;
	}
	snprintf(path, sizeof(path), "%s/%s/input_%u.npy", g->models, whole->name, k);
	good = !npy_read(path, &input, &err);
	if (good) {
		snprintf(path, sizeof(path), "%s/%s/%s_%u.npy", g->models, whole->name, whole->prefix, k);
		good = !npy_read(path, &output, &err);
	}
	if (good)
		good = infer(run, &input, &output, 0, 1, why, why_len);
	else
		snprintf(why, why_len, "%s", err.text);
	npy_free(&input);
	npy_free(&output);
	return good;
}

static void run_whole(struct golden *g, const struct whole *whole, const char *config)
{
	unsigned int vectors = g->all ? WHOLE_VECTORS : whole->usual;
	char path[PATH_MAX_LEN], why[640] = "";
	struct stream_run run;
	bool good;

	if (!wanted(g, whole->name, config))
		return;
	snprintf(path, sizeof(path), "%s/%s/vela-ethos-%s.tflite", g->models, whole->name, config);
	if (access(path, R_OK)) {
		skip(g, whole->name, config, "no such file");
		return;
	}
	good = !stream_open(&run, path, npu_config_find(config), g->ops, NULL, why, sizeof(why));
	for (unsigned int k = 0; good && k < vectors; k++)
		good = infer_file(g, &run, whole, k, why, sizeof(why));
	book(g, &run, whole->name, config, good, why);
}

static int usage(void)
{
	fprintf(stderr, "usage: golden [-a] [-e engine] [-c config] [-m part-of-model-name] models-folder\n");
	return 2;
}

static const struct npu_engine_ops *find_engine(const char *name)
{
	if (!strcmp(name, "reference"))
		return &npu_engine_reference;
	if (!strcmp(name, "opencl"))
		return &npu_engine_opencl;
	return NULL;
}

int main(int argc, char **argv)
{
	struct golden g = { .ops = &npu_engine_reference };
	int opt;

	while ((opt = getopt(argc, argv, "ae:c:m:")) != -1) {
		switch (opt) {
		case 'a':
			g.all = true;
			break;
		case 'e':
			g.ops = find_engine(optarg);
			break;
		case 'c':
			g.only_config = optarg;
			break;
		case 'm':
			g.only_model = optarg;
			break;
		default:
			return usage();
		}
	}
	if (optind != argc - 1 || !g.ops)
		return usage();
	g.models = argv[optind];

	if (run_ops(&g))
		return EXIT_SKIP;
	for (size_t i = 0; i < sizeof(wholes) / sizeof(*wholes); i++)
		for (size_t c = 0; c < sizeof(whole_configs) / sizeof(*whole_configs); c++)
			run_whole(&g, &wholes[i], whole_configs[c]);
	printf("golden (%s): %u passed, %u failed, %u skipped\n", g.ops->name, g.passed, g.failed, g.skipped);
	return g.failed || !g.passed;
}
