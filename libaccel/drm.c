/* SPDX-License-Identifier: MIT */
/* The kernel's accel devices: finding and opening them, what they are. */
#include "drm.h"

#include <dirent.h>
#include <drm.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "uapi/ethosu_regs.h"

#define NODE_DIR "/dev/accel"

/* The highest events that Linux's driver lets be counted. */
#define MAX_EVENT_U65 433
#define MAX_EVENT_U85 671

#define MACS_MASK 0xf	/* CONFIG.MACS_PER_CC: log2 */

/* The number in "accelN", or -1. */
static int node_number(const char *name)
{
	char *end;
	long n;

	if (strncmp(name, "accel", 5) || name[5] < '0' || name[5] > '9')
		return -1;
	n = strtol(name + 5, &end, 10);
	return *end || n > 0xffff ? -1 : (int)n;
}

/* The name of the driver behind a node, from sysfs. */
static void driver_name(int number, char *text, size_t len)
{
	char path[64], target[256], *name;
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/class/accel/accel%d/device/driver", number);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0) {
		snprintf(text, len, "driver unknown");
		return;
	}
	target[n] = '\0';
	name = strrchr(target, '/');
	snprintf(text, len, "driver %.80s", name ? name + 1 : target);
}

static int by_number(const struct dirent **a, const struct dirent **b)
{
	return node_number((*a)->d_name) - node_number((*b)->d_name);
}

static int is_node(const struct dirent *entry)
{
	return node_number(entry->d_name) >= 0;
}

static int drm_list(int (*add)(void *ctx, const struct accel_device_info *info), void *ctx,
		    struct accel_error *err)
{
	struct accel_device_info info;
	struct dirent **entries;
	int i, count, ret = 0;

	count = scandir(NODE_DIR, &entries, is_node, by_number);
	if (count < 0) {
		ret = errno;
		if (ret == ENOENT || ret == ENOTDIR)
			return 0;
		return accel_fail(err, -ret, "%s: %s", NODE_DIR, strerrordesc_np(ret));
	}
	for (i = 0; i < count; i++) {
		memset(&info, 0, sizeof(info));
		info.size = sizeof(info);
		snprintf(info.spec, sizeof(info.spec), NODE_DIR "/accel%d",
			 node_number(entries[i]->d_name));
		snprintf(info.transport, sizeof(info.transport), "drm");
		driver_name(node_number(entries[i]->d_name), info.description,
			    sizeof(info.description));
		if (!ret)
			ret = add(ctx, &info);
		free(entries[i]);
	}
	free(entries);
	return ret;
}

static int open_error(const char *spec, int ret, struct accel_error *err)
{
	switch (ret) {
	case -EACCES:
	case -EPERM:
		return accel_fail(err, ret, "%.60s: %s: the node is for group render (usermod -aG render "
				  "$USER, then log in anew); if it is root's alone, the udev rule "
				  "60-accel.rules is not installed", spec, strerrordesc_np(-ret));
	case -ENOENT:
		return accel_fail(err, ret, "%.60s: no such device; is the driver loaded (modprobe "
				  "ethosu, then dmesg), is the NPU in the device tree?", spec);
	case -ENODEV:
	case -ENXIO:
		return accel_fail(err, ret, "%.60s: the device behind the node is gone", spec);
	default:
		return accel_fail(err, ret, "%.100s: %s", spec, strerrordesc_np(-ret));
	}
}

static int check_driver(struct drm_device *drm, const char *spec, struct accel_error *err)
{
	char name[32] = "";
	struct drm_version version = { .name = name, .name_len = sizeof(name) - 1 };
	int ret;

	ret = drm_ask(drm, DRM_IOCTL_VERSION, &version);
	if (ret)
		return accel_fail(err, ret, "%.100s: no DRM device: %s", spec,
				  strerrordesc_np(-ret));
	if (!strstr(name, "ethosu"))
		return accel_fail(err, -EOPNOTSUPP,
				  "%.100s: its driver is %s; this library knows ethosu", spec, name);
	return 0;
}

static int query(struct drm_device *drm, uint32_t type, void *answer, uint32_t size)
{
	struct drm_ethosu_dev_query ask = { .type = type, .size = size,
					    .pointer = drm_ptr(answer) };

	return drm_ask(drm, DRM_IOCTL_ETHOSU_DEV_QUERY, &ask);
}

#define EXTENDED_FEATURES \
	(ACCEL_FEATURE_JOB_STATUS | ACCEL_FEATURE_PRIORITY | ACCEL_FEATURE_COUNTERS)

/*
 * Linux's driver: all jobs run in the order of submission, so waiting for a fence is no feat;
 * counters came with 7.3, and with them the member that says how many.
 */
static void fill_info(struct drm_device *drm, const struct drm_ethosu_npu_info *npu,
		      const char *spec)
{
	struct accel_device_info *info = &drm->base.info;

	info->size = sizeof(*info);
	snprintf(info->spec, sizeof(info->spec), "%s", spec);
	snprintf(info->transport, sizeof(info->transport), "drm");
	snprintf(info->family, sizeof(info->family), "ethos-u");
	info->arch = DRM_ETHOSU_ARCH_MAJOR(npu->id) >= 2 ? 85 : 65;
	info->macs = 1u << (npu->config >> ETHOSU_CONFIG_MACS_PER_CC_LOW & MACS_MASK);
	snprintf(info->name, sizeof(info->name), "ethos-u%u-%u", info->arch, info->macs);
	info->id = npu->id;
	info->config = npu->config;
	info->regions = DRM_REGIONS;
	info->sram_region = DRM_SRAM_REGION;
	info->sram_size = npu->sram_size;
	info->event_counters = npu->pmu_counters > ACCEL_MAX_EVENTS ? ACCEL_MAX_EVENTS :
								      npu->pmu_counters;
	info->max_event = info->arch == 85 ? MAX_EVENT_U85 : MAX_EVENT_U65;
	info->features = ACCEL_FEATURE_DMA_BUF | ACCEL_FEATURE_WAIT;
	if (info->event_counters)
		info->features |= ACCEL_FEATURE_COUNTERS;
	if (drm->extended) {
		info->features |= EXTENDED_FEATURES;
		if (drm->caps.features & DRM_ETHOSUX_FEATURE_SUBRANGE)
			info->features |= ACCEL_FEATURE_SUBRANGE;
		if (drm->caps.max_event)
			info->max_event = drm->caps.max_event;
	}
	snprintf(info->description, sizeof(info->description), "%s", drm->extended ?
		 "NPU of the kernel's ethosu driver, extended" : "NPU of the kernel's ethosu driver");
}

static int ask_all(struct drm_device *drm, const char *spec, struct accel_error *err)
{
	struct drm_ethosu_npu_info npu = { 0 };
	int ret;

	ret = check_driver(drm, spec, err);
	if (ret)
		return ret;
	ret = query(drm, DRM_ETHOSU_DEV_QUERY_NPU_INFO, &npu, sizeof(npu));
	if (ret)
		return accel_fail(err, ret, "%.100s: cannot be asked what it is: %s", spec,
				  strerrordesc_np(-ret));
	/* The queues of the extension are of use with its fences only. */
	drm->extended = !query(drm, DRM_ETHOSUX_DEV_QUERY_CAPS, &drm->caps, sizeof(drm->caps)) &&
			drm->caps.features & DRM_ETHOSUX_FEATURE_SYNCOBJ;
	if (!drm->extended)
		memset(&drm->caps, 0, sizeof(drm->caps));
	fill_info(drm, &npu, spec);
	return 0;
}

static void drm_close(struct accel_device *device)
{
	struct drm_device *drm = to_drm(device);
	struct drm_perfmon *p;

	while ((p = LIST_FIRST(&drm->perfmons))) {
		LIST_REMOVE(p, link);
		free(p);
	}
	if (drm->marker)
		free(drm->marker->words);
	free(drm->marker);
	/* Takes all handles along. */
	drm_sys.close(drm->fd);
	pthread_mutex_destroy(&drm->lock);
	free(drm);
}

static int drm_open(const char *spec, struct accel_device **out, struct accel_error *err)
{
	struct drm_device *drm;
	int ret;

	drm = calloc(1, sizeof(*drm));
	if (!drm)
		return accel_fail(err, -ENOMEM, "%.100s: out of memory", spec);
	drm->fd = drm_sys.open(spec);
	if (drm->fd < 0) {
		ret = open_error(spec, drm->fd, err);
		free(drm);
		return ret;
	}
	drm->base.ops = &accel_drm;
	drm->base.refs = 1;
	pthread_mutex_init(&drm->lock, NULL);
	LIST_INIT(&drm->bos);
	LIST_INIT(&drm->perfmons);
	ret = ask_all(drm, spec, err);
	if (ret) {
		drm_close(&drm->base);
		return ret;
	}
	*out = &drm->base;
	return 0;
}

const struct accel_transport accel_drm = {
	.name = "drm",
	.prefix = NODE_DIR "/",	/* links to nodes lie there, too */
	.list = drm_list,
	.open = drm_open,
	.close = drm_close,
	.buffer_create = drm_bo_create,
	.buffer_import = drm_bo_import,
	.buffer_export = drm_bo_export,
	.buffer_map = drm_bo_map,
	.buffer_unmap = drm_bo_unmap,
	.buffer_seal = drm_bo_seal,
	.buffer_sealed = drm_bo_sealed,
	.buffer_destroy = drm_bo_destroy,
	.program_create = drm_program_create,
	.program_destroy = drm_program_destroy,
	.queue_create = drm_queue_create,
	.queue_destroy = drm_queue_destroy,
	.submit = drm_submit,
	.fence_wait = drm_fence_wait,
	.fence_fd = drm_fence_fd,
	.fence_result = drm_fence_result,
	.fence_destroy = drm_fence_destroy,
};
