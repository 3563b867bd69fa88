/* SPDX-License-Identifier: MIT */
/*
 * Tests: models through the whole of our compiler and the simulated NPU in strict mode: every byte as
 * TFLite's reference kernels give it.
 *
 * usage: compiled [-o] [-t CONFIG]... [-m part-of-name] [-n vectors] FOLDER
 * -o: with inputs and outputs in regions of their own.
 * FOLDER is laid out as ACCEL_MODELS. Exit 77: no models.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/compile/compile_model.h"
#include "runtime/file.h"
#include "runtime/model.h"
#include "tests/vectors.h"

#define MAX_TARGETS	16

struct suite {
	const char *targets[MAX_TARGETS];
	unsigned int target_count, vectors;
	unsigned int passed, failed, refused;
	const char *target;
	struct accel_device *device;
	bool own_io;
};

static void *input(void *model, unsigned int i, size_t *size)
{
	*size = image_tensor_size(model_input(model, i));
	return model_input_data(model, i);
}

static const void *output(void *model, unsigned int i, size_t *size)
{
	*size = image_tensor_size(model_output(model, i));
	return model_output_data(model, i);
}

static void reset(void *model)
{
	model_reset(model);
}

static int run(void *model, struct error *err)
{
	return model_run(model, err);
}

static void check(void *ctx, const struct vectors_case *c)
{
	const struct vectors_bound bound = vectors_bound(c->model);
	struct error err = { "" };
	struct suite *s = ctx;
	struct model *m = NULL;
	struct image *image;
	size_t size;
	void *data;
	int rc = file_read(c->model, &data, &size, &err);

	if (!rc)
		rc = compile_bytes_for_device(data, size, c->model, s->target, s->own_io, &image, &err);
	if (!rc)
		rc = model_create(image, s->device, &m, &err);
	if (rc == -ENOTSUP) {
		s->refused++;
		printf("cpu  %s %s: %s\n", s->target, c->model, err.text);
		return;
	}
	if (!rc)
		rc = vectors_check(c, &(struct vectors_runner){ m, model_input_count(m),
								model_output_count(m), input, output,
								reset, run },
				   s->vectors, &bound, &err);
	if (rc) {
		s->failed++;
		printf("FAIL %s %s: %s\n", s->target, c->model, err.text);
	} else {
		s->passed++;
		printf("ok   %s %s%s%s\n", s->target, c->model, bound.why ? ": " : "",
		       bound.why ? bound.why : "");
	}
	if (m)
		model_close(m);
}

static void check_target(struct suite *s, const char *folder, const char *only)
{
	struct accel_error why;
	char spec[64];

	snprintf(spec, sizeof(spec), "sim:ethos-%s,strict", s->target);
	if (accel_device_open(spec, &s->device, &why)) {
		fprintf(stderr, "compiled: %s: %s\n", spec, why.msg);
		exit(1);
	}
	vectors_each(folder, only, check, s);
	accel_device_unref(s->device);
}

int main(int argc, char **argv)
{
	struct suite s = { .vectors = 3 };
	const char *only = NULL;
	int opt;

	while ((opt = getopt(argc, argv, "ot:m:n:")) != -1) {
		if (opt == 'o')
			s.own_io = true;
		else if (opt == 'm')
			only = optarg;
		else if (opt == 'n')
			s.vectors = (unsigned int)atoi(optarg);
		else if (opt == 't' && s.target_count < MAX_TARGETS)
			s.targets[s.target_count++] = optarg;
	}
	if (!argv[optind] || access(argv[optind], R_OK)) {
		printf("SKIP compiled: no models, set ACCEL_MODELS\n");
		return VECTORS_SKIP;
	}
	if (!s.target_count) {
		static const char *const usual[] = { "u55-128", "u65-256", "u65-512", "u85-256",
						     "u85-1024" };

		for (; s.target_count < sizeof(usual) / sizeof(usual[0]); s.target_count++)
			s.targets[s.target_count] = usual[s.target_count];
	}
	for (unsigned int i = 0; i < s.target_count; i++) {
		s.target = s.targets[i];
		check_target(&s, argv[optind], only);
	}
	printf("compiled: %u passed, %u failed, %u refused for an operator that nothing can run\n",
	       s.passed, s.failed, s.refused);
	return s.failed != 0;
}
