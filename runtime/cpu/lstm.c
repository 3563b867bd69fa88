/* SPDX-License-Identifier: MIT */
/*
 * UNIDIRECTIONAL_SEQUENCE_LSTM of 8-bit weights, inputs and outputs and a 16-bit cell state. Without
 * peepholes, layer normalisation and projection, which no model at hand has.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cpu/cpu_kernel.h"
#include "runtime/cpu/lstm.h"

#define GATE_DIGITS	3	/* before the point of what goes into a gate's function */
#define GATE_SCALE	(1.0f / 4096.0f)
#define EXTENT_MAX	(1 << 14)

/**
 * struct lstm - a cell
 * @inputs, @cells: extents; there are as many outputs as cells
 * @steps, @batches: of the sequence; @step_stride, @batch_stride: rows from one to the next
 * @coupled: the input gate is 1 - the forget gate
 * @cell_log2: exponent of the cell state's scale
 * @clip: of the cell state, 0: none
 * @input, @recurrent: scales of the products
 * @bias, @recurrent_bias: less zero points times weights, [GATES][cells]
 * @gate: values, [GATES][cells]; all three follow this in memory
 */
struct lstm {
	size_t inputs, cells, steps, batches, step_stride, batch_stride;
	bool coupled;
	int cell_log2;
	int32_t clip;
	struct fixed_factor input[GATES], recurrent[GATES], hidden;
	int32_t hidden_zero;
	int32_t *bias, *recurrent_bias;
	int16_t *gate;
};

static int check_matrix(const struct cpu_op *op, uint32_t index, size_t rows, size_t columns,
			struct error *err)
{
	int ret;

	if ((ret = cpu_check(op, index, CPU_S8, err)) || (ret = cpu_check_scale(op, index, err)))
		return ret;
	if (cpu_operand(op, index)->ndim != 2 ||
	    (size_t)cpu_operand(op, index)->shape[0] != rows ||
	    (size_t)cpu_operand(op, index)->shape[1] != columns)
		return cpu_refuse(op, index, -EINVAL, "does not fit cells and inputs", err);
	if (!cpu_operand(op, index)->constant || cpu_zero_of(cpu_operand(op, index)))
		return cpu_refuse(op, index, -ENOTSUP, "is not constant, or has a zero point", err);
	return 0;
}

static int check_state(const struct cpu_op *op, uint32_t index, unsigned int type, size_t elements,
		       struct error *err)
{
	int ret;

	if ((ret = cpu_check(op, index, type, err)) || (ret = cpu_check_scale(op, index, err)))
		return ret;
	if (cpu_elements(cpu_operand(op, index)) != elements || cpu_operand(op, index)->constant)
		return cpu_refuse(op, index, -EINVAL, "is no state of the cells", err);
	return 0;
}

static int check_plain(const struct cpu_op *op, struct error *err)
{
	for (uint32_t i = 0; i < IN_END && i < op->input_count; i++)
		if (op->inputs[i].data &&
		    ((i >= IN_PEEPHOLE && i < IN_BIAS) || i >= IN_NORM ||
		     (i >= IN_PROJECTION && i < IN_OUTPUT_STATE)))
			return cpu_refuse(op, i, -ENOTSUP,
					  "no peepholes, projection or layer normalisation", err);
	if (op->options.activation != IR_ACT_TANH)
		return error_set(err, -ENOTSUP, "UNIDIRECTIONAL_SEQUENCE_LSTM on the CPU: activation %d",
				 op->options.activation);
	return 0;
}

/* Sequence, batches and extents, from input, output and states. */
static int measure(const struct cpu_op *op, struct lstm *l, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[IN_INPUT], *out = &op->outputs[0];
	bool major = op->options.time_major;
	int32_t shape[3];
	int ret;

	if ((ret = cpu_check(op, IN_INPUT, CPU_S8, err)) ||
	    (ret = cpu_check_scale(op, IN_INPUT, err)) ||
	    (ret = cpu_check(op, op->input_count, CPU_S8, err)))
		return ret;
	if (in->ndim != 3 || out->ndim != 3 || in->shape[2] < 1 || in->shape[2] > EXTENT_MAX ||
	    out->shape[2] < 1 || out->shape[2] > EXTENT_MAX)
		return cpu_refuse(op, IN_INPUT, -EINVAL, "is no sequence", err);
	l->inputs = (size_t)in->shape[2];
	l->cells = (size_t)out->shape[2];
	l->steps = (size_t)in->shape[major ? 0 : 1];
	l->batches = (size_t)in->shape[major ? 1 : 0];
	l->step_stride = major ? l->batches : 1;
	l->batch_stride = major ? 1 : l->steps;
	memcpy(shape, in->shape, sizeof(shape));
	shape[2] = out->shape[2];
	if ((ret = cpu_check_shape(op, op->input_count, 3, shape, err)) ||
	    (ret = check_state(op, IN_OUTPUT_STATE, CPU_S8, l->batches * l->cells, err)) ||
	    (ret = check_state(op, IN_CELL_STATE, CPU_S16, l->batches * l->cells, err)))
		return ret;
	if (cpu_zero_of(&op->inputs[IN_CELL_STATE]))
		return cpu_refuse(op, IN_CELL_STATE, -EINVAL, "has a zero point", err);
	return 0;
}

/* Zero point times the sum of a row of weights, subtracted from the bias. */
static void fold_zero(const struct cpu_tensor *w, size_t columns, int32_t zero, int32_t *bias,
		      size_t cells)
{
	const int8_t *row = w->data;

	for (size_t c = 0; c < cells; c++, row += columns) {
		int32_t sum = 0;

		for (size_t i = 0; i < columns; i++)
			sum += row[i];
		bias[c] = fixed_wrap(bias[c] - (int64_t)zero * sum);
	}
}

static int prepare_gate(const struct cpu_op *op, struct lstm *l, uint32_t g, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[IN_INPUT], *state = &op->inputs[IN_OUTPUT_STATE];
	int32_t *bias = l->bias + g * l->cells, *recurrent_bias = l->recurrent_bias + g * l->cells;
	const struct cpu_tensor *w, *r;
	int ret;

	if (g == GATE_INPUT && l->coupled)
		return 0;
	if ((ret = check_matrix(op, IN_WEIGHTS + g, l->cells, l->inputs, err)) ||
	    (ret = check_matrix(op, IN_RECURRENT + g, l->cells, l->cells, err)) ||
	    (ret = cpu_check(op, IN_BIAS + g, CPU_S32, err)))
		return ret;
	if (cpu_elements(&op->inputs[IN_BIAS + g]) != l->cells || !op->inputs[IN_BIAS + g].constant)
		return cpu_refuse(op, IN_BIAS + g, -EINVAL, "has not a constant for each cell", err);
	w = &op->inputs[IN_WEIGHTS + g];
	r = &op->inputs[IN_RECURRENT + g];
	l->input[g] = fixed_factor(cpu_scale_of(w) * cpu_scale_of(in) / GATE_SCALE);
	l->recurrent[g] = fixed_factor(cpu_scale_of(r) * cpu_scale_of(state) / GATE_SCALE);
	if (l->input[g].shift > 30 || l->recurrent[g].shift > 30)
		return cpu_refuse(op, IN_WEIGHTS + g, -ENOTSUP, "scale too large", err);
	cpu_load(&op->inputs[IN_BIAS + g], 0, l->cells, bias);
	fold_zero(w, l->inputs, cpu_zero_of(in), bias, l->cells);
	fold_zero(r, l->cells, cpu_zero_of(state), recurrent_bias, l->cells);
	return 0;
}

static int prepare_cell(const struct cpu_op *op, struct lstm *l, struct error *err)
{
	float scale = cpu_scale_of(&op->inputs[IN_CELL_STATE]), hidden = op->options.hidden_scale;
	float clip = op->options.cell_clip;
	int exponent;

	if (frexpf(scale, &exponent) != 0.5f)
		return cpu_refuse(op, IN_CELL_STATE, -EINVAL, "has a scale that is no power of two",
				  err);
	l->cell_log2 = exponent - 1;
	if (l->cell_log2 < -15 || l->cell_log2 > -9)
		return cpu_refuse(op, IN_CELL_STATE, -ENOTSUP, "has a scale outside 2^-15..2^-9", err);
	if (!(hidden > 0) || !isfinite(hidden))
		return error_set(err, -EINVAL, "UNIDIRECTIONAL_SEQUENCE_LSTM on the CPU: hidden scale");
	l->hidden = fixed_factor(0x1p-15f / hidden * 0x1p-15f);
	l->hidden_zero = op->options.hidden_zero_point;
	if (l->hidden.shift > 0 || l->hidden_zero < INT8_MIN || l->hidden_zero > INT8_MAX)
		return error_set(err, -EINVAL, "UNIDIRECTIONAL_SEQUENCE_LSTM on the CPU: hidden scale");
	if (clip > 0)
		l->clip = clip / scale < INT16_MAX ? (int32_t)(clip / scale) : INT16_MAX;
	return 0;
}

static int prepare(struct cpu_op *op, struct error *err)
{
	struct lstm l = { 0 }, *plan;
	size_t values;
	int ret;

	if ((ret = check_plain(op, err)) || (ret = measure(op, &l, err)))
		return ret;
	values = GATES * l.cells;
	plan = calloc(1, sizeof(*plan) + 2 * values * sizeof(*plan->bias) +
		      values * sizeof(*plan->gate));
	if (!plan)
		return error_set(err, -ENOMEM, "out of memory");
	op->plan = plan;
	l.bias = (int32_t *)(plan + 1);
	l.recurrent_bias = l.bias + values;
	l.gate = (int16_t *)(l.recurrent_bias + values);
	l.coupled = !op->inputs[IN_WEIGHTS + GATE_INPUT].data;
	*plan = l;
	ret = prepare_cell(op, plan, err);
	for (uint32_t g = 0; g < GATES && !ret; g++)
		ret = prepare_gate(op, plan, g, err);
	return ret;
}

/* Weights times values, in the gate's scale, added to what is there and saturated. */
static void accumulate(const struct cpu_tensor *w, const int8_t *values, size_t columns,
		       const int32_t *bias, struct fixed_factor factor, int16_t *gate, size_t cells)
{
	const int8_t *row = w->data;

	for (size_t c = 0; c < cells; c++, row += columns) {
		/* A file may have any bias: sums wrap. */
		uint32_t sum = (uint32_t)bias[c];

		for (size_t i = 0; i < columns; i++)
			sum += (uint32_t)(row[i] * values[i]);
		gate[c] = (int16_t)fixed_clamp((int64_t)fixed_scale((int32_t)sum, factor) + gate[c],
					    INT16_MIN, INT16_MAX);
	}
}

static void compute_gate(const struct cpu_op *op, const struct lstm *l, uint32_t g,
			 const int8_t *input, const int8_t *state)
{
	int16_t *gate = l->gate + g * l->cells;

	memset(gate, 0, l->cells * sizeof(*gate));
	accumulate(&op->inputs[IN_WEIGHTS + g], input, l->inputs, l->bias + g * l->cells,
		   l->input[g], gate, l->cells);
	accumulate(&op->inputs[IN_RECURRENT + g], state, l->cells, l->recurrent_bias + g * l->cells,
		   l->recurrent[g], gate, l->cells);
	for (size_t c = 0; c < l->cells; c++)
		gate[c] = g == GATE_CELL ? fixed_tanh16(gate[c], GATE_DIGITS) :
					   fixed_sigmoid16(gate[c], GATE_DIGITS);
}

static void step(const struct cpu_op *op, const struct lstm *l, const int8_t *input, int8_t *state,
		 int16_t *cell)
{
	const int16_t *in = l->gate + GATE_INPUT * l->cells, *forget = l->gate + GATE_FORGET * l->cells;
	const int16_t *fresh = l->gate + GATE_CELL * l->cells, *out = l->gate + GATE_OUTPUT * l->cells;

	for (uint32_t g = l->coupled ? GATE_FORGET : GATE_INPUT; g < GATES; g++)
		compute_gate(op, l, g, input, state);
	for (size_t c = 0; c < l->cells; c++) {
		int32_t kept = fixed_divide_pot(forget[c] * cell[c], 15);
		int32_t open = l->coupled ? INT16_MAX - forget[c] : in[c];
		int32_t added = fixed_divide_pot(open * fresh[c], 30 + l->cell_log2), value;

		value = fixed_clamp((int16_t)kept + (int64_t)(int16_t)added, INT16_MIN, INT16_MAX);
		if (l->clip)
			value = fixed_clamp(value, -l->clip, l->clip);
		cell[c] = (int16_t)value;
		value = out[c] * fixed_tanh16(cell[c], 15 + l->cell_log2);
		state[c] = (int8_t)fixed_clamp((int64_t)fixed_scale(value, l->hidden) + l->hidden_zero,
					    INT8_MIN, INT8_MAX);
	}
}

static int run(const struct cpu_op *op, struct error *err)
{
	const struct lstm *l = op->plan;
	const int8_t *in = op->inputs[IN_INPUT].data;
	int8_t *out = op->outputs[0].data, *state = op->inputs[IN_OUTPUT_STATE].data;
	int16_t *cell = op->inputs[IN_CELL_STATE].data;

	(void)err;
	for (size_t b = 0; b < l->batches; b++)
		for (size_t t = 0; t < l->steps; t++) {
			size_t row = b * l->batch_stride + t * l->step_stride;

			step(op, l, in + row * l->inputs, state + b * l->cells, cell + b * l->cells);
			memcpy(out + row * l->cells, state + b * l->cells, l->cells);
		}
	return 0;
}

const struct cpu_kernel cpu_lstm = { prepare, run };
