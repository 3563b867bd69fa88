/* SPDX-License-Identifier: MIT */
/* Programs of a DRM device: a command stream that the kernel has copied and found safe. */
#include "drm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "driver/ethosu_validate.h"

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

/* Give the kernel @words; @stream's map is filled already. */
static int load(struct drm_device *drm, const uint32_t *words, size_t count,
		struct drm_stream *stream)
{
	struct drm_ethosu_cmdstream_bo_create create = { .size = (uint32_t)(4 * count),
							 .data = drm_ptr(words) };
	int ret;

	ret = drm_ask(drm, DRM_IOCTL_ETHOSU_CMDSTREAM_BO_CREATE, &create);
	if (ret)
		return ret;
	stream->handle = create.handle;
	if (drm->extended)
		ret = ask_usage(drm, create.handle, &stream->usage);
	else
		drm_scan(words, count, drm->base.info.arch == 85, &stream->usage);
	if (ret)
		drm_handle_close(drm, create.handle);
	return ret;
}

/* The kernel says no more than EINVAL. Its validator, in this library, most likely has the reason. */
static int refused(const struct accel_device_info *info, const uint32_t *words, size_t size,
		   struct accel_error *err)
{
	struct {
		struct ethosu_hw hw;
		struct ethosu_check check;
	} *v = malloc(sizeof(*v));

	if (v && !ethosu_hw_init(&v->hw, info->id, info->config) &&
	    ethosu_validate(&v->hw, words, size / 4, &v->check) && v->check.reject.why)
		accel_fail(err, -EINVAL, "program: the kernel refuses the command stream: at byte %u, "
			   "word 0x%08x: %s (%llu); is it compiled for %s?", v->check.reject.offset,
			   v->check.reject.command, v->check.reject.why,
			   (unsigned long long)v->check.reject.value, info->name);
	else
		accel_fail(err, -EINVAL, "program: the kernel cannot prove that the command stream of "
			   "%zu bytes is safe on %s; `echo 2 > /sys/module/drm/parameters/debug` and "
			   "dmesg tell why", size, info->name);
	free(v);
	return -EINVAL;
}

int drm_program_create(struct accel_device *device, const uint32_t *words, size_t size,
		       struct accel_program **out, struct accel_error *err)
{
	struct drm_device *drm = to_drm(device);
	struct drm_program *program;
	uint8_t i;
	int ret;

	program = calloc(1, sizeof(*program));
	if (!program)
		return accel_fail(err, -ENOMEM, "program: out of memory");
	for (i = 0; i < DRM_REGIONS; i++)
		program->stream.map[i] = i;
	if (!drm->extended) {
		program->count = size / 4;
		program->words = malloc(size);
		if (!program->words) {
			free(program);
			return accel_fail(err, -ENOMEM, "program: out of memory");
		}
		memcpy(program->words, words, size);
	}
	ret = load(drm, words, size / 4, &program->stream);
	if (!ret) {
		*out = &program->base;
		return 0;
	}
	free(program->words);
	free(program);
	if (ret == -EINVAL)
		return refused(&device->info, words, size, err);
	return accel_fail(err, ret, "program: a command stream of %zu bytes: %s", size,
			  strerrordesc_np(-ret));
}

void drm_program_destroy(struct accel_program *base)
{
	struct drm_program *program = (struct drm_program *)base;
	struct drm_device *drm = to_drm(base->device);
	struct drm_stream *form;

	while ((form = program->stream.next)) {
		program->stream.next = form->next;
		drm_handle_close(drm, form->handle);
		free(form);
	}
	drm_handle_close(drm, program->stream.handle);
	free(program->words);
	free(program);
}

/* With the lock held. */
static int make_form(struct drm_device *drm, struct drm_program *program, const uint8_t *map,
		     struct drm_stream **out)
{
	struct drm_stream *form = calloc(1, sizeof(*form));
	uint32_t *words = malloc(4 * program->count);
	int ret = -ENOMEM;

	if (form && words) {
		memcpy(words, program->words, 4 * program->count);
		memcpy(form->map, map, sizeof(form->map));
		drm_scan_rename(words, program->count, map);
		ret = load(drm, words, program->count, form);
	}
	free(words);
	if (ret) {
		free(form);
		return ret;
	}
	form->next = program->stream.next;
	program->stream.next = form;
	*out = form;
	return 0;
}

int drm_program_merged(struct drm_device *drm, const struct accel_job *job,
		       const struct drm_stream **out)
{
	struct drm_program *program = (struct drm_program *)job->program;
	uint32_t i, k, used = program->stream.usage.read | program->stream.usage.written;
	const struct accel_binding *b = job->bindings;
	struct drm_stream *form;
	uint8_t map[DRM_REGIONS];
	int ret = 0;

	memcpy(map, program->stream.map, sizeof(map));
	for (i = 0; i < job->binding_count; i++)
		for (k = 0; k < i; k++)
			if (b[k].buffer == b[i].buffer && used >> b[k].region & 1 &&
			    used >> b[i].region & 1 && map[b[i].region] == b[i].region)
				map[b[i].region] = map[b[k].region];
	pthread_mutex_lock(&drm->lock);
	for (form = &program->stream; form; form = form->next)
		if (!memcmp(form->map, map, sizeof(map)))
			break;
	if (!form)
		ret = make_form(drm, program, map, &form);
	pthread_mutex_unlock(&drm->lock);
	*out = form;
	return ret;
}
