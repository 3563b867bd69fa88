/* SPDX-License-Identifier: MIT */
/*
 * Tests: run one stream of Vela's on an engine and compare every output byte.
 *
 * usage: stream_check [-e engine] config model.tflite vectors.bin
 * vectors.bin holds vectors one after the other: the bytes of each input, then of each output. Exit
 * status: 0 all outputs as expected, 1 not, 77 the model is not one NPU operator.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/stream_run.h"

#define EXIT_SKIP 77

static bool read_in(FILE *file, struct stream_run *run, const struct vela_tensor *t)
{
	uint8_t *to = stream_tensor(run, t);

	return to && fread(to, 1, t->size, file) == t->size;
}

/* Returns how many bytes differ, or -1 if the tensor or the vector is not there. */
static long compare(FILE *file, struct stream_run *run, const struct vela_tensor *t)
{
	const uint8_t *got = stream_tensor(run, t);
	uint8_t *want = malloc(t->size);
	long wrong = -1;

	if (got && want && fread(want, 1, t->size, file) == t->size) {
		wrong = 0;
		for (size_t i = 0; i < t->size; i++)
			wrong += got[i] != want[i];
	}
	free(want);
	return wrong;
}

static bool at_end(FILE *file)
{
	int c = getc(file);

	if (c == EOF)
		return true;
	ungetc(c, file);
	return false;
}

static int check(FILE *file, struct stream_run *run)
{
	unsigned int vectors = 0, wrong_vectors = 0;
	long wrong_bytes = 0;
	char why[256];

	for (; !at_end(file); vectors++) {
		long wrong = 0;

		stream_reset(run);
		for (size_t i = 0; i < run->file.input_count; i++)
			if (!read_in(file, run, &run->file.inputs[i])) {
				printf("input %zu does not fit\n", i);
				return 1;
			}
		if (stream_infer(run, why, sizeof(why))) {
			printf("%s\n", why);
			return 1;
		}
		for (size_t i = 0; i < run->file.output_count; i++) {
			long ret = compare(file, run, &run->file.outputs[i]);

			if (ret < 0) {
				printf("output %zu does not fit\n", i);
				return 1;
			}
			wrong += ret;
		}
		wrong_bytes += wrong;
		wrong_vectors += wrong != 0;
	}
	if (!vectors || wrong_bytes) {
		printf("%u of %u vectors differ, %ld bytes\n", wrong_vectors, vectors, wrong_bytes);
		return 1;
	}
	printf("%u vectors exact, %zu operations\n", vectors, run->program.count);
	return 0;
}

int main(int argc, char **argv)
{
	const struct npu_engine_ops *ops = &npu_engine_reference;
	const struct npu_config *config;
	struct stream_run run;
	char why[640] = "";
	FILE *file;
	int opt, ret = 1;

	while ((opt = getopt(argc, argv, "e:")) != -1) {
		if (opt == 'e' && !strcmp(optarg, "opencl"))
			ops = &npu_engine_opencl;
		else if (opt != 'e' || strcmp(optarg, "reference"))
			return 2;
	}
	if (argc - optind != 3 || !(config = npu_config_find(argv[optind]))) {
		fprintf(stderr, "usage: %s [-e engine] config model.tflite vectors.bin\n", argv[0]);
		return 2;
	}
	file = fopen(argv[optind + 2], "rb");
	if (!file) {
		fprintf(stderr, "%s: %s\n", argv[optind + 2], strerror(errno));
		return 2;
	}
	if (!stream_open(&run, argv[optind + 1], config, ops, NULL, why, sizeof(why)))
		ret = check(file, &run);
	else
		printf("%s\n", why);
	if (strstr(why, "operators, not one") || strstr(why, "not ethos-u"))
		ret = EXIT_SKIP;
	stream_close(&run);
	fclose(file);
	return ret;
}
