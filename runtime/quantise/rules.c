/* SPDX-License-Identifier: MIT */
/* The table of what TFLite's integer kernels want. */
#include "runtime/quantise/rules.h"

#define BOTH	.bits8 = true, .bits16 = true
#define ONLY8	.bits8 = true, .bits16 = false

static const struct rule_info rules[IR_KIND_COUNT] = {
	[IR_ABS] = { RULE_FREE, BOTH },
	[IR_ADD] = { RULE_FREE, BOTH },
	[IR_ARG_MAX] = { RULE_READ, ONLY8 },
	[IR_ARG_MIN] = { RULE_READ, ONLY8 },
	[IR_AVERAGE_POOL_2D] = { RULE_SAME, BOTH },
	[IR_BATCH_MATMUL] = { RULE_FREE, BOTH },
	[IR_BATCH_TO_SPACE_ND] = { RULE_SAME, ONLY8 },
	[IR_BROADCAST_TO] = { RULE_SAME, BOTH },
	[IR_CONCATENATION] = { RULE_SAME, BOTH },
	[IR_CONV_2D] = { RULE_LAYER, BOTH },
	[IR_DEPTHWISE_CONV_2D] = { RULE_LAYER, BOTH },
	[IR_DEPTH_TO_SPACE] = { RULE_SAME, ONLY8 },
	[IR_ELU] = { RULE_FREE, ONLY8 },
	[IR_EQUAL] = { RULE_READ, ONLY8 },
	[IR_EXP] = { RULE_FREE, BOTH },
	[IR_EXPAND_DIMS] = { RULE_SAME, BOTH },
	[IR_FULLY_CONNECTED] = { RULE_LAYER, BOTH },
	[IR_GATHER] = { RULE_SAME, BOTH },
	[IR_GATHER_ND] = { RULE_SAME, ONLY8 },
	[IR_GELU] = { RULE_FREE, ONLY8 },
	[IR_GREATER] = { RULE_READ, ONLY8 },
	[IR_GREATER_EQUAL] = { RULE_READ, ONLY8 },
	[IR_HARD_SWISH] = { RULE_FREE, ONLY8 },
	[IR_LEAKY_RELU] = { RULE_FREE, BOTH },
	[IR_LESS] = { RULE_READ, ONLY8 },
	[IR_LESS_EQUAL] = { RULE_READ, ONLY8 },
	[IR_LOGISTIC] = { RULE_FIXED, BOTH, 1.0f / 256, 1.0f / 32768, -128 },
	[IR_LOG_SOFTMAX] = { RULE_FIXED, ONLY8, 16.0f / 256, 0, 127 },
	[IR_MAXIMUM] = { RULE_SAME, BOTH },
	[IR_MAX_POOL_2D] = { RULE_SAME, BOTH },
	[IR_MEAN] = { RULE_FREE, BOTH },
	[IR_MINIMUM] = { RULE_SAME, BOTH },
	[IR_MIRROR_PAD] = { RULE_SAME, BOTH },
	[IR_MUL] = { RULE_FREE, BOTH },
	[IR_NOT_EQUAL] = { RULE_READ, ONLY8 },
	[IR_PACK] = { RULE_SAME, BOTH },
	[IR_PAD] = { RULE_SAME, BOTH },
	[IR_PADV2] = { RULE_SAME, ONLY8 },
	[IR_PRELU] = { RULE_FREE, ONLY8 },
	[IR_REDUCE_MAX] = { RULE_SAME, BOTH },
	[IR_REDUCE_MIN] = { RULE_SAME, BOTH },
	[IR_RELU] = { RULE_FREE, BOTH },
	[IR_RELU6] = { RULE_FREE, ONLY8 },
	[IR_RELU_N1_TO_1] = { RULE_FREE, ONLY8 },
	[IR_RESHAPE] = { RULE_SAME, BOTH },
	[IR_RESIZE_BILINEAR] = { RULE_SAME, BOTH },
	[IR_RESIZE_NEAREST_NEIGHBOR] = { RULE_SAME, BOTH },
	[IR_REVERSE_V2] = { RULE_SAME, ONLY8 },
	[IR_RSQRT] = { RULE_FREE, ONLY8 },
	[IR_SELECT] = { RULE_SAME, BOTH },
	[IR_SELECT_V2] = { RULE_SAME, BOTH },
	[IR_SLICE] = { RULE_SAME, BOTH },
	[IR_SOFTMAX] = { RULE_FIXED, BOTH, 1.0f / 256, 1.0f / 32768, -128 },
	[IR_SPACE_TO_BATCH_ND] = { RULE_SAME, ONLY8 },
	[IR_SPACE_TO_DEPTH] = { RULE_SAME, ONLY8 },
	[IR_SPLIT] = { RULE_SAME, BOTH },
	[IR_SPLIT_V] = { RULE_SAME, ONLY8 },
	[IR_SQUARED_DIFFERENCE] = { RULE_FREE, ONLY8 },
	[IR_SQUEEZE] = { RULE_SAME, BOTH },
	[IR_STRIDED_SLICE] = { RULE_SAME, BOTH },
	[IR_SUB] = { RULE_FREE, BOTH },
	[IR_SUM] = { RULE_FREE, ONLY8 },
	[IR_TANH] = { RULE_FIXED, BOTH, 1.0f / 128, 1.0f / 32768, 0 },
	[IR_TILE] = { RULE_SAME, ONLY8 },
	[IR_TRANSPOSE] = { RULE_SAME, BOTH },
	[IR_TRANSPOSE_CONV] = { RULE_LAYER, BOTH },
	[IR_UNPACK] = { RULE_SAME, ONLY8 },
};

const struct rule_info *rule_of(unsigned int kind)
{
	return &rules[kind];
}

bool rule_layer(const struct ir_graph *g, const struct ir_op *op, struct layer_shape *out)
{
	const struct ir_tensor *w;
	size_t elements;

	if (rules[op->kind].rule != RULE_LAYER)
		return false;
	*out = (struct layer_shape){ .input = 0, .weights = 1, .bias = 2 };
	if (op->kind == IR_TRANSPOSE_CONV) {
		out->input = 2;
		out->bias = 3;
	}
	if (op->kind == IR_DEPTHWISE_CONV_2D)
		out->axis = 3;
	w = &g->tensors[op->inputs[out->weights]];
	if (!w->data || w->type != ELEM_FLOAT32 || w->ndim <= (uint32_t)out->axis)
		return false;
	if (layer_bias(op, out) != IR_NONE) {
		const struct ir_tensor *bias = &g->tensors[layer_bias(op, out)];

		if (!bias->data || bias->type != ELEM_FLOAT32 ||
		    ir_tensor_elements(bias) != (size_t)w->shape[out->axis])
			return false;
	}
	elements = ir_tensor_elements(w);
	out->outputs = (uint32_t)w->shape[out->axis];
	out->taps = (uint32_t)(elements / out->outputs);
	/* The outputs' axis is the last of a depthwise convolution, the first of all others. */
	out->stride = out->axis ? out->outputs : 1;
	out->outer = out->axis ? 1 : out->taps;
	return true;
}
