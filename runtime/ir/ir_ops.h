/* SPDX-License-Identifier: MIT */
/*
 * Graph operations and their options: one table, read by the importer, the printer, the parser and
 * the verifier.
 *
 * Meaning of inputs, outputs and options is that of the TFLite operator of the same name. Those with
 * code -1 are not in TFLite: ONNX's operator of that name (SELU: beta is ONNX's gamma; SCATTER_ND_UPDATE:
 * ScatterND; FMOD: Mod with fmod=1). Their axis is not negative; mode is enum ir_scatter or
 * ir_grid_mode, GRID_SAMPLE's padding is enum ir_grid_padding, its input is NCHW.
 */
#ifndef ACCEL_RUNTIME_IR_OPS_H
#define ACCEL_RUNTIME_IR_OPS_H

#include "runtime/ir/ir.h"

/* Values of options that are enumerations, as in TensorFlow's schema.fbs. */
enum ir_padding { IR_PADDING_SAME = 0, IR_PADDING_VALID = 1 };

enum ir_activation {
	IR_ACT_NONE = 0, IR_ACT_RELU = 1, IR_ACT_RELU_N1_TO_1 = 2, IR_ACT_RELU6 = 3,
	IR_ACT_TANH = 4, IR_ACT_SIGN_BIT = 5,
	IR_ACT_RELU_0_TO_1 = 6,		/* not in the file: the operator of that name, fused */
};

enum ir_mirror { IR_MIRROR_REFLECT = 0, IR_MIRROR_SYMMETRIC = 1 };

/* What SCATTER_ELEMENTS and SCATTER_ND_UPDATE do with the value that was there, in ONNX's order. */
enum ir_scatter {
	IR_SCATTER_NONE, IR_SCATTER_ADD, IR_SCATTER_MUL, IR_SCATTER_MAX, IR_SCATTER_MIN,
};

enum ir_grid_mode { IR_GRID_LINEAR, IR_GRID_NEAREST, IR_GRID_CUBIC };
enum ir_grid_padding { IR_GRID_ZEROS, IR_GRID_BORDER, IR_GRID_REFLECTION };

/*
 * The options: X(name, type). An operation uses those that IR_KINDS lists for it, the others are 0.
 * s32: integers, enumerations and booleans; f32: float.
 *
 * pad_* are explicit padding, which the fusing of PAD leaves behind: padding is then
 * IR_PADDING_VALID and these rows and columns of zero point stand round the input; round that of a
 * pool they count as nothing, neither in the average nor for the maximum. hidden_* are the
 * quantisation of the LSTM's output before projection, which the file keeps apart.
 */
#define IR_OPTIONS(X) \
	X(padding, s32) X(stride_w, s32) X(stride_h, s32) X(dilation_w, s32) X(dilation_h, s32) \
	X(activation, s32) X(depth_multiplier, s32) X(filter_w, s32) X(filter_h, s32) \
	X(pad_top, s32) X(pad_left, s32) X(pad_bottom, s32) X(pad_right, s32) \
	X(axis, s32) X(keep_dims, s32) X(align_corners, s32) X(half_pixel, s32) \
	X(begin_mask, s32) X(end_mask, s32) X(ellipsis_mask, s32) X(new_axis_mask, s32) \
	X(shrink_mask, s32) X(count, s32) X(mode, s32) X(adj_x, s32) X(adj_y, s32) \
	X(approximate, s32) X(block_size, s32) X(batch_dims, s32) X(time_major, s32) \
	X(weights_format, s32) X(code, s32) X(exclusive, s32) X(reverse, s32) \
	X(hidden_zero_point, s32) \
	X(beta, f32) X(alpha, f32) X(cell_clip, f32) X(proj_clip, f32) X(hidden_scale, f32)

/**
 * struct ir_options - options of a graph operation
 *
 * One member an entry of IR_OPTIONS.
 */
struct ir_options {
#define IR_TYPE_s32 int32_t
#define IR_TYPE_f32 float
#define X(name, type) IR_TYPE_##type name;
	IR_OPTIONS(X)
#undef X
};

/*
 * The operations: X(name, TFLite's code, fewest and most inputs, fewest and most outputs, options).
 * Options: O(name, field of the operator's table in schema.fbs, bytes of the field, its default);
 * field -1: not in the file.
 */
#define IR_CONV_PADS \
	O(pad_top, -1, 4, 0) O(pad_left, -1, 4, 0) O(pad_bottom, -1, 4, 0) O(pad_right, -1, 4, 0)
#define IR_POOL_OPTIONS \
	O(padding, 0, 1, 0) O(stride_w, 1, 4, 0) O(stride_h, 2, 4, 0) O(filter_w, 3, 4, 0) \
	O(filter_h, 4, 4, 0) O(activation, 5, 1, 0) IR_CONV_PADS
#define IR_LSTM_OPTIONS \
	O(activation, 0, 1, 0) O(cell_clip, 1, 4, 0) O(proj_clip, 2, 4, 0) O(time_major, 3, 1, 0) \
	O(hidden_scale, -1, 4, 0) O(hidden_zero_point, -1, 4, 0)

#define IR_KINDS(X) \
	X(ADD, 0, 2, 2, 1, 1, O(activation, 0, 1, 0)) \
	X(AVERAGE_POOL_2D, 1, 1, 1, 1, 1, IR_POOL_OPTIONS) \
	X(CONCATENATION, 2, 1, 65535, 1, 1, O(axis, 0, 4, 0) O(activation, 1, 1, 0)) \
	X(CONV_2D, 3, 2, 3, 1, 1, \
	  O(padding, 0, 1, 0) O(stride_w, 1, 4, 0) O(stride_h, 2, 4, 0) O(activation, 3, 1, 0) \
	  O(dilation_w, 4, 4, 1) O(dilation_h, 5, 4, 1) IR_CONV_PADS) \
	X(DEPTHWISE_CONV_2D, 4, 2, 3, 1, 1, \
	  O(padding, 0, 1, 0) O(stride_w, 1, 4, 0) O(stride_h, 2, 4, 0) \
	  O(depth_multiplier, 3, 4, 0) O(activation, 4, 1, 0) O(dilation_w, 5, 4, 1) \
	  O(dilation_h, 6, 4, 1) IR_CONV_PADS) \
	X(DEPTH_TO_SPACE, 5, 1, 1, 1, 1, O(block_size, 0, 4, 0)) \
	X(DEQUANTIZE, 6, 1, 1, 1, 1, ) \
	X(FLOOR, 8, 1, 1, 1, 1, ) \
	X(FULLY_CONNECTED, 9, 2, 3, 1, 1, \
	  O(activation, 0, 1, 0) O(weights_format, 1, 1, 0) O(keep_dims, 2, 1, 0)) \
	X(L2_NORMALIZATION, 11, 1, 1, 1, 1, O(activation, 0, 1, 0)) \
	X(LOGISTIC, 14, 1, 1, 1, 1, ) \
	X(MAX_POOL_2D, 17, 1, 1, 1, 1, IR_POOL_OPTIONS) \
	X(MUL, 18, 2, 2, 1, 1, O(activation, 0, 1, 0)) \
	X(RELU, 19, 1, 1, 1, 1, ) \
	X(RELU_N1_TO_1, 20, 1, 1, 1, 1, ) \
	X(RELU6, 21, 1, 1, 1, 1, ) \
	X(RESHAPE, 22, 1, 2, 1, 1, ) \
	X(RESIZE_BILINEAR, 23, 2, 2, 1, 1, O(align_corners, 2, 1, 0) O(half_pixel, 3, 1, 0)) \
	X(SOFTMAX, 25, 1, 1, 1, 1, O(beta, 0, 4, 0)) \
	X(SPACE_TO_DEPTH, 26, 1, 1, 1, 1, O(block_size, 0, 4, 0)) \
	X(TANH, 28, 1, 1, 1, 1, ) \
	X(PAD, 34, 2, 2, 1, 1, ) \
	X(GATHER, 36, 2, 2, 1, 1, O(axis, 0, 4, 0) O(batch_dims, 1, 4, 0)) \
	X(BATCH_TO_SPACE_ND, 37, 3, 3, 1, 1, ) \
	X(SPACE_TO_BATCH_ND, 38, 3, 3, 1, 1, ) \
	X(TRANSPOSE, 39, 2, 2, 1, 1, ) \
	X(MEAN, 40, 2, 2, 1, 1, O(keep_dims, 0, 1, 0)) \
	X(SUB, 41, 2, 2, 1, 1, O(activation, 0, 1, 0)) \
	X(DIV, 42, 2, 2, 1, 1, O(activation, 0, 1, 0)) \
	X(SQUEEZE, 43, 1, 1, 1, 1, ) \
	X(UNIDIRECTIONAL_SEQUENCE_LSTM, 44, 20, 25, 1, 1, IR_LSTM_OPTIONS) \
	X(STRIDED_SLICE, 45, 4, 4, 1, 1, \
	  O(begin_mask, 0, 4, 0) O(end_mask, 1, 4, 0) O(ellipsis_mask, 2, 4, 0) \
	  O(new_axis_mask, 3, 4, 0) O(shrink_mask, 4, 4, 0)) \
	X(EXP, 47, 1, 1, 1, 1, ) \
	X(TOPK_V2, 48, 2, 2, 2, 2, ) \
	X(SPLIT, 49, 2, 2, 1, 65535, O(count, 0, 4, 0)) \
	X(LOG_SOFTMAX, 50, 1, 1, 1, 1, ) \
	X(CAST, 53, 1, 1, 1, 1, ) \
	X(PRELU, 54, 2, 2, 1, 1, ) \
	X(MAXIMUM, 55, 2, 2, 1, 1, ) \
	X(ARG_MAX, 56, 2, 2, 1, 1, ) \
	X(MINIMUM, 57, 2, 2, 1, 1, ) \
	X(LESS, 58, 2, 2, 1, 1, ) \
	X(NEG, 59, 1, 1, 1, 1, ) \
	X(PADV2, 60, 3, 3, 1, 1, ) \
	X(GREATER, 61, 2, 2, 1, 1, ) \
	X(GREATER_EQUAL, 62, 2, 2, 1, 1, ) \
	X(LESS_EQUAL, 63, 2, 2, 1, 1, ) \
	X(SELECT, 64, 3, 3, 1, 1, ) \
	X(SLICE, 65, 3, 3, 1, 1, ) \
	X(SIN, 66, 1, 1, 1, 1, ) \
	X(TRANSPOSE_CONV, 67, 3, 4, 1, 1, \
	  O(padding, 0, 1, 0) O(stride_w, 1, 4, 0) O(stride_h, 2, 4, 0) O(activation, 3, 1, 0)) \
	X(TILE, 69, 2, 2, 1, 1, ) \
	X(EXPAND_DIMS, 70, 2, 2, 1, 1, ) \
	X(EQUAL, 71, 2, 2, 1, 1, ) \
	X(NOT_EQUAL, 72, 2, 2, 1, 1, ) \
	X(LOG, 73, 1, 1, 1, 1, ) \
	X(SUM, 74, 2, 2, 1, 1, O(keep_dims, 0, 1, 0)) \
	X(SQRT, 75, 1, 1, 1, 1, ) \
	X(RSQRT, 76, 1, 1, 1, 1, ) \
	X(SHAPE, 77, 1, 1, 1, 1, ) \
	X(POW, 78, 2, 2, 1, 1, ) \
	X(ARG_MIN, 79, 2, 2, 1, 1, ) \
	X(REDUCE_PROD, 81, 2, 2, 1, 1, O(keep_dims, 0, 1, 0)) \
	X(REDUCE_MAX, 82, 2, 2, 1, 1, O(keep_dims, 0, 1, 0)) \
	X(PACK, 83, 1, 65535, 1, 1, O(count, 0, 4, 0) O(axis, 1, 4, 0)) \
	X(LOGICAL_OR, 84, 2, 2, 1, 1, ) \
	X(ONE_HOT, 85, 4, 4, 1, 1, O(axis, 0, 4, 0)) \
	X(LOGICAL_AND, 86, 2, 2, 1, 1, ) \
	X(LOGICAL_NOT, 87, 1, 1, 1, 1, ) \
	X(UNPACK, 88, 1, 1, 1, 65535, O(count, 0, 4, 0) O(axis, 1, 4, 0)) \
	X(REDUCE_MIN, 89, 2, 2, 1, 1, O(keep_dims, 0, 1, 0)) \
	X(FLOOR_DIV, 90, 2, 2, 1, 1, ) \
	X(REDUCE_ANY, 91, 2, 2, 1, 1, O(keep_dims, 0, 1, 0)) \
	X(SQUARE, 92, 1, 1, 1, 1, ) \
	X(FLOOR_MOD, 95, 2, 2, 1, 1, ) \
	X(RESIZE_NEAREST_NEIGHBOR, 97, 2, 2, 1, 1, \
	  O(align_corners, 0, 1, 0) O(half_pixel, 1, 1, 0)) \
	X(LEAKY_RELU, 98, 1, 1, 1, 1, O(alpha, 0, 4, 0)) \
	X(SQUARED_DIFFERENCE, 99, 2, 2, 1, 1, ) \
	X(MIRROR_PAD, 100, 2, 2, 1, 1, O(mode, 0, 1, 0)) \
	X(ABS, 101, 1, 1, 1, 1, ) \
	X(SPLIT_V, 102, 3, 3, 1, 65535, O(count, 0, 4, 0)) \
	X(CEIL, 104, 1, 1, 1, 1, ) \
	X(REVERSE_V2, 105, 2, 2, 1, 1, ) \
	X(GATHER_ND, 107, 2, 2, 1, 1, ) \
	X(COS, 108, 1, 1, 1, 1, ) \
	X(ELU, 111, 1, 1, 1, 1, ) \
	X(REVERSE_SEQUENCE, 112, 2, 2, 1, 1, O(axis, 0, 4, 0) O(batch_dims, 1, 4, 0)) \
	X(QUANTIZE, 114, 1, 1, 1, 1, ) \
	X(ROUND, 116, 1, 1, 1, 1, ) \
	X(HARD_SWISH, 117, 1, 1, 1, 1, ) \
	X(SCATTER_ND, 122, 3, 3, 1, 1, ) \
	X(SELECT_V2, 123, 3, 3, 1, 1, ) \
	X(BATCH_MATMUL, 126, 2, 2, 1, 1, O(adj_x, 0, 1, 0) O(adj_y, 1, 1, 0)) \
	X(CUMSUM, 128, 2, 2, 1, 1, O(exclusive, 0, 1, 0) O(reverse, 1, 1, 0)) \
	X(BROADCAST_TO, 130, 2, 2, 1, 1, ) \
	X(REDUCE_ALL, 140, 2, 2, 1, 1, O(keep_dims, 0, 1, 0)) \
	X(GELU, 150, 1, 1, 1, 1, O(approximate, 0, 1, 0)) \
	X(RELU_0_TO_1, 152, 1, 1, 1, 1, ) \
	X(SIGN, 158, 1, 1, 1, 1, ) \
	X(BITWISE_XOR, 160, 2, 2, 1, 1, ) \
	X(RIGHT_SHIFT, 161, 2, 2, 1, 1, ) \
	X(ERF, -1, 1, 1, 1, 1, ) \
	X(TAN, -1, 1, 1, 1, 1, ) \
	X(ASIN, -1, 1, 1, 1, 1, ) \
	X(ACOS, -1, 1, 1, 1, 1, ) \
	X(ATAN, -1, 1, 1, 1, 1, ) \
	X(SINH, -1, 1, 1, 1, 1, ) \
	X(COSH, -1, 1, 1, 1, 1, ) \
	X(ASINH, -1, 1, 1, 1, 1, ) \
	X(ACOSH, -1, 1, 1, 1, 1, ) \
	X(ATANH, -1, 1, 1, 1, 1, ) \
	X(RECIPROCAL, -1, 1, 1, 1, 1, ) \
	X(SOFTPLUS, -1, 1, 1, 1, 1, ) \
	X(SOFTSIGN, -1, 1, 1, 1, 1, ) \
	X(MISH, -1, 1, 1, 1, 1, ) \
	X(HARD_SIGMOID, -1, 1, 1, 1, 1, O(alpha, -1, 4, 0) O(beta, -1, 4, 0)) \
	X(SELU, -1, 1, 1, 1, 1, O(alpha, -1, 4, 0) O(beta, -1, 4, 0)) \
	X(CELU, -1, 1, 1, 1, 1, O(alpha, -1, 4, 0)) \
	X(THRESHOLDED_RELU, -1, 1, 1, 1, 1, O(alpha, -1, 4, 0)) \
	X(IS_NAN, -1, 1, 1, 1, 1, ) \
	X(IS_INF, -1, 1, 1, 1, 1, ) \
	X(LEFT_SHIFT, -1, 2, 2, 1, 1, ) \
	X(BITWISE_AND, -1, 2, 2, 1, 1, ) \
	X(BITWISE_OR, -1, 2, 2, 1, 1, ) \
	X(BITWISE_NOT, -1, 1, 1, 1, 1, ) \
	X(FMOD, -1, 2, 2, 1, 1, ) \
	X(GATHER_ELEMENTS, -1, 2, 2, 1, 1, O(axis, -1, 4, 0)) \
	X(SCATTER_ELEMENTS, -1, 3, 3, 1, 1, O(axis, -1, 4, 0) O(mode, -1, 4, 0)) \
	X(SCATTER_ND_UPDATE, -1, 3, 3, 1, 1, O(mode, -1, 4, 0)) \
	X(GRID_SAMPLE, -1, 2, 2, 1, 1, \
	  O(mode, -1, 4, 0) O(padding, -1, 4, 0) O(align_corners, -1, 1, 0))

/* IR_OTHER: a TFLite operator that has no entry, by options->code; nothing can compute it. */
enum ir_kind {
	IR_NPU,
	IR_OTHER,
#define X(name, code, in_min, in_max, out_min, out_max, options) IR_##name,
	IR_KINDS(X)
#undef X
	IR_KIND_COUNT,
};

/* How a value is written in the text form. */
enum ir_field_type { IR_FIELD_S32, IR_FIELD_U32, IR_FIELD_U8, IR_FIELD_BOOL, IR_FIELD_F32 };

/**
 * struct ir_field - a member of a structure
 * @name: in the text form
 * @offset: of the member
 * @type: enum ir_field_type
 */
struct ir_field {
	const char *name;
	uint16_t offset;
	uint8_t type;
};

/**
 * struct ir_option - an option that a kind of operation has
 * @field: member of struct ir_options
 * @flat: number of the field in the options table of schema.fbs, -1: not there
 * @bytes: of that field
 * @dflt: where the file leaves it out
 */
struct ir_option {
	struct ir_field field;
	int8_t flat;
	uint8_t bytes;
	int32_t dflt;
};

/**
 * struct ir_kind_info - what a kind of operation is
 * @name: TFLite's, "CONV_2D"
 * @code: TFLite's number, -1: not an operator of TFLite
 * @options: @option_count of them
 */
struct ir_kind_info {
	const char *name;
	int code;
	uint32_t input_min, input_max, output_min, output_max;
	const struct ir_option *options;
	unsigned int option_count;
};

const struct ir_kind_info *ir_kind_info(unsigned int kind);

/* The kind of that name or TFLite code, or -1. */
int ir_kind_by_name(const char *name, size_t len);
int ir_kind_by_code(int code);

/* The first @count fields of struct ir_npu that are plain numbers, and those of struct ir_view. */
const struct ir_field *ir_npu_fields(unsigned int *count);

/* The value at a field of @base, as an integer; floats: bits. */
int64_t ir_field_get(const struct ir_field *field, const void *base);
void ir_field_set(const struct ir_field *field, void *base, int64_t value);

#endif
