/* SPDX-License-Identifier: MIT */
/* The table of operators, and what is common to all of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cpu/cpu_kernel.h"

static const struct cpu_kernel *const kernels[IR_KIND_COUNT] = {
	[IR_ELU] = &cpu_unary,
	[IR_EXP] = &cpu_unary,
	[IR_EXPAND_DIMS] = &cpu_copy,
	[IR_GELU] = &cpu_unary,
	[IR_HARD_SWISH] = &cpu_unary,
	[IR_LEAKY_RELU] = &cpu_unary,
	[IR_LOG] = &cpu_unary,
	[IR_LOGISTIC] = &cpu_unary,
	[IR_RESHAPE] = &cpu_copy,
	[IR_RSQRT] = &cpu_unary,
	[IR_SQUEEZE] = &cpu_copy,
	[IR_TANH] = &cpu_unary,
};

bool cpu_has(unsigned int kind)
{
	return kind < IR_KIND_COUNT && kernels[kind];
}

size_t cpu_elements(const struct cpu_tensor *t)
{
	size_t n = 1;

	for (uint32_t i = 0; i < t->ndim; i++)
		n *= (size_t)t->shape[i];
	return n;
}

size_t cpu_bytes(const struct cpu_tensor *t)
{
	return cpu_elements(t) * elem_size(t->type);
}

int cpu_refuse(const struct cpu_op *op, uint32_t index, int code, const char *why,
	       struct error *err)
{
	bool input = index < op->input_count;
	const struct cpu_tensor *t = input ? &op->inputs[index] :
					     &op->outputs[index - op->input_count];

	return error_set(err, code, "%s on the CPU: %s %u (%s): %s", ir_kind_info(op->kind)->name,
			 input ? "input" : "output", input ? index : index - op->input_count,
			 elem_name(t->type), why);
}

static int check_operands(const struct cpu_op *op, struct error *err)
{
	const struct ir_kind_info *info = ir_kind_info(op->kind);

	if (op->input_count < info->input_min || op->input_count > info->input_max ||
	    op->output_count < info->output_min || op->output_count > info->output_max)
		return error_set(err, -EINVAL, "%s on the CPU: %u inputs, %u outputs", info->name,
				 op->input_count, op->output_count);
	for (uint32_t i = 0; i < op->output_count; i++)
		if (!op->outputs[i].data)
			return cpu_refuse(op, op->input_count + i, -EINVAL, "is left out", err);
	return 0;
}

int cpu_op_create(unsigned int kind, const struct ir_options *options,
		  const struct cpu_tensor *inputs, uint32_t input_count,
		  const struct cpu_tensor *outputs, uint32_t output_count, struct cpu_op **out,
		  struct error *err)
{
	struct cpu_op *op;
	int rc;

	if (!cpu_has(kind))
		return error_set(err, -ENOTSUP, "%s: not implemented on the CPU",
				 kind < IR_KIND_COUNT ? ir_kind_info(kind)->name : "an operator");
	op = calloc(1, sizeof(*op));
	if (!op)
		return error_set(err, -ENOMEM, "out of memory");
	op->kernel = kernels[kind];
	op->kind = kind;
	op->options = *options;
	op->inputs = calloc((size_t)input_count + output_count + 1, sizeof(*op->inputs));
	if (!op->inputs) {
		free(op);
		return error_set(err, -ENOMEM, "out of memory");
	}
	op->outputs = op->inputs + input_count;
	op->input_count = input_count;
	op->output_count = output_count;
	memcpy(op->inputs, inputs, input_count * sizeof(*inputs));
	memcpy(op->outputs, outputs, output_count * sizeof(*outputs));
	rc = check_operands(op, err);
	if (!rc)
		rc = op->kernel->prepare(op, err);
	if (rc)
		cpu_op_free(op);
	else
		*out = op;
	return rc;
}

void cpu_op_free(struct cpu_op *op)
{
	if (!op)
		return;
	free(op->plan);
	free(op->inputs);
	free(op);
}

int cpu_op_run(struct cpu_op *op, struct error *err)
{
	return op->kernel->run(op, err);
}
