/* SPDX-License-Identifier: MIT */
/* Files of a folder, or of a list, and the class of each. */
#ifndef ACCEL_RUNTIME_SAMPLES_FOLDER_H
#define ACCEL_RUNTIME_SAMPLES_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "runtime/error.h"

struct samples;

/* A file; its label is -1 if it has none. */
struct folder_file {
	char *path;
	int label;
};

/**
 * struct folder - the files, sorted by path or as listed
 */
struct folder {
	struct folder_file *files;
	size_t count, room;
};

/**
 * folder_open - find files and classes
 * @s: samples.spec is a folder, a file, or a list ("FILE,CLASS" a line, .csv); its classes are set, or
 *	found where they are
 *
 * Classes: those of labels.csv in the folder, else its sub-folders' names; labels.txt in it has the
 * names of all classes in the model's order. Hidden files are left out.
 *
 * Return: 0, -EINVAL, -errno, -ENOMEM; folder_close() is due either way.
 */
int folder_open(struct samples *s, struct folder *out, struct error *err);
void folder_close(struct folder *f);

/* folder_keep - only the files that @wanted is true for */
void folder_keep(struct folder *f, bool (*wanted)(const char *path));

/* folder_read_lines - lines of a file, none of them empty; malloc'ed strings in a malloc'ed array */
int folder_read_lines(const char *path, char ***lines, unsigned int *count, struct error *err);

#endif
