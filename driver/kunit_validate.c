// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * KUnit: the validator's rules, in the kernel. No device: build it beside the validator, for
 * User-Mode Linux with KASAN.
 */
#include <kunit/test.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "tests/validate_rules.h"

#define WORDS	256

/* What a case works with: too large for a stack. */
struct bench {
	struct ethosu_hw hw;
	struct ethosu_check check;
	u32 words[WORDS];
};

static int validate_init(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct bench), GFP_KERNEL);
	return test->priv ? 0 : -ENOMEM;
}

/* In memory of exactly its size, so that KASAN sees a word too many. */
static int validate(struct kunit *test, unsigned int npu, size_t count)
{
	struct bench *b = test->priv;
	__le32 *exact;
	size_t i;

	KUNIT_ASSERT_EQ(test, ethosu_hw_init(&b->hw, npus[npu].id, npus[npu].config), 0);
	exact = kunit_kmalloc(test, count * sizeof(*exact), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, exact);
	for (i = 0; i < count; i++)
		exact[i] = cpu_to_le32(b->words[i]);
	return ethosu_validate(&b->hw, exact, count, &b->check);
}

static void expect_why(struct kunit *test, const char *name, int rc, const char *why)
{
	const struct bench *b = test->priv;

	if (rc && (!b->check.reject.why || !strstr(b->check.reject.why, why)))
		KUNIT_FAIL(test, "%s: %s, not %s", name, b->check.reject.why, why);
}

static void expect_need(struct kunit *test, const struct rule *rule)
{
	const struct bench *b = test->priv;
	const struct ethosu_region_use *use;
	unsigned int i;
	bool written;

	for (i = 0; i < ETHOSU_VALIDATE_REGIONS; i++) {
		use = &b->check.use.region[i];
		written = i == OFM || i == DST;
		KUNIT_EXPECT_EQ_MSG(test, written ? use->write_end : use->read_end, rule->need[i],
				    "%s: region %u", rule->name, i);
		KUNIT_EXPECT_EQ_MSG(test, written ? use->read_end : use->write_end, 0,
				    "%s: region %u", rule->name, i);
	}
}

static void expect_rules(struct kunit *test, const struct rule *rules, size_t count)
{
	static const struct cmd stop = STOP;
	struct bench *b = test->priv;
	const struct rule *rule;
	size_t n;
	int rc;

	for (rule = rules; rule < rules + count; rule++) {
		n = put_all(b->words, 0, base, ARRAY_SIZE(base));
		n = put_all(b->words, n, rule->set, ROOM);
		if (rule->op.some)
			n = put(b->words, n, &rule->op);
		n = put(b->words, n, &stop);
		rc = validate(test, rule->npu, n);
		KUNIT_EXPECT_EQ_MSG(test, rc, rule->rc, "%s", rule->name);
		expect_why(test, rule->name, rc, rule->why);
		expect_need(test, rule);
	}
}

static void validate_maps(struct kunit *test)
{
	expect_rules(test, maps, ARRAY_SIZE(maps));
}

static void validate_kernels(struct kunit *test)
{
	expect_rules(test, kernels, ARRAY_SIZE(kernels));
}

static void validate_elementwise(struct kunit *test)
{
	expect_rules(test, elementwise, ARRAY_SIZE(elementwise));
}

static void validate_streams(struct kunit *test)
{
	expect_rules(test, streams, ARRAY_SIZE(streams));
}

static void validate_copies(struct kunit *test)
{
	expect_rules(test, copies, ARRAY_SIZE(copies));
}

static void validate_forms(struct kunit *test)
{
	struct bench *b = test->priv;
	const struct form *form;
	int rc;

	for (form = forms; form < forms + ARRAY_SIZE(forms); form++) {
		rc = validate(test, form->npu, put_all(b->words, 0, form->cmds, 4));
		KUNIT_EXPECT_EQ_MSG(test, rc, form->rc, "%s", form->name);
		expect_why(test, form->name, rc, form->why);
		if (rc)
			KUNIT_EXPECT_EQ_MSG(test, b->check.reject.offset, form->offset, "%s",
					    form->name);
	}
}

/* Words of any kind, most of them commands: nothing is read or written that is not there. */
static void validate_noise(struct kunit *test)
{
	struct bench *b = test->priv;
	u64 state = 1;
	size_t n, i;

	for (n = 0; n < 20000; n++) {
		for (i = 0; i < 64; i++) {
			state = state * 6364136223846793005ull + 1442695040888963407ull;
			b->words[i] = state >> 32;
			if (state >> 16 & 7)
				b->words[i] &= 0xffff41ff;
		}
		KUNIT_ASSERT_EQ(test, ethosu_hw_init(&b->hw, npus[n % HW_COUNT].id,
						     npus[n % HW_COUNT].config), 0);
		/* The host is little-endian where this runs, and it is noise anyway. */
		if (ethosu_validate(&b->hw, (__force __le32 *)b->words, 64, &b->check))
			KUNIT_ASSERT_NOT_NULL(test, b->check.reject.why);
	}
}

static struct kunit_case validate_cases[] = {
	KUNIT_CASE(validate_maps),
	KUNIT_CASE(validate_kernels),
	KUNIT_CASE(validate_elementwise),
	KUNIT_CASE(validate_streams),
	KUNIT_CASE(validate_copies),
	KUNIT_CASE(validate_forms),
	KUNIT_CASE(validate_noise),
	{}
};

static struct kunit_suite validate_suite = {
	.name = "ethosu_validate",
	.init = validate_init,
	.test_cases = validate_cases,
};

kunit_test_suite(validate_suite);

MODULE_DESCRIPTION("KUnit tests of the Ethos-U command stream validator");
MODULE_LICENSE("Dual MIT/GPL");
