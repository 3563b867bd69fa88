/* SPDX-License-Identifier: MIT */
/* Writes program files. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/file.h"
#include "runtime/image/accel_file.h"
#include "sim/hash.h"

#define CHECKSUM_FROM	32
#define CONSTANTS_ALIGN	16

/* A growing section. */
struct bytes {
	char kind[5];
	uint8_t *data;
	size_t size, room;
};

enum {
	STRINGS, TENSORS, SCALES, ZEROS, INPUTS, OUTPUTS, RUNS, OPERATORS, STEPS, COMMANDS, DATA,
	SECTIONS,
};

struct writer {
	struct bytes sections[SECTIONS];
	bool failed;		/* out of memory */
};

static size_t align_up(size_t v, size_t to)
{
	return (v + to - 1) / to * to;
}

/* Append @size bytes at a multiple of @align; returns where. NULL: zeroes. */
static size_t add(struct writer *w, unsigned int section, const void *data, size_t size, size_t align)
{
	struct bytes *b = &w->sections[section];
	size_t at = align_up(b->size, align);

	if (at + size > b->room) {
		size_t room = 2 * (at + size);
		uint8_t *grown = realloc(b->data, room);

		if (!grown) {
			w->failed = true;
			return 0;
		}
		memset(grown + b->room, 0, room - b->room);
		b->data = grown;
		b->room = room;
	}
	if (data && size)
		memcpy(b->data + at, data, size);
	b->size = at + size;
	return at;
}

static void add_tensor(struct writer *w, const struct image_tensor *t)
{
	struct accel_file_tensor f = {
		.name = (uint32_t)add(w, STRINGS, t->name, strlen(t->name) + 1, 1),
		.type = (uint32_t)t->type,
		.ndim = t->ndim,
		.axis = t->scale_count > 1 ? t->axis : 0,
		.scale_count = t->scale_count,
		.flags = t->variable ? ACCEL_FILE_VARIABLE : 0,
		.place = t->place,
		.offset = t->place == IMAGE_OWN ? t->region : t->offset,
	};

	memcpy(f.shape, t->shape, t->ndim * sizeof(f.shape[0]));
	f.first_scale = (uint32_t)(add(w, SCALES, t->scales, t->scale_count * sizeof(float),
				       sizeof(float)) / sizeof(float));
	add(w, ZEROS, t->zero_points, t->scale_count * sizeof(int32_t), sizeof(int32_t));
	if (t->place == IMAGE_CONSTANT)
		f.offset = add(w, DATA, t->data, image_tensor_size(t), CONSTANTS_ALIGN);
	add(w, TENSORS, &f, sizeof(f), 1);
}

/* Runs may share their constants. */
static size_t add_constants(struct writer *w, const struct image *image, uint32_t run)
{
	const struct image_npu *r = &image->runs[run];

	for (uint32_t i = 0; i < run; i++)
		if (image->runs[i].constants == r->constants &&
		    image->runs[i].constants_size == r->constants_size)
			return ((struct accel_file_run *)(void *)w->sections[RUNS].data)[i].constants;
	return add(w, DATA, r->constants, r->constants_size, CONSTANTS_ALIGN);
}

static void add_run(struct writer *w, const struct image *image, uint32_t index)
{
	const struct image_npu *run = &image->runs[index];
	struct accel_file_run f = {
		.stream = add(w, COMMANDS, run->stream, 4 * run->words, 4),
		.words = run->words,
		.constants = add_constants(w, image, index),
		.constants_size = run->constants_size,
		.arena_offset = run->arena_offset,
		.flags = run->fast_is_arena ? ACCEL_FILE_FAST_IS_ARENA : 0,
	};

	add(w, RUNS, &f, sizeof(f), 1);
}

static void add_word(struct writer *w, uint32_t word)
{
	add(w, OPERATORS, &word, sizeof(word), 1);
}

static void add_operator(struct writer *w, const struct image_op *op)
{
	const struct ir_kind_info *info = ir_kind_info(op->kind);

	add_word(w, (uint32_t)add(w, STRINGS, info->name, strlen(info->name) + 1, 1));
	add_word(w, op->input_count);
	add_word(w, op->output_count);
	add_word(w, info->option_count);
	add(w, OPERATORS, op->inputs, op->input_count * sizeof(uint32_t), 1);
	add(w, OPERATORS, op->outputs, op->output_count * sizeof(uint32_t), 1);
	for (unsigned int i = 0; i < info->option_count; i++)
		add_word(w, (uint32_t)ir_field_get(&info->options[i].field, &op->options));
}

static void add_step(struct writer *w, const struct image_step *step)
{
	struct accel_file_step f = {
		.kind = step->npu ? ACCEL_FILE_STEP_NPU : ACCEL_FILE_STEP_CPU,
		.index = step->index,
	};

	add(w, STEPS, &f, sizeof(f), 1);
}

/* The file as one piece of memory. */
static uint8_t *assemble(const struct writer *w, const struct image *image, size_t *size)
{
	struct accel_file_header header = {
		.version = ACCEL_FILE_VERSION,
		.section_count = SECTIONS,
		.config = image->config,
		.id = image->id,
		.arena_size = image->arena_size,
		.fast_size = image->fast_size,
	};
	size_t at = sizeof(header) + SECTIONS * sizeof(struct accel_file_section);
	uint8_t *file;

	*size = at;
	for (unsigned int i = 0; i < SECTIONS; i++)
		*size = align_up(*size, ACCEL_FILE_ALIGN) + w->sections[i].size;
	file = calloc(1, *size);
	if (!file)
		return NULL;
	for (unsigned int i = 0; i < SECTIONS; i++) {
		const struct bytes *b = &w->sections[i];
		struct accel_file_section s = { .size = b->size };

		at = align_up(at, ACCEL_FILE_ALIGN);
		s.offset = at;
		memcpy(s.kind, b->kind, sizeof(s.kind));
		memcpy(file + sizeof(header) + i * sizeof(s), &s, sizeof(s));
		if (b->size)
			memcpy(file + at, b->data, b->size);
		at += b->size;
	}
	memcpy(header.magic, ACCEL_FILE_MAGIC, sizeof(header.magic));
	header.file_size = *size;
	memcpy(file, &header, sizeof(header));
	header.checksum = XXH3_64bits(file + CHECKSUM_FROM, *size - CHECKSUM_FROM);
	memcpy(file, &header, sizeof(header));
	return file;
}

int image_write(const struct image *image, const char *path, struct error *err)
{
	struct writer w = { .sections = {
		[STRINGS] = { .kind = "STRS" }, [TENSORS] = { .kind = "TENS" },
		[SCALES] = { .kind = "SCAL" }, [ZEROS] = { .kind = "ZERO" },
		[INPUTS] = { .kind = "INPT" }, [OUTPUTS] = { .kind = "OUTP" },
		[RUNS] = { .kind = "RUNS" }, [OPERATORS] = { .kind = "OPER" },
		[STEPS] = { .kind = "STEP" }, [COMMANDS] = { .kind = "CMDS" },
		[DATA] = { .kind = "DATA" },
	} };
	uint8_t *file = NULL;
	size_t size;
	int rc;

	if (image->inputs_size || image->outputs_size)
		return error_set(err, -ENOTSUP,
				 "%s: inputs and outputs in regions of their own have no place in a program file",
				 image->name);
	for (uint32_t i = 0; i < image->tensor_count; i++)
		add_tensor(&w, &image->tensors[i]);
	for (uint32_t i = 0; i < image->run_count; i++)
		add_run(&w, image, i);
	if (image->op_count)
		add_word(&w, image->op_count);
	for (uint32_t i = 0; i < image->op_count; i++)
		add_operator(&w, &image->ops[i]);
	for (uint32_t i = 0; i < image->step_count; i++)
		add_step(&w, &image->steps[i]);
	add(&w, INPUTS, image->inputs, image->input_count * sizeof(uint32_t), 4);
	add(&w, OUTPUTS, image->outputs, image->output_count * sizeof(uint32_t), 4);
	if (!w.failed)
		file = assemble(&w, image, &size);
	rc = file ? file_write(path, file, size, err) :
		    error_set(err, -ENOMEM, "out of memory");
	free(file);
	for (unsigned int i = 0; i < SECTIONS; i++)
		free(w.sections[i].data);
	return rc;
}
