/* SPDX-License-Identifier: MIT */
/*
 * Benchmark: a model on the CPU, time a sample and by kind of operation.
 *
 * usage: bench_float MODEL.onnx|MODEL.ir [RUNS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/cpu/graph.h"
#include "runtime/file.h"
#include "runtime/ir/ir_ops.h"
#include "runtime/onnx/onnx.h"

struct watch {
	const struct ir_graph *g;
	uint32_t *kind_of;	/* of each tensor, the kind that makes it */
	double last, seconds[IR_KIND_COUNT];
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int see(void *ctx, uint32_t tensor, const void *data)
{
	struct watch *w = ctx;
	double t = now();

	(void)data;
	if (w->kind_of[tensor] < IR_KIND_COUNT)
		w->seconds[w->kind_of[tensor]] += t - w->last;
	w->last = now();
	return 0;
}

static int open_graph(const char *path, struct ir_graph **g, struct error *err)
{
	const char *dot = strrchr(path, '.');
	void *text;
	size_t len;
	int ret;

	if (!dot || strcmp(dot, ".ir"))
		return onnx_import(path, NULL, g, err);
	ret = file_read(path, &text, &len, err);
	if (!ret) {
		ret = ir_parse(text, len, path, g, err);
		free(text);
	}
	return ret;
}

static void fill(const struct ir_graph *g, const struct cpu_graph *c)
{
	uint32_t state = 1;

	for (uint32_t i = 0; i < g->input_count; i++) {
		const struct ir_tensor *t = &g->tensors[g->inputs[i]];
		float *x = cpu_graph_tensor(c, g->inputs[i]);

		for (size_t k = 0; t->type == ELEM_FLOAT32 && k < ir_tensor_elements(t); k++) {
			state = state * 1664525u + 1013904223u;
			x[k] = (float)(state >> 8) / (1 << 23) - 1;
		}
	}
}

static int time_runs(const struct ir_graph *g, struct cpu_graph *c, int runs, struct error *err)
{
	struct watch w = { .g = g, .kind_of = malloc((g->tensor_count + 1) * sizeof(*w.kind_of)) };
	double best = 1e9, sum = 0;
	int ret = w.kind_of ? 0 : -1;

	for (uint32_t i = 0; i < g->tensor_count && !ret; i++)
		w.kind_of[i] = IR_KIND_COUNT;
	for (uint32_t i = 0; i < g->op_count && !ret; i++)
		for (uint32_t k = 0; k < g->ops[i].output_count; k++)
			w.kind_of[g->ops[i].outputs[k]] = g->ops[i].kind;
	fill(g, c);
	if (!ret)
		ret = cpu_graph_run(c, err);
	cpu_graph_observe(c, see, &w);
	for (int i = 0; i < runs && !ret; i++) {
		double start = now(), t;

		ret = cpu_graph_run(c, err);
		t = now() - start;
		sum += t;
		best = t < best ? t : best;
	}
	for (unsigned int k = 0; k < IR_KIND_COUNT && !ret; k++)
		if (w.seconds[k] > 0)
			printf("%-24s %8.2f ms\n", ir_kind_info(k)->name, w.seconds[k] * 1e3 / runs);
	if (!ret)
		printf("%-24s %8.2f ms, best %.2f ms; tensors %.1f MB\n", "a sample", sum * 1e3 / runs,
		       best * 1e3, (double)cpu_graph_memory(c) / 1e6);
	free(w.kind_of);
	return ret;
}

int main(int argc, char **argv)
{
	int runs = argc > 2 ? atoi(argv[2]) : 20, ret;
	struct cpu_graph *c = NULL;
	struct ir_graph *g = NULL;
	struct error err = { "" };

	if (argc < 2 || runs < 1) {
		fprintf(stderr, "usage: bench_float MODEL.onnx|MODEL.ir [RUNS]\n");
		return 2;
	}
	ret = open_graph(argv[1], &g, &err);
	if (!ret)
		ret = cpu_graph_create(g, &c, &err);
	if (!ret)
		ret = time_runs(g, c, runs, &err);
	if (ret)
		fprintf(stderr, "%s\n", err.text);
	cpu_graph_free(c);
	ir_free(g);
	return ret != 0;
}
