/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Tests of the validator, in the kernel and in user space: command streams written down, and an
 * operation of every kind to start from.
 */
#ifndef ACCEL_TESTS_VALIDATE_CMDS_H
#define ACCEL_TESTS_VALIDATE_CMDS_H

#include "driver/ethosu_validate.h"
#include "uapi/ethosu_isa.h"

/* Each operand has a region of its own. */
enum { WEIGHTS, IFM, SRC, IFM2, OFM, SCALES, IDX, DST };

enum { U65_256, U65_512, U85_256, U85_2048, HW_COUNT };

static const struct {
	const char *name;
	u32 id, config;
} npus[HW_COUNT] = {
	{ "u65-256", 0x10066001, 0x10003008 },
	{ "u65-512", 0x10066001, 0x10006009 },
	{ "u85-256", 0x20007001, 0x20000118 },
	{ "u85-2048", 0x20007001, 0x2000261b },
};

/* A command; @two: it has a second word. */
struct cmd {
	u32 word, second;
	bool two, some;
};

#define S(name, param)	{ ETHOSU_CMD0(SET_##name, param), 0, false, true }
#define A(name, v)	{ ETHOSU_CMD1(SET_##name, (u64)(v) >> 32 & 0xff), (u32)(v), true, true }
#define WORD(v)		{ v, 0, false, true }
#define TWO(v, second)	{ v, second, true, true }
#define OP(name, param)	{ ETHOSU_CMD0(OP_##name, param), 0, false, true }
#define STOP		OP(STOP, 0xffff)

/* Bits of the precision registers; the OFM's element size is one bit further down. */
#define ELEM(log2)	((log2) << 2)
#define OFM_ELEM(log2)	((log2) << 1)
#define BRICKS		(1 << 6)
#define GLOBAL		(1 << 8)
#define TRANSPOSED(code) ((code) << 11)
#define CHAINED		(2 << 14)

/*
 * An OFM of 4 x 5 x 24 bytes at 0x2000, an IFM with 16 channels at 0x1000, an IFM2 of the OFM's shape
 * at 0x3000, all dense, a kernel of 1 x 1, weights of 256 bytes at 0x40, scales of 240 at 0x20.
 */
static const struct cmd base[] = {
	S(IFM_REGION, IFM), S(IFM2_REGION, IFM2), S(OFM_REGION, OFM), S(WEIGHT_REGION, WEIGHTS),
	S(SCALE_REGION, SCALES), S(OFM_HEIGHT_M1, 3), S(OFM_WIDTH_M1, 4), S(OFM_DEPTH_M1, 23),
	S(IFM_DEPTH_M1, 15), S(OFM_WIDTH0_M1, 4), S(OFM_HEIGHT0_M1, 3), S(OFM_HEIGHT1_M1, 3),
	S(IFM_WIDTH0_M1, 99), S(IFM_HEIGHT0_M1, 99), S(IFM_HEIGHT1_M1, 99), S(IFM2_WIDTH0_M1, 4),
	S(IFM2_HEIGHT0_M1, 3), S(IFM2_HEIGHT1_M1, 3),
	A(IFM_BASE0, 0x1000), A(IFM_STRIDE_X, 16), A(IFM_STRIDE_Y, 80), A(IFM_STRIDE_C, 1),
	A(IFM2_BASE0, 0x3000), A(IFM2_STRIDE_X, 24), A(IFM2_STRIDE_Y, 120), A(IFM2_STRIDE_C, 1),
	A(OFM_BASE0, 0x2000), A(OFM_STRIDE_X, 24), A(OFM_STRIDE_Y, 120), A(OFM_STRIDE_C, 1),
	A(WEIGHT_BASE, 0x40), A(WEIGHT_LENGTH, 0x100), A(SCALE_BASE, 0x20), A(SCALE_LENGTH, 240),
	S(DMA0_SRC_REGION, SRC), S(DMA0_DST_REGION, DST), A(DMA0_SRC, 0x100), A(DMA0_DST, 0x200),
	A(DMA0_LEN, 64),
};

static inline size_t put(u32 *words, size_t n, const struct cmd *cmd)
{
	words[n++] = cmd->word;
	if (cmd->two)
		words[n++] = cmd->second;
	return n;
}

static inline size_t put_all(u32 *words, size_t n, const struct cmd *cmds, size_t count)
{
	for (size_t i = 0; i < count && cmds[i].some; i++)
		n = put(words, n, &cmds[i]);
	return n;
}

#endif
