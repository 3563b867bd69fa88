/* SPDX-License-Identifier: MIT */
/* Operations that do not mind the order of axes, done on tensors in another order. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/onnx/layout.h"

/**
 * struct move - an operation being moved
 * @v: view that the output will be, of @source
 * @ndim: of the source; @rank: of the operation's output
 */
struct move {
	struct layout *l;
	const struct ir_op *op;
	struct layout_view v;
	uint32_t source, ndim, rank;
	uint32_t *inputs;
};

static const struct ir_tensor *tensor(const struct move *m, uint32_t i)
{
	return &m->l->g->tensors[m->op->inputs[i]];
}

static const struct ir_tensor *source(const struct move *m)
{
	return &m->l->g->tensors[m->source];
}

/* Extents in the source's order of what has @shape in the operation's. */
static void permuted(const struct move *m, const int32_t *shape, int32_t *out)
{
	for (uint32_t i = 0; i < m->ndim; i++) {
		int axis = view_axis(&m->v, m->rank, i);

		out[i] = axis < 0 ? 1 : shape[axis];
	}
}

static int write_same(struct move *m, const struct ir_options *o)
{
	int32_t shape[IR_MAX_DIMS];

	permuted(m, m->l->g->tensors[m->op->outputs[0]].shape, shape);
	return layout_write(m->l, m->op, m->ndim, shape, m->inputs, o, &m->v);
}

/* Every operand broadcasts against the output. */
static int elementwise(struct move *m)
{
	const struct ir_tensor *out = &m->l->g->tensors[m->op->outputs[0]];

	/* An axis that the source does not have must not grow. */
	for (uint32_t i = 0; i < m->rank; i++)
		if (m->v.from[i] < 0 && out->shape[i] != 1)
			return 0;
	for (uint32_t i = 0; i < m->op->input_count; i++) {
		m->inputs[i] = layout_as(m->l, m->op->inputs[i], &m->v, m->ndim);
		if (m->inputs[i] == IR_NONE)
			return -ENOMEM;
	}
	return write_same(m, m->op->options);
}

static int concatenation(struct move *m)
{
	struct ir_options o = *m->op->options;
	int32_t axis = o.axis < 0 ? o.axis + (int32_t)m->rank : o.axis;

	if (axis < 0 || axis >= (int32_t)m->rank || m->v.from[axis] < 0)
		return 0;
	o.axis = m->v.from[axis];
	for (uint32_t i = 0; i < m->op->input_count; i++) {
		/* A single element does not broadcast here. */
		if (ir_tensor_elements(tensor(m, i)) == 1 && m->l->views[m->op->inputs[i]].source == IR_NONE)
			return 0;
		m->inputs[i] = layout_as(m->l, m->op->inputs[i], &m->v, m->ndim);
		if (m->inputs[i] == IR_NONE)
			return -ENOMEM;
	}
	return write_same(m, &o);
}

/* @columns numbers an axis in an operand: put where the source has that axis, @fill elsewhere. */
static bool move_list(struct move *m, uint32_t operand, uint32_t columns, int32_t fill, uint32_t *out)
{
	int32_t list[2 * IR_MAX_DIMS], moved[2 * IR_MAX_DIMS];

	if (layout_list(m->l, m->op->inputs[operand], list, 2 * IR_MAX_DIMS) != columns * m->rank)
		return false;
	for (uint32_t i = 0; i < m->ndim; i++) {
		int axis = view_axis(&m->v, m->rank, i);

		for (uint32_t k = 0; k < columns; k++)
			moved[i * columns + k] = axis < 0 ? fill : list[(uint32_t)axis * columns + k];
	}
	/* Axes of extent 1 that the source does not have: nothing may happen to them. */
	for (uint32_t i = 0; i < m->rank; i++)
		for (uint32_t k = 0; k < columns && m->v.from[i] < 0; k++)
			if (list[i * columns + k] != fill)
				return false;
	*out = layout_integers(m->l, m->ndim, columns > 1 ? columns : 0, moved);
	return *out != IR_NONE;
}

static int pad(struct move *m)
{
	m->inputs[0] = m->source;
	if (!move_list(m, 1, 2, 0, &m->inputs[1]))
		return 0;
	if (m->op->input_count > 2)
		m->inputs[2] = m->op->inputs[2];
	return write_same(m, m->op->options);
}

static int tile(struct move *m)
{
	m->inputs[0] = m->source;
	return move_list(m, 1, 1, 1, &m->inputs[1]) ? write_same(m, m->op->options) : 0;
}

static int slice(struct move *m)
{
	m->inputs[0] = m->source;
	if (!move_list(m, 1, 1, 0, &m->inputs[1]) || !move_list(m, 2, 1, 1, &m->inputs[2]))
		return 0;
	return write_same(m, m->op->options);
}

static int32_t move_mask(const struct move *m, int32_t mask)
{
	int32_t out = 0;

	for (uint32_t i = 0; i < m->ndim; i++) {
		int axis = view_axis(&m->v, m->rank, i);

		if (axis >= 0 && mask >> axis & 1)
			out |= 1 << i;
	}
	return out;
}

static int strided_slice(struct move *m)
{
	struct ir_options o = *m->op->options;

	m->inputs[0] = m->source;
	if (o.ellipsis_mask || o.new_axis_mask || o.shrink_mask)
		return 0;
	if (!move_list(m, 1, 1, 0, &m->inputs[1]) || !move_list(m, 2, 1, 1, &m->inputs[2]) ||
	    !move_list(m, 3, 1, 1, &m->inputs[3]))
		return 0;
	o.begin_mask = move_mask(m, o.begin_mask);
	o.end_mask = move_mask(m, o.end_mask);
	return write_same(m, &o);
}

/* Without keep_dims the axes that stay keep the order that they have. */
static int reduce(struct move *m)
{
	uint32_t out_ndim = m->l->g->tensors[m->op->outputs[0]].ndim;
	int32_t axes[IR_MAX_DIMS], shape[IR_MAX_DIMS];
	uint32_t count = layout_list(m->l, m->op->inputs[1], axes, IR_MAX_DIMS), gone = 0, ndim = 0, kept = 0;
	struct layout_view v;
	int place[IR_MAX_DIMS];

	for (uint32_t i = 0; i < count; i++) {
		int32_t axis = axes[i] < 0 ? axes[i] + (int32_t)m->rank : axes[i];

		if (axis < 0 || axis >= (int32_t)m->rank || m->v.from[axis] < 0)
			return 0;
		gone |= 1u << m->v.from[axis];
		axes[i] = m->v.from[axis];
	}
	if (!count)
		return 0;
	m->inputs[0] = m->source;
	m->inputs[1] = layout_integers(m->l, count, 0, axes);
	if (m->inputs[1] == IR_NONE)
		return -ENOMEM;
	if (m->op->options->keep_dims)
		return write_same(m, m->op->options);
	for (uint32_t i = 0; i < m->ndim; i++) {
		place[i] = (int)ndim;
		if (!(gone >> i & 1))
			shape[ndim++] = source(m)->shape[i];
	}
	memset(v.from, INT8_MIN, sizeof(v.from));
	for (uint32_t i = 0; i < m->rank; i++) {
		if (m->v.from[i] >= 0 && gone >> m->v.from[i] & 1)
			continue;
		v.from[kept++] = (int8_t)(m->v.from[i] < 0 ? -1 : place[m->v.from[i]]);
	}
	if (kept != out_ndim)
		return 0;
	return layout_write(m->l, m->op, ndim, shape, m->inputs, m->op->options, &v);
}

/* The last axis has to stay the last. */
static int last_axis(struct move *m)
{
	if (m->v.from[m->rank - 1] != (int)m->ndim - 1)
		return 0;
	m->inputs[0] = m->source;
	return write_same(m, m->op->options);
}

/* Rows by a list of their numbers. */
static int gather(struct move *m)
{
	struct ir_options o = *m->op->options;
	int32_t axis = o.axis < 0 ? o.axis + (int32_t)m->rank : o.axis;

	if (o.batch_dims || tensor(m, 1)->ndim != 1 || axis < 0 || axis >= (int32_t)m->rank ||
	    m->v.from[axis] < 0 || m->l->views[m->op->inputs[1]].source != IR_NONE)
		return 0;
	o.axis = m->v.from[axis];
	m->inputs[0] = m->source;
	m->inputs[1] = m->op->inputs[1];
	return write_same(m, &o);
}

static int (*const how[IR_KIND_COUNT])(struct move *m) = {
	[IR_ABS] = elementwise, [IR_ACOS] = elementwise, [IR_ACOSH] = elementwise, [IR_ADD] = elementwise,
	[IR_ASIN] = elementwise, [IR_ASINH] = elementwise, [IR_ATAN] = elementwise, [IR_ATANH] = elementwise,
	[IR_CAST] = elementwise, [IR_CEIL] = elementwise, [IR_CELU] = elementwise,
	[IR_CONCATENATION] = concatenation, [IR_COS] = elementwise, [IR_COSH] = elementwise,
	[IR_DEQUANTIZE] = elementwise, [IR_DIV] = elementwise, [IR_ELU] = elementwise,
	[IR_EQUAL] = elementwise, [IR_ERF] = elementwise, [IR_EXP] = elementwise, [IR_FLOOR] = elementwise,
	[IR_FLOOR_DIV] = elementwise, [IR_FLOOR_MOD] = elementwise, [IR_FMOD] = elementwise,
	[IR_GATHER] = gather, [IR_GELU] = elementwise, [IR_GREATER] = elementwise,
	[IR_GREATER_EQUAL] = elementwise, [IR_HARD_SIGMOID] = elementwise, [IR_HARD_SWISH] = elementwise,
	[IR_IS_INF] = elementwise, [IR_IS_NAN] = elementwise, [IR_L2_NORMALIZATION] = last_axis,
	[IR_LEAKY_RELU] = elementwise, [IR_LESS] = elementwise, [IR_LESS_EQUAL] = elementwise,
	[IR_LOG] = elementwise, [IR_LOGICAL_AND] = elementwise, [IR_LOGICAL_NOT] = elementwise,
	[IR_LOGICAL_OR] = elementwise, [IR_LOGISTIC] = elementwise, [IR_LOG_SOFTMAX] = last_axis,
	[IR_MAXIMUM] = elementwise, [IR_MEAN] = reduce, [IR_MINIMUM] = elementwise, [IR_MIRROR_PAD] = pad,
	[IR_MISH] = elementwise, [IR_MUL] = elementwise, [IR_NEG] = elementwise,
	[IR_NOT_EQUAL] = elementwise, [IR_PAD] = pad, [IR_PADV2] = pad, [IR_POW] = elementwise,
	[IR_PRELU] = elementwise, [IR_QUANTIZE] = elementwise, [IR_RECIPROCAL] = elementwise,
	[IR_REDUCE_ALL] = reduce, [IR_REDUCE_ANY] = reduce, [IR_REDUCE_MAX] = reduce,
	[IR_REDUCE_MIN] = reduce, [IR_REDUCE_PROD] = reduce, [IR_RELU] = elementwise,
	[IR_RELU6] = elementwise, [IR_RELU_0_TO_1] = elementwise, [IR_RELU_N1_TO_1] = elementwise,
	[IR_ROUND] = elementwise, [IR_RSQRT] = elementwise, [IR_SELECT_V2] = elementwise,
	[IR_SELU] = elementwise, [IR_SIGN] = elementwise, [IR_SIN] = elementwise, [IR_SINH] = elementwise,
	[IR_SLICE] = slice, [IR_SOFTMAX] = last_axis, [IR_SOFTPLUS] = elementwise,
	[IR_SOFTSIGN] = elementwise, [IR_SQRT] = elementwise, [IR_SQUARE] = elementwise,
	[IR_SQUARED_DIFFERENCE] = elementwise, [IR_STRIDED_SLICE] = strided_slice, [IR_SUB] = elementwise,
	[IR_SUM] = reduce, [IR_TAN] = elementwise, [IR_TANH] = elementwise,
	[IR_THRESHOLDED_RELU] = elementwise, [IR_TILE] = tile,
};

/* The operand whose order the operation takes on: the largest view of as many axes as the output. */
static bool choose(struct move *m)
{
	const struct ir_graph *g = m->l->g;
	size_t best = 0;

	for (uint32_t i = 0; i < m->op->input_count; i++) {
		const struct layout_view *v;
		size_t n;

		if (m->op->inputs[i] == IR_NONE)
			return false;
		v = &m->l->views[m->op->inputs[i]];
		n = ir_tensor_elements(&g->tensors[m->op->inputs[i]]);
		if (g->tensors[m->op->inputs[i]].quant.count > 1)
			return false;
		if (v->source == IR_NONE || n <= best)
			continue;
		best = n;
		m->v = *v;
		m->source = v->source;
		m->ndim = g->tensors[v->source].ndim;
		m->rank = g->tensors[m->op->inputs[i]].ndim;
	}
	return best;
}

int layout_move(struct layout *l, const struct ir_op *op)
{
	struct move m = { .l = l, .op = op };

	if (op->kind >= IR_KIND_COUNT || !how[op->kind] || !choose(&m))
		return 0;
	if (how[op->kind] != reduce && m.rank != l->g->tensors[op->outputs[0]].ndim)
		return 0;
	if (l->g->tensors[op->outputs[0]].quant.count > 1 || l->g->tensors[op->outputs[0]].variable)
		return 0;
	/* These want their view as the first operand. */
	if (how[op->kind] != elementwise && how[op->kind] != concatenation &&
	    (l->views[op->inputs[0]].source != m.source || op->input_count > 4))
		return 0;
	m.inputs = ir_alloc(l->g, ((size_t)op->input_count + 1) * sizeof(*m.inputs));
	return m.inputs ? how[op->kind](&m) : -ENOMEM;
}
