/* SPDX-License-Identifier: MIT */
/*
 * libaccel over the simulated NPU with its plain C engine: real command streams, encoded here by
 * hand from the public command tables. The NPU does what DMA can show: data, SRAM, faults,
 * counters.
 */
#include <pthread.h>

#include "tests/dma_stream.h"

#define DMA_BYTES 36	/* of one DMA() */
#define STATUS_BUS_ERROR (1u << 2)

struct fixture {
	struct accel_device *device;
	struct accel_queue *queue;
	struct accel_buffer *buffer;
	char *data;
};

static void open_fixture(struct fixture *f, const char *name)
{
	char spec[64];

	snprintf(spec, sizeof(spec), "sim:%s,engine=reference", name);
	must(accel_device_open(spec, &f->device, &err));
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

/* Runs it with the fixture's buffer in region 1 and 1 KiB of SRAM; the status of the fence. */
static int run(struct fixture *f, struct accel_program *program, struct accel_job_result *result)
{
	struct accel_binding b = { .buffer = f->buffer, .region = 1 };
	struct accel_job job = { .size = sizeof(job), .program = program, .bindings = &b,
				 .binding_count = 1, .sram_size = 1024 };
	struct accel_fence *fence;
	int ret;

	must(accel_queue_submit(f->queue, &job, 1, NULL, &fence, &err));
	ret = accel_fence_wait(fence, -1);
	result->size = sizeof(*result);
	assert_int_equal(accel_fence_get_result(fence, 0, result), 0);
	accel_fence_unref(fence);
	return ret;
}

static const char *const names[] = { "ethos-u55-128", "ethos-u65-256", "ethos-u65-512",
				     "ethos-u85-256", "ethos-u85-2048" };

static void constants_go_through_sram(void **state)
{
	static const uint32_t stream[] = { DMA(0, 0, 2, 960, 64), DMA(2, 960, 1, 4032, 64), STOP };
	struct accel_job_result result;
	struct accel_program *program;
	struct fixture f;
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		open_fixture(&f, names[i]);
		program = dma_program(f.device, stream, sizeof(stream));
		for (k = 0; k < 3; k++) {
			memset(f.data, 0, 4096);
			assert_int_equal(run(&f, program, &result), 0);
			assert_memory_equal(f.data + 4032, weights, 64);
			assert_int_equal(f.data[4031], 0);
			assert_int_equal(result.state, ACCEL_JOB_DONE);
			assert_true(result.cycles > 0);
			assert_true(result.ended_ns >= result.started_ns);
		}
		accel_program_unref(program);
		close_fixture(&f);
	}
}

/* Reading past SRAM, writing past a buffer, writing constants, a region no one bound. */
static void bad_access_faults_where_it_is(void **state)
{
	static const struct { uint32_t stream[24]; const char *what; } bad[] = {
		{ { DMA(0, 0, 1, 0, 64), DMA(2, 976, 1, 0, 64), STOP }, "past SRAM" },
		{ { DMA(0, 0, 1, 0, 64), DMA(0, 0, 1, 4048, 64), STOP }, "past the buffer" },
		{ { DMA(0, 0, 1, 0, 64), DMA(1, 0, 0, 0, 64), STOP }, "constants" },
		{ { DMA(0, 0, 1, 0, 64), DMA(0, 0, 5, 0, 64), STOP }, "unbound region" },
	};
	static const uint32_t good[] = { DMA(0, 0, 1, 128, 64), STOP };
	struct accel_program *program, *fine;
	struct accel_job_result result;
	struct fixture f;
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		open_fixture(&f, names[i]);
		fine = dma_program(f.device, good, sizeof(good));
		for (k = 0; k < sizeof(bad) / sizeof(*bad); k++) {
			memset(f.data, 0, 4096);
			program = dma_program(f.device, bad[k].stream, sizeof(bad[k].stream));
			assert_int_equal(run(&f, program, &result), -EIO);
			assert_int_equal(result.state, ACCEL_JOB_FAULTED);
			assert_true(result.status & STATUS_BUS_ERROR);
			/* What came before was done; the offset is that of the second DMA_START. */
			assert_memory_equal(f.data, weights, 64);
			assert_int_equal(result.offset, 2 * DMA_BYTES - 4);
			assert_true(strlen(result.cause) > 10);
			print_message("%s, %s: at %u: %s\n", names[i], bad[k].what, result.offset,
				      result.cause);
			accel_program_unref(program);
			/* The device is as good as new. */
			assert_int_equal(run(&f, fine, &result), 0);
			assert_memory_equal(f.data + 128, weights, 64);
		}
		accel_program_unref(fine);
		close_fixture(&f);
	}
}

static void streams_that_are_none(void **state)
{
	static const uint32_t no_stop[] = { DMA(0, 0, 1, 0, 64) };
	static const uint32_t garbage[] = { 0xdeadbeef, 0x12345678, 0xffffffff };
	static const uint32_t cut[] = { CMD0(0x4030, 0) };
	static const struct { const uint32_t *stream; size_t size; } bad[] = {
		{ no_stop, sizeof(no_stop) }, { garbage, sizeof(garbage) }, { cut, sizeof(cut) },
	};
	struct accel_job_result result;
	struct accel_program *program;
	struct fixture f;
	size_t i;

	(void)state;
	open_fixture(&f, "ethos-u65-256");
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		program = dma_program(f.device, bad[i].stream, bad[i].size);
		assert_int_equal(run(&f, program, &result), -EIO);
		assert_true(strlen(result.cause) > 10);
		print_message("at %u: %s\n", result.offset, result.cause);
		accel_program_unref(program);
	}
	close_fixture(&f);
}

static void *own_device(void *arg)
{
	static const uint32_t stream[] = { DMA(0, 0, 2, 0, 64), DMA(2, 0, 1, 0, 64), STOP };
	struct accel_program *program;
	struct accel_job_result result;
	struct fixture f;
	intptr_t wrong = 0;
	int i;

	open_fixture(&f, arg);
	program = dma_program(f.device, stream, sizeof(stream));
	for (i = 0; i < 500; i++) {
		memset(f.data, 0, 64);
		if (run(&f, program, &result) || memcmp(f.data, weights, 64))
			wrong++;
	}
	accel_program_unref(program);
	close_fixture(&f);
	return (void *)wrong;
}

static void devices_side_by_side(void **state)
{
	pthread_t id[5];
	void *wrong;
	int i;

	(void)state;
	for (i = 0; i < 5; i++)
		assert_int_equal(pthread_create(&id[i], NULL, own_device, (void *)names[i]), 0);
	for (i = 0; i < 5; i++) {
		pthread_join(id[i], &wrong);
		assert_null(wrong);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(constants_go_through_sram),
		cmocka_unit_test(bad_access_faults_where_it_is),
		cmocka_unit_test(streams_that_are_none),
		cmocka_unit_test(devices_side_by_side),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
