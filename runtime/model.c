/* SPDX-License-Identifier: MIT */
/* Lays a compiled model out in a device's memory and runs it. */
#include "runtime/model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/container.h"

/* Inputs of the ethos-u operator, and the regions they are bound to. */
enum npu_input { NPU_STREAM, NPU_CONSTANTS, NPU_ARENA, NPU_FAST, NPU_FIRST_TENSOR };
enum npu_region {
	REGION_CONSTANTS, REGION_ARENA, REGION_FAST, REGION_INPUTS, REGION_OUTPUTS,
	REGIONS,
};

#define ALIGN		16
#define ARENA_MAX	(1ull << 32)
/* Room that a fetch of whole bricks may need behind the last tensor. */
#define SLACK		64
/*
 * Operators may name the same constants, and the device gets a copy for each of them. This times
 * the size of the file is more than any model needs; without a bound a small file could ask for
 * any amount.
 */
#define SHARING_MAX	64
/* Kinds of operators that a message about them tells apart. */
#define CPU_KINDS	16

/* One ethos-u operator. */
struct segment {
	struct accel_program *program;
	struct accel_binding bindings[REGIONS];
	uint32_t binding_count;
};

/* Memory of one region. */
struct block {
	struct accel_buffer *buffer;
	uint8_t *data;
	uint64_t size;
};

struct model {
	struct tflite file;
	struct accel_device *device;
	struct accel_device_info info;
	struct accel_queue *queue;
	struct segment *segments;
	struct accel_job *jobs;
	uint32_t segment_count;
	struct block arena, fast, inputs, outputs;
	uint8_t **input_data;
	uint8_t **output_data;
	uint64_t cycles;
};

static bool is_npu(const struct tflite_operator *op)
{
	static const char name[] = "ethos-u";

	return op->builtin == TFLITE_BUILTIN_CUSTOM && op->custom.len == strlen(name) &&
	       !memcmp(op->custom.data, name, op->custom.len);
}

static const char *operator_name(const struct tflite_operator *op, char *text, size_t len)
{
	const char *name = tflite_builtin_name(op->builtin);

	if (op->builtin == TFLITE_BUILTIN_CUSTOM)
		snprintf(text, len, "%.*s", (int)op->custom.len, (const char *)op->custom.data);
	else if (name)
		snprintf(text, len, "%s", name);
	else
		snprintf(text, len, "operator %d", op->builtin);
	return text;
}

static bool same_kind(const struct tflite_operator *a, const struct tflite_operator *b)
{
	return a->builtin == b->builtin && a->custom.len == b->custom.len &&
	       (!a->custom.len || !memcmp(a->custom.data, b->custom.data, a->custom.len));
}

/* Kinds of operators that are not the NPU's, and how often each occurs. */
struct cpu_kinds {
	const struct tflite_operator *op[CPU_KINDS];
	uint32_t seen[CPU_KINDS];
	unsigned int count;
};

static void count_cpu(struct cpu_kinds *kinds, const struct tflite_operator *op)
{
	unsigned int i = 0;

	while (i < kinds->count && !same_kind(kinds->op[i], op))
		i++;
	if (i == CPU_KINDS)
		return;
	kinds->op[i] = op;
	kinds->seen[i]++;
	if (i == kinds->count)
		kinds->count++;
}

/* Name what is not for the NPU. */
static int refuse_cpu(const struct tflite *file, struct error *err)
{
	struct cpu_kinds cpu = { .count = 0 };
	char list[256] = "", name[64];
	uint32_t npu = 0;
	size_t at = 0;

	for (uint32_t i = 0; i < file->operator_count; i++) {
		if (is_npu(&file->operators[i]))
			npu++;
		else
			count_cpu(&cpu, &file->operators[i]);
	}
	for (unsigned int i = 0; i < cpu.count && at < sizeof(list); i++)
		at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s (%u)", at ? ", " : "",
				       operator_name(cpu.op[i], name, sizeof(name)), cpu.seen[i]);
	if (!npu)
		return error_set(err, -ENOTSUP,
				 "not compiled for an NPU: run it through Vela first; it has %s",
				 cpu.count ? list : "no operators");
	if (cpu.count)
		return error_set(err, -ENOTSUP,
				 "operators left on the CPU, which this version does not run: %s",
				 list);
	return 0;
}

static uint64_t round_up(uint64_t v, uint64_t to)
{
	return (v + to - 1) / to * to;
}

static void grow(uint64_t *size, uint64_t to)
{
	if (*size < to)
		*size = to;
}

/* Offset of a tensor in the arena, or -1. */
static int64_t planned(const struct tflite *file, int32_t tensor)
{
	if (!file->plan || tensor < 0 || (uint32_t)tensor >= file->plan_count)
		return -1;
	return file->plan[tensor];
}

static int32_t npu_tensor(const struct tflite_operator *op, enum npu_input input)
{
	return op->inputs[input];
}

static int check_segment(const struct tflite *file, uint32_t index, struct error *err)
{
	const struct tflite_operator *op = &file->operators[index];

	if (op->input_count < NPU_FIRST_TENSOR)
		return error_set(err, -EINVAL, "operator %u: ethos-u with %u inputs", index,
				 op->input_count);
	for (unsigned int i = 0; i < NPU_FIRST_TENSOR; i++)
		if (op->inputs[i] < 0)
			return error_set(err, -EINVAL, "operator %u: ethos-u without input %u",
					 index, i);
	return 0;
}

/* What the operators have the device keep must be in proportion to the file. */
static int check_sharing(const struct tflite *file, struct error *err)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < file->operator_count; i++) {
		const struct tflite_operator *op = &file->operators[i];

		total += file->tensors[npu_tensor(op, NPU_STREAM)].data.len;
		total += file->tensors[npu_tensor(op, NPU_CONSTANTS)].data.len;
		if (total / SHARING_MAX > file->size)
			return error_set(err, -EINVAL,
					 "operator %u: too many operators share their constants", i);
	}
	return 0;
}

/* Variables may share their places: what a reset has to write is bounded, not where. */
static int check_variables(const struct tflite *file, struct error *err)
{
	uint64_t total = 0;

	for (uint32_t t = 0; t < file->plan_count; t++) {
		if (!file->tensors[t].variable || file->plan[t] < 0)
			continue;
		total += tflite_tensor_size(&file->tensors[t]);
		if (total > ARENA_MAX)
			return error_set(err, -EINVAL, "tensor %u: more than 4 GiB of variables", t);
	}
	return 0;
}

/* How large the arena and the fast memory have to be. */
static int measure(struct model *m, struct error *err)
{
	const struct tflite *file = &m->file;

	for (uint32_t i = 0; i < file->operator_count; i++) {
		const struct tflite_operator *op = &file->operators[i];
		int32_t arena = npu_tensor(op, NPU_ARENA), fast = npu_tensor(op, NPU_FAST);
		int64_t base = planned(file, arena);

		grow(&m->arena.size,
		     (uint64_t)(base > 0 ? base : 0) + tflite_tensor_size(&file->tensors[arena]));
		if (fast != arena)
			grow(&m->fast.size, tflite_tensor_size(&file->tensors[fast]));
	}
	for (uint32_t t = 0; t < file->plan_count; t++) {
		if (file->plan[t] < -1)
			return error_set(err, -EINVAL, "tensor %u is planned at offset %d", t,
					 file->plan[t]);
		/* Constants are planned nowhere; in a damaged file they must not lie outside. */
		if (file->plan[t] >= 0)
			grow(&m->arena.size,
			     (uint64_t)file->plan[t] + tflite_tensor_size(&file->tensors[t]));
	}
	if (m->arena.size > ARENA_MAX || m->fast.size > ARENA_MAX)
		return error_set(err, -EINVAL, "an arena of %llu bytes",
				 (unsigned long long)m->arena.size);
	return check_variables(file, err);
}

static int allocate(struct model *m, struct block *block, struct error *err)
{
	struct accel_error why;
	void *data;
	int rc;

	if (!block->size)
		return 0;
	rc = accel_buffer_create(m->device, round_up(block->size + SLACK, ALIGN), 0, &block->buffer,
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

static int load_segment(struct model *m, uint32_t index, bool *local_io, struct error *err)
{
	const struct tflite *file = &m->file;
	const struct tflite_operator *op = &file->operators[index];
	const struct tflite_tensor *stream = &file->tensors[npu_tensor(op, NPU_STREAM)];
	const struct tflite_tensor *constants = &file->tensors[npu_tensor(op, NPU_CONSTANTS)];
	struct accel_program_options opt = {
		.size = sizeof(opt),
		.constants = constants->data.len ? constants->data.data : NULL,
		.constants_size = constants->data.len,
		.constants_region = REGION_CONSTANTS,
	};
	struct container container;
	struct accel_error why;
	uint32_t *words;
	char place[32];
	int rc;

	snprintf(place, sizeof(place), "operator %u", index);
	rc = container_parse(stream->data.data, stream->data.len, &container, err);
	if (!rc)
		rc = container_check(&container, m->info.config, m->info.id, m->info.name, err);
	if (rc)
		return error_prefix(err, rc, place);
	/* The file need not keep the stream aligned. */
	words = malloc(4 * container.words);
	if (!words)
		return error_set(err, -ENOMEM, "out of memory");
	memcpy(words, container.stream, 4 * container.words);
	rc = accel_program_create(m->device, words, 4 * container.words, &opt,
				  &m->segments[index].program, &why);
	free(words);
	if (rc)
		return error_set(err, rc, "%s: %s", place, why.msg);
	*local_io |= container.local_io;
	return 0;
}

static void bind_segment(struct model *m, uint32_t index)
{
	const struct tflite_operator *op = &m->file.operators[index];
	struct segment *s = &m->segments[index];
	int32_t arena = npu_tensor(op, NPU_ARENA), fast = npu_tensor(op, NPU_FAST);
	int64_t base = planned(&m->file, arena);
	uint64_t offset = base > 0 ? (uint64_t)base : 0;

	bind(s, m->arena.buffer, offset, REGION_ARENA);
	if (fast == arena)
		bind(s, m->arena.buffer, offset, REGION_FAST);
	else
		bind(s, m->fast.buffer, 0, REGION_FAST);
	bind(s, m->inputs.buffer, 0, REGION_INPUTS);
	bind(s, m->outputs.buffer, 0, REGION_OUTPUTS);
	m->jobs[index] = (struct accel_job){
		.size = sizeof(struct accel_job),
		.program = s->program,
		.bindings = s->bindings,
		.binding_count = s->binding_count,
	};
}

/* Size of a region of only inputs or only outputs: the plan's offsets count from its start. */
static uint64_t extent(const struct tflite *file, const int32_t *list, uint32_t count)
{
	uint64_t size = 0;

	for (uint32_t i = 0; i < count; i++) {
		int64_t at = planned(file, list[i]);

		if (at >= 0)
			grow(&size, (uint64_t)at + tflite_tensor_size(&file->tensors[list[i]]));
	}
	return size;
}

/* Where each input or output of the model lies. */
static int place(struct model *m, const struct block *own, const int32_t *list, uint32_t count,
		 uint8_t **data, const char *what, struct error *err)
{
	const struct block *block = own->buffer ? own : &m->arena;

	for (uint32_t i = 0; i < count; i++) {
		size_t size = tflite_tensor_size(&m->file.tensors[list[i]]);
		int64_t at = planned(&m->file, list[i]);

		if (!size)
			return error_set(err, -ENOTSUP, "%s %u (tensor %d) is of type %s", what, i,
					 list[i], elem_name(m->file.tensors[list[i]].type));
		if (at < 0 || (uint64_t)at + size > block->size)
			return error_set(err, -EINVAL,
					 "%s %u (tensor %d) has no place in the arena", what, i,
					 list[i]);
		data[i] = block->data + at;
	}
	return 0;
}

static int load(struct model *m, struct error *err)
{
	const struct tflite *file = &m->file;
	bool local_io = false;
	int rc = refuse_cpu(file, err);

	for (uint32_t i = 0; i < file->operator_count && !rc; i++)
		rc = check_segment(file, i, err);
	if (!rc)
		rc = check_sharing(file, err);
	if (!rc)
		rc = measure(m, err);
	if (rc)
		return rc;
	m->segment_count = file->operator_count;
	m->segments = calloc(m->segment_count, sizeof(*m->segments));
	m->jobs = calloc(m->segment_count, sizeof(*m->jobs));
	m->input_data = calloc(file->input_count + 1, sizeof(*m->input_data));
	m->output_data = calloc(file->output_count + 1, sizeof(*m->output_data));
	if (!m->segments || !m->jobs || !m->input_data || !m->output_data)
		return error_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < m->segment_count && !rc; i++)
		rc = load_segment(m, i, &local_io, err);
	if (rc)
		return rc;
	/* What one operator hands to the next would be in both regions. */
	if (local_io && m->segment_count > 1)
		return error_set(err, -ENOTSUP,
				 "%u ethos-u operators with separate input and output regions",
				 m->segment_count);
	if (local_io) {
		m->inputs.size = extent(file, file->inputs, file->input_count);
		m->outputs.size = extent(file, file->outputs, file->output_count);
	}
	if ((rc = allocate(m, &m->arena, err)) || (rc = allocate(m, &m->fast, err)) ||
	    (rc = allocate(m, &m->inputs, err)) || (rc = allocate(m, &m->outputs, err)))
		return rc;
	for (uint32_t i = 0; i < m->segment_count; i++)
		bind_segment(m, i);
	rc = place(m, &m->inputs, file->inputs, file->input_count, m->input_data, "input", err);
	if (!rc)
		rc = place(m, &m->outputs, file->outputs, file->output_count, m->output_data,
			   "output", err);
	return rc;
}

int model_open(const char *path, struct accel_device *device, struct model **out, struct error *err)
{
	struct model *m = calloc(1, sizeof(*m));
	struct accel_error why;
	int rc;

	if (!m)
		return error_set(err, -ENOMEM, "out of memory");
	m->device = accel_device_ref(device);
	m->info.size = sizeof(m->info);
	accel_device_get_info(device, &m->info);
	rc = tflite_read(path, &m->file, err);
	if (rc)
		goto fail;
	rc = load(m, err);
	if (rc) {
		error_prefix(err, rc, path);
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

void model_close(struct model *m)
{
	if (!m)
		return;
	for (uint32_t i = 0; m->segments && i < m->segment_count; i++)
		accel_program_unref(m->segments[i].program);
	accel_queue_unref(m->queue);
	accel_buffer_unref(m->arena.buffer);
	accel_buffer_unref(m->fast.buffer);
	accel_buffer_unref(m->inputs.buffer);
	accel_buffer_unref(m->outputs.buffer);
	accel_device_unref(m->device);
	free(m->segments);
	free(m->jobs);
	free(m->input_data);
	free(m->output_data);
	tflite_free(&m->file);
	free(m);
}

unsigned int model_input_count(const struct model *m)
{
	return m->file.input_count;
}

unsigned int model_output_count(const struct model *m)
{
	return m->file.output_count;
}

const struct tflite_tensor *model_input(const struct model *m, unsigned int index)
{
	return &m->file.tensors[m->file.inputs[index]];
}

const struct tflite_tensor *model_output(const struct model *m, unsigned int index)
{
	return &m->file.tensors[m->file.outputs[index]];
}

void *model_input_data(const struct model *m, unsigned int index)
{
	return m->input_data[index];
}

const void *model_output_data(const struct model *m, unsigned int index)
{
	return m->output_data[index];
}

/* A tensor of what its quantisation calls zero; complex ones have elements of 16 bytes. */
static void fill_zero(const struct tflite_tensor *t, uint8_t *data)
{
	uint64_t zero = (uint64_t)tflite_zero_point(t, 0);
	size_t es = elem_size(t->type), size = tflite_tensor_size(t);

	for (size_t i = 0; i < size; i++)
		data[i] = i % es < sizeof(zero) ? (uint8_t)(zero >> (8 * (i % es))) : 0;
}

void model_reset(struct model *m)
{
	for (uint32_t t = 0; t < m->file.tensor_count; t++) {
		int64_t at = planned(&m->file, (int32_t)t);

		if (m->file.tensors[t].variable && at >= 0 && elem_size(m->file.tensors[t].type))
			fill_zero(&m->file.tensors[t], m->arena.data + at);
	}
}

/* Which operator stopped, and why. */
static int explain(const struct model *m, struct accel_fence *fence, int code, struct error *err)
{
	struct accel_job_result result = { .size = sizeof(result) };

	for (uint32_t i = 0; i < m->segment_count; i++)
		if (!accel_fence_get_result(fence, i, &result) && result.error)
			return error_set(err, code, "operator %u, command at byte %u: %s", i,
					 result.offset, result.cause);
	return error_set(err, code, "%s", strerror(-code));
}

int model_run(struct model *m, struct error *err)
{
	const struct accel_submit_options opt = { .size = sizeof(opt), .flags = ACCEL_SUBMIT_LAZY };
	struct accel_job_result result = { .size = sizeof(result) };
	struct accel_fence *fence;
	struct accel_error why;
	int rc;

	rc = accel_queue_submit(m->queue, m->jobs, m->segment_count, &opt, &fence, &why);
	if (rc)
		return error_set(err, rc, "%s", why.msg);
	rc = accel_fence_wait(fence, -1);
	m->cycles = 0;
	for (uint32_t i = 0; i < m->segment_count; i++)
		if (!accel_fence_get_result(fence, i, &result))
			m->cycles += result.cycles;
	if (rc)
		rc = explain(m, fence, rc, err);
	accel_fence_unref(fence);
	return rc;
}

uint64_t model_cycles(const struct model *m)
{
	return m->cycles;
}

const struct tflite *model_file(const struct model *m)
{
	return &m->file;
}
