/* SPDX-License-Identifier: MIT */
/* Layers of a graph, and what they see. */
#include "runtime/compress/layer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

float *layer_weight_values(const struct ir_graph *g, const struct layer *l)
{
	return (float *)(uintptr_t)g->tensors[l->weights].data;
}

float *layer_bias_values(const struct ir_graph *g, const struct layer *l)
{
	return l->bias == IR_NONE ? NULL : (float *)(uintptr_t)g->tensors[l->bias].data;
}

static bool is_float_constant(const struct ir_tensor *t)
{
	return t->type == ELEM_FLOAT32 && t->data && t->size == ir_tensor_elements(t) * sizeof(float);
}

static int32_t pad_before(const struct ir_options *o, int32_t explicit_pad, int32_t in, int32_t taps,
			  int32_t stride, int32_t dilation)
{
	int64_t want, total;

	if (o->padding != IR_PADDING_SAME)
		return explicit_pad;
	want = (in + (int64_t)stride - 1) / stride;
	total = (want - 1) * stride + (int64_t)(taps - 1) * dilation + 1 - in;
	return total > 0 ? (int32_t)(total / 2) : 0;
}

static bool describe_window(const struct ir_op *op, const struct ir_tensor *in,
			    const struct ir_tensor *w, const struct ir_tensor *out, struct layer *l)
{
	const struct ir_options *o = op->options;

	if (in->ndim != 4 || w->ndim != 4 || out->ndim != 4 || !o)
		return false;
	l->in_h = in->shape[1];
	l->in_w = in->shape[2];
	l->in_c = in->shape[3];
	l->out_h = out->shape[1];
	l->out_w = out->shape[2];
	l->h = w->shape[1];
	l->w = w->shape[2];
	l->stride_y = o->stride_h;
	l->stride_x = o->stride_w;
	l->dilation_y = o->dilation_h ? o->dilation_h : 1;
	l->dilation_x = o->dilation_w ? o->dilation_w : 1;
	if (l->stride_y < 1 || l->stride_x < 1)
		return false;
	l->pad_y = pad_before(o, o->pad_top, l->in_h, l->h, l->stride_y, l->dilation_y);
	l->pad_x = pad_before(o, o->pad_left, l->in_w, l->w, l->stride_x, l->dilation_x);
	l->depthwise = op->kind == IR_DEPTHWISE_CONV_2D;
	l->outputs = (uint32_t)out->shape[3];
	if (l->depthwise) {
		l->ic = 1;
		return w->shape[3] == out->shape[3] && out->shape[3] % in->shape[3] == 0;
	}
	l->ic = (uint32_t)in->shape[3];
	return w->shape[3] == in->shape[3] && w->shape[0] == out->shape[3];
}

static bool describe_matrix(const struct ir_tensor *in, const struct ir_tensor *w, struct layer *l)
{
	size_t n = ir_tensor_elements(in);

	if (w->ndim != 2 || w->shape[1] < 1 || n % (size_t)w->shape[1])
		return false;
	l->outputs = (uint32_t)w->shape[0];
	l->ic = (uint32_t)w->shape[1];
	l->in_h = l->out_h = (int32_t)(n / l->ic);
	l->in_w = l->out_w = l->h = l->w = 1;
	l->in_c = w->shape[1];
	l->stride_y = l->stride_x = l->dilation_y = l->dilation_x = 1;
	return true;
}

static bool describe(const struct ir_graph *g, uint32_t index, struct layer *l)
{
	const struct ir_op *op = &g->ops[index];
	const struct ir_tensor *in, *w, *out;
	bool ok;

	if (op->kind != IR_CONV_2D && op->kind != IR_FULLY_CONNECTED &&
	    op->kind != IR_DEPTHWISE_CONV_2D)
		return false;
	*l = (struct layer){ .op = index, .input = op->inputs[0], .weights = op->inputs[1],
			     .bias = op->input_count > 2 ? op->inputs[2] : IR_NONE,
			     .output = op->outputs[0] };
	in = &g->tensors[l->input];
	w = &g->tensors[l->weights];
	out = &g->tensors[l->output];
	if (!is_float_constant(w) || in->type != ELEM_FLOAT32 || in->data)
		return false;
	ok = op->kind == IR_FULLY_CONNECTED ? describe_matrix(in, w, l)
					    : describe_window(op, in, w, out, l);
	if (!ok || !l->outputs)
		return false;
	l->taps = (uint32_t)(ir_tensor_elements(w) / l->outputs);
	l->rows = op->kind == IR_FULLY_CONNECTED ? (uint64_t)l->in_h :
		  (uint64_t)in->shape[0] * (uint64_t)l->out_h * (uint64_t)l->out_w;
	return l->bias == IR_NONE || (is_float_constant(&g->tensors[l->bias]) &&
				      ir_tensor_elements(&g->tensors[l->bias]) == l->outputs);
}

int layers_find(const struct ir_graph *g, struct layer **out, uint32_t *count)
{
	uint32_t *readers = calloc((size_t)g->tensor_count + 1, sizeof(*readers));
	struct layer *list = calloc((size_t)g->op_count + 1, sizeof(*list));

	if (!readers || !list) {
		free(readers);
		free(list);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < g->op_count; i++)
		for (uint32_t k = 0; k < g->ops[i].input_count; k++)
			if (g->ops[i].inputs[k] != IR_NONE)
				readers[g->ops[i].inputs[k]]++;
	*count = 0;
	for (uint32_t i = 0; i < g->op_count; i++) {
		struct layer *l = &list[*count];

		if (describe(g, i, l) && readers[l->weights] == 1 &&
		    (l->bias == IR_NONE || readers[l->bias] == 1))
			++*count;
	}
	free(readers);
	*out = list;
	return 0;
}

void layer_row(const struct layer *l, const float *data, uint64_t position, float *out)
{
	uint64_t area = (uint64_t)l->out_h * (uint64_t)l->out_w;
	int32_t y0 = (int32_t)(position % area / (uint64_t)l->out_w) * l->stride_y - l->pad_y;
	int32_t x0 = (int32_t)(position % (uint64_t)l->out_w) * l->stride_x - l->pad_x;

	data += position / area * (uint64_t)l->in_h * (uint64_t)l->in_w * (uint64_t)l->in_c;
	for (int32_t ky = 0; ky < l->h; ky++)
		for (int32_t kx = 0; kx < l->w; kx++, out += l->ic) {
			int32_t y = y0 + ky * l->dilation_y, x = x0 + kx * l->dilation_x;

			if (y < 0 || y >= l->in_h || x < 0 || x >= l->in_w)
				memset(out, 0, l->ic * sizeof(*out));
			else
				memcpy(out, data + ((size_t)y * (size_t)l->in_w + (size_t)x) * l->ic,
				       l->ic * sizeof(*out));
		}
}
