/* SPDX-License-Identifier: MIT */
/*
 * Threads hammering one device in every way the header allows: made for ThreadSanitizer, and every
 * job's data is checked.
 */
#include "tests/libaccel_test.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS 6
#define ROUNDS 300

struct shared {
	struct accel_device *device;
	struct accel_queue *queue;
	struct accel_program *copy;	/* 32 bytes, region 1 to region 3 */
	struct accel_program *bad;
};

struct thread {
	const struct shared *shared;
	pthread_t id;
	unsigned int number;
	unsigned int wrong;
};

/* One of the ways to learn that a fence is done. */
static int wait_somehow(struct accel_fence *fence, unsigned int how)
{
	struct pollfd fd = { .events = POLLIN };
	int ret;

	switch (how % 4) {
	case 0:
		return accel_fence_wait(fence, -1);
	case 1:
		do
			ret = accel_fence_wait(fence, 1000000);
		while (ret == -ETIME);
		return ret;
	case 2:
		if (accel_fence_get_fd(fence, &fd.fd, NULL))
			return -1;
		while (poll(&fd, 1, -1) != 1)
			;
		close(fd.fd);
		return accel_fence_wait(fence, 0);
	default:
		while (accel_fence_wait(fence, 0) == -ETIME)
			;
		return accel_fence_wait(fence, -1);
	}
}

/* One copy in memory of its own through a queue of its own or the shared one. */
static int round_trip(const struct shared *s, struct accel_queue *queue, unsigned int seed)
{
	struct accel_binding b[2] = { { .region = 1 }, { .region = 3, .offset = 64 } };
	struct accel_submit_options opt = { .size = sizeof(opt),
					    .flags = seed & 1 ? ACCEL_SUBMIT_LAZY : 0 };
	struct accel_job jobs[2];
	struct accel_job_result result = { .size = sizeof(result) };
	struct accel_buffer *buffer;
	struct accel_fence *fence;
	char *data;
	int ret;

	if (accel_buffer_create(s->device, 128, 0, &buffer, NULL) ||
	    accel_buffer_map(buffer, (void **)&data, NULL))
		return -1;
	snprintf(data, 32, "round %u", seed);
	b[0].buffer = b[1].buffer = buffer;
	jobs[0] = jobs[1] = (struct accel_job){ .size = sizeof(jobs[0]), .program = s->copy,
						.bindings = b, .binding_count = 2 };
	if (seed % 7 == 0)
		jobs[0].program = s->bad;
	if (accel_queue_submit(queue, jobs, 2, &opt, &fence, NULL))
		return -1;
	if (seed & 2)
		accel_buffer_ref(buffer);
	/* The last reference but the jobs' in half of the rounds. */
	accel_buffer_unref(buffer);
	/* While it may be running. */
	ret = accel_fence_get_result(fence, 0, &result);
	if (!ret)
		ret = wait_somehow(fence, seed >> 2);
	if (ret != (seed % 7 ? 0 : -EIO) || accel_fence_get_result(fence, 1, &result) ||
	    result.state != ACCEL_JOB_DONE)
		ret = -1;
	else
		ret = 0;
	if (seed & 2) {
		if (strcmp(data, data + 64))
			ret = -1;
		accel_buffer_unref(buffer);
	}
	accel_fence_unref(fence);
	return ret;
}

static void *hammer(void *arg)
{
	struct thread *t = arg;
	const struct shared *s = t->shared;
	struct accel_queue_options opt = { .size = sizeof(opt),
					   .priority = 1 + t->number % 4 };
	struct accel_queue *own;
	unsigned int i;

	if (accel_queue_create(s->device, &opt, &own, NULL)) {
		t->wrong++;
		return NULL;
	}
	for (i = 0; i < ROUNDS; i++)
		if (round_trip(s, i & 8 ? own : s->queue, i * THREADS + t->number))
			t->wrong++;
	accel_queue_unref(own);
	return NULL;
}

/* Queues that come and go with jobs in them. */
static void *leave(void *arg)
{
	struct thread *t = arg;
	const struct shared *s = t->shared;
	struct accel_job job = job_of(s->bad);
	struct accel_queue *queue;
	struct accel_fence *fence;
	unsigned int i;
	int ret;

	for (i = 0; i < ROUNDS; i++) {
		if (accel_queue_create(s->device, NULL, &queue, NULL) ||
		    accel_queue_submit(queue, &job, 1, NULL, &fence, NULL)) {
			t->wrong++;
			return NULL;
		}
		accel_queue_unref(queue);
		ret = accel_fence_wait(fence, -1);
		if (ret != -EIO && ret != -ECANCELED)
			t->wrong++;
		accel_fence_unref(fence);
	}
	return NULL;
}

static void hammered_device_gives_what_it_should(void **state)
{
	struct thread threads[THREADS + 1];
	struct accel_device *device = open_device();
	struct shared s = { .device = device };
	unsigned int i;

	(void)state;
	s.queue = new_queue(device, 0);
	s.copy = new_program(device, FAKE_COPY, FAKE_ARG(1, 3, 32));
	s.bad = new_program(device, FAKE_FAULT, 0);
	for (i = 0; i <= THREADS; i++) {
		threads[i] = (struct thread){ .shared = &s, .number = i };
		assert_int_equal(pthread_create(&threads[i].id, NULL, i < THREADS ? hammer : leave,
						&threads[i]), 0);
	}
	for (i = 0; i <= THREADS; i++) {
		pthread_join(threads[i].id, NULL);
		assert_int_equal(threads[i].wrong, 0);
	}
	accel_program_unref(s.copy);
	accel_program_unref(s.bad);
	accel_queue_unref(s.queue);
	accel_device_unref(device);
}

/* Many threads wait for one fence and drop it. */
static void *wait_and_drop(void *arg)
{
	struct accel_fence *fence = arg;
	intptr_t ret = accel_fence_wait(fence, -1);

	accel_fence_unref(fence);
	return (void *)ret;
}

static void many_wait_for_one(void **state)
{
	struct accel_device *device = open_device();
	struct accel_queue *queue = new_queue(device, 0);
	struct accel_program *program = new_program(device, FAKE_GATE, 0);
	struct accel_fence *fence;
	pthread_t id[THREADS];
	void *ret;
	int i, k;

	(void)state;
	for (k = 0; k < 50; k++) {
		fence = submit(queue, program, k & 1 ? ACCEL_SUBMIT_LAZY : 0);
		for (i = 0; i < THREADS; i++)
			assert_int_equal(pthread_create(&id[i], NULL, wait_and_drop,
							accel_fence_ref(fence)), 0);
		accel_fence_unref(fence);
		fake_wait_at_gate(1);
		fake_open_gate(1);
		for (i = 0; i < THREADS; i++) {
			pthread_join(id[i], &ret);
			assert_null(ret);
		}
	}
	accel_program_unref(program);
	accel_queue_unref(queue);
	accel_device_unref(device);
}

/* Devices opened and closed, each with its last job still running. */
static void *open_and_close(void *arg)
{
	const uint32_t stop[] = { FAKE_STOP, 0 };
	struct accel_program *program;
	struct accel_device *device;
	struct accel_queue *queue;
	struct accel_job job;
	int i;

	(void)arg;
	for (i = 0; i < 100; i++) {
		if (accel_device_open(SPEC, &device, NULL) ||
		    accel_program_create(device, stop, sizeof(stop), NULL, &program, NULL) ||
		    accel_queue_create(device, NULL, &queue, NULL))
			return arg;
		job = job_of(program);
		if (accel_queue_submit(queue, &job, 1, NULL, NULL, NULL))
			return arg;
		accel_program_unref(program);
		accel_queue_unref(queue);
		accel_device_unref(device);
	}
	return NULL;
}

static void devices_come_and_go(void **state)
{
	pthread_t id[2];
	void *ret;
	int i;

	(void)state;
	fake_reset();
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&id[i], NULL, open_and_close, id), 0);
	for (i = 0; i < 2; i++) {
		pthread_join(id[i], &ret);
		assert_null(ret);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		test(hammered_device_gives_what_it_should),
		test(many_wait_for_one),
		test(devices_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
