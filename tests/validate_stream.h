/* SPDX-License-Identifier: MIT */
/* Tests of the validator in user space. */
#ifndef ACCEL_TESTS_VALIDATE_STREAM_H
#define ACCEL_TESTS_VALIDATE_STREAM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/validate_cmds.h"

static inline struct ethosu_hw hw_of(unsigned int npu)
{
	struct ethosu_hw hw;

	assert_int_equal(ethosu_hw_init(&hw, npus[npu].id, npus[npu].config), 0);
	return hw;
}

static inline int validate(unsigned int npu, const uint32_t *words, size_t count,
		    struct ethosu_check *check)
{
	const struct ethosu_hw hw = hw_of(npu);

	return ethosu_validate(&hw, words, count, check);
}

#endif
