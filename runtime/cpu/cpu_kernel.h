/* SPDX-License-Identifier: MIT */
/* What the files with the operators share with the table in cpu.c. */
#ifndef ACCEL_RUNTIME_CPU_KERNEL_H
#define ACCEL_RUNTIME_CPU_KERNEL_H

#include "runtime/cpu/cpu.h"
#include "runtime/cpu/fixed.h"

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

/* Sets of element types. */
#define CPU_S8		(1u << ELEM_INT8)
#define CPU_U8		(1u << ELEM_UINT8)
#define CPU_S16		(1u << ELEM_INT16)
#define CPU_S32		(1u << ELEM_INT32)
#define CPU_S64		(1u << ELEM_INT64)
#define CPU_BOOL	(1u << ELEM_BOOL)
#define CPU_U16		(1u << ELEM_UINT16)
#define CPU_U32		(1u << ELEM_UINT32)
#define CPU_U64		(1u << ELEM_UINT64)
#define CPU_F32		(1u << ELEM_FLOAT32)
#define CPU_REAL	(CPU_F32 | 1u << ELEM_FLOAT16 | 1u << ELEM_FLOAT64 | 1u << ELEM_BFLOAT16)
#define CPU_INTEGER	(CPU_S8 | CPU_U8 | CPU_S16 | CPU_U16 | CPU_S32 | CPU_U32 | CPU_S64 | CPU_U64)
#define CPU_QUANTISED	(CPU_S8 | CPU_U8 | CPU_S16)
#define CPU_ANY		(CPU_INTEGER | CPU_BOOL | CPU_REAL)

/* --- operand.c --- */

/* Operand @index, inputs first; NULL if it is not there or left out. */
const struct cpu_tensor *cpu_operand(const struct cpu_op *op, uint32_t index);

/* cpu_check - operand @index is there and of one of @types. Return: 0, -EINVAL, -ENOTSUP. */
int cpu_check(const struct cpu_op *op, uint32_t index, unsigned int types, struct error *err);

/* cpu_check_same - operand @index is there and of the type of operand @as */
int cpu_check_same(const struct cpu_op *op, uint32_t index, uint32_t as, struct error *err);

/* cpu_check_scale - operand @index is quantised as a whole, with a scale that is a number */
int cpu_check_scale(const struct cpu_op *op, uint32_t index, struct error *err);

/* cpu_check_scales - operand @index is quantised as a whole or along an axis, with such scales */
int cpu_check_scales(const struct cpu_op *op, uint32_t index, struct error *err);

/* cpu_check_shape - operand @index has that shape; axes of extent 1 may be missing or added */
int cpu_check_shape(const struct cpu_op *op, uint32_t index, uint32_t ndim, const int32_t *shape,
		    struct error *err);

/* cpu_check_scalars - operand @index is there, of int32, a constant, of 1 to @max elements */
int cpu_check_scalars(const struct cpu_op *op, uint32_t index, uint32_t max, struct error *err);

/* cpu_check_arg - operands of ARG_MAX and ARG_MIN: an input of @types, an axis of it, indices */
int cpu_check_arg(const struct cpu_op *op, unsigned int types, struct error *err);

static inline float cpu_scale_of(const struct cpu_tensor *t)
{
	return t->scales[0];
}

/* Zero point, 0 if the tensor is not quantised. */
static inline int32_t cpu_zero_of(const struct cpu_tensor *t)
{
	return t->scale_count ? t->zero_points[0] : 0;
}

/* Range of a type of at most 32 bits. */
void cpu_limits(int type, int32_t *low, int32_t *high);

/* Range of a quantised tensor after a fused activation. */
int cpu_activation(const struct cpu_op *op, const struct cpu_tensor *t, int32_t *low, int32_t *high,
		   struct error *err);

/* Elements [at, at + count) as integers (float: their bits), and back. */
void cpu_load(const struct cpu_tensor *t, size_t at, size_t count, int32_t *out);
void cpu_store(const struct cpu_tensor *t, size_t at, size_t count, const int32_t *values);

/* Likewise of any type of up to 64 bits; uint64 and what is no integer: bits. */
void cpu_load64(const struct cpu_tensor *t, size_t at, size_t count, int64_t *out);
void cpu_store64(const struct cpu_tensor *t, size_t at, size_t count, const int64_t *values);

/* One element of an int32 or int64 tensor. */
int64_t cpu_index_at(const struct cpu_tensor *t, size_t at);

/* Product of extents [from, to). */
size_t cpu_extent(const struct cpu_tensor *t, uint32_t from, uint32_t to);

/* @axis, counted from the end if it is negative; -1 if there is no such axis. */
int32_t cpu_axis(int64_t axis, uint32_t ndim);

#define CPU_KERNELS(X) \
	X(binary) X(compare) X(logical) X(select) X(unary) X(quantize) X(cast) X(copy) X(conv) \
	X(depthwise) X(fully_connected) X(transpose_conv) X(matmul) X(average_pool) X(max_pool) \
	X(mean) X(reduce) X(arg) X(softmax) X(log_softmax) X(resize) X(transpose) X(concat) \
	X(split) X(pack) X(unpack) X(slice) X(strided_slice) X(pad) X(mirror_pad) X(tile) \
	X(gather) X(scatter_nd) X(reverse) X(space_depth) X(space_batch) X(prelu) X(lstm) \
	X(gather_nd) X(shape) X(integer_binary) X(integer_unary) X(integer_compare) \
	X(integer_reduce) X(integer_arg) X(gather_elements) X(scatter_update) X(cumsum) X(topk) \
	X(one_hot) X(reverse_sequence)
#define X(name) extern const struct cpu_kernel cpu_##name;
CPU_KERNELS(X)
#undef X

#endif
