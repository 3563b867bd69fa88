/* SPDX-License-Identifier: MIT */
/* The validator's rules one by one, in user space; driver/kunit_validate.c does it in the kernel. */
#include "tests/validate_rules.h"
#include "tests/validate_stream.h"

static bool good(const struct rule *rule)
{
	static const struct cmd stop = STOP;
	struct ethosu_check check;
	uint32_t words[256];
	size_t n = put_all(words, 0, base, ARRAY_SIZE(base)), at;
	int rc;

	n = put_all(words, n, rule->set, ROOM);
	at = n;
	if (rule->op.some)
		n = put(words, n, &rule->op);
	n = put(words, n, &stop);
	rc = validate(rule->npu, words, n, &check);
	if (rc != rule->rc || (rc && !strstr(check.reject.why, rule->why))) {
		print_error("%s: %d %s, not %d %s\n", rule->name, rc, check.reject.why, rule->rc,
			    rule->why);
		return false;
	}
	if (rc && rule->op.some && !rule->set[0].some && check.reject.offset != 4 * at) {
		print_error("%s: at 0x%x, not 0x%zx\n", rule->name, check.reject.offset, 4 * at);
		return false;
	}
	for (unsigned int i = 0; i < 8; i++) {
		const struct ethosu_region_use *use = &check.use.region[i];
		bool written = i == OFM || i == DST;

		if ((written ? use->write_end : use->read_end) == rule->need[i] &&
		    !(written ? use->read_end : use->write_end))
			continue;
		print_error("%s: region %u: read to 0x%llx, written to 0x%llx, not to 0x%llx\n",
			    rule->name, i, (unsigned long long)use->read_end,
			    (unsigned long long)use->write_end, (unsigned long long)rule->need[i]);
		return false;
	}
	return true;
}

static void all_good(const struct rule *rules, size_t count)
{
	unsigned int bad = 0;

	for (size_t i = 0; i < count; i++)
		bad += !good(&rules[i]);
	assert_int_equal(bad, 0);
}

static void test_maps(void **state)
{
	(void)state;
	all_good(maps, ARRAY_SIZE(maps));
}

static void test_kernels(void **state)
{
	(void)state;
	all_good(kernels, ARRAY_SIZE(kernels));
}

static void test_elementwise(void **state)
{
	(void)state;
	all_good(elementwise, ARRAY_SIZE(elementwise));
}

static void test_streams(void **state)
{
	(void)state;
	all_good(streams, ARRAY_SIZE(streams));
}

static void test_copies(void **state)
{
	(void)state;
	all_good(copies, ARRAY_SIZE(copies));
}

static void test_forms(void **state)
{
	static const struct ethosu_stream_use none;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		const struct form *form = &forms[i];
		struct ethosu_check check;
		uint32_t words[8];
		int rc = validate(form->npu, words, put_all(words, 0, form->cmds, 4), &check);

		if (rc != form->rc || (rc && !strstr(check.reject.why, form->why)))
			fail_msg("%s: %d %s", form->name, rc, check.reject.why);
		if (rc) {
			assert_int_equal(check.reject.offset, form->offset);
			assert_memory_equal(&check.use, &none, sizeof(none));
		} else {
			assert_true(check.use.size && check.use.size % 4 == 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_maps),
		cmocka_unit_test(test_kernels),
		cmocka_unit_test(test_elementwise),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
