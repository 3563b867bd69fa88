/* SPDX-License-Identifier: MIT */
/*
 * Programs: compiled models, or models that are compiled when they are built. The binary is a program
 * file (.accel), a TFLite file that Vela compiled, or a TFLite file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/compile/compile_model.h"
#include "runtime/opencl/ocl_api.h"

static cl_program make(cl_context c)
{
	cl_program p = ocl_new(OCL_PROGRAM, sizeof(*p));

	if (!p)
		return NULL;
	p->status = CL_BUILD_NONE;
	pthread_mutex_init(&p->running, NULL);
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
	model_close(p->model);
	pthread_mutex_destroy(&p->running);
	free(p->binary);
	free(p->source);
	ocl_release_context(p->context);
	ocl_dead(p);
}

cl_int CL_API_CALL ocl_clRetainProgram(cl_program p)
{
	if (!ocl_is(p, OCL_PROGRAM))
		return CL_INVALID_PROGRAM;
	ocl_lock();
	ocl_ref(p);
	ocl_unlock();
	return CL_SUCCESS;
}

cl_int CL_API_CALL ocl_clReleaseProgram(cl_program p)
{
	if (!ocl_is(p, OCL_PROGRAM))
		return CL_INVALID_PROGRAM;
	drop(p);
	return CL_SUCCESS;
}

cl_int CL_API_CALL ocl_clSetProgramReleaseCallback(cl_program p,
						   void(CL_CALLBACK *function)(cl_program, void *),
						   void *data)
{
	(void)function;
	(void)data;
	return ocl_is(p, OCL_PROGRAM) ? CL_INVALID_OPERATION : CL_INVALID_PROGRAM;
}

/* Load it into the device. */
static cl_int build(cl_program p)
{
	struct accel_device_info info = { .size = sizeof(info) };
	struct error err = { "" };
	struct image *image;
	struct model *model;
	void *copy;
	int rc;

	accel_device_get_info(p->context->npu, &info);
	copy = malloc(p->binary_size);
	if (!copy)
		return CL_OUT_OF_HOST_MEMORY;
	memcpy(copy, p->binary, p->binary_size);
	rc = compile_bytes_for_device(copy, p->binary_size, "the binary", info.name, true, &image,
				      &err);
	if (!rc)
		rc = model_create(image, p->context->npu, &model, &err);
	ocl_lock();
	if (!rc) {
		p->model = model;
		p->status = CL_BUILD_SUCCESS;
	} else {
		p->status = CL_BUILD_ERROR;
	}
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
	if (!p->binary)
		return CL_COMPILER_NOT_AVAILABLE;
	if (p->kernels)
		return CL_INVALID_OPERATION;
	if (options && options[strspn(options, " ")])
		return CL_INVALID_BUILD_OPTIONS;
	rc = p->model ? CL_SUCCESS : build(p);
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

cl_program CL_API_CALL ocl_clCreateProgramWithBuiltInKernels(cl_context c, cl_uint count,
							     const cl_device_id *devices,
							     const char *names, cl_int *err)
{
	(void)count;
	(void)devices;
	(void)names;
	/* There are none. */
	if (err)
		*err = ocl_is(c, OCL_CONTEXT) ? CL_INVALID_VALUE : CL_INVALID_CONTEXT;
	return NULL;
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

cl_int CL_API_CALL ocl_clGetProgramInfo(cl_program p, cl_program_info what, size_t room, void *value,
					size_t *size)
{
	const cl_bool no = CL_FALSE;
	const cl_uint one_device = 1;
	const size_t one = 1;

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
		return p->model ? ocl_give(room, value, size, &one, sizeof(one)) :
				  CL_INVALID_PROGRAM_EXECUTABLE;
	case CL_PROGRAM_KERNEL_NAMES:
		return p->model ? ocl_give_text(room, value, size, OCL_KERNEL_NAME) :
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
		type = p->model ? CL_PROGRAM_BINARY_TYPE_EXECUTABLE : CL_PROGRAM_BINARY_TYPE_NONE;
		return ocl_give(room, value, size, &type, sizeof(type));
	case CL_PROGRAM_BUILD_GLOBAL_VARIABLE_TOTAL_SIZE:
		return ocl_give(room, value, size, &none, sizeof(none));
	default:
		return CL_INVALID_VALUE;
	}
}
