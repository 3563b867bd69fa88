/* SPDX-License-Identifier: MIT */
/*
 * Decodes every command stream in the models of a folder: none may end but at its STOP, and no
 * operation may touch a byte beyond the constants, the arena and the fast memory that its model
 * declares. The disassembler has a name for each word of it, and none with bits that no field
 * holds.
 */
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "runtime/container.h"
#include "runtime/disasm.h"
#include "runtime/tflite.h"
#include "sim/decode.h"

/*
 * Inputs of the ethos-u operator: command stream, constants, arena, fast memory. They are regions 0
 * to 2.
 */
#define FIRST_REGION 1
#define REGIONS	     3

static struct {
	unsigned long files, streams, ops, failures;
} total;

struct bounds {
	const char *path;
	const struct npu_program *program;
	int64_t size[NPU_SPACES];
	uint32_t offset;
};

static int in_bounds(void *ctx, unsigned int space, int64_t lo, int64_t hi,
		     enum npu_channel channel)
{
	const struct bounds *b = ctx;

	if (lo >= 0 && lo < hi && space < NPU_SPACES && hi <= b->size[space])
		return 0;
	printf("FAIL %s: command at 0x%x: channel %d: bytes %lld to %lld of space %u, which has "
	       "%lld\n",
	       b->path, b->offset, channel, (long long)lo, (long long)hi, space,
	       (long long)(space < NPU_SPACES ? b->size[space] : 0));
	total.failures++;
	return 1;
}

static const struct npu_config *config_of(uint32_t word)
{
	for (const struct npu_config *c = npu_configs; c->name; c++)
		if (c->config == word)
			return c;
	return NULL;
}

static void check_ops(const struct npu_config *config, struct bounds *b, bool local_io)
{
	const struct npu_program *program = b->program;

	b->size[NPU_SPACE_CHAIN] = (int64_t)program->chain_size;
	b->size[NPU_SPACE_INTERNAL] = config->arch == 85 ? 2048 : config->shram_kib * 1024;
	if (local_io)
		b->size[3] = b->size[4] = INT64_MAX; /* sizes are those of several tensors */
	for (size_t i = 0; i < program->count; i++) {
		int rc;

		b->offset = program->ops[i].offset;
		rc = npu_op_extents(config, &program->ops[i], in_bounds, b);
		if (rc < 0) {
			printf("FAIL %s: command at 0x%x: addresses out of range\n", b->path,
			       b->offset);
			total.failures++;
		}
	}
	total.ops += program->count;
}

/* As JSON: all the words there are, each in a command with a name. */
static bool named(unsigned int arch, const uint32_t *words, size_t count)
{
	char *text = NULL;
	size_t len, seen = 0, i;
	FILE *f = open_memstream(&text, &len);
	int unknown = f ? disasm_print(f, arch, words, count, true) : -1;
	json_t *list, *line;
	bool good;

	if (f)
		fclose(f);
	list = text ? json_loads(text, 0, NULL) : NULL;
	good = !unknown && json_array_size(list) && !strstr(text, "RESERVED");
	json_array_foreach(list, i, line)
	{
		seen += json_array_size(json_object_get(line, "words"));
		good &= json_is_string(json_object_get(line, "command"));
	}
	json_decref(list);
	free(text);
	return good && seen == count;
}

static void check_stream(const char *path, const struct tflite *file,
			 const struct tflite_operator *op)
{
	const struct tflite_tensor *t = &file->tensors[op->inputs[0]];
	const struct npu_state reset = { .cmd0 = { 0 } };
	struct npu_program program;
	struct bounds bounds = { .path = path, .program = &program };
	const struct npu_config *config;
	struct container c;
	struct error err;
	uint32_t *words;

	if (container_parse(t->data.data, t->data.len, &c, &err)) {
		printf("FAIL %s: %s\n", path, err.text);
		total.failures++;
		return;
	}
	config = config_of(c.config);
	words = malloc(4 * c.words + 1);
	if (!config || !words) {
		printf("FAIL %s: no device with CONFIG 0x%x\n", path, c.config);
		total.failures++;
		free(words);
		return;
	}
	memcpy(words, c.stream, 4 * c.words);
	if (npu_decode(config, &reset, words, c.words, &program)) {
		printf("FAIL %s: out of memory\n", path);
		total.failures++;
	} else if (program.end != NPU_STOP_END || program.end_offset != 4 * c.words ||
		   !program.count) {
		printf("FAIL %s: %zu operations, then at 0x%x of 0x%zx: %s\n", path, program.count,
		       program.end_offset, 4 * c.words, program.why);
		total.failures++;
	}
	if (!named(config->arch, words, c.words)) {
		printf("FAIL %s: not every word has a name\n", path);
		total.failures++;
	}
	for (unsigned int i = 0; i < REGIONS; i++)
		bounds.size[i] =
			(int64_t)tflite_tensor_size(&file->tensors[op->inputs[FIRST_REGION + i]]);
	check_ops(config, &bounds, c.local_io);
	npu_program_free(&program);
	free(words);
	total.streams++;
}

static int check_file(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	const char *dot = strrchr(path, '.'), *base = path + walk->base;
	struct tflite file;
	struct error err;

	(void)st;
	if (type != FTW_F || !dot || strcmp(dot, ".tflite") ||
	    strncmp(base, "vela-", strlen("vela-")))
		return 0;
	total.files++;
	if (tflite_read(path, &file, &err)) {
		printf("FAIL %s\n", err.text);
		total.failures++;
		return 0;
	}
	for (uint32_t i = 0; i < file.operator_count; i++) {
		const struct tflite_operator *op = &file.operators[i];

		if (op->builtin == TFLITE_BUILTIN_CUSTOM && op->input_count > REGIONS)
			check_stream(path, &file, op);
	}
	tflite_free(&file);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: decode_models FOLDER...\n");
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		if (nftw(argv[i], check_file, 16, FTW_PHYS))
			printf("SKIP %s: no such folder; the rest was checked\n", argv[i]);
	}
	printf("decode_models: %lu streams of %lu files, %lu operations, %lu failures\n",
	       total.streams, total.files, total.ops, total.failures);
	return total.failures || !total.streams;
}
