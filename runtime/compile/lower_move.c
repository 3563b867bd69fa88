/* SPDX-License-Identifier: MIT */
/* Lowering: operations that only move elements. Where place.c did its work there is nothing to do. */
#include "runtime/compile/place.h"

#include <stdlib.h>
#include <string.h>

int lower_reshape(struct lower *l, const struct ir_op *op)
{
	const struct ir_tensor *in = lower_tensor(l, op->inputs[0]);
	const struct ir_tensor *out = lower_tensor(l, op->outputs[0]);
	struct nd ifm = lower_nd(l, op->inputs[0]), ofm = lower_nd(l, op->outputs[0]);
	struct nd seen = ifm;

	if (in->type != out->type || ir_tensor_elements(in) != ir_tensor_elements(out))
		return lower_cpu(l, "input and output differ in type or size");
	if (nd_reshape(&seen, ofm.n, ofm.shape))
		return lower_copy(l, ofm, seen);
	seen = ofm;
	if (nd_reshape(&seen, ifm.n, ifm.shape))
		return lower_copy(l, seen, ifm);
	return lower_cpu(l, "the elements do not follow each other in memory");
}

int lower_slice(struct lower *l, const struct ir_op *op)
{
	uint32_t input = op->kind == IR_SPLIT ? 1 : 0;

	for (uint32_t i = 0; i < op->output_count; i++) {
		struct part part;
		const char *why = part_of_input(l->g, op, i, &part);
		struct nd ifm, ofm = lower_nd(l, op->outputs[i]);
		int rc;

		if (why)
			return lower_cpu(l, why);
		if (lower_tensor(l, op->inputs[input])->type != ofm.type)
			return lower_cpu(l, "input and output differ in type");
		ifm = lower_nd(l, op->inputs[input]);
		if (!part_apply(&ifm, &part, lower_tensor(l, op->outputs[i])))
			return lower_cpu(l, "the part's elements do not follow each other");
		rc = lower_copy(l, ofm, ifm);
		if (rc)
			return rc;
	}
	return 0;
}

/* An input of a concatenation that has another quantisation than the output (uint8 only, in TFLite). */
static int copy_rescaled(struct lower *l, struct nd to, struct nd from, uint32_t in, uint32_t out)
{
	const struct ir_tensor *a = lower_tensor(l, in), *b = lower_tensor(l, out);
	struct ir_npu npu = lower_copy_npu(l, b->type);

	if (quant_same(a, b))
		return lower_copy(l, to, from);
	if (elem_size(b->type) > 2 || !quant_of(a) || !quant_of(b))
		return lower_cpu(l, "inputs and output are quantised differently");
	/* TFLite rounds a float product to the nearest, halves away from zero. */
	npu.round = l->u85 ? IR_ROUND_SYMMETRIC : IR_ROUND_TFL;
	if (!quant_scale(quant_of(a) / quant_of(b), 0, &npu.ofm_scale))
		return lower_cpu(l, "the scale is out of range");
	return lower_map(l, &npu, to, from, NULL);
}

int lower_concat(struct lower *l, const struct ir_op *op)
{
	if (op->kind == IR_CONCATENATION && op->options->activation)
		return lower_cpu(l, "a fused activation");
	for (uint32_t i = 0; i < op->input_count; i++) {
		struct part part;
		const char *why = part_of_output(l->g, op, i, &part);
		struct nd ifm, ofm;
		int rc;

		if (why)
			return lower_cpu(l, why);
		ifm = lower_nd(l, op->inputs[i]);
		ofm = lower_nd(l, op->outputs[0]);
		if (ifm.type != ofm.type)
			return lower_cpu(l, "inputs and output differ in type");
		if (!part_apply(&ofm, &part, lower_tensor(l, op->inputs[i])))
			return lower_cpu(l, "the part's elements do not follow each other");
		rc = copy_rescaled(l, ofm, ifm, op->inputs[i], op->outputs[0]);
		if (rc)
			return rc;
	}
	return 0;
}

#define PAD_MAX	(1 << 24)	/* elements of padding that one constant may fill */

/* Elements of one value, as many as @d has, from a constant of that many. */
static int fill(struct lower *l, struct nd d, uint32_t constant)
{
	struct nd from = lower_nd(l, constant);

	/* As much of the constant as it takes, in the shape that is to be filled. */
	from.n = d.n;
	for (uint32_t i = d.n, step = 1; i-- > 0;) {
		from.shape[i] = d.shape[i];
		from.step[i] = step;
		step *= (uint32_t)d.shape[i];
	}
	return lower_copy(l, d, from);
}

/* Value that PAD puts round its input. */
static bool pad_value(const struct lower *l, const struct ir_op *op, int32_t *value)
{
	const struct ir_tensor *t;

	*value = quant_zero(lower_tensor(l, op->outputs[0]));
	if (op->kind == IR_PAD)
		return true;
	t = op->inputs[2] == IR_NONE ? NULL : lower_tensor(l, op->inputs[2]);
	if (!t || !t->data || ir_tensor_elements(t) != 1)
		return false;
	switch (t->type) {
	case ELEM_INT8:
		*value = *(const int8_t *)t->data;
		return true;
	case ELEM_UINT8:
		*value = *(const uint8_t *)t->data;
		return true;
	case ELEM_INT16:
		*value = (int16_t)(((const uint8_t *)t->data)[0] | ((const uint8_t *)t->data)[1] << 8);
		return true;
	default:
		return false;
	}
}

/* A constant of @n times @value, of 8 or 16 bits. */
static uint32_t constant_of(struct lower *l, int type, int32_t value, int32_t n)
{
	size_t esize = elem_size(type);
	unsigned char *data = malloc((size_t)n * esize);
	uint32_t t;

	if (!data)
		return IR_NONE;
	for (size_t i = 0; i < (size_t)n; i++) {
		data[i * esize] = (unsigned char)value;
		if (esize == 2)
			data[i * esize + 1] = (unsigned char)(value >> 8);
	}
	t = lower_constant(l, type, 1, &n, data);
	free(data);
	return t;
}

int lower_pad(struct lower *l, const struct ir_op *op)
{
	const struct ir_tensor *in = lower_tensor(l, op->inputs[0]);
	int32_t pads[2 * IR_MAX_DIMS], value;
	struct nd border[2 * IR_MAX_DIMS], inside = lower_nd(l, op->outputs[0]);
	uint32_t count, borders = 0, constant;
	int64_t most = 0;
	int rc = 0;

	if (in->type != lower_tensor(l, op->outputs[0])->type || elem_size(in->type) > 2)
		return lower_cpu(l, "the type is not 8 or 16 bits wide");
	if (!lower_integers(l, op->inputs[1], pads, 2 * IR_MAX_DIMS, &count) ||
	    count != 2 * in->ndim || inside.n != in->ndim || !pad_value(l, op, &value))
		return lower_cpu(l, "the padding is not constant");
	for (uint32_t i = 0; i < in->ndim; i++) {
		int32_t before = pads[2 * i], after = pads[2 * i + 1];

		if (before < 0 || after < 0 ||
		    (int64_t)before + in->shape[i] + after != inside.shape[i])
			return lower_cpu(l, "the padding does not fit input and output");
		if (before) {
			border[borders] = inside;
			nd_slice(&border[borders++], i, 0, before, 1);
		}
		if (after) {
			border[borders] = inside;
			nd_slice(&border[borders++], i, before + in->shape[i], after, 1);
		}
		nd_slice(&inside, i, before, in->shape[i], 1);
	}
	for (uint32_t b = 0; b < borders; b++) {
		int64_t n = 1;

		for (uint32_t i = 0; i < border[b].n; i++)
			n *= border[b].shape[i];
		most = n > most ? n : most;
	}
	if (most > PAD_MAX)
		return lower_cpu(l, "more padding than is worth a constant");
	if (borders) {
		constant = constant_of(l, in->type, value, (int32_t)most);
		if (constant == IR_NONE)
			return lower_no_memory(l);
		for (uint32_t b = 0; b < borders && !rc; b++)
			rc = fill(l, border[b], constant);
	}
	return rc ? rc : lower_copy(l, inside, lower_nd(l, op->inputs[0]));
}
