/* SPDX-License-Identifier: MIT */
/*
 * Tests: the simulator's decoder as the judge of the validator. The envelope of every operation is
 * compared, and the runs of bytes of those that are not too large, the way the access log has them.
 */
#include "tests/validate_oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/npu_internal.h"
#include "uapi/ethosu_isa.h"

/* Runs of an operation up to which they are walked. */
#define WALK_MAX 1024

/* What lies where a region would: far enough apart that no run ends in another's. */
#define REGION_STEP ((uint64_t)1 << 48)
#define REGION_BASE ((uint64_t)1 << 44)

struct judge {
	struct oracle *out;
	const struct npu_config *config;
	const struct ethosu_stream_use *use;
	const struct npu_program *program;
	const struct npu_op *op;
};

static const char *const channel_name[] = {
	[NPU_CH_CMD] = "command stream",
	[NPU_CH_IFM] = "IFM",
	[NPU_CH_IFM2] = "IFM2",
	[NPU_CH_WEIGHT] = "weights",
	[NPU_CH_SCALE] = "scales",
	[NPU_CH_DMA_READ] = "DMA source",
	[NPU_CH_DMA_INDEX] = "DMA indices",
	[NPU_CH_OFM] = "OFM",
	[NPU_CH_DMA_WRITE] = "DMA destination",
};

/* Bytes of the memories that the NPU has to itself. */
static int64_t own_size(const struct judge *j, unsigned int space)
{
	if (space == NPU_SPACE_CHAIN)
		return (int64_t)j->program->chain_size;
	return j->config->arch == 85 ? NPU_LUT_RAM_SIZE : j->config->shram_kib * 1024;
}

static int64_t limit(const struct judge *j, unsigned int space, enum npu_channel channel)
{
	const struct ethosu_region_use *r;

	if (space >= NPU_REGIONS)
		return own_size(j, space);
	r = &j->use->region[space];
	if (channel == NPU_CH_OFM || channel == NPU_CH_DMA_WRITE)
		return (int64_t)r->write_end;
	return (int64_t)r->read_end;
}

static int stray(struct judge *j, unsigned int space, int64_t lo, int64_t hi,
		 enum npu_channel channel, const char *how)
{
	j->out->verdict = ORACLE_STRAY;
	snprintf(j->out->why, sizeof(j->out->why),
		 "command at 0x%x: %s %s bytes %lld to %lld of space %u, allowed up to %lld",
		 j->op->offset, channel_name[channel], how, (long long)lo, (long long)hi, space,
		 (long long)limit(j, space, channel));
	return 1;
}

/* What npu_op_ranges() looks at of a device. */
static struct npu device(const struct npu_config *config)
{
	return (struct npu){
		.config = config,
		.addr_limit = 1ull << ETHOSU_ADDRESS_BITS,
		.internal_size = config->arch == 85 ? NPU_LUT_RAM_SIZE : config->shram_kib * 1024,
	};
}

/* The envelopes of an operation: feature maps, streams, tables inside the NPU. */
static int judge_ranges(struct judge *j)
{
	const struct npu npu = device(j->config);
	struct npu_ranges ranges;
	struct npu_range bad;

	if (npu_op_ranges(&npu, j->op, j->program->chain_size, &ranges, &bad)) {
		/* More in chaining buffers than the simulation keeps memory for: it runs none of it. */
		if (j->program->chain_size > NPU_MAX_CHAIN) {
			j->out->verdict = ORACLE_UNMODELLED;
			return 1;
		}
		return stray(j, bad.space, bad.lo, bad.hi, bad.channel, "cannot have");
	}
	for (unsigned int i = 0; i < ranges.count; i++) {
		const struct npu_range *r = &ranges.range[i];

		if (r->lo < 0 || r->hi > limit(j, r->space, r->channel))
			return stray(j, r->space, r->lo, r->hi, r->channel, "covers");
	}
	return 0;
}

static int judge_run(void *ctx, uint64_t addr, uint64_t len, enum npu_channel channel)
{
	struct judge *j = ctx;
	unsigned int space = (unsigned int)(addr / REGION_STEP);
	int64_t lo = (int64_t)(addr % REGION_STEP) - (int64_t)REGION_BASE;

	if (lo >= 0 && lo + (int64_t)len <= limit(j, space, channel))
		return 0;
	return stray(j, space, lo, lo + (int64_t)len, channel, "touches");
}

static uint64_t fm_runs(const struct npu_fm *fm)
{
	uint64_t bricks = fm->brick ? (fm->depth + 15u) / 16 : 1;

	if (fm->broadcast & NPU_BROADCAST_SCALAR)
		return 0;
	return (uint64_t)fm->height * fm->width * bricks;
}

static uint64_t op_runs(const struct npu_op *op)
{
	if (op->kind == NPU_KIND_DMA)
		return (uint64_t)op->dma_rows * op->dma_planes;
	return fm_runs(&op->a) + fm_runs(&op->b) + fm_runs(&op->ofm);
}

/* Indices as a client may have them, the largest one among them. */
static void fill_indices(int32_t *table, size_t count, uint32_t max)
{
	for (size_t i = 0; i < count; i++)
		table[i] = (int32_t)(i % 3 == 0 ? max : max - (uint32_t)(i * 2654435761u) % (max + 1));
}

static int walk(struct judge *j)
{
	static const struct npu_space_map none;
	const struct npu_op *op = j->op;
	int32_t table[WALK_MAX];
	struct npu_space_map idx = { .base = (uint8_t *)table, .lo = (int64_t)op->dma_idx };
	uint64_t base[NPU_REGIONS];
	bool indexed = op->kind == NPU_KIND_DMA && (op->dma_src_indexed || op->dma_dst_indexed);

	if (op_runs(op) > WALK_MAX || (indexed && op->dma_planes > 1))
		return 0;
	for (unsigned int i = 0; i < NPU_REGIONS; i++)
		base[i] = i * REGION_STEP + REGION_BASE;
	if (indexed)
		fill_indices(table, op->dma_rows, op->dma_idx_max);
	j->out->walked++;
	return npu_log_runs(op, base, indexed ? &idx : &none, judge_run, j);
}

/* What the validator lets pass although the simulator, so far, has no meaning for it. */
static bool unmodelled(const char *why)
{
	static const char *const texts[] = {
		"not modelled",
		/* Channels of unequal count: Mesa's, and bounded by the larger. */
		"depthwise from", "pooling from",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strstr(why, texts[i]))
			return true;
	return false;
}

void oracle_judge(struct oracle *o, const struct npu_config *config, const struct npu_state *start,
		  const uint32_t *words, size_t count, const struct ethosu_stream_use *use)
{
	struct npu_program program;
	struct judge j = { .out = o, .config = config, .use = use, .program = &program };

	o->verdict = ORACLE_GOOD;
	if (npu_decode(config, start, words, count, &program))
		abort();
	for (size_t i = 0; i < program.count && o->verdict == ORACLE_GOOD; i++) {
		j.op = &program.ops[i];
		o->ops++;
		if (!judge_ranges(&j))
			walk(&j);
	}
	if (o->verdict == ORACLE_GOOD &&
	    (program.end != NPU_STOP_END || program.end_offset != 4 * count)) {
		o->verdict = unmodelled(program.why) ? ORACLE_UNMODELLED : ORACLE_FAULT;
		snprintf(o->why, sizeof(o->why), "at 0x%x: %s", program.end_offset,
			 program.end == NPU_STOP_END ? "STOP before the end" : program.why);
	}
	npu_program_free(&program);
}

bool oracle_runs(const struct npu_config *config, const uint32_t *words, size_t count)
{
	const struct npu_state reset = { .cmd0 = { 0 } };
	const struct npu npu = device(config);
	struct npu_program program;
	struct npu_ranges ranges;
	struct npu_range bad;
	bool runs;

	if (npu_decode(config, &reset, words, count, &program))
		abort();
	runs = program.end == NPU_STOP_END;
	for (size_t i = 0; i < program.count && runs; i++)
		runs = !npu_op_ranges(&npu, &program.ops[i], program.chain_size, &ranges, &bad);
	npu_program_free(&program);
	return runs;
}
