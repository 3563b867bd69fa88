/* SPDX-License-Identifier: MIT */
/* What goes into the streams: weights as sign and magnitude, and the records of the scale stream. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/encode/pack.h"

#define RECORD_BYTES		10u
#define WEIGHT_MAX		255
#define SPARSE_GROUP		4u	/* 2:4 sparsity: of so many neighbours */
#define SPARSE_NONZERO		2u	/* so many may be other than 0 */
#define SPARSE_MAX		127u
#define U85_RECORDS		16u	/* come in multiples of this */

/* Folded weights of an 8-bit element, for one zero point; SWD_VALUES or more: out of range. */
struct fold {
	int32_t zero_point;
	uint16_t of[256];
};

static uint16_t fold_value(int64_t value)
{
	if (value < -WEIGHT_MAX || value > WEIGHT_MAX)
		return SWD_NO_INDEX;
	return (uint16_t)(value < 0 ? -value << 1 | 1 : value << 1);
}

static void fold_table(struct fold *fold, enum wenc_type type, int32_t zero_point)
{
	fold->zero_point = zero_point;
	for (int i = 0; i < 256; i++) {
		int64_t value = type == WENC_U8 ? i : (int8_t)i;

		fold->of[i] = fold_value(value - zero_point);
	}
}

/* fold_value() of neighbours, for a zero point with which nothing exceeds 10 bits. Returns the OR of all. */
static unsigned int fold_bytes(const uint8_t *bytes, enum wenc_type type, int16_t zero_point, uint32_t count,
			       uint16_t *out)
{
	/* What of a byte is to be turned to make it signed. */
	uint8_t sign = type == WENC_U8 ? 0x80 : 0;
	int16_t zero = (int16_t)(type == WENC_U8 ? zero_point - 0x80 : zero_point);
	uint16_t all = 0;

	for (uint32_t i = 0; i < count; i++) {
		int16_t value = (int16_t)((int8_t)(bytes[i] ^ sign) - zero);
		uint16_t negative = (uint16_t)(value < 0);

		out[i] = (uint16_t)((uint16_t)(value < 0 ? -value : value) << 1 | negative);
		all |= out[i];
	}
	return all;
}

/* One tap of a channel. Returns the OR of all, above SWD_VALUES if one is out of range. */
static unsigned int fold_tap(const struct wenc_layer *layer, const struct fold *fold,
			     ptrdiff_t at, uint16_t *out)
{
	const uint8_t *bytes = layer->weights;
	const int16_t *words = layer->weights;
	unsigned int all = 0;

	if (layer->type == WENC_S16) {
		for (uint32_t i = 0; i < layer->ic; i++, at += layer->step_i)
			all |= out[i] = fold_value((int64_t)words[at] - fold->zero_point);
	} else if (layer->step_i == 1 && fold->zero_point >= -WEIGHT_MAX && fold->zero_point <= WEIGHT_MAX) {
		all = fold_bytes(bytes + at, layer->type, (int16_t)fold->zero_point, layer->ic, out);
	} else {
		for (uint32_t i = 0; i < layer->ic; i++, at += layer->step_i)
			all |= out[i] = fold->of[bytes[at]];
	}
	return all;
}

static int too_large(const struct wenc_layer *layer, uint32_t channel, int32_t zero_point,
		     const uint16_t *folded, struct error *err)
{
	uint32_t at = 0;

	while (folded[at] < SWD_VALUES)
		at++;
	return error_set(err, -ERANGE,
			 "weight (%u, %u) of OFM channel %u less its zero point %d is outside -255..255",
			 at / layer->ic, at % layer->ic, channel, zero_point);
}

int wenc_fold(const struct wenc_layer *layer, uint32_t first, uint32_t channels, uint16_t **out,
	      struct error *err)
{
	size_t taps = (size_t)layer->kh * layer->kw, per_channel = taps * layer->ic;
	struct fold fold = { 0 };
	uint16_t *w;

	if (layer->zero_point_count > 1 && layer->zero_point_count < layer->oc)
		return error_set(err, -EINVAL, "%u weight zero points for %u OFM channels",
				 layer->zero_point_count, layer->oc);
	if (per_channel > SIZE_MAX / sizeof(*w) / channels)
		return -ENOMEM;
	w = malloc(channels * per_channel * sizeof(*w));
	if (!w)
		return -ENOMEM;
	for (uint32_t c = first; c < first + channels; c++) {
		uint16_t *channel = w + (c - first) * per_channel, *to = channel;
		int32_t zero_point = 0;
		unsigned int all = 0;

		if (layer->zero_point_count)
			zero_point = layer->zero_points[layer->zero_point_count > 1 ? c : 0];
		if (c == first || zero_point != fold.zero_point)
			fold_table(&fold, layer->type, zero_point);
		for (uint32_t y = 0; y < layer->kh; y++)
			for (uint32_t x = 0; x < layer->kw; x++, to += layer->ic) {
				ptrdiff_t at = c * layer->step_o + y * layer->step_y +
					x * layer->step_x;

				all |= fold_tap(layer, &fold, at, to);
			}
		if (all >= SWD_VALUES) {
			int ret = too_large(layer, c, zero_point, channel, err);

			free(w);
			return ret;
		}
	}
	*out = w;
	return 0;
}

bool wenc_is_sparse(const struct wenc_layer *layer, const uint16_t *folded, uint32_t channels)
{
	size_t rows = (size_t)channels * layer->kh * layer->kw;

	for (size_t row = 0; row < rows; row++, folded += layer->ic)
		for (uint32_t i = 0; i < layer->ic; i += SPARSE_GROUP) {
			unsigned int nonzero = 0;

			if (layer->ic - i >= SPARSE_GROUP) {
				uint64_t w;

				/* Four at once, which have 9 bits of 16. */
				memcpy(&w, folded + i, sizeof(w));
				nonzero = (unsigned int)(
					((w + 0x7fff7fff7fff7fff) >> 15 & 0x0001000100010001) *
					0x0001000100010001 >> 48);
				if (nonzero > SPARSE_NONZERO || w & 0x0100010001000100)
					return false;
				continue;
			}
			for (uint32_t k = i; k < i + SPARSE_GROUP && k < layer->ic; k++) {
				nonzero += folded[k] != 0;
				if (folded[k] >> 1 > SPARSE_MAX)
					return false;
			}
			if (nonzero > SPARSE_NONZERO)
				return false;
		}
	return true;
}

/* --- Scales --- */

/* Bytes of the bias, of the scale and where the shift is; the bits that they hold. */
struct record {
	const char *name;
	unsigned int bias_bytes, scale_bytes, shift_at;
	unsigned int bias_bits, scale_bits;
};

static const struct record record_u55 = { "Ethos-U55 and U65", 5, 4, 9, 40, 32 };
static const struct record record_u85_32 = { "Ethos-U85", 4, 4, 8, 32, 31 };
static const struct record record_u85_48 = { "Ethos-U85 with 48-bit accumulators", 6, 2, 8, 48, 15 };

static void put_le(uint8_t *data, uint64_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		data[i] = (uint8_t)(value >> 8 * i);
}

static int put_record(const struct record *form, const struct wenc_scale *s, uint32_t channel,
		      uint8_t *data, struct error *err)
{
	int64_t limit = INT64_C(1) << (form->bias_bits - 1);

	if (s->bias < -limit || s->bias >= limit)
		return error_set(err, -ERANGE, "the bias %lld of OFM channel %u has more than %u bits, which is what %s take",
				 (long long)s->bias, channel, form->bias_bits, form->name);
	if ((uint64_t)s->scale >> form->scale_bits || s->shift > 63)
		return error_set(err, -ERANGE, "the scale %u with shift %u of OFM channel %u has more than the %u and 6 bits that %s take",
				 s->scale, s->shift, channel, form->scale_bits, form->name);
	put_le(data, (uint64_t)s->bias, form->bias_bytes);
	put_le(data + form->bias_bytes, s->scale, form->scale_bytes);
	data[form->shift_at] = s->shift;
	return 0;
}

int wenc_put_scales(struct swd_bits *out, const struct wenc_config *config,
		    const struct wenc_scale *scales, uint32_t first, uint32_t end, uint32_t step,
		    uint32_t ublock, struct error *err)
{
	const struct record *form = &record_u55;
	uint32_t records = first < end ? (end - first + step - 1) / step : 0, at = 0;
	size_t bytes;
	int ret = 0;

	if (config->arch == 85) {
		uint32_t unit = ublock > U85_RECORDS ? ublock : U85_RECORDS;

		form = config->acc48 ? &record_u85_48 : &record_u85_32;
		records = (records + unit - 1) / unit * unit;
	}
	bytes = ((size_t)records * RECORD_BYTES + WENC_ALIGN - 1) / WENC_ALIGN * WENC_ALIGN;
	if (swd_grow(out, bytes))
		return -ENOMEM;
	memset(out->data + out->len, 0, bytes);
	for (uint32_t c = first; !ret && c < end; c += step, at++)
		ret = put_record(form, &scales[c], c, out->data + out->len + at * RECORD_BYTES,
				 err);
	out->len += bytes;
	return ret;
}
