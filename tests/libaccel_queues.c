/* SPDX-License-Identifier: MIT */
/* Many queues: priorities, turns, fences between them, cancelling. */
#include "tests/libaccel_test.h"

#include <pthread.h>
#include <unistd.h>

#define FOR_A_MINUTE INT64_C(60000000000)

/* One fence waits until @before is done; @flags as for submission. */
static struct accel_fence *submit_after(struct accel_queue *queue, struct accel_program *program,
					struct accel_fence *before, uint32_t flags)
{
	struct accel_submit_options opt = { .size = sizeof(opt), .flags = flags, .wait_count = 1,
					    .wait = &before };
	struct accel_job job = job_of(program);
	struct accel_fence *fence;

	must(accel_queue_submit(queue, &job, 1, &opt, &fence, &err));
	return fence;
}

/* Jobs pile up behind one that stands at the gate; then they run in this order. */
static void order(const uint32_t *priorities, const unsigned int *expected, unsigned int count)
{
	struct accel_device *device = open_device();
	struct accel_program *gate = new_program(device, FAKE_GATE, 0), *log[16];
	struct accel_queue *first = new_queue(device, 0), *queue[16];
	struct accel_fence *held = submit(first, gate, 0), *fence[32];
	uint32_t tags[FAKE_LOG_MAX];
	unsigned int i;

	fake_wait_at_gate(1);
	for (i = 0; i < count; i++) {
		queue[i] = new_queue(device, priorities[i]);
		log[i] = new_program(device, FAKE_LOG, i);
		fence[2 * i] = submit(queue[i], log[i], 0);
		fence[2 * i + 1] = submit(queue[i], log[i], 0);
	}
	fake_open_gate(1);
	for (i = 0; i < 2 * count; i++) {
		assert_int_equal(accel_fence_wait(fence[i], FOR_A_MINUTE), 0);
		accel_fence_unref(fence[i]);
	}
	assert_int_equal(fake_log(tags), 2 * count);
	for (i = 0; i < 2 * count; i++)
		assert_int_equal(tags[i], expected[i]);
	for (i = 0; i < count; i++) {
		accel_queue_unref(queue[i]);
		accel_program_unref(log[i]);
	}
	accel_fence_unref(held);
	accel_queue_unref(first);
	accel_program_unref(gate);
	accel_device_unref(device);
}

static void higher_priority_first(void **state)
{
	static const uint32_t priorities[] = { ACCEL_PRIORITY_LOW, ACCEL_PRIORITY_DEFAULT,
					       ACCEL_PRIORITY_REALTIME, ACCEL_PRIORITY_HIGH };
	static const unsigned int expected[] = { 2, 2, 3, 3, 1, 1, 0, 0 };

	(void)state;
	order(priorities, expected, 4);
}

static void equals_take_turns(void **state)
{
	static const uint32_t priorities[] = { ACCEL_PRIORITY_NORMAL, ACCEL_PRIORITY_DEFAULT,
					       ACCEL_PRIORITY_NORMAL };
	static const unsigned int expected[] = { 0, 1, 2, 0, 1, 2 };

	(void)state;
	order(priorities, expected, 3);
}

static void no_such_priority(void **state)
{
	struct accel_queue_options opt = { .size = sizeof(opt), .priority = 5 };
	struct accel_device *device = open_device();
	struct accel_queue *queue = NULL;

	(void)state;
	refused(-EINVAL, "priority 5", accel_queue_create(device, &opt, &queue, &err));
	opt.size = 3;
	refused(-EINVAL, "unknown", accel_queue_create(device, &opt, &queue, &err));
	assert_null(queue);
	must(accel_queue_create(device, NULL, &queue, &err));
	accel_queue_unref(queue);
	accel_queue_unref(NULL);
	accel_device_unref(device);
}

/* A job of high priority waits for one of low priority: the low one runs first all the same. */
static void waits_across_queues(void **state)
{
	struct accel_device *device = open_device();
	struct accel_queue *low = new_queue(device, ACCEL_PRIORITY_LOW);
	struct accel_queue *high = new_queue(device, ACCEL_PRIORITY_HIGH);
	struct accel_program *gate = new_program(device, FAKE_GATE, 0);
	struct accel_program *one = new_program(device, FAKE_LOG, 1);
	struct accel_program *two = new_program(device, FAKE_LOG, 2);
	struct accel_fence *held, *a, *b, *c;
	uint32_t tags[FAKE_LOG_MAX], lazy;

	(void)state;
	for (lazy = 0; lazy < 2; lazy++) {
		fake_reset();
		held = submit(low, gate, ACCEL_SUBMIT_LAZY);
		a = submit(low, one, ACCEL_SUBMIT_LAZY);
		b = submit_after(high, two, a, lazy ? ACCEL_SUBMIT_LAZY : 0);
		c = submit_after(low, one, b, lazy ? ACCEL_SUBMIT_LAZY : 0);
		fake_open_gate(1);
		assert_int_equal(accel_fence_wait(c, lazy ? -1 : FOR_A_MINUTE), 0);
		assert_int_equal(fake_log(tags), 3);
		assert_int_equal(tags[0], 1);
		assert_int_equal(tags[1], 2);
		assert_int_equal(tags[2], 1);
		assert_int_equal(accel_fence_wait(held, 0), 0);
		accel_fence_unref(held);
		accel_fence_unref(a);
		accel_fence_unref(b);
		accel_fence_unref(c);
	}
	accel_program_unref(gate);
	accel_program_unref(one);
	accel_program_unref(two);
	accel_queue_unref(low);
	accel_queue_unref(high);
	accel_device_unref(device);
}

static void what_waits_for_a_fault_is_cancelled(void **state)
{
	struct accel_device *device = open_device();
	struct accel_queue *queue = new_queue(device, 0), *other = new_queue(device, 0);
	struct accel_program *bad = new_program(device, FAKE_FAULT, 0);
	struct accel_program *log = new_program(device, FAKE_LOG, 1);
	struct accel_fence *a = submit(queue, bad, ACCEL_SUBMIT_LAZY);
	struct accel_fence *b = submit_after(other, log, a, ACCEL_SUBMIT_LAZY);
	struct accel_fence *c = submit_after(queue, log, b, ACCEL_SUBMIT_LAZY);
	struct accel_job_result r;
	uint32_t tags[FAKE_LOG_MAX];

	(void)state;
	assert_int_equal(accel_fence_wait(c, -1), -ECANCELED);
	assert_int_equal(accel_fence_wait(b, 0), -ECANCELED);
	assert_int_equal(accel_fence_wait(a, 0), -EIO);
	r = result_of(b, 0);
	assert_int_equal(r.state, ACCEL_JOB_CANCELLED);
	assert_int_equal(r.error, -ECANCELED);
	assert_int_equal(r.started_ns, 0);
	assert_true(strlen(r.cause) > 0);
	assert_int_equal(fake_log(tags), 0);
	/* A fence that is done already is judged as well. */
	accel_fence_unref(c);
	c = submit_after(other, log, a, 0);
	assert_int_equal(accel_fence_wait(c, -1), -ECANCELED);
	accel_fence_unref(a);
	accel_fence_unref(b);
	accel_fence_unref(c);
	accel_program_unref(bad);
	accel_program_unref(log);
	accel_queue_unref(queue);
	accel_queue_unref(other);
	accel_device_unref(device);
}

static void queue_given_back_cancels(void **state)
{
	struct accel_device *device = open_device();
	struct accel_queue *queue = new_queue(device, 0), *other = new_queue(device, 0);
	struct accel_program *gate = new_program(device, FAKE_GATE, 0);
	struct accel_program *log = new_program(device, FAKE_LOG, 1);
	struct accel_job jobs[3] = { job_of(gate), job_of(log), job_of(log) };
	struct accel_fence *fence, *later, *outside;
	uint32_t tags[FAKE_LOG_MAX];

	(void)state;
	must(accel_queue_submit(queue, jobs, 3, NULL, &fence, &err));
	later = submit(queue, log, 0);
	outside = submit_after(other, log, later, 0);
	fake_wait_at_gate(1);
	accel_queue_ref(queue);
	accel_queue_unref(queue);
	assert_int_equal(accel_fence_wait(later, 0), -ETIME);
	accel_queue_unref(queue);
	/* In the kernel a queue's fences signal in order. */
	assert_int_equal(accel_fence_wait(later, 0), ON_SIM ? -ECANCELED : -ETIME);
	assert_int_equal(result_of(fence, 0).state, ACCEL_JOB_RUNNING);
	assert_int_equal(result_of(fence, 1).state,
			 ON_SIM ? ACCEL_JOB_CANCELLED : ACCEL_JOB_QUEUED);
	assert_int_equal(accel_fence_wait(fence, 0), -ETIME);
	fake_open_gate(1);
	assert_int_equal(accel_fence_wait(fence, -1), -ECANCELED);
	assert_int_equal(result_of(fence, 0).state, ACCEL_JOB_DONE);
	assert_int_equal(accel_fence_wait(outside, -1), -ECANCELED);
	assert_int_equal(fake_log(tags), 0);
	accel_fence_unref(fence);
	accel_fence_unref(later);
	accel_fence_unref(outside);
	accel_program_unref(gate);
	accel_program_unref(log);
	accel_queue_unref(other);
	accel_device_unref(device);
}

/* One faulted and one was cancelled: the fault is what counts. */
static void fault_outweighs_cancelling(void **state)
{
	const uint32_t stream[] = { FAKE_GATE, 0, FAKE_FAULT, 0, FAKE_STOP, 0 };
	struct accel_device *device = open_device();
	struct accel_queue *queue = new_queue(device, 0);
	struct accel_program *log = new_program(device, FAKE_LOG, 1), *bad;
	struct accel_job jobs[2];
	struct accel_fence *fence;

	(void)state;
	must(accel_program_create(device, stream, sizeof(stream), NULL, &bad, &err));
	jobs[0] = job_of(bad);
	jobs[1] = job_of(log);
	must(accel_queue_submit(queue, jobs, 2, NULL, &fence, &err));
	fake_wait_at_gate(1);
	accel_queue_unref(queue);
	fake_open_gate(1);
	assert_int_equal(accel_fence_wait(fence, -1), -EIO);
	assert_int_equal(result_of(fence, 1).state, ACCEL_JOB_CANCELLED);
	accel_fence_unref(fence);
	accel_program_unref(bad);
	accel_program_unref(log);
	accel_device_unref(device);
}

static void *wait_for(void *fence)
{
	return (void *)(intptr_t)accel_fence_wait(fence, -1);
}

/* Submitted while a waiting thread runs the device: the worker is woken when that one is done. */
static void worker_takes_over_from_a_waiter(void **state)
{
	struct accel_device *device = open_device();
	struct accel_queue *queue = new_queue(device, 0);
	struct accel_program *gate = new_program(device, FAKE_GATE, 0);
	struct accel_program *log = new_program(device, FAKE_LOG, 1);
	struct accel_fence *held = submit(queue, gate, ACCEL_SUBMIT_LAZY);
	struct accel_job job = job_of(log);
	pthread_t thread;
	void *ret;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, wait_for, held), 0);
	fake_wait_at_gate(1);
	must(accel_queue_submit(queue, &job, 1, NULL, NULL, &err));
	fake_open_gate(1);
	pthread_join(thread, &ret);
	assert_null(ret);
	alarm(60);
	fake_wait_log(1);	/* no one waits for it, and yet */
	alarm(0);
	accel_fence_unref(held);
	accel_program_unref(gate);
	accel_program_unref(log);
	accel_queue_unref(queue);
	accel_device_unref(device);
}

/* No fence wanted, and the queue goes with jobs in it that no one ever asked for. */
static void lazy_jobs_no_one_wants(void **state)
{
	struct accel_device *device = open_device();
	struct accel_queue *queue = new_queue(device, 0);
	struct accel_program *log = new_program(device, FAKE_LOG, 1);
	struct accel_submit_options opt = { .size = sizeof(opt), .flags = ACCEL_SUBMIT_LAZY };
	struct accel_job jobs[2] = { job_of(log), job_of(log) };
	uint32_t tags[FAKE_LOG_MAX];

	(void)state;
	must(accel_queue_submit(queue, jobs, 2, &opt, NULL, &err));
	accel_program_unref(log);
	accel_device_unref(device);
	accel_queue_unref(queue);
	assert_int_equal(fake_log(tags), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		test(higher_priority_first),
		test(equals_take_turns),
		test(no_such_priority),
		test(waits_across_queues),
		test(what_waits_for_a_fault_is_cancelled),
		test(queue_given_back_cancels),
		test(fault_outweighs_cancelling),
		sim_test(worker_takes_over_from_a_waiter),
		sim_test(lazy_jobs_no_one_wants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
