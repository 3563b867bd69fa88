/* SPDX-License-Identifier: MIT */
/*
 * The DRM transport over the fake kernel and the simulated NPU: real command streams through this project's
 * driver and Linux's in two versions, and what each cannot do.
 */
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include <drm.h>

#include "tests/dma_stream.h"
#include "tests/drm_fake.h"
#include "tests/libaccel_fake_npu.h"
#include "tests/write_kills.h"

/* From the constants in region 0 over SRAM to the end of region 1. */
static const uint32_t over_sram[] = { DMA(0, 0, 2, 960, 64), DMA(2, 960, 1, 4032, 64), STOP };
/* Leaves nothing behind that a buffer could tell. */
static const uint32_t into_sram[] = { DMA(0, 0, 2, 0, 64), STOP };
static const uint32_t nothing[] = { STOP };
/* Region 1 to region 3. */
static const uint32_t across[] = { DMA(1, 0, 3, 0, 64), STOP };

struct fixture {
	enum drm_fake_driver driver;
	struct accel_device *device;
	struct accel_device_info info;
	struct accel_queue *queue;
	struct accel_buffer *buffer;
	char *data;
};

static void open_fixture(struct fixture *f, enum drm_fake_driver driver, unsigned int npu)
{
	char spec[64];

	memset(f, 0, sizeof(*f));
	f->driver = driver;
	f->info.size = sizeof(f->info);
	snprintf(spec, sizeof(spec), "/dev/accel/accel%u", 10 * driver + npu);
	must(accel_device_open(spec, &f->device, &err));
	assert_int_equal(accel_device_get_info(f->device, &f->info), 0);
	must(accel_queue_create(f->device, NULL, &f->queue, &err));
	must(accel_buffer_create(f->device, 4096, 0, &f->buffer, &err));
	must(accel_buffer_map(f->buffer, (void **)&f->data, &err));
}

static void close_fixture(struct fixture *f)
{
	accel_buffer_unref(f->buffer);
	accel_queue_unref(f->queue);
	accel_device_unref(f->device);
}

#define PROGRAM(f, stream) dma_program((f)->device, stream, sizeof(stream))

static struct accel_job job_of(struct accel_program *program, const struct accel_binding *bindings,
			       uint32_t count)
{
	return (struct accel_job){ .size = sizeof(struct accel_job), .program = program,
				   .bindings = bindings, .binding_count = count,
				   .sram_size = 1024 };
}

static struct accel_fence *submit(struct fixture *f, struct accel_program *program,
				  const struct accel_submit_options *opt)
{
	struct accel_binding b = { .buffer = f->buffer, .region = 1 };
	struct accel_job job = job_of(program, &b, 1);
	struct accel_fence *fence;

	must(accel_queue_submit(f->queue, &job, 1, opt, &fence, &err));
	return fence;
}

#define EACH_DRIVER(driver) \
	for (driver = DRM_FAKE_EXTENDED; driver <= DRM_FAKE_LINUX_6_19; driver++)

static void devices_say_what_they_are(void **state)
{
	static const char *const names[] = DRM_FAKE_NPUS;
	unsigned int driver, npu;
	struct fixture f;

	(void)state;
	EACH_DRIVER(driver) {
		for (npu = 0; npu < 4; npu++) {
			open_fixture(&f, driver, npu);
			assert_string_equal(f.info.name, names[npu]);
			assert_string_equal(f.info.transport, "drm");
			assert_string_equal(f.info.family, "ethos-u");
			assert_int_equal(f.info.arch, npu & 1 ? 85 : 65);
			assert_int_equal(f.info.regions, 8);
			assert_int_equal(f.info.sram_region, 2);
			assert_int_equal(f.info.sram_size, npu & 1 ? 1 << 20 : 384 << 10);
			assert_int_equal(f.info.event_counters,
					 driver == DRM_FAKE_LINUX_6_19 ? 0 : npu & 1 ? 8 : 4);
			assert_int_equal(!(f.info.features & ACCEL_FEATURE_COUNTERS),
					 driver == DRM_FAKE_LINUX_6_19);
			assert_int_equal(!(f.info.features & ACCEL_FEATURE_PRIORITY),
					 driver != DRM_FAKE_EXTENDED);
			assert_int_equal(!(f.info.features & ACCEL_FEATURE_JOB_STATUS),
					 driver != DRM_FAKE_EXTENDED);
			close_fixture(&f);
		}
	}
}

static void wrong_nodes(void **state)
{
	struct accel_device *device = NULL;

	(void)state;
	refused(-EACCES, "usermod -aG render", accel_device_open("/dev/accel/accel40", &device, &err));
	refused(-EOPNOTSUPP, "intel_vpu", accel_device_open("/dev/accel/accel30", &device, &err));
	refused(-ENOENT, "modprobe", accel_device_open("/dev/accel/accel9", &device, &err));
	drm_fake_fail(DRM_IOCTL_ETHOSU_DEV_QUERY, 0, -ENODEV);
	refused(-ENODEV, "what it is", accel_device_open("/dev/accel/accel0", &device, &err));
	assert_null(device);
}

static void constants_go_through_sram(void **state)
{
	struct accel_program *program;
	struct accel_job_result r = { .size = sizeof(r) };
	struct accel_fence *fence;
	unsigned int driver, npu, i;
	struct fixture f;

	(void)state;
	EACH_DRIVER(driver) {
		for (npu = 0; npu < 4; npu++) {
			open_fixture(&f, driver, npu);
			program = PROGRAM(&f, over_sram);
			for (i = 0; i < 3; i++) {
				memset(f.data, 0, 4096);
				fence = submit(&f, program, NULL);
				assert_int_equal(accel_fence_wait(fence, -1), 0);
				assert_memory_equal(f.data + 4032, weights, 64);
				assert_int_equal(f.data[4031], 0);
				assert_int_equal(accel_fence_get_result(fence, 0, &r), 0);
				assert_int_equal(r.state, ACCEL_JOB_DONE);
				assert_true(r.queued_ns > 0);
				accel_fence_unref(fence);
			}
			accel_program_unref(program);
			close_fixture(&f);
		}
	}
}

/* A marker has to tell when such jobs are done: every one of them was run by then. */
static void jobs_that_write_no_buffer(void **state)
{
	struct accel_submit_options each = { .size = sizeof(each),
					     .flags = ACCEL_SUBMIT_FENCE_PER_JOB };
	struct accel_program *sram, *stop, *copy;
	struct accel_fence *fences[8];
	struct accel_job jobs[8];
	struct accel_binding b;
	unsigned int driver, i;
	struct fixture f;

	(void)state;
	EACH_DRIVER(driver) {
		open_fixture(&f, driver, driver & 1);
		sram = PROGRAM(&f, into_sram);
		stop = PROGRAM(&f, nothing);
		copy = PROGRAM(&f, over_sram);
		b = (struct accel_binding){ .buffer = f.buffer, .region = 1 };
		memset(f.data, 0, 4096);
		for (i = 0; i < 7; i++)
			jobs[i] = job_of(i & 1 ? sram : stop, NULL, 0);
		jobs[3] = job_of(copy, &b, 1);
		jobs[7] = job_of(stop, NULL, 0);
		must(accel_queue_submit(f.queue, jobs, 8, NULL, fences, &err));
		assert_int_equal(accel_fence_wait(fences[0], -1), 0);
		assert_memory_equal(f.data + 4032, weights, 64);
		accel_fence_unref(fences[0]);
		must(accel_queue_submit(f.queue, jobs, 8, &each, fences, &err));
		for (i = 0; i < 8; i++) {
			assert_int_equal(accel_fence_wait(fences[i], -1), 0);
			accel_fence_unref(fences[i]);
		}
		accel_program_unref(sram);
		accel_program_unref(stop);
		accel_program_unref(copy);
		close_fixture(&f);
	}
}

/* Linux's driver refuses buffers for regions that are not used: they do not get there. */
static void bindings_no_one_needs(void **state)
{
	struct accel_binding b[3] = { { .region = 1 }, { .region = 3 }, { .region = 5 } };
	struct accel_program *program;
	struct accel_buffer *more[2];
	struct accel_fence *fence;
	struct accel_job job;
	unsigned int driver;
	struct fixture f;
	char *data;

	(void)state;
	EACH_DRIVER(driver) {
		open_fixture(&f, driver, 0);
		must(accel_buffer_create(f.device, 64, 0, &more[0], &err));
		must(accel_buffer_create(f.device, 64, 0, &more[1], &err));
		must(accel_buffer_map(more[0], (void **)&data, &err));
		b[0].buffer = f.buffer;
		b[1].buffer = more[0];
		b[2].buffer = more[1];
		program = PROGRAM(&f, across);
		strcpy(f.data, "across");
		job = job_of(program, b, 3);
		must(accel_queue_submit(f.queue, &job, 1, NULL, &fence, &err));
		assert_int_equal(accel_fence_wait(fence, -1), 0);
		assert_string_equal(data, "across");
		accel_fence_unref(fence);
		accel_program_unref(program);
		accel_buffer_unref(more[0]);
		accel_buffer_unref(more[1]);
		close_fixture(&f);
	}
}

/* More than the kernel takes at a time. */
static void a_thousand_jobs(void **state)
{
	struct accel_submit_options each = { .size = sizeof(each),
					     .flags = ACCEL_SUBMIT_FENCE_PER_JOB };
	static const uint32_t bad[] = { CMD0(0x0ff, 0), STOP };
	struct accel_job jobs[1024];
	struct accel_fence *fences[1024];
	struct accel_job_result r = { .size = sizeof(r) };
	struct accel_program *stop, *fault;
	struct fixture f;
	size_t i;

	(void)state;
	open_fixture(&f, DRM_FAKE_EXTENDED, 0);
	stop = PROGRAM(&f, nothing);
	fault = PROGRAM(&f, bad);
	for (i = 0; i < 1024; i++)
		jobs[i] = job_of(i % 333 == 332 ? fault : stop, NULL, 0);
	must(accel_queue_submit(f.queue, jobs, 1024, NULL, fences, &err));
	assert_int_equal(accel_fence_wait(fences[0], -1), -EIO);
	for (i = 0; i < 1024; i++) {
		assert_int_equal(accel_fence_get_result(fences[0], i, &r), 0);
		assert_int_equal(r.state, i % 333 == 332 ? ACCEL_JOB_FAULTED : ACCEL_JOB_DONE);
	}
	accel_fence_unref(fences[0]);
	must(accel_queue_submit(f.queue, jobs, 1024, &each, fences, &err));
	for (i = 0; i < 1024; i++) {
		assert_int_equal(accel_fence_wait(fences[i], -1), i % 333 == 332 ? -EIO : 0);
		accel_fence_unref(fences[i]);
	}
	accel_program_unref(stop);
	accel_program_unref(fault);
	close_fixture(&f);
}

/* Linux's driver takes a buffer once a job: regions with the same buffer become one. */
static void one_buffer_for_many_regions(void **state)
{
	static const uint32_t around[] = {
		DMA(1, 0, 3, 64, 64), DMA(3, 64, 5, 128, 64), DMA(5, 128, 4, 0, 64), STOP };
	struct accel_binding b[4] = { { .region = 3 }, { .region = 1 }, { .region = 5 },
				      { .region = 4 } };
	struct accel_program *program;
	struct accel_buffer *other;
	struct accel_fence *fence;
	struct accel_job job;
	unsigned int driver, i, before;
	struct fixture f;
	char *data;

	(void)state;
	EACH_DRIVER(driver) {
		open_fixture(&f, driver, 1);
		must(accel_buffer_create(f.device, 4096, 0, &other, &err));
		must(accel_buffer_map(other, (void **)&data, &err));
		before = drm_fake_objects();
		program = PROGRAM(&f, around);
		for (i = 0; i < 4; i++) {
			/* All in one, then the last elsewhere, and both again. */
			b[0].buffer = b[1].buffer = b[2].buffer = f.buffer;
			b[3].buffer = i & 1 ? other : f.buffer;
			memset(f.data, 0, 4096);
			memset(data, 0, 4096);
			strcpy(f.data, "around");
			job = job_of(program, b, 4);
			must(accel_queue_submit(f.queue, &job, 1, NULL, &fence, &err));
			assert_int_equal(accel_fence_wait(fence, -1), 0);
			assert_string_equal(f.data + 64, "around");
			assert_string_equal(f.data + 128, "around");
			assert_string_equal(data, i & 1 ? "around" : "");
			accel_fence_unref(fence);
		}
		accel_program_unref(program);
		assert_int_equal(drm_fake_objects(), before);
		accel_buffer_unref(other);
		close_fixture(&f);
	}
}

/* Three jobs of one submission: each has its own counts, also where perfmons add up. */
static void counts_of_each_job(void **state)
{
	static const uint32_t twice[] = { DMA(0, 0, 1, 0, 64), DMA(0, 0, 1, 64, 64), STOP };
	static const uint32_t once[] = { DMA(0, 0, 1, 0, 64), STOP };
	struct accel_submit_options opt = { .size = sizeof(opt), .event_count = 2,
					    .events = { 17, 35 } };
	struct accel_program *programs[2];
	struct accel_job_result r[3];
	struct accel_fence *fence;
	struct accel_job jobs[3];
	struct accel_binding b;
	unsigned int driver, i;
	struct fixture f;

	(void)state;
	EACH_DRIVER(driver) {
		open_fixture(&f, driver, 0);
		programs[0] = PROGRAM(&f, once);
		programs[1] = PROGRAM(&f, twice);
		b = (struct accel_binding){ .buffer = f.buffer, .region = 1 };
		for (i = 0; i < 3; i++)
			jobs[i] = job_of(programs[i == 1], &b, 1);
		if (driver == DRM_FAKE_LINUX_6_19) {
			refused(-EOPNOTSUPP, "counts no events",
				accel_queue_submit(f.queue, jobs, 3, &opt, &fence, &err));
			goto next;
		}
		must(accel_queue_submit(f.queue, jobs, 3, &opt, &fence, &err));
		assert_int_equal(accel_fence_wait(fence, -1), 0);
		for (i = 0; i < 3; i++) {
			r[i].size = sizeof(r[i]);
			assert_int_equal(accel_fence_get_result(fence, i, &r[i]), 0);
			assert_int_equal(r[i].event_count, 2);
			assert_true(r[i].cycles > 0);
			/* Event 17 counts cycles. */
			assert_int_equal(r[i].events[0], r[i].cycles);
		}
		assert_int_equal(r[0].cycles, r[2].cycles);
		assert_true(r[1].cycles > r[0].cycles);
		accel_fence_unref(fence);
next:
		accel_program_unref(programs[0]);
		accel_program_unref(programs[1]);
		close_fixture(&f);
	}
}

static void fence_fds(void **state)
{
	struct pollfd fd = { .events = POLLIN };
	struct accel_program *program;
	struct accel_fence *fence;
	unsigned int driver, i;
	struct fixture f;

	(void)state;
	EACH_DRIVER(driver) {
		open_fixture(&f, driver, 0);
		program = PROGRAM(&f, over_sram);
		for (i = 0; i < 20; i++) {
			fence = submit(&f, program, NULL);
			if (i & 1)
				assert_int_equal(accel_fence_wait(fence, -1), 0);
			must(accel_fence_get_fd(fence, &fd.fd, &err));
			assert_int_equal(poll(&fd, 1, 60000), 1);
			assert_int_equal(fd.revents, POLLIN);
			assert_int_equal(accel_fence_wait(fence, 0), 0);
			accel_fence_unref(fence);
			close(fd.fd);
		}
		accel_program_unref(program);
		close_fixture(&f);
	}
}

static void jobs_that_cannot_be(void **state)
{
	static const uint32_t far[] = { DMA(0, 0, 1, 8192, 64), STOP };
	static const uint32_t sram[] = { DMA(0, 0, 2, 1000, 64), STOP };
	static const uint32_t no_stop[] = { DMA(0, 0, 1, 0, 64) };
	struct accel_program *reach, *deep, *out = NULL;
	struct accel_binding b = { .region = 1 };
	struct accel_queue_options high = { .size = sizeof(high),
					    .priority = ACCEL_PRIORITY_HIGH };
	struct accel_queue *queue = NULL;
	struct accel_fence *fence = NULL;
	struct accel_job job;
	unsigned int driver;
	struct fixture f;
	bool ext;

	(void)state;
	EACH_DRIVER(driver) {
		open_fixture(&f, driver, 0);
		ext = driver == DRM_FAKE_EXTENDED;
		reach = PROGRAM(&f, far);
		deep = PROGRAM(&f, sram);
		b.buffer = f.buffer;
		job = job_of(reach, &b, 1);
		refused(-EINVAL, ext ? "reaches 8256 bytes, 4096 are bound" : "further than a buffer",
			accel_queue_submit(f.queue, &job, 1, NULL, &fence, &err));
		job.binding_count = 0;
		refused(-EINVAL, "uses region 1, nothing is bound",
			accel_queue_submit(f.queue, &job, 1, NULL, &fence, &err));
		job = job_of(deep, NULL, 0);
		refused(-EINVAL, ext ? "1064 bytes of SRAM" : "kernel refuses",
			accel_queue_submit(f.queue, &job, 1, NULL, &fence, &err));
		refused(-EINVAL, "at byte 36, word 0x00000000: ",
			accel_program_create(f.device, no_stop, sizeof(no_stop), NULL, &out, &err));
		if (!ext)
			refused(-EOPNOTSUPP, "normal priority only",
				accel_queue_create(f.device, &high, &queue, &err));
		assert_null(fence);
		assert_null(queue);
		assert_null(out);
		accel_program_unref(reach);
		accel_program_unref(deep);
		close_fixture(&f);
	}
}

static void realtime_takes_a_capability(void **state)
{
	struct accel_queue_options opt = { .size = sizeof(opt),
					   .priority = ACCEL_PRIORITY_REALTIME };
	struct accel_queue *queue;
	unsigned int before;
	struct fixture f;

	(void)state;
	open_fixture(&f, DRM_FAKE_EXTENDED, 0);
	before = drm_fake_objects();
	drm_fake_allow_realtime(false);
	refused(-EACCES, "CAP_SYS_NICE", accel_queue_create(f.device, &opt, &queue, &err));
	assert_int_equal(drm_fake_objects(), before);
	drm_fake_allow_realtime(true);
	must(accel_queue_create(f.device, &opt, &queue, &err));
	accel_queue_unref(queue);
	close_fixture(&f);
}

static void sealed_here(void **state)
{
	struct accel_program *copy;
	struct accel_binding b[2] = { { .region = 1 }, { .region = 3 } };
	struct accel_buffer *out, *late;
	struct accel_fence *fence;
	struct accel_job job;
	unsigned int driver;
	struct fixture f;
	char *data, *ro;
	int fd;

	(void)state;
	EACH_DRIVER(driver) {
		open_fixture(&f, driver, 0);
		must(accel_buffer_create(f.device, 4096, 0, &out, &err));
		must(accel_buffer_map(out, (void **)&data, &err));
		must(accel_buffer_create(f.device, 4096, 0, &late, &err));
		copy = PROGRAM(&f, across);
		strcpy(f.data, "sealed");
		assert_false(write_kills(f.data));
		must(accel_buffer_seal(f.buffer, &err));
		must(accel_buffer_seal(f.buffer, &err));
		assert_true(write_kills(f.data));
		/* Mapped for the first time when sealed. */
		must(accel_buffer_seal(late, &err));
		must(accel_buffer_map(late, (void **)&ro, &err));
		assert_true(write_kills(ro));
		b[0].buffer = f.buffer;
		b[1].buffer = out;
		job = job_of(copy, b, 2);
		must(accel_queue_submit(f.queue, &job, 1, NULL, &fence, &err));
		assert_int_equal(accel_fence_wait(fence, -1), 0);
		assert_string_equal(data, "sealed");
		accel_fence_unref(fence);
		b[0].buffer = out;
		b[1].buffer = f.buffer;
		refused(-EINVAL, "sealed", accel_queue_submit(f.queue, &job, 1, NULL, &fence, &err));
		must(accel_buffer_export(out, &fd, &err));
		refused(-EOPNOTSUPP, "others may write", accel_buffer_seal(out, &err));
		close(fd);
		accel_program_unref(copy);
		accel_buffer_unref(out);
		accel_buffer_unref(late);
		close_fixture(&f);
	}
}

/* An import of memory that the file has already gives the same handle: closed with its last user. */
static void one_handle_for_two_buffers(void **state)
{
	struct accel_buffer *again, *foreign;
	unsigned int driver, before;
	struct fixture f, g;
	char *data;
	int fd;

	(void)state;
	EACH_DRIVER(driver) {
		open_fixture(&f, driver, 0);
		before = drm_fake_objects();
		must(accel_buffer_export(f.buffer, &fd, &err));
		must(accel_buffer_import(f.device, fd, 0, &again, &err));
		assert_int_equal(drm_fake_objects(), before);
		strcpy(f.data, "both");
		accel_buffer_unref(f.buffer);
		must(accel_buffer_map(again, (void **)&data, &err));
		assert_string_equal(data, "both");
		f.buffer = again;
		open_fixture(&g, driver, 1);
		if (driver == DRM_FAKE_EXTENDED) {
			must(accel_buffer_import(g.device, fd, 0, &foreign, &err));
			must(accel_buffer_map(foreign, (void **)&data, &err));
			assert_string_equal(data, "both");
			accel_buffer_unref(foreign);
		} else {
			refused(-EOPNOTSUPP, "its own buffers only",
				accel_buffer_import(g.device, fd, 0, &foreign, &err));
		}
		refused(-EBADF, "12345", accel_buffer_import(f.device, 12345, 0, &foreign, &err));
		close(fd);
		close_fixture(&g);
		close_fixture(&f);
	}
}

/* So many jobs that the kernel forgets the first: they are known to be well, or not known. */
static void forgotten_jobs(void **state)
{
	struct accel_program *stop, *bad;
	static const uint32_t faults[] = { CMD0(0x0ff, 0), STOP };	/* no such command */
	struct accel_fence *first, *second, *last;
	struct accel_job jobs[FAKE_HISTORY];
	struct accel_job_result r = { .size = sizeof(r) };
	struct fixture f;
	unsigned int i;

	(void)state;
	open_fixture(&f, DRM_FAKE_EXTENDED, 0);
	stop = PROGRAM(&f, nothing);
	for (i = 0; i < FAKE_HISTORY; i++)
		jobs[i] = job_of(stop, NULL, 0);
	must(accel_queue_submit(f.queue, jobs, 1, NULL, &first, &err));
	must(accel_queue_submit(f.queue, jobs, 1, NULL, &second, &err));
	must(accel_queue_submit(f.queue, jobs, FAKE_HISTORY, NULL, &last, &err));
	assert_int_equal(accel_fence_wait(last, -1), 0);
	assert_int_equal(accel_fence_wait(first, -1), 0);
	assert_int_equal(accel_fence_get_result(first, 0, &r), 0);
	assert_int_equal(r.state, ACCEL_JOB_DONE);
	accel_fence_unref(last);
	/* A later one that fails makes the second's fate unknown. */
	bad = PROGRAM(&f, faults);
	last = submit(&f, bad, NULL);
	assert_int_equal(accel_fence_wait(last, -1), -EIO);
	assert_int_equal(accel_fence_wait(second, -1), -EIO);
	assert_int_equal(accel_fence_get_result(second, 0, &r), 0);
	assert_non_null(strstr(r.cause, "forgotten"));
	assert_int_equal(accel_fence_get_result(last, 0, &r), 0);
	assert_non_null(strstr(r.cause, "makes no sense"));
	accel_fence_unref(last);
	accel_fence_unref(first);
	accel_fence_unref(second);
	accel_program_unref(stop);
	accel_program_unref(bad);
	close_fixture(&f);
}

static void unplugged(void **state)
{
	struct accel_job_result r = { .size = sizeof(r) };
	struct accel_program *copy;
	struct accel_buffer *more = NULL;
	struct accel_fence *fence, *again = NULL;
	struct accel_binding b;
	struct accel_job job;
	unsigned int driver;
	struct fixture f;

	(void)state;
	EACH_DRIVER(driver) {
		open_fixture(&f, driver, 0);
		copy = PROGRAM(&f, over_sram);
		fence = submit(&f, copy, NULL);
		drm_fake_unplug();
		assert_int_equal(accel_fence_wait(fence, -1), -EIO);
		assert_int_equal(accel_fence_get_result(fence, 0, &r), 0);
		assert_int_equal(r.state, ACCEL_JOB_FAULTED);
		assert_int_equal(r.error, -EIO);
		assert_non_null(strstr(r.cause, "gone"));
		b = (struct accel_binding){ .buffer = f.buffer, .region = 1 };
		job = job_of(copy, &b, 1);
		refused(-ENODEV, "is gone", accel_queue_submit(f.queue, &job, 1, NULL, &again, &err));
		assert_int_equal(accel_buffer_create(f.device, 64, 0, &more, NULL), -ENODEV);
		/* What is mapped stays. */
		f.data[0] = 1;
		accel_fence_unref(fence);
		accel_program_unref(copy);
		close_fixture(&f);
	}
}

/* Every ioctl refused once, in the middle of work: an error that says so, and nothing left behind. */
static void ioctls_refused(void **state)
{
	static const unsigned long requests[] = {
		DRM_IOCTL_VERSION, DRM_IOCTL_ETHOSU_DEV_QUERY, DRM_IOCTL_ETHOSU_BO_CREATE,
		DRM_IOCTL_ETHOSU_BO_MMAP_OFFSET, DRM_IOCTL_ETHOSU_BO_WAIT,
		DRM_IOCTL_ETHOSU_CMDSTREAM_BO_CREATE, DRM_IOCTL_ETHOSU_SUBMIT,
		DRM_IOCTL_ETHOSU_PERFMON_CREATE, DRM_IOCTL_SYNCOBJ_CREATE,
		DRM_IOCTL_SYNCOBJ_TRANSFER, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD,
		DRM_IOCTL_ETHOSUX_QUEUE_CREATE, DRM_IOCTL_ETHOSUX_QUEUE_SUBMIT,
		DRM_IOCTL_ETHOSUX_BO_INFO,
	};
	struct accel_submit_options opt = { .size = sizeof(opt), .event_count = 1,
					    .events = { 17 } };
	unsigned int driver, after;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
		EACH_DRIVER(driver) {
			for (after = 0; after < 3; after++) {
				struct accel_program_options popt = {
					.size = sizeof(popt), .constants = weights,
					.constants_size = sizeof(weights) };
				struct accel_binding b = { .region = 1 };
				struct accel_device *device = NULL;
				struct accel_queue *queue = NULL;
				struct accel_program *program = NULL;
				struct accel_fence *fence = NULL;
				struct accel_error err = { 0 };
				struct accel_job job;
				char spec[32];
				int fd = -1, ret;
				void *ptr;

				snprintf(spec, sizeof(spec), "/dev/accel/accel%u", 10 * driver);
				drm_fake_fail(requests[i], after, -ENOMEM);
				ret = accel_device_open(spec, &device, &err);
				if (!ret)
					ret = accel_queue_create(device, NULL, &queue, &err);
				if (!ret)
					ret = accel_buffer_create(device, 4096, 0, &b.buffer, &err);
				if (!ret)
					ret = accel_buffer_map(b.buffer, &ptr, &err);
				if (!ret)
					ret = accel_program_create(device, over_sram, sizeof(over_sram),
								   &popt, &program, &err);
				if (!ret) {
					job = job_of(program, &b, 1);
					opt.event_count = driver < DRM_FAKE_LINUX_6_19;
					ret = accel_queue_submit(queue, &job, 1, &opt, &fence, &err);
				}
				if (!ret)
					ret = accel_fence_get_fd(fence, &fd, &err);
				if (ret) {
					assert_int_equal(ret, -ENOMEM);
					assert_int_equal(err.code, -ENOMEM);
					assert_true(strlen(err.msg) > 10);
				}
				drm_fake_fail(0, 0, 0);
				if (fd >= 0)
					close(fd);
				accel_fence_unref(fence);
				accel_program_unref(program);
				accel_buffer_unref(b.buffer);
				accel_queue_unref(queue);
				/*
				 * The perfmon is kept for the next submission. Where a thread waits
				 * for the fd's sake, it gives back when the job is done.
				 */
				alarm(60);
				while (drm_fake_objects() > 1)
					sched_yield();
				alarm(0);
				accel_device_unref(device);
			}
		}
	}
}

/*
 * Any words can be scanned, also cut in the middle of a command; regions put back where they were leave
 * them as they are, and all regions put to one is what a scan then finds.
 */
static void any_words_can_be_scanned(void **state)
{
	static const uint8_t same[] = { 0, 1, 2, 3, 4, 5, 6, 7 }, five[] = { 5, 5, 5, 5, 5, 5, 5, 5 };
	/* Commands that matter, among words that may be anything. */
	static const uint32_t known[] = { 0x002, 0x003, 0x005, 0x006, 0x010, 0x105, 0x10f, 0x114,
					  0x11f, 0x128, 0x129, 0x130, 0x131, 0x134, 0x180, 0x185,
					  0x18f, 0x4020, 0x4021, 0x4030, 0x4032 };
	uint64_t seed = 88172645463325252u;
	struct drm_usage usage, before;
	uint32_t *words, *copy;
	size_t i, k, n;

	(void)state;
	for (i = 0; i < 100000; i++) {
		n = i % 40;
		/* Of its very size, for AddressSanitizer. */
		words = malloc(4 * n + !n);
		copy = malloc(4 * n + !n);
		assert_true(words && copy);
		for (k = 0; k < n; k++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			words[k] = (uint32_t)seed;
			if (seed >> 40 & 7)
				words[k] = (words[k] & 0xffff0000) |
					   known[(seed >> 48) % (sizeof(known) / sizeof(*known))];
		}
		memcpy(copy, words, 4 * n);
		drm_scan(words, n, i & 1, &before);
		drm_scan_rename(words, n, same);
		assert_memory_equal(words, copy, 4 * n);
		drm_scan_rename(words, n, five);
		drm_scan(words, n, i & 1, &usage);
		assert_int_equal(usage.read & ~(1u << 5 | 1u << 7), 0);
		assert_int_equal(!usage.read, !before.read);
		assert_int_equal(!usage.written, !before.written);
		free(words);
		free(copy);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_words_can_be_scanned),
		cmocka_unit_test(devices_say_what_they_are),
		cmocka_unit_test(wrong_nodes),
		cmocka_unit_test(constants_go_through_sram),
		cmocka_unit_test(jobs_that_write_no_buffer),
		cmocka_unit_test(bindings_no_one_needs),
		cmocka_unit_test(one_buffer_for_many_regions),
		cmocka_unit_test(a_thousand_jobs),
		cmocka_unit_test(counts_of_each_job),
		cmocka_unit_test(fence_fds),
		cmocka_unit_test(jobs_that_cannot_be),
		cmocka_unit_test(realtime_takes_a_capability),
		cmocka_unit_test(sealed_here),
		cmocka_unit_test(one_handle_for_two_buffers),
		cmocka_unit_test(forgotten_jobs),
		cmocka_unit_test(unplugged),
		cmocka_unit_test(ioctls_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
