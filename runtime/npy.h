/* SPDX-License-Identifier: MIT */
/* NumPy's array files: .npy, and .npz archives of them. */
#ifndef ACCEL_RUNTIME_NPY_H
#define ACCEL_RUNTIME_NPY_H

#include <stddef.h>
#include <stdint.h>

#include "runtime/elem.h"
#include "runtime/error.h"

#define NPY_MAX_DIMS 32	/* NumPy 1's own limit */

/**
 * struct npy - an array, C order, little-endian
 * @type: bool, int8, uint8, int16, int32, int64 or float32
 * @ndim, @shape: extents; ndim 0 is a scalar
 * @data: @size bytes
 * @size: bytes
 */
struct npy {
	enum elem type;
	unsigned int ndim;
	int64_t shape[NPY_MAX_DIMS];
	void *data;
	size_t size;
};

/**
 * npy_parse - read an array from a file in memory
 * @buf, @len: the file
 * @name: what to call it in messages
 * @out: the caller frees it with npy_free()
 *
 * Versions 1, 2 and 3 of the format.
 *
 * Return: 0, -EINVAL (not such a file, truncated), -ENOTSUP (type or order), -ENOMEM.
 */
int npy_parse(const void *buf, size_t len, const char *name, struct npy *out, struct error *err);

/* npy_read - npy_parse() of a file. */
int npy_read(const char *path, struct npy *out, struct error *err);

/* npy_write - write an array, version 1.0, complete or not at all. */
int npy_write(const char *path, const struct npy *array, struct error *err);

/* npy_format - the same into memory: *@out is malloc'ed. */
int npy_format(const struct npy *array, void **out, size_t *len, struct error *err);

void npy_free(struct npy *array);

/* npy_shape_text - "1x28x28x1", "scalar" */
const char *npy_shape_text(const int64_t *shape, unsigned int ndim, char *text, size_t len);

/* An open archive. */
struct npz;

/**
 * npz_open - open an archive (stored or deflated members)
 *
 * Return: 0, -errno, -EINVAL if it is no zip archive.
 */
int npz_open(const char *path, struct npz **out, struct error *err);
void npz_close(struct npz *npz);

/* Members, and the name of one without ".npy"; valid until the archive is closed. */
size_t npz_count(const struct npz *npz);
const char *npz_name(const struct npz *npz, size_t index);

/* npz_get - read a member by its name without ".npy". -ENOENT if there is none. */
int npz_get(struct npz *npz, const char *name, struct npy *out, struct error *err);

/* npz_write - write @count arrays as one archive, deflated, complete or not at all. */
int npz_write(const char *path, const char *const *names, const struct npy *arrays, size_t count,
	      struct error *err);

#endif
