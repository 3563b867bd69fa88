/* SPDX-License-Identifier: MIT */
/* NumPy's .npz: a zip archive with one .npy file an array. */
#include "runtime/npy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "runtime/file.h"

#define NPZ_MEMBER_MAX                                                                             \
	(UINT64_C(1) << 30) /* a bound on what a hostile archive can make us allocate */

struct npz {
	zip_t *zip;
	char *path;
	char **names;
	size_t count;
};

static char *member_name(const char *file)
{
	size_t len = strlen(file);

	if (len > 4 && !strcmp(file + len - 4, ".npy"))
		len -= 4;
	return strndup(file, len);
}

int npz_open(const char *path, struct npz **out, struct error *err)
{
	struct npz *npz = calloc(1, sizeof(*npz));
	zip_int64_t count;
	int code = 0;

	if (!npz)
		return error_set(err, -ENOMEM, "%s: no memory", path);
	npz->path = strdup(path);
	npz->zip = zip_open(path, ZIP_RDONLY, &code);
	if (!npz->path || !npz->zip) {
		zip_error_t why;

		zip_error_init_with_code(&why, code);
		error_set(err, -EINVAL, "%s: %s; write one with numpy.savez()", path,
			  zip_error_strerror(&why));
		zip_error_fini(&why);
		npz_close(npz);
		return -EINVAL;
	}
	count = zip_get_num_entries(npz->zip, 0);
	npz->names = calloc(count > 0 ? count : 1, sizeof(*npz->names));
	if (!npz->names)
		goto nomem;
	for (; npz->count < (size_t)count; npz->count++) {
		const char *file = zip_get_name(npz->zip, npz->count, 0);

		npz->names[npz->count] = member_name(file ? file : "");
		if (!npz->names[npz->count])
			goto nomem;
	}
	*out = npz;
	return 0;

nomem:
	npz_close(npz);
	return error_set(err, -ENOMEM, "%s: no memory", path);
}

void npz_close(struct npz *npz)
{
	if (!npz)
		return;
	for (size_t i = 0; i < npz->count; i++)
		free(npz->names[i]);
	free(npz->names);
	if (npz->zip)
		zip_discard(npz->zip);
	free(npz->path);
	free(npz);
}

size_t npz_count(const struct npz *npz)
{
	return npz->count;
}

const char *npz_name(const struct npz *npz, size_t index)
{
	return index < npz->count ? npz->names[index] : NULL;
}

static int member_read(struct npz *npz, size_t index, void **data, size_t *len, struct error *err)
{
	const char *name = npz->names[index];
	zip_file_t *file;
	zip_stat_t st;
	uint64_t have = 0;
	uint8_t *buf;
	bool whole;

	if (zip_stat_index(npz->zip, index, 0, &st) || !(st.valid & ZIP_STAT_SIZE))
		return error_set(err, -EINVAL, "%s: %s: %s", npz->path, name,
				 zip_strerror(npz->zip));
	if (st.size > NPZ_MEMBER_MAX)
		return error_set(err, -EFBIG, "%s: %s: larger than 1 GiB", npz->path, name);
	buf = malloc(st.size + 1);
	if (!buf)
		return error_set(err, -ENOMEM, "%s: %s: no memory", npz->path, name);
	file = zip_fopen_index(npz->zip, index, 0);
	while (file && have < st.size) {
		zip_int64_t got = zip_fread(file, buf + have, st.size - have);

		if (got <= 0)
			break;
		have += got;
	}
	/* A wrong checksum is known only after a read at the end. */
	whole = file && have == st.size && !zip_fread(file, buf + have, 1);
	if (file && zip_fclose(file))
		whole = false;
	if (!whole) {
		free(buf);
		return error_set(err, -EINVAL, "%s: %s: damaged archive member", npz->path, name);
	}
	*data = buf;
	*len = have;
	return 0;
}

int npz_get(struct npz *npz, const char *name, struct npy *out, struct error *err)
{
	char label[256];
	size_t i, len = 0;
	void *buf = NULL;
	int ret;

	for (i = 0; i < npz->count && strcmp(npz->names[i], name); i++)
		;
	if (i == npz->count)
		return error_set(err, -ENOENT, "%s: no array '%s'", npz->path, name);
	ret = member_read(npz, i, &buf, &len, err);
	if (ret)
		return ret;
	snprintf(label, sizeof(label), "%s: %s", npz->path, name);
	ret = npy_parse(buf, len, label, out, err);
	free(buf);
	return ret;
}

static int add_member(zip_t *zip, const char *name, const struct npy *array, struct error *err)
{
	zip_source_t *source;
	char file[256];
	void *buf;
	size_t len;
	int ret;

	if ((size_t)snprintf(file, sizeof(file), "%s.npy", name) >= sizeof(file))
		return error_set(err, -ENAMETOOLONG, "name too long");
	ret = npy_format(array, &buf, &len, err);
	if (ret)
		return ret;
	source = zip_source_buffer(zip, buf, len, 1);
	if (!source) {
		free(buf);
		return error_set(err, -ENOMEM, "%s", zip_strerror(zip));
	}
	if (zip_file_add(zip, file, source, ZIP_FL_ENC_UTF_8) < 0) {
		zip_source_free(source);
		return error_set(err, -EINVAL, "%s: %s", file, zip_strerror(zip));
	}
	return 0;
}

int npz_write(const char *path, const char *const *names, const struct npy *arrays, size_t count,
	      struct error *err)
{
	zip_error_t why;
	zip_source_t *source;
	zip_stat_t st;
	void *buf = NULL;
	zip_t *zip;
	int ret = 0;

	/*
	 * Built in memory, so that the one way files are written (file_write) does for archives
	 * too.
	 */
	zip_error_init(&why);
	source = zip_source_buffer_create(NULL, 0, 0, &why);
	zip = source ? zip_open_from_source(source, ZIP_TRUNCATE, &why) : NULL;
	if (!zip) {
		ret = error_set(err, -ENOMEM, "%s: %s", path, zip_error_strerror(&why));
		zip_source_free(source);
		zip_error_fini(&why);
		return ret;
	}
	zip_error_fini(&why);
	zip_source_keep(source);
	for (size_t i = 0; i < count && !ret; i++)
		ret = add_member(zip, names[i], &arrays[i], err);
	if (ret) {
		error_prefix(err, ret, path);
		zip_discard(zip);
		goto out;
	}
	if (zip_close(zip)) {
		ret = error_set(err, -EIO, "%s: %s", path, zip_strerror(zip));
		zip_discard(zip);
		goto out;
	}
	if (zip_source_open(source) || zip_source_stat(source, &st)) {
		ret = error_set(err, -EIO, "%s: cannot build the archive", path);
		goto out;
	}
	buf = malloc(st.size ? st.size : 1);
	if (!buf || zip_source_read(source, buf, st.size) != (zip_int64_t)st.size)
		ret = error_set(err, -ENOMEM, "%s: cannot build the archive", path);
	else
		ret = file_write(path, buf, st.size, err);
	zip_source_close(source);
out:
	free(buf);
	zip_source_free(source);
	return ret;
}
