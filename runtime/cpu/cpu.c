/* SPDX-License-Identifier: MIT */
/* The table of operators, and what is common to all of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cpu/cpu_kernel.h"

static const struct cpu_kernel *const kernels[IR_KIND_COUNT] = {
	[IR_ABS] = &cpu_unary,
	[IR_ADD] = &cpu_binary,
	[IR_ARG_MAX] = &cpu_arg,
	[IR_ARG_MIN] = &cpu_arg,
	[IR_AVERAGE_POOL_2D] = &cpu_average_pool,
	[IR_BATCH_MATMUL] = &cpu_matmul,
	[IR_BATCH_TO_SPACE_ND] = &cpu_space_batch,
	[IR_BROADCAST_TO] = &cpu_tile,
	[IR_CAST] = &cpu_cast,
	[IR_CEIL] = &cpu_unary,
	[IR_CONCATENATION] = &cpu_concat,
	[IR_CONV_2D] = &cpu_conv,
	[IR_COS] = &cpu_unary,
	[IR_DEPTHWISE_CONV_2D] = &cpu_depthwise,
	[IR_DEPTH_TO_SPACE] = &cpu_space_depth,
	[IR_DEQUANTIZE] = &cpu_quantize,
	[IR_DIV] = &cpu_binary,
	[IR_ELU] = &cpu_unary,
	[IR_EQUAL] = &cpu_compare,
	[IR_EXP] = &cpu_unary,
	[IR_EXPAND_DIMS] = &cpu_copy,
	[IR_FLOOR] = &cpu_unary,
	[IR_FLOOR_DIV] = &cpu_binary,
	[IR_FLOOR_MOD] = &cpu_binary,
	[IR_FULLY_CONNECTED] = &cpu_fully_connected,
	[IR_GATHER] = &cpu_gather,
	[IR_GATHER_ND] = &cpu_gather_nd,
	[IR_GELU] = &cpu_unary,
	[IR_GREATER] = &cpu_compare,
	[IR_GREATER_EQUAL] = &cpu_compare,
	[IR_HARD_SWISH] = &cpu_unary,
	[IR_LEAKY_RELU] = &cpu_unary,
	[IR_LESS] = &cpu_compare,
	[IR_LESS_EQUAL] = &cpu_compare,
	[IR_LOG] = &cpu_unary,
	[IR_LOGICAL_AND] = &cpu_logical,
	[IR_LOGICAL_NOT] = &cpu_logical,
	[IR_LOGICAL_OR] = &cpu_logical,
	[IR_LOGISTIC] = &cpu_unary,
	[IR_LOG_SOFTMAX] = &cpu_log_softmax,
	[IR_MAXIMUM] = &cpu_binary,
	[IR_MAX_POOL_2D] = &cpu_max_pool,
	[IR_MEAN] = &cpu_mean,
	[IR_MINIMUM] = &cpu_binary,
	[IR_MIRROR_PAD] = &cpu_mirror_pad,
	[IR_MUL] = &cpu_binary,
	[IR_NEG] = &cpu_unary,
	[IR_NOT_EQUAL] = &cpu_compare,
	[IR_PACK] = &cpu_pack,
	[IR_PAD] = &cpu_pad,
	[IR_PADV2] = &cpu_pad,
	[IR_PRELU] = &cpu_prelu,
	[IR_QUANTIZE] = &cpu_quantize,
	[IR_REDUCE_ALL] = &cpu_reduce,
	[IR_REDUCE_ANY] = &cpu_reduce,
	[IR_REDUCE_MAX] = &cpu_reduce,
	[IR_REDUCE_MIN] = &cpu_reduce,
	[IR_REDUCE_PROD] = &cpu_reduce,
	[IR_RELU] = &cpu_unary,
	[IR_RELU6] = &cpu_unary,
	[IR_RELU_0_TO_1] = &cpu_unary,
	[IR_RELU_N1_TO_1] = &cpu_unary,
	[IR_RESHAPE] = &cpu_copy,
	[IR_RESIZE_BILINEAR] = &cpu_resize,
	[IR_RESIZE_NEAREST_NEIGHBOR] = &cpu_resize,
	[IR_REVERSE_V2] = &cpu_reverse,
	[IR_ROUND] = &cpu_unary,
	[IR_RSQRT] = &cpu_unary,
	[IR_SCATTER_ND] = &cpu_scatter_nd,
	[IR_SELECT] = &cpu_select,
	[IR_SELECT_V2] = &cpu_select,
	[IR_SHAPE] = &cpu_shape,
	[IR_SIN] = &cpu_unary,
	[IR_SLICE] = &cpu_slice,
	[IR_SOFTMAX] = &cpu_softmax,
	[IR_SPACE_TO_BATCH_ND] = &cpu_space_batch,
	[IR_SPACE_TO_DEPTH] = &cpu_space_depth,
	[IR_SPLIT] = &cpu_split,
	[IR_SPLIT_V] = &cpu_split,
	[IR_SQRT] = &cpu_unary,
	[IR_SQUARE] = &cpu_unary,
	[IR_SQUARED_DIFFERENCE] = &cpu_binary,
	[IR_SQUEEZE] = &cpu_copy,
	[IR_STRIDED_SLICE] = &cpu_strided_slice,
	[IR_SUB] = &cpu_binary,
	[IR_SUM] = &cpu_mean,
	[IR_TANH] = &cpu_unary,
	[IR_TILE] = &cpu_tile,
	[IR_TRANSPOSE] = &cpu_transpose,
	[IR_TRANSPOSE_CONV] = &cpu_transpose_conv,
	[IR_UNIDIRECTIONAL_SEQUENCE_LSTM] = &cpu_lstm,
	[IR_UNPACK] = &cpu_unpack,
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
