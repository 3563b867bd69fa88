/* SPDX-License-Identifier: MIT */
/*
 * Tests in the guest: requests of both ranges and of DRM's own that a grammar makes, from several threads that share
 * files and handles. Most arguments mean something, some are out of range or noise. Afterwards every request must have
 * been taken and, where it can be, refused, with no errno but those of the interface, and a new client gets its work done.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/vm/client.h"
#include "tests/vm/drm.h"
#include "uapi/ethosu_accel.h"
#include "uapi/ethosu_isa.h"

#define THREADS		4u
#define FILES		3u
#define POOL		16u	/* of each kind of thing of a file; new ones take the place of old ones */
#define LONG_COPIES	2000u	/* of 256 KiB: far longer than 1 ms */

enum kind { BUFFER, STREAM, QUEUE, PERFMON, SYNCOBJ, DMABUF, KINDS };

/**
 * struct shared - a file that all threads use
 * @pool: handles, ids, files; 0: none. Threads race for them, that is the point.
 */
struct shared {
	int fd;
	_Atomic uint32_t pool[KINDS][POOL];
	_Atomic uint32_t next[KINDS];
};

struct fuzz {
	const char *node;
	uint64_t end;
	struct shared file[FILES];
	_Atomic uint64_t taken[32], refused[32];
	_Atomic uint32_t unexpected;
};

/**
 * struct thread - one of them
 * @careful: makes no mistakes with this request, so that more of them get far
 * @answer: see ANSWERS
 */
struct thread {
	struct fuzz *fuzz;
	uint64_t rng;
	struct shared *f;
	bool careful;
	uint8_t *answer;
	uint8_t scratch[256];
};

/*
 * Where the kernel may write what it is asked: a page between two that are not there, far from everything else, so that
 * an answer that goes astray comes back as EFAULT and never into this program.
 */
#define ANSWERS		((uint8_t *)0x10000000000)
#define PAGE		4096u

/* xorshift64* */
static uint32_t rnd(struct thread *t)
{
	t->rng ^= t->rng >> 12;
	t->rng ^= t->rng << 25;
	t->rng ^= t->rng >> 27;
	return (uint32_t)(t->rng * 2685821657736338717ull >> 32);
}

static bool one_in(struct thread *t, uint32_t n)
{
	return !(rnd(t) % n);
}

/* A number as clients get wrong. */
static uint64_t odd_number(struct thread *t)
{
	static const uint64_t edges[] = {
		0, 1, 2, 7, 8, 15, 16, 255, 4095, 4096, 4097, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
		INT64_MAX, 1ull << 63, UINT64_MAX, UINT64_MAX - 4095,
	};
	uint64_t n = edges[rnd(t) % (sizeof(edges) / sizeof(edges[0]))];

	return one_in(t, 3) ? n ^ rnd(t) : n;
}

/* @likely, or now and then something else. */
static uint64_t mostly(struct thread *t, uint64_t likely)
{
	return !t->careful && one_in(t, 16) ? odd_number(t) : likely;
}

static uint32_t any(struct thread *t, enum kind kind)
{
	return (uint32_t)mostly(t, t->f->pool[kind][rnd(t) % POOL]);
}

/* A pointer to @data, or one that leads nowhere: for what the kernel reads. */
static uint64_t pointer(struct thread *t, const void *data)
{
	return mostly(t, (uintptr_t)data);
}

/* For what it writes: somewhere in the page, or too close to its end. */
static uint64_t answer(struct thread *t)
{
	return (uintptr_t)t->answer + (one_in(t, 8) ? rnd(t) % (PAGE + 1) : 0);
}

static uint32_t put(struct thread *t, enum kind kind, uint32_t value)
{
	return atomic_exchange(&t->f->pool[kind][t->f->next[kind]++ % POOL], value);
}

/* Once in a while a whole structure is damaged. */
static void damage(struct thread *t, void *data, size_t size)
{
	uint32_t n;

	if (t->careful || !one_in(t, 32))
		return;
	for (n = 1 + rnd(t) % 4; n; n--)
		((uint8_t *)data)[rnd(t) % size] ^= (uint8_t)(1u << rnd(t) % 8);
}

static int call(struct thread *t, unsigned long request, void *arg, size_t size)
{
	damage(t, arg, size);
	return ioctl(t->f->fd, request, arg) ? -errno : 0;
}
#define CALL(t, request, arg) call(t, request, arg, sizeof(*(arg)))

static void close_handle(struct thread *t, uint32_t handle)
{
	struct drm_gem_close close = { .handle = handle };

	ioctl(t->f->fd, DRM_IOCTL_GEM_CLOSE, &close);
}

static int fuzz_query(struct thread *t)
{
	struct drm_ethosu_dev_query query = {
		.type = (uint32_t)mostly(t, one_in(t, 2) ? 0 : DRM_ETHOSUX_DEV_QUERY_CAPS),
		.size = (uint32_t)mostly(t, rnd(t) % 128), .pointer = one_in(t, 8) ? 0 : answer(t),
	};

	return CALL(t, DRM_IOCTL_ETHOSU_DEV_QUERY, &query);
}

static int fuzz_bo_create(struct thread *t)
{
	struct drm_ethosu_bo_create create = {
		.size = mostly(t, 1 + rnd(t) % (256 << 10)), .flags = (uint32_t)mostly(t, one_in(t, 4)),
	};
	int ret = CALL(t, DRM_IOCTL_ETHOSU_BO_CREATE, &create);

	if (!ret)
		close_handle(t, put(t, BUFFER, create.handle));
	return ret;
}

static int fuzz_bo_wait(struct thread *t)
{
	struct drm_ethosu_bo_wait wait = {
		.handle = any(t, BUFFER), .pad = (uint32_t)mostly(t, 0),
		.timeout_ns = one_in(t, 2) ? (int64_t)now_ns() + rnd(t) % 2000000 : 0,
	};

	return CALL(t, DRM_IOCTL_ETHOSU_BO_WAIT, &wait);
}

/* Maps it as well, and touches what is mapped. */
static int fuzz_mmap(struct thread *t)
{
	struct drm_ethosu_bo_mmap_offset offset = { .handle = any(t, BUFFER), .pad = (uint32_t)mostly(t, 0) };
	int ret = CALL(t, DRM_IOCTL_ETHOSU_BO_MMAP_OFFSET, &offset);
	uint8_t *map;

	if (ret)
		return ret;
	map = mmap(NULL, mostly(t, PAGE) % (1u << 20), PROT_READ | PROT_WRITE, MAP_SHARED, t->f->fd,
		   (off_t)mostly(t, offset.offset));
	if (map == MAP_FAILED)
		return 0;
	map[rnd(t) % PAGE] = (uint8_t)rnd(t);
	munmap(map, PAGE);
	return 0;
}

static uint32_t make_stream(struct thread *t, uint32_t *words)
{
	const uint32_t two = 1u << ETHOSU_CONTROL_SHIFT;
	bool lengthy = one_in(t, 8);
	uint32_t n = 0, copies = lengthy ? LONG_COPIES : 1 + rnd(t) % 4;

	words[n++] = ETHOSU_SET_DMA0_SRC_REGION | rnd(t) % 3 << ETHOSU_PARAM_SHIFT;
	words[n++] = ETHOSU_SET_DMA0_DST_REGION | rnd(t) % 4 << ETHOSU_PARAM_SHIFT;
	words[n++] = two | ETHOSU_SET_DMA0_SRC;
	words[n++] = rnd(t) % 64 * 16;
	words[n++] = two | ETHOSU_SET_DMA0_DST;
	words[n++] = rnd(t) % 64 * 16;
	words[n++] = two | ETHOSU_SET_DMA0_LEN;
	words[n++] = lengthy ? 200 << 10 : 16 + rnd(t) % 4096 / 16 * 16;
	for (; copies; copies--)
		words[n++] = ETHOSU_OP_DMA_START;
	words[n++] = ETHOSU_OP_STOP | 0xffffu << ETHOSU_PARAM_SHIFT;
	if (one_in(t, 8))
		words[rnd(t) % n] = rnd(t);
	return n;
}

static int fuzz_stream(struct thread *t)
{
	uint32_t words[LONG_COPIES + 16], n = make_stream(t, words);
	struct drm_ethosu_cmdstream_bo_create create = {
		.size = n * 4, .flags = (uint32_t)mostly(t, 0), .data = pointer(t, words),
	};
	int ret;

	/* Beyond the array there may be no memory, which is a way to be wrong as well. */
	if (one_in(t, 24))
		create.size = (uint32_t)odd_number(t) % (1u << 22);
	ret = CALL(t, DRM_IOCTL_ETHOSU_CMDSTREAM_BO_CREATE, &create);
	if (!ret)
		close_handle(t, put(t, STREAM, create.handle));
	return ret;
}

/* Buffers for those regions that the stream uses, found by asking. */
static void make_job(struct thread *t, struct drm_ethosu_job *job)
{
	struct drm_ethosux_bo_info info = { .handle = any(t, STREAM) };
	uint32_t i;

	job->cmd_bo = info.handle;
	job->sram_size = (uint32_t)mostly(t, 0);
	if (ioctl(t->f->fd, DRM_IOCTL_ETHOSUX_BO_INFO, &info))
		info.regions_read = rnd(t) % 8;
	for (i = 0; i < ETHOSU_MAX_REGIONS; i++)
		job->region_bo_handles[i] = (info.regions_read | info.regions_written) >> i & 1 || one_in(t, 64) ?
			any(t, BUFFER) : 0;
	if (job->region_bo_handles[2] && one_in(t, 2)) {
		job->sram_size = (uint32_t)info.region_size[2];
		job->region_bo_handles[2] = 0;
	}
}

static int fuzz_submit(struct thread *t)
{
	struct drm_ethosu_job jobs[4];
	struct drm_ethosu_submit submit = {
		.jobs = pointer(t, jobs), .job_count = (uint32_t)mostly(t, rnd(t) % 4),
		.perfmon_id = one_in(t, 4) ? any(t, PERFMON) : 0,
	};
	uint32_t i;

	for (i = 0; i < 4; i++)
		make_job(t, &jobs[i]);
	return CALL(t, DRM_IOCTL_ETHOSU_SUBMIT, &submit);
}

static void make_syncs(struct thread *t, struct drm_ethosux_sync *syncs, uint32_t jobs)
{
	uint32_t i;

	for (i = 0; i < 3; i++) {
		syncs[i].handle = any(t, SYNCOBJ);
		syncs[i].flags = (uint32_t)mostly(t, rnd(t) % 4 & (one_in(t, 2) ? 3 : 1));
		syncs[i].point = syncs[i].flags & 1 ? 1 + rnd(t) % 8 : mostly(t, 0);
		syncs[i].job = (uint32_t)mostly(t, jobs ? rnd(t) % jobs : 0);
		syncs[i].pad = (uint32_t)mostly(t, 0);
	}
}

static int fuzz_queue_submit(struct thread *t)
{
	struct drm_ethosux_job jobs[4] = { 0 };
	struct drm_ethosux_sync in[3], out[3];
	uint32_t count = 1 + rnd(t) % 4, i, k;
	struct drm_ethosux_queue_submit submit = {
		.queue_id = any(t, QUEUE), .flags = (uint32_t)mostly(t, one_in(t, 2)), .jobs = pointer(t, jobs),
		.job_count = (uint32_t)mostly(t, count), .job_stride = (uint32_t)mostly(t, sizeof(jobs[0])),
		.in_syncs = pointer(t, in), .out_syncs = pointer(t, out),
		.in_count = (uint32_t)mostly(t, one_in(t, 4) ? 1 + rnd(t) % 3 : 0),
		.out_count = (uint32_t)mostly(t, rnd(t) % 3), .sync_stride = (uint32_t)mostly(t, sizeof(in[0])),
		.perfmon_id = one_in(t, 4) ? any(t, PERFMON) : 0,
	};

	for (i = 0; i < 4; i++) {
		make_job(t, &jobs[i].job);
		jobs[i].timeout_ms = (uint32_t)mostly(t, one_in(t, 4));
		jobs[i].user_data = rnd(t);
		for (k = 0; k < ETHOSU_MAX_REGIONS; k++)
			if (jobs[i].job.region_bo_handles[k] && one_in(t, 4))
				jobs[i].region_offset[k] = mostly(t, rnd(t) % 64 * 16);
	}
	make_syncs(t, in, count);
	make_syncs(t, out, count);
	return CALL(t, DRM_IOCTL_ETHOSUX_QUEUE_SUBMIT, &submit);
}

static int fuzz_queue_create(struct thread *t)
{
	struct drm_ethosux_queue_create create = {
		.flags = (uint32_t)mostly(t, 0), .priority = (uint32_t)mostly(t, rnd(t) % 4),
		.core_mask = (uint32_t)mostly(t, one_in(t, 4)), .timeout_ms = (uint32_t)mostly(t, one_in(t, 4)),
		.name = "fuzz",
	};
	int ret = CALL(t, DRM_IOCTL_ETHOSUX_QUEUE_CREATE, &create);

	if (!ret)
		put(t, QUEUE, create.id);
	return ret;
}

static int fuzz_queue_destroy(struct thread *t)
{
	struct drm_ethosux_queue_destroy destroy = {
		.id = any(t, QUEUE), .flags = (uint32_t)mostly(t, one_in(t, 3)),
	};

	return CALL(t, DRM_IOCTL_ETHOSUX_QUEUE_DESTROY, &destroy);
}

static int fuzz_queue_state(struct thread *t)
{
	struct drm_ethosux_queue_get_state state = { .id = any(t, QUEUE), .flags = (uint32_t)mostly(t, 0) };

	return CALL(t, DRM_IOCTL_ETHOSUX_QUEUE_GET_STATE, &state);
}

static int fuzz_job_info(struct thread *t)
{
	struct drm_ethosux_job_info info = { .queue_id = any(t, QUEUE), .seqno = mostly(t, 1 + rnd(t) % 64) };

	return CALL(t, DRM_IOCTL_ETHOSUX_JOB_INFO, &info);
}

static int fuzz_bo_info(struct thread *t)
{
	struct drm_ethosux_bo_info info = { .handle = any(t, one_in(t, 2) ? BUFFER : STREAM) };

	return CALL(t, DRM_IOCTL_ETHOSUX_BO_INFO, &info);
}

static int fuzz_perfmon_create(struct thread *t)
{
	struct drm_ethosu_perfmon_create create = {
		.ncounters = (uint32_t)mostly(t, rnd(t) % 5), .counters = { 0x11, 0x20, (uint16_t)(rnd(t) % 700), 0x21 },
	};
	int ret = CALL(t, DRM_IOCTL_ETHOSU_PERFMON_CREATE, &create);

	if (!ret) {
		struct drm_ethosu_perfmon_destroy old = { .id = put(t, PERFMON, create.id) };

		ioctl(t->f->fd, DRM_IOCTL_ETHOSU_PERFMON_DESTROY, &old);
	}
	return ret;
}

static int fuzz_perfmon_destroy(struct thread *t)
{
	struct drm_ethosu_perfmon_destroy destroy = { .id = any(t, PERFMON) };

	return CALL(t, DRM_IOCTL_ETHOSU_PERFMON_DESTROY, &destroy);
}

static int fuzz_perfmon_values(struct thread *t)
{
	struct drm_ethosu_perfmon_get_values get = {
		.id = any(t, PERFMON), .pad = (uint32_t)mostly(t, 0), .values_ptr = answer(t),
	};

	return CALL(t, DRM_IOCTL_ETHOSU_PERFMON_GET_VALUES, &get);
}

static int fuzz_perfmon_global(struct thread *t)
{
	struct drm_ethosu_perfmon_set_global global = {
		.flags = (uint32_t)mostly(t, one_in(t, 2)), .id = any(t, PERFMON),
	};

	return CALL(t, DRM_IOCTL_ETHOSU_PERFMON_SET_GLOBAL, &global);
}

static int fuzz_syncobj(struct thread *t)
{
	struct drm_syncobj_create create = { .flags = (uint32_t)mostly(t, DRM_SYNCOBJ_CREATE_SIGNALED) };
	int ret = CALL(t, DRM_IOCTL_SYNCOBJ_CREATE, &create);

	if (!ret) {
		struct drm_syncobj_destroy old = { .handle = put(t, SYNCOBJ, create.handle) };

		ioctl(t->f->fd, DRM_IOCTL_SYNCOBJ_DESTROY, &old);
	}
	return ret;
}

static int fuzz_export(struct thread *t)
{
	struct drm_prime_handle prime = {
		.handle = any(t, one_in(t, 8) ? STREAM : BUFFER), .flags = (uint32_t)mostly(t, O_CLOEXEC | O_RDWR),
	};
	int ret = CALL(t, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime);

	if (!ret) {
		int old = (int)put(t, DMABUF, (uint32_t)prime.fd);

		if (old > 0)
			close(old);
	}
	return ret;
}

/* What one file exported goes into another. */
static int fuzz_import(struct thread *t)
{
	struct shared *from = &t->fuzz->file[rnd(t) % FILES];
	struct drm_prime_handle prime = { .fd = (int)mostly(t, from->pool[DMABUF][rnd(t) % POOL]) };
	int ret = CALL(t, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime);

	if (!ret)
		close_handle(t, put(t, BUFFER, prime.handle));
	return ret;
}

/* Any number but those of syncobjs, which may wait for ever; any size, noise. */
static int fuzz_noise(struct thread *t)
{
	uint32_t nr = one_in(t, 4) ? rnd(t) % 0xc0 : 0x40 + rnd(t) % 0x28, size = rnd(t) % 256, i;

	for (i = 0; i < sizeof(t->scratch); i++)
		t->scratch[i] = one_in(t, 2) ? 0 : (uint8_t)rnd(t);
	return ioctl(t->f->fd, _IOC(rnd(t) % 4, 'd', nr, size), t->scratch) ? -errno : 0;
}

static const struct {
	const char *name;
	int (*run)(struct thread *t);
	uint32_t weight;
	int errors[12];			/* all that it may be refused with; -1: whatever it is */
} requests[] = {
	{ "DEV_QUERY", fuzz_query, 2, { EINVAL, EFAULT } },
	{ "BO_CREATE", fuzz_bo_create, 8, { EINVAL, ENOMEM } },
	{ "BO_WAIT", fuzz_bo_wait, 6, { EINVAL, ETIME, EINTR } },
	{ "BO_MMAP_OFFSET", fuzz_mmap, 4, { EINVAL, ENOENT } },
	{ "CMDSTREAM_BO_CREATE", fuzz_stream, 8, { EINVAL, EFAULT, ENOMEM } },
	{ "SUBMIT", fuzz_submit, 12, { EINVAL, EFAULT, ENOENT, ENOMEM, EOVERFLOW, EALREADY, EBUSY } },
	{ "QUEUE_SUBMIT", fuzz_queue_submit, 16,
	  { EINVAL, EFAULT, ENOENT, ENOMEM, EOVERFLOW, ECANCELED, E2BIG, EBUSY } },
	{ "QUEUE_CREATE", fuzz_queue_create, 2, { EINVAL, ENOSPC, ENOMEM } },
	{ "QUEUE_DESTROY", fuzz_queue_destroy, 1, { EINVAL, ENOENT } },
	{ "QUEUE_GET_STATE", fuzz_queue_state, 2, { EINVAL, ENOENT } },
	{ "JOB_INFO", fuzz_job_info, 4, { EINVAL, ENOENT } },
	{ "BO_INFO", fuzz_bo_info, 2, { EINVAL, ENOENT } },
	{ "PERFMON_CREATE", fuzz_perfmon_create, 2, { EINVAL, ENOMEM } },
	{ "PERFMON_DESTROY", fuzz_perfmon_destroy, 1, { EINVAL } },
	{ "PERFMON_GET_VALUES", fuzz_perfmon_values, 2, { EINVAL, EFAULT } },
	{ "PERFMON_SET_GLOBAL", fuzz_perfmon_global, 1, { EINVAL, EBUSY } },
	{ "SYNCOBJ_CREATE", fuzz_syncobj, 2, { EINVAL, ENOMEM } },
	{ "PRIME_HANDLE_TO_FD", fuzz_export, 2, { EINVAL, ENOENT, EPERM, ENOMEM, EMFILE } },
	{ "PRIME_FD_TO_HANDLE", fuzz_import, 2, { EINVAL, EBADF, ENOMEM } },
	{ "noise", fuzz_noise, 4, { -1 } },
};

#define REQUESTS (sizeof(requests) / sizeof(requests[0]))

static bool may_be(size_t request, int error)
{
	size_t i;

	for (i = 0; i < sizeof(requests[0].errors) / sizeof(int) && requests[request].errors[i]; i++)
		if (requests[request].errors[i] == error || requests[request].errors[i] < 0)
			return true;
	return false;
}

/* A thread now and then opens one of the files anew; the others find theirs gone in the middle of what they do. */
static void reopen(struct thread *t)
{
	uint32_t k, i;

	/* Keeps its number. */
	int fd = open(t->fuzz->node, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	dup2(fd, t->f->fd);
	close(fd);
	for (k = 0; k < DMABUF; k++)
		for (i = 0; i < POOL; i++)
			t->f->pool[k][i] = 0;
}

static void *fuzz_thread(void *arg)
{
	struct thread *t = arg;
	uint32_t sum = 0, pick;
	size_t i;
	int ret;

	for (i = 0; i < REQUESTS; i++)
		sum += requests[i].weight;
	while (now_ns() < t->fuzz->end) {
		t->f = &t->fuzz->file[rnd(t) % FILES];
		if (one_in(t, 4096)) {
			reopen(t);
			continue;
		}
		t->careful = one_in(t, 2);
		pick = rnd(t) % sum;
		for (i = 0; pick >= requests[i].weight; i++)
			pick -= requests[i].weight;
		ret = requests[i].run(t);
		if (!ret) {
			t->fuzz->taken[i]++;
			continue;
		}
		t->fuzz->refused[i]++;
		if (!may_be(i, -ret) && t->fuzz->unexpected++ < 20)
			fprintf(stderr, "FAIL %s: %s\n", requests[i].name, strerrordesc_np(-ret));
	}
	return NULL;
}

/* A client that had nothing to do with it. */
static void still_works(const char *node)
{
	struct client c;
	int ret;

	client_open(&c, node, 0);
	slot_fill(&c.slot[0], 4711);
	ret = client_submit(&c, &c.slot[0]);
	if (!ret)
		ret = client_wait(&c, &c.slot[0]);
	if (ret)
		fail("a job afterwards", ret);
	if (!slot_copied(&c.slot[0]))
		fail("the result of a job afterwards", -EIO);
	client_close(&c);
}

/* fuzz SECONDS SEED: see above. */
int cmd_fuzz(const char *node, int argc, char **argv)
{
	static struct thread thread[THREADS];
	static struct fuzz fuzz;
	pthread_t id[THREADS];
	uint64_t all = 0;
	uint32_t i, bad;

	if (argc != 3)
		return 2;
	fuzz.node = node;
	for (i = 0; i < FILES; i++) {
		fuzz.file[i].fd = open(node, O_RDWR | O_CLOEXEC);
		if (fuzz.file[i].fd < 0)
			fail(node, -errno);
	}
	fuzz.end = now_ns() + strtoull(argv[1], NULL, 0) * 1000000000;
	for (i = 0; i < THREADS; i++) {
		thread[i].fuzz = &fuzz;
		thread[i].answer = mmap(ANSWERS + 4 * PAGE * i, PAGE, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		if (thread[i].answer == MAP_FAILED)
			fail("mmap", -errno);
		thread[i].rng = (strtoull(argv[2], NULL, 0) + i + 1) * 0x9e3779b97f4a7c15ull;
		if (pthread_create(&id[i], NULL, fuzz_thread, &thread[i]))
			fail("a thread", -EAGAIN);
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(id[i], NULL);
	bad = fuzz.unexpected;
	for (i = 0; i < REQUESTS; i++) {
		printf("%-20s %8llu taken %8llu refused\n", requests[i].name, (unsigned long long)fuzz.taken[i],
		       (unsigned long long)fuzz.refused[i]);
		all += fuzz.taken[i] + fuzz.refused[i];
		if (fuzz.taken[i] && fuzz.refused[i])
			continue;
		fprintf(stderr, "FAIL %s was never %s\n", requests[i].name, fuzz.taken[i] ? "refused" : "taken");
		bad++;
	}
	for (i = 0; i < FILES; i++)
		close(fuzz.file[i].fd);
	still_works(node);
	printf("%llu requests, seed %s\n", (unsigned long long)all, argv[2]);
	return !!bad;
}
