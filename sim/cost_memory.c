/* SPDX-License-Identifier: MIT */
/* The memories that a simulated NPU counts cycles with; other systems are the runtime's business. */
#include <string.h>

#include "sim/cost.h"

void cost_usual_memories(unsigned int family, struct cost_memory memory[COST_MEMORIES])
{
	static const struct cost_memory u55[] = {
		[COST_SRAM] = { 8, 1, 32, 32, 32, 4, 4 },
		[COST_EXT] = { 1, 1, 64, 0, 128, 2, 0 },
	};
	static const struct cost_memory u65[] = {
		[COST_SRAM] = { 16, 1, 32, 32, 32, 16, 16 },
		[COST_EXT] = { 12, 1, 500, 250, 128, 24, 12 },
	};
	static const struct cost_memory u85[] = {
		[COST_SRAM] = { 32, 2, 32, 32, 64, 8, 8 },
		[COST_EXT] = { 12, 1, 500, 250, 128, 64, 32 },
	};

	memcpy(memory, family == 55 ? u55 : family == 65 ? u65 : u85, sizeof(u65));
}
