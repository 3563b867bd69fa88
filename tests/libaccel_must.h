/* SPDX-License-Identifier: MIT */
/* Calls of libaccel that have to succeed, or to be refused, in tests. */
#ifndef TESTS_LIBACCEL_MUST_H
#define TESTS_LIBACCEL_MUST_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "accel/accel.h"

/* Fails with the message if the call did. */
#define must(call) \
	do { \
		struct accel_error err = { 0 }; \
		int ret_ = (call); \
		if (ret_) \
			fail_msg("%s: %d: %s", #call, ret_, err.msg); \
	} while (0)

/* The call fails with @expected and says @text among other things. */
#define refused(expected, text, call) \
	do { \
		struct accel_error err = { 0 }; \
		assert_int_equal((call), expected); \
		assert_int_equal(err.code, expected); \
		if (!strstr(err.msg, text)) \
			fail_msg("%s: '%s' lacks '%s'", #call, err.msg, text); \
	} while (0)

#endif
