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

struct lower_kind {
	int (*lower)(struct lower *l, const struct ir_op *op);
};

static const struct lower_kind kinds[IR_KIND_COUNT] = {
	[IR_ABS] = { lower_abs },
	[IR_ADD] = { lower_add },
	[IR_ARG_MAX] = { lower_arg_max },
	[IR_AVERAGE_POOL_2D] = { lower_pool },
	[IR_BATCH_MATMUL] = { lower_matmul },
	[IR_CONCATENATION] = { lower_concat },
	[IR_CONV_2D] = { lower_conv2d },
	[IR_DEPTHWISE_CONV_2D] = { lower_depthwise },
	[IR_DIV] = { lower_div },
	[IR_ELU] = { lower_table },
	[IR_EQUAL] = { lower_compare },
	[IR_EXP] = { lower_table },
	[IR_EXPAND_DIMS] = { lower_reshape },
	[IR_FULLY_CONNECTED] = { lower_fully_connected },
	[IR_GATHER] = { lower_gather },
	[IR_GELU] = { lower_table },
	[IR_GREATER] = { lower_compare },
	[IR_GREATER_EQUAL] = { lower_compare },
	[IR_HARD_SWISH] = { lower_table },
	[IR_LEAKY_RELU] = { lower_leaky_relu },
	[IR_LESS] = { lower_compare },
	[IR_LESS_EQUAL] = { lower_compare },
	[IR_LOG] = { lower_table },
	[IR_LOGICAL_AND] = { lower_logical },
	[IR_LOGICAL_NOT] = { lower_logical },
	[IR_LOGICAL_OR] = { lower_logical },
	[IR_LOGISTIC] = { lower_tanh_sigmoid },
	[IR_MAXIMUM] = { lower_minmax },
	[IR_MAX_POOL_2D] = { lower_pool },
	[IR_MEAN] = { lower_mean },
	[IR_MINIMUM] = { lower_minmax },
	[IR_MIRROR_PAD] = { lower_mirror_pad },
	[IR_MUL] = { lower_mul },
	[IR_NOT_EQUAL] = { lower_compare },
	[IR_PACK] = { lower_concat },
	[IR_PAD] = { lower_pad },
	[IR_PADV2] = { lower_pad },
	[IR_PRELU] = { lower_prelu },
	[IR_QUANTIZE] = { lower_quantize },
	[IR_REDUCE_ALL] = { lower_reduce_minmax },
	[IR_REDUCE_ANY] = { lower_reduce_minmax },
	[IR_REDUCE_MAX] = { lower_reduce_minmax },
	[IR_REDUCE_MIN] = { lower_reduce_minmax },
	[IR_RELU] = { lower_relu },
	[IR_RELU6] = { lower_relu },
	[IR_RELU_0_TO_1] = { lower_relu },
	[IR_RELU_N1_TO_1] = { lower_relu },
	[IR_RESHAPE] = { lower_reshape },
	[IR_RESIZE_BILINEAR] = { lower_resize },
	[IR_RESIZE_NEAREST_NEIGHBOR] = { lower_resize },
	[IR_REVERSE_V2] = { lower_reverse },
	[IR_RSQRT] = { lower_table },
	[IR_SCATTER_ND] = { lower_scatter },
	[IR_SELECT] = { lower_select },
	[IR_SELECT_V2] = { lower_select },
	[IR_SLICE] = { lower_slice },
	[IR_SOFTMAX] = { lower_softmax },
	[IR_SPLIT] = { lower_slice },
	[IR_SPLIT_V] = { lower_slice },
	[IR_SQUARED_DIFFERENCE] = { lower_squared_difference },
	[IR_SQUEEZE] = { lower_reshape },
	[IR_STRIDED_SLICE] = { lower_slice },
	[IR_SUB] = { lower_add },
	[IR_SUM] = { lower_sum },
	[IR_TANH] = { lower_tanh_sigmoid },
	[IR_TILE] = { lower_tile },
	[IR_TRANSPOSE] = { lower_transpose },
	[IR_TRANSPOSE_CONV] = { lower_transpose_conv },
	[IR_UNIDIRECTIONAL_SEQUENCE_LSTM] = { lower_lstm },
	[IR_UNPACK] = { lower_slice },
};

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
