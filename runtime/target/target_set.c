/* SPDX-License-Identifier: MIT */
/* Systems and memory modes from JSON files: the built-in one, and those that users add. */
#include "runtime/target/target.h"

#include <errno.h>
#include <glob.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/file.h"

#define MAX_ENTRIES	1000	/* of a kind, of all files */
#define MAX_CLOCK_MHZ	100000

static const char builtin[] = {
#include "systems.inc"
};

/* A file being read: whose fault it is, and which entry's. */
struct reader {
	struct target_set *set;
	const char *file;
	char where[2 * TARGET_NAME_MAX];
	struct error *err;
};

static int __attribute__((format(printf, 2, 3))) wrong(struct reader *r, const char *fmt, ...)
{
	char text[200];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return error_set(r->err, -EINVAL, "%s: %s%s%s", r->file, r->where, *r->where ? ": " : "",
			 text);
}

/* Room for one more in an array of @count. */
static int one_more(struct reader *r, void **array, size_t count, size_t size)
{
	void *p;

	if (count == MAX_ENTRIES)
		return wrong(r, "more than %d entries", MAX_ENTRIES);
	p = realloc(*array, (count + 1) * size);
	if (!p)
		return error_set(r->err, -ENOMEM, "out of memory");
	*array = p;
	return 0;
}

static int read_text(struct reader *r, const json_t *from, const char *key, char *out)
{
	const char *text = json_string_value(json_object_get(from, key));

	if (!text || !*text || strlen(text) >= TARGET_NAME_MAX)
		return wrong(r, "\"%s\" is no text of 1 to %d letters", key, TARGET_NAME_MAX - 1);
	snprintf(out, TARGET_NAME_MAX, "%s", text);
	return 0;
}

static int read_number(struct reader *r, const json_t *from, const char *key, double min,
		       double max, double *out)
{
	const json_t *value = json_object_get(from, key);

	if (!json_is_number(value))
		return wrong(r, "\"%s\" is no number", key);
	*out = json_number_value(value);
	if (!(*out >= min && *out <= max))
		return wrong(r, "\"%s\" is not from %g to %g", key, min, max);
	return 0;
}

static int read_count(struct reader *r, const json_t *from, const char *key, uint32_t min,
		      uint32_t max, uint32_t *out)
{
	double value;
	int rc = read_number(r, from, key, min, max, &value);

	if (rc)
		return rc;
	if (value != floor(value))
		return wrong(r, "\"%s\" is no whole number", key);
	*out = (uint32_t)value;
	return 0;
}

static int read_family(struct reader *r, const json_t *from, unsigned int *family)
{
	char name[TARGET_NAME_MAX];
	int rc = read_text(r, from, "npu", name);

	if (rc)
		return rc;
	*family = !strcmp(name, "u55") ? 55 : !strcmp(name, "u65") ? 65 : 85;
	if (*family == 85 && strcmp(name, "u85"))
		return wrong(r, "\"npu\" is none of u55, u65 and u85");
	return 0;
}

/* What was there under that name goes: there are few. */
static void forget(char *entry, size_t size, size_t *count, const char *name)
{
	for (size_t i = 0; i < *count; i++) {
		/* The name is the first member of them all. */
		if (strcmp(entry + i * size, name))
			continue;
		memmove(entry + i * size, entry + (i + 1) * size, (--*count - i) * size);
		return;
	}
}

static int read_memory(struct reader *r, const json_t *from, const char *key, bool writable,
		       struct cost_memory *m)
{
	const json_t *o = json_object_get(from, key);
	uint32_t least = writable ? 1 : 0;
	int rc;

	if (!json_is_object(o))
		return wrong(r, "\"%s\" is no object", key);
	*m = (struct cost_memory){ .ports = 1 };
	rc = read_number(r, o, "bytes_per_cycle", 0.001, 4096, &m->bandwidth);
	if (!rc && json_object_get(o, "ports"))
		rc = read_count(r, o, "ports", 1, 16, &m->ports);
	if (!rc)
		rc = read_count(r, o, "read_latency", 1, 1000000, &m->read_latency);
	if (!rc)
		rc = read_count(r, o, "write_latency", least, 1000000, &m->write_latency);
	if (!rc)
		rc = read_count(r, o, "burst", 16, 65536, &m->burst);
	if (!rc)
		rc = read_count(r, o, "reads", 1, 65536, &m->reads);
	return rc ? rc : read_count(r, o, "writes", least, 65536, &m->writes);
}

static int read_system(struct reader *r, const json_t *from)
{
	const json_t *external = json_object_get(from, "external");
	struct target_system s = { .family = 0 };
	char kind[TARGET_NAME_MAX];
	double mhz;
	int rc = read_text(r, from, "name", s.name);

	if (rc)
		return rc;
	snprintf(r->where, sizeof(r->where), "system %s", s.name);
	rc = read_family(r, from, &s.family);
	if (!rc)
		rc = read_number(r, from, "clock_mhz", 0.001, MAX_CLOCK_MHZ, &mhz);
	if (!rc)
		rc = read_text(r, external, "kind", kind);
	if (rc)
		return rc;
	s.clock_hz = mhz * 1e6;
	s.flash = !strcmp(kind, "flash");
	if (!s.flash && strcmp(kind, "dram"))
		return wrong(r, "\"kind\" is neither flash nor dram");
	rc = read_memory(r, from, "sram", true, &s.memory[COST_SRAM]);
	if (!rc)
		rc = read_memory(r, from, "external", !s.flash, &s.memory[COST_EXT]);
	if (!rc)
		forget((char *)r->set->systems, sizeof(s), &r->set->system_count, s.name);
	if (!rc)
		rc = one_more(r, (void **)&r->set->systems, r->set->system_count, sizeof(s));
	if (!rc)
		r->set->systems[r->set->system_count++] = s;
	return rc;
}

static int read_place(struct reader *r, const json_t *from, const char *key, uint8_t *place)
{
	const char *text = json_string_value(json_object_get(from, key));

	if (!text || (strcmp(text, "sram") && strcmp(text, "external")))
		return wrong(r, "\"%s\" is neither sram nor external", key);
	*place = text[0] == 's' ? COST_SRAM : COST_EXT;
	return 0;
}

static int read_mode(struct reader *r, const json_t *from)
{
	struct target_mode m = { .staging_size = 0 };
	double size = 0;
	int rc = read_text(r, from, "name", m.name);

	if (rc)
		return rc;
	snprintf(r->where, sizeof(r->where), "memory mode %s", m.name);
	rc = read_place(r, from, "constants", &m.constants);
	if (!rc)
		rc = read_place(r, from, "arena", &m.arena);
	if (!rc)
		rc = read_place(r, from, "staging", &m.staging);
	if (!rc && json_object_get(from, "staging_size"))
		rc = read_number(r, from, "staging_size", 1, 1ull << 40, &size);
	m.staging_size = (uint64_t)size;
	if (!rc)
		forget((char *)r->set->modes, sizeof(m), &r->set->mode_count, m.name);
	if (!rc)
		rc = one_more(r, (void **)&r->set->modes, r->set->mode_count, sizeof(m));
	if (!rc)
		r->set->modes[r->set->mode_count++] = m;
	return rc;
}

static int read_default(struct reader *r, const json_t *from)
{
	struct target_default d;
	int rc = read_family(r, from, &d.family);

	if (!rc)
		rc = read_text(r, from, "system", d.system);
	if (!rc)
		rc = read_text(r, from, "mode", d.mode);
	if (!rc)
		rc = one_more(r, (void **)&r->set->defaults, r->set->default_count, sizeof(d));
	if (!rc)
		r->set->defaults[r->set->default_count++] = d;
	return rc;
}

int target_set_parse(struct target_set *set, const char *text, size_t len, const char *name,
		     struct error *err)
{
	static const struct {
		const char *name;
		int (*read)(struct reader *r, const json_t *from);
	} lists[] = {
		{ "systems", read_system },
		{ "modes", read_mode },
		{ "defaults", read_default },
	};
	struct reader r = { .set = set, .file = name, .err = err };
	json_error_t why;
	json_t *all = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	int rc = 0;

	if (!all)
		return error_set(err, -EINVAL, "%s:%d: %s", name, why.line, why.text);
	if (!json_is_object(all))
		rc = wrong(&r, "no object");
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]) && !rc; i++) {
		json_t *list = json_object_get(all, lists[i].name), *entry;
		size_t k;

		if (list && !json_is_array(list))
			rc = wrong(&r, "\"%s\" is no list", lists[i].name);
		if (rc)
			break;
		json_array_foreach(list, k, entry) {
			snprintf(r.where, sizeof(r.where), "%s[%zu]", lists[i].name, k);
			rc = lists[i].read(&r, entry);
			if (rc)
				break;
		}
	}
	json_decref(all);
	return rc;
}

static int load_file(struct target_set *set, const char *path, struct error *err)
{
	void *text;
	size_t len;
	int rc = file_read(path, &text, &len, err);

	if (rc)
		return rc;
	rc = target_set_parse(set, text, len, path, err);
	free(text);
	return rc;
}

static int load_folder(struct target_set *set, const char *folder, bool must, struct error *err)
{
	char pattern[PATH_MAX];
	struct stat st;
	glob_t files;
	int rc = 0;

	if (snprintf(pattern, sizeof(pattern), "%s/*.json", folder) >= (int)sizeof(pattern))
		return error_set(err, -ENAMETOOLONG, "%.100s...: too long", folder);
	if (must && (stat(folder, &st) || !S_ISDIR(st.st_mode)))
		return error_set(err, -ENOENT, "$ACCEL_SYSTEMS: %s: no such folder", folder);
	if (glob(pattern, 0, NULL, &files))
		return 0;
	for (size_t i = 0; i < files.gl_pathc && !rc; i++)
		rc = load_file(set, files.gl_pathv[i], err);
	globfree(&files);
	return rc;
}

/* share/accel/systems of the prefix that this program is installed under. */
static int load_installed(struct target_set *set, struct error *err)
{
	static const char folder[] = "/../share/accel/systems";
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - sizeof(folder));
	char *slash;

	if (n <= 0)
		return 0;
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (!slash)
		return 0;
	memcpy(slash, folder, sizeof(folder));
	return load_folder(set, path, false, err);
}

static int load_own(struct target_set *set, struct error *err)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char path[PATH_MAX];
	int n;

	if (config && *config)
		n = snprintf(path, sizeof(path), "%s/accel/systems", config);
	else if (home && *home)
		n = snprintf(path, sizeof(path), "%s/.config/accel/systems", home);
	else
		return 0;
	return n < (int)sizeof(path) ? load_folder(set, path, false, err) : 0;
}

static int load_asked_for(struct target_set *set, struct error *err)
{
	const char *list = getenv("ACCEL_SYSTEMS");
	char *copy, *rest, *folder;
	int rc = 0;

	if (!list)
		return 0;
	rest = copy = strdup(list);
	if (!copy)
		return error_set(err, -ENOMEM, "out of memory");
	while (!rc && (folder = strsep(&rest, ":")))
		if (*folder)
			rc = load_folder(set, folder, true, err);
	free(copy);
	return rc;
}

int target_set_load(struct target_set *out, struct error *err)
{
	int rc;

	memset(out, 0, sizeof(*out));
	rc = target_set_parse(out, builtin, sizeof(builtin), "built-in systems", err);
	if (!rc)
		rc = load_installed(out, err);
	if (!rc)
		rc = load_own(out, err);
	if (!rc)
		rc = load_asked_for(out, err);
	if (rc)
		target_set_free(out);
	return rc;
}

void target_set_free(struct target_set *set)
{
	free(set->systems);
	free(set->modes);
	free(set->defaults);
	memset(set, 0, sizeof(*set));
}
