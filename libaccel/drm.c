/* SPDX-License-Identifier: MIT */
/*
 * The kernel's accel devices: found, not driven yet.
 *
 * What will stand behind the calls on a mainline ethosu device (include/uapi/drm/ethosu_accel.h),
 * and why the public header is as it is:
 * - buffer_create, _map: BO_CREATE, BO_MMAP_OFFSET and mmap().
 *   Mappings are write-combined. No seal.
 * - program_create: CMDSTREAM_BO_CREATE, which validates; the constants are a BO of ours.
 * - queue_create: one queue of normal priority per open file; all queues share it.
 * - submit: one SUBMIT, after everything it would refuse was looked at, because it queues jobs one
 *   by one and stops at the first bad one. It takes whole BOs (no ACCEL_FEATURE_SUBRANGE), each
 *   once a job, and no handle for a region that the stream does not use: bindings of those are
 *   left out.
 * - fence_wait: BO_WAIT, absolute CLOCK_MONOTONIC, on each BO of the job: those it writes carry its
 *   fence. A job's failure is not told (no ACCEL_FEATURE_JOB_STATUS). An fd needs a thread
 *   that waits.
 * - fence_result: PERFMON_GET_VALUES of a perfmon per job, where the kernel has it (7.3).
 */
#include "transport.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NODE_DIR "/dev/accel"

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

static int drm_open(const char *spec, struct accel_device **out, struct accel_error *err)
{
	(void)out;
	if (access(spec, R_OK | W_OK)) {
		int ret = errno;

		return accel_fail(err, -ret, "%.200s: %s", spec, strerrordesc_np(ret));
	}
	return accel_fail(err, -EOPNOTSUPP,
			  "%.100s: this version drives simulated devices only; use sim:NAME", spec);
}

const struct accel_transport accel_drm = {
	.name = "drm",
	.prefix = NODE_DIR "/accel",
	.list = drm_list,
	.open = drm_open,
};
