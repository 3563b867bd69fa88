/* SPDX-License-Identifier: MIT */
/* Images for those who take what Vela makes. */
#ifndef ACCEL_RUNTIME_VELA_WRITE_H
#define ACCEL_RUNTIME_VELA_WRITE_H

#include "runtime/image/image.h"

/**
 * image_write_vela - write a TFLite file with one "ethos-u" operator
 *
 * Return: 0; -ENOTSUP: operators run on the CPU; -EFBIG, -ENOMEM, what file_write() gives.
 */
int image_write_vela(const struct image *image, const char *path, struct error *err);

#endif
