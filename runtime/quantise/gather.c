/* SPDX-License-Identifier: MIT */
/* Layers' inputs at random positions, while samples stream through the graph. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/float/blas.h"
#include "runtime/quantise/reconstruct.h"

#define FLOATS_MAX	(2u << 20)	/* of a layer's inputs: 8 MiB */
#define ROWS_MIN	16

struct gathering {
	const struct ir_graph *g;
	struct layer_data *layers;
	size_t *room;
	size_t sample, samples;
	uint64_t random;
};

static void limits(int activation, float *low, float *high)
{
	*low = activation == IR_ACT_RELU || activation == IR_ACT_RELU6 ? 0 :
	       activation == IR_ACT_RELU_N1_TO_1 ? -1 : -INFINITY;
	*high = activation == IR_ACT_RELU6 ? 6 : activation == IR_ACT_RELU_N1_TO_1 ? 1 : INFINITY;
}

/* Padding above and left of a window. */
static int32_t pad_before(const struct ir_options *o, int32_t in, int32_t out, int32_t taps,
			  int32_t stride, int32_t dilation, int32_t explicit_pad)
{
	int32_t need = (out - 1) * stride + (taps - 1) * dilation + 1 - in;

	return o->padding == IR_PADDING_SAME ? (need > 0 ? need / 2 : 0) : explicit_pad;
}

/* The window at (y, x) of image @n, as the weights lie: [kh][kw][channels], groups apart. */
static void take_window(struct gathering *c, const struct ir_op *op, struct layer_data *d,
			const float *in, int32_t n, int32_t y, int32_t x, size_t row, size_t rows)
{
	const struct ir_tensor *i = &c->g->tensors[op->inputs[0]], *w = &c->g->tensors[op->inputs[1]];
	const struct ir_tensor *out = &c->g->tensors[op->outputs[0]];
	const struct ir_options *o = op->options;
	int32_t kh = w->shape[1], kw = w->shape[2], channels = i->shape[3];
	int32_t top = y * o->stride_h - pad_before(o, i->shape[1], out->shape[1], kh, o->stride_h,
						   o->dilation_h, o->pad_top);
	int32_t left = x * o->stride_w - pad_before(o, i->shape[2], out->shape[2], kw, o->stride_w,
						    o->dilation_w, o->pad_left);

	for (int32_t ky = 0; ky < kh; ky++) {
		for (int32_t kx = 0; kx < kw; kx++) {
			int32_t iy = top + ky * o->dilation_h, ix = left + kx * o->dilation_w;
			const float *from = in + (((size_t)n * (size_t)i->shape[1] + (size_t)iy) *
						  (size_t)i->shape[2] + (size_t)ix) * (size_t)channels;
			bool inside = iy >= 0 && iy < i->shape[1] && ix >= 0 && ix < i->shape[2];
			size_t tap = (size_t)ky * (size_t)kw + (size_t)kx;

			for (int32_t ch = 0; ch < channels; ch++) {
				float v = inside ? from[ch] : 0;

				if (d->groups == 1)
					d->x[row * d->shape.taps + tap * (size_t)channels + (size_t)ch] = v;
				else
					d->x[((size_t)ch * rows + row) * d->shape.taps + tap] = v;
			}
		}
	}
}

static void take_rows(struct gathering *c, uint32_t index, const float *in)
{
	const struct ir_op *op = &c->g->ops[index];
	const struct ir_tensor *out = &c->g->tensors[op->outputs[0]];
	struct layer_data *d = &c->layers[index];
	size_t room = c->room[index];
	/* So many behind this sample that all of them are spread over all samples. */
	size_t until = (c->sample + 1) * room / c->samples;

	for (; d->rows < until; d->rows++) {
		if (op->kind == IR_FULLY_CONNECTED) {
			size_t all = ir_tensor_elements(out) / d->shape.outputs;
			uint32_t at = optimiser_random(&c->random, (uint32_t)all);

			memcpy(d->x + d->rows * d->shape.taps, in + (size_t)at * d->shape.taps,
			       d->shape.taps * sizeof(*in));
		} else {
			int32_t n = (int32_t)optimiser_random(&c->random, (uint32_t)out->shape[0]);
			int32_t y = (int32_t)optimiser_random(&c->random, (uint32_t)out->shape[1]);
			int32_t x = (int32_t)optimiser_random(&c->random, (uint32_t)out->shape[2]);

			take_window(c, op, d, in, n, y, x, d->rows, room);
		}
	}
}

static int see(void *ctx, uint32_t tensor, const void *data)
{
	struct gathering *c = ctx;

	for (uint32_t i = 0; i < c->g->op_count; i++)
		if (c->room[i] && c->g->ops[i].inputs[0] == tensor)
			take_rows(c, i, data);
	return 0;
}

static int make_layer(const struct ir_graph *g, const struct ir_op *op, size_t rows,
		      struct layer_data *d)
{
	size_t width;

	if ((op->kind != IR_CONV_2D && op->kind != IR_DEPTHWISE_CONV_2D &&
	     op->kind != IR_FULLY_CONNECTED) || !rule_layer(g, op, &d->shape) ||
	    g->tensors[op->inputs[0]].data)
		return 0;
	d->groups = 1;
	if (op->kind == IR_DEPTHWISE_CONV_2D)
		d->groups = (uint32_t)g->tensors[op->inputs[0]].shape[3];
	/* Grouped convolutions, that the weights tell by their depth. */
	if (op->kind == IR_CONV_2D && g->tensors[op->inputs[1]].shape[3] != g->tensors[op->inputs[0]].shape[3])
		return 0;
	limits(op->options->activation, &d->low, &d->high);
	width = (size_t)d->groups * d->shape.taps;
	if (rows > FLOATS_MAX / width)
		rows = FLOATS_MAX / width > ROWS_MIN ? FLOATS_MAX / width : ROWS_MIN;
	d->x = calloc(rows * width, sizeof(*d->x));
	d->y = calloc(rows * d->shape.outputs, sizeof(*d->y));
	return d->x && d->y ? (int)rows : -ENOMEM;
}

void layer_data_free(struct layer_data *d)
{
	free(d->x);
	free(d->y);
	memset(d, 0, sizeof(*d));
}

void layer_load(const struct layer_shape *s, const float *tensor, float *w)
{
	for (uint32_t o = 0; o < s->outputs; o++)
		for (uint32_t k = 0; k < s->taps; k++)
			w[(size_t)o * s->taps + k] = tensor[o * s->outer + k * s->stride];
}

void layer_store(const struct layer_shape *s, const float *w, float *tensor)
{
	for (uint32_t o = 0; o < s->outputs; o++)
		for (uint32_t k = 0; k < s->taps; k++)
			tensor[o * s->outer + k * s->stride] = w[(size_t)o * s->taps + k];
}

/* y = x w + b, group by group. */
static int give_outputs(const struct ir_graph *g, const struct ir_op *op, struct layer_data *d)
{
	uint32_t bias = layer_bias(op, &d->shape), per = d->shape.outputs / d->groups;
	const float *b = bias == IR_NONE ? NULL : g->tensors[bias].data;
	size_t taps = d->shape.taps, outputs = d->shape.outputs;
	float *w = malloc(outputs * taps * sizeof(*w));

	if (!w)
		return -ENOMEM;
	layer_load(&d->shape, g->tensors[op->inputs[d->shape.weights]].data, w);
	for (uint32_t k = 0; k < d->groups; k++) {
		const struct gemm m = { .m = d->rows, .n = per, .k = taps, .b_turned = true, .lda = taps,
					.ldb = taps, .ldc = outputs };

		gemm(&m, d->x + (size_t)k * d->rows * taps, w + (size_t)k * per * taps,
		     d->y + (size_t)k * per);
	}
	for (size_t r = 0; r < d->rows && b; r++)
		for (size_t o = 0; o < outputs; o++)
			d->y[r * outputs + o] += b[o];
	free(w);
	return 0;
}

int layer_gather(const struct ir_graph *g, const struct quantise_data *data, const bool *wanted,
		 size_t rows, struct layer_data *layers, struct error *err)
{
	struct gathering c = { .g = g, .layers = layers, .samples = data->count,
			       .random = 0x9e3779b97f4a7c15ull };
	struct data_run run = { 0 };
	int rc = blas_load(err);

	if (rc)
		return rc;
	if (!data->count)
		return error_set(err, -EINVAL, "no samples to learn from");
	c.room = calloc((size_t)g->op_count + 1, sizeof(*c.room));
	if (!c.room)
		rc = -ENOMEM;
	for (uint32_t i = 0; i < g->op_count && rc >= 0; i++) {
		if (wanted && !wanted[i])
			continue;
		rc = make_layer(g, &g->ops[i], rows, &layers[i]);
		c.room[i] = rc > 0 ? (size_t)rc : 0;
	}
	rc = rc < 0 ? error_set(err, rc, "out of memory") : data_open(g, false, &run, err);
	if (!rc)
		cpu_graph_observe(run.c, see, &c);
	for (size_t i = 0; i < data->count && !rc; i++) {
		c.sample = i;
		rc = data_sample(&run, data, i, err);
		if (data->progress && !rc)
			data->progress("gathering", i + 1, data->count);
	}
	for (uint32_t i = 0; i < g->op_count && !rc; i++)
		if (c.room[i] && give_outputs(g, &g->ops[i], &layers[i]))
			rc = error_set(err, -ENOMEM, "out of memory");
	if (run.g)
		data_close(&run);
	for (uint32_t i = 0; i < g->op_count && rc; i++)
		layer_data_free(&layers[i]);
	free(c.room);
	return rc;
}

void layer_round_inputs(struct layer_data *d, float scale, int32_t zero_point, unsigned int bits)
{
	float low = bits == 16 ? INT16_MIN : INT8_MIN, high = bits == 16 ? INT16_MAX : INT8_MAX;
	size_t n = (size_t)d->groups * d->rows * d->shape.taps;

	for (size_t i = 0; i < n; i++) {
		float q = roundf(d->x[i] / scale) + (float)zero_point;

		q = q < low ? low : q > high ? high : q;
		d->x[i] = (q - (float)zero_point) * scale;
	}
}
