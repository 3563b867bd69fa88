// SPDX-License-Identifier: MIT
/*
 * Tests: pools with padding of their own, as ONNX has them: what the CPU computes and what the NPU is told
 * to do, against sums and maxima written down here, where padding counts as nothing.
 *
 * usage: pool_pads COUNT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/compile/compile.h"
#include "runtime/cpu/graph.h"
#include "runtime/ir/ir_copy.h"
#include "runtime/target/target.h"
#include "tests/ir_run.h"

static uint64_t state = 1;

static int32_t range(int32_t low, int32_t high)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return low + (int32_t)((state >> 33) % (uint64_t)(high - low + 1));
}

static struct ir_graph *draw(struct ir_options *o, int *kind)
{
	int32_t in[4] = { 1, range(1, 11), range(1, 11), range(1, 20) }, out[4];
	float scale = 0.5f;
	int32_t zero = range(-20, 20);
	struct ir_graph *g = ir_new("pool");
	uint32_t x, y;

	*kind = range(0, 1) ? IR_MAX_POOL_2D : IR_AVERAGE_POOL_2D;
	*o = (struct ir_options){ .padding = IR_PADDING_VALID,
				  .filter_h = range(1, 5),
				  .filter_w = range(1, 5),
				  .stride_h = range(1, 3),
				  .stride_w = range(1, 3) };
	o->pad_top = range(0, o->filter_h - 1);
	o->pad_bottom = range(0, o->filter_h - 1);
	o->pad_left = range(0, o->filter_w - 1);
	o->pad_right = range(0, o->filter_w - 1);
	out[0] = 1;
	out[1] = (in[1] + o->pad_top + o->pad_bottom - o->filter_h) / o->stride_h + 1;
	out[2] = (in[2] + o->pad_left + o->pad_right - o->filter_w) / o->stride_w + 1;
	out[3] = in[3];
	if (in[1] + o->pad_top + o->pad_bottom < o->filter_h ||
	    in[2] + o->pad_left + o->pad_right < o->filter_w) {
		ir_free(g);
		return NULL;
	}
	x = ir_tensor_new(g, "x", ELEM_INT8, 4, in);
	y = ir_tensor_new(g, "y", ELEM_INT8, 4, out);
	g->inputs = ir_alloc(g, sizeof(*g->inputs));
	g->outputs = ir_alloc(g, sizeof(*g->outputs));
	g->inputs[0] = x;
	g->outputs[0] = y;
	g->input_count = g->output_count = 1;
	g->tensors[x].input = g->tensors[y].output = 0;
	if (ir_set_quant(g, x, 1, 0, &scale, &zero) || ir_set_quant(g, y, 1, 0, &scale, &zero) ||
	    !ir_op_new(g, (unsigned int)*kind, &x, 1, &y, 1, o))
		abort();
	return g;
}

/* One element of the output; averages: halves away from zero. */
static int8_t expected(const struct ir_tensor *x, const int8_t *in, const struct ir_options *o,
		       bool max, int32_t oy, int32_t ox, int32_t c)
{
	int32_t sum = 0, count = 0, high = -128;

	for (int32_t y = oy * o->stride_h - o->pad_top; y < oy * o->stride_h - o->pad_top + o->filter_h; y++)
		for (int32_t p = ox * o->stride_w - o->pad_left;
		     p < ox * o->stride_w - o->pad_left + o->filter_w; p++) {
			int32_t v;

			if (y < 0 || y >= x->shape[1] || p < 0 || p >= x->shape[2])
				continue;
			v = in[(y * x->shape[2] + p) * x->shape[3] + c];
			sum += v;
			high = v > high ? v : high;
			count++;
		}
	if (max)
		return (int8_t)high;
	return (int8_t)((sum > 0 ? 2 * sum + count : 2 * sum - count) / (2 * count));
}

static int compare(const char *who, const struct ir_graph *g, const struct ir_options *o, bool max,
		   const int8_t *in, const int8_t *got)
{
	const struct ir_tensor *x = &g->tensors[0], *y = &g->tensors[1];
	size_t at = 0;

	for (int32_t h = 0; h < y->shape[1]; h++)
		for (int32_t w = 0; w < y->shape[2]; w++)
			for (int32_t c = 0; c < y->shape[3]; c++, at++) {
				int8_t want = expected(x, in, o, max, h, w, c);

				if (got[at] == want)
					continue;
				printf("FAIL %s: %s %dx%dx%d, kernel %dx%d, stride %dx%d, pads %d "
				       "%d %d %d: (%d, %d, %d) is %d, not %d\n",
				       who, max ? "maximum" : "average", x->shape[1], x->shape[2],
				       x->shape[3], o->filter_h, o->filter_w, o->stride_h,
				       o->stride_w, o->pad_top, o->pad_left, o->pad_bottom,
				       o->pad_right, h, w, c, got[at], want);
				return 1;
			}
	return 0;
}

static int on_cpu(const struct ir_graph *g, const struct ir_options *o, bool max, const int8_t *in)
{
	struct cpu_graph *c;
	struct error err;
	int fail;

	if (cpu_graph_create(g, &c, &err) ||
	    cpu_graph_run(c, (memcpy(cpu_graph_tensor(c, 0), in, ir_tensor_bytes(&g->tensors[0])),
			      &err))) {
		printf("FAIL CPU: %s\n", err.text);
		return 1;
	}
	fail = compare("CPU", g, o, max, in, cpu_graph_tensor(c, 1));
	cpu_graph_free(c);
	return fail;
}

/* @on_npu: how many were lowered. */
static int lowered(const struct ir_graph *from, const struct ir_options *o, bool max,
		   const int8_t *in, int family, unsigned int *on_npu)
{
	const struct target target = { .system.family = family };
	const struct compile_options options = { .target = &target };
	struct ir_graph *g = ir_copy(from);
	struct ir_run *run = NULL;
	struct error err;
	int fail = 0;

	if (!g || compile_lower(g, &options, &err) || !(run = ir_run_new(g, family == 85)))
		abort();
	memcpy(ir_run_data(run, 0), in, ir_tensor_bytes(&g->tensors[0]));
	for (uint32_t i = 0; i < g->op_count && !fail; i++) {
		if (g->ops[i].kind != IR_NPU)
			goto out;
		fail = ir_run_op(run, g->ops[i].npu) != 0;
	}
	++*on_npu;
	fail = fail || compare(family == 85 ? "U85" : "U65", from, o, max, in, ir_run_data(run, 1));
out:
	ir_run_free(run);
	ir_free(g);
	return fail;
}

int main(int argc, char **argv)
{
	unsigned int count = argc > 1 ? (unsigned int)atoi(argv[1]) : 300, fails = 0, on_npu = 0, drawn = 0;

	while (drawn < count) {
		struct ir_options o;
		int8_t in[11 * 11 * 20];
		int kind;
		struct ir_graph *g = draw(&o, &kind);
		bool max;

		if (!g)
			continue;
		drawn++;
		max = kind == IR_MAX_POOL_2D;
		for (size_t i = 0; i < sizeof(in); i++)
			in[i] = (int8_t)range(-128, 127);
		fails += (unsigned int)on_cpu(g, &o, max, in);
		fails += (unsigned int)lowered(g, &o, max, in, 65, &on_npu);
		fails += (unsigned int)lowered(g, &o, max, in, 85, &on_npu);
		ir_free(g);
	}
	printf("pools with padding: %u, %u of %u on NPUs, %u wrong\n", count, on_npu, 2 * count, fails);
	return fails || on_npu < count;
}
