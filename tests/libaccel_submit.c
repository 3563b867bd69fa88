/* SPDX-License-Identifier: MIT */
/* Jobs from submission to fence: waiting, polling, results, faults, and all or nothing. */
#include "tests/libaccel_test.h"

#include <poll.h>
#include <time.h>
#include <unistd.h>

#define MS INT64_C(1000000)

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 * MS + ts.tv_nsec;
}

static void job_moves_data(void **state)
{
	static const char weights[32] = "constants of the program";
	struct accel_program_options popt = { .size = sizeof(popt), .constants = weights,
					      .constants_size = sizeof(weights) };
	const uint32_t stream[] = { FAKE_COPY, FAKE_ARG(0, 1, 32), FAKE_COPY, FAKE_ARG(1, 2, 32),
				    FAKE_COPY, FAKE_ARG(2, 3, 32), FAKE_STOP, 0 };
	struct accel_device *device = open_device();
	struct accel_queue *queue = new_queue(device, 0);
	struct accel_buffer *buffer;
	struct accel_program *program;
	struct accel_binding bind[2] = { { .region = 1 }, { .region = 3, .offset = 64 } };
	struct accel_job job = { .size = sizeof(job), .bindings = bind, .binding_count = 2,
				 .sram_size = 32 };
	struct accel_fence *fence;
	char *data;

	(void)state;
	must(accel_program_create(device, stream, sizeof(stream), &popt, &program, &err));
	must(accel_buffer_create(device, 128, 0, &buffer, &err));
	must(accel_buffer_map(buffer, (void **)&data, &err));
	bind[0].buffer = bind[1].buffer = buffer;
	job.program = program;
	must(accel_queue_submit(queue, &job, 1, NULL, &fence, &err));
	assert_int_equal(accel_fence_wait(fence, -1), 0);
	assert_memory_equal(data, weights, 32);
	assert_memory_equal(data + 64, weights, 32);
	accel_fence_unref(fence);
	accel_program_unref(program);
	accel_buffer_unref(buffer);
	accel_queue_unref(queue);
	accel_device_unref(device);
}

static void job_reaches_its_own_memory_only(void **state)
{
	struct accel_device *device = open_device();
	struct accel_queue *queue = new_queue(device, 0);
	struct accel_program *to1 = new_program(device, FAKE_COPY, FAKE_ARG(1, 1, 32));
	struct accel_program *to2 = new_program(device, FAKE_COPY, FAKE_ARG(1, 2, 32));
	struct accel_program *over = new_program(device, FAKE_COPY, FAKE_ARG(1, 1, 0xffff));
	struct accel_buffer *buffer;
	struct accel_binding bind = { .region = 1 };
	struct accel_job job = { .size = sizeof(job), .bindings = &bind, .binding_count = 1 };
	struct accel_submit_options lazy = { .size = sizeof(lazy), .flags = ACCEL_SUBMIT_LAZY };
	static const struct { uint64_t offset, length; int status; } cases[] = {
		{ 0, 0, 0 }, { 0, 32, 0 }, { 0, 31, -EIO }, { 4080, 0, -EIO }, { 4064, 0, 0 },
	};
	struct accel_fence *fence;
	size_t i;

	(void)state;
	must(accel_buffer_create(device, 4096, 0, &buffer, &err));
	bind.buffer = buffer;
	job.program = to1;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		bind.offset = cases[i].offset;
		bind.length = cases[i].length;
		must(accel_queue_submit(queue, &job, 1, &lazy, &fence, &err));
		assert_int_equal(accel_fence_wait(fence, -1), cases[i].status);
		accel_fence_unref(fence);
	}
	bind.offset = bind.length = 0;
	job.program = over;
	must(accel_queue_submit(queue, &job, 1, &lazy, &fence, &err));
	assert_int_equal(accel_fence_wait(fence, -1), -EIO);
	accel_fence_unref(fence);
	/* A region that an earlier job bound is not there for the next. */
	bind.region = 2;
	job.program = new_program(device, FAKE_COPY, FAKE_ARG(2, 2, 32));
	must(accel_queue_submit(queue, &job, 1, &lazy, &fence, &err));
	assert_int_equal(accel_fence_wait(fence, -1), 0);
	accel_fence_unref(fence);
	accel_program_unref(job.program);
	bind.region = 1;
	job.program = to2;
	must(accel_queue_submit(queue, &job, 1, &lazy, &fence, &err));
	assert_int_equal(accel_fence_wait(fence, -1), -EIO);
	accel_fence_unref(fence);
	accel_program_unref(to1);
	accel_program_unref(to2);
	accel_program_unref(over);
	accel_buffer_unref(buffer);
	accel_queue_unref(queue);
	accel_device_unref(device);
}

static void timeouts(void **state)
{
	struct accel_device *device = open_device();
	struct accel_queue *queue = new_queue(device, 0);
	struct accel_program *program = new_program(device, FAKE_GATE, 0);
	struct accel_fence *fence = submit(queue, program, 0);
	int64_t start;

	(void)state;
	fake_wait_at_gate(1);
	assert_int_equal(result_of(fence, 0).state, ACCEL_JOB_RUNNING);
	assert_int_equal(accel_fence_wait(fence, 0), -ETIME);
	start = now();
	assert_int_equal(accel_fence_wait(fence, 20 * MS), -ETIME);
	assert_true(now() - start >= 20 * MS);
	start = now();
	assert_int_equal(accel_fence_wait_until(fence, start + 20 * MS), -ETIME);
	assert_true(now() - start >= 20 * MS);
	assert_int_equal(accel_fence_wait_until(fence, start - 1), -ETIME);
	assert_int_equal(accel_fence_wait_until(fence, -5), -ETIME);
	fake_open_gate(1);
	/* So long that the deadline does not fit: for ever. */
	assert_int_equal(accel_fence_wait(fence, INT64_MAX), 0);
	assert_int_equal(accel_fence_wait(fence, 0), 0);
	assert_int_equal(accel_fence_wait(fence, -1), 0);
	accel_fence_unref(fence);
	fence = submit(queue, program, 0);
	fake_open_gate(1);
	assert_int_equal(accel_fence_wait(fence, 60 * 1000 * MS), 0);
	accel_fence_unref(fence);
	accel_program_unref(program);
	accel_queue_unref(queue);
	accel_device_unref(device);
}

static void fence_fd(void **state)
{
	struct accel_device *device = open_device();
	struct accel_queue *queue = new_queue(device, 0);
	struct accel_program *program = new_program(device, FAKE_GATE, 0);
	struct accel_fence *fence = submit(queue, program, ACCEL_SUBMIT_LAZY);
	struct pollfd fds[2] = { { .events = POLLIN }, { .events = POLLIN } };

	(void)state;
	/* Asking for the fd starts the lazy job. */
	must(accel_fence_get_fd(fence, &fds[0].fd, &err));
	must(accel_fence_get_fd(fence, &fds[1].fd, &err));
	assert_int_not_equal(fds[0].fd, fds[1].fd);
	fake_wait_at_gate(1);
	assert_int_equal(poll(fds, 2, 0), 0);
	fake_open_gate(1);
	assert_int_equal(poll(fds, 1, -1), 1);
	assert_int_equal(poll(fds, 2, 0), 2);
	assert_int_equal(fds[1].revents, POLLIN);
	assert_int_equal(accel_fence_wait(fence, 0), 0);
	close(fds[0].fd);
	close(fds[1].fd);
	/* A fence that is done gives one that is readable at once. */
	must(accel_fence_get_fd(fence, &fds[0].fd, &err));
	assert_int_equal(poll(fds, 1, 0), 1);
	/* It outlives the fence. */
	accel_fence_unref(fence);
	assert_int_equal(poll(fds, 1, 0), 1);
	close(fds[0].fd);
	accel_program_unref(program);
	accel_queue_unref(queue);
	accel_device_unref(device);
}

static void lazy_jobs_wait_to_be_asked_for(void **state)
{
	struct accel_device *device = open_device(), *other;
	struct accel_queue *queue = new_queue(device, 0), *elsewhere;
	struct accel_program *a = new_program(device, FAKE_LOG, 1);
	struct accel_program *b = new_program(device, FAKE_LOG, 2), *c;
	struct accel_fence *lazy = submit(queue, a, ACCEL_SUBMIT_LAZY), *eager;
	uint32_t tags[FAKE_LOG_MAX];
	int i;

	(void)state;
	assert_int_equal(result_of(lazy, 0).state, ACCEL_JOB_QUEUED);
	assert_int_equal(fake_log(tags), 0);
	assert_int_equal(accel_fence_wait(lazy, -1), 0);
	assert_int_equal(fake_log(tags), 1);
	assert_true(fake_ran_here());
	accel_fence_unref(lazy);

	lazy = submit(queue, a, ACCEL_SUBMIT_LAZY);
	eager = submit(queue, b, 0);
	assert_int_equal(accel_fence_wait(eager, 60 * 1000 * MS), 0);
	assert_false(fake_ran_here());
	assert_int_equal(fake_log(tags), 3);
	assert_int_equal(tags[1], 1);
	assert_int_equal(tags[2], 2);
	assert_int_equal(accel_fence_wait(lazy, 0), 0);
	accel_fence_unref(lazy);
	accel_fence_unref(eager);

	/*
	 * The worker is left asleep. Had it been woken, it would most likely have run the job by the time
	 * that another device's, woken later, is done with one.
	 */
	must(accel_device_open(SPEC, &other, &err));
	elsewhere = new_queue(other, 0);
	c = new_program(other, FAKE_LOG, 3);
	for (i = 0; i < 100; i++) {
		lazy = submit(queue, a, ACCEL_SUBMIT_LAZY);
		eager = submit(elsewhere, c, 0);
		assert_int_equal(accel_fence_wait(eager, 60 * 1000 * MS), 0);
		assert_int_equal(result_of(lazy, 0).state, ACCEL_JOB_QUEUED);
		assert_int_equal(accel_fence_wait(lazy, -1), 0);
		assert_true(fake_ran_here());
		accel_fence_unref(eager);
		accel_fence_unref(lazy);
	}
	accel_program_unref(c);
	accel_queue_unref(elsewhere);
	accel_device_unref(other);

	/* Polling starts it: no one else will. */
	lazy = submit(queue, a, ACCEL_SUBMIT_LAZY);
	while (accel_fence_wait(lazy, 0) == -ETIME)
		;
	assert_int_equal(accel_fence_wait(lazy, 0), 0);
	accel_fence_unref(lazy);
	accel_program_unref(a);
	accel_program_unref(b);
	accel_queue_unref(queue);
	accel_device_unref(device);
}

static void results_tell_times_and_counts(void **state)
{
	struct accel_device *device = open_device();
	struct accel_queue *queue = new_queue(device, 0);
	struct accel_program *program = new_program(device, FAKE_LOG, 1);
	struct accel_submit_options opt = { .size = sizeof(opt), .event_count = 3,
					    .events = { 17, 433, 64 } };
	struct accel_job jobs[2] = { job_of(program), job_of(program) };
	struct accel_job_result r = { .size = sizeof(r) };
	int64_t before = now();
	struct accel_fence *fence;
	size_t i;

	(void)state;
	must(accel_queue_submit(queue, jobs, 2, &opt, &fence, &err));
	assert_int_equal(accel_fence_wait(fence, -1), 0);
	assert_int_equal(accel_fence_job_count(fence), 2);
	for (i = 0; i < 2; i++) {
		r = result_of(fence, i);
		assert_int_equal(r.state, ACCEL_JOB_DONE);
		assert_int_equal(r.error, 0);
		assert_true((int64_t)r.queued_ns >= before);
		assert_true(r.started_ns >= r.queued_ns);
		assert_true(r.ended_ns >= r.started_ns);
		assert_true((int64_t)r.ended_ns <= now());
		assert_int_equal(r.cycles, 1008);	/* the fake: 1000 and the bytes done */
		assert_int_equal(r.event_count, 3);
		assert_int_equal(r.events[0], 3 * 17);	/* the fake: thrice the event's number */
		assert_int_equal(r.events[1], 3 * 433);
		assert_int_equal(r.events[2], 3 * 64);
		assert_string_equal(r.cause, "");
	}
	assert_true(result_of(fence, 1).started_ns >= result_of(fence, 0).ended_ns);
	assert_int_equal(accel_fence_get_result(fence, 2, &r), -ERANGE);
	r.size = 4;
	assert_int_equal(accel_fence_get_result(fence, 0, &r), -EINVAL);
	accel_fence_unref(fence);
	accel_program_unref(program);
	accel_queue_unref(queue);
	accel_device_unref(device);
}

static void fault_says_where_and_why(void **state)
{
	const uint32_t stream[] = { FAKE_LOG, 1, FAKE_LOG, 2, FAKE_FAULT, 0, FAKE_LOG, 3,
				    FAKE_STOP, 0 };
	struct accel_device *device = open_device();
	struct accel_queue *queue = new_queue(device, 0);
	struct accel_program *good = new_program(device, FAKE_LOG, 9), *bad;
	struct accel_job jobs[3];
	struct accel_job_result r;
	struct accel_fence *fence;
	uint32_t tags[FAKE_LOG_MAX];

	(void)state;
	must(accel_program_create(device, stream, sizeof(stream), NULL, &bad, &err));
	jobs[0] = jobs[2] = job_of(good);
	jobs[1] = job_of(bad);
	must(accel_queue_submit(queue, jobs, 3, NULL, &fence, &err));
	assert_int_equal(accel_fence_wait(fence, -1), -EIO);
	assert_int_equal(result_of(fence, 0).state, ACCEL_JOB_DONE);
	r = result_of(fence, 1);
	assert_int_equal(r.state, ACCEL_JOB_FAULTED);
	assert_int_equal(r.error, -EIO);
	assert_int_equal(r.offset, 16);
	assert_int_equal(r.status, 2 | 1 << 4);		/* irq_raised, cmd_parse_error */
	assert_non_null(strstr(r.cause, ON_SIM ? "fake: no such word" : "byte 16 of the command"));
	/* The next job is none the worse. */
	assert_int_equal(result_of(fence, 2).state, ACCEL_JOB_DONE);
	assert_int_equal(fake_log(tags), 4);
	assert_int_equal(tags[3], 9);
	accel_fence_unref(fence);
	accel_program_unref(good);
	accel_program_unref(bad);
	accel_queue_unref(queue);
	accel_device_unref(device);
}

static void fence_per_job(void **state)
{
	struct accel_device *device = open_device();
	struct accel_queue *queue = new_queue(device, 0);
	struct accel_program *program = new_program(device, FAKE_GATE, 0);
	struct accel_submit_options opt = { .size = sizeof(opt),
					    .flags = ACCEL_SUBMIT_FENCE_PER_JOB };
	struct accel_job jobs[3] = { job_of(program), job_of(program), job_of(program) };
	struct accel_fence *fence[3];
	int i;

	(void)state;
	must(accel_queue_submit(queue, jobs, 3, &opt, fence, &err));
	for (i = 0; i < 3; i++) {
		assert_int_equal(accel_fence_wait(fence[i], 0), -ETIME);
		fake_open_gate(1);
		assert_int_equal(accel_fence_wait(fence[i], -1), 0);
		assert_int_equal(accel_fence_job_count(fence[i]), 1);
		accel_fence_unref(fence[i]);
	}
	accel_program_unref(program);
	accel_queue_unref(queue);
	accel_device_unref(device);
}

/* Each flaw, in the last of three jobs, keeps all three from running. */
static void all_or_nothing(void **state)
{
	struct accel_device *device = open_device(), *other;
	struct accel_queue *queue = new_queue(device, 0);
	struct accel_program *program = new_program(device, FAKE_LOG, 1), *foreign, *with;
	struct accel_program_options popt = { .size = sizeof(popt), .constants = "x",
					      .constants_size = 1, .constants_region = 2 };
	const uint32_t stop[] = { FAKE_STOP, 0 };
	struct accel_buffer *buffer, *theirs;
	struct accel_binding b[2] = { { 0 }, { 0 } };
	struct accel_job jobs[3], *j = &jobs[2];
	struct accel_fence *fence = NULL;
	uint32_t tags[FAKE_LOG_MAX];

	(void)state;
	must(accel_device_open(SPEC, &other, &err));
	foreign = new_program(other, FAKE_LOG, 1);
	must(accel_program_create(device, stop, sizeof(stop), &popt, &with, &err));
	must(accel_buffer_create(device, 4096, 0, &buffer, &err));
	must(accel_buffer_create(other, 4096, 0, &theirs, &err));

#define TRY(code, text, ...) \
	do { \
		jobs[0] = jobs[1] = jobs[2] = job_of(program); \
		b[0] = b[1] = (struct accel_binding){ .buffer = buffer, .region = 1 }; \
		b[1].region = 3; \
		j->bindings = b; \
		j->binding_count = 2; \
		__VA_ARGS__; \
		refused(code, text, accel_queue_submit(queue, jobs, 3, NULL, &fence, &err)); \
	} while (0)

	TRY(-EINVAL, "no program", j->program = NULL);
	TRY(-EXDEV, "job 2: program", j->program = foreign);
	TRY(-EINVAL, "no buffer", b[1].buffer = NULL);
	TRY(-EXDEV, "region 3: buffer", b[1].buffer = theirs);
	TRY(-EINVAL, "region 8, the device has 8", b[1].region = 8);
	TRY(-EINVAL, "region 4000000000", b[1].region = 4000000000);
	TRY(-EINVAL, "region 1 bound twice", b[1].region = 1);
	TRY(-EINVAL, "program's constants", b[1].region = 2; j->program = with);
	TRY(-EINVAL, "offset 8 ", b[1].offset = 8);
	TRY(-EINVAL, "offset 4096", b[1].offset = 4096);
	TRY(-EINVAL, "length 4097", b[1].length = 4097);
	TRY(-EINVAL, "length", b[1].offset = 16; b[1].length = 4081);
	TRY(-EINVAL, "length", b[1].offset = 16; b[1].length = UINT64_MAX);
	TRY(-EINVAL, "reserved", b[1].reserved = 1);
	TRY(-EINVAL, "9 bindings", j->binding_count = 9);
	TRY(-EINVAL, "no array", j->bindings = NULL);
	TRY(-ENOSPC, "SRAM", j->sram_size = (4u << 20) + 1);
	TRY(-EINVAL, "region 2", j->sram_size = 1; b[1].region = 2);
	TRY(-EINVAL, "region 2", j->sram_size = 1; j->program = with; j->binding_count = 0);
	TRY(-EINVAL, "job 2", j->size = 8);
	TRY(-EINVAL, "8 bytes each", jobs[0].size = 8);
#undef TRY
	jobs[2] = job_of(program);
	refused(-EINVAL, "0 jobs", accel_queue_submit(queue, jobs, 0, NULL, &fence, &err));
	refused(-EINVAL, "0 jobs", accel_queue_submit(queue, NULL, 3, NULL, &fence, &err));
	refused(-EINVAL, "1025 jobs", accel_queue_submit(queue, jobs, 1025, NULL, &fence, &err));
	assert_null(fence);
	/* Nothing of all that is left in the queue. */
	jobs[0] = job_of(program);
	must(accel_queue_submit(queue, jobs, 1, NULL, &fence, &err));
	assert_int_equal(accel_fence_wait(fence, -1), 0);
	assert_int_equal(fake_log(tags), 1);
	accel_fence_unref(fence);
	accel_buffer_unref(buffer);
	accel_buffer_unref(theirs);
	accel_program_unref(program);
	accel_program_unref(with);
	accel_program_unref(foreign);
	accel_queue_unref(queue);
	accel_device_unref(other);
	accel_device_unref(device);
}

static void wrong_options(void **state)
{
	struct accel_device *device = open_device(), *other;
	struct accel_queue *queue = new_queue(device, 0), *theirs;
	struct accel_program *program = new_program(device, FAKE_LOG, 1), *foreign;
	struct {
		struct accel_submit_options o;
		uint64_t more;
	} newer = { .o.size = sizeof(newer) };
	struct accel_submit_options opt;
	struct accel_job job = job_of(program);
	struct accel_fence *fence = NULL, *alien;

	(void)state;
	must(accel_device_open(SPEC, &other, &err));
	theirs = new_queue(other, 0);
	foreign = new_program(other, FAKE_LOG, 1);
	alien = submit(theirs, foreign, 0);

#define TRY(code, text, ...) \
	do { \
		opt = (struct accel_submit_options){ .size = sizeof(opt), __VA_ARGS__ }; \
		refused(code, text, accel_queue_submit(queue, &job, 1, &opt, &fence, &err)); \
	} while (0)

	TRY(-EINVAL, "flags 0x8", .flags = 8);
	TRY(-EINVAL, "counts 4", .event_count = 5);
	TRY(-EINVAL, "event 434", .event_count = 1, .events = { 434 });
	TRY(-EINVAL, "without fences", .wait_count = 1);
	TRY(-EINVAL, "fence 0", .wait_count = 1, .wait = (struct accel_fence *[]){ NULL });
	TRY(-EXDEV, "fence 0", .wait_count = 1, .wait = (struct accel_fence *[]){ alien });
#undef TRY
	/* A newer caller's struct is taken as long as it asks for nothing new. */
	must(accel_queue_submit(queue, &job, 1, &newer.o, &fence, &err));
	assert_int_equal(accel_fence_wait(fence, -1), 0);
	accel_fence_unref(fence);
	newer.more = 1;
	refused(-EINVAL, "unknown", accel_queue_submit(queue, &job, 1, &newer.o, &fence, &err));
	newer.o.size = 2;
	refused(-EINVAL, "unknown", accel_queue_submit(queue, &job, 1, &newer.o, &fence, &err));
	accel_fence_unref(alien);
	accel_program_unref(foreign);
	accel_queue_unref(theirs);
	accel_device_unref(other);
	accel_program_unref(program);
	accel_queue_unref(queue);
	accel_device_unref(device);
}

/* Newer callers' jobs are longer than ours. */
static void longer_jobs(void **state)
{
	struct accel_device *device = open_device();
	struct accel_queue *queue = new_queue(device, 0);
	struct accel_program *program = new_program(device, FAKE_LOG, 5);
	struct { struct accel_job job; uint64_t more[3]; } jobs[2];
	struct accel_fence *fence;
	uint32_t tags[FAKE_LOG_MAX];

	(void)state;
	memset(jobs, 0, sizeof(jobs));
	jobs[0].job = jobs[1].job =
		(struct accel_job){ .size = sizeof(jobs[0]), .program = program };
	must(accel_queue_submit(queue, &jobs[0].job, 2, NULL, &fence, &err));
	assert_int_equal(accel_fence_wait(fence, -1), 0);
	assert_int_equal(fake_log(tags), 2);
	accel_fence_unref(fence);
	jobs[1].more[2] = 1;
	refused(-EINVAL, "job 1", accel_queue_submit(queue, &jobs[0].job, 2, NULL, &fence, &err));
	accel_program_unref(program);
	accel_queue_unref(queue);
	accel_device_unref(device);
}

/* Everything given back while the job runs: it holds what it needs, and the worker cleans up. */
static void given_back_while_running(void **state)
{
	struct accel_device *device = open_device();
	struct accel_queue *queue = new_queue(device, 0);
	const uint32_t stream[] = { FAKE_GATE, 0, FAKE_COPY, FAKE_ARG(1, 3, 32), FAKE_STOP, 0 };
	struct accel_program *program;
	struct accel_buffer *from, *to;
	struct accel_binding b[2];
	struct accel_job job = { .size = sizeof(job), .bindings = b, .binding_count = 2 };
	struct accel_fence *fence;
	struct pollfd fd = { .events = POLLIN };

	(void)state;
	must(accel_program_create(device, stream, sizeof(stream), NULL, &program, &err));
	must(accel_buffer_create(device, 32, 0, &from, &err));
	must(accel_buffer_create(device, 32, 0, &to, &err));
	b[0] = (struct accel_binding){ .buffer = from, .region = 1 };
	b[1] = (struct accel_binding){ .buffer = to, .region = 3 };
	job.program = program;
	must(accel_queue_submit(queue, &job, 1, NULL, &fence, &err));
	fake_wait_at_gate(1);
	must(accel_fence_get_fd(fence, &fd.fd, &err));
	accel_device_unref(device);
	accel_program_unref(program);
	accel_buffer_unref(from);
	accel_buffer_unref(to);
	accel_queue_unref(queue);
	accel_fence_unref(fence);
	fake_open_gate(1);
	assert_int_equal(poll(&fd, 1, -1), 1);
	close(fd.fd);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		test(job_moves_data),
		sim_test(job_reaches_its_own_memory_only),
		test(timeouts),
		test(fence_fd),
		sim_test(lazy_jobs_wait_to_be_asked_for),
		test(results_tell_times_and_counts),
		test(fault_says_where_and_why),
		test(fence_per_job),
		test(all_or_nothing),
		test(wrong_options),
		test(longer_jobs),
		test(given_back_while_running),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
