/* SPDX-License-Identifier: MIT */
/*
 * From a command stream to a plan: decoded, measured, its memory envelopes known; and the cache of
 * plans, so that a stream that comes back costs one comparison.
 *
 * A plan is found by hash and confirmed by comparing all words and the NPU_SET_* state it starts
 * from: a client cannot make another's stream run in the place of its own.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/npu_internal.h"
#include "sim/strict.h"

static const uint16_t lut_size[] = {
	[NPU_LUT_U8_U8] = 256,
	[NPU_LUT_S8_S8] = 256,
	[NPU_LUT_S8_S16] = 256 * 2,
	[NPU_LUT_S8_S32] = 256 * 4,
	[NPU_LUT_S16_S16] = 512 * 4,
	[NPU_LUT_S16_S32] = 512 * 4,
	[NPU_LUT_TANH] = 512 * 4,
	[NPU_LUT_SIGMOID] = 512 * 4,
	[NPU_LUT_SIGMOID_BUILTIN] = 0,
};

struct range_walk {
	const struct npu *npu;
	uint64_t chain_size;
	struct npu_ranges *out;
	struct npu_range *bad;
};

static int add_range(void *ctx, unsigned int space, int64_t lo, int64_t hi,
		     enum npu_channel channel)
{
	struct range_walk *walk = ctx;
	struct npu_range range = { .space = space, .channel = channel, .lo = lo, .hi = hi };
	int64_t limit = walk->npu->addr_limit;

	if (lo >= hi)
		return 0;
	if (space == NPU_SPACE_INTERNAL)
		limit = walk->npu->internal_size;
	else if (space == NPU_SPACE_CHAIN)
		limit = walk->chain_size;
	*walk->bad = range;
	if (hi > limit || lo < (space < NPU_REGIONS ? -limit : 0) ||
	    walk->out->count == NPU_MAX_RANGES)
		return -ERANGE;
	walk->out->range[walk->out->count++] = range;
	return 0;
}

int npu_op_ranges(const struct npu *npu, const struct npu_op *op, uint64_t chain_size,
		  struct npu_ranges *out, struct npu_range *bad)
{
	struct range_walk walk = { npu, chain_size, out, bad };
	int ret;

	out->count = 0;
	*bad = (struct npu_range){
		.channel = op->kind == NPU_KIND_DMA ? NPU_CH_DMA_READ : NPU_CH_IFM,
	};
	ret = npu_op_extents(npu->config, op, add_range, &walk);
	if (ret)
		return ret;
	if (op->lut >= sizeof(lut_size) / sizeof(lut_size[0]))
		return -ERANGE;
	if (lut_size[op->lut] && (uint64_t)op->lut_offset + lut_size[op->lut] > npu->internal_size) {
		*bad = (struct npu_range){ .space = NPU_SPACE_INTERNAL, .channel = NPU_CH_IFM,
					   .lo = op->lut_offset,
					   .hi = (int64_t)op->lut_offset + lut_size[op->lut] };
		return -ERANGE;
	}
	return 0;
}

/* Words up to the first operation too many: the decoder then finds no STOP there. */
static size_t bounded_words(const uint32_t *words, size_t count)
{
	size_t ops = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		if (words[i] & 0xc000)
			i++;
		else if (!(words[i] & 0x100) && ++ops > NPU_MAX_OPS)
			return i;
	}
	return count;
}

static void widen(struct npu_envelope *envelope, const struct npu_ranges *ranges)
{
	unsigned int i;

	for (i = 0; i < ranges->count; i++) {
		const struct npu_range *range = &ranges->range[i];
		struct npu_envelope *e = &envelope[range->space];

		if (!e->access || range->lo < e->lo)
			e->lo = range->lo;
		if (!e->access || range->hi > e->hi)
			e->hi = range->hi;
		e->access |= npu_channel_access(range->channel);
	}
}

/* Find what the operations touch, and which of them can not run at all. */
static int measure(struct npu *npu, struct npu_job_plan *plan)
{
	struct npu_program *program = &plan->program;
	uint64_t work = 0, chunk = 0, own;
	struct npu_ranges ranges;
	size_t i;

	plan->chunks = calloc(program->count + 1, sizeof(*plan->chunks));
	if (!plan->chunks)
		return -ENOMEM;
	for (i = 0; i < program->count; i++) {
		if (npu_op_ranges(npu, &program->ops[i], program->chain_size, &ranges, &plan->bad)) {
			plan->limit = NPU_LIMIT_RANGE;
			break;
		}
		own = npu_op_work(&program->ops[i]);
		if (own > npu->work_limit - work) {
			plan->limit = NPU_LIMIT_WORK;
			break;
		}
		work += own;
		chunk += own;
		if (chunk > npu->chunk_work) {
			if (i)
				plan->chunks[plan->chunk_count++] = i;
			chunk = own;
		}
		widen(plan->envelope, &ranges);
	}
	plan->runnable = i;
	return 0;
}

static void plan_free(struct npu *npu, struct npu_job_plan *plan)
{
	if (plan->prepared)
		npu->engine_ops->release(npu->engine, plan->prepared);
	npu_program_free(&plan->program);
	free(plan->words);
	free(plan->pmu.amounts);
	free(plan->chunks);
	free(plan);
}

/* Decode the plan's words as far as @offset. */
static int decode_plan(const struct npu *npu, struct npu_job_plan *plan, uint32_t offset)
{
	size_t count = bounded_words(plan->words, plan->word_count);

	return npu_decode(npu->config, &plan->start, plan->words,
			  offset / 4 < count ? offset / 4 : count, &plan->program);
}

/* Strict: what hardware would not run right ends the stream there. */
static int check_strict(const struct npu *npu, struct npu_job_plan *plan)
{
	struct npu_program *program = &plan->program;
	struct npu_strict_fault fault;
	int ret = npu_strict_stream(npu->config, program, &fault);
	uint32_t offset;

	if (ret != -EINVAL)
		return ret;
	offset = program->ops[fault.op].offset;
	npu_program_free(program);
	ret = decode_plan(npu, plan, offset);
	if (ret)
		return ret;
	program->end_offset = offset;
	snprintf(program->why, sizeof(program->why), "%s", fault.text);
	return 0;
}

static int plan_build(struct npu *npu, const uint8_t *bytes, size_t len, struct npu_job_plan **out)
{
	struct npu_job_plan *plan = calloc(1, sizeof(*plan));
	struct npu_program *program;
	int ret = -ENOMEM;

	if (!plan)
		return -ENOMEM;
	program = &plan->program;
	plan->words = malloc(len + 1);
	if (!plan->words)
		goto fail;
	if (len)
		memcpy(plan->words, bytes, len);
	plan->word_count = len / sizeof(uint32_t);
	plan->start = npu->state;
	ret = decode_plan(npu, plan, UINT32_MAX);
	if (!ret && npu->strict)
		ret = check_strict(npu, plan);
	if (ret)
		goto fail;
	if (program->chain_size > NPU_MAX_CHAIN) {
		program->end = NPU_STOP_PARSE_ERROR;
		program->end_offset = program->count ? program->ops[0].offset : 0;
		program->count = 0;
		program->event_count = 0;
		program->chain_size = 0;
		strcpy(program->why, "chained feature maps too large");
	}
	ret = measure(npu, plan);
	if (ret)
		goto fail;
	plan->bytes = sizeof(*plan) + len + program->event_count * sizeof(*program->events) +
		      program->count * (sizeof(*program->ops) + sizeof(*program->aux) + NPU_PMU_AMOUNTS * sizeof(uint64_t) +
					sizeof(*plan->chunks));
	*out = plan;
	return 0;
fail:
	plan_free(npu, plan);
	return ret;
}

static void evict(struct npu *npu, unsigned int slot)
{
	struct npu_plan_cache *cache = &npu->cache;
	struct npu_job_plan *plan = cache->plan[slot];

	cache->bytes -= plan->bytes;
	if (cache->last == plan)
		cache->last = NULL;
	cache->plan[slot] = cache->plan[--cache->count];
	plan_free(npu, plan);
}

static void make_room(struct npu *npu, size_t bytes)
{
	struct npu_plan_cache *cache = &npu->cache;
	unsigned int i, oldest;

	while (cache->count &&
	       (cache->count == NPU_MAX_PLANS || cache->bytes + bytes > NPU_MAX_PLAN_BYTES)) {
		oldest = 0;
		for (i = 1; i < cache->count; i++) {
			if (cache->plan[i]->stamp < cache->plan[oldest]->stamp)
				oldest = i;
		}
		evict(npu, oldest);
	}
}

static XXH128_hash_t hash_stream(const struct npu *npu, const void *bytes, size_t len)
{
	XXH64_hash_t seed = XXH3_64bits(&npu->state, sizeof(npu->state));

	return XXH3_128bits_withSeed(bytes, len, seed);
}

static bool same_stream(const struct npu *npu, const struct npu_job_plan *plan,
			const uint8_t *bytes, size_t len, uint64_t addr,
			const struct npu_window *win)
{
	if (plan->word_count != len / sizeof(uint32_t))
		return false;
	if (memcmp(&plan->start, &npu->state, sizeof(npu->state)))
		return false;
	if (win && win->constant && plan->cmd_id == win->id && plan->cmd_addr == addr)
		return true;
	return !len || !memcmp(plan->words, bytes, len);
}

static struct npu_job_plan *lookup(const struct npu *npu, const uint8_t *bytes, size_t len,
				   uint64_t addr, const struct npu_window *win)
{
	const struct npu_plan_cache *cache = &npu->cache;
	XXH128_hash_t hash;
	unsigned int i;

	if (cache->last && same_stream(npu, cache->last, bytes, len, addr, win))
		return cache->last;
	if (!cache->count)
		return NULL;
	hash = hash_stream(npu, bytes, len);
	for (i = 0; i < cache->count; i++) {
		if (XXH128_isEqual(cache->plan[i]->hash, hash) &&
		    same_stream(npu, cache->plan[i], bytes, len, addr, win))
			return cache->plan[i];
	}
	return NULL;
}

int npu_plan_find(struct npu *npu, const uint8_t *bytes, size_t len, uint64_t addr,
		  const struct npu_window *win, struct npu_job_plan **out)
{
	struct npu_plan_cache *cache = &npu->cache;
	struct npu_job_plan *plan = lookup(npu, bytes, len, addr, win);
	bool hit = plan;
	int ret;

	if (!plan) {
		ret = plan_build(npu, bytes, len, &plan);
		if (ret)
			return ret;
		/* Of the copy: a guest may be writing to the original. */
		plan->hash = hash_stream(npu, plan->words, len);
		make_room(npu, plan->bytes);
		cache->plan[cache->count++] = plan;
		cache->bytes += plan->bytes;
	}
	plan->stamp = ++cache->clock;
	plan->cmd_id = win && win->constant ? win->id : 0;
	plan->cmd_addr = addr;
	cache->last = plan;
	pthread_mutex_lock(&npu->lock);
	*(hit ? &npu->stats.plan_hits : &npu->stats.plan_misses) += 1;
	pthread_mutex_unlock(&npu->lock);
	*out = plan;
	return 0;
}

void npu_plan_window_gone(struct npu *npu, uint64_t id)
{
	unsigned int i;

	for (i = 0; i < npu->cache.count; i++) {
		if (npu->cache.plan[i]->cmd_id == id)
			npu->cache.plan[i]->cmd_id = 0;
	}
}

void npu_plan_drop_all(struct npu *npu)
{
	while (npu->cache.count)
		evict(npu, npu->cache.count - 1);
}
