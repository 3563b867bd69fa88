/* SPDX-License-Identifier: MIT */
/*
 * The graph: tensors and operations, from the importer to the emitter. One form for all passes.
 *
 * Operations stand in execution order. An operation is either a *graph* operation (what the model
 * file says: IR_CONV_2D with its options), or an *NPU* operation (IR_NPU: what one kernel command of
 * the NPU does, every number of its registers decided but for addresses, blocks and waits). Lowering
 * replaces the former by the latter; what is left runs on the CPU.
 *
 * Everything a graph holds is allocated from its arena and dies with it. Tensors and operations are
 * named by index, so that arrays can grow.
 */
#ifndef ACCEL_RUNTIME_IR_H
#define ACCEL_RUNTIME_IR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/elem.h"
#include "runtime/error.h"

#define IR_MAX_DIMS	8
#define IR_NONE		UINT32_MAX	/* no tensor */

/**
 * struct ir_quant - real = scale * (q - zero_point)
 * @count: 0: not quantised, 1: per tensor, else per channel of @axis
 */
struct ir_quant {
	uint32_t count;
	int32_t axis;
	const float *scale;
	const int32_t *zero_point;
};

/**
 * struct ir_tensor - a value
 * @name: of the model's tensor, or made up; unique
 * @type: enum elem
 * @ndim, @shape: extents, all at least 1 (a scalar has ndim 0)
 * @hwc: how the NPU stores it: rows (all leading axes together), columns, channels. Their product is
 *	the element count. Set when the tensor is made; a pass may change it while no NPU operation
 *	uses the tensor.
 * @data, @size: contents of a constant, little-endian, NULL otherwise
 * @variable: state that lives from run to run
 * @input, @output: index among the graph's inputs/outputs, or -1
 */
struct ir_tensor {
	const char *name;
	int type;
	uint32_t ndim;
	int32_t shape[IR_MAX_DIMS];
	int32_t hwc[3];
	struct ir_quant quant;
	const void *data;
	size_t size;
	bool variable;
	int32_t input;
	int32_t output;
};

enum ir_npu_kind {
	IR_NPU_CONV,		/* weights: constant [oc][kh][kw][ic] */
	IR_NPU_DEPTHWISE,	/* weights: constant [1][kh][kw][c] */
	IR_NPU_MATMUL,		/* U85: CONV with weights from ifm2, seen as [1][oc][ic] */
	IR_NPU_POOL,
	IR_NPU_ELEMENTWISE,
	IR_NPU_RESIZE,		/* U85 */
	IR_NPU_COPY,		/* DMA of the whole view, both contiguous, same type */
	IR_NPU_GATHER,		/* U85, indexed DMA: row i of the OFM is row ifm2[i] of the IFM */
};

/* Pooling and elementwise modes: numbers of the U85's encoding; the emitter has the U55/U65's. */
enum ir_pool {
	IR_POOL_MAX = 0, IR_POOL_AVERAGE = 1, IR_POOL_REDUCE_SUM = 2, IR_POOL_SUM = 3,
	IR_POOL_NONE = 4, IR_POOL_MIN = 5, IR_POOL_ARGMAX_X = 6, IR_POOL_ARGMAX_Y = 7,
};

enum ir_elt {
	IR_ELT_MUL = 0, IR_ELT_ADD = 1, IR_ELT_SUB = 2, IR_ELT_MIN = 3, IR_ELT_MAX = 4,
	IR_ELT_LRELU = 5, IR_ELT_ABS = 6, IR_ELT_CLZ = 7, IR_ELT_SHR = 8, IR_ELT_SHL = 9,
	IR_ELT_LSR = 10, IR_ELT_DIV = 11, IR_ELT_CMP_EQ = 16, IR_ELT_CMP_NE = 17,
	IR_ELT_CMP_GE = 18, IR_ELT_CMP_GT = 19, IR_ELT_AND = 33, IR_ELT_OR = 34,
	IR_ELT_XOR = 35, IR_ELT_NOT = 36, IR_ELT_AND_NOT = 42,
};

enum ir_resize { IR_RESIZE_MODE_BILINEAR, IR_RESIZE_MODE_REPLICATE, IR_RESIZE_MODE_NEAREST };

/* Rounding by what it does; the emitter knows each family's encoding. */
enum ir_round {
	IR_ROUND_TFL,		/* U55/U65 DBL, U85 DOUBLE_SYMMETRIC */
	IR_ROUND_NATURAL,	/* half toward plus infinity */
	IR_ROUND_DOUBLE_ASYMMETRIC,
	IR_ROUND_SYMMETRIC,	/* half away from zero, once */
	IR_ROUND_TO_ZERO,
	IR_ROUND_TO_LOWER,
};

enum ir_upscale { IR_UPSCALE_NONE, IR_UPSCALE_NEAREST, IR_UPSCALE_ZEROS };

enum ir_lut {
	IR_LUT_NONE,
	IR_LUT_8_8,		/* 256 bytes in the order of the hardware's index */
	IR_LUT_8_16,		/* 256 s16 */
	IR_LUT_8_32,		/* 256 s32 */
	IR_LUT_16_16,		/* 512 x (slope << 16 | base) */
	IR_LUT_16_32,		/* 512 s32 */
	IR_LUT_TANH,		/* the NPU's own function: builtin on U55/U65, a 2 KiB table on U85 */
	IR_LUT_SIGMOID,
};

/* OFM axis order, U85: what is stored, in terms of the operation's H, W, C. */
enum ir_transpose {
	IR_TRANSPOSE_HWC = 0, IR_TRANSPOSE_WHC = 1, IR_TRANSPOSE_HCW = 2,
	IR_TRANSPOSE_WCH = 3, IR_TRANSPOSE_CHW = 6, IR_TRANSPOSE_CWH = 7,
};

enum ir_reverse { IR_REVERSE_NONE, IR_REVERSE_H, IR_REVERSE_W, IR_REVERSE_C };

/**
 * struct ir_view - a tensor as an NPU operation addresses it
 * @tensor: IR_NONE: no operand, or @scalar
 * @base: element that (0, 0, 0) of the view is, counted in NHWC order of the whole tensor
 * @sy, @sx: elements from row to row and column to column, in NHWC order; may be negative or 0.
 *	Channels follow each other.
 * @h, @w, @c: extent. A broadcast axis has extent 1.
 * @zero_point: subtracted from (added to, OFM) the elements; the quantisation of the tensor plays no
 *	part any more
 * @type: how the elements are taken, enum elem: of the size of the tensor's own
 * @scalar, @value: elementwise operand that is one number, before its zero point is subtracted
 *
 * In terms of the tensor's hwc = (H, W, C): base = y * W * C + x * C + c, sy = k * W * C, sx = C is a
 * box that NHCWB16 storage can give when c is a multiple of 16 (and so is @c, or the box ends with
 * the tensor). Anything else wants NHWC storage.
 */
struct ir_view {
	uint32_t tensor;
	int64_t base;
	int64_t sy, sx;
	int32_t h, w, c;
	int32_t zero_point;
	int type;
	bool scalar;
	int32_t value;
};

/* value * scale >> shift. scale 1, shift 0: unscaled. */
struct ir_scale {
	uint32_t scale;
	uint8_t shift;
};

/**
 * struct ir_npu - one kernel operation of the NPU
 * @kind: enum ir_npu_kind
 * @mode: enum ir_pool, ir_elt or ir_resize
 * @ifm, @ifm2, @ofm: operands. Elementwise: ifm OP ifm2 in that order, either may broadcast or be the
 *	scalar as far as the family can (U55/U65: ifm2 only, or both through reversed operand order).
 *	MATMUL: ifm2 holds the weights. The OFM's extent is that before @transpose.
 * @weights: constant tensor, int8 or uint8, [oc][kh][kw][ic]; @weight_zero_points per output
 *	channel (NULL: 0)
 * @kernel_h .. @pad_right: taps (undilated), strides, dilations, padding of the (upscaled) IFM
 * @upscale: of the IFM by two
 * @channels: @bias and @channel_scale hold one entry an OFM channel (CONV, DEPTHWISE, MATMUL); NULL bias: 0
 * @ifm_scale, @ifm2_scale: input scaling of ADD, SUB (and MIN, MAX, CMP on U85); of LRELU, scales of what
 *	is positive (U85, else 1) and of what is not. @ofm_scale output scaling where there are no
 *	@channel_scale
 * @ifm_dbl: 1: two-step input scaling (TFLite's ADD/SUB): shift of 20 for 8-bit, 15 for 16-bit data
 * @round: of the output scaling
 * @acc48: 48-bit (40-bit on U55/U65) accumulators
 * @hw_divide: AVERAGE divides by the number of taps that are not padding
 * @act_min, @act_max: clamp of the output, zero point included; the type's range: no clamp
 * @lut, @lut_data: table applied after the clamp; lut_data is a constant tensor (IR_NONE: builtin).
 *	The U85's tables for TANH and SIGMOID are constants, too.
 * @resize_*: as the U85's registers have them
 * @origin: graph operation it was lowered from, as an index for reports
 */
struct ir_npu {
	uint8_t kind, mode, upscale, round;
	uint8_t transpose, reverse, lut;
	bool acc48, hw_divide, ifm_dbl;
	struct ir_view ifm, ifm2, ofm;
	uint32_t weights;
	const int32_t *weight_zero_points;
	int32_t kernel_h, kernel_w, stride_y, stride_x, dilation_y, dilation_x;
	int32_t pad_top, pad_left, pad_bottom, pad_right;
	uint32_t channels;
	const int64_t *bias;
	const struct ir_scale *channel_scale;
	struct ir_scale ifm_scale, ifm2_scale, ofm_scale;
	int32_t act_min, act_max;
	uint32_t lut_data;
	int32_t resize_off_y, resize_off_x;
	uint32_t resize_n_y, resize_n_x;	/* scale_n */
	uint32_t resize_d_y, resize_d_x;	/* one step is d / n of an IFM element */
	uint32_t origin;
};

struct ir_options;	/* of a graph operation, see ir_ops.h */

/**
 * struct ir_op - an operation
 * @kind: enum ir_kind, in ir_ops.h: IR_NPU, or a graph operation
 * @inputs, @outputs: tensors, IR_NONE: left out. IR_NPU: its views name them as well.
 * @options: of a graph operation, NULL if its kind has none
 * @npu: of IR_NPU, NULL otherwise
 * @why_cpu: why it was left to the CPU, one phrase; NULL: not decided, or on the NPU
 */
struct ir_op {
	uint16_t kind;
	uint16_t input_count, output_count;
	uint32_t *inputs, *outputs;
	struct ir_options *options;
	struct ir_npu *npu;
	const char *why_cpu;
	uint32_t origin;
};

struct ir_block;

struct ir_graph {
	const char *name;
	struct ir_tensor *tensors;
	uint32_t tensor_count, tensor_room;
	struct ir_op *ops;
	uint32_t op_count, op_room;
	uint32_t *inputs;
	uint32_t input_count;
	uint32_t *outputs;
	uint32_t output_count;
	const char **origins;		/* names of the model's operators, for reports */
	uint32_t origin_count, origin_room;
	struct ir_block *blocks;	/* memory of all of it */
	void *file;			/* malloc'ed, constants may lie in it; NULL: none */
};

/* ir_alloc - zeroed memory that lives as long as the graph; NULL: none left. */
void *ir_alloc(struct ir_graph *g, size_t size);

/* ir_strdup - a string that lives as long as the graph; NULL: none left. */
const char *ir_strdup(struct ir_graph *g, const char *s, size_t len);

struct ir_graph *ir_new(const char *name);
void ir_free(struct ir_graph *g);

/* ir_tensor_new - index of a new tensor of that type and shape, hwc set, or IR_NONE: no memory. */
uint32_t ir_tensor_new(struct ir_graph *g, const char *name, int type, uint32_t ndim,
		       const int32_t *shape);

/**
 * ir_op_new - append an operation
 * @options: of a graph operation; copied, NULL if its kind has none
 *
 * Return: the operation, valid until the next is made, or NULL: no memory.
 */
struct ir_op *ir_op_new(struct ir_graph *g, unsigned int kind, const uint32_t *inputs,
			uint32_t input_count, const uint32_t *outputs, uint32_t output_count,
			const struct ir_options *options);

/* ir_npu_init - an NPU operation with nothing in it: no operands, no tables, scales of 1. */
void ir_npu_init(struct ir_npu *npu);

/**
 * ir_npu_new - append an NPU operation
 * @npu: from ir_alloc(); the operation's inputs and outputs are taken from its views
 */
struct ir_op *ir_npu_new(struct ir_graph *g, struct ir_npu *npu);

/* ir_origin_new - index of a new name among the origins, or IR_NONE: no memory. */
uint32_t ir_origin_new(struct ir_graph *g, const char *name);

size_t ir_tensor_elements(const struct ir_tensor *t);
size_t ir_tensor_bytes(const struct ir_tensor *t);

/**
 * ir_verify - is the graph well formed?
 *
 * Defined before use, one producer a tensor (NPU operations may write disjoint parts of one), types
 * and shapes as the operation wants them, views inside their tensors. Run between passes.
 *
 * Return: 0 or -EINVAL; @err names operation and tensor.
 */
int ir_verify(const struct ir_graph *g, struct error *err);

/* Text form; ir_parse() of what ir_print() writes gives the same graph. */
int ir_print(const struct ir_graph *g, void *file /* FILE * */);
int ir_parse(const char *text, size_t len, const char *name, struct ir_graph **out,
	     struct error *err);

#endif
