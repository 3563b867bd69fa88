/* SPDX-License-Identifier: MIT */
/* Tests: would the driver take a stream, with buffers of these sizes? */
#ifndef ACCEL_TESTS_VALIDATE_ACCEPTS_H
#define ACCEL_TESTS_VALIDATE_ACCEPTS_H

#include <stddef.h>
#include <stdint.h>

#include "sim/npu.h"

/**
 * validate_accepts - does the validator accept a stream, and need no more than there is?
 * @size: bytes of each of the 8 regions
 * @why: receives the reason if not
 *
 * Return: 0, -1. Streams of NPUs that the driver is not for are accepted.
 */
int validate_accepts(const struct npu_config *config, const uint32_t *words, size_t count,
		     const uint64_t size[8], char *why, size_t why_len);

#endif
