/* SPDX-License-Identifier: MIT */
/* Events: waiting, asking, callbacks, and those that the application sets itself. */
#include <stdlib.h>

#include "runtime/opencl/ocl_api.h"

void ocl_release_event(cl_event e)
{
	struct ocl_callback *next;

	if (!ocl_unref(e))
		return;
	for (cl_uint i = 0; i < e->wait_count; i++)
		ocl_release_event(e->waits[i]);
	free(e->waits);
	for (struct ocl_callback *c = e->callbacks; c; c = next) {
		next = c->next;
		free(c);
	}
	if (e->queue)
		ocl_release_queue(e->queue);
	ocl_release_context(e->context);
	ocl_dead(e);
}

cl_int CL_API_CALL ocl_clRetainEvent(cl_event e)
{
	return ocl_own(e, OCL_EVENT) ? CL_SUCCESS : CL_INVALID_EVENT;
}

cl_int CL_API_CALL ocl_clReleaseEvent(cl_event e)
{
	bool ok;

	ocl_lock();
	ok = ocl_disown(e, OCL_EVENT);
	if (ok) {
		/* Nobody can wait for it any more, but it has been asked for. */
		if (e->queue && e->status == CL_QUEUED)
			ocl_flush(e->queue);
		ocl_release_event(e);
	}
	ocl_unlock();
	return ok ? CL_SUCCESS : CL_INVALID_EVENT;
}

cl_event CL_API_CALL ocl_clCreateUserEvent(cl_context c, cl_int *err)
{
	cl_event e = NULL;
	cl_int rc = CL_SUCCESS;

	if (!ocl_is(c, OCL_CONTEXT)) {
		rc = CL_INVALID_CONTEXT;
	} else if (!(e = ocl_new(OCL_EVENT, sizeof(*e)))) {
		rc = CL_OUT_OF_HOST_MEMORY;
	} else {
		ocl_lock();
		ocl_ref(c);
		e->context = c;
		e->type = CL_COMMAND_USER;
		e->status = CL_SUBMITTED;
		ocl_unlock();
	}
	if (err)
		*err = rc;
	return e;
}

cl_int CL_API_CALL ocl_clSetUserEventStatus(cl_event e, cl_int status)
{
	cl_int rc = CL_SUCCESS;

	if (!ocl_is(e, OCL_EVENT) || e->queue)
		return CL_INVALID_EVENT;
	if (status > CL_COMPLETE)
		return CL_INVALID_VALUE;
	ocl_lock();
	if (e->status <= CL_COMPLETE) {
		rc = CL_INVALID_OPERATION;
	} else {
		ocl_ref(e);
		ocl_set_status(e, status);
		ocl_release_event(e);
	}
	ocl_unlock();
	return rc;
}

cl_int CL_API_CALL ocl_clWaitForEvents(cl_uint count, const cl_event *events)
{
	cl_int rc = CL_SUCCESS;

	if (!count || !events)
		return CL_INVALID_VALUE;
	for (cl_uint i = 0; i < count; i++)
		if (!ocl_is(events[i], OCL_EVENT))
			return CL_INVALID_EVENT;
	for (cl_uint i = 1; i < count; i++)
		if (events[i]->context != events[0]->context)
			return CL_INVALID_CONTEXT;
	ocl_lock();
	/* All get under way before the first is waited for. */
	for (cl_uint i = 0; i < count; i++) {
		ocl_ref(events[i]);
		if (count > 1 && events[i]->queue && events[i]->status > CL_COMPLETE)
			ocl_flush(events[i]->queue);
	}
	for (cl_uint i = 0; i < count; i++) {
		cl_event e = events[i];

		if (e->queue)
			ocl_finish(e->queue, e);
		while (e->status > CL_COMPLETE)
			ocl_wait_signal();
		if (e->status < 0)
			rc = CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST;
	}
	for (cl_uint i = 0; i < count; i++)
		ocl_release_event(events[i]);
	ocl_unlock();
	return rc;
}

cl_int CL_API_CALL ocl_clSetEventCallback(cl_event e, cl_int when,
					  void(CL_CALLBACK *function)(cl_event, cl_int, void *),
					  void *data)
{
	cl_int rc, status;

	if (!ocl_is(e, OCL_EVENT))
		return CL_INVALID_EVENT;
	if (!function || (when != CL_SUBMITTED && when != CL_RUNNING && when != CL_COMPLETE))
		return CL_INVALID_VALUE;
	ocl_lock();
	ocl_ref(e);
	rc = ocl_add_callback(&e->callbacks, (void *)function, data, when);
	status = e->status;
	/* Too late for a change: at once. Else somebody has to bring it about. */
	if (!rc && status <= when) {
		ocl_set_status(e, status);
	} else if (e->queue) {
		ocl_flush(e->queue);
	}
	ocl_release_event(e);
	ocl_unlock();
	return rc;
}

cl_int CL_API_CALL ocl_clGetEventInfo(cl_event e, cl_event_info what, size_t room, void *value,
				      size_t *size)
{
	cl_int status;

	if (!ocl_is(e, OCL_EVENT))
		return CL_INVALID_EVENT;
	switch (what) {
	case CL_EVENT_COMMAND_QUEUE:
		return ocl_give(room, value, size, &e->queue, sizeof(e->queue));
	case CL_EVENT_CONTEXT:
		return ocl_give(room, value, size, &e->context, sizeof(e->context));
	case CL_EVENT_COMMAND_TYPE:
		return ocl_give(room, value, size, &e->type, sizeof(e->type));
	case CL_EVENT_REFERENCE_COUNT:
		return ocl_give(room, value, size, &e->object.references, sizeof(cl_uint));
	case CL_EVENT_COMMAND_EXECUTION_STATUS:
		ocl_lock();
		status = e->status;
		ocl_unlock();
		return ocl_give(room, value, size, &status, sizeof(status));
	default:
		return CL_INVALID_VALUE;
	}
}

cl_int CL_API_CALL ocl_clGetEventProfilingInfo(cl_event e, cl_profiling_info what, size_t room,
					       void *value, size_t *size)
{
	cl_int rc = CL_PROFILING_INFO_NOT_AVAILABLE;

	if (!ocl_is(e, OCL_EVENT))
		return CL_INVALID_EVENT;
	if (what < CL_PROFILING_COMMAND_QUEUED || what > CL_PROFILING_COMMAND_COMPLETE)
		return CL_INVALID_VALUE;
	ocl_lock();
	if (e->queue && e->queue->properties & CL_QUEUE_PROFILING_ENABLE && e->status == CL_COMPLETE)
		rc = ocl_give(room, value, size, &e->times[what - CL_PROFILING_COMMAND_QUEUED],
			      sizeof(cl_ulong));
	ocl_unlock();
	return rc;
}
