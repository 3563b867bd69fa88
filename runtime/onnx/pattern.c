/* SPDX-License-Identifier: MIT */
/*
 * Arithmetic that exporters write for functions that have an operation of their own. Sums and products of one
 * tensor and numbers are read as a polynomial, so that it does not matter how they are ordered.
 */
#include "runtime/onnx/pattern.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/compile/passes.h"

#define DEGREE		3
#define DEPTH_MAX	8
#define CLOSE		2e-4	/* of coefficients, relative: exporters round them */

/* c[0] + c[1] x + c[2] x^2 + c[3] x^3 */
struct polynomial {
	double c[DEGREE + 1];
};

struct pattern {
	struct ir_graph *g;
	struct use *uses;
};

/* The number that a constant is, of whatever extents. */
static bool number(const struct ir_graph *g, uint32_t tensor, double *out)
{
	const struct ir_tensor *t = tensor == IR_NONE ? NULL : &g->tensors[tensor];
	const float *f = t ? t->data : NULL;

	if (!f || t->type != ELEM_FLOAT32 || t->quant.count || ir_tensor_elements(t) != 1)
		return false;
	*out = (double)f[0];
	return true;
}

static const struct ir_op *writer(const struct pattern *p, uint32_t tensor)
{
	uint32_t at = tensor == IR_NONE ? IR_NONE : p->uses[tensor].writer;

	return at == IR_NONE || p->g->ops[at].kind == IR_KIND_COUNT ? NULL : &p->g->ops[at];
}

static bool times(const struct polynomial *a, const struct polynomial *b, struct polynomial *out)
{
	struct polynomial r = { { 0 } };

	for (int i = 0; i <= DEGREE; i++)
		for (int k = 0; k <= DEGREE; k++) {
			double v = a->c[i] * b->c[k];

			if (v != 0 && i + k > DEGREE)
				return false;
			if (i + k <= DEGREE)
				r.c[i + k] += v;
		}
	*out = r;
	return true;
}

/* @tensor as a polynomial of @x. */
static bool read_polynomial(const struct pattern *p, uint32_t tensor, uint32_t x, unsigned int depth,
			    struct polynomial *out)
{
	const struct ir_op *op;
	struct polynomial a, b;
	double n;

	*out = (struct polynomial){ { 0 } };
	if (tensor == x) {
		out->c[1] = 1;
		return true;
	}
	if (number(p->g, tensor, &out->c[0]))
		return true;
	op = writer(p, tensor);
	if (!op || depth == DEPTH_MAX || !op->input_count || (op->options && op->options->activation) ||
	    !read_polynomial(p, op->inputs[0], x, depth + 1, &a))
		return false;
	if (op->kind == IR_SQUARE)
		return times(&a, &a, out);
	if (op->kind == IR_POW)
		return number(p->g, op->inputs[1], &n) && (n == 2 || n == 3) && times(&a, &a, out) &&
		       (n == 2 || times(out, &a, out));
	if (op->input_count != 2 || !read_polynomial(p, op->inputs[1], x, depth + 1, &b))
		return false;
	switch (op->kind) {
	case IR_MUL:
		return times(&a, &b, out);
	case IR_DIV:
		if (b.c[0] == 0 || b.c[1] != 0 || b.c[2] != 0 || b.c[3] != 0)
			return false;
		b.c[0] = 1 / b.c[0];
		return times(&a, &b, out);
	case IR_ADD:
	case IR_SUB:
		for (int i = 0; i <= DEGREE; i++)
			out->c[i] = a.c[i] + (op->kind == IR_ADD ? b.c[i] : -b.c[i]);
		return true;
	default:
		return false;
	}
}

static bool is(const struct polynomial *a, double c0, double c1, double c2, double c3)
{
	const double want[DEGREE + 1] = { c0, c1, c2, c3 };

	for (int i = 0; i <= DEGREE; i++)
		if (fabs(a->c[i] - want[i]) > CLOSE * fabs(want[i]))
			return false;
	return true;
}

/* A function that may be the core of such arithmetic, and what else has to be there. */
struct core {
	unsigned int kind;
	double inner[4];	/* of x: what it is a function of */
	bool plus_one;		/* 1 is added to it */
	double outer;		/* times x: what it is multiplied by */
	unsigned int becomes;
	bool approximate;
};

static const struct core cores[] = {
	{ IR_ERF, { 0, M_SQRT1_2, 0, 0 }, true, 0.5, IR_GELU, false },
	{ IR_TANH, { 0, 0.7978845608, 0, 0.7978845608 * 0.044715 }, true, 0.5, IR_GELU, true },
	{ IR_RELU6, { 3, 1, 0, 0 }, false, 1.0 / 6, IR_HARD_SWISH, false },
};

/* The one that reads a tensor; NULL: several, or the model's user. */
static struct ir_op *only_reader(const struct pattern *p, uint32_t tensor)
{
	const struct use *u = &p->uses[tensor];

	if (u->readers != 1 || u->reader == IR_NONE || p->g->tensors[tensor].output >= 0 ||
	    p->g->ops[u->reader].kind == IR_KIND_COUNT)
		return NULL;
	return &p->g->ops[u->reader];
}

/* From the core up: products, until the factor is @outer * x. The last of them, or NULL. */
static struct ir_op *climb(const struct pattern *p, const struct core *core, struct ir_op *op, uint32_t x)
{
	struct polynomial factor = { { 1 } }, other;
	double n;

	if (core->plus_one) {
		op = only_reader(p, op->outputs[0]);
		if (!op || op->kind != IR_ADD || op->options->activation ||
		    !(number(p->g, op->inputs[0], &n) || number(p->g, op->inputs[1], &n)) || n != 1)
			return NULL;
	}
	for (unsigned int i = 0; i < 3; i++) {
		uint32_t from = op->outputs[0];
		bool second;

		op = only_reader(p, from);
		if (!op || (op->kind != IR_MUL && op->kind != IR_DIV) || op->options->activation)
			return NULL;
		second = op->inputs[1] == from;
		if ((op->kind == IR_DIV && second) || !read_polynomial(p, op->inputs[!second], x, 0, &other))
			return NULL;
		if (op->kind == IR_DIV) {
			if (!is(&other, other.c[0], 0, 0, 0) || other.c[0] == 0)
				return NULL;
			other.c[0] = 1 / other.c[0];
		}
		if (!times(&factor, &other, &factor))
			return NULL;
		if (is(&factor, 0, core->outer, 0, 0))
			return op;
	}
	return NULL;
}

/* What x may be: the tensors that the core's argument is made of, nearest first. */
static uint32_t candidates(const struct pattern *p, uint32_t from, uint32_t *list, uint32_t max)
{
	uint32_t count = 0, next = 0;

	list[count++] = from;
	while (next < count) {
		const struct ir_op *op = writer(p, list[next++]);

		if (!op || (op->kind != IR_MUL && op->kind != IR_ADD && op->kind != IR_DIV &&
			    op->kind != IR_SUB && op->kind != IR_SQUARE && op->kind != IR_POW))
			continue;
		for (uint32_t i = 0; i < op->input_count && count < max; i++)
			if (!p->g->tensors[op->inputs[i]].data)
				list[count++] = op->inputs[i];
	}
	return count;
}

static int find_cores(struct pattern *p)
{
	for (uint32_t i = 0; i < p->g->op_count; i++)
		for (size_t k = 0; k < sizeof(cores) / sizeof(cores[0]); k++) {
			struct ir_op *op = &p->g->ops[i], *last = NULL;
			const struct core *core = &cores[k];
			uint32_t list[12], count, x = IR_NONE;
			struct polynomial inner;

			if (op->kind != core->kind || p->g->tensors[op->inputs[0]].type != ELEM_FLOAT32)
				continue;
			count = candidates(p, op->inputs[0], list, 12);
			for (uint32_t n = 0; n < count && !last; n++) {
				x = list[n];
				if (read_polynomial(p, op->inputs[0], x, 0, &inner) &&
				    is(&inner, core->inner[0], core->inner[1], core->inner[2],
				       core->inner[3]))
					last = climb(p, core, op, x);
			}
			if (!last || p->g->tensors[last->outputs[0]].ndim != p->g->tensors[x].ndim ||
			    memcmp(p->g->tensors[last->outputs[0]].shape, p->g->tensors[x].shape,
				   sizeof(p->g->tensors[x].shape)))
				continue;
			last->kind = (uint16_t)core->becomes;
			last->inputs[0] = x;
			last->input_count = 1;
			last->options = ir_alloc(p->g, sizeof(*last->options));
			if (!last->options)
				return -ENOMEM;
			last->options->approximate = core->approximate;
			break;
		}
	return 0;
}

/* 1 / sqrt(x), and a product of x with HARD_SIGMOID. */
static void find_pairs(const struct pattern *p)
{
	for (uint32_t i = 0; i < p->g->op_count; i++) {
		struct ir_op *op = &p->g->ops[i];
		const struct ir_op *before;
		double one;

		if (op->kind == IR_RECIPROCAL ||
		    (op->kind == IR_DIV && number(p->g, op->inputs[0], &one) && one == 1 &&
		     !op->options->activation)) {
			before = writer(p, op->inputs[op->kind == IR_DIV]);
			if (!before || before->kind != IR_SQRT ||
			    p->g->tensors[op->outputs[0]].ndim != p->g->tensors[before->inputs[0]].ndim)
				continue;
			op->kind = IR_RSQRT;
			op->inputs[0] = before->inputs[0];
			op->input_count = 1;
		}
		if (op->kind != IR_MUL || op->options->activation)
			continue;
		for (int k = 0; k < 2 && op->kind == IR_MUL; k++) {
			before = writer(p, op->inputs[k]);
			if (!before || before->kind != IR_HARD_SIGMOID ||
			    before->inputs[0] != op->inputs[1 - k] ||
			    fabs((double)before->options->alpha * 6 - 1) > CLOSE ||
			    before->options->beta != 0.5f)
				continue;
			op->kind = IR_HARD_SWISH;
			op->inputs[0] = before->inputs[0];
			op->input_count = 1;
		}
	}
}

int pass_pattern(struct ir_graph *g, struct error *err)
{
	struct pattern p = { .g = g, .uses = passes_uses(g) };
	int rc = p.uses ? find_cores(&p) : -ENOMEM;

	if (!rc)
		find_pairs(&p);
	free(p.uses);
	return rc ? error_set(err, rc, "out of memory") : pass_sweep(g, err);
}
