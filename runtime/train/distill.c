/* SPDX-License-Identifier: MIT */
/*
 * Distillation. The loss is the square of the differences between both networks' outputs, and between
 * what their layers give, each as a part of what the original's values vary by.
 */
#include "runtime/train/distill.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/compress/layer.h"
#include "runtime/cpu/graph.h"
#include "runtime/train/backprop.h"

#define MEASURED	32	/* samples that say how much values vary */
#define WARM_UP		0.05	/* of the steps */

/**
 * struct target - a tensor that is to be as the original's
 * @weight: in the loss
 * @count: elements
 */
struct target_tensor {
	uint32_t tensor;
	double weight;
	size_t count;
};

/**
 * struct lesson - all that is needed
 * @teacher: the original, with all its tensors
 * @student: the changed graph
 * @targets: @target_count: outputs first, @output_count of them
 * @optimisers: one for each parameter
 * @best: values of all parameters, in a row
 * @order: samples learned from, @learned of them, in the order of the epoch
 * @sample: one, all inputs in a row
 */
struct lesson {
	const struct ir_graph *original, *changed;
	const struct distill_options *options;
	struct examples examples;
	struct cpu_graph *teacher;
	struct backprop *student;
	const struct parameter *parameters;
	size_t parameter_count;
	struct optimiser *optimisers;
	bool *is_weight;
	float *best, *sample;
	struct target_tensor *targets;
	size_t target_count, output_count;
	size_t *order, learned, held_out;
	uint64_t random;
	void (*progress)(const char *what, size_t done, size_t total);
};

/* ---- making ---- */

static bool same_shape(const struct ir_tensor *a, const struct ir_tensor *b)
{
	return a->ndim == b->ndim && !memcmp(a->shape, b->shape, a->ndim * sizeof(*a->shape));
}

static void add_target(struct lesson *l, uint32_t tensor, double weight)
{
	if (!backprop_gradient(l->student, tensor) ||
	    !same_shape(&l->original->tensors[tensor], &l->changed->tensors[tensor]))
		return;
	for (size_t i = 0; i < l->target_count; i++)
		if (l->targets[i].tensor == tensor)
			return;
	l->targets[l->target_count++] = (struct target_tensor){
		.tensor = tensor, .weight = weight,
		.count = ir_tensor_elements(&l->changed->tensors[tensor]),
	};
}

static int choose_targets(struct lesson *l, struct error *err)
{
	const struct ir_graph *g = l->changed;
	struct layer *layers;
	uint32_t count;

	if (layers_find(g, &layers, &count))
		return error_set(err, -ENOMEM, "out of memory");
	l->targets = calloc((size_t)count + g->output_count + 1, sizeof(*l->targets));
	if (l->targets) {
		for (uint32_t i = 0; i < g->output_count; i++)
			add_target(l, g->outputs[i], 1);
		l->output_count = l->target_count;
		for (uint32_t i = 0; i < count && l->options->inner > 0; i++)
			add_target(l, layers[i].output, l->options->inner / count);
	}
	free(layers);
	if (!l->targets)
		return error_set(err, -ENOMEM, "out of memory");
	return l->output_count ? 0 : error_set(err, -EINVAL, "%s: no output depends on a layer", g->name);
}

static int make_optimisers(struct lesson *l, struct error *err)
{
	size_t all = 0, i;

	l->optimisers = calloc(l->parameter_count + 1, sizeof(*l->optimisers));
	l->is_weight = calloc(l->parameter_count + 1, sizeof(*l->is_weight));
	if (!l->optimisers || !l->is_weight)
		return error_set(err, -ENOMEM, "out of memory");
	for (i = 0; i < l->parameter_count; i++) {
		const struct parameter *p = &l->parameters[i];

		/* Biases have one axis. */
		l->is_weight[i] = l->changed->tensors[p->tensor].ndim > 1;
		all += p->count;
		if (optimiser_init(&l->optimisers[i], &l->options->descent, p->count))
			return error_set(err, -ENOMEM, "out of memory");
	}
	l->best = malloc((all + 1) * sizeof(*l->best));
	return l->best ? 0 : error_set(err, -ENOMEM, "out of memory");
}

/* Samples held out are those whose number is a multiple of DISTILL_HELD_OUT. */
static int split(struct lesson *l, struct error *err)
{
	size_t count = l->examples.count;

	if (count < 2)
		return error_set(err, -EINVAL, "one sample is too few to learn from: another must be held out");
	l->order = calloc(count, sizeof(*l->order));
	l->sample = calloc(l->examples.size + 1, sizeof(*l->sample));
	if (!l->order || !l->sample)
		return error_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++)
		if (i % DISTILL_HELD_OUT)
			l->order[l->learned++] = i;
	l->held_out = count - l->learned;
	return 0;
}

static int make(struct lesson *l, struct samples *samples, size_t count, struct error *err)
{
	int rc = backprop_create(l->changed, &l->student, err);

	if (rc)
		l->student = NULL;
	if (!rc)
		rc = cpu_graph_create_kept(l->original, &l->teacher, err);
	if (!rc)
		rc = examples_init(&l->examples, l->original, samples, count, l->options->augment,
				   l->random, err);
	if (!rc)
		rc = split(l, err);
	if (rc)
		return rc;
	l->parameters = backprop_parameters(l->student, &l->parameter_count);
	rc = choose_targets(l, err);
	return rc ? rc : make_optimisers(l, err);
}

static void unmake(struct lesson *l)
{
	for (size_t i = 0; l->optimisers && i < l->parameter_count; i++)
		optimiser_free(&l->optimisers[i]);
	free(l->optimisers);
	free(l->is_weight);
	free(l->best);
	free(l->sample);
	free(l->targets);
	free(l->order);
	examples_free(&l->examples);
	cpu_graph_free(l->teacher);
	backprop_free(l->student);
}

/* ---- one sample ---- */

static int run_teacher(struct lesson *l, struct error *err)
{
	const float *from = l->sample;

	for (uint32_t i = 0; i < l->examples.inputs; from += l->examples.sizes[i++])
		memcpy(cpu_graph_tensor(l->teacher, l->original->inputs[i]), from,
		       l->examples.sizes[i] * sizeof(*from));
	cpu_graph_reset(l->teacher);
	return cpu_graph_run(l->teacher, err);
}

static int run_both(struct lesson *l, struct error *err)
{
	const float *from = l->sample;
	int rc = run_teacher(l, err);

	for (uint32_t i = 0; i < l->examples.inputs; from += l->examples.sizes[i++])
		memcpy(backprop_values(l->student, l->changed->inputs[i]), from,
		       l->examples.sizes[i] * sizeof(*from));
	return rc ? rc : backprop_forward(l->student, err);
}

/* Loss of a tensor; its gradient, times @scale, if that is not 0. */
static double compare(struct lesson *l, const struct target_tensor *t, float scale)
{
	const float *wanted = cpu_graph_tensor(l->teacher, t->tensor);
	const float *got = backprop_values(l->student, t->tensor);
	float *gradient = backprop_gradient(l->student, t->tensor);
	double share = t->weight / (double)t->count, sum = 0;
	float factor = 2 * scale * (float)share;

	for (size_t i = 0; i < t->count; i++) {
		float d = got[i] - wanted[i];

		sum += (double)(d * d);
		gradient[i] += factor * d;
	}
	return share * sum;
}

static int no_number(const struct lesson *l, double loss, struct error *err)
{
	return error_set(err, -ERANGE, "%s: the loss became %g while learning: a lower rate (--lr) may help",
			 l->changed->name, loss);
}

static size_t largest(const float *v, size_t n)
{
	size_t best = 0;

	for (size_t i = 1; i < n; i++)
		best = v[i] > v[best] ? i : best;
	return best;
}

/* On the samples held out. */
static int judge_student(struct lesson *l, double *error, size_t *agreed, struct error *err)
{
	int rc = 0;

	*error = 0;
	*agreed = 0;
	for (size_t i = 0; i < l->examples.count && !rc; i += DISTILL_HELD_OUT) {
		const struct target_tensor *t = &l->targets[0];

		rc = examples_get(&l->examples, i, l->sample, err);
		if (!rc)
			rc = run_both(l, err);
		if (rc)
			return rc;
		*agreed += largest(cpu_graph_tensor(l->teacher, t->tensor), t->count) ==
			   largest(backprop_values(l->student, t->tensor), t->count);
		for (size_t k = 0; k < l->output_count; k++)
			*error += compare(l, &l->targets[k], 0) / (double)l->held_out;
	}
	return isfinite(*error) ? 0 : no_number(l, *error, err);
}

/* Weights become what they are divided by how much the original's values vary. */
static int measure_targets(struct lesson *l, struct error *err)
{
	size_t count = l->learned < MEASURED ? l->learned : MEASURED;
	double *sums = calloc(2 * l->target_count, sizeof(*sums));
	int rc = sums ? 0 : error_set(err, -ENOMEM, "out of memory");

	for (size_t i = 0; i < count && !rc; i++) {
		rc = examples_get(&l->examples, l->order[i * l->learned / count], l->sample, err);
		if (!rc)
			rc = run_teacher(l, err);
		for (size_t k = 0; k < l->target_count && !rc; k++) {
			const float *v = cpu_graph_tensor(l->teacher, l->targets[k].tensor);

			for (size_t n = 0; n < l->targets[k].count; n++) {
				sums[2 * k] += (double)v[n];
				sums[2 * k + 1] += (double)v[n] * (double)v[n];
			}
		}
	}
	for (size_t k = 0; k < l->target_count && !rc; k++) {
		double n = (double)count * (double)l->targets[k].count, mean = sums[2 * k] / n;
		double power = sums[2 * k + 1] / n - mean * mean;

		if (!isfinite(power))
			rc = error_set(err, -EINVAL, "%s: the samples give values that are not finite",
				       l->original->tensors[l->targets[k].tensor].name);
		l->targets[k].weight /= power > 0 ? power : 1;
	}
	free(sums);
	return rc;
}

/* ---- learning ---- */

static void store_best(struct lesson *l, bool back)
{
	float *at = l->best;

	for (size_t i = 0; i < l->parameter_count; at += l->parameters[i++].count)
		memcpy(back ? l->parameters[i].values : at, back ? at : l->parameters[i].values,
		       l->parameters[i].count * sizeof(*at));
}

static void shuffle(struct lesson *l)
{
	for (size_t i = l->learned; i-- > 1;) {
		size_t k = optimiser_random(&l->random, (uint32_t)i + 1), swap = l->order[i];

		l->order[i] = l->order[k];
		l->order[k] = swap;
	}
}

/* @done: of all steps */
static double rate_at(const struct lesson *l, double done)
{
	double rate = l->options->descent.rate;

	if (done < WARM_UP)
		return rate * done / WARM_UP;
	return 0.5 * rate * (1 + cos(M_PI * (done - WARM_UP) / (1 - WARM_UP)));
}

static void step(struct lesson *l, double done)
{
	for (size_t i = 0; i < l->parameter_count; i++) {
		const struct parameter *p = &l->parameters[i];

		for (size_t k = 0; k < p->count && l->is_weight[i]; k++)
			p->gradient[k] = p->values[k] != 0 ? p->gradient[k] : 0;
		l->optimisers[i].options.rate = rate_at(l, done);
		optimiser_step(&l->optimisers[i], p->values, p->gradient);
	}
	backprop_clear(l->student);
}

/* Samples [@from, @from + @count) of the order. */
static int learn_batch(struct lesson *l, size_t from, size_t count, double *loss, struct error *err)
{
	*loss = 0;
	for (size_t i = from; i < from + count; i++) {
		size_t with = l->order[optimiser_random(&l->random, (uint32_t)l->learned)];
		int rc = examples_draw(&l->examples, l->order[i], with, l->sample, err);

		if (!rc)
			rc = run_both(l, err);
		if (rc)
			return rc;
		for (size_t k = 0; k < l->target_count; k++)
			*loss += compare(l, &l->targets[k], 1 / (float)count) / (double)count;
		backprop_run(l->student);
	}
	return isfinite(*loss) ? 0 : no_number(l, *loss, err);
}

static int learn_epoch(struct lesson *l, uint32_t epoch, double error, double best, struct error *err)
{
	size_t batch = l->options->descent.batch < l->learned ? l->options->descent.batch : l->learned;
	size_t batches = l->learned / batch, all = batches * l->options->descent.epochs;
	char what[96];

	snprintf(what, sizeof(what), "epoch %u of %u, %.2f %% of the output lost before it, at best %.2f %%",
		 epoch + 1, l->options->descent.epochs, 100 * error, 100 * best);
	shuffle(l);
	for (size_t i = 0; i < batches; i++) {
		double loss;
		int rc = learn_batch(l, i * batch, batch, &loss, err);

		if (rc)
			return rc;
		step(l, ((double)(epoch * batches + i) + 0.5) / (double)all);
		if (l->progress)
			l->progress(what, (i + 1) * batch, batches * batch);
	}
	return 0;
}

static int learn(struct lesson *l, struct distill_report *r, struct error *err)
{
	double error;
	int rc = measure_targets(l, err);

	if (!rc)
		rc = judge_student(l, &r->before, &r->agreed_before, err);
	if (rc)
		return rc;
	r->after = error = r->before;
	r->agreed = r->agreed_before;
	store_best(l, false);
	backprop_clear(l->student);
	for (uint32_t epoch = 0; epoch < l->options->descent.epochs && !rc; epoch++) {
		size_t agreed;

		rc = learn_epoch(l, epoch, error, r->after, err);
		if (!rc)
			rc = judge_student(l, &error, &agreed, err);
		if (rc || error >= r->after)
			continue;
		r->after = error;
		r->agreed = agreed;
		r->best = epoch + 1;
		store_best(l, false);
	}
	store_best(l, true);
	return rc;
}

int distill(const struct ir_graph *original, const struct ir_graph *changed, struct samples *samples,
	    size_t count, const struct distill_options *options,
	    void (*progress)(const char *what, size_t done, size_t total), struct distill_report *report,
	    struct error *err)
{
	struct lesson l = { .original = original, .changed = changed, .options = options,
			    .progress = progress,
			    .random = options->descent.seed * 0x9e3779b97f4a7c15ull + 1 };
	int rc = make(&l, samples, count, err);

	*report = (struct distill_report){ .learned = l.learned, .held_out = l.held_out };
	if (!rc)
		rc = learn(&l, report, err);
	unmake(&l);
	return rc;
}
