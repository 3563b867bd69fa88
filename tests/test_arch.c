/* SPDX-License-Identifier: MIT */
/* The table of configurations: does it fit what the registers of each say, and itself? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/npu.h"
#include "uapi/ethosu_arch.h"

static const struct ethosu_arch *arch_of(const struct npu_config *config)
{
	const struct ethosu_arch *arch = ethosu_arch_find(config->arch, config->macs);

	if (!arch)
		fail_msg("%s: no entry", config->name);
	return arch;
}

/* The same device in both tables: what the ID and CONFIG registers say is checked against boards. */
static void test_same_as_registers(void **state)
{
	size_t n = 0;

	(void)state;
	for (const struct npu_config *c = npu_configs; c->name; c++, n++) {
		const struct ethosu_arch *a = arch_of(c);

		assert_string_equal(a->name, c->name);
		assert_int_equal(a->cores, c->cores);
		assert_int_equal(a->banks, c->shram_kib);
		if (c->arch != 85) {
			assert_int_equal(a->ofm_ublock[0].d, c->ublock_depth);
			continue;
		}
		assert_int_equal(a->sram_ports, 1 << (c->config >> 8 & 3));
		assert_int_equal(a->ext_ports, 1 << (c->config >> 10 & 1));
		assert_int_equal(a->cores, 1 << (c->config >> 12 & 3));
	}
	assert_int_equal(n, ETHOSU_ARCHS);
	assert_null(ethosu_arch_find(65, 128));
}

/* A multiplier a product: 8 channels of a dot product for each output of a microblock. */
static void test_microblocks_fill_the_array(void **state)
{
	(void)state;
	for (size_t i = 0; i < ETHOSU_ARCHS; i++) {
		const struct ethosu_arch *a = &ethosu_archs[i];
		unsigned int layouts = 0;

		for (unsigned int k = 0; k < ETHOSU_UBLOCKS; k++) {
			const struct ethosu_block *u = &a->ofm_ublock[k];

			if (!u->d)
				continue;
			layouts++;
			if (a->family == 85) {
				assert_int_equal(8 * u->h * u->w * u->d, a->macs);
				/* By code: 1x1, 1x2, 1x4, 2x2, 2x4, 4x4. */
				assert_int_equal(u->h * 10 + u->w,
						 ((const int[]){ 11, 12, 14, 22, 24, 44 })[k]);
			} else {
				assert_int_equal(8 * u->h * u->w * u->d * a->cores, a->macs);
			}
		}
		assert_int_equal(layouts, a->family != 85 ? 1 : a->macs == 512 ? 2 :
					  a->macs == 128	     ? 2 : 3);
	}
}

static void test_memories(void **state)
{
	(void)state;
	for (size_t i = 0; i < ETHOSU_ARCHS; i++) {
		const struct ethosu_arch *a = &ethosu_archs[i];

		if (a->family == 85) {
			assert_int_equal(a->banks, 0);
			assert_int_equal(a->cb % (ETHOSU_CB_SLOTS * ETHOSU_BRICK), 0);
			/* Tables of twice the size, twice the elements: never slower. */
			for (unsigned int r = 0; i && r < ETHOSU_RATES; r++)
				if (ethosu_archs[i - 1].family == 85)
					assert_true(a->rate[r] <= ethosu_archs[i - 1].rate[r]);
			continue;
		}
		assert_int_equal(a->lut_offset, a->banks * ETHOSU_SHRAM_BANK - ETHOSU_LUT_SIZE);
		assert_true(a->lut_banks == 0 || a->lut_banks == 2);
		assert_int_equal(a->lut_banks == 0, a->banks == 16);
	}
}

static void test_iau(void **state)
{
	const struct ethosu_arch *a = ethosu_arch_find(85, 1024);
	struct ethosu_block iau = ethosu_iau(a, &a->ofm_ublock[2], 256);

	(void)state;
	assert_int_equal(iau.h * 100 + iau.w * 10 + iau.d, 142);
	iau = ethosu_iau(a, &a->ofm_ublock[4], 128);
	assert_int_equal(iau.h * 100 + iau.w * 10 + iau.d, 241);
	iau = ethosu_iau(a, &a->ofm_ublock[3], 257);
	assert_int_equal(iau.h * 100 + iau.w * 10 + iau.d, 124);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_as_registers),
		cmocka_unit_test(test_microblocks_fill_the_array),
		cmocka_unit_test(test_memories),
		cmocka_unit_test(test_iau),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
