/* SPDX-License-Identifier: MIT */
/*
 * The performance monitor.
 *
 * There is no public description of the cycle behaviour. What is counted is the estimate of
 * cost_stream.c, with the memories of the family's usual system behind the two AXI ports: the cycle
 * counter ends where the estimate does, and beats are its bytes, bursts that are not filled counted
 * whole. Fetching the command stream adds its beats.
 * All counted time is active time: NPU_IDLE stays 0, and PMCCNTR_CFG has nothing to leave out.
 * Events that are not in the table below (stalls, latencies, ECC) count nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/cost_stream.h"
#include "sim/npu_internal.h"

#define CYCLE_BIT		(1u << 31)
#define CYCLE_MASK		((1ull << 48) - 1)
#define EVENT_MASK		0x3ffu

enum amount { CYCLES, MAC, MAC_8, MAC_16, MAC_32, OUT, READ0, READ1, WRITE0, WRITE1, AMOUNTS };

_Static_assert(AMOUNTS == NPU_PMU_AMOUNTS, "struct npu_pmu_plan holds all amounts");

/**
 * struct event - a PMU event and what it counts
 * @id: PMEVTYPER.EV_TYPE
 * @arch85: 1: U85 only, 0: U55 and U65 only, -1: all
 * @amount: what is counted
 * @ports_at: bit of CONFIG where log2 of the number of ports is that share @amount evenly (8: SRAM,
 *	10: EXT); 0: the event counts all of it
 * @port: the port that the event is for
 */
static const struct event {
	uint16_t id;
	int8_t arch85;
	uint8_t amount;
	uint8_t ports_at, port;
} events[] = {
	/* What all have has the same number on U85; AXI0 and AXI1 are SRAM and EXT there. */
	{ ETHOSU_U65_PMU_CYCLE, -1, CYCLES, 0, 0 },
	{ ETHOSU_U65_PMU_NPU_ACTIVE, -1, CYCLES, 0, 0 },
	{ ETHOSU_U65_PMU_MAC_ACTIVE, -1, MAC, 0, 0 },
	{ ETHOSU_U65_PMU_MAC_ACTIVE_8BIT, 0, MAC_8, 0, 0 },
	{ ETHOSU_U65_PMU_MAC_ACTIVE_16BIT, 0, MAC_16, 0, 0 },
	{ ETHOSU_U65_PMU_MAC_DPU_ACTIVE, -1, MAC, 0, 0 },
	{ ETHOSU_U65_PMU_MAC_ACTIVE_32BIT, 0, MAC_32, 0, 0 },
	{ ETHOSU_U65_PMU_AO_ACTIVE, -1, OUT, 0, 0 },
	{ ETHOSU_U65_PMU_AXI0_RD_DATA_BEAT_RECEIVED, -1, READ0, 0, 0 },
	{ ETHOSU_U65_PMU_AXI0_WR_DATA_BEAT_WRITTEN, -1, WRITE0, 0, 0 },
	{ ETHOSU_U65_PMU_AXI0_ENABLED_CYCLES, -1, CYCLES, 0, 0 },
	{ ETHOSU_U65_PMU_AXI1_RD_DATA_BEAT_RECEIVED, -1, READ1, 0, 0 },
	{ ETHOSU_U65_PMU_AXI1_WR_DATA_BEAT_WRITTEN, -1, WRITE1, 0, 0 },
	{ ETHOSU_U65_PMU_AXI1_ENABLED_CYCLES, -1, CYCLES, 0, 0 },
	{ ETHOSU_U85_PMU_SRAM0_RD_DATA_BEAT_RECEIVED, 1, READ0, 8, 0 },
	{ ETHOSU_U85_PMU_SRAM0_WR_DATA_BEAT_WRITTEN, 1, WRITE0, 8, 0 },
	{ ETHOSU_U85_PMU_SRAM1_RD_DATA_BEAT_RECEIVED, 1, READ0, 8, 1 },
	{ ETHOSU_U85_PMU_SRAM1_WR_DATA_BEAT_WRITTEN, 1, WRITE0, 8, 1 },
	{ ETHOSU_U85_PMU_SRAM2_RD_DATA_BEAT_RECEIVED, 1, READ0, 8, 2 },
	{ ETHOSU_U85_PMU_SRAM2_WR_DATA_BEAT_WRITTEN, 1, WRITE0, 8, 2 },
	{ ETHOSU_U85_PMU_SRAM3_RD_DATA_BEAT_RECEIVED, 1, READ0, 8, 3 },
	{ ETHOSU_U85_PMU_SRAM3_WR_DATA_BEAT_WRITTEN, 1, WRITE0, 8, 3 },
	{ ETHOSU_U85_PMU_EXT0_RD_DATA_BEAT_RECEIVED, 1, READ1, 10, 0 },
	{ ETHOSU_U85_PMU_EXT0_WR_DATA_BEAT_WRITTEN, 1, WRITE1, 10, 0 },
	{ ETHOSU_U85_PMU_EXT1_RD_DATA_BEAT_RECEIVED, 1, READ1, 10, 1 },
	{ ETHOSU_U85_PMU_EXT1_WR_DATA_BEAT_WRITTEN, 1, WRITE1, 10, 1 },
};

#define EVENTS (sizeof(events) / sizeof(events[0]))

unsigned int npu_pmu_counters(const struct npu *npu)
{
	return npu->config->arch == 85 ? 8 : 4;
}

static uint32_t flags(const struct npu *npu)
{
	return CYCLE_BIT | ((1u << npu_pmu_counters(npu)) - 1);
}

void npu_pmu_reset(struct npu *npu)
{
	memset(&npu->pmu, 0, sizeof(npu->pmu));
}

bool npu_pmu_irq(const struct npu *npu)
{
	return npu->pmu.overflow & npu->pmu.irq_enabled;
}

uint32_t npu_pmu_read(const struct npu *npu, uint32_t offset)
{
	const struct npu_pmu *pmu = &npu->pmu;

	if (offset >= ETHOSU_REG_PMEVTYPER)
		return pmu->type[(offset - ETHOSU_REG_PMEVTYPER) / 4];
	if (offset >= ETHOSU_REG_PMEVCNTR)
		return pmu->count[(offset - ETHOSU_REG_PMEVCNTR) / 4];
	switch (offset) {
	case ETHOSU_REG_PMCR:
		return pmu->pmcr | npu_pmu_counters(npu) << ETHOSU_PMCR_NUM_EVENT_CNT_LOW;
	case ETHOSU_REG_PMCNTENSET:
	case ETHOSU_REG_PMCNTENCLR:
		return pmu->enabled;
	case ETHOSU_REG_PMOVSSET:
	case ETHOSU_REG_PMOVSCLR:
		return pmu->overflow;
	case ETHOSU_REG_PMINTSET:
	case ETHOSU_REG_PMINTCLR:
		return pmu->irq_enabled;
	case ETHOSU_REG_PMCCNTR:
		return (uint32_t)pmu->cycles;
	case ETHOSU_REG_PMCCNTR + 4:
		return pmu->cycles >> 32;
	}
	return 0;
}

static void write_pmcr(struct npu_pmu *pmu, uint32_t value)
{
	pmu->pmcr = value & (ETHOSU_REG_BIT(PMCR_CNT_EN) | ETHOSU_REG_BIT(PMCR_MASK_EN));
	if (value & ETHOSU_REG_BIT(PMCR_EVENT_CNT_RST))
		memset(pmu->count, 0, sizeof(pmu->count));
	if (value & ETHOSU_REG_BIT(PMCR_CYCLE_CNT_RST))
		pmu->cycles = 0;
}

void npu_pmu_write(struct npu *npu, uint32_t offset, uint32_t value)
{
	struct npu_pmu *pmu = &npu->pmu;

	if (offset >= ETHOSU_REG_PMEVTYPER) {
		pmu->type[(offset - ETHOSU_REG_PMEVTYPER) / 4] =
			value & (npu->config->arch == 85 ? 0xf3ff : EVENT_MASK);
		return;
	}
	if (offset >= ETHOSU_REG_PMEVCNTR) {
		pmu->count[(offset - ETHOSU_REG_PMEVCNTR) / 4] = value;
		return;
	}
	switch (offset) {
	case ETHOSU_REG_PMCR:
		write_pmcr(pmu, value);
		break;
	case ETHOSU_REG_PMCNTENSET:
		pmu->enabled |= value & flags(npu);
		break;
	case ETHOSU_REG_PMCNTENCLR:
		pmu->enabled &= ~value;
		break;
	case ETHOSU_REG_PMOVSSET:
		pmu->overflow |= value & flags(npu);
		break;
	case ETHOSU_REG_PMOVSCLR:
		pmu->overflow &= ~value;
		break;
	case ETHOSU_REG_PMINTSET:
		pmu->irq_enabled |= value & flags(npu);
		break;
	case ETHOSU_REG_PMINTCLR:
		pmu->irq_enabled &= ~value;
		break;
	case ETHOSU_REG_PMCCNTR:
		pmu->cycles = (pmu->cycles & ~0xffffffffull) | value;
		break;
	case ETHOSU_REG_PMCCNTR + 4:
		pmu->cycles = (pmu->cycles & 0xffffffffull) | (uint64_t)(value & 0xffff) << 32;
		break;
	}
}

/* NPU_OP_PMU_MASK lets the stream switch counting if PMCR.mask_en says so. */
void npu_pmu_mask(struct npu *npu, uint16_t param)
{
	if (npu->pmu.pmcr & ETHOSU_REG_BIT(PMCR_MASK_EN))
		npu->pmu.pmcr = (npu->pmu.pmcr & ~ETHOSU_REG_BIT(PMCR_CNT_EN)) |
				(param & ETHOSU_REG_BIT(PMCR_CNT_EN));
}

static uint64_t add(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static uint64_t beats(uint64_t bytes, unsigned int log2)
{
	return (bytes >> log2) + !!(bytes & ((1u << log2) - 1));
}

static unsigned int beat_log2(const struct npu_config *config)
{
	return config->arch == 55 ? 3 : 4;
}

/* The memories that the ports lead to: those of the family's usual system. */
static void set_target(const struct npu_config *config, unsigned int ports,
		       struct cost_target *target)
{
	memset(target, 0, sizeof(*target));
	target->arch = ethosu_arch_find(config->arch, config->macs);
	cost_usual_memories(config->arch, target->memory);
	for (unsigned int i = 0; i < NPU_REGIONS; i++)
		target->region[i] = ports >> i & 1 ? COST_EXT : COST_SRAM;
}

/* One operation in the PMU's terms. */
static void measure(const struct npu_config *config, const struct npu_op *op,
		    const struct cost_step *step, uint64_t *amount)
{
	const struct cost_result *r = &step->result;
	unsigned int beat = beat_log2(config);

	memset(amount, 0, AMOUNTS * sizeof(*amount));
	amount[CYCLES] = step->advance;
	amount[MAC] = r->mac_cycles;
	amount[op->a.elem_log2 == 0 ? MAC_8 : op->a.elem_log2 == 1 ? MAC_16 : MAC_32] =
		r->mac_cycles;
	amount[OUT] = r->out_cycles;
	for (unsigned int m = 0; m < COST_MEMORIES; m++) {
		uint64_t read = 0;

		for (unsigned int i = 0; i < COST_TRAFFIC; i++)
			read += r->read[m][i];
		amount[READ0 + m] = beats(read, beat);
		amount[WRITE0 + m] = beats(r->write[m], beat);
	}
}

int npu_pmu_prepare(const struct npu_config *config, const struct npu_program *program,
		    size_t count, unsigned int ports, struct npu_pmu_plan *plan)
{
	struct cost_target target;
	struct cost_total unused;
	struct cost_step *steps;
	uint64_t *amounts;

	if (plan->amounts && plan->ports == ports)
		return 0;
	steps = calloc(count + 1, sizeof(*steps));
	amounts = calloc((count + 1) * AMOUNTS, sizeof(*amounts));
	if (!steps || !amounts) {
		free(steps);
		free(amounts);
		return -ENOMEM;
	}
	set_target(config, ports, &target);
	cost_stream(&target, program, count, steps, &unused);
	memset(plan->total, 0, sizeof(plan->total));
	for (size_t i = 0; i < count; i++) {
		measure(config, &program->ops[i], &steps[i], amounts + i * AMOUNTS);
		for (unsigned int k = 0; k < AMOUNTS; k++)
			plan->total[k] = add(plan->total[k], amounts[i * AMOUNTS + k]);
	}
	free(steps);
	free(plan->amounts);
	plan->amounts = amounts;
	plan->count = count;
	plan->ports = (uint8_t)ports;
	return 0;
}

static void sum_up(const struct npu_pmu_plan *plan, size_t first, size_t count, uint64_t *total)
{
	if (!first && count == plan->count) {
		memcpy(total, plan->total, sizeof(plan->total));
		return;
	}
	for (size_t i = first; i < first + count; i++)
		for (unsigned int k = 0; k < AMOUNTS; k++)
			total[k] = add(total[k], plan->amounts[i * AMOUNTS + k]);
}

static uint64_t event_amount(const struct npu *npu, uint32_t type, const uint64_t *amount)
{
	bool is85 = npu->config->arch == 85;
	unsigned int i, ports;

	for (i = 0; i < EVENTS; i++) {
		const struct event *event = &events[i];

		if (event->id != (type & EVENT_MASK) || (event->arch85 >= 0 && event->arch85 != is85))
			continue;
		if (!event->ports_at)
			return amount[event->amount];
		/* Two bits of log2 for the SRAM ports, one for EXT. */
		ports = 1u << (npu->config->config >> event->ports_at & (event->ports_at == 8 ? 3 : 1));
		if (event->port >= ports)
			return 0;
		return amount[event->amount] / ports +
		       (event->port < amount[event->amount] % ports);
	}
	return 0;
}

void npu_pmu_account(struct npu *npu, const struct npu_pmu_plan *plan, size_t first, size_t count,
		     uint64_t cmd_bytes)
{
	struct npu_pmu *pmu = &npu->pmu;
	uint64_t total[AMOUNTS] = { 0 };
	uint64_t sum;
	unsigned int k;

	if (!(pmu->pmcr & ETHOSU_REG_BIT(PMCR_CNT_EN)) || !pmu->enabled)
		return;
	if (count)
		sum_up(plan, first, count, total);
	sum = beats(cmd_bytes, beat_log2(npu->config));
	k = npu_port(npu, npu->store[ETHOSU_REG_QCONFIG / 4]);
	total[READ0 + k] = add(total[READ0 + k], sum);
	total[CYCLES] = add(total[CYCLES], sum);

	if (pmu->enabled & CYCLE_BIT) {
		sum = pmu->cycles + (total[CYCLES] & CYCLE_MASK);
		if (sum > CYCLE_MASK)
			pmu->overflow |= CYCLE_BIT;
		pmu->cycles = sum & CYCLE_MASK;
	}
	for (k = 0; k < npu_pmu_counters(npu); k++) {
		if (!(pmu->enabled >> k & 1))
			continue;
		sum = add(pmu->count[k], event_amount(npu, pmu->type[k], total));
		if (sum > UINT32_MAX)
			pmu->overflow |= 1u << k;
		pmu->count[k] = (uint32_t)sum;
	}
}
