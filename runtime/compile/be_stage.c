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
#include "runtime/compile/be_stage.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_PARTS	8
#define LEAST_GAIN	100	/* cycles for a part more: it takes bytes of its own */

static int grow_units(struct planner *p)
{
	struct planned *units = be_grow(p->units, p->count + 1, &p->room, sizeof(*units));

	if (!units)
		return error_set(p->be->err, -ENOMEM, "out of memory");
	p->units = units;
	return 0;
}

/* ---- time ---- */

/* Let time pass from unit @from to the end of unit @to; @keep: note what is before each. */
static void pass(const struct planner *p, uint32_t from, uint32_t to, bool keep,
		 struct be_timeline *now)
{
	const struct be *be = p->be;
	const struct cost_target *t = &be->target->cost;
	uint32_t next, last = be->transfer_count;

	*now = p->units[from].before;
	next = now->copies;
	for (uint32_t u = from; u <= to; u++) {
		struct planned *x = &p->units[u];
		uint64_t ready = 0;

		if (keep)
			x->before = *now;
		for (; next < last && be->transfers[next].unit == u; next++)
			be_timeline_copy(now, t,
					 t->region[be->transfers[next].tensor == BE_NONE ?
							   PROGRAM_CONSTANTS :
							   PROGRAM_ARENA],
					 t->region[be->copy_region], be->transfers[next].size);
		if (x->staged)
			ready = be_timeline_copied(now, x->transfer);
		if (x->map != BE_NONE && be_timeline_copied(now, x->map) > ready)
			ready = be_timeline_copied(now, x->map);
		be_timeline_kernel(now, t, &x->cost, ready);
	}
}

static void replay(struct planner *p, uint32_t from, uint32_t to)
{
	pass(p, from, to, true, &p->now);
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

/**
 * struct choice - the options of a unit
 * @stripes, @copies: price of the unit by itself and of what is copied for it, as much as is staged now
 * @least: price of @best
 */
struct choice {
	double stripes, copies, least;
	struct option best;
};

static bool option_fits(const struct planner *p, uint32_t u, const struct option *o, uint64_t bytes)
{
	const struct be_transfer *t;

	if (!o->staged)
		return true;
	if (!o->join)
		return has_room(p, lives_from(p, o->unit), u, bytes);
	/* All of it lives until the last has used it. */
	t = &p->be->transfers[p->be->transfer_count - 1];
	return has_room(p, lives_from(p, t->unit), t->last, bytes) &&
	       has_room(p, t->last + 1, u, t->size + bytes);
}

/* What is staged of unit @u, and what it costs then. */
static void set_staged(struct planner *p, uint32_t u, uint8_t staged)
{
	p->units[u].staged = staged;
	be_stage_price(p, u);
}

/* Bring what is staged as @o says, but for the room that it takes. Returns the unit from which time changes. */
static uint32_t set_option(struct planner *p, uint32_t u, const struct option *o, uint64_t bytes)
{
	struct be *be = p->be;
	struct planned *x = &p->units[u];

	if (!o->staged)
		return u;
	if (o->join)
		be->transfers[be->transfer_count - 1].size += bytes;
	else
		be->transfers[be->transfer_count++] = (struct be_transfer){
			.unit = o->unit, .first = u, .last = u, .tensor = BE_NONE, .size = bytes,
			.buffer = BE_NONE, .alone = p->alone,
		};
	x->transfer = be->transfer_count - 1;
	return be->transfers[x->transfer].unit;
}

static uint64_t option_bytes(const struct planner *p, uint32_t u, const struct option *o)
{
	struct planned x = { .staged = o->staged, .weights = p->units[u].weights,
			     .scales = p->units[u].scales };

	return be_align(be_stage_bytes(&x), BE_ALIGN);
}

/* Do what @o says and let time pass. There is room. */
static void apply(struct planner *p, uint32_t u, const struct option *o)
{
	uint64_t bytes = option_bytes(p, u, o);
	struct be_transfer *t;
	uint32_t from;

	set_staged(p, u, o->staged);
	from = set_option(p, u, o, bytes);

	if (o->staged) {
		t = &p->be->transfers[p->be->transfer_count - 1];
		if (o->join) {
			take(p, lives_from(p, t->unit), t->last, bytes, false);
			take(p, t->last + 1, u, t->size, false);
		} else {
			take(p, lives_from(p, t->unit), u, bytes, false);
		}
		t->last = u;
	}
	replay(p, from, u);
}

/* What bringing a unit's constants asks of the outer memory, and of who copies. */
static double copy_price(const struct planner *p, const struct planned *x)
{
	const struct cost_target *t = &p->be->target->cost;
	struct cost_result moved = { 0 };
	uint64_t bytes = be_stage_bytes(x);

	if (!bytes)
		return 0;
	moved.read[COST_EXT][0] = bytes;
	return be_price(p->be, &moved) +
	       p->toll * (double)cost_copy_cycles(t, t->region[PROGRAM_CONSTANTS],
						  t->region[p->be->copy_region], bytes);
}

/* Unit @u with that much of it staged: options with the same follow. */
static void begin_staged(struct planner *p, uint32_t u, uint8_t staged, struct choice *c)
{
	struct planned *x = &p->units[u];

	set_staged(p, u, staged);
	/* Later stripes cost what this one does, but for waiting. */
	c->stripes = p->rounds * be_price(p->be, &x->cost);
	c->copies = copy_price(p, x);
}

static double option_price(const struct choice *c, const struct planned *x, uint64_t end)
{
	return (double)end + c->stripes - (double)x->cost.cycles + c->copies;
}

/* Try @o, keep it if it is best for unit @u. */
static void consider(struct planner *p, uint32_t u, const struct option *o, struct choice *c)
{
	struct be *be = p->be;
	struct planned *x = &p->units[u];
	uint64_t bytes = option_bytes(p, u, o);
	struct be_timeline now;
	double price;

	/* It cannot end before what comes before it has, and its own cycles are over. */
	if (option_price(c, x, x->before.kernel[0] + x->cost.cycles) >= c->least ||
	    !option_fits(p, u, o, bytes))
		return;
	pass(p, set_option(p, u, o, bytes), u, false, &now);
	price = option_price(c, x, now.kernel[0]);
	if (price < c->least) {
		c->least = price;
		c->best = *o;
	}
	if (o->join)
		be->transfers[be->transfer_count - 1].size -= bytes;
	else if (o->staged)
		be->transfer_count--;
}

/* The last moment before which nothing may be asked for: queues are in order. */
static uint32_t earliest(const struct planner *p, uint32_t u)
{
	uint32_t from = u > p->be->plan_ahead ? u - p->be->plan_ahead : 0;

	if (p->be->transfer_count && p->be->transfers[p->be->transfer_count - 1].unit > from)
		from = p->be->transfers[p->be->transfer_count - 1].unit;
	for (uint32_t i = u; i > from; i--)
		if (p->units[i].run_starts)
			return i;
	return from;
}

/* What a twin may find in quick memory. */
static void note_latest(struct planner *p, uint32_t u)
{
	const struct planned *x = &p->units[u];
	struct be_op *op = &p->be->ops[x->unit.op];
	struct be_slice *s;

	if (op->same != BE_NONE)
		op = &p->be->ops[op->same];
	s = &op->slices[x->unit.slice];
	if (!x->staged)
		return;
	s->latest = x->transfer;
	s->latest_staged = x->staged;
}

static int plan_unit(struct planner *p, uint32_t u)
{
	static const uint8_t parts[] = { BE_STAGE_SCALES, BE_STAGE_SCALES | BE_STAGE_WEIGHTS };
	struct be *be = p->be;
	struct option o = { .unit = u };
	struct choice c = { .least = HUGE_VAL, .best = o };
	struct be_transfer *grown =
		be_grow(be->transfers, be->transfer_count, &be->transfer_room, sizeof(*grown));
	uint32_t from = earliest(p, u);

	if (!grown)
		return error_set(be->err, -ENOMEM, "out of memory");
	be->transfers = grown;
	begin_staged(p, u, 0, &c);
	consider(p, u, &o, &c);
	for (unsigned int i = p->alone; i < 2 && be->copies && p->units[u].weights; i++) {
		const struct be_transfer *last =
			be->transfer_count ? &be->transfers[be->transfer_count - 1] : NULL;

		o.staged = parts[i];
		begin_staged(p, u, parts[i], &c);
		o.join = true;
		if (!p->alone && last && !last->alone && last->tensor == BE_NONE &&
		    last->unit >= from && u - last->unit <= be->plan_ahead)
			consider(p, u, &o, &c);
		o.join = false;
		for (uint32_t back = 0; u - from >= back; back = 2 * back + 1) {
			o.unit = u - back;
			consider(p, u, &o, &c);
		}
	}
	apply(p, u, &c.best);
	note_latest(p, u);
	return 0;
}

/* An input that is to be copied: asked for when it is first read. */
static int plan_map(struct planner *p, uint32_t u)
{
	struct be *be = p->be;
	struct planned *x = &p->units[u];
	uint32_t tensor = be_tensor_of(&be->ops[x->unit.op].npu->ifm);
	struct be_transfer *grown;
	uint64_t size;

	if (tensor == IR_NONE || !be->tensors[tensor].copy)
		return 0;
	/* A transfer that was taken back with the units that read it is none. */
	size = be_tensor_size(be, tensor);
	x->map = be->tensors[tensor].copied;
	if (x->map < be->transfer_count && be->transfers[x->map].tensor == tensor) {
		struct be_transfer *t = &be->transfers[x->map];

		if (t->last < u && !has_room(p, t->last + 1, u, size)) {
			x->map = BE_NONE;
		} else if (t->last < u) {
			take(p, t->last + 1, u, size, false);
			t->last = u;
		}
		return 0;
	}
	x->map = be->tensors[tensor].copied = BE_NONE;
	if (!has_room(p, lives_from(p, u), u, size))
		return 0;
	grown = be_grow(be->transfers, be->transfer_count, &be->transfer_room, sizeof(*grown));
	if (!grown)
		return error_set(be->err, -ENOMEM, "out of memory");
	be->transfers = grown;
	x->map = be->tensors[tensor].copied = be->transfer_count;
	grown[be->transfer_count++] = (struct be_transfer){ .unit = u, .first = u, .last = u,
							    .tensor = tensor, .size = size,
							    .buffer = BE_NONE };
	take(p, lives_from(p, u), u, size, false);
	return 0;
}

/* ---- operations ---- */

/* Cut an operation in depth. */
static int cut(struct planner *p, uint32_t index, uint32_t parts)
{
	struct be_op *op = &p->be->ops[index];
	uint32_t oc = (uint32_t)op->npu->ofm.c, depth = be_div_up(oc, parts);

	if (parts > 1)
		depth = (uint32_t)be_align(depth, op->desc.block.d < depth ? op->desc.block.d
									   : BE_STAGE_DEPTH);
	op->slice_count = be_div_up(oc, depth);
	free(op->slices);
	op->slices = calloc(op->slice_count, sizeof(*op->slices));
	if (!op->slices)
		return error_set(p->be->err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < op->slice_count; i++) {
		op->slices[i].first = i * depth;
		op->slices[i].transfer = op->slices[i].map = op->slices[i].latest = BE_NONE;
	}
	return 0;
}

/* A unit, not planned yet. */
static int add_unit(struct planner *p, const struct be_unit *unit)
{
	const struct be_op *op = &p->be->ops[unit->op];
	struct planned *x;
	uint64_t taps;
	int rc = grow_units(p);

	if (rc)
		return rc;
	x = &p->units[p->count++];
	*x = (struct planned){ .unit = *unit, .before = p->now, .transfer = BE_NONE,
			       .map = BE_NONE, .graph_op = op->index };
	x->run_starts = !unit->slice && !unit->y0 && op->index &&
			!p->be->g->ops[op->index - 1].npu;
	if (!be_has_streams(op->npu))
		return 0;
	taps = (uint64_t)(op->npu->kernel_h * op->npu->kernel_w) *
	       (op->npu->kind == IR_NPU_CONV ? (uint64_t)op->npu->ifm.c : 1);
	x->scales = (uint32_t)be_align(ETHOSU_SCALE_RECORD * be_slice_channels(op, unit->slice),
				       BE_ALIGN);
	x->weights = (uint32_t)be_align((uint64_t)((double)(taps * be_slice_channels(op, unit->slice)) *
						   p->density[unit->op]) + 1, BE_ALIGN);
	return 0;
}

/* Units for an operation in @parts. */
static int add_units(struct planner *p, uint32_t index, uint32_t parts)
{
	const struct be_op *op = &p->be->ops[index];
	int rc = cut(p, index, parts);

	p->parts = parts;
	for (uint32_t i = 0; i < op->slice_count && !rc; i++) {
		const struct be_unit unit = { .op = index, .slice = i,
					      .y1 = (uint32_t)op->npu->ofm.h };

		rc = add_unit(p, &unit);
		if (!rc)
			rc = plan_map(p, p->count - 1);
		if (!rc)
			rc = plan_unit(p, p->count - 1);
	}
	p->parts = 0;
	return rc;
}

/* A later stripe: its constants are where those of the first were put. */
static void follow(struct planner *p, uint32_t u, uint32_t first)
{
	struct planned *x = &p->units[u];

	x->staged = p->units[first].staged;
	x->transfer = p->units[first].transfer;
	if (x->staged) {
		struct be_transfer *t = &p->be->transfers[x->transfer];

		take(p, t->last + 1, u, t->size, false);
		t->last = u;
	}
	be_stage_price(p, u);
	replay(p, u, u);
}

/* Is what a twin brought still there, or can it be kept until now? */
static bool reuse(struct planner *p, uint32_t u, const struct be_slice *s)
{
	struct planned *x = &p->units[u];
	struct be_transfer *t;

	if (s->latest == BE_NONE)
		return false;
	t = &p->be->transfers[s->latest];
	if (t->last < u) {
		for (uint32_t i = t->last + 1; i <= u; i++)
			if (p->units[i].run_starts)
				return false;
		if (!has_room(p, t->last + 1, u, t->size))
			return false;
		take(p, t->last + 1, u, t->size, false);
		t->last = u;
	}
	x->staged = s->latest_staged;
	x->transfer = s->latest;
	be_stage_price(p, u);
	replay(p, u, u);
	return true;
}

/* An operation whose constants are another's: cut like that one. */
static int plan_twin(struct planner *p, uint32_t index)
{
	struct be *be = p->be;
	struct be_op *op = &be->ops[index];
	const struct be_op *first = &be->ops[op->same];
	int rc = 0;

	op->slice_count = first->slice_count;
	free(op->slices);
	op->slices = calloc(op->slice_count, sizeof(*op->slices));
	if (!op->slices)
		return error_set(be->err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < op->slice_count; i++) {
		op->slices[i].first = first->slices[i].first;
		op->slices[i].transfer = op->slices[i].map = op->slices[i].latest = BE_NONE;
	}
	for (uint32_t i = 0; i < op->slice_count && !rc; i++) {
		const struct be_unit unit = { .op = index, .slice = i,
					      .y1 = (uint32_t)op->npu->ofm.h };
		uint32_t u = p->count;

		rc = add_unit(p, &unit);
		if (!rc)
			rc = plan_map(p, u);
		if (rc || reuse(p, u, &first->slices[i]))
			continue;
		p->alone = true;
		rc = plan_unit(p, u);
		p->alone = false;
	}
	return rc;
}

/* Round by round, each operation as far as it is due. */
static int plan_cascade(struct planner *p, const struct be_cascade *c)
{
	uint32_t n = c->last - c->first + 1;
	uint32_t *firsts = calloc(n, sizeof(*firsts));
	int rc = firsts ? 0 : error_set(p->be->err, -ENOMEM, "out of memory");

	for (uint32_t i = 0; i < n && !rc; i++)
		rc = cut(p, c->first + i, 1);
	for (uint32_t t = 0; t < c->stripes && !rc; t++) {
		for (uint32_t i = 0; i < n && !rc; i++) {
			const struct be_unit unit = {
				.op = c->first + i,
				.y0 = t ? c->ends[(t - 1) * n + i] : 0,
				.y1 = c->ends[t * n + i],
			};

			if (unit.y0 == unit.y1)
				continue;
			rc = add_unit(p, &unit);
			if (!rc)
				rc = plan_map(p, p->count - 1);
			if (rc)
				break;
			if (unit.y0) {
				follow(p, p->count - 1, firsts[i]);
				continue;
			}
			firsts[i] = p->count - 1;
			p->rounds = c->stripes;
			rc = plan_unit(p, p->count - 1);
			p->rounds = 1;
		}
	}
	free(firsts);
	return rc;
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

static int plan_op(struct planner *p, uint32_t index)
{
	struct be *be = p->be;
	uint32_t count = p->count, transfers = be->transfer_count, best = 1;
	struct be_transfer last = { 0 };
	uint64_t sooner;
	int rc;

	if (be->ops[index].cascade != BE_NONE)
		return be->cascades[be->ops[index].cascade].first == index ?
			       plan_cascade(p, &be->cascades[be->ops[index].cascade]) : 0;
	if (be->ops[index].same != BE_NONE)
		return plan_twin(p, index);
	if (transfers)
		last = be->transfers[transfers - 1];
	rc = add_units(p, index, 1);
	if (rc || !be_stage_may_cut(p, &be->ops[index]))
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
		if (!rc && p->now.kernel[0] + (parts - best) * LEAST_GAIN < sooner) {
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

	free(be->units);
	be->units = calloc(p->count + 1, sizeof(*be->units));
	if (!be->units)
		return error_set(be->err, -ENOMEM, "out of memory");
	be->unit_count = p->count;
	for (uint32_t u = 0; u < p->count; u++) {
		struct be_slice *s = &be->ops[p->units[u].unit.op].slices[p->units[u].unit.slice];

		be->units[u] = p->units[u].unit;
		s->staged = p->units[u].staged;
		s->transfer = s->staged ? p->units[u].transfer : BE_NONE;
		s->map = p->units[u].map;
	}
	return 0;
}

static int plan_all(struct planner *p, double toll, double *price)
{
	struct cost_result sum = { 0 };
	int rc = 0;

	p->toll = toll;
	p->count = 0;
	p->be->transfer_count = 0;
	memset(&p->now, 0, sizeof(p->now));
	for (uint32_t i = 0; i < p->be->op_count && !rc; i++)
		rc = plan_op(p, i);
	sum.cycles = p->now.frontier;
	for (uint32_t u = 0; u < p->count; u++) {
		for (unsigned int i = 0; i < COST_TRAFFIC; i++)
			sum.read[COST_EXT][0] += p->units[u].cost.read[COST_EXT][i];
		sum.read[COST_EXT][0] += be_stage_bytes(&p->units[u]);
	}
	*price = be_price(p->be, &sum);
	return rc;
}

/*
 * Who copies is busy with one thing at a time. What that should cost who makes use of it is not known
 * beforehand: it depends on what comes after. So a few prices are tried.
 */
static int plan_best(struct planner *p)
{
	static const double tolls[] = { 0, 0.3, 0.6, 1 };
	unsigned int last = sizeof(tolls) / sizeof(tolls[0]) - 1, best = 0;
	double price, least = HUGE_VAL;
	int rc = 0;

	if (!p->be->copies)
		return plan_all(p, 0, &price);
	for (unsigned int i = 0; i <= last && !rc; i++) {
		rc = plan_all(p, tolls[i], &price);
		if (price < least) {
			least = price;
			best = i;
		}
	}
	return rc || best == last ? rc : plan_all(p, tolls[best], &price);
}

int be_stage(struct be *be)
{
	struct planner p = { .be = be, .limit = be->plan_limit, .rounds = 1 };
	uint64_t peak = 0;
	int rc = 0;

	for (uint32_t i = 0; i < be->g->tensor_count; i++)
		be->tensors[i].copied = BE_NONE;
	p.density = calloc(be->op_count + 1, sizeof(*p.density));
	p.memos = calloc(be->op_count + 1, sizeof(*p.memos));
	if (!p.density || !p.memos) {
		rc = error_set(be->err, -ENOMEM, "out of memory");
		goto out;
	}
	for (uint32_t i = 0; i < be->op_count; i++)
		p.density[i] = be_density(be, &be->ops[i]);
	for (uint32_t i = 0; i < be->g->op_count; i++)
		if (be->maps[i] > peak)
			peak = be->maps[i];
	/* Memory that is shared is not made to grow for it. */
	if ((!be->staging || be->opt->optimise_size) && peak < p.limit)
		p.limit = peak;
	rc = plan_best(&p);
	if (!rc)
		rc = settle(&p);
out:
	for (uint32_t i = 0; p.memos && i < be->op_count; i++)
		free(p.memos[i]);
	free(p.memos);
	free(p.density);
	free(p.units);
	return rc;
}
