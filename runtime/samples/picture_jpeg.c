/* SPDX-License-Identifier: MIT */
/* JPEG files by libjpeg-turbo, whose errors come back by longjmp. */
#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

#include "runtime/samples/picture.h"

#define SCANS_MAX	200	/* a progressive file has about 10; each is work on all pixels */

/* The error manager comes first: libjpeg hands it back. */
struct jpeg_file {
	struct jpeg_error_mgr manager;
	struct jpeg_progress_mgr progress;
	jmp_buf jump;
	const char *name;
	struct picture *out;
	struct error *err;
	int rc;
};

static struct jpeg_file *file_of(j_common_ptr jpeg)
{
	return (struct jpeg_file *)jpeg->err;
}

static void on_error(j_common_ptr jpeg)
{
	struct jpeg_file *f = file_of(jpeg);
	char text[JMSG_LENGTH_MAX];

	jpeg->err->format_message(jpeg, text);
	f->rc = error_set(f->err, -EINVAL, "%s: JPEG: %s", f->name, text);
	longjmp(f->jump, 1);
}

/* Pixels are missing, for which libjpeg would show grey. Other warnings harm nobody. */
static void on_message(j_common_ptr jpeg, int level)
{
	(void)level;
	if (jpeg->err->msg_code == JWRN_JPEG_EOF || jpeg->err->msg_code == JWRN_HIT_MARKER)
		on_error(jpeg);
}

static void on_progress(j_common_ptr jpeg)
{
	struct jpeg_file *f = file_of(jpeg);

	if (((j_decompress_ptr)jpeg)->input_scan_number <= SCANS_MAX)
		return;
	f->rc = error_set(f->err, -EINVAL, "%s: JPEG: more than %d scans", f->name, SCANS_MAX);
	longjmp(f->jump, 1);
}

/* Everything that may jump. */
static void read_jpeg(struct jpeg_decompress_struct *jpeg, struct jpeg_file *f, const void *data,
		      size_t size)
{
	jpeg_mem_src(jpeg, data, size);
	jpeg_read_header(jpeg, TRUE);
	if (jpeg->num_components != 1 && jpeg->num_components != 3) {
		f->rc = error_set(f->err, -ENOTSUP, "%s: JPEG of %d channels; 1 and 3 are known",
				  f->name, jpeg->num_components);
		return;
	}
	jpeg->out_color_space = JCS_RGB;
	f->rc = picture_new(f->out, jpeg->image_height, jpeg->image_width, 3, f->name, f->err);
	if (f->rc)
		return;
	jpeg_start_decompress(jpeg);
	while (jpeg->output_scanline < jpeg->output_height) {
		JSAMPROW row = f->out->data + (size_t)jpeg->output_scanline * f->out->width * 3;

		jpeg_read_scanlines(jpeg, &row, 1);
	}
	jpeg_finish_decompress(jpeg);
}

int picture_parse_jpeg(const void *file, size_t size, const char *name, struct picture *out,
		       struct error *err)
{
	struct jpeg_decompress_struct jpeg = { 0 };
	struct jpeg_file f = { .name = name, .out = out, .err = err };

	memset(out, 0, sizeof(*out));
	jpeg.err = jpeg_std_error(&f.manager);
	f.manager.error_exit = on_error;
	f.manager.emit_message = on_message;
	f.progress.progress_monitor = on_progress;
	if (!setjmp(f.jump)) {
		jpeg_create_decompress(&jpeg);
		jpeg.progress = &f.progress;
		read_jpeg(&jpeg, &f, file, size);
	}
	jpeg_destroy_decompress(&jpeg);
	if (f.rc)
		picture_free(out);
	return f.rc;
}
