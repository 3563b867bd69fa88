/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a model to compile: TFLite reader, import, passes, lowering, back end, for a U55, a U65
 * and a U85. What is refused is refused in words, on one line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/compile/compile_model.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TARGETS 3

static struct target targets[TARGETS];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const names[TARGETS] = { "u55-64", "u65-256", "u85-256" };
	struct target_set set;
	struct error err;

	(void)argc;
	(void)argv;
	if (target_set_load(&set, &err))
		abort();
	for (int i = 0; i < TARGETS; i++)
		if (target_find(&set, names[i], NULL, NULL, &targets[i], &err))
			abort();
	target_set_free(&set);
	return 0;
}

static void compile(const uint8_t *data, size_t size, const struct target *target)
{
	const struct compile_options options = { .target = target };
	struct error err = { "" };
	struct tflite file;
	struct image *image;
	void *copy = malloc(size ? size : 1);

	if (!copy)
		return;
	memcpy(copy, data, size);
	if (tflite_parse(copy, size, &file, &err))
		return;
	if (!compile_model(&file, "fuzz", &options, &image, NULL, &err)) {
		image_free(image);
	} else if (!err.text[0] || strchr(err.text, '\n')) {
		fprintf(stderr, "fuzz_compile: refused without a word, or with too many\n");
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int i = 0; i < TARGETS; i++)
		compile(data, size, &targets[i]);
	return 0;
}
