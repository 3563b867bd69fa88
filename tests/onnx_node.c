// SPDX-License-Identifier: MIT
/*
 * The ONNX project's node tests: import, run on the CPU, compare with the outputs that they come with.
 *
 * usage: onnx_node [-v] [-w] [-m PASSES] [-a DIFFERENCE] FOLDER [CASE...]
 *
 * A case is a folder with model.onnx and test_data_set_N/{input,output}_N.pb. Inputs whose values the
 * importer needs are frozen, as its error says. What is refused counts as refused, by its reason; -w: graphs
 * as written, without the passes. -a: values may differ by so much. Fails if a case fails, or fewer pass than -m says.
 */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "onnx.pb-c.h"
#include "runtime/cpu/graph.h"
#include "runtime/file.h"
#include "runtime/onnx/onnx.h"

#define RTOL		1e-3
#define ATOL		1e-7	/* of ONNX's own runner */
#define FROZEN_MAX	16
#define REASON_MAX	400

struct tensor {
	char *name;
	int type;
	uint32_t ndim;
	int32_t shape[IR_MAX_DIMS];
	size_t count;
	void *data;
	double rtol;
};

struct reason {
	char text[120];
	unsigned int count;
};

struct run {
	unsigned int passed, failed, refused;
	struct reason reasons[REASON_MAX];
	unsigned int reason_count;
	bool verbose, as_written;
	double allowed;
};

enum { PASS, FAIL, REFUSED };

static void *read_message(const char *path, const ProtobufCMessageDescriptor *type)
{
	struct error err;
	void *data, *message;
	size_t size;

	if (file_read(path, &data, &size, &err))
		return NULL;
	message = protobuf_c_message_unpack(type, NULL, size, data);
	free(data);
	return message;
}

/* False: a type that is not looked at here. */
static bool element_type(int type, int *elem)
{
	static const struct { int onnx, elem; } types[] = {
		{ 1, ELEM_FLOAT32 }, { 2, ELEM_UINT8 }, { 3, ELEM_INT8 }, { 5, ELEM_INT16 },
		{ 6, ELEM_INT32 }, { 7, ELEM_INT64 }, { 9, ELEM_BOOL }, { 10, ELEM_FLOAT16 },
		{ 11, ELEM_FLOAT64 }, { 4, ELEM_UINT16 }, { 12, ELEM_UINT32 }, { 13, ELEM_UINT64 },
		{ 16, ELEM_BFLOAT16 },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].onnx == type) {
			*elem = types[i].elem;
			return true;
		}
	return false;
}

static double half(uint16_t bits)
{
	double fraction = bits & 1023, value;
	int exponent = bits >> 10 & 31;

	if (exponent == 31)
		value = bits & 1023 ? NAN : INFINITY;
	else
		value = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
	return bits & 0x8000 ? -value : value;
}

/* Numbers of other sizes are float32 in the graph. */
static void to_float(struct tensor *t)
{
	float *to;

	if (t->type != ELEM_FLOAT16 && t->type != ELEM_BFLOAT16 && t->type != ELEM_FLOAT64)
		return;
	to = calloc(t->count + 1, sizeof(*to));
	for (size_t i = 0; i < t->count; i++) {
		uint32_t bits = 0;

		if (t->type == ELEM_FLOAT64)
			to[i] = (float)((const double *)t->data)[i];
		else if (t->type == ELEM_FLOAT16)
			to[i] = (float)half(((const uint16_t *)t->data)[i]);
		else
			bits = (uint32_t)((const uint16_t *)t->data)[i] << 16;
		if (t->type == ELEM_BFLOAT16)
			memcpy(&to[i], &bits, sizeof(bits));
	}
	free(t->data);
	t->data = to;
	/* Of 8 bits: what the graph computes is not rounded to them. */
	if (t->type == ELEM_BFLOAT16)
		t->rtol = 1.0 / 256;
	t->type = ELEM_FLOAT32;
}

static bool read_tensor(const char *path, struct tensor *t)
{
	Onnx__TensorProto *pb = read_message(path, &onnx__tensor_proto__descriptor);
	size_t bytes;
	bool ok = false;

	memset(t, 0, sizeof(*t));
	t->rtol = RTOL;
	if (!pb || pb->n_dims > IR_MAX_DIMS || !element_type(pb->data_type, &t->type))
		goto out;
	t->name = strdup(pb->name ? pb->name : "");
	t->ndim = (uint32_t)pb->n_dims;
	t->count = 1;
	for (uint32_t i = 0; i < t->ndim; i++) {
		/* Sequences and optional tensors read as tensors that cannot be. */
		if (pb->dims[i] < 0 || pb->dims[i] > 1 << 20 || t->count > 1 << 28)
			goto out;
		t->shape[i] = (int32_t)pb->dims[i];
		t->count *= (size_t)pb->dims[i];
	}
	bytes = t->count * elem_size(t->type);
	t->data = calloc(1, bytes + 8);
	if (!bytes)
		;
	else if (pb->has_raw_data)
		memcpy(t->data, pb->raw_data.data, bytes < pb->raw_data.len ? bytes : pb->raw_data.len);
	else if (pb->n_float_data)
		memcpy(t->data, pb->float_data, bytes);
	else if (pb->n_double_data)
		memcpy(t->data, pb->double_data, bytes);
	else if (pb->n_int64_data)
		memcpy(t->data, pb->int64_data, bytes);
	else if (pb->n_uint64_data)
		for (size_t i = 0; i < pb->n_uint64_data && i < t->count; i++)
			memcpy((char *)t->data + i * elem_size(t->type), &pb->uint64_data[i],
			       elem_size(t->type));
	else
		for (size_t i = 0; i < pb->n_int32_data && i < t->count; i++)
			memcpy((char *)t->data + i * elem_size(t->type), &pb->int32_data[i],
			       elem_size(t->type));
	to_float(t);
	ok = true;
out:
	if (pb)
		onnx__tensor_proto__free_unpacked(pb, NULL);
	return ok;
}

static void free_tensor(struct tensor *t)
{
	free(t->name);
	free(t->data);
}

/* Text of the first difference, or NULL. */
static const char *compare(const struct run *r, const struct tensor *want,
			   const struct ir_tensor *t, const void *got, char *text, size_t len)
{
	const char *p = got, *q = want->data;
	size_t esize = elem_size(want->type);

	if (t->type != want->type) {
		snprintf(text, len, "type %s, not %s", elem_name(t->type), elem_name(want->type));
		return text;
	}
	if (t->ndim != want->ndim || memcmp(t->shape, want->shape, t->ndim * sizeof(t->shape[0]))) {
		snprintf(text, len, "has %u axes, first %d; not %u, %d", t->ndim, t->ndim ? t->shape[0] : 1,
			 want->ndim, want->ndim ? want->shape[0] : 1);
		return text;
	}
	for (size_t i = 0; i < want->count; i++) {
		float a, b;

		if (want->type != ELEM_FLOAT32) {
			if (!memcmp(p + i * esize, q + i * esize, esize) ||
			    (esize == 1 && abs((uint8_t)p[i] - (uint8_t)q[i]) <= r->allowed))
				continue;
			snprintf(text, len, "element %zu of %zu differs: byte %d, not %d", i, want->count,
				 p[i * esize], q[i * esize]);
			return text;
		}
		memcpy(&a, p + 4 * i, 4);
		memcpy(&b, q + 4 * i, 4);
		if ((isnan(a) && isnan(b)) || a == b ||
		    fabs((double)a - (double)b) <= r->allowed + want->rtol * fabs((double)b))
			continue;
		snprintf(text, len, "element %zu of %zu: %g, not %g", i, want->count, (double)a, (double)b);
		return text;
	}
	return NULL;
}

static void note_refusal(struct run *r, const char *why)
{
	const char *from = strstr(why, "): ");
	char text[120];
	unsigned int i;

	snprintf(text, sizeof(text), "%.110s", from ? from + 3 : why);
	for (i = 0; i < r->reason_count && strcmp(r->reasons[i].text, text);)
		i++;
	if (i == REASON_MAX)
		return;
	if (i == r->reason_count)
		strcpy(r->reasons[r->reason_count++].text, text);
	r->reasons[i].count++;
}

static int find_input(struct tensor *inputs, unsigned int count, const char *name)
{
	for (unsigned int i = 0; i < count; i++)
		if (inputs[i].name && !strcmp(inputs[i].name, name))
			return (int)i;
	return -1;
}

/* Import, freezing what has to be known. */
static int import(const struct run *r, const char *path, struct tensor *inputs, unsigned int count,
		  struct ir_graph **g, struct error *err)
{
	struct onnx_frozen frozen[FROZEN_MAX];
	char *wanted = NULL;
	struct onnx_options opt = { .frozen = frozen, .wanted = &wanted, .as_written = r->as_written };
	int rc;

	for (;;) {
		struct tensor *t;
		int i;

		rc = onnx_import(path, &opt, g, err);
		if (!rc || !wanted || opt.frozen_count == FROZEN_MAX)
			break;
		i = find_input(inputs, count, wanted);
		if (i < 0)
			break;
		t = &inputs[i];
		frozen[opt.frozen_count] = (struct onnx_frozen){ t->name, t->type, t->ndim, { 0 }, t->data };
		memcpy(frozen[opt.frozen_count++].shape, t->shape, sizeof(t->shape));
		free(wanted);
		wanted = NULL;
	}
	free(wanted);
	return rc;
}

static int run_graph(const struct run *r, const struct ir_graph *g, struct tensor *inputs,
		     unsigned int count, const char *folder, char *why, size_t len)
{
	struct cpu_graph *c;
	struct error err;
	int ret = PASS, rc;

	rc = cpu_graph_create(g, &c, &err);
	if (rc) {
		snprintf(why, len, "engine: %s", err.text);
		return rc == -ENOTSUP ? REFUSED : FAIL;
	}
	for (uint32_t i = 0; i < g->input_count; i++) {
		const struct ir_tensor *t = &g->tensors[g->inputs[i]];
		int k = find_input(inputs, count, t->name);

		if (k < 0) {
			snprintf(why, len, "no data for input %s", t->name);
			ret = FAIL;
		} else {
			memcpy(cpu_graph_tensor(c, g->inputs[i]), inputs[k].data, ir_tensor_bytes(t));
		}
	}
	if (ret == PASS && cpu_graph_run(c, &err)) {
		snprintf(why, len, "run: %s", err.text);
		ret = FAIL;
	}
	for (uint32_t i = 0; i < g->output_count && ret == PASS; i++) {
		char path[1200], text[160];
		const char *wrong;
		struct tensor want;

		snprintf(path, sizeof(path), "%s/output_%u.pb", folder, i);
		if (!read_tensor(path, &want)) {
			snprintf(why, len, "output %u of a type that the test does not read", i);
			ret = REFUSED;
		} else {
			wrong = compare(r, &want, &g->tensors[g->outputs[i]],
					cpu_graph_tensor(c, g->outputs[i]), text, sizeof(text));
			if (wrong) {
				snprintf(why, len, "output %u: %s", i, wrong);
				ret = FAIL;
			}
		}
		free_tensor(&want);
	}
	cpu_graph_free(c);
	return ret;
}

static int run_set(const struct run *r, const char *model, const char *folder,
		   const Onnx__GraphProto *graph, char *why, size_t len)
{
	unsigned int count = graph->n_input < 64 ? (unsigned int)graph->n_input : 64;
	struct tensor inputs[64];
	struct ir_graph *g;
	struct error err;
	int ret = PASS;

	memset(inputs, 0, sizeof(inputs));
	for (unsigned int i = 0; i < count; i++) {
		char path[1200];

		snprintf(path, sizeof(path), "%s/input_%u.pb", folder, i);
		/* The importer says what is wrong with those that cannot be read. */
		if (read_tensor(path, &inputs[i])) {
			free(inputs[i].name);
			inputs[i].name = strdup(graph->input[i]->name);
		}
	}
	ret = import(r, model, inputs, count, &g, &err);
	if (ret) {
		snprintf(why, len, "%s", err.text);
		ret = ret == -ENOTSUP ? REFUSED : FAIL;
	} else {
		ret = run_graph(r, g, inputs, count, folder, why, len);
		ir_free(g);
	}
	for (unsigned int i = 0; i < count; i++)
		free_tensor(&inputs[i]);
	return ret;
}

static void run_case(struct run *r, const char *base, const char *name)
{
	char path[1060], folder[1060], why[600] = "no data set";
	Onnx__ModelProto *pb;
	int ret = REFUSED;

	snprintf(path, sizeof(path), "%s/%s/model.onnx", base, name);
	pb = read_message(path, &onnx__model_proto__descriptor);
	if (!pb) {
		printf("FAIL %s: no model\n", name);
		r->failed++;
		return;
	}
	for (unsigned int set = 0; set < 20; set++) {
		snprintf(folder, sizeof(folder), "%s/%s/test_data_set_%u", base, name, set);
		if (access(folder, F_OK))
			break;
		ret = run_set(r, path, folder, pb->graph, why, sizeof(why));
		if (ret != PASS)
			break;
	}
	onnx__model_proto__free_unpacked(pb, NULL);
	r->passed += ret == PASS;
	r->failed += ret == FAIL;
	r->refused += ret == REFUSED;
	if (ret == REFUSED)
		note_refusal(r, strncmp(why, path, strlen(path)) ? why : why + strlen(path) + 2);
	if (ret == FAIL || r->verbose)
		printf("%s %s%s%s\n", ret == PASS ? "ok" : ret == FAIL ? "FAIL" : "refused", name,
		       ret == PASS ? "" : ": ", ret == PASS ? "" : why);
	fflush(stdout);
}

static int by_count(const void *a, const void *b)
{
	const struct reason *x = a, *y = b;

	return x->count != y->count ? (x->count < y->count ? 1 : -1) : strcmp(x->text, y->text);
}

static int is_case(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

int main(int argc, char **argv)
{
	static struct run r = { .allowed = ATOL };
	unsigned int least = 0;
	struct dirent **names;
	int opt, count;

	while ((opt = getopt(argc, argv, "vwm:a:")) != -1) {
		r.verbose |= opt == 'v';
		r.as_written |= opt == 'w';
		if (opt == 'a')
			r.allowed = strtod(optarg, NULL);
		if (opt == 'm')
			least = (unsigned int)atoi(optarg);
		if (opt == '?')
			return 2;
	}
	if (optind == argc)
		return 2;
	for (int i = optind + 1; i < argc; i++)
		run_case(&r, argv[optind], argv[i]);
	if (optind + 1 == argc) {
		count = scandir(argv[optind], &names, is_case, alphasort);
		if (count < 0) {
			perror(argv[optind]);
			return 2;
		}
		for (int i = 0; i < count; i++) {
			run_case(&r, argv[optind], names[i]->d_name);
			free(names[i]);
		}
		free(names);
	}
	qsort(r.reasons, r.reason_count, sizeof(r.reasons[0]), by_count);
	for (unsigned int i = 0; i < r.reason_count; i++)
		printf("%5u refused: %s\n", r.reasons[i].count, r.reasons[i].text);
	printf("ONNX node cases: %u pass, %u fail, %u refused\n", r.passed, r.failed, r.refused);
	if (r.passed < least)
		printf("FAIL: fewer than %u pass\n", least);
	return r.failed || r.passed < least;
}
