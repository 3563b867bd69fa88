/* SPDX-License-Identifier: MIT */
/* The members of the Ethos-U family: what tells one configuration from another. */
#include <string.h>

#include "sim/npu.h"

/*
 * ID: architecture 1.1.0 product 4 (U55), 1.0.6 product 6 (U65), 2.0.0 product 7 (U85).
 *
 * CONFIG: log2 MACs [3:0], command stream version [7:4] (1 on U85), product [31:28] (0, 1, 2).
 * U55 and U65: SHRAM KiB of all cores [15:8]. U85: log2 of the SRAM ports [9:8] (2, on the 2048 4),
 * of the external ports [10] (1, from the 1024 on 2) and of the weight decoders [13:12].
 *
 * shram_kib is what one core has: it is what LUT and DMA addresses see, also on the U65-512, whose
 * two cores are loaded alike.
 */
const struct npu_config npu_configs[] = {
	{ "ethos-u55-32", 55, 32, 1, 4, 16, 0x10104201, 0x00001005 },
	{ "ethos-u55-64", 55, 64, 1, 8, 16, 0x10104201, 0x00001006 },
	{ "ethos-u55-128", 55, 128, 1, 8, 24, 0x10104201, 0x00001807 },
	{ "ethos-u55-256", 55, 256, 1, 8, 48, 0x10104201, 0x00003008 },
	{ "ethos-u65-256", 65, 256, 1, 8, 48, 0x10066001, 0x10003008 },
	{ "ethos-u65-512", 65, 512, 2, 8, 48, 0x10066001, 0x10006009 },
	{ "ethos-u85-128", 85, 128, 1, 0, 0, 0x20007001, 0x20000117 },
	{ "ethos-u85-256", 85, 256, 1, 0, 0, 0x20007001, 0x20000118 },
	{ "ethos-u85-512", 85, 512, 2, 0, 0, 0x20007001, 0x20001119 },
	{ "ethos-u85-1024", 85, 1024, 4, 0, 0, 0x20007001, 0x2000251a },
	{ "ethos-u85-2048", 85, 2048, 4, 0, 0, 0x20007001, 0x2000261b },
	{ 0 },
};

const struct npu_config *npu_config_find(const char *name)
{
	static const char prefix[] = "ethos-";
	const struct npu_config *config;

	for (config = npu_configs; config->name; config++) {
		if (!strcmp(config->name, name) || !strcmp(config->name + strlen(prefix), name))
			return config;
	}
	return NULL;
}
