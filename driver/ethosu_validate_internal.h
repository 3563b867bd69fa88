/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the files of the validator share. */
#ifndef ETHOSU_VALIDATE_INTERNAL_H
#define ETHOSU_VALIDATE_INTERNAL_H

#include "ethosu_validate.h"
#include "uapi/ethosu_isa.h"

/* A field of a register: of a one-word command, of either word of a two-word command. */
#define REG0(c, name, field) \
	ETHOSU_GET(name##_##field, (c)->cmd0[ETHOSU_##name & 0xff])
#define PARAM1(c, name, field) \
	ETHOSU_GET(name##_##field, (u32)((c)->cmd1[ETHOSU_##name & 0xff] >> 32))
#define PAYLOAD1(c, name, field) \
	ETHOSU_GET(name##_##field, (u32)(c)->cmd1[ETHOSU_##name & 0xff])

/* First address that no command can name. */
#define ADDRESS_END	((s64)1 << ETHOSU_ADDRESS_BITS)

/* Table memory: 2 KiB, in which tables lie at multiples of 256 bytes. */
#define TABLE_MEMORY	2048
#define TABLE_UNIT	256

enum ethosu_operand { OPERAND_IFM, OPERAND_IFM2, OPERAND_OFM };

/* A feature map's extent in elements. */
struct ethosu_extent {
	u32 height;
	u32 width;
	u32 depth;
};

/* Bytes [lo, hi) of a region, or of memory inside the NPU. */
struct ethosu_span {
	s64 lo;
	s64 hi;
};

static inline bool is_u85(const struct ethosu_check *c)
{
	return c->hw->arch == 85;
}

/* A register that holds an address or a length: 40 bits, unsigned. */
static inline s64 address(const struct ethosu_check *c, unsigned int reg)
{
	return c->cmd1[reg] & (ADDRESS_END - 1);
}

/* The same 40 bits with a sign: what is added to addresses wraps as they do. */
static inline s64 stride(const struct ethosu_check *c, unsigned int reg)
{
	return address(c, reg) - (address(c, reg) >> (ETHOSU_ADDRESS_BITS - 1) ? ADDRESS_END : 0);
}

/* Note why the stream is refused. Return: @err. */
int ethosu_refuse(struct ethosu_check *c, int err, const char *why, u64 value);

/*
 * Let a span reach over @steps, not negative, steps of @step bytes, up or down. Return: 0 or
 * -EOVERFLOW.
 */
int ethosu_span_stretch(struct ethosu_span *span, s64 step, s64 steps);

/* Require @span of a region. @why: what to say if it is no part of any. Return: 0 or refused. */
int ethosu_touch(struct ethosu_check *c, unsigned int region, const struct ethosu_span *span,
		 bool write, const char *why);

/* Elements of 64 bits are for loading accumulators only. */
int ethosu_check_element(struct ethosu_check *c, enum ethosu_operand which);

/* Require an operand's feature map, in a region or handed on inside the NPU. */
int ethosu_touch_fm(struct ethosu_check *c, enum ethosu_operand which,
		    const struct ethosu_extent *extent);

/* Refuse two cores where there is one. */
int ethosu_check_parallel(struct ethosu_check *c);

/* Require the weights of a convolution; the scales of any operation that has one per channel. */
int ethosu_touch_weights(struct ethosu_check *c);
int ethosu_touch_scales(struct ethosu_check *c, bool needed);

/* The table that the activation looks up must be one that the stream has loaded. */
int ethosu_check_table(struct ethosu_check *c);

/* NPU_OP_DMA_START; NPU_OP_CONV and the other operations of the kernel unit. */
int ethosu_check_dma(struct ethosu_check *c);
int ethosu_check_kernel(struct ethosu_check *c, unsigned int opcode, unsigned int param);

#endif
