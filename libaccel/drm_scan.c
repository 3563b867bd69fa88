/* SPDX-License-Identifier: MIT */
/*
 * Which regions a command stream uses, as Linux's driver counts them: it refuses a job that has a
 * buffer for a region that its stream does not use, and lets no one ask.
 *
 * Not a validator: the kernel has looked at the stream already, and looks at the buffers again.
 */
#include "drm.h"

#include <endian.h>
#include <string.h>

#include "uapi/ethosu_isa.h"

/* Set in no command: Linux's driver takes such words for none that it knows. */
#define OTHER_BITS	(ETHOSU_RESERVED_MASK | 1u << 15)
#define STATE0	1	/* upper bits of the opcodes of one-word state commands */
/* IFM_BROADCAST, IFM2_BROADCAST: the operand is a scalar. */
#define SCALAR_U85	ETHOSU_U85_BROADCAST_MODE_SCALAR

/**
 * struct scan - registers as the stream has set them; all ones until then
 * @state0: parameters of one-word commands, by the low byte of the opcode
 * @state1: addresses and lengths of two-word commands
 */
struct scan {
	struct drm_usage *usage;
	bool u85;
	uint16_t state0[0x100];
	uint64_t state1[0x100];
};

#define REG0(scan, name) ((scan)->state0[ETHOSU_##name & 0xff])
#define REG1(scan, name) ((scan)->state1[ETHOSU_##name])

static void touch(struct scan *s, uint16_t region_reg, bool write)
{
	uint32_t bit = 1u << ETHOSU_GET(SET_IFM_REGION_REGION, region_reg);

	if (write)
		s->usage->written |= bit;
	else
		s->usage->read |= bit;
}

/* A feature map, unless it stays inside the NPU. */
static void touch_fm(struct scan *s, uint16_t region, uint16_t precision, bool write)
{
	if (s->u85 && ETHOSU_GET(SET_IFM_PRECISION_STORAGE, precision) ==
	    ETHOSU_ACTIVATION_STORAGE_CHAINED)
		return;
	touch(s, region, write);
}

static void touch_ofm(struct scan *s)
{
	touch_fm(s, REG0(s, SET_OFM_REGION), REG0(s, SET_OFM_PRECISION), true);
}

static void touch_ifm(struct scan *s)
{
	touch_fm(s, REG0(s, SET_IFM_REGION), REG0(s, SET_IFM_PRECISION), false);
}

static void touch_ifm2(struct scan *s)
{
	touch_fm(s, REG0(s, SET_IFM2_REGION), REG0(s, SET_IFM2_PRECISION), false);
}

/* Scales are one for all channels, or come from memory. */
static void touch_scale(struct scan *s)
{
	if (ETHOSU_GET(SET_OFM_PRECISION_SCALE_MODE, REG0(s, SET_OFM_PRECISION)) ==
	    ETHOSU_OFM_SCALE_MODE_PER_CHANNEL &&
	    REG1(s, SET_SCALE_BASE) + REG1(s, SET_SCALE_LENGTH))
		touch(s, REG0(s, SET_SCALE_REGION), false);
}

static void conv(struct scan *s, uint16_t param)
{
	touch_ifm(s);
	if (ETHOSU_GET(OP_CONV_WEIGHTS_IFM2, param))
		touch_ifm2(s);
	else if (REG1(s, SET_WEIGHT_BASE) + REG1(s, SET_WEIGHT_LENGTH))
		touch(s, REG0(s, SET_WEIGHT_REGION), false);
	touch_scale(s);
	touch_ofm(s);
}

static void pool(struct scan *s, uint16_t param)
{
	if (param != ETHOSU_U85_POOLING_MODE_NONE)
		touch_ifm(s);
	touch_scale(s);
	touch_ofm(s);
}

static void elementwise(struct scan *s, uint16_t param)
{
	uint16_t broadcast2 = REG0(s, SET_IFM2_BROADCAST);
	bool scalar2 = s->u85 ? broadcast2 == SCALAR_U85 :
				ETHOSU_GET(SET_IFM2_BROADCAST_BROADCAST_CONSTANT, broadcast2);

	if (REG0(s, SET_IFM_BROADCAST) != SCALAR_U85)
		touch_ifm(s);
	switch (param) {
	case ETHOSU_U85_ELEMENTWISE_MODE_LRELU:
	case ETHOSU_U85_ELEMENTWISE_MODE_ABS:
	case ETHOSU_U85_ELEMENTWISE_MODE_CLZ:
	case ETHOSU_U85_ELEMENTWISE_MODE_NOT:
		break;
	default:
		if (!scalar2)
			touch_ifm2(s);
	}
	touch_ofm(s);
}

static void dma(struct scan *s)
{
	uint16_t src = REG0(s, SET_DMA0_SRC_REGION), dst = REG0(s, SET_DMA0_DST_REGION);
	uint64_t len = REG1(s, SET_DMA0_LEN);

	if (ETHOSU_GET(SET_DMA0_SRC_REGION_REGION_MODE, src) == ETHOSU_DMA_REGION_MODE_EXTERNAL &&
	    REG1(s, SET_DMA0_SRC) + len)
		touch(s, src, false);
	if (ETHOSU_GET(SET_DMA0_DST_REGION_REGION_MODE, dst) == ETHOSU_DMA_REGION_MODE_EXTERNAL &&
	    REG1(s, SET_DMA0_DST) + len)
		touch(s, dst, true);
}

static void operation(struct scan *s, uint32_t opcode, uint16_t param)
{
	switch (opcode) {
	case ETHOSU_OP_DMA_START:
		dma(s);
		break;
	case ETHOSU_OP_CONV:
	case ETHOSU_OP_DEPTHWISE:
		conv(s, param);
		break;
	case ETHOSU_OP_POOL:
		pool(s, param);
		break;
	case ETHOSU_OP_ELEMENTWISE:
		elementwise(s, param);
		break;
	}
}

/* Commands that name a region. */
static bool names_region(uint32_t word)
{
	switch (word & 0xffff) {
	case ETHOSU_SET_IFM_REGION:
	case ETHOSU_SET_IFM2_REGION:
	case ETHOSU_SET_OFM_REGION:
	case ETHOSU_SET_WEIGHT_REGION:
	case ETHOSU_SET_SCALE_REGION:
	case ETHOSU_SET_DMA0_SRC_REGION:
	case ETHOSU_SET_DMA0_DST_REGION:
	case ETHOSU_SET_DMA0_IDX_REGION:
		return true;
	default:
		return false;
	}
}

void drm_scan_rename(uint32_t *stream, size_t words, const uint8_t *map)
{
	const uint32_t mask = 7u << ETHOSU_PARAM_SHIFT;
	uint32_t word;
	size_t i;

	for (i = 0; i < words; i++) {
		word = le32toh(stream[i]);
		if (names_region(word))
			stream[i] = htole32((word & ~mask) | (uint32_t)map[(word & mask) >>
					    ETHOSU_PARAM_SHIFT] << ETHOSU_PARAM_SHIFT);
		i += word >> ETHOSU_CONTROL_SHIFT & 1;
	}
}

void drm_scan(const uint32_t *stream, size_t words, bool u85, struct drm_usage *usage)
{
	struct scan s = { .usage = usage, .u85 = u85 };
	uint32_t word, opcode;
	uint16_t param;
	size_t i;

	memset(usage, 0, sizeof(*usage));
	memset(s.state0, 0xff, sizeof(s.state0));
	memset(s.state1, 0xff, sizeof(s.state1));
	for (i = 0; i < words; i++) {
		word = le32toh(stream[i]);
		opcode = word & ETHOSU_OPCODE_MASK;
		param = (uint16_t)(word >> ETHOSU_PARAM_SHIFT);
		if (word & 1u << ETHOSU_CONTROL_SHIFT) {
			if (++i < words && opcode < 0x100 && !(word & OTHER_BITS))
				s.state1[opcode] = (uint64_t)(param & 0xff) << 32 |
						   le32toh(stream[i]);
		} else if (word & OTHER_BITS) {
			continue;
		} else if (opcode >> 8 == STATE0) {
			s.state0[opcode & 0xff] = param;
		} else {
			operation(&s, opcode, param);
		}
	}
}
