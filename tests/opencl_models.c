/* SPDX-License-Identifier: MIT */
/*
 * Tests: every model through OpenCL, as an application would run it: what Vela compiled, against what TFLite
 * (or, where Vela's lowering differs, the stream itself) gives, and TFLite models, which are compiled when they
 * are built, against TFLite.
 *
 * usage: opencl_models [-w] FOLDER...	(as for tests/models.c; devices: $ACCEL_OPENCL_DEVICES)
 * -w: whole models only, no single operators.
 * Exit status: 0 all passed, 1 not, 77 no models.
 */
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <CL/cl.h>
#include <errno.h>
#include <glob.h>
#include <jansson.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/file.h"
#include "runtime/npy.h"
#include "runtime/opencl/accel_ext.h"
#include "tests/vectors.h"

#define MAX_ARGS	32
#define MAX_DEVICES	16
#define PATH_ROOM	(PATH_MAX + 32)
#define EXIT_SKIP	77

struct npu {
	char name[64];
	cl_device_id device;
	cl_context context;
	cl_command_queue queue;
};

struct suite {
	const char *folder;
	struct npu npus[MAX_DEVICES];
	unsigned int npu_count;
	const struct npu *npu;	/* that TFLite models are being tried on */
	bool whole;
	unsigned int copied, floats;
	unsigned int passed, failed, skipped;
};

/* A model on a device. */
struct loaded {
	const struct npu *npu;
	cl_program program;
	cl_kernel kernel;
	cl_uint args, inputs;
	cl_mem buffers[MAX_ARGS];
	size_t sizes[MAX_ARGS];
};

static int find_devices(struct suite *s)
{
	cl_device_id devices[MAX_DEVICES];
	cl_platform_id all[16];
	cl_uint platforms, count;
	char name[64];
	cl_int err;

	if (clGetPlatformIDs(16, all, &platforms))
		return -ENODEV;
	for (cl_uint p = 0; p < platforms; p++) {
		clGetPlatformInfo(all[p], CL_PLATFORM_NAME, sizeof(name), name, NULL);
		if (strcmp(name, "accel") ||
		    clGetDeviceIDs(all[p], CL_DEVICE_TYPE_ALL, MAX_DEVICES, devices, &count))
			continue;
		for (cl_uint d = 0; d < count && d < MAX_DEVICES; d++) {
			struct npu *n = &s->npus[s->npu_count++];

			n->device = devices[d];
			clGetDeviceInfo(devices[d], CL_DEVICE_NAME, sizeof(n->name), n->name, NULL);
			n->context = clCreateContext(NULL, 1, &devices[d], NULL, NULL, &err);
			if (err)
				return -ENODEV;
			n->queue = clCreateCommandQueue(n->context, devices[d], 0, &err);
		}
	}
	return s->npu_count ? 0 : -ENODEV;
}

static const struct npu *npu(const struct suite *s, const char *config)
{
	for (unsigned int i = 0; i < s->npu_count; i++)
		if (!strcmp(s->npus[i].name + strlen("ethos-"), config))
			return &s->npus[i];
	return NULL;
}

static void unload(struct loaded *l)
{
	for (cl_uint i = 0; i < l->args; i++)
		if (l->buffers[i])
			clReleaseMemObject(l->buffers[i]);
	if (l->kernel)
		clReleaseKernel(l->kernel);
	if (l->program)
		clReleaseProgram(l->program);
}

static int load(const struct npu *n, const char *path, struct loaded *l, struct error *err)
{
	const unsigned char *bytes;
	cl_kernel_arg_type_qualifier q;
	cl_int rc;
	void *data;
	size_t size;

	memset(l, 0, sizeof(*l));
	l->npu = n;
	if (file_read(path, &data, &size, err))
		return -EIO;
	bytes = data;
	l->program = clCreateProgramWithBinary(n->context, 1, &n->device, &size, &bytes, NULL, &rc);
	free(data);
	if (!rc && clBuildProgram(l->program, 0, NULL, NULL, NULL, NULL)) {
		clGetProgramBuildInfo(l->program, n->device, CL_PROGRAM_BUILD_LOG, sizeof(err->text),
				      err->text, NULL);
		return -EINVAL;
	}
	l->kernel = rc ? NULL : clCreateKernel(l->program, "run", &rc);
	if (rc || clGetKernelInfo(l->kernel, CL_KERNEL_NUM_ARGS, sizeof(l->args), &l->args, NULL) ||
	    l->args > MAX_ARGS)
		return error_set(err, -EINVAL, "OpenCL error %d, %u arguments", rc, l->args);
	for (cl_uint i = 0; i < l->args; i++) {
		clGetKernelArgInfo(l->kernel, i, CL_KERNEL_ARG_TYPE_QUALIFIER, sizeof(q), &q, NULL);
		l->inputs += q == CL_KERNEL_ARG_TYPE_CONST;
		clGetKernelArgInfo(l->kernel, i, CL_KERNEL_ARG_TENSOR_SIZE_ACCEL, sizeof(size_t),
				   &l->sizes[i], NULL);
		l->buffers[i] = clCreateBuffer(n->context, CL_MEM_READ_WRITE, l->sizes[i], NULL, &rc);
		if (rc || clSetKernelArg(l->kernel, i, sizeof(cl_mem), &l->buffers[i]))
			return error_set(err, -EINVAL, "argument %u of %zu bytes", i, l->sizes[i]);
	}
	return 0;
}

/* One inference; @arrays: inputs, then outputs, of @vectors stacked ones. */
static int infer(const struct loaded *l, const struct npy *arrays, unsigned int vector,
		 unsigned int vectors, struct error *err)
{
	const size_t one = 1;
	uint8_t *got;
	int rc = 0;

	for (cl_uint i = 0; i < l->args; i++)
		if (arrays[i].size != l->sizes[i] * vectors)
			return error_set(err, -EINVAL, "the vectors do not fit argument %u", i);
	for (cl_uint i = 0; i < l->inputs; i++)
		if (clEnqueueWriteBuffer(l->npu->queue, l->buffers[i], CL_FALSE, 0, l->sizes[i],
					 (uint8_t *)arrays[i].data + vector * l->sizes[i], 0, NULL, NULL))
			return error_set(err, -EIO, "argument %u cannot be written", i);
	if (clEnqueueNDRangeKernel(l->npu->queue, l->kernel, 1, NULL, &one, NULL, 0, NULL, NULL))
		return error_set(err, -EIO, "the kernel cannot be enqueued");
	for (cl_uint i = l->inputs; i < l->args && !rc; i++) {
		got = malloc(l->sizes[i] + 1);
		if (!got || clEnqueueReadBuffer(l->npu->queue, l->buffers[i], CL_TRUE, 0, l->sizes[i], got, 0,
						NULL, NULL))
			rc = error_set(err, -EIO, "argument %u cannot be read", i);
		else if (memcmp(got, (uint8_t *)arrays[i].data + vector * l->sizes[i], l->sizes[i]))
			rc = error_set(err, -EILSEQ, "vector %u: argument %u differs", vector, i);
		free(got);
	}
	return rc;
}

static void judge(struct suite *s, const char *path, int rc, const struct error *err)
{
	if (rc) {
		s->failed++;
		printf("FAIL %s: %s\n", path, err->text);
	} else {
		s->passed++;
	}
}

static int take(const char *file, const char *prefix, unsigned int count, struct npy *out,
		struct error *err)
{
	struct npz *npz;
	char name[32];
	int rc = npz_open(file, &npz, err);

	if (rc)
		return rc;
	for (unsigned int i = 0; i < count && !rc; i++) {
		snprintf(name, sizeof(name), "%s_%u", prefix, i);
		rc = npz_get(npz, name, &out[i], err);
	}
	npz_close(npz);
	return rc;
}

static void check_small(struct suite *s, const char *name, const char *config, const char *kind,
			unsigned int vectors)
{
	struct npy arrays[MAX_ARGS] = { 0 };
	const struct npu *n = npu(s, config);
	char path[PATH_ROOM], data[PATH_ROOM];
	struct error err = { "" };
	struct loaded l;
	int rc;

	if (!n || !strcmp(kind, "vela-undefined")) {
		s->skipped++;
		return;
	}
	snprintf(path, sizeof(path), "%s/ops/%s/vela-%s.tflite", s->folder, name, config);
	rc = load(n, path, &l, &err);
	snprintf(data, sizeof(data), "%s/ops/%s/io.npz", s->folder, name);
	if (!rc)
		rc = take(data, "input", l.inputs, arrays, &err);
	if (!strcmp(kind, "vela-specific"))
		snprintf(data, sizeof(data), "%s/ops/%s/expect-%s.npz", s->folder, name, config);
	if (!rc)
		rc = take(data, "output", l.args - l.inputs, arrays + l.inputs, &err);
	/* The program keeps a model's state: a fresh one for each vector, as the goldens have it. */
	for (unsigned int v = 0; v < vectors && !rc; v++) {
		rc = infer(&l, arrays, v, vectors, &err);
		if (rc || v + 1 == vectors)
			break;
		unload(&l);
		rc = load(n, path, &l, &err);
	}
	for (unsigned int i = 0; i < MAX_ARGS; i++)
		npy_free(&arrays[i]);
	unload(&l);
	judge(s, path, rc, &err);
}

static void check_manifest(struct suite *s)
{
	json_t *manifest, *entry, *kind;
	unsigned int vectors;
	char path[PATH_ROOM];
	const char *config;
	size_t i;

	snprintf(path, sizeof(path), "%s/ops/manifest.json", s->folder);
	manifest = json_load_file(path, 0, NULL);
	if (!manifest)
		return;
	vectors = (unsigned int)json_integer_value(json_object_get(manifest, "vectors_per_model"));
	json_array_foreach(json_object_get(manifest, "models"), i, entry)
		json_object_foreach(json_object_get(entry, "exact"), config, kind)
			check_small(s, json_string_value(json_object_get(entry, "name")), config,
				    json_string_value(kind), vectors);
	json_decref(manifest);
}

/* A fresh program for each vector, as above. */
static void check_whole(struct suite *s, const char *path)
{
	char folder[PATH_MAX], data[PATH_ROOM], config[32];
	struct npy arrays[MAX_ARGS] = { 0 };
	struct error err = { "" };
	const struct npu *n;
	struct loaded l;
	unsigned int k;
	int rc = 0;

	snprintf(folder, sizeof(folder), "%s", path);
	dirname(folder);
	n = sscanf(strrchr(path, '/'), "/vela-ethos-%31[^.].tflite", config) == 1 ? npu(s, config) : NULL;
	if (!n) {
		s->skipped++;
		return;
	}
	for (k = 0; !rc; k++) {
		snprintf(data, sizeof(data), "%s/input_%u.npy", folder, k);
		if (access(data, R_OK))
			break;
		rc = load(n, path, &l, &err);
		if (!rc)
			rc = npy_read(data, &arrays[0], &err);
		snprintf(data, sizeof(data), "%s/vela_output_%u.npy", folder, k);
		if (access(data, R_OK))
			snprintf(data, sizeof(data), "%s/output_%u.npy", folder, k);
		if (!rc)
			rc = npy_read(data, &arrays[1], &err);
		if (!rc)
			rc = infer(&l, arrays, 0, 1, &err);
		npy_free(&arrays[0]);
		npy_free(&arrays[1]);
		memset(arrays, 0, 2 * sizeof(arrays[0]));
		unload(&l);
	}
	judge(s, path, rc ? rc : k ? 0 : error_set(&err, -EINVAL, "no vectors"), &err);
}

static void check_wholes(struct suite *s)
{
	char pattern[PATH_MAX];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/*/vela-ethos-*.tflite", s->folder);
	if (glob(pattern, 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		check_whole(s, found.gl_pathv[i]);
	globfree(&found);
}

/* ---- TFLite models ---- */

/* A model with memory of the application's for its arguments. */
struct tried {
	const struct npu *npu;
	const char *path;
	struct loaded l;
	uint8_t *host[MAX_ARGS];
	bool used;
};

static void *try_input(void *model, unsigned int i, size_t *size)
{
	struct tried *t = model;

	*size = t->l.sizes[i];
	return t->host[i];
}

static const void *try_output(void *model, unsigned int i, size_t *size)
{
	return try_input(model, ((struct tried *)model)->l.inputs + i, size);
}

/* State belongs to the program: a fresh one. */
static void try_reset(void *model)
{
	struct tried *t = model;
	struct error err;

	if (!t->used)
		return;
	unload(&t->l);
	if (load(t->npu, t->path, &t->l, &err))
		abort();
}

static int try_run(void *model, struct error *err)
{
	struct tried *t = model;
	struct loaded *l = &t->l;
	const size_t one = 1;
	cl_int rc = 0;

	t->used = true;
	for (cl_uint i = 0; i < l->inputs && !rc; i++)
		rc = clEnqueueWriteBuffer(l->npu->queue, l->buffers[i], CL_FALSE, 0, l->sizes[i], t->host[i], 0, NULL,
					  NULL);
	if (!rc)
		rc = clEnqueueNDRangeKernel(l->npu->queue, l->kernel, 1, NULL, &one, NULL, 0, NULL, NULL);
	for (cl_uint i = l->inputs; i < l->args && !rc; i++)
		rc = clEnqueueReadBuffer(l->npu->queue, l->buffers[i], CL_TRUE, 0, l->sizes[i], t->host[i], 0, NULL,
					 NULL);
	return rc ? error_set(err, -EIO, "OpenCL error %d", rc) : 0;
}

static void try_tflite(void *ctx, const struct vectors_case *c)
{
	const struct vectors_bound bound = vectors_bound(c->model);
	struct error err = { "" };
	struct suite *s = ctx;
	struct tried t = { .npu = s->npu, .path = c->model };
	struct vectors_runner r = { .model = &t, .input = try_input, .output = try_output, .reset = try_reset,
				    .run = try_run };
	cl_ulong copied = 0;
	int rc;

	/* Of some there is only what Vela made of them. */
	if ((s->whole && c->entry) || access(c->model, R_OK))
		return;
	rc = load(s->npu, c->model, &t.l, &err);
	if (rc && strstr(err.text, "is of floats")) {
		s->floats++;
		unload(&t.l);
		return;
	}
	for (cl_uint i = 0; i < t.l.args && !rc; i++) {
		t.host[i] = malloc(t.l.sizes[i] + 1);
		if (!t.host[i])
			rc = error_set(&err, -ENOMEM, "out of memory");
	}
	r.input_count = t.l.inputs;
	r.output_count = t.l.args - t.l.inputs;
	if (!rc)
		rc = vectors_check(c, &r, 1, &bound, &err);
	if (!rc)
		clGetKernelInfo(t.l.kernel, CL_KERNEL_COPIED_ACCEL, sizeof(copied), &copied, NULL);
	s->copied += copied != 0;
	unload(&t.l);
	for (cl_uint i = 0; i < t.l.args; i++)
		free(t.host[i]);
	judge(s, c->model, rc, &err);
}

int main(int argc, char **argv)
{
	struct suite s = { 0 };
	int opt;

	while ((opt = getopt(argc, argv, "w")) != -1)
		s.whole = opt == 'w';
	if (find_devices(&s)) {
		fprintf(stderr, "opencl_models: no device of the platform accel: $OCL_ICD_VENDORS, "
			"$ACCEL_OPENCL_DEVICES\n");
		return 1;
	}
	for (int i = optind; i < argc; i++) {
		s.folder = argv[i];
		if (!s.whole)
			check_manifest(&s);
		check_wholes(&s);
		for (unsigned int n = 0; n < s.npu_count; n++) {
			s.npu = &s.npus[n];
			vectors_each(s.folder, NULL, try_tflite, &s);
		}
	}
	for (unsigned int i = 0; i < s.npu_count; i++) {
		clReleaseCommandQueue(s.npus[i].queue);
		clReleaseContext(s.npus[i].context);
	}
	printf("opencl_models: %u passed, %u failed, %u skipped, %u of floats; %u compiled here copied arguments\n",
	       s.passed, s.failed, s.skipped, s.floats, s.copied);
	return s.failed ? 1 : s.passed ? 0 : EXIT_SKIP;
}
