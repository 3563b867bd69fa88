// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * KUnit under User-Mode Linux: register blocks that do what NPUs do when they are told to, no more. Their
 * jobs end when a case says so.
 */
#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/logic_iomem.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/uaccess.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_syncobj.h>

#include "ethosu_isa.h"
#include "fake_npu.h"

#define BASE		0xa0000000
#define REGS_SIZE	0x2000
/* From one core's registers to the next one's; its SRAM is behind its registers. */
#define STRIDE		0x4000
/* An Ethos-U65 with 256 MACs, as its ID and CONFIG say. */
#define U65_ID		0x10066001
#define U65_CONFIG	0x10003008
#define WAIT_NS		(10ull * NSEC_PER_SEC)

/**
 * struct fake_core - an NPU
 * @lock: register writes and ends of jobs are one at a time
 * @regs: what they hold
 * @sram: the same
 * @started: jobs it was told to run
 * @resets: it was told to do
 * @stuck: resets do not end
 * @irq: 0: not set up yet
 */
struct fake_core {
	spinlock_t lock;
	u32 regs[REGS_SIZE / 4];
	u8 sram[FAKE_SRAM];
	unsigned int started;
	unsigned int resets;
	bool stuck;
	int irq;
};

/* They are there for ever: emulated memory can not be taken back. */
static struct fake_core npu[ETHOSU_CORES];

static struct resource memory = {
	.name = "fake NPU", .start = BASE, .end = BASE + ETHOSU_CORES * STRIDE - 1, .flags = IORESOURCE_MEM,
};

static u32 *status(struct fake_core *core)
{
	return &core->regs[ETHOSU_REG_STATUS / 4];
}

static unsigned long fake_read(void *priv, unsigned int offset, int size)
{
	struct fake_core *core = priv;

	offset %= STRIDE;
	return offset < REGS_SIZE ? core->regs[offset / 4] : core->sram[offset - REGS_SIZE];
}

static void fake_write(void *priv, unsigned int offset, int size, unsigned long value)
{
	struct fake_core *core = priv;
	unsigned long flags;

	offset %= STRIDE;
	spin_lock_irqsave(&core->lock, flags);
	switch (offset) {
	case ETHOSU_REG_CMD:
		if (value & ETHOSU_REG_BIT(CMD_CLEAR_IRQ))
			*status(core) &= ~ETHOSU_REG_BIT(STATUS_IRQ_RAISED);
		if (value & ETHOSU_REG_BIT(CMD_TRANSITION_TO_RUNNING_STATE)) {
			*status(core) = ETHOSU_REG_BIT(STATUS_STATE);
			core->regs[ETHOSU_REG_QREAD / 4] = 0;
			core->started++;
		}
		break;
	case ETHOSU_REG_RESET:
		*status(core) = core->stuck ? ETHOSU_REG_BIT(STATUS_RESET_STATUS) : 0;
		core->resets++;
		break;
	default:
		if (offset < REGS_SIZE)
			core->regs[offset / 4] = value;
	}
	spin_unlock_irqrestore(&core->lock, flags);
}

static void fake_set(void *priv, unsigned int offset, u8 value, int size)
{
	struct fake_core *core = priv;

	memset(core->sram + offset % STRIDE - REGS_SIZE, value, size);
}

static const struct logic_iomem_ops fake_ops = {
	.read = fake_read,
	.write = fake_write,
	.set = fake_set,
};

static long fake_map(unsigned long offset, size_t size, const struct logic_iomem_ops **ops, void **priv)
{
	*ops = &fake_ops;
	*priv = &npu[offset / STRIDE];
	return offset;
}

static const struct logic_iomem_region_ops fake_region_ops = {
	.map = fake_map,
};

unsigned int fake_started(unsigned int core)
{
	return npu[core].started;
}

unsigned int fake_resets(unsigned int core)
{
	return npu[core].resets;
}

bool fake_runs(unsigned int core)
{
	return *status(&npu[core]) & ETHOSU_REG_BIT(STATUS_STATE);
}

u64 fake_address(unsigned int core, u32 reg)
{
	return npu[core].regs[reg / 4] | (u64)npu[core].regs[reg / 4 + 1] << 32;
}

u8 *fake_sram(unsigned int core)
{
	return npu[core].sram;
}

void fake_end(unsigned int core, u32 errors, bool irq)
{
	unsigned long flags;

	spin_lock_irqsave(&npu[core].lock, flags);
	*status(&npu[core]) = errors ?: ETHOSU_REG_BIT(STATUS_CMD_END_REACHED);
	if (irq)
		*status(&npu[core]) |= ETHOSU_REG_BIT(STATUS_IRQ_RAISED);
	spin_unlock_irqrestore(&npu[core].lock, flags);
	if (irq)
		generic_handle_irq_safe(npu[core].irq);
}

void fake_stick(unsigned int core, bool stuck)
{
	npu[core].stuck = stuck;
}

void fake_move(unsigned int core, u32 qread)
{
	npu[core].regs[ETHOSU_REG_QREAD / 4] = qread;
}

/* Once: where registers and interrupts are. */
static void set_up(struct kunit *test)
{
	int i;

	if (npu[0].irq)
		return;
	KUNIT_ASSERT_EQ(test, logic_iomem_add_region(&memory, &fake_region_ops), 0);
	for (i = 0; i < ETHOSU_CORES; i++) {
		spin_lock_init(&npu[i].lock);
		npu[i].irq = irq_alloc_desc(NUMA_NO_NODE);
		KUNIT_ASSERT_GT(test, npu[i].irq, 0);
		irq_set_chip_and_handler(npu[i].irq, &dummy_irq_chip, handle_simple_irq);
		irq_modify_status(npu[i].irq, IRQ_NOREQUEST, 0);
	}
}

/* As they are after power on. */
static void power_on(unsigned int core)
{
	memset(npu[core].regs, 0, sizeof(npu[core].regs));
	npu[core].regs[ETHOSU_REG_ID / 4] = U65_ID;
	npu[core].regs[ETHOSU_REG_CONFIG / 4] = U65_CONFIG;
	npu[core].started = 0;
	npu[core].resets = 0;
	npu[core].stuck = false;
}

static u32 make_stream(struct kunit *test, struct fake *fake, int client)
{
	const u32 words[] = {
		ETHOSU_SET_DMA0_SRC_REGION | 0 << ETHOSU_PARAM_SHIFT,
		ETHOSU_SET_DMA0_DST_REGION | 1 << ETHOSU_PARAM_SHIFT,
		1 << ETHOSU_CONTROL_SHIFT | ETHOSU_SET_DMA0_SRC, 0,
		1 << ETHOSU_CONTROL_SHIFT | ETHOSU_SET_DMA0_DST, 0,
		1 << ETHOSU_CONTROL_SHIFT | ETHOSU_SET_DMA0_LEN, FAKE_BYTES,
		ETHOSU_OP_DMA_START, ETHOSU_OP_STOP | 0xffffu << ETHOSU_PARAM_SHIFT,
	};
	struct drm_ethosu_cmdstream_bo_create create = {
		.size = sizeof(words), .data = (uintptr_t)fake->user,
	};

	KUNIT_ASSERT_EQ(test, copy_to_user(fake->user, words, sizeof(words)), 0);
	KUNIT_ASSERT_EQ(test, ethosu_ioctl_cmdstream_bo_create(fake->dev, &create, fake->client[client]), 0);
	return create.handle;
}

u32 fake_buffer(struct kunit *test, int client)
{
	struct drm_ethosu_bo_create create = { .size = FAKE_BYTES };
	struct fake *fake = test->priv;

	KUNIT_ASSERT_EQ(test, ethosu_ioctl_bo_create(fake->dev, &create, fake->client[client]), 0);
	return create.handle;
}

int fake_init_cores(struct kunit *test, unsigned int cores, bool sram)
{
	struct fake *fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);
	struct resource resources[3 * ETHOSU_CORES];
	unsigned int i, count = 0;

	KUNIT_ASSERT_NOT_NULL(test, fake);
	test->priv = fake;
	set_up(test);
	for (i = 0; i < cores; i++) {
		power_on(i);
		resources[count++] = (struct resource)DEFINE_RES_MEM(BASE + i * STRIDE, REGS_SIZE);
		resources[count++] = (struct resource)DEFINE_RES_IRQ(npu[i].irq);
	}
	for (i = 0; sram && i < cores; i++) {
		/* What was in it before nobody knows. */
		memset(npu[i].sram, 0xa5, FAKE_SRAM);
		resources[count++] = (struct resource)
			DEFINE_RES_MEM_NAMED(BASE + i * STRIDE + REGS_SIZE, FAKE_SRAM, "sram");
	}
	fake->cores = cores;
	fake->pdev = platform_device_register_simple("ethosu", PLATFORM_DEVID_NONE, resources, count);
	KUNIT_ASSERT_FALSE(test, IS_ERR(fake->pdev));
	fake->edev = platform_get_drvdata(fake->pdev);
	KUNIT_ASSERT_NOT_NULL(test, fake->edev);
	KUNIT_ASSERT_TRUE(test, device_is_bound(&fake->pdev->dev));
	fake->dev = &fake->edev->base;
	/* Keeps the driver's structures until the end of the case, whatever becomes of the device. */
	drm_dev_get(fake->dev);
	fake->user = (void __user *)kunit_vm_mmap(test, NULL, 0, FAKE_USER, PROT_READ | PROT_WRITE,
						  MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NOT_NULL(test, (void __force *)fake->user);
	for (i = 0; i < 2; i++) {
		fake->files[i] = mock_drm_getfile(fake->dev->accel, O_RDWR);
		KUNIT_ASSERT_FALSE(test, IS_ERR(fake->files[i]));
		fake->client[i] = fake->files[i]->private_data;
		fake->stream[i] = make_stream(test, fake, i);
		fake->in[i] = fake_buffer(test, i);
		fake->out[i] = fake_buffer(test, i);
	}
	return 0;
}

int fake_init(struct kunit *test)
{
	return fake_init_cores(test, 1, false);
}

void fake_unplug(struct fake *fake)
{
	if (fake->pdev)
		platform_device_unregister(fake->pdev);
	fake->pdev = NULL;
}

void fake_exit(struct kunit *test)
{
	struct fake *fake = test->priv;
	int i;

	if (!fake)
		return;
	for (i = 0; i < 2; i++)
		if (!IS_ERR_OR_NULL(fake->files[i]))
			fput(fake->files[i]);
	/* Files are closed by a worker. */
	flush_delayed_fput();
	if (!IS_ERR_OR_NULL(fake->pdev))
		fake_unplug(fake);
	if (fake->dev)
		drm_dev_put(fake->dev);
}

u32 fake_queue_on(struct kunit *test, int client, u32 core_mask, u32 priority, u32 timeout_ms)
{
	struct drm_ethosux_queue_create create = {
		.priority = priority, .timeout_ms = timeout_ms, .core_mask = core_mask,
	};
	struct fake *fake = test->priv;

	KUNIT_ASSERT_EQ(test, ethosu_ioctl_queue_create(fake->dev, &create, fake->client[client]), 0);
	return create.id;
}

u32 fake_queue(struct kunit *test, int client, u32 priority, u32 timeout_ms)
{
	return fake_queue_on(test, client, 0, priority, timeout_ms);
}

int fake_submit(struct kunit *test, int client, u32 queue, u32 count, u32 in, u32 out, u64 *seqno)
{
	struct fake *fake = test->priv;
	struct drm_ethosux_job job = { .job = {
		.cmd_bo = fake->stream[client], .sram_size = fake->sram_size,
		.region_bo_handles = { fake->in[client], fake->out[client] },
	} };
	struct drm_ethosux_sync syncs[2] = {
		{ .handle = in, .flags = DRM_ETHOSUX_SYNC_NEEDS_SUCCESS },
		{ .handle = out, .job = count - 1 },
	};
	u8 __user *at = fake->user;
	struct drm_ethosux_queue_submit submit = {
		.queue_id = queue, .jobs = (uintptr_t)at, .job_count = count, .job_stride = sizeof(job),
		.in_count = !!in, .out_count = !!out, .sync_stride = sizeof(syncs[0]),
		.flags = fake->cores > 1 ? DRM_ETHOSUX_SUBMIT_NO_IMPLICIT : 0,
	};
	u32 i;
	int ret;

	for (i = 0; i < count; i++, at += sizeof(job))
		KUNIT_ASSERT_EQ(test, copy_to_user(at, &job, sizeof(job)), 0);
	KUNIT_ASSERT_EQ(test, copy_to_user(at, syncs, sizeof(syncs)), 0);
	submit.in_syncs = (uintptr_t)at;
	submit.out_syncs = (uintptr_t)(at + sizeof(syncs[0]));
	ret = ethosu_ioctl_queue_submit(fake->dev, &submit, fake->client[client]);
	if (seqno)
		*seqno = submit.seqno;
	return ret;
}

u32 fake_syncobj(struct kunit *test, int client)
{
	struct fake *fake = test->priv;
	struct drm_syncobj *syncobj;
	u32 handle = 0;

	KUNIT_ASSERT_EQ(test, drm_syncobj_create(&syncobj, 0, NULL), 0);
	KUNIT_EXPECT_EQ(test, drm_syncobj_get_handle(fake->client[client], syncobj, &handle), 0);
	drm_syncobj_put(syncobj);
	return handle;
}

struct drm_ethosux_job_info fake_info(struct kunit *test, int client, u32 queue, u64 seqno)
{
	struct drm_ethosux_job_info info = { .queue_id = queue, .seqno = seqno };
	struct fake *fake = test->priv;

	KUNIT_EXPECT_EQ(test, ethosu_ioctl_job_info(fake->dev, &info, fake->client[client]), 0);
	return info;
}

struct drm_ethosux_queue_get_state fake_state(struct kunit *test, int client, u32 queue)
{
	struct drm_ethosux_queue_get_state got = { .id = queue };
	struct fake *fake = test->priv;

	KUNIT_EXPECT_EQ(test, ethosu_ioctl_queue_get_state(fake->dev, &got, fake->client[client]), 0);
	return got;
}

void fake_wait(struct kunit *test, int client)
{
	struct fake *fake = test->priv;
	struct drm_ethosu_bo_wait wait = {
		.handle = fake->out[client], .timeout_ns = ktime_get_ns() + WAIT_NS,
	};

	KUNIT_ASSERT_EQ(test, ethosu_ioctl_bo_wait(fake->dev, &wait, fake->client[client]), 0);
}
