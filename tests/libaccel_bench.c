/* SPDX-License-Identifier: MIT */
/*
 * What the library costs a job: submit to fence, less the time from start to end that the job
 * itself reports. The program is a STOP; three buffers are bound.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "accel/accel.h"

#define RUNS 100000
#define STOP 0xffff0000u	/* NPU_OP_STOP, mask 0xffff */

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static void must(int ret, const struct accel_error *err)
{
	if (!ret)
		return;
	fprintf(stderr, "%d: %s\n", ret, err->msg);
	exit(1);
}

static void measure(struct accel_queue *queue, const struct accel_job *job, uint32_t flags,
		    const char *name)
{
	struct accel_submit_options opt = { .size = sizeof(opt), .flags = flags };
	struct accel_job_result result = { .size = sizeof(result) };
	struct accel_error err = { 0 };
	double start, total, inside = 0;
	struct accel_fence *fence;
	int i;

	start = now();
	for (i = 0; i < RUNS; i++) {
		must(accel_queue_submit(queue, job, 1, &opt, &fence, &err), &err);
		must(accel_fence_wait(fence, -1), &err);
		accel_fence_get_result(fence, 0, &result);
		inside += (double)(result.ended_ns - result.started_ns);
		accel_fence_unref(fence);
	}
	total = (now() - start) / RUNS;
	printf("libaccel, %-18s %8.0f ns a job, %8.0f of them outside of it\n", name, total,
	       total - inside / RUNS);
}

int main(int argc, char **argv)
{
	const uint32_t stream[] = { STOP, 0 };
	struct accel_binding bindings[3] = { { .region = 1 }, { .region = 3 }, { .region = 4 } };
	struct accel_job job = { .size = sizeof(job), .bindings = bindings, .binding_count = 3 };
	struct accel_error err = { 0 };
	struct accel_device *device;
	struct accel_queue *queue;
	int i;

	must(accel_device_open(argc > 1 ? argv[1] : NULL, &device, &err), &err);
	must(accel_program_create(device, stream, sizeof(stream[0]), NULL, &job.program, &err),
	     &err);
	for (i = 0; i < 3; i++)
		must(accel_buffer_create(device, 4096, 0, &bindings[i].buffer, &err), &err);
	must(accel_queue_create(device, NULL, &queue, &err), &err);
	measure(queue, &job, ACCEL_SUBMIT_LAZY, "lazy");
	measure(queue, &job, 0, "worker woken");
	for (i = 0; i < 3; i++)
		accel_buffer_unref(bindings[i].buffer);
	accel_program_unref(job.program);
	accel_queue_unref(queue);
	accel_device_unref(device);
	return 0;
}
