/* SPDX-License-Identifier: MIT */
/* Gradients of what slides over rows and columns, each channel by itself: depthwise layers and pooling. */
#include <math.h>

#include "runtime/train/backward.h"

/**
 * struct place - a window at an output position
 * @gout: of its first channel; @in, @gin: of channel 0 of the input's image, @gin NULL: not wanted
 * @y, @x: of its first tap in the input, which may lie outside
 */
struct place {
	const float *gout, *out, *in;
	float *gin;
	int32_t y, x;
};

/* A window over an input; pooling's, too, is told as a layer. */
static void describe_pool(const struct backward *b, struct layer *l)
{
	const struct ir_options *o = b->op->options;
	const int32_t *in = b->type_in[0]->shape, *out = b->type_out->shape;
	const bool same = o->padding == IR_PADDING_SAME;
	int32_t down = (out[1] - 1) * o->stride_h + o->filter_h - in[1];
	int32_t across = (out[2] - 1) * o->stride_w + o->filter_w - in[2];

	*l = (struct layer){
		.in_h = in[1], .in_w = in[2], .in_c = in[3], .out_h = out[1], .out_w = out[2],
		.outputs = (uint32_t)out[3], .h = o->filter_h, .w = o->filter_w,
		.stride_y = o->stride_h, .stride_x = o->stride_w, .dilation_y = 1, .dilation_x = 1,
		.pad_y = !same ? o->pad_top : down > 0 ? down / 2 : 0,
		.pad_x = !same ? o->pad_left : across > 0 ? across / 2 : 0,
		.rows = (uint64_t)in[0] * (uint64_t)out[1] * (uint64_t)out[2],
	};
}

static struct place place_of(const struct backward *b, const struct layer *l, size_t position)
{
	size_t area = (size_t)l->out_h * (size_t)l->out_w;
	size_t image = position / area * (size_t)l->in_h * (size_t)l->in_w * (size_t)l->in_c;

	return (struct place){
		.gout = b->gout + position * l->outputs, .out = b->out + position * l->outputs,
		.in = b->in[0] + image, .gin = b->gin[0] ? b->gin[0] + image : NULL,
		.y = (int32_t)(position % area / (size_t)l->out_w) * l->stride_y - l->pad_y,
		.x = (int32_t)(position % (size_t)l->out_w) * l->stride_x - l->pad_x,
	};
}

/* Where a tap is in the image, in elements; -1: outside. */
static ptrdiff_t tap_at(const struct layer *l, const struct place *p, int32_t ky, int32_t kx)
{
	int32_t y = p->y + ky * l->dilation_y, x = p->x + kx * l->dilation_x;

	if (y < 0 || y >= l->in_h || x < 0 || x >= l->in_w)
		return -1;
	return ((ptrdiff_t)y * l->in_w + x) * l->in_c;
}

/* ---- depthwise ---- */

static void depthwise_tap(const struct layer *l, const struct place *p, ptrdiff_t at,
			  const float *restrict w, float *restrict gw)
{
	const float *restrict gout = p->gout, *restrict in = p->in + at;
	size_t each = l->outputs / (size_t)l->in_c, channels = (size_t)l->in_c;

	if (each == 1) {
		float *restrict gin = p->gin ? p->gin + at : NULL;

		for (size_t c = 0; c < channels; c++)
			gw[c] += gout[c] * in[c];
		for (size_t c = 0; c < channels && gin; c++)
			gin[c] += gout[c] * w[c];
		return;
	}
	for (size_t o = 0; o < l->outputs; o++) {
		gw[o] += gout[o] * in[o / each];
		if (p->gin)
			p->gin[at + (ptrdiff_t)(o / each)] += gout[o] * w[o];
	}
}

void backward_depthwise(const struct backward *b)
{
	const struct layer *l = b->layer;
	const float *w = layer_weight_values(b->g, l);

	for (size_t r = 0; r < l->rows; r++) {
		struct place p = place_of(b, l, r);
		size_t tap = 0;

		for (size_t o = 0; o < l->outputs && b->gb; o++)
			b->gb[o] += p.gout[o];
		for (int32_t ky = 0; ky < l->h; ky++)
			for (int32_t kx = 0; kx < l->w; kx++, tap += l->outputs) {
				ptrdiff_t at = tap_at(l, &p, ky, kx);

				if (at >= 0)
					depthwise_tap(l, &p, at, w + tap, b->gw + tap);
			}
	}
}

/* ---- pooling ---- */

static void average(const struct layer *l, const struct place *p)
{
	unsigned int inside = 0;

	for (int32_t ky = 0; ky < l->h; ky++)
		for (int32_t kx = 0; kx < l->w; kx++)
			inside += tap_at(l, p, ky, kx) >= 0;
	for (int32_t ky = 0; ky < l->h; ky++)
		for (int32_t kx = 0; kx < l->w; kx++) {
			ptrdiff_t at = tap_at(l, p, ky, kx);

			for (size_t c = 0; c < l->outputs && at >= 0; c++)
				p->gin[at + (ptrdiff_t)c] += p->gout[c] / (float)inside;
		}
}

/* To the first of the largest. */
static void largest(const struct layer *l, const struct place *p, size_t c)
{
	ptrdiff_t best = -1;

	for (int32_t ky = 0; ky < l->h; ky++)
		for (int32_t kx = 0; kx < l->w; kx++) {
			ptrdiff_t at = tap_at(l, p, ky, kx);

			if (at >= 0 && (best < 0 || p->in[at + (ptrdiff_t)c] > p->in[best + (ptrdiff_t)c]))
				best = at;
		}
	if (best >= 0)
		p->gin[best + (ptrdiff_t)c] += p->gout[c];
}

void backward_average_pool(const struct backward *b)
{
	struct layer l;

	describe_pool(b, &l);
	for (size_t r = 0; r < l.rows && b->gin[0]; r++) {
		struct place p = place_of(b, &l, r);

		average(&l, &p);
	}
}

void backward_max_pool(const struct backward *b)
{
	struct layer l;

	describe_pool(b, &l);
	for (size_t r = 0; r < l.rows && b->gin[0]; r++) {
		struct place p = place_of(b, &l, r);

		for (size_t c = 0; c < l.outputs; c++)
			largest(&l, &p, c);
	}
}
