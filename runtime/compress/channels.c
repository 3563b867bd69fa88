/* SPDX-License-Identifier: MIT */
/*
 * Channels that go: tensors whose channels are the same ones are one set; of a set the channels go that
 * those layers miss least which read it.
 */
#include "runtime/compress/channels.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/compress/sensitivity.h"
#include "runtime/ir/ir_copy.h"

#define LEAST	16	/* channels of a set of which some go */
#define UNIT	8	/* what is left is a multiple: the NPU fills up to that anyway */
#define MOST	0.75	/* of a set go at most */

/**
 * struct sets - of tensors
 * @parent: of each tensor; itself: it stands for the set
 * @pinned, @made, @needed: of a set: stays whole; a layer makes it; a layer reads it
 * @loss: of a set's channels, NULL: not looked at
 * @readers: of each tensor, operations
 * @layer_of: of each operation: index into @layers, or IR_NONE
 */
struct sets {
	const struct ir_graph *g;
	uint32_t *parent;
	bool *pinned, *made, *needed;
	double **loss;
	uint32_t *readers, *layer_of;
	struct layer *layers;
	uint32_t layer_count;
};

static int32_t width(const struct ir_graph *g, uint32_t t)
{
	const struct ir_tensor *x = &g->tensors[t];

	return x->ndim ? x->shape[x->ndim - 1] : 1;
}

static uint32_t find(const struct sets *s, uint32_t t)
{
	while (s->parent[t] != t)
		t = s->parent[t] = s->parent[s->parent[t]];
	return t;
}

static void pin(struct sets *s, uint32_t t)
{
	if (t != IR_NONE)
		s->pinned[find(s, t)] = true;
}

/* @a and @b have the same channels. */
static void join(struct sets *s, uint32_t a, uint32_t b)
{
	if (width(s->g, a) != width(s->g, b)) {
		pin(s, a);
		pin(s, b);
		return;
	}
	a = find(s, a);
	b = find(s, b);
	s->parent[a] = b;
	s->pinned[b] |= s->pinned[a];
	s->made[b] |= s->made[a];
	s->needed[b] |= s->needed[a];
}

static void pin_all(struct sets *s, const struct ir_op *op)
{
	for (uint32_t i = 0; i < op->input_count; i++)
		pin(s, op->inputs[i]);
	for (uint32_t i = 0; i < op->output_count; i++)
		pin(s, op->outputs[i]);
}

/* Does an operation do the same to each channel, and no more than that? */
static bool by_channel(unsigned int kind)
{
	static const uint16_t kinds[] = {
		IR_RELU, IR_RELU6, IR_RELU_N1_TO_1, IR_RELU_0_TO_1, IR_LOGISTIC, IR_TANH, IR_HARD_SWISH,
		IR_LEAKY_RELU, IR_ELU, IR_GELU, IR_ABS, IR_EXP, IR_SQRT, IR_RSQRT, IR_NEG,
		IR_MAX_POOL_2D, IR_AVERAGE_POOL_2D, IR_RESIZE_BILINEAR, IR_RESIZE_NEAREST_NEIGHBOR,
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i] == kind)
			return true;
	return false;
}

static bool is_binary(unsigned int kind)
{
	return kind == IR_ADD || kind == IR_SUB || kind == IR_MUL || kind == IR_DIV ||
	       kind == IR_MAXIMUM || kind == IR_MINIMUM || kind == IR_PRELU;
}

/* Reductions and reshapes keep channels if they only concern the axes before. */
static bool keeps_last(const struct ir_graph *g, const struct ir_op *op)
{
	const struct ir_tensor *in = &g->tensors[op->inputs[0]], *out = &g->tensors[op->outputs[0]];
	const struct ir_tensor *axes;

	if (!in->ndim || !out->ndim || in->shape[in->ndim - 1] != out->shape[out->ndim - 1])
		return false;
	if (op->kind == IR_RESHAPE || op->kind == IR_SQUEEZE || op->kind == IR_EXPAND_DIMS)
		return true;
	if (op->kind != IR_MEAN && op->kind != IR_SUM && op->kind != IR_REDUCE_MAX)
		return false;
	axes = &g->tensors[op->inputs[1]];
	if (!axes->data || axes->type != ELEM_INT32)
		return false;
	for (size_t i = 0; i < axes->size / sizeof(int32_t); i++) {
		int32_t axis = ((const int32_t *)axes->data)[i];

		if (axis == -1 || axis == (int32_t)in->ndim - 1)
			return false;
	}
	return true;
}

/* A constant operand: one number, or one for each channel, which can be cut. */
static bool constant_fits(const struct sets *s, uint32_t t, int32_t channels)
{
	const struct ir_tensor *x = &s->g->tensors[t];

	if (ir_tensor_elements(x) == 1)
		return true;
	return x->type == ELEM_FLOAT32 && s->readers[t] == 1 && width(s->g, t) == channels &&
	       x->size == ir_tensor_elements(x) * sizeof(float);
}

static void link_binary(struct sets *s, const struct ir_op *op)
{
	for (uint32_t i = 0; i < op->input_count; i++) {
		uint32_t t = op->inputs[i];

		if (!s->g->tensors[t].data)
			join(s, t, op->outputs[0]);
		else if (!constant_fits(s, t, width(s->g, op->outputs[0])))
			pin(s, op->outputs[0]);
	}
}

static void link_layer(struct sets *s, const struct ir_op *op, const struct layer *l)
{
	if (l->depthwise) {
		join(s, l->input, l->output);
		return;
	}
	/* A matrix may see several axes as one. */
	if (width(s->g, l->input) != (int32_t)l->ic || width(s->g, l->output) != (int32_t)l->outputs) {
		pin_all(s, op);
		return;
	}
	s->needed[find(s, l->input)] = true;
	s->made[find(s, l->output)] = true;
}

static void link_op(struct sets *s, uint32_t index)
{
	const struct ir_op *op = &s->g->ops[index];

	if (s->layer_of[index] != IR_NONE)
		link_layer(s, op, &s->layers[s->layer_of[index]]);
	else if (is_binary(op->kind))
		link_binary(s, op);
	else if (op->output_count == 1 && (by_channel(op->kind) || keeps_last(s->g, op)))
		join(s, op->inputs[0], op->outputs[0]);
	else
		pin_all(s, op);
}

static int sets_init(struct sets *s, const struct ir_graph *g, struct error *err)
{
	size_t n = (size_t)g->tensor_count + 1;

	*s = (struct sets){ .g = g };
	s->parent = calloc(n, sizeof(*s->parent));
	s->pinned = calloc(n, sizeof(*s->pinned));
	s->made = calloc(n, sizeof(*s->made));
	s->needed = calloc(n, sizeof(*s->needed));
	s->loss = calloc(n, sizeof(*s->loss));
	s->readers = calloc(n, sizeof(*s->readers));
	s->layer_of = malloc(((size_t)g->op_count + 1) * sizeof(*s->layer_of));
	if (!s->parent || !s->pinned || !s->made || !s->needed || !s->loss || !s->readers ||
	    !s->layer_of || layers_find(g, &s->layers, &s->layer_count))
		return error_set(err, -ENOMEM, "out of memory");
	for (uint32_t t = 0; t < g->tensor_count; t++)
		s->parent[t] = t;
	for (uint32_t i = 0; i < g->op_count; i++) {
		s->layer_of[i] = IR_NONE;
		for (uint32_t k = 0; k < g->ops[i].input_count; k++)
			if (g->ops[i].inputs[k] != IR_NONE)
				s->readers[g->ops[i].inputs[k]]++;
	}
	for (uint32_t i = 0; i < s->layer_count; i++)
		s->layer_of[s->layers[i].op] = i;
	for (uint32_t i = 0; i < g->op_count; i++)
		link_op(s, i);
	for (uint32_t i = 0; i < g->input_count; i++)
		pin(s, g->inputs[i]);
	for (uint32_t i = 0; i < g->output_count; i++)
		pin(s, g->outputs[i]);
	return 0;
}

static void sets_free(struct sets *s)
{
	for (uint32_t t = 0; s->loss && t < s->g->tensor_count; t++)
		free(s->loss[t]);
	free(s->parent);
	free(s->pinned);
	free(s->made);
	free(s->needed);
	free(s->loss);
	free(s->readers);
	free(s->layer_of);
	free(s->layers);
}

static bool can_shrink(const struct sets *s, uint32_t set)
{
	return !s->pinned[set] && s->made[set] && s->needed[set] && width(s->g, set) >= LEAST;
}

/* ---- which ---- */

static int add_losses(struct sets *s, const struct layer *readers, uint32_t count, double **taps,
		      struct error *err)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t set = find(s, readers[i].input);

		if (!s->loss[set])
			s->loss[set] = calloc(readers[i].ic, sizeof(**s->loss));
		if (!s->loss[set])
			return error_set(err, -ENOMEM, "out of memory");
		for (uint32_t k = 0; k < readers[i].taps; k++)
			s->loss[set][k % readers[i].ic] += taps[i][k];
	}
	return 0;
}

static int measure(struct sets *s, const struct moments_source *source, struct error *err)
{
	struct layer *readers = calloc((size_t)s->layer_count + 1, sizeof(*readers));
	double **taps = calloc((size_t)s->layer_count + 1, sizeof(*taps));
	int rc = readers && taps ? 0 : error_set(err, -ENOMEM, "out of memory");
	uint32_t count = 0;

	for (uint32_t i = 0; i < s->layer_count && !rc; i++)
		if (!s->layers[i].depthwise && can_shrink(s, find(s, s->layers[i].input)))
			readers[count++] = s->layers[i];
	if (!rc && !count)
		rc = error_set(err, -EINVAL, "%s: no channels that could be left out", s->g->name);
	if (!rc)
		rc = sensitivity_taps(source, readers, count, taps, err);
	if (!rc)
		rc = add_losses(s, readers, count, taps, err);
	for (uint32_t i = 0; taps && i < count; i++)
		free(taps[i]);
	free(taps);
	free(readers);
	return rc;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The loss that @share of all channels are below. */
static int limit_of(const struct sets *s, double share, uint32_t *before, double *limit,
		    struct error *err)
{
	double *all;
	size_t n = 0;

	for (uint32_t t = 0; t < s->g->tensor_count; t++)
		if (s->loss[t])
			n += (size_t)width(s->g, t);
	all = malloc((n + 1) * sizeof(*all));
	if (!all)
		return error_set(err, -ENOMEM, "out of memory");
	n = 0;
	for (uint32_t t = 0; t < s->g->tensor_count; t++)
		for (int32_t c = 0; s->loss[t] && c < width(s->g, t); c++)
			all[n++] = s->loss[t][c];
	qsort(all, n, sizeof(*all), by_value);
	*before = (uint32_t)n;
	*limit = n ? all[(size_t)(share * (double)(n - 1))] : 0;
	free(all);
	return 0;
}

/* The channels of a set that are left, [0] how many, or NULL: no memory. */
static uint32_t *keep_of(const double *loss, uint32_t n, double limit, uint32_t *left)
{
	uint32_t *keep = malloc(n * sizeof(*keep)), count = 0;
	double *sorted = malloc(n * sizeof(*sorted));

	*left = 0;
	if (!keep || !sorted) {
		free(keep);
		free(sorted);
		return NULL;
	}
	memcpy(sorted, loss, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), by_value);
	for (uint32_t c = 0; c < n; c++)
		count += loss[c] > limit;
	if ((double)count < (1 - MOST) * n)
		count = (uint32_t)((1 - MOST) * n);
	count = (count + UNIT - 1) / UNIT * UNIT;
	count = count < n ? count : n;
	/* Of equals the first. */
	for (uint32_t c = 0; c < n; c++)
		if (loss[c] > sorted[n - count])
			keep[(*left)++] = c;
	for (uint32_t c = 0; c < n && *left < count; c++)
		if (loss[c] == sorted[n - count])
			keep[(*left)++] = c;
	free(sorted);
	return keep;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int choose(struct sets *s, double share, struct channels *c, uint32_t *left, struct error *err)
{
	double limit = 0;
	int rc = limit_of(s, share, &c->before, &limit, err);

	c->lists = calloc((size_t)s->g->tensor_count + 1, sizeof(*c->lists));
	c->keep = calloc((size_t)s->g->tensor_count + 1, sizeof(*c->keep));
	if (!c->lists || !c->keep)
		return error_set(err, -ENOMEM, "out of memory");
	for (uint32_t t = 0; t < s->g->tensor_count && !rc; t++) {
		uint32_t *keep;

		if (!s->loss[t])
			continue;
		keep = keep_of(s->loss[t], (uint32_t)width(s->g, t), limit, &left[t]);
		if (!keep)
			return error_set(err, -ENOMEM, "out of memory");
		qsort(keep, left[t], sizeof(*keep), by_number);
		c->lists[c->list_count++] = keep;
		c->after += left[t];
		c->keep[t] = keep;
	}
	/* What stands for a set has its list. */
	for (uint32_t t = 0; t < s->g->tensor_count && !rc; t++) {
		uint32_t set = find(s, t);

		if (!s->loss[set] || s->g->tensors[t].data)
			continue;
		c->keep[t] = c->keep[set];
		left[t] = left[set];
	}
	return rc;
}

/* ---- the graph ---- */

/* Some of the entries of an axis of a constant. */
static int cut(struct ir_graph *g, uint32_t tensor, uint32_t axis, const uint32_t *keep,
	       uint32_t count)
{
	struct ir_tensor *t = &g->tensors[tensor];
	size_t inner = 1, outer = 1, old = (size_t)t->shape[axis];
	const float *from = t->data;
	float *to;

	for (uint32_t i = 0; i < axis; i++)
		outer *= (size_t)t->shape[i];
	for (uint32_t i = axis + 1; i < t->ndim; i++)
		inner *= (size_t)t->shape[i];
	to = ir_alloc(g, outer * count * inner * sizeof(*to));
	if (!to)
		return -ENOMEM;
	for (size_t o = 0; o < outer; o++)
		for (uint32_t k = 0; k < count; k++)
			memcpy(to + (o * count + k) * inner, from + (o * old + keep[k]) * inner,
			       inner * sizeof(*to));
	t->data = to;
	t->size = outer * count * inner * sizeof(*to);
	t->shape[axis] = (int32_t)count;
	t->hwc[0] = t->hwc[1] = 1;
	t->hwc[2] = (int32_t)(t->size / sizeof(*to));
	return 0;
}

static int cut_layer(struct ir_graph *g, const struct layer *l, const struct channels *c,
		     const uint32_t *left)
{
	const uint32_t *in = c->keep[l->input], *out = c->keep[l->output];
	uint32_t last = g->tensors[l->weights].ndim - 1;
	int rc = 0;

	if (l->depthwise)
		rc = out ? cut(g, l->weights, last, out, left[l->output]) : 0;
	else if (in)
		rc = cut(g, l->weights, last, in, left[l->input]);
	if (!rc && out && !l->depthwise)
		rc = cut(g, l->weights, 0, out, left[l->output]);
	if (!rc && out && l->bias != IR_NONE)
		rc = cut(g, l->bias, g->tensors[l->bias].ndim - 1, out, left[l->output]);
	return rc;
}

/* The last number of a shape that an operation is given. */
static int cut_shape(struct ir_graph *g, uint32_t index, uint32_t count)
{
	struct ir_op *op = &g->ops[index];
	const struct ir_tensor *t;
	int32_t shape[IR_MAX_DIMS], length;
	char name[64];
	uint32_t fresh;
	size_t n;

	if (op->kind != IR_RESHAPE || op->input_count < 2 || op->inputs[1] == IR_NONE)
		return 0;
	t = &g->tensors[op->inputs[1]];
	n = t->size / sizeof(*shape);
	if (!t->data || t->type != ELEM_INT32 || !n || n > IR_MAX_DIMS)
		return 0;
	memcpy(shape, t->data, n * sizeof(*shape));
	if (shape[n - 1] < 0)
		return 0;
	shape[n - 1] = (int32_t)count;
	length = (int32_t)n;
	snprintf(name, sizeof(name), "compress/shape %u", index);
	fresh = ir_constant(g, name, ELEM_INT32, 1, &length, shape);
	op->inputs[1] = fresh;
	return fresh == IR_NONE ? -ENOMEM : 0;
}

static int cut_op(const struct sets *s, struct ir_graph *g, uint32_t index, const struct channels *c,
		  const uint32_t *left)
{
	struct ir_op *op = &g->ops[index];
	uint32_t out = op->outputs[0];
	int rc = 0;

	if (s->layer_of[index] != IR_NONE)
		return cut_layer(g, &s->layers[s->layer_of[index]], c, left);
	if (!c->keep[out])
		return 0;
	for (uint32_t i = 0; i < op->input_count && is_binary(op->kind) && !rc; i++) {
		const struct ir_tensor *t = &g->tensors[op->inputs[i]];

		if (t->data && ir_tensor_elements(t) > 1)
			rc = cut(g, op->inputs[i], t->ndim - 1, c->keep[out], left[out]);
	}
	return rc ? rc : cut_shape(g, index, left[out]);
}

static int rebuild(const struct sets *s, const struct channels *c, const uint32_t *left,
		   struct ir_graph **out, struct error *err)
{
	struct ir_graph *g = ir_copy(s->g);
	int rc = g ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < s->g->op_count && !rc; i++)
		rc = cut_op(s, g, i, c, left);
	for (uint32_t t = 0; t < s->g->tensor_count && !rc; t++) {
		struct ir_tensor *x = &g->tensors[t];

		if (!c->keep[t])
			continue;
		x->shape[x->ndim - 1] = (int32_t)left[t];
		x->hwc[2] = (int32_t)left[t];
	}
	*out = g;
	return rc ? error_set(err, rc, "out of memory") : ir_verify(g, err);
}

void channels_free(struct channels *c)
{
	for (uint32_t i = 0; i < c->list_count; i++)
		free(c->lists[i]);
	free(c->lists);
	free(c->keep);
	memset(c, 0, sizeof(*c));
}

int channels_prune(const struct moments_source *source, double share, struct channels *c,
		   struct ir_graph **out, struct error *err)
{
	const struct ir_graph *g = source->original;
	uint32_t *left = calloc((size_t)g->tensor_count + 1, sizeof(*left));
	struct sets s;
	int rc = sets_init(&s, g, err);

	*out = NULL;
	if (!left)
		rc = error_set(err, -ENOMEM, "out of memory");
	if (!rc)
		rc = measure(&s, source, err);
	if (!rc)
		rc = choose(&s, share, c, left, err);
	if (!rc)
		rc = rebuild(&s, c, left, out, err);
	sets_free(&s);
	free(left);
	return rc;
}
