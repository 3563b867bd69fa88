/* SPDX-License-Identifier: MIT */
/* Targets: what is built in, and what they are made of. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/target/target.h"

static int load(void **state)
{
	static struct target_set set;
	struct error err;

	setenv("HOME", "/nonexistent", 1);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("ACCEL_SYSTEMS");
	*state = &set;
	return target_set_load(&set, &err);
}

static int unload(void **state)
{
	target_set_free(*state);
	return 0;
}

/* As in Vela's vela.ini: 11 systems, 6 memory modes, a default for each family. */
static void test_built_in(void **state)
{
	const struct target_set *set = *state;

	assert_int_equal(set->system_count, 11);
	assert_int_equal(set->mode_count, 6);
	assert_int_equal(set->default_count, 3);
}

/* The simulated NPU counts with the memories that are the default here. */
static void test_defaults_are_the_simulators(void **state)
{
	struct cost_memory usual[COST_MEMORIES];
	struct target t;
	struct error err;

	for (size_t i = 0; i < ETHOSU_ARCHS; i++) {
		assert_int_equal(target_find(*state, ethosu_archs[i].name, NULL, NULL, &t, &err), 0);
		assert_string_equal(t.cost.arch->name, ethosu_archs[i].name);
		cost_usual_memories(ethosu_archs[i].family, usual);
		for (unsigned int m = 0; m < COST_MEMORIES; m++) {
			assert_true(t.cost.memory[m].bandwidth == usual[m].bandwidth);
			assert_int_equal(t.cost.memory[m].ports, usual[m].ports);
			assert_int_equal(t.cost.memory[m].read_latency, usual[m].read_latency);
			assert_int_equal(t.cost.memory[m].write_latency, usual[m].write_latency);
			assert_int_equal(t.cost.memory[m].burst, usual[m].burst);
			assert_int_equal(t.cost.memory[m].reads, usual[m].reads);
			assert_int_equal(t.cost.memory[m].writes, usual[m].writes);
		}
	}
}

static void test_regions(void **state)
{
	struct target t;
	struct error err;

	assert_int_equal(target_find(*state, "u65-256", NULL, NULL, &t, &err), 0);
	assert_string_equal(t.mode.name, "Dedicated_Sram_384KB");
	assert_int_equal(t.mode.staging_size, 393216);
	assert_int_equal(t.cost.region[TARGET_CONSTANTS], COST_EXT);
	assert_int_equal(t.cost.region[TARGET_ARENA], COST_EXT);
	assert_int_equal(t.cost.region[TARGET_STAGING], COST_SRAM);
	assert_int_equal(target_find(*state, "ethos-u55-32", NULL, "shared-SRAM", &t, &err), 0);
	assert_int_equal(t.cost.region[TARGET_CONSTANTS], COST_EXT);
	assert_int_equal(t.cost.region[TARGET_ARENA], COST_SRAM);
	assert_int_equal(t.cost.region[TARGET_OUTPUTS], COST_SRAM);
	assert_true(t.system.clock_hz == 500e6);
	/* Flash is not for what is written. */
	assert_int_equal(target_find(*state, "u55-32", NULL, "Dedicated_Sram", &t, &err), -EINVAL);
	assert_int_equal(target_find(*state, "u65-256", "Ethos_U55_Deep_Embedded", NULL, &t, &err),
			 -ENOENT);
}

/* Port width times ports: no system moves more than its NPU's ports do. */
static void test_ports(void **state)
{
	const struct target_set *set = *state;

	for (size_t i = 0; i < set->system_count; i++) {
		const struct target_system *s = &set->systems[i];
		unsigned int width = s->family == 55 ? 8 : 16;

		for (unsigned int m = 0; m < COST_MEMORIES; m++)
			assert_true(s->memory[m].bandwidth <= width * s->memory[m].ports);
	}
}

/* The same name again: the later one counts, and the others stay. */
static void test_replaced(void **state)
{
	static const char text[] =
		"{ \"modes\": [ { \"name\": \"Sram_Only\", \"constants\": \"sram\", \"arena\": \"sram\", "
		"\"staging\": \"sram\", \"staging_size\": 77 } ] }";
	struct target_set set;
	struct target t;
	struct error err;

	(void)state;
	assert_int_equal(target_set_load(&set, &err), 0);
	assert_int_equal(target_set_parse(&set, text, sizeof(text) - 1, "text", &err), 0);
	assert_int_equal(set.mode_count, 6);
	assert_int_equal(target_find(&set, "u85-128", NULL, "sram_only", &t, &err), 0);
	assert_int_equal(t.mode.staging_size, 77);
	assert_int_equal(target_find(&set, "u85-128", NULL, NULL, &t, &err), 0);
	target_set_free(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_built_in),
		cmocka_unit_test(test_defaults_are_the_simulators),
		cmocka_unit_test(test_regions),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_replaced),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
