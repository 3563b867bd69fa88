/* SPDX-License-Identifier: MIT */
/*
 * Layers pruned and clustered in groups, from the first to the last: each group is fitted to what it
 * sees with those before it changed already, so that it makes good what they lost.
 */
#include "runtime/compress/compress.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/compress/channels.h"
#include "runtime/compress/learn.h"
#include "runtime/compress/sensitivity.h"
#include "runtime/float/blas.h"
#include "runtime/ir/ir_copy.h"
#include "runtime/quantise/prepare.h"

#define LEAST_IC	8	/* input channels below which 2:4 fills up more than it skips */
#define LEAST_TAPS	16	/* weights of an output below which nothing is pruned */
#define MEMORY		(512u << 20)	/* bytes of moments of a group */

void compress_defaults(struct compress_options *opt)
{
	*opt = (struct compress_options){
		.spare = 0.1, .samples = 128, .rounds = 12, .damping = 0.01,
		.learn = { .kind = OPTIMISER_ADAM, .rate = 0.0003, .momentum = 0.9, .batch = 64,
			   .seed = 1 },
		.distill = { .descent = { .kind = OPTIMISER_ADAM, .rate = 0.0003, .momentum = 0.9,
					  .batch = 16, .seed = 1 },
			     .inner = 1 },
	};
}

/* What is passed along. */
struct work {
	const struct compress_options *opt;
	struct moments_source source;
	void (*progress)(const char *what, size_t done, size_t total);
	const char *what;
	struct layer *originals, *layers;
	uint32_t count;
	struct plan_layer *plan;
	const struct channels *channels;
	struct compress_report *report;
};

static void progress(void *ctx, size_t done, size_t total)
{
	struct work *w = ctx;

	if (w->progress)
		w->progress(w->what, done, total);
}

static bool prunes(const struct compress_options *opt)
{
	return opt->sparsity.two_four || opt->sparsity.share > 0;
}

static bool may_prune(const struct compress_options *opt, const struct layer *l)
{
	if (opt->sparsity.two_four)
		return l->ic >= LEAST_IC;
	return prunes(opt) && l->taps >= LEAST_TAPS;
}

static bool may_cluster(const struct compress_options *opt, const struct layer *l)
{
	return opt->clusters && layer_size(l) > 4 * opt->clusters;
}

static bool may_change(const struct work *w, const struct layer *original, const struct layer *l)
{
	return !l->depthwise && (may_prune(w->opt, l) || may_cluster(w->opt, l) ||
				 original->taps != l->taps || original->outputs != l->outputs);
}

/* Only the layers that there is something to do for; both graphs have the same operations. */
static int choose_layers(struct work *w, struct error *err)
{
	struct moments_source changed = w->source;
	uint32_t kept = 0, count;
	uint64_t weights = 0;

	if (layers_find(w->source.original, &w->originals, &count) ||
	    layers_find(w->source.changed, &w->layers, &w->count))
		return error_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < w->count; i++)
		weights += layer_size(&w->layers[i]);
	for (uint32_t i = 0; i < w->count; i++)
		if (may_change(w, &w->originals[i], &w->layers[i])) {
			w->originals[kept] = w->originals[i];
			w->layers[kept++] = w->layers[i];
		}
	w->count = kept;
	w->plan = calloc((size_t)kept + 1, sizeof(*w->plan));
	if (!w->plan)
		return error_set(err, -ENOMEM, "out of memory");
	if (!kept)
		return error_set(err, -EINVAL, "%s: no layers with weights of float32 that can be compressed",
				 w->source.original->name);
	w->what = "how much each layer bears";
	changed.original = changed.changed;
	return sensitivity_plan(&changed, w->layers, kept, weights, w->opt, w->plan, err);
}

static uint64_t count_zeros(const float *w, uint64_t n)
{
	uint64_t zeros = 0;

	for (uint64_t i = 0; i < n; i++)
		zeros += w[i] == 0;
	return zeros;
}

/* A layer of the changed graph gets its new weights. */
static int change(struct work *w, uint32_t index, struct moments *m, struct error *err)
{
	const struct layer *l = &w->layers[index], *original = &w->originals[index];
	const struct ir_graph *from = w->source.original, *to = w->source.changed;
	struct sparsity s = { .two_four = w->opt->sparsity.two_four, .share = w->plan[index].share };
	struct fit f;
	int rc;

	moments_shrink(m);
	rc = fit_init(l, m, layer_weight_values(from, original), layer_bias_values(from, original),
		      channels_kept(w->channels, l->output), layer_weight_values(to, l),
		      w->opt->damping, &f);
	if (!rc && may_prune(w->opt, l) && !w->plan[index].skip && (s.two_four || s.share > 0))
		rc = fit_prune(&f, &s);
	if (!rc && may_cluster(w->opt, l))
		rc = fit_cluster(&f, w->opt->clusters, from->ops[l->op].kind == IR_FULLY_CONNECTED);
	if (!rc) {
		fit_store(&f, layer_weight_values(to, l), layer_bias_values(to, l));
		for (uint32_t i = 0; i < w->report->count; i++)
			if (w->report->layers[i].name == to->tensors[l->output].name) {
				w->report->layers[i].error = fit_error(&f);
				w->report->layers[i].touched = true;
			}
	}
	fit_free(&f);
	if (rc == -EDOM)
		return error_set(err, -EINVAL, "%s: the samples do not say what its weights should be",
				 from->tensors[l->output].name);
	return rc ? error_set(err, rc, "out of memory") : 0;
}

/* The end of a group that begins with layer @from. */
static uint32_t group_end(const struct work *w, uint32_t from)
{
	uint32_t most = (w->count + w->opt->rounds - 1) / w->opt->rounds, to;
	size_t bytes = 0;

	for (to = from; to < w->count && to - from < most; to++) {
		size_t n = w->layers[to].taps + 1;

		bytes += 3 * n * n * sizeof(double);
		if (bytes > MEMORY && to > from)
			break;
	}
	return to;
}

static int change_all(struct work *w, struct error *err)
{
	struct moments *m = calloc((size_t)w->count + 1, sizeof(*m));
	char what[64];
	int rc = m ? 0 : error_set(err, -ENOMEM, "out of memory");

	w->what = what;
	for (uint32_t from = 0, to; from < w->count && !rc; from = to) {
		to = group_end(w, from);
		snprintf(what, sizeof(what), "layers %u to %u of %u", from + 1, to, w->count);
		rc = moments_gather(&w->source, w->originals + from, w->layers + from, to - from, m, err);
		for (uint32_t i = from; i < to; i++) {
			if (!rc)
				rc = change(w, i, &m[i - from], err);
			moments_free(&m[i - from]);
		}
		if (!rc && w->opt->learn.epochs)
			rc = learn_layers(&w->source, w->layers + from, to - from, &w->opt->learn,
					  err);
	}
	free(m);
	return rc;
}

static int start_report(const struct ir_graph *g, struct compress_report *r, struct error *err)
{
	struct layer *layers;
	uint32_t count;

	if (layers_find(g, &layers, &count))
		return error_set(err, -ENOMEM, "out of memory");
	r->layers = calloc((size_t)count + 1, sizeof(*r->layers));
	r->count = r->layers ? count : 0;
	for (uint32_t i = 0; i < r->count; i++)
		r->layers[i] = (struct compress_layer){
			.name = g->tensors[layers[i].output].name, .kind = g->ops[layers[i].op].kind,
			.weights = layer_size(&layers[i]),
		};
	free(layers);
	return r->layers ? 0 : error_set(err, -ENOMEM, "out of memory");
}

static int count_report(const struct ir_graph *g, struct compress_report *r, struct error *err)
{
	struct layer *layers;
	uint32_t count;

	if (layers_find(g, &layers, &count))
		return error_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < count; i++)
		r->layers[i].zeros = count_zeros(layer_weight_values(g, &layers[i]), layer_size(&layers[i]));
	free(layers);
	return 0;
}

void compress_report_free(struct compress_report *r)
{
	free(r->layers);
	memset(r, 0, sizeof(*r));
}

/* The graph that is to be changed: a copy, or one with channels taken out. */
static int make_changed(struct work *w, struct channels *channels, struct ir_graph **out,
			struct error *err)
{
	const struct compress_options *opt = w->opt;
	struct ir_graph *g = NULL;
	int rc;

	w->what = "what each channel does";
	if (opt->channels > 0)
		rc = channels_prune(&w->source, opt->channels, channels, &g, err);
	else
		rc = (g = ir_copy(w->source.original)) ? 0 : error_set(err, -ENOMEM, "out of memory");
	*out = g;
	w->report->channels_before = channels->before;
	w->report->channels = channels->after;
	return rc ? rc : start_report(g, w->report, err);
}

int compress(const struct ir_graph *g, struct samples *samples, const struct compress_options *opt,
	     void (*progress_of)(const char *what, size_t done, size_t total), struct ir_graph **out,
	     struct compress_report *report, struct error *err)
{
	struct channels channels = { 0 };
	struct work w = { .opt = opt, .progress = progress_of, .report = report,
			  .channels = &channels };
	struct ir_graph *from = NULL, *to = NULL;
	int rc = blas_load(err);

	memset(report, 0, sizeof(*report));
	if (!rc)
		rc = prepare(g, &from, err);
	w.source = (struct moments_source){ .original = from, .changed = from, .samples = samples,
					    .count = opt->samples, .progress = progress,
					    .ctx = &w,
					    .held_out = opt->distill.descent.epochs ? DISTILL_HELD_OUT : 0 };
	if (!rc)
		rc = make_changed(&w, &channels, &to, err);
	w.source.changed = to;
	if (!rc)
		rc = choose_layers(&w, err);
	if (!rc)
		rc = change_all(&w, err);
	if (!rc && opt->distill.descent.epochs)
		rc = distill(from, to, samples, opt->samples, &opt->distill, progress_of,
			     &report->distill, err);
	if (!rc)
		rc = count_report(to, report, err);
	channels_free(&channels);
	ir_free(from);
	free(w.originals);
	free(w.layers);
	free(w.plan);
	if (rc) {
		compress_report_free(report);
		ir_free(to);
		return rc;
	}
	*out = to;
	return 0;
}
