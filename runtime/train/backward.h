/* SPDX-License-Identifier: MIT */
/* What the files with the operators' gradients share with the table in backprop.c. */
#ifndef ACCEL_RUNTIME_TRAIN_BACKWARD_H
#define ACCEL_RUNTIME_TRAIN_BACKWARD_H

#include "runtime/compress/layer.h"

#define BACKWARD_INPUTS	2

/**
 * struct backward - an operation on its way back
 * @layer: what it is, if that is one that learns; NULL: anything else
 * @type: of the inputs and the output
 * @in, @out: values; @in NULL: there is no such input
 * @gin: gradients of inputs, to be added to; NULL: not wanted
 * @gout: gradient of the output, before any fused activation
 * @gw, @gb: of a layer's weights and bias, to be added to; @gb NULL: it has none
 * @work: room for backward_work() numbers
 */
struct backward {
	const struct ir_graph *g;
	const struct ir_op *op;
	const struct layer *layer;
	const struct ir_tensor *type_in[BACKWARD_INPUTS], *type_out;
	const float *in[BACKWARD_INPUTS], *out;
	float *gin[BACKWARD_INPUTS], *gout, *gw, *gb;
	float *work;
};

/**
 * struct backward_kernel - the gradient of a kind of operation
 * @fits: of what can be done of it, NULL: all
 * @run: add to the gradients
 */
struct backward_kernel {
	bool (*fits)(const struct backward *b);
	void (*run)(const struct backward *b);
};

/* --- back_layer.c --- */

/* Numbers of room that a layer wants. */
size_t backward_work(const struct layer *l);
void backward_layer(const struct backward *b);

/* --- back_window.c --- */

void backward_depthwise(const struct backward *b);
void backward_average_pool(const struct backward *b);
void backward_max_pool(const struct backward *b);

/* --- back_element.c --- */

void backward_add(const struct backward *b);
void backward_sub(const struct backward *b);
void backward_mul(const struct backward *b);
void backward_unary(const struct backward *b);
bool backward_unary_has(unsigned int kind);
void backward_softmax(const struct backward *b);

/* --- back_move.c --- */

void backward_copy(const struct backward *b);
bool backward_mean_fits(const struct backward *b);
void backward_mean(const struct backward *b);
bool backward_pad_fits(const struct backward *b);
void backward_pad(const struct backward *b);
bool backward_transpose_fits(const struct backward *b);
void backward_transpose(const struct backward *b);

/**
 * struct walk - all elements of a shape in order, and where each of them is in another tensor
 * @step: elements of the other tensor from one index of each axis to the next
 * @at: where the element is that is next
 */
struct walk {
	uint32_t ndim;
	const int32_t *shape;
	ptrdiff_t step[IR_MAX_DIMS];
	int32_t index[IR_MAX_DIMS];
	ptrdiff_t at;
};

/* walk_broadcast - over @over, in a tensor that is broadcast to that */
void walk_broadcast(struct walk *w, const struct ir_tensor *over, const struct ir_tensor *t);
void walk_next(struct walk *w);

#endif
