/* SPDX-License-Identifier: MIT */
/*
 * Weights and scales that are copied to quick memory before they are used, and convolutions cut in
 * depth so that the copy of one part hides behind the work of another.
 *
 * Operations are taken in order. Each is tried whole and in parts; each part with its constants where
 * they are, or copied, all or the scales alone, by a transfer of its own asked for at this or that
 * earlier moment or together with the transfer before. What lets the part end first on the line of
 * time (be_timeline.h) stays. One transfer for several operations pays the memory's latency once.
 */
#include "runtime/compile/be.h"
#include "runtime/compile/be_timeline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_BACK	16	/* units that a transfer may be asked for ahead */
#define MOST_PARTS	8
#define LEAST_TO_CUT	4096	/* bytes of weights */
#define LEAST_DEPTH	16	/* channels of a part */

/**
 * struct planned - a unit, and the moment before it
 * @before: time before its transfers are asked for
 * @cost: of the kernel, with its constants where they are now
 * @used: bytes of transfers that live while it runs
 * @weights, @scales: bytes, an estimate
 * @transfer: that it waits for
 */
struct planned {
	struct be_unit unit;
	struct be_timeline before;
	struct cost_result cost;
	uint64_t used;
	uint32_t weights, scales;
	uint8_t staged;
	uint32_t transfer;
	uint32_t graph_op;
	bool run_starts;	/* the CPU has worked: nothing is copied across */
};

struct planner {
	struct be *be;
	struct planned *units;
	uint32_t count, room;
	struct be_timeline now;
	uint64_t limit;
	double *density;	/* of each operation: encoded bytes a weight */
};

static int grow_units(struct planner *p)
{
	struct planned *units = be_grow(p->units, p->count + 1, &p->room, sizeof(*units));

	if (!units)
		return error_set(p->be->err, -ENOMEM, "out of memory");
	p->units = units;
	return 0;
}

/* ---- what a kernel costs ---- */

static void price(const struct planner *p, uint32_t u)
{
	struct planned *x = &p->units[u];
	const struct be_op *op = &p->be->ops[x->unit.op];
	const struct cost_target *t = &p->be->target->cost;
	struct cost_op_desc d = op->desc;
	uint8_t quick = t->region[p->be->copy_region];

	if (be_has_streams(op->npu)) {
		d.ofm.d = be_slice_channels(op, x->unit.slice);
		if (op->npu->kind == IR_NPU_DEPTHWISE)
			d.ifm[0].d = d.ofm.d;
		d.continues = x->unit.slice > 0;
		d.continued = x->unit.slice + 1 < op->slice_count;
		d.weight_bytes = x->weights;
		d.scale_bytes = x->scales;
		if (x->staged & BE_STAGE_WEIGHTS)
			d.weight_memory = quick;
		if (x->staged & BE_STAGE_SCALES)
			d.scale_memory = quick;
	}
	cost_op(t, &d, &x->cost);
}

static uint64_t staged_bytes(const struct planned *x)
{
	return (x->staged & BE_STAGE_WEIGHTS ? x->weights : 0u) +
	       (x->staged & BE_STAGE_SCALES ? x->scales : 0u);
}

/* ---- time ---- */

/* Let time pass from unit @from to the end of unit @to. */
static void replay(struct planner *p, uint32_t from, uint32_t to)
{
	struct be *be = p->be;
	const struct cost_target *t = &be->target->cost;
	struct be_timeline now = p->units[from].before;
	uint32_t next = 0, last = be->transfer_count;

	while (next < last && be->transfers[next].unit < from)
		next++;
	for (uint32_t u = from; u <= to; u++) {
		struct planned *x = &p->units[u];
		uint64_t ready = 0;

		x->before = now;
		for (; next < last && be->transfers[next].unit == u; next++)
			be_timeline_copy(&now, t, t->region[PROGRAM_CONSTANTS],
					 t->region[be->copy_region], be->transfers[next].size);
		/* The newest but so many: its number says which of the last it is. */
		if (x->staged && next - 1 - x->transfer < BE_RECENT)
			ready = now.copy[(now.copies - 1 - (next - 1 - x->transfer)) % BE_RECENT].end;
		be_timeline_kernel(&now, t, &x->cost, ready);
	}
	p->now = now;
}

/* ---- room ---- */

static bool has_room(const struct planner *p, uint32_t from, uint32_t to, uint64_t bytes)
{
	for (uint32_t u = from; u <= to; u++)
		if (p->be->maps[p->units[u].graph_op] + p->units[u].used + bytes > p->limit)
			return false;
	return true;
}

static void take(struct planner *p, uint32_t from, uint32_t to, uint64_t bytes, bool give_back)
{
	for (uint32_t u = from; u <= to; u++)
		p->units[u].used += give_back ? -bytes : bytes;
}

/* A transfer asked for before a unit runs beside the one before that. */
static uint32_t lives_from(const struct planner *p, uint32_t unit)
{
	return unit && !p->units[unit].run_starts ? unit - 1 : unit;
}

/* ---- one unit ---- */

struct option {
	uint8_t staged;
	bool join;
	uint32_t unit;
};

/* Set a unit up as @o says and let time pass. Return: false: there is no room. */
static bool apply(struct planner *p, uint32_t u, const struct option *o)
{
	struct be *be = p->be;
	struct planned *x = &p->units[u];
	struct be_transfer *t;
	uint64_t bytes;

	x->staged = o->staged;
	bytes = be_align(staged_bytes(x), BE_ALIGN);
	if (!o->staged) {
		price(p, u);
		replay(p, u, u);
		return true;
	}
	if (o->join) {
		t = &be->transfers[be->transfer_count - 1];
		/* All of it lives until the last has used it. */
		if (!has_room(p, lives_from(p, t->unit), t->last, bytes) ||
		    !has_room(p, t->last + 1, u, t->size + bytes))
			return false;
		take(p, lives_from(p, t->unit), t->last, bytes, false);
		take(p, t->last + 1, u, t->size + bytes, false);
		t->size += bytes;
	} else {
		if (!has_room(p, lives_from(p, o->unit), u, bytes))
			return false;
		t = &be->transfers[be->transfer_count++];
		*t = (struct be_transfer){ .unit = o->unit, .first = u, .size = bytes,
					   .buffer = BE_NONE };
		take(p, lives_from(p, o->unit), u, bytes, false);
	}
	x->transfer = be->transfer_count - 1;
	price(p, u);
	t->last = u;
	replay(p, t->unit, u);
	return true;
}

static void undo(struct planner *p, uint32_t u, const struct option *o, uint32_t old_last)
{
	struct be *be = p->be;
	struct planned *x = &p->units[u];
	uint64_t bytes = be_align(staged_bytes(x), BE_ALIGN);
	struct be_transfer *t;

	if (!o->staged)
		return;
	t = &be->transfers[be->transfer_count - 1];
	if (o->join) {
		t->size -= bytes;
		t->last = old_last;
		take(p, lives_from(p, t->unit), old_last, bytes, true);
		take(p, old_last + 1, u, t->size + bytes, true);
	} else {
		take(p, lives_from(p, t->unit), u, bytes, true);
		be->transfer_count--;
	}
	x->staged = 0;
}

/* Try @o; keep it in @best if unit @u ends sooner. */
static void consider(struct planner *p, uint32_t u, const struct option *o, struct option *best,
		     uint64_t *sooner)
{
	uint32_t old_last = p->be->transfer_count ? p->be->transfers[p->be->transfer_count - 1].last
						  : 0;
	uint32_t from = o->join ? p->be->transfers[p->be->transfer_count - 1].unit : o->unit;

	if (!apply(p, u, o))
		return;
	if (p->now.kernel[0] < *sooner) {
		*sooner = p->now.kernel[0];
		*best = *o;
	}
	undo(p, u, o, old_last);
	if (o->staged)
		replay(p, from, u - (u > from));
}

/* The last moment before which nothing may be asked for: queues are in order. */
static uint32_t earliest(const struct planner *p, uint32_t u)
{
	uint32_t from = u > LOOK_BACK ? u - LOOK_BACK : 0;

	if (p->be->transfer_count && p->be->transfers[p->be->transfer_count - 1].unit > from)
		from = p->be->transfers[p->be->transfer_count - 1].unit;
	for (uint32_t i = u; i > from; i--)
		if (p->units[i].run_starts)
			return i;
	return from;
}

static int plan_unit(struct planner *p, uint32_t u)
{
	static const uint8_t parts[] = { BE_STAGE_SCALES, BE_STAGE_SCALES | BE_STAGE_WEIGHTS };
	struct be *be = p->be;
	struct option o = { .unit = u }, best = o;
	uint64_t sooner = UINT64_MAX;
	struct be_transfer *grown =
		be_grow(be->transfers, be->transfer_count, &be->transfer_room, sizeof(*grown));
	uint32_t from = earliest(p, u);

	if (!grown)
		return error_set(be->err, -ENOMEM, "out of memory");
	be->transfers = grown;
	consider(p, u, &o, &best, &sooner);
	for (unsigned int i = 0; i < 2 && be->copies && p->units[u].weights; i++) {
		const struct be_transfer *last =
			be->transfer_count ? &be->transfers[be->transfer_count - 1] : NULL;

		o.staged = parts[i];
		o.join = true;
		if (last && last->unit >= from && u - last->unit <= LOOK_BACK)
			consider(p, u, &o, &best, &sooner);
		o.join = false;
		for (uint32_t back = 0; u - from >= back; back = 2 * back + 1) {
			o.unit = u - back;
			consider(p, u, &o, &best, &sooner);
		}
	}
	apply(p, u, &best);
	return 0;
}

/* ---- operations ---- */

/* Units for an operation in @parts. */
static int add_units(struct planner *p, uint32_t index, uint32_t parts)
{
	struct be_op *op = &p->be->ops[index];
	uint32_t oc = (uint32_t)op->npu->ofm.c, depth;
	uint64_t taps = be_has_streams(op->npu) ? op->desc.weight_bytes / op->desc.ofm.d : 0;

	depth = be_div_up(oc, parts);
	if (parts > 1)
		depth = (uint32_t)be_align(depth, op->desc.block.d < depth ? op->desc.block.d
									   : LEAST_DEPTH);
	op->slice_count = be_div_up(oc, depth);
	free(op->slices);
	op->slices = calloc(op->slice_count, sizeof(*op->slices));
	if (!op->slices)
		return error_set(p->be->err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < op->slice_count; i++) {
		op->slices[i].first = i * depth;
		op->slices[i].transfer = BE_NONE;
	}
	for (uint32_t i = 0; i < op->slice_count; i++) {
		struct planned *x;
		int rc = grow_units(p);

		if (rc)
			return rc;
		x = &p->units[p->count++];
		*x = (struct planned){ .unit = { index, i }, .before = p->now,
				       .transfer = BE_NONE, .graph_op = op->index };
		if (be_has_streams(op->npu)) {
			uint32_t channels = be_slice_channels(op, i);

			x->scales = (uint32_t)be_align(ETHOSU_SCALE_RECORD * channels, BE_ALIGN);
			x->weights = (uint32_t)be_align(
				(uint64_t)((double)(taps * channels) * p->density[index]) + 1,
				BE_ALIGN);
		}
		x->run_starts = !i && op->index && !p->be->g->ops[op->index - 1].npu;
		rc = plan_unit(p, p->count - 1);
		if (rc)
			return rc;
	}
	return 0;
}

/* Forget the units from @count on, and their transfers. */
static void cut_back(struct planner *p, uint32_t count, uint32_t transfers,
		     const struct be_transfer *last)
{
	struct be *be = p->be;

	while (be->transfer_count > transfers) {
		const struct be_transfer *t = &be->transfers[--be->transfer_count];

		take(p, lives_from(p, t->unit), t->last, t->size, true);
	}
	if (transfers) {
		struct be_transfer *t = &be->transfers[transfers - 1];

		take(p, lives_from(p, t->unit), t->last, t->size, true);
		*t = *last;
		take(p, lives_from(p, t->unit), t->last, t->size, false);
	}
	p->count = count;
}

static bool may_cut(const struct planner *p, const struct be_op *op)
{
	return p->be->copies && op->npu->kind == IR_NPU_CONV && !op->npu->transpose &&
	       !op->npu->reverse && op->npu->ofm.c >= 2 * LEAST_DEPTH &&
	       op->desc.weight_bytes >= LEAST_TO_CUT;
}

static int plan_op(struct planner *p, uint32_t index)
{
	struct be *be = p->be;
	uint32_t count = p->count, transfers = be->transfer_count, best = 1;
	struct be_transfer last = { 0 };
	uint64_t sooner;
	int rc;

	if (transfers)
		last = be->transfers[transfers - 1];
	rc = add_units(p, index, 1);
	if (rc || !may_cut(p, &be->ops[index]))
		return rc;
	sooner = p->now.kernel[0];
	for (uint32_t parts = 2; parts <= MOST_PARTS && !rc; parts *= 2) {
		cut_back(p, count, transfers, &last);
		if (transfers)
			replay(p, last.unit, count - 1);
		else if (count)
			replay(p, count - 1, count - 1);
		else
			memset(&p->now, 0, sizeof(p->now));
		rc = add_units(p, index, parts);
		if (!rc && p->now.kernel[0] < sooner) {
			sooner = p->now.kernel[0];
			best = parts;
		}
	}
	if (rc || best == MOST_PARTS)
		return rc;
	cut_back(p, count, transfers, &last);
	if (transfers)
		replay(p, last.unit, count - 1);
	else if (count)
		replay(p, count - 1, count - 1);
	else
		memset(&p->now, 0, sizeof(p->now));
	return add_units(p, index, best);
}

/* What is decided goes where later passes look for it. */
static int settle(struct planner *p)
{
	struct be *be = p->be;

	be->units = calloc(p->count + 1, sizeof(*be->units));
	if (!be->units)
		return error_set(be->err, -ENOMEM, "out of memory");
	be->unit_count = p->count;
	for (uint32_t u = 0; u < p->count; u++) {
		struct be_slice *s = &be->ops[p->units[u].unit.op].slices[p->units[u].unit.slice];

		be->units[u] = p->units[u].unit;
		s->staged = p->units[u].staged;
		s->transfer = s->staged ? p->units[u].transfer : BE_NONE;
	}
	return 0;
}

int be_stage(struct be *be)
{
	struct planner p = { .be = be, .limit = be->limit };
	uint64_t peak = 0;
	int rc = 0;

	p.density = calloc(be->op_count + 1, sizeof(*p.density));
	if (!p.density)
		return error_set(be->err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < be->op_count; i++)
		p.density[i] = 0.95;
	for (uint32_t i = 0; i < be->g->op_count; i++)
		if (be->maps[i] > peak)
			peak = be->maps[i];
	/* Memory that is shared is not made to grow for it. */
	if (!be->staging || be->opt->optimise_size)
		p.limit = peak;
	for (uint32_t i = 0; i < be->op_count && !rc; i++)
		rc = plan_op(&p, i);
	if (!rc)
		rc = settle(&p);
	free(p.density);
	free(p.units);
	return rc;
}
