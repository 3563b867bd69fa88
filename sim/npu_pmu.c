/* SPDX-License-Identifier: MIT */
/*
 * The performance monitor, and the cost of an operation that it counts.
 *
 * There is no public description of the cycle behaviour, so the cost is simple on purpose: each
 * operation takes the longest of
 * - the MAC array: multiply-accumulates / MACs per cycle; depthwise and pooling use one of the eight
 *   channels a dot product has,
 * - the output unit: elements / (MACs / 16) per cycle,
 * - each AXI port in each direction: bytes / bus width per cycle (8 on the U55, else 16),
 * and operations follow each other without overlap. Fetching the command stream adds its beats.
 * All counted time is active time: NPU_IDLE stays 0, and PMCCNTR_CFG has nothing to leave out.
 * Events that are not in the table below (stalls, latencies, ECC) count nothing.
 */
#include <string.h>

#include "sim/npu_internal.h"

#define CYCLE_BIT		(1u << 31)
#define CYCLE_MASK		((1ull << 48) - 1)
#define EVENT_MASK		0x3ffu

enum amount { CYCLES, MAC, MAC_8, MAC_16, MAC_32, OUT, READ0, READ1, WRITE0, WRITE1, AMOUNTS };

_Static_assert(AMOUNTS == NPU_PMU_AMOUNTS, "struct npu_pmu_total holds all amounts");

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

static uint64_t mul(uint64_t a, uint64_t b)
{
	uint64_t product;

	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static uint64_t add(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static uint64_t ceil_div(uint64_t a, uint64_t b)
{
	return a / b + (a % b != 0);
}

static uint64_t fm_elements(const struct npu_fm *fm)
{
	if (fm->broadcast & NPU_BROADCAST_SCALAR)
		return 0;
	return mul(mul(fm->height, fm->width), fm->depth);
}

static void read_bytes(struct npu_cost *cost, unsigned int space, uint64_t bytes)
{
	cost->work = add(cost->work, bytes);
	if (space >= NPU_REGIONS)
		return;
	cost->read[space] = add(cost->read[space], bytes);
	cost->touched |= 1u << space;
}

static void write_bytes(struct npu_cost *cost, unsigned int space, uint64_t bytes)
{
	cost->work = add(cost->work, bytes);
	if (space >= NPU_REGIONS)
		return;
	cost->write[space] = add(cost->write[space], bytes);
	cost->touched |= 1u << space;
}

static void dma_cost(const struct npu_op *op, struct npu_cost *cost)
{
	uint64_t rows = mul(op->dma_rows, op->dma_planes);
	uint64_t bytes = mul(rows, op->dma_len);

	read_bytes(cost, op->dma_src_space, bytes);
	write_bytes(cost, op->dma_dst_space, bytes);
	if (op->dma_src_indexed || op->dma_dst_indexed)
		read_bytes(cost, op->dma_idx_space, mul(rows, sizeof(int32_t)));
	cost->work = add(cost->work, rows);
}

/* Multiply-accumulates, or what stands for them, of each output element. */
static uint64_t taps(const struct npu_op *op)
{
	uint64_t kernel = mul(op->kernel_h, op->kernel_w);

	switch (op->kind) {
	case NPU_KIND_CONV:
	case NPU_KIND_MATMUL:
		return mul(kernel, op->a.depth);
	case NPU_KIND_POOL:
		return op->mode == NPU_POOL_REDUCE_SUM ? mul(kernel, op->a.depth) : kernel;
	case NPU_KIND_RESIZE:
		return 4;	/* neighbours */
	case NPU_KIND_DEPTHWISE:
		return kernel;
	}
	return 0;
}

void npu_op_cost(const struct npu_config *config, const struct npu_op *op, struct npu_cost *cost)
{
	unsigned int lanes = op->kind == NPU_KIND_CONV || op->kind == NPU_KIND_MATMUL ? 1 : 8;
	uint64_t outputs = mul(mul(op->oh, op->ow), op->oc);
	uint64_t macs = mul(outputs, taps(op));
	unsigned int i;

	memset(cost, 0, sizeof(*cost));
	if (op->kind == NPU_KIND_DMA) {
		dma_cost(op, cost);
		return;
	}
	cost->elem_log2 = op->a.elem_log2;
	cost->mac_cycles = ceil_div(mul(macs, lanes), config->macs);
	cost->out_cycles = ceil_div(mul(outputs, 16), config->macs);
	cost->work = add(add(macs, outputs), add(fm_elements(&op->a), fm_elements(&op->b)));
	read_bytes(cost, op->a.space, mul(fm_elements(&op->a), 1u << op->a.elem_log2));
	if (op->kind == NPU_KIND_ELEMENTWISE || op->kind == NPU_KIND_MATMUL)
		read_bytes(cost, op->b.space, mul(fm_elements(&op->b), 1u << op->b.elem_log2));
	write_bytes(cost, op->ofm.space, mul(fm_elements(&op->ofm), 1u << op->ofm.elem_log2));
	if (op->kind != NPU_KIND_CONV && op->kind != NPU_KIND_DEPTHWISE)
		return;
	for (i = 0; i < op->cores && i < NPU_MAX_CORES; i++) {
		read_bytes(cost, op->weight_space, op->weight_len[i]);
		if (op->per_channel)
			read_bytes(cost, op->scale_space, op->scale_len[i]);
	}
}

static uint64_t longest(const uint64_t *amount)
{
	uint64_t most = 0;
	unsigned int i;

	for (i = 0; i < AMOUNTS; i++) {
		if (amount[i] > most)
			most = amount[i];
	}
	return most;
}

static uint64_t beats(uint64_t bytes, unsigned int log2)
{
	return (bytes >> log2) + !!(bytes & ((1u << log2) - 1));
}

static unsigned int beat_log2(const struct npu *npu)
{
	return npu->config->arch == 55 ? 3 : 4;
}

/* One operation in the PMU's terms. @ports: a bit per region. */
static void measure(const struct npu *npu, unsigned int ports, const struct npu_cost *cost,
		    uint64_t *amount)
{
	uint64_t bytes[2][NPU_PORTS] = { { 0 } };
	unsigned int beat = beat_log2(npu);
	unsigned int i, port, touched;

	for (touched = cost->touched; touched; touched &= touched - 1) {
		i = __builtin_ctz(touched);
		port = ports >> i & 1;
		bytes[0][port] = add(bytes[0][port], cost->read[i]);
		bytes[1][port] = add(bytes[1][port], cost->write[i]);
	}
	memset(amount, 0, AMOUNTS * sizeof(*amount));
	amount[MAC] = cost->mac_cycles;
	amount[cost->elem_log2 == 0 ? MAC_8 : cost->elem_log2 == 1 ? MAC_16 : MAC_32] =
		cost->mac_cycles;
	amount[OUT] = cost->out_cycles;
	for (i = 0; i < NPU_PORTS; i++) {
		amount[READ0 + i] = beats(bytes[0][i], beat);
		amount[WRITE0 + i] = beats(bytes[1][i], beat);
	}
	amount[CYCLES] = longest(amount);
}

static void sum_up(const struct npu *npu, const struct npu_cost *cost, size_t count,
		   struct npu_pmu_total *total)
{
	uint8_t ports = 0;
	uint64_t one[AMOUNTS];
	unsigned int k;
	size_t i;

	for (k = 0; k < NPU_REGIONS; k++)
		ports |= npu_port(npu, npu->store[ETHOSU_REG_REGIONCFG / 4] >> 2 * k) << k;
	if (total->valid && total->ports == ports)
		return;
	memset(total, 0, sizeof(*total));
	total->valid = true;
	total->ports = ports;
	for (i = 0; i < count; i++) {
		measure(npu, ports, &cost[i], one);
		for (k = 0; k < AMOUNTS; k++)
			total->amount[k] = add(total->amount[k], one[k]);
	}
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

void npu_pmu_account(struct npu *npu, const struct npu_cost *cost, size_t count,
		     uint64_t cmd_bytes, struct npu_pmu_total *kept)
{
	struct npu_pmu *pmu = &npu->pmu;
	struct npu_pmu_total fresh = { .valid = false };
	struct npu_pmu_total *from = kept ? kept : &fresh;
	uint64_t total[AMOUNTS];
	uint64_t sum;
	unsigned int k;

	if (!(pmu->pmcr & ETHOSU_REG_BIT(PMCR_CNT_EN)) || !pmu->enabled)
		return;
	sum_up(npu, cost, count, from);
	memcpy(total, from->amount, sizeof(total));
	sum = beats(cmd_bytes, beat_log2(npu));
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
