/* SPDX-License-Identifier: MIT */
/* How fast weight streams are decoded: all those of a model that Vela compiled. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sim/decode.h"
#include "sim/weights.h"
#include "tests/vela_file.h"

#define ROUNDS 5

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Decode the operation's weights if they are among the constants. Returns how many there were. */
static size_t decode(const struct npu_config *config, const struct npu_op *op,
		     const struct vela_file *file)
{
	struct npu_stream streams[NPU_MAX_CORES] = { 0 };
	size_t count = npu_weights_count(op);
	int16_t *out;

	for (unsigned int i = 0; i < op->cores; i++) {
		if (op->weight_base[i] + op->weight_len[i] > file->constants_size) {
			fprintf(stderr, "a weight stream lies outside the constants\n");
			exit(1);
		}
		streams[i].data = file->constants + op->weight_base[i];
		streams[i].len = op->weight_len[i];
	}
	out = malloc(count * sizeof(*out));
	if (!out || npu_weights_decode(config, op, streams, out, count)) {
		fprintf(stderr, "the weights of the operation at byte %u cannot be decoded\n",
			op->offset);
		exit(1);
	}
	free(out);
	return count;
}

static size_t decode_all(const struct npu_config *config, const struct npu_program *program,
			 const struct vela_file *file)
{
	size_t count = 0;

	for (size_t i = 0; i < program->count; i++) {
		const struct npu_op *op = &program->ops[i];

		if ((op->kind == NPU_KIND_CONV || op->kind == NPU_KIND_DEPTHWISE) &&
		    op->weight_space == 0)
			count += decode(config, op, file);
	}
	return count;
}

int main(int argc, char **argv)
{
	static const struct npu_state power_on;
	const struct npu_config *config = argc == 3 ? npu_config_find(argv[1]) : NULL;
	struct npu_program program;
	struct vela_file file;
	double best = 1e9;
	size_t count = 0;
	char why[256];

	if (!config) {
		fprintf(stderr, "usage: %s config model.tflite\n", argv[0]);
		return 2;
	}
	if (vela_file_read(argv[2], &file, why, sizeof(why))) {
		fprintf(stderr, "%s: %s\n", argv[2], why);
		return 1;
	}
	if (npu_decode(config, &power_on, file.words, file.count, &program))
		return 1;
	for (int round = 0; round < ROUNDS; round++) {
		double start = now();

		count = decode_all(config, &program, &file);
		if (now() - start < best)
			best = now() - start;
	}
	printf("%s: %zu weights in %.1f ms, %.0f million a second\n", config->name, count,
	       best * 1e3, (double)count / best / 1e6);
	npu_program_free(&program);
	vela_file_free(&file);
	return 0;
}
