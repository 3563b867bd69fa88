/* SPDX-License-Identifier: MIT */
/* Tests: which format the compiler gives the weights of U85, and what it comes to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/compile/compile.h"
#include "runtime/target/target.h"
#include "sim/cost_stream.h"

/* Weights: bell-shaped; two in four input channels zero; as many zeros, but anywhere; 16 values. */
enum contents { DENSE, TWO_FOUR, SCATTERED, FEW };

/* A convolution on a map of @side by @side, or @depthwise. */
struct layer {
	int32_t side, ic, oc, kernel;
	bool depthwise;
};

/* What became of it: kernels in all, and of each format; bytes of weight streams; cycles. */
struct figures {
	unsigned int kernels, sparse, fast;
	uint64_t bytes, cycles;
};

static uint32_t next(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static int8_t draw(uint32_t *state, enum contents what)
{
	int sum = 0;

	if (what == FEW)
		return (int8_t)(8 * (int)(next(state) % 16) - 60);
	for (unsigned int i = 0; i < 4; i++)
		sum += (int)(next(state) % 49) - 24;
	return (int8_t)(sum ? sum : 1);
}

static void fill(int8_t *w, size_t count, size_t ic, enum contents what)
{
	uint32_t state = 7;
	unsigned int first = 0, second = 0;

	for (size_t i = 0; i < count; i++) {
		w[i] = draw(&state, what);
		if (i % ic % 4 == 0) {
			first = next(&state) % 4;
			second = (first + 1 + next(&state) % 3) % 4;
		}
		if (what == TWO_FOUR && i % ic % 4 != first && i % ic % 4 != second)
			w[i] = 0;
		else if (what == SCATTERED && next(&state) % 2)
			w[i] = 0;
	}
}

static uint32_t tensor(struct ir_graph *g, const char *name, int32_t h, int32_t w, int32_t c)
{
	const int32_t shape[] = { 1, h, w, c };
	uint32_t t = ir_tensor_new(g, name, ELEM_INT8, 4, shape);

	assert_int_not_equal(t, IR_NONE);
	return t;
}

static struct ir_view view(const struct ir_graph *g, uint32_t tensor)
{
	const struct ir_tensor *t = &g->tensors[tensor];

	return (struct ir_view){ .tensor = tensor, .sy = (int64_t)t->hwc[1] * t->hwc[2],
				 .sx = t->hwc[2], .h = t->hwc[0], .w = t->hwc[1], .c = t->hwc[2],
				 .type = t->type };
}

static struct ir_graph *make(const struct layer *l, enum contents what)
{
	struct ir_graph *g = ir_new("one layer");
	uint32_t in, out, weights;
	int32_t oc = l->depthwise ? l->ic : l->oc;
	struct ir_npu *n;
	int8_t *data;

	assert_non_null(g);
	in = tensor(g, "in", l->side, l->side, l->ic);
	out = tensor(g, "out", l->side, l->side, oc);
	weights = tensor(g, "weights", l->kernel, l->kernel, l->depthwise ? l->ic : l->ic * l->oc);
	n = ir_alloc(g, sizeof(*n));
	data = ir_alloc(g, ir_tensor_elements(&g->tensors[weights]));
	assert_true(n && data);
	fill(data, ir_tensor_elements(&g->tensors[weights]), l->depthwise ? 1 : (size_t)l->ic, what);
	g->tensors[weights].data = data;
	g->tensors[weights].size = ir_tensor_elements(&g->tensors[weights]);
	ir_npu_init(n);
	n->kind = l->depthwise ? IR_NPU_DEPTHWISE : IR_NPU_CONV;
	n->ifm = view(g, in);
	n->ofm = view(g, out);
	n->weights = weights;
	n->kernel_h = n->kernel_w = l->kernel;
	n->stride_y = n->stride_x = n->dilation_y = n->dilation_x = 1;
	n->pad_top = n->pad_left = n->pad_bottom = n->pad_right = l->kernel / 2;
	n->ofm_scale = (struct ir_scale){ .scale = 1u << 30, .shift = 40 };
	n->act_min = INT8_MIN;
	n->act_max = INT8_MAX;
	assert_non_null(ir_npu_new(g, n));
	g->inputs = &g->ops[0].inputs[0];
	g->input_count = 1;
	g->tensors[in].input = 0;
	g->outputs = &g->ops[0].outputs[0];
	g->output_count = 1;
	g->tensors[out].output = 0;
	return g;
}

static void count(const struct target *target, const struct program_step *step, struct figures *f)
{
	static const struct npu_state power_on;
	struct npu_program program;
	struct cost_total total;

	assert_int_equal(npu_decode(npu_config_find(target->cost.arch->name), &power_on, step->stream,
				    step->words, &program), 0);
	assert_int_equal(program.end, NPU_STOP_END);
	cost_stream(&target->cost, &program, program.count, NULL, &total);
	f->cycles += total.cycles;
	for (size_t i = 0; i < program.count; i++) {
		const struct npu_op *op = &program.ops[i];

		if (op->kind != NPU_KIND_CONV && op->kind != NPU_KIND_DEPTHWISE)
			continue;
		f->kernels++;
		f->sparse += op->weight_sparse;
		f->fast += op->weight_fwd;
		for (unsigned int s = 0; s < op->cores; s++)
			f->bytes += op->weight_len[s];
	}
	npu_program_free(&program);
}

static struct figures compile(const char *npu, const char *mode, const struct layer *l,
			      enum contents what, bool size)
{
	struct ir_graph *g = make(l, what);
	struct figures f = { 0 };
	struct target_set set;
	struct target target;
	struct compile_options opt = { .target = &target, .optimise_size = size };
	struct program p;
	struct error err;

	assert_int_equal(target_set_load(&set, &err), 0);
	assert_int_equal(target_find(&set, npu, NULL, mode, &target, &err), 0);
	assert_int_equal(compile_emit(g, &opt, &p, &err), 0);
	for (uint32_t i = 0; i < p.step_count; i++)
		count(&target, &p.steps[i], &f);
	assert_true(f.kernels);
	program_free(&p);
	target_set_free(&set);
	ir_free(g);
	return f;
}

static const struct layer wide = { .side = 16, .ic = 128, .oc = 128, .kernel = 3 };

static void test_sparse_pays(void **state)
{
	static const char *const npus[] = { "u85-128", "u85-256", "u85-512", "u85-1024", "u85-2048" };

	(void)state;
	for (unsigned int i = 0; i < sizeof(npus) / sizeof(npus[0]); i++) {
		struct figures dense = compile(npus[i], "Sram_Only", &wide, DENSE, false);
		struct figures half = compile(npus[i], "Sram_Only", &wide, SCATTERED, false);
		struct figures sparse = compile(npus[i], "Sram_Only", &wide, TWO_FOUR, false);

		assert_int_equal(dense.sparse + half.sparse, 0);
		assert_int_equal(sparse.sparse, sparse.kernels);
		/* The array takes half as long; on larger ones the decoders and the rest limit more. */
		assert_true(sparse.cycles < (i < 2 ? 0.55 : 0.85) * (double)dense.cycles);
		assert_true(sparse.cycles > 0.45 * (double)dense.cycles);
		assert_true(sparse.cycles < half.cycles);
		/* A zero every other place costs about a bit of every eight that are left. */
		assert_true(sparse.bytes < 0.75 * (double)dense.bytes);
		assert_true(sparse.bytes < 1.1 * (double)half.bytes);
	}
}

/* One tap of few channels: of what 2:4 fills up there is more than there are weights. */
static void test_sparse_does_not_pay(void **state)
{
	static const struct layer narrow = { .side = 1, .ic = 16, .oc = 1024, .kernel = 1 };
	struct figures f;

	(void)state;
	f = compile("u85-256", "Dedicated_Sram", &narrow, TWO_FOUR, false);
	assert_int_equal(f.sparse, 0);
	f = compile("u85-256", "Dedicated_Sram", &narrow, TWO_FOUR, true);
	assert_int_equal(f.sparse, 0);
}

/* One weight too many in one group, and it is no 2:4. */
static void test_almost_sparse(void **state)
{
	static const struct layer few = { .side = 16, .ic = 128, .oc = 32, .kernel = 1 };
	struct ir_graph *g;
	struct figures f = { 0 };
	struct target_set set;
	struct target target;
	struct compile_options opt = { .target = &target };
	struct program p;
	struct error err;

	(void)state;
	assert_int_equal(compile("u85-256", "Sram_Only", &few, TWO_FOUR, false).sparse, 1);
	g = make(&few, TWO_FOUR);
	memset((int8_t *)(uintptr_t)g->tensors[g->ops[0].npu->weights].data + 128 * 31 + 124, 1, 3);
	assert_int_equal(target_set_load(&set, &err), 0);
	assert_int_equal(target_find(&set, "u85-256", NULL, "Sram_Only", &target, &err), 0);
	assert_int_equal(compile_emit(g, &opt, &p, &err), 0);
	count(&target, &p.steps[0], &f);
	assert_int_equal(f.sparse, 0);
	program_free(&p);
	target_set_free(&set);
	ir_free(g);
}

static void test_depthwise(void **state)
{
	static const struct layer l = { .side = 16, .ic = 64, .kernel = 3, .depthwise = true };
	struct figures f;

	(void)state;
	f = compile("u85-256", "Sram_Only", &l, TWO_FOUR, false);
	assert_int_equal(f.sparse + f.fast, 0);
}

/* A vector by a matrix waits for the decoder if memory is quick, and for memory if it is not. */
static void test_fast(void **state)
{
	static const struct layer matrix = { .side = 1, .ic = 512, .oc = 512, .kernel = 1 };
	struct figures quick, slow, small;

	(void)state;
	quick = compile("u85-256", "Sram_Only", &matrix, FEW, false);
	assert_int_equal(quick.fast, quick.kernels);
	assert_in_range(quick.bytes, 512 * 512 / 2, 512 * 512 / 2 + 64 * quick.kernels);
	quick = compile("u85-256", "Sram_Only", &matrix, DENSE, false);
	assert_int_equal(quick.fast, quick.kernels);
	slow = compile("u85-256", "Dedicated_Sram", &matrix, DENSE, false);
	assert_int_equal(slow.fast, 0);
	assert_true(slow.bytes < quick.bytes);
	small = compile("u85-256", "Sram_Only", &matrix, DENSE, true);
	assert_int_equal(small.fast, 0);
	assert_true(small.bytes < quick.bytes && small.cycles > quick.cycles);
	/* Where weights are used over and over the decoder does not limit. */
	assert_int_equal(compile("u85-256", "Sram_Only", &wide, DENSE, false).fast, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sparse_pays),
		cmocka_unit_test(test_sparse_does_not_pay),
		cmocka_unit_test(test_almost_sparse),
		cmocka_unit_test(test_depthwise),
		cmocka_unit_test(test_fast),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
