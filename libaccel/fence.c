/* SPDX-License-Identifier: MIT */
/* Fences: when jobs are done, and what became of them. */
#include "transport.h"

#include <errno.h>
#include <string.h>

int accel_fence_wait_until(struct accel_fence *fence, int64_t deadline_ns)
{
	return fence->device->ops->fence_wait(fence, deadline_ns < 0 ? 0 : deadline_ns);
}

int accel_fence_wait(struct accel_fence *fence, int64_t timeout_ns)
{
	int64_t deadline = timeout_ns;

	if (timeout_ns < 0)
		deadline = INT64_MAX;
	else if (timeout_ns && __builtin_add_overflow(accel_now(), timeout_ns, &deadline))
		deadline = INT64_MAX;
	return accel_fence_wait_until(fence, deadline);
}

int accel_fence_get_fd(struct accel_fence *fence, int *fd, struct accel_error *err)
{
	return fence->device->ops->fence_fd(fence, fd, err);
}

int accel_fence_get_result(struct accel_fence *fence, size_t index, struct accel_job_result *result)
{
	struct accel_job_result ours;

	if (index >= fence->count)
		return -ERANGE;
	memset(&ours, 0, sizeof(ours));
	ours.size = sizeof(ours);
	fence->device->ops->fence_result(fence, index, &ours);
	return accel_struct_out(result, &ours, sizeof(ours)) ? 0 : -EINVAL;
}

size_t accel_fence_job_count(const struct accel_fence *fence)
{
	return fence->count;
}

struct accel_fence *accel_fence_ref(struct accel_fence *fence)
{
	accel_get(&fence->refs);
	return fence;
}

void accel_fence_unref(struct accel_fence *fence)
{
	struct accel_device *device;

	if (!fence || !accel_put(&fence->refs))
		return;
	device = fence->device;
	device->ops->fence_destroy(fence);
	accel_device_unref(device);
}
