/* SPDX-License-Identifier: MIT */
/*
 * Second moments over samples. Both graphs run sample by sample; when one has computed what a layer
 * reads, some of the rows that the layer multiplies by its weights are kept until there are enough of
 * them for a product of matrices.
 */
#include "runtime/compress/moments.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/float/blas.h"

#define POSITIONS	96u	/* of a sample's map */
#define ROWS		512u	/* at a time */
#define STOP		1	/* the run need not go on */

/**
 * struct gather - a layer's rows on their way
 * @layer: of either graph: [0] the original
 * @original, @changed: [ROWS][full], [ROWS][n]
 * @count: rows of both, but for those of the sample that is running
 * @product: [full][n]
 */
struct gather {
	const struct layer *layer[2];
	struct moments *m;
	float *original, *changed, *product;
	size_t count;
};

/**
 * struct run - one of the graphs
 * @seen: layers whose input came by in this run
 */
struct run {
	struct cpu_graph *c;
	const struct ir_graph *g;
	bool is_original;
	struct gather *gathers;
	uint32_t count, seen;
	uint64_t state;
};

void moments_free(struct moments *m)
{
	free(m->own);
	free(m->cross);
	memset(m, 0, sizeof(*m));
}

/* @left, @top: means of the inputs that rows and columns stand for, @step and 1 apart. */
static void shrink(double *sums, size_t n, const double *left, size_t step, const double *top, double keep)
{
	for (size_t i = 0; i + 1 < n; i++)
		for (size_t k = 0; k + 1 < n; k++) {
			double level = left[i * step] * top[k];

			if (i != k)
				sums[i * n + k] = level + keep * (sums[i * n + k] - level);
		}
}

/*
 * How much of the covariances is chance: the sum of their variances, as those of normal values would be,
 * against the sum of their squares (Schäfer and Strimmer's estimate).
 */
static double chance(const struct moments *m)
{
	size_t n = m->n, last = n - 1;
	const double *mean = m->own + last * n;
	double noise = 0, all = 0;

	for (size_t i = 0; i < last; i++)
		for (size_t k = 0; k < i; k++) {
			double own_i = m->own[i * n + i] - mean[i] * mean[i];
			double own_k = m->own[k * n + k] - mean[k] * mean[k];
			double both = m->own[i * n + k] - mean[i] * mean[k];

			noise += own_i * own_k + both * both;
			all += both * both;
		}
	noise /= (double)(m->rows ? m->rows : 1);
	return all > noise ? noise / all : 1;
}

void moments_shrink(struct moments *m)
{
	size_t n = m->n, last = n - 1;
	double keep = 1 - chance(m);

	if (m->full != n)
		return;
	/* The last input is always 1, so that its row and its column are means. */
	shrink(m->own, n, m->own + last, n, m->own + last * n, keep);
	shrink(m->cross, n, m->cross + last, n, m->cross + last * n, keep);
}

static size_t positions_of(const struct layer *l)
{
	return l->rows < POSITIONS ? (size_t)l->rows : POSITIONS;
}

/* One position of each of as many equal parts of the map; both graphs draw alike. */
static uint64_t draw(const struct layer *l, size_t i, uint64_t *state)
{
	size_t parts = positions_of(l);
	uint64_t from = i * l->rows / parts, to = (i + 1) * l->rows / parts;

	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return from + (*state >> 33) % (to - from);
}

static void take_rows(struct run *r, struct gather *g, const float *data)
{
	const struct layer *l = g->layer[!r->is_original];
	size_t n = (size_t)l->taps + 1;
	float *to = (r->is_original ? g->original : g->changed) + g->count * n;

	for (size_t i = 0; i < positions_of(l); i++, to += n) {
		layer_row(l, data, draw(l, i, &r->state), to);
		to[l->taps] = 1;
	}
}

static int seen(void *ctx, uint32_t tensor, const void *data)
{
	struct run *r = ctx;

	for (uint32_t i = 0; i < r->count; i++)
		if (r->gathers[i].layer[!r->is_original]->input == tensor) {
			take_rows(r, &r->gathers[i], data);
			r->seen++;
		}
	return r->seen == r->count ? STOP : 0;
}

static void add(struct gather *g, const float *a, size_t rows, double *sum)
{
	size_t n = g->m->n;
	const struct gemm product = { .m = rows, .n = n, .k = g->count, .a_turned = true,
				      .lda = rows, .ldb = n, .ldc = n };

	gemm(&product, a, g->changed, g->product);
	for (size_t i = 0; i < rows * n; i++)
		sum[i] += (double)g->product[i];
}

static void flush(struct gather *g)
{
	if (!g->count)
		return;
	add(g, g->changed, g->m->n, g->m->own);
	add(g, g->original, g->m->full, g->m->cross);
	g->m->rows += g->count;
	g->count = 0;
}

static int gather_init(struct gather *g, const struct layer *original, const struct layer *changed,
		       struct moments *m, struct error *err)
{
	size_t n = (size_t)changed->taps + 1, full = (size_t)original->taps + 1;

	*m = (struct moments){ .n = n, .full = full };
	m->own = calloc(n * n, sizeof(*m->own));
	m->cross = calloc(full * n, sizeof(*m->cross));
	*g = (struct gather){ .layer = { original, changed }, .m = m };
	g->original = calloc(ROWS * full, sizeof(*g->original));
	g->changed = calloc(ROWS * n, sizeof(*g->changed));
	g->product = calloc((full > n ? full : n) * n, sizeof(*g->product));
	if (!m->own || !m->cross || !g->original || !g->changed || !g->product)
		return error_set(err, -ENOMEM, "out of memory");
	return 0;
}

static void gather_free(struct gather *g)
{
	free(g->original);
	free(g->changed);
	free(g->product);
}

/* A sample in the inputs of a graph. */
static int load(const struct run *r, float *const *values, struct error *err)
{
	for (uint32_t i = 0; i < r->g->input_count; i++) {
		const struct ir_tensor *t = &r->g->tensors[r->g->inputs[i]];

		if (t->type != ELEM_FLOAT32)
			return error_set(err, -EINVAL, "input %s is not of float32", t->name);
		memcpy(cpu_graph_tensor(r->c, r->g->inputs[i]), values[i], ir_tensor_bytes(t));
	}
	return 0;
}

static int run(struct run *r, float *const *values, uint64_t state, struct error *err)
{
	int rc = load(r, values, err);

	if (rc)
		return rc;
	r->seen = 0;
	r->state = state;
	cpu_graph_reset(r->c);
	rc = cpu_graph_run(r->c, err);
	return rc == STOP ? 0 : rc;
}

static int run_sample(struct run runs[2], struct samples *samples, size_t index,
		      float *const *values, struct error *err)
{
	int rc = samples_get(samples, index, values, NULL, err);

	for (unsigned int k = 0; k < 2 && !rc; k++)
		rc = run(&runs[k], values, index, err);
	for (uint32_t i = 0; i < runs[0].count && !rc; i++) {
		struct gather *g = &runs[0].gathers[i];

		g->count += positions_of(g->layer[0]);
		if (g->count + positions_of(g->layer[0]) > ROWS)
			flush(g);
	}
	return rc;
}

/* Return: false: there is one that is not finite. */
static bool scale(double *sums, size_t n, double rows)
{
	bool finite = true;

	for (size_t i = 0; i < n; i++) {
		sums[i] /= rows;
		finite &= isfinite(sums[i]) != 0;
	}
	return finite;
}

static int finish(struct gather *g, struct error *err)
{
	struct moments *m = g->m;

	flush(g);
	if (!scale(m->own, m->n * m->n, (double)m->rows) ||
	    !scale(m->cross, m->full * m->n, (double)m->rows))
		return error_set(err, -EINVAL, "the samples give values that are not finite");
	return 0;
}

static size_t wanted(const struct moments_source *s)
{
	size_t available = samples_count(s->samples);

	return s->count && s->count < available ? s->count : available;
}

size_t moments_samples(const struct moments_source *s)
{
	size_t count = wanted(s);

	return s->held_out ? count - (count + s->held_out - 1) / s->held_out : count;
}

size_t moments_sample(const struct moments_source *s, size_t index)
{
	if (s->held_out)
		index += index / (s->held_out - 1) + 1;
	return index * samples_count(s->samples) / wanted(s);
}

static int run_all(const struct moments_source *s, struct run runs[2], float *const *values,
		   struct error *err)
{
	size_t count = moments_samples(s);
	int rc = count ? 0 : error_set(err, -EINVAL, "too few samples: some must be held out");

	for (size_t i = 0; i < count && !rc; i++) {
		rc = run_sample(runs, s->samples, moments_sample(s, i), values, err);
		if (!rc && s->progress)
			s->progress(s->ctx, i + 1, count);
	}
	for (uint32_t i = 0; i < runs[0].count && !rc; i++)
		rc = finish(&runs[0].gathers[i], err);
	return rc;
}

int moments_gather(const struct moments_source *s, const struct layer *originals,
		   const struct layer *layers, uint32_t count, struct moments *out,
		   struct error *err)
{
	struct gather *gathers = calloc((size_t)count + 1, sizeof(*gathers));
	struct run runs[2] = { { .g = s->original, .is_original = true }, { .g = s->changed } };
	float **values = calloc((size_t)s->original->input_count + 1, sizeof(*values));
	int rc = gathers && values ? blas_load(err) : error_set(err, -ENOMEM, "out of memory");

	memset(out, 0, count * sizeof(*out));
	for (uint32_t i = 0; i < count && !rc; i++)
		rc = gather_init(&gathers[i], &originals[i], &layers[i], &out[i], err);
	for (uint32_t i = 0; i < s->original->input_count && !rc; i++) {
		const struct ir_tensor *t = &s->original->tensors[s->original->inputs[i]];

		values[i] = calloc(ir_tensor_elements(t), sizeof(float));
		if (!values[i])
			rc = error_set(err, -ENOMEM, "out of memory");
	}
	for (unsigned int k = 0; k < 2 && !rc; k++) {
		runs[k].gathers = gathers;
		runs[k].count = count;
		rc = cpu_graph_create(runs[k].g, &runs[k].c, err);
		if (rc)
			runs[k].c = NULL;
		else
			cpu_graph_observe(runs[k].c, seen, &runs[k]);
	}
	if (!rc && count)
		rc = run_all(s, runs, values, err);
	for (unsigned int k = 0; k < 2; k++)
		cpu_graph_free(runs[k].c);
	for (uint32_t i = 0; gathers && i < count; i++)
		gather_free(&gathers[i]);
	for (uint32_t i = 0; values && i < s->original->input_count; i++)
		free(values[i]);
	free(values);
	free(gathers);
	return rc;
}
