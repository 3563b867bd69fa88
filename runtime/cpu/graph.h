/* SPDX-License-Identifier: MIT */
/* A whole graph on the CPU: what the reference would compute, no NPU needed. */
#ifndef ACCEL_RUNTIME_CPU_GRAPH_H
#define ACCEL_RUNTIME_CPU_GRAPH_H

#include "runtime/cpu/cpu.h"
#include "runtime/ir/ir.h"

struct cpu_graph;

/**
 * cpu_graph_create - make all operators of a graph
 * @g: of graph operations only; must live as long as the result
 * @out: free with cpu_graph_free()
 *
 * Inputs, outputs and variables have memory of their own; other tensors share theirs with those
 * that are needed at other times.
 *
 * Return: 0, -ENOTSUP (an operator that the CPU cannot do), -EINVAL, -ENOMEM; @err names it.
 */
int cpu_graph_create(const struct ir_graph *g, struct cpu_graph **out, struct error *err);

/* cpu_graph_create_kept - likewise, but every tensor has memory of its own and can be read after a run */
int cpu_graph_create_kept(const struct ir_graph *g, struct cpu_graph **out, struct error *err);
void cpu_graph_free(struct cpu_graph *c);

/*
 * cpu_graph_tensor - the memory of a tensor
 *
 * Of inputs, outputs, variables and constants whenever wanted; of others only in a graph that keeps
 * them, or while they are handed to an observer. NULL: no operation uses it.
 */
void *cpu_graph_tensor(const struct cpu_graph *c, uint32_t tensor);

/* Bytes of all tensors that are no constants. */
size_t cpu_graph_memory(const struct cpu_graph *c);

/**
 * typedef cpu_graph_seen - look at a tensor that was just computed
 * @ctx: as given to cpu_graph_observe()
 * @data: valid during the call
 *
 * Return: 0; anything else ends the run, which returns it.
 */
typedef int cpu_graph_seen(void *ctx, uint32_t tensor, const void *data);

/**
 * cpu_graph_observe - have each run show its tensors
 * @seen: called with each input of the graph first, then with each output of each operation after
 *	it ran, in order; NULL: no more
 */
void cpu_graph_observe(struct cpu_graph *c, cpu_graph_seen *seen, void *ctx);

/* cpu_graph_reset - variables as before the first run */
void cpu_graph_reset(const struct cpu_graph *c);

/* cpu_graph_run - from the inputs' memory to the outputs'. Return: as cpu_op_run(). */
int cpu_graph_run(const struct cpu_graph *c, struct error *err);

/**
 * cpu_graph_run_range - operations [@from, @to) only
 *
 * What they read must be in its tensors' memory: the graph is one that keeps them. The observer sees
 * outputs of these operations, no inputs.
 */
int cpu_graph_run_range(const struct cpu_graph *c, uint32_t from, uint32_t to, struct error *err);

#endif
