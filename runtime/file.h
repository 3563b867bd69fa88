/* SPDX-License-Identifier: MIT */
/* Whole files: read into memory, written complete or not at all. */
#ifndef ACCEL_RUNTIME_FILE_H
#define ACCEL_RUNTIME_FILE_H

#include <stddef.h>
#include <stdio.h>

#include "runtime/error.h"

/**
 * file_read - a whole file
 * @path: file
 * @data, @size: malloc'ed contents, the caller frees them
 *
 * Return: 0, -errno of open or read, -EFBIG beyond 4 GiB, -ENOMEM; @err names the file.
 */
int file_read(const char *path, void **data, size_t *size, struct error *err);

/**
 * struct file_out - a file being written
 * @stream: to write to
 * @path: its final name
 * @temp: its name until file_commit(), empty if @path is no regular file (a pipe, /dev/null)
 */
struct file_out {
	FILE *stream;
	char *path;
	char *temp;
};

/* file_create - begin to write @path: nothing is seen under that name before file_commit(). */
int file_create(const char *path, struct file_out *out, struct error *err);

/* file_commit - finish. On failure nothing is left behind, as after file_abandon(). */
int file_commit(struct file_out *out, struct error *err);
void file_abandon(struct file_out *out);

/* file_write - both in one: @size bytes of @data as @path. */
int file_write(const char *path, const void *data, size_t size, struct error *err);

#endif
