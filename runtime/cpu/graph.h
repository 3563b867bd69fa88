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
 * Return: 0, -ENOTSUP (an operator that the CPU cannot do), -EINVAL, -ENOMEM; @err names it.
 */
int cpu_graph_create(const struct ir_graph *g, struct cpu_graph **out, struct error *err);
void cpu_graph_free(struct cpu_graph *c);

/* cpu_graph_tensor - the memory of a tensor */
void *cpu_graph_tensor(const struct cpu_graph *c, uint32_t tensor);

/* cpu_graph_reset - variables as before the first run */
void cpu_graph_reset(const struct cpu_graph *c);

/* cpu_graph_run - from the inputs' memory to the outputs'. Return: as cpu_op_run(). */
int cpu_graph_run(const struct cpu_graph *c, struct error *err);

#endif
