/* SPDX-License-Identifier: MIT */
/*
 * Tests: the reader of model files, on two of the tree's models: what it finds (the values are read
 * off the files with the schema in hand), and the same files cut short and damaged everywhere.
 * Runs from the top of the tree.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/file.h"
#include "runtime/tflite.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define ADD		"tests/data/ops/add_bc_int8/vela-u65-256.tflite"
#define NOT_EQUAL	"tests/data/ops/cmp_notequal_int8/vela-u85-256.tflite"

/* Codes of TFLite's schema. */
#define BUILTIN_DEQUANTIZE	6
#define BUILTIN_NOT_EQUAL	72

struct tensor {
	const char *name;
	int type;
	unsigned int ndim;
	int32_t shape[4];
	size_t data;
	uint32_t scales;
	float scale;
	int64_t zero_point;
	int32_t offset;
};

static const struct tensor add_tensors[] = {
	{ "ethos_u_command_stream", ELEM_UINT8, 1, { 376 }, 376, 0, 0, 0, -1 },
	{ "read_only", ELEM_UINT8, 1, { 0 }, 0, 0, 0, 0, -1 },
	{ "scratch", ELEM_UINT8, 1, { 544 }, 0, 0, 0, 0, 0 },
	{ "scratch_fast", ELEM_UINT8, 1, { 0 }, 0, 0, 0, 0, 0 },
	{ "serving_default_in0:0", ELEM_INT8, 4, { 1, 5, 6, 17 }, 0, 1, 0.007842829450964928f, 0,
	  0 },
	{ "serving_default_in1:0", ELEM_INT8, 4, { 1, 5, 6, 1 }, 0, 1, 0.007839971221983433f, -128,
	  512 },
	{ "PartitionedCall:0", ELEM_INT8, 4, { 1, 5, 6, 17 }, 0, 1, 0.015445140190422535f, -66, 0 },
};

static bool is(struct tflite_span span, const char *text)
{
	return span.len == strlen(text) && !memcmp(span.data, text, span.len);
}

static void check_tensor(const struct tflite_tensor *t, const struct tensor *want)
{
	size_t size = elem_size(want->type);

	assert_true(is(t->name, want->name));
	assert_int_equal(t->type, want->type);
	assert_int_equal(t->ndim, want->ndim);
	for (unsigned int i = 0; i < want->ndim; i++) {
		assert_int_equal(t->shape[i], want->shape[i]);
		size *= (size_t)want->shape[i];
	}
	assert_int_equal(tflite_tensor_size(t), size);
	assert_int_equal(t->data.len, want->data);
	assert_false(t->variable);
	assert_int_equal(t->scale_count, want->scales);
	assert_int_equal(t->zero_point_count, want->scales);
	assert_true(tflite_scale(t, 0) == want->scale);
	assert_int_equal(tflite_zero_point(t, 0), want->zero_point);
	/* Behind the last there are none. */
	assert_true(tflite_scale(t, want->scales) == 0);
	assert_int_equal(tflite_zero_point(t, want->scales), 0);
}

static void check_list(const int32_t *list, uint32_t count, const int32_t *want, uint32_t wanted)
{
	assert_int_equal(count, wanted);
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(list[i], want[i]);
}

static void test_add(void **state)
{
	static const int32_t in[] = { 4, 5 }, out[] = { 6 }, op_in[] = { 0, 1, 2, 3, 4, 5 };
	struct tflite m;

	(void)state;
	assert_int_equal(tflite_read(ADD, &m, NULL), 0);
	assert_int_equal(m.tensor_count, COUNT(add_tensors));
	assert_int_equal(m.plan_count, COUNT(add_tensors));
	for (uint32_t i = 0; i < m.tensor_count; i++) {
		check_tensor(&m.tensors[i], &add_tensors[i]);
		assert_int_equal(m.plan[i], add_tensors[i].offset);
	}
	assert_memory_equal(m.tensors[0].data.data, "COP1", 4);
	check_list(m.inputs, m.input_count, in, COUNT(in));
	check_list(m.outputs, m.output_count, out, COUNT(out));
	assert_int_equal(m.operator_count, 1);
	assert_int_equal(m.operators[0].builtin, TFLITE_BUILTIN_CUSTOM);
	assert_true(is(m.operators[0].custom, "ethos-u"));
	check_list(m.operators[0].inputs, m.operators[0].input_count, op_in, COUNT(op_in));
	check_list(m.operators[0].outputs, m.operators[0].output_count, out, COUNT(out));
	tflite_free(&m);
}

/* Two operators DEQUANTIZE and one NOT_EQUAL stay on the CPU. */
static void test_not_equal(void **state)
{
	static const struct {
		int builtin;
		const char *name;
		uint32_t input_count;
		int32_t inputs[5], output;
	} want[] = {
		{ BUILTIN_DEQUANTIZE, "DEQUANTIZE", 1, { 0 }, 1 },
		{ BUILTIN_DEQUANTIZE, "DEQUANTIZE", 1, { 2 }, 3 },
		{ BUILTIN_NOT_EQUAL, "NOT_EQUAL", 2, { 3, 1 }, 4 },
		{ TFLITE_BUILTIN_CUSTOM, NULL, 5, { 5, 6, 7, 8, 4 }, 9 },
	};
	struct tflite m;

	(void)state;
	assert_int_equal(tflite_read(NOT_EQUAL, &m, NULL), 0);
	assert_int_equal(m.tensor_count, 10);
	assert_int_equal(m.tensors[1].type, ELEM_FLOAT32);
	assert_int_equal(m.tensors[4].type, ELEM_BOOL);
	assert_int_equal(m.tensors[6].data.len, 16);
	assert_int_equal(m.operator_count, COUNT(want));
	for (uint32_t i = 0; i < m.operator_count; i++) {
		const struct tflite_operator *op = &m.operators[i];

		assert_int_equal(op->builtin, want[i].builtin);
		if (want[i].name)
			assert_string_equal(tflite_builtin_name(op->builtin), want[i].name);
		check_list(op->inputs, op->input_count, want[i].inputs, want[i].input_count);
		check_list(op->outputs, op->output_count, &want[i].output, 1);
	}
	assert_null(tflite_builtin_name(-1));
	assert_null(tflite_builtin_name(100000));
	tflite_free(&m);
}

/* ---- damage ---- */

static uint64_t walk_span(const struct tflite *m, const uint8_t *p, size_t len)
{
	const uint8_t *file = m->file;
	uint64_t sum = 0;

	if (!len)
		return 0;
	assert_true(p >= file && p <= file + m->size && len <= (size_t)(file + m->size - p));
	while (len--)
		sum += *p++;
	return sum;
}

static void walk_list(const struct tflite *m, const int32_t *list, uint32_t count, int32_t lowest)
{
	for (uint32_t i = 0; i < count; i++)
		assert_true(list[i] >= lowest && list[i] < (int32_t)m->tensor_count);
}

/* All that the reader promises about a model that it took. */
static void walk(const struct tflite *m)
{
	volatile uint64_t sum = 0;

	for (uint32_t i = 0; i < m->tensor_count; i++) {
		const struct tflite_tensor *t = &m->tensors[i];

		assert_true(t->ndim <= TFLITE_MAX_DIMS);
		for (unsigned int k = 0; k < t->ndim; k++)
			assert_true(t->shape[k] >= 0);
		sum += walk_span(m, t->name.data, t->name.len);
		sum += walk_span(m, t->data.data, t->data.len);
		sum += walk_span(m, t->scales, 4 * (size_t)t->scale_count);
		sum += walk_span(m, t->zero_points, 8 * (size_t)t->zero_point_count);
	}
	for (uint32_t i = 0; i < m->operator_count; i++) {
		const struct tflite_operator *op = &m->operators[i];

		sum += walk_span(m, op->custom.data, op->custom.len);
		walk_list(m, op->inputs, op->input_count, -1);
		walk_list(m, op->outputs, op->output_count, 0);
	}
	walk_list(m, m->inputs, m->input_count, 0);
	walk_list(m, m->outputs, m->output_count, 0);
	assert_int_equal(m->plan_count, m->plan ? m->tensor_count : 0);
}

/* Parses a copy, which belongs to the reader; true if it was taken. */
static bool parse(const void *file, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	struct error err = { "" };
	struct tflite m;
	int ret;

	assert_non_null(copy);
	memcpy(copy, file, len);
	ret = tflite_parse(copy, len, &m, &err);
	if (!ret) {
		walk(&m);
		tflite_free(&m);
		return true;
	}
	assert_true(ret == -EINVAL || ret == -ENOTSUP);
	assert_true(err.text[0] && !strchr(err.text, '\n'));
	return false;
}

static void damage(const char *path)
{
	static const uint8_t bytes[] = { 0x01, 0x04, 0x80, 0xff };
	static const uint32_t words[] = {
		0, 1, 0xffff, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff,
	};
	unsigned int taken = 0, other = 0;
	uint8_t *file, was[4];
	size_t len;

	assert_int_equal(file_read(path, (void **)&file, &len, NULL), 0);
	assert_true(parse(file, len));
	for (size_t i = 0; i < COUNT(bytes) * len; i++) {
		file[i / COUNT(bytes)] ^= bytes[i % COUNT(bytes)];
		if (parse(file, len))
			taken++;
		else
			other++;
		file[i / COUNT(bytes)] ^= bytes[i % COUNT(bytes)];
	}
	for (size_t i = 0; i < len / 4 * COUNT(words); i++) {
		uint8_t *p = file + i / COUNT(words) * 4;

		memcpy(was, p, 4);
		memcpy(p, &words[i % COUNT(words)], 4);
		if (parse(file, len))
			taken++;
		else
			other++;
		memcpy(p, was, 4);
	}
	print_message("%s, all bytes and words damaged: %u taken, %u refused\n", path, taken,
		      other);
	assert_true(taken > 0 && other > len / 4);
	free(file);
}

static void test_damaged(void **state)
{
	(void)state;
	damage(ADD);
	damage(NOT_EQUAL);
}

static void truncate_all(const char *path)
{
	unsigned int taken = 0;
	uint8_t *file;
	size_t len;

	assert_int_equal(file_read(path, (void **)&file, &len, NULL), 0);
	for (size_t cut = 0; cut < len; cut++)
		taken += parse(file, cut);
	print_message("%s, cut everywhere: %u of %zu taken\n", path, taken, len);
	/* Operator codes lie last: without them no operator can be read. */
	assert_int_equal(taken, 0);
	free(file);
}

static void test_truncated(void **state)
{
	(void)state;
	truncate_all(ADD);
	truncate_all(NOT_EQUAL);
}

static void test_refused(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		const char *words;
	} files[] = {
		{ "", 0, "TFL3" },
		{ "\x10\0\0\0TFL", 7, "TFL3" },
		{ "\x10\0\0\0TFL2\0\0\0\0\0\0\0\0\0\0\0\0", 20, "TFL3" },
		{ "\x10\0\0\0TFL3", 8, "no graph" },
		{ "\xff\xff\xff\xffTFL3\0\0\0\0", 12, "no graph" },
		/* A root whose vtable is itself. */
		{ "\x08\0\0\0TFL3\0\0\0\0\0\0\0\0", 16, "no graph" },
	};
	struct error err = { "" };
	struct tflite m;

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++) {
		void *copy = malloc(files[i].len ? files[i].len : 1);

		assert_non_null(copy);
		memcpy(copy, files[i].data, files[i].len);
		assert_int_equal(tflite_parse(copy, files[i].len, &m, &err), -EINVAL);
		assert_non_null(strstr(err.text, files[i].words));
	}
	assert_int_equal(tflite_read("/nowhere.tflite", &m, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nowhere.tflite"));
	assert_int_equal(tflite_read("/dev/null", &m, &err), -EINVAL);
	assert_non_null(strstr(err.text, "/dev/null"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),	  cmocka_unit_test(test_not_equal),
		cmocka_unit_test(test_truncated), cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
