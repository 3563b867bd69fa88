/* SPDX-License-Identifier: MIT */
/* Tests: what other tests make is shown to the driver's validator. */
#include "tests/validate_accepts.h"

#include <stdio.h>

#include "driver/ethosu_validate.h"

int validate_accepts(const struct npu_config *config, const uint32_t *words, size_t count,
		     const uint64_t size[8], char *why, size_t why_len)
{
	struct ethosu_check check;
	struct ethosu_hw hw;

	if (ethosu_hw_init(&hw, config->id, config->config))
		return 0;
	if (ethosu_validate(&hw, words, count, &check)) {
		snprintf(why, why_len, "the validator refuses the command at 0x%x, %s: %s (%llu)",
			 check.reject.offset, check.reject.name ? check.reject.name : "no command",
			 check.reject.why, (unsigned long long)check.reject.value);
		return -1;
	}
	for (unsigned int i = 0; i < ETHOSU_VALIDATE_REGIONS; i++) {
		const struct ethosu_region_use *use = &check.use.region[i];
		uint64_t end = use->read_end > use->write_end ? use->read_end : use->write_end;

		if (end <= size[i])
			continue;
		snprintf(why, why_len, "the validator wants %llu bytes of region %u, there are %llu",
			 (unsigned long long)end, i, (unsigned long long)size[i]);
		return -1;
	}
	return 0;
}
