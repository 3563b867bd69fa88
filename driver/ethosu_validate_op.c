// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The operations of the kernel unit: which operands they have and how large these are, seen from
 * the OFM, from which the NPU works backwards.
 */
#include "ethosu_validate_internal.h"

/* U85_BROADCAST_MODE's bits, and what the U65's fields come to in them. */
#define BROADCAST_H		1
#define BROADCAST_W		2
#define BROADCAST_C		4
#define BROADCAST_SCALAR	8

static struct ethosu_extent ofm_extent(const struct ethosu_check *c)
{
	return (struct ethosu_extent){
		.height = REG0(c, SET_OFM_HEIGHT_M1, HEIGHT_M1) + 1,
		.width = REG0(c, SET_OFM_WIDTH_M1, WIDTH_M1) + 1,
		.depth = REG0(c, SET_OFM_DEPTH_M1, DEPTH_M1) + 1,
	};
}

/*
 * Require an operand of @extent, but for the axes along which it is broadcast. A scalar is not in
 * memory; it has a type like others.
 */
static int touch_operand(struct ethosu_check *c, enum ethosu_operand which, unsigned int broadcast,
			 struct ethosu_extent extent)
{
	int rc = ethosu_check_element(c, which);

	if (rc || broadcast & BROADCAST_SCALAR)
		return rc;
	if (broadcast & BROADCAST_H)
		extent.height = 1;
	if (broadcast & BROADCAST_W)
		extent.width = 1;
	if (broadcast & BROADCAST_C)
		extent.depth = 1;
	return ethosu_touch_fm(c, which, &extent);
}

/* What a kernel that moves over an axis of the OFM reads of the IFM's; 0: only padding. */
static u32 reach(u32 ofm, u32 kernel_stride, u32 kernel, u32 padding, bool upscaled)
{
	u32 n = (ofm - 1) * kernel_stride + kernel;

	if (n <= padding)
		return 0;
	n -= padding;
	return upscaled ? (n + 1) / 2 : n;
}

static u32 stride_x(const struct ethosu_check *c)
{
	return 1 + REG0(c, SET_KERNEL_STRIDE, STRIDE_X_LSB) +
	       2 * REG0(c, SET_KERNEL_STRIDE, STRIDE_X_MSB);
}

static u32 stride_y(const struct ethosu_check *c)
{
	return 1 + REG0(c, SET_KERNEL_STRIDE, STRIDE_Y_LSB) +
	       2 * REG0(c, SET_KERNEL_STRIDE, STRIDE_Y_MSB);
}

/* The kernel's registers hold its size with dilation. */
static int check_taps(struct ethosu_check *c)
{
	u32 width = REG0(c, SET_KERNEL_WIDTH_M1, WIDTH_M1) /
		    (1 + REG0(c, SET_KERNEL_STRIDE, DILATION_X)) + 1;
	u32 height = REG0(c, SET_KERNEL_HEIGHT_M1, HEIGHT_M1) /
		     (1 + REG0(c, SET_KERNEL_STRIDE, DILATION_Y)) + 1;

	if (width > 0xffff || height > 0xffff)
		return ethosu_refuse(c, -EINVAL, "a kernel of 65536 taps along an axis", width);
	return 0;
}

static int window(struct ethosu_check *c, struct ethosu_extent *ifm)
{
	struct ethosu_extent ofm = ofm_extent(c);
	bool upscaled = REG0(c, SET_IFM_UPSCALE, MODE) != ETHOSU_IFM_UPSCALE_MODE_NONE;

	ifm->height = reach(ofm.height, stride_y(c), REG0(c, SET_KERNEL_HEIGHT_M1, HEIGHT_M1) + 1,
			    REG0(c, SET_IFM_PAD_TOP, PAD) + REG0(c, SET_IFM_PAD_BOTTOM, PAD),
			    upscaled);
	ifm->width = reach(ofm.width, stride_x(c), REG0(c, SET_KERNEL_WIDTH_M1, WIDTH_M1) + 1,
			   REG0(c, SET_IFM_PAD_LEFT, PAD) + REG0(c, SET_IFM_PAD_RIGHT, PAD),
			   upscaled);
	ifm->depth = REG0(c, SET_IFM_DEPTH_M1, DEPTH_M1) + 1;
	if (!ifm->height || !ifm->width)
		return ethosu_refuse(c, -EINVAL, "the IFM is nothing but padding", ifm->height);
	return check_taps(c);
}

/* Accumulators that start from something else than 0. */
static unsigned int acc_input(const struct ethosu_check *c)
{
	return is_u85(c) ? REG0(c, SET_ACC_FORMAT, ACC_INPUT) : ETHOSU_ACC_INPUT_RESET;
}

static int fresh_accumulators(struct ethosu_check *c)
{
	if (acc_input(c) != ETHOSU_ACC_INPUT_RESET)
		return ethosu_refuse(c, -EOPNOTSUPP, "accumulators that are not reset",
				     acc_input(c));
	return 0;
}

/* Where the axes of height, width and depth go. */
static int touch_ofm(struct ethosu_check *c)
{
	static const u8 axes[][3] = {
		[ETHOSU_ACTIVATION_TRANSPOSE_HWC] = { 0, 1, 2 },
		[ETHOSU_ACTIVATION_TRANSPOSE_WHC] = { 1, 0, 2 },
		[ETHOSU_ACTIVATION_TRANSPOSE_HCW] = { 0, 2, 1 },
		[ETHOSU_ACTIVATION_TRANSPOSE_WCH] = { 1, 2, 0 },
		[ETHOSU_ACTIVATION_TRANSPOSE_CHW] = { 2, 0, 1 },
		[ETHOSU_ACTIVATION_TRANSPOSE_CWH] = { 2, 1, 0 },
	};
	struct ethosu_extent ofm = ofm_extent(c);
	const u32 size[] = { ofm.height, ofm.width, ofm.depth };
	const u8 *order = axes[0];

	if (is_u85(c)) {
		if (REG0(c, SET_ACC_FORMAT, ACC_OUTPUT) != ETHOSU_ACC_OUTPUT_ENABLE)
			return ethosu_refuse(c, -EOPNOTSUPP, "an operation that has no output", 0);
		order = axes[REG0(c, SET_OFM_PRECISION, TRANSPOSE)];
	}
	return touch_operand(c, OPERAND_OFM, 0, (struct ethosu_extent){
		.height = size[order[0]], .width = size[order[1]], .depth = size[order[2]],
	});
}

/* Weights that are a feature map: rows of IFM2 take the place of a 1x1 kernel's. */
static int check_product(struct ethosu_check *c, const struct ethosu_extent *ifm)
{
	struct ethosu_extent weights = { 1, ofm_extent(c).depth, ifm->depth };
	bool moves = c->cmd0[ETHOSU_SET_KERNEL_WIDTH_M1 & 0xff] ||
		     c->cmd0[ETHOSU_SET_KERNEL_HEIGHT_M1 & 0xff] || stride_x(c) > 1 ||
		     stride_y(c) > 1 || c->cmd0[ETHOSU_SET_IFM_UPSCALE & 0xff] ||
		     c->cmd0[ETHOSU_SET_IFM_PAD_TOP & 0xff] ||
		     c->cmd0[ETHOSU_SET_IFM_PAD_LEFT & 0xff] ||
		     c->cmd0[ETHOSU_SET_IFM_PAD_RIGHT & 0xff] ||
		     c->cmd0[ETHOSU_SET_IFM_PAD_BOTTOM & 0xff];

	if (moves)
		return ethosu_refuse(c, -EOPNOTSUPP,
				     "weights from IFM2 with a kernel, stride, padding or upscaling",
				     0);
	if (REG0(c, SET_OFM_PRECISION, SCALE_MODE) != ETHOSU_OFM_SCALE_MODE_GLOBAL)
		return ethosu_refuse(c, -EINVAL, "weights from IFM2 with scales per channel", 0);
	return touch_operand(c, OPERAND_IFM2, 0, weights);
}

static int check_conv(struct ethosu_check *c, unsigned int opcode, unsigned int param)
{
	struct ethosu_extent ifm;
	u32 depth = ofm_extent(c).depth;
	int rc;

	rc = window(c, &ifm);
	if (!rc)
		rc = fresh_accumulators(c);
	if (rc)
		return rc;
	/* How channels of unequal count are paired is not known; Mesa asks for it. */
	if (opcode == ETHOSU_OP_DEPTHWISE && depth > ifm.depth)
		ifm.depth = depth;
	rc = touch_operand(c, OPERAND_IFM, 0, ifm);
	if (rc)
		return rc;
	if (ETHOSU_GET(OP_CONV_WEIGHTS_IFM2, param))
		return check_product(c, &ifm);
	rc = ethosu_touch_weights(c);
	return rc ? rc : ethosu_touch_scales(c, true);
}

/*
 * A copy of wide data: IFM2 goes to the accumulators. Whether an IFM is read beside it is not
 * known.
 */
static int check_pool_none(struct ethosu_check *c)
{
	struct ethosu_extent ofm = ofm_extent(c);
	int rc;

	if (acc_input(c) != ETHOSU_ACC_INPUT_IFM2)
		return ethosu_refuse(c, -EOPNOTSUPP, "no pooling, and no IFM2 either",
				     acc_input(c));
	if (REG0(c, SET_IFM_PRECISION, STORAGE) != ETHOSU_ACTIVATION_STORAGE_NONE) {
		rc = touch_operand(c, OPERAND_IFM, 0, ofm);
		if (rc)
			return rc;
	}
	return ethosu_touch_fm(c, OPERAND_IFM2, &ofm);
}

static int check_pool(struct ethosu_check *c, unsigned int mode)
{
	struct ethosu_extent ifm;
	u32 depth = ofm_extent(c).depth;
	int rc;

	if (is_u85(c) && mode == ETHOSU_U85_POOLING_MODE_NONE)
		return check_pool_none(c);
	rc = window(c, &ifm);
	if (!rc)
		rc = fresh_accumulators(c);
	if (rc)
		return rc;
	/* REDUCE_SUM has the same number on both. */
	if (mode != ETHOSU_U85_POOLING_MODE_REDUCE_SUM && depth > ifm.depth)
		ifm.depth = depth;
	return touch_operand(c, OPERAND_IFM, 0, ifm);
}

/* LRELU, ABS and CLZ have the same numbers on both. */
static bool unary(const struct ethosu_check *c, unsigned int mode)
{
	return mode == ETHOSU_U85_ELEMENTWISE_MODE_LRELU ||
	       mode == ETHOSU_U85_ELEMENTWISE_MODE_ABS ||
	       mode == ETHOSU_U85_ELEMENTWISE_MODE_CLZ ||
	       (is_u85(c) && mode == ETHOSU_U85_ELEMENTWISE_MODE_NOT);
}

/* The U65 has other bits for the second operand, and none for the first. */
static unsigned int broadcast_u65(const struct ethosu_check *c)
{
	return REG0(c, SET_IFM2_BROADCAST, BROADCAST_H) * BROADCAST_H |
	       REG0(c, SET_IFM2_BROADCAST, BROADCAST_W) * BROADCAST_W |
	       REG0(c, SET_IFM2_BROADCAST, BROADCAST_C) * BROADCAST_C |
	       REG0(c, SET_IFM2_BROADCAST, BROADCAST_CONSTANT) * BROADCAST_SCALAR;
}

static int check_elementwise(struct ethosu_check *c, unsigned int mode)
{
	struct ethosu_extent ofm = ofm_extent(c);
	unsigned int first = 0, second = broadcast_u65(c);
	int rc;

	if (is_u85(c)) {
		first = REG0(c, SET_IFM_BROADCAST, BROADCAST_MODE);
		second = REG0(c, SET_IFM2_BROADCAST, BROADCAST_MODE);
	}
	rc = fresh_accumulators(c);
	if (!rc)
		rc = touch_operand(c, OPERAND_IFM, first, ofm);
	if (rc || unary(c, mode))
		return rc;
	return touch_operand(c, OPERAND_IFM2, second, ofm);
}

/* The kernel's registers say how large the IFM is; positions beyond it are moved to its edge. */
static int check_resize(struct ethosu_check *c)
{
	struct ethosu_extent ifm = {
		.height = REG0(c, SET_KERNEL_HEIGHT_M1, HEIGHT_M1) + 1,
		.width = REG0(c, SET_KERNEL_WIDTH_M1, WIDTH_M1) + 1,
		.depth = ofm_extent(c).depth,
	};
	int rc = fresh_accumulators(c);

	return rc ? rc : touch_operand(c, OPERAND_IFM, 0, ifm);
}

static int check_inputs(struct ethosu_check *c, unsigned int opcode, unsigned int param)
{
	switch (opcode) {
	case ETHOSU_OP_CONV:
	case ETHOSU_OP_DEPTHWISE:
		return check_conv(c, opcode, param);
	case ETHOSU_OP_POOL:
		return check_pool(c, param);
	case ETHOSU_OP_ELEMENTWISE:
		return check_elementwise(c, param);
	case ETHOSU_OP_RESIZE:
		return check_resize(c);
	default:
		return ethosu_refuse(c, -EOPNOTSUPP, "an operation that is not known", opcode);
	}
}

int ethosu_check_kernel(struct ethosu_check *c, unsigned int opcode, unsigned int param)
{
	int rc;

	c->use.kernel_ops++;
	rc = ethosu_check_parallel(c);
	/* Inputs first: a chaining buffer is taken from before it is filled anew. */
	if (!rc)
		rc = check_inputs(c, opcode, param);
	/*
	 * A convolution has looked at its scales. Others that have any listed ignore or read them.
	 */
	if (!rc && opcode != ETHOSU_OP_CONV && opcode != ETHOSU_OP_DEPTHWISE)
		rc = ethosu_touch_scales(c, false);
	if (!rc)
		rc = ethosu_check_table(c);
	return rc ? rc : touch_ofm(c);
}
