/* SPDX-License-Identifier: MIT */
/*
 * Everything the library asks the system for is refused once, one request after the other (the
 * linker puts the functions below in front of the C library's). Each call then fails cleanly or
 * does without; what leaks is for AddressSanitizer to say.
 */
#include "tests/libaccel_test.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

static long left;		/* requests granted until the one that is not; below 0: all */
static long asked;

static bool refuse(void)
{
	asked++;
	return left >= 0 && left-- == 0;
}

#define WRAP(type, name, failed, code, args, pass) \
	type __real_##name args; \
	type __wrap_##name args; \
	type __wrap_##name args \
	{ \
		if (!refuse()) \
			return __real_##name pass; \
		errno = code; \
		return failed; \
	}

WRAP(void *, malloc, NULL, ENOMEM, (size_t n), (n))
WRAP(void *, calloc, NULL, ENOMEM, (size_t n, size_t m), (n, m))
WRAP(void *, realloc, NULL, ENOMEM, (void *p, size_t n), (p, n))
WRAP(char *, strdup, NULL, ENOMEM, (const char *s), (s))
WRAP(void *, mmap, MAP_FAILED, ENOMEM, (void *p, size_t n, int prot, int flags, int fd, off_t at),
     (p, n, prot, flags, fd, at))
WRAP(int, mprotect, -1, ENOMEM, (void *p, size_t n, int prot), (p, n, prot))
WRAP(int, memfd_create, -1, EMFILE, (const char *name, unsigned int flags), (name, flags))
WRAP(int, ftruncate, -1, ENOSPC, (int fd, off_t n), (fd, n))
WRAP(int, eventfd, -1, EMFILE, (unsigned int n, int flags), (n, flags))
WRAP(int, pthread_create, EAGAIN, EAGAIN,
     (pthread_t *id, const pthread_attr_t *attr, void *(*fn)(void *), void *arg),
     (id, attr, fn, arg))

struct objects {
	struct accel_device_list *list;
	struct accel_device *device;
	struct accel_queue *queue;
	struct accel_buffer *buffer, *import;
	struct accel_program *program;
	struct accel_fence *fence[2], *last;
	int fd, fence_fd;
};

static int prepare(struct objects *o, struct accel_error *err)
{
	static const char constants[64] = "constants";
	struct accel_program_options opt = { .size = sizeof(opt), .constants = constants,
					     .constants_size = sizeof(constants) };
	const uint32_t stream[] = { FAKE_COPY, FAKE_ARG(0, 1, 32), FAKE_STOP, 0 };
	int ret;

	ret = accel_device_list_create(&o->list, err);
	if (!ret)
		ret = accel_device_open(SPEC, &o->device, err);
	if (!ret)
		ret = accel_queue_create(o->device, NULL, &o->queue, err);
	if (!ret)
		ret = accel_buffer_create(o->device, 4096, 0, &o->buffer, err);
	if (!ret)
		ret = accel_buffer_export(o->buffer, &o->fd, err);
	if (!ret)
		ret = accel_buffer_import(o->device, o->fd, 0, &o->import, err);
	if (!ret)
		ret = accel_program_create(o->device, stream, sizeof(stream), &opt, &o->program,
					   err);
	return ret;
}

static int run(struct objects *o, struct accel_error *err)
{
	struct accel_submit_options opt = { .size = sizeof(opt),
					    .flags = ACCEL_SUBMIT_FENCE_PER_JOB };
	struct accel_binding b[2] = { { .buffer = o->buffer, .region = 1 },
				      { .buffer = o->import, .region = 4, .offset = 64 } };
	struct accel_job jobs[2];
	int ret;

	jobs[0] = jobs[1] = (struct accel_job){ .size = sizeof(jobs[0]),
						.program = o->program,
						.bindings = b,
						.binding_count = 2,
						.sram_size = 256 };
	ret = accel_queue_submit(o->queue, jobs, 2, &opt, o->fence, err);
	if (ret)
		return ret;
	opt.flags = 0;
	opt.wait = o->fence;
	opt.wait_count = 2;
	b[0].length = 128;
	ret = accel_queue_submit(o->queue, jobs, 2, &opt, &o->last, err);
	if (ret)
		return ret;
	ret = accel_fence_get_fd(o->last, &o->fence_fd, err);
	if (ret)
		return ret;
	return accel_fence_wait(o->last, -1);
}

static void give_back(struct objects *o)
{
	accel_fence_unref(o->last);
	accel_fence_unref(o->fence[0]);
	accel_fence_unref(o->fence[1]);
	accel_program_unref(o->program);
	accel_buffer_unref(o->buffer);
	accel_buffer_unref(o->import);
	accel_queue_unref(o->queue);
	accel_device_unref(o->device);
	accel_device_list_free(o->list);
	if (o->fd >= 0)
		close(o->fd);
	if (o->fence_fd >= 0)
		close(o->fence_fd);
}

static int open_fds(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void every_request_refused_in_turn(void **state)
{
	int ret = -1, fds = open_fds();
	long n;

	(void)state;
	fake_reset();
	for (n = 0; ret; n++) {
		struct objects o = { .fd = -1, .fence_fd = -1 };
		struct accel_error err = { 0 };

		asked = 0;
		left = n;
		ret = prepare(&o, &err);
		if (!ret)
			ret = run(&o, &err);
		if (ret) {
			assert_true(ret == -ENOMEM || ret == -EMFILE || ret == -EAGAIN);
			assert_int_equal(err.code, ret);
			assert_true(strlen(err.msg) > 0);
		}
		/* What did come to be works on: nothing below may fail. */
		left = -1;
		if (o.fence[1])
			assert_int_equal(accel_fence_wait(o.fence[1], -1), 0);
		if (o.last)
			assert_int_equal(accel_fence_wait(o.last, -1), 0);
		give_back(&o);
		assert_int_equal(open_fds(), fds);
		if (!ret && asked > n)
			ret = -1;	/* a refusal that it did without: on to the next */
		assert_true(n < 1000);
	}
	print_message("%ld requests refused in turn\n", n - 1);
	assert_true(n > 30);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		test(every_request_refused_in_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
