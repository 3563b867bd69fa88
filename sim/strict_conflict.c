/* SPDX-License-Identifier: MIT */
/*
 * Do two operations touch the same bytes? First by the ranges that they lie in, and where those
 * overlap by every byte: between the columns of one map there may be room for another.
 */
#include "sim/strict_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/npu_internal.h"

/* Regions far apart in one range of addresses. */
#define REGION_SHIFT	50

/* Rows and columns that are walked one by one for an exact answer. */
#define MAX_ELEMENTS	(1u << 24)

struct ranges {
	struct npu_range range[NPU_MAX_RANGES];
	unsigned int count;
};

static int collect(void *ctx, unsigned int space, int64_t lo, int64_t hi, enum npu_channel channel)
{
	struct ranges *r = ctx;

	if (space >= NPU_REGIONS)
		return 0;
	if (r->count == NPU_MAX_RANGES)
		return -ERANGE;
	r->range[r->count++] = (struct npu_range){
		.space = (uint8_t)space, .channel = (uint8_t)channel, .lo = lo, .hi = hi,
	};
	return 0;
}

static bool writes(const struct npu_range *r)
{
	return npu_channel_access(r->channel) == NPU_ACCESS_WRITE;
}

/* By byte of [lo, hi): was it touched by the first operation? */
struct picture {
	uint64_t lo, hi;
	uint8_t channel;
	uint8_t *touched;
	bool drawing;
};

static int touch(void *ctx, uint64_t addr, uint64_t len, enum npu_channel channel)
{
	struct picture *p = ctx;
	uint64_t lo = addr < p->lo ? p->lo : addr;
	uint64_t hi = addr + len > p->hi ? p->hi : addr + len;

	if (channel != p->channel || lo >= hi)
		return 0;
	if (!p->drawing)
		return memchr(p->touched + (lo - p->lo), 1, hi - lo) != NULL;
	memset(p->touched + (lo - p->lo), 1, hi - lo);
	return 0;
}

uint64_t strict_elements(const struct npu_op *op)
{
	const struct npu_fm *fms[] = { &op->a, &op->b, &op->ofm };
	uint64_t most = (uint64_t)op->dma_rows * op->dma_planes;

	for (unsigned int i = 0; i < 3; i++) {
		uint64_t n = (uint64_t)fms[i]->height * fms[i]->width * (fms[i]->depth / 16 + 1);

		most = n > most ? n : most;
	}
	return most;
}

static bool is_walked(const struct npu_op *op)
{
	return !op->dma_src_indexed && !op->dma_dst_indexed && strict_elements(op) <= MAX_ELEMENTS;
}

static int exact(struct strict *s, const struct npu_op *a, const struct npu_range *ra,
		 const struct npu_op *b, const struct npu_range *rb)
{
	int64_t lo = ra->lo > rb->lo ? ra->lo : rb->lo, hi = ra->hi < rb->hi ? ra->hi : rb->hi;
	const struct npu_space_map none = { 0 };
	struct picture p = { .channel = ra->channel, .drawing = true };
	uint64_t base[NPU_REGIONS];
	int rc;

	if (!is_walked(a) || !is_walked(b) || (uint64_t)(hi - lo) > STRICT_MAX_PICTURE)
		return 1;
	rc = strict_spend(s, (uint64_t)(hi - lo) +
				     (strict_elements(a) + strict_elements(b)) * STRICT_BYTE);
	if (rc)
		return rc;
	for (unsigned int i = 0; i < NPU_REGIONS; i++)
		base[i] = (uint64_t)i << REGION_SHIFT;
	p.lo = base[ra->space] + (uint64_t)lo;
	p.hi = base[ra->space] + (uint64_t)hi;
	p.touched = calloc(1, (size_t)(hi - lo));
	if (!p.touched)
		return -ENOMEM;
	npu_log_runs(a, base, &none, touch, &p);
	p.drawing = false;
	p.channel = rb->channel;
	rc = npu_log_runs(b, base, &none, touch, &p);
	free(p.touched);
	return rc;
}

int strict_conflict(struct strict *s, const struct npu_op *a, const struct npu_op *b)
{
	struct ranges ra = { .count = 0 }, rb = { .count = 0 };
	int rc;

	/* Out of range is another fault. */
	if (npu_op_extents(s->config, a, collect, &ra) || npu_op_extents(s->config, b, collect, &rb))
		return 0;
	for (unsigned int i = 0; i < ra.count; i++) {
		for (unsigned int k = 0; k < rb.count; k++) {
			const struct npu_range *x = &ra.range[i], *y = &rb.range[k];

			if (x->space != y->space || x->lo >= y->hi || y->lo >= x->hi ||
			    (!writes(x) && !writes(y)))
				continue;
			rc = exact(s, a, x, b, y);
			if (rc)
				return rc;
		}
	}
	return 0;
}
