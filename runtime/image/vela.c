/* SPDX-License-Identifier: MIT */
/* TFLite files that Vela compiled: the ethos-u operators and the memory plan in them. */
#include "runtime/image/image.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/container.h"

/* Inputs of the ethos-u operator. */
enum npu_input { NPU_STREAM, NPU_CONSTANTS, NPU_ARENA, NPU_FAST, NPU_FIRST_TENSOR };

/*
 * Operators may name the same constants, and the device gets a copy for each of them. This times
 * the size of the file is more than any model needs; without a bound a small file could ask for
 * any amount.
 */
#define SHARING_MAX	64
/* Kinds of operators that a message about them tells apart. */
#define CPU_KINDS	16

static bool is_npu(const struct tflite_operator *op)
{
	static const char name[] = "ethos-u";

	return op->builtin == TFLITE_BUILTIN_CUSTOM && op->custom.len == strlen(name) &&
	       !memcmp(op->custom.data, name, op->custom.len);
}

bool image_tflite_is_compiled(const struct tflite *file)
{
	for (uint32_t i = 0; i < file->operator_count; i++)
		if (is_npu(&file->operators[i]))
			return true;
	return false;
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
	size_t at = 0;

	for (uint32_t i = 0; i < file->operator_count; i++)
		if (!is_npu(&file->operators[i]))
			count_cpu(&cpu, &file->operators[i]);
	for (unsigned int i = 0; i < cpu.count && at < sizeof(list); i++)
		at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s (%u)", at ? ", " : "",
				       operator_name(cpu.op[i], name, sizeof(name)), cpu.seen[i]);
	if (!image_tflite_is_compiled(file))
		return error_set(err, -ENOTSUP,
				 "not compiled for an NPU: run it through Vela first; it has %s",
				 cpu.count ? list : "no operators");
	if (cpu.count)
		return error_set(err, -ENOTSUP,
				 "operators left on the CPU, which this version does not run: %s",
				 list);
	return 0;
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

static int check_operator(const struct tflite *file, uint32_t index, struct error *err)
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
		if (total > IMAGE_ARENA_MAX)
			return error_set(err, -EINVAL, "tensor %u: more than 4 GiB of variables", t);
	}
	return 0;
}

/* How large the arena and the fast memory have to be. */
static int measure(struct image *image, const struct tflite *file, struct error *err)
{
	for (uint32_t i = 0; i < file->operator_count; i++) {
		const struct tflite_operator *op = &file->operators[i];
		int32_t arena = npu_tensor(op, NPU_ARENA), fast = npu_tensor(op, NPU_FAST);
		int64_t base = planned(file, arena);

		grow(&image->arena_size,
		     (uint64_t)(base > 0 ? base : 0) + tflite_tensor_size(&file->tensors[arena]));
		if (fast != arena)
			grow(&image->fast_size, tflite_tensor_size(&file->tensors[fast]));
	}
	for (uint32_t t = 0; t < file->plan_count; t++) {
		if (file->plan[t] < -1)
			return error_set(err, -EINVAL, "tensor %u is planned at offset %d", t,
					 file->plan[t]);
		/* Constants are planned nowhere; in a damaged file they must not lie outside. */
		if (file->plan[t] >= 0)
			grow(&image->arena_size,
			     (uint64_t)file->plan[t] + tflite_tensor_size(&file->tensors[t]));
	}
	if (image->arena_size > IMAGE_ARENA_MAX || image->fast_size > IMAGE_ARENA_MAX)
		return error_set(err, -EINVAL, "an arena of %llu bytes",
				 (unsigned long long)image->arena_size);
	return check_variables(file, err);
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

static int no_memory(struct error *err)
{
	return error_set(err, -ENOMEM, "out of memory");
}

/* The stream on its own: the file need not keep it aligned. */
static int add_run(struct image *image, const struct tflite *file, uint32_t index, bool *local_io,
		   struct error *err)
{
	const struct tflite_operator *op = &file->operators[index];
	const struct tflite_tensor *stream = &file->tensors[npu_tensor(op, NPU_STREAM)];
	const struct tflite_tensor *constants = &file->tensors[npu_tensor(op, NPU_CONSTANTS)];
	int64_t base = planned(file, npu_tensor(op, NPU_ARENA));
	struct container container;
	uint32_t *words;
	char place[32];
	int rc;

	snprintf(place, sizeof(place), "operator %u", index);
	rc = container_parse(stream->data.data, stream->data.len, &container, err);
	if (rc)
		return error_prefix(err, rc, place);
	if (index && (container.config != image->config || container.id != image->id))
		return error_set(err, -EINVAL, "%s: compiled for another NPU than operator 0",
				 place);
	image->config = container.config;
	image->id = container.id;
	words = image_alloc(image, container.words, 4);
	if (!words)
		return no_memory(err);
	memcpy(words, container.stream, 4 * container.words);
	image->runs[index] = (struct image_npu){
		.stream = words,
		.words = container.words,
		.constants = constants->data.len ? constants->data.data : NULL,
		.constants_size = constants->data.len,
		.arena_offset = base > 0 ? (uint64_t)base : 0,
		.fast_is_arena = npu_tensor(op, NPU_FAST) == npu_tensor(op, NPU_ARENA),
	};
	*local_io |= container.local_io;
	return 0;
}

/* A name from a file may hold anything. */
static const char *copy_name(struct image *image, struct tflite_span name)
{
	char *text = image_alloc(image, name.len + 1, 1);

	for (size_t i = 0; text && i < name.len; i++)
		text[i] = (char)(name.data[i] >= ' ' && name.data[i] < 0x7f ? name.data[i] : '?');
	return text;
}

static int add_tensor(struct image *image, const struct tflite *file, uint32_t index,
		      struct error *err)
{
	const struct tflite_tensor *from = &file->tensors[index];
	struct image_tensor *to = &image->tensors[index];
	uint32_t scales = from->scale_count;
	int64_t at = planned(file, (int32_t)index);
	float *scale;
	int32_t *zero;

	*to = (struct image_tensor){
		.name = copy_name(image, from->name),
		.type = from->type,
		.ndim = from->ndim,
		.scale_count = scales,
		.axis = from->axis,
		.variable = from->variable,
		.place = at >= 0 ? IMAGE_ARENA : IMAGE_NOWHERE,
		.offset = at >= 0 ? (uint64_t)at : 0,
	};
	memcpy(to->shape, from->shape, sizeof(to->shape));
	scale = image_alloc(image, scales, sizeof(*scale));
	zero = image_alloc(image, scales, sizeof(*zero));
	if (!to->name || !scale || !zero)
		return no_memory(err);
	for (uint32_t i = 0; i < scales; i++) {
		scale[i] = tflite_scale(from, i);
		zero[i] = (int32_t)tflite_zero_point(from, from->zero_point_count == 1 ? 0 : i);
	}
	to->scales = scale;
	to->zero_points = zero;
	return 0;
}

static int take_apart(struct image *image, const struct tflite *file, struct error *err)
{
	bool local_io = false;
	int rc = refuse_cpu(file, err);

	for (uint32_t i = 0; i < file->operator_count && !rc; i++)
		rc = check_operator(file, i, err);
	if (!rc)
		rc = check_sharing(file, err);
	if (!rc)
		rc = measure(image, file, err);
	if (rc)
		return rc;
	image->run_count = file->operator_count;
	image->runs = image_alloc(image, image->run_count, sizeof(*image->runs));
	image->tensor_count = file->tensor_count;
	image->tensors = image_alloc(image, image->tensor_count, sizeof(*image->tensors));
	image->step_count = image->run_count;
	image->steps = image_alloc(image, image->step_count, sizeof(*image->steps));
	image->input_count = file->input_count;
	image->inputs = image_list(image, (uint32_t *)file->inputs, file->input_count);
	image->output_count = file->output_count;
	image->outputs = image_list(image, (uint32_t *)file->outputs, file->output_count);
	if (!image->runs || !image->tensors || !image->steps || !image->inputs || !image->outputs)
		return no_memory(err);
	for (uint32_t i = 0; i < image->tensor_count && !rc; i++)
		rc = add_tensor(image, file, i, err);
	for (uint32_t i = 0; i < image->run_count && !rc; i++) {
		image->steps[i] = (struct image_step){ .npu = true, .index = i };
		rc = add_run(image, file, i, &local_io, err);
	}
	if (rc || !local_io)
		return rc;
	/* What one operator hands to the next would be in both regions. */
	if (image->run_count > 1)
		return error_set(err, -ENOTSUP,
				 "%u ethos-u operators with separate input and output regions",
				 image->run_count);
	image->inputs_size = extent(file, file->inputs, file->input_count);
	image->outputs_size = extent(file, file->outputs, file->output_count);
	for (uint32_t i = 0; i < image->input_count; i++)
		if (image->tensors[image->inputs[i]].place == IMAGE_ARENA)
			image->tensors[image->inputs[i]].place = IMAGE_INPUTS;
	for (uint32_t i = 0; i < image->output_count; i++)
		if (image->tensors[image->outputs[i]].place == IMAGE_ARENA)
			image->tensors[image->outputs[i]].place = IMAGE_OUTPUTS;
	return 0;
}

static void release_file(void *memory)
{
	tflite_free(memory);
	free(memory);
}

int image_from_tflite(struct tflite *from, const char *name, struct image **out, struct error *err)
{
	struct tflite *file = malloc(sizeof(*file));
	struct image *image = file ? image_new(name) : NULL;
	int rc;

	if (!image) {
		tflite_free(from);
		free(file);
		return no_memory(err);
	}
	*file = *from;
	memset(from, 0, sizeof(*from));
	rc = image_own(image, file, release_file);
	if (rc)
		no_memory(err);
	else
		rc = take_apart(image, file, err);
	if (rc) {
		image_free(image);
		return error_prefix(err, rc, name);
	}
	*out = image;
	return 0;
}
