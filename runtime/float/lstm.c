/* SPDX-License-Identifier: MIT */
/* UNIDIRECTIONAL_SEQUENCE_LSTM, with peepholes and projection, without layer normalisation. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cpu/lstm.h"
#include "runtime/cpu/real.h"
#include "runtime/float/blas.h"
#include "runtime/float/float.h"

#define EXTENT_MAX	(1 << 14)

/**
 * struct lstm - a cell
 * @inputs, @cells, @outputs: extents
 * @steps, @batches: of the sequence; @step_stride, @batch_stride: rows from one to the next
 * @coupled: the input gate is 1 - the forget gate
 * @gate: values, [GATES][batches][cells]; @hidden: before projection, [batches][cells]; both follow
 *	this in memory
 */
struct lstm {
	size_t inputs, cells, outputs, steps, batches, step_stride, batch_stride;
	bool coupled;
	float *gate, *hidden;
};

/* @needed: it may not be left out. */
static int check(const struct cpu_op *op, uint32_t index, size_t elements, bool needed,
		 struct error *err)
{
	const struct cpu_tensor *t = index < op->input_count ? &op->inputs[index] : NULL;
	int ret;

	if (!needed && (!t || !t->data))
		return 0;
	ret = cpu_check(op, index, CPU_F32, err);
	if (ret)
		return ret;
	if (cpu_elements(t) != elements)
		return cpu_refuse(op, index, -EINVAL, "does not fit cells and inputs", err);
	return 0;
}

/* Sequence, batches and extents, from input, output and states. */
static int measure(const struct cpu_op *op, struct lstm *l, struct error *err)
{
	const struct cpu_tensor *in = &op->inputs[IN_INPUT], *out = &op->outputs[0];
	const struct cpu_tensor *w = &op->inputs[IN_WEIGHTS + GATE_OUTPUT];
	bool major = op->options.time_major;
	int32_t shape[3];
	int ret;

	if ((ret = cpu_check(op, IN_INPUT, CPU_F32, err)) ||
	    (ret = cpu_check(op, IN_WEIGHTS + GATE_OUTPUT, CPU_F32, err)) ||
	    (ret = cpu_check(op, op->input_count, CPU_F32, err)))
		return ret;
	if (in->ndim != 3 || out->ndim != 3 || w->ndim != 2 || in->shape[2] < 1 ||
	    in->shape[2] > EXTENT_MAX || out->shape[2] < 1 || out->shape[2] > EXTENT_MAX ||
	    w->shape[0] < 1 || w->shape[0] > EXTENT_MAX)
		return cpu_refuse(op, IN_INPUT, -EINVAL, "is no sequence", err);
	l->inputs = (size_t)in->shape[2];
	l->cells = (size_t)w->shape[0];
	l->outputs = (size_t)out->shape[2];
	l->steps = (size_t)in->shape[major ? 0 : 1];
	l->batches = (size_t)in->shape[major ? 1 : 0];
	l->step_stride = major ? l->batches : 1;
	l->batch_stride = major ? 1 : l->steps;
	if (l->batches > INT32_MAX / EXTENT_MAX || l->steps > INT32_MAX / EXTENT_MAX)
		return cpu_refuse(op, IN_INPUT, -EINVAL, "is too large", err);
	memcpy(shape, in->shape, sizeof(shape));
	shape[2] = out->shape[2];
	return cpu_check_shape(op, op->input_count, 3, shape, err);
}

static int check_gates(const struct cpu_op *op, const struct lstm *l, struct error *err)
{
	int ret = 0;

	for (uint32_t g = l->coupled ? GATE_FORGET : GATE_INPUT; g < GATES; g++)
		if ((ret = check(op, IN_WEIGHTS + g, l->cells * l->inputs, true, err)) ||
		    (ret = check(op, IN_RECURRENT + g, l->cells * l->outputs, true, err)) ||
		    (ret = check(op, IN_BIAS + g, l->cells, true, err)))
			return ret;
	/* Peepholes: of the input, forget and output gates. */
	for (uint32_t i = IN_PEEPHOLE; i < IN_BIAS && !ret; i++)
		ret = check(op, i, l->cells, false, err);
	if (ret || (ret = check(op, IN_PROJECTION, l->cells * l->outputs, l->cells != l->outputs, err)))
		return ret;
	return check(op, IN_PROJECTION + 1, l->outputs, false, err);
}

static int prepare(struct cpu_op *op, struct error *err)
{
	struct lstm l = { 0 }, *plan;
	size_t values;
	int ret;

	for (uint32_t i = IN_NORM; i < IN_END && i < op->input_count; i++)
		if (op->inputs[i].data)
			return cpu_refuse(op, i, -ENOTSUP, "no layer normalisation", err);
	if (op->options.activation != IR_ACT_TANH)
		return error_set(err, -ENOTSUP, "UNIDIRECTIONAL_SEQUENCE_LSTM on the CPU: activation %d",
				 op->options.activation);
	if ((ret = measure(op, &l, err)) || (ret = blas_load(err)))
		return ret;
	l.coupled = !op->inputs[IN_WEIGHTS + GATE_INPUT].data;
	if ((ret = check_gates(op, &l, err)) ||
	    (ret = check(op, IN_OUTPUT_STATE, l.batches * l.outputs, true, err)) ||
	    (ret = check(op, IN_CELL_STATE, l.batches * l.cells, true, err)))
		return ret;
	if (op->inputs[IN_OUTPUT_STATE].constant || op->inputs[IN_CELL_STATE].constant)
		return cpu_refuse(op, IN_CELL_STATE, -EINVAL, "or the output's state is a constant", err);
	values = l.batches * l.cells;
	plan = calloc(1, sizeof(*plan) + (GATES + 1) * values * sizeof(*plan->gate));
	if (!plan)
		return error_set(err, -ENOMEM, "out of memory");
	op->plan = plan;
	l.gate = (float *)(plan + 1);
	l.hidden = l.gate + GATES * values;
	*plan = l;
	return 0;
}

static const float *numbers(const struct cpu_op *op, uint32_t index)
{
	return index < op->input_count ? op->inputs[index].data : NULL;
}

static float bounded(float x, float limit)
{
	return limit > 0 ? fmaxf(fminf(x, limit), -limit) : x;
}

/* Sums of a gate: of input, of output before, bias. */
static void sum_gate(const struct cpu_op *op, const struct lstm *l, uint32_t g, const float *input,
		     const float *state)
{
	struct gemm product = {
		.m = l->batches, .n = l->cells, .k = l->inputs, .b_turned = true,
		.lda = l->batch_stride * l->inputs, .ldb = l->inputs, .ldc = l->cells,
	};
	float *gate = l->gate + g * l->batches * l->cells;

	gemm(&product, input, numbers(op, IN_WEIGHTS + g), gate);
	product.k = product.lda = product.ldb = l->outputs;
	product.add = true;
	gemm(&product, state, numbers(op, IN_RECURRENT + g), gate);
	float_finish(gate, l->batches, l->cells, l->cells, numbers(op, IN_BIAS + g),
		     (struct float_range){ -INFINITY, INFINITY });
}

/* What a peephole adds, cell by cell. */
static float peep(const float *weights, size_t cell, float value)
{
	return weights ? weights[cell] * value : 0;
}

static void update_cells(const struct cpu_op *op, const struct lstm *l, float *memory)
{
	size_t count = l->batches * l->cells;
	const float *peep_in = numbers(op, IN_PEEPHOLE), *peep_forget = numbers(op, IN_PEEPHOLE + 1);
	const float *peep_out = numbers(op, IN_PEEPHOLE + 2);

	for (size_t i = 0; i < count; i++) {
		float old = memory[i], forget, in, fresh, out;
		size_t c = i % l->cells;

		forget = real_logistic(l->gate[GATE_FORGET * count + i] + peep(peep_forget, c, old));
		in = l->coupled ? 1 - forget :
		     real_logistic(l->gate[GATE_INPUT * count + i] + peep(peep_in, c, old));
		fresh = tanhf(l->gate[GATE_CELL * count + i]);
		memory[i] = bounded(forget * old + in * fresh, op->options.cell_clip);
		out = real_logistic(l->gate[GATE_OUTPUT * count + i] + peep(peep_out, c, memory[i]));
		l->hidden[i] = out * tanhf(memory[i]);
	}
}

static void project(const struct cpu_op *op, const struct lstm *l, float *state)
{
	const struct gemm product = {
		.m = l->batches, .n = l->outputs, .k = l->cells, .b_turned = true, .lda = l->cells,
		.ldb = l->cells, .ldc = l->outputs,
	};
	float limit = op->options.proj_clip > 0 ? op->options.proj_clip : INFINITY;

	if (!numbers(op, IN_PROJECTION)) {
		memcpy(state, l->hidden, l->batches * l->cells * sizeof(*state));
		return;
	}
	gemm(&product, l->hidden, numbers(op, IN_PROJECTION), state);
	float_finish(state, l->batches, l->outputs, l->outputs, numbers(op, IN_PROJECTION + 1),
		     (struct float_range){ -limit, limit });
}

static int run(const struct cpu_op *op, struct error *err)
{
	const struct lstm *l = op->plan;
	float *state = op->inputs[IN_OUTPUT_STATE].data, *out = op->outputs[0].data;

	(void)err;
	for (size_t t = 0; t < l->steps; t++) {
		const float *input = numbers(op, IN_INPUT) + t * l->step_stride * l->inputs;

		for (uint32_t g = l->coupled ? GATE_FORGET : GATE_INPUT; g < GATES; g++)
			sum_gate(op, l, g, input, state);
		update_cells(op, l, op->inputs[IN_CELL_STATE].data);
		project(op, l, state);
		for (size_t b = 0; b < l->batches; b++)
			memcpy(out + (t * l->step_stride + b * l->batch_stride) * l->outputs,
			       state + b * l->outputs, l->outputs * sizeof(*out));
	}
	return 0;
}

const struct cpu_kernel float_lstm = { prepare, run };
