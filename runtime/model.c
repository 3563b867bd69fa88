/* SPDX-License-Identifier: MIT */
/* Lays a compiled model out in a device's memory and runs it. */
#include "runtime/model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/compile/compile_model.h"
#include "runtime/container.h"
#include "runtime/cpu/cpu.h"

/* The regions that memory is bound to. From REGION_INPUTS on they are tensors' own in what we compile. */
enum npu_region {
	REGION_CONSTANTS, REGION_ARENA, REGION_FAST, REGION_INPUTS, REGION_OUTPUTS,
};

#define ALIGN		16
/* Room that a fetch of whole bricks may need behind the last tensor. */
#define SLACK		64

/* One run of the NPU. */
struct segment {
	struct accel_program *program;
	struct accel_binding bindings[IMAGE_REGIONS];
	uint32_t binding_count;
};

/* Memory of one region. */
struct block {
	struct accel_buffer *buffer;
	uint8_t *data;
	uint64_t size;
};

struct model {
	struct image *image;
	struct accel_device *device;
	struct accel_device_info info;
	struct accel_queue *queue;
	struct segment *segments;
	struct accel_job *jobs;
	struct cpu_op **cpu;	/* as many as the image has operators */
	struct block arena, fast, inputs, outputs;
	struct block own[IMAGE_REGIONS];
	uint8_t **input_data;
	uint8_t **output_data;
	uint64_t cycles;
};

static uint64_t round_up(uint64_t v, uint64_t to)
{
	return (v + to - 1) / to * to;
}

static int allocate(struct model *m, struct block *block, uint64_t size, struct error *err)
{
	struct accel_error why;
	void *data;
	int rc;

	block->size = size;
	if (!size)
		return 0;
	rc = accel_buffer_create(m->device, round_up(size + SLACK, ALIGN), 0, &block->buffer,
				 &why);
	if (!rc)
		rc = accel_buffer_map(block->buffer, &data, &why);
	if (rc)
		return error_set(err, rc, "%s", why.msg);
	block->data = data;
	return 0;
}

static void bind(struct segment *s, struct accel_buffer *buffer, uint64_t offset, uint32_t region)
{
	if (buffer)
		s->bindings[s->binding_count++] = (struct accel_binding){
			.buffer = buffer, .offset = offset, .region = region,
		};
}

/* Does a tensor hold data before the NPU runs? With several runs or the CPU between, any may. */
static bool is_written_before(const struct image *image, uint32_t number)
{
	if (image->tensors[number].variable || image->run_count > 1 || image->op_count)
		return true;
	for (uint32_t i = 0; i < image->input_count; i++)
		if (image->inputs[i] == number)
			return true;
	return false;
}

/* What a run finds in memory. Free with free(). NULL: no memory. */
static struct accel_range *find_written(const struct image *image, const struct image_npu *run,
					uint32_t *count)
{
	struct accel_range *ranges = calloc(image->tensor_count + 1, sizeof(*ranges));

	*count = 0;
	if (!ranges)
		return NULL;
	ranges[(*count)++] = (struct accel_range){ .length = image->inputs_size,
						   .region = REGION_INPUTS };
	for (uint32_t i = 0; i < image->tensor_count; i++) {
		const struct image_tensor *t = &image->tensors[i];

		if (t->place == IMAGE_OWN && is_written_before(image, i))
			ranges[(*count)++] = (struct accel_range){
				.length = image_tensor_size(t),
				.region = t->region,
			};
		if (t->place == IMAGE_ARENA && t->offset >= run->arena_offset &&
		    is_written_before(image, i))
			ranges[(*count)++] = (struct accel_range){
				.offset = t->offset - run->arena_offset,
				.length = image_tensor_size(t),
				.region = REGION_ARENA,
			};
	}
	return ranges;
}

static int load_segment(struct model *m, uint32_t index, struct error *err)
{
	const struct image_npu *run = &m->image->runs[index];
	struct accel_program_options opt = {
		.size = sizeof(opt),
		.constants = run->constants,
		.constants_size = run->constants_size,
		.constants_region = REGION_CONSTANTS,
	};
	struct accel_range *written = find_written(m->image, run, &opt.written_count);
	struct accel_error why;
	int rc;

	if (!written)
		return error_set(err, -ENOMEM, "out of memory");
	opt.written = written;
	rc = accel_program_create(m->device, run->stream, 4 * run->words, &opt,
				  &m->segments[index].program, &why);
	free(written);
	return rc ? error_set(err, rc, "run %u: %s", index, why.msg) : 0;
}

static void bind_segment(struct model *m, uint32_t index)
{
	const struct image_npu *run = &m->image->runs[index];
	struct segment *s = &m->segments[index];

	bind(s, m->arena.buffer, run->arena_offset, REGION_ARENA);
	if (run->fast_is_arena)
		bind(s, m->arena.buffer, run->arena_offset, REGION_FAST);
	else
		bind(s, m->fast.buffer, 0, REGION_FAST);
	bind(s, m->inputs.buffer, 0, REGION_INPUTS);
	bind(s, m->outputs.buffer, 0, REGION_OUTPUTS);
	for (uint32_t i = IMAGE_OWN_FIRST; i < IMAGE_REGIONS; i++)
		bind(s, m->own[i].buffer, 0, i);
	m->jobs[index] = (struct accel_job){
		.size = sizeof(struct accel_job),
		.program = s->program,
		.bindings = s->bindings,
		.binding_count = s->binding_count,
	};
}

static const struct block *block_of(const struct model *m, const struct image_tensor *t)
{
	switch (t->place) {
	case IMAGE_ARENA:
		return &m->arena;
	case IMAGE_INPUTS:
		return &m->inputs;
	case IMAGE_OUTPUTS:
		return &m->outputs;
	case IMAGE_OWN:
		return &m->own[t->region];
	default:
		return NULL;
	}
}

/* Where each input or output of the model lies. */
static int place(struct model *m, const uint32_t *list, uint32_t count, uint8_t **data,
		 const char *what, struct error *err)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct image_tensor *t = &m->image->tensors[list[i]];
		const struct block *block = block_of(m, t);
		size_t size = image_tensor_size(t);

		if (!size)
			return error_set(err, -ENOTSUP, "%s %u (tensor %u) is of type %s", what, i,
					 list[i], elem_name(t->type));
		if (!block || t->offset > block->size || size > block->size - t->offset)
			return error_set(err, -EINVAL,
					 "%s %u (tensor %u) has no place in the arena", what, i,
					 list[i]);
		data[i] = block->data + t->offset;
	}
	return 0;
}

/* An operand of an operator on the CPU. Constants are not written, whatever the pointer says. */
static int operand(const struct model *m, uint32_t number, struct cpu_tensor *out, struct error *err)
{
	const struct image_tensor *t;
	const struct block *block;

	*out = (struct cpu_tensor){ 0 };
	if (number == IR_NONE)
		return 0;
	t = &m->image->tensors[number];
	block = block_of(m, t);
	/* It may be anywhere by the time that the operator runs. */
	if (t->place == IMAGE_OWN)
		return error_set(err, -EINVAL, "tensor %u (%s) is the NPU's alone", number, t->name);
	if (!block && t->place != IMAGE_CONSTANT)
		return error_set(err, -EINVAL, "tensor %u (%s) has no place", number, t->name);
	*out = (struct cpu_tensor){
		.type = t->type,
		.ndim = t->ndim,
		.scale_count = t->scale_count,
		.axis = t->axis,
		.scales = t->scales,
		.zero_points = t->zero_points,
		.data = block ? block->data + t->offset : (uint8_t *)(uintptr_t)t->data,
		.constant = !block,
	};
	memcpy(out->shape, t->shape, sizeof(out->shape));
	return 0;
}

static int load_cpu(struct model *m, uint32_t index, struct error *err)
{
	const struct image_op *op = &m->image->ops[index];
	struct cpu_tensor *tensors = calloc((size_t)op->input_count + op->output_count + 1,
					    sizeof(*tensors));
	int rc = 0;

	if (!tensors)
		return error_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < op->input_count && !rc; i++)
		rc = operand(m, op->inputs[i], &tensors[i], err);
	for (uint32_t i = 0; i < op->output_count && !rc; i++) {
		rc = operand(m, op->outputs[i], &tensors[op->input_count + i], err);
		if (!rc && tensors[op->input_count + i].constant)
			rc = error_set(err, -EINVAL, "operator %u writes a constant", index);
	}
	if (!rc)
		rc = cpu_op_create(op->kind, &op->options, tensors, op->input_count,
				   tensors + op->input_count, op->output_count, &m->cpu[index],
				   err);
	free(tensors);
	return rc;
}

/* Memory for the tensors that have a region to themselves, which has no other memory. */
static int allocate_own(struct model *m, struct error *err)
{
	int rc = 0;

	for (uint32_t i = 0; i < m->image->tensor_count && !rc; i++) {
		const struct image_tensor *t = &m->image->tensors[i];

		if (t->place == IMAGE_OWN)
			rc = allocate(m, &m->own[t->region], image_tensor_size(t), err);
	}
	return rc;
}

static int load(struct model *m, struct error *err)
{
	const struct image *image = m->image;
	int rc = container_check(image->config, image->id, m->info.config, m->info.id,
				 m->info.name, err);

	if (rc)
		return rc;
	m->segments = calloc(image->run_count + 1, sizeof(*m->segments));
	m->jobs = calloc(image->run_count + 1, sizeof(*m->jobs));
	m->cpu = calloc(image->op_count + 1, sizeof(*m->cpu));
	m->input_data = calloc(image->input_count + 1, sizeof(*m->input_data));
	m->output_data = calloc(image->output_count + 1, sizeof(*m->output_data));
	if (!m->segments || !m->jobs || !m->cpu || !m->input_data || !m->output_data)
		return error_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < image->run_count && !rc; i++)
		rc = load_segment(m, i, err);
	if (rc || (rc = allocate(m, &m->arena, image->arena_size, err)) ||
	    (rc = allocate(m, &m->fast, image->fast_size, err)) ||
	    (rc = allocate(m, &m->inputs, image->inputs_size, err)) ||
	    (rc = allocate(m, &m->outputs, image->outputs_size, err)) ||
	    (rc = allocate_own(m, err)))
		return rc;
	for (uint32_t i = 0; i < image->run_count; i++)
		bind_segment(m, i);
	for (uint32_t i = 0; i < image->op_count && !rc; i++)
		rc = load_cpu(m, i, err);
	if (!rc)
		rc = place(m, image->inputs, image->input_count, m->input_data, "input", err);
	if (!rc)
		rc = place(m, image->outputs, image->output_count, m->output_data, "output", err);
	return rc;
}

int model_create(struct image *image, struct accel_device *device, struct model **out,
		 struct error *err)
{
	struct model *m = calloc(1, sizeof(*m));
	struct accel_error why;
	int rc;

	if (!m) {
		image_free(image);
		return error_set(err, -ENOMEM, "out of memory");
	}
	m->image = image;
	m->device = accel_device_ref(device);
	m->info.size = sizeof(m->info);
	accel_device_get_info(device, &m->info);
	rc = load(m, err);
	if (rc) {
		error_prefix(err, rc, image->name);
		goto fail;
	}
	rc = accel_queue_create(device, NULL, &m->queue, &why);
	if (rc) {
		error_set(err, rc, "%s", why.msg);
		goto fail;
	}
	model_reset(m);
	*out = m;
	return 0;
fail:
	model_close(m);
	return rc;
}

int model_open(const char *path, struct accel_device *device, struct model **out, struct error *err)
{
	struct image *image;
	struct accel_device_info info = { .size = sizeof(info) };
	int rc;

	accel_device_get_info(device, &info);
	rc = compile_for_device(path, info.name, &image, err);
	return rc ? rc : model_create(image, device, out, err);
}

void model_close(struct model *m)
{
	if (!m)
		return;
	for (uint32_t i = 0; m->segments && i < m->image->run_count; i++)
		accel_program_unref(m->segments[i].program);
	for (uint32_t i = 0; m->cpu && i < m->image->op_count; i++)
		cpu_op_free(m->cpu[i]);
	accel_queue_unref(m->queue);
	accel_buffer_unref(m->arena.buffer);
	accel_buffer_unref(m->fast.buffer);
	accel_buffer_unref(m->inputs.buffer);
	accel_buffer_unref(m->outputs.buffer);
	for (uint32_t i = 0; i < IMAGE_REGIONS; i++)
		accel_buffer_unref(m->own[i].buffer);
	accel_device_unref(m->device);
	free(m->segments);
	free(m->jobs);
	free(m->cpu);
	free(m->input_data);
	free(m->output_data);
	image_free(m->image);
	free(m);
}

unsigned int model_input_count(const struct model *m)
{
	return m->image->input_count;
}

unsigned int model_output_count(const struct model *m)
{
	return m->image->output_count;
}

const struct image_tensor *model_input(const struct model *m, unsigned int index)
{
	return &m->image->tensors[m->image->inputs[index]];
}

const struct image_tensor *model_output(const struct model *m, unsigned int index)
{
	return &m->image->tensors[m->image->outputs[index]];
}

void *model_input_data(const struct model *m, unsigned int index)
{
	return m->input_data[index];
}

const void *model_output_data(const struct model *m, unsigned int index)
{
	return m->output_data[index];
}

static struct accel_binding *binding_of(struct segment *s, uint32_t region)
{
	for (uint32_t i = 0; i < s->binding_count; i++)
		if (s->bindings[i].region == region)
			return &s->bindings[i];
	return NULL;
}

int model_bind(struct model *m, const struct image_tensor *tensor, struct accel_buffer *buffer,
	       uint64_t offset)
{
	size_t size = image_tensor_size(tensor);

	if (tensor->place != IMAGE_OWN)
		return -EOPNOTSUPP;
	if (!buffer) {
		buffer = m->own[tensor->region].buffer;
		offset = 0;
	}
	if (offset && !(m->info.features & ACCEL_FEATURE_SUBRANGE))
		return -EOPNOTSUPP;
	if (offset % ALIGN || offset > accel_buffer_size(buffer) ||
	    size > accel_buffer_size(buffer) - offset)
		return -EINVAL;
	for (uint32_t i = 0; i < m->image->run_count; i++) {
		struct accel_binding *b = binding_of(&m->segments[i], tensor->region);

		if (b) {
			b->buffer = buffer;
			b->offset = offset;
		}
	}
	return 0;
}

/* A tensor of what its quantisation calls zero; complex ones have elements of 16 bytes. */
static void fill_zero(const struct image_tensor *t, uint8_t *data)
{
	uint64_t zero = (uint64_t)(int64_t)image_zero_point(t, 0);
	size_t es = elem_size(t->type), size = image_tensor_size(t);

	for (size_t i = 0; i < size; i++)
		data[i] = i % es < sizeof(zero) ? (uint8_t)(zero >> (8 * (i % es))) : 0;
}

void model_reset(struct model *m)
{
	for (uint32_t i = 0; i < m->image->tensor_count; i++) {
		const struct image_tensor *t = &m->image->tensors[i];

		if (t->variable && t->place == IMAGE_ARENA && elem_size(t->type))
			fill_zero(t, m->arena.data + t->offset);
	}
}

/* Which run stopped, and why. */
static int explain(uint32_t first, uint32_t count, struct accel_fence *fence, int code,
		   struct error *err)
{
	struct accel_job_result result = { .size = sizeof(result) };

	for (uint32_t i = 0; i < count; i++)
		if (!accel_fence_get_result(fence, i, &result) && result.error)
			return error_set(err, code, "run %u, command at byte %u: %s", first + i,
					 result.offset, result.cause);
	return error_set(err, code, "%s", strerror(-code));
}

/* @count runs from @first on, in one submission. */
static int run_npu(struct model *m, uint32_t first, uint32_t count, struct error *err)
{
	const struct accel_submit_options opt = { .size = sizeof(opt), .flags = ACCEL_SUBMIT_LAZY };
	struct accel_job_result result = { .size = sizeof(result) };
	struct accel_fence *fence;
	struct accel_error why;
	int rc;

	rc = accel_queue_submit(m->queue, m->jobs + first, count, &opt, &fence, &why);
	if (rc)
		return error_set(err, rc, "%s", why.msg);
	rc = accel_fence_wait(fence, -1);
	for (uint32_t i = 0; i < count; i++)
		if (!accel_fence_get_result(fence, i, &result))
			m->cycles += result.cycles;
	if (rc)
		rc = explain(first, count, fence, rc, err);
	accel_fence_unref(fence);
	return rc;
}

int model_run(struct model *m, struct error *err)
{
	const struct image *image = m->image;
	uint32_t i = 0, count;
	int rc = 0;

	m->cycles = 0;
	while (i < image->step_count && !rc) {
		const struct image_step *step = &image->steps[i];

		if (!step->npu) {
			rc = cpu_op_run(m->cpu[step->index], err);
			i++;
			continue;
		}
		/* Runs without a CPU operator between them: their numbers follow each other. */
		for (count = 1; i + count < image->step_count && step[count].npu; count++)
			;
		rc = run_npu(m, step->index, count, err);
		i += count;
	}
	return rc;
}

uint64_t model_cycles(const struct model *m)
{
	return m->cycles;
}

const struct image *model_image(const struct model *m)
{
	return m->image;
}
