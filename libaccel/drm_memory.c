/* SPDX-License-Identifier: MIT */
/* Memory of a DRM device: buffer objects, their handles and mappings, PRIME. */
#include "drm.h"

#include <drm.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define to_drm_buffer(buffer) ((struct drm_buffer *)(buffer))

void drm_handle_close(struct drm_device *drm, uint32_t handle)
{
	struct drm_gem_close close_handle = { .handle = handle };

	drm_ask(drm, DRM_IOCTL_GEM_CLOSE, &close_handle);
}

/* With the lock held. */
static struct drm_bo *bo_find(struct drm_device *drm, uint32_t handle)
{
	struct drm_bo *bo;

	LIST_FOREACH(bo, &drm->bos, link)
		if (bo->handle == handle)
			return bo;
	return NULL;
}

/* With the lock held. */
static void bo_put(struct drm_device *drm, struct drm_bo *bo)
{
	if (--bo->refs)
		return;
	LIST_REMOVE(bo, link);
	if (bo->ptr)
		munmap(bo->ptr, bo->size);
	/* With the lock: an import could be given the handle that goes. */
	drm_handle_close(drm, bo->handle);
	free(bo);
}

static struct drm_buffer *buffer_new(struct drm_bo **bo)
{
	struct drm_buffer *buffer = calloc(1, sizeof(*buffer));

	*bo = calloc(1, sizeof(**bo));
	if (buffer && *bo)
		return buffer;
	free(buffer);
	free(*bo);
	return NULL;
}

int drm_bo_create(struct accel_device *device, uint64_t size, uint32_t flags,
		  struct accel_buffer **out, struct accel_error *err)
{
	struct drm_ethosu_bo_create create = { .size = size };
	struct drm_device *drm = to_drm(device);
	struct drm_buffer *buffer;
	struct drm_bo *bo;
	int ret;

	if (flags & ACCEL_BUFFER_NO_MAP)
		create.flags |= DRM_ETHOSU_BO_NO_MMAP;
	if (flags & ACCEL_BUFFER_CPU_READ && drm->caps.features & DRM_ETHOSUX_FEATURE_CACHED)
		create.flags |= DRM_ETHOSUX_BO_CACHED;
	buffer = buffer_new(&bo);
	if (!buffer)
		return accel_fail(err, -ENOMEM, "buffer: out of memory");
	ret = drm_ask(drm, DRM_IOCTL_ETHOSU_BO_CREATE, &create);
	if (ret) {
		free(buffer);
		free(bo);
		if (ret == -ENOMEM)
			return accel_fail(err, ret, "buffer: the kernel has no %" PRIu64
					  " bytes in one piece for the NPU; boot with a larger cma=, "
					  "or mind the driver's limit", size);
		return accel_fail(err, ret, "buffer: %" PRIu64 " bytes: %s", size,
				  strerrordesc_np(-ret));
	}
	bo->refs = 1;
	bo->handle = create.handle;
	bo->size = create.size;
	pthread_mutex_lock(&drm->lock);
	LIST_INSERT_HEAD(&drm->bos, bo, link);
	pthread_mutex_unlock(&drm->lock);
	buffer->bo = bo;
	buffer->base.size = bo->size;
	*out = &buffer->base;
	return 0;
}

static int import_error(struct drm_device *drm, int fd, int ret, struct accel_error *err)
{
	if (ret == -EBADF)
		return accel_fail(err, ret, "import: no file %d is open", fd);
	if (!(drm->caps.features & DRM_ETHOSUX_FEATURE_IMPORT))
		return accel_fail(err, -EOPNOTSUPP,
				  "import: this kernel's driver takes its own buffers only: %s",
				  strerrordesc_np(-ret));
	if (ret == -EINVAL)
		return accel_fail(err, ret, "import: file %d is no dma-buf%s", fd,
				  drm->caps.features & DRM_ETHOSUX_FEATURE_IMPORT_SCATTERED ? "" :
				  ", or one of memory in several pieces (take it from a CMA heap)");
	return accel_fail(err, ret, "import: %s", strerrordesc_np(-ret));
}

int drm_bo_import(struct accel_device *device, int fd, uint32_t flags, struct accel_buffer **out,
		  struct accel_error *err)
{
	struct drm_prime_handle prime = { .fd = fd };
	struct drm_device *drm = to_drm(device);
	struct drm_buffer *buffer;
	struct drm_bo *bo, *known;
	off_t size;
	int ret;

	(void)flags;
	buffer = buffer_new(&bo);
	if (!buffer)
		return accel_fail(err, -ENOMEM, "import: out of memory");
	pthread_mutex_lock(&drm->lock);
	ret = fcntl(fd, F_GETFD) < 0 ? -EBADF : drm_ask(drm, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime);
	if (ret) {
		ret = import_error(drm, fd, ret, err);
		goto fail;
	}
	known = bo_find(drm, prime.handle);
	if (known) {
		known->refs++;
		free(bo);
		bo = known;
		goto done;
	}
	size = lseek(fd, 0, SEEK_END);
	if (size <= 0) {
		drm_handle_close(drm, prime.handle);
		ret = accel_fail(err, -EINVAL, "import: file %d does not tell its size", fd);
		goto fail;
	}
	bo->refs = 1;
	bo->handle = prime.handle;
	bo->size = (uint64_t)size;
	LIST_INSERT_HEAD(&drm->bos, bo, link);
done:
	bo->shared = true;
	pthread_mutex_unlock(&drm->lock);
	buffer->bo = bo;
	buffer->base.size = bo->size;
	*out = &buffer->base;
	return 0;
fail:
	pthread_mutex_unlock(&drm->lock);
	free(bo);
	free(buffer);
	return ret;
}

int drm_bo_export(struct accel_buffer *base, int *fd, struct accel_error *err)
{
	struct drm_device *drm = to_drm(base->device);
	struct drm_bo *bo = to_drm_buffer(base)->bo;
	struct drm_prime_handle prime = { .handle = bo->handle, .flags = DRM_CLOEXEC, .fd = -1 };
	int ret;

	pthread_mutex_lock(&drm->lock);
	if (!bo->sealed)
		prime.flags |= DRM_RDWR;
	ret = drm_ask(drm, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime);
	if (!ret)
		bo->shared = true;
	pthread_mutex_unlock(&drm->lock);
	if (ret)
		return accel_fail(err, ret, "export: %s", strerrordesc_np(-ret));
	*fd = prime.fd;
	return 0;
}

/* With the lock held. */
static int bo_map(struct drm_device *drm, struct drm_bo *bo)
{
	struct drm_ethosu_bo_mmap_offset map = { .handle = bo->handle };
	int ret;

	if (bo->ptr)
		return 0;
	ret = drm_ask(drm, DRM_IOCTL_ETHOSU_BO_MMAP_OFFSET, &map);
	if (ret)
		return ret;
	return drm_sys.mmap(drm->fd, map.offset, bo->size,
			    bo->sealed ? PROT_READ : PROT_READ | PROT_WRITE, &bo->ptr);
}

int drm_bo_map(struct accel_buffer *base, void **ptr, struct accel_error *err)
{
	struct drm_device *drm = to_drm(base->device);
	struct drm_buffer *buffer = to_drm_buffer(base);
	int ret;

	pthread_mutex_lock(&drm->lock);
	ret = bo_map(drm, buffer->bo);
	if (!ret) {
		buffer->maps++;
		*ptr = buffer->bo->ptr;
	}
	pthread_mutex_unlock(&drm->lock);
	if (ret)
		return accel_fail(err, ret, "buffer: cannot map %" PRIu64 " bytes: %s", base->size,
				  strerrordesc_np(-ret));
	return 0;
}

int drm_bo_unmap(struct accel_buffer *base)
{
	struct drm_device *drm = to_drm(base->device);
	struct drm_buffer *buffer = to_drm_buffer(base);
	int ret = -EINVAL;

	/* The mapping itself goes with the buffer: making one costs more than keeping it. */
	pthread_mutex_lock(&drm->lock);
	if (buffer->maps) {
		buffer->maps--;
		ret = 0;
	}
	pthread_mutex_unlock(&drm->lock);
	return ret;
}

/*
 * The kernel knows no seal. What this process can do, it does: its mapping turns read-only, and
 * drm_submit() refuses jobs that write.
 */
int drm_bo_seal(struct accel_buffer *base, struct accel_error *err)
{
	struct drm_device *drm = to_drm(base->device);
	struct drm_bo *bo = to_drm_buffer(base)->bo;
	struct drm_ethosu_bo_wait wait = { .handle = bo->handle };
	int ret = 0;

	pthread_mutex_lock(&drm->lock);
	if (bo->sealed)
		goto out;
	if (bo->shared) {
		ret = accel_fail(err, -EOPNOTSUPP,
				 "seal: the buffer was exported or imported, others may write it");
		goto out;
	}
	ret = drm_ask(drm, DRM_IOCTL_ETHOSU_BO_WAIT, &wait);
	if (ret == -ETIME) {
		ret = accel_fail(err, -EBUSY, "seal: jobs that are not done use the buffer");
		goto out;
	}
	if (!ret && bo->ptr && mprotect(bo->ptr, bo->size, PROT_READ))
		ret = -errno;
	if (ret)
		accel_fail(err, ret, "seal: %s", strerrordesc_np(-ret));
	else
		bo->sealed = true;
out:
	pthread_mutex_unlock(&drm->lock);
	return ret;
}

bool drm_bo_sealed(struct accel_buffer *base)
{
	struct drm_device *drm = to_drm(base->device);
	bool sealed;

	pthread_mutex_lock(&drm->lock);
	sealed = to_drm_buffer(base)->bo->sealed;
	pthread_mutex_unlock(&drm->lock);
	return sealed;
}

void drm_bo_destroy(struct accel_buffer *base)
{
	struct drm_device *drm = to_drm(base->device);
	struct drm_buffer *buffer = to_drm_buffer(base);

	pthread_mutex_lock(&drm->lock);
	bo_put(drm, buffer->bo);
	pthread_mutex_unlock(&drm->lock);
	free(buffer);
}
