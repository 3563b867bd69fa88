/* SPDX-License-Identifier: MIT */
/* One line that says what went wrong, where, and what to do about it. */
#ifndef ACCEL_RUNTIME_ERROR_H
#define ACCEL_RUNTIME_ERROR_H

struct error {
	char text[480];
};

/**
 * error_set - word an error
 * @err: may be NULL
 * @code: negative errno
 * @fmt: printf format; control characters in what it gives are replaced, so that a name taken from
 *	a hostile file stays on its line
 *
 * Return: @code, so that a caller can write return error_set(...).
 */
int error_set(struct error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* error_prefix - put "prefix: " before what @err already says. Return: @code. */
int error_prefix(struct error *err, int code, const char *prefix);

#endif
