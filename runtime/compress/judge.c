/* SPDX-License-Identifier: MIT */
/* Graphs before and after, by their answers and by what they cost. */
#include "runtime/compress/judge.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/compile/compile_model.h"
#include "runtime/image/tflite_write.h"
#include "runtime/quantise/data.h"

/* Real numbers of the first output. */
static void output_of(const struct data_run *run, float *to)
{
	const struct ir_tensor *t = &run->g->tensors[run->g->outputs[0]];

	data_real(t, cpu_graph_tensor(run->c, run->g->outputs[0]), 0, ir_tensor_elements(t), to);
}

/**
 * struct trial - two graphs on one sample
 * @values: outputs of both
 * @label: of the sample that was read last
 * @score: how answers are read
 */
struct trial {
	struct data_run run, other;
	bool compare;
	float *values[2];
	size_t count;
	const struct quantise_data *data;
	struct samples *samples;
	int label;
	struct score score;
};

static int get_sample(void *ctx, size_t index, float *const *inputs, struct error *err)
{
	struct trial *t = ctx;

	return samples_get(t->samples, index, inputs, &t->label, err);
}

static int judge_sample(struct trial *t, size_t index, struct judgement *out, struct error *err)
{
	int rc = data_sample(&t->run, t->data, index, err);

	if (!rc && t->compare)
		rc = data_sample(&t->other, t->data, index, err);
	if (rc)
		return rc;
	output_of(&t->run, t->values[0]);
	if (t->label >= 0 && t->score.classes) {
		out->count++;
		out->correct += score_answer(&t->score, t->values[0], t->count) == (unsigned int)t->label;
	}
	if (t->compare) {
		output_of(&t->other, t->values[1]);
		likeness_add(&out->likeness, t->values[1], t->values[0], t->count);
	}
	return 0;
}

int judge(const struct ir_graph *g, const struct ir_graph *against, struct samples *samples,
	  const char *what, void (*progress)(const char *what, size_t done, size_t total),
	  struct judgement *out, struct error *err)
{
	struct trial t = { .samples = samples, .compare = against != NULL };
	const struct quantise_data data = { .count = samples_count(samples), .get = get_sample,
					    .ctx = &t };
	int rc = data_open(g, false, &t.run, err);

	*out = (struct judgement){ 0 };
	t.data = &data;
	if (!rc && against)
		rc = data_open(against, false, &t.other, err);
	t.count = g->output_count ? ir_tensor_elements(&g->tensors[g->outputs[0]]) : 0;
	for (unsigned int i = 0; i < 2 && !rc; i++) {
		t.values[i] = calloc(t.count + 1, sizeof(float));
		if (!t.values[i])
			rc = error_set(err, -ENOMEM, "out of memory");
	}
	/* What has more outputs is no classifier. */
	if (!rc && t.count && t.count <= SCORE_CLASSES_MAX)
		rc = score_init(&t.score, t.count, NAN, 0, err);
	for (size_t i = 0; i < data.count && !rc; i++) {
		rc = judge_sample(&t, i, out, err);
		if (!rc && progress)
			progress(what, i + 1, data.count);
	}
	score_free(&t.score);
	data_close(&t.run);
	if (against)
		data_close(&t.other);
	free(t.values[0]);
	free(t.values[1]);
	return rc;
}

int judge_price(const struct ir_graph *integers, const struct target *target, struct price *out,
		struct error *err)
{
	const struct compile_options opt = { .target = target };
	struct compile_summary summary;
	struct profile profile;
	struct image *image;
	struct tflite file;
	void *data;
	size_t size;
	int rc = tflite_bytes(integers, &data, &size, err);

	if (!rc)
		rc = tflite_parse(data, size, &file, err);
	if (!rc)
		rc = compile_model(&file, integers->name, &opt, &image, &summary, err);
	if (rc)
		return rc;
	rc = estimate_image(image, target, &profile, err);
	if (!rc) {
		*out = (struct price){ .constants = summary.constant_bytes,
				       .flash = profile.estimate.flash,
				       .cycles = profile.estimate.total.cycles,
				       .us = profile.estimate.seconds * 1e6 };
		profile_free(&profile);
	}
	image_free(image);
	return rc;
}
