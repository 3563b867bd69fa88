/* SPDX-License-Identifier: MIT */
/*
 * Which feature maps lie in quick memory, where it is not the one that holds the arena: as many as
 * fit, rather those that are used much for their size. What the CPU sees, or what lives while the
 * CPU works, has to be in the arena: between two runs of the NPU quick memory is anyone's.
 */
#include "runtime/compile/be.h"

#include <errno.h>
#include <stdlib.h>

/* Part of the quick memory left to constants. */
#define SHARE_OF_CONSTANTS	16

struct life {
	uint32_t first, last;	/* operations; first > last: none */
	uint64_t size, use;	/* bytes, and bytes read and written */
	bool candidate, in, must;
};

struct choice {
	struct be *be;
	struct life *life;
	uint64_t *used;		/* by operation */
	uint64_t limit;
};

static void touch(struct choice *c, const struct ir_view *view, uint32_t time)
{
	struct life *l;

	if (view->tensor == IR_NONE || view->scalar)
		return;
	l = &c->life[view->tensor];
	if (time < l->first)
		l->first = time;
	if (time > l->last)
		l->last = time;
	l->use += (uint64_t)view->h * (uint64_t)view->w * (uint64_t)view->c *
		  c->be->tensors[view->tensor].esize;
}

/* All of a cascade is one moment. */
static void touch_op(struct choice *c, const struct ir_npu *npu, uint32_t from, uint32_t to)
{
	const struct ir_view *views[] = { &npu->ifm, &npu->ifm2, &npu->ofm };

	for (unsigned int i = 0; i < 3; i++) {
		uint32_t tensor = be_tensor_of(views[i]);

		if (tensor == IR_NONE)
			continue;
		touch(c, views[i], from);
		if (to != from && c->life[tensor].last < to)
			c->life[tensor].last = to;
	}
}

static void find_lives(struct choice *c)
{
	const struct ir_graph *g = c->be->g;

	for (uint32_t i = 0; i < g->tensor_count; i++)
		c->life[i] = (struct life){ .first = UINT32_MAX, .size = be_align(
						be_tensor_size(c->be, i), BE_ALIGN) };
	for (uint32_t i = 0; i < g->op_count; i++) {
		uint32_t op = c->be->op_of[i], from = i, to = i;

		if (op == BE_NONE)
			continue;
		if (c->be->ops[op].cascade != BE_NONE) {
			const struct be_cascade *k = &c->be->cascades[c->be->ops[op].cascade];

			from = c->be->ops[k->first].index;
			to = c->be->ops[k->last].index;
		}
		touch_op(c, g->ops[i].npu, from, to);
	}
}

static void count_in(struct choice *c, const struct life *l)
{
	for (uint32_t t = l->first; t <= l->last; t++)
		c->used[t] += l->size;
}

static void find_candidates(struct choice *c, const uint32_t *run)
{
	const struct ir_graph *g = c->be->g;

	for (uint32_t i = 0; i < g->tensor_count; i++) {
		struct life *l = &c->life[i];

		/* In one run of the NPU from first to last. */
		l->candidate = !c->be->tensors[i].fixed && l->first <= l->last &&
			       run[l->first] == run[l->last] && l->size <= c->limit;
		l->in = l->candidate;
		/* What is kept in part only was chosen to be in quick memory. */
		l->must = l->in && c->be->tensors[i].rows;
		if (l->in)
			count_in(c, l);
	}
}

static void put_out(struct choice *c, struct life *l)
{
	for (uint32_t t = l->first; t <= l->last; t++)
		c->used[t] -= l->size;
	l->in = false;
}

static bool fits(const struct choice *c, const struct life *l)
{
	for (uint32_t t = l->first; t <= l->last; t++)
		if (c->used[t] + l->size > c->limit)
			return false;
	return true;
}

/* Used less for its size, over its life. */
static bool worth_less(const struct life *a, const struct life *b)
{
	return (double)a->use / ((double)a->size * (a->last - a->first + 1)) <
	       (double)b->use / ((double)b->size * (b->last - b->first + 1));
}

/* Live tensors by time are few; they are found by walking tensors that begin at each operation. */
struct starts {
	uint32_t *head, *next;	/* by operation; by tensor */
	uint32_t *live;
	uint32_t live_count;
};

static void make_room(struct choice *c, struct starts *s, uint32_t time)
{
	while (c->used[time] > c->limit) {
		struct life *worst = NULL;

		for (uint32_t i = 0; i < s->live_count; i++) {
			struct life *l = &c->life[s->live[i]];

			if (l->in && !l->must && (!worst || worth_less(l, worst)))
				worst = l;
		}
		if (!worst)
			return;
		put_out(c, worst);
	}
}

static void sweep(struct choice *c, struct starts *s)
{
	const struct ir_graph *g = c->be->g;

	for (uint32_t t = 0; t < g->op_count; t++)
		s->head[t] = BE_NONE;
	for (uint32_t i = g->tensor_count; i--;) {
		if (!c->life[i].candidate)
			continue;
		s->next[i] = s->head[c->life[i].first];
		s->head[c->life[i].first] = i;
	}
	for (uint32_t t = 0; t < g->op_count; t++) {
		uint32_t kept = 0;

		for (uint32_t i = 0; i < s->live_count; i++)
			if (c->life[s->live[i]].last >= t)
				s->live[kept++] = s->live[i];
		s->live_count = kept;
		for (uint32_t i = s->head[t]; i != BE_NONE; i = s->next[i])
			s->live[s->live_count++] = i;
		make_room(c, s, t);
	}
	/* What was put out may fit after all, now that others are out too. */
	for (uint32_t i = 0; i < g->tensor_count; i++)
		if (c->life[i].candidate && !c->life[i].in && fits(c, &c->life[i])) {
			c->life[i].in = true;
			count_in(c, &c->life[i]);
		}
}

/* Number of the run of the NPU that each operation belongs to. */
static void number_runs(const struct ir_graph *g, uint32_t *run)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < g->op_count; i++) {
		if (!g->ops[i].npu)
			n++;
		run[i] = n;
	}
}

/* Without a memory of its own, all that lives is in the quick one. */
static void count_all(struct choice *c)
{
	for (uint32_t i = 0; i < c->be->g->tensor_count; i++)
		if (c->life[i].first <= c->life[i].last && !c->be->g->tensors[i].data)
			count_in(c, &c->life[i]);
}

int be_regions(struct be *be)
{
	const struct ir_graph *g = be->g;
	uint32_t n = g->tensor_count + g->op_count + 1;
	struct choice c = { .be = be };
	struct starts s = { 0 };
	uint32_t *run;
	int rc = 0;

	c.limit = be->limit - (be->limit == UINT64_MAX ? 0 : be->limit / SHARE_OF_CONSTANTS);
	c.life = calloc(n, sizeof(*c.life));
	c.used = calloc(n, sizeof(*c.used));
	s.head = calloc(n, sizeof(*s.head));
	s.next = calloc(n, sizeof(*s.next));
	s.live = calloc(n, sizeof(*s.live));
	run = calloc(n, sizeof(*run));
	if (!c.life || !c.used || !s.head || !s.next || !s.live || !run) {
		rc = error_set(be->err, -ENOMEM, "out of memory");
		goto out;
	}
	find_lives(&c);
	if (be->staging) {
		number_runs(g, run);
		find_candidates(&c, run);
		sweep(&c, &s);
		for (uint32_t i = 0; i < g->tensor_count; i++)
			if (c.life[i].candidate)
				be->tensors[i].region = c.life[i].in ? PROGRAM_STAGING : PROGRAM_ARENA;
	} else {
		count_all(&c);
	}
	free(be->maps);
	be->maps = c.used;
	c.used = NULL;
out:
	free(c.life);
	free(c.used);
	free(s.head);
	free(s.next);
	free(s.live);
	free(run);
	return rc;
}
