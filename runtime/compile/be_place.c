/* SPDX-License-Identifier: MIT */
/* Addresses: constants one after another, buffers wherever no other is that lives at the same time. */
#include "runtime/compile/be.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- constants ---- */

static int64_t take(uint64_t *at, uint64_t size)
{
	int64_t here = (int64_t)*at;

	*at += be_align(size, BE_ALIGN);
	return here;
}

static void number_tensor(struct be *be, const struct ir_view *view, uint64_t *at)
{
	if (view->tensor == IR_NONE || view->scalar || !be->g->tensors[view->tensor].data)
		return;
	if (be->tensors[view->tensor].constant < 0)
		be->tensors[view->tensor].constant = take(at, be->g->tensors[view->tensor].size);
}

/* Streams of a slice, in the order in which they were encoded. */
static void number_slice(struct be_op *op, uint32_t i, unsigned int parts, uint64_t *at)
{
	const struct wenc_slice *coded = &op->blob.slices[i];
	struct be_slice *s = &op->slices[i];

	for (unsigned int core = 0; core < WENC_MAX_STREAMS; core++) {
		if (parts & BE_STAGE_SCALES && core < 2 && coded->scales[core].length)
			s->scales[core] = (uint64_t)take(at, coded->scales[core].length);
		if (parts & BE_STAGE_WEIGHTS && coded->weights[core].length)
			s->weights[core] = (uint64_t)take(at, coded->weights[core].length);
	}
}

/* Offset and bytes in region 0 of what is copied of a slice; they lie together. */
static void staged_range(const struct be_op *op, uint32_t slice, uint64_t *at, uint64_t *size)
{
	const struct wenc_slice *coded = &op->blob.slices[slice];
	const struct be_slice *s = &op->slices[slice];
	uint64_t lo = UINT64_MAX, hi = 0;

	for (unsigned int i = 0; i < 2 * WENC_MAX_STREAMS; i++) {
		bool scales = i < WENC_MAX_STREAMS;
		unsigned int core = i % WENC_MAX_STREAMS;
		uint64_t from, length;

		if (scales ? core >= 2 || !(s->staged & BE_STAGE_SCALES)
			   : !(s->staged & BE_STAGE_WEIGHTS))
			continue;
		from = scales ? s->scales[core] : s->weights[core];
		length = scales ? coded->scales[core].length : coded->weights[core].length;
		if (!length)
			continue;
		lo = from < lo ? from : lo;
		hi = from + length > hi ? from + length : hi;
	}
	*at = lo;
	*size = be_align(hi - lo, BE_ALIGN);
}

/* What one transfer brings lies together. */
static void number_transfer(struct be *be, uint32_t index, uint64_t *at)
{
	struct be_transfer *t = &be->transfers[index];

	t->at = *at;
	if (t->tensor != BE_NONE)
		return;
	for (uint32_t u = t->first; u <= t->last; u++) {
		struct be_op *op = &be->ops[be->units[u].op];
		struct be_slice *s = op->encoded ? &op->slices[be->units[u].slice] : NULL;

		/* Stripes have their constants in common. */
		if (s && op->same == BE_NONE && s->transfer == index && !be->units[u].y0)
			number_slice(op, be->units[u].slice, s->staged, at);
	}
	t->size = *at - t->at;
}

static void number_all(struct be *be, uint64_t *at)
{
	for (uint32_t i = 0; i < be->transfer_count; i++)
		number_transfer(be, i, at);
	for (uint32_t u = 0; u < be->unit_count; u++) {
		struct be_op *op = &be->ops[be->units[u].op];
		uint32_t slice = be->units[u].slice;

		number_tensor(be, &op->npu->ifm, at);
		number_tensor(be, &op->npu->ifm2, at);
		if (op->encoded && op->same == BE_NONE && !be->units[u].y0)
			number_slice(op, slice, ~op->slices[slice].staged, at);
	}
	for (uint32_t i = 0; i < be->lut_count; i++)
		be->luts[i].constant = take(at, be->luts[i].size);
}

/*
 * Twins read their constants where those of the first lie. A transfer of a twin's own finds them side
 * by side unless the first had only its scales copied: then there is none.
 */
static void number_twins(struct be *be)
{
	for (uint32_t u = 0; u < be->unit_count; u++) {
		struct be_op *op = &be->ops[be->units[u].op];
		uint32_t slice = be->units[u].slice;
		struct be_slice *s;
		const struct be_slice *first;

		if (op->same == BE_NONE)
			continue;
		s = &op->slices[slice];
		first = &be->ops[op->same].slices[slice];
		memcpy(s->scales, first->scales, sizeof(s->scales));
		memcpy(s->weights, first->weights, sizeof(s->weights));
		if (s->transfer == BE_NONE || be->transfers[s->transfer].size)
			continue;
		staged_range(op, slice, &be->transfers[s->transfer].at,
			     &be->transfers[s->transfer].size);
		if (first->staged == BE_STAGE_SCALES) {
			be->transfers[s->transfer].size = 0;
			s->staged = 0;
			s->transfer = BE_NONE;
		}
	}
}

static void copy_slices(struct be *be, const struct be_op *op)
{
	for (uint32_t i = 0; i < op->slice_count; i++) {
		const struct wenc_slice *coded = &op->blob.slices[i];
		const struct be_slice *s = &op->slices[i];

		for (unsigned int core = 0; core < WENC_MAX_STREAMS; core++) {
			if (core < 2 && coded->scales[core].length)
				memcpy(be->out->constants + s->scales[core],
				       op->blob.data + coded->scales[core].offset,
				       coded->scales[core].length);
			if (coded->weights[core].length)
				memcpy(be->out->constants + s->weights[core],
				       op->blob.data + coded->weights[core].offset,
				       coded->weights[core].length);
		}
	}
}

int be_constants(struct be *be)
{
	struct program *out = be->out;
	uint64_t at = 0;

	number_all(be, &at);
	number_twins(be);
	out->constants_size = at;
	out->constants = calloc(1, at ? at : 1);
	if (!out->constants)
		return error_set(be->err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < be->op_count; i++)
		if (be->ops[i].encoded && be->ops[i].same == BE_NONE)
			copy_slices(be, &be->ops[i]);
	for (uint32_t i = 0; i < be->lut_count; i++)
		memcpy(out->constants + be->luts[i].constant, be->luts[i].data, be->luts[i].size);
	for (uint32_t i = 0; i < be->g->tensor_count; i++)
		if (be->tensors[i].constant >= 0)
			memcpy(out->constants + be->tensors[i].constant, be->g->tensors[i].data,
			       be->g->tensors[i].size);
	return 0;
}

#define AHEADS		4
#define FIT_TRIES	6

/* ---- buffers ---- */

/* Buffers of one region, in the order of placing. */
struct packing {
	const struct be_buffer *buffers;
	uint32_t *order;
	uint32_t count;
	uint64_t *addr;		/* by buffer */
	uint64_t *lo, *hi;	/* ranges taken while a buffer is placed */
	uint32_t room;
};

static bool overlap(const struct be_buffer *a, const struct be_buffer *b)
{
	return a->first <= b->last && b->first <= a->last;
}

static int by_size(const void *pa, const void *pb, void *ctx)
{
	const struct be_buffer *buffers = ctx;
	const struct be_buffer *a = &buffers[*(const uint32_t *)pa];
	const struct be_buffer *b = &buffers[*(const uint32_t *)pb];

	if (a->size != b->size)
		return a->size < b->size ? 1 : -1;
	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return *(const uint32_t *)pa < *(const uint32_t *)pb ? -1 : 1;
}

static int by_life(const void *pa, const void *pb, void *ctx)
{
	const struct be_buffer *buffers = ctx;
	const struct be_buffer *a = &buffers[*(const uint32_t *)pa];
	const struct be_buffer *b = &buffers[*(const uint32_t *)pb];
	uint32_t la = a->last - a->first, lb = b->last - b->first;

	if (la != lb)
		return la < lb ? 1 : -1;
	return by_size(pa, pb, ctx);
}

static int by_hint(const void *pa, const void *pb, void *ctx)
{
	const struct be_buffer *buffers = ctx;
	const struct be_buffer *a = &buffers[*(const uint32_t *)pa];
	const struct be_buffer *b = &buffers[*(const uint32_t *)pb];

	if (a->hint != b->hint)
		return a->hint < b->hint ? -1 : 1;
	return by_size(pa, pb, ctx);
}

static int by_start(const void *pa, const void *pb, void *ctx)
{
	const struct be_buffer *buffers = ctx;
	const struct be_buffer *a = &buffers[*(const uint32_t *)pa];
	const struct be_buffer *b = &buffers[*(const uint32_t *)pb];

	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return by_size(pa, pb, ctx);
}

/* The lowest gap that holds @size among the @n ranges of @p, which this sorts by insertion. */
static uint64_t lowest_gap(struct packing *p, uint32_t n, uint64_t size)
{
	uint64_t at = 0;

	for (uint32_t i = 1; i < n; i++) {
		uint64_t lo = p->lo[i], hi = p->hi[i];
		uint32_t j = i;

		for (; j && p->lo[j - 1] > lo; j--) {
			p->lo[j] = p->lo[j - 1];
			p->hi[j] = p->hi[j - 1];
		}
		p->lo[j] = lo;
		p->hi[j] = hi;
	}
	for (uint32_t i = 0; i < n; i++) {
		if (p->lo[i] >= at + size)
			break;
		if (p->hi[i] > at)
			at = p->hi[i];
	}
	return at;
}

/* Place in order. Return: bytes that it takes. */
static uint64_t pack(struct packing *p)
{
	uint64_t top = 0;

	for (uint32_t i = 0; i < p->count; i++) {
		const struct be_buffer *b = &p->buffers[p->order[i]];
		uint64_t size = be_align(b->size, BE_ALIGN);
		uint32_t n = 0;

		for (uint32_t j = 0; j < i; j++) {
			const struct be_buffer *other = &p->buffers[p->order[j]];

			if (!overlap(b, other))
				continue;
			p->lo[n] = p->addr[p->order[j]];
			p->hi[n++] = p->addr[p->order[j]] + be_align(other->size, BE_ALIGN);
		}
		p->addr[p->order[i]] = lowest_gap(p, n, size);
		if (p->addr[p->order[i]] + size > top)
			top = p->addr[p->order[i]] + size;
	}
	return top;
}

/* The buffer that reaches highest, by its turn. */
static uint32_t topmost(const struct packing *p)
{
	uint32_t best = 0;
	uint64_t top = 0;

	for (uint32_t i = 0; i < p->count; i++) {
		uint64_t end = p->addr[p->order[i]] + p->buffers[p->order[i]].size;

		if (end > top) {
			top = end;
			best = i;
		}
	}
	return best;
}

static void swap(uint32_t *a, uint32_t *b)
{
	uint32_t c = *a;

	*a = *b;
	*b = c;
}

#define PACKING_WORK	8000000		/* pairs of buffers looked at */
#define PACKING_TRIES	400

/*
 * Let what stands highest have its turn earlier, in place of one that lives at the same time, until all
 * is below @limit or it has been tried often enough. Return: bytes that the best order takes.
 */
static uint64_t repack(struct packing *p, uint64_t top, uint64_t limit, uint64_t *addr)
{
	uint64_t tries = PACKING_WORK / ((uint64_t)p->count * p->count + 1), best = top;
	uint32_t random = 1;

	for (uint64_t i = 0; i < tries && i < PACKING_TRIES && best > limit; i++) {
		uint32_t high = topmost(p), other;

		if (!high)
			break;
		random = random * 1664525 + 1013904223;
		other = (random >> 8) % high;
		/* The next one before it that matters. */
		while (other && !overlap(&p->buffers[p->order[other]], &p->buffers[p->order[high]]))
			other--;
		swap(&p->order[other], &p->order[high]);
		top = pack(p);
		if (top > best + best / 16) {
			swap(&p->order[other], &p->order[high]);
			pack(p);
			continue;
		}
		if (top < best) {
			best = top;
			memcpy(addr, p->addr, p->room * sizeof(*addr));
		}
	}
	return best;
}

static int place_region(struct be *be, unsigned int region, uint64_t *size)
{
	static int (*const orders[])(const void *, const void *, void *) = { by_hint, by_size,
									     by_life, by_start };
	struct packing p = { .buffers = be->buffers };
	uint32_t room = be->buffer_count + 1;
	uint64_t best = UINT64_MAX, limit = region == PROGRAM_STAGING ? be->limit : 0, *addr;
	int rc = 0;

	p.room = room;
	p.order = calloc(room, sizeof(*p.order));
	addr = calloc(room, sizeof(*addr));
	p.addr = calloc(room, sizeof(*p.addr));
	p.lo = calloc(room, sizeof(*p.lo));
	p.hi = calloc(room, sizeof(*p.hi));
	if (!p.order || !p.addr || !p.lo || !p.hi || !addr) {
		rc = error_set(be->err, -ENOMEM, "out of memory");
		goto out;
	}
	for (uint32_t i = 0; i < be->buffer_count; i++)
		if (be->buffers[i].region == region && be->buffers[i].size)
			p.order[p.count++] = i;
	for (unsigned int i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		uint64_t top;

		qsort_r(p.order, p.count, sizeof(*p.order), orders[i], be->buffers);
		top = pack(&p);
		if (top >= best)
			continue;
		best = top;
		memcpy(addr, p.addr, room * sizeof(*addr));
	}
	if (p.count && limit && best > limit)
		best = repack(&p, best, limit, addr);
	for (uint32_t j = 0; j < p.count; j++)
		be->buffers[p.order[j]].addr = addr[p.order[j]];
	*size = p.count ? best : 0;
out:
	free(addr);
	free(p.order);
	free(p.addr);
	free(p.lo);
	free(p.hi);
	return rc;
}

/*
 * There is no room for all that a transfer brings at once: each slice gets one of its own, when it is
 * used. That of a single slice, or of a map, is given up.
 */
static int split_transfer(struct be *be, uint32_t index)
{
	struct be_transfer old = be->transfers[index];
	const struct be_slice *user = NULL;
	bool single = true;

	/* Others run between two stripes that use it. */
	for (uint32_t u = old.first; u <= old.last; u++) {
		const struct be_slice *s = &be->ops[be->units[u].op].slices[be->units[u].slice];

		if (s->transfer != index && s->map != index)
			continue;
		single &= !user || user == s;
		user = s;
	}
	be->transfers[index].size = 0;
	for (uint32_t u = old.first; u <= old.last; u++) {
		struct be_op *op = &be->ops[be->units[u].op];
		struct be_slice *s = &op->slices[be->units[u].slice];
		struct be_transfer *t;

		if (s->map == index)
			s->map = BE_NONE;
		if (s->transfer != index || !op->encoded)
			continue;
		if (single && old.unit == old.first) {
			s->staged = 0;
			s->transfer = BE_NONE;
			continue;
		}
		t = be_grow(be->transfers, be->transfer_count, &be->transfer_room, sizeof(*t));
		if (!t)
			return error_set(be->err, -ENOMEM, "out of memory");
		be->transfers = t;
		t += be->transfer_count;
		*t = (struct be_transfer){ .unit = u, .first = u, .last = old.last,
					   .tensor = BE_NONE, .buffer = BE_NONE };
		staged_range(op, be->units[u].slice, &t->at, &t->size);
		s->transfer = be->transfer_count++;
	}
	return 0;
}

/* Take from quick memory what stands out of it, the largest first and constants before maps. */
static int make_room(struct be *be)
{
	uint32_t transfer = BE_NONE, tensor = BE_NONE;
	uint64_t size = 0;

	for (uint32_t i = 0; i < be->transfer_count; i++) {
		const struct be_buffer *b;

		if (be->transfers[i].buffer == BE_NONE || !be->transfers[i].size)
			continue;
		b = &be->buffers[be->transfers[i].buffer];
		if (b->addr + b->size > be->limit && b->size >= size) {
			size = b->size;
			transfer = i;
		}
	}
	if (transfer != BE_NONE)
		return split_transfer(be, transfer);
	for (uint32_t i = 0; i < be->g->tensor_count; i++) {
		const struct be_tensor *t = &be->tensors[i];
		const struct be_buffer *b;

		if (t->buffer == BE_NONE || t->region != PROGRAM_STAGING)
			continue;
		b = &be->buffers[t->buffer];
		if (b->addr + b->size > be->limit && b->size >= size) {
			size = b->size;
			tensor = i;
		}
	}
	if (tensor == BE_NONE)
		return be_error(be, be->ops[0].index, -ENOMEM, "quick memory does not suffice");
	be->tensors[tensor].region = PROGRAM_ARENA;
	return 0;
}

void be_forget(struct be *be)
{
	be->cmd_count = 0;
	be->buffer_count = 0;
	be->out->step_count = 0;
	for (uint32_t i = 0; i < be->g->tensor_count; i++)
		be->tensors[i].buffer = BE_NONE;
}

static int keep_hints(struct be *be)
{
	free(be->hints);
	be->hint_count = 0;
	be->hints = calloc(be->buffer_count + 1, sizeof(*be->hints));
	if (!be->hints)
		return error_set(be->err, -ENOMEM, "out of memory");
	be->hint_count = be->buffer_count;
	for (uint32_t i = 0; i < be->buffer_count; i++)
		be->hints[i] = be->buffers[i].addr;
	return 0;
}

/*
 * Plan with so much quick memory that what is planned finds a place: gaps between buffers are lost.
 * Nothing is encoded yet, sizes of constants are estimates.
 */
int be_fit(struct be *be)
{
	static const uint8_t aheads[] = { 16, 5, 2, 1 };
	int rc = 0;

	be->plan_limit = be->limit;
	for (unsigned int i = 0; !rc; i++) {
		uint64_t size, over;

		/* What lives short finds a place more easily than what lives long. */
		be->plan_ahead = i < AHEADS ? aheads[i] : aheads[AHEADS - 1];
		rc = be_stage(be);
		if (!rc)
			rc = be_schedule(be);
		if (!rc)
			rc = place_region(be, PROGRAM_STAGING, &size);
		if (!rc)
			rc = keep_hints(be);
		be_forget(be);
		if (rc || size <= be->limit || i + 1 == FIT_TRIES)
			break;
		over = size - be->limit;
		if (i + 1 >= AHEADS)
			be->plan_limit -= over < be->plan_limit ? over : be->plan_limit;
	}
	return rc;
}

int be_place(struct be *be)
{
	struct program *out = be->out;
	int rc = place_region(be, PROGRAM_STAGING, &out->staging_size);

	/* Sizes were estimates, and gaps between buffers are lost. */
	while (!rc && out->staging_size > be->limit) {
		rc = make_room(be);
		if (rc)
			break;
		be_forget(be);
		be->hint_count = 0;
		rc = be_schedule(be);
		if (!rc)
			rc = place_region(be, PROGRAM_STAGING, &out->staging_size);
	}
	if (!rc)
		rc = place_region(be, PROGRAM_ARENA, &out->arena_size);
	if (rc)
		return rc;
	for (uint32_t i = 0; i < be->g->tensor_count; i++) {
		const struct be_tensor *t = &be->tensors[i];

		out->offset[i] = -1;
		out->region[i] = t->region;
		/* What has a region to itself begins it. */
		if (t->buffer != BE_NONE && t->region != PROGRAM_STAGING && !t->brick)
			out->offset[i] = (int64_t)be->buffers[t->buffer].addr;
	}
	return 0;
}
