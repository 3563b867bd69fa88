/* SPDX-License-Identifier: MIT */
/*
 * Operators on the CPU: what TensorFlow Lite 2.14's reference kernels compute, bit for bit.
 *
 * For what the NPU cannot do. Each operator is one entry of the table in cpu.c.
 */
#ifndef ACCEL_RUNTIME_CPU_H
#define ACCEL_RUNTIME_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/elem.h"
#include "runtime/error.h"
#include "runtime/ir/ir_ops.h"

#define CPU_MAX_DIMS	IR_MAX_DIMS

/**
 * struct cpu_tensor - an operand
 * @type: enum elem
 * @ndim, @shape: extents, none negative
 * @scale_count, @scales, @zero_points, @axis: quantisation: none (0), per tensor (1), per index of @axis
 * @data: dense, the last axis fastest; NULL: the operand was left out
 * @constant: @data never changes and may be looked at by cpu_op_create()
 */
struct cpu_tensor {
	int type;
	uint32_t ndim;
	int32_t shape[CPU_MAX_DIMS];
	uint32_t scale_count;
	int32_t axis;
	const float *scales;
	const int32_t *zero_points;
	void *data;
	bool constant;
};

struct cpu_op;

/**
 * cpu_op_create - an operator with its operands, ready to run as often as wanted
 * @kind: enum ir_kind
 * @options: of that kind; copied
 * @inputs, @outputs: copied; what they point to must stay
 * @out: free with cpu_op_free()
 *
 * Types, ranks, extents and quantisation are checked here, they may come from a hostile file. What
 * can be computed ahead is computed here.
 *
 * Return: 0; -ENOTSUP: no such operator, or not for these types; -EINVAL: operands do not fit each
 * other; -ENOMEM. @err names the operator and the operand.
 */
int cpu_op_create(unsigned int kind, const struct ir_options *options,
		  const struct cpu_tensor *inputs, uint32_t input_count,
		  const struct cpu_tensor *outputs, uint32_t output_count, struct cpu_op **out,
		  struct error *err);
void cpu_op_free(struct cpu_op *op);

/* cpu_op_run - compute. Return: 0, -EINVAL (an index among the data is out of range). */
int cpu_op_run(struct cpu_op *op, struct error *err);

/* True if there is an implementation at all. */
bool cpu_has(unsigned int kind);

/* Elements and bytes of a tensor. */
size_t cpu_elements(const struct cpu_tensor *t);
size_t cpu_bytes(const struct cpu_tensor *t);

#endif
