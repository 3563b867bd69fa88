/* SPDX-License-Identifier: MIT */
/* Constants of quantised models. */
#include "runtime/onnx/qdq.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime/cpu/cpu.h"

uint32_t qdq_constant_int8(struct ir_graph *g, uint32_t tensor)
{
	struct ir_tensor t = g->tensors[tensor];
	size_t count = ir_tensor_elements(&t);
	uint8_t *data = ir_alloc(g, count);
	int32_t *zeros = ir_alloc(g, (t.quant.count + 1) * sizeof(*zeros));
	char name[320];
	const char *copy;
	uint32_t new;

	snprintf(name, sizeof(name), "%.280s/int8_%u", t.name, g->tensor_count);
	copy = ir_strdup(g, name, strlen(name));
	new = data && zeros && copy ? ir_tensor_new(g, copy, ELEM_INT8, t.ndim, t.shape) : IR_NONE;
	if (new == IR_NONE)
		return IR_NONE;
	for (size_t i = 0; i < count; i++)
		data[i] = ((const uint8_t *)t.data)[i] ^ 0x80;
	for (uint32_t i = 0; i < t.quant.count; i++)
		zeros[i] = t.quant.zero_point[i] - 128;
	g->tensors[new].data = data;
	g->tensors[new].size = count;
	g->tensors[new].quant = t.quant;
	g->tensors[new].quant.zero_point = zeros;
	return new;
}

static struct cpu_tensor operand(const struct ir_tensor *t, void *data)
{
	struct cpu_tensor c = {
		.type = t->type, .ndim = t->ndim, .scale_count = t->quant.count, .axis = t->quant.axis,
		.scales = t->quant.scale, .zero_points = t->quant.zero_point, .data = data,
		.constant = t->data,
	};

	memcpy(c.shape, t->shape, sizeof(c.shape));
	return c;
}

int qdq_fold(struct ir_graph *g)
{
	static const struct ir_options none;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < g->op_count; i++) {
		struct ir_op *op = &g->ops[i];
		const struct ir_tensor *in = &g->tensors[op->kind == IR_DEQUANTIZE ? op->inputs[0] : 0];
		struct ir_tensor *out = &g->tensors[op->kind == IR_DEQUANTIZE ? op->outputs[0] : 0];
		struct cpu_tensor from, to;
		struct cpu_op *made;
		void *data;

		if (op->kind != IR_DEQUANTIZE || !in->data || out->output >= 0) {
			g->ops[kept++] = *op;
			continue;
		}
		data = ir_alloc(g, ir_tensor_bytes(out) + 8);
		if (!data)
			return -ENOMEM;
		from = operand(in, (void *)(uintptr_t)in->data);
		to = operand(out, data);
		if (cpu_op_create(IR_DEQUANTIZE, &none, &from, 1, &to, 1, &made, NULL)) {
			g->ops[kept++] = *op;
			continue;
		}
		if (!cpu_op_run(made, NULL)) {
			out->data = data;
			out->size = ir_tensor_bytes(out);
		} else {
			g->ops[kept++] = *op;
		}
		cpu_op_free(made);
	}
	g->op_count = kept;
	return 0;
}
