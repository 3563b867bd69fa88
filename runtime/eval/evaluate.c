/* SPDX-License-Identifier: MIT */
/*
 * Models on the same samples: a block of samples is prepared, then each model runs on it, then its
 * outputs are counted.
 */
#include "runtime/eval/evaluate.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/samples/array.h"

#define BLOCK_MAX	64		/* samples */
#define BLOCK_NUMBERS	(1u << 24)	/* of all inputs of a block, about */

/**
 * struct block - samples on their way
 * @size: samples it holds, @first, @count: those in it now
 * @inputs: [column][sample][input]; shared by columns that share samples
 * @outputs: [column][sample][output], as the model gives them
 * @labels: of each sample
 * @real, @wanted: room for the largest output
 */
struct block {
	size_t size, first, count;
	float ****inputs;
	void ****outputs;
	int *labels;
	float *real, *wanted;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- memory ---- */

static void free_rows(void ***rows, size_t count, uint32_t each)
{
	for (size_t i = 0; rows && i < count; i++) {
		for (uint32_t k = 0; rows[i] && k < each; k++)
			free(rows[i][k]);
		free(rows[i]);
	}
	free(rows);
}

/* Room for the tensors of each of @count samples; NULL: no memory. */
static void ***make_rows(const struct engine_tensor *t, uint32_t each, size_t count, bool real)
{
	void ***rows = calloc(count, sizeof(*rows));

	for (size_t i = 0; rows && i < count; i++) {
		rows[i] = calloc(each + 1, sizeof(**rows));
		for (uint32_t k = 0; rows[i] && k < each; k++) {
			rows[i][k] = calloc(1, real ? t[k].elements * sizeof(float) : t[k].size + 8);
			if (!rows[i][k]) {
				free_rows(rows, count, each);
				return NULL;
			}
		}
		if (!rows[i]) {
			free_rows(rows, count, each);
			return NULL;
		}
	}
	return rows;
}

static void block_free(const struct evaluation *e, struct block *b)
{
	for (unsigned int c = 0; c < e->column_count; c++) {
		uint32_t inputs, outputs;

		engine_inputs(e->columns[c].engine, &inputs);
		engine_outputs(e->columns[c].engine, &outputs);
		if (b->inputs && !e->columns[c].shared)
			free_rows((void ***)b->inputs[c], b->size, inputs);
		if (b->outputs)
			free_rows(b->outputs[c], b->size, outputs);
	}
	free(b->inputs);
	free(b->outputs);
	free(b->labels);
	free(b->real);
	free(b->wanted);
}

/* The first column whose samples a column has. */
static unsigned int owner(const struct evaluation *e, unsigned int column)
{
	unsigned int c = 0;

	while (e->columns[c].samples != e->columns[column].samples)
		c++;
	return c;
}

static int block_make(const struct evaluation *e, struct block *b, struct error *err)
{
	size_t numbers = 1, largest = 1;

	*b = (struct block){ 0 };
	for (unsigned int c = 0; c < e->column_count; c++) {
		uint32_t inputs, outputs;
		const struct engine_tensor *in = engine_inputs(e->columns[c].engine, &inputs);
		const struct engine_tensor *out = engine_outputs(e->columns[c].engine, &outputs);

		for (uint32_t i = 0; i < inputs; i++)
			numbers += in[i].elements;
		for (uint32_t i = 0; i < outputs; i++) {
			numbers += out[i].elements;
			largest = out[i].elements > largest ? out[i].elements : largest;
		}
	}
	b->size = BLOCK_NUMBERS / numbers;
	b->size = b->size > BLOCK_MAX ? BLOCK_MAX : b->size ? b->size : 1;
	b->inputs = calloc(e->column_count, sizeof(*b->inputs));
	b->outputs = calloc(e->column_count, sizeof(*b->outputs));
	b->labels = calloc(b->size, sizeof(*b->labels));
	b->real = calloc(largest, sizeof(*b->real));
	b->wanted = calloc(largest, sizeof(*b->wanted));
	if (!b->inputs || !b->outputs || !b->labels || !b->real || !b->wanted)
		goto fail;
	for (unsigned int c = 0; c < e->column_count; c++) {
		uint32_t inputs, outputs;
		const struct engine_tensor *in = engine_inputs(e->columns[c].engine, &inputs);
		const struct engine_tensor *out = engine_outputs(e->columns[c].engine, &outputs);

		b->outputs[c] = make_rows(out, outputs, b->size, false);
		b->inputs[c] = e->columns[c].shared ? b->inputs[owner(e, c)] :
						      (float ***)make_rows(in, inputs, b->size, true);
		if (!b->outputs[c] || !b->inputs[c])
			goto fail;
	}
	return 0;
fail:
	block_free(e, b);
	return error_set(err, -ENOMEM, "out of memory");
}

/* ---- running ---- */

/* What one thread does: every so manieth sample of the block. */
struct lane {
	pthread_t thread;
	struct engine *engine;
	unsigned int lane, lanes;
	const struct block *block;
	float ***inputs;
	void ***outputs;
	int rc;
	struct error err;
};

static void *run_lane(void *arg)
{
	struct lane *l = arg;

	for (size_t i = l->lane; i < l->block->count && !l->rc; i += l->lanes)
		l->rc = engine_run(l->engine, l->lane, (const float *const *)l->inputs[i],
				   l->outputs[i], &l->err);
	return NULL;
}

static int run_column(struct column *column, const struct block *b, unsigned int c,
		      struct error *err)
{
	unsigned int lanes = engine_lanes(column->engine), started;
	struct lane *l = calloc(lanes, sizeof(*l));
	double start = now();
	int rc = 0;

	if (!l)
		return error_set(err, -ENOMEM, "out of memory");
	for (unsigned int i = 0; i < lanes; i++)
		l[i] = (struct lane){ .engine = column->engine, .lane = i, .lanes = lanes,
				      .block = b, .inputs = b->inputs[c], .outputs = b->outputs[c] };
	/* The first lane is this thread's. */
	for (started = 1; started < lanes; started++)
		if (pthread_create(&l[started].thread, NULL, run_lane, &l[started]))
			break;
	run_lane(&l[0]);
	for (unsigned int i = started; i < lanes; i++)
		run_lane(&l[i]);
	for (unsigned int i = 1; i < started; i++)
		pthread_join(l[i].thread, NULL);
	for (unsigned int i = 0; i < lanes && !rc; i++)
		if (l[i].rc) {
			rc = l[i].rc;
			*err = l[i].err;
		}
	free(l);
	column->seconds += now() - start;
	return rc;
}

static int load(const struct evaluation *e, struct block *b, struct error *err)
{
	for (unsigned int c = 0; c < e->column_count; c++)
		for (size_t i = 0; i < b->count && !e->columns[c].shared; i++) {
			struct samples *s = e->columns[c].samples;
			int rc = samples_get(s, b->first + i, b->inputs[c][i], &b->labels[i], err);

			if (rc)
				return rc;
			if (e->classes && (b->labels[i] < 0 || b->labels[i] >= (int)e->classes))
				return error_set(err, -EINVAL, "%s has no class",
						 samples_name(s, b->first + i));
		}
	return 0;
}

/* ---- counting ---- */

bool evaluation_compares(const struct evaluation *e, unsigned int column)
{
	return e->targets || (e->has_float && column > 0);
}

static void compare(struct evaluation *e, const struct block *b, unsigned int c, size_t i)
{
	uint32_t count;
	const struct engine_tensor *out = engine_outputs(e->columns[c].engine, &count);

	for (uint32_t o = 0; o < count; o++) {
		if (e->targets) {
			size_t first = (b->first + i) * out[o].elements;

			for (size_t k = 0; k < out[o].elements; k++)
				b->wanted[k] = (float)npy_element(&e->targets[o], first + k);
		} else {
			uint32_t n;

			engine_dequantise(&engine_outputs(e->columns[0].engine, &n)[o],
					  b->outputs[0][i][o], b->wanted);
		}
		engine_dequantise(&out[o], b->outputs[c][i][o], b->real);
		likeness_add(&e->columns[c].likeness[o], b->wanted, b->real, out[o].elements);
	}
}

static bool same_outputs(const struct engine_tensor *t, uint32_t count, void *const *a,
			 void *const *b)
{
	for (uint32_t o = 0; o < count; o++)
		if (memcmp(a[o], b[o], t[o].size))
			return false;
	return true;
}

static void count_column(struct evaluation *e, const struct block *b, unsigned int c)
{
	struct column *column = &e->columns[c];
	uint32_t count;
	const struct engine_tensor *out = engine_outputs(column->engine, &count);

	for (size_t i = 0; i < b->count; i++) {
		unsigned int answer = 0;

		if (e->classes) {
			engine_dequantise(&out[0], b->outputs[c][i][0], b->real);
			answer = score_add(&column->score, b->real, out[0].elements,
					   (unsigned int)b->labels[i]);
		}
		if (evaluation_compares(e, c))
			compare(e, b, c, i);
		if (column->twin < 0)
			continue;
		column->identical += same_outputs(out, count, b->outputs[c][i],
						  b->outputs[column->twin][i]);
		if (e->classes) {
			engine_dequantise(&out[0], b->outputs[column->twin][i][0], b->real);
			column->same_answer += answer == score_answer(&column->score, b->real,
							    out[0].elements);
		}
	}
}

/* ---- do they fit together? ---- */

static int check_classes(const struct evaluation *e, const struct column *c, struct error *err)
{
	uint32_t count;
	const struct engine_tensor *out = engine_outputs(c->engine, &count);
	size_t n = out[0].elements, answers = n == 1 || !isnan(e->threshold) ? 2 : n;

	if (answers < e->classes)
		return error_set(err, -EINVAL, "%s: %zu outputs for %u classes",
				 engine_path(c->engine), n, e->classes);
	return 0;
}

/* The outputs of a column against those of another. */
static int check_outputs(const struct column *a, const struct column *b, struct error *err)
{
	uint32_t n, m;
	const struct engine_tensor *x = engine_outputs(a->engine, &n);
	const struct engine_tensor *y = engine_outputs(b->engine, &m);

	if (n != m)
		return error_set(err, -EINVAL, "%s has %u outputs, %s %u", engine_path(a->engine), n,
				 engine_path(b->engine), m);
	for (uint32_t i = 0; i < n; i++)
		if (x[i].elements != y[i].elements)
			return error_set(err, -EINVAL, "output %u of %s has %zu elements, of %s %zu", i,
					 engine_path(a->engine), x[i].elements,
					 engine_path(b->engine), y[i].elements);
	return 0;
}

static int check_targets(const struct evaluation *e, const struct column *c, struct error *err)
{
	uint32_t count;
	const struct engine_tensor *out = engine_outputs(c->engine, &count);

	if (count != e->target_count)
		return error_set(err, -EINVAL, "%s: %u outputs, %u targets", engine_path(c->engine),
				 count, e->target_count);
	for (uint32_t i = 0; i < count; i++) {
		size_t n = e->targets[i].size / elem_size(e->targets[i].type);

		if (!e->targets[i].ndim || (size_t)e->targets[i].shape[0] < e->count ||
		    n / (size_t)e->targets[i].shape[0] != out[i].elements)
			return error_set(err, -EINVAL,
					 "target %u has not %zu samples of %zu elements, as output %s of %s",
					 i, e->count, out[i].elements, out[i].info.name,
					 engine_path(c->engine));
	}
	return 0;
}

static int prepare(struct evaluation *e, struct error *err)
{
	for (unsigned int c = 0; c < e->column_count; c++) {
		struct column *column = &e->columns[c];
		uint32_t count;
		const struct engine_tensor *out = engine_outputs(column->engine, &count);
		int rc = 0;

		column->likeness = calloc(count + 1, sizeof(*column->likeness));
		if (!column->likeness)
			return error_set(err, -ENOMEM, "out of memory");
		if (e->classes)
			rc = check_classes(e, column, err);
		if (!rc && e->targets)
			rc = check_targets(e, column, err);
		else if (!rc && e->has_float && c)
			rc = check_outputs(&e->columns[0], column, err);
		if (!rc && e->classes)
			rc = score_init(&column->score, out[0].elements, e->threshold, e->top, err);
		if (rc)
			return rc;
	}
	return 0;
}

int evaluate(struct evaluation *e, struct error *err)
{
	struct block b;
	int rc = prepare(e, err);

	if (!rc)
		rc = block_make(e, &b, err);
	if (rc)
		return rc;
	for (b.first = 0; b.first < e->count && !rc; b.first += b.count) {
		b.count = e->count - b.first < b.size ? e->count - b.first : b.size;
		rc = load(e, &b, err);
		for (unsigned int c = 0; c < e->column_count && !rc; c++)
			rc = run_column(&e->columns[c], &b, c, err);
		for (unsigned int c = 0; c < e->column_count && !rc; c++)
			count_column(e, &b, c);
		if (e->progress && !rc)
			e->progress(b.first + b.count, e->count);
	}
	block_free(e, &b);
	return rc;
}
