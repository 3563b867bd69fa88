/* SPDX-License-Identifier: MIT */
/* Strict simulated devices through libaccel: what faults, what is said, what memory counts as written. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "accel/accel.h"
#include "tests/decode_stream.h"

#define REGION_ARENA	1
#define REGION_SRAM	2

/* Copies between the regions, each after the one before. */
struct copy {
	unsigned int from, src, to, dst, len;
};

static void build(struct stream *s, const struct copy *copies, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		const struct copy *c = &copies[i];

		SET(s, SET_DMA0_SRC_REGION, c->from);
		SET(s, SET_DMA0_DST_REGION, c->to);
		SET_ADDRESS(s, SET_DMA0_SRC, c->src);
		SET_ADDRESS(s, SET_DMA0_DST, c->dst);
		SET_ADDRESS(s, SET_DMA0_LEN, c->len);
		SET(s, OP_DMA_WAIT, 0);
		SET(s, OP_DMA_START, 0);
	}
	SET(s, OP_STOP, 0xffff);
}

/* Run it once. @cause: part of why it faults; NULL: it does not. */
static void run(const char *spec, const struct stream *s, const struct accel_range *written,
		uint32_t written_count, const char *cause)
{
	struct accel_program_options opt = { .size = sizeof(opt), .written = written,
					     .written_count = written_count };
	struct accel_job_result result = { .size = sizeof(result) };
	struct accel_binding binding = { .region = REGION_ARENA };
	struct accel_job job = { .size = sizeof(job), .bindings = &binding, .binding_count = 1,
				 .sram_size = 4096 };
	struct accel_device *device;
	struct accel_queue *queue;
	struct accel_fence *fence;
	struct accel_error err;

	if (accel_device_open(spec, &device, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(accel_buffer_create(device, 8192, 0, &binding.buffer, &err), 0);
	assert_int_equal(accel_program_create(device, s->words, 4 * s->count, &opt, &job.program,
					      &err), 0);
	assert_int_equal(accel_queue_create(device, NULL, &queue, &err), 0);
	assert_int_equal(accel_queue_submit(queue, &job, 1, NULL, &fence, &err), 0);
	assert_int_equal(accel_fence_wait(fence, -1), cause ? -EIO : 0);
	assert_int_equal(accel_fence_get_result(fence, 0, &result), 0);
	if (cause && !strstr(result.cause, cause))
		fail_msg("%s: \"%s\" says nothing of \"%s\"", spec, result.cause, cause);
	accel_fence_unref(fence);
	accel_queue_unref(queue);
	accel_program_unref(job.program);
	accel_buffer_unref(binding.buffer);
	accel_device_unref(device);
}

#define STRICT	"sim:u65-256,engine=reference,strict"
#define LAX	"sim:u65-256,engine=reference"

static void test_written(void **state)
{
	static const struct copy copy[] = { { REGION_ARENA, 0, REGION_ARENA, 1024, 256 } };
	static const struct accel_range all[] = { { .length = 256, .region = REGION_ARENA } };
	static const struct accel_range half[] = { { .length = 128, .region = REGION_ARENA } };
	static const struct accel_range elsewhere[] = { { .length = 256, .region = 3 } };
	static const struct accel_range halves[] = {
		{ .offset = 100, .length = 300, .region = REGION_ARENA },
		{ .length = 101, .region = REGION_ARENA },
	};
	struct stream s = { .count = 0 };

	(void)state;
	build(&s, copy, 1);
	run(STRICT, &s, NULL, 0, NULL);
	run(STRICT, &s, all, 1, NULL);
	run(STRICT, &s, halves, 2, NULL);
	run(STRICT, &s, half, 1, "never written: DMA source at 0x80 of region 1");
	run(STRICT, &s, elsewhere, 1, "never written: DMA source at 0x0 of region 1");
	run(STRICT, &s, all, 0, "never written");
	run(LAX, &s, half, 1, NULL);
}

/* SRAM that a job asks for holds nothing; what the job puts there counts. */
static void test_sram(void **state)
{
	static const struct copy copies[] = {
		{ REGION_ARENA, 0, REGION_SRAM, 0, 256 },
		{ REGION_SRAM, 0, REGION_ARENA, 1024, 256 },
		{ REGION_SRAM, 16, REGION_ARENA, 1024, 256 },
	};
	struct stream good = { .count = 0 }, early = { .count = 0 }, beyond = { .count = 0 };

	(void)state;
	build(&good, copies, 2);
	run(STRICT, &good, NULL, 0, NULL);
	build(&early, copies + 1, 1);
	run(STRICT, &early, NULL, 0, "never written: DMA source at 0x0 of region 2");
	run(LAX, &early, NULL, 0, NULL);
	build(&beyond, copies, 3);
	run(STRICT, &beyond, NULL, 0, "never written: DMA source at 0x100 of region 2");
}

/* The rules that need no memory: a table where none can be. The offset is the command's. */
static void test_stream(void **state)
{
	struct stream s = { .count = 0 };

	(void)state;
	SET(&s, SET_DMA0_SRC_REGION, REGION_ARENA);
	SET(&s, SET_DMA0_DST_REGION, 1 << 8);
	SET_ADDRESS(&s, SET_DMA0_DST, 0x100);
	SET_ADDRESS(&s, SET_DMA0_LEN, 256);
	SET(&s, OP_DMA_START, 0);
	SET(&s, OP_STOP, 0xffff);
	run(LAX, &s, NULL, 0, NULL);
	run(STRICT, &s, NULL, 0, "parse error at 0x18: strict: table: copied to [0x100, 0x200)");
}

static void test_refused(void **state)
{
	static const struct accel_range ranges[] = {
		{ .length = 16, .region = 8 },
		{ .offset = UINT64_MAX, .length = 2, .region = 1 },
		{ .length = 16, .region = 1, .reserved = 1 },
	};
	static const uint32_t stop[] = { 0xffff0000 };
	struct accel_device *device;
	struct accel_program *program;
	struct accel_error err;

	(void)state;
	assert_int_equal(accel_device_open("sim:u65-256,strict=1", &device, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "takes no value"));
	assert_int_equal(accel_device_open(STRICT, &device, &err), 0);
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		struct accel_program_options opt = { .size = sizeof(opt), .written = &ranges[i],
						     .written_count = 1 };

		assert_int_equal(accel_program_create(device, stop, sizeof(stop), &opt, &program,
						      &err), -EINVAL);
		assert_non_null(strstr(err.msg, "written[0]"));
		opt.written = NULL;
		assert_int_equal(accel_program_create(device, stop, sizeof(stop), &opt, &program,
						      &err), -EINVAL);
	}
	accel_device_unref(device);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_written),
		cmocka_unit_test(test_sram),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
