/* SPDX-License-Identifier: MIT */
/* The table of operators, and what is common to all of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cpu/cpu_kernel.h"
#include "runtime/float/float.h"

/* Of quantised numbers, and of any type where elements are only moved. */
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
	[IR_CONCATENATION] = &cpu_concat,
	[IR_CONV_2D] = &cpu_conv,
	[IR_CUMSUM] = &cpu_cumsum,
	[IR_DEPTHWISE_CONV_2D] = &cpu_depthwise,
	[IR_DEPTH_TO_SPACE] = &cpu_space_depth,
	[IR_DEQUANTIZE] = &cpu_quantize,
	[IR_ELU] = &cpu_unary,
	[IR_EQUAL] = &cpu_compare,
	[IR_EXP] = &cpu_unary,
	[IR_EXPAND_DIMS] = &cpu_copy,
	[IR_FULLY_CONNECTED] = &cpu_fully_connected,
	[IR_GATHER] = &cpu_gather,
	[IR_GATHER_ELEMENTS] = &cpu_gather_elements,
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
	[IR_NOT_EQUAL] = &cpu_compare,
	[IR_ONE_HOT] = &cpu_one_hot,
	[IR_PACK] = &cpu_pack,
	[IR_PAD] = &cpu_pad,
	[IR_PADV2] = &cpu_pad,
	[IR_PRELU] = &cpu_prelu,
	[IR_QUANTIZE] = &cpu_quantize,
	[IR_REDUCE_MAX] = &cpu_reduce,
	[IR_REDUCE_MIN] = &cpu_reduce,
	[IR_RELU] = &cpu_unary,
	[IR_RELU6] = &cpu_unary,
	[IR_RELU_0_TO_1] = &cpu_unary,
	[IR_RELU_N1_TO_1] = &cpu_unary,
	[IR_RESHAPE] = &cpu_copy,
	[IR_RESIZE_BILINEAR] = &cpu_resize,
	[IR_RESIZE_NEAREST_NEIGHBOR] = &cpu_resize,
	[IR_REVERSE_SEQUENCE] = &cpu_reverse_sequence,
	[IR_REVERSE_V2] = &cpu_reverse,
	[IR_RSQRT] = &cpu_unary,
	[IR_SCATTER_ELEMENTS] = &cpu_scatter_update,
	[IR_SCATTER_ND] = &cpu_scatter_nd,
	[IR_SCATTER_ND_UPDATE] = &cpu_scatter_update,
	[IR_SELECT] = &cpu_select,
	[IR_SELECT_V2] = &cpu_select,
	[IR_SHAPE] = &cpu_shape,
	[IR_SLICE] = &cpu_slice,
	[IR_SOFTMAX] = &cpu_softmax,
	[IR_SPACE_TO_BATCH_ND] = &cpu_space_batch,
	[IR_SPACE_TO_DEPTH] = &cpu_space_depth,
	[IR_SPLIT] = &cpu_split,
	[IR_SPLIT_V] = &cpu_split,
	[IR_SQRT] = &cpu_unary,
	[IR_SQUARED_DIFFERENCE] = &cpu_binary,
	[IR_SQUEEZE] = &cpu_copy,
	[IR_STRIDED_SLICE] = &cpu_strided_slice,
	[IR_SUB] = &cpu_binary,
	[IR_SUM] = &cpu_mean,
	[IR_TANH] = &cpu_unary,
	[IR_TILE] = &cpu_tile,
	[IR_TOPK_V2] = &cpu_topk,
	[IR_TRANSPOSE] = &cpu_transpose,
	[IR_TRANSPOSE_CONV] = &cpu_transpose_conv,
	[IR_UNIDIRECTIONAL_SEQUENCE_LSTM] = &cpu_lstm,
	[IR_UNPACK] = &cpu_unpack,
};

/* Of integers that are nothing else: not quantised. */
static const struct cpu_kernel *const integers[IR_KIND_COUNT] = {
	[IR_ABS] = &cpu_integer_unary,
	[IR_ADD] = &cpu_integer_binary,
	[IR_ARG_MAX] = &cpu_integer_arg,
	[IR_ARG_MIN] = &cpu_integer_arg,
	[IR_BITWISE_AND] = &cpu_integer_binary,
	[IR_BITWISE_NOT] = &cpu_integer_unary,
	[IR_BITWISE_OR] = &cpu_integer_binary,
	[IR_BITWISE_XOR] = &cpu_integer_binary,
	[IR_CEIL] = &cpu_integer_unary,
	[IR_DIV] = &cpu_integer_binary,
	[IR_EQUAL] = &cpu_integer_compare,
	[IR_FLOOR] = &cpu_integer_unary,
	[IR_FLOOR_DIV] = &cpu_integer_binary,
	[IR_FLOOR_MOD] = &cpu_integer_binary,
	[IR_FMOD] = &cpu_integer_binary,
	[IR_GREATER] = &cpu_integer_compare,
	[IR_GREATER_EQUAL] = &cpu_integer_compare,
	[IR_LEFT_SHIFT] = &cpu_integer_binary,
	[IR_LESS] = &cpu_integer_compare,
	[IR_LESS_EQUAL] = &cpu_integer_compare,
	[IR_MAXIMUM] = &cpu_integer_binary,
	[IR_MEAN] = &cpu_integer_reduce,
	[IR_MINIMUM] = &cpu_integer_binary,
	[IR_MUL] = &cpu_integer_binary,
	[IR_NEG] = &cpu_integer_unary,
	[IR_NOT_EQUAL] = &cpu_integer_compare,
	[IR_POW] = &cpu_integer_binary,
	[IR_REDUCE_ALL] = &cpu_integer_reduce,
	[IR_REDUCE_ANY] = &cpu_integer_reduce,
	[IR_REDUCE_MAX] = &cpu_integer_reduce,
	[IR_REDUCE_MIN] = &cpu_integer_reduce,
	[IR_REDUCE_PROD] = &cpu_integer_reduce,
	[IR_RIGHT_SHIFT] = &cpu_integer_binary,
	[IR_ROUND] = &cpu_integer_unary,
	[IR_SIGN] = &cpu_integer_unary,
	[IR_SQUARE] = &cpu_integer_unary,
	[IR_SQUARED_DIFFERENCE] = &cpu_integer_binary,
	[IR_SUB] = &cpu_integer_binary,
	[IR_SUM] = &cpu_integer_reduce,
};

/* Of float32. */
static const struct cpu_kernel *const floats[IR_KIND_COUNT] = {
	[IR_ABS] = &float_unary,
	[IR_ACOS] = &float_unary,
	[IR_ACOSH] = &float_unary,
	[IR_ADD] = &float_binary,
	[IR_ARG_MAX] = &float_arg,
	[IR_ARG_MIN] = &float_arg,
	[IR_ASIN] = &float_unary,
	[IR_ASINH] = &float_unary,
	[IR_ATAN] = &float_unary,
	[IR_ATANH] = &float_unary,
	[IR_AVERAGE_POOL_2D] = &float_pool,
	[IR_BATCH_MATMUL] = &float_matmul,
	[IR_CEIL] = &float_unary,
	[IR_CELU] = &float_unary,
	[IR_CONV_2D] = &float_conv,
	[IR_COS] = &float_unary,
	[IR_COSH] = &float_unary,
	[IR_DEPTHWISE_CONV_2D] = &float_depthwise,
	[IR_DIV] = &float_binary,
	[IR_ELU] = &float_unary,
	[IR_EQUAL] = &float_compare,
	[IR_ERF] = &float_unary,
	[IR_EXP] = &float_unary,
	[IR_FLOOR] = &float_unary,
	[IR_FLOOR_DIV] = &float_binary,
	[IR_FLOOR_MOD] = &float_binary,
	[IR_FULLY_CONNECTED] = &float_fully_connected,
	[IR_FMOD] = &float_binary,
	[IR_GELU] = &float_unary,
	[IR_GREATER] = &float_compare,
	[IR_GREATER_EQUAL] = &float_compare,
	[IR_GRID_SAMPLE] = &float_grid_sample,
	[IR_HARD_SIGMOID] = &float_unary,
	[IR_HARD_SWISH] = &float_unary,
	[IR_IS_INF] = &float_unary,
	[IR_IS_NAN] = &float_unary,
	[IR_L2_NORMALIZATION] = &float_normalize,
	[IR_LEAKY_RELU] = &float_unary,
	[IR_LESS] = &float_compare,
	[IR_LESS_EQUAL] = &float_compare,
	[IR_LOG] = &float_unary,
	[IR_LOGISTIC] = &float_unary,
	[IR_LOG_SOFTMAX] = &float_softmax,
	[IR_MAXIMUM] = &float_binary,
	[IR_MAX_POOL_2D] = &float_pool,
	[IR_MEAN] = &float_reduce,
	[IR_MINIMUM] = &float_binary,
	[IR_MISH] = &float_unary,
	[IR_MUL] = &float_binary,
	[IR_NEG] = &float_unary,
	[IR_NOT_EQUAL] = &float_compare,
	[IR_POW] = &float_binary,
	[IR_PRELU] = &float_binary,
	[IR_RECIPROCAL] = &float_unary,
	[IR_REDUCE_MAX] = &float_reduce,
	[IR_REDUCE_MIN] = &float_reduce,
	[IR_REDUCE_PROD] = &float_reduce,
	[IR_RELU] = &float_unary,
	[IR_RELU6] = &float_unary,
	[IR_RELU_0_TO_1] = &float_unary,
	[IR_RELU_N1_TO_1] = &float_unary,
	[IR_RESIZE_BILINEAR] = &float_resize,
	[IR_RESIZE_NEAREST_NEIGHBOR] = &float_resize,
	[IR_ROUND] = &float_unary,
	[IR_RSQRT] = &float_unary,
	[IR_SELU] = &float_unary,
	[IR_SIGN] = &float_unary,
	[IR_SIN] = &float_unary,
	[IR_SINH] = &float_unary,
	[IR_SOFTMAX] = &float_softmax,
	[IR_SOFTPLUS] = &float_unary,
	[IR_SOFTSIGN] = &float_unary,
	[IR_SQRT] = &float_unary,
	[IR_SQUARE] = &float_unary,
	[IR_SQUARED_DIFFERENCE] = &float_binary,
	[IR_SUB] = &float_binary,
	[IR_SUM] = &float_reduce,
	[IR_TAN] = &float_unary,
	[IR_TANH] = &float_unary,
	[IR_THRESHOLDED_RELU] = &float_unary,
	[IR_TRANSPOSE_CONV] = &float_transpose_conv,
	[IR_UNIDIRECTIONAL_SEQUENCE_LSTM] = &float_lstm,
};

/* True if a tensor's elements are whole numbers as they are. */
static bool is_integer(const struct cpu_tensor *t)
{
	unsigned int narrow = CPU_S8 | CPU_U8 | CPU_S16;

	if (t->type < 0 || t->type > 31)
		return false;
	return (CPU_INTEGER | CPU_BOOL) >> t->type & 1 && (!t->scale_count || !(narrow >> t->type & 1));
}

/* By the type of an input; one that does not fit the kernel says so. */
static const struct cpu_kernel *pick(unsigned int kind, const struct cpu_tensor *inputs,
				     uint32_t count)
{
	uint32_t index = kind == IR_TRANSPOSE_CONV ? 2 : 0;
	const struct cpu_tensor *t = index < count && inputs[index].data ? &inputs[index] : NULL;

	if (kind == IR_DEQUANTIZE && t && t->type == ELEM_FLOAT16)
		return &cpu_cast;
	if (floats[kind] && t && t->type == ELEM_FLOAT32)
		return floats[kind];
	if (integers[kind] && t && is_integer(t))
		return integers[kind];
	return kernels[kind] ? kernels[kind] : floats[kind] ? floats[kind] : integers[kind];
}

bool cpu_has(unsigned int kind)
{
	return kind < IR_KIND_COUNT && (kernels[kind] || floats[kind] || integers[kind]);
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
	op->kernel = pick(kind, inputs, input_count);
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
