/* SPDX-License-Identifier: MIT */
/*
 * A model on the CPU for tests/cpu_tflite.py, and models with other scales and zero points.
 *
 * usage: cpu_run MODEL INPUTS OUTPUTS
 *	  cpu_run -m SEED MODEL CHANGED
 * INPUTS holds vectors one after the other, each the graph's inputs in order; OUTPUTS likewise. Every
 * vector starts from the initial state. Exit status: 0, 1, or 77: the CPU refuses the model.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/compile/import.h"
#include "runtime/cpu/graph.h"
#include "runtime/file.h"

#define EXIT_SKIP 77

static uint64_t rng_state;

static uint32_t draw(uint32_t below)
{
	rng_state = rng_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((rng_state >> 33) % below);
}

/* Another scale, 1/4 to 4 times as large, and another zero point where there can be one. */
static void change_tensor(const struct tflite_tensor *t)
{
	float scale;
	int64_t zero = (int64_t)draw(255) - 127 + (t->type == ELEM_UINT8 ? 128 : 0);

	if (t->scale_count != 1 || t->zero_point_count != 1)
		return;
	scale = tflite_scale(t, 0) * (float)(1 + draw(1000)) / 250.0f;
	/* The reader's pointers are into the file, which is this program's own. */
	memcpy((uint8_t *)(uintptr_t)t->scales, &scale, sizeof(scale));
	if (t->type == ELEM_INT8 || t->type == ELEM_UINT8)
		memcpy((uint8_t *)(uintptr_t)t->zero_points, &zero, sizeof(zero));
}

static int change(const char *path, const char *to)
{
	struct tflite model;
	struct error err;
	FILE *f;
	int ret;

	if (tflite_read(path, &model, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	for (uint32_t i = 0; i < model.output_count; i++)
		change_tensor(&model.tensors[model.outputs[i]]);
	for (uint32_t i = 0; i < model.input_count && draw(2); i++)
		change_tensor(&model.tensors[model.inputs[i]]);
	f = fopen(to, "wb");
	ret = !f || fwrite(model.file, model.size, 1, f) != 1;
	if (f)
		ret |= fclose(f) != 0;
	tflite_free(&model);
	return ret;
}

static size_t vector_size(const struct ir_graph *g, const uint32_t *tensors, uint32_t count)
{
	size_t size = 0;

	for (uint32_t i = 0; i < count; i++)
		size += ir_tensor_bytes(&g->tensors[tensors[i]]);
	return size;
}

static int run_vectors(struct cpu_graph *c, const struct ir_graph *g, const uint8_t *in,
		       size_t count, FILE *out, struct error *err)
{
	int ret = 0;

	for (size_t v = 0; v < count && !ret; v++) {
		cpu_graph_reset(c);
		for (uint32_t i = 0; i < g->input_count; i++) {
			size_t size = ir_tensor_bytes(&g->tensors[g->inputs[i]]);

			memcpy(cpu_graph_tensor(c, g->inputs[i]), in, size);
			in += size;
		}
		ret = cpu_graph_run(c, err);
		for (uint32_t i = 0; i < g->output_count && !ret; i++)
			fwrite(cpu_graph_tensor(c, g->outputs[i]), 1,
			       ir_tensor_bytes(&g->tensors[g->outputs[i]]), out);
	}
	return ret;
}

static int run(const char *path, const char *inputs, const char *outputs)
{
	struct ir_graph *g = NULL;
	struct cpu_graph *c = NULL;
	struct tflite model;
	struct error err = { "" };
	size_t len = 0, size;
	void *in = NULL;
	FILE *out = NULL;
	int ret = tflite_read(path, &model, &err);

	if (!ret) {
		ret = import_tflite(&model, path, &g, &err);
		tflite_free(&model);
	}
	if (!ret)
		ret = cpu_graph_create(g, &c, &err);
	if (!ret)
		ret = file_read(inputs, &in, &len, &err);
	if (!ret) {
		size = vector_size(g, g->inputs, g->input_count);
		out = fopen(outputs, "wb");
		if (!out || !size || len % size)
			ret = error_set(&err, -EINVAL, "%s or %s", inputs, outputs);
		else
			ret = run_vectors(c, g, in, len / size, out, &err);
	}
	if (out && fclose(out))
		ret = error_set(&err, -EIO, "%s", outputs);
	free(in);
	cpu_graph_free(c);
	if (g)
		ir_free(g);
	if (ret)
		fprintf(stderr, "%s\n", err.text);
	return !ret ? 0 : ret == -ENOTSUP || ret == -EINVAL ? EXIT_SKIP : 1;
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "-m")) {
		rng_state = strtoul(argv[2], NULL, 0);
		return change(argv[3], argv[4]);
	}
	if (argc == 4)
		return run(argv[1], argv[2], argv[3]);
	fprintf(stderr, "usage: cpu_run MODEL INPUTS OUTPUTS | cpu_run -m SEED MODEL CHANGED\n");
	return 2;
}
