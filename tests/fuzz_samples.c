/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer: descriptions of preprocessing, and pictures. What is accepted is within its limits and
 * can be resized; what is refused is refused in words.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/samples/picture.h"
#include "runtime/samples/preprocess.h"

#define SIDE 9	/* of what pictures are resized to */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_samples: %s\n", what);
	abort();
}

static void check_words(const struct error *err)
{
	check(err->text[0] && !strchr(err->text, '\n'), "no error, or more than a line");
}

static void fuzz_description(const uint8_t *data, size_t size)
{
	struct error err = { "" };
	struct preprocess p;

	if (preprocess_parse((const char *)data, size, "dir/input", &p, &err)) {
		check_words(&err);
		return;
	}
	check(p.size[0] <= PREPROCESS_SIDE_MAX && p.size[1] <= PREPROCESS_SIDE_MAX, "too large a size");
	check(p.mean_count <= PREPROCESS_CHANNELS && p.std_count <= PREPROCESS_CHANNELS,
	      "too many channels");
	for (unsigned int i = 0; i < PREPROCESS_CHANNELS; i++)
		check(p.std[i] > 0, "a standard deviation that is not above 0");
	check(!*p.labels || p.labels[0] == '/' || !strncmp(p.labels, "dir/", 4), "labels elsewhere");
}

static void fuzz_picture(const uint8_t *data, size_t size)
{
	static const uint8_t background[3] = { 1, 2, 3 };
	struct error err = { "" };
	struct picture p;

	if (picture_parse(data, size, "input", &p, &err)) {
		check_words(&err);
		check(!p.data, "refused and there");
		return;
	}
	check(p.height && p.width && (uint64_t)p.height * p.width <= PICTURE_PIXELS_MAX &&
	      (p.channels == 3 || p.channels == 4), "not a picture as promised");
	check(!picture_flatten(&p, background, size % 2 ? 3 : 1, &err), err.text);
	check(!picture_resize(&p, SIDE, SIDE, size / 2 % 4, size / 8 % 2, &err), err.text);
	check(p.height == SIDE && p.width == SIDE, "another size");
	picture_free(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size && data[0] >= 0x80)
		fuzz_picture(data, size);
	else
		fuzz_description(data, size);
	return 0;
}
