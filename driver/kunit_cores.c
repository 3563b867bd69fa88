// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* KUnit: several NPUs behind one node: who runs what, and that what befalls one does not touch the others. */
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/iopoll.h>
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <linux/workqueue.h>

#include <drm/drm_file.h>

#include "fake_npu.h"

#define NORMAL		DRM_ETHOSUX_PRIORITY_NORMAL
#define LOW		DRM_ETHOSUX_PRIORITY_LOW
#define REALTIME	DRM_ETHOSUX_PRIORITY_REALTIME
#define TIMEOUT_MS	60
#define MAX_QUEUES	(2 * ETHOSU_CORES)
#define BUS_ERROR	ETHOSU_REG_BIT(STATUS_BUS_STATUS)

static const unsigned int core_counts[] = { 2, 4 };

static void describe(const unsigned int *cores, char *text)
{
	snprintf(text, KUNIT_PARAM_DESC_SIZE, "%u cores", *cores);
}

KUNIT_ARRAY_PARAM(cores, core_counts, describe);

static int init(struct kunit *test)
{
	return fake_init_cores(test, *(const unsigned int *)test->param_value, true);
}

static u32 state(struct kunit *test, int client, u32 queue, u64 seqno)
{
	return fake_info(test, client, queue, seqno).state;
}

static bool has_ended(struct kunit *test, int client, u32 queue, u64 seqno)
{
	return state(test, client, queue, seqno) > DRM_ETHOSUX_JOB_RUNNING;
}

static struct drm_ethosux_job_info wait_end(struct kunit *test, int client, u32 queue, u64 seqno)
{
	bool ended;

	int ret = read_poll_timeout(has_ended, ended, ended, USEC_PER_MSEC, 10 * USEC_PER_SEC, false,
				    test, client, queue, seqno);

	KUNIT_ASSERT_EQ(test, ret, 0);
	return fake_info(test, client, queue, seqno);
}

/* New queues with a job each that runs: so many cores are busy. */
static void occupy(struct kunit *test, int client, u32 *queue, unsigned int count, u32 priority)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		queue[i] = fake_queue(test, client, priority, 0);
		KUNIT_ASSERT_EQ(test, fake_submit(test, client, queue[i], 1, 0, 0, NULL), 0);
		KUNIT_ASSERT_EQ(test, state(test, client, queue[i], 1), DRM_ETHOSUX_JOB_RUNNING);
	}
}

/* End what runs on any core until nothing does. */
static void finish(struct kunit *test)
{
	struct fake *fake = test->priv;
	unsigned int i;
	bool ran;

	do {
		for (i = 0, ran = false; i < fake->cores; i++) {
			if (!fake_runs(i))
				continue;
			ran = true;
			fake_end(i, 0, true);
		}
	} while (ran);
}

/* Each core gets one, the next waits for the core that is free first and runs there. */
static void spread(struct kunit *test)
{
	struct fake *fake = test->priv;
	u32 queue[MAX_QUEUES], late = fake_queue(test, 1, NORMAL, 0);
	unsigned int i, last = fake->cores - 1;

	occupy(test, 0, queue, fake->cores, NORMAL);
	for (i = 0; i < fake->cores; i++) {
		KUNIT_EXPECT_EQ(test, fake_started(i), 1);
		KUNIT_EXPECT_TRUE(test, fake_runs(i));
		KUNIT_EXPECT_EQ(test, fake_info(test, 0, queue[i], 1).core, i);
	}
	KUNIT_ASSERT_EQ(test, fake_submit(test, 1, late, 1, 0, 0, NULL), 0);
	KUNIT_EXPECT_EQ(test, state(test, 1, late, 1), DRM_ETHOSUX_JOB_QUEUED);
	fake_end(last, 0, true);
	KUNIT_EXPECT_EQ(test, state(test, 0, queue[last], 1), DRM_ETHOSUX_JOB_DONE);
	KUNIT_EXPECT_EQ(test, state(test, 1, late, 1), DRM_ETHOSUX_JOB_RUNNING);
	KUNIT_EXPECT_EQ(test, fake_info(test, 1, late, 1).core, last);
	KUNIT_EXPECT_EQ(test, state(test, 0, queue[0], 1), DRM_ETHOSUX_JOB_RUNNING);
	finish(test);
	KUNIT_EXPECT_EQ(test, state(test, 1, late, 1), DRM_ETHOSUX_JOB_DONE);
}

static unsigned int running(struct kunit *test)
{
	struct fake *fake = test->priv;
	unsigned int i, count = 0;

	for (i = 0; i < fake->cores; i++)
		count += fake_runs(i);
	return count;
}

/* One queue's jobs run one after another, however many cores are idle. */
static void one_queue_in_order(struct kunit *test)
{
	u32 queue = fake_queue(test, 0, NORMAL, 0);
	u64 seqno;

	KUNIT_ASSERT_EQ(test, fake_submit(test, 0, queue, 5, 0, 0, NULL), 0);
	for (seqno = 1; seqno <= 5; seqno++) {
		KUNIT_EXPECT_EQ(test, state(test, 0, queue, seqno), DRM_ETHOSUX_JOB_RUNNING);
		if (seqno < 5)
			KUNIT_EXPECT_EQ(test, state(test, 0, queue, seqno + 1), DRM_ETHOSUX_JOB_QUEUED);
		KUNIT_EXPECT_EQ(test, running(test), 1);
		fake_end(fake_info(test, 0, queue, seqno).core, 0, true);
		KUNIT_EXPECT_EQ(test, state(test, 0, queue, seqno), DRM_ETHOSUX_JOB_DONE);
	}
}

/*
 * More queues than cores, and cores that take unlike long: no core is idle while there is a queue with
 * nothing running, and each queue's jobs start after the one before has ended.
 */
static void queues_in_order(struct kunit *test)
{
	struct fake *fake = test->priv;
	unsigned int queues = fake->cores + 1, jobs = 6, i, k, round, left, total = 0;
	struct drm_ethosux_job_info info, before;
	u32 queue[MAX_QUEUES];
	u64 seqno;

	for (i = 0; i < queues; i++) {
		queue[i] = fake_queue(test, i % 2, NORMAL, 0);
		KUNIT_ASSERT_EQ(test, fake_submit(test, i % 2, queue[i], jobs, 0, 0, NULL), 0);
	}
	/* Core 0 ends a job in each round, core 1 in every second, and so on. */
	for (round = 1; round <= queues * jobs * fake->cores; round++) {
		for (i = 0; i < fake->cores; i++) {
			if (round % (i + 1) || !fake_runs(i))
				continue;
			fake_end(i, 0, true);
			for (k = 0, left = 0; k < queues; k++)
				left += fake_state(test, k % 2, queue[k]).ended < jobs;
			KUNIT_EXPECT_EQ(test, running(test), min(left, fake->cores));
		}
	}
	for (i = 0; i < fake->cores; i++) {
		KUNIT_EXPECT_GT(test, fake_started(i), 1);
		total += fake_started(i);
	}
	KUNIT_EXPECT_EQ(test, total, queues * jobs);
	for (i = 0; i < queues; i++) {
		before = fake_info(test, i % 2, queue[i], 1);
		for (seqno = 2; seqno <= jobs; seqno++, before = info) {
			info = fake_info(test, i % 2, queue[i], seqno);
			KUNIT_EXPECT_EQ(test, info.state, DRM_ETHOSUX_JOB_DONE);
			KUNIT_EXPECT_LE(test, before.ended_ns, info.started_ns);
		}
	}
}

/* An interrupt is about its own core, whatever the others' registers say. */
static void interrupts_apart(struct kunit *test)
{
	struct fake *fake = test->priv;
	u32 queue[MAX_QUEUES];

	occupy(test, 0, queue, 2, NORMAL);
	/* Core 1 is done but says nothing; core 0's interrupt has no reason. */
	fake_end(1, 0, false);
	fake_end(0, ETHOSU_REG_BIT(STATUS_STATE), true);
	KUNIT_EXPECT_EQ(test, state(test, 0, queue[0], 1), DRM_ETHOSUX_JOB_RUNNING);
	KUNIT_EXPECT_EQ(test, state(test, 0, queue[1], 1), DRM_ETHOSUX_JOB_RUNNING);
	fake_end(1, 0, true);
	KUNIT_EXPECT_EQ(test, state(test, 0, queue[0], 1), DRM_ETHOSUX_JOB_RUNNING);
	KUNIT_EXPECT_EQ(test, state(test, 0, queue[1], 1), DRM_ETHOSUX_JOB_DONE);
	fake_end(0, 0, true);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake->edev->resets), 0);
}

/* A queue that may use some cores only uses those. */
static void masked(struct kunit *test)
{
	u32 first = fake_queue_on(test, 0, BIT(0), NORMAL, 0), last, other;
	struct fake *fake = test->priv;
	unsigned int top = fake->cores - 1;

	last = fake_queue_on(test, 0, BIT(top), NORMAL, 0);
	other = fake_queue_on(test, 1, BIT(top), NORMAL, 0);
	KUNIT_ASSERT_EQ(test, fake_submit(test, 0, last, 2, 0, 0, NULL), 0);
	KUNIT_ASSERT_EQ(test, fake_submit(test, 1, other, 2, 0, 0, NULL), 0);
	KUNIT_EXPECT_EQ(test, fake_started(0), 0);
	KUNIT_EXPECT_EQ(test, fake_started(top), 1);
	KUNIT_ASSERT_EQ(test, fake_submit(test, 0, first, 2, 0, 0, NULL), 0);
	KUNIT_EXPECT_EQ(test, fake_started(0), 1);
	finish(test);
	KUNIT_EXPECT_EQ(test, fake_started(0), 2);
	KUNIT_EXPECT_EQ(test, fake_started(top), 4);
}

/* Of jobs that wait the realtime one takes the core that is free first, the low one what nobody wants. */
static void by_priority(struct kunit *test)
{
	struct fake *fake = test->priv;
	u32 queue[MAX_QUEUES], low = fake_queue(test, 0, LOW, 0), normal = fake_queue(test, 0, NORMAL, 0);
	u32 realtime = fake_queue(test, 1, REALTIME, 0);
	unsigned int last = fake->cores - 1;

	occupy(test, 0, queue, fake->cores, NORMAL);
	KUNIT_ASSERT_EQ(test, fake_submit(test, 0, low, 1, 0, 0, NULL), 0);
	KUNIT_ASSERT_EQ(test, fake_submit(test, 0, normal, 2, 0, 0, NULL), 0);
	KUNIT_ASSERT_EQ(test, fake_submit(test, 1, realtime, 1, 0, 0, NULL), 0);
	/* Nobody is interrupted. */
	KUNIT_EXPECT_EQ(test, fake_started(last), 1);
	fake_end(last, 0, true);
	KUNIT_EXPECT_EQ(test, fake_info(test, 1, realtime, 1).core, last);
	KUNIT_EXPECT_EQ(test, state(test, 1, realtime, 1), DRM_ETHOSUX_JOB_RUNNING);
	KUNIT_EXPECT_EQ(test, state(test, 0, normal, 1), DRM_ETHOSUX_JOB_QUEUED);
	fake_end(0, 0, true);
	KUNIT_EXPECT_EQ(test, state(test, 0, normal, 1), DRM_ETHOSUX_JOB_RUNNING);
	/* The second normal job can not run beside the first: the core is the low one's. */
	fake_end(last, 0, true);
	KUNIT_EXPECT_EQ(test, state(test, 0, normal, 2), DRM_ETHOSUX_JOB_QUEUED);
	KUNIT_EXPECT_EQ(test, state(test, 0, low, 1), DRM_ETHOSUX_JOB_RUNNING);
	finish(test);
	KUNIT_EXPECT_EQ(test, state(test, 0, normal, 2), DRM_ETHOSUX_JOB_DONE);
}

/* Two clients, one with as many queues as it likes: each has half of the time of all cores. */
static void by_turns(struct kunit *test)
{
	struct fake *fake = test->priv;
	unsigned int queues[2] = { 2 * fake->cores, fake->cores }, rounds = 12, i, round;
	u64 begin, longest = 0, ns[2] = {};
	u32 queue[2][MAX_QUEUES];
	int client;

	for (client = 0; client < 2; client++) {
		for (i = 0; i < queues[client]; i++) {
			queue[client][i] = fake_queue(test, client, NORMAL, 0);
			KUNIT_ASSERT_EQ(test, fake_submit(test, client, queue[client][i], 2 * rounds, 0, 0,
							  NULL), 0);
		}
	}
	for (round = 0; round < rounds; round++) {
		begin = ktime_get_ns();
		/* Longer than a slice: the other one is due. */
		fsleep(3 * USEC_PER_MSEC);
		for (i = 0; i < fake->cores; i++)
			fake_end(i, 0, true);
		longest = max(longest, ktime_get_ns() - begin);
	}
	for (client = 0; client < 2; client++)
		for (i = 0; i < queues[client]; i++)
			ns[client] += fake_state(test, client, queue[client][i]).busy_ns;
	/* The first had all cores before the second came: a turn of all, to and fro, is near enough. */
	KUNIT_EXPECT_LE(test, max(ns[0], ns[1]) - min(ns[0], ns[1]), 2 * fake->cores * longest);
	finish(test);
}

/* One hangs: it is reset, alone, and the next job runs on it; the others go on meanwhile and after. */
static void one_hangs(struct kunit *test)
{
	u32 bad = fake_queue_on(test, 0, BIT(0), NORMAL, TIMEOUT_MS), next, good, steady;
	struct fake *fake = test->priv;
	unsigned int i, resets[ETHOSU_CORES];
	struct drm_ethosux_job_info info;

	next = fake_queue_on(test, 0, BIT(0), NORMAL, 0);
	good = fake_queue_on(test, 1, BIT(1), NORMAL, 0);
	steady = fake_queue_on(test, 1, BIT(fake->cores - 1), NORMAL, 0);
	for (i = 0; i < fake->cores; i++)
		resets[i] = fake_resets(i);
	KUNIT_ASSERT_EQ(test, fake_submit(test, 0, bad, 1, 0, 0, NULL), 0);
	KUNIT_ASSERT_EQ(test, fake_submit(test, 0, next, 1, 0, 0, NULL), 0);
	KUNIT_ASSERT_EQ(test, fake_submit(test, 1, good, 100, 0, 0, NULL), 0);
	for (i = 0; i < 100 && !has_ended(test, 0, bad, 1); i++) {
		fsleep(2 * USEC_PER_MSEC);
		fake_end(1, 0, true);
	}
	KUNIT_EXPECT_GT(test, i, 1);
	info = wait_end(test, 0, bad, 1);
	KUNIT_EXPECT_EQ(test, info.state, DRM_ETHOSUX_JOB_TIMED_OUT);
	KUNIT_EXPECT_EQ(test, info.core, 0);
	KUNIT_EXPECT_EQ(test, fake_resets(0), resets[0] + 1);
	for (i = 1; i < fake->cores; i++)
		KUNIT_EXPECT_EQ(test, fake_resets(i), resets[i]);
	KUNIT_EXPECT_EQ(test, state(test, 0, next, 1), DRM_ETHOSUX_JOB_RUNNING);
	KUNIT_ASSERT_EQ(test, fake_submit(test, 1, steady, 1, 0, 0, NULL), 0);
	finish(test);
	KUNIT_EXPECT_EQ(test, state(test, 0, next, 1), DRM_ETHOSUX_JOB_DONE);
	KUNIT_EXPECT_EQ(test, state(test, 1, steady, 1), DRM_ETHOSUX_JOB_DONE);
	for (i = 1; i <= 100; i++)
		KUNIT_EXPECT_EQ(test, state(test, 1, good, i), DRM_ETHOSUX_JOB_DONE);
}

/* All fail at once: each guilty job fails, each core is reset once, what waits runs. */
static void all_fault(struct kunit *test)
{
	struct fake *fake = test->priv;
	unsigned int i, resets[ETHOSU_CORES];
	u32 queue[MAX_QUEUES], next[MAX_QUEUES];

	occupy(test, 0, queue, fake->cores, NORMAL);
	for (i = 0; i < fake->cores; i++) {
		resets[i] = fake_resets(i);
		next[i] = fake_queue_on(test, 1, BIT(i), NORMAL, 0);
		KUNIT_ASSERT_EQ(test, fake_submit(test, 1, next[i], 1, 0, 0, NULL), 0);
	}
	for (i = 0; i < fake->cores; i++)
		fake_end(i, BUS_ERROR, true);
	for (i = 0; i < fake->cores; i++) {
		KUNIT_EXPECT_EQ(test, wait_end(test, 0, queue[i], 1).state, DRM_ETHOSUX_JOB_FAULTED);
		KUNIT_EXPECT_EQ(test, fake_resets(i), resets[i] + 1);
		KUNIT_EXPECT_EQ(test, state(test, 1, next[i], 1), DRM_ETHOSUX_JOB_RUNNING);
	}
	finish(test);
	for (i = 0; i < fake->cores; i++)
		KUNIT_EXPECT_EQ(test, state(test, 1, next[i], 1), DRM_ETHOSUX_JOB_DONE);
}

/*
 * One does not come out of reset: jobs that only it could run fail, all others run on the rest. It is tried
 * again when somebody wants it.
 */
static void one_dies(struct kunit *test)
{
	u32 bad = fake_queue_on(test, 0, BIT(0), NORMAL, 0), any = fake_queue(test, 1, NORMAL, 0);
	u32 queue[MAX_QUEUES];
	struct fake *fake = test->priv;
	unsigned int i, started;

	KUNIT_ASSERT_EQ(test, fake_submit(test, 0, bad, 3, 0, 0, NULL), 0);
	KUNIT_ASSERT_EQ(test, fake_submit(test, 1, any, 4, 0, 0, NULL), 0);
	KUNIT_EXPECT_EQ(test, fake_info(test, 1, any, 1).core, 1);
	fake_stick(0, true);
	fake_end(0, BUS_ERROR, true);
	KUNIT_EXPECT_EQ(test, wait_end(test, 0, bad, 3).error, -EIO);
	KUNIT_EXPECT_EQ(test, fake_info(test, 0, bad, 1).state, DRM_ETHOSUX_JOB_FAULTED);
	KUNIT_EXPECT_TRUE(test, fake->edev->core[0].dead);
	KUNIT_EXPECT_EQ(test, state(test, 1, any, 1), DRM_ETHOSUX_JOB_RUNNING);
	/* All others work, and nothing is started on this one. */
	started = fake_started(0);
	for (i = 0; i + 1 < fake->cores; i++) {
		queue[i] = fake_queue(test, 0, NORMAL, 0);
		KUNIT_ASSERT_EQ(test, fake_submit(test, 0, queue[i], 3, 0, 0, NULL), 0);
	}
	for (i = 1; i < fake->cores; i++)
		KUNIT_EXPECT_TRUE(test, fake_runs(i));
	for (i = 0; i < 4 * fake->cores; i++)
		fake_end(1 + i % (fake->cores - 1), 0, true);
	finish(test);
	KUNIT_EXPECT_EQ(test, state(test, 1, any, 4), DRM_ETHOSUX_JOB_DONE);
	for (i = 0; i + 1 < fake->cores; i++)
		KUNIT_EXPECT_EQ(test, state(test, 0, queue[i], 3), DRM_ETHOSUX_JOB_DONE);
	KUNIT_EXPECT_EQ(test, fake_started(0), started);
	KUNIT_EXPECT_LT(test, fake_submit(test, 0, bad, 1, 0, 0, NULL), 0);
	fake_stick(0, false);
	KUNIT_ASSERT_EQ(test, fake_submit(test, 0, bad, 1, 0, 0, NULL), 0);
	KUNIT_EXPECT_TRUE(test, fake_runs(0));
	finish(test);
	KUNIT_EXPECT_EQ(test, state(test, 0, bad, 4), DRM_ETHOSUX_JOB_DONE);
}

/* One after another: only when the last is gone do jobs fail that could run anywhere. */
static void all_die(struct kunit *test)
{
	u32 any = fake_queue(test, 1, NORMAL, 0), queue[MAX_QUEUES];
	struct fake *fake = test->priv;
	unsigned int i;

	occupy(test, 0, queue, fake->cores, NORMAL);
	KUNIT_ASSERT_EQ(test, fake_submit(test, 1, any, 2, 0, 0, NULL), 0);
	for (i = 0; i < fake->cores; i++) {
		KUNIT_EXPECT_EQ(test, state(test, 1, any, 1), DRM_ETHOSUX_JOB_QUEUED);
		fake_stick(i, true);
		fake_end(i, BUS_ERROR, true);
		KUNIT_EXPECT_EQ(test, wait_end(test, 0, queue[i], 1).state, DRM_ETHOSUX_JOB_FAULTED);
	}
	KUNIT_EXPECT_EQ(test, wait_end(test, 1, any, 2).error, -EIO);
	KUNIT_EXPECT_LT(test, fake_submit(test, 1, any, 1, 0, 0, NULL), 0);
	fake_stick(fake->cores - 1, false);
	KUNIT_ASSERT_EQ(test, fake_submit(test, 1, any, 1, 0, 0, NULL), 0);
	KUNIT_EXPECT_EQ(test, fake_info(test, 1, any, 3).core, fake->cores - 1);
	finish(test);
	KUNIT_EXPECT_EQ(test, state(test, 1, any, 3), DRM_ETHOSUX_JOB_DONE);
}

static bool all_are(const u8 *bytes, u8 value)
{
	return !memchr_inv(bytes, value, FAKE_SRAM);
}

/* A core's SRAM is cleared when another client comes to that core, and no other core's. */
static void sram_apart(struct kunit *test)
{
	struct fake *fake = test->priv;
	u32 queue[2][2], i;
	int client, ret;
	bool runs;

	fake->sram_size = FAKE_SRAM;
	for (client = 0; client < 2; client++)
		for (i = 0; i < 2; i++)
			queue[client][i] = fake_queue_on(test, client, BIT(i), NORMAL, 0);
	for (i = 0; i < 2; i++) {
		/* Cleared when the driver took it. */
		KUNIT_EXPECT_TRUE(test, all_are(fake_sram(i), 0));
		KUNIT_ASSERT_EQ(test, fake_submit(test, i, queue[i][i], 1, 0, 0, NULL), 0);
		KUNIT_ASSERT_TRUE(test, fake_runs(i));
		KUNIT_EXPECT_EQ(test, fake_address(i, ETHOSU_REG_BASEP + 8 * ETHOSU_SRAM_REGION),
				fake->edev->core[i].sram_dma);
		/* What the jobs leave. */
		memset(fake_sram(i), 0x51 + i, FAKE_SRAM);
		fake_end(i, 0, true);
	}
	KUNIT_EXPECT_NE(test, fake->edev->core[0].sram_dma, fake->edev->core[1].sram_dma);
	/* The same client again: as it left it. */
	KUNIT_ASSERT_EQ(test, fake_submit(test, 0, queue[0][0], 1, 0, 0, NULL), 0);
	KUNIT_EXPECT_TRUE(test, all_are(fake_sram(0), 0x51));
	fake_end(0, 0, true);
	/* Client 0 comes to where client 1 was. */
	KUNIT_ASSERT_EQ(test, fake_submit(test, 0, queue[0][1], 1, 0, 0, NULL), 0);
	ret = read_poll_timeout(fake_runs, runs, runs, USEC_PER_MSEC, 10 * USEC_PER_SEC, false, 1);
	KUNIT_ASSERT_EQ(test, ret, 0);
	KUNIT_EXPECT_TRUE(test, all_are(fake_sram(1), 0));
	KUNIT_EXPECT_TRUE(test, all_are(fake_sram(0), 0x51));
	fake_end(1, 0, true);
	/* A job that wants no SRAM finds none, and clears none. */
	fake->sram_size = 0;
	KUNIT_ASSERT_EQ(test, fake_submit(test, 1, queue[1][0], 1, 0, 0, NULL), 0);
	KUNIT_EXPECT_TRUE(test, all_are(fake_sram(0), 0x51));
	KUNIT_EXPECT_EQ(test, fake_address(0, ETHOSU_REG_BASEP + 8 * ETHOSU_SRAM_REGION),
			fake->edev->nothing->dma);
	finish(test);
}

static u64 bus_address(struct kunit *test, int client, u32 handle)
{
	struct fake *fake = test->priv;
	struct drm_gem_object *obj = drm_gem_object_lookup(fake->client[client], handle);
	u64 dma;

	KUNIT_ASSERT_NOT_NULL(test, obj);
	dma = to_ethosu_bo(obj)->dma;
	drm_gem_object_put(obj);
	return dma;
}

/* Every core has the regions of the job that it runs and nothing of another's, also after a reset of one. */
static void regions_apart(struct kunit *test)
{
	struct fake *fake = test->priv;
	u32 queue[2][2], i, region;
	int client, round;
	u64 want;

	for (client = 0; client < 2; client++)
		for (i = 0; i < 2; i++)
			queue[client][i] = fake_queue_on(test, client, BIT(i), NORMAL, 0);
	for (round = 0; round < 4; round++) {
		for (i = 0; i < 2; i++) {
			client = (i + round) % 2;
			KUNIT_ASSERT_EQ(test, fake_submit(test, client, queue[client][i], 1, 0, 0, NULL), 0);
		}
		for (i = 0; i < 2; i++) {
			client = (i + round) % 2;
			KUNIT_ASSERT_TRUE(test, fake_runs(i));
			KUNIT_EXPECT_EQ(test, fake_address(i, ETHOSU_REG_QBASE),
					bus_address(test, client, fake->stream[client]));
			for (region = 0; region < ETHOSU_MAX_REGIONS; region++) {
				want = !region ? bus_address(test, client, fake->in[client]) :
				       region == 1 ? bus_address(test, client, fake->out[client]) :
				       fake->edev->nothing->dma;
				KUNIT_EXPECT_EQ(test, fake_address(i, ETHOSU_REG_BASEP + 8 * region), want);
			}
		}
		fake_end(0, round == 1 ? BUS_ERROR : 0, true);
		wait_end(test, round % 2, queue[round % 2][0], 1 + round / 2);
		fake_end(1, 0, true);
	}
}

/* The machine sleeps: what runs is taken down after a while, on all cores; what waits runs afterwards. */
static void suspended(struct kunit *test)
{
	struct fake *fake = test->priv;
	struct device *dev = &fake->pdev->dev;
	const struct dev_pm_ops *pm = dev->driver->pm;
	u32 queue[MAX_QUEUES], next = fake_queue(test, 1, NORMAL, 0);
	unsigned int i;

	occupy(test, 0, queue, fake->cores, NORMAL);
	KUNIT_ASSERT_EQ(test, fake_submit(test, 1, next, 1, 0, 0, NULL), 0);
	KUNIT_ASSERT_EQ(test, pm->suspend(dev), 0);
	for (i = 0; i < fake->cores; i++) {
		KUNIT_EXPECT_EQ(test, state(test, 0, queue[i], 1), DRM_ETHOSUX_JOB_TIMED_OUT);
		KUNIT_EXPECT_EQ(test, fake_started(i), 1);
	}
	KUNIT_EXPECT_EQ(test, state(test, 1, next, 1), DRM_ETHOSUX_JOB_QUEUED);
	KUNIT_ASSERT_EQ(test, pm->resume(dev), 0);
	KUNIT_EXPECT_EQ(test, state(test, 1, next, 1), DRM_ETHOSUX_JOB_RUNNING);
	finish(test);
	KUNIT_EXPECT_EQ(test, state(test, 1, next, 1), DRM_ETHOSUX_JOB_DONE);
}

/* Ends what runs while something else waits for it. */
struct ending {
	struct delayed_work work;
	struct kunit *test;
};

static void end_all(struct work_struct *work)
{
	struct ending *ending = container_of(to_delayed_work(work), struct ending, work);
	struct fake *fake = ending->test->priv;
	unsigned int i;

	for (i = 0; i < fake->cores; i++)
		if (fake_runs(i))
			fake_end(i, 0, true);
}

/* Jobs that end in time are waited for, on all cores, and none is started. */
static void suspended_in_time(struct kunit *test)
{
	struct fake *fake = test->priv;
	struct device *dev = &fake->pdev->dev;
	const struct dev_pm_ops *pm = dev->driver->pm;
	struct ending ending = { .test = test };
	unsigned int i, started = 0;
	u32 queue[MAX_QUEUES];

	for (i = 0; i < fake->cores; i++) {
		queue[i] = fake_queue(test, i % 2, NORMAL, 0);
		KUNIT_ASSERT_EQ(test, fake_submit(test, i % 2, queue[i], 2, 0, 0, NULL), 0);
	}
	INIT_DELAYED_WORK_ONSTACK(&ending.work, end_all);
	schedule_delayed_work(&ending.work, msecs_to_jiffies(50));
	KUNIT_EXPECT_EQ(test, pm->suspend(dev), 0);
	flush_delayed_work(&ending.work);
	destroy_delayed_work_on_stack(&ending.work);
	for (i = 0; i < fake->cores; i++) {
		KUNIT_EXPECT_EQ(test, state(test, i % 2, queue[i], 1), DRM_ETHOSUX_JOB_DONE);
		KUNIT_EXPECT_EQ(test, state(test, i % 2, queue[i], 2), DRM_ETHOSUX_JOB_QUEUED);
	}
	KUNIT_ASSERT_EQ(test, pm->resume(dev), 0);
	for (i = 0; i < fake->cores; i++)
		started += fake_started(i);
	KUNIT_EXPECT_EQ(test, started, 2 * fake->cores);
	finish(test);
	for (i = 0; i < fake->cores; i++)
		KUNIT_EXPECT_EQ(test, state(test, i % 2, queue[i], 2), DRM_ETHOSUX_JOB_DONE);
}

/* All that runs and waits ends when the device goes. */
static void unplugged(struct kunit *test)
{
	struct fake *fake = test->priv;
	u32 queue[MAX_QUEUES], next = fake_queue(test, 1, NORMAL, 0);
	unsigned int i;

	occupy(test, 0, queue, fake->cores, NORMAL);
	KUNIT_ASSERT_EQ(test, fake_submit(test, 1, next, 2, 0, 0, NULL), 0);
	fake_unplug(fake);
	for (i = 0; i < fake->cores; i++) {
		KUNIT_EXPECT_EQ(test, fake_info(test, 0, queue[i], 1).error, -ENODEV);
		/* Stopped before its memory can be another's. */
		KUNIT_EXPECT_FALSE(test, fake_runs(i));
	}
	KUNIT_EXPECT_EQ(test, fake_info(test, 1, next, 2).error, -ENODEV);
	KUNIT_EXPECT_EQ(test, fake_submit(test, 1, next, 1, 0, 0, NULL), -ENODEV);
}

/* A client goes with jobs on all cores: they end, the other's come next. */
static void closed(struct kunit *test)
{
	struct fake *fake = test->priv;
	u32 queue[MAX_QUEUES], next[MAX_QUEUES];
	unsigned int i;

	occupy(test, 0, queue, fake->cores, NORMAL);
	for (i = 0; i < fake->cores; i++) {
		KUNIT_ASSERT_EQ(test, fake_submit(test, 0, queue[i], 2, 0, 0, NULL), 0);
		next[i] = fake_queue(test, 1, NORMAL, 0);
		KUNIT_ASSERT_EQ(test, fake_submit(test, 1, next[i], 1, 0, 0, NULL), 0);
	}
	fput(fake->files[0]);
	fake->files[0] = NULL;
	flush_delayed_fput();
	for (i = 0; i < fake->cores; i++) {
		KUNIT_EXPECT_TRUE(test, fake_runs(i));
		fake_end(i, 0, true);
		KUNIT_EXPECT_EQ(test, state(test, 1, next[i], 1), DRM_ETHOSUX_JOB_RUNNING);
	}
	finish(test);
	for (i = 0; i < fake->cores; i++) {
		KUNIT_EXPECT_EQ(test, state(test, 1, next[i], 1), DRM_ETHOSUX_JOB_DONE);
		KUNIT_EXPECT_EQ(test, fake_started(i), 2);
	}
}

static struct kunit_case cores_cases[] = {
	KUNIT_CASE_PARAM(spread, cores_gen_params),
	KUNIT_CASE_PARAM(one_queue_in_order, cores_gen_params),
	KUNIT_CASE_PARAM(queues_in_order, cores_gen_params),
	KUNIT_CASE_PARAM(interrupts_apart, cores_gen_params),
	KUNIT_CASE_PARAM(masked, cores_gen_params),
	KUNIT_CASE_PARAM(by_priority, cores_gen_params),
	KUNIT_CASE_PARAM(by_turns, cores_gen_params),
	KUNIT_CASE_PARAM(one_hangs, cores_gen_params),
	KUNIT_CASE_PARAM(all_fault, cores_gen_params),
	KUNIT_CASE_PARAM(one_dies, cores_gen_params),
	KUNIT_CASE_PARAM(all_die, cores_gen_params),
	KUNIT_CASE_PARAM(sram_apart, cores_gen_params),
	KUNIT_CASE_PARAM(regions_apart, cores_gen_params),
	KUNIT_CASE_PARAM(suspended, cores_gen_params),
	KUNIT_CASE_PARAM(suspended_in_time, cores_gen_params),
	KUNIT_CASE_PARAM(unplugged, cores_gen_params),
	KUNIT_CASE_PARAM(closed, cores_gen_params),
	{}
};

static struct kunit_suite cores_suite = {
	.name = "ethosu_cores",
	.init = init,
	.exit = fake_exit,
	.test_cases = cores_cases,
};

kunit_test_suite(cores_suite);
