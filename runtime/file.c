/* SPDX-License-Identifier: MIT */
/* Whole files: read into memory, written complete or not at all. */
#include "runtime/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (UINT64_C(4) << 30)	/* far above any model that an NPU of this class runs */

static int read_all(int fd, const char *path, size_t hint, void **data, size_t *size,
		    struct error *err)
{
	size_t cap = hint + 1, len = 0;
	uint8_t *buf = malloc(cap);

	if (!buf)
		return error_set(err, -ENOMEM, "%s: no memory for %zu bytes", path, cap);
	for (;;) {
		ssize_t got;

		if (len == cap) {
			uint8_t *more = cap < FILE_MAX ? realloc(buf, cap * 2) : NULL;

			if (!more) {
				free(buf);
				return error_set(err, -EFBIG, "%s: too large", path);
			}
			buf = more;
			cap *= 2;
		}
		got = read(fd, buf + len, cap - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			int ret = -errno;

			free(buf);
			return error_set(err, ret, "%s: %s", path, strerror(-ret));
		}
		if (!got)
			break;
		len += got;
	}
	*data = buf;
	*size = len;
	return 0;
}

int file_read(const char *path, void **data, size_t *size, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int ret;

	if (fd < 0 || fstat(fd, &st)) {
		ret = error_set(err, -errno, "%s: %s", path, strerror(errno));
		goto out;
	}
	if (S_ISDIR(st.st_mode)) {
		ret = error_set(err, -EISDIR, "%s: %s", path, strerror(EISDIR));
		goto out;
	}
	if ((uint64_t)st.st_size > FILE_MAX) {
		ret = error_set(err, -EFBIG, "%s: larger than 4 GiB", path);
		goto out;
	}
	ret = read_all(fd, path, st.st_size, data, size, err);
out:
	if (fd >= 0)
		close(fd);
	return ret;
}

static int out_fail(struct file_out *out, int code, struct error *err)
{
	error_set(err, code, "%s: cannot write: %s", out->path, strerror(-code));
	file_abandon(out);
	return code;
}

int file_create(const char *path, struct file_out *out, struct error *err)
{
	struct stat st;
	mode_t mask;
	int fd;

	*out = (struct file_out){ .path = strdup(path) };
	if (!out->path)
		return error_set(err, -ENOMEM, "%s: no memory", path);
	if (!stat(path, &st) && !S_ISREG(st.st_mode)) {
		out->stream = fopen(path, "we");
		return out->stream ? 0 : out_fail(out, -errno, err);
	}
	if (asprintf(&out->temp, "%s.XXXXXX", path) < 0) {
		out->temp = NULL;
		return out_fail(out, -ENOMEM, err);
	}
	fd = mkostemp(out->temp, O_CLOEXEC);
	if (fd < 0) {
		int ret = -errno;

		free(out->temp);
		out->temp = NULL;
		return out_fail(out, ret, err);
	}
	/* mkostemp() gives 0600; the file shall have the mode that open() would have given it. */
	mask = umask(0);
	umask(mask);
	out->stream = fchmod(fd, 0666 & ~mask) ? NULL : fdopen(fd, "w");
	if (!out->stream) {
		int ret = -errno;

		close(fd);
		return out_fail(out, ret, err);
	}
	return 0;
}

int file_commit(struct file_out *out, struct error *err)
{
	FILE *stream = out->stream;
	int bad = ferror(stream);

	out->stream = NULL;
	if (fclose(stream))
		return out_fail(out, -errno, err);
	if (bad)
		return out_fail(out, -EIO, err);
	if (out->temp && rename(out->temp, out->path))
		return out_fail(out, -errno, err);
	free(out->temp);
	free(out->path);
	*out = (struct file_out){ 0 };
	return 0;
}

void file_abandon(struct file_out *out)
{
	if (out->stream)
		fclose(out->stream);
	if (out->temp)
		unlink(out->temp);
	free(out->temp);
	free(out->path);
	*out = (struct file_out){ 0 };
}

int file_write(const char *path, const void *data, size_t size, struct error *err)
{
	struct file_out out;
	int ret = file_create(path, &out, err);

	if (ret)
		return ret;
	fwrite(data, 1, size, out.stream);
	return file_commit(&out, err);
}
