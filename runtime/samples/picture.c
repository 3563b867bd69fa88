/* SPDX-License-Identifier: MIT */
/* Pictures: which decoder, alpha, grey, the middle. */
#include "runtime/samples/picture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ITU-R 601 luma in 1/65536, as Pillow has it for mode L. */
#define LUMA_RED	19595u
#define LUMA_GREEN	38470u
#define LUMA_BLUE	7471u
#define LUMA_SHIFT	16

void picture_free(struct picture *p)
{
	free(p->data);
	memset(p, 0, sizeof(*p));
}

int picture_new(struct picture *p, uint32_t height, uint32_t width, uint32_t channels,
		const char *name, struct error *err)
{
	memset(p, 0, sizeof(*p));
	if (!height || !width || height > PICTURE_SIDE_MAX || width > PICTURE_SIDE_MAX ||
	    (uint64_t)height * width > PICTURE_PIXELS_MAX)
		return error_set(err, -EFBIG,
				 "%s: %u x %u pixels; sides may be %d, pixels %u at most", name,
				 width, height, PICTURE_SIDE_MAX, PICTURE_PIXELS_MAX);
	p->data = malloc((size_t)height * width * channels);
	if (!p->data)
		return error_set(err, -ENOMEM, "%s: out of memory", name);
	p->height = height;
	p->width = width;
	p->channels = channels;
	return 0;
}

int picture_parse(const void *file, size_t size, const char *name, struct picture *out,
		  struct error *err)
{
	static const uint8_t png[] = { 0x89, 'P', 'N', 'G' }, jpeg[] = { 0xff, 0xd8, 0xff };

	memset(out, 0, sizeof(*out));
	if (size >= sizeof(png) && !memcmp(file, png, sizeof(png)))
		return picture_parse_png(file, size, name, out, err);
	if (size >= sizeof(jpeg) && !memcmp(file, jpeg, sizeof(jpeg)))
		return picture_parse_jpeg(file, size, name, out, err);
	return error_set(err, -EINVAL, "%s: neither PNG nor JPEG", name);
}

/* (a * alpha + b * (255 - alpha)) / 255, rounded. */
static uint8_t blend(unsigned int a, unsigned int b, unsigned int alpha)
{
	unsigned int v = a * alpha + b * (255 - alpha) + 128;

	return (uint8_t)(((v >> 8) + v) >> 8);
}

static uint8_t luma(const uint8_t rgb[3])
{
	return (uint8_t)((rgb[0] * LUMA_RED + rgb[1] * LUMA_GREEN + rgb[2] * LUMA_BLUE +
			  (1u << (LUMA_SHIFT - 1))) >> LUMA_SHIFT);
}

int picture_flatten(struct picture *p, const uint8_t background[3], uint32_t channels,
		    struct error *err)
{
	size_t pixels = (size_t)p->height * p->width;
	uint8_t *out;

	if (p->channels == channels)
		return 0;
	out = malloc(pixels * channels);
	if (!out)
		return error_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < pixels; i++) {
		const uint8_t *x = p->data + i * p->channels;
		uint8_t rgb[3];

		for (unsigned int c = 0; c < 3; c++) {
			rgb[c] = p->channels == 1 ? x[0] : x[c];
			if (p->channels == 4)
				rgb[c] = blend(rgb[c], background[c], x[3]);
		}
		if (channels == 3)
			memcpy(out + 3 * i, rgb, 3);
		else
			out[i] = luma(rgb);
	}
	free(p->data);
	p->data = out;
	p->channels = channels;
	return 0;
}

int picture_pad(struct picture *p, uint32_t height, uint32_t width, const uint8_t background[3],
		struct error *err)
{
	uint8_t grey = luma(background);
	const uint8_t *fill = p->channels == 1 ? &grey : background;
	size_t c = p->channels, row = p->width * c;
	uint32_t top = (height - p->height) / 2, left = (width - p->width) / 2;
	struct picture out;
	int rc = picture_new(&out, height, width, p->channels, "padding", err);

	if (rc)
		return rc;
	for (size_t i = 0; i < (size_t)height * width; i++)
		memcpy(out.data + i * c, fill, c);
	for (uint32_t y = 0; y < p->height; y++)
		memcpy(out.data + ((size_t)(top + y) * width + left) * c, p->data + y * row, row);
	free(p->data);
	*p = out;
	return 0;
}

void picture_crop(struct picture *p, uint32_t height, uint32_t width)
{
	/* As torchvision: half a pixel goes to the even one. */
	uint32_t spare_y = p->height - height, spare_x = p->width - width;
	uint32_t top = spare_y / 2 + (spare_y % 4 == 3), left = spare_x / 2 + (spare_x % 4 == 3);
	size_t row = (size_t)width * p->channels;

	for (uint32_t y = 0; y < height; y++)
		memmove(p->data + y * row,
			p->data + ((size_t)(top + y) * p->width + left) * p->channels, row);
	p->height = height;
	p->width = width;
}
