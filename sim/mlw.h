/* SPDX-License-Identifier: MIT */
/* The standard weight (SWD) bit stream, see mlw.c. */
#ifndef ACCEL_SIM_MLW_H
#define ACCEL_SIM_MLW_H

#include <stddef.h>
#include <stdint.h>

/* No stream holds more weights than this for each of its bytes: a bit gives at most 8 zeros. */
#define NPU_MLW_PER_BYTE 64u

/**
 * npu_mlw_decode_exact - decode the first weights of a bit stream
 * @out: @count weights
 *
 * What follows the slice that holds the last weight is not looked at.
 *
 * Return: 0, -EINVAL if the stream is malformed or holds less than @count weights, -ENOMEM.
 */
int npu_mlw_decode_exact(const uint8_t *data, size_t len, int16_t *out, size_t count);

#endif
