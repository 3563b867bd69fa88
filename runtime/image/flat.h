/* SPDX-License-Identifier: MIT */
/*
 * FlatBuffers, written from front to back: a table first, what it refers to behind it. References are
 * distances to what comes later, so that each is filled in when its target is written.
 */
#ifndef ACCEL_RUNTIME_FLAT_H
#define ACCEL_RUNTIME_FLAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLAT_MAX_FIELDS	16

/**
 * struct flat - a buffer being written
 * @failed: no memory, or too large: nothing is written any more
 */
struct flat {
	uint8_t *data;
	size_t size, room;
	bool failed;
};

/**
 * struct flat_table - where the fields of a table are
 * @at: of each field, from the beginning of the buffer; 0: left out
 */
struct flat_table {
	size_t at[FLAT_MAX_FIELDS];
};

/* A table with fields of @bytes[i] each, 0: left out. All are 0 at first. Return: where it is. */
size_t flat_table(struct flat *f, const uint8_t *bytes, unsigned int count, struct flat_table *out);

/* Set a field of up to 8 bytes. */
void flat_set(struct flat *f, size_t at, uint64_t value, unsigned int bytes);

/* Let the reference at @at be to @target. */
void flat_refer(struct flat *f, size_t at, size_t target);

/* Vectors: @data NULL: zeros, to be filled in. Return: where it is; its first element is 4 bytes on. */
size_t flat_vector(struct flat *f, const void *data, size_t count, unsigned int bytes,
		   unsigned int align);
size_t flat_string(struct flat *f, const char *text);

#endif
