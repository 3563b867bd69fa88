/* SPDX-License-Identifier: MIT */
/* Layers: operations of a float graph that multiply what they read by constant weights. */
#ifndef ACCEL_RUNTIME_COMPRESS_LAYER_H
#define ACCEL_RUNTIME_COMPRESS_LAYER_H

#include "runtime/ir/ir_ops.h"

/**
 * struct layer - CONV_2D, FULLY_CONNECTED or DEPTHWISE_CONV_2D
 * @op: index
 * @input, @weights, @bias, @output: tensors; bias IR_NONE: there is none
 * @outputs: output channels
 * @taps: weights of an output channel; they lie together, but for those of a depthwise layer
 * @ic: neighbouring input channels among them
 * @rows: positions of the output, all batches
 * @h, @w, ...: of a convolution; FULLY_CONNECTED: one tap on a map of @rows x 1
 */
struct layer {
	uint32_t op;
	uint32_t input, weights, bias, output;
	uint32_t outputs, taps, ic;
	uint64_t rows;
	bool depthwise;
	int32_t in_h, in_w, in_c, out_h, out_w;
	int32_t h, w, stride_y, stride_x, dilation_y, dilation_x, pad_y, pad_x;
};

/**
 * layers_find - all layers of a graph, in order
 * @out, @count: free()
 *
 * Left out: grouped convolutions, weights that are no constants of float32, or those of several
 * operations.
 *
 * Return: 0, -ENOMEM.
 */
int layers_find(const struct ir_graph *g, struct layer **out, uint32_t *count);

/* layer_weights - to write to; the graph's own memory */
float *layer_weight_values(const struct ir_graph *g, const struct layer *l);
float *layer_bias_values(const struct ir_graph *g, const struct layer *l);	/* NULL: none */

/* Number of its weights. */
static inline uint64_t layer_size(const struct layer *l)
{
	return (uint64_t)l->outputs * l->taps;
}

/**
 * layer_row - what output position @position multiplies by its weights
 * @data: the input
 * @out: @taps numbers, in the order of the weights; not of a depthwise layer
 */
void layer_row(const struct layer *l, const float *data, uint64_t position, float *out);

#endif
