/* SPDX-License-Identifier: MIT */
/* The fake kernel's calls: nodes, buffers, objects, and which driver knows which ioctl. */
#include "tests/drm_fake.h"

#include <drm.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/libaccel_fake_npu.h"
#include "uapi/ethosu_isa.h"

static pthread_mutex_t nodes_lock = PTHREAD_MUTEX_INITIALIZER;
static LIST_HEAD(, fake_kernel) nodes;
static unsigned long fail_request;
static unsigned int fail_after;
static int fail_err;
static bool no_realtime;

void drm_fake_fail(unsigned long request, unsigned int after, int err)
{
	pthread_mutex_lock(&nodes_lock);
	fail_request = request;
	fail_after = after;
	fail_err = err;
	pthread_mutex_unlock(&nodes_lock);
}

void drm_fake_allow_realtime(bool allowed)
{
	pthread_mutex_lock(&nodes_lock);
	no_realtime = !allowed;
	pthread_mutex_unlock(&nodes_lock);
}

void drm_fake_unplug(void)
{
	struct fake_kernel *k;

	pthread_mutex_lock(&nodes_lock);
	LIST_FOREACH(k, &nodes, link) {
		pthread_mutex_lock(&k->lock);
		k->unplugged = true;
		pthread_cond_broadcast(&k->changed);
		pthread_mutex_unlock(&k->lock);
	}
	pthread_mutex_unlock(&nodes_lock);
}

unsigned int drm_fake_objects(void)
{
	struct fake_object *obj;
	struct fake_kernel *k;
	unsigned int n = 0;

	pthread_mutex_lock(&nodes_lock);
	LIST_FOREACH(k, &nodes, link) {
		pthread_mutex_lock(&k->lock);
		LIST_FOREACH(obj, &k->objects, link)
			n++;
		n--;	/* the queue of the file itself */
		pthread_mutex_unlock(&k->lock);
	}
	pthread_mutex_unlock(&nodes_lock);
	return n;
}

/* ---- objects ---- */

struct fake_object *drm_fake_find(struct fake_kernel *k, int kind, uint32_t id)
{
	struct fake_object *obj;

	LIST_FOREACH(obj, &k->objects, link)
		if ((int)obj->kind == kind && obj->id == id)
			return obj;
	return NULL;
}

static void bo_free(struct fake_bo *bo)
{
	if (bo->fd < 0) {
		free(bo->host);
		return;
	}
	munmap(bo->host, bo->size);
	close(bo->fd);
}

void drm_fake_object_put(struct fake_kernel *k, struct fake_object *obj)
{
	struct fake_sync *sync = (struct fake_sync *)obj;
	size_t i;

	if (--obj->refs)
		return;
	switch (obj->kind) {
	case FAKE_BO:
		bo_free((struct fake_bo *)obj);
		break;
	case FAKE_QUEUE:
		free(((struct fake_queue *)obj)->infos);
		break;
	case FAKE_SYNC:
		for (i = 0; i < sync->count; i++)
			drm_fake_done_put(sync->points[i].done);
		free(sync->points);
		if (sync->from)
			drm_fake_object_put(k, &sync->from->obj);
		break;
	case FAKE_PERFMON:
		break;
	}
	free(obj);
}

static void *object_new(struct fake_kernel *k, int kind, size_t size)
{
	struct fake_object *obj = calloc(1, size);

	if (!obj)
		return NULL;
	obj->kind = kind;
	obj->refs = 1;
	obj->id = ++k->next_id;
	LIST_INSERT_HEAD(&k->objects, obj, link);
	return obj;
}

static int object_close(struct fake_kernel *k, int kind, uint32_t id, int missing)
{
	struct fake_object *obj = drm_fake_find(k, kind, id);

	if (!obj)
		return missing;
	LIST_REMOVE(obj, link);
	drm_fake_object_put(k, obj);
	return 0;
}

/* ---- buffers ---- */

static int bo_new(struct fake_kernel *k, int fd, uint64_t size, uint32_t flags, struct fake_bo **out)
{
	void *host = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	struct fake_bo *bo;

	if (host == MAP_FAILED)
		return -ENOMEM;
	bo = object_new(k, FAKE_BO, sizeof(*bo));
	if (!bo) {
		munmap(host, size);
		return -ENOMEM;
	}
	bo->fd = fd;
	bo->host = host;
	bo->size = size;
	bo->flags = flags;
	bo->addr = k->next_addr;
	k->next_addr += (size + (1 << 20)) & ~UINT64_C(0xfffff);
	*out = bo;
	return 0;
}

static int bo_create(struct fake_kernel *k, struct drm_ethosu_bo_create *arg)
{
	uint64_t size = (arg->size + 4095) / 4096 * 4096;
	struct fake_bo *bo;
	int fd, ret;

	if (!arg->size || arg->flags & ~(__u32)DRM_ETHOSU_BO_NO_MMAP)
		return -EINVAL;
	if (size > UINT64_C(1) << 32)
		return -ENOMEM;
	fd = memfd_create("fake", MFD_CLOEXEC);
	if (fd < 0)
		return -EMFILE;
	ret = ftruncate(fd, (off_t)size) ? -ENOMEM : bo_new(k, fd, size, arg->flags, &bo);
	if (ret) {
		close(fd);
		return ret;
	}
	arg->size = size;
	arg->handle = bo->obj.id;
	return 0;
}

static struct fake_bo *bo_find(struct fake_kernel *k, uint32_t handle)
{
	return (struct fake_bo *)drm_fake_find(k, FAKE_BO, handle);
}

/* Bytes of DMA, and what the tests' NPU copies: other operations are not in the tests' streams. */
static void use(struct drm_usage *usage, uint32_t region, uint64_t end, bool write)
{
	*(write ? &usage->written : &usage->read) |= 1u << region;
	if (usage->size[region] < end)
		usage->size[region] = end;
}

static void usage_of_fake(const uint32_t *word, size_t words, struct drm_usage *usage)
{
	size_t i;

	for (i = 0; i + 1 < words; i += 2) {
		if (word[i] != FAKE_COPY)
			continue;
		use(usage, word[i + 1] & 7, word[i + 1] >> 16, false);
		use(usage, word[i + 1] >> 8 & 7, word[i + 1] >> 16, true);
	}
}

void drm_fake_usage(const uint32_t *stream, size_t words, struct drm_usage *usage)
{
	uint64_t src = 0, dst = 0, len = 0, value;
	uint32_t from = 0x100, to = 0x100;
	size_t i;

	memset(usage, 0, sizeof(*usage));
	if (stream[0] >= FAKE_GATE && stream[0] <= FAKE_FAULT) {
		usage_of_fake(stream, words, usage);
		return;
	}
	for (i = 0; i < words; i++) {
		value = 0;
		if (stream[i] & 0x4000 && i + 1 < words)
			value = (uint64_t)(stream[i] >> 16 & 0xff) << 32 | stream[i + 1];
		switch (stream[i] & 0xffff) {
		case ETHOSU_SET_DMA0_SRC_REGION:
			from = stream[i] >> 16;
			break;
		case ETHOSU_SET_DMA0_DST_REGION:
			to = stream[i] >> 16;
			break;
		case 0x4000 | ETHOSU_SET_DMA0_SRC:
			src = value;
			break;
		case 0x4000 | ETHOSU_SET_DMA0_DST:
			dst = value;
			break;
		case 0x4000 | ETHOSU_SET_DMA0_LEN:
			len = value;
			break;
		case ETHOSU_OP_DMA_START:
			if (!(from & 0x100))
				use(usage, from & 7, src + len, false);
			if (!(to & 0x100))
				use(usage, to & 7, dst + len, true);
			break;
		}
		i += stream[i] >> 14 & 1;
	}
}

static int cmdstream_create(struct fake_kernel *k, struct drm_ethosu_cmdstream_bo_create *arg)
{
	const uint32_t *words = (const void *)(uintptr_t)arg->data;
	struct fake_bo *bo;

	if (!arg->size || !arg->data || arg->flags || arg->pad)
		return -EINVAL;
	/* What a stream of the simulated NPU must end with; the tests' NPU has two words there. */
	if (words[arg->size / 4 - 1] != 0xffff0000 &&
	    (arg->size < 8 || words[arg->size / 4 - 2] != FAKE_STOP))
		return -EINVAL;
	bo = object_new(k, FAKE_BO, sizeof(*bo));
	if (!bo)
		return -ENOMEM;
	bo->fd = -1;
	bo->host = malloc(arg->size);
	if (!bo->host) {
		object_close(k, FAKE_BO, bo->obj.id, 0);
		return -ENOMEM;
	}
	memcpy(bo->host, words, arg->size);
	bo->size = bo->stream_size = arg->size;
	bo->addr = k->next_addr;
	k->next_addr += ((uint64_t)arg->size + (1 << 20)) & ~UINT64_C(0xfffff);
	drm_fake_usage(words, arg->size / 4, &bo->usage);
	arg->handle = bo->obj.id;
	arg->flags = DRM_ETHOSU_BO_NO_MMAP;
	return 0;
}

struct idle {
	const struct fake_bo *bo;
	bool readers_too;
};

static bool bo_idle(void *ctx)
{
	const struct idle *idle = ctx;

	return !idle->bo->writers && !(idle->readers_too && idle->bo->readers);
}

static int bo_wait(struct fake_kernel *k, struct drm_ethosu_bo_wait *arg)
{
	struct fake_bo *bo = bo_find(k, arg->handle);
	struct idle idle = { bo, k->driver == DRM_FAKE_EXTENDED };
	int ret;

	if (!bo || arg->pad)
		return -EINVAL;
	bo->obj.refs++;
	ret = drm_fake_wait(k, bo_idle, &idle, arg->timeout_ns);
	drm_fake_object_put(k, &bo->obj);
	return ret;
}

static int mmap_offset(struct fake_kernel *k, struct drm_ethosu_bo_mmap_offset *arg)
{
	if (!bo_find(k, arg->handle))
		return -ENOENT;
	arg->offset = (uint64_t)arg->handle << 32;
	return 0;
}

static int bo_info(struct fake_kernel *k, struct drm_ethosux_bo_info *arg)
{
	struct fake_bo *bo = bo_find(k, arg->handle);

	if (!bo)
		return -ENOENT;
	arg->flags = bo->flags | (bo->fd < 0 ? DRM_ETHOSUX_BO_INFO_CMDSTREAM : 0);
	arg->size = bo->size;
	arg->regions_read = bo->usage.read;
	arg->regions_written = bo->usage.written;
	memcpy(arg->region_size, bo->usage.size, sizeof(arg->region_size));
	return 0;
}

/* A memfd is the fake's dma-buf. */
static int prime_export(struct fake_kernel *k, struct drm_prime_handle *arg)
{
	struct fake_bo *bo = bo_find(k, arg->handle);
	char path[32];

	if (!bo || bo->fd < 0)
		return -ENOENT;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", bo->fd);
	arg->fd = open(path, arg->flags & DRM_RDWR ? O_RDWR | O_CLOEXEC : O_RDONLY | O_CLOEXEC);
	return arg->fd < 0 ? -errno : 0;
}

static int prime_import(struct fake_kernel *k, struct drm_prime_handle *arg)
{
	struct stat theirs, ours;
	struct fake_object *obj;
	struct fake_bo *bo;
	int fd, ret;

	if (fstat(arg->fd, &theirs))
		return -EBADF;
	/* Memory of this file already: the same handle once more. */
	LIST_FOREACH(obj, &k->objects, link) {
		bo = (struct fake_bo *)obj;
		if (obj->kind != FAKE_BO || bo->fd < 0 || fstat(bo->fd, &ours) ||
		    ours.st_ino != theirs.st_ino || ours.st_dev != theirs.st_dev)
			continue;
		arg->handle = obj->id;
		return 0;
	}
	if (k->driver != DRM_FAKE_EXTENDED || !S_ISREG(theirs.st_mode) ||
	    fcntl(arg->fd, F_GET_SEALS) < 0)
		return -EINVAL;
	fd = fcntl(arg->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return -EMFILE;
	ret = bo_new(k, fd, (uint64_t)theirs.st_size, 0, &bo);
	if (ret)
		close(fd);
	else
		arg->handle = bo->obj.id;
	return ret;
}

/* ---- drm_syncobj ---- */

static int sync_create(struct fake_kernel *k, struct drm_syncobj_create *arg)
{
	struct fake_object *obj = object_new(k, FAKE_SYNC, sizeof(struct fake_sync));

	if (!obj)
		return -ENOMEM;
	arg->handle = obj->id;
	return 0;
}

static int sync_destroy(struct fake_kernel *k, struct drm_syncobj_destroy *arg)
{
	return object_close(k, FAKE_SYNC, arg->handle, -EINVAL);
}

struct come {
	struct fake_sync *sync;
	size_t index;
};

static bool point_come(void *ctx)
{
	const struct come *come = ctx;

	return drm_fake_come(come->sync, come->index);
}

static int sync_wait(struct fake_kernel *k, struct drm_syncobj_timeline_wait *arg)
{
	const uint32_t *handles = (const void *)(uintptr_t)arg->handles;
	const uint64_t *points = (const void *)(uintptr_t)arg->points;
	struct come come = { (struct fake_sync *)drm_fake_find(k, FAKE_SYNC, handles[0]), 0 };
	int ret;

	if (!come.sync)
		return -ENOENT;
	if (arg->count_handles != 1 || arg->flags ||
	    drm_fake_sync_find(come.sync, points[0], &come.index))
		return -EINVAL;
	come.sync->obj.refs++;
	ret = drm_fake_wait(k, point_come, &come, arg->timeout_nsec);
	drm_fake_object_put(k, &come.sync->obj);
	return ret;
}

/* The binary one remembers where it was taken from. */
static int sync_transfer(struct fake_kernel *k, struct drm_syncobj_transfer *arg)
{
	struct fake_sync *src = (struct fake_sync *)drm_fake_find(k, FAKE_SYNC, arg->src_handle);
	struct fake_sync *dst = (struct fake_sync *)drm_fake_find(k, FAKE_SYNC, arg->dst_handle);
	size_t index;

	if (!src || !dst)
		return -ENOENT;
	if (arg->dst_point || arg->flags || arg->pad ||
	    drm_fake_sync_find(src, arg->src_point, &index))
		return -EINVAL;
	dst->from = src;
	dst->from_index = index;
	src->obj.refs++;
	return 0;
}

static int sync_export(struct fake_kernel *k, struct drm_syncobj_handle *arg)
{
	struct fake_sync *sync = (struct fake_sync *)drm_fake_find(k, FAKE_SYNC, arg->handle);
	struct fake_event *e;

	if (!sync || !sync->from || arg->flags != DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_EXPORT_SYNC_FILE)
		return -EINVAL;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	arg->fd = eventfd(drm_fake_come(sync->from, sync->from_index), EFD_CLOEXEC);
	e->fd = arg->fd < 0 ? -1 : fcntl(arg->fd, F_DUPFD_CLOEXEC, 0);
	if (e->fd < 0) {
		if (arg->fd >= 0)
			close(arg->fd);
		free(e);
		return -EMFILE;
	}
	if (drm_fake_come(sync->from, sync->from_index)) {
		close(e->fd);
		free(e);
		return 0;
	}
	e->sync = sync->from;
	e->index = sync->from_index;
	e->sync->obj.refs++;
	LIST_INSERT_HEAD(&k->events, e, link);
	return 0;
}

/* ---- the rest ---- */

static int version(struct fake_kernel *k, struct drm_version *arg)
{
	const char *name = k->driver == DRM_FAKE_OTHER ? "intel_vpu" : "ethosu";

	strncpy(arg->name, name, arg->name_len);
	arg->name_len = strlen(name);
	return 0;
}

static int dev_query(struct fake_kernel *k, struct drm_ethosu_dev_query *arg)
{
	struct drm_ethosu_npu_info info = { k->config->id, k->config->config,
					    k->config->arch == 85 ? 1 << 20 : 384 << 10,
					    k->config->arch == 85 ? 8 : 4 };
	struct drm_ethosux_caps caps = {
		.version = 1,
		.features = DRM_ETHOSUX_FEATURE_SYNCOBJ | DRM_ETHOSUX_FEATURE_SUBRANGE |
			    DRM_ETHOSUX_FEATURE_IMPORT,
		.cores = 1,
		.max_priority = DRM_ETHOSUX_PRIORITY_REALTIME,
		.max_queues = 64,
		.max_jobs = FAKE_SUBMIT_JOBS,
		.max_syncs = 1024,
		.job_history = FAKE_HISTORY,
	};
	size_t size = k->driver == DRM_FAKE_LINUX_6_19 ? 12 : sizeof(info);
	const void *answer = &info;

	if (arg->type == DRM_ETHOSUX_DEV_QUERY_CAPS && k->driver == DRM_FAKE_EXTENDED) {
		answer = &caps;
		size = sizeof(caps);
	} else if (arg->type != DRM_ETHOSU_DEV_QUERY_NPU_INFO) {
		return -EINVAL;
	}
	if (arg->size < size)
		size = arg->size;
	memset((void *)(uintptr_t)arg->pointer, 0, arg->size);
	memcpy((void *)(uintptr_t)arg->pointer, answer, size);
	return 0;
}

static int perfmon_create(struct fake_kernel *k, struct drm_ethosu_perfmon_create *arg)
{
	struct fake_perfmon *p;

	if (arg->ncounters > (k->config->arch == 85 ? 8 : 4))
		return -EINVAL;
	p = object_new(k, FAKE_PERFMON, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->count = arg->ncounters++;
	memcpy(p->events, arg->counters, sizeof(p->events));
	arg->id = p->obj.id;
	return 0;
}

static int perfmon_values(struct fake_kernel *k, struct drm_ethosu_perfmon_get_values *arg)
{
	struct fake_perfmon *p = (struct fake_perfmon *)drm_fake_find(k, FAKE_PERFMON, arg->id);

	if (!p || arg->pad)
		return -EINVAL;
	memcpy((void *)(uintptr_t)arg->values_ptr, p->values, (p->count + 1) * sizeof(p->values[0]));
	return 0;
}

static int queue_create(struct fake_kernel *k, struct drm_ethosux_queue_create *arg)
{
	struct fake_queue *q;
	int ret;

	if (arg->flags || arg->pad || arg->priority > DRM_ETHOSUX_PRIORITY_REALTIME)
		return -EINVAL;
	if (arg->priority == DRM_ETHOSUX_PRIORITY_REALTIME && k->no_realtime)
		return -EACCES;
	ret = drm_fake_queue_new(k, arg->priority, &q);
	if (!ret)
		arg->id = q->obj.id;
	return ret;
}

static int queue_state(struct fake_kernel *k, struct drm_ethosux_queue_get_state *arg)
{
	struct fake_queue *q = (struct fake_queue *)drm_fake_find(k, FAKE_QUEUE, arg->id);

	if (!q || arg->flags)
		return -ENOENT;
	arg->submitted = q->submitted;
	arg->ended = q->ended;
	arg->failed = q->failed;
	arg->last_failed = q->last_failed;
	arg->busy_ns = q->busy_ns;
	return 0;
}

static int gem_close(struct fake_kernel *k, struct drm_gem_close *arg)
{
	return object_close(k, FAKE_BO, arg->handle, -EINVAL);
}

static int perfmon_destroy(struct fake_kernel *k, struct drm_ethosu_perfmon_destroy *arg)
{
	return object_close(k, FAKE_PERFMON, arg->id, -EINVAL);
}

#define ENTRY(request, function, last) \
	{ request, (int (*)(struct fake_kernel *, void *))(void (*)(void))(function), last }

/* @last: the last driver of enum drm_fake_driver that knows it. */
static const struct {
	unsigned long request;
	int (*function)(struct fake_kernel *k, void *arg);
	enum drm_fake_driver last;
} calls[] = {
	ENTRY(DRM_IOCTL_VERSION, version, DRM_FAKE_OTHER),
	ENTRY(DRM_IOCTL_GEM_CLOSE, gem_close, DRM_FAKE_OTHER),
	ENTRY(DRM_IOCTL_PRIME_HANDLE_TO_FD, prime_export, DRM_FAKE_OTHER),
	ENTRY(DRM_IOCTL_PRIME_FD_TO_HANDLE, prime_import, DRM_FAKE_OTHER),
	ENTRY(DRM_IOCTL_SYNCOBJ_CREATE, sync_create, DRM_FAKE_EXTENDED),
	ENTRY(DRM_IOCTL_SYNCOBJ_DESTROY, sync_destroy, DRM_FAKE_EXTENDED),
	ENTRY(DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT, sync_wait, DRM_FAKE_EXTENDED),
	ENTRY(DRM_IOCTL_SYNCOBJ_TRANSFER, sync_transfer, DRM_FAKE_EXTENDED),
	ENTRY(DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, sync_export, DRM_FAKE_EXTENDED),
	ENTRY(DRM_IOCTL_ETHOSU_DEV_QUERY, dev_query, DRM_FAKE_LINUX_6_19),
	ENTRY(DRM_IOCTL_ETHOSU_BO_CREATE, bo_create, DRM_FAKE_LINUX_6_19),
	ENTRY(DRM_IOCTL_ETHOSU_BO_WAIT, bo_wait, DRM_FAKE_LINUX_6_19),
	ENTRY(DRM_IOCTL_ETHOSU_BO_MMAP_OFFSET, mmap_offset, DRM_FAKE_LINUX_6_19),
	ENTRY(DRM_IOCTL_ETHOSU_CMDSTREAM_BO_CREATE, cmdstream_create, DRM_FAKE_LINUX_6_19),
	ENTRY(DRM_IOCTL_ETHOSU_SUBMIT, drm_fake_submit, DRM_FAKE_LINUX_6_19),
	ENTRY(DRM_IOCTL_ETHOSU_PERFMON_CREATE, perfmon_create, DRM_FAKE_LINUX_7_3),
	ENTRY(DRM_IOCTL_ETHOSU_PERFMON_DESTROY, perfmon_destroy, DRM_FAKE_LINUX_7_3),
	ENTRY(DRM_IOCTL_ETHOSU_PERFMON_GET_VALUES, perfmon_values, DRM_FAKE_LINUX_7_3),
	ENTRY(DRM_IOCTL_ETHOSUX_QUEUE_CREATE, queue_create, DRM_FAKE_EXTENDED),
	ENTRY(DRM_IOCTL_ETHOSUX_QUEUE_DESTROY, drm_fake_queue_destroy, DRM_FAKE_EXTENDED),
	ENTRY(DRM_IOCTL_ETHOSUX_QUEUE_SUBMIT, drm_fake_queue_submit, DRM_FAKE_EXTENDED),
	ENTRY(DRM_IOCTL_ETHOSUX_QUEUE_GET_STATE, queue_state, DRM_FAKE_EXTENDED),
	ENTRY(DRM_IOCTL_ETHOSUX_JOB_INFO, drm_fake_job_info, DRM_FAKE_EXTENDED),
	ENTRY(DRM_IOCTL_ETHOSUX_BO_INFO, bo_info, DRM_FAKE_EXTENDED),
};

/* With its lock held. */
static struct fake_kernel *node_get(int fd)
{
	struct fake_kernel *k;

	pthread_mutex_lock(&nodes_lock);
	LIST_FOREACH(k, &nodes, link)
		if (k->fd == fd)
			break;
	if (!k)
		abort();	/* no node of ours */
	pthread_mutex_lock(&k->lock);
	k->no_realtime = no_realtime;
	pthread_mutex_unlock(&nodes_lock);
	return k;
}

static int fail_now(unsigned long request)
{
	int ret = 0;

	pthread_mutex_lock(&nodes_lock);
	if (fail_request == request && !fail_after--) {
		fail_request = 0;
		ret = fail_err;
	}
	pthread_mutex_unlock(&nodes_lock);
	return ret;
}

static int fake_ioctl(int fd, unsigned long request, void *arg)
{
	struct fake_kernel *k;
	int ret = fail_now(request);
	size_t i;

	if (ret)
		return ret;
	k = node_get(fd);
	ret = -EOPNOTSUPP;
	for (i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (calls[i].request == request && calls[i].last >= k->driver)
			ret = k->unplugged ? -ENODEV : calls[i].function(k, arg);
	pthread_mutex_unlock(&k->lock);
	return ret;
}

static int fake_mmap(int fd, uint64_t offset, uint64_t size, int prot, void **ptr)
{
	struct fake_kernel *k = node_get(fd);
	struct fake_bo *bo = bo_find(k, (uint32_t)(offset >> 32));
	int ret = 0;

	if (!bo || bo->fd < 0 || bo->flags & DRM_ETHOSU_BO_NO_MMAP || size > bo->size)
		ret = -EINVAL;
	else
		*ptr = mmap(NULL, size, prot, MAP_SHARED, bo->fd, 0);
	if (!ret && *ptr == MAP_FAILED)
		ret = -ENOMEM;
	pthread_mutex_unlock(&k->lock);
	return ret;
}

static int kernel_init(struct fake_kernel *k)
{
	struct npu_options options = { .size = sizeof(options), .engine = "reference" };
	pthread_condattr_t attr;
	int ret;

	pthread_mutex_init(&k->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&k->changed, &attr);
	pthread_condattr_destroy(&attr);
	LIST_INIT(&k->objects);
	LIST_INIT(&k->events);
	k->next_addr = 1 << 24;
	k->sram = calloc(1, 1 << 20);
	if (!k->sram)
		return -ENOMEM;
	ret = drm_fake_queue_new(k, DRM_ETHOSUX_PRIORITY_NORMAL, &k->file_queue);
	if (ret)
		return ret;
	ret = npu_create(&k->npu, k->config, &drm_fake_bus, k, &options, NULL, 0);
	if (ret)
		return ret;
	ret = pthread_create(&k->worker, NULL, drm_fake_worker, k);
	if (ret)
		npu_destroy(k->npu);
	return -ret;
}

static int fake_open(const char *path)
{
	static const char *const npus[] = DRM_FAKE_NPUS;
	struct fake_kernel *k;
	unsigned int n;
	int ret, fd;

	if (sscanf(path, "/dev/accel/accel%u", &n) != 1 || n / 10 > DRM_FAKE_NO_ACCESS || n % 10 > 3)
		return -ENOENT;
	if (n / 10 == DRM_FAKE_NO_ACCESS)
		return -EACCES;
	fd = eventfd(0, EFD_CLOEXEC);
	if (fd < 0)
		return -EMFILE;
	k = calloc(1, sizeof(*k));
	if (!k) {
		close(fd);
		return -ENOMEM;
	}
	k->fd = fd;
	k->driver = n / 10;
	k->config = npu_config_find(npus[n % 10]);
	ret = kernel_init(k);
	if (ret) {
		if (k->file_queue)
			free(k->file_queue);
		free(k->sram);
		free(k);
		close(fd);
		return ret;
	}
	pthread_mutex_lock(&nodes_lock);
	LIST_INSERT_HEAD(&nodes, k, link);
	pthread_mutex_unlock(&nodes_lock);
	return fd;
}

/* The job that runs is left to end; the worker takes everything down after it. */
static void fake_close(int fd)
{
	struct fake_kernel *k;

	pthread_mutex_lock(&nodes_lock);
	LIST_FOREACH(k, &nodes, link)
		if (k->fd == fd)
			break;
	if (!k)
		abort();
	LIST_REMOVE(k, link);
	pthread_mutex_unlock(&nodes_lock);
	close(fd);
	pthread_mutex_lock(&k->lock);
	pthread_detach(k->worker);
	k->closed = true;
	pthread_cond_broadcast(&k->changed);
	pthread_mutex_unlock(&k->lock);
}

const struct drm_sys drm_sys = {
	.open = fake_open,
	.close = fake_close,
	.ioctl = fake_ioctl,
	.mmap = fake_mmap,
};
