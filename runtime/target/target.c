/* SPDX-License-Identifier: MIT */
/* Targets: an NPU, a system and a memory mode looked up by name and put together. */
#include "runtime/target/target.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Names differ neither in case nor in which dash they have. */
static bool same_name(const char *a, const char *b)
{
	for (;; a++, b++) {
		int x = *a == '-' ? '_' : tolower((unsigned char)*a);
		int y = *b == '-' ? '_' : tolower((unsigned char)*b);

		if (x != y)
			return false;
		if (!x)
			return true;
	}
}

const struct ethosu_arch *target_arch(const char *name)
{
	static const char prefix[] = "ethos-";

	for (size_t i = 0; i < ETHOSU_ARCHS; i++) {
		const struct ethosu_arch *arch = &ethosu_archs[i];

		if (same_name(name, arch->name) || same_name(name, arch->name + strlen(prefix)))
			return arch;
	}
	return NULL;
}

/* Add a name to a list in words. */
static void list(char *text, size_t size, const char *name)
{
	size_t n = strlen(text);

	snprintf(text + n, size - n, "%s%s", n ? ", " : "", name);
}

static const struct target_system *find_system(const struct target_set *set, const char *name,
					       unsigned int family, struct error *err)
{
	char known[300] = "";

	for (size_t i = set->system_count; i-- > 0;) {
		const struct target_system *s = &set->systems[i];

		if (s->family == family && same_name(s->name, name))
			return s;
	}
	for (size_t i = 0; i < set->system_count; i++)
		if (set->systems[i].family == family)
			list(known, sizeof(known), set->systems[i].name);
	error_set(err, -ENOENT, "no system '%.60s' for the U%u; there are %s", name, family, known);
	return NULL;
}

static const struct target_mode *find_mode(const struct target_set *set, const char *name,
					   struct error *err)
{
	char known[300] = "";

	for (size_t i = set->mode_count; i-- > 0;)
		if (same_name(set->modes[i].name, name))
			return &set->modes[i];
	for (size_t i = 0; i < set->mode_count; i++)
		list(known, sizeof(known), set->modes[i].name);
	error_set(err, -ENOENT, "no memory mode '%.60s'; there are %s", name, known);
	return NULL;
}

static const struct target_default *find_default(const struct target_set *set,
						 unsigned int family, struct error *err)
{
	for (size_t i = set->default_count; i-- > 0;)
		if (set->defaults[i].family == family)
			return &set->defaults[i];
	error_set(err, -ENOENT, "no default system for the U%u", family);
	return NULL;
}

int target_make(const struct ethosu_arch *arch, const struct target_system *system,
		const struct target_mode *mode, struct target *out, struct error *err)
{
	if (system->family != arch->family)
		return error_set(err, -EINVAL, "system %s is for the U%u, %s is none",
				 system->name, system->family, arch->name);
	if (system->flash && (mode->arena == COST_EXT || mode->staging == COST_EXT))
		return error_set(err, -EINVAL,
				 "memory mode %s writes to the external memory, which is flash in %s",
				 mode->name, system->name);
	*out = (struct target){ .system = *system, .mode = *mode };
	out->cost.arch = arch;
	memcpy(out->cost.memory, system->memory, sizeof(out->cost.memory));
	for (unsigned int i = 0; i < NPU_REGIONS; i++)
		out->cost.region[i] = mode->arena;
	out->cost.region[TARGET_CONSTANTS] = mode->constants;
	out->cost.region[TARGET_STAGING] = mode->staging;
	return 0;
}

int target_find(const struct target_set *set, const char *npu, const char *system,
		const char *mode, struct target *out, struct error *err)
{
	const struct ethosu_arch *arch = target_arch(npu);
	const struct target_default *usual;
	const struct target_system *s;
	const struct target_mode *m;
	char known[300] = "";

	if (!arch) {
		for (size_t i = 0; i < ETHOSU_ARCHS; i++)
			list(known, sizeof(known), ethosu_archs[i].name);
		return error_set(err, -ENOENT, "no NPU '%.60s'; there are %s", npu, known);
	}
	usual = find_default(set, arch->family, err);
	if (!usual)
		return -ENOENT;
	s = find_system(set, system ? system : usual->system, arch->family, err);
	if (!s)
		return -ENOENT;
	m = find_mode(set, mode ? mode : usual->mode, err);
	if (!m)
		return -ENOENT;
	return target_make(arch, s, m, out, err);
}
