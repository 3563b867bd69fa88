/* SPDX-License-Identifier: MIT */
/* Queues, and what is checked of a submission before a transport sees it. */
#include "transport.h"

#include <errno.h>
#include <inttypes.h>

#define MAX_JOBS 1024
#define OFFSET_ALIGN 16
#define SUBMIT_FLAGS (ACCEL_SUBMIT_LAZY | ACCEL_SUBMIT_FENCE_PER_JOB)

int accel_queue_create(struct accel_device *device, const struct accel_queue_options *opt,
		       struct accel_queue **out, struct accel_error *err)
{
	struct accel_queue_options o = { 0 };
	struct accel_queue *queue;
	int ret;

	if (opt && !accel_struct_in(&o, sizeof(o), opt))
		return accel_fail(err, -EINVAL, "queue: options of an unknown size or kind");
	if (o.priority > ACCEL_PRIORITY_REALTIME)
		return accel_fail(err, -EINVAL, "queue: no priority %u", o.priority);
	if (o.priority == ACCEL_PRIORITY_DEFAULT)
		o.priority = ACCEL_PRIORITY_NORMAL;
	if (o.priority != ACCEL_PRIORITY_NORMAL &&
	    !(device->info.features & ACCEL_FEATURE_PRIORITY))
		return accel_fail(err, -EOPNOTSUPP, "%s has queues of normal priority only",
				  device->info.spec);
	ret = device->ops->queue_create(device, o.priority, &queue, err);
	if (ret)
		return ret;
	queue->device = accel_device_ref(device);
	queue->refs = 1;
	queue->priority = o.priority;
	*out = queue;
	return 0;
}

struct accel_queue *accel_queue_ref(struct accel_queue *queue)
{
	accel_get(&queue->refs);
	return queue;
}

void accel_queue_unref(struct accel_queue *queue)
{
	struct accel_device *device;

	if (!queue || !accel_put(&queue->refs))
		return;
	device = queue->device;
	device->ops->queue_destroy(queue);
	accel_device_unref(device);
}

static int check_binding(const struct accel_device *device, const struct accel_binding *binding,
			 size_t job, struct accel_error *err)
{
	const struct accel_buffer *buffer = binding->buffer;

	if (!buffer || binding->reserved)
		return accel_fail(err, -EINVAL, "job %zu: region %u: %s", job, binding->region,
				  buffer ? "reserved member is not 0" : "no buffer");
	if (binding->region >= device->info.regions)
		return accel_fail(err, -EINVAL, "job %zu: region %u, the device has %u", job,
				  binding->region, device->info.regions);
	if (buffer->device != device)
		return accel_fail(err, -EXDEV, "job %zu: region %u: buffer of another device", job,
				  binding->region);
	if (binding->offset % OFFSET_ALIGN || binding->offset >= buffer->size ||
	    binding->length > buffer->size - binding->offset)
		return accel_fail(err, -EINVAL,
				  "job %zu: region %u: offset %" PRIu64 " length %" PRIu64
				  " in a buffer of %" PRIu64 " (offsets go by %u)", job,
				  binding->region, binding->offset, binding->length, buffer->size,
				  OFFSET_ALIGN);
	if ((binding->offset || (binding->length && binding->length != buffer->size)) &&
	    !(device->info.features & ACCEL_FEATURE_SUBRANGE))
		return accel_fail(err, -EOPNOTSUPP,
				  "job %zu: region %u: %s binds whole buffers only", job,
				  binding->region, device->info.spec);
	return 0;
}

/* @bound: bits of the regions taken, those of the program's constants so far. */
static int check_bindings(const struct accel_device *device, const struct accel_job *job,
			  size_t index, uint32_t *bound, struct accel_error *err)
{
	uint32_t i, bit, constants = *bound;
	int ret;

	for (i = 0; i < job->binding_count; i++) {
		ret = check_binding(device, &job->bindings[i], index, err);
		if (ret)
			return ret;
		bit = 1u << job->bindings[i].region;
		if (*bound & bit)
			return accel_fail(err, -EINVAL, "job %zu: region %u bound twice%s", index,
					  job->bindings[i].region,
					  *bound & bit & constants ?
					  ", once by the program's constants" : "");
		*bound |= bit;
	}
	return 0;
}

static int check_job(const struct accel_device *device, const struct accel_job *job, size_t index,
		     struct accel_error *err)
{
	uint32_t bound = 0;
	int ret;

	if (!job->program)
		return accel_fail(err, -EINVAL, "job %zu: no program", index);
	if (job->program->device != device)
		return accel_fail(err, -EXDEV, "job %zu: program of another device", index);
	if (job->binding_count > device->info.regions || (job->binding_count && !job->bindings))
		return accel_fail(err, -EINVAL, "job %zu: %u bindings%s", index, job->binding_count,
				  job->bindings ? ", more than regions" : " and no array of them");
	if (job->program->constants)
		bound = 1u << job->program->constants_region;
	ret = check_bindings(device, job, index, &bound, err);
	if (ret || !job->sram_size)
		return ret;
	if (job->sram_size > device->info.sram_size)
		return accel_fail(err, -ENOSPC, "job %zu: %u bytes of SRAM, the device has %u%s",
				  index, job->sram_size, device->info.sram_size,
				  device->info.features & ACCEL_FEATURE_SIMULATED ?
				  "; open it with ,sram=BYTES for more" : "");
	if (bound & 1u << device->info.sram_region)
		return accel_fail(err, -EINVAL, "job %zu: region %u is bound and asked to be SRAM",
				  index, device->info.sram_region);
	return 0;
}

static int check_options(const struct accel_device *device, const struct accel_submit_options *o,
			 struct accel_error *err)
{
	uint32_t i;

	if (o->flags & ~SUBMIT_FLAGS)
		return accel_fail(err, -EINVAL, "submit: unknown flags 0x%x",
				  o->flags & ~SUBMIT_FLAGS);
	if (o->event_count && !(device->info.features & ACCEL_FEATURE_COUNTERS))
		return accel_fail(err, -EOPNOTSUPP, "%s counts no events", device->info.spec);
	if (o->event_count > device->info.event_counters || o->event_count > ACCEL_MAX_EVENTS)
		return accel_fail(err, -EINVAL, "submit: %u events to count, the device counts %u",
				  o->event_count, device->info.event_counters);
	for (i = 0; i < o->event_count; i++)
		if (o->events[i] > device->info.max_event)
			return accel_fail(err, -EINVAL, "submit: event %u, the last is %u",
					  o->events[i], device->info.max_event);
	if (o->wait_count && !(device->info.features & ACCEL_FEATURE_WAIT))
		return accel_fail(err, -EOPNOTSUPP, "%s cannot wait for fences",
				  device->info.spec);
	if (o->wait_count && !o->wait)
		return accel_fail(err, -EINVAL, "submit: wait_count without fences");
	for (i = 0; i < o->wait_count; i++) {
		if (!o->wait[i])
			return accel_fail(err, -EINVAL, "submit: fence %u to wait for is NULL", i);
		if (o->wait[i]->device != device)
			return accel_fail(err, -EXDEV,
					  "submit: fence %u to wait for is another device's", i);
	}
	return 0;
}

int accel_queue_submit(struct accel_queue *queue, const struct accel_job *jobs, size_t count,
		       const struct accel_submit_options *opt, struct accel_fence **fence,
		       struct accel_error *err)
{
	const struct accel_device *device = queue->device;
	struct accel_submit_options o = { 0 };
	size_t i;
	int ret;

	if (opt && !accel_struct_in(&o, sizeof(o), opt))
		return accel_fail(err, -EINVAL, "submit: options of an unknown size or kind");
	if (!jobs || !count || count > MAX_JOBS)
		return accel_fail(err, -EINVAL, "submit: %zu jobs (1 to %u)", jobs ? count : 0,
				  MAX_JOBS);
	if (jobs->size < sizeof(*jobs) || jobs->size % _Alignof(struct accel_job))
		return accel_fail(err, -EINVAL, "submit: jobs of %zu bytes each, expected %zu",
				  jobs->size, sizeof(*jobs));
	ret = check_options(device, &o, err);
	if (ret)
		return ret;
	for (i = 0; i < count; i++) {
		struct accel_job ours;

		if (!accel_struct_in(&ours, sizeof(ours), accel_job_at(jobs, i)) ||
		    ours.size != jobs->size)
			return accel_fail(err, -EINVAL, "job %zu: of an unknown size or kind", i);
		ret = check_job(device, &ours, i, err);
		if (ret)
			return ret;
	}
	return device->ops->submit(queue, jobs, count, &o, fence, err);
}
