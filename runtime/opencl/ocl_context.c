/* SPDX-License-Identifier: MIT */
/* Contexts: of one device, which is opened here. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/opencl/ocl_api.h"

static cl_int check_properties(const cl_context_properties *p, size_t *count)
{
	*count = 0;
	if (!p)
		return CL_SUCCESS;
	for (; p[*count]; *count += 2) {
		if (*count + 2 >= sizeof(((cl_context)0)->properties) / sizeof(*p))
			return CL_INVALID_PROPERTY;
		if (p[*count] == CL_CONTEXT_PLATFORM) {
			if (!ocl_is((const void *)p[*count + 1], OCL_PLATFORM))
				return CL_INVALID_PLATFORM;
		} else if (p[*count] != CL_CONTEXT_INTEROP_USER_SYNC ||
			   (p[*count + 1] != CL_FALSE && p[*count + 1] != CL_TRUE)) {
			return CL_INVALID_PROPERTY;
		}
		for (size_t i = 0; i < *count; i += 2)
			if (p[i] == p[*count])
				return CL_INVALID_PROPERTY;
	}
	++*count;
	return CL_SUCCESS;
}

static cl_context make(const cl_context_properties *properties, cl_device_id device,
		       void(CL_CALLBACK *notify)(const char *, const void *, size_t, void *), void *data,
		       cl_int *err)
{
	struct accel_error why;
	cl_context c;
	size_t count;
	int rc;

	*err = check_properties(properties, &count);
	if (*err)
		return NULL;
	c = ocl_new(OCL_CONTEXT, sizeof(*c));
	if (!c) {
		*err = CL_OUT_OF_HOST_MEMORY;
		return NULL;
	}
	c->device = device;
	c->notify = notify;
	c->notify_data = data;
	c->property_count = count;
	if (count)
		memcpy(c->properties, properties, count * sizeof(*properties));
	rc = accel_device_open(device->info.spec, &c->npu, &why);
	if (rc) {
		if (notify)
			notify(why.msg, NULL, 0, data);
		c->npu = NULL;
		ocl_lock();
		ocl_release_context(c);
		ocl_unlock();
		*err = rc == -ENOMEM ? CL_OUT_OF_HOST_MEMORY : CL_DEVICE_NOT_AVAILABLE;
		return NULL;
	}
	return c;
}

cl_context CL_API_CALL ocl_clCreateContext(const cl_context_properties *properties, cl_uint count,
					   const cl_device_id *devices,
					   void(CL_CALLBACK *notify)(const char *, const void *, size_t,
								     void *),
					   void *data, cl_int *err)
{
	cl_context c = NULL;
	cl_int rc = CL_SUCCESS;

	if (!devices || !count || (!notify && data))
		rc = CL_INVALID_VALUE;
	for (cl_uint i = 0; i < count && !rc; i++)
		if (!ocl_is(devices[i], OCL_DEVICE))
			rc = CL_INVALID_DEVICE;
	/* NPUs share no memory. The same device twice is one device. */
	for (cl_uint i = 1; i < count && !rc; i++)
		if (devices[i] != devices[0])
			rc = CL_INVALID_DEVICE;
	if (!rc)
		c = make(properties, devices[0], notify, data, &rc);
	if (err)
		*err = rc;
	return c;
}

cl_context CL_API_CALL ocl_clCreateContextFromType(const cl_context_properties *properties,
						   cl_device_type type,
						   void(CL_CALLBACK *notify)(const char *, const void *,
									     size_t, void *),
						   void *data, cl_int *err)
{
	cl_device_id device;
	cl_context c = NULL;
	size_t count;
	cl_int rc = !notify && data ? CL_INVALID_VALUE : check_properties(properties, &count);

	if (!rc)
		rc = ocl_clGetDeviceIDs(NULL, type, 1, &device, NULL);
	if (!rc)
		c = make(properties, device, notify, data, &rc);
	if (err)
		*err = rc;
	return c;
}

void ocl_release_context(cl_context c)
{
	struct ocl_callback *next;

	if (!ocl_unref(c))
		return;
	for (struct ocl_callback *d = c->destructors; d; d = next) {
		void(CL_CALLBACK *call)(cl_context, void *) =
			(void(CL_CALLBACK *)(cl_context, void *))d->function;

		next = d->next;
		ocl_unlock();
		call(c, d->data);
		ocl_lock();
		free(d);
	}
	accel_device_unref(c->npu);
	ocl_dead(c);
}

cl_int CL_API_CALL ocl_clRetainContext(cl_context c)
{
	return ocl_own(c, OCL_CONTEXT) ? CL_SUCCESS : CL_INVALID_CONTEXT;
}

cl_int CL_API_CALL ocl_clReleaseContext(cl_context c)
{
	bool ok;

	ocl_lock();
	ok = ocl_disown(c, OCL_CONTEXT);
	if (ok)
		ocl_release_context(c);
	ocl_unlock();
	return ok ? CL_SUCCESS : CL_INVALID_CONTEXT;
}

cl_int CL_API_CALL ocl_clSetContextDestructorCallback(cl_context c,
						      void(CL_CALLBACK *function)(cl_context, void *),
						      void *data)
{
	cl_int rc;

	if (!ocl_is(c, OCL_CONTEXT))
		return CL_INVALID_CONTEXT;
	if (!function)
		return CL_INVALID_VALUE;
	ocl_lock();
	rc = ocl_add_callback(&c->destructors, (void *)function, data, 0);
	ocl_unlock();
	return rc;
}

cl_int CL_API_CALL ocl_clGetContextInfo(cl_context c, cl_context_info what, size_t room, void *value,
					size_t *size)
{
	const cl_uint one = 1;

	if (!ocl_is(c, OCL_CONTEXT))
		return CL_INVALID_CONTEXT;
	switch (what) {
	case CL_CONTEXT_REFERENCE_COUNT:
		return ocl_give(room, value, size, &c->object.references, sizeof(cl_uint));
	case CL_CONTEXT_NUM_DEVICES:
		return ocl_give(room, value, size, &one, sizeof(one));
	case CL_CONTEXT_DEVICES:
		return ocl_give(room, value, size, &c->device, sizeof(c->device));
	case CL_CONTEXT_PROPERTIES:
		return ocl_give(room, value, size, c->properties,
				c->property_count * sizeof(c->properties[0]));
	default:
		return CL_INVALID_VALUE;
	}
}
