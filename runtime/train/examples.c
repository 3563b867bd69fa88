/* SPDX-License-Identifier: MIT */
/* Samples in memory, and changed: flipped, moved, brighter, mixed. */
#include "runtime/train/examples.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/quantise/optimiser.h"

#define MEMORY		(UINT64_C(1) << 29)	/* bytes of samples that are kept */
#define SCALE_LOW	0.75f			/* of a picture that is moved */
#define SCALE_HIGH	1.2f
#define MOVE		0.12f			/* of its height and width */
#define CONTRAST	0.25f
#define LEVEL		0.1f			/* of the range */

static struct picture picture_of(const struct ir_tensor *t)
{
	const int32_t *s = t->shape;
	struct picture p = { 0 };

	if (t->ndim != 4 || s[0] != 1)
		return p;
	if (s[3] == 1 || s[3] == 3 || s[3] == 4)
		p = (struct picture){ .channels = s[3], .height = s[1], .width = s[2], .step = 1,
				      .row = (size_t)s[2] * (size_t)s[3], .column = (size_t)s[3] };
	else if (s[1] == 1 || s[1] == 3 || s[1] == 4)
		p = (struct picture){ .channels = s[1], .height = s[2], .width = s[3], .column = 1,
				      .row = (size_t)s[3], .step = (size_t)s[2] * (size_t)s[3] };
	return p;
}

static int describe(struct examples *e, const struct ir_graph *g, struct error *err)
{
	for (uint32_t i = 0; i < g->input_count; i++) {
		const struct ir_tensor *t = &g->tensors[g->inputs[i]];

		if (t->type != ELEM_FLOAT32)
			return error_set(err, -EINVAL, "input %s is not of float32", t->name);
		e->sizes[i] = ir_tensor_elements(t);
		e->size += e->sizes[i];
		e->pictures[i] = picture_of(t);
		e->low[i] = INFINITY;
		e->high[i] = -INFINITY;
	}
	e->other = malloc((e->size + 1) * sizeof(*e->other));
	return e->other ? 0 : error_set(err, -ENOMEM, "out of memory");
}

static int read_sample(struct examples *e, size_t index, float *out, struct error *err)
{
	size_t available = samples_count(e->samples);

	for (uint32_t i = 0; i < e->inputs; i++) {
		e->at[i] = out;
		out += e->sizes[i];
	}
	return samples_get(e->samples, index * available / e->count, e->at, NULL, err);
}

static void see_range(struct examples *e, const float *values)
{
	for (uint32_t i = 0; i < e->inputs; values += e->sizes[i++])
		for (size_t k = 0; k < e->sizes[i]; k++) {
			e->low[i] = fminf(e->low[i], values[k]);
			e->high[i] = fmaxf(e->high[i], values[k]);
		}
}

static int keep_all(struct examples *e, struct error *err)
{
	int rc = 0;

	e->kept = calloc(e->count + 1, sizeof(*e->kept));
	if (!e->kept)
		return error_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < e->count && !rc; i++) {
		float *to = malloc((e->size + 1) * sizeof(*to));

		if (!to)
			return error_set(err, -ENOMEM, "out of memory");
		rc = read_sample(e, i, to, err);
		e->kept[i] = to;
		if (!rc)
			see_range(e, to);
	}
	return rc;
}

int examples_init(struct examples *e, const struct ir_graph *g, struct samples *samples, size_t count,
		  unsigned int augment, uint64_t random, struct error *err)
{
	size_t available = samples_count(samples);
	int rc;

	*e = (struct examples){ .samples = samples, .augment = augment, .random = random,
				.inputs = g->input_count,
				.count = count && count < available ? count : available };
	e->sizes = calloc((size_t)e->inputs + 1, sizeof(*e->sizes));
	e->pictures = calloc((size_t)e->inputs + 1, sizeof(*e->pictures));
	e->at = calloc((size_t)e->inputs + 1, sizeof(*e->at));
	e->low = calloc((size_t)e->inputs + 1, sizeof(*e->low));
	e->high = calloc((size_t)e->inputs + 1, sizeof(*e->high));
	if (!e->sizes || !e->pictures || !e->at || !e->low || !e->high)
		return error_set(err, -ENOMEM, "out of memory");
	rc = describe(e, g, err);
	if (!rc && (uint64_t)e->size * e->count <= MEMORY / sizeof(float))
		rc = keep_all(e, err);
	return rc;
}

void examples_free(struct examples *e)
{
	for (size_t i = 0; e->kept && i < e->count; i++)
		free(e->kept[i]);
	free(e->kept);
	free(e->other);
	free(e->sizes);
	free(e->pictures);
	free(e->at);
	free(e->low);
	free(e->high);
	memset(e, 0, sizeof(*e));
}

int examples_get(struct examples *e, size_t index, float *out, struct error *err)
{
	int rc;

	if (e->kept) {
		memcpy(out, e->kept[index], e->size * sizeof(*out));
		return 0;
	}
	rc = read_sample(e, index, out, err);
	if (!rc)
		see_range(e, out);
	return rc;
}

/* ---- changes ---- */

static float uniform(struct examples *e, float low, float high)
{
	return low + (high - low) * (float)optimiser_random(&e->random, 1u << 24) / (float)(1u << 24);
}

/* Between the four elements round a place; beyond the edges the edge goes on. */
static float sample_at(const struct picture *p, const float *from, float y, float x)
{
	float y0, x0, fy, fx;
	size_t above, below, left, right;

	y = fminf(fmaxf(y, 0), (float)(p->height - 1));
	x = fminf(fmaxf(x, 0), (float)(p->width - 1));
	y0 = floorf(y);
	x0 = floorf(x);
	fy = y - y0;
	fx = x - x0;
	above = (size_t)y0 * p->row;
	below = y0 + 1 < (float)p->height ? above + p->row : above;
	left = (size_t)x0 * p->column;
	right = x0 + 1 < (float)p->width ? left + p->column : left;
	return (1 - fy) * ((1 - fx) * from[above + left] + fx * from[above + right]) +
	       fy * ((1 - fx) * from[below + left] + fx * from[below + right]);
}

/* @scratch: as large as the picture */
static void move(struct examples *e, const struct picture *p, float *values, float *scratch)
{
	bool flip = e->augment & AUGMENT_FLIP && optimiser_random(&e->random, 2);
	bool shift = e->augment & AUGMENT_SHIFT;
	float scale = shift ? 1 / uniform(e, SCALE_LOW, SCALE_HIGH) : 1;
	float cy = 0.5f * (float)(p->height - 1), cx = 0.5f * (float)(p->width - 1);
	float dy = shift ? uniform(e, -MOVE, MOVE) * (float)p->height : 0;
	float dx = shift ? uniform(e, -MOVE, MOVE) * (float)p->width : 0;
	size_t n = (size_t)p->channels * (size_t)p->height * (size_t)p->width;

	if (!flip && !shift)
		return;
	memcpy(scratch, values, n * sizeof(*scratch));
	for (int32_t c = 0; c < p->channels; c++)
		for (int32_t y = 0; y < p->height; y++)
			for (int32_t x = 0; x < p->width; x++) {
				float across = ((float)x - cx) * (flip ? -scale : scale);
				float down = ((float)y - cy) * scale;

				values[(size_t)c * p->step + (size_t)y * p->row + (size_t)x * p->column] =
					sample_at(p, scratch + (size_t)c * p->step, cy + down + dy,
						  cx + across + dx);
			}
}

static void recolour(struct examples *e, uint32_t input, float *values)
{
	const struct picture *p = &e->pictures[input];
	float low = e->low[input], high = e->high[input], middle = 0.5f * (low + high);
	float contrast = uniform(e, 1 - CONTRAST, 1 + CONTRAST);
	float level = uniform(e, -LEVEL, LEVEL) * (high - low);

	for (int32_t c = 0; c < p->channels; c++) {
		float gain = contrast * uniform(e, 1 - CONTRAST / 2, 1 + CONTRAST / 2);

		for (int32_t y = 0; y < p->height; y++)
			for (int32_t x = 0; x < p->width; x++) {
				float *v = &values[(size_t)c * p->step + (size_t)y * p->row +
						   (size_t)x * p->column];

				*v = fminf(fmaxf(middle + gain * (*v - middle) + level, low), high);
			}
	}
}

int examples_draw(struct examples *e, size_t index, size_t with, float *out, struct error *err)
{
	int rc = examples_get(e, index, out, err);

	if (!rc && e->augment & AUGMENT_MIX && optimiser_random(&e->random, 2)) {
		float share = uniform(e, 0, 0.5f);

		rc = examples_get(e, with, e->other, err);
		for (size_t i = 0; i < e->size && !rc; i++)
			out[i] += share * (e->other[i] - out[i]);
	}
	for (uint32_t i = 0; i < e->inputs && !rc; out += e->sizes[i++]) {
		if (!e->pictures[i].channels)
			continue;
		move(e, &e->pictures[i], out, e->other);
		if (e->augment & AUGMENT_COLOUR)
			recolour(e, i, out);
	}
	return rc;
}
