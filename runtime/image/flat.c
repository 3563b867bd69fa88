/* SPDX-License-Identifier: MIT */
/* FlatBuffers, written from front to back. */
#include "runtime/image/flat.h"

#include <stdlib.h>
#include <string.h>

#define FLAT_LARGEST	0x7fffffffu	/* offsets are of 32 bits with a sign */

/* @count zero bytes. Return: where they begin. */
static size_t put(struct flat *f, size_t count)
{
	size_t at = f->size, room = f->room ? f->room : 4096;
	uint8_t *data;

	if (f->failed || count > FLAT_LARGEST - f->size) {
		f->failed = true;
		return 0;
	}
	while (room < f->size + count)
		room *= 2;
	if (room != f->room) {
		data = realloc(f->data, room);
		if (!data) {
			f->failed = true;
			return 0;
		}
		f->data = data;
		f->room = room;
	}
	memset(f->data + at, 0, count);
	f->size += count;
	return at;
}

static void pad(struct flat *f, size_t ahead, size_t align)
{
	size_t rest = (f->size + ahead) % align;

	if (rest)
		put(f, align - rest);
}

void flat_set(struct flat *f, size_t at, uint64_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes && !f->failed; i++)
		f->data[at + i] = (uint8_t)(value >> (8 * i));
}

void flat_refer(struct flat *f, size_t at, size_t target)
{
	flat_set(f, at, target - at, 4);
}

size_t flat_table(struct flat *f, const uint8_t *bytes, unsigned int count, struct flat_table *out)
{
	size_t vtable, table, end = 4;

	memset(out, 0, sizeof(*out));
	pad(f, 0, 2);
	vtable = put(f, 4 + 2 * count);
	pad(f, 0, 8);
	table = put(f, 4);
	/* The vtable lies before the table. */
	flat_set(f, table, table - vtable, 4);
	for (unsigned int i = 0; i < count; i++) {
		if (!bytes[i])
			continue;
		pad(f, 0, bytes[i]);
		out->at[i] = put(f, bytes[i]);
		flat_set(f, vtable + 4 + 2 * i, out->at[i] - table, 2);
		end = out->at[i] + bytes[i] - table;
	}
	flat_set(f, vtable, 4 + 2 * count, 2);
	flat_set(f, vtable + 2, end, 2);
	return table;
}

size_t flat_vector(struct flat *f, const void *data, size_t count, unsigned int bytes,
		   unsigned int align)
{
	size_t at, elements;

	if (count > FLAT_LARGEST / bytes) {
		f->failed = true;
		return 0;
	}
	/* It is the elements that are aligned, not the length before them. */
	pad(f, 4, align < 4 ? 4 : align);
	at = put(f, 4);
	elements = put(f, count * bytes);
	flat_set(f, at, count, 4);
	if (data && count && !f->failed)
		memcpy(f->data + elements, data, count * bytes);
	return at;
}

size_t flat_string(struct flat *f, const char *text)
{
	size_t at = flat_vector(f, text, strlen(text), 1, 4);

	put(f, 1);
	return at;
}
