/* SPDX-License-Identifier: MIT */
/*
 * How much do the strict checks see? In streams that Vela made one command at a time is made worse:
 * a wait left out, a BLOCKDEP one larger, an area of SHRAM one bank shorter. Most of these
 * must be found. Not all: a wait can be for safety, a BLOCKDEP smaller than it need be.
 *
 * usage: strict_mutate MODEL.tflite...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/strict.h"
#include "tests/vela_file.h"
#include "uapi/ethosu_isa.h"

/* Of a kind in one stream, evenly spread: long streams repeat themselves. */
#define PER_STREAM	40

/**
 * struct kind - a change
 * @opcode: of the command
 * @family: 85: on U85 only, 65: on U55 and U65 only, 0: all
 * @add: to its parameter; 0: it is a wait, in whose place comes a command that does nothing
 * @least: per cent that must be found
 */
static struct kind {
	const char *name;
	uint16_t opcode;
	unsigned int family;
	int add;
	unsigned int least;
	unsigned long tried, found;
} kinds[] = {
	{ "no DMA_WAIT", ETHOSU_OP_DMA_WAIT, 0, 0, 98, 0, 0 },
	{ "no KERNEL_WAIT", ETHOSU_OP_KERNEL_WAIT, 0, 0, 98, 0, 0 },
	{ "BLOCKDEP one larger", ETHOSU_SET_BLOCKDEP, 0, 1, 80, 0, 0 },
	{ "IB_END one bank lower", ETHOSU_SET_IFM_IB_END, 65, -1, 99, 0, 0 },
	{ "AB_START one bank higher", ETHOSU_SET_AB_START, 65, 1, 99, 0, 0 },
	{ "IFM2_IB_START one bank lower", ETHOSU_SET_IFM2_IB_START, 65, -1, 99, 0, 0 },
};

#define KINDS	(sizeof(kinds) / sizeof(kinds[0]))

static bool broken(const struct npu_config *config, const uint32_t *words, size_t count,
		   bool *decoded)
{
	const struct npu_state reset = { .cmd0 = { 0 } };
	struct npu_strict_fault fault;
	struct npu_program program;
	bool bad;

	if (npu_decode(config, &reset, words, count, &program))
		exit(2);
	*decoded = program.end == NPU_STOP_END;
	bad = npu_strict_stream(config, &program, &fault);
	npu_program_free(&program);
	return bad;
}

/* What the next kernel from @i on is, 0: there is none. Opcodes of kernels are the lowest. */
static unsigned int next_kernel(const uint32_t *words, size_t i, size_t count)
{
	for (; i < count; i++) {
		unsigned int opcode = words[i] & ETHOSU_OPCODE_MASK;

		if (words[i] >> ETHOSU_CONTROL_SHIFT & 3)
			i++;
		else if (opcode >= ETHOSU_OP_CONV && opcode < ETHOSU_OP_DMA_START)
			return opcode;
	}
	return 0;
}

/* Is the command at @i one that @kind changes, and would the change be one? */
static bool applies(const struct kind *kind, const struct npu_config *config, const uint32_t *words,
		    size_t i, size_t count)
{
	bool u85 = config->arch == 85;
	uint32_t param = words[i] >> ETHOSU_PARAM_SHIFT;
	unsigned int limit = u85 ? 7 : 3;

	if ((words[i] & ETHOSU_OPCODE_MASK) != kind->opcode ||
	    (kind->family && (kind->family == 85) != u85))
		return false;
	if (kind->opcode == ETHOSU_SET_BLOCKDEP)
		return param < limit && param > 0;
	if (kind->opcode == ETHOSU_SET_IFM_IB_END || kind->opcode == ETHOSU_SET_AB_START ||
	    kind->opcode == ETHOSU_SET_IFM2_IB_START) {
		/* Only elementwise operations have an IFM2; only the others look at the other two. */
		unsigned int kernel = next_kernel(words, i, count);

		return kernel && (kernel == ETHOSU_OP_ELEMENTWISE) ==
					 (kind->opcode == ETHOSU_SET_IFM2_IB_START);
	}
	return true;
}

static void try_kind(struct kind *kind, const struct npu_config *config, uint32_t *words,
		     size_t count)
{
	size_t all = 0, seen = 0, step;
	bool decoded;

	for (size_t i = 0; i < count; i++) {
		all += !(words[i] >> ETHOSU_CONTROL_SHIFT & 3) &&
		       applies(kind, config, words, i, count);
		i += words[i] >> ETHOSU_CONTROL_SHIFT & 3 ? 1 : 0;
	}
	step = all / PER_STREAM + 1;
	for (size_t i = 0; i < count; i++) {
		uint32_t old = words[i];

		if (old >> ETHOSU_CONTROL_SHIFT & 3) {
			i++;
			continue;
		}
		if (!applies(kind, config, words, i, count) || seen++ % step)
			continue;
		if (kind->add)
			words[i] += (uint32_t)kind->add << ETHOSU_PARAM_SHIFT;
		else
			words[i] = ETHOSU_CMD0(OP_PMU_MASK, 0);
		if (broken(config, words, count, &decoded))
			kind->found++;
		else if (getenv("STRICT_MUTATE_VERBOSE"))
			printf("not found: %s at 0x%zx\n", kind->name, 4 * i);
		kind->tried += decoded;
		words[i] = old;
	}
}

int main(int argc, char **argv)
{
	unsigned int streams = 0, failures = 0;

	for (int k = 1; k < argc; k++) {
		const struct npu_config *config = npu_configs;
		struct vela_file file;
		bool decoded;
		char why[256];

		/* The name says what it is for: vela-ethos-u65-256.tflite. */
		while (config->name && !strstr(argv[k], config->name + strlen("ethos-")))
			config++;
		if (config->name && !vela_file_read(argv[k], &file, why, sizeof(why))) {
			if (broken(config, file.words, file.count, &decoded)) {
				printf("FAIL %s: broken as it is\n", argv[k]);
				failures++;
			}
			for (size_t i = 0; i < KINDS; i++)
				try_kind(&kinds[i], config, file.words, file.count);
			streams++;
			vela_file_free(&file);
		}
	}
	for (size_t i = 0; i < KINDS; i++) {
		struct kind *kind = &kinds[i];
		bool good = kind->tried && kind->found * 100 >= kind->tried * kind->least;

		printf("%-4s %s: %lu of %lu found, at least %u %%\n", good ? "ok" : "FAIL",
		       kind->name, kind->found, kind->tried, kind->least);
		failures += !good;
	}
	printf("strict_mutate: %u streams, %u failures\n", streams, failures);
	return failures != 0;
}
