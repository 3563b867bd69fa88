/* SPDX-License-Identifier: MIT */
/* Buffers: memory of the NPU, mapped for as long as they live, so that mapping one copies nothing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/opencl/accel_ext.h"
#include "runtime/opencl/ocl_api.h"

#define ACCESS_FLAGS	  (CL_MEM_READ_WRITE | CL_MEM_WRITE_ONLY | CL_MEM_READ_ONLY)
#define HOST_ACCESS_FLAGS (CL_MEM_HOST_WRITE_ONLY | CL_MEM_HOST_READ_ONLY | CL_MEM_HOST_NO_ACCESS)
#define HOST_PTR_FLAGS	  (CL_MEM_USE_HOST_PTR | CL_MEM_ALLOC_HOST_PTR | CL_MEM_COPY_HOST_PTR)

static bool at_most_one(cl_mem_flags flags)
{
	return !(flags & (flags - 1));
}

static bool flags_fit(cl_mem_flags flags)
{
	return !(flags & ~(cl_mem_flags)(ACCESS_FLAGS | HOST_ACCESS_FLAGS | HOST_PTR_FLAGS)) &&
	       at_most_one(flags & ACCESS_FLAGS) && at_most_one(flags & HOST_ACCESS_FLAGS) &&
	       !(flags & CL_MEM_USE_HOST_PTR &&
		 flags & (CL_MEM_ALLOC_HOST_PTR | CL_MEM_COPY_HOST_PTR));
}

uint8_t *ocl_mem_data(cl_mem m)
{
	return m->data + m->origin;
}

uint64_t ocl_mem_offset(cl_mem m)
{
	return m->origin;
}

/* The memory that @fd stands for; the fd stays the application's. */
static cl_int import(cl_mem m, int fd)
{
	struct accel_error why;
	off_t end = lseek(fd, 0, SEEK_END);

	if (end >= 0 && (uint64_t)end < m->size)
		return CL_INVALID_BUFFER_SIZE;
	switch (accel_buffer_import(m->context->npu, fd, 0, &m->buffer, &why)) {
	case 0:
		break;
	case -ENOMEM:
	case -ENOSPC:
		return CL_MEM_OBJECT_ALLOCATION_FAILURE;
	case -EOPNOTSUPP:
		return CL_INVALID_OPERATION;
	default:
		return CL_INVALID_VALUE;
	}
	return accel_buffer_size(m->buffer) < m->size ? CL_INVALID_BUFFER_SIZE : CL_SUCCESS;
}

static cl_int allocate(cl_mem m, int fd)
{
	struct accel_error why;
	void *data;
	cl_int rc;

	if (m->external) {
		rc = import(m, fd);
		if (rc)
			return rc;
	} else if (accel_buffer_create(m->context->npu, m->size, 0, &m->buffer, &why)) {
		return CL_MEM_OBJECT_ALLOCATION_FAILURE;
	}
	if (accel_buffer_map(m->buffer, &data, &why))
		return CL_OUT_OF_RESOURCES;
	m->data = data;
	if (m->flags & (CL_MEM_USE_HOST_PTR | CL_MEM_COPY_HOST_PTR))
		memcpy(m->data, m->host, m->size);
	return CL_SUCCESS;
}

/**
 * struct wanted - what a list of properties asks for
 * @count: of its elements, the end included; 0: there is no list
 * @external: memory is given as @fd
 */
struct wanted {
	size_t count;
	bool external;
	int fd;
};

static cl_int read_properties(cl_context c, const cl_mem_properties *list, struct wanted *out)
{
	bool devices = false;
	size_t i = 0;

	*out = (struct wanted){ 0 };
	if (!list)
		return CL_SUCCESS;
	while (list[i]) {
		if (i + 3 > OCL_MEM_PROPERTIES)
			return CL_INVALID_PROPERTY;
		if (list[i] == CL_EXTERNAL_MEMORY_HANDLE_DMA_BUF_KHR && !out->external) {
			out->external = true;
			out->fd = (int)list[i + 1];
			i += 2;
		} else if (list[i] == OCL_MEM_DEVICE_HANDLE_LIST && !devices) {
			devices = true;
			for (i++; list[i]; i++) {
				if ((void *)(uintptr_t)list[i] != c->device)
					return CL_INVALID_DEVICE;
				if (i + 3 > OCL_MEM_PROPERTIES)
					return CL_INVALID_PROPERTY;
			}
			i++;
		} else {
			return CL_INVALID_PROPERTY;
		}
	}
	out->count = i + 1;
	return CL_SUCCESS;
}

static cl_mem make(cl_context c, const cl_mem_properties *properties, cl_mem_flags flags, size_t size,
		   void *host, cl_int *err)
{
	bool wants_host = flags & (CL_MEM_USE_HOST_PTR | CL_MEM_COPY_HOST_PTR);
	struct wanted wanted = { 0 };
	cl_mem m;

	*err = ocl_is(c, OCL_CONTEXT) ? read_properties(c, properties, &wanted) : CL_INVALID_CONTEXT;
	if (*err)
		return NULL;
	if (!flags_fit(flags))
		*err = CL_INVALID_VALUE;
	else if (!size || size > (1u << 30))
		*err = CL_INVALID_BUFFER_SIZE;
	else if (!host != !wants_host || (wanted.external && host))
		*err = CL_INVALID_HOST_PTR;
	if (*err)
		return NULL;
	m = ocl_new(OCL_MEM, sizeof(*m));
	if (!m) {
		*err = CL_OUT_OF_HOST_MEMORY;
		return NULL;
	}
	m->property_count = wanted.count;
	if (wanted.count)
		memcpy(m->properties, properties, wanted.count * sizeof(*properties));
	m->external = wanted.external;
	m->size = size;
	m->flags = flags & ACCESS_FLAGS ? flags : flags | CL_MEM_READ_WRITE;
	m->host = host;
	ocl_lock();
	ocl_ref(c);
	m->context = c;
	ocl_unlock();
	*err = allocate(m, wanted.fd);
	if (!(flags & CL_MEM_USE_HOST_PTR))
		m->host = NULL;
	if (*err) {
		ocl_lock();
		ocl_release_mem(m);
		ocl_unlock();
		return NULL;
	}
	return m;
}

cl_mem CL_API_CALL ocl_clCreateBuffer(cl_context c, cl_mem_flags flags, size_t size, void *host,
				      cl_int *err)
{
	cl_int rc;
	cl_mem m = make(c, NULL, flags, size, host, &rc);

	if (err)
		*err = rc;
	return m;
}

cl_mem CL_API_CALL ocl_clCreateBufferWithProperties(cl_context c, const cl_mem_properties *properties,
						    cl_mem_flags flags, size_t size, void *host,
						    cl_int *err)
{
	cl_int rc;
	cl_mem m = make(c, properties, flags, size, host, &rc);

	if (err)
		*err = rc;
	return m;
}

/* A part has what its parent has where it says nothing, and may not have more. */
static cl_int part_flags(cl_mem parent, cl_mem_flags *flags)
{
	cl_mem_flags f = *flags, p = parent->flags;

	if (f & HOST_PTR_FLAGS || !flags_fit(f))
		return CL_INVALID_VALUE;
	if ((p & CL_MEM_WRITE_ONLY && f & (CL_MEM_READ_WRITE | CL_MEM_READ_ONLY)) ||
	    (p & CL_MEM_READ_ONLY && f & (CL_MEM_READ_WRITE | CL_MEM_WRITE_ONLY)) ||
	    (p & CL_MEM_HOST_WRITE_ONLY && f & CL_MEM_HOST_READ_ONLY) ||
	    (p & CL_MEM_HOST_READ_ONLY && f & CL_MEM_HOST_WRITE_ONLY) ||
	    (p & CL_MEM_HOST_NO_ACCESS && f & (CL_MEM_HOST_READ_ONLY | CL_MEM_HOST_WRITE_ONLY)))
		return CL_INVALID_VALUE;
	if (!(f & ACCESS_FLAGS))
		f |= p & ACCESS_FLAGS;
	if (!(f & HOST_ACCESS_FLAGS))
		f |= p & HOST_ACCESS_FLAGS;
	*flags = f | (p & HOST_PTR_FLAGS);
	return CL_SUCCESS;
}

cl_mem CL_API_CALL ocl_clCreateSubBuffer(cl_mem parent, cl_mem_flags flags, cl_buffer_create_type type,
					 const void *info, cl_int *err)
{
	const cl_buffer_region *region = info;
	cl_int rc = CL_SUCCESS;
	cl_mem m = NULL;

	if (!ocl_is(parent, OCL_MEM) || parent->parent)
		rc = CL_INVALID_MEM_OBJECT;
	else if (type != CL_BUFFER_CREATE_TYPE_REGION || !region)
		rc = CL_INVALID_VALUE;
	else if (!region->size)
		rc = CL_INVALID_BUFFER_SIZE;
	else if (region->origin > parent->size || region->size > parent->size - region->origin)
		rc = CL_INVALID_VALUE;
	else if (region->origin % OCL_MEM_ALIGN)
		rc = CL_MISALIGNED_SUB_BUFFER_OFFSET;
	else
		rc = part_flags(parent, &flags);
	if (!rc && !(m = ocl_new(OCL_MEM, sizeof(*m))))
		rc = CL_OUT_OF_HOST_MEMORY;
	if (!rc) {
		m->size = region->size;
		m->origin = region->origin;
		m->flags = flags;
		m->host = parent->host ? (uint8_t *)parent->host + region->origin : NULL;
		m->external = parent->external;
		m->buffer = accel_buffer_ref(parent->buffer);
		m->data = parent->data;
		ocl_lock();
		ocl_ref(parent);
		ocl_ref(parent->context);
		m->parent = parent;
		m->context = parent->context;
		ocl_unlock();
	}
	if (err)
		*err = rc;
	return m;
}

void ocl_release_mem(cl_mem m)
{
	struct ocl_callback *next;
	struct ocl_map *map;

	if (!ocl_unref(m))
		return;
	for (struct ocl_callback *d = m->destructors; d; d = next) {
		void(CL_CALLBACK *call)(cl_mem, void *) =
			(void(CL_CALLBACK *)(cl_mem, void *))d->function;

		next = d->next;
		ocl_unlock();
		call(m, d->data);
		ocl_lock();
		free(d);
	}
	while ((map = m->maps)) {
		m->maps = map->next;
		free(map);
	}
	accel_buffer_unref(m->buffer);
	if (m->parent)
		ocl_release_mem(m->parent);
	ocl_release_context(m->context);
	ocl_dead(m);
}

cl_int CL_API_CALL ocl_clRetainMemObject(cl_mem m)
{
	return ocl_own(m, OCL_MEM) ? CL_SUCCESS : CL_INVALID_MEM_OBJECT;
}

cl_int CL_API_CALL ocl_clReleaseMemObject(cl_mem m)
{
	bool ok;

	ocl_lock();
	ok = ocl_disown(m, OCL_MEM);
	if (ok)
		ocl_release_mem(m);
	ocl_unlock();
	return ok ? CL_SUCCESS : CL_INVALID_MEM_OBJECT;
}

cl_int CL_API_CALL ocl_clSetMemObjectDestructorCallback(cl_mem m,
							void(CL_CALLBACK *function)(cl_mem, void *),
							void *data)
{
	cl_int rc;

	if (!ocl_is(m, OCL_MEM))
		return CL_INVALID_MEM_OBJECT;
	if (!function)
		return CL_INVALID_VALUE;
	ocl_lock();
	rc = ocl_add_callback(&m->destructors, (void *)function, data, 0);
	ocl_unlock();
	return rc;
}

/* A new fd for each answer, and none for a question after the size. */
static cl_int export_fd(cl_mem m, size_t room, void *value, size_t *size)
{
	struct accel_error why;
	int fd = -1;

	if (m->parent)
		return CL_INVALID_OPERATION;
	if (value && room < sizeof(fd))
		return CL_INVALID_VALUE;
	if (value && accel_buffer_export(m->buffer, &fd, &why))
		return CL_OUT_OF_RESOURCES;
	return ocl_give(room, value, size, &fd, sizeof(fd));
}

cl_int CL_API_CALL ocl_clGetMemObjectInfo(cl_mem m, cl_mem_info what, size_t room, void *value,
					  size_t *size)
{
	const cl_mem_object_type type = CL_MEM_OBJECT_BUFFER;
	const cl_bool no = CL_FALSE;

	if (!ocl_is(m, OCL_MEM))
		return CL_INVALID_MEM_OBJECT;
	switch (what) {
	case CL_MEM_TYPE:
		return ocl_give(room, value, size, &type, sizeof(type));
	case CL_MEM_FLAGS:
		return ocl_give(room, value, size, &m->flags, sizeof(m->flags));
	case CL_MEM_SIZE:
		return ocl_give(room, value, size, &m->size, sizeof(m->size));
	case CL_MEM_HOST_PTR:
		return ocl_give(room, value, size, &m->host, sizeof(m->host));
	case CL_MEM_MAP_COUNT:
		return ocl_give(room, value, size, &m->map_count, sizeof(m->map_count));
	case CL_MEM_REFERENCE_COUNT:
		return ocl_give(room, value, size, &m->object.references, sizeof(cl_uint));
	case CL_MEM_CONTEXT:
		return ocl_give(room, value, size, &m->context, sizeof(m->context));
	case CL_MEM_ASSOCIATED_MEMOBJECT:
		return ocl_give(room, value, size, &m->parent, sizeof(m->parent));
	case CL_MEM_OFFSET:
		return ocl_give(room, value, size, &m->origin, sizeof(m->origin));
	case CL_MEM_USES_SVM_POINTER:
		return ocl_give(room, value, size, &no, sizeof(no));
	case CL_MEM_PROPERTIES:
		return ocl_give(room, value, size, m->properties,
				m->property_count * sizeof(m->properties[0]));
	case CL_MEM_DMA_BUF_ACCEL:
		return export_fd(m, room, value, size);
	default:
		return CL_INVALID_VALUE;
	}
}
