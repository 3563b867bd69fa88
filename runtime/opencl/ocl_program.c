/* SPDX-License-Identifier: MIT */
/*
 * Programs: compiled models, or models that are compiled when they are built. The binary is a program
 * file (.accel), a TFLite file that Vela compiled, or a TFLite file.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/compile/compile_model.h"
#include "runtime/file.h"
#include "runtime/opencl/ocl_api.h"

static cl_program make(cl_context c)
{
	cl_program p = ocl_new(OCL_PROGRAM, sizeof(*p));

	if (!p)
		return NULL;
	p->status = CL_BUILD_NONE;
	ocl_lock();
	ocl_ref(c);
	p->context = c;
	ocl_unlock();
	return p;
}

static void drop(cl_program p)
{
	ocl_lock();
	ocl_release_program(p);
	ocl_unlock();
}

cl_program CL_API_CALL ocl_clCreateProgramWithBinary(cl_context c, cl_uint count,
						     const cl_device_id *devices, const size_t *sizes,
						     const unsigned char **binaries, cl_int *status,
						     cl_int *err)
{
	cl_int rc = CL_SUCCESS;
	cl_program p = NULL;

	if (!ocl_is(c, OCL_CONTEXT))
		rc = CL_INVALID_CONTEXT;
	else if (!count || !devices || !sizes || !binaries)
		rc = CL_INVALID_VALUE;
	for (cl_uint i = 0; i < count && !rc; i++) {
		if (!ocl_is(devices[i], OCL_DEVICE) || devices[i] != c->device)
			rc = CL_INVALID_DEVICE;
		else if (!sizes[i] || !binaries[i])
			rc = CL_INVALID_VALUE;
		if (status && rc == CL_INVALID_VALUE)
			status[i] = rc;
	}
	if (!rc && !(p = make(c)))
		rc = CL_OUT_OF_HOST_MEMORY;
	if (!rc) {
		p->binary = malloc(sizes[0]);
		if (p->binary) {
			memcpy(p->binary, binaries[0], sizes[0]);
			p->binary_size = sizes[0];
		} else {
			drop(p);
			p = NULL;
			rc = CL_OUT_OF_HOST_MEMORY;
		}
	}
	for (cl_uint i = 0; status && i < count && !rc; i++)
		status[i] = CL_SUCCESS;
	if (err)
		*err = rc;
	return p;
}

/* Kept, for those who ask for it; nothing can build it. */
cl_program CL_API_CALL ocl_clCreateProgramWithSource(cl_context c, cl_uint count, const char **strings,
						     const size_t *lengths, cl_int *err)
{
	cl_int rc = CL_SUCCESS;
	cl_program p = NULL;
	size_t total = 0;

	if (!ocl_is(c, OCL_CONTEXT))
		rc = CL_INVALID_CONTEXT;
	else if (!count || !strings)
		rc = CL_INVALID_VALUE;
	for (cl_uint i = 0; i < count && !rc; i++) {
		if (!strings[i])
			rc = CL_INVALID_VALUE;
		else
			total += lengths && lengths[i] ? lengths[i] : strlen(strings[i]);
	}
	if (!rc && !(p = make(c)))
		rc = CL_OUT_OF_HOST_MEMORY;
	if (!rc && !(p->source = calloc(1, total + 1))) {
		drop(p);
		p = NULL;
		rc = CL_OUT_OF_HOST_MEMORY;
	}
	total = 0;
	for (cl_uint i = 0; i < count && !rc; i++) {
		size_t n = lengths && lengths[i] ? lengths[i] : strlen(strings[i]);

		memcpy(p->source + total, strings[i], n);
		total += n;
	}
	if (err)
		*err = rc;
	return p;
}

void ocl_release_program(cl_program p)
{
	struct ocl_callback *next;

	if (!ocl_unref(p))
		return;
	for (struct ocl_callback *d = p->destructors; d; d = next) {
		void(CL_CALLBACK *call)(cl_program, void *) =
			(void(CL_CALLBACK *)(cl_program, void *))d->function;

		next = d->next;
		ocl_unlock();
		call(p, d->data);
		ocl_lock();
		free(d);
	}
	for (unsigned int i = 0; i < p->entry_count; i++) {
		model_close(p->entries[i].model);
		pthread_mutex_destroy(&p->entries[i].running);
	}
	free(p->entries);
	free(p->binary);
	free(p->source);
	ocl_release_context(p->context);
	ocl_dead(p);
}

cl_int CL_API_CALL ocl_clRetainProgram(cl_program p)
{
	return ocl_own(p, OCL_PROGRAM) ? CL_SUCCESS : CL_INVALID_PROGRAM;
}

cl_int CL_API_CALL ocl_clReleaseProgram(cl_program p)
{
	bool ok;

	ocl_lock();
	ok = ocl_disown(p, OCL_PROGRAM);
	if (ok)
		ocl_release_program(p);
	ocl_unlock();
	return ok ? CL_SUCCESS : CL_INVALID_PROGRAM;
}

cl_int CL_API_CALL ocl_clSetProgramReleaseCallback(cl_program p,
						   void(CL_CALLBACK *function)(cl_program, void *),
						   void *data)
{
	(void)function;
	(void)data;
	return ocl_is(p, OCL_PROGRAM) ? CL_INVALID_OPERATION : CL_INVALID_PROGRAM;
}

/* Load a model into the device, to be run by a kernel of that name. */
static int add_entry(cl_program p, const char *name, struct image *image, struct error *err)
{
	struct ocl_entry *entry = &p->entries[p->entry_count];
	int rc = model_create(image, p->context->npu, &entry->model, err);

	if (rc)
		return rc;
	snprintf(entry->name, sizeof(entry->name), "%s", name);
	pthread_mutex_init(&entry->running, NULL);
	p->entry_count++;
	return 0;
}

static cl_int build(cl_program p)
{
	struct accel_device_info info = { .size = sizeof(info) };
	struct error err = { "" };
	struct image *image;
	void *copy;
	int rc;

	accel_device_get_info(p->context->npu, &info);
	copy = malloc(p->binary_size);
	if (!p->entries)
		p->entries = calloc(1, sizeof(*p->entries));
	if (!copy || !p->entries) {
		free(copy);
		return CL_OUT_OF_HOST_MEMORY;
	}
	memcpy(copy, p->binary, p->binary_size);
	rc = compile_bytes_for_device(copy, p->binary_size, "the binary", info.name, true, &image, &err);
	if (!rc)
		rc = add_entry(p, OCL_KERNEL_NAME, image, &err);
	ocl_lock();
	p->status = rc ? CL_BUILD_ERROR : CL_BUILD_SUCCESS;
	memcpy(p->log, err.text, sizeof(p->log));
	ocl_unlock();
	if (!rc)
		return CL_SUCCESS;
	return rc == -ENOMEM ? CL_OUT_OF_HOST_MEMORY : CL_INVALID_BINARY;
}

cl_int CL_API_CALL ocl_clBuildProgram(cl_program p, cl_uint count, const cl_device_id *devices,
				      const char *options,
				      void(CL_CALLBACK *notify)(cl_program, void *), void *data)
{
	cl_int rc;

	if (!ocl_is(p, OCL_PROGRAM))
		return CL_INVALID_PROGRAM;
	if (!devices != !count || (!notify && data))
		return CL_INVALID_VALUE;
	for (cl_uint i = 0; i < count; i++)
		if (!ocl_is(devices[i], OCL_DEVICE) || devices[i] != p->context->device)
			return CL_INVALID_DEVICE;
	if (p->source)
		return CL_COMPILER_NOT_AVAILABLE;
	if (p->kernels)
		return CL_INVALID_OPERATION;
	if (options && options[strspn(options, " ")])
		return CL_INVALID_BUILD_OPTIONS;
	/* What runs already needs no building; built-in kernels never do. */
	rc = p->entry_count ? CL_SUCCESS : build(p);
	if (notify)
		notify(p, data);
	return rc;
}

cl_int CL_API_CALL ocl_clCompileProgram(cl_program p, cl_uint count, const cl_device_id *devices,
					const char *options, cl_uint headers, const cl_program *list,
					const char **names,
					void(CL_CALLBACK *notify)(cl_program, void *), void *data)
{
	(void)count;
	(void)devices;
	(void)options;
	(void)headers;
	(void)list;
	(void)names;
	(void)notify;
	(void)data;
	return ocl_is(p, OCL_PROGRAM) ? CL_COMPILER_NOT_AVAILABLE : CL_INVALID_PROGRAM;
}

cl_program CL_API_CALL ocl_clLinkProgram(cl_context c, cl_uint count, const cl_device_id *devices,
					 const char *options, cl_uint n, const cl_program *list,
					 void(CL_CALLBACK *notify)(cl_program, void *), void *data,
					 cl_int *err)
{
	(void)count;
	(void)devices;
	(void)options;
	(void)n;
	(void)list;
	(void)notify;
	(void)data;
	if (err)
		*err = ocl_is(c, OCL_CONTEXT) ? CL_LINKER_NOT_AVAILABLE : CL_INVALID_CONTEXT;
	return NULL;
}

/* The model file of the built-in kernel whose name is the first @len bytes; NULL: there is none. */
static const char *built_in_path(const char *name, size_t len)
{
	const char *known, *path;

	for (unsigned int i = 0; (known = ocl_built_in(i, &path)); i++)
		if (strlen(known) == len && !memcmp(known, name, len))
			return path;
	return NULL;
}

/* How many names of built-in kernels there are; 0: one is of no such kernel. */
static unsigned int count_names(const char *names)
{
	for (unsigned int n = 1;; n++, names++) {
		size_t len = strcspn(names, ";");

		if (!built_in_path(names, len))
			return 0;
		names += len;
		if (!*names)
			return n;
	}
}

/* Compile the models of kernels that there are. */
static cl_int add_built_ins(cl_program p, const char *names)
{
	struct accel_device_info info = { .size = sizeof(info) };
	char name[CL_NAME_VERSION_MAX_NAME_SIZE];
	struct error err;
	int rc = 0;

	accel_device_get_info(p->context->npu, &info);
	while (*names && !rc) {
		size_t len = strcspn(names, ";"), size;
		struct image *image;
		void *data;

		snprintf(name, sizeof(name), "%.*s", (int)len, names);
		rc = file_read(built_in_path(names, len), &data, &size, &err);
		if (!rc)
			rc = compile_bytes_for_device(data, size, name, info.name, true, &image, &err);
		if (!rc)
			rc = add_entry(p, name, image, &err);
		names += len;
		names += *names == ';';
	}
	if (rc && p->context->notify)
		p->context->notify(err.text, NULL, 0, p->context->notify_data);
	p->status = CL_BUILD_SUCCESS;
	return !rc ? CL_SUCCESS : rc == -ENOMEM ? CL_OUT_OF_HOST_MEMORY : CL_OUT_OF_RESOURCES;
}

cl_program CL_API_CALL ocl_clCreateProgramWithBuiltInKernels(cl_context c, cl_uint count,
							     const cl_device_id *devices,
							     const char *names, cl_int *err)
{
	unsigned int kernels = 0;
	cl_program p = NULL;
	cl_int rc = CL_SUCCESS;

	if (!ocl_is(c, OCL_CONTEXT))
		rc = CL_INVALID_CONTEXT;
	else if (!count || !devices || !names)
		rc = CL_INVALID_VALUE;
	for (cl_uint i = 0; i < count && !rc; i++)
		if (!ocl_is(devices[i], OCL_DEVICE) || devices[i] != c->device)
			rc = CL_INVALID_DEVICE;
	if (!rc && !(kernels = count_names(names)))
		rc = CL_INVALID_VALUE;
	if (!rc && !(p = make(c)))
		rc = CL_OUT_OF_HOST_MEMORY;
	if (!rc && !(p->entries = calloc(kernels, sizeof(*p->entries))))
		rc = CL_OUT_OF_HOST_MEMORY;
	if (!rc)
		rc = add_built_ins(p, names);
	if (rc && p) {
		drop(p);
		p = NULL;
	}
	if (err)
		*err = rc;
	return p;
}

cl_program CL_API_CALL ocl_clCreateProgramWithIL(cl_context c, const void *il, size_t len, cl_int *err)
{
	(void)il;
	(void)len;
	if (err)
		*err = ocl_is(c, OCL_CONTEXT) ? CL_INVALID_OPERATION : CL_INVALID_CONTEXT;
	return NULL;
}

cl_int CL_API_CALL ocl_clUnloadCompiler(void)
{
	return CL_SUCCESS;
}

cl_int CL_API_CALL ocl_clUnloadPlatformCompiler(cl_platform_id p)
{
	return ocl_is(p, OCL_PLATFORM) ? CL_SUCCESS : CL_INVALID_PLATFORM;
}

static cl_int give_binary(cl_program p, size_t room, void *value, size_t *size)
{
	unsigned char **to = value;

	if (value && room < sizeof(*to))
		return CL_INVALID_VALUE;
	if (value && *to && p->binary)
		memcpy(*to, p->binary, p->binary_size);
	if (size)
		*size = sizeof(*to);
	return CL_SUCCESS;
}

static cl_int kernel_names(cl_program p, size_t room, void *value, size_t *size)
{
	char *text = NULL;
	size_t len = 0;
	cl_int rc = CL_OUT_OF_HOST_MEMORY;
	FILE *f = open_memstream(&text, &len);

	for (unsigned int i = 0; f && i < p->entry_count; i++)
		fprintf(f, "%s%s", i ? ";" : "", p->entries[i].name);
	if (f && !fclose(f))
		rc = ocl_give_text(room, value, size, text);
	free(text);
	return rc;
}

cl_int CL_API_CALL ocl_clGetProgramInfo(cl_program p, cl_program_info what, size_t room, void *value,
					size_t *size)
{
	const cl_bool no = CL_FALSE;
	const cl_uint one_device = 1;
	size_t kernels;

	if (!ocl_is(p, OCL_PROGRAM))
		return CL_INVALID_PROGRAM;
	switch (what) {
	case CL_PROGRAM_REFERENCE_COUNT:
		return ocl_give(room, value, size, &p->object.references, sizeof(cl_uint));
	case CL_PROGRAM_CONTEXT:
		return ocl_give(room, value, size, &p->context, sizeof(p->context));
	case CL_PROGRAM_NUM_DEVICES:
		return ocl_give(room, value, size, &one_device, sizeof(one_device));
	case CL_PROGRAM_DEVICES:
		return ocl_give(room, value, size, &p->context->device, sizeof(cl_device_id));
	case CL_PROGRAM_SOURCE:
		return ocl_give_text(room, value, size, p->source ? p->source : "");
	case CL_PROGRAM_IL:
		return ocl_give(room, value, size, NULL, 0);
	case CL_PROGRAM_BINARY_SIZES:
		return ocl_give(room, value, size, &p->binary_size, sizeof(p->binary_size));
	case CL_PROGRAM_BINARIES:
		return give_binary(p, room, value, size);
	case CL_PROGRAM_NUM_KERNELS:
		kernels = p->entry_count;
		return kernels ? ocl_give(room, value, size, &kernels, sizeof(kernels)) :
				 CL_INVALID_PROGRAM_EXECUTABLE;
	case CL_PROGRAM_KERNEL_NAMES:
		return p->entry_count ? kernel_names(p, room, value, size) :
					CL_INVALID_PROGRAM_EXECUTABLE;
	case CL_PROGRAM_SCOPE_GLOBAL_CTORS_PRESENT:
	case CL_PROGRAM_SCOPE_GLOBAL_DTORS_PRESENT:
		return ocl_give(room, value, size, &no, sizeof(no));
	default:
		return CL_INVALID_VALUE;
	}
}

cl_int CL_API_CALL ocl_clGetProgramBuildInfo(cl_program p, cl_device_id d, cl_program_build_info what,
					     size_t room, void *value, size_t *size)
{
	cl_program_binary_type type;
	const size_t none = 0;

	if (!ocl_is(p, OCL_PROGRAM))
		return CL_INVALID_PROGRAM;
	if (!ocl_is(d, OCL_DEVICE) || d != p->context->device)
		return CL_INVALID_DEVICE;
	switch (what) {
	case CL_PROGRAM_BUILD_STATUS:
		return ocl_give(room, value, size, &p->status, sizeof(p->status));
	case CL_PROGRAM_BUILD_OPTIONS:
		return ocl_give_text(room, value, size, "");
	case CL_PROGRAM_BUILD_LOG:
		return ocl_give_text(room, value, size, p->log);
	case CL_PROGRAM_BINARY_TYPE:
		type = p->entry_count ? CL_PROGRAM_BINARY_TYPE_EXECUTABLE : CL_PROGRAM_BINARY_TYPE_NONE;
		return ocl_give(room, value, size, &type, sizeof(type));
	case CL_PROGRAM_BUILD_GLOBAL_VARIABLE_TOTAL_SIZE:
		return ocl_give(room, value, size, &none, sizeof(none));
	default:
		return CL_INVALID_VALUE;
	}
}
