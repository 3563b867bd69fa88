/* SPDX-License-Identifier: MIT */
/*
 * One job: fetch the stream, find its plan, place the memory spaces, run, and say how it ended.
 *
 * As a rule each region's operations together touch one stretch of one window of the bus. Then three
 * or four lookups place the whole job and the engine runs it in one call (a few, if it is long, so
 * that QREAD moves). If some region does not resolve as a whole, operations are placed and run one
 * by one, each operand by itself: those before the first refused access have run, as on hardware.
 * An operand must lie in one window: a feature map with all its tiles, the weight streams of all
 * cores together, the scale streams likewise.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/npu_internal.h"
#include "sim/strict.h"

/* NPU_OP_*, as far as the machine acts on them. */
#define OP_IRQ		0x001
#define OP_PMU_MASK	0x013

/* Operand numbers stand in for regions when operands are placed one by one. */
enum operand {
	OPERAND_A,
	OPERAND_B,
	OPERAND_OFM,
	OPERAND_WEIGHT,
	OPERAND_SCALE,
	OPERAND_DMA_SRC,
	OPERAND_DMA_DST,
	OPERAND_DMA_IDX,
};

_Static_assert(OPERAND_DMA_IDX < NPU_REGIONS, "operands stand in for regions");

/**
 * struct npu_job - the registers as they were at the start, and how far it is
 * @port: which AXI port each region is on
 * @pos: next operation
 * @event: next event
 * @chunk: next entry of plan->chunks
 * @faults: STATUS bits to set at the end
 * @state: NPU_SET_* state the job leaves; NULL: as it was
 * @resume: operation to go on with after a stop_request
 */
struct npu_job {
	struct npu *npu;
	uint64_t qbase, qsize;
	uint64_t base[NPU_REGIONS];
	unsigned int port[NPU_REGIONS], cmd_port;
	struct npu_job_plan *plan;
	struct npu_space_map map[NPU_SPACES];
	bool whole;
	size_t pos, event, chunk;
	uint32_t faults;
	uint32_t qread;
	uint16_t history;
	bool end, irq;
	size_t resume;
	const struct npu_state *state;
	struct npu_program prefix;
	char why[200];
};

static const char *const channel_name[] = {
	[NPU_CH_CMD] = "command stream",
	[NPU_CH_IFM] = "IFM",
	[NPU_CH_IFM2] = "IFM2",
	[NPU_CH_WEIGHT] = "weights",
	[NPU_CH_SCALE] = "scales",
	[NPU_CH_DMA_READ] = "DMA source",
	[NPU_CH_DMA_INDEX] = "DMA index table",
	[NPU_CH_OFM] = "OFM",
	[NPU_CH_DMA_WRITE] = "DMA destination",
};

static const uint8_t axi_channel[] = {
	[NPU_CH_CMD] = ETHOSU_U85_PMU_AXI_CHANNEL_RD_CMD,
	[NPU_CH_IFM] = ETHOSU_U85_PMU_AXI_CHANNEL_RD_IFM,
	[NPU_CH_IFM2] = ETHOSU_U85_PMU_AXI_CHANNEL_RD_IFM,
	[NPU_CH_WEIGHT] = ETHOSU_U85_PMU_AXI_CHANNEL_RD_WEIGHTS,
	[NPU_CH_SCALE] = ETHOSU_U85_PMU_AXI_CHANNEL_RD_SCALE_BIAS,
	[NPU_CH_DMA_READ] = ETHOSU_U85_PMU_AXI_CHANNEL_RD_MEM2MEM,
	[NPU_CH_DMA_INDEX] = ETHOSU_U85_PMU_AXI_CHANNEL_RD_MEM2MEM_IDX,
	[NPU_CH_OFM] = ETHOSU_U85_PMU_AXI_CHANNEL_WR_OFM,
	[NPU_CH_DMA_WRITE] = ETHOSU_U85_PMU_AXI_CHANNEL_WR_MEM2MEM,
};

static void log_access(struct npu_job *job, uint64_t addr, uint64_t len, uint32_t offset,
		       enum npu_channel channel, bool granted)
{
	struct npu_access_log entry = {
		.addr = addr,
		.len = len,
		.offset = offset,
		.channel = channel,
		.access = npu_channel_access(channel),
		.granted = granted,
	};

	job->npu->bus->log(job->npu->bus_ctx, &entry);
}

static void bus_error(struct npu_job *job, unsigned int port, enum npu_channel channel)
{
	job->faults |= ETHOSU_REG_BIT(STATUS_BUS_STATUS) | port << ETHOSU_STATUS_FAULTING_INTERFACE_LOW |
		       (uint32_t)axi_channel[channel] << ETHOSU_STATUS_FAULTING_CHANNEL_LOW;
}

/* A bus error of the operation at @pos: the stream stops at its command. */
static void op_fault(struct npu_job *job, unsigned int space, enum npu_channel channel)
{
	const struct npu_job_plan *plan = job->plan;
	const struct npu_op *op = &plan->program.ops[job->pos];

	bus_error(job, space < NPU_REGIONS ? job->port[space] : 0, channel);
	job->qread = op->offset;
	/* What was set when the operation came up. */
	if (!npu_decode(job->npu->config, &plan->start, plan->words, op->offset / 4, &job->prefix))
		job->state = &job->prefix.state;
}

/* Place [lo, hi) of a region. Return 0 or -EFAULT. */
static int place(struct npu_job *job, unsigned int region, int64_t lo, int64_t hi,
		 unsigned int access, struct npu_space_map *map)
{
	struct npu *npu = job->npu;
	int64_t first = (int64_t)job->base[region] + lo;
	int64_t end = (int64_t)job->base[region] + hi;

	if (first < 0 || end > (int64_t)npu->addr_limit)
		return -EFAULT;
	if (npu->bus->resolve(npu->bus_ctx, first, end - first, access, &map->window))
		return -EFAULT;
	map->base = (uint8_t *)map->window.host + (first - map->window.addr);
	map->lo = lo;
	map->hi = hi;
	return 0;
}

static void place_own(struct npu_job *job)
{
	struct npu *npu = job->npu;

	job->map[NPU_SPACE_INTERNAL] = (struct npu_space_map){
		.base = npu->internal, .hi = npu->internal_size,
		.window = { .host = npu->internal, .size = npu->internal_size,
			    .access = NPU_ACCESS_READ | NPU_ACCESS_WRITE },
	};
	if (!job->plan->program.chain_size)
		return;
	job->map[NPU_SPACE_CHAIN] = (struct npu_space_map){
		.base = npu->chain, .hi = job->plan->program.chain_size,
		.window = { .host = npu->chain, .size = npu->chain_size,
			    .access = NPU_ACCESS_READ | NPU_ACCESS_WRITE },
	};
}

/* Place all regions as a whole and have the engine ready. */
static bool place_whole(struct npu_job *job)
{
	struct npu_job_plan *plan = job->plan;
	struct npu *npu = job->npu;
	unsigned int i;

	for (i = 0; i < NPU_REGIONS; i++) {
		const struct npu_envelope *e = &plan->envelope[i];

		if (e->access && place(job, i, e->lo, e->hi, e->access, &job->map[i])) {
			memset(job->map, 0, NPU_REGIONS * sizeof(job->map[0]));
			return false;
		}
	}
	if (plan->prepared || !plan->runnable)
		return true;
	/* If the plan can not be prepared as a whole, one operation is to blame: find it. */
	return !npu->engine_ops->prepare(npu->engine, &plan->prepared, plan->program.ops,
					 plan->runnable, job->map);
}

static int log_one(void *ctx, uint64_t addr, uint64_t len, enum npu_channel channel)
{
	struct npu_job *job = ctx;

	log_access(job, addr, len, job->plan->program.ops[job->pos].offset, channel, true);
	return __atomic_load_n(&job->npu->abort, __ATOMIC_RELAXED);
}

static int log_read(void *ctx, uint64_t addr, uint64_t len, enum npu_channel channel)
{
	return npu_channel_access(channel) == NPU_ACCESS_READ ? log_one(ctx, addr, len, channel) : 0;
}

/* Log the first run of the operation that the bus refuses. */
static int log_refused(void *ctx, uint64_t addr, uint64_t len, enum npu_channel channel)
{
	struct npu_job *job = ctx;
	struct npu *npu = job->npu;
	struct npu_window win;

	if (addr < npu->addr_limit && len <= npu->addr_limit - addr &&
	    !npu->bus->resolve(npu->bus_ctx, addr, len, npu_channel_access(channel), &win))
		return 0;
	log_access(job, addr, len, job->plan->program.ops[job->pos].offset, channel, false);
	return 1;
}

/* Where the index table of a DMA is. */
static const struct npu_space_map *idx_map(const struct npu_job *job, const struct npu_op *op)
{
	if (op->kind != NPU_KIND_DMA)
		return &job->map[0];
	if (job->whole || op->dma_idx_space >= NPU_REGIONS)
		return &job->map[op->dma_idx_space];
	return &job->map[OPERAND_DMA_IDX];
}

/*
 * The engine gave up on the operation at @pos, or it could not be prepared. A DMA has copied the rows
 * before the bad index; a convolution reads its streams before it writes.
 */
static void engine_fault(struct npu_job *job, int ret)
{
	const struct npu_op *op = &job->plan->program.ops[job->pos];
	bool dma = op->kind == NPU_KIND_DMA;

	if (job->npu->bus->log)
		npu_log_runs(op, job->base, idx_map(job, op), dma ? log_one : log_read, job);
	op_fault(job, dma ? op->dma_idx_space : op->weight_space,
		 dma ? NPU_CH_DMA_INDEX : NPU_CH_WEIGHT);
	snprintf(job->why, sizeof(job->why), "bus error: operation at 0x%x: %s", op->offset,
		 ret != -EIO ? strerror(-ret) : dma ? "index out of range" :
		 "weight or scale stream ends early or is malformed");
}

/* Run operations [pos, to) of a job that is placed as a whole. */
static bool run_whole(struct npu_job *job, size_t to)
{
	struct npu *npu = job->npu;
	size_t failed = job->pos;
	int ret;

	ret = npu->engine_ops->run(npu->engine, job->plan->prepared, job->pos, to - job->pos,
				   job->map, &npu->abort, &failed);
	if (!ret)
		return true;
	if (failed >= job->pos && failed < to)
		job->pos = failed;
	engine_fault(job, ret);
	return false;
}

/* Replace the regions of @op by operand numbers; @region gets which one each had. */
static void number_operands(struct npu_op *op, uint8_t region[NPU_REGIONS])
{
	uint8_t *const space[] = {
		[OPERAND_A] = &op->a.space,
		[OPERAND_B] = &op->b.space,
		[OPERAND_OFM] = &op->ofm.space,
		[OPERAND_WEIGHT] = &op->weight_space,
		[OPERAND_SCALE] = &op->scale_space,
		[OPERAND_DMA_SRC] = &op->dma_src_space,
		[OPERAND_DMA_DST] = &op->dma_dst_space,
		[OPERAND_DMA_IDX] = &op->dma_idx_space,
	};
	unsigned int i;

	for (i = 0; i <= OPERAND_DMA_IDX; i++) {
		region[i] = *space[i];
		if (*space[i] < NPU_REGIONS)
			*space[i] = i;
	}
}

/* Tell that the bus refused @range, of @region. */
static void refuse(struct npu_job *job, unsigned int region, const struct npu_range *range)
{
	const struct npu_op *op = &job->plan->program.ops[job->pos];
	const struct npu_space_map none = { 0 };
	uint64_t addr = job->base[region] + (uint64_t)range->lo;

	if (job->npu->bus->log && !npu_log_runs(op, job->base, &none, log_refused, job))
		log_access(job, addr, range->hi - range->lo, op->offset, range->channel, false);
	op_fault(job, region, range->channel);
	snprintf(job->why, sizeof(job->why),
		 "bus error: operation at 0x%x: %s: no %s of %" PRId64 " bytes at 0x%" PRIx64
		 " (region %u)", op->offset, channel_name[range->channel],
		 npu_channel_access(range->channel) == NPU_ACCESS_WRITE ? "write" : "read",
		 range->hi - range->lo, addr, region);
}

/* Place the operands of @op, whose spaces are operand numbers. */
static bool place_operands(struct npu_job *job, const struct npu_op *op,
			   const uint8_t region[NPU_REGIONS], struct npu_space_map *map)
{
	struct npu_range whole[NPU_REGIONS] = { 0 };
	struct npu_ranges ranges;
	struct npu_range bad;
	unsigned int i;

	/* It was walked when the plan was made: it has ranges. */
	if (npu_op_ranges(job->npu, op, job->plan->program.chain_size, &ranges, &bad))
		return false;
	for (i = 0; i < ranges.count; i++) {
		const struct npu_range *range = &ranges.range[i];
		struct npu_range *w = &whole[range->space % NPU_REGIONS];

		if (range->space >= NPU_REGIONS)
			continue;
		if (w->lo == w->hi) {
			*w = *range;
			continue;
		}
		w->lo = range->lo < w->lo ? range->lo : w->lo;
		w->hi = range->hi > w->hi ? range->hi : w->hi;
	}
	for (i = 0; i < NPU_REGIONS; i++) {
		if (whole[i].lo == whole[i].hi)
			continue;
		if (place(job, region[i], whole[i].lo, whole[i].hi,
			  npu_channel_access(whole[i].channel), &map[i])) {
			refuse(job, region[i], &whole[i]);
			return false;
		}
	}
	return true;
}

/* Run the operation at @pos of a job whose regions can not be placed as a whole. */
static bool run_single(struct npu_job *job)
{
	const struct npu_engine_ops *engine_ops = job->npu->engine_ops;
	struct npu_engine *engine = job->npu->engine;
	struct npu_op op = job->plan->program.ops[job->pos];
	struct npu_space_map *const map = job->map;
	uint8_t region[NPU_REGIONS];
	struct npu_plan *prepared;
	size_t failed = 0;
	int ret;

	memset(map, 0, NPU_REGIONS * sizeof(map[0]));
	number_operands(&op, region);
	if (!place_operands(job, &op, region, map))
		return false;
	ret = engine_ops->prepare(engine, &prepared, &op, 1, map);
	if (!ret) {
		ret = engine_ops->run(engine, prepared, 0, 1, map, &job->npu->abort, &failed);
		engine_ops->release(engine, prepared);
	}
	if (!ret)
		return true;
	engine_fault(job, ret);
	return false;
}

static void log_op(struct npu_job *job)
{
	const struct npu_op *op = &job->plan->program.ops[job->pos];

	npu_log_runs(op, job->base, idx_map(job, op), log_one, job);
}

/* Show progress, count what ran. Operations [from, pos) are done. */
static void account(struct npu_job *job, size_t from)
{
	const struct npu_program *program = &job->plan->program;
	struct npu *npu = job->npu;

	pthread_mutex_lock(&npu->lock);
	npu->stats.ops += job->pos - from;
	npu_pmu_account(npu, &job->plan->pmu, from, job->pos - from, 0);
	if (job->pos < program->count) {
		npu->qread = program->ops[job->pos].offset;
		npu->store[ETHOSU_REG_CURRENT_CMD / 4] = job->plan->words[npu->qread / 4];
	}
	npu->store[ETHOSU_REG_CURRENT_OP / 4] =
		job->plan->words[program->ops[job->pos - 1].offset / 4];
	npu_irq_update(npu);
	pthread_mutex_unlock(&npu->lock);
}

/* Events due before the operation at @pos. */
static void run_events(struct npu_job *job)
{
	const struct npu_program *program = &job->plan->program;
	struct npu *npu = job->npu;
	const struct npu_event *event;

	for (; job->event < program->event_count; job->event++) {
		event = &program->events[job->event];
		if (event->before_op > job->pos)
			return;
		pthread_mutex_lock(&npu->lock);
		if (event->opcode == OP_IRQ) {
			npu->irq_history |= event->param;
			npu->irq_raised = true;
		} else if (event->opcode == OP_PMU_MASK) {
			npu_pmu_mask(npu, event->param);
		}
		npu_irq_update(npu);
		pthread_mutex_unlock(&npu->lock);
	}
}

/* How far the next engine call may go. */
static size_t next_stop(struct npu_job *job)
{
	const struct npu_job_plan *plan = job->plan;
	size_t to = plan->runnable;

	if (!job->whole || job->npu->bus->log)
		return job->pos + 1;
	while (job->chunk < plan->chunk_count && plan->chunks[job->chunk] <= job->pos)
		job->chunk++;
	if (job->chunk < plan->chunk_count)
		to = plan->chunks[job->chunk];
	if (job->event < plan->program.event_count &&
	    plan->program.events[job->event].before_op < to)
		to = plan->program.events[job->event].before_op;
	return to;
}

static bool stop_asked(struct npu_job *job)
{
	bool asked;

	pthread_mutex_lock(&job->npu->lock);
	asked = job->npu->stop_asked;
	pthread_mutex_unlock(&job->npu->lock);
	return asked;
}

/* The operation at @pos can not run wherever memory is. */
static void limit_fault(struct npu_job *job)
{
	const struct npu_job_plan *plan = job->plan;
	const struct npu_op *op = &plan->program.ops[job->pos];

	if (plan->limit == NPU_LIMIT_WORK) {
		op_fault(job, op->ofm.space, NPU_CH_OFM);
		snprintf(job->why, sizeof(job->why),
			 "bus error: operation at 0x%x: more work than the simulation's limit",
			 op->offset);
		return;
	}
	op_fault(job, plan->bad.space, plan->bad.channel);
	snprintf(job->why, sizeof(job->why),
		 "bus error: operation at 0x%x: %s: [%" PRId64 ", %" PRId64
		 ") is outside of the memory it is in", op->offset,
		 channel_name[plan->bad.channel], plan->bad.lo, plan->bad.hi);
}

/* All operations that could run have: end as the stream does. */
static void end_of_stream(struct npu_job *job)
{
	const struct npu_program *program = &job->plan->program;

	job->state = &program->state;
	job->qread = program->end_offset;
	switch (program->end) {
	case NPU_STOP_END:
		job->end = true;
		job->history = program->stop_mask;
		return;
	case NPU_STOP_PARSE_ERROR:
		job->faults |= ETHOSU_REG_BIT(STATUS_CMD_PARSE_ERROR);
		snprintf(job->why, sizeof(job->why), "parse error at 0x%x: %s",
			 program->end_offset, program->why);
		return;
	case NPU_STOP_BRANCH_FAULT:
		job->faults |= ETHOSU_REG_BIT(STATUS_BRANCH_FAULT);
		snprintf(job->why, sizeof(job->why), "branch fault at 0x%x", program->end_offset);
		return;
	}
}

static void run_ops(struct npu_job *job)
{
	const struct npu_job_plan *plan = job->plan;
	size_t from, to;

	while (job->event < plan->program.event_count &&
	       job->pos && plan->program.events[job->event].before_op <= job->pos - 1)
		job->event++;
	for (;;) {
		run_events(job);
		if (job->pos == plan->runnable)
			break;
		from = job->pos;
		to = next_stop(job);
		if (!(job->whole ? run_whole(job, to) : run_single(job))) {
			if (job->pos > from)
				account(job, from);
			return;
		}
		/* RESET: no one knows how far it came, and no one may ask. */
		if (__atomic_load_n(&job->npu->abort, __ATOMIC_RELAXED))
			return;
		if (job->npu->bus->log)
			log_op(job);
		job->pos = to;
		account(job, from);
		if (job->pos < plan->program.count && stop_asked(job)) {
			job->resume = job->pos;
			job->qread = plan->program.ops[job->pos].offset;
			return;
		}
	}
	if (plan->limit)
		limit_fault(job);
	else
		end_of_stream(job);
}

/* Strict: what the job finds in memory. False, and a fault, if it is not right. */
static bool strict_memory(struct npu_job *job)
{
	const struct npu_job_plan *plan = job->plan;
	struct npu *npu = job->npu;
	struct npu_strict_memory memory = { .defined = npu->bus->defined, .ctx = npu->bus_ctx };
	struct npu_strict_fault fault;
	int ret;

	memcpy(memory.base, job->base, sizeof(memory.base));
	ret = npu_strict_memory_check(npu->config, &plan->program, plan->runnable, &memory, &fault);
	if (!ret)
		return true;
	if (ret == -ENOMEM)
		fault = (struct npu_strict_fault){ .text = "strict: out of memory" };
	job->faults |= ETHOSU_REG_BIT(STATUS_CMD_PARSE_ERROR);
	job->qread = plan->program.count ? plan->program.ops[fault.op].offset : 0;
	snprintf(job->why, sizeof(job->why), "parse error at 0x%x: %s", job->qread, fault.text);
	return false;
}

static bool ready_chain(struct npu *npu, uint64_t size)
{
	uint8_t *chain;

	if (size <= npu->chain_size)
		return true;
	chain = calloc(1, size);
	if (!chain)
		return false;
	free(npu->chain);
	npu->chain = chain;
	npu->chain_size = size;
	return true;
}

static void cmd_fault(struct npu_job *job, const char *why)
{
	bus_error(job, job->cmd_port, NPU_CH_CMD);
	snprintf(job->why, sizeof(job->why),
		 "bus error: command stream of %" PRIu64 " bytes at 0x%" PRIx64 ": %s",
		 job->qsize, job->qbase, why);
}

/* Fetch the stream and make its plan. */
static bool fetch(struct npu_job *job)
{
	struct npu *npu = job->npu;
	uint64_t size = job->qsize & ~3ull;
	struct npu_window win = { 0 };
	const uint8_t *bytes = NULL;
	unsigned int ports = 0;
	bool granted;

	if (job->qsize > NPU_MAX_STREAM) {
		job->faults |= ETHOSU_REG_BIT(STATUS_CMD_PARSE_ERROR);
		snprintf(job->why, sizeof(job->why), "parse error: QSIZE %" PRIu64 " is over 16 MiB",
			 job->qsize);
		return false;
	}
	if (size) {
		granted = job->qbase + size <= npu->addr_limit &&
			  !npu->bus->resolve(npu->bus_ctx, job->qbase, size, NPU_ACCESS_READ, &win);
		if (npu->bus->log)
			log_access(job, job->qbase, size, 0, NPU_CH_CMD, granted);
		if (!granted) {
			cmd_fault(job, "no such memory");
			return false;
		}
		bytes = (const uint8_t *)win.host + (job->qbase - win.addr);
	}
	for (unsigned int i = 0; i < NPU_REGIONS; i++)
		ports |= job->port[i] << i;
	if (npu_plan_find(npu, bytes, size, job->qbase, size ? &win : NULL, &job->plan) ||
	    !ready_chain(npu, job->plan->program.chain_size) ||
	    npu_pmu_prepare(npu->config, &job->plan->program, job->plan->runnable, ports,
			    &job->plan->pmu)) {
		cmd_fault(job, "out of memory");
		return false;
	}
	return true;
}

static void finish(struct npu_job *job)
{
	struct npu *npu = job->npu;
	uint64_t fetched = job->qread & ~3u;

	pthread_mutex_lock(&npu->lock);
	npu->stats.jobs++;
	npu->in_run = false;
	if (npu->reset_asked) {
		npu_regs_reset(npu, npu->reset_level);
	} else {
		npu_pmu_account(npu, NULL, 0, 0, fetched);
		npu->started = false;
		npu->stop_asked = false;
		npu->status_faults |= job->faults;
		npu->qread = job->qread;
		npu->resume = job->resume;
		npu->cmd_end = job->end;
		npu->irq_history |= job->history;
		npu->irq_raised |= job->end || job->faults;
		if (job->state)
			npu->state = *job->state;
	}
	pthread_mutex_unlock(&npu->lock);
	npu_program_free(&job->prefix);
	if (job->faults)
		npu_trace(npu, "%s", job->why);
}

/* Take the registers. False if there is nothing to do. */
static bool begin(struct npu_job *job)
{
	struct npu *npu = job->npu;
	unsigned int i;

	pthread_mutex_lock(&npu->lock);
	if (!npu->started) {
		pthread_mutex_unlock(&npu->lock);
		return false;
	}
	npu->in_run = true;
	__atomic_store_n(&npu->abort, 0, __ATOMIC_RELAXED);
	job->qbase = npu_reg_addr(npu, ETHOSU_REG_QBASE);
	job->qsize = npu->store[ETHOSU_REG_QSIZE / 4];
	job->cmd_port = npu_port(npu, npu->store[ETHOSU_REG_QCONFIG / 4]);
	for (i = 0; i < NPU_REGIONS; i++) {
		job->base[i] = npu_reg_addr(npu, ETHOSU_REG_BASEP + 8 * i);
		job->port[i] = npu_port(npu, npu->store[ETHOSU_REG_REGIONCFG / 4] >> 2 * i);
	}
	job->pos = npu->resume;
	job->qread = npu->qread;
	pthread_mutex_unlock(&npu->lock);
	return true;
}

void npu_job_run(struct npu *npu)
{
	struct npu_job job = { .npu = npu };

	if (!begin(&job))
		return;
	if (fetch(&job)) {
		/* The stream may be another than the one that was stopped. */
		if (job.pos > job.plan->runnable)
			job.pos = 0;
		place_own(&job);
		job.whole = place_whole(&job);
		/* What a stopped job wrote is not known any more. */
		if (!npu->strict || job.pos || strict_memory(&job))
			run_ops(&job);
	}
	finish(&job);
}
