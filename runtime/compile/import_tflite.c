/* SPDX-License-Identifier: MIT */
/* Import of TFLite models: tensors and operators one to one, options by the table of ir_ops.h. */
#include "runtime/compile/import.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime/ir/ir_ops.h"

/* Of UNIDIRECTIONAL_SEQUENCE_LSTM's intermediates, the output before projection. */
#define LSTM_HIDDEN	4

static int no_memory(struct error *err)
{
	return error_set(err, -ENOMEM, "out of memory");
}

static int import_quant(struct ir_graph *g, const struct tflite_tensor *from, struct ir_tensor *to,
			uint32_t index, struct error *err)
{
	uint32_t count = from->scale_count;
	int32_t *zeros;
	float *scales;

	if (!count)
		return 0;
	if (count > 1 && (from->axis < 0 || (uint32_t)from->axis >= from->ndim ||
			  count != (uint32_t)from->shape[from->axis]))
		return error_set(err, -EINVAL, "tensor %u (%s): %u scales do not fit its axis %d",
				 index, to->name, count, from->axis);
	scales = ir_alloc(g, count * sizeof(*scales));
	zeros = ir_alloc(g, count * sizeof(*zeros));
	if (!scales || !zeros)
		return no_memory(err);
	for (uint32_t i = 0; i < count; i++) {
		int64_t zero = tflite_zero_point(from, from->zero_point_count == 1 ? 0 : i);

		scales[i] = tflite_scale(from, i);
		/* Written so that it is false for NaN. */
		if (!(scales[i] >= 0 && scales[i] <= 3.4e38f))
			return error_set(err, -EINVAL, "tensor %u (%s): scale %u is not a positive number",
					 index, to->name, i);
		if (zero < INT32_MIN || zero > INT32_MAX)
			return error_set(err, -EINVAL, "tensor %u (%s): zero point %u is out of range",
					 index, to->name, i);
		zeros[i] = (int32_t)zero;
	}
	to->quant = (struct ir_quant){ count, from->axis, scales, zeros };
	return 0;
}

static bool is_empty(const struct tflite_tensor *t)
{
	for (unsigned int i = 0; i < t->ndim; i++)
		if (t->shape[i] < 1)
			return true;
	return false;
}

static int check_used(const struct tflite *m, const int32_t *list, uint32_t count, const char *what,
		      struct error *err)
{
	for (uint32_t i = 0; i < count; i++)
		if (list[i] >= 0 && is_empty(&m->tensors[list[i]]))
			return error_set(err, -ENOTSUP, "%s: tensor %d has an empty dimension", what,
					 list[i]);
	return 0;
}

static int import_tensor(struct ir_graph *g, const struct tflite_tensor *from, uint32_t index,
			 struct error *err)
{
	char name[256];
	size_t bytes, esize = elem_size(from->type);
	struct ir_tensor *to;
	void *copy;
	int rc;

	snprintf(name, sizeof(name), "%.*s",
		 (int)(from->name.len < sizeof(name) ? from->name.len : sizeof(name) - 1),
		 from->name.len ? (const char *)from->name.data : "");
	if (!esize)
		return error_set(err, -ENOTSUP, "tensor %u (%s): type %s is not supported", index,
				 name, elem_name(from->type));
	/* Tensors that only carry a quantisation are empty; check_used() finds those that are used. */
	if (ir_tensor_new(g, name, from->type, is_empty(from) ? 0 : from->ndim, from->shape) ==
	    IR_NONE)
		return error_set(err, -ENOTSUP, "tensor %u (%s) is too large", index, name);
	to = &g->tensors[index];
	to->variable = from->variable;
	rc = import_quant(g, from, to, index, err);
	if (rc || !from->data.len)
		return rc;
	bytes = ir_tensor_bytes(to);
	if (from->data.len < bytes)
		return error_set(err, -EINVAL, "tensor %u (%s): %zu bytes of data, its shape needs %zu",
				 index, name, from->data.len, bytes);
	to->data = from->data.data;
	to->size = bytes;
	if ((uintptr_t)to->data % esize) {
		copy = ir_alloc(g, bytes);
		if (!copy)
			return no_memory(err);
		memcpy(copy, to->data, bytes);
		to->data = copy;
	}
	return 0;
}

static int import_options(const struct tflite *m, const struct tflite_operator *from,
			  const struct ir_kind_info *info, struct ir_options *to)
{
	for (unsigned int i = 0; i < info->option_count; i++) {
		const struct ir_option *o = &info->options[i];
		int32_t v = o->dflt;

		if (o->flat >= 0 &&
		    tflite_option(m, from, (unsigned int)o->flat, o->bytes, o->dflt, &v))
			return -EINVAL;
		ir_field_set(&o->field, to, v);
	}
	return 0;
}

static int import_operator(struct ir_graph *g, const struct tflite *m, uint32_t index,
			   struct error *err)
{
	const struct tflite_operator *from = &m->operators[index];
	int kind = ir_kind_by_code(from->builtin);
	const struct ir_kind_info *info = ir_kind_info(kind < 0 ? IR_OTHER : (unsigned int)kind);
	const char *name = tflite_builtin_name(from->builtin);
	struct ir_options options = { 0 };
	uint32_t origin;
	struct ir_op *op;
	char text[96];
	int rc;

	if (from->builtin == TFLITE_BUILTIN_CUSTOM && from->custom.len)
		snprintf(text, sizeof(text), "%.*s #%u", (int)(from->custom.len < 64 ? from->custom.len : 64),
			 (const char *)from->custom.data, index);
	else
		snprintf(text, sizeof(text), "%s #%u", name ? name : "builtin operator", index);
	if (from->input_count > UINT16_MAX || from->output_count > UINT16_MAX)
		return error_set(err, -EINVAL, "operator %s has %u inputs and %u outputs", text,
				 from->input_count, from->output_count);
	rc = check_used(m, from->inputs, from->input_count, text, err);
	if (!rc)
		rc = check_used(m, from->outputs, from->output_count, text, err);
	if (rc)
		return rc;
	if (kind < 0)
		options.code = from->builtin;
	else if (import_options(m, from, info, &options))
		return error_set(err, -EINVAL, "the options of operator %s lie outside the file",
				 text);
	if (kind == IR_UNIDIRECTIONAL_SEQUENCE_LSTM && from->intermediate_count > LSTM_HIDDEN &&
	    from->intermediates[LSTM_HIDDEN] >= 0) {
		const struct tflite_tensor *t = &m->tensors[from->intermediates[LSTM_HIDDEN]];

		options.hidden_scale = tflite_scale(t, 0);
		options.hidden_zero_point = (int32_t)tflite_zero_point(t, 0);
	}
	origin = ir_origin_new(g, text);
	/* -1 is IR_NONE. */
	op = ir_op_new(g, kind < 0 ? IR_OTHER : (unsigned int)kind, (const uint32_t *)from->inputs,
		       from->input_count, (const uint32_t *)from->outputs, from->output_count,
		       info->option_count ? &options : NULL);
	if (!op || origin == IR_NONE)
		return no_memory(err);
	op->origin = origin;
	return 0;
}

static uint32_t *import_ends(struct ir_graph *g, const int32_t *list, uint32_t count, bool output)
{
	uint32_t *to = ir_alloc(g, (count ? count : 1) * sizeof(*to));

	for (uint32_t i = 0; to && i < count; i++) {
		struct ir_tensor *t = &g->tensors[list[i]];

		to[i] = (uint32_t)list[i];
		*(output ? &t->output : &t->input) = (int32_t)i;
	}
	return to;
}

int import_tflite(struct tflite *m, const char *name, struct ir_graph **out, struct error *err)
{
	struct ir_graph *g = ir_new(name);
	int rc = 0;

	if (!g)
		return no_memory(err);
	for (uint32_t i = 0; i < m->tensor_count && !rc; i++)
		rc = import_tensor(g, &m->tensors[i], i, err);
	if (rc)
		goto fail;
	rc = check_used(m, m->inputs, m->input_count, "inputs", err);
	if (!rc)
		rc = check_used(m, m->outputs, m->output_count, "outputs", err);
	if (rc)
		goto fail;
	g->inputs = import_ends(g, m->inputs, m->input_count, false);
	g->outputs = import_ends(g, m->outputs, m->output_count, true);
	if (!g->inputs || !g->outputs) {
		rc = no_memory(err);
		goto fail;
	}
	g->input_count = m->input_count;
	g->output_count = m->output_count;
	for (uint32_t i = 0; i < m->operator_count && !rc; i++)
		rc = import_operator(g, m, i, err);
	if (!rc)
		rc = ir_verify(g, err);
	if (rc)
		goto fail;
	g->file = m->file;
	m->file = NULL;
	*out = g;
	return 0;
fail:
	ir_free(g);
	return rc;
}
