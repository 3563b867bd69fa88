// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* KUnit: buffers and command streams as objects. */
#include <linux/iosys-map.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>

#include <drm/drm_file.h>

#include "ethosu_isa.h"
#include "fake_npu.h"

static int create(struct fake *fake, u64 size, u32 flags, u32 *handle, u64 *got)
{
	struct drm_ethosu_bo_create args = { .size = size, .flags = flags };
	int ret = ethosu_ioctl_bo_create(fake->dev, &args, fake->client[0]);

	*handle = args.handle;
	*got = args.size;
	return ret;
}

static void sizes(struct kunit *test)
{
	static const struct {
		u64 size;
		u32 flags;
		int ret;
		u64 got;
	} cases[] = {
		{ 1, 0, 0, PAGE_SIZE },
		{ PAGE_SIZE, DRM_ETHOSU_BO_NO_MMAP, 0, PAGE_SIZE },
		{ PAGE_SIZE + 1, 0, 0, 2 * PAGE_SIZE },
		{ SZ_1M, 0, 0, SZ_1M },
		{ 0, 0, -EINVAL, 0 },
		{ 1, 2, -EINVAL, 0 },
		{ 1, 1u << 31, -EINVAL, 0 },
		{ U64_MAX, 0, -ENOMEM, 0 },
		{ U64_MAX - PAGE_SIZE + 2, 0, -ENOMEM, 0 },
		{ 1ull << 40, 0, -ENOMEM, 0 },
	};
	struct fake *fake = test->priv;
	unsigned int i;
	u32 handle;
	u64 got;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		KUNIT_EXPECT_EQ_MSG(test, create(fake, cases[i].size, cases[i].flags, &handle, &got),
				    cases[i].ret, "case %u", i);
		if (!cases[i].ret)
			KUNIT_EXPECT_EQ(test, got, cases[i].got);
	}
}

/* All of a buffer is zero, also where others wrote before, and can be written. */
static void zeroed(struct kunit *test)
{
	struct fake *fake = test->priv;
	struct drm_gem_object *obj;
	struct iosys_map map;
	unsigned int round;
	u32 handle;
	u64 size;

	for (round = 0; round < 8; round++) {
		KUNIT_ASSERT_EQ(test, create(fake, SZ_64K, 0, &handle, &size), 0);
		obj = drm_gem_object_lookup(fake->client[0], handle);
		KUNIT_ASSERT_NOT_NULL(test, obj);
		KUNIT_ASSERT_EQ(test, obj->funcs->vmap(obj, &map), 0);
		KUNIT_EXPECT_PTR_EQ(test, memchr_inv(map.vaddr, 0, size), NULL);
		memset(map.vaddr, 0xa5, size);
		drm_gem_object_put(obj);
		KUNIT_EXPECT_EQ(test, drm_gem_handle_delete(fake->client[0], handle), 0);
	}
}

static int info(struct fake *fake, u32 handle, struct drm_ethosux_bo_info *args)
{
	*args = (struct drm_ethosux_bo_info) { .handle = handle };
	return ethosu_ioctl_bo_info(fake->dev, args, fake->client[0]);
}

static void told(struct kunit *test)
{
	struct fake *fake = test->priv;
	struct drm_ethosux_bo_info got;

	KUNIT_EXPECT_EQ(test, info(fake, fake->in[0], &got), 0);
	KUNIT_EXPECT_EQ(test, got.size, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, got.flags, 0);
	KUNIT_EXPECT_EQ(test, info(fake, fake->stream[0], &got), 0);
	KUNIT_EXPECT_TRUE(test, got.flags & DRM_ETHOSUX_BO_INFO_CMDSTREAM);
	KUNIT_EXPECT_EQ(test, got.regions_read, 1);
	KUNIT_EXPECT_EQ(test, got.regions_written, 2);
	KUNIT_EXPECT_EQ(test, got.region_size[0], FAKE_BYTES);
	KUNIT_EXPECT_EQ(test, got.region_size[1], FAKE_BYTES);
	KUNIT_EXPECT_EQ(test, info(fake, 12345, &got), -ENOENT);
}

/* What was validated is nobody's buffer, and what was not is no stream. */
static void streams_apart(struct kunit *test)
{
	struct fake *fake = test->priv;
	u32 *region = &fake->in[0], in = *region, stream = fake->stream[0];
	struct drm_gem_object *obj = drm_gem_object_lookup(fake->client[0], stream);

	KUNIT_ASSERT_NOT_NULL(test, obj);
	KUNIT_EXPECT_PTR_EQ(test, obj->funcs->export(obj, 0), ERR_PTR(-EPERM));
	drm_gem_object_put(obj);
	*region = stream;
	KUNIT_EXPECT_EQ(test, fake_submit(test, 0, 0, 1, 0, 0, NULL), -EINVAL);
	*region = in;
	fake->stream[0] = in;
	KUNIT_EXPECT_EQ(test, fake_submit(test, 0, 0, 1, 0, 0, NULL), -EINVAL);
	fake->stream[0] = stream;
	/* Another file's handles mean nothing. */
	fake->stream[1] = 12345;
	KUNIT_EXPECT_EQ(test, fake_submit(test, 1, 0, 1, 0, 0, NULL), -ENOENT);
	KUNIT_EXPECT_EQ(test, fake_started(0), 0);
}

static void stream_refusals(struct kunit *test)
{
	static const struct {
		u32 words[2];
		u32 size;
		int ret;
	} cases[] = {
		{ { ETHOSU_OP_STOP }, 4, 0 },
		{ { ETHOSU_OP_STOP }, 0, -EINVAL },
		{ { ETHOSU_OP_STOP, ETHOSU_OP_STOP }, 8, -EINVAL },
		{ { ETHOSU_OP_DMA_START, ETHOSU_OP_STOP }, 8, -EINVAL },
		{ { ETHOSU_OP_DMA_WAIT }, 4, -EINVAL },
		/* The second word is not there. */
		{ { 1 << ETHOSU_CONTROL_SHIFT | ETHOSU_SET_DMA0_SRC }, 4, -EINVAL },
	};
	struct drm_ethosu_cmdstream_bo_create args;
	struct fake *fake = test->priv;
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		KUNIT_ASSERT_EQ(test, copy_to_user(fake->user, cases[i].words, 8), 0);
		args = (struct drm_ethosu_cmdstream_bo_create) {
			.size = cases[i].size, .data = (uintptr_t)fake->user,
		};
		ret = ethosu_ioctl_cmdstream_bo_create(fake->dev, &args, fake->client[0]);
		KUNIT_EXPECT_EQ_MSG(test, ret, cases[i].ret, "case %u", i);
	}
	/* No more is there. */
	args = (struct drm_ethosu_cmdstream_bo_create) {
		.size = FAKE_USER + PAGE_SIZE, .data = (uintptr_t)fake->user,
	};
	ret = ethosu_ioctl_cmdstream_bo_create(fake->dev, &args, fake->client[0]);
	KUNIT_EXPECT_EQ(test, ret, -EFAULT);
}

/* A buffer is busy while a job reads or writes it, and lives as long as that, handle or no handle. */
static void busy(struct kunit *test)
{
	struct fake *fake = test->priv;
	struct drm_ethosu_bo_wait wait = { .handle = fake->in[0] };

	KUNIT_EXPECT_EQ(test, ethosu_ioctl_bo_wait(fake->dev, &wait, fake->client[0]), 0);
	KUNIT_ASSERT_EQ(test, fake_submit(test, 0, 0, 1, 0, 0, NULL), 0);
	KUNIT_EXPECT_EQ(test, ethosu_ioctl_bo_wait(fake->dev, &wait, fake->client[0]), -ETIME);
	wait.handle = fake->out[0];
	KUNIT_EXPECT_EQ(test, ethosu_ioctl_bo_wait(fake->dev, &wait, fake->client[0]), -ETIME);
	KUNIT_EXPECT_EQ(test, drm_gem_handle_delete(fake->client[0], fake->in[0]), 0);
	KUNIT_EXPECT_EQ(test, drm_gem_handle_delete(fake->client[0], fake->stream[0]), 0);
	fake_end(0, 0, true);
	fake_wait(test, 0);
	wait.handle = 12345;
	KUNIT_EXPECT_EQ(test, ethosu_ioctl_bo_wait(fake->dev, &wait, fake->client[0]), -EINVAL);
}

static struct kunit_case gem_cases[] = {
	KUNIT_CASE(sizes),
	KUNIT_CASE(zeroed),
	KUNIT_CASE(told),
	KUNIT_CASE(streams_apart),
	KUNIT_CASE(stream_refusals),
	KUNIT_CASE(busy),
	{}
};

static struct kunit_suite gem_suite = {
	.name = "ethosu_gem",
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = gem_cases,
};

kunit_test_suite(gem_suite);
