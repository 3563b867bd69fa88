// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Feature maps: the bytes from the first to the last element in each of the tiles that an operation
 * reaches, whatever the strides; and those that are handed on inside the NPU.
 */
#include "ethosu_validate_internal.h"

/* Elements of a brick, the unit of depth in NHCWB16. */
#define BRICK	16
/* Bricks are fetched in units of so many bytes. */
#define FETCH	16

/* Registers of an operand. */
struct fm_regs {
	u8 precision, width0, height0, height1, region;
	u8 base0, stride_x, stride_y, stride_c;
	const char *range;
	const char *type;
};

static const struct fm_regs fm_regs[] = {
#define FM_REGS(name)                                                                              \
	{                                                                                          \
		.precision = ETHOSU_SET_##name##_PRECISION & 0xff,                                 \
		.width0 = ETHOSU_SET_##name##_WIDTH0_M1 & 0xff,                                    \
		.height0 = ETHOSU_SET_##name##_HEIGHT0_M1 & 0xff,                                  \
		.height1 = ETHOSU_SET_##name##_HEIGHT1_M1 & 0xff,                                  \
		.region = ETHOSU_SET_##name##_REGION & 0xff,                                       \
		.base0 = ETHOSU_SET_##name##_BASE0,                                                \
		.stride_x = ETHOSU_SET_##name##_STRIDE_X,                                          \
		.stride_y = ETHOSU_SET_##name##_STRIDE_Y,                                          \
		.stride_c = ETHOSU_SET_##name##_STRIDE_C,                                          \
		.range = "the " #name " starts before its region or ends after 2^40 bytes",        \
		.type = #name " elements of 64 bits",                                   \
	}
	[OPERAND_IFM] = FM_REGS(IFM),
	[OPERAND_IFM2] = FM_REGS(IFM2),
	[OPERAND_OFM] = FM_REGS(OFM),
#undef FM_REGS
};

int ethosu_span_stretch(struct ethosu_span *span, s64 step, s64 steps)
{
	s64 reach;

	if (check_mul_overflow(step, steps, &reach))
		return -EOVERFLOW;
	if (check_add_overflow(reach < 0 ? span->lo : span->hi, reach,
			       reach < 0 ? &span->lo : &span->hi))
		return -EOVERFLOW;
	return 0;
}

int ethosu_touch(struct ethosu_check *c, unsigned int region, const struct ethosu_span *span,
		 bool write, const char *why)
{
	struct ethosu_region_use *use = &c->use.region[region];
	u64 *end = write ? &use->write_end : &use->read_end;

	if (span->lo < 0 || span->hi > ADDRESS_END)
		return ethosu_refuse(c, -EINVAL, why, span->lo < 0 ? span->lo : span->hi);
	if ((u64)span->hi > *end)
		*end = span->hi;
	return 0;
}

static unsigned int element_log2(const struct ethosu_check *c, enum ethosu_operand which)
{
	unsigned int precision = c->cmd0[fm_regs[which].precision];

	return which == OPERAND_OFM ? ETHOSU_GET(SET_OFM_PRECISION_PRECISION, precision) :
				      ETHOSU_GET(SET_IFM_PRECISION_PRECISION, precision);
}

int ethosu_check_element(struct ethosu_check *c, enum ethosu_operand which)
{
	if (element_log2(c, which) == ETHOSU_ACTIVATION_PRECISION_B64)
		return ethosu_refuse(c, -EOPNOTSUPP, fm_regs[which].type, 64);
	return 0;
}

/*
 * Bytes from the start of a tile's last pixel, or brick, to its end. Whether the channels that an
 * OFM's last brick is padded with are written is not known.
 */
static s64 tail(enum ethosu_operand which, bool bricks, u32 depth, s64 element)
{
	if (bricks && (depth > BRICK || which == OPERAND_OFM))
		return BRICK * element;
	return depth * element;
}

static int touch_tile(struct ethosu_check *c, enum ethosu_operand which, unsigned int tile,
		      const struct ethosu_extent *e)
{
	const struct fm_regs *r = &fm_regs[which];
	bool bricks = ETHOSU_GET(SET_IFM_PRECISION_FORMAT, c->cmd0[r->precision]) ==
		      ETHOSU_ACTIVATION_FORMAT_NHCWB16;
	s64 element = (s64)1 << element_log2(c, which);
	struct ethosu_span span = { .lo = address(c, r->base0 + tile) };
	int rc;

	if (!e->height || !e->width)
		return 0;
	span.hi = span.lo + tail(which, bricks, e->depth, element);
	rc = ethosu_span_stretch(&span, stride(c, r->stride_y), e->height - 1);
	if (!rc && bricks)
		rc = ethosu_span_stretch(&span, BRICK * element, e->width - 1);
	else if (!rc)
		rc = ethosu_span_stretch(&span, stride(c, r->stride_x), e->width - 1);
	if (!rc && bricks)
		rc = ethosu_span_stretch(&span, stride(c, r->stride_c), (e->depth - 1) / BRICK);
	if (rc)
		return ethosu_refuse(c, -EINVAL, r->range, tile);
	/* A slice of a brick's channels may start inside it: then it ends inside as well. */
	if (bricks)
		span.hi = (span.hi + FETCH - 1) & -(s64)FETCH;
	return ethosu_touch(c, ETHOSU_GET(SET_IFM_REGION_REGION, c->cmd0[r->region]), &span,
			    which == OPERAND_OFM, r->range);
}

static u32 at_most(u32 a, u32 b)
{
	return a < b ? a : b;
}

/*
 * Columns from WIDTH0 on are in tiles 1 and 3; rows from HEIGHT0 and HEIGHT1 on in tiles 2 and 3.
 */
static int touch_tiles(struct ethosu_check *c, enum ethosu_operand which,
		       const struct ethosu_extent *e)
{
	const struct fm_regs *r = &fm_regs[which];
	u32 left = at_most(e->width, c->cmd0[r->width0] + 1u);
	u32 top0 = at_most(e->height, c->cmd0[r->height0] + 1u);
	u32 top1 = at_most(e->height, c->cmd0[r->height1] + 1u);
	const struct ethosu_extent tiles[] = {
		{ top0, left, e->depth },
		{ top1, e->width - left, e->depth },
		{ e->height - top0, left, e->depth },
		{ e->height - top1, e->width - left, e->depth },
	};
	unsigned int i;
	int rc;

	for (i = 0; i < ARRAY_SIZE(tiles); i++) {
		rc = touch_tile(c, which, i, &tiles[i]);
		if (rc)
			return rc;
	}
	return 0;
}

/* A chaining buffer holds a whole feature map; only what an OFM has put there may be taken. */
static int chain_fm(struct ethosu_check *c, enum ethosu_operand which,
		    const struct ethosu_extent *e)
{
	u64 pixel = (u64)e->depth << element_log2(c, which);
	u64 *filled = &c->chain[c->cmd0[fm_regs[which].region]];
	u64 size;

	if (check_mul_overflow((u64)e->height * e->width, pixel, &size) ||
	    size > (u64)ADDRESS_END)
		return ethosu_refuse(c, -EINVAL, "too large to be chained", e->depth);
	c->use.chain_ops++;
	if (which == OPERAND_OFM)
		*filled = size;
	else if (size > *filled)
		return ethosu_refuse(c, -EINVAL,
				     "more is taken from a chaining buffer than was put there",
				     size);
	return 0;
}

int ethosu_touch_fm(struct ethosu_check *c, enum ethosu_operand which,
		    const struct ethosu_extent *extent)
{
	const struct fm_regs *r = &fm_regs[which];
	unsigned int storage = ETHOSU_ACTIVATION_STORAGE_TILE2X2;
	unsigned int precision = c->cmd0[r->precision];

	if (is_u85(c))
		storage = ETHOSU_GET(SET_IFM_PRECISION_STORAGE, precision);
	switch (storage) {
	case ETHOSU_ACTIVATION_STORAGE_TILE2X2:
		return touch_tiles(c, which, extent);
	case ETHOSU_ACTIVATION_STORAGE_CHAINED:
		return chain_fm(c, which, extent);
	default:
		return ethosu_refuse(c, -EOPNOTSUPP, "a feature map's storage is not known",
				     storage);
	}
}
