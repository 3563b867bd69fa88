/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as an array file and as an archive of them. An array that is found is as large as its
 * shape says and can be written and read again; what is refused is refused in words.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_npy: %s\n", what);
	abort();
}

static void check_words(const struct error *err)
{
	check(err->text[0] && !strchr(err->text, '\n'), "no error, or more than a line");
}

static void check_array(const struct npy *a)
{
	size_t size = elem_size(a->type), len;
	struct npy again;
	void *file;

	for (unsigned int i = 0; i < a->ndim; i++)
		size *= (size_t)a->shape[i];
	check(a->size == size, "size is not that of the shape");
	check(!npy_format(a, &file, &len, NULL), "cannot be written");
	check(!npy_parse(file, len, "again", &again, NULL), "cannot be read again");
	check(again.type == a->type && again.ndim == a->ndim && again.size == a->size, "differs");
	check(!memcmp(again.shape, a->shape, a->ndim * sizeof(a->shape[0])), "another shape");
	check(!memcmp(again.data, a->data, a->size), "other contents");
	npy_free(&again);
	free(file);
}

static void fuzz_array(const uint8_t *data, size_t size)
{
	struct error err = { "" };
	struct npy a;

	if (npy_parse(data, size, "a file", &a, &err)) {
		check_words(&err);
		return;
	}
	check(a.size < size, "larger than its file");
	check_array(&a);
	npy_free(&a);
}

static void fuzz_archive(const uint8_t *data, size_t size)
{
	int fd = memfd_create("archive", MFD_CLOEXEC);
	struct error err = { "" };
	struct npz *npz;
	char path[64];

	check(fd >= 0 && write(fd, data, size) == (ssize_t)size, "no memory for the file");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (npz_open(path, &npz, &err)) {
		check_words(&err);
		close(fd);
		return;
	}
	for (size_t i = 0; i < npz_count(npz); i++) {
		struct npy a;

		err.text[0] = '\0';
		if (npz_get(npz, npz_name(npz, i), &a, &err)) {
			check_words(&err);
			continue;
		}
		check_array(&a);
		npy_free(&a);
	}
	npz_close(npz);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size >= 2 && data[0] == 'P' && data[1] == 'K')
		fuzz_archive(data, size);
	else
		fuzz_array(data, size);
	return 0;
}
