/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a model file: TFLite reader, container reader, memory plan.
 *
 * Everything that the reader says lies in the file is read; then the model is opened on a device
 * that is none, which takes whatever NPU the file asks for. Its buffers are exactly as large as was
 * asked, so that ASan sees a plan that leaves them. Inputs are written, variables reset, outputs
 * read. Checked besides: bindings lie in their buffers, and what is refused is refused in words, on
 * one line.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/container.h"
#include "runtime/model.h"

#define BUFFER_MAX (16u << 20) /* beyond it memory is "out", which is one more path to try */

struct accel_device {
	uint32_t config, id;
};

struct accel_buffer {
	uint64_t size;
	uint8_t data[];
};

struct accel_program {
	uint64_t sum;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_model: %s\n", what);
	abort();
}

static uint64_t touch(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t sum = 0;

	while (len--)
		sum += *p++;
	return sum;
}

static int no_memory(struct accel_error *err)
{
	err->code = -ENOMEM;
	snprintf(err->msg, sizeof(err->msg), "out of memory");
	return -ENOMEM;
}

/* ---- a device that runs nothing ---- */

struct accel_device *accel_device_ref(struct accel_device *device)
{
	return device;
}

void accel_device_unref(struct accel_device *device)
{
	(void)device;
}

int accel_device_get_info(struct accel_device *device, struct accel_device_info *info)
{
	check(info->size == sizeof(*info), "size of the device's info");
	memset(info, 0, sizeof(*info));
	info->config = device->config;
	info->id = device->id;
	info->regions = 8;
	info->features = ACCEL_FEATURE_SUBRANGE;
	return 0;
}

int accel_buffer_create(struct accel_device *device, uint64_t size, uint32_t flags,
			struct accel_buffer **buffer, struct accel_error *err)
{
	(void)device;
	(void)flags;
	check(size > 0, "buffer of no size");
	if (size > BUFFER_MAX)
		return no_memory(err);
	*buffer = calloc(1, sizeof(**buffer) + size);
	if (!*buffer)
		return no_memory(err);
	(*buffer)->size = size;
	return 0;
}

int accel_buffer_map(struct accel_buffer *buffer, void **ptr, struct accel_error *err)
{
	(void)err;
	*ptr = buffer->data;
	return 0;
}

uint64_t accel_buffer_size(const struct accel_buffer *buffer)
{
	return buffer->size;
}

void accel_buffer_unref(struct accel_buffer *buffer)
{
	free(buffer);
}

int accel_program_create(struct accel_device *device, const uint32_t *stream, size_t stream_size,
			 const struct accel_program_options *opt, struct accel_program **program,
			 struct accel_error *err)
{
	(void)device;
	check(stream_size && !(stream_size % 4) && !((uintptr_t)stream % 4),
	      "stream of odd size or place");
	*program = malloc(sizeof(**program));
	if (!*program)
		return no_memory(err);
	(*program)->sum = touch(stream, stream_size) + touch(opt->constants, opt->constants_size);
	return 0;
}

void accel_program_unref(struct accel_program *program)
{
	free(program);
}

int accel_queue_create(struct accel_device *device, const struct accel_queue_options *opt,
		       struct accel_queue **queue, struct accel_error *err)
{
	(void)device;
	(void)opt;
	(void)err;
	*queue = NULL;
	return 0;
}

void accel_queue_unref(struct accel_queue *queue)
{
	(void)queue;
}

static void check_job(const struct accel_job *job)
{
	uint32_t regions = 0;

	for (uint32_t i = 0; i < job->binding_count; i++) {
		const struct accel_binding *b = &job->bindings[i];

		check(b->region < 8 && !(regions >> b->region & 1), "region bound twice");
		check(b->offset <= b->buffer->size, "binding behind its buffer");
		check(b->length <= b->buffer->size - b->offset, "binding longer than its buffer");
		regions |= 1u << b->region;
	}
}

int accel_queue_submit(struct accel_queue *queue, const struct accel_job *jobs, size_t count,
		       const struct accel_submit_options *opt, struct accel_fence **fence,
		       struct accel_error *err)
{
	(void)queue;
	(void)opt;
	(void)err;
	check(count > 0, "no jobs");
	for (size_t i = 0; i < count; i++)
		check_job(&jobs[i]);
	*fence = NULL;
	return 0;
}

int accel_fence_wait(struct accel_fence *fence, int64_t timeout_ns)
{
	(void)fence;
	(void)timeout_ns;
	return 0;
}

int accel_fence_get_result(struct accel_fence *fence, size_t index, struct accel_job_result *result)
{
	(void)fence;
	(void)index;
	result->state = ACCEL_JOB_DONE;
	result->error = 0;
	return 0;
}

void accel_fence_unref(struct accel_fence *fence)
{
	(void)fence;
}

/* ---- the file ---- */

static void check_words(const struct error *err)
{
	check(err->text[0] && !strchr(err->text, '\n'), "no error, or more than a line");
}

static uint64_t touch_tensors(const struct tflite *file)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < file->tensor_count; i++) {
		const struct tflite_tensor *t = &file->tensors[i];

		sum += touch(t->name.data, t->name.len) + touch(t->data.data, t->data.len) +
		       tflite_tensor_size(t);
		for (uint32_t k = 0; k < t->scale_count; k++)
			sum += tflite_scale(t, k) > 0;
		for (uint32_t k = 0; k < t->zero_point_count; k++)
			sum += (uint64_t)tflite_zero_point(t, k);
	}
	return sum;
}

/* Reads the file; gives the device the configuration that the first payload asks for. */
static void look(const uint8_t *data, size_t size, struct accel_device *device)
{
	struct container c;
	struct tflite file;
	struct error err = { "" };
	uint8_t *copy = malloc(size ? size : 1);
	volatile uint64_t sum;

	memcpy(copy, data, size);
	if (tflite_parse(copy, size, &file, &err)) {
		check_words(&err);
		return;
	}
	sum = touch_tensors(&file);
	(void)sum;
	for (uint32_t i = 0; i < file.operator_count; i++) {
		const struct tflite_operator *op = &file.operators[i];

		touch(op->custom.data, op->custom.len);
		if (!op->input_count || op->inputs[0] < 0)
			continue;
		err.text[0] = '\0';
		if (container_parse(file.tensors[op->inputs[0]].data.data,
				    file.tensors[op->inputs[0]].data.len, &c, &err)) {
			check_words(&err);
			continue;
		}
		touch(c.stream, 4 * c.words);
		if (!device->config) {
			device->config = c.config;
			device->id = c.id;
		}
	}
	tflite_free(&file);
}

static void open_and_run(const uint8_t *data, size_t size, struct accel_device *device)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct error err = { "" };
	struct image *image;
	struct tflite file;
	struct model *m;

	memcpy(copy, data, size);
	if (tflite_parse(copy, size, &file, &err))
		return;
	if (image_from_tflite(&file, "fuzz", &image, &err) ||
	    model_create(image, device, &m, &err)) {
		check_words(&err);
		return;
	}
	model_reset(m);
	for (unsigned int i = 0; i < model_input_count(m); i++)
		memset(model_input_data(m, i), 0x55, image_tensor_size(model_input(m, i)));
	check(!model_run(m, &err), "a run failed");
	for (unsigned int i = 0; i < model_output_count(m); i++)
		touch(model_output_data(m, i), image_tensor_size(model_output(m, i)));
	model_close(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct accel_device device = { 0 };

	look(data, size, &device);
	open_and_run(data, size, &device);
	return 0;
}
