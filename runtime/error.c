/* SPDX-License-Identifier: MIT */
/* One line that says what went wrong, where, and what to do about it. */
#include "runtime/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *err, int code, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return code;
	va_start(args, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	for (char *p = err->text; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	}
	return code;
}

int error_prefix(struct error *err, int code, const char *prefix)
{
	struct error inner;

	if (!err)
		return code;
	inner = *err;
	return error_set(err, code, "%s: %s", prefix, inner.text);
}
