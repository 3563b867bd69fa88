/* SPDX-License-Identifier: MIT */
/*
 * The register file: one table row a register, with what a read and a write of it do.
 *
 * What the public facts leave open is decided here:
 * - A reset is done at once when the device is stopped, at the end of the running operation when it
 *   runs. STATUS.reset_status reads 1 until then, and at least once after each reset, so that a
 *   driver's polling is put to use.
 * - Reset clears the registers, NPU_SET_* state and faults. It leaves SHRAM or the LUT RAM as they
 *   are; power-on clears them.
 * - Faults stay until reset. A start with a fault pending is obeyed.
 * - While running, only CMD, RESET and the PMU take writes.
 * - A start begins at QBASE, after a stop_request where that one stopped; a write to QBASE or QSIZE
 *   makes it begin anew.
 * - SHARED_BUFFER (U85: INTERNAL_MEMORY) shows 1 KiB of the memory from DEBUG_ADDRESS on, 0 while
 *   running.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/npu_internal.h"

#define U55	1u
#define U65	2u
#define U85	4u
#define U5X	(U55 | U65)
#define ALL	(U5X | U85)

/* What stays of a write to CMD, and all of RESET. */
#define CMD_Q_ENABLE \
	(ETHOSU_REG_BIT(CMD_CLOCK_Q_ENABLE) | ETHOSU_REG_BIT(CMD_POWER_Q_ENABLE))
#define RESET_LEVEL \
	(ETHOSU_REG_BIT(RESET_PENDING_CPL) | ETHOSU_REG_BIT(RESET_PENDING_CSL))

/* DEBUG_ADDRESS bits 31:28 are an ETHOSU_RAM_ID on the U85. */
#define RAM_ID_SHIFT		28

/**
 * struct npu_reg - a row of the register file
 * @offset: of the first of @count registers, @step bytes apart
 * @arch: U55 | U65 | U85
 * @live: takes writes while the device runs
 * @mask: bits a write can change, 0: read-only
 * @reset: value after reset
 * @read, @write: side effects; NULL: the stored value
 */
struct npu_reg {
	const char *name;
	uint16_t offset, count, step;
	uint8_t arch;
	bool live;
	uint32_t mask, reset;
	uint32_t (*read)(struct npu *npu, uint32_t offset);
	void (*write)(struct npu *npu, uint32_t offset, uint32_t value);
};

static uint32_t read_id(struct npu *npu, uint32_t offset)
{
	(void)offset;
	return npu->config->id;
}

static uint32_t read_config(struct npu *npu, uint32_t offset)
{
	(void)offset;
	return npu->config->config;
}

static uint32_t read_status(struct npu *npu, uint32_t offset)
{
	uint32_t status = npu->status_faults |
			  (uint32_t)npu->irq_history << ETHOSU_STATUS_IRQ_HISTORY_MASK_LOW;

	(void)offset;
	if (npu->started)
		status |= ETHOSU_REG_BIT(STATUS_STATE);
	if (npu->irq_raised)
		status |= ETHOSU_REG_BIT(STATUS_IRQ_RAISED);
	if (npu->cmd_end)
		status |= ETHOSU_REG_BIT(STATUS_CMD_END_REACHED);
	if (npu_pmu_irq(npu))
		status |= ETHOSU_REG_BIT(STATUS_PMU_IRQ_RAISED);
	if (npu->reset_asked || npu->reset_shown)
		status |= ETHOSU_REG_BIT(STATUS_RESET_STATUS);
	npu->reset_shown = false;
	return status;
}

static void write_cmd(struct npu *npu, uint32_t offset, uint32_t value)
{
	npu->store[offset / 4] = value & CMD_Q_ENABLE;
	npu->irq_history &= ~(value >> ETHOSU_CMD_CLEAR_IRQ_HISTORY_LOW);
	if (value & ETHOSU_REG_BIT(CMD_CLEAR_IRQ))
		npu->irq_raised = false;
	if (npu->reset_asked)
		return;
	if (value & ETHOSU_REG_BIT(CMD_STOP_REQUEST) && npu->started) {
		npu->stop_asked = true;
		if (!npu->in_run)
			npu->started = false;
	} else if (value & ETHOSU_REG_BIT(CMD_TRANSITION_TO_RUNNING_STATE) && !npu->started) {
		if (!npu->resume)
			npu->qread = 0;
		npu->started = true;
		npu->stop_asked = false;
		npu->cmd_end = false;
	}
}

static void write_reset(struct npu *npu, uint32_t offset, uint32_t value)
{
	(void)offset;
	if (!npu->in_run) {
		npu_regs_reset(npu, value & RESET_LEVEL);
		return;
	}
	npu->reset_asked = true;
	npu->reset_level = value & RESET_LEVEL;
	__atomic_store_n(&npu->abort, 1, __ATOMIC_RELAXED);
}

static void write_queue(struct npu *npu, uint32_t offset, uint32_t value)
{
	npu->store[offset / 4] = value & npu->reg[offset / 4]->mask;
	npu->resume = 0;
}

/* The upper byte of a 40-bit address: the U55 has none. */
static void write_addr_hi(struct npu *npu, uint32_t offset, uint32_t value)
{
	npu->store[offset / 4] = value & 0xff;
	if (offset == ETHOSU_REG_QBASE + 4)
		npu->resume = 0;
}

static uint32_t read_qread(struct npu *npu, uint32_t offset)
{
	(void)offset;
	return npu->qread;
}

static uint32_t read_cmd_src(struct npu *npu, uint32_t offset)
{
	uint64_t addr = npu_reg_addr(npu, ETHOSU_REG_QBASE) + npu->qread;

	return offset & 4 ? (uint32_t)(addr >> 32) & 0xff : (uint32_t)addr;
}

/* SHRAM or LUT RAM through its debug window. */
static uint32_t read_memory(struct npu *npu, uint32_t offset)
{
	uint32_t addr = npu->store[ETHOSU_REG_DEBUG_ADDRESS / 4];
	uint32_t word;

	if (npu->started)
		return 0;
	if (npu->config->arch == 85) {
		if (addr >> RAM_ID_SHIFT != ETHOSU_RAM_ID_LUT)
			return 0;
		addr &= (1u << RAM_ID_SHIFT) - 1;
	}
	addr = (addr & ~3u) + (offset - ETHOSU_REG_SHARED_BUFFER);
	if (addr > npu->internal_size - sizeof(word))
		return 0;
	memcpy(&word, npu->internal + addr, sizeof(word));
	return word;
}

/*
 * The NPU_SET_* state. cmd0: a word each, opcodes 0x100..0x13f then 0x180..0x1bf. cmd1: payload and
 * param, in groups of eight: opcodes 0x00.., 0x10.., 0x20.., 0x30.., 0x80.., 0x90.., 0xa0.. and last
 * 0x38... (The register pages TSU_* of Arm's public interface headers.)
 */
static uint32_t read_state(struct npu *npu, uint32_t offset)
{
	static const uint8_t group[] = { 0x00, 0x10, 0x20, 0x30, 0x80, 0x90, 0xa0, 0x38 };
	uint32_t at = offset & 0x1ff;
	uint64_t value;

	if (offset < 0xa00) {
		at /= 4;
		return npu->state.cmd0[at < 0x40 ? at : at + 0x40];
	}
	value = npu->state.cmd1[group[at / 0x40] + at % 0x40 / 8];
	return at & 4 ? value >> 32 : (uint32_t)value;
}

static uint32_t read_pmu(struct npu *npu, uint32_t offset)
{
	return npu_pmu_read(npu, offset & 0xfff);
}

static void write_pmu(struct npu *npu, uint32_t offset, uint32_t value)
{
	npu_pmu_write(npu, offset & 0xfff, value);
}

#define RO(name_, offset_, arch_, value_) \
	{ .name = name_, .offset = offset_, .count = 1, .step = 4, .arch = arch_, .reset = value_ }
#define RO_N(name_, offset_, count_, arch_) \
	{ .name = name_, .offset = offset_, .count = count_, .step = 4, .arch = arch_ }
#define RO_FN(name_, offset_, count_, arch_, read_) \
	{ .name = name_, .offset = offset_, .count = count_, .step = 4, .arch = arch_, .read = read_ }
#define RW(name_, offset_, arch_, mask_) \
	{ .name = name_, .offset = offset_, .count = 1, .step = 4, .arch = arch_, .mask = mask_ }
#define RW_N(name_, offset_, count_, step_, arch_, mask_) \
	{ .name = name_, .offset = offset_, .count = count_, .step = step_, .arch = arch_, \
	  .mask = mask_ }
#define LIVE(name_, offset_, arch_, mask_) \
	{ .name = name_, .offset = offset_, .count = 1, .step = 4, .arch = arch_, .live = true, \
	  .mask = mask_ }
#define PMU(name_, offset_, count_, arch_) \
	{ .name = name_, .offset = offset_, .count = count_, .step = 4, .arch = arch_, .live = true, \
	  .mask = ~0u, .read = read_pmu, .write = write_pmu }

static const struct npu_reg registers[] = {
	RO_FN("ID", ETHOSU_REG_ID, 1, ALL, read_id),
	RO_FN("STATUS", ETHOSU_REG_STATUS, 1, ALL, read_status),
	{ .name = "CMD", .offset = ETHOSU_REG_CMD, .count = 1, .step = 4, .arch = ALL, .live = true,
	  .mask = ~0u, .reset = 0xc, .write = write_cmd },
	{ .name = "RESET", .offset = ETHOSU_REG_RESET, .count = 1, .step = 4, .arch = ALL, .live = true,
	  .mask = RESET_LEVEL, .write = write_reset },
	{ .name = "QBASE", .offset = ETHOSU_REG_QBASE, .count = 1, .step = 4, .arch = ALL, .mask = ~0u,
	  .write = write_queue },
	{ .name = "QBASE_HI", .offset = ETHOSU_REG_QBASE + 4, .count = 1, .step = 4,
	  .arch = U65 | U85, .mask = 0xff, .write = write_addr_hi },
	RO_FN("QREAD", ETHOSU_REG_QREAD, 1, ALL, read_qread),
	RW("QCONFIG", ETHOSU_REG_QCONFIG, ALL, 0x3),
	{ .name = "QSIZE", .offset = ETHOSU_REG_QSIZE, .count = 1, .step = 4, .arch = ALL, .mask = ~0u,
	  .write = write_queue },
	RO("PROT", ETHOSU_REG_PROT, ALL, 0),
	RO_FN("CONFIG", ETHOSU_REG_CONFIG, 1, ALL, read_config),
	RW("LOCK", ETHOSU_REG_LOCK, U5X, ~0u),
	RO("COND_STATUS", ETHOSU_REG_COND_STATUS, U85, 0),
	RW("POWER_CTRL", ETHOSU_REG_POWER_CTRL, U85, 0x3f),
	RW("REGIONCFG", ETHOSU_REG_REGIONCFG, ALL, 0xffff),
	RW_N("AXI_LIMIT", ETHOSU_REG_AXI_LIMIT0, 4, 4, U55, 0x0f1f00f3),
	RW_N("AXI_LIMIT", ETHOSU_REG_AXI_LIMIT0, 4, 4, U65, 0x1f3f00f3),
	RW_N("MEM_ATTR", ETHOSU_REG_MEM_ATTR, 4, 4, U85, 0xf7),
	RW("AXI_SRAM", ETHOSU_REG_AXI_SRAM, U85, 0x31f3f),
	RW("AXI_EXT", ETHOSU_REG_AXI_EXT, U85, 0x31f3f),
	RO("CFG_SRAM_CAP", ETHOSU_REG_CFG_SRAM_CAP, U85, 0),
	RO("CFG_EXT_CAP", ETHOSU_REG_CFG_EXT_CAP, U85, 0),
	RO_N("CFG_SRAM_HASH0", ETHOSU_REG_CFG_SRAM_HASH0, 2, U85),
	RO_N("CFG_SRAM_HASH1", ETHOSU_REG_CFG_SRAM_HASH1, 2, U85),
	RO_N("CFG_EXT_HASH0", ETHOSU_REG_CFG_EXT_HASH0, 2, U85),
	RW_N("BASEP", ETHOSU_REG_BASEP, 8, 8, ALL, ~0u),
	{ .name = "BASEP_HI", .offset = ETHOSU_REG_BASEP + 4, .count = 8, .step = 8, .arch = U65 | U85,
	  .mask = 0xff, .write = write_addr_hi },
	RO("WD_STATUS", ETHOSU_REG_WD_STATUS, U5X, 0),
	RO("MAC_STATUS", ETHOSU_REG_MAC_STATUS, U5X, 0),
	RO("AO_STATUS", ETHOSU_REG_AO_STATUS, U5X, 0),
	RO("DMA_STATUS0", ETHOSU_REG_DMA_STATUS0, U5X, 0),
	RO("DMA_STATUS1", ETHOSU_REG_DMA_STATUS1, U5X, 0),
	RW("CLKFORCE", ETHOSU_REG_CLKFORCE, ALL, 0x3f),
	RW("DEBUG_ADDRESS", ETHOSU_REG_DEBUG_ADDRESS, ALL, ~0u),
	RW("DEBUG_MISC", ETHOSU_REG_DEBUG_MISC, ALL, ~0u),
	RW("DEBUGCORE", ETHOSU_REG_DEBUGCORE, U65, ~0u),
	RW("DEBUG_BLOCK", ETHOSU_REG_DEBUG_BLOCK, U5X, ~0u),
	RW("FEATURE_DISABLE", ETHOSU_REG_FEATURE_DISABLE, U85, 0x3),

	PMU("PMCR", ETHOSU_REG_PMCR, 7, U5X),
	PMU("PMCCNTR", ETHOSU_REG_PMCCNTR, 2, U5X),
	LIVE("PMCCNTR_CFG", ETHOSU_REG_PMCCNTR_CFG, U5X, 0x03ff03ff),
	LIVE("PMCAXI_CHAN", ETHOSU_REG_PMCAXI_CHAN, U5X, 0x70f),
	PMU("PMEVCNTR", ETHOSU_REG_PMEVCNTR, 4, U5X),
	PMU("PMEVTYPER", ETHOSU_REG_PMEVTYPER, 4, U5X),
	PMU("PMCR", ETHOSU_REG_PMCR_U85, 7, U85),
	PMU("PMCCNTR", ETHOSU_REG_PMCCNTR_U85, 2, U85),
	LIVE("PMCCNTR_CFG", ETHOSU_REG_PMCCNTR_CFG_U85, U85, 0xf3fff3ff),
	LIVE("PMCAXI_CHAN", ETHOSU_REG_PMCAXI_CHAN_U85, U85, 0x50f),
	LIVE("PMCLUT", ETHOSU_REG_PMCLUT, U85, 0xffff0001),
	PMU("PMEVCNTR", ETHOSU_REG_PMEVCNTR_U85, 8, U85),
	PMU("PMEVTYPER", ETHOSU_REG_PMEVTYPER_U85, 8, U85),

	/* Where the work is: only the command queue's position is modelled. */
	RO_N("KERNEL_X", ETHOSU_REG_KERNEL_X, 16, U5X),
	RO_N("DMA_IFM_SRC", ETHOSU_REG_DMA_IFM_SRC, 2, ALL),
	RO_N("DMA_IFM_DST", ETHOSU_REG_DMA_IFM_DST, 2, U5X),
	RO_N("DMA_OFM_DST", ETHOSU_REG_DMA_OFM_DST, 2, ALL),
	RO_N("DMA_WEIGHT_SRC", ETHOSU_REG_DMA_WEIGHT_SRC, 2, ALL),
	RO_FN("DMA_CMD_SRC", ETHOSU_REG_DMA_CMD_SRC, 2, ALL, read_cmd_src),
	RO("DMA_CMD_SIZE", ETHOSU_REG_DMA_CMD_SIZE, ALL, 0),
	RO_N("DMA_M2M_SRC", ETHOSU_REG_DMA_M2M_SRC, 2, ALL),
	RO_N("DMA_M2M_DST", ETHOSU_REG_DMA_M2M_DST, 2, ALL),
	RO_FN("CURRENT_QREAD", ETHOSU_REG_CURRENT_QREAD, 1, ALL, read_qread),
	RO_N("DMA_SCALE_SRC", ETHOSU_REG_DMA_SCALE_SRC, 2, ALL),
	RO_N("DMA_WEIGHT1_SRC", ETHOSU_REG_DMA_WEIGHT1_SRC, 6, U85),
	RO("CURRENT_BLOCK", ETHOSU_REG_CURRENT_BLOCK, U5X, 0),
	RO("CURRENT_OP", ETHOSU_REG_CURRENT_OP, ALL, 0),
	RO("CURRENT_CMD", ETHOSU_REG_CURRENT_CMD, ALL, 0),
	RO_FN("SHARED_BUFFER", ETHOSU_REG_SHARED_BUFFER, 256, U5X, read_memory),
	RO_FN("INTERNAL_MEMORY", ETHOSU_REG_INTERNAL_MEMORY, 256, U85, read_memory),
	RO_FN("NPU_SET state", 0x0800, 256, ALL, read_state),

	RO("REVISION", ETHOSU_REG_REVISION, ALL, 0),
	RO("PID4", ETHOSU_REG_PID4, ALL, 0x04),
	RO("PID5", ETHOSU_REG_PID5, ALL, 0),
	RO("PID6", ETHOSU_REG_PID6, ALL, 0),
	RO("PID7", ETHOSU_REG_PID7, ALL, 0),
	RO("PID0", ETHOSU_REG_PID0, U5X, 0x81),
	RO("PID0", ETHOSU_REG_PID0_U85, U85, 0x82),
	RO("PID1", ETHOSU_REG_PID1, ALL, 0xb5),
	RO("PID2", ETHOSU_REG_PID2, ALL, 0x0b),
	RO("PID3", ETHOSU_REG_PID3, ALL, 0),
	RO("CID0", ETHOSU_REG_CID0, ALL, 0x0d),
	RO("CID1", ETHOSU_REG_CID1, ALL, 0xf0),
	RO("CID2", ETHOSU_REG_CID2, ALL, 0x05),
	RO("CID3", ETHOSU_REG_CID3, ALL, 0xb1),

	RO("WD_STATUS", ETHOSU_REG_WD_STATUS_U85, U85, 0),
	RO("MAC_STATUS", ETHOSU_REG_MAC_STATUS_U85, U85, 0),
	RO("AO_STATUS", ETHOSU_REG_AO_STATUS_U85, U85, 0),
	RO("DMA_STATUS0", ETHOSU_REG_DMA_STATUS0_U85, U85, 0),
	RO("DMA_STATUS1", ETHOSU_REG_DMA_STATUS1_U85, U85, 0),
};

#define REGISTERS (sizeof(registers) / sizeof(registers[0]))

void npu_regs_init(struct npu *npu)
{
	unsigned int arch = npu->config->arch == 85 ? U85 : npu->config->arch == 65 ? U65 : U55;
	unsigned int i, k;

	for (i = 0; i < REGISTERS; i++) {
		const struct npu_reg *reg = &registers[i];

		for (k = 0; reg->arch & arch && k < reg->count; k++)
			npu->reg[(reg->offset + k * reg->step) / 4] = reg;
	}
	npu_regs_reset(npu, 0);
}

void npu_regs_reset(struct npu *npu, uint32_t level)
{
	unsigned int i;

	for (i = 0; i < NPU_REG_WORDS; i++)
		npu->store[i] = npu->reg[i] ? npu->reg[i]->reset : 0;
	npu->store[ETHOSU_REG_PROT / 4] = level;
	npu_pmu_reset(npu);
	memset(&npu->state, 0, sizeof(npu->state));
	npu->qread = 0;
	npu->status_faults = 0;
	npu->irq_history = 0;
	npu->irq_raised = false;
	npu->cmd_end = false;
	npu->started = false;
	npu->stop_asked = false;
	npu->reset_asked = false;
	npu->reset_shown = true;
	npu->resume = 0;
}

uint64_t npu_reg_addr(const struct npu *npu, uint32_t offset)
{
	return npu->store[offset / 4] | (uint64_t)npu->store[offset / 4 + 1] << 32;
}

unsigned int npu_port(const struct npu *npu, unsigned int attr)
{
	attr &= 3;
	if (npu->config->arch == 85)
		return npu->store[ETHOSU_REG_MEM_ATTR / 4 + attr] >> ETHOSU_MEM_ATTR_AXI_PORT_LOW & 1;
	return attr >> 1;
}

void npu_irq_update(struct npu *npu)
{
	bool level;

	npu->irq_wanted = npu->irq_raised || npu_pmu_irq(npu);
	if (npu->irq_telling)
		return;
	npu->irq_telling = true;
	while (npu->irq_told != npu->irq_wanted) {
		level = npu->irq_wanted;
		pthread_mutex_unlock(&npu->lock);
		if (npu->bus->irq)
			npu->bus->irq(npu->bus_ctx, level);
		pthread_mutex_lock(&npu->lock);
		npu->irq_told = level;
	}
	npu->irq_telling = false;
}

void npu_trace(struct npu *npu, const char *fmt, ...)
{
	char text[256];
	va_list args;

	if (!npu->bus->trace)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	npu->bus->trace(npu->bus_ctx, text);
}

size_t npu_reg_size(const struct npu *npu)
{
	return npu->config->arch == 85 ? ETHOSU_WINDOW_U85 : ETHOSU_WINDOW_U65;
}

uint32_t npu_read(struct npu *npu, uint32_t offset)
{
	const struct npu_reg *reg;
	uint32_t value;

	if (offset & 3 || offset >= npu_reg_size(npu))
		return 0;
	reg = npu->reg[offset / 4];
	if (!reg)
		return 0;
	pthread_mutex_lock(&npu->lock);
	value = reg->read ? reg->read(npu, offset) : npu->store[offset / 4];
	pthread_mutex_unlock(&npu->lock);
	return value;
}

void npu_write(struct npu *npu, uint32_t offset, uint32_t value)
{
	const struct npu_reg *reg;
	const char *why = NULL;

	if (offset & 3 || offset >= npu_reg_size(npu) || !npu->reg[offset / 4]) {
		npu_trace(npu, "write of 0x%x to 0x%x: no such register", value, offset);
		return;
	}
	reg = npu->reg[offset / 4];
	pthread_mutex_lock(&npu->lock);
	if (!reg->mask)
		why = "is read-only";
	else if (npu->started && !reg->live)
		why = "does not change while running";
	else if (reg->write)
		reg->write(npu, offset, value);
	else
		npu->store[offset / 4] = value & reg->mask;
	npu_irq_update(npu);
	pthread_mutex_unlock(&npu->lock);
	if (why)
		npu_trace(npu, "write of 0x%x to 0x%x: %s %s", value, offset, reg->name, why);
}
