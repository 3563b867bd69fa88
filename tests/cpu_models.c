/* SPDX-License-Identifier: MIT */
/*
 * Tests: models on the CPU alone, no NPU anywhere, against the outputs of TFLite's reference kernels.
 *
 * usage: cpu_models [-m part-of-path] FOLDER...
 * A folder holds MODEL/model.tflite with input_K.npy and output_K.npy, ops/MODEL/model.tflite with
 * vectors stacked in io.npz, and seanet/MODEL.tflite with MODEL.npz. Exit status: 0, 1, 77 no models.
 */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/compile/import.h"
#include "runtime/cpu/graph.h"
#include "runtime/npy.h"

#define EXIT_SKIP	77
#define MAX_TENSORS	16
#define STACKED		3	/* vectors of a small model */
#define PATH_ROOM	4096

struct tally {
	unsigned int passed, failed, skipped;
};

static int run_vector(struct cpu_graph *c, const struct ir_graph *g, const struct npy *in,
		      const struct npy *out, unsigned int vector, unsigned int vectors,
		      struct error *err)
{
	int ret;

	cpu_graph_reset(c);
	for (uint32_t i = 0; i < g->input_count; i++) {
		size_t size = ir_tensor_bytes(&g->tensors[g->inputs[i]]);

		if (in[i].size != size * vectors)
			return error_set(err, -EINVAL, "the vectors do not fit input %u", i);
		memcpy(cpu_graph_tensor(c, g->inputs[i]), (uint8_t *)in[i].data + vector * size, size);
	}
	ret = cpu_graph_run(c, err);
	for (uint32_t i = 0; i < g->output_count && !ret; i++) {
		size_t size = ir_tensor_bytes(&g->tensors[g->outputs[i]]), wrong = 0, first = 0;
		const uint8_t *got = cpu_graph_tensor(c, g->outputs[i]), *want;

		if (out[i].size != size * vectors)
			return error_set(err, -EINVAL, "the vectors do not fit output %u", i);
		want = (uint8_t *)out[i].data + vector * size;
		for (size_t k = 0; k < size; k++)
			if (got[k] != want[k] && !wrong++)
				first = k;
		if (wrong)
			ret = error_set(err, -EILSEQ, "vector %u, output %u: %zu of %zu bytes differ, "
					"first at %zu: got 0x%02x, not 0x%02x", vector, i, wrong, size,
					first, got[first], want[first]);
	}
	return ret;
}

static void free_arrays(struct npy *arrays)
{
	for (unsigned int i = 0; i < MAX_TENSORS; i++)
		npy_free(&arrays[i]);
}

static int load(struct npz *npz, const char *prefix, uint32_t count, struct npy *arrays,
		struct error *err)
{
	char name[32];
	int ret = count > MAX_TENSORS ? error_set(err, -EINVAL, "%u tensors", count) : 0;

	for (uint32_t i = 0; i < count && !ret; i++) {
		snprintf(name, sizeof(name), "%s_%u", prefix, i);
		ret = npz_get(npz, name, &arrays[i], err);
	}
	return ret;
}

static int run_archive(struct cpu_graph *c, const struct ir_graph *g, const char *path,
		       unsigned int vectors, struct error *err)
{
	struct npy in[MAX_TENSORS] = { 0 }, out[MAX_TENSORS] = { 0 };
	struct npz *npz;
	int ret = npz_open(path, &npz, err);

	if (ret)
		return ret;
	ret = load(npz, "input", g->input_count, in, err);
	if (!ret)
		ret = load(npz, "output", g->output_count, out, err);
	for (unsigned int v = 0; v < vectors && !ret; v++)
		ret = run_vector(c, g, in, out, v, vectors, err);
	npz_close(npz);
	free_arrays(in);
	free_arrays(out);
	return ret;
}

static int run_files(struct cpu_graph *c, const struct ir_graph *g, const char *folder,
		     struct error *err)
{
	int ret = 0;
	unsigned int k;

	for (k = 0; !ret; k++) {
		struct npy in = { 0 }, out = { 0 };
		char path[PATH_ROOM + 32];

		snprintf(path, sizeof(path), "%s/input_%u.npy", folder, k);
		if (access(path, R_OK))
			break;
		ret = npy_read(path, &in, err);
		snprintf(path, sizeof(path), "%s/output_%u.npy", folder, k);
		if (!ret)
			ret = npy_read(path, &out, err);
		if (!ret)
			ret = run_vector(c, g, &in, &out, 0, 1, err);
		npy_free(&in);
		npy_free(&out);
	}
	return ret || k ? ret : error_set(err, -ENOENT, "no vectors");
}

/* The vectors of a model: beside it, as MODEL.npz, io.npz or input_0.npy. */
static int run_all(struct cpu_graph *c, const struct ir_graph *g, const char *path,
		   struct error *err)
{
	char vectors[PATH_ROOM];
	size_t folder = (size_t)(strrchr(path, '/') - path);

	snprintf(vectors, sizeof(vectors), "%.*s.npz", (int)(strlen(path) - strlen(".tflite")), path);
	if (!access(vectors, R_OK))
		return run_archive(c, g, vectors, 1, err);
	snprintf(vectors, sizeof(vectors), "%.*s/io.npz", (int)folder, path);
	if (!access(vectors, R_OK))
		return run_archive(c, g, vectors, STACKED, err);
	snprintf(vectors, sizeof(vectors), "%.*s", (int)folder, path);
	return run_files(c, g, vectors, err);
}

static int check(const char *path, struct error *err)
{
	struct ir_graph *g = NULL;
	struct cpu_graph *c = NULL;
	struct tflite model;
	int ret = tflite_read(path, &model, err);

	if (ret)
		return ret;
	ret = import_tflite(&model, path, &g, err);
	tflite_free(&model);
	if (!ret)
		ret = cpu_graph_create(g, &c, err);
	if (!ret)
		ret = run_all(c, g, path, err);
	cpu_graph_free(c);
	if (g)
		ir_free(g);
	return ret;
}

static void search(struct tally *t, const char *folder, const char *pattern, const char *only)
{
	char path[PATH_ROOM];
	glob_t found;

	snprintf(path, sizeof(path), "%s/%s", folder, pattern);
	if (glob(path, 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct error err = { "" };
		clock_t start = clock();
		int ret;

		if (only && !strstr(found.gl_pathv[i], only))
			continue;
		ret = check(found.gl_pathv[i], &err);
		if (ret == -ENOENT)
			t->skipped++;
		else if (ret)
			t->failed++;
		else
			t->passed++;
		printf("%s %s: %s (%.0f ms)\n", !ret ? "ok  " : ret == -ENOENT ? "SKIP" : "FAIL",
		       found.gl_pathv[i], err.text, (double)(clock() - start) * 1e3 / CLOCKS_PER_SEC);
	}
	globfree(&found);
}

int main(int argc, char **argv)
{
	struct tally t = { 0 };
	const char *only = NULL;
	int opt;

	while ((opt = getopt(argc, argv, "m:")) != -1) {
		if (opt != 'm') {
			fprintf(stderr, "usage: cpu_models [-m part-of-path] FOLDER...\n");
			return 2;
		}
		only = optarg;
	}
	for (int i = optind; i < argc; i++) {
		search(&t, argv[i], "*/model.tflite", only);
		search(&t, argv[i], "ops/*/model.tflite", only);
		search(&t, argv[i], "seanet/*.tflite", only);
	}
	printf("models on the CPU: %u passed, %u failed, %u skipped\n", t.passed, t.failed, t.skipped);
	return t.failed ? 1 : t.passed ? 0 : EXIT_SKIP;
}
