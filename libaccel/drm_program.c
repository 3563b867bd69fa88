/* SPDX-License-Identifier: MIT */
/* Programs of a DRM device: a command stream that the kernel has copied and found safe. */
#include "drm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int ask_usage(struct drm_device *drm, uint32_t handle, struct drm_usage *usage)
{
	struct drm_ethosux_bo_info info = { .handle = handle };
	int ret;

	ret = drm_ask(drm, DRM_IOCTL_ETHOSUX_BO_INFO, &info);
	if (ret)
		return ret;
	usage->read = info.regions_read;
	usage->written = info.regions_written;
	memcpy(usage->size, info.region_size, sizeof(usage->size));
	return 0;
}

int drm_program_create(struct accel_device *device, const uint32_t *stream, size_t size,
		       struct accel_program **out, struct accel_error *err)
{
	struct drm_ethosu_cmdstream_bo_create create = { .size = (uint32_t)size,
							 .data = drm_ptr(stream) };
	struct drm_device *drm = to_drm(device);
	struct drm_program *program;
	int ret;

	program = calloc(1, sizeof(*program));
	if (!program)
		return accel_fail(err, -ENOMEM, "program: out of memory");
	ret = drm_ask(drm, DRM_IOCTL_ETHOSU_CMDSTREAM_BO_CREATE, &create);
	if (ret == -EINVAL) {
		free(program);
		return accel_fail(err, ret, "program: the kernel cannot prove that the command stream "
				  "of %zu bytes is safe on %s: is it compiled for this NPU? "
				  "`echo 1 > /sys/module/drm/parameters/debug` and dmesg tell why",
				  size, device->info.name);
	}
	if (ret) {
		free(program);
		return accel_fail(err, ret, "program: a command stream of %zu bytes: %s", size,
				  strerrordesc_np(-ret));
	}
	program->handle = create.handle;
	if (!drm->extended)
		drm_scan(stream, size / 4, device->info.arch == 85, &program->usage);
	else
		ret = ask_usage(drm, create.handle, &program->usage);
	if (ret) {
		drm_handle_close(drm, create.handle);
		free(program);
		return accel_fail(err, ret, "program: %s", strerrordesc_np(-ret));
	}
	*out = &program->base;
	return 0;
}

void drm_program_destroy(struct accel_program *base)
{
	struct drm_program *program = (struct drm_program *)base;

	drm_handle_close(to_drm(base->device), program->handle);
	free(program);
}
