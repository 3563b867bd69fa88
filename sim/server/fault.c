/* SPDX-License-Identifier: MIT */
/* Faults to order: how they are asked for. */
#include "sim/server/fault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN	32
#define SLOW_MS_DEFAULT	1000
#define SLOW_MS_MAX	600000

const char *const fault_names[FAULT_KINDS] = {
	[FAULT_HANG] = "hang",
	[FAULT_LOST_IRQ] = "lost-irq",
	[FAULT_SPURIOUS_IRQ] = "spurious-irq",
	[FAULT_BUS_ERROR] = "bus-error",
	[FAULT_PARSE_ERROR] = "parse-error",
	[FAULT_RESET_STUCK] = "reset-stuck",
	[FAULT_SLOW] = "slow",
	[FAULT_VANISH] = "vanish",
};

/* What may follow KIND: kinds is a bit for each enum fault_kind that knows the key. */
static const struct key {
	const char *name;	/* "": a number alone */
	size_t at;
	unsigned int kinds;
	uint64_t max;
} keys[] = {
	{ "", offsetof(struct fault, first), ~0u, UINT64_MAX },
	{ "every=", offsetof(struct fault, every), ~0u, UINT64_MAX },
	{ "access=", offsetof(struct fault, access), 1u << FAULT_BUS_ERROR, UINT64_MAX },
	{ "ms=", offsetof(struct fault, ms), 1u << FAULT_SLOW, SLOW_MS_MAX },
};

static int number(const char *text, size_t len, uint64_t *out)
{
	uint64_t value = 0;
	size_t i;

	if (!len)
		return -EINVAL;
	for (i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9' ||
		    __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value))
			return -EINVAL;
	}
	*out = value;
	return 0;
}

static int take_key(struct fault *fault, unsigned int kind, const char *text, size_t len)
{
	size_t i, name;
	uint64_t value;

	/* The key without a name fits everything, so it comes last. */
	for (i = sizeof(keys) / sizeof(keys[0]); i-- > 0;) {
		name = strlen(keys[i].name);
		if (len < name || strncmp(text, keys[i].name, name))
			continue;
		if (!(keys[i].kinds & 1u << kind) || number(text + name, len - name, &value) ||
		    !value || value > keys[i].max)
			return -EINVAL;
		memcpy((char *)fault + keys[i].at, &value, sizeof(value));
		return 0;
	}
	return -EINVAL;
}

static int find_kind(const char *text, size_t len)
{
	int i;

	for (i = 0; i < FAULT_KINDS; i++)
		if (strlen(fault_names[i]) == len && !memcmp(text, fault_names[i], len))
			return i;
	return -EINVAL;
}

int fault_parse(struct faults *faults, const char *text, char *err, size_t err_len)
{
	struct fault fault = { .access = 1, .ms = SLOW_MS_DEFAULT };
	size_t len = strcspn(text, ":");
	const char *p = text + len;
	int kind = find_kind(text, len);

	if (kind < 0) {
		snprintf(err, err_len, "--fault %.60s: no such fault; there are hang, lost-irq, "
			 "spurious-irq, bus-error, parse-error, reset-stuck, slow, vanish", text);
		return kind;
	}
	while (*p) {
		len = strcspn(++p, ":");
		if (take_key(&fault, (unsigned int)kind, p, len)) {
			snprintf(err, err_len, "--fault %.60s: '%.*s': expected a number from 1 "
				 "on, every=K%s", text, (int)(len < NAME_MAX_LEN ? len : NAME_MAX_LEN),
				 p, kind == FAULT_BUS_ERROR ? ", access=N" :
				 kind == FAULT_SLOW ? ", ms=T up to 600000" : "");
			return -EINVAL;
		}
		p += len;
	}
	/* "every=3" alone: the third is the first. Nothing at all: the first is the only one. */
	if (!fault.first)
		fault.first = fault.every ? fault.every : 1;
	faults->kind[kind] = fault;
	return 0;
}

bool fault_hits(const struct fault *fault, uint64_t n)
{
	if (!fault->first || n < fault->first)
		return false;
	return n == fault->first || (fault->every && !((n - fault->first) % fault->every));
}
