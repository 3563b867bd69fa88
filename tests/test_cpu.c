/* SPDX-License-Identifier: MIT */
/*
 * Operators on the CPU that no model of the suite has, on numbers worked out by hand, and operands
 * that are refused. What the models have is compared with TFLite: cpu_models.c, cpu_tflite.py.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/cpu/cpu.h"

#define MAX_ELEMENTS 32

static const struct ir_options none;

#define S32(...) .type = ELEM_INT32, \
	.data = (int32_t[]){ __VA_ARGS__ }
#define F32(...) .type = ELEM_FLOAT32, .data = (float[]){ __VA_ARGS__ }
#define TRUTH(...) .type = ELEM_BOOL, .data = (uint8_t[]){ __VA_ARGS__ }
#define SHAPE(n, ...) .ndim = n, .shape = { __VA_ARGS__ }

/* Run and compare with @want, an output with its elements. */
static void expect(unsigned int kind, const struct ir_options *options,
		   const struct cpu_tensor *in, uint32_t count, const struct cpu_tensor *want)
{
	uint8_t memory[MAX_ELEMENTS * 8];
	struct cpu_tensor out = *want;
	struct error err = { "" };
	struct cpu_op *op;

	assert_true(cpu_bytes(want) <= sizeof(memory));
	memset(memory, 0xee, sizeof(memory));
	out.data = memory;
	if (cpu_op_create(kind, options, in, count, &out, 1, &op, &err) || cpu_op_run(op, &err))
		fail_msg("%s", err.text);
	assert_memory_equal(memory, want->data, cpu_bytes(want));
	assert_int_equal(memory[cpu_bytes(want)], 0xee);
	cpu_op_free(op);
}

/* Creating, or where that is possible running, gives that error. */
static void refuse(unsigned int kind, const struct ir_options *options,
		   const struct cpu_tensor *in, uint32_t count, struct cpu_tensor out, int code,
		   const char *says)
{
	uint8_t memory[MAX_ELEMENTS * 8];
	struct error err = { "" };
	struct cpu_op *op;
	int ret;

	out.data = memory;
	ret = cpu_op_create(kind, options, in, count, &out, 1, &op, &err);
	if (!ret) {
		ret = cpu_op_run(op, &err);
		cpu_op_free(op);
	}
	assert_int_equal(ret, code);
	if (!strstr(err.text, says))
		fail_msg("\"%s\" does not say \"%s\"", err.text, says);
}

#define IN(...) (const struct cpu_tensor[]){ __VA_ARGS__ }
#define OUT(...) &(const struct cpu_tensor){ __VA_ARGS__ }

static void test_divisions(void **state)
{
	const struct cpu_tensor a = { S32(7, -7, 7, -7, 0), SHAPE(1, 5) };
	const struct cpu_tensor b = { S32(2, 2, -2, -2, 3), SHAPE(1, 5) };

	(void)state;
	expect(IR_DIV, &none, IN(a, b), 2, OUT(S32(3, -3, -3, 3, 0), SHAPE(1, 5)));
	expect(IR_FLOOR_DIV, &none, IN(a, b), 2, OUT(S32(3, -4, -4, 3, 0), SHAPE(1, 5)));
	expect(IR_FLOOR_MOD, &none, IN(a, b), 2, OUT(S32(1, 1, -1, -1, 0), SHAPE(1, 5)));
	refuse(IR_DIV, &none, IN(b, a), 2, a, -EINVAL, "division by zero");
	expect(IR_SUB, &none, IN({ S32(INT32_MIN), SHAPE(1, 1) }, { S32(1), SHAPE(0) }), 2,
	       OUT(S32(INT32_MAX), SHAPE(1, 1)));
}

static void test_broadcast(void **state)
{
	const struct cpu_tensor column = { S32(10, 20), SHAPE(2, 2, 1) };
	const struct cpu_tensor row = { S32(1, 2, 3), SHAPE(1, 3) };
	const struct cpu_tensor rows = { S32(1, 2, 3, 4, 5, 6), SHAPE(2, 2, 3) };
	const struct cpu_tensor more = { S32(9, 9, 9, 9, 9, 9), SHAPE(2, 2, 3) };

	(void)state;
	expect(IR_ADD, &none, IN(column, row), 2, OUT(S32(11, 12, 13, 21, 22, 23), SHAPE(2, 2, 3)));
	expect(IR_MAXIMUM, &none, IN(row, column), 2,
	       OUT(S32(10, 10, 10, 20, 20, 20), SHAPE(2, 2, 3)));
	expect(IR_SELECT, &none, IN({ TRUTH(1, 0), SHAPE(1, 2) }, rows, more), 3,
	       OUT(S32(1, 2, 3, 9, 9, 9), SHAPE(2, 2, 3)));
	expect(IR_SELECT_V2, &none, IN({ TRUTH(1, 0, 1), SHAPE(1, 3) }, rows, { S32(0), SHAPE(0) }), 3,
	       OUT(S32(1, 0, 3, 4, 0, 6), SHAPE(2, 2, 3)));
	refuse(IR_ADD, &none, IN(column, { S32(1, 2, 3, 4), SHAPE(1, 4) }), 2, rows, -EINVAL,
	       "input 1 (int32): does not fit the output's shape");
}

static void test_indices(void **state)
{
	const struct cpu_tensor in = { S32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), SHAPE(3, 2, 3, 2) };
	const struct cpu_tensor pairs = { S32(1, 2, 0, 0), SHAPE(2, 2, 2) };
	const struct cpu_tensor beyond = { S32(1, 3, 0, 0), SHAPE(2, 2, 2) };

	(void)state;
	expect(IR_GATHER_ND, &none, IN(in, pairs), 2, OUT(S32(10, 11, 0, 1), SHAPE(2, 2, 2)));
	expect(IR_GATHER_ND, &none, IN(in, { S32(1), SHAPE(2, 1, 1) }), 2,
	       OUT(S32(6, 7, 8, 9, 10, 11), SHAPE(3, 1, 3, 2)));
	refuse(IR_GATHER_ND, &none, IN(in, beyond), 2, pairs, -EINVAL, "leaves the input");
	refuse(IR_GATHER_ND, &none, IN(in, { S32(1, 1, 1, 1), SHAPE(2, 1, 4) }), 2,
	       (struct cpu_tensor){ S32(0), SHAPE(1, 1) }, -EINVAL, "has not an index");
	/* Updates of one place add up. */
	expect(IR_SCATTER_ND, &none, IN({ S32(1, 3, 1), SHAPE(2, 3, 1) }, { S32(5, 6, 7), SHAPE(1, 3) },
					{ S32(4), SHAPE(1, 1), .constant = true }), 3,
	       OUT(S32(0, 12, 0, 6), SHAPE(1, 4)));
	expect(IR_SHAPE, &none, IN(in), 1, OUT(S32(2, 3, 2), SHAPE(1, 3)));
	expect(IR_SHAPE, &none, IN(in), 1,
	       OUT(.type = ELEM_INT64, .data = (int64_t[]){ 2, 3, 2 }, SHAPE(1, 3)));
}

static void test_reduce(void **state)
{
	const struct cpu_tensor in = { S32(1, 2, 3, -4, 5, 6), SHAPE(2, 2, 3) };
	const struct cpu_tensor last = { S32(-1), SHAPE(1, 1), .constant = true };
	const struct cpu_tensor bad = { S32(2), SHAPE(1, 1), .constant = true };
	const struct ir_options keep = { .keep_dims = 1 };

	(void)state;
	expect(IR_REDUCE_PROD, &none, IN(in, last), 2, OUT(S32(6, -120), SHAPE(1, 2)));
	expect(IR_REDUCE_MIN, &keep, IN(in, last), 2, OUT(S32(1, -4), SHAPE(2, 2, 1)));
	refuse(IR_REDUCE_MAX, &none, IN(in, bad), 2, in, -EINVAL, "is no axis of the input");
	refuse(IR_REDUCE_MAX, &none, IN(in, last), 2, in, -EINVAL, "another shape");
}

static void test_batches(void **state)
{
	const struct cpu_tensor block = { S32(2, 2), SHAPE(1, 2), .constant = true };
	const struct cpu_tensor crops = { S32(0, 0, 1, 0), SHAPE(2, 2, 2), .constant = true };
	const struct cpu_tensor space = { S32(1, 2, 3, 4, 5, 6), SHAPE(4, 1, 2, 3, 1) };
	/* A column of zeros before the first: 0 1 | 2 3 and 0 4 | 5 6. */
	const struct cpu_tensor batch = { S32(0, 2, 1, 3, 0, 5, 4, 6), SHAPE(4, 4, 1, 2, 1) };

	(void)state;
	expect(IR_SPACE_TO_BATCH_ND, &none, IN(space, block, crops), 3, &batch);
	expect(IR_BATCH_TO_SPACE_ND, &none, IN(batch, block, crops), 3, &space);
	refuse(IR_BATCH_TO_SPACE_ND, &none, IN(space, block, crops), 3, batch, -EINVAL,
	       "does not fit blocks and shapes");
}

static void test_floats(void **state)
{
	const struct cpu_tensor in = { F32(-1.5f, -0.25f, 0.5f, 2.5f), SHAPE(1, 4) };

	(void)state;
	expect(IR_CEIL, &none, IN(in), 1, OUT(F32(-1, -0.0f, 1, 3), SHAPE(1, 4)));
	expect(IR_FLOOR, &none, IN(in), 1, OUT(F32(-2, -1, 0, 2), SHAPE(1, 4)));
	/* Halves to even. */
	expect(IR_ROUND, &none, IN(in), 1, OUT(F32(-2, -0.0f, 0, 2), SHAPE(1, 4)));
	expect(IR_SQUARE, &none, IN(in), 1, OUT(F32(2.25f, 0.0625f, 0.25f, 6.25f), SHAPE(1, 4)));
	expect(IR_NOT_EQUAL, &none, IN(in, { F32(NAN), SHAPE(0) }), 2,
	       OUT(TRUTH(1, 1, 1, 1), SHAPE(1, 4)));
	expect(IR_GREATER_EQUAL, &none, IN(in, { F32(NAN), SHAPE(0) }), 2,
	       OUT(TRUTH(0, 0, 0, 0), SHAPE(1, 4)));
	expect(IR_CAST, &none, IN(in), 1, OUT(S32(-1, 0, 0, 2), SHAPE(1, 4)));
}

/* 2000 steps of 513 / 1024 end behind the last of 1001 elements, where there is nothing to read. */
static void test_resize_end(void **state)
{
	static int8_t in[1002], out[2000];
	float scale = 1;
	int32_t zero = 0;
	struct cpu_tensor x = { .type = ELEM_INT8, SHAPE(4, 1, 1, 1001, 1), .scale_count = 1, .scales = &scale,
				.zero_points = &zero, .data = in };
	const struct cpu_tensor size = { S32(1, 2000), SHAPE(1, 2), .constant = true };
	struct cpu_tensor y = x;
	struct error err = { "" };
	struct cpu_op *op;

	(void)state;
	in[1000] = 5;
	in[1001] = 100;
	y.shape[2] = 2000;
	y.data = out;
	if (cpu_op_create(IR_RESIZE_BILINEAR, &none, IN(x, size), 2, &y, 1, &op, &err) ||
	    cpu_op_run(op, &err))
		fail_msg("%s", err.text);
	cpu_op_free(op);
	assert_int_equal(out[1999], 5);
}

static void test_refused(void **state)
{
	const struct cpu_tensor in = { S32(1, 2), SHAPE(1, 2) };
	const struct cpu_tensor left_out = { .type = ELEM_INT32 };

	(void)state;
	assert_false(cpu_has(IR_OTHER));
	refuse(IR_OTHER, &none, IN(in, in), 2, in, -ENOTSUP, "not implemented on the CPU");
	refuse(IR_KIND_COUNT, &none, IN(in), 1, in, -ENOTSUP, "not implemented on the CPU");
	refuse(IR_ADD, &none, IN(in), 1, in, -EINVAL, "1 inputs");
	refuse(IR_ADD, &none, IN(in, left_out), 2, in, -EINVAL, "input 1");
	refuse(IR_SOFTMAX, &none, IN(in), 1, in, -ENOTSUP, "input 0 (int32): no kernel");
	refuse(IR_RELU, &none, IN({ .type = ELEM_INT8, .data = "ab", SHAPE(1, 2) }), 1,
	       (struct cpu_tensor){ .type = ELEM_INT8, SHAPE(1, 2) }, -EINVAL, "is not quantised");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_divisions), cmocka_unit_test(test_broadcast),
		cmocka_unit_test(test_indices),	  cmocka_unit_test(test_reduce),
		cmocka_unit_test(test_batches),	  cmocka_unit_test(test_floats),
		cmocka_unit_test(test_resize_end), cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
