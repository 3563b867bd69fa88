/* SPDX-License-Identifier: MIT */
/*
 * Command buffers (cl_khr_command_buffer 0.9.8): commands that are recorded once and enqueued as often as
 * wanted. They are executed in the order in which they were recorded, which fulfils all sync points: one can
 * only name commands that came before.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/opencl/ocl_api.h"

static cl_int check_properties(const ocl_properties *list, size_t *count)
{
	*count = 0;
	if (!list)
		return CL_SUCCESS;
	for (; list[*count]; *count += 2) {
		ocl_properties flags = list[*count + 1];

		if (*count || list[*count] != OCL_COMMAND_BUFFER_FLAGS ||
		    flags & ~(ocl_properties)(OCL_COMMAND_BUFFER_SIMULTANEOUS_USE |
					      OCL_COMMAND_BUFFER_MUTABLE |
					      OCL_COMMAND_BUFFER_DEVICE_SIDE_SYNC))
			return CL_INVALID_VALUE;
		/* They are of extensions that are not here. */
		if (flags & (OCL_COMMAND_BUFFER_MUTABLE | OCL_COMMAND_BUFFER_DEVICE_SIDE_SYNC))
			return CL_INVALID_PROPERTY;
	}
	++*count;
	return CL_SUCCESS;
}

ocl_command_buffer CL_API_CALL ocl_create_command_buffer(cl_uint n, const cl_command_queue *queues,
							 const ocl_properties *properties, cl_int *err)
{
	ocl_command_buffer b = NULL;
	cl_int rc = CL_SUCCESS;
	size_t count = 0;

	if (n != 1 || !queues)
		rc = CL_INVALID_VALUE;
	else if (!ocl_is(queues[0], OCL_QUEUE))
		rc = CL_INVALID_COMMAND_QUEUE;
	else
		rc = check_properties(properties, &count);
	if (!rc && !(b = ocl_new(OCL_COMMAND_BUFFER, sizeof(*b))))
		rc = CL_OUT_OF_HOST_MEMORY;
	if (!rc) {
		pthread_mutex_init(&b->running, NULL);
		b->property_count = count;
		if (count)
			memcpy(b->properties, properties, count * sizeof(*properties));
		ocl_lock();
		ocl_ref(queues[0]);
		b->queue = queues[0];
		ocl_unlock();
	}
	if (err)
		*err = rc;
	return b;
}

static void drop_command(cl_event e)
{
	if (e->release)
		e->release(e);
	ocl_release_event(e);
}

/* With the lock. */
static void release(ocl_command_buffer b)
{
	if (!ocl_unref(b))
		return;
	for (cl_uint i = 0; i < b->count; i++)
		drop_command(b->commands[i]);
	free(b->commands);
	pthread_mutex_destroy(&b->running);
	ocl_release_queue(b->queue);
	ocl_dead(b);
}

cl_int CL_API_CALL ocl_retain_command_buffer(ocl_command_buffer b)
{
	return ocl_own(b, OCL_COMMAND_BUFFER) ? CL_SUCCESS : OCL_INVALID_COMMAND_BUFFER;
}

cl_int CL_API_CALL ocl_release_command_buffer(ocl_command_buffer b)
{
	bool ok;

	ocl_lock();
	ok = ocl_disown(b, OCL_COMMAND_BUFFER);
	if (ok)
		release(b);
	ocl_unlock();
	return ok ? CL_SUCCESS : OCL_INVALID_COMMAND_BUFFER;
}

cl_int CL_API_CALL ocl_finalize_command_buffer(ocl_command_buffer b)
{
	cl_int rc = CL_SUCCESS;

	if (!ocl_is(b, OCL_COMMAND_BUFFER))
		return OCL_INVALID_COMMAND_BUFFER;
	ocl_lock();
	if (b->executable)
		rc = CL_INVALID_OPERATION;
	b->executable = true;
	ocl_unlock();
	return rc;
}

/* ---- recording ---- */

/* May a command be recorded that comes after those of @list? */
static cl_int check(ocl_command_buffer b, cl_command_queue q, const ocl_properties *properties, cl_uint n,
		    const ocl_sync_point *list, const void *handle)
{
	if (!ocl_is(b, OCL_COMMAND_BUFFER))
		return OCL_INVALID_COMMAND_BUFFER;
	if (q)
		return CL_INVALID_COMMAND_QUEUE;
	if (b->executable)
		return CL_INVALID_OPERATION;
	/* Commands cannot be changed afterwards, and there are no properties for other ones. */
	if (handle || (properties && properties[0]))
		return CL_INVALID_VALUE;
	if (!n != !list)
		return OCL_INVALID_SYNC_POINT_WAIT_LIST;
	for (cl_uint i = 0; i < n; i++)
		if (!list[i] || list[i] > b->count)
			return OCL_INVALID_SYNC_POINT_WAIT_LIST;
	return CL_SUCCESS;
}

/* Put it behind the others. @e NULL: it could not be made, for @rc. */
static cl_int record(ocl_command_buffer b, cl_event e, cl_int rc, ocl_sync_point *point)
{
	if (!e)
		return rc;
	ocl_lock();
	if (b->executable) {
		rc = CL_INVALID_OPERATION;
	} else if (b->count == b->room) {
		cl_uint room = b->room ? 2 * b->room : 16;
		cl_event *grown = realloc(b->commands, room * sizeof(*grown));

		if (grown) {
			b->commands = grown;
			b->room = room;
		} else {
			rc = CL_OUT_OF_HOST_MEMORY;
		}
	}
	if (rc) {
		drop_command(e);
	} else {
		b->commands[b->count++] = e;
		if (point)
			*point = b->count;
	}
	ocl_unlock();
	return rc;
}

cl_int CL_API_CALL ocl_record_barrier(ocl_command_buffer b, cl_command_queue q,
				      const ocl_properties *properties, cl_uint n,
				      const ocl_sync_point *list, ocl_sync_point *point, void *handle)
{
	cl_int rc = check(b, q, properties, n, list, handle);

	return rc ? rc : record(b, ocl_command(b->queue, CL_COMMAND_BARRIER, NULL, 0, &rc), rc, point);
}

cl_int CL_API_CALL ocl_record_copy(ocl_command_buffer b, cl_command_queue q,
				   const ocl_properties *properties, cl_mem src, cl_mem dst, size_t from,
				   size_t to, size_t size, cl_uint n, const ocl_sync_point *list,
				   ocl_sync_point *point, void *handle)
{
	cl_int rc = check(b, q, properties, n, list, handle);
	cl_event e = rc ? NULL : ocl_copy(b->queue, src, dst, from, to, size, 0, NULL, &rc);

	return record(b, e, rc, point);
}

cl_int CL_API_CALL ocl_record_copy_rect(ocl_command_buffer b, cl_command_queue q,
					const ocl_properties *properties, cl_mem src, cl_mem dst,
					const size_t *src_origin, const size_t *dst_origin,
					const size_t *region, size_t src_row, size_t src_plane,
					size_t dst_row, size_t dst_plane, cl_uint n,
					const ocl_sync_point *list, ocl_sync_point *point, void *handle)
{
	const size_t rows[2] = { src_row, dst_row }, planes[2] = { src_plane, dst_plane };
	cl_int rc = check(b, q, properties, n, list, handle);
	cl_event e = rc ? NULL : ocl_copy_box(b->queue, src, dst, src_origin, dst_origin, region, rows,
					      planes, 0, NULL, &rc);

	return record(b, e, rc, point);
}

cl_int CL_API_CALL ocl_record_fill(ocl_command_buffer b, cl_command_queue q,
				   const ocl_properties *properties, cl_mem m, const void *pattern,
				   size_t pattern_size, size_t offset, size_t size, cl_uint n,
				   const ocl_sync_point *list, ocl_sync_point *point, void *handle)
{
	cl_int rc = check(b, q, properties, n, list, handle);
	cl_event e = rc ? NULL : ocl_fill(b->queue, m, pattern, pattern_size, offset, size, 0, NULL, &rc);

	return record(b, e, rc, point);
}

cl_int CL_API_CALL ocl_record_kernel(ocl_command_buffer b, cl_command_queue q,
				     const ocl_properties *properties, cl_kernel k, cl_uint dims,
				     const size_t *offset, const size_t *global, const size_t *local,
				     cl_uint n, const ocl_sync_point *list, ocl_sync_point *point,
				     void *handle)
{
	cl_int rc = check(b, q, properties, n, list, handle);
	cl_event e = rc ? NULL : ocl_launch(b->queue, CL_COMMAND_NDRANGE_KERNEL, k, dims, offset, global,
					    local, 0, NULL, &rc);

	return record(b, e, rc, point);
}

/* ---- executing ---- */

static cl_int run(cl_event e)
{
	ocl_command_buffer b = e->recorded;
	cl_int rc = CL_SUCCESS;

	pthread_mutex_lock(&b->running);
	for (cl_uint i = 0; i < b->count && !rc; i++)
		if (b->commands[i]->run)
			rc = b->commands[i]->run(b->commands[i]);
	pthread_mutex_unlock(&b->running);
	return rc;
}

static void release_run(cl_event e)
{
	release(e->recorded);
}

/* Another queue may take the place of the first one, if it is of the same kind. */
static cl_int check_queues(ocl_command_buffer b, cl_uint n, const cl_command_queue *queues)
{
	if (!n != !queues || n > 1)
		return CL_INVALID_VALUE;
	if (!n)
		return CL_SUCCESS;
	if (!ocl_is(queues[0], OCL_QUEUE))
		return CL_INVALID_COMMAND_QUEUE;
	if (queues[0]->context != b->queue->context)
		return CL_INVALID_CONTEXT;
	return queues[0]->properties == b->queue->properties ? CL_SUCCESS :
							       OCL_INCOMPATIBLE_COMMAND_QUEUE;
}

cl_int CL_API_CALL ocl_enqueue_command_buffer(cl_uint n, cl_command_queue *queues, ocl_command_buffer b,
					      cl_uint count, const cl_event *waits, cl_event *out)
{
	cl_event e;
	cl_int rc;

	if (!ocl_is(b, OCL_COMMAND_BUFFER))
		return OCL_INVALID_COMMAND_BUFFER;
	if (!b->executable)
		return CL_INVALID_OPERATION;
	rc = check_queues(b, n, queues);
	if (rc)
		return rc;
	e = ocl_command(n ? queues[0] : b->queue, OCL_COMMAND_COMMAND_BUFFER, waits, count, &rc);
	if (!e)
		return rc;
	ocl_lock();
	ocl_ref(b);
	ocl_unlock();
	e->recorded = b;
	e->run = run;
	e->release = release_run;
	return ocl_enqueue(e, false, out);
}

cl_int CL_API_CALL ocl_command_buffer_info(ocl_command_buffer b, cl_uint what, size_t room, void *value,
					   size_t *size)
{
	const cl_uint one = 1;
	cl_uint state;

	if (!ocl_is(b, OCL_COMMAND_BUFFER))
		return OCL_INVALID_COMMAND_BUFFER;
	switch (what) {
	case OCL_COMMAND_BUFFER_QUEUES:
		return ocl_give(room, value, size, &b->queue, sizeof(b->queue));
	case OCL_COMMAND_BUFFER_NUM_QUEUES:
		return ocl_give(room, value, size, &one, sizeof(one));
	case OCL_COMMAND_BUFFER_REFERENCE_COUNT:
		return ocl_give(room, value, size, &b->object.references, sizeof(cl_uint));
	case OCL_COMMAND_BUFFER_STATE:
		state = b->executable ? OCL_STATE_EXECUTABLE : OCL_STATE_RECORDING;
		return ocl_give(room, value, size, &state, sizeof(state));
	case OCL_COMMAND_BUFFER_PROPERTIES_ARRAY:
		return ocl_give(room, value, size, b->properties,
				b->property_count * sizeof(b->properties[0]));
	case OCL_COMMAND_BUFFER_CONTEXT:
		return ocl_give(room, value, size, &b->queue->context, sizeof(cl_context));
	default:
		return CL_INVALID_VALUE;
	}
}
