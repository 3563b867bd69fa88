/* SPDX-License-Identifier: MIT */
/*
 * From an operation with all its numbers to the registers of each family: the way back of the
 * simulator's decoder.
 */
#include "runtime/compile/be_stream.h"

/* The registers of an operand, first of each sort. IFM, IFM2 and OFM have the same. */
struct fm_registers {
	uint16_t zero_point, width0, height0, height1, region;
	uint16_t base, stride_x, stride_y, stride_c;
};

#define FM_REGISTERS(name) \
	{ ETHOSU_SET_##name##_ZERO_POINT, ETHOSU_SET_##name##_WIDTH0_M1, \
	  ETHOSU_SET_##name##_HEIGHT0_M1, ETHOSU_SET_##name##_HEIGHT1_M1, \
	  ETHOSU_SET_##name##_REGION, ETHOSU_SET_##name##_BASE0, ETHOSU_SET_##name##_STRIDE_X, \
	  ETHOSU_SET_##name##_STRIDE_Y, ETHOSU_SET_##name##_STRIDE_C }

static const struct fm_registers ifm_registers = FM_REGISTERS(IFM);
static const struct fm_registers ifm2_registers = FM_REGISTERS(IFM2);
static const struct fm_registers ofm_registers = FM_REGISTERS(OFM);

static bool is_u85(const struct be_stream *s)
{
	return s->arch->family == 85;
}

static void set_fm(struct be_stream *s, const struct fm_registers *r, const struct npu_fm *fm)
{
	be_set(s, r->zero_point, (unsigned int)fm->zero_point);
	if (fm->space == NPU_SPACE_CHAIN) {
		be_set(s, r->region, (unsigned int)fm->base[0]);
		return;
	}
	be_set(s, r->region, fm->space);
	be_set(s, r->width0, fm->width0 - 1);
	be_set(s, r->height0, fm->height0 - 1);
	be_set(s, r->height1, fm->height1 - 1);
	for (unsigned int i = 0; i < 4; i++)
		be_set_address(s, r->base + i, fm->base[i]);
	be_set_address(s, r->stride_x, fm->stride_x);
	be_set_address(s, r->stride_y, fm->stride_y);
	be_set_address(s, r->stride_c, fm->stride_c);
}

/* Type, width and format of an input: the fields of IFM and IFM2 are in the same places. */
static unsigned int ifm_precision(const struct be_stream *s, const struct npu_fm *fm)
{
	unsigned int p = ETHOSU_PUT(SET_IFM_PRECISION_TYPE, fm->is_signed) |
			 ETHOSU_PUT(SET_IFM_PRECISION_PRECISION, fm->elem_log2) |
			 ETHOSU_PUT(SET_IFM_PRECISION_FORMAT, fm->brick);

	if (is_u85(s))
		p |= ETHOSU_PUT(SET_IFM_PRECISION_STORAGE,
				fm->broadcast & NPU_BROADCAST_SCALAR ?
					ETHOSU_ACTIVATION_STORAGE_NONE :
				fm->space == NPU_SPACE_CHAIN ? ETHOSU_ACTIVATION_STORAGE_CHAINED :
							       ETHOSU_ACTIVATION_STORAGE_TILE2X2);
	return p;
}

static unsigned int round_u65(unsigned int round)
{
	switch (round) {
	case NPU_ROUND_NATURAL:
		return ETHOSU_U65_ROUND_MODE_NATURAL;
	case NPU_ROUND_TO_ZERO:
		return ETHOSU_U65_ROUND_MODE_TRUNCATE;
	default:
		return ETHOSU_U65_ROUND_MODE_DBL;
	}
}

static unsigned int round_u85(unsigned int round)
{
	static const uint8_t modes[] = {
		[NPU_ROUND_TFL] = ETHOSU_U85_ROUND_MODE_OFM_DOUBLE_SYMMETRIC,
		[NPU_ROUND_NATURAL] = ETHOSU_U85_ROUND_MODE_OFM_NATURAL,
		[NPU_ROUND_DOUBLE_ASYMMETRIC] = ETHOSU_U85_ROUND_MODE_OFM_DOUBLE_ASYMMETRIC,
		[NPU_ROUND_SYMMETRIC] = ETHOSU_U85_ROUND_MODE_OFM_SYMMETRIC,
		[NPU_ROUND_TO_ZERO] = ETHOSU_U85_ROUND_MODE_OFM_TRUNCATE_TO_ZERO,
		[NPU_ROUND_TO_LOWER] = ETHOSU_U85_ROUND_MODE_OFM_TRUNCATE_TO_LOWER,
	};

	return modes[round];
}

static void set_ofm(struct be_stream *s, const struct npu_op *op)
{
	unsigned int p = ETHOSU_PUT(SET_OFM_PRECISION_TYPE, op->ofm.is_signed) |
			 ETHOSU_PUT(SET_OFM_PRECISION_PRECISION, op->ofm.elem_log2) |
			 ETHOSU_PUT(SET_OFM_PRECISION_FORMAT, op->ofm.brick) |
			 ETHOSU_PUT(SET_OFM_PRECISION_SCALE_MODE,
				    op->per_channel ? ETHOSU_OFM_SCALE_MODE_PER_CHANNEL
						    : ETHOSU_OFM_SCALE_MODE_GLOBAL);

	if (is_u85(s))
		p |= ETHOSU_PUT(SET_OFM_PRECISION_TRANSPOSE, op->transpose) |
		     ETHOSU_PUT(SET_OFM_PRECISION_REVERSE, op->reverse) |
		     ETHOSU_PUT(SET_OFM_PRECISION_STORAGE,
				op->ofm.space == NPU_SPACE_CHAIN ?
					ETHOSU_ACTIVATION_STORAGE_CHAINED :
					ETHOSU_ACTIVATION_STORAGE_TILE2X2);
	else
		p |= ETHOSU_PUT(SET_OFM_PRECISION_ROUND_MODE, round_u65(op->round));
	be_set(s, ETHOSU_SET_OFM_HEIGHT_M1, op->oh - 1);
	be_set(s, ETHOSU_SET_OFM_WIDTH_M1, op->ow - 1);
	be_set(s, ETHOSU_SET_OFM_DEPTH_M1, op->oc - 1);
	set_fm(s, &ofm_registers, &op->ofm);
	be_set(s, ETHOSU_SET_OFM_PRECISION, p);
}

static void set_block(struct be_stream *s, const struct be_kernel *k)
{
	unsigned int wide = k->op.acc48;

	be_set(s, ETHOSU_SET_OFM_BLK_HEIGHT_M1, k->block.h - 1u);
	be_set(s, ETHOSU_SET_OFM_BLK_WIDTH_M1, k->block.w - 1u);
	be_set(s, ETHOSU_SET_OFM_BLK_DEPTH_M1, k->block.d - 1u);
	if (is_u85(s)) {
		bool load = k->op.kind == NPU_KIND_POOL && k->op.mode == NPU_POOL_NONE;

		be_set(s, ETHOSU_SET_ACC_FORMAT,
		       ETHOSU_PUT(SET_ACC_FORMAT_ACC_FORMAT_U85, wide) |
			       ETHOSU_PUT(SET_ACC_FORMAT_ACC_INPUT,
					  load ? ETHOSU_ACC_INPUT_IFM2 : ETHOSU_ACC_INPUT_RESET) |
			       ETHOSU_PUT(SET_ACC_FORMAT_MICROBLOCK, k->op.microblock));
		return;
	}
	be_set(s, ETHOSU_SET_ACC_FORMAT, ETHOSU_PUT(SET_ACC_FORMAT_ACC_FORMAT, wide));
	be_set(s, ETHOSU_SET_IFM_IB_END, k->ib_end);
	be_set(s, ETHOSU_SET_AB_START, k->ab_start);
}

static void set_window(struct be_stream *s, const struct npu_op *op)
{
	be_set(s, ETHOSU_SET_IFM_PAD_TOP, op->pad_top);
	be_set(s, ETHOSU_SET_IFM_PAD_LEFT, op->pad_left);
	be_set(s, ETHOSU_SET_IFM_PAD_BOTTOM, op->pad_bottom);
	be_set(s, ETHOSU_SET_IFM_PAD_RIGHT, op->pad_right);
	be_set(s, ETHOSU_SET_IFM_UPSCALE, op->upscale);
	be_set(s, ETHOSU_SET_KERNEL_HEIGHT_M1, (op->kernel_h - 1u) * op->dilation_y);
	be_set(s, ETHOSU_SET_KERNEL_WIDTH_M1, (op->kernel_w - 1u) * op->dilation_x);
	be_set(s, ETHOSU_SET_KERNEL_STRIDE,
	       ETHOSU_PUT(SET_KERNEL_STRIDE_STRIDE_X_LSB, (op->stride_x - 1u) & 1) |
		       ETHOSU_PUT(SET_KERNEL_STRIDE_STRIDE_X_MSB, (op->stride_x - 1u) >> 1) |
		       ETHOSU_PUT(SET_KERNEL_STRIDE_STRIDE_Y_LSB, (op->stride_y - 1u) & 1) |
		       ETHOSU_PUT(SET_KERNEL_STRIDE_STRIDE_Y_MSB, (op->stride_y - 1u) >> 1) |
		       ETHOSU_PUT(SET_KERNEL_STRIDE_WEIGHT_ORDER, op->part_kernel) |
		       ETHOSU_PUT(SET_KERNEL_STRIDE_DILATION_X, op->dilation_x - 1u) |
		       ETHOSU_PUT(SET_KERNEL_STRIDE_DILATION_Y, op->dilation_y - 1u));
}

static void set_streams(struct be_stream *s, const struct npu_op *op)
{
	static const uint16_t bases[WENC_MAX_STREAMS] = {
		ETHOSU_SET_WEIGHT_BASE, ETHOSU_SET_WEIGHT1_BASE, ETHOSU_SET_WEIGHT2_BASE,
		ETHOSU_SET_WEIGHT3_BASE,
	};
	static const uint16_t lengths[WENC_MAX_STREAMS] = {
		ETHOSU_SET_WEIGHT_LENGTH, ETHOSU_SET_WEIGHT1_LENGTH, ETHOSU_SET_WEIGHT2_LENGTH,
		ETHOSU_SET_WEIGHT3_LENGTH,
	};

	be_set(s, ETHOSU_SET_WEIGHT_REGION, op->weight_space);
	be_set(s, ETHOSU_SET_SCALE_REGION, op->scale_space);
	for (unsigned int i = 0; i < s->arch->cores; i++) {
		/* A core without channels has nothing to read, and no place for it. */
		if (op->weight_len[i])
			be_set_address(s, bases[i], (int64_t)op->weight_base[i]);
		be_set2(s, lengths[i], 0, op->weight_len[i]);
	}
	be_set_address(s, ETHOSU_SET_SCALE_BASE, (int64_t)op->scale_base[0]);
	be_set2(s, ETHOSU_SET_SCALE_LENGTH, 0, op->scale_len[0]);
	if (is_u85(s)) {
		be_set(s, ETHOSU_SET_WEIGHT_FORMAT,
		       ETHOSU_PUT(SET_WEIGHT_FORMAT_WEIGHT_FORMAT, op->weight_fwd) |
			       ETHOSU_PUT(SET_WEIGHT_FORMAT_SPARSITY, op->weight_sparse));
	} else if (s->arch->cores > 1) {
		if (op->scale_len[1])
			be_set_address(s, ETHOSU_SET_SCALE1_BASE, (int64_t)op->scale_base[1]);
		be_set2(s, ETHOSU_SET_SCALE1_LENGTH, 0, op->scale_len[1]);
	}
}

/* Function and table number of a lookup. */
static unsigned int function_u65(const struct be_kernel *k)
{
	switch (k->op.lut) {
	case NPU_LUT_NONE:
		return ETHOSU_U65_ACTIVATION_FUNCTION_RELU;
	case NPU_LUT_TANH_BUILTIN:
		return ETHOSU_U65_ACTIVATION_FUNCTION_TANH;
	case NPU_LUT_SIGMOID_BUILTIN:
		return ETHOSU_U65_ACTIVATION_FUNCTION_SIGMOID;
	default:
		return ETHOSU_U65_ACTIVATION_FUNCTION_TABLE_0 + k->lut_slot;
	}
}

static unsigned int clip_u65(const struct npu_op *op)
{
	if (op->lut == NPU_LUT_S8_S16 || op->lut == NPU_LUT_S8_S32)
		return ETHOSU_U65_ACTIVATION_CLIP_RANGE_FORCE_INT8;
	if (op->lut == NPU_LUT_S16_S32)
		return ETHOSU_U65_ACTIVATION_CLIP_RANGE_FORCE_INT16;
	return ETHOSU_U65_ACTIVATION_CLIP_RANGE_OFM_PRECISION;
}

static void set_activation(struct be_stream *s, const struct be_kernel *k)
{
	static const struct { uint8_t function, slots; } u85[] = {
		[NPU_LUT_NONE] = { ETHOSU_U85_ACTIVATION_FUNCTION_LUT_NONE, 1 },
		[NPU_LUT_U8_U8] = { ETHOSU_U85_ACTIVATION_FUNCTION_LUT_U8_U8, 1 },
		[NPU_LUT_S8_S8] = { ETHOSU_U85_ACTIVATION_FUNCTION_LUT_S8_S8, 1 },
		[NPU_LUT_S8_S16] = { ETHOSU_U85_ACTIVATION_FUNCTION_LUT_S8_S16, 2 },
		[NPU_LUT_S8_S32] = { ETHOSU_U85_ACTIVATION_FUNCTION_LUT_S8_S32, 4 },
		[NPU_LUT_S16_S16] = { ETHOSU_U85_ACTIVATION_FUNCTION_LUT_S16_S16, 8 },
		[NPU_LUT_S16_S32] = { ETHOSU_U85_ACTIVATION_FUNCTION_LUT_S16_S32, 8 },
		[NPU_LUT_TANH] = { ETHOSU_U85_ACTIVATION_FUNCTION_LUT_TANH, 8 },
		[NPU_LUT_SIGMOID] = { ETHOSU_U85_ACTIVATION_FUNCTION_LUT_SIGMOID, 8 },
	};
	const struct npu_op *op = &k->op;

	if (is_u85(s))
		be_set(s, ETHOSU_SET_ACTIVATION,
		       ETHOSU_PUT(SET_ACTIVATION_FUNCTION_U85, u85[op->lut].function) |
			       ETHOSU_PUT(SET_ACTIVATION_TABLE, k->lut_slot / u85[op->lut].slots) |
			       ETHOSU_PUT(SET_ACTIVATION_CLIP_RANGE_U85,
					  op->clamp ? ETHOSU_U85_ACTIVATION_CLIP_RANGE_B16
						    : ETHOSU_U85_ACTIVATION_CLIP_RANGE_NONE));
	else
		be_set(s, ETHOSU_SET_ACTIVATION,
		       ETHOSU_PUT(SET_ACTIVATION_FUNCTION, function_u65(k)) |
			       ETHOSU_PUT(SET_ACTIVATION_CLIP_RANGE, clip_u65(op)));
	if (!op->clamp)
		return;
	be_set(s, ETHOSU_SET_ACTIVATION_MIN, (unsigned int)op->act_min);
	be_set(s, ETHOSU_SET_ACTIVATION_MAX, (unsigned int)op->act_max);
}

static unsigned int ifm_scale_param(const struct npu_scale *scale)
{
	return ETHOSU_PUT(SET_IFM_SCALE_SHIFT, scale->shift) |
	       ETHOSU_PUT(SET_IFM_SCALE_DBL_RND, scale->dbl) |
	       ETHOSU_PUT(SET_IFM_SCALE_ROUND_MODE,
			  scale->round == NPU_ROUND_NATURAL ?
				  ETHOSU_U85_ROUND_MODE_IFM_NATURAL :
				  ETHOSU_U85_ROUND_MODE_IFM_DOUBLE_SYMMETRIC);
}

static void set_ofm_scale(struct be_stream *s, const struct npu_op *op)
{
	const struct npu_scale *scale = &op->ofm_scale;

	if (is_u85(s)) {
		be_set2(s, ETHOSU_SET_OFM_SCALE,
			ETHOSU_PUT(SET_OFM_SCALE_SHIFT, op->per_channel ? 0 : scale->shift) |
				ETHOSU_PUT(SET_OFM_SCALE_ROUND_MODE, round_u85(op->round)),
			op->per_channel ? 1 : scale->scale);
		return;
	}
	if (op->per_channel)
		return;
	/* The slope of what is negative has no register of its own. */
	if (op->kind == NPU_KIND_ELEMENTWISE && op->mode == NPU_ELT_LRELU)
		scale = &op->b_scale;
	be_set2(s, ETHOSU_SET_OFM_SCALE, ETHOSU_PUT(SET_OFM_SCALE_SHIFT, scale->shift),
		scale->scale);
}

/* ADD and SUB of U55 and U65: both by 16 bits, or one by 32 and the other moved up to match. */
static unsigned int set_input_scales_u65(struct be_stream *s, const struct npu_op *op)
{
	const struct npu_scale *a = &op->a_scale, *b = &op->b_scale, *scaled = NULL;
	unsigned int mode = ETHOSU_IFM_SCALE_MODE_OPA_OPB_16;

	if (a->dbl && !(a->scale == 1 && !a->shift && b->scale == 1 && !b->shift)) {
		bool a_moved = a->scale == 1u << 30 && a->shift == 31 - a->dbl;

		mode = a_moved ? ETHOSU_IFM_SCALE_MODE_OPB_32 : ETHOSU_IFM_SCALE_MODE_OPA_32;
		scaled = a_moved ? b : a;
	}
	if (scaled) {
		be_set2(s, ETHOSU_SET_OPA_SCALE, ETHOSU_PUT(SET_OPA_SCALE_SHIFT, scaled->shift),
			scaled->scale);
		be_set2(s, ETHOSU_SET_OPB_SCALE, 0, 0);
	} else {
		be_set2(s, ETHOSU_SET_OPA_SCALE, 0, a->scale);
		be_set2(s, ETHOSU_SET_OPB_SCALE, 0, b->scale);
	}
	return ETHOSU_PUT(SET_IFM_PRECISION_SCALE_MODE, mode) |
	       ETHOSU_PUT(SET_IFM_PRECISION_ROUND_MODE, round_u65(a->round));
}

static bool is_scalar(const struct npu_fm *fm)
{
	return fm->broadcast & NPU_BROADCAST_SCALAR;
}

/* An operand there is: unary operations leave the second empty. */
static bool is_there(const struct npu_fm *fm)
{
	return fm->depth || is_scalar(fm);
}

/* Only IFM2 can be broadcast or a constant; the order says which of the two comes first. */
static void set_operands_u65(struct be_stream *s, const struct npu_op *op, unsigned int scaling)
{
	bool swap = is_there(&op->b) && op->a.broadcast;
	const struct npu_fm *ifm = swap ? &op->b : &op->a, *ifm2 = swap ? &op->a : &op->b;

	set_fm(s, &ifm_registers, ifm);
	be_set(s, ETHOSU_SET_IFM_PRECISION, ifm_precision(s, ifm) | scaling);
	be_set(s, ETHOSU_SET_IFM_DEPTH_M1, ifm->depth - 1);
	if (!is_there(ifm2))
		return;
	be_set(s, ETHOSU_SET_IFM2_PRECISION, ifm_precision(s, ifm2));
	if (is_scalar(ifm2)) {
		be_set(s, ETHOSU_SET_IFM2_ZERO_POINT, (unsigned int)ifm2->zero_point);
		be_set(s, ETHOSU_SET_IFM2_SCALAR, (unsigned int)op->scalar);
	} else {
		set_fm(s, &ifm2_registers, ifm2);
	}
	be_set(s, ETHOSU_SET_IFM2_BROADCAST,
	       ETHOSU_PUT(SET_IFM2_BROADCAST_BROADCAST_H, !!(ifm2->broadcast & NPU_BROADCAST_H)) |
		       ETHOSU_PUT(SET_IFM2_BROADCAST_BROADCAST_W,
				  !!(ifm2->broadcast & NPU_BROADCAST_W)) |
		       ETHOSU_PUT(SET_IFM2_BROADCAST_BROADCAST_C,
				  !!(ifm2->broadcast & NPU_BROADCAST_C)) |
		       ETHOSU_PUT(SET_IFM2_BROADCAST_OPERAND_ORDER, swap) |
		       ETHOSU_PUT(SET_IFM2_BROADCAST_BROADCAST_CONSTANT, is_scalar(ifm2)));
}

static void set_operand_u85(struct be_stream *s, const struct fm_registers *r, unsigned int precision,
			    unsigned int broadcast, const struct npu_fm *fm)
{
	be_set(s, precision, ifm_precision(s, fm));
	be_set(s, broadcast, fm->broadcast);
	if (is_scalar(fm))
		be_set(s, r->zero_point, (unsigned int)fm->zero_point);
	else
		set_fm(s, r, fm);
}

static void set_elementwise(struct be_stream *s, const struct be_kernel *k)
{
	const struct npu_op *op = &k->op;
	unsigned int scaling = 0;

	if (!is_u85(s)) {
		if (op->mode == NPU_ELT_ADD || op->mode == NPU_ELT_SUB)
			scaling = set_input_scales_u65(s, op);
		set_operands_u65(s, op, scaling);
		be_set(s, ETHOSU_SET_IFM2_IB_START, k->ib2_start);
		return;
	}
	set_operand_u85(s, &ifm_registers, ETHOSU_SET_IFM_PRECISION, ETHOSU_SET_IFM_BROADCAST,
			&op->a);
	be_set2(s, ETHOSU_SET_IFM_SCALE, ifm_scale_param(&op->a_scale), op->a_scale.scale);
	be_set(s, ETHOSU_SET_IFM_DEPTH_M1, op->oc - 1);
	if (is_scalar(&op->a) || is_scalar(&op->b))
		be_set2(s, ETHOSU_SET_OP_SCALAR, 0, (uint32_t)op->scalar);
	be_set2(s, ETHOSU_SET_IFM2_SCALE, ifm_scale_param(&op->b_scale), op->b_scale.scale);
	if (is_there(&op->b))
		set_operand_u85(s, &ifm2_registers, ETHOSU_SET_IFM2_PRECISION,
				ETHOSU_SET_IFM2_BROADCAST, &op->b);
}

/* A step over @count outputs, as whole input elements and the rest. */
static void set_step(struct be_stream *s, unsigned int opcode, uint32_t n, uint32_t d, uint32_t count)
{
	uint64_t block = (uint64_t)d * count;

	be_set2(s, opcode,
		ETHOSU_PUT(SET_RESIZE_X_ONE_STEP_INT, d / n) |
			ETHOSU_PUT(SET_RESIZE_X_BLK_STEP_INT, block / n),
		ETHOSU_PUT(SET_RESIZE_X_ONE_STEP_MOD, d % n) |
			ETHOSU_PUT(SET_RESIZE_X_BLK_STEP_MOD, block % n));
}

static void set_resize(struct be_stream *s, const struct be_kernel *k)
{
	const struct npu_op *op = &k->op;

	be_set(s, ETHOSU_SET_KERNEL_HEIGHT_M1, op->a.height - 1);
	be_set(s, ETHOSU_SET_KERNEL_WIDTH_M1, op->a.width - 1);
	be_set(s, ETHOSU_SET_RESIZE_X_SCALE_N_M1, op->resize_n_x - 1);
	be_set(s, ETHOSU_SET_RESIZE_Y_SCALE_N_M1, op->resize_n_y - 1);
	be_set(s, ETHOSU_SET_RESIZE_X_OFFSET,
	       ETHOSU_PUT(SET_RESIZE_X_OFFSET_RESIZE_X_OFFSET, op->resize_off_x));
	be_set(s, ETHOSU_SET_RESIZE_Y_OFFSET,
	       ETHOSU_PUT(SET_RESIZE_Y_OFFSET_RESIZE_Y_OFFSET, op->resize_off_y));
	set_step(s, ETHOSU_SET_RESIZE_X, op->resize_n_x, op->resize_step_x, k->block.w);
	set_step(s, ETHOSU_SET_RESIZE_Y, op->resize_n_y, op->resize_step_y, k->block.h);
}

/* Everything that is not elementwise reads one IFM, and a matrix product a second. */
static void set_ifm(struct be_stream *s, const struct npu_op *op)
{
	const struct npu_fm *a = &op->a;

	if (op->kind == NPU_KIND_POOL && op->mode == NPU_POOL_NONE) {
		be_set(s, ETHOSU_SET_IFM_PRECISION,
		       ETHOSU_PUT(SET_IFM_PRECISION_TYPE, ETHOSU_ACTIVATION_TYPE_SIGNED));
		be_set(s, ETHOSU_SET_IFM_DEPTH_M1, op->oc - 1);
		set_operand_u85(s, &ifm2_registers, ETHOSU_SET_IFM2_PRECISION,
				ETHOSU_SET_IFM2_BROADCAST, a);
		return;
	}
	set_fm(s, &ifm_registers, a);
	be_set(s, ETHOSU_SET_IFM_PRECISION, ifm_precision(s, a));
	be_set(s, ETHOSU_SET_IFM_DEPTH_M1, a->depth - 1);
	if (is_u85(s)) {
		be_set(s, ETHOSU_SET_IFM_BROADCAST, ETHOSU_U85_BROADCAST_MODE_NONE);
		be_set2(s, ETHOSU_SET_IFM_SCALE, 0, 1);
	}
	if (op->kind == NPU_KIND_MATMUL)
		set_operand_u85(s, &ifm2_registers, ETHOSU_SET_IFM2_PRECISION,
				ETHOSU_SET_IFM2_BROADCAST, &op->b);
}

void be_kernel_registers(struct be_stream *s, const struct be_kernel *k)
{
	const struct npu_op *op = &k->op;

	if (s->arch->family == 65)
		be_set(s, ETHOSU_SET_PARALLEL_MODE,
		       s->arch->cores > 1 ? ETHOSU_PARALLEL_MODE_DUAL_CORE_DEPTH
					  : ETHOSU_PARALLEL_MODE_SINGLE_CORE);
	if (op->kind == NPU_KIND_ELEMENTWISE)
		set_elementwise(s, k);
	else
		set_ifm(s, op);
	if (op->kind == NPU_KIND_RESIZE)
		set_resize(s, k);
	else if (op->kind != NPU_KIND_ELEMENTWISE)
		set_window(s, op);
	if (op->kind == NPU_KIND_CONV || op->kind == NPU_KIND_DEPTHWISE)
		set_streams(s, op);
	else if (op->kind == NPU_KIND_MATMUL)
		be_set(s, ETHOSU_SET_WEIGHT_FORMAT, 0);
	set_ofm(s, op);
	set_ofm_scale(s, op);
	set_activation(s, k);
	set_block(s, k);
}

/* U55, U65 divide by the window's area in OFM_SCALE, or themselves if there is padding. */
static unsigned int pool_mode(const struct be_stream *s, const struct npu_op *op)
{
	if (is_u85(s) && op->mode == NPU_POOL_AVERAGE && !op->hw_divide)
		return NPU_POOL_SUM;
	if (!is_u85(s) && op->mode == NPU_POOL_SUM)
		return NPU_POOL_AVERAGE;
	return op->mode;
}

void be_kernel_start(struct be_stream *s, const struct be_kernel *k)
{
	const struct npu_op *op = &k->op;

	switch (op->kind) {
	case NPU_KIND_CONV:
	case NPU_KIND_MATMUL:
		be_put(s, ETHOSU_OP_CONV,
		       ETHOSU_PUT(OP_CONV_WEIGHTS_IFM2, op->kind == NPU_KIND_MATMUL));
		break;
	case NPU_KIND_DEPTHWISE:
		be_put(s, ETHOSU_OP_DEPTHWISE, 0);
		break;
	case NPU_KIND_POOL:
		be_put(s, ETHOSU_OP_POOL, pool_mode(s, op));
		break;
	case NPU_KIND_ELEMENTWISE:
		be_put(s, ETHOSU_OP_ELEMENTWISE, op->mode);
		break;
	default:
		be_put(s, ETHOSU_OP_RESIZE, op->mode);
		break;
	}
}

void be_dma_registers(struct be_stream *s, const struct npu_op *op)
{
	bool internal = op->dma_dst_space == NPU_SPACE_INTERNAL;

	be_set(s, ETHOSU_SET_DMA0_SRC_REGION,
	       ETHOSU_PUT(SET_DMA0_SRC_REGION_REGION, op->dma_src_space) |
		       ETHOSU_PUT(SET_DMA0_SRC_REGION_STRIDE_MODE,
				  op->dma_src_indexed ? ETHOSU_DMA_STRIDE_MODE_D2 :
							ETHOSU_DMA_STRIDE_MODE_D1) |
		       ETHOSU_PUT(SET_DMA0_SRC_REGION_IDX_MODE, op->dma_src_indexed));
	/* Inside the NPU the region number means nothing; 3 is what others write. */
	be_set(s, ETHOSU_SET_DMA0_DST_REGION,
	       ETHOSU_PUT(SET_DMA0_DST_REGION_REGION, internal ? 3 : op->dma_dst_space) |
		       ETHOSU_PUT(SET_DMA0_DST_REGION_REGION_MODE, internal));
	be_set_address(s, ETHOSU_SET_DMA0_SRC, (int64_t)op->dma_src);
	be_set_address(s, ETHOSU_SET_DMA0_DST, (int64_t)op->dma_dst);
	be_set_address(s, ETHOSU_SET_DMA0_LEN, (int64_t)op->dma_len);
	if (!op->dma_src_indexed)
		return;
	be_set(s, ETHOSU_SET_DMA0_SIZE0, op->dma_rows);
	be_set_address(s, ETHOSU_SET_DMA0_SRC_STRIDE0, op->dma_src_step[0]);
	be_set_address(s, ETHOSU_SET_DMA0_DST_STRIDE0, op->dma_dst_step[0]);
	be_set(s, ETHOSU_SET_DMA0_IDX_REGION,
	       ETHOSU_PUT(SET_DMA0_IDX_REGION_REGION, op->dma_idx_space));
	be_set_address(s, ETHOSU_SET_DMA0_IDX, (int64_t)op->dma_idx);
	be_set2(s, ETHOSU_SET_DMA0_IDX_MAX, 0, op->dma_idx_max);
}
