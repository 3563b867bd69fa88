/* SPDX-License-Identifier: MIT */
/*
 * How much of a layer's output is lost with a weight: w^2 times the mean square of what it multiplies,
 * against the power of all that the layer gives. By that, weights of different layers compare.
 */
#include "runtime/compress/sensitivity.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/float/blas.h"

#define MEMORY		(256u << 20)	/* bytes of moments at a time */
#define BINS		4096
#define OCTAVES		64.0	/* that losses are told apart over, below all of the output */
#define MOST_SHARE	0.95	/* of a layer */
#define GROUP		4

/**
 * struct loss - of one layer
 * @power: of its output
 * @square: [taps] mean squares of what it sees
 * @two_four: lost by 2:4, as a part of all
 */
struct loss {
	double power;
	double *square;
	double two_four;
};

static double loss_of(const struct loss *s, const float *w, uint32_t tap)
{
	return (double)w[tap] * (double)w[tap] * s->square[tap] / s->power;
}

static double group_loss(const struct loss *s, const float *w, uint32_t from, uint32_t count)
{
	double of[GROUP] = { 0 }, sum = 0;

	for (uint32_t i = 0; i < count; i++)
		of[i] = loss_of(s, w, from + i);
	/* The two that lose least. */
	for (uint32_t n = count; n > GROUP / 2; n--) {
		uint32_t least = 0;

		for (uint32_t i = 1; i < count; i++)
			least = of[i] < of[least] ? i : least;
		sum += of[least];
		of[least] = HUGE_VAL;
	}
	return sum;
}

/* Sum over outputs of w moments w^T, by the product of all of them: [taps][taps]. */
static int power_of(const struct layer *l, const float *w, const struct moments *m, double *power)
{
	size_t taps = l->taps, n = m->n;
	const double *mean = m->own + (n - 1) * n;
	const struct gemm product = { .m = taps, .n = taps, .k = l->outputs, .a_turned = true,
				      .lda = taps, .ldb = taps, .ldc = taps };
	float *all = malloc(taps * taps * sizeof(*all));

	if (!all)
		return -ENOMEM;
	gemm(&product, w, w, all);
	*power = 0;
	for (size_t i = 0; i < taps; i++)
		for (size_t k = 0; k < taps; k++)
			*power += (double)all[i * taps + k] *
				  (m->own[i * n + k] - mean[i] * mean[k]);
	free(all);
	if (!(*power > 0))
		*power = 1;
	return 0;
}

static int measure(const struct ir_graph *g, const struct layer *l, const struct moments *m,
		   struct loss *out)
{
	const float *w = layer_weight_values(g, l);
	size_t n = m->n;
	const double *mean = m->own + (n - 1) * n;

	out->square = calloc(l->taps, sizeof(*out->square));
	if (!out->square || power_of(l, w, m, &out->power))
		return -ENOMEM;
	for (uint32_t i = 0; i < l->taps; i++)
		out->square[i] = m->own[i * n + i] - mean[i] * mean[i];
	for (uint32_t o = 0; o < l->outputs; o++)
		for (uint32_t i = 0; i < l->taps; i += GROUP)
			out->two_four += group_loss(out, w + (size_t)o * l->taps, i,
						    l->taps - i < GROUP ? l->taps - i : GROUP);
	return 0;
}

static int measure_all(const struct moments_source *s, const struct layer *layers, uint32_t count,
		       struct loss *losses, struct error *err)
{
	struct moments *m = calloc((size_t)count + 1, sizeof(*m));
	int rc = m ? 0 : error_set(err, -ENOMEM, "out of memory");

	for (uint32_t from = 0, to; from < count && !rc; from = to) {
		size_t bytes = 0;

		for (to = from; to < count; to++) {
			size_t n = layers[to].taps + 1;

			bytes += 3 * n * n * sizeof(double);
			if (bytes > MEMORY && to > from)
				break;
		}
		rc = moments_gather(s, layers + from, layers + from, to - from, m, err);
		for (uint32_t i = from; i < to; i++) {
			if (!rc && measure(s->changed, &layers[i], &m[i - from], &losses[i]))
				rc = error_set(err, -ENOMEM, "out of memory");
			moments_free(&m[i - from]);
		}
	}
	free(m);
	return rc;
}

/* ---- 2:4 ---- */

/* The layers that lose most for each weight, within what may be spared. */
static void spare(const struct layer *layers, uint32_t count, const struct loss *losses, double share,
		  uint64_t weights, struct plan_layer *plan)
{
	uint64_t spared = 0;

	for (;;) {
		uint32_t worst = count;
		double most = 0;

		for (uint32_t i = 0; i < count; i++) {
			uint64_t size = layer_size(&layers[i]);
			double loss = losses[i].two_four / (double)size;

			if (plan[i].skip || (double)(spared + size) > share * (double)weights ||
			    loss <= most)
				continue;
			most = loss;
			worst = i;
		}
		if (worst == count)
			return;
		plan[worst].skip = true;
		spared += layer_size(&layers[worst]);
	}
}

/* ---- a share of all ---- */

static unsigned int bin_of(double loss)
{
	double octave = loss > 0 ? OCTAVES + log2(loss) : 0;
	double bin = octave * BINS / OCTAVES;

	return bin < 0 ? 0 : bin >= BINS ? BINS - 1 : (unsigned int)bin;
}

static int spread(const struct ir_graph *g, const struct layer *layers, uint32_t count,
		  const struct loss *losses, double wanted, struct plan_layer *plan)
{
	uint64_t *bins = calloc((size_t)count * BINS + 1, sizeof(*bins)), zeros = 0;

	if (!bins)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		const float *w = layer_weight_values(g, &layers[i]);

		for (uint32_t o = 0; o < layers[i].outputs; o++, w += layers[i].taps)
			for (uint32_t k = 0; k < layers[i].taps; k++)
				bins[(size_t)i * BINS + bin_of(loss_of(&losses[i], w, k))]++;
	}
	/* From the smallest losses up, of all layers that have not given enough. */
	for (unsigned int b = 0; b < BINS && (double)zeros < wanted; b++)
		for (uint32_t i = 0; i < count && (double)zeros < wanted; i++) {
			double size = (double)layer_size(&layers[i]);
			double take = (double)bins[(size_t)i * BINS + b];

			take = fmin(take, MOST_SHARE * size - plan[i].share * size);
			if (take <= 0)
				continue;
			take = fmin(take, wanted - (double)zeros);
			plan[i].share += take / size;
			zeros += (uint64_t)(take + 0.5);
		}
	free(bins);
	return 0;
}

int sensitivity_taps(const struct moments_source *s, const struct layer *layers, uint32_t count,
		     double **taps, struct error *err)
{
	struct loss *losses = calloc((size_t)count + 1, sizeof(*losses));
	int rc = losses ? measure_all(s, layers, count, losses, err)
			: error_set(err, -ENOMEM, "out of memory");

	for (uint32_t i = 0; i < count && !rc; i++) {
		const float *w = layer_weight_values(s->changed, &layers[i]);

		taps[i] = calloc(layers[i].taps, sizeof(**taps));
		if (!taps[i])
			rc = error_set(err, -ENOMEM, "out of memory");
		for (uint32_t o = 0; o < layers[i].outputs && !rc; o++, w += layers[i].taps)
			for (uint32_t k = 0; k < layers[i].taps; k++)
				taps[i][k] += loss_of(&losses[i], w, k);
	}
	for (uint32_t i = 0; losses && i < count; i++)
		free(losses[i].square);
	free(losses);
	return rc;
}

int sensitivity_plan(const struct moments_source *s, const struct layer *layers, uint32_t count,
		     uint64_t weights, const struct compress_options *opt, struct plan_layer *plan, struct error *err)
{
	struct loss *losses;
	int rc = 0;

	for (uint32_t i = 0; i < count; i++)
		plan[i] = (struct plan_layer){ .share = opt->even ? opt->sparsity.share : 0 };
	if (opt->sparsity.two_four ? opt->spare <= 0 : opt->even || opt->sparsity.share <= 0)
		return 0;
	losses = calloc((size_t)count + 1, sizeof(*losses));
	if (!losses)
		return error_set(err, -ENOMEM, "out of memory");
	rc = measure_all(s, layers, count, losses, err);
	if (!rc && opt->sparsity.two_four)
		spare(layers, count, losses, opt->spare, weights, plan);
	else if (!rc && spread(s->changed, layers, count, losses, opt->sparsity.share * (double)weights,
			       plan))
		rc = error_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < count; i++)
		free(losses[i].square);
	free(losses);
	return rc;
}
