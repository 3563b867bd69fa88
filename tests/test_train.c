/* SPDX-License-Identifier: MIT */
/*
 * Tests: gradients against differences of what the graph computes, one number moved at a time. The loss
 * is a sum of the outputs with random factors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/ir/ir_ops.h"
#include "runtime/train/backprop.h"

#define NUDGE	0.003f
#define KINKS	0.2	/* of the numbers may be next to a corner of an activation */

static uint32_t state = 1;

static float draw(void)
{
	state = state * 1664525u + 1013904223u;
	return (float)(state >> 8) / 8388608.0f - 1;
}

/* ---- graphs ---- */

static uint32_t tensor(struct ir_graph *g, const char *name, const int32_t *shape, uint32_t ndim)
{
	uint32_t t = ir_tensor_new(g, name, ELEM_FLOAT32, ndim, shape);

	assert_int_not_equal(t, IR_NONE);
	return t;
}

static uint32_t constant(struct ir_graph *g, const char *name, const int32_t *shape, uint32_t ndim)
{
	uint32_t t = tensor(g, name, shape, ndim);
	size_t n = ir_tensor_elements(&g->tensors[t]);
	float *data = ir_alloc(g, n * sizeof(*data));

	assert_non_null(data);
	for (size_t i = 0; i < n; i++)
		data[i] = draw();
	g->tensors[t].data = data;
	g->tensors[t].size = n * sizeof(*data);
	return t;
}

static uint32_t integers(struct ir_graph *g, const char *name, const int32_t *values, int32_t count,
			 const int32_t *shape, uint32_t ndim)
{
	uint32_t t = ir_tensor_new(g, name, ELEM_INT32, ndim, shape);
	int32_t *data = ir_alloc(g, (size_t)count * sizeof(*data));

	assert_true(t != IR_NONE && data);
	memcpy(data, values, (size_t)count * sizeof(*data));
	g->tensors[t].data = data;
	g->tensors[t].size = (size_t)count * sizeof(*data);
	return t;
}

static void op(struct ir_graph *g, unsigned int kind, const uint32_t *in, uint32_t in_count, uint32_t out,
	       const struct ir_options *o)
{
	assert_non_null(ir_op_new(g, kind, in, in_count, &out, 1, o));
}

static uint32_t input(struct ir_graph *g, const int32_t *shape)
{
	uint32_t t = tensor(g, "in", shape, 4);

	g->tensors[t].input = 0;
	g->inputs = ir_alloc(g, sizeof(*g->inputs));
	assert_non_null(g->inputs);
	g->inputs[g->input_count++] = t;
	return t;
}

static void output(struct ir_graph *g, uint32_t t)
{
	g->tensors[t].output = 0;
	g->outputs = ir_alloc(g, sizeof(*g->outputs));
	assert_non_null(g->outputs);
	g->outputs[g->output_count++] = t;
}

#define SHAPE(...) ((const int32_t[]){ __VA_ARGS__ })

/* A layer of @kind from @in to a new tensor of that shape. */
static uint32_t layer(struct ir_graph *g, unsigned int kind, uint32_t in, const int32_t *w, uint32_t w_ndim,
		      const int32_t *out, uint32_t out_ndim, const struct ir_options *o)
{
	char name[3][24];
	uint32_t t;
	uint32_t operands[3] = { in };

	snprintf(name[0], sizeof(name[0]), "w%u", g->op_count);
	snprintf(name[1], sizeof(name[1]), "b%u", g->op_count);
	snprintf(name[2], sizeof(name[2]), "t%u", g->op_count);
	operands[1] = constant(g, ir_strdup(g, name[0], strlen(name[0])), w, w_ndim);
	operands[2] = constant(g, ir_strdup(g, name[1], strlen(name[1])), &out[out_ndim - 1], 1);
	t = tensor(g, ir_strdup(g, name[2], strlen(name[2])), out, out_ndim);
	op(g, kind, operands, 3, t, o);
	return t;
}

/* Convolutions of all forms, in a row. */
static struct ir_graph *convolutions(void)
{
	const struct ir_options same = { .stride_w = 2, .stride_h = 1, .activation = IR_ACT_RELU6,
					 .dilation_w = 1, .dilation_h = 1 };
	const struct ir_options padded = { .padding = IR_PADDING_VALID, .stride_w = 1, .stride_h = 2,
					   .dilation_w = 2, .dilation_h = 1, .pad_top = 1, .pad_left = 2,
					   .pad_bottom = 0, .pad_right = 1, .depth_multiplier = 1 };
	const struct ir_options twice = { .stride_w = 1, .stride_h = 1, .dilation_w = 1, .dilation_h = 2,
					  .depth_multiplier = 2, .activation = IR_ACT_RELU };
	const struct ir_options dense = { 0 };
	struct ir_graph *g = ir_new("convolutions");
	uint32_t t, shape;

	assert_non_null(g);
	t = input(g, SHAPE(1, 6, 8, 3));
	t = layer(g, IR_CONV_2D, t, SHAPE(4, 3, 3, 3), 4, SHAPE(1, 6, 4, 4), 4, &same);
	t = layer(g, IR_CONV_2D, t, SHAPE(5, 2, 2, 4), 4, SHAPE(1, 3, 5, 5), 4, &padded);
	t = layer(g, IR_CONV_2D, t, SHAPE(4, 1, 1, 5), 4, SHAPE(1, 3, 5, 4), 4,
		  &(struct ir_options){ .stride_w = 1, .stride_h = 1, .dilation_w = 1, .dilation_h = 1 });
	t = layer(g, IR_DEPTHWISE_CONV_2D, t, SHAPE(1, 3, 3, 8), 4, SHAPE(1, 3, 5, 8), 4, &twice);
	t = layer(g, IR_DEPTHWISE_CONV_2D, t, SHAPE(1, 2, 2, 8), 4, SHAPE(1, 2, 6, 8), 4, &padded);
	shape = integers(g, "shape", SHAPE(2, 48), 2, SHAPE(2), 1);
	op(g, IR_RESHAPE, (uint32_t[]){ t, shape }, 2, tensor(g, "flat", SHAPE(2, 48), 2), NULL);
	t = layer(g, IR_FULLY_CONNECTED, g->tensor_count - 1, SHAPE(7, 48), 2, SHAPE(2, 7), 2, &dense);
	output(g, t);
	return g;
}

/* Everything else, behind a layer. */
static struct ir_graph *others(void)
{
	static const unsigned int unary[] = { IR_HARD_SWISH, IR_LOGISTIC, IR_TANH, IR_RELU, IR_RELU6,
					      IR_RELU_N1_TO_1 };
	const struct ir_options one = { .stride_w = 1, .stride_h = 1, .dilation_w = 1, .dilation_h = 1 };
	const struct ir_options pool = { .stride_w = 2, .stride_h = 1, .filter_w = 3, .filter_h = 2,
					 .activation = IR_ACT_RELU6 };
	struct ir_graph *g = ir_new("others");
	uint32_t t, sum, first, second;
	char name[24];

	assert_non_null(g);
	t = input(g, SHAPE(1, 4, 6, 3));
	t = layer(g, IR_CONV_2D, t, SHAPE(9, 1, 1, 3), 4, SHAPE(1, 4, 6, 9), 4, &one);
	t = layer(g, IR_CONV_2D, t, SHAPE(4, 1, 1, 9), 4, SHAPE(1, 4, 6, 4), 4, &one);
	first = sum = t;
	for (unsigned int i = 0; i < sizeof(unary) / sizeof(*unary); i++) {
		snprintf(name, sizeof(name), "unary%u", i);
		second = tensor(g, ir_strdup(g, name, strlen(name)), SHAPE(1, 4, 6, 4), 4);
		op(g, unary[i], &first, 1, second, NULL);
		snprintf(name, sizeof(name), "sum%u", i);
		t = tensor(g, ir_strdup(g, name, strlen(name)), SHAPE(1, 4, 6, 4), 4);
		op(g, i % 2 ? IR_SUB : IR_ADD, (uint32_t[]){ sum, second }, 2, t, &(struct ir_options){ 0 });
		sum = t;
	}
	/* By a value for each channel that itself is computed. */
	second = tensor(g, "mean", SHAPE(1, 1, 1, 4), 4);
	op(g, IR_MEAN, (uint32_t[]){ sum, integers(g, "axes", SHAPE(1, -2), 2, SHAPE(2), 1) }, 2, second,
	   &(struct ir_options){ .keep_dims = 1 });
	t = tensor(g, "product", SHAPE(1, 4, 6, 4), 4);
	op(g, IR_MUL, (uint32_t[]){ second, sum }, 2, t, &(struct ir_options){ 0 });
	first = tensor(g, "shifted", SHAPE(1, 4, 6, 4), 4);
	op(g, IR_ADD, (uint32_t[]){ t, second }, 2, first, &(struct ir_options){ 0 });
	t = tensor(g, "padded", SHAPE(1, 5, 8, 4), 4);
	op(g, IR_PAD, (uint32_t[]){ first, integers(g, "pads", SHAPE(0, 0, 1, 0, 0, 2, 0, 0), 8, SHAPE(4, 2), 2) },
	   2, t, NULL);
	first = tensor(g, "averages", SHAPE(1, 5, 4, 4), 4);
	op(g, IR_AVERAGE_POOL_2D, &t, 1, first, &pool);
	second = tensor(g, "largest", SHAPE(1, 5, 4, 4), 4);
	op(g, IR_MAX_POOL_2D, &t, 1, second, &pool);
	t = tensor(g, "both", SHAPE(1, 5, 4, 4), 4);
	op(g, IR_ADD, (uint32_t[]){ first, second }, 2, t, &(struct ir_options){ 0 });
	first = tensor(g, "turned", SHAPE(4, 1, 4, 5), 4);
	op(g, IR_TRANSPOSE, (uint32_t[]){ t, integers(g, "order", SHAPE(3, 0, 2, 1), 4, SHAPE(4), 1) }, 2,
	   first, NULL);
	t = tensor(g, "soft", SHAPE(4, 1, 4, 5), 4);
	op(g, IR_SOFTMAX, &first, 1, t, &(struct ir_options){ .beta = 1.5f });
	output(g, t);
	return g;
}

/* ---- differences ---- */

static double loss_of(struct backprop *b, const struct ir_graph *g, const float *factors)
{
	const float *y = backprop_values(b, g->outputs[0]);
	struct error err;
	double sum = 0;

	assert_int_equal(backprop_forward(b, &err), 0);
	for (size_t i = 0; i < ir_tensor_elements(&g->tensors[g->outputs[0]]); i++)
		sum += (double)y[i] * (double)factors[i];
	return sum;
}

/* Return: false: a corner is so near that there is no telling. */
static bool check_number(struct backprop *b, const struct ir_graph *g, const float *factors, float *number,
			 double gradient, double size)
{
	float was = *number;
	double here = loss_of(b, g, factors), above, below, slope, bend;

	*number = was + NUDGE;
	above = loss_of(b, g, factors);
	*number = was - NUDGE;
	below = loss_of(b, g, factors);
	*number = was;
	slope = (above - below) / (2 * (double)NUDGE);
	bend = fabs(above + below - 2 * here) / (double)NUDGE;
	if (bend > 0.02 * size)
		return false;
	if (fabs(slope - gradient) > 0.02 * size)
		print_message("%g by differences, %g by the gradient\n", slope, gradient);
	assert_true(fabs(slope - gradient) <= 0.02 * size);
	return true;
}

static void check_graph(struct ir_graph *g)
{
	size_t outputs = ir_tensor_elements(&g->tensors[g->outputs[0]]), count, corners = 0, all = 0;
	const struct parameter *p;
	struct backprop *b;
	struct error err;
	float *factors, *in;

	assert_int_equal(ir_verify(g, &err), 0);
	assert_int_equal(backprop_create(g, &b, &err), 0);
	factors = calloc(outputs, sizeof(*factors));
	assert_non_null(factors);
	in = backprop_values(b, g->inputs[0]);
	for (size_t i = 0; i < ir_tensor_elements(&g->tensors[g->inputs[0]]); i++)
		in[i] = draw();
	for (size_t i = 0; i < outputs; i++)
		factors[i] = draw();
	p = backprop_parameters(b, &count);
	/* Twice: they add up. */
	for (unsigned int k = 0; k < 2; k++) {
		assert_int_equal(backprop_forward(b, &err), 0);
		memcpy(backprop_gradient(b, g->outputs[0]), factors, outputs * sizeof(*factors));
		backprop_run(b);
	}
	for (size_t i = 0; i < count; i++) {
		double size = 0;

		for (size_t k = 0; k < p[i].count; k++)
			size = fmax(size, fabs((double)p[i].gradient[k]) / 2);
		assert_true(size > 0);
		for (size_t k = 0; k < p[i].count; k++, all++)
			corners += !check_number(b, g, factors, &p[i].values[k],
						 (double)p[i].gradient[k] / 2, size);
	}
	print_message("%s: %zu numbers, %zu next to corners\n", g->name, all, corners);
	assert_true((double)corners <= KINKS * (double)all);
	backprop_clear(b);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < p[i].count; k++)
			assert_true(p[i].gradient[k] == 0);
	free(factors);
	backprop_free(b);
	ir_free(g);
}

static void test_convolutions(void **unused)
{
	(void)unused;
	check_graph(convolutions());
}

static void test_others(void **unused)
{
	(void)unused;
	check_graph(others());
}

/* Behind a layer: refused by name. Before all of them: nobody asks. */
static void test_refusal(void **unused)
{
	const struct ir_options one = { .stride_w = 1, .stride_h = 1, .dilation_w = 1, .dilation_h = 1 };
	struct backprop *b;
	struct error err;

	(void)unused;
	for (unsigned int before = 0; before < 2; before++) {
		struct ir_graph *g = ir_new("refusal");
		uint32_t t, e;

		assert_non_null(g);
		t = input(g, SHAPE(1, 2, 2, 3));
		if (before) {
			e = tensor(g, "floor", SHAPE(1, 2, 2, 3), 4);
			op(g, IR_FLOOR, &t, 1, e, NULL);
			t = e;
		}
		t = layer(g, IR_CONV_2D, t, SHAPE(2, 1, 1, 3), 4, SHAPE(1, 2, 2, 2), 4, &one);
		if (!before) {
			e = tensor(g, "floor", SHAPE(1, 2, 2, 2), 4);
			op(g, IR_FLOOR, &t, 1, e, NULL);
			t = e;
		}
		output(g, t);
		if (before) {
			assert_int_equal(backprop_create(g, &b, &err), 0);
			backprop_free(b);
		} else {
			assert_int_equal(backprop_create(g, &b, &err), -ENOTSUP);
			assert_non_null(strstr(err.text, "floor"));
			assert_non_null(strstr(err.text, "FLOOR"));
		}
		ir_free(g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_convolutions),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_refusal),
	};

	return cmocka_run_group_tests_name("train", tests, NULL, NULL);
}
