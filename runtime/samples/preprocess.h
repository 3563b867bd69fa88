/* SPDX-License-Identifier: MIT */
/* What happens to a sample on its way into the model, as a JSON file next to the model says. */
#ifndef ACCEL_RUNTIME_SAMPLES_PREPROCESS_H
#define ACCEL_RUNTIME_SAMPLES_PREPROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/error.h"

#define PREPROCESS_CHANNELS	4
#define PREPROCESS_SIDE_MAX	8192
#define PREPROCESS_PATH_MAX	1024

enum prep_resize { PREP_BILINEAR, PREP_NEAREST, PREP_BICUBIC, PREP_AREA };
enum prep_fit { PREP_STRETCH, PREP_CROP, PREP_PAD };
enum prep_layout { PREP_LAYOUT_AUTO, PREP_NHWC, PREP_NCHW };
enum prep_channels { PREP_CHANNELS_AUTO, PREP_RGB, PREP_BGR, PREP_GREY };

/**
 * struct preprocess - the description; all zero but for defaults: see preprocess_default()
 * @size: height and width of a picture for the model, 0: the input's
 * @resize, @antialias: kernel; antialias: it grows with the reduction
 * @fit: PREP_CROP: the short side becomes @short_side (0: just large enough), then the middle is taken;
 *	PREP_PAD: @background at two sides gives it the input's proportions
 * @background: also behind transparent pixels, red, green, blue
 * @scale: element = (value * scale - mean) / std; NAN: 1/255 for pixels, 1 for others
 * @mean, @std, @mean_count, @std_count: one for all channels or one for each
 * @rate: samples a second, 0: as the file has them
 * @window, @hop: samples, 0: the input's length; the window
 * @bytes: files are taken as bytes: @begin of their first block, @middle around the middle, @end of the
 *	last block, each filled up with @pad; @strip: without white space at both ends
 * @labels: file of class names, one a line; empty: none
 */
struct preprocess {
	uint32_t size[2];
	int resize;
	bool antialias;
	int fit;
	uint32_t short_side;
	int layout;
	int channels;
	uint8_t background[3];
	double scale;
	double mean[PREPROCESS_CHANNELS], std[PREPROCESS_CHANNELS];
	uint32_t mean_count, std_count;
	uint32_t rate, window, hop;
	bool bytes;
	uint32_t begin, middle, end, block;
	uint32_t pad;
	bool strip;
	char labels[PREPROCESS_PATH_MAX];
};

/* preprocess_default - as if there were no file */
void preprocess_default(struct preprocess *p);

/**
 * preprocess_parse - a description in memory
 * @name: of the file, for messages; a relative "labels" is looked for next to it
 *
 * Return: 0, -EINVAL (@err names file and key).
 */
int preprocess_parse(const char *text, size_t len, const char *name, struct preprocess *out,
		     struct error *err);

/* preprocess_read - preprocess_parse() of a file */
int preprocess_read(const char *path, struct preprocess *out, struct error *err);

#endif
