/* SPDX-License-Identifier: MIT */
/* Tests of the back end: random graphs of NPU operations, and what they compute. */
#ifndef ACCEL_TESTS_BACKEND_H
#define ACCEL_TESTS_BACKEND_H

#include "runtime/ir/ir.h"
#include "tests/checkops.h"

#define BACKEND_TENSORS	64
#define BACKEND_OPS	24

/**
 * struct backend_graph - a graph with room for what is drawn
 * @values: of each tensor, an element an int64_t, in NHWC order; what backend_eval() computes
 * @written: of each tensor: elements written so far
 */
struct backend_graph {
	struct ir_graph g;
	struct ir_tensor tensors[BACKEND_TENSORS];
	struct ir_op ops[BACKEND_OPS];
	struct ir_npu npus[BACKEND_OPS];
	uint32_t io[BACKEND_TENSORS][2];
	int64_t *values[BACKEND_TENSORS];
	uint32_t outputs[BACKEND_TENSORS];
	uint32_t inputs[1];
	char names[BACKEND_TENSORS][8];
	void *blocks[4 * BACKEND_OPS + BACKEND_TENSORS];
	unsigned int block_count;
	bool read[BACKEND_TENSORS];
};

/* Draw a graph for a device of @family. Free with backend_free(). */
void backend_draw(struct backend_graph *b, struct rng *rng, unsigned int family);
void backend_free(struct backend_graph *b);

/* Compute every tensor from the input, operation by operation, straight from the description. */
void backend_eval(struct backend_graph *b);

/* Store or fetch an element of a type. */
void backend_store(void *data, int type, size_t index, int64_t value);
int64_t backend_load(const void *data, int type, size_t index);

#endif
