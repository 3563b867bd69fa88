/* SPDX-License-Identifier: MIT */
/* NumPy's .npy: a magic number, a header that is a Python dict, the bytes. */
#include "runtime/npy.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/file.h"

#define NPY_MAGIC	"\x93NUMPY"
#define NPY_MAGIC_LEN	6
#define NPY_ALIGN	64	/* numpy pads the header so that the data starts at a multiple */

/* The header dict while it is parsed. */
struct header {
	const char *p;
	const char *end;
	const char *name;
	struct error *err;
	bool have_descr, have_order, have_shape;
	char order;
};

static int bad_header(struct header *h, const char *what)
{
	return error_set(h->err, -EINVAL, "%s: npy header: %s", h->name, what);
}

static void skip_space(struct header *h)
{
	while (h->p < h->end && isspace((unsigned char)*h->p))
		h->p++;
}

static bool accept(struct header *h, char c)
{
	skip_space(h);
	if (h->p == h->end || *h->p != c)
		return false;
	h->p++;
	return true;
}

static bool accept_word(struct header *h, const char *word)
{
	size_t len = strlen(word);

	skip_space(h);
	if ((size_t)(h->end - h->p) < len || memcmp(h->p, word, len))
		return false;
	h->p += len;
	return true;
}

/* A Python string without escapes, as numpy writes them. */
static int parse_string(struct header *h, const char **text, size_t *len)
{
	const char *close;
	char quote;

	skip_space(h);
	if (h->p == h->end || (*h->p != '\'' && *h->p != '"'))
		return bad_header(h, "string expected");
	quote = *h->p++;
	close = memchr(h->p, quote, h->end - h->p);
	if (!close)
		return bad_header(h, "string without end");
	*text = h->p;
	*len = close - h->p;
	h->p = close + 1;
	return 0;
}

static int parse_descr(struct header *h, struct npy *out)
{
	const char *text;
	size_t len;
	int type;
	int ret;

	skip_space(h);
	if (h->p < h->end && *h->p == '[')
		return error_set(h->err, -ENOTSUP, "%s: structured arrays are not supported; save "
				 "one plain array", h->name);
	ret = parse_string(h, &text, &len);
	if (ret)
		return ret;
	type = len > 1 ? elem_from_npy(text + 1, len - 1) : -1;
	if (type < 0)
		return error_set(h->err, -ENOTSUP,
				 "%s: type '%.*s' is not supported; use bool, int8, "
				 "uint8, int16, int32, int64 or float32",
				 h->name, (int)(len < 32 ? len : 32), text);
	if (text[0] == '>' && elem_size(type) > 1)
		return error_set(h->err, -ENOTSUP, "%s: big-endian data; save it with "
				 "array.astype('<%s')", h->name, elem_npy(type));
	if (!strchr("<|=>", text[0]))
		return bad_header(h, "unknown byte order");
	out->type = type;
	h->have_descr = true;
	return 0;
}

static int parse_shape(struct header *h, struct npy *out)
{
	out->ndim = 0;
	if (!accept(h, '('))
		return bad_header(h, "shape is no tuple");
	while (!accept(h, ')')) {
		int64_t extent = 0;

		if (out->ndim == NPY_MAX_DIMS)
			return bad_header(h, "more than 32 dimensions");
		if (h->p == h->end || !isdigit((unsigned char)*h->p))
			return bad_header(h, "extent expected in shape");
		for (; h->p < h->end && isdigit((unsigned char)*h->p); h->p++) {
			if (__builtin_mul_overflow(extent, 10, &extent) ||
			    __builtin_add_overflow(extent, *h->p - '0', &extent))
				return bad_header(h, "extent too large");
		}
		accept(h, 'L');	/* Python 2 wrote longs so */
		out->shape[out->ndim++] = extent;
		if (!accept(h, ',')) {
			if (!accept(h, ')'))
				return bad_header(h, "shape without end");
			break;
		}
	}
	h->have_shape = true;
	return 0;
}

static int parse_entry(struct header *h, struct npy *out)
{
	const char *key;
	size_t len;
	int ret = parse_string(h, &key, &len);

	if (ret)
		return ret;
	if (!accept(h, ':'))
		return bad_header(h, "':' expected");
	if (len == 5 && !memcmp(key, "descr", 5))
		return parse_descr(h, out);
	if (len == 5 && !memcmp(key, "shape", 5))
		return parse_shape(h, out);
	if (len == 13 && !memcmp(key, "fortran_order", 13)) {
		h->have_order = true;
		h->order = accept_word(h, "True") ? 'F' : accept_word(h, "False") ? 'C' : 0;
		return h->order ? 0 : bad_header(h, "fortran_order is no boolean");
	}
	return bad_header(h, "unknown key");
}

static int parse_dict(struct header *h, struct npy *out)
{
	if (!accept(h, '{'))
		return bad_header(h, "no dict");
	while (!accept(h, '}')) {
		int ret = parse_entry(h, out);

		if (ret)
			return ret;
		if (!accept(h, ',')) {
			if (!accept(h, '}'))
				return bad_header(h, "dict without end");
			break;
		}
	}
	if (!h->have_descr || !h->have_order || !h->have_shape)
		return bad_header(h, "descr, fortran_order or shape is missing");
	if (h->order == 'F' && out->ndim > 1)
		return error_set(h->err, -ENOTSUP, "%s: Fortran order; save it with "
				 "numpy.ascontiguousarray(array)", h->name);
	return 0;
}

/* Bytes of the array, or an error if the product does not fit. */
static int array_size(struct npy *a, const char *name, struct error *err)
{
	size_t size = elem_size(a->type);
	bool empty = false;

	for (unsigned int i = 0; i < a->ndim; i++)
		empty = empty || !a->shape[i];
	for (unsigned int i = 0; i < a->ndim && !empty; i++) {
		if (__builtin_mul_overflow(size, (size_t)a->shape[i], &size))
			return error_set(err, -EINVAL, "%s: npy header: array too large", name);
	}
	a->size = empty ? 0 : size;
	return 0;
}

int npy_parse(const void *buf, size_t len, const char *name, struct npy *out, struct error *err)
{
	const uint8_t *p = buf;
	struct npy array = { 0 };
	struct header h = { .name = name, .err = err };
	size_t start, header_len;
	int ret;

	if (len < NPY_MAGIC_LEN + 4 || memcmp(p, NPY_MAGIC, NPY_MAGIC_LEN))
		return error_set(err, -EINVAL, "%s: not a .npy file; write one with numpy.save()",
				 name);
	if (p[6] < 1 || p[6] > 3)
		return error_set(err, -ENOTSUP, "%s: npy version %u.%u is not known", name, p[6],
				 p[7]);
	start = p[6] == 1 ? 10 : 12;
	if (len < start)
		return error_set(err, -EINVAL, "%s: truncated in the npy header", name);
	header_len = p[8] | (size_t)p[9] << 8;
	if (p[6] > 1)
		header_len |= (size_t)p[10] << 16 | (size_t)p[11] << 24;
	if (header_len > len - start)
		return error_set(err, -EINVAL, "%s: truncated in the npy header", name);
	h.p = (const char *)p + start;
	h.end = h.p + header_len;
	ret = parse_dict(&h, &array);
	if (!ret)
		ret = array_size(&array, name, err);
	if (ret)
		return ret;
	start += header_len;
	if (len - start < array.size)
		return error_set(err, -EINVAL,
				 "%s: truncated: %zu bytes of data, the header promises %zu", name,
				 len - start, array.size);
	array.data = malloc(array.size ? array.size : 1);
	if (!array.data)
		return error_set(err, -ENOMEM, "%s: no memory for %zu bytes", name, array.size);
	memcpy(array.data, p + start, array.size);
	*out = array;
	return 0;
}

int npy_read(const char *path, struct npy *out, struct error *err)
{
	size_t len;
	void *buf;
	int ret = file_read(path, &buf, &len, err);

	if (ret)
		return ret;
	ret = npy_parse(buf, len, path, out, err);
	free(buf);
	return ret;
}

int npy_format(const struct npy *a, void **out, size_t *len, struct error *err)
{
	char dict[128 + NPY_MAX_DIMS * 24];
	const char *descr = elem_npy(a->type);
	size_t n, start;
	uint8_t *buf;

	if (!descr)
		return error_set(err, -ENOTSUP, "cannot write %s as .npy", elem_name(a->type));
	n = sprintf(dict, "{'descr': '%c%s', 'fortran_order': False, 'shape': (",
		    elem_size(a->type) > 1 ? '<' : '|', descr);
	for (unsigned int i = 0; i < a->ndim; i++)
		n += sprintf(dict + n, "%s%lld", i ? ", " : "", (long long)a->shape[i]);
	n += sprintf(dict + n, "%s), }", a->ndim == 1 ? "," : "");
	start = (NPY_MAGIC_LEN + 4 + n + 1 + NPY_ALIGN - 1) / NPY_ALIGN * NPY_ALIGN;
	*len = start + a->size;
	buf = malloc(*len);
	if (!buf)
		return error_set(err, -ENOMEM, "no memory for %zu bytes", *len);
	memset(buf, ' ', start);
	memcpy(buf, NPY_MAGIC "\x01\x00", NPY_MAGIC_LEN + 2);
	buf[8] = (start - 10) & 0xff;
	buf[9] = (start - 10) >> 8;
	memcpy(buf + 10, dict, n);
	buf[start - 1] = '\n';
	if (a->size)
		memcpy(buf + start, a->data, a->size);
	*out = buf;
	return 0;
}

int npy_write(const char *path, const struct npy *array, struct error *err)
{
	size_t len;
	void *buf;
	int ret = npy_format(array, &buf, &len, err);

	if (ret)
		return ret;
	ret = file_write(path, buf, len, err);
	free(buf);
	return ret;
}

void npy_free(struct npy *array)
{
	free(array->data);
	*array = (struct npy){ 0 };
}

const char *npy_shape_text(const int64_t *shape, unsigned int ndim, char *text, size_t len)
{
	size_t n = 0;

	snprintf(text, len, "scalar");
	for (unsigned int i = 0; i < ndim && n < len; i++)
		n += snprintf(text + n, len - n, "%s%lld", i ? "x" : "", (long long)shape[i]);
	return text;
}
