/* SPDX-License-Identifier: MIT */
/* Files of a folder, or of a list, and the class of each. */
#include "runtime/samples/folder.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/file.h"
#include "runtime/samples/source.h"

#define DEPTH_MAX	16
#define FILES_MAX	10000000u
#define CLASSES_MAX	100000u
#define LIST_NAME	"labels.csv"
#define NAMES_NAME	"labels.txt"

static int no_memory(struct error *err)
{
	return error_set(err, -ENOMEM, "out of memory");
}

/* ---- lines ---- */

int folder_read_lines(const char *path, char ***lines, unsigned int *count, struct error *err)
{
	char **out = NULL, *text, *line, *rest;
	unsigned int n = 0, room = 0;
	void *data;
	size_t size;
	int rc = file_read(path, &data, &size, err);

	if (rc)
		return rc;
	text = memchr(data, '\0', size) ? NULL : strndup(data, size);
	free(data);
	if (!text)
		return error_set(err, -EINVAL, "%s: not a text file", path);
	for (line = strtok_r(text, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest)) {
		if (n == room) {
			char **more = n < FILES_MAX ? realloc(out, (2 * room + 16) * sizeof(*out)) :
						      NULL;

			if (!more)
				goto fail;
			out = more;
			room = 2 * room + 16;
		}
		out[n] = strdup(line);
		if (!out[n])
			goto fail;
		n++;
	}
	free(text);
	if (!n) {
		free(out);
		return error_set(err, -EINVAL, "%s: empty", path);
	}
	*lines = out;
	*count = n;
	return 0;
fail:
	while (n)
		free(out[--n]);
	free(out);
	free(text);
	return no_memory(err);
}

/* ---- names of classes ---- */

/* While they are collected: any order, none twice. */
struct names {
	char **list;
	unsigned int count, room;
};

static void names_free(struct names *n)
{
	while (n->count)
		free(n->list[--n->count]);
	free(n->list);
}

static int find(char *const *list, unsigned int count, const char *name)
{
	for (unsigned int i = 0; i < count; i++)
		if (!strcmp(list[i], name))
			return (int)i;
	return -1;
}

/* Index of a name, which is new or not; negative errno. */
static int names_add(struct names *n, const char *name, struct error *err)
{
	int at = find(n->list, n->count, name);

	if (at >= 0)
		return at;
	if (n->count == CLASSES_MAX)
		return error_set(err, -EINVAL, "more than %u classes", CLASSES_MAX);
	if (n->count == n->room) {
		char **more = realloc(n->list, (2 * n->room + 16) * sizeof(*more));

		if (!more)
			return no_memory(err);
		n->list = more;
		n->room = 2 * n->room + 16;
	}
	n->list[n->count] = strdup(name);
	if (!n->list[n->count])
		return no_memory(err);
	return (int)n->count++;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sort the names, number the files by that, give the names to the samples. */
static int names_finish(struct samples *s, struct folder *f, struct names *n, struct error *err)
{
	char **sorted;

	if (!n->count)
		return 0;
	sorted = malloc(n->count * sizeof(*sorted));
	if (!sorted)
		return no_memory(err);
	memcpy(sorted, n->list, n->count * sizeof(*sorted));
	qsort(sorted, n->count, sizeof(*sorted), by_name);
	for (size_t i = 0; i < f->count; i++)
		if (f->files[i].label >= 0)
			f->files[i].label =
				find(sorted, n->count, n->list[f->files[i].label]);
	samples_set_classes(s, sorted, n->count);
	free(n->list);
	*n = (struct names){ 0 };
	return 0;
}

/* The class of that name: one that there is, or a new one. */
static int class_of(const struct samples *s, struct names *names, const char *name,
		    const char *where, struct error *err)
{
	int label;

	if (!s->class_names)
		return names_add(names, name, err);
	label = find(s->class_names, s->class_count, name);
	if (label < 0)
		return error_set(err, -EINVAL, "%s: \"%s\" is not among the %u classes", where, name,
				 s->class_count);
	return label;
}

/* ---- files ---- */

/* @path becomes the folder's, also on failure. */
static int add_file(struct folder *f, char *path, int label, struct error *err)
{
	if (path && f->count == f->room && f->count < FILES_MAX) {
		struct folder_file *more = realloc(f->files, (2 * f->room + 64) * sizeof(*more));

		if (more) {
			f->files = more;
			f->room = 2 * f->room + 64;
		}
	}
	if (!path || f->count == f->room) {
		free(path);
		return no_memory(err);
	}
	f->files[f->count++] = (struct folder_file){ path, label };
	return 0;
}

static int not_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static char *join(const char *dir, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

/*
 * @label: of everything in there; at the top each sub-folder is a class. Names are collected in
 * @names, then the label is an index into them.
 */
static int scan(struct samples *s, struct folder *f, struct names *names, const char *dir, int label,
		int depth, struct error *err)
{
	struct dirent **entries;
	int rc = 0, count = scandir(dir, &entries, not_hidden, alphasort);

	if (count < 0)
		return error_set(err, -errno, "%s: %s", dir, strerror(errno));
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		char *path = rc ? NULL : join(dir, name);
		struct stat st;

		if (rc || !path) {
			rc = rc ? rc : no_memory(err);
		} else if (stat(path, &st)) {
			rc = error_set(err, -errno, "%s: %s", path, strerror(errno));
		} else if (S_ISREG(st.st_mode) && (depth || strcmp(name, NAMES_NAME))) {
			rc = add_file(f, path, label, err);
			path = NULL;
		} else if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX) {
			int inner = depth ? label : class_of(s, names, name, dir, err);

			rc = !depth && inner < 0 ? inner :
						   scan(s, f, names, path, inner, depth + 1, err);
		} else if (S_ISDIR(st.st_mode)) {
			rc = error_set(err, -ELOOP, "%s: more than %d folders deep", path, DEPTH_MAX);
		}
		free(path);
		free(entries[i]);
	}
	free(entries);
	return rc;
}

/* The number of a class, if that is what the text is: decimal digits only. */
static long class_number(const char *text)
{
	char *end;
	long n;

	if (text[strspn(text, "0123456789")])
		return -1;
	n = strtol(text, &end, 10);
	return n >= (long)CLASSES_MAX ? (long)CLASSES_MAX : n;
}

/* One line of a list. */
static int add_listed(struct samples *s, struct folder *f, struct names *names, const char *list,
		      unsigned int line, char *text, unsigned int *top, struct error *err)
{
	const char *slash = strrchr(list, '/');
	char *comma = strrchr(text, ','), *path, where[300];
	long label = -1;

	snprintf(where, sizeof(where), "%s: entry %u", list, line);
	if (comma) {
		*comma = '\0';
		label = comma[1] ? class_number(comma + 1) : -1;
		if (comma[1] && label < 0)
			label = class_of(s, names, comma + 1, where, err);
		else if (label >= (s->class_names ? (long)s->class_count : (long)CLASSES_MAX))
			return error_set(err, -EINVAL, "%s: class %s; there are %u", where, comma + 1,
					 s->class_names ? s->class_count : CLASSES_MAX);
		else if (label >= (long)*top)
			*top = (unsigned int)label + 1;
		if (comma[1] && label < 0)
			return (int)label;
	}
	if (*text == '/' || !slash)
		path = strdup(text);
	else if (asprintf(&path, "%.*s/%s", (int)(slash - list), list, text) < 0)
		path = NULL;
	return add_file(f, path, (int)label, err);
}

static int read_list(struct samples *s, struct folder *f, struct names *names, const char *list,
		     struct error *err)
{
	unsigned int count, top = 0;
	char **lines;
	int rc = folder_read_lines(list, &lines, &count, err);

	if (rc)
		return rc;
	for (unsigned int i = 0; i < count; i++) {
		if (!rc)
			rc = add_listed(s, f, names, list, i + 1, lines[i], &top, err);
		free(lines[i]);
	}
	free(lines);
	if (!rc && top && names->count)
		rc = error_set(err, -EINVAL, "%s: classes are numbers or names, not both", list);
	if (!rc && top && !s->class_names)
		samples_set_classes(s, NULL, top);
	return rc;
}

/* The names of classes that a folder brings. */
static int read_names(struct samples *s, struct error *err)
{
	char *path = join(s->spec, NAMES_NAME);
	unsigned int count;
	struct stat st;
	char **names;
	int rc = 0;

	if (!path)
		return no_memory(err);
	if (!s->class_names && !stat(path, &st)) {
		rc = folder_read_lines(path, &names, &count, err);
		if (!rc)
			samples_set_classes(s, names, count);
	}
	free(path);
	return rc;
}

static bool is_list(const char *path)
{
	size_t len = strlen(path);

	return len > 4 && !strcasecmp(path + len - 4, ".csv");
}

static int open_folder(struct samples *s, struct folder *f, struct names *names, struct error *err)
{
	char *list = join(s->spec, LIST_NAME);
	struct stat st;
	int rc = list ? read_names(s, err) : no_memory(err);

	if (!rc && !stat(list, &st))
		rc = read_list(s, f, names, list, err);
	else if (!rc)
		rc = scan(s, f, names, s->spec, -1, 0, err);
	free(list);
	return rc;
}

int folder_open(struct samples *s, struct folder *out, struct error *err)
{
	struct names names = { 0 };
	struct stat st;
	int rc;

	memset(out, 0, sizeof(*out));
	if (stat(s->spec, &st))
		return error_set(err, -errno, "%s: %s", s->spec, strerror(errno));
	if (S_ISDIR(st.st_mode))
		rc = open_folder(s, out, &names, err);
	else if (is_list(s->spec))
		rc = read_list(s, out, &names, s->spec, err);
	else
		rc = add_file(out, strdup(s->spec), -1, err);
	if (!rc)
		rc = names_finish(s, out, &names, err);
	names_free(&names);
	return rc;
}

void folder_close(struct folder *f)
{
	for (size_t i = 0; i < f->count; i++)
		free(f->files[i].path);
	free(f->files);
	memset(f, 0, sizeof(*f));
}

void folder_keep(struct folder *f, bool (*wanted)(const char *path))
{
	size_t kept = 0;

	for (size_t i = 0; i < f->count; i++)
		if (wanted(f->files[i].path))
			f->files[kept++] = f->files[i];
		else
			free(f->files[i].path);
	f->count = kept;
}
