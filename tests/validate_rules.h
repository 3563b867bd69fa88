/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The validator's rules one by one: what an operation needs of each region, worked out on paper,
 * and what is refused. Each operand has a region of its own, so that what is needed tells which
 * operand needs it.
 */
#ifndef ACCEL_TESTS_VALIDATE_RULES_H
#define ACCEL_TESTS_VALIDATE_RULES_H

#include "tests/validate_cmds.h"

/* What the base needs: (4 - 1) * 80 + (5 - 1) * 16 + 16 and so on. */
#define IFM_END		(0x1000 + 320)
#define IFM_END24	(0x1000 + 328)	/* 24 channels with the same strides */
#define IFM2_END	(0x3000 + 480)
#define OFM_END		(0x2000 + 480)
#define W_END		0x140
#define S_END		0x110

/* What a convolution needs besides its IFM. */
#define CONV_REST	[WEIGHTS] = W_END, [SCALES] = S_END, [OFM] = OFM_END

#define TWO40		(1ull << 40)
#define MINUS(n)	(TWO40 - (n))

#define ROOM 16

/**
 * struct rule - a case
 * @npu: of npus
 * @set: commands after the base
 * @op: the operation
 * @rc, @why: what comes out; @why is part of the reason
 * @need: bytes of each region, of writes for OFM and DST, else of reads
 */
struct rule {
	const char *name;
	unsigned int npu;
	struct cmd set[ROOM];
	struct cmd op;
	int rc;
	const char *why;
	u64 need[8];
};

#define NEEDS(...)	.need = { __VA_ARGS__ }
#define NO(error, text)	.rc = (error), .why = (text)

/* ---- feature maps ---- */

static const struct rule maps[] = {
	{ "the base", U65_256, .op = OP(CONV, 0), NEEDS([IFM] = IFM_END, CONV_REST) },
	{ "the base on a U85", U85_256, .op = OP(CONV, 0), NEEDS([IFM] = IFM_END, CONV_REST) },
	{ "16 bits: 2 bytes for each of 24 channels", U65_256,
	  { S(OFM_PRECISION, OFM_ELEM(1)) }, OP(CONV, 0),
	  NEEDS([IFM] = IFM_END, [WEIGHTS] = W_END, [SCALES] = S_END,
		[OFM] = 0x2000 + 3 * 120 + 4 * 24 + 48) },
	{ "32 bits", U65_256, { S(IFM_PRECISION, ELEM(2)) }, OP(CONV, 0),
	  NEEDS([IFM] = 0x1000 + 3 * 80 + 4 * 16 + 64, CONV_REST) },
	{ "64 bits", U85_256, { S(IFM_PRECISION, ELEM(3)) }, OP(CONV, 0), NO(-EOPNOTSUPP,
	  "IFM elements of 64 bits") },
	{ "OFM of 64 bits", U65_256, { S(OFM_PRECISION, OFM_ELEM(3)) }, OP(CONV, 0), NO(-EOPNOTSUPP,
	  "OFM elements of 64 bits") },
	/* Bricks of 16 channels: x steps by a brick, STRIDE_C goes from brick to brick. */
	{ "bricks: the second of two, wholly written", U65_256,
	  { S(OFM_PRECISION, BRICKS), A(OFM_STRIDE_Y, 160), A(OFM_STRIDE_C, 80) }, OP(CONV, 0),
	  NEEDS([IFM] = IFM_END, [WEIGHTS] = W_END, [SCALES] = S_END,
		[OFM] = 0x2000 + 3 * 160 + 80 + 4 * 16 + 16) },
	{ "bricks: a last one that is not full is written as a whole", U65_256,
	  { S(OFM_PRECISION, BRICKS | OFM_ELEM(1)), S(OFM_DEPTH_M1, 2), A(OFM_STRIDE_Y, 160) },
	  OP(CONV, 0),
	  NEEDS([IFM] = IFM_END, [WEIGHTS] = W_END, [SCALES] = S_END,
		[OFM] = 0x2000 + 3 * 160 + 4 * 32 + 32) },
	{ "bricks: 3 channels are read with their 16 bytes", U65_256,
	  { S(IFM_PRECISION, BRICKS), S(IFM_DEPTH_M1, 2) }, OP(CONV, 0),
	  NEEDS([IFM] = IFM_END, CONV_REST) },
	{ "bricks: a slice that starts inside of one ends with it", U85_256,
	  { S(IFM_PRECISION, BRICKS), S(IFM_DEPTH_M1, 2), A(IFM_BASE0, 0x100a) }, OP(CONV, 0),
	  NEEDS([IFM] = IFM_END, CONV_REST) },
	{ "format 2", U65_256, { S(IFM_PRECISION, 2 << 6) }, OP(CONV, 0), NO(-EINVAL, "no meaning") },
	{ "format 3", U85_256, { S(OFM_PRECISION, 3 << 6) }, OP(CONV, 0), NO(-EINVAL, "no meaning") },
	{ "3 tiles side by side", U85_256, { S(IFM_PRECISION, 1 << 14) }, OP(CONV, 0), NO(-EOPNOTSUPP,
	  "storage") },
	{ "an OFM that is not stored", U85_256, { S(OFM_PRECISION, 3 << 14) }, OP(CONV, 0),
	  NO(-EOPNOTSUPP, "storage") },
	{ "region 8", U65_256, { S(IFM_REGION, 8) }, OP(CONV, 0), NO(-EINVAL, "no field holds") },
	{ "region 0x8001", U65_256, { S(OFM_REGION, 0x8001) }, OP(CONV, 0), NO(-EINVAL,
	  "no field holds") },
	/* Tiles: width 5 in 3 + 2, height 4 in 1 + 3 on the left, 2 + 2 on the right. */
	{ "four tiles", U65_256,
	  { S(OFM_WIDTH0_M1, 2), S(OFM_HEIGHT0_M1, 0), S(OFM_HEIGHT1_M1, 1), A(OFM_BASE0, 0),
	    A(OFM_BASE1, 0), A(OFM_BASE2, 0x8000), A(OFM_BASE3, 0) }, OP(CONV, 0),
	  NEEDS([IFM] = IFM_END, [WEIGHTS] = W_END, [SCALES] = S_END,
		[OFM] = 0x8000 + 2 * 120 + 2 * 24 + 24) },
	{ "tile 1 ends last", U65_256,
	  { S(OFM_WIDTH0_M1, 2), S(OFM_HEIGHT1_M1, 1), A(OFM_BASE1, 0x9000) }, OP(CONV, 0),
	  NEEDS([IFM] = IFM_END, [WEIGHTS] = W_END, [SCALES] = S_END,
		[OFM] = 0x9000 + 120 + 24 + 24) },
	{ "tile 3 ends last", U65_256,
	  { S(OFM_WIDTH0_M1, 3), S(OFM_HEIGHT1_M1, 2), A(OFM_BASE3, 0xa000) }, OP(CONV, 0),
	  NEEDS([IFM] = IFM_END, [WEIGHTS] = W_END, [SCALES] = S_END, [OFM] = 0xa000 + 24) },
	{ "tiles that are not reached do not count", U65_256,
	  { A(OFM_BASE1, MINUS(1)), A(OFM_BASE2, MINUS(1)), A(OFM_BASE3, MINUS(1)) }, OP(CONV, 0),
	  NEEDS([IFM] = IFM_END, CONV_REST) },
	{ "tile 0 counts although the last element is in tile 1", U65_256,
	  { S(OFM_WIDTH0_M1, 3), A(OFM_BASE0, 0xff00000000) }, OP(CONV, 0),
	  NEEDS([IFM] = IFM_END, [WEIGHTS] = W_END, [SCALES] = S_END,
		[OFM] = 0xff00000000 + 3 * 120 + 3 * 24 + 24) },
	/* Addresses have 40 bits. */
	{ "the last byte there is", U65_256, { A(OFM_BASE0, MINUS(480)) }, OP(CONV, 0),
	  NEEDS([IFM] = IFM_END, [WEIGHTS] = W_END, [SCALES] = S_END, [OFM] = TWO40) },
	{ "one more", U65_256, { A(OFM_BASE0, MINUS(479)) }, OP(CONV, 0), NO(-EINVAL, "the OFM starts") },
	{ "strides that go over the top", U85_256,
	  { A(IFM_STRIDE_Y, (1ull << 39) - 1), S(OFM_HEIGHT_M1, 0xffff) }, OP(CONV, 0), NO(-EINVAL,
	  "the IFM starts") },
	{ "backwards from the end, to the first byte", U65_256,
	  { A(OFM_STRIDE_Y, MINUS(120)), A(OFM_BASE0, 360) }, OP(CONV, 0),
	  NEEDS([IFM] = IFM_END, [WEIGHTS] = W_END, [SCALES] = S_END, [OFM] = 480) },
	{ "and one before it", U65_256, { A(OFM_STRIDE_Y, MINUS(120)), A(OFM_BASE0, 359) },
	  OP(CONV, 0), NO(-EINVAL, "the OFM starts") },
	{ "backwards along a row, and the bricks", U65_256,
	  { S(OFM_PRECISION, BRICKS), A(OFM_STRIDE_C, MINUS(80)), A(OFM_STRIDE_Y, 160),
	    A(OFM_BASE0, 80) }, OP(CONV, 0),
	  NEEDS([IFM] = IFM_END, [WEIGHTS] = W_END, [SCALES] = S_END, [OFM] = 80 + 3 * 160 + 80) },
	{ "strides of 0", U65_256, { A(OFM_STRIDE_X, 0), A(OFM_STRIDE_Y, 0) }, OP(CONV, 0),
	  NEEDS([IFM] = IFM_END, [WEIGHTS] = W_END, [SCALES] = S_END, [OFM] = 0x2000 + 24) },
};

/* ---- kernels ---- */

/* Bytes of an IFM of so many rows and columns with the base's strides. */
#define IFM_OF(rows, columns) (0x1000 + ((rows) - 1) * 80 + ((columns) - 1) * 16 + 16)

static const struct rule kernels[] = {
	{ "3 x 3: 6 x 7", U65_256, { S(KERNEL_HEIGHT_M1, 2), S(KERNEL_WIDTH_M1, 2) }, OP(CONV, 0),
	  NEEDS([IFM] = IFM_OF(6, 7), CONV_REST) },
	{ "and stride 2: 9 x 11", U65_256,
	  { S(KERNEL_HEIGHT_M1, 2), S(KERNEL_WIDTH_M1, 2), S(KERNEL_STRIDE, 3) }, OP(CONV, 0),
	  NEEDS([IFM] = IFM_OF(9, 11), CONV_REST) },
	{ "stride 3 and 4: 10 x 17", U65_256, { S(KERNEL_STRIDE, 1 << 9 | 1 << 6 | 1) }, OP(CONV, 0),
	  NEEDS([IFM] = IFM_OF(10, 17), CONV_REST) },
	{ "same padding: 4 x 5", U65_256,
	  { S(KERNEL_HEIGHT_M1, 2), S(KERNEL_WIDTH_M1, 2), S(IFM_PAD_TOP, 1), S(IFM_PAD_LEFT, 1),
	    S(IFM_PAD_BOTTOM, 1), S(IFM_PAD_RIGHT, 1) }, OP(CONV, 0),
	  NEEDS([IFM] = IFM_OF(4, 5), CONV_REST) },
	{ "padding on the right only", U65_256, { S(IFM_PAD_RIGHT, 2) }, OP(CONV, 0),
	  NEEDS([IFM] = IFM_OF(4, 3), CONV_REST) },
	{ "padding of all but one row", U65_256, { S(IFM_PAD_TOP, 3) }, OP(CONV, 0),
	  NEEDS([IFM] = IFM_OF(1, 5), CONV_REST) },
	{ "padding of all", U65_256, { S(IFM_PAD_TOP, 3), S(IFM_PAD_BOTTOM, 1) }, OP(CONV, 0),
	  NO(-EINVAL, "nothing but padding") },
	{ "more padding than there is", U65_256,
	  { S(IFM_PAD_TOP, 127), S(IFM_PAD_BOTTOM, 255), S(IFM_PAD_RIGHT, 255) }, OP(CONV, 0),
	  NO(-EINVAL, "nothing but padding") },
	{ "padding of 128 above", U65_256, { S(IFM_PAD_TOP, 128) }, OP(CONV, 0), NO(-EINVAL,
	  "no field holds") },
	/* 3 x 3 with dilation 2 is 5 x 5 in the registers. */
	{ "dilated: 8 x 9", U65_256,
	  { S(KERNEL_HEIGHT_M1, 4), S(KERNEL_WIDTH_M1, 4), S(KERNEL_STRIDE, 3 << 3) }, OP(CONV, 0),
	  NEEDS([IFM] = IFM_OF(8, 9), CONV_REST) },
	{ "64 x 4096", U65_256, { S(KERNEL_HEIGHT_M1, 63), S(KERNEL_WIDTH_M1, 4095),
	  S(IFM_WIDTH0_M1, 9999) }, OP(CONV, 0), NEEDS([IFM] = IFM_OF(67, 4100), CONV_REST) },
	{ "65536 wide", U65_256, { S(KERNEL_WIDTH_M1, 65535) }, OP(CONV, 0), NO(-EINVAL, "65536 taps") },
	{ "upscaled, even: 3 x 3 over 6 x 7 is 3 x 4", U65_256,
	  { S(KERNEL_HEIGHT_M1, 2), S(KERNEL_WIDTH_M1, 2), S(IFM_UPSCALE, 1) }, OP(CONV, 0),
	  NEEDS([IFM] = IFM_OF(3, 4), CONV_REST) },
	{ "upscaled with zeros, with padding: 5 x 6 is 3 x 3", U65_256,
	  { S(KERNEL_HEIGHT_M1, 2), S(KERNEL_WIDTH_M1, 2), S(IFM_UPSCALE, 2), S(IFM_PAD_TOP, 1),
	    S(IFM_PAD_LEFT, 1) }, OP(CONV, 0), NEEDS([IFM] = IFM_OF(3, 3), CONV_REST) },
	{ "upscale 3", U65_256, { S(IFM_UPSCALE, 3) }, OP(CONV, 0), NO(-EINVAL, "no meaning") },
	{ "depthwise", U65_256, { S(IFM_DEPTH_M1, 23) }, OP(DEPTHWISE, 0),
	  NEEDS([IFM] = IFM_END24, CONV_REST) },
	{ "depthwise, channels as Mesa has them: the larger count", U65_256, .op = OP(DEPTHWISE, 0),
	  NEEDS([IFM] = IFM_END24, CONV_REST) },
	{ "pooling has no weights", U65_256, { S(OFM_PRECISION, GLOBAL), S(IFM_DEPTH_M1, 23) },
	  OP(POOL, 0), NEEDS([IFM] = IFM_END24, [OFM] = OFM_END) },
	{ "scales that a pooling might look at", U65_256, { S(IFM_DEPTH_M1, 23) }, OP(POOL, 1),
	  NEEDS([IFM] = IFM_END24, [OFM] = OFM_END, [SCALES] = S_END) },
	{ "a sum over channels reads those of the IFM", U65_256, { S(OFM_PRECISION, GLOBAL),
	  S(OFM_DEPTH_M1, 0), S(IFM_DEPTH_M1, 31) }, OP(POOL, 2),
	  NEEDS([IFM] = IFM_END + 16, [OFM] = 0x2000 + 3 * 120 + 4 * 24 + 1) },
	{ "pooling 3 is the U85's", U65_256, .op = OP(POOL, 3), NO(-EINVAL, "no meaning") },
	{ "argmax along the width", U85_256, { S(OFM_PRECISION, GLOBAL), S(IFM_DEPTH_M1, 23),
	  S(KERNEL_WIDTH_M1, 9) }, OP(POOL, 6), NEEDS([IFM] = IFM_OF(4, 14) + 8, [OFM] = OFM_END) },
	{ "no pooling: IFM2, and the IFM to be sure", U85_256, { S(OFM_PRECISION, GLOBAL),
	  S(ACC_FORMAT, 2 << 4), S(IFM2_PRECISION, ELEM(3)) }, OP(POOL, 4),
	  NEEDS([IFM] = IFM_END24, [IFM2] = IFM2_END - 24 + 8 * 24, [OFM] = OFM_END) },
	{ "and none", U85_256, { S(OFM_PRECISION, GLOBAL), S(ACC_FORMAT, 2 << 4),
	  S(IFM_PRECISION, 3 << 14) }, OP(POOL, 4), NEEDS([IFM2] = IFM2_END, [OFM] = OFM_END) },
	{ "no pooling of nothing", U85_256, .op = OP(POOL, 4), NO(-EOPNOTSUPP, "no IFM2") },
	{ "accumulators of an earlier operation", U85_256, { S(ACC_FORMAT, 1 << 4) }, OP(CONV, 0),
	  NO(-EOPNOTSUPP, "not reset") },
	{ "accumulators that stay inside", U85_256, { S(ACC_FORMAT, 1 << 6) }, OP(CONV, 0),
	  NO(-EOPNOTSUPP, "no output") },
	{ "RESIZE: the kernel is the IFM's size", U85_256, { S(OFM_PRECISION, GLOBAL),
	  S(KERNEL_HEIGHT_M1, 6), S(KERNEL_WIDTH_M1, 2) }, OP(RESIZE, 0),
	  NEEDS([IFM] = IFM_OF(7, 3) + 8, [OFM] = OFM_END) },
	{ "RESIZE 3", U85_256, .op = OP(RESIZE, 3), NO(-EINVAL, "no meaning") },
	{ "RESIZE is the U85's", U65_256, .op = WORD(ETHOSU_OP_RESIZE), NO(-EINVAL,
	  "no such command") },
	/* Where 4 x 5 x 24 comes to lie: strides and the last axis are of what is stored. */
	{ "HWC", U85_256, { S(OFM_PRECISION, TRANSPOSED(0)) }, OP(CONV, 0),
	  NEEDS([IFM] = IFM_END, CONV_REST) },
	{ "WHC: 5 x 4 x 24", U85_256, { S(OFM_PRECISION, TRANSPOSED(1)), S(OFM_HEIGHT0_M1, 99) },
	  OP(CONV, 0), NEEDS([IFM] = IFM_END, [WEIGHTS] = W_END, [SCALES] = S_END,
			     [OFM] = 0x2000 + 4 * 120 + 3 * 24 + 24) },
	{ "HCW: 4 x 24 x 5", U85_256, { S(OFM_PRECISION, TRANSPOSED(2)), S(OFM_WIDTH0_M1, 99) },
	  OP(CONV, 0), NEEDS([IFM] = IFM_END, [WEIGHTS] = W_END, [SCALES] = S_END,
			     [OFM] = 0x2000 + 3 * 120 + 23 * 24 + 5) },
	{ "WCH: 5 x 24 x 4", U85_256, { S(OFM_PRECISION, TRANSPOSED(3)), S(OFM_WIDTH0_M1, 99),
	  S(OFM_HEIGHT0_M1, 99) }, OP(CONV, 0), NEEDS([IFM] = IFM_END, [WEIGHTS] = W_END,
	  [SCALES] = S_END, [OFM] = 0x2000 + 4 * 120 + 23 * 24 + 4) },
	{ "CHW: 24 x 4 x 5", U85_256, { S(OFM_PRECISION, TRANSPOSED(6)), S(OFM_HEIGHT0_M1, 99) },
	  OP(CONV, 0), NEEDS([IFM] = IFM_END, [WEIGHTS] = W_END, [SCALES] = S_END,
			     [OFM] = 0x2000 + 23 * 120 + 3 * 24 + 5) },
	{ "CWH: 24 x 5 x 4, reversed", U85_256, { S(OFM_PRECISION, TRANSPOSED(7) | 1 << 9),
	  S(OFM_HEIGHT0_M1, 99) }, OP(CONV, 0), NEEDS([IFM] = IFM_END, [WEIGHTS] = W_END,
	  [SCALES] = S_END, [OFM] = 0x2000 + 23 * 120 + 4 * 24 + 4) },
	{ "transpose 4", U85_256, { S(OFM_PRECISION, TRANSPOSED(4)) }, OP(CONV, 0), NO(-EINVAL,
	  "no meaning") },
	{ "transpose 1 on a U65", U65_256, { S(OFM_PRECISION, TRANSPOSED(1)) }, OP(CONV, 0),
	  NO(-EINVAL, "no field holds") },
	/* IFM2 as weights: [1][24][16]. */
	{ "a matrix product", U85_256, { S(OFM_PRECISION, GLOBAL), S(IFM2_WIDTH0_M1, 99) },
	  OP(CONV, 1), NEEDS([IFM] = IFM_END, [IFM2] = 0x3000 + 23 * 24 + 16, [OFM] = OFM_END) },
	{ "with scales", U85_256, .op = OP(CONV, 1), NO(-EINVAL, "scales per channel") },
	{ "with a kernel", U85_256, { S(OFM_PRECISION, GLOBAL), S(KERNEL_WIDTH_M1, 1) }, OP(CONV, 1),
	  NO(-EOPNOTSUPP, "kernel, stride") },
	{ "a matrix product on a U65", U65_256, .op = OP(CONV, 1), NO(-EINVAL,
	  "no field holds") },
};

/* ---- elementwise ---- */

#define ELT_IFM [IFM] = IFM_END24, [OFM] = OFM_END

static const struct rule elementwise[] = {
	{ "ADD", U65_256, { S(OFM_PRECISION, GLOBAL) }, OP(ELEMENTWISE, 1),
	  NEEDS(ELT_IFM, [IFM2] = IFM2_END) },
	{ "ABS has one operand", U65_256, { S(OFM_PRECISION, GLOBAL) }, OP(ELEMENTWISE, 6),
	  NEEDS(ELT_IFM) },
	{ "LRELU too", U85_256, { S(OFM_PRECISION, GLOBAL) }, OP(ELEMENTWISE, 5), NEEDS(ELT_IFM) },
	{ "CLZ too", U65_256, { S(OFM_PRECISION, GLOBAL) }, OP(ELEMENTWISE, 7), NEEDS(ELT_IFM) },
	{ "NOT too", U85_256, { S(OFM_PRECISION, GLOBAL) }, OP(ELEMENTWISE, 36), NEEDS(ELT_IFM) },
	{ "AND_NOT has two", U85_256, { S(OFM_PRECISION, GLOBAL) }, OP(ELEMENTWISE, 42),
	  NEEDS(ELT_IFM, [IFM2] = IFM2_END) },
	{ "mode 12", U85_256, .op = OP(ELEMENTWISE, 12), NO(-EINVAL, "no meaning") },
	{ "NOT on a U65", U65_256, .op = OP(ELEMENTWISE, 36), NO(-EINVAL, "no meaning") },
	{ "H", U65_256, { S(OFM_PRECISION, GLOBAL), S(IFM2_BROADCAST, 1) }, OP(ELEMENTWISE, 1),
	  NEEDS(ELT_IFM, [IFM2] = IFM2_END - 360) },
	{ "W", U65_256, { S(OFM_PRECISION, GLOBAL), S(IFM2_BROADCAST, 2) }, OP(ELEMENTWISE, 1),
	  NEEDS(ELT_IFM, [IFM2] = IFM2_END - 96) },
	{ "C, the other operand first", U65_256, { S(OFM_PRECISION, GLOBAL), S(IFM2_BROADCAST, 68) },
	  OP(ELEMENTWISE, 2), NEEDS(ELT_IFM, [IFM2] = IFM2_END - 23) },
	{ "all", U65_256, { S(OFM_PRECISION, GLOBAL), S(IFM2_BROADCAST, 7) }, OP(ELEMENTWISE, 1),
	  NEEDS(ELT_IFM, [IFM2] = 0x3001) },
	{ "a constant", U65_256, { S(OFM_PRECISION, GLOBAL), S(IFM2_BROADCAST, 128) },
	  OP(ELEMENTWISE, 1), NEEDS(ELT_IFM) },
	{ "8 is no bit of a U65's", U65_256, { S(IFM2_BROADCAST, 8) }, OP(ELEMENTWISE, 1), NO(-EINVAL,
	  "no field holds") },
	{ "a scalar", U85_256, { S(OFM_PRECISION, GLOBAL), S(IFM2_BROADCAST, 8) }, OP(ELEMENTWISE, 1),
	  NEEDS(ELT_IFM) },
	{ "a scalar of 64 bits", U85_256, { S(IFM2_BROADCAST, 8), S(IFM2_PRECISION, ELEM(3)) },
	  OP(ELEMENTWISE, 1), NO(-EOPNOTSUPP, "IFM2 elements of 64 bits") },
	{ "a scalar first", U85_256, { S(OFM_PRECISION, GLOBAL), S(IFM_BROADCAST, 8) },
	  OP(ELEMENTWISE, 2), NEEDS([IFM2] = IFM2_END, [OFM] = OFM_END) },
	{ "across each other", U85_256, { S(OFM_PRECISION, GLOBAL), S(IFM_BROADCAST, 5),
	  S(IFM2_BROADCAST, 2) }, OP(ELEMENTWISE, 0),
	  NEEDS([IFM] = 0x1000 + 4 * 16 + 1, [IFM2] = IFM2_END - 96, [OFM] = OFM_END) },
	{ "broadcast 9", U85_256, { S(IFM2_BROADCAST, 9) }, OP(ELEMENTWISE, 1), NO(-EINVAL,
	  "no meaning") },
	{ "the kernel's registers do not count", U65_256, { S(OFM_PRECISION, GLOBAL),
	  S(KERNEL_HEIGHT_M1, 9), S(IFM_PAD_TOP, 99), S(IFM_UPSCALE, 1) }, OP(ELEMENTWISE, 1),
	  NEEDS(ELT_IFM, [IFM2] = IFM2_END) },
	/* As Mesa writes it for the U65, whatever the NPU: a scale mode. */
	{ "Mesa's ADD on a U85", U85_256, { S(IFM_PRECISION, 2 << 8), A(IFM_SCALE, 1u << 31),
	  A(IFM2_SCALE, 0), TWO(ETHOSU_CMD1(SET_OFM_SCALE, 0x40), 0xffffffff), S(OFM_PRECISION, GLOBAL) }, OP(ELEMENTWISE, 1),
	  NEEDS(ELT_IFM, [IFM2] = IFM2_END) },
};

/* ---- weights and scales ---- */

#define FOUR_WEIGHTS                                                                               \
	A(WEIGHT1_BASE, 0x1000), A(WEIGHT1_LENGTH, 16), A(WEIGHT2_BASE, 0x2000),                   \
		A(WEIGHT2_LENGTH, 32), A(WEIGHT3_BASE, 0x3000), A(WEIGHT3_LENGTH, 48)

static const struct rule streams[] = {
	{ "no weights", U65_256, { A(WEIGHT_LENGTH, 0) }, OP(CONV, 0), NO(-EINVAL, "without weights") },
	{ "no scales", U65_256, { A(SCALE_LENGTH, 0) }, OP(DEPTHWISE, 0), NO(-EINVAL, "no scales") },
	{ "none needed with one for all channels", U65_256, { A(SCALE_LENGTH, 0),
	  S(OFM_PRECISION, GLOBAL) }, OP(CONV, 0),
	  NEEDS([IFM] = IFM_END, [WEIGHTS] = W_END, [OFM] = OFM_END) },
	{ "nor looked at", U65_256, { S(OFM_PRECISION, GLOBAL) }, OP(CONV, 0),
	  NEEDS([IFM] = IFM_END, [WEIGHTS] = W_END, [OFM] = OFM_END) },
	{ "weights not on 16 bytes", U65_256, { A(WEIGHT_BASE, 7), A(WEIGHT_LENGTH, 9) },
	  OP(CONV, 0), NO(-EINVAL, "16 bytes") },
	{ "scales not on 16 bytes", U85_256, { A(SCALE_BASE, 8) }, OP(CONV, 0), NO(-EINVAL, "16 bytes") },
	{ "a length that is not a multiple of 16 is rounded up", U65_256, { A(WEIGHT_LENGTH, 0x101) },
	  OP(CONV, 0), NEEDS([IFM] = IFM_END, [WEIGHTS] = 0x150, [SCALES] = S_END, [OFM] = OFM_END) },
	{ "the longest", U65_256, { A(WEIGHT_LENGTH, 0xffffffff) }, OP(CONV, 0),
	  NEEDS([IFM] = IFM_END, [WEIGHTS] = 0x100000040, [SCALES] = S_END, [OFM] = OFM_END) },
	{ "beyond all addresses", U65_256, { A(WEIGHT_BASE, MINUS(0x100)), A(WEIGHT_LENGTH, 0x110) },
	  OP(CONV, 0), NO(-EINVAL, "after 2^40") },
	{ "up to the last", U65_256, { A(WEIGHT_BASE, MINUS(0x110)), A(WEIGHT_LENGTH, 0x110) },
	  OP(CONV, 0), NEEDS([IFM] = IFM_END, [WEIGHTS] = TWO40, [SCALES] = S_END, [OFM] = OFM_END) },
	{ "SCALE_LENGTH has 20 bits", U65_256, { A(SCALE_LENGTH, 1 << 20) }, OP(CONV, 0), NO(-EINVAL,
	  "no field holds") },
	{ "one core of two: no second streams", U65_512, { A(WEIGHT1_BASE, 0x9000),
	  A(WEIGHT1_LENGTH, 64), A(SCALE1_BASE, 0x9000), A(SCALE1_LENGTH, 64) }, OP(CONV, 0),
	  NEEDS([IFM] = IFM_END, CONV_REST) },
	{ "both cores", U65_512, { S(PARALLEL_MODE, 1), A(WEIGHT1_BASE, 0x9000),
	  A(WEIGHT1_LENGTH, 64), A(SCALE1_BASE, 0x8000), A(SCALE1_LENGTH, 128) }, OP(CONV, 0),
	  NEEDS([IFM] = IFM_END, [WEIGHTS] = 0x9040, [SCALES] = 0x8080, [OFM] = OFM_END) },
	{ "the second has no channels", U65_512, { S(PARALLEL_MODE, 1), A(WEIGHT1_BASE, 0x9003),
	  A(SCALE1_BASE, 0x8003) }, OP(CONV, 0), NEEDS([IFM] = IFM_END, CONV_REST) },
	{ "two cores on one", U65_256, { S(PARALLEL_MODE, 1) }, OP(CONV, 0), NO(-EINVAL, "parallel") },
	{ "and a pooling", U65_256, { S(PARALLEL_MODE, 1) }, OP(POOL, 0), NO(-EINVAL, "parallel") },
	{ "the second's weights far away", U65_512, { S(PARALLEL_MODE, 1),
	  A(WEIGHT1_BASE, 0xff00000000), A(WEIGHT1_LENGTH, 64) }, OP(CONV, 0),
	  NEEDS([IFM] = IFM_END, [WEIGHTS] = 0xff00000040, [SCALES] = S_END, [OFM] = OFM_END) },
	{ "a U85 with one decoder", U85_256, { FOUR_WEIGHTS }, OP(CONV, 0),
	  NEEDS([IFM] = IFM_END, CONV_REST) },
	{ "and with four", U85_2048, { FOUR_WEIGHTS }, OP(CONV, 0),
	  NEEDS([IFM] = IFM_END, [WEIGHTS] = 0x3030, [SCALES] = S_END, [OFM] = OFM_END) },
	{ "the third's length is its own", U85_2048, { FOUR_WEIGHTS, A(WEIGHT2_LENGTH, 0x8000) },
	  OP(CONV, 0), NEEDS([IFM] = IFM_END, [WEIGHTS] = 0xa000, [SCALES] = S_END, [OFM] = OFM_END) },
	{ "fast weights: one stream", U85_2048, { FOUR_WEIGHTS, S(WEIGHT_FORMAT, 1) }, OP(CONV, 0),
	  NEEDS([IFM] = IFM_END, CONV_REST) },
	{ "weights 2 on a U65", U65_256, { A(WEIGHT3_BASE, 0) }, OP(CONV, 0), NO(-EINVAL,
	  "no such command") },
};

/* ---- copies ---- */

#define DMA OP(DMA_START, 0)
/* Region fields: dimensions, inside the NPU, indexed. */
#define DIMS(n)	(((n) - 1) << 9)
#define INSIDE	(1 << 8)
#define INDEXED	(1 << 11)

static const struct rule copies[] = {
	{ "64 bytes", U65_256, .op = DMA, NEEDS([SRC] = 0x140, [DST] = 0x240) },
	{ "none", U65_256, { A(DMA0_LEN, 0) }, DMA, NO(-EINVAL, "no bytes") },
	{ "all there are", U65_256, { A(DMA0_LEN, MINUS(1)), A(DMA0_SRC, 1), A(DMA0_DST, 0) }, DMA,
	  NEEDS([SRC] = TWO40, [DST] = TWO40 - 1) },
	{ "one more", U65_256, { A(DMA0_LEN, MINUS(1)), A(DMA0_SRC, 2), A(DMA0_DST, 0) }, DMA,
	  NO(-EINVAL, "source") },
	{ "at the destination", U85_256, { A(DMA0_LEN, MINUS(1)), A(DMA0_SRC, 0), A(DMA0_DST, 2) },
	  DMA, NO(-EINVAL, "destination") },
	/* U65: SKIP0 bytes are left out after each row, on the side that is strided. */
	{ "U65: 3 rows of 64, every 80, to the destination", U65_256, { S(DMA0_DST_REGION,
	  DIMS(2) | DST), S(DMA0_SIZE0, 3), A(DMA0_SKIP0, 16) }, DMA,
	  NEEDS([SRC] = 0x100 + 3 * 64, [DST] = 0x200 + 2 * 80 + 64) },
	{ "U65: from the source", U65_256, { S(DMA0_SRC_REGION, DIMS(2) | SRC), S(DMA0_SIZE0, 3),
	  A(DMA0_SKIP0, 16) }, DMA, NEEDS([SRC] = 0x100 + 2 * 80 + 64, [DST] = 0x200 + 3 * 64) },
	{ "U65: 2 planes of 3 rows, 100 between them", U65_256, { S(DMA0_DST_REGION, DIMS(3) | DST),
	  S(DMA0_SIZE0, 3), S(DMA0_SIZE1, 2), A(DMA0_SKIP0, 16), A(DMA0_SKIP1, 100) }, DMA,
	  NEEDS([SRC] = 0x100 + 6 * 64, [DST] = 0x200 + 3 * 80 + 100 + 2 * 80 + 64) },
	{ "U65: back over the row: the same each time", U65_256, { S(DMA0_DST_REGION, DIMS(2) | DST),
	  S(DMA0_SIZE0, 9), A(DMA0_SKIP0, MINUS(64)) }, DMA, NEEDS([SRC] = 0x100 + 9 * 64, [DST] = 0x240) },
	{ "U65: downwards to the start", U65_256, { S(DMA0_DST_REGION, DIMS(2) | DST),
	  S(DMA0_SIZE0, 9), A(DMA0_SKIP0, MINUS(128)) }, DMA,
	  NEEDS([SRC] = 0x100 + 9 * 64, [DST] = 0x240) },
	{ "U65: and one beyond", U65_256, { S(DMA0_DST_REGION, DIMS(2) | DST), S(DMA0_SIZE0, 10),
	  A(DMA0_SKIP0, MINUS(128)) }, DMA, NO(-EINVAL, "destination") },
	{ "no rows", U65_256, { S(DMA0_DST_REGION, DIMS(2) | DST) }, DMA, NO(-EINVAL, "no rows") },
	{ "no planes", U85_256, { S(DMA0_SRC_REGION, DIMS(3) | SRC), S(DMA0_SIZE0, 1) }, DMA,
	  NO(-EINVAL, "no rows") },
	{ "3 dimensions, one row", U65_256, { S(DMA0_SRC_REGION, DIMS(3) | SRC), S(DMA0_SIZE0, 1),
	  S(DMA0_SIZE1, 1) }, DMA, NEEDS([SRC] = 0x140, [DST] = 0x240) },
	{ "65535 rows", U65_256, { S(DMA0_SRC_REGION, DIMS(2) | SRC), S(DMA0_SIZE0, 65535) }, DMA,
	  NEEDS([SRC] = 0x100 + 65535 * 64, [DST] = 0x200 + 65535 * 64) },
	{ "4 dimensions", U65_256, { S(DMA0_SRC_REGION, DIMS(4) | SRC) }, DMA, NO(-EINVAL, "no meaning") },
	/* U85: strides are from row to row, from plane to plane, on both sides. */
	{ "U85: 3 rows, 80 and 100 apart", U85_256, { S(DMA0_SRC_REGION, DIMS(2) | SRC),
	  S(DMA0_SIZE0, 3), A(DMA0_SRC_STRIDE0, 80), A(DMA0_DST_STRIDE0, 100) }, DMA,
	  NEEDS([SRC] = 0x100 + 2 * 80 + 64, [DST] = 0x200 + 2 * 100 + 64) },
	{ "U85: strides of 0", U85_256, { S(DMA0_SRC_REGION, DIMS(2) | SRC), S(DMA0_SIZE0, 3) }, DMA,
	  NEEDS([SRC] = 0x140, [DST] = 0x240) },
	{ "U85: 2 planes", U85_256, { S(DMA0_SRC_REGION, DIMS(3) | SRC), S(DMA0_SIZE0, 3),
	  S(DMA0_SIZE1, 2), A(DMA0_SRC_STRIDE0, 80), A(DMA0_DST_STRIDE0, 100),
	  A(DMA0_SRC_STRIDE1, 0x1000), A(DMA0_DST_STRIDE1, 0x2000) }, DMA,
	  NEEDS([SRC] = 0x100 + 0x1000 + 2 * 80 + 64, [DST] = 0x200 + 0x2000 + 2 * 100 + 64) },
	{ "U85: rows down, planes up", U85_256, { S(DMA0_SRC_REGION, DIMS(3) | SRC),
	  S(DMA0_SIZE0, 5), S(DMA0_SIZE1, 2), A(DMA0_SRC_STRIDE0, MINUS(64)),
	  A(DMA0_SRC_STRIDE1, 0x1000) }, DMA, NEEDS([SRC] = 0x1100 + 64, [DST] = 0x240) },
	{ "U85: one row too many", U85_256, { S(DMA0_SRC_REGION, DIMS(3) | SRC), S(DMA0_SIZE0, 6),
	  S(DMA0_SIZE1, 2), A(DMA0_SRC_STRIDE0, MINUS(64)), A(DMA0_SRC_STRIDE1, 0x1000) }, DMA,
	  NO(-EINVAL, "source") },
	{ "U85: dimensions are the source's", U85_256, { S(DMA0_DST_REGION, DIMS(2) | DST) }, DMA,
	  NO(-EINVAL, "no field holds") },
	/* Rows 0 to 9 of 100 bytes, picked 4 times. */
	{ "gather", U85_256, { S(DMA0_SRC_REGION, INDEXED | SRC), S(DMA0_IDX_REGION, IDX),
	  A(DMA0_IDX, 0x10), A(DMA0_IDX_MAX, 9), S(DMA0_SIZE0, 4), A(DMA0_SRC_STRIDE0, 100),
	  A(DMA0_DST_STRIDE0, 64) }, DMA,
	  NEEDS([SRC] = 0x100 + 9 * 100 + 64, [IDX] = 0x10 + 4 * 4, [DST] = 0x200 + 4 * 64) },
	{ "scatter", U85_256, { S(DMA0_DST_REGION, INDEXED | DST), S(DMA0_IDX_REGION, IDX),
	  A(DMA0_IDX_MAX, 9), S(DMA0_SIZE0, 4), A(DMA0_SRC_STRIDE0, 64), A(DMA0_DST_STRIDE0, 100) },
	  DMA, NEEDS([SRC] = 0x100 + 4 * 64, [IDX] = 16, [DST] = 0x200 + 9 * 100 + 64) },
	{ "both", U85_256, { S(DMA0_SRC_REGION, INDEXED | SRC), S(DMA0_DST_REGION, INDEXED | DST),
	  S(DMA0_SIZE0, 4) }, DMA, NO(-EOPNOTSUPP, "both sides") },
	{ "rows that go down as indices go up", U85_256, { S(DMA0_SRC_REGION, INDEXED | SRC),
	  A(DMA0_IDX_MAX, 5), S(DMA0_SIZE0, 1), A(DMA0_SRC_STRIDE0, MINUS(64)) }, DMA, NO(-EINVAL,
	  "source") },
	{ "the largest index", U85_256, { S(DMA0_SRC_REGION, INDEXED | SRC),
	  S(DMA0_IDX_REGION, IDX), A(DMA0_IDX_MAX, 0x7fffffff), S(DMA0_SIZE0, 1),
	  A(DMA0_SRC_STRIDE0, 256) }, DMA,
	  NEEDS([SRC] = 0x100 + 0x7fffffffull * 256 + 64, [IDX] = 4, [DST] = 0x240) },
	{ "an index of 32 bits", U85_256, { A(DMA0_IDX_MAX, 0x80000000) }, DMA, NO(-EINVAL,
	  "no field holds") },
	{ "no indices", U85_256, { S(DMA0_SRC_REGION, INDEXED | SRC) }, DMA, NO(-EINVAL, "no rows") },
	/* 2 planes of 3 indices: 100 from start to start, or from end to start. */
	{ "planes of indices", U85_256, { S(DMA0_SRC_REGION, INDEXED | DIMS(3) | SRC),
	  S(DMA0_IDX_REGION, IDX), A(DMA0_IDX_SKIP1, 100), S(DMA0_SIZE0, 3), S(DMA0_SIZE1, 2) }, DMA,
	  NEEDS([SRC] = 0x140, [IDX] = 12 + 100 + 12, [DST] = 0x240) },
	{ "indices on a U65", U65_256, { S(DMA0_SRC_REGION, INDEXED | SRC) }, DMA, NO(-EINVAL,
	  "no field holds") },
	{ "out of the NPU", U65_256, { S(DMA0_SRC_REGION, INSIDE) }, DMA, NO(-EOPNOTSUPP, "out of") },
	{ "into a U65", U65_256, { S(DMA0_DST_REGION, INSIDE), A(DMA0_DST, 48 * 1024 - 64) }, DMA,
	  NEEDS([SRC] = 0x140) },
	{ "too far", U65_256, { S(DMA0_DST_REGION, INSIDE), A(DMA0_DST, 48 * 1024 - 63) }, DMA,
	  NO(-EINVAL, "beyond the memory") },
	{ "each core has 48 KiB", U65_512, { S(DMA0_DST_REGION, INSIDE), A(DMA0_DST, 48 * 1024) },
	  DMA, NO(-EINVAL, "beyond the memory") },
	{ "into a U85", U85_256, { S(DMA0_DST_REGION, INSIDE), A(DMA0_DST, 2048 - 64) }, DMA,
	  NEEDS([SRC] = 0x140) },
	{ "a megabyte", U85_256, { S(DMA0_DST_REGION, INSIDE), A(DMA0_LEN, 1 << 20) }, DMA, NO(-EINVAL,
	  "beyond the memory") },
	{ "rows into a U85", U85_256, { S(DMA0_DST_REGION, INSIDE), S(DMA0_SRC_REGION, DIMS(2) | SRC),
	  S(DMA0_SIZE0, 5), A(DMA0_DST_STRIDE0, 1024), A(DMA0_DST, 0) }, DMA, NO(-EINVAL,
	  "beyond the memory") },
};

/* ---- the form of a stream ---- */

/**
 * struct form - a stream that is written down whole
 * @rc, @offset, @why: what comes out
 */
struct form {
	const char *name;
	unsigned int npu;
	struct cmd cmds[4];
	int rc;
	u32 offset;
	const char *why;
};

static const struct form forms[] = {
	{ "only a STOP", U65_256, { STOP }, 0, 0, NULL },
	{ "nothing", U65_256, { { .some = false } }, -EINVAL, 0, "no NPU_OP_STOP" },
	{ "no STOP", U65_256, { S(IFM_REGION, 1) }, -EINVAL, 4, "no NPU_OP_STOP" },
	{ "STOP not last", U65_256, { STOP, S(IFM_REGION, 1) }, -EINVAL, 0, "after" },
	{ "two STOPs", U85_256, { STOP, STOP }, -EINVAL, 0, "after" },
	{ "STOP as a second word", U65_256, { A(IFM_BASE0, 0xffff0000) }, -EINVAL, 8,
	  "no NPU_OP_STOP" },
	{ "cut short", U65_256, { S(IFM_REGION, 1), WORD(ETHOSU_CMD1(SET_IFM_BASE0, 0)) },
	  -EINVAL, 4, "second word" },
	{ "cut short after STOP's place", U85_256,
	  { TWO(ETHOSU_CMD1(SET_IFM_BASE0, 0), 0), WORD(ETHOSU_CMD1(OP_BRANCH, 0)) },
	  -EINVAL, 8, "second word" },
	/* The opcode has 10 bits, then 4 that are 0: DMA_START is not another command with them. */
	{ "bit 10", U65_256, { WORD(0x0410), STOP }, -EINVAL, 0, "reserved" },
	{ "bit 11", U65_256, { WORD(0x0810), STOP }, -EINVAL, 0, "reserved" },
	{ "bit 12", U65_256, { WORD(0x1010), STOP }, -EINVAL, 0, "reserved" },
	{ "bit 13", U85_256, { WORD(0x2010), STOP }, -EINVAL, 0, "reserved" },
	{ "control 2", U65_256, { TWO(0x8010, 0), STOP }, -EINVAL, 0, "reserved" },
	{ "control 3", U65_256, { TWO(0xc010, 0), STOP }, -EINVAL, 0, "reserved" },
	{ "opcode 4", U65_256, { WORD(4), STOP }, -EINVAL, 0, "no such command" },
	{ "opcode 0x3ff", U65_256, { WORD(0x3ff), STOP }, -EINVAL, 0, "no such command" },
	{ "two words, 0x3ff", U85_256, { TWO(0x43ff, 0), STOP }, -EINVAL, 0,
	  "no such command" },
	{ "two words, 0x007", U65_256, { TWO(0x4007, 0), STOP }, -EINVAL, 0,
	  "no such command" },
	{ "a U85's register", U65_256, { S(IFM_BROADCAST, 0), STOP }, -EINVAL, 0,
	  "no such command" },
	{ "a U65's register", U85_256, { S(PARALLEL_MODE, 0), STOP }, -EINVAL, 0,
	  "no such command" },
	{ "a U65's register where the U85 has another", U85_256, { S(AB_START, 0x1fff), STOP },
	  -EINVAL, 0, "no field holds" },
	{ "a branch to itself", U85_256, { TWO(ETHOSU_CMD1(OP_BRANCH, 0), 0), STOP },
	  -EOPNOTSUPP, 0, "branch" },
	{ "a branch forward", U85_256, { TWO(ETHOSU_CMD1(OP_BRANCH, 0), 8), STOP },
	  -EOPNOTSUPP, 0, "branch" },
	{ "a conditional one", U85_256, { TWO(ETHOSU_CMD1(OP_BRANCH, 1), 8), STOP },
	  -EOPNOTSUPP, 0, "branch" },
	{ "a U65 has none", U65_256, { TWO(ETHOSU_CMD1(OP_BRANCH, 0), 8), STOP }, -EINVAL, 0,
	  "no such command" },
	{ "an interrupt", U65_256, { S(IFM_REGION, 1), OP(IRQ, 1), STOP }, -EOPNOTSUPP, 4,
	  "interrupt" },
	{ "waits", U65_256, { OP(KERNEL_WAIT, 3), OP(DMA_WAIT, 15), OP(PMU_MASK, 1), STOP }, 0,
	  0, NULL },
	{ "an address of 41 bits", U65_256, { TWO(ETHOSU_CMD1(SET_OFM_BASE0, 0x100), 0), STOP },
	  -EINVAL, 0, "no field holds" },
};

#endif
