/* SPDX-License-Identifier: MIT */
/* PNG files by libpng, whose errors come back by longjmp. */
#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/samples/picture.h"

#define CHUNK_MAX	(8u << 20)	/* bytes that a chunk may make libpng allocate */
#define CHUNKS_MAX	100		/* that libpng keeps */

/* What is being read, and what became of it. */
struct png_file {
	const uint8_t *data;
	size_t size, at;
	const char *name;
	struct picture *out;
	png_bytep *rows;
	struct error *err;
	int rc;
};

static void on_read(png_structp png, png_bytep out, size_t size)
{
	struct png_file *f = png_get_io_ptr(png);

	if (size > f->size - f->at)
		png_error(png, "cut short");
	memcpy(out, f->data + f->at, size);
	f->at += size;
}

static void on_error(png_structp png, png_const_charp text)
{
	struct png_file *f = png_get_error_ptr(png);

	f->rc = error_set(f->err, -EINVAL, "%s: PNG: %s", f->name, text);
	png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
	(void)png;
	(void)text;
}

/* Everything that may jump; what has to be freed is in @f. */
static void read_png(png_structp png, png_infop info, struct png_file *f)
{
	uint32_t height, width;

	png_set_user_limits(png, PICTURE_SIDE_MAX, PICTURE_SIDE_MAX);
	png_set_chunk_malloc_max(png, CHUNK_MAX);
	png_set_chunk_cache_max(png, CHUNKS_MAX);
	png_set_read_fn(png, f, on_read);
	png_read_info(png, info);
	height = png_get_image_height(png, info);
	width = png_get_image_width(png, info);
	png_set_strip_16(png);
	png_set_expand(png);
	png_set_gray_to_rgb(png);
	png_set_interlace_handling(png);
	png_read_update_info(png, info);
	f->rc = picture_new(f->out, height, width, png_get_channels(png, info), f->name, f->err);
	if (f->rc)
		return;
	if (png_get_rowbytes(png, info) != (size_t)width * f->out->channels)
		png_error(png, "rows of an unexpected size");
	f->rows = malloc(height * sizeof(*f->rows));
	if (!f->rows)
		png_error(png, "out of memory");
	for (uint32_t y = 0; y < height; y++)
		f->rows[y] = f->out->data + (size_t)y * width * f->out->channels;
	png_read_image(png, f->rows);
	png_read_end(png, NULL);
}

int picture_parse_png(const void *file, size_t size, const char *name, struct picture *out,
		      struct error *err)
{
	struct png_file f = { .data = file, .size = size, .name = name, .out = out, .err = err };
	png_structp png;
	png_infop info;

	memset(out, 0, sizeof(*out));
	png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &f, on_error, on_warning);
	info = png ? png_create_info_struct(png) : NULL;
	if (!info) {
		png_destroy_read_struct(&png, NULL, NULL);
		return error_set(err, -ENOMEM, "%s: out of memory", name);
	}
	if (!setjmp(png_jmpbuf(png)))
		read_png(png, info, &f);
	png_destroy_read_struct(&png, &info, NULL);
	free(f.rows);
	if (f.rc)
		picture_free(out);
	return f.rc;
}
