/* SPDX-License-Identifier: MIT */
/* TensorProto to constants: contents in the message, or in a file beside the model. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/onnx/build.h"

static const struct { const char *name; int type; } types[] = {
	[ONNX__TENSOR_PROTO__DATA_TYPE__UNDEFINED] = { "undefined", -1 },
	[ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT] = { "float", ELEM_FLOAT32 },
	[ONNX__TENSOR_PROTO__DATA_TYPE__UINT8] = { "uint8", ELEM_UINT8 },
	[ONNX__TENSOR_PROTO__DATA_TYPE__INT8] = { "int8", ELEM_INT8 },
	[ONNX__TENSOR_PROTO__DATA_TYPE__UINT16] = { "uint16", ELEM_UINT16 },
	[ONNX__TENSOR_PROTO__DATA_TYPE__INT16] = { "int16", ELEM_INT16 },
	[ONNX__TENSOR_PROTO__DATA_TYPE__INT32] = { "int32", ELEM_INT32 },
	[ONNX__TENSOR_PROTO__DATA_TYPE__INT64] = { "int64", ELEM_INT64 },
	[ONNX__TENSOR_PROTO__DATA_TYPE__STRING] = { "string", -1 },
	[ONNX__TENSOR_PROTO__DATA_TYPE__BOOL] = { "bool", ELEM_BOOL },
	[ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16] = { "float16", ELEM_FLOAT16 },
	[ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE] = { "double", ELEM_FLOAT64 },
	[ONNX__TENSOR_PROTO__DATA_TYPE__UINT32] = { "uint32", ELEM_UINT32 },
	[ONNX__TENSOR_PROTO__DATA_TYPE__UINT64] = { "uint64", ELEM_UINT64 },
	[ONNX__TENSOR_PROTO__DATA_TYPE__COMPLEX64] = { "complex64", -1 },
	[ONNX__TENSOR_PROTO__DATA_TYPE__COMPLEX128] = { "complex128", -1 },
	[ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16] = { "bfloat16", ELEM_BFLOAT16 },
	/* Later than Debian's onnx.proto. */
	{ "float8", -1 }, { "float8", -1 }, { "float8", -1 }, { "float8", -1 },
	{ "uint4", -1 }, { "int4", -1 }, { "float4", -1 }, { "float8", -1 },
	{ "uint2", -1 }, { "int2", -1 },
};

#define TYPE_COUNT ((int)(sizeof(types) / sizeof(types[0])))

const char *onnx_type_name(int data_type)
{
	return data_type >= 0 && data_type < TYPE_COUNT ? types[data_type].name : "unknown";
}

/* The type that the file has. */
static int file_type(struct onnx_import *c, int data_type)
{
	if (data_type >= 0 && data_type < TYPE_COUNT && types[data_type].type >= 0)
		return types[data_type].type;
	onnx_fail(c, -ENOTSUP, "type %s is not supported", onnx_type_name(data_type));
	return ELEM_FLOAT32;
}

int onnx_type(struct onnx_import *c, int data_type)
{
	int type = file_type(c, data_type);

	return type == ELEM_FLOAT16 || type == ELEM_BFLOAT16 || type == ELEM_FLOAT64 ? ELEM_FLOAT32 : type;
}

/* A path that stays in the model's folder. */
static bool stays_inside(const char *path)
{
	if (!*path || *path == '/')
		return false;
	while (*path) {
		size_t len = strcspn(path, "/");

		if (len == 2 && !memcmp(path, "..", 2))
			return false;
		path += len;
		path += *path == '/';
	}
	return true;
}

static bool read_number(const char *text, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && !errno;
}

static int read_file(struct onnx_import *c, const Onnx__TensorProto *t, const char *location,
		     uint64_t offset, void *to, size_t bytes)
{
	const char *name = t->name ? t->name : "";
	size_t len = strlen(c->dir) + strlen(location) + 2;
	char *path = malloc(len);
	struct stat st;
	ssize_t got;
	int fd;

	if (!path) {
		onnx_fail(c, -ENOMEM, "out of memory");
		return c->rc;
	}
	snprintf(path, len, "%s/%s", c->dir, location);
	/* Not to wait for a pipe's other end. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st)) {
		onnx_fail(c, -errno, "external data of tensor %s: %s: %s", name, path, strerror(errno));
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		onnx_fail(c, -EINVAL, "external data of tensor %s: %s is no file", name, path);
		goto out;
	}
	if (offset > (uint64_t)st.st_size || bytes > (uint64_t)st.st_size - offset) {
		onnx_fail(c, -EINVAL, "external data of tensor %s: %zu bytes at %" PRIu64 " lie outside %s",
			  name, bytes, offset, path);
		goto out;
	}
	for (size_t done = 0; done < bytes; done += (size_t)got) {
		got = pread(fd, (char *)to + done, bytes - done, (off_t)(offset + done));
		if (got <= 0) {
			onnx_fail(c, got ? -errno : -EIO, "external data of tensor %s: %s: %s", name, path,
				  got ? strerror(errno) : "the file ends early");
			goto out;
		}
	}
out:
	if (fd >= 0)
		close(fd);
	free(path);
	return c->rc;
}

static int external(struct onnx_import *c, const Onnx__TensorProto *t, void *to, size_t bytes)
{
	const char *location = NULL, *name = t->name ? t->name : "";
	uint64_t offset = 0, length = bytes;

	for (size_t i = 0; i < t->n_external_data; i++) {
		const char *key = t->external_data[i]->key, *value = t->external_data[i]->value;
		bool ok = true;

		if (!key || !value)
			continue;
		if (!strcmp(key, "location"))
			location = value;
		else if (!strcmp(key, "offset"))
			ok = read_number(value, &offset);
		else if (!strcmp(key, "length"))
			ok = read_number(value, &length);
		if (!ok) {
			onnx_fail(c, -EINVAL, "external data of tensor %s: %s is no number", name, key);
			return c->rc;
		}
	}
	if (!location || !stays_inside(location)) {
		onnx_fail(c, -EINVAL, "external data of tensor %s: \"%s\" is no file beside the model", name,
			  location ? location : "");
		return c->rc;
	}
	if (length != bytes) {
		onnx_fail(c, -EINVAL, "external data of tensor %s: %" PRIu64 " bytes, its shape needs %zu",
			  name, length, bytes);
		return c->rc;
	}
	if (!c->dir) {
		onnx_fail(c, -ENOENT, "external data of tensor %s: there is no folder to find %s in", name,
			  location);
		return c->rc;
	}
	return read_file(c, t, location, offset, to, bytes);
}

/* How many numbers the message has in the list for their type. */
static size_t list_length(const Onnx__TensorProto *t, int type)
{
	switch (type) {
	case ELEM_FLOAT32:
		return t->n_float_data;
	case ELEM_FLOAT64:
		return t->n_double_data;
	case ELEM_INT64:
		return t->n_int64_data;
	case ELEM_UINT32:
	case ELEM_UINT64:
		return t->n_uint64_data;
	default:
		return t->n_int32_data;
	}
}

static void from_list(const Onnx__TensorProto *t, int type, size_t count, void *to)
{
	const void *whole = type == ELEM_FLOAT32 ? (const void *)t->float_data :
			    type == ELEM_FLOAT64 ? (const void *)t->double_data :
			    type == ELEM_INT64 ? (const void *)t->int64_data :
			    type == ELEM_UINT64 ? (const void *)t->uint64_data : NULL;

	if (whole && count)
		memcpy(to, whole, count * elem_size(type));
	for (size_t i = 0; i < count && !whole; i++)
		memcpy((char *)to + i * elem_size(type),
		       type == ELEM_UINT32 ? (const void *)&t->uint64_data[i]
					   : (const void *)&t->int32_data[i],
		       elem_size(type));
}

/* A mask of attention holds zeros and infinities, and nothing else. */
static bool is_mask(const float *f, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (f[i] != 0 && !isinf(f[i]))
			return false;
	return true;
}

static void check_finite(struct onnx_import *c, const Onnx__TensorProto *t, const struct onnx_value *v,
			 bool weights)
{
	const float *f = v->data;
	size_t count = onnx_count(v);

	for (size_t i = 0; i < count; i++)
		if (isnan(f[i]) || (isinf(f[i]) && weights && count > 1 && !is_mask(f, count))) {
			onnx_fail(c, -EINVAL, "tensor %s: element %zu is %s", t->name ? t->name : "", i,
				  isnan(f[i]) ? "not a number" : "infinite");
			return;
		}
}

struct onnx_value *onnx_tensor(struct onnx_import *c, const Onnx__TensorProto *t, bool weights)
{
	const char *name = t->name && *t->name ? t->name : "(constant)";
	int32_t shape[IR_MAX_DIMS];
	struct onnx_value *v;
	int type = file_type(c, t->data_type);
	size_t bytes;

	if (c->rc)
		return NULL;
	if (t->n_dims > IR_MAX_DIMS)
		return onnx_fail(c, -ENOTSUP, "tensor %s: %zu axes", name, t->n_dims);
	for (size_t i = 0; i < t->n_dims; i++) {
		if (t->dims[i] < 0 || t->dims[i] > INT32_MAX)
			return onnx_fail(c, -EINVAL, "tensor %s: an extent of %" PRId64, name, t->dims[i]);
		shape[i] = (int32_t)t->dims[i];
	}
	v = onnx_value_new(c, type, (uint32_t)t->n_dims, shape);
	if (!v)
		return NULL;
	bytes = onnx_count(v) * elem_size(type);
	if (t->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL) {
		v = onnx_constant(c, type, v->ndim, shape, NULL);
		if (v)
			external(c, t, onnx_constant_data(v), bytes);
	} else if (t->has_raw_data) {
		if (t->raw_data.len != bytes)
			return onnx_fail(c, -EINVAL,
					 "tensor %s: %zu bytes of data, its shape needs %zu", name,
					 t->raw_data.len, bytes);
		v = onnx_constant(c, type, v->ndim, shape, bytes ? t->raw_data.data : NULL);
	} else {
		/* Only what is really in the file may take memory. */
		if (list_length(t, type) != onnx_count(v))
			return onnx_fail(c, -EINVAL,
					 "tensor %s: %zu numbers of data, its shape needs %zu",
					 name, list_length(t, type), onnx_count(v));
		v = onnx_constant(c, type, v->ndim, shape, NULL);
		if (v)
			from_list(t, type, onnx_count(v), onnx_constant_data(v));
	}
	if (type != onnx_type(c, t->data_type))
		v = b_cast(c, v, ELEM_FLOAT32);
	if (v && !c->rc && v->type == ELEM_FLOAT32)
		check_finite(c, t, v, weights);
	return c->rc ? NULL : v;
}
