/* SPDX-License-Identifier: MIT */
/* Kernels: a model to run. Arguments are buffers, the model's inputs, then its outputs. */
#include <stdlib.h>
#include <string.h>

#include "runtime/opencl/accel_ext.h"
#include "runtime/opencl/ocl_api.h"

static unsigned int inputs(const struct _cl_kernel *k)
{
	return model_input_count(k->entry->model);
}

static const struct image_tensor *tensor(const struct _cl_kernel *k, unsigned int arg)
{
	unsigned int n = inputs(k);

	return arg < n ? model_input(k->entry->model, arg) : model_output(k->entry->model, arg - n);
}

static cl_kernel make(cl_program p, struct ocl_entry *entry)
{
	cl_kernel k = ocl_new(OCL_KERNEL, sizeof(*k));

	if (!k)
		return NULL;
	k->entry = entry;
	k->arg_count = model_input_count(entry->model) + model_output_count(entry->model);
	k->args = calloc(k->arg_count + 1, sizeof(*k->args));
	ocl_lock();
	if (!k->args) {
		ocl_dead(k);
		k = NULL;
	} else {
		ocl_ref(p);
		p->kernels++;
		k->program = p;
	}
	ocl_unlock();
	return k;
}

static struct ocl_entry *entry_of(cl_program p, const char *name)
{
	for (unsigned int i = 0; i < p->entry_count; i++)
		if (!strcmp(p->entries[i].name, name))
			return &p->entries[i];
	return NULL;
}

cl_kernel CL_API_CALL ocl_clCreateKernel(cl_program p, const char *name, cl_int *err)
{
	struct ocl_entry *entry;
	cl_int rc = CL_SUCCESS;
	cl_kernel k = NULL;

	if (!ocl_is(p, OCL_PROGRAM))
		rc = CL_INVALID_PROGRAM;
	else if (!p->entry_count)
		rc = CL_INVALID_PROGRAM_EXECUTABLE;
	else if (!name)
		rc = CL_INVALID_VALUE;
	else if (!(entry = entry_of(p, name)))
		rc = CL_INVALID_KERNEL_NAME;
	else if (!(k = make(p, entry)))
		rc = CL_OUT_OF_HOST_MEMORY;
	if (err)
		*err = rc;
	return k;
}

cl_int CL_API_CALL ocl_clCreateKernelsInProgram(cl_program p, cl_uint room, cl_kernel *out,
						cl_uint *count)
{
	if (!ocl_is(p, OCL_PROGRAM))
		return CL_INVALID_PROGRAM;
	if (!p->entry_count)
		return CL_INVALID_PROGRAM_EXECUTABLE;
	if (out && room < p->entry_count)
		return CL_INVALID_VALUE;
	for (unsigned int i = 0; out && i < p->entry_count; i++) {
		out[i] = make(p, &p->entries[i]);
		if (out[i])
			continue;
		while (i--)
			ocl_clReleaseKernel(out[i]);
		return CL_OUT_OF_HOST_MEMORY;
	}
	if (count)
		*count = p->entry_count;
	return CL_SUCCESS;
}

cl_kernel CL_API_CALL ocl_clCloneKernel(cl_kernel source, cl_int *err)
{
	cl_kernel k = NULL;
	cl_int rc = CL_SUCCESS;

	if (!ocl_is(source, OCL_KERNEL))
		rc = CL_INVALID_KERNEL;
	else if (!(k = make(source->program, source->entry)))
		rc = CL_OUT_OF_HOST_MEMORY;
	ocl_lock();
	for (unsigned int i = 0; k && i < k->arg_count; i++) {
		k->args[i] = source->args[i];
		if (k->args[i])
			ocl_ref(k->args[i]);
	}
	ocl_unlock();
	if (err)
		*err = rc;
	return k;
}

static void release_args(cl_mem *args, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if (args[i])
			ocl_release_mem(args[i]);
	free(args);
}

void ocl_release_kernel(cl_kernel k)
{
	if (!ocl_unref(k))
		return;
	release_args(k->args, k->arg_count);
	k->program->kernels--;
	ocl_release_program(k->program);
	ocl_dead(k);
}

cl_int CL_API_CALL ocl_clRetainKernel(cl_kernel k)
{
	return ocl_own(k, OCL_KERNEL) ? CL_SUCCESS : CL_INVALID_KERNEL;
}

cl_int CL_API_CALL ocl_clReleaseKernel(cl_kernel k)
{
	bool ok;

	ocl_lock();
	ok = ocl_disown(k, OCL_KERNEL);
	if (ok)
		ocl_release_kernel(k);
	ocl_unlock();
	return ok ? CL_SUCCESS : CL_INVALID_KERNEL;
}

cl_int CL_API_CALL ocl_clSetKernelArg(cl_kernel k, cl_uint index, size_t size, const void *value)
{
	cl_mem m;

	if (!ocl_is(k, OCL_KERNEL))
		return CL_INVALID_KERNEL;
	if (index >= k->arg_count)
		return CL_INVALID_ARG_INDEX;
	if (size != sizeof(cl_mem))
		return CL_INVALID_ARG_SIZE;
	if (!value)
		return CL_INVALID_ARG_VALUE;
	memcpy(&m, value, sizeof(m));
	if (!ocl_is(m, OCL_MEM) || m->context != k->program->context)
		return CL_INVALID_MEM_OBJECT;
	/* Shorter than the tensor: it could not hold it. */
	if (m->size < image_tensor_size(tensor(k, index)))
		return CL_INVALID_ARG_SIZE;
	ocl_lock();
	ocl_ref(m);
	if (k->args[index])
		ocl_release_mem(k->args[index]);
	k->args[index] = m;
	ocl_unlock();
	return CL_SUCCESS;
}

/* ---- running ---- */

/* Do two arguments have a byte in common? */
static bool overlap(const struct ocl_launch *l, unsigned int a, unsigned int b)
{
	uint64_t at = ocl_mem_offset(l->args[a]), from = ocl_mem_offset(l->args[b]);

	return l->args[a]->buffer == l->args[b]->buffer &&
	       at < from + image_tensor_size(tensor(l->kernel, b)) &&
	       from < at + image_tensor_size(tensor(l->kernel, a));
}

/* An input that an output is to take the place of, or one of two outputs for one place. */
static bool is_in_the_way(const struct ocl_launch *l, unsigned int arg)
{
	for (unsigned int i = inputs(l->kernel); i < l->kernel->arg_count; i++)
		if (i != arg && overlap(l, arg, i))
			return true;
	return false;
}

/* Let the NPU have the argument where it is, if it can. */
static bool bind(const struct ocl_launch *l, unsigned int arg)
{
	struct model *m = l->kernel->entry->model;
	const struct image_tensor *t = tensor(l->kernel, arg);
	cl_mem mem = l->args[arg];

	if (t->place != IMAGE_OWN)
		return false;
	if (!is_in_the_way(l, arg) && !model_bind(m, t, mem->buffer, ocl_mem_offset(mem)))
		return true;
	model_bind(m, t, NULL, 0);
	return false;
}

static cl_int run(cl_event e)
{
	const struct ocl_launch *l = &e->launch;
	struct ocl_entry *entry = l->kernel->entry;
	unsigned int n = inputs(l->kernel);
	cl_ulong copied = 0;
	struct error err;
	int rc;

	/* The model's memory is one: two launches of it do not overlap. */
	pthread_mutex_lock(&entry->running);
	for (unsigned int i = 0; i < l->kernel->arg_count; i++) {
		size_t size = image_tensor_size(tensor(l->kernel, i));

		l->bound[i] = bind(l, i);
		if (l->bound[i])
			continue;
		copied += size;
		if (i < n)
			memcpy(model_input_data(entry->model, i), ocl_mem_data(l->args[i]), size);
	}
	rc = model_run(entry->model, &err);
	for (unsigned int i = n; i < l->kernel->arg_count && !rc; i++)
		if (!l->bound[i])
			memcpy(ocl_mem_data(l->args[i]), model_output_data(entry->model, i - n),
			       image_tensor_size(tensor(l->kernel, i)));
	__atomic_store_n(&l->kernel->copied, copied, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&entry->running);
	return rc ? CL_OUT_OF_RESOURCES : CL_SUCCESS;
}

static void release(cl_event e)
{
	release_args(e->launch.args, e->launch.kernel->arg_count);
	free(e->launch.bound);
	ocl_release_kernel(e->launch.kernel);
}

/* A model is one work-item. */
static cl_int check_range(cl_uint dims, const size_t *offset, const size_t *global, const size_t *local)
{
	if (dims < 1 || dims > 3)
		return CL_INVALID_WORK_DIMENSION;
	if (!global)
		return CL_INVALID_GLOBAL_WORK_SIZE;
	for (cl_uint i = 0; i < dims; i++) {
		if (global[i] != 1)
			return CL_INVALID_GLOBAL_WORK_SIZE;
		if (offset && offset[i])
			return CL_INVALID_GLOBAL_OFFSET;
		if (local && local[i] != 1)
			return CL_INVALID_WORK_GROUP_SIZE;
	}
	return CL_SUCCESS;
}

static cl_int check_launch(cl_command_queue q, cl_kernel k, cl_uint dims, const size_t *offset,
			   const size_t *global, const size_t *local)
{
	cl_int rc;

	if (!ocl_is(q, OCL_QUEUE))
		return CL_INVALID_COMMAND_QUEUE;
	if (!ocl_is(k, OCL_KERNEL))
		return CL_INVALID_KERNEL;
	if (k->program->context != q->context)
		return CL_INVALID_CONTEXT;
	rc = check_range(dims, offset, global, local);
	for (unsigned int i = 0; i < k->arg_count && !rc; i++)
		if (!k->args[i])
			rc = CL_INVALID_KERNEL_ARGS;
	return rc;
}

cl_event ocl_launch(cl_command_queue q, cl_command_type type, cl_kernel k, cl_uint dims,
		    const size_t *offset, const size_t *global, const size_t *local, cl_uint count,
		    const cl_event *waits, cl_int *err)
{
	bool *bound;
	cl_mem *args;
	cl_event e;

	*err = check_launch(q, k, dims, offset, global, local);
	if (*err)
		return NULL;
	args = calloc(k->arg_count + 1, sizeof(*args));
	bound = calloc(k->arg_count + 1, sizeof(*bound));
	*err = CL_OUT_OF_HOST_MEMORY;
	e = args && bound ? ocl_command(q, type, waits, count, err) : NULL;
	if (!e) {
		free(args);
		free(bound);
		return NULL;
	}
	ocl_lock();
	ocl_ref(k);
	for (unsigned int i = 0; i < k->arg_count; i++) {
		args[i] = k->args[i];
		ocl_ref(args[i]);
	}
	ocl_unlock();
	e->launch = (struct ocl_launch){ k, args, bound };
	e->run = run;
	e->release = release;
	return e;
}

cl_int CL_API_CALL ocl_clEnqueueNDRangeKernel(cl_command_queue q, cl_kernel k, cl_uint dims,
					      const size_t *offset, const size_t *global,
					      const size_t *local, cl_uint count,
					      const cl_event *waits, cl_event *out)
{
	cl_int rc;
	cl_event e = ocl_launch(q, CL_COMMAND_NDRANGE_KERNEL, k, dims, offset, global, local, count,
				waits, &rc);

	return e ? ocl_enqueue(e, false, out) : rc;
}

cl_int CL_API_CALL ocl_clEnqueueTask(cl_command_queue q, cl_kernel k, cl_uint count,
				     const cl_event *waits, cl_event *out)
{
	const size_t one = 1;
	cl_int rc;
	cl_event e = ocl_launch(q, CL_COMMAND_TASK, k, 1, NULL, &one, NULL, count, waits, &rc);

	return e ? ocl_enqueue(e, false, out) : rc;
}

/* ---- queries ---- */

cl_int CL_API_CALL ocl_clGetKernelInfo(cl_kernel k, cl_kernel_info what, size_t room, void *value,
				       size_t *size)
{
	cl_ulong copied;

	if (!ocl_is(k, OCL_KERNEL))
		return CL_INVALID_KERNEL;
	switch (what) {
	case CL_KERNEL_COPIED_ACCEL:
		copied = __atomic_load_n(&k->copied, __ATOMIC_RELAXED);
		return ocl_give(room, value, size, &copied, sizeof(copied));
	case CL_KERNEL_FUNCTION_NAME:
		return ocl_give_text(room, value, size, k->entry->name);
	case CL_KERNEL_NUM_ARGS:
		return ocl_give(room, value, size, &k->arg_count, sizeof(cl_uint));
	case CL_KERNEL_REFERENCE_COUNT:
		return ocl_give(room, value, size, &k->object.references, sizeof(cl_uint));
	case CL_KERNEL_CONTEXT:
		return ocl_give(room, value, size, &k->program->context, sizeof(cl_context));
	case CL_KERNEL_PROGRAM:
		return ocl_give(room, value, size, &k->program, sizeof(cl_program));
	case CL_KERNEL_ATTRIBUTES:
		return ocl_give_text(room, value, size, "reqd_work_group_size(1,1,1)");
	default:
		return CL_INVALID_VALUE;
	}
}

/* Shape, type and quantisation of an argument: queries of our own, accel_ext.h. */
static cl_int tensor_info(const struct image_tensor *t, cl_kernel_arg_info what, size_t room,
			  void *value, size_t *size)
{
	const size_t bytes = image_tensor_size(t);
	const cl_int zero = image_zero_point(t, 0);
	const cl_float scale = image_scale(t, 0);

	switch (what) {
	case CL_KERNEL_ARG_TENSOR_SHAPE_ACCEL:
		return ocl_give(room, value, size, t->shape, t->ndim * sizeof(t->shape[0]));
	case CL_KERNEL_ARG_TENSOR_TYPE_ACCEL:
		return ocl_give_text(room, value, size, elem_name(t->type));
	case CL_KERNEL_ARG_TENSOR_SIZE_ACCEL:
		return ocl_give(room, value, size, &bytes, sizeof(bytes));
	case CL_KERNEL_ARG_TENSOR_SCALE_ACCEL:
		return ocl_give(room, value, size, &scale, sizeof(scale));
	case CL_KERNEL_ARG_TENSOR_ZERO_POINT_ACCEL:
		return ocl_give(room, value, size, &zero, sizeof(zero));
	default:
		return CL_INVALID_VALUE;
	}
}

cl_int CL_API_CALL ocl_clGetKernelArgInfo(cl_kernel k, cl_uint index, cl_kernel_arg_info what,
					  size_t room, void *value, size_t *size)
{
	const cl_kernel_arg_address_qualifier address = CL_KERNEL_ARG_ADDRESS_GLOBAL;
	const cl_kernel_arg_access_qualifier access = CL_KERNEL_ARG_ACCESS_NONE;
	cl_kernel_arg_type_qualifier type;

	if (!ocl_is(k, OCL_KERNEL))
		return CL_INVALID_KERNEL;
	if (index >= k->arg_count)
		return CL_INVALID_ARG_INDEX;
	switch (what) {
	case CL_KERNEL_ARG_ADDRESS_QUALIFIER:
		return ocl_give(room, value, size, &address, sizeof(address));
	case CL_KERNEL_ARG_ACCESS_QUALIFIER:
		return ocl_give(room, value, size, &access, sizeof(access));
	case CL_KERNEL_ARG_TYPE_NAME:
		return ocl_give_text(room, value, size, "char*");
	case CL_KERNEL_ARG_TYPE_QUALIFIER:
		type = index < inputs(k) ? CL_KERNEL_ARG_TYPE_CONST : CL_KERNEL_ARG_TYPE_NONE;
		return ocl_give(room, value, size, &type, sizeof(type));
	case CL_KERNEL_ARG_NAME:
		return ocl_give_text(room, value, size, tensor(k, index)->name);
	default:
		return tensor_info(tensor(k, index), what, room, value, size);
	}
}

cl_int CL_API_CALL ocl_clGetKernelWorkGroupInfo(cl_kernel k, cl_device_id d,
						cl_kernel_work_group_info what, size_t room,
						void *value, size_t *size)
{
	static const size_t one[3] = { 1, 1, 1 };
	const cl_ulong none = 0;

	if (!ocl_is(k, OCL_KERNEL))
		return CL_INVALID_KERNEL;
	if (d && (!ocl_is(d, OCL_DEVICE) || d != k->program->context->device))
		return CL_INVALID_DEVICE;
	switch (what) {
	case CL_KERNEL_WORK_GROUP_SIZE:
	case CL_KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE:
		return ocl_give(room, value, size, one, sizeof(one[0]));
	case CL_KERNEL_COMPILE_WORK_GROUP_SIZE:
		return ocl_give(room, value, size, one, sizeof(one));
	case CL_KERNEL_LOCAL_MEM_SIZE:
	case CL_KERNEL_PRIVATE_MEM_SIZE:
		return ocl_give(room, value, size, &none, sizeof(none));
	default:
		return CL_INVALID_VALUE;
	}
}
