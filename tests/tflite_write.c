/* SPDX-License-Identifier: MIT */
/*
 * Tests: TFLite files that we write. What was imported from a file, written and imported again is the
 * same graph, but for tensors that nothing uses; graphs that TFLite says with more operators compute
 * the same when written.
 *
 * usage: tflite_write FILE.tflite...
 *	  tflite_write -o WRITTEN FILE.tflite|FILE.ir: for tests/tflite_write.py
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/compile/import.h"
#include "runtime/cpu/graph.h"
#include "runtime/file.h"
#include "runtime/image/tflite_write.h"
#include "runtime/ir/ir_ops.h"

static int failures, passed, refused;

static void fail(const char *path, const char *why)
{
	printf("FAIL %s: %s\n", path, why);
	failures++;
}

static int import_bytes(void *data, size_t size, struct ir_graph **out, struct error *err)
{
	struct tflite model;
	int rc = tflite_parse(data, size, &model, err);

	if (rc)
		return rc;
	rc = import_tflite(&model, "graph", out, err);
	tflite_free(&model);
	return rc;
}

static int open_graph(const char *path, struct ir_graph **out, struct error *err)
{
	const char *dot = strrchr(path, '.');
	void *data;
	size_t size;
	int rc = file_read(path, &data, &size, err);

	if (rc)
		return rc;
	if (!dot || strcmp(dot, ".ir"))
		return import_bytes(data, size, out, err);
	rc = ir_parse(data, size, "graph", out, err);
	free(data);
	return rc;
}

static void mark(bool *used, const uint32_t *list, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (list[i] != IR_NONE)
			used[list[i]] = true;
}

static void renumber(const uint32_t *number, uint32_t *list, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (list[i] != IR_NONE)
			list[i] = number[list[i]];
}

/* Take out the tensors that nothing uses. */
static void drop_unused(struct ir_graph *g)
{
	bool *used = calloc(g->tensor_count + 1, sizeof(*used));
	uint32_t *number = calloc(g->tensor_count + 1, sizeof(*number)), count = 0;

	mark(used, g->inputs, g->input_count);
	mark(used, g->outputs, g->output_count);
	for (uint32_t i = 0; i < g->op_count; i++) {
		mark(used, g->ops[i].inputs, g->ops[i].input_count);
		mark(used, g->ops[i].outputs, g->ops[i].output_count);
	}
	for (uint32_t i = 0; i < g->tensor_count; i++) {
		number[i] = count;
		if (used[i])
			g->tensors[count++] = g->tensors[i];
	}
	g->tensor_count = count;
	renumber(number, g->inputs, g->input_count);
	renumber(number, g->outputs, g->output_count);
	for (uint32_t i = 0; i < g->op_count; i++) {
		renumber(number, g->ops[i].inputs, g->ops[i].input_count);
		renumber(number, g->ops[i].outputs, g->ops[i].output_count);
	}
	free(used);
	free(number);
}

static char *print(struct ir_graph *g, size_t *len)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, len);

	if (!f)
		return NULL;
	drop_unused(g);
	ir_print(g, f);
	fclose(f);
	return text;
}

static void round_trip(const char *path)
{
	struct ir_graph *g = NULL, *again = NULL;
	size_t size = 0, len = 0, again_len = 0;
	char *text = NULL, *again_text = NULL;
	void *data = NULL;
	struct error err;
	int rc = open_graph(path, &g, &err);

	if (!rc)
		rc = tflite_bytes(g, &data, &size, &err);
	if (!rc)
		rc = import_bytes(data, size, &again, &err);
	if (rc == -ENOTSUP) {
		printf("refused %s: %s\n", path, err.text);
		refused++;
		goto out;
	}
	if (rc) {
		fail(path, err.text);
		goto out;
	}
	text = print(g, &len);
	again_text = print(again, &again_len);
	if (!text || len != again_len || memcmp(text, again_text, len))
		fail(path, "written and imported again is another graph");
	else
		passed++;
out:
	free(text);
	free(again_text);
	ir_free(g);
	ir_free(again);
}

/* Outputs for inputs that count through all values of a byte. */
static void *outputs_of(const struct ir_graph *g, size_t *size)
{
	struct cpu_graph *c;
	struct error err;
	uint8_t *out = NULL;

	if (cpu_graph_create(g, &c, &err)) {
		printf("FAIL %s\n", err.text);
		failures++;
		return NULL;
	}
	for (uint32_t i = 0; i < g->input_count; i++) {
		uint8_t *p = cpu_graph_tensor(c, g->inputs[i]);

		for (size_t b = 0; b < ir_tensor_bytes(&g->tensors[g->inputs[i]]); b++)
			p[b] = (uint8_t)(b * 37 + i);
	}
	if (!cpu_graph_run(c, &err)) {
		*size = ir_tensor_bytes(&g->tensors[g->outputs[0]]);
		out = malloc(*size);
		memcpy(out, cpu_graph_tensor(c, g->outputs[0]), *size);
	}
	cpu_graph_free(c);
	return out;
}

/* An IR file: the written graph computes what the graph does, with operators of TFLite only. */
static void same_result(const char *path)
{
	struct ir_graph *g = NULL, *again = NULL;
	size_t size = 0, before_size = 0, after_size = 0;
	void *data = NULL, *before, *after;
	struct error err;

	if (open_graph(path, &g, &err) || tflite_bytes(g, &data, &size, &err) ||
	    import_bytes(data, size, &again, &err)) {
		fail(path, err.text);
		ir_free(g);
		return;
	}
	before = outputs_of(g, &before_size);
	after = outputs_of(again, &after_size);
	if (again->op_count <= g->op_count)
		fail(path, "as many operators as before");
	else if (!before || !after || before_size != after_size || memcmp(before, after, after_size))
		fail(path, "computes something else when written");
	else
		passed++;
	free(before);
	free(after);
	ir_free(g);
	ir_free(again);
}

static int write_file(const char *to, const char *from)
{
	struct ir_graph *g = NULL;
	struct error err;
	int rc = open_graph(from, &g, &err);

	if (!rc)
		rc = tflite_write(g, to, &err);
	ir_free(g);
	if (rc)
		fprintf(stderr, "%s\n", err.text);
	return !rc ? 0 : rc == -ENOTSUP ? 77 : 1;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "-o"))
		return write_file(argv[2], argv[3]);
	for (int i = 1; i < argc; i++) {
		const char *dot = strrchr(argv[i], '.');

		if (dot && !strcmp(dot, ".ir"))
			same_result(argv[i]);
		else
			round_trip(argv[i]);
	}
	printf("TFLite files written: %d right, %d refused, %d failures\n", passed, refused, failures);
	return failures || !passed;
}
