/* SPDX-License-Identifier: MIT */
/* Samples from one array file: the first axis counts them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/npy.h"
#include "runtime/samples/array.h"

#define LABELS	"labels"

/**
 * struct arrays - one for each input, and the labels
 * @order: of each input: what its array's axes are called in the model's order
 */
struct arrays {
	struct npy *inputs;
	struct array_order *orders;
	uint32_t count;
	struct npy labels;
};

static int get(struct samples *s, size_t index, float *const *inputs, int *label,
	       struct error *err)
{
	const struct arrays *a = s->source;

	(void)err;
	for (uint32_t i = 0; i < a->count; i++)
		array_sample(s, i, &a->inputs[i], &a->orders[i], index, inputs[i]);
	*label = a->labels.data ? (int)npy_element(&a->labels, index) : -1;
	return 0;
}

static void name(const struct samples *s, size_t index, char *text, size_t len)
{
	snprintf(text, len, "%s, sample %zu", s->spec, index);
}

static void finish(struct samples *s)
{
	struct arrays *a = s->source;

	for (uint32_t i = 0; a && i < a->count; i++)
		npy_free(&a->inputs[i]);
	if (!a)
		return;
	npy_free(&a->labels);
	free(a->inputs);
	free(a->orders);
	free(a);
}

static const struct source_ops array_ops = { get, name, finish };

static int begin(struct samples *s, struct error *err)
{
	struct arrays *a = calloc(1, sizeof(*a));

	s->source = a;
	s->ops = &array_ops;
	if (a) {
		a->inputs = calloc(s->input_count, sizeof(*a->inputs));
		a->orders = calloc(s->input_count, sizeof(*a->orders));
	}
	if (!a || !a->inputs || !a->orders)
		return error_set(err, -ENOMEM, "out of memory");
	a->count = s->input_count;
	return 0;
}

/* Shapes of the samples against the inputs', and their number. */
static int check(struct samples *s, struct error *err)
{
	struct arrays *a = s->source;
	int rc = 0;

	for (uint32_t i = 0; i < a->count && !rc; i++) {
		const struct npy *array = &a->inputs[i];

		rc = array_check(s, i, array, 1, &a->orders[i], s->spec, err);
		if (!rc && i && (size_t)array->shape[0] != s->available)
			rc = error_set(err, -EINVAL, "%s: %s has %lld samples, %s %zu", s->spec,
				       s->inputs[i].name, (long long)array->shape[0],
				       s->inputs[0].name, s->available);
		if (!rc)
			s->available = (size_t)array->shape[0];
	}
	return rc;
}

int source_array(struct samples *s, struct error *err)
{
	int rc = samples_one_input(s, err);
	struct arrays *a;

	if (!rc)
		rc = begin(s, err);
	if (rc)
		return rc;
	a = s->source;
	rc = npy_read(s->spec, &a->inputs[0], err);
	return rc ? rc : check(s, err);
}

static int read_labels(struct samples *s, struct npz *npz, struct error *err)
{
	struct arrays *a = s->source;
	double top = 0;
	int rc = npz_get(npz, LABELS, &a->labels, err);

	if (rc == -ENOENT)
		return 0;
	if (rc)
		return rc;
	if (a->labels.ndim != 1 || a->labels.type == ELEM_FLOAT32 ||
	    (size_t)a->labels.shape[0] != s->available)
		return error_set(err, -EINVAL, "%s: " LABELS " are not %zu whole numbers", s->spec,
				 s->available);
	for (size_t i = 0; i < s->available; i++) {
		double v = npy_element(&a->labels, i);

		if (v < -1 || v >= 100000 || (s->class_names && v >= s->class_count))
			return error_set(err, -EINVAL, "%s: " LABELS "[%zu] is %.0f", s->spec, i, v);
		top = v >= top ? v + 1 : top;
	}
	if (!s->class_names)
		samples_set_classes(s, NULL, (unsigned int)top);
	return 0;
}

int source_archive(struct samples *s, struct error *err)
{
	struct npz *npz;
	struct arrays *a;
	int rc = begin(s, err);

	if (rc)
		return rc;
	a = s->source;
	rc = npz_open(s->spec, &npz, err);
	if (rc)
		return rc;
	for (uint32_t i = 0; i < a->count && !rc; i++)
		rc = array_from_archive(s, i, npz, s->spec, &a->inputs[i], err);
	if (!rc)
		rc = check(s, err);
	if (!rc)
		rc = read_labels(s, npz, err);
	npz_close(npz);
	return rc;
}
