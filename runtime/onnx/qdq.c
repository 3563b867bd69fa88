/* SPDX-License-Identifier: MIT */
/*
 * Models that are quantised already compute on numbers between DEQUANTIZE and QUANTIZE. Here such an
 * operation becomes the one on int8, as the NPU has it; what has none stays. uint8 becomes int8 with
 * another zero point.
 */
#include "runtime/onnx/qdq.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cpu/cpu.h"
#include "runtime/onnx/passes.h"

/* What an operation wants of the quantisation of its operands. */
enum how {
	HOW_NOT,	/* it has no kernel */
	HOW_LAYER,	/* weights and bias are constants */
	HOW_FREE,	/* each its own */
	HOW_SAME,	/* the output's is that of the first input, other operands are no numbers */
	HOW_JOINED,	/* that of all inputs is the output's */
	HOW_FIXED,	/* the output's is given by the kind */
};

static const struct {
	uint8_t how;
	bool activation;	/* can be fused */
	float scale;		/* HOW_FIXED */
	int32_t zero;
} rules[IR_KIND_COUNT] = {
	[IR_ADD] = { HOW_FREE, true, 0, 0 },
	[IR_AVERAGE_POOL_2D] = { HOW_SAME, true, 0, 0 },
	[IR_BATCH_MATMUL] = { HOW_FREE, false, 0, 0 },
	[IR_CONCATENATION] = { HOW_JOINED, false, 0, 0 },
	[IR_CONV_2D] = { HOW_LAYER, true, 0, 0 },
	[IR_DEPTHWISE_CONV_2D] = { HOW_LAYER, true, 0, 0 },
	[IR_DEPTH_TO_SPACE] = { HOW_SAME, false, 0, 0 },
	[IR_ELU] = { HOW_FREE, false, 0, 0 },
	[IR_FULLY_CONNECTED] = { HOW_LAYER, true, 0, 0 },
	[IR_GELU] = { HOW_FREE, false, 0, 0 },
	[IR_HARD_SWISH] = { HOW_FREE, false, 0, 0 },
	[IR_L2_NORMALIZATION] = { HOW_FIXED, false, 1 / 128.0f, 0 },
	[IR_LEAKY_RELU] = { HOW_FREE, false, 0, 0 },
	[IR_LOGISTIC] = { HOW_FIXED, false, 1 / 256.0f, -128 },
	[IR_LOG_SOFTMAX] = { HOW_FIXED, false, 16 / 256.0f, 127 },
	[IR_MAXIMUM] = { HOW_JOINED, false, 0, 0 },
	[IR_MAX_POOL_2D] = { HOW_SAME, true, 0, 0 },
	[IR_MEAN] = { HOW_FREE, false, 0, 0 },
	[IR_MINIMUM] = { HOW_JOINED, false, 0, 0 },
	[IR_MIRROR_PAD] = { HOW_SAME, false, 0, 0 },
	[IR_MUL] = { HOW_FREE, true, 0, 0 },
	[IR_PAD] = { HOW_SAME, false, 0, 0 },
	[IR_REDUCE_MAX] = { HOW_SAME, false, 0, 0 },
	[IR_RELU] = { HOW_FREE, false, 0, 0 },
	[IR_RELU6] = { HOW_FREE, false, 0, 0 },
	[IR_RELU_0_TO_1] = { HOW_FREE, false, 0, 0 },
	[IR_RELU_N1_TO_1] = { HOW_FREE, false, 0, 0 },
	[IR_RESHAPE] = { HOW_SAME, false, 0, 0 },
	[IR_RESIZE_BILINEAR] = { HOW_SAME, false, 0, 0 },
	[IR_RESIZE_NEAREST_NEIGHBOR] = { HOW_SAME, false, 0, 0 },
	[IR_SLICE] = { HOW_SAME, false, 0, 0 },
	[IR_SOFTMAX] = { HOW_FIXED, false, 1 / 256.0f, -128 },
	[IR_SPACE_TO_DEPTH] = { HOW_SAME, false, 0, 0 },
	[IR_STRIDED_SLICE] = { HOW_SAME, false, 0, 0 },
	[IR_SUB] = { HOW_FREE, true, 0, 0 },
	[IR_TANH] = { HOW_FIXED, false, 1 / 128.0f, 0 },
	[IR_TILE] = { HOW_SAME, false, 0, 0 },
	[IR_TRANSPOSE] = { HOW_SAME, false, 0, 0 },
};

/**
 * struct qdq - the pass at work
 * @room: tensors there were, which is what arrays have an entry for
 * @integers: of each tensor of numbers, the one of int8 that they stand for, or IR_NONE
 * @twin: of each tensor of uint8, the same in int8, or IR_NONE
 * @uses, @user: how many operations read a tensor, and the last of them
 * @gone: of each operation: it became part of one before it
 * @old, @old_count: the operations as they were; the graph's are written anew
 */
struct qdq {
	struct ir_graph *g;
	uint32_t room;
	uint32_t *integers, *twin, *uses, *user;
	bool *gone;
	struct ir_op *old;
	uint32_t old_count;
};

/* The operation at hand with what it becomes. */
struct rewrite {
	const struct ir_op *op;
	uint32_t inputs[16];
	struct ir_options options;
	uint32_t target;	/* of QUANTIZE, IR_NONE: none follows */
	uint32_t relu, quantize;	/* operations that are gone then, IR_NONE: none */
};

static bool same_quant(const struct ir_quant *a, const struct ir_quant *b)
{
	return a->count == 1 && b->count == 1 && a->scale[0] == b->scale[0] &&
		a->zero_point[0] == b->zero_point[0];
}

/* A new tensor of int8, of the shape of @like. IR_NONE: no memory. */
static uint32_t new_int8(struct qdq *q, uint32_t like, float scale, int32_t zero)
{
	struct ir_graph *g = q->g;
	float *scales = ir_alloc(g, sizeof(*scales));
	int32_t *zeros = ir_alloc(g, sizeof(*zeros));
	char name[320];
	const char *copy;
	uint32_t t;

	snprintf(name, sizeof(name), "%.280s/int8_%u", g->tensors[like].name, g->tensor_count);
	copy = ir_strdup(g, name, strlen(name));
	if (!scales || !zeros || !copy)
		return IR_NONE;
	t = ir_tensor_new(g, copy, ELEM_INT8, g->tensors[like].ndim, g->tensors[like].shape);
	*scales = scale;
	*zeros = zero;
	if (t != IR_NONE)
		g->tensors[t].quant = (struct ir_quant){ 1, 0, scales, zeros };
	return t;
}

static int append(struct qdq *q, const struct ir_op *as, unsigned int kind, const uint32_t *inputs,
		  uint32_t count, uint32_t out, const struct ir_options *options)
{
	struct ir_op *op = ir_op_new(q->g, kind, inputs, count, &out, 1, options);

	if (!op)
		return -ENOMEM;
	op->origin = as->origin;
	return 0;
}

/* True if the CPU, and so whoever comes after, has the operation on these tensors. */
static bool possible(const struct qdq *q, const struct ir_op *op, const uint32_t *inputs,
		     const struct ir_options *options, uint32_t out)
{
	static const struct ir_options none;
	struct cpu_tensor tensors[17] = { 0 };
	static uint8_t somewhere;
	struct cpu_op *made;

	for (uint32_t i = 0; i <= op->input_count; i++) {
		uint32_t index = i < op->input_count ? inputs[i] : out;
		const struct ir_tensor *t = index == IR_NONE ? NULL : &q->g->tensors[index];

		if (!t)
			continue;
		/* Only constants are looked at before they are computed with. */
		tensors[i] = (struct cpu_tensor){
			.type = t->type, .ndim = t->ndim, .scale_count = t->quant.count,
			.axis = t->quant.axis, .scales = t->quant.scale,
			.zero_points = t->quant.zero_point, .constant = t->data,
			.data = t->data ? (void *)(uintptr_t)t->data : &somewhere,
		};
		memcpy(tensors[i].shape, t->shape, sizeof(t->shape));
	}
	if (cpu_op_create(op->kind, options ? options : &none, tensors, op->input_count,
			  tensors + op->input_count, 1, &made, NULL))
		return false;
	cpu_op_free(made);
	return true;
}

/* int8 for the numbers of a tensor, or IR_NONE. */
static uint32_t integers_of(const struct qdq *q, uint32_t tensor)
{
	uint32_t t = tensor < q->room ? q->integers[tensor] : IR_NONE;

	return t != IR_NONE && q->g->tensors[t].quant.count == 1 ? t : IR_NONE;
}

/* --- What follows the operation --- */

static int32_t activation_of(unsigned int kind)
{
	switch (kind) {
	case IR_RELU:
		return IR_ACT_RELU;
	case IR_RELU6:
		return IR_ACT_RELU6;
	case IR_RELU_N1_TO_1:
		return IR_ACT_RELU_N1_TO_1;
	default:
		return IR_ACT_NONE;
	}
}

/* The only operation that reads a tensor of numbers, or IR_NONE. */
static uint32_t only_user(const struct qdq *q, uint32_t tensor)
{
	if (q->g->tensors[tensor].output >= 0 || q->uses[tensor] != 1)
		return IR_NONE;
	return q->user[tensor];
}

static void find_target(const struct qdq *q, struct rewrite *r)
{
	uint32_t next = only_user(q, r->op->outputs[0]);
	const struct ir_tensor *t;

	r->target = r->relu = r->quantize = IR_NONE;
	if (next != IR_NONE && rules[r->op->kind].activation && !r->options.activation &&
	    activation_of(q->old[next].kind)) {
		r->relu = next;
		r->options.activation = activation_of(q->old[next].kind);
		next = only_user(q, q->old[next].outputs[0]);
	}
	if (next == IR_NONE || q->old[next].kind != IR_QUANTIZE)
		return;
	t = &q->g->tensors[q->old[next].outputs[0]];
	if ((t->type != ELEM_INT8 && t->type != ELEM_UINT8) || t->quant.count != 1)
		return;
	r->quantize = next;
	r->target = q->old[next].outputs[0];
}

/* Where results in int8 go for @target: it, or what it is the other form of. */
static uint32_t int8_target(struct qdq *q, uint32_t target)
{
	const struct ir_tensor *t = &q->g->tensors[target];

	if (t->type == ELEM_INT8)
		return target;
	if (q->twin[target] == IR_NONE)
		q->twin[target] = new_int8(q, target, t->quant.scale[0], t->quant.zero_point[0] - 128);
	return q->twin[target];
}

/* --- Constants --- */

/* Weights as int8 that are symmetric, by output channel or as a whole; or IR_NONE. */
static uint32_t weights_of(struct qdq *q, uint32_t tensor, int32_t axis)
{
	uint32_t w = tensor < q->room ? q->integers[tensor] : IR_NONE;
	const struct ir_tensor *t = w == IR_NONE ? NULL : &q->g->tensors[w];

	if (!t || !t->data || t->type != ELEM_INT8 || (t->quant.count > 1 && t->quant.axis != axis))
		return IR_NONE;
	for (uint32_t i = 0; i < t->quant.count; i++)
		if (t->quant.zero_point[i])
			return IR_NONE;
	return w;
}

/* A constant element of a bias: a number, or an integer that stands for one. */
static bool bias_number(const struct qdq *q, uint32_t tensor, size_t i, double *out)
{
	const struct ir_tensor *t = &q->g->tensors[tensor];
	uint32_t from = tensor < q->room ? q->integers[tensor] : IR_NONE;
	float number;
	int32_t whole;

	if (t->data && t->type == ELEM_FLOAT32) {
		memcpy(&number, (const char *)t->data + i * sizeof(number), sizeof(number));
		*out = (double)number;
		return true;
	}
	t = from == IR_NONE ? NULL : &q->g->tensors[from];
	if (!t || !t->data || t->type != ELEM_INT32)
		return false;
	memcpy(&whole, (const char *)t->data + i * sizeof(whole), sizeof(whole));
	*out = (double)t->quant.scale[t->quant.count > 1 ? i : 0] *
		((double)whole - t->quant.zero_point[t->quant.count > 1 ? i : 0]);
	return true;
}

/* The bias in units of the products of input and weights; IR_NONE: there is no such thing, or no memory. */
static uint32_t bias_of(struct qdq *q, uint32_t tensor, uint32_t x, uint32_t w)
{
	struct ir_graph *g = q->g;
	const struct ir_quant weights = g->tensors[w].quant;
	size_t count = ir_tensor_elements(&g->tensors[tensor]);
	int32_t *data = ir_alloc(g, count * sizeof(*data)), *zeros = ir_alloc(g, count * sizeof(*zeros));
	float *scales = ir_alloc(g, count * sizeof(*scales));
	uint32_t t = new_int8(q, tensor, 1, 0);

	if (!data || !zeros || !scales || t == IR_NONE || (weights.count > 1 && weights.count != count))
		return IR_NONE;
	for (size_t i = 0; i < count; i++) {
		double number, steps;

		scales[i] = g->tensors[x].quant.scale[0] * weights.scale[weights.count > 1 ? i : 0];
		if (!bias_number(q, tensor, i, &number))
			return IR_NONE;
		steps = round(number / (double)scales[i]);
		if (isnan(steps))
			return IR_NONE;
		data[i] = (int32_t)(steps > INT32_MAX ? INT32_MAX : steps < INT32_MIN ? INT32_MIN : steps);
	}
	g->tensors[t].type = ELEM_INT32;
	g->tensors[t].data = data;
	g->tensors[t].size = count * sizeof(*data);
	g->tensors[t].quant = (struct ir_quant){ weights.count > 1 ? (uint32_t)count : 1, 0, scales, zeros };
	return t;
}

/* --- Operations --- */

/* The operands in int8. False: there are none. */
static bool take_inputs(struct qdq *q, struct rewrite *r)
{
	const struct ir_op *op = r->op;
	uint8_t how = rules[op->kind].how;

	memcpy(r->inputs, op->inputs, op->input_count * sizeof(*op->inputs));
	for (uint32_t i = 0; i < op->input_count; i++) {
		if (op->inputs[i] == IR_NONE || (i && q->g->tensors[op->inputs[i]].type != ELEM_FLOAT32))
			continue;
		if (how == HOW_LAYER && i)
			break;
		r->inputs[i] = integers_of(q, op->inputs[i]);
		if (r->inputs[i] == IR_NONE)
			return false;
	}
	if (how != HOW_LAYER)
		return true;
	r->inputs[1] = weights_of(q, op->inputs[1], op->kind == IR_DEPTHWISE_CONV_2D ? 3 : 0);
	if (r->inputs[1] == IR_NONE)
		return false;
	if (op->input_count < 3 || op->inputs[2] == IR_NONE)
		return true;
	r->inputs[2] = bias_of(q, op->inputs[2], r->inputs[0], r->inputs[1]);
	return r->inputs[2] != IR_NONE;
}

/* All inputs in the output's quantisation. */
static int join_inputs(struct qdq *q, struct rewrite *r, uint32_t out)
{
	for (uint32_t i = 0; i < r->op->input_count; i++) {
		const struct ir_quant *want = &q->g->tensors[out].quant;
		uint32_t other;

		if (same_quant(&q->g->tensors[r->inputs[i]].quant, want))
			continue;
		other = new_int8(q, r->inputs[i], want->scale[0], want->zero_point[0]);
		if (other == IR_NONE || append(q, r->op, IR_QUANTIZE, &r->inputs[i], 1, other, NULL))
			return -ENOMEM;
		r->inputs[i] = other;
	}
	return 0;
}

/* Where the operation itself writes, which need not be where its results have to be. */
static uint32_t own_output(struct qdq *q, const struct rewrite *r, uint32_t wanted)
{
	uint8_t how = rules[r->op->kind].how;
	const struct ir_quant *in = &q->g->tensors[r->inputs[0]].quant;
	struct ir_quant fixed = { 1, 0, &rules[r->op->kind].scale, &rules[r->op->kind].zero };
	const struct ir_quant *quant = how == HOW_SAME ? in : how == HOW_FIXED ? &fixed : NULL;

	if (wanted != IR_NONE && (!quant || same_quant(quant, &q->g->tensors[wanted].quant)))
		return wanted;
	return new_int8(q, r->op->outputs[0], quant->scale[0], quant->zero_point[0]);
}

/* Results in int8 are there: as uint8 and as numbers where those are wanted; sweeping takes what is not. */
static int hand_on(struct qdq *q, const struct rewrite *r, uint32_t made, uint32_t wanted)
{
	if (wanted == IR_NONE) {
		q->integers[r->op->outputs[0]] = made;
		return append(q, r->op, IR_DEQUANTIZE, &made, 1, r->op->outputs[0], NULL);
	}
	if (made != wanted && append(q, r->op, IR_QUANTIZE, &made, 1, wanted, NULL))
		return -ENOMEM;
	q->gone[r->quantize] = true;
	if (r->relu != IR_NONE)
		q->gone[r->relu] = true;
	return wanted == r->target ? 0 : append(q, r->op, IR_QUANTIZE, &wanted, 1, r->target, NULL);
}

/* 1: the operation is one on int8 now; 0: it stays; -ENOMEM. */
static int rewrite(struct qdq *q, const struct ir_op *op)
{
	struct rewrite r = { .op = op };
	uint32_t wanted = IR_NONE, made;
	uint8_t how = op->kind < IR_KIND_COUNT ? rules[op->kind].how : HOW_NOT;
	int rc;

	if (how == HOW_NOT || op->output_count != 1 || !op->input_count || op->input_count > 16 ||
	    q->g->tensors[op->outputs[0]].type != ELEM_FLOAT32)
		return 0;
	if (op->options)
		r.options = *op->options;
	find_target(q, &r);
	/* What only moves elements needs nobody to quantise its result. */
	if ((r.target == IR_NONE && how != HOW_SAME) || !take_inputs(q, &r))
		return 0;
	if (r.target == IR_NONE && op->options)
		r.options = *op->options;
	if (r.target != IR_NONE) {
		wanted = int8_target(q, r.target);
		if (wanted == IR_NONE)
			return -ENOMEM;
	}
	made = own_output(q, &r, wanted);
	if (made == IR_NONE)
		return -ENOMEM;
	rc = how == HOW_JOINED ? join_inputs(q, &r, made) : 0;
	if (rc)
		return rc;
	if (!possible(q, op, r.inputs, op->options ? &r.options : NULL, made))
		return 0;
	if (append(q, op, op->kind, r.inputs, op->input_count, made, op->options ? &r.options : NULL) ||
	    hand_on(q, &r, made, wanted))
		return -ENOMEM;
	return 1;
}

/* Elements of uint8 are moved: those of its twin as well. */
static int move_twin(struct qdq *q, const struct ir_op *op)
{
	uint32_t inputs[16], out = int8_target(q, op->outputs[0]);

	if (out == IR_NONE)
		return -ENOMEM;
	if (op->input_count > 16 || op->output_count != 1)
		return 0;
	memcpy(inputs, op->inputs, op->input_count * sizeof(*inputs));
	inputs[0] = q->twin[op->inputs[0]];
	if (!possible(q, op, inputs, op->options, out)) {
		q->twin[op->outputs[0]] = IR_NONE;
		return 0;
	}
	return append(q, op, op->kind, inputs, op->input_count, out, op->options);
}

/* Numbers to be quantised that were dequantised just before: from one quantisation to another without them. */
static int quantise(struct qdq *q, const struct ir_op *op, uint32_t out)
{
	uint32_t from = q->integers[op->inputs[0]];
	const struct ir_tensor *t = from == IR_NONE ? NULL : &q->g->tensors[from];

	if (!t || t->type != ELEM_INT8 || t->data || t->quant.count != 1 || q->g->tensors[out].type != ELEM_INT8)
		return append(q, op, IR_QUANTIZE, op->inputs, 1, out, NULL);
	return append(q, op, same_quant(&t->quant, &q->g->tensors[out].quant) ? IR_RESHAPE : IR_QUANTIZE, &from, 1,
		      out, NULL);
}

/* Note what the numbers stand for; uint8 gets its twin. */
static int note(struct qdq *q, const struct ir_op *op)
{
	uint32_t from = op->inputs[0], out = op->outputs[0];
	const struct ir_tensor *t = &q->g->tensors[from];

	if (op->kind == IR_QUANTIZE && q->g->tensors[out].type == ELEM_UINT8 && t->type == ELEM_FLOAT32 &&
	    q->g->tensors[out].quant.count == 1) {
		uint32_t twin = int8_target(q, out);

		return twin == IR_NONE ? -ENOMEM : quantise(q, op, twin);
	}
	if (op->kind < IR_KIND_COUNT && rules[op->kind].how == HOW_SAME && t->type == ELEM_UINT8 &&
	    q->twin[from] != IR_NONE && same_quant(&t->quant, &q->g->tensors[out].quant))
		return move_twin(q, op);
	if (op->kind != IR_DEQUANTIZE)
		return 0;
	if (t->type == ELEM_INT8 || (t->data && t->type == ELEM_INT32)) {
		q->integers[out] = from;
	} else if (t->type == ELEM_UINT8 && t->quant.count == 1 && !t->data) {
		bool there = q->twin[from] != IR_NONE;
		uint32_t twin = int8_target(q, from);

		if (twin == IR_NONE || (!there && append(q, op, IR_QUANTIZE, &from, 1, twin, NULL)))
			return -ENOMEM;
		q->integers[out] = twin;
	} else if (t->type == ELEM_UINT8 && t->data) {
		q->integers[out] = qdq_constant_int8(q->g, from);
	}
	return 0;
}

static int one(struct qdq *q, uint32_t i)
{
	const struct ir_op *op = &q->old[i];
	const uint32_t *inputs = op->inputs;
	struct ir_op *kept;
	int rc;

	if (q->gone[i])
		return 0;
	rc = note(q, op);
	if (!rc)
		rc = rewrite(q, op);
	if (rc)
		return rc > 0 ? 0 : rc;
	if (op->kind == IR_QUANTIZE && q->g->tensors[op->inputs[0]].type == ELEM_FLOAT32)
		return quantise(q, op, op->outputs[0]);
	/* Numbers are those of int8, where there are any. */
	if (op->kind == IR_DEQUANTIZE && q->integers[op->outputs[0]] != IR_NONE)
		inputs = &q->integers[op->outputs[0]];
	kept = ir_op_new(q->g, op->kind, inputs, op->input_count, op->outputs, op->output_count,
			 op->options);
	if (!kept)
		return -ENOMEM;
	kept->origin = op->origin;
	return 0;
}

static bool quantised(const struct ir_graph *g)
{
	for (uint32_t i = 0; i < g->op_count; i++)
		if (g->ops[i].kind == IR_DEQUANTIZE)
			return true;
	return false;
}

static void count_uses(struct qdq *q)
{
	for (uint32_t i = 0; i < q->old_count; i++)
		for (uint32_t k = 0; k < q->old[i].input_count; k++) {
			if (q->old[i].inputs[k] == IR_NONE)
				continue;
			q->uses[q->old[i].inputs[k]]++;
			q->user[q->old[i].inputs[k]] = i;
		}
	for (uint32_t i = 0; i < q->room; i++)
		q->integers[i] = q->twin[i] = IR_NONE;
}

int pass_qdq(struct ir_graph *g, struct error *err)
{
	struct qdq q = { .g = g, .room = g->tensor_count, .old = g->ops, .old_count = g->op_count };
	uint32_t *memory;
	int rc = 0;

	if (!quantised(g))
		return 0;
	memory = calloc(4 * (size_t)q.room + 1, sizeof(*memory));
	q.gone = calloc((size_t)q.old_count + 1, sizeof(*q.gone));
	if (!memory || !q.gone) {
		rc = -ENOMEM;
		goto out;
	}
	q.integers = memory;
	q.twin = memory + q.room;
	q.uses = memory + 2 * (size_t)q.room;
	q.user = memory + 3 * (size_t)q.room;
	count_uses(&q);
	g->ops = NULL;
	g->op_count = g->op_room = 0;
	for (uint32_t i = 0; i < q.old_count && !rc; i++)
		rc = one(&q, i);
	free(q.old);
	if (!rc)
		rc = qdq_fold(g);
out:
	free(q.gone);
	free(memory);
	return rc ? error_set(err, rc, "out of memory") : 0;
}
