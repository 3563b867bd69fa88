/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer: program files. The first byte says whether to mend the header (magic, size, checksum),
 * which chance would not find, the rest is the file.
 *
 * Checked besides crashes: an error has words; everything an accepted image names can be read; its
 * tensors lie where they say.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "runtime/image/accel_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_image: %s\n", what);
	abort();
}

static void mend(uint8_t *file, size_t size)
{
	struct accel_file_header h;

	if (size < sizeof(h))
		return;
	memcpy(&h, file, sizeof(h));
	memcpy(h.magic, ACCEL_FILE_MAGIC, sizeof(h.magic));
	h.version = ACCEL_FILE_VERSION;
	h.file_size = size;
	h.reserved = 0;
	memcpy(file, &h, sizeof(h));
	h.checksum = XXH3_64bits(file + 32, size - 32);
	memcpy(file, &h, sizeof(h));
}

static uint64_t touch(const void *data, size_t size)
{
	const uint8_t *p = data;
	uint64_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += p[i];
	return sum;
}

static void look(const struct image *image)
{
	volatile uint64_t sum = 0;
	uint32_t regions = 0;

	for (uint32_t i = 0; i < image->tensor_count; i++) {
		const struct image_tensor *t = &image->tensors[i];

		sum += touch(t->name, strlen(t->name));
		sum += touch(t->scales, t->scale_count * sizeof(float));
		sum += touch(t->zero_points, t->scale_count * sizeof(int32_t));
		if (t->place == IMAGE_CONSTANT)
			sum += touch(t->data, image_tensor_size(t));
		check(t->place != IMAGE_ARENA ||
			      t->offset + image_tensor_size(t) <= image->arena_size,
		      "a tensor outside the arena");
		if (t->place != IMAGE_OWN)
			continue;
		check(t->region >= IMAGE_OWN_FIRST && t->region < IMAGE_REGIONS && !t->variable,
		      "a tensor in no region");
		check(!(regions >> t->region & 1), "two tensors in one region");
		regions |= 1u << t->region;
	}
	for (uint32_t i = 0; i < image->run_count; i++) {
		sum += touch(image->runs[i].stream, 4 * image->runs[i].words);
		sum += touch(image->runs[i].constants, image->runs[i].constants_size);
	}
	for (uint32_t i = 0; i < image->input_count; i++)
		check(image->inputs[i] < image->tensor_count, "no such input");
	for (uint32_t i = 0; i < image->output_count; i++)
		check(image->outputs[i] < image->tensor_count, "no such output");
	(void)sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = { "" };
	struct image *image;
	uint8_t *file;

	if (!size)
		return 0;
	file = malloc(size);
	check(file, "no memory");
	memcpy(file, data + 1, size - 1);
	if (!(data[0] & 1))
		mend(file, size - 1);
	if (image_parse(file, size - 1, "file", &image, &err)) {
		check(err.text[0] && !strchr(err.text, '\n'), "no error, or more than a line");
		return 0;
	}
	look(image);
	image_free(image);
	return 0;
}
