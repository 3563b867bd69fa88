/* SPDX-License-Identifier: MIT */
/*
 * Which operations need more than 8 bits: 16 for those around the values that 8 bits represent worst,
 * float for those whose values they do not represent at all.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/compile/passes.h"
#include "runtime/quantise/improve.h"
#include "runtime/quantise/sqnr.h"

#define STEPS		4	/* to the wanted share, each measured */
#define GAIN_MIN	0.2	/* decibel at the outputs that more of 16 bits must win */
#define SAMPLES		8
#define FLOAT_ROUNDS	64
#define FLOAT_SAMPLES	4
#define FLOAT_DROP	3.0	/* decibel from the worst input to the output, that are the operation's own */

/* Noise against signal that an operation adds to that of its inputs. */
struct loss {
	uint32_t op;
	double added;
};

static double noise_of(double sqnr)
{
	return isnan(sqnr) ? 0 : pow(10, -sqnr / 10);
}

static int by_loss(const void *a, const void *b)
{
	const struct loss *x = a, *y = b;

	return x->added < y->added ? 1 : x->added > y->added ? -1 : (x->op > y->op) - (x->op < y->op);
}

/* Operations that compute, not those that move. */
static bool computes(const struct plan *p, uint32_t op)
{
	return p->precision[op] >= PREC_8 && rule_of(p->g->ops[op].kind)->rule != RULE_SAME &&
	       rule_of(p->g->ops[op].kind)->bits16;
}

static uint32_t list_losses(const struct plan *p, const double *sqnr, struct loss *list)
{
	const struct ir_graph *g = p->g;
	uint32_t count = 0;

	for (uint32_t i = 0; i < g->op_count; i++) {
		const struct ir_op *op = &g->ops[i];
		double before = 0;

		if (!computes(p, i) || p->wide[i])
			continue;
		for (uint32_t k = 0; k < op->input_count; k++)
			if (op->inputs[k] != IR_NONE)
				before = fmax(before, noise_of(sqnr[op->inputs[k]]));
		list[count].op = i;
		list[count++].added = noise_of(sqnr[op->outputs[0]]) - before;
	}
	qsort(list, count, sizeof(*list), by_loss);
	return count;
}

/* A value is of 16 bits only between operations that are: through moves to whoever computes with it. */
static uint32_t widen_around(struct plan *p, uint32_t index)
{
	const struct ir_graph *g = p->g;
	bool *wide = calloc((size_t)g->tensor_count + 1, sizeof(*wide));
	uint32_t count = !p->wide[index];

	if (!wide)
		return 0;
	p->wide[index] = true;
	wide[g->ops[index].outputs[0]] = true;
	for (uint32_t i = index + 1; i < g->op_count; i++) {
		const struct ir_op *op = &g->ops[i];
		bool reads = false;

		for (uint32_t k = 0; k < op->input_count; k++)
			reads |= op->inputs[k] != IR_NONE && wide[op->inputs[k]];
		if (!reads || p->precision[i] < PREC_8)
			continue;
		if (rule_of(op->kind)->rule == RULE_SAME) {
			for (uint32_t k = 0; k < op->output_count; k++)
				wide[op->outputs[k]] = true;
		} else if (computes(p, i)) {
			count += !p->wide[i];
			p->wide[i] = true;
		}
	}
	free(wide);
	return count;
}

/* Mean of the outputs' decibels; those that are exact count as a lot. */
static double of_outputs(const struct ir_graph *g, const double *sqnr)
{
	double sum = 0;
	uint32_t count = 0;

	for (uint32_t i = 0; i < g->output_count; i++) {
		if (isnan(sqnr[g->outputs[i]]))
			continue;
		sum += fmin(sqnr[g->outputs[i]], 200);
		count++;
	}
	return count ? sum / count : 0;
}

static int measure(struct plan *p, const struct quantise_data *data, size_t samples, double *sqnr,
		   struct error *err)
{
	uint32_t *map = calloc((size_t)p->g->tensor_count + 1, sizeof(*map));
	struct ir_graph *q = NULL;
	int rc = map ? 0 : error_set(err, -ENOMEM, "out of memory");

	plan_assign(p);
	if (!rc)
		rc = plan_rewrite(p, &q, map, err);
	if (!rc)
		rc = sqnr_measure(p->g, q, map, data, samples, sqnr, err);
	ir_free(q);
	free(map);
	return rc;
}

/* Leave an operation float, if it can be. */
static bool leave_one(struct plan *p, uint32_t op)
{
	if (op == IR_NONE || p->precision[op] < PREC_8 || p->real[op] ||
	    rule_of(p->g->ops[op].kind)->rule == RULE_LAYER)
		return false;
	p->real[op] = true;
	return true;
}

/* Whoever computes a tensor, behind moves and what is float already. */
static uint32_t leave_maker(struct plan *p, const struct use *uses, uint32_t tensor)
{
	uint32_t index = tensor == IR_NONE ? IR_NONE : uses[tensor].writer, left = 0;

	if (index == IR_NONE)
		return 0;
	if (leave_one(p, index))
		left = 1;
	if (left && rule_of(p->g->ops[index].kind)->rule != RULE_SAME)
		return left;
	if (!left && p->precision[index] != PREC_FLOAT)
		return 0;
	for (uint32_t k = 0; k < p->g->ops[index].input_count; k++)
		left += leave_maker(p, uses, p->g->ops[index].inputs[k]);
	return left;
}

/*
 * An operation whose output is worse than its inputs. If it is float already it makes their noise larger,
 * as the difference of what is nearly equal does: then whoever makes them is left float, too.
 */
static uint32_t leave_around(struct plan *p, const struct use *uses, uint32_t index)
{
	const struct ir_op *op = &p->g->ops[index];
	uint32_t left = 0;

	if (leave_one(p, index))
		return 1;
	for (uint32_t k = 0; k < op->input_count && p->precision[index] == PREC_FLOAT; k++)
		left += leave_maker(p, uses, op->inputs[k]);
	return left;
}

/* The first operation that adds too much noise; what comes behind it may be its fault. */
static uint32_t leave_first(struct plan *p, const struct use *uses, const double *sqnr,
			    double below)
{
	const struct ir_graph *g = p->g;

	for (uint32_t i = 0; i < g->op_count; i++) {
		const struct ir_op *op = &g->ops[i];
		double in = INFINITY, out = sqnr[op->outputs[0]];
		uint32_t left;

		if (p->precision[i] < PREC_FLOAT || !(out < below))
			continue;
		for (uint32_t k = 0; k < op->input_count; k++)
			if (op->inputs[k] != IR_NONE && !isnan(sqnr[op->inputs[k]]))
				in = fmin(in, sqnr[op->inputs[k]]);
		left = in >= out + FLOAT_DROP ? leave_around(p, uses, i) : 0;
		if (left)
			return left;
	}
	return 0;
}

int leave_float(struct plan *p, const struct quantise_data *data, double below, uint32_t *left,
		struct error *err)
{
	double *sqnr = calloc((size_t)p->g->tensor_count + 1, sizeof(*sqnr));
	struct use *uses = passes_uses(p->g);
	uint32_t more = 1;
	int rc = sqnr && uses ? 0 : error_set(err, -ENOMEM, "out of memory");

	*left = 0;
	for (int round = 0; round < FLOAT_ROUNDS && more && !rc; round++) {
		rc = measure(p, data, FLOAT_SAMPLES, sqnr, err);
		more = rc ? 0 : leave_first(p, uses, sqnr, below);
		*left += more;
	}
	plan_assign(p);
	free(uses);
	free(sqnr);
	return rc;
}

/* Step by step to the limit; what is kept is the smallest that is as good as the best. */
static int widen_steps(struct plan *p, const struct quantise_data *data, uint32_t limit,
		       double *sqnr, struct loss *list, bool *best, struct error *err)
{
	size_t bytes = p->g->op_count * sizeof(*best);
	uint32_t wide = 0;
	double most;
	int rc = measure(p, data, SAMPLES, sqnr, err);

	if (rc)
		return rc;
	most = of_outputs(p->g, sqnr);
	for (uint32_t step = 1; step <= STEPS; step++) {
		uint32_t count = list_losses(p, sqnr, list), until = (limit * step + STEPS - 1) / STEPS;

		for (uint32_t i = 0; i < count && wide < until; i++)
			wide += widen_around(p, list[i].op);
		rc = measure(p, data, SAMPLES, sqnr, err);
		if (rc)
			return rc;
		if (of_outputs(p->g, sqnr) < most + GAIN_MIN)
			continue;
		most = of_outputs(p->g, sqnr);
		memcpy(best, p->wide, bytes);
	}
	memcpy(p->wide, best, bytes);
	plan_assign(p);
	return 0;
}

int widen_worst(struct plan *p, const struct quantise_data *data, double share, struct error *err)
{
	double *sqnr = calloc((size_t)p->g->tensor_count + 1, sizeof(*sqnr));
	struct loss *list = calloc((size_t)p->g->op_count + 1, sizeof(*list));
	bool *best = calloc((size_t)p->g->op_count + 1, sizeof(*best));
	uint32_t count = 0;
	int rc;

	for (uint32_t i = 0; i < p->g->op_count; i++)
		count += computes(p, i);
	if (!sqnr || !list || !best)
		rc = error_set(err, -ENOMEM, "out of memory");
	else
		rc = widen_steps(p, data, (uint32_t)ceil(share * count), sqnr, list, best, err);
	free(sqnr);
	free(list);
	free(best);
	return rc;
}
