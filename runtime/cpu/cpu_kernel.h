/* SPDX-License-Identifier: MIT */
/* What the files with the operators share with the table in cpu.c. */
#ifndef ACCEL_RUNTIME_CPU_KERNEL_H
#define ACCEL_RUNTIME_CPU_KERNEL_H

#include "runtime/cpu/cpu.h"

/**
 * struct cpu_op - an operator
 * @kernel: what it does
 * @plan: what @kernel->prepare worked out, freed with free(); NULL: nothing
 */
struct cpu_op {
	const struct cpu_kernel *kernel;
	unsigned int kind;
	struct ir_options options;
	struct cpu_tensor *inputs, *outputs;
	uint32_t input_count, output_count;
	void *plan;
};

/**
 * struct cpu_kernel - an implementation
 * @prepare: check operands, work out @op->plan
 * @run: compute
 *
 * The number of operands was checked already, and that outputs have data.
 */
struct cpu_kernel {
	int (*prepare)(struct cpu_op *op, struct error *err);
	int (*run)(const struct cpu_op *op, struct error *err);
};

/* cpu_refuse - word an error about operand @index, inputs first. Return: @code. */
int cpu_refuse(const struct cpu_op *op, uint32_t index, int code, const char *why,
	       struct error *err);

extern const struct cpu_kernel cpu_copy;	/* RESHAPE, SQUEEZE, EXPAND_DIMS */
extern const struct cpu_kernel cpu_unary;	/* functions of one variable: tables, see unary.h */

#endif
