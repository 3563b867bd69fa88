/* SPDX-License-Identifier: MIT */
/*
 * Graphs of float32 on the CPU: memory that tensors share, observers, parts of a graph; and what
 * operators do with numbers that are none. Values of ordinary numbers: float_tflite.py.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/cpu/graph.h"
#include "runtime/float/blas.h"
#include "runtime/ir/ir_ops.h"

/* x, x * x, its negative, -x^2 + x, e^that, and the sum of the last two. */
static const char chain[] =
	"graph \"graph\"\n"
	"tensor \"x\" float32 1x2x2x64\n"
	"tensor \"square\" float32 1x2x2x64\n"
	"tensor \"negative\" float32 1x2x2x64\n"
	"tensor \"sum\" float32 1x2x2x64\n"
	"tensor \"exp\" float32 1x2x2x64\n"
	"tensor \"y\" float32 1x2x2x64\n"
	"inputs %0\n"
	"outputs %5\n"
	"op MUL %0 %0 -> %1 activation 0\n"
	"op NEG %1 -> %2\n"
	"op ADD %2 %0 -> %3 activation 0\n"
	"op EXP %3 -> %4\n"
	"op ADD %3 %4 -> %5 activation 0\n";

#define ELEMENTS	256
#define TENSOR_BYTES	(ELEMENTS * sizeof(float))

static struct ir_graph *parse(const char *text)
{
	struct ir_graph *g;
	struct error err;

	if (ir_parse(text, strlen(text), "graph", &g, &err))
		fail_msg("%s", err.text);
	return g;
}

static void fill(const struct cpu_graph *c)
{
	float *x = cpu_graph_tensor(c, 0);

	for (int i = 0; i < ELEMENTS; i++)
		x[i] = (float)(i - 128) / 64;
}

static void expect_result(const struct cpu_graph *c)
{
	const float *y = cpu_graph_tensor(c, 5);

	for (int i = 0; i < ELEMENTS; i++) {
		double x = (i - 128) / 64.0, sum = x - x * x;

		assert_true(fabs(y[i] - (sum + exp(sum))) < 1e-5);
	}
}

static void test_shared(void **state)
{
	struct ir_graph *g = parse(chain);
	struct cpu_graph *shared, *kept;
	struct error err = { "" };

	(void)state;
	assert_int_equal(cpu_graph_create(g, &shared, &err), 0);
	assert_int_equal(cpu_graph_create_kept(g, &kept, &err), 0);
	/* Besides input and output two tensors at a time are needed, not four. */
	assert_true(cpu_graph_memory(kept) >= 6 * TENSOR_BYTES);
	assert_true(cpu_graph_memory(shared) < 5 * TENSOR_BYTES);
	fill(shared);
	fill(kept);
	for (int turn = 0; turn < 2; turn++) {
		assert_int_equal(cpu_graph_run(shared, &err), 0);
		expect_result(shared);
	}
	assert_int_equal(cpu_graph_run(kept, &err), 0);
	expect_result(kept);
	assert_true(((float *)cpu_graph_tensor(kept, 1))[0] == 4);
	assert_true(((float *)cpu_graph_tensor(kept, 2))[0] == -4);
	cpu_graph_free(shared);
	cpu_graph_free(kept);
	ir_free(g);
}

struct watch {
	uint32_t tensors[8], count, stop_at;
	float first[8];
};

static int see(void *ctx, uint32_t tensor, const void *data)
{
	struct watch *w = ctx;

	if (tensor == w->stop_at)
		return -ECANCELED;
	w->tensors[w->count] = tensor;
	w->first[w->count++] = *(const float *)data;
	return 0;
}

static void test_observed(void **state)
{
	struct watch w = { .stop_at = IR_NONE };
	struct ir_graph *g = parse(chain);
	struct cpu_graph *c;
	struct error err = { "" };

	(void)state;
	assert_int_equal(cpu_graph_create(g, &c, &err), 0);
	fill(c);
	cpu_graph_observe(c, see, &w);
	assert_int_equal(cpu_graph_run(c, &err), 0);
	assert_int_equal(w.count, 6);
	for (uint32_t i = 0; i < 6; i++)
		assert_int_equal(w.tensors[i], i);
	assert_true(w.first[0] == -2 && w.first[1] == 4 && w.first[2] == -4 && w.first[3] == -6);
	w = (struct watch){ .stop_at = 3 };
	assert_int_equal(cpu_graph_run(c, &err), -ECANCELED);
	assert_int_equal(w.count, 3);
	assert_non_null(strstr(err.text, "tensor sum"));
	cpu_graph_observe(c, NULL, NULL);
	assert_int_equal(cpu_graph_run(c, &err), 0);
	assert_int_equal(w.count, 3);
	cpu_graph_free(c);
	ir_free(g);
}

/* A part runs on what is in its tensors' memory. */
static void test_range(void **state)
{
	struct ir_graph *g = parse(chain);
	struct cpu_graph *c;
	struct error err = { "" };
	float *sum;

	(void)state;
	assert_int_equal(cpu_graph_create_kept(g, &c, &err), 0);
	sum = cpu_graph_tensor(c, 3);
	for (int i = 0; i < ELEMENTS; i++)
		sum[i] = 1;
	assert_int_equal(cpu_graph_run_range(c, 3, 5, &err), 0);
	assert_true(fabs(((float *)cpu_graph_tensor(c, 5))[7] - (1 + exp(1))) < 1e-6);
	assert_true(((float *)cpu_graph_tensor(c, 1))[7] == 0);
	cpu_graph_free(c);
	ir_free(g);
}

static void run_op(unsigned int kind, const struct ir_options *options,
		   const struct cpu_tensor *in, uint32_t count, struct cpu_tensor out)
{
	struct error err = { "" };
	struct cpu_op *op;

	if (cpu_op_create(kind, options, in, count, &out, 1, &op, &err) || cpu_op_run(op, &err))
		fail_msg("%s", err.text);
	cpu_op_free(op);
}

static void test_no_numbers(void **state)
{
	static const struct ir_options none;
	float a[4] = { NAN, 1, -INFINITY, 2 }, b[4] = { 1, NAN, INFINITY, 3 }, out[4];
	int32_t axis = 0, index;
	uint8_t truth[4];
	struct cpu_tensor in[2] = {
		{ .type = ELEM_FLOAT32, .ndim = 1, .shape = { 4 }, .data = a },
		{ .type = ELEM_FLOAT32, .ndim = 1, .shape = { 4 }, .data = b },
	};
	struct cpu_tensor axes = { .type = ELEM_INT32, .ndim = 1, .shape = { 1 }, .data = &axis,
				   .constant = true };
	struct cpu_tensor to = { .type = ELEM_FLOAT32, .ndim = 1, .shape = { 4 }, .data = out };

	(void)state;
	run_op(IR_MAXIMUM, &none, in, 2, to);
	assert_true(isnan(out[0]) && isnan(out[1]) && out[2] == INFINITY && out[3] == 3);
	run_op(IR_MINIMUM, &none, in, 2, to);
	assert_true(isnan(out[0]) && isnan(out[1]) && out[2] == -INFINITY && out[3] == 2);
	run_op(IR_RELU, &none, in, 1, to);
	assert_true(isnan(out[0]) && out[1] == 1 && out[2] == 0);
	run_op(IR_ADD, &none, in, 2, to);
	assert_true(isnan(out[0]) && isnan(out[2]) && out[3] == 5);
	to.type = ELEM_BOOL;
	to.data = truth;
	run_op(IR_LESS, &none, in, 2, to);
	assert_memory_equal(truth, "\0\0\1\1", 4);
	run_op(IR_NOT_EQUAL, &none, in, 2, to);
	assert_memory_equal(truth, "\1\1\1\1", 4);
	run_op(IR_IS_NAN, &none, in, 1, to);
	assert_memory_equal(truth, "\1\0\0\0", 4);
	run_op(IR_IS_INF, &none, in, 1, to);
	assert_memory_equal(truth, "\0\0\1\0", 4);
	in[1] = axes;
	run_op(IR_REDUCE_MAX, &none, in, 2, (struct cpu_tensor){ .type = ELEM_FLOAT32, .data = out });
	assert_true(isnan(out[0]));
	run_op(IR_ARG_MAX, &none, in, 2, (struct cpu_tensor){ .type = ELEM_INT32, .data = &index });
	assert_int_equal(index, 0);
}

/* A product does not read what its result's memory held, nor write beside it. */
static void test_products(void **state)
{
	float a[6] = { 1, 2, 3, 4, 5, 6 }, b[6] = { 1, 0, 2, 0, 1, 1 }, c[10];
	struct gemm g = { .m = 2, .n = 2, .k = 3, .lda = 3, .ldb = 2, .ldc = 5 };

	(void)state;
	assert_int_equal(blas_load(NULL), 0);
	blas_threads(1);
	for (int m = 2; m > 0; m--) {
		for (int i = 0; i < 10; i++)
			c[i] = NAN;
		g.m = (size_t)m;
		gemm(&g, a, b, c);
		assert_true(c[0] == 8 && c[1] == 3 && isnan(c[2]) && isnan(c[4]));
		assert_true(m == 1 ? isnan(c[5]) && isnan(c[6]) : c[5] == 20 && c[6] == 6);
		assert_true(isnan(c[7]) && isnan(c[9]));
	}
	g.add = true;
	gemm(&g, a, b, c);
	assert_true(c[0] == 16 && c[1] == 6);
	blas_threads(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shared),	   cmocka_unit_test(test_observed),
		cmocka_unit_test(test_range),	   cmocka_unit_test(test_no_numbers),
		cmocka_unit_test(test_products),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
