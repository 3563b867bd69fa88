/* SPDX-License-Identifier: MIT */
/*
 * Command queues, and who executes what is in them.
 *
 * A queue executes one command at a time. Whoever waits for it does it himself, which is the shortest way
 * for an application that waits for each kernel; a queue that was flushed has a thread of its own for it.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/opencl/ocl_api.h"

enum { TIME_QUEUED, TIME_SUBMITTED, TIME_STARTED, TIME_ENDED, TIME_COMPLETE };

static cl_ulong now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (cl_ulong)t.tv_sec * 1000000000u + (cl_ulong)t.tv_nsec;
}

static bool done(const struct _cl_event *e)
{
	return e->status <= CL_COMPLETE;
}

/* Have all it waits for been done? *@failed: one of them with an error. */
static bool awaited(const struct _cl_event *e, bool *failed)
{
	bool all = true;

	for (cl_uint i = 0; i < e->wait_count; i++) {
		if (!done(e->waits[i]))
			all = false;
		else if (e->waits[i]->status < 0)
			*failed = true;
	}
	return all;
}

/* The next command that can be executed, or NULL. Out of order, all up to the first barrier can. */
static cl_event ready(cl_command_queue q, bool *failed)
{
	bool first = true;

	if (q->busy)
		return NULL;
	for (cl_event e = q->first; e; e = e->next) {
		*failed = false;
		if (e->fence && !first)
			return NULL;
		if (awaited(e, failed))
			return e;
		if (e->fence || !(q->properties & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE))
			return NULL;
		first = false;
	}
	return NULL;
}

static void unlink_event(cl_command_queue q, cl_event e)
{
	cl_event *at = &q->first, last = NULL;

	while (*at != e) {
		last = *at;
		at = &(*at)->next;
	}
	*at = e->next;
	if (q->last == e)
		q->last = last;
	e->next = NULL;
}

void ocl_set_status(cl_event e, cl_int status)
{
	struct ocl_callback *all, *next, **at;

	e->status = status;
	if (status == CL_SUBMITTED)
		e->times[TIME_SUBMITTED] = now();
	else if (status == CL_RUNNING)
		e->times[TIME_STARTED] = now();
	ocl_signal();
	/* Those whose time has come, out of the list: a callback may add another. */
	all = NULL;
	for (at = &e->callbacks; *at;) {
		if ((*at)->when < status) {
			at = &(*at)->next;
			continue;
		}
		next = (*at)->next;
		(*at)->next = all;
		all = *at;
		*at = next;
	}
	for (; all; all = next) {
		void(CL_CALLBACK *call)(cl_event, cl_int, void *) =
			(void(CL_CALLBACK *)(cl_event, cl_int, void *))all->function;

		next = all->next;
		ocl_unlock();
		/* It is told the state it asked for, or the error. */
		call(e, status < 0 ? status : all->when, all->data);
		ocl_lock();
		free(all);
	}
}

/* Execute one command of the queue if one can be. */
static bool step(cl_command_queue q)
{
	bool failed = false;
	cl_event e = ready(q, &failed);
	cl_int rc;

	if (!e)
		return false;
	q->busy = true;
	if (e->status == CL_QUEUED)
		ocl_set_status(e, CL_SUBMITTED);
	rc = failed ? CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST : CL_SUCCESS;
	if (!rc) {
		ocl_set_status(e, CL_RUNNING);
		if (e->run) {
			ocl_unlock();
			rc = e->run(e);
			ocl_lock();
		}
	}
	if (!e->times[TIME_ENDED])
		e->times[TIME_ENDED] = now();
	e->times[TIME_COMPLETE] = now();
	unlink_event(q, e);
	q->busy = false;
	if (e->release)
		e->release(e);
	for (cl_uint i = 0; i < e->wait_count; i++)
		ocl_release_event(e->waits[i]);
	e->wait_count = 0;
	ocl_set_status(e, rc ? rc : CL_COMPLETE);
	ocl_release_event(e);
	return true;
}

static void *work(void *arg)
{
	cl_command_queue q = arg;

	ocl_lock();
	while (!q->stop) {
		if (q->flushed && step(q))
			continue;
		if (!q->first)
			q->flushed = false;
		ocl_wait_signal();
	}
	ocl_unlock();
	return NULL;
}

/* What the queue's commands wait for in other queues has to get on as well. */
static void flush_waits(cl_command_queue q)
{
	for (cl_event e = q->first; e; e = e->next)
		for (cl_uint i = 0; i < e->wait_count; i++)
			if (e->waits[i]->queue && e->waits[i]->queue != q &&
			    !done(e->waits[i]))
				ocl_flush(e->waits[i]->queue);
}

void ocl_flush(cl_command_queue q)
{
	if (!q->first || q->flushed)
		return;
	q->flushed = true;
	for (cl_event e = q->first; e; e = e->next)
		if (e->status == CL_QUEUED) {
			e->status = CL_SUBMITTED;
			e->times[TIME_SUBMITTED] = now();
		}
	flush_waits(q);
	/* Without a thread, those who wait do the work. */
	if (!q->has_worker)
		q->has_worker = !pthread_create(&q->worker, NULL, work, q);
	ocl_signal();
}

void ocl_finish(cl_command_queue q, cl_event event)
{
	while (event ? !done(event) : q->first != NULL) {
		if (step(q))
			continue;
		flush_waits(q);
		if (event ? !done(event) : q->first != NULL)
			ocl_wait_signal();
	}
}

cl_event ocl_command(cl_command_queue q, cl_command_type type, const cl_event *waits,
		     cl_uint wait_count, cl_int *err)
{
	cl_event e;

	*err = CL_INVALID_EVENT_WAIT_LIST;
	if (!waits != !wait_count)
		return NULL;
	for (cl_uint i = 0; i < wait_count; i++)
		if (!ocl_is(waits[i], OCL_EVENT))
			return NULL;
	for (cl_uint i = 0; i < wait_count; i++) {
		if (waits[i]->context != q->context) {
			*err = CL_INVALID_CONTEXT;
			return NULL;
		}
	}
	*err = CL_OUT_OF_HOST_MEMORY;
	e = ocl_new(OCL_EVENT, sizeof(*e));
	if (!e)
		return NULL;
	e->waits = malloc((wait_count + 1) * sizeof(*e->waits));
	if (!e->waits) {
		ocl_lock();
		ocl_dead(e);
		ocl_unlock();
		return NULL;
	}
	e->type = type;
	e->status = CL_QUEUED;
	ocl_lock();
	ocl_ref(q->context);
	ocl_ref(q);
	e->context = q->context;
	e->queue = q;
	for (; e->wait_count < wait_count; e->wait_count++) {
		e->waits[e->wait_count] = waits[e->wait_count];
		ocl_ref(waits[e->wait_count]);
	}
	ocl_unlock();
	*err = CL_SUCCESS;
	return e;
}

cl_int ocl_enqueue(cl_event e, bool blocking, cl_event *out)
{
	cl_command_queue q = e->queue;
	cl_int rc = CL_SUCCESS;

	ocl_lock();
	e->times[TIME_QUEUED] = now();
	if (q->last)
		q->last->next = e;
	else
		q->first = e;
	q->last = e;
	/* The queue's own reference is gone once it is done. */
	ocl_ref(e);
	if (q->flushed)
		ocl_signal();
	if (blocking) {
		ocl_finish(q, e);
		rc = e->status < 0 ? e->status : CL_SUCCESS;
	}
	if (out)
		*out = e;
	else
		ocl_release_event(e);
	ocl_unlock();
	return rc;
}

/* ---- the queue as an object ---- */

static cl_command_queue make(cl_context c, cl_device_id d, cl_command_queue_properties properties,
			     const cl_queue_properties *list, size_t count, cl_int *err)
{
	cl_command_queue q;

	*err = CL_SUCCESS;
	if (!ocl_is(c, OCL_CONTEXT))
		*err = CL_INVALID_CONTEXT;
	else if (!ocl_is(d, OCL_DEVICE) || d != c->device)
		*err = CL_INVALID_DEVICE;
	else if (properties & ~(cl_command_queue_properties)(CL_QUEUE_PROFILING_ENABLE |
				 CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE | CL_QUEUE_ON_DEVICE |
				 CL_QUEUE_ON_DEVICE_DEFAULT))
		*err = CL_INVALID_VALUE;
	else if (properties & (CL_QUEUE_ON_DEVICE | CL_QUEUE_ON_DEVICE_DEFAULT))
		*err = CL_INVALID_QUEUE_PROPERTIES;
	if (*err)
		return NULL;
	q = ocl_new(OCL_QUEUE, sizeof(*q));
	if (!q) {
		*err = CL_OUT_OF_HOST_MEMORY;
		return NULL;
	}
	q->properties = properties;
	q->property_count = count;
	if (count)
		memcpy(q->property_list, list, count * sizeof(*list));
	ocl_lock();
	ocl_ref(c);
	q->context = c;
	ocl_unlock();
	return q;
}

cl_command_queue CL_API_CALL ocl_clCreateCommandQueue(cl_context c, cl_device_id d,
						      cl_command_queue_properties properties,
						      cl_int *err)
{
	cl_int rc;
	cl_command_queue q = make(c, d, properties, NULL, 0, &rc);

	if (err)
		*err = rc;
	return q;
}

cl_command_queue CL_API_CALL ocl_clCreateCommandQueueWithProperties(cl_context c, cl_device_id d,
								    const cl_queue_properties *list,
								    cl_int *err)
{
	cl_command_queue_properties properties = 0;
	cl_command_queue q = NULL;
	cl_int rc = CL_SUCCESS;
	size_t count = 0;

	if (!ocl_is(c, OCL_CONTEXT))
		rc = CL_INVALID_CONTEXT;
	for (; list && list[count] && !rc; count += 2) {
		if (count + 2 >= sizeof(q->property_list) / sizeof(*list))
			rc = CL_INVALID_VALUE;
		else if (list[count] == CL_QUEUE_PROPERTIES)
			properties = (cl_command_queue_properties)list[count + 1];
		else if (list[count] == CL_QUEUE_SIZE)
			rc = CL_INVALID_QUEUE_PROPERTIES;	/* of queues on the device */
		else
			rc = CL_INVALID_VALUE;
	}
	if (!rc)
		q = make(c, d, properties, list, list ? count + 1 : 0, &rc);
	if (err)
		*err = rc;
	return q;
}

/* The last reference: nothing is in it any more, as commands hold one each. */
void ocl_release_queue(cl_command_queue q)
{
	if (!ocl_unref(q))
		return;
	q->stop = true;
	ocl_signal();
	if (q->has_worker) {
		ocl_unlock();
		if (pthread_equal(pthread_self(), q->worker))
			pthread_detach(q->worker);
		else
			pthread_join(q->worker, NULL);
		ocl_lock();
	}
	ocl_release_context(q->context);
	ocl_dead(q);
}

cl_int CL_API_CALL ocl_clRetainCommandQueue(cl_command_queue q)
{
	return ocl_own(q, OCL_QUEUE) ? CL_SUCCESS : CL_INVALID_COMMAND_QUEUE;
}

cl_int CL_API_CALL ocl_clReleaseCommandQueue(cl_command_queue q)
{
	bool ok;

	ocl_lock();
	ok = ocl_disown(q, OCL_QUEUE);
	if (ok) {
		ocl_flush(q);
		ocl_release_queue(q);
	}
	ocl_unlock();
	return ok ? CL_SUCCESS : CL_INVALID_COMMAND_QUEUE;
}

cl_int CL_API_CALL ocl_clGetCommandQueueInfo(cl_command_queue q, cl_command_queue_info what,
					     size_t room, void *value, size_t *size)
{
	const cl_command_queue none = NULL;

	if (!ocl_is(q, OCL_QUEUE))
		return CL_INVALID_COMMAND_QUEUE;
	switch (what) {
	case CL_QUEUE_CONTEXT:
		return ocl_give(room, value, size, &q->context, sizeof(q->context));
	case CL_QUEUE_DEVICE:
		return ocl_give(room, value, size, &q->context->device, sizeof(cl_device_id));
	case CL_QUEUE_REFERENCE_COUNT:
		return ocl_give(room, value, size, &q->object.references, sizeof(cl_uint));
	case CL_QUEUE_PROPERTIES:
		return ocl_give(room, value, size, &q->properties, sizeof(q->properties));
	case CL_QUEUE_PROPERTIES_ARRAY:
		return ocl_give(room, value, size, q->property_list,
				q->property_count * sizeof(q->property_list[0]));
	case CL_QUEUE_DEVICE_DEFAULT:
		return ocl_give(room, value, size, &none, sizeof(none));
	case CL_QUEUE_SIZE:
		return CL_INVALID_COMMAND_QUEUE;
	default:
		return CL_INVALID_VALUE;
	}
}

cl_int CL_API_CALL ocl_clFlush(cl_command_queue q)
{
	if (!ocl_is(q, OCL_QUEUE))
		return CL_INVALID_COMMAND_QUEUE;
	ocl_lock();
	ocl_flush(q);
	ocl_unlock();
	return CL_SUCCESS;
}

cl_int CL_API_CALL ocl_clFinish(cl_command_queue q)
{
	if (!ocl_is(q, OCL_QUEUE))
		return CL_INVALID_COMMAND_QUEUE;
	ocl_lock();
	ocl_ref(q);
	ocl_finish(q, NULL);
	ocl_release_queue(q);
	ocl_unlock();
	return CL_SUCCESS;
}

static cl_int enqueue_marker(cl_command_queue q, cl_command_type type, bool fence, cl_uint count,
			     const cl_event *waits, cl_event *out)
{
	cl_int rc;
	cl_event e;

	if (!ocl_is(q, OCL_QUEUE))
		return CL_INVALID_COMMAND_QUEUE;
	e = ocl_command(q, type, waits, count, &rc);
	if (!e)
		return rc;
	/* Without a list, it waits for all that is in front of it. */
	e->fence = fence || !count;
	return ocl_enqueue(e, false, out);
}

cl_int CL_API_CALL ocl_clEnqueueMarkerWithWaitList(cl_command_queue q, cl_uint count,
						   const cl_event *waits, cl_event *out)
{
	return enqueue_marker(q, CL_COMMAND_MARKER, false, count, waits, out);
}

cl_int CL_API_CALL ocl_clEnqueueBarrierWithWaitList(cl_command_queue q, cl_uint count,
						    const cl_event *waits, cl_event *out)
{
	return enqueue_marker(q, CL_COMMAND_BARRIER, true, count, waits, out);
}

cl_int CL_API_CALL ocl_clEnqueueMarker(cl_command_queue q, cl_event *out)
{
	return out ? enqueue_marker(q, CL_COMMAND_MARKER, false, 0, NULL, out) : CL_INVALID_VALUE;
}

cl_int CL_API_CALL ocl_clEnqueueBarrier(cl_command_queue q)
{
	return enqueue_marker(q, CL_COMMAND_BARRIER, true, 0, NULL, NULL);
}

cl_int CL_API_CALL ocl_clEnqueueWaitForEvents(cl_command_queue q, cl_uint count, const cl_event *waits)
{
	if (ocl_is(q, OCL_QUEUE) && (!count || !waits))
		return CL_INVALID_VALUE;
	return enqueue_marker(q, CL_COMMAND_BARRIER, true, count, waits, NULL);
}
