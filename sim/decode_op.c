/* SPDX-License-Identifier: MIT */
/*
 * From the state of the registers to one operation: shapes, kernels, operands, streams and copies.
 */
#include <errno.h>

#include "sim/decode_internal.h"

/* Operand registers of the weight streams, opcode & 0xff. */
static const uint8_t weight_bases[NPU_MAX_CORES] = {
	ETHOSU_SET_WEIGHT_BASE,
	ETHOSU_SET_WEIGHT1_BASE,
	ETHOSU_SET_WEIGHT2_BASE,
	ETHOSU_SET_WEIGHT3_BASE,
};
static const uint8_t weight_lengths[NPU_MAX_CORES] = {
	ETHOSU_SET_WEIGHT_LENGTH,
	ETHOSU_SET_WEIGHT1_LENGTH,
	ETHOSU_SET_WEIGHT2_LENGTH,
	ETHOSU_SET_WEIGHT3_LENGTH,
};

static const struct npu_state *state_of(const struct decoder *d)
{
	return &d->program->state;
}

static bool is_u85(const struct decoder *d)
{
	return d->config->arch == 85;
}

/* Extent of one axis of the IFM, before upscaling: what the kernel reads of it. 0: nothing. */
static uint32_t ifm_extent(uint32_t ofm, unsigned int stride, unsigned int dilated,
			   unsigned int pad, bool upscaled)
{
	int64_t n = (ofm - 1ll) * stride + dilated - pad;

	if (n <= 0)
		return 0;
	return (uint32_t)(upscaled ? (n + 1) / 2 : n);
}

static int decode_kernel(struct decoder *d, struct npu_op *op)
{
	const struct npu_state *s = state_of(d);
	unsigned int width_m1 = STATE0(s, SET_KERNEL_WIDTH_M1, WIDTH_M1);
	unsigned int height_m1 = STATE0(s, SET_KERNEL_HEIGHT_M1, HEIGHT_M1);

	op->stride_x = (uint8_t)(1 + STATE0(s, SET_KERNEL_STRIDE, STRIDE_X_LSB) +
				 2 * STATE0(s, SET_KERNEL_STRIDE, STRIDE_X_MSB));
	op->stride_y = (uint8_t)(1 + STATE0(s, SET_KERNEL_STRIDE, STRIDE_Y_LSB) +
				 2 * STATE0(s, SET_KERNEL_STRIDE, STRIDE_Y_MSB));
	op->dilation_x = (uint8_t)(1 + STATE0(s, SET_KERNEL_STRIDE, DILATION_X));
	op->dilation_y = (uint8_t)(1 + STATE0(s, SET_KERNEL_STRIDE, DILATION_Y));
	op->part_kernel = (uint8_t)STATE0(s, SET_KERNEL_STRIDE, WEIGHT_ORDER);
	op->decompose4x4 = (uint8_t)STATE0(s, SET_KERNEL_STRIDE, DECOMPOSITION);
	/* The registers hold the dilated size. */
	if (width_m1 / op->dilation_x >= UINT16_MAX || height_m1 / op->dilation_y >= UINT16_MAX)
		return decode_error(d, "kernel of %u x %u", height_m1 + 1, width_m1 + 1);
	op->kernel_w = (uint16_t)(width_m1 / op->dilation_x + 1);
	op->kernel_h = (uint16_t)(height_m1 / op->dilation_y + 1);
	op->pad_top = (uint8_t)STATE0(s, SET_IFM_PAD_TOP, PAD);
	op->pad_left = (uint8_t)STATE0(s, SET_IFM_PAD_LEFT, PAD);
	op->pad_right = (uint8_t)STATE0(s, SET_IFM_PAD_RIGHT, PAD);
	op->pad_bottom = (uint8_t)STATE0(s, SET_IFM_PAD_BOTTOM, PAD);
	op->upscale = (uint8_t)STATE0(s, SET_IFM_UPSCALE, MODE);
	if (op->upscale > NPU_UPSCALE_ZEROS)
		return decode_error(d, "IFM upscale mode %u", op->upscale);
	op->a.height = ifm_extent(op->oh, op->stride_y, height_m1 + 1, op->pad_top + op->pad_bottom,
				  op->upscale);
	op->a.width = ifm_extent(op->ow, op->stride_x, width_m1 + 1, op->pad_left + op->pad_right,
				 op->upscale);
	if (!op->a.height || !op->a.width)
		return decode_error(d, "IFM of %u x %u: the padding is all there is", op->a.height,
				    op->a.width);
	return 0;
}

/* Kernel registers do not count for the others. */
static void no_kernel(struct npu_op *op)
{
	op->kernel_h = op->kernel_w = 1;
	op->stride_y = op->stride_x = 1;
	op->dilation_y = op->dilation_x = 1;
	op->a.height = op->oh;
	op->a.width = op->ow;
}

static void decode_streams(struct decoder *d, struct npu_op *op)
{
	const struct npu_state *s = state_of(d);
	unsigned int cores = d->config->cores;

	if (is_u85(d)) {
		op->microblock = (uint8_t)STATE0(s, SET_ACC_FORMAT, MICROBLOCK);
		op->weight_fwd = (uint8_t)STATE0(s, SET_WEIGHT_FORMAT, WEIGHT_FORMAT);
		op->weight_sparse = (uint8_t)STATE0(s, SET_WEIGHT_FORMAT, SPARSITY);
		op->cores = (uint8_t)(op->weight_fwd ? 1 : cores);
	} else {
		op->cores =
			(uint8_t)(cores == 2 && STATE0(s, SET_PARALLEL_MODE, PARALLEL_MODE) ? 2
											    : 1);
	}
	op->weight_space = (uint8_t)STATE0(s, SET_WEIGHT_REGION, REGION);
	op->scale_space = (uint8_t)STATE0(s, SET_SCALE_REGION, REGION);
	op->ofm_block_depth = (is_u85(d) ? STATE0(s, SET_OFM_BLK_DEPTH_M1, DEPTH_M1_U85)
					 : STATE0(s, SET_OFM_BLK_DEPTH_M1, DEPTH_M1)) +
			      1;
	for (unsigned int i = 0; i < op->cores; i++) {
		op->weight_base[i] = decode_address(d, weight_bases[i]);
		op->weight_len[i] = (uint32_t)s->cmd1[weight_lengths[i]];
	}
	op->scale_base[0] = decode_address(d, ETHOSU_SET_SCALE_BASE);
	op->scale_len[0] = PAYLOAD1(s, SET_SCALE_LENGTH, LENGTH);
	if (!is_u85(d) && op->cores == 2) {
		op->scale_base[1] = decode_address(d, ETHOSU_SET_SCALE1_BASE);
		op->scale_len[1] = PAYLOAD1(s, SET_SCALE1_LENGTH, LENGTH);
	}
}

/* One row of IFM2 against one column of the IFM: that is all that is known of weights from IFM2. */
static bool has_window(const struct npu_op *op)
{
	return op->kernel_h > 1 || op->kernel_w > 1 || op->stride_y > 1 || op->stride_x > 1 ||
	       op->upscale || op->pad_top || op->pad_left || op->pad_right || op->pad_bottom;
}

static int decode_conv(struct decoder *d, unsigned int param, struct npu_op *op)
{
	int rc = decode_kernel(d, op);

	if (rc)
		return rc;
	if (op->kind == NPU_KIND_CONV && is_u85(d) && ETHOSU_GET(OP_CONV_WEIGHTS_IFM2, param)) {
		if (has_window(op))
			return decode_error(
				d, "matrix product with a kernel, stride, padding or upscaling");
		op->kind = NPU_KIND_MATMUL;
		op->b.height = 1;
		op->b.width = op->oc;
		op->b.depth = op->a.depth;
		return decode_fm(d, DECODE_IFM2, &op->b);
	}
	if (op->kind == NPU_KIND_DEPTHWISE && op->a.depth != op->oc)
		return decode_error(d, "depthwise from %u to %u channels", op->a.depth, op->oc);
	decode_streams(d, op);
	return 0;
}

static int decode_pool(struct decoder *d, unsigned int param, struct npu_op *op)
{
	unsigned int source =
		is_u85(d) ? STATE0(state_of(d), SET_ACC_FORMAT, ACC_INPUT) : ETHOSU_ACC_INPUT_RESET;
	int rc;

	op->mode = (uint8_t)(is_u85(d) ? ETHOSU_GET(OP_POOL_MODE_U85, param)
				       : ETHOSU_GET(OP_POOL_MODE, param));
	if (!is_u85(d) && op->mode > NPU_POOL_REDUCE_SUM)
		return decode_error(d, "pooling mode %u", op->mode);
	if (op->mode == NPU_POOL_NONE && source == ETHOSU_ACC_INPUT_IFM2) {
		/*
		 * The accumulators are loaded with IFM2, which is all that counts: a copy of wide
		 * data.
		 */
		no_kernel(op);
		op->a.depth = op->oc;
		return decode_fm(d, DECODE_IFM2, &op->a);
	}
	if (op->mode == NPU_POOL_NONE || source != ETHOSU_ACC_INPUT_RESET)
		return decode_error(d, "pooling mode %u with accumulator input %u is not modelled",
				    op->mode, source);
	rc = decode_kernel(d, op);
	if (rc)
		return rc;
	if (op->mode == NPU_POOL_AVERAGE)
		op->hw_divide =
			is_u85(d) || op->pad_top || op->pad_left || op->pad_right || op->pad_bottom;
	if (op->mode != NPU_POOL_REDUCE_SUM && op->a.depth != op->oc)
		return decode_error(d, "pooling from %u to %u channels", op->a.depth, op->oc);
	return 0;
}

/* What an operand's broadcast bits make of its extent. */
static void broadcast_extent(const struct npu_op *op, unsigned int bits, struct npu_fm *fm)
{
	fm->broadcast = (uint8_t)bits;
	fm->height = bits & NPU_BROADCAST_H ? 1 : op->oh;
	fm->width = bits & NPU_BROADCAST_W ? 1 : op->ow;
	fm->depth = bits & NPU_BROADCAST_C ? 1 : op->oc;
}

static bool known_elementwise(const struct decoder *d, unsigned int mode)
{
	static const uint8_t more[] = {
		NPU_ELT_LSR,	NPU_ELT_DIV,	NPU_ELT_CMP_EQ,	 NPU_ELT_CMP_NE,
		NPU_ELT_CMP_GE, NPU_ELT_CMP_GT, NPU_ELT_AND,	 NPU_ELT_OR,
		NPU_ELT_XOR,	NPU_ELT_NOT,	NPU_ELT_AND_NOT,
	};

	if (mode <= NPU_ELT_SHL)
		return true;
	for (size_t i = 0; i < sizeof(more); i++)
		if (is_u85(d) && more[i] == mode)
			return true;
	return false;
}

static bool unary(unsigned int mode)
{
	return mode == NPU_ELT_ABS || mode == NPU_ELT_CLZ || mode == NPU_ELT_LRELU ||
	       mode == NPU_ELT_NOT;
}

/* The type of an operand that is not read from memory still says how wide it is. */
static void scalar_fm(const struct npu_state *s, unsigned int precision, uint16_t zero,
		      struct npu_fm *fm)
{
	(void)s;
	fm->broadcast = NPU_BROADCAST_SCALAR;
	fm->is_signed = (uint8_t)ETHOSU_GET(SET_IFM_PRECISION_TYPE, precision);
	fm->elem_log2 = (uint8_t)ETHOSU_GET(SET_IFM_PRECISION_PRECISION, precision);
	fm->zero_point = fm->is_signed ? (int16_t)zero : zero;
}

/* U55 and U65: only IFM2 can be broadcast or be a constant; it may be the first operand. */
static int operands_u65(struct decoder *d, struct npu_op *op)
{
	const struct npu_state *s = state_of(d);
	unsigned int bits = STATE0(s, SET_IFM2_BROADCAST, BROADCAST_H) * NPU_BROADCAST_H |
			    STATE0(s, SET_IFM2_BROADCAST, BROADCAST_W) * NPU_BROADCAST_W |
			    STATE0(s, SET_IFM2_BROADCAST, BROADCAST_C) * NPU_BROADCAST_C;
	int rc;

	if (unary(op->mode))
		return 0;
	if (STATE0(s, SET_IFM2_BROADCAST, BROADCAST_CONSTANT)) {
		uint16_t scalar = s->cmd0[ETHOSU_SET_IFM2_SCALAR & 0xff];

		scalar_fm(s, s->cmd0[ETHOSU_SET_IFM2_PRECISION & 0xff],
			  s->cmd0[ETHOSU_SET_IFM2_ZERO_POINT & 0xff], &op->b);
		op->scalar = op->b.is_signed ? (int16_t)scalar : scalar;
	} else {
		broadcast_extent(op, bits, &op->b);
		rc = decode_fm(d, DECODE_IFM2, &op->b);
		if (rc)
			return rc;
	}
	if (STATE0(s, SET_IFM2_BROADCAST, OPERAND_ORDER)) {
		struct npu_fm first = op->b;

		op->b = op->a;
		op->a = first;
	}
	return 0;
}

static int operand_u85(struct decoder *d, struct npu_op *op, enum decode_operand which,
		       unsigned int bits, struct npu_fm *fm)
{
	const struct npu_state *s = state_of(d);
	unsigned int first = which == DECODE_IFM;

	if (bits & NPU_BROADCAST_SCALAR) {
		scalar_fm(s,
			  s->cmd0[(first ? ETHOSU_SET_IFM_PRECISION : ETHOSU_SET_IFM2_PRECISION) &
				  0xff],
			  s->cmd0[(first ? ETHOSU_SET_IFM_ZERO_POINT : ETHOSU_SET_IFM2_ZERO_POINT) &
				  0xff],
			  fm);
		op->scalar = (int32_t)PAYLOAD1(s, SET_OP_SCALAR, SCALAR);
		return 0;
	}
	broadcast_extent(op, bits, fm);
	return decode_fm(d, which, fm);
}

static int decode_elementwise(struct decoder *d, unsigned int param, struct npu_op *op)
{
	const struct npu_state *s = state_of(d);
	int rc;

	op->mode = (uint8_t)(is_u85(d) ? ETHOSU_GET(OP_ELEMENTWISE_MODE_U85, param)
				       : ETHOSU_GET(OP_ELEMENTWISE_MODE, param));
	if (!known_elementwise(d, op->mode))
		return decode_error(d, "elementwise mode %u", op->mode);
	no_kernel(op);
	op->a.depth = op->oc;
	if (!is_u85(d)) {
		rc = decode_fm(d, DECODE_IFM, &op->a);
		return rc ? rc : operands_u65(d, op);
	}
	rc = operand_u85(d, op, DECODE_IFM, STATE0(s, SET_IFM_BROADCAST, BROADCAST_MODE), &op->a);
	if (rc || unary(op->mode))
		return rc;
	return operand_u85(d, op, DECODE_IFM2, STATE0(s, SET_IFM2_BROADCAST, BROADCAST_MODE),
			   &op->b);
}

static int32_t signed_field(uint32_t v, unsigned int width)
{
	return (int32_t)(v << (32 - width)) >> (32 - width);
}

static int decode_resize(struct decoder *d, unsigned int param, struct npu_op *op)
{
	const struct npu_state *s = state_of(d);

	op->mode = (uint8_t)ETHOSU_GET(OP_RESIZE_MODE, param);
	if (op->mode > NPU_RESIZE_NEAREST)
		return decode_error(d, "resize mode %u", op->mode);
	no_kernel(op);
	op->a.height = STATE0(s, SET_KERNEL_HEIGHT_M1, HEIGHT_M1) + 1;
	op->a.width = STATE0(s, SET_KERNEL_WIDTH_M1, WIDTH_M1) + 1;
	op->a.depth = op->oc;
	op->resize_n_x = STATE0(s, SET_RESIZE_X_SCALE_N_M1, RESIZE_X_SCALE_N_M1) + 1;
	op->resize_n_y = STATE0(s, SET_RESIZE_Y_SCALE_N_M1, RESIZE_Y_SCALE_N_M1) + 1;
	op->resize_off_x = signed_field(STATE0(s, SET_RESIZE_X_OFFSET, RESIZE_X_OFFSET),
					ETHOSU_SET_RESIZE_X_OFFSET_RESIZE_X_OFFSET_WIDTH);
	op->resize_off_y = signed_field(STATE0(s, SET_RESIZE_Y_OFFSET, RESIZE_Y_OFFSET),
					ETHOSU_SET_RESIZE_Y_OFFSET_RESIZE_Y_OFFSET_WIDTH);
	op->resize_step_x = PARAM1(s, SET_RESIZE_X, ONE_STEP_INT) * op->resize_n_x +
			    PAYLOAD1(s, SET_RESIZE_X, ONE_STEP_MOD);
	op->resize_step_y = PARAM1(s, SET_RESIZE_Y, ONE_STEP_INT) * op->resize_n_y +
			    PAYLOAD1(s, SET_RESIZE_Y, ONE_STEP_MOD);
	return decode_fm(d, DECODE_IFM, &op->a);
}

/* The OFM as it is stored: the U85 can swap its axes on the way. */
static int decode_ofm(struct decoder *d, struct npu_op *op)
{
	/* Which of H, W and C each stored axis is; 0xff: no such code. */
	static const uint8_t axes[8][3] = {
		[NPU_TRANSPOSE_HWC] = { 0, 1, 2 },
		[NPU_TRANSPOSE_WHC] = { 1, 0, 2 },
		[NPU_TRANSPOSE_HCW] = { 0, 2, 1 },
		[NPU_TRANSPOSE_WCH] = { 1, 2, 0 },
		[4] = { 0xff },
		[5] = { 0xff },
		[NPU_TRANSPOSE_CHW] = { 2, 0, 1 },
		[NPU_TRANSPOSE_CWH] = { 2, 1, 0 },
	};
	const struct npu_state *s = state_of(d);
	const uint32_t extent[3] = { op->oh, op->ow, op->oc };
	const uint8_t *order;

	if (is_u85(d)) {
		op->transpose = (uint8_t)STATE0(s, SET_OFM_PRECISION, TRANSPOSE);
		op->reverse = (uint8_t)STATE0(s, SET_OFM_PRECISION, REVERSE);
		if (STATE0(s, SET_ACC_FORMAT, ACC_OUTPUT) != ETHOSU_ACC_OUTPUT_ENABLE)
			return decode_error(
				d, "accumulators that are not written out are not modelled");
	}
	order = axes[op->transpose];
	if (order[0] == 0xff)
		return decode_error(d, "OFM transpose %u", op->transpose);
	op->ofm.height = extent[order[0]];
	op->ofm.width = extent[order[1]];
	op->ofm.depth = extent[order[2]];
	return decode_fm(d, DECODE_OFM, &op->ofm);
}

/* The operands of one kind of operation. The IFM of those with a kernel is decoded here. */
static int decode_operands(struct decoder *d, unsigned int opcode, unsigned int param,
			   struct npu_op *op)
{
	int rc;

	op->a.depth = STATE0(state_of(d), SET_IFM_DEPTH_M1, DEPTH_M1) + 1;
	switch (opcode) {
	case ETHOSU_OP_CONV:
	case ETHOSU_OP_DEPTHWISE:
		op->kind = opcode == ETHOSU_OP_CONV ? NPU_KIND_CONV : NPU_KIND_DEPTHWISE;
		rc = decode_conv(d, param, op);
		return rc ? rc : decode_fm(d, DECODE_IFM, &op->a);
	case ETHOSU_OP_POOL:
		op->kind = NPU_KIND_POOL;
		rc = decode_pool(d, param, op);
		return rc || op->mode == NPU_POOL_NONE ? rc : decode_fm(d, DECODE_IFM, &op->a);
	case ETHOSU_OP_ELEMENTWISE:
		op->kind = NPU_KIND_ELEMENTWISE;
		return decode_elementwise(d, param, op);
	default:
		op->kind = NPU_KIND_RESIZE;
		return decode_resize(d, param, op);
	}
}

/*
 * Values of state that no member of the family gives a meaning to, or one that is not established.
 */
static int check_state(struct decoder *d)
{
	const struct npu_state *s = state_of(d);

	if (is_u85(d)) {
		if (STATE0(s, SET_ACC_FORMAT, ACC_FORMAT_U85) > ETHOSU_U85_ACC_FORMAT_I48)
			return decode_error(d, "accumulator format %u",
					    STATE0(s, SET_ACC_FORMAT, ACC_FORMAT_U85));
		if (STATE0(s, SET_ACC_FORMAT, MICROBLOCK) > ETHOSU_MICROBLOCK_U4X4)
			return decode_error(d, "microblock %u",
					    STATE0(s, SET_ACC_FORMAT, MICROBLOCK));
		return 0;
	}
	if (STATE0(s, SET_ACC_FORMAT, ACC_FORMAT) > ETHOSU_U65_ACC_FORMAT_I40)
		return decode_error(d, "accumulator format %u is not modelled",
				    STATE0(s, SET_ACC_FORMAT, ACC_FORMAT));
	if (STATE0(s, SET_OFM_PRECISION, ROUND_MODE) > ETHOSU_U65_ROUND_MODE_NATURAL)
		return decode_error(d, "OFM round mode %u",
				    STATE0(s, SET_OFM_PRECISION, ROUND_MODE));
	if (STATE0(s, SET_IFM_PRECISION, ROUND_MODE) > ETHOSU_U65_ROUND_MODE_NATURAL)
		return decode_error(d, "IFM round mode %u",
				    STATE0(s, SET_IFM_PRECISION, ROUND_MODE));
	if (STATE0(s, SET_IFM_PRECISION, SCALE_MODE) > ETHOSU_IFM_SCALE_MODE_OPB_32)
		return decode_error(d, "IFM scale mode %u",
				    STATE0(s, SET_IFM_PRECISION, SCALE_MODE));
	return 0;
}

/* Only what loads accumulators can be as wide as they are. */
static int check_width(struct decoder *d, const struct npu_op *op)
{
	bool wide = op->kind == NPU_KIND_POOL && op->mode == NPU_POOL_NONE;

	if ((op->a.elem_log2 == ETHOSU_ACTIVATION_PRECISION_B64 && !wide) ||
	    op->b.elem_log2 == ETHOSU_ACTIVATION_PRECISION_B64 ||
	    op->ofm.elem_log2 == ETHOSU_ACTIVATION_PRECISION_B64)
		return decode_error(d, "elements of 64 bits are not modelled here");
	return 0;
}

int decode_kernel_op(struct decoder *d, unsigned int opcode, unsigned int param, struct npu_op *op)
{
	const struct npu_state *s = state_of(d);
	int rc = check_state(d);

	if (rc)
		return rc;
	op->oh = STATE0(s, SET_OFM_HEIGHT_M1, HEIGHT_M1) + 1;
	op->ow = STATE0(s, SET_OFM_WIDTH_M1, WIDTH_M1) + 1;
	op->oc = STATE0(s, SET_OFM_DEPTH_M1, DEPTH_M1) + 1;
	/* IFMs first: a chaining buffer is read before it is written anew. */
	rc = decode_operands(d, opcode, param, op);
	if (!rc && is_u85(d) && op->kind != NPU_KIND_POOL &&
	    STATE0(s, SET_ACC_FORMAT, ACC_INPUT) != ETHOSU_ACC_INPUT_RESET)
		rc = decode_error(d, "accumulators kept from the last operation are not modelled");
	if (!rc)
		rc = decode_ofm(d, op);
	if (!rc)
		rc = check_width(d, op);
	if (!rc)
		rc = decode_output(d, op);
	if (!rc && op->kind == NPU_KIND_ELEMENTWISE)
		decode_input_scales(d, op);
	return rc;
}

static void dma_steps_u85(struct decoder *d, struct npu_op *op, unsigned int mode)
{
	const struct npu_state *s = state_of(d);

	op->dma_src_indexed = (uint8_t)STATE0(s, SET_DMA0_SRC_REGION, IDX_MODE);
	op->dma_dst_indexed = (uint8_t)STATE0(s, SET_DMA0_DST_REGION, IDX_MODE);
	if (op->dma_src_indexed || op->dma_dst_indexed) {
		op->dma_rows = STATE0(s, SET_DMA0_SIZE0, SIZE);
		op->dma_idx_space = (uint8_t)STATE0(s, SET_DMA0_IDX_REGION, REGION);
		op->dma_idx = decode_address(d, ETHOSU_SET_DMA0_IDX);
		op->dma_idx_max = PAYLOAD1(s, SET_DMA0_IDX_MAX, IDX_MAX);
		op->dma_idx_step = decode_stride(d, ETHOSU_SET_DMA0_IDX_SKIP1);
	} else if (mode == ETHOSU_DMA_STRIDE_MODE_D1) {
		return;
	}
	op->dma_rows = STATE0(s, SET_DMA0_SIZE0, SIZE);
	op->dma_src_step[0] = decode_stride(d, ETHOSU_SET_DMA0_SRC_STRIDE0);
	op->dma_dst_step[0] = decode_stride(d, ETHOSU_SET_DMA0_DST_STRIDE0);
	if (mode != ETHOSU_DMA_STRIDE_MODE_D3)
		return;
	op->dma_planes = STATE0(s, SET_DMA0_SIZE1, SIZE);
	op->dma_src_step[1] = decode_stride(d, ETHOSU_SET_DMA0_SRC_STRIDE1);
	op->dma_dst_step[1] = decode_stride(d, ETHOSU_SET_DMA0_DST_STRIDE1);
}

/* U65: SKIP is what is left out after each row, and plane, on the side whose mode asks for it. */
static void dma_steps_u65(struct decoder *d, struct npu_op *op, unsigned int src, unsigned int dst)
{
	const struct npu_state *s = state_of(d);
	int64_t skip0 = decode_stride(d, ETHOSU_SET_DMA0_SKIP0),
		skip1 = decode_stride(d, ETHOSU_SET_DMA0_SKIP1);
	int64_t row = (int64_t)op->dma_len;
	unsigned int mode = src > dst ? src : dst;

	if (mode == 0)
		return;
	op->dma_rows = STATE0(s, SET_DMA0_SIZE0, SIZE);
	op->dma_planes = mode == 2 ? STATE0(s, SET_DMA0_SIZE1, SIZE) : 1;
	op->dma_src_step[0] = row + (src >= 1 ? skip0 : 0);
	op->dma_dst_step[0] = row + (dst >= 1 ? skip0 : 0);
	op->dma_src_step[1] = op->dma_src_step[0] * op->dma_rows + (src == 2 ? skip1 : 0);
	op->dma_dst_step[1] = op->dma_dst_step[0] * op->dma_rows + (dst == 2 ? skip1 : 0);
}

int decode_dma(struct decoder *d, struct npu_op *op)
{
	const struct npu_state *s = state_of(d);
	unsigned int src = STATE0(s, SET_DMA0_SRC_REGION, STRIDE_MODE);
	unsigned int dst = is_u85(d) ? 0 : STATE0(s, SET_DMA0_DST_REGION, STRIDE_MODE);

	op->kind = NPU_KIND_DMA;
	op->dma_src = decode_address(d, ETHOSU_SET_DMA0_SRC);
	op->dma_dst = decode_address(d, ETHOSU_SET_DMA0_DST);
	op->dma_len = decode_address(d, ETHOSU_SET_DMA0_LEN);
	op->dma_src_space = (uint8_t)(STATE0(s, SET_DMA0_SRC_REGION, REGION_MODE)
					      ? NPU_SPACE_INTERNAL
					      : STATE0(s, SET_DMA0_SRC_REGION, REGION));
	op->dma_dst_space = (uint8_t)(STATE0(s, SET_DMA0_DST_REGION, REGION_MODE)
					      ? NPU_SPACE_INTERNAL
					      : STATE0(s, SET_DMA0_DST_REGION, REGION));
	op->dma_rows = 1;
	op->dma_planes = 1;
	if (src > 2 || dst > 2 || (d->config->arch == 55 && (src || dst)))
		return decode_error(d, "DMA stride mode %u", src > dst ? src : dst);
	if (is_u85(d) && STATE0(s, SET_DMA0_SRC_REGION, IDX_MODE) &&
	    STATE0(s, SET_DMA0_DST_REGION, IDX_MODE))
		return decode_error(d, "source and destination both indexed is not modelled");
	if (is_u85(d))
		dma_steps_u85(d, op, src);
	else if (d->config->arch == 65)
		dma_steps_u65(d, op, src, dst);
	/* Rows of nothing: their indices are not looked up either. */
	if (!op->dma_len)
		op->dma_rows = 0;
	return 0;
}
