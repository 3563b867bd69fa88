/* SPDX-License-Identifier: MIT */
/* What the test programs of libaccel share: a fake device, its programs, cmocka. */
#ifndef TESTS_LIBACCEL_TEST_H
#define TESTS_LIBACCEL_TEST_H

#include "tests/libaccel_must.h"
#include "tests/libaccel_fake_npu.h"

#define test(function) cmocka_unit_test_teardown(function, all_gone)

/* After each test: whatever it opened closes, if need be by itself. */
static inline int all_gone(void **state)
{
	(void)state;
	if (fake_wait_all_gone(20))
		return 0;
	print_error("a device is still open\n");
	return -1;
}

/* With TEST_DRM: the DRM transport over a kernel of the tests' own (drm_fake.h), the same NPU behind it. */
#ifdef TEST_DRM
#define SPEC "/dev/accel/accel0"
#define SPEC_U85 "/dev/accel/accel1"
#define ON_SIM 0
#else
#define SPEC "sim:ethos-u65-256"
#define SPEC_U85 "sim:ethos-u85-256"
#define ON_SIM 1
#endif
/* What the simulated transport alone promises. */
#define sim_test(function) \
	{ #function, ON_SIM ? function : on_sim_only, NULL, ON_SIM ? all_gone : NULL, NULL }

static inline void on_sim_only(void **state)
{
	(void)state;
	skip();
}

static inline struct accel_device *open_device(void)
{
	struct accel_device *device;

	fake_reset();
	must(accel_device_open(SPEC, &device, &err));
	return device;
}

/* A program of one command and STOP. */
static inline struct accel_program *new_program(struct accel_device *device, uint32_t word,
						uint32_t arg)
{
	const uint32_t stream[] = { word, arg, FAKE_STOP, 0 };
	struct accel_program *program;

	must(accel_program_create(device, stream, sizeof(stream), NULL, &program, &err));
	return program;
}

static inline struct accel_queue *new_queue(struct accel_device *device, uint32_t priority)
{
	struct accel_queue_options opt = { .size = sizeof(opt), .priority = priority };
	struct accel_queue *queue;

	must(accel_queue_create(device, &opt, &queue, &err));
	return queue;
}

static inline struct accel_job job_of(struct accel_program *program)
{
	struct accel_job job = { .size = sizeof(job), .program = program };

	return job;
}

/* Submit one job that needs no memory. */
static inline struct accel_fence *submit(struct accel_queue *queue, struct accel_program *program,
					 uint32_t flags)
{
	struct accel_submit_options opt = { .size = sizeof(opt), .flags = flags };
	struct accel_job job = job_of(program);
	struct accel_fence *fence;

	must(accel_queue_submit(queue, &job, 1, &opt, &fence, &err));
	return fence;
}

static inline struct accel_job_result result_of(struct accel_fence *fence, size_t index)
{
	struct accel_job_result result = { .size = sizeof(result) };

	assert_int_equal(accel_fence_get_result(fence, index, &result), 0);
	return result;
}

#endif
