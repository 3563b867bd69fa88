/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer: JSON files of systems and memory modes. Whatever is accepted must give targets that
 * the cost model makes a number of.
 */
#include <stdio.h>
#include <stdlib.h>

#include "runtime/target/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_target(const struct target_system *system, const struct target_mode *mode)
{
	const struct cost_op_desc desc = {
		.kind = NPU_KIND_CONV,
		.ifm = { { .h = 16, .w = 16, .d = 16, .bits = 8, .memory = COST_EXT } },
		.ofm = { .h = 16, .w = 16, .d = 16, .bits = 8 },
		.kernel_h = 1, .kernel_w = 1, .stride_y = 1, .stride_x = 1, .dilation_y = 1,
		.dilation_x = 1, .acc_bits = 32, .microblock = 3, .block = { 8, 8, 16 },
		.weight_memory = COST_EXT, .weight_bytes = 256, .scale_bytes = 160,
	};
	const struct ethosu_arch *arch = ethosu_arch_find(system->family, 256);
	struct cost_result r;
	struct target target;
	struct error err;

	if (!arch || target_make(arch, system, mode, &target, &err))
		return;
	cost_op(&target.cost, &desc, &r);
	if (!r.cycles || r.cycles > COST_MOST * 4) {
		fprintf(stderr, "fuzz_systems: %llu cycles\n", (unsigned long long)r.cycles);
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct target_set set = { 0 };
	struct error err;

	target_set_parse(&set, (const char *)data, size, "input", &err);
	for (size_t i = 0; i < set.system_count && i < 8; i++)
		for (size_t k = 0; k < set.mode_count && k < 8; k++)
			try_target(&set.systems[i], &set.modes[k]);
	target_set_free(&set);
	return 0;
}
