/* SPDX-License-Identifier: MIT */
/*
 * Tests: a lowered graph executed without a back end: each operation of the NPU by the simulator's
 * plain C functions, every tensor in rows at its own place, weights as they are in the graph.
 */
#ifndef ACCEL_TESTS_IR_RUN_H
#define ACCEL_TESTS_IR_RUN_H

#include "runtime/ir/ir.h"

struct ir_run;

/* ir_run_new - memory for a lowered graph, variables reset to their zero points. NULL: no memory. */
struct ir_run *ir_run_new(const struct ir_graph *g, bool u85);
void ir_run_free(struct ir_run *r);

/* Bytes of a tensor. */
void *ir_run_data(struct ir_run *r, uint32_t tensor);

/* Variables as they are before the first run. */
void ir_run_reset(struct ir_run *r);

/**
 * ir_run_op - execute an operation of the NPU
 *
 * Return: 0, or -EIO: it reads or writes where it must not.
 */
int ir_run_op(struct ir_run *r, const struct ir_npu *npu);

#endif
