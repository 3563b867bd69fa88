// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What is not a feature map: weights, scales, tables, and copies from one place to another. */
#include "ethosu_validate_internal.h"

/* The NPU fetches streams in units of this many bytes, which they must start at. */
#define STREAM_UNIT	16

/* Bytes of an entry in the table of an indexed copy. */
#define INDEX_BYTES	4

struct stream_regs {
	u8 base;
	u8 length;
};

static const struct stream_regs weight_regs[] = {
	{ ETHOSU_SET_WEIGHT_BASE, ETHOSU_SET_WEIGHT_LENGTH },
	{ ETHOSU_SET_WEIGHT1_BASE, ETHOSU_SET_WEIGHT1_LENGTH },
	{ ETHOSU_SET_WEIGHT2_BASE, ETHOSU_SET_WEIGHT2_LENGTH },
	{ ETHOSU_SET_WEIGHT3_BASE, ETHOSU_SET_WEIGHT3_LENGTH },
};

/* The second is the U65's: the U85 has one for all its decoders. */
static const struct stream_regs scale_regs[] = {
	{ ETHOSU_SET_SCALE_BASE, ETHOSU_SET_SCALE_LENGTH },
	{ ETHOSU_SET_SCALE1_BASE, ETHOSU_SET_SCALE1_LENGTH },
};

static int touch_stream(struct ethosu_check *c, const struct stream_regs *r, unsigned int region)
{
	struct ethosu_span span = { .lo = address(c, r->base) };
	u32 length = c->cmd1[r->length];

	if (!length)
		return 0;
	if (span.lo & (STREAM_UNIT - 1))
		return ethosu_refuse(c, -EINVAL, "weights or scales do not start on 16 bytes",
				     span.lo);
	span.hi = span.lo + (((s64)length + STREAM_UNIT - 1) & -(s64)STREAM_UNIT);
	return ethosu_touch(c, region, &span, false, "weights or scales end after 2^40 bytes");
}

static bool parallel(const struct ethosu_check *c)
{
	return !is_u85(c) && REG0(c, SET_PARALLEL_MODE, PARALLEL_MODE) ==
				     ETHOSU_PARALLEL_MODE_DUAL_CORE_DEPTH;
}

static bool fast_weights(const struct ethosu_check *c)
{
	return REG0(c, SET_WEIGHT_FORMAT, WEIGHT_FORMAT) == ETHOSU_WEIGHT_FORMAT_FWD;
}

/* Fast weights come in one stream for all decoders. */
static unsigned int weight_streams(const struct ethosu_check *c)
{
	if (is_u85(c))
		return fast_weights(c) ? 1 : c->hw->streams;
	return parallel(c) ? 2 : 1;
}

int ethosu_check_parallel(struct ethosu_check *c)
{
	if (parallel(c) && c->hw->streams < 2)
		return ethosu_refuse(c, -EINVAL, "two cores in parallel on an NPU that has one", 1);
	return 0;
}

int ethosu_touch_weights(struct ethosu_check *c)
{
	unsigned int region = REG0(c, SET_WEIGHT_REGION, REGION);
	unsigned int i;
	int rc;

	if (!PAYLOAD1(c, SET_WEIGHT_LENGTH, LENGTH))
		return ethosu_refuse(c, -EINVAL, "a convolution without weights", 0);
	for (i = 0; i < weight_streams(c); i++) {
		rc = touch_stream(c, &weight_regs[i], region);
		if (rc)
			return rc;
	}
	return 0;
}

int ethosu_touch_scales(struct ethosu_check *c, bool needed)
{
	unsigned int region = REG0(c, SET_SCALE_REGION, REGION);
	int rc;

	if (REG0(c, SET_OFM_PRECISION, SCALE_MODE) != ETHOSU_OFM_SCALE_MODE_PER_CHANNEL)
		return 0;
	if (needed && !PAYLOAD1(c, SET_SCALE_LENGTH, LENGTH))
		return ethosu_refuse(c, -EINVAL, "scales per channel, but no scales", 0);
	rc = touch_stream(c, &scale_regs[0], region);
	if (rc || !parallel(c))
		return rc;
	return touch_stream(c, &scale_regs[1], region);
}

/* Bytes of a U85 table, by activation function. */
static const u16 table_size_u85[] = {
	[ETHOSU_U85_ACTIVATION_FUNCTION_LUT_U8_U8] = 256,
	[ETHOSU_U85_ACTIVATION_FUNCTION_LUT_S8_S8] = 256,
	[ETHOSU_U85_ACTIVATION_FUNCTION_LUT_S8_S16] = 512,
	[ETHOSU_U85_ACTIVATION_FUNCTION_LUT_S8_S32] = 1024,
	[ETHOSU_U85_ACTIVATION_FUNCTION_LUT_S16_S16] = 2048,
	[ETHOSU_U85_ACTIVATION_FUNCTION_LUT_S16_S32] = 2048,
	[ETHOSU_U85_ACTIVATION_FUNCTION_LUT_TANH] = 2048,
	[ETHOSU_U85_ACTIVATION_FUNCTION_LUT_SIGMOID] = 2048,
};

static int check_loaded(struct ethosu_check *c, unsigned int at, unsigned int size)
{
	u32 slots;

	if (at + size > TABLE_MEMORY)
		return ethosu_refuse(c, -EINVAL, "a table ends after the table memory", at + size);
	slots = ((1u << size / TABLE_UNIT) - 1) << at / TABLE_UNIT;
	if (slots & ~c->tables)
		return ethosu_refuse(c, -EINVAL, "a table that the stream has not loaded", at);
	return 0;
}

/* The table's form follows from the values that it is looked up with and from the OFM's. */
static int table_u65(struct ethosu_check *c, unsigned int at)
{
	unsigned int out = REG0(c, SET_OFM_PRECISION, PRECISION);
	bool is_signed = REG0(c, SET_OFM_PRECISION, TYPE) == ETHOSU_ACTIVATION_TYPE_SIGNED;
	bool in_16_bits = false;

	switch (REG0(c, SET_ACTIVATION, CLIP_RANGE)) {
	case ETHOSU_U65_ACTIVATION_CLIP_RANGE_FORCE_UINT8:
		is_signed = false;
		break;
	case ETHOSU_U65_ACTIVATION_CLIP_RANGE_FORCE_INT8:
		is_signed = true;
		break;
	case ETHOSU_U65_ACTIVATION_CLIP_RANGE_FORCE_INT16:
		is_signed = true;
		in_16_bits = true;
		break;
	default:
		in_16_bits = out == ETHOSU_ACTIVATION_PRECISION_B16;
		if (out == ETHOSU_ACTIVATION_PRECISION_B32)
			return ethosu_refuse(c, -EOPNOTSUPP, "a table for values of 32 bits", out);
		break;
	}
	if (in_16_bits ? out == ETHOSU_ACTIVATION_PRECISION_B8 :
			 !is_signed && out != ETHOSU_ACTIVATION_PRECISION_B8)
		return ethosu_refuse(c, -EOPNOTSUPP, "no table is known for these types", out);
	return check_loaded(c, at, in_16_bits ? 2048 : 256 << out);
}

int ethosu_check_table(struct ethosu_check *c)
{
	unsigned int function, size;

	if (is_u85(c)) {
		function = REG0(c, SET_ACTIVATION, FUNCTION_U85);
		if (!function)
			return 0;
		size = table_size_u85[function];
		return check_loaded(c, REG0(c, SET_ACTIVATION, TABLE) * size, size);
	}
	function = REG0(c, SET_ACTIVATION, FUNCTION);
	if (function < ETHOSU_U65_ACTIVATION_FUNCTION_TABLE_0)
		return 0;
	return table_u65(c, (function - ETHOSU_U65_ACTIVATION_FUNCTION_TABLE_0) * TABLE_UNIT);
}

/* One end of a copy: planes of rows of as many bytes. */
struct dma_side {
	s64 start;
	s64 step[2];
	s64 rows;
	s64 planes;
};

static int dma_span(const struct dma_side *side, s64 length, struct ethosu_span *span)
{
	int rc;

	span->lo = side->start;
	if (check_add_overflow(side->start, length, &span->hi))
		return -EOVERFLOW;
	rc = ethosu_span_stretch(span, side->step[0], side->rows - 1);
	return rc ? rc : ethosu_span_stretch(span, side->step[1], side->planes - 1);
}

static int touch_dma(struct ethosu_check *c, unsigned int region, const struct dma_side *side,
		     s64 length, bool write, const char *why)
{
	struct ethosu_span span;

	if (dma_span(side, length, &span))
		return ethosu_refuse(c, -EINVAL, why, side->start);
	return ethosu_touch(c, region, &span, write, why);
}

/*
 * A copy into the NPU: to the table RAM of a U85, anywhere in a U65's SHRAM, where tables are
 * last.
 */
static int load(struct ethosu_check *c, const struct dma_side *side, s64 length)
{
	s64 tables = (s64)c->hw->internal_size - TABLE_MEMORY;
	struct ethosu_span span;
	s64 slot;

	if (dma_span(side, length, &span) || span.lo < 0 || span.hi > c->hw->internal_size)
		return ethosu_refuse(c, -EINVAL, "a copy to beyond the memory of the NPU",
				     side->start);
	/* Rows may have gaps. */
	if (side->rows > 1 || side->planes > 1)
		return 0;
	for (slot = 0; slot < TABLE_MEMORY / TABLE_UNIT; slot++)
		if (span.lo <= tables + slot * TABLE_UNIT &&
		    span.hi >= tables + (slot + 1) * TABLE_UNIT)
			c->tables |= 1u << slot;
	return 0;
}

static int set_rows(struct ethosu_check *c, bool planes, struct dma_side *src, struct dma_side *dst)
{
	u32 rows = REG0(c, SET_DMA0_SIZE0, SIZE), count = REG0(c, SET_DMA0_SIZE1, SIZE);

	if (!rows || (planes && !count))
		return ethosu_refuse(c, -EINVAL, "a copy of no rows or planes", rows);
	src->rows = rows;
	dst->rows = rows;
	if (planes) {
		src->planes = count;
		dst->planes = count;
	}
	return 0;
}

/* U65: each side is dense or leaves SKIP bytes out after each row, and after each plane. */
static int skip(struct ethosu_check *c, unsigned int mode, s64 length, struct dma_side *side)
{
	s64 skip0 = mode >= ETHOSU_DMA_STRIDE_MODE_D2 ? stride(c, ETHOSU_SET_DMA0_SKIP0) : 0;
	s64 skip1 = mode == ETHOSU_DMA_STRIDE_MODE_D3 ? stride(c, ETHOSU_SET_DMA0_SKIP1) : 0;
	s64 plane;

	if (check_add_overflow(length, skip0, &side->step[0]) ||
	    check_mul_overflow(side->step[0], side->rows, &plane) ||
	    check_add_overflow(plane, skip1, &side->step[1]))
		return ethosu_refuse(c, -EINVAL, "a copy's strides overflow", skip0);
	return 0;
}

static int steps_u65(struct ethosu_check *c, s64 length, struct dma_side *src, struct dma_side *dst)
{
	unsigned int src_mode = REG0(c, SET_DMA0_SRC_REGION, STRIDE_MODE);
	unsigned int dst_mode = REG0(c, SET_DMA0_DST_REGION, STRIDE_MODE);
	unsigned int mode = src_mode > dst_mode ? src_mode : dst_mode;
	int rc;

	if (mode == ETHOSU_DMA_STRIDE_MODE_D1)
		return 0;
	rc = set_rows(c, mode == ETHOSU_DMA_STRIDE_MODE_D3, src, dst);
	if (!rc)
		rc = skip(c, src_mode, length, src);
	return rc ? rc : skip(c, dst_mode, length, dst);
}

static int steps_u85(struct ethosu_check *c, bool indexed, struct dma_side *src,
		     struct dma_side *dst)
{
	unsigned int mode = REG0(c, SET_DMA0_SRC_REGION, STRIDE_MODE);
	int rc;

	if (mode == ETHOSU_DMA_STRIDE_MODE_D1 && !indexed)
		return 0;
	rc = set_rows(c, mode == ETHOSU_DMA_STRIDE_MODE_D3, src, dst);
	if (rc)
		return rc;
	src->step[0] = stride(c, ETHOSU_SET_DMA0_SRC_STRIDE0);
	dst->step[0] = stride(c, ETHOSU_SET_DMA0_DST_STRIDE0);
	src->step[1] = stride(c, ETHOSU_SET_DMA0_SRC_STRIDE1);
	dst->step[1] = stride(c, ETHOSU_SET_DMA0_DST_STRIDE1);
	return 0;
}

/*
 * The table of an indexed copy. Whether IDX_SKIP1 counts from the start of a plane's indices or
 * from their end is not established: both are allowed for.
 */
static int touch_indices(struct ethosu_check *c, const struct dma_side *rows)
{
	static const char why[] = "a table of indices starts before its region or ends too late";
	unsigned int region = REG0(c, SET_DMA0_IDX_REGION, REGION);
	struct dma_side table = {
		.start = address(c, ETHOSU_SET_DMA0_IDX),
		.step = { INDEX_BYTES, stride(c, ETHOSU_SET_DMA0_IDX_SKIP1) },
		.rows = rows->rows,
		.planes = rows->planes,
	};
	int rc;

	rc = touch_dma(c, region, &table, INDEX_BYTES, false, why);
	if (rc || table.planes == 1)
		return rc;
	table.step[1] += table.rows * INDEX_BYTES;
	return touch_dma(c, region, &table, INDEX_BYTES, false, why);
}

/* Which rows an index names is not known: any up to the largest that is legal. */
static int check_indices(struct ethosu_check *c, bool src_indexed, bool dst_indexed,
			 struct dma_side *src, struct dma_side *dst)
{
	s64 any = PAYLOAD1(c, SET_DMA0_IDX_MAX, IDX_MAX) + 1ll;
	int rc;

	if (src_indexed && dst_indexed)
		return ethosu_refuse(c, -EOPNOTSUPP, "both sides of a copy are indexed", 0);
	rc = touch_indices(c, src);
	if (rc)
		return rc;
	(src_indexed ? src : dst)->rows = any;
	return 0;
}

static bool inside(unsigned int region)
{
	return ETHOSU_GET(SET_DMA0_DST_REGION_REGION_MODE, region) ==
	       ETHOSU_DMA_REGION_MODE_INTERNAL;
}

int ethosu_check_dma(struct ethosu_check *c)
{
	u16 src_region = c->cmd0[ETHOSU_SET_DMA0_SRC_REGION & 0xff];
	u16 dst_region = c->cmd0[ETHOSU_SET_DMA0_DST_REGION & 0xff];
	bool src_indexed = is_u85(c) && REG0(c, SET_DMA0_SRC_REGION, IDX_MODE);
	bool dst_indexed = is_u85(c) && REG0(c, SET_DMA0_DST_REGION, IDX_MODE);
	struct dma_side src = { .start = address(c, ETHOSU_SET_DMA0_SRC), .rows = 1, .planes = 1 };
	struct dma_side dst = { .start = address(c, ETHOSU_SET_DMA0_DST), .rows = 1, .planes = 1 };
	s64 length = address(c, ETHOSU_SET_DMA0_LEN);
	int rc;

	c->use.dma_ops++;
	if (!length)
		return ethosu_refuse(c, -EINVAL, "a copy of no bytes", 0);
	/* It may still hold what another client's job left there. */
	if (inside(src_region))
		return ethosu_refuse(c, -EOPNOTSUPP, "a copy out of the NPU", src_region);
	rc = is_u85(c) ? steps_u85(c, src_indexed || dst_indexed, &src, &dst) :
			 steps_u65(c, length, &src, &dst);
	if (!rc && (src_indexed || dst_indexed))
		rc = check_indices(c, src_indexed, dst_indexed, &src, &dst);
	if (!rc)
		rc = touch_dma(c, ETHOSU_GET(SET_DMA0_SRC_REGION_REGION, src_region), &src, length,
			       false, "a copy's source starts before its region or ends too late");
	if (rc)
		return rc;
	if (inside(dst_region))
		return load(c, &dst, length);
	return touch_dma(c, ETHOSU_GET(SET_DMA0_DST_REGION_REGION, dst_region), &dst, length, true,
			 "a copy's destination starts before its region or ends too late");
}
