/* SPDX-License-Identifier: MIT */
/*
 * Lowering: UNIDIRECTIONAL_SEQUENCE_LSTM of int8 with int16 cells, without peepholes, projection and
 * layer normalisation. All gates are one matrix, their order input, forget, output, cell; what comes
 * of the inputs is one operation for the whole sequence. Then for each step:
 *
 *	r = W * output before			i, f, o = sigmoid(x + r)	g = tanh(x + r)
 *	cell = f * cell before + i * g		output = o * tanh(cell)
 *
 * TFLite's sigmoid and tanh of 16 bits are other approximations than the NPU's: gates can differ by
 * a few units of 1/32768, outputs by a few units.
 */
#include "runtime/compile/lower.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GATES		4
#define GATE_SCALE	(1.0 / 4096)	/* of what goes into the gates' functions */
#define STEPS_MAX	1024

/* Inputs of the operator. */
enum {
	LSTM_INPUT = 0, LSTM_INPUT_WEIGHTS = 1, LSTM_RECURRENT_WEIGHTS = 5, LSTM_PEEPHOLE = 9,
	LSTM_BIAS = 12, LSTM_PROJECTION = 16, LSTM_OUTPUT_STATE = 18, LSTM_CELL_STATE = 19,
	LSTM_NORM = 20,
};

/* TFLite's order of gates (input, forget, cell, output) at our places. */
static const uint8_t gate_at[GATES] = { 0, 1, 3, 2 };

/*
 * struct lstm - extents and what all steps share
 * @input, @output: [batch][steps][...]
 * @recurrent: the FC of the recurrent weights, without views
 * @tanh, @sigmoid: U85's tables
 */
struct lstm {
	int32_t batch, steps, features, units;
	struct nd input, output;
	struct ir_npu recurrent;
	uint32_t tanh, sigmoid;
	double cell_scale;
	int32_t clip;
};

static uint32_t operand(const struct ir_op *op, uint32_t index)
{
	return index < op->input_count ? op->inputs[index] : IR_NONE;
}

/* Why this LSTM is not one of those, or NULL. */
static const char *check(const struct lower *l, const struct ir_op *op, struct lstm *s)
{
	const struct ir_tensor *in, *out, *cell, *state;
	int exponent;

	for (uint32_t i = 0; i <= LSTM_CELL_STATE; i++) {
		bool optional = (i >= LSTM_PEEPHOLE && i < LSTM_BIAS) || i == LSTM_PROJECTION ||
				i == LSTM_PROJECTION + 1;

		if (optional ? operand(op, i) != IR_NONE : operand(op, i) == IR_NONE)
			return "peepholes, a projection, or gates that are left out";
	}
	for (uint32_t i = LSTM_NORM; i < LSTM_NORM + GATES; i++)
		if (operand(op, i) != IR_NONE)
			return "layer normalisation";
	in = lower_tensor(l, op->inputs[LSTM_INPUT]);
	out = lower_tensor(l, op->outputs[0]);
	state = lower_tensor(l, op->inputs[LSTM_OUTPUT_STATE]);
	cell = lower_tensor(l, op->inputs[LSTM_CELL_STATE]);
	if (in->type != ELEM_INT8 || out->type != ELEM_INT8 || state->type != ELEM_INT8 ||
	    cell->type != ELEM_INT16 || in->ndim != 3 || out->ndim != 3)
		return "not of int8 with int16 cells";
	if (!quant_of(in) || !quant_of(out) || !quant_of(state) || !quant_of(cell) ||
	    quant_zero(cell) || !quant_same(out, state))
		return "a tensor is not quantised, or output and state differently";
	if (frexp(quant_of(cell), &exponent) != 0.5)
		return "the cell's scale is no power of two";
	if (!state->variable || !cell->variable || op->options->activation != IR_ACT_TANH)
		return "states that are not variable, or another activation than tanh";
	s->batch = in->shape[op->options->time_major ? 1 : 0];
	s->steps = in->shape[op->options->time_major ? 0 : 1];
	s->features = in->shape[2];
	s->units = out->shape[2];
	s->cell_scale = quant_of(cell);
	if (s->steps > STEPS_MAX || s->units > LOWER_AXIS_MAX / GATES ||
	    s->features > LOWER_AXIS_MAX)
		return "too many steps or units";
	if (ir_tensor_elements(out) / (size_t)s->units != (size_t)s->batch * (size_t)s->steps ||
	    ir_tensor_elements(state) != (size_t)s->batch * (size_t)s->units ||
	    ir_tensor_elements(cell) != ir_tensor_elements(state))
		return "the states do not fit input and output";
	for (uint32_t g = 0; g < GATES; g++) {
		const struct ir_tensor *w = lower_tensor(l, op->inputs[LSTM_INPUT_WEIGHTS + g]);
		const struct ir_tensor *r = lower_tensor(l, op->inputs[LSTM_RECURRENT_WEIGHTS + g]);
		const struct ir_tensor *b = lower_tensor(l, op->inputs[LSTM_BIAS + g]);

		if (!w->data || !r->data || !b->data || w->type != ELEM_INT8 ||
		    r->type != ELEM_INT8 || b->type != ELEM_INT32 || !quant_of(w) || !quant_of(r) ||
		    quant_zero(w) || quant_zero(r) || w->quant.count != 1 || r->quant.count != 1 ||
		    w->size != (size_t)s->units * (size_t)s->features ||
		    r->size != (size_t)s->units * (size_t)s->units ||
		    b->size != 4 * (size_t)s->units)
			return "weights that are not constant int8 of the right size";
	}
	/* TFLite clips the cell where that is asked for. */
	s->clip = INT16_MAX;
	if (op->options->cell_clip > 0) {
		double clip = (double)op->options->cell_clip / s->cell_scale;

		s->clip = clip < INT16_MAX ? (int32_t)clip : INT16_MAX;
	}
	return NULL;
}

/* Weights of the four gates from input @first on as one convolution, int8 to int16. */
static int gates_npu(struct lower *l, const struct ir_op *op, const struct lstm *s, uint32_t first,
		     uint32_t from, bool bias, struct ir_npu *npu)
{
	size_t depth = lower_tensor(l, op->inputs[first])->size / (size_t)s->units;
	size_t units = (size_t)s->units, each = units * depth;
	struct ir_scale *scale = ir_alloc(l->g, GATES * units * sizeof(*scale));
	int64_t *biases = ir_alloc(l->g, GATES * units * sizeof(*biases));
	int32_t shape[4] = { GATES * s->units, 1, 1, (int32_t)depth };
	char *weights = malloc(GATES * each);
	struct ir_scale one;
	int rc = 0;

	*npu = lower_npu(IR_NPU_CONV, 0, ELEM_INT16);
	if (!scale || !biases || !weights) {
		free(weights);
		return lower_no_memory(l);
	}
	for (uint32_t g = 0; g < GATES && !rc; g++) {
		const struct ir_tensor *w = lower_tensor(l, op->inputs[first + g]);
		const struct ir_tensor *b = lower_tensor(l, op->inputs[LSTM_BIAS + g]);
		size_t at = gate_at[g] * units;

		memcpy(weights + at * depth, w->data, each);
		if (!quant_scale(quant_of(w) * quant_of(lower_tensor(l, from)) / GATE_SCALE, 0, &one))
			rc = lower_cpu(l, "a scale is out of range");
		for (size_t i = 0; i < units; i++) {
			int32_t v = 0;

			if (bias)
				memcpy(&v, (const char *)b->data + 4 * i, sizeof(v));
			biases[at + i] = v;
			scale[at + i] = one;
		}
	}
	if (!rc)
		npu->weights = lower_constant(l, ELEM_INT8, 4, shape, weights);
	free(weights);
	if (!rc && npu->weights == IR_NONE)
		rc = lower_no_memory(l);
	npu->channels = GATES * (uint32_t)s->units;
	npu->channel_scale = scale;
	npu->bias = bias ? biases : NULL;
	npu->round = IR_ROUND_TFL;
	return rc;
}

/* [batch][...] of step @t. */
static struct nd step_of(struct nd d, int32_t t)
{
	nd_slice(&d, 1, t, 1, 1);
	nd_drop(&d, 1);
	return d;
}

static struct nd part_of(struct nd d, uint32_t axis, int32_t begin, int32_t count)
{
	nd_slice(&d, axis, begin, count, 1);
	return d;
}

static int emit_matrix(struct lower *l, const struct ir_npu *proto, struct nd in, struct nd out)
{
	struct ir_npu npu = *proto;

	nd_rank(&in, 3);
	nd_rank(&out, 3);
	out.zero_point = 0;
	if (!nd_view(&in, &npu.ifm) || !nd_view(&out, &npu.ofm))
		return lower_cpu(l, "elements do not follow each other in memory");
	return lower_emit(l, &npu);
}

/* @x + @r through a function. */
static int emit_gate(struct lower *l, const struct lstm *s, bool sigmoid, struct nd out, struct nd x,
		     struct nd r)
{
	struct ir_npu npu = lower_npu(IR_NPU_ELEMENTWISE, IR_ELT_ADD, ELEM_INT16);

	/* To units of 1/12288; TFLite's sigmoid of 16 bits ends at these values. */
	npu.ofm_scale = (struct ir_scale){ 3, 0 };
	npu.round = IR_ROUND_NATURAL;
	npu.lut = sigmoid ? IR_LUT_SIGMOID : IR_LUT_TANH;
	npu.lut_data = sigmoid ? s->sigmoid : s->tanh;
	if (sigmoid) {
		npu.act_min = 11;
		npu.act_max = 32757;
	}
	return lower_map(l, &npu, out, x, &r);
}

/* Product of two numbers of 16 bits, scaled. */
static int emit_product(struct lower *l, struct nd out, struct nd a, struct nd b, unsigned int shift)
{
	struct ir_npu npu = lower_npu(IR_NPU_ELEMENTWISE, IR_ELT_MUL, ELEM_INT16);

	npu.ofm_scale = (struct ir_scale){ 1, (uint8_t)shift };
	npu.round = l->u85 ? IR_ROUND_SYMMETRIC : IR_ROUND_NATURAL;
	return lower_map(l, &npu, out, a, &b);
}

/*
 * One step.
 * @x: gates from the input; @before, @cell: of the step before; @next: the cell's new value
 */
static int emit_step(struct lower *l, const struct lstm *s, struct nd x, struct nd before,
		     struct nd cell, struct nd next, struct nd output, const struct ir_scale *scale)
{
	int32_t u = s->units, wide[2] = { s->batch, GATES * u }, one[2] = { s->batch, u };
	uint32_t r = lower_temp(l, ELEM_INT16, 2, wide), gates = lower_temp(l, ELEM_INT16, 2, wide);
	uint32_t kept = lower_temp(l, ELEM_INT16, 2, one), new = lower_temp(l, ELEM_INT16, 2, one);
	uint32_t curve = lower_temp(l, ELEM_INT16, 2, one);
	struct nd from, to, d;
	struct ir_npu npu;
	int rc;

	if (r == IR_NONE || gates == IR_NONE || kept == IR_NONE || new == IR_NONE || curve == IR_NONE)
		return lower_no_memory(l);
	from = lower_nd(l, r);
	to = lower_nd(l, gates);
	rc = emit_matrix(l, &s->recurrent, before, from);
	if (!rc)
		rc = emit_gate(l, s, true, part_of(to, 1, 0, 3 * u), part_of(x, 1, 0, 3 * u),
			       part_of(from, 1, 0, 3 * u));
	if (!rc)
		rc = emit_gate(l, s, false, part_of(to, 1, 3 * u, u), part_of(x, 1, 3 * u, u),
			       part_of(from, 1, 3 * u, u));
	if (!rc)
		rc = emit_product(l, lower_nd(l, kept), part_of(to, 1, u, u), cell, 15);
	if (!rc)
		rc = emit_product(l, lower_nd(l, new), part_of(to, 1, 0, u), part_of(to, 1, 3 * u, u),
				  (unsigned int)(30 + (int)lround(log2(s->cell_scale))));
	if (rc)
		return rc;
	npu = lower_npu(IR_NPU_ELEMENTWISE, IR_ELT_ADD, ELEM_INT16);
	npu.round = IR_ROUND_NATURAL;
	if (s->clip < INT16_MAX) {
		npu.act_min = -s->clip;
		npu.act_max = s->clip;
	}
	d = lower_nd(l, new);
	rc = lower_map(l, &npu, next, lower_nd(l, kept), &d);
	if (rc)
		return rc;
	npu = lower_copy_npu(l, ELEM_INT16);
	npu.round = IR_ROUND_NATURAL;
	npu.lut = IR_LUT_TANH;
	npu.lut_data = s->tanh;
	if (!lower_tanh_scale(s->cell_scale, &npu.ofm_scale))
		return lower_cpu(l, "the cell's scale is out of range");
	rc = lower_map(l, &npu, lower_nd(l, curve), next, NULL);
	if (rc)
		return rc;
	npu = lower_npu(IR_NPU_ELEMENTWISE, IR_ELT_MUL, ELEM_INT8);
	npu.round = IR_ROUND_TFL;
	npu.ofm_scale = *scale;
	d = lower_nd(l, curve);
	return lower_map(l, &npu, output, part_of(to, 1, 2 * u, u), &d);
}

/* A state as [batch][units]. */
static struct nd state_of(const struct lower *l, const struct lstm *s, uint32_t t)
{
	struct nd d = lower_nd(l, t);

	nd_reshape(&d, 2, (int32_t[]){ s->batch, s->units });
	return d;
}

int lower_lstm(struct lower *l, const struct ir_op *op)
{
	struct lstm s = { .tanh = IR_NONE, .sigmoid = IR_NONE };
	const char *why = check(l, op, &s);
	struct nd before, cell, next, gates;
	struct ir_scale scale;
	struct ir_npu input;
	uint32_t t;
	int rc;

	if (why)
		return lower_cpu(l, why);
	if (30 + (int)lround(log2(s.cell_scale)) < 0 || log2(s.cell_scale) > 0)
		return lower_cpu(l, "the cell's scale is out of range");
	/* Without projection the output before it is the output. */
	if (!quant_scale(1.0 / 32768 / 32768 / quant_of(lower_tensor(l, op->outputs[0])), 0, &scale))
		return lower_cpu(l, "the output's scale is out of range");
	s.input = lower_nd(l, op->inputs[LSTM_INPUT]);
	s.output = lower_nd(l, op->outputs[0]);
	if (op->options->time_major) {
		nd_permute(&s.input, (uint32_t[]){ 1, 0, 2 });
		nd_permute(&s.output, (uint32_t[]){ 1, 0, 2 });
	}
	if (l->u85) {
		s.tanh = lower_own_table(l, false);
		s.sigmoid = lower_own_table(l, true);
		if (s.tanh == IR_NONE || s.sigmoid == IR_NONE)
			return lower_no_memory(l);
	}
	rc = gates_npu(l, op, &s, LSTM_INPUT_WEIGHTS, op->inputs[LSTM_INPUT], true, &input);
	if (!rc)
		rc = gates_npu(l, op, &s, LSTM_RECURRENT_WEIGHTS, op->inputs[LSTM_OUTPUT_STATE],
			       false, &s.recurrent);
	if (rc)
		return rc;
	t = lower_temp(l, ELEM_INT16, 3, (int32_t[]){ s.batch, s.steps, GATES * s.units });
	if (t == IR_NONE)
		return lower_no_memory(l);
	gates = lower_nd(l, t);
	rc = emit_matrix(l, &input, s.input, gates);
	before = state_of(l, &s, op->inputs[LSTM_OUTPUT_STATE]);
	cell = state_of(l, &s, op->inputs[LSTM_CELL_STATE]);
	for (int32_t i = 0; i < s.steps && !rc; i++) {
		struct nd output = step_of(s.output, i);

		t = lower_temp(l, ELEM_INT16, 2, (int32_t[]){ s.batch, s.units });
		if (t == IR_NONE)
			return lower_no_memory(l);
		next = lower_nd(l, t);
		rc = emit_step(l, &s, step_of(gates, i), before, cell, next, output, &scale);
		before = output;
		cell = next;
	}
	/* What the next run begins with. */
	if (!rc)
		rc = lower_copy(l, state_of(l, &s, op->inputs[LSTM_OUTPUT_STATE]), before);
	return rc ? rc : lower_copy(l, state_of(l, &s, op->inputs[LSTM_CELL_STATE]), cell);
}
