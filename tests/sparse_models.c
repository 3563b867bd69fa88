/* SPDX-License-Identifier: MIT */
/*
 * Tests: models with their weights made 2:4 or clustered to 16 values, compiled for U85 and run on the
 * simulated NPU in strict mode, against the same models on the CPU. Every byte.
 *
 * usage: sparse_models -t CONFIG... MODEL.tflite...
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/compile/compile_model.h"
#include "runtime/compile/import.h"
#include "runtime/cpu/graph.h"
#include "runtime/file.h"
#include "runtime/ir/ir_ops.h"
#include "runtime/model.h"
#include "sim/decode.h"

#define MAX_TARGETS	8
#define VECTORS		2
#define STEP		17	/* between clusters: 16 of them */

enum treatment { TWO_FOUR, CLUSTERED, TREATMENTS };

static const char *const treatment_names[] = { "2:4", "16 values" };

/* Kernels of the last image: how many have sparse and fast weights. */
struct formats {
	unsigned int sparse, fast;
};

static int32_t round_to(int32_t w)
{
	return w >= 0 ? (w + STEP / 2) / STEP * STEP : -((-w + STEP / 2) / STEP * STEP);
}

/* The smaller two of each four go. */
static void two_four(int8_t *w, size_t count)
{
	for (;;) {
		size_t least = 0, other = 0;

		for (size_t i = 0; i < count; i++)
			other += w[i] != 0;
		if (other <= 2)
			return;
		for (size_t i = 1; i < count; i++)
			if (!w[least] || (w[i] && abs(w[i]) < abs(w[least])))
				least = i;
		w[least] = 0;
	}
}

static void treat_tensor(const struct tflite_tensor *t, enum treatment how)
{
	int8_t *w = (int8_t *)(uintptr_t)t->data.data;
	size_t ic = t->ndim ? (size_t)t->shape[t->ndim - 1] : 1;

	for (size_t i = 0; i < t->data.len; i++) {
		if (how == CLUSTERED)
			w[i] = (int8_t)(round_to(w[i]) > 127 ? 119 : round_to(w[i]));
		else if (i % ic % 4 == 0) {
			/* The format has no place for -128. */
			for (size_t k = i; k < i + 4 && k < t->data.len; k++)
				w[k] = w[k] == INT8_MIN ? -127 : w[k];
			two_four(w + i, ic - i % ic < 4 ? ic - i % ic : 4);
		}
	}
}

static unsigned int treat(struct tflite *m, enum treatment how)
{
	unsigned int treated = 0;

	for (uint32_t i = 0; i < m->operator_count; i++) {
		const struct tflite_operator *op = &m->operators[i];
		int kind = ir_kind_by_code(op->builtin);
		const struct tflite_tensor *t;

		if ((kind != IR_CONV_2D && kind != IR_FULLY_CONNECTED) || op->inputs[1] < 0)
			continue;
		t = &m->tensors[op->inputs[1]];
		if (t->type != ELEM_INT8 || !t->data.len)
			continue;
		treat_tensor(t, how);
		treated++;
	}
	return treated;
}

static void count_formats(const struct image *image, const char *target, struct formats *f)
{
	static const struct npu_state power_on;

	for (uint32_t r = 0; r < image->run_count; r++) {
		struct npu_program p;

		if (npu_decode(npu_config_find(target), &power_on, image->runs[r].stream,
			       image->runs[r].words, &p))
			return;
		for (size_t i = 0; i < p.count; i++) {
			f->sparse += p.ops[i].weight_sparse && p.ops[i].kind == NPU_KIND_CONV;
			f->fast += p.ops[i].weight_fwd && p.ops[i].kind == NPU_KIND_CONV;
		}
		npu_program_free(&p);
	}
}

/* The same random input to both, and what comes out. */
static int compare(struct model *m, const struct ir_graph *g, const struct cpu_graph *c,
		   unsigned int seed, struct error *err)
{
	int rc;

	srand(seed);
	cpu_graph_reset(c);
	model_reset(m);
	for (uint32_t i = 0; i < g->input_count; i++) {
		size_t size = ir_tensor_bytes(&g->tensors[g->inputs[i]]);
		uint8_t *in = cpu_graph_tensor(c, g->inputs[i]);

		for (size_t k = 0; k < size; k++)
			in[k] = (uint8_t)rand();
		memcpy(model_input_data(m, i), in, size);
	}
	rc = model_run(m, err);
	if (!rc)
		rc = cpu_graph_run(c, err);
	for (uint32_t i = 0; i < g->output_count && !rc; i++)
		if (memcmp(model_output_data(m, i), cpu_graph_tensor(c, g->outputs[i]),
			   ir_tensor_bytes(&g->tensors[g->outputs[i]])))
			rc = error_set(err, -EILSEQ, "output %u differs", i);
	return rc;
}

static void *copy_of(const struct tflite *m)
{
	void *file = malloc(m->size);

	return file ? memcpy(file, m->file, m->size) : NULL;
}

static int check(const char *path, const char *target, enum treatment how, struct formats *formats,
		 struct error *err)
{
	struct accel_device *device = NULL;
	struct ir_graph *g = NULL;
	struct cpu_graph *c = NULL;
	struct image *image = NULL;
	struct model *m = NULL;
	struct tflite file;
	struct accel_error why;
	char spec[64];
	int rc = tflite_read(path, &file, err);

	if (rc)
		return rc;
	if (!treat(&file, how)) {
		tflite_free(&file);
		return -ENOENT;
	}
	rc = compile_bytes_for_device(copy_of(&file), file.size, path, target, false, &image, err);
	if (!rc)
		rc = import_tflite(&file, path, &g, err);
	if (!rc)
		rc = cpu_graph_create(g, &c, err);
	snprintf(spec, sizeof(spec), "sim:ethos-%s,strict", target);
	if (!rc && accel_device_open(spec, &device, &why))
		rc = error_set(err, -ENODEV, "%s: %s", spec, why.msg);
	if (!rc)
		count_formats(image, target, formats);
	if (!rc) {
		rc = model_create(image, device, &m, err);
		image = NULL;
	}
	for (unsigned int v = 0; v < VECTORS && !rc; v++)
		rc = compare(m, g, c, v, err);
	if (m)
		model_close(m);
	if (image)
		image_free(image);
	if (device)
		accel_device_unref(device);
	cpu_graph_free(c);
	ir_free(g);
	tflite_free(&file);
	return rc;
}

int main(int argc, char **argv)
{
	const char *targets[MAX_TARGETS];
	unsigned int target_count = 0, failed = 0, passed = 0;
	struct formats all = { 0 };
	int opt;

	while ((opt = getopt(argc, argv, "t:")) == 't')
		if (target_count < MAX_TARGETS)
			targets[target_count++] = optarg;
	for (int i = optind; i < argc; i++)
		for (unsigned int k = 0; k < target_count * TREATMENTS; k++) {
			enum treatment how = (enum treatment)(k % TREATMENTS);
			const char *target = targets[k / TREATMENTS];
			struct formats formats = { 0 };
			struct error err = { "" };
			int rc = check(argv[i], target, how, &formats, &err);

			if (rc == -ENOENT)
				continue;
			printf("%s %s %s %s: %u sparse, %u fast %s\n", rc ? "FAIL" : "ok  ",
			       argv[i], target, treatment_names[how], formats.sparse, formats.fast,
			       err.text);
			all.sparse += formats.sparse;
			all.fast += formats.fast;
			failed += rc != 0;
			passed += !rc;
		}
	printf("compressed models: %u passed, %u failed; %u kernels with sparse, %u with fast weights\n",
	       passed, failed, all.sparse, all.fast);
	/* Without any of them this shows nothing. */
	return failed || !all.sparse;
}
