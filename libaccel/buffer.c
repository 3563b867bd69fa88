/* SPDX-License-Identifier: MIT */
/* Buffers: memory that a device reaches. */
#include "transport.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_FLAGS (ACCEL_BUFFER_NO_MAP | ACCEL_BUFFER_CPU_READ)

static struct accel_buffer *init(struct accel_buffer *buffer, struct accel_device *device,
				 uint32_t flags)
{
	buffer->device = accel_device_ref(device);
	buffer->refs = 1;
	buffer->flags = flags;
	return buffer;
}

/* @flags were checked. */
static int create(struct accel_device *device, uint64_t size, uint32_t flags,
		  struct accel_buffer **out, struct accel_error *err)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct accel_buffer *buffer;
	int ret;

	if (!size || size > SIZE_MAX / 2)
		return accel_fail(err, -EINVAL, "buffer: size %" PRIu64 " is not possible", size);
	size = (size + page - 1) / page * page;
	ret = device->ops->buffer_create(device, size, flags, &buffer, err);
	if (ret)
		return ret;
	*out = init(buffer, device, flags);
	return 0;
}

int accel_buffer_create(struct accel_device *device, uint64_t size, uint32_t flags,
			struct accel_buffer **out, struct accel_error *err)
{
	if (flags & ~BUFFER_FLAGS)
		return accel_fail(err, -EINVAL, "buffer: unknown flags 0x%x",
				  flags & ~BUFFER_FLAGS);
	return create(device, size, flags, out, err);
}

int accel_buffer_copy(struct accel_device *device, const void *data, uint64_t size,
		      struct accel_buffer **out, struct accel_error *err)
{
	struct accel_buffer *buffer;
	void *ptr;
	int ret;

	ret = create(device, size, ACCEL_BUFFER_PRIVATE, &buffer, err);
	if (ret)
		return ret;
	ret = accel_buffer_map(buffer, &ptr, err);
	if (ret)
		goto fail;
	memcpy(ptr, data, size);
	accel_buffer_unmap(buffer);
	ret = accel_buffer_seal(buffer, err);
	/* A kernel driver may have no seal; that no one but us has a mapping does as well. */
	if (ret && ret != -EOPNOTSUPP)
		goto fail;
	*out = buffer;
	return 0;
fail:
	accel_buffer_unref(buffer);
	return ret;
}

int accel_buffer_import(struct accel_device *device, int fd, uint32_t flags,
			struct accel_buffer **out, struct accel_error *err)
{
	struct accel_buffer *buffer;
	int ret;

	if (flags & ~BUFFER_FLAGS)
		return accel_fail(err, -EINVAL, "buffer: unknown flags 0x%x",
				  flags & ~BUFFER_FLAGS);
	if (!(device->info.features & ACCEL_FEATURE_DMA_BUF))
		return accel_fail(err, -EOPNOTSUPP, "%s imports no buffers", device->info.spec);
	ret = device->ops->buffer_import(device, fd, flags, &buffer, err);
	if (ret)
		return ret;
	*out = init(buffer, device, flags);
	return 0;
}

int accel_buffer_export(struct accel_buffer *buffer, int *fd, struct accel_error *err)
{
	if (!(buffer->device->info.features & ACCEL_FEATURE_DMA_BUF))
		return accel_fail(err, -EOPNOTSUPP, "%s exports no buffers",
				  buffer->device->info.spec);
	return buffer->device->ops->buffer_export(buffer, fd, err);
}

int accel_buffer_map(struct accel_buffer *buffer, void **ptr, struct accel_error *err)
{
	if (buffer->flags & ACCEL_BUFFER_NO_MAP)
		return accel_fail(err, -EPERM, "buffer was made with ACCEL_BUFFER_NO_MAP");
	return buffer->device->ops->buffer_map(buffer, ptr, err);
}

int accel_buffer_unmap(struct accel_buffer *buffer)
{
	return buffer->device->ops->buffer_unmap(buffer);
}

int accel_buffer_seal(struct accel_buffer *buffer, struct accel_error *err)
{
	return buffer->device->ops->buffer_seal(buffer, err);
}

uint64_t accel_buffer_size(const struct accel_buffer *buffer)
{
	return buffer->size;
}

struct accel_buffer *accel_buffer_ref(struct accel_buffer *buffer)
{
	accel_get(&buffer->refs);
	return buffer;
}

void accel_buffer_unref(struct accel_buffer *buffer)
{
	struct accel_device *device;

	if (!buffer || !accel_put(&buffer->refs))
		return;
	device = buffer->device;
	device->ops->buffer_destroy(buffer);
	accel_device_unref(device);
}
