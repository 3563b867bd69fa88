/* SPDX-License-Identifier: MIT */
/* Pictures of bytes: decoded from files, resized as Pillow does it. */
#ifndef ACCEL_RUNTIME_SAMPLES_PICTURE_H
#define ACCEL_RUNTIME_SAMPLES_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/error.h"

#define PICTURE_SIDE_MAX	16384
#define PICTURE_PIXELS_MAX	(1u << 25)

/**
 * struct picture - rows of pixels
 * @channels: 1: grey, 3: red green blue, 4: and alpha
 * @data: malloc'ed
 */
struct picture {
	uint32_t height, width, channels;
	uint8_t *data;
};

void picture_free(struct picture *p);

/* picture_new - of that size, contents undefined. Return: 0, -EFBIG, -ENOMEM. */
int picture_new(struct picture *p, uint32_t height, uint32_t width, uint32_t channels,
		const char *name, struct error *err);

/**
 * picture_parse - a PNG or JPEG file in memory
 * @name: for messages
 *
 * Grey, palettes and 16 bits become 8 bits of red, green, blue, and alpha if the file has any. Neither
 * gamma nor orientation is applied.
 *
 * Return: 0, -EINVAL: damaged, or neither; -EFBIG; -ENOTSUP; -ENOMEM.
 */
int picture_parse(const void *file, size_t size, const char *name, struct picture *out,
		  struct error *err);
int picture_parse_png(const void *file, size_t size, const char *name, struct picture *out,
		      struct error *err);
int picture_parse_jpeg(const void *file, size_t size, const char *name, struct picture *out,
		       struct error *err);

/* picture_flatten - without alpha, over @background; 1 or 3 channels */
int picture_flatten(struct picture *p, const uint8_t background[3], uint32_t channels,
		    struct error *err);

enum picture_filter { PICTURE_BILINEAR, PICTURE_NEAREST, PICTURE_BICUBIC, PICTURE_AREA };

/**
 * picture_resize - to @height x @width, in place
 * @antialias: the filter is as wide as what becomes one pixel
 *
 * Bytes are those of Pillow's resize() with antialias; without it, those of the four or sixteen
 * nearest pixels.
 */
int picture_resize(struct picture *p, uint32_t height, uint32_t width, enum picture_filter filter,
		   bool antialias, struct error *err);

/* picture_pad - to @height x @width, with @background around it; not less than it is; 1 or 3 channels */
int picture_pad(struct picture *p, uint32_t height, uint32_t width, const uint8_t background[3],
		struct error *err);

/* picture_crop - the middle @height x @width, which must be inside, in place */
void picture_crop(struct picture *p, uint32_t height, uint32_t width);

#endif
