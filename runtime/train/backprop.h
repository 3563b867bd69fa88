/* SPDX-License-Identifier: MIT */
/* Gradients: a float graph run forward, then backward. */
#ifndef ACCEL_RUNTIME_TRAIN_BACKPROP_H
#define ACCEL_RUNTIME_TRAIN_BACKPROP_H

#include "runtime/error.h"
#include "runtime/ir/ir.h"

/**
 * struct parameter - weights or bias of a layer
 * @tensor: of the graph
 * @values: its memory, which may be written between runs
 * @gradient: what backprop_run() adds to
 */
struct parameter {
	uint32_t tensor;
	float *values, *gradient;
	size_t count;
};

struct backprop;

/**
 * backprop_create - make a graph ready
 * @g: whose layers (runtime/compress/layer.h) are what is learned; must live as long as the result
 * @out: free with backprop_free()
 *
 * Every tensor has memory of its own, and a gradient if it depends on a layer.
 *
 * Return: 0; -ENOTSUP: an operation without a gradient between a layer and the outputs, @err names
 * it; -EINVAL: no layers; -ENOMEM.
 */
int backprop_create(const struct ir_graph *g, struct backprop **out, struct error *err);
void backprop_free(struct backprop *b);

const struct parameter *backprop_parameters(const struct backprop *b, size_t *count);

/* backprop_forward - from the inputs' memory to the outputs'; gradients of values become 0 */
int backprop_forward(struct backprop *b, struct error *err);

/* backprop_values - a tensor's memory; NULL: no operation uses it */
float *backprop_values(const struct backprop *b, uint32_t tensor);

/* backprop_gradient - of the loss by a tensor, to be added to before backprop_run(); NULL: it has none */
float *backprop_gradient(const struct backprop *b, uint32_t tensor);

/* backprop_run - from the tensors that were given gradients to the parameters; once a backprop_forward() */
void backprop_run(struct backprop *b);

/* backprop_clear - gradients of parameters become 0 */
void backprop_clear(struct backprop *b);

#endif
