/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer: the validator on words of any kind, the simulator as its judge. Input: a byte that picks the
 * NPU, then the words, as fuzz_decode has them; a U55's become a U85's.
 *
 * Checked besides crashes: an accepted stream touches nothing beyond what was said, also behind the
 * prologue from registers that hold anything; a refused one has a reason, and a place in the stream.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/npu_internal.h"
#include "tests/validate_gen.h"
#include "tests/validate_oracle.h"

#define CONFIG_MASK 0x3f

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

/* The device, which asks for it, does not run here. */
const struct npu_engine_ops npu_engine_opencl = { .name = "opencl" };

static struct gen gen;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char *none[] = { NULL };

	(void)argc;
	(void)argv;
	gen_init(&gen, none);
	return 0;
}

/* Index in the generator's list of what fuzz_decode's byte means: an index of npu_configs. */
static unsigned int config_of(uint8_t byte)
{
	const struct npu_config *config = npu_configs;
	unsigned int n = 0, i;

	while (npu_configs[n].name)
		n++;
	config += (byte & CONFIG_MASK) % n;
	for (i = 0; i < GEN_CONFIGS - 1 && gen.configs[i] != config; i++)
		;
	return i;
}

static void judge(unsigned int config, const struct npu_state *start, const uint32_t *words,
		  size_t count, const struct ethosu_stream_use *use)
{
	struct oracle o = { .ops = 0 };

	oracle_judge(&o, gen.configs[config], start, words, count, use);
	if (o.verdict != ORACLE_STRAY && o.verdict != ORACLE_FAULT)
		return;
	fprintf(stderr, "fuzz_validate: %s: accepted, but %s\n", gen.configs[config]->name, o.why);
	abort();
}

static void accepted(unsigned int config, const uint32_t *words, size_t count,
		     const struct ethosu_stream_use *use)
{
	static const struct npu_state reset;
	struct npu_state left;
	uint32_t *all = malloc(4 * (ETHOSU_PROLOGUE_MAX + count));
	size_t prologue;

	if (!all)
		abort();
	judge(config, &reset, words, count, use);
	memset(&left, 0xa5, sizeof(left));
	prologue = ethosu_prologue(&gen.hw[config], all);
	memcpy(all + prologue, words, 4 * count);
	judge(config, &left, all, prologue + count, use);
	free(all);
}

static void refused(const struct ethosu_reject *reject, const uint32_t *words, size_t count)
{
	if (reject->why && reject->offset % 4 == 0 && reject->offset <= 4 * count &&
	    (reject->offset == 4 * count || reject->command == words[reject->offset / 4]))
		return;
	fprintf(stderr, "fuzz_validate: refused without a reason, or nowhere\n");
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ethosu_check check;
	unsigned int config;
	uint32_t *words;
	size_t count;

	if (!size)
		return 0;
	config = config_of(data[0]);
	count = (size - 1) / 4;
	words = malloc(4 * count + !count);
	if (!words)
		abort();
	memcpy(words, data + 1, 4 * count);
	if (ethosu_validate(&gen.hw[config], words, count, &check))
		refused(&check.reject, words, count);
	else
		accepted(config, words, count, &check.use);
	free(words);
	return 0;
}

/* A stream of the generator's, or a command changed, or any bytes. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	uint32_t words[GEN_WORDS + 2];
	struct rng r = { .state = seed };
	size_t max = (max_size - 1) / 4, count = size ? (size - 1) / 4 : 0;
	unsigned int config = size ? config_of(data[0]) : 0;

	if (max > GEN_WORDS)
		max = GEN_WORDS;
	if (!rng_below(&r, 4) || max_size < 5 || count > max)
		return LLVMFuzzerMutate(data, size, max_size);
	if (!rng_below(&r, 8)) {
		count = gen_make(&gen, &r, words, &config);
		if (count > max)
			return LLVMFuzzerMutate(data, size, max_size);
		data[0] = (uint8_t)(gen.configs[config] - npu_configs);
	} else {
		memcpy(words, data + 1, 4 * count);
		count = gen_mutate(&gen.hw[config], &r, words, count, max);
	}
	memcpy(data + 1, words, 4 * count);
	return 1 + 4 * count;
}
