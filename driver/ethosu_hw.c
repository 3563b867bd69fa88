// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The registers of an NPU: every access to them is in this file.
 *
 * A read is a round trip on the bus that the CPU stands still for, a write is not. So a job that goes
 * well costs one read, of STATUS, and of the addresses only those halves are written that change.
 */
#include <linux/genalloc.h>
#include <linux/io.h>
#include <linux/iopoll.h>
#include <linux/of.h>
#include <linux/platform_device.h>

#include <drm/drm_print.h>

#include "ethosu_device.h"

/*
 * Region 2 on the SRAM port, all else on the other one; the command stream as well. The attributes and
 * limits are those that Linux 7.3 uses on the boards that it knows.
 */
#define REGIONCFG		0xaa8a
#define QCONFIG			2
#define U65_SRAM_LIMIT		0x1f3f00b0
#define U65_DRAM_LIMIT		0x1f3f0002
#define U85_AXI			0x00021f3f
#define U85_SRAM_ATTR		0x00
#define U85_DRAM_ATTR		0xb7

#define RESET_POLL_US		100
#define RESET_TIMEOUT_US	100000

#define PMU_CYCLES		BIT(31)

static u32 get(const struct ethosu_core *core, u32 reg)
{
	return readl_relaxed(core->regs + reg);
}

static void set(const struct ethosu_core *core, u32 reg, u32 value)
{
	writel_relaxed(value, core->regs + reg);
}

static void set_addr(const struct ethosu_core *core, u32 reg, u64 addr)
{
	set(core, reg, lower_32_bits(addr));
	set(core, reg + 4, upper_32_bits(addr));
}

/* @holds: what the register pair has. */
static void change_addr(const struct ethosu_core *core, u32 reg, u64 addr, u64 *holds)
{
	u64 differs = addr ^ *holds;

	*holds = addr;
	if (lower_32_bits(differs))
		set(core, reg, lower_32_bits(addr));
	if (upper_32_bits(differs))
		set(core, reg + 4, upper_32_bits(addr));
}

static bool is_u65(const struct ethosu_core *core)
{
	return DRM_ETHOSU_ARCH_MAJOR(core->edev->info.id) == 1;
}

u32 ethosu_hw_read(struct ethosu_core *core, u32 offset)
{
	return get(core, offset);
}

u32 ethosu_hw_status(struct ethosu_core *core)
{
	return readl(core->regs + ETHOSU_REG_STATUS);
}

u32 ethosu_hw_qread(struct ethosu_core *core)
{
	return get(core, ETHOSU_REG_QREAD);
}

void ethosu_hw_clear_irq(struct ethosu_core *core)
{
	set(core, ETHOSU_REG_CMD, ETHOSU_REG_BIT(CMD_CLEAR_IRQ));
}

/**
 * ethosu_hw_identify - what is it?
 * @core: has its registers
 * @id: receives ID
 * @config: receives CONFIG
 *
 * Return: 0; -ENODEV: nothing answers.
 */
int ethosu_hw_identify(struct ethosu_core *core, u32 *id, u32 *config)
{
	*id = get(core, ETHOSU_REG_ID);
	*config = get(core, ETHOSU_REG_CONFIG);
	return *id == ~0u || !*id ? -ENODEV : 0;
}

/**
 * ethosu_hw_reset - stop whatever runs and set up all registers that no job sets
 * @core: an NPU of a known kind with its clocks on
 *
 * Sleeps. Return: 0; -ETIMEDOUT: the reset does not end; -ENODEV: the device does not answer.
 */
int ethosu_hw_reset(struct ethosu_core *core)
{
	unsigned int i;
	u32 status;
	int ret;

	set(core, ETHOSU_REG_RESET, ETHOSU_REG_BIT(RESET_PENDING_CSL));
	ret = readl_poll_timeout(core->regs + ETHOSU_REG_STATUS, status,
				 status == ETHOSU_STATUS_GONE ||
				 !(status & ETHOSU_REG_BIT(STATUS_RESET_STATUS)), RESET_POLL_US,
				 RESET_TIMEOUT_US);
	if (status == ETHOSU_STATUS_GONE)
		return -ENODEV;
	if (ret)
		return ret;

	set(core, ETHOSU_REG_REGIONCFG, REGIONCFG);
	set(core, ETHOSU_REG_QCONFIG, QCONFIG);
	if (is_u65(core)) {
		set(core, ETHOSU_REG_AXI_LIMIT0, U65_SRAM_LIMIT);
		set(core, ETHOSU_REG_AXI_LIMIT1, U65_SRAM_LIMIT);
		set(core, ETHOSU_REG_AXI_LIMIT2, U65_DRAM_LIMIT);
		set(core, ETHOSU_REG_AXI_LIMIT3, U65_DRAM_LIMIT);
	} else {
		set(core, ETHOSU_REG_AXI_SRAM, U85_AXI);
		set(core, ETHOSU_REG_AXI_EXT, U85_AXI);
		set(core, ETHOSU_REG_MEM_ATTR, U85_SRAM_ATTR);
		set(core, ETHOSU_REG_MEM_ATTR + 8, U85_DRAM_ATTR);
	}
	for (i = 0; i < ETHOSU_MAX_REGIONS; i++) {
		core->base[i] = core->edev->nothing ? core->edev->nothing->dma : 0;
		set_addr(core, ETHOSU_REG_BASEP + 8 * i, core->base[i]);
	}
	core->qbase = 0;
	core->qsize = 0;
	set_addr(core, ETHOSU_REG_QBASE, core->qbase);
	set(core, ETHOSU_REG_QSIZE, core->qsize);
	writel_relaxed(0, core->pmu + ETHOSU_REG_PMCR);
	core->counting = false;
	return 0;
}

/**
 * ethosu_hw_start - run a job
 * @core: is idle
 * @job: has an address for every region
 *
 * Does not sleep. Memory that the CPU wrote before is seen by the NPU.
 */
void ethosu_hw_start(struct ethosu_core *core, const struct ethosu_job *job)
{
	u32 qsize = core->edev->prologue_words * sizeof(__le32) + job->cmd->stream->size;
	unsigned int i;
	u64 base;

	for (i = 0; i < ETHOSU_MAX_REGIONS; i++) {
		base = job->base[i];
		if (i == ETHOSU_SRAM_REGION && job->sram_size)
			base = core->sram_dma;
		change_addr(core, ETHOSU_REG_BASEP + 8 * i, base, &core->base[i]);
	}
	change_addr(core, ETHOSU_REG_QBASE, job->cmd->dma, &core->qbase);
	if (core->qsize != qsize)
		set(core, ETHOSU_REG_QSIZE, qsize);
	core->qsize = qsize;
	if (job->sram_size) {
		core->sram_client = job->queue->client->id;
		core->sram_dirty = max(core->sram_dirty, job->sram_size);
	}
	writel(ETHOSU_REG_BIT(CMD_TRANSITION_TO_RUNNING_STATE), core->regs + ETHOSU_REG_CMD);
}

static u32 pmu_mask(u32 events)
{
	return PMU_CYCLES | ((1u << events) - 1);
}

/**
 * ethosu_hw_count - begin to count from 0
 * @core: is idle
 * @perfmon: what to count; NULL: nothing
 */
void ethosu_hw_count(struct ethosu_core *core, const struct ethosu_perfmon *perfmon)
{
	unsigned int i;

	if (!perfmon) {
		if (core->counting)
			writel_relaxed(0, core->pmu + ETHOSU_REG_PMCR);
		core->counting = false;
		return;
	}
	writel_relaxed(0, core->pmu + ETHOSU_REG_PMCCNTR_CFG);
	writel_relaxed(~0u, core->pmu + ETHOSU_REG_PMCNTENCLR);
	for (i = 0; i < perfmon->events; i++)
		writel_relaxed(perfmon->event[i], core->pmu + ETHOSU_REG_PMEVTYPER + 4 * i);
	writel_relaxed(pmu_mask(perfmon->events), core->pmu + ETHOSU_REG_PMCNTENSET);
	writel_relaxed(ETHOSU_REG_BIT(PMCR_CNT_EN) | ETHOSU_REG_BIT(PMCR_EVENT_CNT_RST) |
		       ETHOSU_REG_BIT(PMCR_CYCLE_CNT_RST), core->pmu + ETHOSU_REG_PMCR);
	core->counting = true;
}

/**
 * ethosu_hw_read_counts - what was counted since
 * @core: is idle, and counted
 * @events: how many
 * @values: receives them, and the cycles after them
 */
void ethosu_hw_read_counts(struct ethosu_core *core, u32 events, u64 *values)
{
	unsigned int i;

	for (i = 0; i < events; i++)
		values[i] = readl_relaxed(core->pmu + ETHOSU_REG_PMEVCNTR + 4 * i);
	values[events] = readl_relaxed(core->pmu + ETHOSU_REG_PMCCNTR);
	values[events] |= (u64)readl_relaxed(core->pmu + ETHOSU_REG_PMCCNTR + 4) << 32;
}

/* Would @job find what another client left in the SRAM? */
bool ethosu_hw_sram_unclean(const struct ethosu_core *core, const struct ethosu_job *job)
{
	return job->sram_size && core->sram_dirty && core->sram_client != job->queue->client->id;
}

/* Takes its time: a megabyte of device memory. The core must be idle. */
void ethosu_hw_clear_sram(struct ethosu_core *core)
{
	if (!core->sram)
		return;
	memset_io(core->sram, 0, core->sram_dirty);
	core->sram_dirty = 0;
	core->sram_client = 0;
}

static void sram_free(void *data)
{
	struct ethosu_core *core = data;

	gen_pool_free(core->sram_pool, (unsigned long)core->sram, core->edev->info.sram_size);
}

/* The whole pool: a core runs one job at a time, so there is nothing to divide. */
static size_t sram_from_pool(struct ethosu_core *core, struct gen_pool *pool)
{
	size_t size = gen_pool_size(pool);

	core->sram = (void __iomem *)gen_pool_dma_alloc(pool, size, &core->sram_dma);
	if (!core->sram) {
		dev_warn(core->edev->base.dev, "core %u: the SRAM is in use elsewhere, going without\n",
			 core->index);
		return 0;
	}
	core->sram_pool = pool;
	return size;
}

/* Memory resources of that name, one for each core, in the cores' order. */
static size_t sram_from_resource(struct ethosu_core *core, struct platform_device *pdev)
{
	unsigned int left = core->index;
	struct resource *res;
	u32 i;

	for (i = 0; i < pdev->num_resources; i++) {
		res = &pdev->resource[i];
		if (resource_type(res) != IORESOURCE_MEM || !res->name || strcmp(res->name, "sram"))
			continue;
		if (left--)
			continue;
		core->sram = devm_ioremap_wc(&pdev->dev, res->start, resource_size(res));
		if (!core->sram)
			return 0;
		core->sram_dma = res->start;
		return resource_size(res);
	}
	return 0;
}

static int sram_probe(struct ethosu_core *core, struct platform_device *pdev)
{
	struct gen_pool *pool = of_gen_pool_get(pdev->dev.of_node, "sram", core->index);
	struct ethosu_device *edev = core->edev;
	size_t size;

	size = pool ? sram_from_pool(core, pool) : sram_from_resource(core, pdev);
	if (!core->index)
		edev->info.sram_size = size;
	core->sram_dirty = size;
	if (size != edev->info.sram_size) {
		if (core->sram_pool)
			gen_pool_free(pool, (unsigned long)core->sram, size);
		dev_err(&pdev->dev, "core %u: %zu bytes of SRAM, core 0 has %u\n", core->index, size,
			edev->info.sram_size);
		return -EINVAL;
	}
	return core->sram_pool ? devm_add_action_or_reset(&pdev->dev, sram_free, core) : 0;
}

/**
 * ethosu_hw_probe - find the cores: one an interrupt
 * @edev: receives them
 * @pdev: has a memory resource for each, and SRAM for all or none
 *
 * Touches no register. Return: 0 or a negative errno.
 */
int ethosu_hw_probe(struct ethosu_device *edev, struct platform_device *pdev)
{
	int cores = platform_irq_count(pdev);
	struct ethosu_core *core;
	int ret;

	if (cores < 1)
		return cores ?: -ENODEV;
	if (cores > ETHOSU_CORES)
		return dev_err_probe(&pdev->dev, -EINVAL, "%d interrupts, at most %u cores\n", cores,
				     ETHOSU_CORES);
	while (edev->cores < cores) {
		core = &edev->core[edev->cores];
		core->edev = edev;
		core->index = edev->cores;
		core->regs = devm_platform_ioremap_resource(pdev, core->index);
		if (IS_ERR(core->regs))
			return PTR_ERR(core->regs);
		core->pmu = core->regs;
		core->irq = platform_get_irq(pdev, core->index);
		if (core->irq < 0)
			return core->irq;
		ret = sram_probe(core, pdev);
		if (ret)
			return ret;
		edev->cores++;
	}
	return 0;
}
