/* SPDX-License-Identifier: MIT */
/* What all of the library uses: error messages, the clock, structs that carry their size. */
#include "transport.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

const char *accel_version(void)
{
	return ACCEL_VERSION;
}

int accel_fail(struct accel_error *err, int code, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return code;
	err->code = code;
	va_start(args, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, args);
	va_end(args);
	return code;
}

int64_t accel_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

bool accel_struct_in(void *ours, size_t our_size, const void *theirs)
{
	size_t size, i;

	memcpy(&size, theirs, sizeof(size));
	if (size < sizeof(size))
		return false;
	for (i = our_size; i < size; i++)
		if (((const unsigned char *)theirs)[i])
			return false;
	if (size >= our_size) {
		memcpy(ours, theirs, our_size);
	} else {
		memcpy(ours, theirs, size);
		memset((char *)ours + size, 0, our_size - size);
	}
	return true;
}

bool accel_struct_out(void *theirs, const void *ours, size_t our_size)
{
	size_t size;

	memcpy(&size, theirs, sizeof(size));
	if (size < sizeof(size))
		return false;
	if (size > our_size)
		memset((char *)theirs + our_size, 0, size - our_size);
	else
		our_size = size;
	memcpy((char *)theirs + sizeof(size), (const char *)ours + sizeof(size),
	       our_size - sizeof(size));
	return true;
}
