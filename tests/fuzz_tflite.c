/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a model file, the readers alone: many more files a second than fuzz_model.c, which
 * opens them too. What is said to lie in the file does, indices are those of tensors, and what
 * is refused is refused in words. All contents are tried as driver payloads too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/container.h"
#include "runtime/tflite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_tflite: %s\n", what);
	abort();
}

static void check_words(const struct error *err)
{
	check(err->text[0] && !strchr(err->text, '\n'), "no error, or more than a line");
}

static void check_span(const struct tflite *m, const uint8_t *p, size_t len)
{
	const uint8_t *file = m->file;

	if (len)
		check(p >= file && p <= file + m->size && len <= (size_t)(file + m->size - p),
		      "contents outside the file");
}

static void check_list(const struct tflite *m, const int32_t *list, uint32_t count, int32_t lowest)
{
	for (uint32_t i = 0; i < count; i++)
		check(list[i] >= lowest && list[i] < (int32_t)m->tensor_count, "no such tensor");
}

static void check_tensor(const struct tflite *m, const struct tflite_tensor *t)
{
	struct error err = { "" };
	struct container c;

	check(t->ndim <= TFLITE_MAX_DIMS, "too many dimensions");
	for (unsigned int i = 0; i < t->ndim; i++)
		check(t->shape[i] >= 0, "negative extent");
	check_span(m, t->name.data, t->name.len);
	check_span(m, t->data.data, t->data.len);
	check_span(m, t->scales, 4 * (size_t)t->scale_count);
	check_span(m, t->zero_points, 8 * (size_t)t->zero_point_count);
	if (container_parse(t->data.data, t->data.len, &c, &err)) {
		check_words(&err);
		return;
	}
	check(c.words > 0 && c.words <= t->data.len / 4, "stream longer than its tensor");
	check_span(m, c.stream, 4 * c.words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct error err = { "" };
	struct tflite m;

	check(copy, "no memory");
	memcpy(copy, data, size);
	if (tflite_parse(copy, size, &m, &err)) {
		check_words(&err);
		return 0;
	}
	for (uint32_t i = 0; i < m.tensor_count; i++)
		check_tensor(&m, &m.tensors[i]);
	for (uint32_t i = 0; i < m.operator_count; i++) {
		const struct tflite_operator *op = &m.operators[i];

		check_span(&m, op->custom.data, op->custom.len);
		check_list(&m, op->inputs, op->input_count, -1);
		check_list(&m, op->outputs, op->output_count, 0);
	}
	check_list(&m, m.inputs, m.input_count, 0);
	check_list(&m, m.outputs, m.output_count, 0);
	check(m.plan_count == (m.plan ? m.tensor_count : 0), "plan for other tensors");
	tflite_free(&m);
	return 0;
}
