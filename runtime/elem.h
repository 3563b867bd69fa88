/* SPDX-License-Identifier: MIT */
/* Element types of tensors, and their names in TFLite and in NumPy files. */
#ifndef ACCEL_RUNTIME_ELEM_H
#define ACCEL_RUNTIME_ELEM_H

#include <stdbool.h>
#include <stddef.h>

/* Values are those of TensorType in the TFLite schema. */
enum elem {
	ELEM_FLOAT32 = 0,
	ELEM_FLOAT16 = 1,
	ELEM_INT32 = 2,
	ELEM_UINT8 = 3,
	ELEM_INT64 = 4,
	ELEM_STRING = 5,
	ELEM_BOOL = 6,
	ELEM_INT16 = 7,
	ELEM_COMPLEX64 = 8,
	ELEM_INT8 = 9,
	ELEM_FLOAT64 = 10,
	ELEM_COMPLEX128 = 11,
	ELEM_UINT64 = 12,
	ELEM_RESOURCE = 13,
	ELEM_VARIANT = 14,
	ELEM_UINT32 = 15,
	ELEM_UINT16 = 16,
	ELEM_INT4 = 17,
	ELEM_BFLOAT16 = 18,
	ELEM_COUNT,
};

/* Name as NumPy and TFLite spell it, "type 77" is not in the table: "unknown". */
const char *elem_name(int type);

/* Bytes of an element; 0: not a whole number of bytes, or without a fixed size. */
size_t elem_size(int type);

/* NumPy type string without its byte order, "i1"; NULL if .npy files of it are not supported. */
const char *elem_npy(int type);

/* The type that a NumPy type string ("i1", no byte order) names, or -1. */
int elem_from_npy(const char *descr, size_t len);

#endif
