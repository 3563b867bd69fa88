/* SPDX-License-Identifier: MIT */
/*
 * Lowering: each graph operation to operations of the NPU, or left to the CPU with a reason.
 *
 * Done twice. The first run, every tensor in a place of its own, tells what stays on the CPU; then
 * tensors that only the NPU sees can be placed inside others (place.c), and the second run counts.
 */
#include "runtime/compile/lower.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/compile/compile.h"
#include "runtime/compile/place.h"
#include "runtime/target/target.h"

/*
 * struct lower_kind - a kind of operation that the NPU can do
 * @lower: puts it into operations of the NPU
 * @what: of which types and within which limits, for people
 */
struct lower_kind {
	int (*lower)(struct lower *l, const struct ir_op *op);
	const char *what;
};

static const struct lower_kind kinds[IR_KIND_COUNT] = {
	[IR_ABS] = { lower_abs, "int8, uint8, int16" },
	[IR_ADD] = { lower_add, "int8, uint8, int16, int32 without quantisation; broadcasting" },
	[IR_ARG_MAX] = { lower_arg_max,
		"int8, uint8, U85 int16; index int32; U55 and U65: last axis, at most 127 elements" },
	[IR_AVERAGE_POOL_2D] = { lower_pool, "int8, uint8, int16; at most 8x8 with padding" },
	[IR_BATCH_MATMUL] = { lower_matmul,
		"int8; U85 int16; U55 and U65: two operations a column" },
	[IR_BROADCAST_TO] = { lower_tile, "8 and 16 bits, int32; at most 256 copies" },
	[IR_CONCATENATION] = { lower_concat,
		"int8, uint8, int16, int32; mostly by address, free of cost" },
	[IR_CONV_2D] = { lower_conv2d,
		"int8, uint8, int16 with constant 8-bit weights; groups, any stride without padding, dilation" },
	[IR_DEPTH_TO_SPACE] = { lower_space_depth, "8 and 16 bits, int32" },
	[IR_DEPTHWISE_CONV_2D] = { lower_depthwise, "as CONV_2D; depth multipliers" },
	[IR_DIV] = { lower_div, "int32, U85" },
	[IR_ELU] = { lower_table, "int8, uint8: table" },
	[IR_EQUAL] = { lower_compare, "int8, uint8, int16; U85 int32" },
	[IR_EXP] = { lower_table, "int8, uint8, int16: table" },
	[IR_EXPAND_DIMS] = { lower_reshape, "by address" },
	[IR_FULLY_CONNECTED] = { lower_fully_connected,
		"int8, uint8, int16 with constant 8-bit weights" },
	[IR_GATHER] = { lower_gather, "constant indices, at most 256: copies; U85: any int32" },
	[IR_GELU] = { lower_table, "int8, uint8: table" },
	[IR_GREATER] = { lower_compare, "int8, uint8, int16; U85 int32" },
	[IR_GREATER_EQUAL] = { lower_compare, "int8, uint8, int16; U85 int32" },
	[IR_HARD_SWISH] = { lower_table, "int8, uint8: table" },
	[IR_LEAKY_RELU] = { lower_leaky_relu, "int8, uint8: table; int16" },
	[IR_LESS] = { lower_compare, "int8, uint8, int16; U85 int32" },
	[IR_LESS_EQUAL] = { lower_compare, "int8, uint8, int16; U85 int32" },
	[IR_LOG] = { lower_table, "int8, uint8, int16: table" },
	[IR_LOGICAL_AND] = { lower_logical, "bool of 0 and 1" },
	[IR_LOGICAL_NOT] = { lower_logical, "bool of 0 and 1" },
	[IR_LOGICAL_OR] = { lower_logical, "bool of 0 and 1" },
	[IR_LOGISTIC] = { lower_tanh_sigmoid, "int8, uint8: table; int16" },
	[IR_MAXIMUM] = { lower_minmax, "int8, uint8, int16" },
	[IR_MAX_POOL_2D] = { lower_pool, "int8, uint8, int16" },
	[IR_MEAN] = { lower_mean,
		"int8, uint8, int16; neighbouring axes, at most 4096 elements (last axis: more)" },
	[IR_MINIMUM] = { lower_minmax, "int8, uint8, int16" },
	[IR_MIRROR_PAD] = { lower_mirror_pad, "8 and 16 bits, int32" },
	[IR_MUL] = { lower_mul, "int8, uint8, int16, int32 without quantisation; broadcasting" },
	[IR_NOT_EQUAL] = { lower_compare, "int8, uint8, int16; U85 int32" },
	[IR_PACK] = { lower_concat, "as CONCATENATION" },
	[IR_PAD] = { lower_pad, "8 and 16 bits; of zero points before a convolution free of cost" },
	[IR_PADV2] = { lower_pad, "8 and 16 bits" },
	[IR_PRELU] = { lower_prelu, "int8, uint8" },
	[IR_QUANTIZE] = { lower_quantize,
		"between int8, uint8, int16 (U55 and U65: of the same width)" },
	[IR_REDUCE_ALL] = { lower_reduce_minmax, "neighbouring axes" },
	[IR_REDUCE_ANY] = { lower_reduce_minmax, "neighbouring axes" },
	[IR_REDUCE_MAX] = { lower_reduce_minmax, "int8, uint8, int16; neighbouring axes" },
	[IR_REDUCE_MIN] = { lower_reduce_minmax, "int8, uint8, int16; neighbouring axes" },
	[IR_RELU] = { lower_relu, "int8, uint8, int16" },
	[IR_RELU6] = { lower_relu, "int8, uint8, int16" },
	[IR_RELU_0_TO_1] = { lower_relu, "int8, uint8, int16" },
	[IR_RELU_N1_TO_1] = { lower_relu, "int8, uint8, int16" },
	[IR_RESHAPE] = { lower_reshape, "by address, or a copy" },
	[IR_RESIZE_BILINEAR] = { lower_resize,
		"int8, uint8, int16; U55 and U65: factors that take at most 64 operations" },
	[IR_RESIZE_NEAREST_NEIGHBOR] = { lower_resize,
		"int8, uint8, int16; U55 and U65: factors that take at most 64 operations" },
	[IR_REVERSE_V2] = { lower_reverse, "8 and 16 bits, int32" },
	[IR_RSQRT] = { lower_table, "int8: table" },
	[IR_SCATTER_ND] = { lower_scatter,
		"constant indices of the first axis, each once: copies" },
	[IR_SELECT] = { lower_select, "int8" },
	[IR_SELECT_V2] = { lower_select, "int8; broadcasting" },
	[IR_SLICE] = { lower_slice, "by address, or a copy" },
	[IR_SOFTMAX] = { lower_softmax, "int8, uint8, int16" },
	[IR_SPACE_TO_DEPTH] = { lower_space_depth, "8 and 16 bits, int32" },
	[IR_SPLIT] = { lower_slice, "by address, or copies" },
	[IR_SPLIT_V] = { lower_slice, "by address, or copies" },
	[IR_SQUARED_DIFFERENCE] = { lower_squared_difference, "int8, uint8" },
	[IR_SQUEEZE] = { lower_reshape, "by address" },
	[IR_STRIDED_SLICE] = { lower_slice, "any steps, also negative; no ellipsis or new axis" },
	[IR_SUB] = { lower_add, "as ADD" },
	[IR_SUM] = { lower_sum,
		"int8, uint8, int16 (keeps to the range where TFLite wraps); neighbouring axes" },
	[IR_TANH] = { lower_tanh_sigmoid, "int8, uint8: table; int16" },
	[IR_TILE] = { lower_tile, "8 and 16 bits, int32; at most 256 copies" },
	[IR_TRANSPOSE] = { lower_transpose, "8 and 16 bits, int32; any permutation" },
	[IR_TRANSPOSE_CONV] = { lower_transpose_conv, "as CONV_2D, strides to 8" },
	[IR_UNIDIRECTIONAL_SEQUENCE_LSTM] = { lower_lstm,
		"int8 with int16 cells, no peepholes, projection or normalisation; sigmoid and tanh of int16 "
		"are the NPU's: outputs differ from TFLite's by units" },
	[IR_UNPACK] = { lower_slice, "by address, or copies" },
};

const char *lower_what(unsigned int kind)
{
	return kind < IR_KIND_COUNT ? kinds[kind].what : NULL;
}

/* Zero points are values of the type; 32 bits have none. */
static bool zero_points_ok(const struct ir_tensor *t)
{
	bool wide = elem_size(t->type) > 2;

	for (uint32_t i = 0; i < t->quant.count; i++) {
		int32_t z = t->quant.zero_point[i];

		if (wide ? z != 0 : z < quant_low(t->type) || z > quant_high(t->type))
			return false;
	}
	return true;
}

/* What every operation of the NPU needs; NULL: fine. */
static const char *check_generic(const struct lower *l, const struct ir_op *op)
{
	for (uint32_t i = 0; i < op->input_count + op->output_count; i++) {
		uint32_t t = i < op->input_count ? op->inputs[i] : op->outputs[i - op->input_count];

		if (t == IR_NONE)
			continue;
		switch (lower_tensor(l, t)->type) {
		case ELEM_FLOAT32:
		case ELEM_FLOAT16:
		case ELEM_BFLOAT16:
		case ELEM_FLOAT64:
			return "the NPU does not compute with floating-point numbers";
		default:
			break;
		}
		if (lower_tensor(l, t)->quant.count &&
		    lower_tensor(l, t)->quant.scale[0] == 0)
			return "a scale is 0";
		if (!zero_points_ok(lower_tensor(l, t)))
			return "a zero point is out of range";
		for (uint32_t d = 0; d < lower_tensor(l, t)->ndim; d++)
			if (lower_tensor(l, t)->shape[d] > LOWER_EXTENT_MAX)
				return "an extent is too large";
	}
	return NULL;
}

/* Lower one operation, or hand it on as it is with the reason. */
static int lower_one(struct lower *l, const struct ir_op *op)
{
	uint32_t first = l->g->op_count;
	const char *why = check_generic(l, op);
	struct ir_op *same;
	int rc;

	l->origin = op->origin;
	l->limit = first + LOWER_OPS_MAX;
	if (op->kind == IR_NPU)
		return lower_emit(l, op->npu);
	if (!why && !kinds[op->kind].lower)
		why = "the compiler has no form of it for the NPU";
	if (!why) {
		rc = kinds[op->kind].lower(l, op);
		if (rc <= 0)
			return rc;
		why = l->why;
	}
	l->g->op_count = first;
	same = ir_op_new(l->g, op->kind, op->inputs, op->input_count, op->outputs, op->output_count,
			 op->options);
	if (!same)
		return lower_no_memory(l);
	same->origin = op->origin;
	same->why_cpu = why;
	return 0;
}

/* Lower @ops into the emptied graph. @on_cpu: set for each that stays, NULL: not wanted. */
static int run(struct lower *l, const struct ir_op *ops, uint32_t count, bool *on_cpu)
{
	int rc = 0;

	l->g->op_count = 0;
	for (uint32_t i = 0; i < count && !rc; i++) {
		rc = lower_one(l, &ops[i]);
		if (!rc && on_cpu)
			on_cpu[i] = ops[i].kind != IR_NPU && l->g->op_count &&
				    l->g->ops[l->g->op_count - 1].why_cpu &&
				    l->g->ops[l->g->op_count - 1].origin == ops[i].origin;
	}
	return rc;
}

static void own_places(struct lower *l)
{
	for (uint32_t t = 0; t < l->place_count; t++) {
		const struct ir_tensor *tensor = lower_tensor(l, t);
		int64_t step = 1;

		l->place[t].root = t;
		l->place[t].base = 0;
		for (uint32_t i = tensor->ndim; i-- > 0;) {
			l->place[t].step[i] = step;
			step *= tensor->shape[i];
		}
	}
}

static int refuse_cpu(const struct lower *l)
{
	for (uint32_t i = 0; i < l->g->op_count; i++) {
		const struct ir_op *op = &l->g->ops[i];

		if (op->kind != IR_NPU)
			return error_set(l->err, -ENOTSUP, "operator %s would run on the CPU: %s",
					 op->origin < l->g->origin_count ? l->g->origins[op->origin]
									 : ir_kind_info(op->kind)->name,
					 op->why_cpu);
	}
	return 0;
}

int lower_graph(struct ir_graph *g, bool u85, bool no_cpu, struct error *err)
{
	struct lower l = { .g = g, .u85 = u85, .place_count = g->tensor_count, .err = err };
	uint32_t count = g->op_count, tensors = g->tensor_count;
	struct ir_op *ops = g->ops;
	bool *on_cpu = calloc(count ? count : 1, sizeof(*on_cpu));
	int rc = 0;

	l.place = calloc(tensors ? tensors : 1, sizeof(*l.place));
	if (!on_cpu || !l.place) {
		rc = lower_no_memory(&l);
		goto out;
	}
	g->ops = NULL;
	g->op_room = 0;
	own_places(&l);
	rc = run(&l, ops, count, on_cpu);
	/* The second run makes its own tensors. */
	g->tensor_count = tensors;
	if (!rc)
		rc = place_tensors(g, ops, count, on_cpu, l.place, err);
	if (!rc)
		rc = run(&l, ops, count, NULL);
	if (!rc && no_cpu)
		rc = refuse_cpu(&l);
	if (!rc)
		rc = ir_verify(g, err);
out:
	if (g->ops != ops)
		free(ops);
	free(on_cpu);
	free(l.place);
	return rc;
}
