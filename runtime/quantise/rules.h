/* SPDX-License-Identifier: MIT */
/*
 * How TFLite 2.14's integer kernels want each operation's operands quantised: one table. What has no
 * integer kernel stays float.
 */
#ifndef ACCEL_RUNTIME_QUANTISE_RULES_H
#define ACCEL_RUNTIME_QUANTISE_RULES_H

#include "runtime/ir/ir_ops.h"

enum rule {
	RULE_FLOAT,	/* no integer kernel */
	RULE_LAYER,	/* constant weights and a bias; input and output each in their own scale */
	RULE_FREE,	/* every operand in its own scale */
	RULE_SAME,	/* all operands in one scale */
	RULE_FIXED,	/* the output's scale is given */
	RULE_READ,	/* reads quantised values, gives something else (an index, a truth) */
};

/**
 * struct rule_info - of a kind of operation
 * @rule: enum rule
 * @bits8, @bits16: there is a kernel for int8, int16
 * @scale8, @zero8, @scale16: of the output, RULE_FIXED
 */
struct rule_info {
	uint8_t rule;
	bool bits8, bits16;
	float scale8, scale16;
	int32_t zero8;
};

const struct rule_info *rule_of(unsigned int kind);

/**
 * struct layer_shape - weights of a RULE_LAYER operation
 * @input, @weights, @bias: which of its inputs; bias may lie beyond them
 * @axis: of the weights' that counts outputs
 * @outputs: its extent
 * @taps: weights of one output
 * @stride: from one tap to the next, and @outer from one output to the next
 */
struct layer_shape {
	uint32_t input, weights, bias;
	int32_t axis;
	uint32_t outputs, taps;
	size_t stride, outer;
};

/* Return: false if the operation's weights are no constants of float32 (or it is no layer). */
bool rule_layer(const struct ir_graph *g, const struct ir_op *op, struct layer_shape *out);

/* Tensor of the bias, IR_NONE: there is none. */
static inline uint32_t layer_bias(const struct ir_op *op, const struct layer_shape *s)
{
	return s->bias < op->input_count ? op->inputs[s->bias] : IR_NONE;
}

#endif
