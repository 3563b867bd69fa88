// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* KUnit: jobs that do not end as they should, resets that do not end, a device that goes away. */
#include <linux/iopoll.h>

#include "fake_npu.h"

#define NORMAL		DRM_ETHOSUX_PRIORITY_NORMAL
#define TIMEOUT_MS	60

/* The job whose time is up fails, where it was is told; the one behind it is lost by nobody. */
static void too_long(struct kunit *test)
{
	u32 a = fake_queue(test, 0, NORMAL, TIMEOUT_MS), b = fake_queue(test, 1, NORMAL, 0);
	struct fake *fake = test->priv;
	struct drm_ethosux_job_info info;

	KUNIT_ASSERT_EQ(test, fake_submit(test, 0, a, 1, 0, 0, NULL), 0);
	KUNIT_ASSERT_EQ(test, fake_submit(test, 1, b, 1, 0, 0, NULL), 0);
	fake_move(0, fake->edev->prologue_words * 4 + 8);
	fake_wait(test, 0);
	info = fake_info(test, 0, a, 1);
	KUNIT_EXPECT_EQ(test, info.state, DRM_ETHOSUX_JOB_TIMED_OUT);
	KUNIT_EXPECT_EQ(test, info.error, -ETIME);
	KUNIT_EXPECT_EQ(test, info.offset, 8);
	KUNIT_EXPECT_GE(test, info.ended_ns - info.started_ns, TIMEOUT_MS * NSEC_PER_MSEC);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake->edev->resets), 1);
	KUNIT_EXPECT_EQ(test, fake_info(test, 1, b, 1).state, DRM_ETHOSUX_JOB_RUNNING);
	fake_end(0, 0, true);
	fake_wait(test, 1);
	KUNIT_EXPECT_EQ(test, fake_info(test, 1, b, 1).state, DRM_ETHOSUX_JOB_DONE);
}

/* Whose interrupt is lost is done all the same, without a reset. */
static void interrupt_lost(struct kunit *test)
{
	u32 queue = fake_queue(test, 0, NORMAL, 5000);
	struct fake *fake = test->priv;
	unsigned int started;
	int ret;

	KUNIT_ASSERT_EQ(test, fake_submit(test, 0, queue, 2, 0, 0, NULL), 0);
	fake_end(0, 0, false);
	ret = read_poll_timeout(fake_started, started, started == 2, USEC_PER_MSEC,
				10 * USEC_PER_SEC, false, 0);
	KUNIT_ASSERT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, fake_info(test, 0, queue, 1).state, DRM_ETHOSUX_JOB_DONE);
	fake_end(0, 0, true);
	fake_wait(test, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake->edev->resets), 0);
}

/* An interrupt for nothing ends nothing. */
static void interrupt_too_many(struct kunit *test)
{
	u32 queue = fake_queue(test, 0, NORMAL, 5000);

	fake_end(0, 0, true);
	KUNIT_ASSERT_EQ(test, fake_submit(test, 0, queue, 1, 0, 0, NULL), 0);
	/* Running, as it says, and the interrupt raised. */
	fake_end(0, ETHOSU_REG_BIT(STATUS_STATE), true);
	KUNIT_EXPECT_EQ(test, fake_info(test, 0, queue, 1).state, DRM_ETHOSUX_JOB_RUNNING);
	fake_end(0, 0, true);
	fake_wait(test, 0);
	KUNIT_EXPECT_EQ(test, fake_info(test, 0, queue, 1).state, DRM_ETHOSUX_JOB_DONE);
}

static void faulted(struct kunit *test)
{
	const u32 errors[] = {
		ETHOSU_REG_BIT(STATUS_BUS_STATUS), ETHOSU_REG_BIT(STATUS_CMD_PARSE_ERROR),
		ETHOSU_REG_BIT(STATUS_ECC_FAULT),
	};
	u32 queue = fake_queue(test, 0, NORMAL, 0);
	struct drm_ethosux_job_info info;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		KUNIT_ASSERT_EQ(test, fake_submit(test, 0, queue, 1, 0, 0, NULL), 0);
		fake_end(0, errors[i], true);
		fake_wait(test, 0);
		info = fake_info(test, 0, queue, i + 1);
		KUNIT_EXPECT_EQ(test, info.state, DRM_ETHOSUX_JOB_FAULTED);
		KUNIT_EXPECT_EQ(test, info.error, -EIO);
		KUNIT_EXPECT_EQ(test, info.status & errors[i], errors[i]);
	}
}

/* While the NPU does not come out of reset all fail, at once; when it does, it works again. */
static void reset_stuck(struct kunit *test)
{
	u32 queue = fake_queue(test, 0, NORMAL, 0);
	struct fake *fake = test->priv;

	KUNIT_ASSERT_EQ(test, fake_submit(test, 0, queue, 3, 0, 0, NULL), 0);
	fake_stick(0, true);
	fake_end(0, ETHOSU_REG_BIT(STATUS_BUS_STATUS), true);
	fake_wait(test, 0);
	KUNIT_EXPECT_EQ(test, fake_info(test, 0, queue, 1).error, -EIO);
	KUNIT_EXPECT_EQ(test, fake_info(test, 0, queue, 3).error, -EIO);
	KUNIT_EXPECT_TRUE(test, fake->edev->core[0].dead);
	KUNIT_EXPECT_LT(test, fake_submit(test, 0, queue, 1, 0, 0, NULL), 0);
	fake_stick(0, false);
	KUNIT_ASSERT_EQ(test, fake_submit(test, 0, queue, 1, 0, 0, NULL), 0);
	fake_end(0, 0, true);
	fake_wait(test, 0);
	KUNIT_EXPECT_EQ(test, fake_info(test, 0, queue, 4).state, DRM_ETHOSUX_JOB_DONE);
}

/* Jobs end when the device goes, and nothing is taken any more. */
static void unplugged(struct kunit *test)
{
	u32 queue = fake_queue(test, 0, NORMAL, 0);
	struct fake *fake = test->priv;

	KUNIT_ASSERT_EQ(test, fake_submit(test, 0, queue, 2, 0, 0, NULL), 0);
	fake_unplug(fake);
	fake_wait(test, 0);
	KUNIT_EXPECT_EQ(test, fake_info(test, 0, queue, 1).error, -ENODEV);
	KUNIT_EXPECT_EQ(test, fake_info(test, 0, queue, 2).error, -ENODEV);
	KUNIT_EXPECT_EQ(test, fake_submit(test, 0, queue, 1, 0, 0, NULL), -ENODEV);
}

static struct kunit_case timeout_cases[] = {
	KUNIT_CASE(too_long),
	KUNIT_CASE(interrupt_lost),
	KUNIT_CASE(interrupt_too_many),
	KUNIT_CASE(faulted),
	KUNIT_CASE(reset_stuck),
	KUNIT_CASE(unplugged),
	{}
};

static struct kunit_suite timeout_suite = {
	.name = "ethosu_timeout",
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = timeout_cases,
};

kunit_test_suite(timeout_suite);
