/* SPDX-License-Identifier: MIT */
/* Models with inputs and expected outputs, see vectors.h. */
#include "tests/vectors.h"

#include <errno.h>
#include <glob.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_TENSORS	16

static const struct {
	const char *model;
	struct vectors_bound bound;
} exceptions[] = {
	{ "sum_a3_1x5x4x16_keep_int16",
	  { "TFLite's sums of int16 wrap, the NPU's keep to the range", 0, true } },
	{ "lstm_u16_t4_f20_int8",
	  { "TFLite's sigmoid and tanh of int16 are other approximations", 1, false } },
	{ "micro_speech_lstm",
	  { "TFLite's sigmoid and tanh of int16 are other approximations", 16, false } },
	{ "dtln_noise_suppression",
	  { "TFLite's sigmoid and tanh of int16 are other approximations", 3, false } },
};

struct vectors_bound vectors_bound(const char *path)
{
	for (size_t i = 0; i < sizeof(exceptions) / sizeof(exceptions[0]); i++)
		if (strstr(path, exceptions[i].model))
			return exceptions[i].bound;
	return (struct vectors_bound){ 0 };
}

static int16_t element16(const unsigned char *data, size_t at)
{
	int16_t v;

	memcpy(&v, data + at / 2 * 2, sizeof(v));
	return v;
}

/* Is byte @at as it may be? */
static bool is_right(const unsigned char *got, const unsigned char *want, size_t at,
		     const struct vectors_bound *bound)
{
	if (bound->saturates && (element16(got, at) == INT16_MAX || element16(got, at) == INT16_MIN))
		return true;
	return abs((int8_t)got[at] - (int8_t)want[at]) <= bound->within;
}

static int compare(const struct vectors_runner *r, unsigned int i, const struct npy *array,
		   unsigned int vector, unsigned int vectors, const struct vectors_bound *bound,
		   struct error *err)
{
	const unsigned char *got, *want;
	size_t size, wrong = 0, first = 0;

	got = r->output(r->model, i, &size);
	if (array->size != size * vectors)
		return error_set(err, -EINVAL, "the vectors do not fit output %u", i);
	want = (const unsigned char *)array->data + vector * size;
	for (size_t k = 0; k < size; k++)
		if (!is_right(got, want, k, bound) && !wrong++)
			first = k;
	return wrong ? error_set(err, -EILSEQ,
				 "vector %u, output %u: %zu of %zu bytes differ, first at %zu: got 0x%02x, not 0x%02x",
				 vector, i, wrong, size, first, got[first], want[first]) : 0;
}

static int feed(const struct vectors_runner *r, unsigned int i, const struct npy *array,
		unsigned int vector, unsigned int vectors, struct error *err)
{
	size_t size;
	void *to = r->input(r->model, i, &size);

	if (array->size != size * vectors)
		return error_set(err, -EINVAL, "the vectors do not fit input %u", i);
	memcpy(to, (const char *)array->data + vector * size, size);
	return 0;
}

/* Vector @vector of @vectors stacked in each array. */
static int infer(const struct vectors_runner *r, const struct npy *in, const struct npy *out,
		 unsigned int vector, unsigned int vectors, const struct vectors_bound *bound,
		 struct error *err)
{
	int rc = 0;

	r->reset(r->model);
	for (unsigned int i = 0; i < r->input_count && !rc; i++)
		rc = feed(r, i, &in[i], vector, vectors, err);
	if (!rc)
		rc = r->run(r->model, err);
	for (unsigned int i = 0; i < r->output_count && !rc; i++)
		rc = compare(r, i, &out[i], vector, vectors, bound, err);
	return rc;
}

static int read_arrays(struct npz *npz, const char *what, unsigned int count, struct npy *out,
		       struct error *err)
{
	char name[32];
	int rc = 0;

	for (unsigned int i = 0; i < count && !rc; i++) {
		snprintf(name, sizeof(name), "%s_%u", what, i);
		rc = npz_get(npz, name, &out[i], err);
	}
	return rc;
}

static int check_npz(const struct vectors_case *c, const struct vectors_runner *r, unsigned int most,
		     const struct vectors_bound *bound, struct error *err)
{
	struct npy in[MAX_TENSORS] = { 0 }, out[MAX_TENSORS] = { 0 };
	unsigned int count = c->count;
	struct npz *npz;
	size_t size;
	int rc;

	if (r->input_count > MAX_TENSORS || r->output_count > MAX_TENSORS)
		return error_set(err, -E2BIG, "more than %d inputs or outputs", MAX_TENSORS);
	rc = npz_open(c->npz, &npz, err);
	if (rc)
		return rc;
	rc = read_arrays(npz, "input", r->input_count, in, err);
	if (!rc)
		rc = read_arrays(npz, "output", r->output_count, out, err);
	npz_close(npz);
	if (!rc && !count) {
		r->input(r->model, 0, &size);
		count = (unsigned int)(in[0].size / size);
	}
	for (unsigned int v = 0; v < count && v < most && !rc; v++)
		rc = infer(r, in, out, v, count, bound, err);
	for (unsigned int i = 0; i < MAX_TENSORS; i++) {
		npy_free(&in[i]);
		npy_free(&out[i]);
	}
	return rc;
}

/* Of a model with one input and one output. */
static int check_file(const char *folder, unsigned int k, const struct vectors_runner *r,
		      const struct vectors_bound *bound, struct error *err)
{
	static const struct vectors_bound equal;
	struct npy in = { 0 }, out = { 0 };
	char path[VECTORS_PATH];
	int rc;

	snprintf(path, sizeof(path), "%s/input_%u.npy", folder, k);
	rc = npy_read(path, &in, err);
	snprintf(path, sizeof(path), "%s/output_%u.npy", folder, k);
	if (!rc)
		rc = npy_read(path, &out, err);
	if (!rc)
		rc = infer(r, &in, &out, 0, 1, bound, err);
	npy_free(&out);
	/* What Vela's lowering of the same gives, with the same tables: that to the bit. */
	snprintf(path, sizeof(path), "%s/vela_output_%u.npy", folder, k);
	if (!rc && !access(path, R_OK)) {
		rc = npy_read(path, &out, err);
		if (!rc)
			rc = compare(r, 0, &out, 0, 1, &equal, err);
		npy_free(&out);
	}
	npy_free(&in);
	return rc;
}

int vectors_check(const struct vectors_case *c, const struct vectors_runner *r, unsigned int most,
		  const struct vectors_bound *bound, struct error *err)
{
	char copy[VECTORS_PATH], path[2 * VECTORS_PATH];
	const char *folder;
	int rc = 0;

	if (c->npz)
		return check_npz(c, r, most, bound, err);
	snprintf(copy, sizeof(copy), "%s", c->model);
	folder = dirname(copy);
	for (unsigned int k = 0; k < most && !rc; k++) {
		snprintf(path, sizeof(path), "%s/input_%u.npy", folder, k);
		if (access(path, R_OK))
			break;
		rc = check_file(folder, k, r, bound, err);
	}
	return rc;
}

static void each_operator(const char *folder, const char *only,
			  void (*check)(void *ctx, const struct vectors_case *c), void *ctx)
{
	char path[VECTORS_PATH], npz[VECTORS_PATH];
	json_t *manifest, *entry;
	size_t i;

	snprintf(path, sizeof(path), "%s/ops/manifest.json", folder);
	manifest = json_load_file(path, 0, NULL);
	json_array_foreach(json_object_get(manifest, "models"), i, entry) {
		const char *name = json_string_value(json_object_get(entry, "name"));

		if (only && !strstr(name, only))
			continue;
		snprintf(path, sizeof(path), "%s/ops/%s/model.tflite", folder, name);
		snprintf(npz, sizeof(npz), "%s/ops/%s/io.npz", folder, name);
		check(ctx, &(struct vectors_case){ path, npz, 3, entry });
	}
	json_decref(manifest);
}

/* @archive: vectors are in NAME.npz, and models without are left out. */
static void each_model(const char *folder, const char *pattern, bool archive, const char *only,
		       void (*check)(void *ctx, const struct vectors_case *c), void *ctx)
{
	char path[VECTORS_PATH], npz[VECTORS_PATH];
	glob_t found;

	snprintf(path, sizeof(path), "%s/%s", folder, pattern);
	if (glob(path, 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *model = found.gl_pathv[i];

		if (only && !strstr(model + strlen(folder), only))
			continue;
		snprintf(npz, sizeof(npz), "%.*s.npz", (int)(strlen(model) - strlen(".tflite")), model);
		if (!archive || !access(npz, R_OK))
			check(ctx, &(struct vectors_case){ model, archive ? npz : NULL, 0, NULL });
	}
	globfree(&found);
}

void vectors_each(const char *folder, const char *only,
		  void (*check)(void *ctx, const struct vectors_case *c), void *ctx)
{
	each_operator(folder, only, check, ctx);
	each_model(folder, "*/model.tflite", false, only, check, ctx);
	each_model(folder, "seanet/*.tflite", true, only, check, ctx);
}
