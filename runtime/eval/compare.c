/* SPDX-License-Identifier: MIT */
/* Where a model of integers leaves its float model: tensor by tensor. */
#include "runtime/eval/compare.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cpu/graph.h"
#include "runtime/ir/ir_ops.h"

#define NO_ENTRY UINT32_MAX

/**
 * struct run - one comparison going on
 * @entry: of each tensor of the integer graph: its place in @out, or NO_ENTRY
 * @kept: the float graph, whose tensors stay where they are
 * @real, @turned: room for the largest tensor
 */
struct run {
	const struct ir_graph *wanted, *got;
	struct comparison *out;
	uint32_t *entry;
	struct cpu_graph *kept, *other;
	float *real, *turned;
	struct error *err;
};

/* ---- which tensor is which ---- */

struct named {
	const char *name;
	uint32_t tensor;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

/* Index by name of the float graph's tensors that are computed or given. */
static struct named *index_names(const struct ir_graph *g, uint32_t *count)
{
	struct named *list = calloc(g->tensor_count + 1, sizeof(*list));

	*count = 0;
	for (uint32_t i = 0; list && i < g->tensor_count; i++)
		if (!g->tensors[i].data && g->tensors[i].type == ELEM_FLOAT32 && g->tensors[i].name)
			list[(*count)++] = (struct named){ g->tensors[i].name, i };
	if (list)
		qsort(list, *count, sizeof(*list), by_name);
	return list;
}

/* Can the elements be compared one by one? Channels first may have become channels last. */
static bool alike(const struct ir_tensor *wanted, const struct ir_tensor *got,
		  struct compare_tensor *t)
{
	const int32_t *w = wanted->shape, *g = got->shape;

	if (ir_tensor_elements(wanted) != ir_tensor_elements(got))
		return false;
	if (wanted->ndim == 4 && got->ndim == 4 && memcmp(w, g, 4 * sizeof(*w)) && w[0] == g[0] &&
	    w[0] == 1 && w[1] == g[3] && w[2] == g[1] && w[3] == g[2]) {
		t->channels = (size_t)w[1];
		t->planes = (size_t)w[2] * (size_t)w[3];
	}
	return true;
}

static void add_tensor(struct run *r, const struct named *names, uint32_t name_count,
		       uint32_t tensor, const char *op)
{
	const struct ir_tensor *t = &r->got->tensors[tensor];
	const struct named key = { t->name, 0 }, *found;
	struct compare_tensor *entry = &r->out->tensors[r->out->count];

	if (t->data || !t->name || r->entry[tensor] != NO_ENTRY)
		return;
	found = bsearch(&key, names, name_count, sizeof(key), by_name);
	*entry = (struct compare_tensor){ .op = op, .order = r->out->count, .low = INFINITY,
					  .high = -INFINITY };
	if (!found || !alike(&r->wanted->tensors[found->tensor], t, entry)) {
		r->out->unmatched++;
		return;
	}
	engine_tensor_of(t, &entry->tensor);
	entry->from = found->tensor;
	r->entry[tensor] = r->out->count++;
}

static int match(struct run *r)
{
	const struct ir_graph *g = r->got;
	uint32_t count;
	struct named *names = index_names(r->wanted, &count);

	r->entry = malloc((g->tensor_count + 1) * sizeof(*r->entry));
	r->out->tensors = calloc(g->tensor_count + 1, sizeof(*r->out->tensors));
	if (!names || !r->entry || !r->out->tensors) {
		free(names);
		return error_set(r->err, -ENOMEM, "out of memory");
	}
	for (uint32_t i = 0; i < g->tensor_count; i++)
		r->entry[i] = NO_ENTRY;
	for (uint32_t i = 0; i < g->input_count; i++)
		add_tensor(r, names, count, g->inputs[i], "input");
	for (uint32_t i = 0; i < g->op_count; i++)
		for (uint32_t k = 0; k < g->ops[i].output_count; k++)
			if (g->ops[i].outputs[k] != IR_NONE)
				add_tensor(r, names, count, g->ops[i].outputs[k],
					   ir_kind_info(g->ops[i].kind)->name);
	free(names);
	if (!r->out->count)
		return error_set(r->err, -EINVAL, "%s and %s have no tensor of the same name",
				 r->wanted->name, g->name);
	return 0;
}

/* ---- running ---- */

static size_t count_ends(const struct engine_tensor *t, const void *data)
{
	size_t n = 0;

	for (size_t i = 0; i < t->elements; i++) {
		if (t->info.type == ELEM_INT8)
			n += ((const int8_t *)data)[i] == INT8_MIN || ((const int8_t *)data)[i] == INT8_MAX;
		else if (t->info.type == ELEM_UINT8)
			n += ((const uint8_t *)data)[i] == 0 || ((const uint8_t *)data)[i] == UINT8_MAX;
		else if (t->info.type == ELEM_INT16)
			n += ((const int16_t *)data)[i] == INT16_MIN ||
			     ((const int16_t *)data)[i] == INT16_MAX;
	}
	return n;
}

/* A tensor of the integer graph was computed. */
static int seen(void *ctx, uint32_t tensor, const void *data)
{
	struct run *r = ctx;
	uint32_t at = r->entry[tensor];
	struct compare_tensor *t;
	const float *wanted;

	if (at == NO_ENTRY)
		return 0;
	t = &r->out->tensors[at];
	wanted = cpu_graph_tensor(r->kept, t->from);
	if (t->channels) {
		for (size_t c = 0; c < t->channels; c++)
			for (size_t i = 0; i < t->planes; i++)
				r->turned[i * t->channels + c] = wanted[c * t->planes + i];
		wanted = r->turned;
	}
	for (size_t i = 0; i < t->tensor.elements; i++) {
		if (!isfinite(wanted[i]))
			return error_set(r->err, -EINVAL, "%s: tensor %s: a value is not finite",
					 r->wanted->name, t->tensor.info.name);
		t->low = fminf(t->low, wanted[i]);
		t->high = fmaxf(t->high, wanted[i]);
	}
	engine_dequantise(&t->tensor, data, r->real);
	likeness_add(&t->likeness, wanted, r->real, t->tensor.elements);
	t->ends += count_ends(&t->tensor, data);
	return 0;
}

static int set_inputs(const struct ir_graph *g, const struct cpu_graph *c, struct samples *s,
		      size_t index, float *const *inputs, struct error *err)
{
	int rc = samples_get(s, index, inputs, NULL, err);

	for (uint32_t i = 0; i < g->input_count && !rc; i++) {
		struct engine_tensor t;

		engine_tensor_of(&g->tensors[g->inputs[i]], &t);
		engine_quantise(&t, inputs[i], cpu_graph_tensor(c, g->inputs[i]));
	}
	return rc;
}

static float **make_inputs(const struct ir_graph *g)
{
	float **inputs = calloc(g->input_count + 1, sizeof(*inputs));

	for (uint32_t i = 0; inputs && i < g->input_count; i++) {
		inputs[i] = calloc(ir_tensor_elements(&g->tensors[g->inputs[i]]) + 1, sizeof(float));
		if (inputs[i])
			continue;
		while (i)
			free(inputs[--i]);
		free(inputs);
		return NULL;
	}
	return inputs;
}

static void free_inputs(const struct ir_graph *g, float **inputs)
{
	for (uint32_t i = 0; inputs && i < g->input_count; i++)
		free(inputs[i]);
	free(inputs);
}

static int run_all(struct run *r, struct samples *wanted, struct samples *got,
		   void (*progress)(size_t done, size_t count))
{
	float **a = make_inputs(r->wanted), **b = make_inputs(r->got);
	int rc = a && b ? 0 : error_set(r->err, -ENOMEM, "out of memory");

	cpu_graph_observe(r->other, seen, r);
	for (size_t i = 0; i < r->out->samples && !rc; i++) {
		cpu_graph_reset(r->kept);
		cpu_graph_reset(r->other);
		rc = set_inputs(r->wanted, r->kept, wanted, i, a, r->err);
		if (!rc)
			rc = set_inputs(r->got, r->other, got, i, b, r->err);
		if (!rc)
			rc = cpu_graph_run(r->kept, r->err);
		if (!rc)
			rc = cpu_graph_run(r->other, r->err);
		if (!rc && progress)
			progress(i + 1, r->out->samples);
	}
	free_inputs(r->wanted, a);
	free_inputs(r->got, b);
	return rc;
}

static int worst_first(const void *a, const void *b)
{
	const struct compare_tensor *x = a, *y = b;
	double p = likeness_snr(&x->likeness), q = likeness_snr(&y->likeness);

	if (p != q)
		return p < q ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

static int make_room(struct run *r)
{
	size_t largest = 1;

	for (uint32_t i = 0; i < r->out->count; i++)
		if (r->out->tensors[i].tensor.elements > largest)
			largest = r->out->tensors[i].tensor.elements;
	r->real = malloc(largest * sizeof(*r->real));
	r->turned = malloc(largest * sizeof(*r->turned));
	return r->real && r->turned ? 0 : error_set(r->err, -ENOMEM, "out of memory");
}

int compare_graphs(const struct ir_graph *wanted, const struct ir_graph *got,
		   struct samples *wanted_samples, struct samples *got_samples,
		   void (*progress)(size_t done, size_t count), struct comparison *out,
		   struct error *err)
{
	struct run r = { .wanted = wanted, .got = got, .out = out, .err = err };
	int rc;

	*out = (struct comparison){ .samples = samples_count(wanted_samples) };
	rc = match(&r);
	if (!rc)
		rc = make_room(&r);
	if (!rc)
		rc = cpu_graph_create_kept(wanted, &r.kept, err);
	if (!rc)
		rc = cpu_graph_create(got, &r.other, err);
	if (!rc)
		rc = run_all(&r, wanted_samples, got_samples, progress);
	cpu_graph_free(r.kept);
	cpu_graph_free(r.other);
	free(r.entry);
	free(r.real);
	free(r.turned);
	if (rc) {
		comparison_free(out);
		return rc;
	}
	qsort(out->tensors, out->count, sizeof(*out->tensors), worst_first);
	return 0;
}

void comparison_free(struct comparison *c)
{
	free(c->tensors);
	*c = (struct comparison){ 0 };
}
