/* SPDX-License-Identifier: MIT */
/* Writes a graph as text, see ir_text.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "runtime/ir/ir_ops.h"
#include "runtime/ir/ir_text.h"

static const char *const npu_names[] = { IR_NPU_KIND_NAMES };

static void put_string(FILE *f, const char *s)
{
	fputc('"', f);
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			fprintf(f, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			fprintf(f, "\\x%02x", c);
		else
			fputc(c, f);
	}
	fputc('"', f);
}

static void put_shape(FILE *f, const int32_t *shape, uint32_t ndim)
{
	if (!ndim)
		fputs(" scalar", f);
	for (uint32_t i = 0; i < ndim; i++)
		fprintf(f, "%c%d", i ? 'x' : ' ', shape[i]);
}

static void put_tensor(FILE *f, const struct ir_tensor *t)
{
	static const char digits[] = "0123456789abcdef";
	struct ir_tensor plain = *t;

	fputs("tensor ", f);
	put_string(f, t->name);
	fprintf(f, " %s", elem_name(t->type));
	put_shape(f, t->shape, t->ndim);
	plain.hwc[2] = t->ndim ? t->shape[t->ndim - 1] : 1;
	plain.hwc[1] = t->ndim > 1 ? t->shape[t->ndim - 2] : 1;
	if (plain.hwc[1] != t->hwc[1] || plain.hwc[2] != t->hwc[2]) {
		fputs(" hwc", f);
		put_shape(f, t->hwc, 3);
	}
	if (t->quant.count)
		fprintf(f, " quant %d", t->quant.axis);
	for (uint32_t i = 0; i < t->quant.count; i++)
		fprintf(f, " %.9g:%d", (double)t->quant.scale[i], t->quant.zero_point[i]);
	if (t->variable)
		fputs(" variable", f);
	if (t->data) {
		const unsigned char *p = t->data;

		fputs(" data ", f);
		for (size_t i = 0; i < t->size; i++) {
			fputc(digits[p[i] >> 4], f);
			fputc(digits[p[i] & 15], f);
		}
	}
	fputc('\n', f);
}

static void put_index(FILE *f, uint32_t tensor)
{
	if (tensor == IR_NONE)
		fputs(" -", f);
	else
		fprintf(f, " %%%u", tensor);
}

/* A field, unless it has the value that leaving it out stands for. */
static void put_field(FILE *f, const struct ir_field *field, const void *base, const void *plain)
{
	int64_t v = ir_field_get(field, base);
	uint32_t bits = (uint32_t)v;
	float real;

	if (v == ir_field_get(field, plain))
		return;
	if (field->type == IR_FIELD_F32) {
		memcpy(&real, &bits, sizeof(real));
		fprintf(f, " %s %.9g", field->name, (double)real);
	} else {
		fprintf(f, " %s %" PRId64, field->name, v);
	}
}

static void put_graph_op(FILE *f, const struct ir_op *op)
{
	const struct ir_kind_info *info = ir_kind_info(op->kind);
	const struct ir_options none = { 0 };

	fprintf(f, "op %s", info->name);
	for (uint32_t i = 0; i < op->input_count; i++)
		put_index(f, op->inputs[i]);
	fputs(" ->", f);
	for (uint32_t i = 0; i < op->output_count; i++)
		put_index(f, op->outputs[i]);
	for (unsigned int i = 0; op->options && i < info->option_count; i++)
		put_field(f, &info->options[i].field, op->options, &none);
	if (op->why_cpu) {
		fputs(" cpu ", f);
		put_string(f, op->why_cpu);
	}
}

static void put_view(FILE *f, const char *name, const struct ir_view *v)
{
	if (v->tensor == IR_NONE && !v->scalar)
		return;
	fprintf(f, " %s [", name);
	if (v->scalar)
		fprintf(f, "value %d", v->value);
	else
		fprintf(f, "%%%u", v->tensor);
	if (v->base)
		fprintf(f, " base %" PRId64, v->base);
	if (v->sy || v->sx)
		fprintf(f, " step %" PRId64 ",%" PRId64, v->sy, v->sx);
	fprintf(f, " size %dx%dx%d", v->h, v->w, v->c);
	if (v->zero_point)
		fprintf(f, " zp %d", v->zero_point);
	fprintf(f, " type %s]", elem_name(v->type));
}

static void put_npu_op(FILE *f, const struct ir_op *op)
{
	const struct ir_npu *n = op->npu;
	const struct ir_field *fields;
	struct ir_npu plain;
	unsigned int count;

	ir_npu_init(&plain);
	fprintf(f, "npu %s", npu_names[n->kind]);
	if (n->mode)
		fprintf(f, " mode %u", n->mode);
	put_view(f, "ifm", &n->ifm);
	put_view(f, "ifm2", &n->ifm2);
	put_view(f, "ofm", &n->ofm);
	if (n->weights != IR_NONE)
		fprintf(f, " weights %%%u", n->weights);
	if (n->lut_data != IR_NONE)
		fprintf(f, " lut_data %%%u", n->lut_data);
	fields = ir_npu_fields(&count);
	for (unsigned int i = 0; i < count; i++)
		put_field(f, &fields[i], n, &plain);
	if (!n->channels)
		return;
	fprintf(f, " channels %u", n->channels);
	if (n->bias) {
		fputs(" bias [", f);
		for (uint32_t i = 0; i < n->channels; i++)
			fprintf(f, "%s%" PRId64, i ? " " : "", n->bias[i]);
		fputc(']', f);
	}
	if (n->channel_scale) {
		fputs(" scale [", f);
		for (uint32_t i = 0; i < n->channels; i++)
			fprintf(f, "%s%u>>%u", i ? " " : "", n->channel_scale[i].scale,
				n->channel_scale[i].shift);
		fputc(']', f);
	}
	if (n->weight_zero_points) {
		fputs(" weight_zero_points [", f);
		for (uint32_t i = 0; i < n->channels; i++)
			fprintf(f, "%s%d", i ? " " : "", n->weight_zero_points[i]);
		fputc(']', f);
	}
}

static void put_list(FILE *f, const char *name, const uint32_t *list, uint32_t count)
{
	fputs(name, f);
	for (uint32_t i = 0; i < count; i++)
		put_index(f, list[i]);
	fputc('\n', f);
}

int ir_print(const struct ir_graph *g, void *file)
{
	FILE *f = file;

	fputs("graph ", f);
	put_string(f, g->name);
	fputc('\n', f);
	for (uint32_t i = 0; i < g->tensor_count; i++)
		put_tensor(f, &g->tensors[i]);
	put_list(f, "inputs", g->inputs, g->input_count);
	put_list(f, "outputs", g->outputs, g->output_count);
	for (uint32_t i = 0; i < g->origin_count; i++) {
		fputs("origin ", f);
		put_string(f, g->origins[i]);
		fputc('\n', f);
	}
	for (uint32_t i = 0; i < g->op_count; i++) {
		const struct ir_op *op = &g->ops[i];

		if (op->kind == IR_NPU)
			put_npu_op(f, op);
		else
			put_graph_op(f, op);
		if (op->origin)
			fprintf(f, " from %u", op->origin);
		fputc('\n', f);
	}
	return ferror(f) ? -EIO : 0;
}
