/* SPDX-License-Identifier: MIT */
/*
 * libaccel on a real node, given as argument: Linux's driver or this project's, an NPU or a simulated one behind a
 * virtual machine's PCI bus. What the device says it cannot do is skipped, and said.
 */
#include <drm.h>
#include <drm_mode.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "tests/dma_stream.h"

#define fails(expected, call) \
	do { \
		struct accel_error err = { 0 }; \
		assert_int_equal((call), expected); \
		assert_true(strlen(err.msg) > 10); \
	} while (0)

#define SIZE 65536
#define THREADS 4
#define ROUNDS 50

static const char *node;

static const uint32_t constants_out[] = { DMA(0, 0, 1, SIZE - 64, 64), STOP };
static const uint32_t over_sram[] = { DMA(0, 0, 2, 960, 64), DMA(2, 960, 1, 0, 64), STOP };
static const uint32_t across[] = { DMA(1, 0, 3, 0, 64), STOP };
static const uint32_t nothing[] = { STOP };
/* So much that a job takes a while. */
static const uint32_t slow[] = { DMA(1, 0, 3, 0, SIZE), DMA(1, 0, 3, 0, SIZE), DMA(1, 0, 3, 0, SIZE),
				 DMA(1, 0, 3, 0, SIZE), STOP };

struct fixture {
	struct accel_device *device;
	struct accel_device_info info;
	struct accel_queue *queue;
	struct accel_buffer *a, *b;
	char *in, *out;
};

static void open_fixture(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->info.size = sizeof(f->info);
	must(accel_device_open(node, &f->device, &err));
	assert_int_equal(accel_device_get_info(f->device, &f->info), 0);
	must(accel_queue_create(f->device, NULL, &f->queue, &err));
	must(accel_buffer_create(f->device, SIZE, 0, &f->a, &err));
	must(accel_buffer_create(f->device, SIZE, ACCEL_BUFFER_CPU_READ, &f->b, &err));
	must(accel_buffer_map(f->a, (void **)&f->in, &err));
	must(accel_buffer_map(f->b, (void **)&f->out, &err));
}

static void close_fixture(struct fixture *f)
{
	accel_buffer_unref(f->a);
	accel_buffer_unref(f->b);
	accel_queue_unref(f->queue);
	accel_device_unref(f->device);
}

#define PROGRAM(f, stream) dma_program((f)->device, stream, sizeof(stream))

/* Buffer a in region 1, b in region 3. */
static struct accel_fence *submit(struct fixture *f, struct accel_queue *queue,
				  struct accel_program *program, size_t count,
				  const struct accel_submit_options *opt)
{
	struct accel_binding b[2] = { { .buffer = f->a, .region = 1 },
				      { .buffer = f->b, .region = 3 } };
	struct accel_job jobs[1024];
	struct accel_fence *fence;
	size_t i;

	for (i = 0; i < count; i++)
		jobs[i] = (struct accel_job){ .size = sizeof(jobs[i]), .program = program,
					      .bindings = b, .binding_count = 2 };
	must(accel_queue_submit(queue, jobs, count, opt, &fence, &err));
	return fence;
}

static void says_what_it_is(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f);
	print_message("%s: %s, %s, features 0x%x, SRAM %u\n", node, f.info.name, f.info.description,
		      f.info.features, f.info.sram_size);
	assert_string_equal(f.info.transport, "drm");
	assert_true(f.info.arch == 65 || f.info.arch == 85);
	assert_true(f.info.macs >= 128 && f.info.macs <= 2048);
	close_fixture(&f);
}

static void data_moves(void **state)
{
	struct accel_program *program;
	struct accel_fence *fence;
	struct accel_binding b;
	struct accel_job job;
	struct fixture f;
	int i;

	(void)state;
	open_fixture(&f);
	for (i = 0; i < SIZE; i++)
		assert_int_equal(f.in[i], 0);
	program = PROGRAM(&f, constants_out);
	fence = submit(&f, f.queue, program, 1, NULL);
	assert_int_equal(accel_fence_wait(fence, -1), 0);
	assert_memory_equal(f.in + SIZE - 64, weights, 64);
	assert_int_equal(f.in[SIZE - 65], 0);
	accel_fence_unref(fence);
	accel_program_unref(program);
	program = PROGRAM(&f, across);
	for (i = 0; i < 100; i++) {
		snprintf(f.in, 64, "round %d", i);
		fence = submit(&f, f.queue, program, 1, NULL);
		assert_int_equal(accel_fence_wait(fence, -1), 0);
		assert_string_equal(f.out, f.in);
		accel_fence_unref(fence);
	}
	accel_program_unref(program);
	if (f.info.sram_size >= 1024) {
		program = PROGRAM(&f, over_sram);
		b = (struct accel_binding){ .buffer = f.a, .region = 1 };
		job = (struct accel_job){ .size = sizeof(job), .program = program, .bindings = &b,
					  .binding_count = 1, .sram_size = 1024 };
		must(accel_queue_submit(f.queue, &job, 1, NULL, &fence, &err));
		assert_int_equal(accel_fence_wait(fence, -1), 0);
		assert_memory_equal(f.in, weights, 64);
		accel_fence_unref(fence);
		accel_program_unref(program);
	}
	close_fixture(&f);
}

static void every_way_to_wait(void **state)
{
	struct accel_submit_options each = { .size = sizeof(each),
					     .flags = ACCEL_SUBMIT_FENCE_PER_JOB };
	struct accel_binding b[2] = { { .region = 1 }, { .region = 3 } };
	struct pollfd fd = { .events = POLLIN };
	struct accel_program *program, *stop;
	struct accel_fence *fences[16], *fence;
	struct accel_job jobs[16];
	struct fixture f;
	int i;

	(void)state;
	open_fixture(&f);
	program = PROGRAM(&f, across);
	stop = PROGRAM(&f, nothing);
	b[0].buffer = f.a;
	b[1].buffer = f.b;
	for (i = 0; i < 16; i++)
		jobs[i] = (struct accel_job){ .size = sizeof(jobs[i]),
					      .program = i & 1 ? stop : program, .bindings = b,
					      .binding_count = 2 };
	strcpy(f.in, "sixteen");
	must(accel_queue_submit(f.queue, jobs, 16, &each, fences, &err));
	for (i = 0; i < 16; i++) {
		if (i % 4 == 0) {
			while (accel_fence_wait(fences[i], 0) == -ETIME)
				;
		} else if (i % 4 == 1) {
			must(accel_fence_get_fd(fences[i], &fd.fd, &err));
			assert_int_equal(poll(&fd, 1, 60000), 1);
			close(fd.fd);
		}
		assert_int_equal(accel_fence_wait(fences[i], INT64_C(60000000000)), 0);
		accel_fence_unref(fences[i]);
	}
	assert_string_equal(f.out, "sixteen");
	/* The fd stays when all else has gone. */
	fence = submit(&f, f.queue, program, 1, NULL);
	must(accel_fence_get_fd(fence, &fd.fd, &err));
	accel_fence_unref(fence);
	assert_int_equal(poll(&fd, 1, 60000), 1);
	close(fd.fd);
	accel_program_unref(program);
	accel_program_unref(stop);
	close_fixture(&f);
}

static void a_thousand_jobs(void **state)
{
	struct accel_program *program;
	struct accel_fence *fence;
	struct fixture f;

	(void)state;
	open_fixture(&f);
	program = PROGRAM(&f, across);
	strcpy(f.in, "a thousand");
	fence = submit(&f, f.queue, program, 1024, NULL);
	assert_int_equal(accel_fence_wait(fence, -1), 0);
	assert_string_equal(f.out, "a thousand");
	accel_fence_unref(fence);
	accel_program_unref(program);
	close_fixture(&f);
}

static void results(void **state)
{
	struct accel_submit_options opt = { .size = sizeof(opt), .event_count = 1,
					    .events = { 17 } };	/* cycles */
	struct accel_job_result r = { .size = sizeof(r) };
	struct accel_program *program;
	struct accel_fence *fence;
	uint64_t before;
	struct timespec ts;
	struct fixture f;
	int i;

	(void)state;
	open_fixture(&f);
	if (!(f.info.features & ACCEL_FEATURE_COUNTERS)) {
		close_fixture(&f);
		skip();
	}
	clock_gettime(CLOCK_MONOTONIC, &ts);
	before = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
	program = PROGRAM(&f, slow);
	fence = submit(&f, f.queue, program, 3, &opt);
	assert_int_equal(accel_fence_wait(fence, -1), 0);
	for (i = 0; i < 3; i++) {
		assert_int_equal(accel_fence_get_result(fence, (size_t)i, &r), 0);
		assert_int_equal(r.state, ACCEL_JOB_DONE);
		assert_int_equal(r.error, 0);
		assert_int_equal(r.event_count, 1);
		assert_true(r.cycles > 0);
		assert_true(r.queued_ns >= before);
		if (!(f.info.features & ACCEL_FEATURE_JOB_STATUS))
			continue;
		assert_true(r.started_ns >= r.queued_ns);
		assert_true(r.ended_ns >= r.started_ns);
	}
	accel_fence_unref(fence);
	accel_program_unref(program);
	close_fixture(&f);
}

static void what_is_refused(void **state)
{
	static const uint32_t no_stop[] = { DMA(1, 0, 3, 0, 64) };
	static const uint32_t far[] = { DMA(1, SIZE - 32, 3, 0, 64), STOP };
	struct accel_program *program = NULL;
	struct accel_binding b[2] = { { .region = 1 }, { .region = 3 } };
	struct accel_fence *fence = NULL;
	struct accel_job job;
	struct fixture f;

	(void)state;
	open_fixture(&f);
	fails(-EINVAL, accel_program_create(f.device, no_stop, sizeof(no_stop), NULL, &program, &err));
	assert_null(program);
	program = PROGRAM(&f, far);
	b[0].buffer = f.a;
	b[1].buffer = f.b;
	job = (struct accel_job){ .size = sizeof(job), .program = program, .bindings = b,
				  .binding_count = 2 };
	fails(-EINVAL, accel_queue_submit(f.queue, &job, 1, NULL, &fence, &err));
	job.binding_count = 1;
	fails(-EINVAL, accel_queue_submit(f.queue, &job, 1, NULL, &fence, &err));
	accel_program_unref(program);
	close_fixture(&f);
}

/* A queue behind another's fence; what comes out in the end shows the order. */
static void queues_wait_for_each_other(void **state)
{
	struct accel_submit_options wait = { .size = sizeof(wait), .wait_count = 1 };
	struct accel_program *there, *on;
	struct accel_buffer *third;
	struct accel_binding b[2] = { { .region = 1 }, { .region = 3 } };
	struct accel_queue *other;
	struct accel_fence *first, *second;
	struct accel_job job;
	struct fixture f;
	char *last;
	int i;

	(void)state;
	open_fixture(&f);
	must(accel_queue_create(f.device, NULL, &other, &err));
	must(accel_buffer_create(f.device, SIZE, 0, &third, &err));
	must(accel_buffer_map(third, (void **)&last, &err));
	there = PROGRAM(&f, slow);
	on = PROGRAM(&f, across);
	for (i = 0; i < 50; i++) {
		snprintf(f.in, 64, "round %d", i);
		first = submit(&f, f.queue, there, 1, NULL);
		b[0].buffer = f.b;
		b[1].buffer = third;
		job = (struct accel_job){ .size = sizeof(job), .program = on, .bindings = b,
					  .binding_count = 2 };
		wait.wait = &first;
		must(accel_queue_submit(other, &job, 1, &wait, &second, &err));
		assert_int_equal(accel_fence_wait(second, -1), 0);
		assert_string_equal(last, f.in);
		accel_fence_unref(first);
		accel_fence_unref(second);
	}
	accel_program_unref(there);
	accel_program_unref(on);
	accel_queue_unref(other);
	accel_buffer_unref(third);
	close_fixture(&f);
}

static void queue_given_back(void **state)
{
	struct accel_program *program;
	struct accel_fence *fence;
	struct accel_queue *queue;
	struct accel_job_result r = { .size = sizeof(r) };
	unsigned int done = 0, cancelled = 0;
	struct fixture f;
	size_t i;

	(void)state;
	open_fixture(&f);
	if (!(f.info.features & ACCEL_FEATURE_JOB_STATUS)) {
		close_fixture(&f);
		skip();
	}
	must(accel_queue_create(f.device, NULL, &queue, &err));
	program = PROGRAM(&f, slow);
	fence = submit(&f, queue, program, 200, NULL);
	accel_queue_unref(queue);
	assert_int_equal(accel_fence_wait(fence, -1), -ECANCELED);
	for (i = 0; i < 200; i++) {
		assert_int_equal(accel_fence_get_result(fence, i, &r), 0);
		if (r.state == ACCEL_JOB_DONE)
			done++;
		else if (r.state == ACCEL_JOB_CANCELLED)
			cancelled++;
		/* None after one that was cancelled. */
		assert_true(!cancelled || r.state == ACCEL_JOB_CANCELLED);
	}
	print_message("%u jobs done, %u cancelled\n", done, cancelled);
	assert_int_equal(done + cancelled, 200);
	assert_true(cancelled > 0);
	accel_fence_unref(fence);
	accel_program_unref(program);
	close_fixture(&f);
}

static void parts_of_buffers(void **state)
{
	struct accel_binding b[2] = { { .region = 1, .offset = 128, .length = 64 },
				      { .region = 3, .offset = 4096 } };
	struct accel_program *program;
	struct accel_fence *fence;
	struct accel_job job;
	struct fixture f;

	(void)state;
	open_fixture(&f);
	if (!(f.info.features & ACCEL_FEATURE_SUBRANGE)) {
		close_fixture(&f);
		skip();
	}
	program = PROGRAM(&f, across);
	strcpy(f.in + 128, "part");
	b[0].buffer = b[1].buffer = f.a;
	job = (struct accel_job){ .size = sizeof(job), .program = program, .bindings = b,
				  .binding_count = 2 };
	must(accel_queue_submit(f.queue, &job, 1, NULL, &fence, &err));
	assert_int_equal(accel_fence_wait(fence, -1), 0);
	assert_string_equal(f.in + 4096, "part");
	accel_fence_unref(fence);
	b[0].length = 48;
	fails(-EINVAL, accel_queue_submit(f.queue, &job, 1, NULL, &fence, &err));
	accel_program_unref(program);
	close_fixture(&f);
}

/* One buffer for both regions, in Linux's driver too. */
static void one_buffer_twice(void **state)
{
	static const uint32_t within[] = { DMA(1, 0, 3, 64, 64), STOP };
	struct accel_binding b[2] = { { .region = 1 }, { .region = 3 } };
	struct accel_program *program;
	struct accel_fence *fence;
	struct accel_job job;
	struct fixture f;

	(void)state;
	open_fixture(&f);
	program = PROGRAM(&f, within);
	strcpy(f.in, "twice");
	b[0].buffer = b[1].buffer = f.a;
	job = (struct accel_job){ .size = sizeof(job), .program = program, .bindings = b,
				  .binding_count = 2 };
	must(accel_queue_submit(f.queue, &job, 1, NULL, &fence, &err));
	assert_int_equal(accel_fence_wait(fence, -1), 0);
	assert_string_equal(f.in + 64, "twice");
	accel_fence_unref(fence);
	accel_program_unref(program);
	close_fixture(&f);
}

static void shared_with_itself(void **state)
{
	struct accel_buffer *again;
	struct fixture f;
	char *data;
	int fd;

	(void)state;
	open_fixture(&f);
	must(accel_buffer_export(f.a, &fd, &err));
	must(accel_buffer_import(f.device, fd, 0, &again, &err));
	assert_int_equal(accel_buffer_size(again), SIZE);
	must(accel_buffer_map(again, (void **)&data, &err));
	strcpy(f.in, "both");
	assert_string_equal(data, "both");
	accel_buffer_unref(f.a);
	assert_string_equal(data, "both");
	f.a = again;
	fails(-EBADF, accel_buffer_import(f.device, 12345, 0, &again, &err));
	close(fd);
	close_fixture(&f);
}

/* Memory of the kernel's virtual graphics driver: of one page it is in one piece. */
static int vgem_fd(uint64_t *size)
{
	struct drm_mode_create_dumb dumb = { .width = 1024, .height = 1, .bpp = 32 };
	struct drm_prime_handle prime = { .flags = DRM_CLOEXEC | DRM_RDWR };
	char path[32], name[32];
	struct drm_version version = { .name = name };
	int card, i, ret;

	for (i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		card = open(path, O_RDWR | O_CLOEXEC);
		if (card < 0)
			continue;
		memset(name, 0, sizeof(name));
		version.name_len = sizeof(name) - 1;
		ret = ioctl(card, DRM_IOCTL_VERSION, &version) || strncmp(name, "vgem", 4) ||
		      ioctl(card, DRM_IOCTL_MODE_CREATE_DUMB, &dumb);
		prime.handle = dumb.handle;
		ret = ret || ioctl(card, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime);
		close(card);
		*size = dumb.size;
		if (!ret)
			return prime.fd;
	}
	return -1;
}

static void memory_of_another_driver(void **state)
{
	struct accel_program *program;
	struct accel_buffer *foreign;
	struct accel_binding b[2] = { { .region = 1 }, { .region = 3 } };
	struct accel_fence *fence;
	struct accel_job job;
	struct fixture f;
	uint64_t size = 0;
	char *data;
	int fd = vgem_fd(&size);

	(void)state;
	if (fd < 0)
		skip();
	open_fixture(&f);
	if (!(f.info.features & ACCEL_FEATURE_JOB_STATUS)) {
		fails(-EOPNOTSUPP, accel_buffer_import(f.device, fd, 0, &foreign, &err));
		close(fd);
		close_fixture(&f);
		return;
	}
	must(accel_buffer_import(f.device, fd, 0, &foreign, &err));
	assert_int_equal(accel_buffer_size(foreign), size);
	program = PROGRAM(&f, across);
	strcpy(f.in, "into another driver's memory");
	b[0].buffer = f.a;
	b[1].buffer = foreign;
	job = (struct accel_job){ .size = sizeof(job), .program = program, .bindings = b,
				  .binding_count = 2 };
	must(accel_queue_submit(f.queue, &job, 1, NULL, &fence, &err));
	assert_int_equal(accel_fence_wait(fence, -1), 0);
	data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(data, MAP_FAILED);
	assert_string_equal(data, f.in);
	munmap(data, size);
	close(fd);
	accel_fence_unref(fence);
	accel_program_unref(program);
	accel_buffer_unref(foreign);
	close_fixture(&f);
}

static void sealed(void **state)
{
	struct accel_program *program;
	struct accel_binding b[2] = { { .region = 1 }, { .region = 3 } };
	struct accel_fence *fence;
	struct accel_job job;
	struct fixture f;

	(void)state;
	open_fixture(&f);
	program = PROGRAM(&f, slow);
	fence = submit(&f, f.queue, program, 100, NULL);
	/* Written by jobs that are not done. */
	assert_int_equal(accel_buffer_seal(f.b, NULL), -EBUSY);
	assert_int_equal(accel_fence_wait(fence, -1), 0);
	accel_fence_unref(fence);
	must(accel_buffer_seal(f.b, &err));
	b[0].buffer = f.a;
	b[1].buffer = f.b;
	job = (struct accel_job){ .size = sizeof(job), .program = program, .bindings = b,
				  .binding_count = 2 };
	fails(-EINVAL, accel_queue_submit(f.queue, &job, 1, NULL, &fence, &err));
	accel_program_unref(program);
	close_fixture(&f);
}

/* Threads with a device of their own each, and each job's data looked at. */
static void *client(void *arg)
{
	const int *number = arg;
	struct accel_program *program;
	struct accel_fence *fence;
	intptr_t wrong = 0;
	struct fixture f;
	int i;

	open_fixture(&f);
	program = PROGRAM(&f, across);
	for (i = 0; i < ROUNDS; i++) {
		snprintf(f.in, 64, "client %d, round %d", *number, i);
		fence = submit(&f, f.queue, program, 1 + (size_t)i % 3, NULL);
		if (accel_fence_wait(fence, -1) || strcmp(f.in, f.out))
			wrong++;
		accel_fence_unref(fence);
	}
	accel_program_unref(program);
	close_fixture(&f);
	return (void *)wrong;
}

static void clients_side_by_side(void **state)
{
	pthread_t id[THREADS];
	int number[THREADS], i;
	void *wrong;

	(void)state;
	for (i = 0; i < THREADS; i++) {
		number[i] = i;
		assert_int_equal(pthread_create(&id[i], NULL, client, &number[i]), 0);
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(id[i], &wrong);
		assert_null(wrong);
	}
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_it_is),
		cmocka_unit_test(data_moves),
		cmocka_unit_test(every_way_to_wait),
		cmocka_unit_test(a_thousand_jobs),
		cmocka_unit_test(results),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(queues_wait_for_each_other),
		cmocka_unit_test(queue_given_back),
		cmocka_unit_test(parts_of_buffers),
		cmocka_unit_test(one_buffer_twice),
		cmocka_unit_test(shared_with_itself),
		cmocka_unit_test(memory_of_another_driver),
		cmocka_unit_test(sealed),
		cmocka_unit_test(clients_side_by_side),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: drm_live /dev/accel/accelN\n");
		return 2;
	}
	node = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
