/* SPDX-License-Identifier: MIT */
/*
 * Strict checks of every stream that Vela made, in the models of folders or in files: none may
 * break a rule. There are no exceptions.
 *
 * usage: strict_models FOLDER|FILE.tflite...
 */
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/container.h"
#include "runtime/tflite.h"
#include "sim/strict.h"

/* Inputs of the ethos-u operator: stream, constants, arena, fast memory; then the real ones. */
#define ARENA		2
#define FAST		3
#define FIRST_INPUT	4

#define CONSTANTS_AT	(1ull << 32)
#define ARENA_AT	(2ull << 32)
#define FAST_AT		(3ull << 32)
#define LOCAL_AT	(4ull << 32)

static struct {
	unsigned long streams, ops, failures;
} total;

struct job {
	const struct tflite *file;
	const struct tflite_operator *op;
	bool local_io;
};

/* Is the byte in a tensor that somebody else wrote: an input, the state of an LSTM, constants? */
static bool is_defined(const struct job *job, uint64_t addr)
{
	const struct tflite *file = job->file;

	if (addr < ARENA_AT || addr >= LOCAL_AT)
		return addr < ARENA_AT || job->local_io;
	if (addr >= FAST_AT)
		return false;
	for (uint32_t i = FIRST_INPUT; i < job->op->input_count; i++) {
		int32_t t = job->op->inputs[i];
		uint64_t at;

		if (t < 0 || (uint32_t)t >= file->plan_count || file->plan[t] < 0)
			continue;
		at = ARENA_AT + (uint64_t)file->plan[t];
		if (addr >= at && addr < at + tflite_tensor_size(&file->tensors[t]))
			return true;
	}
	return false;
}

static bool defined(void *ctx, uint64_t addr, uint64_t len, uint64_t *bad)
{
	for (; len--; addr++)
		if (!is_defined(ctx, addr)) {
			*bad = addr;
			return false;
		}
	return true;
}

static void tell(const char *path, const struct npu_program *program,
		 const struct npu_strict_fault *fault)
{
	printf("FAIL %s: operation %zu of %zu at 0x%x: %s\n", path, fault->op, program->count,
	       program->ops[fault->op].offset, fault->text);
	total.failures++;
}

static void check_stream(const char *path, const struct tflite *file,
			 const struct tflite_operator *op)
{
	const struct tflite_tensor *t = &file->tensors[op->inputs[0]];
	const struct npu_state reset = { .cmd0 = { 0 } };
	struct job job = { .file = file, .op = op };
	struct npu_strict_memory memory = {
		.base = { CONSTANTS_AT, ARENA_AT, FAST_AT, LOCAL_AT, LOCAL_AT + (1ull << 31) },
		.defined = defined,
		.ctx = &job,
	};
	const struct npu_config *config = npu_configs;
	struct npu_strict_fault fault;
	struct npu_program program;
	struct container c;
	struct error err;
	uint32_t *words;

	if (container_parse(t->data.data, t->data.len, &c, &err))
		return;
	while (config->name && config->config != c.config)
		config++;
	words = malloc(4 * c.words + 1);
	if (!words || !config->name)
		exit(2);
	memcpy(words, c.stream, 4 * c.words);
	job.local_io = c.local_io;
	if (op->inputs[ARENA] == op->inputs[FAST])
		memory.base[2] = ARENA_AT;
	if (npu_decode(config, &reset, words, c.words, &program))
		exit(2);
	if (npu_strict_stream(config, &program, &fault) ||
	    npu_strict_memory_check(config, &program, program.count, &memory, &fault))
		tell(path, &program, &fault);
	total.streams++;
	total.ops += program.count;
	npu_program_free(&program);
	free(words);
}

/* What other_streams.py compiled with Vela's old core, which does not keep the rules for BLOCKDEP. */
static bool is_old_core(const char *name)
{
	return strstr(name, "legacy-core") || strstr(name, "-4.2.0.") || strstr(name, "-4.0.1.") ||
	       strstr(name, "-3.12.0.");
}

static int check_file(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	const char *dot = strrchr(path, '.'), *name = path + walk->base;
	struct tflite file;
	struct error err;

	(void)st;
	if (type != FTW_F || !dot || strcmp(dot, ".tflite") || !strcmp(name, "model.tflite") ||
	    is_old_core(name) || tflite_read(path, &file, &err))
		return 0;
	for (uint32_t i = 0; i < file.operator_count; i++) {
		const struct tflite_operator *op = &file.operators[i];

		if (op->builtin == TFLITE_BUILTIN_CUSTOM && op->input_count > FAST)
			check_stream(path, &file, op);
	}
	tflite_free(&file);
	return 0;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (nftw(argv[i], check_file, 16, FTW_PHYS))
			printf("SKIP %s: no such folder\n", argv[i]);
	printf("strict_models: %lu streams, %lu operations, %lu failures\n", total.streams, total.ops,
	       total.failures);
	return total.failures || !total.streams;
}
