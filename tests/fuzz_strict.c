/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer: strict checks and cost model on command streams of any kind. Input: as for fuzz_decode,
 * a byte that picks the configuration (low bits), then the words; its corpus does.
 *
 * Checked besides crashes: a fault names an operation of the stream and begins as it should; times
 * are in order and add up.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/cost_stream.h"
#include "sim/strict.h"

#define CONFIGS		11

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_strict: %s\n", what);
	abort();
}

static bool defined(void *ctx, uint64_t addr, uint64_t len, uint64_t *bad)
{
	(void)ctx;
	*bad = addr + len / 2;
	return addr & 0x1000;
}

static void check_fault(int rc, const struct npu_program *program,
			const struct npu_strict_fault *fault)
{
	if (rc != -EINVAL)
		return;
	check(fault->op < program->count || !program->count, "fault at no operation");
	check(!strncmp(fault->text, "strict: ", 8), "fault without a rule");
}

static void check_cost(const struct npu_config *config, const struct npu_program *program)
{
	struct cost_target target = { .arch = ethosu_arch_find(config->arch, config->macs),
				      .region = { COST_EXT, COST_EXT } };
	struct cost_step *steps = calloc(program->count + 1, sizeof(*steps));
	struct cost_total total;
	uint64_t sum = 0, cycles;
	size_t layers;

	if (!steps)
		return;
	cost_usual_memories(config->arch, target.memory);
	cost_stream(&target, program, program->count, steps, &total);
	for (size_t i = 0; i < program->count; i++) {
		check(steps[i].end >= steps[i].start, "ends before it starts");
		check(steps[i].first <= i, "chained to what comes later");
		sum += steps[i].advance;
	}
	check(sum == total.cycles, "parts and whole differ");
	cost_stream_vela(&target, program, NULL, &layers, &cycles);
	free(steps);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct npu_state reset = { .cmd0 = { 0 } };
	struct npu_strict_memory memory = { .defined = defined };
	const struct npu_config *config;
	struct npu_strict_fault fault;
	struct npu_program program;
	uint32_t *words;
	int rc;

	if (!size)
		return 0;
	config = &npu_configs[(data[0] & 0x3f) % CONFIGS];
	words = malloc(size);
	if (!words)
		return 0;
	memcpy(words, data + 1, size - 1);
	if (npu_decode(config, &reset, words, (size - 1) / 4, &program))
		abort();
	rc = npu_strict_stream(config, &program, &fault);
	check_fault(rc, &program, &fault);
	for (unsigned int i = 0; i < NPU_REGIONS; i++)
		memory.base[i] = (uint64_t)(data[0] >> 7 ? 1 : i + 1) << 32;
	rc = npu_strict_memory_check(config, &program, program.count, &memory, &fault);
	check_fault(rc, &program, &fault);
	check_cost(config, &program);
	npu_program_free(&program);
	free(words);
	return 0;
}
