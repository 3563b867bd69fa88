/* SPDX-License-Identifier: MIT */
/*
 * The validator on every command stream for a U65 or U85 in the models of some folders: none may be
 * refused, and none may be said to need more of a region than its model declares. "-r N FOLDER..." has it
 * look at each N times and tells how long a word takes.
 */
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "driver/ethosu_validate.h"
#include "runtime/container.h"
#include "runtime/tflite.h"

/* Inputs of the ethos-u operator: command stream, constants, arena, fast memory; regions 0 to 2. */
#define FIRST_REGION	1
#define REGIONS		3

/* Vela rounds what it allocates up to this: the last brick of a feature map is a whole one. */
#define ARENA_ALIGN	16

static struct {
	unsigned long files, streams, ops, other, failures, words;
	double seconds, longest;
} total;

static unsigned int rounds = 1;

__attribute__((format(printf, 2, 3))) static void fail(const char *path, const char *format, ...)
{
	va_list args;

	printf("FAIL %s: ", path);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	total.failures++;
}

static void check_sizes(const char *path, const struct tflite *file,
			const struct tflite_operator *op, const struct container *c,
			const struct ethosu_stream_use *use)
{
	for (unsigned int i = 0; i < ETHOSU_VALIDATE_REGIONS; i++) {
		const struct ethosu_region_use *r = &use->region[i];
		uint64_t size = 0;

		/* Inputs and outputs of their own: sizes are those of several tensors. */
		if (c->local_io && (i == 3 || i == 4))
			continue;
		if (i < REGIONS && FIRST_REGION + i < op->input_count)
			size = tflite_tensor_size(&file->tensors[op->inputs[FIRST_REGION + i]]);
		if (i)
			size = (size + ARENA_ALIGN - 1) & -(uint64_t)ARENA_ALIGN;
		if (r->read_end > size || r->write_end > size)
			fail(path, "region %u: reads to %llu, writes to %llu, has %llu", i,
			     (unsigned long long)r->read_end, (unsigned long long)r->write_end,
			     (unsigned long long)size);
		if (!i && r->write_end)
			fail(path, "writes to the constants");
	}
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int validate(const struct ethosu_hw *hw, const uint32_t *words, size_t count,
		    struct ethosu_check *check)
{
	double start = now(), each;
	int rc = 0;

	for (unsigned int i = 0; i < rounds; i++)
		rc = ethosu_validate(hw, words, count, check);
	each = (now() - start) / rounds;
	total.seconds += each;
	total.words += count;
	if (each > total.longest)
		total.longest = each;
	return rc;
}

static void check_stream(const char *path, const struct tflite *file,
			 const struct tflite_operator *op)
{
	const struct tflite_tensor *t = &file->tensors[op->inputs[0]];
	struct ethosu_check check;
	struct ethosu_hw hw;
	struct container c;
	struct error err;
	uint32_t *words;

	if (container_parse(t->data.data, t->data.len, &c, &err)) {
		fail(path, "%s", err.text);
		return;
	}
	if (ethosu_hw_init(&hw, c.id, c.config)) {
		total.other++;
		return;
	}
	words = malloc(4 * c.words + 1);
	if (!words)
		abort();
	memcpy(words, c.stream, 4 * c.words);
	if (validate(&hw, words, c.words, &check))
		fail(path, "refused at 0x%x, 0x%08x: %s (%llu)", check.reject.offset,
		     check.reject.command, check.reject.why,
		     (unsigned long long)check.reject.value);
	else
		check_sizes(path, file, op, &c, &check.use);
	total.ops += check.use.kernel_ops + check.use.dma_ops;
	total.streams++;
	free(words);
}

static bool is_npu(const struct tflite_operator *op)
{
	static const char name[] = "ethos-u";

	return op->builtin == TFLITE_BUILTIN_CUSTOM && op->custom.len == strlen(name) &&
	       !memcmp(op->custom.data, name, strlen(name)) && op->input_count > REGIONS;
}

static int check_file(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	const char *dot = strrchr(path, '.');
	struct tflite file;
	struct error err;

	(void)st;
	(void)walk;
	if (type != FTW_F || !dot || strcmp(dot, ".tflite"))
		return 0;
	total.files++;
	if (tflite_read(path, &file, &err)) {
		fail(path, "%s", err.text);
		return 0;
	}
	for (uint32_t i = 0; i < file.operator_count; i++)
		if (is_npu(&file.operators[i]))
			check_stream(path, &file, &file.operators[i]);
	tflite_free(&file);
	return 0;
}

int main(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "r:")) == 'r')
		rounds = (unsigned int)strtoul(optarg, NULL, 0);
	if (option != -1 || !rounds || optind == argc) {
		fprintf(stderr, "usage: validate_models [-r ROUNDS] FOLDER...\n");
		return 2;
	}
	for (int i = optind; i < argc; i++)
		if (nftw(argv[i], check_file, 16, 0))
			printf("SKIP %s: no such folder\n", argv[i]);
	if (rounds > 1 && total.words)
		printf("validate-models: %.1f ns a word, %.0f us for the longest stream\n",
		       total.seconds / (double)total.words * 1e9, total.longest * 1e6);
	printf("validate-models: %lu files, %lu streams of U65 and U85 with %lu operations, "
	       "%lu for other NPUs, %lu failures\n",
	       total.files, total.streams, total.ops, total.other, total.failures);
	return total.failures || !total.streams;
}
