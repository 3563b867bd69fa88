/* SPDX-License-Identifier: MIT */
/*
 * How the back end grows: time and peak memory on chains of convolutions of its own making.
 *
 * usage: bench_scale OPERATIONS CHANNELS [NPU]
 * OPERATIONS convolutions 1x1 of CHANNELS to CHANNELS on a map of 8x8 (of 1x1 from 512 channels on), each with
 * weights of its own; every fourth is followed by the addition of what came before it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "runtime/compile/compile.h"
#include "runtime/ir/ir_ops.h"
#include "runtime/target/target.h"

static uint32_t random_next(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* A sum of four: the weights of trained networks look like that. */
static int8_t draw_weight(uint32_t *state)
{
	int sum = 0;

	for (unsigned int i = 0; i < 4; i++)
		sum += (int)(random_next(state) % 48) - 24;
	return (int8_t)sum;
}

static uint32_t add_map(struct ir_graph *g, int32_t side, int32_t channels)
{
	const int32_t shape[4] = { 1, side, side, channels };
	char name[24];

	snprintf(name, sizeof(name), "t%u", g->tensor_count);
	return ir_tensor_new(g, name, ELEM_INT8, 4, shape);
}

static struct ir_view view_of(int32_t side, int32_t channels, uint32_t tensor)
{
	return (struct ir_view){ .tensor = tensor, .sy = (int64_t)side * channels, .sx = channels,
				 .h = side, .w = side, .c = channels, .type = ELEM_INT8 };
}

static void add_op(struct ir_graph *g, struct ir_npu *npu)
{
	struct ir_op *op = &g->ops[g->op_count++];

	npu->act_min = INT8_MIN;
	npu->act_max = INT8_MAX;
	npu->lut_data = IR_NONE;
	*op = (struct ir_op){ .kind = IR_NPU, .npu = npu };
}

static uint32_t add_conv(struct ir_graph *g, int32_t side, int32_t channels, uint32_t in, uint32_t *state)
{
	struct ir_npu *n = ir_alloc(g, sizeof(*n));
	const int32_t shape[4] = { channels, 1, 1, channels };
	struct ir_scale *scale = ir_alloc(g, (size_t)channels * sizeof(*scale));
	size_t size = (size_t)channels * (size_t)channels;
	int8_t *data = ir_alloc(g, size);

	for (size_t i = 0; i < size; i++)
		data[i] = draw_weight(state);
	for (int32_t i = 0; i < channels; i++)
		scale[i] = (struct ir_scale){ .scale = 1u << 30, .shift = 40 };
	n->kind = IR_NPU_CONV;
	n->weights = ir_tensor_new(g, "w", ELEM_INT8, 4, shape);
	g->tensors[n->weights].data = data;
	g->tensors[n->weights].size = size;
	n->kernel_h = n->kernel_w = n->stride_y = n->stride_x = n->dilation_y = n->dilation_x = 1;
	n->channels = (uint32_t)channels;
	n->channel_scale = scale;
	n->ifm = view_of(side, channels, in);
	n->ifm2.tensor = IR_NONE;
	n->ofm = view_of(side, channels, add_map(g, side, channels));
	add_op(g, n);
	return n->ofm.tensor;
}

static uint32_t add_sum(struct ir_graph *g, int32_t side, int32_t channels, uint32_t a, uint32_t b)
{
	struct ir_npu *n = ir_alloc(g, sizeof(*n));

	n->kind = IR_NPU_ELEMENTWISE;
	n->mode = IR_ELT_ADD;
	n->weights = IR_NONE;
	n->ifm_scale = n->ifm2_scale = n->ofm_scale = (struct ir_scale){ .scale = 1 };
	n->ifm = view_of(side, channels, a);
	n->ifm2 = view_of(side, channels, b);
	n->ofm = view_of(side, channels, add_map(g, side, channels));
	add_op(g, n);
	return n->ofm.tensor;
}

static struct ir_graph *make_graph(unsigned int count, int32_t channels)
{
	struct ir_graph *g = ir_new("chain");
	int32_t side = channels < 512 ? 8 : 1;
	uint32_t state = 1, now, before;

	g->ops = calloc(2 * count + 1, sizeof(*g->ops));
	g->inputs = ir_alloc(g, sizeof(uint32_t));
	g->outputs = ir_alloc(g, sizeof(uint32_t));
	now = before = g->inputs[0] = add_map(g, side, channels);
	g->tensors[now].input = 0;
	g->input_count = g->output_count = 1;
	for (unsigned int i = 0; i < count; i++) {
		now = add_conv(g, side, channels, now, &state);
		if (i % 4 != 3)
			continue;
		now = add_sum(g, side, channels, now, before);
		before = now;
	}
	g->outputs[0] = now;
	g->tensors[now].output = 0;
	return g;
}

int main(int argc, char **argv)
{
	struct compile_options opt = { .jobs = 1 };
	struct timespec from, to;
	struct target_set set;
	struct target target;
	struct program p;
	struct rusage use;
	struct ir_graph *g;
	struct error err;

	if (argc < 3) {
		fprintf(stderr, "usage: bench_scale OPERATIONS CHANNELS [NPU]\n");
		return 2;
	}
	if (target_set_load(&set, &err) ||
	    target_find(&set, argc > 3 ? argv[3] : "u65-256", NULL, NULL, &target, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	opt.target = &target;
	g = make_graph((unsigned int)atoi(argv[1]), atoi(argv[2]));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	if (compile_emit(g, &opt, &p, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	getrusage(RUSAGE_SELF, &use);
	printf("%u operations, %s channels: %.0f ms, %ld KiB at most, %zu bytes of constants, %zu of stream\n",
	       g->op_count, argv[2], (double)(to.tv_sec - from.tv_sec) * 1e3 +
	       (double)(to.tv_nsec - from.tv_nsec) / 1e6, use.ru_maxrss, p.constants_size,
	       4 * p.steps[0].words);
	program_free(&p);
	target_set_free(&set);
	return 0;
}
