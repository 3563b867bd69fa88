/* SPDX-License-Identifier: MIT */
/*
 * The U85's fast weight format (FWD): a header, then for every weight an index into a table of 4 or
 * of 16 values, or the value itself as a byte.
 */
#include <errno.h>
#include <string.h>

#include "runtime/encode/pack.h"

#define HEADER_BYTES	32u
#define ALIGN_BYTES	32u
#define TABLE_SIZE	16u
#define ADJUST_BYTE	13u
#define TABLE_BIT	112u
#define TABLE_BITS	9u

static int unfold(unsigned int folded)
{
	int magnitude = (int)(folded >> 1);

	return folded & 1 ? -magnitude : magnitude;
}

void fast_choose(const uint16_t *folded, size_t count, bool raw, struct fast_code *code)
{
	bool used[SWD_VALUES] = { false };
	int low = 0, high = 0;

	memset(code, 0, sizeof(*code));
	for (size_t i = 0; i < count; i++)
		used[folded[i]] = true;
	for (unsigned int v = 0; v < SWD_VALUES; v++) {
		int value = unfold(v);

		if (!used[v])
			continue;
		if (code->distinct < TABLE_SIZE)
			code->table[code->distinct] = (uint16_t)v;
		code->distinct++;
		low = value < low ? value : low;
		high = value > high ? value : high;
	}
	if (!raw && code->distinct <= TABLE_SIZE) {
		code->width = code->distinct <= 4 ? 2 : 4;
		return;
	}
	/* A byte holds value + adjust, and the header adjust: both are signed 8 bits. */
	if (high - low > 255)
		return;
	code->width = 8;
	if (low < INT8_MIN)
		code->adjust = INT8_MIN - low;
	else if (high > INT8_MAX)
		code->adjust = INT8_MAX - high;
	if (code->adjust < INT8_MIN || code->adjust > INT8_MAX)
		code->width = 0;
}

uint64_t fast_bytes(const struct fast_code *code, uint64_t count)
{
	uint64_t bytes = HEADER_BYTES + (count * code->width + 7) / 8;

	return (bytes + ALIGN_BYTES - 1) / ALIGN_BYTES * ALIGN_BYTES;
}

static void put_header(uint8_t *d, const struct fast_code *code)
{
	d[0] = (uint8_t)((code->width == 8) | (code->width == 2) << 1);
	d[ADJUST_BYTE] = (uint8_t)code->adjust;
	for (unsigned int i = 0; code->width != 8 && i < TABLE_SIZE; i++) {
		unsigned int bit = TABLE_BIT + TABLE_BITS * i;
		unsigned int v = (unsigned int)code->table[i] << bit % 8;

		d[bit / 8] |= (uint8_t)v;
		d[bit / 8 + 1] |= (uint8_t)(v >> 8);
	}
}

int fast_put(struct swd_bits *out, const struct fast_code *code, const uint16_t *symbols,
	     size_t count)
{
	uint64_t bytes = fast_bytes(code, count);
	uint8_t byte[SWD_VALUES] = { 0 };
	unsigned int per_byte = 8 / code->width;
	uint8_t *d;

	if (swd_grow(out, bytes))
		return -ENOMEM;
	d = out->data + out->len;
	memset(d, 0, bytes);
	out->len += bytes;
	put_header(d, code);
	d += HEADER_BYTES;
	for (unsigned int i = 0; code->width != 8 && i < code->distinct; i++)
		byte[code->table[i]] = (uint8_t)i;
	for (unsigned int v = 0; code->width == 8 && v < SWD_VALUES; v++)
		byte[v] = (uint8_t)(unfold(v) + code->adjust);
	if (code->width == 8) {
		for (size_t i = 0; i < count; i++)
			d[i] = byte[symbols[i]];
		return 0;
	}
	for (size_t i = 0; i < count; i++)
		d[i / per_byte] |= (uint8_t)(byte[symbols[i]] << i % per_byte * code->width);
	return 0;
}
