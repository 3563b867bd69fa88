/* SPDX-License-Identifier: MIT */
/* Values of the ONNX graph, constants, and the names they go by. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/onnx/import.h"

#define BUCKETS	4096u

struct onnx_name {
	struct onnx_name *next;
	const char *name;
	struct onnx_value *value;
};

static struct onnx_name **bucket(const struct onnx_import *c, const char *name)
{
	uint32_t h = 2166136261u;

	for (const char *p = name; *p; p++)
		h = (h ^ (uint8_t)*p) * 16777619u;
	return &c->names[h % BUCKETS];
}

struct onnx_value *onnx_lookup(const struct onnx_import *c, const char *name)
{
	if (!c->names)
		return NULL;
	for (const struct onnx_name *n = *bucket(c, name); n; n = n->next)
		if (!strcmp(n->name, name))
			return n->value;
	return NULL;
}

bool onnx_bind(struct onnx_import *c, const char *name, struct onnx_value *v)
{
	struct onnx_name *n = ir_alloc(c->g, sizeof(*n)), **b;

	if (!c->names)
		c->names = ir_alloc(c->g, BUCKETS * sizeof(struct onnx_name *));
	if (!n || !c->names) {
		onnx_fail(c, -ENOMEM, "out of memory");
		return false;
	}
	b = bucket(c, name);
	*n = (struct onnx_name){ *b, name, v };
	*b = n;
	return true;
}

size_t onnx_count(const struct onnx_value *v)
{
	size_t n = 1;

	for (uint32_t i = 0; i < v->ndim; i++)
		n *= (size_t)v->shape[i];
	return n;
}

struct onnx_value *onnx_value_new(struct onnx_import *c, int type, uint32_t ndim, const int32_t *shape)
{
	struct onnx_value *v;
	int64_t n = 1;

	if (c->rc)
		return NULL;
	if (ndim > IR_MAX_DIMS)
		return onnx_fail(c, -ENOTSUP, "%u axes, of which %d are supported", ndim, IR_MAX_DIMS);
	for (uint32_t i = 0; i < ndim; i++) {
		if (shape[i] < 0)
			return onnx_fail(c, -EINVAL, "an extent of %d", shape[i]);
		n *= shape[i];
		if (n > INT32_MAX)
			return onnx_fail(c, -ENOTSUP, "a tensor of more than 2^31 elements");
	}
	v = ir_alloc(c->g, sizeof(*v));
	if (!v)
		return onnx_fail(c, -ENOMEM, "out of memory");
	v->type = type;
	v->ndim = ndim;
	if (ndim)
		memcpy(v->shape, shape, ndim * sizeof(*shape));
	v->tensor = IR_NONE;
	return v;
}

struct onnx_value *onnx_constant(struct onnx_import *c, int type, uint32_t ndim, const int32_t *shape,
				 const void *data)
{
	struct onnx_value *v = onnx_value_new(c, type, ndim, shape);
	size_t bytes;

	if (!v)
		return NULL;
	bytes = onnx_count(v) * elem_size(type);
	if (!data && bytes > c->room)
		return onnx_fail(c, -ENOTSUP, "constants of more than a gigabyte");
	if (!data) {
		c->room -= bytes;
		data = ir_alloc(c->g, bytes ? bytes : 1);
	}
	if (!data)
		return onnx_fail(c, -ENOMEM, "out of memory");
	v->data = data;
	return v;
}

void *onnx_constant_data(struct onnx_value *v)
{
	return (void *)(uintptr_t)v->data;
}

struct onnx_value *onnx_i32(struct onnx_import *c, uint32_t count, const int32_t *list)
{
	struct onnx_value *v = onnx_constant(c, ELEM_INT32, 1, (int32_t[]){ (int32_t)count }, NULL);

	if (v && count)
		memcpy(onnx_constant_data(v), list, count * sizeof(*list));
	return v;
}

struct onnx_value *onnx_f32(struct onnx_import *c, float value)
{
	return onnx_scalar(c, ELEM_FLOAT32, (double)value);
}

static void put(void *to, int type, double value)
{
	/* Infinity to an integer: the type's end. */
	int64_t i = value >= 9.2e18 ? INT64_MAX : value <= -9.2e18 ? INT64_MIN :
		    isnan(value) ? 0 : (int64_t)value;
	float f = (float)value;

	switch (type) {
	case ELEM_FLOAT32:
		memcpy(to, &f, sizeof(f));
		break;
	case ELEM_BOOL:
		*(uint8_t *)to = value != 0;
		break;
	default:
		memcpy(to, &i, elem_size(type));
	}
}

struct onnx_value *onnx_scalar(struct onnx_import *c, int type, double value)
{
	struct onnx_value *v = onnx_constant(c, type, 0, NULL, NULL);

	if (v)
		put(onnx_constant_data(v), type, value);
	return v;
}

int64_t onnx_element_int(const struct onnx_value *v, size_t i)
{
	int64_t s64;
	int32_t s32;
	int16_t s16;

	switch (v->type) {
	case ELEM_INT64:
		memcpy(&s64, (const char *)v->data + 8 * i, 8);
		return s64;
	case ELEM_UINT64:
		memcpy(&s64, (const char *)v->data + 8 * i, 8);
		return s64;
	case ELEM_UINT32:
		memcpy(&s32, (const char *)v->data + 4 * i, 4);
		return (uint32_t)s32;
	case ELEM_UINT16:
		memcpy(&s16, (const char *)v->data + 2 * i, 2);
		return (uint16_t)s16;
	case ELEM_INT32:
		memcpy(&s32, (const char *)v->data + 4 * i, 4);
		return s32;
	case ELEM_INT16:
		memcpy(&s16, (const char *)v->data + 2 * i, 2);
		return s16;
	case ELEM_INT8:
		return ((const int8_t *)v->data)[i];
	case ELEM_UINT8:
	case ELEM_BOOL:
		return ((const uint8_t *)v->data)[i];
	default:
		return (int64_t)fmax(fmin(onnx_element(v, i), 9e18), -9e18);
	}
}

double onnx_element(const struct onnx_value *v, size_t i)
{
	float f;

	if (v->type != ELEM_FLOAT32)
		return (double)onnx_element_int(v, i);
	memcpy(&f, (const char *)v->data + 4 * i, 4);
	return (double)f;
}
