/* SPDX-License-Identifier: MIT */
/* Feature maps: from the registers, and the bytes they cover. */
#include <errno.h>
#include <string.h>

#include "sim/decode_internal.h"

/* Index of the first register of each operand's set, opcode & 0xff. */
struct fm_registers {
	uint8_t precision, zero_point, width0, height0, height1, region;
	uint8_t base0, stride_x, stride_y, stride_c;
};

static const struct fm_registers fm_registers[] = {
#define FM_REGISTERS(name)                                                                         \
	{                                                                                          \
		ETHOSU_SET_##name##_PRECISION & 0xff, ETHOSU_SET_##name##_ZERO_POINT & 0xff,       \
			ETHOSU_SET_##name##_WIDTH0_M1 & 0xff,                                      \
			ETHOSU_SET_##name##_HEIGHT0_M1 & 0xff,                                     \
			ETHOSU_SET_##name##_HEIGHT1_M1 & 0xff, ETHOSU_SET_##name##_REGION & 0xff,  \
			ETHOSU_SET_##name##_BASE0, ETHOSU_SET_##name##_STRIDE_X,                   \
			ETHOSU_SET_##name##_STRIDE_Y, ETHOSU_SET_##name##_STRIDE_C                 \
	}
	[DECODE_IFM] = FM_REGISTERS(IFM),
	[DECODE_IFM2] = FM_REGISTERS(IFM2),
	[DECODE_OFM] = FM_REGISTERS(OFM),
};

static const char *const fm_names[] = { "IFM", "IFM2", "OFM" };

static unsigned int address_bits(const struct npu_config *config)
{
	return config->arch == 55 ? 32 : ETHOSU_ADDRESS_BITS;
}

uint64_t decode_address(const struct decoder *d, unsigned int index)
{
	uint64_t v = d->program->state.cmd1[index];

	/* Parameter above payload: nothing is between the two halves of an address. */
	return v & ((1ull << address_bits(d->config)) - 1);
}

int64_t decode_stride(const struct decoder *d, unsigned int index)
{
	unsigned int shift = 64 - address_bits(d->config);

	return (int64_t)(decode_address(d, index) << shift) >> shift;
}

/* Bytes of a map stored densely, for one that is handed on through a chaining buffer. */
static int chain_fm(struct decoder *d, enum decode_operand which, unsigned int buffer,
		    struct npu_fm *fm)
{
	struct chain_buffer *chain = &d->chain[buffer];
	int64_t es = 1 << fm->elem_log2;
	int64_t size = 0;

	if (__builtin_mul_overflow((int64_t)fm->height * fm->width, (int64_t)fm->depth * es,
				   &size) ||
	    size > (int64_t)1 << ETHOSU_ADDRESS_BITS)
		return decode_error(d, "%s too large to be chained", fm_names[which]);
	if (which == DECODE_OFM) {
		if (size > chain->size) {
			chain->offset = (int64_t)d->program->chain_size;
			chain->size = size;
			d->program->chain_size += (uint64_t)(size + 63) & ~63ull;
		}
		chain->filled = size;
	} else if (size > chain->filled) {
		return decode_error(d, "%s of %lld bytes from chaining buffer %u that holds %lld",
				    fm_names[which], (long long)size, buffer,
				    (long long)chain->filled);
	}
	fm->space = NPU_SPACE_CHAIN;
	fm->brick = 0;
	fm->stride_c = es;
	fm->stride_x = fm->depth * es;
	fm->stride_y = fm->stride_x * fm->width;
	memset(fm->base, 0, sizeof(fm->base));
	fm->base[0] = chain->offset;
	fm->width0 = fm->width;
	fm->height0 = fm->height;
	fm->height1 = fm->height;
	return 0;
}

int decode_fm(struct decoder *d, enum decode_operand which, struct npu_fm *fm)
{
	const struct fm_registers *r = &fm_registers[which];
	const struct npu_state *s = &d->program->state;
	unsigned int precision = s->cmd0[r->precision];
	uint16_t zero = s->cmd0[r->zero_point];
	unsigned int format, storage;

	/* The fields of IFM and IFM2 are in the same places, those of the OFM not all. */
	fm->is_signed = (uint8_t)ETHOSU_GET(SET_IFM_PRECISION_TYPE, precision);
	fm->elem_log2 =
		(uint8_t)(which == DECODE_OFM ? ETHOSU_GET(SET_OFM_PRECISION_PRECISION, precision)
					      : ETHOSU_GET(SET_IFM_PRECISION_PRECISION, precision));
	format = ETHOSU_GET(SET_IFM_PRECISION_FORMAT, precision);
	storage = d->config->arch == 85 ? ETHOSU_GET(SET_IFM_PRECISION_STORAGE, precision)
					: ETHOSU_ACTIVATION_STORAGE_TILE2X2;
	if (format > ETHOSU_ACTIVATION_FORMAT_NHCWB16)
		return decode_error(d, "%s format %u", fm_names[which], format);
	fm->brick = format == ETHOSU_ACTIVATION_FORMAT_NHCWB16;
	fm->zero_point = fm->is_signed ? (int16_t)zero : zero;
	if (storage == ETHOSU_ACTIVATION_STORAGE_CHAINED)
		return chain_fm(d, which, s->cmd0[r->region] & (CHAIN_BUFFERS - 1), fm);
	if (storage != ETHOSU_ACTIVATION_STORAGE_TILE2X2)
		return decode_error(d, "%s storage %u: how it is laid out is not known",
				    fm_names[which], storage);
	fm->space = (uint8_t)ETHOSU_GET(SET_IFM_REGION_REGION, s->cmd0[r->region]);
	for (unsigned int i = 0; i < 4; i++)
		fm->base[i] = (int64_t)decode_address(d, r->base0 + i);
	fm->stride_x = decode_stride(d, r->stride_x);
	fm->stride_y = decode_stride(d, r->stride_y);
	fm->stride_c = decode_stride(d, r->stride_c);
	fm->width0 = s->cmd0[r->width0] + 1u;
	fm->height0 = s->cmd0[r->height0] + 1u;
	fm->height1 = s->cmd0[r->height1] + 1u;
	return 0;
}

/*
 * Grow [lo, hi) by a tile's elements. No sum leaves 60 bits: extents have 19 (a stride of 4 times 16
 * bits, and a kernel), strides 40 with the sign.
 */
static void tile_extent(const struct npu_fm *fm, unsigned int tile, uint32_t height, uint32_t width,
			int64_t *lo, int64_t *hi)
{
	int64_t es = 1 << fm->elem_log2, first = fm->base[tile], last = first;
	int64_t steps[3], counts[3];

	if (!height || !width)
		return;
	steps[0] = fm->stride_y;
	counts[0] = height - 1;
	steps[1] = fm->brick ? 16 * es : fm->stride_x;
	counts[1] = width - 1;
	steps[2] = fm->brick ? fm->stride_c : 0;
	counts[2] = (fm->depth - 1) / 16;
	for (unsigned int i = 0; i < 3; i++)
		if (steps[i] < 0)
			first += steps[i] * counts[i];
		else
			last += steps[i] * counts[i];
	/* The last brick need not be full, nor be the one that lies highest. */
	if (!fm->brick) {
		last += fm->depth * es;
	} else {
		int64_t tail = ((fm->depth - 1) % 16 + 1) * es;

		if (fm->depth > 16 && (fm->stride_c <= 0 || 16 * es - fm->stride_c > tail))
			tail = fm->stride_c <= 0 ? 16 * es : 16 * es - fm->stride_c;
		last += tail;
	}
	if (first < *lo)
		*lo = first;
	if (last > *hi)
		*hi = last;
}

int npu_fm_extent(const struct npu_config *config, const struct npu_fm *fm, int64_t *lo,
		  int64_t *hi)
{
	int64_t limit = 1ll << address_bits(config);
	uint32_t w0 = fm->width < fm->width0 ? fm->width : fm->width0;
	uint32_t h0 = fm->height < fm->height0 ? fm->height : fm->height0;
	uint32_t h1 = fm->height < fm->height1 ? fm->height : fm->height1;
	int64_t low = INT64_MAX, high = INT64_MIN;

	*lo = 0;
	*hi = 0;
	if (fm->broadcast & NPU_BROADCAST_SCALAR || !fm->height || !fm->width || !fm->depth)
		return 0;
	tile_extent(fm, 0, h0, w0, &low, &high);
	tile_extent(fm, 1, h1, fm->width - w0, &low, &high);
	tile_extent(fm, 2, fm->height - h0, w0, &low, &high);
	tile_extent(fm, 3, fm->height - h1, fm->width - w0, &low, &high);
	if (low < 0 || high > limit)
		return -ERANGE;
	*lo = low;
	*hi = high;
	return 0;
}
