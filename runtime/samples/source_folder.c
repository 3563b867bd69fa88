/* SPDX-License-Identifier: MIT */
/* Samples from a folder, a list or a single file: what kind of files it is. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/samples/array.h"
#include "runtime/samples/folder.h"

enum kind { PICTURES, ARRAYS, SOUNDS, KINDS };

static const struct {
	const char *name;
	const char *endings[6];
	int (*open)(struct samples *s, struct folder *f, struct error *err);
} kinds[KINDS] = {
	[PICTURES] = { "pictures", { ".png", ".jpg", ".jpeg" }, source_pictures },
	[ARRAYS] = { "array files", { ".npz", ".npy" }, source_archives },
	[SOUNDS] = { "sound files", { ".wav", ".flac", ".ogg", ".aiff", ".au" }, source_sounds },
};

/* KINDS: none of them. */
static enum kind kind_of(const char *path)
{
	size_t len = strlen(path);

	for (unsigned int k = 0; k < KINDS; k++)
		for (int i = 0; i < 6 && kinds[k].endings[i]; i++) {
			size_t n = strlen(kinds[k].endings[i]);

			if (len > n && !strcasecmp(path + len - n, kinds[k].endings[i]))
				return k;
		}
	return KINDS;
}

static bool is_known(const char *path)
{
	return kind_of(path) != KINDS;
}

int source_folder(struct samples *s, struct error *err)
{
	struct folder f;
	enum kind kind;
	int rc = folder_open(s, &f, err);

	if (!rc && s->prep.bytes)
		return source_bytes(s, &f, err);
	if (!rc)
		folder_keep(&f, is_known);
	if (!rc && !f.count)
		rc = error_set(err, -EINVAL,
			       "%s: no pictures (.png, .jpg), arrays (.npz) or sounds (.wav) in it; for "
			       "files as bytes the description needs \"bytes\"",
			       s->spec);
	if (rc) {
		folder_close(&f);
		return rc;
	}
	kind = kind_of(f.files[0].path);
	for (size_t i = 1; i < f.count; i++) {
		if (kind_of(f.files[i].path) == kind)
			continue;
		rc = error_set(err, -EINVAL, "%s: both %s (%s) and %s (%s)", s->spec, kinds[kind].name,
			       f.files[0].path, kinds[kind_of(f.files[i].path)].name,
			       f.files[i].path);
		folder_close(&f);
		return rc;
	}
	return kinds[kind].open(s, &f, err);
}
