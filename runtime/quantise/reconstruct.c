/* SPDX-License-Identifier: MIT */
/* Layer-wise reconstruction by gradient descent on the error of a layer's outputs. */
#include "runtime/quantise/reconstruct.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/float/blas.h"

#define WEIGHT_MAX	127
/* Rounding is h = clamp(1.2 sigmoid(v) - 0.1), pushed to 0 and 1 by 1 - |2h - 1|^beta, beta falling. */
#define STRETCH		1.2f
#define SHIFT		0.1f
#define BETA_FIRST	20.0f
#define BETA_LAST	2.0f
#define WARM_UP		0.2f	/* share of the steps before it is pushed */
#define PUSH		10.0f	/* against the error, which is 1 a weight when rounded to nearest */

/**
 * struct learning - state of one layer
 * @p, @gradient: what is learned: weights, centroids or rounding, then the bias
 * @count, @weights: of @p without the bias; of the layer
 * @w: weights that @p stands for
 * @x, @y, @d: rows of a batch: inputs [groups][batch][taps], outputs, their gradient
 * @wg: gradient of the weights
 * @rows: that are learned from, the first ones
 * @best: [@weights], then the bias: those that had least error
 */
struct learning {
	const struct layer_data *data;
	struct reconstruct *r;
	size_t count, weights;
	float *p, *gradient;
	float *w, *wg, *b;
	float *x, *y, *d, *got, *best;
	size_t rows;
	uint32_t *order;
	bool learn_bias;
};

static float clampf(float v, float low, float high)
{
	return v < low ? low : v > high ? high : v;
}

static float rounding_of(float v)
{
	return clampf(STRETCH / (1 + expf(-v)) - SHIFT, 0, 1);
}

/* The step below what a weight was. */
static float floor_of(const struct learning *l, size_t i)
{
	return floorf(l->r->w[i] / l->r->scale[i / l->data->shape.taps]);
}

static size_t bias_count(const struct learning *l)
{
	return l->learn_bias ? l->data->shape.outputs : 0;
}

/* Weights and bias from what is learned. @hard: rounding to one side or the other. */
static void spread(struct learning *l, bool hard)
{
	const struct reconstruct *r = l->r;
	size_t taps = l->data->shape.taps;

	for (size_t i = 0; i < l->weights; i++) {
		if (r->kind == RECONSTRUCT_MASK) {
			l->w[i] = r->mask[i] ? l->p[i] : 0;
		} else if (r->kind == RECONSTRUCT_CLUSTER) {
			l->w[i] = l->p[r->cluster[i]];
		} else {
			float h = rounding_of(l->p[i]);
			float q = floor_of(l, i) + (hard ? (float)(h >= 0.5f) : h);

			l->w[i] = clampf(q, -WEIGHT_MAX, WEIGHT_MAX) * r->scale[i / taps];
		}
	}
	for (size_t o = 0; o < bias_count(l); o++)
		l->b[o] = l->p[l->count + o];
}

/* Gradient of what is learned from that of the weights and the bias. */
static void gather_gradient(struct learning *l, const float *bg)
{
	const struct reconstruct *r = l->r;
	size_t taps = l->data->shape.taps;

	memset(l->gradient, 0, l->count * sizeof(*l->gradient));
	for (size_t i = 0; i < l->weights; i++) {
		if (r->kind == RECONSTRUCT_MASK) {
			l->gradient[i] = r->mask[i] ? l->wg[i] : 0;
		} else if (r->kind == RECONSTRUCT_CLUSTER) {
			l->gradient[r->cluster[i]] += l->wg[i];
		} else {
			float s = 1 / (1 + expf(-l->p[i])), h = STRETCH * s - SHIFT;
			bool inside = h > 0 && h < 1;

			l->gradient[i] = inside ? l->wg[i] * r->scale[i / taps] * STRETCH * s * (1 - s) : 0;
		}
	}
	for (size_t o = 0; o < bias_count(l); o++)
		l->gradient[l->count + o] = bg[o];
}

/* Of |2h - 1|^beta, for each weight. */
static void push(struct learning *l, float beta, float strength)
{
	for (size_t i = 0; i < l->weights; i++) {
		float s = 1 / (1 + expf(-l->p[i])), h = STRETCH * s - SHIFT, t;

		if (h <= 0 || h >= 1)
			continue;
		t = 2 * h - 1;
		l->gradient[i] -= strength * 2 * beta * powf(fabsf(t), beta - 1) * (t > 0 ? 1.0f : -1.0f) *
				  STRETCH * s * (1 - s);
	}
}

/* One output a group: too little for a product of matrices. */
static void forward_narrow(const struct learning *l, const float *x, size_t rows, float *y)
{
	const struct layer_data *d = l->data;
	size_t taps = d->shape.taps, outputs = d->shape.outputs;

	for (size_t k = 0; k < d->groups; k++) {
		const float *w = l->w + k * taps;

		for (size_t r = 0; r < rows; r++, x += taps) {
			float sum = 0;

			for (size_t t = 0; t < taps; t++)
				sum += x[t] * w[t];
			y[r * outputs + k] = sum;
		}
	}
}

static void backward_narrow(struct learning *l, size_t rows)
{
	const struct layer_data *d = l->data;
	size_t taps = d->shape.taps, outputs = d->shape.outputs;
	const float *x = l->x;

	memset(l->wg, 0, l->weights * sizeof(*l->wg));
	for (size_t k = 0; k < d->groups; k++)
		for (size_t r = 0; r < rows; r++, x += taps)
			for (size_t t = 0; t < taps; t++)
				l->wg[k * taps + t] += l->d[r * outputs + k] * x[t];
}

static void forward(const struct learning *l, const float *x, size_t rows, float *y)
{
	const struct layer_data *d = l->data;
	size_t taps = d->shape.taps, outputs = d->shape.outputs, per = outputs / d->groups;

	if (per == 1)
		forward_narrow(l, x, rows, y);
	for (uint32_t k = 0; k < d->groups && per > 1; k++) {
		const struct gemm m = { .m = rows, .n = per, .k = taps, .b_turned = true, .lda = taps,
					.ldb = taps, .ldc = outputs };

		gemm(&m, x + k * rows * taps, l->w + k * per * taps, y + k * per);
	}
	for (size_t r = 0; r < rows; r++)
		for (size_t o = 0; o < outputs; o++)
			y[r * outputs + o] += l->b[o];
}

/* Mean square of the error with the weights as they are, on the rows held out, on all if there are none. */
static double error_of(struct learning *l)
{
	const struct layer_data *d = l->data;
	size_t from = l->rows < d->rows ? l->rows : 0, rows = d->rows - from;
	size_t n = rows * d->shape.outputs;
	const float *y = d->y + from * d->shape.outputs;
	double sum = 0;

	forward(l, d->x + from * d->shape.taps, rows, l->got);
	for (size_t i = 0; i < n; i++) {
		double e = (double)clampf(l->got[i], d->low, d->high) -
			   (double)clampf(y[i], d->low, d->high);

		sum += e * e;
	}
	return sum / (double)n;
}

static void take_batch(struct learning *l, const uint32_t *rows, size_t batch)
{
	const struct layer_data *d = l->data;
	size_t taps = d->shape.taps, outputs = d->shape.outputs;

	for (size_t b = 0; b < batch; b++) {
		for (uint32_t k = 0; k < d->groups; k++)
			memcpy(l->x + (k * batch + b) * taps, d->x + (k * d->rows + rows[b]) * taps,
			       taps * sizeof(*l->x));
		memcpy(l->y + b * outputs, d->y + rows[b] * outputs, outputs * sizeof(*l->y));
	}
}

/* Gradient of the mean square over a batch, times @scale. */
static void backward(struct learning *l, size_t batch, float scale)
{
	const struct layer_data *d = l->data;
	size_t taps = d->shape.taps, outputs = d->shape.outputs, per = outputs / d->groups;
	float *bg = l->wg + l->weights, factor = 2 * scale / (float)(batch * outputs);

	forward(l, l->x, batch, l->d);
	memset(bg, 0, outputs * sizeof(*bg));
	for (size_t r = 0; r < batch; r++) {
		for (size_t o = 0; o < outputs; o++) {
			size_t at = r * outputs + o;
			float got = l->d[at], e = clampf(got, d->low, d->high) -
						  clampf(l->y[at], d->low, d->high);

			l->d[at] = got > d->low && got < d->high ? factor * e : 0;
			bg[o] += l->d[at];
		}
	}
	if (per == 1)
		backward_narrow(l, batch);
	for (uint32_t k = 0; k < d->groups && per > 1; k++) {
		const struct gemm m = { .m = per, .n = taps, .k = batch, .a_turned = true, .lda = outputs,
					.ldb = taps, .ldc = taps };

		gemm(&m, l->d + k * per, l->x + k * batch * taps, l->wg + k * per * taps);
	}
	gather_gradient(l, bg);
}

static void shuffle(struct learning *l, uint64_t *random)
{
	for (size_t i = l->rows; i-- > 1;) {
		uint32_t k = optimiser_random(random, (uint32_t)i + 1), swap = l->order[i];

		l->order[i] = l->order[k];
		l->order[k] = swap;
	}
}

/* Written so that it holds for NaN as well: nothing was won. */
static void keep_best(struct learning *l)
{
	double error;

	spread(l, true);
	error = error_of(l);
	if (!(error < l->r->after))
		return;
	l->r->after = error;
	memcpy(l->best, l->w, l->weights * sizeof(*l->best));
	memcpy(l->best + l->weights, l->b, l->data->shape.outputs * sizeof(*l->best));
}

static int descend(struct learning *l, const struct optimiser_options *options, double unit)
{
	size_t rows = l->rows, batch = options->batch < rows ? options->batch : rows;
	size_t steps = rows / batch * options->epochs, step = 0;
	uint64_t random = options->seed * 0x9e3779b97f4a7c15ull + 1;
	bool round = l->r->kind == RECONSTRUCT_ROUND;
	/* Errors are counted so that learning rates mean the same for every layer. */
	float scale = unit > 0 ? (float)((round ? (double)l->weights : 1) / unit) : 1;
	struct optimiser o;

	if (optimiser_init(&o, options, l->count + bias_count(l)))
		return -ENOMEM;
	for (uint32_t epoch = 0; epoch < options->epochs; epoch++) {
		shuffle(l, &random);
		for (size_t at = 0; at + batch <= rows; at += batch, step++) {
			float done = (float)step / (float)steps, late = (done - WARM_UP) / (1 - WARM_UP);

			spread(l, false);
			take_batch(l, l->order + at, batch);
			backward(l, batch, scale);
			if (round && late > 0)
				push(l, BETA_LAST + (BETA_FIRST - BETA_LAST) * 0.5f *
				     (1 + cosf((float)M_PI * late)), PUSH);
			optimiser_step(&o, l->p, l->gradient);
		}
		if (l->r->held_out)
			keep_best(l);
	}
	optimiser_free(&o);
	return 0;
}

/* What is learned, from the weights as they are. */
static void begin(struct learning *l)
{
	const struct reconstruct *r = l->r;
	uint32_t *members = l->order;	/* has room, and is not needed yet */
	size_t taps = l->data->shape.taps;

	if (r->kind == RECONSTRUCT_CLUSTER) {
		/* The mean of each cluster's weights. */
		memset(members, 0, r->clusters * sizeof(*members));
		for (size_t i = 0; i < l->weights; i++) {
			l->p[r->cluster[i]] += r->w[i];
			members[r->cluster[i]]++;
		}
		for (uint32_t c = 0; c < r->clusters; c++)
			l->p[c] /= members[c] ? (float)members[c] : 1;
	}
	for (size_t i = 0; i < l->weights && r->kind != RECONSTRUCT_CLUSTER; i++) {
		float rest = r->kind == RECONSTRUCT_ROUND ?
			     r->w[i] / r->scale[i / taps] - floor_of(l, i) : 0;

		/* The rounding that leaves the weight as it is. */
		l->p[i] = r->kind == RECONSTRUCT_MASK ? r->w[i] :
			  -logf(STRETCH / (clampf(rest, 0.001f, 0.999f) + SHIFT) - 1);
	}
	for (size_t o = 0; o < bias_count(l); o++)
		l->p[l->count + o] = r->bias[o];
	for (size_t i = 0; i < l->data->rows; i++)
		l->order[i] = (uint32_t)i;
}

static int make_learning(struct learning *l, const struct layer_data *data, struct reconstruct *r,
			 size_t batch)
{
	size_t outputs = data->shape.outputs, taps = data->shape.taps;
	size_t orders = data->rows > r->clusters ? data->rows : r->clusters;

	*l = (struct learning){ .data = data, .r = r, .weights = outputs * taps,
				.rows = data->rows - r->held_out };
	l->count = r->kind == RECONSTRUCT_CLUSTER ? r->clusters : l->weights;
	l->learn_bias = r->bias && r->kind != RECONSTRUCT_ROUND;
	l->p = calloc(l->count + outputs, sizeof(*l->p));
	l->gradient = calloc(l->count + outputs, sizeof(*l->gradient));
	l->w = calloc(l->weights, sizeof(*l->w));
	l->wg = calloc(l->weights + outputs, sizeof(*l->wg));
	l->b = calloc(outputs, sizeof(*l->b));
	l->x = calloc(data->groups * batch * taps, sizeof(*l->x));
	l->y = calloc(batch * outputs, sizeof(*l->y));
	l->d = calloc(batch * outputs, sizeof(*l->d));
	l->got = calloc(data->rows * outputs, sizeof(*l->got));
	l->best = calloc(l->weights + outputs, sizeof(*l->best));
	l->order = calloc(orders + 1, sizeof(*l->order));
	return l->best && l->p && l->gradient && l->w && l->wg && l->b && l->x && l->y && l->d && l->got &&
	       l->order ? 0 : -ENOMEM;
}

static void free_learning(struct learning *l)
{
	free(l->p);
	free(l->gradient);
	free(l->w);
	free(l->wg);
	free(l->b);
	free(l->x);
	free(l->y);
	free(l->d);
	free(l->got);
	free(l->best);
	free(l->order);
}

/* Rounding to the nearest, in place of what is learned. */
static void round_nearest(struct learning *l)
{
	for (size_t i = 0; i < l->weights; i++) {
		float scale = l->r->scale[i / l->data->shape.taps];

		l->w[i] = clampf(roundf(l->r->w[i] / scale), -WEIGHT_MAX, WEIGHT_MAX) * scale;
	}
}

static void give_result(struct learning *l)
{
	struct reconstruct *r = l->r;
	size_t taps = l->data->shape.taps;

	for (size_t i = 0; i < l->weights && r->kind == RECONSTRUCT_ROUND; i++)
		r->rounded[i] = (int8_t)lrintf(l->w[i] / r->scale[i / taps]);
	memcpy(r->w, l->w, l->weights * sizeof(*r->w));
	if (l->learn_bias)
		memcpy(r->bias, l->b, l->data->shape.outputs * sizeof(*r->bias));
}

int reconstruct(const struct layer_data *data, struct reconstruct *r,
		const struct optimiser_options *options, struct error *err)
{
	size_t outputs = data->shape.outputs, batch = options->batch < data->rows ? options->batch :
							data->rows;
	struct learning l;
	int rc = blas_load(err);

	if (rc)
		return rc;
	rc = make_learning(&l, data, r, batch);
	if (rc)
		goto out;
	begin(&l);
	if (r->bias)
		memcpy(l.b, r->bias, outputs * sizeof(*l.b));
	if (r->kind == RECONSTRUCT_ROUND)
		round_nearest(&l);
	else
		spread(&l, true);
	memcpy(l.best, l.w, l.weights * sizeof(*l.best));
	memcpy(l.best + l.weights, l.b, outputs * sizeof(*l.best));
	r->before = r->after = error_of(&l);
	if (r->before > 0 && l.rows)
		rc = descend(&l, options, r->before);
	if (rc)
		goto out;
	keep_best(&l);
	memcpy(l.w, l.best, l.weights * sizeof(*l.w));
	memcpy(l.b, l.best + l.weights, outputs * sizeof(*l.b));
	give_result(&l);
out:
	free_learning(&l);
	return rc ? error_set(err, rc, "out of memory") : 0;
}
