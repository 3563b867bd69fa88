/* SPDX-License-Identifier: MIT */
/* Devices: finding them, opening one by its spec, what it is. */
#include "transport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* In the order in which accel_device_list lists and "default" tries. */
static const struct accel_transport *const transports[] = { &accel_drm, &accel_sim };

#define DEFAULT_SIM "sim:ethos-u65-256"

struct accel_device_list {
	size_t count;
	struct accel_device_info *infos;
};

static int list_add(void *ctx, const struct accel_device_info *info)
{
	struct accel_device_list *list = ctx;
	struct accel_device_info *infos;

	infos = realloc(list->infos, (list->count + 1) * sizeof(*infos));
	if (!infos)
		return -ENOMEM;
	list->infos = infos;
	infos[list->count++] = *info;
	return 0;
}

int accel_device_list_create(struct accel_device_list **out, struct accel_error *err)
{
	struct accel_device_list *list;
	size_t i;
	int ret;

	list = calloc(1, sizeof(*list));
	if (!list)
		return accel_fail(err, -ENOMEM, "out of memory while listing devices");
	for (i = 0; i < sizeof(transports) / sizeof(*transports); i++) {
		ret = transports[i]->list(list_add, list, err);
		if (ret) {
			accel_device_list_free(list);
			if (ret == -ENOMEM)
				accel_fail(err, ret, "out of memory while listing devices");
			return ret;
		}
	}
	*out = list;
	return 0;
}

void accel_device_list_free(struct accel_device_list *list)
{
	if (!list)
		return;
	free(list->infos);
	free(list);
}

size_t accel_device_list_count(const struct accel_device_list *list)
{
	return list->count;
}

int accel_device_list_get(const struct accel_device_list *list, size_t index,
			  struct accel_device_info *info)
{
	if (index >= list->count)
		return -ERANGE;
	return accel_struct_out(info, &list->infos[index], sizeof(*info)) ? 0 : -EINVAL;
}

static int open_spec(const char *spec, struct accel_device **out, struct accel_error *err)
{
	size_t i, len;

	for (i = 0; i < sizeof(transports) / sizeof(*transports); i++) {
		len = strlen(transports[i]->prefix);
		if (!strncmp(spec, transports[i]->prefix, len))
			return transports[i]->open(spec, out, err);
	}
	return accel_fail(err, -EINVAL,
			  "device '%.100s': expected sim:NAME, /dev/accel/accelN or default", spec);
}

/* The first real device that opens. */
static int open_real(struct accel_device **out)
{
	struct accel_device_list list = { 0 };
	int ret = -ENODEV;
	size_t i;

	if (!accel_drm.list(list_add, &list, NULL))
		for (i = 0; ret && i < list.count; i++)
			ret = accel_drm.open(list.infos[i].spec, out, NULL);
	free(list.infos);
	return ret;
}

int accel_device_open(const char *spec, struct accel_device **device, struct accel_error *err)
{
	const char *env;

	if (spec && *spec && strcmp(spec, "default"))
		return open_spec(spec, device, err);
	env = secure_getenv("ACCEL_DEVICE");
	if (env && *env && strcmp(env, "default"))
		return open_spec(env, device, err);
	if (!open_real(device))
		return 0;
	return open_spec(DEFAULT_SIM, device, err);
}

struct accel_device *accel_device_ref(struct accel_device *device)
{
	accel_get(&device->refs);
	return device;
}

bool accel_device_put(struct accel_device *device)
{
	if (!accel_put(&device->refs))
		return false;
	device->ops->close(device);
	return true;
}

void accel_device_unref(struct accel_device *device)
{
	if (device)
		accel_device_put(device);
}

int accel_device_get_info(struct accel_device *device, struct accel_device_info *info)
{
	return accel_struct_out(info, &device->info, sizeof(*info)) ? 0 : -EINVAL;
}
