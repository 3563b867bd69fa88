/* SPDX-License-Identifier: MIT */
/* Element types of tensors, and their names in TFLite and in NumPy files. */
#include "runtime/elem.h"

#include <string.h>

static const struct {
	const char *name;
	const char *npy;
	size_t size;
} elems[ELEM_COUNT] = {
	[ELEM_FLOAT32] = { "float32", "f4", 4 },
	[ELEM_FLOAT16] = { "float16", NULL, 2 },
	[ELEM_INT32] = { "int32", "i4", 4 },
	[ELEM_UINT8] = { "uint8", "u1", 1 },
	[ELEM_INT64] = { "int64", "i8", 8 },
	[ELEM_STRING] = { "string", NULL, 0 },
	[ELEM_BOOL] = { "bool", "b1", 1 },
	[ELEM_INT16] = { "int16", "i2", 2 },
	[ELEM_COMPLEX64] = { "complex64", NULL, 8 },
	[ELEM_INT8] = { "int8", "i1", 1 },
	[ELEM_FLOAT64] = { "float64", NULL, 8 },
	[ELEM_COMPLEX128] = { "complex128", NULL, 16 },
	[ELEM_UINT64] = { "uint64", NULL, 8 },
	[ELEM_RESOURCE] = { "resource", NULL, 0 },
	[ELEM_VARIANT] = { "variant", NULL, 0 },
	[ELEM_UINT32] = { "uint32", NULL, 4 },
	[ELEM_UINT16] = { "uint16", NULL, 2 },
	[ELEM_INT4] = { "int4", NULL, 0 },
	[ELEM_BFLOAT16] = { "bfloat16", NULL, 2 },
};

const char *elem_name(int type)
{
	return type >= 0 && type < ELEM_COUNT ? elems[type].name : "unknown";
}

size_t elem_size(int type)
{
	return type >= 0 && type < ELEM_COUNT ? elems[type].size : 0;
}

const char *elem_npy(int type)
{
	return type >= 0 && type < ELEM_COUNT ? elems[type].npy : NULL;
}

int elem_from_npy(const char *descr, size_t len)
{
	for (int i = 0; i < ELEM_COUNT; i++) {
		if (elems[i].npy && strlen(elems[i].npy) == len &&
		    !memcmp(elems[i].npy, descr, len))
			return i;
	}
	return -1;
}
