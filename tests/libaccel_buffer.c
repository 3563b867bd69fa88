/* SPDX-License-Identifier: MIT */
/* Buffers: creating, mapping, sealing, sharing through fds; and the programs made of them. */
#include "tests/libaccel_test.h"
#include "tests/write_kills.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096

/* What a job copies from region @from to region @to; the status of its fence. */
static int copy(struct accel_device *device, uint32_t from, struct accel_buffer *in, uint32_t to,
		struct accel_buffer *out)
{
	struct accel_program *program = new_program(device, FAKE_COPY, FAKE_ARG(from, to, 32));
	struct accel_queue *queue = new_queue(device, 0);
	struct accel_binding b[2] = { { .buffer = in, .region = from },
				      { .buffer = out, .region = to } };
	struct accel_job job = { .size = sizeof(job), .program = program, .bindings = b,
				 .binding_count = 2 };
	struct accel_fence *fence;
	int ret;

	must(accel_queue_submit(queue, &job, 1, NULL, &fence, &err));
	ret = accel_fence_wait(fence, -1);
	accel_fence_unref(fence);
	accel_queue_unref(queue);
	accel_program_unref(program);
	return ret;
}

static struct accel_buffer *new_buffer(struct accel_device *device, uint64_t size, char **data)
{
	struct accel_buffer *buffer;

	must(accel_buffer_create(device, size, 0, &buffer, &err));
	must(accel_buffer_map(buffer, (void **)data, &err));
	return buffer;
}

static void sizes_and_maps(void **state)
{
	struct accel_device *device = open_device();
	struct accel_buffer *buffer = NULL;
	char *data, *again;
	size_t i;

	(void)state;
	refused(-EINVAL, "size 0", accel_buffer_create(device, 0, 0, &buffer, &err));
	refused(-EINVAL, "not possible", accel_buffer_create(device, UINT64_MAX, 0, &buffer, &err));
	refused(-ENOMEM, "bytes", accel_buffer_create(device, UINT64_C(1) << 60, 0, &buffer, &err));
	refused(-EINVAL, "0x80000000", accel_buffer_create(device, 1, 1u << 31, &buffer, &err));
	assert_null(buffer);
	buffer = new_buffer(device, PAGE + 1, &data);
	assert_int_equal(accel_buffer_size(buffer), 2 * PAGE);
	for (i = 0; i < 2 * PAGE; i++)
		assert_int_equal(data[i], 0);
	data[2 * PAGE - 1] = 7;
	must(accel_buffer_map(buffer, (void **)&again, &err));
	assert_ptr_equal(data, again);
	assert_int_equal(accel_buffer_unmap(buffer), 0);
	assert_int_equal(accel_buffer_unmap(buffer), 0);
	assert_int_equal(accel_buffer_unmap(buffer), -EINVAL);
	must(accel_buffer_map(buffer, (void **)&data, &err));
	assert_int_equal(data[2 * PAGE - 1], 7);
	accel_buffer_unref(buffer);
	must(accel_buffer_create(device, 1, ACCEL_BUFFER_NO_MAP, &buffer, &err));
	refused(-EPERM, "NO_MAP", accel_buffer_map(buffer, (void **)&data, &err));
	accel_buffer_unref(buffer);
	accel_buffer_unref(NULL);
	accel_device_unref(device);
}

/* Address range of 4 GiB on the U55: it fills up, and what is given back can be had again. */
static void address_range_ends(void **state)
{
	struct accel_buffer *buffer[8] = { NULL }, *more;
	struct accel_device *device;
	int i, n;

	(void)state;
	fake_reset();
	must(accel_device_open("sim:ethos-u55-128", &device, &err));
	for (n = 0; n < 8; n++)
		if (accel_buffer_create(device, UINT64_C(1) << 30, 0, &buffer[n], NULL))
			break;
	assert_int_equal(n, 3);		/* the fourth does not fit beside the gaps */
	refused(-ENOSPC, "address range",
		accel_buffer_create(device, UINT64_C(1) << 30, 0, &more, &err));
	accel_buffer_unref(buffer[1]);
	must(accel_buffer_create(device, UINT64_C(1) << 30, 0, &buffer[1], &err));
	must(accel_buffer_create(device, 1, 0, &more, &err));
	accel_buffer_unref(more);
	for (i = 0; i < n; i++)
		accel_buffer_unref(buffer[i]);
	accel_device_unref(device);
}

static void export_and_import_share(void **state)
{
	struct accel_device *device = open_device(), *other;
	struct accel_buffer *buffer, *in, *out;
	char *data, *theirs, *result;
	void *map;
	int fd;

	(void)state;
	must(accel_device_open(SPEC_U85, &other, &err));
	buffer = new_buffer(device, PAGE, &data);
	out = new_buffer(other, PAGE, &result);
	must(accel_buffer_export(buffer, &fd, &err));
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	must(accel_buffer_import(other, fd, 0, &in, &err));
	assert_int_equal(accel_buffer_size(in), PAGE);
	must(accel_buffer_map(in, (void **)&theirs, &err));
	map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	close(fd);
	strcpy(data, "one memory");
	assert_string_equal(theirs, "one memory");
	assert_string_equal(map, "one memory");
	/* The memory stays when its first buffer goes. */
	accel_buffer_unref(buffer);
	assert_int_equal(copy(other, 1, in, 3, out), 0);
	assert_string_equal(result, "one memory");
	munmap(map, PAGE);
	accel_buffer_unref(in);
	accel_buffer_unref(out);
	accel_device_unref(other);
	accel_device_unref(device);
}

static void what_cannot_be_imported(void **state)
{
	struct accel_device *device = open_device();
	struct accel_buffer *buffer = NULL;
	char path[] = "/tmp/accel-test-XXXXXX";
	int fd, pipes[2];

	(void)state;
	refused(-EBADF, "-1", accel_buffer_import(device, -1, 0, &buffer, &err));
	refused(-EBADF, "12345", accel_buffer_import(device, 12345, 0, &buffer, &err));
	refused(-EINVAL, "flags", accel_buffer_import(device, 0, 4, &buffer, &err));
	assert_int_equal(pipe(pipes), 0);
	refused(-EACCES, "reading and writing",
		accel_buffer_import(device, pipes[0], 0, &buffer, &err));
	close(pipes[0]);
	close(pipes[1]);
	fd = mkstemp(path);		/* on disk or tmpfs, anyone can cut it short */
	unlink(path);
	assert_int_equal(ftruncate(fd, PAGE), 0);
	assert_int_equal(accel_buffer_import(device, fd, 0, &buffer, NULL), -EINVAL);
	close(fd);
	fd = memfd_create("plain", 0);	/* may not be sealed */
	assert_int_equal(ftruncate(fd, PAGE), 0);
	refused(-EINVAL, "can shrink", accel_buffer_import(device, fd, 0, &buffer, &err));
	close(fd);
	fd = memfd_create("empty", MFD_ALLOW_SEALING);
	refused(-EINVAL, "empty", accel_buffer_import(device, fd, 0, &buffer, &err));
	close(fd);
	assert_null(buffer);
	accel_device_unref(device);
}

static void imported_memfd_cannot_shrink(void **state)
{
	struct accel_device *device = open_device();
	struct accel_buffer *buffer;
	int fd = memfd_create("mine", MFD_ALLOW_SEALING);

	(void)state;
	assert_int_equal(ftruncate(fd, 100), 0);
	must(accel_buffer_import(device, fd, 0, &buffer, &err));
	assert_int_equal(accel_buffer_size(buffer), PAGE);
	assert_int_equal(ftruncate(fd, 0), -1);
	close(fd);
	accel_buffer_unref(buffer);
	accel_device_unref(device);
}

static void sealed_stays_as_it_is(void **state)
{
	struct accel_device *device = open_device();
	struct accel_buffer *buffer, *out, *import;
	char *data, *result, *again;
	int fd;

	(void)state;
	buffer = new_buffer(device, PAGE, &data);
	out = new_buffer(device, PAGE, &result);
	strcpy(data, "sealed");
	assert_false(write_kills(data));
	assert_int_equal(copy(device, 3, buffer, 1, out), 0);
	must(accel_buffer_seal(buffer, &err));
	must(accel_buffer_seal(buffer, &err));
	assert_string_equal(data, "sealed");
	assert_true(write_kills(data));
	must(accel_buffer_map(buffer, (void **)&again, &err));
	assert_ptr_equal(again, data);
	/* FAKE_CONSTANTS is the region whose window must be vouched for, and no other may be. */
	assert_int_equal(copy(device, FAKE_CONSTANTS, buffer, 1, out), 0);
	assert_int_equal(copy(device, 3, buffer, 1, out), -EIO);
	assert_int_equal(copy(device, FAKE_CONSTANTS, out, 1, out), -EIO);
	assert_int_equal(copy(device, 3, out, 1, buffer), -EIO);
	assert_string_equal(result, "sealed");
	/* No one who gets the memory can write it, and it stays sealed. */
	must(accel_buffer_export(buffer, &fd, &err));
	assert_ptr_equal(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	must(accel_buffer_import(device, fd, 0, &import, &err));
	close(fd);
	assert_int_equal(copy(device, FAKE_CONSTANTS, import, 1, out), 0);
	accel_buffer_unref(import);
	accel_buffer_unref(buffer);
	accel_buffer_unref(out);
	accel_device_unref(device);
}

static void seal_refused(void **state)
{
	struct accel_device *device = open_device();
	struct accel_queue *queue = new_queue(device, 0);
	struct accel_program *program = new_program(device, FAKE_GATE, 0);
	struct accel_binding b = { .region = 1 };
	struct accel_job job = { .size = sizeof(job), .program = program, .bindings = &b,
				 .binding_count = 1 };
	struct accel_fence *fence;
	struct accel_buffer *buffer;
	char *data;
	void *map;
	int fd;

	(void)state;
	b.buffer = buffer = new_buffer(device, PAGE, &data);
	must(accel_queue_submit(queue, &job, 1, NULL, &fence, &err));
	refused(-EBUSY, "jobs", accel_buffer_seal(buffer, &err));
	fake_open_gate(1);
	assert_int_equal(accel_fence_wait(fence, -1), 0);
	accel_fence_unref(fence);
	must(accel_buffer_export(buffer, &fd, &err));
	map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	refused(-EBUSY, "elsewhere", accel_buffer_seal(buffer, &err));
	/* As if nothing had been tried. */
	strcpy(data, "still");
	assert_string_equal(map, "still");
	munmap(map, PAGE);
	must(accel_buffer_seal(buffer, &err));
	accel_buffer_unref(buffer);
	accel_program_unref(program);
	accel_queue_unref(queue);
	accel_device_unref(device);
}

/* Window ids die with their memory: the device is told, and of no other. */
static void device_is_told_of_freed_memory(void **state)
{
	struct accel_device *device = open_device();
	struct accel_queue *queue = new_queue(device, 0);
	struct accel_program *gate = new_program(device, FAKE_GATE, 0);
	struct accel_fence *held;
	struct accel_buffer *a, *b;
	unsigned int before;
	char *data;

	(void)state;
	a = new_buffer(device, PAGE, &data);
	b = new_buffer(device, PAGE, &data);
	assert_int_equal(copy(device, 1, a, 3, b), 0);
	before = fake_windows_gone();	/* the program's, by now */
	accel_buffer_unref(a);
	assert_int_equal(fake_windows_gone(), before + 1);
	assert_int_equal(copy(device, 1, b, 3, b), 0);
	/* While a job runs the NPU may be looking; it is told when the job is done. */
	held = submit(queue, gate, 0);
	fake_wait_at_gate(1);
	before = fake_windows_gone();
	accel_buffer_unref(b);
	assert_int_equal(fake_windows_gone(), before);
	fake_open_gate(1);
	assert_int_equal(accel_fence_wait(held, -1), 0);
	accel_fence_unref(held);
	/* A call that takes the device's lock: the one who ran the job is through with it. */
	b = new_buffer(device, PAGE, &data);
	assert_int_equal(fake_windows_gone(), before + 1);
	accel_buffer_unref(b);
	accel_program_unref(gate);
	accel_queue_unref(queue);
	accel_device_unref(device);
}

/* A ring of frames in one buffer: many views, and the device does not collect them for ever. */
static void many_parts_of_a_buffer(void **state)
{
	struct accel_device *device = open_device();
	struct accel_queue *queue = new_queue(device, 0);
	struct accel_program *program = new_program(device, FAKE_COPY, FAKE_ARG(1, 3, 32));
	struct accel_binding b[2] = { { .region = 1, .length = 32 },
				      { .region = 3, .length = 32 } };
	struct accel_job job = { .size = sizeof(job), .program = program, .bindings = b,
				 .binding_count = 2 };
	struct accel_submit_options lazy = { .size = sizeof(lazy), .flags = ACCEL_SUBMIT_LAZY };
	struct accel_buffer *buffer;
	struct accel_fence *fence;
	char *data;
	int i;

	(void)state;
	b[0].buffer = b[1].buffer = buffer = new_buffer(device, 1000 * 64, &data);
	for (i = 0; i < 1000; i++) {
		snprintf(data + i * 64, 32, "frame %d", i);
		b[0].offset = (uint64_t)i * 64;
		b[1].offset = b[0].offset + 32;
		must(accel_queue_submit(queue, &job, 1, NULL, &fence, &err));
		assert_int_equal(accel_fence_wait(fence, -1), 0);
		assert_string_equal(data + i * 64 + 32, data + i * 64);
		accel_fence_unref(fence);
	}
	assert_true(fake_windows_gone() > 1900);
	/* All at once: none is collected that a job still needs. */
	memset(data, 0, 1000 * 64);
	for (i = 0; i < 100; i++) {
		snprintf(data + i * 64, 32, "frame %d", i);
		b[0].offset = (uint64_t)i * 64;
		b[1].offset = b[0].offset + 32;
		must(accel_queue_submit(queue, &job, 1, &lazy, i < 99 ? NULL : &fence, &err));
	}
	assert_int_equal(accel_fence_wait(fence, -1), 0);
	accel_fence_unref(fence);
	for (i = 0; i < 100; i++)
		assert_string_equal(data + i * 64 + 32, data + i * 64);
	accel_program_unref(program);
	accel_queue_unref(queue);
	accel_buffer_unref(buffer);
	accel_device_unref(device);
}

static void programs_refused(void **state)
{
	struct accel_device *device = open_device(), *other;
	const uint32_t stop[2] = { FAKE_STOP, 0 };
	struct accel_program_options opt;
	struct accel_program *program = NULL;
	struct accel_buffer *open, *foreign;
	uint32_t *large = malloc((16u << 20) + 4);
	char *data;

	(void)state;
	must(accel_device_open(SPEC, &other, &err));
	open = new_buffer(device, PAGE, &data);
	foreign = new_buffer(other, PAGE, &data);
	must(accel_buffer_seal(foreign, &err));

	refused(-EINVAL, "0 bytes", accel_program_create(device, stop, 0, NULL, &program, &err));
	refused(-EINVAL, "0 bytes", accel_program_create(device, NULL, 8, NULL, &program, &err));
	refused(-EINVAL, "7 bytes", accel_program_create(device, stop, 7, NULL, &program, &err));
	refused(-EINVAL, "16777220 bytes",
		accel_program_create(device, large, (16u << 20) + 4, NULL, &program, &err));
#define TRY(code, text, ...) \
	do { \
		opt = (struct accel_program_options){ .size = sizeof(opt), __VA_ARGS__ }; \
		refused(code, text, accel_program_create(device, stop, 8, &opt, &program, &err)); \
	} while (0)
	TRY(-EINVAL, "region 8", .constants_region = 8);
	TRY(-EINVAL, "both", .constants = "x", .constants_buffer = open);
	TRY(-EINVAL, "constants_size", .constants_size = 1);
	TRY(-EINVAL, "constants_size", .constants = "x");
	TRY(-EINVAL, "not sealed", .constants_buffer = open);
	TRY(-EXDEV, "another device", .constants_buffer = foreign);
#undef TRY
	opt.size = 0;
	refused(-EINVAL, "unknown", accel_program_create(device, stop, 8, &opt, &program, &err));
	assert_null(program);
	must(accel_buffer_seal(open, &err));
	opt = (struct accel_program_options){ .size = sizeof(opt), .constants_buffer = open };
	must(accel_program_create(device, stop, 8, &opt, &program, &err));
	accel_buffer_unref(open);
	accel_program_unref(program);
	accel_program_unref(NULL);
	accel_buffer_unref(foreign);
	accel_device_unref(other);
	accel_device_unref(device);
	free(large);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		test(sizes_and_maps),
		sim_test(address_range_ends),
		test(export_and_import_share),
		sim_test(what_cannot_be_imported),
		sim_test(imported_memfd_cannot_shrink),
		sim_test(sealed_stays_as_it_is),
		sim_test(seal_refused),
		sim_test(device_is_told_of_freed_memory),
		test(many_parts_of_a_buffer),
		test(programs_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
