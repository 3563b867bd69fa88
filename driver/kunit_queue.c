// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* KUnit: queues on a fake NPU: in which order jobs start, what becomes of those that do not. */
#include <linux/delay.h>
#include <linux/file.h>

#include <drm/drm_file.h>
#include <drm/drm_syncobj.h>

#include "fake_npu.h"

#define NORMAL	DRM_ETHOSUX_PRIORITY_NORMAL

static u32 state(struct kunit *test, int client, u32 queue, u64 seqno)
{
	return fake_info(test, client, queue, seqno).state;
}

static void in_order(struct kunit *test)
{
	u32 queue = fake_queue(test, 0, NORMAL, 0);
	u64 seqno, i;

	KUNIT_ASSERT_EQ(test, fake_submit(test, 0, queue, 3, 0, 0, &seqno), 0);
	KUNIT_EXPECT_EQ(test, seqno, 1);
	for (i = 1; i <= 3; i++) {
		KUNIT_EXPECT_EQ(test, fake_started(0), i);
		KUNIT_EXPECT_EQ(test, state(test, 0, queue, i), DRM_ETHOSUX_JOB_RUNNING);
		if (i < 3)
			KUNIT_EXPECT_EQ(test, state(test, 0, queue, i + 1), DRM_ETHOSUX_JOB_QUEUED);
		fake_end(0, 0, true);
		KUNIT_EXPECT_EQ(test, state(test, 0, queue, i), DRM_ETHOSUX_JOB_DONE);
	}
	fake_wait(test, 0);
	KUNIT_EXPECT_EQ(test, fake_started(0), 3);
}

/* Realtime after the one that runs, low after all others. */
static void by_priority(struct kunit *test)
{
	u32 low = fake_queue(test, 0, DRM_ETHOSUX_PRIORITY_LOW, 0), normal = fake_queue(test, 0, NORMAL, 0);
	u32 realtime = fake_queue(test, 1, DRM_ETHOSUX_PRIORITY_REALTIME, 0);

	KUNIT_ASSERT_EQ(test, fake_submit(test, 0, low, 2, 0, 0, NULL), 0);
	/* Buffers are shared: these would wait for the low ones, but for the other client's. */
	KUNIT_ASSERT_EQ(test, fake_submit(test, 1, realtime, 1, 0, 0, NULL), 0);
	KUNIT_EXPECT_EQ(test, state(test, 0, low, 1), DRM_ETHOSUX_JOB_RUNNING);
	KUNIT_EXPECT_EQ(test, state(test, 1, realtime, 1), DRM_ETHOSUX_JOB_QUEUED);
	fake_end(0, 0, true);
	KUNIT_EXPECT_EQ(test, state(test, 1, realtime, 1), DRM_ETHOSUX_JOB_RUNNING);
	fake_end(0, 0, true);
	KUNIT_EXPECT_EQ(test, state(test, 0, low, 2), DRM_ETHOSUX_JOB_RUNNING);
	KUNIT_ASSERT_EQ(test, fake_submit(test, 0, normal, 1, 0, 0, NULL), 0);
	fake_end(0, 0, true);
	KUNIT_EXPECT_EQ(test, state(test, 0, normal, 1), DRM_ETHOSUX_JOB_RUNNING);
	fake_end(0, 0, true);
	fake_wait(test, 0);
}

/* A client keeps the NPU for a slice, and then the other has its turn. */
static void by_turns(struct kunit *test)
{
	struct fake *fake = test->priv;
	u32 a = fake_queue(test, 0, NORMAL, 0), b = fake_queue(test, 1, NORMAL, 0);
	unsigned int i, ran[2] = {};
	u64 first, owner;

	KUNIT_ASSERT_EQ(test, fake_submit(test, 0, a, 6, 0, 0, NULL), 0);
	first = fake_address(0, ETHOSU_REG_QBASE);
	KUNIT_ASSERT_EQ(test, fake_submit(test, 1, b, 6, 0, 0, NULL), 0);
	for (i = 0; i < 8; i++) {
		owner = fake_address(0, ETHOSU_REG_QBASE) == first ? 0 : 1;
		ran[owner]++;
		/* Longer than a slice: the other one is due. */
		fsleep(3 * USEC_PER_MSEC);
		fake_end(0, 0, true);
	}
	KUNIT_EXPECT_GE(test, ran[0], 3);
	KUNIT_EXPECT_GE(test, ran[1], 3);
	for (; i < 12; i++)
		fake_end(0, 0, true);
	fake_wait(test, 0);
	fake_wait(test, 1);
	KUNIT_EXPECT_PTR_EQ(test, fake->edev->core[0].job, NULL);
}

/* A client's many queues get no more time than another's one. */
static void many_queues(struct kunit *test)
{
	u32 a[4], b = fake_queue(test, 1, NORMAL, 0);
	u64 begin, longest = 0, ns[2] = {};
	struct fake *fake = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(a); i++) {
		a[i] = fake_queue(test, 0, NORMAL, 0);
		KUNIT_ASSERT_EQ(test, fake_submit(test, 0, a[i], 8, 0, 0, NULL), 0);
		/* A buffer for each: else they would wait for each other. */
		fake->out[0] = fake_buffer(test, 0);
	}
	KUNIT_ASSERT_EQ(test, fake_submit(test, 1, b, 16, 0, 0, NULL), 0);
	for (i = 0; i < 16; i++) {
		begin = ktime_get_ns();
		/* Longer than a slice: the other one is due. */
		fsleep(3 * USEC_PER_MSEC);
		fake_end(0, 0, true);
		longest = max(longest, ktime_get_ns() - begin);
	}
	for (i = 0; i < ARRAY_SIZE(a); i++)
		ns[0] += fake_state(test, 0, a[i]).busy_ns;
	ns[1] = fake_state(test, 1, b).busy_ns;
	KUNIT_EXPECT_LE(test, max(ns[0], ns[1]) - min(ns[0], ns[1]), 2 * longest);
	while (fake_runs(0))
		fake_end(0, 0, true);
}

/* The one that runs is left alone, the others are not run. */
static void cancelled(struct kunit *test)
{
	u32 queue = fake_queue(test, 0, NORMAL, 0);
	struct drm_ethosux_queue_destroy destroy = { .id = queue, .flags = DRM_ETHOSUX_QUEUE_CANCEL_ONLY };
	struct fake *fake = test->priv;

	KUNIT_ASSERT_EQ(test, fake_submit(test, 0, queue, 3, 0, 0, NULL), 0);
	KUNIT_EXPECT_EQ(test, ethosu_ioctl_queue_destroy(fake->dev, &destroy, fake->client[0]), 0);
	KUNIT_EXPECT_EQ(test, fake_submit(test, 0, queue, 1, 0, 0, NULL), -ECANCELED);
	KUNIT_EXPECT_EQ(test, state(test, 0, queue, 2), DRM_ETHOSUX_JOB_QUEUED);
	fake_end(0, 0, true);
	fake_wait(test, 0);
	KUNIT_EXPECT_EQ(test, fake_started(0), 1);
	KUNIT_EXPECT_EQ(test, state(test, 0, queue, 1), DRM_ETHOSUX_JOB_DONE);
	KUNIT_EXPECT_EQ(test, state(test, 0, queue, 3), DRM_ETHOSUX_JOB_CANCELLED);
	KUNIT_EXPECT_EQ(test, fake_info(test, 0, queue, 3).error, -ECANCELED);
}

/* What needs another's success does not run without it, nor what was submitted with it; the next does. */
static void needs_success(struct kunit *test)
{
	u32 a = fake_queue(test, 0, NORMAL, 0), b = fake_queue(test, 1, NORMAL, 0);
	u32 sync = fake_syncobj(test, 0);
	struct fake *fake = test->priv;
	struct drm_syncobj *syncobj;
	u32 other = 0;

	KUNIT_ASSERT_EQ(test, fake_submit(test, 0, a, 1, 0, sync, NULL), 0);
	syncobj = drm_syncobj_find(fake->client[0], sync);
	KUNIT_ASSERT_NOT_NULL(test, syncobj);
	KUNIT_EXPECT_EQ(test, drm_syncobj_get_handle(fake->client[1], syncobj, &other), 0);
	drm_syncobj_put(syncobj);
	KUNIT_ASSERT_EQ(test, fake_submit(test, 1, b, 2, other, 0, NULL), 0);
	KUNIT_ASSERT_EQ(test, fake_submit(test, 1, b, 1, 0, 0, NULL), 0);
	KUNIT_EXPECT_EQ(test, fake_started(0), 1);
	fake_end(0, ETHOSU_REG_BIT(STATUS_BUS_STATUS), true);
	fake_wait(test, 0);
	KUNIT_EXPECT_EQ(test, state(test, 0, a, 1), DRM_ETHOSUX_JOB_FAULTED);
	KUNIT_EXPECT_EQ(test, state(test, 1, b, 1), DRM_ETHOSUX_JOB_CANCELLED);
	KUNIT_EXPECT_EQ(test, state(test, 1, b, 2), DRM_ETHOSUX_JOB_CANCELLED);
	KUNIT_EXPECT_EQ(test, state(test, 1, b, 3), DRM_ETHOSUX_JOB_RUNNING);
	fake_end(0, 0, true);
	fake_wait(test, 1);
	KUNIT_EXPECT_EQ(test, fake_started(0), 2);
}

/* A submission that can not be taken whole is not taken. */
static void all_or_none(struct kunit *test)
{
	u32 queue = fake_queue(test, 0, NORMAL, 0), sync = fake_syncobj(test, 0);
	struct drm_ethosux_queue_get_state got = { .id = queue };
	struct fake *fake = test->priv;

	/* Nothing was ever submitted that would signal it. */
	KUNIT_EXPECT_EQ(test, fake_submit(test, 0, queue, 2, sync, 0, NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, fake_submit(test, 0, queue + 1, 1, 0, 0, NULL), -ENOENT);
	KUNIT_EXPECT_EQ(test, ethosu_ioctl_queue_get_state(fake->dev, &got, fake->client[0]), 0);
	KUNIT_EXPECT_EQ(test, got.submitted, 0);
	KUNIT_EXPECT_EQ(test, fake_started(0), 0);
}

/* With its file go a client's jobs; the one that runs keeps what it needs, the other client's come next. */
static void closed(struct kunit *test)
{
	u32 a = fake_queue(test, 0, NORMAL, 0), b = fake_queue(test, 1, NORMAL, 0);
	struct fake *fake = test->priv;

	KUNIT_ASSERT_EQ(test, fake_submit(test, 0, a, 3, 0, 0, NULL), 0);
	KUNIT_ASSERT_EQ(test, fake_submit(test, 1, b, 1, 0, 0, NULL), 0);
	fput(fake->files[0]);
	fake->files[0] = NULL;
	flush_delayed_fput();
	fake_end(0, 0, true);
	KUNIT_EXPECT_EQ(test, state(test, 1, b, 1), DRM_ETHOSUX_JOB_RUNNING);
	fake_end(0, 0, true);
	fake_wait(test, 1);
	KUNIT_EXPECT_EQ(test, fake_started(0), 2);
}

static struct kunit_case queue_cases[] = {
	KUNIT_CASE(in_order),
	KUNIT_CASE(by_priority),
	KUNIT_CASE(by_turns),
	KUNIT_CASE(many_queues),
	KUNIT_CASE(cancelled),
	KUNIT_CASE(needs_success),
	KUNIT_CASE(all_or_none),
	KUNIT_CASE(closed),
	{}
};

static struct kunit_suite queue_suite = {
	.name = "ethosu_queue",
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = queue_cases,
};

kunit_test_suite(queue_suite);
