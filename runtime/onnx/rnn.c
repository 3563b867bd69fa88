/* SPDX-License-Identifier: MIT */
/*
 * Recurrent layers, unrolled: the input's products for all steps at once, then step after step. Each
 * cell gets sums of the input's products and bias, and adds those of its state.
 */
#include <errno.h>
#include <string.h>

#include "runtime/onnx/build.h"

#define NEWEST		27
#define STEPS_MAX	2048
#define GATES_MAX	4

struct rnn;

/* An activation with its numbers. */
struct activation {
	unsigned int kind;	/* IR_OTHER: affine, or scaled tanh */
	bool scaled_tanh;
	float alpha, beta;
};

/**
 * struct rnn - a layer
 * @gates: of the cell
 * @cell: from the state before a step and the sums of its gates [batch, gates * hidden] to that after
 * @batch, @steps, @hidden: extents
 * @lengths: of each sequence, [batch, 1], or NULL
 * @r, @r_bias, @peephole: of the direction at hand, NULL: none
 * @act: of the direction at hand
 */
struct rnn {
	const struct onnx_node *n;
	uint32_t gates;
	void (*cell)(struct onnx_import *c, const struct rnn *l, struct onnx_value *sums,
		     struct onnx_value **state);
	int32_t batch, steps, hidden;
	float clip;
	struct onnx_value *lengths, *r, *r_bias, *peephole;
	struct activation act[3];
};

/* --- Activations --- */

static const struct {
	const char *name;
	unsigned int kind;
	bool scaled_tanh, has_alpha, has_beta;
	float alpha, beta;
} activations[] = {
	{ "Sigmoid", IR_LOGISTIC, false, false, false, 0, 0 },
	{ "Tanh", IR_TANH, false, false, false, 0, 0 },
	{ "Relu", IR_RELU, false, false, false, 0, 0 },
	{ "Softsign", IR_SOFTSIGN, false, false, false, 0, 0 },
	{ "Softplus", IR_SOFTPLUS, false, false, false, 0, 0 },
	{ "LeakyRelu", IR_LEAKY_RELU, false, true, false, 0.01f, 0 },
	{ "ThresholdedRelu", IR_THRESHOLDED_RELU, false, true, false, 1, 0 },
	{ "HardSigmoid", IR_HARD_SIGMOID, false, true, true, 0.2f, 0.5f },
	{ "Affine", IR_OTHER, false, true, true, 1, 0 },
	{ "ScaledTanh", IR_OTHER, true, true, true, 1, 1 },
};

static const Onnx__AttributeProto *names_of(const struct onnx_node *n)
{
	for (size_t i = 0; i < n->pb->n_attribute; i++)
		if (n->pb->attribute[i]->name && !strcmp(n->pb->attribute[i]->name, "activations"))
			return n->pb->attribute[i];
	return NULL;
}

static size_t find_activation(const ProtobufCBinaryData *name)
{
	size_t k = 0;

	while (k < sizeof(activations) / sizeof(activations[0]) &&
	       (strlen(activations[k].name) != name->len ||
		memcmp(activations[k].name, name->data, name->len)))
		k++;
	return k;
}

/* Activations of direction @dir, @count of them; numbers are used up in order. */
static void choose_activations(struct onnx_import *c, struct rnn *l, uint32_t dir, uint32_t count,
			       const char *const *dflt)
{
	const Onnx__AttributeProto *names = names_of(l->n);
	float alpha[16], beta[16];
	uint32_t alphas = onnx_floats(c, l->n, "activation_alpha", alpha, 16), a = 0, b = 0;
	uint32_t betas = onnx_floats(c, l->n, "activation_beta", beta, 16);

	if (names && names->n_strings && names->n_strings < (size_t)(dir + 1) * count)
		onnx_fail(c, -EINVAL, "%zu activations", names->n_strings);
	for (uint32_t i = 0; i < (dir + 1) * count && !c->rc; i++) {
		ProtobufCBinaryData name = { strlen(dflt[i % count]), (uint8_t *)(uintptr_t)dflt[i % count] };
		struct activation *act = &l->act[i % count];
		size_t k;

		if (names && names->n_strings)
			name = names->strings[i];
		k = find_activation(&name);
		if (k == sizeof(activations) / sizeof(activations[0])) {
			onnx_fail(c, -ENOTSUP, "activation %.*s", (int)(name.len < 40 ? name.len : 40),
				  (const char *)name.data);
			return;
		}
		*act = (struct activation){ activations[k].kind, activations[k].scaled_tanh,
					    activations[k].alpha, activations[k].beta };
		if (activations[k].has_alpha && a < alphas)
			act->alpha = alpha[a++];
		if (activations[k].has_beta && b < betas)
			act->beta = beta[b++];
	}
}

static struct onnx_value *activate(struct onnx_import *c, const struct rnn *l, uint32_t which,
				   struct onnx_value *x)
{
	const struct activation *a = &l->act[which];
	struct ir_options o = { .alpha = a->alpha, .beta = a->beta };

	if (l->clip > 0)
		x = b_with(c, IR_MINIMUM, b_with(c, IR_MAXIMUM, x, -(double)l->clip), (double)l->clip);
	if (a->scaled_tanh)
		return b_with(c, IR_MUL, b_unary(c, IR_TANH, b_with(c, IR_MUL, x, (double)a->beta)),
			      (double)a->alpha);
	if (a->kind == IR_OTHER)
		return b_with(c, IR_ADD, b_with(c, IR_MUL, x, (double)a->alpha), (double)a->beta);
	return b_unary_with(c, a->kind, &o, x);
}

/* --- Cells --- */

/* Gate @i of sums, or of weights' rows. */
static struct onnx_value *gate(struct onnx_import *c, const struct rnn *l, struct onnx_value *x,
			       uint32_t axis, int32_t i)
{
	return b_slice(c, x, axis, i * l->hidden, l->hidden);
}

static void simple_cell(struct onnx_import *c, const struct rnn *l, struct onnx_value *sums,
			struct onnx_value **state)
{
	state[0] = activate(c, l, 0, b_add(c, sums, b_linear(c, state[0], l->r, l->r_bias)));
}

/* 1 - x */
static struct onnx_value *rest_of(struct onnx_import *c, struct onnx_value *x)
{
	return b_with(c, IR_ADD, b_unary(c, IR_NEG, x), 1);
}

/* Gates in ONNX's order: update, reset, hidden. */
static void gru_cell(struct onnx_import *c, const struct rnn *l, struct onnx_value *sums,
		     struct onnx_value **state)
{
	struct onnx_value *h = state[0], *all, *update, *reset, *hidden;

	if (onnx_int(l->n, "linear_before_reset", 0)) {
		all = b_linear(c, h, l->r, l->r_bias);
		update = activate(c, l, 0, b_add(c, gate(c, l, sums, 1, 0), gate(c, l, all, 1, 0)));
		reset = activate(c, l, 0, b_add(c, gate(c, l, sums, 1, 1), gate(c, l, all, 1, 1)));
		hidden = b_mul(c, reset, gate(c, l, all, 1, 2));
	} else {
		struct onnx_value *bias = l->r_bias ? b_slice(c, l->r_bias, 0, 0, 2 * l->hidden) : NULL;

		all = b_linear(c, h, b_slice(c, l->r, 0, 0, 2 * l->hidden), bias);
		update = activate(c, l, 0, b_add(c, gate(c, l, sums, 1, 0), gate(c, l, all, 1, 0)));
		reset = activate(c, l, 0, b_add(c, gate(c, l, sums, 1, 1), gate(c, l, all, 1, 1)));
		hidden = b_linear(c, b_mul(c, reset, h), gate(c, l, l->r, 0, 2),
				  l->r_bias ? gate(c, l, l->r_bias, 0, 2) : NULL);
	}
	hidden = activate(c, l, 1, b_add(c, gate(c, l, sums, 1, 2), hidden));
	state[0] = b_add(c, b_mul(c, rest_of(c, update), hidden), b_mul(c, update, h));
}

/* What the memory adds to a gate by way of its peephole. */
static struct onnx_value *peep(struct onnx_import *c, const struct rnn *l, struct onnx_value *sum,
			       struct onnx_value *memory, int32_t i)
{
	return l->peephole ? b_add(c, sum, b_mul(c, memory, gate(c, l, l->peephole, 0, i))) : sum;
}

/* Gates in ONNX's order: input, output, forget, cell; peepholes: input, output, forget. */
static void lstm_cell(struct onnx_import *c, const struct rnn *l, struct onnx_value *sums,
		      struct onnx_value **state)
{
	struct onnx_value *memory = state[1], *in, *out, *forget, *cell;

	sums = b_add(c, sums, b_linear(c, state[0], l->r, l->r_bias));
	in = activate(c, l, 0, peep(c, l, gate(c, l, sums, 1, 0), memory, 0));
	forget = onnx_int(l->n, "input_forget", 0) ? rest_of(c, in) :
		 activate(c, l, 0, peep(c, l, gate(c, l, sums, 1, 2), memory, 2));
	cell = activate(c, l, 1, gate(c, l, sums, 1, 3));
	state[1] = b_add(c, b_mul(c, forget, memory), b_mul(c, in, cell));
	out = activate(c, l, 0, peep(c, l, gate(c, l, sums, 1, 1), state[1], 1));
	state[0] = b_mul(c, out, activate(c, l, 2, state[1]));
}

/* --- Layers --- */

/* What an optional input [directions, ...] holds for one, or NULL. */
static struct onnx_value *of_direction(struct onnx_import *c, struct onnx_value *v, uint32_t dir)
{
	int32_t shape[IR_MAX_DIMS] = { 0 };

	if (!v || c->rc)
		return NULL;
	memcpy(shape, v->shape + 1, sizeof(shape) - sizeof(*shape));
	return b_reshape(c, b_slice(c, v, 0, (int32_t)dir, 1), v->ndim - 1, shape);
}

/* One of two halves of the biases. */
static struct onnx_value *bias_half(struct onnx_import *c, const struct rnn *l, struct onnx_value *bias,
				    int32_t half)
{
	int32_t count = (int32_t)l->gates * l->hidden;

	return bias ? b_slice(c, bias, 0, half * count, count) : NULL;
}

/* State before the first step: an input [directions, batch, hidden], or zeros. */
static struct onnx_value *first_state(struct onnx_import *c, const struct rnn *l, struct onnx_value *v,
				      uint32_t dir)
{
	if (v)
		return of_direction(c, v, dir);
	return onnx_constant(c, ELEM_FLOAT32, 2, (int32_t[]){ l->batch, l->hidden }, NULL);
}

/* Where a sequence is over its state stays, and there is no output. */
static void end_sequences(struct onnx_import *c, const struct rnn *l, int32_t t,
			  struct onnx_value *const *before, struct onnx_value **state,
			  struct onnx_value **y)
{
	struct onnx_value *on = l->lengths ? b_compare(c, IR_GREATER, l->lengths,
						       onnx_scalar(c, ELEM_INT32, t)) : NULL;

	*y = on ? b_select(c, on, state[0], onnx_f32(c, 0)) : state[0];
	for (int i = 0; on && i < 2; i++)
		state[i] = state[i] ? b_select(c, on, state[i], before[i]) : NULL;
}

/* All steps of a direction: @y of each step, [batch, hidden]; @state at the end. */
static void run_direction(struct onnx_import *c, struct rnn *l, struct onnx_value *x, uint32_t dir,
			  bool backwards, struct onnx_value **y, struct onnx_value **state)
{
	struct onnx_value *w = of_direction(c, onnx_in(l->n, 1), dir), *sums;
	struct onnx_value *bias = of_direction(c, onnx_in(l->n, 3), dir);
	bool lstm = l->gates == 4;

	l->r = of_direction(c, onnx_in(l->n, 2), dir);
	l->r_bias = bias_half(c, l, bias, 1);
	l->peephole = lstm ? of_direction(c, onnx_in(l->n, 7), dir) : NULL;
	state[0] = first_state(c, l, onnx_in(l->n, 5), dir);
	state[1] = lstm ? first_state(c, l, onnx_in(l->n, 6), dir) : NULL;
	sums = b_linear(c, x, w, bias_half(c, l, bias, 0));
	for (int32_t i = 0; i < l->steps && !c->rc; i++) {
		int32_t t = backwards ? l->steps - 1 - i : i;
		struct onnx_value *before[2] = { state[0], state[1] }, *step;

		step = b_reshape(c, b_slice(c, sums, 0, t, 1), 2,
				 (int32_t[]){ l->batch, (int32_t)l->gates * l->hidden });
		l->cell(c, l, step, state);
		end_sequences(c, l, t, before, state, &y[t]);
	}
}

/* Outputs of steps, [steps, directions, batch, hidden], @y being one direction after the other. */
static struct onnx_value *all_steps(struct onnx_import *c, const struct rnn *l, uint32_t dirs,
				    struct onnx_value **y)
{
	struct onnx_value *parts[2] = { 0 };

	for (uint32_t d = 0; d < dirs && !c->rc; d++) {
		parts[d] = b_concat(c, 0, (uint32_t)l->steps, y + d * (uint32_t)l->steps);
		parts[d] = b_reshape(c, parts[d], 4, (int32_t[]){ l->steps, 1, l->batch, l->hidden });
	}
	return c->rc ? NULL : b_concat(c, 1, dirs, parts);
}

/* States at the end, [directions, batch, hidden]. */
static struct onnx_value *last_states(struct onnx_import *c, const struct rnn *l, uint32_t dirs,
				      struct onnx_value *const *states)
{
	struct onnx_value *list[2] = { 0 };

	for (uint32_t d = 0; d < dirs; d++)
		list[d] = b_reshape(c, states[d], 3, (int32_t[]){ 1, l->batch, l->hidden });
	return list[0] && (dirs == 1 || list[1]) ? b_concat(c, 0, dirs, list) : NULL;
}

/* With layout 1 the batch comes first; of [directions, batch, hidden]. */
static struct onnx_value *swap_batch(struct onnx_import *c, struct onnx_value *v, bool batch_first)
{
	return batch_first ? b_transpose(c, v, (int32_t[]){ 1, 0, 2 }) : v;
}

static int check(struct onnx_import *c, const struct onnx_node *n, struct rnn *l, uint32_t dirs)
{
	const struct onnx_value *x = onnx_in(n, 0), *w = onnx_in(n, 1), *r = onnx_in(n, 2);
	bool batch_first = onnx_int(n, "layout", 0);
	int64_t rows;

	if (x->ndim != 3 || w->ndim != 3 || r->ndim != 3) {
		onnx_fail(c, -EINVAL, "operands that have not 3 axes");
		return c->rc;
	}
	l->steps = x->shape[batch_first ? 1 : 0];
	l->batch = x->shape[batch_first ? 0 : 1];
	l->hidden = r->shape[2];
	rows = (int64_t)l->gates * l->hidden;
	if (w->shape[0] != (int32_t)dirs || r->shape[0] != (int32_t)dirs || l->hidden < 1 ||
	    w->shape[1] != rows || r->shape[1] != rows)
		onnx_fail(c, -EINVAL, "weights that do not fit");
	if (onnx_in(n, 3) && (onnx_in(n, 3)->ndim != 2 || onnx_in(n, 3)->shape[0] != (int32_t)dirs ||
			      onnx_in(n, 3)->shape[1] != 2 * rows))
		onnx_fail(c, -EINVAL, "biases that do not fit");
	if (l->gates == 4 && onnx_in(n, 7) &&
	    (onnx_in(n, 7)->ndim != 2 || onnx_in(n, 7)->shape[0] != (int32_t)dirs ||
	     onnx_in(n, 7)->shape[1] != (int64_t)3 * l->hidden))
		onnx_fail(c, -EINVAL, "peepholes that do not fit");
	for (uint32_t i = 5; i < (l->gates == 4 ? 7u : 6u); i++)
		if (onnx_in(n, i) && (onnx_in(n, i)->ndim != 3 ||
				      onnx_in(n, i)->shape[batch_first ? 1 : 0] != (int32_t)dirs ||
				      onnx_in(n, i)->shape[batch_first ? 0 : 1] != l->batch ||
				      onnx_in(n, i)->shape[2] != l->hidden))
			onnx_fail(c, -EINVAL, "a first state that does not fit");
	if (l->steps < 1 || l->steps > STEPS_MAX)
		onnx_fail(c, -ENOTSUP, "%d steps, of which 1 to %d are unrolled", l->steps, STEPS_MAX);
	return c->rc;
}

static int layer(struct onnx_import *c, const struct onnx_node *n)
{
	static const char *const dflt[GATES_MAX + 1][3] = {
		[1] = { "Tanh" }, [3] = { "Sigmoid", "Tanh" }, [4] = { "Sigmoid", "Tanh", "Tanh" },
	};
	static const uint32_t counts[GATES_MAX + 1] = { [1] = 1, [3] = 2, [4] = 3 };
	struct rnn l = { .n = n, .gates = n->op->arg, .clip = onnx_float(n, "clip", 0) };
	const char *direction = onnx_string(c, n, "direction", "forward");
	bool batch_first = onnx_int(n, "layout", 0);
	uint32_t dirs = strcmp(direction, "bidirectional") ? 1 : 2;
	struct onnx_value *x = onnx_in(n, 0), **y, *h[2] = { 0 }, *m[2] = { 0 };
	struct onnx_node turned = *n;

	l.cell = l.gates == 1 ? simple_cell : l.gates == 3 ? gru_cell : lstm_cell;
	if (check(c, n, &l, dirs))
		return c->rc;
	y = ir_alloc(c->g, 2 * (size_t)l.steps * sizeof(struct onnx_value *));
	turned.inputs = ir_alloc(c->g, ((size_t)n->input_count + 1) * sizeof(struct onnx_value *));
	if (!y || !turned.inputs)
		return onnx_fail(c, -ENOMEM, "out of memory"), c->rc;
	memcpy(turned.inputs, n->inputs, n->input_count * sizeof(struct onnx_value *));
	for (uint32_t i = 5; i < 7 && i < n->input_count; i++)
		turned.inputs[i] = n->inputs[i] ? swap_batch(c, n->inputs[i], batch_first) : NULL;
	l.n = &turned;
	x = swap_batch(c, x, batch_first);
	if (onnx_in(n, 4))
		l.lengths = b_reshape(c, b_cast(c, onnx_in(n, 4), ELEM_INT32), 2,
				      (int32_t[]){ l.batch, 1 });
	for (uint32_t d = 0; d < dirs && !c->rc; d++) {
		struct onnx_value *state[2];

		choose_activations(c, &l, d, counts[l.gates], dflt[l.gates]);
		run_direction(c, &l, x, d, d || !strcmp(direction, "reverse"), y + d * (size_t)l.steps,
			      state);
		h[d] = state[0];
		m[d] = state[1];
	}
	if (c->rc)
		return c->rc;
	if (onnx_wants(n, 1))
		onnx_out(c, n, 1, swap_batch(c, last_states(c, &l, dirs, h), batch_first));
	if (l.gates == 4 && onnx_wants(n, 2))
		onnx_out(c, n, 2, swap_batch(c, last_states(c, &l, dirs, m), batch_first));
	if (!onnx_wants(n, 0))
		return c->rc;
	x = all_steps(c, &l, dirs, y);
	return onnx_out(c, n, 0, batch_first ? b_transpose(c, x, (int32_t[]){ 2, 0, 1, 3 }) : x);
}

const struct onnx_operator onnx_rnn[] = {
	{ "GRU", "", 7, NEWEST, 3, layer, 3, "unrolled" },
	{ "LSTM", "", 7, NEWEST, 3, layer, 4, "unrolled" },
	{ "RNN", "", 7, NEWEST, 3, layer, 1, "unrolled" },
	{ 0 },
};
