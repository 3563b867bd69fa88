/* SPDX-License-Identifier: MIT */
/*
 * One decoded NPU operation: the seam between the command decoder and whatever executes it.
 *
 * Plain data, no pointers, same layout in C and in OpenCL C. The decoder resolves everything that
 * differs between the U55, the U65 and the U85 (operand order, scale modes, where the rounding mode
 * is kept, chaining buffers), so that an engine reads one meaning only.
 */
#ifndef ACCEL_SIM_OP_H
#define ACCEL_SIM_OP_H

#ifdef __OPENCL_VERSION__
typedef char op_s8;
typedef uchar op_u8;
typedef ushort op_u16;
typedef int op_s32;
typedef uint op_u32;
typedef long op_s64;
typedef ulong op_u64;
#else
#include <stdint.h>
typedef int8_t op_s8;
typedef uint8_t op_u8;
typedef uint16_t op_u16;
typedef int32_t op_s32;
typedef uint32_t op_u32;
typedef int64_t op_s64;
typedef uint64_t op_u64;
#endif

enum npu_op_kind {
	NPU_KIND_CONV,		/* weights from the weight stream */
	NPU_KIND_DEPTHWISE,
	NPU_KIND_MATMUL,	/* U85 CONV with weights_ifm2: b supplies the weights */
	NPU_KIND_POOL,
	NPU_KIND_ELEMENTWISE,
	NPU_KIND_RESIZE,
	NPU_KIND_DMA,
	NPU_KIND_COUNT,
};

/* Values are those of the U85's NPU_OP_POOL parameter; the U65's three are a subset. */
enum npu_pool_mode {
	NPU_POOL_MAX = 0,
	NPU_POOL_AVERAGE = 1,
	NPU_POOL_REDUCE_SUM = 2,
	NPU_POOL_SUM = 3,
	NPU_POOL_NONE = 4,
	NPU_POOL_MIN = 5,
	NPU_POOL_ARGMAX_X = 6,
	NPU_POOL_ARGMAX_Y = 7,
};

/* Values are those of the U85's NPU_OP_ELEMENTWISE parameter; the U65's are a subset. */
enum npu_elt_mode {
	NPU_ELT_MUL = 0,
	NPU_ELT_ADD = 1,
	NPU_ELT_SUB = 2,
	NPU_ELT_MIN = 3,
	NPU_ELT_MAX = 4,
	NPU_ELT_LRELU = 5,
	NPU_ELT_ABS = 6,
	NPU_ELT_CLZ = 7,
	NPU_ELT_SHR = 8,
	NPU_ELT_SHL = 9,
	NPU_ELT_LSR = 10,
	NPU_ELT_DIV = 11,
	NPU_ELT_CMP_EQ = 16,
	NPU_ELT_CMP_NE = 17,
	NPU_ELT_CMP_GE = 18,
	NPU_ELT_CMP_GT = 19,
	NPU_ELT_AND = 33,
	NPU_ELT_OR = 34,
	NPU_ELT_XOR = 35,
	NPU_ELT_NOT = 36,
	NPU_ELT_AND_NOT = 42,
};

enum npu_resize_mode { NPU_RESIZE_BILINEAR, NPU_RESIZE_REPLICATE, NPU_RESIZE_NEAREST };

/* One numbering for all families; the decoder maps each register encoding to it. */
enum npu_round {
	NPU_ROUND_TFL,		/* U55/U65 DBL, U85 DOUBLE_SYMMETRIC */
	NPU_ROUND_NATURAL,	/* half toward plus infinity */
	NPU_ROUND_DOUBLE_ASYMMETRIC,
	NPU_ROUND_SYMMETRIC,	/* half away from zero, one rounding */
	NPU_ROUND_TO_ZERO,
	NPU_ROUND_TO_LOWER,	/* floor */
};

enum npu_lut {
	NPU_LUT_NONE,
	NPU_LUT_U8_U8,		/* 256 bytes, index = value */
	NPU_LUT_S8_S8,		/* 256 bytes, index = value + 128 */
	NPU_LUT_S8_S16,		/* 256 s16, index = value + 128 */
	NPU_LUT_S8_S32,		/* 256 s32, index = value + 128 */
	NPU_LUT_S16_S16,	/* 512 x (slope << 16 | base), interpolated */
	NPU_LUT_S16_S32,	/* 512 s32, index = (value >> 7) + 256 */
	NPU_LUT_TANH,		/* 512 x (slope << 16 | base) in LUT memory at lut_offset */
	NPU_LUT_SIGMOID,
	NPU_LUT_TANH_BUILTIN,	/* U55/U65: the same function from the NPU's own table */
	NPU_LUT_SIGMOID_BUILTIN,
};

enum npu_upscale { NPU_UPSCALE_NONE, NPU_UPSCALE_NEAREST, NPU_UPSCALE_ZEROS };

/* OFM axis order codes of the U85 (what is stored, in terms of the op's H, W, C). */
enum npu_transpose {
	NPU_TRANSPOSE_HWC = 0,
	NPU_TRANSPOSE_WHC = 1,
	NPU_TRANSPOSE_HCW = 2,
	NPU_TRANSPOSE_WCH = 3,
	NPU_TRANSPOSE_CHW = 6,
	NPU_TRANSPOSE_CWH = 7,
};

enum npu_reverse { NPU_REVERSE_NONE, NPU_REVERSE_H, NPU_REVERSE_W, NPU_REVERSE_C };

/*
 * Memory spaces an operand can lie in. 0..7 are the BASEP regions. INTERNAL is the NPU's own memory
 * (SHRAM on U55/U65, the 2 KiB LUT RAM on U85), CHAIN is where the decoder places the feature maps
 * that U85 operations hand on through chaining buffers.
 */
#define NPU_REGIONS		8
#define NPU_SPACE_INTERNAL	8
#define NPU_SPACE_CHAIN		9
#define NPU_SPACES		10

#define NPU_BROADCAST_H		1
#define NPU_BROADCAST_W		2
#define NPU_BROADCAST_C		4
#define NPU_BROADCAST_SCALAR	8	/* value in npu_op.scalar, the feature map is not read */

#define NPU_MAX_CORES		4

/**
 * struct npu_fm - a feature map as one operation sees it
 * @base: byte offset from the space's base, one per tile
 * @stride_y: bytes from row to row
 * @stride_x: bytes from column to column (NHWC); for NHCWB16 it is 16 elements by definition
 * @stride_c: NHCWB16: bytes from brick of 16 channels to brick; NHWC: one element
 * @width0: columns in tiles 0 and 2; tiles 1 and 3 hold the columns from @width0 on
 * @height0: rows in tile 0; tile 2 holds the rows of the left columns from @height0 on
 * @height1: rows in tile 1; tile 3 holds the rows of the right columns from @height1 on
 * @height, @width, @depth: extent in elements as stored: a broadcast axis has extent 1, an upscaled
 *	IFM its size before upscaling, a transposed OFM its axes after transposing
 * @zero_point: sign-extended if @is_signed; 0 where the hardware ignores the register
 * @space: 0..7 region, NPU_SPACE_INTERNAL or NPU_SPACE_CHAIN
 * @elem_log2: 0, 1, 2: 8, 16, 32 bit elements (3: 64 bit, POOL NONE only)
 * @is_signed: type of the elements
 * @brick: 1: NHCWB16, 0: NHWC
 * @broadcast: NPU_BROADCAST_*, elementwise operands only
 *
 * Address of (y, x, c), es = 1 << elem_log2, t the tile that (y, x) falls in, y' and x' relative to it:
 * NHWC     base[t] + y' * stride_y + x' * stride_x + c * es
 * NHCWB16  base[t] + y' * stride_y + x' * 16 * es + (c / 16) * stride_c + (c % 16) * es
 */
struct npu_fm {
	op_s64 base[4];
	op_s64 stride_y;
	op_s64 stride_x;
	op_s64 stride_c;
	op_u32 width0, height0, height1;
	op_u32 height, width, depth;
	op_s32 zero_point;
	op_u8 space;
	op_u8 elem_log2;
	op_u8 is_signed;
	op_u8 brick;
	op_u8 broadcast;
	op_u8 pad[3];
};

/**
 * struct npu_scale - one fixed-point multiplication
 * @scale: factor
 * @shift: right shift, 0..63
 * @round: enum npu_round
 * @dbl: K of the two-step input scaling (20 for 8-bit, 15 for 16-bit data), 0 = single step.
 *	scale 1 with shift 0 leaves the value alone whatever @dbl says.
 */
struct npu_scale {
	op_u32 scale;
	op_u8 shift;
	op_u8 round;
	op_u8 dbl;
	op_u8 pad;
};

/**
 * struct npu_op - one operation
 * @kind: enum npu_op_kind
 * @mode: pooling, elementwise or resize mode
 * @lut: enum npu_lut, applied after the clamp
 * @round: enum npu_round of the per-channel scales of a convolution
 * @per_channel: 1: scales and biases come from the scale stream, 0: @ofm_scale, no bias
 *	(a POOL with per_channel set is not scaled at all: older streams' MAX)
 * @hw_divide: AVERAGE: the hardware divides by the number of valid elements (half away from
 *	zero); @ofm_scale is then not applied
 * @clamp: 1: clamp to [act_min, act_max] after adding the zero point
 * @acc48: accumulators of 48 bits: bias records have the 48-bit form on U85
 * @a, @b: first and second operand, in that order whatever the register set they came from. For
 *	everything but elementwise @a is the IFM. MATMUL: @b holds the weights, read as [1][OFM depth]
 *	[IFM depth].
 * @ofm: output as stored
 * @oh, @ow, @oc: output extent before @transpose
 * @scalar: value of an operand with NPU_BROADCAST_SCALAR, before its zero point is subtracted
 * @a_scale, @b_scale: input scaling of ADD, SUB, LRELU, MIN, MAX (these on U85 only, else 1) and CMP_*
 * @ofm_scale: output scaling where @per_channel is 0
 * @kernel_h, @kernel_w: undilated taps
 * @part_kernel .. @ofm_block_depth: what the order of the weight stream depends on, see weights.h
 * @lut_offset: byte offset of the table in NPU_SPACE_INTERNAL
 * @offset: of the command in the stream, in bytes, for faults and logs
 */
struct npu_op {
	struct npu_fm a, b, ofm;

	op_u8 kind, mode, lut, round;
	op_u8 per_channel, hw_divide, clamp, acc48;
	op_s32 act_min, act_max;
	op_u32 oh, ow, oc;
	op_s32 scalar;
	struct npu_scale a_scale, b_scale, ofm_scale;
	op_u32 lut_offset;
	op_u32 offset;

	op_u16 kernel_h, kernel_w;
	op_u8 stride_y, stride_x, dilation_y, dilation_x;
	op_u8 pad_top, pad_left, pad_bottom, pad_right;
	op_u8 upscale, transpose, reverse, decompose4x4;

	/* Weight and scale streams. */
	op_u8 part_kernel, weight_fwd, weight_sparse, microblock;
	op_u8 weight_space, scale_space;
	op_u8 cores;		/* streams in use: U65-512: 2, U85: by size and format, else 1 */
	op_u8 pad0;
	op_u32 ofm_block_depth;
	op_u32 weight_len[NPU_MAX_CORES];
	op_u32 scale_len[NPU_MAX_CORES];
	op_u64 weight_base[NPU_MAX_CORES];
	op_u64 scale_base[NPU_MAX_CORES];

	/* RESIZE. */
	op_s32 resize_off_y, resize_off_x;
	op_u32 resize_n_y, resize_n_x;		/* scale_n, already plus one */
	op_u32 resize_step_y, resize_step_x;	/* one_step_int * n + one_step_mod */

	/*
	 * DMA: planes of rows of dma_len bytes. src/dst step 0 is from row to row, step 1 from plane to
	 * plane, in bytes, both already complete (U65's SKIP is a remainder, the decoder adds the row).
	 * 1D has one row of one plane. dma_len is 0 only where dma_rows is, too: nothing is touched,
	 * the table of indices included.
	 */
	op_u8 dma_src_space, dma_dst_space;
	op_u8 dma_src_indexed, dma_dst_indexed;	/* U85: rows picked by a table of s32 */
	op_u8 dma_idx_space;
	op_u8 pad1[3];
	op_u64 dma_src, dma_dst, dma_len;
	op_u32 dma_rows, dma_planes;
	op_s64 dma_src_step[2], dma_dst_step[2];
	op_u64 dma_idx;
	op_s64 dma_idx_step;	/* from plane to plane */
	op_u32 dma_idx_max;	/* largest legal index */
	op_u32 pad2;
};

#endif
