/* SPDX-License-Identifier: MIT */
/*
 * What is in memory when an operation reads it.
 *
 * Each byte that the stream writes remembers who wrote it and whether it was read since. A read of
 * a byte that nobody wrote, and that held nothing when the job started, is a fault. Where operation
 * B writes over bytes of A that were not read yet, all is well if nobody wants them (a convolution
 * with a stride leaves some out); but one that reads a map with bytes of both gets neither's: a fault.
 */
#include "sim/strict_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/npu_internal.h"

#define UNREAD		(1u << 31)
#define WRITER		(~UNREAD)	/* operation plus one; 0: nobody */

#define MAX_WRITERS	64		/* of one map, that are told apart */
#define MAX_CLASHES	1024

/* A stretch of memory that the stream writes to. */
struct stretch {
	uint64_t lo, hi;
	uint32_t *writer;
};

/* Operation @over wrote over bytes of @under that were not read. */
struct clash {
	uint32_t under, over;
};

struct memory {
	struct strict s;
	const struct npu_strict_memory *given;
	struct stretch *stretches;
	size_t count;
	struct clash clash[MAX_CLASHES];
	size_t clashes;
	/* Of the map being read. */
	uint8_t channel;
	uint32_t writers[MAX_WRITERS];
	unsigned int writer_count;
};

static const char *const names[] = {
	[NPU_CH_IFM] = "IFM",	   [NPU_CH_IFM2] = "IFM2",	    [NPU_CH_WEIGHT] = "weights",
	[NPU_CH_SCALE] = "scales", [NPU_CH_DMA_READ] = "DMA source", [NPU_CH_DMA_INDEX] = "DMA index",
};

/* ---- stretches ---- */

static int add_stretch(struct memory *m, uint64_t lo, uint64_t hi)
{
	struct stretch *more = realloc(m->stretches, (m->count + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	m->stretches = more;
	m->stretches[m->count++] = (struct stretch){ .lo = lo, .hi = hi };
	return 0;
}

/* Where region @space's [lo, hi) is written. */
static int collect(void *ctx, unsigned int space, int64_t lo, int64_t hi, enum npu_channel channel)
{
	struct memory *m = ctx;

	if (space >= NPU_REGIONS || npu_channel_access(channel) != NPU_ACCESS_WRITE)
		return 0;
	lo += (int64_t)m->given->base[space];
	hi += (int64_t)m->given->base[space];
	/* The same again, as a rule: grow the last. */
	if (m->count && (uint64_t)lo <= m->stretches[m->count - 1].hi &&
	    (uint64_t)hi >= m->stretches[m->count - 1].lo) {
		struct stretch *last = &m->stretches[m->count - 1];

		last->lo = (uint64_t)lo < last->lo ? (uint64_t)lo : last->lo;
		last->hi = (uint64_t)hi > last->hi ? (uint64_t)hi : last->hi;
		return 0;
	}
	return add_stretch(m, (uint64_t)lo, (uint64_t)hi);
}

static int by_address(const void *a, const void *b)
{
	const struct stretch *x = a, *y = b;

	return (x->lo > y->lo) - (x->lo < y->lo);
}

static int make_stretches(struct memory *m, size_t count)
{
	uint64_t span = 0;
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (npu_op_extents(m->s.config, &m->s.program->ops[i], collect, m) == -ENOMEM)
			return -ENOMEM;
	if (m->count)
		qsort(m->stretches, m->count, sizeof(*m->stretches), by_address);
	for (size_t i = 0; i < m->count; i++) {
		struct stretch *last = kept ? &m->stretches[kept - 1] : NULL;

		if (last && m->stretches[i].lo <= last->hi)
			last->hi = m->stretches[i].hi > last->hi ? m->stretches[i].hi : last->hi;
		else
			m->stretches[kept++] = m->stretches[i];
	}
	m->count = kept;
	for (size_t i = 0; i < kept; i++)
		span += m->stretches[i].hi - m->stretches[i].lo;
	if (span > STRICT_MAX_SPAN)
		return strict_fail(&m->s, "size", "%llu bytes are written, too many to look at",
				   (unsigned long long)span);
	for (size_t i = 0; i < kept; i++) {
		m->stretches[i].writer = calloc(m->stretches[i].hi - m->stretches[i].lo,
						sizeof(uint32_t));
		if (!m->stretches[i].writer)
			return -ENOMEM;
	}
	return 0;
}

/* The first stretch that ends above @addr. */
static size_t stretch_at(const struct memory *m, uint64_t addr)
{
	size_t lo = 0, hi = m->count;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (m->stretches[mid].hi > addr)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

/* ---- reading ---- */

static int undefined(struct memory *m, uint64_t addr)
{
	const uint64_t *base = m->given->base;
	unsigned int best = 0;

	/* The region that begins last before it: a guess for the message. */
	for (unsigned int i = 1; i < NPU_REGIONS; i++)
		if (base[i] <= addr && (base[best] > addr || base[i] > base[best]))
			best = i;
	return strict_fail(&m->s, "never written", "%s at 0x%llx of region %u", names[m->channel],
			   (unsigned long long)(addr - base[best]), best);
}

static int check_defined(struct memory *m, uint64_t lo, uint64_t hi)
{
	uint64_t bad = lo;

	if (lo >= hi || !m->given->defined ||
	    m->given->defined(m->given->ctx, lo, hi - lo, &bad))
		return 0;
	return undefined(m, bad);
}

static int meet(struct memory *m, uint32_t writer)
{
	for (unsigned int i = 0; i < m->writer_count; i++)
		if (m->writers[i] == writer)
			return 0;
	for (size_t i = 0; i < m->clashes; i++) {
		const struct clash *c = &m->clash[i];
		uint32_t other = c->under == writer ? c->over : c->over == writer ? c->under : 0;

		for (unsigned int k = 0; other && k < m->writer_count; k++)
			if (m->writers[k] == other)
				return strict_fail(&m->s, "live data",
						   "%s is of the operation at 0x%x, but that at 0x%x "
						   "wrote over it", names[m->channel],
						   m->s.program->ops[c->under - 1].offset,
						   m->s.program->ops[c->over - 1].offset);
	}
	if (m->writer_count < MAX_WRITERS)
		m->writers[m->writer_count++] = writer;
	return 0;
}

static int read_bytes(struct memory *m, uint64_t lo, uint64_t hi)
{
	size_t i = stretch_at(m, lo);
	uint64_t unwritten = lo;
	uint32_t last = 0;
	int rc = 0;

	for (; i < m->count && m->stretches[i].lo < hi && !rc; i++) {
		const struct stretch *st = &m->stretches[i];
		uint64_t at = lo > st->lo ? lo : st->lo, end = hi < st->hi ? hi : st->hi;

		rc = strict_spend(&m->s, (end - at) * STRICT_BYTE);
		for (; at < end && !rc; at++) {
			uint32_t *writer = &st->writer[at - st->lo];

			if (!*writer)
				continue;
			if (unwritten < at)
				rc = check_defined(m, unwritten, at);
			unwritten = at + 1;
			*writer &= WRITER;
			if (!rc && *writer != last)
				rc = meet(m, *writer);
			last = *writer;
		}
	}
	return rc ? rc : check_defined(m, unwritten, hi);
}

/* ---- writing ---- */

static void note_clash(struct memory *m, uint32_t under)
{
	uint32_t over = (uint32_t)m->s.op + 1;

	for (size_t i = m->clashes; i-- > 0;)
		if (m->clash[i].under == under && m->clash[i].over == over)
			return;
	if (m->clashes < MAX_CLASHES)
		m->clash[m->clashes++] = (struct clash){ under, over };
}

static void write_bytes(struct memory *m, uint64_t lo, uint64_t hi)
{
	size_t i = stretch_at(m, lo);
	uint32_t own = (uint32_t)m->s.op + 1, last = 0;
	const struct stretch *st;

	/* Out of range is another fault. */
	if (i == m->count)
		return;
	st = &m->stretches[i];
	if (lo < st->lo || hi > st->hi)
		return;
	for (; lo < hi; lo++) {
		uint32_t *writer = &st->writer[lo - st->lo];

		if (*writer & UNREAD && (*writer & WRITER) != own && *writer != last) {
			note_clash(m, *writer & WRITER);
			last = *writer;
		}
		*writer = own | UNREAD;
	}
}

/* ---- operations ---- */

static int access_run(void *ctx, uint64_t addr, uint64_t len, enum npu_channel channel)
{
	struct memory *m = ctx;
	int rc;

	if (npu_channel_access(channel) == NPU_ACCESS_WRITE) {
		rc = strict_spend(&m->s, len * STRICT_BYTE);
		if (!rc)
			write_bytes(m, addr, addr + len);
		return rc;
	}
	if (channel != m->channel)
		m->writer_count = 0;
	m->channel = (uint8_t)channel;
	return read_bytes(m, addr, addr + len);
}

/* An indexed copy may write any row: from then on all are taken as written. */
static int written_range(void *ctx, unsigned int space, int64_t lo, int64_t hi,
			 enum npu_channel channel)
{
	struct memory *m = ctx;
	uint64_t base = m->given->base[space % NPU_REGIONS];
	int rc;

	if (space >= NPU_REGIONS || channel != NPU_CH_DMA_WRITE)
		return 0;
	rc = strict_spend(&m->s, (uint64_t)(hi - lo) * STRICT_BYTE);
	if (!rc)
		write_bytes(m, base + (uint64_t)lo, base + (uint64_t)hi);
	return rc;
}

static int check_op(struct memory *m, size_t i)
{
	const struct npu_op *op = &m->s.program->ops[i];
	const struct npu_space_map none = { 0 };
	int rc;

	m->s.op = i;
	m->writer_count = 0;
	rc = strict_spend(&m->s, strict_elements(op) * STRICT_BYTE);
	if (rc)
		return rc;
	if (op->kind == NPU_KIND_DMA && (op->dma_src_indexed || op->dma_dst_indexed)) {
		rc = npu_op_extents(m->s.config, op, written_range, m);
		/* Out of range is another fault. */
		return rc == -ERANGE ? 0 : rc;
	}
	return npu_log_runs(op, m->given->base, &none, access_run, m);
}

int npu_strict_memory_check(const struct npu_config *config, const struct npu_program *program,
			    size_t count, const struct npu_strict_memory *memory,
			    struct npu_strict_fault *fault)
{
	struct memory *m = calloc(1, sizeof(*m));
	int rc;

	if (!m)
		return -ENOMEM;
	strict_begin(&m->s, config, program, fault);
	m->given = memory;
	rc = make_stretches(m, count);
	for (size_t i = 0; i < count && !rc; i++)
		rc = check_op(m, i);
	for (size_t i = 0; i < m->count; i++)
		free(m->stretches[i].writer);
	free(m->stretches);
	free(m);
	return rc;
}
