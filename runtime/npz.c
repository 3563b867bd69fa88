/* SPDX-License-Identifier: MIT */
/*
 * NumPy's .npz: a zip archive with one .npy file an array. libzip, which brings cryptography with it, is
 * loaded late.
 */
#include "runtime/npy.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "runtime/file.h"
#include "runtime/late.h"

#define NPZ_MEMBER_MAX                                                                             \
	(UINT64_C(1) << 30) /* a bound on what a hostile archive can make us allocate */

/* What is used of libzip. */
struct zip_calls {
	__typeof__(&zip_close) close;
	__typeof__(&zip_discard) discard;
	__typeof__(&zip_error_fini) error_fini;
	__typeof__(&zip_error_init) error_init;
	__typeof__(&zip_error_init_with_code) error_init_with_code;
	__typeof__(&zip_error_strerror) error_strerror;
	__typeof__(&zip_fclose) fclose;
	__typeof__(&zip_file_add) file_add;
	__typeof__(&zip_fopen_index) fopen_index;
	__typeof__(&zip_fread) fread;
	__typeof__(&zip_get_name) get_name;
	__typeof__(&zip_get_num_entries) get_num_entries;
	__typeof__(&zip_open) open;
	__typeof__(&zip_open_from_source) open_from_source;
	__typeof__(&zip_source_buffer) source_buffer;
	__typeof__(&zip_source_buffer_create) source_buffer_create;
	__typeof__(&zip_source_close) source_close;
	__typeof__(&zip_source_free) source_free;
	__typeof__(&zip_source_keep) source_keep;
	__typeof__(&zip_source_open) source_open;
	__typeof__(&zip_source_read) source_read;
	__typeof__(&zip_source_stat) source_stat;
	__typeof__(&zip_stat_index) stat_index;
	__typeof__(&zip_strerror) strerror;
};

static const struct late_call zip_calls[] = {
	{ "zip_close", offsetof(struct zip_calls, close) },
	{ "zip_discard", offsetof(struct zip_calls, discard) },
	{ "zip_error_fini", offsetof(struct zip_calls, error_fini) },
	{ "zip_error_init", offsetof(struct zip_calls, error_init) },
	{ "zip_error_init_with_code", offsetof(struct zip_calls, error_init_with_code) },
	{ "zip_error_strerror", offsetof(struct zip_calls, error_strerror) },
	{ "zip_fclose", offsetof(struct zip_calls, fclose) },
	{ "zip_file_add", offsetof(struct zip_calls, file_add) },
	{ "zip_fopen_index", offsetof(struct zip_calls, fopen_index) },
	{ "zip_fread", offsetof(struct zip_calls, fread) },
	{ "zip_get_name", offsetof(struct zip_calls, get_name) },
	{ "zip_get_num_entries", offsetof(struct zip_calls, get_num_entries) },
	{ "zip_open", offsetof(struct zip_calls, open) },
	{ "zip_open_from_source", offsetof(struct zip_calls, open_from_source) },
	{ "zip_source_buffer", offsetof(struct zip_calls, source_buffer) },
	{ "zip_source_buffer_create", offsetof(struct zip_calls, source_buffer_create) },
	{ "zip_source_close", offsetof(struct zip_calls, source_close) },
	{ "zip_source_free", offsetof(struct zip_calls, source_free) },
	{ "zip_source_keep", offsetof(struct zip_calls, source_keep) },
	{ "zip_source_open", offsetof(struct zip_calls, source_open) },
	{ "zip_source_read", offsetof(struct zip_calls, source_read) },
	{ "zip_source_stat", offsetof(struct zip_calls, source_stat) },
	{ "zip_stat_index", offsetof(struct zip_calls, stat_index) },
	{ "zip_strerror", offsetof(struct zip_calls, strerror) },
};

static int zip_load(struct zip_calls *calls, const char *path, struct error *err)
{
	int ret = late_load(ZIP_SONAME, zip_calls, sizeof(zip_calls) / sizeof(zip_calls[0]), calls, err);

	return ret ? error_prefix(err, ret, path) : 0;
}

struct npz {
	struct zip_calls calls;
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
	code = zip_load(&npz->calls, path, err);
	if (code) {
		free(npz);
		return code;
	}
	npz->path = strdup(path);
	npz->zip = npz->calls.open(path, ZIP_RDONLY, &code);
	if (!npz->path || !npz->zip) {
		zip_error_t why;

		npz->calls.error_init_with_code(&why, code);
		error_set(err, -EINVAL, "%s: %s; write one with numpy.savez()", path,
			  npz->calls.error_strerror(&why));
		npz->calls.error_fini(&why);
		npz_close(npz);
		return -EINVAL;
	}
	count = npz->calls.get_num_entries(npz->zip, 0);
	npz->names = calloc(count > 0 ? count : 1, sizeof(*npz->names));
	if (!npz->names)
		goto nomem;
	for (; npz->count < (size_t)count; npz->count++) {
		const char *file = npz->calls.get_name(npz->zip, npz->count, 0);

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
		npz->calls.discard(npz->zip);
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

	if (npz->calls.stat_index(npz->zip, index, 0, &st) || !(st.valid & ZIP_STAT_SIZE))
		return error_set(err, -EINVAL, "%s: %s: %s", npz->path, name,
				 npz->calls.strerror(npz->zip));
	if (st.size > NPZ_MEMBER_MAX)
		return error_set(err, -EFBIG, "%s: %s: larger than 1 GiB", npz->path, name);
	buf = malloc(st.size + 1);
	if (!buf)
		return error_set(err, -ENOMEM, "%s: %s: no memory", npz->path, name);
	file = npz->calls.fopen_index(npz->zip, index, 0);
	while (file && have < st.size) {
		zip_int64_t got = npz->calls.fread(file, buf + have, st.size - have);

		if (got <= 0)
			break;
		have += got;
	}
	/* A wrong checksum is known only after a read at the end. */
	whole = file && have == st.size && !npz->calls.fread(file, buf + have, 1);
	if (file && npz->calls.fclose(file))
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

static int add_member(const struct zip_calls *calls, zip_t *zip, const char *name,
		      const struct npy *array, struct error *err)
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
	source = calls->source_buffer(zip, buf, len, 1);
	if (!source) {
		free(buf);
		return error_set(err, -ENOMEM, "%s", calls->strerror(zip));
	}
	if (calls->file_add(zip, file, source, ZIP_FL_ENC_UTF_8) < 0) {
		calls->source_free(source);
		return error_set(err, -EINVAL, "%s: %s", file, calls->strerror(zip));
	}
	return 0;
}

int npz_write(const char *path, const char *const *names, const struct npy *arrays, size_t count,
	      struct error *err)
{
	struct zip_calls calls;
	zip_error_t why;
	zip_source_t *source;
	zip_stat_t st;
	void *buf = NULL;
	zip_t *zip;
	int ret = zip_load(&calls, path, err);

	if (ret)
		return ret;

	/*
	 * Built in memory, so that the one way files are written (file_write) does for archives
	 * too.
	 */
	calls.error_init(&why);
	source = calls.source_buffer_create(NULL, 0, 0, &why);
	zip = source ? calls.open_from_source(source, ZIP_TRUNCATE, &why) : NULL;
	if (!zip) {
		ret = error_set(err, -ENOMEM, "%s: %s", path, calls.error_strerror(&why));
		calls.source_free(source);
		calls.error_fini(&why);
		return ret;
	}
	calls.error_fini(&why);
	calls.source_keep(source);
	for (size_t i = 0; i < count && !ret; i++)
		ret = add_member(&calls, zip, names[i], &arrays[i], err);
	if (ret) {
		error_prefix(err, ret, path);
		calls.discard(zip);
		goto out;
	}
	if (calls.close(zip)) {
		ret = error_set(err, -EIO, "%s: %s", path, calls.strerror(zip));
		calls.discard(zip);
		goto out;
	}
	if (calls.source_open(source) || calls.source_stat(source, &st)) {
		ret = error_set(err, -EIO, "%s: cannot build the archive", path);
		goto out;
	}
	buf = malloc(st.size ? st.size : 1);
	if (!buf || calls.source_read(source, buf, st.size) != (zip_int64_t)st.size)
		ret = error_set(err, -ENOMEM, "%s: cannot build the archive", path);
	else
		ret = file_write(path, buf, st.size, err);
	calls.source_close(source);
out:
	free(buf);
	calls.source_free(source);
	return ret;
}
